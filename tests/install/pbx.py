"""An Asterisk folder and shipped files made for a test, and the command run on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dialwarden.cli import main

MANIFEST = """
title = "A PBX of the tests"
detect = ["toy_menu.conf"]

[[file]]
source = "asterisk/extensions_ours.conf"
target = "extensions_ours.conf"

[[file]]
source = "toy/extensions_toy.conf"
target = "extensions_toy.conf"

[[include]]
file = "extensions.conf"
line = "#include extensions_ours.conf"

[[include]]
file = "extensions_custom.conf"
line = "#include extensions_toy.conf"
contexts = ["toy-hook"]

[[by_hand]]
text = "Admin, Routes: name a campaign"

[[after]]
command = 'asterisk -rx "dialplan reload"'

[[check]]
command = 'asterisk -rx "dialplan show toy-hook"'
expect = "Gosub(dialwarden"
"""
OURS = "[ours]\nexten => s,1,Return()\n"
TOY = """; The hook.
[toy-hook]
exten => s,1,Gosub(dialwarden,check,1(${OUTNUM}))
 same => n,Return()

[toy-other]
exten => s,1,Return()
"""
PLAIN = """
title = "An extensions.conf of one's own"

[[file]]
source = "asterisk/extensions_ours.conf"
target = "extensions_ours.conf"

[[include]]
file = "extensions.conf"
line = "#include extensions_ours.conf"
"""
EXTENSIONS = b"[general]\nstatic=yes\n\n[from-internal]\nexten => 100,1,NoOp(caf\xe9)\n"
CUSTOM = b"[from-internal-custom]\r\nexten => 1,1,NoOp()\r\n; no end of line"


@dataclass
class Site:
    """Asterisk's folder `etc`, and what is shipped, `templates`."""

    folder: Path

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    def run(self, *arguments: object, status: int = 0, answer: str = "") -> Result:
        words = ["install", "--asterisk-dir", str(self.etc), *map(str, arguments)]
        env = {"DIALWARDEN_CONFIG": None}
        result = CliRunner(env=env).invoke(main, words, input=answer, prog_name="dialwarden")
        assert result.exit_code == status, result.output
        return result

    def json(self, *arguments: object, status: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def install(self, *arguments: object, status: int = 0) -> str:
        return self.run("--yes", *arguments, status=status).stdout

    def state(self) -> dict[str, tuple[bytes, int]]:
        """Every file of Asterisk's folder but the copies: bytes and mode."""
        return {
            str(path.relative_to(self.etc)): (path.read_bytes(), path.stat().st_mode)
            for path in sorted(self.etc.rglob("*"))
            if path.is_file() and "dialwarden.backup" not in path.parts
        }

    def read(self, name: str) -> bytes:
        return (self.etc / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        (self.etc / name).write_bytes(content)


def make_templates(folder: Path) -> None:
    for name, text in {
        "asterisk/extensions_ours.conf": OURS,
        "asterisk/manager_dialwarden.conf": (
            "; our user\n[dialwarden]\n;secret = CHANGE-ME\nread = call\nwrite = call\n"
        ),
        "toy/extensions_toy.conf": TOY,
        "toy/install.toml": MANIFEST,
        "toy/install-2.toml": MANIFEST.replace("toy_menu", "toy_menu2"),
        "plain/install.toml": PLAIN,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def make_etc(folder: Path) -> None:
    folder.mkdir()
    (folder / "extensions.conf").write_bytes(EXTENSIONS)
    (folder / "extensions_custom.conf").write_bytes(CUSTOM)
    (folder / "extensions.conf").chmod(0o640)
    (folder / "toy_menu.conf").write_bytes(b"")
