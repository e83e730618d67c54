"""objection: a no holds as long as the law at the call says, or until a later good yes."""

from __future__ import annotations

import pytest

from dialwarden.facts import Consent, Objection, Scope
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.rules.objection import judge_objection

from .situations import CAMPAIGN, MARTINIQUE, ROME, consented, finding, instant, matter, objected
from .situations import until as ends


@pytest.mark.parametrize(
    ("clock", "until"),
    [
        pytest.param("2026-03-02 18:00", "2026-05-02 00:00:00+02:00", id="the same day"),
        pytest.param("2026-05-01 23:59:59", "2026-05-02 00:00:00+02:00", id="sixtieth full day"),
        pytest.param("2026-05-02 00:00:00", "", id="the day after it"),
    ],
)
def test_old_french_law_sixty_full_days(clock: str, until: str) -> None:
    """From 2 March: 29 days of March, 30 of April, 1 of May."""
    assert ends(finding(judge_objection, matter("fr", objections=(objected("2026-03-02 11:00"),)),
                        clock)) == until  # fmt: skip


def test_the_newest_of_several_counts_in_whatever_order() -> None:
    noes = (objected("2026-03-02 11:00"), objected("2026-04-01 11:00"))
    for given in (noes, noes[::-1]):
        asked = matter("fr", objections=given)
        assert ends(finding(judge_objection, asked, "2026-05-04 11:00")) == (
            "2026-06-01 00:00:00+02:00"
        )


def test_the_day_of_a_no_is_the_callees_own() -> None:
    """00:30 on 3 March in Paris is 2 March in Martinique."""
    asked = matter("fr", zones=MARTINIQUE, objections=(objected("2026-03-03 00:30"),))
    refusal = finding(judge_objection, asked, "2026-04-01 11:00")
    assert ends(refusal) == "2026-05-02 00:00:00-04:00"
    assert refusal is not None
    assert refusal.reason.values["days"] == Period(days=60)


@pytest.mark.parametrize(
    ("policy", "purpose", "relationship", "clock", "until"),
    [
        pytest.param("fr", Purpose.SALES, "", "2027-11-24 11:00", "never", id="new French law"),
        pytest.param("fr", Purpose.SALES, "contract", "2026-10-30 11:00",
                     "2026-10-31 00:00:00+01:00", id="a contract keeps the sixty days"),
        pytest.param("fr", Purpose.SALES, "press", "2026-10-30 11:00",
                     "2026-10-31 00:00:00+01:00", id="so does the press"),
        pytest.param("fr", Purpose.SALES, "contract", "2026-10-31 11:00", "", id="and no more"),
        pytest.param("fr", Purpose.SALES, "ended:2026-08-30", "2026-10-30 11:00", "never",
                     id="a contract that ended does not"),
        pytest.param("fr", Purpose.SURVEY, "", "2027-11-24 11:00", "never",
                     id="a purpose the law does not bind"),
        pytest.param("it-assocontact", Purpose.SALES, "", "2027-11-24 11:00", "never", id="Italy"),
        pytest.param("it-assocontact", Purpose.SERVICE, "contract", "2027-11-24 11:00", "never",
                     id="Italy, service"),
        pytest.param("none", Purpose.SERVICE, "contract", "2027-11-24 11:00", "never",
                     id="no law at all"),
    ],
)  # fmt: skip
def test_elsewhere_a_no_has_no_end(
    policy: str, purpose: Purpose, relationship: str, clock: str, until: str
) -> None:
    no = objected("2026-08-31 11:00")
    asked = matter(policy, purpose=purpose, relationship=relationship, objections=(no,))
    assert ends(finding(judge_objection, asked, clock)) == until


@pytest.mark.parametrize(
    ("objection", "refused"),
    [
        (Objection(instant("2026-09-01 11:00")), True),
        (Objection(instant("2026-09-01 11:00"), Scope.ALL), True),
        (Objection(instant("2026-09-01 11:00"), Scope.CAMPAIGN, CAMPAIGN), True),
        (Objection(instant("2026-09-01 11:00"), Scope.CAMPAIGN, "another"), False),
        # The campaign of a wider objection is where it was said, not how far it reaches.
        (Objection(instant("2026-09-01 11:00"), Scope.PROFESSIONAL, "another"), True),
    ],
)
def test_how_far_an_objection_reaches(objection: Objection, refused: bool) -> None:
    asked = matter("none", objections=(objection,))
    assert (finding(judge_objection, asked, "2026-11-24 11:00") is not None) is refused


NO = objected("2026-09-14 11:00", ROME)


@pytest.mark.parametrize(
    ("consent", "refused"),
    [
        pytest.param(consented("2026-09-14 11:00:01", ROME), False, id="a second later"),
        pytest.param(consented("2026-09-14 11:00", ROME), True, id="the same instant"),
        pytest.param(consented("2026-09-13 11:00", ROME), True, id="the day before"),
        pytest.param(consented("2026-10-01 11:00", ROME, scope="another"), True, id="not for this"),
        pytest.param(consented("2026-10-01 11:00", ROME, scope=CAMPAIGN), False, id="for this"),
        pytest.param(
            consented("2026-10-01 11:00", ROME, withdrawn_at=instant("2026-10-02 11:00")), True,
            id="withdrawn",
        ),
        pytest.param(
            consented("2026-10-01 11:00", ROME, until=instant("2026-11-23 00:00").date()), True,
            id="lapsed: the no is all that is left",
        ),
    ],
)  # fmt: skip
def test_a_later_good_consent_ends_an_objection(consent: Consent, refused: bool) -> None:
    asked = matter("it-assocontact", zones=ROME, objections=(NO,), consents=(consent,))
    assert (finding(judge_objection, asked, "2026-11-24 11:00") is not None) is refused
    # A law without any word on consents reads them alike.
    asked = matter("none", zones=ROME, objections=(NO,), consents=(consent,))
    assert (finding(judge_objection, asked, "2026-11-24 11:00") is not None) is refused


def test_a_no_after_a_yes_after_a_no_stands() -> None:
    noes = (objected("2026-10-05 11:00"), objected("2026-09-01 11:00"))
    asked = matter("none", objections=noes, consents=(consented("2026-09-20 11:00"),))
    refusal = finding(judge_objection, asked, "2026-11-24 11:00")
    assert refusal is not None
    assert refusal.reason.values["said"] == instant("2026-10-05 09:00")


def test_an_objection_to_another_campaign_overrules_no_consent_of_this_one() -> None:
    other = Objection(instant("2026-10-05 11:00"), Scope.CAMPAIGN, "another")
    noes = (other, objected("2026-09-01 11:00"))
    asked = matter("none", objections=noes, consents=(consented("2026-09-20 11:00"),))
    assert finding(judge_objection, asked, "2026-11-24 11:00") is None
