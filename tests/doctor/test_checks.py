"""Each check on values: what is green, and what is told of everything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.doctor.patient import (
    NOW,
    OURS,
    OUTBOUND,
    SHIPPED,
    TOML,
    file,
    finding,
    healthy,
    with_asterisk,
    with_bridge,
    with_dialplan,
    with_files,
    with_health,
    with_host,
    with_ledger,
)

from dialwarden.doctor.checks import CHECKS, chosen, examine
from dialwarden.doctor.dialplan_text import read_file
from dialwarden.doctor.finding import Status
from dialwarden.doctor.snapshot import (
    Answer,
    AriUser,
    Disk,
    Endpoint,
    ListFact,
    Manager,
    ManagerUser,
    Missing,
    Override,
    Snapshot,
)

OK, NOTE, UNKNOWN = Status.OK, Status.NOTE, Status.UNKNOWN
WARNING, FAILURE = Status.WARNING, Status.FAILURE
GONE = Missing("Asterisk does not answer", "start Asterisk")

# It is right because of who comes to it, if that is all who come.
RELYING = """
[asks]
exten => _X.,1,Gosub(dialwarden,check,1(${EXTEN},paris))
 same => n,ExecIf($["${DIALWARDEN_VERDICT}" = "ALLOW"]?Goto(dials,${EXTEN},1))
[dials]
exten => _X.,1,Dial(PJSIP/${EXTEN}@carrier)
"""
LEFT_BEHIND = """
[hook]
exten => s,1,Gosub(dialwarden-freepbx,s,1)
 same => n,ExecIf($[1]?Goto(dialwarden-freepbx,s,1))
"""


def user(name: str, *write: str, acl: bool = False) -> ManagerUser:
    return ManagerUser(name, frozenset({"call"}), frozenset(write), acl)


def toml(old: str, new: str) -> Snapshot:
    assert old in TOML
    return healthy(TOML.replace(old, new))


def exempting(*patterns: str) -> Snapshot:
    return healthy(f"[defaults]\nexempt = {list(patterns)}\n".replace("'", '"') + TOML)


def a_list(as_of: date | None, **more: int) -> dict[str, ListFact]:
    return {"house": ListFact("house", as_of, NOW, 10, **more)}


def under(policy: str, day: date) -> Snapshot:
    """Another policy, on another day."""
    seen = healthy(TOML.replace('policy = "none"', f'policy = "{policy}"'))
    return replace(seen, now=datetime(day.year, day.month, day.day, 10, tzinfo=UTC))


def test_a_healthy_system_is_green() -> None:
    found = examine(healthy())
    assert {one.check for one in found if one.status is not OK} == {"backup"}
    assert len(found) == len(CHECKS)


@pytest.mark.parametrize(
    ("check", "seen", "status", "says"),
    [
        # The bridge.
        ("config", toml("[lists.staff]", '[lists.a]\nkind = "opposition"\n[lists.staff]'),
         WARNING, "[lists.a] is asked for by no campaign"),
        ("config", healthy('[doctor]\naccept = ["ami.user:crm"]\n' + TOML), WARNING,
         '[doctor] accept: found "ami.user", did you mean ami.users?'),
        ("bridge", with_bridge(health=GONE, answers={"": Missing("connection refused")}), FAILURE,
         "every call is refused as unavailable"),
        ("bridge", with_bridge(health=Missing("connection refused")), NOTE,
         "the bridge answers; nothing is known of its state (connection refused)"),
        ("bridge", with_health(ledger={"why": "disk full"}), FAILURE, "disk full"),
        ("bridge", with_health(guard={"why": "", "alarm": True}), FAILURE, "alarm is on"),
        ("bridge", with_health(ami={"up": False, "status": "down: refused"}), FAILURE,
         "its link to Asterisk's AMI is down: refused"),
        ("bridge.current", with_health(version="0.9"), WARNING, "runs version 0.9, this is 1.0"),
        ("bridge.current", with_health(config_sha256="0"), WARNING, "with another configuration"),
        ("bridge.current", with_bridge(health=GONE), UNKNOWN, "Asterisk does not answer"),
        ("bridge.answers", with_bridge(answers={"paris": Missing("no answer within 5 s")}),
         FAILURE, "no answer on [agi] 127.0.0.1:4580: no answer within 5 s"),
        ("bridge.answers", with_bridge(answers={"paris": Answer("REFUSE", "unavailable", "no")}),
         FAILURE, "campaign paris: refused as unavailable: no"),
        ("bridge.answers", with_bridge(answers={"paris": Answer("REFUSE", "campaign", "")}),
         FAILURE, "the bridge knows no campaign paris"),
        ("bridge.answers", with_bridge(answers={"paris": Answer("ALLOW", "", "")}), OK, "answered"),
        ("guard", toml('mode = "hangup"', 'mode = "report"'), NOTE, "the guard reports only"),
        ("guard", toml('mode = "hangup"', 'mode = "off"'), WARNING, "mode = off"),
        ("guard", healthy("[store]\n"), WARNING, "no [ami]: calls that do not ask leave unseen"),
        ("guard", with_health(guard={"why": "the link is down"}), FAILURE, "blind: the link is"),
        ("shadow", toml('region = "FR"', 'region = "FR"\nenforce = false'), WARNING,
         "campaign paris is in shadow mode"),
        ("overrides",
         with_ledger(overrides=(Override(3, "paris", "hours", NOW, "Ann", "a flood"),)), WARNING,
         "override 3 by Ann (a flood): hours let go for campaign paris until 2026-11-22 10:00 UTC"),
        # AMI.
        ("ami", replace(healthy(), ami=Missing("refused", "compare")), FAILURE,
         "[ami] 127.0.0.1:5038, user dialwarden: refused"),
        ("ami", healthy("[store]\n"), NOTE, "no [ami]"),
        ("ami.rights", with_asterisk(users=(replace(OURS, read=frozenset({"user"})),)), FAILURE,
         "dialwarden lacks read = call"),
        ("ami.rights", with_asterisk(users=(replace(OURS, write=frozenset({"call"})),)), FAILURE,
         "lacks write = command,reporting"),
        ("ami.rights", with_asterisk(users=(replace(OURS, read=frozenset({"all"})),)), NOTE,
         "more than it needs: read = all"),
        ("ami.rights", with_asterisk(users=()), UNKNOWN, "user dialwarden is not shown"),
        ("ami.bind", with_asterisk(manager=Manager(web=False, tcp="0.0.0.0:5038", tls="")),
         WARNING, "listens on 0.0.0.0:5038, without TLS"),
        ("ami.bind", with_asterisk(manager=Manager(web=False, tcp="[::]:5038", tls="")),
         WARNING, "listens on [::]:5038"),
        ("ami.bind", with_asterisk(manager=Manager(web=False, tcp="[::1]:5038", tls="")), OK, ""),
        ("ami.bind", with_asterisk(manager=Manager(web=False, tcp="", tls="0.0.0.0:5039")), OK,
         "TLS only"),
        ("ami.users", with_asterisk(users=(OURS, user("crm", "originate"))), WARNING,
         "crm (write = originate) may have Asterisk call past the gateway"),
        ("ami.users", with_asterisk(users=(OURS, user("admin", "all", "call"))), WARNING,
         "admin (write = all)"),
        ("ami.users", with_asterisk(users=(OURS, user("cli", "command"))), WARNING, "cli"),
        ("ami.users", with_asterisk(users=(OURS, user("panel", "call"))), NOTE,
         "panel (write = call) may transfer calls"),
        ("ami.users", with_asterisk(users=(OURS, user("wall", "reporting"))), OK, "nobody"),
        ("ami.http", with_asterisk(manager=Manager(web=True, tcp="", tls=""), http=True), WARNING,
         "AMI over HTTP is offered"),
        ("ami.http", with_asterisk(manager=Manager(web=True, tcp="", tls="")), NOTE,
         "HTTP server does not run"),
        ("ami.secret", replace(healthy(), secret="is one that everybody knows"), FAILURE,
         "the secret of [ami] is one that everybody knows"),
        ("ami.secret", with_host(weak_users=("cron",)), FAILURE, "AMI user cron"),
        ("ari", with_asterisk(ari_users=(AriUser("app", False), AriUser("wall", True))), WARNING,
         "ARI user app may originate"),
        # The dialplan.
        ("dialplan", with_asterisk(dialplan={}), FAILURE, "no context dialwarden is loaded"),
        ("dialplan", with_dialplan("", "exten => T,1,Goto(answer,1)"), FAILURE,
         "T@dialwarden is missing: not as version 1.0 ships it"),
        ("dialplan", with_dialplan("", "Playback(${IF("), WARNING, "dialwarden-feature"),
        ("dialplan", with_dialplan("[dialwarden-pbx]\nexten => s,1,NoOp()\n"), WARNING,
         "s@dialwarden-pbx differs at priority 1 (NoOp)"),
        ("dialplan.address", with_dialplan("", "127.0.0.1:4580", "127.0.0.1:4599"), FAILURE,
         "the dialplan asks 127.0.0.1:4599, the bridge listens on 127.0.0.1:4580"),
        ("dialplan.address", with_dialplan("", "127.0.0.1:4580", "10.0.0.5:4580"), WARNING,
         "the bridge listens on 127.0.0.1:4580 only"),
        ("dialplan.emergency", with_dialplan("", "exten => 112,1,NoOp()"), WARNING,
         "do not pass while the bridge is dead: 112"),
        ("dialplan.asks", with_dialplan("[x]\nexten => s,1,Dial(PJSIP/06@carrier)\n"), FAILURE,
         "s@x priority 1 dials PJSIP/06@carrier and nobody asked; the guard hangs it up"),
        ("dialplan.asks", with_dialplan("[x]\nexten => s,1,Dial(${A})\n"), NOTE, "cannot be read"),
        ("dialplan.asks", with_dialplan("[x]\nexten => s,1,Dial(PJSIP/112@carrier)\n"), OK, ""),
        ("dialplan.asks", healthy('[ami]\nusername="a"\nsecret_env="SECRET"\n'), UNKNOWN,
         "no [trunks]"),
        ("dialplan.verdict", with_dialplan(
            "[x]\nexten => s,1,Gosub(dialwarden,check,1(1,p))\n same => n,Dial(PJSIP/1@carrier)\n"
        ), FAILURE, "s@x priority 2 dials PJSIP/1@carrier whatever the verdict was"),
        ("selftest", with_asterisk(selftest="REFUSE unavailable: dialwarden did not answer"),
         FAILURE, "not answered by the bridge: REFUSE unavailable (dialwarden did not answer)"),
        ("selftest", with_asterisk(selftest=Missing("said nothing")), UNKNOWN, "said nothing"),
        # Trunks and ways past.
        ("trunks.exist", with_asterisk(endpoints=()), FAILURE, "has no such endpoint"),
        ("trunks.exist", with_asterisk(technologies=frozenset({"SIP"})), FAILURE,
         "Asterisk has no channel driver PJSIP"),
        ("trunks.exist", healthy("[store]\n"), NOTE, "no [trunks]"),
        ("trunks.named", with_asterisk(endpoints=(Endpoint("IAX2/far", "its address is fixed"),)),
         WARNING, "IAX2/far looks like a way out (its address is fixed)"),
        ("trunks.named", with_asterisk(technologies=frozenset({"PJSIP", "DAHDI"})), WARNING,
         "DAHDI is loaded"),
        ("trunks.dial", toml("PJSIP/{number}@carrier", "PJSIP/9{number}@carrier"), NOTE,
         '"PJSIP/9{number}@carrier" fits nothing'),
        ("pjsip.redirect", with_asterisk(endpoints=(Endpoint("PJSIP/a"), Endpoint("PJSIP/b"))),
         UNKNOWN, "redirect_method of PJSIP/a and 1 more is not told (Asterisk 16 never does)"),
        ("pjsip.redirect", with_asterisk(endpoints=(Endpoint("SIP/a"),)), OK, "no endpoint"),
        ("dialplan.asks", with_asterisk(dialplan=read_file(SHIPPED + RELYING), endpoints=GONE),
         WARNING, "where the calls of all endpoints come in is not known"),
        ("dialplan.asks",
         with_asterisk(dialplan=read_file(SHIPPED + RELYING), endpoints=(Endpoint("SIP/7"),)),
         WARNING, "where the calls of SIP/7 come in is not known: lines that count on who comes"),
        ("dialplan.asks",
         with_asterisk(dialplan=read_file(SHIPPED + RELYING),
                       endpoints=(Endpoint("SIP/7", context="dials"),)),
         FAILURE, "_X.@dials priority 1 dials PJSIP/${…}@carrier and nobody asked"),
        ("dialplan.asks",
         with_asterisk(dialplan=read_file(SHIPPED + RELYING), endpoints=(Endpoint("IAX2/out"),)),
         OK, "every line that dials a trunk"),
        ("dialplan.asks", with_asterisk(endpoints=GONE), OK, "every line that dials a trunk"),
        ("dialplan", with_asterisk(dialplan=read_file(OUTBOUND)), FAILURE,
         "context dialwarden is not loaded, and _X.@outbound priority 1 calls it: Asterisk hangs"),
        ("dialplan", with_dialplan(LEFT_BEHIND), FAILURE,
         "context dialwarden-freepbx is not loaded, and s@hook priority 1, s@hook priority 2 call "
         "it: Asterisk hangs up every call that comes there"),
        ("pjsip.redirect", with_asterisk(endpoints=(Endpoint("PJSIP/a", redirect="uri_pjsip"),)),
         WARNING, "PJSIP/a has redirect_method = uri_pjsip"),
        ("pjsip.refer", with_asterisk(endpoints=(Endpoint("PJSIP/carrier", may_refer=True),)),
         NOTE, "PJSIP/carrier takes a REFER"),
        ("spool", replace(with_files(spool=file("outgoing", 0o777)),
         asterisk=with_asterisk(spool=Path("/var/spool/asterisk/outgoing")).asterisk), WARNING,
         "anybody on this machine may hand in call files"),
        ("spool", replace(with_files(spool=file("outgoing", 0o750)),
         asterisk=with_asterisk(spool=Path("/var/spool/asterisk/outgoing")).asterisk), NOTE,
         "dialwarden may hand in call files"),
        # Exemptions and lists.
        ("exempt.patterns", exempting("_X."), WARNING, "lets numbers without end through"),
        ("exempt.patterns", exempting("_06XXXXXXXX"), WARNING, "lets 100,000,000 numbers through"),
        ("exempt.patterns", exempting("_+336!"), WARNING, "numbers without end"),
        ("exempt.patterns", exempting("_0142[0-9]XXXXX"), WARNING, "1,000,000 numbers"),
        ("exempt.patterns", exempting("_01421234XX", "3949", "_1XX", "_7XX"), OK, "patterns: 4"),
        ("exempt.lists", with_ledger(lists={"staff": ListFact("staff", None, NOW, 5000)}), WARNING,
         "exempt list staff has 5,000 numbers"),
        ("lists", with_ledger(lists={}), FAILURE, "list house was never imported"),
        ("lists", with_ledger(lists=a_list(None)), FAILURE, "list house has no as-of date"),
        ("lists", with_ledger(lists=a_list(date(2026, 10, 22))), FAILURE,
         "list house is of 2026-10-22, older than its 30 days: every call of paris is refused"),
        ("lists", with_ledger(lists=a_list(date(2026, 10, 23))), WARNING, "0 days more"),
        ("lists", with_ledger(lists=a_list(date(2026, 10, 29))), WARNING, "6 days more"),
        ("lists", with_ledger(lists=a_list(date(2026, 10, 30))), OK, "fresh"),
        ("lists", with_ledger(lists=a_list(date(2026, 11, 20), removed=2)), NOTE,
         "0 numbers added and 2 taken out by hand"),
        # The law.
        ("law", under("fr", date(2026, 7, 1)), WARNING,
         "policy fr: regime fr-optin-2026 binds from 2026-08-11"),
        ("law", under("fr", date(2026, 9, 1)), OK, ""),
        ("law", under("fr", date(1999, 1, 1)), FAILURE, "policy fr has no regime in force today"),
        ("law.unverified", under("us", date(2026, 9, 1)), NOTE, "policy us rests on what nobody"),
        # This machine.
        ("clock", with_host(synchronised=False), WARNING, "clock is not synchronised"),
        ("clock", with_host(synchronised=Missing("not told")), UNKNOWN, "not told"),
        ("clock.asterisk", with_asterisk(clock_ahead_s=-3.0), WARNING, "3.0 s behind ours"),
        ("clock.asterisk", with_asterisk(clock_ahead_s=3600.0), FAILURE, "3600.0 s ahead of ours"),
        ("clock.asterisk", with_asterisk(clock_ahead_s=1.5), OK, ""),
        ("clock.ledger", with_ledger(newest=NOW + timedelta(hours=1)), FAILURE,
         "the newest call on record is of 2026-11-22 11:00:00 UTC"),
        ("clock.ledger", with_ledger(newest=None), OK, ""),
        ("clock.zones", replace(healthy(), zones="2024a"), WARNING, "more than a year old"),
        ("ledger", replace(healthy(), ledger=Missing("locked", "wait")), FAILURE, "locked"),
        ("disk", with_host(disk=Disk(100 << 20, 100 << 30, 1, 0)), FAILURE, "as good as full"),
        ("disk", with_host(disk=Disk(900 << 20, 10 << 30, 1, 0)), WARNING, "nearly full"),
        ("disk", with_host(disk=Disk(50 << 30, 100 << 30, 5, 1000)), FAILURE, "5 inodes free"),
        ("disk", with_files(ledger=file("ledger.db", 0o600, 200 << 30)), WARNING, "in 25 days"),
        ("disk.wal", with_files(wal=file("ledger.db-wal", 0o600, 1 << 30)), WARNING, "1024 MiB"),
        ("disk.wal", with_files(wal=Missing("")), OK, "no -wal"),
        ("files", with_files(ledger=file("ledger.db", 0o644)), FAILURE,
         "anybody may read it; it holds callees' numbers"),
        ("files", with_files(ledger=file("ledger.db", 0o640)), WARNING, "its group may read it"),
        ("files", with_files(config=file("dialwarden.toml", 0o664)), WARNING, "group may write"),
        ("files", with_files(config=file("dialwarden.toml", 0o644)), OK, "open to others"),
        ("files", with_files(secret=file("ami.secret", 0o604)), FAILURE, "the secret of [ami]"),
        ("files", with_files(manager=file("manager.conf", 0o644)), FAILURE, "every AMI user's"),
        ("files", with_files(manager=Missing("cannot be looked at", "root")), UNKNOWN, "manager: "),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_told(check: str, seen: Snapshot, status: Status, says: str) -> None:
    found = finding(check, seen)
    assert found.status is status, found
    assert says in found.summary
    assert found.do or status in (OK, NOTE) or "said nothing" in says or "not told" in says
    assert found.doc.startswith("docs/doctor.md#")


def test_a_configuration_with_the_secret_in_it_is_a_secret() -> None:
    seen = healthy(TOML.replace('secret_env = "SECRET"', f'secret = "{"x" * 20}"'))
    files = {**seen.host.files, "config": file("dialwarden.toml", 0o640)}
    found = finding("files", replace(seen, host=replace(seen.host, files=files)))
    assert found.status is WARNING
    assert "it holds the secret of [ami]" in found.summary


def test_a_dialer_of_the_gateway_may_not_log_in_past_it() -> None:
    users = (OURS, user("vici", "originate"), user("oml", "originate", acl=True))
    text = TOML + '[gateway.campaigns]\nVICI = ["paris"]\noml = ["paris"]\n'
    seen = healthy(text)
    found = finding("ami.users", replace(seen, asterisk=with_asterisk(users=users).asterisk))
    assert [(one.about, one.status) for one in found.items] == [("vici", WARNING), ("oml", NOTE)]
    assert "may log in to Asterisk itself too" in found.summary


def test_without_an_asterisk_every_check_of_it_is_unknown_and_no_other() -> None:
    found = {one.check: one.status for one in examine(replace(healthy(), asterisk=GONE))}
    unknown = {check for check, status in found.items() if status is UNKNOWN}
    assert unknown == {
        "ami.bind", "ami.http", "ami.rights", "ami.users", "ari", "clock.asterisk", "dialplan",
        "dialplan.address", "dialplan.asks", "dialplan.emergency", "dialplan.verdict",
        "pjsip.redirect", "pjsip.refer", "selftest", "spool", "trunks.dial", "trunks.exist",
        "trunks.named",
    }  # fmt: skip


@pytest.mark.parametrize(
    "part",
    ["dialplan", "manager", "users", "endpoints", "technologies", "ari_users", "spool",
     "clock_ahead_s", "selftest"],
)  # fmt: skip
def test_what_asterisk_does_not_say_is_unknown_and_no_fault_of_ours(part: str) -> None:
    found = examine(with_asterisk(**{part: GONE}))
    told = [one for one in found if one.status is UNKNOWN]
    assert told
    assert all("Asterisk does not answer" in one.summary for one in told)
    assert not [one for one in found if "the check itself failed" in one.summary]


def test_a_finding_that_is_accepted_is_a_note() -> None:
    users = with_asterisk(users=(OURS, user("crm", "originate"), user("pbx", "all"))).asterisk
    for accept, status in (
        ([], WARNING),
        (["ami.users:crm"], WARNING),
        (["ami.users:crm", "ami.users:pbx"], NOTE),
        (["ami.users"], NOTE),
        (["ami"], WARNING),
    ):
        text = f"[doctor]\naccept = {accept}\n".replace("'", '"') + TOML
        found = finding("ami.users", replace(healthy(text), asterisk=users))
        assert found.status is status, accept
    assert found.items[0].status is WARNING
    assert "accepted in [doctor]" not in found.summary


def test_checks_are_chosen_by_id_or_by_group() -> None:
    assert [one.id for one in chosen(["selftest"])] == ["selftest"]
    assert {one.id for one in chosen(["disk"])} == {"disk", "disk.wal"}
    assert [one.id for one in chosen(["disk.wal"])] == ["disk.wal"]
    assert chosen([]) == CHECKS
