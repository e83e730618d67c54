"""Numbers as dialled: every form that dialers, spreadsheets and people write."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialwarden.numbers import Number, Unreadable, read_number

FORMS = [
    # region, dialled, strips, E.164, country
    ("FR", "+33612345678", (), 33612345678, "FR"),
    ("FR", "33612345678", (), 33612345678, "FR"),
    ("FR", "0033612345678", (), 33612345678, "FR"),
    ("FR", "0612345678", (), 33612345678, "FR"),
    ("FR", "06 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "06.12.34.56.78", (), 33612345678, "FR"),
    ("FR", "06-12-34-56-78", (), 33612345678, "FR"),
    ("FR", "\t06\u00a012\u202f34\u200956\u200778 ", (), 33612345678, "FR"),
    ("FR", "(06) 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "+33 (0)6 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "+33(0)612345678", (), 33612345678, "FR"),
    ("FR", "+330612345678", (), 33612345678, "FR"),
    ("FR", "0033 (0) 6 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "33 (0)6 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "(+33) 6 12 34 56 78", (), 33612345678, "FR"),
    ("FR", "(0)6 12 34 56 78", (), 33612345678, "FR"),
    ("FR-57", "0387123456", (), 33387123456, "FR"),
    ("fr", "0612345678", (), 33612345678, "FR"),
    # The 0 that a spreadsheet swallowed, where no country code explains what is left.
    ("FR", "612345678", (), 33612345678, "FR"),
    # Numbers for fiction are valid in no metadata, and possible.
    ("FR", "0639980101", (), 33639980101, "FR"),
    ("FR", "+33639980101", (), 33639980101, "FR"),
    ("FR", "33639980101", (), 33639980101, "FR"),
    ("FR-974", "0639980101", (), 33639980101, "FR"),
    ("FR", "+447700900123", (), 447700900123, "GB"),
    # From France abroad.
    ("FR", "+39 333 123 4567", (), 393331234567, "IT"),
    ("FR", "0039 06 1234 5678", (), 390612345678, "IT"),
    ("FR", "393331234567", (), 393331234567, "IT"),
    ("FR", "12125551234", (), 12125551234, "US"),
    # Italy: no trunk prefix, the 0 of a landline is part of it.
    ("IT", "3331234567", (), 393331234567, "IT"),
    ("IT", "333 1234567", (), 393331234567, "IT"),
    ("IT", "393331234567", (), 393331234567, "IT"),
    ("IT", "+393331234567", (), 393331234567, "IT"),
    ("IT", "00393331234567", (), 393331234567, "IT"),
    ("IT", "0612345678", (), 390612345678, "IT"),
    ("IT", "06 1234.5678", (), 390612345678, "IT"),
    ("IT", "390612345678", (), 390612345678, "IT"),
    ("IT-BZ", "0471 123456", (), 390471123456, "IT"),
    # 39 in front: the country, or the mobiles 390-399, by the length.
    ("IT", "3933312345", (), 393933312345, "IT"),
    ("IT", "39333123456", (), 39333123456, "IT"),
    # A national mobile that is also a Belgian or Hungarian number without its +.
    ("IT", "3281234567", (), 393281234567, "IT"),
    ("IT", "3661234567", (), 393661234567, "IT"),
    ("IT", "33612345678", (), 33612345678, "FR"),
    # The bracketed 0 stays in a landline and goes before a mobile.
    ("IT", "+39 (0)6 12345678", (), 390612345678, "IT"),
    ("IT", "+39 (0)333 1234567", (), 393331234567, "IT"),
    ("IT", "+3906698123", (), 3906698123, "VA"),
    # Other homes: their own international prefix, and 00.
    ("US", "011 39 333 1234567", (), 393331234567, "IT"),
    ("US", "0039 333 1234567", (), 393331234567, "IT"),
    ("US", "2125551234", (), 12125551234, "US"),
    ("US", "(212) 555-1234", (), 12125551234, "US"),
    # Florida, also Singapore without its +.
    ("US", "6562345678", (), 16562345678, "US"),
    ("US", "12125551234", (), 12125551234, "US"),
    ("ES", "612345678", (), 34612345678, "ES"),
    ("GB", "020 7946 0018", (), 442079460018, "GB"),
    # No home: the international forms only.
    ("", "+33612345678", (), 33612345678, "FR"),
    ("XX", "0033612345678", (), 33612345678, "FR"),
    # A trunk's strip.
    ("FR", "90612345678", ("9",), 33612345678, "FR"),
    ("FR", "9 06 12 34 56 78", ("9",), 33612345678, "FR"),
    ("FR", "90033612345678", ("9",), 33612345678, "FR"),
    ("FR", "933612345678", ("9",), 33612345678, "FR"),
    ("FR", "9+33612345678", ("9",), 33612345678, "FR"),
    ("FR", "9+33 (0)6 12 34 56 78", ("9",), 33612345678, "FR"),
    ("FR", "990612345678", ("9", "99"), 33612345678, "FR"),
    ("FR", "0612345678", ("9",), 33612345678, "FR"),
    ("FR", "0612345678", ("0",), 33612345678, "FR"),
    ("FR", "0612345678", ("",), 33612345678, "FR"),
    ("FR", "+33612345678", ("3", "33"), 33612345678, "FR"),
    ("IT", "93331234567", ("9",), 393331234567, "IT"),
    ("IT", "0612345678", ("0",), 390612345678, "IT"),
    # Both merely possible: the trunk does put its strip in front.
    ("IT", "93001234567", ("9",), 393001234567, "IT"),
]


@pytest.mark.parametrize(("region", "dialled", "strips", "digits", "country"), FORMS)
def test_form_is_read(
    region: str, dialled: str, strips: tuple[str, ...], digits: int, country: str
) -> None:
    number = read_number(dialled, region=region, strips=strips)
    assert isinstance(number, Number), number
    assert (number.digits, number.country) == (digits, country)
    assert number.places


OVERSEAS = [
    # national, E.164, country
    ("0692123456", 262692123456, "RE"),
    ("0693012345", 262693012345, "RE"),
    ("0262123456", 262262123456, "RE"),
    ("0263012345", 262263012345, "RE"),
    ("0269601234", 262269601234, "YT"),
    ("0639012345", 262639012345, "YT"),
    ("0639123456", 262639123456, "YT"),
    ("0690123456", 590690123456, "GP"),
    ("0590201234", 590590201234, "GP"),
    ("0694201234", 594694201234, "GF"),
    ("0594201234", 594594201234, "GF"),
    ("0696123456", 596696123456, "MQ"),
    ("0697123456", 596697123456, "MQ"),
    ("0596301234", 596596301234, "MQ"),
    ("0508411234", 508411234, "PM"),
    ("0947812345", 262947812345, "YT"),
    ("0947512345", 590947512345, "GP"),
    ("0976221234", 262976221234, "RE"),
]


@pytest.mark.parametrize(("national", "digits", "country"), OVERSEAS)
@pytest.mark.parametrize("region", ["FR", "FR-974", "MQ"])
def test_overseas_number_is_never_plus_33(
    region: str, national: str, digits: int, country: str
) -> None:
    """Edge case 38: however it is written, and from wherever in the plan."""
    spellings = [national, f"+33{national[1:]}", f"33{national[1:]}", f"0033 {national[1:]}"]
    spellings += [f"+33 (0){national[1:]}", f"+{digits}", f"00{digits}", f"9{national}"]
    for spelling in spellings:
        number = read_number(spelling, region=region, strips=("9",))
        assert isinstance(number, Number), (spelling, number)
        assert (number.digits, number.country) == (digits, country), spelling


@pytest.mark.parametrize("dialled", ["0612345678", "+262612345678", "0262612345678 "])
def test_mainland_mobile_dialled_overseas_is_plus_33(dialled: str) -> None:
    number = read_number(dialled, region="FR-974")
    if dialled.startswith("0262"):
        # Thirteen digits behind a trunk 0 are no number of the plan.
        assert isinstance(number, Unreadable)
    else:
        assert isinstance(number, Number)
        assert number.e164 == "+33612345678"


def test_freephone_stays_with_the_code_it_is_dialled_from() -> None:
    """08 numbers exist under every code of the plan, and are not the same service."""
    here = read_number("0800123456", region="FR")
    there = read_number("0800123456", region="FR-974")
    assert isinstance(here, Number)
    assert isinstance(there, Number)
    assert (here.e164, there.e164) == ("+33800123456", "+262800123456")


REFUSED = [
    # region, dialled, strips, code
    ("FR", "", (), "empty"),
    ("FR", " - ", (), "empty"),
    ("FR", "+", (), "empty"),
    ("FR", "()", (), "empty"),
    ("FR", "0612345678;ext=5", (), "characters"),
    ("FR", "0612345678x12", (), "characters"),
    ("FR", "0612345678 ext. 12", (), "characters"),
    ("FR", "0612,345678", (), "characters"),
    ("FR", "0612/345678", (), "characters"),
    ("FR", "tel:+33612345678", (), "characters"),
    ("FR", "+33612345678;phone-context=+33", (), "characters"),
    ("US", "1-800-FLOWERS", (), "characters"),
    ("FR", "06l2345678", (), "characters"),
    ("FR", "*0612345678", (), "characters"),
    ("FR", "0612345678#", (), "characters"),
    ("FR", "0612345678&0612345679", (), "characters"),
    ("FR", "0612345678@carrier", (), "characters"),
    ("FR", "0612345678\n", (), "characters"),
    ("FR", "0612345678\x00", (), "characters"),
    ("FR", "\u202a+33612345678\u202c", (), "characters"),
    ("FR", "\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", (), "characters"),
    ("FR", "\u0660\u0666\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", (), "characters"),
    ("FR", "\uff0b33612345678", (), "characters"),
    ("FR", "06\u201112345678", (), "characters"),
    ("FR", "\ud800612345678", (), "characters"),
    ("FR", "06+12345678", (), "characters"),
    ("FR", "++33612345678", (), "characters"),
    ("FR", "33612345678+", (), "characters"),
    ("FR", "8+33612345678", ("9",), "characters"),
    ("FR", "+9+33612345678", ("9",), "characters"),
    ("FR", "112", (), "too_short"),
    ("FR", "3949", (), "too_short"),
    # Whom this names depends on the area it is dialled in.
    ("US", "5551234", (), "too_short"),
    ("FR", "061234567", (), "too_short"),
    ("FR", "+3361234567", (), "too_short"),
    ("FR", "+33061234567", (), "too_short"),
    ("IT", "12345", (), "too_short"),
    ("FR", "06123456789", (), "too_long"),
    ("FR", "+336123456789", (), "too_long"),
    ("FR", "+4930123456789012", (), "too_long"),
    # A digit or two too many where the plan has no fixed length; without them it is a callee.
    ("IT", "+3933312345678", (), "too_long"),
    ("IT", "333123456789", (), "too_long"),
    ("FR", "0" * 65, (), "too_long"),
    ("FR", "9" * 100_000, ("9",), "too_long"),
    ("FR", "+999612345678", (), "impossible"),
    ("FR", "+0612345678", (), "impossible"),
    ("FR", "+999 (0)612345678", (), "impossible"),
    ("FR", "000612345678", (), "impossible"),
    ("US", "+1 000 000 0000", (), "impossible"),
    # The mobile 390 612 3456, or Rome 06 123456 with its 39.
    ("IT", "3906123456", (), "ambiguous"),
    # The landline 0331 123 4567 of Varese, or the mobile 331 123 4567.
    ("IT", "+39 (0)331 1234567", (), "ambiguous"),
    # A French mobile without its 0, or New Caledonia without its +.
    ("FR", "687751234", (), "ambiguous"),
    # The same, with a trunk that takes 39 off: Rome for sure behind it, not before.
    ("IT", "3906123456", ("39",), "ambiguous"),
    # Varese, or behind a strip of 0 a mobile.
    ("IT", "03311234567", ("0",), "ambiguous"),
    # Behind a strip of 0 a French mobile; as it is, New Caledonia behind 00.
    ("FR", "00687751234", ("0",), "ambiguous"),
    # A strip that no trunk is known to take: Afghanistan without its +, or nobody in Italy.
    ("IT", "93331234567", (), "ambiguous"),
    ("FR", "+80012345678", (), "no_zone"),
    ("FR", "+883510012345", (), "no_zone"),
    ("", "0612345678", (), "too_short"),
]


@pytest.mark.parametrize(("region", "dialled", "strips", "code"), REFUSED)
def test_what_is_no_number_says_why(
    region: str, dialled: str, strips: tuple[str, ...], code: str
) -> None:
    refused = read_number(dialled, region=region, strips=strips)
    assert isinstance(refused, Unreadable), refused
    assert refused.code == code
    assert refused.detail


def test_odd_character_is_named_and_never_repeated() -> None:
    refused = read_number("06\x1b[31m12345678", region="FR")
    assert refused == Unreadable("characters", "U+001B unnamed, character 3")
    refused = read_number("06 12;345678", region="FR")
    assert refused == Unreadable("characters", "U+003B SEMICOLON, character 6")


def test_ambiguity_names_both_readings_without_the_number() -> None:
    refused = read_number("687751234", region="FR")
    assert refused == Unreadable(
        "ambiguous", "+687 written without its +, or a national number of +33"
    )


def test_answer_is_the_same_the_second_time() -> None:
    first = read_number("0692123456", region="FR", strips=["9"])
    assert first == read_number("0692123456", region="FR", strips=["9"])
    # The memory is by region too: the same digits are another number elsewhere.
    assert first != read_number("0692123456", region="IT", strips=["9"])


regions = st.sampled_from(["FR", "IT", "FR-974", "FR-PM", "US", "ES", "BR", "", "\u00e9"])
strip_lists = st.lists(st.sampled_from(["9", "0", "00", "33", ""]), max_size=2)


@given(dialled=st.text(max_size=80), region=regions | st.text(), strips=strip_lists)
def test_any_text_gives_a_number_or_a_reason(dialled: str, region: str, strips: list[str]) -> None:
    answer = read_number(dialled, region=region, strips=strips)
    assert isinstance(answer, Number | Unreadable)


numberish = st.text(alphabet="+0123456789().- ", min_size=1, max_size=22)


@given(dialled=numberish, region=regions, strips=strip_lists)
def test_what_is_read_is_a_possible_number_somewhere(
    dialled: str, region: str, strips: list[str]
) -> None:
    answer = read_number(dialled, region=region, strips=strips)
    if isinstance(answer, Number):
        assert len(str(answer.digits)) <= 15
        assert answer.places
        assert phonenumbers.is_possible_number(phonenumbers.parse(answer.e164))
        # E.164 is a fixed point: what was read once is read so again, from anywhere.
        assert read_number(answer.e164, region=region) == answer
        assert read_number(answer.e164, region="GB") == answer
    else:
        assert answer.detail.isascii()


codes = st.sampled_from([33, 39, 34, 351, 44, 49, 1, 7, 61, 55, 262, 590, 225])


@given(code=codes, national=st.integers(min_value=10**5, max_value=10**11))
@example(code=39, national=32000000000)
def test_e164_is_read_as_phonenumbers_reads_it(code: int, national: int) -> None:
    number = phonenumbers.parse(f"+{code}{national}")
    answer = read_number(f"+{code}{national}", region="FR")
    if not phonenumbers.is_possible_number(number):
        assert isinstance(answer, Unreadable)
    elif phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.VOICEMAIL:
        # An Italian mobile with a digit more is its voice mail: nobody to call.
        assert isinstance(answer, Unreadable)
    elif phonenumbers.is_valid_number(number) and code not in (33, 262, 590):
        # The French plan moves some of its own: test_french.py.
        assert isinstance(answer, Number)
        assert answer.e164 == phonenumbers.format_number(
            number, phonenumbers.PhoneNumberFormat.E164
        )
        assert answer.country == phonenumbers.region_code_for_number(number)
