"""Our AMI user, and who else may talk to Asterisk's manager interface, and from where.

Owns which rights let somebody have Asterisk call. What we need ourselves is `wire.console`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dialwarden.doctor.finding import Item, failure, note, ok, unknown, warning
from dialwarden.doctor.snapshot import Asterisk, ManagerUser, Missing, Snapshot
from dialwarden.settings.manager import is_loopback
from dialwarden.wire.console import needed_rights

# Any of these lets its user have Asterisk call: Originate is registered under originate; the
# console's is run under command, and a line is added to the dialplan under system.
_MAY_CALL = ("all", "originate", "command", "system")
# Redirect and the transfers send a call that is up elsewhere; UpdateConfig writes files.
_MAY_SEND = ("call", "config")
_CANNOT_SEE = "not known"


def with_asterisk(
    check: Callable[[Snapshot, Asterisk], Iterator[Item]],
) -> Callable[[Snapshot], Iterator[Item]]:
    """A check that needs an Asterisk to look at; without one it says so."""

    def examine(seen: Snapshot) -> Iterator[Item]:
        if isinstance(seen.asterisk, Missing):
            yield unseen(seen.asterisk)
        else:
            yield from check(seen, seen.asterisk)

    examine.__doc__ = check.__doc__
    return examine


def unseen(missing: Missing) -> Item:
    return unknown(f"{_CANNOT_SEE}: {missing.why}", missing.do)


def login(seen: Snapshot) -> Iterator[Item]:
    """ami: our own login."""
    ami = seen.config.ami
    if ami is None:
        yield note("no [ami]: no gateway and no guard", "docs/guard.md says what they are for")
    elif isinstance(seen.ami, Missing):
        yield failure(f"[ami] {ami.address}, user {ami.username}: {seen.ami.why}", seen.ami.do)
    else:
        yield ok(f"{ami.username} at {ami.address}")


@with_asterisk
def rights(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """ami.rights: what our user lacks, and what it has too much."""
    ami = seen.config.ami
    if ami is None:
        yield note("no [ami]")
        return
    if isinstance(asterisk.users, Missing):
        yield unseen(asterisk.users)
        return
    found = [user for user in asterisk.users if user.name.lower() == ami.username.lower()]
    if not found:
        yield unknown(f"user {ami.username} is not shown", f"manager show user {ami.username}")
        return
    (user,) = found[:1]
    which_are = (("read", user.read), ("write", user.write))
    good = True
    for which, classes in which_are:
        missing, spare = needed_rights(which, classes)
        if missing:
            good = False
            yield failure(
                f"{user.name} lacks {which} = {','.join(missing)}",
                "add it in manager.conf, manager reload, and restart dialwarden: rights are fixed "
                "at the login",
                which,
            )
        if spare:
            good = False
            yield note(
                f"{user.name} has more than it needs: {which} = {','.join(spare)}",
                "take it out of manager.conf: config/asterisk/manager_dialwarden.conf",
                which,
            )
    if good:
        yield ok("what it needs, and no more")


@with_asterisk
def bound(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """ami.bind: who can reach it at all."""
    manager = asterisk.manager
    if isinstance(manager, Missing):
        yield unseen(manager)
        return
    host = manager.tcp.rpartition(":")[0].strip("[]")
    if manager.tcp and not is_loopback(host):
        yield warning(
            f"Asterisk's AMI listens on {manager.tcp}, without TLS: passwords and callees' "
            "numbers cross the network in clear, and dialers reach it past the gateway",
            "bindaddr = 127.0.0.1 in [general] of manager.conf, then manager reload",
        )
    else:
        yield ok(f"{manager.tcp or 'TLS only'}")


@with_asterisk
def users(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """ami.users: who may have Asterisk call without passing the gateway."""
    if isinstance(asterisk.users, Missing):
        yield unseen(asterisk.users)
        return
    ours = seen.config.ami.username.lower() if seen.config.ami else ""
    dialers = {name.lower() for name in seen.config.gateway.campaigns}
    found = 0
    for user in asterisk.users:
        classes = [one for one in _MAY_CALL if one in user.write]
        classes = ["all"] if "all" in classes else classes
        if user.name.lower() == ours:
            continue
        if not classes:
            if sends := [one for one in _MAY_SEND if one in user.write]:
                found += 1
                yield note(
                    f"{user.name} (write = {','.join(sends)}) may transfer calls, or write "
                    "Asterisk's files; the guard sees what is dialled then",
                    about=user.name,
                )
            continue
        found += 1
        yield _may_call(user, classes, through_gateway=user.name.lower() in dialers)
    if not found:
        yield ok("nobody but dialwarden may have Asterisk call")


def _may_call(user: ManagerUser, classes: list[str], *, through_gateway: bool) -> Item:
    may = f"write = {','.join(classes)}"
    if through_gateway and user.has_acl:
        return note(
            f"{user.name} ({may}) is a dialer of [gateway.campaigns], with an ACL",
            "see that its permit lets the gateway's address alone in",
            user.name,
        )
    if through_gateway:
        return warning(
            f"{user.name} ({may}) is a dialer of [gateway.campaigns], and may log in to Asterisk "
            "itself too",
            f"deny = 0.0.0.0/0.0.0.0 and a permit for the gateway's address in [{user.name}] of "
            f"manager.conf; or accept it: ami.users:{user.name}",
            user.name,
        )
    return warning(
        f"{user.name} ({may}) may have Asterisk call past the gateway; the guard sees it once it "
        "is dialled",
        f"point it at the gateway, {_take_away(classes)} in manager.conf; or accept it in "
        f"[doctor]: ami.users:{user.name}",
        user.name,
    )


def _take_away(classes: list[str]) -> str:
    return f"or take {' and '.join(classes)} out of its write ="


@with_asterisk
def over_http(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """ami.http: AMI over Asterisk's web server, which no gateway stands in front of."""
    manager, http = asterisk.manager, asterisk.http
    if isinstance(manager, Missing):
        yield unseen(manager)
    elif not manager.web:
        yield ok("not offered")
    elif http is False:
        yield note("webenabled = yes, but Asterisk's HTTP server does not run")
    else:
        yield warning(
            "AMI over HTTP is offered: an Originate by /rawman or /mxml never meets the gateway",
            "webenabled = no in [general] of manager.conf, then manager reload",
        )


@with_asterisk
def ari(seen: Snapshot, asterisk: Asterisk) -> Iterator[Item]:
    """ari: applications that may call; the guard alone sees them."""
    if isinstance(asterisk.ari_users, Missing):
        yield unseen(asterisk.ari_users)
        return
    writers = [user.name for user in asterisk.ari_users if not user.read_only]
    for name in writers:
        yield warning(
            f"ARI user {name} may originate; only the guard sees what it dials",
            "read_only = yes in ari.conf; or have it dial Local/NUMBER@ a context that asks, and "
            f"accept it in [doctor]: ari:{name}",
            name,
        )
    if not writers:
        yield ok("nobody may originate by ARI")


def secret(seen: Snapshot) -> Iterator[Item]:
    """ami.secret: secrets that everybody knows, our own and those in manager.conf."""
    if seen.secret:
        yield failure(
            f"the secret of [ami] {seen.secret}",
            "write a new one into both places: openssl rand -hex 24",
        )
    weak = seen.host.weak_users
    if isinstance(weak, Missing):
        yield unseen(weak)
    else:
        for name in weak:
            yield failure(
                f"AMI user {name} has a secret that everybody knows",
                f"change it in [{name}] of manager.conf and where its program is configured",
                name,
            )
    if not seen.secret and not weak:
        yield ok("none that everybody knows")
