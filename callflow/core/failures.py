"""Actions that fail: recorded, or raised as `failed` (rule 9)."""

from __future__ import annotations

from callflow.core.content import content
from callflow.core.events import EffectEnded, Event, Queued
from callflow.core.flow import ROOT, Action
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import CALLS_OWN, ActionList, Running
from callflow.core.statechart.action_lists import OF_ROWS, writer_at


def fail(macrostep: Macrostep, one: ActionList, action: Action, error: str, *, timed_out: bool) -> None:
    """An action has failed: recorded where it is optional or nobody could act on it, else `failed` (rule 9)."""
    optional = action.optional or not macrostep.live
    macrostep.note("failure", action=action.verb, error=error, state=one.writer, optional=optional)
    if optional:
        macrostep.change_list(one.at(one.position + 1))
        return
    one = macrostep.change_list(one.at(one.position, stopped=True))
    macrostep.queue += (Queued(failure(macrostep, one, action.verb, error, timed_out), one.seq),)


def note_failure(macrostep: Macrostep, one: ActionList, action: Action, error: str) -> None:
    """A failure that nobody could act on."""
    macrostep.note("failure", action=action.verb, error=error, state=one.writer, optional=True)


def fail_unawaited(macrostep: Macrostep, effect: Running, end: EffectEnded) -> None:
    """Speech that its list did not wait for has failed: the state hears of it all the same. One that outlived its list
    (the model called a tool in it) has nobody left, and is recorded."""
    kind, key, position = effect.source
    outlived = effect.owner is None and kind not in CALLS_OWN
    one = ActionList(0, kind, ROOT, writer_at(macrostep.flow, kind, key), key)
    recorded = outlived or not macrostep.live or content(macrostep, one).actions[position].action.optional
    error = end.error or ("out of time" if end.status == "timed_out" else end.status)
    macrostep.note("failure", action=effect.verb, error=error, state=one.writer, optional=recorded)
    if not recorded:
        macrostep.queue += (Queued(failure(macrostep, one, effect.verb, error, end.status == "timed_out")),)


def failure(macrostep: Macrostep, one: ActionList, verb: str, error: str, timed_out: bool) -> Event:
    data = {"action": verb, "error": error, "timeout": timed_out, "origin": one.writer}
    return Event("failed", data, macrostep.time, state=_heard_first(macrostep, one))


def _heard_first(macrostep: Macrostep, one: ActionList) -> str:
    """The state that hears of a failure first. A sub-flow's top level is its host's path with a dot: it stands inside
    the host, whose own lists are no business of the sub-flow's."""
    inner = one.kind in OF_ROWS and macrostep.flow.transitions[int(one.key)].level == "inner"
    return one.writer + "." if inner else one.writer
