"""A call as a person tells it: when, what happens, what is heard, and in which states it is then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import EVENTS, KEYS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import ROOT, Flow
from callflow.core.heard import on_hold
from callflow.core.occurs import Music
from callflow.core.snapshot import Cancel, Running, Snapshot, Start, Step, Timer
from callflow.core.statechart.structure import around
from callflow.flowfile.nodes import shorten
from callflow.scenario.call import Call, Taken, follows
from callflow.scenario.expectations import time_shown

LONG = 5.0
"""Seconds without a sound that are told."""

_ELSEWHERE = frozenset({"collected", "late", "own", "held", "dropped", "needless"})
"""What a step notes of an event for which no row is asked."""

_FACTS = frozenset({
    "session.close", "session.error", "session.user_state_changed", "session.user_input_transcribed", "room.disconnected",
    "room.reconnecting", "room.reconnected",
})  # fmt: skip
"""Of the events of the session and of the room those that are told though nothing comes of them."""


def tell(
    flow: Flow,
    inputs: Sequence[Input],
    *,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the language's own word
    env: Mapping[str, str] | None = None,
    call: Mapping[str, Any] | None = None,
    start: float = 0.0,
    waiting: bool = False,
    until: float | None = None,
) -> list[str]:
    """The story of a call that begins at `start` and takes these inputs, a line for each moment; `until` is how long after its
    start it is followed, in seconds, though nothing more happens.

    Raises StartError, and Impossible for an input that cannot happen then.
    """
    told = Call(flow, vars or {}, time=start, env=env or {}, call=call or {}, waiting=waiting)
    for entry in inputs:
        told.take(entry)
    return story(flow, told.taken, until)


def tell_steps(flow: Flow, steps: Sequence[Step], until: float | None = None) -> list[str]:
    """The story of a call that has taken these steps, from its first on: one that was followed, or replayed from its journal."""
    began = steps[0].snapshot.memory.started
    taken = [Taken(0.0, steps[0])]
    for step in steps[1:]:
        time = taken[-1].time if step.event is None else max(step.event.time - began, taken[-1].time)
        taken.append(follows(flow, taken[-1], step, time))
    return story(flow, taken, until)


def story(flow: Flow, taken: Sequence[Taken], until: float | None = None) -> list[str]:
    """The story of the steps of a call."""
    return [*_Teller(flow).tell(taken, until)]


def in_words(flow: Flow, entry: Input, effect: Running | None = None, timer: Timer | None = None) -> str:
    """One input as a story tells it, `effect` what has ended, `timer` what has come due; empty where a story says nothing of it."""
    teller = _Teller(flow)
    if isinstance(entry, Event):
        return " and ".join(teller._event(entry))  # noqa: SLF001 - of this file
    if isinstance(entry, TimerFired):
        return teller._timer(timer)  # noqa: SLF001
    return "" if effect is None else " and ".join(teller._ended(entry, effect))  # noqa: SLF001


class _Teller:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._who = "the callee" if flow.outbound else "the caller"
        self._sound = 0.0  # until when, so far, there was something to hear
        self._there = False  # whether the far end is on the line
        self._through = False  # whether they have been put through to another telephone
        self._started: dict[int, Start] = {}
        self._running: Collection[int] = ()
        self._rings: dict[int, tuple[float, str]] = {}  # dials that go on though nobody is there to talk to

    def tell(self, taken: Sequence[Taken], until: float | None) -> Iterator[str]:
        moments: list[tuple[float, list[str]]] = []
        for number, one in enumerate(taken):
            before = taken[number - 1] if number else None
            said = [*self._before(one, before), *self._said(one, number)]
            if moments and round(moments[-1][0], 3) == round(one.time, 3):
                moments[-1][1].extend(said)
            else:
                moments.append((one.time, said))
        for time, sentences in moments:
            spans = [one for one in sentences if one.startswith("Until ")]
            yield from spans
            rest = [one for one in sentences if not one.startswith("Until ")]
            if rest:
                yield f"{time_shown(time)}: {' '.join(_sentence(one, first=number == 0) for number, one in enumerate(rest))}"
        if until is not None:
            yield from self._at_last(taken[-1], until)

    # -- what lasted until now

    def _before(self, one: Taken, before: Taken | None) -> Iterator[str]:
        """A silence that ends here, and a telephone that has rung until now."""
        if before is None:
            return
        listens = self._listens(before)
        if not listens or not self._there or self._hears(before):
            self._sound = one.time
        elif one.time - self._sound >= LONG and _is_news(one):
            yield f"Until {time_shown(one.time)} {self._who} hears nothing."
            self._sound = one.time
        self._there = listens
        effect = one.effect
        since, told = (one.time, "") if effect is None else self._rings.pop(effect.id, (one.time, ""))
        if one.time > since:
            yield f"Until {time_shown(one.time)} {told}"

    def _at_last(self, last: Taken, until: float) -> Iterator[str]:
        """What goes on though nothing more happens."""
        if self._listens(last) and not self._hears(last) and until - self._sound >= LONG:
            yield f"Until {time_shown(until)} {self._who} hears nothing."
        for since, told in self._rings.values():
            if until > since:
                yield f"Until {time_shown(until)} {told}"

    def _listens(self, one: Taken) -> bool:
        there = one.step.snapshot.memory.legs[MAIN_LEG].status in ("on_line", "hold")
        return there and "line" in one.facts and not self._through

    def _hears(self, before: Taken) -> bool:
        """Whether the far end heard something, or spoke itself, after this step."""
        memory = before.step.snapshot.memory
        if memory.caller_speaks or memory.agent_busy or Music(MAIN_LEG) in before.facts:
            return True
        held = on_hold(before.step.snapshot)
        others = any(leg.status == "on_line" for name, leg in memory.legs.items() if name != MAIN_LEG)
        if others and not held:  # there is somebody to talk to
            return True
        running = (self._started.get(one.id) for one in memory.effects.values() if not one.stopping)
        return any(verb_of(one.verb).hears(MAIN_LEG, one.arguments, on_hold=held) for one in running if one is not None)

    # -- what happens

    def _said(self, one: Taken, number: int) -> Iterator[str]:
        event = one.step.event
        self._running = one.step.snapshot.memory.effects.keys()
        if number == 0:
            yield "the call begins"
        elif isinstance(event, Event):
            yield from self._event(event) if _is_told(event, one.step) else ()
        elif isinstance(event, TimerFired):
            yield self._timer(one.timer)
        elif isinstance(event, EffectEnded) and one.effect is not None:
            yield from self._ended(event, one.effect)
        yield from _not_begun(one.step)
        yield from self._taken(one)
        entered = [path for path in one.step.entered if path and not self._flow.states[path].children]
        if entered:
            yield f"In {', then '.join(entered)}."
        self._look_who_rings(one)
        for effect in one.step.effects:
            if isinstance(effect, Start):
                self._started[effect.id] = effect
                yield from self._begins(effect, one.step.snapshot)
            elif isinstance(effect, Cancel) and effect.id in self._started and self._there:
                yield from self._cut(self._started[effect.id])
        outcome = [note.data.get("name") for note in one.step.notes if note.kind == "outcome"]
        if outcome:
            yield f"Outcome: {outcome[0]}."
        if one.step.snapshot.ended:
            yield "The call is over."

    def _look_who_rings(self, one: Taken) -> None:
        memory = one.step.snapshot.memory
        gone = memory.legs[MAIN_LEG].status == "gone" if MAIN_LEG in memory.legs else False
        for effect in memory.effects.values():
            leg = effect.leg or MAIN_LEG
            if gone and verb_of(effect.verb).calls and leg != MAIN_LEG and effect.id not in self._rings:
                there = memory.legs[leg].status if leg in memory.legs else "absent"
                who = self._name(leg)
                said = f"{who} waits" if there in ("on_line", "hold") else f"{who}'s phone rings"
                self._rings[effect.id] = one.time, f"{said} for nobody."

    def _event(self, event: Event) -> Iterator[str]:
        name, data = event.name, event.data
        family, _, what = name.partition(".")
        who, leg = self._who, MAIN_LEG
        if family == "leg":
            leg, _, what = what.partition(".")
            who = self._name(leg)
        if family == "tool":
            yield f"the model calls {what}{_payload(data)}"
        elif family in ("call", "leg") and not what.startswith("dtmf."):
            yield _of_a_leg(who, what, data)
            if what == "answered":
                yield from (f'{who} hears "{text}"' for text in self._briefings(leg))
        elif family == "dtmf" or what.startswith("dtmf."):
            key = what.removeprefix("dtmf.")
            yield f"{who} presses {({name: sign for sign, name in KEYS.items()}).get(key, key)}"
        elif name == "session.user_state_changed":
            speaks = data.get("new_state") == "speaking"
            yield f"{who} begins to speak" if speaks else f"{who} is quiet"
        elif name == "session.user_input_transcribed":
            yield f'{who} says "{data.get("transcript", "")}"'
        elif family == "app":
            yield f"the event {name} comes{_payload(data)}"
        else:
            yield _described(name)

    def _briefings(self, leg: str) -> Iterator[str]:
        """What whoever picks up now is told first."""
        for start in self._started.values():
            briefing = start.arguments.get("briefing")
            if briefing and start.arguments.get("leg") == leg and start.id in self._running:
                yield briefing

    def _timer(self, timer: Timer | None) -> str:
        if timer is None:
            return "a timer comes due"
        if timer.kind == "answer":
            return "nobody has come"
        if timer.kind == "away":
            return "whoever has vanished does not come back"
        if timer.kind not in ("after", "every", "silence"):
            return "what was to stop does not" if timer.kind == "stop" else "the result of the transfer does not come"
        row = self._flow.states[timer.state].timers[timer.row]
        where = timer.state or "the call"
        if timer.kind == "silence":
            return (
                f"nobody has said anything for {row.text} in {where}"
                if timer.state != ROOT
                else f"nobody has said anything for {row.text}"
            )
        return f"{row.text} of {where} are over" if timer.kind == "after" else f"every {row.text} in {where}"

    def _ended(self, end: EffectEnded, effect: Running) -> Iterator[str]:
        verb = verb_of(effect.verb)
        if end.status == "cancelled":
            if verb.calls:
                yield f"{self._name(effect.leg)}'s phone is not called any more"
            return
        if verb.results:
            result = (
                verb.result_event(end.result) if end.status == "ok" else verb.error_result(end.status == "timed_out")
            )
            self._through |= verb.holds_hang_up and effect.leg in (None, MAIN_LEG) and result in verb.success
            said = RESULTS.get(result or "", "").format(who=self._name(effect.leg), digits=end.result.get("digits", ""))
            yield from [said] if said else []
        elif end.status == "failed":
            yield f"{verb.name} fails: {end.error}" if end.error not in (None, "failed") else f"{verb.name} fails"
        elif end.status == "timed_out":
            yield f"{verb.name} is out of time"
        elif verb.speech and end.result.get("interrupted"):
            yield "what is being said is cut"
        elif verb.speech and end.result.get("heard") is False:
            yield "nobody hears it"
        elif verb.asks_outside:
            yield f"{verb.name} answers{_payload(end.result)}"

    def _begins(self, start: Start, snapshot: Snapshot) -> Iterator[str]:
        verb, arguments = verb_of(start.verb), start.arguments
        leg = self._listener(start, snapshot) if verb.speech else self._name(arguments.get("leg"))
        if verb.speech and arguments.get("text") is not None:
            yield f'{leg} hears "{arguments.get("text")}"'
        elif verb.talks:
            told = arguments.get("instructions")
            told = f" ({told})" if told else ""
            yield f"the model speaks{told}" if leg == self._who else f"the model speaks{told}, and {leg} hears it"
        elif verb.takes_keys:
            prompt = arguments.get("prompt")
            yield f'{leg} hears "{prompt}" and is asked for keys' if prompt else f"{leg} is asked for keys"
        elif verb.speech:
            yield f"{leg} hears {arguments.get('file', 'a sound')}"
        elif verb.calls:
            yield f"{leg} is called" if verb.dials else f"{self._who} waits, and {leg} is called"
        elif start.verb in _TOLD:
            yield _TOLD[start.verb].format(
                leg=leg,
                to=arguments.get("to", ""),
                music="with music" if arguments.get("music") else "in silence",
            )
        elif verb.asks_outside:
            yield f"{verb.name} is asked"

    def _listener(self, start: Start, snapshot: Snapshot) -> str:
        """Who hears what is said: of words for everybody the far end, or, where they are on hold or have gone, somebody else."""
        verb, arguments, legs = verb_of(start.verb), start.arguments, snapshot.memory.legs
        leg, main = verb.given("listener", arguments), legs.get(MAIN_LEG)
        if leg is not None and not (leg == MAIN_LEG and self._through):
            return self._name(leg)
        if main is None or not (main.status == "gone" or self._through or on_hold(snapshot)):
            return self._who
        others = (name for name, one in legs.items() if one.status == "on_line" and name != MAIN_LEG)
        return next(map(self._name, others), "nobody")

    def _cut(self, start: Start) -> Iterator[str]:
        if verb_of(start.verb).speech and not start.arguments.get("loop"):
            said = start.arguments.get("text")
            yield "that is cut" if said is None else f'"{shorten(str(said))}" is cut'

    def _name(self, leg: str | None) -> str:
        if leg in (None, MAIN_LEG):
            return self._who
        return f"the {leg}" if str(leg).isalpha() else str(leg)  # but `participant_1`

    def _taken(self, one: Taken) -> Iterator[str]:
        """What became of an event that could have led somewhere, and of a failure that nobody takes."""
        kinds = {note.kind for note in one.step.notes}
        event = one.step.event
        if "kept" in kinds:
            active = {outer for path in one.step.snapshot.configuration for outer in around(self._flow.states, path)}
            keeping = [path for path in self._flow.states if path in active and self._flow.states[path].must_finish]
            if self._flow.ending not in keeping:
                yield f"that waits until {' and '.join(keeping)} is done"
        elif "not_carried_out" in kinds:
            yield "that is not carried out"
        elif "unhandled_failure" in kinds:
            yield "no row takes that"
        elif isinstance(event, Event) and not one.step.moves and not kinds & _ELSEWHERE and not one.step.effects:
            family, _, what = event.name.partition(".")
            if family in ("tool", "app", "amd", "dtmf") or ".dtmf." in what:
                yield "no row takes that"
        elif isinstance(event, EffectEnded) and not one.step.moves and _is_a_result(event, one.effect):
            yield "no row takes that"


RESULTS: Mapping[str, str] = {
    "dial.answered": "",  # that they are on the line is told
    "dial.busy": "{who}'s line is busy",
    "dial.no_answer": "{who} does not answer",
    "dial.declined": "{who} declines",
    "dial.invalid": "there is no such number",
    "dial.failed": "the call to {who} cannot be placed",
    "amd.human": "a person has answered",
    "amd.machine-ivr": "a menu has answered",
    "amd.machine-vm": "a voicemail has answered, and its greeting is over",
    "amd.machine-unavailable": "a machine says that the number cannot be reached",
    "amd.uncertain": "nobody can tell who has answered",
    "dtmf.input": "the keys are {digits}",
    "dtmf.no_input": "no key comes",
    "dtmf.no_match": "the keys are not what was asked for",
    "transfer.completed": "{who} is put through",
    "transfer.failed": "{who} is not put through",
    "consult.accepted": "{who} takes the call",
    "consult.declined": "{who} does not take the call",
    "consult.no_answer": "{who} does not answer, or does not decide",
    "consult.failed": "{who} cannot be asked any more",
    "task.completed": "the task is done",
    "task.failed": "the task fails",
}
"""What the end of an action with named results is in a story."""

_TOLD: Mapping[str, str] = {
    "transfer": "{leg} is being put through to {to}",
    "hold": "{leg} is on hold, {music}",
    "resume": "{leg} is back",
    "delete_room": "the line drops",
    "remove_participant": "{leg}'s line drops",
    "hang_up": "the agent hangs up",
    "stand_by": "the agent leaves them to each other",
    "detect_machine": "the agent listens who is there",
    "start_recording": "a recording begins",
    "mute": "the agent does not hear {leg} any more",
    "send_dtmf": "the agent presses keys",
    "reject": "the call is refused",
}


def _of_a_leg(who: str, what: str, data: Mapping[str, Any]) -> str:
    if what == "hangup":
        by = data.get("by", "caller")
        why = f" ({data['cause']})" if data.get("cause") not in (None, "", "hung_up") else ""
        return f"{who} hangs up{why}" if by in ("caller", "") else f"{who}'s line drops{why}"
    return {
        "offered": f"{who} calls, and it rings here",
        "ringing": f"{who}'s phone rings",
        "answered": f"{who} is on the line",
        "dropped": f"{who} has vanished",
        "restored": f"{who} is back",
    }.get(what, f"{who}: {what}")


def _described(name: str) -> str:
    """As the catalogue says it."""
    if name in RESULTS:
        return RESULTS[name]
    entry = EVENTS.get(name)
    said = "" if entry is None else entry.description.partition(". ")[0].rstrip(".")
    return f"{said[:1].lower()}{said[1:]}" if said and "`" not in said else name


def _payload(data: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name}: {value}" for name, value in data.items())
    return f" ({said})" if said else ""


def _is_told(event: Event, step: Step) -> bool:
    """Whether a person would tell of an event: not of what the flow itself has brought about, nor of LiveKit's own bookkeeping."""
    if any(note.kind == "own" for note in step.notes):
        return False
    if event.name == "session.user_input_transcribed" and event.data.get("is_final") is False and not step.moves:
        return False  # the rest of it comes
    return event.name in _FACTS or not event.name.startswith(("session.", "room.")) or bool(step.moves)


def _not_begun(step: Step) -> Iterator[str]:
    """The actions that could not begin, since one of their texts cannot be made, or means nothing there."""
    broken = [note.data["error"] for note in step.notes if note.kind == "broke"]
    for note in step.notes if broken else ():
        if note.kind == "failure" and note.data["error"] in broken:
            yield f"the action {note.data['action']} fails ({note.data['error']})"


def _is_a_result(end: EffectEnded, effect: Running | None) -> bool:
    """Whether an end is one for which a row may wait."""
    return (
        effect is not None and not effect.stopping and end.status != "cancelled" and bool(verb_of(effect.verb).results)
    )


def _is_news(one: Taken) -> bool:
    """Whether it is worth telling what was before."""
    begins = any(isinstance(effect, Start) for effect in one.step.effects)
    return bool(one.step.entered) or begins or isinstance(one.step.event, Event)


def _sentence(text: str, *, first: bool) -> str:
    text = text if first else f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "!", "?", '."', '!"', '?"')) else f"{text}."
