"""Machines that somebody talks with who can only listen, or not even that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import Source, action_at, actions_during, given, list_at
from callflow.core.table import table_of
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, first_seen, in_ending, leaf_of
from callflow.proof.findings.ways import goes_by_itself, goes_well, result_of, straight_on
from callflow.proof.listening import converses, parties, turn
from callflow.proof.node import Exploration, Passage, Situation, Where
from callflow.verify.places import named, warning

_DEAF = ("amd.machine-vm", "amd.machine-unavailable")
"""What answers nothing: a voicemail records, an announcement says that nobody can be reached."""


_DECIDED: Mapping[str, tuple[str, ...]] = {
    "amd.machine-ivr": ("amd.machine-vm", "amd.machine-unavailable"),
    "amd.uncertain": ("amd.human",),
}
"""What may be talked to, where somebody has decided so, a menu, and whoever it is of whom nobody can tell: it wants a row where one of
these has one."""


class Answering:
    """A voicemail or an announcement has answered, and the flow leads straight on to a conversation with it, or to a menu; or no row takes
    the verdict, and the model talks on."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.table = table_of(flow)
        self.turn = turn(flow)
        self.by_itself = goes_by_itself(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, bool]]:
        effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        name = event.name if isinstance(event, Event) else ""
        if effect is not None and isinstance(event, EffectEnded):
            name = result_of(effect, event)
        if taken.moves:
            if name in _DEAF and not self._talks(before):
                yield name, True
        elif self._is_lost(before, name) and not any(note.kind == "kept" for note in taken.notes):
            yield name, False

    def _is_lost(self, at: Situation, name: str) -> bool:
        """Whether this is a verdict that wants a row of its own, and there are but the far end and us."""
        if not self.flow.outbound or parties(at.snapshot) != [MAIN_LEG]:
            return False
        heard = configuration_of(self.table, at.snapshot.configuration).heard
        others = (heard(other).rows for other in _DECIDED.get(name, ()))
        return name in _DEAF or any(row is not None for rows in others for each in rows for row in each)

    def found(self, exploration: Exploration, seen: Seen[tuple[str, bool]]) -> Suspects:
        lost: dict[str, dict[str, tuple[Passage, ...]]] = {}
        for (name, is_taken), passage in seen:
            way = self._on(passage, self.by_itself if name.startswith("amd.machine") and not is_taken else goes_well)
            if way is None:
                continue
            leaf = leaf_of(way[-1][1].target)
            if is_taken and self._waits_for_keys(way[-1][1].target):
                says = f"after `{name}` the call leads on to {named(leaf)}, where somebody is to press a key: a machine presses none"
                yield self._suspect(says, f"`{name}`", leaf, way, "Keys are waited for that nobody presses.")
            elif is_taken:
                says = f"after `{name}` the call leads on to {named(leaf)}, where the model talks with whoever hears it: a machine"
                yield self._suspect(says, f"`{name}`", leaf, way)
            else:
                lost.setdefault(leaf, {}).setdefault(name, way)
        for leaf, ways in lost.items():
            names = " and ".join(f"`{name}`" for name in ways)
            may_be = "a machine" if any(name.startswith("amd.machine") for name in ways) else "it may be a machine"
            says = f"no row takes {names}, and the model talks in {named(leaf)} with whoever hears it: {may_be}"
            yield self._suspect(says, names, leaf, next(iter(ways.values())))

    def _suspect(self, says: str, names: str, leaf: str, way: tuple[Passage, ...], after: str = "") -> Suspect:
        by_machine = "with a machine" if "amd.machine" in names else "with whoever it is"
        return Suspect(
            warning("talks-to-machine", says, self.flow.states[leaf].position, f"give {names} a row: leave a message, or hang up"),
            way[0][0], frozenset({leaf}), way, after or f"The model talks {by_machine}.",
        )  # fmt: skip

    def _on(self, first: Passage, follows: Callable[[Where, Input], bool]) -> tuple[Passage, ...] | None:
        """The straight way to where the model talks with it, or keys are waited for."""
        return straight_on(
            first,
            lambda edge: self._talks(edge.target.holder) or self._waits_for_keys(edge.target),
            lambda node: in_ending(self.flow, node),
            follows,
        )

    def _waits_for_keys(self, at: Where) -> bool:
        """Whether keys are collected of the far end, and there is nobody else."""
        running = (one for one in at.snapshot.memory.effects.values() if not one.stopping)
        return parties(at.snapshot) == [MAIN_LEG] and any(verb_of(one.verb).takes_keys for one in running)

    def _talks(self, at: Where) -> bool:
        """Whether the model talks with them, and waits for what they say."""
        states = [self.flow.states[path] for path in active_in(self.flow, at)]
        waits = any(state.tools or state.instructions is not None for state in states)
        return waits and any(map(converses, states)) and self.turn(at.snapshot, at.facts)


class SaidTooSoon:
    """Something is said to whoever has answered, and only then the flow looks who that is: a voicemail plays its greeting meanwhile, and has
    recorded nothing of it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        looks = [*given(actions_during(flow), "detection")]
        self.only = sum(_looks(action) for action in actions_during(flow)) == 1 and not any(looks)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Source]:
        if not self.only or not self.flow.outbound or parties(before.snapshot) != [MAIN_LEG]:
            return
        for one in taken.effects:
            action = action_at(self.flow, one.source) if isinstance(one, Start) else None
            if isinstance(one, Start) and action is not None and _looks(action) and self._said(one.source) is not None:
                yield one.source

    def _said(self, source: Source) -> Action | None:
        """What is said before that in the same list."""
        kind, key, position = source
        before = list_at(self.flow, kind, key)[:position]
        return next((one for one in before if verb_of(one.verb).speech), None)

    def found(self, exploration: Exploration, seen: Seen[Source]) -> Suspects:
        for source, passage in first_seen(seen).items():
            said = self._said(source)
            if said is None:
                continue
            yield Suspect(
                warning(
                    "talks-to-machine", f"`{said.verb}` speaks before it is known who has answered: a voicemail records only after its greeting",
                    said.position, "begin with `detect_machine`, or with `detect_machine` of the `dial`, and speak when the verdict is there",
                    len(said.verb),
                ),
                passage[0], frozenset({leaf_of(passage[1].target)}), (passage,), "A voicemail has recorded nothing of it.",
            )  # fmt: skip


def _looks(action: Action) -> bool:
    """Whether this only looks who has answered."""
    verb = verb_of(action.verb)
    return any(result.startswith("amd.") for result in verb.results) and not verb.dials
