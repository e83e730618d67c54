"""What a callee said or met with during a call, brought to the ledger from any door.

Owns the way from words to a record: how far a no and a yes reach, until when, and which instant
each is dated. Effective for the next question: it is on disk when this returns.

A no that cannot be read whole is recorded as far as it can be; a yes, which lets calls out, is
recorded exactly as it was said or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from dialwarden.errors import LedgerError
from dialwarden.facts import Scope
from dialwarden.gate.callee import SHOWN, Callee, RecordingError, Words, callee_finder
from dialwarden.gate.gate import Gate
from dialwarden.gate.rulebook import Rulebook
from dialwarden.imports.instants import InstantError, NoOffset, read_date, read_instant
from dialwarden.ledger import appointments, consents, objections, silent_calls
from dialwarden.ledger.consents import NewConsent, after_every_no, last_word_at
from dialwarden.ledger.objections import NewObjection
from dialwarden.ledger.silent_calls import NewSilentCall
from dialwarden.log import log
from dialwarden.question import Door, Purpose
from dialwarden.verdict import Reason

T = TypeVar("T")

# The scope of a consent that is no name of a purpose, a sector or a campaign.
_PROFESSIONAL = "professional"
_INSTANT = "2026-12-24T18:30+01:00"
_ZONES_SHOWN = 3


class Recorder:
    """Records what callees say and meet with while a bridge runs.

    Every method takes the words that say whom it is about as keywords: `number`, `attempt`,
    `call`, `campaign`, see `Words`; and `by`, the channel or peer that said so. Each raises
    `RecordingError` when it did not record, and says why.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def objection(self, *, scope: str = "", door: Door, by: str, **who: str) -> None:
        """Record that a callee said no.

        Where the attempt or call is known too, it stands in for a number or campaign that cannot
        be read: the no was said in it.

        Args:
            scope: "professional" (the default), "campaign" or "all".

        Raises:
            RecordingError: it is not recorded, and why.
        """
        reach = _reach_of_no(scope)
        find = callee_finder(Words(**who), self._gate.rulebook, exact=False)

        def work(conn: sqlite3.Connection) -> NewObjection:
            callee, now = find(conn), self._gate.now()
            if reach is Scope.CAMPAIGN:
                _need_campaign(callee)
            new = NewObjection(
                number=callee.number,
                person=callee.person,
                professional=callee.professional,
                campaign=callee.campaign,
                at=last_word_at(conn, callee.number, now),
                recorded_at=now,
                door=door,
                scope=reach,
                by=by,
            )
            objections.add(conn, new)
            return new

        new = await self._write(work)
        log.info(
            "objection of %s to %s recorded (scope %s)",
            self._shown(new.number), new.professional, new.scope.value,
        )  # fmt: skip

    async def consent(
        self, *, until: str = "", scope: str = "", proof: str = "", by: str, **who: str
    ) -> None:
        """Record that a callee said yes; dated later than every no on record.

        Args:
            until: the last day on which it is good, 2026-12-24; "" for the law's own limit.
            scope: "professional" (the default), "campaign" for the one it is given in, or the
                name of a purpose, a configured sector or campaign.
            proof: where the record of it is.

        Raises:
            RecordingError: it is not recorded, and why: nothing is taken for something else.
        """
        rulebook = self._gate.rulebook
        last_day = _read_last_day(until)
        reach = _reach_of_yes(scope, rulebook)
        find = callee_finder(Words(**who), rulebook, exact=True)

        def work(conn: sqlite3.Connection) -> NewConsent:
            callee, now = find(conn), self._gate.now()
            if reach == Scope.CAMPAIGN:
                _need_campaign(callee)
            given_at = after_every_no(
                conn,
                number=callee.number,
                professional=callee.professional,
                person=callee.person,
                now=now,
            )
            _check_last_day(last_day, given_at, callee)
            new = NewConsent(
                number=callee.number,
                professional=callee.professional,
                campaign=callee.campaign,
                given_at=given_at,
                recorded_at=now,
                until=last_day,
                scope=callee.campaign if reach == Scope.CAMPAIGN else reach,
                proof=proof,
                by=by,
            )
            consents.grant(conn, new)
            return new

        new = await self._write(work)
        log.info(
            "consent of %s to %s recorded (scope %s)",
            self._shown(new.number), new.professional, new.scope,
        )  # fmt: skip

    async def appointment(self, *, at: str, by: str, **who: str) -> None:
        """Record that a callee agreed to be called at an instant, for the campaign.

        Args:
            at: ISO 8601; without an offset it is the callee's local time, if that is known.

        Raises:
            RecordingError: it is not recorded, and why: nothing is taken for something else.
        """
        if not at:
            raise RecordingError(Reason("recording_at_missing", {"example": _INSTANT}))
        find = callee_finder(Words(**who), self._gate.rulebook, exact=True)

        def work(conn: sqlite3.Connection) -> Callee:
            callee, now = find(conn), self._gate.now()
            _need_campaign(callee)
            appointments.add(
                conn,
                number=callee.number,
                professional=callee.professional,
                campaign=callee.campaign,
                at=_read_ahead(at, callee, now),
                recorded_at=now,
                by=by,
            )
            return callee

        callee = await self._write(work)
        log.info(
            "appointment of %s with %s recorded",
            self._shown(callee.number), callee.professional,
        )  # fmt: skip

    async def silent(self, *, by: str, **who: str) -> None:
        """Record that a callee answered and no agent took the call; once for an attempt.

        What cannot be read gives way to what can, as for an objection.

        Raises:
            RecordingError: it is not recorded, and why.
        """
        find = callee_finder(Words(**who), self._gate.rulebook, exact=False)

        def work(conn: sqlite3.Connection) -> Callee:
            callee, now = find(conn), self._gate.now()
            new = NewSilentCall(
                number=callee.number,
                person=callee.person,
                professional=callee.professional,
                campaign=callee.campaign,
                at=silent_calls.after_its_call(
                    conn, number=callee.number, professional=callee.professional, now=now
                ),
                recorded_at=now,
                attempt=callee.attempt.id if callee.attempt else None,
                by=by,
            )
            silent_calls.add(conn, new)
            return callee

        callee = await self._write(work)
        log.info(
            "silent call to %s for %s recorded", self._shown(callee.number), callee.professional
        )

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._gate.ledger.transact(work)
        except LedgerError as error:
            raise RecordingError(Reason("unavailable_ledger", {"why": error.what})) from error

    def _shown(self, number: int) -> str:
        return self._gate.shown(f"+{number}")


def _need_campaign(callee: Callee) -> None:
    if not callee.campaign:
        raise RecordingError(Reason("campaign_missing"))


def _reach_of_no(text: str) -> Scope:
    """How far a no reaches; one that cannot be read is as one that says nothing.

    It is told, and the no is not lost over it.
    """
    try:
        return Scope(text.strip().lower() or Scope.PROFESSIONAL)
    except ValueError:
        log.warning(
            "objection: scope %a is none of professional, campaign and all; recorded as %s",
            text[:SHOWN], Scope.PROFESSIONAL.value,
        )  # fmt: skip
        return Scope.PROFESSIONAL


def _reach_of_yes(text: str, rulebook: Rulebook) -> str:
    """What a yes is for: "professional", "campaign", or the name of what it is for."""
    scope = text.strip() or _PROFESSIONAL
    entries = rulebook.entries
    sectors = {entry.mandate.sector for entry in entries.values()} - {""}
    if scope in {_PROFESSIONAL, Scope.CAMPAIGN, *Purpose, *sectors, *entries}:
        return scope
    values: dict[str, object] = {
        "scope": ascii(scope[:SHOWN]),
        "purposes": tuple(Purpose),
        "known": tuple(sorted({*sectors, *entries})),
    }
    raise RecordingError(Reason("recording_scope", values))


def _read_last_day(text: str) -> date | None:
    try:
        return read_date(text) if text else None
    except InstantError:
        raise RecordingError(Reason("recording_until", {"found": ascii(text[:SHOWN])})) from None


def _check_last_day(last_day: date | None, given_at: datetime, callee: Callee) -> None:
    # Where the callee may be in several zones, it is over only if it is over in each.
    given = min(given_at.astimezone(zone).date() for zone in callee.zones() or (UTC,))
    if last_day is not None and last_day < given:
        raise RecordingError(Reason("recording_until_past", {"last": last_day, "given": given}))


def _read_ahead(text: str, callee: Callee, now: datetime) -> datetime:
    """The instant that was agreed on; it lies ahead."""
    zones = callee.zones()
    found = ascii(text[:SHOWN])
    values: dict[str, object]
    try:
        at = read_instant(text, zones)
    except NoOffset:
        # A number of North America may be in dozens.
        names = (*map(str, zones[:_ZONES_SHOWN]), *("…" for _ in zones[_ZONES_SHOWN:][:1]))
        values = {"found": found, "zones": names, "example": _INSTANT}
        raise RecordingError(Reason("recording_at_offset", values)) from None
    except InstantError:
        values = {"found": found, "example": _INSTANT}
        raise RecordingError(Reason("recording_at", values)) from None
    if at < now:
        local = at.astimezone(zones[0] if zones else UTC)
        raise RecordingError(Reason("recording_at_past", {"at": local}))
    return at
