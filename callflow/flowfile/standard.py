"""The standard parts: what is supplied to a flow that runs by itself, unless it says `standard: false`."""

from __future__ import annotations

from functools import cache

from callflow.core.expressions import Expression, Names, Template, Type
from callflow.core.flow import Action
from callflow.flowfile.nodes import Mapping, Scalar
from callflow.flowfile.part import CALL, Loading, Part
from callflow.flowfile.yaml import parse

FILE = "<standard>"

TEXT = """\
ending: ending
on:
  call.hangup:       {target: ending, do: [{outcome: hung_up}]}
  session.close:     {target: ending, do: [{outcome: failed}]}
  job.shutdown:      {target: ending, do: [{outcome: cancelled}]}
  room.disconnected: {target: ending, do: [{outcome: line_lost}]}
states:
  ending:
    entry:
      - drain: {timeout: 10s, tail: 200ms}
      - delete_room
      - aclose: {timeout: 10s}
      - shutdown: {reason: "{{ call.outcome }}"}
    on: {done: closed}
  closed: {final: true}
"""

_PLAIN = Names(call=CALL)
_NAMES: dict[int, Names] = {}
_COMPILED: dict[tuple[str, int, Type | None], Expression | Template] = {}
_LISTS: dict[int, tuple[Action, ...]] = {}


class StandardPart(Part):
    """The standard parts as a file of their own. They are the same in every flow: what was read once is kept."""

    def __init__(self, loading: Loading) -> None:
        super().__init__(loading, FILE, standard_nodes())
        self.plain = _PLAIN
        self.lists = _LISTS
        self._names = _NAMES
        self._compiled = _COMPILED


@cache
def standard_nodes() -> Mapping:
    """The standard parts as nodes."""
    return _nodes(TEXT)


@cache
def limit_nodes() -> Mapping:
    """What is done when a limit is reached, as a node under `row`."""
    return _nodes("row: {target: ending, do: [{outcome: timed_out}]}")


def limit_row(duration: str) -> Mapping:
    """The row that a limit stands for, as a node: `1h: …`."""
    key, row = limit_nodes().entries["row"]
    return Mapping({duration: (Scalar(duration, duration, True, key.start, key.end), row)}, True, key.start, key.end)


def _nodes(text: str) -> Mapping:
    root, defects = parse(text, FILE)
    if root is None or defects:
        raise AssertionError(defects)
    return root
