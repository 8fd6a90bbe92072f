"""Synchronous actions: in threads of their own, which hold up neither the event loop's own work nor the process's end."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import callflow
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.actions import DaemonExecutor, in_thread
from callflow.livekit_bindings.verbs import outside

FLOW = """
callflow: 1
name: actions
python: {look_up: {}}
initial: working
states:
  working: {entry: [{python: look_up}], on: {done: ending}}
"""


@pytest.mark.real_time
async def test_actions_that_hang_hold_up_no_other_work_of_the_loop():
    """As the look-up of the name for the request that drops the line."""
    release = threading.Event()
    world = SimpleNamespace(actions={"look_up": release.wait}, flow=callflow.loads(FLOW))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    hung = [
        asyncio.ensure_future(outside.python(world, Start(n, "python", {"name": "look_up"}, 10.0))) for n in range(40)
    ]
    try:
        found = await asyncio.wait_for(
            asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM), 20
        )
        assert found
        assert await asyncio.wait_for(in_thread(lambda: "another"), 20) == "another"
    finally:
        release.set()
        await asyncio.wait(hung)


@pytest.mark.real_time
async def test_threads_are_named_bounded_and_used_again():
    pool, release = DaemonExecutor(3, "worker"), threading.Event()
    running = [pool.submit(release.wait) for _ in range(9)]
    assert pool.threads == 3
    cancelled = running[8].cancel()
    release.set()
    assert [one.result(10) for one in running[:8]] == [True] * 8
    assert cancelled
    names = {pool.submit(lambda: threading.current_thread().name).result(10) for _ in range(20)}
    assert names <= {"worker-0", "worker-1", "worker-2"}
    assert pool.threads == 3
    assert all(one.daemon for one in threading.enumerate() if one.name in names)


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("error", "said"), [(StopIteration, "StopIteration: boom"), (SystemExit, "status boom"), (OSError, "boom")]
)
async def test_whatever_an_action_raises_the_flow_is_told(error, said):
    def act():
        raise error("boom")

    world = SimpleNamespace(actions={"look_up": act}, flow=callflow.loads(FLOW))
    with pytest.raises((EffectError, RuntimeError, OSError), match=said):
        await asyncio.wait_for(outside.python(world, Start(1, "python", {"name": "look_up"}, 10.0)), 20)


def test_a_process_ends_with_actions_that_hang():
    program = (
        "import asyncio, threading\n"
        "from callflow.livekit_bindings.actions import in_thread\n"
        "async def main():\n"
        "    hung = asyncio.ensure_future(in_thread(threading.Event().wait))\n"
        "    await asyncio.sleep(0.05)\n"
        "    hung.cancel()\n"
        "asyncio.run(main())\n"
        "print('over')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "over\n", "")
