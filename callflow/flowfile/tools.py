"""The function tools of a flow, and what a session and an agent are made of where the flow builds them itself."""

from __future__ import annotations

from typing import Any

from callflow.core.actions import VERBS
from callflow.core.expressions import ANY, TEXT, Names, Record, Template, Type
from callflow.core.flow import ROOT, Action, Tool
from callflow.flowfile import keys
from callflow.flowfile.actions import build_action
from callflow.flowfile.declarations import fields
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, quoted
from callflow.flowfile.part import ALWAYS_THERE, CALL, Part
from callflow.flowfile.report import is_name, is_nothing, join, one_of
from callflow.flowfile.values import result_type

RUNS = tuple(verb.name for verb in VERBS.values() if verb.asks_outside)


def read_tools(part: Part) -> None:
    """Fills `part.tools` from `tools:`."""
    mapping = part.named(part.root.get("tools"), "tools", "`tools`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"tools.{name}"
        if name.startswith("x-") or not part.check_name(key, path, "a tool"):
            continue
        said = quoted(value.text) if isinstance(value, Scalar) and isinstance(value.value, str) else ""
        inner = part.mapping(value, path, f"the tool `{name}`", f"write {{description: {said}}}" if said else "")
        if inner is not None:
            part.tools[name] = _tool(part, name, key, inner, path)
        elif is_nothing(value):
            message = f"the tool `{name}` needs a description: the model goes by it"
            part.defect("missing-key", message, key, path, f"write `{name}: {{description: …}}`")
            part.tools[name] = Tool(name, "", {}, None, None, part.position(key, path))
        else:
            part.tools[name] = Tool(name, "", {}, None, None, part.position(key, path))


def _tool(part: Part, name: str, key: Scalar, node: MappingNode, path: str) -> Tool:
    part.unknown_keys(node, path, keys.TOOL, keys.TOOL, "a tool")
    own = part.boolean(node.get("own"), join(path, "own"), "`own`") or False
    description = part.text(node.get("description"), join(path, "description"), "`description`") or ""
    if not own and not description.strip() and "description" not in node.entries:
        message = f"the tool `{name}` needs a `description`: the model goes by it"
        part.defect("missing-key", message, key, path, "say when the model should call it")
    parameters = fields(part, node.get("parameters"), join(path, "parameters"), "`parameters`")
    run, result = None, None
    for word in ("run", "result"):
        if own and word in node.entries:
            message = f"a tool of the agent's own has no `{word}`: the agent runs it"
            part.defect("unknown-key", message, node.entries[word][0], join(path, word), "take it out")
            return Tool(name, description, parameters, None, None, part.position(key, path), own)
    event = Record({**ALWAYS_THERE, **{one.name: one.type for one in parameters.values()}}, kind=f"tool.{name}")
    vars_ = part.plain.vars if part.scope == ROOT else Record({})  # a sub-flow's tool may be called in any place of it
    names = part.keep(Names(event, vars_, CALL, part.plain.env))
    if "run" in node.entries:
        run = _run(part, node.entries["run"][1], join(path, "run"), names)
    if "result" in node.entries:
        unsure = run is None and "run" in node.entries
        result = _result(part, node.entries["result"][1], join(path, "result"), names, run, unsure)
    return Tool(name, description, parameters, run, result, part.position(key, path), own)


def _run(part: Part, node: Node, path: str, names: Names) -> Action | None:
    verb = next(iter(node.entries), "") if isinstance(node, MappingNode) else ""
    if verb in VERBS and verb not in RUNS:
        part.defect("bad-value", f"a tool runs {one_of(RUNS)}, not `{verb}`", node, path,
                    "listen to the tool's event, and act in the row")  # fmt: skip
        return None
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text not in VERBS and is_name(node.text):
        hint = f"write {{python: {node.text}}}, or an `http` with its `url`"
        part.defect("unknown-verb", f"there is no verb `{node.text}`", node, path, hint)
        return None
    return build_action(part, node, path, names)


def _result(part: Part, node: Node, path: str, names: Names, run: Action | None, unsure: bool) -> Template | None:
    others: dict[str, Type] = {"result": ANY} if unsure else {}
    if run is not None:
        kept = result_type(part, VERBS[run.verb], str(VERBS[run.verb].given("function", run.arguments) or ""))
        others["result"] = ANY if kept is None else kept
    if isinstance(node, Scalar) and isinstance(node.value, str):
        known = part.keep(Names(names.event, names.vars, names.call, names.env, names.state, others))
        return part.template(node, known, path)
    part.text(node, path, "`result`")
    return None


def agent(part: Part, node: Node | None) -> dict[str, Any]:
    """`agent:`, the agent that a flow without Python has."""
    said = quoted(node.text) if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    mapping = part.mapping(node, "agent", "`agent`", f"write {{instructions: {said}}}" if said else "")
    if mapping is None:
        return {}
    part.unknown_keys(mapping, "agent", keys.AGENT, keys.AGENT, "`agent`")
    value = mapping.get("instructions")
    if isinstance(value, Scalar) and isinstance(value.value, str):
        written = part.template(value, part.plain, "agent.instructions", TEXT) if "{{" in value.value else value.value
        return {} if written is None else {"instructions": written}
    part.text(value, "agent.instructions", "`instructions`")
    return {}
