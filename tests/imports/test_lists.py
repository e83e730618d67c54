"""List files as registers, dialers and spreadsheets write them."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
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


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


MESS = [
    # What stands in the file, the numbers that are read, the lines that are told.
    ("\ufeff0612345678\r\n0612345679\r\n".encode(), [A, B], []),
    (b"0612345678\r0612345679\r", [A, B], []),
    (b"0612345678\r\n\n0612345679", [A, B], []),
    (b'"0612345678";\n"0612345679";\n', [A, B], []),
    (b"number;n\n0612345678;x\n0612345679\n", [A, B], []),
    (b"n\tnumber\nx\t0612345678\n\t0612345679\n", [A, B], []),
    (b"06 12 34 56 78\n06.12.34.56.79\n", [A, B], []),
    (b"0033612345678\n+33 6 12 34 56 79\n", [A, B], []),
    (b"+33 (0)6 12 34 56 78\n33612345679\n", [A, B], []),
    (b"0612345678\n6.12E+08\n6,12E+08\n0612345679\n", [A, B], [2, 3]),
    (b"0612345678\n612345679.0\n", [A], [2]),
    (b"0612345678 x\n0612345679\n", [B], [1]),
    (b"number\n0612345678 x\n0612345679 (home)\n0612345679\n", [B], [2, 3]),
    (b"number\n\n;;\n0612345678\n", [A], [3]),
    (b"number;a\n;\n0612345678;\n;x\n", [A], [4]),
    (zipped(list=b"0612345678\n0612345679\n"), [A, B], []),
    (gzip.compress(b"0612345678\n", mtime=0) + gzip.compress(b"0612345679\n", mtime=0), [A, B], []),
]


@pytest.mark.parametrize(("data", "numbers", "told"), MESS)
def test_files_as_they_come(
    tmp_path: Path, data: bytes, numbers: list[int], told: list[int]
) -> None:
    if data.startswith(b"0612345678 x"):
        data = b"0612345679\n" + data  # its first line must look like a number
        told = [line + 1 for line in told]
    contents, report = read(tmp_path, data)
    assert list(contents.numbers) == numbers
    assert [row.line for row in report.bad_rows] == told


REFUSED = [
    (gzip.compress(b"0612345678\n" * 5000, mtime=0)[:-20], "the gzip file is damaged"),
    (zipped(list=b"0612345678\n")[:-5], "the zip file is damaged"),
    (
        zipped(a=b"0612345678\n", b=b"06\n"),
        "a zip archive of 2 files ('a', 'b'), where one is read",
    ),
    (zipped(), "is an empty zip archive"),
    (zipped(**{"[Content_Types].xml": b"<", "xl/workbook.xml": b"<"}), "a spreadsheet's workbook"),
    (zipped(inner=zipped(a=b"06")), "export it as CSV, plain, gzip or zip"),
]


@pytest.mark.parametrize(("data", "told"), REFUSED)
def test_archives_that_hold_no_one_list_are_refused(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        read(tmp_path, data)
    assert told in str(caught.value)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(list=data)])
def test_what_unpacks_out_of_all_proportion_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialwarden.imports.files._UNPACKED_UNASKED", 1 << 20)
    with pytest.raises(ImportRefused, match="unpacks to more than 200 times its size"):
        read(tmp_path, pack(b"0612345678\n" * 400_000))


def test_a_zip_is_known_by_the_hash_of_what_lies_on_disk(tmp_path: Path) -> None:
    data = zipped(list=b"0612345678\n")
    contents, _ = read(tmp_path, data)
    assert contents.sha256 == hashlib.sha256(data).hexdigest()


def _grow(path: Path) -> None:
    with path.open("a") as file:
        file.write("0612345679\n")


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [_grow, _replace])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("0612345678\n" * 300_000)
    seen: list[int] = []

    def progress(count: int) -> None:
        if not seen:
            change(path)
        seen.append(count)

    with pytest.raises(ImportRefused, match="changed while it was read"):
        read_list(path, NumberReader("FR"), Report(""), today=TODAY, progress=progress)
