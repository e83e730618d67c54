"""Console lines, split and judged as Asterisk's console takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.routing.carriers import TRUNKS, said

from dialwarden.routing.console import demand_of_line
from dialwarden.routing.words import split_words

ALIASES = {
    "originate": "channel originate",
    "hangup request": "channel request hangup",
    "ring": "channel originate PJSIP/06@carrier application",
    "ring twice": "ring",
    "core show calls": "core show channels",
    "loop": "loop again",
    "long": "channel originate PJSIP/0612345678@carrier applica",
}


def demanded(line: str, *, may_change_dialplan: bool = False) -> str:
    return said(
        demand_of_line(line, TRUNKS, aliases=ALIASES, may_change_dialplan=may_change_dialplan)
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("core show channels", ("core", "show", "channels")),
        ("  core\t show  ", ("core", "show")),
        ('originate X "application" "a b"', ("originate", "X", "application", "a b")),
        ('ch"an"nel', ("channel",)),
        ('"" x', ("", "x")),
        ('a"b c"d e', ("ab cd", "e")),
        ("a\\ b c", ("a b", "c")),
        ('\\"a', ('"a',)),
        ("ori\\ginate", ("originate",)),
        ("a\\\\b", ("a\\b",)),
        ('"open to the end', ("open to the end",)),
        ("", ()),
        (" \t", ()),
    ],
)  # fmt: skip
def test_a_line_is_split_as_asterisk_splits_it(line: str, words: tuple[str, ...]) -> None:
    assert split_words(line, 63) == words


def test_words_past_the_most_that_asterisk_takes_are_cut_off() -> None:
    assert split_words("a b c d", 2) == ("a", "b")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("channel originate PJSIP/0612345678@carrier application Wait 5", "0612345678"),
        ("CHANNEL Originate pjsip/0612345678@CARRIER Application Wait", "0612345678"),
        ('"channel" ori\\ginate "PJSIP/0612345678@carrier" extension 100@default', "0612345678"),
        ("channel originate PJSIP/0612345678@carrier extension", "0612345678"),
        ("channel originate PJSIP/1001 application Dial PJSIP/0612345678@carrier", "0612345678"),
        (
            'channel originate PJSIP/1001 application Dial "PJSIP/0612345678@carrier,30"',
            "0612345678",
        ),
        ("channel originate PJSIP/carrier application Wait", "?"),
        ("channel originate PJSIP/1001 extension 0612345678@default", ""),
        ("channel originate PJSIP/1001 application Dial 1 PJSIP/0612345678@carrier", ""),
        # Asterisk answers these with its usage.
        ("channel originate PJSIP/0612345678@carrier", ""),
        ("channel originate PJSIP/0612345678@carrier application", ""),
        ("channel originate PJSIP/0612345678@carrier app Wait", ""),
        ("originate PJSIP/0612345678@carrier application Wait 5", "0612345678"),
        ("Originate PJSIP/0612345678@carrier extension 100@default", "0612345678"),
        ("ring Wait", "06"),
        ("ring twice Wait", "06"),
        ("channel redirect PJSIP/1001-00000001 default,0612345678,1", "later:(0612345678)"),
        ("channel redirect PJSIP/1001-00000001 0612345678,1", "later:(0612345678)"),
        ("channel redirect PJSIP/1001-00000001 1", ""),
        ("console dial 0612345678@default", "later:(0612345678)"),
        ("queue add member PJSIP/0612345678@carrier to sales", "later:0612345678"),
        ("queue add member PJSIP/1001 to sales", ""),
        ('agi exec PJSIP/1001-00000001 "EXEC Dial PJSIP/0612345678@carrier"', "0612345678"),
        ("dialplan exec application Dial PJSIP/0612345678@carrier", "0612345678"),
    ],
)
def test_a_line_that_dials_is_judged(line: str, expected: str) -> None:
    assert demanded(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "core show channels",
        "pjsip show endpoint carrier",
        "dialplan show 0612345678@from-internal",
        "core show channel PJSIP/carrier-0000000a",
        "channel request hangup PJSIP/carrier-0000000a",
        "hangup request PJSIP/carrier",
        "core show calls",
        "pjsip qualify carrier",
        "queue remove member PJSIP/0612345678@carrier from sales",
        "core set verbose 3",
        "module reload res_pjsip.so",
        "dialplan reload",
        "database get x y",
    ],
)
def test_a_line_that_looks_or_hangs_up_is_relayed(line: str) -> None:
    assert demanded(line) == ""


@pytest.mark.parametrize(
    "line",
    [
        "dialplan add extension 1,1,Dial,PJSIP/0612345678@carrier into default",
        "dialplan remove extension 1@default",
        "DIALPLAN set GLOBAL OUT PJSIP/backup",
        "dialplan save",
        "realtime store extensions exten 1",
    ],
)
def test_a_line_that_rewrites_the_dialplan_needs_leave(line: str) -> None:
    assert demanded(line) == "BYPASS"
    assert demanded(line, may_change_dialplan=True) == ""


@pytest.mark.parametrize(
    "line",
    [
        "mobile call PJSIP/0612345678@carrier",
        "channel origin PJSIP/0612345678@carrier application Wait",  # no such command today
        'channel "" originate PJSIP/0612345678@carrier application Wait',
        "mixmonitor start PJSIP/1001-00000001 x.wav,,asterisk -rx 'x PJSIP/0612345678@carrier'",
        "dialplan eval function SHELL(ring PJSIP/0612345678@carrier)",
        "dialplan set chanvar PJSIP/1001-00000001 DIALWARDEN_VERDICT ALLOW",
        "channel originate PJSIP/1001 application System 'ring PJSIP/0612345678@carrier'",
        'agi exec PJSIP/1001-00000001 "SET VARIABLE DIALWARDEN_VERDICT ALLOW"',
        "loop",
        "long",
    ],
)  # fmt: skip
def test_a_line_that_may_dial_unseen_is_a_problem(line: str) -> None:
    if line.startswith("channel originate"):
        line = line.replace("'", '"')
    assert demanded(line) == "BYPASS"


def test_the_usual_alias_holds_before_asterisk_has_told_its_own() -> None:
    line = "originate PJSIP/0612345678@carrier application Wait"
    demand = demand_of_line(line, TRUNKS, aliases={}, may_change_dialplan=False)
    assert said(demand) == "0612345678"


def test_an_agi_command_is_for_the_call_of_its_channel() -> None:
    line = 'agi exec PJSIP/1001-00000001 "EXEC Dial PJSIP/0612345678@carrier"'
    demand = demand_of_line(line, TRUNKS, aliases={}, may_change_dialplan=False)
    assert demand.channel == "PJSIP/1001-00000001"


@given(st.text(max_size=80))
def test_no_line_is_too_strange(line: str) -> None:
    demanded(line)
    demanded(f"channel originate {line}")


@given(st.lists(st.text('ab "\\\t', min_size=1, max_size=6), min_size=1, max_size=5))
def test_words_that_are_quoted_come_back(words: list[str]) -> None:
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    assert split_words(" ".join(f'"{word}"' for word in quoted), 63) == tuple(words)
