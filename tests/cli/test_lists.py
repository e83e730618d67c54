"""`dialwarden list`: versions, as-of dates, overlays, and what is told of them."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.site import Site
from tests.ledger.helpers import start_python

NUMBER = "0612345678"
TODAY = datetime.now(UTC).date()


def test_an_import_holds_for_the_next_question(site: Site) -> None:
    file = site.file("0612345678\n")
    assert site.out("list", "import", "house", file) == "imported 1 number\n"
    verdict = site.json("check", NUMBER, "--campaign", "paris", status=1)
    assert "opposition" in [refusal["rule"] for refusal in verdict["refusals"]]
    site.run("list", "import", "house", site.file(""), "--force")
    verdict = site.json("check", NUMBER, "--campaign", "paris", status=1)
    assert "opposition" not in [refusal["rule"] for refusal in verdict["refusals"]]


def test_an_import_in_json(site: Site) -> None:
    file = site.file("number\n0612345678\nabc\n0612345678\n")
    assert site.json("list", "import", "house", file, "--as-of", "01/11/2026") == {
        "file": str(file),
        "list": "house",
        "version": 1,
        "as_of": "2026-11-01",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rows": 3,
        "added": 1,
        "duplicates": 1,
        "bad": 1,
        "kept": 0,
        "bad_rows": [
            {
                "line": 3,
                "reason": "'abc' is no number: only + 0-9 ( ) . - and blanks make one "
                "(U+0061 LATIN SMALL LETTER A, character 1)",
            }
        ],
        "warnings": [],
        "refused": False,
    }


def test_bad_rows_are_told_twenty_at_most_and_counted(site: Site) -> None:
    result = site.run("list", "import", "house", site.file("number\n" + "x\n" * 23 + NUMBER))
    assert result.stdout == "imported 1 number, 23 bad rows left out\n"
    lines = result.stderr.splitlines()
    assert len(lines) == 21
    assert "file.csv:2: 'x' is no number" in lines[0]
    assert lines[-1].endswith(": 3 more bad rows")


def test_an_import_that_shrinks_a_list_says_so(site: Site) -> None:
    site.run("list", "import", "house", site.file("0612345678\n0612345679\n"))
    told = site.run("list", "import", "house", site.file("", "empty.csv"), "--force")
    assert "list house had 2 numbers before, and has 0 numbers now" in told.output
    again = site.run("list", "import", "house", site.file("0612345678\n"))
    assert "before" not in again.output


def test_an_import_of_an_older_day_says_that_another_is_in_force(site: Site) -> None:
    site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-02")
    older = site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-01")
    assert "version 2 of list house is not in force: version 1, imported" in older.stderr
    assert site.run("list", "import", "house", site.file("")).stderr == ""


def test_a_number_with_a_wrong_date_is_listed_and_told(site: Site) -> None:
    file = site.file(f"number,since\n{NUMBER},9999-12-31\nx,\n")
    result = site.run("list", "import", "house", file)
    assert "imported 1 number, 1 bad row left out, 1 taken without what was wrong" in result.stdout
    assert f"{file}:2: since 9999-12-31 lies" in result.stderr
    assert site.json("list", "has", "house", NUMBER)["listed"] is True


def test_strict_takes_all_or_nothing(site: Site) -> None:
    result = site.run(
        "list", "import", "house", site.file(f"{NUMBER}\nabc\n"), "--strict", status=1
    )
    assert result.stdout == "nothing imported: 1 bad row (--strict)\n"
    assert site.json("list", "status", "house")[0]["version"] is None
    site.run("list", "import", "house", site.file(f"{NUMBER}\n"), "--strict")
    assert site.json("list", "status", "house")[0]["count"] == 1


@pytest.mark.parametrize("name", ["bloctel", "rpo", "weekly"])
def test_a_list_with_a_greatest_age_needs_a_date(site: Site, name: str) -> None:
    told = site.err("list", "import", name, site.file(""))
    assert f"list {name} has a greatest age" in told
    assert "--as-of DATE" in told
    site.run("list", "import", name, site.file(""), "--as-of", TODAY)


@pytest.mark.parametrize(
    ("as_of", "told"),
    [(TODAY + timedelta(days=2), "lies in the future"), ("soon", "is no date; write 2026-12-24")],
)
def test_a_wrong_as_of_date_is_a_wrong_use(site: Site, as_of: object, told: str) -> None:
    assert told in site.err("list", "import", "house", site.file(""), "--as-of", as_of)


@pytest.mark.parametrize("verb", ["import", "add", "remove", "has", "status"])
def test_an_unknown_list_is_a_wrong_use_that_names_the_nearest(site: Site, verb: str) -> None:
    more = {"import": [site.file("")], "status": []}.get(verb, [NUMBER])
    assert "did you mean house?" in site.err("list", verb, "hous", *more)


@pytest.mark.parametrize(
    ("name", "number", "read"),
    [("house", NUMBER, "+33612345678"), ("rpo", "3331234567", "+393331234567"),
     ("staff", NUMBER, "+33612345678"), ("lift", "+33612345678", "+33612345678")],
)  # fmt: skip
def test_national_numbers_are_read_by_the_lists_own_country(
    site: Site, name: str, number: str, read: str
) -> None:
    assert site.json("list", "add", name, number)["number"] == read
    dated = [] if name in ("house", "staff", "lift") else ["--as-of", TODAY]
    site.run("list", "import", name, site.file(f"{number}\n"), *dated)
    assert site.json("list", "has", name, read)["listed"]


def test_a_list_of_no_country_asks_for_a_region(site: Site) -> None:
    assert "write it with + and its country code" in site.err("list", "add", "lift", NUMBER)
    site.run("list", "add", "lift", NUMBER, "--region", "FR")
    result = site.run("list", "import", "lift", site.file(f"{NUMBER}\n"), status=2)
    assert "national numbers need --region" in result.stderr
    told = site.err("list", "add", "lift", NUMBER, "--region", "XX")
    assert "unknown region 'XX'" in told


def test_overlays_survive_imports_and_move_no_date(site: Site) -> None:
    site.run("list", "import", "house", site.file("+33612345601\n"), "--as-of", "2026-11-01")
    site.run("list", "add", "house", "0612345602", "--note", "by letter")
    site.run("list", "remove", "house", "0612345601")
    site.run("list", "import", "house", site.file("+33612345601\n"), "--as-of", "2026-11-02")
    assert site.json("list", "has", "house", "0612345601", status=1)["listed"] is False
    assert site.json("list", "has", "house", "0612345602")["as_of"] == "2026-11-02"
    row = site.json("list", "status", "house")[0]
    assert (row["count"], row["added"], row["removed"], row["versions"]) == (1, 1, 1, 2)


def test_has_says_what_it_knows(site: Site) -> None:
    site.run("list", "import", "house", site.file("number,since\n0612345678,2026-05-02\n"))
    assert site.json("list", "has", "house", NUMBER) == {
        "list": "house", "number": "+33612345678", "listed": True, "since": "2026-05-02",
        "version": 1, "as_of": None,
    }  # fmt: skip
    told = site.out("list", "has", "house", NUMBER)
    assert told == "+33612345678 is on list house since 2026-05-02\n"
    told = site.out("list", "has", "staff", NUMBER, status=1)
    assert told == "+33612345678 is not on list staff, which was never imported\n"


def test_adding_to_a_list_never_imported_says_that_it_refuses(site: Site) -> None:
    result = site.run("list", "add", "house", NUMBER)
    assert result.stdout == "+33612345678 added to list house, whatever is imported later\n"
    assert "dialwarden list import house FILE (an empty file will do)" in result.stderr
    assert site.run("list", "add", "staff", NUMBER).stderr == ""


def test_a_number_that_cannot_be_read_is_a_wrong_use(site: Site) -> None:
    assert "Invalid value for NUMBER" in site.err("list", "add", "house", "abc")


def test_status_of_every_list(site: Site) -> None:
    week = TODAY - timedelta(days=3)
    site.run("list", "import", "weekly", site.file(f"{NUMBER}\n", "w.csv"), "--as-of", week)
    rows = {row["name"]: row for row in site.json("list", "status")}
    assert list(rows) == ["bloctel", "house", "lift", "rpo", "staff", "weekly"]
    weekly = rows["weekly"]
    assert weekly["kind"] == "opposition"
    assert (weekly["version"], weekly["count"], weekly["source"]) == (1, 1, "w.csv")
    assert weekly["as_of"] == week.isoformat()
    assert weekly["limit_days"] == 7
    assert weekly["stale_from"] == (week + timedelta(days=8)).isoformat()
    assert weekly["stale"] is False
    assert datetime.fromisoformat(weekly["imported_at"]).tzinfo is not None
    assert (rows["house"]["version"], rows["house"]["stale"]) == (None, True)
    assert (rows["staff"]["kind"], rows["staff"]["stale"]) == ("exempt", False)


@pytest.mark.parametrize("days", range(5, 12))
def test_a_list_is_stale_from_the_day_after_its_limit(site: Site, days: int) -> None:
    site.run("list", "import", "weekly", site.file(""), "--as-of", TODAY - timedelta(days=days))
    row = site.json("list", "status", "weekly")[0]
    assert row["age_days"] in (days, days + 1)  # Paris is ahead of UTC
    assert row["stale"] is (row["age_days"] > 7)


def test_of_two_greatest_ages_the_smaller_is_shown(site: Site) -> None:
    config = site.folder / "dialwarden.toml"
    config.write_text(config.read_text() + '\n[lists.rpo]\nkind = "opposition"\n')
    assert site.json("list", "status", "rpo")[0]["limit_days"] == 15
    config.write_text(config.read_text() + 'max_age = "10 days"\n')
    assert site.json("list", "status", "rpo")[0]["limit_days"] == 10


def test_status_as_text(site: Site) -> None:
    site.run("list", "import", "weekly", site.file(f"{NUMBER}\n", "w.csv"), "--as-of", "2026-01-05")
    lines = site.out("list", "status").splitlines()
    assert lines[0].split() == [
        "LIST", "KIND", "NUMBERS", "AS", "OF", "AGE", "LIMIT", "STALE", "FROM", "ADDED",
        "REMOVED", "IMPORTED", "SOURCE", "SHA256",
    ]  # fmt: skip
    assert "house    opposition  never imported" in lines[2]
    assert "2026-01-13 (stale)" in lines[-1]


def test_a_list_that_is_configured_no_more_is_still_shown(site: Site) -> None:
    site.run("list", "import", "house", site.file(""))
    toml = site.folder / "dialwarden.toml"
    toml.write_text(toml.read_text().replace("house", "home"))
    row = site.json("list", "status", "house")[0]
    assert (row["kind"], row["version"], row["stale"]) == (None, 1, False)


def test_a_wrong_file_is_a_wrong_use(site: Site) -> None:
    assert "has no column number" in site.err("list", "import", "house", site.file("tel\n06\n"))
    assert "does not exist" in site.err("list", "import", "house", "none.csv")
    site.run("list", "import", "house", site.file(f"tel\n{NUMBER}\n"), "--column", "Tel")


def test_a_file_of_which_nothing_can_be_read_leaves_the_list_as_it_was(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "good.csv").write_text("number\n0612345678\n")
    (tmp_path / "bad.csv").write_text("number\nDupont\nMartin\n")
    site.run("list", "import", "house", str(tmp_path / "good.csv"))
    result = site.run("list", "import", "house", str(tmp_path / "bad.csv"), status=2)
    assert "not one of its 2 rows could be read" in result.stderr
    site.run("list", "has", "house", "0612345678")


SHRINKING = [
    # Numbers in force, numbers in the file, whether it is refused: two thirds are enough.
    (3, 2, False),
    (3, 1, True),
    (6, 3, True),
    (6, 4, False),
    (1, 0, True),
    (0, 0, False),
]


def _numbers(count: int) -> str:
    return "".join(f"06123456{number:02}\n" for number in range(count))


@pytest.mark.parametrize(("before", "now", "refused"), SHRINKING)
def test_a_file_that_lost_more_than_a_third_is_refused(
    site: Site, before: int, now: int, refused: bool
) -> None:
    site.run("list", "import", "house", site.file(_numbers(before)))
    file = site.file(_numbers(now), "new.csv")
    result = site.run("list", "import", "house", file, status=1 if refused else 0)
    assert site.json("list", "status", "house")[0]["count"] == (before if refused else now)
    if refused:
        assert f"new.csv has {now} number" in result.stderr
        assert f"version 1 in force has {before} number" in result.stderr
        assert result.stdout.startswith("nothing imported: list house would shrink")
        told = site.json("list", "import", "house", file, status=1)
        assert (told["refused"], told["version"], told["added"]) == (True, None, 0)
        site.run("list", "import", "house", file, "--force")
        assert site.json("list", "status", "house")[0]["count"] == now


def test_a_shorter_file_of_an_earlier_day_is_no_shrinking(site: Site) -> None:
    site.run("list", "import", "weekly", site.file(_numbers(3)), "--as-of", "2026-11-02")
    site.run("list", "import", "weekly", site.file(_numbers(1)), "--as-of", "2026-11-01")
    assert site.json("list", "status", "weekly")[0]["count"] == 3


def test_a_rollback_brings_the_version_before_back_into_force(site: Site) -> None:
    old, new = site.file(_numbers(2), "old.csv"), site.file(_numbers(3), "new.csv")
    site.run("list", "import", "house", old, "--as-of", "2026-11-01")
    site.run("list", "import", "house", new, "--as-of", "2026-11-02")
    told = site.out("list", "rollback", "house", "--why", "half a file")
    assert told.startswith(
        "version 2 of list house (3 numbers) is taken back; version 1 is in force: 2 numbers, "
        "as of 2026-11-01, "
    )
    site.run("list", "has", "house", "0612345602", status=1)
    rows = site.json("list", "versions", "house")
    assert [(row["version"], row["in_force"], row["withdrawn_why"]) for row in rows] == [
        (2, False, "half a file"),
        (1, True, ""),
    ]
    assert rows[0]["withdrawn_by"].startswith("cli")
    table = site.out("list", "versions", "house")
    assert "taken back" in table.splitlines()[1]
    assert "in force" in table.splitlines()[2]
    assert "1 version taken back" in site.out("list", "status", "house")
    # The same file once more is a version of its own.
    site.run("list", "import", "house", new, "--as-of", "2026-11-02")
    assert site.json("list", "status", "house")[0]["version"] == 3


@pytest.mark.parametrize(("versions", "why"), [(0, "never imported"), (1, "the only one")])
def test_without_a_version_before_there_is_no_rollback(site: Site, versions: int, why: str) -> None:
    for _ in range(versions):
        site.run("list", "import", "house", site.file(_numbers(1)))
    result = site.run("list", "rollback", "house", status=1)
    assert why in result.stderr
    assert all(row["withdrawn_at"] is None for row in site.json("list", "versions", "house"))


def test_there_is_no_rollback_to_a_version_without_its_numbers(site: Site) -> None:
    for count in (3, 4):
        site.run("list", "import", "house", site.file(_numbers(count)))
    with site.writing() as conn:
        conn.execute("DELETE FROM list_part WHERE body_id = 1")  # as a purge does
    told = site.run("list", "rollback", "house", status=1).stderr
    assert "stays as it is: the numbers of version 1, before it, were removed by a purge" in told
    assert site.json("list", "status", "house")[0]["version"] == 2


def test_a_rollback_to_a_stale_version_says_so(site: Site) -> None:
    old, new = TODAY - timedelta(days=20), TODAY - timedelta(days=1)
    site.run("list", "import", "weekly", site.file(_numbers(1)), "--as-of", old)
    site.run("list", "import", "weekly", site.file(_numbers(1)), "--as-of", new)
    assert "list weekly is stale since" in site.run("list", "rollback", "weekly").stderr


def test_diff_counts_and_names_what_came_and_went(site: Site) -> None:
    site.run("list", "import", "house", site.file("0612345601\n0612345602\n"))
    site.run("list", "import", "house", site.file("0612345602\n0612345603\n0612345604\n"))
    assert site.out("list", "diff", "house") == (
        "list house, version 1 to 2: 2 added, 1 removed, 1 kept\n"
    )
    assert site.json("list", "diff", "house", 2, 1, "--numbers") == {
        "list": "house", "old": 2, "new": 1, "added": 1, "removed": 2, "kept": 1,
        "added_numbers": ["+33612345601"],
        "removed_numbers": ["+33612345603", "+33612345604"],
    }  # fmt: skip
    assert site.out("list", "diff", "house", "--csv").splitlines() == [
        "number,change", "+33612345603,added", "+33612345604,added", "+33612345601,removed",
    ]  # fmt: skip
    file = site.file("0612345602\n", "next.csv")
    found = site.json("list", "diff", "house", "--file", file)
    assert (found["old"], found["added"], found["removed"], found["kept"]) == (2, 0, 2, 1)
    assert site.json("list", "status", "house")[0]["versions"] == 2


@pytest.mark.parametrize(
    ("more", "told"),
    [([7], "has no version 7 (it has 1)"), ([], "but one version"), (["--csv", "--json"], "one")],
)
def test_a_wrong_diff_is_a_wrong_use(site: Site, more: list[object], told: str) -> None:
    site.run("list", "import", "house", site.file(""))
    assert told in site.err("list", "diff", "house", *more)


KILLED = """
import os, signal, sys
from dialwarden.ledger import list_body
from dialwarden.cli import main
original = list_body._write
def write(conn, rows, alone):
    original(conn, rows, alone)
    os.kill(os.getpid(), signal.SIGKILL)
list_body._write = write
main(sys.argv[1:])
"""


def test_an_import_that_is_killed_leaves_the_list_in_force(site: Site) -> None:
    site.run("list", "import", "house", site.file(_numbers(3)))
    new = site.file(_numbers(9), "new.csv")
    config = ["--config", site.folder / "dialwarden.toml"]
    process = start_python(KILLED, "list", "import", "house", new, *config)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert site.json("list", "status", "house")[0]["count"] == 3
    with closing(sqlite3.connect(site.ledger)) as conn:
        assert conn.execute("SELECT count(*) FROM list_body").fetchone() == (2,)
        conn.execute("UPDATE list_body SET started_at = 1 WHERE id = 2")  # long ago
        conn.commit()
    site.run("list", "import", "house", new)
    assert site.json("list", "status", "house")[0]["count"] == 9
    with closing(sqlite3.connect(site.ledger)) as conn:
        assert conn.execute("SELECT id FROM list_body ORDER BY id").fetchall() == [(1,), (3,)]
        assert conn.execute("SELECT count(*) FROM list_part WHERE body_id = 2").fetchone() == (0,)
