"""A file on disk as lines of text: plain or gzip, UTF-8, UTF-16 or Latin-1, any line ends.

Owns the opening, the hash of the bytes as they lie on disk, telling a spreadsheet's workbook from
text, and the form in which lines can be written back as they were. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from dialwarden.errors import ImportRefused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 1 << 20
# No row of a file of numbers is that long; without a limit a file without a line end (a disk
# image) would be read into memory whole.
_LONGEST_LINE = 1 << 20

_BINARY = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook (.xls)",
    b"%PDF": "is a PDF document",
    b"BZh": "is compressed with bzip2",
    b"\xfd7zX": "is compressed with xz",
    b"(\xb5/\xfd": "is compressed with zstd",
    b"SQLi": "is an SQLite database",
}
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

# What stands in front of a file's text to say how it is written.
Mark = Literal["", "utf-8", "utf-16"]


class _Hashing(io.RawIOBase):
    """Reads a file, hashing each byte once and counting them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._hash = hashlib.sha256()
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        self._hash.update(view[:count])
        self.position += count
        return count

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()


class Lines:
    """The lines of a file, and, once they were read, its hash. Read once.

    Attributes:
        sha256: of the file as it lies on disk, hexadecimal; "" until the last line was read.
        mark: the byte order mark that it begins with; "" for none, and until the first line.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        """Args: progress: called with the bytes read since it was last called."""
        self.path = path
        self.sha256 = ""
        self.mark: Mark = ""
        self._progress = progress

    def blocks(self) -> Iterator[list[str]]:
        """The lines without their ends, some thousands at a time.

        Raises:
            ImportRefused: the file cannot be read, or holds no text.
        """
        return self._blocks(_decode)

    def kept_blocks(self) -> Iterator[list[str]]:
        """The lines with their ends, each as it was: `written` gives its bytes back.

        A byte that is not UTF-8 stands there as a lone surrogate; see `readable`.

        Raises:
            ImportRefused: as `blocks`.
        """
        return self._blocks(_keep)

    def _blocks(self, lines_of: Callable[[bytes], list[str]]) -> Iterator[list[str]]:
        name = str(self.path)
        try:
            with _Hashing(self.path) as raw, io.BufferedReader(raw, _BLOCK_BYTES) as buffered:
                reported = 0
                self.mark, stream = _text_stream(buffered, name)
                for lines in _split(stream, name, lines_of):
                    if self._progress and raw.position > reported:
                        self._progress(raw.position - reported)
                        reported = raw.position
                    yield lines
                while buffered.read(_BLOCK_BYTES):
                    pass  # what stands behind the end of a gzip member is part of the hash
                self.sha256 = raw.hexdigest()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = f"the gzip file is damaged ({error})"
            raise ImportRefused(name, what, "fetch it again") from None
        except OSError as error:
            raise ImportRefused(name, f"cannot be read: {error.strerror or error}") from None

    def __iter__(self) -> Iterator[str]:
        for lines in self.blocks():
            yield from lines


def written(text: str) -> bytes:
    """The bytes of a text of `Lines.kept_blocks`; of UTF-16 those of UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def readable(kept: str) -> str:
    """A text of `Lines.kept_blocks` as a person reads it: what is not UTF-8 is Latin-1."""
    if kept.isascii():
        return kept
    try:
        kept.encode("utf-8")
    except UnicodeEncodeError:
        return written(kept).decode("latin-1")
    return kept


def _text_stream(buffered: io.BufferedReader[Any], name: str) -> tuple[Mark, IO[bytes]]:
    """The bytes of the text: unpacked, in UTF-8 or what passes for it, without a mark in front."""
    stream: io.BufferedReader[Any] = buffered
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(gzip.GzipFile(fileobj=buffered), _BLOCK_BYTES)
    start = stream.peek(8)[:8]
    for magic, what in _BINARY.items():
        if start.startswith(magic):
            raise ImportRefused(name, what, "export it as CSV, plain or gzip")
    if start.startswith(_UTF16_BOMS):
        return "utf-16", _Utf16(stream)
    if start.startswith(_UTF8_BOM):
        stream.read(len(_UTF8_BOM))
        return "utf-8", stream
    return "", stream


class _Utf16(io.BytesIO):
    """Excel's "Unicode text", handed on as UTF-8."""

    def __init__(self, stream: io.BufferedReader[Any]) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")

    def read(self, size: int | None = -1, /) -> bytes:
        block = self._stream.read(size)
        return self._decoder.decode(block, final=not block).encode()


def _split(
    stream: IO[bytes], name: str, lines_of: Callable[[bytes], list[str]]
) -> Iterator[list[str]]:
    rest = b""
    while block := stream.read(_BLOCK_BYTES):
        block = rest + block
        # Up to the last line end; a \r at the very end may be the half of one.
        cut = max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
        rest = block[cut:]
        if len(rest) > _LONGEST_LINE:
            raise ImportRefused(name, f"a line is longer than {_LONGEST_LINE} bytes: no text file")
        if cut:
            yield lines_of(block[:cut])
    if rest:
        yield lines_of(rest)


def _keep(block: bytes) -> list[str]:
    # Of bytes, `splitlines` knows the three usual line ends only; of text, a dozen more.
    return [line.decode("utf-8", "surrogateescape") for line in block.splitlines(keepends=True)]


def _decode(block: bytes) -> list[str]:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        lines = block.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        # Line by line: one name in Latin-1 does not make the whole file so.
        lines = [_decode_line(line) for line in block.split(b"\n")]
    if not lines[-1]:
        lines.pop()
    return lines


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
