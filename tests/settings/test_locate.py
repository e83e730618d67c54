"""Line numbers: every key that tomllib sees has one, and it is the right one."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from dialwarden.settings.locate import KeyPath, locate

NESTED = '''# comment [not.a.table]
top = 1   # = 2
"quoted key".'dotted' = """
[not]
a = "table\\""""" # five quotes: two are of the text
raw = \'\'\'
x = 1
\'\'\'
many = [ # [
  "a]", 'b#',
  { c = 1, d.e = [1,
     2] },
]
[t.u]
when = 1979-05-27 07:32:00
[[r]]
a = { }
[[r.s]]
b = 1
[[r]]
[[r.s]]
[[r.s]]
b = "\\"#"
[r.s.deep]
c = 3
'''


def test_keys_stand_where_they_stand() -> None:
    lines = locate(NESTED)
    expected: dict[KeyPath, int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ("quoted key", "dotted"): 3,
        ("raw",): 6,
        ("many",): 9,
        ("many", 0): 10,
        ("many", 1): 10,
        ("many", 2): 11,
        ("many", 2, "c"): 11,
        ("many", 2, "d", "e"): 11,
        ("many", 2, "d", "e", 1): 12,
        ("t",): 14,
        ("t", "u"): 14,
        ("t", "u", "when"): 15,
        ("r", 0): 16,
        ("r", 0, "a"): 17,
        ("r", 0, "s", 0, "b"): 19,
        ("r", 1): 20,
        ("r", 1, "s", 0): 21,
        ("r", 1, "s", 1): 22,
        ("r", 1, "s", 1, "b"): 23,
        ("r", 1, "s", 1, "deep"): 24,
        ("r", 1, "s", 1, "deep", "c"): 25,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert paths_of(tomllib.loads(NESTED)) == set(lines)


def test_lines_of_a_windows_file_are_the_same() -> None:
    assert locate(NESTED.replace("\n", "\r\n")) == locate(NESTED)


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    """The path of every table, key and element of what tomllib read, the root left out."""
    paths = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            paths |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            paths |= paths_of(inner, (*path, place))
    return paths


keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
scalars = st.integers(-9, 9) | st.booleans() | keys
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def text_of(text: str) -> str:
    # DEL may not stand in a TOML text as it is; JSON leaves it so.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_of(value: object) -> str:
    match value:
        case dict():
            pairs = (f"{text_of(key)} = {toml_of(inner)}" for key, inner in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list():
            return "[" + ",\n # ]\n".join(map(toml_of, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return text_of(value)
        case _:
            return str(value)


@given(st.dictionaries(keys, values, max_size=4), st.booleans())
def test_every_path_that_tomllib_reads_has_a_line(
    document: dict[str, object], headers: bool
) -> None:
    lines = []
    for key, value in document.items():
        if headers and isinstance(value, dict):
            lines.append(f"[{text_of(key)}]")
            lines += [f"{text_of(name)} = {toml_of(inner)}" for name, inner in value.items()]
        elif not headers:
            lines.append(f"{text_of(key)} = {toml_of(value)}")
    text = "\n".join(lines)
    assert set(locate(text)) == paths_of(tomllib.loads(text))
