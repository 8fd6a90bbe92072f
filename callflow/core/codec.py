"""Snapshots as plain data for JSON, and back without loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.snapshot import VERSION, ActionList, Leg, Memory, Needless, Running, Silence, Snapshot, Timer
from callflow.errors import SnapshotError


def to_json(flow: Flow, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as data that `json.dumps` takes, with its version and its flow's name."""
    memory = snapshot.memory
    data: dict[str, Any] = {name: getattr(memory, name) for name in _PLAIN}
    for name in _SETS:
        data[name] = sorted(getattr(memory, name))
    for name, (write, _) in _ROWS.items():
        data[name] = [write(one) for one in getattr(memory, name)]
    for name, (write, _, _) in _BY_KEY.items():
        data[name] = [write(one) for one in getattr(memory, name).values()]
    data["needless"] = None if memory.needless is None else _write(memory.needless)
    data["history"] = {name: list(states) for name, states in memory.history.items()}
    return {
        "version": VERSION,
        "flow": flow.name,
        "configuration": list(snapshot.configuration),
        "entered": snapshot.entered,
        "memory": data,
    }


def from_json(flow: Flow, data: Any) -> Snapshot:
    """The snapshot that `to_json` wrote. Raises SnapshotError where it is another version's, another flow's, or none."""
    if not isinstance(data, Mapping) or "version" not in data:
        raise SnapshotError("this is not a snapshot of a call")
    if data["version"] != VERSION:
        raise SnapshotError(f"the snapshot is of version {data['version']!r}, this callflow reads version {VERSION}")
    if data.get("flow") != flow.name:
        raise SnapshotError(f"the snapshot is of the flow {data.get('flow')!r}, not of {flow.name!r}")
    try:
        read = data["memory"]
        fields: dict[str, Any] = {name: read[name] for name in _PLAIN}
        fields |= {name: frozenset(read[name]) for name in _SETS}
        fields |= {name: tuple(load(row) for row in read[name]) for name, (_, load) in _ROWS.items()}
        for name, (_, load, key) in _BY_KEY.items():
            fields[name] = {getattr(one, key): one for one in map(load, read[name])}
        needless = read.get("needless")
        fields["needless"] = None if needless is None else Needless(**needless)
        fields["history"] = {name: tuple(states) for name, states in read["history"].items()}
        snapshot = Snapshot(tuple(data["configuration"]), Memory(**fields), int(data["entered"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SnapshotError(f"the snapshot cannot be read: {error!r}") from error
    states: tuple[Any, ...] = snapshot.configuration  # of whatever type they were written
    unknown = [path for path in states if not isinstance(path, str) or path not in flow.states]
    if unknown:
        raise SnapshotError(f"the snapshot is in the state {unknown[0]!r}, which this flow does not have")
    return snapshot


def _write(row: Any) -> dict[str, Any]:
    written: dict[str, Any] = row._asdict()
    return written


def _write_list(one: ActionList) -> dict[str, Any]:
    return {**one._asdict(), "event": None if one.event is None else one.event._asdict()}


def _read_list(row: Mapping[str, Any]) -> ActionList:
    return ActionList(**{**row, "event": None if row["event"] is None else _read_event(row["event"])})


def _read_event(row: Mapping[str, Any]) -> Event:
    offered_in = row.get("offered_in")
    return Event(**{**row, "offered_in": None if offered_in is None else tuple(offered_in)})


def _read_running(row: Mapping[str, Any]) -> Running:
    kind, key, index = row["source"]
    terminator = row.get("terminator")
    return Running(
        **{**row, "source": (kind, key, index), "terminator": None if terminator is None else tuple(terminator)}
    )


def _read_silence(row: Mapping[str, Any]) -> Silence:
    return Silence(**{**row, "fired": tuple(row["fired"])})


_PLAIN = (
    "started",
    "vars",
    "env",
    "call",
    "phase",
    "visits",
    "caller_speaks",
    "agent_busy",
    "others_speak",
    "muted",
    "caller_muted",
    "cut_off",
    "outcome",
    "fault",
    "faults",
    "final",
    "next_effect",
    "next_seq",
    "next_generation",
)
_SETS = ("finished", "closed", "closing")
_ROWS: Mapping[str, tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Any]]] = {
    "timers": (_write, lambda row: Timer(**row)),
    "kept": (_write, _read_event),
    "held": (_write, _read_event),
}
_BY_KEY: Mapping[str, tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Any], str]] = {
    "lists": (_write_list, _read_list, "seq"),
    "effects": (_write, _read_running, "id"),
    "silences": (_write, _read_silence, "state"),
    "legs": (_write, lambda row: Leg(**row), "name"),
}
