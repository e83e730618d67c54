"""The configuration, compiled for the call's path."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.world import CONFIG, rulebook_of

from dialwarden.gate.rulebook import PERMIT_LIFE, Rulebook
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


def test_the_longest_strip_is_tried_first(tmp_path: Path) -> None:
    trunk = '[trunks.{}]\nchannel = "PJSIP/{}"\ndial = ["PJSIP/{{number}}@x"]\nstrip = "{}"\n'
    more = "".join(trunk.format(name, name, strip) for name, strip in (("a", "90"), ("b", "9")))
    assert rulebook_of(tmp_path, CONFIG + more).strips == ("90", "9")


def test_the_files_hash_is_kept_for_the_record(rulebook: Rulebook) -> None:
    assert rulebook.config_sha256 == hashlib.sha256(CONFIG.encode()).hexdigest()


def test_a_rulebook_does_not_change(rulebook: Rulebook) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        rulebook.language = "fr"  # type: ignore[misc]
