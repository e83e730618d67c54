"""A destination that a line of the dialplan dials, and how it is told to a person.

Owns what of it a person may read: no secret, no whole number. Refuses to know who asked about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dialwarden.doctor.dialplan_text import Step
from dialwarden.doctor.steps import VALUE
from dialwarden.numbers.mask import mask

# IAX2/user:secret@peer and SIP/user:secret@peer; in sip:user@host the scheme is no user.
_SECRET = re.compile(r"(?<!sip)(?<!sips):[^@/&:]+@")
_NUMBER = re.compile(r"(?<![\d.])\+?\d{7,}")  # of a telephone; an address's parts are shorter
SAMPLE = "33612345678"  # what a variable in the number's place may hold


@dataclass(frozen=True, slots=True)
class Dialled:
    """A destination that a line of the dialplan dials.

    Attributes:
        trunk: whose it is; "" for `dynamic`.
        texts: the destination as it may be, what global variables hold put in.
        number: as it is written there; "" where it is in a variable, or cannot be read.
        dynamic: the endpoint is in a variable.
        text: the destination, with a mark for each variable.
    """

    context: str
    extension: str
    step: Step
    text: str
    trunk: str
    dynamic: bool
    number: str = ""
    texts: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """For a person: without what is in a variable, without secrets and whole numbers."""
        text = _SECRET.sub(":…@", self.text.replace(VALUE, "${…}"))
        return _NUMBER.sub(lambda found: mask(found[0]), text)

    @property
    def samples(self) -> tuple[str, ...]:
        """The destination with a telephone number for each variable; () where it is dynamic."""
        return tuple(text.replace(VALUE, SAMPLE) for text in self.texts)

    @property
    def where(self) -> str:
        return where(self.context, self.extension, self.step)


def where(context: str, extension: str, step: Step) -> str:
    """A line for a person, with file and line where they are known."""
    place = f" ({step.place})" if ":" in step.place else ""
    return f"{extension}@{context} priority {step.priority}{place}"
