"""`dialwarden policy lint`: a policy file looked through before anybody is judged by it.

Owns the command and what it prints; what is found is `policy.lint`'s to say.
"""

from __future__ import annotations

from pathlib import Path

import click

from dialwarden.cli.common import config_option, file_argument, json_option, utc_now
from dialwarden.cli.output import counted, print_json, printable
from dialwarden.cli.policy_files import policies_beside
from dialwarden.errors import Problem, SettingsError
from dialwarden.policy import lint as linter
from dialwarden.settings.reader import decode_document


@click.command("lint", short_help="What is wrong or doubtful in a policy file.")
@file_argument
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
@config_option
@json_option
@click.pass_context
def lint(ctx: click.Context, file: Path, strict: bool, config: str | None, as_json: bool) -> None:
    """Look through a policy FILE as the bridge would read it.

    Errors come first: for each of them the bridge would not start. Warnings are what it takes and
    its author may not have meant. Exit status 1 when there is an error.
    """
    found = _look(file, config)
    if as_json:
        print_json(
            {
                "file": str(file),
                "errors": [_plain(problem) for problem in found.errors],
                "warnings": [_plain(problem) for problem in found.warnings],
            }
        )
    else:
        for problem in found.errors:
            click.echo(printable(str(problem)))
        for problem in found.warnings:
            click.echo(printable(f"{problem.file}:{problem.line}: warning: {_keyed(problem)}"))
        if not found.errors and not found.warnings:
            click.echo(f"{file}: nothing found")
        else:
            errors, warnings = len(found.errors), len(found.warnings)
            click.echo(f"{file}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    ctx.exit(1 if found.errors or (strict and found.warnings) else 0)


def _look(file: Path, config: str | None) -> linter.Findings:
    bases, taken = policies_beside(file, config)
    try:
        text = decode_document(file.read_bytes(), str(file))
    except SettingsError as error:
        return linter.Findings(error.problems, ())
    return linter.lint(text, str(file), bases=bases, taken=taken, today=utc_now().date())


def _keyed(problem: Problem) -> str:
    return f"{problem.key}: {problem.message}" if problem.key else problem.message


def _plain(problem: Problem) -> dict[str, object]:
    return {"line": problem.line, "key": problem.key, "message": problem.message}
