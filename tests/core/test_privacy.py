"""What is made of a private value is private, however it is made."""

from __future__ import annotations

import pytest

from callflow.core.flow import ROOT
from callflow.core.privacy import privacy_of
from tests.support.play import flow_of

FLOW = """
vars:
  iban: {type: string, pii: true}
  plain: {type: string, default: a}
  made: {type: string, default: ""}
  again: {type: string, default: ""}
initial: talking
states:
  talking:
    entry: [{set: {made: "TEXT"}}, {set: {again: "{{ vars.made }}"}}]
    on: {done: ending}
"""


@pytest.mark.parametrize(
    ("text", "private", "opaque"),
    [
        ("{{ vars.iban }}", True, False),
        ("it is {{ vars.iban }}.", True, False),
        ("{{ lower(vars.iban) }}", True, True),
        ("{{ vars.plain + vars.iban }}", True, True),
        ("{{ [vars.plain, vars.iban][1] }}", True, True),
        ("{{ vars.plain }}", False, False),
        ("iban", False, False),
    ],
)
def test_a_variable_that_is_made_of_a_private_one(text, private, opaque) -> None:
    found = privacy_of(flow_of(FLOW.replace("TEXT", text)))
    for name in ("made", "again"):  # and what is made of that
        assert (name in found.variables[ROOT]) is private
        assert (name in found.unsearchable[ROOT]) is opaque
    assert "plain" not in found.variables[ROOT]
