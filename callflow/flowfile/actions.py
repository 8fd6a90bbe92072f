"""Lists of actions: nodes -> `Action`s, by the catalogue of verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import COMMON_ARGUMENTS, VERBS
from callflow.core.expressions import DURATION, Names
from callflow.core.flow import Action
from callflow.core.verbs.verb import Argument, Verb
from callflow.flowfile import keys
from callflow.flowfile.arguments import SPECIAL, Reading
from callflow.flowfile.declarations import literal
from callflow.flowfile.elsewhere import argument_meant
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, quoted, shorten
from callflow.flowfile.part import Mention, Part
from callflow.flowfile.report import is_name, is_nothing, join
from callflow.flowfile.values import any_value, result_type, template_value, typed_map

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    verb.name: {name: argument.default for name, argument in verb.arguments.items()} for verb in VERBS.values()
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    verb.name: tuple(name for name, argument in verb.arguments.items() if argument.required) for verb in VERBS.values()
}
BACKOFF = 0.5
"""Seconds before the second try of a verb that has tries of its own, or a `retry` without `backoff`."""


def action_list(
    part: Part, node: Node | None, path: str, names: Names, what: str, closed: frozenset[str] = frozenset()
) -> tuple[Action, ...]:
    """The actions of a list. `closed` is what is closed before it begins (`speech`, `session`, `line`)."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        if is_nothing(node):
            return ()
        hint = "write each action as an item: `- say: Hello.`" if isinstance(node, MappingNode) else ""
        if isinstance(node, Scalar) and node.text in VERBS:
            hint = f"write [{node.text}]"
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            hint = f"to speak a text, write [{{say: {quoted(node.text)}}}]"
        part.wrong_kind(node, path, f"{what} takes a list of actions", hint)
        return ()
    if part.lists is not None and id(node) in part.lists:
        return part.lists[id(node)]
    found = []
    shut: dict[str, str] = dict.fromkeys(closed, "")
    for number, item in enumerate(node.items):
        action = build_action(part, item, f"{path}[{number}]", names, node)
        if action is None:
            continue
        found.append(action)
        verb = VERBS[action.verb]
        if shut and (verb.needs or verb.speech):
            _check_open(part, verb, shut, item, action.position.path)
        for resource in verb.closes:
            shut.setdefault(resource, verb.name)
    if part.lists is not None:
        part.lists[id(node)] = tuple(found)
    return tuple(found)


def _check_open(part: Part, verb: Verb, shut: Mapping[str, str], item: Node, path: str) -> None:
    gone = (
        "speech" if verb.speech and "speech" in shut else next((one for one in sorted(verb.needs) if one in shut), None)
    )
    if gone is None:
        return
    by = shut[gone]
    if gone == "speech" and by:
        message = f"`{verb.name}` stands after `{by}`, which ends the conversation: nothing can be said after it"
        part.defect("speech-after-drain", message, item, path, f"put it before `{by}`")
    elif gone == "speech":
        message = f"nothing can be said here: `{verb.name}` would speak when the conversation is over"
        part.defect("speech-after-drain", message, item, path, "say it before the line is down")
    else:
        when = f"after `{by}`, which closes it" if by else "where it is closed"
        part.defect("action-after-close", f"`{verb.name}` needs the {gone}, and stands {when}", item, path)


def build_action(part: Part, node: Node, path: str, names: Names, around: Sequence | None = None) -> Action | None:
    """One action: a verb alone, with its main argument, or with its arguments."""
    if isinstance(node, Scalar):
        verb = VERBS.get(node.text) if isinstance(node.value, str) else None
        if verb is None:
            _unknown_verb(part, node, path, around)
            return None
        return _Builder(part, verb, join(path, verb.name), names, node).build(None)
    if not isinstance(node, MappingNode):
        part.wrong_kind(node, path, "an action is a verb with its arguments", "take one pair of brackets away")
        return None
    found = None
    for name, (key, value) in node.entries.items():
        verb = VERBS.get(name)
        if verb is None:
            if not name.startswith("x-"):
                _unknown_key(part, node, key, value, path, found)
        elif found is None:
            found = (verb, key, value)
        else:
            message = f"two actions stand in one item: `{found[0].name}` and `{name}`"
            part.defect("two-actions", message, key, path, "begin each with a `-` of its own")
    if found is None:
        if not node.entries:
            part.wrong_kind(node, path, "an action is a verb with its arguments")
        return None
    verb, key, value = found
    return _Builder(part, verb, join(path, verb.name), names, key).build(value)


_ELSEWHERE = {
    "speak": "say", "tell": "say", "ask": "say", "tts": "say", "prompt": "say", "reply": "generate_reply", "generate": "generate_reply",
    "call": "dial", "end_call": "hang_up", "end": "hang_up", "disconnect": "hang_up", "close": "aclose", "refer": "transfer",
    "gather": "collect_digits", "record": "start_recording", "assign": "set", "raise": "emit", "send": "send_data",
    "handoff": "update_agent", "request": "http", "run": "python", "webhook": "http", "audio": "play",
    "warm_transfer": "consult", "attended_transfer": "consult", "cold_transfer": "transfer", "blind_transfer": "transfer", "forward": "transfer",
    "hangup_call": "hang_up", "result": "outcome", "status": "outcome", "dtmf": "send_dtmf", "press": "send_dtmf", "print": "log",
    "voicemail_detection": "detect_machine", "amd": "detect_machine", "sound": "play", "play_audio": "play", "unhold": "resume",
}  # fmt: skip
"""What other languages call these verbs."""

_ROW_WORDS = ("goto", "target", "transition", "wait", "sleep", "delay", "pause", "if", "when")


def meant_verb(part: Part, word: str) -> str | None:
    """What the author may have meant."""
    if word in _ELSEWHERE:
        return f'did you mean "{_ELSEWHERE[word]}"?'
    if word in _ROW_WORDS:
        return "lists only act: what leads on stands in rows, under `on`, `after` or `always`"
    return part.meant(word, VERBS)


def _unknown_verb(part: Part, node: Scalar, path: str, around: Sequence | None) -> None:
    if not isinstance(node.value, str):
        part.wrong_kind(node, path, "an action is a verb with its arguments")
        return
    hint = meant_verb(part, node.text)
    if hint is None and around is not None and around.flow and around.items[0] is not node:
        hint = "inside [ ] a comma ends the text before it: put quotes around the text"
    if hint is None and " " in node.text:
        hint = f"to speak a text, write `say: {shorten(node.text)}`"
    shown = shorten(node.text)
    part.defect("unknown-verb", f"there is no verb `{shown}`", node, path, hint or "the reference lists every verb")


def _unknown_key(part: Part, node: MappingNode, key: Scalar, value: Node, path: str, found: object) -> None:
    if found is not None or key.text in COMMON_ARGUMENTS:
        hint = "what belongs to the action stands further in, or in its braces: `say: {text: Hello., timeout: 5s}`"
        if node.flow and is_nothing(value):
            hint = "inside { } a comma ends the text before it: put quotes around the text"
        message = f"`{shorten(key.text)}` stands beside the action's verb"
        part.defect("unknown-key", message, key, join(path, key.text), hint)
        return
    hint = meant_verb(part, key.text) or "the reference lists every verb"
    part.defect("unknown-verb", f"there is no verb `{shorten(key.text)}`", key, join(path, key.text), hint)


class _Builder(Reading):
    """One action on its way."""

    def build(self, node: Node | None) -> Action:
        verb, part = self.verb, self.part
        arguments = dict(DEFAULTS[verb.name])
        position = part.position(self.key, self.path)
        if node is None or is_nothing(node):
            self._require(arguments)
            return self._finish(arguments, position)
        if isinstance(node, MappingNode) and not self._is_main(node):
            self.nodes = node.entries
            self._arguments(node, arguments)
        elif verb.main is None:
            takes = f"`{verb.name}` takes no argument alone" if verb.arguments else f"`{verb.name}` takes no arguments"
            part.wrong_kind(node, self.path, takes, f"write `- {verb.name}`" if not verb.arguments else "")
        elif node is not None:
            self._set(verb.main, verb.arguments[verb.main], node, arguments, self.path, f"`{verb.name}`")
        self._require(arguments)
        return self._finish(arguments, position)

    def _unwritten(self, arguments: dict[str, Any]) -> None:
        """What must be given by name is also missed where nothing is given at all."""
        roles = self.verb.roles
        if "function" in roles and roles.get("given") not in self.nodes:
            declared = self.part.python.get(str(arguments[roles["function"]]))
            if declared is not None and "python" not in self.part.broken:
                what = f"`{declared.name}`"
                typed_map(self.part, None, declared.parameters, self.path, what, self.names, self.key)
        elif "event" in roles and roles.get("payload") not in self.nodes:
            name = str(arguments[roles["event"]])
            fields = self.part.events.get(name, {})
            typed_map(self.part, None, fields, self.path, f"the payload of `{shorten(name)}`", self.names, self.key)

    def _is_main(self, node: MappingNode) -> bool:
        """`set: {pin: …}`: the mapping is the main argument itself, unless it is written with the argument's name."""
        main = self.verb.roles.get("variables")
        return main is not None and main not in node.entries

    def _arguments(self, node: MappingNode, arguments: dict[str, Any]) -> None:
        verb = self.verb
        known = verb.arguments
        for name, (key, value) in list(node.entries.items()):
            if name not in known and name not in COMMON_ARGUMENTS and not name.startswith("x-"):
                self.unclear = True
                what = f"`{verb.name}`"
                takes = [*known, *COMMON_ARGUMENTS] if not verb.at_once else list(known)
                hint = argument_meant(verb.name, name)
                if not key.plain and is_nothing(value) and verb.main is not None:
                    hint = f"write `{verb.main}: {quoted(key.text)}`"
                self.part.unknown_key(node, key, value, self.path, takes, what, hint)
        for name, (_, value) in node.entries.items():
            if name in known:
                self._set(name, known[name], value, arguments, join(self.path, name), f"`{name}` of `{verb.name}`")

    def _require(self, arguments: Mapping[str, Any]) -> None:
        for name in REQUIRED[self.verb.name]:
            if arguments[name] is None and name not in self.nodes and not self.bad and not self.unclear:
                example = f"write `{self.verb.name}: …`" if name == self.verb.main else f"write `{name}: …`"
                self.part.defect("missing-argument", f"`{self.verb.name}` needs `{name}`", self.key, self.path, example)

    def _set(self, name: str, argument: Argument, node: Node, arguments: dict[str, Any], path: str, what: str) -> None:
        self.bad = False
        before = len(self.part.defects)
        special = None if argument.role is None else SPECIAL.get(argument.role)
        if special is not None:
            value = special(self, argument, node, path, what)
        elif (
            (argument.sound or argument.written)
            and isinstance(node, Scalar)
            and isinstance(node.value, str)
            and "{{" in node.text
        ):
            value = self.part.file_path(node, self.names, path)
        elif argument.kind == "template":
            value = template_value(self.part, argument.type, node, path, what, self.names)
        elif argument.kind == "name":
            value = self.name_of(argument, node, path, what)
        elif argument.kind == "template-map":
            value = self.map_of(node, path, what)
        elif argument.kind == "expression":
            value = any_value(self.part, node, path, self.names)
        else:
            value = literal(self.part, argument.type, node, path, what)
        if argument.required and isinstance(value, str) and not value.strip():
            self.part.defect("empty-text", f"{what} is empty", node, path, "write the text, or take the action out")
        if argument.choices and isinstance(value, str) and value not in argument.choices:
            self.part.not_among(node, path, what, value, argument.choices)
        if len(self.part.defects) == before:
            self._within(argument, node, value, path, what)
        self.bad = len(self.part.defects) > before
        arguments[name] = value

    def _within(self, argument: Argument, node: Node, value: Any, path: str, what: str) -> None:
        """A defect for a value that the catalogue says can never be. What a template makes is known only in the call."""
        if isinstance(value, str) and argument.form is not None and not argument.form.fits(value):
            message = f"{what} takes {argument.form.says}, not `{shorten(value)}`"
            self.part.defect("bad-value", message, node, path, argument.form.hint)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.part.within(value, argument.least, argument.most, node, path, what, argument.type == DURATION)

    # -- what every action takes

    def _finish(self, arguments: dict[str, Any], position: Any) -> Action:
        verb, part, path = self.verb, self.part, self.path
        timeout: float | None = verb.timeout
        optional, save_as, tries, backoff = False, None, verb.tries, BACKOFF if verb.tries > 1 else 0.0
        given = self.nodes
        if given and not COMMON_ARGUMENTS.keys().isdisjoint(given):
            if verb.at_once:
                for name in [name for name in COMMON_ARGUMENTS if name in given]:
                    message = f"`{verb.name}` is done at once: it has no `{name}`"
                    part.defect("unknown-key", message, given[name][0], join(path, name), "take it out")
            else:
                optional = part.boolean(self._common("optional"), join(path, "optional"), "`optional`") or False
                save_as = self._save_as()
                tries, backoff = self._retry(tries, backoff)
                timeout = self._timeout(timeout)
        timeout = self._particular(arguments, timeout)
        wait = True
        if "wait" in arguments and (arguments["wait"] is False or arguments.get("loop")):
            wait = False
            if arguments.get("loop"):
                timeout = None
        return Action(verb.name, arguments, timeout, position, optional, save_as, tries, backoff, wait)

    def _particular(self, arguments: dict[str, Any], timeout: float | None) -> float | None:
        """What the roles of its arguments ask; the time limit that this leaves."""
        verb, part = self.verb, self.part
        self._unwritten(arguments)
        if verb.leaves_line and verb.leaves(arguments):
            part.loading.agent_leaves.append(Mention("for", part, self.key, self.path))
        leg = verb.given("called", arguments)
        if leg is not None:
            part.loading.legs.add(leg)
        if "timeout" in self.nodes:
            return timeout
        declared = part.python.get(str(verb.given("function", arguments))) if "function" in verb.roles else None
        if declared is not None:
            return declared.timeout
        return timeout if verb.timeout_of is None else verb.timeout_of(arguments)

    def _timeout(self, default: float | None) -> float | None:
        node = self._common("timeout")
        if node is None:
            return default
        path = join(self.path, "timeout")
        if self.verb.last or self.verb.parties_end:
            self.part.defect(
                "unknown-key", f"`{self.verb.name}` has no timeout", self.nodes["timeout"][0], path, "take it out"
            )
            return default
        seconds = self.part.duration(node, path, "`timeout`", above=0.0)
        return default if seconds is None else seconds

    def _save_as(self) -> str | None:
        node = self._common("as")
        path = join(self.path, "as")
        name = self.part.text(node, path, "`as`")
        if name is None or node is None:
            return None
        if result_type(self.part, self.verb, self.python_name()) is None:
            self.part.defect(
                "no-result", f"`{self.verb.name}` has no result to keep", self.nodes["as"][0], path, "take it out"
            )
            return None
        if not is_name(name):
            hint = "a name has letters, digits and `_`, and does not begin with a digit"
            self.part.defect("bad-name", f"`{shorten(name)}` is no name for a variable", node, path, hint)
            return None
        if name in self.part.variables:
            message = f"`{name}` is a variable under `vars:` already"
            self.part.defect("duplicate-name", message, node, path, "keep the result under a name of its own")
            return None
        return name

    def _retry(self, tries: int, backoff: float) -> tuple[int, float]:
        node = self._common("retry")
        path = join(self.path, "retry")
        if node is None:
            return tries, backoff
        if not self.verb.repeatable:
            message = f"`{self.verb.name}` is not tried again: to repeat it could do harm"
            self.part.defect("not-repeatable", message, self.nodes["retry"][0], path,
                             "go back to the state on `failed`, or on the result")  # fmt: skip
            return tries, backoff
        hint = f"write {{times: {node.text}}}" if isinstance(node, Scalar) and isinstance(node.value, int) else ""
        mapping = self.part.mapping(node, path, "`retry`", hint)
        if mapping is None:
            return tries, backoff
        self.part.unknown_keys(mapping, path, keys.RETRY, keys.RETRY, "`retry`")
        times = self.part.integer(mapping.get("times"), join(path, "times"), "`times`", most=20)
        seconds = self.part.duration(mapping.get("backoff"), join(path, "backoff"), "`backoff`")
        return (tries if times is None else times + 1), (BACKOFF if seconds is None else seconds)
