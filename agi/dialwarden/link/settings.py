"""Where Asterisk's manager interface is, who we are there, and how long to wait for what.

Owns values. Refuses to know the configuration file, which the bridge reads.
"""

from __future__ import annotations

import ssl as tls
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """The settings of a link.

    Attributes:
        ssl: speak TLS with this context, None for plain TCP.
        tls_name: the name in Asterisk's certificate, "" for `host`.
        events: the classes of events to be sent to us, as the header `Events` of Login has them.
        connect_timeout_s: for TCP and TLS together, and again for Asterisk's greeting.
        action_timeout_s: for an answer; for the whole of a list.
        ping_timeout_s: a Ping without an answer for so long ends the connection.
        refused_wait_s: after a refused login; trying again at once is what fail2ban waits for.
        buffer_limit: bytes that one message may have, or that may wait to be sent.
        list_limit: events that the answer to a list action may have.
    """

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    ssl: tls.SSLContext | None = None
    tls_name: str = ""
    events: str = "call,user,system"
    connect_timeout_s: float = 3.0
    action_timeout_s: float = 5.0
    ping_every_s: float = 5.0
    ping_timeout_s: float = 5.0
    backoff_first_s: float = 0.1
    backoff_most_s: float = 1.0
    refused_wait_s: float = 60.0
    buffer_limit: int = 1 << 20
    list_limit: int = 50_000

    def __post_init__(self) -> None:
        """Refuse what would be found out only when connecting.

        Raises:
            ValueError: a text that goes into the login holds a line end or NUL; its value is not
                shown, it may be the secret.
            TypeError: `ssl` is neither a context nor None; the text "False" counts as true.
        """
        for name in ("username", "secret", "events"):
            if any(mark in getattr(self, name) for mark in "\r\n\0"):
                raise ValueError(f"the {name} of the AMI link holds a line end or NUL")
        if self.ssl is not None and not isinstance(self.ssl, tls.SSLContext):
            raise TypeError(f"ssl must be an SSLContext or None, not {self.ssl!r}")

    @property
    def address(self) -> str:
        """`HOST:PORT`, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
