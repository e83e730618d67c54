"""The sentences: a reason's key and values turned into one sentence in a person's language.

Owns the catalogues (one TOML file a language, same keys in each; of phrases, the values that are
words, the English stands in the code and is the key) and how dates, instants and periods are
written. Knows no rule: whatever key a rule gives must stand in every catalogue, and a
test holds that.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files

from dialwarden.policy.period import Period, whole_second_up
from dialwarden.verdict import Phrase, Reason

LANGUAGES = ("en", "fr", "it")
_AWAITED = frozenset({"until", "opens"})


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, Mapping[str, object]]:
    """The tables `weekdays`, `units`, `phrases` and `sentences` of a language.

    Raises:
        FileNotFoundError: there is no such language.
    """
    return tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text("utf-8"))


def sentence(reason: Reason, language: str = "en") -> str:
    """One sentence, without a full stop's worth of doubt: what was found, and what to do.

    A value that a template does not name is left out; a key that a catalogue lacks comes out as
    the key and its values, since a refusal must never be lost for want of a translation.
    """
    words = catalogue(language)
    template = words["sentences"].get(reason.key)
    values = {
        name: _written(_awaited(value) if name in _AWAITED else value, words)
        for name, value in reason.values.items()
    }
    if not isinstance(template, str):
        return reason.key + "".join(f" {name}={value}" for name, value in values.items())
    return template.format_map(_Values(values))


def _awaited(value: object) -> object:
    """What is waited for: rounded up, as `next` is, since a second early is too early."""
    return whole_second_up(value) if isinstance(value, datetime) else value


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _written(value: object, words: Mapping[str, Mapping[str, object]]) -> str:
    """A value as it stands in a sentence; an instant carries its weekday and its zone."""
    weekdays = words["weekdays"]
    match value:
        case datetime():
            day = weekdays[str(value.weekday())]
            clock = f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
            return f"{day} {value:%Y-%m-%d} {clock} {value.tzinfo or ''}".rstrip()
        case date():
            return f"{weekdays[str(value.weekday())]} {value.isoformat()}"
        case Period():
            amount, unit = value.amount_and_unit
            singular, plural = _forms(words["units"][unit])
            return f"{amount} {singular if amount == 1 else plural}"
        case Phrase():
            return _phrased(value, words)
        case tuple() | list():
            return ", ".join(_written(item, words) for item in value)
        case _:
            return str(value)


def _phrased(phrase: Phrase, words: Mapping[str, Mapping[str, object]]) -> str:
    """A phrase in the catalogue's words; without any there, its own English ones."""
    entry = words["phrases"].get(phrase.key, phrase.key)
    if isinstance(entry, list):
        singular, plural = _forms(entry)
        entry = singular if phrase.values.get("count") == 1 else plural
    values = {name: _written(value, words) for name, value in phrase.values.items()}
    return str(entry).format_map(_Values(values))


def _forms(entry: object) -> tuple[str, str]:
    assert isinstance(entry, list)
    singular, plural = entry
    return str(singular), str(plural)
