"""The proof of a flow: everything that can happen to its calls, and what of it a person on the line would suffer from."""

from __future__ import annotations

import gc
import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from callflow.core.events import NO_DATA
from callflow.core.flow import ROOT, Flow
from callflow.errors import Defect
from callflow.proof import BUDGET
from callflow.proof.accepting import Accepting
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.finding import Finding, Search, Suspects, noticed
from callflow.proof.findings.dead_ends import no_way_on
from callflow.proof.findings.dialling import Dialled
from callflow.proof.findings.endless import Cycle, Rounds
from callflow.proof.findings.entered import NeverEntered
from callflow.proof.findings.gone import PutThrough
from callflow.proof.findings.goodbyes import GoodbyeAndOn
from callflow.proof.findings.keys import Dead, TooEarly
from callflow.proof.findings.last_words import LastWords
from callflow.proof.findings.machines import Answering, SaidTooSoon
from callflow.proof.findings.model import ModelCut
from callflow.proof.findings.music import SaidOver, music_goes_on
from callflow.proof.findings.outcomes import Early, Unnamed
from callflow.proof.findings.parties import Dropped, LeftAlone, Lone
from callflow.proof.findings.pressing import Unpressed
from callflow.proof.findings.questions import Unanswered
from callflow.proof.findings.rows import Beaten, Decided, NoneHolds, NotDone, Untaken
from callflow.proof.findings.silence import (
    ALONE,
    DEAD_AIR,
    MUSIC,
    NOT_COME,
    QUIET,
    RINGING,
    bounds,
    nobody_left,
    rings_for_nobody,
    slow_tools,
    too_much_music,
    too_quiet,
)
from callflow.proof.findings.speech import Cut, Mute, NeverWhole
from callflow.proof.findings.timers import Behind, CutShort
from callflow.proof.findings.unheard import OnHold, ToAnother
from callflow.proof.findings.unspoken import Unspoken
from callflow.proof.findings.untold import CutOff
from callflow.proof.findings.unused import Lost, NeverBegun, NeverHeard
from callflow.proof.findings.unwritten import Unwritten
from callflow.proof.listening import alone, dead_air, entertained, not_come, rings, unheard
from callflow.proof.node import Exploration, Going, on_and_on
from callflow.proof.proved import Proved, Told
from callflow.proof.way import Way, way_to
from callflow.scenario.telling import tell
from callflow.scenario.writing import body_of, from_inputs

SEARCHES = (
    Dropped,
    Lone,
    LeftAlone,
    Lost,
    Dialled,
    Cut,
    ModelCut,
    Mute,
    PutThrough,
    NeverWhole,
    LastWords,
    Unanswered,
    Unpressed,
    TooEarly,
    Cycle,
    Rounds,
    Beaten,
    Dead,
    Untaken,
    Decided,
)
LOOKS = (no_way_on, rings_for_nobody, nobody_left, too_quiet, slow_tools, too_much_music, music_goes_on)
ASIDES = (
    NoneHolds,
    NotDone,
    NeverBegun,
    NeverHeard,
    NeverEntered,
    Behind,
    CutShort,
    Early,
    CutOff,
    Unwritten,
    OnHold,
    ToAnother,
    SaidOver,
    GoodbyeAndOn,
    Unspoken,
    Answering,
    SaidTooSoon,
    Unnamed,
)
"""What is looked for: at each step, and at all that was found; and what nobody on the line suffers from at once."""

MOST_TRIED = 8
"""How many calls are looked for of one kind of fault in one place."""

LONGEST = 1000
"""Letters of a line of a story: a cycle takes a hundred states in one moment."""


@frozen
class Proof:
    """What was found. `doubts` are what looks wrong in a zone, and what no call was found to show. Where the budget has cut the
    exploration short nothing more is proved than what was covered. `accepted`: what the flow accepts of it; `needless`: what it
    accepts, and no call shows."""

    findings: tuple[Finding, ...]
    doubts: tuple[Defect, ...]
    exploration: Exploration
    budget: int = BUDGET
    accepted: tuple[Finding, ...] = ()
    needless: tuple[Defect, ...] = ()

    @property
    def finished(self) -> bool:
        return self.exploration.finished

    @property
    def proved(self) -> Proved:
        """What of it is told and kept."""
        found = self.exploration
        told, accepted = (
            tuple(Told(one.defect, as_scenario(found.flow, one)) for one in each)
            for each in (self.findings, self.accepted)
        )
        told += tuple(Told(one, "") for one in self.needless)
        return Proved(
            self.budget, len(found.nodes), found.steps, found.left, told, self.doubts, accepted, *bounds(found)
        )


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What an exploration makes stays: Python need not look again and again for what of it nobody holds."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_nothing_collected()
def prove(flow: Flow, *, budget: int = BUDGET, going: Going = on_and_on) -> Proof:
    """Explores a flow, and tells what it finds, what a caller would suffer from most first. `going` may end it early.

    What follows from one fault is told once: of the states of which something worse was told nothing more is. What is accepted hides
    nothing else.
    """
    first = first_steps(flow)
    timed = {
        QUIET: unheard(flow),
        DEAD_AIR: dead_air(flow),
        MUSIC: entertained(flow),
        ALONE: alone(flow),
        NOT_COME: not_come(flow),
        RINGING: rings(flow),
    }
    exploration = explore(flow, first, budget=budget, stopwatches=timed, going=going)
    accepting = Accepting(flow)
    found: list[Finding] = []
    accepted: list[Finding] = []
    told: set[str] = set()  # states of which something was told
    allowed: dict[str, set[str]] = {}  # the same of what is accepted, which hides its own kind alone
    doubted: dict[Hashable, list[Defect]] = {}
    for one in _suspects(exploration):
        acceptance = accepting.of(one)
        which = one.defect.code, one.defect.file, one.defect.line
        doubts = doubted.setdefault(which, [])
        known = found if acceptance is None else (*found, *accepted)
        hidden = told if acceptance is None else told | allowed.setdefault(one.defect.code, set())
        if hidden & one.states or any(which == other.which for other in known) or len(doubts) >= MOST_TRIED:
            continue
        way = way_to(flow, first, one.node, one.more)
        if way is None:
            doubts.append(one.defect if acceptance is None else one.defect._replace(accepted=acceptance.reason))
            continue
        story = (*told_by(flow, way), *filter(None, (one.after,)))
        if acceptance is None:
            told |= one.states
            found.append(Finding(one.defect._replace(story=story), way))
        else:
            allowed[one.defect.code] |= one.states
            accepted.append(Finding(one.defect._replace(story=story, accepted=acceptance.reason), way))
    shown = {one.which for one in (*found, *accepted)}
    doubtful = ([one for one in doubts if not one.accepted] for which, doubts in doubted.items() if which not in shown)
    return Proof(
        tuple(found),
        tuple(doubts[0] for doubts in doubtful if doubts),
        exploration,
        budget,
        tuple(accepted),
        tuple(accepting.for_nothing()) if exploration.finished else (),
    )


def told_by(flow: Flow, way: Way) -> list[str]:
    """The story of a call, as a person tells it."""
    told = tell(flow, way.inputs, **_begun(flow, way))
    told = folded(told)
    return [line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} … {line[-LONGEST // 4 :]}" for line in told]


def folded(told: Sequence[str]) -> list[str]:
    """Without what is told for the third time and more of two things that take turns."""
    shapes = [re.sub(r"[\d.]+ s", "", line) for line in told]
    again = [n > 3 and shapes[n] == shapes[n - 2] == shapes[n - 4] for n in range(len(shapes))]
    left = []
    for number, line in enumerate(told):
        if not again[number]:
            left.append(line)
        elif not again[number - 1]:
            left.append("And so on.")
    return left


def as_scenario(flow: Flow, finding: Finding) -> str:
    """The body of a scenario that plays the call; empty where none can be written: a value is too long, or no text."""
    try:
        return body_of(
            from_inputs(
                flow, finding.way.inputs, description=finding.defect.message, states=True, **_begun(flow, finding.way)
            )
        )
    except ValueError:
        return ""


def _begun(flow: Flow, way: Way) -> dict[str, Any]:
    """With what the call begins."""
    first = way.steps[0].snapshot.memory
    return {
        "vars": first.vars.get(ROOT, NO_DATA),
        "env": first.env,
        "call": first.call,
        "start": first.started,
        "waiting": not flow.outbound,
    }


def _suspects(exploration: Exploration) -> Suspects:
    searches: list[Search[Any]] = [kind(exploration.flow) for kind in (*SEARCHES, *ASIDES)]
    seen = [*zip(searches, noticed(exploration, searches), strict=True)]
    for one, its in seen[: len(SEARCHES)]:
        yield from one.found(exploration, its)
    for look in LOOKS:
        yield from look(exploration)
    for one, its in seen[len(SEARCHES) :]:
        yield from one.found(exploration, its)
