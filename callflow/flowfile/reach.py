"""Where a file's rows lead: a state without a way in is a mistake, and so is a row that leads round without end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callflow.core.flow import ROOT
from callflow.core.statechart.reach import closure, endless, onward, reachable
from callflow.core.statechart.structure import States
from callflow.flowfile.outline import Draft
from callflow.flowfile.part import Loading

UNSURE = frozenset({
    "unknown-target", "missing-initial", "missing-key", "unknown-key", "wrong-kind", "duplicate-key", "unknown-sub-flow",
    "sub-flow-cycle", "unknown-event", "unknown-tool", "unquoted-template", "bad-duration", "bad-name", "bad-parallel",
    "two-insides", "bad-history", "hidden-name", "number-for-text",
})  # fmt: skip
"""With one of these a state may seem to have no way in only because a row was not understood."""


def check_reach(loading: Loading, drafts: list[Draft]) -> None:
    """A defect for each outermost state that nothing leads to, and of states that only such a one leads to for none."""
    if any(defect.code in UNSURE for defect in loading.defects):
        return
    reached = reachable(loading.states)
    led_to = _led_to(loading.states, reached)
    for draft in drafts:
        inside_lost = draft.parent is not None and draft.parent.path != ROOT and draft.parent.path not in reached
        if draft.path in reached or draft.kind == "history" or inside_lost or draft.path in led_to:
            continue
        # The file of a sub-flow may have states for other uses of it; what is supplied is nobody's mistake.
        if not draft.supplied and not draft.part.chain[1:]:
            message = f"nothing leads to the state `{draft.name}`"
            draft.part.defect(
                "no-way-in", message, draft.key, draft.where, "write a row with it as its target, or take it out"
            )


def _led_to(states: States, reached: frozenset[str]) -> set[str]:
    """The states that others without a way in lead to; where these lead round and round, all but the first of them."""
    found: set[str] = set()
    come_from: dict[str, str] = {}  # the first state from which one is come to
    leads_back: set[str] = set()  # those that lead on to it
    for start in states:
        if start in reached or start in come_from:
            continue
        come_from[start] = start
        waiting = [start]
        before: dict[str, list[str]] = {}
        while waiting:
            path = waiting.pop()
            for one in onward(states, path):
                if one in reached:
                    continue
                before.setdefault(one, []).append(path)
                if one not in come_from:
                    come_from[one] = start
                    waiting.append(one)
                    found.add(one)
                elif come_from[one] != start:
                    found.update((one, come_from[one]) if one in leads_back else (one,))
        leads_back |= closure((start,), _at(before))
    return found


def _at(before: Mapping[str, list[str]]) -> Callable[[str], list[str]]:
    return lambda path: before.get(path, [])


def check_always(loading: Loading) -> None:
    """A defect for each `always` row that is taken again at once where it stays. Those that lead round are the checker's."""
    for (_, move), *others in endless(loading.states):
        written = loading.staying.get(move.id)
        if not others and written is not None:
            message = "a row under `always` without target and guard is taken again and again, without end"
            hint = "give it a `when`, or a `target`"
            written.part.defect("endless-always", message, written.node, written.path, hint)
