"""Lines of a file: packed or plain, whatever its encoding and its line ends."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from dialwarden.errors import ImportRefused
from dialwarden.imports.files import Lines, readable, written


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\rc", ["a", "b", "c"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"\xef\xbb\xbfnumber\n06", ["number", "06"]),
        ("é\n".encode(), ["é"]),
        ("é\nà".encode("latin-1"), ["é", "à"]),
        ("é\n".encode() + "à\n".encode("latin-1"), ["é", "à"]),
        ("numéro\r\n06\r\n".encode("utf-16"), ["numéro", "06"]),
        (b"a\x0bb\x85c\n", ["a\x0bb\x85c"]),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_lines(tmp_path: Path, data: bytes, lines: list[str], packed: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    found = Lines(path)
    assert list(found) == lines
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


KEPT = [
    # Bytes, the mark in front, and the lines as a person reads them.
    (b"a\r\nb\rc\n\nd", "", ["a\r\n", "b\r", "c\n", "\n", "d"]),
    (b"\xef\xbb\xbfa\n", "utf-8", ["a\n"]),
    ("é\nà".encode(), "", ["é\n", "à"]),
    ("é\nà".encode("latin-1"), "", ["é\n", "à"]),
    ("é\n".encode() + "à\n".encode("latin-1"), "", ["é\n", "à\n"]),
    (b"a\x0bb\x85c\n", "", ["a\x0bb\x85c\n"]),
    (b"", "", []),
]


@pytest.mark.parametrize(("data", "mark", "lines"), KEPT)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_kept_lines_are_read_by_people_and_give_back_their_bytes(
    tmp_path: Path, data: bytes, mark: str, lines: list[str], packed: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    found = Lines(path)
    kept = [line for block in found.kept_blocks() for line in block]
    assert ([readable(line) for line in kept], found.mark) == (lines, mark)
    assert written("".join(kept)) == data.removeprefix(b"\xef\xbb\xbf")


def test_kept_lines_of_utf_16_give_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("numéro\r\n06\r\n".encode("utf-16"))
    found = Lines(path)
    kept = "".join(line for block in found.kept_blocks() for line in block)
    assert (written(kept), found.mark) == ("numéro\r\n06\r\n".encode(), "utf-16")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_across_blocks_are_whole(tmp_path: Path, end: str) -> None:
    path = tmp_path / "long"
    expected = [str(number) for number in range(400_000)]
    path.write_bytes(end.join(expected).encode())
    assert list(Lines(path)) == expected
    kept = [line for block in Lines(path).kept_blocks() for line in block]
    assert kept == [line + end for line in expected[:-1]] + expected[-1:]


def test_progress_adds_up_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"0612345678\n" * 300_000)
    seen: list[int] = []
    for _ in Lines(path, seen.append).blocks():
        pass
    assert sum(seen) == path.stat().st_size


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04rest", "the zip file is damaged (File is not a zip file); fetch it again"),
        (b"PK\x05\x06" + bytes(18), "is an empty zip archive"),
        (b"\xd0\xcf\x11\xe0rest", "Excel workbook (.xls)"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "SQLite database"),
        (gzip.compress(b"PK\x03\x04rest", mtime=0), "Excel workbook (.xlsx); export it as CSV"),
        (gzip.compress(b"0612345678\n" * 1000, mtime=0)[:40], "gzip file is damaged"),
        (b"x" * 3_000_000, "longer than 1048576 bytes"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ImportRefused) as caught:
        list(Lines(path))
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be read: No such file"):
        list(Lines(tmp_path / "none"))
