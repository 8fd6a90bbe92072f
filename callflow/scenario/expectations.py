"""What a scenario expects and is not so, beside what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.queries import tools_offered
from callflow.core.snapshot import Start
from callflow.scenario.call import Heard, Seen
from callflow.scenario.difference import MISSING, TOO_MUCH, aligned, difference
from callflow.scenario.model import ANYTHING, Begun, Conditions, Ended, Text
from callflow.scenario.watching import (
    ASKED,
    Since,
    begun,
    ended_by,
    equal,
    holds,
    is_begun,
    is_heard,
    leaves,
    lines,
    listener,
    outcome_of,
    same,
)

CLOSEST = 5
"""Of what is there where something else is expected, as many are shown."""

NEAR = 0.6
"""How much of two texts is the same where one stands for the other."""


class Unmet(NamedTuple):
    """One condition that does not hold: what was expected, and what is seen; of lists, line by line, how they differ: `- ` is missing,
    `+ ` too much."""

    what: str
    expected: str
    seen: str
    difference: tuple[str, ...] = ()
    instead: tuple[int | str, ...] = ()
    """Of `heard` what would hold: texts, and places of those that are expected and stay."""


def unmet(wanted: Conditions, call: Seen, since: Since) -> list[Unmet]:
    """Every condition that does not hold now."""
    asked = ((name, holds(name, wanted, call, since)) for name in ASKED)
    return [
        one for name, is_so in asked if is_so is not None and not is_so() for one in _TELLS[name](wanted, call, since)
    ]


def _state(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    yield Unmet("state", ", ".join(wanted.state), call.where)


def _states(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    states = wanted.states or ()
    entered = [path for one in call.taken[since.step :] for path in leaves(call, one)]
    yield Unmet("states", listed(states), listed(entered), difference(states, entered, equal, str, str))


def _heard(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    heard, found = wanted.heard or (), call.heard[since.speech :]
    by = heard.by if isinstance(heard, Text) else listener(heard)
    texts = [one for one in found if by in one.legs]
    if isinstance(heard, Text):
        yield _one_heard(heard, texts)
    else:
        yield Unmet(
            "heard",
            listed([shown(one) for one in heard]),
            listed(map(_speech, texts)),
            difference(heard, texts, is_heard, shown, _speech, _nearly_heard),
            tuple(_instead(heard, texts)),
        )


def _instead(wanted: Sequence[Text | str], found: Sequence[Heard]) -> Iterator[int | str]:
    for here, there in aligned(wanted, found, is_heard, _nearly_heard):
        gap = here is not None and wanted[here] == ANYTHING
        if there is not None and not gap and (here is None or not is_heard(wanted[here], found[there])):
            yield _as_heard(found[there])
        elif here is not None and gap == (there is None):
            yield here


def _nearly_heard(wanted: Any, heard: Heard) -> bool:
    return isinstance(wanted, Text) and _alike(_words(wanted), heard.text) > NEAR


def _words(text: Text) -> str:
    return text.exactly or text.part or (text.pattern.pattern if text.pattern else "")


def _one_heard(text: Text, found: Sequence[Heard]) -> Unmet:
    unmet = _among("heard", shown(text), [_speech(one) for one in found])
    nearest = max(found, key=lambda one: _alike(_words(text), one.text), default=None)
    return unmet if nearest is None else unmet._replace(instead=(_as_heard(nearest),))


def _as_heard(heard: Heard) -> str:
    return f"{heard.text}…" if heard.cut else heard.text


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:500], other[:500]).ratio()


def _effect(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.effect is not None:
        started = [_started(one, wanted.effect.arguments) for one in _all_begun(call, since)]
        yield _among("effect", _begun(wanted.effect), started)


def _effects(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    effects, found = wanted.effects or (), _all_begun(call, since)
    yield Unmet(
        "effects",
        listed(map(_begun, effects)),
        listed(map(_started, found)),
        difference(effects, found, is_begun, _begun, _started, _same_verb),
    )


def _all_begun(call: Seen, since: Since) -> list[Start]:
    return [one for taken in call.taken[since.step :] for one in begun(taken)]


def _same_verb(wanted: Any, start: Start) -> bool:
    return isinstance(wanted, Begun) and wanted.verb == start.verb


def _begun(wanted: Begun | str) -> str:
    return wanted if isinstance(wanted, str) else effect_shown(*wanted, also=wanted.arguments)


def _started(start: Start, also: Iterable[str] = ()) -> str:
    return effect_shown(start.verb, start.arguments, also=also)


def _vars(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    for name, value in wanted.vars.items():
        found = call.snapshot.vars.get(name)
        if not same(found, value):
            yield Unmet(f"vars.{name}", value_shown(value), value_shown(found))


def _tools(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    tools, offered = sorted(wanted.tools or ()), sorted(tools_offered(call.flow, call.snapshot))
    yield Unmet("tools", listed(tools), listed(offered), difference(tools, offered, equal, str, str))


def _log(wanted: Conditions, call: Seen, since: Since) -> Iterator[Unmet]:
    if wanted.log is not None:
        logged = [f'"{line}"' for taken in call.taken[since.step :] for line in lines(taken)]
        yield _among("log", shown(wanted.log), logged)


def _outcome(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    yield Unmet("outcome", str(wanted.outcome), outcome_of(call))


def _ended(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    ended = wanted.ended
    if isinstance(ended, Ended):
        found = _ended_shown(ended_by(call.cause)) if call.snapshot.ended else "the call has not ended"
        yield Unmet("ended", _ended_shown(ended), found)
    else:
        yield Unmet("ended", value_shown(ended), value_shown(call.snapshot.ended))


def _at(wanted: Conditions, call: Seen, _since: Since) -> Iterator[Unmet]:
    if wanted.at is not None:
        least, most = wanted.at
        bounds = time_shown(least) if least == most else f"{time_shown(least)} to {time_shown(most)}"
        yield Unmet("at", bounds, time_shown(call.elapsed))


_TELLS: Mapping[str, Callable[[Conditions, Seen, Since], Iterator[Unmet]]] = {
    "state": _state, "states": _states, "heard": _heard, "effect": _effect, "effects": _effects, "vars": _vars,
    "tools": _tools, "log": _log, "outcome": _outcome, "ended": _ended, "at": _at,
}  # fmt: skip


def _among(what: str, wanted: str, found: Sequence[str]) -> Unmet:
    """One that is expected among others: beside it what is there, the nearest first."""
    nearest = sorted(found, key=lambda one: -_alike(wanted, one))[:CLOSEST]
    lines = [TOO_MUCH + one for one in found if one in nearest]
    return Unmet(what, wanted, listed(found), (MISSING + wanted, *lines) if found else ())


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


def effect_shown(verb: str, arguments: Any, *, also: Iterable[str] = ()) -> str:
    """An effect as its author would write it: with its main argument, and others that are asked for."""
    main = verb_of(verb).main
    given = {name: value for name, value in arguments.items() if value is not None}
    shown_ = {name: given[name] for name in also if name != main and name in given}
    if shown_:
        return f"{verb}: {{{', '.join(f'{name}: {one}' for name, one in {**_main(main, given), **shown_}.items())}}}"
    return f"{verb}: {given[main]}" if main in given else verb


def _main(main: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    return {} if main is None or main not in given else {main: given[main]}


def value_shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def listed(words: Iterable[Any]) -> str:
    return f"[{', '.join(map(str, words))}]"


def _speech(heard: Heard) -> str:
    return f'"{_as_heard(heard)}"'


def _ended_shown(ended: Ended) -> str:
    return ", ".join(f"{name} {value}" for name, value in ended._asdict().items() if value is not None)
