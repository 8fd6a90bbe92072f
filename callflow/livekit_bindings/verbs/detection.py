"""detect_machine: who has answered, by livekit-agents' answering machine detection; alone, or as part of a dial.

As part of a dial it is begun before the INVITE, so that nothing of the greeting is missed, and its verdict is told
after `dial.answered`, whatever state the call is in then. While it runs the agent says nothing: speech waits, and
whoever answered speaks to a silent agent, which remembers what was said.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field
from livekit.agents import Agent
from livekit.agents.utils import is_given

from callflow.core.actions import VERBS
from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.core.verbs.limits import DETECTS_BEFORE
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.surroundings import InConversation

logger = logging.getLogger("callflow")

CAP = VERBS["detect_machine"].timeout or 15.0
"""Seconds, unless the flow says otherwise."""

NO_SPEECH = 10.0
"""Seconds of silence after the answer after which nobody can tell; LiveKit's own."""

RESULT_FIRST = 0.05
"""Seconds: a verdict that is there with the answer is told after the dial's result."""

AGAIN = 0.1
"""Seconds before LiveKit's detector, which gives up 5 s after its start where nobody can be heard yet, is started anew."""


class Given(InConversation, Protocol):
    """What a detection is given."""

    def post(self, name: str, data: Mapping[str, Any]) -> None: ...

    detection: Detection | None

    @property
    def agent(self) -> Agent: ...

    def detection_over(self) -> None: ...


async def detect_machine(world: Given, effect: Start) -> Mapping[str, Any]:
    """Who is on the line. The result is one of LiveKit's categories; out of time it is `uncertain`."""
    seconds = (effect.timeout or CAP) - DETECTS_BEFORE
    detection = begin(world, {"timeout": max(seconds, 0.0), **_options(effect.arguments)})
    detection.answered(told=False)
    try:
        verdict = await asyncio.shield(detection.verdict)
        return {**verdict, "result": verdict["category"]}
    finally:
        detection.cancel()


def begin(world: Given, options: Mapping[str, Any], *, leg: str = MAIN_LEG) -> Detection:
    """Starts to listen to a leg, as soon as the session runs and the leg is there: call it before the INVITE.

    `options`: `timeout`, in seconds from the answer, and `ivr_detection`. Ends with `Detection.cancel`, or by itself with
    the verdict or the call. LiveKit's session has one detector: a detection that runs already is given up.
    """
    before, timeout = world.detection, float(options.get("timeout") or CAP)
    world.detection = Detection(world, timeout, bool(options.get("ivr_detection")), leg, before)
    return world.detection


@define(eq=False)
class Detection:
    """One detection. `verdict` resolves to the fields of its `amd.*` event, and never where the far end has left: that
    is `call.hangup`, and says nothing of who it was."""

    world: Given
    timeout: float
    ivr_detection: bool
    leg: str
    before: Detection | None
    verdict: asyncio.Future[Mapping[str, Any]] = field(init=False)
    over: asyncio.Event = field(factory=asyncio.Event, init=False)
    _answered: asyncio.Event = field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] = field(init=False)
    _told: bool = field(default=False, init=False)
    _detector: Any = field(default=None, init=False)
    _heard: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        loop = self.world.call.loop
        self.verdict = loop.create_future()
        self._task = loop.create_task(self._run(), name="callflow detect_machine")
        self._task.add_done_callback(self._ended)

    def answered(self, *, told: bool = True) -> None:
        """The far end has picked up: the time limit counts from now on. `told`: the verdict becomes an event."""
        self._told = told
        self._answered.set()

    def cancel(self) -> None:
        """Nobody wants to know any more: the dial has failed, the state was left. Also when it is over."""
        self._task.cancel()

    async def _run(self) -> None:
        world = self.world
        detecting = asyncio.ensure_future(self._detect())
        gone = asyncio.ensure_future(self._gone())
        try:
            await self._answered.wait()
            await asyncio.wait({detecting, gone}, timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if detecting.done():
                fields = detecting.result()
            elif gone.done():
                return
            else:
                fields = _fields(
                    "uncertain", reason="detection_timeout", transcript=self._transcript(), delay=self.timeout
                )
        finally:
            for task in (detecting, gone):
                task.cancel()
            await asyncio.wait({detecting, gone})
        if self._told:
            await asyncio.sleep(RESULT_FIRST)
        if world.line.over or world.call.over:
            return
        self.verdict.set_result(fields)
        if self._told:
            world.post(f"amd.{fields['category']}", fields)

    async def _detect(self) -> Mapping[str, Any]:
        if self.leg != MAIN_LEG:
            return _fields(
                "uncertain", reason="error", error=f"LiveKit's detector hears the main leg alone, not {self.leg}"
            )
        try:
            await self.world.started()
            if self.before is not None:
                self.before.cancel()
                await self.before.over.wait()
                self.before = None
            while True:
                identity = self.world.line.identity_of(self.leg)
                verdict = None if identity is None else await self._listen(identity)
                if verdict is not None and verdict.reason != "participant_missing":
                    category = verdict.category.value
                    return _fields(category, reason=verdict.reason, transcript=verdict.transcript, delay=verdict.delay)
                await asyncio.sleep(AGAIN)  # nobody there, or not heard yet, is no verdict on who it is
        except Exception as error:
            logger.warning("answering machine detection has failed", exc_info=error)
            sentence = str(error) if isinstance(error, EffectError) else f"{type(error).__name__}: {error}"
            return _fields("uncertain", reason="error", transcript=self._transcript(), error=sentence)

    async def _listen(self, identity: str) -> Any:
        """LiveKit's AMDPredictionEvent."""
        world = self.world
        model = world.agent.llm
        options: dict[str, Any] = {"llm": model} if is_given(model) else {}
        limits: Any = {"timeout": self.timeout, "no_speech_threshold": min(NO_SPEECH, self.timeout)}
        detector = self._detector = livekit_internals.silent_detector(
            world.session,
            participant_identity=identity,
            ivr_detection=self.ivr_detection,
            suppress_compatibility_warning=True,
            detection_options=limits,
            **options,
        )
        async with detector:
            with livekit_internals.watch_detector(detector) as failed:
                verdict = asyncio.ensure_future(detector.execute())
                try:
                    await asyncio.wait({verdict, failed}, return_when=asyncio.FIRST_COMPLETED)
                    return verdict.result() if verdict.done() else failed.result()
                finally:
                    self._heard = livekit_internals.transcript_of(detector)
                    verdict.cancel()
                    with contextlib.suppress(asyncio.CancelledError, RuntimeError):
                        await verdict

    async def _gone(self) -> None:
        """Returns when the far end has left."""
        await self._answered.wait()
        while await self.world.line.heard():
            await self.world.line.cut()

    def _transcript(self) -> str:
        running = self._detector is not None and livekit_internals.transcript_of(self._detector)
        return running or self._heard

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error("answering machine detection has failed", exc_info=task.exception())
        self.over.set()
        if self.world.detection is self:
            self.world.detection = None
            self.world.detection_over()


def _options(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"ivr_detection": bool(arguments.get("ivr_detection"))}


def _fields(
    category: str, *, reason: str, transcript: str = "", delay: float = 0.0, error: str | None = None
) -> Mapping[str, Any]:
    """The payload of `amd.<category>`; `delay` in seconds, from the end of what was said to the verdict."""
    return {"category": category, "reason": reason, "transcript": transcript, "delay": round(delay, 3), "error": error}
