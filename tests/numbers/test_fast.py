"""The short way answers as the long one, which phonenumbers judges."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dialwarden.numbers.fast import read_fast
from dialwarden.numbers.number import Number
from dialwarden.numbers.slow import read_slowly

# Heads that steer into each branch and each collision; the tails are any digits.
HEADS = (
    " 0 00 + 33 +33 0033 330 39 +39 0039 390 3906698 +3906698 06 07 01 08 09 0692 0639 03 3 32 36 "
    "398 9 90 933 939 9+33 800 84 199 178 0262 +262"
)
heads = st.sampled_from(HEADS.split(" "))
tails = st.text(alphabet="0123456789", min_size=2, max_size=12)
gaps = st.sampled_from(["", "", "", " ", ".", "-", "(0)", "(", ")", "\u00a0"])
regions = st.sampled_from(["FR", "IT", "FR-57", "IT-BZ", "FR-974", "US", ""])
strip_lists = st.sampled_from([(), ("9",), ("0",), ("9", "39"), ("",)])


@settings(max_examples=600, deadline=None)
@given(head=heads, tail=tails, gap=gaps, at=st.integers(0, 9), region=regions, strips=strip_lists)
@example(head="390", tail="6123456", gap="", at=0, region="IT", strips=())
@example(head="390", tail="422667", gap="", at=0, region="FR", strips=())
@example(head="39", tail="06698123", gap="", at=0, region="IT", strips=())
@example(head="39", tail="89212345", gap="", at=0, region="IT", strips=())
@example(head="33", tail="612345678", gap="", at=0, region="IT", strips=())
@example(head="0", tail="692123456", gap="", at=0, region="FR", strips=())
@example(head="0", tail="612345678", gap="", at=0, region="FR", strips=("0",))
@example(head="03", tail="311234567", gap="", at=0, region="IT", strips=("0",))
def test_fast_reading_is_the_slow_one(
    head: str, tail: str, gap: str, at: int, region: str, strips: tuple[str, ...]
) -> None:
    digits = head + tail
    dialled = digits[:at] + gap + digits[at:]
    fast = read_fast(dialled, region, strips)
    assert fast is None or fast == read_slowly(dialled, region, strips)


@given(
    country=st.sampled_from(["FR", "IT"]), national=st.text("0123456789", min_size=6, max_size=11)
)
def test_fast_reading_is_what_phonenumbers_says(country: str, national: str) -> None:
    code = {"FR": 33, "IT": 39}[country]
    parsed = phonenumbers.parse(f"+{code}{national}")
    fast = read_fast(f"+{code}{national}", country, ())
    if fast:
        assert phonenumbers.is_valid_number(parsed)
        assert fast.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        assert fast.country == phonenumbers.region_code_for_number(parsed) == country


@pytest.mark.parametrize(
    ("region", "dialled"),
    [
        ("FR", "0612345678"),
        ("FR", "06 12 34 56 78"),
        ("FR", "0142345678"),
        ("FR", "+33612345678"),
        ("FR", "33612345678"),
        ("FR", "0033612345678"),
        ("FR", "+393331234567"),
        ("FR", "00390612345678"),
        ("IT", "3331234567"),
        ("IT", "3281234567"),
        ("IT", "3933312345"),
        ("IT", "0612345678"),
        ("IT", "393331234567"),
        ("IT", "390612345678"),
        ("IT", "+390612345678"),
        ("IT", "+33612345678"),
        ("US", "+33612345678"),
    ],
)
def test_everyday_form_takes_the_short_way(region: str, dialled: str) -> None:
    fast = read_fast(dialled, region, ("9",))
    assert isinstance(fast, Number)
    assert fast == read_slowly(dialled, region, ("9",))


mobiles = st.one_of(
    st.builds("33{}{:08d}".format, st.sampled_from("67"), st.integers(0, 10**8 - 1)),
    st.builds("39{}{:07d}".format, st.integers(320, 399), st.integers(0, 10**7 - 1)),
)


@given(digits=mobiles, region=st.sampled_from(["FR", "IT"]))
def test_every_form_of_a_mobile_is_one_number(digits: str, region: str) -> None:
    assume(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}")))
    assume(digits.startswith("33") == (region == "FR"))
    national = f"0{digits[2:]}" if region == "FR" else digits[2:]
    forms = [f"+{digits}", f"00{digits}", digits, national, f"+ {digits[:2]} {digits[2:]}"]
    # 390… may be a landline with its country code; test_e164.py says what becomes of it.
    assume(not national.startswith("390"))
    answers = {read_fast(form, region, ()) or read_slowly(form, region, ()) for form in forms}
    assert len(answers) == 1
    assert {isinstance(answer, Number) for answer in answers} == {True}
