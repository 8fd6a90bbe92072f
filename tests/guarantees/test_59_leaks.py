"""Row 59: calls leak: sockets of the STT, tasks, streams, handlers (livekit/agents-js#1731, livekit/agents#6319, #2166).

When a flow's call is over none of its tasks runs, none of its handlers is on the session or the room, none of its
timers is armed, and nothing holds the call itself.
"""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from callflow.testing import Pause, Tool
from callflow.testing.play import hangs_up, offline_session, silent, talks
from tests.guarantees.conftest import FRONT_DESK, GREETING

CLOSES_MODELS = FRONT_DESK + "wrap_up: [close_models]\n"


class Heard:
    """How many streams of a session's STT are open."""

    def __init__(self, stt):
        self.open = 0
        make = stt.stream

        def stream(**options):
            made = make(**options)
            self.open += 1
            close = made.aclose

            async def aclose():
                self.open -= 1
                await close()

            made.aclose = aclose
            return made

        stt.stream = stream


@pytest.mark.parametrize(
    ("model", "caller"),
    [
        ([GREETING, Tool("end_call")], talks("bye")),
        ([GREETING], hangs_up(after=1.0)),
        ([GREETING], hangs_up(after=4.0)),
        ([[GREETING, Pause(3600)]], hangs_up(after=4.0)),
        ([GREETING], silent),
        ([GREETING], None),
    ],
    ids=["completed", "cut", "hung up", "model hangs", "silent", "nobody comes"],
)
async def test_a_flow_leaves_nothing_behind(stage, server, ended, model, caller):
    before = asyncio.all_tasks()
    session = offline_session(model)
    streams = Heard(session.stt)
    call = stage(CLOSES_MODELS, session=session, caller=caller)
    handlers = {name: len(found) for name, found in session._events.items() if found}
    await call.play()
    ended(call)
    await asyncio.sleep(25)  # whatever had a timer
    assert asyncio.all_tasks() - before == set()
    assert (list(call.call.effects), call.call.effects.strays) == ([], ())
    assert {name: len(found) for name, found in session._events.items() if found} == handlers
    ours = [
        handler
        for found in call.job.room._events.values()
        for handler in found
        if "callflow.livekit_bindings" in getattr(handler, "__module__", "")
    ]
    assert ours == []
    assert streams.open == 0
    assert [timer for timer in server.loop._scheduled if not timer.cancelled()] == []


async def test_nothing_holds_a_call_that_is_over(stage, server, ended):
    calls = []
    for n in range(5):
        call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"), room=f"call-{n}")
        await call.play()
        ended(call)
        calls.append(weakref.ref(call.call))
        del call
    await asyncio.sleep(25)
    gc.collect()
    # The last one is still the test's own: its closures, its job.
    assert [ref() for ref in calls[:-1]] == [None] * 4
