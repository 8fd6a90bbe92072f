"""Effects: started, cancelled, ended. A named result is its action's end (rule 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from callflow.core import autoforward, clocks, tools
from callflow.core.actions import verb_of
from callflow.core.content import Prepared, action_of, scope_of, set_variables
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Queued
from callflow.core.failures import fail, fail_unawaited, note_failure
from callflow.core.flow import ROOT, Action
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import CALLS_OWN, ActionList, Cancel, Leg, Note, Running, Start, joined, left, without
from callflow.core.verbs.verb import Verb


def start(macrostep: Macrostep, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> int:
    number = macrostep.next_effect
    macrostep.next_effect += 1
    action, verb = prepared.action, prepared.verb
    owner = None if one.kind in CALLS_OWN else one.owner
    leg = arguments.get("leg")
    quiet = bool(arguments.get("loop")) and arguments.get("to") not in (None, MAIN_LEG)
    waiting = one.seq if action.wait else None
    keys = autoforward.terminator_of(verb, arguments) if verb.takes_keys else None
    running = Running(number, action.verb, owner, waiting, prepared.source, macrostep.time, False, 0, leg, quiet, keys)
    macrostep.effects = {**macrostep.effects, number: running}
    if verb.closes:
        macrostep.closing = joined(macrostep.closing, verb.closes)
    if verb.dials:
        name = str(leg or MAIN_LEG)
        macrostep.legs = {**macrostep.legs, name: Leg(name, "dialing")}
    macrostep.out.append(
        Start(
            number,
            action.verb,
            arguments,
            action.timeout,
            action.tries,
            action.backoff,
            action.optional,
            prepared.source,
        )
    )
    return number


def last_words(macrostep: Macrostep) -> None:
    """At a step's end: the speech that begins now is not interruptible where it is one of the call's last words and the
    flow does not say so. Not before, since the step may still be on its way out."""
    for n, effect in enumerate(macrostep.out if macrostep.out and macrostep.farewell else ()):
        if type(effect) is Start and verb_of(effect.verb).speech and effect.arguments.get("interruptible") is None:
            macrostep.out[n] = effect._replace(arguments={**effect.arguments, "interruptible": False})


def cancel(macrostep: Macrostep, effect: Running) -> None:
    """Stops an effect by force; later lists of its region wait until it has stopped, 5 s at most (rule 7)."""
    macrostep.effects = {
        **macrostep.effects,
        effect.id: effect._replace(list=None, stopping=True, seq=macrostep.sequence()),
    }
    # What it would have closed is not closed by it: a `stand_by` that was left tells of nobody's line. A session that it
    # has begun to close goes all the same.
    if macrostep.closing:
        macrostep.closing = left(macrostep.closing, verb_of(effect.verb).closes & {"line"})
    macrostep.out.append(Cancel(effect.id))
    clocks.arm(macrostep, "stop", ROOT, effect.id, macrostep.time + clocks.STOP_SECONDS)


def ended(macrostep: Macrostep, end: EffectEnded) -> Queued | None:
    """An effect has ended. Returns its named result as an event, which is taken before anything else (rule 7)."""
    effect = macrostep.effects.get(end.id)
    if effect is None:
        macrostep.note("stale", effect=end.id, status=end.status)
        return None
    macrostep.effects = without(macrostep.effects, end.id)
    verb = verb_of(effect.verb)
    seconds = macrostep.time - effect.started
    told = {"effect": end.id, "verb": effect.verb, "status": end.status, "seconds": seconds, "error": end.error}
    macrostep.notes.append(Note("ended", told))
    _closed_by(macrostep, effect, verb, end)
    if effect.stopping:
        clocks.disarm(macrostep, "stop", ROOT, effect.id)
        if verb.late is not None and end.status == "ok" and end.result.get("result") == verb.late.result:
            macrostep.note("late_answer", effect=effect.id, leg=effect.leg)
            _undo(macrostep, effect, verb.late.verb)
        return None
    autoforward.collected(macrostep, effect, end)
    one = None if effect.list is None else macrostep.lists.get(effect.list)
    if one is None:
        if end.status in ("failed", "timed_out"):
            fail_unawaited(macrostep, effect, end)
        return None
    if one.kind == "tool":
        return tools.ended(macrostep, one, end)
    action = action_of(macrostep, one).action
    if verb.results:
        return _named_result(macrostep, one, action, verb, effect, end)
    if end.status == "ok" or (end.status == "timed_out" and verb.timeout_is_success) or one.kind == "closing":
        if action.save_as is not None and end.status == "ok":
            set_variables(macrostep, one, {action.save_as: dict(end.result)})
            macrostep.note("set", scope=scope_of(macrostep, one), name=action.save_as, value=dict(end.result))
        if one.kind == "closing" and end.status == "ok":
            macrostep.call = {**macrostep.call, **end.result}
        macrostep.change_list(one.at(one.position + 1))
    else:
        error = end.error or ("out of time" if end.status == "timed_out" else end.status)
        fail(macrostep, one, action, error, timed_out=end.status == "timed_out")
    return None


def _named_result(
    macrostep: Macrostep, one: ActionList, action: Action, verb: Verb, effect: Running, end: EffectEnded
) -> Queued | None:
    if end.status == "ok":
        name, data = verb.result_event(end.result), dict(end.result)
        if verb.value_alone:  # its typed result is all that its event carries
            data = {"result": data.get("value")}
    else:
        name, data = _error_result(
            macrostep, verb, effect.leg, effect.started, end.error or end.status, end.status == "timed_out"
        )
    if action.save_as is not None and end.status == "ok":
        set_variables(macrostep, one, {action.save_as: dict(end.result)})
    macrostep.change_list(one.at(one.position, stopped=True))
    return Queued(Event(name, data, macrostep.time, effect.id), one.seq, result=True)


def _error_result(
    macrostep: Macrostep, verb: Verb, leg: str | None, began: float, error: str, timed_out: bool
) -> tuple[str, dict[str, Any]]:
    """The event that an error becomes, and its payload: as much of it as the catalogue says."""
    name = verb.error_result(timed_out) or verb.results[-1]
    result = name.partition(".")[2]
    about = {"leg": leg or MAIN_LEG, "elapsed": macrostep.time - began, "category": result}
    told = {field: value for field, value in about.items() if field in verb.failed_with}
    return name, {"result": result, "error": error, **told}


def not_begun(macrostep: Macrostep, one: ActionList, action: Action, error: str) -> None:
    """An action could not begin: one of its texts cannot be rendered, or means nothing there. Of a verb that has named
    results that is its error's, as if it had begun (rule 7)."""
    verb = verb_of(action.verb)
    if not (verb.results and macrostep.live):
        fail(macrostep, one, action, error, timed_out=False)
        return
    note_failure(macrostep, one, action, error)
    name, data = _error_result(macrostep, verb, action.arguments.get("leg"), macrostep.time, error, timed_out=False)
    macrostep.change_list(one.at(one.position, stopped=True))
    macrostep.queue += (Queued(Event(name, data, macrostep.time), one.seq, result=True),)


def _closed_by(macrostep: Macrostep, effect: Running, verb: Verb, end: EffectEnded) -> None:
    """What an effect has closed. If it failed, whatever closes later was somebody else's doing."""
    if end.status == "ok":
        if verb.closes:
            macrostep.closed = joined(macrostep.closed, verb.closes)
        _legs_after(macrostep, effect, verb)
    elif end.status == "failed" and verb.closes:
        macrostep.closing = left(macrostep.closing, verb.closes)


def _legs_after(macrostep: Macrostep, effect: Running, verb: Verb) -> None:
    if verb.mutes is not None:
        macrostep.muted = verb.mutes
    if verb.holds_far_end:
        _put(macrostep, MAIN_LEG, "on_line")
    if verb.leg_after is not None:
        _put(macrostep, effect.leg or MAIN_LEG, verb.leg_after)


def _put(macrostep: Macrostep, name: str, status: Literal["hold", "on_line"]) -> None:
    """On hold, or on the line again; whoever is not there is neither."""
    leg = macrostep.legs.get(name)
    if leg is not None and leg.status in ("on_line", "hold"):
        macrostep.legs = {**macrostep.legs, name: leg._replace(status=status)}


def _undo(macrostep: Macrostep, effect: Running, verb: str) -> None:
    """What a cancelled effect has done all the same is undone: a leg that answers after its dial was cancelled is dropped."""
    number = macrostep.next_effect
    macrostep.next_effect += 1
    entry = verb_of(verb)
    macrostep.effects = {**macrostep.effects, number: Running(number, verb, None, None, effect.source, macrostep.time)}
    macrostep.out.append(
        Start(number, verb, {"leg": effect.leg or MAIN_LEG}, entry.timeout, entry.tries, source=effect.source)
    )
