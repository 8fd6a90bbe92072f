"""The JSON Schema of scenarios says what their reader says, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from callflow.flowfile.report import plain_data
from callflow.flowfile.yaml import parse
from callflow.scenario import keys
from callflow.scenario.schema import schema

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "flows" / "scenarios").glob("*.scenario.yaml"))
SCHEMA = schema()


def test_it_is_a_schema_and_the_committed_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    committed = (ROOT / "callflow" / "scenario" / "scenario.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == SCHEMA


def test_the_keys_are_the_readers():
    assert set(SCHEMA["properties"]) == set(keys.FILE)
    assert set(SCHEMA["$defs"]["scenario"]["properties"]) == set(keys.SCENARIO)
    assert set(SCHEMA["$defs"]["conditions"]["properties"]) == set(keys.CONDITIONS)
    assert {*keys.STEPS, *keys.MODIFIERS} <= set(SCHEMA["$defs"]["spelled"]["properties"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_every_shipped_file_is_valid(path):
    root, defects = parse(path.read_text(encoding="utf-8"), str(path))
    assert root is not None
    assert defects == []
    jsonschema.Draft202012Validator(SCHEMA).validate(plain_data(root))


@pytest.mark.parametrize(
    "wrong",
    [
        {"stpes": []},
        {"steps": [{"tol": "end_call"}]},
        {"steps": [{"4": "call.hangup"}]},
        {"steps": [{"expect": {"stat": "talking"}}]},
        {"steps": [{"cal.hangup": {}}]},
        {"effects": {"dial": "bsuy"}},
        {"at": "tomorrow"},
    ],
    ids=str,
)
def test_what_is_wrong_is_not_valid(wrong):
    whole = {"callflow": 1, "flow": "x.yaml", "scenarios": {"a": wrong}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(whole)
