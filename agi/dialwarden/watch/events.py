"""The events of Asterisk's manager interface that we heed, and how their words are read.

Pure. Names of events and headers are in lower case, as the link hands them on. Read from Asterisk's
main/manager_channels.c (Newchannel, Newstate, DialBegin, DialState, DialEnd, Hangup), its
include/asterisk/channelstate.h and causes.h.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

Event = Mapping[str, str]

WANTED = frozenset(
    {
        "newchannel", "newstate", "rename", "dialbegin", "dialstate", "dialend", "hangup",
        "userevent",
    }
)  # fmt: skip

# channelstate.h
STATE_RINGING = "5"
STATE_UP = "6"
# Of a leg that was dialled and that nobody has answered: down, reserved, off hook, dialling,
# ringing.
UNANSWERED = frozenset({"0", "1", "2", "3", "5"})

# What a DialState says when the callee's side has been reached: early media is heard there too.
REACHED = frozenset({"RINGING", "PROGRESS"})

CAUSE_BUSY = 17


class Ended(enum.StrEnum):
    """DialEnd's DialStatus, as far as it says what became of a leg."""

    ANSWER = "ANSWER"
    BUSY = "BUSY"
    CANCEL = "CANCEL"


def ids_of(event: Event) -> tuple[str, ...]:
    """What the call of a dial may be known by: the leg's own ids first, then its caller's."""
    names = ("destuniqueid", "destlinkedid", "uniqueid", "linkedid")
    return tuple(dict.fromkeys(event[name] for name in names if event.get(name)))


def cause_of(event: Event) -> int | None:
    """A Hangup's cause; None when it is no number."""
    text = event.get("cause", "")
    return int(text) if text.isascii() and text.isdecimal() else None


def is_local(channel: str) -> bool:
    """Whether a channel is one of Asterisk's own loops: it ends at no phone."""
    return channel.lower().startswith("local/")
