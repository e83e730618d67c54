"""The life of an attempt, as a table.

    reserved ──► dialled ──► rang | busy | failed ──► settled
        │           ▲                        │
        ▼           └────── next trunk ──────┘
      voided

Two rules. What reached the callee stays reached: from `rang` and `busy` no event leads back.
Only what was never dialled can be voided. Pure: no SQL, no clock.

`rang` means that the callee's side was reached: ringing, early media or an answer. A leg that
rang and then failed or turned busy leaves the attempt at `rang`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from dialwarden.errors import DialwardenError


class State(enum.StrEnum):
    RESERVED = "reserved"
    DIALLED = "dialled"
    RANG = "rang"
    BUSY = "busy"
    FAILED = "failed"
    SETTLED = "settled"
    VOIDED = "voided"


class Event(enum.StrEnum):
    """What happened to an attempt. `SETTLED` comes with an `Outcome`."""

    DIALLED = "dialled"
    RANG = "rang"
    ANSWERED = "answered"
    BUSY = "busy"
    FAILED = "failed"
    SETTLED = "settled"
    VOIDED = "voided"


class Outcome(enum.StrEnum):
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELLED = "cancelled"


class IllegalTransition(DialwardenError):
    """An event, or an outcome, that an attempt in that state cannot have."""

    def __init__(self, state: State, event: Event, outcome: Outcome | None = None) -> None:
        self.state = state
        self.event = event
        self.outcome = outcome
        what = f"{event.value} as {outcome.value}" if outcome else event.value
        super().__init__(f"an attempt that is {state.value} cannot become {what}")


# From `reserved` straight to rang, busy or failed: without a link to Asterisk, or while it was
# down, the dialling itself is never seen, only what came of it.
TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.RESERVED, Event.DIALLED): State.DIALLED,
        (State.RESERVED, Event.RANG): State.RANG,
        (State.RESERVED, Event.ANSWERED): State.RANG,
        (State.RESERVED, Event.BUSY): State.BUSY,
        (State.RESERVED, Event.FAILED): State.FAILED,
        (State.RESERVED, Event.SETTLED): State.SETTLED,
        (State.RESERVED, Event.VOIDED): State.VOIDED,
        (State.DIALLED, Event.RANG): State.RANG,
        (State.DIALLED, Event.ANSWERED): State.RANG,
        (State.DIALLED, Event.BUSY): State.BUSY,
        (State.DIALLED, Event.FAILED): State.FAILED,
        (State.DIALLED, Event.SETTLED): State.SETTLED,
        (State.RANG, Event.RANG): State.RANG,
        (State.RANG, Event.ANSWERED): State.RANG,
        (State.RANG, Event.BUSY): State.RANG,
        (State.RANG, Event.FAILED): State.RANG,
        (State.RANG, Event.SETTLED): State.SETTLED,
        (State.BUSY, Event.BUSY): State.BUSY,
        (State.BUSY, Event.SETTLED): State.SETTLED,
        (State.FAILED, Event.FAILED): State.FAILED,
        (State.FAILED, Event.DIALLED): State.DIALLED,
        (State.FAILED, Event.RANG): State.RANG,
        (State.FAILED, Event.ANSWERED): State.RANG,
        (State.FAILED, Event.BUSY): State.BUSY,
        (State.FAILED, Event.SETTLED): State.SETTLED,
    }
)

_ANY = frozenset(Outcome)

# What rang is never settled as failed: `failed` may be left out of the count, what rang may not.
OUTCOMES: Mapping[State, frozenset[Outcome]] = MappingProxyType(
    {
        State.RESERVED: _ANY,
        State.DIALLED: _ANY,
        State.RANG: _ANY - {Outcome.FAILED},
        State.BUSY: frozenset({Outcome.BUSY}),
        State.FAILED: frozenset({Outcome.FAILED, Outcome.CANCELLED}),
    }
)

# While an attempt is in one of these, asking again for its call and number repeats the ALLOW:
# no leg of it has rung, been answered or been busy, and its life is not over.
OPEN = frozenset({State.RESERVED, State.DIALLED, State.FAILED})


def after(state: State, event: Event, outcome: Outcome | None = None) -> State:
    """The state that follows.

    Raises:
        IllegalTransition: the table has no such step, or the outcome does not fit the state.
        ValueError: an outcome without `SETTLED`, or the reverse.
    """
    if (event is Event.SETTLED) != (outcome is not None):
        raise ValueError("an outcome goes with the event settled, and only with it")
    following = TRANSITIONS.get((state, event))
    if following is None or (outcome is not None and outcome not in OUTCOMES[state]):
        raise IllegalTransition(state, event, outcome)
    return following
