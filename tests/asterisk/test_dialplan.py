"""The shipped dialplan on a real Asterisk, with a bridge that answers, misbehaves, or is dead.

What left the PBX is what the trunk counted. A call that was hung up has left its dialplan: no
INVITE can follow.
"""

from __future__ import annotations

import re

import pytest

from bench.pbx import SHIPPED_DIALPLAN, Pbx
from bench.standin import Behaviour, StandIn
from bench.trunk import Outcome, Trunk

MOBILE = "33612345678"
CALL_REJECTED = 21
LET_GO_S = 5.0

EMERGENCY = ["112", "15", "17", "18", "114", "115", "119", "191", "196", "197", "116000"]
EMERGENCY += ["113", "117", "118", "1515", "1530"]

NO_ANSWER = [
    Behaviour.CLOSE,
    Behaviour.SLAM,
    Behaviour.SILENT,
    Behaviour.HALF_CLOSE,
    Behaviour.GARBAGE,
    Behaviour.BINARY,
    Behaviour.CUT_OFF,
    Behaviour.LATE,
    Behaviour.NO_NUMBER,
    Behaviour.NEITHER,
]

JUNK = [
    "0612345678,other-campaign",
    "0612345678,other,0123456789",
    "0612345678,other,0123456789,region=FR-974",
    "0612345678;ext=5",
    "0612345678x12",
    "0612345678#",
    "0612345678*1",
    '0612345678"',
    '0612345678" | "1',
    '0612345678" = "0612345678',
    "0612345678,\\",
    "0612345678\\",
    "0612345678[",
    "0612345678]",
    "0612345678(,",
    "0612345678),other",
    "0612345678):0",
    "0612345678:4",
    "0612345678&0698765432",
    "0612345678|other",
    "0612345678=1",
    "0612345678${UNIQUEID}",
    "0612345678$[1+1]",
    "0612345678\t12",
    "0612345678é",
    "112,other-campaign",
    "112#",
]


def test_an_allowed_call_is_one_invite_for_the_number_the_bridge_gave(
    pbx: Pbx, standin: StandIn, trunk: Trunk, second_trunk: Trunk
) -> None:
    standin.behave(Behaviour.ALLOW, number=MOBILE)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    assert [invite.number for invite in trunk.invites()] == [MOBILE]
    assert second_trunk.invites() == []


def test_a_refused_call_is_no_invite_and_cause_21(pbx: Pbx, standin: StandIn, trunk: Trunk) -> None:
    standin.behave(Behaviour.REFUSE)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    assert pbx.wait_hangup(call) == CALL_REJECTED
    assert trunk.invites() == []


def test_a_refusal_reaches_the_dialplan_as_the_bridge_said_it(pbx: Pbx, standin: StandIn) -> None:
    standin.behave(Behaviour.REFUSE)
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)")
    assert pbx.channel_vars(call) == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "opposition",
        "DIALWARDEN_RULES": "opposition",
        "DIALWARDEN_REASON": 'on the list "bloctel", since May',
        "DIALWARDEN_NEXT": "",
        "DIALWARDEN_NUMBER": "",
        "DIALWARDEN_ATTEMPT": "",
    }


# --- nobody answers


def assert_let_go(pbx: Pbx, trunk: Trunk) -> None:
    """A call to a mobile ends with cause 21 within the bound, and nothing left the PBX."""
    call = pbx.dial("0612345678", "dialwarden-outbound")
    assert pbx.wait_hangup(call, timeout_s=LET_GO_S) == CALL_REJECTED
    assert trunk.invites() == []


@pytest.mark.parametrize("behaviour", NO_ANSWER, ids=lambda behaviour: behaviour.name.lower())
def test_a_bridge_that_gives_no_verdict_is_a_refusal(
    pbx: Pbx, standin: StandIn, trunk: Trunk, behaviour: Behaviour
) -> None:
    standin.behave(behaviour)
    assert_let_go(pbx, trunk)


def test_a_dead_bridge_is_a_refusal(pbx: Pbx, trunk: Trunk) -> None:
    assert_let_go(pbx, trunk)


def test_a_stopped_bridge_is_a_refusal(pbx: Pbx, standin: StandIn, trunk: Trunk) -> None:
    standin.down()
    standin.up(accepting=False)
    assert_let_go(pbx, trunk)


@pytest.mark.parametrize(
    "behaviour", [None, *NO_ANSWER], ids=lambda one: one.name.lower() if one else "dead"
)
def test_without_a_verdict_every_variable_says_unavailable(
    pbx: Pbx, standin: StandIn, behaviour: Behaviour | None
) -> None:
    if behaviour is None:
        standin.down()
    else:
        standin.behave(behaviour)
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)")
    said = pbx.channel_vars(call)
    assert said.pop("DIALWARDEN_REASON") != ""
    assert said == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "unavailable",
        "DIALWARDEN_RULES": "unavailable",
        "DIALWARDEN_NEXT": "",
        "DIALWARDEN_NUMBER": "",
        "DIALWARDEN_ATTEMPT": "",
    }


def test_an_answer_cut_off_anywhere_never_allows_a_shorter_number(
    pbx: Pbx, standin: StandIn
) -> None:
    verdicts = set()
    for cut_bytes in range(1, 60, 3):
        standin.behave(Behaviour.CUT_OFF, cut_bytes=cut_bytes)
        call = pbx.gosub("dialwarden,check,1(0612345678,acme)")
        said = pbx.channel_vars(call, "DIALWARDEN_VERDICT", "DIALWARDEN_NUMBER")
        verdicts.add(said["DIALWARDEN_VERDICT"])
        assert said["DIALWARDEN_NUMBER"] == MOBILE or said["DIALWARDEN_VERDICT"] == "REFUSE", (
            cut_bytes
        )
        pbx.hang_up(call)
    assert verdicts == {"ALLOW", "REFUSE"}


# --- the caller's own time


def test_after_a_timeout_the_caller_goes_on_in_its_own_dialplan_with_its_own_timeout(
    pbx: Pbx, standin: StandIn
) -> None:
    standin.behave(Behaviour.SILENT)
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)", timeout="300")
    assert pbx.is_up(call)
    assert pbx.variable(call, "DIALWARDEN_RULE") == "unavailable"
    # what the question took is taken off, what our own two seconds left over is not put on
    assert 200 < float(pbx.variable(call, "TIMEOUT(absolute)")) <= 298.1


def test_after_an_answer_the_callers_own_timeout_runs_on(pbx: Pbx, standin: StandIn) -> None:
    standin.behave(Behaviour.ALLOW)
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)", timeout="300")
    assert 200 < float(pbx.variable(call, "TIMEOUT(absolute)")) <= 300.1


@pytest.mark.parametrize(
    "behaviour", [Behaviour.ALLOW, Behaviour.SILENT], ids=["answered", "silent"]
)
def test_a_caller_without_a_timeout_has_none_afterwards(
    pbx: Pbx, standin: StandIn, behaviour: Behaviour
) -> None:
    standin.behave(behaviour)
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)")
    assert pbx.variable(call, "TIMEOUT(absolute)") == "0"


@pytest.mark.parametrize("own", ["0.5", "2", "2.5"])
def test_a_caller_whose_time_runs_out_meanwhile_times_out_in_its_own_dialplan(
    pbx: Pbx, standin: StandIn, own: str
) -> None:
    standin.behave(Behaviour.SILENT)
    call = pbx.dial(
        "s",
        "bench-gosub",
        {"BENCH_GOSUB": "dialwarden,check,1(0612345678,acme)", "BENCH_TIMEOUT": own},
    )
    pbx.wait_user_event(call, "BenchTimeout")
    assert pbx.variable(call, "DIALWARDEN_VERDICT") == "REFUSE"


def test_a_caller_who_hangs_up_meanwhile_gets_its_own_h_extension(
    pbx: Pbx, standin: StandIn
) -> None:
    standin.behave(Behaviour.SILENT)
    call = pbx.dial("s", "bench-gosub", {"BENCH_GOSUB": "dialwarden,check,1(0612345678,acme)"})
    pbx.wait_application(call, "AGI")
    pbx.hang_up(call)
    pbx.wait_user_event(call, "BenchHangup")


# --- emergency calls


@pytest.mark.parametrize("number", EMERGENCY)
def test_an_emergency_call_leaves_with_the_bridge_dead(pbx: Pbx, trunk: Trunk, number: str) -> None:
    call = pbx.dial(number, "dialwarden-outbound")
    assert trunk.wait_invite(number).number == number
    pbx.hang_up(call)


@pytest.mark.parametrize(
    "behaviour", [Behaviour.SILENT, Behaviour.REFUSE], ids=["silent", "refusing"]
)
def test_an_emergency_call_is_not_asked_about(
    pbx: Pbx, standin: StandIn, trunk: Trunk, behaviour: Behaviour
) -> None:
    standin.behave(behaviour)
    call = pbx.dial("112", "dialwarden-outbound")
    trunk.wait_invite("112")
    pbx.hang_up(call)
    assert standin.questions == []


def test_an_emergency_call_passes_whatever_else_is_wrong_with_the_question(pbx: Pbx) -> None:
    given = {"BENCH_GOSUB": 'dialwarden,check,1(112,no such campaign!,anonymous,"=)'}
    odd = {"CallerID": "agent <12,34>", "ChannelId": "odd,call"}
    call = pbx.dial("s", "bench-gosub", given, **odd)
    pbx.wait_returned(call)
    assert pbx.variable(call, "DIALWARDEN_VERDICT") == "ALLOW"
    assert pbx.variable(call, "DIALWARDEN_NUMBER") == "112"


def test_an_emergency_number_added_in_a_context_of_the_same_name_passes(
    pbx: Pbx, trunk: Trunk
) -> None:
    call = pbx.dial("9112", "dialwarden-outbound")
    trunk.wait_invite("9112")
    pbx.hang_up(call)


@pytest.mark.parametrize(
    "number", ["1120", "1121", "0112", "00112", "+112", "11", "1161", "116006", "99112"]
)
def test_what_only_resembles_an_emergency_number_is_asked_about(
    pbx: Pbx, trunk: Trunk, number: str
) -> None:
    call = pbx.dial(number, "dialwarden-outbound")
    assert pbx.wait_hangup(call) == CALL_REJECTED
    assert trunk.invites() == []


# --- what was dialled, and what was given to Gosub


@pytest.mark.parametrize("dialled", JUNK)
def test_an_extension_that_is_no_number_chooses_nothing(
    pbx: Pbx, standin: StandIn, trunk: Trunk, dialled: str
) -> None:
    call = pbx.dial(dialled, "bench-exten")
    pbx.wait_returned(call)
    assert pbx.channel_vars(call, "DIALWARDEN_VERDICT", "DIALWARDEN_RULE", "DIALWARDEN_RULES") == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "number",
        "DIALWARDEN_RULES": "number",
    }
    pbx.wait_hangup(pbx.dial(dialled, "dialwarden-outbound"))
    # The bridge hears of the refusal, and of nothing that was dialled; here it even allows.
    assert [question["number"] for question in standin.questions] == ["?", "?"]
    assert not any("campaign" in question for question in standin.questions)
    assert trunk.invites() == []


@pytest.mark.parametrize("dialled", ["+33 6.12-34(56)78", "0612345678)", "(0)612345678"])
def test_what_a_number_may_hold_reaches_the_bridge_untouched(
    pbx: Pbx, standin: StandIn, dialled: str
) -> None:
    call = pbx.dial(dialled, "bench-exten")
    pbx.wait_returned(call)
    assert [question["number"] for question in standin.questions] == [dialled]
    assert [question["campaign"] for question in standin.questions] == ["bench-campaign"]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ("0612345678,other,acme", "caller_id"),
        ("0612345678,other,0123456789,acme", "unavailable"),
        ("0612345678,other,0123456789,region=FR-974,acme", "unavailable"),
        ("0612345678,acme,restricted", "caller_id"),
        ("0612345678,acme,anonymous2", "caller_id"),
        ("0612345678,acme,anonymous,acme", "unavailable"),
        ('0612345678,acme,"0123456789', "caller_id"),
        ("0612345678,acme,,campaign=other", "unavailable"),
        ("0612345678,acme,,number=112", "unavailable"),
        ("0612345678,acme,,call=another", "unavailable"),
        ("0612345678,acme,,region", "unavailable"),
        ("0612345678,acme,,REGION=FR-974", "unavailable"),
        ('0612345678,acme,,region="FR-974,campaign=other"', "unavailable"),
        ("0612345678,acme,,region=(FR-974,campaign=other)", "unavailable"),
        ("0612345678,ac${me},", "unavailable"),
        (",acme", "number"),
        ("", "number"),
    ],
)
def test_arguments_out_of_place_are_refused_unasked(
    pbx: Pbx, standin: StandIn, arguments: str, rule: str
) -> None:
    call = pbx.gosub(f"dialwarden,check,1({arguments})")
    assert pbx.channel_vars(call, "DIALWARDEN_VERDICT", "DIALWARDEN_RULE") == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": rule,
    }
    assert all(question["number"] == "?" for question in standin.questions)


def test_a_withheld_caller_id_is_said_as_a_word(pbx: Pbx, standin: StandIn) -> None:
    pbx.gosub("dialwarden,check,1(0612345678,acme,anonymous)")
    (question,) = standin.questions
    assert question["callerid"] == "anonymous"


def test_a_caller_id_with_a_comma_adds_no_keys(pbx: Pbx, standin: StandIn) -> None:
    caller_id = "0123456789,relationship=contract"
    given = {"BENCH_GOSUB": f"dialwarden,check,1(0612345678,acme,{caller_id})"}
    call = pbx.dial("s", "bench-gosub", given, CallerID=f"agent <{caller_id}>")
    pbx.wait_returned(call)
    assert pbx.variable(call, "CALLERID(num)") == caller_id
    assert pbx.variable(call, "DIALWARDEN_VERDICT") == "REFUSE"
    assert standin.questions == []


def test_a_linked_id_with_a_comma_adds_no_keys(pbx: Pbx, standin: StandIn) -> None:
    given = {"BENCH_GOSUB": "dialwarden,check,1(0612345678,acme)"}
    call = pbx.dial("s", "bench-gosub", given, ChannelId="mine,relationship=contract")
    pbx.wait_returned(call)
    assert pbx.variable(call, "DIALWARDEN_VERDICT") == "REFUSE"
    assert standin.questions == []


@pytest.mark.parametrize("script", ["check", "peek"])
def test_the_question_holds_what_was_given_and_the_calls_linked_id(
    pbx: Pbx, standin: StandIn, script: str
) -> None:
    given = (
        "0612345678,acme,+33 1 23 45 67 89,region=FR-974,relationship=ended:2026-01-31,person=p.1=2"
    )
    call = pbx.gosub(f"dialwarden,{script},1({given})")
    (question,) = standin.questions
    assert question.script == script
    assert dict(question.arguments) == {
        "number": "0612345678",
        "campaign": "acme",
        "call": call.id,
        "callerid": "+33 1 23 45 67 89",
        "dialstatus": "",
        "rang": "",
        "region": "FR-974",
        "relationship": "ended:2026-01-31",
        "person": "p.1=2",
    }
    assert len(question.arguments) == 9


# --- what was on the channel before

ALLOWED = {
    "DIALWARDEN_VERDICT": "ALLOW",
    "DIALWARDEN_RULE": "",
    "DIALWARDEN_NUMBER": MOBILE,
    "DIALWARDEN_ATTEMPT": "7",
}


@pytest.mark.parametrize("prefix", ["", "_", "__"])
def test_a_verdict_put_on_the_channel_beforehand_is_gone(
    pbx: Pbx, trunk: Trunk, prefix: str
) -> None:
    spoofed = {prefix + name: value for name, value in ALLOWED.items()}
    assert pbx.wait_hangup(pbx.dial("0612345678", "dialwarden-outbound", spoofed)) == CALL_REJECTED
    assert trunk.invites() == []
    call = pbx.gosub("dialwarden,check,1(0612345678,acme)", spoofed)
    assert pbx.channel_vars(call, *ALLOWED) == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "unavailable",
        "DIALWARDEN_NUMBER": "",
        "DIALWARDEN_ATTEMPT": "",
    }


def test_a_verdict_inherited_from_a_parent_channel_is_gone(pbx: Pbx, trunk: Trunk) -> None:
    call = pbx.dial("0612345678", "bench-parent")
    pbx.wait_hangup(call)
    assert "DIALWARDEN_VERDICT" in pbx.log()
    assert trunk.invites() == []


def test_a_global_verdict_is_not_read(pbx: Pbx, trunk: Trunk) -> None:
    for name, value in ALLOWED.items():
        pbx.set_global(name, value)
    try:
        assert_let_go(pbx, trunk)
    finally:
        for name in ALLOWED:
            pbx.set_global(name, "")


@pytest.mark.parametrize(
    "spoofed",
    [
        {
            "DIALWARDEN_EMERGENCY": "0612345678",
            "EMERGENCYROUTE": "YES",
            "DIALWARDEN_EXEMPT": "emergency",
        },
        {"ARG1": "112", "LOCAL(ARG1)": "112", "ARGC": "0"},
        {
            "script": "objection",
            "ask": "number=112",
            "own": "0",
            "wait": "60",
            "rule": "",
            "why": "",
        },
        {"AGIEXITONHANGUP": "no", "__AGIEXITONHANGUP": "no", "AGISIGHUP": "no"},
        {"AGISTATUS": "SUCCESS", "DIALWARDEN_ASKED": "x", "DIALSTATUS": "ANSWER"},
    ],
    ids=lambda spoofed: next(iter(spoofed)),
)
def test_no_variable_of_the_channel_lets_a_call_through(
    pbx: Pbx, standin: StandIn, trunk: Trunk, spoofed: dict[str, str]
) -> None:
    standin.behave(Behaviour.SILENT)
    call = pbx.dial("0612345678", "dialwarden-outbound", spoofed)
    assert pbx.wait_hangup(call, timeout_s=LET_GO_S) == CALL_REJECTED
    assert trunk.invites() == []


def test_arguments_that_were_not_given_are_not_read_from_the_channel(
    pbx: Pbx, standin: StandIn
) -> None:
    spoofed = {"ARG2": "other", "ARG3": "0999999999", "ARG4": "region=FR-974"}
    pbx.gosub("dialwarden,check,1(0612345678)", spoofed)
    (question,) = standin.questions
    assert question["campaign"] == ""
    assert question["callerid"] == ""
    assert "region" not in question


def test_a_number_that_was_not_given_is_not_read_from_the_channel(pbx: Pbx) -> None:
    call = pbx.gosub("dialwarden,check,1", {"ARG1": "112"})
    assert pbx.channel_vars(call, "DIALWARDEN_VERDICT", "DIALWARDEN_RULE") == {
        "DIALWARDEN_VERDICT": "REFUSE",
        "DIALWARDEN_RULE": "number",
    }


# --- trunk failover


def test_the_second_trunk_is_asked_about_again_with_what_became_of_the_first(
    pbx: Pbx, standin: StandIn, trunk: Trunk, second_trunk: Trunk
) -> None:
    trunk.on(MOBILE, Outcome.REJECT)
    call = pbx.dial("0612345678", "dialwarden-outbound", {"DIALSTATUS": "CHANUNAVAIL"})
    second_trunk.wait_invite(MOBILE)
    pbx.hang_up(call)
    assert [question["dialstatus"] for question in standin.questions] == ["", "CONGESTION"]
    assert {question["call"] for question in standin.questions} == {call.id}
    assert len(trunk.invites()) == len(second_trunk.invites()) == 1


def test_a_trunk_that_took_the_call_is_the_last_one_tried(
    pbx: Pbx, standin: StandIn, trunk: Trunk, second_trunk: Trunk
) -> None:
    trunk.on(MOBILE, Outcome.BUSY)
    pbx.wait_hangup(pbx.dial("0612345678", "dialwarden-outbound"))
    assert len(trunk.invites()) == len(standin.questions) == 1
    assert second_trunk.invites() == []


def test_a_refusal_on_the_way_to_the_second_trunk_is_obeyed(
    pbx: Pbx, standin: StandIn, trunk: Trunk, second_trunk: Trunk
) -> None:
    trunk.on(MOBILE, Outcome.SILENCE)
    call = pbx.dial("0612345678", "dialwarden-outbound")
    invite = trunk.wait_invite(MOBILE)
    standin.behave(Behaviour.REFUSE)
    trunk.reply(invite, Outcome.REJECT)
    assert pbx.wait_hangup(call) == CALL_REJECTED
    assert second_trunk.invites() == []


# --- objections


def test_an_objection_is_recorded_for_the_number_and_the_call(pbx: Pbx, standin: StandIn) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.gosub("dialwarden,objection,1(0612345678,acme)")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    (question,) = standin.questions
    assert question.script == "objection"
    assert dict(question.arguments) == {"number": "0612345678", "campaign": "acme", "call": call.id}


@pytest.mark.parametrize(
    "behaviour",
    [None, Behaviour.CLOSE, Behaviour.SILENT, Behaviour.GARBAGE],
    ids=lambda one: one.name.lower() if one else "dead",
)
def test_an_objection_nobody_recorded_has_failed(
    pbx: Pbx, standin: StandIn, behaviour: Behaviour | None
) -> None:
    if behaviour is None:
        standin.down()
    else:
        standin.behave(behaviour)
    call = pbx.gosub(
        "dialwarden,objection,1(0612345678,acme)", {"DIALWARDEN_RESULT": "OK"}, timeout="300"
    )
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "FAILED"
    assert pbx.variable(call, "DIALWARDEN_REASON") != ""
    assert float(pbx.variable(call, "TIMEOUT(absolute)")) > 200


@pytest.mark.parametrize(
    "arguments",
    [
        "0612345678x,acme",
        "0612345678,ac[me",
        "0612345678,acme,1764000000.42,scope",
        "0612345678,acme,1764000000.42,colour=red",
        "0612345678,acme,1764000000.42,scope=a[ll",
    ],
)
def test_an_objection_that_cannot_be_read_is_taken_for_its_call(
    pbx: Pbx, standin: StandIn, arguments: str
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.gosub(f"dialwarden,objection,1({arguments})")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    (question,) = standin.questions
    given = "1764000000.42" if "1764000000.42" in arguments else call.id
    assert dict(question.arguments)["call"] == given


@pytest.mark.parametrize("junk", JUNK)
def test_a_no_is_not_lost_over_what_was_dialled(pbx: Pbx, standin: StandIn, junk: str) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.dial(junk, "bench-said")
    pbx.wait_returned(call)
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "OK"
    (question,) = standin.questions
    assert dict(question.arguments)["call"] == call.id
    assert dict(question.arguments).get("number", "0612345678") == "0612345678"


def test_an_objection_whose_call_cannot_be_read_has_failed_unasked(
    pbx: Pbx, standin: StandIn
) -> None:
    standin.behave(Behaviour.RECORD)
    call = pbx.gosub("dialwarden,objection,1(0612345678x,acme,17[8)")
    assert pbx.variable(call, "DIALWARDEN_RESULT") == "FAILED"
    assert standin.questions == []
    assert f"dialwarden objection refused in the dialplan on {call.channel} (call " in pbx.log()


@pytest.mark.parametrize(
    ("behaviour", "tone"),
    [(Behaviour.RECORD, "beep"), (Behaviour.SILENT, "beeperr"), (Behaviour.CLOSE, "beeperr")],
)
def test_an_agents_key_records_an_objection_for_the_call_and_never_cuts_it(
    pbx: Pbx, standin: StandIn, trunk: Trunk, behaviour: Behaviour, tone: str
) -> None:
    standin.behave(behaviour)
    agent = pbx.originate(
        "PJSIP/33100000001@carrier", Context="bench-agent", Exten=MOBILE, Priority="1"
    )
    pbx.wait_bridged(agent)
    pbx.press(agent, "*66")
    assert pbx.wait_application(agent, "Playback")["AppData"] == tone
    assert pbx.wait_application(agent, "Return")["Context"] == "dialwarden-feature"
    (question,) = standin.questions
    assert question.script == "objection"
    assert dict(question.arguments) == {"campaign": "", "call": agent.id}
    assert pbx.is_up(agent)
    assert [invite.ended_at for invite in trunk.invites()] == [None, None]


# --- the file


def test_every_context_of_the_shipped_file_is_named_for_dialwarden() -> None:
    contexts = re.findall(r"^\[(.+?)\]", SHIPPED_DIALPLAN.read_text(), re.MULTILINE)
    assert contexts
    assert [name for name in contexts if not name.startswith("dialwarden")] == []


def test_the_shipped_file_asks_at_the_documented_address() -> None:
    assert set(re.findall(r"agi://([^/]+)/", SHIPPED_DIALPLAN.read_text())) == {"127.0.0.1:4580"}
