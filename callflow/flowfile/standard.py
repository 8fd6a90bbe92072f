"""The standard parts: what is supplied to a flow that runs by itself, unless it says `standard: false`."""

from __future__ import annotations

from functools import cache

from callflow.flowfile.nodes import Mapping
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


@cache
def standard_nodes() -> Mapping:
    """The standard parts as nodes."""
    return _nodes(TEXT)


@cache
def limit_nodes(kind: str, duration: str) -> Mapping:
    """The row that a limit stands for, as a node: `after: {1h: …}`."""
    return _nodes(f"{kind}: {{{duration}: {{target: ending, do: [{{outcome: timed_out}}]}}}}")


def _nodes(text: str) -> Mapping:
    root, defects = parse(text, FILE)
    if root is None or defects:
        raise AssertionError(defects)
    return root
