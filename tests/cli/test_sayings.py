"""What callees said: objections, consents, withdrawals, appointments, by hand and from files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import Site

from dialwarden.ledger import appointments, attempts
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.question import Door, Purpose

NUMBER = "0612345678"
NOON = datetime(2026, 11, 17, 11, 0, tzinfo=UTC)
MONDAY = "2026-11-16T10:30+01:00"
FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")


def rules(site: Site, *more: str) -> list[str]:
    result = site.run(
        "check", NUMBER, "--campaign", "plain", "--at", MONDAY, *more, "--json", status=1
    )
    return [word for word in ("objection", "consent") if f'"rule": "{word}"' in result.stdout]


def test_an_objection_holds_for_the_next_question(site: Site) -> None:
    site.run("check", NUMBER, "--campaign", "plain")
    words = ("objection", "add", NUMBER, "--campaign", "paris", "--at", "2026-11-16T10:00")
    assert site.json(*words) == {
        "number": "+33612345678", "professional": "acme", "campaign": "paris",
        "scope": "professional", "at": "2026-11-16T09:00:00+00:00", "recorded": True,
    }  # fmt: skip
    assert rules(site) == ["objection"]
    site.run("check", NUMBER, "--campaign", "plain", "--at", "2026-11-16T09:59:59+01:00")


def test_the_same_objection_again_is_known(site: Site) -> None:
    words = ("objection", "add", NUMBER, "--campaign", "paris", "--at", "2026-11-16T10:00")
    assert "to acme recorded, said Mon 2026-11-16 10:00 Europe/Paris" in site.out(*words)
    assert "to acme known already" in site.out(*words)
    assert len(site.json("objection", "list")) == 1


def test_an_objection_to_one_campaign_leaves_the_others(site: Site) -> None:
    site.run("objection", "add", NUMBER, "--campaign", "paris", "--scope", "campaign")
    site.run("check", NUMBER, "--campaign", "plain")


def test_an_objection_of_scope_all_reaches_every_professional(site: Site) -> None:
    site.run("objection", "add", "+33612345678", "--campaign", "rome", "--scope", "all")
    site.run("check", NUMBER, "--campaign", "plain", status=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["abc", "--campaign", "paris"], "Invalid value for NUMBER"),
        ([NUMBER], "[defaults] campaign is not set"),
        ([NUMBER, "--campaign", "pari"], "did you mean paris?"),
        ([NUMBER, "--campaign", "paris", "--at", FUTURE], "lies in the future"),
        ([NUMBER, "--campaign", "paris", "--scope", "world"], "'world' is not one of"),
    ],
)
def test_a_wrong_objection_is_a_wrong_use(site: Site, arguments: list[str], told: str) -> None:
    assert told in site.err("objection", "add", *arguments)
    assert not site.ledger.exists()


def test_objections_are_listed_in_clear_with_every_field(site: Site) -> None:
    site.run("objection", "add", NUMBER, "--campaign", "paris", "--note", "angry\x1b[0m")
    site.run("objection", "add", "3331234567", "--campaign", "rome")
    rows = site.json("objection", "list")
    assert [row["number"] for row in rows] == ["+33612345678", "+393331234567"]
    assert rows[0]["by"].startswith("cli")
    assert rows[0]["note"] == "angry\x1b[0m"
    assert "angry\\x1b[0m" in site.out("objection", "list")
    for flag, value in (
        ("--number", "+33612345678"),
        ("--professional", "acme"),
        ("--campaign", "paris"),
    ):
        assert [row["id"] for row in site.json("objection", "list", flag, value)] == [1]


def test_objections_from_a_file(site: Site) -> None:
    file = site.file(
        "professional;AT;number\n"
        "acme;2026-11-16T10:00+01:00;0612345678\n"
        "acme;16/11/2026 10:05;06 12 34 56 79\n"
        "bella;2026-11-16 10:00;3331234567\n"
        "\n"
        f"acme;{FUTURE};0612345680\n"
        "acme;yesterday;0612345680\n"
        ";2026-11-16T10:00Z;0612345680\n"
        "acme;2026-11-16T10:00+01:00;0612345678\n"
    )
    told = site.json("objection", "import", file)
    assert (told["rows"], told["added"], told["duplicates"], told["bad"]) == (7, 3, 1, 3)
    assert [row["line"] for row in told["bad_rows"]] == [6, 7, 8]
    rows = site.json("objection", "list")
    assert [(row["number"], row["at"]) for row in rows] == [
        ("+33612345678", "2026-11-16T09:00:00+00:00"),
        ("+33612345679", "2026-11-16T09:05:00+00:00"),
        ("+393331234567", "2026-11-16T09:00:00+00:00"),
    ]
    assert {row["door"] for row in rows} == {"import"}
    assert site.json("objection", "import", file)["added"] == 0


def test_a_professional_nobody_knows_is_warned_of_once_and_kept(site: Site) -> None:
    file = site.file(
        "number,professional,at\n"
        "+33612345678,Acme,2026-11-16T10:00Z\n+33612345679,Acme,2026-11-16T10:00Z\n"
    )
    result = site.run("objection", "import", file)
    assert result.stdout == "imported 2 objections\n"
    assert result.stderr.count("did you mean acme?") == 1


def test_strict_checks_the_whole_file_first(site: Site) -> None:
    rows = [f"+336123{n:05},acme,2026-11-16T10:00Z" for n in range(5000)]
    file = site.file("number,professional,at\n" + "\n".join([*rows, "abc,acme,2026-11-16T10:00Z"]))
    assert "nothing imported: 1 bad row" in site.out(
        "objection", "import", file, "--strict", status=1
    )
    assert site.json("objection", "list") == []
    assert site.json("objection", "import", file)["added"] == 5000


def test_a_consent_is_recorded_with_its_proof(site: Site) -> None:
    told = site.json(
        "consent", "grant", NUMBER, "--campaign", "paris", "--until", "31/12/2026", "--scope",
        "campaign", "--proof", "form 12", "--complete", "--at", "2026-11-02T09:00",
    )  # fmt: skip
    assert told == {
        "number": "+33612345678", "professional": "acme", "campaign": "paris", "scope": "paris",
        "given_at": "2026-11-02T08:00:00+00:00", "until": "2026-12-31", "proof": "form 12",
        "complete": True, "recorded": True,
    }  # fmt: skip
    row = site.json("consent", "list", "--number", NUMBER, "--campaign", "paris")[0]
    assert (row["scope"], row["until"], row["proof"], row["complete"]) == (
        "paris", "2026-12-31", "form 12", True,
    )  # fmt: skip
    assert "2026-12-31" in site.out("consent", "list", "--professional", "acme")


def paris(site: Site, status: int, at: str = MONDAY) -> None:
    site.run("check", NUMBER, "--campaign", "paris", "--at", at, status=status)


def test_a_consent_allows_and_its_withdrawal_refuses(site: Site) -> None:
    site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-01")
    paris(site, 1)
    site.run("consent", "grant", NUMBER, "--campaign", "paris", "--at", "2026-11-02T09:00")
    paris(site, 0)
    told = site.out(
        "consent", "withdraw", NUMBER, "--campaign", "paris", "--at", "2026-11-16T10:00"
    )
    assert told == (
        "withdrawal of +33612345678 from acme recorded, Mon 2026-11-16 10:00 Europe/Paris: "
        "it ended 1 consent\n"
    )
    paris(site, 1)
    paris(site, 1, "2026-11-16T09:59:59+01:00")  # closed at that hour
    paris(site, 0, "2026-11-13T19:59:59+01:00")


@pytest.mark.parametrize("word", ["consent withdraw", "objection add"])
def test_a_no_said_with_the_clock_behind_is_later_than_every_consent(
    site: Site, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    site.run("consent", "grant", NUMBER, "--campaign", "paris", "--at", "2026-11-16T10:00")
    module = {"consent withdraw": "consents", "objection add": "objections"}[word]
    behind = datetime(2026, 11, 16, 8, 58, tzinfo=UTC)
    monkeypatch.setattr(f"dialwarden.cli.{module}.utc_now", lambda: behind)
    site.run(*word.split(), NUMBER, "--campaign", "paris")
    found = site.json("check", NUMBER, "--campaign", "paris", "--at", "2026-11-18T11:00", status=1)
    assert "consent" in {refusal["rule"] for refusal in found["refusals"]}


def test_a_withdrawal_in_json(site: Site) -> None:
    told = site.json("consent", "withdraw", NUMBER, "--campaign", "paris", "--scope", "campaign",
                     "--at", "2026-11-16T10:00Z")  # fmt: skip
    assert told == {
        "number": "+33612345678", "professional": "acme", "campaign": "paris",
        "scope": "campaign", "at": "2026-11-16T10:00:00+00:00", "ended": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scope", "pari"], "scope 'pari', did you mean paris?"),
        (["--until", "never"], "is no date"),
        (["--at", FUTURE], "lies in the future"),
    ],
)
def test_a_wrong_consent_is_a_wrong_use(site: Site, arguments: list[str], told: str) -> None:
    assert told in site.err("consent", "grant", NUMBER, "--campaign", "paris", *arguments)


def test_consents_from_a_file(site: Site) -> None:
    file = site.file(
        "number,professional,given_at,until,scope,proof,complete,ip\n"
        "0612345678,acme,2026-10-01T09:00,2027-01-31,,form 1,yes,1.2.3.4\n"
        "0612345679,acme,2026-10-01T09:00,,sales,,0,\n"
        "0612345680,acme,2026-10-01T09:00,,salse,,,\n"
        "0612345680,acme,2026-10-01T09:00,soon,,,,\n"
        "0612345680,acme,2026-10-01T09:00,,,,maybe,\n"
        f"0612345680,acme,{FUTURE},,,,,\n"
        "0612345678,acme,2026-10-01T09:00,2027-01-31,,form 1,yes,1.2.3.4\n"
    )
    told = site.json("consent", "import", file)
    assert (told["rows"], told["added"], told["duplicates"], told["bad"]) == (7, 2, 1, 4)
    assert [row["line"] for row in told["bad_rows"]] == [4, 5, 6, 7]
    assert told["warnings"] == ["column 'ip' is not read"]
    first, second = site.json("consent", "list")
    assert (first["until"], first["scope"], first["proof"], first["complete"]) == (
        "2027-01-31", "professional", "form 1", True,
    )  # fmt: skip
    assert (second["until"], second["scope"], second["complete"]) == (None, "sales", False)


def test_a_consent_imported_after_its_withdrawal_stays_withdrawn(site: Site) -> None:
    site.run("consent", "withdraw", NUMBER, "--campaign", "paris")
    file = site.file("number,professional,given_at\n0612345678,acme,2026-10-01T09:00\n")
    site.run("consent", "import", file)
    assert site.json("consent", "list")[0]["withdrawn_at"] is not None


@pytest.mark.parametrize("word", ["consent withdraw", "objection add"])
def test_a_yes_said_now_is_later_than_every_no(
    site: Site, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    said = ("--at", "2026-11-16T10:00")
    site.run(*word.split(), NUMBER, "--campaign", "paris", *said)
    behind = datetime(2026, 11, 16, 8, 58, tzinfo=UTC)
    monkeypatch.setattr("dialwarden.cli.consents.utc_now", lambda: behind)
    told = site.json("consent", "grant", NUMBER, "--campaign", "paris")
    assert told["given_at"] == "2026-11-16T09:00:00.000001+00:00"
    [row] = site.json("consent", "list")
    assert (row["recorded_at"], row["withdrawn_at"]) == ("2026-11-16T08:58:00+00:00", None)
    # Told with its instant, it is dated as it was told.
    site.run("consent", "grant", NUMBER, "--campaign", "paris", "--at", "2026-11-16T09:50")
    assert site.json("consent", "list")[1]["given_at"] == "2026-11-16T08:50:00+00:00"


@pytest.fixture
def mid_november(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Monday 2026-11-16, 10:30 in Paris, for whoever records an appointment."""
    now = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    monkeypatch.setattr("dialwarden.cli.appointments.utc_now", lambda: now)


@pytest.mark.usefixtures("mid_november")
def test_an_appointment_lies_where_the_callee_is(site: Site) -> None:
    words = ("appointment", "add", NUMBER, "--campaign", "paris", "--at", "2027-01-12T18:30")
    assert site.out(*words) == (
        "appointment with +33612345678 recorded: Tue 2027-01-12 18:30 Europe/Paris\n"
    )
    assert site.json(*words) == {
        "number": "+33612345678", "professional": "acme", "campaign": "paris",
        "at": "2027-01-12T17:30:00+00:00", "recorded": False,
    }  # fmt: skip
    row = site.json("appointment", "list", "--number", "+33612345678")[0]
    assert (row["at"], row["used_by"]) == ("2027-01-12T17:30:00+00:00", None)
    assert "+33612345678" in site.out("appointment", "list")
    assert site.json("appointment", "list", "--professional", "bella") == []


def test_an_appointment_without_an_instant_is_a_wrong_use(site: Site) -> None:
    assert "Missing option '--at'" in site.err("appointment", "add", NUMBER, "--campaign", "paris")


@pytest.mark.usefixtures("mid_november")
@pytest.mark.parametrize(
    ("number", "at", "told"),
    [
        (NUMBER, "2026-11-16T10:29:59", "2026-11-16T10:29:59 lies in the past"),
        (NUMBER, "2026-11-16T09:29:59Z", "2026-11-16T09:29:59Z lies in the past"),
        (NUMBER, "soon", "is no instant"),
        (NUMBER, "2026-11-17", "has no time of day"),
        ("+262692123456", "2026-11-17T10:00", "Indian/Reunion or Indian/Mayotte; write one"),
    ],
)
def test_a_wrong_appointment_is_a_wrong_use(site: Site, number: str, at: str, told: str) -> None:
    assert told in site.err("appointment", "add", number, "--campaign", "paris", "--at", at)
    assert not site.ledger.exists()


@pytest.mark.usefixtures("mid_november")
def test_an_appointment_may_be_for_this_very_moment(site: Site) -> None:
    words = ("appointment", "add", NUMBER, "--campaign", "paris", "--at", "2026-11-16T10:30")
    assert site.json(*words)["recorded"] is True


@pytest.mark.usefixtures("mid_november")
def test_appointments_are_listed_with_the_attempt_that_used_them(site: Site) -> None:
    for at in ("2026-11-17T10:00", "2026-11-18T10:00", "2026-11-19T10:00"):
        site.run("appointment", "add", NUMBER, "--campaign", "paris", "--at", at)
    new = NewAttempt(33612345678, "acme", "paris", Purpose.SALES, Door.AGI, NOON)
    with site.writing() as conn:
        for appointment in (1, 2):
            assert appointments.use(conn, attempts.reserve(conn, new), appointment)
        attempts.void(conn, 2, "never dialled", NOON)
    assert [row["used_by"] for row in site.json("appointment", "list")] == [1, None, None]
    header, used, *others = site.out("appointment", "list").splitlines()
    place = header.index("USED BY")
    assert [line[place] for line in (used, *others)] == ["1", " ", " "]


def test_a_no_and_a_yes_of_one_day_known_without_their_hours_is_a_no(site: Site) -> None:
    for noun, verb in (("objection", "add"), ("consent", "grant")):
        site.run(noun, verb, NUMBER, "--campaign", "paris", "--at", "2026-11-13")
    site.run("check", NUMBER, "--campaign", "plain", status=1)


def test_a_consent_cannot_end_before_it_began(site: Site) -> None:
    words = ("--campaign", "paris", "--at", "2026-11-13", "--until", "2026-11-12")
    result = site.run("consent", "grant", NUMBER, *words, status=2)
    assert "lies before the day on which it was given" in result.stderr
