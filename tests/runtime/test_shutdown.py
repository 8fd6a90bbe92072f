"""Being told to end: by the one who runs the call, by the worker, by LiveKit, by a room that is gone; at any moment."""

from __future__ import annotations

import asyncio

import pytest

from tests.runtime.test_faults import FULL, ended_well
from tests.support.worlds import EPOCH, SMALL, FakeWorld, a_call, hang, swallow


async def test_cancelled_the_call_ends_in_order_and_then_raises():
    world = FakeWorld()
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    record = call.record
    ended_well(world, record)
    assert world.did == ["begin", "open", "say", "hurry", "delete_room", "aclose", "finish"], "no speech any more"
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("cancelled", "job.shutdown", "worker")
    assert record.ended - EPOCH == pytest.approx(5.2)


async def test_speech_is_dropped_where_the_worker_closes():
    world = FakeWorld(say=hang)
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("SIGTERM", worker=True)
    call.job_ends("SIGTERM", worker=True)
    record = await running
    ended_well(world, record)
    assert world.did.count("hurry") == 1
    assert record.effects[0].result == {"interrupted": True, "spoken": "", "heard": False}
    assert record.ended - EPOCH == pytest.approx(5.2)


SPEAKS_AND_ENDS = """
callflow: 1
name: speaks-and-ends
initial: greeting
states:
  greeting: {entry: [{say: Hello.}], on: {done: {target: ending, do: [{outcome: completed}]}}}
"""


async def test_a_worker_that_closes_says_so_before_the_speech_that_it_drops_has_ended():
    world = FakeWorld(say=hang)
    call = a_call(world, SPEAKS_AND_ENDS)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("SIGTERM", worker=True)
    record = await running
    ended_well(world, record)
    assert (record.outcome, record.cause.event) == ("cancelled", "job.shutdown"), (
        "and not by the end of what nobody heard"
    )


@pytest.mark.parametrize("act", [hang, swallow], ids=lambda act: act.__name__)
async def test_where_the_worker_closes_everything_shares_eight_seconds(act):
    world = FakeWorld(**dict.fromkeys(("delete_room", "aclose", "close", "http"), act))
    world.hangs.add("close")
    call = a_call(world, FULL)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("SIGTERM", worker=True)
    record = await running
    assert record.ended - EPOCH <= 5 + 8
    assert world.finished == ["cancelled"]
    assert record.forced == ("line", "session")
    world.let_go.set()
    await asyncio.sleep(1)


async def test_the_workers_seconds_can_be_set():
    world = FakeWorld(delete_room=hang)
    call = a_call(world, worker_seconds=4.0)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("SIGTERM", worker=True)
    record = await running
    ended_well(world, record)
    assert record.ended - EPOCH <= 5 + 4


async def test_a_job_told_to_end_by_others_lets_the_goodbye_be_spoken():
    text = (
        SMALL
        + """
on:
  job.shutdown: {target: ending, do: [{say: We have to stop here.}, {outcome: cancelled}]}
"""
    )
    world = FakeWorld()
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("shutdown by the program")
    record = await running
    ended_well(world, record)
    assert world.did.count("say") == 2
    assert record.cause.detail == {"reason": "shutdown by the program"}


async def test_who_stands_behind_a_job_shutdown():
    for by, tell in (
        ("worker", lambda call: call.job_ends("parent process shutdown")),
        ("program", lambda call: call.post("job.shutdown", {"reason": "ctx.shutdown()"})),
    ):
        world = FakeWorld()
        call = a_call(world)
        running = asyncio.create_task(call.run())
        await asyncio.sleep(5)
        tell(call)
        assert (await running).hung_up_by == by


async def test_an_ending_that_takes_longer_than_livekit_waits_is_cut_short():
    text = (
        SMALL
        + """
on:
  job.shutdown: {target: ending, do: [{say: {text: A very long goodbye., timeout: 50s}}]}
"""
    )
    world = FakeWorld()
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    world.seconds["say"] = 40
    call.job_ends("shutdown by the program")
    record = await running
    ended_well(world, record)
    assert record.ended - EPOCH == pytest.approx(5 + 15, abs=1)
    assert record.forced == ("line", "session")


async def test_livekit_cancelling_the_entrypoint_does_not_cut_wrap_up_short():
    """The flow's own delete_room ends the job; LiveKit cancels the entrypoint 15 s later, while a summary is sent."""
    text = SMALL + 'wrap_up: [{http: {url: "https://crm.example", timeout: 40s}}]\n'
    world = FakeWorld()
    world.seconds["http"] = 30
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    await asyncio.sleep(15.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    record = call.record
    ended_well(world, record)
    assert [one.status for one in record.effects if one.verb == "http"] == ["ok"]
    assert record.outcome == "hung_up"
    assert record.hung_up_by == "caller"


async def test_wrap_up_is_held_sixty_seconds_at_most():
    text = SMALL + 'wrap_up: [{http: {url: "https://crm.example", timeout: 300s}}]\n'
    world = FakeWorld(http=hang)
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    record = await running
    ended_well(world, record)
    assert record.ended - EPOCH <= 2 + 15 + 60 + 2
    assert record.outcome == "hung_up"


async def test_a_worker_that_closes_while_a_call_is_wrapped_up_holds_it_no_longer_than_its_seconds():
    text = SMALL + 'wrap_up: [{http: {url: "https://crm.example", timeout: 300s}}]\n'
    world = FakeWorld(http=hang)
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    await asyncio.sleep(3)
    call.job_ends("SIGTERM", worker=True)
    record = await running
    ended_well(world, record)
    assert record.ended - EPOCH <= 5 + 8
    assert record.outcome == "hung_up"


TOLD = {
    "hang_up": lambda call: asyncio.ensure_future(call.hang_up()),
    "room": lambda call: call.world.drop_line(),
    "worker": lambda call: call.job_ends("SIGTERM", worker=True),
}


@pytest.mark.parametrize(
    ("told", "most"),
    [
        ("hang_up", 60),
        ("hang_up room", 1 + 15),
        ("room hang_up", 15),
        ("hang_up worker", 1 + 8),
        ("worker room hang_up", 8),
        ("room worker", 1 + 8),
    ],
)
async def test_the_shortest_time_holds_in_whatever_order_it_is_said(told, most):
    """`hang_up` has a minute, a room that is gone 15 s, a worker that closes 8."""
    world = FakeWorld(aclose=hang)
    call = a_call(world, SMALL + "  ending: {entry: [{aclose: {timeout: 100s}}], on: {done: closed}}\n")
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    for one in told.split():
        TOLD[one](call)
        await asyncio.sleep(1)
    record = await running
    ended_well(world, record)
    assert most - 3 < record.seconds - 5 <= most + 0.5


async def test_hang_up_before_the_call_runs_has_a_minute():
    world = FakeWorld(aclose=hang)
    call = a_call(world, SMALL + "  ending: {entry: [{aclose: {timeout: 100s}}], on: {done: closed}}\n")
    await call.hang_up()
    record = await call.run()
    ended_well(world, record)
    assert 59 <= record.ended - EPOCH <= 62


async def test_livekit_cancelling_the_entrypoint_of_a_job_that_ends_does_not_cut_the_goodbye():
    """LiveKit cancels it once it has told the job to end: that is not another cause, and no hurry."""
    text = SMALL + "on:\n  job.shutdown: {target: ending, do: [{say: We have to stop here.}, {outcome: cancelled}]}\n"
    world = FakeWorld()
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    world.seconds["say"] = 8
    call.job_ends("shutdown by the program")
    call.job_ends("and once more")
    await asyncio.sleep(3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    record = call.record
    ended_well(world, record)
    assert "hurry" not in world.did
    assert [(one.status, round(one.seconds)) for one in record.effects if one.verb == "say"] == [("ok", 1), ("ok", 8)]
    assert record.cause.detail == {"reason": "shutdown by the program"}


async def test_a_job_that_is_told_twice_is_told_once():
    world = FakeWorld()
    call = a_call(world)
    steps = call.steps()
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    call.job_ends("once")
    call.job_ends("twice")
    await running
    names = [getattr(step.event, "name", "") for step in [one async for one in steps]]
    assert names.count("job.shutdown") == 1


async def test_a_second_cancellation_changes_nothing():
    world = FakeWorld()
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    for _ in range(5):
        running.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await running
    ended_well(world, call.record)
    assert call.record.outcome == "cancelled"


async def test_a_timeout_around_run_is_a_timeout():
    world = FakeWorld()
    call = a_call(world)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await call.run()
    ended_well(world, call.record)


@pytest.mark.parametrize("everything", [False, True], ids=["the task of run", "every task"])
@pytest.mark.parametrize("ended_by", ["flow", "caller"])
async def test_cancelled_at_every_turn_of_the_loop(everything, ended_by):
    """Counts the loop's turns of one call, then runs it again and cancels at the first turn, the second, and so on."""
    turns = await _play(ended_by, cancel_at=None)
    assert turns > 20
    for nth in range(turns + 1):
        await _play(ended_by, cancel_at=nth, everything=everything)


async def _play(ended_by: str, *, cancel_at: int | None, everything: bool = False) -> int:
    loop = asyncio.get_running_loop()
    world = FakeWorld()
    began = loop.time()
    call = a_call(world, FULL)
    before = asyncio.all_tasks()
    running = asyncio.create_task(call.run())
    hung_up = False
    turns = 0
    while not running.done():
        if turns == cancel_at:
            running.cancel()
            if everything:
                for task in asyncio.all_tasks() - before:
                    task.cancel()
        if ended_by == "caller" and not hung_up and loop.time() - began > 3:
            hung_up = True
            world.hang_up()
        await asyncio.sleep(0)
        turns += 1
        if not loop._ready and not running.done():
            # Nothing can happen before the next timer: on to it.
            await asyncio.sleep(max(min(timer.when() for timer in loop._scheduled) - loop.time(), 0))
        assert turns < 3000
    await asyncio.gather(running, return_exceptions=True)
    if call.record is None:
        assert cancel_at == 0, "cancelled before it began: nothing has begun, and nothing was opened"
        assert world.did == []
    else:
        ended_well(world, call.record)
        assert running.cancelled() == (cancel_at is not None and cancel_at < turns) or cancel_at is not None
    assert not (asyncio.all_tasks() - before), "no task is left"
    return turns


async def test_the_end_of_the_loop_is_the_end_of_the_call():
    """What asyncio.run does with a call that somebody left running: every task is cancelled once, and waited for."""
    world = FakeWorld(delete_room=hang)
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    me = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not me and "watch" not in repr(task.get_coro())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ended_well(world, call.record)
