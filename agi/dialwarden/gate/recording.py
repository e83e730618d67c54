"""What a callee said during a call, brought to the ledger from any door.

Owns the way from words (a number, a call, an attempt; a campaign; a scope) to the callee they
mean. Effective for the next question: it is on disk when this returns.
"""

from __future__ import annotations

import sqlite3

from dialwarden.errors import DialwardenError, LedgerError
from dialwarden.facts import Scope
from dialwarden.gate.gate import Gate
from dialwarden.gate.rulebook import Entry, Rulebook
from dialwarden.ledger import objections
from dialwarden.ledger.attempt_lookup import FoundAttempt, find, last_of_call
from dialwarden.ledger.consents import last_word_at
from dialwarden.ledger.objections import NewObjection
from dialwarden.log import log
from dialwarden.numbers import Unreadable, read_number
from dialwarden.question import Door
from dialwarden.verdict import Reason

_SHOWN = 40


class RecordingError(DialwardenError):
    """What was said could not be recorded; `reason` is for the person who said it."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.key)


class Recorder:
    """Records what callees say while a bridge runs."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def objection(
        self,
        *,
        number: str = "",
        call: str = "",
        attempt: str = "",
        campaign: str = "",
        scope: str = "",
        door: Door,
        by: str,
    ) -> None:
        """Record that a callee said no.

        Args:
            number, attempt, call: who; the first one that can be read counts, in this order.
            campaign: needed with a number (or the default campaign); else the attempt's own.
            scope: "professional" (the default), "campaign" or "all".
            by: the channel or peer that said so.

        Raises:
            RecordingError: it is not recorded, and why.
        """
        rulebook = self._gate.rulebook
        reach = _scope(scope)
        # A number that is read needs no ledger: its faults are told before anything is queued.
        # Where the attempt or call is known too, it stands in for a number or campaign that is
        # not: the no was said in it.
        callee = None
        try:
            callee = _read_callee(number, campaign, rulebook) if number else None
        except RecordingError:
            if not (call or attempt):
                raise

        def work(conn: sqlite3.Connection) -> tuple[NewObjection, bool]:
            now = self._gate.now()
            if callee is not None:
                digits, entry = callee
                mandate, dialled = entry.mandate, last_of_call(conn, call)
                professional, own_campaign = mandate.professional, mandate.campaign
            else:
                dialled = _found(conn, attempt, call)
                # A campaign that nobody knows is no reason to lose the no: the call has its own.
                named = rulebook.entries.get(campaign)
                professional = named.mandate.professional if named else dialled.professional
                own_campaign = named.mandate.campaign if named else dialled.campaign
                if reach is Scope.CAMPAIGN and not own_campaign:
                    raise RecordingError(Reason("campaign_missing"))
                # And a number that can be read as that call's were is who said it.
                digits = _digits_within(number, dialled, rulebook)
            known = dialled is not None and dialled.number == digits
            new = NewObjection(
                number=digits,
                person=dialled.person if dialled is not None and known else "",
                professional=professional,
                campaign=own_campaign,
                at=last_word_at(conn, digits, now),
                recorded_at=now,
                door=door,
                scope=reach,
                by=by,
            )
            return new, objections.add(conn, new)

        try:
            new, _ = await self._gate.ledger.transact(work)
        except LedgerError as error:
            raise RecordingError(Reason("unavailable_ledger", {"why": error.what})) from error
        log.info(
            "objection of %s to %s recorded (scope %s)",
            self._gate.shown(f"+{new.number}"), new.professional, new.scope.value,
        )  # fmt: skip


def _scope(text: str) -> Scope:
    """How far a no reaches; one that cannot be read is as one that says nothing.

    It is told, and the no is not lost over it.
    """
    try:
        return Scope(text.strip().lower() or Scope.PROFESSIONAL)
    except ValueError:
        log.warning(
            "objection: scope %a is none of professional, campaign and all; recorded as %s",
            text[:_SHOWN], Scope.PROFESSIONAL.value,
        )  # fmt: skip
        return Scope.PROFESSIONAL


def _attempt_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _read_callee(number: str, campaign: str, rulebook: Rulebook) -> tuple[int, Entry]:
    campaign = campaign or rulebook.default_campaign
    entry = rulebook.entries.get(campaign)
    if entry is None:
        raise RecordingError(_unknown_campaign(campaign, rulebook))
    read = read_number(number, region=entry.region, strips=rulebook.strips)
    if isinstance(read, Unreadable):
        values = {"detail": read.detail, "region": entry.region}
        raise RecordingError(Reason(f"number_{read.code}", values))
    return read.digits, entry


def _found(conn: sqlite3.Connection, attempt: str, call: str) -> FoundAttempt:
    """The attempt named, or the last one of the call: either is enough."""
    attempt_id = _attempt_id(attempt)
    found = find(conn, attempt_id) if attempt_id is not None else None
    found = found or last_of_call(conn, call)
    if found is not None:
        return found
    if attempt and attempt_id is None:
        raise RecordingError(_wrong("attempt", attempt, "the number in DIALWARDEN_ATTEMPT"))
    what = f"attempt {attempt_id}" if attempt else f"call {call[:_SHOWN]!a}"
    raise RecordingError(Reason("recording_no_attempt", {"what": what}))


def _digits_within(number: str, dialled: FoundAttempt, rulebook: Rulebook) -> int:
    """The number said, read by the campaign of the call it was said in; else the one called."""
    entry = rulebook.entries.get(dialled.campaign)
    read = read_number(number, region=entry.region if entry else "", strips=rulebook.strips)
    return dialled.number if isinstance(read, Unreadable) else read.digits


def _unknown_campaign(campaign: str, rulebook: Rulebook) -> Reason:
    if not campaign:
        return Reason("campaign_missing")
    known = ", ".join(sorted(rulebook.entries)) or "none"
    return Reason("campaign_unknown", {"campaign": ascii(campaign[:_SHOWN]), "known": known})


def _wrong(key: str, found: str, allowed: str) -> Reason:
    values = {"key": key, "found": ascii(found[:_SHOWN]), "allowed": allowed}
    return Reason("unavailable_question", values)
