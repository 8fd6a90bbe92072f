"""10,000 events a second at one call: memory and inbox stay bounded, a hang-up gets through, what the flow hears is whole."""

from __future__ import annotations

import asyncio
import gc
import logging
import tracemalloc

import psutil
import pytest

from callflow.core.events import EVENTS
from callflow.core.step import MOST_KEPT
from callflow.journal import read_journal
from callflow.runtime.journal import BACKLOG
from callflow.runtime.overflow import INBOX_LIMIT, INBOX_MOST
from tests.support.worlds import EPOCH, SMALL, FakeWorld, a_call

PACKET = "x" * 15_000
FLOODS = {
    "metrics": lambda n: ("session.metrics_collected", {"type": "llm_metrics", "label": str(n)}),
    "transcripts": lambda n: ("session.user_input_transcribed", {"transcript": f"word {n}", "is_final": False}),
    "packets": lambda n: ("room.data_received", {"topic": "t", "identity": "x", "text": f"{n}{PACKET}"}),
    "keys": lambda n: ("dtmf.5", {"digit": "5", "leg": "far_end"}),
}
COUNTS = """
callflow: 1
name: counts
vars: {n: {type: integer, default: 0}}
initial: talking
states:
  talking:
    on:
      session.metrics_collected: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}
      session.user_input_transcribed: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}
      room.data_received: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}
      dtmf.*: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}
"""


async def begun(world, text=SMALL, **options):
    call = a_call(world, text, **options)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    return call, running


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_second_at_a_call_that_does_not_listen(flood, tmp_path):
    """Four bursts that no turn of the loop divides, each longer than the inbox."""
    heavy = flood == "packets"
    if heavy:
        tracemalloc.start()
    try:
        world = FakeWorld()
        call, running = await begun(world, folder=tmp_path if heavy else None)
        most = 0
        for burst in range(4):
            for n in range(2500):
                call.post(*FLOODS[flood](2500 * burst + n))
            most = max(most, len(call._inbox))
            await asyncio.sleep(0.25)
        for n in range(2500):
            call.post(*FLOODS[flood](n))
        waiting = len(call._inbox)
        world.hang_up()
        record = await running
        peak = tracemalloc.get_traced_memory()[1] if heavy else 0
    finally:
        tracemalloc.stop()
    assert most <= INBOX_LIMIT
    assert waiting <= INBOX_LIMIT, "so much stands before the hang-up"
    assert record.outcome == "hung_up"
    assert record.cause.time == EPOCH + 3
    assert peak < 60e6, "a thousand packets of 15 kB, and what the journal has not written yet"
    assert record.steps + sum(record.dropped.values()) > 5 * 2500 - INBOX_LIMIT, "every one is taken or counted"


@pytest.mark.parametrize("flood", FLOODS)
async def test_what_a_flow_listens_to_is_never_lost(flood):
    world = FakeWorld()
    call, running = await begun(world, COUNTS)
    for burst in range(5):
        for n in range(2000):
            call.post("session.debug_message", {"message": "noise"})
            call.post(*FLOODS[flood](2000 * burst + n))
        await asyncio.sleep(0.2)
    world.hang_up()
    record = await running
    assert record.vars == {"n": 10_000}
    assert record.dropped.keys() == {"session.debug_message"}


async def test_more_than_can_be_kept_ends_the_call_instead_of_losing_it_unsaid(caplog):
    world = FakeWorld()
    call, running = await begun(world, COUNTS)
    for n in range(INBOX_MOST + 10):
        call.post(*FLOODS["packets"](n))
    record = await running
    assert f"{INBOX_MOST} events wait that must not be lost, the last of them room.data_received" in record.error
    assert not world.line_up


async def test_what_is_so_now_outlives_a_flood():
    """The silence counts again when the agent has fallen silent, however much came before that news."""
    world = FakeWorld()
    call, running = await begun(world)
    call.post("session.agent_state_changed", {"old_state": "listening", "new_state": "speaking"})
    for n in range(2 * INBOX_LIMIT):
        call.post(*FLOODS["metrics"](n))
    call.post("session.agent_state_changed", {"old_state": "speaking", "new_state": "thinking"})
    call.post("session.agent_state_changed", {"old_state": "thinking", "new_state": "listening"})
    await asyncio.sleep(13)
    assert world.did.count("say") == 2, "the greeting, and the question whether somebody is there"
    record = await running
    assert record.outcome == "abandoned"
    assert record.dropped["session.agent_state_changed"] == 1


async def test_a_journal_is_written_while_a_flood_goes_on(tmp_path, monkeypatch):
    world = FakeWorld()
    call, running = await begun(world, folder=tmp_path, id="flooded")
    backlog = 0
    for n in range(3000):  # the inbox is never empty
        for _ in range(4):
            call.post(*FLOODS["metrics"](n))
        if n % 10 == 0:
            await asyncio.to_thread(int)  # the journal's thread has its turn, however busy the machine
        backlog = max(backlog, len(call.journal._pending))
    assert backlog < BACKLOG
    assert (tmp_path / "flooded.jsonl").stat().st_size > 10_000, "while it still goes on"
    world.hang_up()
    record = await running
    assert record.notes == ()
    assert len(read_journal(tmp_path / "flooded.jsonl").lines) == record.steps


async def test_a_disk_that_does_not_keep_up_costs_the_journal_and_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("callflow.runtime.journal.BACKLOG", 500)
    world = FakeWorld()
    call, running = await begun(world, folder=tmp_path)
    call.journal._writing = asyncio.get_running_loop().create_future()  # a disk that takes its time
    for _ in range(20):
        for n in range(100):
            call.post(*FLOODS["metrics"](n))
        await asyncio.sleep(0.1)
        assert len(call.journal._pending) <= 500
    call.journal._writing.cancel()
    call.journal._writing = None
    world.hang_up()
    record = await running
    assert any("is not whole: the disk did not keep up" in note for note in record.notes)


async def test_a_state_that_must_finish_keeps_no_more_than_it_can():
    text = COUNTS.replace(
        "  talking:\n    on:",
        "  first: {must_finish: true, entry: [{say: Hello.}], on: {done: talking}}\n  talking:\n    on:",
    )
    text = text.replace("initial: talking", "initial: first\non: {dtmf.*: talking}")
    world = FakeWorld()
    world.seconds["say"] = 1000.0
    call, running = await begun(world, text)
    for _ in range(5):
        for n in range(800):
            call.post(*FLOODS["keys"](n))
        await asyncio.sleep(0.1)
    assert len(call.snapshot.memory.kept) == MOST_KEPT
    world.hang_up()
    await asyncio.sleep(0.1)
    assert call.snapshot.memory.kept[-1].name == "call.hangup", "which is kept, whatever else is"
    call.job_ends("told", worker=True)
    await running


def test_every_event_says_what_becomes_of_it_in_a_flood():
    said = {name: entry.flooded for name, entry in EVENTS.items()}
    assert said["session.metrics_collected"] == "drop"
    assert said["session.user_state_changed"] == said["dtmf.1"] == "latest"
    never = [name for name in said if name.startswith(("call.", "job.", "dial.", "amd.", "transfer.", "task."))]
    assert {said[name] for name in [*never, "room.disconnected", "session.close", "session.error"]} == {"keep"}


async def test_a_thousand_calls_one_after_the_other_leave_nothing_behind(tmp_path, caplog):
    caplog.set_level(logging.CRITICAL, "callflow")
    me = psutil.Process()
    seen = []
    for number in range(1000):
        world = FakeWorld()
        call = a_call(world, folder=tmp_path if number % 4 == 0 else None, id=f"c-{number}")
        running = asyncio.create_task(call.run())
        await asyncio.sleep(1.5)
        world.hang_up()
        await running
        (tmp_path / f"c-{number}.jsonl").unlink(missing_ok=True)
        (tmp_path / f"c-{number}.json").unlink(missing_ok=True)
        if number in (199, 999):
            gc.collect()
            loop = asyncio.get_running_loop()
            timers = [timer for timer in loop._scheduled if not timer.cancelled()]
            seen.append((me.memory_info().rss, me.num_fds(), len(asyncio.all_tasks()), len(timers)))
    first, last = seen
    assert last[1:] == first[1:], "file descriptors, tasks, timers"
    assert last[0] - first[0] < 4e6, "bytes that 800 calls have left"
