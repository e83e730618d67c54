"""Every rule, in the order in which refusals are reported; each is a pure function in its file.

Two rules speak before there is a case (`number`, `campaign`: without a callee and terms there is
nothing to judge by); the others each take one case: one candidate place at one instant.
"""

from __future__ import annotations

from collections.abc import Callable

from dialwarden.rules.caller_id import judge_caller_id
from dialwarden.rules.case import Case
from dialwarden.rules.consent import judge_consent
from dialwarden.rules.frequency import judge_frequency
from dialwarden.rules.gap import judge_gap
from dialwarden.rules.holiday import judge_holiday
from dialwarden.rules.hours import judge_hours
from dialwarden.rules.objection import judge_objection
from dialwarden.rules.opposition import judge_list_stale, judge_opposition
from dialwarden.rules.sector import judge_sector
from dialwarden.verdict import Finding, Rule

RULES: tuple[tuple[Rule, Callable[[Case], Finding]], ...] = (
    (Rule.SECTOR, judge_sector),
    (Rule.CONSENT, judge_consent),
    (Rule.OPPOSITION, judge_opposition),
    (Rule.LIST_STALE, judge_list_stale),
    (Rule.OBJECTION, judge_objection),
    (Rule.CALLER_ID, judge_caller_id),
    (Rule.HOLIDAY, judge_holiday),
    (Rule.HOURS, judge_hours),
    (Rule.FREQUENCY, judge_frequency),
    (Rule.GAP, judge_gap),
)

# Those that look at the attempts on record; no other does.
OF_ATTEMPTS: tuple[Callable[[Case], Finding], ...] = (judge_frequency, judge_gap)
