"""The JSON Schema says what the loader says, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from callflow.core.actions import VERBS
from callflow.flowfile import keys, schema
from callflow.flowfile.yaml import parse

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").glob("*.yaml"))
SCHEMA = schema.schema()


def plain(path: Path) -> object:
    from callflow.flowfile.report import plain_data

    root, defects = parse(path.read_text(encoding="utf-8"), str(path))
    assert not defects
    return plain_data(root)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_committed_file_is_what_the_code_makes() -> None:
    committed = (ROOT / "callflow" / "flowfile" / "flow.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == SCHEMA


def test_the_keys_are_the_loaders() -> None:
    own = lambda of: set(of["properties"])  # noqa: E731
    assert own(SCHEMA) == set(keys.TOP_LEVEL)
    assert own(SCHEMA["$defs"]["state"]) == set(keys.STATE)
    assert own(SCHEMA["$defs"]["transition"]) == set(keys.TRANSITION)
    assert {name[3:] for name in SCHEMA["$defs"] if name.startswith("do-")} == set(VERBS)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_every_shipped_flow_is_valid(path: Path) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(plain(path))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda flow: flow.update(stats={}), "unknown key"),
        (lambda flow: flow["states"]["talking"].update(entry=[{"sya": "Hello."}]), "unknown verb"),
        (lambda flow: flow["states"]["talking"].update(after={"30": "ending"}), "duration without a unit"),
        (lambda flow: flow["states"]["talking"].update(entry=[{"say": {"txt": "Hello."}}]), "unknown argument"),
        (lambda flow: flow["states"]["talking"].update(on={"sesion.close": "ending"}), "unknown event"),
        (lambda flow: flow.pop("initial"), "no initial state"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_editor_would_underline(change, where) -> None:
    flow = plain(ROOT / "flows" / "smallest.yaml")
    change(flow)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(flow)
