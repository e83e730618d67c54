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

# The order in which they are set. The verdict comes first: whatever an Asterisk might make of a
# value, what stands before it is already apart.
VERDICT_VARIABLES: Final = (VERDICT, RULE, RULES, REASON, NEXT, NUMBER, ATTEMPT)
RECORD_VARIABLES: Final = (RESULT, REASON)
