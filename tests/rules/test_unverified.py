"""What a judgement rests on that no text was read for: told with every ALLOW and every REFUSE.

The sources of a pack here: law and other were read, rumour and hearsay were not.
"""

from __future__ import annotations

import pytest

from dialwarden.policy.model import Policy
from dialwarden.question import Purpose

from .packs import judged, pack
from .situations import attempts, consented, house, matter

NOW = "2026-11-24 11:00"
NIGHT = "2026-11-24 23:00"


def hours(source: str) -> str:
    return f'[regimes.hours]\nmon-fri = ["10:00-20:00"]\nsource = "{source}"\n'


def cap(source: str) -> str:
    return f'[[regimes.caps]]\nmax = 1\nperiod = "30 days"\nsource = "{source}"\n'


def listed(source: str, exempt: str = "") -> str:
    return f'[[regimes.lists]]\nname = "list"\nsource = "{source}"\n{exempt}\n'


@pytest.mark.parametrize(
    ("law", "clock", "expected"),
    [
        pytest.param(hours("law") + cap("other"), NOW, (), id="all was read"),
        pytest.param(hours("law") + cap("other"), NIGHT, (), id="all was read, refused"),
        # An ALLOW rests on every part: each might have refused.
        pytest.param(hours("rumour") + cap("law"), NOW, ("a rumour",), id="one"),
        pytest.param(hours("rumour") + cap("hearsay"), NOW, ("a rumour", "hearsay"), id="two"),
        pytest.param(hours("rumour") + cap("rumour"), NOW, ("a rumour",), id="one, twice"),
        # A REFUSE rests on the rules that refuse.
        pytest.param(hours("rumour") + cap("hearsay"), NIGHT, ("a rumour",), id="its own"),
        pytest.param(hours("law") + cap("hearsay"), NIGHT, (), id="another's"),
        # Proof that must be kept, shares that are only told, and sources that nothing cites, decide
        # nothing.
        pytest.param(hours("law") + '[regimes.silent_share]\npercent = 3\nsource = "rumour"\n', NOW,
                     (), id="silent share"),
        pytest.param(hours("law") + '[regimes.evidence]\nyears = 3\nsource = "rumour"\n', NOW, (),
                     id="evidence"),
    ],
)  # fmt: skip
def test_citations_that_no_text_was_read_for(
    law: str, clock: str, expected: tuple[str, ...]
) -> None:
    assert judged(matter(pack(law)), clock).unverified == expected


def test_a_refusal_by_several_rules_rests_on_each_of_them() -> None:
    asked = matter(pack(hours("rumour") + cap("hearsay")), attempts=attempts("2026-11-23 11:00"))
    assert judged(asked, NIGHT).unverified == ("a rumour", "hearsay")
    assert judged(asked, NOW).unverified == ("hearsay",)


def test_a_refusal_of_the_house_rests_on_no_text() -> None:
    asked = matter(pack(hours("rumour")), tighten=house(closed=["2026-11-24"]))
    assert judged(asked, NOW).unverified == ()


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        ("", ()),
        ("contract", ("a rumour",)),
        ("ended:2026-11-01", ("a rumour",)),
        ("ended:2026-10-01", ()),
        ("ended:2026-11-25", ()),  # still to end
        ("press", ()),
    ],
)
def test_an_exemption_that_is_used_is_told_with_what_it_rests_on(
    relationship: str, expected: tuple[str, ...]
) -> None:
    exempt = 'exempt = ["contract"]\nended_within = "30 days"\nexempt_source = "rumour"'
    asked = matter(pack(listed("law", exempt)), relationship=relationship)
    assert judged(asked, NOW).unverified == expected


@pytest.mark.parametrize(
    "part",
    [
        '[[regimes.sectors]]\nsectors = ["gas"]',
        "[regimes.consent]\nrequired = true",
        '[[regimes.lists]]\nname = "list"',
    ],
)
def test_an_exemption_of_any_part_may_rest_on_no_text(part: str) -> None:
    law = pack(f'{part}\nsource = "law"\nexempt = ["contract"]\nexempt_source = "hearsay"\n')
    assert judged(matter(law, sector="gas", relationship="contract"), NOW).unverified == (
        "hearsay",
    )
    refused = judged(matter(law, sector="gas"), NOW)
    assert refused.unverified == ()


def test_an_exemption_takes_the_place_of_a_refusal_and_not_of_another_rules_text() -> None:
    exempt = 'exempt = ["contract"]\nexempt_source = "rumour"'
    asked = matter(pack(hours("hearsay") + listed("law", exempt)), relationship="contract")
    assert judged(asked, NOW).unverified == ("hearsay", "a rumour")
    assert judged(asked, NIGHT).unverified == ("hearsay",)


@pytest.mark.parametrize(
    "part",
    [
        '[regimes.holidays]\ncalendar = "FR"',
        '[[regimes.gaps]]\nperiod = "1 hour"',
        "[regimes.objection]\ndays = 60",
        "[regimes.consent]\nrequired = false",
        '[regimes.appointments]\ntolerance = "1 minute"\nwaives = ["hours"]',
        '[[regimes.sectors]]\nsectors = ["works"]',
        "[[regimes.caller_id]]\nidentified = true",
    ],
)
def test_every_part_is_told(part: str) -> None:
    asked = matter(pack(f'{part}\nsource = "rumour"\n'), sector="gas", callerid="0142123456")
    assert judged(asked, NOW).unverified == ("a rumour",)


REGIONS = (
    hours("law")
    + """
[[regimes.regions]]
regions = ["US-FL"]
[regimes.regions.hours]
mon-fri = ["10:00-18:00"]
source = "rumour"
[[regimes.regions]]
regions = ["US-TN"]
[[regimes.regions.caps]]
max = 1
period = "1 day"
source = "hearsay"
"""
)


@pytest.mark.parametrize(
    ("region", "clock", "expected"),
    [
        ("US-NY", NOW, set()),
        ("US-FL", NOW, {"a rumour"}),
        ("US-FL", "2026-11-24 19:00", {"a rumour"}),
        ("US-FL", "2026-11-24 09:00", set()),  # closed by the country's own hours
        ("US-TN", NOW, {"hearsay"}),
    ],
)
def test_what_a_region_adds_is_told_there(region: str, clock: str, expected: set[str]) -> None:
    law = pack(REGIONS, country="US")
    assert set(judged(matter(law, region=region), clock).unverified) == expected


def test_of_several_places_each_is_told_once() -> None:
    """Noon in New York, when every state is open."""
    law = pack(REGIONS.replace("mon-fri", "mon-sun").replace("10:00", "00:00"), country="US")
    told = judged(matter(law, region="US"), "2026-11-24 12:00", "America/New_York").unverified
    assert sorted(told) == ["a rumour", "hearsay"]


def test_purposes_that_the_text_does_not_bind_rest_on_what_binds_them() -> None:
    law: Policy = pack('purposes = ["sales"]\n' + hours("rumour") + listed("hearsay"))
    assert judged(matter(law), NOW).unverified == ("a rumour", "hearsay")
    assert judged(matter(law, purpose=Purpose.SERVICE), NOW).unverified == ()


def test_a_consent_that_lifts_a_rule_leaves_what_it_rests_on() -> None:
    waiving = '[regimes.consent]\nrequired = false\nwaives = ["hours"]\nsource = "hearsay"\n'
    asked = matter(pack(hours("rumour") + waiving), consents=(consented("2026-09-01 11:00"),))
    assert set(judged(asked, NIGHT).unverified) == {"a rumour", "hearsay"}
