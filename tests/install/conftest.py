"""A site for each test, with shipped files of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.install.pbx import Site, make_etc, make_templates


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    one = Site(tmp_path)
    make_templates(one.templates)
    make_etc(one.etc)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dialwarden.cli.install.shipped", lambda name="": one.templates / name)
    places = (Path("dialwarden.toml"), tmp_path / "none" / "dialwarden.toml")
    monkeypatch.setattr("dialwarden.cli.install.CONFIG_PLACES", places)
    monkeypatch.setattr("dialwarden.settings.config.CONFIG_PLACES", places)
    return one
