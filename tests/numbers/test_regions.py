"""Regions as questions and campaigns give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.numbers import Place, UnknownRegion, home_country, places_of_region, zone
from dialwarden.numbers.clocks import clock, country_zones
from dialwarden.numbers.subdivisions import CANONICAL, SUBDIVISIONS

CHILE = ("America/Santiago", "America/Coyhaique", "America/Punta_Arenas", "Pacific/Easter")
NUNAVUT = (
    "America/Iqaluit",
    "America/Rankin_Inlet",
    "America/Cambridge_Bay",
    "America/Atikokan",
)
NEW_SOUTH_WALES = ("Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe")

REGIONS = [
    # given, as ISO has it, zones, country whose plan it dials by
    ("FR", "FR", {"Europe/Paris"}, "FR"),
    ("FR-75", "FR-75", {"Europe/Paris"}, "FR"),
    ("FR-57", "FR-57", {"Europe/Paris"}, "FR"),
    ("FR-67", "FR-67", {"Europe/Paris"}, "FR"),
    ("FR-01", "FR-01", {"Europe/Paris"}, "FR"),
    ("fr-2a", "FR-2A", {"Europe/Paris"}, "FR"),
    ("FR-IDF", "FR", {"Europe/Paris"}, "FR"),
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
    ("IT-25", "IT", {"Europe/Rome"}, "IT"),
    (" it-rm ", "IT-RM", {"Europe/Rome"}, "IT"),
    ("DE", "DE", {"Europe/Berlin"}, "DE"),
    ("DE-BY", "DE-BY", {"Europe/Berlin"}, "DE"),
    ("GB", "GB", {"Europe/London"}, "GB"),
    ("GB-SCT", "GB-SCT", {"Europe/London"}, "GB"),
    # A council is in the nation whose holidays it keeps; some codes are for several nations.
    ("GB-GLG", "GB-SCT", {"Europe/London"}, "GB"),
    ("GB-BFS", "GB-NIR", {"Europe/London"}, "GB"),
    ("GB-CRF", "GB-WLS", {"Europe/London"}, "GB"),
    ("GB-LND", "GB-ENG", {"Europe/London"}, "GB"),
    ("GB-UKM", "GB", {"Europe/London"}, "GB"),
    ("BE-BRU", "BE-BRU", {"Europe/Brussels"}, "BE"),
    ("BE-VAN", "BE-VLG", {"Europe/Brussels"}, "BE"),
    ("BE-WLG", "BE-WAL", {"Europe/Brussels"}, "BE"),
    ("BE-X", "BE-X", {"Europe/Brussels"}, "BE"),
    ("NL-ZH", "NL-ZH", {"Europe/Amsterdam"}, "NL"),
    ("NL-CW", "CW", {"America/Curacao"}, "CW"),
    ("NL-BQ1", "BQ", {"America/Kralendijk"}, "BQ"),
    # No table of its subdivisions: all the country's clocks, strictest when unsure.
    ("CL-MA", "CL-MA", {*CHILE}, "CL"),
    # The United States.
    ("US-NY", "US-NY", {"America/New_York"}, "US"),
    ("us-dc", "US-DC", {"America/New_York"}, "US"),
    ("US-FL", "US-FL", {"America/New_York", "America/Chicago"}, "US"),
    ("US-IN", "US-IN", {"America/Indiana/Indianapolis", "America/Chicago"}, "US"),
    ("US-MI", "US-MI", {"America/Detroit", "America/Menominee"}, "US"),
    ("US-TN", "US-TN", {"America/Chicago", "America/New_York"}, "US"),
    ("US-ID", "US-ID", {"America/Boise", "America/Los_Angeles"}, "US"),
    ("US-AZ", "US-AZ", {"America/Phoenix", "America/Denver"}, "US"),
    ("US-AK", "US-AK", {"America/Anchorage", "America/Adak"}, "US"),
    ("US-HI", "US-HI", {"Pacific/Honolulu"}, "US"),
    ("US-PR", "PR", {"America/Puerto_Rico"}, "PR"),
    ("PR", "PR", {"America/Puerto_Rico"}, "PR"),
    ("US-GU", "GU", {"Pacific/Guam"}, "GU"),
    ("US-VI", "VI", {"America/St_Thomas"}, "VI"),
    ("US-AS", "AS", {"Pacific/Pago_Pago"}, "AS"),
    ("US-MP", "MP", {"Pacific/Saipan"}, "MP"),
    # Canada.
    ("CA-BC", "CA-BC", {"America/Vancouver", "America/Edmonton", "America/Dawson_Creek"}, "CA"),
    ("CA-AB", "CA-AB", {"America/Edmonton"}, "CA"),
    ("CA-ON", "CA-ON", {"America/Toronto", "America/Winnipeg", "America/Atikokan"}, "CA"),
    ("CA-QC", "CA-QC", {"America/Toronto", "America/Halifax", "America/Blanc-Sablon"}, "CA"),
    ("CA-NL", "CA-NL", {"America/St_Johns", "America/Goose_Bay"}, "CA"),
    ("CA-NU", "CA-NU", {*NUNAVUT}, "CA"),
    # Australia.
    ("AU-NSW", "AU-NSW", {*NEW_SOUTH_WALES}, "AU"),
    ("AU-VIC", "AU-VIC", {"Australia/Melbourne"}, "AU"),
    ("AU-TAS", "AU-TAS", {"Australia/Hobart"}, "AU"),
    ("AU-QLD", "AU-QLD", {"Australia/Brisbane"}, "AU"),
    ("AU-NT", "AU-NT", {"Australia/Darwin"}, "AU"),
    ("AU-WA", "AU-WA", {"Australia/Perth", "Australia/Eucla"}, "AU"),
    # Spain: communities, and provinces as the community they belong to.
    ("ES-MD", "ES-MD", {"Europe/Madrid"}, "ES"),
    ("ES-M", "ES-MD", {"Europe/Madrid"}, "ES"),
    ("ES-B", "ES-CT", {"Europe/Madrid"}, "ES"),
    ("ES-PM", "ES-IB", {"Europe/Madrid"}, "ES"),
    ("ES-CE", "ES-CE", {"Africa/Ceuta"}, "ES"),
    ("ES-CN", "ES-CN", {"Atlantic/Canary"}, "ES"),
    ("ES-GC", "ES-CN", {"Atlantic/Canary"}, "ES"),
    ("ES-TF", "ES-CN", {"Atlantic/Canary"}, "ES"),
    # Portugal.
    ("PT-11", "PT-11", {"Europe/Lisbon"}, "PT"),
    ("PT-20", "PT-20", {"Atlantic/Azores"}, "PT"),
    ("PT-30", "PT-30", {"Atlantic/Madeira"}, "PT"),
]


@pytest.mark.parametrize(("given_code", "iso", "zones", "country"), REGIONS)
def test_region_is_placed(given_code: str, iso: str, zones: set[str], country: str) -> None:
    places = places_of_region(given_code)
    assert {place.region for place in places} == {iso}
    assert {place.zone for place in places} == zones
    assert home_country(given_code) == country


COUNTRIES = [
    # 50 states and DC; fifteen states keep two clocks.
    ("US", 51, 66, [Place("US-NY", "America/New_York"), Place("US-FL", "America/Chicago")]),
    # Ten provinces and three territories: BC, ON and QC keep three clocks, NU four, NL and SK two.
    ("CA", 13, 24, [Place("CA-ON", "America/Toronto"), Place("CA-YT", "America/Whitehorse")]),
    # NSW keeps three, WA two.
    ("AU", 8, 11, [Place("AU-NSW", "Australia/Sydney"), Place("AU-ACT", "Australia/Sydney")]),
]


@pytest.mark.parametrize(("country", "regions", "places", "among"), COUNTRIES)
def test_federation_is_all_its_parts(
    country: str, regions: int, places: int, among: list[Place]
) -> None:
    found = places_of_region(country)
    assert len({place.region for place in found}) == regions
    assert len(found) == len(set(found)) == places
    assert set(among) <= set(found)
    for place in found:
        assert place in places_of_region(place.region)


def test_spain_and_portugal_are_the_mainland_and_what_goes_by_codes_of_its_own() -> None:
    assert places_of_region("ES") == (
        Place("ES", "Europe/Madrid"),
        Place("ES-CE", "Africa/Ceuta"),
        Place("ES-ML", "Africa/Ceuta"),
        Place("ES-CN", "Atlantic/Canary"),
    )
    assert places_of_region("PT") == (
        Place("PT", "Europe/Lisbon"),
        Place("PT-30", "Atlantic/Madeira"),
        Place("PT-20", "Atlantic/Azores"),
    )


# Where another clock ended, and nobody's differs since: Annette Island in January 2019, Fort Nelson
# in March 2015.
ENDED = {"America/Metlakatla", "America/Fort_Nelson"}


@pytest.mark.parametrize("country", ["US", "CA", "AU", "ES", "PT"])
def test_no_clock_of_a_country_is_forgotten(country: str) -> None:
    kept = {clock(place.zone) for place in places_of_region(country)}
    assert {name for name in country_zones()[country] if clock(name) not in kept} <= ENDED


@pytest.mark.parametrize("country", sorted(SUBDIVISIONS))
def test_every_subdivision_keeps_clocks_of_its_country_only(country: str) -> None:
    keeps = {clock(name) for name in country_zones()[country]}
    for subdivision in SUBDIVISIONS[country]:
        for place in places_of_region(f"{country}-{subdivision}"):
            assert place.region == f"{country}-{subdivision}"
            assert clock(place.zone) in keeps


def test_every_other_code_leads_to_one_that_is_its_own() -> None:
    assert len(CANONICAL) > 300
    for other, canonical in CANONICAL.items():
        assert places_of_region(other) == places_of_region(canonical)
        assert {place.region for place in places_of_region(canonical)} == {canonical}


UNKNOWN = [
    ("FR-99", "FR-9"),
    ("FR-20", "FR-2"),
    ("IT-ZZ", "IT-"),
    ("FR_974", "FR-974"),
    ("FR974", "FR-974"),
    ("FRANCE", "FR"),
    ("XX", ""),
    ("", ""),
    ("FR-", "FR"),
    ("DE-", "DE"),
    ("DE-BAYERN", "DE-B"),
    ("US;DROP", "US"),
    ("US-FLA", "US-FL"),
    ("US-FLORIDA", "US-FL"),
    ("US-XX", "US-"),
    ("usfl", "US-FL"),
    ("USA", "US"),
    ("CA-QU", "CA-QC"),
    ("AU-QL", "AU-QLD"),
    ("ES-MAD", "ES-M"),
    ("PT-19", "PT-1"),
    ("GB-SCO", "GB-SCT"),
    ("GB-XXX", "GB-"),
    ("UK", "GB"),
    ("UK-SCT", "GB-SCT"),
    ("CH-ZURICH", "CH"),
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
