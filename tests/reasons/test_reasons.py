"""Every reason has its sentence in every language, with the same values in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import dialwarden
from dialwarden.numbers.number import Code
from dialwarden.policy.period import Period
from dialwarden.reasons import LANGUAGES, catalogue, sentence
from dialwarden.verdict import Reason

PACKAGE = Path(dialwarden.__file__).parent
PARIS = ZoneInfo("Europe/Paris")
# What the rules fill into "consent_…" and the readers of numbers into "number_…".
FLAWS = ("none", "scope", "withdrawn", "overruled", "not_yet", "incomplete", "lapsed")
FAMILIES = {"consent_": FLAWS, "number_": get_args(Code)}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def sentences(language: str) -> dict[str, str]:
    table = catalogue(language)["sentences"]
    return {key: str(template) for key, template in table.items()}


def reason_calls() -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Every `Reason(...)` of the package: its place, itself, the function it stands in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        functions = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "Reason":
                around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                yield place, node, around[-1] if around else tree


def keys_of(expression: ast.expr, scope: ast.AST) -> set[str]:
    """The keys that an expression may give: constants, conditions, families, local names."""
    match expression:
        case ast.Constant(value=str(key)):
            return {key}
        case ast.IfExp(body=body, orelse=orelse):
            return keys_of(body, scope) | keys_of(orelse, scope)
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue()]):
            return {prefix + ending for ending in FAMILIES[prefix]}
        case ast.Name(id=name):
            assigned = [
                node.value
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
            ]
            return set().union(*(keys_of(value, scope) for value in assigned))
    raise AssertionError(f"cannot tell the key of {ast.unparse(expression)}")


def used_keys() -> dict[str, str]:
    """Every key used in the package, with one place where it is."""
    used: dict[str, str] = {}
    for place, call, scope in reason_calls():
        found = keys_of(call.args[0], scope)
        assert found, f"{place}: no key could be told"
        used.update(dict.fromkeys(found, place))
    return used


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_the_package_uses_has_a_sentence(language: str) -> None:
    missing = {key: place for key, place in used_keys().items() if key not in sentences(language)}
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_used(language: str) -> None:
    assert set(sentences(language)) <= set(used_keys())


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_keys_and_values(language: str) -> None:
    english, other = sentences("en"), sentences(language)
    assert set(other) == set(english)
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_weekdays_and_units(language: str) -> None:
    words = catalogue(language)
    assert [*words["weekdays"]] == [str(n) for n in range(7)]
    for unit in ("minute", "hour", "day"):
        forms = words["units"][unit]
        assert isinstance(forms, list)
        assert len(set(forms)) == 2


def test_a_call_gives_every_value_that_its_sentence_names() -> None:
    """For the calls whose values stand in the code as a plain dict."""
    seen = 0
    for place, call, scope in reason_calls():
        given: set[str] = set()
        if len(call.args) > 1:
            values = call.args[1]
            if isinstance(values, ast.Name):
                values = assigned_dict(values.id, scope) or values
            if not isinstance(values, ast.Dict):
                continue
            given = {str(key.value) for key in values.keys if isinstance(key, ast.Constant)}
            given |= added_values(call.args[1], scope)
        for key in keys_of(call.args[0], scope):
            assert placeholders(sentences("en")[key]) <= given, (place, key)
            seen += 1
    assert seen > 20


def assigned_dict(name: str, scope: ast.AST) -> ast.Dict | None:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node.value
    return None


def added_values(values: ast.expr, scope: ast.AST) -> set[str]:
    """The keys of `values["key"] = …` in the same function."""
    if not isinstance(values, ast.Name):
        return set()
    return {
        str(target.slice.value)
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == values.id
        and isinstance(target.slice, ast.Constant)
    }


# --- How values are written

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC).astimezone(PARIS)


@pytest.mark.parametrize(
    ("value", "en", "fr", "it"),
    [
        (date(2026, 11, 24), "Tue 2026-11-24", "mar. 2026-11-24", "mar 2026-11-24"),
        (AT, "Tue 2026-11-24 10:30 Europe/Paris", "mar. 2026-11-24 10:30 Europe/Paris",
         "mar 2026-11-24 10:30 Europe/Paris"),
        (AT.replace(second=5), "Tue 2026-11-24 10:30:05 Europe/Paris",
         "mar. 2026-11-24 10:30:05 Europe/Paris", "mar 2026-11-24 10:30:05 Europe/Paris"),
        (AT.astimezone(UTC), "Tue 2026-11-24 09:30 UTC", "mar. 2026-11-24 09:30 UTC",
         "mar 2026-11-24 09:30 UTC"),
        (Period.parse("1 day"), "1 day", "1 jour", "1 giorno"),
        (Period.parse("30 days"), "30 days", "30 jours", "30 giorni"),
        (Period.parse("1 hour"), "1 hour", "1 heure", "1 ora"),
        (Period.parse("48 hours"), "48 hours", "48 heures", "48 ore"),
        (Period.parse("1 minute"), "1 minute", "1 minute", "1 minuto"),
        (Period.parse("90 minutes"), "90 minutes", "90 minutes", "90 minuti"),
        (("a", "b"), "a, b", "a, b", "a, b"),
        (7, "7", "7", "7"),
    ],
)  # fmt: skip
def test_values_are_written_for_the_reader(value: object, en: str, fr: str, it: str) -> None:
    for language, written in (("en", en), ("fr", fr), ("it", it)):
        found = sentence(Reason("consent_none", {"professional": value}), language)
        assert found == sentence(Reason("consent_none", {"professional": written}), language)
        assert written in found


# One of each, worked out by hand: what a person reads.
SAMPLES: dict[str, tuple[dict[str, object], str, str, str]] = {
    "hours": (
        {"local": AT, "windows": "10:00-13:00, 14:00-20:00"},
        "it is Tue 2026-11-24 10:30 Europe/Paris where the callee is; calls are allowed"
        " 10:00-13:00, 14:00-20:00",
        "heure locale de la personne : mar. 2026-11-24 10:30 Europe/Paris ; appels permis :"
        " 10:00-13:00, 14:00-20:00",
        "ora locale della persona: mar 2026-11-24 10:30 Europe/Paris; chiamate permesse:"
        " 10:00-13:00, 14:00-20:00",
    ),
    "frequency": (
        {"made": 1, "max": 1, "period": Period(days=1), "professional": "acme", "until": AT},
        "attempts for acme within 1 day: 1 (limit 1), until Tue 2026-11-24 10:30 Europe/Paris",
        "tentatives pour acme en 1 jour : 1 (limite 1), jusqu'au mar. 2026-11-24 10:30"
        " Europe/Paris",
        "tentativi per acme in 1 giorno: 1 (limite 1), fino a mar 2026-11-24 10:30 Europe/Paris",
    ),
    "objection_days": (
        {"said": AT, "days": Period(days=60), "until": AT},
        "the callee objected on Tue 2026-11-24 10:30 Europe/Paris; no call for 60 days from the"
        " day after, until Tue 2026-11-24 10:30 Europe/Paris",
        "la personne s'est opposée le mar. 2026-11-24 10:30 Europe/Paris ; pas d'appel pendant"
        " 60 jours à compter du lendemain, jusqu'au mar. 2026-11-24 10:30 Europe/Paris",
        "la persona si è opposta mar 2026-11-24 10:30 Europe/Paris; nessuna chiamata per 60 giorni"
        " dal giorno dopo, fino a mar 2026-11-24 10:30 Europe/Paris",
    ),
    "list_stale": (
        {"list": "rpo", "as_of": date(2026, 11, 1), "age": Period(days=23),
         "limit": Period(days=15)},
        "list rpo is of Sun 2026-11-01, 23 days old (limit 15 days); import a newer one",
        "la liste rpo date du dim. 2026-11-01, il y a 23 jours (limite 15 jours) ; importez-en une"
        " plus récente",
        "la lista rpo è di dom 2026-11-01, 23 giorni fa (limite 15 giorni); importatene una più"
        " recente",
    ),
    "holiday": (
        {"day": date(2026, 12, 25), "name": "Noël"},
        "Fri 2026-12-25 is a public holiday (Noël) where the callee is",
        "le ven. 2026-12-25 est férié (Noël) là où se trouve la personne",
        "ven 2026-12-25 è festivo (Noël) dove si trova la persona",
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", SAMPLES)
def test_sentences_as_a_person_reads_them(key: str) -> None:
    values, *expected = SAMPLES[key]
    for language, text in zip(LANGUAGES, expected, strict=True):
        assert sentence(Reason(key, values), language) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_ends_in_a_full_stop_or_begins_with_a_capital(language: str) -> None:
    """They stand in log lines and channel variables, after a colon."""
    for key, text in sentences(language).items():
        assert not text.endswith("."), key
        assert text[0] == "{" or text[0].islower(), key
        assert "  " not in text, key
        assert "\n" not in text, key


def test_french_puts_blanks_before_its_double_marks() -> None:
    for key, text in sentences("fr").items():
        for place, letter in enumerate(text):
            if letter in ";:!?":
                assert text[place - 1] == " ", key


def test_a_value_that_is_missing_is_a_question_mark_and_one_too_many_is_left_out() -> None:
    reason = Reason("campaign_unknown", {"campaign": "x", "more": "y"})
    assert sentence(reason) == "campaign x is not in the configuration; known: ?"


def test_a_refusal_is_never_lost_for_want_of_a_translation() -> None:
    reason = Reason("brand_new", {"day": date(2026, 11, 24), "n": 7})
    assert sentence(reason, "fr") == "brand_new day=mar. 2026-11-24 n=7"


def test_values_are_never_read_as_templates() -> None:
    assert "{list}" in sentence(Reason("campaign_unknown", {"campaign": "{list}", "known": ""}))


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        sentence(Reason("hours", {}), "de")
