"""Callers that a model plays: `persona`, `judge`, `runs`, `passes`, `models`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, shorten
from callflow.flowfile.report import Report, join, plain_data
from callflow.scenario import keys
from callflow.scenario.model import TURNS, Persona

_SHARE = re.compile(r"(100|[1-9]?[0-9])%")

MOST_RUNS, MOST_TURNS = 1000, 500

ONLY_WITH_A_PERSONA = ("judge", "runs", "passes")


def persona(report: Report, node: MappingNode, path: str, models: Mapping[str, Any]) -> Persona | None:
    """The persona of a scenario; None where it has none, or none that can be read."""
    said = node.get("persona")
    if said is None:
        for name in ONLY_WITH_A_PERSONA:
            if (key := node.entries.get(name)) is not None:
                report.defect(
                    "missing-key", f"`{name}` is for calls whose caller a model plays", key[0], join(path, name),
                    "write `persona: who the caller is`",
                )  # fmt: skip
        return None
    where = join(path, "persona")
    turns: int | None = None
    if isinstance(said, MappingNode):
        report.unknown_keys(said, where, keys.PERSONA, keys.PERSONA, "a persona")
        if said.get("who") is None:
            report.defect("missing-key", "a persona says `who` the caller is", said, where, "write `who: …`")
        who = report.text(said.get("who"), join(where, "who"), "`who`")
        turns = report.integer(said.get("turns"), join(where, "turns"), "`turns`", 1, MOST_TURNS)
    else:
        who = report.text(said, where, "`persona`")
    questions = report.words(node.get("judge"), join(path, "judge"), "`judge`")
    runs = report.integer(node.get("runs"), join(path, "runs"), "`runs`", 1, MOST_RUNS)
    passes = _share(report, node.get("passes"), join(path, "passes"))
    return Persona(
        who=who or "",
        turns=turns or TURNS,
        questions=tuple(text for text, _ in questions),
        runs=runs or 1,
        passes=passes,
        models=models,
    )


def models_of(report: Report, entries: Mapping[str, tuple[Scalar, Node]], path: str) -> dict[str, Any]:
    """`models`, of the file and the scenario together."""
    found: dict[str, Any] = {}
    for name, (key, value) in entries.items():
        where = join(path, name)
        if name not in keys.MODELS:
            hint = report.meant(name, keys.MODELS) or "`models` takes caller, judge, agent"
            report.defect("unknown-key", f"`models` has no key `{shorten(name)}`", key, where, hint)
        elif isinstance(value, MappingNode) and value.get("plugin") is not None:
            if report.text(value.get("plugin"), join(where, "plugin"), "`plugin`") is not None:
                found[name] = plain_data(value)
        elif isinstance(value, Scalar) and isinstance(value.value, str) and value.value:
            found[name] = value.value
        else:
            report.wrong_kind(value, where, f"`{name}` takes a model's name, or `{{plugin: …}}` with its options")
    return found


def _share(report: Report, node: Node | None, path: str) -> float:
    if node is None:
        return 1.0
    found = _SHARE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is None:
        report.defect("bad-value", "`passes` is a share of the runs in percent", node, path, "write `passes: 80%`")
        return 1.0
    return int(found[1]) / 100
