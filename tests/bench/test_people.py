"""Who is called in the benchmarks: millions of numbers that several programs agree on."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing

import pytest
from tests.bench.people import (
    Callees,
    Shares,
    called,
    called_sql,
    fresh,
    opposed,
    opposed_numbers,
    opposed_sql,
)

from dialwarden.numbers import Number, read_number


def drawn(shares: Shares, count: int, *, listed: int = 1000, first: int = 0) -> list[int]:
    return list(itertools.islice(Callees(shares, listed=listed, first=first), count))


@pytest.mark.parametrize("count", [1, 7, 1000, 100_000])
def test_a_list_has_as_many_numbers_as_it_says_in_order_and_each_once(count: int) -> None:
    numbers = [number for part in opposed_numbers(count) for number in part]
    assert len(numbers) == count
    assert numbers == sorted(set(numbers))
    assert 33_100_000_000 <= numbers[0] <= numbers[-1] <= 33_699_999_999


@pytest.mark.parametrize("index", [0, 1, 999_999, 4_999_999])
def test_a_database_works_out_the_same_numbers(index: int) -> None:
    texts = (opposed_sql(5_000_000), called_sql())
    with closing(sqlite3.connect(":memory:")) as conn:
        found = conn.execute(
            "SELECT {}, {} FROM (SELECT ? AS i)".format(*texts), (index,)
        ).fetchone()
    assert found == (opposed(index, 5_000_000), called(index))


def test_a_number_is_of_one_kind_and_can_be_dialled() -> None:
    kinds = [
        drawn(Shares(), 500),
        drawn(Shares(called=1.0), 500),
        drawn(Shares(opposed=1.0), 500),
    ]
    assert [{number % 4 for number in kind} for kind in kinds] == [{2}, {1}, {0}]
    listed = {opposed(index, 1000) for index in range(1000)}
    assert listed.issuperset(kinds[2])
    for number in itertools.chain(*kinds):
        assert isinstance(read_number(f"0{number - 33_000_000_000}", region="FR"), Number)


def test_nobody_is_called_twice_who_is_not_on_the_list() -> None:
    shares = Shares(called=0.5)
    callees = Callees(shares, first=0)
    earlier = list(itertools.islice(callees, 2000))
    later = drawn(shares, 2000, first=callees.drawn)
    assert len({*earlier, *later}) == 4000


def test_the_first_two_of_a_walk_are_those_worked_out_by_hand() -> None:
    # fresh: 7,368,787 groups of four from 33,640,000,000, the third of its group.
    assert (fresh(0), fresh(1)) == (33_640_000_002, 33_640_000_000 + 4 * 7_368_787 + 2)
    # called: three groups apart; 7,368,787 is 3,368,787 beyond once round the 4,000,000.
    assert (called(0), called(1)) == (33_640_000_001, 33_640_000_000 + 12 * 3_368_787 + 1)


def test_opposed_callees_of_no_list_are_an_error() -> None:
    with pytest.raises(ValueError, match="no list"):
        Callees(Shares(opposed=0.1))
