"""A PostgreSQL of the benchmark's own, with as many attempts and opposed numbers as the ledger.

Owns a private cluster in the folder for temporary files, kept from one run to the next, on a Unix
socket only. PostgreSQL refuses to run as root: then it runs as the user of its package.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.bench.people import called_sql, opposed_sql

# Generous to it: everything stays in memory, and nothing else happens meanwhile.
_SETTINGS = (
    "listen_addresses=", "shared_buffers=2GB", "autovacuum=off", "jit=off", "max_wal_size=8GB",
)  # fmt: skip
_TABLES = """
CREATE TABLE opposed (number bigint NOT NULL);
INSERT INTO opposed SELECT {opposed} FROM generate_series(0, {numbers}::bigint - 1) AS i;
ALTER TABLE opposed ADD PRIMARY KEY (number);
CREATE TABLE attempt (
    id bigserial, number bigint NOT NULL, professional text NOT NULL, campaign text NOT NULL,
    call text NOT NULL, at timestamptz NOT NULL, state text NOT NULL
);
INSERT INTO attempt (number, professional, campaign, call, at, state)
SELECT {called}, 'bench', 'bench', '1760000000.' || i,
    now() - interval '60 days' * (1 - i::float / {attempts}) - interval '3 hours', 'settled'
FROM generate_series(0, {attempts}::bigint - 1) AS i;
CREATE INDEX attempt_by_number ON attempt (number, professional, at);
CREATE TABLE objection (number bigint NOT NULL, professional text NOT NULL, at timestamptz);
CREATE INDEX objection_by_number ON objection (number, professional);
VACUUM ANALYZE;
"""


class NoPostgres(Exception):
    """There is none on this machine, or it does not start."""


def _program(name: str) -> str:
    # Debian keeps most of them out of PATH; the newest version first.
    folders = sorted(
        (str(one) for one in Path("/usr/lib/postgresql").glob("*/bin")),
        key=lambda one: -float(Path(one).parent.name),
    )
    found = shutil.which(name, path=":".join([*folders, os.environ.get("PATH", "")]))
    if found is None:
        raise NoPostgres(f"PostgreSQL is not installed: no {name} (apt-get install postgresql)")
    return found


def _runs_as() -> pwd.struct_passwd:
    if os.geteuid():
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("PostgreSQL cannot run as root, and there is no user postgres")


class Postgres:
    """One running server; the end of a `with` block ends it.

    Attributes:
        folder: where its socket is.
        user: who may connect, and whom it runs as.
    """

    def __init__(self, attempts: int, numbers: int) -> None:
        fill = _TABLES.format(
            opposed=opposed_sql(numbers), numbers=numbers, called=called_sql(), attempts=attempts
        )
        who = _runs_as()
        self.user = who.pw_name
        self._ids = {} if os.geteuid() else {
            "user": who.pw_uid, "group": who.pw_gid, "extra_groups": [],
        }  # fmt: skip
        digest = hashlib.sha256(f"{fill}{_program('postgres')}".encode()).hexdigest()[:12]
        self.folder = Path(tempfile.gettempdir(), f"dialwarden-bench-postgres-{digest}")
        filled = self.folder / "filled"
        if not filled.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(mode=0o700)
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            self._run(
                "initdb", "-D", str(self.folder / "data"), "-U", self.user, "--auth=trust",
                "--no-sync", "-E", "UTF8", "--locale=C",
            )  # fmt: skip
        self._process = self._started()
        if not filled.exists():
            try:
                self.sql(fill)
            except BaseException:
                self.stop()
                raise
            filled.touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def environ(self) -> dict[str, str]:
        """How the peer finds it."""
        return {"BENCH_POSTGRES": str(self.folder), "BENCH_POSTGRES_USER": self.user}

    def sql(self, text: str) -> str:
        """What psql prints for some statements."""
        return self._run(
            "psql", "-h", str(self.folder), "-U", self.user, "-d", "postgres", "-X", "-q", "-t",
            "-A", "-v", "ON_ERROR_STOP=1", stdin=text,
        )  # fmt: skip

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # fast shutdown: clients are cut off
        self._process.wait(60)

    def _started(self) -> subprocess.Popen[bytes]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [_program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder),
                 *settings],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, **self._ids,
            )  # fmt: skip
            give_up = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < give_up:
                with suppress(NoPostgres):
                    self._run("psql", "-h", str(self.folder), "-U", self.user, "-d", "postgres",
                              "-c", "SELECT 1")  # fmt: skip
                    return process
                time.sleep(0.1)
            process.kill()
            process.wait()
            said.seek(0)
            raise NoPostgres(f"PostgreSQL does not start: {said.read().decode()[-500:]}")

    def _run(self, name: str, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [_program(name), *words], cwd=self.folder, input=stdin, text=True, check=False,
            capture_output=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, **self._ids,
        )  # fmt: skip
        if done.returncode:
            raise NoPostgres(f"{name}: {done.stderr[-500:]}")
        return done.stdout
