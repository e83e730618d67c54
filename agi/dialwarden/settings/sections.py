"""Every section of the configuration file that stands on its own: each setting once, with its
form, its default and its help.

Owns what may be said. Refuses to know where it was read from, and the campaigns: they lean on
policies and have a module of their own.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path

from dialwarden.numbers.patterns import compile_pattern
from dialwarden.settings.forms import (
    ADDRESS,
    BOOLEAN,
    CLOCK_TIME,
    DAYS,
    DIALS,
    ENDPOINT,
    HOST,
    LABELS,
    NETWORKS,
    PATH,
    REGION,
    SECRET,
    STRIP,
    TEXT,
    Address,
    Network,
    Secret,
    duration,
    list_of,
    one_of,
    optional,
    setting,
    size,
    whole,
)


class GuardMode(enum.StrEnum):
    REPORT = "report"  # logged, let go
    HANGUP = "hangup"
    OFF = "off"


class LogFormat(enum.StrEnum):
    JSON = "json"
    CONSOLE = "console"
    JOURNAL = "journal"


class Language(enum.StrEnum):
    ENGLISH = "en"
    FRENCH = "fr"
    ITALIAN = "it"


class Numbers(enum.StrEnum):
    """How callees' numbers stand in the log."""

    MASKED = "masked"
    CLEAR = "clear"


class Level(enum.StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ListKind(enum.StrEnum):
    OPPOSITION = "opposition"
    EXEMPT = "exempt"


def _pattern(text: str) -> str:
    compile_pattern(text)
    return text


PATTERNS = list_of("an array of Asterisk patterns", _pattern)


@dataclass(frozen=True, slots=True)
class Store:
    """[store]: where attempts, objections, consents, lists and refusals are kept."""

    path: Path = setting(
        PATH, Path("var/dialwarden.db"), "The ledger, an SQLite file; made when absent."
    )


@dataclass(frozen=True, slots=True)
class Agi:
    """[agi]: the FastAGI server that the dialplan asks."""

    listen: Address = setting(ADDRESS, Address("127.0.0.1", 4580), "Where it listens.")
    allow_from: tuple[Network, ...] = setting(
        NETWORKS,
        (ipaddress.ip_network("127.0.0.0/8"),),
        "Peers that may ask; others are closed at once.",
    )
    # The shipped dialplan leaves AGI() after 2 s: an answer later than that is never heard.
    deadline: timedelta = setting(
        duration(timedelta(milliseconds=50), timedelta(milliseconds=1900)),
        timedelta(milliseconds=1500),
        "After this long without a verdict the answer is a refusal, rule `unavailable`.",
    )
    max_connections: int = setting(
        whole(1, 65536), 2000, "Calls that may be asking at once; one more is closed at once."
    )


@dataclass(frozen=True, slots=True)
class Ami:
    """[ami]: Asterisk's manager interface; without it there is no gateway and no guard.

    The secret comes from exactly one of its three keys; once loaded it is in `secret`. `ca` says
    `tls` too, and once loaded `tls` is true where there is a `ca`.
    """

    address: Address = setting(ADDRESS, Address("127.0.0.1", 5038), "Asterisk's manager.conf.")
    username: str = setting(TEXT, "", "A user of manager.conf.", required=True)
    secret_file: Path | None = setting(
        optional(PATH),
        None,
        "A file that holds the secret only; under systemd the credential of its name.",
    )
    secret_env: str = setting(TEXT, "", "An environment variable that holds the secret.")
    secret: Secret = setting(SECRET, Secret(""), "The secret itself.")
    tls: bool = setting(
        BOOLEAN, False, "Whether Asterisk is spoken to over TLS, its certificate checked."
    )
    ca: Path | None = setting(
        optional(PATH),
        None,
        "Certificates, PEM, that Asterisk's must be signed by; left out: those that the system "
        "trusts.",
    )
    tls_name: str = setting(
        HOST, "", "The name in Asterisk's certificate; left out: the host of `address`."
    )


@dataclass(frozen=True, slots=True)
class Gateway:
    """[gateway]: the AMI relay that dialers connect to.

    Attributes:
        dialplan_users: the key is `dialplan`; as written, Asterisk compares without case.
        max_backlog: the key is `backlog`; bytes.
        campaigns: AMI user to the campaigns it may name; the first is its default.
    """

    listen: Address = setting(ADDRESS, Address("127.0.0.1", 5138), "Where dialers connect.")
    allow_from: tuple[Network, ...] = setting(
        NETWORKS,
        (ipaddress.ip_network("127.0.0.0/8"),),
        "Peers that may connect; others are closed at once.",
    )
    tls_cert: Path | None = setting(
        optional(PATH), None, "Our certificate, PEM, with those it is signed by: then it is TLS."
    )
    tls_key: Path | None = setting(optional(PATH), None, "The key of `tls_cert`, PEM.")
    dialplan_users: tuple[str, ...] = setting(
        LABELS,
        (),
        "AMI users who may change the dialplan and the configuration files.",
        key="dialplan",
    )
    max_clients: int = setting(
        whole(1, 65536), 200, "Clients connected at once; one more is closed at once."
    )
    max_backlog: int = setting(
        size(64 << 10, 1 << 30),
        8 << 20,
        "What may wait for a client that does not read; with more it is cut off.",
        key="backlog",
    )
    campaigns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guard:
    """[guard]: what is done with an outbound call that nobody asked about."""

    mode: GuardMode = setting(
        one_of(GuardMode), GuardMode.REPORT, "Log it and let it go, hang it up, or do not look."
    )
    alarm: int = setting(whole(1, 10000), 10, "So many such calls within a minute raise the alarm.")


@dataclass(frozen=True, slots=True)
class Http:
    """[http]: /metrics and /healthz."""

    listen: Address = setting(ADDRESS, Address("127.0.0.1", 4581), "Where it listens.")


@dataclass(frozen=True, slots=True)
class Log:
    """[log]: one line per verdict, on standard error or in systemd's journal."""

    format: LogFormat = setting(
        one_of(LogFormat),
        LogFormat.JSON,
        "For programs, for people, or into systemd's journal, field by field.",
    )
    language: Language = setting(one_of(Language), Language.ENGLISH, "Of the reasons.")
    numbers: Numbers = setting(
        one_of(Numbers), Numbers.MASKED, "How callees' numbers are written in the log."
    )
    level: Level = setting(one_of(Level), Level.INFO, "The least that is logged.")


@dataclass(frozen=True, slots=True)
class Defaults:
    """[defaults]: what holds where a question or a campaign does not say."""

    campaign: str = setting(
        TEXT, "", "For questions that name none; empty: such a question is refused."
    )
    exempt: tuple[str, ...] = setting(
        PATTERNS, (), "Asterisk patterns never judged, matched as dialled or as E.164."
    )
    enforce: bool = setting(
        BOOLEAN,
        True,
        "false is shadow mode: every refusal is logged as would_refuse, and allowed.",
    )
    count_failed: bool = setting(
        BOOLEAN,
        True,
        "false: an attempt that failed on every trunk without having rung counts for nothing.",
    )


@dataclass(frozen=True, slots=True)
class Policies:
    """[policies]: an admin's own rule packs, beside the shipped ones."""

    path: Path | None = setting(optional(PATH), None, "A folder of policy files, *.toml.")


@dataclass(frozen=True, slots=True)
class Retention:
    """[retention]: how long what is on record is kept, and when the rest goes."""

    years: int | None = setting(
        optional(whole(1, 100)),
        None,
        "The evidence period where a policy says none, or a shorter one; left out: what no policy "
        "has a period for is kept without end.",
    )
    daily: time | None = setting(
        optional(CLOCK_TIME),
        None,
        "When the bridge removes what is over, each day, on this machine's clock; left out: never "
        "by itself.",
    )


@dataclass(frozen=True, slots=True)
class Doctor:
    """[doctor]: what `dialwarden doctor` finds and you have decided to live with."""

    accept: tuple[str, ...] = setting(
        LABELS,
        (),
        'Findings that count as notes, as it names them: "ami.users:admin", or a whole check: '
        '"spool".',
    )


@dataclass(frozen=True, slots=True)
class Trunk:
    """[trunks.NAME]: one way out to the telephone network."""

    name: str
    channel: str = setting(
        ENDPOINT, "", "Its channels' names without the counter: PJSIP/carrier.", required=True
    )
    dial: tuple[str, ...] = setting(
        DIALS, (), "How a number is dialled through it, {number} in its place.", required=True
    )
    strip: str = setting(STRIP, "", "Digits that dialers put in front of the number.")


@dataclass(frozen=True, slots=True)
class ListEntry:
    """[lists.NAME]: a list of numbers; those that a policy asks for need no entry.

    Attributes:
        max_age: greatest age in calendar days; None: never stale once imported.
    """

    name: str
    kind: ListKind = setting(
        one_of(ListKind),
        ListKind.OPPOSITION,
        "Its numbers are never called, or are never judged.",
        required=True,
    )
    max_age: int | None = setting(
        optional(DAYS), None, 'Older than this it refuses every call as `list_stale`: "30 days".'
    )
    region: str = setting(REGION, "", "How its national numbers are read.")
