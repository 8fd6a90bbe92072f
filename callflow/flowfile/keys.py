"""The keys of the language, each with what it says: the loader allows these and no others, and the JSON Schema and the
reference are generated from the same tables. `x-…`, the author's own notes, may stand among all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callflow.core.flow import LANGUAGE

VERSION: Final = LANGUAGE

TOP_LEVEL: Final[Mapping[str, str]] = {
    "callflow": "The version of the language: 1.",
    "name": "The flow's name: small letters, digits, `-` and `_`.",
    "description": "What the flow is for.",
    "vars": "The variables, each with a type; one without a default must be given when the call starts.",
    "env": "The only environment variables that the flow may read.",
    "events": "The author's own events, `app.…`, and the fields of their payloads.",
    "senders": "Who may send each of these events: program, agents, anyone, or a leg by its name; the program alone unless set.",
    "legs": "Parties that come by themselves, each told by its participant identity: `supervisor: {identity: supervisor}`.",
    "outcomes": "Outcomes beside the ones that every flow has.",
    "session": "Models and options of the AgentSession, so that a flow runs with no Python at all.",
    "agent": "The agent that a flow with no Python has: its instructions.",
    "tools": "The function tools that states offer to the model; with `own: true`, tools of the agent's own.",
    "python": "What the embedding program supplies, with its parameters and what it returns.",
    "answer": "Whether inbound calls are answered by LiveKit (automatic) or by the flow (manual, see `call.offered`).",
    "reconnect_grace": "How long a far end that vanished may stay away before it counts as hung up.",
    "limits": "What bounds every call: its length, silence, states entered without progress; for the proof, what nobody hears.",
    "accept": "What the proof finds in the flow, and is right, each by its code with the reason.",
    "on_crash": "What becomes of the line when the agent's process dies: hang_up, or resume by another process. Experimental: nothing acts on it yet.",
    "standard": "Whether the standard rows, the states `ending` and `closed`, and the limits are supplied.",
    "initial": "The state in which the call begins.",
    "ending": "The state to which a failure leads that nobody handles.",
    "on": "What events do in every state that does not say otherwise.",
    "after": "Once, so long after the start of the call.",
    "every": "Again and again from the start of the call.",
    "silence": "When nobody has said anything for so long.",
    "states": "The states.",
    "wrap_up": "Actions after the line is down and the session closed, before the job ends.",
    "use": "Other flow files, to be the inside of states: a name and a path from this file's folder.",
}

MAIN_ONLY: Final = frozenset(
    {"session", "agent", "answer", "reconnect_grace", "limits", "on_crash", "wrap_up", "standard"}
)
"""What holds for a file that runs by itself, and not where it is used as a sub-flow."""

STATE: Final[Mapping[str, str]] = {
    "description": "What the state is for.",
    "entry": "Actions on the way in.",
    "exit": "Actions on the way out: they always run to the end.",
    "on": "What events do here.",
    "after": "Once, so long after the state was entered.",
    "every": "Again and again, counted from the state's entry.",
    "silence": "When nobody has said anything for so long.",
    "always": "Rows that need no event: taken as soon as their guard holds.",
    "ignore": "Events that are handled here by doing nothing.",
    "tools": "The tools that the model may call here.",
    "instructions": "What the model is told here, beside the agent's own instructions.",
    "must_finish": "Until the state is done, nothing outside it may leave it.",
    "waits": "Why no bound on time is right here.",
    "limits": "What holds here instead of the limit of the same name further out.",
    "accept": "What the proof finds here and inside, and is right, each by its code with the reason.",
    "initial": "The inner state in which this one begins; of a history state, its default.",
    "states": "Inner states.",
    "parallel": "Whether all inner states are active at once, as regions.",
    "final": "Whether the state ends what it stands in: the call, at the top level.",
    "history": "shallow or deep: stands for the last inside of the state around it.",
    "flow": "A sub-flow as the inside, by its name under `use:`.",
    "with": "The values of the sub-flow's variables.",
    "task": "A LiveKit AgentTask as the inside, by the name under which the program supplies it.",
    "returns": "In a final state at the top of a sub-flow: what is delivered with `done`.",
}

HISTORY_KEYS: Final = frozenset({"history", "initial", "description"})
FINAL_KEYS: Final = frozenset({"final", "description", "entry", "returns", "accept"})

TRANSITION: Final[Mapping[str, str]] = {
    "target": "The state to go to; without one the state stays, and `do` is run.",
    "when": "The guard: an expression that must be true.",
    "do": "Actions on the way.",
    "reenter": "Whether a target inside this state, or the state itself, leaves and enters it again.",
    "description": "What the row is for.",
}

VARIABLE: Final[Mapping[str, str]] = {
    "type": "string, integer, number, boolean, phone, duration, or `list of …` one of those.",
    "default": "Its value when none is given.",
    "pii": "Whether it is private: never written to a log, journal or record.",
    "description": "What it holds.",
}

FIELD: Final[Mapping[str, str]] = {
    "type": "string, integer, number, boolean, phone, duration, or `list of …` one of those.",
    "description": "What it holds.",
    "required": "Whether it is always there (true).",
    "pii": "Whether it is private: never written to a log, journal or record.",
    "enum": "The only values that it may have.",
}

LEG: Final[Mapping[str, str]] = {
    "identity": "The participant's identity in the room; a text, or a template that is rendered as the call begins."
}

TOOL: Final[Mapping[str, str]] = {
    "description": "What the model is told about the tool.",
    "parameters": "Its parameters.",
    "run": "The action that answers the call: `http` or `python`.",
    "result": "What the model gets, a template that reads `result`.",
    "own": "Whether the tool is the agent's own: the flow listens to it and does not build it.",
}

PYTHON: Final[Mapping[str, str]] = {
    "description": "What it does.",
    "parameters": "Its parameters.",
    "returns": "The fields of what it returns.",
    "timeout": "How long it may take (10s).",
}

STATE_LIMITS: Final[Mapping[str, str]] = {
    "quiet": "How long somebody on the line may hear nothing when it is not their turn; longer is a defect, told by the proof.",
}

LIMITS: Final[Mapping[str, str]] = {
    "call": "How long a call may last (1h).",
    "silence": "How long nobody may say anything (2m).",
    "answer": "How long to wait until the far end is on the line (1m).",
    "reconnecting": "How long the agent's own connection may be away, from `room.reconnecting` on (20s).",
    "no_progress": "How many states may be entered without speech heard, a key, or time passing (50).",
    **STATE_LIMITS,
}

ACCEPT: Final[Mapping[str, str]] = {
    "no-way-on": "Why nothing has to lead on here.",
    "quiet-too-long": "Why nothing has to be heard: from where the silence begins on, or where it is too long.",
    "endless-round": "Why it may go round and round.",
    "endless-cycle": "Why the cycle may be broken off.",
    "row-always-beaten": "Why the row stands here.",
    "speech-cut": "Why this may be cut.",
    "never-heard-out": "Why nobody has to hear it to its end.",
    "question-then-over": "Why nobody has to answer.",
    "key-too-early": "Why no key has to count so early.",
    "tool-not-taken": "Why no row has to take the tool.",
    "guard-always-so": "Why the guard stands here.",
    "dropped-together": "Why both may be dropped.",
    "stands-by-for-one": "Why the line may drop.",
    "left-alone": "Why one person may be left.",
    "waits-too-long": "Why they hear but music for so long.",
    "music-goes-on": "Why no silence has to count.",
    "rings-for-nobody": "Why it may ring on.",
    "nobody-left": "Why the call goes on.",
    "result-lost": "Why no row has to take the result.",
    "dialled-twice": "Why they are dialled once more.",
    "action-never-run": "Why the action stands here.",
    "row-never-taken": "Why the row stands here.",
    "never-entered": "Why the state stands here.",
    "cut-short": "Why it may be cut short.",
    "outcome-too-early": "Why the outcome is named here.",
    "cut-off": "Why nobody has to be told.",
    "said-to-nobody": "Who hears this.",
    "nobody-speaks": "Why nobody speaks first.",
    "goodbye-and-on": "Why the call goes on.",
    "talks-to-machine": "Why the model talks with a machine.",
    "no-outcome": "Why the record names none.",
}
"""The codes of what the proof finds, in the order of `callflow.proof.codes`: only these can be accepted."""

AGENT: Final[Mapping[str, str]] = {"instructions": "The agent's system prompt."}

TASK: Final[Mapping[str, str]] = {"name": "Its name.", "arguments": "What it is built with."}

RETRY: Final[Mapping[str, str]] = {
    "times": "How often it is tried again.",
    "backoff": "How long before the first of these, doubled before each later one.",
}
