"""List files as registers, dialers and spreadsheets write them."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from dialwarden.errors import ImportRefused
from dialwarden.imports.lists import ListContents, read_list
from dialwarden.imports.numbers import NumberReader
from dialwarden.imports.report import Report
from dialwarden.ledger.list_body import Body

A, B, C = 33612345678, 33612345679, 33145678901
TODAY = date(2026, 11, 21)


def read(
    tmp_path: Path, data: str | bytes, column: str | None = None
) -> tuple[ListContents, Report]:
    path = tmp_path / "list.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    report = Report(str(path))
    return read_list(path, NumberReader("FR"), report, column=column, today=TODAY), report


@pytest.mark.parametrize(
    "data",
    [
        "+33612345678\n0145678901\n",
        "+33612345678\r\n0145678901",
        "\n\n33612345678\n\n01 45 67 89 01\n\n",
        '"+33612345678"\n"0145678901"\n',
        "0612345678;\n0145678901;\n",
        "number\n+33612345678\n0145678901\n",
        "\ufeffNumber\n+33612345678\n0145678901\n",
        "id,number,name\n1,+33612345678,Jean\n2,0145678901,\n",
        "id;number\n1;+33612345678\n2;0145678901\n",
        "number\tname\n+33612345678\tJean\n0145678901\tMarie\n",
        'number,name\n"+33612345678","Dupont, Jean"\n0145678901,"two\nlines"\n',
        "name,number\nHélène,+33612345678\nZoé,0145678901\n".encode("latin-1"),
        "number\n+33612345678\n0145678901\n".encode("utf-16"),
        gzip.compress(b"+33612345678\n0145678901\n", mtime=0),
        '="0612345678"\n="0145678901"\n',
    ],
)
def test_two_numbers_in_any_dress(tmp_path: Path, data: str | bytes) -> None:
    contents, report = read(tmp_path, data)
    assert list(contents.numbers) == [C, A]
    assert (report.rows, report.added, report.bad, report.duplicates) == (2, 2, 0, 0)
    assert contents.since is None


@pytest.mark.parametrize("data", ["", "\n\n \n", "number\n", "number,since\n", "\ufeff"])
def test_an_empty_file_is_an_empty_list(tmp_path: Path, data: str) -> None:
    contents, report = read(tmp_path, data)
    assert len(contents.numbers) == 0
    assert (report.rows, report.bad) == (0, 0)


def test_a_column_by_another_name(tmp_path: Path) -> None:
    contents, _ = read(tmp_path, "id,Téléphone\n0612345679,0612345678\n", column="téléphone")
    assert list(contents.numbers) == [A]


@pytest.mark.parametrize(
    ("data", "column", "told"),
    [
        ("telephone\n0612345678\n", None, "has no column number; its first row is telephone"),
        ("id,tel\n1,0612345678\n", None, "name the column with --column"),
        ("0612345678,Jean\n", None, "has no column number"),
        ("id,tel\n", "phone", "has no column phone; its columns are id, tel"),
        ('"number\n', None, "a quote that opens here is not closed"),
    ],
)
def test_a_file_of_another_form_is_refused(
    tmp_path: Path, data: str, column: str | None, told: str
) -> None:
    with pytest.raises(ImportRefused) as caught:
        read(tmp_path, data, column)
    assert told in str(caught.value)


def test_bad_rows_are_told_by_their_lines_and_the_rest_goes_in(tmp_path: Path) -> None:
    contents, report = read(tmp_path, "0612345678\nabc\n\n3,36123E+10\n0612345678\n0612345679\n")
    assert list(contents.numbers) == [A, B]
    assert [row.line for row in report.bad_rows] == [2, 4]
    assert (report.rows, report.added, report.duplicates, report.bad) == (5, 2, 1, 2)


def test_a_first_line_that_is_a_broken_number_is_a_bad_row_not_a_header(tmp_path: Path) -> None:
    contents, report = read(tmp_path, "3,36E+10\n0612345678\n")
    assert list(contents.numbers) == [A]
    assert [row.line for row in report.bad_rows] == [1]


def test_line_numbers_count_quoted_line_ends(tmp_path: Path) -> None:
    _, report = read(tmp_path, 'number,name\n0612345678,"a\nb"\nabc,c\n')
    assert [row.line for row in report.bad_rows] == [4]


def days(contents: ListContents) -> dict[int, date | None]:
    body = Body(contents.numbers, contents.since)
    return {number: body.day_of(number) for number in contents.numbers}


def test_dates_since_when(tmp_path: Path) -> None:
    contents, _ = read(
        tmp_path,
        "number,since\n0612345679,2026-05-02\n0612345678,24/12/2025\n0145678901,\n",
    )
    assert days(contents) == {A: date(2025, 12, 24), B: date(2026, 5, 2), C: None}


def test_of_two_dates_the_later_holds_and_of_one_and_none_none(tmp_path: Path) -> None:
    contents, _ = read(
        tmp_path,
        "number,since\n0612345678,2026-05-02\n+33612345678,2026-01-01\n"
        "0612345679,2026-05-02\n0612345679,\n",
    )
    assert days(contents) == {A: date(2026, 5, 2), B: None}


def test_a_date_of_an_instant_is_its_date(tmp_path: Path) -> None:
    contents, _ = read(tmp_path, "number,since\n0612345678,2026-05-02T10:00:00Z\n")
    assert days(contents) == {A: date(2026, 5, 2)}


@pytest.mark.parametrize("since", ["2026-11-22", "1969-12-31", "0001-01-01", "soon", "31/02/2026"])
def test_a_number_whose_date_is_wrong_is_listed_without_one(tmp_path: Path, since: str) -> None:
    contents, report = read(
        tmp_path, f"number,since\n0612345678,{since}\n0612345679,2026-05-02\nx,2026-05-02\n"
    )
    assert days(contents) == {A: None, B: date(2026, 5, 2)}
    assert [row.line for row in report.bad_rows] == [2, 4]
    assert "the number goes in as one without a date" in report.bad_rows[0].reason
    assert (report.rows, report.added, report.duplicates, report.bad, report.kept) == (
        3,
        2,
        0,
        2,
        1,
    )


def test_a_date_of_today_is_good(tmp_path: Path) -> None:
    contents, _ = read(tmp_path, "number,since\n0612345678,2026-11-21\n")
    assert days(contents) == {A: TODAY}


def test_a_long_list_is_whole(tmp_path: Path) -> None:
    numbers = range(33612000000, 33612150000)
    contents, report = read(tmp_path, "\n".join(f"+{number}" for number in numbers))
    assert list(contents.numbers) == list(numbers)
    assert report.bad == 0


def test_bad_rows_beyond_ten_thousand_are_counted_not_kept(tmp_path: Path) -> None:
    _, report = read(tmp_path, "0612345678\n" + "x\n" * 10_005)
    assert (report.bad, len(report.bad_rows)) == (10_005, 10_000)


@pytest.mark.parametrize(
    "data",
    [
        "sep=;\nname;number\nx;+33612345678\n",
        "\nsep=;\n\nname;number\nx;+33612345678\n",
        '"sep=;"\r\nnumber;name\r\n+33612345678;x\r\n',
        "sep=;\n+33612345678\n",
    ],
)
def test_excels_own_word_on_its_delimiter_is_no_row(tmp_path: Path, data: str) -> None:
    contents, report = read(tmp_path, data)
    assert list(contents.numbers) == [33612345678]
    assert (report.rows, report.bad) == (1, 0)


def test_a_file_of_excels_word_alone_is_empty(tmp_path: Path) -> None:
    contents, report = read(tmp_path, "sep=;\n")
    assert (len(contents.numbers), report.rows) == (0, 0)
