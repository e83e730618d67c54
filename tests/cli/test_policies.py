"""`dialwarden policy`: every figure with its source, and no configuration needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    figures = [*cited(shown["regimes"])]
    assert all(figure["source"] in shown["sources"] for figure in figures)
    for figure in figures:
        source = shown["sources"][figure["source"]]
        assert (figure["confidence"], figure["read"]) == (source["confidence"], source["read"])
    assert run(tmp_path, monkeypatch, "policy", "show", id_).startswith(f"{id_}: ")


def cited(value: Any) -> Iterator[dict[str, Any]]:
    """Every figure, however deep it lies."""
    if isinstance(value, dict):
        if "source" in value:
            yield value
        value = [*value.values()]
    for inner in value if isinstance(value, list) else ():
        yield from cited(inner)


def test_show_the_figures_of_the_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(tmp_path, monkeypatch, "policy", "show", "fr").splitlines()
    assert "  hours        mon-fri 10:00-13:00 14:00-20:00 [1]" in told
    assert "  holiday      closed on the holidays of FR [1]" in told
    assert "  frequency    at most 4 in 30 days [1]" in told
    assert any(line.startswith("  objection    holds 60 full days [") for line in told)
    listed = "  list         bloctel, at most 30 days old; not for contract, press ["
    assert any(line.startswith(listed) for line in told)
    assert "  in force     from 2026-08-11, no end" in told
    assert "  extends      fr-d223-9-2023" in told


FULL = """
id = "full"
title = "Everything"
country = "FR"
binds = "Everybody"
[sources.law]
text = "The act"
article = "art. 1"
dated = "of 2026"
read = 2026-11-21
confidence = "primary"
note = "A note."
[sources.press]
text = "The press"
confidence = "unverified"
[[regimes]]
id = "full-1"
title = "First"
from = 2026-01-01
purposes = ["sales", "survey"]
[regimes.hours]
mon-fri = ["10:00-13:00", "14:00-20:00"]
eve = ["10:00-19:00"]
source = "law"
[regimes.hours.survey]
sat = ["09:00-12:00"]
source = "press"
[regimes.holidays]
calendar = "FR"
observed = false
add = { "2026-06-02" = "Another", "2026-06-01" = "A day" }
remove = [2026-05-08]
open_for = ["survey"]
regional = "advisory"
subdivisions = true
source = "law"
[[regimes.holidays.local]]
regions = ["FR-67", "FR-57"]
easter = -2
name = "Vendredi saint"
source = "press"
[[regimes.holidays.local]]
regions = ["FR-974"]
day = "12-20"
name = "Abolition"
source = "law"
[[regimes.caps]]
max = 4
period = "30 days"
purposes = ["sales"]
source = "law"
[[regimes.gaps]]
period = "2 hours"
source = "law"
[[regimes.gaps]]
full_days = 5
after = "silent"
agent_first = true
unless_agent = true
source = "law"
[regimes.objection]
until = "consent"
floor_days = 60
floor_for = ["press", "contract"]
source = "law"
[[regimes.lists]]
name = "bloctel"
max_age = "30 days"
exempt = ["contract"]
ended_within = "18 months"
requested_within = "5 working days"
later_consent_wins = true
exempt_source = "press"
source = "law"
[regimes.consent]
required = true
when = "automatic"
max_years = 1
void_before = 2026-08-11
exempt = ["press"]
waives = ["hours", "holiday"]
source = "law"
[regimes.appointments]
tolerance = "10 minutes"
waives = ["hours"]
source = "law"
[[regimes.sectors]]
sectors = ["gas", "electricity"]
consent = "specific"
exempt = ["request"]
from = 2026-06-19
until = 2026-12-31
source = "law"
[[regimes.caller_id]]
identified = true
forbidden = ["+336", "+337"]
purposes = ["sales", "survey", "service"]
source = "law"
[[regimes.caller_id]]
required = ["+33162"]
declared = true
dial = "automatic"
from = 2026-06-19
source = "press"
[regimes.silent_share]
percent = 3
days = 30
source = "press"
[regimes.evidence]
years = 3
source = "law"
[[regimes.regions]]
regions = ["FR-974"]
[regimes.regions.hours]
mon-sun = ["09:00-18:00"]
source = "press"
[[regimes.regions.caps]]
max = 1
period = "24 hours"
source = "law"
"""

# Written out from the file above.
TOLD = """\
full-1: First
  in force     from 2026-01-01, no end
  purposes     sales, survey
  hours        mon-fri 10:00-13:00 14:00-20:00 [1]
  hours        the eve of a holiday 10:00-19:00, as far as the weekday is open [1]
  hours        survey: sat 09:00-12:00 [2] UNVERIFIED
  holiday      closed on the holidays of FR, not on the days in lieu of them; \
also 2026-06-01 (A day), 2026-06-02 (Another); not 2026-05-08; open for survey [1]
  holiday      holidays of regions, the holidays library's among them: \
closed, out of caution, where the callee is known to be there [1]
  holiday      FR-57, FR-67: 2 days before Easter Sunday (Vendredi saint) [2] UNVERIFIED
  holiday      FR-974: 12-20 each year (Abolition) [1]
  frequency    at most 4 in 30 days; binds sales [1]
  gap          at least 2 hours between two attempts [1]
  gap          at least 5 full days after an answered call that no agent took; \
then the next with an agent from the start; not for a call with an agent from the start [1]
  objection    holds until a later consent; 60 full days for contract, press [1]
  list         bloctel, at most 30 days old; a later consent wins [1]
  list         bloctel: not for contract, a contract that ended within 18 months, \
a request within 5 working days [2] UNVERIFIED
  consent      required before a call dialled by machine; good for 1 year; \
void if given before 2026-08-11, unless complete; not for press; lifts holiday, hours [1]
  appointment  one agreed on lifts hours, 10 minutes before and after it [1]
  sector       electricity, gas: no calls from 2026-06-19 through 2026-12-31; \
a consent for the sector or the campaign lifts that; not for request [1]
  caller id    a number that is not withheld; none of +336, +337; \
binds sales, service, survey [1]
  caller id    one of +33162 or one that the campaign declares; from 2026-06-19; \
for calls dialled by machine [2] UNVERIFIED
  silent       at most 3 % of the answered calls find no agent, over 30 days, today the last \
[2] UNVERIFIED
  evidence     kept 3 years [1]
  hours        FR-974: mon-sun 09:00-18:00 [2] UNVERIFIED
  frequency    FR-974: at most 1 in 24 hours [1]

sources
  [1] The act, art. 1
      of 2026; primary, read 2026-11-21
      note: A note.
  [2] The press
      UNVERIFIED: do not rely on it
"""


def test_show_every_part_of_a_regime(site: Site) -> None:
    with_own_policy(site, FULL, "full.toml")
    told = site.out("policy", "show", "full").splitlines()
    assert told[:3] == ["full: Everything", "  binds        Everybody", "  country      FR"]
    assert told[5:] == TOLD.splitlines()


def test_show_every_part_of_a_regime_to_a_program(site: Site) -> None:
    with_own_policy(site, FULL, "full.toml")
    (regime,) = site.json("policy", "show", "full")["regimes"]
    law = {"source": "The act, art. 1", "confidence": "primary", "read": "2026-11-21"}
    press = {"source": "The press", "confidence": "unverified", "read": None}
    weekday = ["10:00-13:00", "14:00-20:00"]
    shut = {key: [] for key in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    assert regime["hours"] == {
        "week": {
            **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), weekday),
            "sat": [],
            "sun": [],
        },
        "eve": ["10:00-19:00"],
        **law,
    }
    assert regime["hours_for"] == {
        "survey": {"week": {**shut, "sat": ["09:00-12:00"]}, "eve": None, **press}
    }
    assert regime["holidays"] == {
        "calendar": "FR",
        "observed": False,
        "add": {"2026-06-01": "A day", "2026-06-02": "Another"},
        "remove": ["2026-05-08"],
        "open_for": ["survey"],
        "regional": "advisory",
        "local": [
            {"name": "Vendredi saint", "regions": ["FR-57", "FR-67"], "day": None, "easter": -2,
             **press},
            {"name": "Abolition", "regions": ["FR-974"], "day": "12-20", "easter": None, **law},
        ],
        "subdivisions": True,
        **law,
    }  # fmt: skip
    assert regime["caps"] == [{"max": 4, "period": "30 days", "purposes": ["sales"], **law}]
    both = ["sales", "survey"]
    assert regime["gaps"] == [
        {"period": "2 hours", "full_days": None, "after": "attempt", "agent_first": False,
         "unless_agent": False, "purposes": both, **law},
        {"period": None, "full_days": 5, "after": "silent", "agent_first": True,
         "unless_agent": True, "purposes": both, **law},
    ]  # fmt: skip
    assert regime["objection"] == {
        "days": None, "floor_days": 60, "floor_for": ["contract", "press"], **law
    }  # fmt: skip
    assert regime["lists"] == [
        {
            "name": "bloctel",
            "max_age_days": 30,
            "exempt": {"bonds": ["contract"], "ended_within": "18 months",
                       "requested_within": "5 working days", **press},
            "later_consent_wins": True,
            "purposes": both,
            **law,
        }
    ]  # fmt: skip
    assert regime["consent"] == {
        "required": True,
        "when": "automatic",
        "max_years": 1,
        "void_before": "2026-08-11",
        "exempt": {"bonds": ["press"], "ended_within": None, "requested_within": None, **law},
        "waives": ["holiday", "hours"],
        "purposes": both,
        **law,
    }
    assert regime["appointments"] == {"tolerance_minutes": 10, "waives": ["hours"], **law}
    assert regime["sectors"] == [
        {
            "sectors": ["electricity", "gas"],
            "consent": "specific",
            "exempt": {"bonds": ["request"], "ended_within": None, "requested_within": None, **law},
            "request_consents": False,
            "from": "2026-06-19",
            "until": "2026-12-31",
            "purposes": both,
            **law,
        }
    ]
    assert regime["caller_id"] == [
        {"identified": True, "forbidden": ["+336", "+337"], "required": [], "declared": False,
         "dial": None, "from": None, "until": None, "purposes": ["sales", "service", "survey"],
         **law},
        {"identified": False, "forbidden": [], "required": ["+33162"], "declared": True,
         "dial": "automatic", "from": "2026-06-19", "until": None, "purposes": both, **press},
    ]  # fmt: skip
    assert regime["silent_share"] == {"percent": 3, "days": 30, **press}
    assert regime["evidence"] == {"years": 3, **law}
    week = {key: ["09:00-18:00"] for key in shut}
    assert regime["regions"] == [
        {
            "regions": ["FR-974"],
            "hours": {"week": week, "eve": None, **press},
            "holidays": None,
            "caps": [{"max": 1, "period": "24 hours", "purposes": both, **law}],
            "gaps": [],
        }
    ]


def test_a_policy_that_extends_another_says_so(site: Site) -> None:
    with_own_policy(
        site,
        """
id = "ours"
title = "Ours"
extends = "it-assocontact"
[[regimes]]
extends = "it-assocontact-2016"
drop = ["consent"]
""",
        "ours.toml",
    )
    told = site.out("policy", "show", "ours").splitlines()
    assert "  country      IT" in told
    assert "  extends      it-assocontact" in told
    rows = {row["id"]: row["extends"] for row in site.json("policy", "list")}
    assert rows["ours"] == "it-assocontact"
    assert rows["fr"] is None


def with_own_policy(site: Site, text: str = OWN, name: str = "own.toml") -> None:
    folder = site.folder / "own"
    folder.mkdir()
    (folder / name).write_text(text)
    toml = site.folder / "dialwarden.toml"
    toml.write_text('[policies]\npath = "own"\n' + toml.read_text())


def test_an_admins_own_policy_is_shown_and_its_doubts_are_plain(site: Site) -> None:
    with_own_policy(site)
    told = site.out("policy", "show", "own").splitlines()
    assert "  hours        mon-tue 09:00-12:00; sat 09:00-12:00 [1] UNVERIFIED" in told
    assert "  gap          at least 2 hours between two attempts [1] UNVERIFIED" in told
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
