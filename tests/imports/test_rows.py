"""Rows out of lines: delimiters, quotes, blank lines, and the line numbers of all of them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.errors import ImportRefused
from dialwarden.imports.report import BadRow
from dialwarden.imports.rows import (
    OPEN_QUOTE,
    Row,
    delimiter_of,
    find_column,
    kept_rows,
    read_header,
    split_rows,
    widest,
)


def rows(text: str, delimiter: str = ",") -> list[tuple[int, list[str]] | BadRow]:
    found = split_rows(text.split("\n"), delimiter)
    return [(row.line, row.cells) if isinstance(row, Row) else row for row in found]


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("number,professional,at", ","),
        ("number;professional;at", ";"),
        ("number\tprofessional\tat", "\t"),
        ("number|at", "|"),
        ('"a,b,c";"d"', ";"),
        ("number", ","),
        ("", ","),
    ],
)
def test_delimiter_of_a_header(line: str, delimiter: str) -> None:
    assert delimiter_of(line) == delimiter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\nc,d", [(1, ["a", "b"]), (2, ["c", "d"])]),
        (" a , b ", [(1, ["a", "b"])]),
        ("\n\na\n  \n,,\nb\n", [(3, ["a"]), (6, ["b"])]),
        ('"a,1",b', [(1, ["a,1", "b"])]),
        ('"say ""hi""",b', [(1, ['say "hi"', "b"])]),
        ('O"Brien,b', [(1, ['O"Brien', "b"])]),
        ('"a" x,b', [(1, ["a x", "b"])]),
        ('"two\nlines",b\nc', [(1, ["two\nlines", "b"]), (3, ["c"])]),
        ('""', []),
    ],
)
def test_rows_and_their_lines(text: str, expected: list[tuple[int, list[str]]]) -> None:
    assert rows(text) == expected


def test_an_open_quote_costs_one_row_and_no_more() -> None:
    text = 'a\n"b\n' + "\n".join(f"row{n}" for n in range(200))
    found = rows(text)
    assert found[1] == BadRow(2, "a quote that opens here is not closed")
    assert found[2:] == [(n + 3, [f"row{n}"]) for n in range(200)]


@pytest.mark.parametrize("later", ['04,"Rue Bleue"', '"04",x', '04,O"Brien', '04,"x" y'])
def test_an_open_quote_swallows_no_row_whose_quotes_could_close_it(later: str) -> None:
    found = rows(f'01,"Chez Paul\n02,x\n03,y\n{later}\n05,z')
    assert found[0] == BadRow(1, "a quote that opens here is not closed")
    assert [(number, cells[0]) for number, cells in found[1:]] == [
        (2, "02"), (3, "03"), (4, "04"), (5, "05"),
    ]  # fmt: skip


def test_an_open_quote_on_the_last_line_is_a_bad_row() -> None:
    assert rows('a\n"b') == [(1, ["a"]), BadRow(2, "a quote that opens here is not closed")]


def test_a_cell_longer_than_csv_takes_is_a_cell() -> None:
    cell = "x" * 200_000
    assert rows(f'"{cell}",b') == [(1, [f'"{cell}"', "b"])]


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=8))
def test_what_csv_writes_is_read_back(table: list[list[str]]) -> None:
    clean = [
        [cell.replace("\r", " ").replace("\n", " ").replace("\0", " ").strip() for cell in row]
        for row in table
    ]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(clean)
    assert rows(written.getvalue()) == [
        (line, row) for line, row in enumerate(clean, 1) if any(row)
    ]


@given(st.lists(st.text(alphabet='ab",;\n ', max_size=20), max_size=80))
def test_no_line_is_lost_and_none_comes_twice(lines: list[str]) -> None:
    starts = [row.line for row in split_rows(lines, ",")]
    assert starts == sorted(set(starts))
    assert all(1 <= start <= len(lines) for start in starts)


KEPT = [
    # Lines with their ends, and of each row: line, text, end, cells, whether the text is right.
    (["a;b\r\n", "c"], [(1, "a;b", "\r\n", ["a", "b"], True), (2, "c", "", ["c"], True)]),
    ([" a ; b \n"], [(1, " a ; b ", "\n", [" a ", " b "], True)]),
    (["\n", ";\n"], [(1, "", "\n", [""], True), (2, ";", "\n", ["", ""], True)]),
    (['"a;b"\n'], [(1, '"a;b"', "\n", ["a;b"], True)]),
    (
        ['"a\r\n', '""b";c\r\n', "d\n"],
        [(1, '"a\r\n""b";c', "\r\n", ['a\r\n"b', "c"], True), (3, "d", "\n", ["d"], True)],
    ),
    (['"a" b;c\n'], [(1, '"a" b;c', "\n", ["a b", "c"], False)]),
]


@pytest.mark.parametrize(("lines", "expected"), KEPT)
def test_rows_as_they_stand(
    lines: list[str], expected: list[tuple[int, str, str, list[str], bool]]
) -> None:
    assert [tuple(row)[:5] for row in kept_rows(lines, ";")] == expected
    assert not any(row.fault for row in kept_rows(lines, ";"))


def test_an_open_quote_is_kept_as_a_row_and_swallows_none() -> None:
    found = list(kept_rows(['"a;b\n', 'c;"d"\n'], ";"))
    assert found[0] == (1, '"a;b', "\n", ['"a', "b"], False, OPEN_QUOTE)
    assert found[1] == (2, 'c;"d"', "\n", ["c", "d"], True, "")


def test_without_a_delimiter_each_line_is_one_cell() -> None:
    lines = ["a;b,c\n", '"d;e"\n', '"f;g\n']
    assert [row.cells for row in kept_rows(lines, None)] == [["a;b,c"], ["d;e"], ['"f;g']]


@given(
    st.lists(st.text(alphabet='ab",;\n ', max_size=12).map(lambda t: t.replace("\n", "") + "\n"))
)
def test_kept_rows_are_the_rows_that_are_split_and_as_wide_as_is_said(lines: list[str]) -> None:
    kept = list(kept_rows(lines, ","))
    assert "".join(row.text + row.end for row in kept) == "".join(lines)
    assert widest(lines, ",") == max((len(row.cells) for row in kept), default=0)
    stripped = [(row.line, [cell.strip() for cell in row.cells], row.fault) for row in kept]
    split = [
        (row.line, row.cells if isinstance(row, Row) else None)
        for row in split_rows([line[:-1] for line in lines], ",")
    ]
    assert split == [
        (line, None if fault else cells) for line, cells, fault in stripped if fault or any(cells)
    ]


def test_a_missing_cell_is_empty() -> None:
    row = Row(1, ["a"])
    assert (row.cell(0), row.cell(1), row.cell(None)) == ("a", "", "")


def test_columns_are_found_in_any_order_and_case() -> None:
    columns = read_header(
        "f", Row(1, ["At", " NUMBER ".strip(), "x"]), ["number", "at"], ["person"]
    )
    assert (columns["number"], columns["at"], columns["person"]) == (1, 0, None)
    assert columns.unknown == ("x",)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["numbr", "at"], "no column number; its columns are numbr, at (numbr is near)"),
        (["number", "at", "Number"], "has two columns number"),
        (["0612345678"], "has no column number and no column at"),
    ],
)
def test_a_wrong_header_is_told(header: list[str], told: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        read_header("f.csv", Row(3, header), ["number", "at"])
    assert told in str(caught.value)
    assert str(caught.value).startswith("f.csv:3: ")


def test_a_column_by_its_own_name() -> None:
    assert find_column("f", Row(1, ["id", "Téléphone"]), " téléphone ") == 1


def test_the_column_that_was_perhaps_meant_is_told() -> None:
    with pytest.raises(ImportRefused, match=r"no column Telephon; .* \(telephone is near\)"):
        find_column("f", Row(1, ["id", "telephone"]), "Telephon")


@pytest.mark.parametrize(
    ("header", "told"),
    [(["id"], "has no column tel; its columns are id"), (["tel", "TEL"], "name #1 or #2")],
)
def test_a_column_that_is_not_there_once_is_refused(header: list[str], told: str) -> None:
    with pytest.raises(ImportRefused, match=told):
        find_column("f", Row(1, header), "tel")


@pytest.mark.parametrize(
    ("header", "name", "place"),
    [(["tel", "TEL"], "#2", 1), (["tel", "TEL"], "#1", 0), (["a", "#1"], "#1", 1)],
)
def test_a_column_by_its_place(header: list[str], name: str, place: int) -> None:
    assert find_column("f", Row(1, header), name) == place


@pytest.mark.parametrize("name", ["#0", "#3", "#-1", "#"])
def test_a_place_without_a_column_is_refused(name: str) -> None:
    with pytest.raises(ImportRefused, match="has no column #"):
        find_column("f", Row(1, ["tel", "TEL"]), name)
