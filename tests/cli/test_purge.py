"""`dialwarden purge`: what it tells, and that looking changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.site import CONFIG, Site

from dialwarden.cli import purge as command

OLD, NEW = "2020-01-01T10:00:00Z", "2026-01-01T10:00:00Z"
AT = ("--at", "2026-11-02T12:00:00Z")


@pytest.fixture
def filled(site: Site) -> Site:
    rows = [f"+3361234567{n},{who},{at}" for n, (who, at) in enumerate(
        [("acme", OLD), ("acme", NEW), ("bella", OLD), ("gone", OLD)]
    )]  # fmt: skip
    file = site.file("number,professional,at\n" + "\n".join(rows[:3]) + "\n")
    site.run("attempts", "import", file)
    site.run("objection", "import", file)
    with site.writing() as conn:
        # As of a professional that a campaign named once; and as recorded long ago.
        conn.execute("UPDATE objection SET recorded_at = at")
        conn.execute(
            "INSERT INTO attempt (number, professional, campaign, purpose, door, at, state,"
            " settled_at) VALUES (33612345673, 'gone', '', 'sales', 'import', 1, 'settled', 1)"
        )
    return site


def rows(site: Site, *more: object) -> dict[tuple[str, str, str], tuple[int, str]]:
    told = site.json("purge", "--dry-run", *AT, *more)
    return {
        (row["kind"], row["professional"], row["action"]): (row["rows"], row["why"])
        for row in told["kinds"]
    }


def test_a_dry_run_says_what_would_go_and_why(filled: Site) -> None:
    assert rows(filled) == {
        ("attempts", "acme", "removed"): (1, "3 years"),
        ("attempts", "bella", "removed"): (0, "kept: no evidence period is known"),
        ("attempts", "gone", "removed"): (0, "kept: no evidence period is known"),
        ("objections", "acme", "removed"): (0, "kept: it has an effect without end"),
        ("objections", "acme", "reduced"): (1, "3 years, and it goes on holding"),
        ("objections", "bella", "removed"): (0, "kept: no evidence period is known"),
        ("objections", "bella", "reduced"): (0, "kept: no evidence period is known"),
        ("bases", "", "removed"): (0, "no call on record was judged by it"),
        ("list versions", "", "removed"): (0, "no call on record was judged by it"),
    }
    (acme,) = [
        row for row in filled.json("purge", "--dry-run", *AT)["kinds"]
        if (row["kind"], row["professional"]) == ("attempts", "acme")
    ]  # fmt: skip
    assert acme["before"] == "2023-11-01T10:00:00+00:00"
    assert acme["oldest_kept"] == "2026-01-01T10:00:00+00:00"
    assert "R. 223-2" in acme["source"]


def test_it_is_told_to_people_too(filled: Site) -> None:
    told = filled.run("purge", "--dry-run", *AT)
    assert "acme: 3 years, policy fr: Code de la consommation, art. R. 223-2" in told.stdout
    assert "2 rows would go; nothing was changed" in told.stdout
    assert "professional bella: no policy of its campaigns says how long" in told.stderr


def test_a_dry_run_changes_no_byte(filled: Site) -> None:
    before = filled.ledger.read_bytes()
    filled.run("purge", "--dry-run", *AT)
    filled.run("purge", "--dry-run", "--at", "2096-11-02T12:00:00Z")
    assert filled.ledger.read_bytes() == before
    assert [one.name for one in filled.ledger.parent.iterdir()] == ["ledger.db"]


def test_it_removes_and_reduces_once(filled: Site) -> None:
    done = filled.json("purge", *AT)
    assert (done["removed"], done["reduced"]) == ({"attempts": 1}, {"objections": 1})
    assert "nothing was over" in filled.out("purge", *AT)
    shown = filled.json("objection", "list")
    assert [row["number"] for row in shown] == ["reduced", "+33612345671", "+33612345672"]
    (mine,) = filled.json("objection", "list", "--number", "+33612345670")
    assert mine["reduced_at"]
    verdict = filled.json("check", "+33612345670", "--campaign", "plain", status=1)
    assert [one["rule"] for one in verdict["refusals"]] == ["objection"]
    filled.run("ledger", "verify")


def test_the_houses_years_are_for_those_without(filled: Site) -> None:
    (filled.folder / "dialwarden.toml").write_text(CONFIG + "\n[retention]\nyears = 4\n")
    told = rows(filled)
    assert told["attempts", "acme", "removed"] == (1, "4 years")
    assert told["attempts", "bella", "removed"] == (1, "4 years")
    assert told["attempts", "gone", "removed"] == (1, "4 years")


def test_a_campaign_that_is_taken_out_leaves_what_was_its_alone(filled: Site) -> None:
    alone = CONFIG[: CONFIG.index("[campaigns.paris]")] + CONFIG[CONFIG.index("[campaigns.rome]") :]
    (filled.folder / "dialwarden.toml").write_text(alone)
    assert filled.json("purge", *AT)["removed"] == {}


def test_what_is_to_go_must_be_over_now(filled: Site) -> None:
    told = filled.err("purge", "--at", "2096-11-02T12:00:00Z")
    assert "lies in the future" in told
    assert "--dry-run looks ahead" in told


def test_a_clock_that_may_be_ahead_removes_only_what_is_over_at_an_instant_that_is_named(
    filled: Site,
) -> None:
    with filled.writing() as conn:
        conn.execute("UPDATE migration SET applied_at = 1577836800000000")
        conn.execute("DELETE FROM attempt WHERE at > 1577872800000000")
    told = filled.err("purge", "--json", status=1)
    assert "nothing was recorded from 2020-01-01 10:00 to" in told
    assert "clock may be ahead" in filled.run("purge", "--dry-run").stderr
    assert len(filled.json("attempts", "list")) == 3
    assert filled.json("purge", *AT)["removed"] == {"attempts": 1}
    assert "nothing was over" in filled.out("purge")


def test_one_that_was_killed_is_gone_on_with(filled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_pause", interrupted)
    filled.run("purge", *AT, status=1)
    monkeypatch.undo()
    monkeypatch.chdir(filled.folder)
    done = filled.json("purge", *AT)
    assert (done["removed"], done["reduced"]) == ({}, {"objections": 1})


def test_a_ledger_that_vanished_is_not_made_anew(site: Site) -> None:
    site.ledger.parent.mkdir()
    Path(f"{site.ledger}-wal").write_bytes(b"x")
    assert "it was taken away" in site.err("purge", status=1)
    assert not site.ledger.exists()
