"""Where no event can be read: what an author does instead depends on the place."""

from __future__ import annotations

import re

from callflow.flowfile.nodes import Mapping, Scalar

AT_THE_BEGINNING = (
    "the call begins here, so that no transition leads here on which a variable could be set: "
    "write a row that has an event, `on: {{done: {}}}`"
)
ON_THE_WAY_OUT = (
    "`exit` runs before the row's own `do`: write it into the `do` of the rows that leave, which know their event"
)
ON_THE_WAY_IN = "`set` a variable on the transition that leads here, and read vars.<name>"
WHEN_ALL_IS_OVER = "`set` a variable in the row that hears of it, and read vars.<name>"


def cure(root: Mapping, path: str) -> str:
    """What to do about an expression that reads `event` at this path of a file, where there is none."""
    key, begins = _place(root, re.sub(r"\[\d+\]", "", path).split("."))
    if key == "exit":
        return ON_THE_WAY_OUT
    if key in ("wrap_up", "agent"):
        return WHEN_ALL_IS_OVER
    if begins and key == "always":
        return AT_THE_BEGINNING.format("[{target: …, when: …}]")
    if begins and key == "entry":
        return AT_THE_BEGINNING.format("{do: […]}")
    return ON_THE_WAY_IN


def _place(root: Mapping, words: list[str]) -> tuple[str, bool]:
    """Under which key of its state a path leads, and whether a call is in that state from its first moment on."""
    node, begins = root, True
    while len(words) > 2 and words[0] == "states":
        states = node.get("states")
        inner = states.get(words[1]) if isinstance(states, Mapping) else None
        if not isinstance(inner, Mapping):
            break
        begins = begins and _enters(node, words[1])
        node, words = inner, words[2:]
    return words[0], begins


def _enters(node: Mapping, name: str) -> bool:
    """Whether a state, or a file, is entered at this inner state."""
    initial, parallel = node.get("initial"), node.get("parallel")
    if isinstance(parallel, Scalar) and parallel.value is True:
        return True
    return isinstance(initial, Scalar) and initial.text.partition(".")[0] == name
