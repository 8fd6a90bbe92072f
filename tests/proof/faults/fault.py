"""What a flow with a fault is here: the code by which it is told, and what is written in its place where it is mended."""

from __future__ import annotations

from typing import NamedTuple

END = "tools: {end_call: {description: The caller is done.}}\n"
OFFERS = "tools: [end_call], on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}"


class Fault(NamedTuple):
    """A flow with a fault, of this code, and its story. `mended`: what is written in place of what, one time each."""

    code: str
    wrong: str
    mended: dict[str, str]
    story: tuple[str, ...] = ()

    @property
    def right(self) -> str:
        text = self.wrong
        for old, new in self.mended.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text
