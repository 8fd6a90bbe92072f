"""Where states stand, and what a transition leaves and enters: W3C SCXML's algorithm, appendix D, as it is written
there, with the one difference that the language names (a target inside the writer keeps the writer active)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callflow.core.actions import VERBS
from callflow.core.flow import ROOT, Flow, Transition


def around(flow: Flow, path: str) -> list[str]:
    """The proper ancestors, nearest first, the top level last."""
    found = []
    parent = flow.states[path].parent
    while parent is not None:
        found.append(parent)
        parent = flow.states[parent].parent
    return found


def inside(flow: Flow, path: str, outer: str) -> bool:
    """Whether `path` is a proper descendant of `outer`."""
    return outer in around(flow, path)


def within(flow: Flow, path: str, outer: str) -> bool:
    return path == outer or inside(flow, path, outer)


def place(flow: Flow, path: str) -> int:
    return list(flow.states).index(path)


def in_document_order(flow: Flow, paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: place(flow, path))


def children(flow: Flow, path: str) -> list[str]:
    return [child for child in flow.states[path].children if flow.states[child].kind != "history"]


def leaves(flow: Flow, active: Iterable[str]) -> list[str]:
    active = set(active) - {ROOT}
    return [
        path for path in in_document_order(flow, active) if not any(child in active for child in children(flow, path))
    ]


def apart(flow: Flow, one: str, other: str) -> bool:
    """Whether the two stand in different regions of one parallel state."""
    if within(flow, one, other) or within(flow, other, one):
        return False
    shared = next(path for path in around(flow, one) if inside(flow, other, path))
    return flow.states[shared].kind == "parallel"


def domain(flow: Flow, transition: Transition) -> str | None:
    """The state whose inside a transition changes; None where it changes none. A history state counts where it stands."""
    source, target = transition.source, transition.target
    if target is None:
        return None
    if source == ROOT or transition.level == "inner":  # a file's top level is never left by its own rows
        return source
    if inside(flow, target, source) and not transition.reenter:
        return source
    for outer in around(flow, source):
        if flow.states[outer].kind != "parallel" and inside(flow, target, outer):
            return outer
    raise AssertionError("everything stands inside the top level")


def exit_set(flow: Flow, active: Iterable[str], transition: Transition) -> set[str]:
    limit = domain(flow, transition)
    return set() if limit is None else {path for path in active if inside(flow, path, limit)}


def optimal(flow: Flow, active: set[str], enabled: list[Transition]) -> list[Transition]:
    """SCXML's removeConflictingTransitions."""
    kept: list[Transition] = []
    for one in enabled:
        preempted = False
        removed = []
        for other in kept:
            if exit_set(flow, active, one) & exit_set(flow, active, other):
                if inside(flow, one.source, other.source):
                    removed.append(other)
                else:
                    preempted = True
                    break
        if not preempted:
            kept = [other for other in kept if other not in removed] + [one]
    return kept


class EntrySet:
    """SCXML's computeEntrySet and its three helpers."""

    def __init__(self, flow: Flow, history: Mapping[str, tuple[str, ...]]) -> None:
        self.flow = flow
        self.history = history
        self.states: set[str] = set()

    def add_transition(self, transition: Transition) -> None:
        limit = domain(self.flow, transition)
        if limit is None or transition.target is None:
            return
        self.add_inward(transition.target)
        self.add_outward(transition.target, limit)
        if self.flow.states[limit].kind == "parallel":
            self.add_other_regions(limit)

    def add_inward(self, path: str) -> None:
        state = self.flow.states[path]
        if state.kind == "history":
            assert state.parent is not None
            past = self.history.get(path) or ((state.initial,) if state.initial is not None else ())
            for one in past:
                self.add_inward(one)
            for one in past:
                self.add_outward(one, state.parent)
            return
        self.states.add(path)
        if state.kind == "parallel":
            self.add_other_regions(path)
        elif state.initial is not None:
            self.add_inward(state.initial)
            self.add_outward(state.initial, path)

    def add_outward(self, path: str, limit: str) -> None:
        for outer in around(self.flow, path):
            if outer == limit:
                return
            self.states.add(outer)
            if self.flow.states[outer].kind == "parallel":
                self.add_other_regions(outer)

    def add_other_regions(self, path: str) -> None:
        for region in children(self.flow, path):
            if not any(within(self.flow, other, region) for other in self.states):
                self.add_inward(region)


def says_goodbye(flow: Flow, path: str, asked: tuple[str, ...] = ()) -> bool:
    """Whether a state says something and is done, and nothing but the end of the call can follow."""
    state = flow.states[path]
    outer = [flow.states[one] for one in around(flow, path)]
    if state.kind != "atomic" or state.task or within(flow, path, flow.ending) or path in asked:
        return False
    if state.tools or any(one.tools or one.kind == "parallel" for one in outer):
        return False
    if state.instructions is not None or any(one.instructions is not None for one in outer if one.path != ROOT):
        return False
    listed = {action.verb for action in state.entry}
    at_once = {"set", "outcome", "emit", "log"}
    if any(VERBS[verb].results or VERBS[verb].occupies for verb in listed) or "update_agent" in listed:
        return False
    if "generate_reply" in listed and listed - at_once - {"generate_reply", "say", "play", "wait_for_speech"}:
        return False
    targets: list[str] = []
    done = False
    for group in state.rows:
        if group.pattern.split(".")[0] not in ("failed", "call", "room", "job", "app"):
            targets += [row.target for row in group.transitions if row.target is not None]
        if group.pattern == "done":
            done = any(row.guard is None and row.target is not None for row in group.transitions)
    targets += [row.target for timer in state.timers for row in timer.transitions if row.target is not None]
    targets += [row.target for row in state.always if row.target is not None]
    return done and all(
        (flow.states[target].kind == "final" and flow.states[target].parent == ROOT)
        or within(flow, target, flow.ending)
        or says_goodbye(flow, target, (*asked, path))
        for target in targets
    )
