"""What those on the line hear, and when: told by the inputs and effects of a call alone, as somebody who watches it from outside. Nothing of
the proof's own bookkeeping is used, nor the legs, effects and facts of a snapshot: an error there shows here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, MAIN_LEG, EffectEnded, Event
from callflow.core.flow import ROOT, Flow, State
from callflow.core.snapshot import Cancel, Start
from tests.proof.sound.calls import Call, Moved

_SAYS = {"answered": "on_line", "hangup": "gone", "dropped": "dropped", "restored": "on_line"}
_KEYS = tuple(f"dtmf.{digit}" for digit in DIGITS)
_VOICE = ("session.user_state_changed", "session.user_input_transcribed")
_AT_ONCE = {
    "hold",
    "resume",
    "mute",
    "unmute",
    "update_agent",
    "task",
    "remove_participant",
    "wait_for_speech",
    "drain",
}
"""What only changes how a leg or the session stands, and what waits for somebody who speaks."""
_ENDS_IT = {"stand_by", "hang_up", "delete_room", "shutdown", "close"}


class Ears:
    """`silence`: the longest that somebody has heard nothing, and it was not their turn; `after_hang_up`: the longest that a call has gone on
    without anybody after the far end has hung up; `rings`: the longest that a telephone has rung then; in seconds."""

    def __init__(self, call: Call) -> None:
        self.flow: Flow = call.flow
        self.now = call.begun.snapshot.memory.started
        self.legs: dict[str, str] = {}
        self.music: set[str] = set()
        self.runs: dict[int, Start] = {}
        self.hears_us = True  # the session listens
        self.muted = False
        self.line = True
        self.since: dict[str, float] = {}
        self.gone: float | None = None
        self.ringing: float | None = None
        self.silence = self.after_hang_up = self.rings = 0.0
        self.where = ""
        self._does(call.begun.effects)
        self._listen(call.begun.snapshot.configuration, ended=False)

    def passes(self, until: float) -> None:
        """Nothing happens until then."""
        self.now = until
        for leg, since in self.since.items():
            if until - since > self.silence:
                self.silence, self.where = until - since, leg
        if self.gone is not None:
            self.after_hang_up = max(self.after_hang_up, until - self.gone)
        if self.ringing is not None:
            self.rings = max(self.rings, until - self.ringing)

    def look(self, moved: Moved) -> None:
        """Something has happened."""
        self.passes(moved.now)
        event = moved.event
        if isinstance(event, Event):
            self._hears(event)
        elif isinstance(event, EffectEnded):
            self._ends(event)
        self._does(moved.taken.effects)
        self._listen(moved.taken.snapshot.configuration, ended=moved.taken.snapshot.ended)

    # -- what has happened --------------------------------------------------------------------------------------------

    def _hears(self, event: Event) -> None:
        family, _, rest = event.name.partition(".")
        leg, what = rest.split(".", 1) if family == "leg" else (MAIN_LEG, rest)
        if family in ("call", "leg") and what in _SAYS:
            on_hold = self.legs.get(leg) == "hold" and what in ("dropped", "restored")
            self.legs[leg] = "hold" if on_hold else _SAYS[what]
            if what == "hangup":
                self.music.discard(leg)
        elif event.name == "session.close":
            self.hears_us = False
        elif event.name == "room.disconnected" and event.data.get("reason") != "OUT_OF_REACH":
            self.line = False

    def _ends(self, end: EffectEnded) -> None:
        begun = self.runs.pop(end.id, None)
        if begun is not None and verb_of(begun.verb).forced:
            self.line = False  # the last that can be done about it, whatever becomes of that
        if begun is None or end.status != "ok":
            return
        verb, leg = verb_of(begun.verb), verb_of(begun.verb).leg(begun.arguments)
        if end.result.get("result") in ("answered", "accepted") and begun.verb in ("dial", "consult"):
            self.legs[leg] = "on_line"
        elif begun.verb == "hold" and self.legs.get(leg) == "on_line":
            self.legs[leg] = "hold"
            self.music |= {leg} if begun.arguments.get("music") else set()
        elif begun.verb == "resume" and self.legs.get(leg) == "hold":
            self.legs[leg] = "on_line"
            self.music.discard(leg)
        elif begun.verb == "remove_participant":
            self.legs[leg] = "leaving"
        elif begun.verb in ("mute", "unmute"):
            self.muted = begun.verb == "mute"
        if verb.closes & {"session", "speech"}:
            self.hears_us = False
        if "line" in verb.closes:
            self.line = False

    def _does(self, effects: tuple[Any, ...]) -> None:
        for one in effects:
            if isinstance(one, Cancel):
                self.runs.pop(one.id, None)
            elif isinstance(one, Start):
                self.runs[one.id] = one
                if one.verb == "dial":
                    self.legs[verb_of("dial").leg(one.arguments)] = "dialing"

    # -- how it is for those on the line ------------------------------------------------------------------------------------

    def _listen(self, leaves: tuple[str, ...], *, ended: bool) -> None:
        there = [leg for leg, status in self.legs.items() if status in ("on_line", "hold")] if self.line else []
        waits = [
            leg
            for leg in self._waiting(there)
            if not ended and not self._is_heard(leg, there) and not self._may_act(leaves)
        ]
        if any(one.verb in _AT_ONCE | _ENDS_IT or one.verb == "collect_digits" for one in self.runs.values()):
            waits = []
        ending = any(self._is_in_ending(leaf) for leaf in leaves)
        if ending:
            waits = [leg for leg in waits if leg == MAIN_LEG and self.legs[leg] == "on_line"]
        self.since = {leg: self.since.get(leg, self.now) for leg in waits}
        hung_up = self.legs.get(MAIN_LEG) == "gone" and not there and not ended
        self.gone = (self.now if self.gone is None else self.gone) if hung_up else None
        rings = hung_up and any(
            one.verb in ("dial", "consult") and self._called(one) != MAIN_LEG for one in self.runs.values()
        )
        self.ringing = (self.now if self.ringing is None else self.ringing) if rings else None

    def _called(self, begun: Start) -> str:
        return verb_of(begun.verb).leg(begun.arguments)

    def _waiting(self, there: list[str]) -> list[str]:
        """The far end; whoever is alone where the far end is on hold, or has gone, and is not just being asked."""
        main = self.legs.get(MAIN_LEG)
        asked = {self._called(one) for one in self.runs.values() if one.verb in ("dial", "consult")}
        others = [
            leg
            for leg in there
            if leg != MAIN_LEG and (main == "gone" or (main == "hold" and self.legs[leg] == "on_line"))
        ]
        return [leg for leg in there if leg == MAIN_LEG] + (
            others if len(others) == 1 and others[0] not in asked else []
        )

    def _is_heard(self, leg: str, there: list[str]) -> bool:
        consulted = leg == MAIN_LEG and any(one.verb == "consult" for one in self.runs.values())
        on_hold = self.legs[leg] == "hold" or consulted
        if self.legs[leg] == "on_line" and sum(self.legs[one] == "on_line" for one in there) > 1:
            return True
        if on_hold and leg in self.music:
            return True
        return any(verb_of(one.verb).hears(leg, one.arguments, on_hold=on_hold) for one in self.runs.values())

    def _may_act(self, leaves: tuple[str, ...]) -> bool:
        """Whether it is the far end's turn: a key does something, or what they say does."""
        if self.legs.get(MAIN_LEG) != "on_line":
            return False
        states = [*self._active(leaves)]
        if any(_has_row(state, name) for state in states for name in _KEYS):
            return True
        return self.hears_us and not self.muted and any(map(self._listens, states))

    def _listens(self, state: State) -> bool:
        if any(_has_row(state, name) for name in _VOICE) or state.tools or state.instructions is not None:
            return True
        if any(tool.own for tool in self.flow.tools.values()) or any(
            one.verb == "generate_reply" for one in state.entry
        ):
            return True
        return any(
            timer.kind == "silence" and any(not row.supplied for row in timer.transitions) for timer in state.timers
        )

    def _active(self, leaves: tuple[str, ...]) -> Iterator[State]:
        paths = {ROOT}
        for leaf in leaves:
            path: str | None = leaf
            while path:
                paths.add(path)
                path = self.flow.states[path].parent
        return (self.flow.states[path] for path in paths)

    def _is_in_ending(self, leaf: str) -> bool:
        ending = self.flow.ending
        return ending is not None and (leaf == ending or leaf.startswith(f"{ending}."))


def _has_row(state: State, name: str) -> bool:
    return any(
        row.pattern == name or (row.pattern.endswith(".*") and name.startswith(row.pattern[:-1])) or row.pattern == "*"
        for row in state.rows
        if row.transitions
    )
