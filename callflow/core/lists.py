"""The sequencer: which lists of actions there are, who waits for whom, and how far each can go (rules 4 to 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from callflow.core import tools
from callflow.core.actions import verb_of
from callflow.core.content import WITH, actions_of, attempt, emptied, fit, forget, resolve
from callflow.core.effects import cancel, not_begun, start
from callflow.core.events import Event
from callflow.core.expressions import EvaluationError
from callflow.core.failures import fail, note_failure
from callflow.core.finishing import through, wind_up
from callflow.core.flow import ROOT, Action, Transition
from callflow.core.immediate import carry_out
from callflow.core.render import render
from callflow.core.snapshot import OWED, ActionList
from callflow.core.statechart.structure import inside
from callflow.core.turn import Queued, Turn
from callflow.errors import EffectError


def owe_exit(turn: Turn, path: str) -> None:
    turn.add_list("exit", path, path, path)


def add_do(turn: Turn, row: Transition, event: Event | None) -> None:
    """A `do`: owed where the row has a target, else its state's own."""
    if row.target is None:
        turn.add_list("stay", row.source, row.source, row.id, event)
    else:
        turn.add_list("do", turn.table.domain(row), row.source, row.id, event)


def add_left(turn: Turn, kind: Literal["rest", "late"], row: Transition, event: Event | None) -> None:
    """The `do` of a row whose state was left, by the same event (`rest`) or before its tool's event came (`late`)."""
    one = turn.add_list(kind, row.source, row.source, row.id, event)
    latest = turn.latest(row.scope)
    if latest != row.scope:
        turn.lists[one.seq] = one._replace(instance=latest)


def waits(turn: Turn, one: ActionList) -> bool:
    """Whether a list may not go on yet: for what was owed before it, for a cancelled effect of its region that has not
    stopped, for the entry lists around it, for the `do` before it."""
    table = turn.table
    if one.kind in ("tool", "rest"):
        return False
    for other in turn.lists.values():
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
    return one.kind != "late" and any(
        effect.stopping and effect.seq < one.seq and not table.side_by_side(effect.owner or ROOT, one.owner)
        for effect in turn.effects.values()
    )


def advance(turn: Turn) -> None:
    """Carries every list as far as it can go now."""
    while True:
        ready = next(
            (
                one
                for one in turn.lists.values()
                if one.effect is None and not one.stopped and (one.position == WITH or not waits(turn, one))
            ),
            None,
        )
        if ready is not None:
            _run(turn, ready)
        elif not wind_up(turn):
            return


def _run(turn: Turn, one: ActionList) -> None:
    if one.position == WITH:
        if _take_arguments(turn, one):
            turn.lists[one.seq] = one._replace(position=0)
        return
    actions = actions_of(turn, one)
    while one.position < len(actions):
        action = actions[one.position]
        at_once = verb_of(action.verb).at_once
        if not at_once and _passed_over(turn, one, action):
            one = one._replace(position=one.position + 1)
            continue
        try:
            arguments = _resolve(turn, one, action)
            if at_once:
                _carry_out(turn, one, action, arguments)
        except (EvaluationError, EffectError) as error:
            if one.kind == "rest":  # its state is gone, and the call on its way elsewhere
                note_failure(turn, one, action, str(error))
                one = one._replace(position=one.position + 1)
                continue
            if one.kind == "tool":
                tools.failed(turn, one, str(error))
            else:
                not_begun(turn, one, action, str(error))
            return
        if not at_once:
            effect = start(turn, one, action, arguments)
            if action.wait:
                turn.lists[one.seq] = one._replace(effect=effect)
                return
        one = one._replace(position=one.position + 1)
        turn.lists[one.seq] = one
    del turn.lists[one.seq]
    if one.instance is not None:
        forget(turn)
    through(turn, one)


def _resolve(turn: Turn, one: ActionList, action: Action) -> dict[str, Any]:
    return attempt(turn, lambda: resolve(turn, one, action), lambda: dict(emptied(action.arguments)))


def _carry_out(turn: Turn, one: ActionList, action: Action, arguments: Mapping[str, Any]) -> None:
    attempt(turn, lambda: carry_out(turn, one, action, arguments), lambda: None)


def _passed_over(turn: Turn, one: ActionList, action: Action) -> bool:
    """Whether an action of a state that was left is not begun: of a `rest` nothing that takes time is, and of a `late` list
    nothing that needs the line, once the call is on its way to its end."""
    if one.kind == "rest":
        return True
    if one.kind != "late" or verb_of(action.verb).beside_the_line or (turn.live and not turn.in_ending):
        return False
    if turn.flow.transitions[int(one.key)].target != turn.flow.ending:  # else it has led there: the words were said
        turn.note("passed_over", action=action.verb, state=one.writer)
    return True


def _take_arguments(turn: Turn, one: ActionList) -> bool:
    """A sub-flow's `with:`, before anything inside is decided. False: it has failed, and the list stops."""
    state = turn.flow.states[one.owner]
    if not state.arguments or state.subflow is None:
        return True
    given, variables = dict(state.arguments), turn.flow.scopes[state.subflow].variables

    def read() -> dict[str, Any]:
        values = render(given, turn.context(state.scope, one.owner, None))
        return {name: fit(turn, variables[name].type, value, f"with.{name}") for name, value in values.items()}

    try:
        turn.vars[state.subflow].update(attempt(turn, read, lambda: dict(emptied(given))))
    except (EvaluationError, EffectError) as error:
        fail(turn, one, Action("with", {}, None, state.position), str(error), timed_out=False)
        return False
    return True


def leave(turn: Turn, paths: Iterable[str], speech: int | None) -> None:
    """States are left, in this order: their lists that are not owed are dropped, what runs for them is cancelled; of a `do`
    without a target the rest of what acts at once acts now, inner states first, regions in document order (rule 6).
    `speech`: the one in which the model called the tool that brings this about; it is not cut."""
    left = list(paths)
    stays = [one for one in turn.lists.values() if one.kind == "stay" and one.owner in left]
    if len(stays) > 1:
        stays.sort(key=lambda one: (_inner_first(turn, one.owner), one.seq))
    for one in stays:
        del turn.lists[one.seq]
        _act_at_once(turn, one)
    for path in left:
        for one in [one for one in turn.lists.values() if one.owner == path]:
            if one.kind in ("entry", "task"):
                del turn.lists[one.seq]
            elif one.kind == "tool":  # it goes on, as the call's own
                turn.lists[one.seq] = one._replace(owner=ROOT)
        for effect in [one for one in turn.effects.values() if one.owner == path and not one.stopping]:
            if effect.id == speech:
                turn.effects[effect.id] = effect._replace(owner=None, list=None)
            else:
                cancel(turn, effect)


def _inner_first(turn: Turn, path: str) -> tuple[float, ...]:
    """Sorts states: what is inside a state before it, siblings in document order."""
    around = [float(turn.table.order(outer)) for outer in reversed(turn.table.states[path].ancestors)]
    return (*around, float(turn.table.order(path)), math.inf)


def _act_at_once(turn: Turn, one: ActionList) -> None:
    actions = actions_of(turn, one)
    begin = one.position if one.effect is None and not one.stopped else one.position + 1
    for action in actions[begin:]:
        if verb_of(action.verb).at_once:
            try:
                _carry_out(turn, one, action, _resolve(turn, one, action))
            except (EvaluationError, EffectError) as error:
                note_failure(turn, one, action, str(error))


def settle(turn: Turn, queued: Queued, taken: bool) -> None:
    """A list that had stopped goes on: its failure or its named result has been taken."""
    one = None if queued.list is None else turn.lists.get(queued.list)
    if one is None:
        return
    action = actions_of(turn, one)[one.position] if one.position >= 0 else None
    if queued.result and not taken and action is not None:
        verb = verb_of(action.verb)
        if queued.event.name not in verb.success:
            fail(turn, one, action, _sentence(queued.event), timed_out=queued.event.name == verb.on_timeout)
            return
    turn.lists[one.seq] = one._replace(stopped=False, position=one.position + 1)


def let_go_on(turn: Turn) -> None:
    """Nobody takes the internal events any more: they are dropped, and the lists that had stopped for one go on."""
    while turn.queue:
        settle(turn, turn.queue.popleft(), taken=True)


def _sentence(event: Event) -> str:
    why = event.data.get("error") or event.data.get("cause") or ""
    return f"{event.name}{': ' if why else ''}{why}, and no row takes it"
