"""The bridge in figures, over HTTP: `/metrics`, as Prometheus and OpenMetrics collectors read it.

Owns the names of the families, their labels and their help. Nothing is kept here: a scrape reads
what is counted elsewhere anyway, so that a call costs nothing for being measured in many ways. No
label holds a number of a callee, or anything that a peer could make up as it likes.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dialwarden.doors.ami_gateway import GatewayCounters
from dialwarden.doors.fastagi import FastAgiCounters
from dialwarden.doors.health import Health, Status
from dialwarden.doors.http_server import Asked, Page
from dialwarden.gate.counting import BOUNDS_S, OTHER, REFUSE, Counts, Took
from dialwarden.question import Door
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Rule

K = TypeVar("K", bound=tuple[str, ...])

_PREFIX = "dialwarden_"
_SECONDS_A_DAY = 86400
_LETS_KNOW = (GuardMode.REPORT, GuardMode.HANGUP)
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """The ledger, and its files.

    Attributes:
        waiting: works that wait for their batch.
        batches, works: written since the start.
        size_bytes, wal_bytes, free_bytes: of the file, of its log, and of room beside them; None
            where that could not be read.
    """

    waiting: int = 0
    batches: int = 0
    works: int = 0
    size_bytes: int | None = None
    wal_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PurgeFigures:
    """The last purge that is on record; None where there is none, or it was cut short."""

    began_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a scrape shows.

    Attributes:
        tzdata: version of the time-zone data.
        started_at: aware.
        gateway, gateway_connections, events_waiting: None without `[ami]`.
        events_waiting: what became of calls, not yet in the ledger.
        trunks: names of those that are configured.
    """

    tzdata: str
    started_at: datetime
    health: Health
    counts: Counts
    agi: FastAgiCounters
    agi_connections: int
    ledger: LedgerFigures = LedgerFigures()
    gateway: GatewayCounters | None = None
    events_waiting: int | None = None
    purge: PurgeFigures = field(default_factory=PurgeFigures)
    trunks: tuple[str, ...] = ()


def metrics_page(figures: Callable[[], Figures]) -> Callable[[Asked], Page]:
    """Make what answers `/metrics`, in the format that the scraper asks for.

    Args:
        figures: gives those of this instant; called in the event loop, must not block.
    """
    registry = CollectorRegistry()
    registry.register(_Families(figures))
    ProcessCollector(registry=registry)

    def page(asked: Asked) -> Page:
        encode, content_type = choose_encoder(asked.accept)
        return Page(200, encode(registry), content_type)

    return page


class _Families(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        figures = self._figures()
        yield from _program(figures)
        yield from _answers(figures)
        yield from _agi(figures)
        yield from _asterisk(figures)
        yield from _ledger(figures)
        yield from _lists(figures.health)
        yield from _config(figures.health)

    def describe(self) -> Iterable[Metric]:
        """Nothing: it would be asked of a bridge that does not stand yet."""
        return ()


def _program(figures: Figures) -> Iterator[Metric]:
    build = {
        "version": figures.health.version,
        "python": platform.python_version(),
        "tzdata": figures.tzdata,
    }
    yield InfoMetricFamily(f"{_PREFIX}build", "What runs.", build)
    yield _gauge("start_time_seconds", "When the process began to serve, Unix time.",
                 figures.started_at.timestamp())  # fmt: skip
    yield _one_of("status", "How the bridge is, as /healthz has it.", "status",
                  figures.health.status, Status)  # fmt: skip
    yield _counter("log_lines_lost", "Lines that nobody read fast enough, or no disk took.",
                   figures.health.lines_lost)  # fmt: skip


def _answers(figures: Figures) -> Iterator[Metric]:
    """What was answered. What an alert hangs on is there from the start, as 0: of a series that
    begins with 1 nobody sees that it grew."""
    counts = figures.counts
    doors = [Door.AGI.value] + [Door.GATEWAY.value] * (figures.gateway is not None)
    campaigns = (*figures.health.config.campaigns, OTHER)
    verdicts: dict[tuple[str, ...], int] = {
        (REFUSE, Rule.UNAVAILABLE.value, campaign, door): 0
        for campaign in campaigns
        for door in doors
    }
    reserved: dict[tuple[str, ...], int] = {}
    bypasses = {(name, mode.value): 0 for name in figures.trunks for mode in _LETS_KNOW}
    for (trunk, hung_up), count in counts.bypasses.items():
        bypasses[trunk, (GuardMode.HANGUP if hung_up else GuardMode.REPORT).value] = count
    for told, count in counts.told():
        key = told[:4]
        verdicts[key] = verdicts.get(key, 0) + count
        if told.reserved:
            place = told.campaign, told.door
            reserved[place] = reserved.get(place, 0) + count
    yield _counters(
        "verdicts",
        "Verdicts by the first rule that failed; would_refuse was let go. Exempt calls are none.",
        ("verdict", "rule", "campaign", "door"),
        verdicts,
    )
    yield _counters("exempt_calls", "Calls that are never judged, by what exempts them.",
                    ("exempt", "door"), counts.exempt)  # fmt: skip
    yield _counters("attempts_reserved", "Attempts that verdicts reserved.",
                    ("campaign", "door"), reserved)  # fmt: skip
    yield _counter("attempts_taken_back", "Attempts whose ALLOW surely never left us.",
                   counts.taken_back)  # fmt: skip
    yield _counters("bypasses", "Calls that left without asking, hung up or only reported.",
                    ("trunk", "mode"), bypasses)  # fmt: skip
    took = HistogramMetricFamily(
        f"{_PREFIX}answer_seconds",
        "From a whole question read to its answer, which is on disk by then.",
        labels=("door",),
    )
    bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
    for door in doors:
        one = counts.took.get(door) or Took()
        took.add_metric((door,), list(zip(bounds, one.cumulated(), strict=True)), one.sum_s)
    yield took


def _agi(figures: Figures) -> Iterator[Metric]:
    yield _gauge("agi_connections", "AGI connections open now.", figures.agi_connections)
    yield _counters(
        "agi_events",
        "What happened at the AGI door, by the names of its counters.",
        ("event",),
        _by_name(figures.agi),
    )


def _asterisk(figures: Figures) -> Iterator[Metric]:
    health = figures.health
    yield _one_of("guard_mode", "What the guard does.", "mode", health.guard, GuardMode)
    yield _gauge("guard_blind", "Whether calls that never asked are not seen.", health.why_blind)
    yield _gauge("guard_alarm", "Whether calls go past us in numbers.", health.alarm)
    if health.ami is not None:
        yield _gauge("ami_up", "Whether our link to Asterisk's AMI is up.", health.ami.up)
        yield _instant("ami_changed_timestamp_seconds",
                       "When the link came up, or went down, Unix time.",
                       health.ami.since)  # fmt: skip
    if health.gateway_clients is not None:
        yield _gauge("gateway_clients", "AMI clients connected now.", health.gateway_clients)
    if figures.gateway is not None:
        yield _counters(
            "gateway_events",
            "What happened at the AMI gateway, by the names of its counters.",
            ("event",),
            _by_name(figures.gateway),
        )
    if figures.events_waiting is not None:
        yield _gauge("call_events_waiting", "What became of calls, not yet in the ledger.",
                     figures.events_waiting)  # fmt: skip


def _ledger(figures: Figures) -> Iterator[Metric]:
    ledger = figures.ledger
    yield _gauge("ledger_available", "Whether the ledger took what it was last given.",
                 figures.health.ledger.available)  # fmt: skip
    yield _gauge("ledger_works_waiting", "Works that wait for their batch.", ledger.waiting)
    yield _counter("ledger_batches", "Transactions committed.", ledger.batches)
    yield _counter("ledger_works", "Works that were in them.", ledger.works)
    for name, words, value in (
        ("ledger_size_bytes", "The ledger's file.", ledger.size_bytes),
        ("ledger_wal_size_bytes", "Its log, -wal.", ledger.wal_bytes),
        ("ledger_disk_free_bytes", "Room on its disk.", ledger.free_bytes),
    ):
        if value is not None:
            yield _gauge(name, words, value)
    yield _instant("purge_began_timestamp_seconds", "When the last purge on record began.",
                   figures.purge.began_at)  # fmt: skip
    yield _instant("purge_ended_timestamp_seconds",
                   "When it ended; absent while it runs, and where it was cut short.",
                   figures.purge.ended_at)  # fmt: skip


def _lists(health: Health) -> Iterator[Metric]:
    def family(name: str, words: str, values: Mapping[str, float | None]) -> Metric:
        gauge = GaugeMetricFamily(f"{_PREFIX}list_{name}", words, labels=("list",))
        for one, value in values.items():
            if value is not None:
                gauge.add_metric((one,), value)
        return gauge

    lists = health.lists
    yield family("age_seconds", "Whole days from its as-of date until today, where it is at home.",
                 {one.name: _seconds(one.age_days) for one in lists})  # fmt: skip
    yield family("limit_seconds", "The greatest age that is still good.",
                 {one.name: _seconds(one.limit_days) for one in lists})  # fmt: skip
    yield family("as_of_timestamp_seconds", "Its as-of date, midnight UTC.",
                 {one.name: (one.as_of.toordinal() - _EPOCH) * _SECONDS_A_DAY
                  for one in lists if one.as_of})  # fmt: skip
    yield family("imported_timestamp_seconds", "When the version in force was imported.",
                 {one.name: one.imported_at.timestamp()
                  for one in lists if one.imported_at})  # fmt: skip
    yield family("numbers", "Numbers of the version in force.",
                 {one.name: one.numbers for one in lists if one.imported_at})  # fmt: skip
    yield family("stale", "Whether a campaign asks for it, and there is no version young enough.",
                 {one.name: one.stale for one in lists})  # fmt: skip


def _seconds(days: int | None) -> int | None:
    return None if days is None else days * _SECONDS_A_DAY


def _config(health: Health) -> Iterator[Metric]:
    config = health.config
    yield _gauge("config_reload_success",
                 "Whether the configuration that was last read is in force.",
                 config.taken)  # fmt: skip
    yield _instant("config_reload_timestamp_seconds", "When that was, Unix time.", config.read_at)
    shadow = GaugeMetricFamily(
        f"{_PREFIX}campaign_shadow",
        "Every campaign, and whether it is in shadow mode: refusals are let go.",
        labels=("campaign",),
    )
    for name in config.campaigns:
        shadow.add_metric((name,), name in health.shadow)
    yield shadow
    overrides = GaugeMetricFamily(
        f"{_PREFIX}overrides",
        "Overrides in force, by each rule that they let go.",
        labels=("campaign", "rule"),
    )
    in_force = Counter((one.campaign, rule) for one in health.overrides for rule in one.rules)
    for (campaign, rule), count in in_force.items():
        overrides.add_metric((campaign, str(rule)), count)
    yield overrides


def _gauge(name: str, words: str, value: object) -> Metric:
    """A gauge of one figure; of a word or a truth, whether there is one."""
    figure = value if isinstance(value, int | float) else bool(value)
    return GaugeMetricFamily(_PREFIX + name, words, value=figure)


def _instant(name: str, words: str, at: datetime | None) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, words, value=at.timestamp() if at else None)


def _one_of(name: str, words: str, label: str, value: str, known: Iterable[str]) -> Metric:
    """A gauge for each thing that may be, 1 for the one that is."""
    gauge = GaugeMetricFamily(_PREFIX + name, words, labels=(label,))
    for one in known:
        gauge.add_metric((str(one),), one == value)
    return gauge


def _counter(name: str, words: str, value: int) -> Metric:
    return CounterMetricFamily(_PREFIX + name, words, value=value)


def _counters(name: str, words: str, labels: tuple[str, ...], values: Mapping[K, int]) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, words, labels=labels)
    for key, value in values.items():
        family.add_metric(tuple(map(str, key)), value)
    return family


def _by_name(counters: FastAgiCounters | GatewayCounters) -> dict[tuple[str, ...], int]:
    return {(name,): count for name, count in asdict(counters).items()}
