"""The sequencer: lists of actions, one after the other or side by side, and their effects (rules 4 to 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core import clocks
from callflow.core.actions import Verb
from callflow.core.events import MAIN_LEG, NO_DATA, EffectEnded, Event
from callflow.core.expressions import ANY, EvaluationError, Template, accepts, coerce, describe
from callflow.core.flow import ROOT, Action, Transition
from callflow.core.render import render
from callflow.core.snapshot import OWED, ActionList, Cancel, Leg, Running, Start
from callflow.core.table import inside, verb_of
from callflow.core.turn import Queued, ToolCall, Turn
from callflow.errors import EffectError

CLOSE = Action("close", {}, 30.0, position=None)  # type: ignore[arg-type]  # the step's own, in no file

# -- what a list is made of ------------------------------------------------------------------------------------------


def actions_of(turn: Turn, one: ActionList) -> tuple[Action, ...]:
    """The actions of a list, found in the flow by its kind and key."""
    flow = turn.flow
    if one.kind in ("do", "stay"):
        return flow.transitions[int(one.key)].actions
    if one.kind == "wrap_up":
        return flow.wrap_up
    if one.kind == "closing":
        return (CLOSE,)
    if one.kind == "tool":
        run = flow.tools[str(one.key)].run
        return () if run is None else (run,)
    state = turn.table.states[str(one.key)]
    if one.kind == "task":
        return state.task
    return state.state.entry if one.kind == "entry" else state.state.exit


def scope_of(turn: Turn, one: ActionList) -> str:
    """The sub-flow whose variables a list reads and sets."""
    if one.kind in ("do", "stay"):
        return turn.flow.transitions[int(one.key)].scope
    if one.kind in ("wrap_up", "closing", "tool"):
        return ROOT
    return turn.flow.states[str(one.key)].scope


def owe_exit(turn: Turn, path: str) -> None:
    turn.add_list("exit", path, path, path)


def add_do(turn: Turn, row: Transition, event: Event | None) -> None:
    """A `do`: owed where the row has a target, else its state's own."""
    if row.target is None:
        turn.add_list("stay", row.source, row.source, row.id, event)
    else:
        turn.add_list("do", turn.table.domain(row), row.source, row.id, event)


# -- who waits for whom ----------------------------------------------------------------------------------------------


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
        elif not _wind_up(turn):
            return


def _run(turn: Turn, one: ActionList) -> None:
    if one.kind == "entry" and one.position == 0 and not _take_arguments(turn, one):
        return
    actions = actions_of(turn, one)
    while one.position < len(actions):
        action = actions[one.position]
        try:
            arguments = _resolve(turn, one, action)
            if verb_of(action.verb).at_once:
                _carry_out(turn, one, action, arguments)
        except (EvaluationError, EffectError) as error:
            _fail(turn, one, action, str(error), timed_out=False)
            return
        if not verb_of(action.verb).at_once:
            effect = _start(turn, one, action, arguments)
            if action.wait:
                turn.lists[one.seq] = one._replace(effect=effect)
                return
        one = one._replace(position=one.position + 1)
        turn.lists[one.seq] = one
    del turn.lists[one.seq]
    _through(turn, one)


def _take_arguments(turn: Turn, one: ActionList) -> bool:
    """A sub-flow's `with:`, when its host's entry list begins. False: it has failed, and the list stops."""
    state = turn.flow.states[one.owner]
    if not state.arguments or state.subflow is None:
        return True
    try:
        values = render(dict(state.arguments), turn.context(state.scope, one.owner, None))
        variables = turn.flow.scopes[state.subflow].variables
        for name, value in values.items():
            turn.vars[state.subflow][name] = _fit(turn, variables[name].type, value, f"with.{name}")
    except (EvaluationError, EffectError) as error:
        _fail(turn, one._replace(position=-1), Action("with", {}, None, state.position), str(error), timed_out=False)
        return False
    return True


def _fit(turn: Turn, kind: Any, value: Any, name: str) -> Any:
    try:
        return value if turn.verdicts is not None else coerce(kind, value)
    except ValueError as error:
        raise EffectError(f"{name}: {error}") from error


def _resolve(turn: Turn, one: ActionList, action: Action) -> dict[str, Any]:
    """An action's arguments, its texts rendered now. Raises EvaluationError, or EffectError where a value is not of its type."""
    if one.kind == "closing":
        open_ones = {"session", "line"} - turn.closed
        return {name: name in open_ones for name in ("session", "line")}
    context = turn.context(scope_of(turn, one), one.writer, one.event)
    verb = verb_of(action.verb)
    arguments: dict[str, Any] = {}
    for name, value in action.arguments.items():
        rendered = arguments[name] = render(value, context)
        argument = verb.arguments.get(name)
        # What stands in the file was checked when it was loaded; a digest in a replayed journal is of no type.
        if argument is None or not isinstance(value, Template) or rendered is None or turn.verdicts is not None:
            continue
        if argument.type is not ANY and not accepts(argument.type, rendered):
            raise EffectError(f"{action.verb}.{name} must be {argument.type}, not {describe(rendered)}")
    return arguments


# -- what the step does itself ---------------------------------------------------------------------------------------


def _carry_out(turn: Turn, one: ActionList, action: Action, arguments: Mapping[str, Any]) -> None:
    """`set`, `outcome`, `emit`, `log`."""
    if action.verb == "set":
        scope = scope_of(turn, one)
        variables = turn.flow.scopes[scope].variables
        values = {
            name: _fit(turn, variables[name].type, value, f"set.{name}") for name, value in arguments["values"].items()
        }
        turn.vars[scope].update(values)
        for name, value in values.items():
            turn.note("set", scope=scope, name=name, value=value)
    elif action.verb == "outcome":
        set_outcome(turn, str(arguments["name"]))
    elif action.verb == "emit":
        event = Event(arguments["event"], arguments.get("data") or NO_DATA, turn.time)
        turn.note("emitted", event=event.name, data=event.data)
        if turn.live:
            turn.queue.append(Queued(event))
    else:
        turn.note("log", level=arguments.get("level", "info"), message=arguments["message"])


def set_outcome(turn: Turn, name: str) -> None:
    """The first outcome stays (rule 14). Raises EffectError for a word that is none of the flow's outcomes."""
    if name not in turn.flow.outcomes:
        raise EffectError(f"{name!r} is no outcome of this flow")
    if turn.outcome is None:
        turn.outcome = name
        turn.note("outcome", name=name)
    else:
        turn.note("late_outcome", name=name, stands=turn.outcome)


# -- effects ---------------------------------------------------------------------------------------------------------


def _start(turn: Turn, one: ActionList, action: Action, arguments: dict[str, Any]) -> int:
    number = turn.next_effect
    turn.next_effect += 1
    verb = verb_of(action.verb)
    source = (one.kind, one.key, one.position)
    owner = None if one.kind in OWED else one.owner
    leg = arguments.get("leg") if action.verb in ("dial", "transfer", "consult") else None
    turn.effects[number] = Running(
        number,
        action.verb,
        owner,
        one.seq if action.wait else None,
        source,
        turn.time,
        leg=leg,
        quiet=bool(arguments.get("loop")),
    )
    turn.closing |= verb.closes
    if action.verb == "dial":
        name = str(leg or MAIN_LEG)
        turn.legs[name] = Leg(name, "dialing")
    turn.out.append(
        Start(number, action.verb, arguments, action.timeout, action.tries, action.backoff, action.optional, source)
    )
    return number


def cancel(turn: Turn, effect: Running) -> None:
    """Stops an effect by force; later lists of its region wait until it has stopped, 5 s at most (rule 7)."""
    turn.effects[effect.id] = effect._replace(list=None, stopping=True, seq=turn.sequence())
    turn.out.append(Cancel(effect.id))
    clocks.arm(turn, "stop", ROOT, effect.id, turn.time + clocks.STOP_SECONDS)


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
                _carry_out(turn, one, action, _resolve(turn, one, action))
            except (EvaluationError, EffectError) as error:
                turn.note("failure", action=action.verb, error=str(error), state=one.writer, optional=True)


def ended(turn: Turn, end: EffectEnded) -> Queued | None:
    """An effect has ended. Returns its named result as an event, which is taken before anything else (rule 7)."""
    effect = turn.effects.pop(end.id, None)
    if effect is None:
        turn.note("stale", effect=end.id, status=end.status)
        return None
    verb = verb_of(effect.verb)
    turn.note(
        "ended", effect=end.id, verb=effect.verb, status=end.status, seconds=turn.time - effect.started, error=end.error
    )
    _closed_by(turn, effect, end)
    if effect.stopping:
        clocks.disarm(turn, "stop", ROOT, effect.id)
        if effect.verb == "dial" and end.status == "ok" and end.result.get("result") == "answered":
            turn.note("late_answer", effect=effect.id, leg=effect.leg)
            _drop_leg(turn, effect)
        return None
    one = None if effect.list is None else turn.lists.get(effect.list)
    action = None if one is None else actions_of(turn, one)[one.position]
    if one is None or action is None:
        if end.status in ("failed", "timed_out"):
            _fail_unawaited(turn, effect, end)
        return None
    one = one._replace(effect=None)
    turn.lists[one.seq] = one
    if one.kind == "tool":
        return _tool_ended(turn, one, end)
    if verb.results:
        return _named_result(turn, one, action, verb, effect, end)
    if end.status == "ok" or (end.status == "timed_out" and verb.timeout_is_success) or one.kind == "closing":
        if action.save_as is not None and end.status == "ok":
            turn.vars[scope_of(turn, one)][action.save_as] = dict(end.result)
            turn.note("set", scope=scope_of(turn, one), name=action.save_as, value=dict(end.result))
        if one.kind == "closing" and end.status == "ok":
            turn.call = {**turn.call, **end.result}
        turn.lists[one.seq] = one._replace(position=one.position + 1)
    else:
        error = end.error or ("out of time" if end.status == "timed_out" else end.status)
        _fail(turn, one, action, error, timed_out=end.status == "timed_out")
    return None


def _named_result(
    turn: Turn, one: ActionList, action: Action, verb: Verb, effect: Running, end: EffectEnded
) -> Queued | None:
    if end.status == "ok":
        family = verb.results[0].partition(".")[0]
        name, data = f"{family}.{end.result.get('result', '')}", dict(end.result)
        if verb.name == "task":  # its typed result is all that its event carries
            data = {"result": data.get("value")}
    else:
        timed_out = end.status == "timed_out"
        name = verb.error_result(timed_out) or verb.results[-1]
        data = {"result": name.partition(".")[2], "error": end.error or end.status}
        if verb.name == "dial":
            data |= {"leg": effect.leg or MAIN_LEG, "elapsed": turn.time - effect.started}
        if verb.name == "detect_machine":
            data["category"] = "uncertain"
    if action.save_as is not None and end.status == "ok":
        turn.vars[scope_of(turn, one)][action.save_as] = dict(end.result)
    turn.lists[one.seq] = one._replace(stopped=True)
    return Queued(Event(name, data, turn.time, effect.id), one.seq, result=True)


def _tool_ended(turn: Turn, one: ActionList, end: EffectEnded) -> Queued | None:
    del turn.lists[one.seq]
    event = one.event or Event(f"tool.{one.key}")
    tool = turn.flow.tools[str(one.key)]
    if end.status != "ok":
        turn.tools.append(ToolCall(event, one.owner, error=end.error or "out of time"))
        turn.note("failure", action=f"tool.{tool.name}", error=end.error, state=one.owner, optional=True)
        return None
    result: Any = dict(end.result)
    data = {**event.data, "result": result}
    if tool.result is not None:
        try:
            result = render(tool.result, turn.context(ROOT, one.owner, event, result=result))
        except (EvaluationError, EffectError) as error:
            turn.tools.append(ToolCall(event, one.owner, error=str(error)))
            return Queued(event._replace(data=data, time=turn.time))
    turn.tools.append(ToolCall(event, one.owner, result=result))
    return Queued(event._replace(data=data, time=turn.time))


def _closed_by(turn: Turn, effect: Running, end: EffectEnded) -> None:
    """What an effect has closed. If it failed, whatever closes later was somebody else's doing."""
    if end.status == "ok":
        turn.closed |= verb_of(effect.verb).closes
        _legs_after(turn, effect)
    elif end.status == "failed":
        turn.closing -= verb_of(effect.verb).closes


def _legs_after(turn: Turn, effect: Running) -> None:
    if effect.verb in ("hold", "resume"):
        source = turn.legs.get(MAIN_LEG)
        if source is not None and source.status in ("on_line", "hold"):
            turn.legs[MAIN_LEG] = source._replace(status="hold" if effect.verb == "hold" else "on_line")


def _drop_leg(turn: Turn, effect: Running) -> None:
    """A leg that answers after its dial was cancelled is dropped."""
    number = turn.next_effect
    turn.next_effect += 1
    turn.effects[number] = Running(number, "remove_participant", None, None, effect.source, turn.time)
    turn.out.append(Start(number, "remove_participant", {"leg": effect.leg or MAIN_LEG}, 5.0, 3, source=effect.source))


# -- failures, and a list's end --------------------------------------------------------------------------------------


def _fail(turn: Turn, one: ActionList, action: Action, error: str, *, timed_out: bool) -> None:
    """An action has failed: recorded where it is optional or nobody could act on it, else `failed` (rule 9)."""
    optional = action.optional or not turn.live
    turn.note("failure", action=action.verb, error=error, state=one.writer, optional=optional)
    if optional:
        turn.lists[one.seq] = one._replace(effect=None, stopped=False, position=one.position + 1)
        return
    turn.lists[one.seq] = one._replace(effect=None, stopped=True)
    turn.queue.append(Queued(failure(turn, one, action.verb, error, timed_out), one.seq))


def _fail_unawaited(turn: Turn, effect: Running, end: EffectEnded) -> None:
    """Speech that its list did not wait for has failed: the state hears of it all the same. One that outlived its list
    (the model called a tool in it) has nobody left, and is recorded."""
    kind, key, position = effect.source
    outlived = effect.owner is None and kind not in OWED
    one = ActionList(0, kind, ROOT, turn.flow.transitions[int(key)].source if kind in ("do", "stay") else str(key), key)
    recorded = outlived or not turn.live or actions_of(turn, one)[position].optional
    error = end.error or ("out of time" if end.status == "timed_out" else end.status)
    turn.note("failure", action=effect.verb, error=error, state=one.writer, optional=recorded)
    if not recorded:
        turn.queue.append(Queued(failure(turn, one, effect.verb, error, end.status == "timed_out")))


def failure(turn: Turn, one: ActionList, verb: str, error: str, timed_out: bool) -> Event:
    data = {"action": verb, "error": error, "timeout": timed_out, "origin": one.writer}
    return Event("failed", data, turn.time, state=one.writer)


def settle(turn: Turn, queued: Queued, taken: bool) -> None:
    """A list that had stopped goes on: its failure or its named result has been taken."""
    one = None if queued.list is None else turn.lists.get(queued.list)
    if one is None:
        return
    action = actions_of(turn, one)[one.position] if one.position >= 0 else None
    if queued.result and not taken and action is not None:
        verb = verb_of(action.verb)
        if queued.event.name not in verb.success:
            _fail(turn, one, action, _sentence(queued.event), timed_out=queued.event.name == verb.on_timeout)
            return
    turn.lists[one.seq] = one._replace(stopped=False, position=one.position + 1)


def _sentence(event: Event) -> str:
    why = event.data.get("error") or event.data.get("cause") or ""
    return f"{event.name}{': ' if why else ''}{why}, and no row takes it"


def _through(turn: Turn, one: ActionList) -> None:
    """A list has ended: its state may be done (rule 8)."""
    if one.kind not in ("entry", "task") or not turn.live:
        return
    state = turn.table.states[one.owner]
    if one.kind == "entry" and state.task:
        turn.add_list("task", one.owner, one.owner, one.owner)
    elif state.kind == "final":
        _inside_done(turn, state.parent or ROOT, one.owner)
    elif not state.children:
        turn.queue.append(Queued(Event("done", NO_DATA, turn.time, state=one.owner)))


def _inside_done(turn: Turn, path: str, final: str) -> None:
    """The inside of `path` has reached a final state whose own list is through."""
    if path == ROOT:
        return
    ending = turn.flow.states[final]
    returns: dict[str, Any] = {}
    for name, template in ending.returns.items():
        try:
            returns[name] = render(template, turn.context(ending.scope, final, None))
        except (EvaluationError, EffectError) as error:
            turn.note("failure", action=f"returns.{name}", error=str(error), state=final, optional=True)
    turn.queue.append(Queued(Event("done", {"final": ending.name, "returns": returns}, turn.time, state=path)))
    parent = turn.table.states[path].parent
    if (
        parent is not None
        and parent != ROOT
        and turn.table.states[parent].kind == "parallel"
        and _is_done(turn, parent)
    ):
        _regions_done(turn, parent)


def _regions_done(turn: Turn, path: str) -> None:
    turn.queue.append(Queued(Event("done", {"final": "", "returns": {}}, turn.time, state=path)))
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
    return any(one.kind == "entry" and one.owner == path for one in turn.lists.values())


def _wind_up(turn: Turn) -> bool:
    """After a final state: once nothing is owed, what is still open is closed by force, then `wrap_up`, then the end.
    True: there is something to advance again (rule 13)."""
    if turn.lists or turn.live or turn.phase == "ended":
        return False
    if turn.phase == "final":
        if any(effect.stopping for effect in turn.effects.values()):
            return False
        if {"session", "line"} - turn.closed or turn.flow.wrap_up:
            turn.phase = "closing"
            turn.add_list("closing", ROOT, ROOT, "")
            return True
    elif turn.phase == "closing" and turn.flow.wrap_up:
        turn.phase = "wrap_up"
        turn.add_list("wrap_up", ROOT, ROOT, "")
        return True
    turn.phase = "ended"
    turn.timers = []
    for effect in turn.effects.values():
        if not effect.stopping:  # speech that an owed list did not wait for
            turn.out.append(Cancel(effect.id))
    turn.effects = {}
    return False
