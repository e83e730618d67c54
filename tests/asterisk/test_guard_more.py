"""The guard on a real Asterisk: how soon it is there, and that a burst raises the alarm."""

from __future__ import annotations

from bench.pbx import Pbx
from bench.trunk import Outcome, Trunk
from office import MOBILE, Start, bypasses, config, health, until

# Asterisk's own work for the measure, so that a slow machine is slow on both sides.
PINGS = 500
ALARM = 3


def test_a_catch_is_over_long_before_a_phone_would_ring(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    bridge = start()
    trunk.on(MOBILE, Outcome.TRYING)
    office.dial(MOBILE, "forgot")
    invite = trunk.wait_invite(MOBILE)
    for _ in range(PINGS):
        office.ami.ask("Ping")
    assert invite.cancelled_at is not None
    until(lambda: len(bypasses(bridge)) == 1, "the bypass on record")


def test_a_burst_raises_the_alarm_once_in_the_log_and_in_healthz(
    office: Pbx, trunk: Trunk, start: Start
) -> None:
    mode = 'mode = "hangup"\n'
    assert mode in config()
    bridge = start(config().replace(mode, f"{mode}alarm = {ALARM}\n"))
    trunk.on("336129", Outcome.TRYING)
    for count in range(ALARM + 2):
        # The status is that of the lists, too, which nobody imported here.
        why = [one for one in health(bridge)["why"] if "leave without asking" in one]
        assert bool(why) is (count >= ALARM)
        office.dial(f"336129{count:05}", "forgot")
        until(lambda seen=count: len(bypasses(bridge)) > seen, "the bypass on record")  # type: ignore[misc]
    assert health(bridge)["guard"]["alarm"] is True
    assert bridge.log.count(f"ALARM: {ALARM} calls within a minute") == 1
