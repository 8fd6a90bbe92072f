"""pytest collects the same files: each scenario is a test, told as `callflow test` tells it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "callflow.pytest_plugin"

FLOW = """
callflow: 1
name: door
initial: asking
states:
  asking:
    entry: [{say: Shall I open?}]
    on:
      dtmf.1: {target: ending, do: [{say: The door is open.}, {outcome: completed}]}
"""
SCENARIOS = """
callflow: 1
flow: door.yaml
scenarios:
  it is opened:
    steps:
      - press: "1"
      - expect: {heard: The door is open.}
    expect: {outcome: completed}
  it stays closed:
    steps:
      - press: "2"
      - expect: {heard: The door is open.}
  to the millisecond:
    exactly: true
    steps: [{2s: {say: {spoken: Shall I open?}}}, {2s: call.hangup}]
"""


@pytest.fixture
def project(pytester: pytest.Pytester):
    pytester.path.joinpath("door.yaml").write_text(FLOW)
    pytester.path.joinpath("door.scenario.yaml").write_text(SCENARIOS)
    return pytester


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """In a process of its own, in which nothing else has imported anything."""
    installed = entry_points(group="pytest11", name="callflow")
    return pytester.runpytest_subprocess(
        *(() if installed else ("-p", PLUGIN)), "-p", "no:cacheprovider", "-p", "no:asyncio", *options
    )


def test_each_scenario_is_a_test_and_a_failure_is_a_story(project):
    done = run(project, "-W", "error")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*_ it stays closed _*",
            "door.scenario.yaml:13:9: not as expected, at 0.65 s",
            "  heard",
            '    expected "The door is open."',
            "    seen     [[]]",
            '    0 s: the call begins. In asking. The caller hears "Shall I open[?]"',
            "    0.65 s: the caller presses 2. No row takes that.",
            "FAILED door.scenario.yaml::it stays closed*",
        ]
    )
    assert "Traceback" not in done.stdout.str()
    assert "pytest_plugin.py" not in done.stdout.str()


def test_some_by_name_and_by_id(project):
    run(project, "-k", "opened").assert_outcomes(passed=1, deselected=2)
    run(project, "door.scenario.yaml::it is opened").assert_outcomes(passed=1)


def test_in_rooms(project):
    project.makeini("[pytest]\ncallflow_rooms = true\n")
    done = run(project, "-rs")
    done.assert_outcomes(passed=1, failed=1, skipped=1)
    done.stdout.fnmatch_lines(["*the caller presses 2. No row takes that.*", "SKIPPED*it says `exactly` when*"])


def test_a_file_with_defects_is_an_error_with_its_place(project):
    project.path.joinpath("wrong.scenario.yaml").write_text(SCENARIOS.replace("steps:", "step:", 1))
    done = run(project, "wrong.scenario.yaml")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*wrong.scenario.yaml:6:*", "*steps*"])
    assert "Traceback" not in done.stdout.str()


def test_a_project_without_scenarios_imports_nothing(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_callflow_is_imported_but_the_plugin():
            ours = {name for name in sys.modules if name.partition(".")[0] in ("callflow", "livekit", "numpy", "click", "yaml")}
            assert ours == {"callflow", "callflow.version", "callflow.pytest_plugin"}
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_scenarios_on_the_pure_core_import_no_livekit(project):
    project.makepyfile(test_z="import sys\n\ndef test_it():\n    assert 'livekit' not in sys.modules\n")
    run(project, "-k", "opened or test_it").assert_outcomes(passed=2, deselected=2)


def test_a_room_in_python(project):
    project.makepyfile(
        """
        from callflow.testing import talks

        def test_the_caller_says_nothing_that_opens(callflow_room):
            call = callflow_room("door.yaml", caller=talks("Open, please.", then_leaves=True), at="2026-11-27 18:30 Europe/Berlin")
            assert call.trace[0] == "asking"
            assert call.heard.startswith("Shall I open?")
            assert call.record.outcome == "hung_up"
            assert call.steps[0].snapshot.memory.started == 1795800600.0
        """
    )
    run(project, "-k", "test_the", "-W", "error").assert_outcomes(passed=1, deselected=3)


def test_the_plugin_is_declared():
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'[project.entry-points.pytest11]\ncallflow = "{PLUGIN}"' in project
