"""Graphs, as explorations are: which nodes lead to which."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

_T = TypeVar("_T", bound=Hashable)


def leading_to(goals: Iterable[_T], backward: Mapping[_T, Iterable[_T]]) -> set[_T]:
    """All from which one of the goals can be reached."""
    found = set(goals)
    todo = list(found)
    while todo:
        for one in backward.get(todo.pop(), ()):
            if one not in found:
                found.add(one)
                todo.append(one)
    return found


def rounds(nodes: Iterable[_T], onward: Callable[[_T], Iterable[_T]]) -> list[list[_T]]:
    """The strongly connected components in which there is a way round (Tarjan 1972, without recursion)."""
    index: dict[_T, int] = {}
    low: dict[_T, int] = {}
    stack: list[_T] = []
    waiting: set[_T] = set()
    found: list[list[_T]] = []
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        path = [(root, iter(onward(root)))]
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is not None:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    waiting.add(following)
                    path.append((following, iter(onward(following))))
                elif following in waiting:
                    low[node] = min(low[node], index[following])
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == index[node]:
                together: list[_T] = []
                while True:
                    one = stack.pop()
                    waiting.discard(one)
                    together.append(one)
                    if one == node:
                        break
                if len(together) > 1 or node in set(onward(node)):
                    found.append(together)
    return found
