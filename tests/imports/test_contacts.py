"""Contact files: read twice, written back row by row with cells added, and nothing else changed."""

from __future__ import annotations

import csv
import gzip
import io
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialwarden.errors import ImportRefused
from dialwarden.imports.contacts import (
    Layout,
    Writer,
    added_names,
    check_new,
    is_blank,
    new_file,
    read_cell,
    read_rows,
    survey,
)
from dialwarden.imports.rows import Row

BOM = b"\xef\xbb\xbf"


def at(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "contacts.csv"
    path.write_bytes(data)
    return path


def rewritten(path: Path, names: Sequence[str] = ()) -> bytes:
    """The file with two cells added to each row but blank ones: A and B."""
    layout = survey(path, names)
    out = io.BytesIO()
    writer = Writer(out, layout)
    for row in read_rows(path, layout):
        writer.write([(row, None if is_blank(row) or not layout.width else ("A", "B"))])
    return out.getvalue()


def surveyed(tmp_path: Path, text: str, names: Sequence[str] = ()) -> Layout:
    return survey(at(tmp_path, text.encode()), names)


WRITTEN = [
    (b"tel;nom\n06;x\n", b"tel;nom;A;B\n06;x;A;B\n"),
    (b"tel,nom\r\n06,x\r\n", b"tel,nom,A,B\r\n06,x,A,B\r\n"),
    (b"tel\tnom\n06\tx", b"tel\tnom\tA\tB\n06\tx\tA\tB"),
    (b"tel|nom\r06|x\r", b"tel|nom|A|B\r06|x|A|B\r"),
    # One cell a line has no delimiter of its own.
    (b"tel\n06\n", b"tel,A,B\n06,A,B\n"),
    (b'tel\n"06"\n3,36E+10\n"1,2"\n', b'tel,A,B\n"06",A,B\n"3,36E+10",A,B\n"1,2",A,B\n'),
    # Quotes stay as they are, needed or not, doubled, or around line ends.
    (b'tel;nom\n"06";"a;b"\n', b'tel;nom;A;B\n"06";"a;b";A;B\n'),
    (b'tel;nom\n06;"a ""b"""\n', b'tel;nom;A;B\n06;"a ""b""";A;B\n'),
    (b'tel;nom\r\n06;"a\nb\r\nc"\r\n', b'tel;nom;A;B\r\n06;"a\nb\r\nc";A;B\r\n'),
    (b'tel;nom\n06;5" x\n', b'tel;nom;A;B\n06;5" x;A;B\n'),
    # What is not written right is written anew, with the cells as they are read.
    (b'tel;nom\n"06;x\n07;y\n', b'tel;nom;A;B\n"""06";x;A;B\n07;y;A;B\n'),
    (b'tel;nom\n06;"a" b\n', b"tel;nom;A;B\n06;a b;A;B\n"),
    # Short rows are filled up, and a longer one makes the file wider.
    (b"tel;nom\n06\n06;x;y\n", b"tel;nom;;A;B\n06;;;A;B\n06;x;y;A;B\n"),
    (b"tel;nom\n06;x;\n", b"tel;nom;;A;B\n06;x;;A;B\n"),
    (b"\n\ntel;nom\n\n06;x\n;;\n\n", b"\n\ntel;nom;;A;B\n\n06;x;;A;B\n;;\n\n"),
    # Blanks around cells, and every byte of other alphabets.
    (b" tel ; nom \n 06 ; x \n", b" tel ; nom ;A;B\n 06 ; x ;A;B\n"),
    ("tél;nom\n06;é\n".encode(), "tél;nom;A;B\n06;é;A;B\n".encode()),
    ("tél;nom\n06;é\n".encode("latin-1"), "tél;nom;A;B\n06;é;A;B\n".encode("latin-1")),
    ("tel;nom\n06;€–\n".encode("cp1252"), "tel;nom;A;B\n06;€–;A;B\n".encode("cp1252")),  # noqa: RUF001
    ("tel\né\n".encode() + b"\xe9\n", "tel,A,B\né,A,B\n".encode() + b"\xe9,A,B\n"),
    ("tel;nom\n06;a\x0bb\x85\u2028\n".encode(), "tel;nom;A;B\n06;a\x0bb\x85\u2028;A;B\n".encode()),
    (BOM + b"tel;nom\n06;x\n", BOM + b"tel;nom;A;B\n06;x;A;B\n"),
    ("tél;nom\r\n06;é\r\n".encode("utf-16"), BOM + "tél;nom;A;B\r\n06;é;A;B\r\n".encode()),
    (gzip.compress(b"tel;nom\n06;x\n", mtime=0), b"tel;nom;A;B\n06;x;A;B\n"),
    (b"", b""),
    (b"\n \n", b"\n \n"),
    (b'"\r";;\n" "', b'"\r";;\n" "'),
]


@pytest.mark.parametrize(("data", "expected"), WRITTEN)
def test_a_file_comes_back_with_cells_added(tmp_path: Path, data: bytes, expected: bytes) -> None:
    assert rewritten(at(tmp_path, data)) == expected


def test_excels_own_line_on_the_delimiter_is_heeded_and_kept(tmp_path: Path) -> None:
    path = at(tmp_path, b"sep=;\r\ntel,a;nom\r\n06;x,y\r\n")
    layout = survey(path)
    assert (layout.delimiter, layout.first_row, layout.width) == (";", 3, 2)
    assert next(row.text for row in read_rows(path, layout)) == "sep=;"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.text(alphabet='ab0";,\n\r\x0b é', max_size=60))
def test_whatever_is_in_a_file_its_cells_are_in_what_is_written(tmp_path: Path, text: str) -> None:
    path = at(tmp_path, text.encode())
    try:
        layout = survey(path)
    except ImportRefused:
        return
    rows = list(read_rows(path, layout))
    assert "".join(row.text + row.end for row in rows) == text
    out = io.BytesIO()
    Writer(out, layout).write((row, ("A", "B")) for row in rows if not is_blank(row))
    written = io.StringIO(out.getvalue().decode(), newline="")
    read = list(csv.reader(written, delimiter=layout.delimiter or ",", strict=True))
    padded = [
        [*row.cells, *[""] * (layout.width - len(row.cells)), "A", "B"]
        for row in rows
        if not is_blank(row)
    ]
    assert read == padded


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=80))
def test_any_bytes_come_back_or_are_refused(tmp_path: Path, data: bytes) -> None:
    path = at(tmp_path, b"tel;nom\n" + data)
    try:
        layout = survey(path)
    except ImportRefused:
        return
    out = io.BytesIO()
    Writer(out, layout).write((row, None) for row in read_rows(path, layout))
    assert out.getvalue() == path.read_bytes()


DELIMITERS = [
    ("tel;nom\n06;a,b,c\n", ";"),
    ("a,b,tel\n1,2,06\n", ","),
    ('"a,b,c";tel\n"d,e";06\n', ";"),
    ("Dupont;0612345678;Nantes, centre\nX;0612345679;Y\n", ";"),
    ("0612345678\n0612345679\n", None),
    ("3,36E+10\n3,37E+10\n", None),
    ("tel\n06;x\n07;y\n08;z\n", ";"),
    ("number\n06, or 07\n08\n09\n", None),
]


@pytest.mark.parametrize(("text", "delimiter"), DELIMITERS)
def test_the_delimiter(tmp_path: Path, text: str, delimiter: str | None) -> None:
    assert surveyed(tmp_path, text).delimiter == delimiter


HEADERS = [
    ("tel;nom\n", (), ["tel", "nom"]),
    (' "Téléphone" ;2\n'.replace(" ", ""), (), ["Téléphone", "2"]),
    ("ref;contact\nA;0612345678\n", (), ["ref", "contact"]),
    ("0612345678\n", (), None),
    ("112\n", (), None),
    ("+33 (0)6 12 34 56 78;x\n", (), None),
    ("3,36E+10\n", (), None),
    ("A;0612345678;12\n", (), None),
    ('="0612345678";x\n', (), None),
    ("A;12;75011\nB;13;75012\n", (), ["A", "12", "75011"]),
    # Dates as names, under one that says what it is; or one that somebody named.
    ("tel;2026-11-16\n06;x\n", (), ["tel", "2026-11-16"]),
    ("Ligne;2026-11-16\n06;x\n", ("ligne",), ["Ligne", "2026-11-16"]),
    ("Ligne;2026-11-16\n06;x\n", (), None),
]


@pytest.mark.parametrize(("text", "names", "header"), HEADERS)
def test_the_header_or_that_there_is_none(
    tmp_path: Path, text: str, names: tuple[str, ...], header: list[str] | None
) -> None:
    found = surveyed(tmp_path, text, names).header
    assert (found.cells if found else None) == header


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    assert surveyed(tmp_path, "tel;;nom\n06;x;y;z\n").names == [
        "tel",
        "2",
        "nom",
        "4",
    ]
    assert surveyed(tmp_path, "A;0612345678\n").names == ["1", "2"]


def test_the_first_cells_are_as_a_person_reads_them(tmp_path: Path) -> None:
    path = at(tmp_path, 't\xe9l;x\n =\'06\' ;\xe9\n;\n"=""07""";\'08\n'.encode("latin-1"))
    layout = survey(path)
    assert layout.header == Row(1, ["tél", "x"])
    assert layout.sample == (["'06'", "é"], ["07", "08"])


def test_a_cell_that_a_row_does_not_have_is_empty(tmp_path: Path) -> None:
    path = at(tmp_path, b"tel;nom\n06\n")
    row = list(read_rows(path, survey(path)))[1]
    assert (read_cell(row, 0), read_cell(row, 1), read_cell(row, None)) == ("06", "", "")


LEADING = ["\n" * 3000, ";;\n" * 3000]


@pytest.mark.parametrize("leading", LEADING, ids=["blank", "delimiters alone"])
def test_a_header_is_found_however_far_down(tmp_path: Path, leading: str) -> None:
    layout = surveyed(tmp_path, leading + "tel;nom\n06;x\n")
    assert layout.header == Row(3001, ["tel", "nom"])
    assert (layout.first_row, layout.delimiter, layout.width) == (3002, ";", 2)


def test_a_row_far_down_makes_the_file_wider(tmp_path: Path) -> None:
    text = "tel;nom\n" + '06;"x;y"\n' * 60_000 + "06;x;y\n"
    assert surveyed(tmp_path, text).width == 3


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'"tel;nom\n06;x\n', "contacts.csv:1: a quote that opens here is not closed"),
        ("tel;nom\n06;x\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"PK\x03\x04rest", "the zip file is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_right_is_refused(
    tmp_path: Path, data: bytes, told: str
) -> None:
    with pytest.raises(ImportRefused) as caught:
        survey(at(tmp_path, data))
    assert told in str(caught.value)


def test_what_is_read_twice_is_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImportRefused, match="is read twice; give a regular file"):
        survey(tmp_path / "pipe")


def test_a_file_that_changes_between_its_readings_is_refused(tmp_path: Path) -> None:
    path = at(tmp_path, b"tel;nom\n06;x\n")
    layout = survey(path)
    path.write_bytes(b"tel;nom\n06;x\n07;y;z\n")
    with pytest.raises(ImportRefused, match=r"contacts.csv:3: changed while it was read"):
        list(read_rows(path, layout))


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (None, ["verdict", "number"]),
        (["tel"], ["verdict", "number"]),
        (["Number"], ["verdict", "dialwarden_number"]),
        (["verdict", "number"], ["dialwarden_verdict", "dialwarden_number"]),
        (["number", "dialwarden_number"], ["verdict", "dialwarden_number_2"]),
    ],
)
def test_added_columns_take_no_name_that_is_there(
    header: list[str] | None, names: list[str]
) -> None:
    row = None if header is None else Row(1, header)
    assert added_names(row, ["verdict", "number"]) == names


def write(path: Path, source: Path, data: bytes = b"new", *, force: bool = False) -> None:
    with new_file(path, source, force=force) as out:
        out.write(data)


def fail(path: Path, source: Path, *, force: bool = False) -> None:
    with new_file(path, source, force=force) as out:
        out.write(b"new")
        raise ZeroDivisionError


def test_a_new_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    source = at(tmp_path, b"x")
    source.chmod(0o640)
    with new_file(tmp_path / "out", source, force=False) as out:
        out.write(b"new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contacts.csv", "out"]


def test_a_file_that_failed_leaves_nothing(tmp_path: Path) -> None:
    source = at(tmp_path, b"x")
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "out", source)
    assert [path.name for path in tmp_path.iterdir()] == ["contacts.csv"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    source = at(tmp_path, b"x")
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "out", source, force=True)
    assert (tmp_path / "out").read_bytes() == b"old"


def test_a_file_that_is_there_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    source = at(tmp_path, b"x")
    out = tmp_path / "out"
    out.write_bytes(b"old")
    with pytest.raises(ImportRefused, match=r"exists already; .* overwrite with --force"):
        write(out, source)
    assert out.read_bytes() == b"old"
    write(out, source, force=True)
    assert out.read_bytes() == b"new"


def test_one_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    source, path = at(tmp_path, b"x"), tmp_path / "out"

    def meanwhile() -> None:
        with new_file(path, source, force=False) as out:
            out.write(b"new")
            path.write_bytes(b"somebody else's")

    with pytest.raises(ImportRefused, match="exists already"):
        meanwhile()
    assert path.read_bytes() == b"somebody else's"


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_the_source_is_never_overwritten(tmp_path: Path, link) -> None:  # type: ignore[no-untyped-def]
    source = at(tmp_path, b"x")
    out = source
    if link is not None:
        out = tmp_path / "link"
        link(out, source)
    with pytest.raises(ImportRefused, match="is the file that is read"):
        write(out, source, force=True)
    assert source.read_bytes() == b"x"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    source = at(tmp_path, b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere" / "real")
    write(tmp_path / "out", source)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "elsewhere" / "real").read_bytes() == b"new"


@pytest.mark.parametrize("out", ["/dev/null", "."])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, out: str) -> None:
    with pytest.raises(ImportRefused, match="is no regular file"):
        check_new(Path(out), at(tmp_path, b"x"), force=True)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be written: No such file"):
        write(tmp_path / "none" / "out", at(tmp_path, b"x"))
