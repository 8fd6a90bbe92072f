"""A world for the runtime that does what it is told, and everything that a world must not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

import callflow
from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.errors import EffectError
from callflow.runtime.call import Call
from callflow.runtime.ports import Facts

Act = Callable[["FakeWorld", Start], Awaitable[Mapping[str, Any] | None]]

EPOCH = 1000.0
"""The loop's time zero in these tests."""

SMALL = """
callflow: 1
name: small
vars:
  phone: {type: phone, default: "+15551234567", pii: true}
events:
  app.approved: {amount: integer, by: {type: string, required: false}}
  app.moved: {}
tools:
  end_call: {description: The caller is done.}
  look_up: {description: Looks.}
outcomes: [abandoned]
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [end_call, look_up]
    silence:
      12s: {do: [{say: Are you there?}]}
      30s: {target: ending, do: [{outcome: abandoned}]}
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
      tool.look_up: {do: [{log: Looked.}]}
      app.approved: {target: approved}
  approved:
    on: {app.moved: talking}
"""


async def ok(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    await asyncio.sleep(world.seconds.get(effect.verb, 0.1))
    if effect.verb in ("delete_room", "close", "hang_up") and effect.arguments.get("line", True):
        world.drop_line()
    if effect.verb in ("aclose", "close", "hang_up") and effect.arguments.get("session", True):
        world.close_session()
    return {}


async def fail(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    await asyncio.sleep(0.1)
    raise EffectError(f"{effect.verb} does not work today")


async def crash(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    raise ZeroDivisionError("a bug in the world")


async def hang(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    await asyncio.Event().wait()
    return {}


async def swallow(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    """Takes no notice of being cancelled, until the test lets go."""
    while not world.let_go.is_set():
        try:
            await world.let_go.wait()
        except asyncio.CancelledError:
            world.swallowed += 1
    return {"result": "answered"}


async def slow_to_stop(world: FakeWorld, effect: Start) -> Mapping[str, Any]:
    """Stops 3 s after it was cancelled, with a result that nobody wants any more."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(3)
    return {"result": "answered"}


async def odd(world: FakeWorld, effect: Start) -> Any:
    return ["not", "a", "mapping"]


class FakeWorld:
    """`acts` says how verbs behave, all others as `ok`. `log` tells what the world was asked, with the time."""

    def __init__(self, *, answers: bool = True, **acts: Act) -> None:
        self.acts = acts
        self.answers = answers
        self.seconds = {"say": 1.0, "generate_reply": 1.0, "drain": 0.2}
        self.log: list[tuple[float, str]] = []
        self.session_open = self.line_up = self.hurried = False
        self.finished: list[str] = []
        self.let_go = asyncio.Event()
        self.swallowed = 0
        self.breaks: set[str] = set()  # methods that raise
        self.hangs: set[str] = set()  # coroutines that never end
        self.call: Call
        self.last = Facts(room="room-1", job="job-1", transcript=({"role": "user", "text": "Hi, I am +15551234567"},))

    def begin(self, call: Call) -> None:
        self.call = call
        self._did("begin")

    async def open(self) -> None:
        self._did("open")
        if "open" in self.hangs:
            await asyncio.Event().wait()
        self.line_up = self.session_open = True
        if self.answers:
            self.call.post("call.answered", {"leg": "far_end", "identity": "caller-7"})

    def settle(self, step: Step) -> None:
        if "settle" in self.breaks:
            raise ValueError("settle is broken")

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        self.log.append((self.call.now() - EPOCH, effect.verb))
        return await self.acts.get(effect.verb, ok)(self, effect)  # type: ignore[return-value]

    def forward(self, effect: int, event: Event) -> None:
        self._did(f"forward {event.name} to {effect}")

    def hurry(self) -> None:
        self.hurried = True
        self._did("hurry")

    async def close(self, *, session: bool, line: bool) -> None:
        self._did(f"close{' session' if session else ''}{' line' if line else ''}")
        if "close" in self.hangs:
            await asyncio.Event().wait()
        if line:
            self.line_up = False
        if session:
            self.session_open = False

    def facts(self) -> Facts:
        if "facts" in self.breaks:
            raise ValueError("facts is broken")
        return self.last

    def finish(self, reason: str) -> None:
        self.finished.append(reason)
        self._did("finish")

    # -- what the tests do to it ---------------------------------------------------------------------------------

    def drop_line(self, reason: str = "ROOM_DELETED") -> None:
        if self.line_up:
            self.line_up = False
            self.call.post("room.disconnected", {"reason": reason})

    def close_session(self, reason: str = "user_initiated") -> None:
        if self.session_open:
            self.session_open = False
            self.call.post("session.close", {"reason": reason})

    def hang_up(self) -> None:
        """The caller hangs up."""
        self.call.post("call.hangup", {"leg": "far_end", "by": "caller", "cause": "bye"})

    @property
    def did(self) -> list[str]:
        return [what for _, what in self.log]

    def _did(self, what: str) -> None:
        if what in self.breaks:
            raise ValueError(f"{what} is broken")
        self.log.append((self.call.now() - EPOCH, what))


@cache
def _flow(text: str) -> Flow:
    return callflow.loads(text, check=False)


def a_call(world: FakeWorld, text: str | Flow = SMALL, **options: Any) -> Call:
    flow = _flow(text) if isinstance(text, str) else text
    return Call(flow, world, epoch=EPOCH, **options)
