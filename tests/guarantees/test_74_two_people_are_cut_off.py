"""Row 74: two people are cut off in mid-sentence, since silence is counted of those whom the agent cannot hear
(livekit/livekit#4753).

In a flow silence is nobody's on the line: whoever speaks breaks it, heard by the agent or not, and it does not count while
the agent does not hear the caller, who may have muted themselves, while music plays to them, or while our own connection is away.
"""

from __future__ import annotations

import asyncio
import wave

import pytest
from livekit import rtc

from callflow.journal import read_journal, replay
from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.testing import Caller
from callflow.testing.play import offline_session, silent
from tests.guarantees.conftest import GREETING

FLOW = """
callflow: 1
name: listens
initial: talking
limits: {silence: 10s}
states:
  talking:
    entry: [ENTRY]
    after: {60s: {target: ending, do: [{outcome: completed}]}}
"""

GREET = "{say: Hello.}"


async def speaks_on(caller, until, every=6.0):
    while caller.on_line and asyncio.get_running_loop().time() < until:
        await caller.say("and so on and so on")
        await asyncio.sleep(every)


async def play(stage, entry=GREET, **parts):
    parts.setdefault("model", [])
    call = stage(FLOW.replace("ENTRY", entry), **parts)
    return call, await call.play()


async def test_a_caller_who_says_nothing_is_silent(stage, ended):
    call, record = await play(stage, caller=silent)
    assert record.outcome == "timed_out"
    assert record.ended - record.started < 13
    ended(call)


async def test_a_supervisor_who_talks_breaks_it(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()
        await speaks_on(boss, caller.joined + 40)

    call, record = await play(stage, caller=caller)
    assert record.outcome == "timed_out"
    assert 45 < record.ended - record.started < 56
    ended(call)


async def test_a_supervisor_who_only_listens_does_not(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()

    call, record = await play(stage, caller=caller)
    assert record.ended - record.started < 13
    ended(call)


async def test_one_long_sentence_of_somebody_else_is_no_silence(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()
        await boss.say("and then " * 70)  # 31 s

    call, record = await play(stage, caller=caller)
    assert 40 < record.ended - record.started < 50
    ended(call)


async def test_who_leaves_in_mid_sentence_speaks_no_more(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()
        talking = asyncio.ensure_future(
            boss.say("and then " * 70)
        )  # 31 s, after which LiveKit tells that they are silent
        await asyncio.sleep(8)
        boss.hang_up()
        await talking

    call, record = await play(stage, caller=caller)
    assert record.outcome == "timed_out"
    assert 17 < record.ended - record.started < 23
    ended(call)


@pytest.mark.parametrize("says_something", [True, False])
async def test_a_muted_caller_is_not_known_to_be_silent(stage, ended, says_something):
    async def caller(caller):
        if says_something:
            await speaks_on(caller, caller.joined + 50)

    call, record = await play(stage, entry=f"{GREET}, mute", caller=caller)
    assert record.outcome == "completed"
    ended(call)


async def test_a_caller_who_has_muted_themselves_is_not_known_to_be_silent(stage, ended, tmp_path):
    async def caller(caller):
        await asyncio.sleep(4)
        caller.mute()
        await asyncio.sleep(30)
        await caller.say("nobody hears me")
        await asyncio.sleep(1)
        caller.unmute()

    call, record = await play(stage, caller=caller, journal=tmp_path)
    assert record.outcome == "timed_out"
    assert 40 < record.ended - record.started < 46, "it goes on where it stood"
    [journal] = tmp_path.glob("*.jsonl")
    assert '"room.track_muted"' in journal.read_text()
    assert replay(call.flow, read_journal(journal))
    ended(call)


async def test_nor_is_one_who_came_muted(stage, ended):
    async def caller(caller):
        caller.leave(rtc.DisconnectReason.UNKNOWN_REASON)
        caller.join(muted=True)

    call, record = await play(stage, caller=caller)
    assert record.outcome == "completed"
    ended(call)


async def vanishes(caller):
    caller.vanish()
    await asyncio.sleep(6)
    caller.join()


async def mutes_themselves(caller):
    caller.mute()
    await asyncio.sleep(6)
    caller.unmute()


@pytest.mark.parametrize("cut", [vanishes, mutes_themselves])
async def test_who_is_cut_off_in_mid_sentence_speaks_no_more(stage, ended, cut):
    async def caller(caller):
        talking = asyncio.ensure_future(caller.say("and then " * 12))
        await asyncio.sleep(2)
        await cut(caller)
        talking.cancel()

    call, record = await play(stage, caller=caller)
    assert record.outcome == "timed_out", "nobody says of them that they have stopped"
    assert 13 < record.ended - record.started < 23
    ended(call)


async def test_a_supervisor_who_stops_while_our_own_connection_is_away_speaks_no_more(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()
        talking = asyncio.ensure_future(boss.say("and then " * 10))
        await asyncio.sleep(2)
        call.job.ctx.simulated_room.lose_network()
        await talking
        await asyncio.sleep(4)
        call.job.ctx.simulated_room.find_network()

    call = stage(FLOW.replace("ENTRY", GREET), caller=caller)
    record = await call.play()
    assert record.outcome == "timed_out"
    assert 16 < record.ended - record.started < 23
    ended(call)


async def test_a_supervisor_who_is_muted_changes_nothing(stage, server, ended):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join(muted=True)

    call, record = await play(stage, caller=caller)
    assert record.ended - record.started < 13
    ended(call)


@pytest.mark.parametrize("loop", [True, False])
async def test_music_to_the_caller_is_no_silence(stage, ended, loop, tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x10\x20" * 32_000)
    entry = f"{GREET}, {{play: {{file: {path}, loop: {str(loop).lower()}}}}}"
    call, record = await play(stage, entry=entry, caller=silent)
    assert record.outcome == ("completed" if loop else "timed_out")
    ended(call)


async def test_a_session_without_stt_hears_of_the_caller_by_the_server(stage, ended):
    async def caller(caller):
        await speaks_on(caller, caller.joined + 30)

    call, record = await play(stage, session=offline_session(stt=None, turn_handling={}), caller=caller)
    assert record.outcome == "timed_out"
    assert 35 < record.ended - record.started < 47
    ended(call)


CONSULT = """
callflow: 1
name: third
initial: talking
limits: {silence: 10s}
states:
  talking:
    entry: [{say: Hello.}, {consult: {to: "+15550100100", trunk: ST_1, briefing: A caller., ringing_timeout: 20s}}]
    on: {consult.accepted: together, consult.*: ending}
  together:
    after: {60s: {target: ending, do: [{outcome: completed}]}}
    on: {leg.human.hangup: {do: [{log: Gone.}]}}
"""


async def test_a_colleague_who_talks_to_the_caller_breaks_it(stage, ended):
    async def caller(caller):
        await asyncio.sleep(6)
        await speaks_on(call.telephones.legs["human"], caller.joined + 100)

    network = PhoneNetwork({"+15550100100": FarEnd(rings=1.0)})
    call = stage(CONSULT, phone=network, caller=caller)
    record = await call.play()
    assert record.outcome == "completed"
    ended(call)


async def test_it_does_not_count_while_our_own_connection_is_away(stage, ended):
    async def caller(caller):
        await asyncio.sleep(5)
        call.job.ctx.simulated_room.lose_network()
        await asyncio.sleep(9)
        call.job.ctx.simulated_room.find_network()

    call = stage(FLOW.replace("ENTRY", GREET), caller=caller)
    record = await call.play()
    assert 19 < record.ended - record.started < 23
    ended(call)


async def test_what_breaks_it_is_in_the_journal(stage, server, tmp_path):
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        boss.join()
        await speaks_on(boss, caller.joined + 20)

    call = stage(FLOW.replace("ENTRY", GREET), caller=caller, journal=tmp_path)
    await call.play()
    [journal] = tmp_path.glob("*.jsonl")
    assert '"room.active_speakers_changed"' in journal.read_text()
    assert replay(call.flow, read_journal(journal))


async def test_greetings_are_still_answered_by_the_model(stage):
    call, _ = await play(stage, entry="{generate_reply: Greet.}", model=[GREETING], caller=silent)
    assert call.heard == GREETING
