"""A call that was told to end: by whom, and by when it has to."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from callflow.core.events import NO_DATA, Event, Input
from callflow.core.snapshot import CARRIED, Memory
from callflow.errors import CallflowError
from callflow.runtime.ended import Ended
from callflow.runtime.running_effect import is_speech, sentence, unspoken

logger = logging.getLogger("callflow")

MARGIN_SECONDS = 2.0
"""What a worker that closes needs itself, of the time after which it kills its jobs."""

LEAST_WORKER_SECONDS = 2.0
"""In less no line can be dropped and no record written."""


def worker_seconds(killed_after: float) -> float:
    """What is owed, the ending and `wrap_up` share so much where the worker closes, and kills its jobs after that."""
    return max(LEAST_WORKER_SECONDS, killed_after - MARGIN_SECONDS)


KILLED_AFTER = 10.0
"""LiveKit's `shutdown_process_timeout`, unless somebody says otherwise."""

WORKER_SECONDS = worker_seconds(KILLED_AFTER)
"""Where nobody has said anything else to LiveKit."""

JOB_SECONDS = 15.0
"""LiveKit's own clock: so long after a room is gone or a job was told to end it cancels the entrypoint."""

MOST_UNSPOKEN = 100
"""Speech that is passed over where the worker closes; a flow that has more of it goes round in circles."""

HOLD_SECONDS = 60.0
"""How long that shutdown is held for what the model called and for `wrap_up`, and how long a call that the program hangs up may take to end."""


class Told(Ended, Protocol):
    """What is asked of a call that was told to end."""

    def put(self, entry: Input) -> None: ...

    def break_off(self, error: Exception) -> None: ...


class Shutdown:
    """Made when a call is first told to end. `told`: `job.shutdown` is in the inbox, was taken, or follows a goodbye.
    `expected`: LiveKit will cancel the entrypoint, and means no more by it. `hurried`: the worker closes."""

    __slots__ = ("_call", "_held", "_timer", "_unspoken", "expected", "hurried", "told")

    def __init__(self, call: Told) -> None:
        self._call = call
        self._held = False
        self._timer: asyncio.TimerHandle | None = None
        self._unspoken = 0
        self.told = False
        self.expected = False
        self.hurried = False

    def tell(self, reason: str, by: str) -> None:
        """The flow hears `job.shutdown`."""
        self.told = True
        self._call.log.told_by = by
        self._call.put(Event("job.shutdown", {"reason": reason}, self._call.now()))

    def by_job(self, reason: str, *, worker: bool) -> None:
        self.expected = True
        if not self.told:
            self.tell(reason, "worker")
        if worker and not self.hurried:
            self.hurried = True
            self._drop_speech()
        # A quarter of the worker's time is for what has to be closed by force.
        self.within(self._call.worker_seconds * 0.75 if worker else JOB_SECONDS)

    def by_program(self) -> None:
        self.tell("hang_up", "program")
        self.within(HOLD_SECONDS)

    def by_room(self) -> None:
        """The room is gone: LiveKit ends the job, and cancels the entrypoint if the call is not over by then."""
        self.expected = True
        self.within(JOB_SECONDS)

    def within(self, seconds: float) -> None:
        """The call ends by force after so many seconds, unless it has to earlier."""
        loop = self._call.loop
        when = loop.time() + seconds
        if self._timer is None or self._timer.when() > when:
            self.stop()
            self._timer = loop.call_at(when, self._out_of_time)

    def passes_over(self, verb: str) -> bool:
        """Whether this is speech for which there is no time any more."""
        if not (self.hurried and is_speech(verb)):
            return False
        self._unspoken += 1
        if self._unspoken == MOST_UNSPOKEN:
            self.within(0.0)  # such a flow would keep the loop busy until its time is up
        return True

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _out_of_time(self) -> None:
        call = self._call
        self._timer = None
        if _waits_for_nobody(call.snapshot.memory) and not (self.hurried or self._held):
            self._held = True
            self.within(HOLD_SECONDS)
            return
        if self.told:
            call.log.caused("job.shutdown", call.log.told_by, call.snapshot, NO_DATA)
        call.break_off(CallflowError("the call was told to end, and did not end in time"))

    def _drop_speech(self) -> None:
        call = self._call
        try:
            call.world.hurry()
        except Exception as error:
            call.note(f"hurry: {sentence(error)}")
            logger.exception("dropping speech has failed", extra={"call": call.id})
        for effect in list(call.effects.running.values()):
            if is_speech(effect.start.verb):
                effect.end_now(*unspoken(effect.start.verb))


def _waits_for_nobody(memory: Memory) -> bool:
    """Whether only what the model called, or `wrap_up`, is still under way."""
    if memory.phase == "wrap_up":
        return True
    return memory.phase in ("final", "dropping", "closing") and any(
        one.kind in CARRIED for one in memory.lists.values()
    )
