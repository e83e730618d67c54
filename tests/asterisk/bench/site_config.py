"""The bridge's configuration beside a call centre's Asterisk with two carriers.

What every such site has is said here once; its campaigns, and what else a test is about, are
added as text. Policy `none` throughout, so that nothing depends on the hour.
"""

from __future__ import annotations

import json

from bench.configuration import AMI_SECRET, DIALWARDEN

BY_NUMBER = "PJSIP/{number}@carrier"
BY_URI = "PJSIP/carrier/sip:{number}@{rest}"


def site_config(
    *more: str,
    guard: str = 'mode = "hangup"',
    secret: str = f'secret = "{AMI_SECRET}"',
    house: str = "",
    forms: tuple[str, ...] = (BY_NUMBER,),
) -> str:
    """TOML with the default ports in its addresses, as `Bridge.start` takes it.

    Args:
        more: whole tables.
        guard: the lines of [guard].
        secret: the line of [ami] that says it.
        house: more keys of the opposition list.
        forms: how the first carrier is dialled.
    """
    tables = "\n".join(more)
    return f"""
[store]
path = "ledger.db"

[agi]
listen = "127.0.0.1:4580"

[ami]
address = "127.0.0.1:5038"
username = "{DIALWARDEN}"
{secret}

[gateway]
listen = "127.0.0.1:5138"

[guard]
{guard}

[http]
listen = "127.0.0.1:4581"

[lists.house]
kind = "opposition"
{house}

[trunks.carrier]
channel = "PJSIP/carrier"
dial = {json.dumps(forms)}

[trunks.carrier-2]
channel = "PJSIP/carrier-2"
dial = ["PJSIP/{{number}}@carrier-2"]

{tables}"""


def campaign(name: str, more: str = "", *, professional: str = "acme") -> str:
    """A campaign of that site which heeds the list; `more` are keys of it, or tables below it."""
    return f"""
[campaigns.{name}]
professional = "{professional}"
policy = "none"
region = "FR"
lists = ["house"]
{more}
"""
