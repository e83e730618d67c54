"""A file on disk as lines of text: plain, gzip or zip, UTF-8, UTF-16 or Latin-1, any line ends.

Owns the opening, the hash of the bytes as they lie on disk, telling a spreadsheet's workbook from
text, and the form in which lines can be written back as they were. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar, cast

from dialwarden.errors import ImportRefused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 1 << 20
# No row of a file of numbers is that long; without a limit a file without a line end (a disk
# image) would be read into memory whole.
_LONGEST_LINE = 1 << 20

# A list packs three- to tenfold, a contact file perhaps thirtyfold. Without a limit a file of some
# megabytes made to unpack to terabytes would keep the import busy for days.
_MOST_UNPACKED = 200
_UNPACKED_UNASKED = 256 << 20

_ZIP = b"PK\x03\x04"
_WORKBOOKS = ("[Content_Types].xml", "mimetype")  # .xlsx, .ods
_BINARY = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook (.xlsx)",
    b"PK\x05\x06": "is an empty zip archive",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook (.xls)",
    b"%PDF": "is a PDF document",
    b"BZh": "is compressed with bzip2",
    b"\xfd7zX": "is compressed with xz",
    b"(\xb5/\xfd": "is compressed with zstd",
    b"SQLi": "is an SQLite database",
}
_AS_TEXT = "export it as CSV, plain, gzip or zip"
_AGAIN = "fetch it again"
_REGULAR = "give a regular file"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

T = TypeVar("T")

# What stands in front of a file's text to say how it is written.
Mark = Literal["", "utf-8", "utf-16"]


class _Hashing(io.RawIOBase):
    """Reads a file, hashing each byte once and counting them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb", buffering=0)
        self._hash = hashlib.sha256()
        self._opened = os.fstat(self._file.fileno())
        self._archive: IO[bytes] | None = None
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        self._hash.update(view[:count])
        self.position += count
        return count

    def fileno(self) -> int:
        return self._file.fileno()

    def zipped(self, name: str) -> IO[bytes]:
        """The one file in a zip archive.

        Raises:
            ImportRefused: it holds none, or several, or is damaged, or a workbook.
        """
        if not stat.S_ISREG(self._opened.st_mode):
            raise ImportRefused(name, "is a zip archive that comes through a pipe", _REGULAR)
        try:
            # Read out of order: by a file of its own, beside the one that is hashed.
            self._archive = self._path.open("rb")
            archive = zipfile.ZipFile(self._archive)
            if any(member in _WORKBOOKS for member in archive.namelist()):
                raise ImportRefused(name, "is a spreadsheet's workbook (.xlsx, .ods)", _AS_TEXT)
            members = [each for each in archive.infolist() if not each.is_dir()]
            if len(members) != 1:
                shown = ", ".join(ascii(each.filename[:40]) for each in members[:4]) or "none"
                what = f"is a zip archive of {len(members)} files ({shown}), where one is read"
                raise ImportRefused(name, what, "take the right one out of it")
            if members[0].flag_bits & 1:
                raise ImportRefused(name, "is a zip archive under a password", "unpack it")
            return archive.open(members[0])
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise ImportRefused(name, f"the zip file is damaged ({error})", _AGAIN) from None

    def passed(self) -> int:
        """How many bytes of the file have been used."""
        archive = self._archive.tell() if self._archive else 0
        return max(self.position, archive)

    def changed(self) -> bool:
        """Whether the file is not as it was opened: it grows, or stands for another by now."""
        if not stat.S_ISREG(self._opened.st_mode):
            return False
        now = self._path.stat()
        return any(
            getattr(now, each) != getattr(self._opened, each)
            for each in ("st_dev", "st_ino", "st_size", "st_mtime_ns")
        )

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def close(self) -> None:
        if self._archive:
            self._archive.close()
        self._file.close()
        super().close()


class _Unpacking(io.RawIOBase):
    """What a packed file holds, as long as that is not out of all proportion."""

    def __init__(self, packed: IO[bytes], raw: _Hashing, name: str) -> None:
        self._packed = packed
        self._raw = raw
        self._name = name
        self._size = os.fstat(raw.fileno()).st_size
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        block = self._packed.read(len(view))
        self._count += len(block)
        packed = max(self._raw.position, self._size)
        if self._count > max(_UNPACKED_UNASKED, _MOST_UNPACKED * packed):
            what = f"unpacks to more than {_MOST_UNPACKED} times its size: that is no list"
            raise ImportRefused(self._name, what, "look at what is in it")
        view[: len(block)] = block
        return len(block)


class Lines:
    """The lines of a file, and, once they were read, its hash. Read once.

    Attributes:
        changed: whether the file was not the same any more when its last line was read.
        sha256: of the file as it lies on disk, hexadecimal; "" until the last line was read.
        mark: the byte order mark that it begins with; "" for none, and until the first line.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        """Args: progress: called with the bytes read since it was last called."""
        self.path = path
        self.sha256 = ""
        self.changed = False
        self.mark: Mark = ""
        self._progress = progress

    def blocks(self) -> Iterator[list[str]]:
        """The lines without their ends, some thousands at a time.

        Raises:
            ImportRefused: the file cannot be read, or holds no text.
        """
        return self._blocks(_decode)

    def raw_blocks(self) -> Iterator[bytes]:
        """The same as bytes, each line ended by a newline; `lines_of` makes lines of a block.

        Raises:
            ImportRefused: as `blocks`.
        """
        return self._blocks(_newlines)

    def kept_blocks(self) -> Iterator[list[str]]:
        """The lines with their ends, each as it was: `written` gives its bytes back.

        A byte that is not UTF-8 stands there as a lone surrogate; see `readable`.

        Raises:
            ImportRefused: as `blocks`.
        """
        return self._blocks(_keep)

    def _blocks(self, lines_of: Callable[[bytes], T]) -> Iterator[T]:
        name = str(self.path)
        try:
            with _Hashing(self.path) as raw, io.BufferedReader(raw, _BLOCK_BYTES) as buffered:
                reported = 0
                self.mark, stream = _text_stream(buffered, raw, name)
                for lines in _split(stream, name, lines_of):
                    if self._progress and (passed := raw.passed()) > reported:
                        self._progress(passed - reported)
                        reported = passed
                    yield lines
                while buffered.read(_BLOCK_BYTES):
                    pass  # what stands behind the end of a gzip member is part of the hash
                self.sha256 = raw.hexdigest()
                self.changed = raw.changed()
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            what = f"the {'zip' if _is_zip(self.path) else 'gzip'} file is damaged ({error})"
            raise ImportRefused(name, what, _AGAIN) from None
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


def _is_zip(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP
    return False


def _text_stream(
    buffered: io.BufferedReader[Any], raw: _Hashing, name: str
) -> tuple[Mark, IO[bytes]]:
    """The bytes of the text: unpacked, in UTF-8 or what passes for it, without a mark in front."""
    stream: io.BufferedReader[Any] = buffered
    packed: IO[bytes] | None = None
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        packed = cast(IO[bytes], gzip.GzipFile(fileobj=buffered))
    elif buffered.peek(4)[:4] == _ZIP:
        packed = raw.zipped(name)
    if packed is not None:
        stream = io.BufferedReader(_Unpacking(packed, raw, name), _BLOCK_BYTES)
    start = stream.peek(8)[:8]
    for magic, what in _BINARY.items():
        if start.startswith(magic):
            raise ImportRefused(name, what, _AS_TEXT)
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


def _split(stream: IO[bytes], name: str, lines_of: Callable[[bytes], T]) -> Iterator[T]:
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


def _newlines(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return block if block.endswith(b"\n") else block + b"\n"


def _decode(block: bytes) -> list[str]:
    return lines_of(_newlines(block))


def lines_of(block: bytes) -> list[str]:
    """The lines of a block of `Lines.raw_blocks`, without their ends."""
    try:
        lines = block.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        # Line by line: one name in Latin-1 does not make the whole file so.
        lines = [_decode_line(line) for line in block.split(b"\n")]
    lines.pop()  # behind the last newline there is nothing
    return lines


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
