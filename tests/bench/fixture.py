"""A ledger to measure on: so many past attempts, an opposition list of so many numbers.

Owns how it is made, quickly, and the configuration beside it. The attempts are written in bulk by
SQL, into the tables that the program itself made: what millions of questions would have left. What
was made is kept in the user's cache folder, by what it was made from, and copied for each use.

Two campaigns ask about the same callees. `bench` has a policy of its own with a figure for every
rule, and hours that are open at any time, so that each rule runs and none decides; `house` has no
law and the house's own caps, hours and gap.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pyroaring import BitMap64
from tests.bench.people import called_sql, opposed_numbers, opposed_sql

from dialwarden.ledger import lists, schema
from dialwarden.ledger.connection import open_ledger, transaction

POLICY = """
id = "bench"
title = "Every rule, and none that decides"
country = "FR"
binds = "The benchmark."

[sources.bench]
text = "The benchmark"
article = "open at any time"
read = 2026-01-01
confidence = "primary"

[[regimes]]
id = "bench-2026"
title = "Every rule"
from = 2020-01-01
purposes = ["sales"]

[regimes.hours]
mon-sun = ["00:00-24:00"]
eve = ["00:00-24:00"]
source = "bench"

[regimes.holidays]
calendar = "FR"
open_for = ["sales"]
regional = "advisory"
subdivisions = true
source = "bench"

[[regimes.caps]]
max = 4
period = "30 days"
source = "bench"

[[regimes.gaps]]
period = "2 hours"
source = "bench"

[[regimes.gaps]]
period = "72 hours"
after = "silent"
source = "bench"

[regimes.objection]
until = "consent"
source = "bench"

[[regimes.lists]]
name = "national"
max_age = "3650 days"
source = "bench"

[regimes.consent]
required = true
when = "automatic"
max_years = 1
waives = ["hours", "holiday"]
source = "bench"

[regimes.appointments]
tolerance = "10 minutes"
waives = ["hours", "holiday"]
source = "bench"

[[regimes.sectors]]
sectors = ["electricity", "gas"]
source = "bench"

[[regimes.caller_id]]
identified = true
forbidden = ["+336", "+337"]
source = "bench"
"""
_CONFIG = """
[store]
path = "ledger.db"
[agi]
listen = "127.0.0.1:{port}"
[http]
listen = "127.0.0.1:0"
[log]
level = "{level}"
[policies]
path = "policies"
[lists.national]
kind = "opposition"
[campaigns.bench]
professional = "bench"
policy = "bench"
region = "FR"
sector = "insurance"
dial = "manual"
[campaigns.house]
professional = "bench"
policy = "none"
region = "FR"
lists = ["national"]
[campaigns.house.tighten]
hours = {{ mon-sun = ["00:00-24:00"] }}
caps = [{{ max = 4, period = "30 days" }}]
gap = "2 hours"
"""
_DAY_S = 24 * 3600
_DAY_US = _DAY_S * 1_000_000
# In the order of time, as they would have come; of some numbers there are two, weeks apart.
_ATTEMPTS = """
WITH RECURSIVE row (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM row WHERE i < {count} - 1)
INSERT INTO attempt (
    number, professional, campaign, purpose, door, call, asked_by, caller_id, dialling, zones, at,
    state, outcome, dialled_at, rang_at, ended_at, settled_at, basis_id
)
SELECT {number}, 'bench', 'bench', 'sales', 'agi', '1760000000.' || i,
    printf('PJSIP/agent-%08x', i), '+33142123456', 'manual', 'Europe/Paris',
    :first + i * {step}, 'settled', 'no_answer', :first + i * {step}, :first + i * {step} + 4000000,
    :first + i * {step} + 30000000, :first + i * {step} + 30000000, 1
FROM row
"""


def cache_folder() -> Path:
    """Where what takes long to make is kept between runs."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = kept / "dialwarden" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for one run, beside what is cached: on a disk.

    Where temporary files are kept in memory a commit would be free. Told to end, the run ends in
    order: servers are stopped, and gigabytes of copies do not stay behind.
    """
    for left in cache_folder().glob("run-*"):  # of one that was killed
        if time.time() - left.stat().st_mtime > _DAY_S:
            shutil.rmtree(left, ignore_errors=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache_folder()) as folder:
        yield Path(folder)


def ledger(attempts: int, numbers: int) -> Path:
    """A ledger of the cache with so many attempts and a list of so many; made when absent.

    Not to be written to: copy it.
    """
    made_from = (
        _ATTEMPTS.encode(),
        called_sql().encode(),
        opposed_sql(max(1, numbers)).encode(),
        *(migration.sql.encode() for migration in schema.MIGRATIONS),
    )
    digest = hashlib.sha256(b"\0".join(made_from)).hexdigest()[:12]
    path = cache_folder() / f"ledger-{attempts}-{numbers}-{digest}.db"
    if not path.exists():
        for former in path.parent.glob(f"ledger-{attempts}-{numbers}-*.db"):
            former.unlink()
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        _make(part, attempts, numbers)
        part.rename(path)
    return path


def _make(path: Path, attempts: int, numbers: int) -> None:
    now = datetime.now(UTC)
    with closing(open_ledger(path)) as conn:
        with transaction(conn):
            conn.execute(
                "INSERT INTO basis (id, digest, regime, policy, policy_sha256, lists, tzdata,"
                " program, config_sha256) VALUES (1, x'00', '', '', '', '', '', '', '')"
            )
        if numbers:
            listed = BitMap64()
            for part in opposed_numbers(numbers):
                listed |= BitMap64(part)
            lists.import_version(
                conn, "national", listed, as_of=now.date(), imported_at=now, source="bench",
                sha256="bench",
            )  # fmt: skip
        else:
            lists.import_version(
                conn, "national", BitMap64(), as_of=now.date(), imported_at=now, source="bench",
                sha256="bench",
            )  # fmt: skip
    if attempts:
        _insert_attempts(path, attempts, now)


def _insert_attempts(path: Path, count: int, now: datetime) -> None:
    """Rows first, indexes behind them: sorting five million is quicker than inserting them."""
    newest = int(now.timestamp() * 1e6) - _DAY_US // 8
    step = 60 * _DAY_US // count
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("PRAGMA cache_size = -500000")
        conn.execute("BEGIN")
        indexes = conn.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'index' AND tbl_name = 'attempt' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            conn.execute(f"DROP INDEX {name}")
        conn.execute(
            _ATTEMPTS.format(count=count, number=called_sql(), step=step),
            {"first": newest - count * step},
        )
        for _, sql in indexes:
            conn.execute(sql)
        conn.execute("COMMIT")


class Place:
    """A folder with a copy of such a ledger and a configuration; remove it by `clear`.

    Attributes:
        config: the configuration file, to start a bridge on.
        port: that it names.
    """

    def __init__(self, folder: Path, attempts: int, numbers: int, *, level: str = "info") -> None:
        self.folder = folder
        self.attempts = attempts
        self.numbers = numbers
        self.port = _free_port()
        folder.mkdir(parents=True)
        (folder / "policies").mkdir()
        (folder / "policies" / "bench.toml").write_text(POLICY)
        self.config = folder / "dialwarden.toml"
        self.config.write_text(_CONFIG.format(port=self.port, level=level))
        self.ledger = folder / "ledger.db"
        shutil.copyfile(ledger(attempts, numbers), self.ledger)

    def reserved(self) -> int:
        """How many attempts count in the ledger beyond those that it was made with.

        One whose answer came too late was refused to whoever asked, and is voided.
        """
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as conn:
            found: int = conn.execute(
                "SELECT count(*) FROM attempt WHERE id > ? AND voided_at IS NULL", (self.attempts,)
            ).fetchone()[0]
        return found

    def clear(self) -> None:
        with suppress(OSError):
            shutil.rmtree(self.folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port
