"""What is said, and how a conversation and a call end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.durations import Span
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, TEXT, Type
from callflow.core.occurs import LegIs, Occurs
from callflow.core.verbs import limits
from callflow.core.verbs.verb import Argument, End, Heard, Verb, leg

_SPEECH_RESULT: dict[str, Type] = {"interrupted": BOOLEAN, "spoken": TEXT, "heard": BOOLEAN}
_INTERRUPTIBLE = Argument(
    BOOLEAN, "Whether the caller may cut it by speaking; unless set they may, but for the call's last words."
)
_WAIT = Argument(BOOLEAN, "Whether the list waits for its end.", True, kind="plain")


def _spoken(
    lasts: Callable[[Mapping[str, Any]], Span] = limits.any_time,
    cut: Callable[[Mapping[str, Any]], Span] = limits.any_time,
) -> tuple[End, ...]:
    """Nobody has heard it, it was cut, or it was heard to its end."""
    hears: frozenset[LegIs] = frozenset({"on_line", "dropped", "hold"})
    heard = Occurs(needs=frozenset({"session", "room"}), legs=hears)
    return (
        End(("heard", False), lasts=cut),
        End(("interrupted", True), heard, cut),
        End(("interrupted", False), heard, lasts),
    )


def _goodbye(words: Mapping[str, str]) -> str:
    whose = "for the agent only" if words["for"] == "agent" else ""
    return f"“{words['goodbye']}” {whose}".strip() if words["goodbye"] else whose


VERBS = (
    Verb(
        "say",
        "Speaks a text; ends with its playout. When the far end is gone it ends at once, recorded as unheard; when it is not there yet, or dropped, it waits.",
        {
            "text": Argument(TEXT, "What is said.", required=True, words=True),
            "to": leg(None, "The leg that hears it; everyone unless set.", "listener"),
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
        needs_somebody=True,
        tells=True,
        ends=_spoken(limits.said),
        heard=(Heard("speech", "listener"),),
    ),
    Verb(
        "generate_reply",
        "The model speaks, by these instructions; ends with the playout.",
        {
            "instructions": Argument(TEXT, "What the model is to say or do now.", words=True),
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
        needs_somebody=True,
        tells=True,
        ends=_spoken(),
        heard=(Heard("speech"),),
    ),
    Verb(
        "play",
        "Plays a sound. With `loop` until the state is left: no timeout, not waited for; no `silence` for the far end that hears it.",
        {
            "file": Argument(TEXT, "The sound's file, looked up from the flow file.", required=True, sound=True),
            "loop": Argument(BOOLEAN, "Again and again until the state is left.", False, kind="plain"),
            "duck": Argument(NUMBER, "The volume while somebody speaks, 0 to 1.", least=0, most=1),
            "to": leg(None, "The leg that hears it; everyone unless set.", "listener"),
            "interruptible": _INTERRUPTIBLE,
            "wait": _WAIT,
        },
        main="file",
        timeout=60.0,
        speech=True,
        result=_SPEECH_RESULT,
        needs=frozenset({"session", "speech"}),
        needs_somebody=True,
        ends=_spoken(limits.played, limits.played),
        heard=(Heard("speech", "listener", unless="loop"), Heard("music", "listener", given="loop")),
    ),
    Verb(
        "wait_for_speech",
        "Waits until what we say has been heard, also what was begun with `wait: false`.",
        timeout=30.0,
        needs=frozenset({"session"}),
        lets_speech_end=True,
    ),
    Verb("interrupt", "Cuts what we are saying.", timeout=5.0, needs=frozenset({"session"}), cuts_speech=True),
    Verb(
        "mute",
        "The agent no longer hears the caller.",
        timeout=5.0,
        needs=frozenset({"session"}),
        mutes=True,
    ),
    Verb(
        "unmute",
        "The agent hears the caller again.",
        timeout=5.0,
        needs=frozenset({"session"}),
        mutes=False,
    ),
    Verb(
        "drain",
        "`session.drain()`: lets speech end, to the ear, and ends the conversation: no speech or tool after it. Ends at once when the line is down.",
        {"tail": Argument(DURATION, "How long the last sound may travel after its playout.", 0.2)},
        timeout=10.0,
        timeout_is_success=True,
        closes=frozenset({"speech"}),
        lets_speech_end=True,
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
        {"leg": leg()},
        main="leg",
        timeout=5.0,
        tries=3,
        repeatable=True,
        drops_leg=True,
    ),
    Verb(
        "shutdown",
        "`ctx.shutdown(reason)`, the last act of a call, carried out when the record is written. It never drops the caller by itself.",
        {
            "reason": Argument(
                TEXT, "LiveKit's shutdown reason.", "", shown="LiveKit writes the reason into its own log"
            )
        },
        main="reason",
        closes=frozenset({"job"}),
        last=True,
        ends=(End(lasts=limits.at_once),),
    ),
    Verb(
        "hang_up",
        "Goodbye, drain, the line, aclose, shutdown, in one verb.",
        {
            "goodbye": Argument(TEXT, "Said before, if set.", words=True),
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
        farewell=True,
        leaves_line={"for": "agent"},
        picture=_goodbye,
        heard=(Heard("speech", given="goodbye"),),
    ),
    Verb(
        "stand_by",
        "The agent is silent and its models closed, and the parties hear each other; the job stays until but one of them is left, and then drops the line.",
        timeout_is="none: the parties decide",
        occupies=True,
        closes=frozenset({"speech", "session", "line"}),
        parties_end=True,
    ),
)
