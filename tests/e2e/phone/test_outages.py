"""Servers that are gone in the middle of calls of the telephone, or in their goodbye: nobody is left in silence, and the
record says of the line what is known.

As a rule those are run that once left somebody on the line; with `CALLFLOW_E2E_OUTAGES=all` every one.
"""

from __future__ import annotations

import asyncio
import json
import os
import time

import pytest
from attrs import frozen

from tests.e2e import servers
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import picks_up
from tests.e2e.phone.network import until
from tests.e2e.phone.outages import own_servers

pytestmark = pytest.mark.alone

BACK = 30.0
"""Seconds after the outage in which the telephone is on the line at most."""
KNOWN = 45.0
"""Seconds after that in which it is known, and in the record's file."""


@frozen
class Outage:
    what: str  # server, redis, or `empty`: redis, which comes back without what it held
    seconds: float
    goodbye: bool = False  # it begins in the goodbye, else in the middle of the call
    always: bool = False
    guarded: bool = True

    def __str__(self):
        when = " in the goodbye" if self.goodbye else ""
        return f"{self.what} for {self.seconds:g} s{when}{'' if self.guarded else ', nobody guards'}"


OUTAGES = [
    Outage("server", 5),
    Outage("server", 17, always=True),
    Outage("server", 17, guarded=False),
    Outage("server", 20),
    Outage("server", 35),
    Outage("server", 17, goodbye=True),
    Outage("redis", 25),
    Outage("redis", 25, goodbye=True),
    Outage("empty", 0.5, always=True),
    Outage("empty", 0.5, goodbye=True, always=True),
    Outage("empty", 25),
]
CHOSEN = [one for one in OUTAGES if one.always or os.environ.get("CALLFLOW_E2E_OUTAGES") == "all"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("outage", CHOSEN, ids=str)
async def test_nobody_is_left_on_the_line(tmp_path, ports, outage):
    try:
        async with own_servers(tmp_path, ports, guarded=outage.guarded) as own:
            await nobody_is_left(own, outage)
    except servers.Missing as missing:
        pytest.skip(f"no servers of one's own: {missing}")


async def nobody_is_left(own, outage):
    out = await calls(own.line, own.network, picks_up(), flow="stays_a_while")
    await until(lambda: own.line.jobs and out.answered, within=60, what=lambda: "an answer")
    [call] = out.telephone.calls
    await asyncio.sleep(13 if outage.goodbye else 2)
    broken = own.server if outage.what == "server" else own.redis
    broken.kill()
    began = time.monotonic()
    await asyncio.sleep(outage.seconds)
    await asyncio.to_thread(own.redis.start, empty=True) if outage.what == "empty" else await asyncio.to_thread(
        broken.start
    )
    over = time.monotonic()
    bye = await call.over(within=BACK + 15)
    done = await out.job.note("entrypoint_done", within=90)
    folder = out.job.path.parent / "journal"

    def known():
        [path] = folder.glob("*.json")
        return json.loads(path.read_text())

    [record] = out.job.notes("record")
    await until(lambda: known()["line"] == "dropped", within=KNOWN, what=lambda: f"the line: {known()}")
    written = known()
    print(  # noqa: T201 - with -s
        f"{outage}: BYE {bye.at - over:+.1f} s after it, {bye.at - began:.1f} s after its beginning;"
        f" record {record['outcome']} {record['cause']['event']}, line {record['line']}, then {written['line']},"
        f" dropped {written['line_dropped'] - time.time() + time.monotonic() - bye.at:+.1f} s after the BYE;"
        f" notes {written['notes']}"
    )
    assert bye.at - over < BACK
    assert done["at"] - began < 75
    assert abs(written["line_dropped"] - time.time() + time.monotonic() - bye.at) < 3
    await asyncio.sleep(8)
    assert await own.network.left() == []


@pytest.mark.timeout(240)
async def test_a_killed_job_whose_room_is_in_no_list(tmp_path, ports):
    """Its guard is told that there is no such room, and the telephone is in it."""
    try:
        async with own_servers(tmp_path, ports) as own:
            out = await calls(own.line, own.network, picks_up(), flow="stays_a_while")
            await until(lambda: own.line.jobs and out.answered, within=60, what=lambda: "an answer")
            [call] = out.telephone.calls
            await asyncio.sleep(8)  # what the server writes late is written
            own.redis.kill()
            await asyncio.to_thread(own.redis.start, empty=True)
            await asyncio.sleep(1)
            out.job.kill()
            began = time.monotonic()
            bye = await call.over(within=BACK + 15)
            [path] = (out.job.path.parent / "journal").glob("*.json")
            await until(
                lambda: json.loads(path.read_text())["line"] == "dropped", within=KNOWN, what=lambda: path.read_text()
            )
            print(f"killed: BYE {bye.at - began:+.1f} s after it; {json.loads(path.read_text())}")  # noqa: T201 - with -s
            assert bye.at - began < BACK
            assert await own.network.left() == []
    except servers.Missing as missing:
        pytest.skip(f"no servers of one's own: {missing}")
