"""Effects: started, cancelled, ended. A named result is its action's end (rule 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from callflow.core import clocks, forwarding, tools
from callflow.core.actions import verb_of
from callflow.core.content import Prepared, action_of, scope_of, set_variables
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Queued
from callflow.core.failures import fail, fail_unawaited, note_failure
from callflow.core.flow import ROOT, Action
from callflow.core.snapshot import CALLS_OWN, ActionList, Cancel, Leg, Running, Start, without
from callflow.core.turn import Turn
from callflow.core.verbs.verb import Verb


def start(turn: Turn, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> int:
    number = turn.next_effect
    turn.next_effect += 1
    action, verb = prepared.action, prepared.verb
    source = (one.kind, one.key, one.position)
    owner = None if one.kind in CALLS_OWN else one.owner
    leg = arguments.get("leg")
    quiet = bool(arguments.get("loop")) and arguments.get("to") not in (None, MAIN_LEG)
    waiting = one.seq if action.wait else None
    keys = forwarding.terminator_of(verb, arguments) if verb.takes_keys else None
    running = Running(number, action.verb, owner, waiting, source, turn.time, False, 0, leg, quiet, keys)
    turn.effects = {**turn.effects, number: running}
    if verb.closes:
        turn.closing |= verb.closes
    if verb.dials:
        name = str(leg or MAIN_LEG)
        turn.legs = {**turn.legs, name: Leg(name, "dialing")}
    turn.out.append(
        Start(number, action.verb, arguments, action.timeout, action.tries, action.backoff, action.optional, source)
    )
    return number


def last_words(turn: Turn) -> None:
    """At a step's end: the speech that begins now is not interruptible where it is one of the call's last words and the
    flow does not say so. Not before, since the step may still be on its way out."""
    for n, effect in enumerate(turn.out if turn.out and turn.farewell else ()):
        if type(effect) is Start and verb_of(effect.verb).speech and effect.arguments.get("interruptible") is None:
            turn.out[n] = effect._replace(arguments={**effect.arguments, "interruptible": False})


def cancel(turn: Turn, effect: Running) -> None:
    """Stops an effect by force; later lists of its region wait until it has stopped, 5 s at most (rule 7)."""
    turn.effects = {**turn.effects, effect.id: effect._replace(list=None, stopping=True, seq=turn.sequence())}
    # What it would have closed is not closed by it: a `stand_by` that was left tells of nobody's line. A session that it
    # has begun to close goes all the same.
    if turn.closing:
        turn.closing -= verb_of(effect.verb).closes & {"line"}
    turn.out.append(Cancel(effect.id))
    clocks.arm(turn, "stop", ROOT, effect.id, turn.time + clocks.STOP_SECONDS)


def ended(turn: Turn, end: EffectEnded) -> Queued | None:
    """An effect has ended. Returns its named result as an event, which is taken before anything else (rule 7)."""
    effect = turn.effects.get(end.id)
    if effect is None:
        turn.note("stale", effect=end.id, status=end.status)
        return None
    turn.effects = without(turn.effects, end.id)
    verb = verb_of(effect.verb)
    seconds = turn.time - effect.started
    turn.note("ended", effect=end.id, verb=effect.verb, status=end.status, seconds=seconds, error=end.error)
    _closed_by(turn, effect, verb, end)
    if effect.stopping:
        clocks.disarm(turn, "stop", ROOT, effect.id)
        if verb.late is not None and end.status == "ok" and end.result.get("result") == verb.late.result:
            turn.note("late_answer", effect=effect.id, leg=effect.leg)
            _undo(turn, effect, verb.late.verb)
        return None
    forwarding.collected(turn, effect, end)
    one = None if effect.list is None else turn.lists.get(effect.list)
    if one is None:
        if end.status in ("failed", "timed_out"):
            fail_unawaited(turn, effect, end)
        return None
    if one.kind == "tool":
        return tools.ended(turn, one, end)
    action = action_of(turn, one).action
    if verb.results:
        return _named_result(turn, one, action, verb, effect, end)
    if end.status == "ok" or (end.status == "timed_out" and verb.timeout_is_success) or one.kind == "closing":
        if action.save_as is not None and end.status == "ok":
            set_variables(turn, one, {action.save_as: dict(end.result)})
            turn.note("set", scope=scope_of(turn, one), name=action.save_as, value=dict(end.result))
        if one.kind == "closing" and end.status == "ok":
            turn.call = {**turn.call, **end.result}
        turn.change_list(one.at(one.position + 1))
    else:
        error = end.error or ("out of time" if end.status == "timed_out" else end.status)
        fail(turn, one, action, error, timed_out=end.status == "timed_out")
    return None


def _named_result(
    turn: Turn, one: ActionList, action: Action, verb: Verb, effect: Running, end: EffectEnded
) -> Queued | None:
    if end.status == "ok":
        name, data = verb.result_event(end.result), dict(end.result)
        if verb.value_alone:  # its typed result is all that its event carries
            data = {"result": data.get("value")}
    else:
        name, data = _error_result(
            turn, verb, effect.leg, effect.started, end.error or end.status, end.status == "timed_out"
        )
    if action.save_as is not None and end.status == "ok":
        set_variables(turn, one, {action.save_as: dict(end.result)})
    turn.change_list(one.at(one.position, stopped=True))
    return Queued(Event(name, data, turn.time, effect.id), one.seq, result=True)


def _error_result(
    turn: Turn, verb: Verb, leg: str | None, began: float, error: str, timed_out: bool
) -> tuple[str, dict[str, Any]]:
    """The event that an error becomes, and its payload: as much of it as the catalogue says."""
    name = verb.error_result(timed_out) or verb.results[-1]
    result = name.partition(".")[2]
    about = {"leg": leg or MAIN_LEG, "elapsed": turn.time - began, "category": result}
    told = {field: value for field, value in about.items() if field in verb.failed_with}
    return name, {"result": result, "error": error, **told}


def not_begun(turn: Turn, one: ActionList, action: Action, error: str) -> None:
    """An action could not begin: one of its texts cannot be rendered, or means nothing there. Of a verb that has named
    results that is its error's, as if it had begun (rule 7)."""
    verb = verb_of(action.verb)
    if not (verb.results and turn.live):
        fail(turn, one, action, error, timed_out=False)
        return
    note_failure(turn, one, action, error)
    name, data = _error_result(turn, verb, action.arguments.get("leg"), turn.time, error, timed_out=False)
    turn.change_list(one.at(one.position, stopped=True))
    turn.queue += (Queued(Event(name, data, turn.time), one.seq, result=True),)


def _closed_by(turn: Turn, effect: Running, verb: Verb, end: EffectEnded) -> None:
    """What an effect has closed. If it failed, whatever closes later was somebody else's doing."""
    if end.status == "ok":
        if verb.closes:
            turn.closed |= verb.closes
        _legs_after(turn, effect, verb)
    elif end.status == "failed" and verb.closes:
        turn.closing -= verb.closes


def _legs_after(turn: Turn, effect: Running, verb: Verb) -> None:
    if verb.mutes is not None:
        turn.muted = verb.mutes
    if verb.holds_far_end:
        _put(turn, MAIN_LEG, "on_line")
    if verb.leg_after is not None:
        _put(turn, effect.leg or MAIN_LEG, verb.leg_after)


def _put(turn: Turn, name: str, status: Literal["hold", "on_line"]) -> None:
    """On hold, or on the line again; whoever is not there is neither."""
    leg = turn.legs.get(name)
    if leg is not None and leg.status in ("on_line", "hold"):
        turn.legs = {**turn.legs, name: leg._replace(status=status)}


def _undo(turn: Turn, effect: Running, verb: str) -> None:
    """What a cancelled effect has done all the same is undone: a leg that answers after its dial was cancelled is dropped."""
    number = turn.next_effect
    turn.next_effect += 1
    entry = verb_of(verb)
    turn.effects = {**turn.effects, number: Running(number, verb, None, None, effect.source, turn.time)}
    turn.out.append(
        Start(number, verb, {"leg": effect.leg or MAIN_LEG}, entry.timeout, entry.tries, source=effect.source)
    )
