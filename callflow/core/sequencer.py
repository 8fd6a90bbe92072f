"""The sequencer: which lists of actions there are, who waits for whom, and how far each can go (rules 4 to 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from callflow.core import tools
from callflow.core.arguments import render
from callflow.core.completion import ENTERING, through, wind_up
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
from callflow.core.executable_content import carry_out
from callflow.core.expressions import EvaluationError
from callflow.core.failures import fail, note_failure
from callflow.core.flow import ROOT, Action, Transition
from callflow.core.macrostep import LIVE, Macrostep
from callflow.core.snapshot import OWED, WITH, ActionList
from callflow.core.statechart.structure import inside
from callflow.errors import EffectError


def add_do(macrostep: Macrostep, row: Transition, event: Event | None, *, left: bool) -> None:
    """A `do`: owed where the row has a target, else its state's own, and the rest of it where that is `left` meanwhile."""
    if left:
        add_left(macrostep, "rest", row, event)
    elif row.target is None:
        macrostep.begin_lists([ActionList(0, "stay", row.source, row.source, row.id, event=event)])
    else:
        macrostep.begin_lists([ActionList(0, "do", macrostep.table.domain(row), row.source, row.id, event=event)])


def add_left(macrostep: Macrostep, kind: Literal["rest", "late"], row: Transition, event: Event | None) -> None:
    """The `do` of a row whose state was left, by the same event (`rest`) or before its tool's event came (`late`)."""
    macrostep.put_down()
    latest = macrostep.latest(row.scope)
    instance = latest if latest != row.scope else None
    macrostep.add_list(ActionList(0, kind, row.source, row.source, row.id, event=event, instance=instance))


def waits(macrostep: Macrostep, one: ActionList) -> bool:
    """Whether a list may not go on yet: for what was owed before it, for a cancelled effect of its region that has not
    stopped, for the entry lists around it, for the `do` before it."""
    if one.kind in ("tool", "rest"):
        return False
    table = macrostep.table
    for other in macrostep.lists.values() if len(macrostep.lists) > 1 else ():
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
    for effect in macrostep.effects.values():
        if effect.stopping and effect.seq < one.seq and not table.side_by_side(effect.owner or ROOT, one.owner):
            return True
    return False


def advance(macrostep: Macrostep) -> None:
    """Carries every list as far as it can go now."""
    while True:
        ready = macrostep.fresh[0] if macrostep.fresh else _ready(macrostep) if macrostep.lists else None
        if ready is not None:
            _run(macrostep, ready)
        elif macrostep.phase in LIVE or not wind_up(macrostep):
            return


def _ready(macrostep: Macrostep) -> ActionList | None:
    alone = len(macrostep.lists) == 1 and not macrostep.effects  # there is nothing to wait for
    for one in macrostep.lists.values():
        if one.effect is None and not one.stopped and (alone or one.position == WITH or not waits(macrostep, one)):
            return one
    return None


def _run(macrostep: Macrostep, one: ActionList) -> None:
    if one.position == WITH:
        one = macrostep.numbered(one, WITH)
        if _take_arguments(macrostep, one):
            macrostep.change_list(one.at(0))
        return
    held = content(macrostep, one)
    actions, position = held.actions, one.position
    while position < len(actions):
        lines = held.lines[position]
        if lines:
            macrostep.attempts += 2 * len(lines)  # as if each text had been rendered, and written down
            macrostep.notes += lines
            position += len(lines)
        elif _begin(macrostep, one, position, actions[position]):
            position += 1
        else:
            return
    if one.seq:
        macrostep.done_with(one)
    else:
        del macrostep.fresh[0]
    if one.instance is not None:
        forget(macrostep)
    if one.kind in ENTERING:
        through(macrostep, one)


def _begin(macrostep: Macrostep, one: ActionList, position: int, prepared: Prepared) -> bool:
    """Begins an action of a list. True: the list goes on at once."""
    at_once = prepared.verb.at_once
    if not at_once and _passed_over(macrostep, one, prepared):
        return True
    try:
        arguments = _resolve(macrostep, one, prepared)
        if at_once:
            _carry_out(macrostep, one, prepared, arguments)
            return True
    except (EvaluationError, EffectError) as error:
        if one.kind == "rest":  # its state is gone, and the call on its way elsewhere
            note_failure(macrostep, one, prepared.action, str(error))
            return True
        if one.kind == "tool":
            tools.failed(macrostep, one, str(error))
        else:
            not_begun(macrostep, macrostep.numbered(one, position), prepared.action, str(error))
        return False
    if not prepared.action.wait:
        start(macrostep, one.at(position), prepared, arguments)
        return True
    one = macrostep.numbered(one, position)
    macrostep.change_list(one.at(position, start(macrostep, one, prepared, arguments)))
    return False


def _resolve(macrostep: Macrostep, one: ActionList, prepared: Prepared) -> Mapping[str, Any]:
    if prepared.arguments is not None and one.kind != "closing":  # there is no text in it that could fail
        macrostep.attempts += 1
        return prepared.arguments
    return attempt(
        macrostep,
        lambda: resolve(macrostep, one, prepared),
        lambda: legible(dict(prepared.action.arguments), context_of(macrostep, one)),
    )


def _carry_out(macrostep: Macrostep, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    attempt(macrostep, lambda: carry_out(macrostep, one, prepared, arguments), lambda: None)


def _passed_over(macrostep: Macrostep, one: ActionList, prepared: Prepared) -> bool:
    """Whether an action of a state that was left is not begun: of a `rest` nothing that takes time is, and of a `late` list
    nothing that needs the line, once the call is on its way to its end."""
    if one.kind == "rest":
        return True
    if one.kind != "late" or prepared.verb.beside_the_line or (macrostep.live and not macrostep.in_ending):
        return False
    if (
        macrostep.flow.transitions[int(one.key)].target != macrostep.flow.ending
    ):  # else it has led there: the words were said
        macrostep.note("passed_over", action=prepared.verb.name, state=one.writer)
    return True


def _take_arguments(macrostep: Macrostep, one: ActionList) -> bool:
    """A sub-flow's `with:`, before anything inside is decided. False: it has failed, and the list stops."""
    state = macrostep.flow.states[one.owner]
    if not state.arguments or state.subflow is None:
        return True
    given, variables = dict(state.arguments), macrostep.flow.scopes[state.subflow].variables

    context = macrostep.context(state.scope, one.owner, None)

    def read() -> dict[str, Any]:
        values = render(given, context)
        return {name: fit(macrostep, variables[name].type, value, f"with.{name}") for name, value in values.items()}

    try:
        set_in(macrostep, state.subflow, attempt(macrostep, read, lambda: legible(given, context)))
    except (EvaluationError, EffectError) as error:
        fail(macrostep, one, Action("with", {}, None, state.position), str(error), timed_out=False)
        return False
    return True


def leave(macrostep: Macrostep, paths: Iterable[str], speech: int | None) -> None:
    """States are left, in this order: their lists that are not owed are dropped, what runs for them is cancelled; of a `do`
    without a target the rest of what acts at once acts now, inner states first, regions in document order (rule 6).
    `speech`: the one in which the model called the tool that brings this about; it is not cut."""
    macrostep.put_down()
    if not macrostep.lists and not macrostep.effects:
        return
    left = list(paths)
    stays = [one for one in macrostep.lists.values() if one.kind == "stay" and one.owner in left]
    if len(stays) > 1:
        stays.sort(key=lambda one: (_inner_first(macrostep, one.owner), one.seq))
    for one in stays:
        macrostep.done_with(one)
        _act_at_once(macrostep, one)
    for path in left:
        for one in [one for one in macrostep.lists.values() if one.owner == path]:
            if one.kind in ("entry", "task"):
                macrostep.done_with(one)
            elif one.kind == "tool":  # it goes on, as the call's own
                macrostep.change_list(one._replace(owner=ROOT))
        for effect in [one for one in macrostep.effects.values() if one.owner == path and not one.stopping]:
            if effect.id == speech:
                macrostep.effects = {**macrostep.effects, effect.id: effect._replace(owner=None, list=None)}
            else:
                cancel(macrostep, effect)


def _inner_first(macrostep: Macrostep, path: str) -> tuple[float, ...]:
    """Sorts states: what is inside a state before it, siblings in document order."""
    around = [float(macrostep.table.order(outer)) for outer in reversed(macrostep.table.states[path].ancestors)]
    return (*around, float(macrostep.table.order(path)), math.inf)


def _act_at_once(macrostep: Macrostep, one: ActionList) -> None:
    begin = one.position if one.effect is None and not one.stopped else one.position + 1
    for prepared in content(macrostep, one).actions[begin:]:
        if prepared.verb.at_once:
            try:
                _carry_out(macrostep, one, prepared, _resolve(macrostep, one, prepared))
            except (EvaluationError, EffectError) as error:
                note_failure(macrostep, one, prepared.action, str(error))


def settle(macrostep: Macrostep, queued: Queued, taken: bool) -> None:
    """A list that had stopped goes on: its failure or its named result has been taken."""
    one = None if queued.list is None else macrostep.lists.get(queued.list)
    if one is None:
        return
    if queued.result and not taken and one.position >= 0:
        prepared = action_of(macrostep, one)
        verb = prepared.verb
        if queued.event.name not in verb.success:
            timed_out = queued.event.name == verb.on_timeout
            fail(macrostep, one, prepared.action, _sentence(queued.event), timed_out=timed_out)
            return
    macrostep.change_list(one.at(one.position + 1))


def let_go_on(macrostep: Macrostep) -> None:
    """Nobody takes the internal events any more: they are dropped, and the lists that had stopped for one go on."""
    while macrostep.queue:
        queued, *rest = macrostep.queue
        macrostep.queue = tuple(rest)
        settle(macrostep, queued, taken=True)


def _sentence(event: Event) -> str:
    why = event.data.get("error") or event.data.get("cause") or ""
    return f"{event.name}{': ' if why else ''}{why}, and no row takes it"
