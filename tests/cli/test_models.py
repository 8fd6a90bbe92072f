"""`callflow test --models`: callers that models play, and a judge, which a server on 127.0.0.1 stands in for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from callflow.cli import main
from tests.support.openai_stand_in import standing_in

FLOW = Path("flows/smallest.yaml").resolve()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.scenario.yaml").write_text(f"""callflow: 1
flow: {FLOW}
models: {{agent: agent, caller: caller, judge: judge}}
scenarios:
  in a hurry:
    persona: Ann wants nothing.
    judge: [Is the agent polite?]
    runs: 2
    passes: 50%
    steps: [{{caller: Goodbye.}}, {{tool: end_call}}]
    expect: {{outcome: completed}}
  says nothing of what it does:
    persona: Bob wants nothing either.
""")
    return tmp_path


def run(*arguments: str):
    result = CliRunner().invoke(main, ["test", *arguments])
    return result.exit_code, result.output


def test_models_play_are_judged_and_each_call_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    judged = iter(["true", "false"])

    def says(request):
        last = str(request["messages"][-1]["content"])
        if request["model"] == "agent":
            return {"end_call": {}} if "bye" in last.lower() else "Good day."
        if request["model"] == "judge":
            return f'{{"yes": {next(judged)}, "reason": "It says good day."}}'
        return "Goodbye."

    with standing_in(says) as (address, _):
        for name, value in (("API_KEY", "key"), ("API_SECRET", "s" * 32), ("INFERENCE_URL", address)):
            monkeypatch.setenv(f"LIVEKIT_{name}", value)
        file, kept = str(folder / "a.scenario.yaml"), folder / "kept"
        status, told = run(file, "--models", "--save-runs", str(kept), "-k", "hurry")
    assert told == (
        f"{file} .\n\n"
        f"NOTE {file}::in a hurry: 1 of 2 calls have passed\n"
        f"NOTE {file}::in a hurry: call 1: Is the agent polite? Yes: It says good day.\n"
        f"NOTE {file}::in a hurry: call 2: Is the agent polite? No: It says good day.\n"
        "\n1 passed, 1 deselected\n"
    )
    assert status == 0
    assert run(str(kept))[1].endswith("a-in-a-hurry.scenario.yaml ..\n\n2 passed\n")


def test_without_them_the_steps_are_played_and_it_is_said_that_nothing_was_judged(folder: Path):
    file = str(folder / "a.scenario.yaml")
    status, told = run(file)
    assert told == (
        f"{file} .s\n\n"
        f"NOTE {file}::in a hurry: no model has played its caller, and nothing was judged: `callflow test --models`\n\n"
        f"SKIPPED {file}::says nothing of what it does: a model plays its caller, and it has no steps for when none does: "
        "`callflow test --models`\n\n1 passed, 1 skipped\n"
    )
    assert status == 0


def test_without_a_key_it_is_the_same_and_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("API_KEY", "API_SECRET", "INFERENCE_API_KEY", "INFERENCE_API_SECRET"):
        monkeypatch.delenv(f"LIVEKIT_{name}", raising=False)
    status, told = run(str(folder), "--models", "--format", "json")
    first, second = json.loads(told)["scenarios"]
    assert status == 0
    assert first["passed"]
    assert first["notes"][0].startswith("no model has played this, and nothing was judged: agent: ")
    assert second["skipped"].startswith("no model has played this, and nothing was judged: agent: ")


def test_calls_are_kept_only_where_there_are_some(folder: Path):
    status, told = run(str(folder), "--save-runs", str(folder / "kept"))
    assert status == 4
    assert "--save-runs keeps calls that models have played: say --models, too" in told
