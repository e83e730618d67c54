"""Every error that dialwarden raises on purpose.

    DialwardenError
    ├── SettingsError          a file of ours is wrong: configuration, policy (holds all problems)
    ├── LedgerError
    │   ├── LedgerUnavailable  locked, disk full, gone: the answer is `unavailable`, try again
    │   └── LedgerBroken       not ours, newer than us, corrupt: a person is needed
    ├── ImportRefused          a file of somebody's is wrong as a whole (list, history, CSV)
    ├── InstallRefused         Asterisk's folder, or a file in it, is not one to be written to
    ├── ListenError            an address cannot be listened on
    ├── TlsError               a certificate or a key cannot be used (doors/tls.py)
    ├── SelftestError          the self-test itself could not be carried out
    └── LinkDown, …            between us and Asterisk's manager interface (link/errors.py)

Errors keep their arguments as attributes; the sentence is made from them. The wire's own errors
(whose fault was it: the peer's or ours) live beside the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class DialwardenError(Exception):
    """Base of all errors that dialwarden raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, what was found, what is allowed.

    Attributes:
        file: path as the user gave it.
        key: dotted key, "" for the file as a whole.
        line: 1-based, 0 when it cannot be told.
        message: what was found and what is allowed, one sentence without the place.
    """

    file: str
    key: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class SettingsError(DialwardenError):
    """A configuration or policy file is wrong; `problems` names every fault found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class LedgerError(DialwardenError):
    """The ledger could not do what was asked of it."""

    def __init__(self, path: Path | str, what: str, do: str = "") -> None:
        self.path = str(path)
        self.what = what
        self.do = do
        super().__init__(f"ledger {path}: {what}" + (f"; {do}" if do else ""))


class LedgerUnavailable(LedgerError):
    """Locked, full, gone: it may come back by itself; until then every answer is a refusal."""


class LedgerBroken(LedgerError):
    """Not a ledger of ours, newer than this program, or corrupt: a person is needed."""


class ImportRefused(DialwardenError):
    """A file to import is wrong as a whole; nothing of it went in."""

    def __init__(self, file: str, what: str, do: str = "", line: int = 0) -> None:
        self.file = file
        self.what = what
        self.do = do
        self.line = line
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {what}" + (f"; {do}" if do else ""))


class InstallRefused(DialwardenError):
    """Our files cannot be put into a folder, or taken out of it."""

    def __init__(self, place: str, what: str, do: str = "") -> None:
        self.place = place
        self.what = what
        self.do = do
        super().__init__(f"{place}: {what}" + (f"; {do}" if do else ""))


class ListenError(DialwardenError):
    """An address cannot be listened on."""

    def __init__(self, address: str, what: str, do: str = "") -> None:
        self.address = address
        self.what = what
        self.do = do
        super().__init__(f"cannot listen on {address}: {what}" + (f"; {do}" if do else ""))


class SelftestError(DialwardenError):
    """The self-test could not be carried out: that is neither a proof nor its opposite."""
