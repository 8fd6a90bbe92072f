"""The simulated room against what was measured on a real one: order, reasons and times of what each side sees."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc
from livekit.agents import Agent, AgentSession

from callflow.core.speaking import seconds
from callflow.testing import Caller, Fault, ScriptedLLM, SimulatedJob, SimulatedServer, SpelledSTT, SpelledTTS
from callflow.testing.spelling import read, spell

REASON = rtc.DisconnectReason


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture
async def agent(server):
    """A job that only watches its room; `seen` is what it saw, without the times."""
    job = SimulatedJob(server, _watch, room="room")
    job.seen = []
    for event in ("participant_connected", "participant_disconnected", "disconnected", "track_subscribed"):
        job.room.on(event, _note(job, event))
    job.start()
    await asyncio.sleep(0.1)
    yield job
    job.ctx.shutdown("test over")
    await job.ended()


async def _watch(ctx):
    await ctx.connect()


def _note(job, event):
    def note(*what):
        subject = what[-1]
        reason = getattr(subject, "disconnect_reason", subject if isinstance(subject, int) else None)
        name = getattr(subject, "identity", "")
        job.seen.append((event, name, REASON.Name(reason) if reason is not None else None))

    return note


async def test_a_caller_joins_and_leaves(server, agent):
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(0.1)
    assert [*agent.room.remote_participants] == ["caller"]
    caller.hang_up()
    await asyncio.sleep(19)
    assert agent.over is None
    await agent.ended()
    assert agent.seen == [
        ("participant_connected", "caller", None),
        ("track_subscribed", "caller", None),
        ("participant_disconnected", "caller", "CLIENT_INITIATED"),
        ("disconnected", "", "ROOM_CLOSED"),
    ]
    assert agent.reason == "room disconnected"
    assert server.rooms == {}


async def test_who_vanishes_is_given_up_after_21_seconds(server, agent):
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(1)
    caller.vanish()
    await asyncio.sleep(20.9)
    assert agent.seen[-1][0] == "track_subscribed"
    await asyncio.sleep(0.2)
    assert agent.seen[-1] == ("participant_disconnected", "caller", "CONNECTION_TIMEOUT")


async def test_who_comes_back_was_gone_for_no_reason(server, agent):
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(1)
    caller.vanish()
    await asyncio.sleep(5)
    caller.join()
    await asyncio.sleep(30)
    assert agent.seen == [
        ("participant_connected", "caller", None),
        ("track_subscribed", "caller", None),
        ("participant_disconnected", "caller", None),
        ("participant_connected", "caller", None),
        ("track_subscribed", "caller", None),
    ]


async def test_the_same_identity_takes_the_first_ones_place(server, agent):
    first, second = Caller(server, "room"), Caller(server, "room")
    first.join()
    await asyncio.sleep(1)
    second.join()
    assert (first.reason, second.on_line) == (REASON.DUPLICATE_IDENTITY, True)


@pytest.mark.parametrize("room_first", [False, True])
async def test_a_room_is_deleted(server, agent, room_first):
    server.room_first = room_first
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(1)
    await server.api.room.delete_room(api.DeleteRoomRequest(room="room"))
    assert caller.reason == REASON.ROOM_DELETED
    await agent.ended()
    out = [("participant_disconnected", "caller", "ROOM_DELETED"), ("disconnected", "", "ROOM_DELETED")]
    assert agent.seen[2:] == (out[1:] if room_first else out)
    with pytest.raises(api.ServerError) as gone:
        await server.api.room.delete_room(api.DeleteRoomRequest(room="room"))
    assert (gone.value.code, gone.value.status) == ("not_found", 404)


async def test_a_participant_is_removed(server, agent):
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(1)
    who = api.RoomParticipantIdentity(room="room", identity="caller")
    await server.api.room.remove_participant(who)
    await asyncio.sleep(0.1)
    assert caller.reason == REASON.PARTICIPANT_REMOVED
    assert agent.seen[-1] == ("participant_disconnected", "caller", "PARTICIPANT_REMOVED")


async def test_joining_a_deleted_room_makes_it_anew(server):
    server.room("room")
    first = server.rooms["room"].sid
    server.delete_room("room")
    job = SimulatedJob(server, _watch, room="room")
    job.start()
    await asyncio.sleep(1)
    assert (await job.room.sid) != first
    assert not job.room.remote_participants
    await asyncio.sleep(300)
    assert job.reason == "room disconnected"
    await job.ended()


async def test_the_api_lists_who_is_there_and_fails_on_command(server, agent):
    caller = Caller(server, "room")
    caller.join()
    rooms = await server.api.room.list_rooms(api.ListRoomsRequest())
    assert [(room.name, room.num_participants) for room in rooms.rooms] == [("room", 2)]
    who = await server.api.room.list_participants(api.ListParticipantsRequest(room="room"))
    assert sorted(p.identity for p in who.participants) == sorted([agent.room.info.identity, "caller"])
    server.faults["DeleteRoom"] = [Fault(500), Fault(seconds=60)]
    with pytest.raises(api.ServerError, match="simulated fault"):
        await server.api.room.delete_room(api.DeleteRoomRequest(room="room"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await server.api.room.delete_room(api.DeleteRoomRequest(room="room"))
    assert caller.on_line
    assert [method for _, method in server.requests] == ["ListRooms", "ListParticipants", "DeleteRoom", "DeleteRoom"]


async def test_keys_data_and_attributes_cross_the_room(server, agent):
    seen = []
    agent.room.on("sip_dtmf_received", lambda key: seen.append((key.digit, key.code, key.participant.identity)))
    agent.room.on("data_received", lambda packet: seen.append((packet.topic, packet.data)))
    agent.room.on("participant_attributes_changed", lambda changed, who: seen.append((changed, who.identity)))
    caller = Caller(server, "room")
    caller.join()
    await asyncio.sleep(0.1)
    caller.press("1#")
    caller.send_data("hello", topic="app")
    caller.set_attributes({"sip.callStatus": "active"})
    await agent.room.local_participant.publish_data("back", topic="app")
    await asyncio.sleep(1)
    assert seen == [
        ("app", b"hello"),
        ({"sip.callStatus": "active"}, "caller"),
        ("1", 1, "caller"),
        ("#", 11, "caller"),
    ]
    assert [(topic, data) for _, topic, data in caller.data] == [("app", b"back")]


def talker(said, *, session_ends=None):
    """An entrypoint that greets, and answers what is said."""

    async def entrypoint(ctx):
        session = AgentSession(
            llm=ScriptedLLM(said),
            stt=SpelledSTT(),
            tts=SpelledTTS(),
            vad=None,
            turn_handling={"turn_detection": "stt"},
            aec_warmup_duration=None,
        )
        await session.start(Agent(instructions="talk"), room=ctx.room)
        session.generate_reply()
        return session

    return entrypoint


async def test_a_conversation_takes_its_time_and_is_heard_to_the_letter(server):
    job = SimulatedJob(server, talker(["Good morning.", "We open at nine."]), room="room")
    caller = Caller(server, "room")
    job.start()
    await asyncio.sleep(2)
    caller.join()
    await asyncio.sleep(3)
    await caller.say("when do you open?")
    await asyncio.sleep(3)
    greeting, answer = caller.heard
    assert (greeting.text, answer.text) == ("Good morning.", "We open at nine.")
    assert greeting.start == pytest.approx(2.0, abs=0.1)  # nothing is said before somebody is there
    assert greeting.end - greeting.start == pytest.approx(seconds("Good morning.") + 0.05, abs=0.001)
    caller.hang_up()
    await job.ended()


async def test_who_speaks_interrupts(server):
    long = "I could go on and on and on and on and on and on and on and on."
    job = SimulatedJob(server, talker([long]), room="room")
    caller = Caller(server, "room")
    caller.join()
    job.start()
    await asyncio.sleep(1)
    await caller.say("stop this now please")
    await asyncio.sleep(0.5)
    first = caller.heard[0]
    assert long.startswith(first.text)
    assert 1.0 < first.end < 2.0
    caller.hang_up()
    await job.ended()


async def test_text_chat_is_a_turn_without_sound(server):
    job = SimulatedJob(server, talker(["Hi.", "Fine."]), room="room")
    caller = Caller(server, "room")
    caller.join()
    job.start()
    await asyncio.sleep(2)
    caller.send_text("how are you?")
    await asyncio.sleep(2)
    assert caller.heard_text == "Hi.\nFine."
    caller.hang_up()
    await job.ended()


async def test_what_has_not_reached_the_ear_when_the_line_drops_is_lost(server):
    job = SimulatedJob(server, talker(["Goodbye."]), room="room")
    caller = Caller(server, "room", delay=0.1)
    caller.join()
    job.start()
    session = None
    while session is None or session.current_speech is not None:
        await asyncio.sleep(0.01)
        session = job.result
    await session.drain()
    server.delete_room("room")
    assert caller.heard_text in ("Goodby", "Goodb")
    await job.ended()


async def test_the_order_of_a_jobs_end(server):
    seen = []
    loop = asyncio.get_running_loop()

    async def entrypoint(ctx):
        async def callback(reason):
            seen.append(("callback", reason))

        ctx.add_shutdown_callback(callback)
        ctx.room.on("disconnected", lambda reason: seen.append(("disconnected", REASON.Name(reason))))
        session = await talker(["Hello."])(ctx)
        session.on("close", lambda event: seen.append(("close", event.reason.value)))
        await asyncio.sleep(2)
        ctx.shutdown("first")
        ctx.shutdown("second")
        began = loop.time()
        try:
            await asyncio.sleep(1000)
        finally:
            seen.append(("cancelled after", round(loop.time() - began, 1)))

    async def on_session_end(ctx):
        seen.append(("session end", ctx.room.isconnected()))

    job = SimulatedJob(server, entrypoint, room="room", on_session_end=on_session_end)
    caller = Caller(server, "room")
    caller.join()
    with pytest.raises(asyncio.CancelledError):
        await job.run()
    assert seen == [
        ("cancelled after", 15.0),
        ("close", "user_initiated"),
        ("session end", True),
        ("disconnected", "CLIENT_INITIATED"),
        ("callback", "first"),
    ]
    assert caller.on_line  # nobody has dropped the line
    assert caller.agents == []


async def test_the_workers_request_ends_the_job(server, agent):
    agent.request_shutdown()
    await agent.ended()
    assert agent.reason == "parent process shutdown"


async def test_a_crash_ends_the_job_and_leaves_the_caller_alone(server):
    async def entrypoint(ctx):
        await ctx.connect()
        raise ValueError("broken")

    caller = Caller(server, "room")
    caller.join()
    job = SimulatedJob(server, entrypoint, room="room")
    with pytest.raises(ValueError, match="broken"):
        await job.run()
    assert (job.reason, caller.on_line, caller.agents) == ("job crashed", True, [])


async def test_the_agents_own_network_comes_back(server, agent):
    seen = []
    for event in ("reconnecting", "reconnected"):
        agent.room.on(event, lambda event=event: seen.append(event))
    caller = Caller(server, "room")
    agent.room.lose_network()
    caller.join()
    await asyncio.sleep(10)
    assert not agent.room.remote_participants
    agent.room.find_network()
    assert [*agent.room.remote_participants] == ["caller"]
    assert seen == ["reconnecting", "reconnected"]


async def test_whoever_has_left_while_the_agent_was_cut_off_is_seen_to_leave_when_it_is_back(server, agent):
    stays, leaves = Caller(server, "room", "stays"), Caller(server, "room", "leaves")
    stays.join()
    leaves.join()
    await asyncio.sleep(0.1)
    agent.seen.clear()
    server.cut_off(agent.room.info.identity, 3.0)
    server.loop.call_later(1.0, leaves.hang_up)
    await asyncio.sleep(2.5)
    assert agent.seen == []
    await asyncio.sleep(1.0)
    assert [*agent.room.remote_participants] == ["stays"]
    assert ("participant_disconnected", "leaves", None) in agent.seen


@pytest.mark.parametrize("text", ["Goodbye.", "Größe: 5 € – naïve", ""])
@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_text_is_read_off_its_sound(text, rate):
    assert read(spell(text, rate), rate) == text
    assert len(spell(text, rate)) / rate == pytest.approx(seconds(text))
