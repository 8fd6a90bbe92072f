"""One effect: its tries, its time limit, its end."""

from __future__ import annotations

import asyncio

import pytest

from callflow.errors import EffectError
from callflow.runtime.overflow import INBOX_MOST
from tests.support.worlds import SMALL, FakeWorld, a_call, hang, ok


def times(world, verb):
    return [round(time, 2) for time, what in world.log if what == verb]


async def one_effect(
    world, action="http: {url: 'https://x.example', timeout: 3s, retry: {times: 2, backoff: 2s}, optional: true}"
):
    call = a_call(world, SMALL.replace("entry: [{say: Hello.}]", f"entry: [{{{action}}}]"))
    running = asyncio.create_task(call.run())
    await asyncio.sleep(40)
    world.hang_up()
    record = await running
    return next(one for one in record.effects if one.id == 1)


async def test_it_is_tried_again_with_a_growing_pause():
    async def fails(world, effect):
        await asyncio.sleep(0.5)
        raise EffectError("busy right now")

    world = FakeWorld(http=fails)
    effect = await one_effect(world)
    assert times(world, "http") == [0.0, 2.5, 7.0]
    assert (effect.status, effect.tries, effect.error) == ("failed", 3, "busy right now")
    assert effect.seconds == pytest.approx(7.5)


async def test_the_time_limit_holds_for_each_try():
    world = FakeWorld(http=hang)
    effect = await one_effect(world)
    assert times(world, "http") == [0.0, 5.0, 12.0]
    assert (effect.status, effect.tries, effect.error) == ("timed_out", 3, "no end within 3 s")
    assert effect.seconds == pytest.approx(15.0)


async def test_the_first_try_that_succeeds_is_its_end():
    async def second_time(world, effect):
        if times(world, "http") == [0.0]:
            raise ConnectionError
        return await ok(world, effect)

    world = FakeWorld(http=second_time)
    effect = await one_effect(world)
    assert times(world, "http") == [0.0, 2.0]
    assert (effect.status, effect.tries, effect.error) == ("ok", 2, None)


SIDE_BY_SIDE = """
callflow: 1
name: side-by-side
initial: all
states:
  all:
    parallel: true
    states:
      seven: {entry: [{http: {url: "https://7.example", timeout: 7s, optional: true}}, {http: {url: "https://4.example", timeout: 4s, optional: true}}]}
      three: {entry: [{http: {url: "https://3.example", timeout: 3s, optional: true}}, {http: {url: "https://5.example", timeout: 5s, optional: true}}]}
      ends: {entry: [{http: {url: "https://soon.example", timeout: 2s, optional: true}}, {http: {url: "https://6.example", timeout: 6s, optional: true}}]}
    on: {call.hangup: ending}
"""


async def test_each_of_several_that_run_side_by_side_has_a_time_limit_of_its_own():
    async def soon(world, effect):
        if "soon" not in effect.arguments["url"]:
            await hang(world, effect)
        await asyncio.sleep(1)
        return {"status": 200}

    world = FakeWorld(http=soon)
    call = a_call(world, SIDE_BY_SIDE)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(40)
    world.hang_up()
    record = await running
    ended = [(one.id, one.status, round(one.seconds, 2)) for one in record.effects if one.verb == "http"]
    assert sorted(ended) == [
        (1, "timed_out", 7.0),
        (2, "timed_out", 3.0),
        (3, "ok", 1.0),
        (4, "timed_out", 6.0),  # begun at 1 s
        (5, "timed_out", 5.0),  # at 3 s
        (6, "timed_out", 4.0),  # at 7 s
    ]


async def test_a_try_that_does_not_stop_is_left_behind_after_a_second():
    async def stubborn_once(world, effect):
        if times(world, "http") == [0.0]:
            while not world.let_go.is_set():
                try:
                    await world.let_go.wait()
                except asyncio.CancelledError:
                    world.swallowed += 1
        return {"status": 200}

    world = FakeWorld(http=stubborn_once)
    effect = await one_effect(world)
    assert times(world, "http") == [0.0, 6.0]
    assert (effect.status, effect.result) == ("ok", {"status": 200})
    world.let_go.set()
    await asyncio.sleep(0)


async def test_what_a_try_brings_as_it_stops_is_its_result():
    """A speech that was cut says how far it came."""

    async def stops(world, effect):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)
            return {"spoken": "Hel"}

    effect = await one_effect(FakeWorld(say=stops), "say: {text: Hello., timeout: 3s, optional: true}")
    assert (effect.status, effect.result, effect.error) == ("timed_out", {"spoken": "Hel"}, "no end within 3 s")
    assert effect.seconds == 3.5


async def test_leaving_the_state_between_two_tries_ends_it():
    world = FakeWorld(http=hang)
    call = a_call(
        world,
        SMALL.replace(
            "entry: [{say: Hello.}]",
            "entry: [{http: {url: 'https://x.example', timeout: 3s, retry: {times: 3, backoff: 60s}}}]",
        ),
    )
    running = asyncio.create_task(call.run())
    await asyncio.sleep(10)
    world.hang_up()
    record = await running
    assert (record.effects[0].status, record.effects[0].tries) == ("cancelled", 1)
    assert times(world, "delete_room") == [10.2]
    await asyncio.sleep(200)
    assert times(world, "http") == [0.0], "nor is it tried again when the call is over"


class Wordless(ValueError):
    def __str__(self):
        raise TypeError("no words for it")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (EffectError("the trunk refuses"), "the trunk refuses"),
        (ValueError("bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (asyncio.CancelledError(), "cancelled from outside"),
        (TimeoutError(), "TimeoutError"),
        (Wordless("x"), "Wordless"),
    ],
)
async def test_what_its_error_says(error, sentence):
    async def fails(world, effect):
        raise error

    effect = await one_effect(FakeWorld(say=fails), "say: {text: Hello., optional: true}")
    assert (effect.status, effect.error) == ("failed", sentence)


async def test_a_result_must_be_a_mapping():
    async def strange(world, effect):
        return "ok"

    effect = await one_effect(FakeWorld(say=strange), "say: {text: Hello., optional: true}")
    assert effect.error == "its result must be a mapping, not str"


@pytest.mark.parametrize("first", ["its end", "the hang-up"])
async def test_an_end_and_the_hang_up_that_cancels_it_in_one_turn_of_the_loop(first):
    """What comes first is taken first. What succeeded all the same is not lost: it stands among what came late."""

    async def says(world, effect):
        await asyncio.sleep(1)
        if first == "the hang-up":
            world.hang_up()
        else:
            asyncio.current_task().add_done_callback(lambda _: world.hang_up())  # after the runtime's own
        return {"result": "answered"}

    world = FakeWorld(say=says)
    record = await a_call(world).run()
    assert record.outcome == "hung_up"
    assert (record.effects[0].verb, record.effects[0].seconds) == ("say", 1.0)
    if first == "its end":
        assert (record.effects[0].status, record.effects[0].result, record.late) == ("ok", {"result": "answered"}, ())
    else:
        assert (record.effects[0].status, record.effects[0].result) == ("cancelled", {})
        assert record.late == ("say (1) ended after it was given up: answered",)


async def test_a_world_that_fails_before_it_can_be_awaited_is_a_failure():
    world = FakeWorld()
    awaited = world.perform

    def perform(effect):
        if effect.verb == "http":
            raise LookupError("no such verb here")
        return awaited(effect)

    world.perform = perform
    effect = await one_effect(world)
    assert (effect.status, effect.tries, effect.error) == ("failed", 3, "LookupError: no such verb here")


# -- the first step ----------------------------------------------------------------------------------------------------

CHAIN = """
callflow: 1
name: chain
events: {app.go: {}, app.leave: {}}
initial: talking
states:
  talking:
    on: {app.go: acting}
  acting:
    entry: [{http: "https://one.example"}, {http: "https://two.example"}]
    on: {app.leave: talking}
"""


async def talking(world, text=CHAIN):
    call = a_call(world, text)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(1)
    return call, running


async def test_what_waits_for_nothing_costs_no_turn_of_the_loop():
    """The event, two actions one after the other, and their ends: all of it in the turn in which the event is taken."""

    async def at_once(world, effect):
        world.log.append((0.0, effect.arguments["url"]))
        return {}

    world = FakeWorld(http=at_once)
    call, running = await talking(world)
    call.post("app.go")
    await asyncio.sleep(0)
    assert [what for what in world.did if "example" in what] == ["https://one.example", "https://two.example"]
    assert not call.effects.running
    world.hang_up()
    record = await running
    assert [one.status for one in record.effects if one.verb == "http"] == ["ok", "ok"]


async def test_what_is_cancelled_before_its_first_step_never_acts():
    """By what has come before it could."""
    world = FakeWorld(http=hang)
    call, running = await talking(world)
    call.post("app.go")
    call.post("app.leave")
    await asyncio.sleep(1)
    assert "http" not in world.did
    world.hang_up()
    record = await running
    assert [one.status for one in record.effects if one.verb == "http"] == ["cancelled"]


async def test_effects_that_never_wait_leave_the_loop_its_turns():
    """A flow that goes round in circles: others have their turn all the same, and its own limit ends it."""

    async def at_once(world, effect):
        return {}

    text = CHAIN.replace("on: {app.leave: talking}", "on: {done: {target: acting, reenter: true}}")
    text = text.replace("initial: talking", "limits: {no_progress: 300}\ninitial: talking")
    world = FakeWorld(http=at_once)
    call, running = await talking(world, text)
    call.post("app.go")
    await asyncio.sleep(0)
    turns = 0
    while call.snapshot.configuration == ("acting",):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5
    assert (await running).outcome == "timed_out"


async def test_the_end_of_one_is_told_before_what_hangs_on_it_acts():
    """The start of the session tells of who has answered, and fails in the same breath: what is begun by that waits until the
    failure is told."""
    told = []

    class Failing(FakeWorld):
        async def open(self):
            await asyncio.sleep(0.5)
            self.call.post("call.answered", {"leg": "far_end", "identity": "caller-7"})
            raise EffectError("no session today")

        async def perform(self, effect):
            told.append((effect.verb, self.call.effects.opening is None))
            return await super().perform(effect)

    world = Failing()
    record = await a_call(world, CHAIN.replace("initial: talking", "initial: acting")).run()
    assert told
    assert ("http", False) not in told
    assert record.cause.event == "session.close"


async def test_one_that_ends_the_call_in_its_own_first_step_has_stopped_when_the_call_is_over():
    """A flood that it brings about, say: more than a call can keep."""
    stopped = []

    async def floods(world, effect):
        for n in range(INBOX_MOST + 1):
            world.call.post("room.data_received", {"topic": "news", "data": str(n)})
        try:
            return await hang(world, effect)
        finally:
            await asyncio.sleep(0.5)
            stopped.append(effect.verb)

    text = CHAIN.replace("app.leave: talking", "app.leave: talking, room.data_received: {do: [{log: News.}]}")
    world = FakeWorld(http=floods)
    call, running = await talking(world, text)
    call.post("app.go")
    record = await running
    assert "events wait that must not be lost" in record.error
    assert stopped == ["http"]
