"""The architecture, held by reading the source: imports point inward, clocks and SQL stay out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dialwarden

PACKAGE = Path(dialwarden.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

PURE_PACKAGES = {"rules", "wire", "policy", "numbers", "routing"}
PURE_MODULES = {"verdict.py", "question.py", "facts.py", "variables.py", "errors.py"}
# What a pure module may not know: the outside, and the time.
OUTSIDE = {"aiosqlite", "asyncio", "os", "panoramisk", "random", "socket", "sqlite3", "threading",
           "time", "uvloop"}  # fmt: skip
# Packages of ours that a pure module may rest on; `settings` for its strict TOML reader, `errors`.
INWARD = {"errors", "facts", "numbers", "policy", "question", "routing", "rules", "settings",
          "tzdata", "variables", "verdict", "wire"}  # fmt: skip
# The clock is read at the edges and handed in.
CLOCKS = {
    *(("datetime", name) for name in ("now", "utcnow", "today")),
    *(("time", name) for name in ("time", "time_ns", "monotonic", "perf_counter")),
    ("date", "today"),
}

MOST_LINES = 400


def is_pure(module: Path) -> bool:
    return module.parts[0] in PURE_PACKAGES or str(module) in PURE_MODULES


PURE = [module for module in MODULES if is_pure(module)]


def tree(module: Path) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text("utf-8"))


def imported(module: Path) -> Iterator[str]:
    """Dotted names of everything a module imports, for types only or not."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative imports hide where they point"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def ids(modules: list[Path]) -> list[str]:
    return [str(module) for module in modules]


def test_there_is_a_pure_core() -> None:
    assert {module.parts[0] for module in PURE} >= PURE_PACKAGES
    assert {str(module) for module in MODULES} >= PURE_MODULES


@pytest.mark.parametrize("module", PURE, ids=ids(PURE))
def test_pure_modules_know_nothing_of_the_outside(module: Path) -> None:
    outside = {name for name in imported(module) if name.split(".")[0] in OUTSIDE}
    assert not outside


@pytest.mark.parametrize("module", PURE, ids=ids(PURE))
def test_pure_modules_read_no_clock(module: Path) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            assert (owner, node.attr) not in CLOCKS, f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", PURE, ids=ids(PURE))
def test_imports_point_inward(module: Path) -> None:
    ours = {name.split(".")[1] for name in imported(module) if name.startswith("dialwarden.")}
    assert ours <= INWARD


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("verdict.py", set()),
        ("question.py", set()),
        ("facts.py", {"question"}),
        ("errors.py", set()),
        ("numbers", {"numbers", "tzdata"}),
        ("rules", {"rules", "policy", "numbers", "facts", "question", "verdict"}),
        ("wire", {"wire", "variables"}),
        ("routing", {"routing", "wire", "numbers", "verdict", "variables"}),
    ],
)
def test_each_part_of_the_core_rests_on_few_others(package: str, allowed: set[str]) -> None:
    for module in PURE:
        if module.parts[0] == package:
            names = {n.split(".")[1] for n in imported(module) if n.startswith("dialwarden.")}
            assert names <= allowed, module


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("ledger", {"errors", "facts", "ledger", "question", "verdict"}),
        ("link", {"errors", "link", "wire"}),
        ("install", {"__version__", "errors", "install", "settings"}),
        ("watch", {"errors", "gate", "ledger", "numbers", "question", "routing", "settings",
                   "verdict", "watch"}),
        ("doors", {"doors", "errors", "gate", "ledger", "log", "numbers", "question", "reasons",
                   "routing", "settings", "variables", "verdict", "wire"}),
        ("asterisk.py", {"doors", "errors", "gate", "link", "routing", "settings", "verdict",
                         "watch", "wire"}),
    ],
)  # fmt: skip
def test_what_runs_beside_asterisk_knows_its_neighbours_only_where_they_are_joined(
    part: str, allowed: set[str]
) -> None:
    """Link, watch and doors know nothing of one another: `asterisk.py` puts them together."""
    modules = [module for module in MODULES if module.parts[0] == part]
    assert modules
    for module in modules:
        names = {n.split(".")[1] for n in imported(module) if n.startswith("dialwarden.")}
        assert names <= allowed, module


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("panoramisk", {"link"}),
        ("aiosqlite", {"ledger"}),
        ("h11", {"doctor", "doors"}),
        ("prometheus_client", {"doors"}),
        ("uvloop", {"bridge.py"}),
        ("dialwarden.link", {"asterisk.py", "doctor", "link"}),
        ("dialwarden.watch", {"asterisk.py", "watch"}),
        ("dialwarden.doors", {"asterisk.py", "bridge.py", "doctor", "doors", "list_health.py",
                              "monitoring.py"}),
        ("dialwarden.asterisk", {"bridge.py", "monitoring.py"}),
        ("dialwarden.bridge", {"cli"}),
        ("dialwarden.cli", {"__main__.py", "cli", "manual"}),
        ("dialwarden.install", {"cli", "install"}),
    ],
)  # fmt: skip
def test_it_is_imported_there_and_nowhere_else(name: str, by: set[str]) -> None:
    found = {
        module.parts[0]
        for module in MODULES
        if any(f"{one}.".startswith(f"{name}.") for one in imported(module))
    }
    assert found == by


# Within watch: what decides is told what the ledger and Asterisk say, and asks nobody.
DECIDES_ALONE = [Path("watch", f"{name}.py") for name in ("alarm", "audit", "events")]


@pytest.mark.parametrize("module", DECIDES_ALONE, ids=ids(DECIDES_ALONE))
def test_the_watch_decides_without_waiting_or_a_clock(module: Path) -> None:
    outside = {name for name in imported(module) if name.split(".")[0] in OUTSIDE}
    assert not outside
    assert not [node for node in ast.walk(tree(module)) if isinstance(node, ast.AsyncFunctionDef)]


# The doctor's checks look at values; what gathers those lies apart.
LOOKS = [m for m in MODULES if m.parts[0] == "doctor" and m.parts[1] != "gathering"]


@pytest.mark.parametrize("module", LOOKS, ids=ids(LOOKS))
def test_the_doctors_checks_know_nothing_of_the_outside(module: Path) -> None:
    assert not {name for name in imported(module) if name.split(".")[0] in OUTSIDE}
    ours = {n.split(".")[1] for n in imported(module) if n.startswith("dialwarden.")}
    assert ours <= INWARD | {"doctor"}
    assert not {n for n in imported(module) if n.startswith("dialwarden.doctor.gathering")}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute):
            assert (ast.unparse(node.value).rpartition(".")[2], node.attr) not in CLOCKS


# Two words each, so that prose ("select a campaign", "drop it") is none.
SQL = re.compile(
    r"\b(SELECT\s+[\w*(:]|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM"
    r"|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX|TRIGGER)|DROP\s+(TABLE|INDEX)|ALTER\s+TABLE"
    r"|PRAGMA\s+\w|BEGIN\s+(IMMEDIATE|EXCLUSIVE))"
)
ELSEWHERE = [module for module in MODULES if module.parts[0] != "ledger"]


@pytest.mark.parametrize("module", ELSEWHERE, ids=ids(ELSEWHERE))
def test_sql_lives_in_the_ledger_alone(module: Path) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not SQL.search(node.value), f"{module}:{node.lineno}"


def test_the_ledger_is_where_sql_is() -> None:
    """The pattern above finds what it is meant to find."""
    texts = (
        node.value
        for module in MODULES
        if module.parts[0] == "ledger"
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    assert sum(bool(SQL.search(text)) for text in texts) > 5


@pytest.mark.parametrize("module", MODULES, ids=ids(MODULES))
def test_a_module_is_one_idea(module: Path) -> None:
    """Under 400 lines; past that, look for a second idea."""
    assert len((PACKAGE / module).read_text("utf-8").splitlines()) < MOST_LINES


@pytest.mark.parametrize("module", MODULES, ids=ids(MODULES))
def test_a_module_says_what_it_owns(module: Path) -> None:
    text = ast.get_docstring(tree(module))
    assert text
    assert text.splitlines()[0].endswith((".", ":", ";")) or len(text.splitlines()) > 1
