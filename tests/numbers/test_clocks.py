"""The tzdata package's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dialwarden.numbers.clocks import clock, country_zones, without_repeats, zone


def test_every_country_zone_can_be_loaded_and_read() -> None:
    names = [name for names in country_zones().values() for name in names]
    assert len(names) > 300
    for name in names:
        assert zone(name).key == name
        assert clock(name)


def test_country_keeps_its_own_names() -> None:
    assert country_zones()["RE"] == ("Indian/Reunion",)
    assert country_zones()["FR"] == ("Europe/Paris",)


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("Europe/Rome", "Europe/Vatican"), ("Europe/Rome",)),
        (("Europe/Vatican", "Europe/Rome"), ("Europe/Vatican",)),
        (
            ("Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"),
            ("Europe/Madrid", "Atlantic/Canary"),
        ),
        (("America/New_York", "America/Detroit"), ("America/New_York",)),
        (("America/Denver", "America/Phoenix"), ("America/Denver", "America/Phoenix")),
        (("Australia/Adelaide", "Australia/Darwin"), ("Australia/Adelaide", "Australia/Darwin")),
        # They agree now, and did not in 2015 and 2016.
        (("Europe/Moscow", "Europe/Saratov"), ("Europe/Moscow", "Europe/Saratov")),
        ((), ()),
    ],
)
def test_zones_that_agree_count_once(names: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert without_repeats(names) == kept


def test_zones_counted_as_one_show_the_same_time() -> None:
    """Every month from 2015 to 2035, by zoneinfo itself."""
    start = datetime(2015, 1, 1, 12, tzinfo=UTC)
    instants = [start + timedelta(days=15 * step) for step in range(24 * 20)]
    checked = 0
    for country_names in country_zones().values():
        for kept in without_repeats(country_names):
            same = [name for name in country_names if clock(name) == clock(kept)]
            for other in same[1:]:
                checked += 1
                assert [i.astimezone(zone(kept)).utcoffset() for i in instants] == [
                    i.astimezone(zone(other)).utcoffset() for i in instants
                ], (kept, other)
    assert checked > 50
