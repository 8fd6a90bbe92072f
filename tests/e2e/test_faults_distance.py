"""A caller far away, behind a network with delay: the goodbye is heard to its end."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.aftermath import one_record
from tests.e2e.caller_process import remote_caller
from tests.e2e.own_line import own_line
from tests.e2e.places import place
from tests.e2e.relay import relay


@pytest.mark.parametrize("milliseconds", [40, 100])
async def test_the_goodbye_is_whole_at_a_distance(tmp_path, ports, milliseconds):
    """Its last 100 ms have a pitch of their own, and at least 70 of them are heard."""
    async with own_line(tmp_path, ports, ice_lite=True) as line:
        with place(linked=False) as there:
            server = line.server
            with relay(there, http=server.http, udp=server.http + 2, delay=milliseconds / 1000):
                token = server.token(line.room, "caller")
                async with remote_caller(server.far_url, token, prefix=there.prefix) as caller:
                    job = await line.agent("faults:marked_goodbye")
                    await caller.greeted()
                    await asyncio.sleep(1)
                    await caller.write("bye")
                    await caller.dropped(within=20)
                    mark = await caller.seconds_at(1200)
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"
    assert mark > 0.07
