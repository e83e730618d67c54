"""How long what is on record of a professional's callees is kept: by the law and by the house.

Owns the figures, and the dates that come of them on a given day. What is kept longer than any of
them asks for is removed, and what still holds is kept without saying of whom. Refuses to know how
rows are found and removed; the day is an argument.

Where several figures meet (several policies of one professional, a house's own years, a cap that
looks back further) the longest holds. Nobody's period is made up: without one, all is kept.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dialwarden.policy.figures import GapAfter
from dialwarden.policy.model import Regime
from dialwarden.policy.period import Period
from dialwarden.policy.terms import Mandate, Terms

HOUSE = "[retention] years"

# Where callees are is not asked row by row: a day is over when it is over in the last zone that
# has it, and began when it began in the first.
_LAST_ZONE = timedelta(hours=-12)
_FIRST_ZONE = timedelta(hours=14)


def history(mandate: Mandate, *, silent: bool = False) -> timedelta:
    """How far back any cap or gap of any regime looks; zero when there is none.

    Args:
        silent: after silent calls too, not after attempts alone.
    """
    longest = timedelta(0)
    for terms in mandate.terms.values():
        gaps = [gap for gap in terms.gaps if silent or gap.after is GapAfter.ATTEMPT]
        periods = [cap.period for cap in terms.caps]
        periods += [gap.period for gap in gaps if gap.period is not None]
        periods += [Period(days=gap.full_days + 1) for gap in terms.gaps if gap.full_days]
        longest = max(longest, *(period.longest for period in periods), timedelta(0))
    return longest


@dataclass(frozen=True, slots=True)
class Span:
    """How long something has an effect: years, then days; `endless` where nothing ends it."""

    years: int = 0
    days: int = 0
    endless: bool = False

    def or_longer(self, other: Span) -> Span:
        return Span(
            max(self.years, other.years),
            max(self.days, other.days),
            self.endless or other.endless,
        )


ENDLESS = Span(endless=True)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what concerns one professional is kept.

    Attributes:
        years: the evidence period; None: none is known, and all is kept.
        source: where that stands.
        history: how far back its caps, gaps and shares look.
        silence_stays: after a silent call a call must have an agent first, however long ago it
            was: one that no such call followed is never over.
        noes: how long an objection has any effect.
        withdrawals: how long a withdrawal has any: a consent from before it may come with an
            import.
        consents: by regime that asks for consents or heeds them, the greatest age in years (None:
            any) and the regime's last day (None: it has none).
    """

    years: int | None
    source: str
    history: timedelta = timedelta(0)
    silence_stays: bool = True
    noes: Span = ENDLESS
    withdrawals: Span = ENDLESS
    consents: tuple[tuple[int | None, date | None], ...] = ((None, None),)

    def on(self, now: datetime) -> Cut:
        """What of it is over at an instant, aware."""
        if self.years is None:
            return Cut(self, None, None, None, None, None, None)
        today = (now.astimezone(UTC) + _LAST_ZONE).date()
        first = years_before(today, self.years)
        proof = _begins(first)
        oldest = min(proof, now.astimezone(UTC) - self.history)
        return Cut(
            self,
            before=oldest,
            proof_before=proof,
            last_day_before=first,
            consents_before=self._consents_before(first, proof),
            noes_before=_over(self.noes, today, proof),
            withdrawals_before=_over(self.withdrawals, today, proof),
        )

    def _consents_before(self, first: date, proof: datetime) -> datetime | None:
        """Consents given earlier were good for the last time before the day `first`."""
        earliest = proof
        for years, end in self.consents:
            if end is not None and end < first:
                continue
            if years is None:
                return None
            earliest = min(earliest, _begins(years_before(first, years)))
        return earliest


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a professional's is over; each is the instant before which it is, None: never.

    Attributes:
        before: attempts, refusals, appointments and silent calls: no longer proof, and out of the
            sight of every cap and gap.
        proof_before: objections, withdrawals and consents are no longer proof.
        last_day_before: a consent whose own last day is earlier was over in time.
        consents_before: a consent given earlier was over in time by the law's greatest age.
        noes_before, withdrawals_before: an objection, a withdrawal has no effect any more either.
    """

    keeping: Keeping
    before: datetime | None
    proof_before: datetime | None
    last_day_before: date | None
    consents_before: datetime | None
    noes_before: datetime | None
    withdrawals_before: datetime | None

    @property
    def silence_stays(self) -> bool:
        return self.keeping.silence_stays


@dataclass(frozen=True, slots=True)
class Retention:
    """How long everything is kept.

    Attributes:
        named: by professional that a campaign names.
        others: of everybody else, whom no campaign names any more.
        of_campaign: the professional of each campaign.
    """

    named: Mapping[str, Keeping]
    others: Keeping
    of_campaign: Mapping[str, str]

    def lists_before(self, now: datetime) -> datetime | None:
        """The numbers of a list's version that was imported earlier prove nothing any more.

        Lists are nobody's own: by the longest period that is known; None when none is.
        """
        cuts = [one.on(now).proof_before for one in (*self.named.values(), self.others)]
        return min((cut for cut in cuts if cut is not None), default=None)


def retention(mandates: Iterable[Mandate], house_years: int | None) -> Retention:
    """Work out how long things are kept.

    Args:
        mandates: of all campaigns.
        house_years: the house's own evidence period: for professionals of whom no policy says
            one, and for all others where it is longer.
    """
    mandates = list(mandates)
    professionals = sorted({mandate.professional for mandate in mandates})
    return Retention(
        named={
            name: _keeping([one for one in mandates if one.professional == name], house_years)
            for name in professionals
        },
        others=Keeping(house_years, HOUSE if house_years else ""),
        of_campaign={mandate.campaign: mandate.professional for mandate in mandates},
    )


def evidence(mandates: Iterable[Mandate]) -> tuple[int | None, str]:
    """The longest evidence period of any regime of these policies, and where it stands."""
    longest, source = None, ""
    for mandate in mandates:
        for regime in mandate.policy.regimes:
            years = regime.evidence_years
            if years is not None and (longest is None or years > longest):
                longest, source = years, f"policy {mandate.policy.id}: {regime.evidence_source}"
    return longest, source


def _keeping(mandates: list[Mandate], house_years: int | None) -> Keeping:
    years, source = evidence(mandates)
    if house_years is not None and (years is None or house_years > years):
        years, source = house_years, HOUSE
    every = [terms for mandate in mandates for terms in mandate.terms.values()]
    regimes = [regime for mandate in mandates for regime in mandate.policy.regimes]
    heard = Span()
    for terms in every:
        heard = heard.or_longer(_consents_hold(terms))
    noes = heard
    for terms in every:
        noes = noes.or_longer(
            Span(days=terms.objection.days) if terms.objection.days else ENDLESS,
        )
    return Keeping(
        years=years,
        source=source,
        history=max(
            *(history(mandate, silent=True) for mandate in mandates),
            *(_share(regime) for regime in regimes),
        ),
        silence_stays=any(gap.agent_first for terms in every for gap in terms.gaps),
        noes=noes,
        withdrawals=heard,
        consents=tuple(sorted({_consent_of(regime) for regime in regimes}, key=str)),
    )


def _share(regime: Regime) -> timedelta:
    share = regime.silent_share
    return Period(days=share.days).longest if share and share.days else timedelta(0)


def _consents_hold(terms: Terms) -> Span:
    """How long a consent can do anything, if only lift an objection from before it."""
    rule = terms.consent
    return ENDLESS if rule is None or rule.max_years is None else Span(years=rule.max_years)


def _consent_of(regime: Regime) -> tuple[int | None, date | None]:
    rule = regime.consent
    return (rule.max_years if rule is not None else None), regime.end


def _over(effect: Span, today: date, proof: datetime) -> datetime | None:
    if effect.endless:
        return None
    first = min(today - timedelta(effect.days), years_before(today, effect.years))
    return min(proof, _begins(first))


def years_before(day: date, years: int) -> date:
    """The first date whose anniversary, so many years on, is that day or later.

    The anniversary of 29 February in other years is 1 March: so it is kept longer.
    """
    year = day.year - years
    if year < date.min.year:
        return date.min
    leap, leap_then = calendar.isleap(day.year), calendar.isleap(year)
    if leap and not leap_then and (day.month, day.day) == (2, 29):
        return date(year, 3, 1)
    if leap_then and not leap and (day.month, day.day) == (3, 1):
        return date(year, 2, 29)
    return day.replace(year=year)


def _begins(day: date) -> datetime:
    """The first instant that anybody had that date."""
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day, time(0), UTC) - _FIRST_ZONE
