"""Everything at once, and things that break in the midst of it: no call lost, doubled or cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.root import AsteriskRoot
from soak import CONVERSATIONS, Plan, soak

# A table that grows with every call would be far beyond it; one that is warming up is not.
MOST_GROWTH_KIB = 32 * 1024
# Clients, their connections to Asterisk, garbage under way, and what a bridge has of its own.
MOST_DESCRIPTORS = 120


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_cut_while_things_break(
    asterisk_root: AsteriskRoot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = soak(asterisk_root, tmp_path, Plan(seconds=20, kills=1, breaks=2))
    with capsys.disabled():
        print(f"\n{report.invites} INVITEs, {report.bypasses} bypasses, {report.events} events, "
              f"{report.garbage} connections of garbage")  # fmt: skip
    # Each INVITE is an attempt, none of them voided, and nobody was called twice.
    assert report.lost == []
    assert report.twice == []
    # Nor was a call cut that somebody asked about, in conversation or ringing.
    assert report.cut == []
    # What nobody asked about was cancelled, and is on record once.
    assert report.not_caught == []
    assert report.wrong == []
    assert report.integrity == "ok"
    # It did happen.
    assert report.invites > 10 * CONVERSATIONS
    assert report.bypasses > 5
    assert report.events > 1000
    assert report.garbage > 50
    assert len(report.lives) == 2
    for life in report.lives:
        resident = [kib for _, kib, _ in life.samples]
        assert resident[-1] - resident[0] < MOST_GROWTH_KIB
        assert max(descriptors for _, _, descriptors in life.samples) < MOST_DESCRIPTORS
