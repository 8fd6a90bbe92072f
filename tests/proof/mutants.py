"""Flows with one small fault each: what an author easily leaves out, swaps, repeats or turns round.

`python -m tests.proof.mutants [FLOW…]` makes every mutant of the shipped flows and tells how many of them `callflow check` finds, by
kind of fault, and which it does not.
"""

from __future__ import annotations

import copy
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import callflow
from callflow.core.flow import Flow
from callflow.errors import FlowFileError
from callflow.proof.prove import prove
from callflow.verify import check

FLOWS = Path(__file__).parents[2] / "flows"
LISTS = ("entry", "exit", "do")
TIMERS = ("after", "every", "silence")
ENDS = ("drain", "delete_room", "aclose", "shutdown", "resume", "stand_by", "hang_up", "unmute")


class _Yaml(yaml.SafeLoader):
    """YAML 1.2, as flow files are: `on` is a word."""


_Yaml.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in ways if tag != "tag:yaml.org,2002:bool"]
    for letter, ways in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


class Mutant(NamedTuple):
    """A flow with a fault: of which kind, what was done, and the file's content."""

    kind: str
    what: str
    data: dict[str, Any]


def mutants(data: dict[str, Any]) -> Iterator[Mutant]:
    """Every mutant of a flow file's content."""
    for path, node in _nodes(data, ()):
        if isinstance(node, dict):
            yield from _of_a_map(data, path, node)
        elif isinstance(node, list) and path and path[-1] in LISTS:
            yield from _of_a_list(data, path, node)


def _of_a_map(data: dict[str, Any], path: tuple[Any, ...], node: dict[str, Any]) -> Iterator[Mutant]:
    if path and path[-1] == "on":
        for name in node:
            yield Mutant("row dropped", f"{_at(path)}.{name}", _without(data, (*path, name)))
    if path and path[-1] in TIMERS:
        for name in node:
            yield Mutant("timer dropped", f"{_at(path)}.{name}", _without(data, (*path, name)))
    if "when" in node:
        yield Mutant("guard negated", _at(path), _with(data, (*path, "when"), f"not ({node['when']})"))
        yield Mutant("guard dropped", _at(path), _without(data, (*path, "when")))
    for name in ("music", "loop"):
        if name in node:
            yield Mutant("music dropped", _at(path), _without(data, (*path, name)))


def _of_a_list(data: dict[str, Any], path: tuple[Any, ...], node: list[Any]) -> Iterator[Mutant]:
    for place, action in enumerate(node):
        verb = action if isinstance(action, str) else next(iter(action))
        kind = "ending dropped" if verb in ENDS else "action dropped"
        yield Mutant(kind, f"{_at(path)}[{place}] {verb}", _without(data, (*path, place)))
        yield Mutant(
            "action repeated", f"{_at(path)}[{place}] {verb}", _with(data, path, [*node[: place + 1], *node[place:]])
        )
        if place:
            swapped = [*node[: place - 1], node[place], node[place - 1], *node[place + 1 :]]
            yield Mutant("actions swapped", f"{_at(path)}[{place}] {verb}", _with(data, path, swapped))


def _nodes(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in items:
        yield from _nodes(one, (*path, name))


def _at(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def _without(data: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(data)
    around = _inside(made, path[:-1])
    del around[path[-1]]
    return made


def _with(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(data)
    _inside(made, path[:-1])[path[-1]] = copy.deepcopy(value)
    return made


def _inside(data: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        data = data[name]
    return data


def faults(flow: Flow) -> Counter[str]:
    """The codes of what `callflow check` finds, with how often each is found."""
    found = [one.code for one in check(flow)]
    if not any(one.level == "error" for one in check(flow)):
        found += [one.defect.code for one in prove(flow).findings]
    return Counter(found)


def load(data: dict[str, Any]) -> Flow:
    """The flow of a file's content."""
    return callflow.loads(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), folder=FLOWS, check=False)


def is_found(mutant: Mutant, before: Counter[str]) -> bool:
    """Whether something is told of a mutant that was not told of the flow."""
    try:
        return bool(faults(load(mutant.data)) - before)
    except FlowFileError:
        return True


def main(names: list[str]) -> None:
    """Tells of every mutant of these flows that is not found, and how many are."""
    made: Counter[str] = Counter()
    missed: dict[str, list[str]] = defaultdict(list)
    for name in names or sorted(path.stem for path in FLOWS.glob("*.yaml")):
        data = yaml.load((FLOWS / f"{name}.yaml").read_text(encoding="utf-8"), _Yaml)
        before = faults(load(data))
        for mutant in mutants(data):
            made[mutant.kind] += 1
            if not is_found(mutant, before):
                missed[mutant.kind].append(f"{name}: {mutant.what}")
    for kind, number in sorted(made.items()):
        lines = [f"{kind}: {number - len(missed[kind])} of {number} found", *(f"    {one}" for one in missed[kind])]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
