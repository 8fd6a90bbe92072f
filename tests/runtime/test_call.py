"""A call as a program sees it: run, send, hang_up, steps, tools, snapshot, the record."""

from __future__ import annotations

import asyncio

import pytest

from callflow.core.events import Event, TimerFired
from callflow.errors import CallEnded, CallflowError, StartError
from callflow.runtime.call import current_call
from callflow.runtime.overflow import INBOX_LIMIT
from tests.support.worlds import EPOCH, SMALL, FakeWorld, a_call, hang, ok


async def started(call):
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    return running


async def test_a_call_from_the_answer_to_the_record():
    world = FakeWorld()
    call = a_call(world, id="c-1", facts={"direction": "inbound"})
    running = await started(call)
    await asyncio.sleep(3)
    returned = await call.tool_called("end_call", {}, id="t1")
    record = await running

    assert returned == (None, None, False), "the flow says goodbye itself: no further turn for the model"
    assert world.did == ["begin", "open", "say", "say", "drain", "delete_room", "aclose", "finish"]
    assert world.finished == ["completed"]
    assert (record.call, record.flow, record.outcome, record.final) == ("c-1", "small", "completed", "closed")
    assert (record.room, record.job) == ("room-1", "job-1")
    assert (record.cause.event, record.hung_up_by, record.cause.state) == ("delete_room", "agent", "ending")
    assert record.trigger == "tool.end_call"
    assert record.started == record.answered == EPOCH
    assert record.line_dropped == pytest.approx(EPOCH + 6.3)
    assert record.ended == pytest.approx(EPOCH + 6.4)
    assert record.seconds == pytest.approx(6.4)
    assert [(one.state, round(one.seconds, 1)) for one in record.states] == [
        ("talking", 5.0),
        ("ending", 1.4),
        ("closed", 0.0),
    ]
    assert [(one.verb, one.status) for one in record.effects] == [
        (verb, "ok") for verb in ("say", "say", "drain", "delete_room", "aclose", "shutdown")
    ]
    assert [round(one.seconds, 1) for one in record.effects] == [1.0, 1.0, 0.2, 0.1, 0.1, 0.0]
    assert record.effects[0].at.endswith(":16")
    assert (record.forced, record.notes, record.error, record.fault) == ((), (), None, None)
    assert call.record is record
    assert call.over


async def test_the_caller_hangs_up():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    world.hang_up()
    record = await running

    assert (record.outcome, record.cause.event, record.hung_up_by) == ("hung_up", "call.hangup", "caller")
    assert record.cause.state == "talking"
    assert record.cause.detail["cause"] == "bye"
    assert record.line_dropped == EPOCH + 2


async def test_the_first_cause_stays():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    world.hang_up()
    world.drop_line("PARTICIPANT_REMOVED")
    call.job_ends("parent process shutdown")
    record = await running

    assert (record.cause.event, record.hung_up_by) == ("call.hangup", "caller")


async def test_nobody_comes():
    world = FakeWorld(answers=False)
    record = await a_call(world).run()

    assert record.outcome == "no_answer"
    assert record.answered is None
    assert record.ended - record.started == pytest.approx(60.4)
    assert world.finished == ["no_answer"]


async def test_run_twice_is_the_same_call():
    world = FakeWorld()
    call = a_call(world)
    first, second = asyncio.create_task(call.run()), asyncio.create_task(call.run())
    await asyncio.sleep(1)
    world.hang_up()

    assert await first is await second is await call.run()
    assert world.did.count("begin") == world.did.count("finish") == 1


async def test_the_silence_ladder_by_the_clock():
    world = FakeWorld()
    record = await a_call(world).run()

    assert record.outcome == "abandoned"
    said = [round(time, 1) for time, what in world.log if what == "say"]
    assert said == [0.0, 13.0], "the greeting takes a second, and the caller's silence counts from its end"
    assert record.states[0].seconds == pytest.approx(1 + 12 + 1 + 18), "our own question is no silence of the caller's"


async def test_timers_due_at_once_fire_in_order_and_behind_what_is_in_the_inbox():
    text = """
callflow: 1
name: order
events: {app.first: {}}
initial: a
on: {app.first: {do: [{log: first}]}}
after: {5s: {do: [{log: outer}]}}
every: {5s: {do: [{log: every}]}}
states:
  a: {after: {5s: {do: [{log: inner}]}, 6s: {target: ending}}}
"""
    world = FakeWorld()
    call = a_call(world, text, waiting=False)
    seen = []

    async def watch(steps):
        async for step in steps:
            seen.extend(note.data["message"] for note in step.notes if note.kind == "log")

    watching = asyncio.create_task(watch(call.steps()))
    running = asyncio.create_task(call.run())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(5.0, call.send, "app.first")
    await running
    await watching
    assert seen[:4] == ["outer", "first", "every", "inner"], "the second timer is chosen after the step of the first"


async def test_one_timer_at_a_time():
    text = SMALL.replace("      12s: {do: [{say: Are you there?}]}\n", "").replace("silence:", "after:")
    world = FakeWorld()
    call = a_call(world, text)
    fired = []

    async def watch(steps):
        fired.extend([step.event async for step in steps if isinstance(step.event, TimerFired)])

    watching = asyncio.create_task(watch(call.steps()))
    record = await call.run()
    await watching
    assert len(fired) == 1
    assert fired[0].time == EPOCH + 30
    assert record.outcome == "abandoned"


# -- send -------------------------------------------------------------------------------------------------------------


async def test_events_of_the_flows_own():
    world = FakeWorld()
    call = a_call(world)
    call_before = a_call(FakeWorld())
    call_before.send("app.approved", {"amount": 1})  # waits for the call to begin
    running = await started(call)
    call.send("app.approved", {"amount": 3})
    await asyncio.sleep(1)
    assert call.snapshot.configuration == ("approved",)
    call.send("app.moved")
    await asyncio.sleep(1)
    assert call.snapshot.configuration == ("talking",)
    world.hang_up()
    await running
    with pytest.raises(CallEnded, match=r"is over: app\.moved cannot be sent"):
        call.send("app.moved")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("app.aproved", {"amount": 1}, 'did you mean "app.approved"?'),
        ("tool.end_call", {}, "no event that small declares"),
        ("app.approved", {}, "amount is missing"),
        ("app.approved", {"amount": "1"}, "takes an integer, not text"),
        ("app.approved", {"amount": 1, "bye": "x"}, 'bye is not declared (did you mean "by"?)'),
    ],
)
async def test_what_the_flow_does_not_declare_is_refused(name, data, sentence):
    call = a_call(FakeWorld())
    with pytest.raises(ValueError) as raised:
        call.send(name, data)
    assert sentence in str(raised.value)


async def test_a_flood_neither_starves_a_hang_up_nor_grows_without_bound():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    for _ in range(5 * INBOX_LIMIT):
        call.post("room.active_speakers_changed", {"identities": []})
    world.hang_up()
    record = await running
    assert record.outcome == "hung_up"
    assert record.cause.time == EPOCH + 2
    assert record.dropped == {"room.active_speakers_changed": 4 * INBOX_LIMIT - 1}, "the newest follows"


async def test_a_flood_leaves_the_loop_its_turn():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    for _ in range(INBOX_LIMIT):
        call.post("room.active_speakers_changed", {"identities": []})
    turns = 0
    while call._inbox:
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 10
    world.hang_up()
    await running


# -- tools ------------------------------------------------------------------------------------------------------------


async def test_a_tool_returns_when_its_event_was_taken():
    call = a_call(FakeWorld())
    running = await started(call)
    assert await call.tool_called("look_up", {"q": 1}) == (None, None, True)
    call.world.hang_up()
    await running


async def test_a_tool_returns_when_the_call_ends_meanwhile():
    text = SMALL.replace("{description: Looks.}", "{description: Looks., run: {http: {url: 'https://x.example'}}}")
    world = FakeWorld(http=hang)
    call = a_call(world, text)
    running = await started(call)
    waiting = asyncio.create_task(call.tool_called("look_up", {}))
    await asyncio.sleep(1)
    assert not waiting.done()
    world.hang_up()
    record = await running
    assert await waiting == ("This is being carried out.", None, False)
    assert (await call.tool_called("look_up", {})).error == "the call is over"
    assert [one.status for one in record.effects if one.verb == "http"] == ["timed_out"]
    assert record.late == ("the model called look_up: no end within 10 s",)


async def test_a_tool_whose_task_is_cancelled_leaves_nothing_behind():
    call = a_call(FakeWorld())
    running = await started(call)
    waiting = asyncio.create_task(call.tool_called("look_up", {}, id="x"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not call._tools
    call.world.hang_up()
    await running


async def test_current_call_is_found_in_what_the_call_runs():
    found = []

    async def say(world, effect):
        async def inner():
            found.append(current_call())

        await asyncio.create_task(inner())
        return {}

    world = FakeWorld(say=say)
    call = a_call(world)
    running = await started(call)
    with pytest.raises(CallflowError, match="there is no call here"):
        current_call()
    await call.hang_up("Bye.")
    await running
    assert found == [call, call], "also in a goodbye that was asked for from outside"


# -- hang_up ----------------------------------------------------------------------------------------------------------


async def test_hang_up_with_a_goodbye():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    await call.hang_up("We are closing now.")
    await call.hang_up("Again?")
    record = await running

    assert world.did == ["begin", "open", "say", "say", "drain", "delete_room", "aclose", "finish"]
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("cancelled", "job.shutdown", "program")
    assert record.ended - EPOCH == pytest.approx(2 + 1 + 0.4)
    await call.hang_up()
    assert world.did.count("finish") == 1


async def test_the_goodbye_of_hang_up_is_heard_to_its_end_and_no_longer_than_its_time():
    said = []

    async def says(world, effect):
        said.append((effect.arguments["text"], effect.arguments["interruptible"]))
        return await (ok(world, effect) if len(said) == 1 else hang(world, effect))

    world = FakeWorld(say=says)
    call = a_call(world)
    running = await started(call)
    await call.hang_up("We are closing now.")
    record = await running
    assert said[:2] == [("Hello.", None), ("We are closing now.", False)]
    assert record.ended - EPOCH == pytest.approx(2 + 30 + 0.4)
    assert (record.outcome, record.hung_up_by) == ("cancelled", "program")


async def test_hang_up_in_a_tool_does_not_wait_for_itself():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)

    async def tool():
        await call.hang_up("Bye.")
        return asyncio.get_running_loop().time()

    assert await asyncio.wait_for(asyncio.create_task(tool()), 0.1) == 2
    assert (await running).outcome == "cancelled"


async def test_a_tool_that_hangs_up_and_waits_for_the_end_does_not_hold_it_up():
    waited = []

    async def waits(world, effect):
        await world.call.hang_up("Bye.")
        try:
            await world.call.run()
        except asyncio.CancelledError:
            waited.append("stopped")
            raise

    world = FakeWorld(http=waits)
    call = a_call(world, SMALL.replace("{say: Hello.}", '{http: "https://crm.example"}'))
    record = await call.run()

    assert waited == ["stopped"]
    assert (record.cause.event, record.hung_up_by, record.outcome) == ("job.shutdown", "program", "cancelled")
    assert world.did == ["begin", "open", "http", "say", "drain", "delete_room", "aclose", "finish"]
    assert record.line_dropped == pytest.approx(EPOCH + 1.3), "right after the goodbye"
    assert record.notes == ()


async def test_hang_up_before_the_call_runs():
    world = FakeWorld()
    call = a_call(world)
    await call.hang_up("Never mind.")
    record = await call.run()
    assert (record.outcome, record.hung_up_by) == ("cancelled", "program")
    assert (world.session_open, world.line_up, world.finished) == (False, False, ["cancelled"])
    assert record.seconds < 2


async def test_what_was_sent_before_the_call_runs_is_taken_as_it_begins():
    world = FakeWorld()
    call = a_call(world)
    call.job_ends("too early: nobody has begun to listen to the job")
    call.send("app.approved", {"amount": 3})
    steps = call.steps()
    running = await started(call)
    times = {getattr(step.event, "name", None): step.event.time for step in [await anext(steps) for _ in range(3)][1:]}
    assert times["app.approved"] == EPOCH
    world.hang_up()
    assert (await running).outcome == "hung_up"


async def test_steps_of_a_call_that_is_over_are_none():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    world.hang_up()
    await running
    assert [step async for step in call.steps()] == []


async def test_what_happens_after_the_end_is_not_even_kept():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    world.hang_up()
    await running
    for _ in range(3):
        call.post("session.error", {})
    assert call._inbox == []


async def test_two_tools_that_the_model_calls_by_one_id_both_return():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    both = [asyncio.create_task(call.tool_called("look_up", {}, id="t1")) for _ in range(2)]
    assert [one.error for one in await asyncio.wait_for(asyncio.gather(*both), 5)] == [None, None]
    world.hang_up()
    await running


async def test_a_tool_that_is_cancelled_as_its_event_is_taken_costs_nothing():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    calling = asyncio.create_task(call.tool_called("look_up", {}, id="t1"))
    await asyncio.sleep(0)  # the event is in the inbox
    calling.cancel()
    await asyncio.sleep(2)
    assert calling.cancelled()
    world.hang_up()
    record = await running
    assert (record.outcome, record.error) == ("hung_up", None)


async def test_a_tool_whose_event_was_never_taken_returns_with_the_end():
    world = FakeWorld()
    call = a_call(world)
    running = await started(call)
    calling = asyncio.create_task(call.tool_called("look_up", {}, id="t1"))
    await asyncio.sleep(0)
    call.break_off(RuntimeError("something broke"))
    assert await asyncio.wait_for(calling, 1) == (None, "the call is over", False)
    await running


async def test_hang_up_is_terminal_also_where_no_row_takes_it():
    text = """
callflow: 1
name: deaf
standard: false
initial: talking
ending: ended
states:
  talking: {on: {call.hangup: ended}}
  ended: {final: true}
"""
    world = FakeWorld()
    call = a_call(world, text)
    running = await started(call)
    await call.hang_up()
    record = await running
    assert record.error == "CallflowError: the call was told to end, and did not end in time"
    assert (record.cause.event, record.hung_up_by) == ("job.shutdown", "program")
    assert record.ended - EPOCH <= 2 + 60 + 1
    assert record.forced == ("line", "session")
    assert (world.session_open, world.line_up, world.finished) == (False, False, ["failed"])


# -- steps and the snapshot -------------------------------------------------------------------------------------------


async def test_each_consumer_sees_every_step_from_when_it_subscribed():
    world = FakeWorld()
    call = a_call(world)
    early, late = [], []

    async def collect(steps, into):
        async for step in steps:
            into.append(step)
            await asyncio.sleep(0.5)  # slow, and misses nothing

    first = asyncio.create_task(collect(call.steps(), early))
    running = await started(call)
    second = asyncio.create_task(collect(call.steps(), late))
    left = call.steps()
    world.hang_up()
    record = await running
    await asyncio.gather(first, second)

    assert len(early) == record.steps
    assert early[-1].snapshot.ended
    assert early[-1].snapshot is call.snapshot
    assert next(step.event.name for step in late if isinstance(step.event, Event)) == "call.hangup"
    assert early[-len(late) :] == late
    assert [step async for step in left] == late, "also whoever begins to read when all is over"
    assert [step async for step in call.steps()] == []


async def test_a_consumer_that_is_cancelled_disturbs_no_other():
    world = FakeWorld()
    call = a_call(world)
    seen = []

    async def collect(into):
        async for step in call.steps():
            into.append(step)

    tasks = [asyncio.create_task(collect(seen)), asyncio.create_task(collect([]))]
    running = await started(call)
    tasks[1].cancel()
    world.hang_up()
    record = await running
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(seen) == record.steps


# -- the start --------------------------------------------------------------------------------------------------------


async def test_variables_that_do_not_fit_drop_the_line_and_are_told():
    world = FakeWorld()
    call = a_call(world, vars={"phone": "nonsense"})
    with pytest.raises(StartError, match=r"vars\.phone: takes a phone number"):
        await call.run()
    assert world.did == ["begin", "close session line", "finish"]
    assert call.record is not None
    assert (call.record.outcome, call.record.cause.by) == ("failed", "system")
    with pytest.raises(StartError):
        await call.run()


async def test_environment_variables_come_from_the_environment(monkeypatch):
    text = SMALL + "env: [CALLFLOW_TEST_TRUNK]\n"
    monkeypatch.delenv("CALLFLOW_TEST_TRUNK", raising=False)
    with pytest.raises(StartError, match="CALLFLOW_TEST_TRUNK is not set"):
        await a_call(FakeWorld(), text).run()
    monkeypatch.setenv("CALLFLOW_TEST_TRUNK", "ST_1")
    call = a_call(FakeWorld(), text)
    running = await started(call)
    assert call.snapshot.memory.env == {"CALLFLOW_TEST_TRUNK": "ST_1"}
    call.world.hang_up()
    await running


async def test_a_session_that_does_not_start_ends_the_call():
    world = FakeWorld()
    world.breaks.add("open")
    record = await a_call(world).run()
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("failed", "session.close", "system")
    assert record.notes == ("the session did not start: ValueError: open is broken",)
    assert world.did[-1] == "finish"


async def test_a_session_that_never_starts_ends_the_call():
    world = FakeWorld(say=hang)
    world.hangs.add("open")
    record = await a_call(world).run()
    assert record.outcome in ("failed", "no_answer")
    assert record.ended - EPOCH < 75
    assert world.finished


async def test_wrap_up_has_the_transcript_and_the_record():
    sent = []

    async def http(world, effect):
        sent.append(effect.arguments["json"])
        return {"status": 200, "body": None}

    text = (
        SMALL
        + 'wrap_up: [{http: {url: "https://crm.example", method: POST, json: {said: "{{ call.transcript }}", record: "{{ call.record }}"}}}]\n'
    )
    world = FakeWorld(http=http)
    call = a_call(world, text)
    running = await started(call)
    world.hang_up()
    record = await running
    assert world.did[-4:] == ["aclose", "close", "http", "finish"]
    assert sent[0]["said"] == [{"role": "user", "text": "Hi, I am +15551234567"}]
    assert sent[0]["record"]["outcome"] == "hung_up"
    assert sent[0]["record"]["cause"]["event"] == "call.hangup"
    assert record.forced == (), "nothing was open"
