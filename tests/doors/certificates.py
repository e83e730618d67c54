"""Certificates made for a test, by the openssl program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pair:
    cert: Path
    key: Path


def self_signed(directory: Path, name: str = "asterisk.test", file: str = "server") -> Pair:
    """A certificate for that name and for 127.0.0.1, and its key."""
    pair = Pair(directory / f"{file}.pem", directory / f"{file}.key")
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
        "-keyout", str(pair.key), "-out", str(pair.cert),
    )  # fmt: skip
    return pair


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
