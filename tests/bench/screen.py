"""`dialwarden screen` on a made-up contact file, timed beside phonenumbers reading its numbers.

The file is French and Italian, with what real exports hold: numbers written in every way, accents,
quoted addresses with delimiters and line ends, blank lines, cells that are no number. Of one callee
in twenty there is a history, an objection, a consent, or an entry in a list. Screening is timed as
a whole, from the start of the command to the end of the file that it writes; phonenumbers, in one
process, only parses each number and asks whether it is valid. They take turns, and the quickest
turn of each counts: the slower ones measure what else the machine does.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phonenumbers import NumberParseException, is_valid_number, parse
from pyroaring import BitMap64
from tests.running import environ

from dialwarden.ledger import consents, lists, objections
from dialwarden.ledger.attempts import HistoryRow, insert_history
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.ledger.consents import NewConsent
from dialwarden.ledger.objections import NewObjection
from dialwarden.question import Door

# No law here: the hour of the day must not decide what is measured.
_CONFIG = """
[store]
path = "ledger.db"
[lists.house]
kind = "opposition"
[lists.staff]
kind = "exempt"
[campaigns.bench]
professional = "bench"
policy = "none"
region = "FR"
lists = ["house"]
[campaigns.bench.tighten]
caps = [{ max = 4, period = "30 days" }]
gap = "2 hours"
"""
_LISTED_BESIDES = 1_000_000
_HEADER = ("id", "nom", "téléphone", "adresse", "e-mail", "remarque")
_TOWNS = ("Besançon", "Saint-Étienne", "Bologna", "Cefalù", "Nîmes", "Orléans")


class _Contacts:
    """A contact file's rows, from a seed."""

    def __init__(self, rows: int, seed: int) -> None:
        self._draw = random.Random(seed)
        self.numbers = [self._number() for _ in range(rows)]
        # One in a hundred stands there twice.
        for _ in range(rows // 100):
            place, other = self._draw.randrange(rows), self._draw.randrange(rows)
            self.numbers[place] = self.numbers[other]
        self.texts = [self._written(number) for number in self.numbers]

    def _number(self) -> str:
        """A number that exists: what is wrong with some comes with how they are written."""
        draw = self._draw
        while True:
            match draw.randrange(100):
                case chance if chance < 40:
                    found = f"+33{draw.choice('67')}{draw.randrange(10**8):08}"
                case chance if chance < 70:
                    found = f"+33{draw.choice('12345')}{draw.randrange(10**8):08}"
                case chance if chance < 90:
                    found = f"+393{draw.randrange(10**9):09}"
                case chance if chance < 99:
                    found = (
                        f"+39{draw.choice(['02', '06', '011', '051'])}{draw.randrange(10**7):07}"
                    )
                case _:
                    found = f"+26269{draw.randrange(10**7):07}"
            if is_valid_number(parse(found)):
                return found

    def _written(self, number: str) -> str:
        draw = self._draw
        chance = draw.random()
        if chance < 0.02:
            return draw.choice(["", "n/a", "3,36E+10", "0612", "à rappeler"])
        if not number.startswith("+33"):
            return number if chance < 0.8 else f"{number[:3]} {number[3:6]} {number[6:]}"
        national = f"0{number[3:]}"
        pairs = [national[place : place + 2] for place in range(0, 10, 2)]
        if chance < 0.03:
            return f"+33 (0){pairs[0][1]} {' '.join(pairs[1:])}"
        if chance < 0.4:
            return national
        if chance < 0.6:
            return " ".join(pairs)
        if chance < 0.7:
            return ".".join(pairs)
        return f"0033{number[3:]}" if chance < 0.75 else number

    def write(self, path: Path) -> None:
        draw = self._draw
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(_HEADER)
            for serial, text in enumerate(self.texts, 1):
                town = draw.choice(_TOWNS)
                street = f"{serial % 90} rue des Écoles{'; bât. B' if serial % 20 == 0 else ''}"
                note = "veut un\r\nrappel" if serial % 50 == 0 else ""
                writer.writerow(
                    (serial, f"Nom {serial}", text, f"{street}, {town}", f"n{serial}@x.test", note)
                )
                if serial % 1000 == 0:
                    file.write("\r\n")

    def fill(self, path: Path) -> None:
        """Put one callee in twenty on record, one way or another."""
        draw = self._draw
        now = datetime.now(UTC)
        known = [int(number[1:]) for number in draw.sample(self.numbers, len(self.numbers) // 20)]
        quarter = len(known) // 4
        called, opposed, agreed, listed = (
            known[place * quarter : (place + 1) * quarter] for place in range(4)
        )
        with closing(open_ledger(path)) as conn:
            with transaction(conn):
                insert_history(
                    conn,
                    [
                        HistoryRow(number, "bench", now - timedelta(hours=draw.randrange(1, 900)))
                        for number in called
                        for _ in range(draw.randrange(1, 6))
                    ],
                )
                for number in opposed:
                    at = now - timedelta(days=draw.randrange(1, 90))
                    objections.add(conn, NewObjection(number, "bench", at, at, Door.CLI))
                for number in agreed:
                    at = now - timedelta(days=draw.randrange(1, 90))
                    consents.grant(conn, NewConsent(number, "bench", at, at))
            besides = {33_700_000_000 + draw.randrange(10**8) for _ in range(_LISTED_BESIDES)}
            for name, numbers in (("house", {*besides, *listed}), ("staff", {33_612_345_678})):
                lists.import_version(
                    conn, name, BitMap64(numbers), as_of=now.date(), imported_at=now,
                    source="bench", sha256=name,
                )  # fmt: skip


def _screen(folder: Path, out: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "dialwarden", "screen", "contacts.csv", "--campaign", "bench",
         "-o", str(out), "--force", "--json", "--config", "dialwarden.toml"],
        cwd=folder, env=environ(), check=True, stdout=(folder / "summary.json").open("wb"),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _read_alone(texts: list[str]) -> int:
    valid = 0
    for text in texts:
        with suppress(NumberParseException):
            valid += is_valid_number(parse(text, "FR"))
    return valid


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and seconds of processor, of this process and its children."""
    clock, processor = time.perf_counter(), _processor_s()
    work()
    return time.perf_counter() - clock, _processor_s() - processor


def _processor_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _told(name: str, turns: list[tuple[float, float]], rows: int) -> str:
    clock, processor = (min(times) for times in zip(*turns, strict=True))
    each = clock / rows * 1e6
    return f"{name:24} {clock:7.2f} s {each:6.1f} us a row  ({processor:.2f} s of processor)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.screen")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn's seconds")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dialwarden.toml").write_text(_CONFIG)
        contacts = _Contacts(words.rows, words.seed)
        contacts.write(folder / "contacts.csv")
        contacts.fill(folder / "ledger.db")
        size = (folder / "contacts.csv").stat().st_size / 1e6
        print(f"{words.rows:,} rows, {size:.1f} MB; {words.turns} turns each, the quickest counts")
        _read_alone(contacts.texts[:1000])  # its tables are read from disk, once
        ours, theirs = [], []
        for _ in range(words.turns):
            ours.append(_timed(lambda: _screen(folder, folder / "screened.csv")))
            theirs.append(_timed(lambda: _read_alone(contacts.texts)))
        summary = json.loads((folder / "summary.json").read_text())
    print(_told("dialwarden screen", ours, words.rows))
    print(_told("phonenumbers alone", theirs, words.rows))
    print(f"{'ratio':24} {min(ours)[0] / min(theirs)[0]:7.2f}")
    if words.json:
        seconds = {"ours_s": [one for one, _ in ours], "peer_s": [one for one, _ in theirs]}
        words.json.write_text(json.dumps(seconds))
    told = ", ".join(f"{rule} {rows:,}" for rule, rows in summary["by_first_rule"].items())
    print(f"{summary['allowed']:,} allowed, {summary['refused']:,} refused ({told})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
