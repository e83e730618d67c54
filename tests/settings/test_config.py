"""The configuration file: the sample is taken, and every fault is named with its place."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialwarden.errors import SettingsError
from dialwarden.policy.figures import (
    ConsentRule,
    ConsentWhen,
    HolidayRule,
    HoursRule,
    ListRule,
    LocalDays,
    RegionalDays,
    SectorRule,
)
from dialwarden.policy.hours import Window, parse_week
from dialwarden.policy.model import Policy, Regime
from dialwarden.policy.period import Period
from dialwarden.question import Dialling, Purpose
from dialwarden.settings import sections
from dialwarden.settings.campaigns import CampaignEntry, Directory
from dialwarden.settings.config import Config, find_config, load_config, read_config
from dialwarden.settings.forms import Address, Secret, settings_of
from dialwarden.settings.sections import GuardMode, ListKind, LogFormat, Numbers

FR = Policy(
    id="fr",
    title="France",
    country="FR",
    regimes=(
        Regime(
            id="fr-old",
            start=date(2023, 3, 1),
            end=date(2026, 8, 10),
            title="old",
            hours=HoursRule(
                parse_week({"mon-fri": ["10:00-13:00", "14:00-20:00"]}), "art. D. 223-9"
            ),
            lists=(ListRule("bloctel", "art. L. 223-1", max_age_days=30),),
        ),
    ),
    sha256="0" * 64,
    file="fr.toml",
)
NONE = dataclasses.replace(
    FR,
    id="none",
    country="",
    regimes=(Regime(id="none", start=date(1970, 1, 1), title="No legal rule"),),
)
PROOF = Policy(
    id="fr-proof",
    title="France, with proof",
    country="FR",
    regimes=(Regime("r", date(2023, 3, 1), "r", evidence_years=3, evidence_source="the proof"),),
    sha256="",
    file="",
)
POLICIES: Mapping[str, Policy] = {"fr": FR, "fr-proof": PROOF, "none": NONE}

# The file of the design, every section of it.
SAMPLE = """\
[store]
path = "var/dialwarden.db"

[agi]
listen = "127.0.0.1:4580"
allow_from = ["127.0.0.0/8"]

[ami]
address = "127.0.0.1:5038"
username = "dialwarden"
secret_file = "ami.secret"        # or secret_env = "DIALWARDEN_AMI_SECRET", or secret = "…"

[gateway]
listen = "127.0.0.1:5138"

[gateway.campaigns]               # AMI user -> the campaigns it may name; the first is its default
vicidial = ["energy-paris"]

[guard]
mode = "report"                   # report, hangup, off

[http]
listen = "127.0.0.1:4581"         # /metrics, /healthz

[log]
format = "json"                   # or "console"
language = "en"                   # of the reasons: en, fr, it

[defaults]
campaign = ""                     # none: a question without a campaign is refused
exempt = []                       # Asterisk patterns never judged: ["_1XX"]
enforce = true                    # false: shadow mode

[trunks.carrier]
channel = "PJSIP/carrier"         # channel names are PJSIP/carrier-xxxxxxxx
dial = ["PJSIP/{number}@carrier", "PJSIP/carrier/sip:{number}@{rest}"]
strip = "9"                       # optional: digits the dialer puts in front

[lists.house]
kind = "opposition"               # max_age optional

[lists.staff]
kind = "exempt"

[campaigns.energy-paris]
professional = "acme"
policy = "fr"
region = "FR"                     # how a national number is read
purpose = "sales"                 # sales, survey, service
lists = ["house"]                 # besides those the policy asks for
sector = "electricity"            # optional, for sector bans
dial = "automatic"                # or "manual", where the question does not say
directory = "unlisted"            # Italy
caller_ids = ["0142123456", "+390612345678", "4866"]
regional_holidays = "counted"     # or "advisory", "off"

[campaigns.energy-paris.tighten]  # house rules
hours = { mon-fri = ["10:00-12:30", "14:00-19:00"] }   # days not named are closed
closed = ["2026-12-24"]
caps = [{ max = 1, period = "1 day" }, { max = 2, period = "48 hours" }]
gap = "2 hours"
margin = "2 minutes"
"""
HERE = Path(__file__)  # a file that is there
CAMPAIGN = '[campaigns.c]\nprofessional = "acme"\npolicy = "fr"\n'


AMI = '[ami]\nusername = "u"\nsecret = "x"\n'
TRUNK = '[trunks.t]\nchannel = "PJSIP/t"\ndial = ["PJSIP/{number}@t"]\n'
OFF = '[guard]\nmode = "off"\n'


def resolved(text: str, env: Mapping[str, str] | None = None) -> Config:
    return read_config(text.encode(), Path("d.toml"), env or {}).resolve(POLICIES)


def faults_of(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        resolved(text, env)
    return [str(problem) for problem in refused.value.problems]


@pytest.fixture
def sample(tmp_path: Path) -> Config:
    (tmp_path / "dialwarden.toml").write_text(SAMPLE)
    (tmp_path / "ami.secret").write_text("s3cr3t\n")
    return load_config(tmp_path / "dialwarden.toml", {}, lambda path: POLICIES)


def test_sample_loads_without_a_warning(sample: Config, tmp_path: Path) -> None:
    assert sample.warnings == ()
    assert sample.sha256 == hashlib.sha256(SAMPLE.encode()).hexdigest()
    assert sample.store.path == tmp_path / "var/dialwarden.db"
    assert sample.agi.listen == Address("127.0.0.1", 4580)
    assert sample.agi.allow_from == (ipaddress.ip_network("127.0.0.0/8"),)
    assert sample.ami is not None
    assert sample.ami.secret.reveal() == "s3cr3t"
    assert sample.gateway.campaigns == {"vicidial": ("energy-paris",)}
    assert sample.guard.mode is GuardMode.REPORT
    assert sample.http.listen.port == 4581
    assert sample.log.format is LogFormat.JSON
    assert sample.log.numbers is Numbers.MASKED
    assert sample.defaults.enforce
    assert sample.trunks["carrier"].strip == "9"
    assert sample.lists["house"].max_age is None
    assert sample.lists["staff"].kind is ListKind.EXEMPT
    assert "gateway" in sample.given


def test_sample_campaign_is_what_it_says(sample: Config) -> None:
    campaign = sample.campaigns["energy-paris"]
    assert campaign.professional == "acme"
    assert campaign.policy is FR
    assert (campaign.region, campaign.purpose) == ("FR", Purpose.SALES)
    assert campaign.dial is Dialling.AUTOMATIC
    assert campaign.directory is Directory.UNLISTED
    assert campaign.enforce
    assert campaign.lists == {"bloctel", "house"}
    assert campaign.mandate.professional == "acme"
    house = campaign.house
    assert house.source == "campaign energy-paris, tighten"
    assert house.hours is not None
    assert house.hours.days[0] == (Window.parse("10:00-12:30"), Window.parse("14:00-19:00"))
    assert house.hours.days[5] == ()
    assert house.closed == {date(2026, 12, 24)}
    assert [(cap.max, cap.period) for cap in house.caps] == [
        (1, Period(days=1)),
        (2, Period(rolling=timedelta(hours=48))),
    ]
    assert [gap.period for gap in house.gaps] == [Period(rolling=timedelta(hours=2))]
    assert house.caps[0].purposes == frozenset(Purpose)
    assert house.margin == timedelta(minutes=2)
    assert campaign.mandate.caller_ids == {"33142123456", "390612345678", "4866"}
    assert campaign.mandate.unlisted is True


def test_empty_file_is_all_defaults_and_says_that_it_refuses_everything() -> None:
    config = resolved("")
    assert config.ami is None
    assert config.agi.listen == Address("127.0.0.1", 4580)
    assert config.campaigns == {}
    assert any("every question is refused" in warning for warning in config.warnings)


def test_defaults_are_those_of_the_sample(sample: Config) -> None:
    bare = resolved("")
    for section in ("agi", "guard", "http", "log", "defaults"):
        assert getattr(bare, section) == getattr(sample, section)
    assert bare.gateway.listen == sample.gateway.listen


FAULTS = [
    ("listn = 1", "d.toml:1: listn: unknown key; did you mean lists?; allowed: agi, ami, "),
    ("[agi]\nlisten = 4580", "d.toml:2: agi.listen: found 4580; allowed: a text in quotes"),
    (
        '[agi]\nlisten = "127.0.0.1"',
        'd.toml:2: agi.listen: found "127.0.0.1"; allowed: host:port such as',
    ),
    ('[agi]\nlisten = "127.0.0.1:70000"', 'd.toml:2: agi.listen: found "127.0.0.1:70000"; allowed'),
    ('[agi]\nlisten = "127.0.0:1"', 'd.toml:2: agi.listen: found "127.0.0:1"; allowed: host:port'),
    ('[agi]\nlisten = "::1:4580"', 'd.toml:2: agi.listen: found "::1:4580"; allowed: host:port'),
    (
        '[agi]\nallow_from = ["10.0.0.5/8"]',
        'd.toml:2: agi.allow_from[1]: found "10.0.0.5/8" (10.0.0.5/8 has host bits set); allowed:',
    ),
    (
        '[agi]\nallow_from = ["::1", "::1"]',
        'd.toml:2: agi.allow_from: found "::1/128" twice; allowed: each once',
    ),
    (
        '[agi]\ndeadline = "3 s"',
        'd.toml:2: agi.deadline: found "3 s"; allowed: a duration from "50 ms" to "1900 ms"',
    ),
    ('[agi]\ndeadline = "soon"', 'd.toml:2: agi.deadline: found "soon"; allowed: a duration from'),
    (
        "[agi]\nmax_connections = 0",
        "d.toml:2: agi.max_connections: found 0; allowed: a whole number from 1 to 65536",
    ),
    (
        '[agi]\nalow_from = ["::1"]',
        "d.toml:2: agi.alow_from: unknown key; did you mean allow_from?; allowed: allow_from,",
    ),
    ('[store]\npath = ""', 'd.toml:2: store.path: found ""; allowed: the path of a file'),
    ('[ami]\nsecret = "x"', "d.toml:1: ami.username: missing; it has no default"),
    (
        '[ami]\nusername = "u"',
        "d.toml:1: ami: found none; allowed: exactly one of secret_file, secret_env and secret",
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\nsecret_env = "Y"',
        "d.toml:4: ami.secret_env: found secret and secret_env; allowed: exactly one of",
    ),
    (
        '[ami]\nusername = "u"\nsecret_env = "Y"',
        "d.toml:3: ami.secret_env: the environment variable Y is not set",
    ),
    (
        '[ami]\nusername = "u"\nsecret_file = "absent.secret"',
        "d.toml:3: ami.secret_file: absent.secret not read: No such file or directory",
    ),
    (
        '[ami]\nusername = "u"\nsecret = ""',
        "d.toml:3: ami.secret: found nothing; allowed: the secret of manager.conf",
    ),
    (
        '[ami]\nusername = "u"\nsecret = "a\\nAction: x"',
        "d.toml:3: ami.secret: the secret holds a line end; allowed: one line",
    ),
    (
        "[gateway.campaigns]\nvicidial = ['c']",
        'd.toml:2: gateway.campaigns.vicidial: found "c"; allowed campaigns: none is configured',
    ),
    (
        CAMPAIGN + "[gateway.campaigns]\nvicidial = []",
        "d.toml:5: gateway.campaigns.vicidial: found an empty array; allowed: campaigns, the first",
    ),
    (
        CAMPAIGN + "[gateway.campaigns]\nvicidial = 'c'",
        'd.toml:5: gateway.campaigns.vicidial: found "c"; allowed: an array of texts',
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\ntls = "yes"',
        'd.toml:4: ami.tls: found "yes"; allowed: true or false, without quotes',
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\nca = "absent.pem"',
        "d.toml:4: ami.ca: absent.pem is no file",
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\nca = "/"\n',
        "d.toml:4: ami.ca: / is no file",
    ),
    (
        f'[ami]\nusername = "u"\nsecret = "x"\ntls = false\nca = "{HERE}"',
        "d.toml:4: ami.tls: found false beside ca; allowed: true, or no ca",
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\ntls_name = "pbx"',
        "d.toml:4: ami.tls_name: found tls_name without tls; allowed: with tls = true or a ca",
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\ntls = true\ntls_name = "pbx:5039"',
        'd.toml:5: ami.tls_name: found "pbx:5039"; allowed: the name of a host or its IP address',
    ),
    (
        '[gateway]\nallow_from = ["10.0.0.1/8"]',
        'd.toml:2: gateway.allow_from[1]: found "10.0.0.1/8" (10.0.0.1/8 has host bits set);',
    ),
    (
        "[gateway]\nmax_clients = 0",
        "d.toml:2: gateway.max_clients: found 0; allowed: a whole number from 1 to 65536",
    ),
    (
        "[gateway]\nbacklog = 8388608",
        "d.toml:2: gateway.backlog: found 8388608; allowed: a text in quotes",
    ),
    (
        '[gateway]\nbacklog = "8 MB"',
        'd.toml:2: gateway.backlog: found "8 MB"; allowed: a size from "64 KiB" to "1 GiB"',
    ),
    (
        '[gateway]\nbacklog = "63 KiB"',
        'd.toml:2: gateway.backlog: found "63 KiB"; allowed: a size from "64 KiB" to "1 GiB"',
    ),
    (
        '[gateway]\nbacklog = "2 GiB"',
        'd.toml:2: gateway.backlog: found "2 GiB"; allowed: a size from "64 KiB" to "1 GiB"',
    ),
    (
        "[gateway]\nmax_backlog = '8 MiB'",
        "d.toml:2: gateway.max_backlog: unknown key; did you mean backlog?; allowed:",
    ),
    (
        f'[gateway]\ntls_cert = "{HERE}"',
        "d.toml:2: gateway.tls_cert: found tls_cert without tls_key; allowed: both or neither",
    ),
    (
        f'[gateway]\ntls_key = "{HERE}"',
        "d.toml:2: gateway.tls_key: found tls_key without tls_cert; allowed: both or neither",
    ),
    (
        f'[gateway]\ntls_cert = "absent.pem"\ntls_key = "{HERE}"',
        "d.toml:2: gateway.tls_cert: absent.pem is no file",
    ),
    (
        '[gateway]\ndialplan = ["admin", "boss", "Admin"]',
        'd.toml:2: gateway.dialplan: found "Admin" beside "admin"; allowed: one spelling, since',
    ),
    (
        '[gateway]\ndialplan = ["admin", "admin"]',
        'd.toml:2: gateway.dialplan: found "admin" twice; allowed: each once',
    ),
    (
        CAMPAIGN + "[gateway.campaigns]\nvicidial = ['c']\nVICIdial = ['c']",
        'd.toml:6: gateway.campaigns.VICIdial: found "VICIdial" beside "vicidial"; allowed: one',
    ),
    (
        "[retention]\nyears = 0",
        "d.toml:2: retention.years: found 0; allowed: a whole number from 1 to 100",
    ),
    (
        '[retention]\ndaily = "3:30"',
        'd.toml:2: retention.daily: found "3:30"; allowed: a time of day from "00:00" to "23:59"',
    ),
    (
        "[retention]\nyear = 3",
        "d.toml:2: retention.year: unknown",
    ),
    (
        "[guard]\nalarm = 0",
        "d.toml:2: guard.alarm: found 0; allowed: a whole number from 1 to 10000",
    ),
    (
        '[agi]\nlisten = "127.0.0.1:5000"\n[http]\nlisten = "127.0.0.1:5000"',
        'd.toml:4: http.listen: found "127.0.0.1:5000", which is [agi] listen too; allowed: a port',
    ),
    (
        '[gateway]\nlisten = "0.0.0.0:4580"',
        'd.toml:2: gateway.listen: found "0.0.0.0:4580", which is [agi] listen too; allowed: a',
    ),
    (
        '[gateway]\nlisten = "localhost:4581"\n[http]',
        'd.toml:3: http.listen: found "127.0.0.1:4581", which is [gateway] listen too; allowed: a',
    ),
    (
        '[ami]\nusername = "u"\nsecret = "x"\n[gateway]\nlisten = "0.0.0.0:5038"',
        'd.toml:5: gateway.listen: found "0.0.0.0:5038", which is [ami] address too; allowed: a',
    ),
    (
        '[guard]\nmode = "kill"',
        'd.toml:2: guard.mode: found "kill"; allowed: "report", "hangup" or "off"',
    ),
    (
        '[log]\nformat = "text"',
        'd.toml:2: log.format: found "text"; allowed: "json", "console" or "journal"',
    ),
    (
        '[log]\nlanguage = "de"',
        'd.toml:2: log.language: found "de"; allowed: "en", "fr" or "it"',
    ),
    (
        "[log]\nnumbers = true",
        'd.toml:2: log.numbers: found true; allowed: "masked" or "clear"',
    ),
    (
        '[defaults]\nenforce = "no"',
        'd.toml:2: defaults.enforce: found "no"; allowed: true or false, without quotes',
    ),
    (
        CAMPAIGN + '[defaults]\ncampaign = "cc"',
        'd.toml:5: defaults.campaign: found "cc", did you mean c?; allowed campaigns: c',
    ),
    (
        '[defaults]\nexempt = ["112", "_[1"]',
        "d.toml:2: defaults.exempt[2]: pattern '_[1' has a [ without its ]",
    ),
    ("[trunks]\ncarrier = 1", "d.toml:2: trunks.carrier: found 1; allowed: a table"),
    (
        '[trunks.t]\ndial = ["PJSIP/{number}@t"]',
        "d.toml:1: trunks.t.channel: missing; it has no default",
    ),
    (
        '[trunks.t]\nchannel = "PJSIP"\ndial = ["PJSIP/{number}@t"]',
        'd.toml:2: trunks.t.channel: found "PJSIP"; allowed: technology/endpoint',
    ),
    (
        '[trunks.t]\nchannel = "PJSIP/t"\ndial = ["PJSIP/t"]',
        'd.toml:3: trunks.t.dial[1]: found "PJSIP/t"; allowed: a dial string with {number} once',
    ),
    (
        '[trunks.t]\nchannel = "PJSIP/t"\ndial = ["PJSIP/{number}@{host}"]',
        'd.toml:3: trunks.t.dial[1]: found "PJSIP/{number}@{host}"; allowed: a dial string with',
    ),
    (
        '[trunks.t]\nchannel = "PJSIP/t"\ndial = []',
        "d.toml:3: trunks.t.dial: found an empty array; allowed: an array of texts, at least one",
    ),
    (
        '[trunks.t]\nchannel = "PJSIP/t"\ndial = ["PJSIP/{number}@t"]\nstrip = "+9"',
        'd.toml:4: trunks.t.strip: found "+9"; allowed: digits such as "9"',
    ),
    (
        '[trunks.t]\nchannel = "PJSIP/t"\ndial = ["PJSIP/{number}@t"]\n'
        '[trunks.u]\nchannel = "pjsip/T"\ndial = ["PJSIP/{number}@t"]',
        'd.toml:5: trunks.u.channel: found "pjsip/T", which is the channel of trunk t',
    ),
    ("[lists.house]", "d.toml:1: lists.house.kind: missing; it has no default"),
    (
        '[lists.house]\nkind = "blacklist"',
        'd.toml:2: lists.house.kind: found "blacklist"; allowed: "opposition" or "exempt"',
    ),
    (
        '[lists.house]\nkind = "opposition"\nmax_age = 30',
        "d.toml:3: lists.house.max_age: found 30; allowed: a text in quotes",
    ),
    (
        '[lists.house]\nkind = "opposition"\nmax_age = "48 hours"',
        'd.toml:3: lists.house.max_age: found "48 hours"; allowed: whole days such as "30 days"',
    ),
    (
        '[lists."a b"]\nkind = "exempt"',
        'd.toml:1: lists."a b": found "a b"; allowed in a name: letters, digits,',
    ),
    (
        CAMPAIGN + '[lists.bloctel]\nkind = "exempt"',
        'd.toml:5: lists.bloctel.kind: found "exempt"; allowed: "opposition", since policy fr',
    ),
    ('[campaigns.c]\npolicy = "fr"', "d.toml:1: campaigns.c.professional: missing; it has no"),
    (
        '[campaigns.c]\nprofessional = ""\npolicy = "fr"',
        'd.toml:2: campaigns.c.professional: found ""; allowed: a name that is not empty',
    ),
    ('[campaigns.c]\nprofessional = "a"', "d.toml:1: campaigns.c.policy: missing; it has no"),
    (
        '[campaigns.c]\nprofessional = "a"\npolicy = "fra"',
        'd.toml:3: campaigns.c.policy: found "fra", did you mean fr?; allowed policies: fr, '
        "fr-proof, none",
    ),
    (
        '[campaigns.c]\nprofessional = "a"\npolicy = "none"',
        "d.toml:1: campaigns.c.region: missing; policy none has no country to take it from",
    ),
    (CAMPAIGN + 'region = "fr"', 'd.toml:4: campaigns.c.region: found "fr"; allowed: an ISO 3166'),
    (CAMPAIGN + 'region = "ZZ"', 'd.toml:4: campaigns.c.region: found "ZZ", did you mean '),
    (
        CAMPAIGN + 'purpose = "selling"',
        'd.toml:4: campaigns.c.purpose: found "selling"; allowed: "sales", "survey" or "service"',
    ),
    (
        CAMPAIGN + 'lists = ["hose"]\n[lists.house]\nkind = "opposition"',
        'd.toml:4: campaigns.c.lists: found "hose", did you mean house?; allowed opposition lists:',
    ),
    (
        CAMPAIGN + 'lists = ["staff"]\n[lists.staff]\nkind = "exempt"',
        'd.toml:4: campaigns.c.lists: found "staff", which is exempt; allowed: lists of kind',
    ),
    (
        CAMPAIGN + 'dial = "auto"',
        'd.toml:4: campaigns.c.dial: found "auto"; allowed: "manual" or "automatic"',
    ),
    (
        CAMPAIGN + 'directory = "no"',
        'd.toml:4: campaigns.c.directory: found "no"; allowed: "listed" or "unlisted"',
    ),
    (
        CAMPAIGN + 'caller_ids = "0142123456"',
        'd.toml:4: campaigns.c.caller_ids: found "0142123456"; allowed: an array of',
    ),
    (
        CAMPAIGN + 'caller_ids = ["0142123456", "01 42 12 34 56"]',
        'd.toml:4: campaigns.c.caller_ids[2]: found "01 42 12 34 56"; allowed: a number such as',
    ),
    (
        CAMPAIGN + 'caller_ids = ["12"]',
        'd.toml:4: campaigns.c.caller_ids[1]: found "12"; allowed: a number such as',
    ),
    (
        CAMPAIGN + 'caller_ids = ["+1234567890123456"]',
        'd.toml:4: campaigns.c.caller_ids[1]: found "+1234567890123456"; allowed: a number such as',
    ),
    (
        CAMPAIGN + 'caller_ids = ["acme"]',
        'd.toml:4: campaigns.c.caller_ids[1]: found "acme"; allowed: a number such as',
    ),
    (
        CAMPAIGN + "regional_holidays = true",
        'd.toml:4: campaigns.c.regional_holidays: found true; allowed: "off", "advisory" or',
    ),
    (
        CAMPAIGN + 'regional_holidays = "local"',
        'd.toml:4: campaigns.c.regional_holidays: found "local"; allowed: "off", "advisory" or',
    ),
    (
        CAMPAIGN + 'tighten.margin = "1 day"',
        'd.toml:4: campaigns.c.tighten.margin: found "1 day"; allowed: at most 4 hours, such as',
    ),
    (
        CAMPAIGN + 'tighten.margin = "241 minutes"',
        'd.toml:4: campaigns.c.tighten.margin: found "241 minutes"; allowed: at most 4 hours',
    ),
    (
        CAMPAIGN + 'tighten.margin = "2 min"',
        "d.toml:4: campaigns.c.tighten.margin: '2 min' is no period; write",
    ),
    (
        CAMPAIGN + "tighten.margin = 2",
        "d.toml:4: campaigns.c.tighten.margin: found 2; allowed: a text in quotes",
    ),
    (CAMPAIGN + "enforce = 0", "d.toml:4: campaigns.c.enforce: found 0; allowed: true or false"),
    (
        CAMPAIGN + 'count_failed = "no"',
        'd.toml:4: campaigns.c.count_failed: found "no"; allowed: true or false, without quotes',
    ),
    (
        CAMPAIGN + 'sector = "Gas"',
        "d.toml:4: campaigns.c.sector: found 'Gas'; allowed: small letters, digits and -",
    ),
    (
        CAMPAIGN + 'sector = "survey"',
        'd.toml:4: campaigns.c.sector: found "survey", which means something else in a consent\'s',
    ),
    (
        CAMPAIGN + 'sector = "c"',
        'd.toml:4: campaigns.c.sector: found "c", which is the name of a campaign: a consent to',
    ),
    (
        '[campaigns.sales]\nprofessional = "acme"\npolicy = "fr"\n',
        'd.toml:1: campaigns.sales: found "sales", which means something else in a consent\'s',
    ),
    (
        CAMPAIGN + "tighten.hours = { mo = [] }",
        "d.toml:4: campaigns.c.tighten.hours: 'mo' is no day; write mon … sun or a range",
    ),
    (
        CAMPAIGN + '[campaigns.c.tighten.hours]\nmon = ["22:00-02:00"]',
        "d.toml:4: campaigns.c.tighten.hours: '22:00-02:00' ends at or before its start;",
    ),
    (
        CAMPAIGN + '[campaigns.c.tighten.hours]\nmon = ["09:00-12:00", "11:00-13:00"]',
        "d.toml:4: campaigns.c.tighten.hours: windows 09:00-12:00 and 11:00-13:00 overlap",
    ),
    (
        CAMPAIGN + 'tighten.closed = ["24/12/2026"]',
        'd.toml:4: campaigns.c.tighten.closed[1]: found "24/12/2026"; allowed: a date such as',
    ),
    (
        CAMPAIGN + 'tighten.caps = [{ max = 0, period = "1 day" }]',
        "d.toml:4: campaigns.c.tighten.caps[1].max: found 0; allowed: a whole number from 1",
    ),
    (
        CAMPAIGN + "tighten.caps = [{ max = 1 }]",
        "d.toml:4: campaigns.c.tighten.caps[1].period: missing; it has no default",
    ),
    (
        CAMPAIGN + '[[campaigns.c.tighten.caps]]\nmax = 1\nperiod = "1 week"',
        "d.toml:6: campaigns.c.tighten.caps[1].period: '1 week' is no period; write",
    ),
    (
        CAMPAIGN + 'tighten.gap = "0 hours"',
        "d.toml:4: campaigns.c.tighten.gap: '0 hours' is no period; write",
    ),
    (
        CAMPAIGN + "tighten.gaps = '1 day'",
        "d.toml:4: campaigns.c.tighten.gaps: unknown key; did you mean gap?; allowed: caps,",
    ),
    (
        CAMPAIGN + "thighten = {}",
        "d.toml:4: campaigns.c.thighten: unknown key; did you mean tighten?; allowed:",
    ),
    ("[policies]\npath = 1", "d.toml:2: policies.path: found 1; allowed: a text in quotes"),
]


@pytest.mark.parametrize(
    ("text", "problem"), FAULTS, ids=[problem.split(": ")[1] for _, problem in FAULTS]
)
def test_fault_is_told_with_file_line_key_found_and_allowed(text: str, problem: str) -> None:
    faults = faults_of(text)
    assert len(faults) == 1
    assert faults[0].startswith(problem)


def test_all_faults_are_told_at_once() -> None:
    text = '[agi]\nlisten = 1\n[log]\nformat = 2\n[campaigns.c]\npolicy = "xx"\nprofessional = "a"'
    assert [fault.split(": ")[1] for fault in faults_of(text)] == [
        "agi.listen",
        "log.format",
        "campaigns.c.policy",
    ]


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml: not read: No such file"):
        load_config(tmp_path / "absent.toml", {}, lambda path: POLICIES)


def test_policies_are_asked_for_with_the_folder_beside_the_file(tmp_path: Path) -> None:
    asked: list[Path | None] = []

    def policies_of(path: Path | None) -> Mapping[str, Policy]:
        asked.append(path)
        return POLICIES

    file = tmp_path / "d.toml"
    for text in ("", '[policies]\npath = "mine"', '[policies]\npath = "/etc/mine"'):
        file.write_text(text)
        load_config(file, {}, policies_of)
    assert asked == [None, tmp_path / "mine", Path("/etc/mine")]


@pytest.mark.parametrize(
    ("line", "env"),
    [('secret = "s3cr3t"', {}), ('secret_env = "S"', {"S": "s3cr3t"})],
)
def test_secret_comes_from_the_file_or_the_environment_and_is_never_shown(
    line: str, env: Mapping[str, str]
) -> None:
    config = resolved(f'[ami]\nusername = "u"\n{line}\n', env)
    assert config.ami is not None
    assert config.ami.secret.reveal() == "s3cr3t"
    assert "s3cr3t" not in repr(config)
    assert "s3cr3t" not in f"{config.ami.secret}"


def test_secret_is_the_credential_of_its_name_where_systemd_gave_one(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (tmp_path / "ami.secret").write_text("beside\n")
    data = b'[ami]\nusername = "u"\nsecret_file = "ami.secret"\n'

    def secret(**env: str) -> str:
        config = read_config(data, tmp_path / "d.toml", env).resolve(POLICIES)
        assert config.ami is not None
        return config.ami.secret.reveal()

    assert secret() == secret(CREDENTIALS_DIRECTORY=str(given)) == "beside"  # another's credential
    (given / "ami.secret").write_text("given\n")
    assert secret(CREDENTIALS_DIRECTORY=str(given)) == "given"
    assert secret(CREDENTIALS_DIRECTORY="") == "beside"


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"\xff\xfe"])
def test_secret_file_that_holds_no_single_line_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    data = b'[ami]\nusername = "u"\nsecret_file = "s"\n'
    with pytest.raises(SettingsError, match=r"d\.toml:3: ami\.secret_file: "):
        read_config(data, tmp_path / "d.toml", {}).resolve(POLICIES)


def test_secret_cannot_be_pickled_and_equals_its_like() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    with pytest.raises(TypeError, match="not written"):
        Secret("a").__reduce__()


def test_a_campaign_in_shadow_mode_is_named_and_what_the_guard_does_then() -> None:
    other = '[campaigns.d]\nprofessional = "acme"\npolicy = "fr"\nenforce = false\n'
    guard = AMI + TRUNK + '[guard]\nmode = "hangup"\n'
    (warning,) = resolved(CAMPAIGN + other + guard).warnings
    assert warning.startswith("SHADOW MODE for 1 of 2 campaigns (d): ")
    assert warning.endswith("enforce = true, in [defaults] or the campaign, ends it")
    first, second = resolved(CAMPAIGN + "enforce = false\n" + other + guard).warnings
    assert first.startswith("SHADOW MODE for every campaign (c, d): ")
    assert second.startswith('[guard] mode = "hangup" hangs nothing up while every campaign')
    assert resolved(CAMPAIGN + guard).warnings == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (CAMPAIGN + '[guard]\nmode = "hangup"', "[guard] needs [ami], which is not configured"),
        (CAMPAIGN + "[gateway]", "[gateway] needs [ami], which is not configured"),
        (CAMPAIGN + AMI, "no [trunks] are configured: the gateway and the guard take no call"),
        (CAMPAIGN + AMI + OFF + "[gateway]", "no [trunks] are configured: the gateway and"),
        (
            CAMPAIGN + AMI + TRUNK + '[gateway]\nlisten = "192.0.2.1:5138"',
            "[gateway] listens on 192.0.2.1:5138 without TLS: passwords and callees' numbers",
        ),
        (
            CAMPAIGN + AMI + TRUNK + '[gateway]\nlisten = "[::]:5138"',
            "[gateway] listens on [::]:5138 without TLS: passwords and callees' numbers",
        ),
        (
            CAMPAIGN + '[lists.house]\nkind = "opposition"',
            "[lists.house] is asked for by no campaign and no policy",
        ),
        (
            CAMPAIGN + '[lists.bloctel]\nkind = "opposition"\nmax_age = "45 days"',
            "[lists.bloctel] max_age 45 days changes nothing under regime fr-old: its own 30 days",
        ),
        (
            CAMPAIGN + '[campaigns.d]\nprofessional = "Acme"\npolicy = "fr"',
            'professionals "acme" and "Acme" (campaign d) differ in case only',
        ),
        (
            CAMPAIGN + "[defaults]\nenforce = false",
            "SHADOW MODE for every campaign (c): refusals are",
        ),
        (
            CAMPAIGN.replace('"fr"', '"fr-proof"', 1) + "[retention]\nyears = 2",
            "[retention] years = 2 changes nothing for professional acme: 3 years are asked for "
            "(policy fr-proof: the proof)",
        ),
    ],
)
def test_what_is_allowed_and_doubtful_is_a_warning(text: str, warning: str) -> None:
    warnings = resolved(text).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith(warning)


@pytest.mark.parametrize(
    "text",
    [
        AMI + OFF,
        AMI + TRUNK + "[gateway]",
        AMI + TRUNK + '[gateway]\nlisten = "[::1]:5138"',
        AMI + TRUNK + '[gateway]\nlisten = "localhost:5138"',
        AMI
        + TRUNK
        + f'[gateway]\nlisten = "0.0.0.0:5138"\ntls_cert = "{HERE}"\ntls_key = "{HERE}"',
        # Ports that are no port of this host's, or one that the system is to choose.
        AMI + 'address = "pbx:5138"\n' + TRUNK + '[gateway]\nlisten = "127.0.0.1:5138"',
        '[agi]\nlisten = "127.0.0.1:0"\n[http]\nlisten = "127.0.0.1:0"',
        # A door that is not asked for listens nowhere.
        '[agi]\nlisten = "127.0.0.1:4581"',
    ],
)
def test_what_is_in_order_gives_no_warning(text: str) -> None:
    assert resolved(CAMPAIGN + text).warnings == ()


def test_certificates_lie_beside_the_file(tmp_path: Path) -> None:
    for name in ("ca.pem", "g.pem", "g.key"):
        (tmp_path / name).touch()
    text = (
        CAMPAIGN + TRUNK + AMI + 'ca = "ca.pem"\ntls_name = "pbx.example.org"\n'
        '[gateway]\ntls_cert = "g.pem"\ntls_key = "g.key"\n'
        'backlog = "512 KiB"\ndialplan = ["Admin"]\n'
    )
    config = read_config(text.encode(), tmp_path / "d.toml", {}).resolve(POLICIES)
    assert config.warnings == ()
    assert config.ami is not None
    assert config.ami.tls
    assert (config.ami.ca, config.ami.tls_name) == (tmp_path / "ca.pem", "pbx.example.org")
    gateway = config.gateway
    assert (gateway.tls_cert, gateway.tls_key) == (tmp_path / "g.pem", tmp_path / "g.key")
    assert (gateway.max_backlog, gateway.dialplan_users) == (524288, ("Admin",))


def test_without_a_word_the_gateway_and_the_guard_have_their_defaults() -> None:
    config = resolved(AMI)
    assert config.ami is not None
    assert (config.ami.tls, config.ami.ca, config.ami.tls_name) == (False, None, "")
    assert config.gateway.allow_from == (ipaddress.ip_network("127.0.0.0/8"),)
    assert (config.gateway.tls_cert, config.gateway.tls_key) == (None, None)
    assert (config.gateway.max_clients, config.gateway.max_backlog) == (200, 8388608)
    assert config.guard.alarm == 10


def test_campaign_takes_region_and_enforce_from_what_stands_around_it() -> None:
    text = CAMPAIGN + "[defaults]\nenforce = false\n[campaigns.d]\nenforce = true\n"
    config = resolved(text + 'professional = "b"\npolicy = "none"\nregion = "IT-BZ"')
    assert config.campaigns["c"].region == "FR"
    assert not config.campaigns["c"].enforce
    assert config.campaigns["d"].region == "IT-BZ"
    assert config.campaigns["d"].enforce


@pytest.mark.parametrize(
    ("defaults", "own", "counted"),
    [
        ("", "", True),
        ("", "count_failed = false\n", False),
        ("[defaults]\ncount_failed = false\n", "", False),
        ("[defaults]\ncount_failed = false\n", "count_failed = true\n", True),
    ],
)
def test_failures_count_unless_the_campaign_or_the_defaults_say_no(
    defaults: str, own: str, counted: bool
) -> None:
    config = resolved(CAMPAIGN + own + defaults)
    assert config.campaigns["c"].count_failed is counted


@pytest.mark.parametrize(
    ("text", "unlisted"),
    [("", None), ('directory = "unlisted"\n', True), ('directory = "listed"\n', False)],
)
def test_a_directory_that_nobody_named_is_not_known(text: str, unlisted: bool | None) -> None:
    assert resolved(CAMPAIGN + text).campaigns["c"].mandate.unlisted is unlisted


@pytest.mark.parametrize(
    ("region", "written", "digits"),
    [
        ("FR", "0142123456", "33142123456"),
        ("FR", "+33142123456", "33142123456"),
        ("FR", "0033142123456", "33142123456"),
        ("FR", "390612345678", "390612345678"),  # no number of France's: as it is
        ("FR", "4866", "4866"),
        ("IT", "0612345678", "390612345678"),
        ("FR-974", "0262123456", "262262123456"),
    ],
)
def test_a_declared_number_is_read_as_the_campaigns_region_writes_numbers(
    region: str, written: str, digits: str
) -> None:
    text = CAMPAIGN + f'region = "{region}"\ncaller_ids = ["{written}"]\n'
    assert resolved(text).campaigns["c"].mandate.caller_ids == {digits}


@pytest.mark.parametrize(
    ("text", "regional"),
    [
        ("", RegionalDays.ADVISORY),
        ('regional_holidays = "off"\n', RegionalDays.OFF),
        ('regional_holidays = "advisory"\n', RegionalDays.ADVISORY),
        ('regional_holidays = "counted"\n', RegionalDays.COUNTED),
    ],
)
def test_a_campaigns_word_on_regional_holidays_goes_before_the_policys(
    text: str, regional: RegionalDays
) -> None:
    local = (LocalDays(frozenset({"FR-57"}), "n", "s", day=(12, 26)),)
    rule = HolidayRule("FR", "s", regional=RegionalDays.ADVISORY, local=local)
    policies = {"fr": with_parts(holidays=rule)}
    config = read_config((CAMPAIGN + text).encode(), Path("d.toml"), {}).resolve(policies)
    mandate = config.campaigns["c"].mandate
    terms = mandate.terms_on(date(2026, 1, 1), Purpose.SALES)
    assert terms is not None
    assert [rule.regional for rule in terms.holidays] == [regional]


@pytest.mark.parametrize(
    ("text", "margin"),
    [
        ("", 0),
        ('tighten.margin = "2 minutes"\n', 2),
        ('tighten.margin = "1 minute"\n', 1),
        ('tighten.margin = "4 hours"\n', 240),
    ],
)
def test_a_margin_is_minutes_or_a_few_hours(text: str, margin: int) -> None:
    house = resolved(CAMPAIGN + text).campaigns["c"].house
    assert house.margin == timedelta(minutes=margin)
    assert house.source == ("campaign c, tighten" if text else "")


def with_parts(**parts: Any) -> Policy:
    """France, with more in its one regime."""
    return dataclasses.replace(FR, regimes=(dataclasses.replace(FR.regimes[0], **parts),))


BAN = SectorRule(frozenset({"electricity", "gas"}), "s", purposes=frozenset({Purpose.SALES}))
ENDING = dataclasses.replace(BAN, end=date(2026, 6, 30))
UNLISTED = ConsentRule("s", required=True, when=ConsentWhen.UNLISTED)


@pytest.mark.parametrize(
    ("parts", "text", "day", "told"),
    [
        pytest.param({}, "", "2026-06-30", [], id="nothing hangs on it"),
        pytest.param({"sectors": (BAN,)}, "", "2026-06-30",
                     ["campaign c: no sector is set, so rule sector is not judged; "
                      "policy fr bans electricity, gas"], id="no sector"),
        pytest.param({"sectors": (BAN,)}, 'sector = "gas"\n', "2026-06-30", [], id="a banned one"),
        pytest.param({"sectors": (BAN,)}, 'sector = "fibre"\n', "2026-06-30", [], id="another"),
        pytest.param({"sectors": (BAN,)}, 'sector = "eletricity"\n', "2026-06-30",
                     ['campaign c: sector "eletricity" is none that policy fr bans; did you mean '
                      "electricity?"], id="misspelt"),
        pytest.param({"sectors": (BAN,)}, 'purpose = "survey"\n', "2026-06-30", [],
                     id="for another purpose"),
        pytest.param({"sectors": (ENDING,)}, "", "2026-07-01", [], id="a ban that is over"),
        pytest.param({"sectors": (BAN,)}, "", "2026-08-11", [], id="a law that is over"),
        pytest.param({"consent": UNLISTED}, "", "2026-06-30",
                     ["campaign c: no directory is set, so rule consent is not judged; say "
                      "whether its numbers stand in a public directory (listed, unlisted)"],
                     id="no directory"),
        pytest.param({"consent": UNLISTED}, 'directory = "listed"\n', "2026-06-30", [],
                     id="a directory"),
        pytest.param({"consent": dataclasses.replace(UNLISTED, when=ConsentWhen.ALWAYS)}, "",
                     "2026-06-30", [], id="a consent whatever the directory"),
    ],
)  # fmt: skip
def test_what_a_rule_hangs_on_and_nobody_said_is_told(
    parts: dict[str, Any], text: str, day: str, told: list[str]
) -> None:
    policies = {"fr": with_parts(**parts)}
    config = read_config((CAMPAIGN + text).encode(), Path("d.toml"), {}).resolve(policies)
    assert list(config.campaigns["c"].unsaid(date.fromisoformat(day))) == told


def test_campaign_list_has_the_age_of_its_entry() -> None:
    text = CAMPAIGN + 'lists = ["house", "bloctel"]\n[lists.house]\nkind = "opposition"\n'
    campaign = resolved(text + 'max_age = "30 days"').campaigns["c"]
    assert campaign.own_lists == (
        ListRule("house", "campaign c, lists", max_age_days=30),
        ListRule("bloctel", "campaign c, lists"),
    )


def test_wider_house_rules_are_told_for_the_regimes_to_come_only() -> None:
    text = CAMPAIGN + '[campaigns.c.tighten.hours]\nmon = ["08:00-12:00"]\ntue = ["10:00-11:00"]'
    campaign = resolved(text).campaigns["c"]
    assert campaign.wider_than_law(date(2026, 8, 10)) == [
        "campaign c, tighten: hours.mon (08:00-12:00) is wider than the law's "
        "(10:00-13:00, 14:00-20:00, art. D. 223-9); what lies in both counts (regime fr-old)"
    ]
    assert campaign.wider_than_law(date(2026, 8, 11)) == []


def test_configuration_is_looked_for_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named, by_env = tmp_path / "named.toml", tmp_path / "env.toml"
    with pytest.raises(SettingsError, match=r"neither dialwarden\.toml nor /etc/dialwarden/"):
        find_config(None, {})
    Path("dialwarden.toml").touch()
    assert find_config(None, {}) == Path("dialwarden.toml")
    with pytest.raises(SettingsError, match=r"no such file; \$DIALWARDEN_CONFIG names it"):
        find_config(None, {"DIALWARDEN_CONFIG": str(by_env)})
    by_env.touch()
    assert find_config(None, {"DIALWARDEN_CONFIG": str(by_env)}) == by_env
    with pytest.raises(SettingsError, match=r"no such file; --config names it"):
        find_config(named, {"DIALWARDEN_CONFIG": str(by_env)})
    named.touch()
    assert find_config(str(named), {"DIALWARDEN_CONFIG": str(by_env)}) == named


SECTIONS = [
    sections.Store,
    sections.Agi,
    sections.Ami,
    sections.Gateway,
    sections.Guard,
    sections.Http,
    sections.Log,
    sections.Defaults,
    sections.Policies,
    sections.Trunk,
    sections.ListEntry,
    CampaignEntry,
]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_declared_with_its_form_and_its_help(section: type) -> None:
    settings = settings_of(section)
    assert settings
    for setting in settings:
        assert setting.words, setting.key
        assert setting.help.endswith((".", "?", '".')), setting.key
    assert section.__doc__
    assert section.__doc__.startswith("[")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4580", Address("127.0.0.1", 4580)),
        ("[::1]:0", Address("::1", 0)),
        ("pbx-1.example.org:5038", Address("pbx-1.example.org", 5038)),
    ],
)
def test_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", ":1", "a:", "a:x", "a:-1", "a:٣", "a b:1", "[a]:1", "[::1", "1.2.3:1", "-a:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: host:port"):
        Address.parse(text)
