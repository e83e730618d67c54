"""Free ports on loopback.

They lie below the range from which the kernel takes the ports of outgoing connections: a load test
opens thousands of those, and one of them would sooner or later sit on the port that a bridge about
to be restarted wants back. They also keep off the bench's RTP range.
"""

from __future__ import annotations

import random
import socket

FIRST, LAST = 10240, 19999
TRIES = 200

# Handed out in this process: nobody listens yet on a port that is kept for a bridge to come.
_given: set[int] = set()


def free_tcp_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    return _free_port(socket.SOCK_STREAM)


def free_udp_port() -> int:
    """A UDP port of 127.0.0.1 that nobody has bound now."""
    return _free_port(socket.SOCK_DGRAM)


def _free_port(kind: socket.SocketKind) -> int:
    for _ in range(TRIES):
        port = random.randint(FIRST, LAST)  # at random, so that two runs at once rarely meet
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port
    raise OSError(f"no free port of 127.0.0.1 between {FIRST} and {LAST} in {TRIES} tries")
