"""A dialplan as Asterisk shows it and as it is shipped: the same, or what differs."""

from __future__ import annotations

import re

import pytest

from dialwarden.doctor.dialplan_text import addresses, differences, read_file, read_shown
from dialwarden.doctor.gathering.everything import shipped_dialplan, shipped_flavours
from dialwarden.shipped import shipped

SHIPPED = shipped("asterisk/extensions_dialwarden.conf").read_text()

# Asterisk 22.10.1, with an include, a switch, a hint, a caller id and a line of 16's form.
SHOWN = """[ Context 'out' created by 'pbx_config' ]
  '100' =>          hint: PJSIP/100                               [extensions.conf:3]
                    1. Dial(PJSIP/100,30)                         [extensions.conf:4]
  '_0X.' (CID match '200') => 1. NoOp(a [b] (c))                  [extensions.conf:5]
     [next]         2. Set(X=${IF($[1 = 1]?yes:no)})              [extensions.conf:6]
                    3. Goto(next)                                 [pbx_config]
  Include =>        'more'                                        [pbx_config]
  Alt. Switch =>    'Realtime/@out'                               [pbx_config]

[ Context 'more' created by 'pbx_config' ]
  'a very long extension name' => 1. Hangup()                     [extensions.conf:9]

-= 4 extensions (5 priorities) in 2 contexts. =-
"""


def test_what_asterisk_shows_is_read() -> None:
    plan = read_shown(SHOWN)
    assert list(plan) == ["out", "more"]
    out = plan["out"]
    assert [(s.priority, s.application, s.data) for s in out.extensions["_0X./200"]] == [
        (1, "NoOp", "a [b] (c)"),
        (2, "Set", "X=${IF($[1 = 1]?yes:no)}"),
        (3, "Goto", "next"),
    ]
    assert [step.place for step in out.extensions["_0X./200"]] == [
        "extensions.conf:5", "extensions.conf:6", "pbx_config",
    ]  # fmt: skip
    assert (out.includes, out.switches) == (["more"], ["Realtime/@out"])
    assert list(plan["more"].extensions) == ["a very long extension name"]


def test_nothing_is_read_out_of_another_answer() -> None:
    assert read_shown("") == {}
    assert read_shown("There is no existence of 'x' context\n") == {}


def test_a_comment_ends_a_line_as_asterisk_ends_it() -> None:
    plan = read_file("[a] ; here\nexten => 1,1,Log(NOTICE,a\\;b) ; said\n;exten => 2,1,NoOp()\n")
    assert [step.data for step in plan["a"].extensions["1"]] == ["NOTICE,a;b"]
    assert list(plan["a"].extensions) == ["1"]


def shown(text: str) -> str:
    """A file as `dialplan show` would print it."""
    lines = []
    for context in read_file(text).values():
        lines.append(f"[ Context '{context.name}' created by 'pbx_config' ]")
        for extension, steps in context.extensions.items():
            for place, step in enumerate(steps):
                key = f"'{extension}' =>" if not place else ""
                what = f"{step.priority}. {step.application}({step.data})"
                lines.append(f"  {key:<17} {what:<45} [extensions.conf:{step.place}]")
    return "\n".join(lines)


def test_the_shipped_dialplan_is_the_same_as_itself() -> None:
    ours = read_file(SHIPPED)
    live = read_shown(shown(SHIPPED))
    assert set(ours) >= {"dialwarden", "dialwarden-emergency", "dialwarden-selftest"}
    assert [differences(ours, live, context) for context in ours] == [[]] * len(ours)
    assert addresses(live, "dialwarden") == ("127.0.0.1:4580",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("127.0.0.1:4580", "10.0.0.5:4999", []),
        ("exten => T,1,Goto(answer,1)", "", ["T@dialwarden is missing"]),
        ("=${wait})", "=9)", ["question@dialwarden differs at priority N (Set)"]),
        ("exten => T,1,Goto(answer,1)", "exten => T,1,Goto(answer,1)\n same => n,Hangup()",
         ["T@dialwarden has 2 priorities, not 1"]),
        ("exten => T,1,", "exten => X,1,NoOp()\nexten => T,1,", ["X@dialwarden is none of ours"]),
        ("[dialwarden]", "[another]", ["context dialwarden is not loaded"]),
    ],
)  # fmt: skip
def test_what_differs_is_named(old: str, new: str, said: list[str]) -> None:
    text = SHIPPED
    assert old in text
    live = read_shown(shown(text.replace(old, new)))
    found = differences(read_file(text), live, "dialwarden")
    assert [re.sub(r"priority \d+", "priority N", one) for one in found] == said


def test_emergency_numbers_may_be_added_and_not_taken_away() -> None:
    text, at = SHIPPED, "exten => 112,1,NoOp()"
    name = "dialwarden-emergency"
    more = read_shown(shown(text.replace(at, f"{at}\nexten => 999,1,NoOp()", 1)))
    fewer = read_shown(shown(text.replace(at, "", 1)))
    assert differences(read_file(text), more, name) == []
    assert differences(read_file(text), fewer, name) == [f"112@{name} is missing"]


def test_a_line_that_asterisk_shows_cut_off_is_the_same() -> None:
    long = "x" * 2000
    ours = read_file(f"[a]\nexten => 1,1,NoOp({long})\n")
    cut = read_shown(f"[ Context 'a' created by 'pbx_config' ]\n  '1' =>  1. NoOp({long[:1000]}")
    assert differences(ours, cut, "a") == []


def test_what_is_shipped_for_products_is_read_too() -> None:
    assert shipped_dialplan() == read_file(SHIPPED)
    flavours = shipped_flavours()
    assert set(flavours) >= {"dialwarden-freepbx", "dialwarden-vicidial", "dialwarden-wazo"}
    # A hook is the product's context, and holds the admin's own lines as well.
    assert not {name for name in flavours if not name.startswith("dialwarden-")}
    table = "dialwarden-freepbx-campaigns"
    more = read_shown(
        f"[ Context '{table}' created by 'pbx_config' ]\n  'none' =>  1. Return()\n"
        "  'outrt-2' =>  1. Return(energy-paris)\n"
    )
    assert differences(flavours, more, table) == []
