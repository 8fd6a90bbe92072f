"""One live call, as an actor: one inbox, one snapshot, and everything that runs for it.

Whatever happens is only put into the inbox (`post`); the pump takes one input after the other through the pure step and
starts what the step says. The pump is a callback of the event loop, not a task: it has no await at which it could be
cancelled, and a waiting call costs no task of its own. `run` waits for the end, which is brought about in a task that the
call owns and in which every wait is bounded.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from callflow.core.actions import verb_of
from callflow.core.events import ANYONE, NO_DATA, OUT_OF_REACH, PROGRAM, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Forward, Memory, Snapshot, Start, Step, Timer
from callflow.core.statechart.action_lists import place_at
from callflow.core.step import start, step
from callflow.errors import CallEnded, CallflowError, StartError
from callflow.runtime.course import Log, bare_record, record_of
from callflow.runtime.ending import Ending, file_name
from callflow.runtime.journal import Journal
from callflow.runtime.lines import Lines
from callflow.runtime.logs import CallFields, current, log_fields
from callflow.runtime.overflow import INBOX_LIMIT, INBOX_MOST, Overflow
from callflow.runtime.payload import payload
from callflow.runtime.ports import Facts, ToolReturn, World
from callflow.runtime.record import CallRecord, EffectRecord
from callflow.runtime.redact import WITH_PRIVATE, Redactor
from callflow.runtime.running_effect import Closing, Effect, Goodbye, Opening, Status, sentence, unspoken
from callflow.runtime.shutdown import HOLD_SECONDS, WORKER_SECONDS, Shutdown
from callflow.runtime.steps import Steps

logger = logging.getLogger("callflow")
logger.addFilter(CallFields())

OPEN_SECONDS = 60.0
GOODBYE_SECONDS = 30.0
"""What the start of the session, and the goodbye of `hang_up`, may take."""

OPENING, GOODBYE = 0, -1
"""Effects of the runtime's own; those of the flow count from 1."""

AT_ONCE = 64
"""Inputs taken before the event loop has its turn again."""

_ENDING_PHASES = frozenset({"final", "dropping", "closing", "wrap_up"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_NONE: dict[int, Effect] = {}
"""No effects, for all the calls that have none."""

_BEFORE = Snapshot((), Memory(phase="waiting"))
"""A call that has not begun."""

_T = TypeVar("_T")

_COUNTING = threading.Lock()


def calling() -> Call | None:
    """The call in which this code runs, if it runs in one."""
    call = current.get(None)
    return call if isinstance(call, Call) else None


def current_call() -> Call:
    """The call in which this code runs: a tool, a Python action, an agent's hook. Raises CallflowError outside of one."""
    call = calling()
    if call is None:
        raise CallflowError("there is no call here: current_call() works in what a call runs, its tools and actions")
    return call


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def one_line(text: str) -> str:
    """A text as one line of a log: what a caller said cannot look like a line of its own, nor steer a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class _Setup(NamedTuple):
    """What a call is started with; forgotten once it runs."""

    vars: Mapping[str, Any]
    env: Mapping[str, str] | None
    facts: Mapping[str, Any]
    waiting: bool | None


class Call:
    """One running instance of a flow. Make it, then `await call.run()`.

    `id` names it in records and files, made up unless given. `vars` are the flow's variables. `env` is where the flow's
    environment variables are looked up, `os.environ` unless given. `facts` is what the program knows of the call, to be
    read as `call.<name>` (`direction`). `waiting` says that the far end is not there yet: unless given, where the flow
    does not dial it. `folder` is where `<id>.jsonl` (the journal) and `<id>.json` (the record) are written, None for
    nowhere. `key` makes digests of private values comparable between calls. `epoch` is the loop's time zero, in seconds
    since the epoch; taken from the clock when the call starts unless given. `worker_seconds` is what a call may take to
    end when its worker closes.
    """

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_begun",
        "_closing",
        "_coming",
        "_context",
        "_ending",
        "_epoch",
        "_fired",
        "_inbox",
        "_key",
        "_over",
        "_overflow",
        "_pumping",
        "_redactor",
        "_refused",
        "_setup",
        "_shutdown",
        "_steps",
        "_taken",
        "_timer",
        "_tools",
        "_waiters",
        "effects",
        "flow",
        "folder",
        "id",
        "journal",
        "log",
        "loop",
        "open_failed",
        "opening",
        "reason",
        "record",
        "snapshot",
        "strays",
        "worker_seconds",
        "world",
    )

    def __init__(
        self,
        flow: Flow,
        world: World,
        *,
        id: str | None = None,  # noqa: A002 - the word of the language
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        env: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
        waiting: bool | None = None,
        folder: str | Path | None = None,
        key: bytes | None = None,
        epoch: float | None = None,
        worker_seconds: float = WORKER_SECONDS,
    ) -> None:
        self.flow = flow
        self.world = world
        self.id = id or f"call-{secrets.token_hex(6)}"
        self.folder = None if folder is None else Path(folder)
        self.worker_seconds = worker_seconds
        self.snapshot: Snapshot = _BEFORE
        self.record: CallRecord | None = None
        self.loop: asyncio.AbstractEventLoop
        # What its effects and its end work on.
        self.effects: dict[int, Effect] = _NONE
        self.opening: Effect | None = None
        self.open_failed = False
        self.strays: tuple[asyncio.Task[Any], ...] = ()
        self.journal: Journal | None = None
        self.log = Log(flow.ending or "")
        self.reason: str | None = None
        self._setup: _Setup | None = _Setup(vars or {}, env, facts or {}, waiting)
        self._epoch = epoch
        self._key = key
        self._redactor: Redactor | None = None
        self._context: contextvars.Context | None = None
        self._inbox: list[Input] = []
        self._coming = 0  # events that other threads have sent, on their way to the inbox
        self._overflow: Overflow | None = None
        self._pumping = True  # nothing is pumped before the call runs
        self._taken = 0
        self._timer: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None  # for the effects
        self._fired = 0  # the generation of the timer that has come last
        self._tools: dict[str, asyncio.Future[ToolReturn]] | None = None
        self._steps: Steps | None = None
        self._shutdown: Shutdown | None = None
        self._over = False  # nothing is taken any more
        self._refused: StartError | None = None
        self._closing: Ending | None = None
        self._ending: asyncio.Task[CallRecord] | None = None
        self._begun = False
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    # -- what a program uses -------------------------------------------------------------------------------------

    async def run(self) -> CallRecord:
        """Run the call to its end. Called again, it waits for the same end.

        Cancelled, the call is told `job.shutdown`, ends within `worker_seconds`, and CancelledError is raised then; but
        what runs in the call itself, a tool say, is only stopped. Raises StartError, after everything was closed, where variables or environment variables do not fit the flow.
        """
        self._stay_at_home("run")
        if not self._begun:
            self._begun = True
            self.loop = asyncio.get_running_loop()
            self._context = contextvars.copy_context()
            self._context.run(current.set, self)
            self._context.run(self._begin)
        cancelled: asyncio.CancelledError | None = None
        while (record := self.record) is None:
            waiter = self.loop.create_future()  # one for each wait: nobody's cancellation is another's
            self._waiters = (*self._waiters, waiter)
            try:
                await waiter
            except asyncio.CancelledError as error:
                if current.get(None) is self:
                    raise  # stopped by the call itself
                cancelled = error
                self._cancelled()
        if cancelled is not None:
            raise cancelled
        if self._refused is not None:
            raise self._refused
        return record

    def send(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Send an event of the flow's own, `app.<name>`, with its payload as declared under `events:`.

        From any thread and any event loop: it is taken at once, in the order in which it was sent. Raises CallEnded when the
        call is over, ValueError for an event or a payload that the flow does not declare, or an event that its `senders:`
        keep for others, CallflowError when the inbox is full.
        """
        allowed = self.flow.may_send(name)
        if name in self.flow.events and PROGRAM not in allowed and ANYONE not in allowed:
            raise ValueError(f"{name} is not the program's to send: `senders` of {self.flow.name} names others")
        self.receive(name, data or {}, PROGRAM)

    def receive(self, name: str, data: Mapping[str, Any], sender: str) -> None:
        """The same from whoever may send it: `sender`, a word of the flow's `senders:`, is read as `event.sender`, unless
        the payload has a field of that name."""
        if self._over:
            raise CallEnded(f"the call {self.id} is over: {name} cannot be sent any more")
        fitted = {"sender": sender, **payload(self.flow, name, data)}
        if len(self._inbox) + self._coming >= INBOX_MOST:
            raise CallflowError(f"the inbox of call {self.id} is full ({INBOX_MOST} inputs wait)")
        event = Event(name, fitted, self.now())
        if self._is_at_home():
            self.put(event)
            return
        with _COUNTING:
            self._coming += 1
        self._bring_home(lambda: self._came(event))

    async def hang_up(self, goodbye: str | None = None) -> None:
        """End the call: the goodbye is spoken, then the flow hears `job.shutdown` and ends. Once is enough, more does
        nothing. Returns at once, so that it may be called in a tool; `await call.run()` waits for the end. From any thread
        and any event loop."""
        if goodbye is not None and not isinstance(goodbye, str):
            raise TypeError(f"a goodbye is text, not {goodbye!r:.80}")
        if self._is_at_home():
            self._hang_up(goodbye)
        elif not self._over:
            self._bring_home(lambda: self._hang_up(goodbye))

    def _hang_up(self, goodbye: str | None) -> None:
        if self._over or self.shutdown.told:
            return
        if not self._begun:
            self.shutdown.tell("hang_up", "program")  # the first that it hears
            return
        if goodbye:
            self.shutdown.told = True
            arguments = {"text": goodbye, "to": None, "interruptible": False, "repeat_if_interrupted": 0, "wait": True}
            speech = Goodbye(self, Start(GOODBYE, "say", arguments, GOODBYE_SECONDS))
            self._own(lambda: self._begin_effect(speech))
        else:
            self._own(self.shutdown.by_program)

    def steps(self) -> AsyncIterator[Step]:
        """Every step from now on, until the call ends: `async for step in call.steps()`. On the call's own event loop."""
        self._stay_at_home("steps")
        if self._steps is None:
            self._steps = Steps()
            self._steps.closed = self._over
        return self._steps.subscribe()

    async def tool_called(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        effect: int | None = None,
        id: str | None = None,  # noqa: A002
        offered_in: tuple[str, ...] | None = None,
    ) -> ToolReturn:
        """The model has called a tool: tell the flow, and wait until the tool may return (rule 15).

        `effect` is the speech in which it was called, `id` LiveKit's own id of the call, `offered_in` the active leaf
        states when the model was offered it (unless given, those of now): the call is carried out also where they were
        left meanwhile. Raises nothing but the CancelledError of the waiting task, which costs the call nothing of what
        its tool does; when the call ends meanwhile, every tool returns.
        """
        if self._over or not self._begun:
            if self._begun:
                self.log.came_late(f"the model called {name}: the call was over")
            return ToolReturn(error="the call is over", reply=False)
        if self._tools is None:
            self._tools = {}
        key = id if id is not None and id not in self._tools else f"tool-{secrets.token_hex(6)}"
        future: asyncio.Future[ToolReturn] = self.loop.create_future()
        self._tools[key] = future
        where = self.snapshot.configuration if offered_in is None else offered_in
        self.put(Event(f"tool.{name}", arguments, self.now(), effect, None, key, where))
        try:
            return await future
        finally:
            self._tools.pop(key, None)

    @property
    def over(self) -> bool:
        """Whether nothing is taken any more; the record may still be on its way."""
        return self._over

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

    # -- from other threads --------------------------------------------------------------------------------------

    def _is_at_home(self) -> bool:
        """Whether this is the loop's own thread, or there is no loop yet."""
        return not self._begun or _running_loop() is self.loop

    def _bring_home(self, function: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(function)
        except RuntimeError as error:
            raise CallEnded(f"the call {self.id} is over: its event loop is closed") from error

    def _came(self, event: Event) -> None:
        with _COUNTING:
            self._coming -= 1
        self.put(event)

    def _stay_at_home(self, what: str) -> None:
        if not self._is_at_home():
            raise CallflowError(
                f"`{what}` belongs to the event loop in which the call {self.id} runs, and is used in another"
            )

    # -- what a world uses ---------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch, on a clock that never jumps. 0.0 before the call runs."""
        return (self._epoch or 0.0) + self.loop.time() if self._begun else 0.0

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
        inbox = self._inbox
        entry = Event(name, data, self.now(), effect, state, id)
        if len(inbox) >= INBOX_LIMIT and not self._has_room(entry):
            return
        if self._pumping and not self._over:  # the quick way: somebody will look into the inbox anyway
            inbox.append(entry)
        else:
            self.put(entry)

    def job_ends(self, reason: str = "", *, worker: bool = False) -> None:
        """The job was told to end: the flow hears `job.shutdown`, and time is short. With `worker` the worker itself
        closes, so that speech is dropped and everything has to end within `worker_seconds`."""
        if self._begun and not self._over:
            self._own(lambda: self.shutdown.by_job(reason, worker=worker))
        elif self._closing is not None and worker:
            self._closing.hurry()

    def note(self, sentence: str) -> None:
        """Something for the record that somebody should read."""
        self.log.note(sentence)

    @property
    def log_fields(self) -> Mapping[str, Any]:
        """What each line of the log says of this call."""
        facts = self.snapshot.memory.call if self._setup is None else self._setup.facts
        return log_fields(self.id, self.flow.name, facts)

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

    def hidden(self, text: str, *, name: bool = False) -> str:
        """A text of the log, or of a span, without what is private in this call as far as it is known now. `name`: it is one
        by which things are found, and never hidden as a whole."""
        try:
            redactor = self.redactor
            redactor.see(self.snapshot)
            for entry in self._inbox[-AT_ONCE:]:  # what has come and not had its turn
                if isinstance(entry, Event) and entry.name.startswith(("call.", "leg.", "room.")):
                    redactor.learn_of(entry)
            if name:
                return redactor.searched(text)
            redactor.overhear(text)
            return redactor.text(text)
        except Exception:  # noqa: BLE001 - a line of the log costs no call anything
            return "(hidden)"

    def in_context(self, function: Callable[..., None], *args: Any) -> None:
        """Calls this as if the call did: what it starts and logs belongs to this call."""
        self._own(functools.partial(function, *args))

    # -- the start -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._epoch is None:
            self._epoch = time.time() - self.loop.time()
        now = self.log.now = self.now()
        self._inbox = [entry._replace(time=now) for entry in self._inbox]
        try:
            first = self._first_step(now)
            self.opening = Opening(self, Start(OPENING, "open", {}, OPEN_SECONDS))
            self.opening.attempt()
            self._took(first, _BEFORE)
            self._setup = None
        except Exception as error:  # noqa: BLE001 - a call that cannot start ends like any other
            self._refused = error if isinstance(error, StartError) else None
            self.break_off(error)
            return
        if self._over:
            return
        if self._shutdown is not None and self._shutdown.told:
            self._shutdown.within(HOLD_SECONDS)
        self._pumping = False
        self._go_on()

    def _first_step(self, now: float) -> Step:
        setup = self._setup or _Setup({}, None, {}, None)
        environ = os.environ if setup.env is None else setup.env
        env = {name: environ[name] for name in self.flow.env if name in environ}
        facts = {"id": self.id, **setup.facts}
        waiting = not self.flow.outbound if setup.waiting is None else setup.waiting
        if self.folder is not None:
            head = {"call": self.id, "time": now, "vars": setup.vars, "env": env, "facts": facts, "waiting": waiting}
            path = self.folder / f"{file_name(self.id)}.jsonl"
            self.journal = Journal(path, Lines(self.flow, self.redactor), head)
        self.world.begin(self)
        return start(self.flow, setup.vars, time=now, env=env, call=facts, waiting=waiting)

    # -- the inbox and the pump ----------------------------------------------------------------------------------

    def put(self, entry: Input) -> None:
        if self._over:
            return
        self._inbox.append(entry)
        if not self._pumping:
            self._pumping = True
            self.loop.call_soon(self._pump, context=self._context)

    def at_once(self, function: Callable[[_T], None], argument: _T) -> None:
        """From a callback of the loop's own, in the call's context: what this puts into the inbox is taken without another turn of
        the loop, unless more waits there already."""
        if self._pumping or self._over:
            function(argument)
        else:
            self._pumping = True
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
        """Takes what waits, and what comes meanwhile, until AT_ONCE are taken."""
        inbox, flow, before = self._inbox, self.flow, self.snapshot
        taken = 0
        try:
            for entry in inbox:
                done = step(flow, before, entry)
                self._took(done, before)
                if self._over:
                    return
                before = done.snapshot
                taken += 1
                if taken == AT_ONCE:
                    break
        except Exception as error:  # noqa: BLE001 - whatever breaks, the call ends in order
            self.break_off(error)
            return
        del inbox[:taken]
        self._pumping = False
        self._go_on()

    def _go_on(self) -> None:
        """The journal is written; what came meanwhile has its turn after the loop's."""
        if self.journal is not None:
            self.journal.flush()
        if self._overflow is not None and self._overflow.held and len(self._inbox) < INBOX_LIMIT:
            self._inbox += self._overflow.release(self.now())
        if self._inbox:
            self._pumping = True
            self.loop.call_soon(self._pump, context=self._context)
            return
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
        for effect in done.effects:
            if isinstance(effect, Start):
                self._start(effect)
            elif effect.id in self.effects:
                if isinstance(effect, Cancel):
                    self.effects[effect.id].cancel()
                else:
                    self._forward(effect)
        if done.notes:
            self._read_notes(done)
        entry = done.event
        if type(entry) is Event:
            self._see(entry)
        if after.memory.phase == "ended":
            self._finish()
        else:
            self._schedule(after.memory.timers)

    def _forward(self, one: Forward) -> None:
        try:
            self.world.forward(one.id, one.event)
        except Exception as error:
            if self.log.note(f"forward: {sentence(error)}"):
                logger.exception("an event could not be forwarded", extra={"call": self.id})

    def _settle(self, done: Step) -> None:
        try:
            self.world.settle(done)
        except Exception as error:
            if self.log.note(f"settle: {sentence(error)}"):  # once, not at every step
                logger.exception("settling a step has failed", extra={"call": self.id})

    def _read_notes(self, done: Step) -> None:
        for note in done.notes:
            if note.kind == "tool_returned":
                future = None if self._tools is None else self._tools.get(str(note.data["id"]))
                if future is not None and not future.done():
                    future.set_result(ToolReturn(note.data["result"], note.data["error"], note.data["reply"]))
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
        elif entry.data and entry.name.startswith(("call.", "leg.", "room.", "app.", "tool.", "dtmf.")):
            self.redactor.learn_of(entry)  # before a line of the log, which does not wait for the journal's thread

    # -- time ----------------------------------------------------------------------------------------------------

    def _schedule(self, timers: tuple[Timer, ...]) -> None:
        """The earliest timer, and only that: the next one is chosen after its step. A handle that comes too early for it stays:
        silence stops and goes on with each speech, and most timers never fire."""
        handle = self._timer
        if not timers:
            if handle is not None:
                handle.cancel()
                self._timer = None
            return
        if timers[0].generation == self._fired:
            return
        when = timers[0].due - (self._epoch or 0.0)
        if handle is not None:
            if handle.when() <= when:
                return
            handle.cancel()
            self._timer = None
        if when <= self.loop.time():
            self._fire(timers[0])
        else:
            self._timer = self.loop.call_at(when, self._come, context=self._context)

    def _come(self) -> None:
        """A timer may be due."""
        handle, self._timer = self._timer, None
        now = (
            self.loop.time() if handle is None else max(handle.when(), self.loop.time())
        )  # a loop may be a little early
        timers = self.snapshot.memory.timers
        if timers and timers[0].due - (self._epoch or 0.0) <= now and timers[0].generation != self._fired:
            self._fire(timers[0])
        else:
            self._schedule(timers)

    def _fire(self, timer: Timer) -> None:
        self._fired = timer.generation
        self.put(TimerFired(timer.generation, max(timer.due, self.now())))

    def ring_by(self, when: float) -> None:
        """Look by then, on the loop's clock, at what of the effects is due. An alarm that comes too early for what is left costs
        less than one for each effect that ends in time."""
        alarm = self._alarm
        if alarm is not None:
            if alarm.when() <= when:
                return
            alarm.cancel()
        self._alarm = self.loop.call_at(when, self._ring, context=self._context)

    def _ring(self) -> None:
        alarm, self._alarm = self._alarm, None
        now = self.loop.time() if alarm is None else max(alarm.when(), self.loop.time())
        running = [*self.effects.values(), *(() if self.opening is None else (self.opening,))]
        for effect in running:
            if effect.due is not None and effect.due <= now:
                effect.ring()
        for effect in running:
            if effect.due is not None:
                self.ring_by(effect.due)

    def _still(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # -- effects -------------------------------------------------------------------------------------------------

    def _start(self, effect: Start) -> None:
        verb = verb_of(effect.verb)
        if verb.last:
            self.reason = str(effect.arguments.get("reason") or "")
            self.effect_ended(Effect(self, effect), "ok", NO_DATA, None)
        elif self._shutdown is not None and self._shutdown.passes_over(effect.verb):
            self.effect_ended(Effect(self, effect), *unspoken(effect.verb))
        elif verb.forced:
            self.log.force(name for name in ("line", "session") if effect.arguments.get(name))
            self._begin_effect(Closing(self, effect))
        else:
            self._begin_effect(Effect(self, effect))

    def _begin_effect(self, effect: Effect) -> None:
        if self.effects is _NONE:
            self.effects = {}
        self.effects[effect.start.id] = effect
        effect.attempt()

    def effect_ended(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        """An effect has come to its end, all its tries included."""
        self.record_effect(effect, status, result, error)
        if status == "ok" and self.flow.wrap_up and verb_of(effect.start.verb).forced:
            result = {**result, **self._for_wrap_up()}
        self.put(EffectEnded(effect.start.id, status, result, error, self.now()))

    def record_effect(self, effect: Effect, status: str, result: Mapping[str, Any], error: str | None) -> None:
        """An effect is over, or given up: for the record."""
        one = effect.start
        if one.id in self.effects:
            del self.effects[one.id]
        if error is not None:
            self.redactor.overhear(error)
        if result or one.verb in WITH_PRIVATE or self.redactor.is_worked_out(one):
            self._learn(one, result)
        seconds, at = self.now() - effect.began, place_at(self.flow, one.source)
        self.log.effect(EffectRecord(one.id, one.verb, effect.began, seconds, status, effect.tries, result, error, at))

    def _learn(self, one: Start, result: Mapping[str, Any]) -> None:
        """What is private in an effect. The journal's thread learns it too, but late, or never where the disk has failed."""
        try:
            self.redactor.arguments(one)
            self.redactor.result(one, result)
        except Exception as error:  # noqa: BLE001 - what cannot be told costs no effect its end
            self.redactor.full = True
            self.note(f"what {one.verb} ({one.id}) has brought cannot be read, and texts are hidden: {sentence(error)}")

    def _for_wrap_up(self) -> Mapping[str, Any]:
        try:
            record = self.draft().to_json(private=True)
        except Exception as error:  # noqa: BLE001 - nor this
            self.note(f"wrap_up has no record: {sentence(error)}")
            return NO_DATA
        return {"transcript": record["transcript"], "record": record}

    def opened(self, status: Status, error: str | None) -> None:
        """The session has started, or will not."""
        self.opening = None
        if not self.effects:
            self._still()  # for most of its time a call waits for nothing
        if status in ("failed", "timed_out"):
            self.open_failed = True
            self.note(f"the session did not start: {error}")
            self.put(Event("session.close", {"reason": "error", "error": error or status}, self.now()))

    def said_goodbye(self, effect: Effect, status: Status, result: Mapping[str, Any], error: str | None) -> None:
        """The last words are spoken, or could not be."""
        self.record_effect(effect, status, result, error)
        if not self._over:
            self.shutdown.by_program()

    def left_behind(self, task: asyncio.Task[Any], effect: Start) -> None:
        """A task that swallows its cancellation: nobody waits for it any longer."""
        self.strays = (*self.strays, task)
        self.note(f"{effect.verb} ({effect.id}) did not stop when its time was up")

    def came_late(self, effect: Start, result: Mapping[str, Any]) -> None:
        """What an effect brought after it was given up."""
        if result:
            what = f": {result['result']}" if "result" in result else ""
            self.log.came_late(f"{effect.verb} ({effect.id}) ended after it was given up{what}")

    # -- the end -------------------------------------------------------------------------------------------------

    def _cancelled(self) -> None:
        """Somebody has cancelled the task that runs the call."""
        if not self._over and not self.shutdown.expected:
            self.job_ends("cancelled", worker=True)

    def break_off(self, error: Exception) -> None:
        """The call cannot go on by its rules: what is open is closed by force."""
        if self._over:
            return
        self.log.broke(sentence(error), self.now(), self.snapshot)
        if not isinstance(error, CallflowError):
            logger.error("a call is ended by force", exc_info=error, extra={"call": self.id})
        self._finish()

    def _finish(self) -> None:
        self._over = True
        self._inbox = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._still()
        if self._shutdown is not None:
            self._shutdown.stop()
        for future in (self._tools or {}).values():
            if not future.done():
                future.set_result(ToolReturn(error="the call is over", reply=False))
        if self._steps is not None:
            self._steps.close()
        self._end(Ending(self))

    def _end(self, ending: Ending) -> None:
        self._closing = ending
        self._ending = self.loop.create_task(ending.run(), name=f"callflow end of {self.id}")
        self._ending.add_done_callback(lambda task: self._end_came(ending, task))

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
        if current.get(None) is self or self._context is None:
            function()
        else:
            self._context.run(function)
