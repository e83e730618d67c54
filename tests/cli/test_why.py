"""`dialwarden why`: one number's story, told by the gate's own rules."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import CONFIG, Site

from dialwarden.ledger import attempts, refusals
from dialwarden.ledger.attempts import NewAttempt
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.refusals import NewRefusal
from dialwarden.question import Door, Purpose
from dialwarden.verdict import Rule

N = "+33612345678"
# A Tuesday at eleven in Paris, under the law of 2026.
AT = "2026-11-10T11:00:00+01:00"


def refuse(site: Site, count: int = 1, **more: object) -> None:
    site.ledger.parent.mkdir(exist_ok=True)
    with site.writing() as conn:
        for n in range(count):
            values: dict[str, object] = {
                "at": datetime(2026, 11, 9, 8, n, tzinfo=UTC), "number": 33612345678,
                "dialled": N, "rules": [Rule.HOURS], "door": Door.AGI, "campaign": "paris",
                "professional": "acme", "findings": json.dumps(
                    [{"rule": "hours", "reason": f"too early, {n}"}]
                ), **more,
            }  # fmt: skip
            refusals.record(conn, NewRefusal(**values))  # type: ignore[arg-type]


@pytest.fixture
def filled(site: Site) -> Site:
    """A number with one of everything."""
    site.run("attempts", "import", site.file(
        "number,professional,at,outcome,person\n"
        f"{N},acme,2026-11-09 10:30,answered,P1\n"
        f"{N},acme,2026-10-01 10:00,silent,P1\n"
        "+33687654321,acme,2026-10-01 10:00,busy,P1\n"
    ))  # fmt: skip
    site.run("consent", "grant", N, "--campaign", "paris", "--at", "2026-09-01", "--complete")
    site.run("objection", "add", N, "--campaign", "paris", "--at", "2026-09-05", "--note", "angry")
    site.run("consent", "grant", N, "--campaign", "paris", "--at", "2026-09-07", "--complete",
             "--proof", "web-12")  # fmt: skip
    site.run("consent", "withdraw", N, "--campaign", "rome", "--at", "2026-09-08")
    site.run("list", "import", "house", site.file("number,since\n+33612345678,2024-05-01\n"))
    site.run("list", "import", "staff", site.file(""))
    site.run("list", "add", "weekly", N, "--note", "asked on the phone")
    refuse(site, would=True, next=datetime(2026, 11, 9, 9, tzinfo=UTC))
    return site


def test_the_whole_story_is_told_in_the_order_of_time(filled: Site) -> None:
    told = filled.out("why", "0612345678", "--campaign", "paris", "--at", AT)
    head, happened, verdict = told.split("\n\n")
    assert head.splitlines()[0] == f"{N}  read from 0612345678: FR; Europe/Paris"
    assert "on lists        house (version 1, since 2024-05-01)" in head
    assert "person          P1, with +33687654321" in head
    lines = [line.strip() for line in happened.splitlines()[1:]]
    words = [re.split(r"Europe/Paris +|  +", line)[1] for line in lines]
    assert words == ["consent", "objection", "consent", "withdrawal", "attempt", "silent call",
                     "refused", "attempt"]  # fmt: skip
    assert "not good (an objection came since) for paris" in lines[0]
    assert "ended by a later consent for paris" in lines[1]
    assert "proof web-12; good through 2027-09-06 for paris" in lines[2]
    assert "of all consent, from bella" in lines[3]
    assert lines[6].startswith("Mon 2026-11-09 09:00 Europe/Paris")
    assert "paris at agi, let go all the same: hours: too early, 0; next Mon 2026" in lines[6]
    assert "answered; asked at import; counts against 4 in 30 days until Wed 2026-12-09" in lines[7]
    assert verdict.startswith("May it be called, Tue 2026-11-10 11:00 Europe/Paris?\n")
    assert "paris: REFUSE (for acme, policy fr, regime fr-optin-2026)" in verdict
    assert "opposition: the number is on opposition list house" in verdict


def test_each_campaign_says_what_the_gate_says(filled: Site) -> None:
    told = filled.json("why", N, "--at", AT)
    assert [one["campaign"] for one in told["campaigns"]] == [
        "paris", "plain", "rome", "shadow", "weekly",
    ]  # fmt: skip
    for one in told["campaigns"]:
        judged = filled.run("check", N, "--campaign", one["campaign"], "--at", AT, "--json",
                            status=0 if one["verdict"] == "ALLOW" else 1)  # fmt: skip
        assert one.pop("enforced") is (one["campaign"] != "shadow")
        told_there = json.loads(judged.stdout)
        assert one == {name: told_there[name] for name in one}


def test_where_a_dialer_that_names_the_person_is_told_otherwise_that_is_said(site: Site) -> None:
    """What the person said or had on another number holds for whoever asks with that person."""
    site.run("attempts", "import", site.file(
        "number,professional,at,outcome,person\n"
        f"{N},acme,2026-10-09 10:30,answered,P1\n"
        "+33687654321,acme,2026-11-10 10:00,busy,P1\n"
    ))  # fmt: skip
    at = ("--campaign", "plain", "--at", AT)
    (told,) = site.json("why", N, *at)["campaigns"]
    assert told["verdict"] == "ALLOW"
    judged = site.json("check", N, *at, "--person", "P1", status=1)
    assert [one["rule"] for one in judged["refusals"]] == ["frequency"]
    assert told["as_person"] == {"P1": judged}
    text = site.out("why", N, *at)
    assert "      asked with person P1: REFUSE" in text
    assert "          frequency: attempts for acme within 1 day: 1 (limit 1)" in text


def test_a_person_is_not_told_where_it_changes_nothing(filled: Site) -> None:
    for one in filled.json("why", N, "--at", AT)["campaigns"]:
        assert "as_person" not in one
    assert "asked with person" not in filled.out("why", N, "--at", AT)


def test_shadow_mode_is_said(filled: Site) -> None:
    told = filled.out("why", N, "--campaign", "shadow", "--at", "2026-11-10T22:00:00+01:00")
    assert (
        "shadow: REFUSE (for acme, policy fr, regime fr-optin-2026); shadow mode: it would" in told
    )
    assert "next: Wed 2026-11-11" not in told  # a holiday
    assert "next: Thu 2026-11-12 10:00 Europe/Paris" in told


def test_json_has_every_section_and_what_each_record_does(filled: Site) -> None:
    told = filled.json("why", N, "--at", AT)
    assert (told["number"], told["typed"], told["country"]) == (N, N, "FR")
    assert told["places"] == [{"region": "FR", "zone": "Europe/Paris"}]
    assert told["persons"] == {"P1": ["+33687654321"]}
    (newest,) = [one for one in told["attempts"] if one["at"] == "2026-11-09T09:30:00+00:00"]
    counts = {name: of["counts_against"] for name, of in newest["standing"].items()}
    assert [(cap["max"], cap["period"]) for cap in counts["paris"]] == [(4, "30 days")]
    assert [(cap["max"], cap["period"]) for cap in counts["plain"]] == []  # of the day before
    assert "rome" not in counts  # of another professional
    assert [one["standing"]["paris"]["in_force"] for one in told["objections"]] == [False]
    assert [one["standing"]["paris"]["why_not"] for one in told["consents"]] == ["overruled", None]
    assert [one["by"].split(":")[0] for one in told["withdrawals"]] == ["cli"]
    assert [one["attempt"] for one in told["silent_calls"]] == [2]
    assert told["refusals"][0]["findings"][0]["reason"] == "too early, 0"
    lists = {one["list"]: one for one in told["lists"]}
    assert (lists["house"]["listed"], lists["house"]["since"]) == (True, "2024-05-01")
    assert (lists["bloctel"]["listed"], lists["bloctel"]["version"]) == (False, None)
    for section in ("legs", "appointments", "exempt_calls", "erasures", "list_changes"):
        assert told[section] == []  # the number was put on a list after that day


def test_at_an_instant_later_records_are_not_yet_known(filled: Site) -> None:
    told = filled.json("why", N, "--campaign", "paris", "--at", "2026-09-06T12:00")
    assert told["at"] == "2026-09-06T10:00:00+00:00"
    assert [len(told[name]) for name in ("attempts", "consents", "objections", "refusals")] == [
        0, 1, 1, 0,
    ]  # fmt: skip
    assert told["objections"][0]["standing"]["paris"] == {
        "in_force": True, "until": None, "ended_by": None,
    }  # fmt: skip


def test_text_has_the_newest_refusals_and_says_how_many_there_are(site: Site) -> None:
    refuse(site, 25)
    told = site.out("why", N)
    assert "too early, 15" in told
    assert "too early, 14" not in told
    assert "and 15 earlier refusals: --all" in told
    assert "too early, 0" in site.out("why", N, "--all")
    assert len(site.json("why", N)["refusals"]) == 25


def test_refusals_of_what_no_campaign_was_there_to_read_are_found(site: Site) -> None:
    (site.folder / "dialwarden.toml").write_text(CONFIG[: CONFIG.index("[campaigns.rome]")])
    refuse(site, number=None, dialled="06 12 34 56 78", campaign="", rules=[Rule.CAMPAIGN])
    refuse(site, number=None, dialled="0687654321", campaign="", rules=[Rule.CAMPAIGN])
    assert [one["dialled"] for one in site.json("why", N)["refusals"]] == ["06 12 34 56 78"]


def test_with_campaigns_in_two_countries_a_national_number_may_be_somebody_elses(
    site: Site,
) -> None:
    refuse(site, number=None, dialled="0612345678", campaign="", rules=[Rule.CAMPAIGN])
    refuse(site, number=None, dialled="0033 612345678", campaign="", rules=[Rule.CAMPAIGN])
    assert [one["dialled"] for one in site.json("why", N)["refusals"]] == ["0033 612345678"]
    told = site.err("why", "0612345678")
    assert "write it with + and its country code" in told
    assert site.json("why", "0612345678", "--region", "FR")["number"] == N


def test_a_reduced_objection_is_told_without_a_word_of_whose_it_was(site: Site) -> None:
    site.run("objection", "import", site.file(
        f"number,professional,at\n{N},acme,2019-01-01T10:00:00Z\n"
    ))  # fmt: skip
    with site.writing() as conn:
        conn.execute("UPDATE objection SET recorded_at = at")
    site.run("purge", "--at", "2026-11-02T12:00:00Z")
    told = site.out("why", N, "--campaign", "plain")
    assert "to acme, kept without saying whose it was; in force for plain" in told
    assert site.json("why", N)["objections"][0]["number"] == "reduced"


def test_an_exempt_number_is_told_to_be_never_judged(site: Site) -> None:
    site.run("list", "import", "staff", site.file(f"{N}\n"))
    told = site.out("why", N, "--campaign", "paris")
    assert "staff (version 1, exempt: never judged)" in told
    assert "paris: never judged, list staff" in told


def test_it_is_a_report_and_its_status_no_verdict(site: Site) -> None:
    told = site.run("why", N, "--campaign", "rome", status=0).stdout
    assert "rome: REFUSE" in told
    assert "Nothing else is on record of it." in told


def test_it_records_nothing_and_makes_no_ledger(site: Site) -> None:
    site.run("why", N)
    assert not site.ledger.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["06123"], "the number is too short"),
        (["112"], "112 is an emergency number: it is never judged"),
        (["3949", "--region", "FR"], "[defaults] exempt covers it"),
        ([N, "--campaign", "pariss"], "did you mean paris"),
        ([N, "--at", "noon"], "--at"),
    ],
)
def test_what_cannot_be_read_is_a_wrong_use(site: Site, words: list[str], told: str) -> None:
    assert told in site.err("why", *words)


def test_a_region_that_is_none_is_told_by_the_verdict(site: Site) -> None:
    told = site.out("why", N, "--campaign", "paris", "--region", "FR-XX")
    assert "paris: REFUSE" in told
    assert "unavailable: " in told


def test_a_damaged_list_is_told_and_the_rest_of_the_story_too(site: Site) -> None:
    site.run("list", "import", "house", site.file(f"{N}\n"))
    with site.writing() as conn:
        conn.execute("UPDATE list_part SET bytes = x'00'")
    told = site.out("why", N, "--campaign", "paris")
    assert "cannot be read  list house: version 1 of list house is damaged" in told
    assert "paris: REFUSE" in told


def test_an_appointment_says_whether_it_is_good(site: Site) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    site.run("appointment", "add", N, "--campaign", "paris", "--at", ahead)
    told = site.json("why", N, "--campaign", "paris")
    assert told["appointments"][0]["standing"] == {"paris": {"stands": True}}
    assert "; good for paris" in site.out("why", N, "--campaign", "paris")
    site.run("objection", "add", N, "--campaign", "paris")
    assert "; lifts nothing now" in site.out("why", N, "--campaign", "paris")


def test_an_override_is_named_in_the_verdict_and_with_the_call_that_left_under_it(
    site: Site,
) -> None:
    now = datetime.now(UTC)
    site.ledger.parent.mkdir()
    with site.writing() as conn:
        under = Basis("none", "none", "", (), "", "", "", (("frequency", 1),))
        attempts.reserve(conn, NewAttempt(
            33612345678, "acme", "plain", Purpose.SALES, Door.AGI, now, enforced=False,
            basis_id=basis_id(conn, under),
        ))  # fmt: skip
    assert "frequency" in site.out("why", N, "--campaign", "plain")
    site.run("override", "--campaign", "plain", "--rule", "frequency", "--for", "30m",
             "--by", "Ann", "--why", "a flood")  # fmt: skip
    told = site.out("why", N, "--campaign", "plain")
    assert "let go under override 1 (frequency); counts against 1 in 1 day" in told
    assert "plain: ALLOW" in told
    assert re.search(r"frequency: .*; let go under override 1, by Ann", told)
    (verdict,) = site.json("why", N, "--campaign", "plain")["campaigns"]
    assert [one["override"] for one in verdict["waived"]] == [1]
    with site.writing() as conn:
        conn.execute("UPDATE attempt SET enforced = 1")
    told = site.out("why", N, "--campaign", "plain")
    assert "asked at agi, for its next trunk let go under override 1 (frequency)" in told
