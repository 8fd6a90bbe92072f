"""Which states stand where: ancestors and descendants, where a state begins, what is entered with a target.

The names are those of the W3C's Algorithm for SCXML Interpretation, where it has one. `states` is a flow's, by path, or what the
loader has of them so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from callflow.core.flow import ROOT, Flow, State

States = Mapping[str, State]


def inside(path: str, outer: str) -> bool:
    """Whether a state is a proper descendant of another (isDescendant)."""
    return path != outer and (outer == ROOT or path.startswith(outer + "."))


def within(path: str, outer: str) -> bool:
    """Whether a state is another, or stands inside it."""
    return path == outer or outer == ROOT or path.startswith(outer + ".")


def ancestors(states: States, path: str) -> Iterator[str]:
    """The states around one, the nearest first, the top level last (getProperAncestors)."""
    parent = states[path].parent
    while parent is not None:
        yield parent
        parent = states[parent].parent


def around(states: States, path: str) -> Iterator[str]:
    """A state and those around it, in the order in which their rows are asked; the top level last."""
    yield path
    yield from ancestors(states, path)


def subtree(states: States, path: str) -> Iterator[str]:
    """A state and its descendants, in document order."""
    waiting = [path]
    while waiting:
        path = waiting.pop()
        yield path
        waiting += reversed(states[path].children)


def inward(state: State) -> tuple[str, ...]:
    """What becomes active one level in when a state is entered and nothing inside is named: where it begins, or all its
    regions; of a history state what it stands for when nothing is remembered."""
    begins = () if state.initial is None else (state.initial,)
    return (*begins, *state.children) if state.kind == "parallel" else begins


def begins(states: States, path: str) -> Iterator[str]:
    """A state, the one in which it begins, and so on inward; of a history what it stands for when nothing is remembered."""
    inner: str | None = path
    while inner is not None:
        yield inner
        inner = states[inner].initial


def entered(states: States, target: str) -> Iterator[str]:
    """The states that a target enters as far as it names them: itself, those around it, and where it begins. A parallel
    state's regions are not among them (see `inward`)."""
    first, *inner = begins(states, target)
    yield first
    yield from (path for path in ancestors(states, target) if path != ROOT)
    yield from inner


def leaf(states: States, path: str) -> str:
    """The leaf in which a target begins; the state itself where that is not one alone (a parallel one, a history)."""
    state = states[path]
    while state.kind == "compound" and state.initial is not None:
        state = states[state.initial]
    return state.path


def ends_the_call(state: State) -> bool:
    """Whether this is a final state of the top level (rule 13)."""
    return state.kind == "final" and state.parent == ROOT


def in_ending(flow: Flow, path: str) -> bool:
    """Whether a state is the one that `ending:` names, or stands in it."""
    return within(path, flow.ending)


def is_over(flow: Flow, path: str) -> bool:
    """Whether the call is ending in this state, or over."""
    return in_ending(flow, path) or ends_the_call(flow.states[path])


def beside(states: States, path: str) -> Iterator[str]:
    """The states that may be active together with this one in other regions: those of the outermost parallel state around it,
    or of itself, that state included. None where nothing is parallel."""
    outermost = [outer for outer in around(states, path) if states[outer].kind == "parallel"]
    return subtree(states, outermost[-1]) if outermost else iter(())
