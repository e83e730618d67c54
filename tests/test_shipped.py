"""Where the shipped files are found: beside the sources, in a wheel, and where neither is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialwarden.errors import InstallRefused
from dialwarden.shipped import shipped


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package's folder, `config` two above it."""
    folder = tmp_path / "agi" / "dialwarden"
    folder.mkdir(parents=True)
    monkeypatch.setattr("dialwarden.shipped.files", lambda name: tmp_path / "agi" / name)
    return folder


def test_a_folder_in_the_package_has_them(package: Path) -> None:
    (package / "templates").mkdir()
    assert shipped("a/b.conf") == package / "templates" / "a" / "b.conf"


def test_a_link_that_git_could_not_make_leads_to_them(package: Path) -> None:
    (package.parents[1] / "config").mkdir()
    (package.parents[1] / "config" / "x.toml").write_text("here")
    (package / "templates").write_text("../../config")
    assert shipped("x.toml").read_text() == "here"


def test_without_them_the_next_step_is_told(package: Path) -> None:
    with pytest.raises(InstallRefused, match="are not there; install dialwarden anew"):
        shipped("dialwarden.toml")
