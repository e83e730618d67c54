"""What is said during a call: whom it means, how far it reaches, and that it holds at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.gate.world import (
    CONFIG,
    DIALLED,
    NOW,
    NUMBER,
    OTHER,
    World,
    consent_to,
    object_to,
    withdraw,
)

from dialwarden.facts import Scope
from dialwarden.gate.callee import RecordingError
from dialwarden.ledger.appointments import list_appointments
from dialwarden.ledger.attempts import HistoryRow, insert_history
from dialwarden.ledger.consents import list_consents
from dialwarden.ledger.objections import list_objections
from dialwarden.ledger.silent_calls import list_silent_calls
from dialwarden.question import Door


async def say_no(world: World, **words: str) -> None:
    await world.recorder.objection(**{"door": Door.AGI, "by": "PJSIP/100-1", **words})  # type: ignore[arg-type]


async def recorded(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_objections(conn)))


async def test_an_objection_by_number_holds_for_the_next_question(world: World) -> None:
    assert await world.rules() == ""
    await say_no(world, number=DIALLED, campaign="capped")
    assert await world.rules() == "objection"
    assert await world.rules(campaign="sister") == "objection"
    assert await world.rules(campaign="rival") == ""
    [row] = await recorded(world)
    assert (row["professional"], row["campaign"]) == ("acme", "capped")
    assert row["scope"] == "professional"
    assert (row["door"], row["by"], row["at"]) == ("agi", "PJSIP/100-1", NOW)


async def test_an_objection_by_call_means_the_number_of_that_call(world: World) -> None:
    await world.ask(call="17.1")
    await say_no(world, call="17.1")
    assert await world.rules(call="17.1") == "objection"
    assert await world.rules(OTHER) == ""


async def test_an_objection_by_call_means_the_number_called_last(world: World) -> None:
    await world.ask(call="17.2")
    await world.ask(OTHER, call="17.2")
    await say_no(world, call="17.2")
    assert await world.rules(OTHER) == "objection"
    assert await world.rules() == ""


async def test_an_objection_by_attempt_means_that_attempt(world: World) -> None:
    answer = await world.ask()
    await world.ask(OTHER)
    await say_no(world, attempt=str(answer.attempt))
    assert await world.rules() == "objection"
    assert await world.rules(OTHER) == ""


async def test_of_number_attempt_and_call_the_first_counts(world: World) -> None:
    answer = await world.ask(call="17.3")
    await say_no(world, number=OTHER, campaign="capped", attempt=str(answer.attempt), call="17.3")
    assert await world.rules(OTHER) == "objection"
    assert await world.rules() == ""


async def test_an_objection_by_call_holds_for_the_person(world: World) -> None:
    await world.ask(call="17.4", person="p-1")
    await say_no(world, call="17.4")
    assert await world.rules(OTHER, person="p-1") == "objection"


@pytest.mark.parametrize(
    ("scope", "reaches"),
    [
        ("", {"capped", "sister"}),
        ("professional", {"capped", "sister"}),
        (" Professional ", {"capped", "sister"}),
        ("campaign", {"capped"}),
        ("all", {"capped", "sister", "rival", "free"}),
    ],
)
@pytest.mark.parametrize("way", ["number", "call"])
async def test_a_scope_reaches_so_far(
    world: World, scope: str, reaches: set[str], way: str
) -> None:
    await world.ask(call="17.5")
    words = {"number": DIALLED, "campaign": "capped"} if way == "number" else {"call": "17.5"}
    await say_no(world, **words, scope=scope)
    refused = {
        campaign
        for campaign in ("capped", "sister", "rival", "free")
        if await world.rules(campaign=campaign) == "objection"
    }
    assert refused == reaches


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({}, "recording_no_attempt"),
        ({"call": "nobody"}, "recording_no_attempt"),
        ({"attempt": "4711"}, "recording_no_attempt"),
        ({"attempt": "x"}, "unavailable_question"),
        ({"attempt": "-1"}, "unavailable_question"),
        ({"attempt": "9" * 30}, "unavailable_question"),
        ({"attempt": "٣"}, "unavailable_question"),
        ({"number": "12", "campaign": "capped"}, "number_too_short"),
        ({"number": "06x", "campaign": "capped"}, "number_characters"),
        ({"number": DIALLED}, "campaign_missing"),
        ({"number": DIALLED, "campaign": "nobody"}, "campaign_unknown"),
    ],
    ids=str,
)
async def test_what_cannot_be_recorded_is_said_and_not_recorded(
    world: World, words: dict[str, str], key: str
) -> None:
    with pytest.raises(RecordingError) as raised:
        await say_no(world, **words)
    assert raised.value.reason.key == key
    assert await recorded(world) == []


async def test_a_number_in_an_unknown_campaign_is_read_as_its_call_would(world: World) -> None:
    await world.ask(OTHER, call="17.8")
    await say_no(world, number=DIALLED, campaign="cappped", call="17.8")
    assert await world.rules() == "objection"
    assert "objection" not in await world.rules(OTHER)
    [row] = await recorded(world)
    assert (row["number"], row["professional"], row["campaign"]) == (f"+{NUMBER}", "acme", "capped")


@pytest.mark.parametrize("attempt", ["4711", "x"])
async def test_an_attempt_that_nobody_knows_loses_no_no_where_the_call_is_known(
    world: World, attempt: str
) -> None:
    await world.ask(call="17.9")
    await say_no(world, attempt=attempt, call="17.9")
    assert await world.rules() == "objection"


async def test_a_scope_that_cannot_be_read_is_told_and_the_no_recorded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await say_no(world, number=DIALLED, campaign="capped", scope="everybody")
    [row] = await recorded(world)
    assert row["scope"] == "professional"
    assert "scope 'everybody' is none of" in caplog.text


async def test_a_campaign_that_is_unknown_loses_no_no_where_the_call_is_known(world: World) -> None:
    await world.ask(call="17.6")
    for more in ({}, {"number": "no number"}):
        await world.recorder.objection(
            call="17.6", campaign="nobody", door=Door.AGI, by="test", **more
        )
    assert {row["campaign"] for row in world.objections()} == {"capped"}


async def test_a_campaigns_objection_without_a_campaign_is_told(world: World) -> None:
    history = HistoryRow(NUMBER, "acme", NOW - timedelta(days=1))
    world.elsewhere(lambda conn: insert_history(conn, [history]))
    [attempt] = world.attempts()
    with pytest.raises(RecordingError) as raised:
        await say_no(world, attempt=str(attempt["id"]), scope="campaign")
    assert raised.value.reason.key == "campaign_missing"
    await say_no(world, attempt=str(attempt["id"]))
    assert await world.rules() == "objection"


async def test_a_ledger_that_is_gone_is_told(world: World) -> None:
    world.path.unlink()
    with pytest.raises(RecordingError) as raised:
        await say_no(world, number=DIALLED, campaign="capped")
    assert raised.value.reason.key == "unavailable_ledger"


async def test_a_no_said_twice_is_two_or_one_and_holds(world: World) -> None:
    nos = [say_no(world, number=DIALLED, campaign="capped") for _ in range(10)]
    await asyncio.gather(*nos)
    assert await world.rules() == "objection"
    assert len(await recorded(world)) == 1  # the very same, at the same instant


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("way", ["number", "call"])
async def test_a_no_said_with_the_clock_behind_is_later_than_every_consent(
    world: World, scope: Scope, way: str
) -> None:
    world.elsewhere(consent_to(at=NOW))
    assert await world.rules(campaign="solar", call="17.7") == ""
    world.clock.now = NOW - timedelta(minutes=20)
    words = {"number": DIALLED, "campaign": "solar"} if way == "number" else {"call": "17.7"}
    await say_no(world, **words, scope=scope)
    assert await world.rules(campaign="solar") == "consent&objection&frequency"
    world.clock.now = NOW + timedelta(hours=4)
    assert await world.rules(campaign="solar") == "consent&objection"


async def test_a_yes_after_the_no_lifts_it(world: World) -> None:
    world.elsewhere(consent_to(at=NOW - timedelta(days=1)))
    await say_no(world, number=DIALLED, campaign="solar")
    assert await world.rules(campaign="solar") == "consent&objection"
    world.elsewhere(consent_to(at=NOW + timedelta(minutes=1)))
    world.clock.advance(minutes=2)
    assert await world.rules(campaign="solar") == ""


# A yes.

# Reads as a yes for either, one of them with a sector.
SECTOR = """
[campaigns.power]
professional = "seller"
policy = "fr"
region = "FR"
sector = "electricity"
"""
LATER = timedelta(minutes=1)


@pytest_asyncio.fixture
async def sellers(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which two campaigns of one seller need a consent."""
    opened = await World.open(tmp_path, CONFIG + SECTOR)
    yield opened
    await opened.close()


async def say_yes(world: World, **words: str) -> None:
    await world.recorder.consent(by="PJSIP/100-1", **words)


async def consents_of(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_consents(conn)))


async def refused(recording: Awaitable[None]) -> str:
    """The key of the reason for which something was not recorded."""
    with pytest.raises(RecordingError) as raised:
        await recording
    return raised.value.reason.key


async def test_a_consent_holds_for_the_next_question(sellers: World) -> None:
    assert await sellers.rules(campaign="solar") == "consent"
    await say_yes(sellers, number=DIALLED, campaign="solar", until="2026-12-31", proof="form 12")
    assert await sellers.rules(campaign="solar") == ""
    [row] = await consents_of(sellers)
    kept = {
        "number": f"+{NUMBER}", "professional": "seller", "campaign": "solar", "given_at": NOW,
        "recorded_at": NOW, "until": date(2026, 12, 31), "scope": "professional",
        "proof": "form 12", "complete": False, "withdrawn_at": None, "by": "PJSIP/100-1",
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("scope", "kept", "reaches"),
    [
        ("", "professional", {"solar", "power"}),
        (" professional ", "professional", {"solar", "power"}),
        ("campaign", "solar", {"solar"}),
        ("solar", "solar", {"solar"}),
        ("power", "power", {"power"}),
        ("electricity", "electricity", {"power"}),
        ("sales", "sales", {"solar", "power"}),
        ("survey", "survey", set()),
    ],
)
@pytest.mark.parametrize("way", ["number", "attempt"])
async def test_a_yes_reaches_as_far_as_it_was_said(
    sellers: World, scope: str, kept: str, reaches: set[str], way: str
) -> None:
    words = {"number": DIALLED, "campaign": "solar"}
    if way == "attempt":
        history = HistoryRow(NUMBER, "seller", NOW - timedelta(days=40), campaign="solar")
        sellers.elsewhere(lambda conn: insert_history(conn, [history]))
        words = {"attempt": "1"}
    await say_yes(sellers, **words, scope=scope)
    allowed = {
        campaign
        for campaign in ("solar", "power")
        if "consent" not in await sellers.rules(campaign=campaign)
    }
    assert allowed == reaches
    assert [row["scope"] for row in await consents_of(sellers)] == [kept]


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({"scope": "everything"}, "recording_scope"),
        ({"scope": "Sales"}, "recording_scope"),
        ({"scope": "all"}, "recording_scope"),
        ({"until": "soon"}, "recording_until"),
        ({"until": "2026-13-01"}, "recording_until"),
        ({"until": "12/24/2026"}, "recording_until"),
        ({"until": "2026-12-24T18:00"}, "recording_until"),
        ({"until": "2026-11-01"}, "recording_until_past"),
        ({"number": "06x"}, "number_characters"),
        ({"number": "12"}, "number_too_short"),
        ({"number": "06x", "call": "17.1"}, "number_characters"),
        ({"campaign": "nobody"}, "campaign_unknown"),
        ({"campaign": "nobody", "call": "17.1"}, "campaign_unknown"),
        ({"number": "", "call": "17.1", "campaign": "nobody"}, "campaign_unknown"),
        ({"campaign": ""}, "campaign_missing"),
        ({"number": "", "call": "nobody"}, "recording_no_attempt"),
        ({"number": "", "attempt": "4711"}, "recording_no_attempt"),
        ({"number": "", "attempt": "4711", "call": "17.1"}, "recording_no_attempt"),
        ({"number": "", "attempt": "x", "call": "17.1"}, "unavailable_question"),
    ],
    ids=str,
)
async def test_a_yes_that_cannot_be_read_exactly_is_not_recorded(
    sellers: World, words: dict[str, str], key: str
) -> None:
    await sellers.ask(call="17.1")
    asked = say_yes(sellers, **{"number": DIALLED, "campaign": "solar", **words})
    assert await refused(asked) == key
    assert await consents_of(sellers) == []


async def test_a_consent_that_is_good_for_today_alone_is_one(sellers: World) -> None:
    await say_yes(sellers, number=DIALLED, campaign="solar", until="02/11/2026")
    assert await sellers.rules(campaign="solar") == ""
    sellers.clock.advance(days=1)
    assert await sellers.rules(campaign="solar") == "consent"


async def test_a_last_day_is_over_only_where_it_is_over_in_every_zone(world: World) -> None:
    """20:30 UTC on the 2nd is the 3rd in Réunion, and the 2nd still in Mayotte at 23:30."""
    world.clock.now = datetime(2026, 11, 2, 20, 30, tzinfo=UTC)
    mobile = {"number": "+262692123456", "campaign": "free"}
    await say_yes(world, **mobile, until="2026-11-02")
    assert await refused(say_yes(world, **mobile, until="2026-11-01")) == "recording_until_past"
    assert [row["until"] for row in await consents_of(world)] == [date(2026, 11, 2)]


async def test_a_consent_by_call_is_the_callees_of_that_call(world: World) -> None:
    await world.ask(call="17.1")
    await world.ask(OTHER, call="17.2")
    await say_yes(world, call="17.1")
    await say_yes(world, call="17.2", campaign="solar")
    await say_yes(world, number=OTHER, campaign="rival", call="17.1")
    rows = [
        (row["number"], row["professional"], row["campaign"]) for row in await consents_of(world)
    ]
    assert rows == [
        ("+33612345678", "acme", "capped"),
        ("+33687654321", "seller", "solar"),
        ("+33687654321", "rival", "rival"),
    ]


async def test_a_yes_for_a_campaign_that_nobody_knows_of_is_told(world: World) -> None:
    history = HistoryRow(NUMBER, "acme", NOW - timedelta(days=1))
    world.elsewhere(lambda conn: insert_history(conn, [history]))
    asked = say_yes(world, attempt="1", scope="campaign")
    assert await refused(asked) == "campaign_missing"
    await say_yes(world, attempt="1")
    assert [row["campaign"] for row in await consents_of(world)] == [""]


@pytest.mark.parametrize("no", ["objection", "withdrawal"])
@pytest.mark.parametrize("behind", [timedelta(0), timedelta(minutes=20)], ids=str)
async def test_a_yes_said_live_is_the_callees_last_word(
    world: World, no: str, behind: timedelta
) -> None:
    """After a no of the same instant, and after one that a clock since set back dated ahead."""
    said = object_to(professional="seller") if no == "objection" else withdraw()
    world.elsewhere(said)
    world.clock.now = NOW - behind
    await say_yes(world, number=DIALLED, campaign="solar")
    [row] = await consents_of(world)
    assert row["given_at"] == NOW + timedelta(microseconds=1)
    assert (row["recorded_at"], row["withdrawn_at"]) == (NOW - behind, None)
    world.clock.now = NOW + LATER
    assert await world.rules(campaign="solar") == ""


async def test_yes_and_no_in_turn_within_one_instant_leave_the_last(world: World) -> None:
    for turn in range(3):
        await say_no(world, number=DIALLED, campaign="solar")
        await say_yes(world, number=DIALLED, campaign="solar")
        rows = await consents_of(world)
        assert rows[-1]["given_at"] == NOW + timedelta(microseconds=turn + 1)
    world.clock.advance(minutes=1)
    assert await world.rules(campaign="solar") == ""
    await say_no(world, number=DIALLED, campaign="solar")
    assert await world.rules(campaign="solar") == "consent&objection&frequency"


async def test_a_yes_of_a_person_is_later_than_what_they_said_from_another_number(
    world: World,
) -> None:
    await world.ask(call="17.1", person="p-1")
    world.elsewhere(object_to(int("33687654321"), at=NOW + LATER, person="p-1"))
    await say_yes(world, call="17.1")
    [row] = await consents_of(world)
    assert row["given_at"] == NOW + LATER + timedelta(microseconds=1)


# An appointment.


async def agree(world: World, **words: str) -> None:
    await world.recorder.appointment(**{"by": "PJSIP/100-1", "at": "", **words})


async def agreed(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_appointments(conn)))


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        ("2026-11-04T18:30", datetime(2026, 11, 4, 17, 30, tzinfo=UTC)),
        ("2026-11-04 18:30:15", datetime(2026, 11, 4, 17, 30, 15, tzinfo=UTC)),
        ("2026-11-04T18:30Z", datetime(2026, 11, 4, 18, 30, tzinfo=UTC)),
        ("2026-11-04T18:30-05:00", datetime(2026, 11, 4, 23, 30, tzinfo=UTC)),
        ("2027-07-01T18:30", datetime(2027, 7, 1, 16, 30, tzinfo=UTC)),
        ("2026-11-02T10:30", NOW),
    ],
)
@pytest.mark.parametrize("way", ["number", "call", "attempt"])
async def test_an_appointment_is_where_the_callee_is(
    world: World, at: str, instant: datetime, way: str
) -> None:
    answer = await world.ask(call="17.1")
    words = {
        "number": {"number": DIALLED, "campaign": "capped"},
        "call": {"call": "17.1"},
        "attempt": {"attempt": str(answer.attempt)},
    }[way]
    await agree(world, **words, at=at)
    [row] = await agreed(world)
    kept = {
        "number": f"+{NUMBER}", "professional": "acme", "campaign": "capped", "at": instant,
        "recorded_at": NOW, "by": "PJSIP/100-1", "used_by": None,
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({"at": ""}, "recording_at_missing"),
        ({"at": "tomorrow"}, "recording_at"),
        ({"at": "2026-11-04"}, "recording_at"),
        ({"at": "2027-03-28T02:30"}, "recording_at"),
        ({"at": "2027-10-31T02:30"}, "recording_at"),
        ({"at": "2026-11-02T10:29:59"}, "recording_at_past"),
        ({"at": "2026-11-02T09:29:59Z"}, "recording_at_past"),
        ({"number": "+262692123456"}, "recording_at_offset"),
        ({"number": "12"}, "number_too_short"),
        ({"number": "12", "call": "17.1"}, "number_too_short"),
        ({"campaign": ""}, "campaign_missing"),
        ({"campaign": "nobody", "call": "17.1"}, "campaign_unknown"),
        ({"number": "", "call": "nobody"}, "recording_no_attempt"),
    ],
    ids=str,
)
async def test_an_appointment_that_cannot_be_read_exactly_is_not_recorded(
    world: World, words: dict[str, str], key: str
) -> None:
    await world.ask(call="17.1")
    usual = {"number": DIALLED, "campaign": "capped", "at": "2026-11-04T18:30"}
    assert await refused(agree(world, **{**usual, **words})) == key
    assert await agreed(world) == []


async def test_an_offset_settles_the_zone_and_so_does_the_region_of_the_call(world: World) -> None:
    mobile, at = "+262692123456", "2026-11-04T18:30"
    await world.ask(mobile, call="17.1", region="FR-976")
    await world.ask(mobile, call="17.2")
    await agree(world, call="17.1", at=at)
    await agree(world, number=mobile, campaign="capped", at=f"{at}+04:00")
    assert await refused(agree(world, call="17.2", at=at)) == "recording_at_offset"
    hours = [row["at"].hour for row in await agreed(world)]
    assert hours == [15, 14]  # Mayotte is three hours ahead of UTC, Réunion four


async def test_an_appointment_is_recorded_once(world: World) -> None:
    words = {"number": DIALLED, "campaign": "capped", "at": "2026-11-04T18:30"}
    await asyncio.gather(*(agree(world, **words) for _ in range(5)))
    assert len(await agreed(world)) == 1


async def test_an_appointment_needs_a_campaign(world: World) -> None:
    history = HistoryRow(NUMBER, "acme", NOW - timedelta(days=1))
    world.elsewhere(lambda conn: insert_history(conn, [history]))
    asked = agree(world, attempt="1", at="2026-11-04T18:30")
    assert await refused(asked) == "campaign_missing"
    await agree(world, attempt="1", at="2026-11-04T18:30", campaign="sister")
    assert [row["campaign"] for row in await agreed(world)] == ["sister"]


async def test_a_place_with_many_clocks_is_told_by_the_first_few(world: World) -> None:
    with pytest.raises(RecordingError) as raised:
        await agree(world, number="+18005550123", campaign="capped", at="2026-11-04T18:30")
    zones = raised.value.reason.values["zones"]
    assert isinstance(zones, tuple)
    assert len(zones) == 4
    assert zones[-1] == "…"


# A silent call.


async def fall_silent(world: World, **words: str) -> None:
    await world.recorder.silent(by="PJSIP/100-1", **words)


async def silences(world: World) -> list[dict[str, Any]]:
    return await world.ledger.read(lambda conn: list(list_silent_calls(conn)))


@pytest.mark.parametrize("way", ["call", "attempt", "number and call", "number and attempt"])
async def test_a_silent_call_is_recorded_with_its_attempt(world: World, way: str) -> None:
    answer = await world.ask(call="17.1", person="p-1")
    world.clock.advance(seconds=20)
    known = {"call": "17.1", "attempt": str(answer.attempt)}
    words = {key: known[key] for key in known if key in way}
    if "number" in way:
        words |= {"number": DIALLED, "campaign": "capped"}
    for _ in range(2):
        await fall_silent(world, **words)
        world.clock.advance(seconds=20)
    [row] = await silences(world)
    assert row == {
        "id": 1, "number": f"+{NUMBER}", "person": "p-1", "professional": "acme",
        "campaign": "capped", "at": NOW + timedelta(seconds=20), "attempt": answer.attempt,
        "recorded_at": NOW + timedelta(seconds=20), "by": "PJSIP/100-1",
    }  # fmt: skip


@pytest.mark.parametrize("more", [{}, {"call": "17.1"}, {"attempt": "1"}, {"call": "nobody"}])
async def test_a_silent_call_by_number_alone_has_no_attempt(
    world: World, more: dict[str, str]
) -> None:
    await world.ask(OTHER, call="17.1", person="p-1")
    await fall_silent(world, number=DIALLED, campaign="capped", **more)
    [row] = await silences(world)
    assert (row["number"], row["person"], row["attempt"]) == (f"+{NUMBER}", None, None)


@pytest.mark.parametrize(
    "words",
    [
        {"number": "06x"},
        {"number": DIALLED, "campaign": "nobody"},
        {"campaign": "nobody"},
        {"attempt": "x"},
        {"attempt": "4711"},
    ],
    ids=str,
)
async def test_a_silent_call_is_not_lost_where_its_call_is_known(
    world: World, words: dict[str, str]
) -> None:
    answer = await world.ask(call="17.1")
    await fall_silent(world, call="17.1", **words)
    [row] = await silences(world)
    assert (row["number"], row["attempt"]) == (f"+{NUMBER}", answer.attempt)
    assert (row["professional"], row["campaign"]) == ("acme", "capped")


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({}, "recording_no_attempt"),
        ({"call": "nobody"}, "recording_no_attempt"),
        ({"attempt": "x"}, "unavailable_question"),
        ({"number": "12", "campaign": "capped"}, "number_too_short"),
        ({"number": DIALLED}, "campaign_missing"),
    ],
    ids=str,
)
async def test_a_silent_call_of_nobody_is_told(
    world: World, words: dict[str, str], key: str
) -> None:
    assert await refused(fall_silent(world, **words)) == key
    assert await silences(world) == []


async def test_a_silent_call_is_not_dated_before_its_attempt(world: World) -> None:
    """Or the very call that fell silent would be a later one."""
    await world.ask(call="17.1")
    world.clock.now = NOW - timedelta(minutes=20)
    await fall_silent(world, call="17.1")
    await fall_silent(world, number=DIALLED, campaign="capped")
    assert [row["at"] for row in await silences(world)] == [NOW, NOW]


async def test_whatever_is_recorded_a_ledger_that_is_gone_is_told(world: World) -> None:
    who = {"number": DIALLED, "campaign": "capped"}
    world.path.unlink()
    for recording in (
        say_yes(world, **who),
        agree(world, **who, at="2026-11-04T18:30"),
        fall_silent(world, **who),
    ):
        assert await refused(recording) == "unavailable_ledger"
