"""Snapshots as plain data for JSON, and back without loss: by their types, so that no field can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cattrs import Converter
from cattrs.cols import is_namedtuple, namedtuple_dict_structure_factory, namedtuple_dict_unstructure_factory
from cattrs.dispatch import StructureHook, UnstructureHook
from cattrs.preconf.json import make_converter

from callflow.core.flow import Flow
from callflow.core.snapshot import PARTS, VERSION, Changing, Lasting, Memory, Snapshot
from callflow.errors import SnapshotError


def to_json(flow: Flow, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as data that `json.dumps` takes, with its version and its flow's name. Each part is a record by the names of
    its fields; what is found by a number is found by that number as text."""
    return {"version": VERSION, "flow": flow.name, **_converter().unstructure(snapshot)}


def from_json(flow: Flow, data: Any) -> Snapshot:
    """The snapshot that `to_json` wrote. Raises SnapshotError where it is another version's, another flow's, or none."""
    if not isinstance(data, Mapping) or "version" not in data:
        raise SnapshotError("this is not a snapshot of a call")
    if data["version"] != VERSION:
        raise SnapshotError(f"the snapshot is of version {data['version']!r}, this callflow reads version {VERSION}")
    if data.get("flow") != flow.name:
        raise SnapshotError(f"the snapshot is of the flow {data.get('flow')!r}, not of {flow.name!r}")
    try:
        snapshot: Snapshot = _converter().structure(_whole(data), Snapshot)
    except Exception as error:  # cattrs says in a dozen ways that data does not fit a type
        raise SnapshotError(f"the snapshot cannot be read: {error!r}") from error
    unknown = [path for path in snapshot.configuration if path not in flow.states]
    if unknown:
        raise SnapshotError(f"the snapshot is in the state {unknown[0]!r}, which this flow does not have")
    return snapshot


def _whole(data: Mapping[str, Any]) -> dict[str, Any]:
    """What stands of a snapshot in this. Raises KeyError where a part is missing, also one that a new call begins without."""
    for name in PARTS:
        data["memory"][name]
    return {name: data[name] for name in Snapshot._fields}


@cache
def _converter() -> Converter:
    """By JSON's types; a NamedTuple is a record, and not the list that it would be."""
    made = make_converter(detailed_validation=False)
    made.register_unstructure_hook_factory(is_namedtuple, namedtuple_dict_unstructure_factory)
    made.register_structure_hook_factory(is_namedtuple, _reads_record)
    made.register_unstructure_hook(Memory, _writes_memory(made))
    made.register_structure_hook(Memory, _reads_memory(made))
    return made


def _reads_record(kind: Any, converter: Converter) -> StructureHook:
    return namedtuple_dict_structure_factory(kind, converter, False, True)  # the last: no other names


def _writes_memory(converter: Converter) -> UnstructureHook:
    """Its two tiers as one record: which part stands in which is nobody's business outside of this process."""
    write = namedtuple_dict_unstructure_factory(Changing, converter)

    def whole(memory: Memory) -> dict[str, Any]:
        changing = write(memory)
        return {**changing, **changing.pop("lasting")}

    return whole


def _reads_memory(converter: Converter) -> StructureHook:
    lasting, changing = _reads_record(Lasting, converter), _reads_record(Changing, converter)

    def tiers(data: Mapping[str, Any], _: Any) -> Memory:
        kept = lasting({name: data[name] for name in Lasting._fields}, Lasting)
        others = {name: one for name, one in data.items() if name not in Lasting._fields}
        return Memory(*changing(others, Changing)._replace(lasting=kept))

    return tiers
