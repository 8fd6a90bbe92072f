"""What is read of a snapshot beside its steps: what the active states offer the model, who comes by which identity."""

from __future__ import annotations

from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.arguments import render
from callflow.core.configuration import configuration_of
from callflow.core.content import content
from callflow.core.expressions import EvaluationError
from callflow.core.flow import ROOT, Flow
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.table import table_of


class Offers(NamedTuple):
    """`tools` are names, outer states first; `instructions` is one text, a paragraph for each state that has some."""

    tools: tuple[str, ...] = ()
    instructions: str = ""


def offers(flow: Flow, snapshot: Snapshot, time: float) -> Offers:
    """The offers of a snapshot's configuration. `time` is in seconds since the epoch, for templates that read it.

    Instructions that cannot be rendered are left out: what they were about is not known, so nothing is said of it.
    """
    if not snapshot.configuration or snapshot.memory.phase != "running":
        return Offers()
    macrostep = Macrostep(flow, snapshot, time)
    active = sorted(macrostep.active, key=macrostep.table.order)
    tools = tuple(dict.fromkeys(name for path in active for name in flow.states[path].tools))
    paragraphs = []
    for path in active:
        state = flow.states[path]
        if state.instructions is None:
            continue
        try:
            paragraphs.append(str(render(state.instructions, macrostep.context(state.scope, path, None))))
        except EvaluationError:
            continue
    return Offers(tools, "\n\n".join(paragraphs))


def tools_offered(flow: Flow, snapshot: Snapshot) -> frozenset[str]:
    """The tools of those offers."""
    if snapshot.memory.phase != "running":
        return frozenset()
    return configuration_of(table_of(flow), snapshot.configuration).tools


def says_goodbye(flow: Flow, step: Step, *, before: bool) -> bool:
    """Whether the model has no turn any more after this step, given whether it had none `before`: the call is ending, or
    is at its last words, and they have begun. The agent of a `task` that runs has turns of its own."""
    macrostep = Macrostep(flow, step.snapshot, 0.0)
    if any(verb_of(one.verb).takes_over == "while it runs" and not one.stopping for one in macrostep.effects.values()):
        return False
    if macrostep.in_ending or not macrostep.live:
        return True
    begun = any(isinstance(effect, Start) and verb_of(effect.verb).speech for effect in step.effects)
    return macrostep.farewell and (before or begun)


def taking_over(flow: Flow, snapshot: Snapshot) -> frozenset[int]:
    """The lists (their `seq`) in which another agent has yet to take over, or is at it."""
    macrostep = Macrostep(flow, snapshot, 0.0)
    found = {
        one.seq
        for one in macrostep.lists.values()
        if any(item.verb.takes_over for item in content(macrostep, one).actions[max(one.position, 0) :])
        or (one.kind == "entry" and flow.states[one.owner].task is not None)
    }
    return frozenset(found)


def agent_instructions(flow: Flow, snapshot: Snapshot, time: float) -> str:
    """`agent.instructions`, rendered as the call begins. Raises EvaluationError."""
    return str(render(flow.agent.get("instructions", ""), Macrostep(flow, snapshot, time).context(ROOT, ROOT, None)))


def party_identities(flow: Flow, snapshot: Snapshot, time: float) -> dict[str, str]:
    """The participant identities of the legs that come by themselves, rendered as the call begins; empty where one cannot
    be."""
    found = {}
    for name, identity in flow.legs.items():
        if identity is not None:
            try:
                found[name] = str(render(identity, Macrostep(flow, snapshot, time).context(ROOT, ROOT, None)) or "")
            except EvaluationError:
                found[name] = ""
    return found
