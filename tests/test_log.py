"""The log: one line per verdict, numbers masked, and no line that a peer wrote."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.world import rulebook_of

from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import Answer
from dialwarden.log import VerdictLog, lines_lost, set_up_logging
from dialwarden.log_lines import ConsoleFormatter, JsonFormatter
from dialwarden.question import Door, Question
from dialwarden.verdict import Decision, NotJudged, Reason, Refusal, Rule, Verdict, Waived

AT = datetime(2026, 11, 2, 10, 30, tzinfo=ZoneInfo("Europe/Paris"))
NEXT = datetime(2026, 11, 3, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
DIALLED = "0612345678"

ALLOWED = Answer(
    Verdict(
        Decision.ALLOW, AT, number="+33612345678", campaign="energy", professional="acme",
        policy="fr", regime="fr-optin-2026", zones=("Europe/Paris",),
        not_judged=(NotJudged(Rule.CALLER_ID, Reason("hours")),),
    ),
    attempt=7, reserved=True, lists=(("bloctel", 3), ("house", None)),
)  # fmt: skip
REFUSED = Answer(
    dataclasses.replace(
        ALLOWED.verdict,
        decision=Decision.REFUSE, next=NEXT, not_judged=(),
        refusals=(
            Refusal(Rule.OBJECTION, Reason("opposition", {"list": "house"})),
            Refusal(Rule.HOURS, Reason("campaign_missing")),
        ),
    )
)  # fmt: skip
EXEMPT = Answer(Verdict(Decision.ALLOW, AT, exempt="emergency", number="112"))
RULEBOOK = Rulebook({}, "", (), frozenset(), (), (), "en", "")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    logger = logging.getLogger("dialwarden")
    kept = logger.handlers[:], logger.level, logger.propagate
    switches = ("raiseExceptions", "_srcfile", "logThreads", "logProcesses", "logMultiprocessing")
    were = {name: getattr(logging, name) for name in switches}
    yield
    logger.handlers[:], logger.level, logger.propagate = kept
    for name, was in were.items():
        setattr(logging, name, was)


def lines_of(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, *, style: str = "json",
    clear: bool = False, rulebook: Rulebook = RULEBOOK, **question: Any,
) -> str:  # fmt: skip
    """What one verdict writes to standard error."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    set_up_logging(style=style, level="info")
    values = {"dialled": DIALLED, "call": "17.1", "door": Door.AGI, "asked_by": "PJSIP/1-1"}
    asked = Question(**{**values, **question})
    VerdictLog(clear_numbers=clear).write(answer, asked, rulebook, time.perf_counter())
    return said.getvalue()


def test_an_allow_is_one_json_line_with_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines_of(monkeypatch, ALLOWED)
    line = json.loads(text)
    assert text.count("\n") == 1
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert 0 <= line.pop("ms") < 1000
    assert line == {
        "level": "info", "logger": "dialwarden.verdict",
        "message": "allowed +336••••••78, attempt 7",
        "verdict": "ALLOW", "number": "+336••••••78", "campaign": "energy", "call": "17.1",
        "door": "agi", "rules": [], "not_judged": ["caller_id"], "attempt": 7, "repeated": False,
        "professional": "acme", "policy": "fr", "policy_sha256": "", "regime": "fr-optin-2026",
        "zones": ["Europe/Paris"],
        "lists": {"bloctel": 3, "house": None}, "asked_by": "PJSIP/1-1",
    }  # fmt: skip


def test_a_line_names_the_policy_file_and_what_in_it_nobody_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = '[campaigns.energy]\nprofessional = "acme"\npolicy = "fr"\n'
    rulebook = rulebook_of(tmp_path, text)
    doubtful = dataclasses.replace(ALLOWED.verdict, unverified=("a figure",))
    answer = dataclasses.replace(ALLOWED, verdict=doubtful)
    line = json.loads(lines_of(monkeypatch, answer, rulebook=rulebook))
    file = files("dialwarden.policies").joinpath("fr.toml")
    assert line["policy_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert line["unverified"] == ["a figure"]


def test_a_refusal_says_every_rule_the_first_reason_and_when_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = json.loads(lines_of(monkeypatch, REFUSED))
    assert (line["verdict"], line["rules"]) == ("REFUSE", ["objection", "hours"])
    assert line["reason"] == "the number is on opposition list house; do not call"
    assert line["next"] == "2026-11-03T10:00:00+01:00"
    assert line["message"].startswith("refused +336••••••78: objection&hours: the number is on")
    assert "attempt" not in line
    never = dataclasses.replace(REFUSED, verdict=dataclasses.replace(REFUSED.verdict, next=None))
    assert json.loads(lines_of(monkeypatch, never))["next"] == ""


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (
            dataclasses.replace(ALLOWED, reserved=False),
            {"repeated": True},
            "allowed +336••••••78 again, attempt 7",
        ),
        (
            dataclasses.replace(REFUSED, let_go=True, attempt=8, reserved=True),
            {"would_refuse": True, "verdict": "REFUSE", "attempt": 8},
            "would refuse +336••••••78: objection&hours",
        ),
        (EXEMPT, {"exempt": "emergency", "verdict": "ALLOW"}, "exempt ••• (emergency)"),
    ],
)
def test_other_verdicts_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, expected: dict[str, object], words: str
) -> None:
    line = json.loads(lines_of(monkeypatch, answer))
    assert {key: line[key] for key in expected} == expected
    assert line["message"].startswith(words)


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("answer", [ALLOWED, REFUSED], ids=["allow", "refuse"])
def test_a_number_is_shown_only_when_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, style: str, answer: Answer
) -> None:
    masked = lines_of(monkeypatch, answer, style=style)
    assert "612345678" not in masked
    assert "0612345678" not in masked
    clear = lines_of(monkeypatch, answer, style=style, clear=True)
    assert "+33612345678" in clear


def test_what_was_dialled_is_masked_when_it_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = dataclasses.replace(REFUSED.verdict, number="")
    text = lines_of(monkeypatch, Answer(verdict), dialled="0612345678;ext=1")
    assert "12345" not in text


_peers_text = st.text(max_size=60) | st.text("\n\r\x1b[31m\x00 a{}%\udce9\u2028\x85", max_size=20)


@given(dialled=_peers_text, call=_peers_text, asked_by=_peers_text)
@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("clear", [True, False])
def test_no_peer_writes_a_line_or_a_control_character(
    style: str, clear: bool, dialled: str, call: str, asked_by: str
) -> None:
    verdict = dataclasses.replace(REFUSED.verdict, number="")
    with pytest.MonkeyPatch.context() as patch:
        text = lines_of(
            patch, Answer(verdict), style=style, clear=clear, dialled=dialled, call=call,
            asked_by=asked_by,
        )  # fmt: skip
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    text.encode()


def test_a_console_line_says_the_sentence_and_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines_of(monkeypatch, REFUSED, style="console")
    assert "INFO    refused +336••••••78: objection&hours: the number is on" in text
    assert "campaign=energy call=17.1 door=agi next=2026-11-03T10:00:00+01:00" in text


@pytest.mark.parametrize(
    ("style", "said"), [("json", '"would_refuse": true'), ("console", "would_refuse=True")]
)
def test_in_shadow_mode_both_formats_say_would_refuse(
    monkeypatch: pytest.MonkeyPatch, style: str, said: str
) -> None:
    let_go = dataclasses.replace(REFUSED, let_go=True, attempt=8, reserved=True)
    text = lines_of(monkeypatch, let_go, style=style)
    assert said in text
    assert "would refuse +336" in text
    assert "would_refuse" not in lines_of(monkeypatch, REFUSED, style=style)


def test_what_overrides_let_go_is_told_by_override(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = REFUSED.verdict.refusals
    verdict = dataclasses.replace(
        ALLOWED.verdict, waived=(Waived(first, 4, "Bob"), Waived(second, 3, "Anna\x1b")),
    )  # fmt: skip
    again = Answer(verdict, attempt=9, reserved=False)
    line = json.loads(lines_of(monkeypatch, again))
    assert line["message"].startswith(
        "let go under override 4 (objection, by Bob) and override 3 (hours, by Anna\\x1b) +336"
    )
    assert "78 again: the number is on" in line["message"]
    assert line["overrides"] == [
        {"id": 4, "rule": "objection", "by": "Bob"},
        {"id": 3, "rule": "hours", "by": "Anna\\x1b"},
    ]
    assert (line["verdict"], line["rules"], line["attempt"]) == ("ALLOW", [], 9)
    assert "overrides" not in json.loads(lines_of(monkeypatch, ALLOWED))


@pytest.mark.parametrize("formatter", [JsonFormatter(), ConsoleFormatter()])
def test_a_traceback_is_in_the_line(formatter: logging.Formatter) -> None:
    try:
        raise ZeroDivisionError("in a rule")
    except ZeroDivisionError:
        record = logging.LogRecord(
            "dialwarden", logging.ERROR, __file__, 1, "judging failed", (), sys.exc_info()
        )
    text = formatter.format(record)
    assert "ZeroDivisionError: in a rule" in text
    if isinstance(formatter, JsonFormatter):
        assert "\n" not in text
        assert "Traceback" in json.loads(text)["traceback"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Local/0612345678@outbound-0000001f;2", "Local/06••••••78@outbound-0000001f;2"),
        (
            "PJSIP/carrier-0000000a was dialled without asking (Dial(PJSIP/0612345671@carrier,30) "
            "at forgot,0612345671,1 on Local/0612345671@forgot-00000001;2)",
            "PJSIP/carrier-0000000a was dialled without asking (Dial(PJSIP/06••••••71@carrier,30) "
            "at forgot,06••••••71,1 on Local/06••••••71@forgot-00000001;2)",
        ),
        ("dw-f799f1f383633f7cd9c73ebd", "dw-f799f1f383633f7cd9c73ebd"),
        ("dw-unbound-1234567cba026b294df51d70", "dw-unbound-1234567cba026b294df51d70"),
        ("dw-33612345678", "dw-33•••••••78"),
        ("1764000000.42", "1764000000.42"),
        ("PJSIP/carrier-61234567", "PJSIP/carrier-61••••67"),
        ("00-06123456", "00-06••••56"),
    ],
)
def test_a_text_is_veiled_but_for_what_names_a_channel_or_a_call(text: str, shown: str) -> None:
    assert VerdictLog().veiled(text) == shown


@pytest.mark.parametrize(
    ("rule", "door", "level"),
    [
        (Rule.HOURS, Door.GUARD, "info"),
        (Rule.BYPASS, Door.GATEWAY, "info"),
        (Rule.BYPASS, Door.GUARD, "warning"),
        (Rule.UNAVAILABLE, Door.AGI, "error"),
    ],
)
@pytest.mark.parametrize("let_go", [False, True])
def test_what_a_person_must_look_at_is_more_than_info(
    monkeypatch: pytest.MonkeyPatch, rule: Rule, door: Door, level: str, let_go: bool
) -> None:
    refusals = (Refusal(rule, Reason("campaign_missing")),)
    verdict = dataclasses.replace(REFUSED.verdict, refusals=refusals)
    line = lines_of(monkeypatch, Answer(verdict, let_go=let_go), door=door)
    assert json.loads(line)["level"] == level


def test_below_info_no_verdict_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    set_up_logging(style="json", level="warning")
    VerdictLog().write(ALLOWED, Question(DIALLED), RULEBOOK, time.perf_counter())
    assert said.getvalue() == ""


def test_a_log_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError("no space left")

    monkeypatch.setattr(sys, "stderr", Broken())
    set_up_logging(style="json", level="info")
    VerdictLog().write(ALLOWED, Question(DIALLED), RULEBOOK, time.perf_counter())


def test_a_reader_that_stopped_reading_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        set_up_logging(style="json", level="info")
        logger = logging.getLogger("dialwarden")
        for number in range(5000):  # some 500 kB; the pipe takes 64
            logger.info("line %d", number)
        kept = reader.read(1 << 20).decode().splitlines()
        logger.info("again")
        lost, again = (json.loads(line) for line in reader.read(1 << 20).decode().splitlines())
    assert [json.loads(line)["message"] for line in kept] == [f"line {n}" for n in range(len(kept))]
    assert (lost["level"], lost["message"]) == (
        "warning", f"{5000 - len(kept)} lines are lost: nobody read the log fast enough",
    )  # fmt: skip
    assert again["message"] == "again"


def test_a_long_line_stops_nobody_when_the_reader_has(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        set_up_logging(style="json", level="info")
        logger = logging.getLogger("dialwarden")
        long = "x" * 20_000
        logger.info(long)  # in pieces, and whole
        assert json.loads(reader.read(1 << 20))["message"] == long
        for _ in range(2000):
            logger.info("filling %s", "y" * 100)
        reader.read(4096)  # room for one piece
        writer = threading.Thread(target=logger.info, args=(long,), daemon=True)
        writer.start()
        writer.join(20)
        stuck = writer.is_alive()
        reader.read(1 << 20)
        writer.join(20)
        assert not stuck
        logger.info("again")
        *_, lost, again = (json.loads(line) for line in reader.read(1 << 20).splitlines() if line)
    assert "lines are lost" in lost["message"]
    assert again["message"] == "again"


def test_lines_that_a_full_disk_did_not_take_are_counted_as_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    logger = logging.getLogger("dialwarden")
    with file.open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        set_up_logging(style="json", level="info")
        before = lines_lost()
        logger.info("first")
        room = file.stat().st_size + 10
        # As a disk that fills within a line; Python has the kernel's SIGXFSZ ignored.
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            logger.info("second")
            VerdictLog().write(ALLOWED, Question(DIALLED), RULEBOOK, time.perf_counter())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert lines_lost() - before == 2
        logger.info("again")
        assert lines_lost() - before == 2
    first, begun, lost, again = file.read_text().splitlines()
    assert len(begun) == 10
    assert json.loads(lost)["message"].startswith("2 lines are lost")
    assert [json.loads(line)["message"] for line in (first, again)] == ["first", "again"]


def test_setting_up_again_replaces_and_does_not_double(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    set_up_logging(style="console", level="info")
    set_up_logging(style="json", level="info")
    logging.getLogger("dialwarden").info("once")
    assert [json.loads(line)["message"] for line in said.getvalue().splitlines()] == ["once"]


def as_the_journals(monkeypatch: pytest.MonkeyPatch, stream: Any, style: str) -> None:
    """Log to a stream that is told to be the one that systemd gave us."""
    file = os.fstat(stream.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{file.st_dev}:{file.st_ino}")
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logging(style=style, level="info")


@pytest.mark.parametrize("style", ["json", "console"])
def test_in_the_journal_every_line_begins_with_its_priority(
    monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "w") as stream:
        as_the_journals(monkeypatch, stream, style)
        logger = logging.getLogger("dialwarden")
        logger.info("one")
        logger.warning("two")
        try:
            raise ValueError("three")
        except ValueError:
            logger.exception("it failed")
        lines = reader.read(1 << 20).decode().splitlines()
    assert [line[:3] for line in lines[:3]] == ["<6>", "<4>", "<3>"]
    # A traceback's lines are entries of their own there.
    assert {line[:3] for line in lines[2:]} == {"<3>"}
    assert len(lines) == (3 if style == "json" else lines.index("<3>ValueError: three") + 1)


def test_elsewhere_no_line_has_a_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "w") as stream:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1234")  # that of whoever started us
        monkeypatch.setattr(sys, "stderr", stream)
        set_up_logging(style="json", level="info")
        logging.getLogger("dialwarden").info("one")
        assert json.loads(reader.read(1 << 20))["message"] == "one"
