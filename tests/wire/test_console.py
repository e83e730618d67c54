"""What Asterisk says of our own AMI user, as the bridge reads it."""

from __future__ import annotations

import pytest

from dialwarden.wire.console import endpoints_of, missing_rights

SHOWN = """
          username: dialwarden
            secret: <Set>
               ACL: yes
         read perm: {read}
        write perm: {write}
   displayconnects: yes
"""


@pytest.mark.parametrize(
    ("read", "write", "missing"),
    [
        ("system,call,user", "call,command,reporting", ([], [])),
        ("all", "all", ([], [])),
        ("call,user", "system,call,command", ([], [])),
        ("system", "call,command,reporting", (["call", "user"], [])),
        ("call", "all", (["user"], [])),
        ("system,call,user", "command", ([], ["call", "reporting"])),
        ("system,call,user", "call", ([], ["command", "reporting"])),
        ("<none>", "all", (["call", "user"], [])),
    ],
)
def test_what_our_user_may_not_hear_and_do(
    read: str, write: str, missing: tuple[list[str], list[str]]
) -> None:
    found = missing_rights(SHOWN.format(read=read, write=write))
    assert (found["read"], found["write"]) == missing


def test_the_endpoints_that_there_are() -> None:
    shown = """
 Endpoint:  <Endpoint/CID.....................................>  <State.....>  <Channels.>
    I/OAuth:  <AuthId/UserName...........................................................>
==========================================================================================

 Endpoint:  agent                                                Not in use    0 of inf
        Aor:  agent                                              0
 Endpoint:  Carrier-2/+33142123456                               Not in use    0 of inf
"""
    assert endpoints_of(shown) == {"agent", "carrier-2"}


def test_what_cannot_be_read_says_nothing_is_missing() -> None:
    assert missing_rights("There is no user called dialwarden\n") == {"read": [], "write": []}
