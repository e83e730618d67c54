"""A site for each test: its configuration, its ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.site import CONFIG, Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    (tmp_path / "dialwarden.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)
