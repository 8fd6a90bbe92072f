"""What happens on a way, as an author would write it: what nobody has to say, since it happens by itself, is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import CALL_FIELDS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import ROOT, Flow
from callflow.core.snapshot import Running, Start, Step
from callflow.core.values.reads import reads
from callflow.core.values.representatives import representatives_of
from callflow.core.values.said import said
from callflow.coverage.things import VERDICTS, asks_outside
from callflow.proof.way import Way
from callflow.proof.world import WORD
from callflow.scenario import Scenario
from callflow.scenario import Step as Said
from callflow.scenario.model import Act, Calls, Ending, Ends, Fires, Occurs, Presses, Speaks, Waits
from callflow.scenario.reading import BEGINS
from callflow.scenario.running import timer_name

_WEEK = 7 * 24 * 3600.0


class Form(NamedTuple):
    """How much is said. `bare`: of results their name alone. `gap`: what happens before anything has ended happens so many seconds after the step before it. `timed`:
    people do things when they do on the way. `held`: what does not end on the way does not end by itself. `whole`: all that happens
    is said, with all fields."""

    bare: bool = False
    gap: float | None = None
    timed: bool = False
    held: bool = False
    whole: bool = False


FORMS = (
    Form(bare=True), Form(bare=True, gap=0.5), Form(), Form(gap=0.0), Form(gap=0.5), Form(held=True), Form(held=True, gap=0.5),
    Form(timed=True), Form(timed=True, held=True), Form(whole=True), Form(whole=True, gap=0.0), Form(whole=True, timed=True, held=True),
)  # fmt: skip
"""The most readable ones first."""


def scenario_of(flow: Flow, way: Way, form: Form) -> Scenario:
    """A scenario in which the same happens, each thing once the one before is through. Nothing is expected yet."""
    begun = way.steps[0].snapshot.memory
    defaults = {name: one.default for name, one in flow.scopes[ROOT].variables.items() if not one.required}
    given = {name: value for name, value in begun.vars.get(ROOT, {}).items() if (name, value) not in defaults.items()}
    by_the_clock = len({one.time for one in representatives_of(flow).beginnings()}) > 1
    return Scenario(
        "",
        flow,
        tuple(_steps(flow, way, form)),
        begun.started + _WEEK * (BEGINS // _WEEK) if by_the_clock else BEGINS,
        given,
        begun.env,
        {**_caller(flow, way), **begun.call},
        _held(way) if form.held else {},
        waiting=flow.answer == "manual",
    )


def _caller(flow: Flow, way: Way) -> dict[str, Any]:
    """What the flow asks of the far end, as it is told when they are on the line."""
    answered = next((one for one in way.inputs if isinstance(one, Event) and one.name == "call.answered"), None)
    asked = reads(flow).call & CALL_FIELDS.keys() if answered is not None else ()
    return {} if answered is None else _telling({name: answered.data.get(name) for name in sorted(asked)})


def _held(way: Way) -> dict[str, tuple[Ending, ...]]:
    """How actions end of a verb of which the last one does not end on the way, one after the other."""
    begun = [one for step in way.steps for one in step.effects if isinstance(one, Start) and not verb_of(one.verb).last]
    ended = {one.id: one for one in way.inputs if isinstance(one, EffectEnded) and one.status != "cancelled"}
    last = {one.verb: one.id for one in begun}
    held = [verb for verb, number in last.items() if number not in ended]
    found = {verb: tuple(_ending(ended.get(one.id)) for one in begun if one.verb == verb) for verb in held}
    verdict = any(isinstance(one, Event) and one.name in VERDICTS for one in way.inputs)
    if not verdict and any(verb_of(one.verb).given("detection", one.arguments) is not None for one in begun):
        found["detect_machine"] = (Ending(never=True),)
    return found


def _ending(end: EffectEnded | None) -> Ending:
    if end is None:
        return Ending(never=True)
    if end.status != "ok":
        return Ending(end.status)
    word = {"result": end.result["result"]} if "result" in end.result else {}
    return Ending(result={**word, **_telling(end.result)} if word else {})


def _steps(flow: Flow, way: Way, form: Form) -> Iterator[Said]:
    ended = form.gap is None  # whether anything has ended since the last act
    began = way.steps[0].snapshot.memory.started
    for before, after in zip(way.steps, way.steps[1:], strict=False):
        event = after.event
        act = None if event is None else _act(flow, before, event, after, form)
        if act is None or event is None:
            ended = (
                ended
                or isinstance(event, TimerFired)
                or (isinstance(event, EffectEnded) and event.status != "cancelled")
            )
            continue
        if form.timed and isinstance(event, Event):
            yield Said(act, round(event.time - began, 3))
        elif ended or form.gap is None or isinstance(act, Fires):
            yield Said(act)
        else:
            if form.gap:
                yield Said(Waits(form.gap))
            yield Said(act, "now")
        ended = isinstance(act, (Ends, Fires))


def _act(flow: Flow, before: Step, event: Input, after: Step, form: Form) -> Act | None:
    memory = before.snapshot.memory
    if isinstance(event, TimerFired):
        timer = next((one for one in memory.timers if one.generation == event.generation), None)
        if timer is None or timer.kind in ("stop", "settle") or not after.moves:
            return None
        return Fires(timer_name(flow, timer))
    if isinstance(event, EffectEnded):
        effect = memory.effects.get(event.id)
        return None if effect is None or effect.stopping else _end(flow, effect, event, form)
    return _event(flow, event, after, form)


def _end(flow: Flow, effect: Running, event: EffectEnded, form: Form) -> Act | None:
    verb, result = verb_of(effect.verb), {name: one for name, one in event.result.items() if name != "leg"}
    if event.status in ("failed", "timed_out"):
        return Ends(effect.verb, Ending(event.status))
    if event.status != "ok" or not asks_outside(verb):
        return None
    word = result.get("result")
    if verb.takes_keys and not form.whole and result.get("digits"):
        return Presses(f"{result['digits']}{_terminator(result)}")
    if verb.results and not form.whole:
        if verb.result_event(result) == verb.results[0]:
            return None  # it ends so by itself
        return Ends(effect.verb, Ending(result={"result": word, **({} if form.bare else _telling(result))}))
    return Ends(effect.verb, Ending(result=result if form.whole else _telling(result)))


def _terminator(result: Mapping[str, Any]) -> str:
    key = result.get("ended_by")
    return key if isinstance(key, str) and len(key) == 1 else ""


def _telling(result: Mapping[str, Any]) -> dict[str, Any]:
    """What of a result says something."""
    return {name: one for name, one in result.items() if one not in (None, "", 0, {}, []) and name not in _SAYS_NOTHING}


_SAYS_NOTHING = frozenset({"result", "leg", "elapsed"})
"""Fields of a result that its name says, or its time."""


_WORDS = "Well, yes."
"""What somebody says of whom only that matters."""

_BY_ITSELF = frozenset({"ringing", "answered"})


def act_of(flow: Flow, event: Event) -> Act | None:
    """The step that is this event, words included; None where it happens by itself."""
    return _outside(event, said(flow, event), Form(whole=True))


def _event(flow: Flow, event: Event, after: Step, form: Form) -> Act | None:
    matters = after.moves or form.whole or (event.name == WORD and form.timed) or event.name.startswith("tool.")
    return _outside(event, event.data if form.whole else said(flow, event), form) if matters else None


def _outside(event: Event, data: Mapping[str, Any], form: Form) -> Act | None:
    """`data`: what is said of it where its name does not say all."""
    name = event.name
    family, _, rest = name.partition(".")
    leg, _, what = rest.partition(".") if family == "leg" else (MAIN_LEG, "", rest)
    if family == "tool":
        return Calls(((rest, {key: one for key, one in event.data.items() if key != "result"}),))
    if family == "amd":
        return Ends("detect_machine", Ending(result={"result": rest, **({} if form.bare else _telling(event.data))}))
    if family in ("call", "leg") and what in _BY_ITSELF:
        return None
    if name == WORD and (form.timed or form.whole):
        return Speaks(_WORDS)
    key = str(event.data.get("digit", ""))
    if family == "dtmf" or what.startswith("dtmf."):
        return Presses(key or rest.rpartition(".")[2], leg)
    return Occurs(name, {field: one for field, one in data.items() if field != "leg"})
