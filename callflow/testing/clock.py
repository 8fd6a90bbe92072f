"""The wall clock of a simulation."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from livekit.agents import llm


@contextmanager
def wall_clock(epoch: float | None = None) -> Iterator[None]:
    """While this is entered, `time.time()` follows the running event loop, from `epoch` (now, unless set) on.

    On a virtual-time loop the two would drift apart, and LiveKit's sessions compare both: the end of a turn and the
    close of a session would wait for instants that are long over. Enter it in the loop's own thread, one at a time.
    """
    _let_messages_follow()
    loop = asyncio.get_running_loop()
    real, real_ns = time.time, time.time_ns
    offset = (real() if epoch is None else epoch) - loop.time()
    time.time = lambda: offset + float(loop.time())
    time.time_ns = lambda: int(time.time() * 1e9)
    try:
        yield
    finally:
        time.time, time.time_ns = real, real_ns


@functools.cache
def _let_messages_follow() -> None:
    """A conversation is kept in the order of its messages' times, some given, some taken: LiveKit's messages hold on to
    the `time.time` that there was when they were imported. From now on they look it up, which is the same elsewhere."""
    for kind in (llm.ChatMessage, llm.FunctionCall, llm.FunctionCallOutput, llm.AgentHandoff, llm.AgentConfigUpdate):
        kind.model_fields["created_at"].default_factory = lambda: time.time()
        kind.model_rebuild(force=True)
