"""What becomes of a mutant.

- *refused*: the file is not loaded, or `callflow check` tells of it something new without following any call;
- *found*: the proof tells something that it does not tell of the flow, each time with a call that shows it;
- *equal*: no call of many shows a difference (`observing`);
- *intent*: another author might want it so, by a rule (`intents`);
- *missed*: all others. A proof that is not finished finds what it has come across until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import callflow
from callflow.core.flow import Flow, Transition
from callflow.errors import FlowFileError
from callflow.proof.prove import prove
from callflow.verify import check
from tests.proof.mutants.intents import intent
from tests.proof.mutants.making import Mutant, mutants, read, written
from tests.proof.mutants.observing import difference, rows_of

FLOWS = Path(__file__).parents[3] / "flows"

BUDGET = 30_000
"""Steps of a proof."""

Word = Literal["refused", "found", "equal", "intent", "missed"]


class Verdict(NamedTuple):
    """`why`: what was told, by which rule it is exempt, or what a call has shown."""

    word: Word
    why: str


class _Original(NamedTuple):
    data: dict[str, Any]
    flow: Flow
    checked: Counter[str]
    proved: Counter[str]
    rows: frozenset[int]


def all_mutants(name: str) -> Iterator[Mutant]:
    """The mutants of a shipped flow, in the order of its file."""
    return mutants(_read(name))


def verdict(name: str, mutant: Mutant) -> Verdict:
    """What becomes of a mutant of this shipped flow."""
    original = _original(name)
    try:
        flow = _load(mutant.data)
    except FlowFileError as error:
        return Verdict("refused", error.defects[0].code)
    if new := _checked(flow) - original.checked:
        return Verdict("refused", ", ".join(new))
    if new := _proved(flow) - original.proved:
        return Verdict("found", ", ".join(new))
    shown = difference(original.flow, flow, _rows_at(original, mutant.place))
    if shown is None:
        return Verdict("equal", "no call shows a difference")
    rule = intent(mutant, original.data, original.flow, flow)
    return Verdict("missed", shown) if rule is None else Verdict("intent", rule)


def _rows_at(original: _Original, place: str) -> frozenset[int]:
    """The rows that a call has to take to come to this place: those that stand there, and one that leads to the state that does."""
    rows = [original.flow.transitions[number] for number in sorted(original.rows)]
    leading = [row.id for row in rows if _leads_to(row, place)][:1]
    return frozenset([*leading, *(row.id for row in rows if _stands_at(row, place))])


def _stands_at(row: Transition, place: str) -> bool:
    written = f"{row.position.path.replace('[', '.').replace(']', '')}."
    return written.startswith(f"{place}.") or f"{place}.".startswith(written)


def _leads_to(row: Transition, place: str) -> bool:
    target = "" if row.target is None else f"states.{row.target.replace('.', '.states.')}."
    return bool(target) and place.startswith(target) and ".states." not in place.removeprefix(target)


@cache
def _original(name: str) -> _Original:
    data = _read(name)
    flow = _load(data)
    return _Original(data, flow, _checked(flow), _proved(flow), rows_of(flow))


def _read(name: str) -> dict[str, Any]:
    return read((FLOWS / f"{name}.yaml").read_text(encoding="utf-8"))


def _load(data: dict[str, Any]) -> Flow:
    return callflow.loads(written(data), folder=FLOWS, check=False)


def _checked(flow: Flow) -> Counter[str]:
    return Counter(one.code for one in check(flow))


def _proved(flow: Flow) -> Counter[str]:
    return Counter(one.defect.code for one in prove(flow, budget=BUDGET).findings)
