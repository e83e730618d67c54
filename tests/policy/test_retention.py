"""How long things are kept: the figures that meet, and the days that come of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.packs import pack

from dialwarden.policies import load_policies
from dialwarden.policy.figures import Cap
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.policy.period import Period
from dialwarden.policy.retention import (
    ENDLESS,
    HOUSE,
    Keeping,
    Span,
    evidence,
    history,
    retention,
    years_before,
)
from dialwarden.policy.terms import Mandate, mandate
from dialwarden.question import Purpose

POLICIES = load_policies()
EVERYTHING = frozenset(Purpose)


def years(count: int) -> str:
    return f'[regimes.evidence]\nyears = {count}\nsource = "law"\n'


OBJECTION = '[regimes.objection]\ndays = 60\nsource = "law"\n'
CONSENT = '[regimes.consent]\nrequired = true\nmax_years = {}\nsource = "law"\n'
CAP = '[[regimes.caps]]\nmax = 4\nperiod = "{}"\nsource = "law"\n'
GAP = '[[regimes.gaps]]\n{}\nsource = "law"\n'


def campaign(
    policy: Policy | str, name: str = "energy", professional: str = "acme", caps: str = ""
) -> Mandate:
    read = pack(policy) if isinstance(policy, str) else policy
    house = HouseRules(caps=(Cap(1, Period.parse(caps), EVERYTHING, "tighten"),) if caps else ())
    return mandate(campaign=name, professional=professional, policy=read, house=house)


@pytest.mark.parametrize(
    ("day", "count", "first"),
    [
        ("2026-11-02", 3, "2023-11-02"),
        ("2026-11-02", 1, "2025-11-02"),
        # 29 February: three years on its anniversary is 1 March, and so long it is kept.
        ("2027-02-28", 3, "2024-02-28"),
        ("2027-03-01", 3, "2024-02-29"),
        ("2027-03-02", 3, "2024-03-02"),
        ("2028-02-29", 3, "2025-03-01"),
        ("2028-02-29", 4, "2024-02-29"),
        ("2028-03-01", 4, "2024-03-01"),
        ("0050-01-01", 100, "0001-01-01"),
    ],
)
def test_the_first_day_that_is_kept(day: str, count: int, first: str) -> None:
    assert years_before(date.fromisoformat(day), count) == date.fromisoformat(first)


def anniversary(day: date, count: int) -> date:
    try:
        return day.replace(year=day.year + count)
    except ValueError:
        return date(day.year + count, 3, 1)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 30))
def test_no_day_is_over_before_its_anniversary(day: date, count: int) -> None:
    first = years_before(day, count)
    assert anniversary(first, count) >= day
    assert anniversary(first - timedelta(1), count) < day


@pytest.mark.parametrize(
    ("now", "before"),
    [
        # 1 November is not over everywhere before noon of the 2nd in UTC, and 2 November began
        # on the 1st at ten.
        (datetime(2026, 11, 2, 11, 59, tzinfo=UTC), datetime(2023, 10, 31, 10, tzinfo=UTC)),
        (datetime(2026, 11, 2, 12, 0, tzinfo=UTC), datetime(2023, 11, 1, 10, tzinfo=UTC)),
        (datetime(2027, 3, 1, 12, 0, tzinfo=UTC), datetime(2024, 2, 28, 10, tzinfo=UTC)),
    ],
)
def test_a_day_ends_where_it_ends_last_and_begins_where_it_begins_first(
    now: datetime, before: datetime
) -> None:
    cut = Keeping(3, "law").on(now)
    assert (cut.before, cut.proof_before) == (before, before)


@pytest.mark.parametrize(
    ("policies", "house", "expected", "source"),
    [
        (["none"], None, None, ""),
        (["fr"], None, 3, "policy fr: Code de la consommation, art. R. 223-2"),
        (["fr", "de"], None, 5, "policy de: Gesetz gegen den unlauteren Wettbewerb"),
        (["none", "fr"], None, 3, "policy fr"),
        (["none"], 4, 4, HOUSE),
        (["fr"], 2, 3, "policy fr"),
        (["fr"], 3, 3, "policy fr"),
        (["fr"], 10, 10, HOUSE),
    ],
)
def test_the_longest_period_holds(
    policies: list[str], house: int | None, expected: int | None, source: str
) -> None:
    mandates = [campaign(POLICIES[name], name) for name in policies]
    kept = retention(mandates, house).named["acme"]
    assert kept.years == expected
    assert kept.source.startswith(source)
    assert bool(kept.source) == bool(expected)


def test_each_professional_has_its_own_and_others_the_houses() -> None:
    mandates = [campaign(POLICIES["fr"]), campaign(POLICIES["de"], "strom", "blitz")]
    kept = retention(mandates, None)
    assert {name: one.years for name, one in kept.named.items()} == {"acme": 3, "blitz": 5}
    assert kept.others.years is None
    assert kept.of_campaign == {"energy": "acme", "strom": "blitz"}
    assert retention(mandates, 4).others.years == 4
    assert retention([], None).lists_before(datetime(2026, 11, 2, tzinfo=UTC)) is None


def test_nothing_is_over_where_no_period_is_known() -> None:
    cut = retention([campaign(POLICIES["none"])], None).named["acme"].on(datetime.now(UTC))
    assert cut.before is cut.proof_before is cut.last_day_before is None
    assert cut.consents_before is cut.noes_before is cut.withdrawals_before is None


def test_a_cap_that_looks_back_further_than_the_proof_holds() -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    kept = retention([campaign(years(1), caps="500 days")], None).named["acme"]
    # 500 days, the first from its midnight, and clocks that change.
    assert kept.history == timedelta(days=501, hours=2)
    assert kept.on(now).before == now - timedelta(days=501, hours=2)
    assert kept.on(now).proof_before == datetime(2025, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "attempts", "silent"),
    [
        ("", timedelta(0), timedelta(0)),
        (CAP.format("48 hours"), timedelta(hours=48), timedelta(hours=48)),
        (GAP.format('period = "72 hours"'), timedelta(hours=72), timedelta(hours=72)),
        (GAP.format('after = "silent"\nperiod = "72 hours"'), timedelta(0), timedelta(hours=72)),
        (CAP.format("30 days"), timedelta(days=31, hours=2), timedelta(days=31, hours=2)),
    ],
)
def test_history_is_the_longest_cap_or_gap(
    parts: str, attempts: timedelta, silent: timedelta
) -> None:
    one = campaign(parts)
    assert history(one) == attempts
    assert history(one, silent=True) == silent


@pytest.mark.parametrize(
    ("parts", "noes", "withdrawals"),
    [
        ("", ENDLESS, ENDLESS),
        # A consent from before the no, imported later, would be good for ever.
        (OBJECTION, ENDLESS, ENDLESS),
        (OBJECTION + CONSENT.format(2), Span(years=2, days=60), Span(years=2)),
        # A no without end, and consents that end.
        (CONSENT.format(2), ENDLESS, Span(years=2)),
    ],
)
def test_how_long_a_no_has_an_effect(parts: str, noes: Span, withdrawals: Span) -> None:
    kept = retention([campaign(years(3) + parts)], None).named["acme"]
    assert (kept.noes.endless, kept.withdrawals.endless) == (noes.endless, withdrawals.endless)
    if not noes.endless:
        assert kept.noes == noes
    if not withdrawals.endless:
        assert kept.withdrawals == withdrawals


def test_a_no_that_ends_goes_with_its_proof_and_not_before_its_end() -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    longer = retention([campaign(years(1) + OBJECTION + CONSENT.format(2))], None).named["acme"]
    assert longer.on(now).noes_before == datetime(2024, 11, 1, 10, tzinfo=UTC)
    shorter = retention([campaign(years(5) + OBJECTION + CONSENT.format(2))], None).named["acme"]
    assert shorter.on(now).noes_before == datetime(2021, 11, 1, 10, tzinfo=UTC)


def test_a_consent_is_kept_for_the_period_after_it_was_good_for_the_last_time() -> None:
    kept = retention([campaign(years(3) + CONSENT.format(1))], None).named["acme"]
    # Given on 1 November 2022 it was good through 31 October 2023: three years and a day ago. What
    # was given on 2 November, wherever, stays.
    cut = kept.on(datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert cut.consents_before == datetime(2022, 11, 1, 10, tzinfo=UTC)
    assert cut.last_day_before == date(2023, 11, 2)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        # The former regime, under which a consent did not lapse, ended on 10 August 2026.
        (datetime(2029, 8, 10, 12, tzinfo=UTC), None),
        (datetime(2029, 8, 11, 12, tzinfo=UTC), datetime(2025, 8, 10, 10, tzinfo=UTC)),
    ],
)
def test_a_regime_that_ended_counts_for_as_long_as_its_calls_are_proof(
    now: datetime, before: datetime | None
) -> None:
    kept = retention([campaign(POLICIES["fr"])], None).named["acme"]
    assert kept.on(now).consents_before == before


def test_lists_go_by_the_longest_period_that_is_known() -> None:
    mandates = [campaign(POLICIES["fr"]), campaign(POLICIES["de"], "strom", "blitz")]
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert retention(mandates, None).lists_before(now) == datetime(2021, 11, 1, 10, tzinfo=UTC)


def test_an_agent_that_must_come_first_is_awaited_without_end() -> None:
    first = GAP.format('after = "silent"\nfull_days = 5\nagent_first = true')
    assert retention([campaign(first)], None).named["acme"].silence_stays
    assert not retention([campaign("")], None).named["acme"].silence_stays
    assert retention([], 3).others.silence_stays  # nobody knows what held for them


def test_evidence_names_where_it_stands() -> None:
    assert evidence([campaign(years(3))]) == (3, "policy pack: the law")
    assert evidence([campaign("")]) == (None, "")
