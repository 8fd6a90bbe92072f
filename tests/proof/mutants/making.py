"""Flows with one small fault each: what an author easily leaves out, swaps, repeats, turns round or leads elsewhere."""

from __future__ import annotations

import copy
import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Path = tuple[Any, ...]

LISTS = ("entry", "exit", "do", "wrap_up")
TIMERS = ("after", "every", "silence")
TRANSITIONS = ("on", *TIMERS)
RESULTS = ("dial.", "amd.", "transfer.", "consult.", "dtmf.input", "dtmf.no_", "dtmf.*", "task.", "done", "failed")
SPEECH = ("say", "generate_reply", "play")
UNDONE = ("resume", "unmute", "stop_recording", "stand_by")
ENDS = ("delete_room", "aclose", "shutdown", "hang_up")
MUSIC = ("music", "loop", "play_dialtone")
LIMITS = (
    "timeout",
    "ringing_timeout",
    "between_digits",
    "tries",
    "detect_machine",
    "terminator",
    "count",
    "accept",
    "decline",
)
WORDS = (
    "must_finish",
    "final",
    "interruptible",
    "optional",
    "reenter",
    "parallel",
    "waits",
    "wait",
    "ignore",
    "always",
    "returns",
    "for",
)
OTHERS = 4
"""To how many other states a row is led instead."""


class _Yaml(yaml.SafeLoader):
    """YAML 1.2, as flow files are: `on` is a word."""


_Yaml.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in ways if tag != "tag:yaml.org,2002:bool"]
    for letter, ways in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read(text: str) -> dict[str, Any]:
    """A flow file's content."""
    data: dict[str, Any] = yaml.load(text, _Yaml)
    return data


def written(data: dict[str, Any]) -> str:
    """The same as a file."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


class Mutant(NamedTuple):
    """A flow with a fault: of which kind, where, what was done there, and the file's content. `old` and `new`: the targets of a row
    that leads elsewhere."""

    kind: str
    place: str
    what: str
    data: dict[str, Any]
    old: str = ""
    new: str = ""


def mutants(data: dict[str, Any]) -> Iterator[Mutant]:
    """Every mutant of a flow file's content, in the order of the file."""
    for path, node in _nodes(data, ()):
        if isinstance(node, list) and path[-1] in LISTS:
            yield from _of_actions(data, path, node)
        elif isinstance(node, dict):
            yield from _of_a_map(data, path, node)
        if _is_row(path):
            yield from _of_a_row(data, path, node)


def _of_a_map(data: dict[str, Any], path: Path, node: dict[str, Any]) -> Iterator[Mutant]:
    last = path[-1] if path else ""
    in_flow = not path or path[-2:-1] == ("states",)
    if path == ("limits",):
        for name in node:
            yield _dropped("limit dropped", data, (*path, name))
    if last in TRANSITIONS and _in_a_state(path):
        for name in node:
            kind = (
                "timer dropped" if last in TIMERS else "result dropped" if name.startswith(RESULTS) else "row dropped"
            )
            yield _dropped(kind, data, (*path, name))
    for name in node:
        where = (*path, name)
        if name in MUSIC:
            yield _dropped("music dropped", data, where)
        elif name in LIMITS and not in_flow and "states" in path:
            yield _dropped("limit dropped", data, where)
        elif name in WORDS and "states" in path and (in_flow or name not in ("ignore", "always", "returns", "waits")):
            yield _dropped("word dropped", data, where)
    if in_flow:
        for place, tool in enumerate(node.get("tools", ()) if path else ()):
            yield _dropped("tool dropped", data, (*path, "tools", place), tool)
        if path and "instructions" in node:
            yield _dropped("instructions dropped", data, (*path, "instructions"))


def _of_a_row(data: dict[str, Any], path: Path, node: Any) -> Iterator[Mutant]:
    """Of one transition: a target, a map, or a list of them, of which each is looked at."""
    if isinstance(node, list):
        for place, _ in enumerate(node):
            if len(node) > 1:
                yield _dropped("branch dropped", data, (*path, place))
            if place:
                swapped = [*node[: place - 1], node[place], node[place - 1], *node[place + 1 :]]
                yield Mutant(
                    "branches swapped",
                    _at(path),
                    f"the branches {place} and {place + 1} swapped",
                    _with(data, path, swapped),
                )
        return
    if isinstance(node, dict):
        if "when" in node:
            yield Mutant(
                "guard negated",
                _at(path),
                f"when: not ({node['when']})",
                _with(data, (*path, "when"), f"not ({node['when']})"),
            )
            yield _dropped("guard dropped", data, (*path, "when"))
        if "target" in node and len(node) > 1:
            yield _dropped("target dropped", data, (*path, "target"), node["target"])
        if "do" in node and "target" in node and len(node["do"]) > 1:
            yield _dropped("list dropped", data, (*path, "do"))
    target = node if isinstance(node, str) else node.get("target")
    if target is None:
        return
    where = path if isinstance(node, str) else (*path, "target")
    for other in _others(data, path, target):
        yield Mutant(
            "row retargeted", _at(path), f"leads to {other}, not to {target}", _with(data, where, other), target, other
        )


def _of_actions(data: dict[str, Any], path: Path, node: list[Any]) -> Iterator[Mutant]:
    for place, action in enumerate(node):
        verb = action if isinstance(action, str) else next(iter(action))
        where = (*path, place)
        if len(node) > 1 or path[-1] != "do" or _inside(data, path[:-1]).keys() > {"do"}:
            yield _dropped(_kind_of(verb), data, where, verb)
        repeated = [*node[: place + 1], *node[place:]]
        yield Mutant("action repeated", _at(where), f"{verb} twice", _with(data, path, repeated))
        if place:
            swapped = [*node[: place - 1], node[place], node[place - 1], *node[place + 1 :]]
            yield Mutant("actions swapped", _at(where), f"{verb} before the one before it", _with(data, path, swapped))
    if path[-1] == "entry" and len(node) > 1:
        yield _dropped("list dropped", data, path)


def is_speech(action: Any) -> bool:
    """Whether this says or plays something that ends."""
    if isinstance(action, dict) and len(action) == 1:
        ((verb, given),) = action.items()
        return verb in SPEECH and not (isinstance(given, dict) and given.get("loop"))
    return action in SPEECH


def _kind_of(verb: str) -> str:
    if verb in SPEECH:
        return "speech dropped"
    if verb in ("drain", "wait_for_speech"):
        return "drain dropped"
    return "ending dropped" if verb in ENDS else "undoing dropped" if verb in UNDONE else "action dropped"


def _is_row(path: Path) -> bool:
    """Whether a transition stands there: `on.EVENT`, `after.TIME`, `always`, or one of a list of them."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    if path and path[-1] == "always":
        return _in_a_state(path)
    return len(path) > 1 and path[-2] in TRANSITIONS and _in_a_state(path[:-1])


def _in_a_state(path: Path) -> bool:
    """Whether this is a key of a state, or of the file."""
    return len(path) == 1 or (len(path) > 2 and path[-3] == "states")


def _others(data: dict[str, Any], path: Path, target: str) -> list[str]:
    """Other states to which a row may lead, a few of them, the same ones each time."""
    names = [*_states(data, "")]
    if "ending" not in names:
        names.append("ending")
    others = [name for name in names if name != target and not name.endswith(f".{target}")]
    return sorted(others, key=lambda name: zlib.crc32(f"{_at(path)} {name}".encode()))[:OTHERS]


def _states(node: dict[str, Any], before: str) -> Iterator[str]:
    for name, state in node.get("states", {}).items():
        yield before + name
        yield from _states(state, f"{before}{name}.")


def _nodes(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in items:
        yield from _nodes(one, (*path, name))


def _at(path: Path) -> str:
    return ".".join(map(str, path))


def _dropped(kind: str, data: dict[str, Any], path: Path, what: object = "") -> Mutant:
    made: dict[str, Any] = copy.deepcopy(data)
    around = _inside(made, path[:-1])
    del around[path[-1]]
    return Mutant(kind, _at(path), f"{what or path[-1]} dropped", made)


def _with(data: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(data)
    _inside(made, path[:-1])[path[-1]] = copy.deepcopy(value)
    return made


def _inside(data: Any, path: Path) -> Any:
    for name in path:
        data = data[name]
    return data
