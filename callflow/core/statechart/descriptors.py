"""What a key of `on:` names, and which row is asked first.

The W3C calls such a key an event descriptor (SCXML 3.12.1). Here it is an event's name, or ends in `.*` or `-*` and names all
events with that beginning. Of the rows of one state that match, those at the top of its sub-flow's file come first, then an
exact name, then the longer descriptor (docs/reference/language.md, Transitions).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping

from callflow.core.flow import Row, State, Transition

_WILD = (".*", "-*")


def is_wild(descriptor: str) -> bool:
    """Whether it names all events with its beginning, and not one."""
    return descriptor[-2:] in _WILD


def matches(descriptor: str, name: str) -> bool:
    """Whether it names this event: exactly, or by its beginning (`dial.*`, `amd.machine-*`)."""
    return descriptor == name or (descriptor[-2:] in _WILD and name.startswith(descriptor[:-1]))


def matches_any(descriptor: str, names: Collection[str]) -> bool:
    """Whether it names at least one of these events."""
    if descriptor in names:
        return True
    return descriptor[-2:] in _WILD and any(name.startswith(descriptor[:-1]) for name in names)


def family(descriptor: str) -> str:
    """What stands before `.*`: of `app.order.*` `app.order`; "" where it does not end so."""
    return descriptor.removesuffix(".*") if descriptor.endswith(".*") else ""


class Events:
    """The names of many events, sorted, so that each of many descriptors finds its own among them at once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._sorted = sorted(self._places)

    def named(self, descriptor: str) -> list[str]:
        """Those that it names, in the order in which they were given."""
        if descriptor[-2:] not in _WILD:
            return [descriptor] if descriptor in self._places else []
        begin = bisect_left(self._sorted, descriptor[:-1])
        end = bisect_left(self._sorted, descriptor[:-2] + chr(ord(descriptor[-2]) + 1), begin)
        return sorted(self._sorted[begin:end], key=self._places.__getitem__)


def best(descriptors: Collection[str], name: str) -> str | None:
    """Of several the one that counts for an event: its exact name, else the longest that matches. None where none does."""
    if name in descriptors:
        return name
    wild = (name[:end] + "*" for end in range(len(name), 0, -1) if name[end - 1] in ".-")
    return next((one for one in wild if one in descriptors), None)


def rank(descriptor: str, name: str) -> tuple[bool, int]:
    """Sorts descriptors that match an event: the one that counts first."""
    return descriptor != name, -len(descriptor)


def asked(rows: Iterable[Row], name: str) -> list[Row]:
    """The rows of one state that match an event, in the order in which they are asked."""
    # As `matches` says, in one piece: it is asked of every row of a flow.
    found = [row for row in rows if (one := row.pattern) == name or (one[-2:] in _WILD and name.startswith(one[:-1]))]
    if len(found) > 1:
        found.sort(key=lambda row: (row.level != "inner", *rank(row.pattern, name)))
    return found


def candidates(rows: Iterable[Row], name: str) -> Iterator[Transition | None]:
    """What one state has for an event, the first to try first; None: it is ignored here."""
    for row in asked(rows, name):
        if row.ignore:
            yield None
        else:
            yield from row.transitions


def heard(states: Mapping[str, State], *, ignored: bool = True) -> frozenset[str]:
    """Every descriptor for which some state has a row: what a flow listens to, and, if not told otherwise, what it ignores on
    purpose."""
    return frozenset(row.pattern for state in states.values() for row in state.rows if ignored or not row.ignore)


def is_named(name: str, descriptors: Collection[str]) -> bool:
    """Whether one of these descriptors names this event."""
    return best(descriptors, name) is not None
