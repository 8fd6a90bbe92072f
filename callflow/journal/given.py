"""What a journal gives of a step that hangs on private values, for a flow whose text is another one: verdicts by what was asked, not
by when."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from typing import NamedTuple

from callflow.core.flow import Flow, Transition
from callflow.core.macrostep import Asked
from callflow.core.privacy import PRIVATE_OF_CALL, privacy_of
from callflow.errors import CallflowError, printable
from callflow.runtime.lines import guard_of


class Unknown(CallflowError):
    """What a call would do now cannot be known; the message says why."""


class ByGuard(NamedTuple):
    """The verdicts of one step by `callflow.runtime.lines.guard_of`. One that hangs on nothing private is asked anew;
    one that does, and was not asked then, is unknown."""

    flow: Flow
    verdicts: Mapping[tuple[str, str], list[bool]]
    hidden: Collection[str]
    broken: Mapping[int, str] | None = None

    def asked(self) -> Asked:
        """Raises Unknown as it is asked."""
        left = defaultdict(deque[bool], {one: deque(verdicts) for one, verdicts in self.verdicts.items()})

        def verdict(row: Transition) -> bool | None:
            assert row.guard is not None  # noqa: S101 - who has none is not asked
            known = left[guard_of(row)]
            if known:
                return known.popleft()
            if not reads_private(self.flow, row, self.hidden):
                return None
            raise Unknown(
                printable(
                    f"the guard `{row.guard.source}` of {row.position.place} hangs on a value that the journal hides"
                )
            )

        return verdict


def reads_private(flow: Flow, row: Transition, hidden: Collection[str]) -> bool:
    """Whether a guard may read a value that the journal hides, by what this flow says of it or by what was `hidden` so far."""
    private = privacy_of(flow).variables.get(row.scope, set())
    for name in frozenset[str]() if row.guard is None else row.guard.reads:
        root, _, field = name.partition(".")
        if root == "env" or field in hidden or (root == "vars" and field in private):
            return True
        if root == "call" and field in PRIVATE_OF_CALL:
            return True
    return False
