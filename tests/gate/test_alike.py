"""Callees of whom nothing is on record: one ruling a minute says what each judgement would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.world import DIALLED, NOW, OTHER, Bench, import_list, question, rulebook_of

from dialwarden.facts import Facts, Listing, PastAttempt
from dialwarden.gate.alike import Rulings
from dialwarden.gate.reading import read_question
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import judged
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.question import Bond, Purpose, Relationship

POLICIES = ("au", "be", "ca", "de", "es", "fr", "it-garante", "nl", "pt", "uk", "us", "none")
REGIONS = {"it-garante": "IT", "uk": "GB", "none": "FR"}
NUMBERS = ("+33612345678", "+393331234567", "+12125550123", "+447911123456", "+61412345678",
           "+34612345678", "+262692123456", "+14165550123")  # fmt: skip


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    campaigns = "".join(
        f"[campaigns.{policy}]\n"
        f'professional = "acme"\npolicy = "{policy}"\n'
        f'region = "{REGIONS.get(policy, policy.upper())}"\nlists = ["house"]\n'
        f"[campaigns.{policy}.tighten]\n"
        'hours = { mon-sat = ["08:15-12:30", "13:00-24:00"] }\ngap = "30 minutes"\n'
        'closed = ["2026-12-24"]\n'
        for policy in POLICIES
    )
    lists = '[lists.house]\nkind = "opposition"\nmax_age = "30 days"\n'
    return rulebook_of(tmp_path_factory.mktemp("alike"), lists + campaigns)


# Around the ends of windows, days, laws, winter time and the age of a list.
EDGES = st.sampled_from(
    [
        datetime(2026, 8, 10, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 2, 7, 15, tzinfo=UTC), datetime(2026, 11, 2, 11, 30, tzinfo=UTC),
        datetime(2026, 11, 10, 23, 0, tzinfo=UTC), datetime(2026, 12, 23, 23, 0, tzinfo=UTC),
        datetime(2026, 11, 2, 19, 0, tzinfo=UTC), datetime(2026, 12, 1, 0, 0, tzinfo=UTC),
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_ruling_is_what_the_rules_say_of_each(rulebook: Rulebook, data: st.DataObject) -> None:
    at = data.draw(EDGES) + timedelta(minutes=data.draw(st.integers(-2, 2)))
    seconds = data.draw(st.tuples(*[st.integers(0, 59)] * 2))
    purpose = data.draw(st.sampled_from([None, *Purpose]))
    bond = data.draw(
        st.sampled_from(
            [None, Relationship(Bond.CONTRACT), Relationship(Bond.ENDED, date(2026, 5, 2))]
        )
    )
    policy = data.draw(st.sampled_from(POLICIES))
    asked = replace(question(data.draw(st.sampled_from(NUMBERS)), policy), purpose=purpose,
                    relationship=bond)  # fmt: skip
    reading = read_question(asked, rulebook)
    if reading.refusals:
        return
    entry = rulebook.entries[policy]
    listing = data.draw(
        st.sampled_from(
            [Listing(None), Listing(1, date(2026, 11, 1)), Listing(2, date(2026, 11, 1), True)]
        )
    )
    listings = dict.fromkeys(entry.lists, listing)
    rulings = Rulings()
    for second in seconds:
        now = at + timedelta(seconds=second)
        ruling = rulings.ruling(reading, rulebook, listings, now)
        assert ruling.verdict_of(reading, now) == judged(reading, Facts(lists=listings), now)
        assert ruling.consulted == tuple(
            (name, listings[name].version) for name in reading.lists_asked(now)
        )


AGES = st.sampled_from(
    [timedelta(seconds=30), timedelta(minutes=29), timedelta(minutes=30), timedelta(hours=9),
     timedelta(hours=23), timedelta(days=1), timedelta(days=2), timedelta(days=29)]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_of_one_called_before_it_holds_where_the_attempts_do_not_matter(
    rulebook: Rulebook, data: st.DataObject
) -> None:
    at = datetime(2026, 11, 4, 10, 30, data.draw(st.integers(0, 59)), tzinfo=UTC)
    policy = data.draw(st.sampled_from(("none", "nl", "pt", "fr")))
    asked = replace(question(NUMBERS[0], policy), relationship=Relationship(Bond.CONTRACT))
    reading = read_question(asked, rulebook)
    listings = dict.fromkeys(rulebook.entries[policy].lists, Listing(1, date(2026, 11, 3)))
    ages = data.draw(st.lists(AGES, min_size=1, max_size=4))
    past = sorted({at - age for age in ages}, reverse=True)
    purposes = st.sampled_from(Purpose)
    facts = Facts(tuple(PastAttempt(one, data.draw(purposes)) for one in past), lists=listings)
    ruling = Rulings().ruling(reading, rulebook, listings, at)
    verdict = judged(reading, facts, at)
    if ruling.holds_for(reading, facts, at):
        assert ruling.verdict_of(reading, at) == verdict
    else:
        assert not verdict.allowed or verdict.not_judged


def test_what_a_question_claims_makes_another_kind_of_it(tmp_path: Path) -> None:
    rulebook = rulebook_of(tmp_path)
    rulings = Rulings()

    def ruling(dialled: str = DIALLED, campaign: str = "solar", **more: object) -> object:
        reading = read_question(question(dialled, campaign, **more), rulebook)
        listings = {
            name: Listing(1, date(2026, 11, 2)) for name in rulebook.entries[campaign].lists
        }
        return rulings.ruling(reading, rulebook, listings, NOW)

    first = ruling()
    assert ruling() is first
    assert ruling(OTHER) is first
    others = [
        ruling(campaign="listed"),
        ruling(relationship=Relationship(Bond.CONTRACT)),
        ruling(purpose=Purpose.SERVICE),
        ruling(caller_id="+33162123456"),
        ruling(region="FR-974"),
        ruling("+262692123456"),
    ]
    assert first not in others
    assert len({id(one) for one in others}) == len(others)


def test_a_number_that_is_listed_is_not_judged_as_one_that_is_not(tmp_path: Path) -> None:
    bench = Bench(open_ledger(tmp_path / "ledger.db"), rulebook_of(tmp_path))
    with transaction(bench.conn):
        import_list("house", [int(f"33{OTHER[1:]}")])(bench.conn)
    assert bench.ask(DIALLED, "listed").allowed
    assert bench.ask(OTHER, "listed").verdict.rules == ("opposition",)
    assert bench.ask(DIALLED.replace("5678", "5679"), "listed").allowed
    bench.conn.close()
