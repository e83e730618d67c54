"""The order in which lines run: jumps past the question, and who comes in behind it."""

from __future__ import annotations

import pytest
from tests.doctor.dialplans import ASK, DIAL, LOOK, context, unasked
from tests.routing.carriers import TRUNKS

from dialwarden.doctor.asking import Reader
from dialwarden.doctor.dialplan_text import read_shown


@pytest.mark.parametrize(
    ("jump", "told"),
    [
        ("GotoIf($[1]?dial)", True),
        ("GotoIf($[1]?no:dial)", True),
        ("GotoIf($[1]?${EXTEN},dial)", True),
        ("GotoIf($[1]?out,${EXTEN},5)", True),
        ("GotoIfTime(9:00-17:00,mon-fri,*,*?dial)", True),
        ("ExecIf($[1]?Goto(dial))", True),
        ("ExecIf($[1]?GotoIf($[1]?dial))", True),
        ("GotoIf($[1]?no)", False),
        ("GotoIf($[1]?ask)", False),
        ("GotoIf(${DIALPLAN_EXISTS(dialwarden-emergency,${EXTEN},1)}?dial)", False),
        ("GotoIf($[1]?gone)", False),  # a label that nobody sees is the first priority's
    ],
)
def test_a_jump_past_the_question_did_not_ask(jump: str, told: bool) -> None:
    text = (
        f"[out]\nexten => _X.,1,NoOp()\n same => n,{jump}\n same => n(ask),{ASK}\n"
        f" same => n,{LOOK}\n same => n(dial),{DIAL}\n same => n(no),Hangup(21)\n"
    )
    assert unasked(text) == (["_X.@out"] if told else [])


def test_who_comes_in_past_the_question_has_to_have_asked() -> None:
    out = context(ASK, LOOK, DIAL)
    assert unasked(out + context("Goto(out,${EXTEN},4)", name="past")) == ["_X.@out"]
    assert unasked(out + context(ASK, LOOK, "Goto(out,${EXTEN},4)", name="past")) == []
    assert unasked(out + context("Goto(out,${EXTEN},2)", name="before")) == []


def test_who_jumps_past_the_question_and_looks_is_sent_away() -> None:
    join = f"[out]\nexten => _X.,1,GotoIf($[1]?join)\n same => n,{ASK}\n same => n(join),{LOOK}\n"
    assert unasked(f"{join} same => n,{DIAL}\n same => n(no),Hangup()\n") == []
    assert unasked(join.replace(LOOK, "NoOp()") + f" same => n,{DIAL}\n") == ["_X.@out"]


def test_what_stands_behind_an_end_is_not_run_by_who_jumped_past_the_question() -> None:
    text = (
        f"[out]\nexten => _X.,1,GotoIf($[1]?inside)\n same => n,{ASK}\n same => n,{LOOK}\n"
        " same => n,Goto(dial)\n same => n(inside),Dial(PJSIP/100)\n same => n,Hangup()\n"
        f" same => n(dial),{DIAL}\n same => n(no),Hangup(21)\n"
    )
    assert unasked(text) == []
    assert unasked(text.replace(" same => n,Hangup()\n", "")) == ["_X.@out"]


@pytest.mark.parametrize(
    "line",
    [
        "GotoIfTime(9:00-17:00,mon-fri,*,*?dials,${EXTEN},1)",
        "DISA(no-password,dials)",
        "Originate(PJSIP/100,exten,dials,0612345678,1)",
        "Dial(PJSIP/100,30,tG(dials^0612345678^1))",
        "Dial(PJSIP/100,30,F(dials^0612345678^1)T)",
    ],
)
def test_others_than_goto_lead_somewhere(line: str) -> None:
    dials = context(DIAL, name="dials")
    asks = context(ASK, LOOK, "Goto(dials,${EXTEN},1)", name="asks")
    assert unasked(dials + asks + context(line, name="other")) == ["_X.@dials"]


@pytest.mark.parametrize("line", ["MacroIf($[1]?x:dials)", "Dial(PJSIP/100,30,M(dials^a))"])
def test_others_than_macro_lead_to_one(line: str) -> None:
    dials = context(DIAL, name="macro-dials", pattern="s")
    asks = context(ASK, LOOK, "Macro(dials)", name="asks")
    assert unasked(dials + asks + context(line, name="other")) == ["s@macro-dials"]


def test_an_extension_for_one_caller_asks_for_itself() -> None:
    shown = f"""[ Context 'out' created by 'pbx_config' ]
  '_X.' (CID match '100') => 1. {ASK}  [extensions.conf:2]
                    2. {LOOK}          [extensions.conf:3]
                    3. {DIAL}          [extensions.conf:4]
  '_X.' =>          1. {DIAL}          [extensions.conf:5]
"""
    (found,) = Reader(read_shown(shown), TRUNKS, agi_port=4580, entries=frozenset()).unasked()
    assert (found.extension, found.step.place) == ("_X.", "extensions.conf:5")
    swapped = shown.replace(" (CID match '100') =>", " =>", 1).replace(
        "'_X.' =>          1. D", "'_X.' (CID match '100') => 1. D"
    )
    comes = "[ Context 'in' created by 'x' ]\n  '_9X.' => 1. Goto(out,33612345678,1)  [a:1]\n"
    for text in (swapped, swapped + comes):
        read = Reader(read_shown(text), TRUNKS, agi_port=4580, entries=frozenset())
        assert [one.extension for one in read.unasked()] == ["_X./100"]
