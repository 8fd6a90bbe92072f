"""What is read of a snapshot beside its steps: what the active states offer the model, who comes by which identity."""

from __future__ import annotations

from typing import NamedTuple

from callflow.core.expressions import EvaluationError
from callflow.core.flow import ROOT, Flow
from callflow.core.render import render
from callflow.core.snapshot import Snapshot
from callflow.core.turn import Turn


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
    turn = Turn(flow, snapshot, time)
    active = sorted(turn.active, key=turn.table.order)
    tools = tuple(dict.fromkeys(name for path in active for name in flow.states[path].tools))
    paragraphs = []
    for path in active:
        state = flow.states[path]
        if state.instructions is None:
            continue
        try:
            paragraphs.append(str(render(state.instructions, turn.context(state.scope, path, None))))
        except EvaluationError:
            continue
    return Offers(tools, "\n\n".join(paragraphs))


def agent_instructions(flow: Flow, snapshot: Snapshot, time: float) -> str:
    """`agent.instructions`, rendered as the call begins. Raises EvaluationError."""
    return str(render(flow.agent.get("instructions", ""), Turn(flow, snapshot, time).context(ROOT, ROOT, None)))


def party_identities(flow: Flow, snapshot: Snapshot, time: float) -> dict[str, str]:
    """The participant identities of the legs that come by themselves, rendered as the call begins; empty where one cannot
    be."""
    found = {}
    for name, identity in flow.legs.items():
        if identity is not None:
            try:
                found[name] = str(render(identity, Turn(flow, snapshot, time).context(ROOT, ROOT, None)) or "")
            except EvaluationError:
                found[name] = ""
    return found
