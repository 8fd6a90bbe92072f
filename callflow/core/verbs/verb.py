"""What an entry of the catalogue of actions says: everything that anybody asks of a verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from callflow.core.durations import Span
from callflow.core.events import MAIN_LEG
from callflow.core.expressions import TEXT, Type
from callflow.core.forms import Form
from callflow.core.occurs import Occurs
from callflow.core.verbs.limits import any_time

ArgumentKind = Literal["template", "plain", "expression", "name", "actions", "template-map", "schema"]
"""How an argument is read: a text with `{{ }}` (or a value of its type), plain data with nothing to render, any value
with templates anywhere inside, a name that the loader resolves (a leg, a variable, an agent), a map of templates."""

Role = Literal[
    "leg", "called", "listener", "event", "payload", "outcome", "variables", "function", "given", "agent", "detection",
    "decision", "terminator", "between_keys", "line", "address", "statuses", "http_headers", "sip_headers",
]  # fmt: skip
"""What an argument means to whoever reads, checks or draws it: a leg that is there, one that the verb brings on the line, the
one leg that it is for; an event that it raises, and its payload; the outcome; variables that it sets; a function of the
program's, and what it is given; an agent; who has answered; how a human decides; the key that ends an input, and the time
between two; a line of the log; parts of a request."""

_LEGS: tuple[Role, ...] = ("listener", "leg", "called")

Resource = Literal["session", "line", "job", "speech"]


@frozen(eq=False, repr=False)
class Argument:
    """One argument of a verb. `default` is what holds when it is not written; `required` ones have none.

    `least` and `most` bound a number, or the seconds of a duration; `form` is what a text has to look like. `sound`: it
    names a sound's file, `written`: one that is written elsewhere; what is rendered into either leads out of no folder.
    `shown` says why what stands in it is seen outside of callflow, where nothing can hide it. `words`: it is what somebody
    says or writes, and stands in quotation marks in a picture.
    """

    type: Type
    description: str
    default: Any = None
    required: bool = False
    kind: ArgumentKind = "template"
    choices: tuple[str, ...] = ()
    pii: bool = False
    least: float | None = None
    most: float | None = None
    form: Form | None = None
    sound: bool = False
    written: bool = False
    role: Role | None = None
    shown: str = ""
    words: bool = False


class Late(NamedTuple):
    """What is done where an effect that was cancelled ends with this `result` all the same: `verb` is started, for its leg."""

    result: str
    verb: str


_WHENEVER = Occurs()


@frozen(eq=False)
class End:
    """One way in which a verb comes to its end by itself: what a field of its result is then (`where`; None: whatever they are),
    what must be so and what is so afterwards (`legs`: how its leg stands then, as the flow was told), and how long that takes, of
    its arguments. Of all ways the first that fits."""

    where: tuple[str, Any] | None = None
    occurs: Occurs = _WHENEVER
    lasts: Callable[[Mapping[str, Any]], Span] = any_time


ANY_END = End()
"""Of a verb of which nothing else is said."""

Sound = Literal["speech", "music", "tone"]


class Heard(NamedTuple):
    """A sound that is heard while a verb runs. `by`: the leg that its `listener` names, or else everybody; its own `leg`;
    `everyone` who is on the line, but for whom it calls; the `far_end`. `given`: only where this argument is. `unless`: not where
    that one is. `afterwards`: not while it runs but from its end on, until its leg is off hold."""

    what: Sound
    by: Literal["listener", "leg", "everyone", "far_end"] = "everyone"
    given: str | None = None
    unless: str | None = None
    afterwards: bool = False


@frozen(eq=False, repr=False)
class Verb:
    """One action of the catalogue.

    `main` is the argument that `say: Hello.` fills. `timeout` is the default, in seconds for one try; `timeout_is` says
    why an author cannot set one, `timeout_of` works it out of the arguments. `results` are the events that end it
    (`dial.answered`), the one that is hoped for first, of which `success` are the ones that need no row; `on_timeout` and `on_error` name the result that a
    time-out or an error becomes. `result` is what `as:` stores. `needs` must be open when it starts, `closes` is closed
    once it has ended.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument] = field(factory=dict)
    main: str | None = None
    timeout: float | None = None
    timeout_is: str = ""
    timeout_of: Callable[[Mapping[str, Any]], float] | None = None
    tries: int = 1
    repeatable: bool = False
    needs: frozenset[Resource] = frozenset()
    closes: frozenset[Resource] = frozenset()
    models: frozenset[str] = frozenset()  # which of stt, llm, tts it needs
    speaks_if: str | None = None  # only where this argument is given

    # Who carries it out.
    at_once: bool = False  # the step itself
    last: bool = False  # the runtime, when the record is written: the last act of a call
    forced: bool = False  # begun by the step where a call is over and something is open
    asks_outside: bool = False  # somebody outside of the call, who answers: a tool may run it

    # How it ends.
    results: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    on_timeout: str | None = None
    on_error: str | None = None
    timeout_is_success: bool = False
    parties_end: bool = False  # whoever is on the line, and no time limit
    result: Mapping[str, Type] = field(factory=dict)
    value_alone: bool = False  # its event carries but the `value` of its result
    failed_with: frozenset[str] = frozenset()  # what its event carries beside the error: leg, elapsed, category
    wants_rows: bool = False  # each result beside success wants a row: without one it ends the call
    ends: tuple[End, ...] = ()  # what there is to say of each

    # What it is to the conversation.
    speech: bool = False  # pauses `silence`, is cut when the far end is gone
    occupies: bool = False  # pauses `silence`: the far end waits for it, or talks to somebody else
    lets_speech_end: bool = False  # worth nothing where there is no time to speak
    cuts_speech: bool = False  # what we are saying ends at once
    needs_somebody: bool = False  # for whoever is on the line
    beside_the_line: bool = False  # nobody on the line hears of it, or waits for it
    yields: bool = False  # the turn is the other side's: a tool that leads to it gives the model none
    farewell: bool = False  # says goodbye, and ends the call
    takes_keys: bool = False  # while it runs a key goes to nobody else
    takes_over: Literal["for good", "while it runs"] | None = None  # another agent does
    mutes: bool | None = None  # whether the agent hears the caller from then on
    heard: tuple[Heard, ...] = ()

    # What it is to the line.
    dials: bool = False  # its leg is being dialled while it runs
    late: Late | None = None
    holds_hang_up: bool = False  # a hang-up of its leg is told when its result is known
    leg_after: Literal["hold", "on_line"] | None = None  # how its leg is once it has ended
    holds_far_end: bool = False  # on hold while it runs, and on the line again afterwards
    drops_leg: bool = False  # its leg leaves
    leaves_line: Mapping[str, str] = field(factory=dict)  # the arguments with which it leaves the line to the others
    offer: Literal["takes", "refuses"] | None = None  # a call that is offered

    tells: bool = False  # its texts are for somebody: none is the name of something on purpose
    picture: Callable[[Mapping[str, str]], str] | None = None  # how its arguments are drawn, of them in words
    roles: Mapping[Role, str] = field(init=False)
    family: str = field(init=False)  # how its results begin: `dial`
    calls: bool = field(init=False)  # whether it brings somebody on the line
    talks: bool = field(init=False)  # whether the model says something of its own

    @roles.default
    def _by_role(self) -> Mapping[Role, str]:
        return {one.role: name for name, one in self.arguments.items() if one.role is not None}

    @family.default
    def _family_of_results(self) -> str:
        return self.results[0].partition(".")[0] if self.results else ""

    @calls.default
    def _brings_somebody(self) -> bool:
        return "called" in self.roles

    @talks.default
    def _model_speaks(self) -> bool:
        return self.speech and "llm" in self.models

    def error_result(self, timed_out: bool) -> str | None:
        """The result event that an error or a time-out becomes, None where it is a failure."""
        return self.on_timeout if timed_out else self.on_error

    def end(self, result: Mapping[str, Any]) -> End:
        """The way in which it has ended with this result."""
        for one in self.ends:
            if one.where is None or result.get(one.where[0]) == one.where[1]:
                return one
        return ANY_END

    def result_event(self, result: Mapping[str, Any]) -> str:
        """The event that a result becomes: `dial.answered` of `{"result": "answered", …}`."""
        return f"{self.family}.{result.get('result', '')}" if self.results else ""

    def given(self, role: Role, arguments: Mapping[str, Any]) -> Any:
        """What stands in the argument of this role; None where the verb has none."""
        name = self.roles.get(role)
        return None if name is None else arguments.get(name)

    @property
    def takes_the_turn(self) -> bool:
        """Whether a state with this in its entry list speaks by itself, or has the far end listen to somebody else."""
        return self.speech or self.yields or self.occupies or self.farewell

    def sounds(self, arguments: Mapping[str, Any], *, afterwards: bool = False) -> Iterator[Heard]:
        """What is heard while it runs with these arguments, or from its end on."""
        for one in self.heard:
            given = one.given is None or arguments.get(one.given) not in (None, "", False)
            if given and not (one.unless and arguments.get(one.unless)) and one.afterwards is afterwards:
                yield one

    def hears(self, leg: str, arguments: Mapping[str, Any], *, on_hold: bool = False) -> frozenset[Sound]:
        """What this leg hears of it while it runs; on hold but what is for nobody else."""
        return frozenset(one.what for one in self.sounds(arguments) if self._reaches(one, leg, arguments, on_hold))

    def _reaches(self, one: Heard, leg: str, arguments: Mapping[str, Any], on_hold: bool) -> bool:
        alone = {"far_end": MAIN_LEG, "leg": self.leg(arguments), "listener": self.given("listener", arguments)}
        only = alone.get(one.by)
        return bool(leg == only if only is not None else not on_hold and leg != self.given("called", arguments))

    def leg(self, arguments: Mapping[str, Any]) -> str:
        """The leg that it is for."""
        for role in _LEGS:
            named = self.given(role, arguments)
            if named is not None:
                return str(named)
        return MAIN_LEG

    def leaves(self, arguments: Mapping[str, Any]) -> bool:
        """Whether, with these arguments, it leaves the line on purpose to those who are on it."""
        return bool(self.leaves_line) and all(arguments.get(name) == word for name, word in self.leaves_line.items())


def leg(default: str | None = "far_end", description: str = "Which leg.", role: Role = "leg") -> Argument:
    """The argument that names a leg."""
    return Argument(TEXT, description, default, kind="name", role=role)
