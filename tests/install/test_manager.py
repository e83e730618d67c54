"""`--with-manager`: a user of our own, its secret the same on both sides and shown on neither."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.install.pbx import Site

from dialwarden.shipped import shipped

GENERAL = b"[general]\nenabled = yes\nbindaddr = 127.0.0.1\n"
OTHERS = b"\n[dialer]\nsecret = not-to-be-shown\n"


@pytest.fixture
def config(site: Site) -> Path:
    site.write("manager.conf", GENERAL + OTHERS)
    (site.etc / "manager.conf").chmod(0o640)
    file = site.folder / "bridge" / "dialwarden.toml"
    file.parent.mkdir()
    file.write_text("")
    return file


def secret_of(text: bytes) -> str:
    found = re.search(r"^secret = (\S+)$", text.decode(), re.MULTILINE)
    assert found
    return found[1]


def test_the_secret_is_the_same_on_both_sides(site: Site, config: Path) -> None:
    told = site.install("--with-manager", "--config", config)
    secret = (config.parent / "ami.secret").read_text().strip()
    assert len(secret) == 48
    assert secret_of(site.read("manager_dialwarden.conf")) == secret
    assert b"#include manager_dialwarden.conf" in site.read("manager.conf")
    assert 'secret_file = "ami.secret"' in told


def test_no_secret_is_shown(site: Site, config: Path) -> None:
    told = site.run("--yes", "--with-manager", "--config", config).output
    told += (
        site.run("--undo", "--dry-run").output + site.run("--undo", "--dry-run", "--json").output
    )
    assert (config.parent / "ami.secret").read_text().strip() not in told
    assert "not-to-be-shown" not in told
    assert "secret = (hidden)" in told


def test_the_secrets_file_is_its_owners_and_the_snippet_no_strangers(
    site: Site, config: Path
) -> None:
    site.install("--with-manager", "--config", config)
    assert (config.parent / "ami.secret").stat().st_mode & 0o777 == 0o600
    assert (site.etc / "manager_dialwarden.conf").stat().st_mode & 0o777 == 0o640


def test_again_changes_nothing_and_undo_restores_all(site: Site, config: Path) -> None:
    before = site.state()
    site.install("--with-manager", "--config", config)
    assert "Nothing to write" in site.install("--with-manager", "--config", config)
    site.install("--undo")
    assert site.state() == before
    assert list(config.parent.iterdir()) == [config]


def test_the_user_may_be_added_later(site: Site, config: Path) -> None:
    before = site.state()
    site.install()
    found = site.json("--yes", "--with-manager", "--config", config)
    assert [Path(one["path"]).name for one in found["files"]] == [
        "ami.secret", "manager_dialwarden.conf", "manager.conf",
    ]  # fmt: skip
    assert found["next"][-1] == "asterisk -rx 'manager reload'"
    site.install("--undo")
    assert site.state() == before


def test_a_secret_that_is_there_already_is_taken(site: Site, config: Path) -> None:
    config.write_text('[ami]\nusername = "warden"\nsecret_file = "own"\n')
    (config.parent / "own").write_text("chosen by hand\n")
    (config.parent / "own").chmod(0o600)
    found = site.json("--yes", "--with-manager", "--config", config)
    text = site.read("manager_dialwarden.conf")
    assert b"secret = chosen by hand\n" in text
    assert b"[warden]\n" in text
    assert found["notes"] == []


def test_a_secret_that_others_may_read_is_told(site: Site, config: Path) -> None:
    (config.parent / "ami.secret").write_text("x\n")
    (config.parent / "ami.secret").chmod(0o644)
    told = site.install("--with-manager", "--config", config)
    assert "has mode 0644, so that others may read the secret: chmod 600" in told


def test_the_snippet_made_by_hand_gives_its_secret(site: Site, config: Path) -> None:
    site.write("manager_dialwarden.conf", b"[dialwarden]\nsecret = by-hand ; mine\nread = all\n")
    site.write("manager.conf", GENERAL + b"#include manager_dialwarden.conf\n")
    found = site.json("--yes", "--with-manager", "--config", config)
    assert (config.parent / "ami.secret").read_text() == "by-hand\n"
    changed = {Path(one["path"]).name: one["why"] for one in found["files"]}
    assert "a copy of it is kept" in changed["manager_dialwarden.conf"]
    assert "manager.conf" not in changed


def test_a_folder_of_snippets_that_is_read_already_is_used(site: Site, config: Path) -> None:
    (site.etc / "manager.d").mkdir()
    site.write("manager.conf", GENERAL + b'#include "manager.d/*.conf"\n')
    before = site.state()
    site.install("--with-manager", "--config", config)
    assert secret_of(site.read("manager.d/dialwarden.conf"))
    assert site.read("manager.conf") == before["manager.conf"][0]
    site.install("--undo")
    assert site.state() == before


def test_where_a_product_writes_manager_conf_the_line_goes_to_the_admins_file(
    site: Site, config: Path
) -> None:
    text = GENERAL + b"#include manager_additional.conf\n#include manager_custom.conf\n"
    site.write("manager.conf", text)
    site.install("--with-manager", "--config", config)
    assert site.read("manager.conf") == text
    assert b"#include manager_dialwarden.conf" in site.read("manager_custom.conf")


def test_a_user_of_that_name_is_left_alone(site: Site, config: Path) -> None:
    site.write("manager.conf", GENERAL + b"[dialwarden]\nsecret = x\n")
    told = site.install("--with-manager", "--config", config, status=1)
    assert "a user [dialwarden] is there already: ours was left out" in told
    assert not (site.etc / "manager_dialwarden.conf").exists()
    assert not (config.parent / "ami.secret").exists()


def test_without_a_manager_conf_what_to_do_is_told(site: Site, config: Path) -> None:
    (site.etc / "manager.conf").unlink()
    told = site.install("--with-manager", "--config", config, status=1)
    assert "make one with [general], enabled = yes" in told


def test_a_manager_that_is_not_enabled_is_told(site: Site, config: Path) -> None:
    site.write("manager.conf", b"[general]\nenabled = no\n")
    told = site.install("--with-manager", "--config", config)
    assert "enabled = yes is not set in [general]" in told


def test_a_secret_in_the_configuration_itself_is_refused(site: Site, config: Path) -> None:
    config.write_text('[ami]\nusername = "dialwarden"\nsecret = "x"\n')
    told = site.run("--yes", "--with-manager", "--config", config, status=2).stderr
    assert 'write secret_file = "ami.secret" in place of it' in told


def test_without_a_configurations_folder_init_is_named(site: Site, config: Path) -> None:
    told = site.run("--yes", "--with-manager", status=2).stderr
    assert "no such folder for the secret; make the configuration first: dialwarden init" in told


def test_how_the_service_gets_the_secret_is_told_when_it_is_new(site: Site, config: Path) -> None:
    drop_in = site.templates / "systemd" / "dialwarden.service.d" / "ami-secret.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\n")
    words = ("--with-manager", "--config", config)
    assert f"under systemd {drop_in} hands the secret to the service" in site.install(*words)
    assert "under systemd" not in site.install(*words)


@pytest.mark.parametrize("secret", ["xx;yy", " xxyy", "xx\n[evil]\nwrite = all", "xx\tyy"])
def test_a_secret_that_manager_conf_would_read_otherwise_is_refused(
    site: Site, config: Path, secret: str
) -> None:
    before = site.state()
    (config.parent / "ami.secret").write_text(f"{secret}\n")
    told = site.run("--yes", "--with-manager", "--config", config, status=2).stderr
    assert "ami.secret: holds what cannot stand in manager.conf" in told
    assert "openssl rand -hex 24" in told
    assert secret not in told
    assert site.state() == before


def test_a_user_name_that_manager_conf_would_read_otherwise_is_refused(
    site: Site, config: Path
) -> None:
    config.write_text('[ami]\nusername = "a]\\nwrite = all"\nsecret_file = "ami.secret"\n')
    told = site.run("--yes", "--with-manager", "--config", config, status=2).stderr
    assert "ami.username: cannot stand in manager.conf" in told


def test_a_secret_that_is_commented_out_is_not_shown(site: Site, config: Path) -> None:
    site.write("manager.conf", GENERAL + b";secret = of-last-year\n; password=of-before\n")
    told = site.run("--dry-run", "--with-manager", "--config", config).stdout
    assert "of-last-year" not in told
    assert "of-before" not in told


def test_a_password_beside_our_lines_in_the_dialplan_is_not_shown(site: Site) -> None:
    own = b"[globals]\nDB_PASSWORD=of-the-database\nTRUNKSECRET2 = of-the-trunk\nBYPASSED=yes\n"
    site.write("extensions.conf", own)
    told = site.run("--dry-run").stdout
    assert "of-the-database" not in told
    assert "of-the-trunk" not in told
    assert "BYPASSED=yes" in told


def test_without_the_copies_our_user_is_no_longer_read_and_told(site: Site, config: Path) -> None:
    template = shipped("asterisk/manager_dialwarden.conf").read_text()
    (site.templates / "asterisk" / "manager_dialwarden.conf").write_text(template)
    site.install("--with-manager", "--config", config)
    shutil.rmtree(site.etc / "dialwarden.backup")
    told = site.install("--undo", status=1)
    assert site.read("manager.conf") == GENERAL + OTHERS
    assert f"{site.etc}/manager_dialwarden.conf has our AMI user" in told
