"""A number that looks like one of a region's and is nobody's, as far as phonenumbers can tell.

For questions that are about something else than the callee.
"""

from __future__ import annotations

from phonenumbers import PhoneNumberFormat, format_number
from phonenumbers import example_number as example_of


def example_number(region: str) -> str:
    """An example in E.164 for an ISO 3166 country or subdivision; "" where there is none."""
    found = example_of(region.partition("-")[0]) if region else None
    return format_number(found, PhoneNumberFormat.E164) if found else ""
