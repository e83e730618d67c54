"""What is asked of the gate: the facts that the asker gives, before anything is looked up.

Owns the parsing of the question's own words (relationship, purpose, dial). Refuses to know where
the question came from: the doors build it, the gate answers it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from datetime import date


class QuestionError(ValueError):
    """A word of the question cannot be read.

    Attributes:
        key: the key of the question, as in design of the dialplan contract ("relationship").
        found: what was given.
        allowed: what may be given, as one phrase in English, by which the catalogues know it.
    """

    def __init__(self, key: str, found: str, allowed: str) -> None:
        self.key = key
        self.found = found
        self.allowed = allowed
        super().__init__(f"{key}={found!r}: use {allowed}")


class Purpose(enum.StrEnum):
    SALES = "sales"
    SURVEY = "survey"
    SERVICE = "service"


class Dialling(enum.StrEnum):
    """How the call is placed: by a person for each call, or by a machine."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class Door(enum.StrEnum):
    """Where a question came in, or where an attempt was learnt of."""

    AGI = "agi"
    GATEWAY = "gateway"
    GUARD = "guard"
    AMI = "ami"
    CLI = "cli"
    IMPORT = "import"


class Bond(enum.StrEnum):
    """The kind of relationship that the callee has with the professional."""

    CONTRACT = "contract"  # a contract in force, and a call related to its object
    ENDED = "ended"  # a contract that ended on a date
    PRESS = "press"  # newspapers, periodicals and magazines
    REQUEST = "request"  # the callee asked for information on a date


_RELATIONSHIP = re.compile(r"(contract|press)|(ended|request) *: *([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Relationship:
    """A bond and, for `ended` and `request`, the local date it dates from."""

    bond: Bond
    since: date | None = None

    @classmethod
    def parse(cls, text: str) -> Relationship | None:
        """Read `contract`, `ended:DATE`, `press` or `request:DATE`; "" is no relationship.

        Raises:
            QuestionError: anything else; a claim we cannot read is no exemption.
        """
        if not text:
            return None
        allowed = "contract, ended:YYYY-MM-DD, press or request:YYYY-MM-DD"
        match = _RELATIONSHIP.fullmatch(text.strip().lower())
        try:
            if match is None:
                raise ValueError
            since = date.fromisoformat(match[3]) if match[3] else None
            return cls(Bond(match[1] or match[2]), since)
        except ValueError:
            raise QuestionError("relationship", text, allowed) from None


# What stands in a caller id's place when it is withheld: SIP's anonymous, Asterisk's names for the
# presentation, and what people write.
_WITHHELD = frozenset(
    {
        "anonymous", "blocked", "hidden", "private", "prohib", "restricted", "unavailable",
        "unknown", "withheld",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallerId:
    """The number that the callee is shown.

    Attributes:
        shown: as the asker wrote it.
        e164: with its +; "" when it is withheld or no number.
        withheld: it is a word that says so.
        digits: as declared numbers are compared: E.164 without the +, else what is shown.
    """

    shown: str
    e164: str = ""
    withheld: bool = field(init=False)
    digits: str = field(init=False)

    def __post_init__(self) -> None:
        shown = self.shown.strip()
        withheld = not self.e164 and shown.lower().partition("@")[0] in _WITHHELD
        object.__setattr__(self, "withheld", withheld)
        object.__setattr__(self, "digits", self.e164.removeprefix("+") or shown)


# Not frozen: a frozen one of these takes twice the time to make, and each call makes one.
@dataclass(slots=True)
class Question:
    """May this number be called now, for this campaign?

    Attributes:
        dialled: the number as the asker wrote it.
        campaign: name of the campaign; "" asks for the configured default.
        call: what joins the legs of one call (Asterisk's linkedid); "" for a dry question.
        caller_id: the number to be presented to the callee, or a word such as "anonymous" when it
            is withheld; None when nobody said.
        region: ISO 3166 code of where the callee is; "" when nobody said.
        person: an id that joins one consumer's numbers; "" for the number alone.
        dial_status: DIALSTATUS of the previous dial on the asking channel, "" when there was none.
        rang: that dial rang or played early media, whatever its status says: somebody was reached.
        permit: the ChannelId that the call is to travel as, where the door gives it one; it must
            never have been one before. "" where the call has its id already.
        unbound: the leg will carry no id that anybody could give it (the console's `originate`):
            its number alone tells whose it is.
        asked_by: channel or peer, for the record only.
        faults: why its words cannot be trusted, a sentence each: a key given twice, the torn half
            of a value with a comma. Such a question is refused, rule `number`.
        misread: a word that could not be read. Such a question is refused, rule `unavailable`:
            a claim that we cannot read is no exemption.
    """

    dialled: str
    campaign: str = ""
    call: str = ""
    caller_id: str | None = None
    region: str = ""
    relationship: Relationship | None = None
    purpose: Purpose | None = None
    dialling: Dialling | None = None
    person: str = ""
    dial_status: str = ""
    rang: bool = False
    permit: str = ""
    unbound: bool = False
    door: Door = Door.CLI
    asked_by: str = ""
    faults: tuple[str, ...] = ()
    misread: QuestionError | None = None
