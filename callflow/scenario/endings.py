"""How effects end, as a scenario says it: `busy`, `failed`, `{status: 404}`, `never`, or a list of those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import EVERY_VERB, verb_of
from callflow.core.events import EVENTS
from callflow.core.expressions import ANY, TEXT, Type
from callflow.core.flow import Flow
from callflow.core.statechart.action_lists import every_list
from callflow.core.verbs.verb import Verb
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.report import Report, is_nothing, join, plain_data
from callflow.scenario import keys
from callflow.scenario.model import Ending
from callflow.scenario.payloads import fields_of, typed

STATUSES = ("ok", "failed", "timed_out", "cancelled")


def endings(
    report: Report, flow: Flow, entries: Mapping[str, tuple[Scalar, Node]], path: str
) -> dict[str, list[Ending]]:
    """How effects end, by verb (or `verb.name`), one after the other."""
    found: dict[str, list[Ending]] = {}
    for name, (key, value) in entries.items():
        if name.startswith("x-"):
            continue
        where = join(path, name)
        word, _, of = name.partition(".")
        verb = EVERY_VERB.get(word)
        if verb is None or verb.at_once or verb.last:
            hint = report.meant(word, [one.name for one in EVERY_VERB.values() if not (one.at_once or one.last)])
            message = f"there is no action `{shorten(word)}` that takes time"
            report.defect("unknown-verb", message, key, where, hint or "")
            continue
        if verb.name not in verbs_of(flow):
            message = f"the flow has no `{verb.name}`: nothing ends as this says"
            report.defect("unknown-verb", message, key, where, verbs_shown(flow))
            continue
        if of:
            _of_its_own(report, flow, verb, of, key, where)
        items = value.items if isinstance(value, Sequence) else [value]
        found[name] = [ending(report, flow, verb, one, where, of=of) for one in items]
    return found


def verbs_of(flow: Flow) -> frozenset[str]:
    """What a flow does that takes time, the look at who has answered its dials too."""
    found: frozenset[str] | None = flow.made.get("scenario.verbs")
    if found is None:
        actions = [one for written in every_list(flow) for one in written.actions]
        listens = any(verb_of(one.verb).given("detection", one.arguments) is not None for one in actions)
        verbs = {one.verb for one in actions} | ({"detect_machine"} if listens else set())
        found = flow.made["scenario.verbs"] = frozenset(one for one in verbs if not verb_of(one).at_once)
    return found


def verbs_shown(flow: Flow) -> str:
    """A hint."""
    return f"it has {', '.join(sorted(one for one in verbs_of(flow) if not EVERY_VERB[one].last))}"


def _of_its_own(report: Report, flow: Flow, verb: Verb, of: str, key: Scalar, path: str) -> None:
    """`python.verify_pin`, `dial.human`: which of them is meant."""
    if "function" in verb.roles:
        if of not in flow.python:
            hint = report.meant(of, flow.python) or ""
            report.defect("unknown-python", f"the flow has no `{shorten(of)}` under `python`", key, path, hint)
    elif "leg" not in verb.arguments:
        message = f"of `{verb.name}` there is only one kind"
        report.defect("bad-value", message, key, path, f"write `{verb.name}`, and a list for one after the other")
    elif of not in flow.legs:
        hint = report.meant(of, flow.legs) or f"the flow has {', '.join(flow.legs) or 'no leg but the far end'}"
        report.defect("unknown-leg", f"there is no leg `{shorten(of)}`", key, path, hint)


def ending(
    report: Report,
    flow: Flow,
    verb: Verb,
    node: Node | None,
    path: str,
    *,
    word: str = "",
    of: str = "",
    exactly: bool = False,
) -> Ending:
    """How an effect of this verb ends. `word` is its result where that is known already; `of` the function that it calls."""
    result: dict[str, Any] = {"result": word} if word else {}
    if node is None or is_nothing(node):
        return Ending(result=result)
    if isinstance(node, Scalar):
        return _in_a_word(report, verb, node, path, result)
    found = report.mapping(node, path, f"how `{verb.name}` ends")
    if found is None:
        return Ending()
    return _Reader(report, flow, verb, of, exactly).read(found, path, result)


def _in_a_word(report: Report, verb: Verb, node: Scalar, path: str, result: dict[str, Any]) -> Ending:
    text = report.text(node, path, f"how `{verb.name}` ends")
    if text is None:
        return Ending()
    if not result and text in STATUSES:
        return Ending(text)  # type: ignore[arg-type] # one of them
    if text == "never":
        return Ending(never=True)
    words = words_of(verb)
    if not result and text in words:
        return Ending(result={"result": text})
    if verb.speech and "spoken" in verb.result:
        return Ending(result={"spoken": text})
    report.not_among(node, path, f"how `{verb.name}` ends", text, dict.fromkeys((*words, *STATUSES, "never")))
    return Ending()


def words_of(verb: Verb) -> list[str]:
    """The results of a verb, without their family: `busy`."""
    return [name.partition(".")[2] for name in verb.results]


class _Reader:
    """One ending that is spelled out."""

    def __init__(self, report: Report, flow: Flow, verb: Verb, of: str, exactly: bool) -> None:
        self._report, self._flow, self._verb, self._of, self._exactly = report, flow, verb, of, exactly

    def read(self, node: MappingNode, path: str, result: dict[str, Any]) -> Ending:
        report, verb = self._report, self._verb
        status = report.choice(node.get("ends"), join(path, "ends"), "`ends`", (*STATUSES, "never")) or "ok"
        whole = node.get("result")
        if isinstance(whole, MappingNode):
            result |= fields_of(
                report,
                whole,
                join(path, "result"),
                f"the end of `{verb.name}`",
                None if self._exactly else self._fields(result.get("result")),
            )
        elif whole is not None and verb.results and not result:
            word = report.choice(whole, join(path, "result"), "`result`", words_of(verb))
            result = {"result": word} if word else {}
        known = None if self._exactly else self._fields(result.get("result"))
        for name, (key, value) in node.entries.items():
            where = join(path, name)
            if name in ("ends", "after", "result") or (name == "error" and status != "ok"):
                continue
            if name == "hangs_up" and verb.calls:
                continue
            if known is not None and name not in known:
                names = list(dict.fromkeys((*known, *keys.ENDING)))
                hint = report.meant(name, names) or f"it has {', '.join(names)}"
                report.defect(
                    "unknown-field", f"the end of `{verb.name}` has no field `{shorten(name)}`", key, where, hint
                )
                continue
            result[name] = plain_data(value) if known is None else typed(report, value, where, f"`{name}`", known[name])
        after = report.duration(node.get("after"), join(path, "after"), "`after`")
        error = None if status == "ok" else report.text(node.get("error"), join(path, "error"), "`error`")
        if status == "never":
            return Ending(never=True)
        hangs_up = report.duration(node.get("hangs_up"), join(path, "hangs_up"), "`hangs_up`") if verb.calls else None
        return Ending(status, result, error, after, hangs_up=hangs_up)  # type: ignore[arg-type] # one of them

    def _fields(self, word: Any) -> Mapping[str, Type] | None:
        """The fields of its result; None: any."""
        verb = self._verb
        if verb.value_alone:
            return {"value": ANY}
        if verb.results:
            fields = EVENTS[f"{verb.family}.{word}" if f"{verb.family}.{word}" in EVENTS else verb.results[0]].fields
            return {name: kind for name, kind in fields.items() if name != "result"}
        if "function" in verb.roles:
            function = self._flow.python.get(self._of)
            return None if function is None else {name: one.type for name, one in function.returns.items()}
        return {**verb.result, **({"spoken": TEXT} if verb.speech else {})}


def verb_of_result(event: str) -> str | None:
    """The verb of which an event is a result, also one that no author writes; None where it is none."""
    return next((verb.name for verb in EVERY_VERB.values() if event in verb.results), None)


__all__ = ["STATUSES", "ending", "endings", "verb_of", "verb_of_result", "verbs_of", "verbs_shown", "words_of"]
