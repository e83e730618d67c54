"""What the end of a leg comes to."""

from __future__ import annotations

import pytest

from dialwarden.ledger.legs import Ending
from dialwarden.watch.legs import Leg, Legs


@pytest.mark.parametrize(
    ("leg", "ending"),
    [
        # A trunk that cannot take the call: another may try.
        ({"status": "CHANUNAVAIL", "cause": 34}, Ending.FAILED),
        ({"status": "CONGESTION", "cause": 38}, Ending.FAILED),
        ({"status": "NOANSWER", "cause": 0}, Ending.FAILED),
        ({"cause": 3}, Ending.FAILED),
        ({"cause": None}, Ending.FAILED),
        # The callee's side was reached.
        ({"rang": True, "status": "NOANSWER", "cause": 16}, Ending.NO_ANSWER),
        ({"rang": True, "status": "CHANUNAVAIL", "cause": 21}, Ending.NO_ANSWER),
        ({"rang": True, "cause": 16}, Ending.NO_ANSWER),
        ({"status": "BUSY", "cause": 17}, Ending.BUSY),
        ({"cause": 17}, Ending.BUSY),
        ({"rang": True, "status": "BUSY", "cause": 17}, Ending.BUSY),
        ({"status": "CHANUNAVAIL", "cause": 17}, Ending.FAILED),
        # The caller gave up.
        ({"status": "CANCEL", "cause": 16}, Ending.CANCELLED),
        ({"rang": True, "status": "CANCEL", "cause": 16}, Ending.CANCELLED),
        # Answered, whatever came later.
        ({"rang": True, "answered": True, "cause": 16}, Ending.ANSWERED),
        ({"answered": True, "status": "ANSWER", "cause": 127}, Ending.ANSWERED),
        ({"status": "ANSWER", "cause": 16}, Ending.ANSWERED),
    ],
)
def test_what_a_leg_came_to(leg: dict[str, object], ending: Ending) -> None:
    assert Leg("u", "PJSIP/carrier-1", "carrier", "here", **leg).ending is ending  # type: ignore[arg-type]


def test_a_leg_is_known_until_its_channel_is_gone() -> None:
    legs = Legs()
    leg = Leg("u", "PJSIP/carrier-1", "carrier", "here")
    legs.begin(leg)
    assert legs.get("u") is leg
    assert list(legs.live()) == [leg]
    assert legs.end("u", 17) is leg
    assert (leg.ended, leg.cause) == (True, 17)
    assert legs.get("u") is None
    assert legs.end("u") is None


def test_legs_are_bounded() -> None:
    legs = Legs(most=2)
    for name in "abc":
        legs.begin(Leg(name, "PJSIP/carrier-1", "carrier", "here"))
    assert [leg.uniqueid for leg in legs.live()] == ["b", "c"]
