"""Who is blamed for a far end that is not seen any more."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from livekit import rtc

from callflow.livekit_bindings.line import Line

CALLER = SimpleNamespace(
    identity="caller",
    sid="PA_1",
    kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    name="",
    metadata="",
    attributes={},
    disconnect_reason=None,
)


@pytest.mark.parametrize(
    ("cut_off", "by", "cause"), [(False, "unknown", "vanished"), (True, "network", "out_of_reach")]
)
async def test_a_far_end_that_we_cannot_see_has_not_vanished(cut_off, by, cause):
    told = []
    line = Line(lambda name, data: told.append((name, data)), grace=12)
    line.joined(CALLER)
    line.cut_off = cut_off
    line.left(CALLER)
    await asyncio.sleep(11)
    assert [name for name, _ in told] == ["call.answered", "call.dropped"]
    await asyncio.sleep(2)
    name, data = told[-1]
    assert (name, data["by"], data["cause"]) == ("call.hangup", by, cause)
