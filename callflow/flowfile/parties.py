"""Who else takes part in a call: `legs`, which come by themselves, and `senders`, who may send events of the author's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from callflow.core.events import MAIN_LEG, PROGRAM, SENDERS
from callflow.core.expressions import TEXT, Names, Template
from callflow.core.flow import ROOT
from callflow.core.statechart.descriptors import Events, best, family
from callflow.flowfile import keys
from callflow.flowfile.declarations import is_event_name
from callflow.flowfile.nodes import Node, Scalar, Sequence, quoted, shorten
from callflow.flowfile.part import Mention, Part
from callflow.flowfile.report import is_name, is_nothing, join

Identity = str | Template


class Senders(NamedTuple):
    """One entry of `senders`: who may send the events that match the pattern."""

    part: Part
    key: Scalar
    who: frozenset[str]


def legs(part: Part, node: Node | None) -> dict[str, Identity]:
    """The participant identity of each leg that comes by itself: a text, or a template that is rendered as the call begins."""
    found: dict[str, Identity] = {}
    mapping = part.named(node, "legs", "`legs`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"legs.{name}"
        if name.startswith("x-") or not part.check_name(key, path, "a leg"):
            continue
        if name == MAIN_LEG or name in SENDERS:
            hint = (
                "the far end is whom the flow dials, or who comes first" if name == MAIN_LEG else "choose another name"
            )
            part.defect("bad-name", f"`{name}` is no name for a leg of your own", key, path, hint)
            continue
        identity = _identity(part, name, key, value, path)
        if identity is None:
            continue
        twin = next((other for other, theirs in found.items() if isinstance(theirs, str) and theirs == identity), None)
        if twin is not None:
            message = f"`{twin}` and `{name}` are told by the same identity, `{shorten(str(identity))}`"
            part.defect("duplicate-name", message, key, path, "a participant is one leg: take one of the two out")
            continue
        found[name] = identity
    return found


def _identity(part: Part, name: str, key: Scalar, node: Node, path: str) -> Identity | None:
    plain = isinstance(node, Scalar) and isinstance(node.value, str) and bool(node.text)
    hint = f"write {{identity: {quoted(node.text)}}}" if plain and isinstance(node, Scalar) else ""
    mapping = part.mapping(node, path, f"the leg `{name}`", hint)
    if plain or (key.line, key.column) in part.misread:
        return name  # what it is told by has a defect, and it is a leg all the same
    if mapping is not None:
        part.unknown_keys(mapping, path, keys.LEG, keys.LEG, "a leg")
    value = mapping.get("identity") if mapping else None
    if value is None:
        if mapping is not None or is_nothing(node):
            hint = f"write `{name}: {{identity: {name}}}`"
            part.defect("missing-key", f"the leg `{name}` needs the `identity` by which it is told", key, path, hint)
        return None
    path = join(path, "identity")
    text = part.text(value, path, "`identity`")
    if text is None:
        return None
    if not text.strip():
        part.defect("empty-text", "`identity` is empty", value, path, "write the participant's identity in the room")
        return None
    if "{{" not in text:
        return text
    names = (
        part.plain if part.scope == ROOT else Names(env=part.plain.env)
    )  # a sub-flow has no variables before it begins
    return part.template(value, part.keep(names), path, TEXT)  # type: ignore[arg-type] # a text node


def senders(part: Part, node: Node | None) -> dict[str, Senders]:
    """By event, or pattern of events, of the author's own."""
    found: dict[str, Senders] = {}
    mapping = part.mapping(node, "senders", "`senders`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"senders.{name}"
        if name.startswith("x-"):
            continue
        before = family(name)
        if not (is_event_name(name) or before == "app" or is_event_name(before)):
            hint = f"write `app.{name}`" if is_event_name(f"app.{name}") else "write `app.` and the event's name"
            part.defect("bad-name", f"only events of your own are sent: `{shorten(name)}` is none", key, path, hint)
            continue
        found[name] = Senders(part, key, frozenset(_who(part, value, path, f"`senders` of `{shorten(name)}`")))
    return found


def _who(part: Part, node: Node, path: str, what: str) -> list[str]:
    """The words of one entry, a list or one alone: program, agents, anyone, the name of a leg."""
    if not isinstance(node, Sequence):
        word = part.text(node, path, what)
        if word is None:
            return []
        given: list[tuple[str, Node]] = [(word, node)]
    else:
        given = part.words(node, path, what)
        if not node.items:
            part.defect("wrong-kind", f"{what} names nobody", node, path, f"write [{PROGRAM}], or take it out")
    for word, item in given:
        if word in SENDERS:
            continue
        if not is_name(word):
            hint = f"{', '.join(SENDERS)}, or the name of a leg"
            part.defect("bad-name", f"`{shorten(word)}` is nobody who sends", item, path, hint)
            continue
        part.loading.leg_mentions.append(Mention(word, part, item, path, "sender"))
    return [word for word, _ in given]


def who_may_send(part: Part) -> Mapping[str, frozenset[str]]:
    """For each event of the whole flow that an entry names, exactly or by a pattern (the longest counts), who may send it."""
    loading = part.loading
    known = {**loading.undeclared, **loading.events}
    found = {}
    for event in known:
        pattern = best(loading.senders, event)
        if pattern is not None:
            found[event] = loading.senders[pattern].who
    events = Events(known)
    for pattern, one in loading.senders.items():
        if not events.named(pattern):
            hint = one.part.meant(pattern, known) or "declare it under `events:`, or listen to it"
            one.part.defect(
                "unknown-event", f"the flow has no event `{shorten(pattern)}`", one.key, f"senders.{pattern}", hint
            )
    return found
