"""`next` is the first allowed second: held against brute force, on clocks that change.

Whether a call is allowed can change only at a midnight, at a window's edge, at a clock change or
when an attempt leaves a period. The brute force judges at every one of those, found without the
code under test, and the first that is allowed must be `next`. A second property scans whole
minutes, trusting nothing.

DIALWARDEN_EXAMPLES sets the number of examples of each property, for a long run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialwarden.facts import (
    Appointment,
    Consent,
    Facts,
    Listing,
    Objection,
    PastAttempt,
    Scope,
    SilentCall,
)
from dialwarden.numbers import Place, places_of_region
from dialwarden.numbers.zones import places_of_code
from dialwarden.policy.figures import Cap, Gap, ListRule, RegionalDays
from dialwarden.policy.hours import WeekHours, Window, intersect, week
from dialwarden.policy.model import HouseRules, Policy
from dialwarden.policy.parse import read_policy
from dialwarden.policy.period import Period
from dialwarden.policy.terms import mandate
from dialwarden.question import Dialling, Purpose, Relationship
from dialwarden.reasons import LANGUAGES, sentence
from dialwarden.rules import RULES
from dialwarden.rules import judge as judging
from dialwarden.rules.case import Case, Matter, matter_of
from dialwarden.rules.judge import MOST_ZONE_JUDGEMENTS, NEXT_HORIZON, judge, next_allowed
from dialwarden.verdict import Finding, Refusal, Rule

from .situations import (
    CAMPAIGN,
    PARIS,
    POLICIES,
    PROFESSIONAL,
    attempts,
    house,
    instant,
    matter,
    next_at,
)

EXAMPLES = int(os.environ.get("DIALWARDEN_EXAMPLES", "0"))
SECOND = timedelta(seconds=1)
ZONES = (
    "Europe/Paris",
    "Europe/Rome",
    "Indian/Reunion",
    "Australia/Lord_Howe",  # changes by half an hour
    "America/Santiago",  # skips midnight
    "Asia/Beirut",  # skips midnight, and repeats the hour before it
    "Africa/Cairo",  # skips midnight
    "America/Havana",  # repeats the hour after midnight
    "Atlantic/Azores",
    "Africa/Casablanca",  # changes around Ramadan
    "America/Nuuk",  # changes on Saturday night
)

# A law that changes three times in two months, with what the shipped packs lack.
RESTLESS = read_policy(
    """
id = "restless"
title = "A law that changes often"
[sources.s]
text = "a text"
confidence = "primary"
[[regimes]]
id = "first"
title = "one"
from = 2026-01-01
until = 2026-10-24
[regimes.hours]
mon-sat = ["00:00-02:45", "08:00-12:00"]
eve = ["01:00-09:30"]
source = "s"
[regimes.holidays]
calendar = "FR"
add = { "2026-10-22" = "a day", "2026-10-24" = "another" }
source = "s"
[[regimes.caps]]
max = 2
period = "36 hours"
source = "s"
[regimes.objection]
days = 10
source = "s"
[[regimes]]
id = "second"
title = "two"
from = 2026-10-25
until = 2026-11-10
extends = "first"
drop = ["hours", "caps"]
purposes = ["sales", "service"]
[[regimes.gaps]]
full_days = 3
after = "silent"
agent_first = true
source = "s"
[[regimes.gaps]]
period = "90 minutes"
source = "s"
[[regimes.lists]]
name = "register"
max_age = "9 days"
exempt = ["contract"]
ended_within = "12 days"
later_consent_wins = true
source = "s"
[[regimes]]
id = "third"
title = "three"
from = 2026-11-11
until = 2026-12-05
[regimes.hours]
sun = ["00:30-24:00"]
tue = ["01:30-02:30"]
source = "s"
[regimes.appointments]
tolerance = "20 minutes"
waives = ["hours", "holiday"]
source = "s"
[regimes.objection]
until = "consent"
floor_days = 7
floor_for = ["press"]
source = "s"
[regimes.consent]
required = true
max_years = 1
void_before = 2026-10-20
exempt = ["contract", "press"]
waives = ["hours"]
source = "s"
""",
    "restless.toml",
)
LAWS = {**POLICIES, "restless": RESTLESS}
# Where a law is not the same everywhere; "" is a zone of the country without a region.
REGIONS = {
    "fr": ("", "", "FR-67", "FR-974", "FR-972"),
    "it-garante": ("", "IT-RM", "IT-MI"),
    "es": ("", "ES-CT", "ES-CN"),
    "us": ("US-NY", "US-FL", "US-TX", "US-AL", "US-RI", "US-MS", "US-KY", "US-PA", "US-LA"),
    "au": ("", "AU-WA", "AU-VIC"),
}


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """The instants, to the second, at which a zone's offset changes from 2026 through 2027."""
    zone = ZoneInfo(name)
    found = []
    before = datetime(2026, 1, 1, tzinfo=UTC)
    while before.year < 2028:
        low, after = before, before + timedelta(hours=12)
        old = low.astimezone(zone).utcoffset()
        if after.astimezone(zone).utcoffset() != old:
            high = after
            while high - low > SECOND:
                middle = low + (high - low) // SECOND // 2 * SECOND
                same = middle.astimezone(zone).utcoffset() == old
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        before = after
    return tuple(found)


def boundaries(asked: Matter, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every instant at which a verdict may change, rounded up to the second, start first."""
    instants = {start}
    edges = {0}
    for terms in asked.mandate.terms.values():
        for hours in (terms.hours, terms.eve_hours, terms.house_hours):
            for windows in hours.days if hours else ():
                edges |= {edge for window in windows for edge in (window.start_s, window.end_s)}
    periods = {cap.period for terms in asked.mandate.terms.values() for cap in terms.caps}
    periods |= {
        gap.period for terms in asked.mandate.terms.values() for gap in terms.gaps if gap.period
    }
    spans = {period.rolling for period in periods if period.rolling}
    made = [*asked.facts.attempts, *asked.facts.silent_calls]
    instants |= {past.at + span for past in made for span in spans}
    for terms in asked.mandate.terms.values():
        for agreed in asked.facts.appointments if terms.appointments else ():
            tolerance = terms.appointments.tolerance
            instants |= {agreed.at - tolerance, agreed.at + tolerance}
    for zone in asked.zones:
        instants |= set(changes(str(zone)))
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            for edge in edges:
                clock = datetime.combine(day, time(0)) + timedelta(seconds=edge)
                for fold in (0, 1):
                    instants.add(clock.replace(tzinfo=zone, fold=fold).astimezone(UTC))
            day += timedelta(1)
    for at in sorted(instants):
        if start <= at <= end:
            yield at if at == start or not at.microsecond else at.replace(microsecond=0) + SECOND


# --- Random questions

times_of_day = st.one_of(
    st.sampled_from([0, 30, 60, 90, 120, 150, 180, 23 * 60, 24 * 60 - 30]),
    st.integers(0, 24 * 60 - 1),
)
lengths = st.one_of(st.sampled_from([10, 30, 60, 90]), st.integers(1, 24 * 60))
# Most questions should have an answer to be waited for: what waiting cannot mend is drawn rarely.
seldom = st.integers(0, 11).map(lambda n: n == 11)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found: tuple[Window, ...] = ()
    for _ in range(draw(st.sampled_from([1, 1, 2, 2, 2, 0]))):
        start = draw(times_of_day)
        one = Window(start * 60, min(start + draw(lengths), 24 * 60) * 60)
        if not intersect(found, (one,)):
            found = tuple(sorted((*found, one)))
    return found


weeks: st.SearchStrategy[WeekHours] = st.lists(windows(), min_size=7, max_size=7).map(week)
periods = st.one_of(
    st.integers(1, 9).map(lambda days: Period(days=days)),
    st.integers(1, 80).map(lambda hours: Period(rolling=timedelta(hours=hours))),
    st.integers(1, 3000).map(lambda minutes: Period(rolling=timedelta(minutes=minutes))),
)
purposes = st.sampled_from([frozenset(Purpose), frozenset({Purpose.SALES})])
ages = st.one_of(
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.timedeltas(timedelta(0), timedelta(days=45)),
    st.integers(0, 40).map(lambda days: timedelta(days=days)),
)


@st.composite
def house_rules(draw: st.DrawFn, at: datetime) -> HouseRules:
    caps = st.builds(Cap, st.integers(1, 3), periods, purposes, st.just("tighten"))
    gaps = st.builds(Gap, periods, purposes, st.just("tighten"))
    near = st.integers(-1, 9).map(lambda days: at.date() + timedelta(days))
    return HouseRules(
        hours=draw(st.none() | weeks),
        closed=draw(st.frozensets(near, max_size=4)),
        caps=tuple(draw(st.lists(caps, max_size=2))),
        gaps=tuple(draw(st.lists(gaps, max_size=2))),
        margin=draw(st.sampled_from([timedelta(0), timedelta(0), timedelta(minutes=7)])),
        source="tighten",
    )


@st.composite
def recorded(draw: st.DrawFn, at: datetime, law: Policy, *, lasting: bool) -> Facts:
    made = sorted((at - age for age in draw(st.lists(ages, max_size=7))), reverse=True)
    attempts = tuple(PastAttempt(when, draw(st.sampled_from(Purpose))) for when in made)
    noes = 2 if draw(seldom | seldom) else 0
    said = sorted((at - age for age in draw(st.lists(ages, max_size=noes))), reverse=True)
    objections = tuple(Objection(when, draw(st.sampled_from(Scope)), CAMPAIGN) for when in said)
    given_at = sorted((at - age for age in draw(st.lists(ages, max_size=2))), reverse=True)
    days = st.none() if lasting else st.none() | st.integers(-2, 12)
    consents = []
    for when in given_at:
        last = draw(days)
        consents.append(
            Consent(
                when,
                until=None if last is None else at.date() + timedelta(last),
                scope=draw(st.sampled_from(["professional", "professional", "sales", "other"])),
                complete=draw(st.booleans()),
            )
        )

    def listing() -> Listing:
        as_of = at.date() - timedelta(draw(st.integers(-3, 35) if draw(seldom) else st.just(0)))
        since = draw(st.none() | st.integers(0, 40).map(lambda n: at.date() - timedelta(n)))
        return Listing(version=1, as_of=as_of, listed=draw(seldom), since=since)

    names = sorted({rule.name for regime in law.regimes for rule in regime.lists} | {"house"})
    lists = {name: listing() for name in names}
    ahead = st.timedeltas(-timedelta(hours=1), timedelta(days=12))
    agreed = tuple(
        Appointment((at + wait).replace(microsecond=0), draw(st.sampled_from(["", CAMPAIGN, "x"])))
        for wait in draw(st.lists(ahead, max_size=2))
    )
    silent = [
        SilentCall(at - age, draw(st.booleans()))
        for age in sorted(draw(st.lists(ages, max_size=1 if draw(seldom | seldom) else 0)))
    ]
    return Facts(attempts, objections, tuple(consents), agreed, tuple(silent), lists)


@st.composite
def questions(draw: st.DrawFn, *, lasting: bool = False) -> tuple[Matter, datetime]:
    """A matter and an instant, often near a clock change or a change of law.

    Args:
        lasting: leave out consents that end, which make a refusal's `until` a lower bound only.
    """
    several = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True)
    zones = tuple(draw(st.sampled_from(ZONES).map(lambda name: [name]) | several))
    turns = [turn for name in zones for turn in changes(name)]
    turns += [
        datetime(*day, tzinfo=UTC)
        for day in (
            (2026, 8, 11),
            (2026, 10, 25),
            (2026, 11, 11),
            (2026, 12, 5),
            (2026, 12, 24),
            (2023, 3, 1),
        )
    ]
    days, hours = timedelta(days=4), timedelta(hours=4)
    at = draw(st.sampled_from(turns))
    at += draw(st.timedeltas(-days, days) | st.timedeltas(-hours, hours))
    at = at.replace(microsecond=0)
    # A contract ends before the call: what is still to end is in force.
    ended = (at - timedelta(days=draw(st.integers(2, 15)))).date().isoformat()
    law = LAWS[draw(st.sampled_from([*sorted(LAWS), "none", "restless", "restless"]))]
    country = law.country or "FR"
    regions = st.sampled_from(REGIONS.get(law.id, ("",)))
    places = tuple(
        dict.fromkeys(
            place
            for name in zones
            for region in (draw(regions),)
            for place in (places_of_region(region) if region else (Place(country, name),))
        )
    )
    asked = matter_of(
        mandate(
            campaign=CAMPAIGN,
            professional=PROFESSIONAL,
            policy=law,
            house=draw(house_rules(at)),
            own_lists=draw(st.sampled_from([(), (ListRule("house", "lists.house", 30),)])),
            sector=draw(st.sampled_from(["", "insurance", "gas"])),
            unlisted=draw(st.sampled_from([None, False, True])),
            regional=draw(st.none() | st.sampled_from(RegionalDays)),
        ),
        draw(st.sampled_from(Purpose)),
        places,
        draw(recorded(at, law, lasting=lasting)),
        relationship=Relationship.parse(
            draw(st.sampled_from(["", "contract", "contract", "press", f"ended:{ended}"]))
        ),
        dialling=draw(st.none() | st.sampled_from(Dialling)),
    )
    return asked, at


def examples(number: int) -> settings:
    return settings(
        max_examples=EXAMPLES or number,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@examples(60)
@given(questions())
def test_next_is_the_first_allowed_instant(question: tuple[Matter, datetime]) -> None:
    asked, at = question
    end = at + timedelta(days=16)
    expected = next((b for b in boundaries(asked, at, end) if not judge(asked, b).refusals), None)
    found = next_allowed(asked, at)
    if found is not None:
        assert not judge(asked, found).refusals
        assert found.tzinfo is asked.zones[0]
        assert at <= found <= at + NEXT_HORIZON
    if expected is None:
        assert found is None or found > end
    else:
        assert found is not None
        assert found.astimezone(UTC) == expected


@examples(8)
@given(questions())
def test_no_whole_minute_before_next_is_allowed(question: tuple[Matter, datetime]) -> None:
    asked, at = question
    end = at + timedelta(days=2)
    found = next_allowed(asked, at)
    if found is not None:
        end = min(end, found.astimezone(UTC))
    minute = at
    while minute < end:
        assert judge(asked, minute).refusals, minute
        minute += timedelta(minutes=1)


def rule_in(asked: Matter, zone: tzinfo, at: datetime) -> Iterator[tuple[str, Refusal | None, str]]:
    local = at.astimezone(zone)
    region = asked.places[0].region
    terms = asked.mandate.terms_on(local.date(), asked.purpose, region)
    if terms is None:
        return
    case = Case(asked, terms, zone, local, region)
    for name, rule in RULES:
        finding = rule(case)
        yield name, finding if isinstance(finding, Refusal) else None, terms.regime


@examples(60)
@given(questions(lasting=True))
def test_each_refusal_holds_until_its_until_and_no_longer(
    question: tuple[Matter, datetime],
) -> None:
    asked, at = question
    zone = asked.zones[0]
    for name, finding, regime in list(rule_in(asked, zone, at)):
        if finding is None:
            continue
        end = at + timedelta(days=12)
        if finding.until is not None:
            assert finding.until.tzinfo is zone
            assert finding.until > at
            end = min(end, finding.until.astimezone(UTC) - SECOND / 1000)
        for instant_before in (*boundaries(asked, at, end), end):
            if instant_before > end:
                continue
            for other, still, law in rule_in(asked, zone, instant_before):
                assert other != name or law != regime or still is not None, (name, instant_before)
        if finding.until is not None:
            for other, after, law in rule_in(asked, zone, finding.until):
                assert other != name or law != regime or after is None, (name, finding.until)


@examples(60)
@given(questions())
def test_no_sentence_of_a_refusal_lacks_a_value(question: tuple[Matter, datetime]) -> None:
    for refusal in judge(*question).refusals:
        for language in LANGUAGES:
            written = sentence(refusal.reason, language)
            assert "?" not in written
            assert not written.startswith(refusal.reason.key + " ")


@examples(60)
@given(questions(), st.timedeltas(timedelta(0), timedelta(days=3)))
def test_next_does_not_move_while_it_is_waited_for(
    question: tuple[Matter, datetime], waited: timedelta
) -> None:
    asked, at = question
    found = next_allowed(asked, at)
    if found is not None:
        later = min(at + waited, found.astimezone(UTC))
        assert next_allowed(asked, later) == found


# --- Long searches: many zones, and windows that seldom or never meet


def stepwise(asked: Matter, at: datetime) -> datetime | None:
    """`next` by the plainest way: from the bound of one whole judgement to the next, unlimited."""
    now = at
    while now <= at + NEXT_HORIZON:
        judgement = judge(asked, now)
        if not judgement.refusals:
            return now
        if judgement.clears is None:
            return None
        now = judgement.clears.astimezone(UTC)
        now += -timedelta(microseconds=now.microsecond) % SECOND
    return None


short_windows = st.lists(
    st.builds(
        lambda start, length: Window(start * 900, min(start * 900 + length * 900, 86400)),
        st.integers(0, 95),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=2,
).filter(lambda found: not intersect(tuple(found[:1]), tuple(found[1:])))
far_apart = st.lists(
    st.sampled_from([*ZONES, "America/New_York", "Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata"]),
    min_size=2,
    max_size=4,
    unique=True,
)


@st.composite
def seldom_open(draw: st.DrawFn) -> tuple[Matter, datetime]:
    """Zones far apart that are all open for a short while, in some weeks of the year if at all."""
    same = tuple(sorted(draw(short_windows)))
    other = tuple(sorted(draw(short_windows)))
    closed_days = draw(st.frozensets(st.integers(0, 6), max_size=3))
    days = [() if n in closed_days else other if n == 2 else same for n in range(7)]
    made = tuple(PastAttempt(instant("2026-06-01") - draw(ages), Purpose.SALES) for _ in range(2))
    at = instant("2026-06-01") + timedelta(minutes=draw(st.integers(0, 400 * 24 * 60)))
    asked = matter(
        LAWS[draw(st.sampled_from(["none", "none", "fr", "restless"]))],
        zones=tuple(draw(far_apart)),
        purpose=draw(st.sampled_from(Purpose)),
        relationship="contract",
        tighten=HouseRules(
            hours=week(days),
            closed=draw(st.frozensets(st.dates(date(2026, 6, 1), date(2027, 12, 31)), max_size=4)),
            gaps=(Gap(Period(days=draw(st.integers(1, 60))), frozenset(Purpose), "tighten"),),
            source="tighten",
        ),
        attempts=tuple(sorted(made, key=lambda attempt: attempt.at, reverse=True)),
        consents=(Consent(instant("2026-05-01"), until=draw(st.none() | st.dates(
            date(2026, 6, 1), date(2027, 6, 1))), complete=True),),
    )  # fmt: skip
    return asked, at


@examples(40)
@given(seldom_open())
def test_next_is_what_stepping_from_judgement_to_judgement_finds(
    question: tuple[Matter, datetime],
) -> None:
    asked, at = question
    found = next_allowed(asked, at)
    assert (found.astimezone(UTC) if found else None) == stepwise(asked, at)


# Every clock of +1: what a toll-free number may honestly be. Guam is a day ahead of Samoa.


def zones_of_code(code: int, first: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([first, *(place.zone for place in places_of_code(code))]))


NORTH_AMERICA = zones_of_code(1, "America/New_York")
STATES = tuple(zone for zone in NORTH_AMERICA if zone not in ("Pacific/Guam", "Pacific/Saipan"))
AUSTRALIA = zones_of_code(61, "Australia/Sydney")
REUNION_OR_MAYOTTE = ("Indian/Reunion", "Indian/Mayotte")
TWICE_TWO_HOURS = house(hours={"mon-sun": ["10:00-12:00", "14:00-16:00"]})
FOUR = attempts(*["2026-11-24 11:00"] * 4)
THREE = attempts("2026-11-24 17:00", "2026-11-24 20:00", "2026-11-26 18:00")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The zones that are judged from here on, in order."""
    zones: list[str] = []

    def note(case: Case) -> Finding:
        zones.append(str(case.zone))
        return None

    monkeypatch.setattr(judging, "RULES", ((Rule.CONSENT, note), *RULES))
    return zones


@pytest.mark.parametrize(
    ("asked", "asked_at", "expected", "most"),
    [
        pytest.param(
            matter("fr", relationship="contract"),
            "2026-11-24 21:00", "2026-11-25 10:00:00+01:00", 1, id="after hours",
        ),
        pytest.param(
            matter("fr", relationship="contract", attempts=FOUR,
                   tighten=house(closed=["2026-12-24"], caps=[(1, "1 day")], gap="10 days")),
            "2026-11-24 11:00", "2026-12-28 10:00:00+01:00", 5, id="a cap, a gap, Christmas",
        ),
        pytest.param(
            matter("fr", relationship="contract", attempts=FOUR, zones=REUNION_OR_MAYOTTE),
            "2026-11-24 21:00", "2026-12-24 11:00:00+04:00", 5, id="two zones and a cap",
        ),
        pytest.param(
            matter("none", zones=AUSTRALIA, tighten=house(hours={"mon-fri": ["09:00-20:00"]})),
            "2026-11-24 21:00", "2026-11-25 13:30:00+11:00", 4 * len(AUSTRALIA), id="Australia",
        ),
        pytest.param(
            matter("none", zones=STATES, attempts=THREE, tighten=house(
                hours={"mon-sat": ["08:00-21:00"]}, caps=[(3, "7 days")], gap="2 hours")),
            "2026-11-27 23:00", "2026-12-01 14:00:00-05:00", 3 * len(STATES), id="toll-free",
        ),
        pytest.param(
            matter("none", zones=NORTH_AMERICA, tighten=house(hours={"mon-fri": ["09:00-21:00"]})),
            "2026-11-27 23:00", "2026-11-30 18:00:00-05:00", 4 * len(NORTH_AMERICA), id="and Guam",
        ),
        pytest.param(
            matter("none", zones=(PARIS, "America/New_York"),
                   tighten=house(hours={"mon-sun": ["08:00-09:00", "13:00-14:00"]})),
            "2026-11-24 11:00", "2027-03-14 13:00:00+01:00", 100,
            id="open together only in the weeks when one has changed its clock",
        ),
        pytest.param(
            matter("none", zones=(PARIS, "Pacific/Auckland"),
                   tighten=house(hours={"mon-sun": ["12:00-13:00"]})),
            "2026-11-24 11:00", "", 150, id="two that never meet",
        ),
        pytest.param(
            matter("none", zones=NORTH_AMERICA, tighten=TWICE_TWO_HOURS),
            "2026-11-24 11:00", "", 500, id="22 that never meet",
        ),
        pytest.param(
            matter("fr", relationship="contract", zones=NORTH_AMERICA, tighten=TWICE_TWO_HOURS),
            "2026-11-24 11:00", "", 500, id="22 that never meet, with holidays",
        ),
    ],
)  # fmt: skip
def test_a_search_judges_few_zones(
    asked: Matter, asked_at: str, expected: str, most: int, judged: list[str]
) -> None:
    at = instant(asked_at, str(asked.zones[0]))
    first = judge(asked, at)
    judged.clear()
    found = next_allowed(asked, at, first)
    assert (found.isoformat(" ") if found else "") == expected
    assert len(judged) <= most <= MOST_ZONE_JUDGEMENTS


FREED = read_policy(
    """
id = "freed"
title = "Hours until February, none from then on"
[sources.s]
text = "a text"
confidence = "primary"
[[regimes]]
id = "hours"
title = "one"
from = 2026-01-01
until = 2027-01-31
[regimes.hours]
mon-sun = ["12:00-13:00"]
source = "s"
[[regimes]]
id = "none"
title = "two"
from = 2027-02-01
""",
    "freed.toml",
)


def test_weeks_all_alike_end_with_the_law_that_makes_them_so() -> None:
    """Paris and Auckland never meet at noon, and no clock changes before the law does.

    At noon in Paris on 31 January it is midnight in Auckland: February there, and no hours.
    """
    asked = matter(FREED, zones=(PARIS, "Pacific/Auckland"))
    assert next_at(asked, "2026-11-24 11:00") == "2027-01-31 12:00:00+01:00"


@pytest.mark.parametrize("day", range(14, 28))
def test_weeks_are_not_alike_when_a_clock_changed_in_the_one_before(day: int) -> None:
    """Saturdays are open in both places once Paris, on 25 October, is three hours behind."""
    hours = {"mon-fri": ["10:00-11:00"], "sat": ["10:00-11:00", "13:00-14:00"]}
    asked = matter("none", zones=(PARIS, "Indian/Reunion"), tighten=house(hours=hours))
    assert next_at(asked, f"2026-10-{day} 12:00") == "2026-10-31 10:00:00+01:00"


def test_a_search_that_judges_too_many_zones_has_no_answer(
    judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seldom = house(hours={"mon-sun": ["08:00-09:00", "13:00-14:00"]})
    asked = matter("none", zones=(PARIS, "America/New_York"), tighten=seldom)
    at = instant("2026-11-24 11:00")
    first = judge(asked, at)
    judged.clear()
    found = next_allowed(asked, at, first)
    needed = len(judged)
    assert found is not None
    monkeypatch.setattr(judging, "MOST_ZONE_JUDGEMENTS", needed)
    assert next_allowed(asked, at, first) == found
    monkeypatch.setattr(judging, "MOST_ZONE_JUDGEMENTS", needed - 1)
    judged.clear()
    assert next_allowed(asked, at, first) is None
    assert len(judged) == needed - 1


# --- What those properties found, and what they would need long to find


@pytest.mark.parametrize(
    ("zone", "hours", "asked_at", "expected"),
    [
        pytest.param(
            "Europe/Paris", "02:30-03:00", "2026-10-25T01:05:00+00:00",
            "2026-10-25T02:30:00+01:00", id="a window whose start is repeated opens twice",
        ),
        pytest.param(
            "Europe/Paris", "02:30-04:00", "2027-03-28T00:45:00+00:00",
            "2027-03-28T03:00:00+02:00", id="a window that starts in the skipped hour",
        ),
        pytest.param(
            "Africa/Cairo", "00:30-05:00", "2026-04-23T21:59:00+00:00",
            "2026-04-24T01:00:00+03:00", id="a window that starts in a skipped midnight hour",
        ),
        pytest.param(
            "Africa/Cairo", "00:00-00:30", "2026-04-23T20:59:00+00:00",
            "2026-04-25T00:00:00+03:00", id="a window that is skipped whole",
        ),
        pytest.param(
            "America/Havana", "00:15-00:45", "2025-11-02T04:50:00+00:00",
            "2025-11-02T00:15:00-05:00", id="a window in the repeated hour after midnight",
        ),
        pytest.param(
            "Australia/Lord_Howe", "01:45-02:00", "2026-04-04T15:00:00+00:00",
            "2026-04-05T01:45:00+10:30", id="a window repeated for half an hour",
        ),
    ],
)  # fmt: skip
def test_windows_on_the_night_of_a_change(
    zone: str, hours: str, asked_at: str, expected: str
) -> None:
    asked = matter("none", zones=zone, tighten=house(hours={"mon-sun": [hours]}))
    found = next_allowed(asked, datetime.fromisoformat(asked_at))
    assert found is not None
    assert found.isoformat() == expected


def test_an_attempt_with_a_fraction_of_a_second_is_waited_for_to_the_next_whole_one() -> None:
    made = (PastAttempt(instant("2026-11-24 11:00:00.250000"), Purpose.SALES),)
    asked = matter("none", zones="UTC", tighten=house(gap="2 hours"), attempts=made)
    assert next_at(asked, "2026-11-24 11:30") == "2026-11-24 13:00:01+00:00"


def test_an_attempt_exactly_as_old_as_a_rolling_period_no_longer_counts() -> None:
    made = (PastAttempt(instant("2026-11-24 11:00"), Purpose.SALES),)
    asked = matter("none", zones="UTC", tighten=house(caps=[(1, "48 hours")]), attempts=made)
    assert judge(asked, instant("2026-11-26 10:59:59")).refusals
    assert not judge(asked, instant("2026-11-26 11:00:00")).refusals


@pytest.mark.parametrize(("closed_days", "expected"), [(5, "2026-11-29 00:00:00+00:00"), (500, "")])
def test_next_is_looked_for_within_four_hundred_days(closed_days: int, expected: str) -> None:
    closed = [(date(2026, 11, 24) + timedelta(n)).isoformat() for n in range(closed_days)]
    asked = matter("none", zones="UTC", tighten=house(closed=closed))
    assert next_at(asked, "2026-11-24 11:00") == expected


def test_candidates_that_are_never_open_together_have_no_next() -> None:
    """Noon to one in Auckland is midnight in Europe, all year long."""
    zones = ("Europe/Paris", "Pacific/Auckland")
    asked = matter("none", zones=zones, tighten=house(hours={"mon-sun": ["12:00-13:00"]}))
    assert next_at(asked, "2026-11-24 11:00") == ""


def test_hours_that_leave_nothing_of_the_law_have_no_next() -> None:
    asked = matter("fr", relationship="contract", tighten=house(hours={"sat-sun": ["10:00-12:00"]}))
    assert next_at(asked, "2026-11-24 11:00") == ""


def test_next_of_an_allowed_instant_is_that_instant() -> None:
    at = instant("2026-11-24 11:00")
    assert next_allowed(matter("none"), at) == at


def test_next_is_on_the_first_candidates_clock() -> None:
    asked = matter("none", zones=("Indian/Mayotte", "Indian/Reunion"),
                   tighten=house(hours={"mon-sun": ["10:00-12:00"]}))  # fmt: skip
    assert next_at(asked, "2026-11-24 11:30") == "2026-11-25 10:00:00+03:00"
