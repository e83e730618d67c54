"""What a scraper reads: every family in both formats, and no label that a peer could make up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Sample

from dialwarden.doors.ami_gateway import GatewayCounters
from dialwarden.doors.fastagi import FastAgiCounters
from dialwarden.doors.health import AmiHealth, ConfigHealth, Health, LedgerHealth, ListHealth
from dialwarden.doors.http_server import Asked
from dialwarden.doors.metrics import Figures, LedgerFigures, PurgeFigures, metrics_page
from dialwarden.gate.counting import Counts
from dialwarden.gate.verdicts import Answer
from dialwarden.ledger.overrides import Override
from dialwarden.question import Door
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Decision, Reason, Refusal, Rule, Verdict, Waived

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
UNIX = AT.timestamp()
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
CAMPAIGNS = {"energy": False, "trial": True}


def answer(rule: Rule | None = None, campaign: str = "energy", **more: bool) -> Answer:
    refusals = (Refusal(rule, Reason("bypass")), Refusal(Rule.GAP, Reason("x"))) if rule else ()
    decision = Decision.REFUSE if rule else Decision.ALLOW
    return Answer(Verdict(decision, AT, campaign=campaign, refusals=refusals), **more)


def counts() -> Counts:
    made = Counts()
    for one in (answer(reserved=True), answer(reserved=True), answer()):
        made.answer(one, Door.AGI, CAMPAIGNS)
    made.answer(answer(Rule.HOURS), Door.GATEWAY, CAMPAIGNS)
    made.answer(answer(Rule.HOURS, "trial", let_go=True, reserved=True), Door.AGI, CAMPAIGNS)
    made.answer(answer(Rule.UNAVAILABLE), Door.AGI, CAMPAIGNS)
    made.answer(answer(Rule.CAMPAIGN, '"\n{'), Door.AGI, CAMPAIGNS)
    made.answer(Answer(Verdict(Decision.ALLOW, AT, exempt="emergency")), Door.AGI, CAMPAIGNS)
    waived = Waived(Refusal(Rule.HOURS, Reason("x")), override=3, by="Anna")
    let_go = Verdict(Decision.ALLOW, AT, campaign="energy", waived=(waived,))
    made.answer(Answer(let_go, reserved=True), Door.AGI, CAMPAIGNS)
    for seconds in (0.0008, 0.003, 0.004, 9.0):
        made.took_s(Door.AGI, seconds)
    made.bypass("carrier", hung_up=True)
    made.taken_back = 3
    return made


HEALTH = Health(
    version="1.2.3", guard=GuardMode.HANGUP, alarm=True, gateway_clients=4, lines_lost=9,
    ami=AmiHealth(up=True, since=AT, audited=True),
    ledger=LedgerHealth(available=False, why="disk full"),
    lists=(
        ListHealth("bloctel", date(2026, 10, 1), 32, 30, 7, AT, stale=True, why="too old"),
        ListHealth("house"),
    ),
    config=ConfigHealth(AT, taken=False, campaigns=tuple(CAMPAIGNS)), shadow=("trial",),
    overrides=(
        Override(3, "energy", "acme", (Rule.HOURS, Rule.GAP), AT, AT, "Anna", "a storm"),
    ),
)  # fmt: skip
EVERYTHING = Figures(
    tzdata="2026a", started_at=AT, health=HEALTH, counts=counts(), agi=FastAgiCounters(asked=5),
    agi_connections=2, ledger=LedgerFigures(1, 2, 3, 4, 5, 6),
    gateway=GatewayCounters(relayed=7, refused=8), events_waiting=11,
    purge=PurgeFigures(AT, AT), trunks=("carrier", "second"),
)  # fmt: skip
BARE = Figures(
    tzdata="2026a", started_at=AT, counts=Counts(), agi=FastAgiCounters(), agi_connections=0,
    health=Health(version="1.2.3", guard=GuardMode.OFF),
)  # fmt: skip


def scraped(figures: Figures, accept: str = "") -> dict[tuple[str, ...], float]:
    """Every sample, by its name and its labels in the order of their names."""
    page = metrics_page(lambda: figures)(Asked(accept))
    read = read_openmetrics if "openmetrics" in page.content_type else read_text
    samples: Iterable[Sample] = (
        sample for family in read(page.body.decode()) for sample in family.samples
    )
    found: dict[tuple[str, ...], float] = {}
    for sample in samples:
        key = sample.name, *(f"{name}={text}" for name, text in sorted(sample.labels.items()))
        assert key not in found, key
        found[key] = sample.value
    return found


@pytest.fixture(scope="module", params=["", "text/plain;version=0.0.4, */*", OPENMETRICS])
def samples(request: pytest.FixtureRequest) -> dict[tuple[str, ...], float]:
    return scraped(EVERYTHING, request.param)


def verdict(verdict: str, rule: str, campaign: str, door: str) -> tuple[str, ...]:
    labels = f"campaign={campaign}", f"door={door}", f"rule={rule}", f"verdict={verdict}"
    return "dialwarden_verdicts_total", *labels


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (verdict("ALLOW", "", "energy", "agi"), 3),
        (verdict("REFUSE", "hours", "energy", "gateway"), 1),
        (verdict("would_refuse", "hours", "trial", "agi"), 1),
        (verdict("REFUSE", "unavailable", "energy", "agi"), 1),
        (verdict("REFUSE", "campaign", "other", "agi"), 1),
        (verdict("overridden", "hours", "energy", "agi"), 1),
        (("dialwarden_overrides", "campaign=energy", "rule=hours"), 1),
        # There before anything happened, so that the first is seen to be one more.
        (verdict("REFUSE", "unavailable", "trial", "agi"), 0),
        (verdict("REFUSE", "unavailable", "other", "gateway"), 0),
        (("dialwarden_bypasses_total", "mode=hangup", "trunk=carrier"), 1),
        (("dialwarden_bypasses_total", "mode=report", "trunk=second"), 0),
        (("dialwarden_answer_seconds_count", "door=gateway"), 0),
        (("dialwarden_exempt_calls_total", "door=agi", "exempt=emergency"), 1),
        (("dialwarden_attempts_reserved_total", "campaign=energy", "door=agi"), 3),
        (("dialwarden_attempts_reserved_total", "campaign=trial", "door=agi"), 1),
        (("dialwarden_attempts_taken_back_total",), 3),
        (("dialwarden_answer_seconds_bucket", "door=agi", "le=0.001"), 1),
        (("dialwarden_answer_seconds_bucket", "door=agi", "le=0.005"), 3),
        (("dialwarden_answer_seconds_bucket", "door=agi", "le=2.0"), 3),
        (("dialwarden_answer_seconds_bucket", "door=agi", "le=+Inf"), 4),
        (("dialwarden_answer_seconds_count", "door=agi"), 4),
        (("dialwarden_answer_seconds_sum", "door=agi"), 9.0078),
        (("dialwarden_agi_events_total", "event=asked"), 5),
        (("dialwarden_agi_connections",), 2),
        (("dialwarden_gateway_events_total", "event=relayed"), 7),
        (("dialwarden_gateway_events_total", "event=refused"), 8),
        (("dialwarden_gateway_clients",), 4),
        (("dialwarden_call_events_waiting",), 11),
        (("dialwarden_list_age_seconds", "list=bloctel"), 32 * 86400),
        (("dialwarden_list_limit_seconds", "list=bloctel"), 30 * 86400),
        (("dialwarden_list_as_of_timestamp_seconds", "list=bloctel"), 1790812800),
        (("dialwarden_list_imported_timestamp_seconds", "list=bloctel"), UNIX),
        (("dialwarden_list_numbers", "list=bloctel"), 7),
        (("dialwarden_list_stale", "list=bloctel"), 1),
        (("dialwarden_list_stale", "list=house"), 0),
        (("dialwarden_ami_up",), 1),
        (("dialwarden_ami_changed_timestamp_seconds",), UNIX),
        (("dialwarden_guard_mode", "mode=hangup"), 1),
        (("dialwarden_guard_mode", "mode=report"), 0),
        (("dialwarden_guard_blind",), 0),
        (("dialwarden_guard_alarm",), 1),
        (("dialwarden_status", "status=degraded"), 1),
        (("dialwarden_status", "status=ready"), 0),
        (("dialwarden_log_lines_lost_total",), 9),
        (("dialwarden_ledger_available",), 0),
        (("dialwarden_ledger_works_waiting",), 1),
        (("dialwarden_ledger_batches_total",), 2),
        (("dialwarden_ledger_works_total",), 3),
        (("dialwarden_ledger_size_bytes",), 4),
        (("dialwarden_ledger_wal_size_bytes",), 5),
        (("dialwarden_ledger_disk_free_bytes",), 6),
        (("dialwarden_purge_ended_timestamp_seconds",), UNIX),
        (("dialwarden_config_reload_success",), 0),
        (("dialwarden_config_reload_timestamp_seconds",), UNIX),
        (("dialwarden_campaign_shadow", "campaign=trial"), 1),
        (("dialwarden_campaign_shadow", "campaign=energy"), 0),
        (("dialwarden_start_time_seconds",), UNIX),
    ],
    ids=str,
)
def test_it_is_shown(
    samples: dict[tuple[str, ...], float], key: tuple[str, ...], value: float
) -> None:
    assert samples[key] == pytest.approx(value)


def test_both_formats_show_the_same() -> None:
    ours = [
        {key: value for key, value in scraped(EVERYTHING, accept).items()
         if not key[0].startswith("process_")}
        for accept in ("", OPENMETRICS)
    ]  # fmt: skip
    assert ours[0] == ours[1]
    assert not any(math.isnan(value) for value in ours[0].values())


def test_what_is_not_configured_or_not_known_is_left_out() -> None:
    found = {key[0] for key in scraped(BARE)}
    assert not {name for name in found if "ami" in name or "gateway" in name or "list" in name}
    assert not {name for name in found if "purge" in name or "ledger_size" in name}
    assert "dialwarden_ledger_available" in found


def test_no_label_holds_what_a_peer_made_up() -> None:
    assert not any("{" in text for key in scraped(EVERYTHING) for text in key)


def test_the_process_is_shown_too() -> None:
    found = scraped(BARE)
    assert found[("process_resident_memory_bytes",)] > 1 << 20
    assert found[("process_open_fds",)] > 0


def test_the_format_is_the_one_that_was_asked_for() -> None:
    page = metrics_page(lambda: BARE)
    assert page(Asked("")).content_type.startswith("text/plain; version=0.0.4")
    assert page(Asked("*/*")).content_type.startswith("text/plain")
    assert page(Asked(OPENMETRICS)).content_type.startswith("application/openmetrics-text")
