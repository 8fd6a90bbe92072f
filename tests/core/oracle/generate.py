"""Random flows, as the text of flow files, and random scripts.

Everything is decided by a `Dice`: hypothesis's (which shrinks) or a seeded `random.Random`'s.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

T = TypeVar("T")


class Dice:
    """`below(n)` gives 0 … n-1; small numbers are the simple choice, which is what shrinking goes for."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    @classmethod
    def seeded(cls, seed: int) -> Dice:
        return cls(random.Random(seed).randrange)

    @classmethod
    def drawn(cls, draw: Callable[[Any], Any]) -> Dice:
        return cls(lambda n: draw(st.integers(0, n - 1)))

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def some(self, percent: int, most: int, make: Callable[[], T]) -> list[T]:
        made: list[T] = []
        while len(made) < most and self.chance(percent):
            made.append(make())
        return made


APP = ("app.a", "app.b", "app.c")
PATTERNS = (
    *APP, "app.*", "tool.help", "tool.look", "tool.file", "tool.*", "call.hangup", "call.*", "dtmf.1", "dtmf.*", "session.user_state_changed",
    "room.reconnecting", "dial.answered", "dial.*", "transfer.failed", "amd.machine-*",
)  # fmt: skip
GUARDS = ("vars.x == 0", "vars.x > 1", "vars.y < 2", "vars.x != vars.y", "1 // vars.x > 0", "state.visits > 1")
VALUES = (0, 1, 2, "{{ vars.x + 1 }}", "{{ vars.y + 1 }}", "{{ 4 - vars.x }}", "{{ 2 // vars.x }}")
TOOLS = {
    "help": {"own": True},
    "look": {"description": "Looks.", "run": {"http": "https://crm.example/"}},
    "file": {"description": "Files."},
}
PART = "\n# part.yaml\n"
OUTCOMES = ("completed", "abandoned", "machine")
SAYS = ("Hello.", "Yes?", "Well.", "Goodbye.")


class FlowMaker:
    """Makes one flow. `rich` ones have telephony and speech that nobody waits for."""

    def __init__(self, dice: Dice, safe: bool = False) -> None:
        self.dice = dice
        self.paths: list[str] = []
        self.kinds: dict[str, str] = {}
        self.names = 0
        self.letter = "s"
        self.standard = safe or dice.chance(15)
        self.rich = dice.chance(50)
        self.timed = dice.chance(50)
        self.strict = not safe and dice.chance(50)
        self.host = not self.standard and dice.chance(25)  # one of the states has a sub-flow as its inside
        self.bare = dice.chance(15)  # states and targets alone: what the core looks up

    def make(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "callflow": 1,
            "name": "random",
            "vars": {"x": {"type": "integer", "default": 0}, "y": {"type": "integer", "default": 0}},
            "events": {name: {} for name in APP},
            "outcomes": ["abandoned"],
            "tools": TOOLS,
            "initial": "s0",
        }
        if not self.standard:
            data |= {"standard": False, "ending": "ending"}
            if self.dice.chance(10):
                data["limits"] = {"no_progress": 6}
        states = self.outline("", 2 + self.dice.below(3), self.dice.pick([1, 2, 2, 3]))
        if not self.standard:
            states["ending"] = self.ending()
            states["closed"] = {"final": True}
            self.note("ending", "compound" if "states" in states["ending"] else "atomic")
            self.note("closed", "final")
            for child in states["ending"].get("states", {}):
                self.note(f"ending.{child}", "final" if child == "e1" else "atomic")
        data["states"] = states
        if self.host:
            hosts = [
                state for path, state in self.each(states, "") if self.kinds.get(path) == "atomic" and path[0] == "s"
            ]
            if hosts:
                data["use"] = {"part": "part.yaml"}
                for state in hosts[: 1 + self.dice.below(2)]:
                    state |= {"flow": "part", "with": {"y": self.dice.pick(VALUES)}}
        self.furnish(data, "", top=True)
        for path, state in list(self.each(states, "")):
            if "history" not in state:
                self.furnish(state, path)
        self.give_ways_in(data, "app.goto")
        return data

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names - 1}"

    def make_part(self) -> dict[str, Any]:
        """The sub-flow: variables, rows and timers of its own, perhaps an ending."""
        dice = self.dice
        self.paths, self.kinds, self.letter = [], {}, "p"
        states = self.outline("", 2, dice.pick([0, 0, 1]))
        data: dict[str, Any] = {
            "callflow": 1,
            "name": "part",
            "vars": {"x": {"type": "integer", "default": 1}, "y": {"type": "integer"}},
            "events": {name: {} for name in APP},
            "outcomes": ["abandoned"],
            "tools": {"seek": TOOLS["look"], "sort": TOOLS["file"]},
            "initial": next(iter(states)),
            "states": states,
        }
        if dice.chance(40):
            data["ending"] = dice.pick([*states, "z1"])
        for name, value in (("z1", "{{ vars.x }}"), ("z2", 7)):
            states[name] = {"final": True, "returns": {"r": value}}
            self.note(name, "final")
        self.furnish(data, "", top=True)
        data.get("on", {}).pop("failed", None)
        for path, state in list(self.each(states, "")):
            if "history" not in state:
                self.furnish(state, path)
        self.give_ways_in(data, "app.way")
        return data

    def note(self, path: str, kind: str) -> None:
        self.paths.append(path)
        self.kinds[path] = kind

    def outline(self, prefix: str, count: int, depth: int, regions: bool = False) -> dict[str, Any]:
        """The states alone, without their rows."""
        states: dict[str, Any] = {}
        for _ in range(count):
            name = self.name(self.letter)
            path = f"{prefix}.{name}" if prefix else name
            kind = "atomic"
            if depth and (regions or self.dice.chance(35)):
                kind = "parallel" if not regions and self.dice.chance(35) else "compound"
                if regions and self.dice.chance(25):
                    kind = "atomic"
            self.note(path, kind)
            state: dict[str, Any] = {}
            if kind == "compound":
                state["states"] = self.outline(path, 1 + self.dice.below(3), depth - 1)
                state["initial"] = next(iter(state["states"]))
                self.add_pseudo(state, path)
            elif kind == "parallel":
                state["parallel"] = True
                state["states"] = self.outline(path, 2, depth - 1, regions=True)
            if self.strict and self.dice.chance(25):
                state["must_finish"] = True
            states[name] = state
        return states

    def add_pseudo(self, state: dict[str, Any], path: str) -> None:
        if self.dice.chance(60):
            for _ in range(self.dice.pick([1, 1, 2])):
                name = self.name("f")
                state["states"][name] = {"final": True}
                self.note(f"{path}.{name}", "final")
        if self.dice.chance(30):
            name = self.name("h")
            state["states"][name] = {"history": self.dice.pick(["shallow", "deep"]), "initial": state["initial"]}
            self.note(f"{path}.{name}", "history")

    def ending(self) -> dict[str, Any]:
        if self.dice.chance(25):
            inner = {"e0": {"entry": ["delete_room"], "on": {"done": "e1"}}, "e1": {"final": True}}
            return {"entry": [{"say": "Goodbye."}], "initial": "e0", "states": inner, "on": {"done": "closed"}}
        return {"entry": ["hang_up"], "on": {"done": "closed"}}

    def each(self, states: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for name, state in states.items():
            path = f"{prefix}.{name}" if prefix else name
            found.append((path, state))
            found += self.each(state.get("states", {}), path)
        return found

    # -- rows ----------------------------------------------------------------------------------------------------

    def furnish(self, state: dict[str, Any], path: str, top: bool = False) -> None:
        dice = self.dice
        final = self.kinds.get(path) == "final"
        if path.startswith("ending") or path == "closed":
            if dice.chance(20) and not final:
                state["on"] = self.rows(path) | state.get("on", {})
        elif self.bare:
            on = {name: {"target": self.target(path)} for name in dice.some(60, 3, lambda: dice.pick(PATTERNS))}
            if on and not final:
                state["on"] = on
        else:
            if not top:
                self.add_lists(state, final)
            if not final:
                self.add_events(state, path, top)
                self.add_always(state, path, top)
                self.add_timers(state, path)

    def add_lists(self, state: dict[str, Any], final: bool) -> None:
        if self.dice.chance(40):
            state["entry"] = self.actions(3)
        if self.dice.chance(20) and not final:
            state["exit"] = self.actions(2)

    def add_events(self, state: dict[str, Any], path: str, top: bool) -> None:
        dice = self.dice
        on = self.rows(path)
        if not top and dice.chance(35):
            on["done"] = self.transitions(path)
        elif "flow" in state:
            on["done"] = {"do": [{"set": {"x": "{{ event.returns.r }}"}}]}
        if dice.chance(20):
            on["failed"] = self.transitions(path)
        if on:
            state["on"] = on
        if not top and dice.chance(30):
            look, file = ("seek", "sort") if self.letter == "p" else ("look", "file")
            state["tools"] = dice.pick([[look], [file], [look, file]])
        if not top and dice.chance(10):
            ignored = [name for name in dict.fromkeys(dice.some(60, 2, lambda: dice.pick(PATTERNS))) if name not in on]
            if ignored:
                state["ignore"] = ignored

    def add_always(self, state: dict[str, Any], path: str, top: bool) -> None:
        if not top and self.dice.chance(8):
            state["always"] = [self.transition(path, guard=True)]

    def add_timers(self, state: dict[str, Any], path: str) -> None:
        if not self.timed:
            return
        for kind, times in (("after", ("5s", "8s")), ("every", ("4s", "6s")), ("silence", ("3s", "7s"))):
            count = self.dice.pick([0, 0, 0, 0, 0, 1, 1, 2])
            rows = {self.dice.pick(times): self.transitions(path) for _ in range(count)}
            if rows:
                state[kind] = rows

    def rows(self, path: str) -> dict[str, Any]:
        names = dict.fromkeys(self.dice.some(45, 3, lambda: self.dice.pick(PATTERNS)))
        return {name: self.transitions(path) for name in names}

    def transitions(self, path: str) -> Any:
        if self.dice.chance(30):
            return [self.transition(path, guard=True), self.transition(path)]
        return self.transition(path)

    def transition(self, path: str, guard: bool = False) -> dict[str, Any]:
        dice = self.dice
        row: dict[str, Any] = {}
        if dice.chance(75):
            row["target"] = self.target(path)
            if dice.chance(20):
                row["reenter"] = True
        if guard or dice.chance(15):
            row["when"] = dice.pick(GUARDS)
        if "target" not in row or dice.chance(35):
            row["do"] = self.actions(2)
        return row

    def target(self, path: str) -> str:
        targets = [other for other in self.paths if not self.apart(path, other)]
        histories = [other for other in targets if self.kinds[other] == "history"]
        return self.dice.pick(histories if histories and self.dice.chance(15) else targets)

    def apart(self, one: str, other: str) -> bool:
        a, b = one.split("."), other.split(".")
        shared = 0
        while shared < min(len(a), len(b)) and a[shared] == b[shared]:
            shared += 1
        return shared < min(len(a), len(b)) and self.kinds.get(".".join(a[:shared])) == "parallel"

    def actions(self, most: int) -> list[Any]:
        made = [self.action() for _ in range(1 + self.dice.below(most))]
        return [one for one in made if one != "aclose"] + ["aclose"] * ("aclose" in made)  # no speech after it

    def action(self) -> Any:
        dice = self.dice
        kind = dice.below(12 if self.rich else 8)
        match kind:
            case 0 | 1:
                return {"set": {dice.pick(["x", "y"]): dice.pick(VALUES)}}
            case 2:
                return {"emit": dice.pick(APP)}
            case 3:
                return {"outcome": dice.pick(OUTCOMES)} if dice.chance(50) else {"log": "here"}
            case 4 | 5:
                return {"say": dice.pick(SAYS)}
            case 6:
                return {"http": "https://crm.example/"}
            case 7:
                return {"http": {"url": "https://crm.example/", "optional": True}}
            case 8:
                return {"say": {"text": dice.pick(SAYS), "wait": False}}
        return dice.pick([
            {"dial": {"to": "+15551234567", "trunk": "ST_1", "leg": dice.pick(["human", "far_end"])}},
            {"transfer": "+15551234568"},
            {"collect_digits": {"count": 1, "terminator": dice.pick(["#", "*"])}},
            {"detect_machine": {}},
            {"play": {"file": "music.wav", "loop": True}},
            {"tag": {"tags": ["late"], "optional": True}},
            "aclose",
            "delete_room",
        ])  # fmt: skip

    # -- every state has a way in --------------------------------------------------------------------------------

    def give_ways_in(self, data: dict[str, Any], event: str) -> None:
        """The loader refuses a state that nothing leads to: those are reached by this event."""
        states = dict(self.each(data["states"], ""))
        reached: set[str] = set()
        enter(states, reached, data["initial"])
        follow(states, reached, data)
        if self.standard:
            enter(states, reached, "ending")
        for path in self.paths:
            if path not in reached and self.kinds[path] != "history":
                row = {"target": path, "when": f"event.n == {self.paths.index(path)}"}
                data.setdefault("on", {}).setdefault(event, []).append(row)
                data["events"][event] = {"n": "integer"}
                enter(states, reached, path)


def enter(states: dict[str, Any], reached: set[str], path: str) -> None:
    """`path` can be entered, and so can what is around it, what it begins with and what it leads to."""
    if path in reached or path not in states:
        return
    reached.add(path)
    state = states[path]
    parent = path.rpartition(".")[0]
    enter(states, reached, parent)
    if "history" in state:
        enter(states, reached, f"{parent}.{state['initial']}")
    elif state.get("parallel"):
        for name in state["states"]:
            enter(states, reached, f"{path}.{name}")
    elif "initial" in state:
        enter(states, reached, f"{path}.{state['initial']}")
    follow(states, reached, state)


def follow(states: dict[str, Any], reached: set[str], state: dict[str, Any]) -> None:
    groups = [state.get("always", [])]
    for key in ("on", "after", "every", "silence"):
        groups += state.get(key, {}).values()
    for group in groups:
        for row in group if isinstance(group, list) else [group]:
            target = row.get("target") if isinstance(row, dict) else row
            if target:
                enter(states, reached, target)


def flow_text(dice: Dice, safe: bool = False) -> str:
    """A whole flow file, with its sub-flow's behind it; a `safe` one has the standard parts and nothing that must finish,
    so that it always ends."""
    maker = FlowMaker(dice, safe)
    data = maker.make()
    return as_text(data) + (PART + as_text(maker.make_part()) if "use" in data else "")


def as_text(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, width=110, default_flow_style=None)
