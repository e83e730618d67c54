"""Warnings that are written seldom."""

from __future__ import annotations

import logging

import pytest

from dialwarden.doors.seldom import SeldomLog


def test_the_first_is_written_at_once_and_the_rest_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [100.0]
    seldom = SeldomLog(logging.getLogger("test"), every_s=5, clock=lambda: now[0])
    for _ in range(3):
        seldom.warning("flood", "from %s", "a")
    seldom.warning("other", "100%% other")
    now[0] += 5
    seldom.warning("flood", "from %s", "b")
    now[0] += 4.9
    seldom.warning("flood", "from %s", "c")
    now[0] += 0.1
    seldom.warning("flood", "from %s", "d")
    assert caplog.messages == [
        "from a",
        "100%% other",
        "from b (and 2 more of this kind)",
        "from d (and 1 more of this kind)",
    ]
