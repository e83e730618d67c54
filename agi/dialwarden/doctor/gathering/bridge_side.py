"""The bridge, asked as monitoring and as Asterisk ask it: over HTTP, and over AGI with a peek.

A peek reserves and records nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterable, Mapping

import h11

from dialwarden.doctor.snapshot import Answer, BridgeSide, Missing, Seen
from dialwarden.numbers.examples import example_number
from dialwarden.settings.config import Config
from dialwarden.settings.forms import Address
from dialwarden.variables import REASON, RULES, VERDICT
from dialwarden.wire.agi_command import variables_in

_LONGEST = 65536
_MOST_CAMPAIGNS = 20
_RUNNING = "is the bridge running?"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


async def look(config: Config, timeout_s: float) -> BridgeSide:
    names = list(config.campaigns)[:_MOST_CAMPAIGNS] or [""]
    health, answers = await asyncio.gather(
        _health(config, timeout_s),
        asyncio.gather(*(_ask(config, name, timeout_s) for name in names)),
    )
    return BridgeSide(health, dict(zip(names, answers, strict=True)))


async def _health(config: Config, timeout_s: float) -> Seen[Mapping[str, object]]:
    address = _reachable(config.http.listen)
    try:
        async with asyncio.timeout(timeout_s):
            said = json.loads(await _fetched(address))
    except TimeoutError:
        return Missing(f"http://{address}/healthz: no answer within {timeout_s:g} s", _RUNNING)
    except (OSError, ValueError, h11.ProtocolError) as error:
        return Missing(f"http://{address}/healthz: {_reason(error)}", _RUNNING)
    if not isinstance(said, dict):
        return Missing(f"http://{address}/healthz answers something else", "correct [http] listen")
    return said


async def _fetched(address: Address) -> bytes:
    """The body of /healthz, whatever its status: 503 has one like any other.

    No proxy that the environment names is asked for what listens here.
    """
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        wire = h11.Connection(h11.CLIENT)
        headers = [("Host", str(address)), ("Connection", "close")]
        asked = wire.send(h11.Request(method="GET", target="/healthz", headers=headers))
        writer.write((asked or b"") + (wire.send(h11.EndOfMessage()) or b""))
        body = b""
        while len(body) < _LONGEST:
            event = wire.next_event()
            if event is h11.NEED_DATA:
                wire.receive_data(await reader.read(_LONGEST))
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        return body
    finally:
        writer.close()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error)


async def _ask(config: Config, campaign: str, timeout_s: float) -> Seen[Answer]:
    """One peek; a number that nobody has, so that the campaign's own rules are what answers."""
    region = config.campaigns[campaign].region if campaign else ""
    number = example_number(region) or "0"
    words = [f"number={number}", *([f"campaign={campaign}"] if campaign else [])]
    address = _reachable(config.agi.listen)
    try:
        async with asyncio.timeout(timeout_s):
            line = await _conversation(address, words)
    except TimeoutError:
        return Missing(f"no answer within {timeout_s:g} s")
    except OSError as error:
        return Missing(_reason(error))
    told = variables_in(line)
    if VERDICT not in told:
        return Missing(
            "it closed without an answer",
            "[agi] allow_from must hold this machine's address; or another program has that port",
        )
    return Answer(told[VERDICT], told.get(RULES, ""), told.get(REASON, ""))


async def _conversation(address: Address, words: Iterable[str]) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=_LONGEST)
    try:
        arguments = [f"agi_arg_{place}: {word}" for place, word in enumerate(words, 1)]
        lines = [
            "agi_network: yes", "agi_network_script: peek",
            f"agi_request: agi://{address}/peek",
            "agi_channel: dialwarden-doctor", "agi_uniqueid: dialwarden-doctor",
            *arguments, "", "",
        ]  # fmt: skip
        writer.write("\n".join(lines).encode())
        line = await reader.readline()
        if re.match(rb"SET VARIABLE", line):
            writer.write(b"200 result=1\n")
            await reader.read(_LONGEST)
        return line
    except ConnectionError:
        return b""
    finally:
        writer.close()


def _reachable(address: Address) -> Address:
    """Where a listening address is reached from here."""
    return Address(_ANYWHERE.get(address.host, address.host), address.port)
