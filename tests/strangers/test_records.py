"""What a record says of calls that end in ways nobody planned."""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.telephony.network import FAR_ENDS, PhoneNetwork
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage

NUMBER = "+4915112345678"

TRIES_AGAIN = callflow.loads(f"""
callflow: 1
name: tries-again
initial: dialing
states:
  dialing:
    entry: [{{dial: {{to: "{NUMBER}", trunk: ST_x}}}}]
    on:
      dial.answered: talking
      dial.busy: {{target: pausing, when: state.visits < 3}}
      dial.*: {{target: ending, do: [{{outcome: "{{{{ event.result }}}}"}}]}}
  pausing: {{after: {{10s: dialing}}}}
  talking: {{entry: [{{say: Hello at last.}}, {{outcome: completed}}], on: {{done: ending}}}}
""")


@pytest.mark.parametrize(
    ("how", "outcome", "by", "cause"),
    [
        ("the worker closes", "cancelled", "worker", "job.shutdown"),
        ("the program hangs up", "cancelled", "program", "job.shutdown"),
        ("the room is deleted", "line_lost", "system", "room.disconnected"),
        ("nothing else happens", "busy", "callee", "dial.busy"),
    ],
)
async def test_a_busy_line_is_the_cause_only_of_a_call_that_it_ended(how, outcome, by, cause):
    async with SimulatedServer() as server:
        stage = Stage(TRIES_AGAIN, server, phone=PhoneNetwork({NUMBER: FAR_ENDS["busy"]}))

        async def between_two_tries() -> None:
            await asyncio.sleep(5)
            if how == "the worker closes":
                stage.job.request_shutdown()
            elif how == "the program hangs up":
                await stage.call.hang_up()
            elif how == "the room is deleted":
                server.delete_room(stage.room)

        meanwhile = asyncio.create_task(between_two_tries())
        record = await stage.play()
        await meanwhile
    assert (record.outcome, record.hung_up_by, record.cause.event) == (outcome, by, cause)
