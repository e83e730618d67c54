"""What each field of an export means, in words for whoever is called.

Owns the words, section by section. A test holds that no field of any section is without.
"""

from __future__ import annotations

from collections.abc import Mapping

ABOUT = (
    "This is everything that dialwarden has on record of this telephone number. dialwarden is the "
    "program that decides, before each outgoing call of this call centre, whether the call may be "
    "placed, and keeps the proof of it. It holds no names and no recordings; all that it knows "
    "belongs to telephone numbers. A professional is the business that calls are made for."
)

# What each section holds.
SECTIONS: Mapping[str, str] = {
    "attempts": "Calls to this number that were allowed, whatever came of them.",
    "legs": "The lines by which those calls were dialled.",
    "silent_calls": "Calls that were answered and that no agent took.",
    "appointments": "Times at which a call was agreed on.",
    "consents": "What was agreed to: that a professional may call.",
    "withdrawals": "What was agreed to, taken back.",
    "objections": "What was objected to: calls by a professional.",
    "refusals": "Calls to this number that were not allowed, or not by the rules, and why.",
    "exempt_calls": "Calls that were let pass because the number is on a list of numbers that are "
    "never judged, such as those of staff.",
    "lists": "Lists that this number stands on: of people who do not want to be called "
    "(opposition), or who are never judged (exempt).",
    "list_versions": "Each version of a list, in force or former, that this number stands in.",
    "list_changes": "When this number was put on or taken off a list by hand.",
    "erasures": "When records of this number were erased at somebody's request.",
    "persons": "Ids that join several numbers of one person, as the call centre gave them.",
    "kept": "How long what is listed here is kept, and why.",
}

_ID = {"id": "The number of this record."}
_CALLEE = {"number": "The number that was called, or that this is about."}
_WHO = {
    "professional": "The business that the call was made for, or that this was said to.",
    "campaign": "The campaign that the call belonged to.",
}
_PERSON = {"person": "An id that joins several numbers of one person, where one was given."}
_SAID = {
    "recorded_at": "When this was recorded.",
    "by": "Who recorded it.",
}
_CALL = {
    "door": "By which way the telephone system asked for permission, or this was learnt.",
    "call": "The telephone system's own id of the call.",
    "asked_by": "Which extension, line or program asked.",
}
_JUDGED = {
    "regime": "The legal rules in force that it was judged by.",
    "policy": "The set of rules that they belong to.",
    "policy_sha256": "A checksum of those rules.",
    "lists": "The version of each list that was looked at.",
    "tzdata": "The version of the time zone data.",
    "program": "The version of dialwarden.",
    "config_sha256": "A checksum of the settings.",
    "overrides": "Rules that somebody had let go for a while, and who answers for that.",
}
_REDUCED = {
    "reduced_at": "Since when this is kept without saying whose number it was; empty if it is not."
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "attempts": {
        **_ID, **_CALLEE, **_WHO, **_PERSON, **_CALL, **_JUDGED,
        "purpose": "What the call was about.",
        "permit": "The id that the call was dialled with.",
        "caller_id": "The number that was to be shown.",
        "region": "The region that the number was said to be in.",
        "dialling": "Whether a person dialled (manual) or a machine (automatic).",
        "relationship": "What connected the number to the professional, as the caller claimed.",
        "zones": "The time zones that the number may be in.",
        "state": "How far the call came.",
        "outcome": "What became of it.",
        "at": "When it was allowed.",
        "dialled_at": "When it was dialled.",
        "rang_at": "When it rang.",
        "answered_at": "When it was answered.",
        "ended_at": "When it ended.",
        "settled_at": "When what became of it was recorded.",
        "voided_at": "When it was found that the call was never placed.",
        "voided_why": "How that was found.",
        "enforced": "No: the rules refused the call, and it was placed all the same.",
        "asked": "How often permission was asked for this one call.",
        "silent": "Whether it was answered and no agent took it.",
        "trunk": "The line that it was last dialled by.",
        "channel": "The name of that line's channel.",
        "hangup_cause": "Why the line ended the call, a code of the telephone network's.",
    },
    "legs": {
        **_ID,
        "attempt": "The call that this belongs to.",
        "at": "When it was dialled.",
        "trunk": "The line.",
        "channel": "The name of the line's channel.",
        "uniqueid": "The telephone system's own id of it.",
        "pbx": "Which telephone system.",
        "state": "How far it came.",
        "ending": "How it ended.",
        "ended_at": "When it ended.",
        "hangup_cause": "Why the line ended it, a code of the telephone network's.",
    },
    "silent_calls": {
        **_ID, **_CALLEE, **_PERSON, **_WHO, **_SAID,
        "at": "When.",
        "attempt": "The call that it was, where that is known.",
    },
    "appointments": {
        **_ID, **_CALLEE, **_WHO, **_SAID,
        "at": "The time that was agreed on.",
        "used_by": "The call that was made at that time.",
    },
    "consents": {
        **_ID, **_CALLEE, **_WHO, **_SAID,
        "given_at": "When it was given.",
        "until": "The last day on which it holds, where one was named.",
        "scope": "What it is for: everything of the professional's, a purpose or a campaign.",
        "proof": "Where the record of it is.",
        "complete": "Whether that record holds all that the law asks for.",
        "withdrawn_at": "When it was taken back.",
    },
    "withdrawals": {**_ID, **_CALLEE, **_WHO, **_SAID, **_REDUCED, "at": "When it was taken back."},
    "objections": {
        **_ID, **_CALLEE, **_PERSON, **_WHO, **_SAID, **_REDUCED,
        "scope": "How far it reaches: this professional, this campaign, or everybody.",
        "at": "When it was said.",
        "door": "By which way it came.",
        "note": "What was noted with it.",
    },
    "refusals": {
        **_ID, **_CALLEE, **_WHO, **_CALL, **_JUDGED,
        "at": "When.",
        "dialled": "What was dialled.",
        "rule": "The first rule that refused.",
        "rules": "All rules that refused.",
        "findings": "Each of them, with its reason and its source in the law.",
        "next": "When the call would have been allowed.",
        "would": "Yes: the rules refused the call, and it was placed all the same.",
    },
    "exempt_calls": {
        **_ID, **_CALLEE, **_CALL,
        "at": "When.",
        "list": "The list.",
        "campaign": "The campaign that the call belonged to.",
    },
    "lists": {
        "list": "The list.",
        "kind": "What it is: opposition (not to be called) or exempt (never judged).",
        "listed": "Whether the number stands on it.",
        "since": "Since when, where the list says so.",
        "version": "The version of the list that is in force.",
        "as_of": "The day that this version speaks of.",
        "imported_at": "When it was brought in.",
        "source": "The file that it came from.",
        "fault": "Why the list could not be read, where it could not.",
    },
    "list_versions": {
        "list": "The list.",
        "version": "Which version of it.",
        "as_of": "The day that it speaks of.",
        "imported_at": "When it was brought in.",
        "source": "The file that it came from.",
        "since": "Since when the number stands on it, where the list says so.",
        "in_force": "Whether this version is the one in use.",
    },
    "list_changes": {
        **_ID, **_CALLEE,
        "name": "The list.",
        "op": "Whether the number was put on it (add) or taken off (remove).",
        "at": "When.",
        "by": "Who did it.",
        "note": "What was noted with it.",
    },
    "erasures": {
        **_ID,
        "number": "The number, which is kept as a code that says not whose it is.",
        "at": "When it began.",
        "ended_at": "When it ended.",
        "by": "Who did it.",
        "why": "Why.",
        "counts": "How many records were removed, reduced or kept.",
    },
    "persons": {
        "person": "The id.",
        "numbers": "The other numbers that it was given with.",
    },
    "kept": {
        "kind": "Which records.",
        "professional": "Whose.",
        "rows": "How many.",
        "until": "The first day on which all of them can be erased; empty where none is fixed.",
        "reduced_from": "The first day on which all of them can be kept without saying whose they "
        "are.",
        "reduced": "How many are kept so already.",
        "why": "Why they are kept.",
        "source": "Where that period is laid down.",
    },
}  # fmt: skip
