"""One plan, six codes: a number goes where it belongs, by our table and by phonenumbers' own."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberType

from dialwarden.numbers import Number, french, read_number

TERRITORIES = ["RE", "YT", "GP", "MQ", "GF", "PM"]
nationals = st.integers(100_000_000, 999_999_999)


@st.composite
def valid_overseas(draw: st.DrawFn) -> tuple[int, str]:
    """A country code and national digits of one of phonenumbers' overseas ranges."""
    metadata = PhoneMetadata.metadata_for_region(draw(st.sampled_from(TERRITORIES)))
    assert metadata is not None
    assert metadata.country_code is not None
    kinds = [metadata.fixed_line, metadata.mobile, metadata.voip]
    ranges = [kind.national_number_pattern for kind in kinds if kind]
    expression = draw(st.sampled_from([pattern for pattern in ranges if pattern]))
    national = draw(st.from_regex(re.compile(expression, re.ASCII), fullmatch=True))
    return metadata.country_code, national


@given(number=valid_overseas())
def test_what_is_valid_overseas_belongs_there(number: tuple[int, str]) -> None:
    """phonenumbers' overseas ranges are narrow and true, but for 0939 and 0976, which overlap."""
    code, national = number
    assume(not national.startswith(("8", "939", "976")))
    # Saint-Pierre-et-Miquelon's six digits are dialled behind 0508 from elsewhere.
    dialled = f"0508{national}" if len(national) == 6 else f"0{national}"
    answer = read_number(dialled, region="FR")
    assert isinstance(answer, Number)
    assert answer.e164 == f"+{code}{national}"


@pytest.mark.parametrize("prefix", sorted(french.OVERSEAS))
def test_every_prefix_of_the_table_moves_its_numbers(prefix: str) -> None:
    code, country = french.OVERSEAS[prefix]
    # A tail that no longer prefix of the table begins with.
    national = next(
        text
        for text in (prefix + tail * (9 - len(prefix)) for tail in "1028")
        if french.territory(text) == (code, country)
    )
    moved, _ = french.at_home(PhoneNumber(country_code=33, national_number=int(national)))
    assert moved.country_code == code


@given(written=st.sampled_from(french.CODES), national=nationals)
def test_moving_settles_at_once(written: int, national: int) -> None:
    number = PhoneNumber(country_code=written, national_number=national)
    moved, kind = french.at_home(number)
    assert french.at_home(moved) == (moved, kind)
    assert kind == phonenumbers.number_type(moved)


@given(
    first=st.sampled_from(french.CODES), second=st.sampled_from(french.CODES), national=nationals
)
def test_code_written_makes_no_difference_where_the_number_is_known(
    first: int, second: int, national: int
) -> None:
    """One subscriber must have one number, or a cap could be had twice."""
    assume(not str(national).startswith("8"))
    one, kind = french.at_home(PhoneNumber(country_code=first, national_number=national))
    other, _ = french.at_home(PhoneNumber(country_code=second, national_number=national))
    if kind != PhoneNumberType.UNKNOWN:
        assert one == other


def test_number_valid_in_two_territories_and_not_as_written_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kind_of(number: PhoneNumber) -> int:
        both = number.country_code in (590, 596)
        return PhoneNumberType.VOIP if both else PhoneNumberType.UNKNOWN

    monkeypatch.setattr(french, "number_type", kind_of)
    number = PhoneNumber(country_code=33, national_number=999999999)
    assert french.at_home(number) == (number, PhoneNumberType.UNKNOWN)


@pytest.mark.parametrize(
    "number",
    [
        PhoneNumber(country_code=39, national_number=692123456),
        PhoneNumber(country_code=687, national_number=751234),
        PhoneNumber(country_code=33, national_number=69212345),
        PhoneNumber(country_code=33, national_number=612345678),
        PhoneNumber(country_code=508, national_number=411234),
    ],
)
def test_other_numbers_stay(number: PhoneNumber) -> None:
    assert french.at_home(number)[0] == number
