"""Time zones from the pinned `tzdata` package, and which version of them: part of the evidence.

A verdict must be explicable two years later, so the zones do not come from whatever the machine's
own files happen to hold. Importing this module makes it so for the whole process.
"""

from __future__ import annotations

import zoneinfo
from typing import Final

import tzdata as data  # type: ignore[import-untyped]

zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()

VERSION: Final[str] = data.IANA_VERSION
