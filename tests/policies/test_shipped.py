"""The shipped packs: every figure equal to the text's, every part with a source.

The golden values were written down from the texts, not from the packs: when a pack and this page
disagree, one of them misreads the law.
"""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies
from dialwarden.policy.hours import WEEKDAYS
from dialwarden.policy.model import Confidence, Policy, Regime
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
    found = dict(zip(WEEKDAYS, hours.days, strict=True))
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
def test_no_statute_sets_a_gap(regime: Regime) -> None:
    assert regime.gaps == ()


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
        ("fr-d223-9-2023", "bloctel", 30, {Bond.CONTRACT, Bond.PRESS}, 0, False),
        ("it-assocontact-2016", "rpo", 15, {Bond.CONTRACT}, 30, True),
    ],
)
def test_lists(
    regime_id: str,
    name: str,
    max_age: int,
    exempt: set[Bond],
    ended_within: int,
    later_consent_wins: bool,
) -> None:
    (rule,) = named(regime_id).lists
    assert (rule.name, rule.max_age_days, set(rule.exempt)) == (name, max_age, exempt)
    assert rule.ended_within_days == ended_within
    assert rule.later_consent_wins is later_consent_wins


def test_consent_in_france_before_and_after_11_august_2026() -> None:
    old, new = named("fr-d223-9-2023").consent, named("fr-optin-2026").consent
    assert old is not None
    assert new is not None
    assert (old.required, new.required) == (False, True)
    assert (old.max_years, new.max_years) == (None, 1)
    assert (old.void_before, new.void_before) == (None, date(2026, 8, 11))
    assert new.exempt == {Bond.CONTRACT, Bond.PRESS}
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


def citations(regime: Regime) -> list[str]:
    """The source of every part that a regime has."""
    cited = [cap.source for cap in regime.caps]
    cited += [gap.source for gap in regime.gaps]
    cited += [rule.source for rule in regime.lists]
    cited += [regime.holidays.source] if regime.holidays else []
    cited += [regime.objection.source] if regime.objection else []
    cited += [regime.consent.source] if regime.consent else []
    cited += [regime.hours_source] if regime.hours else []
    cited += [regime.evidence_source] if regime.evidence_years else []
    return cited


@pytest.mark.parametrize(("policy", "regime"), REGIMES)
def test_every_part_has_a_source_that_says_where_it_was_read(
    policy: Policy, regime: Regime
) -> None:
    cited = citations(regime)
    for citation in cited:
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
        known: set[str] = set()
        cited: set[str] = set()
        for regime in policy.regimes:
            known |= set(regime.sources)
            cited.update(citations(regime))
        assert known <= cited, policy.file


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
