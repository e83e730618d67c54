"""consent: required by opt-in laws, good for a time, and what is wrong with one that is not."""

from __future__ import annotations

from datetime import date

import pytest

from dialwarden.facts import Consent
from dialwarden.policy.model import Policy
from dialwarden.question import Purpose
from dialwarden.reasons import LANGUAGES, sentence
from dialwarden.rules.case import last_good_day
from dialwarden.rules.consent import judge_consent
from dialwarden.verdict import Rule

from .packs import key, pack, said
from .situations import (
    CAMPAIGN,
    MARTINIQUE,
    PARIS,
    consented,
    finding,
    instant,
    matter,
    objected,
)


@pytest.mark.parametrize(
    ("policy", "purpose", "relationship", "clock", "refused"),
    [
        ("fr", Purpose.SALES, "", "2026-08-10 23:59:59", False),
        ("fr", Purpose.SALES, "", "2026-08-11 00:00:00", True),
        ("fr", Purpose.SALES, "contract", "2026-08-11 11:00", False),
        ("fr", Purpose.SALES, "press", "2026-08-11 11:00", False),
        ("fr", Purpose.SALES, "ended:2026-08-10", "2026-08-11 11:00", True),
        # Five working days after a request are for energy renovation alone: no pack says so yet.
        ("fr", Purpose.SALES, "request:2026-08-10", "2026-08-11 11:00", True),
        ("fr", Purpose.SURVEY, "", "2026-08-11 11:00", False),
        ("fr", Purpose.SERVICE, "", "2026-08-11 11:00", False),
        ("it-assocontact", Purpose.SALES, "", "2026-11-24 11:00", False),
        ("none", Purpose.SALES, "", "2026-11-24 11:00", False),
    ],
)
def test_who_needs_a_consent(
    policy: str, purpose: Purpose, relationship: str, clock: str, refused: bool
) -> None:
    asked = matter(policy, purpose=purpose, relationship=relationship)
    assert (finding(judge_consent, asked, clock) is not None) is refused


@pytest.mark.parametrize(
    ("consents", "key"),
    [
        pytest.param((), "consent_none", id="none on file"),
        pytest.param((consented("2026-09-01 11:00"),), None, id="good"),
        pytest.param((consented("2026-09-01 11:00", scope=CAMPAIGN),), None, id="for the campaign"),
        pytest.param((consented("2026-09-01 11:00", scope="sales"),), None, id="for the purpose"),
        pytest.param((consented("2026-09-01 11:00", scope="solar"),), None, id="for the sector"),
        pytest.param(
            (consented("2026-09-01 11:00", scope="survey"),), "consent_scope", id="for surveys"
        ),
        pytest.param((consented("2026-09-01 11:00", scope=""),), "consent_scope", id="for nothing"),
        pytest.param(
            (consented("2026-09-01 11:00", withdrawn_at=instant("2026-09-02 11:00")),),
            "consent_withdrawn", id="withdrawn",
        ),
        pytest.param((consented("2026-08-10 11:00"),), "consent_incomplete", id="of the old law"),
        pytest.param((consented("2026-08-10 11:00", complete=True),), None, id="and complete"),
        pytest.param((consented("2026-10-01 11:00"),), "consent_overruled", id="before the no"),
        pytest.param((consented("2026-11-24 11:00:01"),), "consent_not_yet", id="a second early"),
        pytest.param((consented("2026-11-24 11:00:00"),), None, id="given this very second"),
        pytest.param(
            (consented("2026-09-01 11:00", until=date(2026, 11, 23)),), "consent_lapsed",
            id="ended yesterday",
        ),
        pytest.param(
            (consented("2026-09-01 11:00", until=date(2026, 11, 24)),), None, id="ends today"
        ),
        pytest.param(
            (consented("2025-11-24 11:00", complete=True),), "consent_lapsed", id="a year old"
        ),
        pytest.param(
            (consented("2025-11-25 11:00", complete=True),), None, id="a year old tomorrow"
        ),
        pytest.param(
            (consented("2026-11-02 11:00", scope="another"), consented("2026-09-01 11:00")), None,
            id="an older one is good",
        ),
        pytest.param(
            (consented("2026-11-02 11:00", scope="another"), consented("2026-08-03 11:00")),
            "consent_scope", id="none is good: the newest is told of",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_consent_is_told(
    consents: tuple[Consent, ...], key: str | None
) -> None:
    noes = (objected("2026-10-05 11:00"),) if key == "consent_overruled" else ()
    asked = matter("fr", sector="solar", consents=consents, objections=noes)
    refusal = finding(judge_consent, asked, "2026-11-24 11:00")
    assert (refusal.reason.key if refusal else None) == key
    if refusal is not None:
        assert refusal.until is None, "a consent is given, it does not ripen"
        assert "L. 223-1" in refusal.source
        for language in LANGUAGES:
            assert "?" not in sentence(refusal.reason, language)


@pytest.mark.parametrize(
    ("given", "own", "years", "last"),
    [
        (date(2026, 8, 11), None, 1, date(2027, 8, 10)),
        (date(2026, 8, 11), date(2027, 8, 11), 1, date(2027, 8, 10)),
        (date(2026, 8, 11), date(2026, 12, 31), 1, date(2026, 12, 31)),
        (date(2027, 1, 1), None, 1, date(2027, 12, 31)),
        (date(2028, 2, 29), None, 1, date(2029, 2, 28)),
        (date(2028, 2, 29), None, 4, date(2032, 2, 28)),
        (date(2027, 2, 28), None, 1, date(2028, 2, 27)),
        (date(2027, 3, 1), None, 1, date(2028, 2, 29)),
        (date(2026, 8, 11), None, None, date.max),
        (date(2026, 8, 11), date(2030, 1, 1), None, date(2030, 1, 1)),
    ],
)
def test_the_last_good_day(given: date, own: date | None, years: int | None, last: date) -> None:
    consent = Consent(instant(f"{given} 12:00"), until=own)
    assert last_good_day(consent, given, years) == last


# --- For which calls one is required, and what stands in for it

NOW = "2026-11-24 11:00"
YES = (consented("2026-09-01 11:00"),)


def law(more: str, rest: str = "") -> Policy:
    return pack(f'[regimes.consent]\nrequired = true\nsource = "law"\n{more}\n{rest}')


@pytest.mark.parametrize(
    ("unlisted", "consents", "relationship", "expected"),
    [
        (True, (), "", "consent"),
        (False, (), "", ""),
        (None, (), "", "?consent"),
        (True, YES, "", ""),
        (None, YES, "", ""),
        (True, (), "contract", ""),
        (None, (), "contract", ""),
        (None, (), "press", "?consent"),
    ],
)
def test_a_consent_for_numbers_in_no_directory(
    unlisted: bool | None, consents: tuple[Consent, ...], relationship: str, expected: str
) -> None:
    asked = matter(
        law('when = "unlisted"\nexempt = ["contract"]'),
        unlisted=unlisted,
        consents=consents,
        relationship=relationship,
    )
    assert said(asked, NOW) == expected


@pytest.mark.parametrize(
    ("dial", "consents", "expected"),
    [
        ("automatic", (), "consent"),
        ("manual", (), ""),
        ("", (), "?consent"),
        ("automatic", YES, ""),
        ("", YES, ""),
    ],
)
def test_a_consent_for_machines(dial: str, consents: tuple[Consent, ...], expected: str) -> None:
    assert said(matter(law('when = "automatic"'), dial=dial, consents=consents), NOW) == expected


@pytest.mark.parametrize(
    ("when", "reason"),
    [("unlisted", "consent_directory_unknown"), ("automatic", "consent_dial_unknown"),
     ("always", "consent_none")],
)  # fmt: skip
def test_what_is_not_judged_says_what_is_missing(when: str, reason: str) -> None:
    assert key(matter(law(f'when = "{when}"')), NOW, Rule.CONSENT) == reason


@pytest.mark.parametrize(
    ("exempt", "relationship", "refused"),
    [
        ('exempt = ["contract", "press"]', "contract", False),
        ('exempt = ["contract", "press"]', "request:2026-11-24", True),
        ('exempt = ["request"]', "request:2020-01-01", False),
        ('exempt = ["request"]', "request:2026-11-25", True),  # still to come
        ('ended_within = "18 months"', "ended:2025-05-25", False),
        ('ended_within = "18 months"', "ended:2025-05-24", True),
        ('ended_within = "18 months"', "ended:2026-11-25", True),
        ('ended_within = "18 months"', "contract", True),
        ('requested_within = "3 months"', "request:2026-08-25", False),
        ('requested_within = "3 months"', "request:2026-08-24", True),
        ('requested_within = "1 day"', "request:2026-11-24", False),
        ('requested_within = "1 day"', "request:2026-11-23", True),
        ('exempt = ["press"]\nended_within = "1 day"', "press", False),
        ('exempt = ["press"]\nended_within = "1 day"', "ended:2026-11-24", False),
        ('exempt = ["press"]\nended_within = "1 day"', "contract", True),
    ],
)
def test_a_relationship_stands_in_for_a_consent_for_a_time(
    exempt: str, relationship: str, refused: bool
) -> None:
    asked = matter(law(exempt), relationship=relationship)
    assert (said(asked, NOW) == "consent") is refused


def test_a_relationship_is_dated_by_the_callees_own_calendar() -> None:
    """At 00:30 on the 24th in Paris it is the 23rd in Martinique."""
    asked = matter(law('requested_within = "1 day"'), relationship="request:2026-11-23")
    assert said(asked, "2026-11-24 00:30") == "consent"
    overseas = matter(
        law('requested_within = "1 day"'),
        zones=MARTINIQUE,
        relationship="request:2026-11-23",
    )
    assert said(overseas, "2026-11-24 00:30", PARIS) == ""


BAN = """
[[regimes.sectors]]
sectors = ["works"]
exempt = ["contract"]
requested_within = "5 working days"
request_consents = true
source = "other"
"""


@pytest.mark.parametrize(
    ("sector", "relationship", "consents", "expected"),
    [
        # What may be sold only on request needs no consent besides it, for as long.
        ("works", "request:2026-11-17", (), ""),
        ("works", "request:2026-11-16", (), "sector&consent"),
        ("works", "request:2026-11-16", YES, "sector"),
        # A contract lifts the ban and not the consent: this law does not say so.
        ("works", "contract", (), "consent"),
        # Of what is not banned a request says nothing.
        ("gas", "request:2026-11-17", (), "consent"),
        ("", "request:2026-11-17", (), "consent ?sector"),
    ],
)
def test_a_request_in_a_banned_sector_stands_in_for_the_consent(
    sector: str, relationship: str, consents: tuple[Consent, ...], expected: str
) -> None:
    asked = matter(law("", BAN), sector=sector, relationship=relationship, consents=consents)
    assert said(asked, NOW) == expected


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [(Purpose.SALES, "consent"), (Purpose.SURVEY, ""), (Purpose.SERVICE, "")],
)
def test_a_consent_is_required_for_the_purposes_named(purpose: Purpose, expected: str) -> None:
    assert said(matter(law('purposes = ["sales"]'), purpose=purpose), NOW) == expected
