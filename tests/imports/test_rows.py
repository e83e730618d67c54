"""Rows out of lines: delimiters, quotes, blank lines, and the line numbers of all of them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.errors import ImportRefused
from dialwarden.imports.report import BadRow
from dialwarden.imports.rows import Row, delimiter_of, find_column, read_header, split_rows


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


@pytest.mark.parametrize("header", [["id"], ["tel", "TEL"]])
def test_a_column_that_is_not_there_once_is_refused(header: list[str]) -> None:
    with pytest.raises(ImportRefused, match="tel; its columns are"):
        find_column("f", Row(1, header), "tel")
