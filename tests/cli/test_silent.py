"""Silent calls by hand: recorded, listed, counted, and what they do to the next question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import Site

from dialwarden.ledger import attempts, silent_calls
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.ledger.states import Outcome
from dialwarden.question import Door, Purpose

ROMAN = "+390612345678"
FELL = ("silent", "add", ROMAN, "--campaign", "rome", "--at", "2025-11-10T11:00")


@pytest.fixture
def rome(site: Site) -> Site:
    """The register was imported on the day, and the call of Monday 10 November 2025 fell silent."""
    site.run("list", "import", "rpo", site.file("number\n"), "--as-of", "2025-11-10")
    site.run(*FELL)
    return site


@pytest.mark.parametrize(
    ("at", "dial", "verdict"),
    [
        pytest.param("2025-11-10T10:59", "automatic", "ALLOW", id="not known yet"),
        pytest.param("2025-11-10T11:01", "manual", "gap", id="at once"),
        pytest.param("2025-11-15T18:59", "manual", "gap", id="the fifth full day, a Saturday"),
        pytest.param("2025-11-17T09:00", "manual", "ALLOW", id="Monday, by hand"),
        pytest.param("2025-11-17T09:00", "automatic", "gap", id="Monday, by machine"),
    ],
)
def test_nobody_calls_for_five_days_and_then_a_person(
    rome: Site, at: str, dial: str, verdict: str
) -> None:
    words = ("check", ROMAN, "--campaign", "rome", "--at", at, "--dial", dial)
    told = rome.json(*words, status=0 if verdict == "ALLOW" else 1)
    failing = [refusal["rule"] for refusal in told["refusals"]]
    assert failing == ([] if verdict == "ALLOW" else [verdict])


def test_it_is_not_judged_by_which_hand_when_nobody_says(rome: Site) -> None:
    told = rome.json("check", ROMAN, "--campaign", "rome", "--at", "2025-11-17T09:00")
    assert "gap" in [silence["rule"] for silence in told["not_judged"]]


def test_the_same_silence_again_is_known(rome: Site) -> None:
    assert "known already" in rome.out(*FELL)
    assert rome.json(*FELL)["recorded"] is False


def test_silent_calls_are_listed(rome: Site) -> None:
    (row,) = rome.json("silent", "list")
    assert row["number"] == ROMAN
    assert row["professional"] == "bella"
    assert row["campaign"] == "rome"
    assert row["attempt"] is None
    assert ROMAN in rome.out("silent", "list", "--number", ROMAN)
    assert rome.json("silent", "list", "--campaign", "paris") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("+390612345678", "--at", "2999-01-01T11:00"), "2999"),
        (("12", "--at", "2025-11-10T11:00"), "too short"),
    ],
)
def test_a_wrong_silence_is_a_wrong_use(site: Site, arguments: tuple[str, ...], told: str) -> None:
    assert told in site.err("silent", "add", *arguments, "--campaign", "rome")


# --- The share of silent calls

CALLED = "number,professional,at,outcome\n"


def call(site: Site, campaign: str, days_ago: float, answered: int, silent: int) -> None:
    """Answered calls of a campaign, the last `silent` of them without an agent."""
    now = datetime.now(UTC)
    with site.writing() as conn:
        for place in range(answered):
            at = now - timedelta(days=days_ago, seconds=answered - place)
            professional = "bella" if campaign == "rome" else "acme"
            made = attempts.reserve(
                conn,
                NewAttempt(390612345678, professional, campaign, Purpose.SALES, Door.AGI, at),
            )
            attempts.settle(conn, made, Outcome.ANSWERED, at)
            if place >= answered - silent:
                silent_calls.add(
                    conn,
                    NewSilentCall(
                        390612345678, professional, at, now, campaign=campaign, attempt=made
                    ),
                )


def share(site: Site, *words: str, status: int = 0) -> dict[str, object]:
    (row,) = site.json("silent", "share", *words, status=status)
    assert isinstance(row, dict)
    return row


@pytest.mark.parametrize(
    ("answered", "silent", "percent", "status"),
    [(100, 0, 0.0, 0), (100, 3, 3.0, 0), (100, 4, 4.0, 1), (99, 3, 3.03, 1)],
)
def test_a_campaign_above_the_laws_limit_fails(
    site: Site, answered: int, silent: int, percent: float, status: int
) -> None:
    call(site, "rome", 1, answered, silent)
    row = share(site, status=status)
    assert (row["campaign"], row["professional"]) == ("rome", "bella")
    assert (row["answered"], row["silent"], row["percent"]) == (answered, silent, percent)
    assert row["above"] is (status == 1)
    assert row["limit"] == {
        "percent": 3,
        "days": None,
        "regime": "it-assocontact-2016",
        "source": "Garante per la protezione dei dati personali, provvedimento n. 83 del 20 "
        "febbraio 2014, silent calls: at most 3 in 100 answered",
        "confidence": "unverified",
    }


def test_people_are_told_the_share_and_its_limit(site: Site) -> None:
    call(site, "rome", 1, 10, 1)
    run = site.run("silent", "share", status=1)
    assert [line.split() for line in run.stdout.splitlines()] == [
        ["CAMPAIGN", "PROFESSIONAL", "SINCE", "ANSWERED", "SILENT", "PERCENT", "LIMIT"],
        ["rome", "bella", "the", "first", "call", "10", "1", "10.00", "%", "3", "%"],
    ]
    assert "campaign rome: 1 silent call in 10 answered, 10.00 %; at most 3 %" in run.stderr


def test_where_no_law_says_so_thirty_days_are_counted_without_a_limit(site: Site) -> None:
    call(site, "paris", 31, 5, 1)
    call(site, "paris", 1, 2, 1)
    row = share(site)
    assert (row["answered"], row["silent"], row["percent"]) == (2, 1, 50.0)
    assert (row["limit"], row["above"]) == (None, False)


def test_a_whole_campaign_is_counted_from_its_first_call(site: Site) -> None:
    call(site, "rome", 400, 50, 1)
    call(site, "rome", 1, 10, 1)
    row = share(site, status=1)
    assert (row["since"], row["answered"], row["silent"]) == (None, 60, 2)
    assert share(site, "--since", "30d", status=1)["answered"] == 10
    assert share(site, "--until", "30d")["answered"] == 50


@pytest.mark.parametrize(("policy", "days"), [("us", 30), ("ca", 30)])
def test_a_law_that_counts_days_is_asked_for_these(site: Site, policy: str, days: int) -> None:
    text = (site.folder / "dialwarden.toml").read_text("utf-8")
    text += f'[campaigns.there]\nprofessional = "acme"\npolicy = "{policy}"\n'
    (site.folder / "dialwarden.toml").write_text(text, "utf-8")
    call(site, "there", days + 1, 100, 50)
    call(site, "there", days - 2, 100, 3)
    row = share(site)
    assert (row["answered"], row["silent"], row["above"]) == (100, 3, False)
    assert isinstance(row["limit"], dict)
    assert row["limit"]["days"] == days


def test_a_purpose_that_the_law_does_not_bind_has_no_limit(site: Site) -> None:
    text = (site.folder / "dialwarden.toml").read_text("utf-8")
    text += (
        '[campaigns.poll]\nprofessional = "acme"\npolicy = "it-garante"\npurpose = "survey"\n'
        '[campaigns.sale]\nprofessional = "acme"\npolicy = "it-garante"\n'
    )
    (site.folder / "dialwarden.toml").write_text(text, "utf-8")
    call(site, "poll", 1, 1, 1)
    assert share(site)["limit"] is None
    call(site, "sale", 1, 1, 1)
    assert share(site, "--campaign", "sale", status=1)["above"] is True
    assert share(site, "--campaign", "poll")["above"] is False


def test_attempts_without_a_known_end_are_told(site: Site) -> None:
    with site.writing() as conn:
        now = datetime.now(UTC)
        attempts.reserve(
            conn, NewAttempt(390612345678, "bella", "rome", Purpose.SALES, Door.AGI, now)
        )
    row = share(site)
    assert (row["answered"], row["unknown"], row["percent"]) == (0, 1, None)
    assert "campaign rome: of 1 attempt it is not on record" in site.run("silent", "share").stderr


def test_no_call_is_no_share(site: Site) -> None:
    assert site.json("silent", "share") == []
    assert site.json("silent", "share", "--campaign", "rome") == []


def test_a_campaign_that_nobody_knows_is_a_wrong_use(site: Site) -> None:
    assert "rome" in site.err("silent", "share", "--campaign", "rom")


def test_a_history_has_no_campaign_and_no_limit(site: Site) -> None:
    at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    file = site.file(f"{CALLED}{ROMAN},bella,{at},silent\n")
    site.run("attempts", "import", file)
    row = share(site)
    assert (row["campaign"], row["answered"], row["silent"], row["limit"]) == ("", 1, 1, None)
