"""Numbers of long files: read as `read_number` reads them, each one, whatever came before."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.imports.numbers import NumberReader, as_text, why_spoilt
from dialwarden.imports.report import RowFault
from dialwarden.numbers import Unreadable, read_number

FORMS = {
    "FR": ("+33{}", "33{}", "0033{}", "0{}", "{}", "+262{}", "+39{}"),
    "FR-974": ("+262{}", "0{}", "+33{}"),
    "IT": ("+39{}", "39{}", "{}", "0039{}", "+33{}"),
    "": ("+33{}", "+44{}", "+1{}"),
}


@pytest.mark.parametrize("region", FORMS)
def test_a_reader_with_a_memory_reads_as_one_without(region: str) -> None:
    draw = random.Random(region)
    reader = NumberReader(region)
    for form in FORMS[region]:
        # Few blocks and many numbers in each: most are read from memory.
        heads = [f"{draw.randrange(10**4, 10**5)}" for _ in range(25)]
        heads += ["6123", "69212", "69300", "63998", "50812", "32012", "06123", "39032"]
        for _ in range(400):
            text = form.format(draw.choice(heads) + f"{draw.randrange(10**4):04}")
            expected = read_number(text, region=region)
            if isinstance(expected, Unreadable):
                with pytest.raises(RowFault):
                    reader.read(text)
            else:
                assert reader.read(text) == expected.digits, text
    assert reader.trusted


@given(st.text(alphabet="+0123456789 .-()e,x=\"'٣", max_size=20))
def test_any_text_is_digits_or_a_fault(text: str) -> None:
    try:
        found: int | str = NumberReader("FR").read(text)
    except RowFault as fault:
        found = str(fault)
    assert found.isascii() if isinstance(found, str) else found > 0


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("06 12 34 56 78", 33612345678),
        ('="0612345678"', 33612345678),
        ("=0612345678", 33612345678),
        ("'0612345678", 33612345678),
        ("612345678", 33612345678),
        ("90612345678", 33612345678),
        ("0692123456", 262692123456),
    ],
)
def test_what_spreadsheets_and_dialers_write_is_read(text: str, digits: int) -> None:
    assert NumberReader("FR", strips=("9",)).read(text) == digits


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3,36123E+10", "scientific notation: its digits are lost"),
        ("3.36123e10", "scientific notation"),
        ("33612345678.0", "written as a decimal"),
        ("", "the row has no number"),
        ("n/a", "only + 0-9 ( ) . - and blanks make one"),
        ("0612", "too short"),
        ("0612345678901234567", "too long"),
    ],
)
def test_a_fault_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(RowFault) as caught:
        NumberReader("FR").read(text)
    assert told in str(caught.value)


def test_without_a_region_a_national_number_asks_for_one() -> None:
    with pytest.raises(RowFault, match="national numbers need --region"):
        NumberReader("").read("0612345678")


def test_digits_of_other_scripts_are_never_taken_from_memory() -> None:
    reader = NumberReader("FR")
    for tail in ("0001", "0002", "0003"):
        reader.read(f"+3361234{tail}")
    assert reader.trusted
    for tail in ("٠٠٠١", " 001", "1_01", "+001", "-001"):  # noqa: RUF001
        expected = read_number(f"+3361234{tail}", region="FR")
        if isinstance(expected, Unreadable):
            with pytest.raises(RowFault):
                reader.read(f"+3361234{tail}")
        else:
            assert reader.read(f"+3361234{tail}") == expected.digits


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="0612345678"', "0612345678"),
        ("=0612345678", "0612345678"),
        ("'0612345678", "0612345678"),
        ('=" 0612345678 "', "0612345678"),
        ("0612345678", "0612345678"),
        ("", ""),
    ],
)
def test_what_keeps_a_cell_text_is_no_part_of_it(cell: str, text: str) -> None:
    assert as_text(cell) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3,36E+10", "scientific notation"),
        ("6.12E+08", "scientific notation"),
        ("6e8", "scientific notation"),
        ("33612345678.0", "written as a decimal"),
        ("33612345678,00", "written as a decimal"),
        ("06.12.34.56.78", ""),
        ("0612345678", ""),
        ("1E", ""),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_spoilt_is_told(text: str, why: str) -> None:
    assert why in why_spoilt(text)
    assert bool(why) == bool(why_spoilt(text))
