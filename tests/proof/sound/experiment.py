"""One flow: what is proved of it, and many of its calls, which must never do what was proved impossible."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.flow import Flow
from callflow.core.snapshot import Note, Start
from callflow.proof.begin import first_steps
from callflow.proof.ending import EndingState
from callflow.proof.findings.silence import MOST_ALONE, MOST_QUIET, MOST_RINGING, bounds
from callflow.proof.prove import Proof, prove
from tests.proof.sound.calls import Call, Moved, play
from tests.proof.sound.ears import Ears
from tests.proof.sound.flows import flow_of
from tests.proof.sound.held import Held, Known, goes_round

LATE = 1.0
"""Seconds by which a bound may be missed: bounds are told in whole seconds."""

BUDGET = 150_000
BUDGET_AT_RANDOM = 8_000
"""Steps of a proof; of flows that were made at random many are endless, and others are as good."""

MOST_TOLD = 3


class Tried(NamedTuple):
    """A flow with what its calls have done. `problems`: what was proved impossible, and has happened. `exact`: the share of steps after which
    a call stood in a situation of the proof's, silences and voices included. `beyond`: calls that were not followed to their end.
    `quiet`, `after`: the bounds that are told, of silence and of a call after a hang-up, each with the worst that was seen."""

    name: str
    why: str = ""
    calls: int = 0
    steps: int = 0
    exact: float = 1.0
    beyond: int = 0
    problems: tuple[str, ...] = ()
    quiet: tuple[int, float] = (0, 0.0)
    after: tuple[int, float] = (0, 0.0)
    codes: tuple[str, ...] = ()


def tried(name: str, calls: int, seed: int = 0) -> Tried:
    """So many calls of this flow, from this seed on."""
    flow = flow_of(name)
    if flow is None:
        return Tried(name, "refused")
    proof = prove(flow, budget=BUDGET_AT_RANDOM if name.startswith(("random", "around", "odd")) else BUDGET)
    if not proof.finished:
        return Tried(name, "not finished")
    return played(name, flow, proof, calls, seed)


def played(name: str, flow: Flow, proof: Proof, calls: int, seed: int) -> Tried:
    """The same of a flow that was proved."""
    known, claims, first = Known(proof), Claims(flow, proof), first_steps(flow)
    problems: list[str] = []
    steps = loosely = beyond = 0
    silence = after = 0.0
    for number in range(seed, seed + calls):
        dice = random.Random(f"{name} {number}")
        call = Call(flow, dice.choice(first))
        held, ears = Held(known, call), Ears(call)

        def passes(call: Call, until: float, held: Held = held, ears: Ears = ears) -> None:
            held.passes(call, until)
            ears.passes(until)

        def look(call: Call, moved: Moved, held: Held = held, ears: Ears = ears) -> None:
            held.look(call, moved)
            ears.look(moved)
            claims.look(call, moved)

        play(call, dice, passes, look)
        steps, loosely, beyond = steps + len(call.moved), loosely + held.loosely, beyond + held.beyond
        silence, after = max(silence, ears.silence), max(after, ears.after_hang_up)
        found = [*filter(None, [held.problem]), *claims.broken(ears)]
        problems += [f"call {number}: {one}" for one in found]
    quiet, alone = bounds(proof.exploration)
    return Tried(
        name, "", calls, steps, 1 - loosely / max(steps, 1), beyond, tuple(problems), (quiet, silence), (alone, after),
        tuple(one.defect.code for one in proof.findings),
    )  # fmt: skip


class Claims:
    """What a proof says, and what it does not tell: each against what the steps of a call do."""

    def __init__(self, flow: Flow, proof: Proof) -> None:
        self.flow = flow
        self.ending = EndingState(flow)
        told = [*proof.findings, *proof.accepted]
        self.codes = {one.defect.code for one in told} | {one.code for one in proof.doubts}
        self.quiet, self.alone = bounds(proof.exploration)
        self.never: dict[tuple[str, int], set[int]] = {}
        for one in (*told, *proof.doubts):
            defect = one if not hasattr(one, "defect") else one.defect
            here_alone = "where somebody is to press a key" in defect.message  # elsewhere it may be taken
            if not here_alone and defect.code in (
                "row-always-beaten",
                "row-never-taken",
                "guard-always-so",
                "action-never-run",
                "never-entered",
            ):
                self.never.setdefault((defect.code, defect.line), set()).add(defect.column)
        self.says = {
            one.defect.line: " always true" in one.defect.message
            for one in told
            if one.defect.code == "guard-always-so"
        }
        self.limits = [state.quiet.seconds for state in flow.states.values() if state.quiet is not None]
        self.seen: list[str] = []

    def look(self, call: Call, moved: Moved) -> None:
        """Looks at a step as it is taken."""
        for note in moved.taken.notes:
            self._look_at_note(call, note)
        if goes_round(call, moved) and not self.codes & {"endless-round", "endless-cycle"} and not self._ends(moved):
            self.seen.append("a round without progress that was not told")
        for number in {number for move in moved.taken.moves for number in move.transitions}:
            row = self.flow.transitions[number]
            if row.position.column in self.never.get(("row-always-beaten", row.position.line), ()):
                self.seen.append(f"the row in line {row.position.line} is taken")
        for path in moved.taken.entered:
            place = self.flow.states[path].position
            if place.column in self.never.get(("never-entered", place.line), ()):
                self.seen.append(f"`{path}` in line {place.line} is entered")
        for one in moved.taken.effects:
            if isinstance(one, Start):
                self._look_at(call, one)

    def _look_at_note(self, call: Call, note: Note) -> None:
        if note.kind == "fault" and "endless cycle" in note.data["error"] and "endless-cycle" not in self.codes:
            self.seen.append(f"a cycle that was not told: {note.data['error']}")
        if note.kind != "guard":
            return
        row = self.flow.transitions[note.data["transition"]]
        says = self.says.get(row.position.line)
        if says is not None and note.data["holds"] is not says and self.ending.asks(row, call.snapshot):
            self.seen.append(f"the guard in line {row.position.line} is {note.data['holds']}")

    def _ends(self, moved: Moved) -> bool:
        return self.flow.ending in moved.taken.snapshot.configuration

    def _look_at(self, call: Call, begun: Start) -> None:
        running = call.snapshot.memory.effects.get(begun.id)
        if running is None or verb_of(begun.verb).last:
            return
        for action in self._written(begun):
            if action.column in self.never.get(("action-never-run", action.line), ()):
                self.seen.append(f"`{begun.verb}` in line {action.line} is begun")

    def _written(self, begun: Start) -> Iterator[object]:
        from callflow.core.statechart.action_lists import action_at

        action = action_at(self.flow, begun.source)
        if action is not None:
            yield action.position

    def broken(self, ears: Ears) -> list[str]:
        """What a call has done that was proved impossible, as it was heard. What follows from something else that was told is not told
        as well: a silence after a dead end."""
        found, self.seen = self.seen, []
        if ears.silence > self.quiet + LATE:
            found.append(f"{ears.where} has heard nothing for {ears.silence:.1f} s, and {self.quiet} s were told")
        if ears.after_hang_up > self.alone + LATE:
            found.append(
                f"the call has gone on for {ears.after_hang_up:.1f} s after a hang-up, and {self.alone} s were told"
            )
        if ears.rings > MOST_RINGING + LATE and not self.codes:
            found.append(f"a telephone has rung for nobody for {ears.rings:.1f} s")
        if ears.after_hang_up > MOST_ALONE + LATE and not self.codes:
            found.append(f"nobody is left for {ears.after_hang_up:.1f} s")
        most = max([MOST_QUIET, *self.limits])
        if ears.silence > most + LATE and not self.codes:
            found.append(f"{ears.where} has heard nothing for {ears.silence:.1f} s, which was not told")
        return found
