"""The virtual clock: long waits are free, ties are fair, and threads are waited for."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from callflow.testing.virtual_time import VirtualTimeLoop


async def test_a_day_passes_at_once():
    loop, wall = asyncio.get_running_loop(), time.monotonic()
    await asyncio.sleep(86_400 * 3)
    assert loop.time() == 86_400 * 3
    assert time.monotonic() - wall < 5


async def test_a_timeout_ends_at_its_very_second():
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await loop.create_future()
    assert loop.time() == pytest.approx(30.1, abs=1e-9)


async def test_timers_due_at_the_same_instant_fire_in_the_order_they_were_set():
    loop, fired = asyncio.get_running_loop(), []
    for i in range(50):
        loop.call_at(5.0, fired.append, i)
    dropped = [loop.call_at(5.0, fired.append, -1) for _ in range(200)]
    for timer in dropped:  # enough for asyncio to rebuild its heap
        timer.cancel()
    await asyncio.sleep(5.0)
    assert fired == list(range(50))


async def test_what_a_thread_returns_is_not_late_for_a_timer():
    loop = asyncio.get_running_loop()
    waiting = asyncio.timeout(0.001)
    async with waiting:
        assert await asyncio.to_thread(lambda: time.sleep(0.05) or "done") == "done"
    assert not waiting.expired()
    assert loop.time() == 0.0


async def test_time_stands_still_for_a_thread_of_ones_own():
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    heard = loop.create_future()
    threading.Timer(0.05, lambda: loop.call_soon_threadsafe(heard.set_result, "hello")).start()
    with loop.outside_work():
        assert await asyncio.wait_for(heard, timeout=1) == "hello"
    assert loop.time() == 0.0


@pytest.mark.real_time
async def test_a_test_may_ask_for_the_wall_clock():
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def test_waiting_for_nothing_is_an_error():
    loop = VirtualTimeLoop(patience=0.05)
    try:
        with pytest.raises(RuntimeError, match="no timer is set"):
            loop.run_until_complete(loop.create_future())
    finally:
        loop.close()
