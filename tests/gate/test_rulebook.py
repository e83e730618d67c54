"""The configuration, compiled for the call's path."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.world import CONFIG, rulebook_of

from dialwarden.gate.rulebook import PERMIT_LIFE, Entry, Rulebook
from dialwarden.question import Purpose


@pytest.fixture
def rulebook(tmp_path: Path) -> Rulebook:
    return rulebook_of(tmp_path)


def test_every_campaign_has_an_entry(rulebook: Rulebook) -> None:
    assert set(rulebook.entries) == {
        "capped", "sister", "rival", "listed", "free", "solar", "shadow",
    }  # fmt: skip
    assert rulebook.entries["solar"].purpose is Purpose.SALES
    assert rulebook.entries["capped"].enforce
    assert not rulebook.entries["shadow"].enforce


def test_an_entrys_lists_are_those_of_every_regime_and_its_own(rulebook: Rulebook) -> None:
    assert rulebook.entries["solar"].lists == ("bloctel",)
    assert rulebook.entries["listed"].lists == ("house",)
    assert rulebook.exempt_lists == ("staff",)


def test_the_history_reaches_past_the_longest_period(rulebook: Rulebook) -> None:
    assert rulebook.entries["capped"].history >= timedelta(days=1)
    assert rulebook.entries["solar"].history >= timedelta(days=30)


def test_the_history_holds_the_attempt_that_may_be_repeated(rulebook: Rulebook) -> None:
    assert rulebook.entries["free"].history >= PERMIT_LIFE


PACK = """
id = "{id}"
title = "t"
country = "FR"
[sources.law]
text = "the law"
confidence = "primary"
[[regimes]]
id = "{id}"
title = "t"
from = 2020-01-01
{part}
source = "law"
"""


@pytest.fixture
def with_pack(tmp_path: Path) -> Callable[[str], Entry]:
    def entry(part: str) -> Entry:
        (tmp_path / "packs").mkdir()
        (tmp_path / "packs" / "own.toml").write_text(PACK.format(id="own", part=part))
        more = '[policies]\npath = "packs"\n[campaigns.own]\nprofessional = "p"\npolicy = "own"\n'
        return rulebook_of(tmp_path, CONFIG + more).entries["own"]

    return entry


SILENT = '[[regimes.gaps]]\nafter = "silent"\n'
AGREED = '[regimes.appointments]\ntolerance = "1 minute"\nwaives = ["hours"]\n'


@pytest.mark.parametrize(
    ("part", "silence", "appointments"),
    [
        ('[regimes.hours]\nmon = ["10:00-11:00"]', False, False),
        (SILENT + "full_days = 5", True, False),
        ("[[regimes.gaps]]\nfull_days = 5", False, False),
        ('[[regimes.regions]]\nregions = ["FR-57"]\n[[regimes.regions.gaps]]\nafter = "silent"\n'
         "full_days = 5", True, False),
        (AGREED, False, True),
        # Of a law that is not in force yet, too: it may be tomorrow.
        ('until = 2026-12-31\n[[regimes]]\nid = "next"\ntitle = "t"\nfrom = 2027-01-01\n' + AGREED,
         False, True),
    ],
)  # fmt: skip
def test_an_entry_knows_what_any_of_its_laws_asks_for(
    with_pack: Callable[[str], Entry], part: str, silence: bool, appointments: bool
) -> None:
    entry = with_pack(part)
    assert (entry.heeds_silence, entry.heeds_appointments) == (silence, appointments)


@pytest.mark.parametrize(
    ("part", "days"),
    [
        # Whole days follow the day of the attempt, which has its own hours.
        ("[[regimes.gaps]]\nfull_days = 5", 6),
        ('[[regimes.gaps]]\nperiod = "72 hours"', 3),
        ('[[regimes.regions]]\nregions = ["FR-57"]\n[[regimes.regions.caps]]\nmax = 1\n'
         'period = "9 days"', 9),
    ],
)  # fmt: skip
def test_the_history_reaches_back_for_every_gap_and_region(
    with_pack: Callable[[str], Entry], part: str, days: int
) -> None:
    assert with_pack(part).history >= timedelta(days=days)


def test_a_gap_after_silence_needs_no_attempts(with_pack: Callable[[str], Entry]) -> None:
    assert with_pack(SILENT + 'period = "72 hours"').history == PERMIT_LIFE


def test_the_longest_strip_is_tried_first(tmp_path: Path) -> None:
    trunk = '[trunks.{}]\nchannel = "PJSIP/{}"\ndial = ["PJSIP/{{number}}@x"]\nstrip = "{}"\n'
    more = "".join(trunk.format(name, name, strip) for name, strip in (("a", "90"), ("b", "9")))
    assert rulebook_of(tmp_path, CONFIG + more).strips == ("90", "9")


def test_the_files_hash_is_kept_for_the_record(rulebook: Rulebook) -> None:
    assert rulebook.config_sha256 == hashlib.sha256(CONFIG.encode()).hexdigest()


def test_a_rulebook_does_not_change(rulebook: Rulebook) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        rulebook.language = "fr"  # type: ignore[misc]
