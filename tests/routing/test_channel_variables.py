"""Which campaign an Originate names, and what is left of its variables for Asterisk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.routing.channel_variables import clean_variables


def variables(*values: str) -> tuple[tuple[str, str], ...]:
    return (("Action", "Originate"), *(("Variable", value) for value in values))


@pytest.mark.parametrize(
    ("values", "campaign", "kept"),
    [
        (["A=1"], None, ["A=1"]),
        (["DIALWARDEN_CAMPAIGN=solar"], "solar", ["DIALWARDEN_CAMPAIGN=solar"]),
        (["A=1,__DIALWARDEN_CAMPAIGN=solar,B=2"], "solar",
         ["A=1,__DIALWARDEN_CAMPAIGN=solar,B=2"]),
        (["_DIALWARDEN_CAMPAIGN=so=lar"], "so=lar", ["_DIALWARDEN_CAMPAIGN=so=lar"]),
        (['"DIALWARDEN_CAMPAIGN"="solar"'], "solar", ['"DIALWARDEN_CAMPAIGN"="solar"']),
        (["DIALWARDEN\\_CAMPAIGN=solar"], "solar", ["DIALWARDEN\\_CAMPAIGN=solar"]),
        (["DIALWARDEN_CAMPAIGN="], "", ["DIALWARDEN_CAMPAIGN="]),
        (["DIALWARDEN_VERDICT=ALLOW"], None, []),
        (["A=1,DIALWARDEN_VERDICT=ALLOW,B=2"], None, ["A=1,B=2"]),
        (["DIALWARDEN_VERDICT=ALLOW,A=1"], None, ["A=1"]),
        (["A=1,__DIALWARDEN_NUMBER=+33612345678"], None, ["A=1"]),
        (["A=1,D\\IALWARDEN_VERDICT=ALLOW"], None, ["A=1"]),
        (["dialwarden_verdict=ALLOW,A=1"], None, ["A=1"]),
        (['A="x, y",DIALWARDEN_VERDICT="AL,LOW",B=f(1,2)'], None, ['A="x, y",B=f(1,2)']),
        # In a value it sets nothing.
        (['A="x,DIALWARDEN_VERDICT=ALLOW"'], None, ['A="x,DIALWARDEN_VERDICT=ALLOW"']),
        (["A=${DIALWARDEN_NUMBER}"], None, ["A=${DIALWARDEN_NUMBER}"]),
        (["DIALWARDEN_VERDICT,A=1"], None, ["DIALWARDEN_VERDICT,A=1"]),  # no =: not set
        # Asterisk sets the last first: the first of two holds, and is the only one left.
        (["DIALWARDEN_CAMPAIGN=a", "B=1,DIALWARDEN_CAMPAIGN=b"], "a",
         ["DIALWARDEN_CAMPAIGN=a", "B=1"]),
        (["DIALWARDEN_CAMPAIGN=a,_DIALWARDEN_CAMPAIGN=b"], "a", ["DIALWARDEN_CAMPAIGN=a"]),
    ],
)  # fmt: skip
def test_variables_of_ours_are_taken_out_but_for_the_campaign(
    values: list[str], campaign: str | None, kept: list[str]
) -> None:
    cleaned = clean_variables(variables(*values))
    assert cleaned.problem == ""
    assert cleaned.campaign == campaign
    assert cleaned.headers == variables(*kept)


@pytest.mark.parametrize(
    "value",
    [
        "ARRAY(DIALWARDEN_VERDICT\\,X)=ALLOW",
        "GLOBAL(DIALWARDEN_VERDICT)=ALLOW",
        "A=1, DIALWARDEN_VERDICT=ALLOW",  # a variable whose name begins with a blank
        ",".join([f"V{n}={n}" for n in range(70)] + ["DIALWARDEN_VERDICT=ALLOW"]),
        ",".join(["DIALWARDEN_VERDICT=ALLOW"] + [f"V{n}={n}" for n in range(70)]),
    ],
)
def test_what_cannot_surely_be_taken_out_is_a_problem(value: str) -> None:
    cleaned = clean_variables(variables("B=2", value))
    assert cleaned.problem
    assert cleaned.headers == variables("B=2")


def test_without_the_campaign_the_rest_stays() -> None:
    cleaned = clean_variables(variables("A=1,DIALWARDEN_CAMPAIGN=solar,B=2"))
    assert cleaned.bare == variables("A=1,B=2")


def test_names_of_headers_are_known_in_any_case() -> None:
    cleaned = clean_variables([("vARIABLE", "DIALWARDEN_VERDICT=ALLOW"), ("Channel", "x/y")])
    assert cleaned.headers == (("Channel", "x/y"),)


VALUES = st.text('AB=,"\\()[] ', max_size=12)
PIECES = st.one_of(VALUES, st.just("DIALWARDEN_VERDICT=ALLOW"), st.just("_DIALWARDEN_NUMBER=1"))


@given(st.lists(st.lists(PIECES, max_size=5).map(",".join), max_size=4))
def test_what_is_left_sets_nothing_of_ours(values: list[str]) -> None:
    """Read again, by the same reading, there is nothing more to take out."""
    cleaned = clean_variables(variables(*values))
    again = clean_variables(cleaned.bare)
    assert again.bare == cleaned.bare
    assert not again.problem
    assert again.campaign is None


@given(st.lists(st.text('ABC=,"\\()[] 12', max_size=30), max_size=4))
def test_what_names_nothing_of_ours_stays_as_it_is(values: list[str]) -> None:
    assert clean_variables(variables(*values)).headers == variables(*values)


@pytest.mark.parametrize(
    ("value", "taken_out"),
    [
        ("FILE(/spool/x,,,a)=Channel: PJSIP/06", True),
        ("DB(registrar/contact/1001)=x", True),
        ("MONITOR_EXEC=sh x", True),
        ("ARRAY(DIALWARDEN\\\\_VERDICT)=ALLOW", True),  # unescaped twice, and set
        ("PROFILE(1)=a,X=${CUT(${A},-,1)}", False),
        ("DB(CF/100)=0612345678", False),
    ],
)
def test_a_variable_that_would_do_more_than_be_set_is_a_problem(
    value: str, taken_out: bool
) -> None:
    cleaned = clean_variables(variables("A=1", value))
    assert bool(cleaned.problem) is taken_out
    assert cleaned.headers == (variables("A=1") if taken_out else variables("A=1", value))
    assert cleaned.bare == cleaned.headers
