"""`build_machine(flow)` driven through transitions' own triggers, beside `step`: the same states and the same order of exits and
entries on what both have. Where they differ on purpose is `DIFFERENCES`, each with its clause of W3C SCXML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import yaml
from transitions import MachineError

import callflow
from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.machine import build_machine
from callflow.core.statechart.structure import around
from callflow.core.step import start, step
from tests.core.oracle.generate import Dice
from tests.support.play import flow_of

NAMES = ["app.a", "app.b", "app.c"]

Trace = tuple[list[str], list[str]]
"""The active leaves, and what was left (`-a`) and entered (`+b`) on the way there."""


class Model:
    """What transitions calls a model: it holds the state."""

    state: Any
    trigger: Callable[..., bool]


class Triggered:
    """A flow's machine with a model and a callback at each door."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.trace: list[str] = []
        self.machine = build_machine(flow)
        self.model = Model()
        self.machine.add_model(self.model)
        for path, state in flow.states.items():
            if path and state.kind != "history":
                known = self.machine.get_state(path)
                known.add_callback("exit", lambda *_, path=path, **__: self.trace.append(f"-{path}"))
                known.add_callback("enter", lambda *_, path=path, **__: self.trace.append(f"+{path}"))

    def send(self, name: str, verdicts: dict[int, bool] | None = None) -> Trace:
        self.trace.clear()
        if name in self.machine.events:
            try:
                self.model.trigger(name, verdicts=verdicts)
            except MachineError:
                assert not self.trace, "an event that no active state has a row for moves nothing"
        return self.leaves, list(self.trace)

    @property
    def leaves(self) -> list[str]:
        def flat(states: Any) -> list[str]:
            return [states] if isinstance(states, str) else [path for inner in states for path in flat(inner)]

        return sorted(flat(self.model.state), key=list(self.flow.states).index)


class Stepped:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.last = start(flow, time=0.0)

    def send(self, name: str) -> Trace:
        self.last = step(self.flow, self.last.snapshot, Event(name))
        return self.leaves, [
            word
            for move in self.last.moves
            for word in (*(f"-{path}" for path in move.exited), *(f"+{path}" for path in move.entered))
        ]

    @property
    def leaves(self) -> list[str]:
        return list(self.last.snapshot.configuration)


# -- flows of what both have ---------------------------------------------------------------------------------------------


class Maker:
    """States and targets; some rows have a guard that never holds."""

    def __init__(self, dice: Dice, parallel: bool) -> None:
        self.dice = dice
        self.parallel = parallel
        self.kinds: dict[str, str] = {}

    def flow(self) -> Flow:
        states = self.states("", 3, 3)
        self.furnish(states, "")
        ways_in = [{"target": path, "when": f"event.n == {n}"} for n, path in enumerate(self.kinds)]
        data = {
            "callflow": 1,
            "name": "both",
            "standard": False,
            "initial": "s0",
            "ending": "s0",
            "vars": {"x": {"type": "integer", "default": 0}},
            "events": {name: {} for name in NAMES} | {"app.goto": {"n": "integer"}},
            "states": states,
            "on": {"app.goto": ways_in},
        }
        # The ending's row, for a failure that nobody handles, is out of the way: it must finish, and never holds here.
        return callflow.loads(yaml.safe_dump(data, sort_keys=False), check=False)

    def states(self, prefix: str, count: int, depth: int, regions: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for _ in range(count):
            name = f"s{len(self.kinds)}"
            path = f"{prefix}.{name}" if prefix else name
            kind = self.dice.pick(["atomic", "compound", "parallel" if self.parallel and not regions else "compound"])
            # The first state is the ending, which must finish: it has no inside that it would have to leave.
            kind = kind if depth and path != "s0" else "atomic"
            self.kinds[path] = kind
            made[name] = state = {}
            if kind != "atomic":
                state["states"] = self.states(path, 2, depth - 1, regions=kind == "parallel")
                state |= (
                    {"parallel": True} if kind == "parallel" else {"initial": self.dice.pick(list(state["states"]))}
                )
        return made

    def furnish(self, states: dict[str, Any], prefix: str) -> None:
        for name, state in states.items():
            path = f"{prefix}.{name}" if prefix else name
            on = {event: self.rows(path) for event in NAMES if self.dice.chance(30)}
            if on:
                state["on"] = on
            self.furnish(state.get("states", {}), path)

    def rows(self, path: str) -> list[dict[str, Any]]:
        row = {"target": self.target(path)}
        return [{"target": self.target(path), "when": "vars.x > 0"}, row] if self.dice.chance(25) else [row]

    def target(self, source: str) -> str:
        return self.dice.pick([path for path in self.kinds if self.is_common(source, path)])

    def is_common(self, source: str, target: str) -> bool:
        """Whether both agree on a row from here to there: see DIFFERENCES."""
        if target.startswith(f"{source}."):
            return False
        names = target.split(".")
        for depth in range(1, len(names)):
            region = ".".join(names[: depth + 1])
            in_parallel = self.kinds[".".join(names[:depth])] == "parallel"
            if in_parallel and (target == region or not source.startswith(f"{region}.")):
                return False
        return True


def listeners(flow: Flow, leaves: list[str], name: str) -> int:
    """How many different states the active leaves find a row in, each on its way outward."""
    found = set()
    for leaf in leaves:
        for path in around(flow.states, leaf):
            if any(row.pattern == name for row in flow.states[path].rows):
                found.add(path)
                break
    return len(found)


def in_any_order_of_regions(trace: list[str]) -> tuple[list[str], list[str], bool]:
    """What was left and what was entered, sorted; whether inner states were left before outer ones, and entered after."""
    left, entered = ([word[1:] for word in trace if word[0] == sign] for sign in "-+")
    inner_first = all(
        not later.startswith(f"{path}.")
        for order in (left, entered[::-1])
        for at, path in enumerate(order)
        for later in order[at + 1 :]
    )
    return sorted(left), sorted(entered), inner_first


@pytest.mark.parametrize("parallel", [False, True])
def test_transitions_and_step_agree(parallel):
    compared = moved = 0
    for seed in range(150):
        dice = Dice.seeded(seed)
        flow = Maker(dice, parallel).flow()
        verdicts = {row.id: row.guard is None for row in flow.transitions}
        one, other = Triggered(flow), Stepped(flow)
        assert one.leaves == other.leaves
        for _ in range(15):
            name = dice.pick(NAMES)
            if listeners(flow, other.leaves, name) > 1:
                break
            theirs, ours = one.send(name, verdicts), other.send(name)
            assert theirs[0] == ours[0], f"seed {seed}"
            if parallel:
                assert in_any_order_of_regions(theirs[1]) == in_any_order_of_regions(ours[1]), f"seed {seed}"
            else:
                assert theirs[1] == ours[1], f"seed {seed}"
            compared += 1
            moved += bool(ours[1])
    assert moved > 100
    assert compared > moved


# -- where they differ ---------------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """`events` are sent to both; `transitions` and `callflow` are where they end, `scxml` is the clause that callflow
    follows (W3C State Chart XML 1.0)."""

    name: str
    flow: str
    events: tuple[str, ...]
    transitions: Trace
    callflow: Trace
    scxml: str


DIFFERENCES = [
    Difference(
        "two regions hear one event, and one of them leaves the parallel state",
        """
initial: p
events: {app.a: {}}
states:
  p:
    parallel: true
    states:
      a: {initial: a1, states: {a1: {on: {app.a: out}}}}
      b: {initial: b1, states: {b1: {on: {app.a: b2}}, b2: {}}}
  out: {}
""",
        ("app.a",),
        (["p.b.b2"], ["-p.a.a1", "-p.b.b1", "-p.a", "-p.b", "-p", "+out", "-out", "+p", "+p.b", "+p.b.b2"]),
        (["out"], ["-p.b.b1", "-p.b", "-p.a.a1", "-p.a", "-p", "+out"]),
        "appendix D, removeConflictingTransitions: of two transitions that leave the same state the first region's is taken",
    ),
    Difference(
        "a target in one region of a parallel state brings the other regions with it",
        """
initial: s
events: {app.a: {}}
states:
  s: {on: {app.a: p.a.a2}}
  p:
    parallel: true
    states:
      a: {initial: a1, states: {a1: {}, a2: {}}}
      b: {initial: b1, states: {b1: {}}}
""",
        ("app.a",),
        (["p.a.a2"], ["-s", "+p", "+p.a", "+p.a.a2"]),
        (["p.a.a2", "p.b.b1"], ["-s", "+p", "+p.a", "+p.a.a2", "+p.b", "+p.b.b1"]),
        "appendix D, addAncestorStatesToEnter: every region of a parallel state is entered",
    ),
    Difference(
        "a row to a state inside its writer leaves all that is active inside the writer",
        """
initial: s
events: {app.a: {}}
states:
  s:
    initial: t
    on: {app.a: s.t.v}
    states:
      t: {initial: u, states: {u: {}, v: {}}}
""",
        ("app.a",),
        (["s.t.v"], ["-s.t.u", "+s.t.v"]),
        (["s.t.v"], ["-s.t.u", "-s.t", "+s.t", "+s.t.v"]),
        "appendix D, computeExitSet: all active descendants of the transition's domain are left",
    ),
    Difference(
        "`reenter` leaves and enters the writer too",
        """
initial: s
events: {app.a: {}}
states:
  s:
    initial: t
    on: {app.a: {target: s.v, reenter: true}}
    states: {t: {}, v: {}}
""",
        ("app.a",),
        (["s.v"], ["-s.t", "+s.v"]),
        (["s.v"], ["-s.t", "-s", "+s", "+s.v"]),
        "3.5, type external: the source state is left (what `reenter` says; without it the type is internal, as XState has it)",
    ),
    Difference(
        "a region that names itself",
        """
initial: p
events: {app.a: {}}
states:
  p:
    parallel: true
    states:
      a: {on: {app.a: a}}
      b: {}
""",
        ("app.a",),
        (["p.a", "p.b"], ["-p.a", "+p.a"]),
        (["p.a", "p.b"], ["-p.b", "-p.a", "-p", "+p", "+p.a", "+p.b"]),
        "appendix D, getTransitionDomain: the domain is the nearest compound state around, never a parallel one",
    ),
    Difference(
        "the order in which regions are left",
        """
initial: p
events: {app.a: {}}
states:
  p:
    parallel: true
    on: {app.a: out}
    states:
      a: {}
      b: {initial: b1, states: {b1: {}}}
  out: {}
""",
        ("app.a",),
        (["out"], ["-p.b.b1", "-p.a", "-p.b", "-p", "+out"]),
        (["out"], ["-p.b.b1", "-p.b", "-p.a", "-p", "+out"]),
        "3.13, exit order: children before parents, and siblings in reverse document order",
    ),
    Difference(
        "the order in which regions are entered",
        """
initial: s
events: {app.a: {}}
states:
  s: {on: {app.a: p}}
  p:
    parallel: true
    states:
      a: {initial: a1, states: {a1: {}}}
      b: {}
""",
        ("app.a",),
        (["p.a.a1", "p.b"], ["-s", "+p", "+p.a", "+p.b", "+p.a.a1"]),
        (["p.a.a1", "p.b"], ["-s", "+p", "+p.a", "+p.a.a1", "+p.b"]),
        "3.13, entry order: document order, parents before children",
    ),
    Difference(
        "done",
        """
initial: s
events: {app.a: {}}
states:
  s:
    initial: t
    on: {done: out}
    states: {t: {on: {app.a: f}}, f: {final: true}}
  out: {}
""",
        ("app.a",),
        (["s.f"], ["-s.t", "+s.f"]),
        (["out"], ["-s.t", "+s.f", "-s.f", "-s", "+out"]),
        "3.7, final: done.state.id is raised when a compound state's inside reaches a final state",
    ),
    Difference(
        "always",
        """
initial: s
events: {app.a: {}}
states:
  s: {on: {app.a: t}}
  t: {always: [{target: out}]}
  out: {}
""",
        ("app.a",),
        (["t"], ["-s", "+t"]),
        (["out"], ["-s", "+t", "-t", "+out"]),
        "3.13, eventless transitions are taken before the next event",
    ),
    Difference(
        "history",
        """
initial: s
events: {app.a: {}, app.b: {}}
states:
  s:
    initial: t
    on: {app.b: out}
    states: {t: {on: {app.a: u}}, u: {}, h: {history: shallow, initial: t}}
  out: {on: {app.a: s.h}}
""",
        ("app.a", "app.b", "app.a"),
        (["s.t"], ["-out", "+s", "+s.t"]),
        (["s.u"], ["-out", "+s", "+s.u"]),
        "3.10, history: stands for the parent's last inside; for transitions it is the parent",
    ),
    Difference(
        "a pattern",
        """
initial: s
events: {app.a: {}}
states:
  s: {on: {app.*: out}}
  out: {}
""",
        ("app.a",),
        (["s"], []),
        (["out"], ["-s", "+out"]),
        "3.12.1, event descriptors: a prefix matches; for transitions the pattern is a trigger's name",
    ),
]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.name)
def test_known_difference(difference):
    flow = flow_of(difference.flow)
    one, other = Triggered(flow), Stepped(flow)
    for name in difference.events:
        theirs, ours = one.send(name), other.send(name)
    assert theirs == difference.transitions
    assert ours == difference.callflow


# -- the machine itself --------------------------------------------------------------------------------------------------


def test_the_machine_is_one_that_transitions_tools_take():
    flow = flow_of(
        """
initial: s
states:
  s: {initial: t, states: {t: {on: {call.answered: u}}, u: {final: true}}, on: {done: out}}
  out: {}
"""
    )
    machine = build_machine(flow)
    assert machine.initial == "s"
    assert {"s", "s.t", "s.u", "out", "ending", "closed"} <= set(machine.get_nested_state_names())
    rows = [row.row for row in machine.get_transitions("call.answered")]
    assert [(row.source, row.target) for row in rows] == [("s.t", "s.u")]
    assert rows[0].position.line == 6


def test_a_guard_is_told_by_its_verdict():
    flow = flow_of(
        """
initial: s
vars: {x: {type: integer, default: 0}}
events: {app.a: {}}
states:
  s: {on: {app.a: [{target: t, when: vars.x > 0}, {target: u}]}}
  t: {}
  u: {}
"""
    )
    first = next(row.id for row in flow.transitions if row.guard is not None)
    assert Triggered(flow).send("app.a", {first: False})[0] == ["u"]
    assert Triggered(flow).send("app.a", {first: True})[0] == ["t"]
