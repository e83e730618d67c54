"""Every channel variable that dialwarden sets, by name.

Owns the names and nothing else; the dialplan of every site rests on them.
"""

from __future__ import annotations

from typing import Final

VERDICT: Final = "DIALWARDEN_VERDICT"  # ALLOW or REFUSE
RULE: Final = "DIALWARDEN_RULE"  # first failing rule, empty on ALLOW
RULES: Final = "DIALWARDEN_RULES"  # all failing rules, joined by &
REASON: Final = "DIALWARDEN_REASON"  # one sentence for a person
NEXT: Final = "DIALWARDEN_NEXT"  # ISO 8601 with offset, empty when waiting will not help
NUMBER: Final = "DIALWARDEN_NUMBER"  # E.164: what to dial
ATTEMPT: Final = "DIALWARDEN_ATTEMPT"  # id, empty on REFUSE
RESULT: Final = "DIALWARDEN_RESULT"  # OK or FAILED, by the scripts that record

# The order in which they are set. Asterisk obeys a command that was cut off by the end of its
# stream: of a shorter number, and of a verdict without one. So the number is whole before there
# is a verdict, and behind that comes only the sentence, where a cut does no harm. (Measured on
# Asterisk 22.10.1: with the verdict first, every prefix of the number could be dialled.)
VERDICT_VARIABLES: Final = (RULE, RULES, NEXT, NUMBER, ATTEMPT, VERDICT, REASON)
