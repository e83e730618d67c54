"""What a dialplan application would call, given its arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.routing.carriers import TRUNKS, said

from dialwarden.routing.applications import HARMLESS, demand_of_application
from dialwarden.routing.arguments import separate, texts


def called(name: str, data: str) -> str:
    return said(demand_of_application(name, data, TRUNKS))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("Dial", "PJSIP/0612345678@carrier", "0612345678"),
        ("dIAL", "pjsip/0612345678@CARRIER,30,tT", "0612345678"),
        ("Dial", "PJSIP/1001&PJSIP/0612345678@carrier,30", "0612345678"),
        ("Dial", "PJSIP/0612345678@carrier&PJSIP/0687654321@backup", "0612345678 0687654321"),
        # A quoted comma ends nothing: of an endpoint "carrier,1" nobody knows.
        ("Dial", '"PJSIP/0612345678@carrier,1"', ""),
        ("Dial", "PJSIP/0612345678@carrier\\,1", ""),
        ("Dial", '"PJSIP/0612345678@carrier",30', "0612345678"),
        ("Dial", 'PJSIP/"0612345678"@car\\rier', "0612345678"),
        ("Dial", "PJSIP/carrier", "?"),
        ("Dial", "PJSIP/1001", ""),
        ("Dial", "Local/0612345678@from-internal", ""),
        ("Dial", "PJSIP/1001/sip:0612345678@10.0.0.9", "(0612345678)"),
        ("Dial", "PJSIP/1001/sip:1001@10.0.0.7:5060", ""),
        ("Dial", "", ""),
        ("RetryDial", "tt-weasels,5,3,PJSIP/0612345678@carrier,30", "0612345678"),
        ("RetryDial", 'x,5,3,"PJSIP/0612345678@carrier",30', "0612345678"),
        ("RetryDial", "PJSIP/0612345678@carrier,5,3", ""),  # the announcement: nothing is dialled
        ("Page", "PJSIP/1001&PJSIP/0612345678@carrier,d,10", "0612345678"),
        ("Originate", "PJSIP/0612345678@carrier,exten,default,100,1", "0612345678"),
        ("Originate", "PJSIP/1001,app,Dial,PJSIP/0612345678@carrier", "0612345678"),
        (
            "Originate",
            'PJSIP/0612345678@carrier,APP,Dial,"PJSIP/0687654321@carrier,30"',
            "0687654321 0612345678",
        ),
        (
            "Originate",
            'PJSIP/1001,app,Originate,"PJSIP/1002,app,Dial,PJSIP/0612345678@carrier"',
            "0612345678",
        ),
        ("Originate", "PJSIP/1001,app,Playback,hello-world", ""),
        ("Exec", "Dial(PJSIP/0612345678@carrier,30)", "0612345678"),
        ("TryExec", "dial(PJSIP/0612345678@carrier)", "0612345678"),
        ("Exec", "Exec(Dial(PJSIP/0612345678@carrier))", "0612345678"),
        ("ExecIf", "$[1]?Dial(PJSIP/0612345678@carrier)", "0612345678"),
        (
            "ExecIf",
            "0?Dial(PJSIP/0612345678@carrier):Dial(PJSIP/0687654321@carrier)",
            "0612345678 0687654321",
        ),
        # One of the two is run: no callee is rung twice.
        (
            "ExecIf",
            "0?Dial(PJSIP/0612345678@carrier):Dial(PJSIP/0612345678@backup)",
            "0612345678",
        ),
        ("ExecIf", "1,Dial,PJSIP/0612345678@carrier", "0612345678"),  # of old
        ("Queue", "sales,tT,,,300", ""),
        ("Goto", "default,0612345678,1", ""),
        ("AGI", "agi://127.0.0.1/call_log", ""),
        ("ChanSpy", "PJSIP/carrier,q", ""),
        ("SoftHangup", "PJSIP/carrier", ""),
    ],
)
def test_an_application_calls_what_asterisk_would(name: str, data: str, expected: str) -> None:
    assert called(name, data) == expected


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("Dial", "PJSIP/0612345678@carrier&PJSIP/0612345678@backup", "TWICE"),
        ("Dial", "PJSIP/0612345678@carrier&PJSIP/06.12.34.56.78@carrier", "TWICE"),
        ("Originate", "PJSIP/0612345678@carrier,app,Dial,PJSIP/0612345678@backup", "TWICE"),
        ("Dial", "PJSIP/${NUMBER}@carrier", "NUMBER"),
        ("Dial", "PJSIP/1001&${WHERE}", "NUMBER"),
        ("Dial", "PJSIP/061234567$[4+4]@carrier", "NUMBER"),
        ("Exec", "Dial(${WHERE})", "NUMBER"),
        ("Originate", "${WHERE},exten,default,100,1", "NUMBER"),
        ("Dial", "PJSIP/1001,30,U(call^PJSIP/0612345678@carrier)", "BYPASS"),
        ("Dial", "PJSIP/1001,30,G(PJSIP/0612345678@carrier)", "BYPASS"),
        ("Page", "PJSIP/1001,b(call^s^1(pjsip/0612345678@carrier))", "BYPASS"),
        ("Originate", "PJSIP/1001,exten,a,b,1,30,v(DIALWARDEN_VERDICT=ALLOW)", "BYPASS"),
        ("System", "asterisk -rx 'channel originate PJSIP/0612345678@carrier'", "BYPASS"),
        ("AGI", "dial.sh,PJSIP/0612345678@carrier", "BYPASS"),
        ("EAGI", "dial.sh,PJSIP/0612345678@carrier", "BYPASS"),
        ("Queue", "sales,,,,300,dial.agi PJSIP/0612345678@carrier", "BYPASS"),
        ("AddQueueMember", "sales,PJSIP/0612345678@carrier", "BYPASS"),
        ("Transfer", "PJSIP/0612345678@carrier", "BYPASS"),
        ("NoSuchThing", "PJSIP/0612345678@carrier", "BYPASS"),
        ("Set", "DIALWARDEN_VERDICT=ALLOW", "BYPASS"),
        ("Set", "__DIALWARDEN_CAMPAIGN=other", "BYPASS"),
        ("Read", "DIALWARDEN_VERDICT", "BYPASS"),
        ("Exec", "Set(ARRAY(DIALWARDEN_VERDICT)=ALLOW)", "BYPASS"),
    ],
)
def test_what_cannot_be_read_or_goes_past_us_is_a_problem(
    name: str, data: str, expected: str
) -> None:
    assert called(name, data) == expected


def test_no_nesting_of_applications_hides_a_call() -> None:
    data = "PJSIP/0612345678@carrier"
    for depth in range(300):
        inner = data if depth == 0 else f"{'Exec(' * (depth - 1)}Dial({data}){')' * (depth - 1)}"
        name = "Dial" if depth == 0 else "Exec"
        assert called(name, inner) in ("0612345678", "BYPASS")


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_no_application_that_dials_is_harmless(name: str) -> None:
    assert name == name.lower()
    assert name not in {"dial", "page", "retrydial", "originate", "exec", "tryexec", "execif",
                        "queue", "system", "agi", "mixmonitor", "set"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("a,b,c", 4, ["a", "b", "c", ""]),
        ("a,b,c,d,e", 3, ["a", "b", "c,d,e"]),  # the last takes the rest
        ('a,"b,c",d', 4, ["a", "b,c", "d", ""]),
        ('"a,b","c"', 1, ['"a,b","c"']),  # as it is written
        ('x,"b,c"', 2, ["x", '"b,c"']),
        ("a\\,b,c", 4, ["a,b", "c", "", ""]),
        ("f(a,b),[c,d],e", 4, ["f(a,b)", "[c,d]", "e", ""]),
        ("a),b", 4, ["a)", "b", "", ""]),  # nothing was open
        ("(a,b", 4, ["(a,b", "", "", ""]),
        ("a,", 4, ["a", "", "", ""]),
        ("", 2, ["", ""]),
        ("a\\", 2, ["a", ""]),
    ],
)
def test_arguments_are_split_as_asterisk_splits_them(
    text: str, most: int, expected: list[str]
) -> None:
    assert texts(text, most) == expected


@given(st.text('ab,"\\()[]=', max_size=30), st.integers(1, 6))
def test_the_places_of_the_arguments_cover_the_whole_text(text: str, most: int) -> None:
    arguments = separate(text, most)
    assert len(arguments) <= most
    assert ",".join(text[one.start : one.end] for one in arguments) == text


@given(st.text(max_size=60), st.text(max_size=120))
def test_no_text_is_too_strange(name: str, data: str) -> None:
    demand_of_application(name, data, TRUNKS)
    demand_of_application("ExecIf", data, TRUNKS)
    demand_of_application("Originate", data, TRUNKS)


@given(
    st.lists(
        st.sampled_from(["PJSIP/1001", "Local/7@x", "PJSIP/0612345678@carrier", "", "junk"]),
        max_size=4,
    )
)
def test_a_number_among_other_destinations_is_always_seen(others: list[str]) -> None:
    told = called("Dial", "&".join([*others, "PJSIP/0687654321@carrier"]))
    assert "0687654321" in told or told == "TWICE"
