"""`dialwarden install` on real folders: shown first, written whole, done once."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.install.pbx import CUSTOM, EXTENSIONS, OURS, TOY, Site

from dialwarden.errors import InstallRefused
from dialwarden.install.change import Change
from dialwarden.install.folder import Folder
from dialwarden.install.marked import BEGIN, END
from dialwarden.install.writing import write

BLOCK = b"%s\n#include extensions_ours.conf\n%s\n" % (BEGIN, END)


def test_the_difference_is_shown_and_nothing_is_written_before_a_yes(site: Site) -> None:
    before = site.state()
    told = site.run(answer="n\n", status=1).stdout
    assert "+++ " + str(site.etc / "extensions.conf") in told
    assert "+#include extensions_ours.conf" in told
    assert "+ same => n,Return()" in told
    assert "Nothing was written." in told
    assert site.state() == before
    assert not (site.etc / "dialwarden.backup").exists()


def test_a_yes_writes_our_files_and_the_lines_that_include_them(site: Site) -> None:
    told = site.run(answer="y\n").stdout
    assert site.read("extensions_ours.conf") == OURS.encode()
    assert site.read("extensions_toy.conf") == TOY.encode()
    assert site.read("extensions.conf") == EXTENSIONS + BLOCK
    assert 'asterisk -rx "dialplan reload"' in told
    assert "Admin, Routes: name a campaign" in told


def test_line_ends_and_bytes_of_the_admins_file_are_kept(site: Site) -> None:
    site.install()
    ours = b"\r\n".join([BEGIN, b"#include extensions_toy.conf", END, b""])
    assert site.read("extensions_custom.conf") == CUSTOM + b"\r\n" + ours


def test_doing_it_again_changes_nothing(site: Site) -> None:
    site.install()
    before = site.state()
    runs = sorted((site.etc / "dialwarden.backup").iterdir())
    assert "Nothing to write" in site.install()
    assert site.json("--dry-run")["files"] == []
    assert site.state() == before
    assert sorted((site.etc / "dialwarden.backup").iterdir()) == runs


def test_a_dry_run_changes_nothing_and_needs_no_right_to_write(site: Site) -> None:
    before = site.state()
    found = site.json("--dry-run")
    assert not found["written"]
    assert [(Path(one["path"]).name, one["action"]) for one in found["files"]] == [
        ("extensions_ours.conf", "made"),
        ("extensions_toy.conf", "made"),
        ("extensions.conf", "changed"),
        ("extensions_custom.conf", "changed"),
    ]
    assert site.state() == before


def test_mode_and_owner_are_kept_and_new_files_have_those_of_extensions_conf(site: Site) -> None:
    owner = (4242, 4243) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(site.etc / "extensions.conf", *owner)
    site.install()
    for name in ("extensions.conf", "extensions_ours.conf", "extensions_toy.conf"):
        status = (site.etc / name).stat()
        assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, *owner), name


def test_an_absent_file_of_the_admins_is_made(site: Site) -> None:
    (site.etc / "extensions_custom.conf").unlink()
    site.install()
    assert b"#include extensions_toy.conf\n" in site.read("extensions_custom.conf")


def test_a_newer_version_brings_our_file_up_to_date(site: Site) -> None:
    site.install()
    (site.templates / "asterisk" / "extensions_ours.conf").write_text(OURS + "; newer\n")
    found = site.json("--yes")
    assert [(Path(one["path"]).name, one["why"]) for one in found["files"]] == [
        ("extensions_ours.conf", "brought up to date")
    ]
    assert site.read("extensions_ours.conf") == OURS.encode() + b"; newer\n"


def test_our_file_that_was_edited_is_told_and_a_copy_kept(site: Site) -> None:
    site.install()
    site.write("extensions_ours.conf", b"[ours]\n; edited\n")
    found = site.json("--yes")
    assert "it was edited" in found["files"][0]["why"]
    copies = [path.read_bytes() for path in Path(found["backup"]).glob("*-extensions_ours.conf")]
    assert copies == [b"[ours]\n; edited\n"]
    assert site.read("extensions_ours.conf") == OURS.encode()


def test_copies_are_their_owners_alone(site: Site) -> None:
    backup = Path(site.json("--yes")["backup"])
    assert backup.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}


def test_a_line_put_there_by_hand_is_enough(site: Site) -> None:
    site.write("extensions.conf", EXTENSIONS + b'#include "extensions_ours.conf"  ; by hand\n')
    told = site.install()
    assert "extensions.conf has #include extensions_ours.conf already" in told
    assert BEGIN not in site.read("extensions.conf")


def test_a_line_that_is_commented_out_is_no_line(site: Site) -> None:
    text = EXTENSIONS + b";#include extensions_ours.conf\n;--\n#include extensions_ours.conf\n--;\n"
    site.write("extensions.conf", text)
    site.install()
    assert site.read("extensions.conf") == text + BLOCK


def test_a_context_of_the_admins_own_is_left_alone_and_what_to_paste_is_told(site: Site) -> None:
    own = b"[other]\n\n[toy-hook]\nexten => s,1,NoOp()\n"
    site.write("extensions_custom.conf", own)
    told = site.install(status=1)
    assert site.read("extensions_custom.conf") == own
    assert "extensions_custom.conf:3: the context [toy-hook] is there already" in told
    assert "    exten => s,1,Gosub(dialwarden,check,1(${OUTNUM}))\n     same => n,Return()" in told
    assert "toy-other" not in told.split("TO BE DONE BY HAND")[1]
    assert site.read("extensions_ours.conf") == OURS.encode()


def test_a_context_in_a_file_that_the_admins_file_includes_counts_too(site: Site) -> None:
    (site.etc / "more").mkdir()
    site.write("more/a.conf", b"[toy-hook]\n")
    site.write("extensions_custom.conf", b'#tryinclude "more/*.conf"\n')
    assert "more/a.conf:1: the context [toy-hook]" in site.install(status=1)


def test_files_that_include_each_other_are_looked_at_once(site: Site) -> None:
    site.write("extensions_custom.conf", b"#include extensions_custom.conf\n")
    site.install()


def test_a_file_behind_a_link_is_changed_where_it_is(site: Site) -> None:
    elsewhere = site.folder / "elsewhere.conf"
    (site.etc / "extensions.conf").rename(elsewhere)
    (site.etc / "extensions.conf").symlink_to(elsewhere)
    told = site.install()
    assert f"extensions.conf is a link to {elsewhere}" in told
    assert (site.etc / "extensions.conf").is_symlink()
    assert elsewhere.read_bytes() == EXTENSIONS + BLOCK
    site.install("--undo")
    assert elsewhere.read_bytes() == EXTENSIONS
    assert (site.etc / "extensions.conf").is_symlink()


def test_a_link_in_place_of_our_own_file_is_refused(site: Site) -> None:
    elsewhere = site.folder / "checkout.conf"
    elsewhere.write_text("[ours]\n; of a checkout\n")
    (site.etc / "extensions_ours.conf").symlink_to(elsewhere)
    assert "is a link to" in site.run("--yes", status=2).stderr
    assert elsewhere.read_text() == "[ours]\n; of a checkout\n"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda etc: (etc / "extensions.conf").symlink_to("nowhere"), "which is not there"),
        (lambda etc: (etc / "extensions.conf").mkdir(), "is no plain file"),
        (lambda etc: os.mkfifo(etc / "extensions.conf"), "is no plain file"),
        (lambda etc: (etc / "extensions.conf").write_bytes(b"\0\1"), "holds NUL bytes"),
    ],
    ids=["dangling", "folder", "pipe", "binary"],
)
def test_what_is_no_text_file_is_refused(site: Site, spoil: object, told: str) -> None:
    (site.etc / "extensions.conf").unlink()
    assert callable(spoil)
    spoil(site.etc)
    assert told in site.run("--yes", status=2).stderr
    assert not (site.etc / "extensions_ours.conf").exists()


def test_a_folder_that_is_not_there_is_told(site: Site) -> None:
    told = site.run("--asterisk-dir", site.folder / "none", status=2).stderr
    assert "no such folder" in told
    assert "--asterisk-dir" in told
    assert "is no folder" in site.run("--asterisk-dir", site.etc / "toy_menu.conf", status=2).stderr


@pytest.fixture
def nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site in a folder that all may enter, and the rights of nobody in particular."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        one = Site(Path(name))
        shutil.copytree(site.folder, one.folder, dirs_exist_ok=True)
        one.folder.chmod(0o755)
        (one.etc / "extensions.conf").chmod(0o644)
        (one.folder / "open").mkdir()
        (one.folder / "open").chmod(0o777)
        monkeypatch.setattr("dialwarden.cli.install.shipped", lambda name="": one.templates / name)
        one.json("--dry-run")  # has everything imported that root may read
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        else:
            one.etc.chmod(0o555)
        yield one
        os.seteuid(was)
        one.etc.chmod(0o755)


def test_without_the_right_to_write_nothing_is_begun(nobody: Site) -> None:
    told = nobody.run("--yes", status=2).stderr
    assert "may not be written to by this user; run this as root, or with --dry-run" in told
    assert len(nobody.json("--dry-run")["files"]) == 4


def test_an_owner_that_cannot_be_kept_is_told_and_the_file_is_as_it_was(nobody: Site) -> None:
    file = nobody.folder / "open" / "extensions.conf"
    file.write_bytes(b"as it was")
    roots = dataclasses.replace(Folder(file.parent).find(file.name), uid=0, gid=0)
    with pytest.raises(InstallRefused, match=r"cannot be written \(Operation not permitted\)"):
        write(Change.of(roots, b"new"))
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"as it was"]


def test_copies_that_this_user_may_not_read_are_not_taken_for_none(nobody: Site) -> None:
    nobody.folder.joinpath("open", "extensions.conf").write_bytes(EXTENSIONS)
    closed = nobody.folder / "open" / "dialwarden.backup"
    closed.mkdir()
    closed.chmod(0)
    words = ("--asterisk-dir", closed.parent, "--undo", "--dry-run")
    assert f"{closed}: may not be read by this user" in nobody.run(*words, status=2).stderr
    closed.chmod(0o700)
    # Nor those of one run, which somebody else made.
    one = closed / "20261122T143421.252547Z"
    one.mkdir()
    one.chmod(0)
    assert f"{one}: may not be read by this user" in nobody.run(*words, status=2).stderr
    one.chmod(0o700)


def test_what_was_written_before_a_fault_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = site.state(), Path.replace

    def full(self: Path, target: Path) -> Path:
        if target == site.etc / "extensions.conf":
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        told = site.run("--yes", status=2).stderr
    assert "cannot be written (No space left on device); 2 of 4 files are written" in told
    assert "this file is as it was; make room on the disk, then the same again; or --undo" in told
    assert f"{site.etc}/extensions.conf: " in told
    site.install("--undo")
    assert site.state() == before


def test_access_lists_and_labels_go_with_a_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the calls: not every file system has them."""
    given: list[tuple[str, bytes]] = []
    monkeypatch.setattr("os.listxattr", lambda path: ["system.posix_acl_access"])
    monkeypatch.setattr("os.getxattr", lambda path, name: Path(path).name.encode())
    monkeypatch.setattr("os.setxattr", lambda fd, name, value: given.append((name, value)))
    site.install()
    assert ("system.posix_acl_access", b"extensions.conf") in given


def test_a_folder_that_a_file_shall_go_into_is_asked_for(site: Site) -> None:
    manifest = site.templates / "toy" / "install.toml"
    text = manifest.read_text()
    manifest.write_text(text.replace('file = "extensions_custom.conf"', 'file = "more.d/x.conf"'))
    told = site.run("--yes", status=2).stderr
    assert "more.d: no such folder; make it, or name another flavour" in told
    assert not (site.etc / "extensions_ours.conf").exists()


def test_json_that_would_ask_is_a_wrong_use(site: Site) -> None:
    assert "--json asks nobody: add --yes or --dry-run" in site.run("--json", status=2).stderr


def test_a_change_made_while_the_difference_is_looked_at_is_not_overwritten(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit_and_agree(*_: object, **__: object) -> bool:
        site.write("extensions.conf", EXTENSIONS + b"; meanwhile\n")
        return True

    monkeypatch.setattr("click.confirm", edit_and_agree)
    assert "was changed while you looked" in site.run(status=2).stderr
    assert site.read("extensions.conf") == EXTENSIONS + b"; meanwhile\n"
    assert not (site.etc / "extensions_ours.conf").exists()


# Which product it is


def test_the_flavour_is_the_one_that_the_folder_speaks_for(site: Site) -> None:
    found = site.json("--dry-run")
    assert (found["flavour"], found["why"]) == ("toy", "the folder has toy_menu.conf")


def test_without_a_products_files_it_is_plain(site: Site) -> None:
    (site.etc / "toy_menu.conf").unlink()
    found = site.json("--dry-run")
    assert found["flavour"] == "plain"
    assert "no product's own files" in found["why"]


def test_a_folder_that_speaks_for_two_is_asked_about(site: Site) -> None:
    site.write("toy_menu2.conf", b"")
    assert "may be those of toy or toy-2; name one with --flavour" in site.run(status=2).stderr
    assert site.json("--dry-run", "--flavour", "toy-2")["flavour"] == "toy-2"


def test_two_that_do_the_same_need_no_answer(site: Site) -> None:
    text = (site.templates / "toy" / "install.toml").read_text()
    (site.templates / "toy" / "install-3.toml").write_text(text.replace("of the tests", "three"))
    found = site.json("--dry-run")
    assert found["flavour"] == "toy-3"
    assert found["why"] == "the folder has toy_menu.conf; toy and toy-3 are installed alike"


def test_what_is_installed_is_what_is_brought_up_to_date(site: Site) -> None:
    site.install("--flavour", "plain")
    found = site.json("--dry-run")
    assert (found["flavour"], found["why"], found["files"]) == ("plain", "it is installed here", [])


def test_another_flavour_goes_in_only_when_the_first_is_out(site: Site) -> None:
    site.install("--flavour", "plain")
    told = site.run("--yes", "--flavour", "toy", status=2).stderr
    assert "plain is installed in this folder" in told
    assert "take it out first: dialwarden install --undo" in told
    site.install("--undo")
    site.install("--flavour", "toy")


def test_an_empty_folder_speaks_for_nothing(site: Site) -> None:
    for path in site.etc.iterdir():
        path.unlink()
    assert "name one with --flavour" in site.run(status=2).stderr


def test_an_unknown_flavour_is_told_with_the_nearest(site: Site) -> None:
    told = site.run("--flavour", "toy2", status=2).stderr
    assert 'found "toy2", did you mean toy-2?; allowed flavours: plain, toy, toy-2' in told


@pytest.mark.parametrize(
    ("was", "wrong", "told"),
    [
        ('target = "extensions_ours.conf"', 'target = "../x.conf"', "a path that stays in"),
        ('source = "asterisk/extensions_ours.conf"', 'source = "x"', "which is not shipped"),
        ("[[check]]", "[[chek]]", "unknown key; did you mean check?"),
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_told_with_its_line(
    site: Site, was: str, wrong: str, told: str
) -> None:
    file = site.templates / "toy" / "install.toml"
    file.write_text(file.read_text().replace(was, wrong, 1))
    assert told in site.run(status=2).stderr


def test_a_bridge_that_listens_elsewhere_than_the_dialplan_asks_is_told(site: Site) -> None:
    config = site.folder / "dialwarden.toml"
    config.write_text('[agi]\nlisten = "127.0.0.1:4999"\n')
    told = site.run("--dry-run", "--config", config).stdout
    assert "[agi] listen is 127.0.0.1:4999, and the dialplan asks 127.0.0.1:4580" in told


# What Asterisk reads of it


@pytest.mark.parametrize("half", [b";-- old", b"old --;", b";-- a\n;-- b\n--;"])
def test_half_a_comment_is_told_before_a_line_is_put_behind_it(site: Site, half: bytes) -> None:
    site.write("extensions.conf", EXTENSIONS + half + b"\n[old]\n")
    told = site.run("--yes", status=2).stderr
    assert "extensions.conf:6: half a comment, ;-- or --; without the other" in told
    assert not (site.etc / "extensions_ours.conf").exists()


@pytest.mark.parametrize(
    "line",
    [b";;-- section", b"; see ;-- below", b";--- section", b"exten => 1,n,Set(X=\\;-- )"],
)
def test_what_is_no_block_comment_hides_nothing(site: Site, line: bytes) -> None:
    own = line + b"\n#include extensions_ours.conf\n; --; end\n"
    site.write("extensions.conf", EXTENSIONS + own)
    assert "extensions.conf has #include extensions_ours.conf already" in site.install()


def test_a_comment_in_a_comment_ends_with_the_outer_one(site: Site) -> None:
    own = b";-- a\n;-- b\n--;\n#include extensions_ours.conf\n--;\n"
    site.write("extensions.conf", EXTENSIONS + own)
    site.install()
    assert site.read("extensions.conf") == EXTENSIONS + own + BLOCK


def test_a_context_read_from_extensions_conf_counts_wherever_the_line_goes(site: Site) -> None:
    """As Wazo has it: an admin's own contexts are in a folder that is read whole."""
    (site.etc / "extra.d").mkdir()
    site.write("extra.d/own", b"[toy-hook]\nexten => s,1,Return()\n")
    site.write("extra.d/.own.swp", b"[toy-other]\n")
    site.write("extensions.conf", b"#include extra.d/*\n" + EXTENSIONS)
    told = site.install(status=1)
    assert "extra.d/own:1: the context [toy-hook] is there already" in told
    assert b"extensions_toy" not in site.read("extensions_custom.conf")
    assert sorted(path.name for path in (site.etc / "extra.d").iterdir()) == [".own.swp", "own"]


def test_once_the_question_is_pasted_nothing_is_left_to_be_done(site: Site) -> None:
    site.write("extensions_custom.conf", b"[toy-hook]\n; Gosub(dialwarden,check,1(${OUTNUM}))\n")
    site.install(status=1)
    own = b"[toy-hook]\nexten => s,1,Gosub(dialwarden,check,1(${OUTNUM}))\n same => n,Return()\n"
    site.write("extensions_custom.conf", own)
    assert "extensions_custom.conf:1: [toy-hook] is yours, and asks" in site.install()
    assert site.read("extensions_custom.conf") == own


def test_a_context_that_came_after_the_install_is_told_and_our_line_stays(site: Site) -> None:
    site.install()
    with_ours = site.read("extensions_custom.conf")
    site.write("extensions_custom.conf", b"[toy-hook]\nexten => s,1,Return()\n" + with_ours)
    told = site.install(status=1)
    assert "the context [toy-hook] is there already" in told
    assert "#include extensions_toy.conf stays" in told
    assert site.read("extensions_custom.conf").endswith(with_ours)


@pytest.mark.parametrize("again", [["--yes"], ["--undo", "--yes"]], ids=["again", "undo"])
def test_what_somebody_wrote_between_our_markers_is_theirs(site: Site, again: list[str]) -> None:
    site.install()
    theirs = b"[mine]\nexten => 1,1,NoOp()\n"
    site.write("extensions.conf", site.read("extensions.conf").replace(END, theirs + END))
    site.run(*again)
    assert theirs in site.read("extensions.conf")


def test_a_marker_that_was_lost_costs_nobody_a_line(site: Site) -> None:
    site.install()
    text = site.read("extensions.conf").replace(END, b"[mine]\nexten => 1,1,NoOp()")
    site.write("extensions.conf", text)
    site.install()
    assert site.read("extensions.conf").count(b"#include extensions_ours.conf") == 1
    site.write("extensions.conf", site.read("extensions.conf") + BLOCK)
    site.install("--undo")
    assert site.read("extensions.conf") == EXTENSIONS + b"[mine]\nexten => 1,1,NoOp()\n"


def test_a_folder_within_asterisks_is_not_taken_for_it(site: Site) -> None:
    """Some products read such folders whole: copies in there would be read as well."""
    (site.etc / "extra.d").mkdir()
    words = ("--asterisk-dir", site.etc / "extra.d", "--flavour", "toy", "--yes")
    assert f"--asterisk-dir {site.etc}" in site.run(*words, status=2).stderr
    assert list((site.etc / "extra.d").iterdir()) == []
