"""`dialwarden doctor`: the whole chain looked at, a line a check, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import click

from dialwarden.cli.common import config_option, json_option, open_site
from dialwarden.cli.output import counted, print_json, printable
from dialwarden.doctor.checks import CHECKS, examine
from dialwarden.doctor.finding import Finding, Status
from dialwarden.doctor.gathering.everything import gather

_MARKS = {
    Status.OK: "✓", Status.NOTE: "·", Status.UNKNOWN: "?", Status.WARNING: "!",
    Status.FAILURE: "✗",
}  # fmt: skip
_ASCII = {Status.OK: "+", Status.NOTE: "-", Status.FAILURE: "x"}
_COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILURE: "red"}
_WIDTH = max(len(check.id) for check in CHECKS)
_IDS = sorted({name for check in CHECKS for name in (check.id, check.id.partition(".")[0])})


@click.command("doctor", short_help="Check the whole chain against the running Asterisk.")
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    type=click.Choice(_IDS),
    help="A check, or a group of them (ami is ami.users too); may be given several times.",
)
@click.option("--quiet", is_flag=True, help="Only what is not green.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings and unknowns too.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(0.5, 60),
    default=5.0,
    show_default=True,
    help="For each question put to Asterisk, the bridge and the ledger.",
)
@config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    only: Sequence[str],
    quiet: bool,
    strict: bool,
    timeout_s: float,
    config: str | None,
    as_json: bool,
) -> None:
    """Look at the bridge, Asterisk, its dialplan, the lists and this machine, and say what to do.

    Nothing is changed and nobody is called: Asterisk is asked to show things, and once to ask the
    bridge about a number that nobody can have. A line a check; docs/doctor.md explains each.

    Exit status 0 when no check failed, 1 when one did, 2 when the configuration is wrong.
    """
    site = open_site(config)
    seen = gather(site.config, timeout_s=timeout_s)
    findings = examine(seen, only)
    shown = [one for one in findings if not quiet or one.status is not Status.OK]
    if as_json:
        print_json([_as_json(finding) for finding in shown])
    else:
        told: set[str] = set()
        for finding in shown:
            _tell(finding, told)
        _sum_up(findings)
    ctx.exit(_exit_status(findings, strict=strict))


def _exit_status(findings: Iterable[Finding], *, strict: bool) -> int:
    bad = {Status.FAILURE, Status.WARNING, Status.UNKNOWN} if strict else {Status.FAILURE}
    return 1 if any(finding.status in bad for finding in findings) else 0


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.check,
        "status": finding.status.value,
        "summary": finding.summary,
        "do": finding.do,
        "doc": finding.doc,
        "detail": [
            {"status": item.status.value, "about": item.about, "says": item.says, "do": item.do}
            for item in finding.items
        ],
    }


def _tell(finding: Finding, told: set[str]) -> None:
    """A line an item, and below it what to do; that which many unknowns have in common is once.

    Args:
        told: what to do about unknowns, as far as it was said already.
    """
    for item, following in zip_longest(finding.items, finding.items[1:]):
        name = finding.check if item is finding.items[0] else ""
        click.echo(f"{_mark(item.status)} {name:<{_WIDTH}} {printable(item.says)}")
        if not item.do or (following is not None and following.do == item.do):
            continue
        if item.status is Status.UNKNOWN:
            if item.do in told:
                continue
            told.add(item.do)
        click.echo(f"  {'':<{_WIDTH}} {'→' if _utf8() else '->'} {printable(item.do)}")


def _mark(status: Status) -> str:
    mark = _MARKS[status] if _utf8() else _ASCII.get(status, _MARKS[status])
    return click.style(mark, fg=_COLOURS.get(status))


def _utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _sum_up(findings: Sequence[Finding]) -> None:
    counts = {status: sum(one.status is status for one in findings) for status in Status}
    parts = [
        counted(counts[Status.FAILURE], "failure"),
        counted(counts[Status.WARNING], "warning"),
        counted(counts[Status.UNKNOWN], "unknown", "unknown"),
        counted(counts[Status.NOTE], "note"),
    ]
    click.echo(f"{counted(len(findings), 'check')}: {', '.join(parts)}, {counts[Status.OK]} green")
