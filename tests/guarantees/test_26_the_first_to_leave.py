"""Row 26: the first participant to leave ends the call for all: RoomIO pins the first identity that it sees
(livekit/agents#2839, #2894).

In a flow the far end is a role. Whoever else joins is a leg of its own, whose leaving is `leg.<name>.hangup`; and the
program may say who the far end is.
"""

from __future__ import annotations

import asyncio

from livekit.agents.voice.room_io import RoomOptions

from callflow.testing import Caller, Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw

SECOND = FRONT_DESK.replace(
    "    on:\n",
    """    on:
      room.participant_disconnected: {when: event.identity != call.identity, do: [{say: Your supervisor has left.}]}
""",
)


async def test_by_itself_the_session_ends_with_the_first_who_came():
    async with raw.raw_call(raw.Agent(instructions="x")) as call:
        second = Caller(call.server, "room", "customer")
        second.join()
        await asyncio.sleep(1)
        call.caller.hang_up()
        await asyncio.sleep(5)
        assert [reason for _, reason in call.closed] == ["participant_disconnected"]
        assert second.on_line


async def test_a_second_party_that_leaves_ends_nothing(stage, server, ended):
    async def caller(who):
        second = Caller(server, "call", "supervisor")
        await who.hear()
        second.join()
        await asyncio.sleep(1)
        second.hang_up()
        await talks("that is all")(who)

    call = stage(SECOND, model=[GREETING, Tool("end_call")], caller=caller)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by, record.participant) == ("completed", "agent", "caller")
    assert call.heard == f"{GREETING}\nYour supervisor has left.\n{GOODBYE}"
    ended(call)


async def test_the_far_end_is_whom_the_program_names_whoever_comes_first(stage, server, ended):
    supervisor, customer = Caller(server, "call", "supervisor"), Caller(server, "call", "customer")
    supervisor.join()
    server.loop.call_later(3, customer.join)
    server.loop.call_later(10, supervisor.hang_up)
    server.loop.call_later(20, customer.hang_up)
    options = {"room_options": RoomOptions(participant_identity="customer")}
    call = stage(model=[GREETING], options=options)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by, record.participant) == ("hung_up", "caller", "customer")
    assert customer.heard_text == GREETING
    assert 19 < record.seconds < 24
    ended(call)
