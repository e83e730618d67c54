"""A SIP trunk on UDP, loopback where nothing else is said: the judge of what left the PBX.

It counts INVITEs by called number, a retransmission being the same INVITE, notes the instants of
CANCEL, ACK and BYE, and treats each call by the rule with the longest prefix of its number. It can
call in, too, as a carrier does, and with an agent's endpoint in front it is an agent's phone. It is
as correct as Asterisk needs: no authentication, no media, no retransmissions of its own (loopback
loses nothing, nor does a network of containers).
"""

from __future__ import annotations

import enum
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from bench.media import Silence

WAIT_S = 10.0
BUFFER_BYTES = 4 << 20  # a burst of 200 calls is some 400 kB, the kernel's default holds 200


class Outcome(enum.Enum):
    """What becomes of a call: the status that ends it, or its last provisional one."""

    ANSWER = "200 OK"
    RING = "180 Ringing"
    TRYING = "100 Trying"
    SILENCE = ""
    BUSY = "486 Busy Here"
    NOT_FOUND = "404 Not Found"
    TIMEOUT = "408 Request Timeout"
    ERROR = "500 Server Internal Error"
    REJECT = "503 Service Unavailable"
    DECLINE = "603 Decline"
    REDIRECT = "302 Moved Temporarily"


@dataclass(slots=True)
class Invite:
    """One call that reached the trunk; instants are `time.monotonic()`, None for not yet."""

    number: str
    caller: str
    at: float
    call_id: str
    cancelled_at: float | None = None
    rang_at: float | None = None
    answered_at: float | None = None
    acked_at: float | None = None
    ended_at: float | None = None
    closed_at: float | None = None  # our BYE was answered
    request: Request = field(repr=False, kw_only=True)
    peer: tuple[str, int] = field(repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request: `headers` in order, names in lower case."""

    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: str = field(default="", repr=False)

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


@dataclass(slots=True)
class Inbound:
    """One call that the trunk made to Asterisk; instants as in `Invite`."""

    number: str
    call_id: str
    peer: tuple[str, int]
    invite: tuple[tuple[str, str], ...] = field(repr=False)
    statuses: list[int] = field(default_factory=list)
    answered_at: float | None = None
    ended_at: float | None = None

    @property
    def uri(self) -> str:
        """Where Asterisk was asked for the number."""
        return f"sip:{self.number}@{self.peer[0]}:{self.peer[1]}"


class Trunk:
    """Listens from construction on; `port` is its UDP port on `host`, an IPv4 address."""

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        default: Outcome = Outcome.ANSWER,
        sound: bool = False,
    ) -> None:
        """Begin to listen; with `sound` answered calls carry silence, else nothing at all."""
        self._host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._default = default
        self._sound = sound
        self._sounding: dict[str, Silence] = {}
        self._rules: dict[str, tuple[Outcome, str]] = {}
        self._calls: dict[str, Invite] = {}
        self._answers: dict[tuple[str, str], list[bytes]] = {}
        self._inbound: dict[str, Inbound] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._serve, name="bench-trunk", daemon=True).start()

    def on(self, prefix: str, outcome: Outcome, *, to: str = "") -> None:
        """Treat calls to numbers that begin so; `to` is the number a REDIRECT names."""
        with self._changed:
            self._rules[prefix] = (outcome, to)

    def invites(self, number: str | None = None) -> list[Invite]:
        """The calls so far, oldest first; those to `number` only, a leading + not counting."""
        with self._changed:
            calls = list(self._calls.values())
        return [
            call
            for call in calls
            if number is None or call.number.lstrip("+") == number.lstrip("+")
        ]

    def wait_invite(self, number: str, *, nth: int = 1, timeout_s: float = WAIT_S) -> Invite:
        """The nth call to `number`.

        Raises:
            TimeoutError: it did not come.
        """
        self.wait(lambda: len(self.invites(number)) >= nth, timeout_s, f"INVITE {nth} for {number}")
        return self.invites(number)[nth - 1]

    def wait(
        self, condition: Callable[[], object], timeout_s: float = WAIT_S, what: str = "the trunk"
    ) -> None:
        """Return once `condition` holds, looking again at every message.

        Raises:
            TimeoutError: it did not come to hold.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                raise TimeoutError(
                    f"{what}: not within {timeout_s} s; calls so far: {list(self._calls.values())}"
                )

    def clear(self) -> None:
        """Forget the calls and the rules; a call still up is answered but no longer counted."""
        with self._changed:
            for sound in self._sounding.values():
                sound.stop()
            self._sounding.clear()
            self._calls.clear()
            self._inbound.clear()
            self._rules.clear()

    def reply(self, call: Invite, outcome: Outcome, *, to: str = "") -> None:
        """Treat a call that is ringing, or that was met with SILENCE, in another way now."""
        with self._changed:
            self._treat(call, outcome, to)
            self._changed.notify_all()

    def call(self, number: str, sip_port: int, *, endpoint: str = "carrier") -> Inbound:
        """Call `number` at the Asterisk on that port, which takes the caller for that endpoint."""
        call_id = f"bench-{uuid.uuid4().hex}"
        invite = (
            ("Via", f"SIP/2.0/UDP {self._host}:{self.port};branch=z9hG4bK-{call_id}"),
            ("From", f"<sip:{endpoint}@{self._host}:{self.port}>;tag={call_id[-8:]}"),
            ("To", f"<sip:{number}@127.0.0.1:{sip_port}>"),
            ("Call-ID", call_id),
            ("CSeq", "1 INVITE"),
            ("Max-Forwards", "70"),
        )
        call = Inbound(number, call_id, ("127.0.0.1", sip_port), invite)
        with self._changed:
            self._inbound[call_id] = call
            self._send(
                call.peer, f"INVITE {call.uri} SIP/2.0", *invite,
                ("Contact", f"<sip:{endpoint}@{self._host}:{self.port}>"), body=self._sdp(),
            )  # fmt: skip
        return call

    def wait_answered(self, call: Inbound) -> None:
        """Wait until Asterisk answers a call that was made to it.

        Raises:
            TimeoutError: it did not.
        """
        self.wait(lambda: call.answered_at is not None, what=f"an answer to {call}")

    def wait_ended(self, call: Inbound) -> None:
        """Wait until a call that was made to Asterisk is over, by whomsoever.

        Raises:
            TimeoutError: it goes on.
        """
        self.wait(lambda: call.ended_at is not None, what=f"the end of {call}")

    def give_up(self, call: Inbound) -> None:
        """The caller hangs up a call made to Asterisk, answered or not."""
        with self._changed:
            if call.answered_at is None:
                self._again(call, "CANCEL", "1")
            else:
                self._again(call, "BYE", "2")
                call.ended_at = time.monotonic()
            self._changed.notify_all()

    def hang_up(self, call: Invite) -> None:
        """The callee hangs up an answered call."""
        self._within(call, "BYE", "2")
        with self._changed:
            self._end(call)
            self._changed.notify_all()

    def refer(self, call: Invite, number: str) -> None:
        """The callee, a phone, transfers an answered call to a number, as its transfer key does."""
        self._within(
            call, "REFER", "1",
            ("Contact", f"<sip:{self._host}:{self.port}>"),
            ("Refer-To", f"<sip:{number}@{call.peer[0]}:{call.peer[1]}>"),
        )  # fmt: skip

    def _within(self, call: Invite, method: str, sequence: str, *headers: tuple[str, str]) -> None:
        """Send a request of the callee's own in an answered call."""
        request = call.request
        target = request["contact"].partition("<")[2].partition(">")[0]
        branch = f"z9hG4bK-{method.lower()}-{call.call_id}"
        self._send(
            call.peer,
            f"{method} {target} SIP/2.0",
            ("Via", f"SIP/2.0/UDP {self._host}:{self.port};branch={branch}"),
            ("From", self._with_tag(request["to"], call.call_id)),
            ("To", request["from"]),
            ("Call-ID", call.call_id),
            ("CSeq", f"{sequence} {method}"),
            ("Max-Forwards", "70"),
            *headers,
        )

    def stop(self) -> None:
        """Stop listening."""
        self._socket.sendto(b"stop", (self._host, self.port))

    def _serve(self) -> None:
        own = (self._host, self.port)
        with self._socket:
            while True:
                data, peer = self._socket.recvfrom(65535)
                if peer == own and data == b"stop":
                    return
                request = _parse(data)
                if request is None:  # a keep-alive
                    continue
                with self._changed:
                    if request.method == "SIP/2.0":
                        self._hear(request)
                    else:
                        self._take(request, peer)
                    self._changed.notify_all()

    def _hear(self, response: Request) -> None:
        """A response: to a call of ours, or to what was sent within one of theirs."""
        theirs = self._calls.get(response["call-id"])
        if theirs is not None and response["cseq"].endswith("BYE"):
            theirs.closed_at = time.monotonic()
        call = self._inbound.get(response["call-id"])
        if call is None or not response["cseq"].endswith("INVITE"):
            return
        status = int(response.uri)
        call.statuses.append(status)
        if status >= 200:
            call.invite = tuple(
                (name, response["to"] if name == "To" else value) for name, value in call.invite
            )
            self._again(call, "ACK", "1")
        if 200 <= status < 300:
            call.answered_at = time.monotonic()
        elif status >= 300:
            call.ended_at = time.monotonic()

    def _again(self, call: Inbound, method: str, sequence: str) -> None:
        """Another request of a call of ours."""
        via = dict(call.invite)["Via"]
        if method == "BYE" or (method == "ACK" and call.statuses[-1] < 300):
            via += f"-{method.lower()}"  # a transaction of its own
        changed = {"Via": via, "CSeq": f"{sequence} {method}"}
        headers = ((name, changed.get(name, value)) for name, value in call.invite)
        self._send(call.peer, f"{method} {call.uri} SIP/2.0", *headers)

    def _take(self, request: Request, peer: tuple[str, int]) -> None:
        key = (request["call-id"], request["cseq"])
        if request.method != "ACK" and key in self._answers:
            for datagram in self._answers[key]:
                self._socket.sendto(datagram, peer)
            return
        call = self._calls.get(request["call-id"])
        now = time.monotonic()
        match request.method:
            case "INVITE" if ";tag=" in request["to"]:
                self._answer(request, peer, "200 OK", body=self._sdp())
            case "INVITE":
                self._ring(request, peer, now)
            case "CANCEL":
                self._answer(request, peer, "200 OK")
                if call is not None and call.answered_at is None:
                    call.cancelled_at = now
                    self._answer(call.request, peer, "487 Request Terminated")
            case "ACK":
                if call is not None and call.answered_at is not None:
                    call.acked_at = now
            case "BYE":
                self._answer(request, peer, "200 OK")
                if call is not None:
                    self._end(call)
                if inbound := self._inbound.get(request["call-id"]):
                    inbound.ended_at = now
            case "OPTIONS" | "INFO" | "UPDATE" | "NOTIFY":
                self._answer(request, peer, "200 OK")
            case _:
                self._answer(request, peer, "501 Not Implemented")

    def _ring(self, request: Request, peer: tuple[str, int], now: float) -> None:
        call = Invite(
            _user_of(request.uri),
            _user_of(request["from"]),
            now,
            request["call-id"],
            request=request,
            peer=peer,
        )
        self._calls[call.call_id] = call
        prefixes = [prefix for prefix in self._rules if call.number.lstrip("+").startswith(prefix)]
        outcome, to = self._rules[max(prefixes, key=len)] if prefixes else (self._default, "")
        self._treat(call, outcome, to)

    def _treat(self, call: Invite, outcome: Outcome, to: str) -> None:
        request, peer = call.request, call.peer
        if outcome is Outcome.SILENCE:
            self._answers[call.call_id, request["cseq"]] = []
            return
        self._answer(request, peer, "100 Trying")
        if outcome in {Outcome.ANSWER, Outcome.RING}:
            call.rang_at = time.monotonic()
            self._answer(request, peer, Outcome.RING.value)
        if outcome is Outcome.ANSWER:
            call.answered_at = time.monotonic()
            self._answer(request, peer, outcome.value, body=self._sdp())
            if self._sound:
                self._sounding[call.call_id] = Silence(request.body)
        elif outcome is Outcome.REDIRECT:
            self._answer(
                request, peer, outcome.value, contact=f"<sip:{to}@{self._host}:{self.port}>"
            )
        elif outcome not in {Outcome.RING, Outcome.TRYING}:
            self._answer(request, peer, outcome.value)

    def _end(self, call: Invite) -> None:
        call.ended_at = time.monotonic()
        if sound := self._sounding.pop(call.call_id, None):
            sound.stop()

    def _answer(
        self,
        request: Request,
        peer: tuple[str, int],
        status: str,
        *,
        contact: str = "",
        body: str = "",
    ) -> None:
        tagged = (
            request["to"]
            if status.startswith("100")
            else self._with_tag(request["to"], request["call-id"])
        )
        datagram = self._send(
            peer,
            f"SIP/2.0 {status}",
            *(("Via", value) for key, value in request.headers if key == "via"),
            ("From", request["from"]),
            ("To", tagged),
            ("Call-ID", request["call-id"]),
            ("CSeq", request["cseq"]),
            ("Contact", contact or f"<sip:{self._host}:{self.port}>"),
            ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"),
            body=body,
        )
        self._answers.setdefault((request["call-id"], request["cseq"]), []).append(datagram)

    def _send(
        self, peer: tuple[str, int], start: str, *headers: tuple[str, str], body: str = ""
    ) -> bytes:
        lines = [start, *(f"{name}: {value}" for name, value in headers)]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        datagram = "\r\n".join(lines).encode()
        self._socket.sendto(datagram, peer)
        return datagram

    @staticmethod
    def _with_tag(to: str, call_id: str) -> str:
        return to if ";tag=" in to else f"{to};tag=bench-{call_id[:8]}"

    def _sdp(self) -> str:
        """An offer or answer of G.711 at a port where nobody listens."""
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self._host}\r\ns=-\r\nc=IN IP4 {self._host}\r\nt=0 0\r\n"
            "m=audio 9 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\n"
        )


def _parse(data: bytes) -> Request | None:
    """A request, or a response as one (method "SIP/2.0", uri its status); None for no SIP."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    words = start.split(" ", 2)
    if len(words) != 3 or "SIP/2.0" not in {words[0], words[2]}:
        return None
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Request(words[0], words[1], headers, body)


def _user_of(address: str) -> str:
    """The user part of a SIP URI, decoded, wherever the URI stands in `address`."""
    user, at, _ = address.partition("sip:")[2].partition("@")
    return unquote(user) if at else ""
