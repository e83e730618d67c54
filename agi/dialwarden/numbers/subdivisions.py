"""ISO 3166-2 subdivisions: which there are, whose clocks they keep, what other codes they go by.

Owns tables and no reading of them (`regions.py`). Closed for every country that stands here but
Belgium and the Netherlands; of others nothing is said.

Source: ISO 3166-2 as pycountry 26.2.16 has it (read November 2026), and zone.tab of the pinned
tzdata for the zones, with what it does not spell out: the Magdalen Islands, the Navajo Nation. A
subdivision's main zone comes first. Left out, because no clock differs there now:
America/Metlakatla (Alaska's time again since January 2019) and America/Fort_Nelson (Dawson Creek's
since March 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Zones -> who keeps them, of countries that have several clocks.
_KEEPING: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "US": {
            "America/New_York": "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
            "America/New_York America/Chicago": "FL KY",
            "America/Detroit America/Menominee": "MI",
            "America/Indiana/Indianapolis America/Chicago": "IN",
            "America/Chicago": "AL AR IA IL LA MN MO MS OK WI",
            "America/Chicago America/New_York": "TN",
            "America/Chicago America/Denver": "KS ND NE SD TX",
            "America/Denver": "CO MT NM UT WY",
            # The Navajo Nation changes its clocks, the rest of the state does not.
            "America/Phoenix America/Denver": "AZ",
            "America/Boise America/Los_Angeles": "ID",
            "America/Los_Angeles": "CA WA",
            "America/Los_Angeles America/Boise": "OR",
            "America/Los_Angeles America/Denver": "NV",
            "America/Anchorage America/Adak": "AK",
            "Pacific/Honolulu": "HI",
        },
        "CA": {
            "America/St_Johns America/Goose_Bay": "NL",
            "America/Halifax": "NS PE",
            "America/Moncton": "NB",
            # The Magdalen Islands; the Lower North Shore.
            "America/Toronto America/Halifax America/Blanc-Sablon": "QC",
            "America/Toronto America/Winnipeg America/Atikokan": "ON",
            "America/Winnipeg": "MB",
            # Lloydminster.
            "America/Regina America/Edmonton": "SK",
            "America/Edmonton": "AB",
            "America/Vancouver America/Edmonton America/Dawson_Creek": "BC",
            "America/Whitehorse": "YT",
            "America/Inuvik": "NT",
            # Coral Harbour keeps Atikokan's.
            "America/Iqaluit America/Rankin_Inlet America/Cambridge_Bay America/Atikokan": "NU",
        },
        "AU": {
            "Australia/Sydney": "ACT",
            "Australia/Sydney Australia/Broken_Hill Australia/Lord_Howe": "NSW",
            "Australia/Melbourne": "VIC",
            "Australia/Hobart": "TAS",
            "Australia/Brisbane": "QLD",
            "Australia/Adelaide": "SA",
            "Australia/Darwin": "NT",
            "Australia/Perth Australia/Eucla": "WA",
        },
        "ES": {
            "Europe/Madrid": "AN AR AS CB CL CM CT EX GA IB MC MD NC PV RI VC",
            "Africa/Ceuta": "CE ML",
            "Atlantic/Canary": "CN",
        },
        "PT": {
            "Europe/Lisbon": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18",
            "Atlantic/Azores": "20",
            "Atlantic/Madeira": "30",
        },
    }
)

ZONES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Somewhere in the country, and on no islands or shore that go by a code of their own.
        "ES": ("Europe/Madrid",),
        "PT": ("Europe/Lisbon",),
        **{
            f"{country}-{subdivision}": tuple(zones.split())
            for country, keeping in _KEEPING.items()
            for zones, subdivisions in keeping.items()
            for subdivision in subdivisions.split()
        },
    }
)

# The regions that a country's own code stands for, where it stands for several.
PARTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{
            country: tuple(code for code in ZONES if code.startswith(f"{country}-"))
            for country in ("US", "CA", "AU")
        },
        "ES": ("ES", "ES-CE", "ES-ML", "ES-CN"),
        "PT": ("PT", "PT-30", "PT-20"),
    }
)

# Overseas France: its own ISO country -> the code that ISO 3166-2:FR gives it now (departments by
# number, collectivities by letters) and the other codes it has had or is called by.
_OVERSEAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "GP": ("FR-971", ("FR-GP", "FR-GUA")),
        "MQ": ("FR-972", ("FR-MQ",)),
        "GF": ("FR-973", ("FR-GF",)),
        "RE": ("FR-974", ("FR-RE", "FR-LRE")),
        "PM": ("FR-PM", ("FR-975",)),
        "YT": ("FR-976", ("FR-YT", "FR-MAY")),
        "BL": ("FR-BL", ("FR-977",)),
        "MF": ("FR-MF", ("FR-978",)),
        "WF": ("FR-WF", ("FR-986",)),
        "PF": ("FR-PF", ("FR-987",)),
        "NC": ("FR-NC", ("FR-988",)),
        "TF": ("FR-TF", ("FR-984",)),
    }
)
# Spain's provinces, by the community that each belongs to.
_PROVINCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ES-AN": "AL CA CO GR H J MA SE",
        "ES-AR": "HU TE Z",
        "ES-AS": "O",
        "ES-CB": "S",
        "ES-CL": "AV BU LE P SA SG SO VA ZA",
        "ES-CM": "AB CR CU GU TO",
        "ES-CN": "GC TF",
        "ES-CT": "B GI L T",
        "ES-EX": "BA CC",
        "ES-GA": "C LU OR PO",
        "ES-IB": "PM",
        "ES-MC": "MU",
        "ES-MD": "M",
        "ES-NC": "NA",
        "ES-PV": "BI SS VI",
        "ES-RI": "LO",
        "ES-VC": "A CS V",
    }
)
# Councils and counties by the nation they are in, with some withdrawn in 2019 and 2021 that old
# files still name; last, the codes for several nations together.
_COUNTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GB-ENG": (
            "BAS BBD BCP BDF BDG BEN BEX BIR BKM BMH BNE BNH BNS BOL BPL BRC BRD BRY BST BUR CAM "
            "CBF CHE CHW CLD CMA CMD CON COV CRY DAL DBY DER DEV DNC DOR DUD DUR EAL ENF ERY ESS "
            "ESX GAT GLS GRE HAL HAM HAV HCK HEF HIL HMF HNS HPL HRT HRW HRY IOS IOW ISL KEC KEN "
            "KHL KIR KTT KWL LAN LBH LCE LDS LEC LEW LIN LIV LND LUT MAN MDB MDW MIK MRT NBL NEL "
            "NET NFK NGM NLN NNH NSM NTH NTT NTY NWM NYK OLD OXF PLY POL POR PTE RCC RCH RDB RDG "
            "RIC ROT RUT SAW SFK SFT SGC SHF SHN SHR SKP SLF SLG SND SOL SOM SOS SRY STE STH STN "
            "STS STT STY SWD SWK TAM TFW THR TOB TRF TWH WAR WBK WFT WGN WIL WKF WLL WLV WND WNH "
            "WNM WOK WOR WRL WRT WSM WSX YOR"
        ),
        "GB-NIR": "ABC AND ANN BFS CCG DRS FMO LBC MEA MUL NMD",
        "GB-SCT": (
            "ABD ABE AGB ANS CLK DGY DND EAY EDH EDU ELN ELS ERW FAL FIF GLG HLD IVC MLN MRY NAY "
            "NLK ORK PKN RFW SAY SCB SLK STG WDU WLN ZET"
        ),
        "GB-WLS": (
            "AGY BGE BGW CAY CGN CMN CRF CWY DEN FLN GWN MON MTY NTL NWP PEM POW RCT SWA TOF VGL "
            "WRX"
        ),
        "GB": "EAW GBN UKM",
    }
)
# ISO 3166-2:BE has provinces too, and the law goes by regions.
_BELGIAN: Final[Mapping[str, str]] = MappingProxyType(
    {"BE-VLG": "VAN VBR VLI VOV VWV", "BE-WAL": "WBR WHT WLG WLX WNA"}
)
# Countries of their own in ISO 3166-1, and subdivisions of another in ISO 3166-2.
_OUTLYING: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{country: f"US-{country}" for country in ("AS", "GU", "MP", "PR", "UM", "VI")},
        **{country: f"NL-{country}" for country in ("AW", "CW", "SX")},
        "BQ": "NL-BQ1 NL-BQ2 NL-BQ3",
    }
)
# Regions of France and Italy hold several departments and provinces, and no law asks for them:
# whose days are kept there is as little known as of the country.
_TOO_WIDE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FR": "20R ARA BFC BRE COR CVL GES HDF IDF NAQ NOR OCC PAC PDL",
        "IT": "21 23 25 32 34 36 42 45 52 55 57 62 65 67 72 75 77 78 82 88",
    }
)


def _other_codes() -> dict[str, str]:
    other = {}
    for country, (canonical, former) in _OVERSEAS.items():
        other.update(dict.fromkeys((country, canonical, *former), canonical))
    for table in (_PROVINCES, _COUNTIES, _BELGIAN):
        for canonical, subdivisions in table.items():
            prefix = canonical[:2]
            other.update((f"{prefix}-{code}", canonical) for code in subdivisions.split())
    for country, codes in _OUTLYING.items():
        other.update(dict.fromkeys(codes.split(), country))
    for country, codes in _TOO_WIDE.items():
        other.update((f"{country}-{code}", country) for code in codes.split())
    return other


# A code -> the one its region goes by here: that of the part whose clock and law it shares.
CANONICAL: Final[Mapping[str, str]] = MappingProxyType(_other_codes())

# A region -> the ISO country it is, where its code begins with another's.
COUNTRY: Final[Mapping[str, str]] = MappingProxyType(
    {canonical: country for country, (canonical, _) in _OVERSEAS.items()}
)

# France: metropolitan departments (20 became 2A and 2B), the collectivities that took the place of
# some; FR-75 was withdrawn for FR-75C and is what everybody writes. Italy: the provinces by the
# letters of their plates, with the Sardinian ones of before 2016 that old files still name.
_NAMED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FR": (
            f"{' '.join(f'{number:02}' for number in range(1, 96) if number != 20)} "
            "2A 2B 69M 6AE 75C"
        ),
        "IT": (
            "AG AL AN AO AP AQ AR AT AV BA BG BI BL BN BO BR BS BT BZ CA CB CE CH CI CL CN CO "
            "CR CS CT CZ EN FC FE FG FI FM FR GE GO GR IM IS KR LC LE LI LO LT LU MB MC ME MI "
            "MN MO MS MT NA NO NU OG OR OT PA PC PD PE PG PI PN PO PR PT PU PV PZ RA RC RE RG "
            "RI RM RN RO SA SI SO SP SR SS SU SV TA TE TN TO TP TR TS TV UD VA VB VC VE VI VR "
            "VS VT VV"
        ),
        "DE": "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH",
        "GB": "ENG NIR SCT WLS",
        "BE": "BRU VLG WAL",
        "NL": "DR FL FR GE GR LI NB NH OV UT ZE ZH",
    }
)
# Country -> its subdivisions as they go by here.
SUBDIVISIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{country: frozenset(codes.split()) for country, codes in _NAMED.items()},
        **{
            country: frozenset(code for codes in keeping.values() for code in codes.split())
            for country, keeping in _KEEPING.items()
        },
    }
)
# Any other code of the right shape is taken here too: one clock, and laws that ask for no part.
OPEN: Final = frozenset({"BE", "NL"})
