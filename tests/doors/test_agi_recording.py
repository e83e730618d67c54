"""The scripts that record, over a real socket: on disk before `OK`, in the log when it is not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.doors.asking import environment, send, variables_of, words_of
from tests.doors.door import Door, opened
from tests.gate.world import DIALLED, NOW, NUMBER, OTHER, World

from dialwarden.ledger.appointments import list_appointments
from dialwarden.ledger.consents import list_consents
from dialwarden.ledger.objections import list_objections
from dialwarden.ledger.silent_calls import list_silent_calls

RECORDED = {"DIALWARDEN_RESULT": "OK", "DIALWARDEN_REASON": ""}
LISTED: Mapping[str, Callable[..., Iterable[dict[str, Any]]]] = {
    "objection": list_objections,
    "consent": list_consents,
    "appointment": list_appointments,
    "silent": list_silent_calls,
}
SCRIPTS = list(LISTED)
AT = "2026-11-04T18:30"


async def rows(world: World, script: str) -> list[dict[str, Any]]:
    """What is on disk of what a script records."""
    return await world.ledger.read(lambda conn: list(LISTED[script](conn)))


def whole(script: str, **keys: str) -> dict[str, str]:
    """The keys of a request that can be recorded, and more."""
    usual = {"number": DIALLED, "campaign": "capped"}
    return {**usual, **({"at": AT} if script == "appointment" else {}), **keys}


@pytest.mark.parametrize(
    "keys",
    [
        {"number": DIALLED, "campaign": "capped"},
        {"call": "17.4"},
        {"call": "17.4", "campaign": "sister"},
        {"attempt": "1"},
        {"call": "17.4", "scope": "all"},
    ],
    ids=str,
)
async def test_an_objection_is_ok_and_holds_at_once(door: Door, keys: dict[str, str]) -> None:
    assert await door.check(call="17.4") == "ALLOW"
    assert await door.ask("objection", **keys) == RECORDED
    assert await door.check(call="17.4") == "REFUSE objection"


@pytest.mark.parametrize("who", [{"number": DIALLED}, {"call": "17.4"}, {"attempt": "1"}], ids=str)
async def test_a_consent_is_ok_and_holds_at_once(door: Door, who: dict[str, str]) -> None:
    await door.check(call="17.4")
    assert await door.check(campaign="solar") == "REFUSE consent"
    said = await door.ask(
        "consent", **who, campaign="solar", until="2026-12-31", scope="sales", proof="rec 5=a"
    )
    assert said == RECORDED
    assert await door.check(campaign="solar") == "ALLOW"
    [row] = await rows(door.world, "consent")
    kept = {
        "number": f"+{NUMBER}", "professional": "seller", "campaign": "solar", "given_at": NOW,
        "until": date(2026, 12, 31), "scope": "sales", "proof": "rec 5=a", "complete": False,
        "by": "PJSIP/100-00000001",
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


async def test_a_consent_lifts_the_objection_said_a_moment_before(door: Door) -> None:
    for script in ("consent", "objection", "consent"):
        assert await door.ask(script, number=DIALLED, campaign="solar") == RECORDED
    door.world.clock.advance(seconds=1)
    assert await door.check(campaign="solar") == "ALLOW"
    assert await door.ask("objection", number=DIALLED, campaign="solar") == RECORDED
    assert await door.check(campaign="solar") == "REFUSE consent"


@pytest.mark.parametrize("who", [{"number": DIALLED}, {"call": "17.4"}, {"attempt": "1"}], ids=str)
async def test_an_appointment_is_ok_and_on_disk(door: Door, who: dict[str, str]) -> None:
    await door.check(call="17.4")
    assert await door.ask("appointment", **who, campaign="capped", at=AT) == RECORDED
    [row] = await rows(door.world, "appointment")
    kept = {
        "number": f"+{NUMBER}", "professional": "acme", "campaign": "capped",
        "at": datetime(2026, 11, 4, 17, 30, tzinfo=UTC), "by": "PJSIP/100-00000001",
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("who", "attempt"),
    [
        ({"number": DIALLED, "campaign": "capped"}, None),
        ({"call": "17.4"}, 1),
        ({"attempt": "1"}, 1),
    ],
    ids=str,
)
async def test_a_silent_call_is_ok_and_on_disk(
    door: Door, who: dict[str, str], attempt: int | None
) -> None:
    await door.check(call="17.4", person="p-1")
    assert await door.ask("silent", **who) == RECORDED
    [row] = await rows(door.world, "silent")
    kept = {
        "number": f"+{NUMBER}", "professional": "acme", "campaign": "capped", "at": NOW,
        "attempt": attempt, "person": "p-1" if attempt else None, "by": "PJSIP/100-00000001",
    }  # fmt: skip
    assert {key: row[key] for key in kept} == kept
    [asked] = door.world.attempts()
    assert asked["silent"] is (attempt is not None)


@pytest.mark.parametrize(
    ("script", "keys", "why"),
    [
        *((script, {}, "is not in the ledger") for script in ("objection", "consent", "silent")),
        *((script, {"attempt": "x", "at": AT}, "attempt='x'") for script in SCRIPTS),
        *((script, {"call": "nobody", "at": AT}, "'nobody' is not in") for script in SCRIPTS),
        *((script, whole(script, number="12"), "too short") for script in SCRIPTS),
        *((script, whole(script, campaign=""), "names no campaign") for script in SCRIPTS),
        *((script, whole(script, campaign="nobody"), "not in the configuration")
          for script in SCRIPTS),
        ("consent", whole("consent", scope="all"),
         "scope 'all' of the consent is unknown; use professional, campaign, a purpose "
         "(sales, survey, service), or a configured sector or campaign (capped, free, listed, "
         "rival, shadow, sister, solar)"),
        ("consent", whole("consent", until="soon"), "until='soon', is no date"),
        ("consent", whole("consent", until="2026-11-01"),
         "Sun 2026-11-01, lies before the day on which it was given, Mon 2026-11-02"),
        ("appointment", whole("appointment", at=""), "pass at=2026-12-24T18:30+01:00"),
        ("appointment", whole("appointment", at="tomorrow"), "at='tomorrow', cannot be read"),
        ("appointment", whole("appointment", at="2026-11-02T10:29"),
         "Mon 2026-11-02 10:29 Europe/Paris, lies in the past"),
        ("appointment", whole("appointment", number="+262692123456"),
         "has no offset from UTC and the callee may be in several time zones "
         "(Indian/Reunion, Indian/Mayotte); write 2026-12-24T18:30+01:00"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_fails_says_why_and_is_an_error_in_the_log(
    door: Door, script: str, keys: dict[str, str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = await door.ask(script, **keys)
    assert said["DIALWARDEN_RESULT"] == "FAILED"
    assert why in said["DIALWARDEN_REASON"]
    assert await rows(door.world, script) == []
    name = {"silent": "silent call"}.get(script, script)
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert f"{name} was NOT recorded" in told.getMessage()
    assert "record it by hand: {" in told.getMessage()


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_torn_request_fails_and_records_nothing(door: Door, script: str) -> None:
    said = await door.ask(script, "capped", **whole(script))
    assert said["DIALWARDEN_RESULT"] == "FAILED"
    assert await rows(door.world, script) == []
    assert await door.check() == "ALLOW"


@pytest.mark.parametrize("script", SCRIPTS)
async def test_unknown_keys_are_ignored_with_a_warning(
    door: Door, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = {
        "objection": ["scope"], "consent": ["scope", "until", "proof"], "appointment": ["at"],
        "silent": [],
    }[script]  # fmt: skip
    given = whole(script, attempt="1", call="17.4", colour="red")
    assert await door.ask(script, **{**dict.fromkeys(known, ""), **given}) == RECORDED
    assert "unknown keys ignored: 'colour'" in caplog.text


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_slash_behind_the_script_is_forgiven(door: Door, script: str) -> None:
    assert await door.ask(f"{script}/", **whole(script)) == RECORDED


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_channel_name_that_is_no_utf8_loses_nothing(door: Door, script: str) -> None:
    data = environment(script, *words_of(**whole(script)), channel="PJSIP/Ren\udce9-1")
    assert variables_of(await send(door.port, data)) == RECORDED
    [row] = await rows(door.world, script)
    assert row["by"] == r"PJSIP/Ren\udce9-1"


async def test_a_proof_that_is_no_utf8_is_kept(door: Door) -> None:
    assert await door.ask("consent", **whole("consent", proof="form \udce9")) == RECORDED
    [row] = await rows(door.world, "consent")
    assert row["proof"] == r"form \udce9"


@pytest.mark.parametrize("script", SCRIPTS)
async def test_what_was_heard_is_recorded_though_whoever_told_it_has_gone(
    door: Door, script: str
) -> None:
    for place in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(environment(script, *words_of(**whole(script, number=f"06123456{place:02}"))))
        writer.transport.abort()
    async with asyncio.timeout(5):
        while door.server.open_connections or not door.server.counters.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await door.world.gate.close()
    assert len(await rows(door.world, script)) == door.server.counters.asked


@pytest.mark.parametrize("script", SCRIPTS)
async def test_what_is_late_has_failed_and_may_be_recorded_all_the_same(
    tmp_path: Path, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, deadline_s=0.1) as door:
        held = asyncio.create_task(door.world.ledger.transact(lambda conn: time.sleep(0.5)))
        said = await door.ask(script, **whole(script, number=OTHER))
        assert said["DIALWARDEN_RESULT"] == "FAILED"
        assert "no verdict within 0.1 s" in said["DIALWARDEN_REASON"]
        assert "is not known to be recorded" in caplog.text
        assert f"'number': '{OTHER}'" in caplog.text
        await held
        await door.world.gate.close()
        assert len(await rows(door.world, script)) == 1


@pytest.mark.parametrize("script", SCRIPTS)
async def test_what_cannot_be_written_is_in_the_log_for_a_person(
    door: Door, script: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: World) -> datetime:
        raise OSError("no clock")

    monkeypatch.setattr(type(door.world.clock), "__call__", broken)
    said = await door.ask(script, **whole(script))
    assert said["DIALWARDEN_RESULT"] == "FAILED"
    assert "see the log" in said["DIALWARDEN_REASON"]
    assert "was NOT recorded; record it by hand: {" in caplog.text
    assert f"'number': '{DIALLED}'" in caplog.text
