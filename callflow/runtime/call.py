"""A call as a program uses it, and what a world is given of it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from callflow.core.events import ANYONE, PROGRAM, Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.errors import CallEnded, CallflowError
from callflow.runtime.actor import AT_ONCE, Actor, Setup
from callflow.runtime.logs import CallFields, current, log_fields
from callflow.runtime.overflow import INBOX_MOST
from callflow.runtime.payload import payload
from callflow.runtime.ports import ToolReturn, World
from callflow.runtime.record import CallRecord
from callflow.runtime.shutdown import WORKER_SECONDS
from callflow.runtime.steps import Steps
from callflow.runtime.tool_calls import OVER, ToolCalls

logging.getLogger("callflow").addFilter(CallFields())

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


class Call(Actor):
    """One running instance of a flow. Make it, then `await call.run()`.

    `id` names it in records and files, made up unless given. `vars` are the flow's variables. `env` is where the flow's
    environment variables are looked up, `os.environ` unless given. `facts` is what the program knows of the call, to be
    read as `call.<name>` (`direction`). `waiting` says that the far end is not there yet: unless given, where the flow
    does not dial it. `folder` is where `<id>.jsonl` (the journal) and `<id>.json` (the record) are written, None for
    nowhere. `key` makes digests of private values comparable between calls. `epoch` is the loop's time zero, in seconds
    since the epoch; taken from the clock when the call starts unless given. `worker_seconds` is what a call may take to
    end when its worker closes.
    """

    __slots__ = ("__weakref__", "_coming")

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
        super().__init__(
            flow, world, id or f"call-{secrets.token_hex(6)}", Setup(vars or {}, env, facts or {}, waiting), key, epoch
        )
        self.folder = None if folder is None else Path(folder)
        self.worker_seconds = worker_seconds
        self._coming = 0  # events that other threads have sent, on their way to the inbox

    # -- what a program uses -------------------------------------------------------------------------------------

    async def run(self) -> CallRecord:
        """Run the call to its end. Called again, it waits for the same end.

        Cancelled, the call is told `job.shutdown`, ends within `worker_seconds`, and CancelledError is raised then; but
        what runs in the call itself, a tool say, is only stopped. Raises StartError, after everything was closed, where variables or environment variables do not fit the flow.
        """
        self._stay_at_home("run")
        if not self.begun:
            self.loop = asyncio.get_running_loop()
            self._context = contextvars.copy_context()
            self._context.run(current.set, self)
            self._context.run(self._begin, self)
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
        if self.over:
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
        elif not self.over:
            self._bring_home(lambda: self._hang_up(goodbye))

    def _hang_up(self, goodbye: str | None) -> None:
        if self.over or self.shutdown.told:
            return
        if not self.begun:
            self.shutdown.tell("hang_up", "program")  # the first that it hears
            return
        if goodbye:
            self.shutdown.told = True
            self._own(functools.partial(self.effects.say_goodbye, goodbye))
        else:
            self._own(self.shutdown.by_program)

    def steps(self) -> AsyncIterator[Step]:
        """Every step from now on, until the call ends: `async for step in call.steps()`. On the call's own event loop."""
        self._stay_at_home("steps")
        if self._steps is None:
            self._steps = Steps()
            self._steps.closed = self.over
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
        if self.over or not self.begun:
            if self.over:
                self.log.came_late(f"the model called {name}: the call was over")
            return OVER
        if self._tools is None:
            self._tools = ToolCalls()
        key, returned = self._tools.called(id, self.loop)
        where = self.snapshot.configuration if offered_in is None else offered_in
        self.put(Event(f"tool.{name}", arguments, self.now(), effect, None, key, where))
        try:
            return await returned
        finally:
            self._tools.forget(key)

    # -- from other threads --------------------------------------------------------------------------------------

    def _is_at_home(self) -> bool:
        """Whether this is the loop's own thread, or there is no loop yet."""
        return not self.begun or _running_loop() is self.loop

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

    def job_ends(self, reason: str = "", *, worker: bool = False) -> None:
        """The job was told to end: the flow hears `job.shutdown`, and time is short. With `worker` the worker itself
        closes, so that speech is dropped and everything has to end within `worker_seconds`."""
        if self.begun and not self.over:
            self._own(lambda: self.shutdown.by_job(reason, worker=worker))
        elif self._ending is not None and worker:
            self._ending.hurry()

    @property
    def log_fields(self) -> Mapping[str, Any]:
        """What each line of the log says of this call."""
        facts = self.snapshot.memory.call if self._setup is None else self._setup.facts
        return log_fields(self.id, self.flow.name, facts)

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

    def _cancelled(self) -> None:
        """Somebody has cancelled the task that runs the call."""
        if not self.over and not self.shutdown.expected:
            self.job_ends("cancelled", worker=True)
