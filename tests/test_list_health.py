"""Which lists are told to be too old, on both sides of every boundary; by the shipped policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dialwarden.doors.health import ListHealth
from dialwarden.ledger.lists import Head
from dialwarden.list_health import lists_health
from dialwarden.policies import load_policies
from dialwarden.settings.config import load_config

CONFIG = """
[store]
path = "ledger.db"
[lists.house]
kind = "opposition"
[lists.dated]
kind = "opposition"
max_age = "30 days"
[lists.staff]
kind = "exempt"
[lists.idle]
kind = "opposition"
max_age = "1 day"
[campaigns.house]
professional = "acme"
policy = "none"
region = "FR"
lists = ["house"]
[campaigns.dated]
professional = "acme"
policy = "none"
region = "FR"
lists = ["dated"]
[campaigns.paris]
professional = "acme"
policy = "fr"
"""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LAST_OF_BLOCTEL = datetime(2026, 8, 10, 12, tzinfo=UTC)


def head(name: str, as_of: date | None, count: int = 5) -> Head:
    return Head(1, name, as_of, NOON, count, "", "", 0, 1)


def found(
    tmp_path: Path, heads: Mapping[str, Head | None], now: datetime = NOON, more: str = ""
) -> dict[str, ListHealth]:
    path = tmp_path / "dialwarden.toml"
    path.write_text(CONFIG + more)
    return {one.name: one for one in lists_health(load_config(path, {}, load_policies), heads, now)}


def test_a_list_that_is_asked_for_and_was_never_imported_refuses(tmp_path: Path) -> None:
    told = found(tmp_path, {})
    assert {name for name, one in told.items() if one.stale} == {"house", "dated"}
    assert told["house"].why == (
        "list house was never imported: calls of house are refused (list_stale); "
        "dialwarden list import house FILE"
    )
    assert told["house"].age_days is None
    assert told["house"].imported_at is None


@pytest.mark.parametrize(
    ("age", "stale"), [(0, False), (29, False), (30, False), (31, True), (400, True)]
)
def test_equal_to_the_limit_is_still_good(tmp_path: Path, age: int, stale: bool) -> None:
    as_of = NOON.date() - timedelta(days=age)
    one = found(tmp_path, {"dated": head("dated", as_of)})["dated"]
    assert (one.age_days, one.limit_days, one.numbers, one.stale) == (age, 30, 5, stale)
    assert bool(one.why) is stale
    if stale:
        assert f"list dated is {age} days old (limit 30): calls of dated are refused" in one.why


def test_the_day_is_that_of_where_the_list_is_at_home(tmp_path: Path) -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Paris
    as_of = date(2026, 10, 23)
    assert found(tmp_path, {"dated": head("dated", as_of)})["dated"].stale is False
    assert found(tmp_path, {"dated": head("dated", as_of)}, late)["dated"].stale is True


def test_a_list_with_a_limit_and_without_a_date_refuses(tmp_path: Path) -> None:
    one = found(tmp_path, {"dated": head("dated", None)})["dated"]
    assert "list dated has no as-of date: calls of dated are refused" in one.why


def test_one_without_a_limit_is_never_too_old(tmp_path: Path) -> None:
    one = found(tmp_path, {"house": head("house", date(2001, 1, 1))})["house"]
    assert (one.stale, one.why, one.limit_days) == (False, "", None)


def test_a_list_that_no_campaign_asks_for_refuses_nobody(tmp_path: Path) -> None:
    told = found(tmp_path, {"idle": head("idle", date(2001, 1, 1))})
    assert told["idle"].stale is False
    assert told["staff"].stale is False  # exempt, and not imported: nobody is exempt by it


def test_a_list_is_asked_for_as_long_as_the_regime_that_asks_for_it_is_in_force(
    tmp_path: Path,
) -> None:
    assert found(tmp_path, {}, LAST_OF_BLOCTEL)["bloctel"].stale is True
    assert found(tmp_path, {}, LAST_OF_BLOCTEL + timedelta(days=1))["bloctel"].stale is False


def test_in_shadow_mode_it_is_stale_and_refuses_nobody(tmp_path: Path) -> None:
    one = found(tmp_path, {}, more="[defaults]\nenforce = false\n")["house"]
    assert (one.stale, one.why) == (True, "")
