"""`callflow run`: what it says before anything starts, and what it makes of `session:` and `--agent`."""

from __future__ import annotations

import errno
import re
import sys
from types import ModuleType

import pytest
from click.testing import CliRunner
from livekit.agents import Agent, AgentServer, AgentSession, inference
from livekit.agents import __version__ as agents_version

import callflow
from callflow.cli import main
from callflow.errors import Defect
from callflow.livekit_bindings import livekit_internals, models, server, serving
from callflow.proof.kept import keep
from callflow.proof.proved import Proved
from callflow.testing import ScriptedLLM
from tests.livekit_bindings.conftest import console_job
from tests.support.command import command

FLOW = """
callflow: 1
name: shop
env: [SHOP_URL]
initial: talking
states: {talking: {entry: [{say: Hello.}]}}
"""
MODELS = "session: {llm: openai/gpt-4.1-mini, tts: cartesia/sonic-3, stt: deepgram/nova-3}\n"
LIVEKIT = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}


@pytest.fixture(autouse=True)
def _sound(monkeypatch):
    """A machine with PortAudio, whatever this one has."""
    monkeypatch.setitem(sys.modules, "sounddevice", ModuleType("sounddevice"))


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


@pytest.mark.parametrize(
    ("mode", "given", "said"),
    [
        ("dev", '{"name": 5}', ["--vars: vars.name: takes text", "--vars: vars.phone is missing"]),
        ("start", '{"nmae": "Ann"}', ["vars.nmae is not a variable", "vars.name is missing", "vars.phone is missing"]),
        ("console", '{"name": "Ann", "phone": "555"}', ["--vars: vars.phone: "]),
        ("connect", "{}", ["vars.name is missing", "vars.phone is missing"]),
        ("console", None, ["vars.name is missing: say --vars, since a call of `console` carries none"]),
        ("connect", None, ["vars.phone is missing: say --vars"]),
    ],
)
def test_variables_are_looked_at_before_anything_starts(run, mode, given, said):
    flow = FLOW + MODELS + "vars: {name: string, phone: {type: phone}}\n"
    result = run(flow, *(["--vars", given] if given else []), mode, env={**LIVEKIT, "SHOP_URL": "x"})
    assert result.exit_code == 1
    assert not run.started
    for sentence in said:
        assert sentence in result.output


@pytest.mark.parametrize(
    ("mode", "given"), [("dev", None), ("start", '{"name": "Ann"}'), ("console", '{"name": "Ann"}')]
)
def test_variables_that_fit_or_that_a_job_may_carry_are_no_obstacle(run, mode, given):
    flow = FLOW + MODELS + "vars: {name: string}\n"
    result = run(flow, *(["--vars", given] if given else []), mode, env={**LIVEKIT, "SHOP_URL": "x"})
    assert (result.exit_code, len(run.started)) == (0, 1), result.output


def test_with_everything_there_livekits_own_command_line_takes_over(run):
    result = run(FLOW + MODELS, "--name", "shop", "start", "--log-level", "info", env={**LIVEKIT, "SHOP_URL": "x"})
    assert result.exit_code == 0, result.output
    [(started, argv)] = run.started
    assert isinstance(started, AgentServer)
    assert argv == ["callflow run flow.yaml", "start", "--log-level", "info"]


READY = {**LIVEKIT, "SHOP_URL": "x"}


def settings(run, *arguments, devmode=False):
    """What a server that was made of these arguments would run with, and what each of its calls is given."""
    result = run(FLOW + MODELS, *arguments, env=READY)
    assert result.exit_code == 0, result.output
    started, argv = run.started.pop()
    return (
        livekit_internals.options_of(started, devmode=devmode),
        started._entrypoint_fnc.keywords["worker_seconds"],
        argv[1:],
    )


@pytest.mark.parametrize("mode", ["start", "dev", "connect", "console"])
@pytest.mark.parametrize("behind", [False, True], ids=["before-the-mode", "behind-it"])
def test_the_servers_options_stand_anywhere(run, mode, behind):
    given = ["--drain-timeout", "30m", "--shutdown-process-timeout=20", "--num-idle-processes", "3"]
    given += ["--load-threshold", "0.5", "--port", "9000"]
    rest = ["--log-level", "debug"]
    found, worker, argv = settings(run, *((mode, *given, *rest) if behind else (*given, mode, *rest)))
    assert found["drain_timeout"] == 1800
    assert found["shutdown_process_timeout"] == 20
    assert (found["num_idle_processes"], found["load_threshold"], found["port"]) == (3, 0.5, 9000)
    assert worker == 18
    assert argv == [mode, *rest]


def test_without_them_the_servers_own_defaults_hold(run):
    plain = AgentServer()
    found, worker, _ = settings(run, "start")
    assert found == livekit_internals.options_of(plain, devmode=False) | {"ws_url": "ws://127.0.0.1:1"}
    assert worker == 8.0
    assert settings(run, "dev", devmode=True)[0]["num_idle_processes"] == 0


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--drain-timeout", "0", "LiveKit takes 0 for no limit at all"),
        ("--drain-timeout", "-1", "of at least 1 s"),
        ("--drain-timeout", "1.5", "seconds, or a duration (30m)"),
        ("--drain-timeout", "soon", "seconds, or a duration (30m)"),
        ("--drain-timeout", "nan", "seconds, or a duration (30m)"),
        ("--drain-timeout", "inf", "seconds, or a duration (30m)"),
        ("--shutdown-process-timeout", "3", "at least 4 s: a call needs 2 s to drop its line and write its record"),
        ("--shutdown-process-timeout", "0", "at least 4 s"),
        ("--num-idle-processes", "-1", "a whole number of processes"),
        ("--num-idle-processes", "1.5", "a whole number of processes"),
        ("--load-threshold", "0", "a share of the machine, from 0.01 to 1"),
        ("--load-threshold", "70", "0.7 takes no calls while seven tenths of it are busy"),
        ("--load-threshold", "nan", "a share of the machine"),
        ("--port", "70000", "a whole number up to 65535"),
        ("--port", "http", "a whole number up to 65535"),
        ("--initialize-process-timeout", "0", "from 1 s to 1 h"),
    ],
)
def test_values_that_cannot_work_are_refused_before_anything_starts(run, option, value, said):
    result = run(FLOW + MODELS, "start", option, value, env=READY)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': {value}: " in result.output
    assert said in " ".join(result.output.split())
    assert run.started == []


def announced(text, *, devmode=False, unregistered=False, **options):
    server = AgentServer(**options)
    settings = livekit_internals.options_of(server, devmode=devmode)
    return serving.announcement(callflow.loads(text), settings, devmode=devmode, unregistered=unregistered)


def test_what_is_started_is_said_in_one_line(monkeypatch):
    monkeypatch.setenv("LIVEKIT_AGENT_NAME", "shop-7")
    server = AgentServer(
        ws_url="wss://somebody:a-secret@shop.livekit.cloud:8443/path?key=other-secret",
        drain_timeout=1800, shutdown_process_timeout=20.0, num_idle_processes=2, port=9000,
    )  # fmt: skip
    server.rtc_session(print)
    flow = callflow.loads(FLOW, "shop.yaml")
    said = serving.announcement(
        flow, livekit_internals.options_of(server, devmode=False), devmode=False, unregistered=False
    )
    assert said == (
        f"callflow {callflow.__version__} runs shop (shop.yaml, digest {flow.digest}), as the agent shop-7,"
        f" on LiveKit at shop.livekit.cloud:8443 with livekit-agents {agents_version}:"
        " calls are drained for 30m; a call that is told to end has 18s, its process 20s;"
        " no call is taken from a load of 0.7 on; 2 idle processes; health check on port 9000"
    )


def test_where_nothing_is_drained_or_taken_it_says_so():
    dev = announced(FLOW, devmode=True, ws_url="ws://localhost:7880")
    assert "as an agent without a name, which takes any call, on LiveKit at localhost:7880 with" in dev
    assert "calls are not drained; " in dev
    assert "any load is taken; 0 idle processes; health check on any free port" in dev
    console = announced(FLOW, devmode=True, unregistered=True, ws_url="ws://[::1]:99999")
    assert "on LiveKit at an address that cannot be read with" in console
    assert "agent" not in console.replace("livekit-agents", "")
    assert "drain" not in console


@pytest.mark.parametrize(
    ("limits", "drain", "said"),
    [
        ("", 3600, None),
        ("", 30, "calls may last 1h (limits.call), and a server that is told to stop ends them after 30s"),
        ("limits: {call: 2h}\n", 3600, "calls may last 2h (limits.call)"),
        ("limits: {call: 10m}\n", 600, None),
        ("limits: {call: 2h}\n", 0, None),
    ],
)
def test_a_drain_that_cuts_calls_short_is_told(limits, drain, said):
    found = serving.cut_short(callflow.loads(FLOW + limits), {"drain_timeout": drain})
    assert (found is None) if said is None else (said in found)


async def test_a_server_says_it_as_it_starts(tmp_path, monkeypatch, caplog):
    ran = []

    async def run(self, **options):
        ran.append(options)

    monkeypatch.setattr(AgentServer, "run", run)
    (tmp_path / "flow.yaml").write_text(FLOW)
    made = server.server_of(str(tmp_path / "flow.yaml"), drain_timeout=60, ws_url="ws://localhost:7880")
    with caplog.at_level("INFO", "callflow"):
        await made.run(devmode=False, unregistered=False)
    assert ran == [{"devmode": False, "unregistered": False}]
    said, proved, warned = caplog.records
    assert (said.levelname, proved.levelname, warned.levelname) == ("INFO", "INFO", "WARNING")
    assert proved.message == serving.proved_of(callflow.load(tmp_path / "flow.yaml"))
    assert said.message.startswith(f"callflow {callflow.__version__} runs shop (")
    assert warned.message.startswith("calls may last 1h (limits.call)")


SMALL = "callflow: 1\nname: shop\ninitial: talking\nstates: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n"


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (SMALL, [], "every call of shop was followed (… situations, … steps), and nothing was found"),
        (
            SMALL.replace(", on: {done: ending}", ""),
            [],
            "every call of shop was followed (… situations, … steps), and no-way-on was found; `callflow check FILE` tells it",
        ),
        (
            SMALL,
            ["--steps", "50"],
            "not every call of shop was followed (… situations, … steps), and nothing was found; `callflow check --deep FILE` goes on",
        ),
        (None, [], "nothing is proved of this version of shop: `callflow check FILE` follows every call that can be"),
    ],
)
def test_what_is_proved_is_said_and_nothing_is_proved_then(text, options, said, tmp_path, monkeypatch):
    file = tmp_path / "flow.yaml"
    file.write_text(text or SMALL)
    if text is not None:
        command("check", str(file), *options)
    monkeypatch.setattr("callflow.proof.prove.prove", lambda *_, **__: pytest.fail("it was proved in production"))
    found = serving.proved_of(callflow.load(file))
    assert re.sub(r"\d+ (situation|step)s", r"… \1s", found) == said.replace("FILE", str(file))
    if text is not None:
        file.write_text((text or SMALL) + "# another version\n")
        assert serving.proved_of(callflow.load(file)).startswith("nothing is proved of this version of shop")


def test_what_no_call_shows_is_said_to_be_open(tmp_path):
    (tmp_path / "flow.yaml").write_text(SMALL)
    flow = callflow.load(tmp_path / "flow.yaml")
    doubt = Defect("no-way-on", "nothing leads on", flow.file, 4, 1, 4, 2)
    keep(flow, Proved(50_000, 1_000, 30_000, 0, (), (doubt, doubt)))
    assert serving.proved_of(flow) == (
        "every call of shop was followed (1,000 situations, 30,000 steps), and nothing was found; not proved is no-way-on; "
        f"`callflow check {flow.file}` tells it"
    )


def test_of_several_answers_the_one_that_goes_furthest_is_said(tmp_path):
    file = tmp_path / "flow.yaml"
    file.write_text(SMALL)
    for steps in ("50", "40000", "60", "7"):
        command("check", str(file), "--steps", steps)
    assert serving.proved_of(callflow.load(file)).startswith("every call of shop was followed")


async def test_a_port_that_is_in_use_is_said_in_a_sentence(tmp_path, monkeypatch, caplog):
    async def run(self, **options):
        raise OSError(errno.EADDRINUSE, "error while attempting to bind on address ('127.0.0.1', 9000)")

    monkeypatch.setattr(AgentServer, "run", run)
    (tmp_path / "flow.yaml").write_text(FLOW)
    made = server.server_of(str(tmp_path / "flow.yaml"), port=9000)
    with pytest.raises(SystemExit) as ended:
        await made.run()
    assert ended.value.code == 1
    [said] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert said.message.startswith("the port 9000 of the health check is in use")
    assert said.exc_info is None


@pytest.mark.parametrize(("given", "wanted"), [({}, 5.0), ({"worker_seconds": 3.0}, 3.0)])
async def test_what_a_call_may_take_to_end_follows_from_its_server(tmp_path, monkeypatch, given, wanted):
    """Unless the program's own factory says otherwise."""
    (tmp_path / "flow.yaml").write_text(FLOW)
    made = server.server_of(str(tmp_path / "flow.yaml"), factory="x:y", shutdown_process_timeout=7.0)
    told = []

    async def run(flow, ctx, session, agent, **options):
        told.append(options["worker_seconds"])
        raise callflow.BindError(["enough"])

    monkeypatch.setattr(server, "run", run)
    monkeypatch.setattr(server, "found", lambda _: lambda: {"session": AgentSession(vad=None), **given})
    with console_job() as ctx, pytest.raises(callflow.BindError):
        await made._entrypoint_fnc(ctx)
    assert told == [wanted]


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


def test_a_console_without_sound_says_so_in_one_line(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = run(FLOW + MODELS, "console", env={**LIVEKIT, "SHOP_URL": "x"})
    assert result.exit_code == 1
    first, second = result.output.splitlines()
    assert first == "flow.yaml cannot run here:"
    assert second.endswith(": install it (`apt install libportaudio2` on Debian), or type: add --text behind `console`")
    assert not run.started


def test_a_console_that_is_typed_into_needs_no_sound(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = run(FLOW + MODELS, "console", "--text", env={**LIVEKIT, "SHOP_URL": "x"})
    assert (result.exit_code, len(run.started)) == (0, 1), result.output
    device = sys.modules["sounddevice"]
    assert device.query_devices() == []
    with pytest.raises(OSError, match="sounddevice"):
        device.query_devices(None, kind="input")
