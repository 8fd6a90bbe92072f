"""What a call is between two events, and what one event made of it. Plain data, versioned; to JSON and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Self, TypeVar

from callflow.core.events import NO_DATA, Event, Input
from callflow.core.occurs import LegIs

VERSION = 2

_K = TypeVar("_K")
_V = TypeVar("_V")

Phase = Literal["waiting", "running", "final", "dropping", "closing", "wrap_up", "ended"]
"""waiting: for the far end, before `initial`. running. final: a final state of the top level was reached; what is owed
and its entry list run. dropping: what was left open is closed by force while the model's calls are still carried out.
closing: the same where nothing else is under way. wrap_up. ended: the record can be written."""

ListKind = Literal["exit", "do", "stay", "rest", "late", "entry", "task", "tool", "closing", "wrap_up"]
"""`exit` and `do` (of a transition with a target) are owed; `stay` is the `do` of one without, `rest` that of one whose
state was left by the same event. `tool` is the `run` of a tool that the model called, `late` the `do` of a row whose
state was left before the tool's event came."""

Source = tuple[ListKind, str | int, int]
"""Where the action of an effect stands: the kind and the key of its list, and its place in it."""

OWED = frozenset({"exit", "do", "closing", "wrap_up"})

CARRIED = frozenset({"tool", "late"})
"""What the model called is carried out, whatever is left: no list waits for these, but `wrap_up` and the end do."""

CALLS_OWN = OWED | CARRIED
"""Lists of which no state's leaving cancels what they have begun."""

WITH = -1
"""The position of an entry list of a host whose `with:` has not been read yet."""


class ActionList(NamedTuple):
    """A list of actions on its way.

    `owner` is the state whose region it runs in, and with which a list that is not owed is dropped; `writer` the state
    that hears of its failures. `key` finds the actions: a state's path, a transition's id, a tool's name. `stopped`:
    an action has failed or has a named result, and the list waits until that was taken.
    """

    seq: int
    kind: ListKind
    owner: str
    writer: str
    key: str | int
    position: int = 0
    effect: int | None = None
    stopped: bool = False
    event: Event | None = None
    instance: str | None = None  # the variables of a sub-flow that is over: what it owes still reads and sets them

    def numbered(self, seq: int) -> ActionList:
        """The same, as number `seq` of the sequencer."""
        return ActionList(seq, *self[1:])

    def at(self, position: int, effect: int | None = None, *, stopped: bool = False) -> ActionList:
        """The same, come to an action; waiting for its effect, or stopped there."""
        seq, kind, owner, writer, key, _, _, _, event, instance = self
        return ActionList(seq, kind, owner, writer, key, position, effect, stopped, event, instance)


class Running(NamedTuple):
    """An effect that was started and has not ended. `list` is the seq of the list that waits for it, None where none
    does. `owner` is the state with which it is cancelled; None: it plays on whatever is left. `stopping`: it was
    cancelled, as number `seq`, and later lists of its region wait until it has ended."""

    id: int
    verb: str
    owner: str | None
    list: int | None
    source: Source
    started: float
    stopping: bool = False
    seq: int = 0
    leg: str | None = None
    quiet: bool = False  # music that the far end does not hear: silence goes on
    terminator: tuple[str, float] | None = None  # of keys that it collects: the event, the seconds between two keys


class Timer(NamedTuple):
    """`due` is a time, in seconds since the epoch; `row` the number of its row in the state. `kind`: after, every, silence;
    `answer` (the far end never comes), `stop` (an effect that does not stop, `row` its id), `settle` (a hang-up that waits for a
    transfer's result), `away` (a leg that has vanished, `row` its place among the legs)."""

    generation: int
    kind: str
    state: str
    row: int
    due: float


class Silence(NamedTuple):
    """One state's silence: seconds counted before `since`, None while it does not count; the rows that have fired."""

    state: str
    counted: float = 0.0
    since: float | None = None
    fired: tuple[int, ...] = ()


class Needless(NamedTuple):
    """A key that means nothing until then: it would have ended an input that was over already."""

    key: str
    until: float


class Leg(NamedTuple):
    """One party's connection, as the flow knows it."""

    name: str
    status: LegIs
    data: Mapping[str, Any] = {}


class Lasting(NamedTuple):
    """The parts of a memory that hardly any event changes: one after the other of a call's snapshots shares them."""

    started: float = 0.0
    vars: Mapping[str, Mapping[str, Any]] = NO_DATA  # by scope: "" is the main flow's; see `instance`
    env: Mapping[str, str] = NO_DATA
    call: Mapping[str, Any] = NO_DATA  # id, direction …: what the program said of the call
    held: tuple[Event, ...] = ()  # a leg's hang-up that waits for the result of its transfer
    history: Mapping[str, tuple[str, ...]] = NO_DATA
    visits: Mapping[str, int] = NO_DATA
    needless: Needless | None = None
    others_speak: bool = False  # whom the session does not hear
    muted: bool = False  # by `mute`: whether the caller is silent is not known
    caller_muted: bool = False  # by themselves: their microphone
    cut_off: bool = False  # our own connection is away, or gone
    fault: str | None = None  # why the call was ended by rule 3 or 9, or by the runtime
    faults: int = 0


class Changing(NamedTuple):
    """The other parts of a memory, and those that last, as one."""

    phase: Phase = "running"
    lists: Mapping[int, ActionList] = NO_DATA  # by seq
    effects: Mapping[int, Running] = NO_DATA  # by id
    timers: tuple[Timer, ...] = ()
    silences: Mapping[str, Silence] = NO_DATA  # by state
    kept: tuple[Event, ...] = ()
    legs: Mapping[str, Leg] = NO_DATA
    caller_speaks: bool = False
    agent_busy: bool = False  # thinks or speaks
    closed: frozenset[str] = frozenset()  # session, line, job, speech
    closing: frozenset[str] = frozenset()  # the same, while the flow's own effect is at it
    finished: frozenset[str] = frozenset()  # states that must finish and are done
    outcome: str | None = None
    final: str | None = None
    next_effect: int = 1
    next_seq: int = 1
    next_generation: int = 1
    lasting: Lasting = Lasting()


class Memory(Changing):
    """Everything of a snapshot that most events leave as it is. It stands in two tiers, by how often a part changes, and is read,
    made and replaced as one: `memory.vars`, `Memory(vars=…)`, `memory._replace(vars=…)`."""

    __slots__ = ()

    started: float
    vars: Mapping[str, Mapping[str, Any]]
    env: Mapping[str, str]
    call: Mapping[str, Any]
    held: tuple[Event, ...]
    history: Mapping[str, tuple[str, ...]]
    visits: Mapping[str, int]
    needless: Needless | None
    others_speak: bool
    muted: bool
    caller_muted: bool
    cut_off: bool
    fault: str | None
    faults: int

    def __new__(cls, *tiers: Any, **parts: Any) -> Self:
        return super().__new__(cls, *tiers, **_in_tiers(Lasting(), parts))

    def _replace(self, **parts: Any) -> Self:
        return super()._replace(**_in_tiers(self.lasting, parts))

    def __hash__(self) -> int:
        """Of the parts in which one call's snapshots differ; what is equal is told by all of them."""
        return hash((
            self.started, self.phase, self.timers, frozenset(self.lists), frozenset(self.effects.values()), self.caller_speaks,
            self.agent_busy, self.outcome, self.next_effect, self.next_seq, self.next_generation, _hashable(self.vars),
        ))  # fmt: skip


def _in_tiers(lasting: Lasting, parts: dict[str, Any]) -> dict[str, Any]:
    """Parts of a memory, those that last in the tier that holds them."""
    changed = {name: parts.pop(name) for name in Lasting._fields if name in parts}
    return {**parts, "lasting": lasting._replace(**changed)} if changed else parts


for _name in Lasting._fields:
    setattr(Memory, _name, property(attrgetter(f"lasting.{_name}")))

PARTS = (*(name for name in Changing._fields if name != "lasting"), *Lasting._fields)
"""The names of all parts of a memory."""


def _hashable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset([(name, _hashable(one)) for name, one in value.items()])
    return tuple([_hashable(one) for one in value]) if isinstance(value, list) else value


def without(parts: Mapping[_K, _V], key: _K) -> Mapping[_K, _V]:
    """The others. What is empty is shared: most of what a live call remembers is."""
    rest = dict(parts)
    del rest[key]
    return rest or NO_DATA


@lru_cache(1024)
def joined(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What is in either. Of what is open there are few sets, and all snapshots share each."""
    return one | other


@lru_cache(1024)
def left(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What is in `one` alone; shared likewise."""
    return one - other


class Snapshot(NamedTuple):
    """A call between two events. `configuration` holds the active leaf states in document order, `entered` how many
    states were entered since somebody spoke, pressed a key, or a timer fired."""

    configuration: tuple[str, ...]
    memory: Memory
    entered: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more, and the record can be written."""
        return self.memory.phase == "ended"

    @property
    def vars(self) -> Mapping[str, Any]:
        """The main flow's variables."""
        return self.memory.vars.get("", {})

    @property
    def outcome(self) -> str | None:
        """The outcome that was named first, None while none was."""
        return self.memory.outcome

    @property
    def timers(self) -> tuple[Timer, ...]:
        """The live timers, in the order in which they fire."""
        return self.memory.timers

    @property
    def kept(self) -> tuple[Event, ...]:
        """The events that a state which must finish has put off."""
        return self.memory.kept


class Start(NamedTuple):
    """An effect to start: a verb of the catalogue (or `task`, `close`) with its arguments resolved.

    `timeout` is in seconds for one try; `tries` and `backoff` (seconds before the second try, doubled for each later
    one) are what `retry` says. `source` finds its action: the list's kind, its key, the action's index.
    """

    id: int
    verb: str
    arguments: Mapping[str, Any]
    timeout: float | None
    tries: int = 1
    backoff: float = 0.0
    optional: bool = False
    source: Source = ("do", 0, 0)


class Cancel(NamedTuple):
    """An effect to stop, by force: speech is cut, also speech that is not interruptible; a dial is cancelled."""

    id: int


class Forward(NamedTuple):
    """An event that a running effect is to hear: a key, while it collects keys, or what it waits for as an answer."""

    id: int
    event: Event


class Microstep(NamedTuple):
    """One move: what triggered it ("" for `always`), the transitions taken (their ids; none where a failure that nobody
    handles, or a limit, leads to the ending), the states left and entered."""

    trigger: str
    transitions: tuple[int, ...]
    exited: tuple[str, ...]
    entered: tuple[str, ...]


class Note(NamedTuple):
    """Something that a step did or saw beside moving: a guard's verdict, a variable set, the outcome, a log line, an
    event kept or dropped, a tool that may return. `kind` names it, `data` is plain."""

    kind: str
    data: Mapping[str, Any]


class Step(NamedTuple):
    """One input, to completion: what moved, what is to be done now, and the call as it is afterwards."""

    event: Input | None
    snapshot: Snapshot
    effects: tuple[Start | Cancel | Forward, ...] = ()
    moves: tuple[Microstep, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def exited(self) -> tuple[str, ...]:
        return tuple(state for move in self.moves for state in move.exited)

    @property
    def entered(self) -> tuple[str, ...]:
        return tuple(state for move in self.moves for state in move.entered)
