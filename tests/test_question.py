"""The words of a question: a claim that cannot be read is no exemption."""

from __future__ import annotations

from datetime import date

import pytest

from dialwarden.question import Bond, QuestionError, Relationship


@pytest.mark.parametrize(
    ("text", "bond", "since"),
    [
        ("contract", Bond.CONTRACT, None),
        (" Contract ", Bond.CONTRACT, None),
        ("press", Bond.PRESS, None),
        ("ended:2026-10-30", Bond.ENDED, date(2026, 10, 30)),
        ("ENDED: 2026-10-30", Bond.ENDED, date(2026, 10, 30)),
        ("request:2026-02-28", Bond.REQUEST, date(2026, 2, 28)),
    ],
)
def test_a_relationship_is_read(text: str, bond: Bond, since: date | None) -> None:
    assert Relationship.parse(text) == Relationship(bond, since)


def test_no_words_are_no_relationship() -> None:
    assert Relationship.parse("") is None


@pytest.mark.parametrize(
    "text",
    ["friend", "contract:2026-10-30", "contract:", "ended", "ended:", "ended:yesterday",
     "ended:2026-02-30", "ended:20261030", "ended:2026-W44-5", "ended:2026-10-30T10:00",
     "request", "press:2026-10-30", ":2026-10-30", " "],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_what_may_be_given(text: str) -> None:
    with pytest.raises(QuestionError) as caught:
        Relationship.parse(text)
    assert caught.value.key == "relationship"
    assert caught.value.found == text
    assert "ended:YYYY-MM-DD" in caught.value.allowed
