"""Asterisk's patterns, by table and against the algorithm of its main/pbx.c, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.numbers import compile_pattern

MATCHES = [
    # pattern, number, whether it matches
    ("_1XX", "112", True),
    ("_1XX", "199", True),
    ("_1XX", "11", False),
    ("_1XX", "1120", False),
    ("_1XX", "212", False),
    ("_1XX", "1-12", True),
    ("_1xx", "112", True),
    ("_NXX", "200", True),
    ("_NXX", "100", False),
    ("_nxx", "999", True),
    ("_ZXX", "100", True),
    ("_ZXX", "012", False),
    ("_zX", "01", False),
    ("_X.", "1", False),
    ("_X.", "12", True),
    ("_X.", "0612345678", True),
    ("_X.", "1abc", True),
    ("_X.", "1\n2", True),
    ("_X.", "1-", False),
    ("_X!", "1", True),
    ("_X!", "12345", True),
    ("_X!", "", False),
    ("_.", "1", True),
    ("_.", "", False),
    ("_!", "", True),
    ("_[1-5]!", "3", True),
    ("_[1-5]!", "3999", True),
    ("_[1-5]!", "6", False),
    ("_[1-36]X", "35", True),
    ("_[1-36]X", "65", True),
    ("_[1-36]X", "45", False),
    ("_[135]", "3", True),
    ("_[-5]", "5", True),
    ("_[5-]", "5", True),
    ("_[^5]", "6", False),
    ("_[^5]", "5", True),
    ("_+33X.", "+33612345678", True),
    ("_+33X.", "33612345678", False),
    ("_0[67]XXXXXXXX", "0612345678", True),
    ("_0[67]XXXXXXXX", "0512345678", False),
    ("_0-6-XX", "0612", True),
    ("_*XX", "*98", True),
    ("_*XX", "098", False),
    ("_X", "\u0661", False),
    ("3949", "3949", True),
    ("39-49", "3949", True),
    ("3949", "39-49", True),
    ("3949", "39490", False),
    ("3949", "394", False),
    ("1XX", "112", False),
    ("1XX", "1XX", True),
    ("+33140", "+33140", True),
    ("1.", "12", False),
    ("1.", "1.", True),
]


@pytest.mark.parametrize(("pattern", "number", "expected"), MATCHES)
def test_pattern_matches_as_asterisk_does(pattern: str, number: str, expected: bool) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.matches(number) is expected
    assert compiled.text == pattern


WRONG = [
    ("", "is empty"),
    ("_", "is empty"),
    ("_-", "is empty"),
    ("--", "is empty"),
    ("_[12", "has a [ without its ]"),
    ("_[]X", "has an empty set"),
    ("_[5-1]X", "has a range backwards, 5-1"),
    ("_1.X", "goes on after '.'"),
    ("_1!X", "goes on after '!'"),
    ("_1..", "goes on after '.'"),
    ("_1]", "holds a ] without its ["),
    ("_1XX/0612", "holds a caller id"),
    ("_1\\X", "holds a backslash"),
    ("_[\\1]", "holds a backslash"),
    ("_1 XX", "holds a blank"),
    ("1\n", "holds a blank"),
]


@pytest.mark.parametrize(("pattern", "sentence"), WRONG)
def test_wrong_pattern_says_what_is_wrong(pattern: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^pattern ") as caught:
        compile_pattern(pattern)
    assert sentence in str(caught.value)
    assert repr(pattern) in str(caught.value)


def asterisk_matches(pattern: str, number: str) -> bool:
    """Asterisk's walk over pattern and number side by side (exact mode)."""
    if not pattern.startswith("_"):
        return pattern.replace("-", "") == number.replace("-", "")
    left, right = 1, 0
    while True:
        while right < len(number) and number[right] == "-":
            right += 1
        while left < len(pattern) and pattern[left] == "-":
            left += 1
        if right >= len(number) or left >= len(pattern):
            break
        letter, digit = pattern[left], number[right]
        if letter == "[":
            left += 1
            end = pattern.index("]", left)
            while left < end:
                if left + 2 < end and pattern[left + 1] == "-":
                    if pattern[left] <= digit <= pattern[left + 2]:
                        break
                    left += 3
                elif pattern[left] == digit:
                    break
                else:
                    left += 1
            if left >= end:
                return False
            left = end
        elif letter in ".!":
            return True
        elif letter.upper() in "XZN":
            if not {"X": "0", "Z": "1", "N": "2"}[letter.upper()] <= digit <= "9":
                return False
        elif letter != digit:
            return False
        left, right = left + 1, right + 1
    if right < len(number):
        return False
    return left >= len(pattern) or pattern[left] == "!"


elements = st.one_of(
    st.sampled_from(["X", "x", "Z", "N", "-", "+", "*", "#", "0", "1", "5", "9", "A"]),
    st.builds("[{}]".format, st.text(alphabet="0123459^", min_size=1, max_size=3)),
    st.sampled_from(["[1-5]", "[2-46-8]", "[-5]", "[5-]", "[0-9*]", "[1-1]"]),
)
patterns = st.builds(
    lambda head, parts, end: head + "".join(parts) + end,
    st.sampled_from(["_", "_", "_", ""]),
    st.lists(elements, min_size=1, max_size=6),
    st.sampled_from(["", ".", "!"]),
).filter(lambda pattern: pattern.strip("_-"))
numbers = st.text(alphabet="0123456789-+*#A", max_size=8)


@settings(max_examples=400, deadline=None)
@given(pattern=patterns, number=numbers)
def test_every_pattern_matches_as_the_walk_says(pattern: str, number: str) -> None:
    assert compile_pattern(pattern).matches(number) == asterisk_matches(pattern, number)


@given(text=st.text(max_size=12))
def test_any_text_is_a_pattern_or_a_value_error(text: str) -> None:
    try:
        pattern = compile_pattern(text)
    except ValueError as wrong:
        sentence = str(wrong)
    else:
        sentence = ""
        assert pattern.matches(text) or text.startswith("_")
    assert sentence == "" or sentence.startswith(f"pattern {text!r} ")
