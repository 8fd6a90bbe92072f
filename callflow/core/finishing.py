"""When a state is done (rule 8), and what follows a final state of the top level (rule 13)."""

from __future__ import annotations

from functools import partial
from typing import Any

from callflow.core.content import attempt
from callflow.core.events import NO_DATA, Event, Queued
from callflow.core.expressions import EvaluationError
from callflow.core.flow import ROOT
from callflow.core.render import render
from callflow.core.snapshot import CARRIED, ActionList, Cancel
from callflow.core.turn import LIVE, Turn
from callflow.errors import EffectError

ENTERING = frozenset({"entry", "task"})
"""The lists without which a state is not done."""


def through(turn: Turn, one: ActionList) -> None:
    """A list that belongs to a state's entry has ended: the state may be done (rule 8)."""
    if turn.phase not in LIVE:
        return
    path = one.owner
    state = turn.table.states[path]
    if one.kind == "entry" and state.state.task is not None:
        turn.put_down()
        turn.add_list(ActionList(0, "task", path, path, path))
    elif state.kind == "final":
        turn.has_finished(path)
        _inside_done(turn, state.parent or ROOT, path)
    elif not state.children:
        heard = state.hears_done
        turn.queue += (Queued(Event("done", NO_DATA, turn.time, state=path)) if heard else state.unheard,)


def _inside_done(turn: Turn, path: str, final: str) -> None:
    """The inside of `path` has reached a final state whose own list is through."""
    if path == ROOT:
        return
    ending = turn.flow.states[final]
    returns: dict[str, Any] = {}
    for name, template in ending.returns.items():
        try:
            context = turn.context(ending.scope, final, None)
            returns[name] = attempt(turn, partial(render, template, context), lambda: None)
        except (EvaluationError, EffectError) as error:
            turn.note("failure", action=f"returns.{name}", error=str(error), state=final, optional=True)
    turn.queue += (Queued(Event("done", {"final": ending.name, "returns": returns}, turn.time, state=path)),)
    parent = turn.table.states[path].parent
    if (
        parent is not None
        and parent != ROOT
        and turn.table.states[parent].kind == "parallel"
        and _is_done(turn, parent)
    ):
        _regions_done(turn, parent)


def _regions_done(turn: Turn, path: str) -> None:
    turn.queue += (Queued(Event("done", {"final": "", "returns": {}}, turn.time, state=path)),)
    parent = turn.table.states[path].parent
    if (
        parent is not None
        and parent != ROOT
        and turn.table.states[parent].kind == "parallel"
        and _is_done(turn, parent)
    ):
        _regions_done(turn, parent)


def _is_done(turn: Turn, path: str) -> bool:
    """W3C SCXML isInFinalState, with the entry lists of the final states through."""
    state = turn.table.states[path]
    if state.kind == "parallel":
        return all(_is_done(turn, region) for region in state.children) and not _entering(turn, path)
    final = next((one for one in state.children if one in turn.active and turn.table.states[one].kind == "final"), None)
    return final is not None and not _entering(turn, final)


def _entering(turn: Turn, path: str) -> bool:
    under_way = (*turn.fresh, *turn.lists.values())
    return any(one.kind == "entry" and one.owner == path for one in under_way)


def wind_up(turn: Turn) -> bool:
    """After a final state: once nothing is owed, what is still open is closed by force; then, once what the model called
    is carried out, `wrap_up` and the end. True: there is something to advance again (rule 13)."""
    if turn.live or turn.phase == "ended" or turn.returning:
        return False
    if any(one.kind not in CARRIED for one in turn.lists.values()):
        return False
    unclosed = {"session", "line"} - turn.closed
    if turn.phase == "final" and any(effect.stopping for effect in turn.effects.values()):
        return False
    if turn.lists:  # nobody on the line waits for these
        if turn.phase != "final" or not unclosed:
            return False
        turn.phase = "dropping"
        turn.add_list(ActionList(0, "closing", ROOT, ROOT, ""))
        return True
    if turn.phase in ("final", "dropping"):
        if unclosed or turn.flow.wrap_up:
            turn.phase = "closing"
            turn.add_list(ActionList(0, "closing", ROOT, ROOT, ""))
            return True
    elif turn.phase == "closing" and turn.flow.wrap_up:
        turn.phase = "wrap_up"
        turn.add_list(ActionList(0, "wrap_up", ROOT, ROOT, ""))
        return True
    turn.phase = "ended"
    turn.timers = ()
    for effect in turn.effects.values():
        if not effect.stopping:  # speech that an owed list did not wait for
            turn.out.append(Cancel(effect.id))
    turn.effects = NO_DATA
    return False
