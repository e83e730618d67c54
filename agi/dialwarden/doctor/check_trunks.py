"""The ways out: does Asterisk have ours, and do we know all of its?

Owns what is told of endpoints, call files among them. What makes an endpoint look like a way out is
`console_text`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from dialwarden.doctor.check_dialplan import reader_of
from dialwarden.doctor.check_manager import unseen, with_asterisk
from dialwarden.doctor.finding import Item, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import Asterisk, Endpoint, Missing, Snapshot
from dialwarden.routing.dial_form import compile_form
from dialwarden.routing.dial_string import endpoint_key, read_destination, split_destinations
from dialwarden.settings.sections import Trunk

_LISTED = frozenset({"PJSIP", "SIP", "IAX2"})  # whose endpoints Asterisk lists by name


@with_asterisk
def exist(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """trunks.exist: every [trunks] entry is a way that Asterisk has."""
    if not seen.config.trunks:
        yield note("no [trunks] are configured: the gateway and the guard hold no call for theirs")
        return
    good = 0
    for trunk in seen.config.trunks.values():
        technology, _, _ = trunk.channel.partition("/")
        item = _exists(trunk, technology.upper(), asterisk)
        good += item is None
        if item is not None:
            yield item
    if good == len(seen.config.trunks):
        yield ok(f"Asterisk has all {good}")


def _exists(trunk: Trunk, technology: str, asterisk: Asterisk) -> Item | None:
    technologies, endpoints = asterisk.technologies, asterisk.endpoints
    if isinstance(technologies, Missing):
        return unseen(technologies)
    if technologies and technology not in technologies:
        return failure(
            f"[trunks.{trunk.name}] channel = {trunk.channel}: Asterisk has no channel driver "
            f"{technology}: nothing is judged or guarded by this entry",
            f"correct it; core show channeltypes lists {', '.join(sorted(technologies))}",
            trunk.name,
        )
    if technology not in _LISTED:
        return None
    if isinstance(endpoints, Missing):
        return unseen(endpoints)
    if trunk.channel.lower() in {one.channel.lower() for one in endpoints}:
        return None
    return failure(
        f"[trunks.{trunk.name}] channel = {trunk.channel}: Asterisk has no such endpoint: nothing "
        "is judged or guarded by this entry",
        "correct it; pjsip show endpoints, sip show peers, iax2 show peers list those there are",
        trunk.name,
    )


@with_asterisk
def named(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """trunks.named: every way out that Asterisk has is a [trunks] entry."""
    endpoints = asterisk.endpoints
    if isinstance(endpoints, Missing):
        yield unseen(endpoints)
        return
    ours = {_key(trunk.channel) for trunk in seen.config.trunks.values()}
    strays = [one for one in endpoints if one.why_trunk and _key(one.channel) not in ours]
    for stray in strays:
        yield warning(
            f"{stray.channel} looks like a way out ({stray.why_trunk}), and no [trunks] entry "
            "names it: calls by it are not seen",
            f'[trunks.NAME] channel = "{stray.channel}"; or, if it is a telephone of yours, accept '
            f"it in [doctor]: trunks.named:{stray.channel}",
            stray.channel,
        )
    lines = _lines(asterisk)
    if lines and not any(key.startswith("dahdi/") for key in ours):
        yield warning(
            "DAHDI is loaded, and no [trunks] entry names a group of it",
            '[trunks.NAME] channel = "DAHDI/g1" (dahdi show channels); or accept '
            "trunks.named:DAHDI in [doctor]",
            "DAHDI",
        )
    elif not strays:
        yield ok("every way out that Asterisk lists is in [trunks]")


def _lines(asterisk: Asterisk) -> bool:
    return not isinstance(asterisk.technologies, Missing) and "DAHDI" in asterisk.technologies


def _key(channel: str) -> str:
    technology, _, endpoint = channel.partition("/")
    return f"{technology.lower()}/{endpoint_key(technology, endpoint)}"


@with_asterisk
def patterns(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """trunks.dial: each template is how something in the dialplan dials."""
    plan = asterisk.dialplan
    if isinstance(plan, Missing):
        yield unseen(plan)
        return
    dialled = list(reader_of(seen, asterisk, plan).dialled())
    destinations = {text for one in dialled for text in one.samples}
    hidden = any(one.dynamic for one in dialled)
    unused = [
        (trunk, template)
        for trunk in seen.config.trunks.values()
        for template in trunk.dial
        if not any(_fits(template, trunk, text) for text in destinations)
    ]
    for trunk, template in unused:
        yield note(
            f'[trunks.{trunk.name}] dial "{template}" fits nothing that the dialplan is seen to '
            "dial" + (", as far as it can be read" if hidden else ""),
            "right if a dialer sends it over AMI; else write how the dialplan dials",
            trunk.name,
        )
    if not unused:
        yield ok("every template is used") if seen.config.trunks else note("no [trunks]")


def _fits(template: str, trunk: Trunk, text: str) -> bool:
    technology, _, endpoint = trunk.channel.partition("/")
    known = {endpoint_key(technology, endpoint)}
    form = compile_form(template, known)
    for dialled, resource in split_destinations(text):
        if dialled.lower() != form.technology:
            continue
        destination = read_destination(form.technology, resource, known)
        if form.endpoint and form.endpoint not in destination.endpoints:
            continue
        if form.spelling is None:
            if form.number_in(resource):
                return True
        elif form.spelling is destination.spelling and form.number_in(destination.number):
            return True
    return False


@with_asterisk
def redirects(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """pjsip.redirect: endpoints that follow a 302 by themselves, unseen by anybody."""
    endpoints = asterisk.endpoints
    if isinstance(endpoints, Missing):
        yield unseen(endpoints)
        return
    found = [one for one in endpoints if one.redirect == "uri_pjsip"]
    for one in found:
        yield warning(
            f"{one.channel} has redirect_method = uri_pjsip: it follows a 302 by itself, and no "
            "event names the number that it calls then",
            f"redirect_method = user (the default) in [{_name(one)}] of pjsip.conf",
            one.channel,
        )
    blind = [one for one in endpoints if _is_pjsip(one) and not one.redirect]
    if blind:
        more = f" and {len(blind) - 1} more" if blind[1:] else ""
        yield unknown(
            f"redirect_method of {blind[0].channel}{more} is not told (Asterisk 16 never does)",
            "look for redirect_method = uri_pjsip in pjsip.conf and its includes; where there is "
            "none, accept it in [doctor]: pjsip.redirect:hidden",
            "hidden",
        )
    elif not found:
        yield ok("no endpoint follows a 302 by itself")


@with_asterisk
def refers(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """pjsip.refer: trunks whose far end may transfer calls through us."""
    endpoints = asterisk.endpoints
    if isinstance(endpoints, Missing):
        yield unseen(endpoints)
        return
    ours = {_key(trunk.channel) for trunk in seen.config.trunks.values()}
    trunks = [one for one in endpoints if one.why_trunk or _key(one.channel) in ours]
    found = [one for one in trunks if one.may_refer]
    for one in found:
        yield note(
            f"{one.channel} takes a REFER from its far end; what the carrier deflects by itself "
            "nobody here sees",
            f"allow_transfer = no in [{_name(one)}] of pjsip.conf, unless you need it",
            one.channel,
        )
    if not found:
        yield ok("no trunk takes a REFER")


def _is_pjsip(endpoint: Endpoint) -> bool:
    return endpoint.channel.upper().startswith("PJSIP/")


def _name(endpoint: Endpoint) -> str:
    return endpoint.channel.partition("/")[2]


@with_asterisk
def spool(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """spool: who may hand in call files."""
    folder = asterisk.spool
    if isinstance(folder, Missing):
        yield unseen(folder)
        return
    if folder is None:
        yield ok("call files are not read (pbx_spool is not loaded)")
        return
    fact = seen.host.files["spool"]
    if isinstance(fact, Missing):
        yield unknown(f"who may hand in call files is not known: {fact.why}", fact.do)
    elif fact.mode & 0o002:
        yield warning(
            f"anybody on this machine may hand in call files ({fact.path} has mode "
            f"{fact.mode:04o}); the guard alone sees those calls",
            f"chmod o-w {fact.path}",
        )
    else:
        yield note(
            f"{fact.owner} may hand in call files ({fact.path}, mode {fact.mode:04o}); the guard "
            "sees those calls",
            "noload = pbx_spool.so in modules.conf if nobody needs them",
        )
