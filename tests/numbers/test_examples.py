"""Examples are numbers of their region, and there is none for what is no region."""

from __future__ import annotations

import pytest

from dialwarden.numbers import Number, read_number
from dialwarden.numbers.examples import example_number


@pytest.mark.parametrize("region", ["FR", "FR-974", "IT-BZ", "US-FL", "GB", "AU"])
def test_an_example_can_be_read(region: str) -> None:
    assert isinstance(read_number(example_number(region), region=region), Number)


@pytest.mark.parametrize("region", ["", "ZZ", "AQ"])
def test_there_is_none_for_what_has_no_numbers(region: str) -> None:
    assert example_number(region) == ""
