"""Of two regimes' duties towards a callee, what one asks less of: lists, consent, sectors, numbers.

Owns the comparison of lists, consent, sectors, caller ids, objections, appointments and the share
of silent calls, for `policy.laxer`. Each function yields a sentence for each figure that lets
something through which the other's would not; the other regime is the base, named by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from dialwarden.policy.figures import (
    AppointmentRule,
    CallerIdRule,
    ConsentRule,
    ConsentWhen,
    Exemption,
    ListRule,
    ObjectionRule,
    SectorConsent,
    SectorRule,
    SilentShare,
)
from dialwarden.policy.period import Span
from dialwarden.question import Bond, Purpose

Purposes = frozenset[Purpose]

_MORE_CONSENTS = (SectorConsent.NONE, SectorConsent.SPECIFIC, SectorConsent.ANY)


def objection(ours: ObjectionRule | None, theirs: ObjectionRule | None, base: str) -> Iterator[str]:
    """A regime without a rule holds every no without end: nothing is laxer than that."""
    if ours is None:
        return
    days = theirs.days if theirs else 0
    if ours.days and (not days or ours.days < days):
        whole = f"{days} full days" if days else "until a later consent"
        yield f"a no holds {ours.days} full days; {whole} in {base}"
    for bond in sorted(ours.floor_for):
        before = theirs.floor_days if theirs and bond in theirs.floor_for else days
        if not before or ours.floor_days < before:
            whole = f"{before} full days" if before else "until a later consent"
            yield f"a no holds {ours.floor_days} full days for {bond}; {whole} in {base}"


def lists(
    ours: Iterable[ListRule], theirs: Iterable[ListRule], purposes: Purposes, base: str
) -> Iterator[str]:
    """Args: purposes: those that both regimes bind, or that neither binds by itself."""
    here = {rule.name: rule for rule in ours}
    for rule in theirs:
        own = here.get(rule.name)
        if own is None:
            yield f"{rule.name} is not asked; it is in {base}"
            continue
        yield from (f"{rule.name} {told}" for told in _list(own, rule, base))
        yield from _unbound(f"{rule.name}: ", own.purposes, rule.purposes & purposes, base)


def _list(ours: ListRule, theirs: ListRule, base: str) -> Iterator[str]:
    age, before = ours.max_age_days, theirs.max_age_days
    if before is not None and (age is None or age > before):
        told = "of any age" if age is None else f"{age} days old"
        yield f"may be {told}; {before} days in {base}"
    yield from exemption(ours.exempt, theirs.exempt, base)
    if ours.later_consent_wins and not theirs.later_consent_wins:
        yield f"gives way to a later consent; it does not in {base}"


def consent(
    ours: ConsentRule | None, theirs: ConsentRule | None, purposes: Purposes, base: str
) -> Iterator[str]:
    lifted = (ours.waives if ours else frozenset()) - (theirs.waives if theirs else frozenset())
    if lifted:
        yield f"a consent lifts {', '.join(sorted(lifted))}; it does not in {base}"
    if theirs is None or not theirs.required:
        return
    if ours is None or not ours.required:
        yield f"no consent is required; it is in {base}"
        return
    if ours.when is not theirs.when and ours.when is not ConsentWhen.ALWAYS:
        yield f'required when = "{ours.when}"; "{theirs.when}" in {base}'
    if theirs.max_years and (not ours.max_years or ours.max_years > theirs.max_years):
        told = f"for {ours.max_years} years" if ours.max_years else "without end"
        yield f"a consent is good {told}; for {theirs.max_years} in {base}"
    if theirs.void_before and (not ours.void_before or ours.void_before < theirs.void_before):
        told = f"before {ours.void_before}" if ours.void_before else "on no day"
        yield f"void if given {told}; before {theirs.void_before} in {base}"
    yield from exemption(ours.exempt, theirs.exempt, base)
    yield from _unbound("", ours.purposes, theirs.purposes & purposes, base)


def appointments(
    ours: AppointmentRule | None, theirs: AppointmentRule | None, base: str
) -> Iterator[str]:
    if ours is None:
        return
    if theirs is None:
        yield f"an appointment lifts {', '.join(sorted(ours.waives))}; it does not in {base}"
        return
    if ours.tolerance > theirs.tolerance:
        here, there = (int(one.tolerance.total_seconds()) // 60 for one in (ours, theirs))
        yield f"an appointment holds for {here} minutes around it; {there} in {base}"
    if ours.waives - theirs.waives:
        lifted = ", ".join(sorted(ours.waives - theirs.waives))
        yield f"an appointment lifts {lifted}; it does not in {base}"


def silent_share(ours: SilentShare | None, theirs: SilentShare | None, base: str) -> Iterator[str]:
    """A share over another number of days is told: either may be the laxer one."""
    if theirs is None:
        return
    here = _share(ours) if ours else "any share of silent calls"
    if ours is None or ours.percent > theirs.percent or ours.days != theirs.days:
        yield f"{here}; {_share(theirs)} in {base}"


def _share(share: SilentShare) -> str:
    over = f"{share.days} days" if share.days else "the whole campaign"
    return f"at most {share.percent} % silent calls over {over}"


def exemption(ours: Exemption, theirs: Exemption, base: str) -> Iterator[str]:
    """Whom ours exempts and theirs does not, or not for as long."""
    limits = {
        Bond.ENDED: ("a contract that ended", ours.ended_within, theirs.ended_within),
        Bond.REQUEST: ("a request", ours.requested_within, theirs.requested_within),
    }
    for bond in sorted(ours.bonds - theirs.bonds):
        _, _, before = limits.get(bond, ("", None, None))
        there = f"within {before} in {base}" if before else f"{base} does not"
        yield f"exempts {bond}{' without limit' if before else ''}; {there}"
    for bond, (what, limit, before) in limits.items():
        if limit is None or bond in theirs.bonds:
            continue
        if before is None:
            yield f"exempts {what} within {limit}; {base} does not"
        elif may_be_longer(limit, before):
            yield f"exempts {what} within {limit}; within {before} in {base}"


def may_be_longer(ours: Span, theirs: Span) -> bool:
    """Whether some date lies in the first span and not in the second; yes when in doubt."""
    (amount, unit), (other, other_unit) = ours.amount_and_unit, theirs.amount_and_unit
    return amount > other if unit == other_unit else _most_days(ours) > _fewest_days(theirs)


def _most_days(span: Span) -> int:
    # As `Span.holds` looks for working days: twice as many days, and a fortnight of holidays.
    return span.days or 31 * span.months or 2 * span.working_days + 14


def _fewest_days(span: Span) -> int:
    return span.days or 28 * span.months or span.working_days


Dates = tuple[date, date]


def dates_of(rule: SectorRule | CallerIdRule, within: Dates) -> Dates:
    """The days on which a rule holds, of those given; the first after the last when on none."""
    return max(rule.start or within[0], within[0]), min(rule.end or within[1], within[1])


def sectors(
    ours: Iterable[SectorRule],
    theirs: Iterable[SectorRule],
    purposes: Purposes,
    within: Dates,
    base: str,
) -> Iterator[str]:
    """Args: within: the days on which both regimes are in force."""
    here = list(ours)
    for rule in theirs:
        for sector in sorted(rule.sectors):
            asked = dates_of(rule, within)
            if asked[0] > asked[1]:
                continue
            own = [one for one in here if sector in one.sectors]
            if not own:
                yield f"{sector} may be sold; not in {base}"
                continue
            # Any one as strict is enough; else what the first lacks is told.
            lacks = [list(_sector(one, rule, purposes, within, base)) for one in own]
            if all(lacks):
                yield from (f"{sector}: {told}" for told in lacks[0])


def _sector(
    ours: SectorRule, theirs: SectorRule, purposes: Purposes, within: Dates, base: str
) -> Iterator[str]:
    if _MORE_CONSENTS.index(ours.consent) > _MORE_CONSENTS.index(theirs.consent):
        yield f'consent = "{ours.consent}" lifts the ban; "{theirs.consent}" in {base}'
    if ours.request_consents and not theirs.request_consents:
        yield f"a request stands for the consent too; not in {base}"
    yield from exemption(ours.exempt, theirs.exempt, base)
    yield from _unheld(ours, theirs, within, base)
    yield from _unbound("", ours.purposes, theirs.purposes & purposes, base)


def caller_ids(
    ours: Iterable[CallerIdRule],
    theirs: Iterable[CallerIdRule],
    purposes: Purposes,
    within: Dates,
    base: str,
) -> Iterator[str]:
    """Args: within: the days on which both regimes are in force."""
    for rule in theirs:
        asked = dates_of(rule, within)
        if asked[0] > asked[1]:
            continue
        # As long, for as many calls.
        own = [
            one
            for one in ours
            if one.dialling in (None, rule.dialling)
            and one.purposes >= rule.purposes & purposes
            and dates_of(one, within)[0] <= asked[0]
            and dates_of(one, within)[1] >= asked[1]
        ]
        yield from (f"{told} in {base}, not here" for told in _less_asked(own, rule))


def _less_asked(ours: list[CallerIdRule], theirs: CallerIdRule) -> Iterator[str]:
    if theirs.identified and not any(one.identified for one in ours):
        yield "a number that is not withheld is asked for"
    forbidden = [start for one in ours for start in one.forbidden]
    free = [start for start in theirs.forbidden if not _begun_by(start, forbidden)]
    if free:
        yield f"{', '.join(free)} {'is' if len(free) == 1 else 'are'} forbidden"
    if theirs.required or theirs.declared:
        kept = any(
            (one.required or one.declared)
            and (theirs.declared or not one.declared)
            and all(_begun_by(start, theirs.required) for start in one.required)
            for one in ours
        )
        if not kept:
            named = [*theirs.required, *(["a number declared"] if theirs.declared else [])]
            yield f"one of {', '.join(named)} is asked for"


def _begun_by(start: str, others: Iterable[str]) -> bool:
    return any(start.startswith(other) for other in others)


def _unheld(ours: SectorRule, theirs: SectorRule, within: Dates, base: str) -> Iterator[str]:
    here, asked = dates_of(ours, within), dates_of(theirs, within)
    if here[0] > asked[0]:
        yield f"begins on {here[0]}; on {asked[0]} in {base}"
    if here[1] < asked[1]:
        until = "goes on" if asked[1] == date.max else f"through {asked[1]}"
        yield f"ends on {here[1]}; {until} in {base}"


def _unbound(who: str, ours: Purposes, theirs: Purposes, base: str) -> Iterator[str]:
    left = theirs - ours
    if left:
        yield f"{who}binds no {', '.join(sorted(left))} calls; it does in {base}"
