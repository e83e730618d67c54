"""`dialwarden refusals`: the log of refusals as text, JSON and CSV, and as it grows."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import Site

from dialwarden.cli import refusals as command
from dialwarden.ledger import refusals
from dialwarden.question import Door
from dialwarden.verdict import Rule

T0 = datetime(2026, 11, 16, 9, tzinfo=UTC)


def record(site: Site, at: datetime = T0, **more: object) -> None:
    values: dict[str, object] = {
        "at": at,
        "number": 33612345678,
        "dialled": "0612345678",
        "rules": [Rule.HOURS, Rule.GAP],
        "findings": '[{"rule": "hours", "reason": "too early"}, {"rule": "gap", "reason": "x"}]',
        "door": Door.AGI,
        "professional": "acme",
        "campaign": "paris",
        "call": "c1",
        "asked_by": "PJSIP/200-1",
        "next": T0 + timedelta(hours=1),
        **more,
    }
    with site.writing() as conn:
        refusals.record(conn, refusals.NewRefusal(**values))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _folder(site: Site) -> None:
    site.ledger.parent.mkdir()


def test_text_has_the_newest_at_the_bottom_in_clear(site: Site) -> None:
    record(site)
    record(site, T0 + timedelta(minutes=1), number=None, dialled="06\x1b[2J", next=None, would=True)
    lines = site.out("refusals").splitlines()
    assert lines[0].split() == [
        "AT", "NUMBER", "CAMPAIGN", "RULES", "REASON", "NEXT", "DOOR", "BY",
    ]  # fmt: skip
    assert "+33612345678  paris     hours&gap           too early  Mon 2026-11-16 10:00" in lines[1]
    assert lines[1].endswith("  agi   PJSIP/200-1")
    assert "06\\x1b[2J" in lines[2]
    assert "hours&gap (let go)  too early" in lines[2]


def test_json_is_one_array_with_fields_named(site: Site) -> None:
    record(site)
    row = site.json("refusals")[0]
    assert row["number"] == "+33612345678"
    assert (row["at"], row["next"]) == ("2026-11-16T09:00:00+00:00", "2026-11-16T10:00:00+00:00")
    assert (row["rule"], row["rules"], row["would"]) == ("hours", "hours&gap", False)
    assert row["findings"][0] == {"rule": "hours", "reason": "too early"}
    assert (row["door"], row["call"], row["asked_by"]) == ("agi", "c1", "PJSIP/200-1")


def test_csv_is_safe_in_a_spreadsheet(site: Site) -> None:
    record(site, dialled="=cmd|' /C calc'!A0", asked_by="@SUM(1)", call="+1+1")
    row = next(csv.DictReader(io.StringIO(site.out("refusals", "--csv"))))
    assert row["dialled"] == "'=cmd|' /C calc'!A0"
    assert row["asked_by"] == "'@SUM(1)"
    assert row["call"] == "'+1+1"
    assert row["number"] == "+33612345678"
    assert (row["rule"], row["reason"], row["at"]) == (
        "hours", "too early", "2026-11-16T09:00:00+00:00",
    )  # fmt: skip


def test_csv_without_a_row_has_its_header(site: Site) -> None:
    assert site.out("refusals", "--csv").startswith("id,at,number,dialled,campaign")


def test_filters(site: Site) -> None:
    record(site)
    record(site, T0 + timedelta(days=1), campaign="rome", number=393331234567)
    record(site, datetime.now(UTC), rules=[Rule.OBJECTION])

    def ids(*flags: str) -> list[int]:
        return [row["id"] for row in site.json("refusals", *flags)]

    assert ids() == [1, 2, 3]
    assert ids("--rule", "gap") == [1, 2]
    assert ids("--campaign", "rome") == [2]
    assert ids("--number", "0612345678", "--campaign", "paris") == [1, 3]
    assert ids("--since", "2h") == [3]
    assert ids("--since", "2026-11-16 10:00:00Z", "--until", "1m") == [2]
    record(site, door=Door.GUARD)
    assert ids("--door", "guard") == [4]
    assert ids("--door", "agi") == [1, 2, 3]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--csv", "--json"], "choose one"),
        (["--follow", "--until", "2h"], "--follow has no end"),
        (["--rule", "mood"], "'mood' is not one of"),
        (["--since", "2 fortnights"], "or 2h, 7d"),
        (["--until", "9999-12-31T23:59:59-12:00"], "out of every calendar"),
        (["--since", "900000d"], "900000d is out of every calendar"),
    ],
)
def test_a_wrong_flag_is_a_wrong_use(site: Site, flags: list[str], told: str) -> None:
    assert told in site.err("refusals", *flags)


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["text", "json", "csv"])
def test_follow_shows_what_comes_each_once_until_it_is_stopped(
    site: Site, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    record(site)
    steps = iter([1, 0, 2, None])

    def pause() -> None:
        count = next(steps)
        if count is None:
            raise KeyboardInterrupt
        for _ in range(count):
            record(site, datetime.now(UTC), dialled="new")

    monkeypatch.setattr(command, "_pause", pause)
    lines = site.out("refusals", "--follow", *form).splitlines()
    if form == ["--json"]:
        assert [json.loads(line)["id"] for line in lines] == [2, 3, 4]
    elif form == ["--csv"]:
        assert [line.split(",")[0] for line in lines] == ["id", "2", "3", "4"]
    else:
        assert len(lines) == 3
        assert all("+33612345678  paris  hours&gap: too early; next Mon" in line for line in lines)


def test_follow_since_begins_with_what_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(site)

    def pause() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_pause", pause)
    assert len(site.out("refusals", "--follow", "--since", "2026-11-01").splitlines()) == 1
