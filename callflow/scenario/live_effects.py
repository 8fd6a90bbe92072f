"""The effects of one call that run, and how each ends where nothing else is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from callflow.core.actions import verb_of
from callflow.core.events import EVENTS, MAIN_LEG, EffectEnded
from callflow.core.snapshot import Start
from callflow.core.values.choices import plain
from callflow.scenario.call import Call
from callflow.scenario.keypad import Keypad, keys_of
from callflow.scenario.model import Ending
from callflow.scenario.schedule import Schedule
from callflow.scenario.voice import Voice, speech_result

CODES: Mapping[str, int] = {"busy": 486, "declined": 603, "invalid": 404, "failed": 503}
"""What SIP says where a call is not answered."""


class Later(Protocol):
    """What the steps say that are still to come."""

    def ends(self, verb: str, leg: str | None, effect: int) -> bool:
        """Whether one of them says how this effect ends, and none before it does: then it does not end by itself."""

    def brings(self, event: str, effect: int) -> bool:
        """Whether one of them is this event, and no other effect waits for it: then it does not come by itself."""

    def brings_one(self, events: Iterable[str], effect: int) -> bool:
        """The same of the first of several events."""

    def over(self, effect: int) -> None:
        """This effect has ended, and waits for none of them."""


def ending_of(start: Start, said: Mapping[str, list[Ending]], later: Later) -> Ending:
    """How an effect that begins now will end; what is `said` of one effect alone is used up."""
    leg = start.arguments.get("leg")
    if later.ends(start.verb, leg, start.id):
        return Ending(never=True)
    name = leg if leg is not None else start.arguments.get("name")
    for key in (f"{start.verb}.{name}", start.verb):
        known = said.get(key)
        if known:
            return known.pop(0) if len(known) > 1 else known[0]
    return Ending()


class Effects:
    """`by_itself` is when an effect that waits for a step would end otherwise."""

    def __init__(self, call: Call, said: Mapping[str, list[Ending]], later: Later) -> None:
        self.call = call
        self.later = later
        self.schedule = Schedule()
        self.voice = Voice(call, self.schedule)
        self.running: dict[int, tuple[Start, Ending]] = {}
        self.by_itself: dict[int, float] = {}
        self.brought: dict[str, float] = {}  # events that a step brings, and when they would have come
        self.keypads: dict[int, Keypad] = {}
        self.waiting: dict[int, float] = {}  # those that wait until nothing is said any more, and for how long after it
        self._said = said

    def brings(self, event: str, effect: int, seconds: float) -> bool:
        """Whether a later step brings this event, which would come by itself so many seconds from now."""
        brings = self.later.brings(event, effect)
        if brings:
            self.brought[event] = self.call.now + seconds
        return brings

    def begins(self, start: Start) -> Ending:
        """It has begun; how it will end."""
        ending = ending_of(start, self._said, self.later)
        self.running[start.id] = (start, ending)
        if start.timeout is not None:
            limit = start.timeout * start.tries + sum(start.backoff * 2**n for n in range(start.tries - 1))
            self.schedule.add(self.call.now + limit, partial(timed_out, start.id), start.id, limit=True)
        return ending

    def forget(self, effect: int) -> None:
        """It is over."""
        if self.running.pop(effect, None) is not None:
            self.drop(effect)
            self.later.over(effect)
            for kept in (self.keypads, self.waiting, self.by_itself):
                kept.pop(effect, None)

    def drop(self, effect: int) -> None:
        """Nothing comes of it any more by itself."""
        self.schedule.drop(effect)
        self.schedule.drop(keys_of(effect))
        self.voice.cut(effect, self.call.now)

    def instead(self, effect: int, result: Mapping[str, Any]) -> None:
        """It ends now, otherwise than it would have."""
        start, _ = self.running[effect]
        self.drop(effect)
        self.end_after(start, 0.0, Ending(result=result))

    def said(self, verb: str) -> Ending:
        """How the next effect of this verb is said to end."""
        return next(iter(self._said.get(verb, ())), Ending())

    def end_after(self, start: Start, seconds: float, ending: Ending) -> None:
        """It ends so many seconds from now (no sooner than it can), or as long as the scenario says; or only by a step, which may
        ask when it would."""
        verb = verb_of(start.verb)
        if ending.after is not None:
            seconds = ending.after
        elif ending.status == "ok" and verb.results:
            result = {"result": verb.results[0].partition(".")[2], **ending.result}
            least = verb.end(result).lasts(start.arguments).least - (
                self.call.now - self._began_at(start.id, self.call.now)
            )
            seconds = max(seconds, least) if math.isfinite(least) else seconds
        at = self.call.now + seconds
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

    def started(self, effect: int) -> Start | None:
        """What was started under this number; None for what the step has begun otherwise, or what is over."""
        known = self.running.get(effect)
        return None if known is None else known[0]

    def _result(self, start: Start, ending: Ending, now: float) -> dict[str, Any]:
        """What an effect has to say of its end where nobody says otherwise."""
        verb, arguments = verb_of(start.verb), start.arguments
        if verb.results:
            word = str(ending.result.get("result") or verb.results[0].partition(".")[2])
            found: dict[str, Any] = {"result": word}
            told = EVENTS[verb.result_event(found)].fields if verb.result_event(found) in EVENTS else {}
            if "elapsed" in told:
                found |= {"leg": arguments.get("leg") or MAIN_LEG, "elapsed": now - self._began_at(start.id, now)}
                found |= {"sip_status_code": CODES[word]} if verb.dials and word in CODES else {}
            if "category" in told:
                found |= {"category": word, **({"reason": "detection_timeout"} if word == "uncertain" else {})}
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


def timed_out(effect: int, now: float) -> EffectEnded:
    return EffectEnded(effect, "timed_out", {}, "timed_out", now)


def cancelled(effect: int, now: float) -> EffectEnded:
    return EffectEnded(effect, "cancelled", {}, "cancelled", now)


def _is_fine(status: Any, fine: Any) -> bool:
    """Whether an answer is none that the action calls a failure."""
    return status in fine if fine else isinstance(status, int) and 200 <= status < 300
