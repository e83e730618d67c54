"""What Asterisk's console prints, as values; the dialplan is `dialplan_text`'s.

Owns the columns of the commands named in each function, as Asterisk 16 and 22 print them. A
command that is not known there says so in its first line, which is None here: its module is not
loaded, and there is nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialwarden.doctor.snapshot import AriUser, Endpoint, Manager, ManagerUser
from dialwarden.wire.console import rights_of

_UNKNOWN_COMMAND = re.compile(r"\s*No such command")
_KEY = re.compile(r"^ *(?P<key>[A-Za-z][^:]*?): *(?P<value>.*?) *$", re.MULTILINE)
_PJSIP_LINE = re.compile(
    r"^ *(?P<kind>Endpoint|OutAuth|Aor|Contact|Identify): +(?P<name>[^<\s]\S*)(?P<rest>.*)$"
)
_PARAMETER = re.compile(r"^ (?P<name>\w+) +: (?P<value>.*?) *$", re.MULTILINE)
_SIP_PEER = re.compile(r"^(?P<name>[^\s/]+)(?:/\S*)? +(?P<host>\S+) +(?P<dynamic>D )?")
_IAX_PEER = re.compile(r"^(?P<name>[^\s/]+)(?:/\S*)? +(?P<host>\S+) +\((?P<kind>[SD])\)")
# Asterisk 22 has a column more than 16, whether there is an ACL.
_ARI_USER = re.compile(r"^(?P<read_only>Yes|No) +(?:(?:Yes|No) +)?(?P<name>\S+)$", re.MULTILINE)
_DIRECTORY = re.compile(r"^ *(?P<key>Spool|Configuration) directory: +(?P<path>/.*?) *$", re.M)
_VARIABLE = re.compile(r"^ +(?P<name>[^\s=]+)=(?P<value>.*)$", re.MULTILINE)
_SELFTEST = re.compile(r"^ *DIALWARDEN_SELFTEST=(?P<token>\d+) (?P<said>.*?) *$", re.MULTILINE)
_TYPE = re.compile(r"^(?P<name>[A-Za-z0-9_]+) {2,}\S.* (?:yes|no) +(?:yes|no)", re.MULTILINE)
_CONTEXT = re.compile(r"^ *Context +: *(?P<name>\S+) *$", re.MULTILINE)
_DISABLED = "Disabled"
# What each answer holds, even one that lists nothing: without it nobody knows what was read.
_MARKS = {
    "dialplan show": re.compile(r"\[ Context '|\bin \d+ contexts?\b"),
    "dialplan show globals": re.compile(r"\bvariable\(s\)"),
    "core show channeltypes": re.compile(r"channel drivers? registered"),
    "manager show settings": re.compile(r"^ *Manager \(AMI\):", re.MULTILINE),
    "manager show users": re.compile(r"manager users? configured|no manager users", re.IGNORECASE),
    "http show status": re.compile(r"^ *Server (?:Enabled|Disabled)", re.MULTILINE),
    "ari show users": re.compile(r"\bUsername\b"),
    "pjsip show endpoints": re.compile(r"^ *Endpoint: |No objects found", re.MULTILINE),
    "sip show peers": re.compile(r"\bsip peers\b"),
    "iax2 show peers": re.compile(r"\biax2 peers\b"),
}


def is_unknown(output: str) -> bool:
    """Whether the console knows no such command."""
    return _UNKNOWN_COMMAND.match(output) is not None


def is_answer(line: str, output: str) -> bool:
    """Whether that is what the line prints; any text is for a line of which no mark is known."""
    mark = _MARKS.get(line)
    return mark is None or mark.search(output) is not None


def context_of(output: str) -> str:
    """`sip show peer NAME`, `iax2 show peer NAME`: where its calls come in; "" for not told."""
    found = _CONTEXT.search(output)
    return found["name"] if found else ""


def version_of(output: str) -> str:
    """`core show version`: "22.10.1", or the whole line."""
    words = output.split()
    return words[1] if len(words) > 1 and words[0] == "Asterisk" else output.strip()


def manager_of(output: str) -> Manager:
    """`manager show settings`."""
    told = {found["key"]: found["value"] for found in _KEY.finditer(output)}
    return Manager(
        web=told.get("Web Manager (AMI/HTTP)") == "Yes",
        tcp=_listens(told.get("TCP Bindaddress", "")),
        tls=_listens(told.get("TLS Bindaddress", "")) if told.get("TLS Enable") == "Yes" else "",
    )


def _listens(address: str) -> str:
    return "" if address == _DISABLED else address


def users_of(output: str) -> tuple[str, ...]:
    """`manager show users`: the names between the two rules."""
    parts = re.split(r"^-{4,} *$", output, flags=re.MULTILINE)
    return (
        tuple(line.strip() for line in parts[1].splitlines() if line.strip()) if parts[1:] else ()
    )


def user_of(name: str, output: str) -> ManagerUser:
    """`manager show user NAME`."""
    rights = rights_of(output)
    nothing: frozenset[str] = frozenset()
    return ManagerUser(
        name, rights.get("read", nothing), rights.get("write", nothing),
        has_acl=re.search(r"^ *ACL: yes", output, re.MULTILINE) is not None,
    )  # fmt: skip


def http_runs(output: str) -> bool:
    """`http show status`."""
    return "Server Enabled" in output


def ari_users_of(output: str) -> tuple[AriUser, ...]:
    """`ari show users`."""
    return tuple(
        AriUser(found["name"], found["read_only"] == "Yes") for found in _ARI_USER.finditer(output)
    )


def technologies_of(output: str) -> frozenset[str]:
    """`core show channeltypes`, in capitals."""
    return frozenset(found["name"].upper() for found in _TYPE.finditer(output))


def pjsip_of(output: str) -> tuple[Endpoint, ...]:
    """`pjsip show endpoints`: with a fixed contact, a login or an address of its own, a way out."""
    found: list[tuple[str, list[str]]] = []
    fixed = False
    for line in output.splitlines():
        match = _PJSIP_LINE.match(line)
        if match is None:
            continue
        kind, name = match["kind"], match["name"]
        if kind == "Endpoint":
            found.append((name.partition("/")[0], []))
        elif found:
            reasons = found[-1][1]
            if kind == "Aor":
                fixed = match["rest"].split()[-1:] == ["0"]
            elif kind == "Contact" and fixed and not _of_telephone(found[-1][0], name):
                reasons.append("its contact is fixed")
            elif kind == "OutAuth":
                reasons.append("it logs in at the far end")
            elif kind == "Identify":
                reasons.append("it is known by its address")
    return tuple(
        Endpoint(f"PJSIP/{name}", " and ".join(dict.fromkeys(reasons))) for name, reasons in found
    )


def _of_telephone(endpoint: str, contact: str) -> bool:
    """Whether a contact, `2001/sip:2001@10.0.0.7`, is a telephone's: extension and user agree."""
    uri = contact.partition("/")[2]
    return endpoint.isdecimal() and uri.partition(":")[2].partition("@")[0] == endpoint


def parameters_of(output: str) -> dict[str, str]:
    """`pjsip show endpoint NAME`: its settings."""
    return {found["name"]: found["value"] for found in _PARAMETER.finditer(output)}


def sip_of(output: str) -> tuple[Endpoint, ...]:
    """`sip show peers`: a peer that does not register has a fixed address."""
    return tuple(
        Endpoint(f"SIP/{match['name']}", "" if match["dynamic"] else "its address is fixed")
        for match in _peers(_SIP_PEER, output)
    )


def iax_of(output: str) -> tuple[Endpoint, ...]:
    """`iax2 show peers`."""
    return tuple(
        Endpoint(f"IAX2/{match['name']}", "its address is fixed" if match["kind"] == "S" else "")
        for match in _peers(_IAX_PEER, output)
    )


def _peers(pattern: re.Pattern[str], output: str) -> Iterator[re.Match[str]]:
    for line in output.splitlines():
        if line.lower().startswith("name/username") or re.match(r"\d+ (sip|iax2) peers", line):
            continue
        if match := pattern.match(line):
            yield match


def directory_of(output: str, which: str) -> str:
    """`core show settings`: the `Spool` or `Configuration` directory; "" when it is not told."""
    found = {match["key"]: match["path"] for match in _DIRECTORY.finditer(output)}
    return found.get(which, "")


def is_running(module: str, output: str) -> bool:
    """`module show like NAME`."""
    return re.search(rf"^{module}\.so .*\bRunning\b", output, re.MULTILINE) is not None


def variables_of(output: str) -> dict[str, str]:
    """`dialplan show globals`."""
    return {found["name"]: found["value"] for found in _VARIABLE.finditer(output)}


def selftest_of(token: str, output: str) -> str:
    """`dialplan show globals`: what the self-test of that token left; "" for nothing yet."""
    found = {match["token"]: match["said"] for match in _SELFTEST.finditer(output)}
    return found.get(token, "")
