"""The AGI wire: every sample whole, in pieces and with more behind it; then any bytes at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialwarden.wire import agi_request
from dialwarden.wire.agi import (
    HANGUP_LIMIT,
    REPLY_LIMIT_BYTES,
    REPLY_LIMIT_LINES,
    AgiReply,
    AgiSession,
    Phase,
)
from dialwarden.wire.agi_command import (
    COMMAND_LIMIT_BYTES,
    safe_text,
    set_variables,
    variables_in,
)
from dialwarden.wire.agi_request import (
    ENVIRONMENT_LIMIT_BYTES,
    ENVIRONMENT_LIMIT_LINES,
    LINE_LIMIT_BYTES,
    AgiRequest,
)
from dialwarden.wire.errors import LocalProtocolError, PeerClosed, RemoteProtocolError, TooLong

# As Asterisk 22 sends it.
ENTRIES = b"""agi_network: yes
agi_network_script: %s
agi_request: agi://127.0.0.1:4580/%s
agi_channel: PJSIP/agent-00000001
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1700000000.1
agi_version: 22.10.1~dfsg-1
agi_callerid: 100
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 0612345678
agi_rdnis: unknown
agi_context: outbound
agi_extension: 0612345678
agi_priority: 2
agi_enhanced: 0.0
agi_accountcode: \n\
agi_threadid: 139872514774720
"""

USAGE_520 = (
    b"520-Invalid command syntax.  Proper usage follows:\n"
    b"Usage: SET VARIABLE VARIABLENAME VALUE\n\tSets a variable to the current channel.\n\n"
    b"520 End of proper usage.\n"
)

TWICE = "'number' is given twice"
TORN = "'12' is no key=value (a value may hold no comma)"


def environment(*arguments: bytes, script: bytes = b"check") -> bytes:
    words = b"".join(b"agi_arg_%d: %s\n" % pair for pair in enumerate(arguments, 1))
    return ENTRIES % (script, script) + words + b"\n"


def ways_of_sending(sample: bytes) -> Iterator[list[bytes]]:
    yield [sample]
    yield [sample[i : i + 1] for i in range(len(sample))]
    yield sample.splitlines(keepends=True)
    yield [sample[:-1], sample[-1:]]
    yield [sample[i : i + 7] for i in range(0, len(sample), 7)]


def ask(*pieces: bytes) -> tuple[AgiSession, AgiRequest]:
    session = AgiSession()
    *first, last = pieces
    assert [session.receive(piece) for piece in first] == [None] * len(first)
    request = session.receive(last)
    assert isinstance(request, AgiRequest)
    return session, request


def feed(session: AgiSession, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        session.receive(piece)


def replying() -> AgiSession:
    session, _ = ask(environment(b"number=0612345678"))
    session.command_sent()
    return session


# The environment.


@pytest.mark.parametrize(
    ("arguments", "script", "name", "read", "faults"),
    [
        ([b"number=0612345678", b"campaign=c"], b"check", "check",
         {"number": "0612345678", "campaign": "c"}, ()),
        ([], b"check?number=+33612345678&campaign=c", "check",
         {"number": "+33612345678", "campaign": "c"}, ()),
        ([b"campaign=c"], b"check?number=%2B336&&", "check",
         {"number": "+336", "campaign": "c"}, ()),
        ([b"number=sip:6@x;a=b=c"], b"peek", "peek", {"number": "sip:6@x;a=b=c"}, ()),
        ([b" number = 06 12 "], b"peek", "peek", {"number": "06 12"}, ()),
        ([b"number=", b"", b"region=FR-974"], b"check", "check",
         {"number": "", "region": "FR-974"}, ()),
        ([b"number=06", b"number=07"], b"check", "check",
         {"number": "06"}, (TWICE,)),
        ([b"number=06"], b"check?number=06", "check", {"number": "06"}, (TWICE,)),
        ([b"number=06", b"12"], b"check", "check", {"number": "06"}, (TORN,)),
        ([b"=x", b"= "], b"check", "check", {"": "x"}, ("'' is given twice",)),
        ([b"number=\xe9\xff"], b"check", "check", {"number": "\udce9\udcff"}, ()),
        ([b"number=%41"], b"check", "check", {"number": "%41"}, ()),
        ([b"a=agi_arg_7: x=y"], b"check", "check", {"a": "agi_arg_7: x=y"}, ()),
        ([b"a=1"], b"", "", {"a": "1"}, ()),
    ],
)  # fmt: skip
def test_arguments_are_read_from_every_way_of_sending_them(
    arguments: list[bytes], script: bytes, name: str, read: dict[str, str], faults: tuple[str, ...]
) -> None:
    for pieces in ways_of_sending(environment(*arguments, script=script)):
        _, request = ask(*pieces)
        assert (request.script, dict(request.arguments)) == (name, read)
        assert request.faults == faults
        assert request.uniqueid == "1700000000.1"
        assert request.channel == "PJSIP/agent-00000001"


def test_an_environment_without_a_script_asks_for_none() -> None:
    _, request = ask(b"agi_network: yes\nagi_request: agi://h\n\n")
    assert (request.script, request.uniqueid, dict(request.arguments)) == ("", "", {})


def test_a_latin1_caller_name_does_not_matter() -> None:
    sample = environment(b"number=06").replace(b"name: unknown", b"name: \xc9lo\xefse: \xff")
    _, request = ask(sample)
    assert request.arguments == {"number": "06"}


def test_bytes_that_are_no_utf8_are_not_lost() -> None:
    sample = environment(b"number=06").replace(b"PJSIP/agent-00000001", b"\xc9lo\xefse: \xff")
    _, request = ask(sample)
    assert request.channel.encode("utf-8", "surrogateescape") == b"\xc9lo\xefse: \xff"


def test_a_fault_is_told_in_printable_words() -> None:
    _, request = ask(environment(b"number=06", b"\x1b[2J\xff", b"number=7"))
    assert request.faults == (
        "'\\x1b[2J\\udcff' is no key=value (a value may hold no comma)",
        TWICE,
    )


@pytest.mark.parametrize("behind", [b"", b"H", b"HANGUP", b"HANGUP\n", b"HANGUP\nHANGUP\nHANG"])
def test_a_hangup_right_behind_the_environment_is_out_of_band(behind: bytes) -> None:
    session, request = ask(environment(b"number=06") + behind)
    assert request.arguments == {"number": "06"}
    assert session.hangups == behind.count(b"\n")
    assert session.phase is Phase.ASKED


@pytest.mark.parametrize(
    "behind", [b"\n", b"x", b"HANGUPS", b"HANGUP\r\n", b"200 result=1\n", b"HANGUP\n\n"]
)
def test_anything_else_behind_the_environment_is_refused(behind: bytes) -> None:
    for pieces in ways_of_sending(behind):
        session, _ = ask(environment(b"number=06"))
        with pytest.raises(RemoteProtocolError, match="sent before it was answered"):
            feed(session, pieces)
    with pytest.raises(RemoteProtocolError, match="sent before it was answered"):
        AgiSession().receive(environment(b"number=06") + behind)


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "this is not AGI: 'G"),
        (b"\n\n", "this is not AGI"),
        (b"\x16\x03\x01\x02", r"this is not AGI: '\\x16"),
        (b"agi-", "this is not AGI"),
        (b"agi_network: yes\nagi_dnid:6\n\n", "is no \"name: value\": 'agi_dnid:6'"),
        (b"agi_network: yes\nfoo\n\n", 'is no "name: value"'),
        (b"agi_network: yes\nagi_network: yes\n\n", "has 1 entries twice"),
        # A line end in a value tries to be an argument of its own.
        (environment(b"number=06\nagi_arg_2: campaign=x", b"campaign=y"), "entries twice"),
        (environment(b"number=06").replace(b": 100\n", b": \nagi_arg_1: number=7\n"), "twice"),
        (environment(b"number=06").replace(b": 100\n", b": \nagi_arg_2: a=b\n"), "out of turn"),
        (environment().replace(b": 100\n", b": \nagi_arg_1: number=7\n"), "out of turn"),
        (environment(b"a=b").replace(b"agi_arg_1", b"agi_arg_2"), "out of turn"),
        (environment(b"a=b").replace(b"agi_arg_1", b"agi_arg_01"), "out of turn"),
        (environment(b"a=b", b"c=d").replace(b"agi_arg_2", b"agi_arg_3"), "out of turn"),
    ],
)
def test_what_no_asterisk_sends_is_refused_with_its_reason(sample: bytes, sentence: str) -> None:
    for pieces in ways_of_sending(sample):
        session = AgiSession()
        with pytest.raises(RemoteProtocolError, match=sentence):
            feed(session, pieces)
        assert session.phase is Phase.BROKEN
        assert session.pending_bytes == 0
        with pytest.raises(LocalProtocolError):
            session.receive(b"x")


def too_long() -> Iterator[tuple[bytes, str]]:
    line = LINE_LIMIT_BYTES + 1
    yield b"agi_" + b"x" * ENVIRONMENT_LIMIT_BYTES, f"bytes (limit {ENVIRONMENT_LIMIT_BYTES})"
    yield (
        b"agi_" + b"x" * ENVIRONMENT_LIMIT_BYTES + b"\n\n",
        f"bytes (limit {ENVIRONMENT_LIMIT_BYTES})",
    )
    yield b"agi_x: ".ljust(line, b"x") + b"\n\n", f"{line} bytes (limit {LINE_LIMIT_BYTES})"
    yield (
        b"\n".join(b"agi_%d: " % n for n in range(ENVIRONMENT_LIMIT_LINES + 1)) + b"\n\n",
        f"{ENVIRONMENT_LIMIT_LINES + 1} lines (limit {ENVIRONMENT_LIMIT_LINES})",
    )


@pytest.mark.parametrize(("sample", "sentence"), list(too_long()))
def test_what_is_too_long_says_how_long_and_the_limit(sample: bytes, sentence: str) -> None:
    for pieces in ([sample], [sample[i : i + 1000] for i in range(0, len(sample), 1000)]):
        session = AgiSession()
        with pytest.raises(TooLong, match=re.escape(sentence.split(" ", 1)[1])):
            feed(session, pieces)
        assert session.pending_bytes == 0


def test_what_is_just_not_too_long_is_read() -> None:
    line = b"agi_x: ".ljust(LINE_LIMIT_BYTES, b"x")
    lines = [line, *[b"agi_%d: " % n for n in range(ENVIRONMENT_LIMIT_LINES - 1)]]
    _, request = ask(b"\n".join(lines) + b"\n\n")
    assert request.arguments == {}


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"", "closed before the end of the AGI environment"),
        (b"agi_network: yes\n", "closed before the end of the AGI environment, 17 bytes unread"),
        (environment(b"a=b"), "closed before it was answered"),
        (environment(b"a=b") + b"HANGUP\n", "closed before it was answered"),
    ],
)
def test_the_end_of_the_stream_is_no_blank_line(sent: bytes, sentence: str) -> None:
    session = AgiSession()
    session.receive(sent)
    with pytest.raises(PeerClosed) as closed:
        session.receive_eof()
    assert str(closed.value) == sentence
    session.receive_eof()  # and once is enough


# Replies.


@pytest.mark.parametrize(
    ("sample", "reply"),
    [
        (b"200 result=1\n", AgiReply(200, 1, "result=1")),
        (b"200 result=-1\n", AgiReply(200, -1, "result=-1")),
        (b"200 result=1 (timeout)\n", AgiReply(200, 1, "result=1 (timeout)")),
        (b"200 result= (timeout)\n", AgiReply(200, None, "result= (timeout)")),
        (b"200 result=1 (a HANGUP)\n", AgiReply(200, 1, "result=1 (a HANGUP)")),
        (b"510 Invalid or unknown command\n", AgiReply(510, None, "Invalid or unknown command")),
        (
            b"511 Command Not Permitted on a dead channel or intercept routine\n",
            AgiReply(511, None, "Command Not Permitted on a dead channel or intercept routine"),
        ),
        (
            b"520 Invalid command syntax.  Proper usage not available.\n",
            AgiReply(520, None, "Invalid command syntax.  Proper usage not available."),
        ),
        (USAGE_520, AgiReply(520, None, USAGE_520[4:-1].decode())),
        (b"HANGUP\n200 result=1\n", AgiReply(200, 1, "result=1")),
        (b"HANGUP\n" + USAGE_520, AgiReply(520, None, USAGE_520[4:-1].decode())),
        (b"520-a\nHANGUP\n200 b\n520 c\n", AgiReply(520, None, "a\n200 b\n520 c")),
    ],
)
def test_replies_are_read_from_every_way_of_sending_them(sample: bytes, reply: AgiReply) -> None:
    for pieces in ways_of_sending(sample):
        session = replying()
        *first, last = pieces
        assert [session.receive(piece) for piece in first] == [None] * len(first)
        assert session.receive(last) == reply
        assert reply.accepted == sample.startswith((b"200", b"HANGUP\n200"))
        assert session.phase is Phase.DONE
        # What follows the reply is nobody's business any more.
        assert session.receive(b"HANGUP\n\xff\n") is None
        session.receive_eof()
    session = replying()
    assert session.receive(sample + b"HANGUP\n\xff") == reply


@pytest.mark.parametrize(
    "sample",
    [b"\n", b"result=1\n", b"20 result=1\n", b"2000 x\n", b"hangup\n", b"\xff\n", b"200\n"],
)
def test_what_is_no_reply_is_refused(sample: bytes) -> None:
    for pieces in ways_of_sending(sample):
        session = replying()
        with pytest.raises(RemoteProtocolError, match="no AGI reply"):
            feed(session, pieces)
        assert session.phase is Phase.BROKEN


@pytest.mark.parametrize(
    ("sample", "limit"),
    [
        (b"2" * (REPLY_LIMIT_BYTES + 1), REPLY_LIMIT_BYTES),
        (b"520-x\n" + b"x\n" * REPLY_LIMIT_LINES, REPLY_LIMIT_LINES),
        (b"HANGUP\n" * (HANGUP_LIMIT + 1), HANGUP_LIMIT),
    ],
)
def test_a_reply_without_end_is_too_long(sample: bytes, limit: int) -> None:
    session = replying()
    with pytest.raises(TooLong) as error:
        feed(session, [sample[i : i + 100] for i in range(0, len(sample), 100)])
    assert error.value.limit == limit


def test_a_flood_of_hangups_before_the_answer_is_too_long() -> None:
    session, _ = ask(environment(b"a=b"))
    with pytest.raises(TooLong):
        session.receive(b"HANGUP\n" * (HANGUP_LIMIT + 1))


def test_the_end_of_the_stream_before_the_reply_is_told() -> None:
    session = replying()
    session.receive(b"200 resu")
    with pytest.raises(PeerClosed, match="before it replied, 8 bytes unread"):
        session.receive_eof()


def test_only_one_command_may_be_sent_and_only_when_asked() -> None:
    session = AgiSession()
    with pytest.raises(LocalProtocolError):
        session.command_sent()
    session.receive(environment(b"a=b"))
    session.command_sent()
    with pytest.raises(LocalProtocolError):
        session.command_sent()


# Commands, read back as Asterisk reads them.


def asterisk_words(line: bytes) -> list[bytes]:
    """How res_agi.c splits a command: `parse_args`."""
    words: list[bytearray] = []
    quoted = escaped = False
    blank = True
    for byte in line.partition(b"\0")[0]:
        c = bytes([byte])
        if c == b'"' and not escaped:
            quoted = not quoted
            if quoted and blank:
                words.append(bytearray())
                blank = False
        elif c in b" \t" and not quoted and not escaped:
            blank = True
        elif c == b"\\" and not escaped:
            escaped = True
        else:
            if blank:
                words.append(bytearray())
                blank = False
            words[-1] += c
            escaped = False
    return [bytes(word) for word in words]


def asterisk_arguments(text: bytes) -> list[bytes]:
    """How ARRAY() splits its values: `__ast_app_separate_args`, delimiter ",", removing quotes."""
    arguments = [bytearray()]
    parens = brackets = 0
    quoted = literal = False
    for byte in text:
        c = bytes([byte])
        if literal:
            arguments[-1] += c
            literal = False
        elif c == b'"':
            quoted = not quoted
        elif c == b"\\":
            literal = True
        elif c == b"," and not (parens or brackets or quoted):
            arguments.append(bytearray())
        else:
            parens = parens + 1 if c == b"(" else max(0, parens - (c == b")"))
            brackets = brackets + 1 if c == b"[" else max(0, brackets - (c == b"]"))
            arguments[-1] += c
    return [bytes(argument) for argument in arguments]


def as_asterisk_reads(command: bytes) -> dict[str, str]:
    assert command.endswith(b"\n")
    verb, noun, array, values = asterisk_words(command[:-1])
    assert (verb, noun) == (b"SET", b"VARIABLE")
    names = re.fullmatch(rb"ARRAY\((.*)\)", array)
    assert names is not None
    read = asterisk_arguments(values)
    return dict(zip(names[1].decode().split(","), map(bytes.decode, read), strict=True))


@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({"A": "ALLOW"}, b'SET VARIABLE ARRAY(A) "ALLOW"\n'),
        ({"A": "", "B": ""}, b'SET VARIABLE ARRAY(A,B) ","\n'),
        ({"A": "x", "B": "y, z", "C": ""}, b'SET VARIABLE ARRAY(A,B,C) "x,\\"y, z\\","\n'),
        ({"A": "max (4", "B": "1"}, b'SET VARIABLE ARRAY(A,B) "\\"max \\\\(4\\",1"\n'),
        ({"A": 'say "no"\\n'}, b'SET VARIABLE ARRAY(A) "\\"say \'no\'/n\\""\n'),
    ],
)
def test_the_command_is_one_line_in_this_form(values: dict[str, str], command: bytes) -> None:
    assert set_variables(values) == command


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("x\nSET VARIABLE A b", "x SET VARIABLE A b"),
        ("x\r\n", "x  "),
        ("a\0b\x1b[2J", "a?b?[2J"),
        ('"', "'"),
        ("a\\", "a/"),
        ("${SHELL(id)}", "?{SHELL(id)}"),
        ("jusqu\u2019à 14\u202fh\u00a000", "jusqu\u2019à 14 h 00"),
        ("\udce9t\udcff", "?t?"),
        ("\u202emirror\u200b", "?mirror?"),
    ],
)
def test_active_and_unprintable_characters_are_replaced(value: str, safe: str) -> None:
    assert safe_text(value) == safe
    assert as_asterisk_reads(set_variables({"A": "1", "B": value, "C": "2"})) == {
        "A": "1", "B": safe, "C": "2",
    }  # fmt: skip


AWKWARD = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\"\\,()[] \n\r\t\0${}'a|;=~", max_size=30),
    st.text(alphabet=st.characters(), max_size=20),  # halves of surrogate pairs included
)


@given(values=st.lists(AWKWARD, min_size=1, max_size=9))
@example(values=["(", "["])
@example(values=["\\", ""])
@example(values=[""])
@example(values=['","', ")"])
def test_asterisk_reads_back_any_values_made_safe(values: list[str]) -> None:
    named = {f"V_{i}": value for i, value in enumerate(values)}
    command = set_variables(named)
    assert command.count(b"\n") == 1
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", command)
    read = as_asterisk_reads(command)
    assert read == {name: safe_text(value) for name, value in named.items()}
    assert variables_in(command) == read
    for value in read.values():
        assert value.isprintable()
        assert not set(value) & set('"\\$')


@given(AWKWARD.flatmap(lambda text: st.integers(1, 3000).map(lambda n: (text + "é,(") * n)))
def test_a_long_reason_is_cut_so_that_the_command_fits(reason: str) -> None:
    values = {"VERDICT": "REFUSE", "REASON": reason, "NEXT": "2026-12-03T10:00:00+01:00"}
    command = set_variables(values, shorten="REASON")
    assert len(command) <= COMMAND_LIMIT_BYTES
    read = as_asterisk_reads(command)
    assert (read["VERDICT"], read["NEXT"]) == ("REFUSE", "2026-12-03T10:00:00+01:00")
    whole = safe_text(reason)
    assert read["REASON"] == whole or (
        read["REASON"].endswith("…") and whole.startswith(read["REASON"][:-1])
    )


def test_a_cut_reason_keeps_all_that_fits() -> None:
    command = set_variables({"A": "1", "REASON": "x, " * 1000}, shorten="REASON")
    assert COMMAND_LIMIT_BYTES - 2 <= len(command) <= COMMAND_LIMIT_BYTES


@pytest.mark.parametrize(
    ("values", "shorten"),
    [
        ({}, ""),
        ({"a": "lower case"}, ""),
        ({"A B": ""}, ""),
        ({"A,B": ""}, ""),
        ({"A)": ""}, ""),
        ({"": ""}, ""),
        ({f"V{n}": "" for n in range(100)}, ""),
        ({"A": "x" * COMMAND_LIMIT_BYTES}, ""),
        ({"A": "x" * COMMAND_LIMIT_BYTES, "REASON": "y"}, "REASON"),
        ({"A": "x" * COMMAND_LIMIT_BYTES, "REASON": ""}, "REASON"),
    ],
)
def test_what_cannot_be_sent_is_our_own_fault(values: dict[str, str], shorten: str) -> None:
    with pytest.raises(LocalProtocolError):
        set_variables(values, shorten=shorten)


# Any bytes at all.

FRAGMENTS = st.sampled_from([
    b"agi_network: yes\n", b"agi_arg_1: number=06\n", b"agi_arg_2: a\n", b"\n", b"\n\n", b": ",
    b"HANGUP\n", b"HANG", b"200 result=1\n", b"520-x\n", b"520 x\n", b"agi_", b"\0", b"\r\n",
    environment(b"number=06"),
])  # fmt: skip
CHUNKS = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=30)), max_size=12)


@given(CHUNKS, st.booleans())
def test_any_bytes_give_a_request_a_reply_more_to_wait_for_or_a_remote_error(
    chunks: list[bytes], opened: bool
) -> None:
    session = AgiSession()
    if opened:
        session.receive(environment(b"number=06"))
        session.command_sent()
    sentence = ""
    try:
        for chunk in chunks:
            event = session.receive(chunk)
            assert event is None or isinstance(event, AgiRequest | AgiReply)
            if isinstance(event, AgiRequest):
                session.command_sent()
        session.receive_eof()
    except RemoteProtocolError as error:
        sentence = str(error)
    assert (session.phase is Phase.BROKEN) == bool(sentence)
    assert sentence.isprintable()


@given(st.binary(max_size=200), st.lists(st.integers(1, 20)))
def test_how_the_bytes_are_cut_does_not_change_what_they_mean(body: bytes, cuts: list[int]) -> None:
    sample = environment(b"number=06").replace(b"unknown", body) + b"HANGUP\n"

    def outcome(pieces: list[bytes]) -> tuple[object, int] | str:
        session = AgiSession()
        events = []
        try:
            for piece in pieces:
                events.append(session.receive(piece))
        except RemoteProtocolError as error:
            return type(error).__name__
        return [asdict(event) for event in events if event], session.hangups

    pieces, rest = [], sample
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert outcome([*pieces, rest]) == outcome([sample])


# What both ways of reading an environment must agree on, whatever stands in it.
_LINES = environment(b"number=0612345678", b"campaign=paris", b"call=1.2").decode().split("\n")[:-2]
_VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\n") | st.sampled_from(':= ?&%"\\'), max_size=8
)


@st.composite
def environments(draw: st.DrawFn) -> str:
    """Asterisk's own, with some lines changed, left out, repeated or in another order."""
    lines = list(_LINES)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        name = lines[place].partition(": ")[0]
        match draw(st.sampled_from(["value", "name", "drop", "twice", "swap", "plain"])):
            case "value":
                lines[place] = f"{name}: {draw(_VALUES)}"
            case "name":
                lines[place] = draw(st.sampled_from(["agi_arg_4", "agi_arg_1", "agi_x"])) + ": a=b"
            case "drop":
                del lines[place]
            case "twice":
                lines.insert(place, lines[place])
            case "swap":
                lines[place], lines[-1] = lines[-1], lines[place]
            case _:
                lines[place] = draw(_VALUES)
    return "\n".join(lines)


@given(environments())
def test_the_quick_reading_is_the_exact_one(text: str) -> None:
    quick = agi_request._read_usual(text, len(text.encode()))
    if quick is not None:
        exact = agi_request._read_any(text, text.encode())
        assert asdict(quick) == asdict(exact)


def test_asterisks_own_environment_is_read_quickly() -> None:
    for script in (b"check", b""):
        text = environment(b"number=06", b"campaign=x", script=script).decode()[:-2]
        assert agi_request._read_usual(text, len(text)) is not None


def test_no_environment_is_shorter_than_the_shortest() -> None:
    entries = [re.sub(": .*", ": ", line) for line in _LINES if "agi_arg" not in line]
    shortest = "\n".join(line for line in entries if "network" not in line)
    block = f"agi_network: yes\n{shortest}"
    assert agi_request._read_usual(block, len(block)) is not None
    assert len(block) + 2 == agi_request.SHORTEST_BYTES


@pytest.mark.parametrize(
    "said",
    [b"", b"\n", b"HANGUP\n", b"SET VARIABLE A 1\n", b'SET VARIABLE ARRAY(A,B) "1"\n',
     b"\xff\xfe\n", b'SET VARIABLE ARRAY(A) "1"', b'SET VARIABLE ARRAY() "1"\n'],
)  # fmt: skip
def test_what_sets_no_variables_of_ours_is_read_as_none(said: bytes) -> None:
    assert variables_in(said) == {}
