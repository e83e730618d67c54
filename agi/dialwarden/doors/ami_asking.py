"""An AMI request on its way to a ruling: whose it is, and for which campaign.

Owns which campaign an AMI user's request is for and which of its headers may reach Asterisk.
Refuses to know what the gate says.
"""

from __future__ import annotations

from dataclasses import dataclass

from dialwarden.question import Door, Question
from dialwarden.routing.actions import Demand
from dialwarden.routing.channel_variables import Cleaned
from dialwarden.routing.trunks import Reach
from dialwarden.wire.ami_request import AmiRequest

CHANNEL_ID = "ChannelId"
_OTHER_CHANNEL_ID = "OtherChannelId"


@dataclass(frozen=True, slots=True)
class Asking:
    """A request on its way.

    Attributes:
        reaches: what of its demand is to be judged.
        campaigns: those that its user may name, the default first.
        cleaned: its headers, as they may reach Asterisk.
    """

    request: AmiRequest
    demand: Demand
    reaches: tuple[Reach, ...]
    campaigns: tuple[str, ...]
    cleaned: Cleaned
    originates: bool
    asked_by: str
    caller_id: str | None

    @property
    def named(self) -> str:
        return self.cleaned.campaign or ""

    @property
    def may_name(self) -> bool:
        return not self.named or self.named in self.campaigns

    @property
    def campaign(self) -> str:
        """The one it is for; "" for the default."""
        if self.named and self.may_name:
            return self.named
        return self.campaigns[0] if self.campaigns else ""

    @property
    def cleansed(self) -> AmiRequest:
        """As it may reach Asterisk."""
        if not self.originates:
            return self.request
        named = self.named and self.may_name
        return AmiRequest(self.cleaned.headers if named else self.cleaned.bare)

    @property
    def channel_ids(self) -> tuple[str, ...]:
        names = (CHANNEL_ID, _OTHER_CHANNEL_ID) if self.originates else ()
        return tuple(one for name in names if (one := self.request.get(name)))

    @property
    def unbound(self) -> bool:
        """Whether no ChannelId of ours reaches the call that is dialled."""
        return self.demand.places_call and (
            self.demand.apart or not (self.originates or self.demand.channel)
        )

    def question(self, reach: Reach, *, call: str = "", permit: str = "") -> Question:
        faults = () if reach.number else (reach.why or "the destination holds no number",)
        return Question(
            reach.number,
            self.campaign,
            call=call,
            permit=permit,
            unbound=self.unbound,
            caller_id=self.caller_id,
            door=Door.GATEWAY,
            asked_by=self.asked_by,
            faults=faults,
        )
