"""What a picture shows: read off the graph that all of them are drawn from."""

from __future__ import annotations

import pytest

from callflow.diagram import Graph, Marks, draw, graph_of, to_text
from callflow.diagram.graph import CROWD, Node
from tests.diagram.flows import flow, nested, questions, shipped


def node(graph: Graph, path: str) -> Node:
    return graph.by_id[f"state {path}"]


def rows(graph: Graph, path: str) -> list[str]:
    return [
        f"{row.kind}: {row.text}"
        if row.label is None
        else " ".join([row.label.trigger, *row.label.actions, row.label.target, row.label.outcome]).strip()
        for row in node(graph, path).rows
    ]


def arrows(graph: Graph) -> set[tuple[str, str, str]]:
    name = {node.id: node.name or "●" for node in graph.nodes}
    return {
        (name[edge.source], ", ".join(label.trigger for label in edge.labels), name[edge.target])
        for edge in graph.edges
    }


def test_a_flow_is_drawn_with_all_that_it_does():
    graph = graph_of(shipped("outbound"))
    assert rows(graph, "dialing") == ["entry: dial {phone_number}"]
    assert rows(graph, "talking") == [
        "entry: generate_reply “Greet {customer_name} and ask about the appointment.”",
        "tools: end_call",
        "silence 12s say “Are you still there?”",
    ]
    assert rows(graph, "ending") == [
        "entry: drain",
        "entry: delete_room",
        "entry: aclose",
        "entry: shutdown {call.outcome}",
    ]
    assert node(graph, "ending").badge == "must finish"
    assert node(graph, "closed").kind == "final"
    assert arrows(graph) == {
        ("●", "", "dialing"),
        ("dialing", "dial.answered", "screening"),
        ("dialing", "dial.*", "busy, no_answer, declined, invalid, failed"),
        ("busy, no_answer, declined, invalid, failed", "", "ending"),
        ("screening", "amd.*", "talking"),
        ("screening", "amd.machine-vm", "voicemail"),
        ("screening", "amd.machine-*", "machine"),
        ("machine", "", "ending"),
        ("talking", "tool.end_call", "completed"),
        ("completed", "", "ending"),
        ("talking", "silence 30s", "abandoned"),
        ("abandoned", "", "ending"),
        ("voicemail", "done", "voicemail"),
        ("voicemail", "", "ending"),
        ("ending", "done", "closed"),
    }


def test_what_the_top_level_listens_for_is_drawn_once():
    graph = graph_of(shipped("outbound"))
    assert [(row.trigger, row.target, row.outcome) for row in graph.frame if not row.quiet] == [
        ("call.hangup", "ending", "hung_up"),
        ("session.close", "ending", "failed"),
        ("job.shutdown", "ending", "cancelled"),
        ("room.disconnected", "ending", "line_lost"),
        ("after 10m", "ending", "timed_out"),
    ]
    assert not any("call.hangup" in label.trigger for edge in graph.edges for label in edge.labels)


def test_supplied_parts_are_quiet():
    graph = graph_of(shipped("smallest"))
    assert {found.name for found in graph.nodes if found.kind in {"state", "final"} and found.quiet} == {
        "ending",
        "closed",
    }
    assert all(row.quiet for row in graph.frame)


def test_nested_parallel_and_history_states():
    graph = graph_of(nested())
    assert (node(graph, "first").kind, node(graph, "first.outer.inner").parent) == ("compound", "state first.outer")
    assert node(graph, "both").kind == "parallel"
    assert [found.name for found in graph.children("state both")] == ["talk", "record"]
    assert (node(graph, "first.back").kind, node(graph, "first.back").badge) == ("history", "H*")
    # Into its own inside or to itself a box has no arrow, but a line.
    assert rows(graph, "first") == ["exit: log “left”", "tool.again first", "silence 30s outer"]
    assert rows(graph, "both.record.running") == ["entry: start_recording x.ogg", "exit: stop_recording"]
    assert ("first", "tool.hold", "waiting") in arrows(graph)
    assert ("waiting", "tool.next", "back") in arrows(graph)
    assert ("back", "", "outer") in arrows(graph)


def test_where_too_many_arrows_would_meet_a_line_in_each_box_says_it():
    few, many = graph_of(questions(CROWD)), graph_of(questions(CROWD + 1))
    assert sum(edge.target == "outcome failed state ending" for edge in few.edges) == CROWD
    assert not any(found.name == "failed" for found in many.nodes)
    assert rows(many, "step2") == ["entry: say “Question 2.”", "failed ending failed"]


def test_guards_and_actions_stand_on_their_transition():
    graph = graph_of(shipped("inbound"))
    [edge] = [edge for edge in graph.edges if edge.target == "state transferring"]
    [label] = edge.labels
    assert (label.trigger, label.guard) == (
        "tool.speak_to_person",
        'in_hours(event.time, "Mon-Fri 09:00-17:00", "Europe/Berlin")',
    )
    [edge] = [edge for edge in graph.edges if edge.target == "state helping.message.reading_back"]
    assert edge.labels[0].actions == ("set caller = {event.caller}, message = {event.text}",)


def test_marks_show_where_a_call_has_been():
    drawn = shipped("outbound")
    [answered] = [move.id for move in drawn.transitions if move.source == "dialing" and move.target == "screening"]
    graph = graph_of(
        drawn,
        Marks(
            frozenset({"dialing", "screening"}),
            frozenset({answered}),
            frozenset({"screening"}),
            {"talking": ["not handled: dtmf.*"], "": ["two gaps"]},
        ),
    )
    assert {found.name for found in graph.nodes if found.visited and found.kind == "state"} == {"dialing", "screening"}
    assert [found.name for found in graph.nodes if found.current] == ["screening"]
    assert [(edge.source, edge.target) for edge in graph.edges if edge.taken] == [
        ("initial ", "state dialing"),
        ("state dialing", "state screening"),
    ]
    assert "note: not handled: dtmf.*" in rows(graph, "talking")
    assert graph.notes == ("two gaps",)


def test_only_the_transition_that_was_taken_is_marked_on_a_shared_arrow():
    drawn = shipped("hand-over")
    [late] = [timer.transitions[0].id for timer in drawn.states["waiting"].timers if timer.transitions[0].target]
    graph = graph_of(drawn, Marks(taken=frozenset({late})))
    marked = [(label.trigger, label.taken) for edge in graph.edges for label in edge.labels if label.taken]
    assert marked == [("after 5m", True)]


def test_what_a_tool_runs_and_what_is_done_after_the_call():
    assert "tools: find_order (http), end_call" in rows(graph_of(shipped("look-up")), "talking")
    graph = graph_of(flow("first: {on: {done: ending}}", "wrap_up: [{http: {url: https://example.com, method: POST}}]"))
    assert graph.wrap_up == ("http POST https://example.com",)
    assert "· after the call: http POST https://example.com" in to_text(graph)
    for format_ in ("svg", "mmd"):
        assert (
            "after the call" in draw(flow("first: {on: {done: ending}}", "wrap_up: [{log: Done.}]"), format_).decode()
        )


def test_whose_line_a_hang_up_drops_is_said():
    assert rows(graph_of(shipped("hand-over")), "leaving") == [
        "entry: outcome transferred",
        "entry: hang_up for the agent only",
    ]


def test_the_least_flow():
    graph = graph_of(flow("first: {final: true}", "standard: false\nending: first"))
    assert [found.kind for found in graph.nodes] == ["initial", "final"]


@pytest.mark.parametrize(
    ("name", "spine"),
    [
        ("smallest", "talking, completed, ending, closed"),
        ("outbound", "dialing, screening, talking, completed, ending, closed"),
        ("inbound", "greeting, helping, talking, message, asking, reading_back, noted, message_taken, ending, closed"),
        ("hand-over", "waiting, introducing, leaving, transferred, left"),
        ("maximum-duration", "identifying, talking, completed, ending, closed"),
    ],
)
def test_the_path_of_a_good_call_is_found(name, spine):
    graph = graph_of(shipped(name))
    assert {found.name for found in graph.nodes if found.spine and found.kind != "initial"} == set(spine.split(", "))
