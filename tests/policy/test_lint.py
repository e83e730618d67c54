"""A policy file's author is told every fault and every doubt, each with its line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.errors import Problem
from dialwarden.policy.lint import Findings, lint
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import read_policy

TODAY = date(2026, 11, 22)

HEAD = """\
id = "p"
title = "A pack"
country = "FR"

[sources.law]
text = "A text"
read = 2026-11-21
confidence = "primary"

"""
# The header of the regime is line 10; what is appended begins on line 14.
REGIME = """\
[[regimes]]
id = "r"
title = "A regime"
from = 2026-01-01
"""
# With what is asked of every regime; the next line is 20.
WHOLE = (
    REGIME
    + """\
[regimes.hours]
mon = ["10:00-13:00"]
source = "law"
[regimes.objection]
days = 60
source = "law"
"""
)


def look(text: str, bases: dict[str, Policy] | None = None, file: str = "packs/p.toml") -> Findings:
    bases = bases or {}
    return lint(text, file, bases=bases, taken=frozenset(bases), today=TODAY)


def told(problems: tuple[Problem, ...]) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.key, problem.message) for problem in problems]


def hours(line: str) -> str:
    return HEAD + REGIME + f'[regimes.hours]\n{line}\nsource = "law"\n'


def second(start: str, head: str = HEAD + REGIME) -> str:
    return head + f'[[regimes]]\nid = "s"\ntitle = "t"\nfrom = {start}\n'


# name, text, line, key, part of the message
ERRORS: list[tuple[str, str, int, str, str]] = [
    ("no TOML", "id = \n", 1, "", "no TOML"),
    ("an id that is missing", HEAD.replace('id = "p"', "") + REGIME, 1, "id", "missing"),
    ("windows that overlap", hours('mon = ["10:00-13:00", "12:00-14:00"]'), 15,
     "regimes[1].hours.mon", "windows 10:00-13:00 and 12:00-14:00 overlap"),
    ("a window that ends before its start", hours('mon = ["13:00-10:00"]'), 15,
     "regimes[1].hours.mon", "ends at or before its start"),
    ("a window over midnight", hours('mon = ["22:00-02:00"]'), 15,
     "regimes[1].hours.mon", "a window that crosses midnight is two"),
    ("regimes that overlap", second("2026-07-01", HEAD + REGIME + "until = 2026-07-01\n"), 15,
     "regimes[2]", "r is in force until 2026-07-01 but s starts 2026-07-01"),
    ("regimes that overlap, the later one first",
     HEAD + '[[regimes]]\nid = "s"\ntitle = "t"\nfrom = 2026-07-01\n' + REGIME, 10,
     "regimes[1]", "r is in force until further notice but s starts 2026-07-01"),
    ("a hole between regimes", second("2026-07-01", HEAD + REGIME + "until = 2026-06-29\n"), 15,
     "regimes[2]", "no regime from 2026-06-30 to 2026-06-30"),
    ("a source that is missing", HEAD + REGIME + "[regimes.evidence]\nyears = 3\n", 14,
     "regimes[1].evidence.source", "missing"),
    ("a source that is unknown", hours('mon = ["10:00-13:00"]').replace(
        'source = "law"', 'source = "lex"'), 16, "regimes[1].hours.source",
     "found 'lex'; allowed: law"),
    ("a key that is unknown", HEAD + REGIME + 'untill = "x"\n', 14, "regimes[1].untill",
     "unknown key; did you mean until?"),
    ("a regime that extends an unknown one", HEAD + REGIME + 'extends = "q"\n', 14,
     "regimes[1].extends", "found 'q'; allowed: an earlier regime (none yet)"),
    ("a date that is none", HEAD + REGIME + 'until = "2026-02-30"\n', 14, "regimes[1].until",
     "allowed: a date such as 2026-12-24"),
    ("a period that is none", HEAD + REGIME
     + '[[regimes.caps]]\nmax = 4\nperiod = "a month"\nsource = "law"\n', 16,
     "regimes[1].caps[1].period", "'a month' is no period"),
    ("a policy that extends an unknown one", HEAD.replace("\n\n", '\nextends = "q"\n\n', 1), 4,
     "extends", 'found "q"; allowed policies: none is configured'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "key", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_an_error_is_told_with_its_line(text: str, line: int, key: str, message: str) -> None:
    (problem,) = look(text).errors
    assert (problem.file, problem.line, problem.key) == ("packs/p.toml", line, key)
    assert message in problem.message


def test_windows_that_touch_are_fine() -> None:
    assert look(hours('mon = ["10:00-13:00", "13:00-14:00"]')).errors == ()


def test_every_error_is_told_at_once_and_doubts_besides() -> None:
    text = HEAD.replace("read = 2026-11-21\n", "") + REGIME + "x = 1\ny = 2\n"
    found = look(text)
    assert [problem.key for problem in found.errors] == ["regimes[1].x", "regimes[1].y"]
    assert [problem.key for problem in found.warnings] == ["sources.law", "sources.law"]


def test_an_id_that_is_taken_is_an_error_where_it_stands() -> None:
    other = read_policy(HEAD + WHOLE, "other.toml")
    found = look(HEAD + WHOLE, {"p": other})
    assert told(found.errors) == [(1, "id", "'p' is taken by other.toml; choose another")]


def test_an_id_that_may_be_taken_is_a_doubt() -> None:
    other = read_policy(HEAD + WHOLE, "own/p.toml")
    found = lint(HEAD + WHOLE, "p.toml", bases={"p": other}, taken=(), today=TODAY)
    assert found == Findings((), (Problem("p.toml", "id", 1, "takes the place of own/p.toml"),))


SECTOR = '[[regimes.sectors]]\nsectors = ["gas"]\nsource = "law"\n'
NUMBER = '[[regimes.caller_id]]\nidentified = true\nsource = "law"\n'
HOLIDAYS = '[regimes.holidays]\ncalendar = "FR"\nsource = "law"\n'
ENDED = WHOLE.replace("[regimes.hours]", "until = 2026-12-31\n[regimes.hours]")
REFUSED = "every question of those days would be refused"

# name, text, then for each warning: line, key, message
WARNINGS: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    ("nothing to say", HEAD + WHOLE, []),
    ("a source that nothing quotes", HEAD + REGIME, [
        (5, "sources.law", "no figure quotes it; quote it or take it out"),
        (10, "regimes[1]", "no hours: no time of day is refused"),
        (10, "regimes[1]", "no objection rule: a no holds without end"),
    ]),
    ("a source without its day", HEAD.replace("read = 2026-11-21\n", "") + WHOLE,
     [(5, "sources.law", "says not when it was read; add read = DATE")]),
    ("a source read today", HEAD.replace("11-21", "11-22") + WHOLE, []),
    ("a source read tomorrow", HEAD.replace("11-21", "11-23") + WHOLE,
     [(7, "sources.law.read", "found 2026-11-23, which is yet to come: today is 2026-11-22")]),
    ("what was read for certain", HEAD.replace("primary", "transcribed") + WHOLE, []),
    ("what was read in the press", HEAD.replace("primary", "secondary") + WHOLE,
     [(8, "sources.law.confidence",
       "secondary; what rests on it: regimes[1].hours, regimes[1].objection")]),
    ("what was not read, an exemption too", HEAD.replace("primary", "unverified") + WHOLE
     + '[[regimes.lists]]\nname = "l"\nexempt = ["press"]\nexempt_source = "law"\nsource = "law"\n',
     [(8, "sources.law.confidence",
       "unverified; what rests on it: regimes[1].hours, regimes[1].objection, "
       "regimes[1].lists[1].exempt_source, regimes[1].lists[1]")]),
    ("a holiday within its regime", HEAD + ENDED + HOLIDAYS
     + 'add = { "2026-01-01" = "x", "2026-12-31" = "y" }\n',
     [(14, "regimes[1].until", f"no regime in force from 2027-01-01: {REFUSED}")]),
    ("holidays outside their regime", HEAD + WHOLE + HOLIDAYS
     + 'add = { "2025-12-31" = "x" }\nremove = [2026-05-01, 2025-05-01]\n', [
        (23, 'regimes[1].holidays.add.2025-12-31',
         "2025-12-31 lies outside the regime, from 2026-01-01"),
        (24, "regimes[1].holidays.remove[2]",
         "2025-05-01 lies outside the regime, from 2026-01-01"),
    ]),
    ("a region's holidays outside the regime", HEAD + WHOLE
     + '[[regimes.regions]]\nregions = ["FR-57"]\n[regimes.regions.holidays]\ncalendar = "FR"\n'
     'remove = [2025-05-01]\nsource = "law"\n',
     [(24, "regimes[1].regions[1].holidays.remove[1]",
       "2025-05-01 lies outside the regime, from 2026-01-01")]),
    ("a ban within its regime", HEAD + WHOLE + SECTOR + "from = 2026-01-01\n", []),
    ("a ban that begins too early", HEAD + WHOLE + SECTOR + "from = 2025-12-31\n",
     [(23, "regimes[1].sectors[1].from",
       "found 2025-12-31; the regime is in force from 2026-01-01")]),
    ("a ban that is over before it begins", HEAD + WHOLE + SECTOR + "until = 2025-12-31\n",
     [(23, "regimes[1].sectors[1].until",
       "never in force: the regime is, from 2026-01-01")]),
    ("a number's rule that ends too late", HEAD + ENDED + NUMBER + "until = 2027-01-01\n", [
        (14, "regimes[1].until", f"no regime in force from 2027-01-01: {REFUSED}"),
        (24, "regimes[1].caller_id[1].until",
         "found 2027-01-01; the regime is in force from 2026-01-01 through 2026-12-31"),
    ]),
    ("a number's rule that begins too late", HEAD + ENDED + NUMBER + "from = 2027-01-01\n", [
        (14, "regimes[1].until", f"no regime in force from 2027-01-01: {REFUSED}"),
        (24, "regimes[1].caller_id[1].from",
         "never in force: the regime is, from 2026-01-01 through 2026-12-31"),
    ]),
    ("an end in the past", HEAD + ENDED.replace("2026-12-31", "2026-11-21"),
     [(14, "regimes[1].until",
       f"no regime in force from 2026-11-22: {REFUSED}")]),
    ("an end today", HEAD + ENDED.replace("2026-12-31", "2026-11-22"),
     [(14, "regimes[1].until", f"no regime in force from 2026-11-23: {REFUSED}")]),
    ("a beginning to come", HEAD + WHOLE.replace("2026-01-01", "2026-11-23"),
     [(13, "regimes[1].from", f"no regime in force before 2026-11-23: {REFUSED}")]),
    ("an id unlike the file's name", HEAD.replace('"p"', '"q"') + WHOLE,
     [(1, "id", "found 'q', but the file is called p; name them alike")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "warnings"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS]
)
def test_a_doubt_is_told_with_its_line(text: str, warnings: list[tuple[int, str, str]]) -> None:
    found = look(text)
    assert found.errors == ()
    assert told(found.warnings) == warnings


BASE = """\
id = "base"
title = "The base"
country = "FR"
[sources.law]
text = "A text"
read = 2026-11-21
confidence = "primary"
[[regimes]]
id = "b-2026"
title = "The regime"
from = 2026-01-01
purposes = ["sales", "survey"]
[regimes.hours]
mon-tue = ["10:00-13:00", "14:00-20:00"]
eve = ["10:00-19:00"]
source = "law"
[regimes.holidays]
calendar = "FR"
add = { "2026-06-01" = "A day" }
regional = "advisory"
subdivisions = true
source = "law"
[[regimes.holidays.local]]
regions = ["FR-57", "FR-67"]
easter = -2
name = "Vendredi saint"
source = "law"
[[regimes.caps]]
max = 4
period = "30 days"
source = "law"
[[regimes.gaps]]
period = "72 hours"
after = "silent"
agent_first = true
source = "law"
[regimes.objection]
days = 60
source = "law"
[[regimes.lists]]
name = "bloctel"
max_age = "30 days"
exempt = ["contract"]
ended_within = "30 days"
source = "law"
[regimes.consent]
required = true
max_years = 1
void_before = 2026-08-11
source = "law"
[regimes.appointments]
tolerance = "10 minutes"
waives = ["hours"]
source = "law"
[[regimes.sectors]]
sectors = ["gas", "oil"]
consent = "specific"
from = 2026-06-19
source = "law"
[[regimes.caller_id]]
identified = true
forbidden = ["+336", "+337"]
source = "law"
[[regimes.caller_id]]
required = ["+33162", "+33163"]
dial = "automatic"
source = "law"
[regimes.silent_share]
percent = 3
source = "law"
[regimes.evidence]
years = 3
source = "law"
[[regimes.regions]]
regions = ["FR-57", "FR-67"]
[regimes.regions.hours]
mon-tue = ["11:00-18:00"]
source = "law"
[[regimes.regions.caps]]
max = 1
period = "24 hours"
source = "law"
"""
THE_BASE = read_policy(BASE, "base.toml")
# The regime's header is line 8, what stands in the place of a part begins on line 10.
OWN = """\
id = "p"
title = "Our own"
extends = "base"
[sources.memo]
text = "Memo 12"
read = 2026-11-21
confidence = "primary"
[[regimes]]
extends = "b-2026"
"""
SOURCE = 'source = "memo"\n'
HOURS = f"[regimes.hours]\n{SOURCE}"
SHUT = "closed; 10:00-13:00, 14:00-20:00"
DAYS = '[regimes.holidays]\ncalendar = "FR"\n' + SOURCE
KEPT_DAYS = (
    DAYS + 'add = { "2026-06-01" = "A day" }\nregional = "advisory"\nsubdivisions = true\n'
    'local = [{ regions = ["FR-57", "FR-67"], easter = -2, name = "x", source = "memo" }]\n'
)
OPENED = "2026-06-01 is open; in b-2026 it is A day"
MODE = 'regional = "off"; "advisory" in b-2026'
PARTS = "subdivisions = false; true in b-2026"
FRIDAY = "Vendredi saint is open in FR-57, FR-67; not in b-2026"
CONSENT = "[regimes.consent]\nrequired = true\n" + SOURCE
KEPT_CONSENT = CONSENT + "max_years = 1\nvoid_before = 2026-08-11\n"
LISTS = '[[regimes.lists]]\nname = "bloctel"\nmax_age = "30 days"\n' + SOURCE
GAPS = '[[regimes.gaps]]\nafter = "silent"\nagent_first = true\n' + SOURCE
NO_GAP = "72 hours after a silent call, agent_first in b-2026"
BANS = f'[[regimes.sectors]]\nsectors = ["gas", "oil"]\n{SOURCE}'
NUMBERS = (
    f'[[regimes.caller_id]]\nforbidden = ["+336", "+337"]\nidentified = true\n{SOURCE}'
    f'[[regimes.caller_id]]\nrequired = ["+33162", "+33163"]\ndial = "automatic"\n{SOURCE}'
)
REGION = '[[regimes.regions]]\nregions = ["FR-57", "FR-67"]\n'

# name, the regime's part, then what is laxer: the part and the sentence
LAXER: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("nothing changed", "", []),
    ("fewer purposes, and with them the parts of the rest", 'purposes = ["sales"]\n',
     [("purposes", "binds no survey calls; b-2026 does")]),
    ("narrower hours", HOURS + 'mon = ["10:00-12:00"]\neve = ["11:00-12:00"]\n', []),
    ("wider hours, alike on two days", HOURS
     + 'mon-tue = ["10:00-20:00"]\neve = ["10:00-19:00"]\n', [
        ("hours", "mon, tue 10:00-20:00; 10:00-13:00, 14:00-20:00 in b-2026"),
        ("hours", "mon, tue before a holiday 10:00-19:00; 10:00-13:00, 14:00-19:00 in b-2026"),
     ]),
    ("hours on a closed day", HOURS + 'sat = ["10:00-12:00"]\neve = ["10:00-19:00"]\n', [
        ("hours", "sat 10:00-12:00; closed in b-2026"),
        ("hours", "sat before a holiday 10:00-12:00; closed in b-2026"),
     ]),
    ("an eve like any day", HOURS + 'mon = ["14:00-20:00"]\n',
     [("hours", "mon before a holiday 14:00-20:00; 10:00-13:00, 14:00-19:00 in b-2026")]),
    ("hours of one purpose", HOURS + '[regimes.hours.survey]\nsat = ["10:00-12:00"]\n' + SOURCE, [
        ("hours", "sat 10:00-12:00; closed in b-2026"),
        ("hours", "sat before a holiday 10:00-12:00; closed in b-2026"),
     ]),
    ("no hours", 'drop = ["hours"]\n', [
        ("hours", "no hours; b-2026 has some"),
    ]),
    ("the same holidays", KEPT_DAYS, []),
    ("more holidays", KEPT_DAYS.replace("advisory", "counted"), []),
    ("fewer holidays", DAYS,
     [("holidays", OPENED), ("holidays", MODE), ("holidays", PARTS), ("holidays", FRIDAY)]),
    ("holidays of somewhere else", KEPT_DAYS.replace('"FR"', '"IT"'),
     [("holidays", "the holidays of IT; of FR in b-2026")]),
    ("a holiday removed, another that is none", KEPT_DAYS + "remove = [2026-05-01, 2026-05-04]\n",
     [("holidays", "2026-05-01 is open; in b-2026 it is Fête du Travail")]),
    ("holidays open for surveys, without days in lieu", KEPT_DAYS
     + 'open_for = ["survey"]\nobserved = false\n', [
        ("holidays", "no days in lieu of holidays; b-2026 closes them"),
        ("holidays", "holidays are open for survey; not in b-2026"),
     ]),
    ("no holidays", 'drop = ["holidays"]\n',
     [("holidays", "no holidays; b-2026 closes those of FR")]),
    ("a stricter cap", '[[regimes.caps]]\nmax = 3\nperiod = "31 days"\n' + SOURCE, []),
    ("a cap of more", '[[regimes.caps]]\nmax = 5\nperiod = "30 days"\n' + SOURCE,
     [("caps", "at most 5 in 30 days; at most 4 in 30 days in b-2026")]),
    ("a cap of a shorter time", '[[regimes.caps]]\nmax = 4\nperiod = "29 days"\n' + SOURCE,
     [("caps", "at most 4 in 29 days; at most 4 in 30 days in b-2026")]),
    ("no caps", "caps = []\n", [("caps", "no cap; at most 4 in 30 days in b-2026")]),
    ("a cap for fewer", '[[regimes.caps]]\nmax = 4\nperiod = "30 days"\npurposes = ["sales"]\n'
     + SOURCE, [("caps", "at most 4 in 30 days; at most 4 in 30 days in b-2026")]),
    ("a longer gap", GAPS + 'period = "73 hours"\n', []),
    ("a shorter gap", GAPS + 'period = "71 hours"\n',
     [("gaps", f"71 hours after a silent call, agent_first; {NO_GAP}")]),
    ("a gap that an agent lifts", GAPS + 'period = "72 hours"\nunless_agent = true\n',
     [("gaps", f"72 hours after a silent call, agent_first, unless_agent; {NO_GAP}")]),
    ("another gap", '[[regimes.gaps]]\nfull_days = 5\n' + SOURCE,
     [("gaps", f"5 full days after an attempt; {NO_GAP}")]),
    ("a no for as long", '[regimes.objection]\ndays = 60\n' + SOURCE, []),
    ("a no for shorter", '[regimes.objection]\ndays = 59\n' + SOURCE,
     [("objection", "a no holds 59 full days; 60 full days in b-2026")]),
    ("a no without end, but for some", '[regimes.objection]\nuntil = "consent"\n'
     'floor_days = 30\nfloor_for = ["press"]\n' + SOURCE,
     [("objection", "a no holds 30 full days for press; 60 full days in b-2026")]),
    ("a younger list, exempt for shorter", LISTS.replace("30 days", "29 days")
     + 'exempt = ["contract"]\nended_within = "29 days"\n', []),
    ("an older list", LISTS.replace("30 days", "31 days"),
     [("lists", "bloctel may be 31 days old; 30 days in b-2026")]),
    ("a list of any age", '[[regimes.lists]]\nname = "bloctel"\n' + SOURCE,
     [("lists", "bloctel may be of any age; 30 days in b-2026")]),
    ("a list exempt for more", LISTS
     + 'exempt = ["press"]\nended_within = "31 days"\nrequested_within = "5 working days"\n'
     'later_consent_wins = true\npurposes = ["sales"]\n', [
        ("lists", "bloctel exempts press; b-2026 does not"),
        ("lists", "bloctel exempts a contract that ended within 31 days; within 30 days in b-2026"),
        ("lists", "bloctel exempts a request within 5 working days; b-2026 does not"),
        ("lists", "bloctel gives way to a later consent; it does not in b-2026"),
        ("lists", "bloctel: binds no survey calls; it does in b-2026"),
     ]),
    ("a list exempt without limit", LISTS + 'exempt = ["ended"]\n',
     [("lists", "bloctel exempts ended without limit; within 30 days in b-2026")]),
    ("a month may be longer than thirty days", LISTS + 'ended_within = "1 month"\n',
     [("lists", "bloctel exempts a contract that ended within 1 month; within 30 days in b-2026")]),
    ("no lists", "lists = []\n", [("lists", "bloctel is not asked; it is in b-2026")]),
    ("consent as strict", KEPT_CONSENT.replace("08-11", "08-12"), []),
    ("consent for longer", CONSENT + "max_years = 2\nvoid_before = 2026-08-10\n", [
        ("consent", "a consent is good for 2 years; for 1 in b-2026"),
        ("consent", "void if given before 2026-08-10; before 2026-08-11 in b-2026"),
     ]),
    ("consent for some calls", KEPT_CONSENT
     + 'when = "automatic"\nexempt = ["press"]\nwaives = ["holiday"]\npurposes = ["sales"]\n', [
        ("consent", "a consent lifts holiday; it does not in b-2026"),
        ("consent", 'required when = "automatic"; "always" in b-2026'),
        ("consent", "exempts press; b-2026 does not"),
        ("consent", "binds no survey calls; it does in b-2026"),
     ]),
    ("consent not required", "[regimes.consent]\nrequired = false\n" + SOURCE,
     [("consent", "no consent is required; it is in b-2026")]),
    ("appointments for longer", '[regimes.appointments]\ntolerance = "11 minutes"\n'
     'waives = ["hours", "holiday"]\n' + SOURCE, [
        ("appointments", "an appointment holds for 11 minutes around it; 10 in b-2026"),
        ("appointments", "an appointment lifts holiday; it does not in b-2026"),
     ]),
    ("no appointments", 'drop = ["appointments"]\n', []),
    ("bans that are stricter", BANS + "from = 2026-06-18\n", []),
    ("bans that are laxer", BANS + 'consent = "any"\nexempt = ["request"]\nfrom = 2026-06-20\n'
     "until = 2027-12-31\n", [
        ("sectors", f"{sector}: {sentence}")
        for sector in ("gas", "oil")
        for sentence in (
            'consent = "any" lifts the ban; "specific" in b-2026',
            "exempts request; b-2026 does not",
            "begins on 2026-06-20; on 2026-06-19 in b-2026",
            "ends on 2027-12-31; goes on in b-2026",
        )
     ]),
    ("a request that consents too", BANS + 'exempt = ["request"]\nrequest_consents = true\n', [
        ("sectors", f"{sector}: {sentence}")
        for sector in ("gas", "oil")
        for sentence in (
            "a request stands for the consent too; not in b-2026",
            "exempts request; b-2026 does not",
        )
     ]),
    ("a sector less", BANS.replace('"gas", ', ""),
     [("sectors", "gas may be sold; not in b-2026")]),
    ("the same numbers, the shorter beginnings forbidden", NUMBERS.replace('"+336", "+337"',
                                                                            '"+33"'), []),
    ("fewer beginnings asked for", NUMBERS.replace(', "+33163"', ""), []),
    ("more beginnings asked for", NUMBERS.replace('"+33163"', '"+33164"'),
     [("caller_id", "one of +33162, +33163 is asked for in b-2026, not here")]),
    ("a number declared", NUMBERS + "declared = true\n",
     [("caller_id", "one of +33162, +33163 is asked for in b-2026, not here")]),
    ("numbers for fewer calls", NUMBERS.replace("identified", 'purposes = ["sales"]\nidentified'), [
        ("caller_id", "a number that is not withheld is asked for in b-2026, not here"),
        ("caller_id", "+336, +337 are forbidden in b-2026, not here"),
     ]),
    ("a number free", NUMBERS.replace('"+336", ', ""),
     [("caller_id", "+336 is forbidden in b-2026, not here")]),
    ("more silent calls", "[regimes.silent_share]\npercent = 4\n" + SOURCE,
     [("silent_share", "at most 4 % silent calls over the whole campaign; "
       "at most 3 % silent calls over the whole campaign in b-2026")]),
    ("fewer silent calls", "[regimes.silent_share]\npercent = 2\n" + SOURCE, []),
    ("silent calls over other days", "[regimes.silent_share]\npercent = 3\ndays = 30\n" + SOURCE,
     [("silent_share", "at most 3 % silent calls over 30 days; "
       "at most 3 % silent calls over the whole campaign in b-2026")]),
    ("as many silent calls as there are", 'drop = ["silent_share"]\n',
     [("silent_share", "any share of silent calls; "
       "at most 3 % silent calls over the whole campaign in b-2026")]),
    ("proof for shorter", "[regimes.evidence]\nyears = 2\n" + SOURCE,
     [("evidence", "evidence 2 years; 3 years in b-2026")]),
    ("regions that add less", REGION + '[regimes.regions.hours]\nmon-tue = ["11:00-19:00"]\n'
     + SOURCE, [
        ("regions", "FR-57, FR-67: mon, tue 11:00-13:00, 14:00-19:00; 11:00-18:00 in b-2026"),
        ("regions", "FR-57, FR-67: at most 4 in 30 days; at most 1 in 24 hours in b-2026"),
     ]),
    ("a regime of other days", 'id = "q"\ntitle = "t"\nfrom = 2027-01-01\ndrop = ["evidence"]\n',
     [("evidence", "evidence not asked for; 3 years in b-2026")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "laxer"), [row[1:] for row in LAXER], ids=[row[0] for row in LAXER]
)
def test_what_is_laxer_than_the_policy_extended_is_told(
    part: str, laxer: list[tuple[str, str]]
) -> None:
    found = look(OWN + part, {"base": THE_BASE})
    assert found.errors == ()
    prefix = "laxer than the policy extended: "
    sentences = [
        problem.message.removeprefix(prefix)
        for problem in found.warnings
        if problem.message.startswith(prefix)
    ]
    assert sorted(sentences) == sorted(f"{name}: {sentence}" for name, sentence in laxer)


@pytest.mark.parametrize(
    ("part", "line", "key"),
    [
        ("caps = []\n", 10, "regimes[1].caps"),
        ('# why\ndrop = ["caps"]\n', 11, "regimes[1].drop"),
        ('# why\n[[regimes.caps]]\nmax = 9\nperiod = "1 day"\n' + SOURCE, 11, "regimes[1].caps"),
    ],
)
def test_what_is_laxer_is_told_where_it_stands(part: str, line: int, key: str) -> None:
    (problem,) = (
        problem
        for problem in look(OWN + part, {"base": THE_BASE}).warnings
        if "at most 4 in 30 days" in problem.message
    )
    assert (problem.line, problem.key) == (line, key)


def test_an_end_that_is_taken_over_is_told_where_the_policy_is_named() -> None:
    ended = read_policy(BASE.replace("purposes", "until = 2026-12-31\npurposes", 1), "base.toml")
    own = OWN.partition("[sources")[0]
    found = look(own, {"base": ended})
    assert told(found.warnings) == [
        (3, "extends", f"no regime in force from 2027-01-01: {REFUSED}")
    ]


ODD_VALUES = ["3", '"x"', "[]", "{}", "[1]", "[{}]", "true", "1979-05-27", "9999-12-30", "10:00:00"]
LINES = BASE.splitlines()


@given(place=st.integers(0, len(LINES) - 1), value=st.sampled_from(ODD_VALUES))
def test_no_value_is_too_odd_to_be_told_of(place: int, value: str) -> None:
    """Whatever stands in a line, each finding names a line of the file."""
    line = LINES[place]
    key, equals, _ = line.partition(" = ")
    odd = f"{key}{equals}{value}" if equals else ""
    found = look("\n".join([*LINES[:place], odd, *LINES[place + 1 :]]))
    assert all(1 <= one.line <= len(LINES) for one in (*found.errors, *found.warnings))
