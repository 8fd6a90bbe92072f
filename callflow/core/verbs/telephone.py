"""Telephones: who is called, who has answered, keys, transfers, holds, recordings."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.core.events import ENDED_BY
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, PHONE, TEXT, Record
from callflow.core.forms import CALLED, KEYS, ONE_KEY, REFERRED, SHOWN_NAME, SHOWN_NUMBER
from callflow.core.occurs import Fact, LegIs, Occurs
from callflow.core.verbs import limits
from callflow.core.verbs.limits import MOST_KEYS
from callflow.core.verbs.verb import Argument, End, Heard, Late, Verb, leg

_SHOWN: dict[str, Argument] = {
    "sip_number": Argument(
        PHONE, "The number that the call shows, one of the trunk's; the trunk chooses unless set.", form=SHOWN_NUMBER
    ),
    "display_name": Argument(TEXT, 'The name that the call shows; "" for none.', form=SHOWN_NAME),
    "hide_phone_number": Argument(BOOLEAN, "Whether the room is not told the number that was called.", False),
    "headers": Argument(
        Record({}, open=True),
        "SIP headers of the INVITE: `{X-Case: '4711'}`.",
        None,
        kind="template-map",
        role="sip_headers",
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


def _where(*legs: LegIs, needs: tuple[Fact, ...] = ("room",)) -> Occurs:
    return Occurs(needs=frozenset(needs), legs=frozenset(legs))


_THERE = _where("on_line", "dropped", "hold")
_KEYS_COME = _where("on_line", "dropped", "hold", needs=("session", "room"))
_WAS_THERE = _where("on_line", "dropped", "hold", "gone")  # the leg may leave while the server is asked
_NOT_ANSWERED = Occurs(legs=frozenset({"absent", "dialing", "ringing", "gone"}))


def _dialled(words: Mapping[str, str]) -> str:
    return words["to"] + ("" if words["leg"] in ("", "far_end") else f" as {words['leg']}")


VERBS = (
    Verb(
        "answer",
        "Takes an offered call; ends when the far end is on the line.",
        timeout=5.0,
        offer="takes",
        ends=(End(occurs=_where("on_line")),),
    ),
    Verb(
        "reject",
        "Refuses an offered call. LiveKit answers the caller with 486 Busy Here, whatever the reason.",
        {"reason": Argument(TEXT, "Why: for the journal.", "busy")},
        main="reason",
        timeout=5.0,
        offer="refuses",
        ends=(End(occurs=_NOT_ANSWERED),),
    ),
    Verb(
        "dial",
        "Calls a number. Ends with one `dial.*`; with `detect_machine` one `amd.*` follows an answer.",
        {
            "to": Argument(PHONE, "The number, or a SIP user.", required=True, pii=True, form=CALLED),
            "trunk": Argument(TEXT, "The outbound trunk's id.", required=True),
            "leg": leg(role="called"),
            "ringing_timeout": Argument(DURATION, "How long it may ring.", 30.0, least=1),
            "detect_machine": Argument(
                Record({}, open=True),
                "Listen who has answered: `{timeout: 15s, ivr_detection: false}`, or `true`; the time counts from the answer.",
                None,
                kind="plain",
                role="detection",
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
        timeout_of=limits.ring,
        failed_with=frozenset({"leg", "elapsed"}),
        wants_rows=True,
        dials=True,
        late=Late("answered", "remove_participant"),
        picture=_dialled,
        tells=True,
        ends=(
            End(("result", "answered"), _where("on_line", "dropped", "hold", needs=())),
            End(occurs=_NOT_ANSWERED),
        ),
        heard=(Heard("tone", given="play_dialtone"),),
    ),
    Verb(
        "cancel_dial",
        "Stops the ringing; the dial ends with `dial.no_answer`, its cause `cancelled`. A call that was answered is left alone.",
        {"leg": leg()},
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
        failed_with=frozenset({"category"}),
        ends=(End(("result", "uncertain")), End(occurs=_KEYS_COME)),
    ),
    Verb(
        "send_dtmf",
        "Sends keys, to every telephone on the line: LiveKit has no other way. Ends when they have been sent; the agent says nothing meanwhile, and a tool that leads here gives the model no further turn.",
        {"digits": Argument(TEXT, "0-9, a-d, *, #, w for a pause.", required=True, pii=True, form=KEYS)},
        main="digits",
        timeout=30.0,
        yields=True,
        needs_somebody=True,
        ends=(End(occurs=Occurs(needs=frozenset({"room"})), lasts=limits.keys),),
        heard=(Heard("tone"),),
    ),
    Verb(
        "collect_digits",
        "Asks for keys. Ends with `dtmf.input`, `dtmf.no_input` or `dtmf.no_match`; while it runs a key goes to nobody else.",
        {
            "prompt": Argument(TEXT, "What is said first.", words=True),
            "retry_prompt": Argument(TEXT, "What is said before a further try."),
            "tries": Argument(INTEGER, "How often it is asked.", 1, least=1, most=20),
            "count": Argument(INTEGER, "Exactly so many keys.", least=1, most=MOST_KEYS),
            "min": Argument(INTEGER, "At least so many keys.", least=0, most=MOST_KEYS),
            "max": Argument(INTEGER, "At most so many keys.", least=1, most=MOST_KEYS),
            "terminator": Argument(TEXT, "The key that ends the input.", form=ONE_KEY, role="terminator"),
            "first_digit": Argument(DURATION, "How long until the first key.", 5.0, least=0.1),
            "between_digits": Argument(DURATION, "How long between two keys.", 3.0, least=0.1, role="between_keys"),
            "barge_in": Argument(BOOLEAN, "Whether a key cuts the prompt.", True),
        },
        main="prompt",
        timeout_is="by its parts",
        speech=True,
        results=("dtmf.input", "dtmf.no_input", "dtmf.no_match"),
        success=("dtmf.input",),
        on_timeout="dtmf.no_input",
        on_error="dtmf.no_input",
        result={"digits": TEXT, "tries": INTEGER, "ended_by": ENDED_BY},
        needs=frozenset({"session", "speech"}),
        models=frozenset({"tts"}),
        timeout_of=limits.digits,
        speaks_if="prompt",
        needs_somebody=True,
        takes_keys=True,
        ends=(End(("result", "no_input"), lasts=limits.no_key), End(occurs=_KEYS_COME)),
        heard=(Heard("speech", given="prompt"),),
    ),
    Verb(
        "transfer",
        "Hands a telephone over (SIP REFER): it calls somebody else by itself. Ends with `transfer.completed` once the leg has left because of it, else with `transfer.failed`.",
        {
            "to": Argument(TEXT, "The number or SIP address.", required=True, pii=True, form=REFERRED),
            "leg": leg(),
            "ringing_timeout": Argument(DURATION, "How long the other telephone may take to answer.", 30.0, least=1),
            "headers": Argument(
                Record({}, open=True),
                "SIP headers of the REFER: `{X-Case: '4711'}`.",
                None,
                kind="template-map",
                role="sip_headers",
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
        timeout_of=limits.transfer,
        wants_rows=True,
        needs_somebody=True,
        holds_hang_up=True,
        tells=True,
        ends=(End(("result", "completed"), _THERE),),
        heard=(Heard("tone", "leg", given="play_dialtone"),),
    ),
    Verb(
        "consult",
        "A warm transfer: puts the far end on hold, calls a human, briefs them in private, and lets the two talk once the human has accepted. Ends with `consult.*`.",
        {
            "to": Argument(PHONE, "The human's number.", required=True, pii=True, form=CALLED),
            "trunk": Argument(TEXT, "The outbound trunk's id.", required=True),
            "leg": leg("human", role="called"),
            "ringing_timeout": Argument(DURATION, "How long it may ring.", 30.0, least=1),
            "briefing": Argument(TEXT, "What the human is told first; the far end does not hear it."),
            "accept": Argument(
                Record({}, open=True),
                'How the human accepts, `{key: "1"}` or `{tool: take_call}`; unless set, by hearing the briefing to its end.',
                None,
                kind="plain",
                role="decision",
            ),
            "decline": Argument(
                Record({}, open=True),
                "How the human declines, beside hanging up; as `accept`.",
                None,
                kind="plain",
                role="decision",
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
        wants_rows=True,
        needs_somebody=True,
        tells=True,
        holds_far_end=True,
        ends=(End(("result", "accepted"), _where("on_line", "dropped", "gone"), limits.briefed),),
        heard=(Heard("music", "far_end", given="music"), Heard("speech", "leg", given="briefing")),
    ),
    Verb(
        "hold",
        "The leg hears music, and nobody hears it.",
        {"leg": leg(), "music": Argument(TEXT, "The sound's file, again and again; silence unless set.", sound=True)},
        main="leg",
        timeout=25.0,
        needs_somebody=True,
        leg_after="hold",
        ends=(End(occurs=_WAS_THERE),),
        heard=(Heard("music", "leg", given="music", afterwards=True),),
    ),
    Verb(
        "resume",
        "Ends a hold.",
        {"leg": leg()},
        main="leg",
        timeout=5.0,
        needs_somebody=True,
        leg_after="on_line",
    ),
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
        beside_the_line=True,
        ends=(End(occurs=Occurs(needs=frozenset({"room"}), adds=frozenset({"recording"}))),),
    ),
    Verb(
        "stop_recording",
        "Ends what the call records; a recording that has ended is fine.",
        timeout=10.0,
        repeatable=True,
        beside_the_line=True,
        ends=(End(occurs=Occurs(takes=frozenset({"recording"}))),),
    ),
)
