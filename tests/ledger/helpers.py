"""What the ledger's tests share: instants, callees, a period, and another process."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dialwarden
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.objections import NewObjection
from dialwarden.policy.retention import Keeping
from dialwarden.question import Door, Purpose

T0 = datetime(2026, 11, 2, 9, 30, 0, 123456, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
A = 33612345678
B = 33145678901

# A purge or an erasure, and a period of three years: EDGE is 2 November 2023, where that day began
# first, and so the first instant that stays.
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
EDGE = datetime(2023, 11, 1, 10, tzinfo=UTC)
TICK = timedelta(microseconds=1)
OVER = EDGE - TICK
LAW = Keeping(3, "law", silence_stays=False)


def day(days: float) -> datetime:
    return T0 + timedelta(days=days)


def attempt(number: int = A, at: datetime = T0, **more: object) -> NewAttempt:
    values: dict[str, object] = {
        "number": number,
        "professional": "acme",
        "campaign": "energy",
        "purpose": Purpose.SALES,
        "door": Door.AGI,
        "at": at,
        **more,
    }
    return NewAttempt(**values)  # type: ignore[arg-type]


def objection(number: int = A, at: datetime = T0, **more: object) -> NewObjection:
    values: dict[str, object] = {
        "number": number,
        "professional": "acme",
        "at": at,
        "recorded_at": at,
        "door": Door.CLI,
        **more,
    }
    return NewObjection(**values)  # type: ignore[arg-type]


def start_python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process with the package at hand; its standard output is a pipe."""
    source = Path(dialwarden.__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
