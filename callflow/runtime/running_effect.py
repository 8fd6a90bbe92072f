"""One effect of a call, from its start to its end: its tries, its time limit, its cancellation.

Driven by callbacks, so that nothing here can be cancelled, and a task that swallows its cancellation holds up nobody: it
is left behind, and what it brings later is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, Protocol, TypeVar

from callflow.core.actions import verb_of
from callflow.core.events import NO_DATA
from callflow.core.snapshot import Start
from callflow.core.verbs.limits import STOPS
from callflow.errors import EffectError
from callflow.runtime.eager_task import eager_task
from callflow.runtime.ports import World

UNHEARD: Mapping[str, Any] = {"interrupted": True, "spoken": "", "heard": False}

_T = TypeVar("_T")

Status = Literal["ok", "failed", "timed_out", "cancelled"]


class Told(Protocol):
    """Who hears of what becomes of an effect."""

    def attempted(self, effect: Effect) -> None: ...

    def ended(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None: ...

    def stops(self, task: asyncio.Task[Any]) -> None: ...

    def left_behind(self, task: asyncio.Task[Any], effect: Start) -> None: ...

    def came_late(self, effect: Start, result: Mapping[str, Any]) -> None: ...

    def opened(self, status: Status, error: str | None) -> None: ...

    def said_goodbye(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None: ...


class Alarm(Protocol):
    """Who looks at what is due."""

    def ring_by(self, when: float) -> None: ...


class Owner(Protocol):
    """What an effect is given of its call: who performs it, the clock, and who is told of its end."""

    @property
    def world(self) -> World: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def effects(self) -> Told: ...

    @property
    def timers(self) -> Alarm: ...

    def now(self) -> float: ...

    def at_once(self, function: Callable[[_T], None], argument: _T) -> None: ...


class Effect:
    """An effect that runs. `phase`: ready (the call takes what waits, and lets it `act` then), trying, late (its time is up, it is
    stopping), pausing (before the next try), stopping (cancelled by the call), over. `due` is when the call is to `ring`, on the
    loop's clock; None: it waits for nothing but its task."""

    __slots__ = ("_work", "began", "call", "due", "phase", "start", "task", "tries")

    def __init__(self, call: Owner, start: Start) -> None:
        self.call = call
        self.start = start
        self.began = call.now()
        self.tries = 0
        self.task: asyncio.Task[Mapping[str, Any]] | None = None
        self.due: float | None = None
        self.phase: Literal["ready", "trying", "late", "pausing", "stopping", "over"] = "ready"
        self._work: Coroutine[Any, Any, Mapping[str, Any]] | None = None  # before its first step

    def attempt(self) -> None:
        """Begin a try."""
        self.phase = "ready"
        self.tries += 1
        try:
            self._work = self.perform()
        except Exception as error:  # noqa: BLE001 - a world that fails before it can be awaited
            self._again("failed", sentence(error))
        else:
            self.call.effects.attempted(self)

    def act(self) -> None:
        """Take the first step of a try, which may be the last; a task goes on with what follows. What was cancelled before never
        begins to act."""
        if self.phase != "ready":
            return
        work: Any = self._work
        self._work = None
        self.phase = "trying"
        start, loop = self.start, self.call.loop
        due = None if start.timeout is None else loop.time() + start.timeout
        try:
            task, value = eager_task(loop, work, f"callflow {start.verb} {start.id}")
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a world raises, its effect has failed
            self._came(NO_DATA, _told(error))
            return
        if task is None:
            self._came(*_checked(value))
            return
        task.add_done_callback(self._done)
        if self.over:  # its own first step has ended it, or the call
            task.cancel()
            self.call.effects.stops(task)
            return
        self.task = task
        if due is not None:
            self._ring_by(due)

    @property
    def over(self) -> bool:
        return self.phase == "over"

    @property
    def ends(self) -> bool:
        """Whether its task is done, and the loop is about to say so."""
        return self.task is not None and self.task.done()

    def perform(self) -> Coroutine[Any, Any, Mapping[str, Any]]:
        return self.call.world.perform(self.start)

    def report(self, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        self.call.effects.ended(self, status, result, error)

    def cancel(self) -> None:
        """Stop it by force. Its end is reported when it has stopped; one that has ended already is left alone."""
        if self.phase in ("stopping", "over"):
            if self.task is not None:
                self.task.cancel()
            return
        self.due = None
        if self.task is None:
            self._forget()
            self._end("cancelled")
            return
        self.phase = "stopping"
        self.task.cancel()

    def end_now(self, status: Status, result: Mapping[str, Any], error: str | None = None) -> None:
        """Report this end, whatever the task makes of its cancellation."""
        if self.phase == "over":
            return
        self.due = None
        self._forget()
        if self.task is not None:
            self.task.cancel()
        self._end(status, result, error)

    def _forget(self) -> None:
        """What has not begun to act never does."""
        work, self._work = self._work, None
        if work is not None:
            work.close()

    def ring(self) -> None:
        """What was due has come: the end of its time, of its grace, of its pause."""
        self.due = None
        if self.phase == "pausing":
            self.attempt()
        elif self.task is None:
            return
        elif self.phase == "trying":
            self.phase = "late"
            self.task.cancel()
            self._ring_by(self.call.loop.time() + STOPS)
        else:
            self.call.effects.left_behind(self.task, self.start)
            self.task = None
            self._again("timed_out", self._out_of_time())

    def _done(self, task: asyncio.Task[Mapping[str, Any]]) -> None:
        self.call.at_once(self._over, task)

    def _over(self, task: asyncio.Task[Mapping[str, Any]]) -> None:
        value, error = outcome_of(task)
        if task is self.task:
            self._came(value, error)
        elif error is None:
            self.call.effects.came_late(self.start, value)

    def _came(self, value: Mapping[str, Any], error: str | None) -> None:
        """What a try has come to."""
        self.task = None
        self.due = None
        if self.phase in ("stopping", "over"):
            if error is None and value:
                self.call.effects.came_late(self.start, value)
            if self.phase == "stopping":
                self._end("cancelled")
        elif self.phase == "late":
            self._again("timed_out", self._out_of_time(), value)
        elif error is not None:
            self._again("failed", error)
        else:
            self._end("ok", value)

    def _again(self, status: Status, error: str, result: Mapping[str, Any] = NO_DATA) -> None:
        """One try has come to nothing: the next one, if there is one."""
        if self.tries >= self.start.tries:
            self._end(status, result, error)
            return
        self.phase = "pausing"
        self._ring_by(self.call.loop.time() + self.start.backoff * 2 ** (self.tries - 1))

    def _end(self, status: Status, result: Mapping[str, Any] = NO_DATA, error: str | None = None) -> None:
        self.phase = "over"
        self.report(status, result, error)

    def _ring_by(self, due: float) -> None:
        self.due = due
        self.call.timers.ring_by(due)

    def _out_of_time(self) -> str:
        return f"no end within {self.start.timeout:g} s"


class Opening(Effect):
    """`World.open`: connecting, and the start of the session."""

    __slots__ = ()

    def perform(self) -> Coroutine[Any, Any, Mapping[str, Any]]:
        return self._open()

    async def _open(self) -> Mapping[str, Any]:
        await self.call.world.open()
        return NO_DATA

    def report(self, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        self.call.effects.opened(status, error)


class Closing(Effect):
    """What a final state finds still open. Where the world's own way fails, its last resort follows at once: nobody is
    left on the line while `wrap_up` runs."""

    __slots__ = ()

    def __init__(self, call: Owner, start: Start) -> None:
        super().__init__(call, start._replace(tries=verb_of(start.verb).tries, backoff=0.0))

    def perform(self) -> Coroutine[Any, Any, Mapping[str, Any]]:
        return super().perform() if self.tries == 1 else self._force()

    async def _force(self) -> Mapping[str, Any]:
        wanted = self.start.arguments
        await self.call.world.close(session=bool(wanted.get("session")), line=bool(wanted.get("line")))
        return NO_DATA


class Goodbye(Effect):
    """The last words of `Call.hang_up`, spoken before the flow hears of it."""

    __slots__ = ()

    def report(self, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        self.call.effects.said_goodbye(self, status, result, error)


def is_speech(verb: str) -> bool:
    """Whether this is worth nothing to a caller who is about to be dropped."""
    entry = verb_of(verb)
    return entry.speech or entry.lets_speech_end


def unspoken(verb: str) -> tuple[Status, Mapping[str, Any], str | None]:
    """How a speech ends for which there is no time any more."""
    if verb_of(verb).results:
        return "failed", NO_DATA, "the worker closes"
    return "ok", (UNHEARD if verb_of(verb).speech else NO_DATA), None


def outcome_of(task: asyncio.Task[Any]) -> tuple[Mapping[str, Any], str | None]:
    """A finished task's result, or the sentence that says why there is none."""
    if task.cancelled():
        return NO_DATA, _told(asyncio.CancelledError())
    error = task.exception()
    return _checked(task.result()) if error is None else (NO_DATA, _told(error))


def _checked(value: Any) -> tuple[Mapping[str, Any], str | None]:
    """What a world gives for a result, and what is wrong with it."""
    if value is None:
        return NO_DATA, None
    if type(value) is not dict and not isinstance(value, Mapping):
        return NO_DATA, f"its result must be a mapping, not {type(value).__name__}"
    return value, None


def _told(error: BaseException) -> str:
    return "cancelled from outside" if isinstance(error, asyncio.CancelledError) else sentence(error)


def sentence(error: BaseException) -> str:
    """What an exception says, with its type where it is not one that callflow or the program raises on purpose."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception whose __str__ raises
        text = ""
    if isinstance(error, EffectError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
