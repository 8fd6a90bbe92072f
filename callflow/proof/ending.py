"""The ending of a flow, and what it still reads: from most endings nothing leads but to the end of the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from callflow.core.events import NO_DATA
from callflow.core.flow import Action, Flow
from callflow.core.occurs import LegIs
from callflow.core.render import templates_in
from callflow.core.snapshot import ActionList, Memory
from callflow.core.statechart.lists import list_at, lists_of, transitions
from callflow.core.statechart.structure import ends_the_call, in_ending
from callflow.core.values.reads import Reads


def within_ending(flow: Flow) -> frozenset[str]:
    """The state that `ending:` names, and those inside."""
    return frozenset(path for path in flow.states if in_ending(flow, path))


def of_the_end(memory: Memory, within: frozenset[str]) -> dict[str, Any]:
    """In an ending from which nothing leads but the end, what stands outside of it has no say any more. Who is away for a moment
    comes back, or has gone."""
    return {
        "kept": tuple([event for event in memory.kept if event.name.startswith("tool.")]),
        "timers": tuple([one for one in memory.timers if one.state in within or one.kind == "settle"]),
        "history": NO_DATA,
        "silences": {path: one for path, one in memory.silences.items() if path in within} or NO_DATA,
        "legs": {
            name: leg._replace(status=_AT_THE_END.get(leg.status, leg.status), data=NO_DATA)
            for name, leg in memory.legs.items()
        },
    }


_AT_THE_END: Mapping[str, LegIs] = {"dropped": "on_line", "absent": "gone", "ringing": "dialing"}


def ends_alone(flow: Flow) -> bool:
    """Whether the state that `ending:` names leads to the end of the call alone, whatever happens."""
    within = within_ending(flow)
    return all(
        move.target is None or move.target in within or ends_the_call(flow.states[move.target])
        for path in within
        for move in transitions(flow.states[path])
    )


class AtTheEnd:
    """Which variables the ending, what follows it, and lists that are on their way can still read."""

    def __init__(self, flow: Flow, within: frozenset[str], read: Reads) -> None:
        self._flow = flow
        self._decides = {name for each in read.variables.values() for name, one in each.items() if one.decides}
        states = [flow.states[path] for path in within]
        guards = (move.guard for state in states for move in transitions(state) if move.guard is not None)
        lists = [written.actions for state in states for written in lists_of(state)]
        asked = (".".join(name.split(".")[:2]) for guard in guards for name in guard.reads)
        self._always = frozenset(asked) | reads_of((*lists, flow.wrap_up))
        self._of_a_list: dict[tuple[str, str | int], frozenset[str]] = {}
        self._shown: dict[tuple[str, str], Any] = {}

    def asks(self, name: str) -> bool:
        """Whether it may make a difference what a variable is: to the ending, or to a list that waits."""
        return f"vars.{name}" in self._always or name in self._decides

    def left_of(
        self, scopes: Mapping[str, Mapping[str, Any]], lists: Iterable[ActionList]
    ) -> Mapping[str, Mapping[str, Any]]:
        """The variables, those that nothing reads any more with the first value that was seen."""
        read = self._always.union(*(self._read_by(one) for one in lists))
        return {
            scope: {
                name: value if f"vars.{name}" in read else self._shown.setdefault((scope, name), value)
                for name, value in values.items()
            }
            for scope, values in scopes.items()
        }

    def _read_by(self, one: ActionList) -> frozenset[str]:
        which = one.kind, one.key
        if which not in self._of_a_list:
            self._of_a_list[which] = reads_of([list_at(self._flow, one.kind, one.key)])
        return self._of_a_list[which]


def reads_of(lists: Iterable[Iterable[Action]], root: str = "") -> frozenset[str]:
    """The names that lists of actions read, each as `vars.name`; of one `root` alone."""
    reads = (name for each in lists for action in each for one in templates_in(action.arguments) for name in one.reads)
    return frozenset(".".join(name.split(".")[:2]) for name in reads if name.startswith(root))
