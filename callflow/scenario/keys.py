"""The keys of a scenario file, each with what it says: the reader allows these and no others, and the JSON Schema and the
reference are generated from the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callflow.flowfile.keys import VERSION

__all__ = [
    "CONDITIONS",
    "ELSEWHERE",
    "ENDING",
    "FILE",
    "MODELS",
    "MODIFIERS",
    "PERSONA",
    "SCENARIO",
    "SHARED",
    "STEPS",
    "TEXT",
    "VERSION",
]

SHARED: Final[Mapping[str, str]] = {
    "at": "When the call begins, by whose clocks: `2026-11-27 18:30 Europe/Berlin`.",
    "vars": "The flow's variables as the call starts.",
    "env": "The environment variables that the flow names.",
    "call": 'What the program knows of the call: `{direction: inbound, number: "+15550100100"}`.',
    "effects": "How effects end, by verb, where it is not as by default: a result, or a list of them, one after the other.",
    "models": "The models of `callflow test --models`: of the `caller`, the `judge`, and the `agent` in place of the flow's own.",
    "with": "Values by names of one's own, which stand in the texts of the scenario and its parts as `{{ name }}`.",
}
"""What all scenarios of a file may share, and each may say for itself."""

FILE: Final[Mapping[str, str]] = {
    "callflow": "The version of the language: 1.",
    "flow": "The flow, from this file's folder.",
    "description": "What these scenarios are about.",
    **SHARED,
    "parts": "Steps that scenarios share, by name: a list of them, or the file among whose `parts` they stand.",
    "scenarios": "The scenarios, by name.",
}

SCENARIO: Final[Mapping[str, str]] = {
    "description": "What this scenario is about.",
    **SHARED,
    "waiting": "Whether the far end is not on the line yet; unless set it rings here as the call begins where the flow has `answer: manual`, and else is on the line.",
    "exactly": "Whether nothing happens but what the steps say: no effect ends and no timer comes due by itself.",
    "cases": "The same scenario in several ways, by name: what each says, beside what stands here or in its place.",
    "persona": "Who calls, for a model that plays the caller: in a text, or `{who, turns}`.",
    "judge": "Questions about a call that a model has played, each answered with yes or no and a reason; all must be yes.",
    "runs": "How many calls models play of it (1).",
    "passes": "How many of these must pass: `80%` (100%).",
    "steps": "What happens, and what is expected, one after the other.",
    "expect": "What is expected of the whole call, once it is over.",
    "never": "What must not be so at any moment of the call.",
}

PERSONA: Final[Mapping[str, str]] = {
    "who": "Who they are, what they want, and how they are.",
    "turns": "After how many turns they hang up (30).",
}

MODELS: Final[Mapping[str, str]] = {
    "caller": "Plays the caller; the agent's model unless set.",
    "judge": "Answers the questions; the caller's model unless set.",
    "agent": "The agent's; what the flow names under `session: {llm: …}` unless set.",
}
"""A model is a name that LiveKit Inference knows, or `{plugin, …}` with its options, as under `session` of a flow."""

STEPS: Final[Mapping[str, str]] = {
    "tool": "The model calls a tool: its name, `{name: arguments}`, or a list of both for several in one turn.",
    "caller": "The caller says this.",
    "model": "The model says this, without being asked to by an action.",
    "press": 'The caller presses these keys, one after the other; `{keys: "12#", leg: human}` for another party.',
    "timer": "Time passes until this timer comes due: `after 20s`, `every 45s`, `silence 8s`, `answer`, `away`.",
    "wait": "So much time passes.",
    "part": "The steps that stand under this name in `parts`; `with` gives them values.",
    "expect": "Time passes until all of this is so, as long as anything goes on by itself; `within` bounds it otherwise.",
    "never": "None of this is so, as long as anything goes on by itself; or for as long as `within` says.",
}
"""The steps that are no event and no verb."""

MODIFIERS: Final[Mapping[str, str]] = {
    "within": "How long an expectation is waited for, or something must not be so.",
    "effect": "The number of the effect that ends; of a tool's call that of the speech in which the model has called it.",
    "leg": "The leg of the effect that ends.",
    "offered_in": "The innermost states that were active when the model was offered the tool.",
    "id": "The id of the tool's call.",
    "state": "The state whose event it is.",
    "with": "The values of a part.",
}
"""What may stand beside the one thing that a step is."""

ENDING: Final[Mapping[str, str]] = {
    "ends": "How: ok, failed, timed_out, or never (only by its time limit).",
    "error": "Why it failed, in a sentence.",
    "after": "How long after its start; of a `consult` how long it rings.",
    "hangs_up": "Of `dial` and `consult`: so long after they have picked up they hang up.",
    "result": "Which of its results: the last part of the event's name, `busy` for `dial.busy`; or the fields of its result.",
}
"""How an effect ends, beside the fields of its result."""

CONDITIONS: Final[Mapping[str, str]] = {
    "state": "The call is in this state, or in all of these.",
    "states": "The states without an inside that were entered, in order; `...` stands for any.",
    "heard": "What the far end has heard: one text of it, or a list of all of it; `...` stands for anything.",
    "effects": "The actions that have begun, in order, as they stand in a flow; `...` stands for any.",
    "effect": "An action that has begun, as it stands in a flow, with at least these arguments.",
    "vars": "Variables, and their values.",
    "tools": "The tools that the model is offered, all of them.",
    "log": "A line of the log.",
    "outcome": "The call's outcome.",
    "ended": "Whether the call is over; or how it ended: `{by, event, cause}`, as the record's cause has them.",
    "at": "How long after the start of the call it is: a duration, or two for at least and at most.",
}

TEXT: Final[Mapping[str, str]] = {
    "exactly": "The whole text.",
    "part": "A part of it.",
    "pattern": "A regular expression that is found in it.",
    "by": "The leg that hears it; the far end unless set.",
}

ENDED: Final[Mapping[str, str]] = {
    "by": "Who ended it: caller, agent, program, worker, callee, system, network …",
    "event": "The event or the verb by which it ended: call.hangup, delete_room, dial.busy …",
    "cause": "Why the far end has left: hung_up, transferred …",
}

PRESS: Final[Mapping[str, str]] = {
    "keys": "The keys: 0-9, a-d, * and #.",
    "leg": "Whose telephone; the far end's unless set.",
}

ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("user", "human", "customer", "says", "speaks", "hears"), "caller: …"),
    **dict.fromkeys(("agent", "bot", "assistant", "llm", "reply"), "model: …"),
    **dict.fromkeys(("hangup", "hangs_up", "disconnect", "hung_up"), "call.hangup"),
    **dict.fromkeys(("dtmf", "key", "keys", "digits", "presses"), "press: …"),
    **dict.fromkeys(("sleep", "pause", "delay", "waits", "advance", "after"), "wait: 3s"),
    **dict.fromkeys(("assert", "then", "check", "expected", "until"), "expect: …"),
    **dict.fromkeys(("tools", "call", "calls", "function", "action"), "tool: …"),
    **dict.fromkeys(("answer", "answers", "answered"), "call.answered"),
    **dict.fromkeys(("silence", "every", "timeout"), "timer: silence 8s"),
    **dict.fromkeys(("include", "use", "steps", "macro"), "part: …"),
    **dict.fromkeys(("event", "events", "send", "when", "given"), "call.hangup, or what else it is called"),
}
"""What other languages call these steps."""
