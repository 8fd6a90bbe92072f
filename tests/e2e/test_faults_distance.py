"""A caller far away, behind a network with delay and jitter: the goodbye is heard to its end.

A client keeps what has arrived in a buffer that grows with the jitter (NetEq's), and what is in there when the room goes is
never heard. Without jitter it is now empty, now not: a goodbye after which the room is deleted at once is whole by luck.
"""

from __future__ import annotations

import asyncio

import attrs
import pytest

from tests.e2e.aftermath import one_record
from tests.e2e.caller_process import remote_caller
from tests.e2e.own_line import own_line
from tests.e2e.places import place
from tests.e2e.relay import relay

pytestmark = pytest.mark.timeout(300)

MARK = 0.1
"""Seconds: the last of the goodbye has a pitch of its own."""

JITTER = 0.06

WINDOW = 0.02
"""Seconds: a pitch is told for so much at once."""

BARE = 6
"""How many bare hang-ups there are at most, until one of them cuts the goodbye."""


@pytest.mark.alone
@pytest.mark.parametrize(("milliseconds", "cuts"), [(40, False), (100, True)])
async def test_the_goodbye_is_whole_at_a_distance(tmp_path, ports, milliseconds, cuts):
    """`drain` waits 200 ms after the playout. Without that its end is lost: measured, 20 to 90 ms of each goodbye. Nearer by,
    the client has heard nearly all of it, and a bare hang-up may cut none of six."""
    async with own_line(tmp_path, ports, ice_lite=True) as line:
        ports_there = {"http": line.server.http, "udp": line.server.http + 2}
        with place(linked=False) as there, relay(there, **ports_there, delay=milliseconds / 1000, jitter=JITTER):
            bare = [MARK]
            while cuts and min(bare) > MARK - WINDOW and len(bare) <= BARE:
                bare.append(await mark_heard(line, there, f"bare-{len(bare)}", "bare_goodbye"))
            flow = [await mark_heard(line, there, f"flow-{number}", "marked_goodbye") for number in range(2)]
    assert not cuts or min(bare) <= MARK - WINDOW, bare
    assert min(flow) > MARK - 1.5 * WINDOW


async def mark_heard(line, there, room, scenario):
    """Seconds of the mark, in a call in a room of its own, from its greeting to the caller's end of the line."""
    folder = line.folder / room
    folder.mkdir()
    own = attrs.evolve(line, room=f"{line.room}-{room}", folder=folder, jobs=[])
    token = line.server.token(own.room, "caller")
    async with remote_caller(line.server.far_url, token, prefix=there.prefix) as caller:
        job = await own.agent(f"faults:{scenario}")
        line.jobs.append(job)
        await caller.greeted()
        await asyncio.sleep(1)  # the caller's client has found its pace
        await caller.write("bye")
        await caller.dropped(within=20)
        if scenario == "marked_goodbye":
            record = await one_record(own, job, within=10)
            assert record["outcome"] == "completed"
        return await caller.seconds_at(1200)
