"""A party that comes by itself, told by its identity (`legs:`): a supervisor who takes a call over, and gives it back."""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing import Caller

TAKEOVER = """
    callflow: 1
    name: takeover
    vars: {boss: {type: string, default: supervisor}}
    legs: {supervisor: {identity: "{{ vars.boss }}"}}
    events: {app.take_over: {}, app.hold: {}, app.resume: {}, app.out: {}}
    senders: {app.*: supervisor}
    initial: talking
    outcomes: [given_back]
    states:
      talking:
        entry: [{say: Hello there.}]
        on: {app.take_over: paused}
        after: {60s: ending}
      paused:
        entry: [{say: {text: You are on., to: supervisor}}, {send_data: {data: on, to: supervisor}}]
        after: {60s: ending}
        on:
          app.hold: {do: [{hold: supervisor}]}
          app.resume: {do: [{resume: supervisor}]}
          app.out: {do: [{remove_participant: supervisor}]}
          leg.supervisor.hangup: {target: back, do: [{outcome: given_back}]}
      back:
        entry: [{say: I am back.}]
        on: {done: ending}
"""


async def send(caller, event):
    assert await caller.rpc("callflow.send", f'{{"event": "app.{event}"}}') == "ok"
    await asyncio.sleep(1.5)


@pytest.mark.parametrize("first", [False, True])
async def test_a_supervisor_takes_over_and_gives_back(server, stage, first):
    boss = Caller(server, "room", "supervisor")
    if first:  # who comes first is not the far end, where the flow tells them
        boss.join()
        await asyncio.sleep(0.5)
    stage.begin(TAKEOVER)
    await asyncio.sleep(3)
    if not first:
        boss.join()
        await asyncio.sleep(0.5)
    await send(boss, "take_over")
    await send(boss, "hold")
    talking = asyncio.ensure_future(boss.say("can you hear me"))
    await talking
    await send(boss, "resume")
    await boss.say("now you can")
    await asyncio.sleep(0.5)
    boss.hang_up()
    record = await stage.ended()
    assert record.outcome == "given_back"
    assert stage.heard == "Hello there.\nI am back."
    assert boss.heard_text.endswith("You are on.")
    assert [data for _, _, data in boss.data if data == b"on"] == [b"on"]
    assert [sound.text for sound in stage.caller.heard_from(boss) if sound.text] == ["now you can"]
    assert record.participant == "caller"


async def test_a_supervisor_who_is_taken_off_the_line(server, stage):
    stage.begin(TAKEOVER)
    await asyncio.sleep(2)
    boss = Caller(server, "room", "supervisor")
    boss.join()
    await asyncio.sleep(0.5)
    await send(boss, "take_over")
    await send(boss, "out")
    record = await stage.ended()
    assert (boss.on_line, record.outcome) == (False, "given_back")


async def test_a_supervisor_may_come_back(server, stage):
    stage.begin(TAKEOVER.replace("leg.supervisor.hangup: {target: back", "leg.supervisor.answered: {target: back"))
    await asyncio.sleep(2)
    for _ in range(2):
        boss = Caller(server, "room", "supervisor")
        boss.join()
        await asyncio.sleep(0.5)
        if stage.call.over or "back" in stage.call.snapshot.configuration:
            break
        await send(boss, "take_over")
        boss.hang_up()
        await asyncio.sleep(1)
    assert (await stage.ended()).outcome == "given_back"


async def test_the_identity_is_what_the_call_was_given(server, stage):
    stage.begin(TAKEOVER, vars={"boss": "ann-4711"})
    await asyncio.sleep(2)
    stranger, boss = Caller(server, "room", "supervisor"), Caller(server, "room", "ann-4711")
    stranger.join()
    boss.join()
    await asyncio.sleep(0.5)
    await send(boss, "take_over")
    stranger.hang_up()
    await asyncio.sleep(0.5)
    assert "paused" in stage.call.snapshot.configuration
    boss.hang_up()
    record = await stage.ended()
    assert record.outcome == "given_back"
    assert "You are on." in boss.heard_text
    assert "You are on." not in stranger.heard_text


async def test_an_identity_that_is_not_known_tells_nobody(server, stage):
    flow = TAKEOVER.replace(
        "vars: {boss: {type: string, default: supervisor}}", "vars: {boss: {type: string, default: ''}}"
    )
    stage.begin(flow)
    await asyncio.sleep(1)
    stage.caller.hang_up()
    record = await stage.ended()
    assert record.notes == ("nobody is told as the leg supervisor: its identity is not known",)
