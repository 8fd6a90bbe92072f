"""Rule 16: whatever fails, hangs or never ends, a call ends exactly once, closed, its job ended, its record written."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import weakref

import pytest

import callflow.runtime.actor as actor_module
from callflow.core.events import EffectEnded, TimerFired
from tests.support.worlds import EPOCH, SMALL, FakeWorld, a_call, crash, fail, hang, odd, slow_to_stop, swallow

FULL = """
callflow: 1
name: full
tools:
  end_call: {description: The caller is done.}
python:
  verify: {parameters: {pin: {type: string, pii: true}}, returns: {ok: boolean}}
wrap_up: [{http: {url: "https://crm.example"}}]
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Greet.}}, {python: {name: verify, arguments: {pin: "1234"}}}]
    exit: [{send_data: bye}]
    tools: [end_call]
    after: {20s: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
"""

VERBS = ("generate_reply", "python", "send_data", "say", "drain", "delete_room", "aclose", "close", "http")


def ended_well(world: FakeWorld, record) -> None:
    """What holds however a call has ended."""
    assert world.did.count("finish") == 1, "the job is told to end, once"
    assert world.did[-1] == "finish", "as the last thing"
    assert not world.line_up
    assert not world.session_open
    assert record is world.call.record
    json.dumps(record.to_json())


@pytest.mark.parametrize("act", [fail, crash, hang, swallow, slow_to_stop, odd], ids=lambda act: act.__name__)
@pytest.mark.parametrize("verb", VERBS)
async def test_each_effect_failing_hanging_or_never_stopping(verb, act):
    world = FakeWorld(**{verb: act})
    call = a_call(world, FULL)
    record = await call.run()
    world.let_go.set()
    await asyncio.sleep(4)
    ended_well(world, record)
    assert record.ended - EPOCH < 150, "and before anybody has lost patience"
    statuses = {one.verb: one.status for one in record.effects}
    if verb == "close":
        assert statuses[verb] in ("ok", "running", "cancelled"), (
            "what the world's own way does not close, its last resort does"
        )
    elif verb in statuses:
        assert statuses[verb] in ("failed", "timed_out", "cancelled") or act in (swallow, slow_to_stop)


async def test_every_effect_fails():
    world = FakeWorld(**dict.fromkeys(VERBS, fail))
    record = await a_call(world, FULL).run()
    ended_well(world, record)
    assert record.forced == ("line", "session")
    assert "close session line" in world.did


async def test_nobody_is_on_the_line_while_a_call_is_wrapped_up():
    world = FakeWorld(delete_room=fail, close=fail)
    record = await a_call(world, FULL).run()
    ended_well(world, record)
    assert world.did[-4:] == ["close", "close line", "http", "finish"]
    assert record.forced == ("line",)


async def test_every_effect_hangs_and_swallows_and_so_does_the_close():
    world = FakeWorld(**dict.fromkeys(VERBS, swallow))
    world.hangs.add("close")
    record = await a_call(world, FULL).run()
    world.let_go.set()
    await asyncio.sleep(1)
    assert world.finished == ["completed"]
    assert "closing line and session took longer than 10 s" in record.notes
    assert any("did not stop" in note for note in record.notes)
    assert record.ended - EPOCH < 250


@pytest.mark.parametrize("method", ["begin", "open", "settle", "hurry", "facts", "close", "finish"])
async def test_each_method_of_the_world_raising(method):
    world = FakeWorld()
    world.breaks |= {method, "close session line", "close session", "close line"} if method == "close" else {method}
    if method == "close":
        world.acts = {"delete_room": hang, "close": hang}
    call = a_call(world, FULL)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    call.job_ends("worker closes", worker=True)
    record = await running
    assert call.record is record
    assert record.ended - EPOCH <= 2 + 8
    if method != "finish":
        assert world.did.count("finish") == 1
    if method == "close":
        assert "closing line and session failed: ValueError: close session line is broken" in record.notes
    if method in ("settle", "hurry", "facts", "finish"):
        assert f"{method}: ValueError: {method} is broken" in record.notes


@pytest.mark.parametrize("nth", range(1, 14))
async def test_the_step_itself_raising(monkeypatch, nth):
    real = actor_module.step
    count = itertools.count(1)

    def step(flow, snapshot, event):
        if next(count) == nth:
            raise KeyError("a bug in the step")
        return real(flow, snapshot, event)

    monkeypatch.setattr(actor_module, "step", step)
    world = FakeWorld()
    record = await a_call(world, FULL).run()
    ended_well(world, record)
    if next(count) > nth:
        assert record.error == "KeyError: 'a bug in the step'"
        assert record.outcome in ("failed", "completed")


async def test_a_call_that_nothing_could_end_is_ended(monkeypatch):
    """An effect's end that gets lost on its way to the step: no timer and no effect is left in the ending."""
    real = actor_module.step

    def step(flow, snapshot, event):
        if isinstance(event, EffectEnded) and snapshot.memory.effects[event.id].verb == "http":
            lost = snapshot._replace(memory=snapshot.memory._replace(effects={}, timers=()))
            return actor_module.Step(event, lost)
        return real(flow, snapshot, event)

    monkeypatch.setattr(actor_module, "step", step)
    world = FakeWorld()
    record = await a_call(world, FULL).run()
    ended_well(world, record)
    assert "nothing is under way that could end the call" in record.error


async def test_late_results_are_recorded():
    text = (
        SMALL.replace("entry: [{say: Hello.}]", "entry: [{python: {name: slow, timeout: 2s, optional: true}}]")
        + "python: {slow: {}}\n"
    )
    world = FakeWorld(python=swallow)
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(5)
    assert [one.status for one in call.draft().effects if one.verb == "python"] == ["timed_out"]
    world.let_go.set()
    await asyncio.sleep(1)
    world.hang_up()
    record = await running
    assert record.late == ("python (1) ended after it was given up: answered",)
    assert "python (1) did not stop when its time was up" in record.notes


async def test_a_cancelled_effect_that_is_slow_to_stop_holds_up_what_follows_five_seconds_at_most():
    world = FakeWorld(say=swallow)
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    record = await running
    at = {what: time for time, what in world.log}
    assert at["delete_room"] == pytest.approx(2 + 5 + 0.2)
    assert "effect 1 (say) did not stop when it was cancelled" in record.notes
    assert world.swallowed >= 2, "it is cancelled once more at the end"
    assert any("say 1 did not stop and was left behind" in note for note in record.notes)
    world.let_go.set()
    await asyncio.sleep(0.1)


async def test_a_timer_of_a_step_that_raises_leaves_no_timer(monkeypatch):
    real = actor_module.step

    def step(flow, snapshot, event):
        if type(event) is TimerFired:
            raise ArithmeticError("no")
        return real(flow, snapshot, event)

    monkeypatch.setattr(actor_module, "step", step)
    world = FakeWorld()
    call = a_call(world)
    record = await call.run()
    ended_well(world, record)
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]


async def test_a_call_that_is_over_is_forgotten():
    world = FakeWorld()
    call = a_call(world)
    gone = weakref.ref(call)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    await running
    del call, world, running
    await asyncio.sleep(0)
    gc.collect()
    assert gone() is None


async def test_the_record_is_written_although_the_disk_does_not_take_it(tmp_path):
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    world = FakeWorld()
    call = a_call(world, folder=blocked / "calls")
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    record = await running
    ended_well(world, record)
    assert record.outcome == "hung_up"
    assert any("could not be written: Not a directory" in note for note in record.notes)
    assert any("is not whole: Not a directory" in note for note in record.notes)


async def test_an_effect_that_was_only_just_started_does_not_act_after_the_end():
    async def breaks(world, effect):
        world.call.break_off(RuntimeError("something broke"))
        return {}

    world = FakeWorld(say=breaks)
    text = SMALL.replace("{say: Hello.}", '{say: {text: Hello., wait: false}}, {http: "https://crm.example"}')
    record = await a_call(world, text).run()
    ended_well(world, record)
    assert "http" not in world.did


async def test_a_worker_that_closes_while_the_end_runs_makes_it_quick():
    world = FakeWorld()
    world.hangs.add("close")
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    call.break_off(RuntimeError("something broke"))
    await asyncio.sleep(1)
    call.job_ends("closes", worker=True)
    record = await running
    assert record.ended - EPOCH <= 3 + 2
    assert "closing line and session took longer than 1 s" in record.notes


LISTENS = """
callflow: 1
name: listens
vars: {name: {type: string, default: "", pii: true}}
tools: {name_given: {description: The caller has said a name., parameters: {name: {type: string, pii: true}}}}
python: {look_up: {parameters: {pin: {type: string, pii: true}}, returns: {what: string}}}
wrap_up: [{http: {url: "https://crm.example", method: POST, json: {said: "{{ call.transcript }}"}}}]
initial: talking
states:
  talking:
    entry: [{python: {name: look_up, arguments: {pin: "1234"}}}]
    tools: [name_given]
    on:
      tool.name_given: {do: [{set: {name: "{{ event.name }}"}}, {log: "{{ vars.name }}"}, {say: "Hello {{ vars.name }}."}]}
    after: {20s: {target: ending, do: [{outcome: completed}]}}
"""


@pytest.mark.parametrize("written", [True, False])
async def test_half_a_letter_in_what_is_private_costs_nothing(tmp_path, written):
    world = FakeWorld()
    call = a_call(world, LISTENS, folder=tmp_path if written else None, id="c")
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    name = json.loads(r'"Ann \ud83d Lee"')  # as a model's JSON may hold it: one half of a surrogate pair
    await call.tool_called("name_given", {"name": name})
    record = await running
    ended_well(world, record)
    assert (record.outcome, record.error, record.notes) == ("completed", None, ())
    assert "say" in world.did
    files = "".join(one.read_text(encoding="utf-8") for one in tmp_path.iterdir())
    assert "Ann" not in json.dumps(record.to_json()) + files


class Untellable:
    def __str__(self):
        raise ValueError("no words for it")

    __repr__ = __str__


def round_about():
    made = {}
    made["again"] = made
    return made


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("make", [Untellable, round_about, lambda: 10**5000], ids=["untellable", "circular", "huge"])
async def test_a_result_that_is_no_json_costs_the_record_its_details_and_the_call_nothing(tmp_path, make, written):
    async def brings(world, effect):
        return {"what": make()}

    world = FakeWorld(python=brings)
    call = a_call(world, LISTENS, folder=tmp_path if written else None, id="c")
    record = await call.run()
    assert (record.outcome, record.error) == ("completed", None)
    assert (record.effects[0].verb, record.effects[0].status) == ("python", "ok")
    assert record.ended - EPOCH < 25, "no state waits for the end of an effect that has ended"
    assert world.did[-1] == "finish"
    assert not world.line_up
    assert not world.session_open
    if written:
        saved = json.loads((tmp_path / "c.json").read_text())
        assert (saved["outcome"], saved["cause"]["event"], saved["final"]) == ("completed", "delete_room", "closed")
        assert call.redactor.full or any("cannot be written as JSON" in note for note in saved["notes"])
        assert any("cannot be written as JSON" in note for note in record.notes)
    else:
        assert call.redactor.full or isinstance(make(), int), (
            "what could not be learned must not be found in a text either"
        )


# -- the end itself ----------------------------------------------------------------------------------------------------


async def broken_off(call, world, *, after=2.0, **acts):
    """A call that something breaks; its record, when the end has run."""
    running = asyncio.create_task(call.run())
    await asyncio.sleep(after)
    world.acts |= acts
    call.break_off(RuntimeError("something broke"))
    return running


async def test_what_runs_is_stopped_before_anything_is_closed():
    stopped = []

    async def stops_in_a_moment(world, effect):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)
            stopped.append(world.line_up)

    world = FakeWorld(say=stops_in_a_moment)
    record = await (await broken_off(a_call(world), world))
    ended_well(world, record)
    assert stopped == [True], "the line was still up"
    assert [(one.verb, one.status) for one in record.effects] == [("say", "cancelled")]
    assert record.forced == ("line", "session")
    assert record.line_dropped == EPOCH + 2.5
    assert not any("left behind" in note for note in record.notes)


async def test_an_effect_that_was_left_behind_is_told_once_more_at_the_end():
    told = []

    async def stubborn_once(world, effect):
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append(world.call.now() - EPOCH)
        return {}

    world = FakeWorld(http=stubborn_once)
    text = SMALL.replace("{say: Hello.}", '{http: {url: "https://crm.example", timeout: 3s, optional: true}}')
    record = await (await broken_off(a_call(world, text), world, after=20))
    ended_well(world, record)
    assert told == [3.0, 20.0]
    assert record.notes == ("http (1) did not stop when its time was up",)


async def test_a_start_that_still_runs_is_stopped_with_the_call():
    world = FakeWorld()
    world.hangs.add("open")
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    opening = call.effects.opening.task
    world.hang_up()
    record = await running
    assert opening.cancelled()
    assert world.finished == [record.outcome]


@pytest.mark.parametrize("how", ["fails", "never ends"])
async def test_a_session_that_did_not_start_is_closed_by_force_whatever_the_flow_has_closed(how):
    async def opens():
        world.call.post("call.answered", {"leg": "far_end", "identity": "caller-7"})
        if how == "fails":
            raise ConnectionError("no route")
        await asyncio.Event().wait()

    world = FakeWorld()
    world.open = opens
    text = SMALL.replace("      12s: {do: [{say: Are you there?}]}\n      30s:", "      90s:")
    record = await a_call(world, text).run()
    assert "aclose" in world.did
    assert "close session" in world.did, "what is half open no aclose() closes"
    assert (record.outcome, record.cause.event) == ("failed", "session.close")
    assert record.ended - EPOCH < (62 if how == "never ends" else 2)


async def test_whoever_cancels_every_task_during_the_end_does_not_undo_it():
    async def takes(session, line):
        await asyncio.sleep(3)
        await closes(session=session, line=line)

    world = FakeWorld()
    closes, world.close = world.close, takes
    call = a_call(world)
    running = await broken_off(call, world)
    await asyncio.sleep(1)
    for task in [task for task in asyncio.all_tasks() if task.get_name().startswith("callflow")]:
        task.cancel()
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    ended_well(world, call.record)
    assert world.did.count("close session line") == 1
    assert call.record.ended - EPOCH == 2 + 1 + 3, "begun again, and not hurried"


async def test_whom_an_agent_was_to_leave_on_the_line_stays_there_when_the_call_breaks():
    world = FakeWorld()
    text = SMALL.replace("{say: Hello.}", "{hang_up: {for: agent}}")
    record = await (await broken_off(a_call(world, text), world, after=0.05))
    assert (world.line_up, world.session_open) == (True, False)
    assert record.forced == ("session",)


async def test_a_worker_with_time_does_not_make_the_end_longer():
    world = FakeWorld()
    world.hangs.add("close")
    call = a_call(world, worker_seconds=800.0)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    call.job_ends("closes", worker=True)
    call.break_off(RuntimeError("something broke"))
    record = await running
    assert record.ended - EPOCH < 2 + 12


async def test_the_job_ends_with_the_reason_that_the_flow_gives():
    world = FakeWorld()
    text = SMALL + "  ending: {entry: [delete_room, aclose, {shutdown: {reason: all is said}}], on: {done: closed}}\n"
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    await running
    assert world.finished == ["all is said"]


async def test_nothing_is_taken_once_something_has_broken():
    world = FakeWorld()
    call = a_call(world)
    steps = call.steps()
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.settle = lambda step: call.break_off(RuntimeError("something broke"))
    call.send("app.approved", {"amount": 3})
    call.send("app.moved")
    await running
    assert [
        name for step in [one async for one in steps] if (name := getattr(step.event, "name", "")).startswith("app")
    ] == ["app.approved"]


async def test_an_end_that_fails_altogether_still_has_a_record(monkeypatch):
    async def breaks(_):
        raise LookupError("a bug in the end")

    monkeypatch.setattr("callflow.runtime.ending.Ending.run", breaks)
    world = FakeWorld()
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    record = await running
    assert record.outcome == "hung_up"
    assert record.notes == ("the end of the call: LookupError: a bug in the end",)


async def test_what_fails_at_each_step_is_logged_once(caplog):
    world = FakeWorld()
    world.breaks.add("settle")
    call = a_call(world)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    world.hang_up()
    await running
    assert caplog.text.count("settling a step has failed") == 1
