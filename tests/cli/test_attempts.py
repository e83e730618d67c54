"""`dialwarden attempts`: a dialer's history comes in, and everything on record comes out."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import Site

from dialwarden.ledger import attempts, legs
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.silent_calls import NewSilentCall, list_silent_calls
from dialwarden.ledger.silent_calls import add as add_silent
from dialwarden.question import Door, Purpose

NUMBER = "0612345678"
NOW = datetime.now(UTC)


def test_a_history_counts_from_the_first_day(site: Site) -> None:
    file = site.file("number,professional,at\n0612345678,acme,2026-11-16T10:00\n")
    assert site.out("attempts", "import", file) == "imported 1 attempt\n"
    verdict = site.json(
        "check", NUMBER, "--campaign", "plain", "--at", "2026-11-16T11:00", status=1
    )
    assert [refusal["rule"] for refusal in verdict["refusals"]] == ["frequency"]
    assert site.out("attempts", "import", file) == "imported 0 attempts, 1 known already\n"


def test_every_column(site: Site) -> None:
    site.run(
        "attempts",
        "import",
        site.file(
            "number;professional;at;outcome;purpose;person\r\n"
            "0612345678;acme;2026-11-16T10:00:00.5+01:00;NO ANSWER;Survey;p1\r\n"
            "3331234567;bella;16/11/2026 10:00;ANSWERED;;\r\n"
            "0692123456;acme;2026-11-16 10:00;chanunavail;;\r\n"
        ),
    )
    first, second, third = site.json("attempts", "list")
    assert first["number"] == "+33612345678"
    assert first["at"] == "2026-11-16T09:00:00.500000+00:00"
    assert (first["outcome"], first["purpose"], first["person"]) == ("no_answer", "survey", "p1")
    assert (first["state"], first["door"], first["professional"]) == ("settled", "import", "acme")
    assert (second["number"], second["at"]) == ("+393331234567", "2026-11-16T09:00:00+00:00")
    assert (second["outcome"], second["purpose"], second["person"]) == ("answered", "sales", None)
    assert (third["number"], third["outcome"]) == ("+262692123456", "failed")


def test_a_silent_call_is_an_answered_one_that_no_agent_took(site: Site) -> None:
    header = "number,professional,at,outcome\n"
    file = site.file(
        f"{header}0612345678,acme,2026-11-16T10:00,Silent\n"
        "0612345679,acme,2026-11-16T10:00,answered\n"
    )
    assert site.out("attempts", "import", file) == "imported 2 attempts\n"
    told = [(row["outcome"], row["silent"]) for row in site.json("attempts", "list")]
    assert told == [("answered", True), ("answered", False)]
    file = site.file(
        f"{header}0612345678,acme,2026-11-16T10:00,silent\n"
        "0612345679,acme,2026-11-16T10:00,silent\n"
    )
    assert site.out("attempts", "import", file) == "imported 0 attempts, 2 known already\n"
    assert [row["silent"] for row in site.json("attempts", "list")] == [True, True]
    with site.writing() as conn:
        kept = [(row["number"], row["attempt"]) for row in list_silent_calls(conn)]
    assert kept == [("+33612345678", 1), ("+33612345679", 2)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("abc,acme,2026-11-16T10:00", "is no number"),
        (",acme,2026-11-16T10:00", "the row has no number"),
        ("0612345678,,2026-11-16T10:00", "the row has no professional"),
        ("0612345678,acme,", "the row has no instant"),
        ("0612345678,acme,2026-11-16", "no time of day"),
        ("0612345678,acme,11/16/2026 10:00", "days come first here"),
        ("0612345678,acme,2026-03-29T02:30", "clocks went forward"),
        pytest.param(
            f"0612345678,acme,{(NOW + timedelta(hours=1)).isoformat()}",
            "lies in the future",
            id="in the future",
        ),
        (
            "0612345678,acme,2026-11-16T10:00,talked",
            "outcome 'talked'; allowed: answered, no_answer, "
            "busy, failed, cancelled, silent, or none",
        ),
        ("0612345678,acme,2026-11-16T10:00,,fun", "purpose 'fun'; allowed: sales"),
        ('"0612345678,acme,2026-11-16T10:00', "a quote that opens here is not closed"),
        ("3.36E+10,acme,2026-11-16T10:00", "scientific notation"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_goes_in(
    site: Site, row: str, told: str
) -> None:
    file = site.file(
        "number,professional,at,outcome,purpose\n0612345601,acme,2026-11-16T10:00\n"
        f"{row}\n0612345602,acme,2026-11-16T10:00\n"
    )
    result = site.run("attempts", "import", file)
    assert result.stdout == "imported 2 attempts, 1 bad row left out\n"
    assert result.stderr.startswith(f"dialwarden: {file}:3: ")
    assert told in result.stderr
    assert len(site.json("attempts", "list")) == 2


def test_an_hour_that_came_twice_is_the_later_one(site: Site) -> None:
    site.run("attempts", "import",
             site.file("number,professional,at\n0612345678,acme,2026-10-25 02:30\n"))  # fmt: skip
    assert site.json("attempts", "list")[0]["at"] == "2026-10-25T01:30:00+00:00"


def test_an_unknown_professional_of_several_countries_needs_flags(site: Site) -> None:
    file = site.file("number,professional,at\n0612345678,other,2026-11-16 10:00\n")
    assert "national numbers need --region" in site.run("attempts", "import", file).stderr
    file = site.file("number,professional,at\n+33612345678,other,2026-11-16 10:00\n")
    result = site.run("attempts", "import", file, "--zone", "America/New_York", "--region", "FR")
    assert "professional 'other' has no configured campaign" in result.stderr
    assert site.json("attempts", "list")[0]["at"] == "2026-11-16T15:00:00+00:00"


def test_zones_that_differ_need_a_flag(site: Site) -> None:
    toml = site.folder / "dialwarden.toml"
    toml.write_text(
        toml.read_text()
        + '[campaigns.reunion]\nprofessional = "acme"\npolicy = "none"\nregion = "FR-974"\n'
    )
    file = site.file("number,professional,at\n+33612345678,acme,2026-11-16 10:00\n")
    assert "name the file's zone with --zone" in site.run("attempts", "import", file).stderr
    assert site.json("attempts", "import", file, "--zone", "Europe/Paris")["added"] == 1


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [("--zone", "Paris", "no time zone 'Paris'"), ("--region", "XX", "unknown region 'XX'")],
)
def test_a_wrong_flag_is_a_wrong_use(site: Site, flag: str, value: str, told: str) -> None:
    assert told in site.err("attempts", "import", site.file(""), flag, value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("number,at\n", "has no column professional"),
        ("0612345678\n", "has no column number"),
        ("number,professional,at,at\n", "has two columns at"),
        (b"PK\x03\x04", "the zip file is damaged"),
        ('"number\n', "a quote that opens here is not closed"),
    ],
)
def test_a_wrong_file_is_a_wrong_use(site: Site, text: str | bytes, told: str) -> None:
    assert told in site.err("attempts", "import", site.file(text))


def test_a_file_without_a_line_is_one_without_rows(site: Site) -> None:
    assert site.json("attempts", "import", site.file("\n\n"))["rows"] == 0


def test_strict_needs_a_file_that_can_be_read_twice(site: Site) -> None:
    assert "give a regular file" in site.err("attempts", "import", "/dev/null", "--strict")


def test_a_long_file_goes_in_whole_and_in_short_transactions(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = attempts.insert_history

    def counting(conn, rows):  # type: ignore[no-untyped-def]
        sizes.append(len(rows))
        return real(conn, rows)

    monkeypatch.setattr("dialwarden.imports.attempts.insert_history", counting)
    rows = "".join(f"+336123{n:05},acme,2026-11-16T10:00Z\n" for n in range(4500))
    told = site.json("attempts", "import", site.file(f"number,professional,at\n{rows}"))
    assert told["added"] == 4500
    assert sizes == [2000, 2000, 500]


def test_an_attempt_of_the_bridge_is_listed_with_what_it_was_judged_by(site: Site) -> None:
    basis = Basis("fr-optin-2026", "fr", "ab", (("house", 3),), "2026b", "0.1.0", "cd")
    site.ledger.parent.mkdir()
    with closing(open_ledger(site.ledger)) as conn, transaction(conn):
        attempts.reserve(
            conn,
            attempts.NewAttempt(
                33612345678, "acme", "paris", Purpose.SALES, Door.AGI,
                datetime(2026, 11, 16, 9, tzinfo=UTC), call="c1", zones=("Europe/Paris",),
                basis_id=basis_id(conn, basis),
            ),
        )  # fmt: skip
    row = site.json("attempts", "list")[0]
    assert (row["regime"], row["lists"], row["zones"]) == (
        "fr-optin-2026", {"house": 3}, ["Europe/Paris"],
    )  # fmt: skip
    header, line = site.out("attempts", "list").splitlines()
    assert header.split() == [
        "ID", "AT", "NUMBER", "PROFESSIONAL", "CAMPAIGN", "STATE", "OUTCOME", "DOOR", "BY", "TRUNK",
        "CAUSE", "CALL",
    ]  # fmt: skip
    assert line.startswith("1   Mon 2026-11-16 10:00 Europe/Paris  +33612345678")


def test_text_says_who_asked_how_it_was_dialled_and_what_became_of_it(site: Site) -> None:
    site.ledger.parent.mkdir()
    with site.writing() as conn:
        attempt = attempts.reserve(
            conn,
            attempts.NewAttempt(
                33612345678, "acme", "paris", Purpose.SALES, Door.GATEWAY, NOW, call="dw-1",
                asked_by="vicidial@10.0.0.7:4711", zones=("Europe/Paris",),
            ),
        )  # fmt: skip
        for trunk, uniqueid, ending, cause in (
            ("carrier", "1.1", legs.Ending.FAILED, 34),
            ("carrier-2", "1.2", legs.Ending.ANSWERED, 16),
        ):
            channel = f"PJSIP/{trunk}-00000001"
            leg = legs.LegId("pbx", uniqueid, channel)
            legs.dialled(conn, attempt, leg, trunk=trunk, at=NOW)
            if ending is legs.Ending.ANSWERED:
                legs.answered(conn, leg, NOW)
            legs.ended(conn, leg, ending, cause=cause, at=NOW)
        add_silent(conn, NewSilentCall(33612345678, "acme", NOW, NOW, attempt=attempt))
    line = site.out("attempts", "list").splitlines()[1]
    assert line.endswith("  dw-1")
    cells = "paris     settled  answered (silent)  gateway  vicidial@10.0.0.7:4711  carrier-2  16"
    assert cells in line


def test_filters(site: Site) -> None:
    site.run(
        "attempts",
        "import",
        site.file(
            "number,professional,at\n+33612345601,acme,2026-11-10T10:00Z\n"
            "+33612345602,acme,2026-11-12T10:00Z\n+393331234567,bella,2026-11-14T10:00Z\n"
        ),
    )

    def ids(*flags: str) -> list[int]:
        return [row["id"] for row in site.json("attempts", "list", *flags)]

    assert ids() == [1, 2, 3]
    assert ids("--number", "+33612345602") == [2]
    assert ids("--professional", "bella") == [3]
    assert ids("--campaign", "paris") == []
    assert ids("--call", "x") == []
    assert ids("--door", "import") == [1, 2, 3]
    assert ids("--door", "gateway") == []
    assert ids("--since", "2026-11-12T10:00Z") == [2, 3]
    assert ids("--until", "2026-11-12T10:00Z") == [1]
    assert ids("--since", "2026-11-11", "--until", "13/11/2026") == [2]
    assert ids("--state", "settled") == [1, 2, 3]
    assert ids("--state", "voided") == []
    assert "no instant" in site.err("attempts", "list", "--since", "lately")
    assert "Invalid value for --number" in site.err("attempts", "list", "--number", "x")
