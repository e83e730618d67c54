"""`dialwarden subject`: a copy of everything, and an erasure that loses no no."""

from __future__ import annotations

import csv
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.site import CONFIG, Site

from dialwarden.cli.subject_fields import FIELDS, SECTIONS
from dialwarden.ledger import attempts, legs, refusals
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.legs import LegId
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.question import Door, Purpose
from dialwarden.verdict import Rule

N, OTHER = "+33612345678", "+33687654321"


def years_after(day: date, years: int) -> date:
    """The same day of a later year; of 29 February 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


LONG_AGO = datetime(2020, 1, 1, 10, tzinfo=UTC)
LATELY = (datetime.now(UTC) - timedelta(days=60)).replace(hour=5, minute=0, second=0, microsecond=0)
OLD, NEW = LONG_AGO.isoformat(), LATELY.isoformat()
# What happened then is over with the day, when it ends in the last zone that has it.
LAST_DAY = LATELY.date() + timedelta(days=1)
UNTIL = years_after(LAST_DAY, 3).isoformat()
ERASE = ("--by", "Ann", "--why", "letter of 2 November", "--yes")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of two callees with something old and something new of every kind."""
    site = Site(tmp_path_factory.mktemp("written"))
    (site.folder / "dialwarden.toml").write_text(CONFIG)
    site.run("list", "import", "house", site.file(f"number,since\n{N},2024-05-01\n"))
    for number in (N, OTHER):
        rows = [f"{number},{who},{at}" for who in ("acme", "bella") for at in (OLD, NEW)]
        file = site.file("number,professional,at\n" + "\n".join(rows) + "\n")
        site.run("objection", "import", file)
        with_person = "\n".join(f"{row},P1,silent" for row in rows)
        site.run("attempts", "import", site.file(
            f"number,professional,at,person,outcome\n{with_person}\n"
        ))  # fmt: skip
        site.run("consent", "import", site.file(
            f"number,professional,given_at,until\n{number},acme,{OLD},2020-05-01\n"
        ))  # fmt: skip
        site.run("consent", "withdraw", number, "--campaign", "paris", "--at", "2020-02-01")
        site.run("list", "add", "weekly", number, "--note", "by telephone")
        with site.writing() as conn:
            conn.execute("UPDATE objection SET recorded_at = at")
            conn.execute("UPDATE withdrawal SET recorded_at = at")
            for at in (LONG_AGO, LATELY):
                digits = int(number[1:])
                made = attempts.reserve(conn, NewAttempt(
                    digits, "acme", "paris", Purpose.SALES, Door.AGI, at, asked_by="PJSIP/200-1"
                ))  # fmt: skip
                leg = LegId("pbx", f"17.{made}", "PJSIP/carrier-1")
                legs.dialled(conn, made, leg, trunk="carrier", at=at)
                refusals.record(conn, NewRefusal(
                    at, digits, number, [Rule.HOURS], '[{"rule": "hours", "reason": "early"}]',
                    Door.AGI, "acme", "paris", call="=1+1",
                ))  # fmt: skip
                refusals.record_exempt(
                    conn, at=at, call=f"c{made}", number=digits, listed_in="staff",
                    campaign="paris", door=Door.AGI, asked_by="PJSIP/200-1",
                )  # fmt: skip
    ahead = "2099-09-01T10:00:00Z"
    site.run("appointment", "add", N, "--campaign", "paris", "--at", ahead)
    return site.ledger


@pytest.fixture
def filled(site: Site, written: Path) -> Site:
    site.ledger.parent.mkdir()
    shutil.copy(written, site.ledger)
    return site


def counts(site: Site, number: str = N) -> dict[str, int]:
    records = site.json("subject", number, "export")["records"]
    return {name: len(rows) for name, rows in records.items() if rows and name != "kept"}


def test_an_export_has_everything_of_this_number_and_nothing_of_others(filled: Site) -> None:
    told = filled.json("subject", N, "export")
    assert told["number"] == N
    assert counts(filled) == {
        "attempts": 6, "legs": 2, "silent_calls": 4, "appointments": 1, "consents": 1,
        "withdrawals": 1, "objections": 4, "refusals": 2, "exempt_calls": 2, "lists": 2,
        "list_versions": 1, "list_changes": 1, "persons": 1,
    }  # fmt: skip
    records = told["records"]
    numbers = {row["number"] for rows in records.values() for row in rows if "number" in row}
    assert numbers == {N}
    assert records["persons"] == [{"person": "P1", "numbers": [OTHER]}]
    assert records["list_versions"][0]["since"] == "2024-05-01"
    assert {row["list"] for row in records["lists"]} == {"house", "weekly"}


def test_every_field_of_every_section_is_explained(filled: Site) -> None:
    filled.run("subject", N, "erase", *ERASE)
    filled.run("consent", "grant", N, "--campaign", "paris")
    records = filled.json("subject", N, "export")["records"]
    assert list(records) == list(SECTIONS) == list(FIELDS)
    for name, rows in records.items():
        assert rows, name
        for row in rows:
            assert set(row) <= set(FIELDS[name]), name
    assert all(len(text) > 3 for of in FIELDS.values() for text in of.values())


def test_an_export_says_how_long_each_kind_is_kept_and_by_which_source(filled: Site) -> None:
    kept = filled.json("subject", N, "export")["records"]["kept"]
    rows = {(row["kind"], row["professional"]): row for row in kept}
    assert rows["attempts", "acme"]["until"] == UNTIL
    assert rows["attempts", "acme"]["why"] == "proof for 3 years"
    assert "R. 223-2" in rows["attempts", "acme"]["source"]
    assert rows["attempts", "bella"]["until"] is None
    assert (
        "no period is known for bella: set [retention] years" in (rows["attempts", "bella"]["why"])
    )
    assert rows["objections", "acme"]["reduced_from"] == UNTIL
    assert rows["list house", ""]["why"] == "it keeps the number from being called"


def test_an_export_is_text_that_explains_itself(filled: Site) -> None:
    told = filled.out("subject", N, "export")
    assert told.startswith(f"What is on record of {N}\n\nThis is everything that dialwarden has")
    assert "OBJECTIONS\nWhat was objected to: calls by a professional.\n" in told
    assert "  hangup_cause: " not in told  # a field that is empty is not told
    assert "    professional: bella" in told
    assert told.rstrip().splitlines()[-1] == "Nothing is on record of: erasures."
    assert OTHER in told  # of the person, and nowhere else
    assert told.count(OTHER) == 1


def test_an_export_of_a_number_that_nobody_knows_says_so(site: Site) -> None:
    told = site.out("subject", N, "export")
    assert "Nothing is on record of: attempts, legs," in told
    assert not site.ledger.exists()


def test_csv_files_are_private_explained_and_safe_in_a_spreadsheet(filled: Site) -> None:
    folder = filled.folder / "out"
    filled.run("subject", N, "export", "--csv-dir", folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.stem: path for path in folder.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert set(files) == {"fields", "kept", *counts(filled)}
    rows = {name: list(csv.DictReader(path.open())) for name, path in files.items()}
    assert [row["call"] for row in rows["refusals"]] == ["'=1+1"] * 2
    assert [row["note"] for row in rows["list_changes"]] == ["by telephone"]
    explained = {(row["file"], row["field"]) for row in rows["fields"]}
    for name in {*files} - {"fields"}:
        assert {(f"{name}.csv", field) for field in rows[name][0]} <= explained


def test_csv_files_are_never_put_among_others(filled: Site) -> None:
    filled.file("mine", "here.txt")
    told = filled.err("subject", N, "export", "--csv-dir", filled.folder)
    assert "holds files already" in told


def test_the_number_may_stand_before_the_verb_or_behind(filled: Site) -> None:
    assert filled.out("subject", "export", N) == filled.out("subject", N, "export")


def test_erasing_removes_what_no_duty_keeps_and_reduces_the_noes(filled: Site) -> None:
    before = counts(filled, OTHER)
    told = filled.json("subject", N, "erase", *ERASE)
    assert told["removed"] == {
        "silent calls": 1, "attempts": 2, "legs": 1, "refusals": 1, "exempt calls": 1,
        "consents": 1,
    }  # fmt: skip
    assert told["reduced"] == {"objections": 1, "withdrawals": 1}
    left = counts(filled)
    assert (left["attempts"], left["legs"], left["refusals"]) == (4, 1, 1)
    assert (left["objections"], left["withdrawals"]) == (4, 1)
    assert left["erasures"] == 1
    assert "consents" not in left
    assert counts(filled, OTHER) == before
    filled.run("ledger", "verify")


def test_what_refused_before_refuses_after(filled: Site) -> None:
    def rules() -> Any:
        told = filled.json("check", N, "--campaign", "plain", status=1)
        return [one["rule"] for one in told["refusals"]]

    before = rules()
    filled.run("subject", N, "erase", *ERASE)
    assert rules() == before == ["objection"]


def test_a_dry_run_tells_the_same_and_changes_no_byte(filled: Site) -> None:
    before = filled.ledger.read_bytes()
    dry = filled.json("subject", N, "erase", "--dry-run")
    assert filled.ledger.read_bytes() == before
    assert (dry["dry_run"], dry["erasure"]) == (True, None)
    done = filled.json("subject", N, "erase", *ERASE)
    assert (done["dry_run"], done["erasure"]) == (False, 1)
    assert {name: rows for name, rows in done["removed"].items() if name != "legs"} == (
        dry["removed"]
    )
    for name in ("reduced", "kept", "persons"):
        assert done[name] == dry[name]


def test_what_stays_is_told_with_why_and_until_when(filled: Site) -> None:
    told = filled.out("subject", N, "erase", *ERASE)
    assert f"{N}: silent calls: 1 row removed, attempts: 2 rows removed" in told
    assert "recorded as erasure 1, without the number" in told
    lines = told.split("What stays:\n")[1].splitlines()
    assert lines[0].split() == ["WHAT", "OF", "ROWS", "UNTIL", "WHY"]
    (of,) = [line for line in lines if line.startswith("attempts") and "acme" in line]
    assert of.split()[2:4] == ["2", UNTIL]
    assert any(line.startswith("acme: policy fr: Code de la consommation") for line in lines)


def test_the_other_numbers_of_the_person_are_offered_and_left(filled: Site) -> None:
    told = filled.out("subject", N, "erase", *ERASE)
    assert f"Person P1 was named with {OTHER} too; nothing of that was touched" in told
    assert f"dialwarden subject {OTHER} erase" in told
    assert filled.json("subject", N, "erase", "--dry-run")["persons"] == {"P1": [OTHER]}


def test_that_it_was_done_is_found_by_who_asks_about_the_number(filled: Site) -> None:
    filled.run("subject", N, "erase", *ERASE)
    (row,) = filled.json("subject", N, "export")["records"]["erasures"]
    assert (row["number"], row["why"]) == ("reduced", "letter of 2 November")
    assert row["by"].startswith("Ann (cli")
    assert row["counts"]["removed"]["attempts"] == 2
    assert "erasure" in filled.out("why", N)
    assert "erasures" not in counts(filled, OTHER)


def test_one_without_anything_to_remove_is_on_record_too(filled: Site) -> None:
    filled.run("subject", N, "erase", *ERASE)
    assert f"{N}: nothing is over yet" in filled.out("subject", N, "erase", *ERASE)
    assert counts(filled)["erasures"] == 2


def test_the_house_may_set_the_period_of_whom_no_policy_has_one(filled: Site) -> None:
    (filled.folder / "dialwarden.toml").write_text(CONFIG + "\n[retention]\nyears = 3\n")
    told = filled.json("subject", N, "erase", *ERASE)
    assert told["removed"]["silent calls"] == 1  # of bella's an agent's call is still awaited
    assert told["reduced"]["objections"] == 2
    stays = {(row["kind"], row["professional"]): row for row in told["kept"]}
    assert stays["silent calls", "bella"]["why"] == (
        "after a silent call an agent must come first, and none has yet"
    )
    assert stays["attempts", "acme"]["source"].startswith("policy fr")


def confirmations() -> Iterator[tuple[str, int]]:
    yield "y\n", 0
    yield "n\n", 1
    yield "", 1


@pytest.mark.parametrize(("answer", "status"), list(confirmations()), ids=["yes", "no", "nobody"])
def test_it_asks_first(
    filled: Site, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    from click.testing import CliRunner

    from dialwarden.cli import main

    done = CliRunner(env={"DIALWARDEN_CONFIG": str(filled.folder / "dialwarden.toml")}).invoke(
        main, ["subject", N, "erase", "--by", "Ann", "--why", "x"], input=answer
    )
    assert done.exit_code == status
    assert f"{N}: silent calls: 1 row to be removed" in done.stderr
    assert "It cannot be brought back. Go on?" in done.stderr
    assert counts(filled).get("erasures", 0) == (1 if status == 0 else 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["erase", "--yes"], "--by is recorded with an erasure"),
        (["erase", "--yes", "--by", "Ann"], "--why is recorded with an erasure"),
        (["erase", "--by", "Ann", "--why", "x", "--json"], "--json asks nothing: say --yes"),
        (["erase", "--by", "Ann", "--why", "06 12 34 56 78", "--yes"], "leave the number out"),
        (["export", "--json", "--csv-dir", "x"], "choose one"),
        (["forget"], "No such command"),
    ],
)
def test_a_wrong_use_is_told_and_changes_nothing(filled: Site, words: list[str], told: str) -> None:
    before = filled.ledger.read_bytes()
    assert told in filled.err("subject", N, *words)
    assert filled.ledger.read_bytes() == before


def test_a_clock_that_may_be_ahead_erases_nothing(filled: Site) -> None:
    with filled.writing() as conn:
        conn.execute("UPDATE migration SET applied_at = 1577836800000000")
        conn.execute("DELETE FROM refusal WHERE at > 1600000000000000")
        conn.execute("DELETE FROM leg")
        conn.execute("DELETE FROM silent_call")
        conn.execute("DELETE FROM attempt")
        conn.execute("UPDATE list_version SET imported_at = 1577836800000000")
    told = filled.err("subject", N, "erase", *ERASE, status=1)
    assert "clock may be ahead" in told
    assert counts(filled)["refusals"] == 1
    assert "clock may be ahead" in filled.run("subject", N, "erase", "--dry-run").stderr


def test_a_ledger_that_vanished_is_not_made_anew(site: Site) -> None:
    site.ledger.parent.mkdir()
    Path(f"{site.ledger}-wal").write_bytes(b"x")
    assert "it was taken away" in site.err("subject", N, "erase", *ERASE, status=1)
    assert not site.ledger.exists()
