"""The machine that everybody runs: a phone call of 8 states, 26 transitions, 12 events, 6 guards, 24 entry and exit actions.

Each runner makes its machine of these tables, in its own terms: a guard is a callable, or what the
tool has for an expression; an action appends a line to a log. A walk is one call, from `idle` to `closed`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

STATES = ("idle", "dialing", "ringing", "voicemail", "talking", "transferring", "ending", "closed")


class Move(NamedTuple):
    """`guard` reads `tries`, the one variable, which stays as it is. A move from a state to itself leaves and enters it."""

    event: str
    source: str
    target: str
    guard: str | None = None


MOVES = (
    Move("dial", "idle", "dialing"),
    Move("fail", "idle", "closed"),
    Move("ring", "dialing", "ringing"),
    Move("busy", "dialing", "ending", "tries > 5"),
    Move("busy", "dialing", "idle"),
    Move("fail", "dialing", "ending"),
    Move("hang_up", "dialing", "ending"),
    Move("busy", "ringing", "ending", "tries > 5"),
    Move("busy", "ringing", "dialing", "tries < 5"),
    Move("machine", "ringing", "voicemail", "tries < 5"),
    Move("answer", "ringing", "talking"),
    Move("expire", "ringing", "ending"),
    Move("hang_up", "ringing", "ending"),
    Move("answer", "voicemail", "talking"),
    Move("expire", "voicemail", "ending"),
    Move("hang_up", "voicemail", "ending"),
    Move("again", "talking", "talking", "tries < 5"),
    Move("transfer", "talking", "transferring", "tries < 5"),
    Move("fail", "talking", "ending"),
    Move("expire", "talking", "ending"),
    Move("hang_up", "talking", "ending"),
    Move("back", "transferring", "talking"),
    Move("fail", "transferring", "talking"),
    Move("hang_up", "transferring", "ending"),
    Move("finish", "ending", "closed"),
    Move("expire", "ending", "closed"),
)
EVENTS = tuple(dict.fromkeys(move.event for move in MOVES))

# What a call goes through: from `idle`, event by event, guards on five of its ways.
WALK = (
    ("dial", "dialing"), ("ring", "ringing"), ("busy", "dialing"), ("ring", "ringing"), ("machine", "voicemail"),
    ("answer", "talking"), ("again", "talking"), ("again", "talking"), ("transfer", "transferring"), ("back", "talking"),
    ("hang_up", "ending"), ("finish", "closed"),
)  # fmt: skip

ENTRY = {state: [f"in {state}", f"at {state}"] for state in STATES} | {"closed": ["in closed", "at closed", "over"]}
EXIT = {state: [] if state == "closed" else [f"out of {state}"] for state in STATES}


def expected() -> list[str]:
    """What the log of one walk says, once `idle` was entered."""
    log, state = [], "idle"
    for _, target in WALK:
        log += [*EXIT[state], *ENTRY[target]]
        state = target
    return log


def as_flow(deep: int = 1, entry: str = "log") -> str:
    """The machine as a flow, `deep` levels of states: around all but the last two. `entry` is the verb of what is done on
    entry; on exit it is `log`."""
    states: dict[str, Any] = {state: _state(state, entry) for state in STATES}
    inner = {state: states.pop(state) for state in STATES[:-2]}
    initial = "idle"
    for level in range(deep - 1, 0, -1):
        inner, initial = {f"level{level}": {"initial": initial, "states": inner}}, f"level{level}"
    flow = {
        "callflow": 1,
        "name": "phone",
        "vars": {"tries": {"type": "integer", "default": 2}},
        "events": {f"app.{event}": {} for event in EVENTS},
        "limits": {"no_progress": 1_000_000},
        "ending": "ending",
        "initial": initial,
        "states": inner | states,
    }
    return yaml.safe_dump(flow, sort_keys=False)


def _state(state: str, entry: str) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for move in MOVES:
        if move.source == state:
            row: dict[str, Any] = {"target": move.target}
            if move.guard is not None:
                row["when"] = f"vars.{move.guard}"
            if move.target == state:
                row["reenter"] = True
            rows.setdefault(f"app.{move.event}", []).append(row)
    written: dict[str, Any] = {"entry": [{entry: line} for line in ENTRY[state]]}
    if EXIT[state]:
        written["exit"] = [{"log": line} for line in EXIT[state]]
    return written | ({"on": rows} if rows else {"final": True})
