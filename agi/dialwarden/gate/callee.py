"""Whom a peer's words mean: a number, an attempt or a call, made into a callee of a professional.

Owns the two ways to take such words. A no and a silent call must not be lost: what cannot be read
gives way to what can. A yes must not reach further than it was said: there every word must be
read. Records nothing; what was said of the callee is `recording`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from dialwarden.errors import DialwardenError
from dialwarden.gate.reading import detail_of
from dialwarden.gate.rulebook import Entry, Rulebook
from dialwarden.ledger.attempt_lookup import FoundAttempt, find, last_of_call
from dialwarden.numbers import Unreadable, read_number, zone
from dialwarden.verdict import Phrase, Reason

SHOWN = 40  # characters of what a peer sent, as far as they stand in reasons


class RecordingError(DialwardenError):
    """What was said could not be recorded; `reason` is for the person who said it."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.key)


@dataclass(frozen=True, slots=True)
class Words:
    """Whom something was said of, as a peer wrote it; "" is a word that was not given.

    Attributes:
        number, attempt, call: who; the first one that can be read counts, in this order.
        campaign: needed with a number (or the default campaign); else the attempt's own.
    """

    number: str = ""
    attempt: str = ""
    call: str = ""
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom the words mean, and for whom they are recorded.

    Attributes:
        number: the digits of E.164.
        campaign: "" where nobody knows it: that of a call made before our time.
        attempt: the attempt named, or the last one of the call, where it was to reach this very
            number; else None.
    """

    number: int
    professional: str
    campaign: str
    attempt: FoundAttempt | None

    @property
    def person(self) -> str:
        """The id that joins the consumer's numbers; "" when it is not known."""
        return self.attempt.person if self.attempt else ""

    def zones(self) -> tuple[tzinfo, ...]:
        """Where the callee may be: as the call was judged, else as the number says."""
        names = self.attempt.zones if self.attempt else ()
        if not names:
            read = read_number(f"+{self.number}", region="")
            places = () if isinstance(read, Unreadable) else read.places
            names = tuple(dict.fromkeys(place.zone for place in places))
        return tuple(zone(name) for name in names)


# Looks into the ledger for those whom only an attempt or a call names.
Finder = Callable[[sqlite3.Connection], Callee]


def callee_finder(words: Words, rulebook: Rulebook, *, exact: bool) -> Finder:
    """What finds the callee whom the words mean.

    Args:
        exact: True refuses whatever cannot be read. False lets the attempt or the call stand in
            for a number or a campaign that cannot, and the call for an attempt.

    Raises:
        RecordingError: nobody is meant, as far as that can be told without the ledger; the finder
            raises it for the rest.
    """
    told: tuple[int, Entry] | None = None
    try:
        if words.number:
            told = _read_callee(words, rulebook)
        elif exact and words.campaign and words.campaign not in rulebook.entries:
            raise RecordingError(_unknown_campaign(words.campaign, rulebook))
    except RecordingError:
        if exact or not (words.attempt or words.call):
            raise

    def find_callee(conn: sqlite3.Connection) -> Callee:
        if told is not None:
            digits, entry = told
            dialled = _dialled(conn, words)
            professional, campaign = entry.mandate.professional, entry.mandate.campaign
        else:
            dialled = _found(conn, words, exact=exact)
            # A campaign that nobody knows is no reason to lose a no: the call has its own.
            named = rulebook.entries.get(words.campaign)
            professional = named.mandate.professional if named else dialled.professional
            campaign = named.mandate.campaign if named else dialled.campaign
            # And a number that can be read as that call's were is who said it.
            digits = _digits_within(words.number, dialled, rulebook)
        reached = dialled is not None and dialled.number == digits
        return Callee(digits, professional, campaign, dialled if reached else None)

    return find_callee


def _read_callee(words: Words, rulebook: Rulebook) -> tuple[int, Entry]:
    campaign = words.campaign or rulebook.default_campaign
    entry = rulebook.entries.get(campaign)
    if entry is None:
        raise RecordingError(_unknown_campaign(campaign, rulebook))
    read = read_number(words.number, region=entry.region, strips=rulebook.strips)
    if isinstance(read, Unreadable):
        values = {"detail": detail_of(read), "region": entry.region}
        raise RecordingError(Reason(f"number_{read.code}", values))
    return read.digits, entry


def _dialled(conn: sqlite3.Connection, words: Words) -> FoundAttempt | None:
    """The attempt named, else the last one of the call; None when neither is in the ledger."""
    attempt_id = _attempt_id(words.attempt)
    named = find(conn, attempt_id) if attempt_id is not None else None
    return named or last_of_call(conn, words.call)


def _found(conn: sqlite3.Connection, words: Words, *, exact: bool) -> FoundAttempt:
    """The attempt named, or the last one of the call; unless `exact`, either is enough."""
    named_alone = exact and words.attempt
    found = _dialled(conn, Words(attempt=words.attempt) if named_alone else words)
    if found is not None:
        return found
    attempt_id = _attempt_id(words.attempt)
    if words.attempt and attempt_id is None:
        allowed = Phrase("the number in DIALWARDEN_ATTEMPT")
        values = {"key": "attempt", "found": ascii(words.attempt[:SHOWN]), "allowed": allowed}
        raise RecordingError(Reason("unavailable_question", values))
    if words.attempt:
        what = Phrase("attempt {id}", {"id": attempt_id})
    else:
        what = Phrase("call {id}", {"id": ascii(words.call[:SHOWN])})
    raise RecordingError(Reason("recording_no_attempt", {"what": what}))


def _attempt_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _digits_within(number: str, dialled: FoundAttempt, rulebook: Rulebook) -> int:
    """The number said, read by the campaign of the call it was said in; else the one called."""
    entry = rulebook.entries.get(dialled.campaign)
    read = read_number(number, region=entry.region if entry else "", strips=rulebook.strips)
    return dialled.number if isinstance(read, Unreadable) else read.digits


def _unknown_campaign(campaign: str, rulebook: Rulebook) -> Reason:
    if not campaign:
        return Reason("campaign_missing")
    known = ", ".join(sorted(rulebook.entries)) or Phrase("none")
    return Reason("campaign_unknown", {"campaign": ascii(campaign[:SHOWN]), "known": known})
