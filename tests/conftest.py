"""What every test leans on: the time zones of the pinned data, as in the program, and no clock."""

import signal

from hypothesis import HealthCheck, settings

# Before any test module: pytest would take tests/bench, whose folder has the same name, for the
# `bench` of tests/asterisk wherever that one is not collected first.
import bench.ports  # noqa: F401
import dialwarden.tzdata  # noqa: F401

# A slow machine is no fault: no example fails, and no test, for the time it took.
settings.register_profile(
    "unhurried",
    settings(),  # hypothesis's own, which is another one where CI is set
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

# A run that a shell has put in the background ignores INT, and so would every program it starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
