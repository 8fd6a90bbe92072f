"""Lists of actions: nodes -> `Action`s, by the catalogue of verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.actions import COMMON_ARGUMENTS, VERBS, verb_of
from callflow.core.events import SENDERS
from callflow.core.expressions import ANY, DURATION, INTEGER, PHONE, TEXT, Names, Record, Type, coerce
from callflow.core.flow import Action, Field
from callflow.core.forms import BRIDGES_OWN, HEADER, PRINTABLE
from callflow.core.verbs.verb import Argument, Role, Verb
from callflow.flowfile import keys
from callflow.flowfile.declarations import is_event_name, literal, misfit
from callflow.flowfile.elsewhere import argument_meant
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, quoted, shorten
from callflow.flowfile.part import Mention, Part
from callflow.flowfile.report import is_name, is_nothing, join, one_of, plain_data

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    verb.name: {name: argument.default for name, argument in verb.arguments.items()} for verb in VERBS.values()
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    verb.name: tuple(name for name, argument in verb.arguments.items() if argument.required) for verb in VERBS.values()
}
BACKOFF = 0.5
"""Seconds before the second try of a verb that has tries of its own, or a `retry` without `backoff`."""

TELEPHONE_KEYS = "0123456789*#abcd"

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110


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


class _Builder:
    """One action on its way. `nodes` are its arguments as they were written."""

    def __init__(self, part: Part, verb: Verb, path: str, names: Names, key: Scalar) -> None:
        self.part = part
        self.verb = verb
        self.path = path
        self.names = names
        self.key = key
        self.nodes: Mapping[str, tuple[Scalar, Node]] = {}
        self.bad = False
        self.unclear = False  # whether a key is not understood: it may stand for one that is missing

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

    def name_of(self, argument: Argument, node: Node, path: str, what: str) -> str | None:
        word = self.part.text(node, path, what)
        if word is None:
            return None
        if "{{" in word:
            self.part.defect("bad-name", f"{what} takes a name, which is known before the call", node, path)
            return None
        if argument.role == "called":
            self._new_leg(word, node, path)
        elif argument.role in ("leg", "listener"):
            self.part.loading.leg_mentions.append(Mention(word, self.part, node, path))
        return word

    def _new_leg(self, word: str, node: Node, path: str) -> None:
        if not is_name(word):
            self.part.defect("bad-name", f"`{shorten(word)}` is no name for a leg", node, path,
                             "a name has letters, digits and `_`, and does not begin with a digit")  # fmt: skip
        elif word in SENDERS:
            message = f"`{word}` is no name for a leg: under `senders` it means somebody else"
            self.part.defect("bad-name", message, node, path, "choose another name")
        elif word in self.part.loading.parties:
            message = f"the leg `{word}` comes by itself, as `legs` says: it is not called"
            self.part.defect("duplicate-name", message, node, path, "give the one that is called another name")

    def map_of(self, node: Node, path: str, what: str) -> dict[str, Any] | None:
        mapping = self.part.mapping(node, path, what)
        if mapping is None:
            return None
        return {
            name: any_value(self.part, value, join(path, name), self.names)
            for name, (_, value) in mapping.entries.items()
        }

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

    def _common(self, name: str) -> Node | None:
        entry = self.nodes.get(name)
        return None if entry is None else entry[1]

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

    def python_name(self) -> str:
        """The function of the program's that is called, as it is written."""
        node = self._common(self.verb.roles.get("function", ""))
        return node.text if isinstance(node, Scalar) else ""

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


# -- values


def template_value(part: Part, expect: Type, node: Node, path: str, what: str, names: Names) -> Any:
    """A value of a type: a literal, or a template. Text without one stays text."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        text = node.value
        if "{{" in text:
            return part.template(node, names, path, expect)
        if expect is TEXT:
            return text
        if expect is PHONE and not text.startswith("+"):  # a SIP user, or digits that the trunk understands
            return text
    elif isinstance(node, Sequence) and expect not in (ANY, TEXT):
        item = getattr(expect, "item", None)
        if item is not None:
            return [
                template_value(part, item, inner, f"{path}[{number}]", f"each item of {what}", names)
                for number, inner in enumerate(node.items)
            ]
    elif expect == ANY or (isinstance(node, MappingNode) and isinstance(expect, Record)):
        return any_value(part, node, path, names)
    if expect is TEXT:
        part.no_text(node, path, what)
        return None
    return literal(part, expect, node, path, what)


def any_value(part: Part, node: Node, path: str, names: Names) -> Any:
    """Any data, with templates anywhere inside."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and "{{" in node.value:
            return part.template(node, names, path)
        return node.value
    if isinstance(node, Sequence):
        return [any_value(part, item, f"{path}[{number}]", names) for number, item in enumerate(node.items)]
    return {name: any_value(part, value, join(path, name), names) for name, (_, value) in node.entries.items()}


def typed_map(
    part: Part, node: Node | None, fields: Mapping[str, Field], path: str, what: str, names: Names, owner: Scalar
) -> dict[str, Any]:
    """Values for named fields, each of its type: arguments, payloads, a sub-flow's variables."""
    mapping = part.mapping(node, path, what)
    found: dict[str, Any] = {}
    unknown: list[tuple[str, Scalar]] = []
    for name, (key, value) in mapping.entries.items() if mapping else ():
        field = fields.get(name)
        if field is not None:
            found[name] = template_value(part, field.type, value, join(path, name), f"`{name}`", names)
            if field.enum and isinstance(value, Scalar) and "{{" not in value.text and found[name] not in field.enum:
                part.not_among(value, join(path, name), f"`{name}`", value.text, [str(one) for one in field.enum])
        elif not name.startswith("x-"):
            unknown.append((name, key))
    missing = [name for name, field in fields.items() if field.required and name not in found]
    for name, key in unknown:
        hint = part.meant(name, fields) or (f"{what} takes {one_of(fields)}" if fields else f"{what} takes nothing")
        if len(unknown) == len(missing) == 1:
            hint = f'did you mean "{missing[0]}"?'
        part.defect("unknown-field", f"{what} has no `{shorten(name)}`", key, join(path, name), hint)
    if missing and not unknown and (mapping is not None or node is None or is_nothing(node)):
        at = owner if mapping is None or not mapping.entries else next(iter(mapping.entries.values()))[0]
        part.defect(
            "missing-argument", f"{what} needs {one_of(missing).replace(' or ', ' and ')}", at, path,
            f"write `{path.rpartition('.')[2]}: {{{', '.join(f'{name}: …' for name in missing)}}}`" if mapping is None and path.endswith((".with", ".arguments", ".data")) else
            f"write {', '.join(f'`{name}: …`' for name in missing)}",
        )  # fmt: skip
    return found


def result_type(part: Part, verb: Verb, python_name: str = "") -> Record | None:
    """What `as:` keeps."""
    if "function" in verb.roles:
        declared = part.python.get(python_name)
        returns = {name: field.type for name, field in declared.returns.items()} if declared else {}
        unsure = declared is None or "python" in part.broken or f"python.{python_name}.returns" in part.broken
        return Record(returns, open=unsure, kind=python_name) if unsure or returns else None
    return Record(dict(verb.result), kind=verb.name) if verb.result else None


# -- arguments with a meaning of their own

Special = Callable[[_Builder, Argument, Node, str, str], Any]


def _outcome(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> Any:
    value = template_value(builder.part, TEXT, node, path, what, builder.names)
    if isinstance(value, str):
        builder.part.outcome(value, node, path)
    return value


def _set_values(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any]:
    part = builder.part
    found: dict[str, Any] = {}
    mapping = part.mapping(node, path, "`set`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        variable = part.variables.get(name)
        if variable is None:
            hint = part.meant(name, part.variables) or f"declare it: `vars: {{{shorten(name)}: {{type: string}}}}`"
            part.defect("unknown-variable", f"there is no variable `{shorten(name)}`", key, join(path, name), hint)
        elif is_nothing(value):
            found[name] = None
        else:
            found[name] = template_value(part, variable.type, value, join(path, name), f"`{name}`", builder.names)
    return found


def _event(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> str | None:
    part = builder.part
    name = part.text(node, path, what)
    if name is None:
        return None
    if not is_event_name(name):
        plain = is_name(name)
        hint = (
            f"write `app.{name}`"
            if plain
            else "all others say what has happened, and only those to whom it happens say so"
        )
        part.defect(
            "bad-emit", f"a flow emits only events of its own, `app.…`, not `{shorten(name)}`", node, path, hint
        )
        return None
    declared = part.events.get(name)
    meant = part.meant(name, part.events) if declared is None else None
    if meant:
        part.defect("unknown-event", f"`{shorten(name)}` is not declared under `events:`", node, path, meant)
    part.loading.emitted.add(name)
    return name


def _event_data(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any]:
    event = builder.nodes.get(builder.verb.roles["event"])
    name = event[1].text if event and isinstance(event[1], Scalar) else ""
    fields = builder.part.events.get(name, {})
    return typed_map(builder.part, node, fields, path, f"the payload of `{shorten(name)}`", builder.names, builder.key)


def _python(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> str | None:
    part = builder.part
    name = part.text(node, path, what)
    if name is not None and name not in part.python:
        hint = (
            part.meant(name, part.python)
            or f"declare it: `python: {{{shorten(name)}: {{parameters: {{…}}, returns: {{…}}}}}}`"
        )
        part.defect("unknown-python", f"there is no Python action `{shorten(name)}`", node, path, hint)
    return name


def _python_arguments(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    declared = builder.part.python.get(builder.python_name())
    if declared is None or "python" in builder.part.broken:
        return builder.map_of(node, path, what)
    return typed_map(builder.part, node, declared.parameters, path, f"`{declared.name}`", builder.names, builder.key)


def _agent(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> str | None:
    name = builder.name_of(argument, node, path, what)
    if name is not None:
        builder.part.loading.agents.add(name)
    return name


_DETECT = ("timeout", "ivr_detection")


def _detect(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> Mapping[str, Any] | None:
    """`detect_machine: {timeout: 15s}`, or `true`: `timeout` in seconds, `ivr_detection`; None for no detection."""
    part = builder.part
    options: dict[str, Any] = {"timeout": verb_of("detect_machine").timeout, "ivr_detection": False}
    if isinstance(node, MappingNode):
        part.unknown_keys(node, path, _DETECT, _DETECT, what)
        if "timeout" in node.entries:
            options["timeout"] = part.duration(node.get("timeout"), join(path, "timeout"), "`timeout`", above=0.0)
        if "ivr_detection" in node.entries:
            options["ivr_detection"] = part.boolean(
                node.get("ivr_detection"), join(path, "ivr_detection"), "`ivr_detection`"
            )
        return options
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return options if node.value else None
    return options | {"timeout": part.duration(node, path, what, above=0.0)}


def _accept(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> Any:
    part = builder.part
    hint = ""
    if isinstance(node, Scalar) and node.text:
        hint = f"write {{tool: {node.text}}}" if node.text in part.tools else f'write {{key: "{shorten(node.text)}"}}'
    mapping = part.mapping(node, path, what, hint)
    if mapping is None:
        return None
    part.unknown_keys(mapping, path, ("key", "tool"), ("key", "tool"), what)
    given = {name: part.text(value, join(path, name), f"`{name}`") for name, (_, value) in mapping.entries.items()}
    key, tool = given.get("key"), given.get("tool")
    if key is not None and key not in tuple(TELEPHONE_KEYS):
        part.not_among(mapping.entries["key"][1], join(path, "key"), "`key`", key, TELEPHONE_KEYS)
    if tool is not None and tool not in part.tools:
        hint = part.meant(tool, part.tools) or "declare it under `tools:`, and offer it in this state"
        part.defect(
            "unknown-tool", f"there is no tool `{shorten(tool)}`", mapping.entries["tool"][1], join(path, "tool"), hint
        )
    return given


def _sip_headers(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    """Each a text, or something that can be written as one."""
    part = builder.part
    mapping = part.mapping(node, path, what)
    found: dict[str, Any] = {}
    for name, (key, value) in mapping.entries.items() if mapping else ():
        inner = join(path, name)
        if not HEADER.fits(name):
            part.defect("bad-name", f"`{shorten(name)}` is no header: write {HEADER.says}", key, inner)
        elif name.lower() in BRIDGES_OWN:
            message = f"the header `{name}` is the bridge's own, and LiveKit takes it from nobody"
            part.defect("bad-name", message, key, inner, "write one of your own, such as `X-Case`")
        elif not isinstance(value, Scalar) or value.value is None:
            part.wrong_kind(value, inner, f"the header `{name}` takes a text")
        else:
            found[name] = any_value(part, value, inner, builder.names)
            if isinstance(found[name], str) and not PRINTABLE.fits(found[name]):
                part.defect("bad-value", f"the header `{name}` takes {PRINTABLE.says}", value, inner)
    return found


def _statuses(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> Any:
    value = plain_data(node)
    try:
        found: list[int] = coerce(argument.type, value if isinstance(value, list) else [coerce(INTEGER, value)])
    except ValueError as error:
        misfit(builder.part, argument.type, node, path, what, str(error))
        return None
    wrong = next((status for status in found if not 100 <= status <= 599), None)
    if wrong is not None or not found:
        shown = "none" if wrong is None else str(wrong)
        builder.part.defect(
            "bad-value", f"{what} takes statuses of HTTP, 100 to 599, not {shown}", node, path, "write [200, 204]"
        )
    return found


def _address(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text.strip():
        return builder.part.address(node, builder.names, path)
    return template_value(builder.part, TEXT, node, path, what, builder.names)


OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding"})
"""What says where a request goes and where it ends: the client's, not the flow's."""


def _headers(builder: _Builder, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    part = builder.part
    if isinstance(node, MappingNode):
        for name, (key, _) in node.entries.items():
            if name.lower() in OWN_HEADERS or _HEADER.fullmatch(name) is None:
                message = f"`{shorten(name)}` is no header that a flow writes"
                part.defect("bad-address", message, key, join(path, name), "take it out")
    return builder.map_of(node, path, what)


SPECIAL: Mapping[Role, Special] = {
    "outcome": _outcome,
    "variables": _set_values,
    "event": _event,
    "payload": _event_data,
    "function": _python,
    "given": _python_arguments,
    "agent": _agent,
    "detection": _detect,
    "decision": _accept,
    "sip_headers": _sip_headers,
    "address": _address,
    "http_headers": _headers,
    "statuses": _statuses,
}
"""How the arguments of these roles are read."""
