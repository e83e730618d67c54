"""A dialplan of one's own, as the README of its flavour has it written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.pbx import Pbx
from bench.ports import free_tcp_port
from bench.root import AsteriskRoot
from bench.trunk import Trunk
from flavour import (
    CALLABLE,
    OPPOSED,
    Flavoured,
    failed_checks,
    flavoured,
    readme_blocks,
    with_flavour,
)

MANIFEST = "plain/install.toml"
CALL_REJECTED = 21


INCLUDE, OUTBOUND = readme_blocks("plain")


@pytest.fixture(scope="module")
def running(
    asterisk_root: AsteriskRoot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flavoured]:
    carrier, backup = Trunk(), Trunk()
    bridge_port = free_tcp_port()
    with (
        Pbx.start(
            asterisk_root,
            bridge_port=bridge_port,
            trunks={"carrier": carrier.port, "carrier-2": backup.port},
            files=lambda _: with_flavour(MANIFEST, {"extensions.conf": OUTBOUND}, bridge_port),
        ) as pbx,
        flavoured(pbx, carrier, backup, tmp_path_factory.mktemp("plain")) as flavour,
    ):
        yield flavour
    for trunk in (carrier, backup):
        trunk.stop()


@pytest.fixture
def office(running: Flavoured) -> Flavoured:
    """The office without a call left over from the test before."""
    running.clear()
    return running


def test_the_checks_of_the_manifest_hold_once_it_is_installed(office: Flavoured) -> None:
    assert failed_checks(MANIFEST, office.pbx) == []
    assert "already in use" not in office.pbx.log()


def test_the_install_puts_in_what_the_readme_says_to_put_in_by_hand() -> None:
    assert with_flavour(MANIFEST, {}, 4580)["extensions.conf"] == INCLUDE


def test_an_allowed_call_is_one_invite_and_one_attempt(office: Flavoured) -> None:
    office.pbx.dial("0612345678", "outbound")
    office.carrier.wait_invite(CALLABLE)
    assert office.left() == [CALLABLE]
    assert len(office.attempts(CALLABLE)) == 1


def test_a_refused_call_is_no_invite_and_cause_21(office: Flavoured) -> None:
    call = office.pbx.dial(OPPOSED, "outbound")
    assert office.pbx.wait_hangup(call) == CALL_REJECTED
    assert office.left() == []


def test_with_the_bridge_dead_only_an_emergency_call_leaves(office: Flavoured) -> None:
    with office.dead():
        call = office.pbx.dial(CALLABLE, "outbound")
        assert office.pbx.wait_hangup(call) == CALL_REJECTED
        assert office.left() == []
        office.pbx.dial("112", "outbound")
        office.carrier.wait_invite("112")
