"""When a state is done (rule 8), and what follows a final state of the top level (rule 13)."""

from __future__ import annotations

from functools import partial
from typing import Any

from callflow.core.arguments import render
from callflow.core.content import attempt
from callflow.core.events import NO_DATA, Event, Queued
from callflow.core.expressions import EvaluationError
from callflow.core.flow import ROOT
from callflow.core.macrostep import LIVE, Macrostep
from callflow.core.snapshot import CARRIED, ActionList, Cancel
from callflow.errors import EffectError

ENTERING = frozenset({"entry", "task"})
"""The lists without which a state is not done."""


def through(macrostep: Macrostep, one: ActionList) -> None:
    """A list that belongs to a state's entry has ended: the state may be done (rule 8)."""
    if macrostep.phase not in LIVE:
        return
    path = one.owner
    state = macrostep.table.states[path]
    if one.kind == "entry" and state.state.task is not None:
        macrostep.put_down()
        macrostep.add_list(ActionList(0, "task", path, path, path))
    elif state.kind == "final":
        macrostep.has_finished(path)
        _inside_done(macrostep, state.parent or ROOT, path)
    elif not state.children:
        heard = state.hears_done
        macrostep.queue += (Queued(Event("done", NO_DATA, macrostep.time, state=path)) if heard else state.unheard,)


def _inside_done(macrostep: Macrostep, path: str, final: str) -> None:
    """The inside of `path` has reached a final state whose own list is through."""
    if path == ROOT:
        return
    ending = macrostep.flow.states[final]
    returns: dict[str, Any] = {}
    for name, template in ending.returns.items():
        try:
            context = macrostep.context(ending.scope, final, None)
            returns[name] = attempt(macrostep, partial(render, template, context), lambda: None)
        except (EvaluationError, EffectError) as error:
            macrostep.note("failure", action=f"returns.{name}", error=str(error), state=final, optional=True)
    macrostep.queue += (Queued(Event("done", {"final": ending.name, "returns": returns}, macrostep.time, state=path)),)
    _region_done(macrostep, path)


def _region_done(macrostep: Macrostep, path: str) -> None:
    """`path` is done. Where it was the last region of a parallel state that is so, that state is done, and may be a region itself."""
    parent = macrostep.table.states[path].parent
    if parent is not None and macrostep.table.states[parent].kind == "parallel" and _is_done(macrostep, parent):
        macrostep.queue += (Queued(Event("done", {"final": "", "returns": {}}, macrostep.time, state=parent)),)
        _region_done(macrostep, parent)


def _is_done(macrostep: Macrostep, path: str) -> bool:
    """W3C SCXML isInFinalState, with the entry lists of the final states through."""
    state = macrostep.table.states[path]
    if state.kind == "parallel":
        return all(_is_done(macrostep, region) for region in state.children) and not _entering(macrostep, path)
    final = next(
        (one for one in state.children if one in macrostep.active and macrostep.table.states[one].kind == "final"), None
    )
    return final is not None and not _entering(macrostep, final)


def _entering(macrostep: Macrostep, path: str) -> bool:
    under_way = (*macrostep.fresh, *macrostep.lists.values())
    return any(one.kind == "entry" and one.owner == path for one in under_way)


def wind_up(macrostep: Macrostep) -> bool:
    """After a final state: once nothing is owed, what is still open is closed by force; then, once what the model called
    is carried out, `wrap_up` and the end. True: there is something to advance again (rule 13)."""
    if macrostep.live or macrostep.phase == "ended" or macrostep.returning:
        return False
    if any(one.kind not in CARRIED for one in macrostep.lists.values()):
        return False
    unclosed = {"session", "line"} - macrostep.closed
    if macrostep.phase == "final" and any(effect.stopping for effect in macrostep.effects.values()):
        return False
    if macrostep.lists:  # nobody on the line waits for these
        if macrostep.phase != "final" or not unclosed:
            return False
        macrostep.phase = "dropping"
        macrostep.add_list(ActionList(0, "closing", ROOT, ROOT, ""))
        return True
    if macrostep.phase in ("final", "dropping"):
        if unclosed or macrostep.flow.wrap_up:
            macrostep.phase = "closing"
            macrostep.add_list(ActionList(0, "closing", ROOT, ROOT, ""))
            return True
    elif macrostep.phase == "closing" and macrostep.flow.wrap_up:
        macrostep.phase = "wrap_up"
        macrostep.add_list(ActionList(0, "wrap_up", ROOT, ROOT, ""))
        return True
    macrostep.phase = "ended"
    macrostep.timers = ()
    for effect in macrostep.effects.values():
        if not effect.stopping:  # speech that an owed list did not wait for
            macrostep.out.append(Cancel(effect.id))
    macrostep.effects = NO_DATA
    return False
