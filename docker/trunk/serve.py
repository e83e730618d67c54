"""The toy trunk as a process: SIP on 5070, what it counted as JSON on 8080, a line for each call.

A call rings a while after its INVITE, as with a carrier, and is answered at once then. Listens on
the address of TRUNK_HOST, the container's own name by default.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.trunk import Invite, Outcome, Trunk

SIP_PORT, HTTP_PORT = 5070, 8080
RINGS_AFTER_S = 1.5  # some carriers take longer; the guard has that long, on however busy a machine
LOOK_S = 0.02


def state(call: Invite) -> str:
    """What has become of a call so far."""
    if call.cancelled_at is not None:
        return "cancelled" if call.rang_at is not None else "cancelled before it rang"
    if call.answered_at is not None:
        return "answered"
    return "an INVITE"


class Watch:
    """Answers the calls of a trunk when it is time to, and tells each change of one."""

    def __init__(self, trunk: Trunk) -> None:
        self._trunk = trunk
        self._told: dict[str, str] = {}

    def look(self) -> None:
        for call in self._trunk.invites():
            due = time.monotonic() - call.at >= RINGS_AFTER_S
            if due and call.rang_at is None and call.cancelled_at is None:
                self._trunk.reply(call, Outcome.ANSWER)
            now = state(call)
            if self._told.get(call.call_id) != now:
                self._told[call.call_id] = now
                print(f"{call.number}: {now}", flush=True)


def page(trunk: Trunk) -> type[BaseHTTPRequestHandler]:
    """Serves the calls so far: [{"number", "state"}], oldest first."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls = [{"number": call.number, "state": state(call)} for call in trunk.invites()]
            body = json.dumps(calls).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what is said here is about calls."""

    return Page


def main() -> int:
    host = socket.gethostbyname(os.environ.get("TRUNK_HOST") or socket.gethostname())
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    trunk = Trunk(SIP_PORT, host=host, default=Outcome.TRYING)
    pages = ThreadingHTTPServer((host, HTTP_PORT), page(trunk))
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    print(f"toy trunk: SIP at {host}:{SIP_PORT}, counted at http://{host}:{HTTP_PORT}/", flush=True)
    watch = Watch(trunk)
    while not over.wait(LOOK_S):
        watch.look()
    return 0


if __name__ == "__main__":
    sys.exit(main())
