"""The alarm: raised by so many catches within a minute, once, and over when they are past."""

from __future__ import annotations

from dialwarden.watch.alarm import Alarm


def test_it_is_raised_once_while_the_catches_go_on() -> None:
    alarm = Alarm(3)
    assert [alarm.caught(at) for at in (0.0, 1.0, 2.0, 3.0, 4.0)] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert alarm.raised(4.0)


def test_catches_a_minute_apart_raise_nothing() -> None:
    alarm = Alarm(2)
    assert [alarm.caught(at) for at in (0.0, 60.0, 119.9)] == [False, False, True]


def test_it_is_over_when_the_minute_is_past_and_can_be_raised_again() -> None:
    alarm = Alarm(2)
    alarm.caught(0.0)
    assert alarm.caught(10.0)
    assert alarm.raised(59.9)
    assert not alarm.raised(60.0)
    alarm.caught(100.0)
    assert alarm.caught(101.0)


def test_one_is_enough_where_one_was_asked_for() -> None:
    assert Alarm(1).caught(5.0)


def test_another_threshold_holds_from_the_next_catch_on() -> None:
    alarm = Alarm(2)
    alarm.most = 3
    assert [alarm.caught(float(at)) for at in range(3)] == [False, False, True]
