"""Whether what a scenario expects is so: asked again and again as a call goes on, each time of what has come since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG
from callflow.core.queries import tools_offered
from callflow.core.snapshot import Start
from callflow.core.speaking import seconds
from callflow.core.table import table_of
from callflow.runtime.record import Cause
from callflow.scenario.call import Heard, Seen, Taken
from callflow.scenario.model import ANYTHING, Begun, Conditions, Ended, Text

_Wanted = TypeVar("_Wanted")
_Found = TypeVar("_Found")
_Item = TypeVar("_Item")

CUT_ABOUT = 10
"""Letters, half a second of speech: by so many more or fewer what was cut is still the same."""


class Since(NamedTuple):
    """From where on a scenario looks: the first step, and the first speech."""

    step: int = 0
    speech: int = 0


Holds = Callable[[], bool]
"""Whether something is so now, of the call as it is when it is asked."""


def watch(wanted: Conditions, call: Seen, since: Since) -> Holds:
    """Whether every condition holds."""
    each = [one for name in ASKED if (one := holds(name, wanted, call, since)) is not None]
    if len(each) == 1:
        return each[0]

    def all_hold() -> bool:
        for one in each:  # noqa: SIM110 - asked after every step: a generator costs as much as most of them
            if not one():
                return False
        return True

    return all_hold


def holds(name: str, wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    """Whether the condition of this name holds; None where nothing is wanted of that."""
    return _MAKES[name](wanted, call, since)


# -- what is so at one moment


def _state(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    states = wanted.state
    if not states:
        return None
    table = table_of(call.flow)

    def is_in() -> bool:
        active = configuration_of(table, call.snapshot.configuration).active
        missing = [one for one in states if one not in active]
        if not missing or len(call.taken) <= since.step + 1:
            return not missing
        # What has brought the call out of a state was the last thing in it.
        lately = [configuration_of(table, one.step.snapshot.configuration).active for one in call.lately]
        return all(any(one in before for before in lately) for one in missing)

    return is_in


def _vars(wanted: Conditions, call: Seen, _since: Since) -> Holds | None:
    if not wanted.vars:
        return None
    return lambda: all(same(call.snapshot.vars.get(name), value) for name, value in wanted.vars.items())


def _tools(wanted: Conditions, call: Seen, _since: Since) -> Holds | None:
    if wanted.tools is None:
        return None
    return lambda: wanted.tools == tools_offered(call.flow, call.snapshot)


def _outcome(wanted: Conditions, call: Seen, _since: Since) -> Holds | None:
    if wanted.outcome is None:
        return None
    return lambda: wanted.outcome == outcome_of(call)


def _ended(wanted: Conditions, call: Seen, _since: Since) -> Holds | None:
    ended = wanted.ended
    if ended is None:
        return None
    if isinstance(ended, bool):
        return lambda: ended == call.snapshot.ended
    return lambda: (
        call.snapshot.ended
        and all(want in (None, have) for want, have in zip(ended, ended_by(call.cause), strict=True))
    )


def _at(wanted: Conditions, call: Seen, _since: Since) -> Holds | None:
    if wanted.at is None:
        return None
    least, most = wanted.at
    return lambda: least - call.tolerance <= call.elapsed <= most + call.tolerance


def outcome_of(call: Seen) -> str:
    """As the record has it."""
    memory = call.snapshot.memory
    return memory.outcome or ("failed" if memory.fault else "none")


def ended_by(cause: Cause) -> Ended:
    """What of a record's cause a scenario names."""
    return Ended(cause.by, cause.event, cause.detail.get("cause"))


def same(found: Any, wanted: Any) -> bool:
    """Equal, and of one type: 1 is not true."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


# -- what has been so


def _states(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    if wanted.states is None:
        return None
    return _in_order(wanted.states, call.taken, since.step, lambda one: leaves(call, one), equal)


def _heard(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    heard = wanted.heard
    if heard is None:
        return None
    if isinstance(heard, Text):
        return _among(call.heard, since.speech, lambda one: heard.by in one.legs and is_heard(heard, one))
    by, unsure = listener(heard), call.unsure
    return _in_order(
        heard,
        call.heard,
        since.speech,
        lambda one: [one] if by in one.legs else [],
        is_heard,
        lambda one: isinstance(one, Text) and _is_short(one.exactly or "", unsure / 2),
        lambda one: one.cut and one.ended - one.began <= unsure,
    )


def _is_short(text: str, within: float) -> bool:
    """Whether this was cut so early that perhaps nobody has heard it."""
    return text.endswith("…") and seconds(text) <= within


def _effects(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    if wanted.effects is None:
        return None
    return _in_order(wanted.effects, call.taken, since.step, begun, is_begun)


def _effect(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    effect = wanted.effect
    if effect is None:
        return None
    return _among(call.taken, since.step, lambda one: any(is_begun(effect, start) for start in begun(one)))


def _log(wanted: Conditions, call: Seen, since: Since) -> Holds | None:
    log = wanted.log
    if log is None:
        return None
    return _among(call.taken, since.step, lambda one: any(map(log.matches, lines(one))))


def leaves(call: Seen, one: Taken) -> list[str]:
    """The states without an inside that a step has entered."""
    return [path for path in one.step.entered if path and not call.flow.states[path].children]


def begun(one: Taken) -> list[Start]:
    """What a step has begun."""
    return [effect for effect in one.step.effects if isinstance(effect, Start)]


def lines(one: Taken) -> list[str]:
    """What a step has logged."""
    return [str(note.data["message"]) for note in one.step.notes if note.kind == "log"]


def listener(heard: Sequence[Text | str]) -> str:
    """Whose ears a list of texts is for."""
    return next((one.by for one in heard if isinstance(one, Text)), MAIN_LEG)


def equal(wanted: Any, found: Any) -> bool:
    return bool(wanted == found)


def is_heard(wanted: Text | str, heard: Heard) -> bool:
    """What was cut is not the same as one of these words that was not."""
    if not isinstance(wanted, Text):
        return False
    if heard.cut and wanted.exactly is not None:
        return _is_cut_there(wanted.exactly, heard.text)
    return wanted.matches(heard.text)


def _is_cut_there(wanted: str, said: str) -> bool:
    """Whether this is what was said until it was cut, about there."""
    words = wanted.removesuffix("…")
    begins = words.startswith(said) or said.startswith(words)
    return words != wanted and begins and abs(len(words) - len(said)) <= CUT_ABOUT


def is_begun(wanted: Begun | str, start: Start) -> bool:
    """Whether this effect is the one that is wanted, with these arguments at least."""
    if not isinstance(wanted, Begun) or wanted.verb != start.verb:
        return False
    given = start.arguments
    return all(name in given and given[name] == one for name, one in wanted.arguments.items())


# -- one after the other


def _among(found: Sequence[_Found], since: int, fits: Callable[[_Found], bool]) -> Holds:
    """Whether one of what is found, from that place on, fits."""
    looked, there = since, False

    def is_there() -> bool:
        nonlocal looked, there
        while not there and looked < len(found):
            there = fits(found[looked])
            looked += 1
        return there

    return is_there


def _in_order(
    wanted: Sequence[_Wanted],
    found: Sequence[_Found],
    since: int,
    items: Callable[[_Found], Iterable[_Item]],
    fits: Callable[[_Wanted, _Item], bool],
    may_be_missing: Callable[[_Wanted], bool] = lambda _: False,
    may_be_there: Callable[[_Item], bool] = lambda _: False,
) -> Holds:
    """Whether the items of what is found, from that place on, are what is wanted, from its first to its last, `...` being anything between."""
    nothing = [one == ANYTHING or may_be_missing(one) for one in wanted]  # whether nothing may stand in this place
    looked, last = since, len(wanted)
    reached = _passed({0}, nothing)  # how many of `wanted` may be behind us

    def is_so() -> bool:
        nonlocal looked, reached
        for one in found[looked:]:
            for item in items(one):
                stays = (
                    reached if may_be_there(item) else {at for at in reached if at < last and wanted[at] == ANYTHING}
                )
                goes = {at + 1 for at in reached if at < last and fits(wanted[at], item)}
                reached = _passed(stays | goes, nothing)
        looked = max(looked, len(found))
        return last in reached

    return is_so


def _passed(reached: set[int], nothing: Sequence[bool]) -> set[int]:
    for place in sorted(reached):
        while place < len(nothing) and nothing[place]:
            place += 1
            reached.add(place)
    return reached


_MAKES: Mapping[str, Callable[[Conditions, Seen, Since], Holds | None]] = {
    "state": _state, "states": _states, "heard": _heard, "effect": _effect, "effects": _effects, "vars": _vars,
    "tools": _tools, "log": _log, "outcome": _outcome, "ended": _ended, "at": _at,
}  # fmt: skip
ASKED = tuple(_MAKES)
"""The conditions, in the order in which they are told."""
