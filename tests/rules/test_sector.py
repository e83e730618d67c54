"""sector: what may not be sold by telephone, and every exception that a ban may name."""

from __future__ import annotations

from datetime import date

import pytest

from dialwarden.facts import Consent
from dialwarden.policy.model import Policy
from dialwarden.question import Purpose
from dialwarden.verdict import NotJudged, Rule

from .packs import judged, key, of, pack, refusal, said
from .situations import CAMPAIGN, consented, instant, matter, next_at, objected, until

NOW = "2026-11-24 11:00"  # a Tuesday


def ban(more: str = "") -> Policy:
    return pack(f'[[regimes.sectors]]\nsectors = ["electricity", "gas"]\nsource = "law"\n{more}\n')


YES = consented("2026-09-01 11:00")
FOR_GAS = consented("2026-09-01 11:00", scope="gas")
FOR_POWER = consented("2026-09-01 11:00", scope="electricity")
FOR_CAMPAIGN = consented("2026-09-01 11:00", scope=CAMPAIGN)
FOR_SALES = consented("2026-09-01 11:00", scope="sales")
WITHDRAWN = consented("2026-09-01 11:00", scope="gas", withdrawn_at=instant("2026-09-02 11:00"))
LAPSED = consented("2026-09-01 11:00", scope="gas", until=date(2026, 11, 23))
LAST_DAY = consented("2026-09-01 11:00", scope="gas", until=date(2026, 11, 24))


@pytest.mark.parametrize(
    ("sector", "expected"),
    [
        ("gas", "sector"),
        ("electricity", "sector"),
        ("fibre", ""),
        ("", "?sector"),
    ],
)
def test_what_is_banned_is_refused_and_what_nobody_named_is_not_judged(
    sector: str, expected: str
) -> None:
    assert said(matter(ban(), sector=sector), NOW) == expected


@pytest.mark.parametrize(
    ("consent", "consents", "expected"),
    [
        ("none", (), "sector"),
        ("none", (YES, FOR_GAS, FOR_CAMPAIGN), "sector"),
        ("specific", (), "sector"),
        ("specific", (YES,), "sector"),
        ("specific", (FOR_SALES,), "sector"),
        ("specific", (FOR_POWER,), "sector"),
        ("specific", (FOR_GAS,), ""),
        ("specific", (FOR_CAMPAIGN,), ""),
        ("specific", (YES, FOR_GAS), ""),
        ("specific", (WITHDRAWN,), "sector"),
        ("specific", (LAPSED,), "sector"),
        ("specific", (LAST_DAY,), ""),
        ("any", (), "sector"),
        ("any", (YES,), ""),
        ("any", (FOR_SALES,), ""),
        ("any", (FOR_GAS,), ""),
        ("any", (FOR_POWER,), "sector"),  # it does not cover this call at all
        ("any", (WITHDRAWN,), "sector"),
    ],
)
def test_which_consent_lifts_a_ban(
    consent: str, consents: tuple[Consent, ...], expected: str
) -> None:
    asked = matter(ban(f'consent = "{consent}"'), sector="gas", consents=consents)
    assert said(asked, NOW) == expected


def test_a_consent_that_the_callee_went_back_on_lifts_no_ban() -> None:
    asked = matter(
        ban('consent = "specific"'),
        sector="gas",
        consents=(FOR_GAS,),
        objections=(objected("2026-10-01 11:00"),),
    )
    assert said(asked, NOW) == "sector&objection"


@pytest.mark.parametrize(
    ("consent", "reason"), [("none", "sector"), ("specific", "sector_consent"),
                            ("any", "sector_consent_any")]
)  # fmt: skip
def test_the_reason_says_whether_a_consent_would_help(consent: str, reason: str) -> None:
    found = refusal(matter(ban(f'consent = "{consent}"'), sector="gas"), NOW, Rule.SECTOR)
    assert (found.reason.key, found.source) == (reason, "the law")
    assert found.reason.values["sector"] == "gas"


@pytest.mark.parametrize(
    ("exempt", "relationship", "expected"),
    [
        ('exempt = ["contract", "request"]', "", "sector"),
        ('exempt = ["contract", "request"]', "contract", ""),
        ('exempt = ["contract", "request"]', "press", "sector"),
        ('exempt = ["contract", "request"]', "ended:2026-11-24", "sector"),
        ('exempt = ["contract", "request"]', "request:1999-01-01", ""),  # without a limit
        ('exempt = ["contract", "request"]', "request:2026-11-24", ""),
        ('exempt = ["contract", "request"]', "request:2026-11-25", "sector"),  # still to come
        ('exempt = ["ended"]', "ended:1999-01-01", ""),
        ('exempt = ["ended"]', "ended:2026-11-25", "sector"),
        # Five working days: of Tuesday 17 November the fifth is Tuesday the 24th.
        ('requested_within = "5 working days"', "request:2026-11-17", ""),
        ('requested_within = "5 working days"', "request:2026-11-16", "sector"),
        ('requested_within = "5 working days"', "request:2026-11-25", "sector"),
        ('requested_within = "5 working days"', "contract", "sector"),
        ('requested_within = "6 months"', "request:2026-05-25", ""),
        ('requested_within = "6 months"', "request:2026-05-24", "sector"),
        ('ended_within = "30 days"', "ended:2026-10-26", ""),  # the 29th day after it
        ('ended_within = "30 days"', "ended:2026-10-25", "sector"),
        ('ended_within = "30 days"', "request:2026-11-24", "sector"),
    ],
)
def test_which_relationship_lifts_a_ban(exempt: str, relationship: str, expected: str) -> None:
    asked = matter(ban(exempt), sector="gas", relationship=relationship)
    assert said(asked, NOW) == expected


HOLIDAYS = '[regimes.holidays]\ncalendar = "FR"\nsource = "law"\n'


@pytest.mark.parametrize(
    ("holidays", "relationship", "clock", "expected"),
    [
        # Wednesday 11 November 2026: of Friday the 6th the fifth working day is the 13th, or the
        # 16th where the law knows holidays.
        ("", "request:2026-11-06", "2026-11-13 11:00", ""),
        ("", "request:2026-11-06", "2026-11-16 11:00", "sector"),
        (HOLIDAYS, "request:2026-11-06", "2026-11-16 11:00", ""),
        (HOLIDAYS, "request:2026-11-06", "2026-11-17 11:00", "sector"),
    ],
)
def test_working_days_are_without_the_holidays_of_the_law(
    holidays: str, relationship: str, clock: str, expected: str
) -> None:
    sectors = '[[regimes.sectors]]\nsectors = ["gas"]\nsource = "law"\n'
    law = pack(holidays + sectors + 'requested_within = "5 working days"\n')
    assert said(matter(law, sector="gas", relationship=relationship), clock) == expected


@pytest.mark.parametrize("regional", ["advisory", "counted"])
def test_a_day_that_is_closed_in_a_region_alone_lengthens_no_exemption(regional: str) -> None:
    """Good Friday 2027 is 26 March: of Friday the 19th the fifth working day, or perhaps not."""
    law = pack(f"""
        [regimes.holidays]
        calendar = "FR"
        regional = "{regional}"
        source = "law"
        [[regimes.holidays.local]]
        regions = ["FR-57"]
        easter = -2
        name = "Vendredi saint"
        source = "law"
        [[regimes.sectors]]
        sectors = ["gas"]
        requested_within = "5 working days"
        source = "law"
    """)
    for region in ("FR", "FR-57"):
        asked = matter(law, sector="gas", relationship="request:2027-03-19", region=region)
        assert said(asked, "2027-03-25 11:00") == ""
        assert "sector" in said(asked, "2027-03-30 11:00")


@pytest.mark.parametrize(
    ("dates", "clock", "expected"),
    [
        ("from = 2026-06-19", "2026-06-18 23:59:59", ""),
        ("from = 2026-06-19", "2026-06-19 00:00:00", "sector"),
        ("until = 2026-06-19", "2026-06-19 23:59:59", "sector"),
        ("until = 2026-06-19", "2026-06-20 00:00:00", ""),
        ("from = 2026-06-19\nuntil = 2026-06-19", "2026-06-18 12:00:00", ""),
        ("from = 2026-06-19\nuntil = 2026-06-19", "2026-06-19 12:00:00", "sector"),
        ("from = 2026-06-19\nuntil = 2026-06-19", "2026-06-20 12:00:00", ""),
    ],
)
def test_a_ban_has_its_dates_within_the_regime(dates: str, clock: str, expected: str) -> None:
    assert said(matter(ban(dates), sector="gas"), clock) == expected
    # Of a campaign that does not say what it sells nothing is asked while there is no ban.
    unknown = "?sector" if expected else ""
    assert said(matter(ban(dates)), clock) == unknown


def test_a_ban_that_ends_is_waited_for_and_one_that_does_not_is_not() -> None:
    ending = matter(ban("until = 2026-11-30"), sector="gas")
    assert until(refusal(ending, NOW, Rule.SECTOR)) == "2026-12-01 00:00:00+01:00"
    assert next_at(ending, NOW) == "2026-12-01 00:00:00+01:00"
    endless = matter(ban(), sector="gas")
    assert until(refusal(endless, NOW, Rule.SECTOR)) == "never"
    assert next_at(endless, NOW) == ""


@pytest.mark.parametrize(
    ("purposes", "purpose", "expected"),
    [
        ('purposes = ["sales"]', Purpose.SALES, "sector"),
        ('purposes = ["sales"]', Purpose.SURVEY, ""),
        ('purposes = ["survey"]', Purpose.SURVEY, "sector"),
        ("", Purpose.SERVICE, "sector"),
    ],
)
def test_a_ban_binds_the_purposes_that_it_names(
    purposes: str, purpose: Purpose, expected: str
) -> None:
    assert said(matter(ban(purposes), sector="gas", purpose=purpose), NOW) == expected
    unknown = "?sector" if expected else ""
    assert said(matter(ban(purposes), purpose=purpose), NOW) == unknown


def test_each_ban_has_its_own_exceptions() -> None:
    two = pack("""
        [[regimes.sectors]]
        sectors = ["gas"]
        exempt = ["contract"]
        source = "law"
        [[regimes.sectors]]
        sectors = ["gas", "works"]
        consent = "any"
        source = "other"
    """)
    contract = matter(two, sector="gas", relationship="contract")
    assert refusal(contract, NOW, Rule.SECTOR).source == "another law"
    assert said(matter(two, sector="gas", consents=(YES,)), NOW) == "sector"
    both = matter(two, sector="gas", relationship="contract", consents=(YES,))
    assert said(both, NOW) == ""
    assert said(matter(two, sector="works", consents=(YES,)), NOW) == ""


def test_what_is_banned_is_named_to_a_campaign_that_does_not_say_what_it_sells() -> None:
    silence = of(judged(matter(ban()), NOW), Rule.SECTOR)
    assert isinstance(silence, NotJudged)
    assert silence.reason.values == {"campaign": CAMPAIGN, "banned": ("electricity", "gas")}


def test_what_two_bans_name_is_named_once() -> None:
    again = '[[regimes.sectors]]\nsectors = ["gas", "works"]\nsource = "other"\n'
    silence = of(judged(matter(ban(again)), NOW), Rule.SECTOR)
    assert silence is not None
    assert silence.reason.values["banned"] == ("electricity", "gas", "works")


def test_a_relationship_makes_an_unknown_sector_no_better_known() -> None:
    asked = matter(ban('exempt = ["contract"]'), relationship="contract")
    assert key(asked, NOW, Rule.SECTOR) == "sector_unknown"
