"""A recorded call as a scenario: what happened in it, with made-up values for those that the journal hides, and what came of it.

It takes the same way on the flow of then: as a person would write it where that does, or else with every input at its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from callflow.core.events import CALL_FIELDS, KEYS, EffectEnded, Event, Input
from callflow.core.expressions import INTEGER, Type
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.core.step import start, step
from callflow.errors import CallflowError, JournalError, StartError
from callflow.journal.comparing import Compared
from callflow.journal.inputs import Inputs
from callflow.journal.madeup import MadeUp, examples_of
from callflow.journal.readable import Course, readable
from callflow.journal.reading import Line, Recorded
from callflow.journal.replaying import followed
from callflow.runtime.record import utc
from callflow.scenario import Impossible, Scenario, from_inputs, play
from callflow.scenario.call import Call, Unending
from callflow.scenario.model import Conditions, Ended, Expects

MOST_TRIES = 400
"""How often a call is played to find values with which it takes its way."""


_KEYS = frozenset({"digit", "digits"})
"""Fields that hold keys: whatever is made up for them is digits."""


class Incident(NamedTuple):
    """The scenario, and what is to be known of it."""

    scenario: Scenario
    remarks: tuple[str, ...] = ()


def incident(flow: Flow, recorded: Recorded, *, exactly: bool = False) -> Incident:
    """The scenario of a recorded call, which passes on this flow; with `exactly` every input at its time. Raises JournalError where the
    flow is not that of then, or where no scenario can hold the call."""
    for one in followed(flow, recorded):
        if one.difference is not None:
            raise JournalError(
                f"{recorded.path}:{one.number}: {flow.file} makes something else of this call from here on: name the flow of then with --flow"
            )
    if len(recorded.lines) < 2:
        raise JournalError(f"{recorded.path}: nothing has happened in this call yet")
    course = _Search(flow, recorded).course()
    try:
        whole = _exact(flow, recorded, course)
    except (Impossible, Unending, StartError) as error:
        raise JournalError(f"{recorded.path}: no scenario can hold this call: {error}") from None
    if exactly:
        return Incident(whole)
    return Incident(next(_fitting(whole, course), whole))


def _exact(flow: Flow, recorded: Recorded, course: Course) -> Scenario:
    """Every input at its time."""
    head = recorded.head
    made = from_inputs(
        flow,
        course.inputs,
        name=f"call {head['call']}",
        description=f"What happened in a call of {utc(head['time'])}. Private values are made up.",
        vars=course.vars,
        env=course.env,
        call=course.call,
        start=head["time"],
        waiting=head["waiting"],
    )
    *steps, last = made.steps
    expected = _expected(flow, course, head)
    if expected.outcome is None:  # the journal ends before the call
        made = evolve(made, steps=[*steps, last._replace(act=Expects(expected))])
    else:
        made = evolve(made, steps=steps, expect=expected)
    failure = play(made).failure
    if failure is not None:
        raise Impossible(failure.message)
    return made


def _fitting(whole: Scenario, course: Course) -> Iterator[Scenario]:
    """Those shorter ones that take the same way, the shortest first."""
    for shorter in readable(whole, course):
        result = play(shorter)
        if result.passed and [path for one in result.taken for path in one.step.entered] == course.entered:
            yield shorter


def _expected(flow: Flow, course: Course, head: Line) -> Conditions:
    """The states in their order, the outcome, and how the call has ended."""
    call = Call(flow, course.vars, time=head["time"], env=course.env, call=course.call, waiting=head["waiting"])
    for entry in course.inputs:
        call.take(entry)
    record = call.record()
    leaves = [path for path in course.entered if path and not flow.states[path].children]
    if not call.snapshot.ended:
        return Conditions(state=call.snapshot.configuration)
    return Conditions(states=leaves, outcome=record.outcome, ended=Ended(by=record.cause.by, event=record.cause.event))


class _Search:
    """Looks for values with which a call takes the way that it took, though nobody says what its guards have said."""

    def __init__(self, flow: Flow, recorded: Recorded) -> None:
        self._flow, self._recorded = flow, recorded
        self._compared = Compared(flow, recorded.head)
        self._values = MadeUp(flow)
        self._tries = 0
        self._seen: list[tuple[int, str]] = []  # the digests, by the line that they first stand in
        self._learn()

    def course(self) -> Course:
        """Raises JournalError where there are none."""
        best, course, why = self._play()
        while course is None:
            better = self._better(best)
            if better is None:
                line = f"{self._recorded.path}:{best + 2}"
                raise JournalError(
                    f"{line}: the call hangs on a private value here, and none that was made up takes the same way ({why})"
                )
            best, course, why = better
        return course

    def _better(self, best: int) -> tuple[int, Course | None, str] | None:
        """With one digest chosen otherwise: further than before."""
        for _, digest in reversed([one for one in self._seen if one[0] <= best]):
            before = self._values.chosen.get(digest, 0)
            for other in range(len(self._values.candidates(digest))):
                if other == before or self._tries > MOST_TRIES:
                    continue
                self._values.chosen[digest] = other
                found = self._play()
                if found[1] is not None or found[0] > best:
                    return found
            self._values.chosen[digest] = before
        return None

    def _learn(self) -> None:
        head, flow, inputs = self._recorded.head, self._flow, Inputs(self._flow)
        variables = flow.scopes[""].variables
        for name, value in head["vars"].items():
            self._note(0, value, variables[name].type if name in variables else None)
        self._note(0, head["env"])
        self._note(0, head["facts"])
        for number, line in enumerate(self._recorded.lines):
            for name, value in line.get("data", {}).items():
                event = line["event"]
                kind = INTEGER if name in _KEYS else inputs.types_of(event).get(name)
                self._note(number, value, kind, examples_of(flow, event).get(name, ()))
            for start_ in line.get("start", ()):
                inputs.started[start_["id"]] = Start(start_["id"], start_["verb"], start_["arguments"], None)
            if "result" in line:
                types = inputs.result_types(line)
                for name, value in line["result"].items():
                    self._note(number, value, INTEGER if name in _KEYS else types.get(name))
            for text in (line.get("error"), line.get("id")):
                self._note(number, text)

    def _note(self, number: int, value: Any, kind: Type | None = None, examples: Sequence[Any] = ()) -> None:
        known = {digest for _, digest in self._seen}
        self._seen += [
            (number, digest)
            for digest in dict.fromkeys(self._values.learn(value, kind, examples))
            if digest not in known
        ]

    def _play(self) -> tuple[int, Course | None, str]:
        """How many lines come out as they were; all of the call where all do, else why not."""
        self._tries += 1
        head, flow, made = self._recorded.head, self._flow, self._values
        variables = flow.scopes[""].variables
        facts = {name: value for name, value in made.made(head["facts"]).items() if name in CALL_FIELDS}
        values = {
            name: made.made(value, variables[name].type if name in variables else None)
            for name, value in head["vars"].items()
        }
        env = {name: str(value) for name, value in made.made(head["env"]).items()}
        inputs, taken, entries = Inputs(flow), list[Step](), list[Input]()
        for number, line in enumerate(self._recorded.lines):
            try:
                if number == 0:
                    done = start(flow, values, time=head["time"], env=env, call=facts, waiting=head["waiting"])
                else:
                    entry = self._input(inputs, line, taken[-1])
                    entries.append(entry)
                    done = step(flow, taken[-1].snapshot, entry)
            except CallflowError as error:
                return number, None, str(error)
            difference = self._compared.difference(line, done)
            if difference is not None:
                return number, None, f"`{difference.key}` comes out differently"
            taken.append(done)
            for effect in done.effects:
                if isinstance(effect, Start):
                    inputs.started[effect.id] = effect
        return len(taken), Course(values, env, facts, entries, taken), ""

    def _input(self, inputs: Inputs, line: Line, before: Step) -> Input:
        made = self._values
        entry = inputs.read(line, before.snapshot)
        if isinstance(entry, Event):
            types = inputs.types_of(entry.name)
            data = {name: made.made(value, types.get(name)) for name, value in line.get("data", {}).items()}
            if entry.name != line["event"] and "digit" in data:
                data["digit"] = _sign(entry.name)
            return entry._replace(data=data, id=made.made(entry.id))
        if isinstance(entry, EffectEnded):
            types = inputs.result_types(line)
            result = {name: made.made(value, types.get(name)) for name, value in line.get("result", {}).items()}
            return entry._replace(result=result, error=made.made(entry.error))
        return entry


def _sign(event: str) -> str:
    key = event.rpartition(".")[2]
    return {name: sign for sign, name in KEYS.items()}.get(key, key)
