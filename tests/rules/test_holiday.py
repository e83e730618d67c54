"""holiday: the regime's calendar and the campaign's own closed dates, by the callee's date."""

from __future__ import annotations

from datetime import date

import pytest

from dialwarden.policy.parse import read_policy
from dialwarden.question import Purpose
from dialwarden.rules.holiday import judge_holiday

from .situations import MARTINIQUE, PARIS, ROME, consented, finding, house, matter, until

CONTRACT = "contract"


@pytest.mark.parametrize(
    ("policy", "zone", "clock", "ends"),
    [
        pytest.param("fr", PARIS, "2026-11-10 23:59:59", "", id="the eve"),
        pytest.param("fr", PARIS, "2026-11-11 00:00:00", "2026-11-12 00:00:00+01:00", id="starts"),
        pytest.param("fr", PARIS, "2026-11-11 23:59:59", "2026-11-12 00:00:00+01:00", id="ends"),
        pytest.param("fr", PARIS, "2026-11-12 00:00:00", "", id="the day after"),
        pytest.param("fr", MARTINIQUE, "2026-11-11 20:30", "2026-11-12 00:00:00-04:00",
                     id="overseas, by its own date"),
        pytest.param("it-assocontact", ROME, "2026-12-25 11:00", "2026-12-27 00:00:00+01:00",
                     id="two in a row"),
        pytest.param("none", PARIS, "2026-12-25 11:00", "", id="no law, no holiday"),
    ],
)  # fmt: skip
def test_a_holiday_closes_the_callees_whole_date(
    policy: str, zone: str, clock: str, ends: str
) -> None:
    asked = matter(policy, zones=zone, relationship=CONTRACT)
    assert until(finding(judge_holiday, asked, clock)) == ends


@pytest.mark.parametrize(
    ("clock", "key", "source", "ends"),
    [
        ("2026-12-23 11:00", None, None, ""),
        ("2026-12-24 11:00", "closed_date", "tighten", "2026-12-27 00:00:00+01:00"),
        ("2026-12-25 11:00", "holiday", "Code", "2026-12-27 00:00:00+01:00"),
        ("2026-12-26 11:00", "closed_date", "tighten", "2026-12-27 00:00:00+01:00"),
        ("2026-12-27 11:00", None, None, ""),
    ],
)
def test_closed_dates_are_the_campaigns_and_join_the_holidays(
    clock: str, key: str | None, source: str | None, ends: str
) -> None:
    closed = house(closed=["2026-12-24", "2026-12-26"])
    refusal = finding(judge_holiday, matter("fr", tighten=closed, relationship=CONTRACT), clock)
    assert (refusal.reason.key if refusal else None) == key
    assert (refusal.source.split()[0] if refusal else None) == source
    assert until(refusal) == ends


def test_a_day_both_holiday_and_closed_is_told_as_a_holiday() -> None:
    asked = matter("fr", tighten=house(closed=["2026-12-25"]), relationship=CONTRACT)
    refusal = finding(judge_holiday, asked, "2026-12-25 11:00")
    assert refusal is not None
    assert refusal.reason.values == {"day": date(2026, 12, 25), "name": "Noël"}


@pytest.mark.parametrize(
    ("purpose", "policy", "refused"),
    [
        (Purpose.SALES, "it-assocontact", True),
        (Purpose.SURVEY, "it-assocontact", True),
        (Purpose.SERVICE, "it-assocontact", False),
        (Purpose.SALES, "fr", True),
        (Purpose.SURVEY, "fr", False),  # the text binds prospecting only
        (Purpose.SERVICE, "fr", False),
    ],
)
def test_a_holiday_is_a_day_like_another_for_the_purposes_the_law_leaves_out(
    purpose: Purpose, policy: str, refused: bool
) -> None:
    asked = matter(policy, zones=ROME, purpose=purpose, relationship=CONTRACT)
    assert (finding(judge_holiday, asked, "2026-12-25 11:00") is not None) is refused


@pytest.mark.parametrize(
    ("clock", "closed", "key"),
    [
        pytest.param("2026-07-14 11:00", (), None, id="old law: lifted"),
        pytest.param("2026-07-14 11:00", ("2026-07-14",), "closed_date", id="never the house's"),
        pytest.param("2026-11-11 11:00", (), "holiday", id="new law: not lifted"),
    ],
)
def test_a_good_consent_lifts_holidays_where_the_law_says_so(
    clock: str, closed: tuple[str, ...], key: str | None
) -> None:
    yes = consented("2026-05-04 11:00", complete=True)
    asked = matter("fr", tighten=house(closed=closed), consents=(yes,))
    refusal = finding(judge_holiday, asked, clock)
    assert (refusal.reason.key if refusal else None) == key


def test_a_pack_adds_and_removes_days() -> None:
    pack = read_policy(
        """
        id = "p"
        title = "t"
        [sources.s]
        text = "x"
        confidence = "primary"
        [[regimes]]
        id = "r"
        title = "t"
        from = 2020-01-01
        [regimes.holidays]
        calendar = "IT"
        add = { "2026-06-29" = "Santi Pietro e Paolo" }
        remove = [2026-06-02]
        source = "s"
        """,
        "p.toml",
    )
    asked = matter(pack, zones=ROME)
    added = finding(judge_holiday, asked, "2026-06-29 11:00")
    assert added is not None
    assert added.reason.values["name"] == "Santi Pietro e Paolo"
    assert finding(judge_holiday, asked, "2026-06-02 11:00") is None
    assert finding(judge_holiday, asked, "2027-06-02 11:00") is not None


@pytest.mark.parametrize(("days", "ends"), [(398, True), (401, False)])
def test_a_closure_of_more_than_a_year_has_no_end(days: int, ends: bool) -> None:
    first = date(2026, 11, 24).toordinal()
    closed = [date.fromordinal(first + n).isoformat() for n in range(days)]
    refusal = finding(judge_holiday, matter("none", tighten=house(closed=closed)),
                      "2026-11-24 11:00")  # fmt: skip
    assert refusal is not None
    assert (refusal.until is not None) is ends


def test_a_midnight_that_does_not_exist_ends_a_closed_day_an_hour_later() -> None:
    asked = matter("none", zones="Africa/Cairo", tighten=house(closed=["2026-04-23"]))
    found = finding(judge_holiday, asked, "2026-04-23 11:00")
    assert until(found) == "2026-04-24 01:00:00+03:00"
