"""Silent calls by hand: recorded, listed, and what they do to the next question."""

from __future__ import annotations

import pytest
from tests.cli.site import Site

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
