"""What is expected, as a scenario says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from callflow.core.actions import VERBS
from callflow.core.events import EVENTS, MAIN_LEG
from callflow.core.expressions import coerce
from callflow.core.flow import ROOT, Flow
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.report import Report, is_nothing, join, plain_data
from callflow.scenario import keys
from callflow.scenario.model import ANYTHING, Begun, Conditions, Ended, Text

LONGEST_PATTERN = 1000

ENDS_A_CALL = tuple(
    dict.fromkeys(
        ("caller", "agent", "program", "worker", "callee", "system", "operator", "network", "server", "unknown")
    )
)
"""Who does; see `callflow.runtime.record.Cause`."""

_OWN = ("close", "fault", "job.killed", "nobody_came", "none")
"""What ends a call and is neither an event nor an action of an author's."""


def conditions(report: Report, flow: Flow, node: Node | None, path: str, also: Iterable[str] = ()) -> Conditions | None:
    """All that stands there; `also` are keys that somebody else reads."""
    if node is None:
        return None
    word = node.text if isinstance(node, Scalar) and node.text in flow.states else "…"
    found = report.mapping(node, path, "what is expected", f"write `{{state: {word}}}`")
    if found is None:
        if is_nothing(node):
            report.defect(
                "missing-key", "nothing is expected here", node, path, f"say one of {', '.join(keys.CONDITIONS)}"
            )
        return None
    report.unknown_keys(found, path, {*keys.CONDITIONS, *also}, keys.CONDITIONS, "what is expected")
    if not found.entries.keys() - set(also):
        report.defect("missing-key", "nothing is expected here", node, path, f"say one of {', '.join(keys.CONDITIONS)}")
    return _Reader(report, flow, path).read(found)


class _Reader:
    def __init__(self, report: Report, flow: Flow, path: str) -> None:
        self._report, self._flow, self._path = report, flow, path

    def read(self, node: MappingNode) -> Conditions:
        report, where = self._report, self._where
        effect = node.get("effect")
        tools = node.get("tools")
        log = node.get("log")
        return Conditions(
            position=report.position(node, self._path),
            state=tuple(self._states(node.get("state"), where("state"))),
            states=None if node.get("states") is None else self._states(node.get("states"), where("states"), gaps=True),
            heard=self._heard(node.get("heard")),
            effects=self._effects(node.get("effects")),
            effect=None if effect is None else self._effect(effect, where("effect")),
            vars=self._vars(node.get("vars")),
            tools=None if tools is None else frozenset(self._tools(tools)),
            log=None if log is None else self._text(log, where("log"), "`log`", legs=False),
            outcome=self._outcome(node.get("outcome")),
            ended=self._ended(node.get("ended")),
            at=self._at(node.get("at")),
        )

    def _where(self, name: str) -> str:
        return join(self._path, name)

    # -- states

    def _states(self, node: Node | None, path: str, *, gaps: bool = False) -> list[str]:
        if gaps and isinstance(node, Scalar):
            hint = f"write [{shorten(node.text)}] for all of them, or [..., {shorten(node.text)}, ...]"
            self._report.wrong_kind(node, path, "`states` takes a list", hint)
            return []
        items = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        found: list[str] = []
        for item in items:
            word = self._report.text(item, path, "a state")
            if word == ANYTHING and gaps:
                found.append(word)
            elif word is not None:
                state = self._state(word, item, path)
                found += [] if state is None else [state]
        return found

    def _state(self, word: str, node: Node, path: str) -> str | None:
        """The path of a state, from its path or from its end, where only one ends so."""
        states = self._flow.states
        if word in states and word != ROOT:
            return word
        ends = [one for one in states if one.endswith(f".{word}")]
        if len(ends) == 1:
            return ends[0]
        if ends:
            message, hint = (
                f"several states are called `{shorten(word)}`",
                f"write its whole path: {', '.join(ends[:3])}",
            )
        else:
            names = [*states, *(one.rpartition(".")[2] for one in states)]
            message, hint = f"there is no state `{shorten(word)}`", self._report.meant(word, names) or ""
        self._report.defect("unknown-target", message, node, path, hint)
        return None

    # -- texts

    def _heard(self, node: Node | None) -> Text | list[Text | str] | None:
        if node is None:
            return None
        path = self._where("heard")
        if not isinstance(node, Sequence):
            return self._text(node, path, "`heard`")
        found: list[Text | str] = []
        for number, item in enumerate(node.items):
            if isinstance(item, Scalar) and item.value == ANYTHING and item.plain:
                found.append(ANYTHING)
                continue
            text = self._text(item, f"{path}[{number}]", "each text of `heard`")
            found += [] if text is None else [text]
        return found

    def _text(self, node: Node, path: str, what: str, *, legs: bool = True) -> Text | None:
        report = self._report
        if not isinstance(node, MappingNode):
            text = report.text(node, path, what)
            return None if text is None else Text(exactly=text)
        known = keys.TEXT if legs else {name: one for name, one in keys.TEXT.items() if name != "by"}
        report.unknown_keys(node, path, known, known, what)
        ways = [name for name in ("exactly", "part", "pattern") if name in node.entries]
        if len(ways) != 1:
            report.defect(
                "missing-key", f"{what} is one of `exactly`, `part` and `pattern`", node, path, 'write {part: "…"}'
            )
            return None
        text = report.text(node.get(ways[0]), join(path, ways[0]), f"`{ways[0]}`")
        by = self._leg(node.get("by"), join(path, "by"))
        if text is None:
            return None
        if ways[0] == "exactly":
            return Text(exactly=text, by=by)
        return (
            Text(part=text, by=by) if ways[0] == "part" else self._pattern(text, node.entries["pattern"][1], path, by)
        )

    def _pattern(self, text: str, node: Node, path: str, by: str) -> Text | None:
        where = join(path, "pattern")
        if len(text) > LONGEST_PATTERN:
            self._report.defect("bad-value", f"a pattern has at most {LONGEST_PATTERN} characters", node, where)
            return None
        if takes_for_ever(text):
            message = "`pattern` repeats a group that repeats, or chooses, itself: to look for it may take for ever"
            self._report.defect("bad-value", message, node, where, "repeat one of the two")
            return None
        try:
            return Text(pattern=re.compile(text), by=by)
        except (re.error, OverflowError, RecursionError) as error:
            self._report.defect("bad-value", f"`pattern` is no regular expression: {error}", node, where)
            return None

    def _leg(self, node: Node | None, path: str) -> str:
        word = self._report.text(node, path, "a leg")
        legs = [MAIN_LEG, *self._flow.legs]
        if word is None or node is None:
            return MAIN_LEG
        if word not in legs and not word.startswith("participant_"):
            self._report.defect(
                "unknown-leg",
                f"there is no leg `{shorten(word)}`",
                node,
                path,
                self._report.meant(word, legs) or f"the flow has {', '.join(legs)}",
            )
        return word

    # -- effects

    def _effects(self, node: Node | None) -> list[Begun | str] | None:
        if node is None:
            return None
        found: list[Begun | str] = []
        for number, item in enumerate(self._report.items(node, self._where("effects"), "`effects`")):
            if isinstance(item, Scalar) and item.value == ANYTHING:
                found.append(ANYTHING)
                continue
            one = self._effect(item, f"{self._where('effects')}[{number}]")
            found += [] if one is None else [one]
        return found

    def _effect(self, node: Node, path: str) -> Begun | None:
        report = self._report
        if isinstance(node, Scalar):
            word = report.text(node, path, "an action")
            return None if word is None or not self._is_verb(word, node, path) else Begun(word)
        if not isinstance(node, MappingNode) or len(node.entries) != 1:
            report.wrong_kind(
                node, path, "an action is a verb alone, or a verb with its arguments", "write {say: Goodbye.}"
            )
            return None
        name, (key, value) = next(iter(node.entries.items()))
        if not self._is_verb(name, key, path):
            return None
        verb, where = VERBS[name], join(path, name)
        if not isinstance(value, MappingNode):
            if verb.main is None:
                report.wrong_kind(value, where, f"`{name}` has no main argument", "write its arguments as keys")
                return None
            return Begun(name, {verb.main: self._argument(name, verb.main, value, where)})
        report.unknown_keys(value, where, verb.arguments, verb.arguments, f"`{name}`")
        return Begun(
            name,
            {
                one: self._argument(name, one, item, join(where, one))
                for one, (_, item) in value.entries.items()
                if one in verb.arguments
            },
        )

    def _argument(self, verb: str, name: str, node: Node, path: str) -> Any:
        value, argument = plain_data(node), VERBS[verb].arguments[name]
        if argument.kind in ("template-map", "plain", "expression") or value is None:
            return value
        try:
            return coerce(argument.type, value)
        except ValueError as error:
            self._report.defect("wrong-type", f"`{name}` {error}", node, path)
            return value

    def _is_verb(self, word: str, node: Node, path: str) -> bool:
        verb = VERBS.get(word)
        if verb is None:
            self._report.defect(
                "unknown-verb",
                f"there is no action `{shorten(word)}`",
                node,
                path,
                self._report.meant(word, VERBS) or "",
            )
        elif verb.at_once:
            hint = "what it sets is under `vars`, `outcome` and `log`"
            self._report.defect("bad-value", f"`{word}` takes no time, and is no effect", node, path, hint)
        return verb is not None and not verb.at_once

    # -- values

    def _vars(self, node: Node | None) -> Mapping[str, Any]:
        path, report = self._where("vars"), self._report
        declared = {**dict.fromkeys(self._flow.scopes[ROOT].results), **self._flow.scopes[ROOT].variables}
        found: dict[str, Any] = {}
        mapping = report.mapping(node, path, "`vars`")
        for name, (key, value) in mapping.entries.items() if mapping else ():
            if name not in declared:
                hint = report.meant(name, declared) or "it is declared under `vars` of the flow"
                report.defect(
                    "unknown-variable", f"the flow has no variable `{shorten(name)}`", key, join(path, name), hint
                )
                continue
            found[name] = plain_data(value)
            variable = self._flow.scopes[ROOT].variables.get(name)
            if variable is not None and found[name] is not None:
                try:
                    found[name] = coerce(variable.type, found[name])
                except ValueError as error:
                    report.defect("wrong-type", f"`{name}` {error}", value, join(path, name))
        return found

    def _tools(self, node: Node) -> list[str]:
        found = []
        for name, item in self._report.words(node, self._where("tools"), "`tools`"):
            if name not in self._flow.tools:
                hint = self._report.meant(name, self._flow.tools) or ""
                self._report.defect(
                    "unknown-tool", f"the flow has no tool `{shorten(name)}`", item, self._where("tools"), hint
                )
            found.append(name)
        return found

    def _outcome(self, node: Node | None) -> str | None:
        word = self._report.text(node, self._where("outcome"), "`outcome`")
        if word is not None and node is not None and word not in self._flow.outcomes:
            hint = self._report.meant(word, sorted(self._flow.outcomes)) or ""
            self._report.defect(
                "unknown-outcome", f"the flow has no outcome `{shorten(word)}`", node, self._where("outcome"), hint
            )
        return word

    def _ended(self, node: Node | None) -> Ended | bool | None:
        path, report = self._where("ended"), self._report
        if node is None:
            return None
        if not isinstance(node, MappingNode):
            return report.boolean(node, path, "`ended`")
        report.unknown_keys(node, path, keys.ENDED, keys.ENDED, "`ended`")
        found = Ended(**{name: report.text(node.get(name), join(path, name), f"`{name}`") for name in keys.ENDED})
        if found.by is not None:
            report.choice(node.get("by"), join(path, "by"), "`by`", ENDS_A_CALL)
        if found.event is not None and not self._is_known(found.event):
            hint = report.meant(found.event, [*EVENTS, *VERBS, *_OWN]) or "the event, or the action, by which it ends"
            message = f"no call ends by `{shorten(found.event)}`"
            report.defect("unknown-event", message, node.entries["event"][1], join(path, "event"), hint)
        return found

    def _is_known(self, event: str) -> bool:
        return (
            event in EVENTS or event in VERBS or event in _OWN or event.startswith("leg.") or event in self._flow.events
        )

    def _at(self, node: Node | None) -> tuple[float, float] | None:
        path, report = self._where("at"), self._report
        if node is None:
            return None
        if not isinstance(node, Sequence):
            found = report.duration(node, path, "`at`")
            return None if found is None else (found, found)
        if len(node.items) != 2:
            report.wrong_kind(node, path, "`at` takes a duration, or two: at least and at most", "write [8s, 12s]")
            return None
        least, most = (report.duration(one, path, "`at`") for one in node.items)
        if least is None or most is None:
            return None
        if least > most:
            report.defect(
                "bad-value", "`at` is at least as long as it is at most", node, path, "put the shorter one first"
            )
        return least, most


_REPEATS = re.compile(r"[*+]|\{[0-9]*,?[0-9]*\}")


def takes_for_ever(pattern: str) -> bool:
    """Whether a group is repeated that repeats something itself, or chooses: `(a+)+`, `(a|ab)*`. Python's `re` may try as many
    ways as there are to divide a text among them."""
    busy = [False]  # of each open group, whether it repeats or chooses
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 2
            continue
        if sign == "[":
            end = pattern.find("]", place + 2)
            place = len(pattern) if end < 0 else end + 1
            continue
        repeats = _REPEATS.match(pattern, place)
        if sign == "(":
            busy.append(False)
        elif sign == ")" and len(busy) > 1:
            inner = busy.pop()
            if inner and _REPEATS.match(pattern, place + 1):
                return True
            busy[-1] = busy[-1] or inner
        elif sign == "|" or repeats:
            busy[-1] = True
        place = repeats.end() if repeats else place + 1
    return False
