"""Which mutants are no fault, but what another author might want: three rules, and no others. They exempt a quarter of all at most.

- *Wording.* What is said, how often, whether it can be spoken over, and what the model is told is the author's. Flows are the same but for
  the wording if nothing tells them apart once all speech (`say`, `generate_reply`, `play` that ends), `interruptible` and
  `instructions` are out of both, and so is each row that did nothing else, and each one, or guarded branch, before a wider one that now does the same.
- *Targets of equal kind.* A row leads elsewhere, and the state there is of the same kind: of the end (the `ending:`, a final state, one that
  only says something and goes on to one of these), of a conversation with the model, of keys, of a call to somebody, of waiting.
- *Durations within a class.* Something is waited for longer or shorter: less than 10 s, up to 3 minutes, or more. So it is where the limit
  of an action is left out and its default is of the same class, and where a timer that leads to the end is left out, and the call's own limit
  for the same is of that class.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from callflow.core.actions import VERBS, verb_of
from callflow.core.durations import parse_duration
from callflow.core.flow import Flow, State
from callflow.core.statechart.descriptors import matches
from callflow.core.statechart.structure import ends_the_call
from tests.proof.mutants.making import TRANSITIONS, Mutant, is_speech

SHORT, LONG = 10.0, 180.0
LIMITS: Mapping[str, str] = {"after": "call", "silence": "silence"}
DEFAULTS: Mapping[str, str] = {"after": "1h", "silence": "2m"}
"""The limit of the whole call that a timer is like, and what it is where it is not written."""


def intent(mutant: Mutant, data: dict[str, Any], flow: Flow, changed: Flow) -> str | None:
    """The rule by which this is another intent; None where there is none."""
    if worded(data) == worded(mutant.data):
        return "wording"
    if mutant.new and _kind(flow, mutant.old, mutant) == _kind(changed, mutant.new, mutant) is not None:
        return "target"
    bounded = mutant.kind == "timer dropped" and _as_the_call(data, mutant.place)
    return "duration" if bounded or timed(worded(data)) == timed(worded(mutant.data)) else None


# -- wording -----------------------------------------------------------------------------------------------------------


def worded(data: Any, key: str = "") -> Any:
    """A flow's content without its words."""
    if isinstance(data, list):
        made = [worded(one, key) for one in data if not is_speech(one)]
        return _branches(made) if key not in ("entry", "exit", "do", "tools", "wrap_up", "outcomes") else made
    if not isinstance(data, dict):
        return data
    made = {name: worded(one, name) for name, one in data.items() if name not in ("interruptible", "instructions")}
    for name in ("do", "entry", "exit"):
        if made.get(name) == []:
            del made[name]
    if isinstance(made.get("do"), list) and made.keys() <= {"do", "target", "when", "reenter", "description"}:
        made.pop("description", None)
    for name in TRANSITIONS:
        if isinstance(made.get(name), dict):
            rows = {trigger: row for trigger, row in made[name].items() if _does(row)}
            made[name] = {trigger: row for trigger, row in rows.items() if not _is_covered(trigger, row, rows)}
            if not made[name]:
                del made[name]
    return made["target"] if made.keys() == {"target"} else made


def _is_covered(trigger: str, row: Any, rows: dict[str, Any]) -> bool:
    """Whether a pattern beside it does the same."""
    return any(other != trigger and matches(other, trigger) and same == row for other, same in rows.items())


def _does(row: Any) -> bool:
    """Whether a row does anything."""
    return not isinstance(row, dict) or bool(row.keys() & {"target", "do"})


def _branches(branches: list[Any]) -> Any:
    """Branches without those that lead where the next one leads."""
    made: list[Any] = []
    for one in reversed(branches):
        if (
            isinstance(one, dict)
            and made
            and {name: part for name, part in one.items() if name != "when"} == _as_map(made[0])
        ):
            continue
        made.insert(0, one)
    return made[0] if len(made) == 1 else made


def _as_map(branch: Any) -> Any:
    return {"target": branch} if isinstance(branch, str) else branch


# -- targets of equal kind ---------------------------------------------------------------------------------------------


def _kind(flow: Flow, target: str, mutant: Mutant) -> str | None:
    """Of which kind the state is that a row leads to; None where nobody can tell."""
    found = [state for path, state in flow.states.items() if path == target or path.endswith(f".{target}")]
    return _kind_of(flow, found[0], set()) if len(found) == 1 else None


def _kind_of(flow: Flow, state: State, seen: set[str]) -> str:
    if state.path == flow.ending or ends_the_call(state) or state.kind == "final":
        return "end"
    if state.path in seen:
        return "round"
    seen.add(state.path)
    if state.kind == "parallel":
        return "parallel"
    if state.initial is not None:
        return _kind_of(flow, flow.states[state.initial], seen)
    verbs = [verb_of(action.verb) for action in state.entry]
    if any(verb.calls or verb.occupies or verb.dials for verb in verbs):
        return "call"
    if any(verb.takes_keys for verb in verbs):
        return "keys"
    if state.tools or state.instructions is not None or any(verb.talks for verb in verbs):
        return "conversation"
    onward = [
        move.target
        for row in state.rows
        for move in row.transitions
        if row.pattern == "done" and move.target is not None
    ]
    if len(onward) == 1 and _kind_of(flow, flow.states[onward[0]], seen) == "end":
        return "end"
    return "wait"


# -- durations within a class ------------------------------------------------------------------------------------------


def timed(data: Any) -> Any:
    """A flow's content, with durations told apart by their class alone, and without limits that hold by default."""
    if isinstance(data, list):
        return [timed(one) for one in data]
    if not isinstance(data, dict):
        return data
    made = copy.copy(data)
    for name, one in data.items():
        if name in VERBS and isinstance(one, dict):
            made[name] = _without_defaults(name, one)
    return {name: timed(one) for name, one in made.items()}


def _without_defaults(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    verb = VERBS[name]
    made = {}
    for argument, value in arguments.items():
        default = verb.timeout if argument == "timeout" else getattr(verb.arguments.get(argument), "default", None)
        if argument == "detect_machine" and isinstance(value, dict):
            limit, usual = value.get("timeout"), VERBS["detect_machine"].timeout
            made[argument] = True if limit is None or _class(parse_duration(limit)) == _class(usual) else value
        elif not (
            isinstance(value, str)
            and isinstance(default, (int, float))
            and _seconds(value)
            and _class(_seconds(value)) == _class(default)
        ):
            made[argument] = value
    return made


def _as_the_call(data: dict[str, Any], place: str) -> bool:
    """Whether the timer there leads to the end as a limit of the whole call would, of the same class."""
    *path, kind, when = place.split(".")
    row: Any = data
    for name in (*path, kind, when):
        row = row[name]
    leads = row.get("target") if isinstance(row, dict) else row
    limit = data.get("limits", {}).get(LIMITS.get(kind, ""), DEFAULTS.get(kind))
    return leads == "ending" and limit is not None and _class(_seconds(when)) == _class(_seconds(limit))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        return 0.0


def _class(seconds: float | None) -> int | None:
    return None if seconds is None else (seconds >= SHORT) + (seconds > LONG)
