"""Flows as their users run them: `callflow run FILE console|dev|start|connect`, and the record that each call leaves."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.processes import stop
from tests.e2e.server import KEY, SECRET
from tests.e2e.worker import ROOT

FLOW = Path(__file__).parent / "scenarios" / "flows" / "desk.yaml"
CTRL_C = b"\x03"

STARTED = 60
"""Seconds until a program runs, and in a console its job's process, too: 8 s of work for one core that it has to itself."""


def _command(journal, *mode):
    factory = "tests.e2e.scenarios.calls:models"
    return [
        Path(sys.executable).with_name("callflow"), "run", FLOW, "--agent", factory, "--journal", journal, "--name", "desk", *mode,
    ]  # fmt: skip


@contextmanager
def running(server, folder, *mode):
    """The program, registered with the server where it has to be; ended on the way out."""
    log = folder / "program.log"
    environment = os.environ | {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(folder / "journal", *mode), cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + STARTED
        while "--room" not in mode and b"registered worker" not in log.read_bytes():
            assert time.monotonic() < until, log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)
        yield process
    finally:
        stop(process, within=5)
        print(log.read_text(errors="replace")[-4000:])  # noqa: T201 - pytest shows it for a failed test


async def record_in(folder, *, within):
    until = time.monotonic() + within
    while not (found := list((folder / "journal").glob("*.json"))):
        assert time.monotonic() < until, f"no record after {within} s"
        await asyncio.sleep(0.05)
    [path] = found
    steps = path.with_suffix(".jsonl").read_text().splitlines()
    assert all(json.loads(step) for step in steps)
    assert steps
    return json.loads(path.read_text())


async def dispatch(line, *, within):
    """Until the worker has taken the job: LiveKit's default refuses calls while the machine is busy."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        request = api.CreateAgentDispatchRequest(agent_name="desk", room=line.room)
        made = await line.lk.agent_dispatch.create_dispatch(request)
        for _ in range(50):
            listed = await line.lk.agent_dispatch.list_dispatch(line.room)
            if any(one.id == made.id and one.state.jobs for one in listed):
                return
            await asyncio.sleep(0.1)
        await line.lk.agent_dispatch.delete_dispatch(made.id, line.room)
    raise AssertionError(f"the worker took no job in {within} s")


async def talk_to_the_end(line):
    caller = await line.caller()
    await caller.wait_for_sounds(1, within=30)
    await caller.write("bye")
    await caller.dropped(within=20)
    await line.view.wait_until_gone(line.room, within=3)


@pytest.mark.parametrize("mode", ["start", "dev"])
async def test_a_server_takes_calls_and_ends_when_it_is_told_to(line, server, tmp_path, mode):
    with running(server, tmp_path, mode) as process:
        await dispatch(line, within=60)
        await talk_to_the_end(line)
        record = await record_in(tmp_path, within=10)
        assert (record["flow"], record["outcome"]) == ("desk", "completed")
        process.send_signal(signal.SIGINT if mode == "dev" else signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0


async def test_its_options_bound_a_deploy_and_it_says_them_as_it_starts(line, server, tmp_path):
    options = ("--drain-timeout", "2", "--shutdown-process-timeout", "6s", "--num-idle-processes", "1", "--port", "0")
    with running(server, tmp_path, "start", *options) as process:
        [said] = [
            json.loads(one) for one in (tmp_path / "program.log").read_text().splitlines() if '"callflow 0.' in one
        ]
        host = server.url.removeprefix("ws://")
        assert f"as the agent desk, on LiveKit at {host} with livekit-agents" in said["message"]
        assert "calls are drained for 2s; a call that is told to end has 4s, its process 6s" in said["message"]
        assert "1 idle processes; health check on any free port" in said["message"]
        await dispatch(line, within=60)
        caller = await line.caller()
        await caller.wait_for_sounds(1, within=30)
        process.send_signal(signal.SIGTERM)
        assert (await caller.dropped(within=15)).reason == "ROOM_DELETED"
        record = await record_in(tmp_path, within=10)
        assert (record["cause"]["event"], record["hung_up_by"], record["forced"]) == ("job.shutdown", "worker", [])
        assert record["agent_name"] == "desk"
        assert record["worker_id"].startswith("AW_")
        assert record["dispatch_id"].startswith("AD_")
        assert record["room_sid"].startswith("RM_")
        assert await asyncio.to_thread(process.wait, 20) == 0


async def test_connect_joins_a_room_without_being_dispatched(line, server, tmp_path):
    with running(server, tmp_path, "connect", "--room", line.room) as process:
        await talk_to_the_end(line)
        record = await record_in(tmp_path, within=10)
        assert (record["outcome"], record["line"]) == ("completed", "dropped")
        assert await asyncio.to_thread(process.wait, 20) == 0, "it ends with its call"


@pytest.mark.parametrize(
    ("mode", "told"), [("connect", signal.SIGTERM), ("connect", signal.SIGINT), ("dev", signal.SIGTERM)]
)
async def test_a_program_that_is_told_to_end_drops_its_line(line, server, tmp_path, mode, told):
    room = ("--room", line.room) if mode == "connect" else ()
    with running(server, tmp_path, mode, *room) as process:
        if not room:
            await dispatch(line, within=60)
        caller = await line.caller()
        await caller.wait_for_sounds(1, within=30)
        process.send_signal(told)
        await caller.dropped(within=8)
        record = await record_in(tmp_path, within=10)
        assert (record["outcome"], record["hung_up_by"]) == ("cancelled", "worker")
        assert (record["line"], record["forced"]) == ("dropped", [])
        assert await asyncio.to_thread(process.wait, 20) == 0
        await line.view.wait_until_gone(line.room, within=3)


async def test_a_call_whose_program_is_killed_drops_its_line(line, server, tmp_path):
    """Its job's process has lost its worker: LiveKit cancels what runs there, and closes the job's HTTP session first."""
    with running(server, tmp_path, "connect", "--room", line.room) as process:
        caller = await line.caller()
        await caller.wait_for_sounds(1, within=30)
        process.kill()
        await caller.dropped(within=8)
        record = await record_in(tmp_path, within=10)
        assert (record["line"], record["line_dropped"] is not None) == ("dropped", True)


@contextmanager
def terminal(command, folder):
    """A program in a terminal of its own: `(process, type, screen)`."""
    (folder / "sounddevice.py").write_text(
        '"""The sound card of a machine that has none: a text console needs no more."""'
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "100", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    shown = bytearray()
    reader = threading.Thread(target=_read, args=(ours, shown), daemon=True)  # a full terminal would stop it
    reader.start()

    async def see(what, *, within):
        until = time.monotonic() + within
        while what.encode() not in shown:
            assert time.monotonic() < until, shown.decode(errors="replace")[-3000:]
            await asyncio.sleep(0.05)

    try:
        yield process, lambda keys: os.write(ours, keys), see
    finally:
        stop(process, within=5)
        print(shown.decode(errors="replace")[-4000:])  # noqa: T201 - pytest shows it for a failed test
        reader.join(5)
        os.close(ours)


def _read(terminal, into):
    with suppress(OSError):  # the program has ended
        while True:
            into += os.read(terminal, 65536)


async def _type(keys, text, folder):
    """Key by key, until the call has ended: LiveKit's console drops what comes while it sets its terminal for a key."""
    for _ in range(5):
        for key in f"{text}\r":
            keys(key.encode())
            await asyncio.sleep(0.15)
        with suppress(AssertionError):
            await record_in(folder, within=6)
            return
    pytest.fail("the call did not end by what was typed")


@pytest.mark.parametrize(("says", "outcome"), [("", "hung_up"), ("bye", "completed")])
async def test_ctrl_c_in_the_console_hangs_up(tmp_path, says, outcome):
    with terminal(_command(tmp_path / "journal", "console", "--text"), tmp_path) as (process, keys, see):
        await see("Type to talk", within=STARTED)
        if says:
            await _type(keys, says, tmp_path)
        keys(CTRL_C)
        assert await asyncio.to_thread(process.wait, 20) == 0
        record = await record_in(tmp_path, within=1)
        assert record["outcome"] == outcome
        assert record["hung_up_by"] == ("agent" if says else "caller")
