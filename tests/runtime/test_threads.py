"""A call's handle in other threads: what is sent there is taken at once, in its order, and nothing is sent into what is over."""

from __future__ import annotations

import asyncio
import threading

import pytest

from callflow.errors import CallEnded, CallflowError
from callflow.runtime import call as module
from tests.support.worlds import SMALL, FakeWorld, a_call, hang

QUIET = SMALL.replace(
    "    silence:\n      12s: {do: [{say: Are you there?}]}\n      30s: {target: ending, do: [{outcome: abandoned}]}\n",
    "",
)


async def talking(**options):
    """A call in which nothing happens by itself for an hour, so that only what is sent wakes its loop."""
    world = FakeWorld(say=hang)
    call = a_call(world, QUIET, **options)
    running = asyncio.create_task(call.run())
    await until(call, lambda: call.snapshot.memory.effects)
    return call, running


async def until(call, done):
    """Asks only when the call has taken a step: it is the step that must have come by itself."""
    async for _ in call.steps():
        if done():
            return


async def ended(call, running):
    await call.hang_up()
    return await running


@pytest.mark.real_time
async def test_what_a_thread_sends_is_taken_at_once_and_in_order():
    call, running = await talking()
    moved = asyncio.create_task(until(call, lambda: [one.state for one in call.draft().states].count("approved") == 21))
    await asyncio.sleep(0)

    def send():
        for _ in range(20):
            call.send("app.approved", {"amount": 7})
            call.send("app.moved")
        call.send("app.approved", {"amount": 7})

    thread = threading.Timer(0.2, send)  # by then the loop waits for something to happen
    thread.start()
    asleep = asyncio.get_running_loop().call_later(30, moved.cancel)  # a loop that nobody has woken wakes for this
    await moved
    asleep.cancel()
    thread.join()
    record = await ended(call, running)
    assert [one.state for one in record.states][:-2] == ["talking", "approved"] * 21


@pytest.mark.real_time
async def test_another_event_loop_sends_and_hangs_up():
    call, running = await talking()

    async def elsewhere():
        call.send("app.approved", {"amount": 7})
        await call.hang_up()
        await call.hang_up()

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    record = await asyncio.wait_for(running, 60)
    thread.join()
    assert [one.state for one in record.states][:2] == ["talking", "approved"]
    assert record.cause.event == "job.shutdown"
    assert record.notes == ()


@pytest.mark.real_time
async def test_a_thread_is_told_what_is_wrong_in_the_thread():
    call, running = await talking()
    said = []

    def send(name, data, kind):
        with pytest.raises(kind) as error:
            call.send(name, data)
        said.append(str(error.value))

    async def belongs():
        with pytest.raises(CallflowError, match="`run` belongs to the event loop"):
            await call.run()
        with pytest.raises(CallflowError, match="`steps` belongs to the event loop"):
            call.steps()

    await asyncio.to_thread(send, "app.approved", {"amount": "seven"}, ValueError)
    await asyncio.to_thread(asyncio.run, belongs())
    await ended(call, running)
    await asyncio.to_thread(send, "app.moved", {}, CallEnded)
    assert "amount" in said[0]
    assert "is over" in said[1]


@pytest.mark.real_time
async def test_threads_that_flood_a_call_are_told(monkeypatch):
    """What is on its way counts: a loop that has no turn takes nothing, and must not be filled without bound."""
    monkeypatch.setattr(module, "INBOX_MOST", 100)
    call, running = await talking()
    refused = []

    def flood():
        for _ in range(300):
            try:
                call.send("app.moved")
            except CallflowError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()  # the loop has no turn meanwhile
    assert len(refused) in range(1100, 1104)
    assert "is full" in refused[0]
    record = await ended(call, running)
    assert record.steps > 100


@pytest.mark.real_time
def test_a_call_whose_loop_is_closed_is_over():
    """As from `atexit`, or a thread that has outlived the job."""
    kept = []

    async def main():
        call, running = await talking()
        kept.append(call)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(main())
    [call] = kept
    for stage in ("over", "idle"):
        call._stage = stage
        with pytest.raises(CallEnded, match="is over"):
            call.send("app.moved")
    with pytest.raises(CallEnded, match="is over"):
        asyncio.run(call.hang_up())
