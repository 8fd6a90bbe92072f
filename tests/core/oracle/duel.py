"""The oracle and the core side by side: the same script for both, everything compared after every input.

A script is a list of lines, so that a counter-example is a test at once:

    app.a                       an event          3 ok                       effect 3 has ended
    app.goto n=4                with a payload    3 dial.busy                with its named result
    tool.help during 2          called in speech 2
    tool.help back 3            offered three inputs ago
    wait 1.5                    seconds pass      timer (late 2)             the next timer comes due
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import callflow
from callflow.core.actions import VERBS
from callflow.core.codec import from_json, to_json
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import ROOT, Flow
from callflow.core.key import key
from callflow.core.snapshot import Cancel, Forward, Snapshot, Start, Step
from callflow.core.step import start, step
from tests.core.oracle import elsewhere
from tests.core.oracle.generate import APP, PART, Dice
from tests.core.oracle.interpreter import Fired, Oracle, Report
from tests.core.oracle.structure import leaves

EPOCH = 1000.0


class Duel:
    """One call, twice."""

    def __init__(self, flow: Flow, text: str = "") -> None:
        self.flow = flow
        self.text = text
        self.time = EPOCH
        self.script: list[str] = []
        self.oracle = Oracle(flow)
        report = self.oracle.start(self.time)
        self.last = start(flow, time=self.time)
        self.verbs: dict[int, str] = {}
        self.legs: dict[int, str | None] = {}
        self.over: set[int] = set()
        self.were_active = [self.last.snapshot.configuration]
        self.compare(report, self.last)

    # -- inputs --------------------------------------------------------------------------------------------------

    def play(self, lines: list[str]) -> Duel:
        for line in lines:
            self.do(line)
        return self

    def do(self, line: str) -> None:
        self.script.append(line)
        first, *rest = line.split()
        if first == "wait":
            self.time += float(rest[0])
        elif first == "timer":
            self.fire(float(rest[1]) if rest else 0.0)
        elif first.isdigit():
            self.end(int(first), rest[0])
        else:
            effect = int(rest[1]) if rest[:1] == ["during"] else None
            offered_in = self.were_active[-1 - int(rest[1])] if rest[:1] == ["back"] else None
            pairs = (word.split("=") for word in rest if "=" in word)
            data = {name: int(value) if value.isdigit() else value for name, value in pairs}
            self.put(Event(first, data, self.time, effect=effect, offered_in=offered_in))

    def end(self, effect: int, how: str) -> None:
        if "." in how:
            if how not in self.results(effect):
                raise ValueError(f"{how} is no result of effect {effect}")
            result = {"result": how.partition(".")[2], "leg": self.legs[effect]}
            if how == "dtmf.input":
                result["ended_by"] = "count"
            self.put(EffectEnded(effect, "ok", result, None, self.time))
        else:
            self.put(EffectEnded(effect, how, {}, None, self.time))  # type: ignore[arg-type]

    def fire(self, late: float) -> None:
        timer = self.oracle.due_next()
        assert timer is not None
        self.time = max(self.time, timer.due) + late
        live = next(
            one
            for one in self.last.snapshot.memory.timers
            if (one.kind, one.state, one.row) == (timer.kind, timer.state, timer.row)
        )
        report = self.oracle.take(Fired(timer.kind, timer.state, timer.row, self.time))
        self.advance(TimerFired(live.generation, self.time), report)

    def put(self, event: Event | EffectEnded) -> None:
        self.advance(event, self.oracle.take(event))

    def advance(self, event: Event | EffectEnded | TimerFired, report: Report) -> None:
        if isinstance(event, EffectEnded):
            self.over.add(event.id)
        before = self.last.snapshot
        self.last = step(self.flow, before, event)
        self.were_active.append(self.last.snapshot.configuration)
        self.compare(report, self.last)
        self.check(before, event)

    # -- comparing -----------------------------------------------------------------------------------------------

    def compare(self, report: Report, found: Step) -> None:
        starts = [one for one in found.effects if isinstance(one, Start)]
        cancels = [one for one in found.effects if isinstance(one, Cancel)]
        oracle, memory = self.oracle, found.snapshot.memory
        pairs: dict[str, tuple[Any, Any]] = {
            "moves": (
                [(one.transitions, one.exited, one.entered) for one in report.moves],
                [(one.transitions, one.exited, one.entered) for one in found.moves],
            ),
            "started": (
                [(one.id, one.verb, one.arguments) for one in report.started],
                [(one.id, one.verb, dict(one.arguments)) for one in starts],
            ),
            "cancelled": (sorted(report.cancelled), sorted(one.id for one in cancels)),
            "forwarded": (report.forwarded, [one.id for one in found.effects if isinstance(one, Forward)]),
            "phase": (oracle.phase, memory.phase),
            "configuration": (tuple(leaves(self.flow, oracle.active)), found.snapshot.configuration),
            "vars": (
                {scope: values for scope, values in oracle.vars.items() if scope == ROOT or scope in oracle.active},
                {
                    scope: dict(values)
                    for scope, values in memory.vars.items()
                    if scope == ROOT or scope in oracle.active
                },
            ),
            "outcome": (oracle.outcome, memory.outcome),
            "kept": ([one.event.name for one in oracle.kept], [one.name for one in memory.kept]),
            "timers": (
                sorted((one.kind, one.state, one.row, round(one.due, 6)) for one in oracle.timers),
                sorted((one.kind, one.state, one.row, round(one.due, 6)) for one in memory.timers),
            ),
            "next": (
                None if (due := oracle.due_next()) is None else (due.kind, due.state, due.row),
                next(((one.kind, one.state, one.row) for one in memory.timers), None),
            ),
            "effects": (sorted(oracle.effects), sorted(memory.effects)),
            # The core counts only where some guard or template asks.
            "visits": ({name: oracle.visits.get(name, 0) for name in memory.visits}, dict(memory.visits)),
        }
        wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        if wrong:
            lines = [
                f"{name}:\n    rules {str(ours)[-600:]}\n    core  {str(theirs)[-600:]}"
                for name, (ours, theirs) in wrong.items()
            ]
            raise AssertionError(f"{self.text}\nscript: {self.script!r}\n" + "\n".join(lines))
        for one in starts:
            self.verbs[one.id] = one.verb
            self.legs[one.id] = one.arguments.get("leg")
        self.over.update(one.id for one in cancels)

    def check(self, before: Snapshot, event: Event | EffectEnded | TimerFired) -> None:
        """What holds of every step, whatever the rules say of it."""
        # A snapshot survives JSON, and a call that is taken up from there goes on in the same way.
        data = json.loads(json.dumps(to_json(self.flow, before)))
        taken_up = from_json(self.flow, data)
        assert hash(taken_up) == hash(before) == hash(pickle.loads(pickle.dumps(before)))
        self.same(step(self.flow, taken_up, event))
        # So does one that is the same but for its time and its numbers: that is what a key is.
        moved = elsewhere.snapshot(before)
        assert key(moved, self.time + elsewhere.LATER) == key(before, self.time)
        there = step(self.flow, moved, elsewhere.happens(event))
        assert there.moves == self.last.moves
        assert [_nameless(one) for one in there.effects] == [_nameless(one) for one in self.last.effects]
        assert key(there.snapshot, self.time + elsewhere.LATER) == key(self.last.snapshot, self.time)
        # A timer that is not live any more changes nothing.
        snapshot = self.last.snapshot
        live = {timer.generation for timer in snapshot.memory.timers}
        for timer in before.memory.timers:
            if timer.generation not in live:
                self.nothing(TimerFired(timer.generation, self.time))
        if snapshot.ended:
            self.check_ended()

    def same(self, other: Step, ours: Step | None = None) -> None:
        ours = ours or self.last
        for name in ("snapshot", "effects", "moves"):
            assert getattr(other, name) == getattr(ours, name), f"{self.text}\nscript: {self.script!r}: {name}"

    def nothing(self, event: Event | EffectEnded | TimerFired) -> None:
        found = step(self.flow, self.last.snapshot, event)
        assert found.snapshot == self.last.snapshot
        assert (found.effects, found.moves) == ((), ())

    def check_ended(self) -> None:
        """Every effect that was started has ended or was cancelled, and nothing changes any more."""
        assert not self.last.snapshot.memory.effects
        assert not self.last.snapshot.memory.timers
        assert self.verbs.keys() == self.over, f"never ended, never cancelled: {self.verbs.keys() - self.over}"
        for event in (
            Event("app.a", {}, self.time),
            EffectEnded(1, "ok", {}, None, self.time),
            TimerFired(1, self.time),
        ):
            self.nothing(event)

    # -- random scripts ------------------------------------------------------------------------------------------

    def wander(self, dice: Dice, most: int) -> None:
        for _ in range(most):
            if self.oracle.phase == "ended":
                return
            self.do(self.choose(dice))

    def choose(self, dice: Dice) -> str:
        oracle = self.oracle
        running = [one.id for one in oracle.effects.values() if one.stopping is None]
        stopping = [one.id for one in oracle.effects.values() if one.stopping is not None]
        due = oracle.due_next()
        what = dice.below(12)
        apt = self.apt_event(dice, running)
        if apt is not None and dice.chance(25):
            return apt
        if what in (9, 10) and due is not None:
            return dice.pick(["timer", "timer", "timer", "timer late 0.5", "timer late 9"])
        if what == 11:
            return f"wait {dice.pick([1.0, 0.5, 2.5, 5.0])}"
        if what == 8 and stopping:
            number = dice.pick(stopping)
            return f"{number} {dice.pick(['cancelled', 'cancelled', 'ok', 'failed', *self.results(number)[:1]])}"
        if what >= 4 and running:
            number = dice.pick(running)
            results = self.results(number)
            hows = [*results, "timed_out", "failed"] if results else ["ok", "ok", "ok", "failed", "timed_out"]
            return f"{number} {dice.pick(hows)}"
        return self.any_event(dice)

    def results(self, number: int) -> list[str]:
        verb = VERBS.get(self.verbs[number])
        return [] if verb is None else list(verb.results)

    def apt_event(self, dice: Dice, running: list[int]) -> str | None:
        """An event that meets what runs now."""
        verbs = {self.verbs[number]: number for number in running}
        apt = [f"tool.help during {verbs[verb]}" for verb in ("say", "play") if verb in verbs]
        apt += (
            ["call.hangup"] * ("transfer" in verbs and not self.oracle.held)
            + ["dtmf.1"] * ("collect_digits" in verbs)
            + ["dtmf.pound"] * (self.oracle.needless is not None)
        )
        return dice.pick(apt) if apt else None

    def any_event(self, dice: Dice) -> str:
        ways = [
            row for state in self.flow.states.values() for row in state.rows if row.pattern in ("app.goto", "app.way")
        ]
        if ways and dice.chance(25):
            row = dice.pick(ways)
            number = dice.pick(
                [one.guard.source.rpartition(" ")[2] for one in row.transitions if one.guard is not None]
            )
            return f"{row.pattern} n={number}"
        if dice.chance(15):
            return f"tool.{dice.pick([*self.flow.tools])} back {dice.below(min(len(self.were_active), 6))}"
        hangup = "call.dropped" if self.oracle.held else "call.hangup"  # a leg hangs up once
        return dice.pick([
            *APP, *APP, "tool.help", "tool.help", "tool.help", "dtmf.1", "dtmf.pound", hangup, "call.dropped", "call.restored", "room.reconnecting", "room.reconnected",
            "session.close", "room.disconnected", "job.shutdown",
            "session.user_state_changed new_state=speaking", "session.user_state_changed new_state=listening",
            "session.agent_state_changed new_state=speaking", "session.agent_state_changed new_state=listening",
            "session.user_input_transcribed", "room.token_refreshed", "room.track_muted leg=far_end muted=1",
            "room.track_unmuted leg=far_end muted=0", "room.track_muted leg=human muted=1", "room.track_muted leg=far_end muted=0", "dial.busy", "unheard_of",
        ])  # fmt: skip


def _nameless(effect: Start | Cancel | Forward) -> Any:
    """An effect without its number, and without the time of the event that it is told."""
    return (
        effect._replace(event=effect.event._replace(time=0.0), id=0)
        if isinstance(effect, Forward)
        else effect._replace(id=0)
    )


def load(text: str) -> Flow:
    """The flow in a text; its sub-flow, if it has one, stands behind PART."""
    main, _, part = text.partition(PART)
    if not part:
        return callflow.loads(main, check=False)
    with TemporaryDirectory() as folder:
        (Path(folder) / "part.yaml").write_text(part)
        return callflow.loads(main, folder=folder, check=False)
