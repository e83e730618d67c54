"""`override` by hand: what it takes, what it refuses to take, and what `check` makes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.cli.site import CONFIG, Site

from dialwarden.ledger.overrides import NewOverride, begin_override
from dialwarden.verdict import Rule

NUMBER = "0612345678"
# Closed on every day of the week, at every hour but one second or so that nobody waits for.
SHUT = """
[campaigns.shut]
professional = "acme"
policy = "none"
region = "FR"
[campaigns.shut.tighten]
closed = ["{today}"]
hours = {{ mon-sun = ["00:00-00:01"] }}
"""
WORDS = ("--by", "Anna", "--why", "a flood")


def begin(site: Site, *words: object, campaign: str = "plain", **more: Any) -> Any:
    return site.run("override", "--campaign", campaign, *words, *WORDS, **more)


@pytest.fixture
def shut(site: Site) -> Site:
    """A campaign that is closed today, whichever day that is in Paris."""
    days = [(datetime.now(UTC) + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1)]
    text = SHUT.format(today='", "'.join(days))
    (site.folder / "dialwarden.toml").write_text(CONFIG + text)
    return site


def test_the_literal_form_begins_one(site: Site) -> None:
    told = site.out(
        "override", "--campaign", "plain", "--rule", "frequency", "--for", "30m",
        "--by", "Anna", "--why", "a flood",
    )  # fmt: skip
    first, second = told.splitlines()
    assert first.startswith("override 1 is in force: frequency let go for campaign plain until ")
    assert first.endswith(" Europe/Paris, by Anna: a flood")
    assert second == "It ends by itself; before that: dialwarden override end 1 --by NAME"


def test_one_in_json_has_everything(site: Site) -> None:
    before = datetime.now(UTC)
    told = json.loads(
        begin(site, "--rule", "hours", "--rule", "holiday", "--for", "2h", "--json").stdout
    )
    since, until = (datetime.fromisoformat(told.pop(name)) for name in ("from", "until"))
    assert before <= since <= datetime.now(UTC)
    assert until - since == timedelta(hours=2)
    assert told.pop("entered_by").startswith("cli")
    assert told == {
        "id": 1, "campaign": "plain", "professional": "acme", "rules": ["holiday", "hours"],
        "by": "Anna", "why": "a flood", "in_force": True,
        "ended_at": None, "ended_by": "", "ended_why": "",
    }  # fmt: skip
    assert site.json("override", "list") == [
        {**told, "from": since.isoformat(), "until": until.isoformat(),
         "entered_by": site.json("override", "list")[0]["entered_by"]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("consent", "nobody else may take back"),
        ("opposition", "nobody else may take back"),
        ("objection", "nobody else may take back"),
        ("number", "there is no number"),
        ("campaign", "nothing is judged"),
        ("unavailable", "may be a callee who said no"),
        ("bypass", "belongs to no campaign"),
        ("hourz", "did you mean hours?"),
    ],
)
def test_what_nobody_may_let_go_is_refused_with_the_reason(site: Site, rule: str, why: str) -> None:
    told = " ".join(begin(site, "--rule", rule, "--for", "30m", status=2).stderr.split())
    assert why in told
    assert "hours" in told  # what may be
    assert not site.ledger.exists()


@pytest.mark.parametrize(
    ("length", "why"),
    [
        ("25h", "is longer than 24h"), ("2d", "is longer than 24h"), ("0m", "no time at all"),
        ("30", "a whole number of s, m, h or d"), ("-5m", "a whole number of"),
        ("forever", "a whole number of"), ("999999w", "is longer than 24h"),
    ],
)  # fmt: skip
def test_a_length_must_be_a_sane_one(site: Site, length: str, why: str) -> None:
    told = begin(site, "--rule", "hours", f"--for={length}", status=2).stderr
    assert why in " ".join(told.split())
    assert not site.ledger.exists()


@pytest.mark.parametrize("length", ["1s", "90m", "24h", "1d", " 2H "])
def test_a_day_is_the_longest(site: Site, length: str) -> None:
    assert begin(site, "--rule", "hours", "--for", length).exit_code == 0


@pytest.mark.parametrize("left_out", ["--campaign", "--rule", "--for", "--by", "--why"])
def test_what_is_left_out_is_named(site: Site, left_out: str) -> None:
    given = {"--campaign": "plain", "--rule": "hours", "--for": "30m", "--by": "A", "--why": "x"}
    del given[left_out]
    told = site.err("override", *(word for pair in given.items() for word in pair))
    assert f"missing: {left_out}." in told
    assert "override list" in told
    blank = {**given, left_out: " "}
    if left_out != "--rule":
        assert "missing" in site.err("override", *(word for pair in blank.items() for word in pair))


def test_a_reason_is_kept_whole_or_not_taken(site: Site) -> None:
    words = ("override", "--campaign", "plain", "--rule", "hours", "--for", "1m")
    assert "at most 128" in site.err(*words, "--by", "A" * 129, "--why", "x")
    assert "at most 1000" in site.err(*words, "--by", "A", "--why", "x" * 1001)


def test_an_unknown_campaign_is_told_with_the_nearest(site: Site) -> None:
    told = begin(site, "--rule", "hours", "--for", "1m", campaign="plian", status=2).stderr
    assert "did you mean plain?" in told


def test_words_of_a_new_one_do_not_go_with_a_verb(site: Site) -> None:
    assert "belong to a new override" in site.err("override", "--campaign", "plain", "list")
    assert "stand behind the verb" in site.err("override", "--json", "list")


def test_in_shadow_mode_it_says_that_it_changes_nothing(site: Site) -> None:
    told = begin(site, "--rule", "hours", "--for", "1m", campaign="shadow").stderr
    assert "shadow mode: what is refused is let go there in any case" in told


# check, and the end of one.


LUCE = """
[campaigns.luce]
professional = "luce"
policy = "it-garante"
region = "IT"
sector = "electricity"
"""


def test_for_what_is_sold_by_consent_it_says_that_the_ban_stays(site: Site) -> None:
    (site.folder / "dialwarden.toml").write_text(CONFIG + LUCE)
    told = begin(site, "--rule", "sector", "--for", "1m", campaign="luce").stderr
    assert "campaign luce sells electricity: where only a consent lifts the ban" in told
    assert begin(site, "--rule", "hours", "--for", "1m", campaign="luce").stderr == ""
    assert begin(site, "--rule", "sector", "--for", "1m").stderr == ""


def test_check_shows_what_is_let_go_and_by_which(shut: Site) -> None:
    check = ("check", NUMBER, "--campaign", "shut")
    before = shut.json(*check, status=1)
    assert [one["rule"] for one in before["refusals"]] == ["holiday", "hours"]
    assert "waived" not in before
    begin(shut, "--rule", "hours", "--for", "30m", campaign="shut")
    partly = shut.json(*check, status=1)
    assert [one["rule"] for one in partly["refusals"]] == ["holiday", "hours"]
    begin(shut, "--rule", "holiday", "--for", "30m", campaign="shut")
    told = shut.json(*check)
    assert (told["verdict"], told["refusals"], told["next"]) == ("ALLOW", [], None)
    assert [(one["rule"], one["override"], one["by"]) for one in told["waived"]] == [
        ("holiday", 2, "Anna"), ("hours", 1, "Anna"),
    ]  # fmt: skip
    assert [one["reason"].split()[-1] for one in told["waived"]] != ["", ""]
    text = shut.out(*check)
    assert "let go      " in text
    assert "under override 2, by Anna" in text
    shut.run("override", "end", 2, "--by", "Bob")
    assert shut.json(*check, status=1)["verdict"] == "REFUSE"


def test_check_at_an_instant_uses_those_in_force_then(site: Site) -> None:
    at = datetime(2026, 1, 5, 10, tzinfo=UTC)
    new = NewOverride("plain", "acme", [Rule.FREQUENCY], at, at + timedelta(hours=1), "Anna", "x")
    history = site.file("number,professional,at\n0612345678,acme,2026-01-05T09:00:00Z\n")
    site.run("attempts", "import", history, "--region", "FR")
    with site.writing() as conn:
        begin_override(conn, new)
    check = ("check", NUMBER, "--campaign", "plain", "--at")
    assert site.json(*check, "2026-01-05T09:59:59Z", status=1)["verdict"] == "REFUSE"
    assert site.json(*check, "2026-01-05T10:00:00Z")["waived"][0]["rule"] == "frequency"
    assert site.json(*check, "2026-01-05T11:00:00Z", status=1)["verdict"] == "REFUSE"


def test_one_that_is_ended_says_what_holds_again(site: Site) -> None:
    begin(site, "--rule", "hours", "--rule", "gap", "--for", "30m")
    told = site.out("override", "end", 1, "--by", "Bob", "--why", "the water is gone")
    assert told == "override 1 is over: hours and gap hold again for plain\n"
    again = site.run("override", "end", 1, "--by", "Carl", status=1)
    assert "override 1 was over already, since" in again.stderr
    (row,) = site.json("override", "list", "--all")
    assert (row["ended_by"], row["ended_why"], row["in_force"]) == (
        "Bob", "the water is gone", False,
    )  # fmt: skip


def test_one_that_there_is_not_cannot_be_ended(site: Site) -> None:
    assert "no override has the id 4" in site.err("override", "end", 4, "--by", "Bob")
    assert "0 is not in the range" in site.err("override", "end", 0, "--by", "Bob")
    assert "Missing option '--by'" in site.err("override", "end", 4)


def test_the_list_is_of_those_in_force_and_with_all_of_every_one(site: Site) -> None:
    long_ago = datetime(2026, 1, 5, 10, tzinfo=UTC)
    with site.writing() as conn:
        begin_override(
            conn,
            NewOverride("plain", "acme", [Rule.GAP], long_ago, long_ago + timedelta(1), "A", "x"),
        )
    begin(site, "--rule", "hours", "--for", "30m")
    begin(site, "--rule", "hours", "--for", "30m", campaign="rome")
    site.run("override", "end", 3, "--by", "Bob")
    assert [row["id"] for row in site.json("override", "list")] == [2]
    assert [row["id"] for row in site.json("override", "list", "--all")] == [1, 2, 3]
    assert [row["id"] for row in site.json("override", "list", "--all", "--campaign", "rome")] == [
        3
    ]
    looked = site.json("override", "list", "--all", "--until", "2026-02-01")
    assert [row["id"] for row in looked] == [1]
    told = site.out("override", "list", "--all").splitlines()
    assert told[1].endswith("over")
    assert told[2].endswith("in force")
    assert "ended " in told[3]
    assert told[3].endswith("by Bob")
    assert "give --all with them" in site.err("override", "list", "--since", "2h")


def test_a_screened_file_says_that_an_override_is_in_force(shut: Site) -> None:
    file = shut.file("number\n0612345678\n")
    begin(shut, "--rule", "hours", "--rule", "holiday", "--for", "30m", campaign="shut")
    done = shut.run("screen", file, "--campaign", "shut", "-o", "out.csv", "--json")
    assert json.loads(done.stdout)["overrides"] == [1]
    assert json.loads(done.stdout)["allowed"] == 1
    assert "override 1, by Anna, lets go holiday and hours at that time" in done.stderr
