"""`dialwarden install`: our files into Asterisk's folder, and out of it again.

Owns the order: what would change is shown, then asked about, then written, then Asterisk told.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from dialwarden.cli.common import config_option, json_option, utc_now, who
from dialwarden.cli.install_telling import Told, print_told, show_plan
from dialwarden.errors import InstallRefused, SettingsError
from dialwarden.install.apply import install, undo
from dialwarden.install.folder import Folder
from dialwarden.install.manager import OurSide, plan_manager
from dialwarden.install.manifest import Flavour, choose_flavour, read_flavours
from dialwarden.install.plan import Plan, plan_flavour
from dialwarden.install.record import Records, Run
from dialwarden.install.steps import Outcome, answers, run, run_checks
from dialwarden.install.undo import plan_undo, plan_undo_without_record, still_asking
from dialwarden.settings.config import CONFIG_PLACES, CONFIG_VARIABLE, find_config
from dialwarden.settings.sections import Agi
from dialwarden.shipped import shipped

_ASTERISK_DIR = "/etc/asterisk"
_TOLD = 8  # places that a sentence names


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The flags, as they were given."""

    flavour: str | None
    with_manager: bool
    dry_run: bool
    yes: bool
    reload: bool
    asterisk: str
    config: str | None
    full: bool
    force: bool
    as_json: bool


@click.command("install", short_help="Put our files into Asterisk's folder, or take them out.")
@click.option(
    "--asterisk-dir", metavar="DIR", type=click.Path(path_type=Path), default=_ASTERISK_DIR,
    show_default=True, help="Where extensions.conf is.",
)  # fmt: skip
@click.option(
    "--flavour", metavar="NAME",
    help="plain, or the product that the PBX is; left out: the one that the folder speaks for.",
)  # fmt: skip
@click.option("--with-manager", is_flag=True, help="Also a user of manager.conf, and its secret.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--full", is_flag=True, help="Show long files of ours as a whole, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", "undoing", is_flag=True, help="Take out what was put in.")
@click.option("--force", is_flag=True, help="With --undo: though the dialplan asks us still.")
@click.option("--reload", is_flag=True, help="Have Asterisk read its files, and check that it did.")
@click.option(
    "--asterisk", metavar="COMMAND", default="asterisk", show_default=True,
    help='What reaches its console: "docker exec pbx asterisk".',
)  # fmt: skip
@config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    asterisk_dir: Path,
    flavour: str | None,
    with_manager: bool,
    dry_run: bool,
    full: bool,
    yes: bool,
    undoing: bool,
    force: bool,
    reload: bool,
    asterisk: str,
    config: str | None,
    as_json: bool,
) -> None:
    """Put our dialplan into Asterisk's folder, and the lines that include it.

    Every difference is shown before anything is written. What was there is kept, byte for byte, in
    the folder dialwarden.backup beside it; --undo puts it back. Doing it again changes nothing; a
    newer version brings our own files up to date.

    Exit status 1 when something is left to be done by hand, or a check failed.
    """
    if as_json and not (dry_run or yes):
        raise click.UsageError("--json asks nobody: add --yes or --dry-run")
    if undoing and (with_manager or flavour):
        raise click.UsageError(
            "--undo takes out all that is on record: no --flavour, --with-manager"
        )
    wishes = _Wishes(
        flavour, with_manager, dry_run, yes, reload, asterisk, config, full, force, as_json
    )
    folder = Folder.open(asterisk_dir, writing=not dry_run)
    told = _undo(folder, wishes) if undoing else _install(folder, wishes)
    print_told(told, as_json=as_json)
    ctx.exit(0 if told.good else 1)


def _install(folder: Folder, wishes: _Wishes) -> Told:
    flavours = read_flavours(shipped())
    records = Records(folder.path)
    runs = records.runs()
    before = runs[-1].flavour if runs else None
    flavour, why = choose_flavour(flavours, wishes.flavour, folder.names(), before)
    plan = _planned(folder, flavour, records, wishes)
    told = Told(folder.path, flavour, why, plan, dry_run=wishes.dry_run)
    if not _agreed(told, wishes):
        return told
    made = None
    if plan.changes:
        with records.alone():
            made = install(records, plan, flavour=flavour.name, by=who(), now=utc_now())
    return told.after(made, _told_to_asterisk(flavour, wishes, checks=True))


def _planned(folder: Folder, flavour: Flavour, records: Records, wishes: _Wishes) -> Plan:
    installed = records.installed()
    plan = plan_flavour(folder, flavour, installed)
    config = _config_file(wishes.config)
    if wishes.with_manager:
        template = shipped("asterisk/manager_dialwarden.conf").read_text("utf-8")
        plan_manager(plan, folder, template, _our_side(config), installed)
        drop_in = shipped("systemd/dialwarden.service.d/ami-secret.conf")
        if drop_in.is_file() and any(change.secret for change in plan.changes):
            plan.notes.append(
                f"under systemd {drop_in} hands the secret to the service: copy it into "
                "/etc/systemd/system/dialwarden.service.d, then systemctl daemon-reload"
            )
    listen = _section(config, "agi").get("listen", str(Agi().listen))
    if listen != str(Agi().listen):
        plan.notes.append(
            f"{config}: [agi] listen is {listen}, and the dialplan asks {Agi().listen}: make them "
            "the same, or every call is refused as unavailable"
        )
    return plan


def _undo(folder: Folder, wishes: _Wishes) -> Told:
    records = Records(folder.path)
    flavours = read_flavours(shipped())
    runs = records.runs()
    plan = plan_undo(folder, runs) if runs else plan_undo_without_record(folder, flavours.values())
    _refuse_while_asked(still_asking(plan, folder), plan, wishes)
    flavour, why = _flavour_of(runs, flavours)
    told = Told(folder.path, flavour, why, plan, dry_run=wishes.dry_run, undoing=True)
    if not _agreed(told, wishes):
        return told
    if runs or plan.changes:
        with records.alone():
            undo(records, plan, runs, now=utc_now())
    return told.after(None, _told_to_asterisk(flavour, wishes, checks=False))


def _refuse_while_asked(lines: list[str], plan: Plan, wishes: _Wishes) -> None:
    """Take nothing out without a word while the dialplan leans on it: 112 would not leave."""
    if not lines:
        return
    more = f" and {len(lines) - _TOLD} more" if len(lines) > _TOLD else ""
    place = ", ".join(lines[:_TOLD]) + more
    what = "asks dialwarden still: with it taken out Asterisk hangs every such call up, 112 too"
    do = "take the Gosub out first"
    if wishes.yes and not (wishes.force or wishes.dry_run):
        raise InstallRefused(place, what, f"{do}, or say --force")
    plan.notes.append(f"{place} {what}; {do}")


def _flavour_of(runs: Sequence[Run], flavours: Mapping[str, Flavour]) -> tuple[Flavour | None, str]:
    if not runs:
        return None, "no install is on record in this folder"
    since = f"installed {runs[0].at} by {runs[0].by}"
    return flavours.get(runs[-1].flavour), since


def _agreed(told: Told, wishes: _Wishes) -> bool:
    """Whether to go on: shown and not declined, or nothing to be asked."""
    if not wishes.as_json:
        show_plan(told, full=wishes.full)
    if wishes.dry_run:
        return False
    if not told.plan.changes or wishes.yes:
        return True
    try:
        told.declined = not click.confirm("Write this?", err=True)
    except click.Abort:  # nobody is there to answer
        told.declined = True
    return not told.declined


def _told_to_asterisk(flavour: Flavour | None, wishes: _Wishes, *, checks: bool) -> list[Outcome]:
    """Have Asterisk read its files, where that was asked for."""
    if not wishes.reload or flavour is None:
        return []
    here = answers(wishes.asterisk)
    if not here.good:
        return [here]
    after = [*flavour.after, *(["asterisk -rx 'manager reload'"] if wishes.with_manager else [])]
    done = [run(command, wishes.asterisk) for command in after]
    return done + (run_checks(flavour.checks, wishes.asterisk) if checks else [])


def _config_file(option: str | None) -> Path:
    """The bridge's configuration, whether it is there or not.

    Raises:
        SettingsError: the one named does not exist.
    """
    try:
        return find_config(option, os.environ)
    except SettingsError:
        if option or os.environ.get(CONFIG_VARIABLE):
            raise
        return CONFIG_PLACES[-1]


def _section(config: Path, name: str) -> dict[str, str]:
    """The texts of a section, where it can be read: a secret's file may not be there yet."""
    try:
        section = tomllib.loads(config.read_text("utf-8")).get(name, {})
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in section.items() if isinstance(value, str)}


def _our_side(config: Path) -> OurSide:
    """What the configuration says of our AMI user.

    Raises:
        InstallRefused: the secret is said to be somewhere else than in a file.
    """
    ami = _section(config, "ami")
    if "secret" in ami or "secret_env" in ami:
        raise InstallRefused(
            f"{config}: ami",
            "the secret is not in a file",
            'write secret_file = "ami.secret" in place of it, and run this again',
        )
    named = ami.get("secret_file", "ami.secret")
    return OurSide(
        username=ami.get("username", "dialwarden"),
        secret_file=(config.parent / named).absolute(),
        configured="secret_file" in ami,
        config=config.absolute(),
    )
