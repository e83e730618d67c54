"""Wazo's outgoing calls with dialwarden in front of its trunks, driven by a user's phone.

The dialplan has the shape of Wazo 26: extensions.conf and extensions.d as wazo-asterisk-config
ships them, contexts as wazo-confgend generates them, and of the library's outgoing calls every step
that sets something the hook reads, in its order. In place of wazo-agid answers a server that sets
what its OutgoingFeatures sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bench.fastagi import FastAgi, Session
from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.trunk import Inbound, Outcome, Trunk
from flavour import (
    CALLABLE,
    OPPOSED,
    OTHER,
    Flavoured,
    failed_checks,
    flavoured,
    readme_blocks,
    with_flavour,
)

pytestmark = pytest.mark.timeout(120)

MANIFEST = "wazo/install.toml"
CALL_REJECTED = 21
OUTCALL, CLOSED_OUTCALL, NEW_OUTCALL = "5", "6", "7"

EXTENSIONS = """
; This file is part of the Wazo packaging and should not be modified.
#include extensions.d/*.conf
"""

# xivo_globals.conf and the generated contexts stand where 01-wazo.conf includes them.
EXTENSIONS_D = """
[general]
static = yes
writeprotect = yes

[globals]
AGISIGHUP = no
WAZO_AGID_IP = 127.0.0.1:4573
XIVO_PRESUBR_GLOBAL_ENABLE = 1
XIVO_PRESUBR_GLOBAL_OUTCALL = xivo-subrgbl-outcall

[default-key-internal]
include = default-key-outcall
exten = i,1,Playback(no-user-find)
same  =   n,Hangup()

[default-key-outcall]
exten = _0X.,1,Set(__WAZO_BASE_CONTEXT=${CONTEXT})
same  =      n,Set(__XIVO_BASE_EXTEN=${EXTEN})
same  =      n,GoSub(contextlib,entry-exten-context,1)
same  =      n,GoSub(outcall,s,1(11,))

#include extensions_extra.d/*
#include dialplan/*
"""

# What an admin adds, as the README has it.
INCLUDES, OWN_SUBROUTINE, CAMPAIGNS = readme_blocks("wazo")

EXTRA = f"""
{CAMPAIGNS}
exten = 6,1,Return(closed-paris)

; a preprocess subroutine of an admin's
[says-campaign]
exten = s,1,Set(DIALWARDEN_CAMPAIGN=energy-paris)
same  =   n,Return()
"""

_OPTIONS = "${WAZO_HANGUPRINGTIME},o(${XIVO_BASE_EXTEN})${WAZO_CALLOPTIONS}"
LIBRARY = """
[contextlib]
exten = entry-exten-context,1,GotoIf($[${EXISTS(${WAZO_ENTRY_CONTEXT})}]?return:)
same  = n,Set(__WAZO_ENTRY_CONTEXT=${WAZO_BASE_CONTEXT})
same  = n,Set(__WAZO_ENTRY_EXTEN=${XIVO_BASE_EXTEN})
same  = n(return),Return

[outcall]
exten = s,1,Set(WAZO_DSTID=${ARG1})
same  =   n,Set(WAZO_PRESUBR_GLOBAL_NAME=OUTCALL)
same  =   n,Set(WAZO_SRCNUM=${CALLERID(num)})
same  =   n,Set(WAZO_DSTNUM=${XIVO_BASE_EXTEN})
same  =   n,Set(WAZO_CONTEXT=${WAZO_BASE_CONTEXT})
same  =   n,Set(__WAZO_CALL_DIRECTION=outbound)
same  =   n,AGI(agi://${WAZO_AGID_IP}/outgoing_user_set_features)
same  =   n,GoSub(wazo-subroutine,s,1(${WAZO_OUTCALLPREPROCESS_SUBROUTINE}))
same  =   n,Gosub(wazo-user_permission_check,s,1)
same  =   n,AGI(agi://${WAZO_AGID_IP}/check_schedule)
same  =   n,GotoIf($["${WAZO_SCHEDULE_STATUS}" = "closed"]?CLOSED,1)
same  =   n(postschedule),AGI(agi://${WAZO_AGID_IP}/record_caller)
same  =   n,GotoIf(${WAZO_INTERFACE0}?:error,1)
same  =   n,Gosub(wazo-schedule-pre-dial-hooks,s,1)
same  =   n,Set(TRUNKINDEX=0)
same  =   n,Goto(dial,1)
exten = dial,1,Set(INTERFACE=${WAZO_INTERFACE${TRUNKINDEX}})
same  =      n,Set(TRUNKEXTEN=${WAZO_TRUNKEXTEN${TRUNKINDEX}})
same  =      n,Set(TRUNKSUFFIX=${WAZO_TRUNKSUFFIX${TRUNKINDEX}})
same  =      n,AGI(agi://${WAZO_AGID_IP}/format_and_set_outgoing_caller_id)
same  =      n,Gosub(wazo-global-subroutine,s,1)
same  =      n,CELGenUserEvent(XIVO_OUTCALL)
same  =      n,Set(CONNECTEDLINE(num,i)=${XIVO_BASE_EXTEN})
same  =      n,Dial(${INTERFACE}/${TRUNKEXTEN}${TRUNKSUFFIX},@OPTIONS@)
same  =      n,Goto(${DIALSTATUS},1)
exten = ANSWER,1,Hangup()
exten = CANCEL,1,Hangup()
exten = NOANSWER,1,Hangup()
exten = BUSY,1,Playback(busy-call)
same  =      n,Hangup()
exten = CONGESTION,1,Goto(redial,1)
exten = CHANUNAVAIL,1,Goto(redial,1)
exten = CLOSED,1,Hangup()
exten = redial,1,Set(TRUNKINDEX=$[${TRUNKINDEX} + 1])
same  =        n,GotoIf(${WAZO_INTERFACE${TRUNKINDEX}}?dial,1)
same  =        n,Playback(congestion-call)
same  =        n,Hangup()
exten = error,1,Hangup()

[wazo-user_permission_check]
exten = s,1,AGI(agi://${WAZO_AGID_IP}/user_set_call_rights)
same  =   n,GotoIf($["${WAZO_AUTHORIZATION}" = "ALLOW"]?allow,1)
exten = allow,1,Return()

[wazo-global-subroutine]
exten = s,1,GotoIf(${XIVO_PRESUBR_GLOBAL_ENABLE}?:return)
same  =   n,GotoIf(${WAZO_PRESUBR_GLOBAL_NAME}?:return)
same  =   n,GotoIf(${XIVO_PRESUBR_GLOBAL_${WAZO_PRESUBR_GLOBAL_NAME}}?:return)
same  =   n,GotoIf(${VALID_EXTEN(${XIVO_PRESUBR_GLOBAL_${WAZO_PRESUBR_GLOBAL_NAME}},s)}?:return)
same  =   n,AGI(agi://${WAZO_AGID_IP}/pre_subroutine_compat)
same  =   n,Gosub(${XIVO_PRESUBR_GLOBAL_${WAZO_PRESUBR_GLOBAL_NAME}},s,1)
same  =   n,AGI(agi://${WAZO_AGID_IP}/post_subroutine_compat)
same  =   n(return),Return()

[wazo-subroutine]
exten  = s,1,GotoIf(${ARG1}?:nosubroutine)
same   =   n,GotoIf(${VALID_EXTEN(${ARG1},s)}?:nosubroutine)
same   =   n,AGI(agi://${WAZO_AGID_IP}/pre_subroutine_compat)
same   =   n,Gosub(${ARG1},s,1)
same   =   n,AGI(agi://${WAZO_AGID_IP}/post_subroutine_compat)
same   =   n(nosubroutine),Return()

[wazo-pre-dial-hooks]
exten = s,1,Return()

[wazo-schedule-pre-dial-hooks]
exten = s,1,AGI(agi://${WAZO_AGID_IP}/ignore_b_option)
same  =   n,GotoIf(${WAZO_PRE_DIAL_HANDLERS}?:done)
same  =   n,Set(WAZO_CALLOPTIONS=${WAZO_CALLOPTIONS}b(wazo-pre-dial-hooks^s^1))
same  =   n(done),Return()
""".replace("@OPTIONS@", _OPTIONS)

PHONE = """
[phone]
type=endpoint
transport=transport
aors=phone
context=default-key-internal
callerid="An agent" <1001>
disallow=all
allow=alaw
direct_media=no
[phone]
type=aor
"""


@dataclass
class Wazo:
    """Wazo around its Asterisk: a user's phone, and what wazo-agid knows of the outgoing call."""

    flavour: Flavoured
    phone: Trunk
    agid: FastAgi
    outcall: str = OUTCALL
    preprocess: str = ""
    caller_id: str = "0123456789"
    anonymous: str = ""

    def __post_init__(self) -> None:
        self.agid.scripts["outgoing_user_set_features"] = self._features
        self.agid.scripts["user_set_call_rights"] = lambda session: session.set(
            WAZO_AUTHORIZATION="ALLOW"
        )
        self.agid.scripts["check_schedule"] = lambda session: session.set(
            WAZO_SCHEDULE_STATUS="opened"
        )

    def _features(self, session: Session) -> None:
        """What OutgoingFeatures sets: a digit taken off, then each trunk in order."""
        number = session.get("WAZO_DSTNUM")[1:]
        session.set(WAZO_CALLOPTIONS="T")
        for index, trunk in enumerate(("carrier", "carrier-2")):
            session.set(
                **{
                    f"WAZO_INTERFACE{index}": "PJSIP",
                    f"WAZO_TRUNKEXTEN{index}": f"{number}@{trunk}",
                    f"WAZO_TRUNKSUFFIX{index}": "",
                }
            )
        if self.caller_id:
            session.set(**{"CALLERID(all)": self.caller_id})
        session.set(
            WAZO_OUTGOING_ANONYMOUS_CALL=self.anonymous,
            WAZO_OUTCALLPREPROCESS_SUBROUTINE=self.preprocess,
            WAZO_HANGUPRINGTIME="30",
            WAZO_OUTCALLID=self.outcall,
        )

    def user_dials(self, number: str) -> Inbound:
        """A user's phone dials a number behind the 0 for an outside line."""
        return self.phone.call(f"0{number}", self.flavour.pbx.sip_port, endpoint="phone")

    def originates(self, number: str, **variables: str) -> None:
        """A call originated with variables of a user's own, as over calld's API; it is refused."""
        call = self.flavour.pbx.dial(f"0{number}", "default-key-outcall", variables)
        assert self.flavour.pbx.wait_hangup(call) == CALL_REJECTED

    def is_refused(self, call: Inbound) -> bool:
        """Whether the phone is told that the call was rejected, and no carrier heard of it."""
        self.phone.wait(lambda: max(call.statuses, default=0) >= 300, what=f"a refusal of {call}")
        return call.answered_at is None and self.flavour.left() == []


@pytest.fixture(scope="module")
def running(
    asterisk_root: AsteriskRoot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Wazo]:
    carrier, backup, phone = Trunk(), Trunk(), Trunk()
    bridge_port = free_tcp_port()
    with FastAgi() as agid:
        product = {
            "extensions.conf": EXTENSIONS,
            "extensions.d/01-wazo.conf": EXTENSIONS_D.replace("4573", str(agid.port)),
            "extensions_extra.d/campaigns.conf": EXTRA,
            "dialplan/extensions_lib_outcall.conf": LIBRARY,
        }
        with (
            Pbx.start(
                asterisk_root,
                bridge_port=bridge_port,
                trunks={"carrier": carrier.port, "carrier-2": backup.port},
                pjsip=PHONE,
                modules=["app_celgenuserevent"],
                files=lambda _: with_flavour(MANIFEST, product, bridge_port),
            ) as pbx,
            flavoured(pbx, carrier, backup, tmp_path_factory.mktemp("wazo")) as flavour,
        ):
            yield Wazo(flavour, phone, agid)
    for trunk in (carrier, backup, phone):
        trunk.stop()


@pytest.fixture
def wazo(running: Wazo) -> Wazo:
    """Wazo without a call left over from the test before."""
    running.flavour.clear()
    running.phone.clear()
    running.agid.clear()
    return Wazo(running.flavour, running.phone, running.agid)


def test_the_checks_of_the_manifest_hold_once_it_is_installed(wazo: Wazo) -> None:
    assert failed_checks(MANIFEST, wazo.flavour.pbx) == []
    assert "already in use" not in wazo.flavour.pbx.log()


def test_the_install_puts_in_what_the_readme_says_to_put_in_by_hand() -> None:
    assert with_flavour(MANIFEST, {}, 4580)["extensions.d/dialwarden.conf"] == INCLUDES


def test_a_users_call_is_one_invite_and_one_attempt_of_its_outgoing_calls_campaign(
    wazo: Wazo,
) -> None:
    national = "0612345678"
    wazo.phone.wait_answered(wazo.user_dials(national))
    assert wazo.flavour.left() == [national]
    (attempt,) = wazo.flavour.attempts(CALLABLE)
    assert attempt["campaign"] == "energy-paris"
    assert attempt["caller_id"] == "0123456789"


def test_a_refused_call_leaves_by_no_trunk_and_the_phone_is_told(wazo: Wazo) -> None:
    since = wazo.flavour.pbx.ami.mark()
    with wazo.flavour.refusal() as refusal:
        call = wazo.user_dials(OPPOSED)
        assert wazo.is_refused(call)
    # Wazo's own "you are not allowed", before an answer, which would be paid for.
    wazo.flavour.pbx.ami.wait(lambda event: event["AppData"] == "noright,noanswer", since=since)
    assert call.statuses[-1] == 403
    assert refusal["rule"] == "opposition"


def test_an_outgoing_call_is_of_the_campaign_that_the_table_gives_its_id(wazo: Wazo) -> None:
    wazo.outcall = CLOSED_OUTCALL
    with wazo.flavour.refusal() as refusal:
        assert wazo.is_refused(wazo.user_dials(OTHER))
    assert refusal["rule"] == "holiday"


def test_an_outgoing_call_that_nobody_named_is_refused(wazo: Wazo) -> None:
    wazo.outcall = NEW_OUTCALL
    with wazo.flavour.refusal() as refusal:
        assert wazo.is_refused(wazo.user_dials(OTHER))
    assert refusal["rule"] == "campaign"


def test_a_preprocess_subroutine_may_say_the_campaign(wazo: Wazo) -> None:
    wazo.outcall, wazo.preprocess = NEW_OUTCALL, "says-campaign"
    wazo.phone.wait_answered(wazo.user_dials(OTHER))
    assert wazo.flavour.attempts(OTHER)[-1]["campaign"] == "energy-paris"


def test_asked_by_the_preprocess_subroutine_as_well_a_call_counts_once(wazo: Wazo) -> None:
    number = "33655555555"
    wazo.preprocess = "dialwarden-wazo"
    wazo.phone.wait_answered(wazo.user_dials(number))
    assert wazo.flavour.left() == [number]
    assert len(wazo.flavour.attempts(number)) == 1


def test_a_variable_that_a_user_sets_chooses_no_other_campaign_than_the_tables(wazo: Wazo) -> None:
    wazo.outcall = CLOSED_OUTCALL
    with wazo.flavour.refusal() as refusal:
        wazo.originates(OTHER, DIALWARDEN_CAMPAIGN="energy-paris")
    assert refusal["campaign"] == "closed-paris"
    assert wazo.flavour.left() == []


def test_a_user_who_switches_the_global_subroutine_off_is_asked_by_the_preprocess_subroutine(
    wazo: Wazo,
) -> None:
    wazo.preprocess = "dialwarden-wazo"
    with wazo.flavour.refusal() as refusal:
        wazo.originates(OPPOSED, XIVO_PRESUBR_GLOBAL_ENABLE="0")
    assert refusal["rule"] == "opposition"
    assert wazo.flavour.left() == []


def test_a_second_trunk_is_asked_for_again_and_counts_once(wazo: Wazo) -> None:
    number = "33698765432"
    wazo.flavour.carrier.on(number, Outcome.REJECT)
    wazo.phone.wait_answered(wazo.user_dials(number))
    assert [len(trunk.invites()) for trunk in (wazo.flavour.carrier, wazo.flavour.backup)] == [1, 1]
    assert len(wazo.flavour.attempts(number)) == 1


@pytest.mark.parametrize(
    "dialled", ["33612345678):UserEvent(BenchRan", "33612345678,112", "33612345678#"]
)
def test_what_is_no_number_is_refused_and_runs_nothing(wazo: Wazo, dialled: str) -> None:
    with wazo.flavour.refusal() as refusal:
        # Over AMI: a phone's INVITE with such a number does not get as far as the dialplan.
        call = wazo.flavour.pbx.dial(f"0{dialled}", "default-key-outcall")
        assert wazo.flavour.pbx.wait_hangup(call) == CALL_REJECTED
    assert refusal["rule"] == "number"
    assert wazo.flavour.left() == []
    assert wazo.flavour.pbx.ami.events(lambda event: event["UserEvent"] == "BenchRan") == []


def test_a_withheld_number_is_said_to_be_withheld(wazo: Wazo) -> None:
    number = "33633333333"
    wazo.anonymous = "1"
    wazo.phone.wait_answered(wazo.user_dials(number))
    (attempt,) = wazo.flavour.attempts(number)
    assert attempt["caller_id"] == "anonymous"


def test_a_users_internal_number_is_no_caller_id(wazo: Wazo) -> None:
    number = "33644444444"
    wazo.caller_id = ""
    wazo.phone.wait_answered(wazo.user_dials(number))
    (attempt,) = wazo.flavour.attempts(number)
    assert not attempt["caller_id"]


def test_with_the_bridge_dead_only_an_emergency_call_leaves(wazo: Wazo) -> None:
    with wazo.flavour.dead():
        assert wazo.is_refused(wazo.user_dials(CALLABLE))
        wazo.user_dials("112")
        wazo.flavour.carrier.wait_invite("112")


def test_a_subroutine_of_an_admins_own_hides_ours_and_the_check_says_so(wazo: Wazo) -> None:
    with own_subroutine(wazo.flavour.pbx, "[xivo-subrgbl-outcall]\nexten = s,1,Return()\n"):
        assert any(
            "xivo-subrgbl-outcall" in said for said in failed_checks(MANIFEST, wazo.flavour.pbx)
        )


def test_a_subroutine_of_an_admins_own_that_begins_with_our_line_asks(wazo: Wazo) -> None:
    with own_subroutine(wazo.flavour.pbx, OWN_SUBROUTINE):
        assert failed_checks(MANIFEST, wazo.flavour.pbx) == []
        assert wazo.is_refused(wazo.user_dials(OPPOSED))
        wazo.phone.wait_answered(wazo.user_dials(CALLABLE))


@contextmanager
def own_subroutine(pbx: Pbx, text: str) -> Iterator[None]:
    """While an admin's own file has this in it."""
    file = pbx.directory / "etc" / "extensions_extra.d" / "own.conf"
    file.write_text(text)
    pbx.cli("dialplan reload")
    try:
        yield
    finally:
        file.unlink()
        pbx.cli("dialplan reload")
