"""The shipped packs: every figure equal to the text's, every part with a source.

The golden values were written down from the texts, not from the packs: when a pack and this page
disagree, one of them misreads the law.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies
from dialwarden.policy.figures import GapAfter
from dialwarden.policy.hours import WEEKDAYS
from dialwarden.policy.model import Confidence, Policy, Regime, Source
from dialwarden.policy.period import Span
from dialwarden.question import Bond, Purpose
from dialwarden.verdict import Rule

POLICIES = load_policies()
REGIMES = [
    pytest.param(policy, regime, id=regime.id)
    for policy in POLICIES.values()
    for regime in policy.regimes
]
ALL = set(Purpose)


def test_each_file_is_one_policy_named_after_it() -> None:
    names = {
        entry.name.removesuffix(".toml")
        for entry in files("dialwarden.policies").iterdir()
        if entry.name.endswith(".toml")
    }
    assert set(POLICIES) == names
    assert names >= {"fr", "it-assocontact", "none"}


@pytest.mark.parametrize(
    ("policy", "country", "regimes", "lists"),
    [
        ("fr", "FR", ["fr-d223-9-2023", "fr-optin-2026"], [["bloctel"], []]),
        ("it-assocontact", "IT", ["it-assocontact-2016"], [["rpo"]]),
        ("none", "", ["none"], [[]]),
    ],
)
def test_the_ids_that_configurations_and_records_rest_on(
    policy: str, country: str, regimes: list[str], lists: list[list[str]]
) -> None:
    pack = POLICIES[policy]
    assert pack.country == country
    assert [regime.id for regime in pack.regimes] == regimes
    assert [[rule.name for rule in regime.lists] for regime in pack.regimes] == lists


@pytest.mark.parametrize(
    ("regime_id", "first", "last", "purposes"),
    [
        ("fr-d223-9-2023", date(2023, 3, 1), date(2026, 8, 10), {Purpose.SALES}),
        ("fr-optin-2026", date(2026, 8, 11), None, {Purpose.SALES}),
        ("it-assocontact-2016", date(2016, 1, 29), None, ALL),
        ("none", date(1900, 1, 1), None, ALL),
    ],
)
def test_from_when_to_when_and_for_what(
    regime_id: str, first: date, last: date | None, purposes: set[Purpose]
) -> None:
    regime = named(regime_id)
    assert (regime.start, regime.end) == (first, last)
    assert regime.purposes == purposes


FRENCH_HOURS = dict.fromkeys(WEEKDAYS[:5], "10:00-13:00 14:00-20:00")
ITALIAN_HOURS = dict.fromkeys(WEEKDAYS[:5], "09:00-21:00") | {"sat": "10:00-19:00"}


@pytest.mark.parametrize(
    ("regime_id", "open_"),
    [
        ("fr-d223-9-2023", FRENCH_HOURS),
        ("fr-optin-2026", FRENCH_HOURS),
        ("it-assocontact-2016", ITALIAN_HOURS),
    ],
)
def test_hours(regime_id: str, open_: dict[str, str]) -> None:
    hours = named(regime_id).hours
    assert hours is not None
    assert hours.eve is None
    found = dict(zip(WEEKDAYS, hours.week.days, strict=True))
    for day, windows in found.items():
        assert " ".join(map(str, windows)) == open_.get(day, "")


@pytest.mark.parametrize(
    ("regime_id", "calendar", "open_for"),
    [
        ("fr-d223-9-2023", "FR", set()),
        ("fr-optin-2026", "FR", set()),
        ("it-assocontact-2016", "IT", {Purpose.SERVICE}),
    ],
)
def test_holidays(regime_id: str, calendar: str, open_for: set[Purpose]) -> None:
    rule = named(regime_id).holidays
    assert rule is not None
    assert (rule.calendar, dict(rule.add), set(rule.remove)) == (calendar, {}, set())
    assert rule.open_for == open_for


@pytest.mark.parametrize("regime_id", ["fr-d223-9-2023", "fr-optin-2026"])
def test_france_four_attempts_to_sell_in_thirty_calendar_days(regime_id: str) -> None:
    (cap,) = named(regime_id).caps
    assert cap.max == 4
    assert cap.period.days == 30
    assert cap.purposes == {Purpose.SALES}


@pytest.mark.parametrize("regime_id", ["it-assocontact-2016", "none"])
def test_no_figure_is_invented_where_the_text_gives_none(regime_id: str) -> None:
    """The code says "regulated frequency" and no number."""
    regime = named(regime_id)
    assert regime.caps == ()
    assert regime.evidence_years is None


@pytest.mark.parametrize("regime", [regime for p in POLICIES.values() for regime in p.regimes])
def test_no_statute_sets_a_gap_but_after_a_silent_call(regime: Regime) -> None:
    of_regions = (gap for part in regime.regions for gap in part.gaps)
    assert all(gap.after is GapAfter.SILENT for gap in (*regime.gaps, *of_regions))


@pytest.mark.parametrize(
    ("regime_id", "days", "floor_days", "floor_for"),
    [
        ("fr-d223-9-2023", 60, 0, set()),
        ("fr-optin-2026", 0, 60, {Bond.CONTRACT, Bond.PRESS}),
        ("it-assocontact-2016", 0, 0, set()),
    ],
)
def test_objections(regime_id: str, days: int, floor_days: int, floor_for: set[Bond]) -> None:
    rule = named(regime_id).objection
    assert rule is not None
    assert (rule.days, rule.floor_days, set(rule.floor_for)) == (days, floor_days, floor_for)


@pytest.mark.parametrize(
    ("regime_id", "name", "max_age", "exempt", "ended_within", "later_consent_wins"),
    [
        ("fr-d223-9-2023", "bloctel", 30, {Bond.CONTRACT, Bond.PRESS}, None, False),
        ("it-assocontact-2016", "rpo", 15, {Bond.CONTRACT}, Span(days=30), True),
    ],
)
def test_lists(
    regime_id: str,
    name: str,
    max_age: int,
    exempt: set[Bond],
    ended_within: Span | None,
    later_consent_wins: bool,
) -> None:
    (rule,) = named(regime_id).lists
    assert (rule.name, rule.max_age_days, set(rule.exempt.bonds)) == (name, max_age, exempt)
    assert (rule.exempt.ended_within, rule.exempt.requested_within) == (ended_within, None)
    assert rule.later_consent_wins is later_consent_wins


def test_consent_in_france_before_and_after_11_august_2026() -> None:
    old, new = named("fr-d223-9-2023").consent, named("fr-optin-2026").consent
    assert old is not None
    assert new is not None
    assert (old.required, new.required) == (False, True)
    assert (old.max_years, new.max_years) == (None, 1)
    assert (old.void_before, new.void_before) == (None, date(2026, 8, 11))
    assert new.exempt.bonds == {Bond.CONTRACT, Bond.PRESS}
    assert (new.exempt.ended_within, new.exempt.requested_within) == (None, None)
    assert (set(old.waives), set(new.waives)) == ({Rule.HOURS, Rule.HOLIDAY}, set())
    assert named("fr-optin-2026").evidence_years == 3


def test_no_consent_is_required_elsewhere() -> None:
    assert named("it-assocontact-2016").consent is None
    assert named("none").consent is None


def test_none_has_no_legal_rule_at_all() -> None:
    regime = named("none")
    parts = (regime.hours, regime.holidays, regime.objection, regime.consent)
    assert parts == (None, None, None, None)
    assert regime.lists == ()


# As far as the texts were read: percent, days (None: the whole campaign), how surely.
SILENT_SHARES = {
    "it-garante": (3, None, Confidence.UNVERIFIED),
    "it-assocontact": (3, None, Confidence.UNVERIFIED),
    "us": (3, 30, Confidence.SECONDARY),
    "uk": (3, None, Confidence.UNVERIFIED),
    "ca": (5, 30, Confidence.UNVERIFIED),
}


def test_the_shares_of_silent_calls_are_those_that_were_read() -> None:
    found = {
        policy.id: (share.percent, share.days, regime.sources[share.source].confidence)
        for policy in POLICIES.values()
        for regime in policy.regimes
        if (share := regime.silent_share) is not None
    }
    assert found == SILENT_SHARES


def citations(part: object) -> Iterator[str]:
    """The source of every part of a regime, and of every part of these."""
    match part:
        case Source():
            return
        case tuple():
            values: Iterable[object] = part
        case dict():
            values = part.values()
        case _ if dataclasses.is_dataclass(part):
            told = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
            if "source" in told:
                yield told["source"]
            if told.get("evidence_years"):
                yield told["evidence_source"]
            values = told.values()
        case _:
            return
    for value in values:
        yield from citations(value)


@pytest.mark.parametrize(("policy", "regime"), REGIMES)
def test_every_part_has_a_source_that_says_where_it_was_read(
    policy: Policy, regime: Regime
) -> None:
    for citation in citations(regime):
        source = regime.sources[citation]
        assert source.text
        assert source.article
        assert source.read is not None, f"{policy.file}: {citation} was read when?"
        # What was not read in an official text says what was read instead.
        if source.confidence in (Confidence.SECONDARY, Confidence.UNVERIFIED):
            assert source.note, f"{policy.file}: {citation} needs a note"


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_every_pack_says_whom_it_binds_and_which_bytes_it_was(policy: Policy) -> None:
    assert policy.title
    assert policy.binds
    assert len(policy.sha256) == 64


def test_no_source_of_a_pack_is_left_uncited() -> None:
    for policy in POLICIES.values():
        known = {citation for regime in policy.regimes for citation in regime.sources}
        assert known == set(citations(policy.regimes)), policy.file


def named(regime_id: str) -> Regime:
    return next(r for p in POLICIES.values() for r in p.regimes if r.id == regime_id)


# --- An admin's own packs

OWN = 'id = "{id}"\ntitle = "t"\n[[regimes]]\nid = "r"\ntitle = "t"\nfrom = 2026-01-01\n'


def test_an_admins_folder_adds_policies(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(OWN.format(id="house"))
    (tmp_path / "notes.txt").write_text("not a policy")
    policies = load_policies(tmp_path)
    assert set(policies) == {*POLICIES, "house"}
    assert policies["house"].file == str(tmp_path / "house.toml")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("own.toml", OWN.format(id="fr").encode(), "id: 'fr' is taken by fr.toml"),
        ("own.toml", b"id = ", "no TOML"),
        ("own.toml", b"\xff\xfe", "UTF-8"),
        ("own.toml", OWN.format(id="x").replace("from", "form").encode(), "did you mean from?"),
    ],
)
def test_a_wrong_pack_of_an_admin_is_told_by_its_path(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_policies(tmp_path)
    assert complaint in str(caught.value)
    assert all(problem.file == str(tmp_path / name) for problem in caught.value.problems)


def test_the_faults_of_all_packs_are_told_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("id = 1\n")
    with pytest.raises(SettingsError) as caught:
        load_policies(tmp_path)
    assert {Path(problem.file).name for problem in caught.value.problems} == {"a.toml", "b.toml"}


def test_the_hash_is_of_the_files_bytes(tmp_path: Path) -> None:
    """With the byte order mark and line ends that a Windows editor leaves."""
    data = b"\xef\xbb\xbf" + OWN.format(id="house").replace("\n", "\r\n").encode()
    (tmp_path / "house.toml").write_bytes(data)
    assert load_policies(tmp_path)["house"].sha256 == hashlib.sha256(data).hexdigest()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder"):
        load_policies(tmp_path / "nowhere")


# --- … that extend a shipped one, or one another

EXTENDS = """\
id = "{id}"
title = "t"
extends = "{base}"
[sources.me]
text = "{id}'s caution"
confidence = "primary"
"""
CAP = """
[[regimes]]
extends = "{regime}"
[[regimes.caps]]
max = {max}
period = "30 days"
source = "me"
"""


@pytest.mark.parametrize("names", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_packs_of_one_folder_may_extend_each_other_whatever_their_names(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    """One extends a shipped pack, the next extends that one, and the last the next."""
    previous = "fr"
    for most, name in zip((3, 2, 1), names, strict=True):
        text = EXTENDS.format(id=name, base=previous)
        cap = CAP.format(regime="fr-optin-2026", max=most)
        (tmp_path / f"{name}.toml").write_text(text + cap)
        previous = name
    policies = load_policies(tmp_path)
    assert [policies[name].regimes[1].caps[0].max for name in names] == [3, 2, 1]
    assert [policies[name].extends for name in names] == ["fr", *names[:2]]
    assert all(policies[name].regimes[0] == POLICIES["fr"].regimes[0] for name in names)


def test_the_hash_of_a_pack_that_extends_is_of_both_files_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + EXTENDS.format(id="mine", base="fr").encode()
    (tmp_path / "mine.toml").write_bytes(data)
    ours = hashlib.sha256(data).hexdigest()
    assert load_policies(tmp_path)["mine"].sha256 == f"{ours}&{POLICIES['fr'].sha256}"


@pytest.mark.parametrize(
    ("bases", "complaints"),
    [
        pytest.param({"mine": "france"}, ['found "france"; allowed policies: au'], id="unknown"),
        pytest.param({"mine": "fr2"}, ['found "fr2", did you mean fr?'], id="nearly known"),
        pytest.param({"mine": "mine"}, ['found "mine", which extends this one in turn'],
                     id="itself"),
        pytest.param({"a": "b", "b": "a"},
                     ['found "b", which extends this one in turn', 'found "a", which extends'],
                     id="each other"),
        pytest.param({"a": "b", "b": "c", "c": "a", "d": "fr"},
                     ['found "b", which', 'found "c", which', 'found "a", which'], id="in a ring"),
        pytest.param({"a": "b", "b": "nobody"},
                     ['found "b", which extends this one in turn, or is itself wrong',
                      'found "nobody"; allowed policies'],
                     id="one whose own base is unknown"),
    ],
)  # fmt: skip
def test_a_base_that_is_not_there_is_told_with_its_place(
    tmp_path: Path, bases: dict[str, str], complaints: list[str]
) -> None:
    for name, base in bases.items():
        (tmp_path / f"{name}.toml").write_text(EXTENDS.format(id=name, base=base))
    with pytest.raises(SettingsError) as caught:
        load_policies(tmp_path)
    problems = caught.value.problems
    assert [(problem.line, problem.key) for problem in problems] == [(3, "extends")] * len(problems)
    assert len(problems) == len(complaints)
    for problem, complaint in zip(problems, complaints, strict=True):
        assert complaint in problem.message
        assert Path(problem.file).parent == tmp_path


def test_a_fault_in_a_pack_that_extends_is_told_by_its_own_file(tmp_path: Path) -> None:
    text = EXTENDS.format(id="mine", base="fr") + CAP.format(regime="fr-optin-2025", max=1)
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_policies(tmp_path)
    told = [problem for problem in caught.value.problems if problem.key == "regimes[1].extends"]
    assert [(problem.file, problem.line) for problem in told] == [(str(tmp_path / "mine.toml"), 9)]
    assert "allowed: an earlier regime (fr-d223-9-2023, fr-optin-2026)" in told[0].message
