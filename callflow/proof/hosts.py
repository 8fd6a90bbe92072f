"""A sub-flow's file by itself: the inside of hosts that are made for it, and that stand for all others.

A host begins with the far end on the line and greeted, unless the sub-flow calls them, or decides whether the call is taken; it gives
the sub-flow's variables as calls begin with their own, by representatives, and goes where the sub-flow leads. What hangs on what a host
does afterwards is the host's: so there are two, and only what goes wrong in both goes wrong in the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.expressions import TYPE_NAMES, ListOf, Type, type_named
from callflow.core.flow import LANGUAGE, ROOT, Action, Field, Flow, Variable
from callflow.core.statechart.action_lists import every_action
from callflow.errors import Defect
from callflow.flowfile.loader import read_loads
from callflow.proof.proved import Proved, Told

INSIDE = "inside-of-a-host"
"""The state that stands for the whole file: nobody is told of it."""

_GOES_ON: Mapping[str, Any] = {"entry": [{"generate_reply": "Go on."}], "silence": {"20s": "ending"}}


class Host(NamedTuple):
    """A host as a flow, its text, and the folder in which that names the file."""

    flow: Flow
    text: str
    folder: str


def hosts_of(flow: Flow) -> tuple[Host, ...]:
    """The hosts of a file that was read as a flow, each under a name of its own; none where the file is right only beside another one,
    which declares what it names."""
    folder = os.path.dirname(flow.file)  # noqa: PTH120 - as in the loader
    ends = {INSIDE: _inside(flow, ["done"], "ending")}
    goes_on = {INSIDE: _inside(flow, _results(flow), "afterwards"), "afterwards": _GOES_ON}
    found = []
    for does, states in (("ends", ends), ("goes on", goes_on)):
        text = json.dumps(_host(flow, states))
        host, _ = read_loads(text, f"<a host of {flow.file} that {does}>", folder)
        if host is None:
            return ()
        found.append(Host(host, text, folder))
    return tuple(found)


def in_all(proofs: Sequence[Proved], file: str) -> Proved:
    """What the proofs of a file's hosts come to: of what stands in it that which all of them tell, in the words of the first."""
    first, *others = proofs
    told = [one for one in first.told if one.defect.file == file]
    doubts = [one for one in first.doubts if one.file == file]
    accepted = [one for one in first.accepted if one.defect.file == file]
    for other in others:
        shown = {_which(one.defect) for one in (*other.told, *other.accepted)}
        told = [one for one in told if _which(one.defect) in shown]
        accepted = [one for one in accepted if _which(one.defect) in shown]
        doubts = [one for one in doubts if _which(one) in shown | {*map(_which, other.doubts)}]
    return evolve(
        first,
        situations=sum(one.situations for one in proofs),
        steps=max(one.steps for one in proofs),
        left=sum(one.left for one in proofs),
        told=tuple(map(_by_itself, told)),
        accepted=tuple(map(_by_itself, accepted)),
        doubts=tuple(map(_without_host, doubts)),
        quiet=max(one.quiet for one in proofs),
        after_hang_up=max(one.after_hang_up for one in proofs),
    )


def _which(defect: Defect) -> tuple[str, str, int]:
    return defect.code, defect.file, defect.line


def _by_itself(told: Told) -> Told:
    """No scenario can name the host."""
    return Told(_without_host(told.defect), "")


def _without_host(defect: Defect) -> Defect:
    message, hint = (text.replace(f"{INSIDE}.", "") for text in (defect.message, defect.hint))
    story = tuple(line.replace(f"{INSIDE}.", "") for line in defect.story)
    return defect._replace(message=message, hint=hint, story=story)


# -- the hosts


def _host(flow: Flow, states: Mapping[str, Any]) -> dict[str, Any]:
    begun = flow.outbound or flow.answer == "manual" or any(verb_of(one.verb).offer for one in every_action(flow))
    first = {} if begun else {"before": {"entry": [{"say": "Hello."}], "on": {"done": INSIDE}}}
    quiet = flow.root.quiet
    return {
        "callflow": LANGUAGE,
        "name": flow.name,
        "use": {"inside": os.path.basename(flow.file)},  # noqa: PTH119 - as in the loader
        "answer": flow.answer,
        "env": list(flow.env),
        "python": {name: _python(action.parameters, action.returns) for name, action in flow.python.items()},
        "vars": {one.name: {"type": _named(one.type), "pii": one.pii} for one in _given(flow)},
        "limits": {} if quiet is None else {"quiet": format_duration(quiet.seconds)},
        "initial": next(iter({**first, **states})),
        "states": {**first, **states},
    }


def _inside(flow: Flow, events: Iterable[str], target: str) -> dict[str, Any]:
    given = {one.name: f"{{{{ vars.{one.name} }}}}" for one in _given(flow)}
    return {"flow": "inside", "with": given, "on": dict.fromkeys(events, target)}


def _given(flow: Flow) -> Iterator[Variable]:
    """What a host gives: what it must, and what the file itself never sets."""
    actions = [*every_action(flow)]
    set_here = {name for action in actions for name in _set_by(action)}
    for name, variable in flow.scopes[ROOT].variables.items():
        if variable.required or name not in set_here:
            yield variable


def _set_by(action: Action) -> Iterator[str]:
    values = verb_of(action.verb).given("variables", action.arguments)
    yield from values if isinstance(values, Mapping) else ()
    if action.save_as is not None:
        yield action.save_as


def _results(flow: Flow) -> Iterator[str]:
    """What a host may take of what its inside has begun, but for what somebody does."""
    yield "done"
    yield "failed"
    for action in every_action(flow):
        yield from (name for name in verb_of(action.verb).results if not name.startswith("dtmf."))


def _python(parameters: Mapping[str, Field], returns: Mapping[str, Field]) -> dict[str, Any]:
    return {"parameters": _fields(parameters), "returns": _fields(returns)}


def _fields(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {name: {"type": _named(one.type), "required": one.required} for name, one in fields.items()}


def _named(kind: Type) -> str:
    """A type in the words of a flow file."""
    if isinstance(kind, ListOf):
        return f"list of {_named(kind.item)}"
    return next(name for name in TYPE_NAMES if type_named(name) == kind)
