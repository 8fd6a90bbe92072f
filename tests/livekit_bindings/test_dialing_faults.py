"""Dials, crossed: what the telephone does, what LiveKit's API makes of each request, and when the flow gives up or the
call ends. Whatever comes together: one result at most for each dial, one INVITE at most, and nothing left that rings.

`CALLFLOW_DIALS=5000` plays that many calls; the seed of one that goes wrong is in the test's name.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random

import pytest

from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import Fault, SimulatedServer
from tests.support.phone import calls, dials, outbound, rings_on, story

CALLS = int(os.environ.get("CALLFLOW_DIALS", "120"))

FLOW = """
callflow: 1
name: crossed
events: {app.stop: {}, app.leave: {}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 10s}}]
    on:
      app.stop: {do: [cancel_dial]}
      app.leave: waiting
      dial.answered: talking
      dial.*: waiting
  waiting: {after: {4s: second}}
  second:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 10s}}]
    on: {app.leave: ending, dial.answered: talking, dial.*: ending}
  talking:
    entry: [{say: Hello there.}]
    on: {app.leave: ending}
    after: {15s: ending}
"""


def far_end(dice):
    at = dice.choice([0.0, 0.01, 0.05, 0.3, 0.5, 2.0, 5.0, 9.99, 10.0, 10.02, math.inf])
    return dice.choice([
        FarEnd(at, on_cancel=dice.choice([487, 200, None])),
        FarEnd(at, hangs_up=dice.choice([0.0, 0.01, 0.02, 0.1, 3.0])),
        FarEnd(at if at < 20 else 1.0, dice.choice([302, 401, 403, 404, 408, 480, 486, 487, 500, 503, 600, 603])),
        FarEnd(at, hangs_up=2.0, ghost=True),
        *(FAR_ENDS[name] for name in ("service_absent", "service_exhausted", "unreachable", "bridge_dies", "no_sound")),
        FarEnd(service=dice.choice(["fails", "hangs"])),
        FarEnd(at, progress=None),
        FarEnd(reach=dice.choice(["refused", "unknown", "no_codec"])),
    ])  # fmt: skip


def faults(dice, *, most, late=3.0):
    """Some of the first requests fail, late, before or after they have done their work."""
    made = []
    for _ in range(dice.randrange(most + 1)):
        status = dice.choice([None, 500, 503, 502])
        made.append(Fault(status, dice.choice([0.0, 0.02, 0.5, late]), works=dice.random() < 0.4))
    return made


@pytest.mark.parametrize("seed", range(CALLS))
async def test_whatever_comes_together(seed):
    dice = random.Random(seed)
    async with SimulatedServer() as server:
        server.faults |= {
            "CreateSIPParticipant": faults(dice, most=2),
            "RemoveParticipant": faults(dice, most=2, late=1.0),
            "ListParticipants": faults(dice, most=1),
            "DeleteRoom": faults(dice, most=1),
        }
        stage = outbound(server, [far_end(dice), far_end(dice)], FLOW)
        for _ in range(dice.randrange(3)):
            at = dice.choice([0.0, 0.021, 0.023, 0.03, 0.05, 0.33, 0.5, 2.0, 2.02, 5.0, 5.02, 10.02, 10.04, 12.0])
            act = dice.choice([stop, leave, leave, end, drop])
            server.loop.call_later(at + 0.001 * dice.randrange(20), act, stage)
        record = await stage.play()
        await asyncio.sleep(30)
        assert not [call.messages for call in calls(stage) if rings_on(call) and not dead(call)]
        assert server.rooms == {}
        reached = [call for call in calls(stage) if call.got("INVITE") and not dead(call)]
        for one, following in itertools.pairwise(reached):
            assert over_at(one) <= following.got("INVITE")[0].at
        placed = [method for _, method in server.requests].count("CreateSIPParticipant")
        begun = [effect for effect in record.effects if effect.verb == "dial"]
        assert len(dials(stage)) <= len(begun) <= 2
        assert len([call for call in calls(stage) if call.got("INVITE")]) <= len(begun)
        assert placed <= 4 * len(begun)
        told = story(stage)
        assert told.count("call.hangup") <= told.count("call.answered") <= len(begun)
        assert told.count("dial.answered") <= told.count("call.answered")
        assert record.seconds < 90
        assert stage.job.over is not None


def over_at(call):
    """When it was clear to this telephone that nobody calls it any more."""
    ends = [
        signal.at
        for signal in call.signals
        if signal.message in ("CANCEL", "BYE") or (signal.by_telephone and signal.message >= "300")
    ]
    return min(ends, default=0.0 if call.far_end.reach == "nobody" else math.inf)


def dead(call):
    """Its SIP node has died, and nobody is left who could end the call."""
    return call.far_end.bridge_dies is not None


def stop(stage):
    send(stage, "app.stop")


def leave(stage):
    send(stage, "app.leave")


def send(stage, name):
    call = getattr(stage, "call", None)  # none before the job has begun
    if call is not None and not call.over:
        call.send(name)


def end(stage):
    stage.job.request_shutdown()


def drop(stage):
    stage.server.delete_room("call")
