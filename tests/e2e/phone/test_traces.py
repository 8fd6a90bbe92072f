"""The recorded calls (`tests.support.sip_traces`), once more on each telephone network.

Some of them: the bridge of the stand-in is held to all in `tests/testing/test_traces.py`. With `CALLFLOW_RECORD_TRACES=yes`
all are played, and those of the real network written down anew: of two alike, that of the less busy machine is kept.
"""

from __future__ import annotations

import os
import time

import pytest
from attrs import define
from livekit import api, rtc

from tests.e2e.caller import Caller
from tests.e2e.server import KEY, SECRET
from tests.support.sip_traces import CASES, TRACES, Trace, differences, recorded

TOLERANCE = 1.0
"""Seconds: a busy machine. The order is what counts."""
RECORDS = bool(os.environ.get("CALLFLOW_RECORD_TRACES"))
BRIEF = {
    "refused_401", "refused_486", "refused_503", "early_media_then_busy", "nobody_answers", "removed_while_it_rings",
    "cancel_crosses_the_answer", "telephone_hangs_up", "room_deleted", "keys_both_ways", "dialled_on_with_keys",
    "transfer_accepted", "transfer_refused_603", "transfer_told_486", "calls_in_and_hangs_up",
    "calls_in_and_is_removed_while_it_rings",
}  # fmt: skip
PLAYED = [case for case in CASES if RECORDS or case.name in BRIEF]


def record(trace):
    path = TRACES / f"{trace.case}.json"
    before = Trace.read(trace.case) if path.exists() else None
    if before is None or before.events != trace.events or before.took > trace.took:
        path.write_text(trace.to_json())


@define
class RealStage:
    """See `tests.support.sip_traces.Stage`."""

    network: object
    watcher: Caller
    lk: api.LiveKitAPI
    name: str

    @property
    def room(self) -> rtc.Room:
        return self.watcher.room

    async def telephone(self, script):
        return await self.network.telephone(script)

    async def call_in(self, script):
        return await self.network.call_in(self.name, script)

    async def publish(self):
        await self.watcher._open_microphone()

    def now(self):
        return time.monotonic()


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.name)
async def test_a_call_goes_as_it_went(line, network, proxy, case):
    watcher = await line.caller("watcher", microphone=False)
    async with api.LiveKitAPI(proxy.url.replace("ws", "http"), KEY, SECRET, failover=False) as lk:
        trace = await recorded(case, RealStage(network, watcher, lk, line.room))
    if network.name == "real" and RECORDS:
        record(trace)
    assert differences(trace, Trace.read(case.name), tolerance=TOLERANCE) == []
