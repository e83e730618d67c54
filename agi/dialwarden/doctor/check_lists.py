"""Lists and exemptions: is there what the law asks for, is it fresh, and what is let through?

Owns when a list is near its age, and when an exemption covers the public.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dialwarden.doctor.finding import Item, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import LedgerSide, Missing, Snapshot
from dialwarden.numbers import Number, compile_pattern, read_number
from dialwarden.settings.sections import ListKind

_NEAR_DAYS = 5
_NEAR_SHARE = 0.2
# A number block of one's own has a hundred; who exempts more than that exempts the public.
_WIDE = 1000
_LARGE_LIST = 1000
_TRIES = 4000


@dataclass(frozen=True, slots=True)
class _Needed:
    """A list that is asked for today: by whom, and the least greatest age."""

    campaigns: list[str]
    limit_days: int | None


def lists(seen: Snapshot) -> Iterator[Item]:
    """lists: every list that campaigns ask for is there and fresh."""
    ledger = seen.ledger
    if isinstance(ledger, Missing):
        yield unknown(f"not known: {ledger.why}", ledger.do)
        return
    needed = _needed(seen)
    items = [_fresh(name, asked, ledger, seen.now.date()) for name, asked in needed.items()]
    yield from (item for item in items if item is not None)
    if all(item is None for item in items):
        yield ok(f"all that are asked for are there and fresh ({len(items)})")
    for name, fact in ledger.lists.items():
        if fact.added or fact.removed:
            yield note(
                f"list {name}: {fact.added} numbers added and {fact.removed} taken out by hand",
                f"dialwarden list status {name}",
                name,
            )


def _needed(seen: Snapshot) -> Mapping[str, _Needed]:
    """Each list that calls of today ask for, by the very terms that the rules judge by."""
    today = seen.now.date()
    found: dict[str, _Needed] = {}
    for campaign in seen.config.campaigns.values():
        for rule in campaign.lists_on(today):
            before = found.get(rule.name, _Needed([], None))
            limits = [one for one in (before.limit_days, rule.max_age_days) if one is not None]
            found[rule.name] = _Needed(
                [*before.campaigns, campaign.name], min(limits, default=None)
            )
    return found


def _fresh(name: str, needed: _Needed, ledger: LedgerSide, today: date) -> Item | None:
    fact = ledger.lists.get(name)
    who = ", ".join(dict.fromkeys(needed.campaigns))
    refused = f"every call of {who} is refused as list_stale"
    if fact is None or fact.imported_at is None:
        return failure(
            f"list {name} was never imported: {refused}",
            f"dialwarden list import {name} FILE --as-of DATE",
            name,
        )
    if needed.limit_days is None:
        return None
    do = f"import a newer file: dialwarden list import {name} FILE --as-of DATE"
    as_of = fact.as_of
    if as_of is None:
        return failure(
            f"list {name} has no as-of date, and may be {needed.limit_days} days old: {refused}",
            do, name,
        )  # fmt: skip
    left = (as_of + timedelta(days=needed.limit_days) - today).days
    if left < 0:
        return failure(
            f"list {name} is of {as_of}, older than its {needed.limit_days} days: {refused}",
            do, name,
        )  # fmt: skip
    if left <= _NEAR_DAYS or left <= needed.limit_days * _NEAR_SHARE:
        return warning(
            f"list {name} is of {as_of} and good through "
            f"{as_of + timedelta(days=needed.limit_days)}: {left} days more",
            do, name,
        )  # fmt: skip
    return None


def exempt_lists(seen: Snapshot) -> Iterator[Item]:
    """exempt.lists: how many numbers are never judged."""
    ledger = seen.ledger
    if isinstance(ledger, Missing):
        yield unknown(f"not known: {ledger.why}", ledger.do)
        return
    large = False
    total = 0
    for name, entry in seen.config.lists.items():
        fact = ledger.lists.get(name)
        if entry.kind is not ListKind.EXEMPT or fact is None:
            continue
        count = fact.count + fact.added
        total += count
        if count > _LARGE_LIST:
            large = True
            yield warning(
                f"exempt list {name} has {count:,} numbers: none of them is ever judged",
                "see that it is no file of contacts; or accept it in [doctor]: "
                f"exempt.lists:{name}",
                name,
            )
    if not large:
        yield ok(f"numbers on exempt lists: {total:,}")


def exempt_patterns(seen: Snapshot) -> Iterator[Item]:
    """exempt.patterns: whose wildcards cover ordinary numbers."""
    regions = {campaign.region for campaign in seen.config.campaigns.values()} or {""}
    wide = 0
    for text in seen.config.defaults.exempt:
        size, example = _covered(text, sorted(regions))
        if example is None or (size is not None and size < _WIDE):
            continue
        wide += 1
        how_many = f"{size:,} numbers" if size is not None else "numbers without end"
        yield warning(
            f"[defaults] exempt {text} lets {how_many} through unjudged, {example} among them",
            f"name the numbers themselves, or a list of kind exempt; or accept it in [doctor]: "
            f"exempt.patterns:{text}",
            text,
        )
    if not wide:
        yield ok(f"none covers the public (patterns: {len(seen.config.defaults.exempt)})")


def _covered(text: str, regions: list[str]) -> tuple[int | None, str | None]:
    """How many texts a pattern covers (None: without end), and an ordinary number among them."""
    choices, open_end = _choices(text)
    size = 1
    for one in choices:
        size *= len(one)
    pattern = compile_pattern(text)
    for tail in range(13) if open_end else (0,):
        places = [*choices, *["0123456789"] * tail]
        for candidate in _some(places):
            if not pattern.matches(candidate):
                continue
            for region in regions:
                number = read_number(candidate, region=region)
                if isinstance(number, Number) and number.digits > 10**6:
                    return (None if open_end else size), candidate
    return (None if open_end else size), None


def _choices(text: str) -> tuple[list[str], bool]:
    """What may stand at each place of a pattern, and whether more may follow."""
    if not text.startswith("_"):
        return [character for character in text if character != "-"], False
    classes = {"X": "0123456789", "Z": "123456789", "N": "23456789"}
    places: list[str] = []
    at = 1
    while at < len(text):
        character = text[at]
        if character in ".!":
            return places, True
        if character == "[":
            end = text.index("]", at)
            members = compile_pattern(f"_{text[at : end + 1]}")
            places.append("".join(filter(members.matches, "0123456789+")))
            at = end
        elif character != "-":
            places.append(classes.get(character.upper(), character))
        at += 1
    return places, False


def _some(places: list[str]) -> Iterator[str]:
    """Some of the texts, spread over them all."""
    if not places:
        return
    for turn in range(min(_TRIES, 40 * len(places))):
        yield "".join(
            one[(turn * step + step) % len(one)] if one else ""
            for one, step in zip(places, itertools.cycle((1, 3, 7, 2, 5)), strict=False)
        )
