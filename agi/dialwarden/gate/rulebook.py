"""The configuration and the policies, compiled for the call's path.

Owns everything that can be worked out before a question is asked; a question then costs look-ups
in mappings. Immutable: a changed configuration is another rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from dialwarden.numbers import Pattern, compile_pattern, emergency_numbers
from dialwarden.policy.figures import GapAfter
from dialwarden.policy.retention import history
from dialwarden.policy.terms import Mandate
from dialwarden.question import Dialling, Purpose
from dialwarden.settings.campaigns import Campaign
from dialwarden.settings.config import Config
from dialwarden.settings.sections import ListKind

# An ALLOW that was not dialled within its life is no permit any more: asking again in the same
# call is a new question then. Design of the permit; a trunk that fails over does so in seconds.
PERMIT_LIFE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Entry:
    """A campaign, ready to be asked about.

    Attributes:
        region: how a national number is read.
        lists: names of every list that any regime of its policy, or the campaign, asks for.
        history: how far back attempts must be read for any cap or gap of any regime, and for
            the attempt that a repeated question may repeat.
        enforce: False in shadow mode: a refusal is logged and the call let go.
        count_failed: False where an attempt that failed without having rung counts for nothing.
        heeds_silence, heeds_appointments: whether any regime has a rule about them: what no rule
            asks for is not read.
    """

    mandate: Mandate
    region: str
    purpose: Purpose
    dialling: Dialling | None
    lists: tuple[str, ...]
    history: timedelta
    enforce: bool
    count_failed: bool
    heeds_silence: bool
    heeds_appointments: bool


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What a question is read and judged by.

    Attributes:
        entries: by campaign name.
        strips: the digits that dialers put in front, of every trunk that has some.
        emergency: exact numbers that always pass.
        exempt_patterns: matched as dialled and as E.164.
        exempt_lists: names of the lists whose numbers are never judged.
        config_sha256: of the configuration file's bytes, for the record.
    """

    entries: Mapping[str, Entry]
    default_campaign: str
    strips: tuple[str, ...]
    emergency: frozenset[str]
    exempt_patterns: tuple[Pattern, ...]
    exempt_lists: tuple[str, ...]
    language: str
    config_sha256: str

    @property
    def shadow(self) -> tuple[str, ...]:
        """The campaigns in shadow mode, in the order of their names."""
        return tuple(sorted(name for name, entry in self.entries.items() if not entry.enforce))

    @property
    def all_shadow(self) -> bool:
        """Whether nothing is enforced: every campaign is in shadow mode."""
        return bool(self.entries) and not any(entry.enforce for entry in self.entries.values())

    def policy_sha256(self, campaign: str) -> str:
        """Which version of its policy a campaign is judged by; "" for an unknown campaign."""
        entry = self.entries.get(campaign)
        return entry.mandate.policy.sha256 if entry is not None else ""


def compile_rulebook(config: Config) -> Rulebook:
    """Work out a rulebook from a configuration that was checked."""
    strips = {trunk.strip for trunk in config.trunks.values() if trunk.strip}
    return Rulebook(
        entries={name: _entry(campaign) for name, campaign in config.campaigns.items()},
        default_campaign=config.defaults.campaign,
        # The longest first: where one prefix begins another, the longer reading is the dialer's.
        strips=tuple(sorted(strips, key=lambda strip: (-len(strip), strip))),
        emergency=emergency_numbers(campaign.region for campaign in config.campaigns.values()),
        exempt_patterns=tuple(compile_pattern(text) for text in config.defaults.exempt),
        exempt_lists=tuple(
            name for name, entry in config.lists.items() if entry.kind is ListKind.EXEMPT
        ),
        language=config.log.language,
        config_sha256=config.sha256,
    )


def _entry(campaign: Campaign) -> Entry:
    return Entry(
        mandate=campaign.mandate,
        region=campaign.region,
        purpose=campaign.purpose,
        dialling=campaign.dial,
        lists=tuple(sorted(campaign.lists)),
        history=max(PERMIT_LIFE, history(campaign.mandate)),
        enforce=campaign.enforce,
        count_failed=campaign.count_failed,
        heeds_silence=any(
            gap.after is GapAfter.SILENT
            for terms in campaign.mandate.terms.values()
            for gap in terms.gaps
        ),
        heeds_appointments=any(
            terms.appointments is not None for terms in campaign.mandate.terms.values()
        ),
    )
