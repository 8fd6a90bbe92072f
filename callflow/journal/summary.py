"""A call in a row of a table, by its journal's lines alone, one after the other: what became of it, and how quiet it was."""

from __future__ import annotations

from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, Event
from callflow.core.snapshot import Step
from callflow.journal.reading import Reading, Recorded
from callflow.journal.rebuilt import Rebuilt
from callflow.runtime.course import Log


class Summary(NamedTuple):
    """A journal in a row. Times are seconds, `began` since the epoch. `cause` and `by` are as a record has them, and empty where the
    journal does not tell what ended the call; `state` is the one in which it was then, or is at the last line. `whole`: the journal goes
    to the end of its call."""

    file: str
    call: str
    flow: str
    digest: str
    began: float
    outcome: str
    cause: str
    by: str
    state: str
    silence: float
    seconds: float
    steps: int
    whole: bool


def summary_of(journal: Reading | Recorded) -> Summary:
    """Of one journal, whose lines it reads. Raises JournalError."""
    head = journal.head
    rebuilt, hearing = Rebuilt(head), Hearing(head["time"])
    log = Log(now=head["time"], told_by="worker")
    number = 0
    for line in journal.lines:
        before, number = rebuilt.snapshot, number + 1
        step = rebuilt.step(line)
        hearing.look(rebuilt, step, max(line["time"], hearing.now))
        log.step(step, before)
    memory, states = rebuilt.snapshot.memory, rebuilt.snapshot.configuration
    cause = log.cause
    return Summary(
        str(journal.path),
        str(head["call"]),
        head["flow"],
        head["digest"],
        head["time"],
        memory.outcome or ("failed" if memory.fault else "none"),
        "" if cause is None else cause.event,
        "" if cause is None else cause.by,
        cause.state if cause is not None else states[-1] if states else "",
        round(hearing.longest, 3),
        round(hearing.now - head["time"], 3),
        number,
        memory.phase == "ended" and not journal.cut,
    )


class Hearing:
    """How long the far end, on the line, has heard nothing and said nothing at most: the times of one call's steps."""

    def __init__(self, began: float) -> None:
        self.now = self._since = began
        self.longest = 0.0
        self._speaks = self._agent = self._quiet = False

    def look(self, rebuilt: Rebuilt, step: Step, now: float) -> None:
        """The next step."""
        self.now = now
        if self._quiet:
            self.longest = max(self.longest, now - self._since)
        if isinstance(step.event, Event):
            new = step.event.data.get("new_state")
            if step.event.name == "session.user_state_changed":
                self._speaks = new == "speaking"
            elif step.event.name == "session.agent_state_changed":
                self._agent = new in ("speaking", "thinking")
        quiet = self._is_quiet(rebuilt)
        if quiet and not self._quiet:
            self._since = now
        self._quiet = quiet

    def _is_quiet(self, rebuilt: Rebuilt) -> bool:
        memory = rebuilt.snapshot.memory
        far_end = memory.legs[MAIN_LEG].status
        if far_end not in ("on_line", "hold") or "line" in memory.closed or memory.phase == "ended":
            return False
        if self._speaks or self._agent:
            return False
        runs = [one for one in memory.effects.values() if not one.stopping]
        on_hold = far_end == "hold"
        held = on_hold or any(verb_of(one.verb).holds_far_end for one in runs)
        others = any(leg.status == "on_line" for name, leg in memory.legs.items() if name != MAIN_LEG)
        if others and not held:
            return False
        given = rebuilt.arguments
        if on_hold and MAIN_LEG in rebuilt.music:
            return False
        return not any(verb_of(one.verb).hears(MAIN_LEG, given.get(one.id, {}), on_hold=on_hold) for one in runs)
