"""A telephone book: which number does what, as `callflow phone` reads it from options and from a YAML file.

```yaml
"+15550100": busy
"+15550101":
  preset: answers
  rings: 2s
  acts: [{say: "Hello?"}, {hear: 15s}, {wait: 1s}, {press: "1"}, hang_up]
otherwise: answers
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from callflow.core.durations import parse_duration
from callflow.core.suggest import did_you_mean
from callflow.errors import FlowFileError, StartError
from callflow.flowfile import yaml
from callflow.flowfile.nodes import Mapping as Keys
from callflow.flowfile.nodes import Node, Scalar, Sequence, kind
from callflow.telephony.network import FAR_ENDS, Act, FarEnd, HangUp, Hear, Press, Refer, Say, StopRtp, Tone, Wait

OTHERWISE = "otherwise"


@frozen
class Book:
    """Who is at which number, and at every other one."""

    numbers: Mapping[str, FarEnd] = field(factory=dict)
    otherwise: FarEnd = FAR_ENDS["answers"]


def preset(name: str) -> FarEnd:
    """A telephone by what it does. Raises ValueError."""
    if name in FAR_ENDS:
        return FAR_ENDS[name]
    hint = did_you_mean(name, FAR_ENDS)
    raise ValueError(f"there is no telephone that {name!r}{f' ({hint})' if hint else ''}: {', '.join(FAR_ENDS)}")


def number_of(text: str) -> str:
    """Raises ValueError where it is no telephone number: E.164, as in a flow's `phone`."""
    if not (text.startswith("+") and text[1:].isascii() and text[1:].isdigit() and 3 <= len(text) <= 16):
        raise ValueError(f"{text!r} is no telephone number: write it as +15550100")
    return text


def read(text: str, file: str) -> Book:
    """A book from YAML. Raises FlowFileError where that is none, and StartError that lists everything that is wrong in it."""
    root, defects = yaml.parse(text, file)
    if root is None or defects:
        raise FlowFileError(defects)
    problems: list[str] = []
    numbers: dict[str, FarEnd] = {}
    otherwise = Book().otherwise
    for name, (key, node) in root.entries.items():
        try:
            far = _far_end(node)
            if name == OTHERWISE:
                otherwise = far
            else:
                numbers[number_of(name)] = far
        except ValueError as error:
            problems.append(f"{file}:{key.line}: {error}")
    if problems:
        raise StartError(problems)
    return Book(numbers, otherwise)


def _far_end(node: Node) -> FarEnd:
    if isinstance(node, Scalar):
        return preset(node.text)
    if not isinstance(node, Keys):
        raise ValueError(f"a telephone is the name of a preset, or keys with values, not {kind(node)}")  # noqa: TRY004 - authors meet one kind of error
    first = node.get("preset")
    far = preset(_text(first)) if first is not None else FarEnd()
    changes: dict[str, Any] = {}
    for name, (_, value) in node.entries.items():
        if name == "preset":
            continue
        if name not in _KEYS:
            hint = did_you_mean(name, _KEYS)
            raise ValueError(f"a telephone has no {name!r}{f' ({hint})' if hint else ''}: {', '.join(_KEYS)}")
        try:
            changes[name] = _KEYS[name](value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return attrs.evolve(far, **changes)


def _text(node: Node | None) -> str:
    if not isinstance(node, Scalar):
        raise ValueError("write a text")  # noqa: TRY004 - authors meet one kind of error
    return node.text


def _seconds(node: Node) -> float:
    return parse_duration(node.value if isinstance(node, Scalar) else None)


def _code(node: Node) -> int:
    if not isinstance(node, Scalar) or not isinstance(node.value, int) or not 100 <= node.value <= 699:
        raise ValueError("write a SIP code, such as 486")
    return node.value


def _truth(node: Node) -> bool:
    if not isinstance(node, Scalar) or not isinstance(node.value, bool):
        raise ValueError("write true or false")  # noqa: TRY004 - authors meet one kind of error
    return node.value


def _refer(node: Node) -> Refer:
    return Refer(None) if _text(node) == "silence" else Refer(_code(node))


def _acts(node: Node) -> tuple[Act, ...]:
    if not isinstance(node, Sequence):
        raise ValueError("write a list, such as [{wait: 2s}, hang_up]")  # noqa: TRY004 - authors meet one kind of error
    return tuple(_act(item) for item in node.items)


def _act(node: Node) -> Act:
    if isinstance(node, Scalar) and node.text in _ACTS_ALONE:
        return _ACTS_ALONE[node.text]()
    if isinstance(node, Keys) and len(node.entries) == 1:
        [(name, (_, value))] = node.entries.items()
        if name in _ACTS:
            return _ACTS[name](value)
    written = ", ".join([*(f"{{{name}: …}}" for name in _ACTS), *_ACTS_ALONE])
    raise ValueError(f"what a telephone does is one of {written}")


_ACTS: Mapping[str, Callable[[Node], Act]] = {
    "wait": lambda node: Wait(_seconds(node)),
    "say": lambda node: Say(_text(node)),
    "beep": lambda node: Tone(seconds=_seconds(node)),
    "hear": lambda node: Hear(within=_seconds(node)),
    "press": lambda node: Press(_text(node)),
}
_ACTS_ALONE: Mapping[str, Callable[[], Act]] = {"hang_up": HangUp, "stop_rtp": StopRtp}

_KEYS: Mapping[str, Callable[[Node], Any]] = {
    "rings": _seconds,
    "code": _code,
    "status": _text,
    "progress": _code,
    "acts": _acts,
    "hangs_up": _seconds,
    "gives_up": _seconds,
    "rtp": _truth,
    "answers_bye": _truth,
    "refer": _refer,
}
"""See `FarEnd`. `refer` is the code with which it answers a transfer, or `silence`."""
