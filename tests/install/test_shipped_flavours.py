"""Every flavour that is shipped: it goes in, stays, and comes out again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.install.pbx import Site

from dialwarden.install.manifest import read_flavours
from dialwarden.install.marked import contexts_of, included_by
from dialwarden.shipped import shipped

FLAVOURS = read_flavours(shipped())


@pytest.fixture
def pbx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    site = Site(tmp_path)
    site.etc.mkdir()
    return site


def test_there_is_one_for_an_extensions_conf_of_ones_own() -> None:
    assert FLAVOURS["plain"].detect == ()


@pytest.mark.parametrize("name", FLAVOURS)
def test_it_goes_in_once_and_comes_out_byte_for_byte(name: str, pbx: Site) -> None:
    flavour = FLAVOURS[name]
    included = [include.file for include in flavour.includes]
    for name_of_theirs in (*included, *flavour.detect):
        # What a folder's name speaks for is empty, but for what goes into it.
        if not (pbx.etc / name_of_theirs).is_dir():
            (pbx.etc / name_of_theirs).parent.mkdir(parents=True, exist_ok=True)
            pbx.write(name_of_theirs, b"; the admin's\n")
    for own in flavour.files:
        (pbx.etc / own.target).parent.mkdir(parents=True, exist_ok=True)
    before = pbx.state()
    pbx.install("--flavour", name)
    for own in flavour.files:
        assert pbx.read(own.target) == own.source.read_bytes()
    assert pbx.json("--flavour", name, "--dry-run")["files"] == []
    pbx.install("--undo")
    assert pbx.state() == before


@pytest.mark.parametrize("name", FLAVOURS)
def test_what_it_includes_is_what_it_brings(name: str) -> None:
    flavour = FLAVOURS[name]
    brought = {own.target for own in flavour.files}
    for include in flavour.includes:
        assert set(included_by(include.line.encode())) <= brought
    contexts = {c for own in flavour.files for c in contexts_of(own.source.read_bytes())}
    assert {c for include in flavour.includes for c in include.contexts} <= contexts


@pytest.mark.parametrize("name", FLAVOURS)
def test_it_says_how_asterisk_is_told_and_how_to_see_that_it_was(name: str) -> None:
    flavour = FLAVOURS[name]
    assert flavour.after
    assert flavour.checks


def wazo(pbx: Site) -> None:
    """Wazo's folder, as far as its dialplan is read from extensions.conf."""
    for folder in ("extensions.d", "extensions_extra.d"):
        (pbx.etc / folder).mkdir()
    pbx.write("extensions.conf", b"#include extensions.d/*.conf\n")
    pbx.write("extensions.d/01-wazo.conf", b"[default]\n\n#include extensions_extra.d/*\n")


def test_a_subroutine_of_wazos_admin_is_found_where_wazo_reads_it(pbx: Site) -> None:
    """What Asterisk reads first is theirs: ours would be dropped, and calls leave unasked."""
    wazo(pbx)
    pbx.write("extensions_extra.d/own", b"[xivo-subrgbl-outcall]\nexten = s,1,Return()\n")
    told = pbx.install(status=1)
    assert "extensions_extra.d/own:1: the context [xivo-subrgbl-outcall] is there already" in told
    assert "    exten => s,1,Gosub(dialwarden-wazo,s,1)" in told
    # What theirs is to ask is there all the same.
    includes = included_by(pbx.read("extensions.d/dialwarden.conf"))
    assert includes == ("extensions_dialwarden.conf", "extensions_dialwarden_wazo.conf")
    asking = b"[xivo-subrgbl-outcall]\nexten = s,1,Gosub(dialwarden-wazo,s,1)\nsame = n,Return()\n"
    pbx.write("extensions_extra.d/own", asking)
    assert pbx.json("--yes")["missing"] == []


def test_nothing_of_ours_is_left_where_wazo_reads_every_file(pbx: Site) -> None:
    wazo(pbx)
    pbx.install()
    (pbx.etc / "extensions_dialwarden.conf").write_text("; edited\n")
    pbx.install()
    pbx.install("--undo")
    assert list((pbx.etc / "extensions_extra.d").iterdir()) == []
    read = {path.name for path in (pbx.etc / "extensions.d").glob("*.conf")}
    assert read == {"01-wazo.conf"}
