"""Metrics, alerts and the dashboard, judged by Prometheus' own tool and by Grafana's own schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from tests.doors.test_metrics import BARE, EVERYTHING, scraped
from tests.tools.programs import CONFIG, run

from dialwarden.doors.http_server import Asked
from dialwarden.doors.metrics import Figures, metrics_page

pytestmark = pytest.mark.tools

ALERTS = CONFIG / "monitoring" / "alerts.yml"
DASHBOARD = CONFIG / "monitoring" / "grafana-dashboard.json"
UNIT_TESTS = Path(__file__).with_name("alerts_test.yml")
_ANNOTATIONS = re.compile(r"^        annotations:\n(?: {10,}.*\n)+", re.MULTILINE)
_ALERT = re.compile(r"^      - alert: (\w+)$", re.MULTILINE)
# What Grafana puts in their places.
_VARIABLES = {"$__rate_interval": "5m", "$__range": "1d", "$instance": ".*", "$campaign": ".*"}


@pytest.mark.parametrize("figures", [EVERYTHING, BARE], ids=["everything", "bare"])
def test_prometheus_finds_nothing_to_mend_in_the_metrics(figures: Figures) -> None:
    page = metrics_page(lambda: figures)(Asked())
    assert run("promtool", "check", "metrics", stdin=page.body.decode()) == (0, "")


def test_prometheus_takes_the_alerts() -> None:
    status, said = run("promtool", "check", "rules", ALERTS)
    assert (status, f"{len(alerts())} rules found" in said) == (0, True), said


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    """Without the annotations, which the tool would want to be told word by word."""
    bare, removed = _ANNOTATIONS.subn("", ALERTS.read_text())
    assert removed == len(alerts())
    (tmp_path / "alerts.yml").write_text(bare)
    tests = tmp_path / UNIT_TESTS.name
    tests.write_text(UNIT_TESTS.read_text())
    status, said = run("promtool", "test", "rules", tests.name, cwd=tmp_path)
    assert status == 0, said


def test_every_alert_is_tried_firing_and_at_rest() -> None:
    text = UNIT_TESTS.read_text()
    for name in alerts():
        assert re.search(rf"alertname: {name}\n\s+exp_alerts: \[{{", text), f"{name} never fires"
    resting = set(re.findall(r"alertname: (\w+), exp_alerts: \[\]", text))
    assert set(alerts()) - resting == set()


def test_what_an_alert_says_can_be_written(tmp_path: Path) -> None:
    """The same cases with annotations: each is another than expected, and shown as it reads."""
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    (tmp_path / UNIT_TESTS.name).write_text(UNIT_TESTS.read_text())
    _, said = run("promtool", "test", "rules", UNIT_TESTS.name, cwd=tmp_path)
    summaries = set(re.findall(r'summary="([^"]*)"', said))
    assert len(summaries) >= len(alerts())
    assert "error expanding" not in said
    assert "list bloctel is good for 3d 0h 0m 0s more" in summaries
    assert "calls of energy were refused because nothing could be decided" in summaries


def alerts() -> list[str]:
    return _ALERT.findall(ALERTS.read_text())


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def expressions(part: object) -> Iterator[str]:
    """Every PromQL expression in a dashboard, its variables in their places."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "expr":
                for name, stands_for in _VARIABLES.items():
                    value = value.replace(name, stands_for)
                yield value
            else:
                yield from expressions(value)
    elif isinstance(part, list):
        for one in part:
            yield from expressions(one)


def test_grafana_knows_every_key_of_the_dashboard() -> None:
    """Read into the classes that Grafana makes of its schemas, and written again: all is there."""
    register_default_plugins()
    read = Dashboard.from_json(dashboard())
    written = json.loads(JSONEncoder(sort_keys=True).encode(read))
    assert list(lost(dashboard(), written)) == []


def lost(given: Any, kept: Any, place: str = "") -> Iterator[str]:
    """Where a value of one document is not in the other."""
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(kept, dict) or key not in kept:
                yield f"{place}.{key}"
            else:
                yield from lost(value, kept[key], f"{place}.{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{place}[{number}]")
    elif given != kept:
        yield place


def test_prometheus_can_read_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    found = list(expressions(dashboard()))
    assert len(found) > 40
    assert not [one for one in found if "$" in one]
    rules = [{"record": f"panel:{n}", "expr": one} for n, one in enumerate(found)]
    file = tmp_path / "rules.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    status, said = run("promtool", "check", "rules", file)
    assert status == 0, said


def test_of_several_pbxes_each_line_says_whose_it_is() -> None:
    """What is not summed up has a series for each; under one name nobody could tell them apart."""
    lines = [
        target
        for panel in dashboard()["panels"]
        if panel["type"] in {"timeseries", "state-timeline"}
        for target in panel["targets"]
    ]
    summed = [re.search(r"\b(?:sum|min|max)\b", line["expr"]) is not None for line in lines]
    assert set(summed) == {True, False}
    assert ["{{instance}}" not in line["legendFormat"] for line in lines] == summed


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
                assert x < 24


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=lambda file: file.name)
def test_every_metric_that_is_asked_for_is_there(file: Path) -> None:
    there = {key[0] for key in scraped(EVERYTHING)}
    asked = set(re.findall(r"\b(?:dialwarden|process)_\w+", file.read_text()))
    assert len(asked) > 10
    assert asked - there == set()


def test_every_metric_is_in_the_documentation() -> None:
    text = (CONFIG.parent / "docs" / "monitoring.md").read_text()
    there = {key[0] for key in scraped(EVERYTHING) if key[0].startswith("dialwarden_")}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in there}
    assert {name for name in families if f"`{name}" not in text} == set()
    told = set(re.findall(r"`(dialwarden_\w+)", text))
    assert told - families == set()
    assert {name for name in alerts() if f"`{name}`" not in text} == set()
