"""What can go wrong between us and Asterisk's manager interface.

DialwardenError
├── LinkDown            there is no link, or it was lost before the answer came
│   └── NotAsterisk     who answers there is no manager interface
├── LinkTimeout         the link is up, the answer did not come
└── ActionFailed        Asterisk answered with an error
    └── LoginRefused    to our login
"""

from __future__ import annotations

from dialwarden.errors import DialwardenError


class LinkDown(DialwardenError):
    """There is no link; whether an action that was under way was carried out is not known."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class NotAsterisk(LinkDown):
    """Who answers there greets like something else; `banner` is the first it said."""

    def __init__(self, banner: str) -> None:
        self.banner = banner
        super().__init__(f"who answers there is no Asterisk manager interface: {banner!r}")


class LinkTimeout(DialwardenError):
    """No answer to an action in time; whether it was carried out is not known."""

    def __init__(self, action: str, within_s: float) -> None:
        self.action = action
        self.within_s = within_s
        super().__init__(f"no answer to {action} within {within_s:g} s")


class ActionFailed(DialwardenError):
    """Asterisk answered an action with an error; `message` is its sentence."""

    def __init__(self, action: str, message: str) -> None:
        self.action = action
        self.message = message
        super().__init__(f"Asterisk refused {action}: {message!r}")


class LoginRefused(ActionFailed):
    """Asterisk knows us and will not have us."""
