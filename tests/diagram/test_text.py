from __future__ import annotations

from callflow.diagram import Marks, graph_of, to_text
from callflow.diagram.words import columns
from tests.diagram.flows import nested, shipped


def test_a_call_that_ends_well():
    drawn = shipped("smallest")
    [end] = [move.id for move in drawn.transitions if move.source == "talking"]
    [closed] = [move.id for move in drawn.transitions if move.target == "closed"]
    marks = Marks(frozenset({"talking", "ending", "closed"}), frozenset({end, closed}), frozenset({"closed"}))
    assert (
        to_text(graph_of(drawn, marks))
        == """\
front-desk
  · in every state: call.hangup  → ending · hung_up
  · in every state: session.close  → ending · failed
  · in every state: job.shutdown  → ending · cancelled
  · in every state: room.disconnected  → ending · line_lost
  · in every state: after 1h  → ending · timed_out
  · in every state: silence 2m  → ending · timed_out
  ● talking
      generate_reply “Greet the caller and help.”
      tools end_call
    ▶ ending · completed  tool.end_call  say “Goodbye.”
  ● ending  (must finish)
      drain
      delete_room
      aclose
      shutdown {call.outcome}
    ▶ closed  done
  ◉ closed
"""
    )


def test_without_details_only_states_and_what_leads_on():
    assert (
        to_text(graph_of(shipped("smallest")), details=False)
        == """\
front-desk
  ○ talking
    → ending · completed  tool.end_call  say “Goodbye.”
  ○ ending  (must finish)
    → closed  done
  ◎ closed
"""
    )


def test_no_line_is_wider_than_the_terminal():
    for drawn in (nested(), shipped("inbound")):
        assert max(columns(line) for line in to_text(graph_of(drawn), width=60).splitlines()) <= 60


def test_colour_only_where_it_is_wanted():
    graph = graph_of(shipped("smallest"), Marks(frozenset({"talking"})))
    assert "\x1b" not in to_text(graph)
    assert "\x1b[1;33m● talking\x1b[0m" in to_text(graph, color=True)
