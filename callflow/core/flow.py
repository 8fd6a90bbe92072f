"""A flow, frozen and complete: every name resolved, every text compiled, every place in the file known.

The checker, the diagrams, the simulator and the runtime read this and nothing else. A state's *path* is its name for
the whole flow: `booking.confirm` is the state `confirm` inside `booking`, and the top level itself is `""`.
States stand in document order: a parent before its children, siblings as they were written.

What a file has most of (places, actions, rows) is a NamedTuple, which is made in half the time of an attrs class. A timer's
row is not: its `index` is a method of every tuple.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from callflow.core.events import PROGRAM
from callflow.core.expressions import Expression, Template, Type

ROOT = ""

LANGUAGE = 1
"""The version of the language: what a file says by `callflow: 1`."""

_PROGRAM_ALONE = frozenset({PROGRAM})

StateKind = Literal["atomic", "compound", "parallel", "final", "history"]


class Position(NamedTuple):
    """A place in a flow file, counted from 1, with the path inside the flow that leads to it."""

    file: str = "<flow>"
    line: int = 1
    column: int = 1
    path: str = ""

    @property
    def place(self) -> str:
        """`file:line`, as whoever looks for it writes it."""
        return f"{self.file}:{self.line}"


NOWHERE = Position()


class Declaration(NamedTuple):
    """What a file declares, and where: under which key (`vars`, `env`, `tools` …), in the file of which scope."""

    key: str
    name: str
    scope: str
    position: Position


@frozen(eq=False)
class Variable:
    """`default` is None where the variable must be given when the call starts (`required`)."""

    name: str
    type: Type
    default: Any = None
    required: bool = False
    pii: bool = False
    description: str = ""


@frozen
class Field:
    """One field of an event's payload, of a tool's parameters, of what Python code takes or returns."""

    name: str
    type: Type
    required: bool = True
    pii: bool = False
    description: str = ""
    enum: tuple[Any, ...] = ()


class Action(NamedTuple):
    """One entry of a list of actions. `arguments` are the verb's own, defaults filled in: each a Template (rendered
    when the action's turn comes) or plain data. `timeout` is in seconds for one try, None for none."""

    verb: str
    arguments: Mapping[str, Any]
    timeout: float | None
    position: Position
    optional: bool = False
    save_as: str | None = None  # `as:`, a variable of the scope in which the action stands
    tries: int = 1
    backoff: float = 0.0  # seconds before the second try, doubled before each later one
    wait: bool = True  # False: the list goes on at once (`wait: false`, `loop: true`)


class Transition(NamedTuple):
    """One row. `target` is the path of a state (or of a history state), None to stay where we are.

    `source` is the state that writes it. `id` is its number in the flow (`flow.transitions[id]`).
    `level` is "inner" for the rows at the top of a sub-flow's file, which stand inside their host but outside
    its states; "own" for all others.
    """

    id: int
    source: str
    target: str | None
    guard: Expression | None
    actions: tuple[Action, ...]
    reenter: bool
    position: Position
    description: str = ""
    level: Literal["own", "inner"] = "own"
    scope: str = ROOT
    supplied: bool = False  # by `standard: true` or `limits`, not written by the author


class Row(NamedTuple):
    """What a state does about the events that match `pattern`. No transitions: the events are ignored here.

    A pattern is an event's name, or ends in `.*` or `-*`.
    """

    pattern: str
    transitions: tuple[Transition, ...]
    position: Position
    ignore: bool = False
    level: Literal["own", "inner"] = "own"


@frozen(eq=False, repr=False)
class TimerRow:
    """`after`, `every` or `silence`: `seconds` from the state's entry. `index` is its number in `state.timers`."""

    kind: Literal["after", "every", "silence"]
    seconds: float
    transitions: tuple[Transition, ...]
    position: Position
    index: int
    text: str  # as it was written: "12s"
    level: Literal["own", "inner"] = "own"


@frozen(eq=False, repr=False)
class Task:
    """A LiveKit AgentTask as a state's inside, by the name under which the program supplies it."""

    name: str
    arguments: Mapping[str, Any]
    position: Position


class Quiet(NamedTuple):
    """`limits: {quiet: …}`: how many seconds somebody on the line may hear nothing when it is not their turn. The proof asks for it,
    and no call does."""

    seconds: float
    position: Position


class Acceptance(NamedTuple):
    """`accept: {code: reason}`: what the proof may find here. No call asks for it."""

    code: str
    reason: str
    position: Position


@frozen(eq=False, repr=False)
class State:
    """`children`, `initial` and `parent` are paths; `initial` of a history state is its default.

    `scope` is the path of the host whose sub-flow's variables are in force here (`""`: the main flow's).
    `must_finish` is also true for the state that `ending:` names.
    """

    path: str
    name: str
    kind: StateKind
    parent: str | None
    children: tuple[str, ...] = ()
    initial: str | None = None
    entry: tuple[Action, ...] = ()
    exit: tuple[Action, ...] = ()
    rows: tuple[Row, ...] = ()
    timers: tuple[TimerRow, ...] = ()
    always: tuple[Transition, ...] = ()
    tools: tuple[str, ...] = ()
    instructions: Template | None = None
    must_finish: bool = False
    waits: str = ""
    quiet: Quiet | None = None  # the top level's: that of the whole flow
    accept: tuple[Acceptance, ...] = ()  # a host's: its own, then those at the top of its sub-flow's file
    history: Literal["shallow", "deep"] | None = None
    returns: Mapping[str, Template] = field(factory=dict)
    task: Task | None = None
    subflow: str | None = None  # the scope that this state opens: its own path
    arguments: Mapping[str, Any] = field(factory=dict)  # `with:`, Templates or plain data, in the host's own scope
    scope: str = ROOT
    description: str = ""
    position: Position = NOWHERE
    supplied: bool = False
    notes: Mapping[str, Any] = field(factory=dict)  # x-*


@frozen(eq=False, repr=False)
class Scope:
    """The variables and the `ending:` of one flow file in its place: the main flow's (`""`) or a sub-flow's (its host's
    path), which has the file by the name `used_as` of its own file's `use`."""

    path: str
    flow_name: str
    file: str
    variables: Mapping[str, Variable]
    ending: str | None
    results: Mapping[str, Type] = field(factory=dict)  # the variables that `as:` makes
    used_as: str = ""


@frozen
class Tool:
    """A function tool that states offer to the model. `run` is an `http` or a `python` action, or None: then the
    tool only raises its event. `own` tools are the agent's: the flow listens to them but does not build them."""

    name: str
    description: str
    parameters: Mapping[str, Field]
    run: Action | None
    result: Template | None
    position: Position
    own: bool = False


@frozen(eq=False, repr=False)
class PythonAction:
    """A callable that the embedding program supplies under this name."""

    name: str
    parameters: Mapping[str, Field]
    returns: Mapping[str, Field]
    timeout: float
    position: Position
    description: str = ""


@frozen(eq=False)
class Limits:
    """What bounds every call; None: no such bound (`standard: false` without a `limits:` of its own).

    `call` and `silence` (seconds) are supplied by the loader as timer rows of the top level, so the step knows only
    rows; `answer` (seconds that an inbound call waits for its far end) and `no_progress` (states entered without
    speech heard, a key or a timer) are the step's own. `reconnecting` (seconds that the agent's own connection may be
    away) is the bindings': when it is up they say `room.disconnected`.
    """

    call: float | None = 3600.0
    silence: float | None = 120.0
    answer: float | None = 60.0
    reconnecting: float | None = 20.0
    no_progress: int | None = 50


@frozen(eq=False, repr=False)
class Flow:
    """A whole flow, as data. Build it with `callflow.load` or `callflow.loads`.

    `made` holds what others make of it once and need again (its table, what is private in it), each by a name of its own
    and known to itself alone: it lives as long as the flow, and is no part of it.
    """

    name: str
    states: Mapping[str, State]  # by path, in document order, the top level ("") first
    transitions: tuple[Transition, ...]
    scopes: Mapping[str, Scope]
    ending: str
    outcomes: frozenset[str]
    env: tuple[str, ...] = ()
    events: Mapping[str, Mapping[str, Field]] = field(factory=dict)  # the author's own, `app.approved` and its payload
    senders: Mapping[str, frozenset[str]] = field(factory=dict)  # as it was written: see `may_send`
    legs: Mapping[str, str | Template | None] = field(factory=dict)
    """Every leg beside the far end: the participant identity by which it is told, None for one that the flow calls."""
    tools: Mapping[str, Tool] = field(factory=dict)
    python: Mapping[str, PythonAction] = field(factory=dict)
    tasks: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()  # names that `update_agent` uses
    session: Mapping[str, Any] = field(factory=dict)
    agent: Mapping[str, Any] = field(factory=dict)
    answer: Literal["automatic", "manual"] = "automatic"
    reconnect_grace: float | None = 12.0  # None: it is counted elsewhere
    limits: Limits = Limits()
    on_crash: Literal["hang_up", "resume"] = "hang_up"
    wrap_up: tuple[Action, ...] = ()
    description: str = ""
    file: str = "<flow>"
    notes: Mapping[str, Any] = field(factory=dict)
    outbound: bool = False  # it dials its far end itself; otherwise it begins when the far end is on the line
    texts: tuple[str, ...] = ()  # of its files, the main one first, each once
    declared: tuple[Declaration, ...] = ()
    made: dict[str, Any] = field(init=False, factory=dict)

    @property
    def root(self) -> State:
        """The top level as a state: its rows and timers hold in every state."""
        return self.states[ROOT]

    @property
    def digest(self) -> str:
        """Of its texts: 12 hexadecimal digits that name this version."""
        found: str | None = self.made.get("digest")
        if found is None:
            from hashlib import sha256  # which brings OpenSSL, and who only checks a flow asks for no digest

            each = (sha256(text.encode(errors="surrogatepass")).digest() for text in self.texts)
            found = self.made["digest"] = sha256(b"".join(each)).hexdigest()[:12] if self.texts else ""
        return found

    def may_send(self, event: str) -> frozenset[str]:
        """Who may send an event of the author's own: `program`, `agents`, `anyone`, names of legs."""
        return self.senders.get(event, _PROGRAM_ALONE)
