"""Paths of files: no rendered value leaves the folder that the flow has written."""

from __future__ import annotations

import copy

import pytest

import callflow
from callflow.core.expressions import TEXT, Context, EvaluationError, Names, Record, Rendered, Template, compile_path

NAMES = Names(event=None, vars=Record({"x": TEXT}), env=Record({"SOUNDS": TEXT}))


def path(source: str, value: str) -> object:
    return compile_path(source, NAMES).evaluate(Context(vars={"x": value}, env={"SOUNDS": "/srv/../sounds"}))


@pytest.mark.parametrize(
    "source",
    [
        "{{ vars.x }}",
        "{{ vars.x }}.wav",
        "de/{{ vars.x }}",
        "/srv/{{ vars.x }}",
        "{{ env.SOUNDS }}/{{ vars.x }}",
    ],
)
@pytest.mark.parametrize("value", ["../secret", "a/../../secret", "..\\secret", "x/..", "\x00"])
def test_what_would_leave_the_folder_is_refused(source: str, value: str) -> None:
    with pytest.raises(EvaluationError, match="outside the folder"):
        path(source, value + "/")


@pytest.mark.parametrize(
    "value", ["/etc/passwd", "\\\\server\\x", "~/x", "file:///etc/passwd", "https://example.com/x", "C:\\x"]
)
def test_a_path_from_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(EvaluationError, match="outside the folder"):
        path("{{ vars.x }}", value)


def test_what_the_flow_has_written_is_its_own() -> None:
    assert path("/srv/../sounds/{{ vars.x }}.wav", "de/hold") == "/srv/../sounds/de/hold.wav"
    assert path("{{ env.SOUNDS }}/{{ vars.x }}", "a..b") == "/srv/../sounds/a..b"
    assert path("{{ env.SOUNDS }}", "..") == "/srv/../sounds"
    assert path("{{ vars.x }}.wav", "de") == "de.wav"


def test_each_verb_that_plays_or_writes_a_file_is_bound_by_it() -> None:
    flow = callflow.loads("""
callflow: 1
name: sounds
vars: {x: {type: string, default: a}}
initial: talking
states:
  talking:
    entry:
      - {play: {file: "{{ vars.x }}.wav"}}
      - {hold: {music: "{{ vars.x }}.wav"}}
      - {start_recording: {file: "{{ vars.x }}.ogg"}}
      - {start_recording: "calls/{{ vars.x }}.ogg"}
""")
    for action, name in zip(flow.states["talking"].entry, ("file", "music", "file", "file"), strict=True):
        template = action.arguments[name]
        assert isinstance(template, Template)
        with pytest.raises(EvaluationError, match="outside the folder"):
            template.evaluate(Context(vars={"x": "../a"}))


def test_a_rendered_path_knows_its_folder_also_as_a_copy() -> None:
    for made in (path("/srv/{{ vars.x }}.wav", "de"), copy.deepcopy(path("/srv/{{ vars.x }}.wav", "de"))):
        assert isinstance(made, Rendered)
        assert (made, made.folder) == ("/srv/de.wav", "/srv/")
