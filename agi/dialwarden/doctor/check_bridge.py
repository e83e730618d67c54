"""The bridge: is it there, this version with this configuration, and does it answer?

Owns also what the configuration lets go: a guard that only reports, shadow mode, overrides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialwarden.doctor.finding import Item, Status, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import Missing, Snapshot
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Rule

_RELOAD = "reload it: kill -HUP, or systemctl reload dialwarden"
_RESTART = "restart it; `kill -USR2` hands over without refusing a call"


def configuration(seen: Snapshot) -> Iterator[Item]:
    """config: what the configuration's own reading warns of."""
    config = seen.config
    today = seen.now.date()
    said = list(config.warnings)
    for campaign in config.campaigns.values():
        said += [*campaign.wider_than_law(today), *campaign.unsaid(today)]
    for sentence in said:
        yield warning(sentence, f"correct {config.file}")
    if not said:
        yield ok(f"{config.file}; campaigns: {len(config.campaigns)}, trunks: {len(config.trunks)}")


def running(seen: Snapshot) -> Iterator[Item]:
    """bridge: is it there, and what does it say of itself?"""
    health = seen.bridge.health
    answered = any(not isinstance(one, Missing) for one in seen.bridge.answers.values())
    if isinstance(health, Missing):
        if not answered:
            yield failure(
                f"no bridge answers on [agi] {seen.config.agi.listen}: every call is refused as "
                "unavailable",
                "start it: dialwarden serve, or systemctl start dialwarden; then see its log",
            )
        elif "http" in seen.config.given:
            yield warning(
                f"the bridge answers questions, but not on [http] {seen.config.http.listen}: "
                f"{health.why}",
                "see its log for /healthz; [http] takes effect with a restart",
            )
        else:
            yield note(
                f"the bridge answers; nothing is known of its state ({health.why})",
                f"write [http] into {seen.config.file} and restart",
            )
        return
    trouble = _told(health, "ledger", "why")
    if trouble:
        yield failure(
            f"the bridge refuses calls, its ledger does not answer: {trouble}",
            "see its log, and docs/operating.md, What happens when…",
        )
    if _told(health, "guard", "alarm") == "True":
        yield failure(
            "the guard's alarm is on: many calls leave without asking",
            "dialwarden refusals --rule bypass --since 1h",
        )
    if _told(health, "ami", "up") == "False":
        yield failure(
            f"its link to Asterisk's AMI is {_told(health, 'ami', 'status')}",
            "see the findings under ami, and the bridge's log",
        )
    if not trouble:
        yield ok(f"it is {health.get('status')}, version {health.get('version')}")


def _told(health: Mapping[str, object], part: str, key: str) -> str:
    inside = health.get(part)
    return str(inside.get(key, "")) if isinstance(inside, Mapping) else ""


def current(seen: Snapshot) -> Iterator[Item]:
    """bridge.current: the same program and the same configuration as here."""
    health = seen.bridge.health
    if isinstance(health, Missing):
        yield unknown(f"not known: {health.why}", health.do)
        return
    version, sha = health.get("version"), str(health.get("config_sha256", ""))
    if version != seen.version:
        yield warning(
            f"the bridge runs version {version}, this is {seen.version}", f"upgrade it: {_RESTART}"
        )
    if sha and sha != seen.config.sha256:
        yield warning(
            f"the bridge runs with another configuration than {seen.config.file} as it is now",
            f"{_RELOAD}; its log says whether it was taken",
        )
    if version == seen.version and sha == seen.config.sha256:
        yield ok("the same version, the same configuration")
    elif version == seen.version and not sha:
        yield unknown("the bridge does not tell its configuration", _RESTART)


def answers(seen: Snapshot) -> Iterator[Item]:
    """bridge.answers: a question for each campaign, over AGI, with nothing counted."""
    address = seen.config.agi.listen
    good = 0
    for campaign, answer in seen.bridge.answers.items():
        if isinstance(answer, Missing):
            yield failure(
                f"no answer on [agi] {address}: {answer.why}",
                answer.do or "start the bridge; its log says why it did not",
                campaign,
            )
        elif Rule.UNAVAILABLE in answer.rules.split("&"):
            yield failure(
                f"campaign {campaign}: refused as unavailable: {answer.reason}",
                "see the bridge's log; every call of that campaign is refused",
                campaign,
            )
        elif campaign and Rule.CAMPAIGN in answer.rules.split("&"):
            yield failure(f"the bridge knows no campaign {campaign}", _RELOAD, campaign)
        else:
            good += 1
    if good == len(seen.bridge.answers):
        yield ok(f"every question on {address} is answered ({good}, nothing counted)")


def guard(seen: Snapshot) -> Iterator[Item]:
    """guard: whether calls that nobody asked about are seen, and what is done about them."""
    config = seen.config
    if config.ami is None:
        yield warning(
            "no [ami]: calls that do not ask leave unseen",
            "set up [ami], [trunks] and config/asterisk/manager_dialwarden.conf: docs/guard.md",
        )
        return
    match config.guard.mode:
        case GuardMode.OFF:
            yield warning(
                "[guard] mode = off: calls that do not ask are not looked for",
                'set mode = "report"',
            )
        case GuardMode.REPORT:
            yield note(
                "the guard reports only: calls that do not ask are logged and let go",
                'when `dialwarden refusals --rule bypass` stays empty, set [guard] mode = "hangup"',
            )
        case GuardMode.HANGUP:
            yield ok("calls that nobody asked about are hung up")
    health = seen.bridge.health
    if isinstance(health, Missing) or config.guard.mode is GuardMode.OFF:
        return
    why = _told(health, "guard", "why")
    if why:
        yield failure(
            f"the guard is blind: {why}", "see the findings under ami, and the bridge's log"
        )


def overrides(seen: Snapshot) -> Iterator[Item]:
    """overrides: rules that somebody has put aside."""
    if isinstance(seen.ledger, Missing):
        yield unknown(f"not known: {seen.ledger.why}", seen.ledger.do)
        return
    for one in seen.ledger.overrides:
        yield Item(
            Status.WARNING,
            f"override {one.id} by {one.by} ({one.why}): {one.rules} let go for campaign "
            f"{one.campaign} until {one.until:%Y-%m-%d %H:%M} UTC",
            f"it ends by itself; before that: dialwarden override end {one.id} --by NAME",
            str(one.id),
        )
    if not seen.ledger.overrides:
        yield ok("none in force")


def shadow(seen: Snapshot) -> Iterator[Item]:
    """shadow: campaigns whose refusals are only logged."""
    found = [c for c in seen.config.campaigns.values() if not c.enforce]
    for campaign in found:
        yield warning(
            f"campaign {campaign.name} is in shadow mode: what the rules refuse is logged and "
            "called all the same",
            "when dialwarden report shows what you expect, take `enforce = false` out",
            campaign.name,
        )
    if not found:
        yield ok("every campaign is enforced")
