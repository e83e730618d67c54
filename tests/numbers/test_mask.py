"""What a log may show of a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.numbers import mask


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+33612345612", "+336••••••12"),
        ("+262692123456", "+2626••••••56"),
        ("+390612345678", "+390•••••••78"),
        ("+12125551234", "+12•••••••34"),
        # Three hidden digits would be a thousand guesses.
        ("+508411234", "+•••••••••"),
        ("0612345678", "06••••••78"),
        ("33612345678", "33•••••••78"),
        ("112", "•••"),
        ("3949", "••••"),
        ("+112", "+•••"),
        ("+3361", "+••••"),
        ("1234567", "•••••••"),
        ("12345678", "12••••78"),
        ("", ""),
        ("+", "+"),
        ("+999612345678", "+999•••••••78"),
        ("06\x1b[31m12345678", "06•••••••••••78"),
        ("\n\n34567890", "••••••••90"),
        ("\u0660\u0666345678\uff19\uff10", "•" * 10),
    ],
)
def test_number_is_masked(number: str, shown: str) -> None:
    assert mask(number) == shown


@given(number=st.text(max_size=30))
def test_at_most_six_digits_show_and_nothing_but_digits(number: str) -> None:
    shown = mask(number)
    assert len(shown) == len(number)
    assert set(shown) <= set("+0123456789•")
    digits = sum(character.isdigit() for character in shown)
    assert digits <= 6
    assert digits == 0 or shown.count("•") >= 4
