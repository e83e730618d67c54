"""gap after a silent call: answered, and no agent took it."""

from __future__ import annotations

import pytest

from dialwarden.facts import PastAttempt, SilentCall
from dialwarden.policy.model import Policy
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

from .packs import key, pack, refusal, said
from .situations import MARTINIQUE, PARIS, attempts, instant, matter, next_at, until


def law(rule: str, purposes: str = "") -> Policy:
    return pack(f'{purposes}\n[[regimes.gaps]]\nafter = "silent"\nsource = "law"\n{rule}\n')


# Five whole days, then an agent at the next call; and three times 24 hours, but for an agent.
FIVE_DAYS = law("full_days = 5\nagent_first = true")
THREE_DAYS = law('period = "72 hours"\nunless_agent = true')
# A Monday: the five days are the 17th to the 21st, the 72 hours end on Thursday at eleven.
MONDAY = "2026-11-16 11:00"


def silent(*texts: str, zone: str = PARIS, followed: bool = False) -> tuple[SilentCall, ...]:
    """Silent calls at these clocks, newest first as the ledger gives them."""
    instants = sorted((instant(text, zone) for text in texts), reverse=True)
    return tuple(SilentCall(at, followed) for at in instants)


@pytest.mark.parametrize(
    ("dial", "followed", "clock", "reason", "ends"),
    [
        ("manual", False, "2026-11-16 11:00:01", "gap_silent", "2026-11-22 00:00:00+01:00"),
        ("manual", False, "2026-11-21 23:59:59", "gap_silent", "2026-11-22 00:00:00+01:00"),
        ("manual", False, "2026-11-22 00:00:00", "", ""),
        ("", False, "2026-11-21 23:59:59", "gap_silent", "2026-11-22 00:00:00+01:00"),
        # After the gap it depends on who dials, and nobody said.
        ("", False, "2026-11-22 00:00:00", "gap_dial_unknown", ""),
        # A machine may not place the next call at all: waiting does not help it.
        ("automatic", False, "2026-11-21 23:59:59", "gap_silent_agent", "never"),
        ("automatic", False, "2026-11-22 00:00:00", "gap_agent_first", "never"),
        ("automatic", False, "2027-11-22 00:00:00", "gap_agent_first", "never"),
        # Once a later call was placed, which may have had its agent, the gap alone is left.
        ("automatic", True, "2026-11-21 23:59:59", "gap_silent", "2026-11-22 00:00:00+01:00"),
        ("automatic", True, "2026-11-22 00:00:00", "", ""),
        ("", True, "2026-11-22 00:00:00", "", ""),
        ("manual", True, "2026-11-21 23:59:59", "gap_silent", "2026-11-22 00:00:00+01:00"),
    ],
)
def test_five_whole_days_and_an_agent_at_the_next_call(
    dial: str, followed: bool, clock: str, reason: str, ends: str
) -> None:
    asked = matter(FIVE_DAYS, dial=dial, silent_calls=silent(MONDAY, followed=followed))
    assert key(asked, clock, Rule.GAP) == reason
    if ends:
        found = refusal(asked, clock, Rule.GAP)
        assert (until(found), found.source) == (ends, "the law")


@pytest.mark.parametrize(
    ("dial", "clock", "reason"),
    [
        ("manual", "2026-11-16 11:00:01", ""),
        ("automatic", "2026-11-16 11:00:01", "gap_silent"),
        ("automatic", "2026-11-19 10:59:59", "gap_silent"),
        ("automatic", "2026-11-19 11:00:00", ""),
        ("", "2026-11-19 10:59:59", "gap_dial_unknown"),
        ("", "2026-11-19 11:00:00", ""),
    ],
)
def test_three_days_but_for_a_call_that_has_an_agent_from_the_start(
    dial: str, clock: str, reason: str
) -> None:
    asked = matter(THREE_DAYS, dial=dial, silent_calls=silent(MONDAY))
    assert key(asked, clock, Rule.GAP) == reason
    if reason == "gap_silent":
        assert until(refusal(asked, clock, Rule.GAP)) == "2026-11-19 11:00:00+01:00"


@pytest.mark.parametrize(
    ("policy", "at", "ends"),
    [
        # The clocks go back on Sunday 25 October 2026, and forward on Sunday 28 March 2027.
        (THREE_DAYS, "2026-10-23 12:00", "2026-10-26 11:00:00+01:00"),
        (THREE_DAYS, "2027-03-26 12:00", "2027-03-29 13:00:00+02:00"),
        (law("full_days = 2"), "2026-10-23 12:00", "2026-10-26 00:00:00+01:00"),
        (law("full_days = 2"), "2027-03-26 12:00", "2027-03-29 00:00:00+02:00"),
        (law('period = "1 day"'), "2026-10-25 01:30", "2026-10-26 00:00:00+01:00"),
        (law("full_days = 1"), "2026-10-25 01:30", "2026-10-27 00:00:00+01:00"),
    ],
)
def test_hours_are_real_and_days_the_calendars(policy: Policy, at: str, ends: str) -> None:
    asked = matter(policy, dial="automatic", silent_calls=silent(at))
    assert next_at(asked, at) == ends


def test_the_days_are_the_callees_own() -> None:
    """At 23:30 in Martinique it is the next day in Paris."""
    calls = silent("2026-11-16 23:30", zone=MARTINIQUE)
    overseas = matter(law("full_days = 1"), zones=MARTINIQUE, silent_calls=calls)
    assert next_at(overseas, "2026-11-16 23:31") == "2026-11-18 00:00:00-04:00"
    paris = matter(law("full_days = 1"), silent_calls=calls)
    assert next_at(paris, "2026-11-17 04:31") == "2026-11-19 00:00:00+01:00"


def test_the_last_silent_call_counts() -> None:
    calls = silent("2026-11-18 11:00") + silent(MONDAY)
    asked = matter(law("full_days = 5"), silent_calls=calls)
    assert until(refusal(asked, "2026-11-19 11:00", Rule.GAP)) == "2026-11-24 00:00:00+01:00"


def test_of_a_silent_call_before_one_that_was_followed_nothing_is_left() -> None:
    calls = silent("2026-11-18 11:00", followed=True) + silent(MONDAY)
    asked = matter(FIVE_DAYS, dial="automatic", silent_calls=calls)
    assert said(asked, "2026-11-24 00:00") == ""


@pytest.mark.parametrize("dial", ["", "manual", "automatic"])
def test_without_a_silent_call_there_is_no_gap(dial: str) -> None:
    made = attempts("2026-11-24 10:59")
    assert said(matter(FIVE_DAYS, dial=dial, attempts=made), "2026-11-24 11:00") == ""


def test_a_gap_after_attempts_is_not_one_after_silence_and_may_stand_beside_it() -> None:
    both = pack("""
        [[regimes.gaps]]
        period = "2 hours"
        source = "other"
        [[regimes.gaps]]
        full_days = 1
        after = "silent"
        agent_first = true
        source = "law"
    """)
    silence, attempt = silent("2026-11-23 11:00"), attempts("2026-11-24 23:00")
    # Only an attempt, only a silence, then both: the one that holds longer is told.
    only = matter(both, attempts=attempt)
    assert refusal(only, "2026-11-24 23:30", Rule.GAP).source == "another law"
    only = matter(both, silent_calls=silence)
    assert refusal(only, "2026-11-24 23:30", Rule.GAP).source == "the law"
    asked = matter(both, attempts=attempt, silent_calls=silence)
    found = refusal(asked, "2026-11-24 23:30", Rule.GAP)
    assert (found.source, until(found)) == ("another law", "2026-11-25 01:00:00+01:00")
    # What is not judged hides no refusal.
    assert key(asked, "2026-11-25 00:30", Rule.GAP) == "gap"
    assert key(asked, "2026-11-25 01:00", Rule.GAP) == "gap_dial_unknown"


@pytest.mark.parametrize(
    ("purposes", "purpose", "expected"),
    [
        ('purposes = ["sales"]', Purpose.SALES, "gap"),
        ('purposes = ["sales"]', Purpose.SURVEY, ""),
        ('purposes = ["survey"]', Purpose.SURVEY, "gap"),
        ("", Purpose.SERVICE, "gap"),
    ],
)
def test_a_gap_after_silence_binds_the_purposes_that_it_names(
    purposes: str, purpose: Purpose, expected: str
) -> None:
    asked = matter(law(f"full_days = 5\n{purposes}"), purpose=purpose, silent_calls=silent(MONDAY))
    assert said(asked, "2026-11-18 11:00") == expected


def test_a_regime_that_does_not_bind_the_call_has_no_gap_for_it() -> None:
    policy = law("full_days = 5", 'purposes = ["sales"]')
    asked = matter(policy, purpose=Purpose.SERVICE, silent_calls=silent(MONDAY))
    assert said(asked, "2026-11-18 11:00") == ""


@pytest.mark.parametrize(
    ("rule", "clock", "free_at"),
    [
        ("full_days = 1", "2026-11-20 11:00:01", "2026-11-22 00:00:00+01:00"),
        ("full_days = 5", "2026-11-25 23:59:59", "2026-11-26 00:00:00+01:00"),
        ("full_days = 5", "2026-11-26 00:00:00", ""),
        # "5 days" has the day of the attempt among them.
        ('period = "5 days"', "2026-11-24 23:59:59", "2026-11-25 00:00:00+01:00"),
        ('period = "5 days"', "2026-11-25 00:00:00", ""),
    ],
)
def test_whole_days_after_an_attempt_begin_on_the_day_after(
    rule: str, clock: str, free_at: str
) -> None:
    policy = pack(f'[[regimes.gaps]]\n{rule}\nsource = "law"\n')
    made = (PastAttempt(instant("2026-11-20 11:00", PARIS), Purpose.SALES),)
    asked = matter(policy, attempts=made)
    assert said(asked, clock) == ("gap" if free_at else "")
    if free_at:
        assert until(refusal(asked, clock, Rule.GAP)) == free_at
