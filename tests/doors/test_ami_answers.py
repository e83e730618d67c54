"""Which response is whose, and when one proves that nothing was dialled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.doors import ami_answers
from dialwarden.doors.ami_answers import Unanswered, speaks_freely, surely_not_dialled
from dialwarden.doors.ami_rulings import Relay
from dialwarden.wire.ami_request import AmiRequest

ANSWERS: Any = ("an attempt",)
RELAY = Relay(AmiRequest((("Action", "Originate"),)), ANSWERS)


def response(action_id: str = "", said: str = "Success", message: str = "") -> dict[str, str]:
    named = {"actionid": action_id} if action_id else {}
    return {"response": said, "message": message, **named}


def test_a_response_is_found_by_its_action_id_else_by_its_place() -> None:
    waiting = Unanswered()
    for action_id in ("a", "", "b", ""):
        waiting.sent(action_id)
    assert waiting.nameless
    assert waiting.answered(response("zzz")) is None
    assert len(waiting) == 4
    answered = [waiting.answered(response(action_id)) for action_id in ("a", "", "b", "")]
    assert [sent and sent.action_id for sent in answered] == ["a", "", "b", ""]
    assert not waiting
    assert not waiting.nameless


def test_a_response_ends_the_wait_for_everything_before_it() -> None:
    """Asterisk answers in order: what it passed over it will never answer."""
    waiting = Unanswered()
    waiting.sent("never", user="anna")
    waiting.sent("")
    waiting.sent("b")
    assert waiting.login
    assert waiting.answered(response("b")) is not None
    assert (len(waiting), waiting.login, waiting.nameless) == (0, False, False)


@pytest.mark.parametrize(
    ("sent", "told"),
    [("a ", "a"), ("\udcff1", "\ufffd1"), ("é", "é"), ("  x", "x")],
)
def test_an_action_id_is_known_again_as_asterisk_gives_it_back(sent: str, told: str) -> None:
    waiting = Unanswered()
    waiting.sent(sent)
    assert waiting.answered(response(told)) is not None


@pytest.mark.parametrize(
    ("before", "action_id", "proves"),
    [
        ([], "a", True),
        ([], "", True),
        (["b", ""], "a", True),
        (["a"], "a", False),
        (["b"], "", False),
        ([""], "", False),
    ],
)
def test_an_error_proves_something_only_of_a_request_that_is_surely_meant(
    before: list[str], action_id: str, proves: bool
) -> None:
    waiting = Unanswered()
    for earlier in before:
        waiting.sent(earlier)
    waiting.sent(action_id, relay=RELAY)
    error = response(action_id, "Error", "Extension does not exist.")
    found = None
    while len(waiting):
        found = waiting.answered(error) or waiting.answered(response("b"))
    assert found is not None
    assert found.relay is RELAY
    assert surely_not_dialled(found, error) is proves


@pytest.mark.parametrize(
    ("message", "proves"),
    [
        # main/manager.c, action_originate(): before it dials.
        ("Channel not specified", True),
        ("Invalid channel", True),
        ("Invalid priority", True),
        ("Invalid timeout", True),
        ("Originate with 'Exten' requires 'Context' and 'Priority'", True),
        ("Uniqueid length exceeds maximum of 149", True),
        # process_message()
        ("Permission denied", True),
        ("Asterisk is shutting down", True),
        # action_command() of a line that no command took; res_agi.c
        ("Command output follows", True),
        ("Channel PJSIP/100-00000001 does not exist.", True),
        # After the dialling: busy, not picked up, no route.
        ("Originate failed", False),
        ("", False),
        ("The phone rang; Permission denied", False),
    ],
)
def test_which_errors_come_before_the_dialling(message: str, proves: bool) -> None:
    waiting = Unanswered()
    waiting.sent("1", relay=RELAY)
    found = waiting.answered(response("1"))
    assert found is not None
    assert surely_not_dialled(found, response("1", "Error", message)) is proves
    assert not surely_not_dialled(found, response("1", "Success", message))


def test_what_is_waited_for_is_bounded_and_then_nothing_is_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ami_answers, "MOST_WAITED_FOR", 3)
    waiting = Unanswered()
    for n in range(10):
        waiting.sent(f"n{n}", relay=RELAY)
    assert len(waiting) == 3
    found = waiting.answered(response("n9"))
    assert found is not None
    assert not found.alone


@given(st.lists(st.sampled_from(["", "a", "b", "c"])), st.sets(st.integers(0, 30)))
def test_answers_in_order_are_each_found(ids: list[str], skipped: set[int]) -> None:
    """Whatever is never answered, no answer is taken for one that was sent later."""
    waiting = Unanswered()
    for place, action_id in enumerate(ids):
        waiting.sent(action_id, user=str(place))
    for place, action_id in enumerate(ids):
        if place not in skipped:
            found = waiting.answered(response(action_id))
            assert found is None or int(found.user or 0) <= place
    if not skipped:
        assert len(waiting) == 0


@pytest.mark.parametrize(
    ("headers", "freely"),
    [
        ((("Action", "Getvar"), ("Variable", "URIDECODE(a%0d%0a%0d%0aResponse: Error)")), True),
        ((("action", "GETVAR"), ("Variable", "BASE64_DECODE(DQo=)")), True),
        ((("Action", "Status"), ("Variables", "CHANNEL(state),URIDECODE(%0d%0a)")), True),
        ((("Action", "Getvar"), ("Variable", "CHANNEL(linkedid)")), False),
        ((("Action", "Getvar"), ("Variable", "DEVICE_STATE(PJSIP/1001)")), False),
        ((("Action", "Getvar"), ("Variable", "CAMPAIGN")), False),
        ((("Action", "Status"),), False),
        ((("Action", "Originate"), ("Variable", "X=URIDECODE(%0d)")), False),
    ],
)
def test_what_a_client_can_make_asterisk_say(
    headers: tuple[tuple[str, str], ...], freely: bool
) -> None:
    assert speaks_freely(AmiRequest(headers)) is freely


def test_behind_what_speaks_freely_no_error_proves_that_nothing_was_dialled() -> None:
    """The value of a variable ends in a response to the Originate that has not been read yet."""
    waiting = Unanswered()
    waiting.sent("value", free=True)
    waiting.sent("call", relay=RELAY)
    assert waiting.answered(response("value")) is not None
    forged = response("call", "Error", "Channel not specified")
    found = waiting.answered(forged)
    assert found is not None
    assert not surely_not_dialled(found, forged)
    waiting.sent("later", relay=RELAY)
    late = waiting.answered(response("later", "Error", "Channel not specified"))
    assert late is not None
    assert not late.alone
