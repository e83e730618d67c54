"""The ways in which dialwarden, or what stands in its place, can fail; and what a caller must get.

Owns their names and the order in which they are tried. Knows no socket and no Asterisk.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

# One of the numbers that the French regulator keeps for films: it rings nowhere.
NUMBER = "0639980001"
EMERGENCY = "112"
CAMPAIGN = "selftest"


class Plug(enum.Enum):
    """A way to fail, in the words that follow "dialwarden …"."""

    WORKS = "works, and allows"
    KILLED = "is dead (kill -9): nothing listens"
    STOPPED = "stands still (SIGSTOP): connected to, and never answers"
    UNREACHABLE = "cannot be connected to: its queue is full"
    SILENT = "takes the question and says nothing"
    SLOW = "answers ALLOW, a second too late"
    CLOSES = "takes the question and closes without a word"
    SLAMS = "closes before it has read anything"
    HALF_CLOSES = "closes its own side only"
    GARBAGE = "answers what is no AGI command"
    BINARY = "answers bytes that are no text"
    CUT_OFF = "is cut off in the middle of an ALLOW"
    NO_NUMBER = "answers ALLOW, and no number to dial"
    NO_VERDICT = "answers what is no verdict"
    HANGS = "begins a line, and neither ends it nor closes"


# A real bridge stands behind these; a stand-in that fails on purpose behind the others.
REAL = (Plug.WORKS, Plug.STOPPED, Plug.KILLED)

# Asterisk (16 and 22, res/res_agi.c, `run_agi`) reads a line to its end whatever else happens: no
# timeout and no hang-up takes a channel out of that. The call is held, and never let go. The bridge
# sends its line in one piece, so that only something else on its port can do this.
HELD = (Plug.HANGS,)


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller got.

    Attributes:
        verdict, rule, reason: DIALWARDEN_VERDICT and its companions once the dialplan went on;
            verdict is "" where it never did.
        left: the call reached the trunk's place.
        agi: AGISTATUS, which tells nothing: it is shown because people look at it.
        cause: what the caller's channel was hung up with; None where nobody told.
        after_s: seconds from the call until the dialplan went on.
    """

    verdict: str = ""
    rule: str = ""
    reason: str = ""
    left: bool = False
    agi: str = ""
    cause: int | None = None
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """One plug pulled.

    Attributes:
        call: what an ordinary call got; of a call that was held, nothing.
        emergency: what a call to 112 got; None where there was no dialplan to show it.
    """

    plug: Plug
    call: Told
    emergency: Told | None

    @property
    def ok(self) -> bool:
        """Whether the call was held back, or let go where all is well, and 112 left."""
        if self.emergency is not None and not self.emergency.left:
            return False
        if self.plug in HELD:
            return not self.call.left and self.call.verdict != "ALLOW"
        wanted = self.plug is Plug.WORKS
        told = self.call.verdict == ("ALLOW" if wanted else "REFUSE")
        return told and self.call.left is wanted
