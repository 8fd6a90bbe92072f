"""A call as a person tells it."""

from __future__ import annotations

import callflow
from callflow.core.actions import EVERY_VERB
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.scenario import tell, tell_steps
from callflow.scenario.telling import RESULTS
from callflow.testing import SimulatedServer, Tool
from callflow.testing.play import Stage, talks

COLLEAGUE = """
callflow: 1
name: colleague
initial: talking
legs: {}
states:
  talking:
    must_finish: true
    entry: [{dial: {to: "+15550100100", trunk: ST_1, leg: colleague, ringing_timeout: 30s}}]
    on: {done: ending, dial.*: ending}
"""


def test_a_telephone_that_rings_for_nobody():
    flow = callflow.loads(COLLEAGUE)
    inputs = [
        Event("leg.colleague.ringing", {"leg": "colleague"}, 1.0),
        Event("call.hangup", {"leg": "far_end", "by": "caller"}, 4.0),
        EffectEnded(1, "ok", {"result": "no_answer"}, None, 34.0),
    ]
    assert tell(flow, inputs) == [
        "0 s: the call begins. In talking. The colleague is called.",
        "1 s: the colleague's phone rings.",
        "4 s: the caller hangs up. That waits until talking is done.",
        "Until 34 s the colleague's phone rings for nobody.",
        "34 s: the colleague does not answer. In ending.",
    ]


def test_what_is_heard_what_is_cut_and_for_how_long_nothing_is():
    flow = callflow.load("flows/smallest.yaml")
    inputs = [
        EffectEnded(1, "ok", {"interrupted": False, "spoken": "", "heard": True}, None, 2.5),
        Event("tool.end_call", {}, 20.0),
        Event("call.dropped", {"leg": "far_end"}, 20.2),
        EffectEnded(2, "failed", {}, "the voice has failed", 21.0),
    ]
    assert tell(flow, inputs) == [
        "0 s: the call begins. In talking. The model speaks (Greet the caller and help.).",
        "Until 20 s the caller hears nothing.",
        '20 s: the model calls end_call. In ending. The caller hears "Goodbye."',
        "20.2 s: the caller has vanished.",
        "21 s: say fails: the voice has failed. Outcome: completed.",
    ]


def test_timers_and_silences():
    flow = callflow.load("flows/silence-ladder.yaml")
    step = callflow.start(flow)
    reply = EffectEnded(1, "ok", {"interrupted": False, "spoken": "", "heard": True}, None, 3.0)
    step = callflow.step(flow, step.snapshot, reply)
    first = step.snapshot.timers[0]
    assert tell(flow, [reply, TimerFired(first.generation, first.due)])[1:] == [
        "Until 11 s the caller hears nothing.",
        '11 s: nobody has said anything for 8s in conversation.talking. The caller hears "Are you still there?"',
    ]


def test_what_goes_on_though_nothing_more_happens():
    flow = callflow.loads(COLLEAGUE)
    assert tell(flow, [Event("call.hangup", {"leg": "far_end", "by": "caller"}, 4.0)], until=34.0)[1:] == [
        "4 s: the caller hangs up. That waits until talking is done.",
        "Until 34 s the colleague's phone rings for nobody.",
    ]
    said = EffectEnded(1, "ok", {"interrupted": False, "spoken": "", "heard": True}, None, 2.5)
    assert tell(callflow.load("flows/smallest.yaml"), [said], until=60.0)[1:] == [
        "Until 60 s the caller hears nothing."
    ]


def test_what_no_row_takes():
    flow = callflow.loads(COLLEAGUE)
    pressed = Event("dtmf.7", {"digit": "7", "leg": "far_end"}, 3.0)
    assert tell(flow, [pressed])[1:] == ["3 s: the caller presses 7. No row takes that."]


async def test_a_call_that_was_followed_in_a_room():
    async with SimulatedServer() as server:
        call = Stage(callflow.load("flows/smallest.yaml"), server, ["Good day.", Tool("end_call")], talks("Bye."))
        await call.play()
    told = tell_steps(call.flow, call.steps)
    assert [line.partition(" s: ")[2] for line in told] == [
        "the call begins.",
        "the caller is on the line. In talking. The model speaks (Greet the caller and help.).",
        "the caller begins to speak.",
        'the caller says "Bye." The caller is quiet.',
        'the model calls end_call. In ending. The caller hears "Goodbye."',
        "Outcome: completed.",
        "the line drops.",
        "In closed. The call is over.",
    ]


def test_every_named_result_is_told():
    assert RESULTS.keys() == {name for verb in EVERY_VERB.values() for name in verb.results}
