"""What other languages, and LiveKit's own calls, name these things: for whoever writes them here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from callflow.core.actions import VERBS
from callflow.core.events import EVENTS
from callflow.core.statechart.descriptors import matches

WARM: Final = "a warm transfer, with a word to the human first, is `consult`"
COLD: Final = "a transfer without a word to the human is `transfer`"
WAITS: Final = "an action always waits for its end; what follows stands behind it, or in a row for its result"

_SPEECH: Final = {
    "allow_interruptions": "interruptible",
    "barge_in": "interruptible",
    "message": "text",
    "speech": "text",
}
_CALL: Final = {
    "number": "to", "phone": "to", "phone_number": "to", "callee": "to", "sip_call_to": "to", "trunk_id": "trunk", "sip_trunk": "trunk",
    "sip_trunk_id": "trunk", "ring_timeout": "ringing_timeout", "ringing": "ringing_timeout", "ring": "ringing_timeout",
    "wait_until_answered": WAITS, "participant_identity": "leg", "name": "leg",
    "caller_id": "sip_number", "from": "sip_number", "from_number": "sip_number", "caller_number": "sip_number",
}  # fmt: skip

ARGUMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "dial": {
        **_CALL, "amd": "detect_machine", "answering_machine_detection": "detect_machine", "machine_detection": "detect_machine",
        "voicemail_detection": "detect_machine", "detect_voicemail": "detect_machine", "detect_amd": "detect_machine",
        "max_duration": "max_call_duration", "krisp_enabled": "krisp", "digits": "dtmf", "send_digits": "dtmf", "encryption": "media_encryption",
    },
    "consult": {
        **_CALL, "whisper": "briefing", "summary": "briefing", "announcement": "briefing", "announce": "briefing", "text": "briefing",
        "hold_music": "music", "hold_audio": "music", "reject": "decline", "refuse": "decline", "cold": COLD, "blind": COLD, "warm": "a consult is warm: take it out",
    },
    "transfer": {
        **_CALL, "transfer_to": "to", "target": "to", "warm": WARM, "attended": WARM, "consult": WARM, "consultative": WARM, "briefing": WARM,
        "whisper": WARM, "announce": WARM, "announcement": WARM, "summary": WARM, "accept": WARM, "decline": WARM, "music": WARM,
        "trunk": "a transfer is made by the far end's telephone, and needs no trunk", "cold": "a transfer is cold: take it out",
        "blind": "a transfer is cold: take it out", "play_dialtone": "there is no such choice here: `say` what happens before",
    },
    "say": _SPEECH,
    "generate_reply": {**_SPEECH, "message": "instructions", "text": "instructions", "prompt": "instructions", "speech": "instructions"},
    "play": {"url": "file", "path": "file", "source": "file", "audio": "file", "sound": "file", "repeat": "loop", "volume": "duck", "leg": "to"},
    "hold": {"file": "music", "audio": "music", "sound": "music", "play": "music", "hold_music": "music"},
    "collect_digits": {
        "digits": "count", "num_digits": "count", "length": "count", "max_digits": "max", "min_digits": "min", "finish_on_key": "terminator",
        "stop_key": "terminator", "end_key": "terminator", "retries": "tries", "attempts": "tries", "text": "prompt", "message": "prompt",
        "inter_digit_timeout": "between_digits", "interdigit_timeout": "between_digits", "first_digit_timeout": "first_digit",
        "interruptible": "barge_in",
    },
    "send_dtmf": {"keys": "digits", "dtmf": "digits", "tones": "digits"},
    "detect_machine": {"amd": "take it out: `detect_machine` is that", "ivr": "ivr_detection"},
    "hang_up": {"message": "goodbye", "say": "goodbye", "text": "goodbye"},
    "http": {"body": "json", "data": "json", "payload": "json", "status": "expect", "uri": "url"},
    "start_recording": {"path": "file", "filepath": "file", "url": "file", "output": "file"},
    "emit": {"name": "event", "payload": "data"},
    "log": {"text": "message"},
    "send_data": {"payload": "data", "leg": "to", "destination": "to"},
    "update_agent": {"name": "agent"},
    "python": {"function": "name", "args": "arguments", "kwargs": "arguments", "params": "arguments"},
}  # fmt: skip
"""By verb: the argument that is meant, or a sentence where there is none."""

_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "a row": {
        "actions": "do", "entry": "do", "run": "do", "steps": "do", "effects": "do", "state": "target", "then": "target",
        "unless": "when",
    },
    "a state": {"use": "flow", "sub_flow": "flow", "subflow": "flow", "tool": "tools", "do": "entry"},
    "a tool": {"do": "run", "action": "run", "desc": "description", "arguments": "parameters", "returns": "result"},
    "a variable": {"value": "default", "desc": "description"},
    "a field": {"choices": "enum", "options": "enum", "values": "enum", "desc": "description"},
    "`retry`": {"count": "times", "tries": "times", "attempts": "times", "max": "times", "delay": "backoff", "wait": "backoff"},
    "`accept` of `consult`": {"dtmf": "key", "digit": "key", "press": "key"},
    "`decline` of `consult`": {"dtmf": "key", "digit": "key", "press": "key"},
}  # fmt: skip
"""By what it is a key of: the key that is meant there."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "on_enter": "entry", "onentry": "entry", "on_entry": "entry", "enter": "entry", "actions": "entry", "on_exit": "exit", "onexit": "exit",
    "leave": "exit", "transitions": "on", "events": "on", "timeout": "after", "timers": "after", "end": "final", "substates": "states",
    "children": "states", "regions": "states", "start": "initial", "prompt": "instructions", "functions": "tools",
    "goto": "target", "to": "target", "next": "target", "if": "when", "guard": "when", "cond": "when", "condition": "when",
    "then": "do", "action": "do", "internal": "reenter", "variables": "vars", "context": "vars", "version": "callflow",
    "id": "name", "includes": "use", "imports": "use", "message": "text", "speech": "text", "prompts": "text", "private": "pii",
    "args": "arguments", "params": "parameters", "inputs": "parameters", "body": "json", "output": "as", "store": "as", "save": "as",
    "from": "sip_number", "from_number": "sip_number", "caller_id": "sip_number", "callerid": "sip_number", "krisp": "krisp_enabled",
    "caller_name": "display_name", "sip_headers": "headers", "custom_headers": "headers", "send_digits": "dtmf", "extension": "dtmf",
}  # fmt: skip
"""What other languages call these keys, wherever they stand."""


def key_meant(what: str, word: str) -> str:
    """The key of `what` that is meant by a word of other languages; nothing where nothing is known of it."""
    return _KEYS.get(what, {}).get(word) or ELSEWHERE.get(word, "")


def misplaced(what: str, word: str) -> str:
    """A hint for what is no key here, but a verb or an event that has its place further in; nothing where it has none."""
    if what == "a row" and word in VERBS:
        return f"what is done stands in a list under `do`: `do: [{{{word}: …}}]`"
    if what in ("a state", "a flow") and (
        word in EVENTS or (word.partition(".")[0] in ("tool", "app", "leg", "dtmf") and "." in word)
    ):
        return f"what an event does stands under `on`: `on: {{{word}: …}}`"
    if what == "a field" and word == "optional":
        return "write `required: false`"
    if what in ("a state", "a flow") and word == "quiet":
        return "it stands under `limits`: `limits: {quiet: …}`"
    if what == "`limits` of a state" and word in _OWN_LIMITS:
        return f"of a state it stands under `{_OWN_LIMITS[word]}`: `{_OWN_LIMITS[word]}: {{…: ending}}`"
    if what == "`limits` of a state" and word in ("answer", "reconnecting", "no_progress"):
        return "it holds for the whole call, and stands under `limits` at the top of the file"
    if what == "a state" and word == "next":
        return "what follows stands under `on`: `on: {done: …}`"
    if what == "a state" and word in VERBS:
        return f"what is done on the way in stands in a list under `entry`: `entry: [{{{word}: …}}]`"
    return ""


_OWN_LIMITS: Final = {"call": "after", "silence": "silence"}

_EVENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("hang_up", "disconnect", "disconnected", "call.ended", "call.end", "call.disconnected", "call.closed", "call.hung_up"), "call.hangup"),
    **dict.fromkeys(("finished", "finish", "complete", "completed", "next", "continue"), "done"),
    **dict.fromkeys(("answered", "answer", "call.answer", "call.connected", "call.start", "call.started"), "call.answered"),
    **dict.fromkeys(("failure", "fail", "exception"), "failed"),
}  # fmt: skip
_KEYS_PRESSED: Final = r"(?:keys?|press|pressed|digits?|dtmf)[._]([0-9*#a-dA-D]+)"
_SIGNS: Final = {"#": "pound", "*": "star"}
_SEVERAL: Final = r"[\w.*-]+(?:\s*[,|/]\s*|\s+(?:or|and)\s+)[\w.*-]+"


def event_meant(word: str) -> str:
    """A hint for what is no event, but may stand for one; nothing where nothing is known of it."""
    if word in _EVENTS:
        return f"did you mean `{_EVENTS[word]}`?"
    if word in ("else", "default", "otherwise", "any", "*"):
        return "a row waits for an event, or for those of one family: `dial.*`"
    if word in ("timeout", "timer", "time"):
        return "what a time does stands under `after`: `after: {20s: …}`"
    if word in ("silence", "silent", "no_speech"):
        return "what silence does stands under `silence`: `silence: {20s: …}`"
    if any(matches(f"{word}.*", name) for name in EVENTS):
        return f"did you mean `{word}.*`?"
    pressed = re.fullmatch(_KEYS_PRESSED, word)
    if pressed is not None and len(pressed[1]) == 1:
        return f"write `dtmf.{_SIGNS.get(pressed[1], pressed[1].lower())}`"
    if pressed is not None:
        return "a row waits for one key; for several there is `collect_digits`"
    return "write a row for each event" if re.fullmatch(_SEVERAL, word) else ""


def argument_meant(verb: str, word: str) -> str | None:
    """A hint for a key that is no argument of the verb; None where nothing is known of it."""
    meant = ARGUMENTS.get(verb, {}).get(word.lower(), "")
    if meant in VERBS[verb].arguments:
        return f'did you mean "{meant}"?'
    return meant if " " in meant else None
