"""What is private never reaches a file: pii values become keyed digests, equal values equal digests.

Private is what is marked `pii`: variables, fields of events, parameters of tools, arguments of actions; and every value of
`env`. Where such a value was rendered into another text, its occurrence there is replaced too, also when it was spelt
with other separators (`+1 555 123-4567`), quoted for a URL, or in other letters. A single character is no secret and is
left alone in running text; a key that was pressed is hidden where the flow has no row for that very key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from threading import Lock
from typing import Any

from callflow.core.actions import VERBS, verb_of
from callflow.core.autoforward import every_answer
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, UNSEARCHABLE, Event, EventType
from callflow.core.expressions import TEXT
from callflow.core.flow import Action, Field, Flow
from callflow.core.privacy import PRIVATE_OF_CALL, privacy_of
from callflow.core.snapshot import Snapshot, Start
from callflow.core.statechart.descriptors import heard
from callflow.runtime.search import LONGEST_NUMBER, Index, is_number_like
from callflow.runtime.spelling import forms

MARK = "pii:"
"""How every digest begins."""

WITH_PRIVATE = frozenset(
    verb.name
    for verb in VERBS.values()
    if "function" in verb.roles
    or any(argument.pii for argument in verb.arguments.values())
    or any(EVENTS[event].pii for event in verb.results)
)
"""The verbs whose arguments or results may be private."""

_PLAIN = frozenset({"method", "expect", "name", "level", "topic"})
"""Arguments of actions of which nothing private can be made."""

_UNMISTAKABLE = 8
"""Characters of a text that can be looked for without finding anything else."""

LARGEST_NUMBER = 10**LONGEST_NUMBER
"""A number that is looked for is smaller."""

MOST_KNOWN = 1_000
LARGEST_KNOWN = 200_000

_SAID = frozenset({"error", "sip_status", "reason"})
"""Fields of payloads that others have worded: a server, a telephone, a library."""

_CONVERSATION = frozenset({"transcript", "record"})

_IDENTITIES = frozenset({"identity", "identities", "agent_identity"})
_ROLES = frozenset({
    "agent", "assistant", "callee", "caller", "client", "colleague", "customer", "guest", "human", "operator", "participant",
    "phone", "supervisor", "user", "visitor",
})  # fmt: skip
"""What programs give for an identity that is nobody's: texts use it as a word, which stays."""


_E164 = re.compile(r"\+[0-9]{6,15}(?![0-9])")
_TELEPHONE = re.compile(
    r"(?:\+|(?<![a-z0-9])(?:sips?|tel)[:_]\+?|(?<![0-9a-z.])00)(?=[1-9])((?:[0-9][\s().\-/_]{0,3}){6,15})(?![0-9])"
)
"""A telephone number that calls itself one, in a text's normal form: by its plus, the scheme of its address, or two zeros."""
_NO_DIGIT = re.compile(r"[^0-9]")
_KEY = re.compile(rf"\bdtmf\.({'|'.join(DIGITS)})\b")
_IS_DIGEST = re.compile(r"pii:[0-9a-f]{16}")


class Redactor:
    """Replaces one call's private values. `key` makes digests comparable between calls; by default it is the call's own.

    At most MOST_KNOWN values, LARGEST_KNOWN characters in all, are looked for inside other texts. Of a call that has more, what
    is written from then on has digests for whole texts and numbers: too much is hidden rather than too little.

    It learns as it goes: values of variables, of payloads and arguments, each before the text in which they may occur.
    """

    __slots__ = (
        "_flow",
        "_index",
        "_key",
        "_known",
        "_lock",
        "_numbers",
        "_results",
        "_rows",
        "_seen",
        "_size",
        "_worked_out",
        "full",
    )

    def __init__(self, flow: Flow, key: bytes | None = None) -> None:
        if key is not None and not isinstance(key, bytes):
            raise TypeError(f"a key for digests is bytes, not {type(key).__name__}: write key.encode()")
        self._flow = flow
        self._key = key or os.urandom(32)
        self._lock = Lock()  # the journal's thread learns too
        self._known: dict[str, str] = {}  # a value, as text -> its digest
        self._numbers: dict[float, str] = {}
        self._index = Index()
        self._seen: tuple[Any, ...] = (None, None, None)  # parts of the snapshot of which all is learned
        self._size = 0  # characters of what is known
        self.full = False  # more than is looked for: from now on texts are hidden as a whole
        self._results: dict[int, frozenset[str]] = {}  # of effects that are over, the private fields of their results
        self._worked_out: set[int] = set()  # effects that were given something private that cannot be looked for
        self._rows = _written_in(flow)

    # -- values --------------------------------------------------------------------------------------------------

    def digest(self, value: Any) -> str:
        """The digest of one value: `pii:` and 16 hexadecimal digits."""
        if isinstance(value, str) and _IS_DIGEST.fullmatch(value):
            return value
        if isinstance(value, int) and abs(value) >= LARGEST_NUMBER:
            value = hex(value)  # Python writes no decimal of it
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        return MARK + hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]

    def learn(self, value: Any) -> None:
        """Hide this value wherever it occurs from now on."""
        if isinstance(value, Mapping):
            for item in value.values():
                self.learn(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self.learn(item)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if 10 <= abs(value) < LARGEST_NUMBER:
                self._remember_number(value, self.digest(value))
                self._remember(str(value), self.digest(value))
        elif isinstance(value, str):
            text = value.strip()
            if text in self._known or self.full:
                return
            digest = self.digest(value)
            self._remember(text, digest)
            for number in _E164.findall(text):  # as in `sip_+15551234567`
                self._remember(number, digest if number == text else self.digest(number))
            # Keys, which a flow may make a number of. With zeros before it, it would be any small number.
            if 4 <= len(text) <= 19 and text.isascii() and text.isdigit() and text[0] != "0":
                self._remember_number(int(text), digest)

    def _remember_number(self, number: float, token: str) -> None:
        if len(self._numbers) < MOST_KNOWN:
            self._numbers[number] = token
        else:
            self.full = True

    def _remember(self, text: str, token: str) -> None:
        if len(text) > 1 and text not in self._known and not self.full and not _IS_DIGEST.fullmatch(text):
            with self._lock:
                self._size += len(text)
                if len(self._known) >= MOST_KNOWN or self._size > LARGEST_KNOWN:
                    self.full = True
                    return
                self._known[text] = token
                self._index.learn(text, token)

    def _learn_text(self, value: Any) -> None:
        """Learn a text that is long enough to be nothing else."""
        if isinstance(value, str) and len(value) >= _UNMISTAKABLE:
            self._remember(value.strip(), self.digest(value))

    def overhear(self, text: Any) -> None:
        """Learn the telephone numbers in what somebody else has said, an error say, that no event has brought before."""
        if isinstance(text, str):
            for form in forms(text):
                for number in _TELEPHONE.findall(form.text):
                    self.learn("+" + _NO_DIGIT.sub("", number))

    def hide(self, value: Any, *, learn: bool = True) -> Any:
        """A private value: its shape stays, its leaves become digests. Nothing stays nothing."""
        if value is None:
            return None
        if isinstance(value, Mapping):
            return {str(name): self.hide(item, learn=learn) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.hide(item, learn=learn) for item in value]
        if learn:
            self.learn(value)
        return self.digest(value)

    def hide_whole(self, value: Any) -> Any:
        """One digest for all of it. Nothing stays nothing."""
        return None if value is None else self.digest(value)

    # -- what may hold private values ----------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """A text without the private values that are known so far."""
        if self.full and text:
            return self.digest(text)
        return self.searched(text) if self._known or "dtmf." in text else text

    def searched(self, text: str) -> str:
        """The same, however much is known: for names and keys."""
        if self._known:
            text = self._index.replace(text)
        return _KEY.sub(self._key_name, text) if "dtmf." in text else text

    def data(self, value: Any) -> Any:
        """Plain data without the private values that are known so far; what JSON cannot hold becomes text."""
        if isinstance(value, str):  # as most are
            return self.text(value)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, (int, float)):
            return self.digest(value) if self.full and abs(value) >= 10 else self._number(value)
        if isinstance(value, (dict, Mapping)):  # most are dicts, and quickly told
            return {self.searched(str(name)): self.data(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted(self.data(item) for item in map(str, value))
        return self.text(str(value))

    def _number(self, value: float) -> Any:
        token = self._numbers.get(value)
        if token is None and 1000 <= abs(value) < LARGEST_NUMBER:  # known as a text: a telephone number, say
            token = self._index.knows(f"{abs(value):.0f}" if value == int(value) else str(abs(value)))
        return value if token is None else token

    def fields(self, data: Mapping[str, Any], private: Iterable[str], *, free: frozenset[str] = frozenset()) -> Any:
        """A payload of which the `private` fields are hidden; those in `free` are not searched for elsewhere."""
        hidden = frozenset(private)
        self._learn_fields(data, hidden - free)
        return {
            name: self.hide(value, learn=False) if name in hidden else self.data(value) for name, value in data.items()
        }

    def _learn_fields(self, data: Mapping[str, Any], private: Iterable[str]) -> None:
        for name in private:
            value = data.get(name)
            if name in _IDENTITIES:
                value = [
                    one for one in (value if isinstance(value, (list, tuple)) else [value]) if not self._is_role(one)
                ]
            # What is private in an open record is not its every word ("active"), but what looks like a number.
            self.learn(_numbers_in(value) if isinstance(value, Mapping) else value)

    def _is_role(self, identity: Any) -> bool:
        return isinstance(identity, str) and (identity.lower() in _ROLES or identity in self._flow.legs)

    def event(self, event: Event) -> Any:
        """The payload of an event, as its type says."""
        private = self.learn_of(event)
        return {
            name: self.hide(value, learn=False) if name in private else self.data(value)
            for name, value in event.data.items()
        }

    def learn_of(self, event: Event) -> frozenset[str]:
        """Learn what is private in an event: the fields that are."""
        if not event.data:
            return frozenset()
        for said in _SAID & event.data.keys():
            self.overhear(event.data[said])
        entry = _type_of(event.name)
        if entry is not None:
            private = frozenset(entry.private_in(event.data))
            self._learn_fields(event.data, private - UNSEARCHABLE)
            return private
        family, _, name = event.name.partition(".")
        tool = self._flow.tools.get(name) if family == "tool" else None
        if family == "app":
            private = frozenset(privacy_of(self._flow).fields.get(event.name, ()))
        elif tool is None:
            return frozenset()
        else:
            private = frozenset(private_fields(tool.parameters))
            answer = event.data.get("result")
            if tool.run is not None and isinstance(answer, Mapping) and _function(tool.run) is not None:
                self._learn_fields(answer, self._returned(_function(tool.run)))
        self._learn_fields(event.data, private)
        return private

    def name(self, name: str) -> str:
        """An event's name: of a key for which the flow has no row, the key is hidden."""
        return self.searched(name) if "dtmf." in name else name

    def arguments(self, effect: Start) -> Any:
        """The arguments of an effect, as the catalogue says."""
        verb = verb_of(effect.verb)
        private, given = _private_arguments(effect.verb), effect.arguments
        if effect.source[0] == "wrap_up":  # the whole conversation may be in it
            return {name: value if name in _PLAIN else self.hide_whole(value) for name, value in given.items()}
        opaque = privacy_of(self._flow).opaque_at(effect.source)
        if opaque:
            self._worked_out.add(effect.id)
            for name in opaque:
                self._learn_text(given.get(name))  # it may come again, as what was spoken
            rest = {name: value for name, value in given.items() if name not in opaque}
            hidden = {name: self.hide(given.get(name), learn=False) for name in opaque}
            return {**hidden, **self.fields(rest, [name for name in private if name in rest])}
        taken = verb.roles.get("given")
        if taken is not None:
            declared = self._flow.python.get(str(_function(effect)))
            inner = given.get(taken)
            if declared is not None and isinstance(inner, Mapping):
                hidden = self.fields(inner, private_fields(declared.parameters))
                return {**self.data({**given, taken: None}), taken: hidden}
        return self.fields(given, private)

    def is_worked_out(self, effect: Start) -> bool:
        """Whether an effect was given something private that cannot be looked for."""
        return bool(privacy_of(self._flow).opaque_at(effect.source))

    def result(self, effect: Start | None, result: Mapping[str, Any]) -> Any:
        """The result of an effect, as the catalogue or the declaration of what Python returns says."""
        for said in _SAID & result.keys():
            self.overhear(result[said])
        if effect is None:
            return self.data(result)
        if effect.id in self._worked_out:
            return self.hide(result, learn=False)
        if verb_of(effect.verb).forced:  # the whole conversation, for `wrap_up`
            return {name: self.hide_whole(value) for name, value in result.items()}
        private = self._private_in(effect, result)
        if private:
            self._results[effect.id] = private
        return self.fields(result, private, free=UNSEARCHABLE)

    def _private_in(self, effect: Start, result: Mapping[str, Any]) -> frozenset[str]:
        """The private fields of a result: those that are declared so, and those that are not declared."""
        verb = verb_of(effect.verb)
        if "function" in verb.roles:
            declared = self._flow.python.get(str(_function(effect)))
            returns = {} if declared is None else declared.returns
            known = {name: one.type for name, one in returns.items()}
            pii = {name for name, one in returns.items() if one.pii}
        else:
            types = [EVENTS[event] for event in verb.results]
            known = {name: kind for one in types for name, kind in one.fields.items()}
            known |= verb.result
            pii = {name for one in types for name in one.pii}
            if any(one.name.partition(".")[2] == result.get("result") for one in types):
                known, pii = {**known, "result": TEXT}, pii - {"result"}
        return frozenset(name for name in result if name not in known or name in pii)

    def variables(self, values: Mapping[str, Any], scope: str = "") -> Any:
        """The values of one scope's variables."""
        scope = scope.partition("#")[0]  # a sub-flow's that is over
        privacy = privacy_of(self._flow)
        return self.fields(
            values, privacy.variables.get(scope, ()), free=frozenset(privacy.unsearchable.get(scope, ()))
        )

    def note(self, kind: str, data: Mapping[str, Any]) -> Any:
        """What a step noted: a variable that was set, a line of the log, and so on."""
        if kind == "set":
            scope = str(data["scope"]).partition("#")[0]
            hidden = self.variables({data["name"]: data["value"]}, scope)
            return {**data, "value": hidden[data["name"]]}
        shown = {name: self.data(item) for name, item in data.items()}  # the names are the step's own
        if data.get("private"):
            shown["message"] = self.digest(data["message"])
        return shown

    def effects(self, records: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The records of effects, their results as `result` has them."""
        return [{**one, "result": self._recorded(one.get("id"), one.get("result"))} for one in records]

    def _recorded(self, effect: Any, result: Any) -> Any:
        if effect in self._worked_out:
            return self.hide(result, learn=False)
        private = self._results.get(effect)
        if private is None or not isinstance(result, Mapping):
            return result
        return {name: self.hide(value, learn=False) if name in private else value for name, value in result.items()}

    def room(self, facts: Mapping[str, Any]) -> None:
        """Learn the caller's number, which LiveKit's dispatch rules make a part of the room's name."""
        for number in _E164.findall(str(facts.get("room", ""))):
            self.learn(number)

    def see(self, snapshot: Snapshot) -> None:
        """Learn the private variables of a call as it is now."""
        memory = snapshot.memory
        parts = call, env, variables = memory.call, memory.env, memory.vars
        seen = self._seen
        if call is seen[0] and env is seen[1] and variables is seen[2]:
            return
        self.room(call)
        self.fields(call, PRIVATE_OF_CALL, free=_CONVERSATION)
        for value in env.values():
            self.learn(value)
        privacy = privacy_of(self._flow)
        for scope, values in variables.items():
            path = scope.partition("#")[0]
            for name in privacy.variables.get(path, ()):
                if name not in privacy.unsearchable[path]:
                    self.learn(values.get(name))
        self._seen = parts  # only now: the other thread may be at it, too

    def _returned(self, name: object) -> list[str]:
        declared = self._flow.python.get(str(name))
        return [] if declared is None else private_fields(declared.returns)

    def _key_name(self, match: re.Match[str]) -> str:
        # Whoever reads `leg.human.dtmf.1` in a row, or as a way to accept, reads it in the flow as well.
        written = match.string[: match.end()].rsplit(maxsplit=1)[-1]
        taken = match[0] in self._rows or written in self._rows
        return match[0] if taken else "dtmf." + self.digest(match[1])


def _written_in(flow: Flow) -> frozenset[str]:
    """The events that a flow names, worked out once."""
    found: frozenset[str] | None = flow.made.get("written")
    if found is None:
        found = flow.made["written"] = heard(flow.states) | every_answer(flow)
    return found


def _type_of(name: str) -> EventType | None:
    entry = EVENTS.get(name)
    return LEG_EVENTS.get(name.split(".", 2)[-1]) if entry is None and name.startswith("leg.") else entry


@cache
def _private_arguments(verb: str) -> frozenset[str]:
    return frozenset(name for name, one in verb_of(verb).arguments.items() if one.pii)


def _function(action: Action | Start) -> Any:
    """The function of the program's that is called; None where none is."""
    return verb_of(action.verb).given("function", action.arguments)


def private_fields(fields: Mapping[str, Field]) -> list[str]:
    return [name for name, one in fields.items() if one.pii]


def _numbers_in(value: Mapping[str, Any]) -> list[str]:
    return [item for item in value.values() if is_number_like(item) and len(item) > 3]
