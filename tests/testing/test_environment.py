"""The environment of a simulated call is its own, and afterwards all is as it was."""

from __future__ import annotations

import os

import pytest

from callflow.testing.environment import environment


def test_what_is_given_is_set_what_it_must_not_have_is_not_and_then_all_is_as_it_was(monkeypatch):
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.setenv("TAKEN", "before")
    monkeypatch.delenv("NEW", raising=False)
    before = dict(os.environ)
    with environment({"KEPT": "now", "NEW": "now"}, without=["TAKEN", "KEPT"]):
        assert (os.environ["KEPT"], os.environ["NEW"]) == ("now", "now")
        assert "TAKEN" not in os.environ
        os.environ["LATER"] = "by the call"
    assert dict(os.environ) == before


def test_so_it_is_where_the_call_breaks_off(monkeypatch):
    monkeypatch.setenv("TAKEN", "before")
    with pytest.raises(LookupError), environment({}, without=["TAKEN"]):
        raise LookupError
    assert os.environ["TAKEN"] == "before"
