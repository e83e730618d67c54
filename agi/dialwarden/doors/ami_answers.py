"""What Asterisk has still to answer, on one AMI connection.

Owns which response belongs to which request, and when a response proves that nothing was dialled.
Refuses to know what a request asks for. No I/O, no clock.

Asterisk's session thread reads one message, runs its action to the end and answers before it reads
the next (`session_do`, `do_message`; main/manager.c), so responses come in the order of the
requests. A response that answers one request therefore ends the wait for every one before it: some
are never answered (`Events` under `brokeneventsaction`).
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from dialwarden.doors.ami_rulings import Relay
from dialwarden.wire.ami_request import AmiRequest

# Requests waited for on one connection; more than a client has under way, less than memory.
MOST_WAITED_FOR = 4096

# The errors of Asterisk 16 to 22 that come before it dials. Not among them: "Originate failed",
# which a synchronous Originate answers after the phone has rung and was not picked up.
_BEFORE_DIALLING = re.compile(
    r"""
      Permission\ denied | Missing\ action | Asterisk\ is\ shutting\ down
    | Invalid/unknown\ command | Too\ many\ lines | Failed\ to\ parse\ message | Internal\ Error
    | Channel\ not\ specified | Invalid\ (priority|timeout|channel)\b
    | Uniqueid\ length\ exceeds | Originate\ Access\ Forbidden | Extension\ does\ not\ exist
    | Originate\ with\ 'Exten'\ requires
    | No\ command\ provided | Command\ blacklisted | Failed\ to\ create\ temporary\ file
    | Command\ output\ follows   # of an error: wrong usage, or no such command
    | Both,\ Channel\ and\ Command | Channel\ \S+\ does\ not\ exist | Failed\ to\ add\ AGI\ command
    """,
    re.VERBOSE,
)
# Functions whose values hold no line ends that the client chose.
_PLAIN_FUNCTION = re.compile(
    r"(?:CALLERID|CDR|CHANNEL|CONNECTEDLINE|DEVICE_STATE|DIALPLAN_EXISTS|EXTENSION_STATE"
    r"|GROUP_COUNT|HINT|PJSIP_\w+|QUEUE_\w+|SIPPEER|TIMEOUT)\([\w/@.:;,-]*\)",
    re.ASCII,
)


def speaks_freely(request: AmiRequest) -> bool:
    """Whether a client can have Asterisk write what it likes into the answer, line ends and all.

    Getvar and Status give a function's value as it is: URIDECODE(%0d%0a%0d%0aResponse: Error…) is
    a response for whoever reads it (measured on 16 and 22).
    """
    if request.action.lower() not in ("getvar", "status"):
        return False
    texts = (*request.all("Variable"), *request.all("Variables"))
    return any("(" in _PLAIN_FUNCTION.sub("", text) for text in texts)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is with Asterisk.

    Attributes:
        action_id: as a response would give it; "" when it has none.
        relay: what was ruled, for a request that holds reserved ALLOWs.
        user: the Username, for a Login.
        alone: no response to another request can be taken for this one's.
    """

    action_id: str
    relay: Relay | None
    user: str | None
    alone: bool


class Unanswered:
    """The requests that wait for their response, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Sent] = deque()
        self._of_id: Counter[str] = Counter()  # how many of them have it
        self._logins = 0
        self._forgot = False  # or cannot tell any more what is Asterisk's own

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def nameless(self) -> bool:
        """Whether a request without an ActionID waits."""
        return "" in self._of_id

    @property
    def login(self) -> bool:
        """Whether a Login waits."""
        return self._logins > 0

    def sent(
        self,
        action_id: str,
        *,
        relay: Relay | None = None,
        user: str | None = None,
        free: bool = False,
    ) -> None:
        """Note a request that was written to Asterisk.

        Args:
            action_id: as the client wrote it.
            relay: the ruling, when something was reserved for it.
            user: the Username of a Login; None for other actions.
            free: it speaks freely; from here on no response proves anything, since the last of
                what it says cannot be told from Asterisk's own.
        """
        known = _as_answered(action_id)
        if len(self._waiting) >= MOST_WAITED_FOR:
            self._next()
            self._forgot = True
        self._forgot |= free
        alone = known not in self._of_id if known else not self._waiting
        self._waiting.append(Sent(known, relay, user, alone and not self._forgot))
        self._of_id[known] += 1
        self._logins += user is not None

    def answered(self, response: Mapping[str, str]) -> Sent | None:
        """The request that a response answers, which waits no more; None when it is nobody's.

        Args:
            response: its headers, names in lower case.
        """
        action_id = response.get("actionid", "").strip()
        if action_id not in self._of_id:
            return None
        while (sent := self._next()).action_id != action_id:
            pass
        return sent

    def _next(self) -> Sent:
        """Wait no more for the oldest."""
        sent = self._waiting.popleft()
        if self._of_id[sent.action_id] == 1:
            del self._of_id[sent.action_id]
        else:
            self._of_id[sent.action_id] -= 1
        self._logins -= sent.user is not None
        return sent


def _as_answered(action_id: str) -> str:
    """An ActionID as it comes back: bytes that are no UTF-8 are replaced there."""
    return action_id.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()


def surely_not_dialled(sent: Sent, response: Mapping[str, str]) -> bool:
    """Whether a response proves that Asterisk dialled nothing for a request.

    In doubt it does not: an attempt counted in vain is lost, one that is hidden breaks the law.
    """
    return (
        sent.alone
        and response.get("response", "").lower() == "error"
        and _BEFORE_DIALLING.match(response.get("message", "")) is not None
    )
