"""A configuration in a folder of its own, and the commands run in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from click.testing import CliRunner, Result

from dialwarden.cli import main
from dialwarden.ledger.connection import open_ledger, transaction

CONFIG = """
[store]
path = "var/ledger.db"

[defaults]
exempt = ["_3949"]

[trunks.carrier]
channel = "PJSIP/carrier"
dial = ["PJSIP/{number}@carrier"]
strip = "9"

[lists.house]
kind = "opposition"

[lists.weekly]
kind = "opposition"
max_age = "7 days"

[lists.staff]
kind = "exempt"
region = "FR"

[lists.lift]
kind = "exempt"

[campaigns.paris]
professional = "acme"
policy = "fr"
lists = ["house"]

[campaigns.plain]
professional = "acme"
policy = "none"
region = "FR"

[campaigns.plain.tighten]
caps = [{ max = 1, period = "1 day" }]

[campaigns.shadow]
professional = "acme"
policy = "fr"
enforce = false

[campaigns.weekly]
professional = "acme"
policy = "none"
region = "FR"
lists = ["weekly"]

[campaigns.rome]
professional = "bella"
policy = "it-assocontact"
"""


@dataclass
class Site:
    """What a command left behind is asked of `result`."""

    folder: Path

    @property
    def ledger(self) -> Path:
        return self.folder / "var" / "ledger.db"

    def run(self, *arguments: object, status: int = 0) -> Result:
        """Run a command; the configuration is named by the environment."""
        result = CliRunner(env={"DIALWARDEN_CONFIG": str(self.folder / "dialwarden.toml")}).invoke(
            main, [str(argument) for argument in arguments], prog_name="dialwarden"
        )
        assert result.exit_code == status, result.output
        return result

    def out(self, *arguments: object, status: int = 0) -> str:
        return self.run(*arguments, status=status).stdout

    def err(self, *arguments: object, status: int = 2) -> str:
        """What a command that fails says; it prints nothing on standard output."""
        result = self.run(*arguments, status=status)
        assert result.stdout == ""
        return result.stderr

    def json(self, *arguments: object, status: int = 0) -> Any:
        """What `--json` prints: JSON, and nothing else."""
        return json.loads(self.out(*arguments, "--json", status=status))

    def file(self, text: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with closing(open_ledger(self.ledger)) as conn, transaction(conn):
            yield conn
