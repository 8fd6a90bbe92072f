"""A word to the colleague before their line drops: what the flow goes on with is said to whoever a `consult` has called."""

from __future__ import annotations

import asyncio
import math

import pytest

import callflow
from callflow.telephony.network import FarEnd, HangUp, Hear, PhoneNetwork, Press, Wait
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, silent

HUMAN = "+15550100100"
BRIEFING = "A customer is on the line with a long story that goes on and on and on."
WORD = "The caller has hung up. Goodbye."

FLOW = """
callflow: 1
name: notice
initial: asking
states:
  asking:
    entry:
      - say: One moment.
      - consult: {to: "+15550100100", trunk: ST_1, briefing: "BRIEFING", accept: {key: "1"}, decline: {key: "2"}, timeout: 20s}
    on:
      consult.accepted: together
      call.hangup: caller_gone
      ROWS
  caller_gone:
    must_finish: true
    entry: [{say: {text: "The caller has hung up. Goodbye.", to: human}}, {outcome: hung_up}]
    on: {done: ending}
  together: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: over}}
  over: {final: true}
  back:
    entry: [{say: Nobody is free just now.}, {outcome: no_answer}]
    on: {done: ending}
"""
FAILED = "consult.*: back"
SAID = "consult.*: {target: back, do: [{say: {text: 'Thanks all the same.', to: human}}]}"
LISTENS = FarEnd(rings=2.0, acts=(Hear(), Wait(60)))


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def leaves(after):
    async def script(caller):
        await asyncio.sleep(after)
        caller.hang_up()

    return script


def notice(server, human=LISTENS, caller=silent, rows=FAILED, flow=FLOW):
    text = flow.replace("BRIEFING", BRIEFING).replace("ROWS", rows)
    return Stage(callflow.loads(text), server, phone=PhoneNetwork({HUMAN: human}), caller=caller)


def heard_by(stage):
    return stage.telephones.legs["human"].heard_text.splitlines()


@pytest.mark.parametrize("after", [4.0, 5.5, 6.0])
async def test_a_caller_who_leaves_during_the_briefing(server, after):
    stage = notice(server, caller=leaves(after))
    record = await stage.play()
    begun, word = heard_by(stage)
    assert BRIEFING.startswith(begun)
    assert begun != BRIEFING
    assert word.rstrip(".") == WORD.rstrip(".")
    assert stage.trace == ["asking", "caller_gone", "ending", "closed"]
    assert (record.outcome, record.hung_up_by, record.notes) == ("hung_up", "caller", ())
    [call] = stage.phone.calls
    assert call.messages[-2:] == ["BYE", "> 200"]
    assert call.got("BYE")[0].at < after + len(WORD) * 0.05 + 2.5


async def test_a_caller_who_leaves_while_the_human_listens_to_nothing(server):
    """The briefing is over, and nobody has decided."""
    stage = notice(server, caller=leaves(9.0))
    await stage.play()
    assert [one.rstrip(".") for one in heard_by(stage)] == [BRIEFING.rstrip("."), WORD.rstrip(".")]


async def test_a_caller_who_leaves_while_it_rings(server):
    """It rings no more, at once, and nothing waits for somebody who will never hear it."""
    stage = notice(server, FarEnd(math.inf), caller=leaves(5.0))
    record = await stage.play()
    [call] = stage.phone.calls
    assert call.got("CANCEL")[0].at == pytest.approx(5.0, abs=0.2)
    assert stage.trace == ["asking", "caller_gone", "ending", "closed"]
    [word] = [effect for effect in record.effects if effect.verb == "say" and effect.started > record.started + 4]
    assert (word.status, word.result["heard"]) == ("ok", False)
    assert word.seconds < 0.1


async def test_a_caller_who_leaves_after_the_acceptance(server):
    flow = FLOW.replace("{must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: over}}",
                        "{entry: [{say: You are connected.}], on: {call.hangup: caller_gone, dtmf.9: over}}")  # fmt: skip
    human = FarEnd(rings=2.0, acts=(Hear(), Press("1"), Wait(60)))
    stage = notice(server, human, caller=leaves(12.0), flow=flow)
    await stage.play()
    assert [one.rstrip(".") for one in heard_by(stage)][1:] == ["You are connected", WORD.rstrip(".")]


@pytest.mark.parametrize(
    ("human", "result"),
    [
        (FarEnd(rings=2.0, acts=(Hear(), Press("2"), Wait(60))), "declined"),
        (LISTENS, "no_answer"),
    ],
    ids=["declines", "undecided"],
)
async def test_a_human_who_does_not_accept_is_told_a_word_that_nobody_else_hears(server, human, result):
    stage = notice(server, human, rows=SAID)
    record = await stage.play()
    assert [effect.result["result"] for effect in record.effects if effect.verb == "consult"] == [result]
    assert [one.rstrip(".") for one in heard_by(stage)] == [BRIEFING.rstrip("."), "Thanks all the same"]
    assert stage.far_end.heard_text == "One moment.\nNobody is free just now."
    [call] = stage.phone.calls
    assert call.messages[-2:] == ["BYE", "> 200"]
    assert (record.outcome, record.notes) == ("no_answer", ())


async def test_where_the_row_has_nothing_for_them_they_are_off_the_line_at_once(server):
    """Although the flow has something to say to that leg elsewhere."""
    stage = notice(server, FarEnd(rings=2.0, acts=(Hear(), Press("2"), Wait(60))))
    record = await stage.play()
    [call] = stage.phone.calls
    [consult] = [effect for effect in record.effects if effect.verb == "consult"]
    bye = record.started + call.got("BYE")[0].at
    assert heard_by(stage) == [BRIEFING]
    assert bye - (consult.started + consult.seconds) < 0.5


async def test_a_state_that_is_left_by_its_own_time(server):
    """Neither party has done anything; the rest of the row waits for the word, and the caller hears none of it."""
    rows = f"{FAILED}\n    after: {{6s: {{target: back, do: [{{say: {{text: Another time., to: human}}}}]}}}}"
    stage = notice(server, rows=rows)
    await stage.play()
    assert [one.rstrip(".") for one in heard_by(stage)][-1] == "Another time"
    assert stage.far_end.heard_text == "One moment.\nNobody is free just now."


async def test_the_next_one_is_called_under_the_same_name(server):
    """Not before the first has left, whose line drops after the word."""
    flow = FLOW.replace(
        "  back:",
        """  second:
    entry: [{consult: {to: "+15550100101", trunk: ST_1, accept: {key: "1"}}}]
    on: {consult.accepted: together, consult.*: back}
  back:""",
    )
    rows = SAID.replace("target: back", "target: second")
    text = flow.replace("BRIEFING", BRIEFING).replace("ROWS", rows)
    network = PhoneNetwork({
        HUMAN: FarEnd(rings=2.0, acts=(Hear(), Press("2"), Wait(60))),
        "+15550100101": FarEnd(rings=2.0, acts=(Wait(1), Press("1"), Wait(3), HangUp())),
    })  # fmt: skip
    stage = Stage(callflow.loads(text), server, phone=network, caller=silent)
    record = await stage.play()
    first, second = stage.phone.calls
    assert first.got("BYE")[0].at <= second.got("INVITE")[0].at
    assert record.outcome == "transferred"
    assert [effect.result["result"] for effect in record.effects if effect.verb == "consult"] == [
        "declined",
        "accepted",
    ]


async def test_a_consult_that_fails_because_the_caller_has_gone_in_a_state_that_must_finish(server):
    rows = "consult.failed: {target: caller_gone}\n      consult.*: back"
    flow = FLOW.replace("  asking:\n", "  asking:\n    must_finish: true\n").replace(
        "      call.hangup: caller_gone\n", ""
    )
    stage = notice(server, caller=leaves(5.0), rows=rows, flow=flow)
    record = await stage.play()
    assert [one.rstrip(".") for one in heard_by(stage)][-1] == WORD.rstrip(".")
    assert record.outcome == "hung_up"


async def test_words_to_nobody_are_over_at_once_when_the_caller_has_gone(server):
    """Nobody was ever called as this leg."""
    idle = "  idle: {entry: [{say: Hello.}], on: {call.hangup: caller_gone, dtmf.1: asking}, after: {1m: ending}}\n"
    flow = FLOW.replace("initial: asking", "initial: idle").replace("states:\n", f"states:\n{idle}")
    stage = notice(server, caller=leaves(3.0), flow=flow)
    record = await stage.play()
    [_, word] = [effect for effect in record.effects if effect.verb == "say"]
    assert (word.result["heard"], word.seconds < 0.1, record.outcome) == (False, True, "hung_up")
