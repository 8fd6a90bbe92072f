"""The steps of a scenario: `- 4s: call.hangup`, `- tool: end_call`, `- expect: {state: ending}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from callflow.core.actions import EVERY_VERB, VERBS
from callflow.core.durations import format_duration
from callflow.core.events import DIGITS, EVENTS, KEYS, LEG_EVENTS, MAIN_LEG, STATE_EVENTS
from callflow.core.flow import NOWHERE, Field, Flow
from callflow.core.possible import entry_of
from callflow.errors import Defect
from callflow.flowfile.elsewhere import event_meant
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.part import SENT
from callflow.flowfile.report import Report, is_nothing, join
from callflow.scenario import keys
from callflow.scenario.conditions import conditions
from callflow.scenario.endings import ending, verb_of_result, verbs_of, verbs_shown
from callflow.scenario.model import (
    Act,
    Calls,
    Ends,
    Expects,
    Fires,
    Never,
    Occurs,
    Presses,
    Replies,
    Speaks,
    Step,
    Waits,
    When,
)
from callflow.scenario.parts import DEEPEST, NOTHING_GIVEN, Given, Parts, filled
from callflow.scenario.payloads import declared, fields_of

_SENT = {name: Field(name, kind, required=False) for name, kind in SENT.items()}
"""What an event of the author's own carries beside its fields."""

_TIME = re.compile(r"[0-9]")
_TIMER = re.compile(r"(after|every|silence) [0-9]+(ms|s|m|h)")
_OWN_TIMERS = ("answer", "away", "settle", "stop")
_LONGEST = 200
"""Signs of what is pressed in one step."""


def steps(
    report: Report,
    flow: Flow,
    node: Node | None,
    path: str,
    *,
    exactly: bool,
    parts: Parts | None = None,
    given: Given = NOTHING_GIVEN,
) -> list[Step]:
    """All steps, in order, those of `parts` with what is `given`."""
    reader = _Reader(report, flow, exactly, parts, given)
    if isinstance(node, MappingNode):
        report.wrong_kind(node, path, "`steps` takes a list", "each step begins with `- `: `- tool: end_call`")
        return []
    items = report.items(node, path, "`steps`")
    found = [step for number, item in enumerate(items) for step in reader.read(item, f"{path}[{number}]", "settled")]
    return _in_order(report, found)


def _in_order(report: Report, found: list[Step]) -> list[Step]:
    """The same; a defect for each whose time is over by then."""
    latest, before = 0.0, NOWHERE
    for step in found:
        when, at = step.when, step.position
        if isinstance(step.act, Expects) and step.act.conditions.at is not None:
            when, at = step.act.conditions.at[1], step.act.conditions.position
        if isinstance(when, float) and when < latest:
            message = f"{format_duration(when)} is over by then: it is {format_duration(latest)} in line {before.line}"
            hint = "times count from the start of the call, and go on"
            place = (at.file, at.line, at.column, at.line, at.column + 1, at.path)
            report.defects.append(Defect("bad-value", message, *place, hint))
        elif isinstance(step.when, float):
            latest, before = step.when, step.position
    return found


class _Reader:
    def __init__(
        self,
        report: Report,
        flow: Flow,
        exactly: bool,
        parts: Parts | None,
        given: Given,
        inside: tuple[Sequence, ...] = (),
    ) -> None:
        self._report, self._flow, self._exactly = report, flow, exactly
        self._parts, self._given = parts, given
        self._inside = inside  # the parts around

    def read(self, node: Node, path: str, when: When) -> Iterator[Step]:
        """One item of the list: a step, or several at one time."""
        report = self._report
        if isinstance(node, Scalar):
            word = report.text(node, path, "a step")
            if word is not None:
                yield from self._step(word, node, None, node, path, when)
            return
        if not isinstance(node, MappingNode):
            report.wrong_kind(node, path, "a step is what happens, or what is expected", "write `- tool: end_call`")
            return
        mains = [name for name in node.entries if name not in keys.MODIFIERS and not name.startswith("x-")]
        if len(mains) != 1:
            self._not_one(mains, node, path)
            return
        main = mains[0]
        key, value = node.entries[main]
        if main == "now" or _TIME.match(main):
            yield from self._timed(main, key, value, node, path, when)
        elif main == "part":
            yield from self._part(value, key, node, path, when)
        else:
            yield from self._step(main, key, value, node, path, when)

    def _not_one(self, mains: list[str], node: MappingNode, path: str) -> None:
        report = self._report
        if not mains:
            asked = [one for one in node.entries if one in keys.CONDITIONS]
            hint = f"write `- expect: {{{asked[0]}: …}}`" if asked else "each is a step of its own: `- …`"
            report.defect("missing-key", "nothing happens in this step", node, path, hint)
            return
        what = f"{len(mains)} things in one step: {', '.join(map(shorten, mains))}"
        times = [one for one in mains if one == "now" or _TIME.match(one)]
        others = [one for one in mains if one not in times]
        misspelt = [report.meant(one, keys.MODIFIERS) for one in mains if one not in keys.STEPS]
        hint = next((one for one in misspelt if one), "each is a step of its own: `- …`")
        if times and others:
            hint = f"write `- {shorten(times[0])}: {{{others[0]}: …}}`"
        report.defect("two-actions", what, node, path, hint)

    def _timed(self, main: str, key: Scalar, value: Node, node: MappingNode, path: str, when: When) -> Iterator[Step]:
        report = self._report
        if when != "settled":
            report.defect("bad-value", "a time inside another time", key, path, "one of the two is enough")
            return
        at = "now" if main == "now" else report.duration(key, path, "the time of a step")
        if len(node.entries) > 1:
            report.unknown_keys(node, path, (main,), (main,), "a time")
        items = value.items if isinstance(value, Sequence) else [value]
        for item in items:
            if is_nothing(item):
                report.defect(
                    "missing-key", "nothing happens at this time", key, path, f"write `- {shorten(main)}: call.hangup`"
                )
            elif at is not None:
                yield from self.read(item, join(path, main), at)  # type: ignore[arg-type] # a time or `now`

    def _part(self, value: Node, key: Scalar, node: MappingNode, path: str, when: When) -> Iterator[Step]:
        """The steps of a part, each with its place there."""
        report = self._report
        report.unknown_keys(node, path, ("part", "with"), ("part", "with"), "the step `part`")
        own = report.mapping(node.get("with"), join(path, "with"), "`with`")
        name = report.text(value, join(path, "part"), "`part`")
        if self._parts is None:
            report.defect("unknown-name", "there are no parts here", value, path, "write the steps themselves")
            return
        part = None if name is None else self._parts.find(name, value, join(path, "part"), report)
        if part is None:
            return
        if any(part.steps is one for one in self._inside) or len(self._inside) == DEEPEST:
            report.defect("bad-value", f"the part `{shorten(name or '')}` comes round to itself", value, path)
            return
        given = {**self._given, **{one: item for one, (_, item) in (own.entries if own else {}).items()}}
        inside = (*self._inside, part.steps)
        reader = _Reader(part.report, self._flow, self._exactly, part.others, given, inside)
        for number, item in enumerate(part.steps.items):
            where = f"{part.path}[{number}]"
            yield from reader.read(filled(part.report, item, given, where), where, when)

    def _step(self, main: str, key: Scalar, value: Node | None, node: Node, path: str, when: When) -> Iterator[Step]:
        more = node if isinstance(node, MappingNode) else None
        act = self._act(main, key, value, more, join(path, main) if more is not None else path)
        if act is not None:
            yield Step(act, when, self._report.position(key, path))

    def _act(self, main: str, key: Scalar, value: Node | None, node: MappingNode | None, path: str) -> Act | None:
        own = {
            "tool": self._calls, "caller": self._caller, "model": self._model, "press": self._press, "timer": self._timer,
            "wait": self._wait, "expect": self._expect, "never": self._never,
        }.get(main)  # fmt: skip
        taken: tuple[str, ...] = _MODIFIERS.get(main, ())
        if main in EVERY_VERB or verb_of_result(main) is not None:
            taken = ("effect", "leg")
        elif main not in keys.STEPS:
            taken = ("effect", "offered_in", "id", "state")
        if node is not None:
            self._beside(main, taken, node, path)
        if own is not None:
            found: Act | None = own(value, key, path, node)
            return found
        verb = EVERY_VERB.get(main)
        if verb is not None and not verb.at_once:
            return self._ends(main, "", key, value, node, path)
        result_of = verb_of_result(main)
        if result_of is not None:
            return self._ends(result_of, main.partition(".")[2], key, value, node, path)
        return self._occurs(main, key, value, node, path)

    def _beside(self, main: str, taken: tuple[str, ...], node: MappingNode, path: str) -> None:
        """What may not stand beside this."""
        report, what = self._report, f"the step `{shorten(main)}`"
        for name, (key, _) in node.entries.items():
            stands = [one for one, names in (("expect", ("within",)), ("part", ("with",))) if name in names]
            if stands and name not in taken:
                hint = f"it stands beside `{stands[0]}`"
                report.defect("unknown-key", f"{what} has no key `{name}`", key, join(path, name), hint)
        report.unknown_keys(node, path, {main, *taken, "within", "with"}, (main, *taken), what)

    # -- what the world does

    def _ends(self, verb: str, word: str, key: Scalar, value: Node | None, node: MappingNode | None, path: str) -> Ends:
        if verb in VERBS and verb not in verbs_of(self._flow):
            message = f"the flow has no `{verb}`: none ends"
            self._report.defect("unknown-verb", message, key, path, verbs_shown(self._flow))
        leg = None if node is None else self._report.text(node.get("leg"), join(path, "leg"), "`leg`")
        effect = None if node is None else self._report.integer(node.get("effect"), join(path, "effect"), "`effect`")
        said = ending(self._report, self._flow, EVERY_VERB[verb], value, path, word=word, exactly=self._exactly)
        return Ends(verb, said, leg, effect)

    def _occurs(self, name: str, key: Scalar, value: Node | None, node: MappingNode | None, path: str) -> Occurs | None:
        flow, report = self._flow, self._report
        entry = entry_of(name)
        what = f"`{shorten(name)}`"
        data: dict[str, Any]
        if self._exactly and self._known(name):
            data = fields_of(report, value, path, what, None)
        elif name.startswith("tool."):
            called = self._tool(name[5:], key, value, path)
            if called is None:
                return None
            data = called
        elif name in flow.events:
            data = declared(report, value, key, path, what, {**_SENT, **flow.events[name]})
        elif (entry is not None and name not in STATE_EVENTS and self._known(name)) or (
            name == "failed" and entry is not None
        ):
            data = fields_of(report, value, path, what, entry.fields)
        else:
            self._unknown(name, key, path)
            return None
        states = None if node is None else node.get("offered_in")
        offered = (
            None
            if states is None
            else tuple(one for one, _ in report.words(states, join(path, "offered_in"), "`offered_in`"))
        )
        effect = None if node is None else report.integer(node.get("effect"), join(path, "effect"), "`effect`")
        number = None if node is None else report.text(node.get("id"), join(path, "id"), "`id`")
        state = None if node is None else report.text(node.get("state"), join(path, "state"), "`state`")
        return Occurs(name, data, effect, offered, number, state)

    def _known(self, name: str) -> bool:
        flow = self._flow
        if name.startswith("leg."):
            leg, _, what = name[4:].partition(".")
            return what in LEG_EVENTS and (leg in flow.legs or leg.startswith("participant_"))
        return name in EVENTS or name in flow.events or (name.startswith("tool.") and bool(name[5:]))

    def _unknown(self, name: str, key: Scalar, path: str) -> None:
        report, flow = self._report, self._flow
        if name == "done":
            report.defect(
                "unknown-event",
                "`done` is raised by the call itself, when a state has finished",
                key,
                path,
                "say what has to happen first",
            )
            return
        if name.startswith("leg."):
            leg, _, what = name[4:].partition(".")
            legs, events = list(flow.legs), list(LEG_EVENTS)
            if leg not in flow.legs:
                report.defect(
                    "unknown-leg",
                    f"there is no leg `{shorten(leg)}`",
                    key,
                    path,
                    report.meant(leg, legs) or f"the flow has {', '.join(legs) or 'no leg but the far end'}",
                )
                return
            report.defect(
                "unknown-event", f"a leg has no event `{shorten(what)}`", key, path, report.meant(what, events) or ""
            )
            return
        verb = EVERY_VERB.get(name)
        if verb is not None or name in keys.CONDITIONS:
            message = (
                f"`{name}` takes no time: it is nothing that the world does"
                if verb
                else f"`{name}` does not happen, it is expected"
            )
            report.defect(
                "unknown-event",
                message,
                key,
                path,
                f"write `- expect: {{{name}: …}}`" if name in keys.CONDITIONS else "",
            )
            return
        names = [
            *keys.STEPS, *EVENTS, *flow.events, *(f"tool.{one}" for one in flow.tools),
            *(one for one in EVERY_VERB if not EVERY_VERB[one].at_once),
        ]  # fmt: skip
        hint = self._meant(name) or report.meant(name, names) or event_meant(name)
        hint = hint or "an event of the flow, the end of one of its actions, or one of " + ", ".join(keys.STEPS)
        report.defect("unknown-event", f"nothing of the name `{shorten(name)}` can happen", key, path, hint)

    def _meant(self, name: str) -> str:
        """A hint for what other languages, and other places of this one, call these things."""
        if name in self._flow.tools:
            return f"write `- tool: {name}`"
        if _TIMER.fullmatch(name):
            return f"write `- timer: {name}`"
        if _TIME.match(name):
            return f"what happens then stands behind it: `- {shorten(name)}: call.hangup`"
        return f"write `- {keys.ELSEWHERE[name]}`" if name in keys.ELSEWHERE else ""

    def _tool(self, name: str, key: Scalar, value: Node | None, path: str) -> dict[str, Any] | None:
        """The arguments of a call."""
        report, tool = self._report, self._flow.tools.get(name)
        if tool is None:
            offered = any(row.pattern == f"tool.{name}" for state in self._flow.states.values() for row in state.rows)
            if not offered:
                hint = report.meant(name, self._flow.tools) or f"the flow has {', '.join(self._flow.tools) or 'none'}"
                report.defect("unknown-tool", f"the flow has no tool `{shorten(name)}`", key, path, hint)
                return None
        if tool is None or tool.own:
            return fields_of(report, value, path, f"`{name}`", None)
        return declared(report, value, key, path, f"`{name}`", tool.parameters)

    def _call(
        self, value: Node | None, key: Scalar, path: str, node: MappingNode | None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        report = self._report
        if isinstance(value, Scalar) and not is_nothing(value):
            name = report.text(value, path, "`tool`")
            entries = {} if name is None else {name: (value, None)}
        elif isinstance(value, MappingNode):
            entries = dict(value.entries)  # type: ignore[arg-type] # the same, with arguments
        else:
            report.wrong_kind(
                value if value is not None else key, path, "`tool` takes a tool's name, or `{name: arguments}`"
            )
            return
        for name, (at, arguments) in entries.items():
            found = self._tool(name, at, arguments, join(path, name))
            if found is not None:
                yield name, found

    # -- steps with names of their own

    def _calls(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        items = value.items if isinstance(value, Sequence) else [value]
        called = tuple(one for item in items for one in self._call(item, key, path, node))
        return Calls(called) if called else None

    def _caller(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        text = self._words(value, key, path, "caller")
        return None if text is None else Speaks(text)

    def _model(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        text = self._words(value, key, path, "model")
        return None if text is None else Replies(text)

    def _words(self, value: Node | None, key: Scalar, path: str, name: str) -> str | None:
        if value is None or is_nothing(value):
            self._report.defect("empty-text", f"`{name}` says nothing", key, path, f'write `{name}: "…"`')
            return None
        return self._report.text(value, path, f"`{name}`")

    def _press(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        report, leg, written = self._report, MAIN_LEG, value
        if isinstance(value, MappingNode):
            report.unknown_keys(value, path, keys.PRESS, keys.PRESS, "`press`")
            leg = report.text(value.get("leg"), join(path, "leg"), "`leg`") or MAIN_LEG
            written = value.get("keys")
            if leg != MAIN_LEG and leg not in self._flow.legs:
                report.defect(
                    "unknown-leg",
                    f"there is no leg `{shorten(leg)}`",
                    value.entries["leg"][1],
                    path,
                    report.meant(leg, self._flow.legs) or "",
                )
        text = report.text(written, path, "`press`")
        if text is None:
            if written is None:
                report.defect("empty-text", "`press` names no key", key, path, 'write `press: "1"`')
            return None
        pressed = text.replace(" ", "").lower()
        wrong = sorted({one for one in pressed if KEYS.get(one, one) not in DIGITS})
        if wrong or not pressed or len(pressed) > _LONGEST:
            message = f"there is no key {shorten(' '.join(wrong))}" if wrong else f"`press` takes 1 to {_LONGEST} keys"
            report.defect("bad-value", message, written or key, path, "there are 0-9, a-d, * and #")
            return None
        return Presses(pressed, leg)

    def _timer(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        if value is None or is_nothing(value):
            return Fires()
        name = self._report.text(value, path, "`timer`")
        if name is None:
            return None
        if name not in _OWN_TIMERS and name not in self._timers():
            hint = self._report.meant(name, self._timers()) or "write it as the flow does: `after 20s`"
            message = (
                f"the flow has no timer `{shorten(name)}`"
                if _TIMER.fullmatch(name)
                else f"`{shorten(name)}` is no timer"
            )
            self._report.defect("bad-value", message, value, path, hint)
            return None
        return Fires(name)

    def _timers(self) -> list[str]:
        return [f"{row.kind} {row.text}" for state in self._flow.states.values() for row in state.timers]

    def _wait(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        if value is None or is_nothing(value):
            self._report.defect("bad-duration", "`wait` takes a duration", key, path, "write `wait: 3s`")
            return None
        found = self._report.duration(value, path, "`wait`")
        return None if found is None else Waits(found)

    def _expect(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        return self._wanted(Expects, value, key, path, node)

    def _never(self, value: Node | None, key: Scalar, path: str, node: MappingNode | None) -> Act | None:
        return self._wanted(Never, value, key, path, node)

    def _wanted(
        self, kind: type[Expects | Never], value: Node | None, key: Scalar, path: str, node: MappingNode | None
    ) -> Act | None:
        report = self._report
        inner = value.get("within") if isinstance(value, MappingNode) else None
        outer = None if node is None else node.get("within")
        within = report.duration(inner if inner is not None else outer, join(path, "within"), "`within`")
        found = conditions(report, self._flow, value if value is not None else key, path, also=("within",))
        return None if found is None else kind(found, within)


_MODIFIERS = {"expect": ("within",), "never": ("within",)}
