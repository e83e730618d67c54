"""`dialwarden check`: the verdict of the real rules, dry, in both forms, with its exit status."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.site import Site

from dialwarden.ledger import attempts, consents
from dialwarden.ledger.attempts import HistoryRow
from dialwarden.ledger.consents import NewConsent

NUMBER = "0612345678"
DIGITS = 33612345678
KEYS = [
    "verdict", "exempt", "number", "campaign", "professional", "policy", "regime", "at", "zones",
    "refusals", "not_judged", "next",
]  # fmt: skip
# A Monday, under the opt-in regime.
MONDAY = "2026-11-16T10:30+01:00"


def consent(site: Site, given: datetime = datetime(2026, 10, 1, 8, tzinfo=UTC)) -> None:
    with site.writing() as conn:
        consents.grant(conn, NewConsent(DIGITS, "acme", given, given))


def attempt(site: Site, at: datetime) -> None:
    with site.writing() as conn:
        attempts.insert_history(conn, [HistoryRow(DIGITS, "acme", at)])


def rules(verdict: dict[str, list[dict[str, str]]]) -> list[str]:
    return [refusal["rule"] for refusal in verdict["refusals"]]


def test_an_allowed_call(site: Site) -> None:
    assert site.json("check", NUMBER, "--campaign", "plain", "--at", MONDAY) == {
        "verdict": "ALLOW",
        "exempt": None,
        "number": "+33612345678",
        "campaign": "plain",
        "professional": "acme",
        "policy": "none",
        "regime": "none",
        "at": "2026-11-16T10:30:00+01:00",
        "zones": ["Europe/Paris"],
        "refusals": [],
        "not_judged": [],
        "next": None,
    }


def test_a_refused_call_names_every_rule_in_order(site: Site) -> None:
    verdict = site.json(
        "check", NUMBER, "--campaign", "paris", "--at", "2026-11-11T21:00+01:00", status=1
    )
    assert list(verdict) == KEYS
    assert rules(verdict) == ["consent", "list_stale", "holiday", "hours"]
    assert all(list(r) == ["rule", "reason", "until", "source"] for r in verdict["refusals"])
    assert verdict["refusals"][2]["until"] == "2026-11-12T00:00:00+01:00"
    assert verdict["refusals"][0]["until"] is None
    assert verdict["next"] is None


def test_next_is_in_the_callees_zone(site: Site) -> None:
    site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-01")
    consent(site)
    verdict = site.json(
        "check", NUMBER, "--campaign", "paris", "--at", "2026-11-13T20:00:00+01:00", status=1
    )
    assert rules(verdict) == ["hours"]
    assert verdict["next"] == verdict["refusals"][0]["until"] == "2026-11-16T10:00:00+01:00"


def test_until_is_rounded_up_to_the_second(site: Site) -> None:
    toml = site.folder / "dialwarden.toml"
    toml.write_text(toml.read_text().replace('period = "1 day"', 'period = "2 hours"'))
    attempt(site, datetime(2026, 11, 16, 9, 0, 0, 250_000, tzinfo=UTC))
    verdict = site.json("check", NUMBER, "--campaign", "plain", "--at", MONDAY, status=1)
    assert verdict["refusals"][0]["until"] == verdict["next"] == "2026-11-16T12:00:01+01:00"


@pytest.mark.parametrize(
    ("number", "exempt"), [("112", "emergency"), ("9112", "emergency"), ("3949", "pattern")]
)
def test_an_exempt_number_passes(site: Site, number: str, exempt: str) -> None:
    verdict = site.json("check", number)
    assert (verdict["verdict"], verdict["exempt"], verdict["number"]) == ("ALLOW", exempt, number)
    assert list(verdict) == KEYS


def test_a_number_on_an_exempt_list_passes_by_the_lists_name(site: Site) -> None:
    site.run("list", "add", "staff", NUMBER)
    verdict = site.json("check", NUMBER, "--campaign", "paris")
    assert (verdict["verdict"], verdict["exempt"], verdict["number"]) == ("ALLOW", "staff", NUMBER)


def broken(site: Site) -> None:
    site.ledger.parent.mkdir()
    site.ledger.write_bytes(b"no database at all" * 100)


def a_folder(site: Site) -> None:
    site.ledger.mkdir(parents=True)


def vanished(site: Site) -> None:
    site.ledger.parent.mkdir()
    site.ledger.with_name("ledger.db-shm").touch()


def not_mounted(site: Site) -> None:
    toml = site.folder / "dialwarden.toml"
    toml.write_text(toml.read_text().replace("var/ledger.db", "disk/of/ledger.db"))


BROKEN = [broken, a_folder, vanished, not_mounted]


@pytest.mark.parametrize("breaks", BROKEN)
def test_without_its_ledger_every_call_is_refused(site: Site, breaks) -> None:  # type: ignore[no-untyped-def]
    breaks(site)
    verdict = site.json("check", NUMBER, "--campaign", "plain", status=1)
    assert rules(verdict) == ["unavailable"]
    assert verdict["number"] == "+33612345678"
    assert verdict["at"].endswith("+01:00") or verdict["at"].endswith("+02:00")


@pytest.mark.parametrize("breaks", BROKEN)
@pytest.mark.parametrize("number", ["112", "3949"])
def test_without_its_ledger_an_emergency_passes(site: Site, breaks, number: str) -> None:  # type: ignore[no-untyped-def]
    breaks(site)
    assert site.json("check", number, "--campaign", "plain")["verdict"] == "ALLOW"


def test_a_fresh_install_is_judged_and_left_as_it_is(site: Site) -> None:
    result = site.run("check", NUMBER, "--campaign", "plain")
    assert result.stdout.startswith("ALLOW")
    assert "there is no ledger at" in result.stderr
    assert sorted(path.name for path in site.folder.iterdir()) == ["dialwarden.toml"]


@pytest.mark.parametrize(
    ("number", "campaign", "rule"),
    [
        ("abc", "paris", "number"),
        ("", "paris", "number"),
        ("0612", "paris", "number"),
        (NUMBER, "nobody", "campaign"),
        (NUMBER, "", "campaign"),
        ("1120", "paris", "number"),
    ],
)
def test_what_is_wrong_in_the_question_is_a_verdict(
    site: Site, number: str, campaign: str, rule: str
) -> None:
    verdict = site.json("check", number, "--campaign", campaign, status=1)
    assert list(verdict) == KEYS
    assert rules(verdict) == [rule]
    assert verdict["next"] is None


def test_no_regime_on_a_date_is_a_verdict(site: Site) -> None:
    verdict = site.json(
        "check", NUMBER, "--campaign", "paris", "--at", "2020-01-06T11:00+01:00", status=1
    )
    assert rules(verdict) == ["campaign"]
    assert verdict["regime"] == ""


def test_an_unknown_region_is_a_verdict(site: Site) -> None:
    verdict = site.json("check", NUMBER, "--campaign", "paris", "--region", "FR-999", status=1)
    assert rules(verdict) == ["unavailable"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--at", "2026-12-24"], "has no time of day"),
        (["--at", "2026-10-25T02:30"], "clocks went back"),
        (["--relationship", "friend"], "allowed: contract, ended:YYYY-MM-DD"),
        (["--purpose", "fun"], "'fun' is not one of"),
        (["--dial", "slowly"], "'slowly' is not one of"),
    ],
)
def test_a_wrong_flag_is_a_wrong_use(site: Site, arguments: list[str], told: str) -> None:
    assert told in site.err("check", NUMBER, "--campaign", "paris", *arguments)


def test_an_instant_without_offset_is_of_the_callees_zone(site: Site) -> None:
    verdict = site.json("check", "+262692123456", "--campaign", "plain", "--region", "FR-974",
                        "--at", "2026-11-16T10:30")  # fmt: skip
    assert verdict["at"] == "2026-11-16T10:30:00+04:00"


def test_an_instant_without_offset_needs_one_zone(site: Site) -> None:
    told = site.err("check", "+262692123456", "--campaign", "plain", "--at", "2026-11-16T10:30")
    assert "Indian/Reunion or Indian/Mayotte" in told


def test_an_instant_in_the_past_knows_nothing_of_later_attempts(site: Site) -> None:
    attempt(site, datetime(2026, 11, 16, 8, tzinfo=UTC))
    before, after = "2026-11-16T08:59:59+01:00", "2026-11-16T09:00:00+01:00"
    site.run("check", NUMBER, "--campaign", "plain", "--at", before)
    verdict = site.json("check", NUMBER, "--campaign", "plain", "--at", after, status=1)
    assert rules(verdict) == ["frequency"]
    assert verdict["next"] == "2026-11-17T00:00:00+01:00"


def test_a_relationship_lifts_what_it_lifts(site: Site) -> None:
    site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-01")
    site.run("check", NUMBER, "--campaign", "paris", "--at", MONDAY, "--relationship", "contract")
    verdict = site.json("check", NUMBER, "--campaign", "paris", "--at", MONDAY, status=1)
    assert rules(verdict) == ["consent"]


def test_another_purpose_is_judged_by_its_own_rules(site: Site) -> None:
    site.run("list", "import", "house", site.file(""), "--as-of", "2026-11-01")
    site.run("check", NUMBER, "--campaign", "paris", "--at", MONDAY, "--purpose", "survey",
             "--dial", "manual", "--callerid", "+33162000001", "--person", "p1")  # fmt: skip


def test_a_live_verdict_has_no_fractions_of_a_second(site: Site) -> None:
    at = site.json("check", NUMBER, "--campaign", "plain")["at"]
    assert datetime.fromisoformat(at).isoformat(timespec="seconds") == at


def test_nothing_is_recorded(site: Site) -> None:
    site.run("list", "import", "house", site.file(""))
    site.run("check", NUMBER, "--campaign", "plain")
    site.run("check", NUMBER, "--campaign", "paris", status=1)
    assert site.json("attempts", "list") == site.json("refusals") == []


def test_a_rule_that_raises_refuses(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dialwarden.gate.verdicts.judge", raises)
    verdict = site.json("check", NUMBER, "--campaign", "plain", status=1)
    assert rules(verdict) == ["unavailable"]
    assert "ZeroDivisionError" in verdict["refusals"][0]["reason"]


def test_text_of_a_refusal(site: Site) -> None:
    site.run("list", "import", "house", site.file(f"{NUMBER}\n"), "--as-of", "2026-11-01")
    told = site.out("check", NUMBER, "--campaign", "paris", "--at", "2026-11-16T21:00", status=1)
    lines = told.replace("Code de la consommation, art. ", "§ ").splitlines()
    assert [line[:86].rstrip() for line in lines] == [
        "REFUSE  +33612345678",
        "  campaign  paris, for acme",
        "  policy    fr, regime fr-optin-2026",
        "  at        Mon 2026-11-16 21:00 Europe/Paris",
        "  next      never by waiting alone",
        "",
        "  number      ok",
        "  campaign    ok",
        "  sector      not judged  campaign paris does not say what it sells, and the law bans",
        "  consent     refused     no consent to be called by acme is on file; one must be give",
        "                          waiting does not help; § L. 223-1, R. 223-1 and L. 223-5 (lo",
        "  opposition  refused     the number is on opposition list house of Sun 2026-11-01; do",
        "                          waiting does not help; campaign paris, lists",
        "  list_stale  ok",
        "  objection   ok",
        "  caller_id   not judged  nobody said which number the callee is shown; pass callerid=",
        "  holiday     ok",
        "  hours       refused     it is Mon 2026-11-16 21:00 Europe/Paris where the callee is;",
        "                          until Tue 2026-11-17 10:00 Europe/Paris; § D. 223-9 (décret",
        "  frequency   ok",
        "  gap         ok",
    ]


def test_text_of_an_allowed_call(site: Site) -> None:
    assert (
        site.out("check", "90612345678", "--campaign", "plain", "--at", MONDAY)
        == """\
ALLOW  +33612345678
  campaign  plain, for acme
  policy    none, regime none
  at        Mon 2026-11-16 10:30 Europe/Paris

  number      ok
  campaign    ok
  sector      ok
  consent     ok
  opposition  ok
  list_stale  ok
  objection   ok
  caller_id   ok
  holiday     ok
  hours       ok
  frequency   ok
  gap         ok
"""
    )


def test_text_of_an_emergency_number(site: Site) -> None:
    assert site.out("check", "112") == "ALLOW  112\n  never judged: an emergency number\n"


def test_text_of_a_number_on_an_exempt_list(site: Site) -> None:
    site.run("list", "add", "staff", NUMBER)
    told = site.out("check", NUMBER, "--campaign", "paris")
    assert told == f"ALLOW  {NUMBER}\n  never judged: list staff\n"


def test_text_of_an_unreadable_number_is_escaped(site: Site) -> None:
    told = site.out("check", "06\x1b[2J", "--campaign", "paris", status=1)
    assert told.startswith("REFUSE  (no number)\n")
    assert "\x1b" not in told


def test_text_says_that_shadow_mode_lets_go(site: Site) -> None:
    told = site.out("check", NUMBER, "--campaign", "shadow", "--at", MONDAY, status=1)
    assert "Shadow mode: the call would be let go" in told


def test_json_says_that_shadow_mode_lets_go(site: Site) -> None:
    shown = {
        campaign: site.json("check", NUMBER, "--campaign", campaign, "--at", MONDAY, status=1)
        for campaign in ("shadow", "paris")
    }
    assert shown["shadow"]["let_go"] == "shadow mode"
    assert shown["shadow"]["verdict"] == "REFUSE"
    assert "let_go" not in shown["paris"]
    unread = site.out("check", "1234", "--campaign", "shadow", status=1)
    assert "Shadow mode: the call would be let go" in unread


def test_several_zones_are_all_shown(site: Site) -> None:
    told = site.out("check", "+262692123456", "--campaign", "plain", "--at", "2026-11-16T06:30Z")
    assert "Mon 2026-11-16 10:30 Indian/Reunion; Mon 2026-11-16 09:30 Indian/Mayotte" in told


def test_reasons_are_in_the_configured_language(site: Site) -> None:
    toml = site.folder / "dialwarden.toml"
    toml.write_text('[log]\nlanguage = "fr"\n' + toml.read_text())
    verdict = site.json("check", NUMBER, "--campaign", "paris", "--at", MONDAY, status=1)
    assert "consentement" in verdict["refusals"][0]["reason"]


def test_json_is_ascii(site: Site, tmp_path: Path) -> None:
    printed = site.out("check", NUMBER, "--campaign", "paris", "--json", status=1)
    assert printed.isascii()
    assert json.loads(printed)["verdict"] == "REFUSE"


def test_a_number_on_an_exempt_list_passes_whatever_else_the_question_says(site: Site) -> None:
    site.run("list", "add", "lift", "+33612345678")
    site.run("list", "import", "lift", site.file("+33612345678\n"))
    for words in (("--campaign", "nobody"), ("--campaign", "paris", "--region", "XX")):
        assert site.json("check", "+33612345678", *words)["exempt"] == "lift"
