"""An Asterisk of its own that runs the dialplan: the installed program, nothing of the running one.

Owns its folder, its configuration and its process. It opens no SIP, no AMI and no port at all: its
console is a socket in its folder, and what became of a call it tells over AGI, to `Reporter`.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from dialwarden.errors import SelftestError
from dialwarden.selftest.children import start
from dialwarden.selftest.plugs import CAMPAIGN, Told
from dialwarden.selftest.reporter import Reporter

START_S = 30.0
STOP_S = 10.0
# The slowest way to fail takes two seconds, and a machine may be busy.
CALL_S = 20.0
# Beyond every timeout that could have taken a call out of AGI().
HELD_S = 5.0

# However it is written: hagi:// too, which would look 127.0.0.1 up in DNS, and without a script.
_ADDRESS = re.compile(r"h?(agi://)[^/,)\s]+")
# What the head of the shipped dialplan names (res_agi leans on res_speech), what a Local channel
# needs, and ours: a console that originates, and text that goes into a URL.
_MODULES = (
    "pbx_config res_clioriginate res_speech res_agi app_dial app_exec app_originate app_playback "
    "app_stack app_verbose func_callerid func_channel func_cut func_dialplan func_logic func_md5 "
    "func_strings func_timeout func_uri bridge_simple format_pcm codec_ulaw"
)
_FOLDERS = {
    "astetcdir": "etc", "astvarlibdir": "lib", "astdbdir": "lib", "astkeydir": "lib",
    "astcachedir": "cache", "astspooldir": "spool", "astrundir": "run", "astlogdir": "log",
}  # fmt: skip
# The trunk's place is taken by a context that tells of each call and takes none.
_CALLER = """
[general]
static=yes
writeprotect=yes

[dialwarden-selftest-caller]
exten => _X.,1,Set(__SELFTEST_CALL=${{SELFTEST_NOW}})
 same => n,Gosub(dialwarden,check,1(${{EXTEN}},{campaign}))
 same => n,AGI(agi://{reporter}/told,call=${{SELFTEST_CALL}},verdict=${{DIALWARDEN_VERDICT}},rule=${{DIALWARDEN_RULE}},\
agi=${{AGISTATUS}},reason=${{URIENCODE(${{DIALWARDEN_REASON}})}})
 same => n,GotoIf($["${{DIALWARDEN_VERDICT}}" != "ALLOW"]?no)
 same => n,Dial(Local/${{FILTER(0-9,${{DIALWARDEN_NUMBER}})}}@dialwarden-selftest-trunk/n,10)
 same => n,Hangup(${{HANGUPCAUSE}})
 same => n(no),Hangup(21)
exten => h,1,AGI(agi://{reporter}/ended,call=${{SELFTEST_CALL}},cause=${{HANGUPCAUSE}})

[dialwarden-selftest-trunk]
exten => _X.,1,AGI(agi://{reporter}/left,call=${{SELFTEST_CALL}})
 same => n,Hangup(17)

#include extensions_dialwarden.conf
"""


def readdressed(dialplan: str, port: int) -> str:
    """A dialplan that asks on 127.0.0.1 `port` wherever it asks: it reaches no bridge in use."""
    return _ADDRESS.sub(rf"\g<1>127.0.0.1:{port}", dialplan)


class ScratchAsterisk:
    """Runs while it is entered.

    Args:
        program: the `asterisk` to run.
        dialplan: the text of extensions_dialwarden.conf; its address becomes our `port`.
        installed: astmoddir and astdatadir, where they are not as the program was built.

    Raises:
        SelftestError: it did not come up; the message has its last lines.
    """

    def __init__(
        self, program: str, dialplan: str, port: int, installed: Mapping[str, str] | None = None
    ) -> None:
        self._program = program
        self._dialplan = readdressed(dialplan, port)
        self._installed = installed or {}
        self._reporter = Reporter()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="dialwarden-selftest-"))
        try:
            self._write()
            self._process = start(
                [self._program, "-f", "-C", str(self._conf)], self._folder / "log" / "stdout"
            )
        except BaseException:
            self._reporter.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        try:
            self._wait_until_it_is_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reporter.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def version(self) -> str:
        """ "Asterisk 22.10.1"."""
        said = subprocess.run(
            [self._program, "-V"], capture_output=True, text=True, errors="replace"
        )
        return said.stdout.strip()

    def call(self, number: str, *, may_hang: bool = False) -> Told:
        """Let somebody dial a number; what became of it.

        Args:
            may_hang: a call that is not over after some seconds is told as it is then.

        Raises:
            SelftestError: nothing was told of the call.
        """
        with self._reporter.call() as call:
            self._console(f"dialplan set global SELFTEST_NOW {call.id}")
            said = self._console(
                f"channel originate Local/{number}@dialwarden-selftest-caller/n application Wait 30"
            )
            if not call.over.wait(HELD_S if may_hang else CALL_S) and not may_hang:
                tail = " / ".join(self._last_lines(5))
                raise SelftestError(
                    f"a call to {number} in an Asterisk of its own did not end within "
                    f"{CALL_S:.0f} s (console: {said.strip() or 'nothing'}; log: {tail})"
                )
            return call.told()

    @property
    def _conf(self) -> Path:
        return self._folder / "etc" / "asterisk.conf"

    def _write(self) -> None:
        for name in {*_FOLDERS.values(), "moh"}:
            (self._folder / name).mkdir()
        places = [f"{key} => {self._folder / name}" for key, name in _FOLDERS.items()]
        places += [f"{key} => {place}" for key, place in self._installed.items()]
        files = {
            "asterisk.conf": "\n".join(
                ["[directories]", *places, "[options]", "nocolor=yes", "hideconnect=yes", ""]
            ),
            "modules.conf": "[modules]\nautoload=no\n"
            + "".join(f"load={name}.so\n" for name in _MODULES.split()),
            "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error\n",
            "extensions.conf": _CALLER.format(campaign=CAMPAIGN, reporter=self._reporter.address),
            "extensions_dialwarden.conf": self._dialplan,
        }
        for name, text in files.items():
            (self._folder / "etc" / name).write_text(text, "utf-8")

    def _wait_until_it_is_up(self) -> None:
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if "fully booted" in self._console("core waitfullybooted"):
                self._check_dialplan()
                return
            time.sleep(0.05)  # its console is not there yet: nothing to be told of it by
        raise SelftestError(
            "an Asterisk of its own did not come up: " + " / ".join(self._last_lines(5))
        )

    def _check_dialplan(self) -> None:
        if "'check'" not in self._console("dialplan show check@dialwarden"):
            raise SelftestError(
                "the dialplan has no Gosub(dialwarden,check,1(…)): it is not "
                "extensions_dialwarden.conf; name that file with --dialplan"
            )

    def _console(self, line: str) -> str:
        try:
            done = subprocess.run(
                [self._program, "-C", str(self._conf), "-rx", line],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=START_S,
            )
        except subprocess.TimeoutExpired:
            raise SelftestError(
                f"the console of an Asterisk of its own did not answer within {START_S:.0f} s: "
                + " / ".join(self._last_lines(5))
            ) from None
        return done.stdout

    def _last_lines(self, count: int) -> list[str]:
        log = self._folder / "log"
        lines: list[str] = []
        for name in ("stdout", "full"):
            if (log / name).exists():
                lines += (log / name).read_text("utf-8", errors="replace").splitlines()
        return lines[-count:]
