"""When a call has to look: at the earliest timer of its snapshot, and at the time limits of what runs for it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterable
from typing import Protocol

from callflow.core.events import TimerFired
from callflow.core.snapshot import Snapshot, Timer


class Rings(Protocol):
    """What is asked of something that runs: when it is due, on the loop's clock, and to look then at what has come."""

    @property
    def due(self) -> float | None: ...

    def ring(self) -> None: ...


class Timed(Protocol):
    """What is asked of a call with timers."""

    @property
    def snapshot(self) -> Snapshot: ...

    def now(self) -> float: ...

    def put(self, entry: TimerFired) -> None: ...

    @property
    def effects(self) -> Iterable[Rings]: ...


class Timers:
    """Of one call that runs. `epoch` is the loop's time zero. At most two handles of the loop at a time: one for the snapshot's
    timers, one for what runs. Both stay where they are when what comes next is later: speech stops silence and lets it go
    on, and most time limits are never reached."""

    __slots__ = ("_alarm", "_call", "_context", "_epoch", "_fired", "_handle", "_loop")

    def __init__(
        self, call: Timed, loop: asyncio.AbstractEventLoop, context: contextvars.Context | None, epoch: float
    ) -> None:
        self._call = call
        self._loop = loop
        self._context = context
        self._epoch = epoch
        self._handle: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._fired = 0  # the generation of the timer that has come last

    @property
    def armed(self) -> bool:
        """Whether the snapshot's earliest timer is waited for."""
        return self._handle is not None and not self._handle.cancelled()

    def arm(self, timers: tuple[Timer, ...]) -> None:
        """The earliest of the snapshot's timers, and only that: the next one is chosen after its step."""
        handle = self._handle
        if not timers:
            if handle is not None:
                handle.cancel()
                self._handle = None
            return
        first = timers[0]
        if first.generation == self._fired:
            return
        when = first.due - self._epoch
        if handle is not None:
            if handle.when() <= when:
                return
            handle.cancel()
            self._handle = None
        if when <= self._loop.time():
            self._fire(first)
        else:
            self._handle = self._loop.call_at(when, self._come, context=self._context)

    def ring_by(self, when: float) -> None:
        """Look by then, on the loop's clock, at what of the effects is due."""
        alarm = self._alarm
        if alarm is not None:
            if alarm.when() <= when:
                return
            alarm.cancel()
        self._alarm = self._loop.call_at(when, self._ring, context=self._context)

    def be_still(self) -> None:
        """Nothing runs that has a time limit."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def stop(self) -> None:
        """The call is over."""
        self.arm(())
        self.be_still()

    def _come(self) -> None:
        """A timer may be due."""
        handle, self._handle = self._handle, None
        now = self._now(handle)
        timers = self._call.snapshot.memory.timers
        if timers and timers[0].due - self._epoch <= now and timers[0].generation != self._fired:
            self._fire(timers[0])
        else:
            self.arm(timers)

    def _fire(self, timer: Timer) -> None:
        self._fired = timer.generation
        self._call.put(TimerFired(timer.generation, max(timer.due, self._call.now())))

    def _ring(self) -> None:
        alarm, self._alarm = self._alarm, None
        now = self._now(alarm)
        running = list(self._call.effects)
        for one in running:
            if one.due is not None and one.due <= now:
                one.ring()
        for one in running:
            if one.due is not None:
                self.ring_by(one.due)

    def _now(self, handle: asyncio.TimerHandle | None) -> float:
        """A loop may be a little early."""
        return self._loop.time() if handle is None else max(handle.when(), self._loop.time())
