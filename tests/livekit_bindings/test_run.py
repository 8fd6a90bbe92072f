"""`callflow run`: what it says before anything starts, and what it makes of `session:` and `--agent`."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner
from livekit.agents import Agent, AgentServer, AgentSession, inference

import callflow
from callflow.cli import main
from callflow.livekit_bindings import models, server
from callflow.testing import ScriptedLLM
from tests.livekit_bindings.conftest import console_job

FLOW = """
callflow: 1
name: shop
env: [SHOP_URL]
initial: talking
states: {talking: {entry: [{say: Hello.}]}}
"""
MODELS = "session: {llm: openai/gpt-4.1-mini, tts: cartesia/sonic-3, stt: deepgram/nova-3}\n"
LIVEKIT = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `callflow run` on a flow; the server is not started but kept in `run.servers`."""
    for name in (*LIVEKIT, "SHOP_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    started = []
    monkeypatch.setattr("livekit.agents.cli.run_app", lambda agent_server: started.append((agent_server, sys.argv)))

    def run(text, *arguments, env=None):
        (tmp_path / "flow.yaml").write_text(text)
        return CliRunner().invoke(main, ["run", "flow.yaml", *arguments], env=env)

    run.started = started
    return run


def test_it_wants_to_know_how(run):
    result = run(FLOW)
    assert result.exit_code == 2
    assert "callflow run flow.yaml console|dev|start|connect" in result.output


def test_everything_that_is_missing_is_said_at_once(run):
    result = run(FLOW, "dev")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "flow.yaml cannot run here:",
        "- LIVEKIT_URL is not set, and there is no --url",
        "- LIVEKIT_API_KEY is not set, and there is no --api-key",
        "- LIVEKIT_API_SECRET is not set, and there is no --api-secret",
        "- the flow reads SHOP_URL, which is not set",
        "- the flow has no `session:` that names its models: write one, or say --agent module:function",
    ]


def test_a_console_needs_keys_only_for_models_that_run_elsewhere(run):
    assert "LIVEKIT_API_KEY is not set: the models" in run(FLOW + MODELS, "console", env={"SHOP_URL": "x"}).output


def test_a_flow_that_hides_the_end_of_the_call_does_not_run(run):
    result = run(FLOW.replace("]}}", "], on: {call.hangup: {do: [{log: Stay.}]}}}}"), "dev")
    assert result.exit_code == 1
    assert "hidden-end" in result.output


def test_a_flow_with_defects_does_not_run(run):
    result = run(FLOW.replace("say", "sya"), "dev")
    assert result.exit_code == 1
    assert "flow.yaml:6:" in result.output
    assert "callflow check flow.yaml" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--agent", "nowhere:make"], "--agent nowhere:make: there is no module nowhere here"),
        (["--agent", "json:make"], "--agent json:make: json has no make"),
        (["--agent", "json:__name__"], "__name__ is not a function"),
        (["--vars", "{"], "not JSON"),
        (["--vars", "[]"], "write an object"),
    ],
)
def test_what_is_given_and_cannot_be_used_is_named(run, arguments, said):
    result = run(FLOW, *arguments, "dev", env={**LIVEKIT, "SHOP_URL": "x"})
    assert result.exit_code != 0
    assert said in result.output


def test_with_everything_there_livekits_own_command_line_takes_over(run):
    result = run(FLOW + MODELS, "--name", "shop", "start", "--log-level", "info", env={**LIVEKIT, "SHOP_URL": "x"})
    assert result.exit_code == 0, result.output
    [(started, argv)] = run.started
    assert isinstance(started, AgentServer)
    assert argv == ["callflow run flow.yaml", "start", "--log-level", "info"]


async def test_a_session_of_names_and_options(monkeypatch):
    monkeypatch.setattr("livekit.agents.llm.LLM.prewarm", lambda *_, **__: None)  # nobody is called
    for name, value in LIVEKIT.items():
        monkeypatch.setenv(name, value)
    flow = callflow.loads(
        FLOW
        + """
session:
  llm: openai/gpt-4.1-mini
  tts: cartesia/sonic-3
  vad: silero
  allow_interruptions: false
  min_endpointing_delay: 700ms
  user_away_timeout: 40s
"""
    )
    session = models.session_of(flow)
    assert isinstance(session.llm, inference.LLM)
    assert isinstance(session.tts, inference.TTS)
    assert session.options.aec_warmup_duration is None
    assert session.options.interruption["enabled"] is False
    assert session.options.endpointing["min_delay"] == 0.7
    assert session.options.user_away_timeout == 40.0


def test_plugins_that_are_not_there_are_named_with_what_to_install():
    flow = callflow.loads(FLOW + "session: {llm: {plugin: openai, model: gpt-4o}, tts: {plugin: no_such, voice: x}}\n")
    with pytest.raises(callflow.BindError) as error:
        models.session_of(flow)
    assert models.problems(flow) == list(error.value.problems)
    assert error.value.problems == (
        "llm: the plugin openai is not installed: pip install livekit-plugins-openai",
        "tts: the plugin no_such is not installed: pip install livekit-plugins-no-such",
    )


async def test_a_factory_makes_what_a_call_needs(monkeypatch):
    agent, session = Agent(instructions=""), AgentSession(llm=ScriptedLLM(), vad=None)

    async def later(ctx):
        return {"agent": agent, "actions": {"x": print}, "room": ctx.room.name}

    made = {
        "one": (lambda: agent, {"agent": agent}),
        "other": (lambda ctx: session, {"session": session}),
        "both": (lambda: (session, agent), {"session": session, "agent": agent}),
        "later": (later, {"agent": agent, "actions": {"x": print}, "room": ""}),
    }
    flow = callflow.loads(FLOW)
    with console_job() as ctx:
        for make, wanted in made.values():
            monkeypatch.setattr(server, "found", lambda _, make=make: make)
            assert await server.supplied(flow, ctx, "module:make") == wanted
        monkeypatch.setattr(server, "found", lambda _: lambda: 7)
        with pytest.raises(callflow.BindError, match="made a int"):
            await server.supplied(flow, ctx, "module:make")


async def test_a_job_of_the_server_runs_the_flow(tmp_path, monkeypatch):
    """At the console: the whole way from the file to the record."""
    from livekit.agents.ipc.mock_room import create_mock_room

    path = tmp_path / "flow.yaml"
    path.write_text(
        """
callflow: 1
name: shop
vars: {greeting: {type: string}}
initial: talking
states: {talking: {entry: [{say: "{{ vars.greeting }}"}], on: {done: {target: ending, do: [{outcome: completed}]}}}}
"""
    )
    from callflow.testing import SpelledTTS

    monkeypatch.setattr(server, "found", lambda _: lambda: AgentSession(tts=SpelledTTS(), vad=None))
    create_mock_room.cache_clear()
    with console_job(room=create_mock_room()) as ctx:
        await server.entrypoint(ctx, file=str(path), factory="x:y", vars={"greeting": "Hello."}, journal=str(tmp_path))
    assert '"outcome": "completed"' in (tmp_path / "fake-job.json").read_text()
