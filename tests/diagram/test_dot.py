from __future__ import annotations

import re

from callflow.diagram import draw, graph_of, to_dot
from tests.diagram.flows import nested, shipped, tangle


def test_the_same_flow_gives_the_same_text():
    assert to_dot(graph_of(nested())) == to_dot(graph_of(nested()))
    assert draw(nested(), "dot") == to_dot(graph_of(nested())).encode()


def test_boxes_are_clusters_inside_each_other():
    dot = to_dot(graph_of(nested()))
    names = {node.name: f"n{index}" for index, node in enumerate(graph_of(nested()).nodes)}
    outer = dot.index(f"subgraph cluster_{names['first']} {{")
    inner = dot.index(f"subgraph cluster_{names['outer']} {{")
    assert dot.index("subgraph cluster_flow {") < outer < inner < dot.index(f"{names['inner']} [label=")


def test_a_name_is_only_a_text():
    dot = to_dot(graph_of(shipped("outbound")))
    # Nodes are numbered: no name of the flow's stands outside quotes or a label.
    bare = re.sub(r'<<.*>>|"[^"]*"|<<?TABLE.*?</TABLE>>?', "", dot)
    assert not re.search(r"\b(dialing|talking|ending|closed)\b", bare)


def test_a_large_graph_is_laid_out_in_a_plainer_way():
    assert "splines=line" in to_dot(graph_of(tangle(120)))
    assert "splines" not in to_dot(graph_of(shipped("inbound")))
