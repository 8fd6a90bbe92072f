"""Calls in simulated rooms that between them need everything which callflow reads of LiveKit's own, each told in short."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from livekit.agents import Agent, AgentServer, AgentSession, AgentTask, function_tool
from livekit.agents.voice.room_io import RoomInputOptions

import callflow
from callflow.livekit_bindings import livekit_internals, serving
from callflow.livekit_bindings.world import own_options
from callflow.telephony.network import FarEnd, Say, Wait
from callflow.testing import Caller, SimulatedServer, Tool
from callflow.testing.play import Stage
from callflow.testing.virtual_time import VirtualTimeLoop
from tests.livekit_bindings.realtime import SpokenRealtime
from tests.support.phone import outbound
from tests.support.screening import GREETING, model, picks_up, session, verdicts

Played = tuple[Stage, str]
"""A call that is over, and what else there is to say of it."""

DESK = """
callflow: 1
name: desk
initial: talking
outcomes: [done]
vars: {asked: {type: string, default: nothing}, street: {type: string, default: nowhere}}
tools:
  move: {description: The caller has moved.}
  end_call: {description: The caller is done.}
  look_up: {own: true}
states:
  talking:
    entry: [{say: Hello.}]
    tools: [move]
    on:
      tool.look_up: {do: [{set: {asked: "{{ event.what }}"}}, {wait_for_speech: {}}]}
      tool.move: moving
  moving:
    task: address
    on:
      task.completed: {target: billing, do: [{set: {street: "{{ event.result }}"}}]}
      task.failed: billing
  billing:
    entry: [{send_dtmf: "12"}, {update_agent: billing}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: "{{ vars.asked }}, {{ vars.street }}. Goodbye, and thank you very much for your call."}, {outcome: done}]}
"""


class Address(AgentTask[str]):
    def __init__(self) -> None:
        super().__init__(instructions="Ask for the address.")

    async def on_enter(self) -> None:
        self.session.say("Where?")

    @function_tool
    async def take_down(self, street: str) -> None:
        """The caller has said where they live."""
        self.complete(street)


class Desk(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="Help.")

    @function_tool
    async def look_up(self, what: str) -> str:
        """Looks something up."""
        return "closed"


async def desk(server: SimulatedServer) -> Played:
    """An own tool, an AgentTask, keys, a handoff, and a caller who speaks into the last words."""
    calls = [Tool("look_up", {"what": "the pool"}), "It is closed.", Tool("move")]
    turns = [*calls, Tool("take_down", {"street": "Elm Street"}), "Anything else?", Tool("end_call"), "never said"]
    says = ["the pool", "I have moved", "Elm Street", "no"]
    acts = [*(act for text in says for act in (Wait(4.0), Say(text))), Wait(1.5), Say("and one more"), Wait(30.0)]
    call = Stage(
        callflow.loads(DESK), server, calls_in=FarEnd(1.0, acts=tuple(acts)), model=turns, agent=Desk(),
        options={"agents": {"address": Address, "billing": Agent(instructions="Bill.")}},
    )  # fmt: skip
    await call.play()
    return call, ""


SCREENS = """
callflow: 1
name: screens
initial: dialing
outcomes: [person, unknown]
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 30s, detect_machine: {timeout: 12s}}}]
    on:
      dial.answered: screening
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  screening:
    on:
      amd.human: {target: ending, do: [{generate_reply: {}}, {outcome: person}]}
      amd.machine-*: {target: ending, do: [{say: Please call back.}, {outcome: machine}]}
      amd.*: {target: ending, do: [{outcome: unknown}]}
"""


async def person(server: SimulatedServer) -> Played:
    """Somebody picks up; the agent that takes over is told what they have said."""
    llm = model(["Hello Ada.", "never said"])
    far = picks_up("Hello?", then=(Wait(30.0),))
    call = outbound(server, far, SCREENS, session=session(llm))
    await call.play()
    return (
        call,
        f"the model knew: {[one.text_content for asked in llm.requests[:1] for one in asked.messages() if one.role == 'user']}",
    )


async def greeting(server: SimulatedServer) -> Played:
    """A voicemail whose greeting lasts longer than there is time."""
    call = outbound(server, picks_up(*GREETING * 4, then=(Wait(30.0),)), SCREENS, session=session(model(())))
    await call.play()
    return call, _verdict(call)


async def failing(server: SimulatedServer) -> Played:
    """Somebody picks up, and the model that is to tell who it is fails."""
    llm = model((), RuntimeError("no such model"))
    call = outbound(server, picks_up("Hello?", then=(Wait(30.0),)), SCREENS, session=session(llm))
    await call.play()
    return call, _verdict(call)


def _verdict(call: Stage) -> str:
    [verdict] = verdicts(call)
    return f"the verdict: {verdict['reason']}, {verdict['transcript'][:8]!r}, {verdict['error']}"


STUCK = """
callflow: 1
name: stuck
initial: asking
states:
  asking:
    task: address
    after: {8s: talking}
  talking:
    entry: [{say: {text: Let us go on., timeout: 3s}}]
    after: {4s: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
"""


class Stuck(AgentTask[str]):
    """Its tool ends when it likes."""

    def __init__(self, swallows: int) -> None:
        super().__init__(instructions="Ask for the address.")
        self.swallows = swallows

    async def on_enter(self) -> None:
        self.session.say("Where?")

    @function_tool
    async def take_down(self) -> None:
        """The caller has said where they live."""
        for _ in range(self.swallows):
            try:
                await asyncio.sleep(300.0)
            except asyncio.CancelledError:
                continue


async def left(server: SimulatedServer) -> Played:
    """The state of an AgentTask is left while its tool runs, which ends where it is cancelled."""
    return await _stuck(server, 1)


async def stuck(server: SimulatedServer) -> Played:
    """The same, with a tool that cannot be stopped: the session does not close, and is taken off the room."""
    return await _stuck(server, 9)


async def _stuck(server: SimulatedServer, swallows: int) -> Played:
    async def caller(line: Caller) -> None:
        await asyncio.sleep(3.0)
        await line.say("at home")

    make = functools.partial(Stuck, swallows)
    call = Stage(callflow.loads(STUCK), server, model=[Tool("take_down")], caller=caller, agent=Agent(instructions="Desk."),
                 options={"agents": {"address": make}})  # fmt: skip
    await call.play()
    return call, ""


REALTIME = """
callflow: 1
name: realtime
initial: first
tools: {go_on: {description: Go on.}, end_call: {description: The caller is done.}}
states:
  first:
    entry: [{generate_reply: {}}]
    tools: [go_on]
    on: {app.next: second}
  second:
    entry: [{generate_reply: {}}]
    tools: [end_call]
    on: {done: ending}
"""


async def realtime(server: SimulatedServer) -> Played:
    """A realtime model, which has to be told which tools there are."""
    llm = SpokenRealtime(["Hello.", "Go on.", "Bye."])

    async def caller(line: Caller) -> None:
        await asyncio.sleep(3.0)
        call.call.receive("app.next", {}, "program")
        await asyncio.sleep(3.0)

    talking = AgentSession(llm=llm, vad=None, aec_warmup_duration=None, turn_handling={"turn_detection": None})
    call = Stage(callflow.loads(REALTIME), server, caller=caller, session=talking)
    await call.play()
    return call, f"tools: {[tools for _, tools in llm.seen]}"


def told(*stories: str) -> dict[str, Any]:
    """What each of these calls came to, or all of them; what a server says of itself; which names of LiveKit's were read for
    that; and callflow's warnings."""
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("callflow").addHandler(handler)
    came_to, read = {}, {}
    for story in stories or STORIES:
        with _reading() as names:
            came_to[story] = STORIES[story]()
        read[story] = sorted(names)
    return {"came_to": came_to, "read": read, "log": lines}


@contextlib.contextmanager
def _reading() -> Iterator[set[str]]:
    """The names that are read meanwhile."""
    found: set[str] = set()
    of = livekit_internals.Internal.of

    def noted(self: livekit_internals.Internal, thing: object, default: Any = None) -> Any:
        if thing is not None:
            found.add(self.name)
        return of(self, thing, default)

    livekit_internals.Internal.of = noted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        livekit_internals.Internal.of = of  # type: ignore[method-assign]


def server() -> dict[str, Any]:
    """What a server says when it starts, the options that a program has given in the older way, and certificates."""
    flow = callflow.loads(DESK)
    options = livekit_internals.options_of(AgentServer(ws_url="ws://h", port=1), devmode=False)
    announced = serving.announcement(flow, options, devmode=False, unregistered=False)
    older = own_options(RoomInputOptions(participant_identity="ann"))
    return {
        "announced": announced.partition(")")[2],
        "identity": str(older.participant_identity),
        "certificates": type(livekit_internals.ssl_context()).__name__,
    }


async def _told(play: Any) -> dict[str, Any]:
    async with SimulatedServer() as server:
        call, more = await play(server)
        record = call.record
        return {
            "states": call.trace,
            "heard": call.heard.splitlines(),
            "outcome": record.outcome,
            "error": record.error,
            "line": record.line,
            "said": [one["text"] for one in record.transcript if one["role"] == "user"],
            "notes": list(record.notes),
            "more": more,
        }


def _played(play: Callable[[SimulatedServer], Awaitable[Played]]) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(_told(play))

    return run


CALLS = {one.__name__: _played(one) for one in (desk, left, stuck, person, greeting, failing, realtime)}
STORIES: dict[str, Callable[[], dict[str, Any]]] = {**CALLS, "server": server}
