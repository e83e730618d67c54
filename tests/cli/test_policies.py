"""`dialwarden policy`: every figure with its source, and no configuration needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.site import Site

from dialwarden.cli import main
from dialwarden.policies import load_policies

OWN = """
id = "own"
title = "Our own"
country = "FR"
[sources.memo]
text = "Memo 12"
confidence = "unverified"
[[regimes]]
id = "own-1"
title = "First"
from = 2026-01-01
[regimes.hours]
mon-tue = ["09:00-12:00"]
sat = ["09:00-12:00"]
source = "memo"
[[regimes.gaps]]
period = "2 hours"
source = "memo"
"""


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.chdir(tmp_path)
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, list(words))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def test_list_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(run(tmp_path, monkeypatch, "policy", "list", "--json"))
    assert {"fr", "it-assocontact", "none"} <= {row["id"] for row in rows}
    fr = next(row for row in rows if row["id"] == "fr")
    assert fr["country"] == "FR"
    assert fr["lists"] == ["bloctel"]
    assert [(r["id"], r["from"], r["until"]) for r in fr["regimes"]] == [
        ("fr-d223-9-2023", "2023-03-01", "2026-08-10"),
        ("fr-optin-2026", "2026-08-11", None),
    ]


def test_list_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(tmp_path, monkeypatch, "policy", "list")
    assert told.splitlines()[0].split() == [
        "POLICY", "COUNTRY", "REGIME", "FROM", "UNTIL", "LISTS", "TITLE",
    ]  # fmt: skip
    assert "fr-optin-2026" in told


@pytest.mark.parametrize("id_", sorted(load_policies()))
def test_show_every_figure_with_a_source_that_is_there(
    id_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = json.loads(run(tmp_path, monkeypatch, "policy", "show", id_, "--json"))
    for regime in shown["regimes"]:
        single = (regime["hours"], regime["holidays"], regime["objection"], regime["consent"])
        parts = [*regime["caps"], *regime["gaps"], *regime["lists"], *filter(None, single)]
        for part in parts:
            assert part["confidence"] == shown["sources"][part["source"]]["confidence"]
    assert run(tmp_path, monkeypatch, "policy", "show", id_).startswith(f"{id_}: ")


def test_show_the_figures_of_the_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(tmp_path, monkeypatch, "policy", "show", "fr").splitlines()
    assert "  hours      mon-fri 10:00-13:00 14:00-20:00 [1]" in told
    assert "  frequency  at most 4 in 30 days [1]" in told
    assert "  objection  holds 60 full days [2]" in told
    assert "  list       bloctel, at most 30 days old; not for contract, press [3]" in told
    assert "  in force   from 2026-08-11, no end" in told


def with_own_policy(site: Site) -> None:
    folder = site.folder / "own"
    folder.mkdir()
    (folder / "own.toml").write_text(OWN)
    toml = site.folder / "dialwarden.toml"
    toml.write_text('[policies]\npath = "own"\n' + toml.read_text())


def test_an_admins_own_policy_is_shown_and_its_doubts_are_plain(site: Site) -> None:
    with_own_policy(site)
    told = site.out("policy", "show", "own").splitlines()
    assert "  hours      mon-tue 09:00-12:00; sat 09:00-12:00 [1] UNVERIFIED" in told
    assert "  gap        at least 2 hours between two attempts [1] UNVERIFIED" in told
    assert "      UNVERIFIED: do not rely on it" in told
    assert "own" in [row["id"] for row in site.json("policy", "list")]


def test_an_unknown_policy_is_a_wrong_use_that_names_the_nearest(site: Site) -> None:
    assert "did you mean fr?" in site.err("policy", "show", "frr")


def test_a_configuration_that_is_named_and_wrong_is_a_wrong_use(site: Site) -> None:
    assert "no such file; --config names it" in site.err("policy", "list", "--config", "none.toml")
    wrong = site.file("store = [", "wrong.toml")
    assert "wrong.toml" in site.err("policy", "list", "--config", wrong)


def test_a_configuration_that_lies_about_and_is_wrong_hides_no_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dialwarden.toml").write_text("store = [")
    monkeypatch.chdir(tmp_path)
    result = CliRunner(env={"DIALWARDEN_CONFIG": None}).invoke(main, ["policy", "list", "--json"])
    assert result.exit_code == 0
    assert "shipped policies only" in result.stderr
    assert json.loads(result.stdout)
