"""The proofs of several flows: from the cache where they were proved before, else followed now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from callflow.core.flow import Flow
from callflow.proof.kept import keep, kept
from callflow.proof.proved import Proved


class Asked(NamedTuple):
    """A flow to be proved, and its text."""

    flow: Flow
    text: str


def proofs_of(each: Sequence[Asked], budget: int, *, cached: bool) -> Mapping[str, Proved]:
    """What is proved of each of these flows, by its file."""
    found: dict[str, Proved] = {}
    for flow, _ in each:
        known = next((one for one in kept(flow) if one.answers(budget)), None) if cached else None
        if known is None:
            from callflow.proof.prove import prove

            known = prove(flow, budget=budget).proved
            if cached:
                keep(flow, known)
        found[flow.file] = known
    return found
