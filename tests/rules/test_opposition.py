"""opposition and list_stale: who stands in a list, who may be called yet, and how old it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dialwarden.facts import Consent, Listing
from dialwarden.policy.figures import ListRule
from dialwarden.policy.period import Period
from dialwarden.question import Purpose
from dialwarden.rules.judge import judge
from dialwarden.rules.opposition import judge_list_stale, judge_opposition
from dialwarden.verdict import Rule

from .packs import pack, refusal, said
from .situations import PARIS, ROME, consented, finding, instant, matter, objected

NOW = "2026-11-24 11:00"
TODAY = date(2026, 11, 24)
# What an Italian campaign says of itself, so that no rule is left without an answer.
KNOWN: dict[str, Any] = {"sector": "fibre", "callerid": "+390844123456"}


def rpo(**listing: object) -> dict[str, Listing]:
    given = {"version": 7, "as_of": TODAY, "listed": True, **listing}
    return {"rpo": Listing(**given)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("relationship", "refused"),
    [
        ("", True),
        ("contract", False),
        ("press", True),
        ("request:2026-11-20", True),
        ("ended:2026-11-24", False),  # today
        ("ended:2026-11-04", False),  # 20 days ago
        ("ended:2026-10-26", False),  # 29
        ("ended:2026-10-25", True),  # 30
        ("ended:2026-11-25", True),  # tomorrow: what is still to end has not ended
    ],
)
def test_rpo_is_lifted_by_a_contract_and_for_less_than_thirty_days_after_it(
    relationship: str, refused: bool
) -> None:
    asked = matter("it-assocontact", zones=ROME, relationship=relationship, lists=rpo())
    assert (finding(judge_opposition, asked, NOW) is not None) is refused
    stale = matter("it-assocontact", zones=ROME, relationship=relationship, lists={})
    assert (finding(judge_list_stale, stale, NOW) is not None) is refused


@pytest.mark.parametrize(
    ("consents", "since", "refused"),
    [
        pytest.param((), date(2026, 6, 1), True, id="no consent"),
        pytest.param((consented("2026-06-02 11:00", ROME),), date(2026, 6, 1), False, id="later"),
        pytest.param((consented("2026-06-01 23:00", ROME),), date(2026, 6, 1), True, id="same day"),
        pytest.param((consented("2026-05-31 11:00", ROME),), date(2026, 6, 1), True, id="earlier"),
        pytest.param((consented("2026-06-02 11:00", ROME),), None, True, id="registered when?"),
        pytest.param(
            (consented("2026-06-02 11:00", ROME, withdrawn_at=instant("2026-07-01 11:00")),),
            date(2026, 6, 1), True, id="withdrawn",
        ),
        pytest.param(
            (consented("2026-06-02 11:00", ROME, until=date(2026, 11, 23)),), date(2026, 6, 1),
            True, id="lapsed",
        ),
    ],
)  # fmt: skip
def test_a_consent_given_after_the_registration_wins_in_italy(
    consents: tuple[Consent, ...], since: date | None, refused: bool
) -> None:
    asked = matter("it-assocontact", zones=ROME, consents=consents, lists=rpo(since=since))
    assert (finding(judge_opposition, asked, NOW) is not None) is refused


def test_a_consent_the_callee_went_back_on_wins_over_nothing() -> None:
    asked = matter(
        "it-assocontact",
        zones=ROME,
        consents=(consented("2026-06-02 11:00", ROME),),
        objections=(objected("2026-07-01 11:00", ROME),),
        lists=rpo(since=date(2026, 6, 1)),
    )
    assert finding(judge_opposition, asked, NOW) is not None


def test_a_consent_does_not_lift_bloctel() -> None:
    lists = {"bloctel": Listing(1, date(2026, 6, 22), listed=True, since=date(2025, 1, 1))}
    asked = matter("fr", consents=(consented("2026-06-02 11:00"),), lists=lists)
    assert finding(judge_opposition, asked, "2026-06-23 11:00") is not None


@pytest.mark.parametrize(
    ("relationship", "refused"), [("", True), ("contract", False), ("press", False)]
)
def test_bloctel_exempts_contracts_and_the_press(relationship: str, refused: bool) -> None:
    lists = {"bloctel": Listing(1, date(2026, 6, 22), listed=True)}
    asked = matter("fr", relationship=relationship, lists=lists)
    assert (finding(judge_opposition, asked, "2026-06-23 11:00") is not None) is refused


@pytest.mark.parametrize(
    ("listing", "key", "named"),
    [
        (Listing(1, listed=True), "opposition", {"list"}),
        (Listing(1, TODAY, listed=True), "opposition_as_of", {"list", "as_of"}),
        (
            Listing(1, TODAY, listed=True, since=date(2026, 1, 2)),
            "opposition_since",
            {"list", "as_of", "since"},
        ),
    ],
)
def test_the_reason_tells_what_is_known_of_the_entry(
    listing: Listing, key: str, named: set[str]
) -> None:
    asked = matter("none", own_lists=(ListRule("house", "lists"),), lists={"house": listing})
    refusal = finding(judge_opposition, asked, NOW)
    assert refusal is not None
    assert refusal.reason.key == key
    assert set(refusal.reason.values) == named
    assert refusal.until is None


@pytest.mark.parametrize(
    ("listing", "limit", "key"),
    [
        pytest.param(None, None, "list_never", id="no entry at all"),
        pytest.param(Listing(None), None, "list_never", id="never imported"),
        pytest.param(Listing(1), None, None, id="without a limit it needs no date"),
        pytest.param(Listing(1, date(2001, 1, 1)), None, None, id="nor does it grow old"),
        pytest.param(Listing(1), 15, "list_undated", id="with a limit it needs one"),
        pytest.param(Listing(1, date(2026, 11, 9)), 15, None, id="of exactly the limit"),
        pytest.param(Listing(1, date(2026, 11, 8)), 15, "list_stale", id="a day older"),
        pytest.param(Listing(1, date(2026, 11, 25)), 15, None, id="of tomorrow, east of us"),
    ],
)
def test_how_old_a_list_may_be(listing: Listing | None, limit: int | None, key: str | None) -> None:
    asked = matter(
        "none",
        own_lists=(ListRule("house", "lists", max_age_days=limit),),
        lists={} if listing is None else {"house": listing},
    )
    refusal = finding(judge_list_stale, asked, NOW)
    assert (refusal.reason.key if refusal else None) == key
    if refusal is not None:
        assert refusal.until is None
        assert refusal.source == "lists"


def test_a_stale_list_tells_its_age_and_the_limit() -> None:
    asked = matter("it-assocontact", zones=ROME, lists=rpo(as_of=date(2026, 11, 1), listed=False))
    refusal = finding(judge_list_stale, asked, NOW)
    assert refusal is not None
    assert refusal.reason.values == {
        "list": "rpo",
        "as_of": date(2026, 11, 1),
        "age": Period(days=23),
        "limit": Period(days=15),
    }


@pytest.mark.parametrize("purpose", Purpose)
def test_a_campaigns_own_lists_hold_for_every_purpose_and_no_contract_lifts_them(
    purpose: Purpose,
) -> None:
    asked = matter(
        "fr",
        purpose=purpose,
        relationship="contract",
        own_lists=(ListRule("house", "lists"),),
        lists={"house": Listing(1, listed=True), "bloctel": Listing(1, TODAY)},
    )
    assert finding(judge_opposition, asked, NOW) is not None


def test_the_second_of_two_lists_is_looked_at_too() -> None:
    lists = {"rpo": Listing(1, TODAY), "house": Listing(2, listed=True)}
    asked = matter(
        "it-assocontact", zones=ROME, own_lists=(ListRule("house", "lists"),), lists=lists
    )
    refusal = finding(judge_opposition, asked, NOW)
    assert refusal is not None
    assert refusal.reason.values["list"] == "house"


def test_a_lists_age_is_counted_to_the_callees_date() -> None:
    lists = rpo(as_of=date(2026, 11, 9), listed=False)
    for zone, stale in ((PARIS, False), ("Pacific/Auckland", True)):
        asked = matter("it-assocontact", zones=zone, lists=lists)
        clock = instant("2026-11-24 21:00").astimezone(asked.zones[0]).replace(tzinfo=None)
        assert (finding(judge_list_stale, asked, str(clock)) is not None) is stale


def test_of_a_list_never_imported_opposition_is_not_judged() -> None:
    asked = matter("it-assocontact", zones=ROME, lists={}, **KNOWN)
    judgement = judge(asked, instant(NOW, "Europe/Rome"))
    assert [refusal.rule for refusal in judgement.refusals] == [Rule.LIST_STALE]
    assert [silence.rule for silence in judgement.not_judged] == [Rule.OPPOSITION]


def test_a_list_that_is_lifted_leaves_nothing_unjudged() -> None:
    asked = matter("it-assocontact", zones=ROME, relationship="contract", lists={}, **KNOWN)
    assert judge(asked, instant(NOW, "Europe/Rome")).not_judged == ()


# --- What lifts a list, for how long


@pytest.mark.parametrize(
    ("exempt", "relationship", "refused"),
    [
        ("", "contract", True),
        ('exempt = ["press"]', "press", False),
        ('exempt = ["request"]', "request:2020-01-01", False),
        ('exempt = ["request"]', "request:2026-11-25", True),  # still to come
        ('ended_within = "18 months"', "ended:2025-05-25", False),
        ('ended_within = "18 months"', "ended:2025-05-24", True),
        ('requested_within = "3 months"', "request:2026-08-25", False),
        ('requested_within = "3 months"', "request:2026-08-24", True),
        ('requested_within = "3 months"', "ended:2026-11-20", True),
        # Tuesday 24 November is the fifth working day after Tuesday the 17th.
        ('requested_within = "5 working days"', "request:2026-11-17", False),
        ('requested_within = "5 working days"', "request:2026-11-16", True),
    ],
)
def test_a_relationship_lifts_a_list_for_a_time(
    exempt: str, relationship: str, refused: bool
) -> None:
    law = pack(f'[[regimes.lists]]\nname = "list"\nmax_age = "1 day"\nsource = "law"\n{exempt}\n')
    asked = matter(
        law, relationship=relationship, lists={"list": Listing(1, date(2026, 11, 1), listed=True)}
    )
    assert said(asked, NOW) == ("opposition&list_stale" if refused else "")


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [(Purpose.SALES, "opposition"), (Purpose.SURVEY, ""), (Purpose.SERVICE, "")],
)
def test_a_list_binds_the_purposes_that_it_names(purpose: Purpose, expected: str) -> None:
    law = pack('[[regimes.lists]]\nname = "list"\npurposes = ["sales"]\nsource = "law"\n')
    asked = matter(law, purpose=purpose, lists={"list": Listing(1, listed=True)})
    assert said(asked, NOW) == expected


def test_a_list_that_the_law_asks_for_some_purposes_is_the_campaigns_for_the_others() -> None:
    law = pack('[[regimes.lists]]\nname = "list"\npurposes = ["sales"]\nsource = "law"\n')
    for purpose in Purpose:
        asked = matter(
            law,
            purpose=purpose,
            own_lists=(ListRule("list", "mine"),),
            lists={"list": Listing(1, listed=True)},
        )
        source = "the law" if purpose is Purpose.SALES else "mine"
        assert refusal(asked, NOW, Rule.OPPOSITION).source == source
