"""`callflow phone` as its users run it, in front of a server that knows nothing of telephones."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import field, frozen
from google.protobuf.duration_pb2 import Duration
from livekit import api

from callflow.testing.models import tone
from tests.e2e.caller import Caller
from tests.e2e.processes import stop
from tests.e2e.server import KEY, SECRET

PROGRAM = Path(sys.executable).with_name("callflow")
KEYS = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}


@frozen
class Phone:
    """The program, running."""

    port: int
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def type(self, text):
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()

    async def says(self, pattern, *, within=20):
        """The first match in what it has printed. Raises AssertionError."""
        until = time.monotonic() + within
        while not (found := re.search(pattern, self.log.read_text())):
            assert time.monotonic() < until, f"no {pattern!r} in:\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            await asyncio.sleep(0.05)
        return found

    @property
    def lines(self):
        """What happened on its telephones, without the times."""
        return [line[10:] for line in self.log.read_text().splitlines() if re.match(r"\d\d:\d\d:\d\d  ", line)]


def in_the_background():
    """As a shell starts it with `&`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def phone(server, port, folder, *options, preexec=None):
    log = folder / "phone.log"
    with log.open("wb") as out:
        command = [PROGRAM, "phone", "--url", server.url, "--port", str(port), *options]
        process = subprocess.Popen(
            command, env=os.environ | KEYS, stdin=subprocess.PIPE, stdout=out, stderr=out, preexec_fn=preexec
        )
    try:
        yield Phone(port, log, process)
    finally:
        stop(process, within=5)
        process.stdin.close()


async def dial(phone, room, number, *, ringing=20):
    async with api.LiveKitAPI(f"http://127.0.0.1:{phone.port}", KEY, SECRET, failover=False) as lk:
        return await lk.sip.create_sip_participant(
            api.CreateSIPParticipantRequest(
                sip_trunk_id="ST_any",
                sip_call_to=number,
                room_name=room,
                participant_identity="leg",
                wait_until_answered=True,
                ringing_timeout=Duration(seconds=ringing),
            )
        )


async def test_telephones_of_a_book_and_of_options(line, server, ports, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text('"+15550101": {preset: answers, rings: 400ms, acts: [{beep: 1s}, {press: "7"}, hang_up]}\n')
    with phone(server, ports + 4, tmp_path, "--book", str(book), "--number", "+15550102=busy") as running:
        await running.says("any other number: answers")
        watcher = await line.caller("watcher")
        await dial(running, line.room, "+15550101")
        left = await watcher.wait_for("participant_disconnected", within=10)
        assert left.identity == "leg"
        assert watcher.voice_of("leg").seconds_at(1000) == pytest.approx(1.0, abs=0.3)
        with pytest.raises(api.SipCallError) as busy:
            await dial(running, line.room, "+15550102")
        assert busy.value.sip_status_code == 486
        await running.says(r"\+15550102 +says 486")
        running.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(running.process.wait, 10) == 0
        await line.view.wait_for_participants(line.room, {"watcher"}, within=5)
    first = [line.split(maxsplit=1)[1] for line in running.lines if line.startswith("+15550101")]
    assert first == [
        *("gets INVITE", "says 100 (INVITE)", "says 180 (INVITE)", "says 200 (INVITE)", "gets ACK"),
        *("says BYE", "gets 200 (BYE)"),
    ]


@pytest.mark.parametrize("preexec", [None, in_the_background], ids=["foreground", "background"])
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_in_order_and_takes_its_telephones_off_the_line(line, server, ports, tmp_path, told, preexec):
    with phone(server, ports + 4, tmp_path, preexec=preexec) as running:
        await running.says("any other number: answers", within=60)
        await line.caller("watcher")
        await dial(running, line.room, "+15550123")
        await line.view.wait_for_participants(line.room, {"watcher", "leg"}, within=5)
        running.process.send_signal(told)
        assert await asyncio.to_thread(running.process.wait, 10) == 0
        await line.view.wait_for_participants(line.room, {"watcher"}, within=5)
        assert "the telephones are down" in running.log.read_text()


async def test_a_person_picks_up_talks_and_hangs_up(line, server, ports, tmp_path):
    with phone(server, ports + 4, tmp_path, "--handset") as running:
        token = (await running.says("token=(.*)"))[1]
        watcher = await line.caller("watcher")
        dialling = asyncio.ensure_future(dial(running, line.room, "+15550123"))
        await running.says(r"\+15550123 +says 180")
        person = await Caller.join(server.url, token, "you")
        await dialling
        await watcher.wait_for("track_subscribed", within=10, identity="leg")
        await person.say(tone(700, 1.0))
        await watcher.say(tone(500, 1.0))
        running.type("5#")
        await asyncio.sleep(1)
        assert watcher.voice_of("leg").seconds_at(700) == pytest.approx(1.0, abs=0.4)
        [heard] = [voice for voice in person.heard.values() if voice.seconds_at(500) > 0.5]
        assert heard.seconds_at(500) == pytest.approx(1.0, abs=0.4)
        await person.leave()
        await watcher.wait_for("participant_disconnected", within=10, identity="leg")
        await running.says(r"\+15550123 +says BYE")


async def test_a_person_rejects_and_is_hung_up_on(line, server, ports, tmp_path):
    with phone(server, ports + 4, tmp_path, "--handset") as running:
        token = (await running.says("token=(.*)"))[1]
        dialling = asyncio.ensure_future(dial(running, line.room, "+15550123"))
        await running.says(r"\+15550123 +says 180")
        running.type("r")
        with pytest.raises(api.SipCallError) as declined:
            await dialling
        assert declined.value.sip_status_code == 603
        person = await Caller.join(server.url, token, "you")
        await dial(running, line.room, "+15550124")  # picked up already
        await line.lk.room.delete_room(api.DeleteRoomRequest(room=line.room))
        assert (await person.dropped(within=10)).reason == "PARTICIPANT_REMOVED"
        await running.says(r"\+15550124 +gets BYE")
        await person.leave()


async def test_a_telephone_calls(line, server, ports, tmp_path):
    with phone(server, ports + 4, tmp_path, "--call-in", "--from", "+15550177") as running:
        await running.says(r"\+15550177 +gets 180")
        rooms = (await line.lk.room.list_rooms(api.ListRoomsRequest())).rooms
        [room] = [room.name for room in rooms if room.name.startswith("call-")]
        await line.view.wait_for_participants(room, {"sip_+15550177"}, within=5)
        [ringing] = (await line.view.participants(room)).values()
        assert (ringing.attributes["sip.callStatus"], ringing.attributes["sip.phoneNumber"]) == ("ringing", "+15550177")
        agent = await Caller.join(server.url, server.token(room, "agent"), "agent")
        await running.says(r"\+15550177 +gets 200")
        await agent.leave()
        await line.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await running.says(r"\+15550177 +gets BYE")


def _fails(*options, environment=KEYS):
    done = subprocess.run(
        [PROGRAM, "phone", *options], env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    return done.returncode, done.stderr


def test_what_is_wrong_is_said(server, proxy, ports):
    nobody = f"ws://127.0.0.1:{ports + 5}"
    code, said = _fails("--url", nobody)
    assert (code, "there is no LiveKit server at" in said, nobody in said) == (1, True, True)
    code, said = _fails("--url", server.url, environment={"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": "wrong" * 8})
    assert (code, "does not take this key" in said) == (1, True)
    code, said = _fails("--url", server.url, environment={"LIVEKIT_API_KEY": "", "LIVEKIT_API_SECRET": ""})
    assert (code, "set LIVEKIT_API_KEY" in said) == (1, True)
    code, said = _fails("--url", server.url, "--port", proxy.url.rpartition(":")[2])
    assert (code, "choose another with --port" in said) == (1, True)
    code, said = _fails("--url", "localhost", "--number", "+15550100=busy")
    assert (code, "write ws://host:port" in said) == (2, True)
    code, said = _fails("--number", "+15550100=buzy")
    assert (code, "did you mean 'busy'" in said or "busy" in said) == (2, True)
