"""The link on the loop that it runs on in service: its transports are none of asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.link import test_connection as on_asyncio
from tests.link.fake_ami import FakeAmi, Heard, a_fake_ami
from tests.link.test_connection import certificate  # noqa: F401


def on_uvloop(scene: Callable[[], Awaitable[None]]) -> None:
    """Run it; no task is left by it, and no exception went unhandled."""
    unhandled: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: unhandled.append(said))
        await scene()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    assert unhandled == []


@pytest.mark.parametrize(
    "test",
    [
        on_asyncio.test_a_connection_cut_during_the_login_is_a_lost_one,
        on_asyncio.test_a_list_is_its_events,
        on_asyncio.test_a_peer_that_says_nothing_is_dropped_and_tried_again,
        on_asyncio.test_a_ping_without_an_answer_ends_the_connection,
        on_asyncio.test_a_stop_leaves_no_task,
        on_asyncio.test_a_stop_while_connecting_is_for_good,
        on_asyncio.test_a_stop_while_waiting_to_try_again_is_for_good,
        on_asyncio.test_an_asterisk_that_stops_is_the_reason,
        on_asyncio.test_nothing_is_sent_before_there_is_a_link,
    ],
)
def test_on_uvloop_too(test: Callable[[FakeAmi, Heard], Awaitable[None]]) -> None:
    async def scene() -> None:
        async with a_fake_ami() as ami:
            await test(ami, Heard())

    on_uvloop(scene)


@pytest.mark.parametrize(("name", "up"), [("pbx.example", True), ("other.example", False)])
def test_tls_on_uvloop_too(
    certificate: tuple[Path, Path],  # noqa: F811
    name: str,
    up: bool,
) -> None:
    check = on_asyncio.test_over_tls_the_name_must_be_the_certificates
    on_uvloop(lambda: check(Heard(), certificate, name, up))
