"""The names that an expression may read: declared when it is compiled, given when it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from attrs import define, field, frozen

from callflow.core.expressions.types import INTEGER, Record, Type

ROOTS: Final = ("event", "vars", "call", "env", "state")

ABSENT: Final[Mapping[str, Any]] = {}


@frozen(eq=False, repr=False)
class Names:
    """What stands behind `event.`, `vars.`, `call.`, `env.` and `state.`, and which fields each has.

    `event` is None where there is no event to read: in entry and exit lists. `others` are names that only one place has,
    such as `result` where a tool's answer is written.
    """

    event: Record | None = None
    vars: Record = field(factory=lambda: Record({}))
    call: Record = field(factory=lambda: Record({}))
    env: Record = field(factory=lambda: Record({}))
    state: Record = field(factory=lambda: Record({"visits": INTEGER}))
    others: Mapping[str, Type] = field(factory=dict)

    def root(self, name: str) -> Type | None:
        """The type of a first name; None for `event` where there is none, and for any other word."""
        if name in ROOTS:
            found: Record | None = getattr(self, name)
            return found
        return self.others.get(name)

    def known(self) -> list[str]:
        """Every name that can be read here, as it is written: `vars.account`, `result`."""
        names: list[str] = []
        for first in (*ROOTS, *self.others):
            kind = self.root(first)
            if isinstance(kind, Record):
                names += (f"{first}.{name}" for name in kind.fields)
            elif kind is not None:
                names.append(first)
        return names


class Values(Protocol):
    """What an expression reads, as mappings: what is missing, or None, is absent. `others` holds what `Names.others` declares."""

    @property
    def event(self) -> Mapping[str, Any] | None: ...

    @property
    def vars(self) -> Mapping[str, Any]: ...

    @property
    def call(self) -> Mapping[str, Any]: ...

    @property
    def env(self) -> Mapping[str, Any]: ...

    @property
    def state(self) -> Mapping[str, Any]: ...

    @property
    def others(self) -> Mapping[str, Any]: ...


@define
class Context:
    """The values, as plain mappings."""

    event: Mapping[str, Any] | None = None
    vars: Mapping[str, Any] = ABSENT
    call: Mapping[str, Any] = ABSENT
    env: Mapping[str, Any] = ABSENT
    state: Mapping[str, Any] = ABSENT
    others: Mapping[str, Any] = ABSENT
