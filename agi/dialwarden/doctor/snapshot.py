"""What the doctor looks at: values, gathered at one moment.

Owns their shape. What could not be seen is a `Missing` with why, never an empty value: an Asterisk
that does not answer has no trunks that are all named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

from dialwarden.doctor.dialplan_text import Dialplan
from dialwarden.settings.config import Config

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be looked at.

    Attributes:
        why: one sentence, without a full stop.
        do: how to have it looked at.
    """

    why: str
    do: str = ""


Seen: TypeAlias = T | Missing


@dataclass(frozen=True, slots=True)
class ManagerUser:
    """An AMI user; classes of rights as manager.conf names them."""

    name: str
    read: frozenset[str]
    write: frozenset[str]
    has_acl: bool = False


@dataclass(frozen=True, slots=True)
class Manager:
    """Asterisk's manager interface.

    Attributes:
        tcp, tls: host:port that it listens on; "" where it does not.
        web: whether `webenabled` is set.
    """

    web: bool
    tcp: str
    tls: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A way to or from a telephone or a carrier, as Asterisk has it.

    Attributes:
        channel: `PJSIP/carrier`.
        why_trunk: why it looks like a way out; "" for a telephone.
        context: where its calls come in; "" when that is not known.
        redirect: PJSIP's redirect_method; "" when that is not known.
        may_refer: whether its far end may transfer calls; None: not known.
    """

    channel: str
    why_trunk: str = ""
    context: str = ""
    redirect: str = ""
    may_refer: bool | None = None


@dataclass(frozen=True, slots=True)
class AriUser:
    name: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Asterisk:
    """What the running Asterisk says of itself.

    Attributes:
        via: how it was asked: `AMI`, `asterisk -rx`.
        variables: global ones of the dialplan, by name.
        endpoints: of PJSIP, SIP and IAX2.
        technologies: channel drivers, in capitals.
        http: whether Asterisk's HTTP server runs.
        spool: of call files, where pbx_spool is loaded; None: it is not.
        folder: of its configuration, on its own file system.
        clock_ahead_s: how far its clock is ahead of ours.
        selftest: what its dialplan says the bridge answered: `REFUSE number: …`.
    """

    via: str
    version: Seen[str]
    dialplan: Seen[Dialplan]
    variables: Seen[Mapping[str, str]]
    manager: Seen[Manager]
    users: Seen[tuple[ManagerUser, ...]]
    endpoints: Seen[tuple[Endpoint, ...]]
    technologies: Seen[frozenset[str]]
    http: Seen[bool]
    ari_users: Seen[tuple[AriUser, ...]]
    spool: Seen[Path | None]
    folder: Seen[Path]
    clock_ahead_s: Seen[float]
    selftest: Seen[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bridge answered to a peek."""

    verdict: str
    rules: str
    reason: str


@dataclass(frozen=True, slots=True)
class BridgeSide:
    """The bridge, asked over HTTP and AGI.

    Attributes:
        health: the document of `/healthz`.
        answers: to a question a campaign; the key "" where none is configured.
    """

    health: Seen[Mapping[str, object]]
    answers: Mapping[str, Seen[Answer]]


@dataclass(frozen=True, slots=True)
class ListFact:
    """A list as the ledger has it; `imported_at` is None where it never was."""

    name: str
    as_of: date | None
    imported_at: datetime | None
    count: int
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Override:
    """Rules that somebody has put aside for a while; `rules` joined for a person."""

    id: int
    campaign: str
    rules: str
    until: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class LedgerSide:
    """The ledger, read.

    Attributes:
        newest: instant of the latest attempt or refusal on record; None for an empty ledger.
        rows: attempts and refusals ever; `rows_month` of them within 30 days.
    """

    lists: Mapping[str, ListFact]
    newest: datetime | None
    rows: int
    rows_month: int
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file or folder: its length, and who may do what.

    Attributes:
        mode: the permission bits.
        owner: name or number.
    """

    path: Path
    mode: int
    owner: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system, in bytes; inodes are 0 where it has no fixed number of them."""

    free: int
    total: int
    inodes_free: int
    inodes: int


@dataclass(frozen=True, slots=True)
class Host:
    """This machine.

    Attributes:
        files: by what they are: ledger, wal, folder, config, secret, manager, spool.
        weak_users: users of manager.conf whose secret is one that everybody knows.
        synchronised: whether the kernel holds its clock to be.
        user: whom the doctor runs as.
    """

    files: Mapping[str, Seen[FileFact]]
    disk: Seen[Disk]
    synchronised: Seen[bool]
    weak_users: Seen[tuple[str, ...]]
    user: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything, at one moment.

    Attributes:
        now: aware, UTC.
        secret: what is wrong with our own AMI secret; "" for nothing.
        shipped: the dialplan of this version; `flavours` what it has for products.
        version: of this program; `zones` of its time-zone data.
        ami: whether our AMI user could log in; True without `[ami]`.
    """

    now: datetime
    config: Config
    version: str
    zones: str
    shipped: Dialplan
    flavours: Dialplan
    asterisk: Seen[Asterisk]
    bridge: BridgeSide
    ledger: Seen[LedgerSide]
    host: Host
    ami: Seen[bool] = True
    secret: str = ""
