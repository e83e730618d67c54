"""Regions as questions and campaigns give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.numbers import UnknownRegion, home_country, places_of_region, zone

REGIONS = [
    # given, as ISO has it, zones, country whose plan it dials by
    ("FR", "FR", {"Europe/Paris"}, "FR"),
    ("FR-75", "FR-75", {"Europe/Paris"}, "FR"),
    ("FR-57", "FR-57", {"Europe/Paris"}, "FR"),
    ("FR-67", "FR-67", {"Europe/Paris"}, "FR"),
    ("FR-01", "FR-01", {"Europe/Paris"}, "FR"),
    ("fr-2a", "FR-2A", {"Europe/Paris"}, "FR"),
    ("FR-IDF", "FR-IDF", {"Europe/Paris"}, "FR"),
    ("FR-971", "FR-971", {"America/Guadeloupe"}, "GP"),
    ("FR-972", "FR-972", {"America/Martinique"}, "MQ"),
    ("FR-973", "FR-973", {"America/Cayenne"}, "GF"),
    ("FR-974", "FR-974", {"Indian/Reunion"}, "RE"),
    ("FR-975", "FR-PM", {"America/Miquelon"}, "PM"),
    ("FR-976", "FR-976", {"Indian/Mayotte"}, "YT"),
    ("FR-977", "FR-BL", {"America/St_Barthelemy"}, "BL"),
    ("FR-978", "FR-MF", {"America/Marigot"}, "MF"),
    ("FR-986", "FR-WF", {"Pacific/Wallis"}, "WF"),
    ("FR-987", "FR-PF", {"Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier"}, "PF"),
    ("FR-988", "FR-NC", {"Pacific/Noumea"}, "NC"),
    ("FR-PF", "FR-PF", {"Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier"}, "PF"),
    ("FR-PM", "FR-PM", {"America/Miquelon"}, "PM"),
    ("FR-RE", "FR-974", {"Indian/Reunion"}, "RE"),
    ("RE", "FR-974", {"Indian/Reunion"}, "RE"),
    ("GP", "FR-971", {"America/Guadeloupe"}, "GP"),
    ("YT", "FR-976", {"Indian/Mayotte"}, "YT"),
    ("NC", "FR-NC", {"Pacific/Noumea"}, "NC"),
    ("IT", "IT", {"Europe/Rome"}, "IT"),
    ("IT-BZ", "IT-BZ", {"Europe/Rome"}, "IT"),
    ("IT-25", "IT-25", {"Europe/Rome"}, "IT"),
    (" it-rm ", "IT-RM", {"Europe/Rome"}, "IT"),
    ("DE", "DE", {"Europe/Berlin"}, "DE"),
    ("GB", "GB", {"Europe/London"}, "GB"),
    ("ES", "ES", {"Europe/Madrid", "Atlantic/Canary"}, "ES"),
    # No table of its subdivisions yet: all the country's clocks, strictest when unsure.
    ("ES-CN", "ES-CN", {"Europe/Madrid", "Atlantic/Canary"}, "ES"),
]


@pytest.mark.parametrize(("given_code", "iso", "zones", "country"), REGIONS)
def test_region_is_placed(given_code: str, iso: str, zones: set[str], country: str) -> None:
    places = places_of_region(given_code)
    assert {place.region for place in places} == {iso}
    assert {place.zone for place in places} == zones
    assert home_country(given_code) == country


def test_country_of_many_clocks_has_each_once() -> None:
    zones = [place.zone for place in places_of_region("US")]
    assert {"America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu"} <= {
        *zones
    }
    # Indiana keeps New York's time now and since long before any rule of ours.
    assert "America/Indiana/Vincennes" not in zones


UNKNOWN = [
    ("FR-99", "FR-9"),
    ("FR-20", "FR-2"),
    ("IT-ZZ", "IT-"),
    ("FR_974", "FR-974"),
    ("FRANCE", ""),
    ("XX", ""),
    ("", ""),
    ("FR-", "FR"),
    ("DE-", "DE"),
    ("DE-BAYERN", ""),
    ("US;DROP", ""),
]


@pytest.mark.parametrize(("code", "like"), UNKNOWN)
def test_unknown_region_names_the_nearest(code: str, like: str) -> None:
    with pytest.raises(UnknownRegion) as caught:
        places_of_region(code)
    assert caught.value.region == code
    assert caught.value.nearest.startswith(like)
    assert caught.value.nearest in str(caught.value)
    assert places_of_region(caught.value.nearest)
    assert home_country(code) == ""


@given(code=st.text(max_size=12))
def test_any_text_is_a_region_or_unknown(code: str) -> None:
    try:
        places = places_of_region(code)
    except UnknownRegion as unknown:
        places = places_of_region(unknown.nearest)
        assert home_country(code) == ""
    else:
        assert home_country(code)
    assert places
    for place in places:
        assert zone(place.zone).key == place.zone


def test_sentence_about_an_unknown_region_is_printable() -> None:
    sentence = str(UnknownRegion("FR\x1b[31m\n" + "9" * 1000, "FR"))
    assert sentence.isprintable()
    assert len(sentence) < 120
