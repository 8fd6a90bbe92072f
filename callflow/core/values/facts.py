"""What is known of values from outside beside their types: which belong together, which may be absent, which the step itself reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

from callflow.core.events import (
    ANYONE,
    CALL_FIELDS,
    DIGITS,
    EVENTS,
    KEYS,
    LEG_EVENTS,
    MAIN_LEG,
    OUT_OF_REACH,
    ROOM_IS_GONE,
    SENDERS,
)
from callflow.core.expressions import ANY, OneOf, Template, Type
from callflow.core.flow import Action, Field, Flow
from callflow.core.values.readings import COMPUTED, Place
from callflow.core.values.wants import Want
from callflow.core.verbs.verb import Verb

OF_FAR_END = ("call.offered", "call.ringing", "call.answered")
"""The events that say who the far end is: `call.number` and the like."""

TOLD_LATER: frozenset[Place] = COMPUTED | {
    ("call", "", field) for field in EVENTS["call.answered"].fields if field in CALL_FIELDS
}
"""What nobody knows of a call as it begins."""

_MAY_LACK = frozenset({"number", "trunk", "trunk_number", "sip_call_id", "sip_status_code", "sip_status", "error"})
_OF_LINE = ("call.", "leg.", "dial.", "amd.", "transfer.", "consult.", "dtmf.")


class Observed(NamedTuple):
    """A field of which the step itself makes a difference (`callflow.core.observation`): some of its values, and what is asked of one."""

    field: str
    values: tuple[Any, ...]
    asks: Callable[[Any], Hashable]


def _whose_end(reason: Any) -> Hashable:
    """The room's, which is gone; the agent's own, who may come back; or somebody else's doing."""
    return "room" if reason in ROOM_IS_GONE else reason == OUT_OF_REACH


OBSERVED: Mapping[str, Observed] = {
    "session.user_state_changed": Observed("new_state", ("speaking", "listening"), lambda state: state == "speaking"),
    "session.agent_state_changed": Observed(
        "new_state", ("speaking", "listening"), lambda state: state in ("thinking", "speaking")
    ),
    "room.disconnected": Observed("reason", ("ROOM_DELETED", "SERVER_SHUTDOWN", OUT_OF_REACH), _whose_end),
    "room.active_speakers_changed": Observed("legs", (["human"], []), bool),
    "room.track_muted": Observed("muted", (True, False), bool),
    "room.track_unmuted": Observed("muted", (False, True), bool),
}
_KEY_OF = {event: key for key, event in KEYS.items()}
_CODES = {"*": 10, "#": 11, "a": 12, "b": 13, "c": 14, "d": 15}


def type_of(field: Field | Type) -> Type:
    return field.type if isinstance(field, Field) else field


def kind_of(name: str, field: str, kind: Type, want: Want) -> Type:
    """The type of a field; without the words that are there only where the flow itself brings it about, unless they are asked for."""
    if field == "by" and name.endswith(".hangup") and isinstance(kind, OneOf) and "agent" not in want.values:
        return OneOf(*(word for word in kind.words if word != "agent"))
    return kind


def known(name: str, fields: Mapping[str, Field | Type]) -> dict[str, list[Any]]:
    """The fields that an event's name says, with their values."""
    found: dict[str, list[Any]] = {}
    tail = name.rpartition(".")[2]
    for field, one in fields.items():
        kind = type_of(one)
        if field in ("result", "category") and isinstance(kind, OneOf) and tail in kind.words:
            found[field] = [tail]
    if name.startswith("leg."):
        found["leg"] = [name.split(".", 2)[1]]
    elif "leg" in fields and name in EVENTS:
        found["leg"] = [MAIN_LEG]
    if tail in DIGITS and "digit" in fields:
        key = _KEY_OF.get(tail, tail)
        found |= {"digit": [key], "code": [_CODES.get(key) if key in _CODES else int(key)]}
    return found


def observes(name: str, data: Mapping[str, Any]) -> Hashable:
    """What the step itself makes of a payload."""
    one = OBSERVED.get(name)
    return None if one is None else one.asks(data.get(one.field))


def may_lack(name: str, field: str, one: Field | Type) -> bool:
    """Whether a payload may come without this field."""
    if isinstance(one, Field):
        return not one.required
    return one == ANY or (field in _MAY_LACK and name.startswith(_OF_LINE))


def is_own(flow: Flow, tool: str) -> bool:
    """Whether this tool is the agent's own: what its event carries nobody has declared."""
    return tool not in flow.tools or flow.tools[tool].own


def is_open(flow: Flow, name: str) -> bool:
    """Whether an event may carry fields that nobody has declared."""
    return name.startswith("tool.") and is_own(flow, name[5:])


def fields_of(flow: Flow, name: str) -> Mapping[str, Field | Type]:
    """The fields of an event's payload, with their types."""
    if name.startswith("tool."):
        tool = flow.tools.get(name[5:])
        return {} if tool is None else tool.parameters
    if name.startswith("leg."):
        entry = LEG_EVENTS.get(name.split(".", 2)[-1])
        return {} if entry is None else entry.fields
    return EVENTS[name].fields if name in EVENTS else flow.events.get(name, {})


def senders(flow: Flow, event: str) -> list[str]:
    """Who may have sent an event of the flow's own, as it is told to the rows."""
    allowed = flow.may_send(event)
    return [word for word in (*SENDERS, MAIN_LEG, *flow.legs) if word in allowed or ANYONE in allowed]


def result_fields(flow: Flow, verb: Verb, action: Action | None, event: str) -> Mapping[str, Field | Type]:
    """The fields of what an effect gives."""
    if verb.value_alone:
        return {"value": ANY}
    if event:
        return EVENTS[event].fields
    if "function" in verb.roles and action is not None:
        declared = flow.python.get(str(verb.given("function", action.arguments)))
        return {} if declared is None else declared.returns
    return verb.result


def usual(verb: Verb, action: Action | None, event: str) -> dict[str, list[Any]]:
    """Values that an effect gives beside those that are asked for, by field."""
    arguments = {} if action is None else action.arguments
    if "statuses" in verb.roles:
        return {"status": [*(verb.given("statuses", arguments) or (200,))]}
    if not verb.takes_keys:
        return {}
    least, most = _wanted(arguments)
    lengths = range(least, (min(most, least + 2) if most is not None else least + 2) + 1)
    if event == "dtmf.no_match":
        lengths = range(least - 1, 0, -1)
    keys = [key for key in "0123456789*#" if key != arguments.get("terminator")]
    return {"digits": [*(key * length for length in lengths for key in keys), ""]}


def may_give(verb: Verb, action: Action | None, event: str, field: str, value: Any) -> bool:
    """Whether a field of what an effect gives may be this, by its action's arguments: an HTTP status that is expected, as many keys
    as were asked for. What is rendered in a call says nothing."""
    if action is None:
        return True
    if "statuses" in verb.roles and field == "status":
        expected = verb.given("statuses", action.arguments)
        return bool(value in expected if expected else 200 <= value < 300)
    if verb.takes_keys and field == "tries":
        return 1 <= int(value) <= (_integer(action.arguments.get("tries")) or 20)
    return not (verb.takes_keys and field == "digits") or _may_be_pressed(action.arguments, event, value)


def _may_be_pressed(arguments: Mapping[str, Any], event: str, digits: str) -> bool:
    terminator = arguments.get("terminator")
    if any(key not in "0123456789abcd*#" or key == terminator for key in digits.lower()):
        return False
    if event == "dtmf.no_input":
        return not digits
    least, most = _wanted(arguments)
    if not digits:  # the terminator alone
        return terminator is not None and (least > 0) is (event == "dtmf.no_match")
    enough = len(digits) >= least and (most is None or len(digits) <= most)
    return enough if event == "dtmf.input" else len(digits) < least


def _wanted(arguments: Mapping[str, Any]) -> tuple[int, int | None]:
    """How many keys are wanted: so many at least, and at most."""
    count, least, most = (_integer(arguments.get(name)) for name in ("count", "min", "max"))
    if count is not None:
        return count, count
    if least is None:
        least = 0 if isinstance(arguments.get("count") or arguments.get("min"), Template) else 1
    return least, most


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
