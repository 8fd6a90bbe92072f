"""Writes the pages of this folder from the catalogues: `python docs/reference/generate.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from callflow.core import speaking
from callflow.core.actions import COMMON_ARGUMENTS, EVERY_VERB, OUTCOMES, VERBS, Argument, Verb
from callflow.core.durations import format_duration
from callflow.core.events import CALL_FIELDS, EVENTS, OPEN_FAMILIES, WRAP_UP_FIELDS, EventType
from callflow.core.expressions import DURATION, FUNCTIONS, Record
from callflow.core.occurs import LegIs, Occurs
from callflow.core.speaking import BEGINS, FASTEST, SLOWEST
from callflow.core.verbs import limits
from callflow.core.verbs.verb import End, Heard
from callflow.flowfile import keys, session
from callflow.livekit_bindings.causes import CAUSES, reason_name
from callflow.livekit_bindings.dial_results import RESULTS
from callflow.livekit_bindings.livekit_internals import CHECKED, declared
from callflow.proof.codes import EVERY_CODE as CODES
from callflow.scenario import keys as scenario_keys
from callflow.scenario.speeches import HANGS_UP
from callflow.scenario.telephones import (
    ANSWERS_AFTER,
    DECIDES_AFTER,
    HANDS_OVER,
    LOOKS_FOR,
    REFUSES_AFTER,
    RINGS_AFTER,
    TAKES,
)
from callflow.scenario.world import LASTS

EVENTS_INTRODUCTION = """# Events

A key of `on:` is an event's name, or ends in `.*` or `-*`. Every event has a `time`, in seconds since the epoch, and a
`name`. *Kept* says what a state that must finish does with an event that it does not let through
([rule 11](language.md#states-and-their-order)): keep all of them, keep the latest of the name, or let it go. *In a flood*
says what becomes of it once 1000 inputs wait for a call and no row of the flow takes it: it is kept all the same, only
the newest of its name follows when there is room, or it is dropped; the record counts what was lost (`dropped`). What a
row takes is always kept. *Can happen* says what must be so before: how the leg that it tells of stands (`absent`: not heard of
yet; `gone`: it has hung up, and may come again), and what has not ended yet. *Private* fields never reach a file.
"""

ENDS_INTRODUCTION = f"""*When that can happen* says when a verb ends by itself, and how soon; a failure, its time limit and a cancellation can always end
it. How long it takes to say something is reckoned in letters: {FASTEST:g} s for each at least, {SLOWEST:g} s and
{format_duration(BEGINS)} before the first at most. *Heard* says what sounds while it runs, for whoever is on the line and not on
hold.
"""

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/reference/generate.py from the code. Change the code, then run `make generate`. -->\n\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def keys_page() -> str:
    parts = [
        (
            "# Keys of a flow file\n\nWhat they mean together is in [the language](language.md). A key that is not listed here is an "
            "error, but for `x-…`: the author's own notes, anywhere.\n"
        )
    ]
    groups: Sequence[tuple[str, Mapping[str, str]]] = (
        ("The top level", keys.TOP_LEVEL),
        ("A state", keys.STATE),
        ("A transition", keys.TRANSITION),
        ("A variable (`vars`)", keys.VARIABLE),
        ("A field (`events`, `parameters`, `returns`)", keys.FIELD),
        ("A tool (`tools`)", keys.TOOL),
        ("Python code (`python`)", keys.PYTHON),
        ("Limits (`limits`)", keys.LIMITS),
        ("Limits of a state (`limits`)", keys.STATE_LIMITS),
        ("What is accepted (`accept`)", keys.ACCEPT),
        ("The agent (`agent`)", keys.AGENT),
        ("A task (`task`)", keys.TASK),
        ("Models of the session (`session`)", session.MODELS),
        (
            "Options of the session (`session`)",
            {name: f"{text} ({kind})" for name, (kind, text) in session.OPTIONS.items()},
        ),
    )
    for title, group in groups:
        parts.append(
            f"## {title}\n\n" + table(("key", "what it says"), [(f"`{name}`", text) for name, text in group.items()])
        )
    parts.append(
        "## Outcomes that every flow has\n\n"
        + ", ".join(f"`{name}`" for name in OUTCOMES)
        + ". `outcomes:` adds to them.\n"
    )
    return "\n".join(parts)


def events_page() -> str:
    parts = [EVENTS_INTRODUCTION]
    families: dict[str, list[EventType]] = {}
    for event in EVENTS.values():
        families.setdefault(event.name.partition(".")[0], []).append(event)
    for family, events in families.items():
        rows = [
            (
                f"`{one.name}`",
                one.description or "LiveKit's own event of this name.",
                _possible(one.occurs),
                _fields(one),
                one.keep,
                one.flooded,
            )
            for one in events
        ]
        parts.append(f"## {family}\n\n" + table(("event", "when", "can happen", "payload", "kept", "in a flood"), rows))
    rows2 = [(f"`{family}.<name>`", text) for family, text in OPEN_FAMILIES.items()]
    parts.append("## Families with names of your own\n\n" + table(("event", "when"), rows2))
    return "\n".join(parts)


_WHILE = {
    "conversation": "until somebody closes the session",
    "session": "while the session is open",
    "closing": "once more, when it is closed",
    "room": "while the agent is in the room",
    "line": "while the flow has not dropped the line",
    "job": "while the job is not told to end",
    "away": "while the agent's connection is away",
    "detection": "once, after a `dial` with `detect_machine` was answered",
    "recording": "while a recording runs",
}


def _possible(ways: Sequence[Occurs]) -> str:
    return "; or ".join(dict.fromkeys(map(_way, ways)))


def _way(way: Occurs) -> str:
    if way.raised:
        return "raised by the step"
    if way.as_result:
        return "as the end of its verb"
    if way.legs is not None:
        stands = f"its leg is {' or '.join(f'`{one}`' for one in get_args(LegIs) if one in way.legs)}"
        return ", ".join((stands, *(f"not {_WHILE[fact]}" for fact in _WHILE if fact in way.lacks)))
    needs = [fact for fact in _WHILE if fact in way.needs]
    return ", ".join(
        [_WHILE[fact] for fact in needs if fact not in ("room", "session") or len(needs) == 1]
        + [f"not {_WHILE[fact]}" for fact in _WHILE if fact in way.lacks and fact != "conversation"]
        + ([f"`{way.where[0]}` {way.where[1]}"] if way.where else [])
    )


def _fields(event: EventType) -> str:
    def said(name: str) -> str:
        notes = ["private"] * (name in event.pii) + ["in place of the event's own"] * (name in ("name", "time"))
        return f" ({', '.join(notes)})" if notes else ""

    return ", ".join(f"`{name}` {kind}{said(name)}" for name, kind in event.fields.items()) or "-"


def actions_page() -> str:
    common = table(("argument", "what it says"), [(f"`{name}`", text) for name, text in COMMON_ARGUMENTS.items()])
    parts = [
        "# Actions\n\nHow lists of them run, and what becomes of them when a state is left, is in "
        "[the rules](language.md#lists-of-actions). An action is a verb alone (`delete_room`), with its main argument (`say: Hello.`), or with its arguments. "
        "Every action that takes time also has:\n\n" + common
    ]
    parts.append(ENDS_INTRODUCTION)
    parts += [_verb(verb) for verb in VERBS.values()]
    return "\n".join(parts)


def _verb(verb: Verb) -> str:
    text = [
        f"## {verb.name}\n",
        verb.description + "\n",
    ]
    if verb.arguments:
        rows = [
            (f"`{name}`{' (main)' if name == verb.main else ''}", str(one.type), _default(one), one.description)
            for name, one in verb.arguments.items()
        ]
        text.append(table(("argument", "type", "default", "what it says"), rows))
    if ways := [(what, when) for what, when in ((_result(verb, one), _when(one)) for one in verb.ends) if when]:
        text.append(table(("it ends", "when that can happen"), ways))
    facts = [f"Timeout: {_timeout(verb)}."]
    if verb.tries > 1:
        facts.append(f"Tries: {verb.tries}.")
    if verb.results:
        facts.append("Ends with one of " + ", ".join(f"`{one}`" for one in verb.results) + ".")
    if verb.result:
        facts.append("Result (`as`): " + ", ".join(f"`{name}` {kind}" for name, kind in verb.result.items()) + ".")
    if verb.closes:
        facts.append("Closes: " + ", ".join(sorted(verb.closes)) + ".")
    if verb.heard:
        facts.append("Heard: " + "; ".join(map(_heard, verb.heard)) + ".")
    return "\n".join([*text, " ".join(facts) + "\n"])


_TAKES = {
    limits.at_once: "at once",
    limits.said: "once the text was said",
    limits.played: "never with `loop`",
    limits.briefed: "once the briefing was said, unless `accept` is given",
    limits.no_key: "`first_digit` after the prompt",
    limits.keys: f"{format_duration(limits.ON_THE_WIRE)} for each key and {format_duration(limits.PAUSE)} for each `w`",
}


def _result(verb: Verb, end: End) -> str:
    if end.where is None:
        return "in any other way" if len(verb.ends) > 1 else "`ok`"
    field, value = end.where
    return f"`{verb.family}.{value}`" if field == "result" else _SPEECH[field, value]


_SPEECH = {
    ("heard", False): "unheard",
    ("interrupted", True): "interrupted",
    ("interrupted", False): "heard to its end",
}


def _when(end: End) -> str:
    legs = end.occurs.legs
    said = [_TAKES[end.lasts]] if end.lasts in _TAKES else []
    said += [_WHILE[fact] for fact in _WHILE if fact in end.occurs.needs]
    if legs is not None:
        said.append(f"its leg is {' or '.join(f'`{one}`' for one in get_args(LegIs) if one in legs)}")
    return ", ".join(said)


_BY = {
    "listener": "by `to`, or everybody",
    "leg": "by its leg",
    "everyone": "by everybody",
    "far_end": "by the far end",
}


def _heard(one: Heard) -> str:
    ifs = (f"with `{one.given}`" if one.given else "", f"without `{one.unless}`" if one.unless else "")
    return " ".join((one.what, _BY[one.by], *filter(None, ifs), *(["from its end on"] if one.afterwards else [])))


def _timeout(verb: Verb) -> str:
    if verb.at_once:
        return "none, it is done at once"
    if verb.timeout_is:
        return verb.timeout_is
    return "none" if verb.timeout is None else format_duration(verb.timeout)


def _default(argument: Argument) -> str:
    value: Any = argument.default
    if argument.required:
        return "must be given"
    if value is None or value == "":
        return "-"
    if argument.type is DURATION:
        return format_duration(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def expressions_page() -> str:
    functions = [(f"`{one.usage}`", one.doc, f"`{one.example}`", f"`{one.gives}`") for one in FUNCTIONS.values()]
    call = [(f"`call.{name}`", str(kind), text) for name, (kind, text) in CALL_FIELDS.items()]
    late = [
        (f"`call.{name}`", str(kind) if not isinstance(kind, Record) else "record", text)
        for name, (kind, text) in WRAP_UP_FIELDS.items()
    ]
    return (
        "# Guards and templates\n\nThe names and functions of the language that stands in `when:` and inside `{{ }}`. Its operators, "
        "types and absent values are in [the language](language.md#guards-and-templates).\n\n"
        "## Names\n\n"
        + table(
            ("name", "what it is"),
            [
                (
                    "`event.<field>`",
                    "the payload of the event on which the row stands; `event.name` and `event.time` are the event's own unless its payload has a field of that name; not in `entry` and `exit`",
                ),
                ("`vars.<name>`", "a variable, or what `as:` has kept: `vars.answer.status`"),
                ("`call.<field>`", "the call, below"),
                ("`env.<NAME>`", "an environment variable that the flow names under `env:`"),
                ("`state.visits`", "how often the state was entered, this time included"),
            ],
        )
        + "\n## The call\n\n"
        + table(("name", "type", "what it is"), call)
        + "\nIn `wrap_up` also:\n\n"
        + table(("name", "type", "what it is"), late)
        + "\n## Functions\n\n"
        + table(("function", "what it gives", "example", "value"), functions)
    )


def defects_page() -> str:
    parts = [
        "# Defects of flow files\n\nThe codes that `callflow check` prints; `callflow explain CODE` shows the same on the command line.\n"
    ]
    for code, entry in CODES.items():
        text = f"## {code}\n\n{entry.title}. {entry.meaning}\n"
        for name, example in (("Wrong", entry.wrong), ("Right", entry.right)):
            if example:
                text += f"\n{name}:\n\n```yaml\n{example.strip(chr(10))}\n```\n"
        parts.append(text)
    return "\n".join(parts)


_SAYS = {
    "ours": "What callflow did itself",
    "SIP": "SIP's final status (`event.sip_status_code`)",
    "message": "What LiveKit's API says in words",
    "API": "The code of LiveKit's API, where it tells no SIP status",
    "client": "The request's own end",
    "room": "The reason for which the leg left the room, where the request says nothing",
}


def dial_results_page() -> str:
    parts = [
        (
            "# From SIP code to event\n\nEvery `dial` ends with one `dial.*`. `dial.answered` is the answer; which of the others it is "
            "depends on what SIP, LiveKit's API and the room say together. The parts of this page stand in the order in which "
            "they are believed. `event.cause` is the word in the third column; `event.sip_status_code`, `event.sip_status` and "
            "`event.error` say it as it came, `event.elapsed` how long it took.\n\n"
            "`Retry-After` and `Reason` do not get through LiveKit. 401 and 407 come without a SIP code. A carrier may answer 480 "
            "for a telephone that is off, for somebody who declined, and for a network that is full: `event.elapsed` tells "
            "more than the code.\n"
        )
    ]
    for kind, title in _SAYS.items():
        rows = [
            (f"`{key}`" if kind != "ours" else key, f"`dial.{row.result}`", f"`{row.cause}`", row.meaning)
            for (of, key), row in RESULTS.items()
            if of == kind
        ]
        parts.append(f"## {title}\n\n" + table(("it says", "event", "`cause`", "what it means"), rows))
    parts.append(
        "A code that is not listed counts as the first of its hundred, as SIP wants it. Any other reason to leave is "
        "`dial.failed`, with the cause of a hang-up for that reason, below.\n"
    )
    hangups = [(f"`{reason_name(reason)}`", f"`{cause.by}`", f"`{cause.cause}`") for reason, cause in CAUSES.items()]
    parts.append(
        "## Who hung up\n\n`call.hangup` says `by` whom and for which `cause`. What the flow did itself is the `agent`'s "
        "doing, whatever LiveKit says; otherwise:\n\n"
        + table(("LiveKit's `disconnect_reason`", "`by`", "`cause`"), hangups)
    )
    parts.append(
        "Of a telephone LiveKit says `CLIENT_INITIATED` nearly always. Then it counts what the bridge said last, and the time:\n\n"
        + table(
            ("of a telephone", "`by`", "`cause`"),
            [
                ("it hung up", "`caller`", "`hung_up`"),
                ("it was handed over by `transfer`", "`agent`", "`transferred`"),
                ("the `max_call_duration` of its dial was over", "`agent`", "`max_call_duration`"),
                ("its audio did not come for 30 s, or stopped for 15 s", "`network`", "`no_audio`"),
            ],
        )
    )
    return "\n".join(parts)


def scenarios_page() -> str:
    rows = [(f"`{verb.name}`", *_by_itself(verb)) for verb in EVERY_VERB.values() if not (verb.at_once or verb.forced)]
    groups: Sequence[tuple[str, Mapping[str, str]]] = (
        ("The file", scenario_keys.FILE),
        ("A scenario", scenario_keys.SCENARIO),
        ("A caller played by a model", scenario_keys.PERSONA),
        ("Models", scenario_keys.MODELS),
        ("Steps beside events and actions", scenario_keys.STEPS),
        ("Beside a step", scenario_keys.MODIFIERS),
        ("What is expected", scenario_keys.CONDITIONS),
        ("A text that is expected", scenario_keys.TEXT),
        ("How a call ended", scenario_keys.ENDED),
        ("How an effect ends", scenario_keys.ENDING),
    )
    parts = [(HERE / "scenarios.introduction.txt").read_text(encoding="utf-8")]
    for title, group in groups:
        parts.append(
            f"## {title}\n\n" + table(("key", "what it says"), [(f"`{one}`", text) for one, text in group.items()])
        )
    parts.append(
        "## What ends by itself\n\nUnless a scenario says otherwise. Speech takes "
        f"{format_duration(speaking.LETTER)} for each letter, what nobody knows the words of {format_duration(speaking.REPLY)}.\n\n"
        + table(("action", "how", "after"), rows)
    )
    return "\n".join(parts)


def _by_itself(verb: Verb) -> tuple[str, str]:
    """How an effect ends in a scenario that does not say, and when."""
    how = f"`{verb.results[0]}`" if verb.results and verb.name not in UNASKED else "ok"
    return UNASKED[verb.name] if verb.name in UNASKED else (how, format_duration(LASTS.get(verb.name, 0.0)))


UNASKED: Mapping[str, tuple[str, str]] = {
    "say": ("ok", "its text"),
    "generate_reply": ("ok", format_duration(speaking.REPLY)),
    "play": ("ok; never with `loop`", format_duration(speaking.REPLY)),
    "wait_for_speech": ("ok", "what is being said"),
    "drain": ("ok", "what is being said, and its `tail`"),
    "hang_up": ("ok", f"its goodbye, and {format_duration(HANGS_UP)}"),
    "stand_by": ("ok", "once fewer than two parties are on the line"),
    "answer": ("ok, after `call.answered`", format_duration(TAKES)),
    "dial": (
        "`dial.answered`, after `call.ringing` and `call.answered`; with `detect_machine` `amd.human` follows",
        (
            f"{format_duration(ANSWERS_AFTER)}, it rings after {format_duration(RINGS_AFTER)}; busy and its like {format_duration(REFUSES_AFTER)}; "
            f"`no_answer` its `ringing_timeout`; the verdict {format_duration(LOOKS_FOR)} later, `amd.uncertain` as its time is up"
        ),
    ),
    "cancel_dial": ("ok, and the dial with `dial.no_answer`", "0s"),
    "detect_machine": ("`amd.human`", format_duration(LOOKS_FOR)),
    "send_dtmf": ("ok", "its keys"),
    "collect_digits": ("by the keys that are pressed; `dtmf.no_input` without", "its prompts and its times"),
    "transfer": ("`transfer.completed`; `call.hangup` by `agent` follows", format_duration(HANDS_OVER)),
    "consult": (
        "`consult.accepted`, or as the keys say that are pressed",
        f"{format_duration(ANSWERS_AFTER)}, the briefing, and {format_duration(DECIDES_AFTER)} where there is something to decide",
    ),
    "http": ("ok, with the status 200 and an empty body", format_duration(LASTS["http"])),
    "python": ("ok, with a value of its type for each field", format_duration(LASTS["python"])),
    "task": ("never", "-"),
}


def livekit_internals_page() -> str:
    releases = ", ".join(CHECKED.values())
    parts = [
        f"""# What callflow reads of LiveKit's own

What follows is not promised by LiveKit, and may be moved by any release of it. callflow was checked with
{releases}. Where a name is not found, a call goes on without it; the log
of the worker says once, as a warning, which one it is and what is lost. Nothing else that runs for a call reads what LiveKit
keeps for itself. A test takes each of them away in turn, and plays calls in simulated rooms without it.
"""
    ]
    for module, release in CHECKED.items():
        rows = [
            (f"`{one.owner.removeprefix('livekit.')}.{one.name}`", one.lost)
            for one in sorted(declared(), key=lambda one: (one.owner, one.name))
            if one.checked == release
        ]
        parts.append(f"## {module} ({release})\n\n" + table(("name", "what is lost without it"), rows))
    return "\n".join(parts)


PAGES = {
    "livekit-internals.md": livekit_internals_page,
    "scenarios.md": scenarios_page,
    "dial-results.md": dial_results_page,
    "keys.md": keys_page,
    "events.md": events_page,
    "actions.md": actions_page,
    "expressions.md": expressions_page,
    "defects.md": defects_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(MADE + page(), encoding="utf-8")


if __name__ == "__main__":
    main()
