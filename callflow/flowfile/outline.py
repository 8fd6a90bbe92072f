"""The tree of states, before anything in them is read: names, kinds, and what a target means from where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from callflow.core.flow import StateKind
from callflow.core.statechart.structure import within
from callflow.flowfile import keys
from callflow.flowfile.declarations import EMPTY
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Place, Scalar, shorten
from callflow.flowfile.part import Part
from callflow.flowfile.report import is_nothing, join


class Draft:
    """A state on its way. `part` is the file that it stands in; `inside` that of its sub-flow, if it has one; `where`
    the path in its file, for messages."""

    def __init__(
        self,
        path: str,
        name: str,
        kind: StateKind,
        parent: Draft | None,
        part: Part,
        key: Place,
        node: MappingNode,
        where: str,
        supplied: bool = False,
    ) -> None:
        self.path = path
        self.name = name
        self.kind = kind
        self.parent = parent
        self.part = part
        self.key = key
        self.node = node
        self.where = where
        self.supplied = supplied
        self.inside: Part | None = None
        self.children: dict[str, Draft] = {}

    def around(self) -> Iterator[Draft]:
        """The states around this one, the nearest first, the top level last."""
        draft = self.parent
        while draft is not None:
            yield draft
            draft = draft.parent


def outline(
    part: Part, node: Node | None, outer: Draft, where: str, visible: Mapping[str, Draft], supplied: bool = False
) -> Iterator[Draft]:
    """The states under a `states:` key, each before those inside it, and added to `outer`'s children."""
    mapping = part.mapping(node, where, "`states`")
    if mapping is None:
        part.unread = part.unread or (node is not None and not is_nothing(node))
        return
    level: list[tuple[Draft, Scalar]] = []
    for name, (key, value) in mapping.entries.items():
        place = join(where, name)
        if name.startswith("x-"):
            continue
        word = value.text if isinstance(value, Scalar) else ""
        hint = f"write `{name}: {{{word}: true}}`" if word in ("final", "parallel") else ""
        inner = part.mapping(value, place, f"the state `{name}`", hint)
        if not part.check_name(key, place, "a state", dashes=True) or (inner is None and not is_nothing(value)):
            part.refused.add(name)
            continue
        path = f"{outer.path}.{name}" if outer.path else name
        draft = Draft(path, name, "atomic", outer, part, key, inner or EMPTY, place, supplied)
        draft.kind = _kind(draft)
        hidden = visible.get(name)
        if hidden is not None:
            message = (
                f"`{name}` hides the state of that name in line {hidden.key.line}: from here no target leads there"
            )
            part.defect("hidden-name", message, key, place, "give one of the two another name")
        outer.children[name] = draft
        level.append((draft, key))
    names = {**visible, **{draft.name: draft for draft, _ in level}}
    for draft, _ in level:
        yield draft
        states = draft.node.get("states")
        if states is not None and draft.kind in ("compound", "parallel"):
            yield from outline(part, states, draft, join(draft.where, "states"), names, supplied)


def _kind(draft: Draft) -> StateKind:
    """The kind of a state, and a defect for each key that does not go with it."""
    node, part, where = draft.node, draft.part, draft.where
    has = node.entries
    if not has:
        return "atomic"
    _say_kind(draft)
    unclear = any(name not in keys.STATE and not name.startswith("x-") for name in has)
    part.unknown_keys(node, where, keys.STATE, keys.STATE, "a state")
    if "history" in has:
        _refuse(draft, keys.HISTORY_KEYS, "bad-history", "a history state has `history` and `initial`, and no `{}`")
        return "history"
    if "final" in has and part.boolean(node.get("final"), join(where, "final"), "`final`"):
        _refuse(draft, keys.FINAL_KEYS, "bad-final", "a final state is left by nothing: it has no `{}`")
        return "final"
    if "returns" in has:
        part.defect("bad-final", "only a final state has `returns`", has["returns"][0], join(where, "returns"))
    insides = [key for key in ("states", "flow", "task") if key in has]
    if len(insides) > 1:
        message = f"a state has one inside, and this one has `{insides[0]}` and `{insides[1]}`"
        part.defect(
            "two-insides", message, has[insides[1]][0], join(where, insides[1]), "put one of them into an inner state"
        )
    if "with" in has and "flow" not in has and not unclear:
        part.defect(
            "unknown-key",
            "`with` goes with `flow`",
            has["with"][0],
            join(where, "with"),
            "name the sub-flow: `flow: …`",
        )
    parallel = "parallel" in has and bool(part.boolean(node.get("parallel"), join(where, "parallel"), "`parallel`"))
    inside = "states" in has and not is_nothing(has["states"][1])
    if parallel and not (inside and _names_states(has["states"][1])):
        part.defect(
            "bad-parallel", "a parallel state has its regions under `states`", draft.key, where, "add `states:`"
        )
        return "atomic"
    if parallel and "initial" in has:
        message = "a parallel state has no `initial`: all its regions are entered at once"
        part.defect("bad-parallel", message, has["initial"][0], join(where, "initial"), "take it out")
    if not parallel and inside and "initial" not in has:
        first = next(iter(has["states"][1].entries), "…") if isinstance(has["states"][1], MappingNode) else "…"
        message = f"`{draft.name}` has inner states and does not say in which it begins"
        part.defect("missing-initial", message, draft.key, where, f"write `initial: {first}`")
    if "initial" in has and not inside and "flow" not in has:
        message = "`initial` goes with `states`"
        part.defect(
            "unknown-key", message, has["initial"][0], join(where, "initial"), "take it out, or add the inner states"
        )
    if parallel:
        return "parallel"
    return "compound" if inside or "flow" in has else "atomic"


def _say_kind(draft: Draft) -> None:
    """`type: final`, as other languages say it: a defect, and the state is of that kind."""
    entries = draft.node.entries
    key, value = entries.get("type", entries.get("kind", (None, None)))
    said = {"final": "true", "parallel": "true", "history": "shallow"}
    if key is None or not isinstance(value, Scalar) or value.text not in said:
        return
    del entries[key.text]
    hint = f"write `{value.text}: {said[value.text]}`"
    draft.part.defect("unknown-key", f"a state has no key `{key.text}`", key, join(draft.where, key.text), hint)
    meant: str | bool = said[value.text] if value.text == "history" else True
    entries.setdefault(value.text, (key, Scalar(said[value.text], meant, True, value.start, value.end)))


def _names_states(node: Node) -> bool:
    """Whether there is a state under a `states:` key; what is no mapping has its own defect."""
    return not isinstance(node, MappingNode) or any(not name.startswith("x-") for name in node.entries)


def _refuse(draft: Draft, allowed: frozenset[str], code: str, message: str) -> None:
    for name, (key, _) in draft.node.entries.items():
        if name in keys.STATE and name not in allowed:
            draft.part.defect(
                code, message.format(name), key, join(draft.where, name), "take it out, or make it another state"
            )


def find(start: Draft, part: Part, target: str) -> Draft | None:
    """The state that `target` means where a row of `start`, written in `part`, names it; None where there is none.

    The first name is looked up among the states inside `start`, then its siblings, then its parent's, outward to the
    border of the file; the names behind a dot lead inward.
    """
    first, _, rest = target.partition(".")
    level: Draft | None = start
    found = None
    while level is not None:
        child = level.children.get(first)
        if child is not None and child.part.scope == part.scope:
            found = child
            break
        if level.inside is not None and level.inside.scope == part.scope:
            return None  # the border of a sub-flow's file
        level = level.parent
    for name in rest.split(".") if rest else ():
        if found is None:
            return None
        child = found.children.get(name)
        found = child if child is not None and child.part.scope == part.scope else None
    return found


MOST_NAMES = 2_000
"""States among which a misspelt target is looked for."""


def missing_target(start: Draft, part: Part, target: str) -> str:
    """What the author may have meant."""
    reach: dict[str, Draft] = {}
    level: Draft | None = start
    while level is not None:
        for name, child in level.children.items():
            if child.part.scope == part.scope:
                reach.setdefault(name, child)
        if level.inside is not None and level.inside.scope == part.scope:
            break
        level = level.parent
    inward = (found for name, child in reach.items() for found in _inward(name, child, part))
    paths = dict(islice(inward, MOST_NAMES))
    last = target.rpartition(".")[2]
    same = [path for path, draft in paths.items() if draft.name == last and path != target]
    if same:
        return f"did you mean `{same[0]}`?"
    near = part.meant(target, paths)
    if near:
        return near
    host = reach.get(target.partition(".")[0]) if "." in target else None
    if host is not None:
        inner = ", ".join(
            f"`{shorten(name)}`" for name, child in list(host.children.items())[:12] if child.part is part
        )
        return f"inside `{host.name}` are {inner}" if inner else f"`{host.name}` has no inner states"
    known = ", ".join(f"`{shorten(name)}`" for name in list(reach)[:12])
    return f"from here a target may be {known}" if known else "there are no states"


def _inward(path: str, draft: Draft, part: Part) -> Iterator[tuple[str, Draft]]:
    yield path, draft
    for name, child in draft.children.items():
        if child.part.scope == part.scope:
            yield from _inward(f"{path}.{name}", child, part)


def crosses_regions(source: Draft, target: Draft) -> Draft | None:
    """The parallel state of which a row of `source` leads from one region into another; None where it does not."""
    for outer in source.around():
        if within(target.path, outer.path):
            return outer if outer.kind == "parallel" and target is not outer else None
    return None
