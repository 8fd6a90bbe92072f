"""What stands at the head of a file: version, name, declarations. Read before any of its states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from callflow.core.actions import VERBS
from callflow.core.expressions import ANY, Type
from callflow.core.flow import NOWHERE, Declaration, Tool
from callflow.core.suggest import closest
from callflow.flowfile import declarations as declared
from callflow.flowfile import keys, parties
from callflow.flowfile.elsewhere import key_meant
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, kind, shorten
from callflow.flowfile.part import Part
from callflow.flowfile.report import is_name
from callflow.flowfile.tools import read_tools
from callflow.flowfile.values import result_type

_AS = ("as:", "as :", 'as"', "as'")


def declare(part: Part) -> bool:
    """Reads all that stands before the states. False where the version is another: nothing else can be judged then."""
    root = part.root
    if not _version(part):
        return False
    part.unknown_keys(root, "", keys.TOP_LEVEL, keys.TOP_LEVEL, "a flow")
    name = part.text(root.get("name"), "name", "`name`")
    if name is None and "name" not in root.entries:
        part.defect("missing-key", "a flow needs a `name`", root, "name", "write `name: front-desk`")
    elif name is not None and not _is_flow_name(name):
        hint = "small letters, digits, `_` and `-`, no blank"
        part.defect("bad-name", f"`{shorten(name)}` is no name for a flow", root.entries["name"][1], "name", hint)
    part.flow_name = name or "flow"
    part.variables = declared.variables(part, root.get("vars"))
    part.env = declared.environment(part, root.get("env"))
    part.outcomes = declared.outcomes(part, root.get("outcomes"))
    part.events = declared.events(part, root.get("events"))
    part.python = declared.python(part, root.get("python"))
    part.loading.outcomes.update(part.outcomes)
    part.uses = _uses(part)
    if any(sign in part.source for sign in _AS):  # few flows keep results: the others need not be searched
        _results(part, root)
    part.declare()
    read_tools(part)
    _share(part)
    _share_parties(part)
    part.loading.parts.append(part)
    return True


DECLARING = ("vars", "env", "events", "outcomes", "tools", "python", "use")


def declarations_of(part: Part) -> Iterator[Declaration]:
    """What the file declares by a name, and where it does."""
    for key in DECLARING:
        node = part.root.get(key)
        if isinstance(node, MappingNode):
            places = [(name, at, f"{key}.{name}") for name, (at, _) in node.entries.items()]
        else:
            items = node.items if isinstance(node, Sequence) else []
            places = [
                (one.text, one, f"{key}[{number}]") for number, one in enumerate(items) if isinstance(one, Scalar)
            ]
        for name, at, path in places:
            if not name.startswith("x-"):
                yield Declaration(key, name, part.scope, part.position(at, path))


def _is_flow_name(name: str) -> bool:
    return is_name("_" + name, dashes=True) and name == name.lower() and name[:1] not in ("", "_", "-")


def _version(part: Part) -> bool:
    entry = part.root.entries.get("callflow")
    if entry is None and any(
        closest(key, ["callflow"]) or key_meant("a flow", key) == "callflow" for key in part.root.entries
    ):
        return True  # a misspelt key, which is told as one
    if entry is None:
        hint = "write `callflow: 1` in the first line"
        part.defect(
            "missing-key", "a flow file says for which version of the language it is", part.root, "callflow", hint
        )
        return True
    node = entry[1]
    if isinstance(node, Scalar) and node.value == keys.VERSION and node.value is not True and node.plain:
        return True
    shown = kind(node) if not isinstance(node, Scalar) or not node.plain or node.value is None else shorten(node.text)
    message = f"this callflow reads version {keys.VERSION} of the language, not {shown}"
    part.defect("unknown-version", message, node, "callflow", f"write `callflow: {keys.VERSION}`")
    return False


def _uses(part: Part) -> dict[str, tuple[Scalar, Node]]:
    node = part.root.get("use")
    files = [
        one for one in (node.items if isinstance(node, Sequence) else [node]) if isinstance(one, Scalar) and one.value
    ]
    named = {_stem(one.text): (one, one) for one in files}
    hint = f"write {{{', '.join(f'{name}: {one.text}' for name, (one, _) in named.items())}}}" if named else ""
    mapping = part.mapping(node, "use", "`use`", hint)
    if mapping is None:
        part.misread.update((one.line, one.column) for one in files)
        return named  # type: ignore[return-value] # a scalar is a node
    found = {
        name: (key, value)
        for name, (key, value) in mapping.entries.items()
        if not name.startswith("x-") and part.check_name(key, f"use.{name}", "a sub-flow", dashes=True)
    }
    for name, (_, value) in found.items():
        part.text(value, f"use.{name}", f"`{name}`")  # a defect, also where no state uses it
    return found


def _stem(file: str) -> str:
    """`pin` for `flows/pin.yaml`."""
    return file.rpartition("/")[2].partition(".")[0]


def _results(part: Part, root: MappingNode) -> None:
    """The variables that `as:` makes, so that every expression knows them wherever it stands."""
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
        elif isinstance(node, MappingNode):
            for name, (_, value) in node.entries.items():
                if name in VERBS and isinstance(value, MappingNode):
                    _keep_result(part, name, value)
            waiting += [value for _, value in reversed(node.entries.values()) if not isinstance(value, Scalar)]


def _keep_result(part: Part, verb: str, node: MappingNode) -> None:
    kept = node.get("as")
    if not isinstance(kept, Scalar) or not isinstance(kept.value, str) or kept.value in part.variables:
        return
    named = node.get(VERBS[verb].roles.get("function", ""))
    found: Type | None = result_type(part, VERBS[verb], named.text if isinstance(named, Scalar) else "")
    if found is not None:
        part.results[kept.value] = found if part.results.setdefault(kept.value, found) == found else ANY


def _share(part: Part) -> None:
    """What the whole flow has in common: two files must not mean different things by one name."""
    loading = part.loading
    for name, payload in part.events.items():
        if loading.events.setdefault(name, payload) != payload:
            message = f"another file of this flow declares `{shorten(name)}` with other fields"
            part.defect(
                "conflict", message, part.root.entries["events"][0], f"events.{name}", "declare the same in both"
            )
    for name, tool in part.tools.items():
        if _wherever(loading.tools.setdefault(name, tool)) != _wherever(tool):
            message = f"another file of this flow has another tool `{name}`"
            part.defect(
                "conflict", message, part.root.entries["tools"][0], f"tools.{name}", "give one of the two another name"
            )


def _wherever(tool: Tool) -> Tool:
    """The same, wherever it is written."""
    run = tool.run and tool.run._replace(position=NOWHERE)
    return evolve(tool, position=NOWHERE, run=run)


def _share_parties(part: Part) -> None:
    """The same of those who take part: a leg, or who may send an event, is the whole call's."""
    loading, root = part.loading, part.root
    _share_one(part, "legs", loading.parties, parties.legs(part, root.get("legs")))
    _share_one(part, "senders", loading.senders, parties.senders(part, root.get("senders")))


def _share_one(part: Part, word: str, whole: dict[str, Any], found: Mapping[str, Any]) -> None:
    for name, one in found.items():
        if _said(whole.setdefault(name, one)) != _said(one):
            message = f"another file of this flow says something else of `{shorten(name)}` under `{word}`"
            part.defect("conflict", message, part.root.entries[word][0], f"{word}.{name}", "say the same in both")


def _said(one: Any) -> object:
    return one.who if isinstance(one, parties.Senders) else getattr(one, "source", one)
