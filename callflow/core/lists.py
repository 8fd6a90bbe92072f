"""The sequencer: which lists of actions there are, who waits for whom, and how far each can go (rules 4 to 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from callflow.core import tools
from callflow.core.content import (
    Prepared,
    action_of,
    attempt,
    content,
    context_of,
    fit,
    forget,
    legible,
    resolve,
    set_in,
)
from callflow.core.effects import cancel, not_begun, start
from callflow.core.events import Event, Queued
from callflow.core.expressions import EvaluationError
from callflow.core.failures import fail, note_failure
from callflow.core.finishing import ENTERING, through, wind_up
from callflow.core.flow import ROOT, Action, Transition
from callflow.core.immediate import carry_out
from callflow.core.render import render
from callflow.core.snapshot import OWED, WITH, ActionList
from callflow.core.statechart.structure import inside
from callflow.core.turn import LIVE, Turn
from callflow.errors import EffectError


def add_do(turn: Turn, row: Transition, event: Event | None, *, left: bool) -> None:
    """A `do`: owed where the row has a target, else its state's own, and the rest of it where that is `left` meanwhile."""
    if left:
        add_left(turn, "rest", row, event)
    elif row.target is None:
        turn.begin_lists([ActionList(0, "stay", row.source, row.source, row.id, event=event)])
    else:
        turn.begin_lists([ActionList(0, "do", turn.table.domain(row), row.source, row.id, event=event)])


def add_left(turn: Turn, kind: Literal["rest", "late"], row: Transition, event: Event | None) -> None:
    """The `do` of a row whose state was left, by the same event (`rest`) or before its tool's event came (`late`)."""
    turn.put_down()
    latest = turn.latest(row.scope)
    instance = latest if latest != row.scope else None
    turn.add_list(ActionList(0, kind, row.source, row.source, row.id, event=event, instance=instance))


def waits(turn: Turn, one: ActionList) -> bool:
    """Whether a list may not go on yet: for what was owed before it, for a cancelled effect of its region that has not
    stopped, for the entry lists around it, for the `do` before it."""
    if one.kind in ("tool", "rest"):
        return False
    table = turn.table
    for other in turn.lists.values() if len(turn.lists) > 1 else ():
        if other.seq == one.seq:
            continue
        if one.kind == "late":
            if other.kind == "late" and other.seq < one.seq and other.owner == one.owner:
                return True
            continue
        if other.seq < one.seq and other.kind in OWED and not table.side_by_side(other.owner, one.owner):
            return True
        if one.kind == "entry" and other.kind == "entry" and inside(one.owner, other.owner):
            return True
        if one.kind == "stay" and other.kind == "stay" and other.seq < one.seq and other.owner == one.owner:
            return True
    if one.kind == "late":
        return False
    for effect in turn.effects.values():
        if effect.stopping and effect.seq < one.seq and not table.side_by_side(effect.owner or ROOT, one.owner):
            return True
    return False


def advance(turn: Turn) -> None:
    """Carries every list as far as it can go now."""
    while True:
        ready = turn.fresh[0] if turn.fresh else _ready(turn) if turn.lists else None
        if ready is not None:
            _run(turn, ready)
        elif turn.phase in LIVE or not wind_up(turn):
            return


def _ready(turn: Turn) -> ActionList | None:
    for one in turn.lists.values():
        if one.effect is None and not one.stopped and (one.position == WITH or not waits(turn, one)):
            return one
    return None


def _run(turn: Turn, one: ActionList) -> None:
    if one.position == WITH:
        one = turn.numbered(one, WITH)
        if _take_arguments(turn, one):
            turn.change_list(one.at(0))
        return
    held = content(turn, one)
    actions, position = held.actions, one.position
    while position < len(actions):
        lines = held.lines[position]
        if lines:
            turn.attempts += 2 * len(lines)  # as if each text had been rendered, and written down
            turn.notes += lines
            position += len(lines)
        elif _begin(turn, one, position, actions[position]):
            position += 1
        else:
            return
    if one.seq:
        turn.done_with(one)
    else:
        del turn.fresh[0]
    if one.instance is not None:
        forget(turn)
    if one.kind in ENTERING:
        through(turn, one)


def _begin(turn: Turn, one: ActionList, position: int, prepared: Prepared) -> bool:
    """Begins an action of a list. True: the list goes on at once."""
    at_once = prepared.verb.at_once
    if not at_once and _passed_over(turn, one, prepared):
        return True
    try:
        arguments = _resolve(turn, one, prepared)
        if at_once:
            _carry_out(turn, one, prepared, arguments)
            return True
    except (EvaluationError, EffectError) as error:
        if one.kind == "rest":  # its state is gone, and the call on its way elsewhere
            note_failure(turn, one, prepared.action, str(error))
            return True
        if one.kind == "tool":
            tools.failed(turn, one, str(error))
        else:
            not_begun(turn, turn.numbered(one, position), prepared.action, str(error))
        return False
    if not prepared.action.wait:
        start(turn, one.at(position), prepared, arguments)
        return True
    one = turn.numbered(one, position)
    turn.change_list(one.at(position, start(turn, one, prepared, arguments)))
    return False


def _resolve(turn: Turn, one: ActionList, prepared: Prepared) -> Mapping[str, Any]:
    if prepared.arguments is not None and one.kind != "closing":  # there is no text in it that could fail
        turn.attempts += 1
        return prepared.arguments
    return attempt(
        turn,
        lambda: resolve(turn, one, prepared),
        lambda: legible(dict(prepared.action.arguments), context_of(turn, one)),
    )


def _carry_out(turn: Turn, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    attempt(turn, lambda: carry_out(turn, one, prepared, arguments), lambda: None)


def _passed_over(turn: Turn, one: ActionList, prepared: Prepared) -> bool:
    """Whether an action of a state that was left is not begun: of a `rest` nothing that takes time is, and of a `late` list
    nothing that needs the line, once the call is on its way to its end."""
    if one.kind == "rest":
        return True
    if one.kind != "late" or prepared.verb.beside_the_line or (turn.live and not turn.in_ending):
        return False
    if turn.flow.transitions[int(one.key)].target != turn.flow.ending:  # else it has led there: the words were said
        turn.note("passed_over", action=prepared.verb.name, state=one.writer)
    return True


def _take_arguments(turn: Turn, one: ActionList) -> bool:
    """A sub-flow's `with:`, before anything inside is decided. False: it has failed, and the list stops."""
    state = turn.flow.states[one.owner]
    if not state.arguments or state.subflow is None:
        return True
    given, variables = dict(state.arguments), turn.flow.scopes[state.subflow].variables

    context = turn.context(state.scope, one.owner, None)

    def read() -> dict[str, Any]:
        values = render(given, context)
        return {name: fit(turn, variables[name].type, value, f"with.{name}") for name, value in values.items()}

    try:
        set_in(turn, state.subflow, attempt(turn, read, lambda: legible(given, context)))
    except (EvaluationError, EffectError) as error:
        fail(turn, one, Action("with", {}, None, state.position), str(error), timed_out=False)
        return False
    return True


def leave(turn: Turn, paths: Iterable[str], speech: int | None) -> None:
    """States are left, in this order: their lists that are not owed are dropped, what runs for them is cancelled; of a `do`
    without a target the rest of what acts at once acts now, inner states first, regions in document order (rule 6).
    `speech`: the one in which the model called the tool that brings this about; it is not cut."""
    turn.put_down()
    if not turn.lists and not turn.effects:
        return
    left = list(paths)
    stays = [one for one in turn.lists.values() if one.kind == "stay" and one.owner in left]
    if len(stays) > 1:
        stays.sort(key=lambda one: (_inner_first(turn, one.owner), one.seq))
    for one in stays:
        turn.done_with(one)
        _act_at_once(turn, one)
    for path in left:
        for one in [one for one in turn.lists.values() if one.owner == path]:
            if one.kind in ("entry", "task"):
                turn.done_with(one)
            elif one.kind == "tool":  # it goes on, as the call's own
                turn.change_list(one._replace(owner=ROOT))
        for effect in [one for one in turn.effects.values() if one.owner == path and not one.stopping]:
            if effect.id == speech:
                turn.effects = {**turn.effects, effect.id: effect._replace(owner=None, list=None)}
            else:
                cancel(turn, effect)


def _inner_first(turn: Turn, path: str) -> tuple[float, ...]:
    """Sorts states: what is inside a state before it, siblings in document order."""
    around = [float(turn.table.order(outer)) for outer in reversed(turn.table.states[path].ancestors)]
    return (*around, float(turn.table.order(path)), math.inf)


def _act_at_once(turn: Turn, one: ActionList) -> None:
    begin = one.position if one.effect is None and not one.stopped else one.position + 1
    for prepared in content(turn, one).actions[begin:]:
        if prepared.verb.at_once:
            try:
                _carry_out(turn, one, prepared, _resolve(turn, one, prepared))
            except (EvaluationError, EffectError) as error:
                note_failure(turn, one, prepared.action, str(error))


def settle(turn: Turn, queued: Queued, taken: bool) -> None:
    """A list that had stopped goes on: its failure or its named result has been taken."""
    one = None if queued.list is None else turn.lists.get(queued.list)
    if one is None:
        return
    if queued.result and not taken and one.position >= 0:
        prepared = action_of(turn, one)
        verb = prepared.verb
        if queued.event.name not in verb.success:
            timed_out = queued.event.name == verb.on_timeout
            fail(turn, one, prepared.action, _sentence(queued.event), timed_out=timed_out)
            return
    turn.change_list(one.at(one.position + 1))


def let_go_on(turn: Turn) -> None:
    """Nobody takes the internal events any more: they are dropped, and the lists that had stopped for one go on."""
    while turn.queue:
        queued, *rest = turn.queue
        turn.queue = tuple(rest)
        settle(turn, queued, taken=True)


def _sentence(event: Event) -> str:
    why = event.data.get("error") or event.data.get("cause") or ""
    return f"{event.name}{': ' if why else ''}{why}, and no row takes it"
