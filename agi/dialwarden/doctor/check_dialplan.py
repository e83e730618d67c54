"""The dialplan that Asterisk runs: is ours in it, as shipped, and does the rest of it ask?

Owns what each difference means for a call; what is read out of a dialplan is `asking`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dialwarden.doctor.asking import Reader
from dialwarden.doctor.check_manager import unseen, with_asterisk
from dialwarden.doctor.dialled import Dialled, where
from dialwarden.doctor.dialplan_text import Dialplan, addresses, differences
from dialwarden.doctor.finding import Item, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import Asterisk, Missing, Snapshot
from dialwarden.doctor.steps import calls, targets
from dialwarden.numbers import emergency_numbers
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.manager import is_loopback
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Rule

OURS = "dialwarden"
_EMERGENCY = f"{OURS}-emergency"
# Copied by admins, or used by some only: a change there harms nobody else.
_OPTIONAL = frozenset({f"{OURS}-outbound", f"{OURS}-feature"})
_INSTALL = "dialwarden install puts this version's file in and includes it; then dialplan reload"
_SHOWN = 10
_OF_OURS = re.compile(rf"{OURS}(-[a-z-]+)?")


@with_asterisk
def loaded(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """dialplan: our contexts are there, as this version ships them."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    for context, lines in _left_behind(plan):
        yield failure(
            f"context {context} is not loaded, and {_lines(lines)}: Asterisk hangs up every "
            "call that comes there",
            f"{_INSTALL}; or, where dialwarden is to be taken out, take these lines out too",
            context,
        )
    if OURS not in plan:
        yield failure("no context dialwarden is loaded: nobody can ask", _INSTALL)
        return
    odd = False
    for context in seen.shipped:
        for sentence in differences(seen.shipped, plan, context):
            odd = True
            tell = warning if context in _OPTIONAL else failure
            yield tell(f"{sentence}: not as version {seen.version} ships it", _INSTALL, context)
    for context in seen.flavours:
        for sentence in differences(seen.flavours, plan, context) if context in plan else ():
            odd = True
            yield warning(
                f"{sentence}: not as version {seen.version} ships it",
                "dialwarden install puts this version's files in, then dialplan reload",
                context,
            )
    if not odd:
        yield ok(f"as version {seen.version} ships it")


def _left_behind(plan: Dialplan) -> Iterator[tuple[str, list[str]]]:
    """Contexts of ours that lines of others lead into, and that are not there."""
    found: dict[str, dict[str, None]] = {}
    for context in plan.values():
        for extension, steps in context.extensions.items():
            for step in steps:
                for call in calls(step):
                    for target in targets(call, context.name, extension):
                        if _OF_OURS.fullmatch(target.context) and target.context not in plan:
                            told = where(context.name, extension, step)
                            found.setdefault(target.context, {})[told] = None
    return ((context, list(lines)) for context, lines in found.items())


def _lines(lines: Sequence[str]) -> str:
    """`a calls it`, `a, b and 3 more call it`."""
    more = len(lines) - _SHOWN
    told = ", ".join(lines[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{told} {'calls' if len(lines) == 1 else 'call'} it"


@with_asterisk
def address(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """dialplan.address: it asks where the bridge listens."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    listen = seen.config.agi.listen
    asked = addresses(plan, OURS)
    for one in asked:
        host, _, port = one.rpartition(":")
        if port != str(listen.port):
            yield failure(
                f"the dialplan asks {one}, the bridge listens on {listen}",
                f"set [agi] listen to port {port}, or the port in extensions_dialwarden.conf to "
                f"{listen.port}",
            )
        elif is_loopback(listen.host) and not is_loopback(host):
            yield warning(
                f"the dialplan asks {one}, the bridge listens on {listen} only",
                "set [agi] listen, and allow_from, for that address",
            )
        else:
            yield ok(f"{one}")
    if not asked:
        yield unknown("no AGI line was found in context dialwarden", _INSTALL)


@with_asterisk
def emergency(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """dialplan.emergency: with the bridge dead these leave by the dialplan alone."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    context = plan.get(_EMERGENCY)
    known = frozenset(context.extensions) if context else frozenset()
    needed = emergency_numbers(campaign.region for campaign in seen.config.campaigns.values())
    missing = sorted(needed - known, key=lambda number: (len(number), number))
    if missing:
        yield warning(
            f"emergency numbers that do not pass while the bridge is dead: {', '.join(missing)}",
            f"add each to a context [{_EMERGENCY}] of your own: exten => {missing[0]},1,NoOp()",
        )
    else:
        yield ok(f"{len(known)} emergency numbers pass without the bridge")


def reader_of(seen: Snapshot, asterisk: Asterisk, plan: Dialplan) -> Reader:
    entries: frozenset[str] = frozenset()
    if not isinstance(asterisk.endpoints, Missing):
        entries = frozenset(one.context for one in asterisk.endpoints if one.context)
    return Reader(
        plan,
        compile_trunks(seen.config.trunks),
        agi_port=seen.config.agi.listen.port,
        entries=entries,
        variables={} if isinstance(asterisk.variables, Missing) else asterisk.variables,
    )


@with_asterisk
def asks(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """dialplan.asks: no line dials a trunk without having asked."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    if not seen.config.trunks:
        yield unknown("no [trunks] are configured", "name each way out in [trunks.NAME]")
        return
    reader = reader_of(seen, asterisk, plan)
    found = reader.unasked()
    always = emergency_numbers(campaign.region for campaign in seen.config.campaigns.values())
    named = [one for one in found if not one.dynamic and one.number not in always]
    for one in _once_an_extension(named):
        yield failure(
            f"{one.where} dials {one.written} and nobody asked"
            + (
                "; the guard hangs it up"
                if seen.config.ami and seen.config.guard.mode is GuardMode.HANGUP
                else ""
            ),
            "Gosub(dialwarden,check,1(NUMBER,CAMPAIGN)) before it, and dial on ALLOW only: "
            "docs/dialplan.md",
            f"{one.extension}@{one.context}",
        )
    hidden = _once_an_extension([one for one in found if one.dynamic])
    for one in hidden[:_SHOWN]:
        yield note(
            f"{one.where} dials {one.written}, which cannot be read here, and did not ask",
            "see that it is no trunk; the guard sees what it dials",
            f"{one.extension}@{one.context}",
        )
    if len(hidden) > _SHOWN:
        yield note(f"{len(hidden) - _SHOWN} more dial what cannot be read here")
    if (unknown_entries := _unknown_entries(asterisk)) and reader.relied_on():
        yield warning(
            f"where the calls of {unknown_entries} come in is not known: lines that count on who "
            "comes to them may be reached by those who asked nobody",
            "pjsip show endpoint NAME, sip show peer NAME, iax2 show peer NAME tell their context",
            "entries",
        )
    for context in reader.switches():
        yield note(f"context {context} has lines elsewhere (a switch), which are not read here")
    if not named:
        asked = len({one.where for one in reader.dialled() if not one.dynamic})
        yield ok(f"every line that dials a trunk has asked ({asked} of them)")


def _unknown_entries(asterisk: Asterisk) -> str:
    """Who may come into the dialplan nobody knows where; "" for nobody."""
    if isinstance(asterisk.endpoints, Missing):
        return "all endpoints"
    # An IAX2 peer without a context is one that is called only.
    blind = [
        one.channel
        for one in asterisk.endpoints
        if not one.context and not one.channel.upper().startswith("IAX2/")
    ]
    return f"{blind[0]} and {len(blind) - 1} more" if blind[1:] else "".join(blind)


@with_asterisk
def heeds(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """dialplan.verdict: who asks also looks at the answer."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    found = _once_an_extension(reader_of(seen, asterisk, plan).unheeded())
    for one in found:
        yield failure(
            f"{one.where} dials {one.written} whatever the verdict was",
            'GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no) between the question and the Dial',
            f"{one.extension}@{one.context}",
        )
    if not found:
        yield ok("who asks looks at the verdict before dialling")


def _once_an_extension(found: Sequence[Dialled]) -> list[Dialled]:
    once: dict[tuple[str, str], Dialled] = {}
    for one in found:
        once.setdefault((one.context, one.extension), one)
    return list(once.values())


@with_asterisk
def selftest(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """selftest: Asterisk itself asks the bridge, and its dialplan has the answer."""
    said = asterisk.selftest
    if isinstance(said, Missing):
        yield unseen(said)
        return
    verdict, _, rest = said.partition(" ")
    rules, _, reason = rest.partition(": ")
    if verdict == "REFUSE" and rules and Rule.UNAVAILABLE not in rules.split("&"):
        yield ok(f"asked by Asterisk ({asterisk.via}), answered by the bridge: {verdict} {rules}")
    else:
        yield failure(
            f"asked by Asterisk, not answered by the bridge: {verdict} {rules} ({reason}): every "
            "call is refused",
            "see the findings under bridge and dialplan.address, and Asterisk's log",
        )
