"""The quick way through a list file gives what reading line by line gives."""

from __future__ import annotations

import csv
import io
import random
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialwarden.imports.bulk import NOT_READ, BulkReader
from dialwarden.imports.lists import read_list
from dialwarden.imports.numbers import NumberReader
from dialwarden.imports.report import Report
from dialwarden.imports.rows import BadRow, split_rows
from dialwarden.imports.table_blocks import Table
from dialwarden.ledger.list_body import Body
from dialwarden.numbers import Number, read_number
from dialwarden.numbers.fast import plain_blocks
from dialwarden.numbers.slow import read_slowly

TODAY = date(2026, 11, 21)


def test_blocks_of_the_french_plan_are_read_alike() -> None:
    """A member of each of some hundred blocks drawn anew from the whole plan, and their ends."""
    draw = random.Random(1)
    for _ in range(60):
        dress = draw.choice(["0", "+33", "33", "0033"])
        head = f"{dress}{draw.randrange(100, 1000)}"
        for start, stop, base in plain_blocks(head, "FR")[:4]:
            for place in (start, stop - 1, draw.randrange(start, stop)):
                found = read_slowly(f"{head}{place:06}", "FR", ())
                assert isinstance(found, Number)
                assert found.digits == base + place - start


@pytest.mark.parametrize(
    ("head", "region", "ranges"),
    [
        ("0612", "FR", [(0, 1_000_000, 33612000000)]),
        ("+33612", "IT", [(0, 1_000_000, 33612000000)]),
        ("0692", "FR", [(0, 1_000_000, 262692000000)]),
        # Fiction's 0639 98 is of the mainland, the rest of 0639 Mayotte's.
        ("0639", "FR", [(0, 980_000, 262639000000), (980_000, 990_000, 33639980000),
                        (990_000, 1_000_000, 262639990000)]),
        ("0508", "FR", []),
        ("0612", "IT", []),
        ("0612", "", []),
        ("+39320", "IT", []),
        ("00612", "FR", []),
    ],
)  # fmt: skip
def test_which_millions_are_known(
    head: str, region: str, ranges: list[tuple[int, int, int]]
) -> None:
    assert plain_blocks(head, region) == ranges


CELLS = st.one_of(
    st.from_regex(r"0[1-9][0-9]{8}", fullmatch=True),
    st.from_regex(r"\+33[1-9][0-9]{8}", fullmatch=True),
    st.from_regex(r"(0033|33)[1-9][0-9]{8}", fullmatch=True),
    st.from_regex(r"0[1-9]([ .-][0-9]{2}){4}", fullmatch=True),
    st.from_regex(r"\+?(39|44|1|262)[0-9]{8,11}", fullmatch=True),
    st.from_regex(r"[0-9]{5,12}[.,][0-9]{1,3}", fullmatch=True),
    st.from_regex(r"[0-9][.,][0-9]{2}E\+[0-9]{2}", fullmatch=True),
    st.sampled_from(["", " ", "abc", "06 12 34", "'0612345678", '="0612345678"', "\u00a0", "é"]),
    st.text(alphabet="0123456789+ ().-", max_size=16),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CELLS, max_size=30), st.sampled_from(["FR", "IT", "FR-974", ""]))
def test_a_block_gives_what_each_cell_gives(cells: list[str], region: str) -> None:
    block = "".join(f"{cell}\n" for cell in cells).encode()
    bulk = BulkReader(NumberReader(region), str.strip)
    numbers, left = bulk.read(block)
    alone = {
        found.digits
        for place, cell in enumerate(cells)
        if place not in left
        and isinstance(found := read_number(cell.strip(" '\"="), region=region), Number)
    }
    assert set(numbers) == alone
    each = BulkReader(NumberReader(region), str.strip).read_each(block)
    assert [place for place, found in enumerate(each) if found == NOT_READ] == left
    assert set(each) - {NOT_READ} == alone


def _import(data: bytes, region: str) -> tuple[list[object], Report]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(data)
        report = Report("list.csv")
        found = read_list(path, NumberReader(region), report, today=TODAY)
    body = Body(found.numbers, found.since)
    return [(number, body.day_of(number)) for number in found.numbers], report


def _slow_import(data: bytes, region: str) -> tuple[list[object], Report]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BulkReader, "_form", lambda self, mask: None)
        patch.setattr(Table, "split", lambda self, block: None)
        return _import(data, region)


@settings(max_examples=100, deadline=None)
@given(st.lists(CELLS, max_size=40), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_bare_file_gives_what_it_gives_line_by_line(cells: list[str], end: str) -> None:
    data = end.join(["0612345678", *cells]).encode()
    assert _import(data, "FR") == _slow_import(data, "FR")


DATES = st.sampled_from(["", "2026-05-02", "24/12/2025", "2025-01-01T10:00:00Z", "soon",
                         "2030-01-01", " 2026-05-03 ", "é"])  # fmt: skip
ROWS = st.tuples(CELLS, DATES, st.sampled_from(["", "Dupont", 'O"Brien', "a;b", "two\nlines"]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ROWS, max_size=30),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]),
    st.sampled_from(["number,since,name", "number,name,other", "name,other,number"]),
)
def test_a_table_gives_what_it_gives_row_by_row(
    rows: list[tuple[str, str, str]], delimiter: str, quoting: int, header: str
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, escapechar="\\")  # type: ignore[arg-type]
    writer.writerow(header.split(","))
    writer.writerows(rows)
    data = stream.getvalue().encode()
    assert _import(data, "FR") == _slow_import(data, "FR")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='ab01",;\n', max_size=60))
def test_a_block_is_split_into_the_rows_that_it_has(text: str) -> None:
    block = f"{text}\n"
    split = Table(",", 1, 0).split(block.encode())
    if split is None:
        assert '"' in text
        return
    rows = list(split_rows(block.split("\n")[:-1], ","))
    assert not any(isinstance(row, BadRow) for row in rows)
    cells = [[cell.strip() for cell in split.row(place)] for place in range(split.count)]
    assert [row.cells for row in rows if not isinstance(row, BadRow)] == [
        each for each in cells if any(each)
    ]


def test_what_has_to_be_read_one_by_one_is_told_by_its_line(tmp_path: Path) -> None:
    lines = [f"06{number:08}" for number in range(100_000)]
    lines[5], lines[50_000], lines[99_999] = "n/a", "", "0612"
    path = tmp_path / "list.csv"
    path.write_text("\n".join(lines))
    report = Report("list.csv")
    found = read_list(path, NumberReader("FR"), report, today=TODAY)
    assert [row.line for row in report.bad_rows] == [6, 100_000]
    assert (report.rows, len(found.numbers)) == (99_999, 99_997)
