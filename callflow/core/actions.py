"""The catalogue of actions: what an author may write in a list, with types, defaults and time limits.

One entry here is all that a verb needs: the loader checks arguments against it, the JSON Schema and the reference are
generated from it, the checker reads what it needs and leaves behind, the sequencer its results, and the binding looks
it up by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from callflow.core.expressions import ANY, BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, TEXT, ListOf, Record, Type
from callflow.core.forms import CALLED, KEYS, ONE_KEY, REFERRED, SHOWN_NAME, SHOWN_NUMBER, Form

ArgumentKind = Literal["template", "plain", "expression", "name", "actions", "template-map", "schema"]
"""How an argument is read: a text with `{{ }}` (or a value of its type), plain data with nothing to render, any value
with templates anywhere inside, a name that the loader resolves (a leg, a variable, an agent), a map of templates."""

Resource = Literal["session", "line", "job", "speech"]


@frozen
class Argument:
    """One argument of a verb. `default` is what holds when it is not written; `required` ones have none.

    `least` and `most` bound a number, or the seconds of a duration; `form` is what a text has to look like. `sound`: it
    names a sound's file. `written`: one that is written elsewhere. What is rendered into either leads out of no folder.
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


@frozen
class Verb:
    """One action of the catalogue.

    `main` is the argument that `say: Hello.` fills. `timeout` is the default, in seconds for one try; `timeout_fixed`
    says why an author cannot set one. `results` are the events that end it (`dial.answered`), of which `success` are
    the ones that need no row; `on_timeout` and `on_error` name the result that a time-out or an error becomes.
    `result` is what `as:` stores. `needs` must be open when it starts, `closes` is closed once it has ended.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument] = field(factory=dict)
    main: str | None = None
    timeout: float | None = None
    timeout_is: str = ""
    tries: int = 1
    repeatable: bool = False
    at_once: bool = False  # carried out by the step itself
    speech: bool = False  # pauses `silence`, is cut when the far end is gone
    occupies: bool = False  # pauses `silence`: the far end waits for it, or talks to somebody else
    results: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    on_timeout: str | None = None
    on_error: str | None = None
    timeout_is_success: bool = False
    result: Mapping[str, Type] = field(factory=dict)
    needs: frozenset[Resource] = frozenset()
    closes: frozenset[Resource] = frozenset()
    yields: bool = False  # the turn is the other side's: a tool that leads to it gives the model none
    models: frozenset[str] = frozenset()  # which of stt, llm, tts it needs

    def error_result(self, timed_out: bool) -> str | None:
        """The result event that an error or a time-out becomes, None where it is a failure."""
        return self.on_timeout if timed_out else self.on_error


MOST_KEYS = 32
"""Keys that one input may have."""


def _leg(default: str | None = "far_end", description: str = "Which leg.") -> Argument:
    return Argument(TEXT, description, default, kind="name")


_SPEECH_RESULT: dict[str, Type] = {"interrupted": BOOLEAN, "spoken": TEXT, "heard": BOOLEAN}
_INTERRUPTIBLE = Argument(
    BOOLEAN, "Whether the caller may cut it by speaking; unless set they may, but for the call's last words."
)
_WAIT = Argument(BOOLEAN, "Whether the list waits for its end.", True, kind="plain")

_SHOWN: dict[str, Argument] = {
    "sip_number": Argument(
        PHONE, "The number that the call shows, one of the trunk's; the trunk chooses unless set.", form=SHOWN_NUMBER
    ),
    "display_name": Argument(TEXT, 'The name that the call shows; "" for none.', form=SHOWN_NAME),
    "hide_phone_number": Argument(BOOLEAN, "Whether the room is not told the number that was called.", False),
    "headers": Argument(
        Record({}, open=True), "SIP headers of the INVITE: `{X-Case: '4711'}`.", None, kind="template-map"
    ),
}
_CALLED: dict[str, Argument] = {
    "dtmf": Argument(TEXT, "Keys sent after the answer: an extension; w for a pause.", pii=True, form=KEYS),
    "krisp_enabled": Argument(BOOLEAN, "LiveKit's noise cancellation on this leg."),
    "media_encryption": Argument(TEXT, "SRTP.", None, choices=("disable", "allow", "require")),
    "max_call_duration": Argument(DURATION, "The bridge's own limit, from the dial on.", least=1),
}
"""What a telephone that is called sees of the call, and how it is called: in the words of LiveKit's
CreateSIPParticipantRequest."""

_VERBS = (
    Verb(
        "say",
        "Speaks a text; ends with its playout. When the far end is gone it ends at once, recorded as unheard; when it is not there yet, or dropped, it waits.",
        {
            "text": Argument(TEXT, "What is said.", required=True),
            "to": _leg(None, "The leg that hears it; everyone unless set."),
            "interruptible": _INTERRUPTIBLE,
            "repeat_if_interrupted": Argument(INTEGER, "How often it is said again after an interruption.", 0, least=0),
            "wait": _WAIT,
        },
        main="text",
        timeout=60.0,
        speech=True,
        result=_SPEECH_RESULT,
        needs=frozenset({"session", "speech"}),
        models=frozenset({"tts"}),
    ),
    Verb(
        "generate_reply",
        "The model speaks, by these instructions; ends with the playout.",
        {
            "instructions": Argument(TEXT, "What the model is to say or do now."),
            "user_input": Argument(TEXT, "What the caller is taken to have said."),
            "interruptible": _INTERRUPTIBLE,
            "wait": _WAIT,
        },
        main="instructions",
        timeout=60.0,
        speech=True,
        result=_SPEECH_RESULT,
        needs=frozenset({"session", "speech"}),
        models=frozenset({"llm"}),
    ),
    Verb(
        "play",
        "Plays a sound. With `loop` until the state is left: no timeout, not waited for; no `silence` for the far end that hears it.",
        {
            "file": Argument(TEXT, "The sound's file, looked up from the flow file.", required=True, sound=True),
            "loop": Argument(BOOLEAN, "Again and again until the state is left.", False, kind="plain"),
            "duck": Argument(NUMBER, "The volume while somebody speaks, 0 to 1.", least=0, most=1),
            "to": _leg(None, "The leg that hears it; everyone unless set."),
            "interruptible": _INTERRUPTIBLE,
            "wait": _WAIT,
        },
        main="file",
        timeout=60.0,
        speech=True,
        result=_SPEECH_RESULT,
        needs=frozenset({"session", "speech"}),
    ),
    Verb(
        "wait_for_speech",
        "Waits until what we say has been heard, also what was begun with `wait: false`.",
        timeout=30.0,
        needs=frozenset({"session"}),
    ),
    Verb("interrupt", "Cuts what we are saying.", timeout=5.0, needs=frozenset({"session"})),
    Verb("mute", "The agent no longer hears the caller.", timeout=5.0, needs=frozenset({"session"})),
    Verb("unmute", "The agent hears the caller again.", timeout=5.0, needs=frozenset({"session"})),
    Verb(
        "drain",
        "`session.drain()`: lets speech end, to the ear, and ends the conversation: no speech or tool after it. Ends at once when the line is down.",
        {"tail": Argument(DURATION, "How long the last sound may travel after its playout.", 0.2)},
        timeout=10.0,
        timeout_is_success=True,
        closes=frozenset({"speech"}),
    ),
    Verb(
        "aclose",
        "`session.aclose()`, in the call's own task.",
        timeout=10.0,
        timeout_is_success=True,
        closes=frozenset({"session", "speech"}),
    ),
    Verb(
        "close_models",
        "`aclose()` of STT, LLM and TTS with their streams and pools.",
        timeout=10.0,
        closes=frozenset({"speech"}),
    ),
    Verb(
        "delete_room",
        "The line drops for everyone; already gone is done.",
        timeout=5.0,
        tries=3,
        repeatable=True,
        closes=frozenset({"line"}),
    ),
    Verb(
        "remove_participant",
        "The line drops for one party; already gone is done.",
        {"leg": _leg()},
        main="leg",
        timeout=5.0,
        tries=3,
        repeatable=True,
    ),
    Verb(
        "shutdown",
        "`ctx.shutdown(reason)`, the last act of a call, carried out when the record is written. It never drops the caller by itself.",
        {"reason": Argument(TEXT, "LiveKit's shutdown reason.", "")},
        main="reason",
        closes=frozenset({"job"}),
    ),
    Verb(
        "hang_up",
        "Goodbye, drain, the line, aclose, shutdown, in one verb.",
        {
            "goodbye": Argument(TEXT, "Said before, if set."),
            "for": Argument(
                TEXT,
                "Whose line drops: everyone's, or only the agent leaves.",
                "everyone",
                kind="plain",
                choices=("everyone", "agent"),
            ),
        },
        main="goodbye",
        timeout=30.0,
        closes=frozenset({"speech", "session", "line", "job"}),
    ),
    Verb(
        "stand_by",
        "The agent is silent and its models closed, and the parties hear each other; the job stays until but one of them is left, and then drops the line.",
        timeout_is="none: the parties decide",
        occupies=True,
        closes=frozenset({"speech", "session", "line"}),
    ),
    Verb("answer", "Takes an offered call; ends when the far end is on the line.", timeout=5.0),
    Verb(
        "reject",
        "Refuses an offered call. LiveKit answers the caller with 486 Busy Here, whatever the reason.",
        {"reason": Argument(TEXT, "Why: for the journal.", "busy")},
        main="reason",
        timeout=5.0,
    ),
    Verb(
        "dial",
        "Calls a number. Ends with one `dial.*`; with `detect_machine` one `amd.*` follows an answer.",
        {
            "to": Argument(PHONE, "The number, or a SIP user.", required=True, pii=True, form=CALLED),
            "trunk": Argument(TEXT, "The outbound trunk's id.", required=True),
            "leg": _leg(),
            "ringing_timeout": Argument(DURATION, "How long it may ring.", 30.0, least=1),
            "detect_machine": Argument(
                Record({}, open=True),
                "Listen who has answered: `{timeout: 15s, ivr_detection: false}`, or `true`; the time counts from the answer.",
                None,
                kind="plain",
            ),
            **_SHOWN,
            "play_dialtone": Argument(BOOLEAN, "Whether the room hears a tone while it rings.", False),
            **_CALLED,
        },
        main="to",
        timeout=None,
        timeout_is="ringing_timeout + 5s + 0.6s for each key of dtmf",
        results=("dial.answered", "dial.busy", "dial.no_answer", "dial.declined", "dial.invalid", "dial.failed"),
        success=("dial.answered",),
        on_timeout="dial.no_answer",
        on_error="dial.failed",
    ),
    Verb(
        "cancel_dial",
        "Stops the ringing; the dial ends with `dial.no_answer`, its cause `cancelled`. A call that was answered is left alone.",
        {"leg": _leg()},
        main="leg",
        timeout=5.0,
    ),
    Verb(
        "detect_machine",
        "Listens who has answered. Ends with one `amd.*`; the agent says nothing meanwhile.",
        {
            "ivr_detection": Argument(
                BOOLEAN, "LiveKit's agent works its way through a menu that has answered.", False, kind="plain"
            )
        },
        timeout=15.0,
        timeout_is="15s, hard",
        results=("amd.human", "amd.machine-ivr", "amd.machine-vm", "amd.machine-unavailable", "amd.uncertain"),
        success=("amd.human", "amd.machine-ivr", "amd.machine-vm", "amd.machine-unavailable"),
        on_timeout="amd.uncertain",
        on_error="amd.uncertain",
    ),
    Verb(
        "send_dtmf",
        "Sends keys, to every telephone on the line: LiveKit has no other way. Ends when they have been sent; the agent says nothing meanwhile, and a tool that leads here gives the model no further turn.",
        {"digits": Argument(TEXT, "0-9, a-d, *, #, w for a pause.", required=True, pii=True, form=KEYS)},
        main="digits",
        timeout=30.0,
        yields=True,
    ),
    Verb(
        "collect_digits",
        "Asks for keys. Ends with `dtmf.input`, `dtmf.no_input` or `dtmf.no_match`; while it runs a key goes to nobody else.",
        {
            "prompt": Argument(TEXT, "What is said first."),
            "retry_prompt": Argument(TEXT, "What is said before a further try."),
            "tries": Argument(INTEGER, "How often it is asked.", 1, least=1, most=20),
            "count": Argument(INTEGER, "Exactly so many keys.", least=1, most=MOST_KEYS),
            "min": Argument(INTEGER, "At least so many keys.", least=0, most=MOST_KEYS),
            "max": Argument(INTEGER, "At most so many keys.", least=1, most=MOST_KEYS),
            "terminator": Argument(TEXT, "The key that ends the input.", form=ONE_KEY),
            "first_digit": Argument(DURATION, "How long until the first key.", 5.0, least=0.1),
            "between_digits": Argument(DURATION, "How long between two keys.", 3.0, least=0.1),
            "barge_in": Argument(BOOLEAN, "Whether a key cuts the prompt.", True),
        },
        main="prompt",
        timeout_is="by its parts",
        speech=True,
        results=("dtmf.input", "dtmf.no_input", "dtmf.no_match"),
        success=("dtmf.input",),
        on_timeout="dtmf.no_input",
        on_error="dtmf.no_input",
        result={"digits": TEXT, "tries": INTEGER},
        needs=frozenset({"session", "speech"}),
        models=frozenset({"tts"}),
    ),
    Verb(
        "transfer",
        "Hands a telephone over (SIP REFER): it calls somebody else by itself. Ends with `transfer.completed` once the leg has left because of it, else with `transfer.failed`.",
        {
            "to": Argument(TEXT, "The number or SIP address.", required=True, pii=True, form=REFERRED),
            "leg": _leg(),
            "ringing_timeout": Argument(DURATION, "How long the other telephone may take to answer.", 30.0, least=1),
            "headers": Argument(
                Record({}, open=True), "SIP headers of the REFER: `{X-Case: '4711'}`.", None, kind="template-map"
            ),
            "play_dialtone": Argument(BOOLEAN, "Whether the telephone hears a tone while the other one rings.", False),
        },
        main="to",
        timeout=None,
        timeout_is="ringing_timeout + 28s",
        occupies=True,
        results=("transfer.completed", "transfer.failed"),
        success=("transfer.completed",),
        on_timeout="transfer.failed",
        on_error="transfer.failed",
    ),
    Verb(
        "consult",
        "A warm transfer: puts the far end on hold, calls a human, briefs them in private, and lets the two talk once the human has accepted. Ends with `consult.*`.",
        {
            "to": Argument(PHONE, "The human's number.", required=True, pii=True, form=CALLED),
            "trunk": Argument(TEXT, "The outbound trunk's id.", required=True),
            "leg": _leg("human"),
            "ringing_timeout": Argument(DURATION, "How long it may ring.", 30.0, least=1),
            "briefing": Argument(TEXT, "What the human is told first; the far end does not hear it."),
            "accept": Argument(
                Record({}, open=True),
                'How the human accepts, `{key: "1"}` or `{tool: take_call}`; unless set, by hearing the briefing to its end.',
                None,
                kind="plain",
            ),
            "decline": Argument(
                Record({}, open=True), "How the human declines, beside hanging up; as `accept`.", None, kind="plain"
            ),
            "music": Argument(TEXT, "The sound that the far end hears meanwhile.", sound=True),
            **_SHOWN,
            **_CALLED,
        },
        main="to",
        timeout=60.0,
        occupies=True,
        results=("consult.accepted", "consult.declined", "consult.no_answer", "consult.failed"),
        success=("consult.accepted",),
        on_timeout="consult.no_answer",
        on_error="consult.failed",
    ),
    Verb(
        "hold",
        "The leg hears music, and nobody hears it.",
        {"leg": _leg(), "music": Argument(TEXT, "The sound's file, again and again; silence unless set.", sound=True)},
        main="leg",
        timeout=25.0,
    ),
    Verb("resume", "Ends a hold.", {"leg": _leg()}, main="leg", timeout=5.0),
    Verb(
        "start_recording",
        "LiveKit egress of the room: its sound, with `layout` its picture too. It is stopped at the latest when the call is over.",
        {
            "file": Argument(
                TEXT,
                "Where the egress service writes it; `.ogg`, `.mp3` and `.mp4` say what.",
                required=True,
                written=True,
            ),
            "layout": Argument(TEXT, "The egress layout: grid, speaker, single-speaker …; sound alone unless set."),
        },
        main="file",
        timeout=10.0,
        result={"egress_id": TEXT},
    ),
    Verb(
        "stop_recording",
        "Ends what the call records; a recording that has ended is fine.",
        timeout=10.0,
        repeatable=True,
    ),
    Verb(
        "set",
        "Changes variables.",
        {"values": Argument(Record({}, open=True), "name: value", required=True, kind="template-map")},
        main="values",
        at_once=True,
    ),
    Verb(
        "outcome",
        "Names the call's outcome; the first one stays.",
        {"name": Argument(TEXT, "The outcome.", required=True)},
        main="name",
        at_once=True,
    ),
    Verb(
        "emit",
        "Raises an event of the author's own, taken within this step.",
        {
            "event": Argument(TEXT, "`app.<name>`.", required=True, kind="name"),
            "data": Argument(Record({}, open=True), "Its payload.", None, kind="template-map"),
        },
        main="event",
        at_once=True,
    ),
    Verb(
        "log",
        "Writes a line to the log and the journal.",
        {
            "message": Argument(TEXT, "The line.", required=True),
            "level": Argument(
                TEXT, "How serious.", "info", kind="plain", choices=("debug", "info", "warning", "error")
            ),
        },
        main="message",
        at_once=True,
    ),
    Verb(
        "tag",
        "Adds LiveKit tags to the session's report.",
        {"tags": Argument(ListOf(TEXT), "The tags.", required=True)},
        main="tags",
        timeout=5.0,
    ),
    Verb(
        "send_data",
        "A data packet to the room, or to one leg.",
        {
            "data": Argument(ANY, "Text, or anything that JSON can hold.", required=True, kind="expression"),
            "topic": Argument(TEXT, "The packet's topic.", ""),
            "to": _leg(None, "One leg; everyone unless set."),
        },
        main="data",
        timeout=5.0,
        repeatable=True,
    ),
    Verb(
        "update_agent",
        "Another agent takes over, one that the program registered under this name.",
        {"agent": Argument(TEXT, "Its name.", required=True, kind="name")},
        main="agent",
        timeout=25.0,
        needs=frozenset({"session"}),
    ),
    Verb(
        "http",
        "An HTTP request. Another status than `expect` says is a failure, and so is a redirect to another origin, a body of more than 1,000,000 bytes, sent or received, and an address of a cloud's metadata.",
        {
            "url": Argument(
                TEXT,
                "http or https, with a host that is written here or read from `env`; what is rendered behind it is encoded.",
                required=True,
            ),
            "method": Argument(
                TEXT, "", "GET", kind="plain", choices=("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
            ),
            "headers": Argument(Record({}, open=True), "Its headers.", None, kind="template-map"),
            "json": Argument(ANY, "The body, as JSON.", None, kind="expression"),
            "expect": Argument(ListOf(INTEGER), "Which statuses are fine; any 2xx unless set.", None, kind="plain"),
        },
        main="url",
        timeout=10.0,
        repeatable=True,
        result={"status": INTEGER, "body": ANY},
    ),
    Verb(
        "python",
        "Calls what the program supplies under this name: a coroutine function on the event loop, any other in a thread.",
        {
            "name": Argument(TEXT, "Its name under `python:`.", required=True, kind="name"),
            "arguments": Argument(Record({}, open=True), "Its arguments.", None, kind="template-map"),
        },
        main="name",
        timeout=10.0,
        repeatable=True,
    ),
)

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _VERBS}
"""Every verb, by name, in the order of the reference."""

INTERNAL_VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "task",
            "A LiveKit AgentTask, as a state's inside.",
            {
                "name": Argument(TEXT, "Its name.", required=True),
                "arguments": Argument(Record({}, open=True), "What it is built with."),
            },
            results=("task.completed", "task.failed"),
            success=("task.completed",),
            on_timeout="task.failed",
            on_error="task.failed",
            needs=frozenset({"session"}),
        ),
        Verb(
            "close",
            "What a final state finds still open is closed as `hang_up` would, recorded as forced.",
            {"session": Argument(BOOLEAN, "Close the session."), "line": Argument(BOOLEAN, "Drop the line.")},
            timeout=30.0,
            timeout_is_success=True,
            closes=frozenset({"speech", "session", "line"}),
        ),
    )
}
"""What the step starts by itself; no author writes them in a list."""

COMMON_ARGUMENTS: Mapping[str, str] = {
    "timeout": "How long one try may take.",
    "optional": "A failure is recorded, not raised.",
    "as": "The variable that holds the result.",
    "retry": "`{times, backoff}`, where repeating is harmless.",
}
"""What every action takes beside its own arguments."""

RESULT_EVENTS: Mapping[str, str] = {event: verb.name for verb in _VERBS for event in verb.results}
"""By which verb an event is a result: `dial.answered` by `dial`."""

OUTCOMES = (
    "completed",
    "hung_up",
    "busy",
    "no_answer",
    "declined",
    "invalid",
    "machine",
    "voicemail",
    "transferred",
    "timed_out",
    "cancelled",
    "line_lost",
    "failed",
    "none",
)
"""The outcomes that every flow has."""
