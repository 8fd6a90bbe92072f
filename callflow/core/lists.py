"""The sequencer: which lists of actions there are, who waits for whom, and how far each can go (rules 4 to 6)."""

from __future__ import annotations

from callflow.core.content import actions_of, fit, resolve
from callflow.core.effects import cancel, start
from callflow.core.events import Event
from callflow.core.expressions import EvaluationError
from callflow.core.failures import fail
from callflow.core.finishing import through, wind_up
from callflow.core.flow import ROOT, Action, Transition
from callflow.core.immediate import carry_out
from callflow.core.render import render
from callflow.core.snapshot import OWED, ActionList
from callflow.core.table import inside, verb_of
from callflow.core.turn import Queued, ToolCall, Turn
from callflow.errors import EffectError


def owe_exit(turn: Turn, path: str) -> None:
    turn.add_list("exit", path, path, path)


def add_do(turn: Turn, row: Transition, event: Event | None) -> None:
    """A `do`: owed where the row has a target, else its state's own."""
    if row.target is None:
        turn.add_list("stay", row.source, row.source, row.id, event)
    else:
        turn.add_list("do", turn.table.domain(row), row.source, row.id, event)


def waits(turn: Turn, one: ActionList) -> bool:
    """Whether a list may not go on yet: for what was owed before it, for a cancelled effect of its region that has not
    stopped, for the entry lists around it, for the `do` before it."""
    table = turn.table
    for other in turn.lists.values():
        if other.seq == one.seq:
            continue
        if other.seq < one.seq and other.kind in OWED and not table.side_by_side(other.owner, one.owner):
            return True
        if one.kind == "entry" and other.kind == "entry" and inside(one.owner, other.owner):
            return True
        if one.kind == "stay" and other.kind == "stay" and other.seq < one.seq and other.owner == one.owner:
            return True
    return any(
        effect.stopping and effect.seq < one.seq and not table.side_by_side(effect.owner or ROOT, one.owner)
        for effect in turn.effects.values()
    )


def advance(turn: Turn) -> None:
    """Carries every list as far as it can go now."""
    while True:
        ready = next(
            (one for one in turn.lists.values() if one.effect is None and not one.stopped and not waits(turn, one)),
            None,
        )
        if ready is not None:
            _run(turn, ready)
        elif not wind_up(turn):
            return


def _run(turn: Turn, one: ActionList) -> None:
    if one.position < 0:
        if not _take_arguments(turn, one):
            return
        one = one._replace(position=0)
        turn.lists[one.seq] = one
    actions = actions_of(turn, one)
    while one.position < len(actions):
        action = actions[one.position]
        try:
            arguments = resolve(turn, one, action)
            if verb_of(action.verb).at_once:
                carry_out(turn, one, action, arguments)
        except (EvaluationError, EffectError) as error:
            fail(turn, one, action, str(error), timed_out=False)
            return
        if not verb_of(action.verb).at_once:
            effect = start(turn, one, action, arguments)
            if action.wait:
                turn.lists[one.seq] = one._replace(effect=effect)
                return
        one = one._replace(position=one.position + 1)
        turn.lists[one.seq] = one
    del turn.lists[one.seq]
    if one.instance is not None and all(other.instance != one.instance for other in turn.lists.values()):
        del turn.vars[one.instance]
    through(turn, one)


def _take_arguments(turn: Turn, one: ActionList) -> bool:
    """A sub-flow's `with:`, when its host's entry list begins. False: it has failed, and the list stops."""
    state = turn.flow.states[one.owner]
    if not state.arguments or state.subflow is None:
        return True
    try:
        values = render(dict(state.arguments), turn.context(state.scope, one.owner, None))
        variables = turn.flow.scopes[state.subflow].variables
        for name, value in values.items():
            turn.vars[state.subflow][name] = fit(turn, variables[name].type, value, f"with.{name}")
    except (EvaluationError, EffectError) as error:
        fail(turn, one, Action("with", {}, None, state.position), str(error), timed_out=False)
        return False
    return True


def leave(turn: Turn, path: str, speech: int | None) -> None:
    """A state is left: its lists that are not owed are dropped, what runs for them is cancelled; of a `do` without a
    target the rest of what acts at once acts now (rule 6). `speech`: the one in which the model called the tool that
    brings this about; it is not cut."""
    dropped = [one for one in turn.lists.values() if one.owner == path and one.kind not in OWED]
    for one in dropped:
        del turn.lists[one.seq]
        if one.kind == "stay":
            _act_at_once(turn, one)
        elif one.kind == "tool" and one.event is not None:
            turn.tools.append(ToolCall(one.event, path, error="the state that offers this tool was left"))
    for effect in [one for one in turn.effects.values() if one.owner == path and not one.stopping]:
        if effect.id == speech:
            turn.effects[effect.id] = effect._replace(owner=None, list=None)
        else:
            cancel(turn, effect)


def _act_at_once(turn: Turn, one: ActionList) -> None:
    actions = actions_of(turn, one)
    begin = one.position if one.effect is None and not one.stopped else one.position + 1
    for action in actions[begin:]:
        if verb_of(action.verb).at_once:
            try:
                carry_out(turn, one, action, resolve(turn, one, action))
            except (EvaluationError, EffectError) as error:
                turn.note("failure", action=action.verb, error=str(error), state=one.writer, optional=True)


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
