"""`dialwarden install --undo`: as it was, byte for byte, whatever happened in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.install.pbx import CUSTOM, EXTENSIONS, OURS, Site

import dialwarden
from dialwarden.install.change import sha256
from dialwarden.install.marked import BEGIN
from dialwarden.install.record import Records


def test_undo_restores_every_byte_and_mode(site: Site) -> None:
    before = site.state()
    site.install()
    assert site.state() != before
    told = site.run("--undo", answer="y\n").stdout
    assert "-#include extensions_ours.conf" in told
    assert site.state() == before


def test_undo_asks_first_and_shows_what_it_would_do(site: Site) -> None:
    site.install()
    before = site.state()
    assert "Nothing was written" in site.run("--undo", answer="n\n", status=1).stdout
    assert [one["action"] for one in site.json("--undo", "--dry-run")["files"]] == [
        "changed", "changed", "removed", "removed",
    ]  # fmt: skip
    assert site.state() == before


def test_undo_of_several_versions_goes_back_to_before_the_first(site: Site) -> None:
    before = site.state()
    site.install()
    for version in ("2", "3"):
        (site.templates / "asterisk" / "extensions_ours.conf").write_text(OURS + version)
        site.install()
    site.install("--undo")
    assert site.state() == before


def test_undo_twice_has_nothing_to_do(site: Site) -> None:
    site.install()
    site.install("--undo")
    before = site.state()
    told = site.install("--undo")
    assert "no install is on record" in told
    assert site.state() == before


def test_what_was_installed_undone_and_installed_again_can_be_undone(site: Site) -> None:
    before = site.state()
    for _ in range(2):
        site.install()
        site.install("--undo")
    assert site.state() == before


def test_of_a_file_that_the_admin_changed_since_only_our_lines_are_taken_out(site: Site) -> None:
    site.install()
    site.write("extensions.conf", b"; first\n" + site.read("extensions.conf") + b"; last\n")
    told = site.install("--undo")
    assert "only our lines are taken out" in told
    assert site.read("extensions.conf") == b"; first\n" + EXTENSIONS + b"; last\n"
    assert site.read("extensions_custom.conf") == CUSTOM
    assert not (site.etc / "extensions_ours.conf").exists()


def test_an_edit_between_two_versions_survives_the_undo(site: Site) -> None:
    site.install()
    site.write("extensions.conf", site.read("extensions.conf") + b"; between\n")
    manifest = site.templates / "toy" / "install.toml"
    more = '[[include]]\nfile = "extensions.conf"\nline = "#include extensions_toy.conf"\n'
    manifest.write_text(manifest.read_text() + more)
    site.install()
    site.install("--undo")
    assert site.read("extensions.conf") == EXTENSIONS + b"; between\n"


def test_our_file_that_the_admin_edited_since_stays_and_is_told(site: Site) -> None:
    site.install()
    site.write("extensions_ours.conf", b"[mine]\n")
    told = site.install("--undo", status=1)
    assert "extensions_ours.conf was edited since it was put there: it stays" in told
    assert site.read("extensions_ours.conf") == b"[mine]\n"
    assert site.read("extensions.conf") == EXTENSIONS


def test_our_file_that_was_edited_and_then_replaced_is_gone_after_the_undo(site: Site) -> None:
    before = site.state()
    site.install()
    site.write("extensions_ours.conf", b"[mine]\n")
    site.install()
    told = site.install("--undo")
    assert "the copy that was edited is in" in told
    assert site.state() == before


def test_a_file_that_somebody_removed_since_is_not_brought_back(site: Site) -> None:
    site.install()
    (site.etc / "extensions_custom.conf").unlink()
    assert "extensions_custom.conf was removed by somebody else" in site.install("--undo")
    assert not (site.etc / "extensions_custom.conf").exists()


def test_without_the_copies_our_lines_and_files_go_all_the_same(site: Site) -> None:
    site.install()
    shutil.rmtree(site.etc / "dialwarden.backup")
    site.install("--undo")
    assert site.read("extensions.conf") == EXTENSIONS
    assert not (site.etc / "extensions_ours.conf").exists()


def test_a_spoilt_copy_is_not_restored(site: Site) -> None:
    backup = Path(site.json("--yes")["backup"])
    next(backup.glob("*-extensions.conf")).write_bytes(b"something else")
    before = site.state()
    assert "is not what was copied there" in site.run("--undo", "--yes", status=2).stderr
    assert site.state() == before


def test_a_spoilt_manifest_is_told(site: Site) -> None:
    backup = Path(site.json("--yes")["backup"])
    (backup / "manifest.json").write_text("{}")
    assert "is no manifest of ours" in site.run("--undo", "--yes", status=2).stderr


def test_a_copy_of_the_folder_is_taken_back_by_itself(site: Site, tmp_path: Path) -> None:
    elsewhere = site.folder / "elsewhere.conf"
    (site.etc / "extensions.conf").rename(elsewhere)
    (site.etc / "extensions.conf").symlink_to(elsewhere)
    site.install()
    installed = (site.state(), elsewhere.read_bytes())
    copy = Site(tmp_path / "copy")
    shutil.copytree(site.etc, copy.etc, symlinks=True)
    told = copy.install("--undo", status=1)
    # What the link leads to includes it, and is the original's.
    assert f"{copy.etc}/extensions_ours.conf stays" in told
    assert f"{elsewhere} was written by an install into {site.etc}: it stays" in told
    assert copy.read("extensions_custom.conf") == CUSTOM
    assert (site.state(), elsewhere.read_bytes()) == installed


def test_nobody_to_answer_is_a_no(site: Site) -> None:
    before = site.state()
    assert "Nothing was written." in site.run(answer="", status=1).stdout
    assert site.state() == before


def test_two_at_once_do_not_mix(site: Site) -> None:
    with Records(site.etc).alone():
        assert "another `dialwarden install` is at work" in site.run("--yes", status=2).stderr
    assert not (site.etc / "extensions_ours.conf").exists()


# Killed in the middle

KILLED = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv[1])
replace, unlink = Path.replace, Path.unlink

def count(do):
    def counted(self, *args, **kwargs):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return do(self, *args, **kwargs)
    return counted

Path.replace, Path.unlink = count(replace), count(unlink)
import dialwarden.cli.install as command
command.shipped = lambda name="": Path(sys.argv[2]) / name
from dialwarden.cli import main
main(sys.argv[3:])
"""


def killed_at(site: Site, step: int, *arguments: str) -> int:
    """Run the command, killed as `kill -9` does before its step-th rename or removal."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(step), str(site.templates), "install",
         "--asterisk-dir", str(site.etc), "--yes", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(dialwarden.__file__).parents[1])},
        capture_output=True, check=False,
    ).returncode  # fmt: skip


# Four files, two of them copied first, and the manifest.
@pytest.mark.parametrize("step", range(7))
def test_killed_anywhere_no_file_is_half_written_and_again_or_undo_mends(
    site: Site, step: int, tmp_path: Path
) -> None:
    before = site.state()
    assert killed_at(site, step) == -signal.SIGKILL
    halfway = site.state()
    for name, (content, _) in halfway.items():
        if not name.startswith(".dialwarden-"):
            ours = (site.templates / "asterisk" / name, site.templates / "toy" / name)
            whole = [path.read_bytes() for path in ours if path.exists()]
            assert content in whole or content == before[name][0] or BEGIN in content, name
    # What includes a file of ours is never there before that file.
    for name in ("extensions_ours.conf", "extensions_toy.conf"):
        including = [n for n, (content, _) in halfway.items() if name.encode() in content]
        assert not including or name in halfway
    other = Site(tmp_path / "other")
    shutil.copytree(site.etc, other.etc)
    site.install()
    site.install("--undo")
    assert site.state() == before
    # The same folder at another place, taken back without doing the rest first.
    other.install("--undo")
    assert other.state() == before


@pytest.mark.parametrize("step", range(5))
def test_an_undo_killed_anywhere_is_ended_by_another(site: Site, step: int) -> None:
    before = site.state()
    site.install()
    assert killed_at(site, step, "--undo") == -signal.SIGKILL
    site.install("--undo")
    assert site.state() == before


# What would be missed, and what others could have written


def test_a_file_that_a_line_of_the_admins_includes_stays(site: Site) -> None:
    """Without it Asterisk would load nothing of the file that includes it."""
    site.install()
    site.write("extensions.conf", EXTENSIONS + b"#include extensions_ours.conf\n")
    told = site.install("--undo", status=1)
    assert f"extensions_ours.conf stays: {site.etc}/extensions.conf includes it still" in told
    assert site.read("extensions_ours.conf") == OURS.encode()
    # And of a folder without copies.
    shutil.rmtree(site.etc / "dialwarden.backup")
    site.install("--undo", status=1)
    assert site.read("extensions_ours.conf") == OURS.encode()
    site.write("extensions.conf", EXTENSIONS)
    site.install("--undo")
    assert not (site.etc / "extensions_ours.conf").exists()


def test_permissions_that_were_changed_since_stay(site: Site) -> None:
    site.install()
    (site.etc / "extensions.conf").chmod(0o600)
    site.install("--undo")
    assert site.read("extensions.conf") == EXTENSIONS
    assert (site.etc / "extensions.conf").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["{outside}", "../outside.conf", "link.conf"])
@pytest.mark.parametrize("open_to_others", [True, False])
def test_copies_that_others_could_write_put_nothing_back_outside_of_the_folder(
    site: Site, path: str, open_to_others: bool
) -> None:
    outside = site.folder / "outside.conf"
    outside.write_bytes(EXTENSIONS + b"; after")
    (site.etc / "link.conf").symlink_to(outside)
    backup = Path(site.json("--yes")["backup"])
    manifest = json.loads((backup / "manifest.json").read_text())
    (one,) = (file for file in manifest["files"] if file["path"] == "extensions.conf")
    one |= {"path": path.format(outside=outside), "after": sha256(outside.read_bytes())}
    (backup / "manifest.json").write_text(json.dumps(manifest))
    if open_to_others:
        backup.parent.chmod(0o770)
        told = site.install("--undo", status=1)
        assert "may have been written by somebody else" in told
        assert outside.read_bytes() == EXTENSIONS + b"; after"
    else:
        site.run("--undo", "--yes", status=1)  # extensions.conf includes what it is to lose
        assert outside.read_bytes() == EXTENSIONS


def test_what_is_in_the_folder_is_put_back_whoever_could_write_the_copies(site: Site) -> None:
    """A product that gives its whole folder to one user takes no undo away."""
    before = site.state()
    backup = Path(site.json("--yes")["backup"])
    for path in (backup.parent, *backup.parent.rglob("*")):
        path.chmod(0o775 if path.is_dir() else 0o664)
    site.install("--undo")
    assert site.state() == before


@pytest.mark.parametrize(
    ("line", "left"), [(b"#include", b""), (b"#tryinclude", None)], ids=["needed", "not needed"]
)
def test_a_file_that_was_made_for_our_lines_stays_where_it_is_needed(
    site: Site, line: bytes, left: bytes | None
) -> None:
    (site.etc / "extensions_custom.conf").unlink()
    site.write("extensions.conf", EXTENSIONS + line + b" extensions_custom.conf\n")
    site.install()
    site.install("--undo")
    custom = site.etc / "extensions_custom.conf"
    assert (custom.read_bytes() if custom.exists() else None) == left
    assert not (site.etc / "extensions_toy.conf").exists()


ASKS = b"""[outbound]
exten => _X.,1,Gosub(dialwarden,check,1(${EXTEN},c))
; Gosub(dialwarden,peek,1(1,))
"""


def test_nothing_is_taken_out_unseen_while_the_dialplan_asks_for_it(site: Site) -> None:
    site.install()
    file = site.etc / "extensions.conf"
    file.write_bytes(file.read_bytes() + ASKS)
    line = file.read_bytes().split(b"Gosub")[0].count(b"\n") + 1
    asks = f"{file}:{line}"
    before = site.state()
    refused = site.run("--undo", "--yes", status=2).stderr
    assert f"{asks}: asks dialwarden still: with it taken out Asterisk hangs" in refused
    assert site.state() == before
    told = site.run("--undo", answer="n\n", status=1).stdout
    assert told.index(f"Note: {asks} asks dialwarden") < told.index("Nothing was written")
    site.run("--undo", "--yes", "--force")
    assert file.read_bytes() == EXTENSIONS + ASKS


def test_who_does_not_ask_may_take_it_out_without_a_word(site: Site) -> None:
    site.install()
    file = site.etc / "extensions.conf"
    file.write_bytes(file.read_bytes() + b"; Gosub(dialwarden,check,1(1,c)) was here\n")
    assert "asks dialwarden" not in site.install("--undo")


def test_a_long_file_of_ours_is_shown_whole_only_when_asked(site: Site) -> None:
    (site.templates / "asterisk" / "extensions_ours.conf").write_text("; a line\n" * 60)
    assert "all of its 60 lines: --full shows them" in site.run("--dry-run", status=0).stdout
    assert site.run("--dry-run", "--full").stdout.count("+; a line") == 60
