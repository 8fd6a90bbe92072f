"""How the world goes on by itself: how long each effect takes and how it ends, where a scenario does not say otherwise.

Here a verb is looked up by its name, as in the bindings: what it does to the world is nobody else's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.ahead import addresses, ahead
from callflow.core.events import KEYS, MAIN_LEG, OUT_OF_REACH, EffectEnded, Event
from callflow.core.snapshot import Cancel, Forward, Running, Start, Step
from callflow.core.speaking import REPLY, seconds
from callflow.core.statechart.lists import action_at
from callflow.core.values.choices import plain
from callflow.core.verbs.limits import on_the_wire
from callflow.scenario.call import Call
from callflow.scenario.keypad import Keypad, keys_of
from callflow.scenario.model import Ending, Scenario
from callflow.scenario.schedule import Schedule
from callflow.scenario.voice import Speech, Voice, speech_result

RINGS_AFTER, ANSWERS_AFTER, REFUSES_AFTER = 1.0, 4.0, 2.0
"""Seconds from a dial until it rings there, until somebody picks up, and until the line turns out to be busy."""

LOOKS_FOR, HANDS_OVER, DECIDES_AFTER = 2.0, 6.0, 2.0
"""Seconds until it is known who has answered; until a transfer is done; from the end of a briefing to the decision."""

LASTS: Mapping[str, float] = {
    "http": 0.5, "python": 0.1, "hold": 0.1, "resume": 0.1, "answer": 0.1, "update_agent": 0.1, "start_recording": 0.1,
    "hang_up": 0.3,
}  # fmt: skip
"""Seconds of the verbs that neither speak nor call anybody; all others take none."""

CODES: Mapping[str, int] = {"busy": 486, "declined": 603, "invalid": 404, "failed": 503}
"""What SIP says where a call is not answered."""

Claims = Callable[[str, str | None, int], bool]
"""Whether a later step says how this effect (verb, leg, number) ends: then it does not end by itself."""


class World:
    """All that goes on around one call. `by_itself` is when an effect that waits for a step would end otherwise."""

    def __init__(self, call: Call, scenario: Scenario, claims: Claims) -> None:
        self.call = call
        self.schedule = Schedule()
        self.voice = Voice(call, self.schedule)
        self.by_itself: dict[int, float] = {}
        self._claims = claims
        self._said = {name: list(endings) for name, endings in scenario.effects.items()}
        self._running: dict[int, tuple[Start, Ending]] = {}
        self._keypads: dict[int, Keypad] = {}
        self._guests: set[str] = set()  # who was consulted, and did not take the call
        self._waiting: dict[
            int, float
        ] = {}  # effects that wait until nothing is said any more, and for how long after it
        self._began: dict[str, Callable[[Start, Ending], None]] = {
            "say": self._speaks, "generate_reply": self._speaks, "play": self._speaks,
            "collect_digits": self._asks, "hang_up": self._hangs_up, "drain": self._waits, "wait_for_speech": self._waits,
            "interrupt": self._interrupts, "dial": self._dials, "consult": self._consults, "transfer": self._transfers,
            "detect_machine": self._listens, "send_dtmf": self._sends_keys, "stand_by": self._stays, "task": self._stays,
            "answer": self._answers, "remove_participant": self._removes,
        }  # fmt: skip

    # -- after each step of the call

    def follow(self, step: Step) -> None:
        """What comes of a step: effects that begin, that are cancelled, or that hear of something."""
        now = self.call.now
        if isinstance(step.event, Event):
            self._happened(step.event, now)
        elif isinstance(step.event, EffectEnded):
            self._forget(step.event.id)
            self._ended(step.event, self.call.taken[-1].effect)
        for effect in step.effects:
            if isinstance(effect, Start):
                self._begin(effect)
            elif isinstance(effect, Cancel):
                self._lets_go(effect.id)
                self._forget(effect.id)
                if effect.id in self.call.snapshot.memory.effects:
                    self.schedule.add(now, partial(_cancelled, effect.id), effect.id)
            else:
                self._forwarded(effect)
        for note in step.notes:
            if note.kind == "given_up":
                self._gone(str(note.data["leg"]), {"by": "network", "cause": "vanished"})
        self.look()

    def look(self) -> None:
        """What can go on now."""
        self.voice.look(self.call.now)
        self._look_at_who_waits()
        self._look_at_parties()

    def _begin(self, start: Start) -> None:
        verb = verb_of(start.verb)
        ending = self._ending(start)
        self._running[start.id] = (start, ending)
        if start.timeout is not None:
            limit = start.timeout * start.tries + sum(start.backoff * 2**n for n in range(start.tries - 1))
            self.schedule.add(self.call.now + limit, partial(_timed_out, start.id), start.id, limit=True)
        if ending.status == "timed_out":
            return
        began = self._began.get(start.verb)
        if began is not None and (ending.status == "ok" or verb.results):
            began(start, ending)
        else:
            self.end_after(start, LASTS.get(start.verb, 0.0), ending)

    def _ending(self, start: Start) -> Ending:
        leg = start.arguments.get("leg")
        if self._claims(start.verb, leg, start.id):
            return Ending(never=True)
        name = leg if leg is not None else start.arguments.get("name")
        for key in (f"{start.verb}.{name}", start.verb):
            said = self._said.get(key)
            if said:
                return said.pop(0) if len(said) > 1 else said[0]
        return Ending()

    def end_after(self, start: Start, seconds_: float, ending: Ending) -> None:
        """It ends so many seconds from now, or as long as the scenario says; or only by a step, which may ask when it would."""
        at = self.call.now + (seconds_ if ending.after is None else ending.after)
        if ending.never:
            self.by_itself[start.id] = at
        else:
            self.schedule.add(at, lambda now: self.end_of(start, ending, now), start.id)

    def end_of(self, start: Start, ending: Ending, now: float) -> EffectEnded:
        """The input by which an effect ends."""
        if ending.status != "ok":
            return EffectEnded(start.id, ending.status, {}, ending.error or ending.status, now)
        result = {**self._result(start, ending, now), **ending.result}
        fine = verb_of(start.verb).given("statuses", start.arguments)
        status = result.get("status")
        if "statuses" in verb_of(start.verb).roles and not _is_fine(status, fine):
            return EffectEnded(start.id, "failed", {}, f"the answer was {status}", now)
        return EffectEnded(start.id, "ok", result, None, now)

    def _ended(self, end: EffectEnded, effect: Running | None) -> None:
        """What follows from an effect's end."""
        if effect is None or end.status == "cancelled":
            return
        verb, leg = verb_of(effect.verb), effect.leg or MAIN_LEG
        if verb.holds_hang_up and verb.result_event(end.result) in verb.success:
            self._gone(leg, {"by": "agent", "cause": "transferred"})
        elif "decision" in verb.roles and verb.result_event(end.result) not in verb.success:
            self._guests.add(leg)
        elif verb.dials and "detection" in self.call.facts and not self._claims("detect_machine", None, 0):
            ending = next(iter(self._said.get("detect_machine", ())), Ending())
            self.schedule.add(self.call.now + (ending.after or LOOKS_FOR), lambda now: self._verdict(ending, now))

    def _verdict(self, ending: Ending, now: float) -> Event | None:
        """Who has answered a dial; nobody can tell of one that has left."""
        verb = verb_of("detect_machine")
        word = "uncertain" if ending.status != "ok" else str(ending.result.get("result", "human"))
        data = {"category": word, **{name: value for name, value in ending.result.items() if name != "result"}}
        there = self.call.leg().status in ("on_line", "hold") and "detection" in self.call.facts
        return Event(f"{verb.family}.{word}", data, now) if there else None

    def _lets_go(self, effect: int) -> None:
        """A consult that is cancelled: who has picked up leaves."""
        known = self._running.get(effect)
        if known is not None and "decision" in verb_of(known[0].verb).roles:
            self._guests.add(str(known[0].arguments.get("leg")))

    def started(self, effect: int) -> Start | None:
        """What was started under this number; None for what the step has begun otherwise, or what is over."""
        known = self._running.get(effect)
        return None if known is None else known[0]

    def _result(self, start: Start, ending: Ending, now: float) -> dict[str, Any]:
        """What an effect has to say of its end where nobody says otherwise."""
        verb, arguments = verb_of(start.verb), start.arguments
        if verb.results:
            word = str(ending.result.get("result") or verb.results[0].partition(".")[2])
            found: dict[str, Any] = {"result": word}
            if start.verb in ("dial", "transfer", "consult"):
                found |= {"leg": arguments.get("leg") or MAIN_LEG, "elapsed": now - self._began_at(start.id, now)}
                found |= {"sip_status_code": CODES[word]} if start.verb == "dial" and word in CODES else {}
            if start.verb == "detect_machine":
                found["category"] = word
            return found
        if verb.speech:
            return speech_result(False, True, str(ending.result.get("spoken", arguments.get("text", ""))))
        if "function" in verb.roles:
            function = self.call.flow.python.get(str(arguments.get("name")))
            return {} if function is None else {n: plain(one.type) for n, one in function.returns.items()}
        if "statuses" in verb.roles:
            return {"status": 200, "body": {}}
        return {name: plain(kind) for name, kind in verb.result.items()}

    def _began_at(self, effect: int, now: float) -> float:
        running = self.call.snapshot.memory.effects.get(effect)
        return now if running is None else running.started

    def _forget(self, effect: int) -> None:
        if self._running.pop(effect, None) is not None:
            self.schedule.drop(effect)
            self.schedule.drop(keys_of(effect))
            self.voice.cut(effect, self.call.now)
            for kept in (self._keypads, self._waiting, self.by_itself):
                kept.pop(effect, None)

    # -- what is said

    def _speaks(self, start: Start, ending: Ending) -> None:
        arguments = start.arguments
        if arguments.get("loop"):
            return
        text = ending.result.get("spoken")
        known = text if text is not None else arguments.get("text")
        words = str(known) if known is not None else f"({arguments.get('file') or 'the model speaks'})"
        lasts = ending.after if ending.after is not None else seconds(str(known)) if known is not None else REPLY
        if ending.never:
            self.by_itself[start.id] = self.call.now + lasts
            lasts = float("inf")
        again = int(arguments.get("repeat_if_interrupted") or 0)
        over = partial(_said, start.id, dict(ending.result))
        self.voice.say(
            Speech(
                start.id, words, lasts, arguments.get("to"), arguments.get("interruptible") is not False, over, again
            )
        )

    def _asks(self, start: Start, ending: Ending) -> None:
        if ending.never or ending.result or ending.status != "ok" or ending.after is not None:
            self.end_after(start, seconds(str(start.arguments.get("prompt") or "")), ending)
            return
        self._keypads[start.id] = Keypad(start, self.voice, self.schedule, lambda: self.call.now)

    def _hangs_up(self, start: Start, ending: Ending) -> None:
        goodbye = start.arguments.get("goodbye")
        if not goodbye or ending.never:
            self.end_after(start, LASTS["hang_up"], ending)
            return

        def over(now: float, _interrupted: bool, _heard: bool, _text: str) -> None:
            self.end_after(start, LASTS["hang_up"], ending)

        self.voice.say(Speech(start.id, str(goodbye), seconds(str(goodbye)), None, False, over))

    def _waits(self, start: Start, ending: Ending) -> None:
        if ending.never or ending.after is not None:
            self.end_after(start, 0.0, ending)
        else:
            self._waiting[start.id] = float(start.arguments.get("tail") or 0.0)

    def _look_at_who_waits(self) -> None:
        for effect in list(self._waiting) if self.voice.quiet else ():
            start, ending = self._running[effect]
            down = "line" in self.call.snapshot.memory.closed or self.call.leg().status == "gone"
            self.end_after(start, 0.0 if down else self._waiting.pop(effect), ending)
            self._waiting.pop(effect, None)

    def _interrupts(self, start: Start, ending: Ending) -> None:
        cut = self.voice.interrupt(self.call.now, by_force=True)
        if cut is not None:
            self.schedule.add(self.call.now, lambda _: cut)
        self.end_after(start, 0.0, ending)

    # -- telephones

    def _dials(self, start: Start, ending: Ending) -> None:
        self._rings(start, ending)
        result = ending.result.get("result", "answered")
        lasts = {"answered": ANSWERS_AFTER, "no_answer": _ringing_timeout(start)}.get(str(result), REFUSES_AFTER)
        lasts = lasts if ending.status == "ok" else REFUSES_AFTER
        if not ending.never:
            at = self.call.now + (lasts if ending.after is None else ending.after)
            self.schedule.add(at, lambda now: self.before(start, ending, now), start.id)
        self.end_after(start, lasts, ending)

    def _rings(self, start: Start, ending: Ending) -> None:
        result = ending.result.get("result")
        if ending.status == "ok" and result not in ("busy", "invalid", "failed"):
            after = RINGS_AFTER if ending.after is None else min(RINGS_AFTER, ending.after / 2)
            self.schedule.add(self.call.now + after, lambda now: self._of_leg(start, "ringing", now), start.id)

    def _of_leg(self, start: Start, what: str, now: float) -> Event | None:
        """What a telephone that is being called does; None where it does not any more."""
        name = str(start.arguments.get("leg") or MAIN_LEG)
        stands = self.call.leg(name).status
        if stands in ("on_line", "hold") or (what == "ringing" and stands == "ringing"):
            return None
        event = f"call.{what}" if name == MAIN_LEG else f"leg.{name}.{what}"
        return Event(event, {"leg": name, "kind": "sip", "number": str(start.arguments.get("to", ""))}, now)

    def before(self, start: Start, ending: Ending, now: float) -> Event | None:
        """What is told before the end of an effect: that the telephone which it calls is on the line."""
        if start.verb in ("dial", "consult") and ending.status == "ok":
            answered = {"dial": ("answered",), "consult": ("accepted",)}[start.verb]
            if ending.result.get("result", answered[0]) in answered:
                return self._of_leg(start, "answered", now)
        return None

    def _consults(self, start: Start, ending: Ending) -> None:
        self._rings(start, ending)
        result = str(ending.result.get("result", "accepted"))
        after = self.call.now + (ANSWERS_AFTER if ending.after is None else ending.after)
        if ending.never:
            self.by_itself[start.id] = after
        elif ending.status != "ok" or result == "failed":
            self.end_after(start, REFUSES_AFTER, ending)
        elif result == "no_answer":
            self.end_after(start, _ringing_timeout(start), ending)
        else:
            self.schedule.add(after, lambda now: self._of_leg(start, "answered", now), start.id)

    def _briefs(self, effect: int) -> None:
        """The human has picked up: the briefing, and what they decide."""
        start, ending = self._running[effect]
        briefing = str(start.arguments.get("briefing") or "")
        wait = DECIDES_AFTER if start.arguments.get("accept") else 0.0
        leg = str(start.arguments.get("leg"))

        def over(_now: float, _interrupted: bool, heard: bool, _text: str) -> None:
            if heard:
                self.end_after(start, wait, ending._replace(after=None))

        self.voice.say(Speech(effect, briefing, seconds(briefing), leg, False, over))

    def _transfers(self, start: Start, ending: Ending) -> None:
        self.end_after(start, HANDS_OVER, ending)

    def _listens(self, start: Start, ending: Ending) -> None:
        self.end_after(start, LOOKS_FOR, ending)

    def _sends_keys(self, start: Start, ending: Ending) -> None:
        keys = str(start.arguments.get("digits") or "").replace(" ", "")
        self.end_after(start, on_the_wire(keys), ending)

    def _stays(self, start: Start, ending: Ending) -> None:
        """It ends by what others do."""
        if ending.after is not None or ending.result:
            self.end_after(start, 0.0, ending)
        elif ending.never:
            self.by_itself[start.id] = self.call.now

    def _answers(self, start: Start, ending: Ending) -> None:
        at = self.call.now + LASTS["answer"]
        self.schedule.add(at, lambda now: self._of_leg(start, "answered", now), start.id)
        self.end_after(start, LASTS["answer"], ending)

    def _removes(self, start: Start, ending: Ending) -> None:
        self.end_after(start, 0.0, ending)
        leg = str(start.arguments.get("leg") or MAIN_LEG)
        self._gone(leg, {"by": "agent", "cause": "hung_up"})

    def _gone(self, leg: str, why: Mapping[str, Any]) -> None:
        """A party leaves, by nobody's will of its own."""
        self.schedule.add(self.call.now, lambda now: self._left(leg, why, now))

    def _left(self, leg: str, why: Mapping[str, Any], now: float) -> Event | None:
        if self.call.leg(leg).status not in ("ringing", "on_line", "dropped", "hold"):
            return None
        name = "call.hangup" if leg == MAIN_LEG else f"leg.{leg}.hangup"
        return Event(name, {"leg": leg, **why}, now)

    # -- what others do

    def _happened(self, event: Event, now: float) -> None:
        name = event.name
        if name == "room.reconnecting" and self.call.flow.limits.reconnecting is not None:
            lost = Event("room.disconnected", {"reason": OUT_OF_REACH})
            self.schedule.add(
                now + self.call.flow.limits.reconnecting, lambda at: lost._replace(time=at), "away", limit=True
            )
        elif name in ("room.reconnected", "room.disconnected"):
            self.schedule.drop("away")
        elif name.startswith("leg.") and name.endswith(".answered"):
            for effect, (start, ending) in list(self._running.items()):
                if start.verb == "consult" and start.arguments.get("leg") == name.split(".")[1] and not ending.never:
                    self._briefs(effect)
        elif name.endswith(".hangup"):
            self._hung_up(MAIN_LEG if name.startswith("call.") else name.split(".")[1])
        elif name == "session.user_state_changed" and event.data.get("new_state") == "speaking":
            cut = self.voice.interrupt(now)
            if cut is not None:
                self.schedule.add(now, lambda _: cut)

    def _hung_up(self, leg: str) -> None:
        for effect, (start, ending) in list(self._running.items()):
            if start.verb not in ("transfer", "consult") or ending.never:
                continue
            mine = start.arguments.get("leg") or MAIN_LEG
            if start.verb == "transfer" and mine == leg:
                self._instead(effect, {"result": "failed", "cause": "hung_up"})
            elif start.verb == "consult" and leg in (mine, MAIN_LEG):
                gone = {"result": "failed", "cause": "caller_gone"}
                self._instead(effect, {"result": "declined", "cause": "hung_up"} if leg == mine else gone)

    def _instead(self, effect: int, result: Mapping[str, Any]) -> None:
        start, _ = self._running[effect]
        self.schedule.drop(effect)
        self.voice.cut(effect, self.call.now)
        self.end_after(start, 0.0, Ending(result=result))

    def _forwarded(self, forward: Forward) -> None:
        """A key for whoever collects keys, or an answer for whoever waits for one."""
        keypad = self._keypads.get(forward.id)
        if keypad is not None:
            keypad.press(str(forward.event.data.get("digit") or forward.event.name.rpartition(".")[2]))
            return
        known = self._running.get(forward.id)
        if known is None or "decision" not in verb_of(known[0].verb).roles:
            return
        action = action_at(self.call.flow, known[0].source)
        accept = {} if action is None else action.arguments.get("accept") or {}
        key = forward.event.name.rpartition(".dtmf.")[2]
        said = (
            accept.get("tool") == forward.event.name[5:]
            if forward.event.name.startswith("tool.")
            else _decides(key, accept)
        )
        self._instead(forward.id, {"result": "accepted" if said else "declined"})

    def _look_at_parties(self) -> None:
        """Whoever is left alone by the other is let go; and whoever was consulted, once nothing is for them any more."""
        memory = self.call.snapshot.memory
        there = [name for name, leg in memory.legs.items() if leg.status in ("on_line", "dropped", "hold")]
        for effect, (start, ending) in list(self._running.items()):
            if verb_of(start.verb).parties_end and len(there) < 2 and not ending.never:
                self.schedule.drop(effect)
                self.end_after(start, 0.0, ending)
        for leg in [one for one in self._guests if one in there]:
            if not any(addresses(action, leg) for action in ahead(self.call.flow, self.call.snapshot)):
                self._guests.discard(leg)
                self._gone(leg, {"by": "agent", "cause": "hung_up"})


def _cancelled(effect: int, now: float) -> EffectEnded:
    return EffectEnded(effect, "cancelled", {}, "cancelled", now)


def _timed_out(effect: int, now: float) -> EffectEnded:
    return EffectEnded(effect, "timed_out", {}, "timed_out", now)


def _said(effect: int, more: Mapping[str, Any], now: float, interrupted: bool, heard: bool, text: str) -> EffectEnded:
    return EffectEnded(effect, "ok", {**speech_result(interrupted, heard, text), **more}, None, now)


def _is_fine(status: Any, fine: Any) -> bool:
    """Whether an answer is none that the action calls a failure."""
    return status in fine if fine else isinstance(status, int) and 200 <= status < 300


def _ringing_timeout(start: Start) -> float:
    seconds_ = start.arguments.get("ringing_timeout")
    return float(seconds_) if isinstance(seconds_, (int, float)) else 30.0


def _decides(key: str, ways: Mapping[str, Any]) -> bool:
    return KEYS.get(str(ways.get("key")), str(ways.get("key"))) == key
