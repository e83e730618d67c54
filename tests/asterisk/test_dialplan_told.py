"""What the shipped dialplan tells the bridge of a call: objection, silent, consent, appointment.

On a real Asterisk, in a call and in its h extension, with a bridge that records, misbehaves, or is
dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from bench.ami import WAIT_S
from bench.bridge import Bridge
from bench.pbx import Call, Pbx
from bench.standin import Behaviour, StandIn

SOMEHOW = ["objection", "silent"]  # recorded as far as they can be read
EXACTLY = ["consent", "appointment"]  # recorded as they were said, or not at all
SCRIPTS = SOMEHOW + EXACTLY
UNRECORDED = [None, Behaviour.CLOSE, Behaviour.SILENT, Behaviour.GARBAGE]
DEAD_S = 20.0

DIALPLAN = """
; Whatever was dialled, told as the number.
[bench-told]
exten => _[+0-9(].,1,Gosub(dialwarden,${BENCH_SCRIPT},1(${EXTEN},bench-campaign))
 same => n,UserEvent(BenchReturned)
 same => n,Wait(60)

; The same from an h extension, where the channel is being hung up.
[bench-dead]
exten => s,1,Wait(60)
exten => h,1,Gosub(${BENCH_GOSUB})
 same => n,UserEvent(BenchDead,Result: ${DIALWARDEN_RESULT},Reason: ${DIALWARDEN_REASON})
"""

JUNK = [
    "0612345678,other-campaign",
    "0612345678,other,1764000000.42",
    "0612345678;ext=5",
    '0612345678"',
    '0612345678" | "1',
    "0612345678[",
    "0612345678),other",
    "0612345678=1",
    "0612345678~1",
    "0612345678^1",
    "0612345678${UNIQUEID}",
]


@pytest.fixture(scope="module", autouse=True)
def contexts(running_pbx: Pbx) -> Iterator[None]:
    file = running_pbx.directory / "etc" / "extensions.conf"
    usual = file.read_text()
    file.write_text(usual + DIALPLAN)
    running_pbx.cli("dialplan reload")
    yield
    file.write_text(usual)
    running_pbx.cli("dialplan reload")


def behave(standin: StandIn, behaviour: Behaviour | None) -> None:
    if behaviour is None:
        standin.down()
    else:
        standin.behave(behaviour)


def name(behaviour: Behaviour | None) -> str:
    return behaviour.name.lower() if behaviour else "dead"


def hung_up(pbx: Pbx, target: str) -> Call:
    """A call that is hung up, and tells `Gosub(target)` from its h extension."""
    call = pbx.dial("s", "bench-dead", {"BENCH_GOSUB": target})
    pbx.wait_application(call, "Wait")
    pbx.ami.ask("Hangup", Channel=call.channel)
    return call


def assert_logged(pbx: Pbx, line: str) -> None:
    """Asterisk writes its log from a thread of its own: wait until the line is there."""
    deadline = time.monotonic() + WAIT_S
    while line not in pbx.log():
        assert time.monotonic() < deadline, f"not in Asterisk's log: {line}"
        time.sleep(0.01)


# --- in a call


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("silent,1(0612345678,acme)", {}),
        ("silent,1(0612345678,acme,1764000000.42)", {"call": "1764000000.42"}),
        (
            "consent,1(0612345678,acme,17.1,until=2027-06-30,scope=sales,proof=rec 5 /a_b@c.wav)",
            {
                "call": "17.1",
                "until": "2027-06-30",
                "scope": "sales",
                "proof": "rec 5 /a_b@c.wav",
            },
        ),
        ("consent,1(0612345678,acme)", {}),
        (
            "appointment,1(0612345678,acme,17.1,at=2026-12-24T18:30+01:00)",
            {"call": "17.1", "at": "2026-12-24T18:30+01:00"},
        ),
        ("objection,1(0612345678,acme,17.1,scope=all)", {"call": "17.1", "scope": "all"}),
    ],
)
def test_what_was_given_reaches_the_bridge(
    pbx: Pbx, standin: StandIn, target: str, told: dict[str, str]
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.gosub(f"dialwarden,{target}")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    assert pbx.variable(call, "DIALWARDEN_REASON") == ""
    (question,) = standin.questions
    assert question.script == target.partition(",")[0]
    usual = {"number": "0612345678", "campaign": "acme", "call": call.id}
    assert dict(question.arguments) == {**usual, **told}
    assert len(question.arguments) == len({**usual, **told})


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("behaviour", UNRECORDED, ids=name)
def test_what_nobody_recorded_has_failed_and_is_in_the_log(
    pbx: Pbx, standin: StandIn, script: str, behaviour: Behaviour | None
) -> None:
    behave(standin, behaviour)
    spoofed = {"DIALWARDEN_RESULT": "OK", "told": "", "script": "peek"}
    call = pbx.gosub(f"dialwarden,{script},1(0612345678,acme)", spoofed, timeout="300")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "FAILED"
    assert pbx.variable(call, "DIALWARDEN_REASON") != ""
    assert float(pbx.variable(call, "TIMEOUT(absolute)")) > 200
    assert_logged(
        pbx,
        f"dialwarden {script} on {call.channel} is not known to be recorded (dialwarden did not "
        f"answer): campaign=acme,call={call.id} number=0612345678",
    )


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("script", SOMEHOW)
def test_a_no_and_a_silent_call_are_not_lost_over_what_was_dialled(
    pbx: Pbx, standin: StandIn, script: str, junk: str
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.dial(junk, "bench-told", {"BENCH_SCRIPT": script})
    pbx.wait_returned(call)
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    (question,) = standin.questions
    assert question.script == script
    assert dict(question.arguments) == {"call": call.id}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("script", EXACTLY)
def test_a_yes_is_not_recorded_for_what_cannot_be_read(
    pbx: Pbx, standin: StandIn, script: str, junk: str
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.dial(junk, "bench-told", {"BENCH_SCRIPT": script})
    pbx.wait_returned(call)
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "FAILED"
    assert pbx.variable(call, "DIALWARDEN_REASON") != ""
    assert standin.questions == []


@pytest.mark.parametrize(
    "arguments",
    [
        "0612345678,ac[me",
        "0612345678,acme,17[8",
        "0612345678,acme,17.8,colour=red",
        "0612345678,acme,17.8,until",
        "0612345678,acme,17.8,campaign=other",
        '0612345678,acme,17.8,"proof=a,number=0698765432"',
        "0612345678,acme,17.8,proof=(a,number=0698765432)",
        "0612345678,acme,17.8,proof=100%",
    ],
)
@pytest.mark.parametrize("script", EXACTLY)
def test_a_yes_with_an_argument_that_cannot_be_read_is_not_recorded(
    pbx: Pbx, standin: StandIn, script: str, arguments: str
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.gosub(f"dialwarden,{script},1({arguments})")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "FAILED"
    assert standin.questions == []
    assert_logged(pbx, f"dialwarden {script} refused in the dialplan on {call.channel} (call ")


@pytest.mark.parametrize("script", SCRIPTS)
def test_arguments_that_were_not_given_are_not_read_from_the_channel(
    pbx: Pbx, standin: StandIn, script: str
) -> None:
    standin.behave(Behaviour.RECORD)
    spoofed = {"ARG1": "0999999999", "ARG2": "other", "ARG3": "17.8", "ARG4": "scope=all"}
    call = pbx.gosub(f"dialwarden,{script},1", spoofed)
    (question,) = standin.questions
    assert dict(question.arguments) == {"campaign": "", "call": call.id}


# --- in its h extension


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("silent,1(0612345678,acme)", {"number": "0612345678", "campaign": "acme"}),
        ("silent,1((0)6 12.34-56 78,acme)", {"number": "0612345678", "campaign": "acme"}),
        ("silent,1(,)", {"campaign": ""}),
        ("silent,1(06x,acme)", {}),
        ("objection,1(+33612345678,,,scope=all)",
         {"number": "+33612345678", "campaign": "", "scope": "all"}),
        (
            "consent,1(,acme,,until=2027-06-30,proof=a=b;c d)",
            {"campaign": "acme", "until": "2027-06-30", "proof": "a=b;c d"},
        ),
        ("appointment,1(,,,at=2026-12-24T18:30+01:00)",
         {"campaign": "", "at": "2026-12-24T18:30+01:00"}),
    ],
)  # fmt: skip
def test_what_is_told_after_the_hang_up_reaches_the_bridge_too(
    pbx: Pbx, standin: StandIn, target: str, told: dict[str, str]
) -> None:
    standin.behave(Behaviour.RECORD)
    call = hung_up(pbx, f"dialwarden,{target}")
    said = pbx.wait_user_event(call, "BenchDead", timeout_s=DEAD_S)
    assert (said["Result"], said["Reason"]) == ("OK", "")
    (question,) = standin.questions
    assert question.script == target.partition(",")[0]
    assert dict(question.arguments) == {"call": call.id, **told}
    assert len(question.arguments) == len({"call": "", **told})


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("behaviour", UNRECORDED, ids=name)
def test_a_bridge_that_does_not_record_holds_no_channel_after_the_hang_up(
    pbx: Pbx, standin: StandIn, script: str, behaviour: Behaviour | None
) -> None:
    behave(standin, behaviour)
    call = hung_up(pbx, f"dialwarden,{script},1(0612345678,acme)")
    said = pbx.wait_user_event(call, "BenchDead", timeout_s=DEAD_S)
    assert said["Result"] == "FAILED"
    assert said["Reason"] != ""
    assert_logged(pbx, f"dialwarden {script} on {call.channel} is not known to be recorded")
    pbx.wait_hangup(call)


def test_a_global_result_says_nothing(pbx: Pbx, standin: StandIn) -> None:
    standin.behave(Behaviour.CLOSE)
    pbx.set_global("DIALWARDEN_RESULT", "OK")
    try:
        call = hung_up(pbx, "dialwarden,silent,1(0612345678,acme)")
        assert pbx.wait_user_event(call, "BenchDead", timeout_s=DEAD_S)["Result"] == "FAILED"
    finally:
        pbx.set_global("DIALWARDEN_RESULT", "")


# --- to the real bridge

CONFIG = """
[store]
path = "ledger.db"

[agi]
listen = "127.0.0.1:4580"

[campaigns.acme]
professional = "acme"
policy = "none"
region = "FR"
"""


@pytest.mark.parametrize("after", [False, True], ids=["in the call", "after the hang-up"])
def test_the_real_bridge_records_what_it_is_told(
    pbx: Pbx, bridge: Callable[..., Bridge], after: bool
) -> None:
    running = bridge(CONFIG)
    said = {
        "silent": "silent,1(0612345678,acme)",
        "consent": "consent,1(0612345678,acme,,until=2099-12-31,scope=sales,proof=a=b;c d)",
        "appointment": "appointment,1(0612345678,acme,,at=2099-12-24T18:30+01:00)",
        "objection": "objection,1(0612345678,acme,,scope=campaign)",
    }
    for target in said.values():
        if after:
            call = hung_up(pbx, f"dialwarden,{target}")
            assert pbx.wait_user_event(call, "BenchDead", timeout_s=DEAD_S)["Result"] == "OK"
        else:
            call = pbx.gosub(f"dialwarden,{target}")
            assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    rows = {noun: running.listed(noun, "list") for noun in said}
    for found in rows.values():
        assert [row["number"] for row in found] == ["+33612345678"]
    assert (rows["consent"][0]["until"], rows["consent"][0]["proof"]) == ("2099-12-31", "a=b;c d")
    assert rows["objection"][0]["scope"] == "campaign"
    assert rows["appointment"][0]["at"].startswith("2099-12-24T")
