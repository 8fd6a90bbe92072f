"""Steps as far as a journal's lines alone tell them: enough for what a record says of a call, and for nothing that needs its flow."""

from __future__ import annotations

from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.snapshot import Cancel, Leg, Memory, Microstep, Note, Running, Snapshot, Start, Step
from callflow.journal.reading import Line

_LEGS = {"answered": "on_line", "restored": "on_line", "dropped": "dropped", "hangup": "gone", "ringing": "ringing"}


class Rebuilt:
    """One call, line by line. `snapshot` is the call after the latest of them, `arguments` are those of what runs, by its id."""

    def __init__(self, head: Line) -> None:
        waiting = bool(head["waiting"]) or head["facts"].get("direction") == "outbound"
        far_end = Leg(MAIN_LEG, "absent" if waiting else "on_line", head["facts"])
        phase: Any = "waiting" if head["waiting"] else "running"
        self.snapshot = Snapshot(
            (), Memory(started=head["time"], call=head["facts"], phase=phase, legs={MAIN_LEG: far_end})
        )
        self.arguments: dict[int, Any] = {}
        self.music: set[str] = set()  # legs on hold that hear some

    def step(self, line: Line) -> Step:
        """The step of the next line."""
        before, entry = self.snapshot.memory, _input(line)
        starts = [Start(one["id"], one["verb"], one["arguments"], one.get("timeout")) for one in line.get("start", ())]
        cancels = [Cancel(number) for number in line.get("cancel", ())]
        notes = tuple(Note(one["kind"], one) for one in line.get("notes", ()))
        moves = tuple(
            Microstep(one["on"], (), tuple(one.get("exited", ())), tuple(one.get("entered", ())))
            for one in line.get("moves", ())
        )
        effects, closed, legs = dict(before.effects), before.closed, dict(before.legs)
        if isinstance(entry, Event):
            _follow_leg(legs, entry)
            if entry.name in ("session.close", "room.disconnected"):
                closed |= {"session" if entry.name == "session.close" else "line"}
        elif isinstance(entry, EffectEnded) and entry.id in effects:
            ended = effects.pop(entry.id)
            given, verb = self.arguments.pop(entry.id, NO_DATA), verb_of(ended.verb)
            if entry.status == "ok" and not ended.stopping:
                closes = {name for name in verb.closes if given.get(name, True)} if verb.forced else verb.closes
                closed |= closes
                if verb.leg_after is not None and verb.leg(given) in legs:
                    leg = verb.leg(given)
                    legs[leg] = legs[leg]._replace(status=verb.leg_after)
                    self.music.discard(leg)
                    if any(verb.sounds(given, afterwards=True)):
                        self.music.add(leg)
        for start in starts:
            self.arguments[start.id] = start.arguments
            effects[start.id] = Running(
                start.id, start.verb, None, None, start.source, line["time"], leg=start.arguments.get("leg")
            )
        for cancel in cancels:
            if cancel.id in effects:
                effects[cancel.id] = effects[cancel.id]._replace(stopping=True)
        said = next((note.data.get("name") for note in notes if note.kind == "outcome"), None)
        broken = next((note.data.get("error") for note in notes if note.kind == "fault"), None)
        memory = before._replace(
            phase=line.get("phase", "running"), effects=effects, closed=closed, legs=legs,
            outcome=before.outcome or said, fault=before.fault or broken,
        )  # fmt: skip
        self.snapshot = Snapshot(tuple(line["states"]), memory)
        return Step(entry, self.snapshot, (*starts, *cancels), moves, notes)


def _input(line: Line) -> Input | None:
    if "event" in line:
        return Event(line["event"], line.get("data", NO_DATA), line["time"])
    if "ended" in line:
        return EffectEnded(
            line["ended"], line.get("status", "ok"), line.get("result", NO_DATA), line.get("error"), line["time"]
        )
    return TimerFired(line["timer"], line["time"]) if "timer" in line else None


def _follow_leg(legs: dict[str, Leg], event: Event) -> None:
    family, _, what = event.name.partition(".")
    leg = MAIN_LEG
    if family == "leg":
        leg, _, what = what.partition(".")
    elif family != "call":
        return
    status: Any = _LEGS.get(what)
    if status is not None:
        legs[leg] = Leg(leg, status, event.data)
