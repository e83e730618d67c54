"""The user of a SIP URI, as PJSIP reads it.

Owns the piece of pjsip's `sip_parser.c` that a dial string needs: what stands before the `@`.
Refuses to know hosts, transports and trunks.

    uri  = [ "<" ] ( "sip:" / "sips:" / "tel:" ) [ user [ ":" password ] "@" ] rest [ ">" ]

PJSIP fails a call whose URI it cannot parse (a display name in front is such a case: Asterisk puts
it all in one more pair of brackets). So what it would fail is unreadable here, and no more effort
is made. The user ends at the first ":" or "@"; `%30` is "0"; parameters that stand in the
user (`+33612345678;ext=1`) are part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

# Stand for {number} and {rest} where a template is read by the grammar of what it describes:
# private use characters, which no number holds.
NUMBER_MARK = "\ue000"
REST_MARK = "\ue001"

_SCHEME = re.compile(r"(?:sips?|tel)\s*:", re.IGNORECASE)
_OPENING = re.compile(r"\s*<?\s*(?P<scheme>sips?|tel)\s*:(?P<body>.*)", re.IGNORECASE | re.DOTALL)
# pjsip's USER_SPEC_LENIENT, and ":" for the password behind it.
_USER = re.compile(
    rf"(?:[A-Za-z0-9_.!~*'()&=+$,;?/#:{NUMBER_MARK}{REST_MARK}-]|%[0-9A-Fa-f]{{2}})*"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class UriUser:
    """Whom a URI names.

    Attributes:
        user: percent-decoded, without a password; "" where there is none or it cannot be read.
        why: "" or why it cannot be read, to stand behind a colon: "it …", "its …".
    """

    user: str
    why: str = ""


def uri_user(text: str) -> UriUser | None:
    """The user of the URI that a text is; None when it is no URI, but may be the name of an AOR."""
    if _SCHEME.search(text) is None:
        return None
    opening = _OPENING.fullmatch(text)
    if opening is None:
        return UriUser("", "its SIP URI cannot be read")
    if "," in text:
        # PJSIP first takes the text for a list of AORs, and dials the first that exists.
        return UriUser("", "its SIP URI holds a comma")
    body = opening["body"].partition(">")[0]
    if opening["scheme"].lower() == "tel":
        user = body
    elif "@" not in body:
        return UriUser("")
    else:
        user, _, rest = body.partition("@")
        if "@" in rest:
            return UriUser("", "its SIP URI holds several @")
    if not _USER.fullmatch(user):
        return UriUser("", "its SIP URI's user holds a character that none may")
    return decoded_user(user.partition(":")[0])


def decoded_user(user: str) -> UriUser:
    """What the peer will read where `user` is sent as the user of a URI.

    PJSIP decodes what it parses and sends a `%` as it is, so that `%2530` leaves as `%30`, and the
    peer reads "0". Encoded twice is a disguise, and unreadable.
    """
    user = unquote(user)
    if _CONTROLS.search(user):
        return UriUser("", "its user holds a control character")
    if "%" in user:
        return UriUser("", "its user cannot be decoded")
    return UriUser(user)
