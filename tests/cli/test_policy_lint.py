"""`dialwarden policy lint`: what it prints, with which status, and which policies stand beside."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.site import CONFIG, Site

from dialwarden.cli import main

CLEAN = """\
id = "own"
title = "Our own"
country = "FR"
[sources.law]
text = "The act"
read = 2020-01-01
confidence = "primary"
[[regimes]]
id = "own-1"
title = "First"
from = 2026-01-01
[regimes.hours]
mon-fri = ["10:00-13:00"]
source = "law"
[regimes.objection]
days = 60
source = "law"
"""
DOUBTFUL = CLEAN.replace("primary", "secondary")
WRONG = DOUBTFUL.replace("days = 60", "days = 0\nday = 3")

FACTS = "regimes[1].hours, regimes[1].objection"
WARNED = f"own.toml:7: warning: sources.law.confidence: secondary; what rests on it: {FACTS}\n"


@pytest.mark.parametrize(
    ("text", "words", "status", "printed"),
    [
        (CLEAN, [], 0, "own.toml: nothing found\n"),
        (CLEAN, ["--strict"], 0, "own.toml: nothing found\n"),
        (DOUBTFUL, [], 0, WARNED + "own.toml: 0 errors, 1 warning\n"),
        (DOUBTFUL, ["--strict"], 1, WARNED + "own.toml: 0 errors, 1 warning\n"),
        (
            WRONG,
            [],
            1,
            'own.toml:15: regimes[1].objection: give either days = N or until = "consent"\n'
            "own.toml:16: regimes[1].objection.days: found 0; allowed: a whole number, 1 or more\n"
            "own.toml:17: regimes[1].objection.day: unknown key; did you mean days?; allowed: "
            "days, floor_days, floor_for, source, until\n"
            + WARNED
            + "own.toml: 3 errors, 1 warning\n",
        ),
        ("id = ", [], 1, "own.toml:1: no TOML, at the end of the file: Invalid value\n"
         "own.toml: 1 error, 0 warnings\n"),
    ],
    ids=["clean", "clean, strict", "doubtful", "doubtful, strict", "wrong", "no TOML"],
)  # fmt: skip
def test_errors_come_first_then_warnings(
    text: str, words: list[str], status: int, printed: str, site: Site
) -> None:
    site.file(text, "own.toml")
    assert site.out("policy", "lint", "own.toml", *words, status=status) == printed


def test_programs_get_both(site: Site) -> None:
    site.file(WRONG.replace("days = 0\n", ""), "own.toml")
    assert site.json("policy", "lint", "own.toml", status=1) == {
        "file": "own.toml",
        "errors": [
            {
                "line": 15,
                "key": "regimes[1].objection",
                "message": 'give either days = N or until = "consent"',
            },
            {
                "line": 16,
                "key": "regimes[1].objection.day",
                "message": "unknown key; did you mean days?; allowed: days, floor_days, "
                "floor_for, source, until",
            },
        ],
        "warnings": [
            {
                "line": 7,
                "key": "sources.law.confidence",
                "message": f"secondary; what rests on it: {FACTS}",
            }
        ],
    }


def test_a_file_that_is_not_there_is_a_wrong_use(site: Site) -> None:
    assert "does not exist" in site.err("policy", "lint", "none.toml")


def test_a_file_that_is_no_text_is_an_error(site: Site) -> None:
    site.file(b'id = "\xff"\n', "own.toml")
    told = site.out("policy", "lint", "own.toml", status=1)
    assert told.startswith("own.toml:1: found the byte 0xff, which is no UTF-8")


def test_it_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(CLEAN)
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, ["policy", "lint", "own.toml"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "own.toml: nothing found\n", "")


def test_an_error_in_the_configuration_named_is_a_wrong_use(site: Site) -> None:
    site.file(CLEAN, "own.toml")
    assert "--config names it" in site.err("policy", "lint", "own.toml", "--config", "none.toml")


@pytest.mark.parametrize("name", sorted(e.name for e in files("dialwarden.policies").iterdir()
                                        if e.name.endswith(".toml")))  # fmt: skip
def test_what_is_shipped_has_no_error_and_is_not_in_its_own_way(name: str, site: Site) -> None:
    found = site.json("policy", "lint", str(files("dialwarden.policies") / name))
    assert found["errors"] == []
    # Every doubt is about how surely something was read, or that nothing is said of it.
    for warning in found["warnings"]:
        assert warning["line"] >= 1
        assert warning["message"].startswith(
            ("secondary; what rests", "unverified; what rests", "no hours:", "no objection rule:")
        )


def with_own_folder(site: Site, **texts: str) -> None:
    (site.folder / "own").mkdir()
    for name, text in texts.items():
        (site.folder / "own" / f"{name}.toml").write_text(text)
    (site.folder / "dialwarden.toml").write_text('[policies]\npath = "own"\n' + CONFIG)


EXTENDS_OWN = """\
id = "second"
title = "Another"
extends = "own"
[[regimes]]
extends = "own-1"
"""


def test_a_file_is_not_in_its_own_way_nor_in_that_of_its_next_version(site: Site) -> None:
    with_own_folder(site, own=CLEAN)
    assert site.out("policy", "lint", "own/own.toml") == "own/own.toml: nothing found\n"
    site.file(CLEAN, "own.toml")
    (warning,) = site.json("policy", "lint", "own.toml")["warnings"]
    place = site.folder / "own" / "own.toml"
    assert warning == {"line": 1, "key": "id", "message": f"takes the place of {place}"}


@pytest.mark.parametrize(
    ("id_", "taken_by"), [("fr", "fr.toml"), ("own", "own/own.toml")], ids=["shipped", "own"]
)
def test_the_id_of_another_policy_is_an_error(id_: str, taken_by: str, site: Site) -> None:
    text = CLEAN.replace('id = "own"', f'id = "{id_}"')
    with_own_folder(site, own=CLEAN, other=text)
    found = site.json("policy", "lint", "own/other.toml", status=1)
    taken_by = taken_by.replace("own/", f"{site.folder}/own/")
    assert found["errors"] == [
        {"line": 1, "key": "id", "message": f"'{id_}' is taken by {taken_by}; choose another"}
    ]


def test_a_policy_may_extend_a_shipped_one_and_one_of_the_folder(site: Site) -> None:
    with_own_folder(site, own=CLEAN, second=EXTENDS_OWN)
    assert site.out("policy", "lint", "own/second.toml").endswith("nothing found\n")
    french = 'id = "ours"\ntitle = "Ours"\nextends = "fr"\n'
    site.file(french, "ours.toml")
    assert site.out("policy", "lint", "ours.toml") == "ours.toml: nothing found\n"


def test_what_is_laxer_than_the_policy_extended_is_told_with_both_figures(site: Site) -> None:
    with_own_folder(site, own=CLEAN)
    site.file(
        EXTENDS_OWN + '[regimes.hours]\nmon-fri = ["10:00-14:00"]\nsource = "memo"\n'
        '[sources.memo]\ntext = "Memo"\nread = 2020-01-01\nconfidence = "primary"\n',
        "second.toml",
    )
    assert site.out("policy", "lint", "second.toml").splitlines() == [
        "second.toml:6: warning: regimes[1].hours: laxer than the policy extended: "
        "hours: mon, tue, wed, thu, fri 10:00-14:00; 10:00-13:00 in own-1",
        "second.toml: 0 errors, 1 warning",
    ]


def test_a_wrong_file_beside_hides_nothing_but_itself(site: Site) -> None:
    with_own_folder(site, own=CLEAN, wrong="id = ", second=EXTENDS_OWN, orphan=EXTENDS_OWN.replace(
        '"own"', '"nobody"'))  # fmt: skip
    result = site.run("policy", "lint", "own/second.toml")
    assert result.stdout == "own/second.toml: nothing found\n"
    assert "own/wrong.toml cannot be read and is left out" in result.stderr


def test_a_policy_that_extends_one_that_is_not_there_names_the_nearest(site: Site) -> None:
    with_own_folder(site, own=CLEAN)
    site.file(EXTENDS_OWN.replace('"own"', '"owm"'), "second.toml")
    (error,) = site.json("policy", "lint", "second.toml", status=1)["errors"]
    assert (error["line"], error["key"]) == (3, "extends")
    assert error["message"].startswith('found "owm", did you mean own?; allowed policies: ')
    assert error["message"].endswith("; the regimes were not looked at")
