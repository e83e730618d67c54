"""The ways to make an Asterisk call a number, each by name: through an AMI port, and past it.

A way only sets the call off. Whether an INVITE came of it, and whether one should, is asked by
`test_ways`; that each of them does send one where nobody is in between is tested there as well.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bench import exchange
from bench.configuration import AMI_SECRET
from bench.pbx import Call, Pbx
from bench.trunk import Invite, Outcome, Trunk
from client import Headers, RawClient

SIGNIFICANT = 9  # digits at the end of a number that tell it from all others here


# What the ways came to: (Asterisk, way) to the INVITEs and the ms from each to its CANCEL.
Seen = dict[tuple[str, str], tuple[int, list[float]]]
SEEN = pytest.StashKey[Seen]()


@dataclass(frozen=True)
class Exchange:
    """A call centre's Asterisk with all that is in `bench.exchange`, and who is around it."""

    pbx: Pbx
    carrier: Trunk
    agent: Trunk
    redirecting: Trunk

    def hang_up_all(self) -> None:
        """End every call, the agent's first: Asterisk 16 dies of a hang-up amid his transfer."""
        ours = [one for one in self.agent.invites() if one.answered_at and not one.ended_at]
        for invite in ours:
            self.agent.hang_up(invite)
        self.agent.wait(lambda: all(one.closed_at for one in ours), what="an agent's hang-up")
        self.pbx.hang_up_all()

    @property
    def version(self) -> str:
        """22.10.1, say."""
        return re.sub(r"[^\d.].*", "", self.pbx.root.version.removeprefix("Asterisk "))


class By(enum.Enum):
    """Who stops a call that may not be made."""

    GATEWAY = "the gateway: Asterisk is not asked"
    DIALPLAN = "the dialplan, which asks before it dials"
    GUARD = "the guard: the call has left, and is cancelled"


class Allowed(enum.Enum):
    """What becomes of the same to a number that may be called."""

    ONCE = "is called once and counted once"
    REFUSED = "is refused as well: what was asked cannot be judged, or is never permitted"
    CAUGHT = "is called without anybody having asked, and caught"


@dataclass(frozen=True)
class Scene:
    """What a way has to work with: `client` is the dialer, at Asterisk's port or the gateway's."""

    pbx: Pbx
    client: RawClient
    carrier: Trunk
    agent: Trunk
    number: str  # E.164 without its +, a French one
    other: str  # another one, which may be called

    @property
    def national(self) -> str:
        """The number as it is dialled within France."""
        return f"0{self.number.removeprefix('33')}"

    @property
    def host(self) -> str:
        """Where the carrier is, for a URI."""
        return f"127.0.0.1:{self.carrier.port}"

    def reached(self) -> list[Invite]:
        """The INVITEs for the number that the carrier got, in whatever form."""
        return [
            invite
            for invite in self.carrier.invites()
            if _digits(invite.number.partition(";")[0]).endswith(self.number[-SIGNIFICANT:])
        ]

    def wait_reached(self) -> None:
        """Wait for one of them."""
        self.carrier.wait(self.reached, what=f"an INVITE for {self.number}")

    def filled(self, template: str) -> str:
        """A template with the number in it."""
        return template.format(
            n=self.number, nat=self.national, other=self.other, host=self.host,
            dots=".".join(f"0{self.number.removeprefix('33')}"[i : i + 2] for i in range(0, 10, 2)),
            coded="".join(f"%{ord(digit):02x}" for digit in self.number),
        )  # fmt: skip

    def live(self, context: str = "quiet") -> Call:
        """Somebody on the line, in that context."""
        call = self.pbx.dial("s", context)
        self.pbx.wait_application(call, "AGI" if context == "waits-for-agi" else "Wait")
        return call

    def agent_in_conversation(self) -> Call:
        """An agent on his telephone, with somebody whom he may transfer."""
        call = self.pbx.originate("PJSIP/agent", Context="talk", Exten="s", Priority="1")
        self.pbx.wait_bridged(call)
        return call


SetOff = Callable[[Scene], Headers | None]


@dataclass(frozen=True)
class Way:
    """`set_off` returns the response to the action that decides, None where there is none."""

    name: str
    by: By
    allowed: Allowed
    set_off: SetOff

    def __str__(self) -> str:
        return self.name


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


# Through the AMI ------------------------------------------------------------------------------


def originate(scene: Scene, channel: str, *more: tuple[str, str], sync: bool = False) -> Headers:
    """An Originate as a dialer writes it; waits where it does not say what else."""
    given = {name for name, _ in more}
    waits = () if {"Application", "Context"} & given else (("Application", "Wait"), ("Data", "60"))
    return scene.client.action(
        ("Action", "Originate"),
        ("Channel", channel),
        *waits,
        *(() if sync else (("Async", "true"),)),
        *more,
    )


def _channel(template: str, *, sync: bool = False) -> SetOff:
    return lambda scene: originate(scene, scene.filled(template), sync=sync)


def _application(name: str, data: str, *more: tuple[str, str]) -> SetOff:
    """Somebody who answers within the PBX runs an application that dials."""

    def set_off(scene: Scene) -> Headers:
        filled = ((key, scene.filled(value)) for key, value in more)
        return originate(
            scene, "Local/s@quiet/n",
            ("Application", name), ("Data", scene.filled(data)), *filled,
        )  # fmt: skip

    return set_off


def _command(line: str) -> SetOff:
    return lambda scene: scene.client.action(("Action", "Command"), ("Command", scene.filled(line)))


def _bytes(text: str, *, bytewise: bool = False) -> SetOff:
    """An Originate in the very bytes; with `{id}` for the ActionID."""

    def set_off(scene: Scene) -> Headers:
        action_id = scene.client.new_id()
        filled = scene.filled(text.replace("{id}", action_id))
        return scene.client.ask(filled.encode(), action_id, bytewise=bytewise)

    return set_off


def _lines(*lines: str, end: str = "\r\n") -> str:
    return end.join([*lines, "", ""])


def _from_agent(scene: Scene) -> Headers:
    return originate(
        scene, "PJSIP/agent", ("Context", "forgot"), ("Exten", scene.number), ("Priority", "1")
    )


def _local(context: str, *variables: str) -> SetOff:
    return lambda scene: originate(
        scene,
        f"Local/{scene.number}@{context}/n",
        *(("Variable", scene.filled(variable)) for variable in variables),
    )


def _async_agi(scene: Scene) -> Headers:
    call = scene.live("waits-for-agi")
    return scene.client.action(
        ("Action", "AGI"),
        ("Channel", call.channel),
        ("Command", f"EXEC Dial PJSIP/{scene.number}@carrier,30"),
    )


def _queue_add(scene: Scene) -> Headers:
    response = scene.client.action(
        ("Action", "QueueAdd"),
        ("Queue", exchange.QUEUE),
        ("Interface", f"PJSIP/{scene.number}@carrier"),
        ("StateInterface", "PJSIP/carrier"),
    )
    _call_the_queue(scene)
    return response


def _queue_add_by_command(scene: Scene) -> Headers:
    response = _command(
        f"queue add member PJSIP/{{n}}@carrier to {exchange.QUEUE} "
        "penalty 0 as outside state_interface PJSIP/carrier"
    )(scene)
    _call_the_queue(scene)
    return response


def _call_the_queue(scene: Scene) -> None:
    if scene.number in scene.pbx.cli(f"queue show {exchange.QUEUE}"):
        scene.pbx.dial("s", "queue")


def empty_the_queue(pbx: Pbx) -> None:
    """Take every member out of the queue, whoever put it in."""
    for interface in re.findall(r"PJSIP/\w+@carrier", pbx.cli(f"queue show {exchange.QUEUE}")):
        pbx.ami.ask("QueueRemove", Queue=exchange.QUEUE, Interface=interface)
    pbx.cli("queue reload all")


def _redirect(scene: Scene) -> Headers:
    return scene.client.action(
        ("Action", "Redirect"),
        ("Channel", scene.live().channel),
        ("Context", "forgot"),
        ("Exten", scene.number),
        ("Priority", "1"),
    )


def _redirect_extra(scene: Scene) -> Headers:
    return scene.client.action(
        ("Action", "Redirect"),
        ("Channel", scene.live().channel),
        ("ExtraChannel", scene.live().channel),
        ("Context", "quiet"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("ExtraContext", "forgot"),
        ("ExtraExten", scene.number),
        ("ExtraPriority", "1"),
    )


def _redirect_by_command(scene: Scene) -> Headers:
    return _command(f"channel redirect {scene.live().channel} forgot,{{n}},1")(scene)


def _transfer(action: str) -> SetOff:
    return lambda scene: scene.client.action(
        ("Action", action),
        ("Channel", scene.agent_in_conversation().channel),
        ("Context", "forgot"),
        ("Exten", scene.number),
    )


def _used_channel_id(scene: Scene) -> Headers:
    """The id of a call that was permitted and is over, once more for another number."""
    channel_id = f"again-{scene.number}"
    since = scene.pbx.ami.mark()
    scene.carrier.on(scene.other, Outcome.BUSY)
    originate(scene, f"PJSIP/{scene.other}@carrier", ("ChannelId", channel_id))
    scene.pbx.ami.wait(
        lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == channel_id, since=since
    )
    return originate(scene, f"PJSIP/{scene.number}@carrier", ("ChannelId", channel_id))


def _dialplan_rewritten(scene: Scene) -> Headers:
    response = _command("dialplan add extension {n},1,Dial,PJSIP/{n}@carrier into added")(scene)
    scene.client.action(
        ("Action", "Originate"), ("Channel", f"Local/{scene.number}@added/n"),
        ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
    )  # fmt: skip
    return response


def _dialplan_added(scene: Scene) -> Headers:
    response = scene.client.action(
        ("Action", "DialplanExtensionAdd"), ("Context", "added"), ("Extension", scene.number),
        ("Priority", "1"), ("Application", "Dial"),
        ("ApplicationData", f"PJSIP/{scene.number}@carrier"),
    )  # fmt: skip
    scene.client.action(
        ("Action", "Originate"), ("Channel", f"Local/{scene.number}@added/n"),
        ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
    )  # fmt: skip
    return response


def _global_variable(scene: Scene) -> Headers:
    scene.client.action(("Action", "Setvar"), ("Variable", "TARGET"), ("Value", scene.number))
    return originate(scene, "Local/s@forgot-variable/n")


def _redirected_by_the_callee(scene: Scene) -> Headers:
    """A permitted callee answers with a 302, which leads into a dialplan that forgot."""
    scene.carrier.on(scene.other, Outcome.REDIRECT, to=scene.number)
    return originate(scene, f"PJSIP/{scene.other}@carrier")


def _registered(scene: Scene) -> Headers:
    """An entry of Asterisk's database that gives the agent's telephone the callee's address."""
    uri = f"sip:{scene.number}@{scene.host}"
    contact = {
        "uri": uri, "endpoint": "agent", "expiration_time": str(int(time.time()) + 3600),
        "qualify_frequency": "0", "qualify_timeout": "3.0", "authenticate_qualify": "no",
        "prune_on_boot": "no", "path": "", "outbound_proxy": "", "user_agent": "",
        "reg_server": "", "via_addr": "", "via_port": "0", "call_id": "",
    }  # fmt: skip
    key = f"contact/agent;@{hashlib.md5(uri.encode()).hexdigest()}"
    response = scene.client.action(
        ("Action", "DBPut"), ("Family", "registrar"), ("Key", key), ("Val", json.dumps(contact))
    )
    if response["response"] == "Success":
        originate(scene, "PJSIP/agent")
        scene.wait_reached()
        scene.pbx.ami.ask("DBDel", Family="registrar", Key=key)
    return response


CHANNELS = {
    "a number at the trunk": "PJSIP/{n}@carrier",
    "a national number": "PJSIP/{nat}@carrier",
    "a number with 00": "PJSIP/00{n}@carrier",
    "a number with +": "PJSIP/+{n}@carrier",
    "a number in groups": "PJSIP/{dots}@carrier",
    "a technology in lower case": "pjsip/{n}@carrier",
    "a URI through the trunk": "PJSIP/carrier/sip:{n}@{host}",
    "a URI with + and parameters": "PJSIP/carrier/sip:+{n}@{host};user=phone",
    "a URI in percent through the agent's endpoint": "PJSIP/agent/sip:{coded}@{host}",
    "a URI in percent": "PJSIP/carrier/sip:{coded}@{host}",
    "a user for a URI that has none": "PJSIP/{n}@carrier/sip:{host}",
    "a URI through the agent's endpoint": "PJSIP/agent/sip:{n}@{host}",
    "a national URI through the agent's endpoint": "PJSIP/agent/sip:{nat}@{host}",
    "a user for a URI through the agent's endpoint": "PJSIP/{n}@agent/sip:{host}",
    "the trunk's address through the agent's endpoint": "PJSIP/{n}@agent/carrier",
}  # fmt: skip

# Asterisk calls a number there, and whom it is, or who else, cannot be told for sure.
UNCLEAR = {
    "a user in front of a URI of another's": "PJSIP/{n}@carrier/sip:{other}@{host}",
    "a user in front of another's URI, the agent's endpoint": "PJSIP/{n}@agent/sip:{other}@{host}",
    "a user with a parameter": "PJSIP/{n};x=1@carrier",
    "a URI with a user's parameter": "PJSIP/carrier/sip:{n};phone-context=x@{host}",
}

_HEADERS = ("Channel: PJSIP/{n}@carrier", "Application: Wait", "Data: 60", "Async: true")
SPELLINGS = {
    "lower case and no blanks": _bytes(
        _lines("action:originate", "actionid:{id}", "channel:PJSIP/{n}@carrier",
               "application:Wait", "data:60", "async:1")
    ),
    "upper case": _bytes(_lines("ACTION: ORIGINATE", "ACTIONID: {id}", *_HEADERS)),
    "tabs": _bytes(_lines(*(line.replace(": ", ":\t\t ") for line in
                            ("Action: Originate", "ActionID: {id}", *_HEADERS)))),
    "line feeds alone": _bytes(_lines("Action: Originate", "ActionID: {id}", *_HEADERS, end="\n")),
    "the Action last": _bytes(_lines("ActionID: {id}", *_HEADERS, "Action: Originate")),
    "a byte at a time": _bytes(_lines("Action: Originate", "ActionID: {id}", *_HEADERS),
                               bytewise=True),
    "behind a Ping in one segment": _bytes(
        _lines("Action: Ping") + _lines("Action: Originate", "ActionID: {id}", *_HEADERS)
    ),
}  # fmt: skip
TWOFOLD = {  # what Asterisk takes one of, and what it reads only to a NUL
    "an empty Action first": _bytes(
        _lines("Action:", "Action: Originate", "ActionID: {id}", *_HEADERS)
    ),
    "two Channels": _bytes(
        _lines("Action: Originate", "ActionID: {id}", *_HEADERS, "Channel: Local/s@quiet/n")
    ),
    "two Actions": _bytes(_lines("Action: Originate", "ActionID: {id}", "Action: Ping", *_HEADERS)),
    "a NUL behind the Action": _bytes(_lines("ActionID: {id}", *_HEADERS, "Action: Originate\0x")),
}

APPLICATIONS = {
    "Dial": ("Dial", "PJSIP/{n}@carrier,30"),
    "Dial in another case": ("DIAL", "pjsip/{n}@carrier,30,g"),
    "Dial of several": ("Dial", "PJSIP/agent&PJSIP/{n}@carrier,30"),
    "Dial of a URI through the agent's endpoint": ("Dial", "PJSIP/agent/sip:{n}@{host},30"),
    "RetryDial": ("RetryDial", "beep,1,0,PJSIP/{n}@carrier,30"),
    "Page": ("Page", "PJSIP/{n}@carrier"),
    "ExecIf": ("ExecIf", "1?Dial(PJSIP/{n}@carrier,30)"),
    "ExecIf, otherwise": ("ExecIf", "0?NoOp():Dial(PJSIP/{n}@carrier,30)"),
    "ExecIf in ExecIf": ("ExecIf", "1?ExecIf(1?Dial(PJSIP/{n}@carrier))"),
    "Exec": ("Exec", "Dial(PJSIP/{n}@carrier,30)"),
    "TryExec": ("TryExec", "Dial(PJSIP/{n}@carrier,30)"),
    "Originate": ("Originate", "PJSIP/{n}@carrier,app,Wait,60"),
    "Dial by Originate": ("Originate", "Local/s@quiet/n,app,Dial,PJSIP/{n}@carrier"),
}

COMMANDS = {
    "channel originate": "channel originate PJSIP/{n}@carrier application Wait 60",
    "channel originate in another case": "CHANNEL Originate pjsip/{n}@carrier APPLICATION Wait 60",
    "channel originate in quotes": 'channel  "originate" "PJSIP/{n}@carrier" application Wait 60',
    "channel originate of Dial":
        "channel originate Local/s@quiet/n application Dial PJSIP/{n}@carrier",
    "the alias originate": "originate PJSIP/{n}@carrier application Wait 60",
    "an alias of the admin's": "ring up PJSIP/{n}@carrier application Wait 60",
}  # fmt: skip


def _ways(by: By, allowed: Allowed, ways: dict[str, SetOff], prefix: str = "") -> list[Way]:
    return [Way(prefix + name, by, allowed, set_off) for name, set_off in ways.items()]


THROUGH_AMI = [
    *_ways(By.GATEWAY, Allowed.ONCE,
           {name: _channel(template) for name, template in CHANNELS.items()}, "Originate: "),
    *_ways(By.GATEWAY, Allowed.REFUSED,
           {name: _channel(template) for name, template in UNCLEAR.items()}, "Originate: "),
    Way("Originate: synchronous", By.GATEWAY, Allowed.ONCE,
        _channel("PJSIP/{n}@carrier", sync=True)),
    *_ways(By.GATEWAY, Allowed.ONCE, SPELLINGS, "Originate in "),
    *_ways(By.GATEWAY, Allowed.REFUSED, TWOFOLD, "Originate with "),
    *_ways(By.GATEWAY, Allowed.ONCE,
           {name: _application(*words) for name, words in APPLICATIONS.items()}, "Application: "),
    *_ways(By.GATEWAY, Allowed.REFUSED, {
        "Application: Exec of a Dial of a variable": _application(
            "Exec", "Dial(PJSIP/${{TARGET}}@carrier)", ("Variable", "TARGET={n}")),
        "Application: Exec of a variable": _application(
            "Exec", "Dial(${{WHOM}})", ("Variable", "WHOM=PJSIP/{n}@carrier")),
    }),
    *_ways(By.GATEWAY, Allowed.ONCE,
           {name: _command(line) for name, line in COMMANDS.items()}, "Command: "),
    *_ways(By.GATEWAY, Allowed.ONCE, {"AGI: EXEC Dial": _async_agi}),
    *_ways(By.GATEWAY, Allowed.CAUGHT, {
        "QueueAdd, then a call into the queue": _queue_add,
        "Redirect": _redirect,
        "Redirect: ExtraExten": _redirect_extra,
        "BlindTransfer": _transfer("BlindTransfer"),
        "Atxfer": _transfer("Atxfer"),
        "Command: channel redirect": _redirect_by_command,
        "Command: queue add member": _queue_add_by_command,
    }),
    *_ways(By.GATEWAY, Allowed.REFUSED, {
        "Application: Exec of an Exec of a variable": _application(
            "Exec", "Exec(${{WHAT}})", ("Variable", "WHAT=Dial(PJSIP/{n}@carrier,30)")),
        "Application: Exec of an ExecIf of a variable": _application(
            "Exec", "ExecIf(1?${{WHAT}})", ("Variable", "WHAT=Dial(PJSIP/{n}@carrier,30)")),
        "Application: Exec of an Originate of a variable": _application(
            "Exec", "Originate(Local/s@quiet/n,app,Exec,${{WHAT}})",
            ("Variable", "WHAT=Dial(PJSIP/{n}@carrier,30)")),
        "DBPut of a telephone's registration": _registered,
        "Originate: a ChannelId used before": _used_channel_id,
        "Command: dialplan add extension": _dialplan_rewritten,
        "DialplanExtensionAdd": _dialplan_added,
    }),
    Way("Originate: Local to a dialplan that asks", By.DIALPLAN, Allowed.ONCE,
        _local("dialwarden-outbound")),
    *_ways(By.GUARD, Allowed.CAUGHT, {
        "Originate: Local to a dialplan that forgot": _local("forgot"),
        "Originate: Local to a dialplan that asks for another":
            _local("asks-for-another", "__ASKED={other}"),
        "Originate: the agent into a dialplan that forgot": _from_agent,
        "Originate: Local to a Dial of a global variable": _global_variable,
        "Originate: a callee who redirects": _redirected_by_the_callee,
        "Application: Dial of Local": _application("Dial", "Local/{n}@forgot/n,30"),
        "Command: channel originate into a dialplan that forgot":
            _command("channel originate PJSIP/agent extension {n}@forgot"),
    }),
]  # fmt: skip


# Past it --------------------------------------------------------------------------------------


def _call_file(text: str) -> SetOff:
    def set_off(scene: Scene) -> None:
        scene.pbx.spool(f"{scene.number}.call", scene.filled(text))

    return set_off


def _ari(**parameters: str) -> SetOff:
    def set_off(scene: Scene) -> None:
        query = {key: scene.filled(value) for key, value in parameters.items()}
        query["api_key"] = f"{exchange.ARI_USER}:{AMI_SECRET}"
        url = f"http://127.0.0.1:{scene.pbx.http_port}/ari/channels"
        request = urllib.request.Request(
            f"{url}?{urllib.parse.urlencode(query)}", method="POST", data=b""
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert json.load(response)["id"]

    return set_off


def _dialled(context: str) -> SetOff:
    def set_off(scene: Scene) -> None:
        scene.pbx.dial(scene.number, context, {"__ASKED": scene.other})

    return set_off


def _console(line: str) -> SetOff:
    def set_off(scene: Scene) -> None:
        scene.pbx.console(scene.filled(line))

    return set_off


def _direct_ami(scene: Scene) -> None:
    with RawClient(scene.pbx.ami_port) as direct:
        direct.action(
            ("Action", "Originate"), ("Channel", f"PJSIP/{scene.number}@carrier"),
            ("Application", "Wait"), ("Data", "60"), ("Async", "true"),
        )  # fmt: skip


def _keys(feature: str) -> SetOff:
    def set_off(scene: Scene) -> None:
        scene.pbx.press(scene.agent_in_conversation(), f"{feature}{scene.number}")

    return set_off


def _telephone_transfer(scene: Scene) -> None:
    scene.agent_in_conversation()
    scene.agent.refer(scene.agent.invites()[-1], scene.number)


def _configured_queue(scene: Scene) -> None:
    file = scene.pbx.directory / "etc" / "queues.conf"
    file.write_text(exchange.queues(f"PJSIP/{scene.number}@carrier,0,outside,PJSIP/carrier"))
    scene.pbx.cli("queue reload all")
    scene.pbx.dial("s", "queue")
    file.write_text(exchange.queues())


def _forwarded(scene: Scene) -> None:
    scene.carrier.call(scene.number, scene.pbx.sip_port)


_PAST: dict[str, SetOff] = {
    "call file": _call_file("Channel: PJSIP/{n}@carrier\nApplication: Wait\nData: 60\n"),
    "call file to a dialplan that forgot": _call_file(
        "Channel: Local/{n}@forgot/n\nApplication: Wait\nData: 60\n"
    ),
    "ARI": _ari(
        endpoint="PJSIP/{n}@carrier", context="quiet", extension="s", priority="1", timeout="30"
    ),
    "ARI, a URI through the agent's endpoint": _ari(
        endpoint="PJSIP/agent/sip:{n}@{host}", context="quiet", extension="s", priority="1"
    ),
    "Originate() in the dialplan": _dialled("originates"),
    "Originate() of Local in the dialplan": _dialled("originates-dialplan"),
    "a dialplan line that forgot": _dialled("forgot"),
    "a dialplan line that asks for another": _dialled("asks-for-another"),
    "an AMI client at Asterisk's own port": _direct_ami,
    "console": _console("channel originate PJSIP/{n}@carrier application Wait 60"),
    "a blind transfer by an agent's keys": _keys("#1"),
    "an attended transfer by an agent's keys": _keys("*2"),
    "a transfer by an agent's telephone": _telephone_transfer,
    "a member in queues.conf": _configured_queue,
    "a call from outside, forwarded outside": _forwarded,
}
PAST_AMI = _ways(By.GUARD, Allowed.CAUGHT, _PAST, "past: ")

WAYS = [*THROUGH_AMI, *PAST_AMI]
