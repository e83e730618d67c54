"""`dialwarden screen`: a contact file in, the same file out with the verdict of every row."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from tests.cli.site import Site

from dialwarden.ledger import attempts, consents, lists, objections
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.objections import NewObjection
from dialwarden.question import Door

CONTACTS = """\
nom;Téléphone;ville\r
Dupont;06 12 34 56 78;"Paris; 3e"\r
Durand;0612345679;Lyon\r
;;\r
\r
Rossi;+39 333 123 4567;Roma\r
Petit;3,36E+10;Nice\r
Pompiers;112;\r
Dupont;+33612345678;Paris\r
"""
# A Monday, under the opt-in regime; nobody is called at ten at night.
MONDAY = "2026-11-16T10:30+01:00"
NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
NIGHT = "2026-11-16T22:00+01:00"


def refuse(site: Site, number: int = 33612345679) -> None:
    now = datetime.now(UTC)
    with site.writing() as conn:
        objections.add(conn, NewObjection(number, "acme", now, now, Door.CLI))


def screen(site: Site, text: str | bytes, *more: object, campaign: str = "plain") -> Result:
    return site.run("screen", site.file(text), "--campaign", campaign, *more)


def told(site: Site, text: str | bytes, *more: object, campaign: str = "plain") -> str:
    """Why a screening did not begin; it wrote nothing."""
    file = site.file(text)
    return site.err("screen", file, "--campaign", campaign, *more)


def rows(text: str, delimiter: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def verdicts(result: Result) -> list[tuple[str, ...]]:
    """The added cells, row by row, in a file whose cells are parted by commas."""
    return [tuple(row[-4:]) for row in rows(result.stdout, ",") if row]


def test_the_file_comes_out_with_four_columns_added(site: Site) -> None:
    refuse(site)
    out = site.folder / "out.csv"
    screen(site, CONTACTS, "-o", out)
    assert out.read_bytes().decode() == (
        "nom;Téléphone;ville;verdict;rules;next;number\r\n"
        'Dupont;06 12 34 56 78;"Paris; 3e";ALLOW;;;+33612345678\r\n'
        "Durand;0612345679;Lyon;REFUSE;objection;;+33612345679\r\n"
        ";;;;;;\r\n"
        "\r\n"
        "Rossi;+39 333 123 4567;Roma;ALLOW;;;+393331234567\r\n"
        "Petit;3,36E+10;Nice;REFUSE;number;;\r\n"
        "Pompiers;112;;ALLOW;;;\r\n"
        "Dupont;+33612345678;Paris;ALLOW;;;+33612345678\r\n"
    )


def test_next_is_in_the_callees_zone(site: Site) -> None:
    at = datetime.now(UTC) - timedelta(days=30)
    with site.writing() as conn:
        consents.grant(conn, NewConsent(33612345678, "acme", at, at, complete=True))
    result = screen(site, "0612345678\n", "--at", NIGHT, campaign="shadow")
    assert verdicts(result) == [("REFUSE", "hours", "2026-11-17T10:00:00+01:00", "+33612345678")]


def fill(site: Site) -> None:
    at = datetime(2026, 11, 16, 8, tzinfo=UTC)
    site.run("list", "import", "house", site.file("0612345670\n"), "--as-of", "2026-11-10")
    site.run("list", "add", "staff", "0612345671")
    with site.writing() as conn:
        attempts.insert_history(conn, [HistoryRow(33612345672, "acme", at)])
        objections.add(conn, NewObjection(33612345673, "acme", at, at, Door.CLI))
        for number in (33612345673, 33612345674, 33612345675):
            given = at - timedelta(days=3)
            consents.grant(conn, NewConsent(number, "acme", given, given))
        lists.overlay(conn, "house", 33612345674, lists.Op.ADD, at=at)


@pytest.mark.parametrize("at", [None, NIGHT])
@pytest.mark.parametrize("campaign", ["paris", "plain", "rome"])
def test_each_row_is_judged_as_check_judges_its_number(
    site: Site, campaign: str, at: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One now for both: between two commands an hour may strike.
    for module in ("check", "screen"):
        monkeypatch.setattr(f"dialwarden.cli.{module}.utc_now", lambda: NOW)
    fill(site)
    numbers = [f"+3361234567{n}" for n in range(10)] + ["112", "3949", "n/a", "0612", "90612345675"]
    more = ("--at", at) if at else ()
    result = screen(site, "\n".join(["number", *numbers]), *more, campaign=campaign)
    for number, (verdict, failing, upcoming, e164) in zip(
        numbers, verdicts(result)[1:], strict=True
    ):
        status = 0 if verdict == "ALLOW" else 1
        alone = site.json("check", number, "--campaign", campaign, *more, status=status)
        assert verdict == alone["verdict"]
        assert failing == "&".join(refusal["rule"] for refusal in alone["refusals"])
        assert upcoming == (alone["next"] or "")
        if alone["exempt"] is None:
            assert e164 == alone["number"]


def test_a_screening_in_json(site: Site) -> None:
    refuse(site)
    file = site.file(CONTACTS)
    out = site.folder / "out.csv"
    told = site.json("screen", file, "--campaign", "plain", "--at", MONDAY, "-o", out)
    why = (
        "'3,36E+10' is a number that a spreadsheet wrote in scientific notation: its digits are "
        "lost; format the column as text and export it again"
    )
    assert told == {
        "file": str(file),
        "output": str(out),
        "campaign": "plain",
        "professional": "acme",
        "policy": "none",
        "enforce": True,
        "at": "2026-11-16T09:30:00+00:00",
        "column": "Téléphone",
        "added": ["verdict", "rules", "next", "number"],
        "overrides": [],
        "written": "as it was",
        "rows": 6,
        "blank": 2,
        "allowed": 5,
        "refused": 1,
        "exempt": 1,
        "by_first_rule": {"number": 1},
        "by_rule": {"number": 1},
        "next": None,
        "duplicates": 1,
        "unreadable": {"rows": 1, "first": [{"line": 7, "reason": why}]},
        "scientific": {"rows": 1, "first": [{"line": 7, "reason": why}]},
        "undecided": {"rows": 0, "first": []},
    }
    assert out.read_text("utf-8").startswith("nom;Téléphone;ville;verdict;rules;")


def test_a_summary_for_people(site: Site) -> None:
    refuse(site)
    out = site.folder / "out.csv"
    result = screen(site, CONTACTS + "x;0612\r\n" * 20, "-o", out)
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{site.folder / 'file.csv'} screened for campaign plain, at 20")
    assert lines[1:10] == [
        "  26 rows: 4 allowed (1 never judged), 22 refused",
        "  refused by            first  in all",
        "    number                 21      21",
        "    objection               1       1",
        "  1 row with the number of an earlier row",
        "  1 number in a spreadsheet's scientific notation, digits lost: format the column as text "
        "and export it again (line 7)",
        "  21 rows without a number that can be read",
        "    line 7: '3,36E+10' is a number that a spreadsheet wrote in scientific notation: its "
        "digits are lost; format the column as text and export it again",
        "    line 10: " + lines[9].partition(": ")[2],
    ]
    assert lines[-1] == "    and 11 more"
    assert result.stderr == (
        "dialwarden: the numbers are taken from column 'Téléphone': its name; "
        "5 of its first 26 cells are telephone numbers\n"
    )


def test_a_row_without_a_number_is_told_as_one(site: Site) -> None:
    result = screen(site, "tel;nom\n;Zoé\n")
    assert verdicts(screen(site, "tel,nom\n,Zoé\n"))[1] == ("REFUSE", "number", "", "")
    assert "line 2: the row has no number" in result.stderr


def test_with_the_file_on_standard_output_the_summary_is_not_there(site: Site) -> None:
    result = screen(site, "tel\n0612345678\n", "-o", "-")
    assert result.stdout == "tel,verdict,rules,next,number\n0612345678,ALLOW,,,+33612345678\n"
    assert "1 row: 1 allowed, 0 refused" in result.stderr


def test_json_needs_a_file_to_write(site: Site) -> None:
    assert "name a file with -o" in told(site, "tel\n", "--json")


def test_the_earliest_next_is_told(site: Site) -> None:
    out = site.folder / "out.csv"
    at = datetime(2026, 11, 1, tzinfo=UTC)
    with site.writing() as conn:
        for number in (33612345678, 262692123456, 590690123456):
            consents.grant(conn, NewConsent(number, "acme", at, at))
    text = "tel\n0612345678\n+590690123456\n"
    result = screen(site, text, "--at", NIGHT, "-o", out, campaign="shadow")
    assert "the first of them may be called Tue 2026-11-17 10:00 Europe/Paris" in result.stdout
    assert "shadow mode" in result.stdout


@pytest.mark.parametrize(
    ("encoding", "mark", "written"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("latin-1", b"", "latin-1"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_a_file_is_written_as_it_was(site: Site, encoding: str, mark: bytes, written: str) -> None:
    out = site.folder / "out.csv"
    result = screen(site, mark + "nom;téléphone\nZoé;06\xa012345678\n".encode(encoding), "-o", out)
    assert out.read_bytes() == mark + (
        "nom;téléphone;verdict;rules;next;number\nZoé;06\xa012345678;ALLOW;;;+33612345678\n"
    ).encode(written)
    assert "column 'téléphone'" in result.stderr


def test_utf_16_is_written_as_utf_8_and_that_is_said(site: Site) -> None:
    out = site.folder / "out.csv"
    result = screen(site, "téléphone\tnom\r\n0612345678\tZoé\r\n".encode("utf-16"), "-o", out)
    assert (
        out.read_bytes()
        == b"\xef\xbb\xbf"
        + (
            "téléphone\tnom\tverdict\trules\tnext\tnumber\r\n0612345678\tZoé\tALLOW\t\t\t+33612345678\r\n"
        ).encode()
    )
    assert "is UTF-16: it is written as UTF-8 with a byte order mark" in result.stderr


def test_a_bare_file_of_numbers_has_no_header(site: Site) -> None:
    result = screen(site, "0612345678\n\n3,36E+10\n112\n")
    assert result.stdout == (
        '0612345678,ALLOW,,,+33612345678\n\n"3,36E+10",REFUSE,number,,\n112,ALLOW,,,\n'
    )
    assert "has no header: verdict, rules, next, number are added in this order" in result.stderr


def test_an_empty_file_gives_an_empty_file(site: Site) -> None:
    out = site.folder / "out.csv"
    screen(site, "", "-o", out)
    assert out.read_bytes() == b""
    assert screen(site, "tel\n").stdout == "tel,verdict,rules,next,number\n"


def test_columns_that_are_there_already_are_left(site: Site) -> None:
    result = screen(site, "number;verdict\n0612345678;yes\n")
    assert result.stdout == (
        "number;verdict;dialwarden_verdict;rules;next;dialwarden_number\n"
        "0612345678;yes;ALLOW;;;+33612345678\n"
    )
    assert "there is a column number already: ours is dialwarden_number" in result.stderr


COLUMNS = [
    (CONTACTS, ["--column", "ville"], "'ville': --column"),
    (CONTACTS, ["--column", "TÉLÉPHONE"], "'Téléphone': --column"),
    ("A;0612345678;0612345679\n", ["--column", "3"], "'3': --column"),
    ("ref;;contact\nA;0612345678;0612345679\n", ["--column", "2"], "'2': --column"),
    ("ref;contact\nA;0612345678\n", [], "'contact': no other column holds any; 1 of its first 1"),
]


@pytest.mark.parametrize(("text", "more", "expected"), COLUMNS)
def test_the_column_taken_is_told(site: Site, text: str, more: list[str], expected: str) -> None:
    assert f"the numbers are taken from column {expected}" in screen(site, text, *more).stderr


NO_COLUMN = [
    ("A;0612345678;0612345679\n", [], "columns '2' and '3' may each hold"),
    ("tel;portable\n0612345678;0612345679\n", [], "columns 'tel' and 'portable' may each hold the "
     "telephone numbers; name one with --column"),
    ("ref;nom\nA;Zoé\n", [], "no column is known to hold telephone numbers; its columns are ref, "
     "nom; name one with --column"),
    ("ref;telefono\nA;06\n", ["--column", "telefon"], "has no column telefon; its columns are ref, "
     "telefono (telefono is near)"),
    ("A;0612345678\n", ["--column", "tel"], "has no header, and --column is 'tel'; count its "
     "columns: --column 1 to 2"),
    ("tel\n0612345678\n", ["--person-column", "who"], "has no column who"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "more", "expected"), NO_COLUMN)
def test_a_column_that_is_not_certain_is_not_taken(
    site: Site, text: str, more: list[str], expected: str
) -> None:
    assert expected in told(site, text, *more)


def test_other_columns_are_read_when_they_are_named(site: Site) -> None:
    now = datetime.now(UTC)
    with site.writing() as conn:
        objections.add(conn, NewObjection(33699999999, "acme", now, now, Door.CLI, person="p1"))
        lists.overlay(conn, "house", 1, lists.Op.ADD, at=now)
    text = (
        "tel,qui,où,lien\n"
        "0612345678,p1,,\n"
        "0612345679,p2,,\n"
        "0612345680,,FR-999,\n"
        "0612345681,,FR-974,contract\n"
        "0612345682,,,friend\n"
    )
    assert [row[1] for row in verdicts(screen(site, text))[1:]] == [""] * 5
    columns = ("--person-column", "qui", "--region-column", "où", "--relationship-column", "lien")
    result = screen(site, text, *columns)
    assert [row[:2] for row in verdicts(result)[1:]] == [
        ("REFUSE", "objection"),
        ("ALLOW", ""),
        ("REFUSE", "unavailable"),
        ("ALLOW", ""),
        ("REFUSE", "unavailable"),
    ]
    assert "2 rows refused for want of what could not be read" in result.stderr
    assert "line 4: the question cannot be read: region='FR-999'" in result.stderr
    assert "line 6: the question cannot be read: relationship='friend'" in result.stderr


def test_a_bad_row_is_kept_and_swallows_no_other(site: Site) -> None:
    text = 'tel,nom\n0612345678,"Zoé\n0612345679,x,y,z\n,\n0612345680\n'
    assert screen(site, text).stdout == (
        "tel,nom,,,verdict,rules,next,number\n"
        '0612345678,"""Zoé",,,REFUSE,number,,\n'
        "0612345679,x,y,z,ALLOW,,,+33612345679\n"
        ",,,,,,,\n"
        "0612345680,,,,ALLOW,,,+33612345680\n"
    )


def test_an_instant_without_an_offset_is_each_callees_own(site: Site) -> None:
    # Half past ten in Paris is half past one in the afternoon in Réunion.
    at = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
    with site.writing() as conn:
        for number in (33612345678, 262262123456):
            attempts.insert_history(conn, [HistoryRow(number, "acme", at)])
    text = "tel\n0612345678\n+262262123456\n+262692123456\n"
    result = screen(site, text, "--at", "2026-11-16T10:30")
    assert [row[:3] for row in verdicts(result)[1:]] == [
        ("REFUSE", "frequency", "2026-11-17T00:00:00+01:00"),
        ("ALLOW", "", ""),
        ("REFUSE", "unavailable", ""),
    ]
    assert "at 2026-11-16T10:30, local time of each callee" in result.stderr
    assert "an offset from UTC: '2026-11-16T10:30' has no offset" in result.stderr


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-10-25T02:30", "clocks went back"),
        ("2026-12-24", "has no time of day"),
        ("x", "is no"),
    ],
)
def test_an_instant_that_cannot_be_meant_is_a_wrong_use(site: Site, at: str, expected: str) -> None:
    assert expected in told(site, "0612345678\n", "--at", at)


def test_what_is_there_is_overwritten_only_when_asked(site: Site) -> None:
    out = site.folder / "out.csv"
    out.write_text("mine")
    assert "exists already" in told(site, "0612345678\n", "-o", out)
    assert out.read_text() == "mine"
    screen(site, "0612345678\n", "-o", out, "--force")
    assert out.read_text() == "0612345678,ALLOW,,,+33612345678\n"


def test_the_file_that_is_read_is_never_overwritten(site: Site) -> None:
    file = site.file("0612345678\n")
    words = ("screen", file, "--campaign", "plain", "-o", file, "--force")
    assert "is the file that is read" in site.err(*words)
    assert file.read_text() == "0612345678\n"


def test_an_unknown_campaign_is_a_wrong_use(site: Site) -> None:
    assert "did you mean paris?" in told(site, "0612345678\n", campaign="pariss")


def broken(site: Site) -> None:
    site.ledger.parent.mkdir()
    site.ledger.write_bytes(b"no database at all" * 100)


def a_folder(site: Site) -> None:
    site.ledger.mkdir(parents=True)


def vanished(site: Site) -> None:
    site.ledger.parent.mkdir()
    site.ledger.with_name("ledger.db-shm").touch()


def damaged_list(site: Site) -> None:
    site.run("list", "import", "house", site.file("0612345678\n", "list.csv"))
    with site.writing() as conn:
        conn.execute("UPDATE list_part SET bytes = x'00'")


@pytest.mark.parametrize("breaks", [broken, a_folder, vanished, damaged_list])
def test_without_its_ledger_nothing_is_written(
    site: Site, breaks: Callable[[Site], object]
) -> None:
    breaks(site)
    out = site.folder / "out.csv"
    before = sorted(path.name for path in site.folder.iterdir())
    expected = told(site, "0612345678\n", "-o", out, campaign="paris")
    assert f"not screened to the end: {out} is not written" in expected
    assert sorted(path.name for path in site.folder.iterdir()) == sorted({*before, "file.csv"})


def test_a_fresh_install_is_left_as_it_is(site: Site) -> None:
    result = screen(site, "0612345678\n")
    assert "there is no ledger at" in result.stderr
    assert sorted(path.name for path in site.folder.iterdir()) == ["dialwarden.toml", "file.csv"]


def test_nothing_is_recorded(site: Site) -> None:
    refuse(site)
    screen(site, CONTACTS)
    screen(site, CONTACTS, campaign="shadow")
    assert site.json("attempts", "list") == site.json("refusals") == []


def test_a_long_file_is_one_whole(site: Site) -> None:
    refuse(site, 33600006000)
    text = "tel;nom\n" + "".join(f"06{n:08};x\n" for n in range(10_000))
    out = site.folder / "out.csv"
    told = json.loads(screen(site, text, "-o", out, "--json").stdout)
    assert (told["rows"], told["allowed"], told["by_rule"]) == (10_000, 9_999, {"objection": 1})
    assert [row[1] for row in rows(out.read_text())[1:]] == ["x"] * 10_000
    assert rows(out.read_text())[6001][2:] == ["REFUSE", "objection", "", "+33600006000"]


def test_a_compressed_file_is_written_plain(site: Site) -> None:
    file: Path = site.file(gzip.compress(b"tel\n0612345678\n"), "contacts.csv.gz")
    assert site.out("screen", file, "--campaign", "plain") == (
        "tel,verdict,rules,next,number\n0612345678,ALLOW,,,+33612345678\n"
    )
