"""The log in systemd's journal: what a real socket in its place gets, and that it may hang."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.test_log import ALLOWED, DIALLED, REFUSED, RULEBOOK, _restored  # noqa: F401

from dialwarden.journal import JournalLines, entry
from dialwarden.log import VerdictLog, lines_lost, log, set_up_logging
from dialwarden.question import Door, Question


class Journal:
    """What stands in systemd's place."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(5)

    def read(self) -> list[tuple[str, str]]:
        """The fields of the next entry, in their order."""
        return fields_in(self._socket.recv(1 << 20))

    def unread(self) -> list[dict[str, str]]:
        """All that is there."""
        self._socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(dict(fields_in(self._socket.recv(1 << 20))))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


def fields_in(data: bytes) -> list[tuple[str, str]]:
    """An entry as the journal reads it: NAME=VALUE lines, and values with their length before."""
    found = []
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, end, rest = (
                rest[8 : 8 + length],
                rest[8 + length : 9 + length],
                rest[9 + length :],
            )
            assert end == b"\n"
        found.append((name.decode(), value.decode()))
        data = rest
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "socket")
    yield one
    one.close()


def say(journal: Journal, *, level: str = "info") -> None:
    set_up_logging(style="journal", level=level, journal=journal.path)


def test_a_refusal_is_found_by_each_of_its_rules_and_by_its_call(journal: Journal) -> None:
    say(journal)
    asked = Question(DIALLED, "energy", call="17.1", door=Door.AGI)
    VerdictLog().write(REFUSED, asked, RULEBOOK, time.perf_counter())
    fields = journal.read()
    assert [value for name, value in fields if name == "DIALWARDEN_RULE"] == ["objection", "hours"]
    found = dict(fields)
    assert found["MESSAGE"].startswith("refused +336••••••78: objection&hours: ")
    assert found["PRIORITY"] == "6"
    assert found["SYSLOG_IDENTIFIER"] == "dialwarden"
    assert found["DIALWARDEN_VERDICT"] == "REFUSE"
    assert found["DIALWARDEN_CAMPAIGN"] == "energy"
    assert found["DIALWARDEN_CALL"] == "17.1"
    assert found["DIALWARDEN_DOOR"] == "agi"
    assert found["DIALWARDEN_NUMBER"] == "+336••••••78"
    assert found["DIALWARDEN_NEXT"] == "2026-11-03T10:00:00+01:00"
    assert found["DIALWARDEN_ZONE"] == "Europe/Paris"


def test_an_allow_names_its_attempt_and_each_list_that_was_asked(journal: Journal) -> None:
    say(journal)
    VerdictLog().write(ALLOWED, Question(DIALLED, call="17.1"), RULEBOOK, time.perf_counter())
    fields = journal.read()
    assert [value for name, value in fields if name == "DIALWARDEN_LIST"] == [
        "bloctel:3", "house:None",
    ]  # fmt: skip
    assert ("DIALWARDEN_ATTEMPT", "7") in fields
    assert ("DIALWARDEN_REPEATED", "false") in fields
    assert not {"DIALWARDEN_RULE", "DIALWARDEN_REASON"} & {name for name, _ in fields}


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, "7"), (logging.INFO, "6"), (logging.WARNING, "4"), (logging.ERROR, "3")],
)
def test_a_level_is_the_priority_that_journalctl_asks_by(
    journal: Journal, level: int, priority: str
) -> None:
    say(journal, level="debug")
    logging.getLogger("dialwarden.ami").log(level, "said %d", 1)
    found = dict(journal.read())
    assert (found["MESSAGE"], found["PRIORITY"]) == ("said 1", priority)
    assert found["DIALWARDEN_LOGGER"] == "dialwarden.ami"


def test_a_traceback_is_one_field_with_all_its_lines(journal: Journal) -> None:
    say(journal)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("it failed\nMESSAGE=invented")
    fields = journal.read()
    assert ("MESSAGE", "it failed\nMESSAGE=invented") in fields
    traceback = dict(fields)["DIALWARDEN_TRACEBACK"]
    assert traceback.startswith("Traceback")
    assert traceback.endswith("ValueError: two\nlines")


def test_values_that_are_several_are_fields_of_their_own() -> None:
    values = {"rules": ["hours", "gap"], "overrides": [{"id": 3, "by": "Anna"}], "next": ""}
    assert fields_in(entry(logging.INFO, "dialwarden", "m", values))[4:] == [
        ("DIALWARDEN_RULE", "hours"),
        ("DIALWARDEN_RULE", "gap"),
        ("DIALWARDEN_OVERRIDE", '{"id": 3, "by": "Anna"}'),
    ]


@given(st.text(), st.dictionaries(st.sampled_from(["call", "rules", "ms"]), st.text()))
def test_no_text_of_a_peer_makes_a_field_of_its_own(message: str, fields: dict[str, str]) -> None:
    names = [name for name, _ in fields_in(entry(logging.INFO, "dialwarden", message, fields))]
    called = {"call": "CALL", "rules": "RULE", "ms": "MS"}
    assert names == ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "DIALWARDEN_LOGGER"] + [
        f"DIALWARDEN_{called[name]}" for name, text in fields.items() if text
    ]


def test_a_journal_that_hangs_stops_nobody_and_is_told_what_it_lost(journal: Journal) -> None:
    say(journal)
    for number in range(20_000):  # the kernel keeps some hundred datagrams for it
        log.info("line %d", number)
    lost = lines_lost()
    read = journal.unread()
    assert [one["MESSAGE"] for one in read] == [f"line {n}" for n in range(len(read))]
    assert lost == 20_000 - len(read) > 0
    log.info("again")
    told, again = journal.unread()
    assert told["MESSAGE"] == f"{lost} lines are lost: nobody read the log fast enough"
    assert told["PRIORITY"] == "4"
    assert again["MESSAGE"] == "again"
    assert lines_lost() == lost  # told, and not forgotten


def test_a_journal_that_goes_away_and_comes_back_is_written_again(
    journal: Journal, tmp_path: Path
) -> None:
    say(journal)
    journal.close()
    Path(journal.path).unlink()
    log.info("nobody hears that")
    with_another = Journal(tmp_path / "socket")
    log.info("again")
    messages = [one["MESSAGE"] for one in with_another.unread()]
    with_another.close()
    assert messages == ["1 lines are lost: nobody read the log fast enough", "again"]


def test_without_a_journal_the_log_is_json_on_standard_error_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(style="journal", level="info", journal=str(tmp_path / "none"))
    VerdictLog().write(ALLOWED, Question(DIALLED), RULEBOOK, time.perf_counter())
    told, line = map(json.loads, capsys.readouterr().err.splitlines())
    assert told["level"] == "warning"
    assert "none is no journal of systemd's" in told["message"]
    assert line["message"].startswith("allowed")


def test_what_was_lost_before_a_reload_is_still_counted(journal: Journal) -> None:
    say(journal)
    for number in range(20_000):
        log.info("line %d", number)
    lost = lines_lost()
    assert lost > 0
    set_up_logging(style="json", level="info")
    assert lines_lost() == lost
    assert not any(isinstance(handler, JournalLines) for handler in log.handlers)
