"""`dialwarden report`: the figures of a real ledger, as text, CSV, JSON and a page."""

from __future__ import annotations

import csv
import html.parser
import io
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.site import Site
from tests.ledger.helpers import attempt

from dialwarden.ledger import attempts, refusals
from dialwarden.question import Door
from dialwarden.verdict import Rule

DAY = "2026-11-10"
TEN = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


def refuse(*rules: Rule, at: datetime = TEN, campaign: str = "paris", **more: object):  # type: ignore[no-untyped-def]
    values = {"number": 33612345678, "dialled": "0612345678", "findings": "[]", "door": Door.AGI,
              **more}  # fmt: skip
    return refusals.NewRefusal(at=at, rules=rules, campaign=campaign, **values)  # type: ignore[arg-type]


@pytest.fixture
def busy(site: Site) -> Site:
    """Five calls allowed, one of them voided; three refused, two let go, two bypasses; more."""
    site.run("list", "import", "house", site.file(""))  # makes the ledger
    with site.writing() as conn:
        made = attempts.reserve_all(
            conn,
            [attempt(33612345600 + n, TEN + timedelta(minutes=n), campaign="paris")
             for n in range(5)]
            + [attempt(33612345678, TEN, campaign="shadow", enforced=False)] * 2
            + [attempt(33612345678, TEN, campaign="paris", enforced=False, door=Door.GUARD)],
        )  # fmt: skip
        attempts.void_unsent(conn, made[0], "never left", TEN)
        for new in (
            refuse(Rule.HOURS, Rule.GAP),
            refuse(Rule.HOURS),
            refuse(Rule.OPPOSITION, at=TEN + timedelta(hours=1), number=33612345679),
            refuse(Rule.FREQUENCY, campaign="shadow", would=True),
            refuse(Rule.CONSENT, campaign="shadow", would=True),
            refuse(Rule.BYPASS, door=Door.GUARD, asked_by="<b>agent</b>", would=True),
            refuse(Rule.BYPASS, door=Door.GUARD, asked_by="dialer"),
            refuse(Rule.HOURS, at=TEN + timedelta(days=1)),
        ):
            refusals.record(conn, new)
        refusals.record_exempt(
            conn, at=TEN, call="1", number=33612345601, listed_in="staff", door=Door.AGI
        )
    return site


def test_in_json_the_figures_of_a_day(busy: Site) -> None:
    told = busy.json("report", "--day", DAY, "--zone", "Europe/Paris")
    assert told["total"] == {
        "allowed": 4, "answered": 0, "refused": 3, "would": 2, "bypassed": 2, "hung_up": 1,
        "callees_refused": 2, "callees_would": 1,
    }  # fmt: skip
    assert told["rules"] == [
        {"rule": "consent", "refused": 0, "callees": 0, "failed": 0, "would": 1,
         "would_callees": 1},
        {"rule": "opposition", "refused": 1, "callees": 1, "failed": 1, "would": 0,
         "would_callees": 0},
        {"rule": "hours", "refused": 2, "callees": 1, "failed": 2, "would": 0, "would_callees": 0},
        {"rule": "frequency", "refused": 0, "callees": 0, "failed": 0, "would": 1,
         "would_callees": 1},
    ]  # fmt: skip
    assert [(row["campaign"], row["allowed"], row["refused"]) for row in told["campaigns"]] == [
        ("paris", 4, 3),
        ("shadow", 0, 0),
    ]
    assert [(row["by"], row["calls"], row["let_go"]) for row in told["bypasses"]] == [
        ("<b>agent</b>", 1, True),
        ("dialer", 1, False),
    ]
    assert told["exempt"] == [{"list": "staff", "calls": 1}]
    assert [row["from"] for row in told["hours"]] == [
        "2026-11-10T10:00:00+01:00",
        "2026-11-10T11:00:00+01:00",
    ]


def test_a_month_has_the_day_after_too(busy: Site) -> None:
    told = busy.json("report", "--month", "2026-11")
    assert [(row["day"], row["refused"]) for row in told["days"]] == [(DAY, 3), ("2026-11-11", 1)]


def test_a_day_ends_where_its_zone_says(busy: Site) -> None:
    with busy.writing() as conn:
        late = datetime(2026, 11, 10, 22, 59, 59, tzinfo=UTC)
        refusals.record(conn, refuse(Rule.HOURS, at=late))
        refusals.record(conn, refuse(Rule.HOURS, at=late + timedelta(seconds=1)))
    assert busy.json("report", "--day", DAY, "--zone", "Europe/Paris")["total"]["refused"] == 4
    assert busy.json("report", "--day", DAY, "--zone", "UTC")["total"]["refused"] == 5


def test_of_one_campaign_only(busy: Site) -> None:
    told = busy.json("report", "--day", DAY, "--campaign", "shadow")
    assert (told["total"]["allowed"], told["total"]["would"]) == (0, 2)


def test_text_tells_what_enforcing_would_change(busy: Site) -> None:
    out = busy.out("report", "--day", DAY, "--zone", "Europe/Paris")
    assert "4 allowed (0 known to be answered), 3 refused (2 numbers, 33.3 %" in out
    assert "2 let go against a refusal (1 number): enforcing every rule would take away" in out
    assert "shadow          2       100.0 %       consent 1, frequency 1" in out
    assert "never judged, list staff: 1 call" in out


def test_csv_has_a_row_an_hour_and_campaign(busy: Site) -> None:
    rows = list(csv.DictReader(io.StringIO(busy.out("report", "--day", DAY, "--csv"))))
    assert [(row["from"], row["campaign"]) for row in rows][:2] == [
        ("2026-11-10T09:00:00+00:00", "paris"),
        ("2026-11-10T09:00:00+00:00", "shadow"),
    ]
    assert (rows[0]["refused_hours"], rows[1]["would_consent"]) == ("2", "1")


def test_csv_is_safe_in_a_spreadsheet(busy: Site) -> None:
    with busy.writing() as conn:
        refusals.record(conn, refuse(Rule.CAMPAIGN, campaign="=cmd|' /C calc'!A0"))
    rows = list(csv.DictReader(io.StringIO(busy.out("report", "--day", DAY, "--csv"))))
    assert rows[0]["campaign"] == "'=cmd|' /C calc'!A0"


def test_every_refusal_has_its_column(busy: Site) -> None:
    with busy.writing() as conn:
        for rule in Rule:
            refusals.record(conn, refuse(rule, campaign="every", door=Door.GATEWAY))
    rows = list(csv.DictReader(io.StringIO(busy.out("report", "--day", DAY, "--csv"))))
    [every] = [row for row in rows if row["campaign"] == "every"]
    assert every["refused"] == str(len(Rule))
    assert {rule: every[f"refused_{rule.value}"] for rule in Rule} == dict.fromkeys(Rule, "1")


class Page(html.parser.HTMLParser):
    """The tags of a page, what they point at, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_beside_itself_and_escapes_what_peers_said(busy: Site) -> None:
    file = busy.folder / "day.html"
    busy.run("report", "--day", DAY, "--html", file)
    page = Page(file.read_text())
    assert not page.links
    assert not {"script", "link", "img", "iframe", "b>agent"} & set(page.tags)
    assert "url(" not in file.read_text()
    assert "<b>agent</b>" in page.text
    assert "&lt;b&gt;agent&lt;/b&gt;" in file.read_text()
    assert "What enforcing would change" in page.text
    # The hour from nine on: allowed, let go, refused, bypassed; and the hour behind it.
    assert page.tags.count("rect") == 5


def test_of_an_empty_ledger_there_is_a_page_too(site: Site) -> None:
    file = site.folder / "day.html"
    site.run("report", "--html", file)
    assert "No call was asked about" in file.read_text()
    assert "no call was asked about" in site.out("report")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--day", DAY, "--month", "2026-11"), "one of --day, --month"),
        (("--month", "2026-13"), "no month; one is 2026-11"),
        (("--until", DAY), "--until needs a --since"),
        (("--since", DAY, "--until", "2026-11-09"), "lies before"),
        (("--zone", "Paris"), "no time zone; one is named like Europe/Paris"),
        (("--csv", "--html", "x.html"), "one of --csv, --html and --json"),
        (("--html", "no/such/folder.html"), "cannot be written: No such file or directory"),
        (("--day", "yesterday"), "--day"),
        (("--day", "0001-01-01", "--zone", "Asia/Kolkata"), "nothing is on record of then"),
        (("--month", "0001-01", "--zone", "Asia/Kolkata"), "no month; one is 2026-11"),
        (("--until", "9999-12-31", "--since", DAY), "nothing is on record of then"),
    ],
)
def test_what_cannot_be_meant_is_refused(site: Site, arguments: tuple[str, ...], told: str) -> None:
    assert told in site.err("report", *arguments)
