"""The ending of a flow, and what it still reads: from most endings nothing leads but to the end of the call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from callflow.core.arguments import templates_in
from callflow.core.clocks import is_timer
from callflow.core.events import EVENTS, NO_DATA, Event
from callflow.core.flow import ROOT, Action, Flow, TimerRow, Transition
from callflow.core.occurs import Facts, LegIs
from callflow.core.snapshot import ActionList, Leg, Memory, Silence, Snapshot, Timer
from callflow.core.statechart.action_lists import list_at, lists_of, transitions
from callflow.core.statechart.descriptors import candidates, heard, matches
from callflow.core.statechart.structure import ends_the_call, in_ending
from callflow.core.table import table_of
from callflow.core.values.reads import Reads


class EndingState:
    """The state that `ending:` names, and who has a say while a call is in it: its own rows, and of those around it the ones without a
    target that do something. All others it keeps, until the call is over.

    `states`: that state, and those inside. `alone`: whether it leads to the end of the call alone, whatever happens; else all that
    follows holds of no call. `facts`: what must be so for the events that have a row there.
    """

    def __init__(self, flow: Flow) -> None:
        self.states = frozenset(path for path in flow.states if in_ending(flow, path))
        self._root = table_of(flow).states[ROOT]
        self.alone = _leads_to_the_end(flow, self.states) and _is_left_when_done(flow)
        patterns = heard({path: flow.states[path] for path in self.states})
        patterns |= {row.pattern for row in self._root.state.rows if any(map(_acts, row.transitions))}
        self._silences = frozenset(row.index for row in self._root.silences if self._acts_on(row))
        self._longest = max((row.seconds for row in self._root.silences), default=0.0)
        self.facts = facts_for(patterns)
        self._told_of_legs = any(pattern.startswith(("call.", "leg.")) for pattern in patterns)

    def has_say(self, row: Transition) -> bool:
        """Whether a row can be taken in the ending, for what happens there."""
        return row.source in self.states or (row.source == ROOT and _acts(row))

    def asks(self, row: Transition, snapshot: Snapshot) -> bool:
        """Whether anything can come of a row that is asked from there."""
        return not self.alone or self.has_say(row) or self.states.isdisjoint(snapshot.configuration)

    def rows_around(self) -> Iterator[Transition]:
        """The rows around the ending that have a say in it."""
        return (row for row in transitions(self._root.state) if _acts(row))

    def hears(self, event: Event) -> bool:
        """Whether a row around the ending has a say in it for an event that was kept."""
        if is_timer(event):
            return event.state == ROOT and self._acts_on(self._root.timers[event.data["row"]])
        return any(row is not None and _acts(row) for row in candidates(self._root.state.rows, event.name))

    def left_of(self, memory: Memory, *, legs: bool) -> dict[str, Any]:
        """What matters in the ending: `legs`: what is known of whoever is on the line, too. Who is away for a moment comes back, or has
        gone, where no row hears of that."""
        silences = {path: self._of_a_silence(one) for path, one in memory.silences.items() if self._counts(path)}
        return {
            "kept": tuple([one for one in memory.kept if one.name.startswith("tool.") or self.hears(one)]),
            "timers": tuple([one for one in memory.timers if self._fires(one)]),
            "history": NO_DATA,
            "silences": silences or NO_DATA,
            "legs": {name: self._of_a_leg(leg, whole=legs) for name, leg in memory.legs.items()},
        }

    def _of_a_leg(self, leg: Leg, *, whole: bool) -> Leg:
        status = leg.status if self._told_of_legs else _AT_THE_END.get(leg.status, leg.status)
        return leg._replace(status=status, data=leg.data if whole else NO_DATA)

    def _of_a_silence(self, silence: Silence) -> Silence:
        """Of those around the ending only the rows that have a say; how long it has lasted is nothing to those that have fired."""
        if silence.state != ROOT:
            return silence
        fired = tuple(sorted(self._silences.intersection(silence.fired)))
        paused = silence.since is None and len(fired) == len(self._silences)
        return silence._replace(fired=fired, counted=self._longest if paused else silence.counted)

    def _counts(self, path: str) -> bool:
        return path in self.states or (path == ROOT and bool(self._silences))

    def _fires(self, timer: Timer) -> bool:
        if timer.kind == "settle" or timer.state in self.states:
            return True
        own = timer.kind in ("after", "every", "silence") and timer.state == ROOT
        return own and self._acts_on(self._root.timers[timer.row])

    def _acts_on(self, timer: TimerRow) -> bool:
        return any(map(_acts, timer.transitions))


_AT_THE_END: Mapping[str, LegIs] = {"dropped": "on_line", "absent": "gone", "ringing": "dialing"}


def facts_for(patterns: Collection[str]) -> Facts:
    """What must be so for the events that these descriptors name."""
    named = (one for name, one in EVENTS.items() if any(matches(pattern, name) for pattern in patterns))
    return frozenset(fact for event in named for way in event.occurs for fact in way.needs)


def _acts(row: Transition) -> bool:
    """Whether a row that leaves nothing does something."""
    return row.target is None and bool(row.actions)


def _leads_to_the_end(flow: Flow, states: frozenset[str]) -> bool:
    return all(
        move.target is None or move.target in states or ends_the_call(flow.states[move.target])
        for path in states
        for move in transitions(flow.states[path])
    )


def _is_left_when_done(flow: Flow) -> bool:
    """Whether the ending is left as soon as it has finished: until then no row around it leaves it."""
    ending = flow.states[flow.ending]
    done = [*candidates(ending.rows, "done")]
    if not done:
        return not ending.children
    return all(move is not None and move.target is not None for move in done) and any(
        move is not None and move.guard is None for move in done
    )


class AtTheEnd:
    """Which values the ending, what has a say in it, what follows it, and lists that are on their way can still read."""

    def __init__(self, flow: Flow, ending: EndingState, read: Reads) -> None:
        self._flow = flow
        self._decides = {name for each in read.variables.values() for name, one in each.items() if one.decides}
        around = [*ending.rows_around()]
        states = [flow.states[path] for path in ending.states]
        rows = [*around, *(move for state in states for move in transitions(state))]
        lists = [written.actions for state in states for written in lists_of(state)]
        lists += [move.actions for move in around]
        asked = (".".join(name.split(".")[:2]) for row in rows if row.guard is not None for name in row.guard.reads)
        self._always = frozenset(asked) | reads_of((*lists, flow.wrap_up))
        self._of_a_list: dict[tuple[str, str | int], frozenset[str]] = {}
        self._shown: dict[tuple[str, str], Any] = {}

    def asks(self, name: str) -> bool:
        """Whether it may make a difference what a variable is: to the ending, or to a list that waits."""
        return f"vars.{name}" in self._always or name in self._decides

    def read(self, lists: Iterable[ActionList]) -> frozenset[str]:
        """What may be read from here, as templates name it: by the ending, and by these lists."""
        return self._always.union(*(self._read_by(one) for one in lists))

    def asks_for_legs(self, lists: Iterable[ActionList]) -> bool:
        """Whether anything asks what is known of whoever is on the line."""
        return any(map(_of_a_leg, self._always)) or any(any(map(_of_a_leg, self._read_by(one))) for one in lists)

    def left_of(
        self, scopes: Mapping[str, Mapping[str, Any]], lists: Iterable[ActionList]
    ) -> Mapping[str, Mapping[str, Any]]:
        """The variables, those that nothing reads any more with the first value that was seen."""
        read = self.read(lists)
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


def _of_a_leg(name: str) -> bool:
    root, _, field = name.partition(".")
    return root == "call" and field not in ("outcome", "elapsed")


def reads_of(lists: Iterable[Iterable[Action]], root: str = "") -> frozenset[str]:
    """The names that lists of actions read, each as `vars.name`; of one `root` alone."""
    reads = (name for each in lists for action in each for one in templates_in(action.arguments) for name in one.reads)
    return frozenset(".".join(name.split(".")[:2]) for name in reads if name.startswith(root))
