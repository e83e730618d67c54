"""The sound of a telephone that nobody speaks into: RTP packets of silence, fifty a second.

Asterisk reads a channel only as frames arrive, so that the keys of a telephone without any sound
would be read one and never the next.
"""

from __future__ import annotations

import itertools
import re
import socket
import struct
import threading

PACKET_S = 0.02
SAMPLES = 160
PCMA = 8
SILENCE = b"\xd5" * SAMPLES


class Silence:
    """Sent from construction on, to where the other side's SDP says, until `stop`."""

    def __init__(self, sdp: str) -> None:
        """Begin.

        Raises:
            ValueError: the SDP names no audio port.
        """
        address = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
        if address is None or port is None:
            raise ValueError(f"no audio in {sdp!r}")
        self._to = (address[1], int(port[1]))
        self._stopped = threading.Event()
        threading.Thread(target=self._send, name="bench-media", daemon=True).start()

    def stop(self) -> None:
        """Fall silent for good."""
        self._stopped.set()

    def _send(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for count in itertools.count():
                header = struct.pack(
                    "!BBHII", 0x80, PCMA, count & 0xFFFF, count * SAMPLES & 0xFFFFFFFF, 4711
                )
                out.sendto(header + SILENCE, self._to)
                if self._stopped.wait(PACKET_S):
                    return
