"""Every part of a regime as a file may give it, and what each fault in it is told as."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policy.figures import (
    AppointmentRule,
    CallerIdRule,
    Cap,
    ConsentRule,
    ConsentWhen,
    Exemption,
    Gap,
    GapAfter,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    ObjectionRule,
    RegionalDays,
    RegionRules,
    SectorConsent,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.hours import Window, parse_week
from dialwarden.policy.parse import read_policy
from dialwarden.policy.period import Period, Span
from dialwarden.question import Bond, Dialling, Purpose
from dialwarden.verdict import Rule

# Fifteen lines: what a case adds begins on the sixteenth.
HEAD = """\
id = "p"
title = "A pack"
country = "FR"
[sources.law]
text = "A text"
confidence = "primary"
[sources.code]
text = "A code"
confidence = "secondary"
[[regimes]]
id = "r"
title = "A regime"
from = 2026-01-01
until = 2026-12-31
purposes = ["sales", "survey"]
"""
LAW, CODE = "A text", "A code"
BOUND = frozenset({Purpose.SALES, Purpose.SURVEY})
SALES = frozenset({Purpose.SALES})
WEEK = parse_week({"mon-fri": ["10:00-21:00"]})
SOURCE = 'source = "law"\n'


def exempt(*bonds: Bond, source: str = LAW, **spans: Span) -> Exemption:
    return Exemption(frozenset(bonds), source=source, **spans)


# name, field of the regime, text, value
GIVEN: list[tuple[str, str, str, object]] = [
    ("an eve", "hours",
     '[regimes.hours]\nmon-fri = ["10:00-21:00"]\neve = ["10:00-19:00"]\n' + SOURCE,
     HoursRule(WEEK, LAW, (Window(10 * 3600, 19 * 3600),))),
    ("an eve with nothing open", "hours",
     '[regimes.hours]\nmon-fri = ["10:00-21:00"]\neve = []\n' + SOURCE, HoursRule(WEEK, LAW, ())),
    ("no word of eves", "hours", '[regimes.hours]\nmon-fri = ["10:00-21:00"]\n' + SOURCE,
     HoursRule(WEEK, LAW, None)),
    ("hours of their own for surveys", "hours_for",
     '[regimes.hours]\nmon-fri = ["10:00-21:00"]\n' + SOURCE
     + '[regimes.hours.survey]\nsat = ["09:00-17:00"]\neve = []\nsource = "code"\n',
     {Purpose.SURVEY: HoursRule(parse_week({"sat": ["09:00-17:00"]}), CODE, ())}),
    ("a calendar", "holidays", '[regimes.holidays]\ncalendar = "US-AL"\n' + SOURCE,
     HolidayRule("US-AL", LAW)),
    ("no days in lieu", "holidays",
     '[regimes.holidays]\ncalendar = "US"\nobserved = false\n' + SOURCE,
     HolidayRule("US", LAW, observed=False)),
    ("days of the callee's own region", "holidays",
     '[regimes.holidays]\ncalendar = "IT"\nregional = "off"\nsubdivisions = true\n' + SOURCE,
     HolidayRule("IT", LAW, regional=RegionalDays.OFF, subdivisions=True)),
    ("days of regions", "holidays",
     '[regimes.holidays]\ncalendar = "FR"\nregional = "counted"\n' + SOURCE
     + '[[regimes.holidays.local]]\nregions = ["FR-57", "FR-67"]\nday = "12-26"\n'
     'name = "Saint-Étienne"\nsource = "code"\n'
     + '[[regimes.holidays.local]]\nregions = ["FR-RE"]\neaster = -2\n'
     'name = "Vendredi saint"\n' + SOURCE,
     HolidayRule("FR", LAW, regional=RegionalDays.COUNTED, local=(
         LocalDays(frozenset({"FR-57", "FR-67"}), "Saint-Étienne", CODE, day=(12, 26)),
         LocalDays(frozenset({"FR-974"}), "Vendredi saint", LAW, easter=-2)))),
    ("a leap day each year that has one", "holidays",
     '[regimes.holidays]\ncalendar = "FR"\nregional = "advisory"\n' + SOURCE
     + '[[regimes.holidays.local]]\nregions = ["FR-57"]\nday = "02-29"\nname = "n"\n' + SOURCE,
     HolidayRule("FR", LAW, regional=RegionalDays.ADVISORY,
                 local=(LocalDays(frozenset({"FR-57"}), "n", LAW, day=(2, 29)),))),
    ("a gap in whole days", "gaps", "[[regimes.gaps]]\nfull_days = 5\n" + SOURCE,
     (Gap(None, BOUND, LAW, full_days=5),)),
    ("a gap after silence, then an agent", "gaps",
     '[[regimes.gaps]]\nfull_days = 5\nafter = "silent"\nagent_first = true\n' + SOURCE,
     (Gap(None, BOUND, LAW, full_days=5, after=GapAfter.SILENT, agent_first=True),)),
    ("a gap after silence, unless an agent", "gaps",
     '[[regimes.gaps]]\nperiod = "72 hours"\nafter = "silent"\nunless_agent = true\n'
     'purposes = ["sales"]\n' + SOURCE,
     (Gap(Period.parse("72 hours"), SALES, LAW, after=GapAfter.SILENT, unless_agent=True),)),
    ("a gap after an attempt, said", "gaps",
     '[[regimes.gaps]]\nperiod = "2 hours"\nafter = "attempt"\n' + SOURCE,
     (Gap(Period.parse("2 hours"), BOUND, LAW),)),
    ("a list lifted for a time", "lists",
     '[[regimes.lists]]\nname = "x"\nexempt = ["press"]\nended_within = "18 months"\n'
     'requested_within = "5 working days"\nexempt_source = "code"\n' + SOURCE,
     (ListRule("x", LAW, purposes=BOUND, exempt=exempt(
         Bond.PRESS, source=CODE, ended_within=Span(months=18),
         requested_within=Span(working_days=5))),)),
    ("a list for some purposes", "lists",
     '[[regimes.lists]]\nname = "x"\npurposes = ["service"]\n' + SOURCE,
     (ListRule("x", LAW, purposes=frozenset({Purpose.SERVICE}), exempt=exempt()),)),
    ("a consent for the unlisted", "consent",
     '[regimes.consent]\nrequired = true\nwhen = "unlisted"\npurposes = ["sales"]\n' + SOURCE,
     ConsentRule(LAW, required=True, when=ConsentWhen.UNLISTED, purposes=SALES, exempt=exempt())),
    ("a consent for machines, lifted for a time", "consent",
     '[regimes.consent]\nrequired = true\nwhen = "automatic"\nended_within = "30 days"\n'
     'requested_within = "3 months"\nexempt_source = "code"\n' + SOURCE,
     ConsentRule(LAW, required=True, when=ConsentWhen.AUTOMATIC, purposes=BOUND, exempt=exempt(
         source=CODE, ended_within=Span(days=30), requested_within=Span(months=3)))),
    ("appointments", "appointments",
     '[regimes.appointments]\ntolerance = "10 minutes"\nwaives = ["hours", "holiday"]\n' + SOURCE,
     AppointmentRule(timedelta(minutes=10), frozenset({Rule.HOURS, Rule.HOLIDAY}), LAW)),
    ("the longest tolerance", "appointments",
     '[regimes.appointments]\ntolerance = "2 hours"\nwaives = ["hours"]\n' + SOURCE,
     AppointmentRule(timedelta(hours=2), frozenset({Rule.HOURS}), LAW)),
    ("an objection of a day", "objection", "[regimes.objection]\ndays = 1\n" + SOURCE,
     ObjectionRule(LAW, days=1)),
    ("a floor of a day", "objection",
     '[regimes.objection]\nuntil = "consent"\nfloor_days = 1\nfloor_for = ["press"]\n' + SOURCE,
     ObjectionRule(LAW, floor_days=1, floor_for=frozenset({Bond.PRESS}))),
    ("no silent call at all", "silent_share", "[regimes.silent_share]\npercent = 0\n" + SOURCE,
     SilentShare(0, LAW)),
    ("silent calls over days", "silent_share",
     "[regimes.silent_share]\npercent = 3\ndays = 30\n" + SOURCE, SilentShare(3, LAW, 30)),
    ("evidence for a year", "evidence_years", "[regimes.evidence]\nyears = 1\n" + SOURCE, 1),
    ("evidence for long", "evidence_years", "[regimes.evidence]\nyears = 100\n" + SOURCE, 100),
    ("a consent for a year", "consent",
     "[regimes.consent]\nrequired = false\nmax_years = 1\n" + SOURCE,
     ConsentRule(LAW, max_years=1, purposes=BOUND, exempt=exempt())),
    ("a banned sector", "sectors", '[[regimes.sectors]]\nsectors = ["gas"]\n' + SOURCE,
     (SectorRule(frozenset({"gas"}), LAW, purposes=BOUND, exempt=exempt()),)),
    ("sectors banned for a time", "sectors",
     '[[regimes.sectors]]\nsectors = ["gas", "home-works"]\nconsent = "specific"\n'
     'exempt = ["contract"]\nrequested_within = "6 months"\nexempt_source = "code"\n'
     'from = 2026-06-19\nuntil = 2026-06-19\npurposes = ["sales"]\n' + SOURCE,
     (SectorRule(frozenset({"gas", "home-works"}), LAW, SectorConsent.SPECIFIC,
                 exempt(Bond.CONTRACT, source=CODE, requested_within=Span(months=6)), SALES,
                 date(2026, 6, 19), date(2026, 6, 19)),)),
    ("a sector that a request opens", "sectors",
     '[[regimes.sectors]]\nsectors = ["gas"]\nexempt = ["request"]\nrequest_consents = true\n'
     + SOURCE,
     (SectorRule(frozenset({"gas"}), LAW, exempt=exempt(Bond.REQUEST), purposes=BOUND,
                 request_consents=True),)),
    ("a sector that any consent opens", "sectors",
     '[[regimes.sectors]]\nsectors = ["gas"]\nconsent = "any"\n' + SOURCE,
     (SectorRule(frozenset({"gas"}), LAW, SectorConsent.ANY, exempt(), BOUND),)),
    ("caller ids", "caller_id",
     "[[regimes.caller_id]]\nidentified = true\n" + SOURCE
     + '[[regimes.caller_id]]\nforbidden = ["+336", "+337"]\ndial = "automatic"\n'
     'from = 2023-01-01\nuntil = 2026-10-01\npurposes = ["service"]\nsource = "code"\n'
     + '[[regimes.caller_id]]\nrequired = ["+390844"]\ndeclared = true\ndial = "manual"\n' + SOURCE,
     (CallerIdRule(LAW, identified=True, purposes=BOUND),
      CallerIdRule(CODE, forbidden=("+336", "+337"), dialling=Dialling.AUTOMATIC,
                   purposes=frozenset({Purpose.SERVICE}), start=date(2023, 1, 1),
                   end=date(2026, 10, 1)),
      CallerIdRule(LAW, required=("+390844",), declared=True, dialling=Dialling.MANUAL,
                   purposes=BOUND))),
    ("what regions add", "regions",
     '[[regimes.regions]]\nregions = ["US-FL", "US-OK"]\n'
     '[regimes.regions.hours]\nmon-fri = ["10:00-21:00"]\neve = []\n' + SOURCE
     + '[regimes.regions.holidays]\ncalendar = "US-FL"\n' + SOURCE
     + '[[regimes.regions.caps]]\nmax = 3\nperiod = "24 hours"\nsource = "code"\n'
     + '[[regimes.regions.gaps]]\nperiod = "1 hour"\npurposes = ["sales"]\n' + SOURCE
     + '[[regimes.regions]]\nregions = ["US-AL"]\n'
     + '[[regimes.regions.caps]]\nmax = 1\nperiod = "1 day"\n' + SOURCE,
     (RegionRules(frozenset({"US-FL", "US-OK"}), HoursRule(WEEK, LAW, ()),
                  HolidayRule("US-FL", LAW), (Cap(3, Period.parse("24 hours"), BOUND, CODE),),
                  (Gap(Period.parse("1 hour"), SALES, LAW),)),
      RegionRules(frozenset({"US-AL"}), caps=(Cap(1, Period(days=1), BOUND, LAW),)))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "text", "value"), [row[1:] for row in GIVEN], ids=[row[0] for row in GIVEN]
)
def test_a_part_is_read_as_it_is_given(field: str, text: str, value: object) -> None:
    (regime,) = read_policy(HEAD + text, "p.toml").regimes
    assert getattr(regime, field) == value


HOURS = "[regimes.hours]\n" + SOURCE
HOLIDAYS = '[regimes.holidays]\ncalendar = "FR"\n' + SOURCE
REGIONAL = '[regimes.holidays]\ncalendar = "FR"\nregional = "counted"\n' + SOURCE
LOCAL = REGIONAL + '[[regimes.holidays.local]]\nname = "n"\n' + SOURCE
GAP = "[[regimes.gaps]]\n" + SOURCE
LIST = '[[regimes.lists]]\nname = "x"\n' + SOURCE
CONSENT = "[regimes.consent]\nrequired = true\n" + SOURCE
AGREED = "[regimes.appointments]\n" + SOURCE
SECTOR = "[[regimes.sectors]]\n" + SOURCE
CALLER = "[[regimes.caller_id]]\n" + SOURCE
REGION = '[[regimes.regions]]\nregions = ["US-FL"]\n'

# name, text from line 16 on, then for each problem: line, key in the regime, part of the message
FAULTS: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    ("an eve that is no window", HOURS + 'eve = ["10-19"]\n',
     [(18, "hours.eve", "'10-19' is no window")]),
    ("an eve over midnight", HOURS + 'eve = ["18:00-02:00"]\n',
     [(18, "hours.eve", "a window that crosses midnight is two")]),
    ("an eve that overlaps", HOURS + 'eve = ["10:00-13:00", "12:00-14:00"]\n',
     [(18, "hours.eve", "windows 10:00-13:00 and 12:00-14:00 overlap")]),
    ("hours of a purpose without a source", HOURS + '[regimes.hours.survey]\nmon = []\n',
     [(18, "hours.survey.source", "missing")]),
    ("hours of a purpose alone", '[regimes.hours.survey]\nmon = []\n' + SOURCE,
     [(16, "hours.source", "missing")]),
    ("hours of a purpose that is none", HOURS + '[regimes.hours.surveys]\nmon = []\n' + SOURCE,
     [(18, "hours.surveys", "found a table; allowed: an array of texts"),
      (18, "hours.surveys", "'surveys' is no day")]),
    ("days in lieu, perhaps", HOLIDAYS + 'observed = "no"\n',
     [(19, "holidays.observed", "allowed: true or false, without quotes")]),
    ("regional days, perhaps", HOLIDAYS + 'subdivisions = true\nregional = "some"\n',
     [(20, "holidays.regional", 'found "some"; allowed: "off", "advisory" or "counted"')]),
    ("regional days that nobody names", REGIONAL,
     [(18, "holidays.regional", "no regional days to look at; give local ones, or subdivisions")]),
    ("a calendar of no subdivision", '[regimes.holidays]\ncalendar = "US-QQ"\n' + SOURCE,
     [(17, "holidays.calendar", "no holiday calendar for 'US-QQ'")]),
    ("a local day without a date", LOCAL + 'regions = ["FR-57"]\n',
     [(20, "holidays.local[1]", 'give either day = "12-26" or easter = -2')]),
    ("a local day with two dates", LOCAL + 'regions = ["FR-57"]\nday = "12-26"\neaster = -2\n',
     [(20, "holidays.local[1]", 'give either day = "12-26" or easter = -2')]),
    ("a local day of no month", LOCAL + 'regions = ["FR-57"]\nday = "13-01"\n',
     [(20, "holidays.local[1]", "give either"),
      (24, "holidays.local[1].day", "found '13-01'; allowed: month and day, such as \"12-26\"")]),
    ("a local day of no year", LOCAL + 'regions = ["FR-57"]\nday = "02-30"\n',
     [(20, "holidays.local[1]", "give either"),
      (24, "holidays.local[1].day", "found '02-30', which is no day of a year")]),
    ("a local day far from Easter", LOCAL + 'regions = ["FR-57"]\neaster = 71\n',
     [(20, "holidays.local[1]", "give either"),
      (24, "holidays.local[1].easter", "found 71; allowed: a whole number from -70 to 70")]),
    ("a local day of nowhere", LOCAL + 'day = "12-26"\n',
     [(20, "holidays.local[1].regions", "missing")]),
    ("a local day of no region", LOCAL + 'day = "12-26"\nregions = []\n',
     [(24, "holidays.local[1].regions", "found an empty array; allowed: an array of texts, at")]),
    ("a local day of an unknown region", LOCAL + 'day = "12-26"\nregions = ["FR-57", "FR-99"]\n',
     [(24, "holidays.local[1].regions[2]", "found 'FR-99', did you mean FR-9")]),
    ("a local day without its name and source",
     REGIONAL + '[[regimes.holidays.local]]\nregions = ["FR-57"]\nday = "12-26"\n',
     [(20, "holidays.local[1].name", "missing"), (20, "holidays.local[1].source", "missing")]),
    ("a gap of nothing", GAP,
     [(16, "gaps[1]", 'give either period = "72 hours" or full_days = 5')]),
    ("a gap of both", GAP + 'period = "72 hours"\nfull_days = 5\n',
     [(16, "gaps[1]", 'give either period = "72 hours" or full_days = 5')]),
    ("a gap of no day", GAP + "full_days = 0\n",
     [(16, "gaps[1]", "give either"),
      (18, "gaps[1].full_days", "found 0; allowed: a whole number from 1 to 10000")]),
    ("a gap after noise", GAP + 'full_days = 5\nafter = "noise"\n',
     [(19, "gaps[1].after", 'found "noise"; allowed: "attempt" or "silent"')]),
    ("a gap for somebody",
     GAP + 'full_days = 5\nagent_first = "yes"\nunless_agent = 1\nafter = "silent"\n',
     [(19, "gaps[1].agent_first", "allowed: true or false"),
      (20, "gaps[1].unless_agent", "allowed: true or false")]),
    ("a gap after attempts with an agent", GAP + 'full_days = 5\nagent_first = true\n',
     [(19, "gaps[1].agent_first", 'goes with after = "silent"')]),
    ("a gap that binds nobody", GAP + "full_days = 5\npurposes = []\n",
     [(19, "gaps[1].purposes", "binds nothing; name one, or leave it out")]),
    ("a list that binds nobody", LIST + "purposes = []\n",
     [(19, "lists[1].purposes", "binds nothing")]),
    ("a list lifted for hours", LIST + 'ended_within = "48 hours"\n',
     [(19, "lists[1].ended_within",
       "'48 hours' is no span of days; write \"30 days\", \"18 months\" or \"5 working days\"")]),
    ("a list lifted for no time", LIST + 'requested_within = "0 months"\n',
     [(19, "lists[1].requested_within", "'0 months' is no span of days")]),
    ("a request without and with a limit", LIST
     + 'exempt = ["request"]\nrequested_within = "6 months"\n',
     [(20, "lists[1].requested_within", "exempt names request, which then has no limit")]),
    ("an end without and with a limit", CONSENT + 'exempt = ["ended"]\nended_within = "1 day"\n',
     [(20, "consent.ended_within", "exempt names ended, which then has no limit")]),
    ("a source of no exemption", LIST + 'exempt_source = "code"\n',
     [(19, "lists[1].exempt_source", "there is no exemption here")]),
    ("an exemption from an unknown source", LIST + 'exempt = ["press"]\nexempt_source = "lex"\n',
     [(20, "lists[1].exempt_source", "found 'lex'; allowed: law, code")]),
    ("a consent now and then", CONSENT + 'when = "sometimes"\n',
     [(19, "consent.when", 'found "sometimes"; allowed: "always", "unlisted" or "automatic"')]),
    ("a consent that binds nobody", CONSENT + "purposes = []\n",
     [(19, "consent.purposes", "binds nothing")]),
    ("appointments without a tolerance", AGREED + 'waives = ["hours"]\n',
     [(16, "appointments.tolerance", "missing")]),
    ("appointments a day long", AGREED + 'waives = ["hours"]\ntolerance = "1 day"\n',
     [(19, "appointments.tolerance",
       'found "1 day"; allowed: at most 2 hours, such as "10 minutes"')]),
    ("appointments a minute too long", AGREED + 'waives = ["hours"]\ntolerance = "121 minutes"\n',
     [(19, "appointments.tolerance", 'found "121 minutes"; allowed: at most 2 hours')]),
    ("appointments for nothing", AGREED + 'tolerance = "10 minutes"\n',
     [(16, "appointments.waives", "lifts nothing; name hours or holiday")]),
    ("appointments that lift a cap", AGREED + 'tolerance = "10 minutes"\nwaives = ["frequency"]\n',
     [(19, "appointments.waives", "lifts nothing; name hours or holiday"),
      (19, "appointments.waives[1]", "found 'frequency'; allowed: hours, holiday")]),
    ("a request that lifts nothing", SECTOR + 'sectors = ["gas"]\nrequest_consents = true\n',
     [(19, "sectors[1].request_consents", "no request lifts this ban; give requested_within")]),
    ("a ban of nothing", SECTOR, [(16, "sectors[1].sectors", "missing")]),
    ("a ban of no sector", SECTOR + "sectors = []\n",
     [(18, "sectors[1].sectors", "found an empty array; allowed: an array of texts, at least")]),
    ("a ban in capitals", SECTOR + 'sectors = ["gas", "Home works"]\n',
     [(18, "sectors[1].sectors[2]", "found 'Home works'; allowed: small letters, digits and -")]),
    ("a ban for some consent", SECTOR + 'sectors = ["gas"]\nconsent = "given"\n',
     [(19, "sectors[1].consent", 'found "given"; allowed: "none", "specific" or "any"')]),
    ("a ban that ends before it begins", SECTOR
     + 'sectors = ["gas"]\nfrom = 2026-06-19\nuntil = 2026-06-18\n',
     [(20, "sectors[1].until", "found 2026-06-18; it is the last day, not before 2026-06-19")]),
    ("a caller id that asks for nothing", CALLER + 'dial = "manual"\n',
     [(16, "caller_id[1]", "asks for nothing; give identified, forbidden, required or declared")]),
    ("prefixes without a plus or a country", CALLER + 'forbidden = ["+336", "336", "+06"]\n',
     [(18, "caller_id[1].forbidden[2]", "found '336'; allowed: the beginning of a number such"),
      (18, "caller_id[1].forbidden[3]", "found '+06'; allowed: the beginning of a number such")]),
    ("a prefix with blanks", CALLER + 'required = ["+33 1 62"]\n',
     [(16, "caller_id[1]", "asks for nothing"),
      (18, "caller_id[1].required[1]", "found '+33 1 62'; allowed: the beginning of a number")]),
    ("a caller id for robots", CALLER + 'identified = true\ndial = "robot"\n',
     [(19, "caller_id[1].dial", 'found "robot"; allowed: "manual" or "automatic"')]),
    ("a caller id that ends before it begins", CALLER
     + "identified = true\nfrom = 2026-10-01\nuntil = 2026-09-30\n",
     [(20, "caller_id[1].until", "found 2026-09-30; it is the last day, not before 2026-10-01")]),
    ("a region that adds nothing", REGION,
     [(16, "regions[1]", "adds nothing; give hours, holidays, caps, gaps")]),
    ("additions to nowhere", "[[regimes.regions]]\n[[regimes.regions.gaps]]\nfull_days = 1\n"
     + SOURCE, [(16, "regions[1].regions", "missing")]),
    ("what a whole country adds", '[[regimes.regions]]\nregions = ["US"]\n'
     '[[regimes.regions.gaps]]\nfull_days = 1\n' + SOURCE,
     [(17, "regions[1].regions[1]", "found 'US', a whole country; allowed: parts of one")]),
    ("an unknown region", '[[regimes.regions]]\nregions = ["US-FLA"]\n'
     '[[regimes.regions.gaps]]\nfull_days = 1\n' + SOURCE,
     [(17, "regions[1].regions[1]", "found 'US-FLA', did you mean US-FL?")]),
    ("hours of a region for a purpose", REGION + "[regimes.regions.hours]\n" + SOURCE
     + '[regimes.regions.hours.survey]\nmon = []\n' + SOURCE,
     [(20, "regions[1].hours.survey", "unknown key")]),
    ("a part that no region adds", REGION + "[[regimes.regions.gaps]]\nfull_days = 1\n" + SOURCE
     + "[regimes.regions.consent]\nrequired = true\n" + SOURCE,
     [(21, "regions[1].consent", "unknown key")]),
    ("a drop where nothing is taken over", 'drop = ["hours"]\n',
     [(16, "drop", "there is nothing to drop: this regime extends none")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problems"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_every_fault_of_a_part_is_told_with_its_place(
    text: str, problems: list[tuple[int, str, str]]
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_policy(HEAD + text, "p.toml")
    found = sorted(caught.value.problems, key=lambda problem: (problem.line, problem.key))
    assert [(problem.line, problem.key) for problem in found] == [
        (line, f"regimes[1].{key}") for line, key, _ in problems
    ]
    for problem, (_, _, message) in zip(found, problems, strict=True):
        assert message in problem.message
