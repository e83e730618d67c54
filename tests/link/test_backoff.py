"""Delays before the next try."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialwarden.link.backoff import Backoff


def test_delays_double_up_to_the_most_and_begin_anew_when_reset() -> None:
    backoff = Backoff(0.1, 1.0, chance=lambda _, most: most)
    assert [backoff.next() for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    backoff.reset()
    assert backoff.next() == 0.1


def test_chance_shortens_a_delay_by_no_more_than_half() -> None:
    backoff = Backoff(0.1, 1.0, chance=lambda least, _: least)
    assert [backoff.next() for _ in range(5)] == [0.05, 0.1, 0.2, 0.4, 0.5]


def test_the_first_is_not_longer_than_the_most() -> None:
    assert Backoff(5.0, 1.0, chance=lambda _, most: most).next() == 1.0


@given(st.floats(0.001, 10), st.floats(0.001, 10), st.integers(1, 40))
def test_no_delay_is_longer_than_the_most(first_s: float, most_s: float, tries: int) -> None:
    backoff = Backoff(first_s, most_s)
    assert all(0 < backoff.next() <= most_s for _ in range(tries))
