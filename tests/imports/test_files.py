"""Lines of a file: packed or plain, whatever its encoding and its line ends."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from dialwarden.errors import ImportRefused
from dialwarden.imports.files import Lines


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


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_across_blocks_are_whole(tmp_path: Path, end: str) -> None:
    path = tmp_path / "long"
    expected = [str(number) for number in range(400_000)]
    path.write_bytes(end.join(expected).encode())
    assert list(Lines(path)) == expected


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
        (b"PK\x03\x04rest", "Excel workbook (.xlsx); export it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "Excel workbook (.xls)"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "SQLite database"),
        (gzip.compress(b"PK\x03\x04rest", mtime=0), "Excel workbook"),
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
