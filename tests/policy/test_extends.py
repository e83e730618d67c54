"""A policy that extends another: which regimes it keeps, which it replaces, and from when."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policies import load_policies
from dialwarden.policy.hours import parse_week
from dialwarden.policy.model import Policy
from dialwarden.policy.parse import UnknownBase, read_policy
from dialwarden.question import Purpose

BASE = read_policy(
    """
    id = "base"
    title = "The base"
    country = "IT"
    binds = "Everybody"
    [sources.law]
    text = "A law"
    confidence = "primary"
    [[regimes]]
    id = "old"
    title = "The old law"
    from = 2023-03-01
    until = 2026-08-10
    purposes = ["sales"]
    [regimes.hours]
    mon-fri = ["10:00-13:00"]
    source = "law"
    [[regimes.caps]]
    max = 4
    period = "30 days"
    source = "law"
    [[regimes]]
    id = "new"
    title = "The new law"
    from = 2026-08-11
    extends = "old"
    [regimes.evidence]
    years = 3
    source = "law"
    """,
    "base.toml",
)
# Ten lines.
HEAD = """\
id = "mine"
title = "My own"
extends = "base"




[sources.me]
text = "My caution"
confidence = "primary"
"""
CAP = '[[regimes.caps]]\nmax = 1\nperiod = "1 day"\nsource = "me"\n'
REGIME = "[[regimes]]\n"


def own(text: str, base: Policy = BASE) -> Policy:
    return read_policy(HEAD + text, "mine.toml", bases={base.id: base})


@pytest.mark.parametrize(
    ("text", "regimes"),
    [
        pytest.param("", "old 2023-03-01 2026-08-10, new 2026-08-11 None", id="nothing of its own"),
        pytest.param(
            REGIME + 'extends = "new"\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 None",
            id="one in the place of another, by its name",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "stricter"\ntitle = "t"\n' + CAP,
            "old 2023-03-01 2026-08-10, stricter 2026-08-11 None",
            id="by a name of its own",
        ),
        pytest.param(
            REGIME + 'extends = "old"\n' + CAP + REGIME + 'extends = "new"\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 None",
            id="both replaced",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "stricter"\nfrom = 2027-01-01\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 2026-12-31, stricter 2027-01-01 None",
            id="from a later day on",
        ),
        pytest.param(
            REGIME + 'extends = "old"\nid = "stricter"\nfrom = 2026-05-01\n' + CAP,
            "old 2023-03-01 2026-04-30, stricter 2026-05-01 2026-08-10, new 2026-08-11 None",
            id="from a later day on, to the end of the one replaced",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "stricter"\nfrom = 2026-08-12\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 2026-08-11, stricter 2026-08-12 None",
            id="from the second day on",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nuntil = 2026-12-31\n'
            + REGIME + 'extends = "new"\nid = "later"\ntitle = "t"\nfrom = 2027-01-01\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 2026-12-31, later 2027-01-01 None",
            id="one replaced and then followed by what extends it",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "stricter"\nuntil = 2026-12-31\n' + CAP,
            "old 2023-03-01 2026-08-10, stricter 2026-08-11 2026-12-31, new 2027-01-01 None",
            id="one replaced for its first months",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "stricter"\nfrom = 2026-12-01\nuntil = 2026-12-31\n'
            + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 2026-11-30, "
            "stricter 2026-12-01 2026-12-31, new 2027-01-01 None",
            id="one replaced for a month",
        ),
        pytest.param(
            REGIME + 'extends = "old"\nid = "stricter"\nuntil = 2026-07-31\n' + CAP,
            "stricter 2023-03-01 2026-07-31, old 2026-08-01 2026-08-10, new 2026-08-11 None",
            id="one replaced but for its last days",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "first"\nfrom = 2026-10-01\nuntil = 2026-12-31\n' + CAP
            + REGIME + 'extends = "new"\nid = "second"\nfrom = 2027-01-01\n' + CAP,
            "old 2023-03-01 2026-08-10, new 2026-08-11 2026-09-30, "
            "first 2026-10-01 2026-12-31, second 2027-01-01 None",
            id="one replaced by two in turn",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "first"\nuntil = 2026-12-31\n' + CAP
            + REGIME + 'extends = "new"\nid = "second"\nfrom = 2027-01-01\n' + CAP,
            "old 2023-03-01 2026-08-10, first 2026-08-11 2026-12-31, second 2027-01-01 None",
            id="one replaced by two from its first day",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nuntil = 2027-12-31\n'
            + REGIME + 'id = "another"\ntitle = "t"\nfrom = 2028-01-01\n',
            "old 2023-03-01 2026-08-10, new 2026-08-11 2027-12-31, another 2028-01-01 None",
            id="one ended and another that takes over nothing",
        ),
        pytest.param(
            REGIME + 'id = "before"\ntitle = "t"\nfrom = 2020-01-01\nuntil = 2023-02-28\n',
            "before 2020-01-01 2023-02-28, old 2023-03-01 2026-08-10, new 2026-08-11 None",
            id="one for earlier days",
        ),
    ],
)  # fmt: skip
def test_which_regimes_are_kept_and_until_when(text: str, regimes: str) -> None:
    told = ", ".join(f"{regime.id} {regime.start} {regime.end}" for regime in own(text).regimes)
    assert told == regimes


def test_a_regime_takes_over_the_parts_that_it_does_not_give() -> None:
    old, new = own(REGIME + 'extends = "new"\n' + CAP).regimes
    assert old == BASE.regimes[0]
    assert (new.title, new.purposes) == ("The new law", frozenset({Purpose.SALES}))
    assert new.hours == BASE.regimes[1].hours
    assert [(cap.max, cap.source) for cap in new.caps] == [(1, "My caution")]
    assert (new.evidence_years, new.evidence_source) == (3, "A law")
    assert set(new.sources) == {"A law", "My caution"}
    assert new.extends == "new"


@pytest.mark.parametrize(
    ("purposes", "bound", "survey_cap"),
    [
        ("", {Purpose.SALES}, {Purpose.SURVEY}),
        ('purposes = ["sales", "service"]', {Purpose.SALES, Purpose.SERVICE}, {Purpose.SURVEY}),
        ('purposes = ["survey"]', {Purpose.SURVEY}, {Purpose.SURVEY}),
    ],
)
def test_what_bound_whom_the_base_binds_binds_whom_the_regime_binds(
    purposes: str, bound: set[Purpose], survey_cap: set[Purpose]
) -> None:
    """A part that named purposes of its own keeps them."""
    base = read_policy(
        HEAD.replace('extends = "base"', "").replace('"mine"', '"base"')
        + '[[regimes]]\nid = "new"\ntitle = "t"\nfrom = 2026-08-11\npurposes = ["sales"]\n'
        + CAP + 'purposes = ["survey"]\n' + CAP
        + '[[regimes.lists]]\nname = "list"\nsource = "me"\n'
        + '[[regimes.regions]]\nregions = ["FR-57"]\n'
        + '[[regimes.regions.gaps]]\nfull_days = 1\nsource = "me"\n',
        "base.toml",
    )  # fmt: skip
    (new,) = own(REGIME + f'extends = "new"\n{purposes}\n', base).regimes
    assert new.purposes == bound
    assert [set(cap.purposes) for cap in new.caps] == [survey_cap, bound]
    assert [set(rule.purposes) for rule in new.lists] == [bound]
    assert [set(gap.purposes) for part in new.regions for gap in part.gaps] == [bound]


def test_a_source_may_not_be_cited_as_one_of_the_base_is() -> None:
    """The figures taken over would seem to be read as surely as one's own."""
    text = HEAD.replace('text = "My caution"', 'text = "A law"').replace("primary", "unverified")
    with pytest.raises(SettingsError) as caught:
        read_policy(text, "mine.toml", bases={"base": BASE})
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (8, "sources.me.article")
    assert "is cited as a source of policy base is; tell the two apart" in problem.message
    # The very same source may be quoted again.
    same = text.replace("unverified", "primary")
    assert read_policy(same, "mine.toml", bases={"base": BASE}).regimes == BASE.regimes


def test_a_part_of_the_base_is_dropped_by_name_or_by_an_empty_array() -> None:
    text = 'extends = "new"\ndrop = ["hours", "evidence"]\ncaps = []\n'
    _, new = own(REGIME + text).regimes
    assert (new.hours, new.caps) == (None, ())
    assert (new.evidence_years, new.evidence_source) == (None, "")
    assert BASE.regimes[1].hours is not None


def test_the_policy_takes_over_country_and_binding_and_not_its_name() -> None:
    bare = own("")
    assert (bare.id, bare.title, bare.extends) == ("mine", "My own", "base")
    assert (bare.country, bare.binds) == ("IT", "Everybody")
    text = HEAD.replace("\n\n\n", '\ncountry = "FR"\nbinds = "Me"\n')
    other = read_policy(text, "mine.toml", bases={"base": BASE})
    assert (other.country, other.binds) == ("FR", "Me")


def test_the_hash_is_of_both_files() -> None:
    ours = hashlib.sha256(HEAD.encode()).hexdigest()
    assert own("").sha256 == f"{ours}&{BASE.sha256}"
    given = read_policy(HEAD, "mine.toml", sha256="0" * 64, bases={"base": BASE})
    assert given.sha256 == f"{'0' * 64}&{BASE.sha256}"


def test_a_policy_may_extend_one_that_extends_another() -> None:
    mine = own(REGIME + 'extends = "new"\nid = "stricter"\n' + CAP)
    text = HEAD.replace('"mine"', '"ours"').replace('"base"', '"mine"')
    hours = '[regimes.hours]\nmon = ["10:00-11:00"]\nsource = "me"\n'
    ours = read_policy(
        text + REGIME + 'extends = "stricter"\n' + hours, "ours.toml", bases={"mine": mine}
    )
    _, last = ours.regimes
    assert last.id == "stricter"
    assert last.hours is not None
    assert last.hours.week == parse_week({"mon": ["10:00-11:00"]})
    assert [cap.max for cap in last.caps] == [1]
    assert ours.sha256.endswith(f"&{mine.sha256}")
    assert ours.sha256.count("&") == 2


def test_of_a_regime_replaced_for_a_month_both_ends_are_taken_over_again() -> None:
    december = 'extends = "new"\nid = "december"\nfrom = 2026-12-01\nuntil = 2026-12-31\n'
    mine = own(REGIME + december + CAP)
    text = HEAD.replace('"mine"', '"ours"').replace('"base"', '"mine"')
    ours = read_policy(text, "ours.toml", bases={"mine": mine})
    assert ours.regimes == mine.regimes
    assert [regime.id for regime in ours.regimes] == ["old", "new", "december", "new"]


def test_a_shipped_policy_may_be_extended() -> None:
    france = load_policies()["fr"]
    text = """
    id = "fr-mine"
    title = "t"
    extends = "fr"
    [sources.me]
    text = "My caution"
    confidence = "primary"
    [[regimes]]
    extends = "fr-optin-2026"
    [[regimes.caps]]
    max = 2
    period = "30 days"
    source = "me"
    """
    mine = read_policy(text, "mine.toml", bases={"fr": france})
    (old, new), (base_old, base_new) = mine.regimes, france.regimes
    assert old == base_old
    assert [cap.max for cap in new.caps] == [2]
    assert (new.id, new.start, new.end) == (base_new.id, base_new.start, base_new.end)
    kept = ("hours", "holidays", "objection", "consent", "appointments", "sectors", "caller_id")
    for part in kept:
        assert getattr(new, part) == getattr(base_new, part)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            REGIME + 'extends = "new"\nfrom = 2027-01-01\n' + CAP,
            [(11, "regimes[1].id", "new is the id of a regime that is taken over")],
            id="a later one needs a name of its own",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nid = "old"\n' + CAP,
            [(13, "regimes[1].id", "old is the id of a regime that is taken over")],
            id="the name of another that is kept",
        ),
        pytest.param(
            REGIME + 'id = "new"\ntitle = "t"\nfrom = 2028-01-01\n',
            [(11, "regimes[1]", "new is in force until further notice but new starts 2028-01-01"),
             (12, "regimes[1].id", "new is the id of a regime that is taken over")],
            id="the name of one that is not replaced",
        ),
        pytest.param(
            REGIME + 'extends = "newer"\nid = "x"\ntitle = "t"\nfrom = 2028-01-01\n',
            [(11, "regimes[1]", "new is in force until further notice but x starts"),
             (12, "regimes[1].extends", "found 'newer'; allowed: an earlier regime (old, new)")],
            id="an unknown regime",
        ),
        pytest.param(
            REGIME + 'extends = "old"\nid = "x"\nfrom = 2026-08-11\n',
            [(11, "regimes[1].until", "found 2026-08-10; it is the last day in force, not before"),
             (11, "regimes[1]", "new is in force until further notice but x starts 2026-08-11")],
            id="after the end of the one replaced",
        ),
        pytest.param(
            REGIME + 'extends = "old"\nuntil = 2026-07-31\n',
            [(11, "regimes[1].id", "old is the id of a regime that is taken over")],
            id="one that is over before the one that it replaces",
        ),
        pytest.param(
            REGIME + 'id = "later"\ntitle = "t"\nfrom = 2028-01-01\n'
            + REGIME + 'extends = "new"\nuntil = 2026-12-31\n',
            [(15, "regimes[2].id", "new is the id of a regime that is taken over")],
            id="one whose name is needed again",
        ),
        pytest.param(
            REGIME + 'extends = "new"\nfrom = 2026-08-01\n',
            [(11, "regimes[1]", "old is in force until 2026-08-10 but new starts 2026-08-01")],
            id="from an earlier day on",
        ),
        pytest.param(
            REGIME
            + 'id = "x"\ntitle = "t"\nfrom = 2028-01-01\ndrop = ["caps"]\nuntil = 2027-01-01\n',
            [(11, "regimes[1]", "new is in force until further notice but x starts"),
             (15, "regimes[1].drop", "there is nothing to drop: this regime extends none"),
             (16, "regimes[1].until", "found 2027-01-01; it is the last day in force")],
            id="a drop without a base",
        ),
        pytest.param(
            REGIME + 'extends = "new"\n[regimes.evidence]\nyears = 1\nsource = "law"\n',
            [(15, "regimes[1].evidence.source", "found 'law'; allowed: me")],
            id="a source of the base",
        ),
    ],
)  # fmt: skip
def test_faults_of_what_extends_are_told_with_their_place(
    text: str, problems: list[tuple[int, str, str]]
) -> None:
    with pytest.raises(SettingsError) as caught:
        own(text)
    found = caught.value.problems
    assert [(problem.line, problem.key) for problem in found] == [
        (line, key) for line, key, _ in problems
    ]
    for problem, (_, _, message) in zip(found, problems, strict=True):
        assert message in problem.message


def test_a_policy_extends_by_another_name_than_its_own() -> None:
    with pytest.raises(SettingsError) as caught:
        read_policy(HEAD.replace('"mine"', '"base"'), "mine.toml", bases={"base": BASE})
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (1, "id")
    assert "found 'base', the policy that it extends; give it its own" in problem.message


@pytest.mark.parametrize("bases", [None, {}, {"another": BASE}])
def test_an_unknown_base_is_told_by_its_id(bases: dict[str, Policy] | None) -> None:
    with pytest.raises(UnknownBase) as caught:
        read_policy(HEAD, "mine.toml", bases=bases)
    assert caught.value.base == "base"


def test_a_policy_of_its_own_needs_a_regime_and_one_that_extends_does_not() -> None:
    assert own("").regimes == BASE.regimes
    with pytest.raises(SettingsError, match="regimes: missing"):
        read_policy(HEAD.replace('extends = "base"\n', ""), "mine.toml")


def test_a_day_between_two_laws_is_the_law_of_that_day() -> None:
    mine = own(REGIME + 'extends = "new"\nid = "stricter"\nfrom = 2027-01-01\n' + CAP)
    for day, regime in (
        (date(2026, 8, 10), "old"),
        (date(2026, 8, 11), "new"),
        (date(2026, 12, 31), "new"),
        (date(2027, 1, 1), "stricter"),
    ):
        found = mine.regime_on(day)
        assert found is not None
        assert found.id == regime
