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


@pytest.mark.parametrize(
    ("action", "headers", "expected"),
    [
        # Each of these placed a call on Asterisk 16 and 22, or would where a module is loaded.
        ("Originate", {"Application": "Exec", "Data": "NoOp(${SHELL(sh x)})"}, "BYPASS"),
        ("Originate", {"Application": "Exec", "Data": "NoOp(${SH${E}ELL(sh x)})"}, "NUMBER"),
        ("Originate", {"Application": "Exec", "Data": "System(${X})"}, "BYPASS"),
        ("Originate", {"Application": "System", "Data": "echo eA== | base64 -d | sh"}, "BYPASS"),
        ("Originate", {"Application": "AGI", "Data": "/bin/sh,-c,x"}, "BYPASS"),
        ("Originate", {"Application": "EAGI", "Data": "../../../bin/sh,-c,x"}, "BYPASS"),
        ("Originate", {"Application": "Queue", "Data": "q,,,,20,/bin/sh"}, "BYPASS"),
        ("Originate", {"Application": "MixMonitor", "Data": "x.wav,,echo eA== | sh"}, "BYPASS"),
        ("Originate", {"Application": "ExternalIVR", "Data": "/bin/x"}, "BYPASS"),
        ("Originate", {"Application": "Set", "Data": "FILE(/spool/x,,,a)=Chan"}, "BYPASS"),
        ("Originate", {"Application": "Set", "Data": "ARRAY(FI\\LE(/x))=Chan"}, "BYPASS"),
        ("Originate", {"Application": "Set", "Data": "DB(registrar/contact/1001)=x"}, "BYPASS"),
        ("Setvar", {"Channel": "x", "Variable": "FILE(/spool/x)", "Value": "y"}, "BYPASS"),
        ("Setvar", {"Channel": "x", "Variable": "ARRAY(DIALWARDEN\\_NUMBER)"}, "BYPASS"),
        ("Getvar", {"Variable": "SHELL(echo eA== | base64 -d | sh)"}, "BYPASS"),
        ("Getvar", {"Variable": "EVAL(${SH${E}ELL(x)})"}, "BYPASS"),
        ("Getvar", {"Variable": "CUT(SH\\ELL(x),,1)"}, "BYPASS"),
        ("Status", {"Variables": "CHANNEL(state),SHELL(x)"}, "BYPASS"),
        ("AGI", {"Command": 'GET VARIABLE "SHELL(asterisk -rx x)"'}, "BYPASS"),
        ("AGI", {"Command": "GET FULL VARIABLE ${SHELL(x)}"}, "BYPASS"),
        ("AGI", {"Command": "SET VARIABLE FILE(/spool/x,,,a) y"}, "BYPASS"),
        ("AGI", {"Command": "DATABASE PUT registrar contact/1001;@x y"}, "BYPASS"),
        ("MixMonitor", {"Command": "echo eA== | base64 -d | sh"}, "BYPASS"),
        ("MixMonitor", {"Command": "/usr/sbin/asterisk -rx x"}, "BYPASS"),
        ("MixMonitor", {"Command": "cp ^{X} /var/spool/asterisk/outgoing/x.call"}, "BYPASS"),
        ("DBPut", {"Family": "registrar", "Key": "contact/1001;@x"}, "BYPASS"),
        ("DBPut", {"Family": "/Registrar//contact", "Key": "1001;@x"}, "BYPASS"),
        ("DBPut", {"Family": "SIP/Registry", "Key": "1001"}, "BYPASS"),
        ("Command", {"Command": "dialplan eval function SHELL(x)"}, "BYPASS"),
        ("Command", {"Command": "database put registrar contact/1001 x"}, "BYPASS"),
        ("Command", {"Command": "database query 'INSERT INTO astdb VALUES (1)'"}, "BYPASS"),
        ("Command", {"Command": 'mixmonitor start x "x.wav,,x | sh"'}, "BYPASS"),
        # What dialers and desktops send every day.
        ("Originate", {"Application": "Exec", "Data": "Playback(${FILE_NAME})"}, ""),
        ("Originate", {"Application": "AGI", "Data": "agi://10.0.0.7/a/b,1"}, ""),
        ("Originate", {"Application": "AGI", "Data": "call.php,a/b"}, ""),
        ("Originate", {"Application": "MixMonitor", "Data": "/rec/x.wav,b"}, ""),
        ("Originate", {"Application": "Queue", "Data": "sales,t,,,20,q.agi"}, ""),
        ("Setvar", {"Channel": "x", "Variable": "DB(CF/100)", "Value": "0612345678"}, ""),
        ("Getvar", {"Variable": "DB(CF/100)"}, ""),
        ("Status", {"Variables": "CHANNEL(peer),CDR(dst)"}, ""),
        ("AGI", {"Command": "GET VARIABLE DEVICE_STATE(PJSIP/carrier)"}, ""),
        ("MixMonitor", {"Command": "/usr/bin/lame -b 16 ^{MIXMONITOR_FILENAME} /x.mp3"}, ""),
        ("DBPut", {"Family": "CF", "Key": "registrar"}, ""),
        ("Command", {"Command": "core show function SHELL"}, ""),
        ("Command", {"Command": "database put CF 100 0612345678"}, ""),
        ("Command", {"Command": "mixmonitor start PJSIP/1001-00000001 x.wav"}, ""),
    ],
)
def test_what_would_call_by_way_of_a_program_a_file_or_a_registration(
    action: str, headers: dict[str, str], expected: str
) -> None:
    if action == "Originate":
        headers = {"Channel": "Local/1001@agents", **headers}
    assert said(demand(action, **headers)) == expected


def test_who_may_change_the_dialplan_may_do_as_much_in_other_ways() -> None:
    assert said(demand("DBPut", leave=True, Family="registrar", Key="contact/1")) == ""
    assert said(demand("Getvar", leave=True, Variable="SHELL(uptime)")) == ""
    assert said(demand("MixMonitor", leave=True, Command="a | b")) == ""
