"""What the table of what can happen offers, a room does: calls at random, whose every happening is chosen from the table.

`CALLFLOW_PLAYABLE=100` plays that many calls of each shipped flow; the seed of one that goes wrong is in the test's name.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import callflow
from callflow.core.events import Event
from callflow.testing import SimulatedServer
from tests.support import bringing
from tests.support.bringing import NUMBER, Brought

CALLS = int(os.environ.get("CALLFLOW_PLAYABLE", "4"))
FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))


async def brought(path, seed, monkeypatch, act=lambda call: None):
    flow = callflow.load(path)
    for name in flow.env:
        monkeypatch.setenv(name, "https://shop.example" if name.endswith("URL") else NUMBER)
    async with SimulatedServer() as server:
        call = Brought(flow, server, seed)
        act(call)
        await call.play()
    return call


@pytest.mark.parametrize("seed", range(CALLS))
@pytest.mark.parametrize("path", FLOWS, ids=[path.stem for path in FLOWS])
async def test_what_the_table_offers_happens_in_the_room(path, seed, monkeypatch):
    call = await brought(path, seed, monkeypatch)
    assert call.missed == []
    assert len(call.came) + len(call.overtaken) > 0


async def test_what_does_not_come_though_the_table_offers_it_is_found(monkeypatch):
    def offers_what_nobody_does(call):
        call._chosen = lambda: Event("call.restored", {"leg": "far_end"})
        call._how = lambda event: lambda: None

    monkeypatch.setattr(bringing, "refused", lambda *_: None)
    call = await brought(FLOWS[0].with_name("smallest.yaml"), 0, monkeypatch, offers_what_nobody_does)
    assert "call.restored {'leg': 'far_end'} can happen in ('talking',), and did not come" in call.missed


async def test_an_end_that_is_not_the_one_that_the_room_was_made_for_is_found(monkeypatch):
    def meets_somebody_else(call):
        call._dials = lambda start: ("ok", {"result": "busy"})
        call.things = 0

    call = await brought(FLOWS[0].with_name("outbound.yaml"), 0, monkeypatch, meets_somebody_else)
    assert (
        "dial busy was to come in ('dialing',), and EffectEnded(id=1, status='ok', result={'result': 'answered'"
        in str(call.missed)
    )
