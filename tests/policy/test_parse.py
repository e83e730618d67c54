"""A policy file's every fault is told with file, line, key, what was found and what is allowed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policy.figures import (
    Cap,
    ConsentRule,
    Exemption,
    Gap,
    HolidayRule,
    HoursRule,
    ListRule,
    ObjectionRule,
)
from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import Confidence, Source
from dialwarden.policy.parse import read_policy
from dialwarden.policy.period import Period, Span
from dialwarden.question import Bond, Purpose
from dialwarden.verdict import Rule

HEAD = """\
id = "p"
title = "A pack"
country = "FR"

[sources.law]
text = "A text"
article = "art. 1"
confidence = "primary"

"""
REGIME = """\
[[regimes]]
id = "r"
title = "A regime"
from = 2026-01-01
"""

FULL = """\
id = "full"
title = "Everything"
country = "IT"
binds = "Everybody"

[sources.law]
text = "A text"
article = "art. 1"
dated = "of 2026"
read = 2026-11-21
confidence = "transcribed"
note = "A note."

[sources.code]
text = "A code"
confidence = "unverified"

[[regimes]]
id = "first"
title = "The first"
from = 2026-01-01
until = 2026-06-30
purposes = ["sales", "survey"]

[regimes.hours]
mon-fri = ["14:00-20:00", "10:00-13:00"]
sat = []
source = "law"

[regimes.holidays]
calendar = "IT"
add = { "2026-06-29" = "Roma" }
remove = [2026-06-02]
open_for = ["service"]
source = "law"

[[regimes.caps]]
max = 4
period = "30 days"
source = "law"

[[regimes.caps]]
max = 1
period = "48 hours"
purposes = ["sales"]
source = "code"

[[regimes.gaps]]
period = "2 hours"
source = "code"

[regimes.objection]
until = "consent"
floor_days = 60
floor_for = ["contract", "press"]
source = "law"

[[regimes.lists]]
name = "rpo"
max_age = "15 days"
exempt = ["contract"]
ended_within = "30 days"
later_consent_wins = true
source = "law"

[regimes.consent]
required = true
max_years = 1
void_before = 2026-01-01
exempt = ["press"]
waives = ["hours", "holiday"]
source = "law"

[regimes.evidence]
years = 3
source = "code"

[[regimes]]
id = "second"
title = "The second"
from = 2026-07-01
extends = "first"
lists = []
drop = ["hours", "evidence"]

[regimes.objection]
days = 60
source = "code"
"""


def test_a_whole_file_is_read() -> None:
    policy = read_policy(FULL, "full.toml")
    law, code = "A text, art. 1", "A code"
    bound = frozenset({Purpose.SALES, Purpose.SURVEY})
    assert (policy.id, policy.title, policy.country) == ("full", "Everything", "IT")
    assert (policy.binds, policy.file) == ("Everybody", "full.toml")
    assert len(policy.sha256) == 64
    first, second = policy.regimes
    assert (first.id, first.start, first.end) == ("first", date(2026, 1, 1), date(2026, 6, 30))
    assert first.purposes == bound
    week = parse_week({"mon-fri": ["10:00-13:00", "14:00-20:00"]})
    assert first.hours == HoursRule(week, law)
    assert first.holidays == HolidayRule(
        "IT", law, {date(2026, 6, 29): "Roma"}, frozenset({date(2026, 6, 2)}),
        frozenset({Purpose.SERVICE}),
    )  # fmt: skip
    assert first.caps == (
        Cap(4, Period(days=30), bound, law),
        Cap(1, Period(rolling=timedelta(hours=48)), frozenset({Purpose.SALES}), code),
    )
    assert first.gaps == (Gap(Period(rolling=timedelta(hours=2)), bound, code),)
    both = frozenset({Bond.CONTRACT, Bond.PRESS})
    assert first.objection == ObjectionRule(law, 0, 60, both)
    assert first.lists == (
        ListRule(
            "rpo", law, 15, Exemption(frozenset({Bond.CONTRACT}), Span(days=30), None, law), True,
            bound,
        ),
    )  # fmt: skip
    assert first.consent == ConsentRule(
        law, required=True, max_years=1, void_before=date(2026, 1, 1),
        exempt=Exemption(frozenset({Bond.PRESS}), source=law),
        waives=frozenset({Rule.HOURS, Rule.HOLIDAY}), purposes=bound,
    )  # fmt: skip
    assert (first.evidence_years, first.evidence_source) == (3, code)
    assert first.sources[law] == Source(
        "A text", "art. 1", "of 2026", date(2026, 11, 21), Confidence.TRANSCRIBED, "A note."
    )
    assert second.extends == "first"


def test_a_regime_takes_over_what_it_does_not_name_and_drops_what_it_says() -> None:
    first, second = read_policy(FULL, "full.toml").regimes
    for part in ("purposes", "holidays", "caps", "gaps", "consent"):
        assert getattr(second, part) == getattr(first, part)
    assert second.objection == ObjectionRule("A code", 60)
    assert second.lists == ()
    assert (second.hours, second.hours_for) == (None, {})
    assert (second.evidence_years, second.evidence_source) == (None, "")
    assert second.end is None


def test_what_a_file_does_not_say_is_absent() -> None:
    (regime,) = read_policy(HEAD + REGIME, "p.toml").regimes
    assert regime.purposes == frozenset(Purpose)
    for part in (
        "hours", "holidays", "objection", "consent", "appointments", "evidence_years", "end"
    ):  # fmt: skip
        assert getattr(regime, part) is None
    for part in ("caps", "gaps", "lists", "sectors", "caller_id", "regions"):
        assert getattr(regime, part) == ()
    assert regime.hours_for == {}


def test_regimes_are_in_the_order_of_their_start_whatever_that_of_the_file() -> None:
    text = """
[[regimes]]
id = "later"
title = "t"
from = 2026-08-11
[[regimes]]
id = "earlier"
title = "t"
from = 2023-03-01
until = 2026-08-10
"""
    policy = read_policy(HEAD + text, "p.toml")
    assert [regime.id for regime in policy.regimes] == ["earlier", "later"]


def test_a_regime_may_be_of_one_day() -> None:
    (regime,) = read_policy(HEAD + REGIME + "until = 2026-01-01\n", "p.toml").regimes
    assert (regime.start, regime.end) == (date(2026, 1, 1), date(2026, 1, 1))


def test_the_hash_is_of_the_files_text() -> None:
    same = read_policy(HEAD + REGIME, "a.toml").sha256
    assert same == read_policy(HEAD + REGIME, "b.toml").sha256
    assert same != read_policy(HEAD + REGIME + "\n", "a.toml").sha256


SECOND = '[[regimes]]\nid = "s"\ntitle = "t"\n'

# name, text, then for each problem: line, key, and a part of the message
FAULTS: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    ("not TOML", "id = ", [(1, "", "no TOML")]),
    (
        "an empty file",
        "",
        [(0, "regimes", "missing"), (0, "id", "missing"), (0, "title", "missing")],
    ),
    ("no regime", "regimes = []\n" + HEAD,
     [(1, "regimes", "found an empty array; allowed: at least one table")]),
    ("an id in capitals", HEAD.replace('"p"', '"P x"') + REGIME,
     [(1, "id", "found 'P x'; allowed: small letters, digits and -")]),
    ("a country in words", HEAD.replace('"FR"', '"France"') + REGIME,
     [(3, "country", "found 'France', did you mean FR")]),
    ("a country by the name of its domain", HEAD.replace('"FR"', '"UK"') + REGIME,
     [(3, "country", "found 'UK', did you mean")]),
    ("a country that is a part of one", HEAD.replace('"FR"', '"FR-974"') + REGIME,
     [(3, "country", "found 'FR-974'; allowed: an ISO 3166 country")]),
    ("a regime that binds nobody", HEAD + REGIME + "purposes = []\n",
     [(14, "regimes[1].purposes", "binds nothing")]),
    ("a cap that binds nobody", HEAD + REGIME
     + '[[regimes.caps]]\nmax = 4\nperiod = "1 day"\npurposes = []\nsource = "law"\n',
     [(17, "regimes[1].caps[1].purposes", "binds nothing")]),
    ("holidays without any", HEAD + REGIME + '[regimes.holidays]\nsource = "law"\n',
     [(14, "regimes[1].holidays", "closes no day; give a calendar")]),
    ("a floor under what has an end", HEAD + REGIME
     + '[regimes.objection]\ndays = 30\nfloor_days = 60\nfloor_for = ["contract"]\n'
     'source = "law"\n',
     [(14, "regimes[1].objection", 'floor_days goes with until = "consent"')]),
    ("a consent for an age", HEAD + REGIME
     + '[regimes.consent]\nrequired = true\nmax_years = 9999\nsource = "law"\n',
     [(16, "regimes[1].consent.max_years", "found 9999; allowed: a whole number")]),
    ("an unknown key", HEAD + REGIME + 'untill = 2026-02-01\n',
     [(14, "regimes[1].untill", "unknown key; did you mean until?")]),
    ("an unknown table", HEAD + REGIME + "[regimes.hour]\n",
     [(14, "regimes[1].hour", "unknown key; did you mean hours?")]),
    ("a source without confidence", HEAD.replace('confidence = "primary"\n', "") + REGIME,
     [(5, "sources.law.confidence", "missing")]),
    ("a confidence of its own", HEAD.replace('"primary"', '"sure"') + REGIME,
     [(8, "sources.law.confidence",
       'found "sure"; allowed: "primary", "transcribed", "secondary" or "unverified"')]),
    ("a regime without dates", HEAD + '[[regimes]]\nid = "r"\ntitle = "t"\n',
     [(10, "regimes[1].from", "missing")]),
    ("a date that is none", HEAD + REGIME.replace("2026-01-01", '"soon"'),
     [(13, "regimes[1].from", 'found "soon"; allowed: a date such as 2026-12-24')]),
    ("an end before its start", HEAD + REGIME + "until = 2025-12-31\n",
     [(14, "regimes[1].until", "found 2025-12-31; it is the last day in force, not before")]),
    ("an end at the end of time", HEAD + REGIME + "until = 9999-12-31\n",
     [(14, "regimes[1].until", "found 9999-12-31; leave it out")]),
    ("two regimes of one id", HEAD + REGIME + "until = 2026-06-30\n"
     + SECOND.replace('"s"', '"r"') + "from = 2026-07-01\n",
     [(16, "regimes[2].id", "r is the id of an earlier regime")]),
    ("regimes that overlap", HEAD + REGIME + "until = 2026-07-01\n" + SECOND
     + "from = 2026-07-01\n", [(15, "regimes[2]", "r is in force until 2026-07-01 but s")]),
    ("a regime followed without its end", HEAD + REGIME + SECOND + "from = 2026-07-01\n",
     [(14, "regimes[2]", "r is in force until further notice but s starts 2026-07-01")]),
    ("a hole between regimes", HEAD + REGIME + "until = 2026-06-29\n" + SECOND
     + "from = 2026-07-01\n", [(15, "regimes[2]", "no regime from 2026-06-30 to 2026-06-30")]),
    ("an unknown base", HEAD + REGIME + 'extends = "q"\n',
     [(14, "regimes[1].extends", "found 'q'; allowed: an earlier regime (none yet)")]),
    ("an unknown purpose", HEAD + REGIME + 'purposes = ["sales", "fun"]\n',
     [(14, "regimes[1].purposes[2]", 'found "fun"; allowed: "sales", "survey" or "service"')]),
    ("a part without a source", HEAD + REGIME + "[[regimes.caps]]\nmax = 4\nperiod = '1 day'\n",
     [(14, "regimes[1].caps[1].source", "missing")]),
    ("an unknown source", HEAD + REGIME + '[regimes.evidence]\nyears = 3\nsource = "lex"\n',
     [(16, "regimes[1].evidence.source", "found 'lex'; allowed: law")]),
    ("a window that is none", HEAD + REGIME
     + '[regimes.hours]\nmon-fri = ["10:00-13:00"]\nsat = ["10-13"]\nsource = "law"\n',
     [(16, "regimes[1].hours.sat", "'10-13' is no window")]),
    ("windows that overlap", HEAD + REGIME
     + '[regimes.hours]\nmon = ["10:00-13:00", "12:00-14:00"]\nsource = "law"\n',
     [(15, "regimes[1].hours.mon", "windows 10:00-13:00 and 12:00-14:00 overlap")]),
    ("a window over midnight", HEAD + REGIME
     + '[regimes.hours]\nmon = ["22:00-02:00"]\nsource = "law"\n',
     [(15, "regimes[1].hours.mon", "a window that crosses midnight is two")]),
    ("a day that is none", HEAD + REGIME
     + '[regimes.hours]\nmonday = ["10:00-13:00"]\nsource = "law"\n',
     [(15, "regimes[1].hours.monday", "'monday' is no day")]),
    ("a day named twice", HEAD + REGIME
     + '[regimes.hours]\nmon-fri = ["10:00-13:00"]\nfri = []\nsource = "law"\n',
     [(14, "regimes[1].hours", "fri is named twice")]),
    ("two days wrong at once", HEAD + REGIME
     + '[regimes.hours]\nmon = ["x"]\ntue = [7]\nwed = ["y"]\nsource = "law"\n',
     [(15, "regimes[1].hours.mon", "'x' is no window"),
      (16, "regimes[1].hours.tue[1]", "found 7; allowed: a text"),
      (17, "regimes[1].hours.wed", "'y' is no window")]),
    ("an unknown calendar", HEAD + REGIME
     + '[regimes.holidays]\ncalendar = "QQ"\nsource = "law"\n',
     [(15, "regimes[1].holidays.calendar", "no holiday calendar for 'QQ'")]),
    ("an added day that is none", HEAD + REGIME
     + '[regimes.holidays]\nadd = { easter = "Easter" }\nsource = "law"\n',
     [(15, "regimes[1].holidays.add", "found 'easter'; allowed: \"2026-10-04\"")]),
    ("a cap of nothing", HEAD + REGIME
     + '[[regimes.caps]]\nmax = 0\nperiod = "0 days"\nsource = "law"\n',
     [(15, "regimes[1].caps[1].max", "found 0; allowed: a whole number, 1 or more"),
      (16, "regimes[1].caps[1].period", "'0 days' is no period")]),
    ("a cap without a max", HEAD + REGIME + '[[regimes.caps]]\nperiod = "1 day"\nsource = "law"\n',
     [(14, "regimes[1].caps[1].max", "missing")]),
    ("a source without a text", HEAD.replace('text = "A text"\n', "") + REGIME,
     [(5, "sources.law.text", "missing")]),
    ("a cap without a period", HEAD + REGIME + '[[regimes.caps]]\nmax = 4\nsource = "law"\n',
     [(14, "regimes[1].caps[1].period", "missing")]),
    ("an objection of nothing", HEAD + REGIME + '[regimes.objection]\nsource = "law"\n',
     [(14, "regimes[1].objection", 'give either days = N or until = "consent"')]),
    ("an objection of both", HEAD + REGIME
     + '[regimes.objection]\ndays = 60\nuntil = "consent"\nsource = "law"\n',
     [(14, "regimes[1].objection", 'give either days = N or until = "consent"')]),
    ("an objection until tomorrow", HEAD + REGIME
     + '[regimes.objection]\ndays = 60\nuntil = "tomorrow"\nsource = "law"\n',
     [(16, "regimes[1].objection.until", 'found "tomorrow"; allowed: "consent"')]),
    ("a floor for nobody", HEAD + REGIME
     + '[regimes.objection]\nuntil = "consent"\nfloor_days = 60\nsource = "law"\n',
     [(14, "regimes[1].objection", "floor_days and floor_for go together")]),
    ("a list's age in hours", HEAD + REGIME
     + '[[regimes.lists]]\nname = "x"\nmax_age = "48 hours"\nsource = "law"\n',
     [(16, "regimes[1].lists[1].max_age", 'found "48 hours"; allowed: whole days')]),
    ("a list without a name", HEAD + REGIME + '[[regimes.lists]]\nsource = "law"\n',
     [(14, "regimes[1].lists[1].name", "missing")]),
    ("an unknown bond", HEAD + REGIME
     + '[[regimes.lists]]\nname = "x"\nexempt = ["friend"]\nsource = "law"\n',
     [(16, "regimes[1].lists[1].exempt[1]", 'found "friend"; allowed: "contract"')]),
    ("a consent that lifts a cap", HEAD + REGIME
     + '[regimes.consent]\nrequired = false\nwaives = ["frequency"]\nsource = "law"\n',
     [(16, "regimes[1].consent.waives[1]", "found 'frequency'; allowed: hours, holiday")]),
    ("a consent that is perhaps required", HEAD + REGIME
     + '[regimes.consent]\nrequired = "yes"\nsource = "law"\n',
     [(15, "regimes[1].consent.required", "true or false")]),
    ("a consent rule that does not say whether", HEAD + REGIME
     + '[regimes.consent]\nsource = "law"\n', [(14, "regimes[1].consent.required", "missing")]),
    ("a share of silent calls that is none", HEAD + REGIME
     + '[regimes.silent_share]\ndays = 30\nsource = "law"\n',
     [(14, "regimes[1].silent_share.percent", "missing")]),
    ("more silent calls than there are, in no time", HEAD + REGIME
     + '[regimes.silent_share]\npercent = 101\ndays = 0\nsource = "law"\n',
     [(15, "regimes[1].silent_share.percent", "from 0 to 100"),
      (16, "regimes[1].silent_share.days", "1")]),
    ("evidence for no time", HEAD + REGIME + '[regimes.evidence]\nsource = "law"\n',
     [(14, "regimes[1].evidence.years", "missing")]),
    ("a part dropped that is none", HEAD + REGIME + 'drop = ["penalty"]\n',
     [(14, "regimes[1].drop[1]", "found 'penalty'; allowed: hours, holidays, caps")]),
    ("a part given and dropped", HEAD + REGIME + "until = 2026-06-30\n" + SECOND
     + 'from = 2026-07-01\nextends = "r"\ndrop = ["evidence"]\n'
     '[regimes.evidence]\nyears = 3\nsource = "law"\n',
     [(20, "regimes[2].drop", "found 'evidence', which this regime also gives")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problems"), [(text, told) for _, text, told in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_every_fault_is_told_with_its_place(
    text: str, problems: list[tuple[int, str, str]]
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_policy(text, "packs/p.toml")
    found = caught.value.problems
    assert [(problem.line, problem.key) for problem in found] == [
        (line, key) for line, key, _ in problems
    ]
    for problem, (_, _, message) in zip(found, problems, strict=True):
        assert message in problem.message
        assert problem.file == "packs/p.toml"
        assert str(problem).startswith("packs/p.toml")


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = HEAD.replace('"p"', '"P"') + REGIME.replace("2026-01-01", "7") + "x = 1\n"
    with pytest.raises(SettingsError) as caught:
        read_policy(text, "p.toml")
    assert [problem.key for problem in caught.value.problems] == [
        "id",
        "regimes[1].from",
        "regimes[1].x",
    ]
