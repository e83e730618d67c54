"""The dialplan as this version ships it: beside the package when installed, else in the tree."""

from __future__ import annotations

from pathlib import Path

import dialwarden
from dialwarden.errors import DialwardenError

_NAME = Path("asterisk", "extensions_dialwarden.conf")


def shipped_dialplan() -> str:
    """The text of the shipped extensions_dialwarden.conf.

    Raises:
        DialwardenError: the installation is not whole.
    """
    package = Path(dialwarden.__file__).parent
    for folder in (package / "templates", package.parents[1] / "config"):
        file = folder / _NAME
        if file.is_file():
            return file.read_text("utf-8")
    raise DialwardenError(f"{_NAME} of dialwarden's own is missing: install it again")
