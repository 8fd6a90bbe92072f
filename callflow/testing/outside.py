"""A model on the network, in a simulation: it is asked in real time, while virtual time stands still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, cast

from livekit.agents import APIError, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr

from callflow.testing.virtual_time import VirtualTimeLoop

THINKS = 0.7
"""Seconds of the call from a request to its answer, however long it has really taken: two runs differ by their words alone."""

STILL_THERE = 5.0
"""Seconds after which the thread tells a loop that waits for it that it is still at work."""


class OutsideLLM(llm.LLM[str]):
    """The LLM that `make` gives, made and asked on a loop in a thread of its own. `aclose` ends both.

    What it raises is raised here, once its own retries are over.
    """

    def __init__(self, make: Callable[[], llm.LLM[Any]]) -> None:
        super().__init__()
        self._make = make
        self._inner: llm.LLM[Any] | None = None
        self._runs = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callflow-model", daemon=True)
        self._thread.start()
        self._runs.wait()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._over = asyncio.Event()
            self._runs.set()
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._over.wait()
        if self._inner is not None:
            await self._inner.aclose()

    @property
    def model(self) -> str:
        return self._inner.model if self._inner is not None else "unknown"

    @property
    def provider(self) -> str:
        return self._inner.provider if self._inner is not None else "unknown"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        wanted = {"parallel_tool_calls": parallel_tool_calls, "tool_choice": tool_choice, "extra_kwargs": extra_kwargs}
        return _OutsideStream(self, wanted, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    async def answer(self, asked: llm.ChatContext, tools: list[llm.Tool], **wanted: Any) -> list[llm.ChatChunk]:
        """All of one answer."""
        here = asyncio.get_running_loop()
        standing = here.outside_work() if isinstance(here, VirtualTimeLoop) else nullcontext()
        asking = asyncio.run_coroutine_threadsafe(self._ask(asked.copy(), tools, wanted, here), self._loop)
        with standing:
            return await asyncio.wrap_future(asking)

    async def aclose(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    async def _ask(
        self,
        asked: llm.ChatContext,
        tools: list[llm.Tool],
        wanted: dict[str, Any],
        waiting: asyncio.AbstractEventLoop,
    ) -> list[llm.ChatChunk]:
        beat = asyncio.create_task(_beat(waiting))
        try:
            if self._inner is None:
                self._inner = self._make()
            async with self._inner.chat(chat_ctx=asked, tools=tools, **wanted) as stream:
                return [chunk async for chunk in stream]
        finally:
            beat.cancel()


async def _beat(waiting: asyncio.AbstractEventLoop) -> None:
    while True:
        await asyncio.sleep(STILL_THERE)
        waiting.call_soon_threadsafe(lambda: None)


class _OutsideStream(llm.LLMStream):
    def __init__(self, model: OutsideLLM, wanted: dict[str, Any], **given: Any) -> None:
        self._wanted = wanted
        super().__init__(model, **given)

    async def _run(self) -> None:
        model = cast(OutsideLLM, self._llm)
        try:
            chunks = await model.answer(self._chat_ctx, self._tools, conn_options=self._conn_options, **self._wanted)
        except APIError as error:
            error.retryable = False  # it has been tried again already
            raise
        await asyncio.sleep(THINKS)
        for chunk in chunks:
            self._event_ch.send_nowait(chunk)
