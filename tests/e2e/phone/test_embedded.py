"""Calls with telephones, under a server that a program runs and closes: see `tests/e2e/test_embedded.py`."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up
from tests.e2e.phone.network import until
from tests.e2e.test_embedded import embedding
from tests.e2e.test_programs import record_in


async def closed(embedded):
    return await embedded.obeys("aclose", within=40)


@pytest.mark.parametrize("executor", ["process", "thread"])
async def test_a_telephone_that_rings_stops_as_the_server_closes(line, network, proxy, tmp_path, executor):
    with embedding(proxy, tmp_path, line, executor=executor) as embedded:
        out = await calls(line, network, RINGS_FOR_EVER, by=embedded)
        call = await out.call()
        await asyncio.sleep(1)
        closing = asyncio.create_task(closed(embedded))
        await call.wait_for("CANCEL", within=10)
        record = await out.record(within=20)
        assert (record["cause"]["event"], record["hung_up_by"], record["answered"]) == ("job.shutdown", "worker", None)
        await closing


async def test_a_telephone_on_the_line_is_hung_up(line, network, proxy, tmp_path):
    with embedding(proxy, tmp_path, line) as embedded:
        out = await calls(line, network, picks_up(), given={"stays": True}, by=embedded)
        call = await out.call()
        await until(lambda: out.answered, within=30, what=lambda: "an answer")
        closing = asyncio.create_task(closed(embedded))
        await call.wait_for("BYE", within=10)
        record = await out.record(within=20)
        assert (record["cause"]["event"], record["hung_up_by"]) == ("job.shutdown", "worker")
        await closing


async def test_a_telephone_that_rings_stops_also_where_the_worker_is_killed(line, network, proxy, tmp_path):
    """Its job's process finds itself alone, and gives the dial up."""
    with embedding(proxy, tmp_path, line) as embedded:
        out = await calls(line, network, RINGS_FOR_EVER, by=embedded)
        call = await out.call()
        await asyncio.sleep(1)
        embedded.process.kill()
        await call.wait_for("CANCEL", within=10)
        record = await record_in(tmp_path, within=5)
        assert (record["cause"]["event"], record["hung_up_by"]) == ("job.shutdown", "worker")
        await out.job.process_gone(within=15)
