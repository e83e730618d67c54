"""What is said of Asterisk's manager interface: `[ami]`, `[gateway]`, and who listens where.

Owns the secret's three places, the certificates beside the file, AMI users' names as Asterisk
compares them, and that no two doors want one port. Reads the secret's file; of certificates it
sees only whether they are there. Refuses to know what is spoken with Asterisk.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping, Sized
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from dialwarden.settings.forms import Address, Secret, read_section
from dialwarden.settings.reader import Table
from dialwarden.settings.sections import Ami, Gateway, Guard, GuardMode

# What means every address of this host.
_WILDCARDS = frozenset({"0.0.0.0", "::"})
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


def check_addresses(
    document: Table, *, ami: Address | None, agi: Address, gateway: Address, http: Address
) -> None:
    """Note each door that would listen where another does, or where Asterisk's AMI is.

    Doors whose section does not stand in the file are not looked at; the AGI's always is.
    """
    taken = {} if ami is None else {"[ami] address": ami}
    for name, address in (("agi", agi), ("gateway", gateway), ("http", http)):
        if name != "agi" and not document.has(name):
            continue
        for other, its in taken.items():
            elsewhere = its is ami and address.host in _WILDCARDS and not is_loopback(its.host)
            if _meet(address, its) and not elsewhere:
                document.table(name).problem(
                    "listen", f'found "{address}", which is {other} too; allowed: a port for each'
                )
        taken[f"[{name}] listen"] = address


def _meet(one: Address, other: Address) -> bool:
    """Whether both cannot be listened on by one host."""
    if one.port != other.port or not one.port:
        return False
    return _canonical(one.host) == _canonical(other.host) or any(
        address.host in _WILDCARDS for address in (one, other)
    )


def _canonical(host: str) -> str:
    return "127.0.0.1" if host.lower() == "localhost" else host.lower()


def is_loopback(host: str) -> bool:
    """Whether a host, as in `Address.host`, is reached from this machine only."""
    try:
        return ipaddress.ip_address(_canonical(host)).is_loopback
    except ValueError:
        return False


def ami_warnings(document: Table, gateway: Gateway, guard: Guard, trunks: Sized) -> Iterable[str]:
    """What is doubtful about the gateway and the guard, where there is an `[ami]`."""
    has_gateway = document.has("gateway")
    if not trunks and (has_gateway or guard.mode is not GuardMode.OFF):
        yield (
            "no [trunks] are configured: the gateway and the guard take no call for one of yours; "
            "name each way out in [trunks.NAME]"
        )
    if has_gateway and gateway.tls_cert is None and not is_loopback(gateway.listen.host):
        yield (
            f"[gateway] listens on {gateway.listen} without TLS: passwords and callees' numbers "
            "cross the network in clear; set tls_cert and tls_key, or listen on 127.0.0.1"
        )


def read_gateway(table: Table, folder: Path) -> Gateway:
    campaigns = table.mapping("campaigns")
    users = table.table("campaigns")
    for user, names in campaigns.items():
        if not names:
            users.problem(
                user, "found an empty array; allowed: campaigns, the first is the default"
            )
    _check_users(users, {user: user for user in campaigns})
    gateway = read_section(table, Gateway, campaigns=MappingProxyType(campaigns))
    _check_users(table, dict.fromkeys(gateway.dialplan_users, "dialplan"))
    for key, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if table.has(key) and not table.has(other):
            table.problem(key, f"found {key} without {other}; allowed: both or neither")
    return replace(
        gateway,
        tls_cert=_beside(table, "tls_cert", folder, gateway.tls_cert),
        tls_key=_beside(table, "tls_key", folder, gateway.tls_key),
    )


def _check_users(table: Table, users: Mapping[str, str]) -> None:
    """Note the AMI users, by the keys they stand under, that are one user to Asterisk."""
    spellings: dict[str, str] = {}
    for user, key in users.items():
        first = spellings.setdefault(user.lower(), user)
        if first != user:
            table.problem(
                key,
                f'found "{user}" beside "{first}"; allowed: one spelling, since Asterisk takes '
                "users that differ in case only for the same",
            )


def _beside(table: Table, key: str, folder: Path, path: Path | None) -> Path | None:
    """A file from the folder of the configuration; noted when it is not there."""
    if path is None:
        return None
    path = folder / path
    # Who may not look there may not serve either, and is told when the file is opened.
    with contextlib.suppress(PermissionError):
        if not path.is_file():
            table.problem(key, f"{path} is no file")
    return path


def read_ami(table: Table, folder: Path, env: Mapping[str, str]) -> Ami | None:
    if not table.given:
        return None
    ami = _read_ami_tls(table, folder, read_section(table, Ami))
    keys = [key for key in ("secret", "secret_file", "secret_env") if table.has(key)]
    if len(keys) != 1:
        found = " and ".join(keys) or "none"
        allowed = "exactly one of secret_file, secret_env and secret"
        table.problem("" if not keys else keys[-1], f"found {found}; allowed: {allowed}")
        return ami
    secret = ami.secret
    if ami.secret_env:
        secret = Secret(env.get(ami.secret_env, ""))
        if not secret:
            table.problem("secret_env", f"the environment variable {ami.secret_env} is not set")
    elif ami.secret_file:
        secret = _read_secret_file(table, _secret_file(folder, ami.secret_file, env))
    elif not secret:
        table.problem(keys[0], "found nothing; allowed: the secret of manager.conf")
    if not set("\r\n\0").isdisjoint(secret.reveal()):
        table.problem(keys[0], "the secret holds a line end; allowed: one line")
    return replace(ami, secret=secret)


def _read_ami_tls(table: Table, folder: Path, ami: Ami) -> Ami:
    if ami.ca and table.has("tls") and not ami.tls:
        table.problem("tls", "found false beside ca; allowed: true, or no ca")
    if ami.tls_name and not (ami.ca or ami.tls):
        table.problem("tls_name", "found tls_name without tls; allowed: with tls = true or a ca")
    ca = _beside(table, "ca", folder, ami.ca)
    return replace(ami, ca=ca, tls=ami.tls or ca is not None)


def _secret_file(folder: Path, named: Path, env: Mapping[str, str]) -> Path:
    """Where the secret is: among the credentials that systemd gave the service, or as it is named.

    A credential of the same name is meant for us: `LoadCredential=`, systemd.exec(5).
    """
    credentials = env.get(_CREDENTIALS, "")
    given = Path(credentials) / named.name
    return given if credentials and given.is_file() else folder / named


def _read_secret_file(table: Table, path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        table.problem("secret_file", f"{path} not read: {error.strerror}")
        return Secret("")
    except UnicodeDecodeError:
        table.problem("secret_file", f"{path} is no UTF-8 text; save it as UTF-8")
        return Secret("")
    if not text:
        table.problem("secret_file", f"{path} is empty; allowed: one line, the secret")
    return Secret(text)
