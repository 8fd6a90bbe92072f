"""What a scenario expects, beside what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG
from callflow.core.offers import offers
from callflow.core.snapshot import Start
from callflow.core.table import table_of
from callflow.scenario.call import Seen
from callflow.scenario.model import ANYTHING, Begun, Conditions, Ended, Text


class Since(NamedTuple):
    """From where on a scenario looks: the first step, and the first speech."""

    step: int = 0
    speech: int = 0


class Unmet(NamedTuple):
    """One condition that does not hold: what was expected, and what is seen."""

    what: str
    expected: str
    seen: str


def unmet(wanted: Conditions, call: Seen, since: Since) -> list[Unmet]:
    """Every condition that does not hold now."""
    return [one for look in _LOOKS for one in look(wanted, call, since)]


def _state(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    table = table_of(call.flow)
    active = configuration_of(table, call.snapshot.configuration).active
    if len(call.taken) > since.step + 1:  # what has brought the call out of a state was the last thing in it
        for one in call.lately:
            active |= configuration_of(table, one.step.snapshot.configuration).active
    missing = [one for one in wanted.state if one not in active]
    if missing:
        yield Unmet("state", ", ".join(wanted.state), call.where)


def _states(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.states is None:
        return
    leaves = [path for path in call.states(since.step) if not call.flow.states[path].children]
    if not in_order(wanted.states, leaves, lambda one, path: one == path):
        yield Unmet("states", _listed(wanted.states), _listed(leaves))


def _heard(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.heard is None:
        return
    found = call.heard[since.speech :]
    if isinstance(wanted.heard, Text):
        text = wanted.heard
        if not any(text.by in one.legs and text.matches(_as_heard(one.text, one.cut, text)) for one in found):
            yield Unmet("heard", shown(text), _speeches(call, since, text.by))
        return
    by = next((one.by for one in wanted.heard if isinstance(one, Text)), MAIN_LEG)
    texts = [one for one in found if by in one.legs]
    if not in_order(
        wanted.heard,
        texts,
        lambda one, heard: isinstance(one, Text) and one.matches(_as_heard(heard.text, heard.cut, one)),
    ):
        yield Unmet("heard", _listed([shown(one) for one in wanted.heard]), _speeches(call, since, by))


def _as_heard(text: str, cut: bool, wanted: Text) -> str:
    """A speech that was cut is not the same as one of these words that was not."""
    return f"{text}…" if cut and wanted.exactly is not None else text


def _effects(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.effects is None and wanted.effect is None:
        return
    begun = [one for taken in call.taken[since.step :] for one in taken.step.effects if isinstance(one, Start)]
    seen = _listed([effect_shown(one.verb, one.arguments) for one in begun])
    if wanted.effect is not None and not any(_is(wanted.effect, one) for one in begun):
        yield Unmet("effect", effect_shown(*wanted.effect), seen)
    if wanted.effects is not None and not in_order(
        wanted.effects, begun, lambda one, start: isinstance(one, Begun) and _is(one, start)
    ):
        yield Unmet(
            "effects", _listed([one if isinstance(one, str) else effect_shown(*one) for one in wanted.effects]), seen
        )


def _is(wanted: Begun, start: Start) -> bool:
    given = start.arguments
    return wanted.verb == start.verb and all(
        name in given and given[name] == one for name, one in wanted.arguments.items()
    )


def _vars(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    values = call.snapshot.vars
    for name, value in wanted.vars.items():
        if not same(values.get(name), value):
            yield Unmet(f"vars.{name}", value_shown(value), value_shown(values.get(name)))


def _tools(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.tools is not None:
        offered = offers(call.flow, call.snapshot, call.now).tools
        if wanted.tools != set(offered):
            yield Unmet("tools", _listed(sorted(wanted.tools)), _listed(offered))


def _log(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.log is not None:
        lines = [
            str(note.data["message"])
            for taken in call.taken[since.step :]
            for note in taken.step.notes
            if note.kind == "log"
        ]
        if not any(map(wanted.log.matches, lines)):
            yield Unmet("log", shown(wanted.log), _listed([f'"{line}"' for line in lines]))


def _outcome(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.outcome is not None:
        memory = call.snapshot.memory
        found = memory.outcome or ("failed" if memory.fault else "none")
        if found != wanted.outcome:
            yield Unmet("outcome", wanted.outcome, found)


def _ended(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.ended is None:
        return
    if isinstance(wanted.ended, bool):
        if wanted.ended != call.snapshot.ended:
            yield Unmet("ended", value_shown(wanted.ended), value_shown(call.snapshot.ended))
        return
    if not call.snapshot.ended:
        yield Unmet("ended", _ended_shown(wanted.ended), "the call has not ended")
        return
    cause = call.record().cause
    found = Ended(cause.by, cause.event, cause.detail.get("cause"))
    if any(want is not None and want != have for want, have in zip(wanted.ended, found, strict=True)):
        yield Unmet("ended", _ended_shown(wanted.ended), _ended_shown(found))


def _at(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.at is not None:
        least, most = wanted.at
        if not least - call.tolerance <= call.elapsed <= most + call.tolerance:
            bounds = time_shown(least) if least == most else f"{time_shown(least)} to {time_shown(most)}"
            yield Unmet("at", bounds, time_shown(call.elapsed))


_LOOKS = (_state, _states, _heard, _effects, _vars, _tools, _log, _outcome, _ended, _at)


def in_order(wanted: Sequence[Any], found: Sequence[Any], fits: Callable[[Any, Any], bool]) -> bool:
    """Whether `found` is what is wanted, from its first to its last, `...` being anything between."""
    reached = {0}  # how many of `wanted` may be behind us
    for one in found:
        following = {place for place in reached if place < len(wanted) and wanted[place] == ANYTHING}
        after_gaps = {place + 1 for place in following} | reached
        following |= {
            place + 1
            for place in after_gaps
            if place < len(wanted) and wanted[place] != ANYTHING and fits(wanted[place], one)
        }
        following |= {place for place in after_gaps if place < len(wanted) and wanted[place] == ANYTHING}
        if not following:
            return False
        reached = following
    ends = reached | {place + 1 for place in reached if place < len(wanted) and wanted[place] == ANYTHING}
    return len(wanted) in ends


def same(found: Any, wanted: Any) -> bool:
    """Equal, and of one type: 1 is not true."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


# -- in words


def time_shown(seconds: float) -> str:
    """`4 s`, `4.35 s`."""
    return f"{round(seconds, 3):g} s"


def shown(text: Text | str) -> str:
    if isinstance(text, str):
        return text
    if text.exactly is not None:
        return f'"{text.exactly}"'
    return (
        f'a part "{text.part}"'
        if text.part is not None
        else f"the pattern {text.pattern.pattern if text.pattern else ''}"
    )


def effect_shown(verb: str, arguments: Any) -> str:
    """An effect as its author would write it: with its main argument, or what else is there."""
    main = verb_of(verb).main
    given = {name: value for name, value in arguments.items() if value is not None}
    if main in given and (len(given) == 1 or len(str(given[main])) > 0):
        return f"{verb}: {given[main]}"
    return verb


def value_shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _listed(words: Sequence[Any]) -> str:
    return f"[{', '.join(map(str, words))}]"


def _speeches(call: Seen, since: Since, by: str) -> str:
    return _listed([f'"{one.text}{"…" if one.cut else ""}"' for one in call.heard[since.speech :] if by in one.legs])


def _ended_shown(ended: Ended) -> str:
    return ", ".join(f"{name} {value}" for name, value in ended._asdict().items() if value is not None)
