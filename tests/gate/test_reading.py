"""What a question is before anything is looked up: exempt, refused as it stands, or judgeable."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.world import CONFIG, NOW, rulebook_of

from dialwarden.facts import Appointment, Facts
from dialwarden.gate.reading import EMERGENCY, PATTERN, Reading, read_question
from dialwarden.gate.rulebook import Rulebook
from dialwarden.numbers import Place
from dialwarden.question import Bond, CallerId, Dialling, Purpose, Question, Relationship


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return rulebook_of(tmp_path_factory.mktemp("config"))


def rules(reading: Reading) -> str:
    return "&".join(refusal.rule for refusal in reading.refusals)


@pytest.mark.parametrize(
    "dialled", ["112", "15", "17", "18", "114", "116000", "9112", "915", "1 1 2", "+112", "9 112"]
)
@pytest.mark.parametrize(
    "spoilt",
    [
        {},
        {"campaign": "nobody"},
        {"campaign": ""},
        {"faults": ("'number' is given twice",)},
        {"region": "XX-99"},
    ],
    ids=["sound", "unknown campaign", "no campaign", "torn", "unknown region"],
)
def test_an_emergency_number_passes_whatever_else_is_wrong(
    rulebook: Rulebook, dialled: str, spoilt: dict[str, object]
) -> None:
    asked = replace(Question(dialled, "capped"), **spoilt)  # type: ignore[arg-type]
    reading = read_question(asked, rulebook)
    assert (reading.exempt, reading.refusals) == (EMERGENCY, ())


@pytest.mark.parametrize("dialled", ["1120", "01120", "0112", "11", "99112", "112;", "112,1", ""])
def test_what_only_resembles_an_emergency_number_does_not_pass(
    rulebook: Rulebook, dialled: str
) -> None:
    assert read_question(Question(dialled, "capped"), rulebook).exempt is None


def test_a_strip_is_heeded_only_where_a_trunk_has_one(tmp_path: Path) -> None:
    bare = rulebook_of(tmp_path, CONFIG.replace('strip = "9"', ""))
    assert read_question(Question("9112", "capped"), bare).exempt is None
    assert read_question(Question("112", "capped"), bare).exempt == EMERGENCY


def test_the_emergency_numbers_are_those_of_all_campaigns_together(tmp_path: Path) -> None:
    italian = '[campaigns.roma]\nprofessional = "roma"\npolicy = "none"\nregion = "IT"\n'
    both = rulebook_of(tmp_path, CONFIG + italian)
    assert read_question(Question("113", "capped"), both).exempt == EMERGENCY
    only_french = rulebook_of(tmp_path)
    assert read_question(Question("113", "capped"), only_french).exempt is None


@pytest.mark.parametrize(
    ("dialled", "patterns"),
    [
        ("3949", ["_3949"]),  # as dialled
        (" 3949 ", ["_3949"]),
        ("08001234", ["_0800."]),
        ("0612345678", ["_+336X."]),  # as E.164
        ("0612345678", ["_336XXXXXXXX"]),  # as E.164 without its +
        ("90612345678", ["_+336X."]),  # … after the trunk's strip
        ("06 12 34 56 78", ["+33612345678"]),
    ],
)
def test_an_exempt_pattern_matches_as_dialled_or_as_e164(
    tmp_path: Path, dialled: str, patterns: list[str]
) -> None:
    text = CONFIG.replace('["_3949", "_0800."]', str(patterns).replace("'", '"'))
    reading = read_question(Question(dialled, "capped"), rulebook_of(tmp_path, text))
    assert (reading.exempt, reading.refusals) == (PATTERN, ())


@pytest.mark.parametrize("dialled", ["39490", "0612345678", "+33800123456"])
def test_a_pattern_that_does_not_match_exempts_nothing(rulebook: Rulebook, dialled: str) -> None:
    assert read_question(Question(dialled, "capped"), rulebook).exempt is None


@pytest.mark.parametrize(
    "dialled",
    ["08001234&PJSIP/0612345678@carrier", "0800@evil", "0800/1", "0800;ext=1", "0800,1", "0800$x"],
)
def test_a_pattern_lets_no_text_pass_that_could_be_more_than_one_number(
    rulebook: Rulebook, dialled: str
) -> None:
    reading = read_question(Question(dialled, "capped"), rulebook)
    assert (reading.exempt, rules(reading)) == (None, "number")


def test_a_torn_question_is_exempt_by_no_pattern(rulebook: Rulebook) -> None:
    reading = read_question(Question("3949", "capped", faults=("'x' is no key=value",)), rulebook)
    assert (reading.exempt, rules(reading)) == (None, "number")


@pytest.mark.parametrize(
    ("dialled", "campaign", "expected"),
    [
        ("0612345678", "capped", ""),
        ("0612345678", "nobody", "campaign"),
        ("0612345678", "", "campaign"),
        ("0612345678", "CAPPED", "campaign"),
        ("", "capped", "number"),
        ("12", "capped", "number"),
        ("0612345678;ext=1", "capped", "number"),
        ("0612345678x12", "capped", "number"),
        ("0612,345678", "capped", "number"),
        ("٠٦١٢٣٤٥٦٧٨", "capped", "number"),
        ("0612345678\x00", "capped", "number"),
        ("06123456\udce978", "capped", "number"),
        ("0" * 5000, "capped", "number"),
        ("+80012345678", "capped", "number"),
    ],
)
def test_what_is_wrong_in_the_question_is_refused_by_its_rule(
    rulebook: Rulebook, dialled: str, campaign: str, expected: str
) -> None:
    reading = read_question(Question(dialled, campaign), rulebook)
    assert rules(reading) == expected


def test_faults_and_an_unknown_campaign_are_both_told(rulebook: Rulebook) -> None:
    asked = Question("0612345678", "nobody", faults=("'campaign' is given twice",))
    assert rules(read_question(asked, rulebook)) == "number&campaign"


def test_the_default_campaign_stands_in_for_none(tmp_path: Path) -> None:
    text = CONFIG.replace("[defaults]", '[defaults]\ncampaign = "free"')
    rulebook = rulebook_of(tmp_path, text)
    reading = read_question(Question("0612345678"), rulebook)
    assert (reading.campaign, reading.refusals) == ("free", ())
    assert rules(read_question(Question("0612345678", "nobody"), rulebook)) == "campaign"


@pytest.mark.parametrize(
    ("dialled", "region", "zones"),
    [
        ("0612345678", "", ("Europe/Paris",)),
        ("0612345678", "FR-974", ("Indian/Reunion",)),
        ("0612345678", "fr-974", ("Indian/Reunion",)),
        ("0692123456", "FR-974", ("Indian/Reunion",)),
    ],
)
def test_a_region_decides_where_the_callee_is(
    rulebook: Rulebook, dialled: str, region: str, zones: tuple[str, ...]
) -> None:
    reading = read_question(Question(dialled, "capped", region=region), rulebook)
    assert reading.zone_names == zones
    assert reading.zones == tuple(map(ZoneInfo, zones))


def test_an_overseas_number_has_every_zone_of_its_code(rulebook: Rulebook) -> None:
    reading = read_question(Question("0692123456", "capped"), rulebook)
    assert set(reading.zone_names) == {"Indian/Reunion", "Indian/Mayotte"}


@pytest.mark.parametrize("region", ["XX", "FR-999", "Réunion", "\udce9", "x" * 5000, " "])
def test_an_unknown_region_is_refused_and_not_passed_over(rulebook: Rulebook, region: str) -> None:
    reading = read_question(Question("0612345678", "capped", region=region), rulebook)
    assert rules(reading) == "unavailable"
    assert reading.refusals[0].reason.values["key"] == "region"
    assert len(str(reading.refusals[0].reason.values["found"])) < 300


@pytest.mark.parametrize(
    ("given_purpose", "purpose"),
    [(None, Purpose.SALES), (Purpose.SURVEY, Purpose.SURVEY), (Purpose.SERVICE, Purpose.SERVICE)],
)
def test_the_purpose_is_the_questions_else_the_campaigns(
    rulebook: Rulebook, given_purpose: Purpose | None, purpose: Purpose
) -> None:
    asked = Question("0612345678", "solar", purpose=given_purpose)
    assert read_question(asked, rulebook).purpose is purpose


def test_the_matter_holds_what_was_asked(rulebook: Rulebook) -> None:
    bond = Relationship(Bond.CONTRACT)
    asked = Question("0612345678", "solar", relationship=bond, purpose=Purpose.SURVEY)
    matter = read_question(asked, rulebook).matter(Facts())
    assert (matter.relationship, matter.purpose) == (bond, Purpose.SURVEY)
    assert matter.mandate.professional == "seller"


def test_the_lists_asked_are_those_of_the_regime_in_force(rulebook: Rulebook) -> None:
    reading = read_question(Question("0612345678", "solar"), rulebook)
    assert reading.lists_asked(NOW) == ()
    assert reading.lists_asked(NOW - timedelta(days=180)) == ("bloctel",)


# --- Where the callee may be

PACK = """
id = "america"
title = "t"
country = "US"
[sources.law]
text = "the law"
confidence = "primary"
[[regimes]]
id = "america"
title = "t"
from = 2020-01-01
until = 2026-12-31
[regimes.hours]
mon-sun = ["08:00-21:00"]
source = "law"
[regimes.appointments]
tolerance = "10 minutes"
waives = ["hours"]
source = "law"
[[regimes.regions]]
regions = ["US-FL"]
[[regimes.regions.caps]]
max = 3
period = "24 hours"
source = "law"
[[regimes]]
id = "america-2027"
title = "t"
from = 2027-01-01
extends = "america"
[[regimes.lists]]
name = "dnc"
source = "law"
"""
ABROAD = """
[policies]
path = "packs"
[campaigns.america]
professional = "seller"
policy = "america"
dial = "automatic"
[campaigns.italy]
professional = "seller"
policy = "none"
region = "IT"
"""


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    directory = tmp_path_factory.mktemp("abroad")
    (directory / "packs").mkdir()
    (directory / "packs" / "america.toml").write_text(PACK)
    return rulebook_of(directory, CONFIG + ABROAD)


EAST, CENTRAL = "America/New_York", "America/Chicago"


@pytest.mark.parametrize(
    ("dialled", "region", "places", "zones"),
    [
        ("+12125550123", "", [("US-NY", EAST)], (EAST,)),
        ("+18505550123", "", [("US-FL", EAST), ("US-FL", CENTRAL)], (EAST, CENTRAL)),
        ("+12125550123", "US-FL", [("US-FL", EAST), ("US-FL", CENTRAL)], (EAST, CENTRAL)),
        ("+33612345678", "", [("FR", "Europe/Paris")], ("Europe/Paris",)),
        ("+33612345678", "FR-57", [("FR-57", "Europe/Paris")], ("Europe/Paris",)),
        # Of many places each clock is named once.
        ("+34612345678", "", [("ES", "Europe/Madrid"), ("ES-CE", "Africa/Ceuta"),
                              ("ES-ML", "Africa/Ceuta"), ("ES-CN", "Atlantic/Canary")],
         ("Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary")),
    ],
)  # fmt: skip
def test_a_reading_knows_the_places_and_their_clocks(
    abroad: Rulebook,
    dialled: str,
    region: str,
    places: list[tuple[str, str]],
    zones: tuple[str, ...],
) -> None:
    reading = read_question(Question(dialled, "america", region=region), abroad)
    assert reading.places == tuple(Place(*place) for place in places)
    assert reading.zone_names == zones
    assert reading.zones == tuple(map(ZoneInfo, zones))


@pytest.mark.parametrize(
    ("dialled", "region", "known", "regions"),
    [
        ("+12125550123", "", True, ["US-NY"]),
        ("+18505550123", "", True, ["US-FL", "US-FL"]),
        ("+33612345678", "", False, ["FR"]),
        ("+33612345678", "FR-57", True, ["FR-57"]),
        # What this law does not tell apart is one, for each clock.
        ("+34612345678", "", False, ["ES", "-", "-"]),
    ],
)
def test_the_matter_is_of_the_places_that_the_law_tells_apart(
    abroad: Rulebook, dialled: str, region: str, known: bool, regions: list[str]
) -> None:
    matter = read_question(Question(dialled, "america", region=region), abroad).matter(Facts())
    assert [place.region for place in matter.places] == regions
    assert matter.known is known
    assert [str(zone) for zone in matter.zones] == [place.zone for place in matter.places]


def test_the_lists_asked_are_those_of_the_laws_in_force_wherever_the_callee_may_be(
    abroad: Rulebook,
) -> None:
    """The night of the change: midnight in New York is an hour away in Chicago."""
    reading = read_question(Question("+18505550123", "america"), abroad)
    midnight = datetime(2027, 1, 1, tzinfo=ZoneInfo(EAST))
    assert reading.lists_asked(midnight - timedelta(seconds=1)) == ()
    assert reading.lists_asked(midnight) == ("dnc",)
    newyork = read_question(Question("+12125550123", "america"), abroad)
    assert newyork.lists_asked(midnight) == ("dnc",)
    chicago = read_question(Question("+13125550123", "america"), abroad)
    assert chicago.lists_asked(midnight) == ()


# --- What is shown, and who dials


@pytest.mark.parametrize(
    ("campaign", "shown", "e164"),
    [
        ("capped", "0142123456", "+33142123456"),
        ("capped", "+39 06 1234 5678", "+390612345678"),
        ("italy", "0612345678", "+390612345678"),
        ("america", "212-555-0123", "+12125550123"),
        # No trunk's digit stands before what is shown.
        ("capped", "90142123456", ""),
        ("capped", "anonymous", ""),
        ("capped", "4866", ""),
    ],
)
def test_the_number_shown_is_read_as_the_campaigns_region_writes_numbers(
    abroad: Rulebook, campaign: str, shown: str, e164: str
) -> None:
    asked = Question("+33612345678", campaign, caller_id=shown)
    assert read_question(asked, abroad).matter(Facts()).caller_id == CallerId(shown, e164)


@pytest.mark.parametrize("shown", [None, "", "  "])
def test_a_number_that_nobody_named_is_not_shown_as_withheld(
    abroad: Rulebook, shown: str | None
) -> None:
    asked = Question("+33612345678", "capped", caller_id=shown)
    assert read_question(asked, abroad).matter(Facts()).caller_id is None


@pytest.mark.parametrize(
    ("campaign", "given_dial", "dial"),
    [
        ("america", None, Dialling.AUTOMATIC),
        ("america", Dialling.MANUAL, Dialling.MANUAL),
        ("capped", None, None),
        ("capped", Dialling.AUTOMATIC, Dialling.AUTOMATIC),
    ],
)
def test_who_dials_is_the_questions_else_the_campaigns(
    abroad: Rulebook, campaign: str, given_dial: Dialling | None, dial: Dialling | None
) -> None:
    reading = read_question(Question("+33612345678", campaign, dialling=given_dial), abroad)
    assert reading.dialling is dial
    assert reading.matter(Facts()).dialling is dial


# --- The appointment whose time it is

AGREED = Appointment(NOW, "america", 7)


@pytest.mark.parametrize(
    ("appointments", "seconds", "found"),
    [
        ((AGREED,), 0, 7),
        ((AGREED,), -600, 7),
        ((AGREED,), 599, 7),
        ((AGREED,), -601, None),
        ((AGREED,), 600, None),
        ((), 0, None),
        ((replace(AGREED, campaign=""),), 0, 7),
        ((replace(AGREED, campaign="capped"),), 0, None),
        ((replace(AGREED, used_by=1),), 0, None),
        ((replace(AGREED, used_by=1), replace(AGREED, id=8)), 0, 8),
    ],
)
def test_a_reading_finds_the_appointment_whose_time_it_is(
    abroad: Rulebook, appointments: tuple[Appointment, ...], seconds: int, found: int | None
) -> None:
    reading = read_question(Question("+18505550123", "america"), abroad)
    at = NOW + timedelta(seconds=seconds)
    agreed = reading.appointment(Facts(appointments=appointments), at)
    assert (agreed.id if agreed else None) == found


@pytest.mark.parametrize(
    "asked",
    [
        Question("+12125550123", "capped"),  # its law heeds none
        Question("+12125550123", "nobody"),
        Question("12", "america"),
        Question("+12125550123", "america", region="XX"),
    ],
    ids=["law", "campaign", "number", "region"],
)
def test_where_there_is_none_to_heed_a_reading_finds_no_appointment(
    abroad: Rulebook, asked: Question
) -> None:
    facts = Facts(appointments=(replace(AGREED, campaign=""),))
    assert read_question(asked, abroad).appointment(facts, NOW) is None


_words = st.text(max_size=40) | st.text("+0123456789().- ,;x", max_size=30)


@given(
    dialled=_words, campaign=_words | st.just("capped"), region=_words, fault=st.text(max_size=5)
)
def test_any_text_gives_a_reading_that_is_exempt_refused_or_whole(
    rulebook: Rulebook, dialled: str, campaign: str, region: str, fault: str
) -> None:
    faults = (fault,) if fault else ()
    asked = Question(dialled, campaign, region=region, faults=faults)
    reading = read_question(asked, rulebook)
    if reading.exempt is None and not reading.refusals:
        assert reading.entry is not None
        assert reading.number is not None
        assert reading.zones
        assert not set(dialled) - set("+0123456789().- \t\u00a0\u2007\u2009\u202f")
