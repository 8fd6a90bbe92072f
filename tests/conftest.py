"""Async tests run on virtual time, and fail when they leave a task behind."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import sys
from collections.abc import Callable
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis.strategies import none

# How long an example takes is the machine's business.
settings.register_profile("callflow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callflow")


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    if item.get_closest_marker("real_time") or item.get_closest_marker("e2e"):
        return {"real": _tells_briefly(asyncio.new_event_loop)}
    # Not before: it brings LiveKit and its threads, and a process that has any cannot enter the network of the end-to-end tests.
    from callflow.testing.virtual_time import VirtualTimeLoop

    return {"virtual": _tells_briefly(VirtualTimeLoop)}


def _tells_briefly(make: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop that logs an exception which nobody retrieved without its traceback. That is told during a garbage
    collection; if `ast` was at work just then, formatting a traceback, which parses, breaks it (CPython 3.11)."""

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        logging.getLogger("asyncio").error("%s: %r", context["message"], context.get("exception"))

    def made() -> asyncio.AbstractEventLoop:
        loop = make()
        loop.set_exception_handler(tell)
        return loop

    return made


def pytest_collection_finish() -> None:
    find(none(), lambda _: True)  # Hypothesis makes its own random numbers now: it takes what is frozen for lost
    gc.collect()
    gc.freeze()  # thousands of tests, and all that they import, are there to stay: a test that collects looks at its own
    if "livekit.agents" in sys.modules:  # importing it takes longer than most tests
        from tests.support import possible, speaking_rate

        speaking_rate.install()
        possible.install()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, Path]]:
    """`callflow demo` with these options, each played once: what is printed, and the folder of what is kept."""

    @cache
    def played(*options: str) -> tuple[str, Path]:
        from tests.support.command import command

        folder = tmp_path_factory.mktemp("demo")
        with chdir(Path(__file__).parents[1]):  # it says where the flows are
            done = command("demo", *options, "--out", str(folder))
        assert done.exit_code == 0, done.output
        return done.stdout, folder

    return played


@pytest.fixture(autouse=True)
def nothing_is_proved_yet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A cache of its own for each test, which is made when something is kept; the servers of the others are in the user's."""
    if request.node.get_closest_marker("e2e"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "caches" / uuid4().hex))
        yield


@pytest.fixture(autouse=True)
def no_leaked_tasks(request: pytest.FixtureRequest):
    """Set up before the test's other fixtures, so it looks when they are gone."""
    if inspect.iscoroutinefunction(getattr(request.node, "function", None)):
        request.getfixturevalue("_watch_tasks")


@pytest.fixture
async def _watch_tasks():
    before = asyncio.all_tasks()
    yield
    for _ in range(10):  # a task that was cancelled or is done but for its last turns is not leaked
        await asyncio.sleep(0)
    leaked = asyncio.all_tasks() - before - {asyncio.current_task()}
    if leaked:
        pytest.fail(
            "tasks still running after the test:\n" + "\n".join(f"  {task!r}" for task in leaked), pytrace=False
        )
