"""What the doctor reads out of FreePBX's own dialplan, as a real Asterisk shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.root import AsteriskRoot
from bench.trunk import Trunk
from dialwarden.doctor.asking import Reader
from dialwarden.doctor.console_text import variables_of
from dialwarden.doctor.dialplan_text import differences, read_shown
from dialwarden.doctor.gathering.everything import shipped_flavours
from dialwarden.routing.trunks import compile_trunks
from dialwarden.settings.sections import Trunk as TrunkEntry
from freepbx import FREEPBX_16, FREEPBX_17
from freepbx_site import Site, starting

TRUNKS = compile_trunks(
    {
        name: TrunkEntry(name, f"PJSIP/{name}", (f"PJSIP/{{number}}@{name}",))
        for name in ("carrier", "carrier-2")
    }
)
HOOKS = "extensions_dialwarden_freepbx_hooks.conf"


@pytest.fixture(scope="module")
def site(exchange_root: AsteriskRoot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    product = FREEPBX_17 if exchange_root.major > 20 else FREEPBX_16
    trunks = {"carrier": Trunk(), "carrier-2": Trunk()}
    directory = tmp_path_factory.mktemp("freepbx")
    with starting(product, exchange_root, trunks, directory, own="") as one:
        yield one
    for end in trunks.values():
        end.stop()


def read(site: Site) -> Reader:
    plan = read_shown(site.pbx.cli("dialplan show"))
    return Reader(
        plan,
        TRUNKS,
        agi_port=site.pbx.bridge_port,
        entries=frozenset({"from-internal"}),
        variables=variables_of(site.pbx.cli("dialplan show globals")),
    )


def test_with_the_hooks_every_line_that_dials_has_asked(site: Site) -> None:
    reader = read(site)
    # Trunks of routes, whose dial strings are in global variables, and one of DUNDi.
    assert {one.context for one in reader.dialled() if not one.dynamic} >= {
        "macro-dundi-4",
        "trunk-dial-with-exten" if site.pbx.root.major > 20 else "macro-dialout-trunk",
    }
    # A door's or an extension's own trunk is dialled by ext-trunk, past every route.
    assert {one.context for one in reader.unasked()} <= {"ext-trunk"}
    assert reader.unheeded() == []


def test_without_them_the_lines_that_forget_to_ask_are_found(site: Site) -> None:
    file = Path(site.pbx.directory, "etc", HOOKS)
    usual = file.read_text()
    file.write_text("")
    site.pbx.cli("dialplan reload")
    try:
        found = {one.context for one in read(site).unasked() if not one.dynamic}
    finally:
        file.write_text(usual)
        site.pbx.cli("dialplan reload")
    assert "macro-dundi-4" in found
    assert found & {"macro-dialout-trunk", "trunk-dial-with-exten"}


def test_our_contexts_for_it_are_as_they_are_shipped(site: Site) -> None:
    plan = read_shown(site.pbx.cli("dialplan show"))
    ours = [name for name in shipped_flavours() if name in plan]
    assert set(ours) == {
        "dialwarden-freepbx", "dialwarden-freepbx-back", "dialwarden-freepbx-campaigns",
    }  # fmt: skip
    assert [differences(shipped_flavours(), plan, name) for name in ours] == [[], [], []]
