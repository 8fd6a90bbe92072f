"""What a scenario expects, beside what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG
from callflow.core.queries import offers
from callflow.core.snapshot import Start
from callflow.core.table import table_of
from callflow.scenario.call import Heard, Seen
from callflow.scenario.difference import MISSING, TOO_MUCH, aligned, difference
from callflow.scenario.model import ANYTHING, Begun, Conditions, Ended, Text

CLOSEST = 5
"""Of what is there where something else is expected, as many are shown."""


CUT_ABOUT = 10
"""Letters, half a second of speech: by so many more or fewer what was cut is still the same."""

NEAR = 0.6
"""How much of two texts is the same where one stands for the other."""


class Since(NamedTuple):
    """From where on a scenario looks: the first step, and the first speech."""

    step: int = 0
    speech: int = 0


class Unmet(NamedTuple):
    """One condition that does not hold: what was expected, and what is seen; of lists, line by line, how they differ: `- ` is missing,
    `+ ` too much."""

    what: str
    expected: str
    seen: str
    difference: tuple[str, ...] = ()
    instead: tuple[int | str, ...] = ()
    """Of `heard` what would hold: texts, and places of those that are expected and stay."""


Miss = Callable[[], Unmet]
"""Tells of a condition that does not hold; most that do not are asked again, and never told."""


def met(wanted: Conditions, call: Seen, since: Since) -> bool:
    """Whether every condition holds now."""
    return not any(True for look in _LOOKS for _ in look(wanted, call, since))


def unmet(wanted: Conditions, call: Seen, since: Since) -> list[Unmet]:
    """Every condition that does not hold now."""
    return [one() for look in _LOOKS for one in look(wanted, call, since)]


def _state(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    if not wanted.state:
        return
    table = table_of(call.flow)
    active = configuration_of(table, call.snapshot.configuration).active
    if len(call.taken) > since.step + 1:  # what has brought the call out of a state was the last thing in it
        for one in call.lately:
            active |= configuration_of(table, one.step.snapshot.configuration).active
    if any(one not in active for one in wanted.state):
        yield lambda: Unmet("state", ", ".join(wanted.state), call.where)


def _states(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    states = wanted.states
    if states is None:
        return
    leaves = [path for path in call.states(since.step) if not call.flow.states[path].children]
    if not in_order(states, leaves, _equal):
        yield lambda: Unmet("states", listed(states), listed(leaves), difference(states, leaves, _equal, str, str))


def _equal(wanted: Any, found: Any) -> bool:
    return bool(wanted == found)


def _heard(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    heard = wanted.heard
    if heard is None:
        return
    found = call.heard[since.speech :]
    if isinstance(heard, Text):
        text = heard
        if not any(text.by in one.legs and _is_heard(text, one) for one in found):
            yield lambda: _one_heard(text, [one for one in found if text.by in one.legs])
        return
    by = next((one.by for one in heard if isinstance(one, Text)), MAIN_LEG)
    texts = [one for one in found if by in one.legs]
    if not in_order(heard, texts, _is_heard):
        yield lambda: Unmet(
            "heard",
            listed([shown(one) for one in heard]),
            listed(map(_speech, texts)),
            difference(heard, texts, _is_heard, shown, _speech, _nearly_heard),
            tuple(_instead(heard, texts)),
        )


def _instead(wanted: Sequence[Text | str], found: Sequence[Heard]) -> Iterator[int | str]:
    for here, there in aligned(wanted, found, _is_heard, _nearly_heard):
        gap = here is not None and wanted[here] == ANYTHING
        if there is not None and not gap and (here is None or not _is_heard(wanted[here], found[there])):
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


def _is_heard(wanted: Any, heard: Heard) -> bool:
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


def _effects(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    effect, effects = wanted.effect, wanted.effects
    if effects is None and effect is None:
        return
    begun = [one for taken in call.taken[since.step :] for one in taken.step.effects if isinstance(one, Start)]
    if effect is not None and not any(_is(effect, one) for one in begun):
        yield lambda: _among("effect", _begun(effect), [_started(one, effect.arguments) for one in begun])
    if effects is not None and not in_order(effects, begun, _is):
        yield lambda: Unmet(
            "effects",
            listed(map(_begun, effects)),
            listed(map(_started, begun)),
            difference(effects, begun, _is, _begun, _started, _same_verb),
        )


def _is(wanted: Any, start: Start) -> bool:
    if not isinstance(wanted, Begun):
        return False
    given = start.arguments
    return wanted.verb == start.verb and all(
        name in given and given[name] == one for name, one in wanted.arguments.items()
    )


def _same_verb(wanted: Any, start: Start) -> bool:
    return isinstance(wanted, Begun) and wanted.verb == start.verb


def _begun(wanted: Begun | str) -> str:
    return wanted if isinstance(wanted, str) else effect_shown(*wanted, also=wanted.arguments)


def _started(start: Start, also: Iterable[str] = ()) -> str:
    return effect_shown(start.verb, start.arguments, also=also)


def _vars(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    values = call.snapshot.vars
    for name, value in wanted.vars.items():
        if not same(values.get(name), value):
            yield lambda name=name, value=value: Unmet(  # type: ignore[misc] # which one this is
                f"vars.{name}", value_shown(value), value_shown(values.get(name))
            )


def _tools(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    if wanted.tools is not None:
        tools, offered = sorted(wanted.tools), sorted(offers(call.flow, call.snapshot, call.now).tools)
        if tools != offered:
            yield lambda: Unmet("tools", listed(tools), listed(offered), difference(tools, offered, _equal, str, str))


def _log(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    log = wanted.log
    if log is not None:
        lines = [
            str(note.data["message"])
            for taken in call.taken[since.step :]
            for note in taken.step.notes
            if note.kind == "log"
        ]
        if not any(map(log.matches, lines)):
            yield lambda: _among("log", shown(log), [f'"{line}"' for line in lines])


def _outcome(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    outcome = wanted.outcome
    if outcome is not None:
        memory = call.snapshot.memory
        found = memory.outcome or ("failed" if memory.fault else "none")
        if found != outcome:
            yield lambda: Unmet("outcome", outcome, found)


def _ended(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    ended = wanted.ended
    if ended is None:
        return
    if isinstance(ended, bool):
        if ended != call.snapshot.ended:
            yield lambda: Unmet("ended", value_shown(ended), value_shown(call.snapshot.ended))
        return
    if not call.snapshot.ended:
        yield lambda: Unmet("ended", _ended_shown(ended), "the call has not ended")
        return
    cause = call.record().cause
    found = Ended(cause.by, cause.event, cause.detail.get("cause"))
    if any(want is not None and want != have for want, have in zip(ended, found, strict=True)):
        yield lambda: Unmet("ended", _ended_shown(ended), _ended_shown(found))


def _at(wanted: Conditions, call: Seen, since: Since) -> Iterator[Miss]:
    if wanted.at is not None:
        least, most = wanted.at
        if not least - call.tolerance <= call.elapsed <= most + call.tolerance:
            bounds = time_shown(least) if least == most else f"{time_shown(least)} to {time_shown(most)}"
            yield lambda: Unmet("at", bounds, time_shown(call.elapsed))


_LOOKS = (_state, _states, _heard, _effects, _vars, _tools, _log, _outcome, _ended, _at)


def _among(what: str, wanted: str, found: Sequence[str]) -> Unmet:
    """One that is expected among others: beside it what is there, the nearest first."""
    nearest = sorted(found, key=lambda one: -_alike(wanted, one))[:CLOSEST]
    lines = [TOO_MUCH + one for one in found if one in nearest]
    return Unmet(what, wanted, listed(found), (MISSING + wanted, *lines) if found else ())


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
