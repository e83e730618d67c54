"""Asking over a socket as Asterisk does, and reading the answer as Asterisk reads it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

_COMMAND = re.compile(r'SET VARIABLE ARRAY\(([A-Z_,]+)\) "(.*)"\n', re.DOTALL)


def environment(
    script: str,
    *words: str,
    uniqueid: str = "1700000000.1",
    channel: str = "PJSIP/100-00000001",
) -> bytes:
    """The environment of `AGI(agi://…/SCRIPT,WORD,WORD)`, all that Asterisk 22 sends."""
    lines = [
        "agi_network: yes",
        f"agi_network_script: {script}",
        f"agi_request: agi://127.0.0.1/{script}",
        f"agi_channel: {channel}",
        "agi_language: en",
        "agi_type: PJSIP",
        f"agi_uniqueid: {uniqueid}",
        "agi_version: 22.10.1",
        "agi_callerid: 100",
        "agi_calleridname: unknown",
        "agi_callingpres: 0",
        "agi_callingani2: 0",
        "agi_callington: 0",
        "agi_callingtns: 0",
        "agi_dnid: unknown",
        "agi_rdnis: unknown",
        "agi_context: dialwarden",
        "agi_extension: check",
        "agi_priority: 9",
        "agi_enhanced: 0.0",
        "agi_accountcode: ",
        "agi_threadid: 140000000000",
        *(f"agi_arg_{place}: {word}" for place, word in enumerate(words, 1)),
    ]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "surrogateescape")


def words_of(**keys: str) -> Iterable[str]:
    return [f"{key}={value}" for key, value in keys.items()]


def variables_of(command: bytes) -> dict[str, str]:
    """What `SET VARIABLE ARRAY(…) "…"` sets on a channel; {} when nothing was said."""
    if not command:
        return {}
    whole = _COMMAND.fullmatch(command.decode())
    assert whole is not None, command
    names = whole[1].split(",")
    values = _split(re.sub(r"\\(.)", r"\1", whole[2]))
    assert len(values) == len(names), command
    return dict(zip(names, values, strict=True))


def _split(text: str) -> list[str]:
    """Split as ARRAY() does: at commas outside quotes; quotes and backslashes go."""
    values, value, quoted = [], "", False
    characters = iter(text)
    for character in characters:
        if character == "\\":
            value += next(characters)
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values.append(value)
            value = ""
        else:
            value += character
    return [*values, value]


async def send(port: int, data: bytes, *, within: float = 10.0) -> bytes:
    """Send what a peer sends, take one line, confirm it; what came, up to the close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(within):
            try:
                writer.write(data)
                command = await reader.readline()
                if command:
                    writer.write(b"200 result=1\n")
                    assert await reader.read() == b""
            except ConnectionError:
                return b""
            return command
    finally:
        writer.close()


async def ask(port: int, script: str, *more: str, **keys: str) -> dict[str, str]:
    """The variables that a script sets."""
    return variables_of(await send(port, environment(script, *words_of(**keys), *more)))
