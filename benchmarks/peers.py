"""The phone call of `benchmarks/phone.py` in other tools for state machines, each in its own terms: callables where it takes
callables, its own expressions where it has some.

A runner is made once. `seconds(n)` plays n calls from a fresh `idle` to `closed`, and returns the CPU seconds of one event;
what makes a call fresh is not counted. Raises AssertionError where the log is another than the others'.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import Runner
from benchmarks.phone import ENTRY, EXIT, MOVES, STATES, WALK, expected

XSTATE = Path(__file__).parent / "xstate"
GUARDS = {"tries > 5": "many", "tries < 5": "few"}
NAMES = [event for event, _ in WALK]


class Missing(Exception):
    """A tool that is not installed here."""


class Model:
    """What a machine acts on that takes callables."""

    def __init__(self) -> None:
        self.tries = 2
        self.log: list[str] = []

    def many(self) -> bool:
        return self.tries > 5

    def few(self) -> bool:
        return self.tries < 5

    def acts(self, lines: list[str]) -> list[Callable[[], None]]:
        return [partial(self._say, line) for line in lines]

    def _say(self, line: str) -> None:
        self.log.append(line)


class Transitions:
    """A machine of transitions; one of its asynchronous machines is awaited."""

    def __init__(self, kind: str) -> None:
        from transitions import Machine, extensions

        self.name = f"transitions.{kind}"
        self._awaits = "Async" in kind
        self._model = model = Model()
        make = Machine if kind == "Machine" else getattr(extensions, kind)
        states = [{"name": one, "on_enter": model.acts(ENTRY[one]), "on_exit": model.acts(EXIT[one])} for one in STATES]
        self._machine = make(model, states=states, initial="idle", auto_transitions=False)
        for move in MOVES:
            conditions = None if move.guard is None else getattr(model, GUARDS[move.guard])
            self._machine.add_transition(move.event, move.source, move.target, conditions=conditions)

    def seconds(self, number: int) -> float:
        return asyncio.run(self._awaited(number)) if self._awaits else self._called(number)

    def _called(self, number: int) -> float:
        model = self._model
        triggers = [getattr(model, name) for name in NAMES]
        began = time.process_time()
        for _ in range(number):
            model.log = []
            self._machine.set_state("idle")
            for trigger in triggers:
                trigger()
        return self._took(began, number)

    async def _awaited(self, number: int) -> float:
        model = self._model
        triggers = [getattr(model, name) for name in NAMES]
        began = time.process_time()
        for _ in range(number):
            model.log = []
            self._machine.set_state("idle")
            for trigger in triggers:
                await trigger()
        return self._took(began, number)

    def _took(self, began: float, number: int) -> float:
        took = time.process_time() - began
        assert self._model.log == expected(), self._model.log
        return took / number / len(WALK)


class PythonStatemachine:
    name = "python-statemachine"

    def __init__(self) -> None:
        if find_spec("statemachine") is None:
            raise Missing(self.name)
        from statemachine import State, StateMachine

        states = {one: State(initial=one == "idle", final=one == "closed") for one in STATES}
        body: dict[str, Any] = dict(states)
        for move in MOVES:
            way = states[move.source].to(states[move.target], cond=GUARDS.get(move.guard or ""))
            body[move.event] = body[move.event] | way if move.event in body else way
        for state in STATES:
            body[f"on_enter_{state}"] = _method(ENTRY[state])
            if EXIT[state]:
                body[f"on_exit_{state}"] = _method(EXIT[state])
        self._make = type("Phone", (StateMachine,), body | {"many": Model.many, "few": Model.few})

    def seconds(self, number: int) -> float:
        machines = []
        for _ in range(number):
            self._make.tries, self._make.log = 2, []  # type: ignore[attr-defined]
            machines.append(self._make())
            machines[-1].log = []
        began = time.process_time()
        for machine in machines:
            for name in NAMES:
                machine.send(name)
        took = time.process_time() - began
        assert machines[-1].log == expected(), machines[-1].log
        return took / number / len(WALK)


def _method(lines: list[str]) -> Callable[[Any], None]:
    """Two or three actions, each a call of its own, as the others have them."""

    def act(self: Any) -> None:
        for line in lines:
            _say(self.log, line)

    return act


def _say(log: list[str], line: str) -> None:
    log.append(line)


class Sismic:
    name = "sismic"

    def __init__(self) -> None:
        if find_spec("sismic") is None:
            raise Missing(self.name)
        from sismic.io import import_from_yaml

        states = []
        for state in STATES:
            ways = [
                {"event": move.event, "target": move.target} | ({"guard": move.guard} if move.guard else {})
                for move in MOVES
                if move.source == state
            ]
            one: dict[str, Any] = {"name": state, "on entry": _lines(ENTRY[state])}
            one |= {"transitions": ways, "on exit": _lines(EXIT[state])} if ways else {"type": "final"}
            states.append(one)
        chart = {"name": "phone", "root state": {"name": "root", "initial": "idle", "states": states}}
        self._chart = import_from_yaml(yaml.safe_dump({"statechart": chart}))

    def seconds(self, number: int) -> float:
        from sismic.interpreter import Interpreter
        from sismic.model import Event

        events = [Event(name) for name in NAMES]
        calls: list[Any] = []
        for _ in range(number):
            call = Interpreter(self._chart, initial_context={"tries": 2, "log": []})
            call.execute()
            call.context["log"].clear()
            calls.append(call)
        began = time.process_time()
        for call in calls:
            for event in events:
                call.queue(event)
                call.execute_once()
        took = time.process_time() - began
        assert calls[-1].context["log"] == expected(), calls[-1].context["log"]
        return took / number / len(WALK)


def _lines(lines: list[str]) -> str:
    return "\n".join(f"log.append({line!r})" for line in lines)


class XState:
    """XState, in a process of Node: its actor, or its pure `transition`."""

    def __init__(self, way: str) -> None:
        self.name = f"XState's {way}"
        if shutil.which("node") is None or not (XSTATE / "node_modules").exists():
            raise Missing(f"{self.name} (node, and `npm ci` in {XSTATE.name})")
        self._node = subprocess.Popen(
            ["node", "phone.js", way], cwd=XSTATE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        moves = [(move.event, move.source, move.target, move.guard) for move in MOVES]
        self._say(
            {"states": STATES, "moves": moves, "entry": ENTRY, "exit": EXIT, "walk": NAMES, "expected": expected()}
        )

    def seconds(self, number: int) -> float:
        self._say(number)
        assert self._node.stdout is not None
        answer = self._node.stdout.readline()
        assert answer, "node has ended"
        return float(answer)

    def close(self) -> None:
        self._node.communicate()

    def _say(self, what: Any) -> None:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(what) + "\n")
        self._node.stdin.flush()


MAKERS: tuple[Callable[[], Runner], ...] = (
    *(partial(Transitions, kind) for kind in ("Machine", "HierarchicalMachine", "AsyncMachine")),
    PythonStatemachine,
    Sismic,
    partial(XState, "actor"),
    partial(XState, "transition"),
)


def peers() -> tuple[list[Runner], list[str]]:
    """Those that are installed here, and the names of those that are not."""
    found: list[Runner] = []
    missing = []
    for make in MAKERS:
        try:
            found.append(make())
        except Missing as error:
            missing.append(str(error))
    return found, missing
