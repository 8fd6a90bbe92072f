"""What lives in a call: an actor with one inbox and one snapshot.

Whatever happens is only put into the inbox (`post`); the pump takes one input after the other through the pure step and
starts what the step says. The pump is a callback of the event loop, not a task: it has no await at which it could be
cancelled, and a waiting call costs no task of its own. The end is brought about in a task that the call owns and in which
every wait is bounded.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from callflow.core.events import NO_DATA, OUT_OF_REACH, Event, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Memory, Snapshot, Step
from callflow.core.step import start, step
from callflow.errors import CallflowError, StartError
from callflow.runtime.course import Log, bare_record, record_of
from callflow.runtime.ending import Ending, file_name
from callflow.runtime.journal import Journal
from callflow.runtime.lines import Lines
from callflow.runtime.logs import current, one_line
from callflow.runtime.overflow import INBOX_LIMIT, INBOX_MOST, Overflow
from callflow.runtime.ports import CallOf, Facts, World
from callflow.runtime.record import CallRecord
from callflow.runtime.redact import Redactor
from callflow.runtime.running_effect import sentence
from callflow.runtime.running_effects import Effects
from callflow.runtime.shutdown import HOLD_SECONDS, WORKER_SECONDS, Shutdown
from callflow.runtime.steps import Steps
from callflow.runtime.timers import Timers
from callflow.runtime.tool_calls import ToolCalls

logger = logging.getLogger("callflow")

AT_ONCE = 64
"""Inputs taken before the event loop has its turn again."""

_ENDING_PHASES = frozenset({"final", "dropping", "closing", "wrap_up"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PRIVATE_IN = ("call.", "leg.", "room.", "app.", "tool.", "dtmf.")

_BEFORE = Snapshot((), Memory(phase="waiting"))
"""A call that has not begun."""

_T = TypeVar("_T")


class Setup(NamedTuple):
    """What a call is started with; forgotten once it runs."""

    vars: Mapping[str, Any]
    env: Mapping[str, str] | None
    facts: Mapping[str, Any]
    waiting: bool | None


class Actor:
    """The life of one call. `stage`: new, idle (nothing waits), pumping (what waits is being taken, or will be when the loop
    has its turn), over (nothing is taken any more; the record may still be on its way)."""

    __slots__ = (
        "_context",
        "_end_task",
        "_ending",
        "_epoch",
        "_inbox",
        "_key",
        "_overflow",
        "_redactor",
        "_refused",
        "_setup",
        "_shutdown",
        "_stage",
        "_steps",
        "_taken",
        "_tools",
        "_waiters",
        "effects",
        "flow",
        "folder",
        "id",
        "journal",
        "log",
        "loop",
        "reason",
        "record",
        "snapshot",
        "timers",
        "worker_seconds",
        "world",
    )

    def __init__(
        self,
        flow: Flow,
        world: World,
        id: str,  # noqa: A002 - the word of the language
        setup: Setup,
        key: bytes | None,
        epoch: float | None,
    ) -> None:
        self.flow = flow
        self.world = world
        self.id = id
        self.folder: Path | None = None
        self.worker_seconds = WORKER_SECONDS
        self.snapshot: Snapshot = _BEFORE
        self.record: CallRecord | None = None
        self.loop: asyncio.AbstractEventLoop
        self.timers: Timers  # both from when it runs
        self.effects = Effects(self)
        self.journal: Journal | None = None
        self.log = Log(flow.ending or "")
        self.reason: str | None = None  # why the job ends
        self._stage = "new"
        self._setup: Setup | None = setup
        self._epoch = epoch
        self._key = key
        self._context: contextvars.Context | None = None
        self._inbox: list[Input] = []
        self._overflow: Overflow | None = None
        self._taken = 0
        self._redactor: Redactor | None = None
        self._tools: ToolCalls | None = None
        self._steps: Steps | None = None
        self._shutdown: Shutdown | None = None
        self._refused: StartError | None = None
        self._ending: Ending | None = None
        self._end_task: asyncio.Task[CallRecord] | None = None
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def now(self) -> float:
        """Seconds since the epoch, on a clock that never jumps. 0.0 before the call runs."""
        return 0.0 if self._stage == "new" else (self._epoch or 0.0) + self.loop.time()

    @property
    def begun(self) -> bool:
        """Whether it runs, or did."""
        return self._stage != "new"

    @property
    def over(self) -> bool:
        """Whether nothing is taken any more; the record may still be on its way."""
        return self._stage == "over"

    def note(self, sentence: str) -> None:
        """Something for the record that somebody should read."""
        self.log.note(sentence)

    @property
    def hurried(self) -> bool:
        """Whether the worker closes, and nothing waits for speech any more."""
        return self._shutdown is not None and self._shutdown.hurried

    @property
    def shutdown(self) -> Shutdown:
        """How this call was told to end."""
        if self._shutdown is None:
            self._shutdown = Shutdown(self)
        return self._shutdown

    @property
    def redactor(self) -> Redactor:
        """What hides this call's private values, made when it is first needed."""
        if self._redactor is None:
            self._redactor = Redactor(self.flow, self._key)
        return self._redactor

    def draft(self) -> CallRecord:
        """The record as it would be now."""
        try:
            facts = self.world.facts()
        except Exception as error:  # noqa: BLE001 - a record without them is better than none
            facts = Facts(notes=(f"facts: {sentence(error)}",))
        try:
            self.redactor.see(self.snapshot)
            return record_of(
                self.id,
                self.flow,
                self.log,
                self.snapshot,
                now=self.now(),
                steps=self._taken,
                facts=facts,
                journal=None if self.journal is None or (file := self.journal.file) is None else str(file),
                redactor=self.redactor,
            )
        except Exception as error:
            logger.exception("the record of a call is not whole", extra={"call": self.id})
            return bare_record(self.id, self.flow, self.now(), sentence(error))

    # -- the start -----------------------------------------------------------------------------------------------

    def _begin(self, call: CallOf) -> None:
        """In the call's own context. `call` is what the world is given of this."""
        self._stage = "pumping"
        if self._epoch is None:
            self._epoch = time.time() - self.loop.time()
        self.timers = Timers(self, self.loop, self._context, self._epoch)
        now = self.log.now = self.now()
        self._inbox = [entry._replace(time=now) for entry in self._inbox]
        try:
            first = self._first_step(now, call)
            self.effects.open()
            self._took(first, _BEFORE)
            self._setup = None
        except Exception as error:  # noqa: BLE001 - a call that cannot start ends like any other
            if isinstance(error, StartError):
                self._refused = error
            self.break_off(error)
            return
        if self.over:
            return
        if self._shutdown is not None and self._shutdown.told:
            self._shutdown.within(HOLD_SECONDS)
        self.loop.call_soon(self._pump, context=self._context)

    def _first_step(self, now: float, call: CallOf) -> Step:
        setup = self._setup or Setup({}, None, {}, None)
        environ = os.environ if setup.env is None else setup.env
        env = {name: environ[name] for name in self.flow.env if name in environ}
        facts = {"id": self.id, **setup.facts}
        waiting = not self.flow.outbound if setup.waiting is None else setup.waiting
        if self.folder is not None:
            head = {"call": self.id, "time": now, "vars": setup.vars, "env": env, "facts": facts, "waiting": waiting}
            path = self.folder / f"{file_name(self.id)}.jsonl"
            self.journal = Journal(path, Lines(self.flow, self.redactor), head)
        self.world.begin(call)
        return start(self.flow, setup.vars, time=now, env=env, call=facts, waiting=waiting)

    # -- the inbox and the pump ----------------------------------------------------------------------------------

    def post(
        self,
        name: str,
        data: Mapping[str, Any] = NO_DATA,
        *,
        effect: int | None = None,
        state: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """Something has happened. Only puts it into the inbox. From the loop's own thread."""
        entry = Event(name, data, self.now(), effect, state, id)
        if len(self._inbox) < INBOX_LIMIT or self._has_room(entry):
            self.put(entry)

    def put(self, entry: Input) -> None:
        if self._stage != "over":
            self._inbox.append(entry)
            self.wake()

    def wake(self) -> None:
        """There is something to take, or something that was begun is to act: when the loop has its turn."""
        if self._stage == "idle":
            self._stage = "pumping"
            self.loop.call_soon(self._pump, context=self._context)

    def at_once(self, function: Callable[[_T], None], argument: _T) -> None:
        """From a callback of the loop's own, in the call's context: what this puts into the inbox is taken without another turn of
        the loop, unless more waits there already."""
        if self._stage != "idle":
            function(argument)
        else:
            self._stage = "pumping"
            function(argument)
            self._pump()

    def _has_room(self, entry: Event) -> bool:
        """The inbox is full: whether this event is put into it all the same."""
        if self._overflow is None:
            self._overflow = Overflow(self.flow)
        kind = self._overflow.kind(entry.name)
        if kind == "keep":
            if len(self._inbox) < INBOX_MOST:
                return True
            error = CallflowError(f"{INBOX_MOST} events wait that must not be lost, the last of them {entry.name}")
            self._own(lambda: self.break_off(error))
            return False
        lost = self._overflow.hold(entry) if kind == "latest" else entry
        if lost is not None and not self.log.drop(lost.name):
            logger.warning("the inbox of a call is full: events are dropped", extra={"call": self.id})
        return False

    def _pump(self) -> None:
        """Takes what waits, and what comes meanwhile. What was begun by that takes its first step then; what that brings is taken
        too, until AT_ONCE inputs are taken."""
        left = AT_ONCE
        try:
            while self._stage != "over":
                left -= self._take(left)
                if self.effects.ready:
                    self.effects.act()
                if not (left and self._inbox):
                    break
        except Exception as error:  # noqa: BLE001 - whatever breaks, the call ends in order
            self.break_off(error)
        finally:  # also where the loop ends by what was raised: it may turn once more for what is left
            if not self.over:
                self._rest()

    def _take(self, most: int) -> int:
        """Takes that many inputs through the step; says how many."""
        inbox, flow, before = self._inbox, self.flow, self.snapshot
        taken = 0
        try:
            for entry in inbox:  # what comes meanwhile, too
                done = step(flow, before, entry)
                taken += 1
                self._took(done, before)
                if taken == most or self._stage == "over":
                    break
                before = done.snapshot
        finally:
            del inbox[:taken]
        return taken

    def _rest(self) -> None:
        """The journal is written; what came meanwhile has its turn after the loop's."""
        if self.journal is not None:
            self.journal.flush()
        if self._overflow is not None and self._overflow.held and len(self._inbox) < INBOX_LIMIT:
            self._inbox += self._overflow.release(self.now())
        if self._inbox or self.effects.ready:
            self.loop.call_soon(self._pump, context=self._context)
            return
        self._stage = "idle"
        memory = self.snapshot.memory
        if memory.phase in _ENDING_PHASES and not (memory.timers or memory.effects):
            self.break_off(RuntimeError(f"nothing is under way that could end the call (phase {memory.phase})"))

    def _took(self, done: Step, before: Snapshot) -> None:
        """One step: noted, and what it says carried out."""
        after = self.snapshot = done.snapshot
        self._taken += 1
        if self.journal is not None:
            self.journal.add(done)
        if self._steps is not None:
            self._steps.add(done)
        if after.memory is before.memory and not (done.effects or done.notes):  # it can but have moved
            if done.moves:
                self.log.moved(done)
                self._settle(done)
            return
        self.log.step(done, before)
        self._settle(done)
        if done.effects:
            self.effects.carry_out(done.effects)
        if done.notes:
            self._read_notes(done)
        entry = done.event
        if type(entry) is Event:
            self._see(entry)
        if after.memory.phase == "ended":
            self._finish()
        else:
            self.timers.arm(after.memory.timers)

    def _settle(self, done: Step) -> None:
        try:
            self.world.settle(done)
        except Exception as error:
            if self.log.note(f"settle: {sentence(error)}"):  # once, not at every step
                logger.exception("settling a step has failed", extra={"call": self.id})

    def _read_notes(self, done: Step) -> None:
        for note in done.notes:
            if note.kind == "tool_returned":
                if self._tools is not None:
                    self._tools.give_back(note.data)
            elif note.kind == "log":
                level = _LEVELS.get(str(note.data["level"]), logging.INFO)
                if logger.isEnabledFor(level):
                    self._log(level, note.data, done)

    def _log(self, level: int, line: Mapping[str, Any], done: Step) -> None:
        self.redactor.see(done.snapshot)
        if isinstance(done.event, Event):
            self.redactor.learn_of(done.event)  # the journal's thread may not have come to it
        logger.log(level, "%s", one_line(str(self.redactor.note("log", line)["message"])), extra={"call": self.id})

    def _see(self, entry: Event) -> None:
        if entry.name == "room.disconnected":
            if entry.data.get("reason") != OUT_OF_REACH:  # then LiveKit knows nothing of it, and lets the job be
                self.shutdown.by_room()
        elif entry.data and entry.name.startswith(_PRIVATE_IN):
            self.redactor.learn_of(entry)  # before a line of the log, which does not wait for the journal's thread

    # -- the end -------------------------------------------------------------------------------------------------

    def break_off(self, error: Exception) -> None:
        """The call cannot go on by its rules: what is open is closed by force."""
        if self._stage == "over":
            return
        self.log.broke(sentence(error), self.now(), self.snapshot)
        if not isinstance(error, CallflowError):
            logger.error("a call is ended by force", exc_info=error, extra={"call": self.id})
        self._finish()

    def _finish(self) -> None:
        self._stage = "over"
        self._inbox = []
        self.timers.stop()
        if self._shutdown is not None:
            self._shutdown.stop()
        if self._tools is not None:
            self._tools.close()
        if self._steps is not None:
            self._steps.close()
        self._end(Ending(self))

    def _end(self, ending: Ending) -> None:
        self._ending = ending
        self._end_task = self.loop.create_task(ending.run(), name=f"callflow end of {self.id}")
        self._end_task.add_done_callback(lambda task: self._end_came(ending, task))

    def _end_came(self, ending: Ending, task: asyncio.Task[CallRecord]) -> None:
        if task.cancelled():  # before it could begin; from then on it cannot be cancelled
            self._end(ending)
            return
        error = task.exception()
        if error is not None:
            logger.error("the end of a call has failed", exc_info=error, extra={"call": self.id})
            self.note(f"the end of the call: {sentence(error)}")
        self.record = task.result() if error is None else self.draft()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _own(self, function: Callable[[], None]) -> None:
        """In the call's own context, so that what is started there finds its call."""
        here: object = current.get(None)
        if here is self or self._context is None:
            function()
        else:
            self._context.run(function)
