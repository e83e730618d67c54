"""caller_id: withheld, forbidden, required and declared numbers, by hand and by machine."""

from __future__ import annotations

import pytest

from dialwarden.policy.model import Policy
from dialwarden.question import Purpose
from dialwarden.verdict import Rule

from .packs import key, pack, refusal, said
from .situations import matter, next_at, until

NOW = "2026-11-24 11:00"
MOBILE = 'forbidden = ["+336", "+337"]'
PREDICTIVE = 'required = ["+33162", "+33163"]'


def law(*rules: str) -> Policy:
    heads = ("[[regimes.caller_id]]\nsource = 'law'\n", "[[regimes.caller_id]]\nsource = 'other'\n")
    return pack("".join(f"{head}{rule}\n" for head, rule in zip(heads, rules, strict=False)))


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ("anonymous", "caller_id_withheld"),
        ("Anonymous", "caller_id_withheld"),
        (" ANONYMOUS ", "caller_id_withheld"),
        ("anonymous@anonymous.invalid", "caller_id_withheld"),
        ("restricted", "caller_id_withheld"),
        ("unavailable", "caller_id_withheld"),
        ("unknown", "caller_id_withheld"),
        ("private", "caller_id_withheld"),
        ("withheld", "caller_id_withheld"),
        ("hidden", "caller_id_withheld"),
        ("blocked", "caller_id_withheld"),
        ("prohib", "caller_id_withheld"),
        ("", "caller_id_unreadable"),
        ("acme", "caller_id_unreadable"),
        ("12", "caller_id_unreadable"),
        ("0142", "caller_id_unreadable"),
        ("+33", "caller_id_unreadable"),
        ("prohib_not_screened", "caller_id_unreadable"),
        ("0142123456", ""),
        ("+33142123456", ""),
        ("0033142123456", ""),
        ("+390612345678", ""),
    ],
)
def test_a_number_that_must_be_shown_is_neither_withheld_nor_none(shown: str, reason: str) -> None:
    asked = matter(law("identified = true"), callerid=shown)
    assert key(asked, NOW, Rule.CALLER_ID) == reason


@pytest.mark.parametrize(
    ("rule", "shown", "reason"),
    [
        (MOBILE, "0612345678", "caller_id_forbidden"),
        (MOBILE, "+33712345678", "caller_id_forbidden"),
        (MOBILE, "0033612345678", "caller_id_forbidden"),
        (MOBILE, "0142123456", ""),
        (MOBILE, "+39 06 1234 5678", ""),
        (MOBILE, "+262692123456", ""),
        # Whoever shows nothing shows nothing forbidden: that it must be shown is another rule's.
        (MOBILE, "anonymous", ""),
        # What cannot be read may be one.
        (MOBILE, "4866", "caller_id_unreadable"),
        (MOBILE, "sip:0612345678@pbx", "caller_id_unreadable"),
        (PREDICTIVE, "0162123456", ""),
        (PREDICTIVE, "+33163000000", ""),
        (PREDICTIVE, "0164123456", "caller_id_required"),
        (PREDICTIVE, "+1 62 123 45678", "caller_id_required"),
        (PREDICTIVE, "anonymous", "caller_id_required"),
        (PREDICTIVE, "162", "caller_id_required"),
        (f"{MOBILE}\nrequired = ['+33']", "0612345678", "caller_id_forbidden"),
        (f"{MOBILE}\nrequired = ['+33']", "0142123456", ""),
        (f"{MOBILE}\nrequired = ['+33']", "+390612345678", "caller_id_required"),
    ],
)
def test_prefixes_are_of_the_number_as_it_is_dialled_from_abroad(
    rule: str, shown: str, reason: str
) -> None:
    assert key(matter(law(rule), callerid=shown), NOW, Rule.CALLER_ID) == reason


# As the configuration hands them on: the digits of E.164, or a short number as it is.
DECLARED = ("33142123456", "33612345678", "4866")


@pytest.mark.parametrize(
    ("rule", "shown", "reason"),
    [
        ("declared = true", "0142123456", ""),
        ("declared = true", "+33 1 42 12 34 56", ""),
        ("declared = true", "4866", ""),
        ("declared = true", " 4866 ", ""),
        ("declared = true", "0142123457", "caller_id_undeclared"),
        ("declared = true", "48660", "caller_id_undeclared"),
        ("declared = true", "anonymous", "caller_id_undeclared"),
        ("declared = true", "nonesuch", "caller_id_undeclared"),
        ("declared = true", "", "caller_id_undeclared"),
        ("declared = true\nrequired = ['+33162']", "0162123456", ""),
        ("declared = true\nrequired = ['+33162']", "0142123456", ""),
        ("declared = true\nrequired = ['+33162']", "4866", ""),
        ("declared = true\nrequired = ['+33162']", "0143123456",
         "caller_id_required_or_declared"),
        # Only where the law takes declared ones.
        ("required = ['+33162']", "0142123456", "caller_id_required"),
        # A short number that the professional declares is one that can be called back.
        ("identified = true", "4866", ""),
        ("identified = true", "4867", "caller_id_unreadable"),
        # What is forbidden is so whoever declares it.
        (f"declared = true\n{MOBILE}", "0612345678", "caller_id_forbidden"),
        (f"declared = true\n{MOBILE}", "0142123456", ""),
        (f"declared = true\n{MOBILE}", "4866", ""),
        (MOBILE, "4866", ""),
        (MOBILE, "4867", "caller_id_unreadable"),
    ],
)  # fmt: skip
def test_a_declared_number_may_stand_in_for_a_required_one(
    rule: str, shown: str, reason: str
) -> None:
    asked = matter(law(rule), callerid=shown, caller_ids=DECLARED)
    assert key(asked, NOW, Rule.CALLER_ID) == reason


def test_without_a_declared_number_none_is() -> None:
    asked = matter(law("declared = true"), callerid="0142123456")
    assert key(asked, NOW, Rule.CALLER_ID) == "caller_id_undeclared"


@pytest.mark.parametrize(
    ("rules", "shown", "dial", "expected"),
    [
        ((f"{PREDICTIVE}\ndial = 'automatic'",), "0142123456", "automatic", "caller_id"),
        ((f"{PREDICTIVE}\ndial = 'automatic'",), "0142123456", "manual", ""),
        ((f"{PREDICTIVE}\ndial = 'automatic'",), "0142123456", "", "?caller_id"),
        ((f"{PREDICTIVE}\ndial = 'automatic'",), "0162123456", "", ""),
        ((f"{MOBILE}\ndial = 'manual'",), "0612345678", "manual", "caller_id"),
        ((f"{MOBILE}\ndial = 'manual'",), "0612345678", "automatic", ""),
        ((f"{MOBILE}\ndial = 'manual'",), "0612345678", "", "?caller_id"),
        # What is not known of one rule hides no other.
        ((f"{PREDICTIVE}\ndial = 'automatic'", MOBILE), "0612345678", "", "caller_id"),
        ((MOBILE, f"{PREDICTIVE}\ndial = 'automatic'"), "0142123456", "", "?caller_id"),
        ((MOBILE, f"{PREDICTIVE}\ndial = 'automatic'"), "0142123456", "manual", ""),
        ((MOBILE, "identified = true"), "anonymous", "", "caller_id"),
        # Nobody said which number.
        ((MOBILE,), None, "manual", "?caller_id"),
        ((), None, "", ""),
        ((), "anonymous", "", ""),
    ],
)
def test_what_is_for_machines_alone_is_judged_where_it_is_known_who_dials(
    rules: tuple[str, ...], shown: str | None, dial: str, expected: str
) -> None:
    assert said(matter(law(*rules), callerid=shown, dial=dial), NOW) == expected


@pytest.mark.parametrize(
    ("shown", "dial", "reason"),
    [(None, "", "caller_id_unknown"), ("0142123456", "", "caller_id_dial_unknown")],
)
def test_what_is_not_judged_says_what_is_missing(shown: str | None, dial: str, reason: str) -> None:
    asked = matter(law(f"{PREDICTIVE}\ndial = 'automatic'"), callerid=shown, dial=dial)
    assert key(asked, NOW, Rule.CALLER_ID) == reason


@pytest.mark.parametrize(
    ("dates", "clock", "expected"),
    [
        ("from = 2026-10-01", "2026-09-30 23:59:59", ""),
        ("from = 2026-10-01", "2026-10-01 00:00:00", "caller_id"),
        ("until = 2026-10-01", "2026-10-01 23:59:59", "caller_id"),
        ("until = 2026-10-01", "2026-10-02 00:00:00", ""),
    ],
)
def test_a_duty_has_its_dates_within_the_regime(dates: str, clock: str, expected: str) -> None:
    rule = law(f"{MOBILE}\n{dates}")
    assert said(matter(rule, callerid="0612345678"), clock) == expected
    # Where no duty is in force, nobody needs to say which number is shown.
    assert said(matter(rule), clock) == (f"?{expected}" if expected else "")


def test_only_a_duty_that_ends_is_waited_for() -> None:
    ending = matter(law(f"{MOBILE}\nuntil = 2026-11-30"), callerid="0612345678")
    assert until(refusal(ending, NOW, Rule.CALLER_ID)) == "2026-12-01 00:00:00+01:00"
    assert next_at(ending, NOW) == "2026-12-01 00:00:00+01:00"
    endless = matter(law(MOBILE), callerid="0612345678")
    assert until(refusal(endless, NOW, Rule.CALLER_ID)) == "never"
    assert next_at(endless, NOW) == ""


@pytest.mark.parametrize(
    ("purposes", "purpose", "expected"),
    [
        ("", Purpose.SALES, "caller_id"),
        ("", Purpose.SERVICE, "caller_id"),
        ('purposes = ["sales"]', Purpose.SERVICE, ""),
        ('purposes = ["sales"]', Purpose.SALES, "caller_id"),
    ],
)
def test_a_duty_binds_the_purposes_that_it_names(
    purposes: str, purpose: Purpose, expected: str
) -> None:
    asked = matter(law(f"{MOBILE}\n{purposes}"), callerid="0612345678", purpose=purpose)
    assert said(asked, NOW) == expected


def test_a_duty_may_bind_calls_that_the_regime_does_not() -> None:
    parts = 'purposes = ["sales"]\n[[regimes.caller_id]]\nsource = "law"\nidentified = true\n'
    asked = matter(
        pack(parts + 'purposes = ["service"]\n'), callerid="anonymous", purpose=Purpose.SERVICE
    )
    assert said(asked, NOW) == "caller_id"


@pytest.mark.parametrize(
    ("rule", "shown", "values"),
    [
        (MOBILE, "0612345678", {"shown": "+33612345678", "prefix": "+336"}),
        (PREDICTIVE, "0142123456", {"shown": "+33142123456", "prefixes": ("+33162", "+33163")}),
        ("declared = true", "café", {"shown": r"'caf\xe9'"}),
        ("identified = true", "x" * 60, {"shown": f"'{'x' * 40}'"}),
    ],
)
def test_a_reason_tells_what_was_shown_as_far_as_it_is_fit_for_a_log(
    rule: str, shown: str, values: dict[str, object]
) -> None:
    found = refusal(matter(law(rule), callerid=shown), NOW, Rule.CALLER_ID)
    assert found.reason.values == values
    assert found.source == "the law"
