"""LiveKit's answering machine detection, with an agent that is silent meanwhile, and what it does not tell by itself."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from livekit import agents
from livekit.agents import AgentSession, llm

from callflow.errors import EffectError
from callflow.livekit_bindings.livekit_internals import names


def silent_detector(session: AgentSession[Any], **options: Any) -> Any:
    """A detector (LiveKit's AMD) that lets the agent answer nobody while it listens. Raises EffectError where LiveKit has
    none."""
    made = _silent(names.DETECTOR.of(agents))
    if made is None:
        raise EffectError("this LiveKit has no answering machine detection that callflow knows")
    return made(session, **options)


@functools.cache
def _silent(detector: Any) -> Any:
    """What is said while it listens is kept in the history, and no reply is made. LiveKit's own only holds the reply back,
    and speaks it after the verdict."""
    if names.DETECTOR_TURN.of(detector) is None:
        return detector

    class SilentDetector(detector):  # type: ignore[misc]  # a class that may not be there
        def _on_end_of_turn(self, info: Any) -> bool:
            listens = not names.DETECTOR_CLOSED.of(self, False) and self.enabled
            super()._on_end_of_turn(info)
            return listens

    return SilentDetector


@contextlib.contextmanager
def watch_detector(detector: Any) -> Iterator[asyncio.Future[Any]]:
    """A future that raises what the answering machine detection's LLM fails with: LiveKit only logs it, and nobody
    would hear of it before the detection's time is up."""
    failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    model = names.CLASSIFIER_LLM.of(names.CLASSIFIER.of(detector))

    def told(event: llm.LLMError) -> None:
        if not event.recoverable and not failed.done():
            failed.set_exception(event.error)

    if isinstance(model, llm.LLM):
        model.on("error", told)
    try:
        yield failed
    finally:
        if isinstance(model, llm.LLM):
            model.off("error", told)
        if failed.done():
            failed.exception()  # nobody may have asked
        failed.cancel()


def transcript_of(detector: Any) -> str:
    """What answering machine detection has heard so far."""
    return str(names.CLASSIFIER_HEARD.of(names.CLASSIFIER.of(detector), ""))
