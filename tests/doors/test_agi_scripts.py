"""The dialplan's contract over a real socket, against a real gate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doors.asking import environment, variables_of
from tests.doors.door import Door, opened
from tests.gate.test_overrides import ended, let_go
from tests.gate.world import CONFIG, DIALLED, NOW, OTHER, consent_to, object_to

from dialwarden.variables import VERDICT_VARIABLES

# Every variable, at each answer.


async def test_an_allow_sets_every_variable(door: Door) -> None:
    said = await door.ask("check", number="06 12 34 56 78", campaign="capped", call="17.1")
    [attempt] = door.world.attempts()
    assert list(said) == list(VERDICT_VARIABLES)
    assert said == {
        "DIALWARDEN_VERDICT": "ALLOW",
        "DIALWARDEN_RULE": "",
        "DIALWARDEN_RULES": "",
        "DIALWARDEN_REASON": "",
        "DIALWARDEN_NEXT": "",
        "DIALWARDEN_NUMBER": "+33612345678",
        "DIALWARDEN_ATTEMPT": str(attempt["id"]),
    }
    assert attempt["call"] == "17.1"


async def test_a_refusal_sets_every_variable(door: Door) -> None:
    await door.check()
    await door.check()
    said = await door.ask("check", number=DIALLED, campaign="capped")
    assert list(said) == list(VERDICT_VARIABLES)
    reason = said.pop("DIALWARDEN_REASON")
    assert said == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "frequency",
        "DIALWARDEN_RULES": "frequency",
        "DIALWARDEN_NEXT": "2026-11-03T00:00:00+01:00",
        "DIALWARDEN_NUMBER": "+33612345678",
        "DIALWARDEN_ATTEMPT": "",
    }
    assert "2 (limit 2)" in reason


@pytest.mark.parametrize("script", ["check", "peek"])
async def test_in_shadow_mode_an_allow_says_what_would_be_refused(door: Door, script: str) -> None:
    door.world.elsewhere(object_to(professional="shade"))
    said = await door.ask(script, number=DIALLED, campaign="shadow")
    kept = {name: said[f"DIALWARDEN_{name}"] for name in ("VERDICT", "RULE", "RULES", "NEXT")}
    assert kept == {"VERDICT": "ALLOW", "RULE": "", "RULES": "", "NEXT": ""}
    assert said["DIALWARDEN_NUMBER"] == "+33612345678"
    assert said["DIALWARDEN_REASON"].startswith("shadow mode, let go: the callee objected on ")
    assert len(door.world.attempts()) == (1 if script == "check" else 0)


@pytest.mark.parametrize("script", ["check", "peek"])
async def test_in_shadow_mode_what_is_no_number_goes_as_it_was_dialled(
    door: Door, script: str
) -> None:
    said = await door.ask(script, number="1234", campaign="shadow")
    assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_NUMBER"]) == ("ALLOW", "1234")


@pytest.mark.parametrize("script", ["check", "peek"])
async def test_under_an_override_an_allow_says_under_which(door: Door, script: str) -> None:
    assert [await door.check() for _ in range(3)] == ["ALLOW", "ALLOW", "REFUSE frequency"]
    door.world.elsewhere(let_go("capped", "frequency"))
    said = await door.ask(script, number=DIALLED, campaign="capped", call="17.9")
    kept = {name: said[f"DIALWARDEN_{name}"] for name in ("VERDICT", "RULE", "RULES", "NEXT")}
    assert kept == {"VERDICT": "ALLOW", "RULE": "", "RULES": "", "NEXT": ""}
    assert said["DIALWARDEN_REASON"].startswith("let go under override 1: attempts for acme")
    assert bool(said["DIALWARDEN_ATTEMPT"]) is (script == "check")
    door.world.elsewhere(ended(1))
    assert await door.check() == "REFUSE frequency"


async def test_all_failing_rules_are_told(door: Door) -> None:
    door.world.elsewhere(object_to(professional="seller"))
    door.world.clock.now = NOW.replace(hour=3)
    said = await door.ask("check", number=DIALLED, campaign="solar")
    assert said["DIALWARDEN_RULE"] == "consent"
    assert said["DIALWARDEN_RULES"] == "consent&objection&hours"
    assert said["DIALWARDEN_NEXT"] == ""


@pytest.mark.parametrize("script", ["check", "peek", "objection-typo"])
@pytest.mark.parametrize("more", [[], ["number=0612345678"], ["torn"]], ids=str)
async def test_an_emergency_number_passes_in_every_script(
    door: Door, script: str, more: list[str]
) -> None:
    said = await door.ask(script, *more, number="112", campaign="nobody")
    assert said["DIALWARDEN_VERDICT"] == "ALLOW"
    assert (said["DIALWARDEN_NUMBER"], said["DIALWARDEN_ATTEMPT"]) == ("112", "")
    assert door.world.attempts() == []


@pytest.mark.parametrize(
    "spoilt", [{"relationship": "x"}, {"purpose": "x"}, {"dial": "x"}, {"region": "x"}], ids=str
)
async def test_an_emergency_number_passes_with_words_that_cannot_be_read(
    door: Door, spoilt: dict[str, str]
) -> None:
    said = await door.ask("check", number="9112", **spoilt)
    assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_NUMBER"]) == ("ALLOW", "9112")


async def test_peek_reserves_nothing_and_sets_the_same(door: Door) -> None:
    for _ in range(3):
        said = await door.ask("peek", number=DIALLED, campaign="capped")
        assert list(said) == list(VERDICT_VARIABLES)
        assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_ATTEMPT"]) == ("ALLOW", "")
    assert door.world.attempts() == []


# The keys.


async def test_every_key_reaches_the_record(door: Door) -> None:
    door.world.elsewhere(consent_to())
    door.world.clock.advance(hours=1)  # 14:30 in Réunion
    said = await door.ask(
        "check", number=DIALLED, campaign="solar", call="17.2", callerid="0142000000",
        region="FR-974", relationship="ended:2026-10-01", purpose="SALES", dial="Manual",
        person="p-1", dialstatus="",
    )  # fmt: skip
    assert said["DIALWARDEN_VERDICT"] == "ALLOW"
    [attempt] = door.world.attempts()
    kept = {
        "campaign": "solar", "call": "17.2", "caller_id": "0142000000", "region": "FR-974",
        "relationship": "ended:2026-10-01", "purpose": "sales", "dialling": "manual",
        "person": "p-1", "zones": ("Indian/Reunion",), "door": "agi",
    }  # fmt: skip
    assert {key: attempt[key] for key in kept} == kept


async def test_keys_come_in_any_order_and_the_query_string_is_heard_too(door: Door) -> None:
    assert await door.ask("check", "campaign=capped", f"number={DIALLED}")
    said = await door.ask(f"check?number={DIALLED}&campaign=capped")
    assert said["DIALWARDEN_VERDICT"] == "ALLOW"


async def test_unknown_keys_are_ignored_with_a_warning(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    assert await door.check(colour="red", priority="1") == "ALLOW"
    assert "unknown keys ignored: 'colour, priority'" in caplog.text


async def test_a_value_may_hold_an_equals_sign(door: Door) -> None:
    await door.check(person="crm=4=2", call="a=b")
    [attempt] = door.world.attempts()
    assert (attempt["person"], attempt["call"]) == ("crm=4=2", "a=b")


async def test_a_torn_value_is_refused_and_not_half_believed(door: Door) -> None:
    said = await door.ask("check", "other-campaign", number=DIALLED, campaign="capped")
    assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_RULE"]) == ("REFUSE", "number")
    assert "other-campaign" in said["DIALWARDEN_REASON"]


async def test_a_key_given_twice_is_refused(door: Door) -> None:
    said = await door.ask("check", "campaign=free", number=DIALLED, campaign="capped")
    assert said["DIALWARDEN_RULE"] == "number"


async def test_without_a_call_the_channel_joins_its_questions(door: Door) -> None:
    first = await door.ask("check", number=DIALLED, campaign="capped")
    again = await door.ask("check", number=DIALLED, campaign="capped", call="")
    assert first["DIALWARDEN_ATTEMPT"] == again["DIALWARDEN_ATTEMPT"]
    assert door.world.attempts()[0]["call"] == "1700000000.1"


async def test_the_dial_status_tells_a_second_call_from_a_second_trunk(door: Door) -> None:
    assert await door.check(call="17.3") == "ALLOW"
    assert await door.check(call="17.3", dialstatus="CHANUNAVAIL") == "ALLOW"
    assert len(door.world.attempts()) == 1
    assert await door.check(call="17.3", dialstatus="NOANSWER") == "ALLOW"
    assert await door.check(call="17.3", dialstatus="NOANSWER") == "REFUSE frequency"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"relationship": "friend"}, "relationship='friend'; use contract, ended:YYYY-MM-DD"),
        ({"relationship": "ended:2026-02-30"}, "relationship='ended:2026-02-30'"),
        ({"purpose": "spam"}, "purpose='spam'; use sales, survey or service"),
        ({"dial": "robot"}, "dial='robot'; use manual or automatic"),
        ({"region": "FR-999"}, "region='FR-999'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("script", ["check", "peek"])
async def test_a_word_that_cannot_be_read_is_no_exemption(
    door: Door, script: str, keys: dict[str, str], named: str
) -> None:
    said = await door.ask(script, number=DIALLED, campaign="free", **keys)
    assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_RULE"]) == ("REFUSE", "unavailable")
    assert named in said["DIALWARDEN_REASON"]


@pytest.mark.parametrize(
    "script", ["", "Check", "consents", "Silent", "check.agi", "../check", "x" * 300]
)
async def test_an_unknown_script_is_a_refusal(
    door: Door, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = await door.ask(script, number=DIALLED, campaign="free")
    assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_RULE"]) == ("REFUSE", "unavailable")
    assert said["DIALWARDEN_RESULT"] == "FAILED"
    assert "which does not exist" in caplog.text
    await door.world.gate.close()
    assert [row["rule"] for row in door.world.refusals()] == ["unavailable"]


async def test_a_slash_behind_the_script_is_forgiven(door: Door) -> None:
    assert (await door.ask("check/", number=DIALLED, campaign="free"))[
        "DIALWARDEN_VERDICT"
    ] == "ALLOW"


@pytest.mark.parametrize("language", ["fr", "it"])
async def test_reasons_are_in_the_configured_language(tmp_path: Path, language: str) -> None:
    said = {}
    for spoken in ("en", language):
        directory = tmp_path / spoken
        directory.mkdir()
        async with opened(directory, CONFIG + f'\n[log]\nlanguage = "{spoken}"\n') as door:
            door.world.elsewhere(object_to())
            refused = await door.ask("check", number=DIALLED, campaign="capped")
            failed = await door.ask("objection", call="nobody")
            unknown = await door.ask("nothing", number=DIALLED)
        said[spoken] = [words["DIALWARDEN_REASON"] for words in (refused, failed, unknown)]
    assert all(all(sentences) for sentences in said.values())
    assert not set(said["en"]) & set(said[language])


@pytest.mark.parametrize("key", ["call", "person", "callerid"])
async def test_text_that_is_no_utf8_is_kept_apart_and_refuses_nothing(door: Door, key: str) -> None:
    first = await door.check(OTHER, "free", **{key: "Ren\udce9"})
    second = await door.check(OTHER, "free", **{key: "Ren\udce8"})
    assert (first, second) == ("ALLOW", "ALLOW")
    column = {"callerid": "caller_id"}.get(key, key)
    kept = {row[column] for row in door.world.attempts()}
    assert kept == {r"Ren\udce9", r"Ren\udce8"}


# Late, gone, refused by Asterisk.


async def test_a_late_answer_is_unavailable_and_its_attempt_is_voided(tmp_path: Path) -> None:
    async with opened(tmp_path, deadline_s=0.1) as door:
        held = asyncio.create_task(door.world.ledger.transact(lambda conn: time.sleep(0.5)))
        said = await door.ask("check", number=DIALLED, campaign="capped")
        assert (said["DIALWARDEN_VERDICT"], said["DIALWARDEN_RULE"]) == ("REFUSE", "unavailable")
        assert "no verdict within 0.1 s" in said["DIALWARDEN_REASON"]
        # It counts with the time it was waited for: what was too late is what is slow.
        assert door.world.gate.counts.took["agi"].sum_s == 0.1
        emergency = await door.ask("check", number="112")
        assert emergency["DIALWARDEN_VERDICT"] == "ALLOW"
        await held
        await door.world.gate.close()
        assert door.world.counted() == []
        assert [row["rule"] for row in door.world.refusals()] == ["unavailable"]


async def test_an_allow_that_asterisk_says_it_rejected_stays_counted(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(environment("check", f"number={DIALLED}", "campaign=capped"))
    assert b"ALLOW" in await reader.readline()
    writer.write(b"511 Command Not Permitted on a dead channel or intercept routine\n")
    assert await reader.read() == b""
    writer.close()
    await door.world.gate.close()
    assert [row["state"] for row in door.world.attempts()] == ["reserved"]


# Any bytes at all.

OPEN_CONFIG = """
[store]
path = "ledger.db"
[defaults]
campaign = "open"
[campaigns.open]
professional = "open"
policy = "none"
region = "FR"
"""
CLOSED_CONFIG = OPEN_CONFIG.replace(
    'region = "FR"', 'region = "FR"\n[campaigns.open.tighten]\nhours = { mon = ["00:00-00:01"] }'
)

_number_text = st.text("+0123456789 ().-", min_size=1, max_size=22)
_key = st.sampled_from(
    ["number", "campaign", "call", "callerid", "region", "relationship", "purpose", "dial",
     "person", "dialstatus", "scope", "attempt", "until", "proof", "at", "x", ""]
)  # fmt: skip
_value = st.one_of(
    st.text(max_size=30),
    _number_text,
    st.sampled_from(
        ["open", DIALLED, "FR-974", "contract", "ANSWER", "sales", "1", "2026-12-24T18:30"]
    ),
)
_line = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda k, v: f"agi_arg_1: {k}={v}".encode(), _key, _value),
    st.builds(lambda v: f"agi_uniqueid: {v}".encode(), _value),
    st.builds(lambda v: f"agi_channel: {v}".encode(), _value),
    st.sampled_from(
        [b"agi_network: yes", b"agi_network_script: check", b"agi_network_script: peek", b"HANGUP",
         b"agi_network_script: objection", b"agi_network_script: consent",
         b"agi_network_script: appointment", b"agi_network_script: silent", b"", b"200 result=1",
         b"agi_arg_2: campaign=open"]
    ),
)  # fmt: skip
_junk = st.one_of(
    st.binary(max_size=400),
    st.lists(_line, max_size=14).map(lambda lines: b"\n".join(lines) + b"\n\n"),
    st.builds(
        lambda script, keys: environment(
            script, *(f"{k}={v}".replace("\n", "") for k, v in keys.items())
        ),
        st.sampled_from(["check", "consent", "appointment", "silent"]),
        st.dictionaries(_key, _value, max_size=6),
    ),
)


def sends_anything(config: str) -> Callable[[Callable[[Door, bytes, bytes], None]], Any]:
    """Give a test any bytes, and what a bridge of that configuration made of them."""

    def decorate(test: Callable[[Door, bytes, bytes], None]) -> Callable[[Path], None]:
        def run(tmp_path: Path) -> None:
            with asyncio.Runner() as runner:
                context = opened(tmp_path, config)
                door = runner.run(context.__aenter__())

                @settings(max_examples=150)
                @given(data=_junk)
                def each(data: bytes) -> None:
                    said = runner.run(_sent(door.port, data))
                    test(door, data, said)

                try:
                    each()
                    runner.run(_quiet(door))
                finally:
                    runner.run(context.__aexit__(None, None, None))

        run.__doc__ = test.__doc__
        return run

    return decorate


async def _sent(port: int, data: bytes) -> bytes:
    """Send bytes and end the sending; a half that was written is an end, too."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        try:
            writer.write(data)
            said = await reader.readline()
            if said:
                writer.write(b"200 result=1\n")
                await reader.read()
        except ConnectionError:
            said = b""
        writer.close()
        return said


async def _quiet(door: Door) -> None:
    """No connection and no task is left, and the bridge still answers."""
    async with asyncio.timeout(5):
        await door.server._quiet.wait()
    await door.world.gate.close()
    assert (await door.ask("check", number="112"))["DIALWARDEN_VERDICT"] == "ALLOW"


@sends_anything(CLOSED_CONFIG)
def test_any_bytes_give_a_refusal_or_a_clean_close(door: Door, data: bytes, said: bytes) -> None:
    door.world.clock.now = NOW
    values = variables_of(said)
    if values.get("DIALWARDEN_VERDICT") == "ALLOW":
        assert values["DIALWARDEN_ATTEMPT"] == ""
        assert values["DIALWARDEN_NUMBER"].strip("+ ().-") in door.world.gate.rulebook.emergency


@sends_anything(OPEN_CONFIG)
def test_where_all_is_allowed_only_a_number_is(door: Door, data: bytes, said: bytes) -> None:
    values = variables_of(said)
    if values.get("DIALWARDEN_VERDICT") == "ALLOW":
        number = values["DIALWARDEN_NUMBER"]
        emergency = "".join(filter(str.isdigit, number)) in door.world.gate.rulebook.emergency
        assert emergency or (number.startswith("+") and number[1:].isdecimal())
        assert emergency or b"peek" in data or values["DIALWARDEN_ATTEMPT"]
