"""Destinations, technology by technology, as Asterisk's channel drivers read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialwarden.routing.dial_string import (
    Spelling,
    endpoint_key,
    read_destination,
    split_destinations,
)
from dialwarden.routing.sip_uri import UriUser, uri_user

KNOWN = {"carrier", "multi@example.org"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("PJSIP/0612@carrier", (("PJSIP", "0612@carrier"),)),
        (
            "PJSIP/0612@carrier&Local/1@x/n",
            (("PJSIP", "0612@carrier"), ("Local", "1@x/n")),
        ),
        (" pjsip/1001 & & SIP/a ", (("pjsip", "1001"), ("SIP", "a"))),
        ("PJSIP", (("", "PJSIP"),)),
        ("PJSIP /0612@carrier", (("PJSIP", "0612@carrier"),)),
        ("PJSIP/a/sip:1@x&sip:2@y", (("PJSIP", "a/sip:1@x"), ("", "sip:2@y"))),
        ("/1001", (("", "1001"),)),
    ],
)
def test_dial_takes_its_first_argument_apart_at_ampersands(
    text: str, expected: tuple[tuple[str, str], ...]
) -> None:
    assert split_destinations(text) == expected


@pytest.mark.parametrize(
    ("resource", "endpoint", "number"),
    [
        ("0612@carrier", "carrier", "0612"),
        ("0612@CARRIER", "carrier", "0612"),
        ("0612@ carrier ", "carrier", "0612"),
        ("+33 6 12@carrier", "carrier", "+33 6 12"),
        ("0612@carrier/", "carrier", "0612"),
        ("0612@carrier/some-aor", "carrier", "0612"),
        ("%30612@carrier", "carrier", "0612"),  # sent as it is, and decoded by the peer
        ("0612;ext=1@carrier", "carrier", "0612;ext=1"),
        # A URI lends its host; the user before the endpoint replaces its own.
        ("0612@carrier/sip:10.0.0.1:5060", "carrier", "0612"),
        ("0612@carrier/sip:proxy@10.0.0.1", "carrier", "0612"),
        ("0612@carrier/sip:0612@10.0.0.1", "carrier", "0612"),
        # Quotes and a backslash go, what they protect stays; brackets protect and stay.
        ('"0612"@carrier', "carrier", "0612"),
        ("06\\12@carrier", "carrier", "0612"),
        ("0612[/]@carrier", "carrier", "0612[/]"),
        ("0612(/)@carrier", "carrier", "0612(/)"),
        ('0612"/"@carrier', "carrier", "0612/"),
        ("0612\\/@carrier", "carrier", "0612/"),
        # An endpoint of the whole name comes first.
        ("0612@multi@example.org", "multi@example.org", "0612"),
    ],
)
def test_pjsip_dials_the_user_before_the_endpoint(
    resource: str, endpoint: str, number: str
) -> None:
    destination = read_destination("PJSIP", resource, KNOWN)
    assert (destination.endpoints[0], destination.number) == (endpoint, number)
    assert (destination.spelling, destination.why) == (Spelling.USER, "")


@pytest.mark.parametrize(
    ("resource", "number"),
    [
        ("carrier/sip:0612@1.2.3.4", "0612"),
        ("carrier/SIPS:0612@[2001:db8::1]:5061", "0612"),
        ("Carrier/<sip:0612@1.2.3.4>", "0612"),
        ("carrier/sip:%30%36%31%32@1.2.3.4", "0612"),
        ("carrier/sip:0612:secret@1.2.3.4", "0612"),
        ("carrier/sip:0612@1.2.3.4;user=phone?X-Id=1", "0612"),
        ("carrier/sip:+33612;ext=1@1.2.3.4", "+33612;ext=1"),
        ("carrier/sip:0612/1@1.2.3.4", "0612/1"),
        ("@carrier/sip:0612@1.2.3.4", "0612"),
        ("carrier/tel:+33612", "+33612"),
        ("carrier/tel:+33612;ext=1", "+33612;ext=1"),
        ("multi@example.org/sip:0612@1.2.3.4", "0612"),
    ],
)
def test_pjsip_dials_the_user_of_a_uri(resource: str, number: str) -> None:
    destination = read_destination("PJSIP", resource, KNOWN)
    assert (destination.number, destination.why) == (number, "")
    assert destination.spelling is Spelling.URI
    assert destination.explicit


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ("carrier", "it names no number, the contact of an AOR is dialled"),
        ("carrier/", "it names no number, the contact of an AOR is dialled"),
        ("@carrier", "it names no number, the contact of an AOR is dialled"),
        ("carrier/0612", "it names no number, the contact of an AOR is dialled"),
        ("carrier/sip:1.2.3.4", "its SIP URI names no number"),
        ("carrier/sip:@1.2.3.4", "its SIP URI names no number"),
        ("0612@x@carrier", "it holds several @"),
        ("0613@carrier/sip:0612@1.2.3.4", "it names two different numbers"),
        ("carrier/sip:112@x,sip:0612@y", "its SIP URI holds a comma"),
        ("carrier/sip:112@x,some-aor", "its SIP URI holds a comma"),
        ("carrier/sip:112@x@0612", "its SIP URI holds several @"),
        ("carrier/sip:06 12@x", "its SIP URI's user holds a character that none may"),
        ("carrier/sip:06%zz@x", "its SIP URI's user holds a character that none may"),
        ("carrier/sip:06%00@x", "its user holds a control character"),
        ("carrier/sip:%2530612@x", "its user cannot be decoded"),  # leaves as %30612
        ("%2530612@carrier", "its user cannot be decoded"),
        ("06%0a12@carrier", "its user holds a control character"),
        ("06%zz@carrier/sip:0612@x", "its user cannot be decoded"),
        ('carrier/"A" <sip:0612@x>', "its SIP URI cannot be read"),
    ],
)
def test_what_pjsip_might_read_otherwise_is_no_number(resource: str, why: str) -> None:
    destination = read_destination("pjsip", resource, KNOWN)
    assert destination.endpoints[0] == "carrier"
    assert (destination.number, destination.why) == ("", why)


def test_pjsip_looks_a_location_up_as_a_list_of_aors() -> None:
    destination = read_destination("PJSIP", "0612@phone/other, Carrier", KNOWN)
    assert destination.endpoints == ("phone", "other", "carrier")
    assert destination.number == "0612"


@pytest.mark.parametrize(
    ("technology", "resource", "endpoints", "number"),
    [
        ("SIP", "carrier/0612", ("carrier",), "0612"),
        ("sip", "0612@Carrier", ("carrier",), "0612"),
        ("SIP", "0612:secret:md5@carrier:5060", ("carrier",), "0612"),
        ("SIP", "0612@carrier/0613", ("carrier",), "0612"),  # "Conflicting extension values"
        ("SIP", "carrier/0612/10.0.0.1", ("carrier",), "0612"),
        ("SIP", "carrier/0612!!me@home", ("carrier",), "0612"),
        ("SIP", "carrier/0612!0612@x", ("carrier",), "0612"),
        ("SIP", "carrier", ("carrier",), ""),
        ("SIP", "carrier/0612!0613@x", ("carrier",), ""),
        ("IAX2", "carrier/0612", ("carrier",), "0612"),
        ("IAX2", "me:secret@carrier:4569/0612@ctx/a", ("carrier",), "0612"),
        ("IAX2", "0612@carrier", ("carrier",), ""),  # a user; extension s is dialled
        ("DAHDI", "g1/0612", ("g1",), "0612"),
        ("DAHDI", "R01c/0612/opts", ("g1",), "0612"),
        ("DAHDI", "r1r2/0612", ("g1",), "0612"),
        ("DAHDI", "i1/0612", ("i1",), "0612"),
        ("DAHDI", "i1-G2/0612", ("i1", "g2"), "0612"),
        ("DAHDI", "17c/0612", ("17",), "0612"),
        ("DAHDI", "17", ("17",), ""),
        ("Local", "0612@From-Internal", ("from-internal",), "0612"),
        ("Local", "0612@from-internal/nj", ("from-internal",), "0612"),
        ("Local", "0612/n", ("default",), "0612"),
        ("Other", "carrier/0612", ("carrier",), "0612"),
        ("Other", "0612@carrier", ("carrier",), "0612"),
        ("Other", "0612@carrier/0613", ("carrier",), ""),
        ("Other", "carrier", ("carrier",), ""),
    ],
)
def test_other_technologies(
    technology: str, resource: str, endpoints: tuple[str, ...], number: str
) -> None:
    destination = read_destination(technology, resource, KNOWN)
    assert (destination.endpoints, destination.number) == (endpoints, number)
    assert bool(destination.why) is not bool(number)


@pytest.mark.parametrize(
    ("resource", "explicit"),
    [
        ("0612@1.2.3.4", True),
        ("0612@sip.example.org", True),
        ("1.2.3.4/0612", True),
        ("0612@peer:5070", True),
        ("0612@peer", False),
        ("%2530612@1.2.3.4", True),
        ("1.2.3.4", False),
    ],
)
def test_a_sip_address_is_spelled_out_by_its_host(resource: str, explicit: bool) -> None:
    assert read_destination("SIP", resource, KNOWN).explicit is explicit


@pytest.mark.parametrize(
    ("technology", "endpoint", "key"),
    [
        ("PJSIP", " Carrier-2.Paris ", "carrier-2.paris"),
        ("DAHDI", "G1", "g1"),
        ("DAHDI", "r01", "g1"),
        ("DAHDI", "i01", "i1"),
        ("DAHDI", "1", "1"),
        ("DAHDI", "pseudo", "pseudo"),
        ("IAX2", "G1", "g1"),
    ],
)
def test_endpoints_are_compared_by_their_key(technology: str, endpoint: str, key: str) -> None:
    assert endpoint_key(technology, endpoint) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("some-aor", None),
        ("", None),
        ("0612@1.2.3.4", None),
        ("sip:0612@x", UriUser("0612")),
        ("sip:x;a=0612@y", UriUser("x;a=0612")),
        ("sip:x", UriUser("")),
    ],
)
def test_a_location_is_a_uri_by_its_scheme(text: str, expected: UriUser | None) -> None:
    assert uri_user(text) == expected


TECHNOLOGIES = st.sampled_from(["PJSIP", "SIP", "IAX2", "DAHDI", "Local", "Other", ""])


@given(TECHNOLOGIES, st.text('carie0612@/:;,%&<>"\\()[]!.+- \x00sipg', max_size=40))
def test_junk_is_read_or_not_but_never_raises(technology: str, resource: str) -> None:
    destination = read_destination(technology, resource, KNOWN)
    assert not (destination.number and destination.why)
    assert destination == read_destination(technology, resource, KNOWN)


@given(TECHNOLOGIES, st.text('caRIE0612@/:;,"\\()[]!.+-', max_size=40))
def test_case_never_matters_to_the_endpoint(technology: str, resource: str) -> None:
    lower = read_destination(technology, resource.lower(), KNOWN)
    upper = read_destination(technology, resource.upper(), KNOWN)
    assert (lower.endpoints, lower.number) == (upper.endpoints, upper.number.lower())


@given(st.lists(st.tuples(st.sampled_from(["PJSIP", "Local"]), st.text("ab/@", min_size=1))))
def test_destinations_joined_come_apart_again(parts: list[tuple[str, str]]) -> None:
    joined = "&".join(f"{technology}/{resource}" for technology, resource in parts)
    assert split_destinations(joined) == tuple(parts)
