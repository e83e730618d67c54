"""This machine: its clock, its disk, and who may read what.

Owns the figures from which on a person is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dialwarden.doctor.check_manager import unseen, with_asterisk
from dialwarden.doctor.finding import Item, Status, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import Asterisk, Disk, FileFact, Missing, Snapshot

_MIB = 1 << 20
_GIB = 1 << 30
_WAL_LARGE = 256 * _MIB
_CLOCKS_DIFFER_S, _CLOCKS_FAR_S = 2.0, 60.0
_DAYS_OF_DISK = 30
_READABLE = 0o044
_WRITABLE = 0o022


def clock(seen: Snapshot) -> Iterator[Item]:
    """clock: does somebody keep it right?"""
    synchronised = seen.host.synchronised
    if isinstance(synchronised, Missing):
        yield unseen(synchronised)
    elif synchronised:
        yield ok("this machine's clock is synchronised")
    else:
        yield warning(
            "this machine's clock is not synchronised: hours and caps are judged by it",
            "run chrony or systemd-timesyncd (timedatectl set-ntp true); or, where the host of a "
            "container does it, accept it in [doctor]: clock",
        )


@with_asterisk
def asterisk_clock(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """clock.asterisk: is it Asterisk's time too?"""
    ahead = asterisk.clock_ahead_s
    if isinstance(ahead, Missing):
        yield unseen(ahead)
        return
    how = f"Asterisk's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) > _CLOCKS_FAR_S:
        yield failure(how, "set both machines right, and keep them so: chrony")
    elif abs(ahead) > _CLOCKS_DIFFER_S:
        yield warning(how, "keep both machines' clocks by the same servers: chrony")
    else:
        yield ok("Asterisk's clock agrees with ours")


def ledger_clock(seen: Snapshot) -> Iterator[Item]:
    """clock.ledger: nothing on record lies in the future."""
    if isinstance(seen.ledger, Missing):
        yield unseen(seen.ledger)
        return
    newest = seen.ledger.newest
    if newest is not None and newest - seen.now > timedelta(minutes=1):
        yield failure(
            f"the newest call on record is of {newest:%Y-%m-%d %H:%M:%S} UTC, which is later than "
            "now: this clock is behind, or was ahead then",
            "correct the clock; what was recorded ahead counts until its time is past",
        )
    else:
        yield ok("nothing on record lies in the future")


def zones(seen: Snapshot) -> Iterator[Item]:
    """clock.zones: the time-zone data."""
    year = seen.zones[:4]
    if year.isdigit() and int(year) < seen.now.year - 1:
        yield warning(
            f"time-zone data {seen.zones} is more than a year old",
            "upgrade dialwarden, or its package tzdata: pip install -U tzdata",
        )
    else:
        yield ok(f"time-zone data {seen.zones}")


def disk(seen: Snapshot) -> Iterator[Item]:
    """disk: room for the ledger. A full disk refuses every call."""
    found = seen.host.disk
    if isinstance(found, Missing):
        yield unseen(found)
        return
    where = f"the file system of {seen.config.store.path}"
    free = f"{found.free / _GIB:.1f} GiB free of {found.total / _GIB:.0f}"
    do = "make room, or move the ledger: a full disk refuses every call as unavailable"
    shares = [found.free / max(found.total, 1)]
    if found.inodes:
        shares.append(found.inodes_free / found.inodes)
    if min(shares) < 0.01 or found.free < 200 * _MIB:
        yield failure(f"{where} is as good as full: {free}, {_inodes(found)}", do)
    elif min(shares) < 0.05 or found.free < _GIB:
        yield warning(f"{where} is nearly full: {free}, {_inodes(found)}", do)
    else:
        yield from _growth(seen, found, free)


def _inodes(found: Disk) -> str:
    return f"{found.inodes_free:,} inodes free" if found.inodes else "inodes without limit"


def _growth(seen: Snapshot, found: Disk, free: str) -> Iterator[Item]:
    ledger, file = seen.ledger, seen.host.files["ledger"]
    if isinstance(ledger, Missing) or isinstance(file, Missing) or not ledger.rows_month:
        yield ok(free)
        return
    a_day = file.size * ledger.rows_month / max(ledger.rows, 1) / 30
    days = found.free / max(a_day, 1)
    grows = f"the ledger grows by some {a_day / _MIB:.1f} MiB a day"
    if days < _DAYS_OF_DISK:
        yield warning(
            f"{free}; {grows}: full in {days:.0f} days",
            "make room, or purge what is over: docs/operating.md, [retention]",
        )
    else:
        yield ok(f"{free}; {grows}")


def wal(seen: Snapshot) -> Iterator[Item]:
    """disk.wal: the log beside the ledger is brought in now and then."""
    fact = seen.host.files["wal"]
    if isinstance(fact, Missing):
        yield ok("no -wal: nobody has the ledger open")
    elif fact.size > _WAL_LARGE:
        yield warning(
            f"{fact.path} has {fact.size / _MIB:.0f} MiB: something reads the ledger for long, or "
            "nothing brings its log in",
            "look for long readers (a backup, sqlite3, a report), then restart the bridge",
        )
    else:
        yield ok(f"{fact.size / _MIB:.1f} MiB")


# What each is, and what a foreign reader or writer of it could do.
_KEPT = (
    ("ledger", _READABLE | _WRITABLE, "it holds callees' numbers", "chmod 0600"),
    ("wal", _READABLE | _WRITABLE, "it holds callees' numbers", "chmod 0600"),
    ("folder", 0o002, "the ledger could be taken away in it", "chmod o-w"),
    ("config", _WRITABLE, "who writes it decides who is called", "chmod go-w"),
    ("secret", _READABLE | _WRITABLE, "it holds the secret of [ami]", "chmod 0600"),
    ("manager", 0o006, "it holds every AMI user's secret", "chmod o-rw"),
)


def rights(seen: Snapshot) -> Iterator[Item]:
    """files: who may read and write what is secret or decides."""
    good = 0
    for what, wrong, why, do in _KEPT:
        fact = seen.host.files[what]
        if what == "config" and _holds_secret(seen):
            wrong, why, do = _READABLE | _WRITABLE, "it holds the secret of [ami]", "chmod 0600"
        if isinstance(fact, Missing):
            if fact.why:
                yield unknown(f"{what}: {fact.why}", fact.do, what)
        elif fact.mode & wrong:
            yield _too_open(fact, fact.mode & wrong, why, do, what)
        else:
            good += 1
    if good:
        yield ok(f"none of {good} files and folders is open to others (seen by {seen.host.user})")


def _too_open(fact: FileFact, bits: int, why: str, do: str, what: str) -> Item:
    who = "anybody" if bits & 0o007 else "its group"
    may = "write" if bits & _WRITABLE else "read"
    return Item(
        Status.FAILURE if bits & 0o007 else Status.WARNING,
        f"{fact.path} (mode {fact.mode:04o}, of {fact.owner}): {who} may {may} it; {why}",
        f"{do} {fact.path}",
        what,
    )


def _holds_secret(seen: Snapshot) -> bool:
    ami = seen.config.ami
    return bool(ami and not ami.secret_file and not ami.secret_env)


def backup(seen: Snapshot) -> Iterator[Item]:
    """backup: nobody here knows of one."""
    yield note(
        "whether there is a backup is not known here",
        "dialwarden ledger backup FILE each day, and ledger verify FILE: docs/operating.md",
    )


def ledger(seen: Snapshot) -> Iterator[Item]:
    """ledger: it opens, and is this version's."""
    if isinstance(seen.ledger, Missing):
        yield failure(f"{seen.config.store.path}: {seen.ledger.why}", seen.ledger.do)
    else:
        yield ok(f"{seen.config.store.path}; calls and refusals ever: {seen.ledger.rows:,}")
