"""A contact file, read to be written back with columns added: every row kept, and its own bytes.

Owns how such a file is laid out (delimiter, header or none, how wide it is), its rows in order,
and the file that comes of it. Does not know which column holds the numbers (`number_column`), nor
what the added cells mean.

The file is read twice: only at its end is it known how wide its widest row is, and what stands
beside a shorter one must stand under its own name all the same.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO

from dialwarden.errors import ImportRefused
from dialwarden.imports.files import Lines, Mark, readable, written
from dialwarden.imports.number_column import is_number_name
from dialwarden.imports.numbers import SCIENTIFIC, as_text
from dialwarden.imports.rows import DELIMITERS, KeptRow, Row, declared_delimiter, kept_rows, widest

# Looked at to tell how a file is written, and which column holds the numbers.
_LINES_LOOKED_AT = 200
_BOM = b"\xef\xbb\xbf"
# A first row with one of these is a row already: six digits make no name of a column.
_DATA = re.compile(r"""[+(]*\d(?:[\s().,\-/]*\d){5,}[\s).]*""")
# What has no text in it, of one line or of several.
_NOTHING = re.compile(rf'[\s"{re.escape(DELIMITERS)}]*')
_DIGITS = re.compile(r"""[+(]*\d[\d\s().\-/]*""")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a contact file is laid out.

    Attributes:
        delimiter: what parts its cells; None where each line is one cell.
        header: the names of its columns; None when it begins with a row.
        first_row: the line from which there are rows; behind the end of a file without any. What
            stands before it, but for the header, is handed on.
        width: cells of its widest row, the header among them.
        mark: the byte order mark it begins with.
        sample: cells of its first rows, as a person reads them.
    """

    delimiter: str | None
    header: Row | None
    first_row: int
    width: int
    mark: Mark
    sample: tuple[list[str], ...] = field(default=())

    @property
    def names(self) -> list[str]:
        """A name for each column: its own, or else where it stands, from 1."""
        own = self.header.cells if self.header else []
        return [
            own[place] if place < len(own) and own[place] else str(place + 1)
            for place in range(self.width)
        ]


def survey(path: Path, names: Collection[str] = ()) -> Layout:
    """Read a contact file for the first time.

    Args:
        names: columns that somebody named: a first row that has one of them is a header.

    Raises:
        ImportRefused: it cannot be read, holds no text, or is no regular file.
    """
    file = str(path)
    if not path.is_file():
        raise ImportRefused(file, "is read twice", "give a regular file")
    lines = Lines(path)
    skipped, source = _from_first(chain.from_iterable(lines.kept_blocks()))
    looked_at = list(islice(source, _LINES_LOOKED_AT))
    if any("\0" in line for line in looked_at):
        what = "holds NUL bytes: it is no text, or UTF-16 without a byte order mark"
        raise ImportRefused(file, what, "export it as UTF-8")
    declared = _declared(looked_at)
    delimiter = declared or _delimiter_of(looked_at)
    rows = kept_rows(looked_at, delimiter, first_line=skipped + 1)
    first = next((r for r in rows if not is_blank(r) and not (declared and _is_declared(r))), None)
    if first is None:
        return Layout(delimiter, None, sys.maxsize, 0, lines.mark)
    if first.fault:
        raise ImportRefused(file, first.fault, line=first.line)
    header = _header(first, names)
    sample = () if header else (first,)
    cells = [read_cells(row) for row in (*sample, *rows) if not is_blank(row)]
    width = widest(chain(looked_at[first.line - 1 - skipped :], source), delimiter)
    start = first.line + bool(header)
    return Layout(delimiter, header, start, width, lines.mark, tuple(cells))


def read_rows(
    path: Path, layout: Layout, progress: Callable[[int], None] | None = None
) -> Iterator[KeptRow]:
    """Everything that stands in the file, in order; what is before the first row too.

    Raises:
        ImportRefused: it cannot be read, or is another file than was surveyed.
    """
    lines = chain.from_iterable(Lines(path, progress).kept_blocks())
    for row in kept_rows(lines, layout.delimiter):
        wider = len(row.cells) > layout.width
        judged = row.line >= layout.first_row or not layout.width
        if wider and judged and not _is_empty(row.text):
            what = "changed while it was read"
            raise ImportRefused(str(path), what, "try again", line=row.line)
        yield row


def is_blank(row: KeptRow) -> bool:
    """Whether a row has no text: a blank line, or delimiters alone."""
    return not row.text or (not any(row.cells)) or not any(map(str.strip, row.cells))


def read_cell(row: KeptRow, place: int | None) -> str:
    """A cell as it was meant; "" when the row, or the file, has no such column."""
    if place is None or place >= len(row.cells):
        return ""
    return as_text(readable(row.cells[place]).strip())


def read_cells(row: KeptRow) -> list[str]:
    """All the cells of a row, as they were meant."""
    return [as_text(readable(cell).strip()) for cell in row.cells]


def added_names(header: Row | None, wanted: Sequence[str]) -> list[str]:
    """Names for added columns: as wanted, or with dialwarden_ in front where they are taken."""
    taken = {cell.lower() for cell in header.cells} if header else set()
    names = []
    for name in wanted:
        free, number = name, 1
        while free in taken:
            free = f"dialwarden_{name}" + (f"_{number}" if number > 1 else "")
            number += 1
        names.append(free)
    return names


class Writer:
    """Writes rows back, with cells added behind the widest.

    The added cells hold neither quotes nor delimiters nor line ends.
    """

    def __init__(self, out: IO[bytes], layout: Layout) -> None:
        self._out = out
        self._width = layout.width
        # A bare column of numbers has none of its own.
        self._delimiter = layout.delimiter or ","
        self._alone = layout.delimiter is None
        if layout.mark:
            out.write(_BOM)

    def write(self, rows: Iterable[tuple[KeptRow, Sequence[str] | None]]) -> None:
        """Write rows, each with what is added to it; with None, as it stands in its file."""
        delimiter, width, alone = self._delimiter, self._width, self._alone
        parts = []
        for row, added in rows:
            text = row.text
            if added is None:
                parts.append(text + row.end)
                continue
            if not row.right or (alone and delimiter in text and text[0] != '"'):
                text = self._anew(row.cells)
            missing = width - len(row.cells)
            if missing:
                text += delimiter * missing
            parts.append(delimiter.join([text, *added]) + row.end)
        self._out.write(written("".join(parts)))

    def _anew(self, cells: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="").writerow(cells)
        return text.getvalue()


@contextmanager
def new_file(path: Path, source: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """A file that is there under its name when the block ends well, and not at all otherwise.

    It is written beside its name, and may be read by whoever may read `source`.

    Raises:
        ImportRefused: there is such a file and not `force`, it is the source, or it cannot be
            written.
    """
    target = check_new(path, source, force=force)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _not_written(path, error) from None
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            shutil.copymode(source, beside)
            os.fsync(out.fileno())
        check_new(path, source, force=force)
        beside.replace(target)
    except OSError as error:
        raise _not_written(path, error) from None
    finally:
        beside.unlink(missing_ok=True)


def check_new(path: Path, source: Path, *, force: bool) -> Path:
    """Where a new file goes; a link is followed.

    Raises:
        ImportRefused: as `new_file`.
    """
    try:
        found = path.stat()
        same = path.samefile(source)
    except FileNotFoundError:
        return path.resolve()
    except OSError as error:
        raise _not_written(path, error) from None
    if same:
        raise ImportRefused(str(path), "is the file that is read", "name another one with -o")
    if not stat.S_ISREG(found.st_mode):
        raise ImportRefused(str(path), "is no regular file", "name one with -o, or - for stdout")
    if not force:
        what = "exists already"
        raise ImportRefused(str(path), what, "name another one with -o, or overwrite with --force")
    return path.resolve()


def _not_written(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(str(path), f"cannot be written: {error.strerror or error}")


def _from_first(lines: Iterator[str]) -> tuple[int, Iterator[str]]:
    """How many lines hold nothing but blanks and delimiters in front, and the others."""
    for skipped, line in enumerate(lines):
        if not _is_empty(line):
            return skipped, chain([line], lines)
    return 0, iter(())


def _is_empty(line: str) -> bool:
    return _NOTHING.fullmatch(line) is not None


def _declared(lines: Sequence[str]) -> str | None:
    first = next((line.strip() for line in lines if line.strip()), "")
    return declared_delimiter(first)


def _is_declared(row: KeptRow) -> bool:
    return declared_delimiter(row.text) is not None


def _delimiter_of(lines: Sequence[str]) -> str | None:
    """What parts the cells: it stands in most lines as often as in the first one.

    The comma of 3,36E+10 parts nothing. None when most lines have no delimiter at all.
    """
    bare = ["".join(SCIENTIFIC.sub("", line).split('"')[::2]) for line in lines if line.strip()]
    best, most = None, (0, 0)
    for delimiter in DELIMITERS:
        counts = [line.count(delimiter) for line in bare]
        # Below a header of one name there may be more: then whatever most lines have.
        first = next(filter(None, counts), 0)
        alike = sum(count == first for count in counts)
        if first and (counts[0] or alike * 2 > len(counts)) and (alike, first) > most:
            best, most = delimiter, (alike, first)
    return best


def _header(first: KeptRow, names: Collection[str]) -> Row | None:
    cells = [readable(cell).strip() for cell in first.cells]
    wanted = {name.strip().lower() for name in names}
    if wanted & {cell.lower() for cell in cells} or any(map(is_number_name, cells)):
        return Row(first.line, cells)
    texts = [as_text(cell) for cell in cells]
    looks = _DATA if any(texts[1:]) else _DIGITS
    if any(looks.fullmatch(text) or SCIENTIFIC.fullmatch(text) for text in texts):
        return None
    return Row(first.line, cells)
