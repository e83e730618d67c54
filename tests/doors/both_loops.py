"""Tests on asyncio's loop and on uvloop's, that leave nothing behind."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop


async def _leaving_nothing_behind(test: Awaitable[None]) -> None:
    """Run a test; no task is left by it, and no exception went unhandled."""
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    await test
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()  # what nobody looked at complains when it is collected
    assert unhandled == []


def on_both_loops(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make two tests of one: on asyncio's loop and on uvloop's."""

    @functools.wraps(test)
    def run(*, new_loop: Callable[[], asyncio.AbstractEventLoop], **values: Any) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_leaving_nothing_behind(test(**values)))

    del run.__wrapped__
    keyword = inspect.Parameter.KEYWORD_ONLY
    named = [p.replace(kind=keyword) for p in inspect.signature(test).parameters.values()]
    loop = inspect.Parameter("new_loop", keyword)
    run.__signature__ = inspect.Signature([*named, loop])  # type: ignore[attr-defined]
    pytest.mark.parametrize(
        "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
    )(run)
    return run
