"""What a person on the line hears, and whose turn it is, as far as a snapshot says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import DIGITS, MAIN_LEG
from callflow.core.flow import Flow, State
from callflow.core.heard import heard
from callflow.core.macrostep import LIVE
from callflow.core.occurs import Facts, Leaving
from callflow.core.possible import leg_is
from callflow.core.snapshot import Running, Snapshot
from callflow.core.table import table_of

Condition = Callable[[Snapshot, Facts], bool]

_THERE = frozenset({"on_line", "hold"})
_LINE: Facts = frozenset({"room", "line"})
"""Without these nobody is on the line any more, whatever was told of them."""
_VOICE = ("session.user_state_changed", "session.user_input_transcribed")
_KEYS = tuple(f"dtmf.{digit}" for digit in DIGITS)


def parties(snapshot: Snapshot) -> list[str]:
    """The legs on the line, those on hold included."""
    return [name for name, leg in snapshot.memory.legs.items() if leg.status in _THERE]


def talk(snapshot: Snapshot) -> bool:
    """Whether there are two on the line, who may talk to each other."""
    return len(parties(snapshot)) > 1


def unheard(flow: Flow) -> Condition:
    """Whether somebody is on the line, hears nothing, and it is not their turn: the far end; whoever is there while the far end is on
    hold, or has gone."""
    listening = _Listening(flow)

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        if listening.is_ending(snapshot):
            return False
        waiting = _waiting(snapshot, facts)
        if not waiting or listening.turn(snapshot, facts):
            return False
        return any(not listening.sounds(snapshot, facts, who) for who in waiting)

    return condition


def unheard_at_all(flow: Flow) -> Condition:
    """Whether the far end is on the line and hears nothing, also where it would be their turn."""
    listening = _Listening(flow)

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        return MAIN_LEG in _waiting(snapshot, facts) and not listening.sounds(snapshot, facts, MAIN_LEG)

    return condition


def dead_air(flow: Flow) -> Condition:
    """Whether the far end is on the line, not on hold, and hears nothing while the call ends; of others the line drops as soon as what is
    owed to the far end is done."""
    listening = _Listening(flow)

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        there = listening.is_ending(snapshot) and MAIN_LEG in _waiting(snapshot, facts)
        there = there and snapshot.memory.legs[MAIN_LEG].status == "on_line"
        return there and not listening.sounds(snapshot, facts, MAIN_LEG) and not listening.turn(snapshot, facts)

    return condition


def entertained(flow: Flow) -> Condition:
    """Whether the far end hears music or a tone and nothing else, and it is not their turn."""
    listening = _Listening(flow)

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        if MAIN_LEG not in _waiting(snapshot, facts) or talk(snapshot) or listening.turn(snapshot, facts):
            return False
        sounds = heard(flow, snapshot, facts)
        return bool(sounds) and "speech" not in sounds and not listening.says_why(snapshot)

    return condition


def _waiting(snapshot: Snapshot, facts: Facts) -> list[str]:
    """The far end, while they are on the line; and, while they are on hold or have gone, whoever is there alone, but for one who is
    being called or asked."""
    memory = snapshot.memory
    main = memory.legs.get(MAIN_LEG)
    if memory.phase not in LIVE or not facts >= _LINE or main is None:
        return []
    found = [MAIN_LEG] if main.status in _THERE else []
    asked = {one.leg for one in memory.effects.values() if verb_of(one.verb).calls}
    alone = {"hold": {"on_line"}, "gone": _THERE}.get(main.status, ())
    others = [name for name, leg in memory.legs.items() if leg.status in alone and Leaving(name) not in facts]
    if len(others) == 1 and others[0] not in asked and others[0] != MAIN_LEG:
        found += others
    return found


def turn(flow: Flow) -> Condition:
    """Whether it is the turn of whoever is on the line: they are heard, and can bring about something."""
    return _Listening(flow).turn


def alone(flow: Flow) -> Condition:
    """Whether the far end has hung up, nobody is on the line any more, and the call goes on, until what is left open is closed."""

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        leg = snapshot.memory.legs.get(MAIN_LEG)
        if snapshot.memory.phase not in LIVE:
            return not snapshot.ended
        return leg is not None and leg.status == "gone" and not parties(snapshot)

    return condition


def not_come(flow: Flow) -> Condition:
    """Whether the far end was dialled and has not come, nobody is on the line, and the call goes on."""

    def condition(snapshot: Snapshot, facts: Facts) -> bool:
        leg = snapshot.memory.legs.get(MAIN_LEG)
        if snapshot.memory.phase not in LIVE or leg is None or parties(snapshot):
            return False
        return leg.status == "dialing" and leg_is(snapshot, MAIN_LEG) == "absent"

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
        self._asked: dict[tuple[tuple[str, ...], Hashable], bool] = {}

    def sounds(self, snapshot: Snapshot, facts: Facts, who: str) -> bool:
        """Whether there is something to hear for them: speech, music, a tone, somebody to talk to."""
        legs = snapshot.memory.legs
        if legs[who].status == "on_line" and sum(leg.status == "on_line" for leg in legs.values()) > 1:
            return True
        running = [one for one in snapshot.memory.effects.values() if not one.stopping]
        return any(map(_engages, running)) or bool(heard(self.flow, snapshot, facts, who))

    def is_ending(self, snapshot: Snapshot) -> bool:
        """Whether the call is in its ending."""
        return configuration_of(self.table, snapshot.configuration).in_ending

    def says_why(self, snapshot: Snapshot) -> bool:
        """Whether the author has said what is being waited for."""
        active = configuration_of(self.table, snapshot.configuration).active
        return any(self.flow.states[path].waits for path in active)

    def turn(self, snapshot: Snapshot, facts: Facts) -> bool:
        """Whether it is the person's turn: they can bring about something, by a key, or by what they say where they are heard."""
        memory = snapshot.memory
        main = memory.legs.get(MAIN_LEG)
        if main is None or main.status != "on_line":
            return False
        return self._known(snapshot.configuration, self._by_key, _KEYS) or (
            "conversation" in facts and not memory.muted and self._known(snapshot.configuration, self._by_voice, _VOICE)
        )

    def _known(self, leaves: tuple[str, ...], asked: Callable[[tuple[str, ...]], bool], kind: Hashable) -> bool:
        known = self._asked.get((leaves, kind))
        if known is None:
            known = self._asked[leaves, kind] = asked(leaves)
        return known

    def _by_key(self, leaves: tuple[str, ...]) -> bool:
        return self._heard(leaves, _KEYS)

    def _by_voice(self, leaves: tuple[str, ...]) -> bool:
        at = configuration_of(self.table, leaves)
        if self._heard(leaves, _VOICE):
            return True
        if any(tool.own or at.offering(name) is not None for name, tool in self.flow.tools.items()):
            return True
        return any(converses(state) or has_silence(state) for state in map(self.flow.states.__getitem__, at.active))

    def _heard(self, leaves: tuple[str, ...], names: Iterable[str]) -> bool:
        at = configuration_of(self.table, leaves)
        return any(row is not None for name in names for rows in at.heard(name).rows for row in rows)


def converses(state: State) -> bool:
    """Whether the model talks there with whoever is on the line."""
    return state.instructions is not None or any(verb_of(action.verb).talks for action in state.entry)


def has_silence(state: State) -> bool:
    """Whether the author has said for how long they may say nothing."""
    waits = (timer for timer in state.timers if timer.kind == "silence")
    return any(not row.supplied for timer in waits for row in timer.transitions)


def _engages(effect: Running) -> bool:
    """Whether what runs is nothing to wait for in silence: it takes no time as a rule, others talk meanwhile, the line drops, or keys
    are asked for."""
    verb = verb_of(effect.verb)
    if verb.lets_speech_end:  # while somebody speaks, and no longer
        return True
    changes = verb.leg_after is not None or verb.mutes is not None or verb.takes_over is not None or verb.drops_leg
    return changes or "line" in verb.closes or verb.takes_keys
