"""Which lines of a dialplan dial a trunk, and whether somebody asked on the way there."""

from __future__ import annotations

import pytest
from tests.doctor.dialplans import ASK, DIAL, LOOK, context, reader, unasked
from tests.routing.carriers import TRUNKS

from dialwarden.doctor.asking import Reader
from dialwarden.doctor.dialplan_text import read_file

# As FreePBX 17 makes it: the number is dialled in a context of its own, behind the trunk's macro.
FREEPBX_17 = """
[macro-dialout-trunk]
exten => s,1,Set(DIAL_TRUNK=${ARG1})
 same => n,Gosub(macro-dialout-trunk-predial-hook,s,1())
 same => n,GotoIf($["${PREDIAL_HOOK_RET}" = "BYPASS"]?bypass,1)
 same => n,Gosub(trunk-dial-with-exten,${OUTNUM},1(${DIAL_TRUNK}))
[trunk-dial-with-exten]
exten => _X.,1,Dial(PJSIP/${EXTEN}@carrier,300,${DIAL_TRUNK_OPTIONS})
 same => n,Return()
"""
HOOK = """
[macro-dialout-trunk-predial-hook]
exten => s,1,Gosub(dialwarden,check,1(${OUTNUM},paris))
 same => n,ExecIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?Hangup(21))
 same => n,Return()
"""
# As FreePBX 16 makes it: macros, and a trunk whose dial string is a global variable.
FREEPBX_16 = """
[macro-dialout-trunk]
exten => s,1,Macro(dialout-trunk-predial-hook,)
 same => n,ExecIf($["${custom}" = "AMP"]?Dial(PJSIP/${OUTNUM}@carrier,300))
 same => n,Dial(${OUT_${DIAL_TRUNK}}/${OUTNUM},300)
"""
NO_HOOK = "\n[macro-dialout-trunk-predial-hook]\nexten => s,1,MacroExit()\n"


@pytest.mark.parametrize(
    "dial",
    [
        "Dial(PJSIP/${EXTEN}@carrier,60)",
        "Dial(PJSIP/${EXTEN:1}@carrier)",
        "Dial(PJSIP/100&PJSIP/${EXTEN}@carrier,60)",
        "Dial(PJSIP/carrier/sip:${EXTEN}@10.0.0.1)",
        "dial(pjsip/0612345678@CARRIER)",
        "RetryDial(beep,5,3,PJSIP/${EXTEN}@carrier)",
        "Page(PJSIP/${EXTEN}@carrier)",
        "Originate(PJSIP/${EXTEN}@carrier,app,Wait,60)",
        "Originate(PJSIP/100,app,Dial,PJSIP/${EXTEN}@carrier)",
        'ExecIf($["${X}" = "1"]?Dial(PJSIP/${EXTEN}@carrier,60,U(sub(${Y}))):NoOp())',
        "Exec(Dial(PJSIP/${EXTEN}@carrier))",
        "TryExec(Dial(PJSIP/${FILTER(0-9,${EXTEN})}@carrier))",
        "ExecIfTime(9:00-17:00,mon-fri,*,*?Dial(PJSIP/${EXTEN}@carrier))",
    ],
)
def test_a_line_that_dials_a_trunk_has_to_ask(dial: str) -> None:
    assert unasked(context(dial)) == ["_X.@out"]
    assert unasked(context(ASK, LOOK, dial)) == []


@pytest.mark.parametrize(
    "line",
    [
        "Dial(PJSIP/100,30)",
        "Dial(PJSIP/${EXTEN}@carrier-3)",
        "Dial(PJSIP/agent,30)",
        "Dial(Local/${EXTEN}@elsewhere)",
        "NoOp(PJSIP/${EXTEN}@carrier)",
        "Queue(sales)",
        "Set(X=Dial)",
    ],
)
def test_what_stays_inside_need_not_ask(line: str) -> None:
    assert unasked(context(line)) == []


@pytest.mark.parametrize(
    "line",
    [
        "Dial(${TARGET},60)",
        "Dial(PJSIP/${EXTEN}@${TRUNK},60)",
        "Dial(PJSIP/${EXTEN},60)",
        "Dial(${OUT_${TRUNK}}/${OUTNUM})",
        "Dial(${TECHNOLOGY}/0612345678@carrier)",
        "Originate(${X},exten,a,b,1)",
    ],
)
def test_an_endpoint_in_a_variable_is_told_apart(line: str) -> None:
    assert unasked(context(line)) == ["_X.@out?"]
    assert unasked(context(ASK, LOOK, line)) == []


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        (ASK, True),
        ("AGI(agi://127.0.0.1:4580/check,number=${EXTEN},campaign=paris)", True),
        ("AGI(agi://10.0.0.5:4580/check,number=${EXTEN})", True),
        ("GosubIf($[1]?dialwarden,check,1(${EXTEN},paris):other,1)", True),
        ("ExecIf($[1]?Gosub(dialwarden,check,1(${EXTEN},paris)))", True),
        ("AGI(agi://127.0.0.1:4577/check)", False),  # another program's
        ("AGI(agi://127.0.0.1:4580/peek,number=${EXTEN})", False),  # reserves nothing
        ("Gosub(dialwarden,peek,1(${EXTEN},paris))", False),
        ("Gosub(dialwarden,objection,1(${EXTEN},paris))", False),
        ("NoOp(Gosub the dialwarden,check,1)", False),
    ],
)
def test_what_asking_is(line: str, asks: bool) -> None:
    assert unasked(context(line, LOOK, DIAL)) == ([] if asks else ["_X.@out"])


def test_a_question_behind_the_dial_is_none() -> None:
    assert unasked(context(DIAL, ASK, LOOK)) == ["_X.@out"]


def test_the_first_of_two_dials_may_be_the_one_that_forgot() -> None:
    found = reader(context(DIAL, ASK, LOOK, DIAL)).unasked()
    assert [one.step.priority for one in found] == [2]
    assert found[0].where == "_X.@out priority 2"
    assert found[0].written == "PJSIP/${…}@carrier"


def test_a_subroutine_that_asks_has_asked() -> None:
    called = context(ASK, "Return()", name="mine", pattern="s")
    assert unasked(context("Gosub(mine,s,1)", LOOK, DIAL) + called) == []
    assert unasked(context("Goto(mine,s,1)", DIAL) + called) == ["_X.@out"]
    empty = context("Return()", name="mine", pattern="s")
    assert unasked(context("Gosub(mine,s,1)", DIAL) + empty) == ["_X.@out"]


def test_a_subroutine_of_which_one_way_does_not_ask_has_not() -> None:
    two = context(ASK, name="mine", pattern="_0X.") + "exten => _1X.,1,Return()\n"
    assert unasked(context("Gosub(mine,${EXTEN},1)", DIAL) + two) == ["_X.@out"]


def test_who_is_only_reached_by_those_who_asked_need_not_ask() -> None:
    dials = context(DIAL, name="dials")
    asks = context(ASK, LOOK, "Goto(dials,${EXTEN},1)", name="asks")
    forgets = context("Goto(dials,${EXTEN},1)", name="forgets")
    assert unasked(dials + asks) == []
    assert unasked(dials + asks + forgets) == ["_X.@dials"]
    assert unasked(dials) == ["_X.@dials"]  # nobody is seen to come: anybody may


def test_who_is_reached_over_several_is_followed_back() -> None:
    chain = (
        context(ASK, LOOK, "Gosub(second,s,1)", name="first")
        + context("Goto(third,s,1)", name="second", pattern="s")
        + context("Dial(Local/${X}@fourth/n)", name="third", pattern="s")
        + context(DIAL, name="fourth")
    )
    assert unasked(chain) == []
    assert unasked(chain.replace(ASK, "NoOp()")) == ["_X.@fourth"]


def test_a_macro_whose_name_holds_a_variable_is_each_that_it_may_be() -> None:
    asks = context(ASK, LOOK, "Macro(dundi-${DIAL_TRUNK},${OUTNUM})", name="asks")
    dials = context(DIAL, name="macro-dundi-4", pattern="s")
    assert unasked(asks + dials) == []
    assert unasked(asks + context(DIAL, name="macro-other", pattern="s")) == ["s@macro-other"]
    assert unasked(context(ASK, LOOK, "Macro(${X})") + dials) == ["s@macro-dundi-4"]


def test_a_ring_of_calls_ends() -> None:
    ring = context("Goto(b,${EXTEN},1)", DIAL, name="a") + context("Goto(a,${EXTEN},1)", name="b")
    assert unasked(ring) == ["_X.@a"]


def test_a_way_may_be_long_and_have_rings_in_it() -> None:
    hops = [
        context(f"Goto(hop{n + 1},s,1)", f"Goto(hop{n - 1},s,1)", name=f"hop{n}", pattern="s")
        for n in range(1, 60)
    ]
    start = context(ASK, LOOK, "Goto(hop1,s,1)", name="start")
    end = context(DIAL, name="hop60", pattern="s")
    back = context("Goto(start,s,1)", name="hop0", pattern="s")
    assert unasked(start + "".join(hops) + end + back) == []
    forgets = context("Goto(hop30,s,1)", name="forgets")
    assert unasked(start + "".join(hops) + end + back + forgets) == ["s@hop60"]


def test_many_ways_through_the_same_contexts_are_read_in_one_go() -> None:
    """Each of thirty contexts jumps into every other: more ways than could be walked one by one."""
    mesh = "".join(
        context(*(f"Goto(m{other},s,1)" for other in range(30)), name=f"m{n}", pattern="s")
        for n in range(30)
    )
    dials = context("Goto(m0,s,1)", DIAL, name="m30", pattern="s")
    asks = context(ASK, LOOK, "Goto(m7,s,1)", "Goto(m30,s,1)", name="asks")
    assert unasked(mesh + dials + asks) == []
    assert unasked(mesh + dials) == ["s@m30"]


def test_subroutines_that_call_one_another_are_read_to_an_end() -> None:
    one = context("Gosub(two,s,1)", "Return()", name="one", pattern="s")
    two = context("Gosub(one,s,1)", "Return()", name="two", pattern="s")
    assert unasked(context("Gosub(one,s,1)", DIAL) + one + two) == ["_X.@out"]
    asks = two.replace("Return()", ASK)
    assert unasked(context("Gosub(one,s,1)", DIAL) + one + asks) == []


def test_a_context_where_telephones_come_in_has_to_ask_itself() -> None:
    dials = context(DIAL, name="dials")
    asks = context(ASK, LOOK, "Goto(dials,${EXTEN},1)", name="asks")
    phones = "[phones]\ninclude => dials\n"
    assert unasked(dials + asks, "dials") == ["_X.@dials"]
    plan = read_file(dials + asks + phones)
    plan["phones"].includes.append("dials")
    found = Reader(plan, TRUNKS, agi_port=4580, entries=frozenset({"phones"})).unasked()
    assert [one.context for one in found] == ["dials"]


@pytest.mark.parametrize("shape", [FREEPBX_16, FREEPBX_17], ids=["16", "17"])
def test_the_hook_of_freepbx_asks_for_its_trunks(shape: str) -> None:
    assert unasked(shape + HOOK) == []
    without = {one.partition("?")[0] for one in unasked(shape + NO_HOOK)}
    assert without in ({"s@macro-dialout-trunk"}, {"_X.@trunk-dial-with-exten"})
    assert unasked(shape) == unasked(shape + NO_HOOK)


@pytest.mark.parametrize(
    ("lines", "heeded"),
    [
        ((ASK, LOOK, DIAL), True),
        ((ASK, 'ExecIf($["${DIALWARDEN_VERDICT}" = "ALLOW"]?Dial(PJSIP/1@carrier))'), True),
        ((ASK, DIAL), False),
        ((LOOK, ASK, DIAL), False),
        ((ASK, LOOK, DIAL, ASK, DIAL), False),
        (("Gosub(mine,s,1)", DIAL), True),  # what it calls may hang up by itself
        (("Gosub(deaf,s,1)", DIAL), False),
        (("Gosub(deaf,s,1)", LOOK, DIAL), True),
        (("Gosub(outer,s,1)", DIAL), True),
        ((ASK, "NoOp(${DIALWARDEN_VERDICT})", DIAL), False),
        ((ASK, "Set(X=${DIALWARDEN_VERDICT})", 'GotoIf($["${X}" != "ALLOW"]?no)', DIAL), True),
    ],
)
def test_who_asks_has_to_look_at_the_verdict(lines: tuple[str, ...], heeded: bool) -> None:
    called = context(ASK, LOOK, name="mine", pattern="s")
    called += context(ASK, "Return()", name="deaf", pattern="s")
    called += context("Gosub(mine,s,1)", "Return()", name="outer", pattern="s")
    found = reader(context(*lines) + called).unheeded()
    assert (found == []) is heeded


def test_who_asks_and_goes_on_elsewhere_has_to_look_at_the_verdict_too() -> None:
    dials = context(DIAL, name="dials")
    looks = context(ASK, LOOK, "Goto(dials,${EXTEN},1)", name="looks")
    deaf = context(ASK, "Goto(dials,${EXTEN},1)", name="deaf")
    assert reader(dials + looks).unheeded() == []
    assert [one.where for one in reader(dials + looks + deaf).unheeded()] == [
        "_X.@dials priority 2"
    ]
    # Nobody asked: that is the other check's, and told once.
    assert reader(dials + looks + deaf.replace(ASK, "NoOp()")).unheeded() == []


@pytest.mark.parametrize(
    ("dial", "written"),
    [
        ("Dial(PJSIP/0612345678@carrier)", "PJSIP/06••••••78@carrier"),
        ("Dial(PJSIP/112@carrier)", "PJSIP/112@carrier"),
        ("Dial(PJSIP/carrier/sip:33612345678@192.168.100.10)",
         "PJSIP/carrier/sip:33•••••••78@192.168.100.10"),
        ("Dial(PJSIP/carrier/sip:me:hunter2@10.0.0.1)", "PJSIP/carrier/sip:me:…@10.0.0.1"),
        ("Dial(PJSIP/carrier/sip:${EXTEN}@10.0.0.1:5060)", "PJSIP/carrier/sip:${…}@10.0.0.1:5060"),
    ],
)  # fmt: skip
def test_no_secret_and_no_whole_number_is_told(dial: str, written: str) -> None:
    (found,) = reader(context(dial)).dialled()
    assert found.written == written


def test_it_is_known_whether_a_line_counts_on_who_comes_to_it() -> None:
    dials = context(DIAL, name="dials")
    assert reader(dials + context(ASK, LOOK, "Goto(dials,${EXTEN},1)", name="asks")).relied_on()
    assert not reader(context(ASK, LOOK, DIAL)).relied_on()
    assert not reader(dials).relied_on()


@pytest.mark.parametrize(
    ("dial", "known"),
    [
        ("Dial(${OUT_${DIAL_TRUNK}}/${OUTNUM}${OUT_${DIAL_TRUNK}_SUFFIX},300)", True),
        ("Dial(${OUT_1}/${OUTNUM}${OUT_1_SUFFIX})", True),
        ("Dial(PJSIP/${EXTEN}@${TRUNK})", True),
        ("Dial(PJSIP/${EXTEN}@${TRUNK_${X}})", False),  # nobody knows which that is
        ("Dial(${TARGET})", False),
        ("Dial(PJSIP/${EXTEN}@${INSIDE})", False),
    ],
)
def test_what_global_variables_hold_is_known(dial: str, known: bool) -> None:
    variables = {
        "OUT_1": "PJSIP", "OUT_1_SUFFIX": "@carrier", "OUT_2": "PJSIP", "OUT_2_SUFFIX": "@other",
        "TRUNK": "carrier", "INSIDE": "phone", "NUMBER": "0612345678",
    }  # fmt: skip
    plan = read_file(context(dial))
    reader = Reader(plan, TRUNKS, agi_port=4580, entries=frozenset(), variables=variables)
    (found,) = reader.unasked()
    samples = [text for text in found.samples if text == "PJSIP/33612345678@carrier"]
    assert len(samples) == known
    assert (found.trunk, found.dynamic) == (("carrier", False) if known else ("", True))


def test_a_literal_number_is_told() -> None:
    numbers = [one.number for one in reader(context("Dial(PJSIP/112@carrier)", DIAL)).dialled()]
    assert numbers == ["112", ""]


def test_a_large_dialplan_is_read_in_one_go() -> None:
    """Ten thousand extensions that all jump into one context."""
    jumps = "".join(f"exten => {n},1,Goto(dials,{n},1)\n" for n in range(10_000))
    found = unasked(context(DIAL, name="dials") + f"[many]\n{jumps}")
    assert found == ["_X.@dials"]
