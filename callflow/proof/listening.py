"""What a person on the line hears, and whose turn it is, as far as a snapshot says."""

from __future__ import annotations

from collections.abc import Callable

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import DIGITS, MAIN_LEG
from callflow.core.flow import Flow, State
from callflow.core.heard import heard
from callflow.core.occurs import Facts
from callflow.core.possible import leg_is
from callflow.core.snapshot import Running, Snapshot
from callflow.core.table import table_of
from callflow.core.turn import LIVE

Condition = Callable[[Snapshot, Facts], bool]

_THERE = frozenset({"on_line", "hold"})
_LINE: Facts = frozenset({"room", "line"})
"""Without these nobody is on the line any more, whatever was told of them."""
_VOICE = ("session.user_state_changed", "session.user_input_transcribed")


def parties(snapshot: Snapshot) -> list[str]:
    """The legs on the line, those on hold included."""
    return [name for name, leg in snapshot.memory.legs.items() if leg.status in _THERE]


def talk(snapshot: Snapshot) -> bool:
    """Whether there are two on the line, who may talk to each other."""
    return len(parties(snapshot)) > 1


def unheard(flow: Flow) -> Condition:
    """Whether somebody is on the line, hears nothing, and it is not their turn."""
    listening = _Listening(flow)

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        memory = snapshot.memory
        leg = memory.legs.get(MAIN_LEG)
        if leg is None or leg.status not in _THERE or memory.phase not in LIVE or not facts >= _LINE:
            return False
        return not listening.sounds(snapshot, facts) and not listening.turn(snapshot, facts)

    return condition


def turn(flow: Flow) -> Condition:
    """Whether it is the turn of whoever is on the line: they are heard, and can bring about something."""
    return _Listening(flow).turn


def alone(flow: Flow) -> Condition:
    """Whether nobody is on the line any more, or was dialled and has not come, and the call goes on."""

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        memory = snapshot.memory
        leg = memory.legs.get(MAIN_LEG)
        if memory.phase not in LIVE or leg is None or parties(snapshot):
            return False
        return leg.status == "gone" or (leg.status == "dialing" and leg_is(snapshot, MAIN_LEG) == "absent")

    return condition


def called(snapshot: Snapshot) -> Running | None:
    """What calls somebody beside the far end now."""
    for one in snapshot.memory.effects.values():
        if one.leg not in (None, MAIN_LEG) and not one.stopping and verb_of(one.verb).calls:
            return one
    return None


def rings(flow: Flow) -> Condition:
    """Whether somebody is being called whom nobody is there to talk to any more."""

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        memory = snapshot.memory
        if called(snapshot) is None or parties(snapshot):
            return False
        leg = memory.legs.get(MAIN_LEG)
        return memory.phase not in LIVE or (leg is not None and leg.status == "gone")

    return condition


class _Listening:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.table = table_of(flow)
        self._asked: dict[tuple[str, ...], bool] = {}

    def sounds(self, snapshot: Snapshot, facts: Facts) -> bool:
        """Whether there is something to hear: speech, music, a tone, somebody to talk to."""
        legs = snapshot.memory.legs
        if legs[MAIN_LEG].status == "on_line" and sum(leg.status == "on_line" for leg in legs.values()) > 1:
            return True
        running = [one for one in snapshot.memory.effects.values() if not one.stopping]
        return any(map(_engages, running)) or bool(heard(self.flow, snapshot, facts))

    def turn(self, snapshot: Snapshot, facts: Facts) -> bool:
        """Whether it is the person's turn: they are heard, and can bring about something."""
        memory = snapshot.memory
        if "conversation" not in facts or memory.muted or memory.legs[MAIN_LEG].status != "on_line":
            return False
        known = self._asked.get(snapshot.configuration)
        if known is None:
            known = self._asked[snapshot.configuration] = self._can(snapshot.configuration)
        return known

    def _can(self, leaves: tuple[str, ...]) -> bool:
        at = configuration_of(self.table, leaves)
        keys = (f"dtmf.{digit}" for digit in DIGITS)
        if any(row is not None for name in (*_VOICE, *keys) for rows in at.heard(name).rows for row in rows):
            return True
        if any(tool.own or at.offering(name) is not None for name, tool in self.flow.tools.items()):
            return True
        return any(self._converses(self.flow.states[path]) for path in at.active)

    def _converses(self, state: State) -> bool:
        """Whether the model talks with whoever is on the line, or the author has said for how long they may say nothing."""
        if state.instructions is not None or any(verb_of(action.verb).talks for action in state.entry):
            return True
        waits = (timer for timer in state.timers if timer.kind == "silence")
        return any(not row.supplied for timer in waits for row in timer.transitions)


def _engages(effect: Running) -> bool:
    """Whether what runs is nothing to wait for in silence: it takes no time as a rule, others talk meanwhile, the line drops, or keys
    are asked for."""
    verb = verb_of(effect.verb)
    if verb.lets_speech_end:  # while somebody speaks, and no longer
        return True
    changes = verb.leg_after is not None or verb.mutes is not None or verb.takes_over is not None
    return changes or "line" in verb.closes or verb.takes_keys
