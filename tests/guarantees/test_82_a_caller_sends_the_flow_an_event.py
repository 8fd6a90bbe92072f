"""Row 82: a caller sends the flow an event, and it pays: a data packet or an RPC of any participant is taken for the word of
the program.

Whoever is in a room can send both; the server says who it was. A flow names who may send each of its events, the program
alone where it says nothing, and its rows know who it was.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from livekit import rtc

from callflow.testing import Caller, SimulatedJob

APPROVED = json.dumps({"event": "app.approved", "data": {"amount": 900}})

FLOW = """
callflow: 1
name: pays
SENDERS
initial: talking
outcomes: [paid]
events: {app.approved: {amount: number}}
vars: {by: {type: string, default: nobody}}
states:
  talking:
    entry: [{say: Hello.}]
    on: {app.approved: {target: ending, do: [{set: {by: "{{ event.sender }}"}}, {outcome: paid}]}}
    after: {20s: ending}
"""


async def test_by_itself_a_packet_says_what_it_likes(server):
    taken = []

    async def entrypoint(ctx):
        ctx.room.on("data_received", lambda packet: taken.append(json.loads(packet.data)["event"]))
        await ctx.connect()

    caller = Caller(server, "room")
    job = SimulatedJob(server, entrypoint)
    job.start()
    await asyncio.sleep(1)
    caller.join()
    caller.send_data(APPROVED, topic="callflow")
    await asyncio.sleep(1)
    assert taken == ["app.approved"]
    server.delete_room("room")
    await job.ended()


def forges(answers):
    async def script(caller):
        await asyncio.sleep(3)
        caller.set_attributes({"callflow.leg": "supervisor"})
        caller.send_data(APPROVED, topic="callflow")
        try:
            answers.append(await caller.rpc("callflow.send", APPROVED))
        except rtc.RpcError as error:
            answers.append(str(error))

    return script


@pytest.mark.parametrize(
    "senders",
    ["", "senders: {app.approved: program}", "senders: {app.approved: [agents]}",
     "legs: {supervisor: {identity: supervisor}}\nsenders: {app.approved: supervisor}"],
)  # fmt: skip
async def test_in_a_flow_only_those_are_heard_whom_it_names(stage, ended, senders):
    answers = []
    call = stage(FLOW.replace("SENDERS", senders), caller=forges(answers))
    record = await call.play()
    assert (record.outcome, record.vars["by"]) == ("none", "nobody")
    assert answers == ["app.approved is not taken from far_end"]
    assert record.notes == ("app.approved was not taken from far_end: `senders` does not name them",)
    ended(call)


async def test_and_it_knows_who_it_was(server, stage, ended):
    senders = "legs: {supervisor: {identity: boss}}\nsenders: {app.approved: [supervisor, program]}"
    answers = []

    async def with_a_supervisor(caller):
        boss = Caller(server, "call", "boss")
        boss.join()
        await asyncio.sleep(2)
        answers.append(await boss.rpc("callflow.send", APPROVED))

    call = stage(FLOW.replace("SENDERS", senders), caller=with_a_supervisor)
    record = await call.play()
    assert (record.outcome, record.vars["by"], answers, record.notes) == ("paid", "supervisor", ["ok"], ())
    ended(call)
