"""What stands in a sentence as a value is said in the sentence's own language."""

from __future__ import annotations

import ast
import copy
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.world import rulebook_of
from tests.reasons.test_reasons import PACKAGE, Scope, assigned, calls_of, placeholders

from dialwarden.gate.callee import RecordingError, Words, callee_finder
from dialwarden.gate.reading import detail_of, read_question
from dialwarden.gate.rulebook import Rulebook
from dialwarden.ledger.connection import open_ledger
from dialwarden.numbers import Unreadable, read_number
from dialwarden.question import Question, QuestionError, Relationship
from dialwarden.reasons import LANGUAGES, catalogue, sentence
from dialwarden.verdict import Phrase, Reason
from dialwarden.wire.agi_request import read_environment
from dialwarden.wire.errors import Fault

# Where each of these takes the English words.
TAKERS = {"Phrase": 0, "Fault": 0, "QuestionError": 2}


def used_phrases() -> Iterator[str]:
    """Every phrase of the package, as its English words stand in the code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ast.parse(path.read_text("utf-8"))
        for name, position in TAKERS.items():
            for call, scope in calls_of(name, module):
                if len(call.args) > position:
                    yield from constants(call.args[position], scope)
        if path.parent.name == "numbers":
            # Pairs of words and what goes into them: the numbers know no phrase.
            for node in ast.walk(module):
                match node:
                    case ast.Tuple(elts=[ast.Constant(value=str(words)), ast.Dict() | ast.Name()]):
                        yield words


def constants(expression: ast.expr, scope: Scope) -> Iterator[str]:
    match expression:
        case ast.Constant(value=str(words)):
            yield words
        case ast.Name(id=name):
            for value in assigned(name, scope.node):
                if isinstance(value, ast.Constant):
                    yield str(value.value)


def phrases(language: str) -> Mapping[str, list[str]]:
    """The phrases of a catalogue, each in the forms that it has."""
    return {
        key: entry if isinstance(entry, list) else [str(entry)]
        for key, entry in catalogue(language)["phrases"].items()
    }


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_phrase_of_the_package_is_in_the_catalogue_and_no_other(language: str) -> None:
    assert set(phrases(language)) == set(used_phrases())


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_phrase_has_the_same_values_in_every_language(language: str) -> None:
    for key, forms in phrases(language).items():
        for form in forms:
            assert placeholders(form) == placeholders(key), key


def test_english_is_what_the_code_says() -> None:
    assert phrases("en") == {}


def faults_of(*arguments: str) -> tuple[Fault, ...]:
    lines = [f"agi_arg_{n}: {argument}" for n, argument in enumerate(arguments, 1)]
    return read_environment("\n".join(["agi_network: yes", *lines]).encode()).faults


def misread(relationship: str) -> QuestionError:
    with pytest.raises(QuestionError) as caught:
        Relationship.parse(relationship)
    return caught.value


def torn(*arguments: str) -> tuple[str, ...]:
    return tuple(Phrase(*fault.words) for fault in faults_of(*arguments))


NUMBER = "0612345678"
# Questions, and the words that stand in their refusal: English as ever, French, Italian.
TOLD: list[tuple[Question, str, str, str]] = [
    (Question("06123", "capped"), "5 digits", "5 chiffres", "5 cifre"),
    (Question("5", "capped"), "1 digits", " 1 chiffre ", " 1 cifra;"),
    (Question("5" * 5000, "capped"), "5000 characters", "5000 caractères", "5000 caratteri"),
    (Question("06 12f", "capped"), "U+0066 LATIN SMALL LETTER F, character 6",
     "U+0066 LATIN SMALL LETTER F, en position 6", "U+0066 LATIN SMALL LETTER F, in posizione 6"),
    (Question("06\x1b12", "capped"), "U+001B unnamed, character 3",
     "U+001B sans nom, en position 3", "U+001B senza nome, in posizione 3"),
    (Question("06+12", "capped"), "a + that is not in front", "un + qui n'est pas au début",
     "un + che non è all'inizio"),
    (Question("687751234", "capped"),
     "+687 written without its +, or a national number of +33",
     "+687 écrit sans son +, ou un numéro national du +33",
     "+687 scritto senza il suo +, oppure un numero nazionale di +33"),
    (Question("+80012345678", "capped"), "+800 is no country's code",
     "+800 n'est l'indicatif d'aucun pays", "+800 non è il prefisso di nessun paese"),
    (Question(NUMBER, "capped", region="QQ"),
     "an ISO 3166 code such as FR-974 or IT (the nearest known is ",
     "un code ISO 3166 comme FR-974 ou IT (le plus proche connu est ",
     "un codice ISO 3166 come FR-974 o IT (il più vicino conosciuto è "),
    (Question(NUMBER, "capped", misread=misread("friend")),
     "contract, ended:YYYY-MM-DD, press or request:YYYY-MM-DD",
     "contract, ended:AAAA-MM-JJ, press ou request:AAAA-MM-JJ",
     "contract, ended:AAAA-MM-GG, press o request:AAAA-MM-GG"),
    (Question(NUMBER, "capped", faults=torn("number=06", "number=7", "12")),
     "'number' is given twice; '12' is no key=value (a value may hold no comma)",
     "'number' est donné deux fois ; '12' n'est pas de la forme clé=valeur"
     " (une valeur ne peut pas contenir de virgule)",
     "'number' è dato due volte; '12' non è della forma chiave=valore"
     " (un valore non può contenere virgole)"),
]  # fmt: skip

ENGLISH = ("digit", "character", "given twice", "such as", "nearest", "or a national", "in front",
           "written", " or ", " is ", "country", "unnamed", "key=value", "YYYY")  # fmt: skip


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return rulebook_of(tmp_path_factory.mktemp("config"))


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_ledger(tmp_path / "ledger.db")
    yield connection
    connection.close()


@pytest.mark.parametrize(("question", "en", "fr", "it"), TOLD)
def test_a_refusal_is_told_in_one_language(
    rulebook: Rulebook, question: Question, en: str, fr: str, it: str
) -> None:
    reason = read_question(question, rulebook).refusals[-1].reason
    for language, words in zip(LANGUAGES, (en, fr, it), strict=True):
        told = sentence(reason, language)
        assert words in told
        if language != "en":
            assert not [word for word in ENGLISH if word in told]


@pytest.mark.parametrize(
    ("words", "en", "fr", "it"),
    [
        (Words(attempt="x1"), "use the number in DIALWARDEN_ATTEMPT",
         "utilisez le numéro contenu dans DIALWARDEN_ATTEMPT",
         "usate il numero contenuto in DIALWARDEN_ATTEMPT"),
        (Words(attempt="7"), "attempt 7 is not in", "la tentative 7 n'est pas dans",
         "il tentativo 7 non è nel"),
        (Words(call="17.1"), "call '17.1' is not in", "l'appel '17.1' n'est pas dans",
         "la chiamata '17.1' non è nel"),
        (Words(number="06123", campaign="capped"), "5 digits", "5 chiffres", "5 cifre"),
    ],
)  # fmt: skip
def test_what_was_not_recorded_is_told_in_one_language(
    rulebook: Rulebook, conn: sqlite3.Connection, words: Words, en: str, fr: str, it: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        callee_finder(words, rulebook, exact=True)(conn)
    for language, told in zip(LANGUAGES, (en, fr, it), strict=True):
        assert told in sentence(caught.value.reason, language)


def test_with_no_campaign_configured_that_is_what_is_known() -> None:
    reason = Reason("campaign_unknown", {"campaign": "'x'", "known": Phrase("none")})
    assert sentence(reason, "en").endswith("known: none")
    assert sentence(reason, "fr").endswith("connues : aucune")
    assert sentence(reason, "it").endswith("conosciute: nessuna")


def test_a_phrase_without_a_translation_stays_in_english() -> None:
    phrase = Phrase("{n} brand-new words", {"n": 3})
    assert "3 brand-new words" in sentence(Reason("number_faults", {"detail": phrase}), "fr")


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (("a" * 100, "b" * 98), "a" * 100 + "; " + "b" * 98),
        (("a" * 100, "b" * 99), "a" * 100),
        (("a" * 100, "b" * 99, "c"), "a" * 100),
        (("a" * 201, "b"), "a" * 200),
    ],
)
def test_of_many_faults_the_first_are_told(
    rulebook: Rulebook, faults: tuple[str, ...], told: str
) -> None:
    reading = read_question(Question(NUMBER, "capped", faults=faults), rulebook)
    assert reading.refusals[0].reason.values["detail"] == told


@given(st.text(max_size=80), st.sampled_from(["FR", "IT", "US", ""]))
def test_a_detail_and_its_phrase_say_the_same(dialled: str, region: str) -> None:
    read = read_number(dialled, region=region)
    if isinstance(read, Unreadable):
        phrase = detail_of(read)
        assert isinstance(phrase, Phrase)
        assert phrase == read.detail
        english = sentence(Reason("number_faults", {"detail": phrase}))
        assert english == sentence(Reason("number_faults", {"detail": read.detail}))


@pytest.mark.parametrize(
    "text", [Phrase("{one}, or {other}", {"one": ("+{code} x", {"code": 33}), "other": "{y}"}),
             Fault("{word} is given twice", {"word": "'{x}'"})],
)  # fmt: skip
def test_a_copy_is_as_good(text: Phrase | Fault) -> None:
    copied = copy.deepcopy(text)
    assert copied == text
    assert type(copied) is type(text)
