"""The verbs that call somebody, hand them over or let them go, and what parties do by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.ahead import addresses, ahead
from callflow.core.autoforward import answers
from callflow.core.events import MAIN_LEG, OUT_OF_REACH, EffectEnded, Event
from callflow.core.possible import action_of
from callflow.core.snapshot import Forward, Running, Start
from callflow.core.speaking import seconds
from callflow.core.verbs.limits import DETECTS_BEFORE, on_the_wire
from callflow.scenario.live_effects import Effects
from callflow.scenario.model import Ending
from callflow.scenario.voice import Speech

RINGS_AFTER, ANSWERS_AFTER, REFUSES_AFTER = 1.0, 4.0, 2.0
"""Seconds from a dial until it rings there, until somebody picks up, and until the line turns out to be busy."""

LOOKS_FOR, HANDS_OVER, DECIDES_AFTER = 2.0, 6.0, 2.0
"""Seconds until it is known who has answered; until a transfer is done; from the end of a briefing to the decision."""

TAKES = 0.1
"""Seconds from an `answer` until the far end is on the line."""

NOBODY_CAN_TELL = Ending(result={"result": "uncertain", "reason": "detection_timeout"})
"""How a look at who has answered ends that is out of time."""


WHY: Mapping[str, Mapping[str, Any]] = {"uncertain": {"reason": "detection_timeout"}}
"""Of a verdict of which nobody says why it is so."""


def is_out_of_time(ending: Ending) -> bool:
    """Whether nobody can tell, and no time and no reason is given: LiveKit's detector listens on as long as it may."""
    result = ending.result.get("result")
    return ending.status == "ok" and result == "uncertain" and ending.after is None and "reason" not in ending.result


_THERE = ("on_line", "dropped", "hold")


class Telephones:
    """The telephones of one call."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._call = effects.call
        self._schedule = effects.schedule
        self._guests: set[str] = set()  # who was consulted, and did not take the call

    # -- verbs

    def dials(self, start: Start, ending: Ending) -> None:
        self._rings(start, ending)
        result = ending.result.get("result", "answered")
        lasts = {"answered": ANSWERS_AFTER, "no_answer": _ringing_timeout(start)}.get(str(result), REFUSES_AFTER)
        lasts = lasts if ending.status == "ok" else REFUSES_AFTER
        if not ending.never and ending.status == "ok" and result == "answered":
            lasts = lasts if ending.after is None else ending.after
            if self._effects.brings(_event_of(start, "answered"), start.id, lasts):
                return  # it ends with that
            at = self._call.now + lasts
            self._schedule.add(at, lambda now: self._of_leg(start, "answered", now), start.id)
            self._hangs_up(start, ending, at)
        self._effects.end_after(start, lasts, ending)

    def consults(self, start: Start, ending: Ending) -> None:
        self._rings(start, ending)
        result = str(ending.result.get("result", "accepted"))
        after = self._call.now + (ANSWERS_AFTER if ending.after is None else ending.after)
        if ending.never:
            self._effects.by_itself[start.id] = after
        elif ending.status != "ok" or result == "failed":
            self._effects.end_after(start, REFUSES_AFTER, ending)
        elif result == "no_answer":
            self._effects.end_after(start, _ringing_timeout(start), ending)
        elif not self._effects.brings(_event_of(start, "answered"), start.id, after - self._call.now):
            self._schedule.add(after, lambda now: self._of_leg(start, "answered", now), start.id)
            self._hangs_up(start, ending, after)

    def _hangs_up(self, start: Start, ending: Ending, answered: float) -> None:
        """Who has picked up hangs up by themselves; nobody waits for that."""
        if ending.hangs_up is not None:
            leg, why = str(start.arguments.get("leg") or MAIN_LEG), {"by": "caller", "cause": "hung_up"}
            self._schedule.add(answered + ending.hangs_up, lambda now: self._left(leg, why, now), limit=True)

    def transfers(self, start: Start, ending: Ending) -> None:
        self._effects.end_after(start, HANDS_OVER, ending)

    def listens(self, start: Start, ending: Ending) -> None:
        by_time = is_out_of_time(ending)
        if not by_time:
            self._effects.end_after(start, LOOKS_FOR, ending)
        if start.timeout is not None:
            cap = self._call.now + start.timeout - DETECTS_BEFORE
            self._schedule.add(
                cap, lambda now: self._effects.end_of(start, NOBODY_CAN_TELL, now), start.id, limit=not by_time
            )

    def sends_keys(self, start: Start, ending: Ending) -> None:
        self._effects.end_after(start, on_the_wire(str(start.arguments.get("digits") or "")), ending)

    def stays(self, start: Start, ending: Ending) -> None:
        """It ends by what others do."""
        if ending.after is not None or ending.result:
            self._effects.end_after(start, 0.0, ending)
        elif ending.never:
            self._effects.by_itself[start.id] = self._call.now

    def answers(self, start: Start, ending: Ending) -> None:
        at = self._call.now + TAKES
        self._schedule.add(at, lambda now: self._of_leg(start, "answered", now), start.id)
        self._effects.end_after(start, TAKES, ending)

    def stops_ringing(self, start: Start, ending: Ending) -> None:
        leg = start.arguments.get("leg") or MAIN_LEG
        for effect, (dial, dials) in list(self._effects.running.items()):
            if verb_of(dial.verb).dials and (dial.arguments.get("leg") or MAIN_LEG) == leg and not dials.never:
                self._effects.instead(effect, {"result": "no_answer", "cause": "cancelled"})
        self._effects.end_after(start, 0.0, ending)

    def removes(self, start: Start, ending: Ending) -> None:
        self._effects.end_after(start, 0.0, ending)
        self._gone(str(start.arguments.get("leg") or MAIN_LEG), {"by": "agent", "cause": "hung_up"}, start.id)

    def before(self, start: Start, ending: Ending, now: float) -> Event | None:
        """What is told before the end of an effect: that whom it calls is on the line."""
        verb = verb_of(start.verb)
        word = ending.result.get("result", verb.results[0].partition(".")[2] if verb.results else "")
        answered = verb.calls and ending.status == "ok" and f"{verb.family}.{word}" in verb.success
        return self._of_leg(start, "answered", now) if answered else None

    def _rings(self, start: Start, ending: Ending) -> None:
        result = ending.result.get("result")
        if ending.status == "ok" and result not in ("busy", "invalid", "failed"):
            after = RINGS_AFTER if ending.after is None else min(RINGS_AFTER, ending.after / 2)
            if self._effects.brings(_event_of(start, "ringing"), start.id, after):
                return
            self._schedule.add(self._call.now + after, lambda now: self._of_leg(start, "ringing", now), start.id)

    def _of_leg(self, start: Start, what: str, now: float) -> Event | None:
        """What a telephone that is being called does; None where it does not any more."""
        name = str(start.arguments.get("leg") or MAIN_LEG)
        stands = self._call.leg(name).status
        if stands in ("on_line", "hold") or (what == "ringing" and stands == "ringing"):
            return None
        data = {"leg": name, "kind": "sip", "number": str(start.arguments.get("to", ""))}
        return Event(_event_of(start, what), data, now)

    # -- what follows

    def ended(self, end: EffectEnded, effect: Running, start: Start | None) -> None:
        """What follows from an effect's end."""
        if end.status == "cancelled":
            return
        verb, leg = verb_of(effect.verb), effect.leg or MAIN_LEG
        if verb.holds_hang_up and verb.result_event(end.result) in verb.success:
            self._gone(leg, {"by": "agent", "cause": "transferred"}, end.id)
        elif "decision" in verb.roles and verb.result_event(end.result) not in verb.success:
            self._guests.add(leg)
        elif start is not None and verb.dials and "detection" in self._call.facts:
            self._looks(verb.given("detection", start.arguments) or {})

    def _looks(self, options: Mapping[str, Any]) -> None:
        """A dial was answered, and it is looked who has done so: the verdict, or that there was none in time."""
        now, ending = self._call.now, self._effects.said("detect_machine")
        cap = now + float(options.get("timeout") or LOOKS_FOR)
        self._schedule.add(cap, lambda at: self._verdict(NOBODY_CAN_TELL, at), limit=True)
        self._effects.by_itself[DETECTION] = now + LOOKS_FOR
        if not self._effects.later.ends("detect_machine", None, DETECTION) and not ending.never:
            if is_out_of_time(ending):
                self._schedule.add(cap, lambda at: self._verdict(NOBODY_CAN_TELL, at))
                return
            after = LOOKS_FOR if ending.after is None else ending.after
            self._schedule.add(now + after, lambda at: self._verdict(ending, at))

    def cancelled(self, effect: int) -> None:
        """A consult that is cancelled: who has picked up leaves."""
        known = self._effects.started(effect)
        if known is not None and "decision" in verb_of(known.verb).roles:
            self._guests.add(str(known.arguments.get("leg")))

    def _verdict(self, ending: Ending, now: float) -> Event | None:
        """Who has answered a dial, also while they are out of reach; nobody can tell of one that has left."""
        there = self._call.leg().status in _THERE and "detection" in self._call.facts
        return verdict(ending, now) if there else None

    def _gone(self, leg: str, why: Mapping[str, Any], effect: int = 0) -> None:
        """A party leaves, by nobody's will of its own."""
        if not self._effects.later.brings(_event(leg, "hangup"), effect):
            self._schedule.add(self._call.now, lambda now: self._left(leg, why, now))

    def _left(self, leg: str, why: Mapping[str, Any], now: float) -> Event | None:
        if self._call.leg(leg).status not in ("ringing", *_THERE) or "room" not in self._call.facts:
            return None  # nobody is there, or nobody tells of it
        return Event(_event(leg, "hangup"), {"leg": leg, **why}, now)

    def given_up(self, leg: str) -> None:
        """A leg that has vanished was away for too long."""
        self._gone(leg, {"by": "unknown", "cause": "vanished"})

    # -- what others do

    def happened(self, event: Event, now: float) -> None:
        """What comes of an event from outside."""
        name = event.name
        if name == "room.reconnecting" and self._call.flow.limits.reconnecting is not None:
            lost = Event("room.disconnected", {"reason": OUT_OF_REACH})
            until = now + self._call.flow.limits.reconnecting
            self._schedule.add(until, lambda at: lost._replace(time=at), "away", limit=True)
        elif name in ("room.reconnected", "room.disconnected"):
            self._schedule.drop("away")
        elif name.startswith(("call.", "leg.")) and name.endswith(".answered"):
            self._picked_up(MAIN_LEG if name.startswith("call.") else name.split(".")[1])
        elif name.startswith(("call.", "leg.")) and name.endswith(".hangup"):
            self._hung_up(MAIN_LEG if name.startswith("call.") else name.split(".")[1])

    def _picked_up(self, leg: str) -> None:
        for effect, (start, ending) in list(self._effects.running.items()):
            if not verb_of(start.verb).calls or (start.arguments.get("leg") or MAIN_LEG) != leg or ending.never:
                continue
            if verb_of(start.verb).dials:
                self._effects.instead(effect, {**ending.result, "result": "answered"})
            else:
                self._briefs(start, ending)

    def _briefs(self, start: Start, ending: Ending) -> None:
        """The human has picked up: the briefing, and what they decide."""
        briefing = str(start.arguments.get("briefing") or "")
        wait = DECIDES_AFTER if self._ways(start.id, "accept") else 0.0
        leg = str(start.arguments.get("leg"))
        decided = self._effects.later.brings_one(self._decisions(start), start.id)

        def over(_now: float, _interrupted: bool, heard: bool, _text: str) -> None:
            if heard and not decided:
                self._effects.end_after(start, wait, ending._replace(after=None))

        self._effects.voice.say(Speech(start.id, briefing, seconds(briefing), leg, False, over))

    def _decisions(self, start: Start) -> Iterable[str]:
        """The events by which somebody decides."""
        leg = str(start.arguments.get("leg"))
        return {one for name in ("accept", "decline") for one in answers(leg, self._ways(start.id, name))}

    def _ways(self, effect: int, name: str) -> Mapping[str, Any]:
        running = self._call.snapshot.memory.effects.get(effect)
        action = None if running is None else action_of(self._call.flow, running)
        return {} if action is None else action.arguments.get(name) or {}

    def _hung_up(self, leg: str) -> None:
        for effect, (start, ending) in list(self._effects.running.items()):
            verb, mine = verb_of(start.verb), start.arguments.get("leg") or MAIN_LEG
            if ending.never:
                continue
            if verb.holds_hang_up and mine == leg:
                self._effects.instead(effect, {"result": "failed", "cause": "hung_up"})
            elif "decision" in verb.roles and leg in (mine, MAIN_LEG):
                gone = {"result": "failed", "cause": "caller_gone"}
                self._effects.instead(effect, {"result": "declined", "cause": "hung_up"} if leg == mine else gone)

    def forwarded(self, forward: Forward) -> None:
        """A key for whoever collects keys, or an answer for whoever waits for one."""
        keypad = self._effects.keypads.get(forward.id)
        if keypad is not None:
            keypad.press(str(forward.event.data.get("digit") or forward.event.name.rpartition(".")[2]))
            return
        start = self._effects.started(forward.id)
        if start is not None and "decision" in verb_of(start.verb).roles:
            accepted = forward.event.name in answers(str(start.arguments.get("leg")), self._ways(forward.id, "accept"))
            self._effects.instead(forward.id, {"result": "accepted" if accepted else "declined"})

    def look(self) -> None:
        """Whoever is left alone by the other is let go, and so are all when the room is gone; and whoever was consulted, once nothing is
        for them any more."""
        alone = [
            (effect, start, ending)
            for effect, (start, ending) in self._effects.running.items()
            if verb_of(start.verb).parties_end and not ending.never
        ]
        if not alone and not self._guests:
            return
        legs = self._call.snapshot.memory.legs
        there = [name for name, leg in legs.items() if leg.status in _THERE] if "room" in self._call.facts else []
        for effect, start, ending in alone if len(there) < 2 else ():
            self._schedule.drop(effect)
            self._effects.end_after(start, 0.0, ending)
        for leg in [one for one in self._guests if one in there]:
            if not any(addresses(action, leg) for action in ahead(self._call.flow, self._call.snapshot)):
                self._guests.discard(leg)
                self._gone(leg, {"by": "agent", "cause": "hung_up"})


def verdict(ending: Ending, now: float) -> Event:
    """The event that tells who has answered a dial."""
    word = "uncertain" if ending.status != "ok" else str(ending.result.get("result", "human"))
    told = {name: value for name, value in ending.result.items() if name != "result"}
    return Event(f"{verb_of('detect_machine').family}.{word}", {"category": word, **WHY.get(word, {}), **told}, now)


DETECTION = 0
"""The number of what is no effect of its own: a look at who has answered, as part of a dial."""


def _event(leg: str, what: str) -> str:
    """What a leg does, as an event."""
    return f"call.{what}" if leg == MAIN_LEG else f"leg.{leg}.{what}"


def _event_of(start: Start, what: str) -> str:
    return _event(str(start.arguments.get("leg") or MAIN_LEG), what)


def _ringing_timeout(start: Start) -> float:
    seconds_ = start.arguments.get("ringing_timeout")
    return float(seconds_) if isinstance(seconds_, (int, float)) else 30.0
