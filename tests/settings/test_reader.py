"""The strict reader: what it takes, and that every fault is named with its place."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable
from datetime import date

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policy.hours import parse_week
from dialwarden.policy.period import Period
from dialwarden.settings.reader import Table, decode_document, read_document


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


def problems_of(text: str, read: Callable[[Table], object]) -> list[str]:
    document = read_document(text, "f.toml")
    read(document)
    document.finish()
    return [str(problem) for problem in document.problems]


def test_every_kind_of_value_is_read() -> None:
    document = read_document(
        """
text = "x"
whole = 4
yes = true
day = 2026-12-24
quoted_day = "2026-12-25"
days = ["2026-12-26", 2026-12-27]
strings = ["a", "b"]
period = "2 hours"
periods = ["1 day", "48 hours"]
colour = "red"
colours = ["blue"]
hours = { mon-fri = ["10:00-12:00"], sat = [] }
names = { 2026-12-24 = "Christmas Eve" }
inline = [{ max = 1 }, { max = 2 }]
[one.a]
x = 1
[one.b]
[[many]]
x = 1
[[many]]
x = 2
""",
        "f.toml",
    )
    assert document.text("text") == "x"
    assert document.integer("whole", 0, minimum=4, maximum=4) == 4
    assert document.boolean("yes", default=False) is True
    assert document.day("day", None) == date(2026, 12, 24)
    assert document.day("quoted_day", None) == date(2026, 12, 25)
    assert document.days("days") == (date(2026, 12, 26), date(2026, 12, 27))
    assert document.strings("strings") == ("a", "b")
    assert document.parsed("period", Period.parse, None) == Period.parse("2 hours")
    assert document.items("periods", Period.parse) == (Period(1), Period.parse("48 hours"))
    assert document.choice("colour", Colour, Colour.BLUE) is Colour.RED
    assert document.members("colours", Colour) == (Colour.BLUE,)
    assert document.mapping("hours") == {"mon-fri": ("10:00-12:00",), "sat": ()}
    assert document.parsed_mapping("hours", parse_week, None) is not None
    assert document.texts("names") == {"2026-12-24": "Christmas Eve"}
    assert [table.integer("max", 0) for table in document.array("inline")] == [1, 2]
    tables = document.tables("one")
    assert list(tables) == ["a", "b"]
    assert tables["a"].integer("x", 0) == 1
    assert tables["b"].name == "b"
    assert tables["b"].path == "one.b"
    assert [table.integer("x", 0) for table in document.array("many")] == [1, 2]
    document.finish()
    document.check()


def test_what_is_absent_has_its_default_and_is_no_problem() -> None:
    document = read_document("", "f.toml")
    assert document.text("text", "d") == "d"
    assert document.integer("whole", 7) == 7
    assert document.integer("whole", None) is None
    assert document.boolean("yes", default=True) is True
    assert document.day("day", None) is None
    assert document.strings("strings", ("a",)) == ("a",)
    assert document.parsed("period", Period.parse, None) is None
    assert document.choice("colour", Colour, None) is None
    assert document.parsed_mapping("hours", parse_week, None) is None
    assert document.array("many") == []
    table = document.table("one").table("a")
    assert not table.given
    assert table.path == "one.a"
    document.finish()
    document.check()


FAULTS = [
    ("k = 1", lambda t: t.text("k"), "f.toml:1: k: found 1; allowed: a text"),
    (
        'k = "c"',
        lambda t: t.text("k", choices=["a", "b"]),
        'f.toml:1: k: found "c"; allowed: "a" or "b"',
    ),
    ("", lambda t: t.text("k", required=True), "f.toml: k: missing; it has no default"),
    (
        '[t]\n\nk = " "',
        lambda t: t.table("t").text("k", required=True),
        'f.toml:3: t.k: found " "; allowed: a text that is not empty',
    ),
    (
        "[t]",
        lambda t: t.table("t").integer("k", 0, required=True),
        "f.toml:1: t.k: missing; it has no default",
    ),
    ('k = "1"', lambda t: t.integer("k", 0), 'f.toml:1: k: found "1"; allowed: a whole number'),
    ("k = true", lambda t: t.integer("k", 0), "f.toml:1: k: found true; allowed: a whole number"),
    (
        "k = 0",
        lambda t: t.integer("k", 1, minimum=1, maximum=9),
        "f.toml:1: k: found 0; allowed: a whole number from 1 to 9",
    ),
    (
        "k = 10",
        lambda t: t.integer("k", 1, maximum=9),
        "f.toml:1: k: found 10; allowed: a whole number, 9 or less",
    ),
    (
        'k = "yes"',
        lambda t: t.boolean("k", default=True),
        'f.toml:1: k: found "yes"; allowed: true or false, without quotes',
    ),
    (
        "k = 2026-12-24T10:00:00",
        lambda t: t.day("k", None),
        "f.toml:1: k: found 2026-12-24 10:00:00; allowed: a date such as 2026-12-24",
    ),
    (
        'k = "2026-02-30"',
        lambda t: t.day("k", None),
        'f.toml:1: k: found "2026-02-30"; allowed: a date such as 2026-12-24',
    ),
    (
        'k = "20261224"',
        lambda t: t.day("k", None),
        'f.toml:1: k: found "20261224"; allowed: a date such as 2026-12-24',
    ),
    (
        'k = ["2026-12-24",\n 5]',
        lambda t: t.days("k"),
        "f.toml:2: k[2]: found 5; allowed: a date such as 2026-12-24",
    ),
    ('k = "a"', lambda t: t.strings("k"), 'f.toml:1: k: found "a"; allowed: an array of texts'),
    ("k = ['a', 1]", lambda t: t.strings("k"), "f.toml:1: k[2]: found 1; allowed: a text"),
    (
        'k = "1 week"',
        lambda t: t.parsed("k", Period.parse, None),
        'f.toml:1: k: \'1 week\' is no period; write "30 days", "48 hours" or "90 minutes"',
    ),
    (
        "k = 30",
        lambda t: t.parsed("k", Period.parse, None),
        "f.toml:1: k: found 30; allowed: a text in quotes",
    ),
    (
        "k = [\n# first\n'x',\n'1 day' ]",
        lambda t: t.items("k", Period.parse),
        'f.toml:3: k[1]: \'x\' is no period; write "30 days", "48 hours" or "90 minutes"',
    ),
    (
        'k = "green"',
        lambda t: t.choice("k", Colour, None),
        'f.toml:1: k: found "green"; allowed: "red" or "blue"',
    ),
    (
        'k = ["green"]',
        lambda t: t.members("k", Colour),
        'f.toml:1: k[1]: found "green"; allowed: "red" or "blue"',
    ),
    (
        "[k]\nmon = '1'",
        lambda t: t.mapping("k"),
        'f.toml:2: k.mon: found "1"; allowed: an array of texts',
    ),
    (
        "[k]\nmo = []",
        lambda t: t.parsed_mapping("k", parse_week, None),
        "f.toml:1: k: 'mo' is no day; write mon … sun or a range such as mon-fri",
    ),
    ("k = 1", lambda t: t.table("k"), "f.toml:1: k: found 1; allowed: a table"),
    ("[k]\na = 1", lambda t: t.tables("k"), "f.toml:2: k.a: found 1; allowed: a table"),
    ("[k]", lambda t: t.array("k"), "f.toml:1: k: found a table; allowed: an array of tables"),
    ("k = [1]", lambda t: t.array("k"), "f.toml:1: k[1]: found 1; allowed: a table"),
    (
        "k = []",
        lambda t: t.array("k", required=True),
        "f.toml:1: k: found an empty array; allowed: at least one table",
    ),
    (
        "listn = 1",
        lambda t: (t.text("listen"), t.text("path")),
        "f.toml:1: listn: unknown key; did you mean listen?; allowed: listen, path",
    ),
    ("x = 1", lambda t: None, "f.toml:1: x: unknown key; none is allowed"),
    (
        "[[r]]\n[[r]]\n[r.c]\nmx = 1",
        lambda t: [r.table("c").integer("max", 0) for r in t.array("r")],
        "f.toml:4: r[2].c.mx: unknown key; did you mean max?; allowed: max",
    ),
    ("[t]\n'a b' = 1", lambda t: t.table("t"), 'f.toml:2: t."a b": unknown key; none is allowed'),
    (
        'k = "a\\nb"',
        lambda t: t.text("k", choices=["a"]),
        'f.toml:1: k: found "a\\nb"; allowed: "a"',
    ),
]


@pytest.mark.parametrize(("text", "read", "problem"), FAULTS)
def test_fault_is_told_with_its_place(
    text: str, read: Callable[[Table], object], problem: str
) -> None:
    assert problems_of(text, read) == [problem]


def test_all_faults_are_told_at_once_in_the_order_of_the_lines() -> None:
    document = read_document("a = 1\nb = 2\nc = 3", "f.toml")
    document.text("b")
    document.text("a")
    document.finish()
    with pytest.raises(SettingsError) as refused:
        document.check()
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]
    assert str(refused.value).count("\n") == 2


def test_fault_told_twice_is_one_problem() -> None:
    document = read_document("a = 1", "f.toml")
    document.text("a")
    document.text("a")
    assert len(document.problems) == 1


def test_fault_found_later_has_its_line() -> None:
    document = read_document("[t]\na = 1", "f.toml")
    document.table("t").problem("a", "too few")
    document.problem("", "of the whole")
    assert [str(p) for p in document.problems] == ["f.toml: of the whole", "f.toml:2: t.a: too few"]


def test_table_asked_for_again_is_the_same() -> None:
    document = read_document("[t]\na = 1", "f.toml")
    document.table("t").integer("a", 0)
    assert document.table("t") is document.table("t")
    document.finish()
    document.check()


def test_table_of_a_wrong_kind_is_one_problem() -> None:
    document = read_document("t = 1", "f.toml")
    document.table("t").table("u").text("k", required=True)
    document.finish()
    assert [str(p) for p in document.problems] == ["f.toml:1: t: found 1; allowed: a table"]


def test_secret_is_never_shown() -> None:
    document = read_document("secret = 12345678", "f.toml")
    document.text("secret", secret=True)
    assert "12345678" not in str(document.problems[0])


def test_table_read_from_an_absent_one_is_told_at_what_is_there() -> None:
    document = read_document("\n[t]", "f.toml")
    document.table("t").table("u").text("k", required=True)
    assert str(document.problems[0]) == "f.toml:2: t.u.k: missing; it has no default"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb =", "f.toml:2: no TOML, at the end of the file: "),
        ("a = 1\na = 2\n", "f.toml:2: no TOML, column 6: "),
        ("a = 1\n\nb = zz\n", "f.toml:3: no TOML, column 5: "),
        ("x = " + "[" * 9999, "f.toml: no TOML: "),
        ("x = " + "9" * 9999, "f.toml: no TOML: "),
    ],
)
def test_text_that_is_no_toml_is_told_with_its_line(text: str, place: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_document(text, "f.toml")
    assert str(refused.value).startswith(place)


def test_bytes_that_are_no_utf8_are_told_with_their_line() -> None:
    with pytest.raises(SettingsError, match=r"^f\.toml:2: found the byte 0xe9"):
        decode_document("a = 1\nb = 'é'".encode("latin-1"), "f.toml")


def test_byte_order_mark_is_dropped() -> None:
    assert tomllib.loads(decode_document(b"\xef\xbb\xbfa = 1", "f.toml")) == {"a": 1}
