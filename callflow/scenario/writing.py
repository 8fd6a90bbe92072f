"""Scenarios as YAML: what is written is read as it was. And a call's inputs as a scenario that takes exactly these."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.events import MAIN_LEG, NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Running
from callflow.scenario import keys
from callflow.scenario.call import Call
from callflow.scenario.clock import moment_shown
from callflow.scenario.endings import STATUSES
from callflow.scenario.model import (
    ANYTHING,
    Act,
    Begun,
    Calls,
    Conditions,
    Ended,
    Ending,
    Ends,
    Expects,
    Fires,
    Occurs,
    Persona,
    Presses,
    Replies,
    Scenario,
    Speaks,
    Step,
    Text,
    Waits,
)
from callflow.scenario.running import oldest, timer_name
from callflow.scenario.yaml import key, written


def from_inputs(
    flow: Flow,
    inputs: Sequence[Input],
    *,
    name: str = "a call",
    description: str = "",
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the language's own word
    env: Mapping[str, str] | None = None,
    call: Mapping[str, Any] | None = None,
    start: float = 0.0,
    waiting: bool = False,
    expect: Conditions | None = None,
    states: bool = False,
) -> Scenario:
    """The scenario of a call that begins at `start` (seconds since the epoch) and takes exactly these inputs, each at its time,
    to the millisecond. `expect` is asked at its end; None: the states in which it is then, and its outcome. With `states` those
    that an input leads to are expected after it.

    Raises StartError, and Impossible for an input that cannot happen then.
    """
    played = Call(flow, vars or {}, time=start, env=env or {}, call=call or {}, waiting=waiting)
    steps: list[Step] = []
    for entry in inputs:
        before = played.snapshot.configuration
        steps.append(Step(_act(played, entry), max(entry.time - start, 0.0)))
        played.take(entry)
        if states and played.snapshot.configuration not in (before, ()) and entry is not inputs[-1]:
            steps.append(Step(Expects(Conditions(state=played.snapshot.configuration))))
    seen = expect or Conditions(state=played.snapshot.configuration, outcome=played.snapshot.outcome)
    steps.append(Step(Expects(seen)))
    return Scenario(
        name,
        flow,
        steps,
        start,
        vars or {},
        env or {},
        call or {},
        waiting=waiting,
        exactly=True,
        description=description,
    )


def _act(call: Call, entry: Input) -> Act:
    """The step that is this input."""
    if isinstance(entry, TimerFired):
        timer = next((one for one in call.snapshot.memory.timers if one.generation == entry.generation), None)
        return Fires("" if timer is None else timer_name(call.flow, timer))
    if isinstance(entry, Event):
        return Occurs(entry.name, entry.data, entry.effect, entry.offered_in, entry.id, entry.state)
    effects = call.snapshot.memory.effects
    effect = effects.get(entry.id)
    if effect is None:
        return Ends("", effect=entry.id)  # which cannot happen, as whoever takes it says
    ending = Ending(entry.status, entry.result, entry.error)
    return Ends(effect.verb, ending, effect=None if _is_meant(effects, effect, entry) else entry.id)


def _is_meant(effects: Mapping[int, Running], effect: Running, end: EffectEnded) -> bool:
    found = oldest(effects, effect.verb, None, stopping=end.status == "cancelled")
    return found is not None and found.id == end.id


# -- as YAML


def write(scenarios: Scenario | Sequence[Scenario], folder: str | os.PathLike[str] = ".") -> str:
    """A scenario file with these scenarios of one flow, to stand in `folder`: from there `flow:` is looked up.

    Raises ValueError for what cannot be written (a value that is no plain data), and where they are of several flows.
    """
    each = [scenarios] if isinstance(scenarios, Scenario) else list(scenarios)
    if len({id(one.flow) for one in each}) != 1:
        raise ValueError("a scenario file is of one flow")
    return write_bodies(each[0].flow.file, [(one.name, body_of(one)) for one in each], folder)


def write_bodies(flow: str, bodies: Iterable[tuple[str, str]], folder: str | os.PathLike[str] = ".") -> str:
    """The same of scenarios that are written already: the flow's file, and of each scenario its name and its body."""
    path = flow if flow.startswith("<") else os.path.relpath(flow, folder)
    lines = [f"callflow: {keys.VERSION}", f"flow: {written(path.replace(os.sep, '/'))}", "scenarios:"]
    for name, body in bodies:
        lines += [f"  {key(name)}:", *(f"    {line}" for line in body.split("\n"))]
    return "\n".join(lines) + "\n"


def body_of(scenario: Scenario) -> str:
    """What stands under a scenario's name. Raises ValueError for what cannot be written."""
    return "\n".join(_scenario(scenario))


def _scenario(scenario: Scenario) -> Iterator[str]:
    if scenario.description:
        yield f"description: {written(scenario.description)}"
    yield f"at: {moment_shown(scenario.start)}"
    for name, value in (("vars", scenario.vars), ("env", scenario.env), ("call", scenario.call)):
        if value:
            yield f"{name}: {written(value)}"
    if scenario.effects:
        yield f"effects: {written({name: _endings(name, said) for name, said in scenario.effects.items()})}"
    if scenario.waiting != (scenario.flow.answer == "manual"):
        yield f"waiting: {written(scenario.waiting)}"
    if scenario.exactly:
        yield "exactly: true"
    if scenario.persona is not None:
        yield from _persona(scenario.persona)
    if scenario.steps:
        yield "steps:"
        for step in scenario.steps:
            yield f"  - {_step(step, scenario.exactly)}"
    for name, wanted in (("expect", scenario.expect), ("never", scenario.never)):
        if wanted is not None:
            yield f"{name}: {written(_conditions(wanted))}"


def _persona(persona: Persona) -> Iterator[str]:
    if persona.models:
        yield f"models: {written(persona.models)}"
    yield f"persona: {written({'who': persona.who, 'turns': persona.turns})}"
    if persona.questions:
        yield f"judge: {written(list(persona.questions))}"
    yield f"runs: {persona.runs}"
    yield f"passes: {written(f'{round(persona.passes * 100)}%')}"


def step_written(step: Step) -> str:
    """A step as it stands in the list of a scenario, behind `- `. Raises ValueError for what cannot be written."""
    return _step(step, exactly=False)


def _step(step: Step, exactly: bool) -> str:
    said = _said(step.act, exactly)
    if step.when == "settled":
        if isinstance(said, dict) and len(said) == 1:
            name, value = next(iter(said.items()))
            return f"{key(name)}: {written(value)}"
        return written(said)
    when = "now" if step.when == "now" else format_duration(step.when)
    return f"{when}: {written(said)}"


def _said(act: Act, exactly: bool) -> Any:
    """A step as plain data, as it is read."""
    if isinstance(act, Occurs):
        more = {"effect": act.effect, "offered_in": act.offered_in, "id": act.id, "state": act.state}
        return _alone(act.name, act.data, more)
    if isinstance(act, Ends):
        name, said = _ending(act.verb, act.ending)
        return _alone(name, said, {"effect": act.effect, "leg": act.leg})
    if isinstance(act, Fires):
        return {"timer": act.name} if act.name else "timer"
    if isinstance(act, Calls):
        called = [{name: dict(arguments)} if arguments else name for name, arguments in act.tools]
        return {"tool": called[0] if len(called) == 1 else called}
    if isinstance(act, Speaks):
        return {"caller": act.text}
    if isinstance(act, Replies):
        return {"model": act.text}
    if isinstance(act, Presses):
        return {"press": act.keys if act.leg == MAIN_LEG else {"keys": act.keys, "leg": act.leg}}
    if isinstance(act, Waits):
        return {"wait": format_duration(act.seconds)}
    wanted = _conditions(act.conditions)
    if act.within is not None:
        wanted["within"] = format_duration(act.within)
    return {"expect" if isinstance(act, Expects) else "never": wanted}


def _alone(name: str, said: Any, more: Mapping[str, Any]) -> Any:
    """A step of this name: the name alone, with what is said of it, and with what stands beside it."""
    beside = {
        one: list(value) if isinstance(value, tuple) else value for one, value in more.items() if value is not None
    }
    if beside:
        return {name: said if said is not None else {}, **beside}
    return name if said is None or said == {} else {name: said}


def _endings(name: str, said: Sequence[Ending]) -> Any:
    found = [_spelled(verb_of(name.partition(".")[0]).name, one) for one in said]
    return found[0] if len(found) == 1 else found


def _spelled(verb: str, ending: Ending) -> Any:
    """An ending that names its result itself."""
    name, said = _ending(verb, ending)
    word = name.partition(".")[2]
    if not word:
        return {} if said is None else said
    if said is None:
        return {"result": word} if word in STATUSES else word  # `failed` alone is how it ends, and no result
    return {"result": word, **(said if isinstance(said, dict) else {"ends": said})}


def _ending(verb: str, ending: Ending) -> tuple[str, Any]:
    """By which name an effect ends, and what is said of that: nothing where the name says it all."""
    entry = verb_of(verb)
    if ending.never:
        return verb, "never"
    result = dict(ending.result)
    word = result.pop("result", None) if entry.results else None
    name = f"{entry.family}.{word}" if isinstance(word, str) and f"{entry.family}.{word}" in entry.results else verb
    said: dict[str, Any] = {}
    if ending.status != "ok":
        if ending.error in (None, ending.status) and ending.after is None and not result:
            return verb, ending.status
        said["ends"] = ending.status
        if ending.error not in (None, ending.status):
            said["error"] = ending.error
    if ending.after is not None:
        said["after"] = format_duration(ending.after)
    if ending.hangs_up is not None:
        said["hangs_up"] = format_duration(ending.hangs_up)
    if result.keys() & keys.ENDING.keys():
        said["result"] = result
    else:
        said |= result
    return name, said or None


def _conditions(wanted: Conditions) -> dict[str, Any]:
    heard, at = wanted.heard, wanted.at and [*map(format_duration, wanted.at)]
    said = {
        "state": _one_or_all(wanted.state) if wanted.state else None,
        "states": wanted.states,
        "heard": heard if heard is None else _text(heard) if isinstance(heard, Text) else [*map(_text, heard)],
        "effects": wanted.effects and [*map(_begun, wanted.effects)],
        "effect": wanted.effect and _begun(wanted.effect),
        "vars": wanted.vars or None,
        "tools": None if wanted.tools is None else sorted(wanted.tools),
        "log": wanted.log and _text(wanted.log),
        "outcome": wanted.outcome,
        "ended": _ended(wanted.ended),
        "at": at and _one_or_all(sorted(set(at), key=at.index)),
    }
    return {name: value for name, value in said.items() if value is not None}


def _one_or_all(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _ended(ended: Ended | bool | None) -> Any:
    return {n: one for n, one in ended._asdict().items() if one is not None} if isinstance(ended, Ended) else ended


def _text(text: Text | str) -> Any:
    if isinstance(text, str):
        return text
    if text.exactly is not None:
        said: dict[str, Any] = {"exactly": text.exactly}
    else:
        said = (
            {"part": text.part} if text.part is not None else {"pattern": text.pattern.pattern if text.pattern else ""}
        )
    if text.by != MAIN_LEG:
        said["by"] = text.by
    return said["exactly"] if list(said) == ["exactly"] and text.exactly != ANYTHING else said


def _begun(begun: Begun | str) -> Any:
    if isinstance(begun, str):
        return begun
    return begun.verb if begun.arguments == NO_DATA else {begun.verb: dict(begun.arguments)}
