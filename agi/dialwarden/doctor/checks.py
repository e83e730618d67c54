"""All checks, in the order of a report: from the bridge outward, then inward to the disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from dialwarden.doctor import (
    check_bridge,
    check_dialplan,
    check_host,
    check_law,
    check_lists,
    check_manager,
    check_trunks,
)
from dialwarden.doctor.finding import Check, Finding, Item, conclude, warning
from dialwarden.doctor.snapshot import Snapshot
from dialwarden.settings.report import choose_from


def _configuration(seen: Snapshot) -> Iterator[Item]:
    """config: that of the doctor's own too."""
    known = {name for name, _ in _EXAMINE}
    for entry in seen.config.doctor.accept:
        name = entry.partition(":")[0]
        if name not in known:
            yield warning(
                f"[doctor] accept: {choose_from(name, known, 'checks')}", "as docs/doctor.md has it"
            )
    yield from check_bridge.configuration(seen)


_EXAMINE: tuple[tuple[str, Callable[[Snapshot], Iterator[Item]]], ...] = (
    ("config", _configuration),
    ("bridge", check_bridge.running),
    ("bridge.current", check_bridge.current),
    ("bridge.answers", check_bridge.answers),
    ("ami", check_manager.login),
    ("ami.rights", check_manager.rights),
    ("selftest", check_dialplan.selftest),
    ("dialplan", check_dialplan.loaded),
    ("dialplan.address", check_dialplan.address),
    ("dialplan.asks", check_dialplan.asks),
    ("dialplan.verdict", check_dialplan.heeds),
    ("dialplan.emergency", check_dialplan.emergency),
    ("trunks.exist", check_trunks.exist),
    ("trunks.named", check_trunks.named),
    ("trunks.dial", check_trunks.patterns),
    ("guard", check_bridge.guard),
    ("ami.users", check_manager.users),
    ("ami.http", check_manager.over_http),
    ("ami.bind", check_manager.bound),
    ("ami.secret", check_manager.secret),
    ("ari", check_manager.ari),
    ("spool", check_trunks.spool),
    ("pjsip.redirect", check_trunks.redirects),
    ("pjsip.refer", check_trunks.refers),
    ("exempt.patterns", check_lists.exempt_patterns),
    ("exempt.lists", check_lists.exempt_lists),
    ("lists", check_lists.lists),
    ("shadow", check_bridge.shadow),
    ("overrides", check_bridge.overrides),
    ("law", check_law.changes),
    ("law.unverified", check_law.unverified),
    ("clock", check_host.clock),
    ("clock.asterisk", check_host.asterisk_clock),
    ("clock.ledger", check_host.ledger_clock),
    ("clock.zones", check_host.zones),
    ("ledger", check_host.ledger),
    ("disk", check_host.disk),
    ("disk.wal", check_host.wal),
    ("files", check_host.rights),
    ("backup", check_host.backup),
)
CHECKS: tuple[Check[Snapshot], ...] = tuple(Check(name, examine) for name, examine in _EXAMINE)


def chosen(only: Collection[str]) -> tuple[Check[Snapshot], ...]:
    """The checks of some ids, or of groups of them (`ami` is `ami.users` too); all for none."""
    return tuple(
        check
        for check in CHECKS
        if not only or check.id in only or check.id.partition(".")[0] in only
    )


def examine(seen: Snapshot, only: Collection[str] = ()) -> list[Finding]:
    """Every finding, in order."""
    accepted = frozenset(seen.config.doctor.accept)
    return [conclude(check, seen, accepted) for check in chosen(only)]
