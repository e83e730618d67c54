"""Every reason has its sentence in every language, with the same values in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args
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


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: in a function (None: in none) of a module."""

    module: ast.Module
    function: Function | None

    @property
    def node(self) -> ast.AST:
        return self.function or self.module


def reason_calls() -> Iterator[tuple[str, ast.Call, Scope]]:
    """Every `Reason(...)` of the package: its place, itself, and where it stands.

    Without those that are another reason told with more: their key stands where that one is made.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ast.parse(path.read_text("utf-8"))
        for call, scope in calls_of("Reason", module):
            if ast.unparse(call.args[0]).endswith("reason.key"):
                continue
            yield f"{path.relative_to(PACKAGE)}:{call.lineno}", call, scope


def calls_of(name: str, module: ast.Module) -> Iterator[tuple[ast.Call, Scope]]:
    functions = [node for node in ast.walk(module) if isinstance(node, Function)]
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
            yield node, Scope(module, around[-1] if around else None)


def keys_of(expression: ast.expr, scope: Scope) -> set[str]:
    """The keys that an expression may give.

    Constants, conditions, families, the values of a table of the module, local names, and what
    the function is called with.
    """
    match expression:
        case ast.Constant(value=str(key)):
            return {key}
        case ast.IfExp(body=body, orelse=orelse):
            return keys_of(body, scope) | keys_of(orelse, scope)
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue()]):
            return {prefix + ending for ending in FAMILIES[prefix]}
        case ast.Subscript(value=ast.Name(id=table)):
            (values,) = [value.values for value in assigned(table, scope.module)]
            return set().union(*(keys_of(value, scope) for value in values))
        case ast.Name(id=name):
            found = [(value, scope) for value in assigned(name, scope.node)]
            found += arguments(name, scope)
            return set().union(*(keys_of(value, where) for value, where in found))
    raise AssertionError(f"cannot tell the key of {ast.unparse(expression)}")


def assigned(name: str, scope: ast.AST) -> Iterator[Any]:
    """What stands to the right of `name = …`."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                yield node.value


def arguments(name: str, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    """What the function of a scope is called with for a parameter, in its module."""
    if scope.function is None:
        return
    parameters = [argument.arg for argument in scope.function.args.args]
    if name in parameters:
        for call, where in calls_of(scope.function.name, scope.module):
            yield call.args[parameters.index(name)], where


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
                values = next(assigned(values.id, scope.node), values)
            if not isinstance(values, ast.Dict):
                continue
            given = {str(key.value) for key in values.keys if isinstance(key, ast.Constant)}
            given |= added_values(call.args[1], scope.node)
        for key in keys_of(call.args[0], scope):
            assert placeholders(sentences("en")[key]) <= given, (place, key)
            seen += 1
    assert seen > 20


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
NEXT = datetime(2026, 11, 24, 14, tzinfo=PARIS)


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
        {"local": AT, "where": "", "windows": "10:00-13:00, 14:00-20:00", "opens": NEXT},
        "it is Tue 2026-11-24 10:30 Europe/Paris where the callee is; calls are allowed"
        " 10:00-13:00, 14:00-20:00 that day, next from Tue 2026-11-24 14:00 Europe/Paris",
        "chez l'appelé, c'est le mar. 2026-11-24 10:30 Europe/Paris ; les appels sont permis"
        " 10:00-13:00, 14:00-20:00 ce jour-là, prochaine ouverture le mar. 2026-11-24 14:00"
        " Europe/Paris",
        "è mar 2026-11-24 10:30 Europe/Paris dove si trova il chiamato; quel giorno le"
        " chiamate sono permesse 10:00-13:00, 14:00-20:00, prossima apertura mar 2026-11-24 14:00"
        " Europe/Paris",
    ),
    "frequency": (
        {"made": 1, "max": 1, "period": Period(days=1), "professional": "acme", "until": AT},
        "attempts for acme within 1 day: 1 (limit 1); no call before Tue 2026-11-24 10:30"
        " Europe/Paris",
        "tentatives pour acme en 1 jour : 1 (limite 1) ; aucun appel avant le"
        " mar. 2026-11-24 10:30 Europe/Paris",
        "tentativi per acme in 1 giorno: 1 (limite 1); nessuna chiamata prima di"
        " mar 2026-11-24 10:30 Europe/Paris",
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
        {"day": date(2026, 12, 25), "name": "Noël", "region": "",
         "opens": datetime(2026, 12, 26, tzinfo=PARIS)},
        "Fri 2026-12-25 is a public holiday (Noël) where the callee is; calls again from"
        " Sat 2026-12-26 00:00 Europe/Paris",
        "le ven. 2026-12-25 est férié (Noël) là où se trouve l'appelé ; appels de nouveau permis à"
        " partir du sam. 2026-12-26 00:00 Europe/Paris",
        "ven 2026-12-25 è festivo (Noël) dove si trova il chiamato; chiamate di nuovo permesse"
        " da sab 2026-12-26 00:00 Europe/Paris",
    ),
    "gap_silent": (
        {"last": AT, "gap": Period(days=5), "until": datetime(2026, 11, 30, tzinfo=PARIS)},
        "the call of Tue 2026-11-24 10:30 Europe/Paris was answered and no agent took it; no call"
        " for 5 days after it, until Mon 2026-11-30 00:00 Europe/Paris",
        "l'appel du mar. 2026-11-24 10:30 Europe/Paris a été décroché et aucun agent ne l'a pris ;"
        " aucun appel pendant 5 jours ensuite, jusqu'au lun. 2026-11-30 00:00 Europe/Paris",
        "alla chiamata di mar 2026-11-24 10:30 Europe/Paris il chiamato ha risposto e nessun"
        " operatore l'ha presa; nessuna chiamata per 5 giorni, fino a lun 2026-11-30 00:00"
        " Europe/Paris",
    ),
    "caller_id_required": (
        {"shown": "+33142123456", "prefixes": ("+33162", "+33163")},
        "the caller id +33142123456 is not one that may be shown; present one that begins with"
        " +33162, +33163",
        "le numéro présenté +33142123456 n'est pas de ceux que l'on peut présenter ;"
        " présentez-en un qui commence par +33162, +33163",
        "il numero presentato +33142123456 non è tra quelli che si possono mostrare; presentatene"
        " uno che comincia con +33162, +33163",
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
