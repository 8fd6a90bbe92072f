"""What delays the end of a call comes to an end itself: the state that `ending:` names, and every other `must_finish`.

An end of the call that comes while a state must finish is kept until it is done. So a state that must finish is done, or
left, by rows that need nobody outside: the caller who would press the key may be the one who has hung up.
"""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.flow import Flow, Row, State, Transition
from callflow.core.statechart.action_lists import actions_during, given, triggers
from callflow.core.statechart.descriptors import matches_any
from callflow.core.statechart.reach import driven, sure
from callflow.core.statechart.structure import around, ends_the_call, in_ending, inward, subtree, within
from callflow.errors import Defect
from callflow.verify.chains import chains
from callflow.verify.endings import ENDS, SELF_DRIVEN, ending_ends, own_results
from callflow.verify.places import defect, named


def finishing(flow: Flow) -> Iterator[Defect]:
    """The rule, for the ending and for each state that must finish."""
    emitted = frozenset(given(actions_during(flow), "event"))
    for path, state in flow.states.items():
        if path == flow.ending:
            stays = list(_stays(flow, state))
            if stays and ending_ends(flow):
                yield from stays
        elif state.must_finish and state.kind in ("compound", "parallel") and not in_ending(flow, path):
            yield from _never_done(flow, state, emitted)
    yield from _done_in_vain(flow)
    yield from chains(flow)


def _done_in_vain(flow: Flow) -> Iterator[Defect]:
    """Rows that wait for a `done` which never comes: the call would stay, and the file says that it leads on."""
    for path, state in flow.states.items():
        row = next((row for row in state.rows if row.pattern == "done"), None)
        if row is None or state.must_finish or can_be_done(flow, path):
            continue
        region = next((child for child in state.children if not _comes_to_a_final(flow, child)), path)
        what = (
            "no final state stands in it"
            if state.kind != "parallel"
            else f"its region `{flow.states[region].name}` has no final state"
        )
        yield defect(
            "never-done", f"`done` never comes: {named(path)} has an inside, and {what}",
            row.position, "give it one: it is done when its inside has come to a final state", len(row.pattern),
        )  # fmt: skip


def _comes_to_a_final(flow: Flow, region: str) -> bool:
    return bool(flow.states[region].children) and can_be_done(flow, region)


# -- must_finish


def _never_done(flow: Flow, outer: State, emitted: frozenset[str]) -> Iterator[Defect]:
    regions = [flow.states[child] for child in outer.children] if outer.kind == "parallel" else [outer]
    for region in regions:
        if not _lost(flow, outer, region, emitted):
            continue
        if _lost(flow, outer, region, None) == outer.path or (region is not outer and not region.children):
            what = (
                "no final state is reached in it"
                if region is outer
                else f"its region `{region.name}` has no final state"
            )
            yield defect(
                "never-done", f"{named(outer.path)} must finish, and is never done: {what}, and no row leads out",
                outer.position, "give it a final state, or an `after` that leads out of it", len(outer.name),
            )  # fmt: skip
            return
        for event, fact in ENDS.items():
            lost = _lost(flow, outer, region, emitted | {event})
            if lost:
                yield defect(
                    "end-kept-for-ever",
                    f"`{event}` waits until {named(outer.path)} is done, and from {named(lost)} only somebody outside leads on",
                    outer.position, f"write a row under `done` or `after` there: it may be that {fact}", len(outer.name),
                )  # fmt: skip
                return


def _lost(flow: Flow, outer: State, region: State, comes: frozenset[str] | None) -> str:
    """The first state inside a region from which `outer` is neither done nor left; "" if there is none.

    `comes` names the events that come from elsewhere than the states themselves, None for all that there are; then only
    the region as it is entered is asked.
    """
    inside = list(subtree(flow.states, region.path))
    finals = {child for child in region.children if flow.states[child].kind == "final"}
    led = _led(flow, outer, [*inside, *([outer.path] if region is not outer else [])], finals, comes)
    if comes is None:
        return "" if region.path in led else outer.path
    leaves = (path for path in inside if not flow.states[path].children and flow.states[path].kind != "history")
    return next((path for path in leaves if path not in led), "")


def _led(flow: Flow, outer: State, inside: list[str], finals: set[str], comes: frozenset[str] | None) -> set[str]:
    """The finals, and of the states `inside` those from which a call comes to one of them, or out of `outer`."""
    rows_to: dict[str, list[str]] = {}
    begins: dict[str, list[str]] = {}
    by_rows: list[str] = []
    for path in inside:
        state = flow.states[path]
        for row, move in _moves(state, comes):
            sources = _finals(flow, path) if row == "done" and state.children else (path,)
            if move.target is not None:
                rows_to.setdefault(move.target, []).extend(sources)
                if not within(move.target, outer.path):
                    by_rows += sources
        for begin in inward(state):
            begins.setdefault(begin, []).append(path)
    led = set(finals)
    waiting = list(finals)
    held: set[str] = set()  # the states that a row of theirs, or of a state around, leads on from
    while waiting or by_rows:
        if not by_rows:
            path = waiting.pop()
        else:
            path = by_rows.pop()
            if path in held:
                continue
            held.add(path)
            by_rows += flow.states[path].children
            led.add(path)
        by_rows += rows_to.get(path, ())
        fresh = set(begins.get(path, ())) - led
        led |= fresh
        waiting += fresh
    return led


def _moves(state: State, comes: frozenset[str] | None) -> Iterator[tuple[str, Transition]]:
    """The rows that are taken when nothing but `comes` comes from elsewhere, each with its event."""
    rows = triggers(state) if comes is None else driven(state, own_results(state) | comes | SELF_DRIVEN)
    return ((row.pattern if isinstance(row, Row) else "", move) for row, move in rows)


def _finals(flow: Flow, path: str) -> list[str]:
    """The final states with which a state is done: its own, or those of its regions."""
    state = flow.states[path]
    around = state.children if state.kind == "parallel" else (path,)
    return [child for one in around for child in flow.states[one].children if flow.states[child].kind == "final"]


def can_be_done(flow: Flow, path: str) -> bool:
    """Whether a state can ever be done, by its structure (W3C SCXML, isInFinalState)."""
    state = flow.states[path]
    inner = [flow.states[child] for child in state.children if flow.states[child].kind != "history"]
    if state.kind == "parallel":
        return all(_comes_to_a_final(flow, one.path) for one in inner)
    return not inner or any(one.kind == "final" for one in inner)


# -- the ending


def _stays(flow: Flow, ending: State) -> Iterator[Defect]:
    """A defect for each place inside the ending that no row is sure to lead on from."""
    for path in subtree(flow.states, ending.path):
        state = flow.states[path]
        if state.children or state.kind == "history":
            continue
        if ends_the_call(state):
            continue
        if not _leads_on(flow, ending, state):
            yield defect(
                "ending-never-over", f"the call may stay in {named(path)} for ever: no row is sure to lead on from it",
                state.position, "write a row without a guard behind those with one: under `done`, or under `after`",
                len(state.name),
            )  # fmt: skip


def _leads_on(flow: Flow, ending: State, leaf: State) -> bool:
    done = not _endless(leaf)
    for path in around(flow.states, leaf.path):
        if not within(path, ending.path):
            break
        state = flow.states[path]
        if path != leaf.path:
            done = done and can_be_done(flow, path) and (leaf.kind == "final" or state.kind == "parallel")
        if any(sure(timer.transitions) for timer in state.timers if timer.kind != "silence") or sure(state.always):
            return True
        if done and any(sure(row.transitions) for row in state.rows if row.pattern == "done"):
            return True
        if state.task is not None and any(
            sure(row.transitions) for row in state.rows if row.pattern.startswith("task.")
        ):
            return True
        results = own_results(state)
        if any(sure(row.transitions) for row in state.rows if matches_any(row.pattern, results)):
            return True
    return False


def _endless(state: State) -> bool:
    """Whether something in the state's list may last for ever."""
    return any(
        action.timeout is None and action.wait and not (verb.at_once or verb.last or verb.parties_end)
        for action in state.entry
        for verb in (verb_of(action.verb),)
    )  # fmt: skip
