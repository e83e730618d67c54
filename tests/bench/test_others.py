"""The benchmarks that have a program of their own: what they measure gets into the table."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench import others
from tests.bench.run import QUICK, Bench
from tests.bench.servers import Cores
from tests.bench.table import Row

SIZE = replace(QUICK, screened=300, relayed_mb=1, imported=300, loaded=3000)
FORMS = ("digits", "E.164", "national", "CSV")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, SIZE, Cores(), lambda line: None)


@pytest.mark.timeout(180)
def test_imports_are_told_form_by_form_and_so_is_what_loading_takes(bench: Bench) -> None:
    rows = others.imports(bench)
    imported, loaded = rows[:-2], rows[-2:]
    assert [row.what for row in loaded] == ["loading a list of 3,000 numbers", "… memory a number"]
    assert all(row.ratio is not None for row in loaded)
    if shutil.which("sqlite3") is None:
        [row] = imported
        assert row.ratio is None
        assert "there is no sqlite3 here" in row.ours
        return
    assert [row.what for row in imported[::2]] == [f"importing a list, {form}" for form in FORMS]
    assert all(row.ratio is not None and row.ratio > 0 for row in imported)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("part", "count"), [(others.screen, 1), (others.relay, 4)])
def test_what_is_compared_elsewhere_is_in_the_table(
    bench: Bench, part: Callable[[Bench], list[Row]], count: int
) -> None:
    rows = part(bench)
    assert len(rows) == count
    assert all(row.ratio is not None and row.ratio > 0 for row in rows)


def test_a_benchmark_that_fails_says_why_in_one_line(bench: Bench) -> None:
    found = others._of_script("there_is_none", [], bench)
    assert isinstance(found, str)
    assert found.startswith("failed: ")
    assert "there_is_none" in found
    assert "\n" not in found
