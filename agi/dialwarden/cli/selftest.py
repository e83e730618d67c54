"""`dialwarden selftest`: the plugs are pulled, and what a caller got is told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from dialwarden.cli.common import json_option
from dialwarden.cli.output import print_json, printable
from dialwarden.errors import SelftestError
from dialwarden.selftest.children import ended_in_order
from dialwarden.selftest.played import PlayedAsterisk
from dialwarden.selftest.plugs import HELD, Plug, Result, Told
from dialwarden.selftest.scratch_asterisk import ScratchAsterisk
from dialwarden.selftest.scratch_bridge import free_port
from dialwarden.selftest.trials import Caller, pull

_DIALPLAN = "extensions_dialwarden.conf"
# Where the installed program is, if not where it was built for: its modules, and the documentation
# without which it does not start.
_PLACES = re.compile(r"^\s*(astmoddir|astdatadir)\s*=>?\s*([^;\s]+)", re.MULTILINE)


@click.command("selftest", short_help="Pull each plug, and show what a caller would get.")
@click.option(
    "--asterisk-dir",
    metavar="DIR",
    default="/etc/asterisk",
    show_default=True,
    help=f"Where the {_DIALPLAN} in use is.",
)
@click.option(
    "--dialplan",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another one.",
)
@click.option(
    "--without-asterisk", is_flag=True, help="Ask by ourselves, though there is an Asterisk."
)
@click.option(
    "--only",
    metavar="PLUG",
    type=click.Choice([plug.name.lower() for plug in Plug]),
    multiple=True,
    help="One way to fail, as --json names it; may be given again.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    asterisk_dir: str,
    dialplan: Path | None,
    without_asterisk: bool,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Prove that calls are refused when dialwarden is dead, silent, slow or talks nonsense.

    Starts an Asterisk of its own (the installed program, with no port and no trunk), with the
    dialplan that is in use, and a bridge of its own on a free port; then fails in one way after
    another, and dials an ordinary number and 112 each time. Nothing that is running is touched and
    nothing is called. Takes half a minute.

    Exit status: 0 every call was held back and 112 left each time, 1 not so, 2 it could not be
    tried.
    """
    port = free_port()
    plugs = [plug for plug in Plug if not only or plug.name.lower() in only]
    results: list[Result] = []
    with (
        ended_in_order(),
        _caller(Path(asterisk_dir), dialplan, port, without_asterisk) as (caller, what, real),
        closing(pull(caller, port, plugs, emergency=real)) as pulled,
    ):
        if not as_json:
            click.echo(what)
        for result in pulled:
            results.append(result)
            if not as_json:
                click.echo(_line(result))
    ok = all(result.ok for result in results)
    if as_json:
        print_json({"ok": ok, "by": what, "asterisk": real, "plugs": [*map(_row, results)]})
    else:
        click.echo(_summary(results, real))
    ctx.exit(0 if ok else 1)


@contextmanager
def _caller(
    folder: Path, dialplan: Path | None, port: int, without: bool
) -> Iterator[tuple[Caller, str, bool]]:
    program = shutil.which("asterisk", path=None) or shutil.which("asterisk", path="/usr/sbin")
    if without or program is None:
        why = "as asked" if without else "there is no Asterisk on this machine"
        yield (
            PlayedAsterisk(port),
            f"Without Asterisk ({why}): its part and the dialplan's are played by dialwarden "
            "itself, so neither is proven here.",
            False,
        )
        return
    text, place = _dialplan_text(folder, dialplan)
    with ScratchAsterisk(program, text, port, _places_of(folder)) as asterisk:
        yield asterisk, f"{asterisk.version}, one of its own, with {place}", True


def _dialplan_text(folder: Path, named: Path | None) -> tuple[str, str]:
    """The dialplan to try: the one named, or the one in use."""
    file = named or folder / _DIALPLAN
    try:
        return file.read_text("utf-8"), str(file)
    except FileNotFoundError:
        raise SelftestError(
            f"{file}: no such file; copy {_DIALPLAN} there (`dialwarden install` does), or name "
            "the one in use with --dialplan"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SelftestError(f"{file} cannot be read: {error}") from None


def _places_of(folder: Path) -> dict[str, str]:
    """Where the installed Asterisk has what it is made of, as far as its configuration says so."""
    try:
        text = (folder / "asterisk.conf").read_text("utf-8", errors="replace")
    except OSError:
        return {}
    return dict(_PLACES.findall(text))


def _line(result: Result) -> str:
    call = result.call
    got = " ".join(filter(None, [call.verdict or "nothing: held", call.rule]))
    gone = "the call left" if call.left else "no call left"
    words = [f"{result.plug.value:<58}", f"{got:<19}", f"{gone:<14}", f"{call.after_s:4.1f} s"]
    if result.emergency is not None:
        words.append("112 left" if result.emergency.left else "112 DID NOT LEAVE")
    return f"  {'ok  ' if result.ok else 'FAIL'}  " + printable("  ".join(words))


def _summary(results: list[Result], real: bool) -> str:
    failing = [result for result in results if result.plug is not Plug.WORKS]
    closed = sum(not result.call.left for result in failing)
    told = f"{closed} of {len(failing)} ways to fail hold the call back"
    if any(not r.call.left for r in results if r.plug is Plug.WORKS):
        told += "; but no call left where dialwarden works either, so that proves nothing"
    if real:
        left = sum(r.emergency is not None and r.emergency.left for r in results)
        told += f"; 112 left {left} of {len(results)} times"
    if any(result.plug in HELD and not result.call.verdict for result in results):
        told += (
            "\nA call that was held stays in Asterisk's AGI() until the other side is gone: "
            "Asterisk reads a line to its end.\nNothing but a program that took dialwarden's port "
            "does that to it."
        )
    return told


def _row(result: Result) -> dict[str, object]:
    return {
        "plug": result.plug.name.lower(),
        "what": result.plug.value,
        "ok": result.ok,
        "call": _told(result.call),
        "emergency": _told(result.emergency) if result.emergency else None,
    }


def _told(told: Told) -> dict[str, object]:
    return {**asdict(told), "after_s": round(told.after_s, 3)}
