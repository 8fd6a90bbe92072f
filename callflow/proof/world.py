"""What is tried at each step: everything that can happen (`callflow.core.inputs`), but for what comes to the same.

Voices: a person who speaks breaks a silence, and while they go on nothing counts, which comes to the same as speaking again and
again; the model speaks after them, or because the flow has asked it to. So, where no row listens to voices, all of them are one
short word. Of events that no row hears only those are tried that change what is known of the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import DIGITS, EVENTS, MAIN_LEG, SENDERS, EffectEnded, Event
from callflow.core.flow import Flow
from callflow.core.inputs import Ending, ends, events
from callflow.core.macrostep import LIVE
from callflow.core.occurs import Facts
from callflow.core.possible import action_of, calls_again, leg_is, leg_of, unfit
from callflow.core.snapshot import Running, Snapshot
from callflow.core.statechart.descriptors import heard, matches
from callflow.core.table import table_of
from callflow.core.values.facts import senders
from callflow.core.values.reads import reads
from callflow.proof.ending import EndingState, facts_for
from callflow.proof.listening import parties, talk
from callflow.proof.waiting import MANY

_CHANGE = frozenset({
    "call.answered", "call.hangup", "call.dropped", "call.restored", "session.close", "room.disconnected",
})  # fmt: skip
"""What changes what is known of the call also where no row hears it."""

_NOT_IN_THE_END = _CHANGE - {"call.hangup"}
"""What makes no difference to how a call ends any more, but that it ends sooner."""

_VANISHES = frozenset({"call.dropped", "call.restored"})
"""What matters where some row of the flow hears it. Else a party that vanishes and comes back is one that says something: a silence
does not count meanwhile."""

WORD = "session.user_input_transcribed"


class World:
    """What can happen to a call of one flow, each thing once."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._table = table_of(flow)
        self._ending = EndingState(flow)
        listens = heard(flow.states)
        self._facts = facts_for(listens)
        self._vanishing = any(matches(pattern, name) for pattern in listens for name in _VANISHES)
        self._asks_for_time_outs = "timeout" in reads(flow).fields("failed")
        self._ends_known: dict[tuple[int, bool], tuple[tuple[Ending, ...], tuple[Ending, ...]]] = {}
        self._events_of: dict[tuple[int, tuple[str, ...]], tuple[tuple[Event, ...], tuple[Event, ...]]] = {}
        self._matters: dict[tuple[tuple[str, ...], str], bool] = {}

    def matters(self, configuration: tuple[str, ...], name: str) -> bool:
        """Whether it makes a difference that this event happens in these states."""
        which = (configuration, name)
        known = self._matters.get(which)
        if known is None:
            known = self._matters[which] = self._changes(configuration, name) or (
                name != "failed" and self._heard(configuration, name)
            )
        return known

    def _ends(self, configuration: tuple[str, ...]) -> bool:
        return self._ending.alone and configuration_of(self._table, configuration).in_ending

    def _heard(self, configuration: tuple[str, ...], name: str) -> bool:
        rows = configuration_of(self._table, configuration).heard(name).rows
        if self._ends(configuration):
            return any(row is None or self._ending.has_say(row) for each in rows for row in each)
        return bool(rows)

    def _changes(self, configuration: tuple[str, ...], name: str) -> bool:
        if name.startswith(("tool.", "amd.")):  # after a verdict nobody looks any more
            return True
        if name == "failed":  # what the program's own agents raise
            return False
        ends = self._ends(configuration)
        if self._tells(name) & (self._ending.facts if ends else self._facts):
            return True
        what = "call." + name.split(".", 2)[2] if name.startswith("leg.") else name
        if what in _VANISHES and (what != name or not self._vanishing):
            return False
        if ends and what in _NOT_IN_THE_END:
            return False
        if not configuration:
            return what in _CHANGE or (what == "call.offered" and self.flow.answer == "manual")
        return what in _CHANGE

    def _tells(self, name: str) -> Facts:
        """What is known, by this event, of others that can come then, or no more."""
        entry = EVENTS.get(name)
        ways = () if entry is None else entry.occurs
        return frozenset(fact for way in ways for fact in way.adds | way.takes)

    def over(self, snapshot: Snapshot, facts: Facts) -> Running | None:
        """What runs and ends at once: what was cancelled, talk of which but one party is left, a dial that was answered, speech that
        nobody hears."""
        memory = snapshot.memory
        for effect in memory.effects.values():
            verb = verb_of(effect.verb)
            if effect.stopping or (verb.parties_end and _parted(snapshot, facts)):
                return effect
            if verb.dials and (leg := memory.legs.get(effect.leg or MAIN_LEG)) is not None and leg.status == "on_line":
                return effect
            if verb.speech and verb.needs_somebody and not self._somebody(snapshot, effect):
                return effect
        return None

    def _somebody(self, snapshot: Snapshot, speech: Running) -> bool:
        """Whether anybody is on the line, or may yet be, who hears this; for one leg alone, whether that one is. In the ending nobody
        else comes."""
        legs = snapshot.memory.legs
        action = action_of(self.flow, speech)
        to = None if action is None else verb_of(speech.verb).given("listener", action.arguments)
        if to is None or to == MAIN_LEG:
            never = {"gone", "absent"} if self._ends(snapshot.configuration) else {"gone"}
            return any(leg.status not in never for leg in legs.values())
        return to in legs and legs[to].status in ("on_line", "hold")

    def happens(self, snapshot: Snapshot, facts: Facts, now: float) -> Iterator[Event | EffectEnded]:
        """What can happen now, but for timers, and somebody's word."""
        memory = snapshot.memory
        for effect in memory.effects.values():
            for status, result, error, least in self._ends_of(snapshot, facts, effect):
                if self._ends_so(snapshot, facts, effect, status, result):
                    yield EffectEnded(effect.id, status, result, error, max(now, effect.started + least))
        if memory.phase not in LIVE:
            return
        busy = sum(one.kind == "tool" for one in memory.lists.values()) >= MANY
        for event in self._events(snapshot, facts):
            if event.name.startswith("tool.") and (busy or calls_again(snapshot, facts, event.name)):
                continue
            if event.name.endswith(".answered") and not self._comes(snapshot, event):
                continue
            if not event.name.startswith("app.") or self._is_sent(snapshot, event):
                yield event._replace(time=now)

    def word(self, snapshot: Snapshot, facts: Facts, now: float) -> Event | None:
        """What somebody says, or a key where nobody listens, where it breaks a silence, and no row hears it."""
        memory = snapshot.memory
        if memory.phase not in LIVE or not memory.silences:
            return None
        listens = "session" if self._ends(snapshot.configuration) else "conversation"
        if listens in facts and not self._heard(snapshot.configuration, WORD):
            return Event(WORD, {"transcript": "…", "is_final": True}, now)
        keys = (_key(leg, digit, now) for leg in memory.legs for digit in DIGITS)
        unheard = (one for one in keys if not self._heard(snapshot.configuration, one.name))
        return next((one for one in unheard if unfit(self.flow, snapshot, facts, one) is None), None)

    def _comes(self, snapshot: Snapshot, answered: Event) -> bool:
        """Whether somebody can come on the line: who is called, who comes by themselves, and is taken where the flow decides. The far
        end, once it has hung up, comes again where a row waits for that."""
        name = leg_of(answered)
        if leg_is(snapshot, name) == "dialing":
            return True
        if name != MAIN_LEG:
            return self.flow.legs.get(name) is not None
        if _is_gone(snapshot, name) and not self._heard(snapshot.configuration, answered.name):
            return False
        taken = any(verb_of(one.verb).offer == "takes" for one in snapshot.memory.effects.values())
        return not self.flow.outbound and (self.flow.answer != "manual" or taken)

    def _is_sent(self, snapshot: Snapshot, event: Event) -> bool:
        """Whether anybody is there who may send an event of the flow's own."""
        who = event.data.get("sender")
        known = senders(self.flow, event.name) if who is None else [str(who)]
        there = parties(snapshot)
        return any(one in there or one in SENDERS for one in known)

    def _events(self, snapshot: Snapshot, facts: Facts) -> tuple[Event, ...]:
        found = events(self.flow, snapshot, facts)
        which = id(found), snapshot.configuration
        known = self._events_of.get(which)
        if known is None:
            mine = tuple([event for event in found if self.matters(snapshot.configuration, event.name)])
            known = self._events_of[which] = found, mine
        return known[1]

    def _ends_of(self, snapshot: Snapshot, facts: Facts, effect: Running) -> tuple[Ending, ...]:
        found = ends(self.flow, snapshot, facts, effect)
        which = id(found), effect.stopping
        known = self._ends_known.get(which)
        if known is None:
            known = self._ends_known[which] = found, tuple(self._told_apart(found, effect))
        return known[1]

    def _told_apart(self, found: tuple[Ending, ...], effect: Running) -> Iterator[Ending]:
        """Of the ways in which something may end, those that make a difference."""
        verb, action = verb_of(effect.verb), action_of(self.flow, effect)
        late = None if verb.late is None else verb.late.result
        if effect.stopping:
            yield from (
                one for one in found if one.status == "cancelled" or (late and one.result.get("result") == late)
            )
            return
        is_read = verb.results or effect.source[0] == "tool" or (action is not None and action.save_as is not None)
        alike = verb.timeout_is_success or (verb.on_timeout == verb.on_error and not self._asks_for_time_outs)
        alike = (
            alike and not verb.closes
        )  # what closes later is our own doing after a time-out, and not after a failure
        is_heard = any(one.status == "ok" and one.result.get("heard") is not False for one in found)
        told: set[bool] = set()  # of ends that nobody reads: whether it was cut
        for one in sorted(found, key=lambda way: (way.status != "ok", way.least)):
            if one.status == "timed_out" and alike and len(found) > 1:
                continue  # as a failure, or an end, that comes as late
            if one.status == "ok" and not is_read:
                cut = one.result.get("interrupted") is True
                if cut in told or (is_heard and one.result.get("heard") is False):
                    continue
                told.add(cut)
            yield one

    def _ends_so(
        self, snapshot: Snapshot, facts: Facts, effect: Running, status: str, result: Mapping[str, Any]
    ) -> bool:
        """Whether an effect can end in this way now. Whoever has taken a call is there when that is told; who has answered a call that was
        given up is taken off the line before they answer the next one that is."""
        verb = verb_of(effect.verb)
        if effect.stopping and status == "ok" and is_undone(snapshot, effect):
            return False
        if verb.calls and result.get("result") in ("accepted", "answered") and _is_gone(snapshot, effect.leg):
            return False
        if verb.lets_speech_end and status == "ok" and any(map(_talks, snapshot.memory.effects.values())):
            return False
        return not verb.parties_end or effect.stopping or status != "ok" or _parted(snapshot, facts)


def is_undone(snapshot: Snapshot, effect: Running) -> bool:
    """Whether what has come too late of another one like this is being undone."""
    late = verb_of(effect.verb).late
    running = snapshot.memory.effects.values()
    return late is not None and any(one.verb == late.verb and one.source == effect.source for one in running)


def _key(leg: str, digit: str, now: float) -> Event:
    """A key that somebody presses."""
    return Event(f"{'' if leg == MAIN_LEG else f'leg.{leg}.'}dtmf.{digit}", {"digit": digit, "leg": leg}, now)


def _is_gone(snapshot: Snapshot, leg: str | None) -> bool:
    """Whether they have hung up."""
    known = snapshot.memory.legs.get(leg or MAIN_LEG)
    return known is not None and known.status == "gone"


def _parted(snapshot: Snapshot, facts: Facts) -> bool:
    """Whether those who talk to each other do so no more."""
    return not talk(snapshot) or "room" not in facts


def _talks(effect: Running) -> bool:
    """Whether what we say is being heard."""
    return verb_of(effect.verb).speech and not effect.stopping and not effect.quiet
