"""What binding a flow finds wrong before the call starts: everything at once, each a sentence."""

from __future__ import annotations

import pytest
from livekit.agents import Agent, AgentSession, AgentTask, function_tool
from livekit.agents.voice.room_io import RoomInputOptions, RoomOutputOptions

import callflow
from callflow.core.actions import INTERNAL_VERBS, VERBS
from callflow.livekit_bindings.verbs import PERFORM
from callflow.testing import ScriptedLLM, SpelledTTS
from tests.livekit_bindings.conftest import console_job

FLOW = """
callflow: 1
name: fits
vars:
  customer: {type: string}
  visits: {type: integer, default: 0}
env: [SHOP_URL]
python:
  verify_pin: {parameters: {pin: {type: string}, strict: {type: boolean, required: false}}, returns: {ok: boolean}}
tools:
  end_call: {description: Done.}
initial: talking
states:
  talking:
    entry:
      - say: Hello.
      - generate_reply: {instructions: Help.}
      - python: {name: verify_pin, arguments: {pin: "1"}}
    tools: [end_call]
    on:
      tool.end_call: {target: billing, do: [{update_agent: billing}]}
  billing:
    task: address
    on: {task.*: ending}
"""


class Billing(Agent):
    pass


class AskAddress(AgentTask[str]):
    def __init__(self):
        super().__init__(instructions="Ask.")


def bind(*, flow=FLOW, session=None, agent=None, metadata='{"customer": "Ann"}', **options):
    loaded = callflow.loads(flow)
    with console_job(job_metadata=metadata) as ctx:
        return callflow.bind(loaded, ctx, session or AgentSession(vad=None), agent, **options)


def fitting(**changes):
    def verify_pin(pin, strict=False):
        return {"ok": True}

    options = {
        "session": AgentSession(llm=ScriptedLLM(), tts=SpelledTTS(), vad=None),
        "actions": {"verify_pin": verify_pin},
        "agents": {"billing": Billing, "address": AskAddress},
    }
    return {**options, **changes}


@pytest.fixture(autouse=True)
def shop(monkeypatch):
    monkeypatch.setenv("SHOP_URL", "http://shop")


async def test_a_flow_that_fits_is_a_call():
    call = bind(**fitting())
    assert isinstance(call, callflow.Call)
    assert call.flow.name == "fits"


async def test_everything_that_is_missing_is_said_at_once(monkeypatch):
    monkeypatch.delenv("SHOP_URL")
    with pytest.raises(callflow.BindError) as error:
        bind(metadata="")
    assert error.value.problems == (
        "vars.customer is missing",
        "the environment variable SHOP_URL is not set",
        "<text>:16: say needs a TTS, and neither the session nor the agent has one",
        "<text>:17: generate_reply needs an LLM, and neither the session nor the agent has one",
        'python action verify_pin is missing: pass actions={"verify_pin": …}',
        'agent billing is missing: pass agents={"billing": …}',
        'task address is missing: pass agents={"address": …} with its AgentTask class',
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vars": {"customer": 7}}, "vars.customer: takes text, not an integer"),
        ({"vars": {"customer": "Ann", "vists": 2}}, "vars.vists is not a variable of this flow"),
        ({"metadata": "Ann"}, "the job's metadata is no JSON object"),
        ({"actions": {"verify_pin": lambda: None}}, "python action verify_pin takes no parameter pin"),
        ({"actions": {"verify_pin": lambda pins: None}}, 'takes no parameter pin (did you mean "pins"?)'),
        ({"actions": {"verify_pin": lambda pin, strict: None}}, "needs strict, which the flow may leave out"),
        ({"actions": {"verify_pin": lambda pin, secret, strict=0: 0}}, "needs secret, which the flow does not declare"),
        ({"actions": {"verify_pin": "no"}}, "python action verify_pin is not callable"),
        (
            {"actions": {"verify_pin": lambda **_: None, "verify_pn": print}},
            'python action verify_pn is none of the flow\'s (did you mean "verify_pin"?)',
        ),
        ({"agents": {"billing": AskAddress, "address": AskAddress}}, "agent billing must be an Agent"),
        (
            {"agents": {"billing": Billing, "address": Billing(instructions="")}},
            "task address must be an AgentTask class",
        ),
        (
            {"agents": {"billing": Billing, "address": AskAddress, "biling": Billing}},
            'agent biling is none of the flow\'s (did you mean "billing"?)',
        ),
    ],
)
async def test_what_does_not_fit_is_named(options, said):
    with pytest.raises(callflow.BindError) as error:
        bind(**fitting(**options))
    assert any(said in problem for problem in error.value.problems), error.value.problems


async def test_a_tool_of_the_flow_must_not_be_one_of_the_agents_own():
    class Own(Agent):
        @function_tool
        async def end_call(self):
            """Ends."""

    with pytest.raises(callflow.BindError, match="tool end_call is a tool of the agent too"):
        bind(**fitting(agent=Own(instructions="")))


async def test_models_may_be_the_agents_own():
    session = AgentSession(vad=None)
    agent = Agent(instructions="", llm=ScriptedLLM(), tts=SpelledTTS())
    assert bind(**fitting(session=session, agent=agent))


async def test_a_session_that_runs_already_is_refused():
    session = AgentSession(llm=ScriptedLLM(), tts=SpelledTTS(), vad=None)
    with console_job():
        await session.start(Agent(instructions=""))
        with pytest.raises(callflow.BindError, match="the session has been started"):
            bind(**fitting(session=session))
        await session.aclose()


async def test_variables_that_are_given_beat_the_jobs_metadata():
    assert bind(**fitting(vars={"customer": "Bob"}, metadata="not JSON"))


def test_every_verb_of_the_catalogue_runs_live():
    known = {name for name, verb in {**VERBS, **INTERNAL_VERBS}.items() if not verb.at_once} - {
        "shutdown"
    }  # the runtime's
    assert PERFORM.keys() == known


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "8"])
async def test_a_time_in_which_no_call_could_end(seconds):
    with pytest.raises(callflow.BindError) as error:
        bind(flow="callflow: 1\nname: x\ninitial: a\nstates: {a: {}}\n", worker_seconds=seconds)
    assert error.value.problems == (
        f"worker_seconds is what a call may take to end, in seconds above 0, not {seconds!r}",
    )


async def test_keys_of_the_metadata_that_are_others_are_ignored_and_noted(stage):
    flow = """
        callflow: 1
        name: greets
        vars: {customer: {type: string, default: nobody}}
        initial: talking
        states: {talking: {entry: [{say: "Hello {{ vars.customer }}."}, {outcome: completed}], on: {done: ending}}}
    """
    metadata = '{"customer": "Ann", "custmer": 1, "tenant": "acme"}'
    record = await stage.play(flow, metadata=metadata)
    assert (record.outcome, stage.heard) == ("completed", "Hello Ann.")
    said = 'keys of the job\'s metadata that are no variables of the flow were ignored: custmer (did you mean "customer"?), tenant'
    assert record.notes == (said,)


@pytest.mark.parametrize("metadata", ['{"tenant": "acme"}', "acme", ""])
async def test_a_flow_without_variables_takes_any_metadata(stage, metadata):
    flow = """
        callflow: 1
        name: greets
        initial: talking
        states: {talking: {entry: [{say: Hello.}, {outcome: completed}], on: {done: ending}}}
    """
    record = await stage.play(flow, metadata=metadata)
    assert record.outcome == "completed"
    assert len(record.notes) == metadata.startswith("{")


@pytest.mark.parametrize(
    "older", [RoomInputOptions(text_enabled=False), RoomOutputOptions(transcription_enabled=False)]
)
async def test_the_older_options_of_a_room_are_taken(stage, older):
    flow = """
        callflow: 1
        name: greets
        initial: talking
        states: {talking: {entry: [{say: Hello.}, {outcome: completed}], on: {done: ending}}}
    """
    record = await stage.play(flow, room_options=older)
    assert (record.outcome, stage.heard) == ("completed", "Hello.")
    options = stage.call.world.room_options
    assert (options.text_input is False, options.text_output is False) == (
        isinstance(older, RoomInputOptions),
        isinstance(older, RoomOutputOptions),
    )
    assert (options.close_on_disconnect, options.delete_room_on_close) == (False, False)


@pytest.mark.parametrize("other", [{"text_enabled": False}, RoomInputOptions, "audio"])
async def test_other_options_of_a_room_are_refused_before_anything_is_dialled(other):
    with pytest.raises(callflow.BindError, match="room_options takes an instance of RoomOptions"):
        bind(**fitting(room_options=other))
