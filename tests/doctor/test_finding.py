"""Items become a finding: the worst counts, and a check that fails is no end."""

from __future__ import annotations

from collections.abc import Iterator

from dialwarden.doctor.finding import Check, Item, Status, conclude, failure, note, ok, warning

ITEMS = (ok("fine"), warning("odd", "look", "b"), note("by the way"), failure("gone", "mend", "a"),
         failure("lost", "find", "c"))  # fmt: skip


def test_the_worst_item_is_the_finding() -> None:
    found = conclude(Check("x.y", lambda _: ITEMS), None, ())
    assert (found.check, found.status, found.summary) == (
        "x.y",
        Status.FAILURE,
        "gone (and 1 more)",
    )
    assert (found.do, found.doc) == ("mend", "docs/doctor.md#x")
    assert [one.says for one in found.items] == ["gone", "lost", "odd", "by the way"]


def test_what_is_green_is_told_once() -> None:
    found = conclude(Check("x", lambda _: [ok("one"), ok("two")]), None, ())
    assert (found.status, found.summary) == (Status.OK, "one")


def test_what_is_accepted_by_name_leaves_the_rest() -> None:
    found = conclude(Check("x", lambda _: ITEMS), None, {"x:a", "x:c"})
    assert (found.status, found.summary) == (Status.WARNING, "odd")
    assert found.items[-1].do == ""


def test_a_check_that_fails_is_told_and_harms_no_other() -> None:
    def broken(_: None) -> Iterator[Item]:
        yield ok("so far")
        raise KeyError("columns")

    found = conclude(Check("x", broken), None, ())
    assert found.status is Status.UNKNOWN
    assert "KeyError('columns')" in found.summary
    assert "fault in dialwarden" in found.do
