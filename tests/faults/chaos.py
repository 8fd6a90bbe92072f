"""One call in a world whose every effect waits for the script, and what must hold of it whatever the script says.

A script is a list of lines, so that a counter-example is a file at once. What stands on one line, between ` + `, happens
without the event loop having a turn in between:

    app.a                        an event             3 ok            effect 3 ends; or failed, crash, odd, cancelled
    tool.help during 2           called in speech 2   3 dial.busy     with its named result
    forget tool                  its caller is gone   3 swallows      takes no notice of being cancelled
    opens | opens not            the session          3 late          stops 3 s after it was cancelled, with a result
    wait 1.5                     seconds pass         fire            to the moment at which the next timer is due
    line lost | session closed                        shutdown | worker closes | hang up | goodbye | cancel
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from callflow.core.actions import VERBS
from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.errors import EffectError
from callflow.journal import Recorded, replay
from callflow.runtime.call import Call
from callflow.runtime.lines import Lines
from callflow.runtime.ports import Facts, ToolReturn
from callflow.runtime.redact import Redactor
from callflow.testing.virtual_time import VirtualTimeLoop
from tests.core.oracle.generate import APP, Dice

EPOCH = 1000.0
GIVEN = {"phone": "+15551234567", "text": "Ann", "integer": 3, "number": 1.5, "boolean": True, "duration": 5.0}

FORCED = 60.0 + 3 * 15.0
"""Seconds in which a call ends that was told to, whatever its world does: its hold for `wrap_up`, and the forced end."""

WORKER = 8.0
"""The same where the worker closes."""

_OPEN = object()


class Broken(AssertionError):
    """Something that must hold of every call does not."""


class World:
    """Does nothing by itself: every effect is a future that the script settles."""

    def __init__(self, loop: asyncio.AbstractEventLoop, close_hangs: bool = False) -> None:
        self.loop = loop
        self.close_hangs = close_hangs
        self.call: Call
        self.waiting: dict[object, asyncio.Future[Any]] = {}
        self.unsettled: set[asyncio.Future[Any]] = set()  # those of tries that were given up as well
        self.verbs: dict[int, str] = {}
        self.swallows: set[object] = set()
        self.late: set[object] = set()
        self.finished = 0
        self.wrong: list[str] = []
        self.line_up = self.session_open = True

    def begin(self, call: Call) -> None:
        self.call = call

    async def open(self) -> None:
        await self._wait(_OPEN)

    def settle(self, step: Step) -> None:
        self._act("settle")

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        self._act(effect.verb)
        self.verbs[effect.id] = effect.verb
        result = await self._wait(effect.id)
        verb, arguments = effect.verb, effect.arguments
        if verb in ("delete_room", "close", "hang_up") and arguments.get("line", True):
            self.lose_line()
        if verb in ("aclose", "close", "hang_up") and arguments.get("session", True):
            self.close_session()
        return result  # type: ignore[no-any-return]

    async def _wait(self, key: object) -> Any:
        future = self.waiting[key] = self.loop.create_future()
        self.unsettled.add(future)
        try:
            while not future.done():
                try:
                    await asyncio.wait([future])
                except asyncio.CancelledError:
                    if key in self.late:
                        break
                    if key not in self.swallows:
                        raise
        finally:
            if self.waiting.get(key) is future:
                del self.waiting[key]
            self.unsettled.discard(future)
            if not future.cancel() and not future.cancelled():
                future.exception()  # looked at, though the effect was cancelled at the same moment
        if not future.cancelled():
            return future.result()
        await asyncio.sleep(3)
        return {"result": "answered"}

    def forward(self, effect: int, event: Event) -> None:
        self._act("forward")

    def hurry(self) -> None:
        self._act("hurry")

    async def close(self, *, session: bool, line: bool) -> None:
        if self.finished:
            self.wrong.append("close after the job was told to end")
        if self.close_hangs:
            await self._wait("close")
        self.line_up &= not line
        self.session_open &= not session

    def facts(self) -> Facts:
        return Facts(room="room-1")

    def finish(self, reason: str) -> None:
        self.finished += 1

    def lose_line(self) -> None:
        if self.line_up:
            self.line_up = False
            self.call.post("room.disconnected", {"reason": "ROOM_DELETED"})

    def close_session(self) -> None:
        if self.session_open:
            self.session_open = False
            self.call.post("session.close", {"reason": "user_initiated"})

    def _act(self, what: str) -> None:
        if self.call.over and what != "settle":
            self.wrong.append(f"{what} after the end")


class Chaos:
    """One call, driven line by line. `text` is its flow's text, for the scenario file of a counter-example."""

    def __init__(self, flow: Flow, text: str = "", *, waiting: bool | None = None, close_hangs: bool = False) -> None:
        self.flow, self.text = flow, text
        self.script: list[str] = []
        self.loop = VirtualTimeLoop()
        self.loop.set_exception_handler(self._unhandled)
        self.unhandled: list[str] = []
        self.world = World(self.loop, close_hangs)
        self.taken: list[Step] = []
        self.tools: list[asyncio.Task[ToolReturn]] = []
        variables = {
            name: GIVEN.get(one.type.name, []) for name, one in flow.scopes[""].variables.items() if one.required
        }
        env = dict.fromkeys(flow.env, "ST_1")
        self.call = Call(flow, self.world, id="chaos", vars=variables, env=env, waiting=waiting, epoch=EPOCH)
        self.redactor = Redactor(flow, b"a key")
        self.lines = Lines(flow, self.redactor)
        waits = not flow.outbound if waiting is None else waiting
        head = {
            "call": "chaos",
            "time": EPOCH,
            "vars": variables,
            "env": env,
            "facts": {"id": "chaos"},
            "waiting": waits,
        }
        self.head = json.loads(json.dumps(self.lines.line(head), default=str))
        self.journal: list[Any] = []
        try:
            self.loop.run_until_complete(self._begin())
            self.rest()
        except BaseException:
            self.close()
            raise

    async def _begin(self) -> None:
        steps = self.call.steps()
        self.running = self.loop.create_task(self.call.run())
        self.reader = self.loop.create_task(self._read(steps))

    async def _read(self, steps: Any) -> None:
        async for step in steps:
            self.taken.append(step)

    def _unhandled(self, loop: Any, context: Mapping[str, Any]) -> None:
        self.unhandled.append(f"{context.get('message')}: {context.get('exception')!r}")

    # -- the script ----------------------------------------------------------------------------------------------

    def play(self, script: list[str]) -> Chaos:
        for line in script:
            self.do(line)
        return self

    def do(self, line: str) -> None:
        self.script.append(line)
        for one in line.split(" + "):
            self._do(one)
        self.rest()

    def _do(self, line: str) -> None:
        first, _, rest = line.partition(" ")
        told = self.TOLD.get(line)
        if told is not None:
            told(self)
        elif first == "wait":
            self.wait(float(rest))
        elif first.isdigit():
            self.end(int(first), rest)
        else:
            self.event(first, rest.split())

    def fire(self) -> None:
        """To the moment at which the next timer is due, which then comes before all that follows."""
        timers = self.call.snapshot.memory.timers
        if timers and not self.call.over:
            self.loop.advance(max(0.0, timers[0].due - EPOCH - self.loop.time()))
            self.turn()

    def forget(self) -> None:
        for task in self.tools[-1:]:
            task.cancel()

    def hang_up(self, goodbye: str | None = None) -> None:
        self.loop.run_until_complete(self.call.hang_up(goodbye))

    TOLD: ClassVar[Mapping[str, Callable[[Chaos], Any]]] = {
        "opens": lambda self: self.end(_OPEN, "ok"),
        "opens not": lambda self: self.end(_OPEN, "failed"),
        "line lost": lambda self: self.world.lose_line(),
        "session closed": lambda self: self.world.close_session(),
        "shutdown": lambda self: self.call.job_ends("told"),
        "worker closes": lambda self: self.call.job_ends("closes", worker=True),
        "hang up": lambda self: self.hang_up(),
        "goodbye": lambda self: self.hang_up("Bye."),
        "cancel": lambda self: self.running.cancel(),
        "forget tool": lambda self: self.forget(),
        "fire": lambda self: self.fire(),
    }

    def event(self, name: str, words: list[str]) -> None:
        effect = int(words[1]) if words[:1] == ["during"] else None
        pairs = (word.split("=") for word in words if "=" in word)
        data = {key: int(value) if value.isdigit() else value for key, value in pairs}
        if name.startswith("tool."):
            called = self.call.tool_called(name[5:], data, effect=effect)
            self.tools.append(self.loop.create_task(called))
        else:
            self.call.post(name, data, effect=effect)

    def end(self, key: object, how: str) -> None:
        future = self.world.waiting.get(key)
        if how in ("swallows", "late"):
            (self.world.swallows if how == "swallows" else self.world.late).add(key)
        elif how == "cancelled":
            effect = self.call.effects.running.get(key) if isinstance(key, int) else None
            if effect is not None and effect.task is not None:
                effect.task.cancel()
        elif future is None or future.done():
            return
        elif how == "failed":
            future.set_exception(EffectError("it does not work today"))
        elif how == "crash":
            future.set_exception(ZeroDivisionError("a bug in the world"))
        elif how == "odd":
            future.set_result(["not", "a", "mapping"])
        else:
            future.set_result({} if how == "ok" else {"result": how.partition(".")[2]})

    # -- time ----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def rest(self) -> None:
        """Until nothing happens any more without time passing."""
        for _ in range(2000):
            self.turn()
            due = self.loop._scheduled and min(self.loop._scheduled).when() <= self.loop.time()
            if not self.loop._ready and not due:
                break
        else:
            self.fail("the call never rests")
        self.check()

    def wait(self, seconds: float) -> None:
        """Time passes, and stops wherever a timer is due."""
        until = self.loop.time() + seconds
        for _ in range(5000):
            due = [timer.when() for timer in self.loop._scheduled if not timer.cancelled()]
            if not due or min(due) > until:
                self.loop.advance(max(0.0, until - self.loop.time()))
                return
            self.loop.advance(max(0.0, min(due) - self.loop.time()))
            self.rest()
        self.fail(f"more than 5000 timers in {seconds:g} s")

    # -- what must hold ------------------------------------------------------------------------------------------

    def fail(self, why: str) -> None:
        raise Broken(f"{why}\nscript: {self.script!r}\n{self.text}")

    def check(self) -> None:
        """After every line."""
        call, world = self.call, self.world
        if world.wrong:
            self.fail(world.wrong[0])
        if self.unhandled:
            self.fail(self.unhandled[0])
        if world.finished > 1:
            self.fail("the job was told to end twice")
        if call.over:
            return
        if call._inbox:
            self.fail("inputs wait although nothing happens")
        timers = call.snapshot.memory.timers
        armed = call.timers.armed
        if armed != bool(timers):
            self.fail(f"timers of the snapshot: {len(timers)}, and {'one' if armed else 'none'} is armed")
        lost = call.effects.running.keys() ^ call.snapshot.memory.effects.keys()
        lost = {number for number in lost if number > 0}
        if any(not self._stopping(number) for number in lost):
            self.fail(f"effects that only the snapshot or only the runtime knows: {sorted(lost)}")

    def _stopping(self, number: int) -> bool:
        """Given up by the snapshot, and still on its way to its end."""
        effect = self.call.effects.running.get(number)
        return effect is not None and effect.phase == "stopping"

    def finish(self, how: str = "shutdown") -> None:
        """The call is told to end, and everything is judged."""
        if not self.running.done():
            self.do(how)
        began = self.loop.time()
        bound = WORKER if how == "worker closes" else FORCED
        while not self.running.done() and self.loop.time() <= began + 2 * FORCED:
            self.wait(1.0)
            self.rest()
        if not self.running.done():
            self.fail("the call never ends")
        if self.loop.time() - began > bound + 1.0:
            self.fail(f"the end took {self.loop.time() - began:g} s")
        self._let_go()
        self.judge()

    def _let_go(self) -> None:
        """Everything that had hung or swallowed its cancellation comes to its end now, when nobody waits for it."""
        self.world.swallows.clear()
        for future in list(self.world.unsettled):
            if not future.done():
                future.set_result({"result": "answered"})
        self.rest()
        self.wait(5.0)
        self.rest()

    def judge(self) -> None:
        world, record = self.world, self.call.record
        if record is None:
            self.fail("there is no record")
            return
        if not self.running.cancelled() and self.running.result() is not record:
            self.fail("run() gave another record")
        if world.finished != 1:
            self.fail(f"the job was told to end {world.finished} times")
        if record.outcome not in self.flow.outcomes:
            self.fail(f"outcome {record.outcome}")
        if record.error is not None and "was told to end" not in record.error:
            self.fail(f"error {record.error}")
        json.dumps(record.to_json())
        if [task for task in asyncio.all_tasks(self.loop) if not task.done()]:
            self.fail(f"tasks left: {[task.get_name() for task in asyncio.all_tasks(self.loop)]}")
        timers = [timer for timer in self.loop._scheduled if not timer.cancelled()]
        if timers:
            self.fail(f"timers left: {timers}")
        if any(not task.done() for task in self.tools):
            self.fail("a tool never returned")
        left = any(one.verb in ("hang_up", "stand_by") for one in record.effects)
        if not world.close_hangs and not left:
            open_ = {"line": world.line_up, "session": world.session_open}
            for name, is_open in open_.items():
                if is_open:  # whatever the call itself believes
                    self.fail(f"the {name} is still open")
        self._owed(whole=record.error is None)
        self._named_once(record.outcome)
        self._replay(record.steps)

    def _named_once(self, outcome: str) -> None:
        named = [note.data["name"] for one in self.taken for note in one.notes if note.kind == "outcome"]
        if named[1:] or (named and outcome != named[0]):
            self.fail(f"the outcome is {outcome}, and was named {named}: the first one stays")

    def _owed(self, *, whole: bool) -> None:
        """Of every state that was left its `exit`, of every row taken its `do`, also where what the model called came after
        its state was left: begun and ended, each as often."""
        expected: Counter[str] = Counter()
        for step in self.taken:
            for move in step.moves:
                for path in move.exited:
                    expected.update(_label(self.flow.states[path].exit))
            late = [int(note.data["transition"]) for note in step.notes if note.kind == "late"]
            for number in (*(one for move in step.moves for one in move.transitions), *late):
                row = self.flow.transitions[number]
                if row.target is not None:
                    expected.update(_label(row.actions))
        said = Counter(str(note.data["message"]) for step in self.taken for note in step.notes if note.kind == "log")
        for label, times in expected.items():
            begun, ended = said[label], said[label.replace("owed", "paid")]
            if begun > times or ended > begun or (whole and not begun == ended == times):
                self.fail(f"{label}: {times} times owed, {begun} times begun, {ended} times ended")

    def _replay(self, steps: int) -> None:
        if len(self.taken) != steps:
            self.fail(f"{steps} steps, and {len(self.taken)} of them were seen")
        lines = tuple(json.loads(json.dumps(self.lines.line(step), default=str)) for step in self.taken)
        recorded = Recorded(Path("chaos.jsonl"), self.head, lines)
        again = replay(self.flow, recorded)
        if recorded.redacted:
            ours, theirs = ([one.snapshot.configuration for one in steps] for steps in (self.taken, again))
        else:
            ours, theirs = ([one.snapshot for one in steps] for steps in (self.taken, again))
        if ours != theirs:
            self.fail("the journal replays to something else")

    def close(self) -> None:
        """Nothing of this call stays in the process, however its test has ended."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.world.swallows.clear()
        self.world.late.clear()
        for _ in range(20):
            self.turn()
        self.loop.close()

    # -- random scripts ------------------------------------------------------------------------------------------

    def answered(self, dice: Dice) -> None:
        """Most calls that wait for their far end find it there."""
        if self.call.snapshot.memory.phase == "waiting" and dice.chance(90):
            self.do("call.answered leg=far_end identity=caller-7")

    def wander(self, dice: Dice, most: int) -> None:
        self.answered(dice)
        for _ in range(most):
            if self.running.done():
                return
            together = 1 + (dice.below(3) if dice.chance(40) else 0)
            self.do(" + ".join(self.choose(dice) for _ in range(together)))

    def choose(self, dice: Dice) -> str:
        waiting = [key for key in self.world.waiting if isinstance(key, int) and key > 0]
        what = dice.below(16)
        if _OPEN in self.world.waiting and dice.chance(40):
            return dice.pick(["opens", "opens", "opens", "opens not"])
        if what in (0, 1):
            return dice.pick(["fire", "fire", "wait 0.5", "wait 5", "wait 30"])
        if what <= 7 and waiting:
            return self.any_end(dice, dice.pick(sorted(waiting)))
        if what == 8 and dice.chance(40):
            return dice.pick(
                ["line lost", "session closed", "hang up", "goodbye", "shutdown", "worker closes", "cancel"]
            )
        return self.any_event(dice, sorted(waiting))

    def any_end(self, dice: Dice, number: int) -> str:
        verb = VERBS.get(self.world.verbs.get(number, ""))
        results = [] if verb is None else list(verb.results)
        hows = ["ok", "ok", "ok", "failed", "crash", "odd", "cancelled", "swallows", "late", *results, *results]
        return f"{number} {dice.pick(hows)}"

    def any_event(self, dice: Dice, waiting: list[int]) -> str:
        if "app.goto" in self.flow.events and dice.chance(25):
            moves = next(row for row in self.flow.root.rows if row.pattern == "app.goto").transitions
            number = dice.pick([move.guard.source.rpartition(" ")[2] for move in moves if move.guard is not None])
            return f"app.goto n={number}"
        tools = [f"tool.{name}" for name in self.flow.tools]
        name = dice.pick([
            *[name for name in APP if name in self.flow.events], *tools, *tools, "forget tool", "dtmf.1", "dtmf.pound",
            "call.answered leg=far_end", "call.hangup leg=far_end by=caller", "call.dropped leg=far_end",
            "call.restored leg=far_end", "room.reconnecting", "room.participant_connected identity=x kind=standard",
            "room.participant_disconnected identity=x", "session.error error=gone",
            "session.user_state_changed new_state=speaking", "session.user_state_changed new_state=listening",
            "session.agent_state_changed new_state=thinking", "session.agent_state_changed new_state=listening",
            "session.user_input_transcribed transcript=hello", "dial.busy", "unheard_of",
        ])  # fmt: skip
        speeches = [number for number in waiting if self.world.verbs.get(number) in ("say", "play", "generate_reply")]
        if name in tools and speeches and dice.chance(50):
            return f"{name} during {dice.pick(speeches)}"
        return name


def _label(actions: Any) -> list[str]:
    if not actions or actions[0].verb != "log":
        return []
    message = actions[0].arguments["message"]
    text = str(getattr(message, "source", message))
    return [text] if text.startswith("owed ") else []


def marked(data: dict[str, Any], first: int = 0) -> dict[str, Any]:
    """A flow, as plain data, whose owed lists say when they begin and when they end; numbered from `first` on."""
    numbers = itertools.count(first)

    def mark(actions: Any) -> list[Any]:
        number = next(numbers)
        given = actions if isinstance(actions, list) else [actions]
        return [{"log": f"owed {number}"}, *given, {"log": f"paid {number}"}]

    def state(one: dict[str, Any]) -> None:
        if "exit" in one:
            one["exit"] = mark(one["exit"])
        groups = [one.get("always", [])]
        for key in ("on", "after", "every", "silence"):
            groups += one.get(key, {}).values()
        for group in groups:
            for row in group if isinstance(group, list) else [group]:
                if isinstance(row, dict) and "target" in row and "do" in row:
                    row["do"] = mark(row["do"])
        for child in one.get("states", {}).values():
            state(child)

    state(data)
    if data.get("standard") is False:  # without any limit a flow may go round in circles for ever
        data.setdefault("limits", {"no_progress": 30})
    return data
