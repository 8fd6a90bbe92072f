"""Flow files that once were taken wrongly, or broke the loader."""

from __future__ import annotations

import pytest

from callflow.flowfile.loader import read_loads

HEAD = "name: t\ninitial: a\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("callflow: 1\nending: 5\nstates: {a: {}}", "number-for-text", "`ending` takes text, not the number 5"),
        ("callflow: true\nstates: {a: {}}", "unknown-version", "reads version 1 of the language, not true"),
        ("callflow: '1'\nstates: {a: {}}", "unknown-version", 'reads version 1 of the language, not the text "1"'),
        ("callflow:\nstates: {a: {}}", "unknown-version", "reads version 1 of the language, not nothing"),
        (
            'callflow: 1\nuse: {s: "x\\0y"}\nstates: {a: {flow: s, on: {done: ending}}}',
            "unreadable-file",
            "embedded null",
        ),
        ("callflow: 1\nuse: {s: 1}\nstates: {a: {}}", "number-for-text", "`s` takes text, not the number 1"),
        ("callflow: 1\nuse: {s: 1}\nstates: {a: {flow: s, on: {done: ending}}}", "number-for-text", "takes text"),
        ("callflow: 1\nlimits: {call: 0s}\nstates: {a: {}}", "bad-duration", "`call` is longer than 0s"),
    ],
)
def test_one_mistake_is_one_defect_where_it_stands(text: str, code: str, message: str) -> None:
    flow, defects = read_loads(HEAD + text, "flow.yaml")
    assert flow is None
    assert [(one.code, one.file) for one in defects] == [(code, "flow.yaml")]
    assert message in defects[0].message
