"""A scenario file -> its scenarios, or every defect at once: read as flow files are, by the same reader of YAML."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from callflow.core.events import CALL_FIELDS
from callflow.core.expressions import coerce
from callflow.core.flow import ROOT, Flow
from callflow.core.step import start
from callflow.errors import CallflowError, Defect, StartError
from callflow.flowfile.loader import read as read_flow
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Place, Scalar, shorten
from callflow.flowfile.report import Report, Suggestions, TooManyDefects, is_nothing, join, plain_data
from callflow.flowfile.source import MAX_BYTES, STDIN, read_text, too_large
from callflow.flowfile.yaml import parse
from callflow.scenario import keys
from callflow.scenario.clock import clock
from callflow.scenario.conditions import conditions
from callflow.scenario.endings import endings
from callflow.scenario.model import Occurs, Scenario, Step
from callflow.scenario.parts import Given, Parts, filled
from callflow.scenario.personas import models_of, persona
from callflow.scenario.steps import steps

BEGINS = 1_767_605_400.0
"""When a call begins that does not say when: Monday, 5 January 2026, 09:30 UTC."""

FlowReader = Mapping[str, Flow]


class Flows:
    """Flows by their files, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Flow | None, list[Defect]]] = {}

    def read(self, path: str) -> tuple[Flow | None, list[Defect]]:
        """The flow in a file, or None, and its defects."""
        key = os.path.realpath(path)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = read_flow(path)
        return found


def read(path: str | os.PathLike[str], flows: Flows | None = None) -> tuple[list[Scenario], list[Defect]]:
    """The scenarios of a file, and all its defects in the order of the file: where there are some, no scenario. Raises nothing."""
    text, defect = read_text(path)
    name = os.fspath(path)
    if defect is not None:
        return [], [defect]
    return reads(text, "<stdin>" if name == "-" else name, os.path.dirname(name), flows)  # noqa: PTH120 - as in the loader


def reads(
    text: str, name: str = "<text>", folder: str | os.PathLike[str] = ".", flows: Flows | Flow | None = None
) -> tuple[list[Scenario], list[Defect]]:
    """The same for a text. `flow:` is looked up in `folder`; a `Flow` that is given stands for it."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return [], [too_large(name, size)]
    root, defects = parse(text, name)
    defects = [_of_a_scenario(one) for one in defects]
    if root is None:
        return [], defects
    suggestions = Suggestions()

    def report_of(file: str) -> Report:
        return _Report(file, defects, suggestions)

    reader = _Reader(report_of(name), root, os.fspath(folder), flows, report_of)
    found: list[Scenario] = []
    try:
        found = list(reader.scenarios())
    except TooManyDefects:
        found = []
    if not defects:
        return found, []
    return [], sorted(dict.fromkeys(defects), key=lambda one: (one.file != name, one.file, one.line, one.column))


class ScenarioFileError(CallflowError):
    """A scenario file has defects; `defects` holds every one of them."""

    def __init__(self, defects: list[Defect]) -> None:
        super().__init__(tuple(defects))
        self.defects = tuple(defects)

    def __str__(self) -> str:
        return "\n".join(map(str, self.defects))


def load(path: str | os.PathLike[str], flows: Flows | None = None) -> list[Scenario]:
    """The scenarios of a file. Raises ScenarioFileError with every defect."""
    found, defects = read(path, flows)
    if defects:
        raise ScenarioFileError(defects)
    return found


def _of_a_scenario(defect: Defect) -> Defect:
    """What the reader of YAML says of a flow file, said of this one."""
    if defect.code == "empty-file":
        return defect._replace(hint="the smallest scenario file has `callflow: 1`, `flow:` and `scenarios:`")
    if defect.code == "colon-in-text":
        hint = defect.hint.replace(
            "put quotes around the whole text",
            "put braces around what stands there, `4s: {tool: end_call}`, or quotes around a text",
        )
        return defect._replace(hint=hint)
    if defect.code in ("not-a-mapping", "several-documents", "too-many-values", "unknown-tag"):
        message = defect.message.replace("a flow file", "a scenario file")
        hint = "" if "sub-flows" in defect.hint else defect.hint.replace("flow", "call", 0)
        return defect._replace(message=message, hint=hint)
    return defect


class _Report(Report):
    """What several scenarios share is read for each of them, and told once; of a value that nobody has given nothing more is told."""

    def defect(self, code: str, message: str, at: Place, path: str, hint: str | None = "") -> None:
        here = [one for one in self.defects if one[2:5] == (self.file, at.line, at.column)]
        if not any(one.code == "unknown-name" or one[:2] == (code, message) for one in here):
            super().defect(code, message, at, path, hint)


def _joined(folder: str, path: str) -> str:
    """Where the flow is, as shortly as that can be said."""
    whole = os.path.join(folder or ".", path)  # noqa: PTH118 - as in the loader
    short = os.path.normpath(whole)
    return whole if short == STDIN or os.path.realpath(short) != os.path.realpath(whole) else short


class _Reader:
    """One file."""

    def __init__(
        self,
        report: Report,
        root: MappingNode,
        folder: str,
        flows: Flows | Flow | None,
        report_of: Callable[[str], Report],
    ) -> None:
        self._report = report
        self._root = root
        self._folder = folder
        self._flows = flows if flows is not None else Flows()
        self._parts = Parts(report, root, folder, report_of)

    def scenarios(self) -> Iterator[Scenario]:
        report, root = self._report, self._root
        if "states" in root.entries and "scenarios" not in root.entries:
            report.defect(
                "missing-key",
                "this is a flow, and no scenarios of one",
                root,
                "scenarios",
                "`callflow check` checks it; a scenario file has `flow:` and `scenarios:`",
            )
            return
        for name, entry in root.entries.items():
            if name in keys.SCENARIO and name not in keys.FILE:
                hint = f"it stands in a scenario: `scenarios: {{a name: {{{name}: …}}}}`"
                report.unknown_key(root, *entry, "", keys.FILE, "a scenario file", hint)
        report.unknown_keys(root, "", {*keys.FILE, *keys.SCENARIO}, keys.FILE, "a scenario file")
        self._version()
        report.text(root.get("description"), "description", "`description`")
        flow = self._flow()
        node = root.get("scenarios")
        found = report.mapping(node, "scenarios", "`scenarios`", "each has a name: `the caller hangs up: {steps: […]}`")
        if found is None or not found.entries:
            if node is None or is_nothing(node) or found is not None:
                report.defect(
                    "missing-key",
                    "a scenario file has `scenarios`",
                    root,
                    "scenarios",
                    "write `scenarios: {a name: {steps: […]}}`",
                )
            return
        if flow is None:
            return
        for name, (key, body) in found.entries.items():
            if not name.startswith("x-"):
                yield from self._scenario(flow, name, key, body)

    def _version(self) -> None:
        report, node = self._report, self._root.get("callflow")
        if node is None:
            report.defect(
                "missing-key",
                "a scenario file says for which version of the language it is written",
                self._root,
                "callflow",
                "begin with `callflow: 1`",
            )
        elif not (isinstance(node, Scalar) and node.value == keys.VERSION and not isinstance(node.value, bool)):
            report.defect(
                "unknown-version",
                f"this callflow reads version {keys.VERSION}",
                node,
                "callflow",
                f"write `callflow: {keys.VERSION}`",
            )

    def _flow(self) -> Flow | None:
        report, node = self._report, self._root.get("flow")
        if isinstance(self._flows, Flow):
            return self._flows
        if node is None:
            report.defect(
                "missing-key", "a scenario file names its flow", self._root, "flow", "write `flow: inbound.yaml`"
            )
            return None
        path = report.text(node, "flow", "`flow`")
        if path is None:
            return None
        flow, defects = self._flows.read(_joined(self._folder, path))
        if defects and defects[0].code in ("no-such-file", "not-a-file", "unreadable-file"):
            report.defect(defects[0].code, f"`{shorten(path)}`: {defects[0].message}", node, "flow", defects[0].hint)
        elif flow is None:
            report.defects += defects
        return flow

    def _scenario(self, flow: Flow, name: str, key: Scalar, body: Node) -> Iterator[Scenario]:
        report, path = self._report, join("scenarios", name)
        node = report.mapping(body, path, "a scenario")
        if node is None:
            if is_nothing(body):
                report.defect(
                    "missing-key", "a scenario has `steps`, or says what it expects", key, path, "write `steps: […]`"
                )
            return
        if "cases" not in node.entries:
            yield from self._one(flow, name, key, node, path)
            return
        where = join(path, "cases")
        hint = "each has a name: `busy: {effects: {dial: busy}}`"
        cases = report.mapping(node.get("cases"), where, "`cases`", hint)
        if (cases is not None and not cases.entries) or is_nothing(node.entries["cases"][1]):
            report.defect(
                "missing-key", "there is no case here, and nothing is played", node.entries["cases"][0], where, hint
            )
        for word, (case, inner) in cases.entries.items() if cases else ():
            own = report.mapping(inner, join(where, word), "a case")
            if "cases" in (own.entries if own else ()):
                report.defect("bad-value", "a case has no cases", inner, join(where, word), "one of the two is enough")
            elif not word.startswith("x-"):
                yield from self._one(flow, f"{name}, {word}", case, _case_of(node, own), join(where, word))

    def _one(self, flow: Flow, name: str, key: Scalar, node: MappingNode, path: str) -> Iterator[Scenario]:
        report = self._report
        known = len(report.defects)
        report.unknown_keys(node, path, keys.SCENARIO, keys.SCENARIO, "a scenario")
        given = {name: value for name, (_, value) in self._shared("with", node, path).items()}
        exactly = bool(report.boolean(node.get("exactly"), join(path, "exactly"), "`exactly`"))
        waiting = report.boolean(node.get("waiting"), join(path, "waiting"), "`waiting`")
        if not exactly:
            node = _with(report, node, given, path)
        values = {one: self._shared(one, node, path) for one in ("vars", "env", "call", "effects", "models")}
        models = models_of(report, values["models"], join(path, "models"))
        at = node if node.get("at") is not None else self._root
        found = Scenario(
            name,
            flow,
            self._steps(flow, node, path, given, exactly=exactly, waiting=waiting),
            start=BEGINS if at.get("at") is None else clock(report, at.get("at"), join(path, "at")),
            vars={one: plain_data(value) for one, (_, value) in values["vars"].items()},
            env=self._env(flow, values["env"], path),
            call=self._call(values["call"], path),
            effects=endings(report, flow, values["effects"], join(path, "effects")),
            waiting=flow.answer == "manual" if waiting is None else waiting,
            exactly=exactly,
            expect=conditions(report, flow, node.get("expect"), join(path, "expect")),
            never=conditions(report, flow, node.get("never"), join(path, "never")),
            persona=persona(report, node, path, models),
            description=report.text(node.get("description"), join(path, "description"), "`description`") or "",
            position=report.position(key, path),
        )
        self._variables(flow, values["vars"], path)
        if not any(one in node.entries for one in ("steps", "expect", "never", "persona")):
            report.defect(
                "missing-key", "a scenario has `steps`, or says what it expects", key, path, "write `steps: […]`"
            )
        if len(report.defects) == known and self._starts(found, node, key, path):
            yield found

    def _steps(
        self, flow: Flow, node: MappingNode, path: str, given: Given, *, exactly: bool, waiting: bool | None
    ) -> list[Step]:
        """The steps. A call that a flow decides to take rings here at once, where nothing else is said."""
        found = steps(
            self._report,
            flow,
            node.get("steps"),
            join(path, "steps"),
            exactly=exactly,
            parts=self._parts,
            given=given,
        )
        rings = any(isinstance(one.act, Occurs) and one.act.name in ("call.offered", "call.answered") for one in found)
        if flow.answer == "manual" and waiting is None and not exactly and not rings:
            found.insert(0, Step(Occurs("call.offered"), "now", self._report.position(node, path)))
        return found

    def _shared(self, name: str, node: MappingNode, path: str) -> dict[str, tuple[Scalar, Node]]:
        """What a file says for all, and a scenario for itself."""
        whole = self._report.mapping(self._root.get(name), name, f"`{name}`")
        own = self._report.mapping(node.get(name), join(path, name), f"`{name}`")
        return {**(whole.entries if whole else {}), **(own.entries if own else {})}

    def _variables(self, flow: Flow, entries: Mapping[str, tuple[Scalar, Node]], path: str) -> None:
        declared = flow.scopes[ROOT].variables
        for name, (key, value) in entries.items():
            where = join(join(path, "vars"), name)
            variable = declared.get(name)
            if variable is None:
                hint = self._report.meant(name, declared) or "it is declared under `vars` of the flow"
                self._report.defect("unknown-variable", f"the flow has no variable `{shorten(name)}`", key, where, hint)
                continue
            try:
                coerce(variable.type, plain_data(value))
            except ValueError as error:
                self._report.defect("wrong-type", f"`{name}` {error}", value, where)

    def _env(self, flow: Flow, entries: Mapping[str, tuple[Scalar, Node]], path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, (key, value) in entries.items():
            where = join(join(path, "env"), name)
            text = self._report.text(value, where, f"`{name}`")
            if name not in flow.env:
                hint = self._report.meant(name, flow.env) or "it is named under `env` of the flow"
                self._report.defect("unknown-name", f"the flow does not read `{shorten(name)}`", key, where, hint)
            elif text is not None:
                found[name] = text
        return found

    def _call(self, entries: Mapping[str, tuple[Scalar, Node]], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (key, value) in entries.items():
            where = join(join(path, "call"), name)
            known = CALL_FIELDS.get(name)
            if known is None:
                hint = self._report.meant(name, CALL_FIELDS) or "`call.<field>` of an expression has these names"
                self._report.defect("unknown-field", f"a call has no field `{shorten(name)}`", key, where, hint)
                continue
            try:
                found[name] = coerce(known[0], plain_data(value))
            except ValueError as error:
                self._report.defect("wrong-type", f"`{name}` {error}", value, where)
        return found

    def _starts(self, scenario: Scenario, node: MappingNode, key: Scalar, path: str) -> bool:
        """Whether the call can start: what is missing is a defect of the scenario."""
        try:
            start(scenario.flow, scenario.vars, env=scenario.env, call=scenario.call, waiting=True)
        except StartError as error:
            for problem in error.problems:
                about = "vars" if problem.startswith("vars.") else "env"
                entry = node.entries.get(about)
                at = entry[0] if entry else key
                self._report.defect(
                    "missing-key",
                    f"the call cannot start: {problem}",
                    at,
                    join(path, about),
                    f"write it under `{about}`",
                )
            return False
        return True


_JOINED = ("vars", "env", "call", "effects", "models", "with", "expect", "never")
"""What a case says beside what its scenario says, and not in place of it."""


def _with(report: Report, node: MappingNode, given: Given, path: str) -> MappingNode:
    """A scenario with the values that it is given; they hold none themselves, nor do its parts, which are read by themselves."""
    entries = {
        name: entry if name == "with" else (entry[0], filled(report, entry[1], given, join(path, name)))
        for name, entry in node.entries.items()
    }
    return MappingNode(entries, node.flow, node.start, node.end)


def _case_of(node: MappingNode, own: MappingNode | None) -> MappingNode:
    """A scenario in one of its cases."""
    entries = {name: entry for name, entry in node.entries.items() if name != "cases"}
    for name, (key, value) in (own.entries if own else {}).items():
        around = entries[name][1] if name in entries and name in _JOINED else None
        if isinstance(around, MappingNode) and isinstance(value, MappingNode):
            value = MappingNode({**around.entries, **value.entries}, value.flow, value.start, value.end)
        entries[name] = key, value
    return MappingNode(entries, node.flow, node.start, node.end)
