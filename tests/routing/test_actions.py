"""What an AMI request would have the PBX dial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.routing.carriers import TRUNKS, said

from dialwarden.routing.actions import CONCERNED, Demand, demand_of
from dialwarden.routing.caller_id import shown_number
from dialwarden.wire.ami_request import AmiRequest


def demand(action: str, *headers: tuple[str, str], leave: bool = False, **more: str) -> Demand:
    request = AmiRequest((("Action", action), *headers, *more.items()))
    return demand_of(request, TRUNKS, aliases={}, may_change_dialplan=leave)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Channel": "PJSIP/0612345678@carrier"}, "0612345678"),
        ({"channel": "pjsip/carrier/sip:%30612345678@1.2.3.4"}, "0612345678"),
        ({"Channel": "PJSIP/carrier"}, "?"),
        ({"Channel": "PJSIP/carrier-2/0612345678"}, ""),
        ({"Channel": "Local/0612345678@from-internal"}, ""),
        ({"Channel": "PJSIP/1001"}, ""),
        ({"Channel": "0612345678"}, ""),
        ({"Channel": "PJSIP/0612345678@carrier", "Application": "Wait", "Data": "5"}, "0612345678"),
        (
            {
                "Channel": "Local/1001@agents",
                "Application": "Dial",
                "Data": "PJSIP/0612345678@carrier,30",
            },
            "0612345678",
        ),
        (
            {
                "Channel": "PJSIP/0612345678@carrier",
                "Application": "Dial",
                "Data": "PJSIP/0687654321@carrier",
            },
            "0612345678 0687654321",
        ),
        # Channel is one destination however it looks: here through an endpoint 1001&PJSIP.
        ({"Channel": "PJSIP/1001&PJSIP/0612345678@carrier"}, ""),
        ({"Channel": "PJSIP/1001", "Exten": "0612345678", "Context": "out", "Priority": "1"}, ""),
        ({"Channel": "PJSIP/1001", "Data": "PJSIP/0612345678@carrier"}, ""),  # of no application
        ({"Channel": f"PJSIP/{'0' * 300}@carrier"}, "NUMBER"),
        ({"Channel": f"PJSIP/{'é' * 121}@carrier"}, "NUMBER"),  # 255 bytes are not 255 letters
        (
            {
                "Channel": "PJSIP/0612345678@carrier",
                "Application": "Dial",
                "Data": "PJSIP/0612345678@backup",
            },
            "TWICE",
        ),
        (
            {"Channel": "PJSIP/1001", "Application": "System", "Data": "x PJSIP/06@carrier"},
            "BYPASS",
        ),
        ({"Channel": "PJSIP/1001", "PreDialGoSub": "a,s,1(PJSIP/0612345678@carrier)"}, "BYPASS"),
    ],
)
def test_an_originate_dials_its_channel_and_its_application(
    headers: dict[str, str], expected: str
) -> None:
    assert said(demand("Originate", **headers)) == expected


def test_a_channel_of_255_bytes_is_whole() -> None:
    channel = "PJSIP/0612345678@carrier".ljust(255, "x")
    assert said(demand("Originate", Channel=channel)) == ""
    assert said(demand("Originate", Channel=channel + "x")) == "NUMBER"


@pytest.mark.parametrize(
    ("action", "headers", "expected"),
    [
        ("Redirect", {"Channel": "PJSIP/1", "Exten": "0612345678"}, "later:(0612345678)"),
        (
            "Redirect",
            {"Exten": "8600051", "ExtraChannel": "PJSIP/2", "ExtraExten": "0687654321"},
            "later:(8600051) (0687654321)",
        ),
        ("Redirect", {"Exten": "8600051", "ExtraExten": "8600051"}, "later:(8600051)"),
        ("Redirect", {"Exten": "s"}, ""),
        ("BlindTransfer", {"Exten": "0612345678"}, "later:(0612345678)"),
        ("ATXFER", {"Exten": "0612345678"}, "later:(0612345678)"),
        ("QueueAdd", {"Interface": "PJSIP/0612345678@carrier"}, "later:0612345678"),
        ("QueueAdd", {"Interface": "PJSIP/1001", "StateInterface": "PJSIP/06@carrier"}, ""),
        ("QueueAdd", {"Interface": "Local/0612345678@from-queue/n"}, ""),
        ("AGI", {"Channel": "PJSIP/1", "Command": "EXEC Dial PJSIP/0612345678@carrier,30"},
         "0612345678"),
        ("AGI", {"Command": 'exec "Dial" "PJSIP/0612345678@carrier"'}, "0612345678"),
        ("AGI", {"Command": "EXEC Playback hello"}, ""),
        ("AGI", {"Command": "GET VARIABLE DIALWARDEN_VERDICT"}, ""),
        ("AGI", {"Command": "SET VARIABLE DIALWARDEN_VERDICT ALLOW"}, "BYPASS"),
        ("AGI", {"Command": "EXEC System PJSIP/06@carrier"}, "BYPASS"),
        ("AGI", {"Command": "GOSUB out 0612345678 1"}, "later:(0612345678)"),
        ("AGI", {"Command": "SET EXTENSION 0612345678"}, "later:(0612345678)"),
        ("Park", {"TimeoutChannel": "PJSIP/0612345678@carrier-00000001"}, "later:0612345678"),
        ("Park", {"Channel": "PJSIP/1001-1", "TimeoutChannel": "PJSIP/carrier-0000000a"}, ""),
        ("DAHDIDialOffhook", {"Number": "0612345678"}, "later:(0612345678)"),
        ("Command", {"Command": "channel originate PJSIP/0612345678@carrier extension"},
         "0612345678"),
        ("Setvar", {"Variable": "DIALWARDEN_VERDICT", "Value": "ALLOW"}, "BYPASS"),
        ("Setvar", {"Channel": "x", "Variable": "ARRAY(DIALWARDEN_VERDICT)"}, "BYPASS"),
        ("Setvar", {"Channel": "x", "Variable": "OUT", "Value": "PJSIP/carrier"}, ""),
        ("Setvar", {"Variable": "OUT", "Value": "PJSIP/backup"}, "BYPASS"),
        ("Setvar", {"Variable": "NIGHT", "Value": "1"}, ""),
        ("MixMonitor", {"Command": "ring PJSIP/0612345678@carrier"}, "BYPASS"),
        ("MixMonitor", {"Command": "lame x.wav"}, ""),
        ("Getvar", {"Variable": "SHELL(ring PJSIP/0612345678@carrier)"}, "BYPASS"),
        ("Getvar", {"Variable": "DEVICE_STATE(PJSIP/carrier)"}, ""),
        ("Bridge", {"Channel1": "PJSIP/carrier-1", "Channel2": "PJSIP/1001-2"}, ""),
        ("Hangup", {"Channel": "PJSIP/carrier-0000000a"}, ""),
        ("MessageSend", {"Destination": "pjsip:carrier/sip:0612345678@x"}, ""),
        ("NoSuchAction", {"Channel": "PJSIP/0612345678@carrier"}, ""),
    ],
)  # fmt: skip
def test_other_actions(action: str, headers: dict[str, str], expected: str) -> None:
    assert said(demand(action, **headers)) == expected


@pytest.mark.parametrize(
    "action", ["UpdateConfig", "createconfig", "DialplanExtensionAdd", "DialplanExtensionRemove"]
)
def test_who_rewrites_the_dialplan_needs_leave(action: str) -> None:
    assert said(demand(action)) == "BYPASS"
    assert said(demand(action, leave=True)) == ""


def test_a_global_that_names_a_trunk_needs_leave() -> None:
    assert said(demand("Setvar", leave=True, Variable="OUT", Value="PJSIP/backup")) == ""


def test_an_agi_command_is_for_the_call_of_its_channel() -> None:
    found = demand("AGI", Channel="PJSIP/1-1", Command="EXEC Dial PJSIP/0612345678@carrier")
    assert (found.channel, found.places_call) == ("PJSIP/1-1", True)


@given(
    st.sampled_from(sorted({*CONCERNED, "hangup", "bridge", "queuestatus"})),
    st.dictionaries(
        st.sampled_from(
            ["Channel", "Application", "Data", "Exten", "ExtraExten", "Interface", "Command",
             "TimeoutChannel", "Number", "Variable", "Value", "PreDialGoSub"]
        ),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(["PJSIP/0612345678@carrier", "EXEC Dial PJSIP/0612345678@carrier"]),
        ),
    ),
)  # fmt: skip
def test_only_the_actions_concerned_ever_dial(action: str, headers: dict[str, str]) -> None:
    found = demand(action.title(), **headers)
    assert action in CONCERNED or found == Demand()


@pytest.mark.parametrize(
    ("caller_id", "number"),
    [
        ('"Acme" <0123456789>', "0123456789"),
        ("Acme <01 23-45.67(89)>", "0123456789"),
        ('"V1122334455000000012" <0123456789', "0123456789"),
        ("0123456789", "0123456789"),
        ("+33 1 23 45 67 89", "+33123456789"),
        ('"0123456789"', None),  # in quotes it is a name
        ("Acme", None),
        ("", None),
        ("<>", None),
        ("Acme <anonymous>", "anonymous"),
        ('"a < b" <0123456789>', "0123456789"),
    ],
)
def test_the_number_in_a_caller_id(caller_id: str, number: str | None) -> None:
    assert shown_number(caller_id) == number
