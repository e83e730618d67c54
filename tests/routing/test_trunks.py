"""Which destinations, channels and texts are a trunk's, and what number they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.routing.trunks import Reach, Trunks, compile_trunks


@dataclass(frozen=True)
class Settings:
    name: str
    channel: str
    dial: tuple[str, ...]
    strip: str = ""


def trunks(*settings: Settings) -> Trunks:
    return compile_trunks({entry.name: entry for entry in settings})


CARRIER = Settings(
    "carrier", "PJSIP/carrier", ("PJSIP/{number}@carrier", "PJSIP/carrier/sip:{number}@{rest}"), "9"
)
ISDN = Settings("isdn", "DAHDI/i1", ("DAHDI/g1/{number}",))
OLD = Settings("old", "SIP/old.carrier", ("SIP/old.carrier/{number}",))
IAX = Settings("iax", "IAX2/far-away", ("IAX2/far-away/{number}",))
OURS = trunks(CARRIER, ISDN, OLD, IAX)


def reached(trunks: Trunks, dialled: str) -> tuple[str, str, bool] | None:
    technology, _, resource = dialled.partition("/")
    reach = trunks.reach(technology, resource)
    return reach and (reach.trunk, reach.number, reach.optional)


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("PJSIP/0612@carrier", ("carrier", "0612", False)),
        ("pjsip/0612@CARRIER", ("carrier", "0612", False)),
        (" PJSIP /0612@carrier", ("carrier", "0612", False)),
        ("PJSIP/carrier/sip:0612@1.2.3.4", ("carrier", "0612", False)),
        ("PJSIP/carrier/sip:%30612@1.2.3.4", ("carrier", "0612", False)),
        ("PJSIP/0612@carrier/anything", ("carrier", "0612", False)),
        ("PJSIP/90612@carrier", ("carrier", "90612", False)),  # strip is the reader's to apply
        ("PJSIP/0612[/]@carrier", ("carrier", "0612[/]", False)),
        # The carrier's AOR through another endpoint: the request is the carrier's to route.
        ("PJSIP/0612@1001/carrier", ("carrier", "0612", False)),
        ("DAHDI/g1/0612", ("isdn", "0612", False)),
        ("DAHDI/i1/0612", ("isdn", "0612", False)),
        ("dahdi/R1/0612", ("isdn", "0612", False)),
        ("SIP/old.carrier/0612", ("old", "0612", False)),
        ("SIP/0612@OLD.carrier", ("old", "0612", False)),
        ("IAX2/me@far-away/0612", ("iax", "0612", False)),
        # Explicit addresses elsewhere: ours if that is a telephone number.
        ("PJSIP/1001/sip:0612@1.2.3.4", ("", "0612", True)),
        ("PJSIP/1001/SIPS:%30612@1.2.3.4", ("", "0612", True)),
        ("PJSIP/0612@1001/sip:1.2.3.4", ("", "0612", True)),
        ("PJSIP/%30612@1001/sip:1.2.3.4", ("", "0612", True)),
        ("PJSIP/1001/sip:x7gk2@10.0.0.7:5060;transport=ws", ("", "x7gk2", True)),
        ("SIP/0612@1.2.3.4", ("", "0612", True)),
        # Nobody's business.
        ("PJSIP/1001", None),
        ("PJSIP/0612@carrier-2", None),
        ("PJSIP/0612@my.carrier", None),
        ("PJSIP/0612@1001", None),
        ("PJSIP/carrier@1001", None),
        ("PJSIP/1001/sip:1001@10.0.0.7:5060", None),
        ("PJSIP/Bob/sip:bob@10.0.0.7;transport=tls", None),
        ("PJSIP/1001/sip:10.0.0.7", None),
        ("PJSIP/1001/other-aor", None),
        ("SIP/carrier/0612", None),
        ("SIP/1001", None),
        ("DAHDI/g11/0612", None),
        ("DAHDI/i12/0612", None),
        ("Local/0612@from-internal", None),
        ("Local/0612@carrier", None),
        ("/carrier", None),
        ("PJSIP", None),
    ],
)
def test_a_destination_is_ours_by_technology_and_endpoint(
    dialled: str, expected: tuple[str, str, bool] | None
) -> None:
    assert reached(OURS, dialled) == expected


@pytest.mark.parametrize(
    ("dialled", "trunk"),
    [
        ("PJSIP/carrier", "carrier"),
        ("PJSIP/carrier/aor", "carrier"),
        ("PJSIP/carrier/sip:1.2.3.4", "carrier"),
        ("PJSIP/0612@x@carrier", "carrier"),
        ("PJSIP/0613@carrier/sip:0612@1.2.3.4", "carrier"),
        ("PJSIP/carrier/sip:0612@x,sip:0613@y", "carrier"),
        ("PJSIP/1001/carrier", "carrier"),
        ("PJSIP/1001/sip:1@x,carrier", "carrier"),
        ("PJSIP/0612@car\rrier", "carrier"),
        ("PJSIP/0612\n@carrier", "carrier"),
        ("PJSIP/carrier/sip:06 12@x", "carrier"),
        ("DAHDI/i1", "isdn"),
        ("IAX2/0612@far-away", "iax"),
        # What PJSIP cannot dial, or would dial otherwise than it looks, elsewhere.
        ("PJSIP/1001/sip:0612@x,sip:0613@y", ""),
        ("PJSIP/0613@1001/sip:0612@1.2.3.4", ""),
        ("PJSIP/1001/sip:0612\r@1.2.3.4", ""),
        ("PJSIP/1001/sip:0612345678;rn=0899@1.2.3.4", ""),
        ("PJSIP/1001/sip:%2530612@1.2.3.4", ""),
        ("PJSIP/%2530612@1001/sip:1.2.3.4", ""),
        ("SIP/%2530612@1.2.3.4", ""),
    ],
)
def test_what_is_ours_and_cannot_be_read_says_why(dialled: str, trunk: str) -> None:
    technology, _, resource = dialled.partition("/")
    reach = OURS.reach(technology, resource)
    assert reach is not None
    assert (reach.trunk, reach.number, reach.optional) == (trunk, "", False)
    assert reach.why


def test_every_run_of_digits_is_given_once() -> None:
    reach = OURS.reach("PJSIP", "carrier/sip:%3112@10.0.10.5;x=112")
    assert reach is not None
    assert reach.digit_runs == ("112", "10", "0", "5")


@pytest.mark.parametrize(
    ("dial", "dialled", "number"),
    [
        # A carrier's prefix, or a suffix, is taken off wherever the number stands.
        (("PJSIP/1234{number}@carrier",), "PJSIP/12340612@carrier", "0612"),
        (("PJSIP/1234{number}@carrier",), "PJSIP/12340612@carrier/aor", "0612"),
        (("PJSIP/1234{number}@carrier",), "PJSIP/carrier/sip:%312340612@x", "0612"),
        (("PJSIP/ab{number}@carrier",), "PJSIP/AB0612@carrier", "0612"),
        (("PJSIP/{number}#@carrier",), "PJSIP/0612#@carrier", "0612"),
        (("PJSIP/carrier/sip:{number};user=phone@{rest}",), "PJSIP/0612@carrier", "0612"),
        # Without it, no template fits, and it is ours all the same.
        (("PJSIP/1234{number}@carrier",), "PJSIP/0612@carrier", "0612"),
        (("PJSIP/1234{number}@carrier",), "PJSIP/1234@carrier", "1234"),
        # The first of the same spelling, else the first.
        (("PJSIP/00{number}@carrier", "PJSIP/{number}@carrier"), "PJSIP/0033@carrier", "33"),
        (("PJSIP/{number}@carrier", "PJSIP/00{number}@carrier"), "PJSIP/0033@carrier", "0033"),
        (
            ("PJSIP/00{number}@carrier", "PJSIP/carrier/sip:{number}@{rest}"),
            "PJSIP/carrier/sip:0033@x",
            "0033",
        ),
        # Where a template says so, the number is where PJSIP has none.
        (("PJSIP/carrier/{number}",), "PJSIP/carrier/0612", "0612"),
        (("PJSIP/carrier/sip:pbx@h;to={number}",), "PJSIP/carrier/sip:pbx@h;to=0612", "0612"),
        # Two readings are none.
        (("PJSIP/{number};{rest}@carrier",), "PJSIP/0612;a@carrier", "0612"),
        (("PJSIP/{number};{rest}@carrier",), "PJSIP/0612;a;b@carrier", ""),
        (("PJSIP/{rest}{number}@carrier",), "PJSIP/0612@carrier", ""),
    ],
)
def test_a_template_says_what_stands_around_the_number(
    dial: tuple[str, ...], dialled: str, number: str
) -> None:
    reach = reached(trunks(Settings("carrier", "PJSIP/carrier", dial)), dialled)
    assert reach == ("carrier", number, False)


def test_a_template_of_local_is_ours_if_it_leads_to_a_number() -> None:
    dialers = trunks(
        Settings("a", "PJSIP/a", ("PJSIP/{number}@a", "Local/9{number}@default")),
        Settings("b", "PJSIP/b", ("Local/{number}@from-internal",)),
    )
    assert reached(dialers, "Local/90612@default/n") == ("a", "0612", True)
    assert reached(dialers, "local/90612") == ("a", "0612", True)
    assert reached(dialers, "Local/0612@FROM-internal") == ("b", "0612", True)
    assert reached(dialers, "Local/8368@default") is None
    assert reached(dialers, "Local/0612@elsewhere") is None


def test_the_first_trunk_whose_template_fits_has_a_shared_endpoint() -> None:
    spans = trunks(
        Settings("one", "DAHDI/i1", ("DAHDI/g1/11{number}",)),
        Settings("two", "DAHDI/i2", ("DAHDI/g1/22{number}",)),
    )
    assert reached(spans, "DAHDI/g1/220612") == ("two", "0612", False)
    assert reached(spans, "DAHDI/g1/330612") == ("one", "330612", False)
    leg = spans.leg("DAHDI/i2/330612-1", "g1/330612")
    assert leg is not None
    assert (leg.trunk, leg.number) == ("two", "330612")


def test_a_trunk_may_be_named_with_a_domain() -> None:
    multi = trunks(Settings("m", "PJSIP/m@example.org", ("PJSIP/{number}@m@example.org",)))
    assert reached(multi, "PJSIP/0612@m@example.org") == ("m", "0612", False)
    assert reached(multi, "PJSIP/m@example.org") == ("m", "", False)
    assert reached(multi, "PJSIP/0612@example.org") is None


@pytest.mark.parametrize(
    ("channel", "trunk"),
    [
        ("PJSIP/carrier-0000000a", "carrier"),
        ("pjsip/Carrier-0000000A", "carrier"),
        ("PJSIP/carrier-10000000f", "carrier"),
        ("PJSIP/carrier-0000000a<ZOMBIE>", "carrier"),
        ("PJSIP/carrier", "carrier"),
        ("SIP/old.carrier-0000001f", "old"),
        ("DAHDI/i1/0612-1", "isdn"),
        ("DAHDI/i1/06-12-1f", "isdn"),
        ("IAX2/far-away-1234", "iax"),
        ("PJSIP/carrier-2-0000000a", ""),
        ("PJSIP/carrier-2", ""),
        ("PJSIP/my-carrier-0000000a", ""),
        ("SIP/carrier-0000001f", ""),
        ("DAHDI/i11/0612-1", ""),
        ("DAHDI/1-1", ""),
        ("IAX2/far-1234", ""),
        ("Local/0612@carrier-00000001;2", ""),
        ("carrier", ""),
        ("", ""),
    ],
)
def test_a_channel_is_ours_by_its_name_without_the_counter(channel: str, trunk: str) -> None:
    route = OURS.of_channel(channel)
    assert (route.name if route else "") == trunk


def test_an_analogue_line_is_named_by_its_channel() -> None:
    line = trunks(Settings("line", "DAHDI/1", ("DAHDI/1/{number}",)))
    route = line.of_channel("DAHDI/1-1")
    assert route is not None
    assert route.name == "line"
    assert line.of_channel("DAHDI/11-1") is None
    assert reached(line, "DAHDI/1c/0612") == ("line", "0612", False)


def test_a_route_hands_on_what_its_trunk_strips() -> None:
    route = OURS.of_channel("PJSIP/carrier-00000001")
    assert route is not None
    assert (route.technology, route.endpoint, route.strip) == ("pjsip", "carrier", "9")


@pytest.mark.parametrize(
    ("channel", "dial_string", "expected"),
    [
        ("PJSIP/carrier-0000000a", "0612@carrier", ("carrier", "0612")),
        ("PJSIP/carrier-0000000a", "carrier/sip:0612@1.2.3.4", ("carrier", "0612")),
        ("PJSIP/carrier-0000000a", "PJSIP/0612@carrier", ("carrier", "0612")),  # a queue's
        ("PJSIP/carrier-0000000a", "0612@CARRIER", ("carrier", "0612")),
        ("PJSIP/carrier-0000000a", "carrier", ("carrier", "")),
        ("PJSIP/carrier-0000000a", "", ("carrier", "")),
        ("PJSIP/carrier-0000000a", "0612@another", ("carrier", "")),
        ("PJSIP/carrier-0000000a", "0612\n@carrier", ("carrier", "")),
        ("DAHDI/i1/0612-1", "g1/0612", ("isdn", "0612")),
        ("DAHDI/i1/0612-1", "17/0612", ("isdn", "0612")),
        ("DAHDI/i1/0612-1", "", ("isdn", "")),
        ("IAX2/far-away-1234", "far-away/0612", ("iax", "0612")),
        ("PJSIP/1001-0000000a", "1001/sip:0612@1.2.3.4", ("", "0612")),
        ("PJSIP/1001-0000000a", "0612@1001/carrier", ("carrier", "0612")),
        ("PJSIP/1001-0000000a", "1001", None),
        ("PJSIP/1001-0000000a", "1001/sip:1001@10.0.0.7", None),
        ("Local/0612@carrier-00000001;1", "0612@carrier", None),
        ("", "0612@carrier", None),
    ],
)
def test_a_leg_is_ours_by_its_channel(
    channel: str, dial_string: str, expected: tuple[str, str] | None
) -> None:
    leg = OURS.leg(channel, dial_string)
    assert (leg and (leg.trunk, leg.number)) == expected
    assert leg is None or bool(leg.why) is not bool(leg.number)


@pytest.mark.parametrize(
    "text",
    [
        "PJSIP/0612@carrier,30",
        "pjsip/0612@Carrier",
        "agi://x/dial?to=PJSIP%2F0612%40carrier",
        'PJSIP/0612@car"rier"',
        "PJSIP/0612@car\\rier",
        "0612,PJSIP / carrier/sip:0612@x",
        "channel originate PJSIP/0612@carrier application Wait 60",
        "PJSIP/${NUMBER}@${TRUNK}",
        "0612@carrier and then PJSIP/",
        "PJSIP/1001/sip:0612@1.2.3.4",
        "SIP/0612@sip.example.org",
        "SIP/old.carrier/0612",
        "DAHDI/G01c/0612",
        "DAHDI/i1/0612",
        "IAX2/me@far-away/0612",
    ],
)
def test_text_that_may_name_a_trunk_is_found(text: str) -> None:
    assert OURS.named_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello-world",
        "PJSIP/1001,30",
        "PJSIP/0612@carrier-2",
        "PJSIP/0612@my-carrier",
        "call the carrier",
        "${EXTEN}",
        "SIP/1001&SIP/1002",
        "DAHDI/g11/0612",
        "Local/1001@from-internal",
        "sip:0612@1.2.3.4",
    ],
)
def test_text_that_names_none_is_left_alone(text: str) -> None:
    assert not OURS.named_in(text)


NUMBERS = st.from_regex(r"\+?[0-9][0-9.\-]{0,14}", fullmatch=True)
AFFIXES = st.from_regex(r"[0-9*#a-z]{0,4}", fullmatch=True)
HOSTS = st.sampled_from(["1.2.3.4", "[2001:db8::1]:5061", "sip.example.org;user=phone", "h"])
# The trunk's channel, and how a number is dialled through it; {affix} stands for what is in front.
SHAPES = st.sampled_from(
    [
        ("PJSIP/c-1.x", "PJSIP/{affix}{number}@c-1.x"),
        ("PJSIP/c-1.x", "PJSIP/c-1.x/sip:{affix}{number}@{rest}"),
        ("SIP/old", "SIP/old/{affix}{number}"),
        ("SIP/old", "SIP/{affix}{number}@old"),
        ("IAX2/far", "IAX2/far/{affix}{number}"),
        ("DAHDI/i1", "DAHDI/g1/{affix}{number}"),
        ("DAHDI/i1", "DAHDI/i1/{affix}{number}"),
        ("PJSIP/c", "Local/{affix}{number}@out"),
        ("Other/far", "Other/{affix}{number}@far"),
    ]
)


def swap(text: str) -> str:
    return text.swapcase()


@given(SHAPES, AFFIXES, NUMBERS, HOSTS)
def test_a_number_put_into_a_template_comes_out_again(
    shape: tuple[str, str], affix: str, number: str, host: str
) -> None:
    channel, template = shape[0], shape[1].replace("{affix}", affix)
    ours = trunks(Settings("ours", channel, (template,)))
    dialled = template.replace("{number}", number).replace("{rest}", host)
    for spelled in (dialled, swap(dialled)):
        reach = reached(ours, spelled)
        assert reach == ("ours", number, template.startswith("Local/"))


@given(NUMBERS, HOSTS)
def test_percent_encoding_hides_nothing(number: str, host: str) -> None:
    encoded = "".join(f"%{ord(char):02x}" for char in number)
    assert reached(OURS, f"PJSIP/carrier/sip:{encoded}@{host}") == ("carrier", number, False)
    assert reached(OURS, f"PJSIP/alice/sip:{quote(number)}@{host}") == ("", number, True)


JUNK = st.one_of(
    st.text(max_size=60),
    st.text('carie/PJSIPsip:@0612;,&%<>"\\()[]{}$!.-+ \r\n\x00', max_size=60),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")),
)


@given(st.sampled_from(["PJSIP", "SIP", "DAHDI", "IAX2", "Local", "x", ""]), JUNK)
def test_junk_is_judged_and_never_raises(technology: str, junk: str) -> None:
    for reach in (
        OURS.reach(technology, junk),
        OURS.leg(f"{technology}/carrier-00000001", junk),
        OURS.leg(junk, junk),
    ):
        assert reach is None or isinstance(reach, Reach)
        # Either a number or why there is none; what has none is never somebody else's to ignore.
        assert reach is None or bool(reach.number) is not bool(reach.why)
        assert reach is None or reach.number or not reach.optional
    OURS.of_channel(junk)
    OURS.named_in(junk)


@given(JUNK, JUNK)
def test_whatever_is_dialled_through_a_trunk_is_ours(user: str, location: str) -> None:
    """An endpoint of ours behind the @, and nothing in front that could make it another."""
    plain = "".join(char for char in user if char not in '@/"\\()[]')
    reach = OURS.reach("PJSIP", f"{plain}@carrier/{location}")
    assert reach is not None
    assert reach.trunk == "carrier"


@given(JUNK)
def test_what_is_ours_is_named_in_its_own_text(junk: str) -> None:
    reach = OURS.reach("PJSIP", junk)
    assert reach is None or OURS.named_in(f"PJSIP/{junk}")


def test_without_trunks_only_explicit_addresses_are_anybodys_business() -> None:
    none = compile_trunks({})
    assert none.reach("PJSIP", "0612@carrier") is None
    assert reached(none, "PJSIP/1001/sip:0612@1.2.3.4") == ("", "0612", True)
    assert none.of_channel("PJSIP/carrier-00000001") is None
    assert not none.named_in("PJSIP/0612@carrier")
