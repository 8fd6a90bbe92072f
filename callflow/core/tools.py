"""The tools that the model calls: each call is carried out, also where its state was left meanwhile, and returns when the
model can make something of it (rules 6 and 15)."""

from __future__ import annotations

from functools import partial
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.arguments import render
from callflow.core.configuration import offered_in
from callflow.core.content import attempt
from callflow.core.events import EffectEnded, Event, Queued
from callflow.core.expressions import EvaluationError
from callflow.core.flow import ROOT
from callflow.core.macrostep import Macrostep, ToolCall
from callflow.core.snapshot import ActionList, Cancel, Forward, Start
from callflow.errors import EffectError

UNDER_WAY = "This is being carried out."
"""What the model is told of a call that is under way when its result can lead to nothing any more."""

TOO_LATE = "the call is over: this was not carried out"


def called(macrostep: Macrostep, event: Event) -> bool:
    """Takes note of a call. True: it is no event yet, since the tool's `run` comes first; or none at all, since no state
    has offered that tool, or `wrap_up` has begun."""
    tool = macrostep.flow.tools.get(event.name[5:])
    if macrostep.phase in ("wrap_up", "ended"):
        refuse(macrostep, event, TOO_LATE)
        return True
    if tool is None or tool.own:
        macrostep.tools.append(ToolCall(event, None))
        return False
    state = offered_in(macrostep.table, event).offering(tool.name)
    if state is None:
        refuse(macrostep, event, f"no state offers {tool.name} now: this was not carried out")
        return True
    if tool.run is None:
        macrostep.tools.append(ToolCall(event, state))
        return False
    macrostep.add_list(
        ActionList(0, "tool", state if state in macrostep.active else ROOT, state, tool.name, event=event)
    )
    return True


def refuse(macrostep: Macrostep, event: Event, why: str) -> None:
    """A call that cannot be carried out: the model is told so, and the record."""
    macrostep.tools.append(ToolCall(event, None, error=why))
    macrostep.note("not_carried_out", tool=event.name[5:], error=why)


def ended(macrostep: Macrostep, one: ActionList, end: EffectEnded) -> Queued | None:
    """A tool's `run` has ended. Returns the tool's event, with the result."""
    if end.status != "ok":
        failed(macrostep, one, end.error or "out of time")
        return None
    macrostep.done_with(one)
    event = _event_of(one)
    tool = macrostep.flow.tools[str(one.key)]
    result: Any = dict(end.result)
    told = event._replace(data={**event.data, "result": result}, time=macrostep.time)
    error = None
    if tool.result is not None:
        try:
            context = macrostep.context(ROOT, one.writer, event, result=result)
            result = attempt(macrostep, partial(render, tool.result, context), lambda: None)
        except (EvaluationError, EffectError) as problem:
            result, error = None, str(problem)
    if event.id is not None:
        macrostep.tools.append(ToolCall(event, one.writer, one.owner == ROOT, result, error))
    return Queued(told)


def failed(macrostep: Macrostep, one: ActionList, error: str) -> None:
    """A tool's `run` has failed, or could not begin: the model is told, and where it waits no more, the record."""
    macrostep.done_with(one)
    event = _event_of(one)
    macrostep.note("failure", action=f"tool.{one.key}", error=error, state=one.writer, optional=True)
    if event.id is not None:
        macrostep.tools.append(ToolCall(event, one.writer, one.owner == ROOT, error=error))
    else:
        macrostep.note("not_carried_out", tool=str(one.key), error=error)


def give_back(macrostep: Macrostep) -> None:
    """Which tools return now, and whether the model gets a turn (rule 15). One whose state was left waits no longer for
    its `run` where the model gets no turn by it, and none does while another agent takes over, or hands back: LiveKit
    would hold up the end of the conversation, or the handoff, until it has returned."""
    for call in macrostep.tools:
        _note(macrostep, call)
    called = [one for one in macrostep.lists.values() if one.kind == "tool"]
    for one in called:
        event = _event_of(one)
        call = ToolCall(event, one.writer, one.owner == ROOT, UNDER_WAY)
        useless = (call.left or not macrostep.live) and not _replies(macrostep, call)
        if event.id is not None and (useless or _hands_over(macrostep, event)):
            _note(macrostep, call)
            macrostep.change_list(one._replace(event=event._replace(id=None)))


def _hands_over(macrostep: Macrostep, call: Event) -> bool:
    """Whether the agent that called this tool gives the conversation to another: for good, to the agent of a `task` whose
    state was entered since, or, where the state of its own task was left, back."""
    takes_over = {one.id: verb_of(one.verb).takes_over for one in macrostep.effects.values()}
    tasks = [one for one in macrostep.effects.values() if takes_over[one.id] == "while it runs"]
    if any(one.stopping for one in tasks) or "for good" in takes_over.values():
        return True
    return any(one.owner not in offered_in(macrostep.table, call).active for one in tasks)


def _note(macrostep: Macrostep, call: ToolCall) -> None:
    macrostep.note(
        "tool_returned", id=call.event.id, result=call.result, error=call.error, reply=_replies(macrostep, call)
    )


def _replies(macrostep: Macrostep, call: ToolCall) -> bool:
    if not macrostep.live or macrostep.in_ending:  # the second of two calls in one turn finds the ending reached
        return False
    if any(_has_the_turn(effect, call) for effect in macrostep.out):
        return False
    exited = {path for move in macrostep.moves for path in move.exited}
    if call.state is None:  # no state offers a tool of the agent's own: any state that was left is the one that matters
        left = bool(exited)
    else:
        left = call.left or call.state not in macrostep.active or call.state in exited
    if not left:
        return True
    entered = {path for move in macrostep.moves for path in move.entered} & macrostep.active
    if call.state is not None:
        entered |= macrostep.active - offered_in(macrostep.table, call.event).active
    return not any(path == macrostep.flow.ending or macrostep.table.states[path].speaks for path in entered)


def _has_the_turn(effect: Start | Cancel | Forward, call: ToolCall) -> bool:
    """Whether it is somebody else's turn now: of whoever has waited for this very call, or of the other side."""
    if isinstance(effect, Forward):
        return effect.event.id == call.event.id
    return isinstance(effect, Start) and verb_of(effect.verb).yields


def _event_of(one: ActionList) -> Event:
    return one.event or Event(f"tool.{one.key}")
