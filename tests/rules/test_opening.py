"""When the calendar opens next, as a refused person is told: across holidays, eves and regimes."""

from __future__ import annotations

import pytest

from dialwarden.facts import Appointment
from dialwarden.policy.parse import read_policy
from dialwarden.rules.case import Matter
from dialwarden.rules.judge import judge

from .situations import PARIS, ROME, consented, house, instant, matter

LATER = read_policy(
    """
id = "later"
title = "An hour earlier from 2027"
country = "FR"
[sources.s]
text = "a text"
confidence = "primary"
[[regimes]]
id = "one"
title = "one"
from = 2026-01-01
until = 2026-12-31
[regimes.hours]
mon-fri = ["10:00-20:00"]
source = "s"
[[regimes]]
id = "two"
title = "two"
from = 2027-01-01
[regimes.hours]
mon-sun = ["09:00-20:00"]
source = "s"
""",
    "later.toml",
)
YES = (consented("2026-09-01 11:00"),)
SUNDAY = Appointment(
    instant("2026-12-27 18:00", PARIS), agreed_at=instant("2026-12-01 11:00", PARIS)
)


@pytest.mark.parametrize(
    ("asked", "at", "rule", "opens"),
    [
        pytest.param(
            matter("fr", consents=YES), "2026-12-24 20:50", "hours",
            "2026-12-28 10:00:00+01:00", id="Christmas and a weekend between",
        ),
        pytest.param(
            matter("fr", consents=YES), "2026-12-25 11:00", "holiday",
            "2026-12-28 10:00:00+01:00", id="a holiday, and a weekend behind it",
        ),
        pytest.param(
            matter("fr", consents=YES), "2026-11-24 13:30", "hours",
            "2026-11-24 14:00:00+01:00", id="the same afternoon",
        ),
        pytest.param(
            matter("fr", consents=YES, tighten=house(closed=["2026-12-28"])), "2026-12-25 11:00",
            "holiday", "2026-12-29 10:00:00+01:00", id="a date that the house closed",
        ),
        pytest.param(
            matter("fr", consents=YES, appointments=(SUNDAY,)), "2026-12-24 20:50", "hours",
            "2026-12-27 17:50:00+01:00", id="an appointment before it",
        ),
        pytest.param(
            matter("it-garante", zones=ROME), "2026-12-24 19:15", "hours",
            "2026-12-28 09:00:00+01:00", id="an Italian eve",
        ),
        pytest.param(
            matter(LATER), "2026-12-31 20:30", "hours",
            "2027-01-01 09:00:00+01:00", id="the hours of the law to come",
        ),
        pytest.param(
            matter("fr"), "2026-08-10 20:30", "hours",
            "2026-08-11 10:00:00+02:00", id="a law to come that asks for a consent besides",
        ),
    ],
)  # fmt: skip
def test_what_a_person_is_told_is_when_the_calendar_opens(
    asked: Matter, at: str, rule: str, opens: str
) -> None:
    judgement = judge(asked, instant(at, str(asked.zones[0])))
    (told,) = [one.reason.values["opens"] for one in judgement.refusals if one.rule == rule]
    assert str(told) == opens
