"""A scenario as data: how a call begins, what the world does in it and when, and what is expected then.

All times are seconds: `start` since the epoch, those of steps since the start of the call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from callflow.core.events import MAIN_LEG, NO_DATA
from callflow.core.flow import NOWHERE, Flow, Position

When = float | Literal["settled", "now"]
"""When a step is taken: so many seconds after the start of the call; once nothing is under way any more that ends by itself;
at the moment at which the step before it was."""

TURNS = 30
"""After how many turns a caller hangs up that a model plays."""

Status = Literal["ok", "failed", "timed_out", "cancelled"]

ANYTHING = "..."
"""In a list of what is expected: whatever there is between."""


class Ending(NamedTuple):
    """How an effect ends. `after` is how long after its start (or, for a telephone, how long it rings); None: as long as it
    takes by itself. `never`: only by its time limit, or as a step says. `hangs_up`: of whom it calls, so long after they have
    picked up."""

    status: Status = "ok"
    result: Mapping[str, Any] = NO_DATA
    error: str | None = None
    after: float | None = None
    never: bool = False
    hangs_up: float | None = None


# -- what the world does


class Occurs(NamedTuple):
    """An event from outside. What follows `data` is as an `Event` has it."""

    name: str
    data: Mapping[str, Any] = NO_DATA
    effect: int | None = None
    offered_in: tuple[str, ...] | None = None
    id: str | None = None
    state: str | None = None


class Ends(NamedTuple):
    """An effect ends: the oldest of this verb that runs (on `leg`, where one is given), or the one with this number."""

    verb: str
    ending: Ending = Ending()
    leg: str | None = None
    effect: int | None = None


class Fires(NamedTuple):
    """A timer comes due: the next one, which has this name (`after 30s`)."""

    name: str = ""


class Calls(NamedTuple):
    """The model calls tools, in one turn."""

    tools: tuple[tuple[str, Mapping[str, Any]], ...]


class Speaks(NamedTuple):
    """The caller says something."""

    text: str


class Replies(NamedTuple):
    """The model says something by itself: no action of the flow has asked it to."""

    text: str


class Presses(NamedTuple):
    """Somebody presses keys, one after the other."""

    keys: str
    leg: str = MAIN_LEG


class Waits(NamedTuple):
    """Time passes."""

    seconds: float


# -- what is expected


class Text(NamedTuple):
    """A text that is expected: exactly this one, a part of it, or a pattern (Python's `re`, searched for). `by` is the leg that
    hears it."""

    exactly: str | None = None
    part: str | None = None
    pattern: re.Pattern[str] | None = None
    by: str = MAIN_LEG

    def matches(self, text: str) -> bool:
        if self.exactly is not None:
            return text == self.exactly
        if self.part is not None:
            return self.part in text
        return self.pattern is not None and self.pattern.search(text) is not None


class Begun(NamedTuple):
    """An effect that is expected to have begun: of this verb, with at least these arguments."""

    verb: str
    arguments: Mapping[str, Any] = NO_DATA


class Ended(NamedTuple):
    """How the call is expected to have ended: what of a record's cause is named here."""

    by: str | None = None
    event: str | None = None
    cause: str | None = None


@frozen
class Conditions:
    """What is expected, all of it at one moment. A list is the whole of it, in its order; `...` in it stands for anything."""

    position: Position = NOWHERE
    state: tuple[str, ...] = ()
    states: Sequence[str] | None = None
    heard: Text | Sequence[Text | str] | None = None
    effects: Sequence[Begun | str] | None = None
    effect: Begun | None = None
    vars: Mapping[str, Any] = field(factory=dict)
    tools: frozenset[str] | None = None
    log: Text | None = None
    outcome: str | None = None
    ended: Ended | bool | None = None
    at: tuple[float, float] | None = None


class Expects(NamedTuple):
    """Time passes until the conditions hold: `within` so many seconds, or as long as anything ends by itself."""

    conditions: Conditions
    within: float | None = None


class Never(NamedTuple):
    """The conditions do not hold at any moment: of the next so many seconds, or as long as anything ends by itself."""

    conditions: Conditions
    within: float | None = None


Act = Occurs | Ends | Fires | Calls | Speaks | Replies | Presses | Waits | Expects | Never


class Step(NamedTuple):
    """One step, and its place in the file."""

    act: Act
    when: When = "settled"
    position: Position = NOWHERE


@frozen
class Persona:
    """Who calls where a model plays the caller: `who` it is, and after how many `turns` it hangs up. The `questions` are asked of a
    judge, of each of the `runs`; a share of `passes` of those must pass, from 0 to 1. `models` are those of the `caller`, the
    `judge` and the `agent`, each as `session: {llm: …}` of a flow has one.
    """

    who: str
    turns: int = TURNS
    questions: Sequence[str] = ()
    runs: int = 1
    passes: float = 1.0
    models: Mapping[str, Any] = field(factory=dict)


@frozen(eq=False)
class Scenario:
    """One call of a flow. `effects` says how effects end where it is not as by default: by `verb`, or by `verb.name` (of a leg
    or a function), one after the other, the last one from then on. `waiting`: the far end is not on the line yet. With
    `exactly` nothing happens but what the steps say. `expect` is asked when the call is over, `never` all the while. With a
    `persona` the caller may be played by a model; the steps are what they do where none does.
    """

    name: str
    flow: Flow
    steps: Sequence[Step] = ()
    start: float = 0.0
    vars: Mapping[str, Any] = field(factory=dict)
    env: Mapping[str, str] = field(factory=dict)
    call: Mapping[str, Any] = field(factory=dict)
    effects: Mapping[str, Sequence[Ending]] = field(factory=dict)
    waiting: bool = False
    exactly: bool = False
    expect: Conditions | None = None
    never: Conditions | None = None
    persona: Persona | None = None
    description: str = ""
    position: Position = NOWHERE
