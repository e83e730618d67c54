from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.ledger.states import (
    OPEN,
    OUTCOMES,
    TRANSITIONS,
    Event,
    IllegalTransition,
    Outcome,
    State,
    after,
)

# state: what follows dialled, rang, answered, busy, failed, voided; "-" is illegal.
TABLE = """
reserved  dialled rang rang busy failed voided
dialled   -       rang rang busy failed -
rang      -       rang rang rang rang   -
busy      -       -    -    busy -      -
failed    dialled rang rang busy failed -
settled   -       -    -    -    -      -
voided    -       -    -    -    -      -
"""
EVENTS = (Event.DIALLED, Event.RANG, Event.ANSWERED, Event.BUSY, Event.FAILED, Event.VOIDED)
STEPS = [
    (State(state), event, word)
    for state, *words in (line.split() for line in TABLE.strip().splitlines())
    for event, word in zip(EVENTS, words, strict=True)
]


@pytest.mark.parametrize(("state", "event", "word"), STEPS)
def test_each_step_is_as_the_table_says(state: State, event: Event, word: str) -> None:
    if word == "-":
        with pytest.raises(IllegalTransition, match=state.value):
            after(state, event)
    else:
        assert after(state, event) is State(word)


SETTLED = {
    State.RESERVED: set(Outcome),
    State.DIALLED: set(Outcome),
    State.RANG: {Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CANCELLED},
    State.BUSY: {Outcome.BUSY},
    State.FAILED: {Outcome.FAILED, Outcome.CANCELLED},
    State.SETTLED: set(),
    State.VOIDED: set(),
}


@pytest.mark.parametrize(("state", "outcome"), list(itertools.product(State, Outcome)))
def test_each_state_settles_with_its_own_outcomes(state: State, outcome: Outcome) -> None:
    if outcome in SETTLED[state]:
        assert after(state, Event.SETTLED, outcome) is State.SETTLED
    else:
        with pytest.raises(IllegalTransition, match=outcome.value):
            after(state, Event.SETTLED, outcome)


def test_an_outcome_goes_with_settled_only() -> None:
    with pytest.raises(ValueError, match="outcome"):
        after(State.RANG, Event.SETTLED)
    with pytest.raises(ValueError, match="outcome"):
        after(State.RANG, Event.BUSY, Outcome.BUSY)


def test_every_state_that_settles_names_its_outcomes() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.SETTLED} == set(OUTCOMES)


@given(st.lists(st.sampled_from(EVENTS)))
def test_what_reached_the_callee_is_never_open_or_voided_again(events: list[Event]) -> None:
    state, reached = State.RESERVED, False
    for event in events:
        try:
            state = after(state, event)
        except IllegalTransition:
            continue
        reached = reached or event in (Event.RANG, Event.ANSWERED, Event.BUSY)
        assert not (reached and (state in OPEN or state is State.VOIDED))
