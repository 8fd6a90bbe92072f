"""Everything that runs for a call: what its steps have begun, the start of its session, and its last words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from callflow.core.actions import verb_of
from callflow.core.events import NO_DATA, EffectEnded, Event, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Forward, Start
from callflow.core.statechart.action_lists import place_at
from callflow.runtime.course import Log
from callflow.runtime.record import CallRecord, EffectRecord
from callflow.runtime.redact import WITH_PRIVATE, Redactor
from callflow.runtime.running_effect import Closing, Effect, Goodbye, Opening, Owner, Status, sentence, unspoken
from callflow.runtime.shutdown import Shutdown
from callflow.runtime.timers import Timers

logger = logging.getLogger("callflow")

OPEN_SECONDS = 60.0
GOODBYE_SECONDS = 30.0
"""What the start of the session, and the goodbye of `hang_up`, may take."""

OPENING, GOODBYE = 0, -1
"""Effects of the runtime's own; those of the flow count from 1."""

_NONE: dict[int, Effect] = {}
"""No effects, for all the calls that have none."""


class Performed(Owner, Protocol):
    """What its effects are given of a call: where their ends go to, and what is told of them."""

    log: Log
    reason: str | None

    @property
    def id(self) -> str: ...

    @property
    def flow(self) -> Flow: ...

    @property
    def timers(self) -> Timers: ...

    @property
    def redactor(self) -> Redactor: ...

    @property
    def hurried(self) -> bool: ...

    @property
    def shutdown(self) -> Shutdown: ...

    @property
    def over(self) -> bool: ...

    def put(self, entry: Input) -> None: ...

    def wake(self) -> None: ...

    def note(self, sentence: str) -> None: ...

    def draft(self) -> CallRecord: ...


class Effects:
    """Of one call. `running` are those that have begun and not ended, by their ids; `opening` is the start of the session, while
    it starts; `ready` are those that have yet to take their first step; `strays` are tasks of effects that are over, and that have been told to stop."""

    __slots__ = ("_call", "open_failed", "opening", "ready", "running", "strays")

    def __init__(self, call: Performed) -> None:
        self._call = call
        self.running: dict[int, Effect] = _NONE
        self.opening: Effect | None = None
        self.ready: tuple[Effect, ...] = ()
        self.open_failed = False
        self.strays: tuple[asyncio.Task[Any], ...] = ()

    def __iter__(self) -> Iterator[Effect]:
        """All that runs now."""
        running = self.running.values()
        return iter([*running] if self.opening is None else [self.opening, *running])

    # -- what a call does with them ------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the session."""
        self.opening = Opening(self._call, Start(OPENING, "open", {}, OPEN_SECONDS))
        self.opening.attempt()

    def say_goodbye(self, text: str) -> None:
        """Speak the last words; the flow hears of the hang-up after them."""
        arguments = {"text": text, "to": None, "interruptible": False, "repeat_if_interrupted": 0, "wait": True}
        self._begin(Goodbye(self._call, Start(GOODBYE, "say", arguments, GOODBYE_SECONDS)))

    def carry_out(self, effects: tuple[Start | Cancel | Forward, ...]) -> None:
        """What a step says is to be done."""
        for one in effects:
            if isinstance(one, Start):
                self._start(one)
            elif one.id in self.running:
                if isinstance(one, Cancel):
                    self.running[one.id].cancel()
                else:
                    self._forward(one)

    def act(self) -> None:
        """Those that have begun take their first step, and those that are begun by that. Where the end of another is on its way
        that is told first, and they wait for the loop's next turn: they may hang on what it did."""
        if any(effect.ends for effect in self):
            return
        while self.ready:
            ready, self.ready = self.ready, ()
            for effect in ready:
                effect.act()

    def attempted(self, effect: Effect) -> None:
        """It takes its first step when the call has taken what waits."""
        self.ready += (effect,)
        self._call.wake()

    def _start(self, effect: Start) -> None:
        call, verb = self._call, verb_of(effect.verb)
        if verb.last:
            call.reason = str(effect.arguments.get("reason") or "")
            self.ended(Effect(call, effect), "ok", NO_DATA, None)
        elif call.hurried and call.shutdown.passes_over(effect.verb):
            self.ended(Effect(call, effect), *unspoken(effect.verb))
        elif verb.forced:
            call.log.force(name for name in ("line", "session") if effect.arguments.get(name))
            self._begin(Closing(call, effect))
        else:
            self._begin(Effect(call, effect))

    def _begin(self, effect: Effect) -> None:
        if self.running is _NONE:
            self.running = {}
        self.running[effect.start.id] = effect
        effect.attempt()

    def _forward(self, one: Forward) -> None:
        try:
            self._call.world.forward(one.id, one.event)
        except Exception as error:
            if self._call.log.note(f"forward: {sentence(error)}"):
                logger.exception("an event could not be forwarded", extra={"call": self._call.id})

    # -- what becomes of them ------------------------------------------------------------------------------------

    def ended(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        """An effect has come to its end, all its tries included."""
        call = self._call
        now = self.record(effect, status, result, error)
        if status == "ok" and call.flow.wrap_up and verb_of(effect.start.verb).forced:
            result = {**result, **self._for_wrap_up()}
        call.put(EffectEnded(effect.start.id, status, result, error, now))

    def record(self, effect: Effect, status: str, result: Mapping[str, Any], error: str | None) -> float:
        """An effect is over, or given up: for the record. Says when."""
        call, one, now = self._call, effect.start, self._call.now()
        self.running.pop(one.id, None)
        if error is not None:
            call.redactor.overhear(error)
        if result or one.verb in WITH_PRIVATE or call.redactor.is_worked_out(one):
            self._learn(one, result)
        seconds, at = now - effect.began, place_at(call.flow, one.source)
        call.log.effect(EffectRecord(one.id, one.verb, effect.began, seconds, status, effect.tries, result, error, at))
        return now

    def _learn(self, one: Start, result: Mapping[str, Any]) -> None:
        """What is private in an effect. The journal's thread learns it too, but late, or never where the disk has failed."""
        redactor = self._call.redactor
        try:
            redactor.arguments(one)
            redactor.result(one, result)
        except Exception as error:  # noqa: BLE001 - what cannot be told costs no effect its end
            redactor.full = True
            why = sentence(error)
            self._call.note(f"what {one.verb} ({one.id}) has brought cannot be read, and texts are hidden: {why}")

    def _for_wrap_up(self) -> Mapping[str, Any]:
        try:
            record = self._call.draft().to_json(private=True)
        except Exception as error:  # noqa: BLE001 - nor this
            self._call.note(f"wrap_up has no record: {sentence(error)}")
            return NO_DATA
        return {"transcript": record["transcript"], "record": record}

    def opened(self, status: Status, error: str | None) -> None:
        """The session has started, or will not."""
        call = self._call
        self.opening = None
        if not self.running:
            call.timers.be_still()  # for most of its time a call waits for nothing
        if status in ("failed", "timed_out"):
            self.open_failed = True
            call.note(f"the session did not start: {error}")
            call.put(Event("session.close", {"reason": "error", "error": error or status}, call.now()))

    def said_goodbye(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        """The last words are spoken, or could not be."""
        self.record(effect, status, result, error)
        if not self._call.over:
            self._call.shutdown.by_program()

    def stops(self, task: asyncio.Task[Any]) -> None:
        """A task of an effect that is over: the call's end waits for it."""
        self.strays = (*self.strays, task)

    def left_behind(self, task: asyncio.Task[Any], effect: Start) -> None:
        """A task that swallows its cancellation: nobody waits for it any longer."""
        self.stops(task)
        self._call.note(f"{effect.verb} ({effect.id}) did not stop when its time was up")

    def came_late(self, effect: Start, result: Mapping[str, Any]) -> None:
        """What an effect brought after it was given up."""
        if result:
            what = f": {result['result']}" if "result" in result else ""
            self._call.log.came_late(f"{effect.verb} ({effect.id}) ended after it was given up{what}")
