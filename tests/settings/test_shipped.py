"""The configuration that is shipped: taken as it stands, and with all that is commented out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

import dialwarden
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import read_policy
from dialwarden.settings import sections
from dialwarden.settings.campaigns import CampaignEntry
from dialwarden.settings.config import Config, read_config
from dialwarden.settings.forms import settings_of

FILE = Path(__file__).parents[2] / "config" / "dialwarden.toml"
COMMENTED_OUT = re.compile(r"^# (?=\[[a-z.]+\]|[a-z_]+ = )", re.MULTILINE)


@pytest.fixture(scope="module")
def policies() -> Mapping[str, Policy]:
    folder = Path(dialwarden.__file__).parent / "policies"
    read = [read_policy(file.read_text(), file.name) for file in folder.glob("*.toml")]
    return {policy.id: policy for policy in read}


def load(text: str, policies: Mapping[str, Policy]) -> Config:
    return read_config(text.encode(), FILE, {}).resolve(policies)


def test_it_loads_without_a_warning(policies: Mapping[str, Policy]) -> None:
    config = load(FILE.read_text(), policies)
    assert config.warnings == ()
    assert set(config.campaigns) == {"demo-fr", "demo-it"}
    assert config.ami is None
    assert config.store.path.resolve() == FILE.parents[1] / "var" / "dialwarden.db"


def test_its_house_rules_are_not_wider_than_any_regime(policies: Mapping[str, Policy]) -> None:
    config = load(FILE.read_text(), policies)
    for campaign in config.campaigns.values():
        assert campaign.wider_than_law(date.min) == []


def test_what_it_has_commented_out_loads_too(
    policies: Mapping[str, Policy], tmp_path: Path
) -> None:
    text, uncommented = COMMENTED_OUT.subn("", FILE.read_text())
    assert uncommented > 20
    for name in ("ami.secret", "asterisk-ca.pem", "gateway.pem", "gateway.key"):
        (tmp_path / name).write_text("x\n")
    config = read_config(text.encode(), tmp_path / "dialwarden.toml", {}).resolve(policies)
    assert config.warnings == ()
    assert config.ami is not None
    assert config.trunks["carrier"].strip == "9"
    assert config.gateway.tls_key == tmp_path / "gateway.key"
    bare = dataclasses.replace(config.gateway, campaigns={}, tls_cert=None, tls_key=None)
    assert dataclasses.replace(bare, dialplan_users=()) == sections.Gateway()
    assert config.guard == sections.Guard()
    assert config.http == sections.Http()


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("store", sections.Store),
        ("agi", sections.Agi),
        ("ami", sections.Ami),
        ("gateway", sections.Gateway),
        ("guard", sections.Guard),
        ("http", sections.Http),
        ("log", sections.Log),
        ("defaults", sections.Defaults),
        ("policies", sections.Policies),
        ("retention", sections.Retention),
        ("doctor", sections.Doctor),
        ("trunks.carrier", sections.Trunk),
        ("lists.house", sections.ListEntry),
        ("campaigns.demo-", CampaignEntry),
    ],
)
def test_it_shows_every_setting(name: str, section: type) -> None:
    parts = re.split(r"^(?:# )?\[", FILE.read_text(), flags=re.MULTILINE)
    shown = "".join(part for part in parts if part.startswith(name) and ".tighten]" not in part)
    for setting in settings_of(section):
        assert re.search(rf"\b{setting.key} = ", shown), setting.key
