"""`dialwarden refusals`: the log of refusals as text, JSON and CSV, and as it grows."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.site import Site

import dialwarden
from dialwarden.cli import following
from dialwarden.ledger import refusals
from dialwarden.ledger.backup import back_up
from dialwarden.ledger.connection import open_ledger, transaction
from dialwarden.question import Door
from dialwarden.verdict import Rule

T0 = datetime(2026, 11, 16, 9, tzinfo=UTC)


def record(site: Site, at: datetime = T0, **more: object) -> None:
    values: dict[str, object] = {
        "at": at,
        "number": 33612345678,
        "dialled": "0612345678",
        "rules": [Rule.HOURS, Rule.GAP],
        "findings": '[{"rule": "hours", "reason": "too early"}, {"rule": "gap", "reason": "x"}]',
        "door": Door.AGI,
        "professional": "acme",
        "campaign": "paris",
        "call": "c1",
        "asked_by": "PJSIP/200-1",
        "next": T0 + timedelta(hours=1),
        **more,
    }
    with site.writing() as conn:
        refusals.record(conn, refusals.NewRefusal(**values))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _folder(site: Site) -> None:
    site.ledger.parent.mkdir()


def test_text_has_the_newest_at_the_bottom_in_clear(site: Site) -> None:
    record(site)
    record(site, T0 + timedelta(minutes=1), number=None, dialled="06\x1b[2J", next=None, would=True)
    lines = site.out("refusals").splitlines()
    assert lines[0].split() == [
        "AT", "NUMBER", "CAMPAIGN", "RULES", "REASON", "NEXT", "DOOR", "BY",
    ]  # fmt: skip
    assert lines[1].startswith(
        "Mon 2026-11-16 10:00 Europe/Paris  +33612345678  paris     hours&gap  "
    )
    assert "  too early  Mon 2026-11-16 11:00 Europe/Paris  agi   PJSIP/200-1" in lines[1]
    assert "06\\x1b[2J" in lines[2]
    assert "hours&gap (let go)  too early" in lines[2]


def test_times_are_those_of_the_callee_and_without_one_place_of_utc(site: Site) -> None:
    record(site, number=351912345678, dialled="x")  # Portugal, the Azores and Madeira
    record(site, number=33612345678)
    record(site, number=34912345678, dialled="x")  # Madrid
    told = site.out("refusals").splitlines()[1:]
    assert [line.split()[2:4] for line in told] == [
        ["09:00", "UTC"], ["10:00", "Europe/Paris"], ["10:00", "Europe/Madrid"],
    ]  # fmt: skip


def test_what_was_let_go_is_told_from_what_was_stopped(site: Site) -> None:
    record(site, would=True)
    record(site)

    def ids(*flags: str) -> list[int]:
        return [row["id"] for row in site.json("refusals", *flags)]

    assert (ids("--would"), ids("--enforced"), ids()) == ([1], [2], [1, 2])


def test_json_is_one_array_with_fields_named(site: Site) -> None:
    record(site)
    row = site.json("refusals")[0]
    assert row["number"] == "+33612345678"
    assert (row["at"], row["next"]) == ("2026-11-16T09:00:00+00:00", "2026-11-16T10:00:00+00:00")
    assert (row["rule"], row["rules"], row["would"]) == ("hours", "hours&gap", False)
    assert row["findings"][0] == {"rule": "hours", "reason": "too early"}
    assert (row["door"], row["call"], row["asked_by"]) == ("agi", "c1", "PJSIP/200-1")


def test_csv_is_safe_in_a_spreadsheet(site: Site) -> None:
    record(site, dialled="=cmd|' /C calc'!A0", asked_by="@SUM(1)", call="+1+1")
    row = next(csv.DictReader(io.StringIO(site.out("refusals", "--csv"))))
    assert row["dialled"] == "'=cmd|' /C calc'!A0"
    assert row["asked_by"] == "'@SUM(1)"
    assert row["call"] == "'+1+1"
    assert row["number"] == "+33612345678"
    assert (row["rule"], row["reason"], row["at"]) == (
        "hours", "too early", "2026-11-16T09:00:00+00:00",
    )  # fmt: skip


def test_csv_without_a_row_has_its_header(site: Site) -> None:
    assert site.out("refusals", "--csv").startswith("id,at,number,dialled,campaign")


def test_filters(site: Site) -> None:
    record(site)
    record(site, T0 + timedelta(days=1), campaign="rome", number=393331234567)
    record(site, datetime.now(UTC), rules=[Rule.OBJECTION])

    def ids(*flags: str) -> list[int]:
        return [row["id"] for row in site.json("refusals", *flags)]

    assert ids() == [1, 2, 3]
    assert ids("--rule", "gap") == [1, 2]
    assert ids("--campaign", "rome") == [2]
    assert ids("--number", "0612345678", "--campaign", "paris") == [1, 3]
    assert ids("--since", "2h") == [3]
    assert ids("--since", "2026-11-16 10:00:00Z", "--until", "1m") == [2]
    record(site, door=Door.GUARD)
    assert ids("--door", "guard") == [4]
    assert ids("--door", "agi") == [1, 2, 3]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--csv", "--json"], "choose one"),
        (["--follow", "--until", "2h"], "--follow has no end"),
        (["--rule", "mood"], "'mood' is not one of"),
        (["--since", "2 fortnights"], "or 2h, 7d"),
        (["--until", "9999-12-31T23:59:59-12:00"], "out of every calendar"),
        (["--since", "900000d"], "900000d is out of every calendar"),
    ],
)
def test_a_wrong_flag_is_a_wrong_use(site: Site, flags: list[str], told: str) -> None:
    assert told in site.err("refusals", *flags)


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["text", "json", "csv"])
def test_follow_shows_what_comes_each_once_until_it_is_stopped(
    site: Site, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    record(site)
    steps = iter([1, 0, 2, None])

    def pause() -> None:
        count = next(steps)
        if count is None:
            raise KeyboardInterrupt
        for _ in range(count):
            record(site, datetime.now(UTC), dialled="new")

    monkeypatch.setattr(following, "_pause", pause)
    lines = site.out("refusals", "--follow", *form).splitlines()
    if form == ["--json"]:
        assert [json.loads(line)["id"] for line in lines] == [2, 3, 4]
    elif form == ["--csv"]:
        assert [line.split(",")[0] for line in lines] == ["id", "2", "3", "4"]
    else:
        assert len(lines) == 3
        assert all("+33612345678  paris  hours&gap: too early; next Mon" in line for line in lines)


def test_follow_since_begins_with_what_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(site)

    def pause() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "_pause", pause)
    assert len(site.out("refusals", "--follow", "--since", "2026-11-01").splitlines()) == 1


def stop() -> None:
    raise KeyboardInterrupt


def followed(
    site: Site, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]
) -> tuple[list[int], str]:
    """The ids that are shown while these happen one after another, and what is said beside."""
    left = iter([*steps, stop])
    monkeypatch.setattr(following, "_pause", lambda: next(left)())
    done = site.run("refusals", "--follow", "--json")
    return [json.loads(line)["id"] for line in done.stdout.splitlines()], done.stderr


def now(site: Site, **more: object) -> Callable[[], None]:
    return lambda: record(site, datetime.now(UTC), **more)


def replace_with_a_copy(site: Site) -> None:
    """As a restore does: a copy in the ledger's place, and no log beside it."""
    copy = site.folder / "copy.db"
    with closing(open_ledger(site.ledger)) as conn:
        back_up(conn, copy)
    for name in ("-wal", "-shm"):
        Path(f"{site.ledger}{name}").unlink(missing_ok=True)
    copy.rename(site.ledger)


def test_following_outlives_a_ledger_that_is_replaced_by_its_copy(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(site)
    ids, _ = followed(
        site, monkeypatch, now(site), lambda: replace_with_a_copy(site), now(site), now(site)
    )
    assert ids == [2, 3, 4]


def test_following_goes_on_in_a_new_ledger_whose_ids_begin_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        record(site)

    def begin_anew() -> None:
        for name in ("", "-wal", "-shm"):
            Path(f"{site.ledger}{name}").unlink(missing_ok=True)
        record(site, datetime.now(UTC) - timedelta(hours=1))

    ids, _ = followed(site, monkeypatch, now(site), begin_anew, now(site))
    assert ids == [4, 2]


def test_following_tells_once_that_the_ledger_is_away_and_waits_for_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(site)
    folder, away = site.ledger.parent, site.folder / "away"

    def take_away() -> None:
        folder.rename(away)
        folder.mkdir()
        (folder / "ledger.db-wal").touch()

    def bring_back() -> None:
        (folder / "ledger.db-wal").unlink()
        folder.rmdir()
        away.rename(folder)

    def nothing() -> None: ...

    ids, told = followed(site, monkeypatch, now(site), take_away, nothing, bring_back, now(site))
    assert ids == [2, 3]
    assert told.count("waiting for it") == 1
    assert told.count("the ledger can be read again") == 1


def test_following_shows_nothing_twice_and_misses_nothing_when_rows_are_purged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def purge() -> None:
        with closing(open_ledger(site.ledger)) as conn, transaction(conn):
            conn.execute("DELETE FROM refusal")

    record(site)
    assert followed(site, monkeypatch, now(site), purge, now(site))[0] == [2, 3]


def test_following_misses_nothing_while_the_clock_is_set_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=1)
    ids, _ = followed(site, monkeypatch, now(site), lambda: record(site, earlier), now(site))
    assert ids == [1, 2, 3]


def test_following_waits_for_the_first_ledger_of_a_fresh_install(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, told = followed(site, monkeypatch, now(site), now(site))
    assert ids == [1, 2]
    assert told.count("there is no ledger at") == 1


@contextmanager
def following_process(site: Site, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that follows, and has shown the one refusal there is."""
    record(site)
    process = subprocess.Popen(
        [sys.executable, "-m", "dialwarden", "refusals", "--follow", "--since", "2020-01-01",
         *flags],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(dialwarden.__file__).parents[1]),
            "DIALWARDEN_CONFIG": str(site.folder / "dialwarden.toml"),
        },
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["text", "json", "csv"])
def test_ctrl_c_is_a_good_end_of_following(site: Site, form: list[str]) -> None:
    with following_process(site, *form) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["text", "json", "csv"])
def test_following_ends_when_nobody_reads_on_though_nothing_comes(
    site: Site, form: list[str]
) -> None:
    with following_process(site, *form) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
