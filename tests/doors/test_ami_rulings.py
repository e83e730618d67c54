"""What becomes of AMI requests, over a real gate and ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.gate.test_overrides import ended, let_go
from tests.gate.world import CONFIG, DIALLED, OTHER, World, settled

from dialwarden.doors.ami_rulings import Refuse, Relay, Rulings
from dialwarden.errors import LedgerUnavailable
from dialwarden.gate.gate import Gate
from dialwarden.gate.verdicts import Answer
from dialwarden.question import Question
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.sections import Gateway
from dialwarden.verdict import Rule
from dialwarden.wire.ami_request import AmiRequest

CARRIER = f"PJSIP/{DIALLED}@carrier"
ELSEWHERE = f"PJSIP/{OTHER}@carrier"
ITALIAN = """
[campaigns.italy]
professional = "italy"
policy = "none"
region = "IT"
"""


@dataclass(frozen=True)
class Trunk:
    name: str
    channel: str
    dial: tuple[str, ...]
    strip: str = ""


TRUNKS = {
    "carrier": Trunk(
        "carrier",
        "PJSIP/carrier",
        ("PJSIP/{number}@carrier", "PJSIP/carrier/sip:{number}@{rest}"),
        "9",
    ),
    "backup": Trunk("backup", "PJSIP/backup", ("PJSIP/{number}@backup",)),
    "loop": Trunk("loop", "PJSIP/loop", ("Local/{number}@out",)),
}


@dataclass
class Desk:
    """Rulings before a gate, and the requests of a dialer called vicidial."""

    world: World
    campaigns: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"ViciDial": ("capped", "free")}
    )
    dialplan: tuple[str, ...] = ()
    calls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trunks = compile_trunks(TRUNKS)
        self.rulings = Rulings(
            self.world.gate,
            trunks=lambda: trunks,
            settings=lambda: Gateway(campaigns=self.campaigns, dialplan_users=self.dialplan),
            aliases=lambda: {"ring": "channel originate"},
            linkedid_of=lambda channel: self.calls.get(channel, ""),
        )

    async def rule(
        self, action: str, *headers: tuple[str, str], user: str = "vicidial", **more: str
    ) -> Relay | Refuse:
        request = AmiRequest((("Action", action), *headers, *more.items()))
        return await self.rulings.rule(request, user=user, peer="10.0.0.5")

    async def originate(self, channel: str = CARRIER, *headers: Any, **more: str) -> Relay | Refuse:
        return await self.rule("Originate", ("Channel", channel), *headers, **more)

    async def rules(self, *args: Any, **more: Any) -> str:
        """The rule by which an Originate is refused; "" when it is relayed."""
        return rule_of(await self.originate(*args, **more))


def rule_of(ruling: Relay | Refuse) -> str:
    return ruling.rule if isinstance(ruling, Refuse) else ""


def relayed(ruling: Relay | Refuse) -> AmiRequest:
    assert isinstance(ruling, Relay), ruling
    return ruling.request


@pytest.fixture
def gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call of this on, the ledger answers nothing."""

    def refuse(*_: object) -> None:
        raise LedgerUnavailable("ledger.db", "is gone")

    async def fail(*_: object, **__: object) -> None:
        refuse()

    def go() -> None:
        monkeypatch.setattr(desk.world.ledger, "enqueue", refuse)
        monkeypatch.setattr(desk.world.ledger, "transact", fail)
        monkeypatch.setattr(desk.world.ledger, "read", fail)

    return go


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    world = await World.open(tmp_path, CONFIG + ITALIAN)
    yield Desk(world)
    await world.close()


# What is ours, and for which campaign.


async def test_a_call_to_a_trunk_is_reserved_under_an_id_of_its_own(desk: Desk) -> None:
    ruling = await desk.originate(CallerID='"Acme" <0123456789>')
    permit = relayed(ruling).get("ChannelId")
    assert permit.startswith("dw-")
    assert len(permit) == 27
    (attempt,) = desk.world.attempts()
    assert attempt["call"] == permit
    assert attempt["campaign"] == "capped"
    assert attempt["door"] == "gateway"
    assert attempt["asked_by"] == "vicidial@10.0.0.5"
    assert attempt["number"] == "+33612345678"


async def test_two_calls_never_share_an_id(desk: Desk) -> None:
    ids = {relayed(await desk.originate()).get("ChannelId") for _ in range(2)}
    assert len(ids) == 2


async def test_what_is_relayed_is_what_came_but_for_the_id(desk: Desk) -> None:
    headers = (("Variable", "A=1"), ("X-Own", "y"), ("variable", 'B="x, y"'), ("Async", "true"))
    request = relayed(await desk.originate(CARRIER, *headers))
    assert request.headers[:-1] == (("Action", "Originate"), ("Channel", CARRIER), *headers)
    assert request.headers[-1][0] == "ChannelId"


async def test_the_clients_own_id_becomes_the_permit(desk: Desk) -> None:
    assert relayed(await desk.originate(ChannelId="mine-1")).get("ChannelId") == "mine-1"
    assert desk.world.attempts()[0]["call"] == "mine-1"


async def test_a_call_that_stays_inside_is_relayed_and_counts_nothing(desk: Desk) -> None:
    for channel in ("PJSIP/1001", "Local/0612345678@agents", "PJSIP/carrier-2/0612345678"):
        request = relayed(await desk.originate(channel))
        assert request.get("ChannelId") == ""
    assert desk.world.attempts() == []


async def test_a_refused_call_is_not_relayed_and_says_why(desk: Desk) -> None:
    for _ in range(2):
        assert await desk.rules() == ""
    ruling = await desk.originate()
    assert isinstance(ruling, Refuse)
    assert ruling.rule == "frequency"
    assert ruling.reason.startswith("attempts for acme within 1 day: 2 (limit 2)")
    assert len(desk.world.refusals()) == 1


@pytest.mark.parametrize(
    ("channel", "rule"),
    [
        ("PJSIP/carrier", "number"),
        ("PJSIP/carrier/sip:@1.2.3.4", "number"),
        ("PJSIP/06@carrier", "number"),
        ("PJSIP/0612345678x12@carrier", "number"),
        ("PJSIP/${X}@carrier", "number"),
        (f"PJSIP/{'0' * 260}@carrier", "number"),
    ],
)
async def test_ours_but_unreadable_is_refused_and_recorded(
    desk: Desk, channel: str, rule: str
) -> None:
    assert await desk.rules(channel) == rule
    await settled(desk.world)
    assert [refusal["rules"] for refusal in desk.world.refusals()] == [rule]
    assert desk.world.attempts() == []


async def test_an_address_elsewhere_is_judged_only_if_it_is_a_number(desk: Desk) -> None:
    assert relayed(await desk.originate("PJSIP/1001/sip:lobby@10.0.0.9")).get("ChannelId") == ""
    assert desk.world.attempts() == []
    judged = relayed(await desk.originate(f"PJSIP/1001/sip:{DIALLED}@10.0.0.9"))
    assert judged.get("ChannelId").startswith("dw-")
    assert len(desk.world.attempts()) == 1


async def test_a_template_within_the_dialplan_is_judged_only_if_it_is_a_number(desk: Desk) -> None:
    assert relayed(await desk.originate("Local/700@out")).get("ChannelId") == ""
    assert relayed(await desk.originate(f"Local/{DIALLED}@out/n")).get("ChannelId")
    assert len(desk.world.attempts()) == 1


@pytest.mark.parametrize(
    ("variable", "user", "rule", "campaign"),
    [
        ("A=1", "vicidial", "", "capped"),
        ("A=1", "VICIDIAL", "", "capped"),
        ("DIALWARDEN_CAMPAIGN=free", "vicidial", "", "free"),
        ("__DIALWARDEN_CAMPAIGN=free,A=1", "vicidial", "", "free"),
        ("DIALWARDEN_CAMPAIGN=", "vicidial", "", "capped"),
        ("DIALWARDEN_CAMPAIGN=rival", "vicidial", "campaign", ""),
        ("DIALWARDEN_CAMPAIGN=free ", "vicidial", "campaign", ""),
        ("DIALWARDEN_CAMPAIGN=free", "somebody", "campaign", ""),
        ("A=1", "somebody", "campaign", ""),  # no default is configured
    ],
)
async def test_a_user_calls_for_its_own_campaigns(
    desk: Desk, variable: str, user: str, rule: str, campaign: str
) -> None:
    ruling = await desk.originate(CARRIER, Variable=variable, user=user)
    assert rule_of(ruling) == rule
    assert [attempt["campaign"] for attempt in desk.world.attempts()] == [campaign] * (not rule)
    await settled(desk.world)
    assert len(desk.world.refusals()) == bool(rule)


async def test_variables_of_ours_do_not_get_to_asterisk(desk: Desk) -> None:
    value = "A=1,DIALWARDEN_VERDICT=ALLOW,DIALWARDEN_CAMPAIGN=free"
    request = relayed(await desk.originate(CARRIER, Variable=value))
    assert request.all("Variable") == ("A=1,DIALWARDEN_CAMPAIGN=free",)
    inside = relayed(await desk.originate("PJSIP/1001", Variable="DIALWARDEN_VERDICT=ALLOW"))
    assert inside.all("Variable") == ()


async def test_a_variable_that_cannot_surely_be_taken_out_is_refused(desk: Desk) -> None:
    assert await desk.rules("PJSIP/1001", Variable="ARRAY(DIALWARDEN_VERDICT)=ALLOW") == "bypass"


async def test_an_unlisted_campaign_goes_nowhere_inside_either(desk: Desk) -> None:
    assert await desk.rules("Local/1@out", Variable="DIALWARDEN_CAMPAIGN=rival") == "campaign"


# Several destinations.


async def test_every_destination_is_judged_under_one_id(desk: Desk) -> None:
    ruling = await desk.originate(CARRIER, Application="Dial", Data=f"PJSIP/1001&{ELSEWHERE}")
    permit = relayed(ruling).get("ChannelId")
    assert sorted(str(attempt["number"]) for attempt in desk.world.attempts()) == [
        "+33612345678",
        "+33687654321",
    ]
    assert {attempt["call"] for attempt in desk.world.attempts()} == {permit}
    assert isinstance(ruling, Relay)
    assert len(ruling.answers) == 2


async def test_one_refusal_takes_the_others_back(desk: Desk) -> None:
    for _ in range(2):
        await desk.world.ask(OTHER)
    ruling = await desk.originate(CARRIER, Application="Dial", Data=ELSEWHERE)
    assert rule_of(ruling) == "frequency"
    await settled(desk.world)
    assert [a["number"] for a in desk.world.counted()] == ["+33687654321"] * 2


@pytest.mark.parametrize("other", [f"PJSIP/{DIALLED}@backup", "PJSIP/+33612345678@backup"])
async def test_the_same_number_is_not_dialled_twice_at_once(desk: Desk, other: str) -> None:
    """However it is written: the second would ring beside the first, for one attempt."""
    ruling = await desk.originate("PJSIP/1001", Application="Dial", Data=f"{CARRIER}&{other}")
    assert rule_of(ruling) == "frequency"
    assert isinstance(ruling, Refuse)
    assert "twice at once" in ruling.reason
    await settled(desk.world)
    assert desk.world.attempts() == []
    assert len(desk.world.refusals()) == 1


async def test_what_was_reserved_can_be_taken_back(desk: Desk) -> None:
    ruling = await desk.originate()
    assert isinstance(ruling, Relay)
    desk.rulings.take_back(ruling, "Asterisk answered with an error")
    await settled(desk.world)
    assert desk.world.counted() == []


async def test_who_stops_waiting_leaves_nothing_reserved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []
    reached, ask = asyncio.Event(), Gate.ask

    async def slow(gate: Gate, question: Question) -> Answer:
        asked.append(question)
        if len(asked) == 2:
            reached.set()
            await asyncio.Event().wait()
        return await ask(gate, question)

    monkeypatch.setattr(Gate, "ask", slow)
    ruling = asyncio.create_task(desk.originate(CARRIER, Application="Dial", Data=ELSEWHERE))
    await reached.wait()
    ruling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ruling
    await settled(desk.world)
    assert len(desk.world.attempts()) == 1
    assert desk.world.counted() == []


# Ids of other calls.


@pytest.mark.parametrize("channel", [ELSEWHERE, "PJSIP/1001"])
@pytest.mark.parametrize(
    "ids",
    [
        {"ChannelId": "taken-1"},
        {"ChannelId": "taken-1;2"},
        {"ChannelId": "fresh", "OtherChannelId": "taken-1"},
        {"OtherChannelId": "taken-1;1"},
        {"ChannelId": "half"},  # of half;2
    ],
)
async def test_the_id_of_another_call_is_refused(
    desk: Desk, channel: str, ids: dict[str, str]
) -> None:
    for taken in ("taken-1", "half;2"):
        assert await desk.rules(ChannelId=taken) == ""
    ruling = await desk.originate(channel, **ids)
    assert rule_of(ruling) == "bypass"
    assert isinstance(ruling, Refuse)
    assert "belongs to another call" in ruling.reason
    await settled(desk.world)
    assert [refusal["rules"] for refusal in desk.world.refusals()] == ["bypass"]
    assert len(desk.world.counted()) == 2


async def test_a_second_id_of_the_clients_own_stays(desk: Desk) -> None:
    request = relayed(await desk.originate(ChannelId="a", OtherChannelId="b"))
    assert (request.get("ChannelId"), request.get("OtherChannelId")) == ("a", "b")


# Emergency and exempt numbers.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Variable": "DIALWARDEN_CAMPAIGN=rival"},
        {"Variable": "DIALWARDEN_CAMPAIGN=nowhere,A=1"},
        {"Variable": "ARRAY(DIALWARDEN_VERDICT)=ALLOW"},
        {"ChannelId": "some-id"},
        {"ChannelId": "taken-1"},
        {"user": "nobody"},
    ],
)
@pytest.mark.parametrize("channel", ["PJSIP/112@carrier", "PJSIP/9112@carrier", "Local/112@out"])
async def test_an_emergency_call_passes_whatever_else_is_wrong(
    desk: Desk, gone: Callable[[], None], channel: str, headers: dict[str, str]
) -> None:
    assert await desk.rules(ChannelId="taken-1") == ""
    gone()
    request = relayed(await desk.originate(channel, **headers))
    assert request.get("Channel") == channel
    assert not any("DIALWARDEN" in value for value in request.all("Variable"))


async def test_an_emergency_call_may_ring_two_trunks(desk: Desk) -> None:
    data = "PJSIP/112@carrier&PJSIP/112@backup"
    assert await desk.rules("PJSIP/1001", Application="Dial", Data=data) == ""


async def test_an_agent_who_asks_the_dialplan_for_112_passes_with_the_ledger_gone(
    desk: Desk, gone: Callable[[], None]
) -> None:
    gone()
    headers = {"Exten": "112", "Context": "out", "Priority": "1", "ChannelId": "some-id"}
    assert await desk.rules("PJSIP/1001", **headers) == ""
    assert await desk.rules("PJSIP/1001", **{**headers, "Exten": "1120"}) == "unavailable"


async def test_an_emergency_number_hides_no_other_call(desk: Desk) -> None:
    data = f"x {CARRIER}"
    assert await desk.rules("PJSIP/112@carrier", Application="System", Data=data) == "bypass"


async def test_an_emergency_command_passes_with_the_ledger_gone(
    desk: Desk, gone: Callable[[], None]
) -> None:
    gone()
    line = "channel originate PJSIP/112@carrier application Wait 60"
    assert rule_of(await desk.rule("Command", Command=line)) == ""
    dial = "EXEC Dial PJSIP/112@carrier"
    assert rule_of(await desk.rule("AGI", Channel="PJSIP/x-1", Command=dial)) == ""


DIALS_112 = [
    *(
        ("Originate", {"Channel": "Local/1001@agents", "Application": name, "Data": data})
        for name, data in [
            ("Dial", "PJSIP/112@carrier,30"),
            ("RetryDial", "beep,1,0,PJSIP/112@carrier,30"),
            ("Page", "PJSIP/112@carrier"),
            ("Originate", "PJSIP/112@carrier,app,Wait,60"),
            ("Exec", "Dial(PJSIP/112@carrier,30)"),
            ("Exec", "Dial(PJSIP/112@carrier,${SECONDS})"),
            ("ExecIf", "1?Dial(PJSIP/112@carrier)"),
        ]
    ),
    ("Originate", {"Channel": "PJSIP/112@carrier", "Variable": "FILE(/x)=y"}),
    ("Originate", {"Channel": "PJSIP/1001", "Exten": "112", "Variable": "MONITOR_EXEC=x"}),
    ("Originate", {"Channel": "PJSIP/carrier/sip:%31%31%32@10.0.0.9"}),
    ("Command", {"Command": "ring PJSIP/112@carrier application Wait 60"}),
    ("Command", {"Command": "channel originate Local/1@a application Dial PJSIP/112@carrier"}),
    ("Command", {"Command": "channel redirect PJSIP/1001-1 out,112,1"}),
    ("Command", {"Command": "queue add member PJSIP/112@carrier to night"}),
    ("Command", {"Command": 'agi exec PJSIP/1001-1 "EXEC Dial PJSIP/112@carrier"'}),
    ("AGI", {"Channel": "PJSIP/1001-1", "Command": "EXEC Dial PJSIP/112@carrier"}),
    ("Redirect", {"Channel": "PJSIP/1001-1", "Exten": "112"}),
    ("Redirect", {"Channel": "PJSIP/1001-1", "Exten": "s", "ExtraExten": "9112"}),
    ("BlindTransfer", {"Channel": "PJSIP/1001-1", "Exten": "112"}),
    ("Atxfer", {"Channel": "PJSIP/1001-1", "Exten": "112"}),
    ("QueueAdd", {"Queue": "night", "Interface": "PJSIP/112@carrier"}),
    ("Park", {"Channel": "PJSIP/1001-1", "TimeoutChannel": "PJSIP/112@carrier-00000001"}),
    ("DAHDIDialOffhook", {"DAHDIChannel": "1", "Number": "112"}),
]


@pytest.mark.parametrize(("action", "headers"), DIALS_112)
async def test_every_action_that_dials_112_passes_with_the_ledger_gone(
    desk: Desk, gone: Callable[[], None], action: str, headers: dict[str, str]
) -> None:
    gone()
    request = relayed(await desk.rule(action, user="nobody", **headers))
    assert not request.get("Variable")


async def test_exempt_patterns_pass_uncounted(desk: Desk) -> None:
    assert await desk.rules("PJSIP/3949@carrier", user="nobody") == ""
    assert desk.world.attempts() == []


# Other actions.


@pytest.mark.parametrize(
    "line",
    [
        f"channel originate {CARRIER} application Wait 5",
        f"ring {CARRIER} application Wait 5",
        f"originate {CARRIER} extension 100@default",
    ],
)
async def test_a_console_line_that_originates_is_judged(desk: Desk, line: str) -> None:
    for _ in range(2):
        request = relayed(await desk.rule("Command", Command=line))
        assert request.headers == (("Action", "Command"), ("Command", line))
    assert rule_of(await desk.rule("Command", Command=line)) == "frequency"
    calls = [str(attempt["call"]) for attempt in desk.world.attempts()]
    assert len(set(calls)) == 2
    assert all(call.startswith("dw-unbound-") for call in calls)


async def test_a_line_that_changes_the_dialplan_needs_leave(desk: Desk) -> None:
    line = "dialplan set global OUT PJSIP/carrier"
    assert rule_of(await desk.rule("Command", Command=line)) == "bypass"
    desk.dialplan = ("VICIdial",)
    assert rule_of(await desk.rule("Command", Command=line)) == ""
    assert rule_of(await desk.rule("UpdateConfig")) == ""


async def test_a_dial_on_a_call_counts_for_that_call(desk: Desk) -> None:
    desk.calls["PJSIP/1001-00000001"] = "1700000000.7"
    headers = {"Channel": "PJSIP/1001-00000001", "Command": f"EXEC Dial {CARRIER}"}
    assert rule_of(await desk.rule("AGI", **headers)) == ""
    assert [attempt["call"] for attempt in desk.world.attempts()] == ["1700000000.7"]


async def test_a_dial_on_a_call_that_is_not_known_is_refused(desk: Desk) -> None:
    headers = {"Channel": "PJSIP/1001-00000001", "Command": f"EXEC Dial {CARRIER}"}
    assert rule_of(await desk.rule("AGI", **headers)) == "unavailable"
    await settled(desk.world)
    assert [refusal["rules"] for refusal in desk.world.refusals()] == ["unavailable"]


async def test_a_transfer_is_only_looked_at(desk: Desk) -> None:
    headers = {"Channel": "PJSIP/1001-1", "Context": "out", "Priority": "1"}
    for _ in range(3):
        assert rule_of(await desk.rule("Redirect", Exten=DIALLED, **headers)) == ""
    assert desk.world.attempts() == []
    for _ in range(2):
        await desk.world.ask(DIALLED)
    assert rule_of(await desk.rule("Redirect", Exten=DIALLED, **headers)) == "frequency"
    assert rule_of(await desk.rule("Atxfer", Exten=f"9{DIALLED}", **headers)) == "frequency"
    assert rule_of(await desk.rule("BlindTransfer", Exten="112", **headers)) == ""


@pytest.mark.parametrize("exten", ["s", "700", "8600051", "1001", "*61"])
async def test_a_transfer_inside_is_nobodys_business(
    desk: Desk, gone: Callable[[], None], exten: str
) -> None:
    """Also where such a number would be a possible one: 8600051 is a conference in a dialer."""
    gone()
    assert rule_of(await desk.rule("Redirect", Exten=exten, Context="x", Priority="1")) == ""


async def test_a_member_of_a_queue_is_looked_at(desk: Desk) -> None:
    assert rule_of(await desk.rule("QueueAdd", Queue="q", Interface=CARRIER)) == ""
    assert rule_of(await desk.rule("QueueAdd", Queue="q", Interface="PJSIP/carrier")) == "number"
    assert desk.world.attempts() == []


async def test_what_dials_nothing_does_not_concern_us(desk: Desk) -> None:
    concerned = ("Originate", "ORIGINATE", "command", "Setvar", "AGI")
    others = ("Ping", "Status2", "QueueStatus", "Hangup", "", "Originate ")
    concerns = desk.rulings.concerns
    assert all(concerns(AmiRequest((("Action", name),))) for name in concerned)
    assert not any(concerns(AmiRequest((("Action", name),))) for name in others)


# Failing.


async def test_with_the_ledger_gone_nothing_leaves(desk: Desk, gone: Callable[[], None]) -> None:
    gone()
    assert await desk.rules() == "unavailable"
    assert await desk.rules("PJSIP/1001", ChannelId="x") == "unavailable"
    assert await desk.rules("PJSIP/1001") == ""  # of that nothing has to be known


async def test_what_raises_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("dialwarden.doors.ami_rulings.demand_of", fail)
    assert await desk.rules() == "unavailable"


async def test_a_message_too_full_for_an_id_is_refused(desk: Desk) -> None:
    filler = [(f"X-{n}", "1") for n in range(126)]
    assert await desk.rules(CARRIER, *filler) == "unavailable"
    assert await desk.rules(CARRIER, *filler[1:]) == ""
    assert len(desk.world.attempts()) == 1


async def test_in_shadow_mode_a_refused_call_is_relayed_and_counted(desk: Desk) -> None:
    desk.campaigns = {"vicidial": ("shadow",)}
    for _ in range(2):
        assert relayed(await desk.originate()).get("ChannelId").startswith("dw-")
    assert len(desk.world.attempts()) == 2
    assert len(desk.world.refusals()) == 1


async def test_under_an_override_a_refused_call_is_relayed_and_counted(desk: Desk) -> None:
    assert [await desk.rules() for _ in range(3)] == ["", "", "frequency"]
    desk.world.elsewhere(let_go("capped", "frequency"))
    assert relayed(await desk.originate()).get("ChannelId").startswith("dw-")
    assert [row["enforced"] for row in desk.world.attempts()] == [True, True, False]
    desk.world.elsewhere(ended(1))
    assert await desk.rules() == "frequency"


async def test_an_id_of_another_call_is_refused_under_any_override(desk: Desk) -> None:
    first = relayed(await desk.originate()).get("ChannelId")
    desk.world.elsewhere(let_go("capped", *Rule))
    assert await desk.rules(ELSEWHERE, ("ChannelId", first)) == "bypass"
