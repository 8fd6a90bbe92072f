"""Row 73: the model calls two tools in one turn, the first one moves the flow on, and the second is lost without a trace
(dograh-hq/dograh#545).

What the model called while its tool was offered is carried out, in whatever order: its `run` ends within its time limit
though its state was left, the caller does not wait for it, and `wrap_up` and the job's end do. What cannot be carried out
the model is told in words, and the record has it.
"""

from __future__ import annotations

import asyncio
import itertools

import pytest
from livekit.agents import Agent, AgentTask, function_tool

from callflow.journal import read_journal, replay
from callflow.livekit_bindings.model_context import CUT
from callflow.testing import ScriptedLLM, Tool
from callflow.testing.play import offline_session, talks
from tests.guarantees.conftest import GOODBYE, GREETING

BOOKING = """
callflow: 1
name: booking
python: {save: {parameters: {note: string}, returns: {ok: boolean}, timeout: 10s}}
vars: {caller: {type: string, default: nobody}, saved: {type: boolean, default: false}}
tools:
  save_note:
    description: Save what was agreed.
    parameters: {note: string}
    run: {python: {name: save, arguments: {note: "{{ event.note }}"}}}
    result: saved
  set_name: {description: The caller has said their name., parameters: {caller: string}}
  next: {description: On to the next question.}
  end_call: {description: The caller is done.}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [save_note, set_name, next, end_call]
    on:
      tool.save_note: {do: [{set: {saved: true}}]}
      tool.set_name: {do: [{set: {caller: "{{ event.caller }}"}}]}
      tool.next: asking
      tool.end_call: {target: ending, do: [{say: "Thank you for calling, goodbye."}, {outcome: completed}]}
  asking: {entry: [{say: And when?}], tools: [end_call], on: {tool.end_call: {target: ending, do: [{outcome: completed}]}}}
wrap_up: [{log: "{{ vars.caller }} {{ vars.saved }}"}]
"""

SAVE, NAME = Tool("save_note", {"note": "tuesday"}), Tool("set_name", {"caller": "Ann"})
NEXT, END = Tool("next"), Tool("end_call")


class Desk:
    """Where notes are saved, which takes its time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.notes = seconds, []

    async def save(self, note):
        await asyncio.sleep(self.seconds)
        self.notes.append(note)
        return {"ok": True}


def logged(call):
    return [note.data["message"] for step in call.steps for note in step.notes if note.kind == "log"]


@pytest.mark.parametrize("turn", [*itertools.permutations((SAVE, NAME, END))], ids=str)
async def test_every_tool_of_a_turn_does_its_work_in_whatever_order(stage, ended, turn, tmp_path):
    desk = Desk(6.0)
    call = stage(
        BOOKING,
        model=[GREETING, list(turn)],
        caller=talks("i am ann, tuesday, bye"),
        options={"actions": {"save": desk.save}},
        journal=tmp_path,
    )
    record = await call.play()
    assert desk.notes == ["tuesday"]
    assert record.vars == {"caller": "Ann", "saved": True}
    assert logged(call) == ["Ann true"]
    assert (record.outcome, record.late, record.notes, record.fault) == ("completed", (), (), None)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.left - call.far_end.heard[-1].end < 0.4  # the line drops as it would without
    assert record.ended - record.line_dropped > 3  # and the job's end has waited
    steps = replay(call.flow, read_journal(record.journal))
    assert [(step.moves, step.snapshot.vars) for step in steps] == [
        (one.moves, one.snapshot.vars) for one in call.steps
    ]
    ended(call)


@pytest.mark.parametrize("turn", [(SAVE, NEXT), (NEXT, SAVE)], ids=str)
async def test_between_ordinary_states_too_and_nobody_waits(stage, ended, turn):
    desk = Desk(5.0)
    call = stage(
        BOOKING,
        model=[GREETING, list(turn), END],
        caller=talks("tuesday", "bye"),
        options={"actions": {"save": desk.save}},
    )
    record = await call.play()
    assert desk.notes == ["tuesday"]
    assert record.vars["saved"] is True
    asked = next(speech for speech in call.far_end.heard if speech.text == "And when?")
    saved = next(effect for effect in record.effects if effect.verb == "python")
    assert asked.start < saved.started + 2 - record.started
    ended(call)


async def test_the_caller_hangs_up_meanwhile(stage, ended):
    desk = Desk(6.0)
    call = stage(BOOKING, model=[GREETING, SAVE], caller=leaves_in_the_middle, options={"actions": {"save": desk.save}})
    record = await call.play()
    assert (record.outcome, desk.notes, logged(call)) == ("hung_up", ["tuesday"], ["nobody true"])
    ended(call)


async def leaves_in_the_middle(caller):
    await caller.hear()
    await caller.say("tuesday")
    await asyncio.sleep(2)
    caller.hang_up()


async def test_what_fails_when_nobody_waits_for_it_any_more_is_in_the_record(stage, ended):
    async def save(note):
        await asyncio.sleep(1)
        raise ValueError("no disk")

    call = stage(BOOKING, model=[GREETING, [SAVE, END]], caller=talks("bye"), options={"actions": {"save": save}})
    record = await call.play()
    assert record.late == ("the model called save_note: ValueError: no disk",)
    assert record.vars["saved"] is False
    ended(call)


async def test_one_that_takes_too_long_is_given_up_at_its_time_limit(stage, ended):
    call = stage(
        BOOKING, model=[GREETING, [END, SAVE]], caller=talks("bye"), options={"actions": {"save": Desk(60.0).save}}
    )
    record = await call.play()
    assert record.late == ("the model called save_note: no end within 10 s",)
    assert record.ended - record.line_dropped < 12
    ended(call)


async def test_one_that_may_take_longer_than_livekits_own_clock_is_waited_for(stage, ended):
    flow = BOOKING.replace("timeout: 10s", "timeout: 40s")
    desk = Desk(25.0)
    call = stage(flow, model=[GREETING, [SAVE, END]], caller=talks("bye"), options={"actions": {"save": desk.save}})
    with pytest.raises(asyncio.CancelledError):  # the entrypoint is told after 15 s, and is held
        await call.play()
    record = call.record = call.call.record
    assert (desk.notes, record.error, record.vars["saved"]) == (["tuesday"], None, True)
    ended(call)


async def test_a_worker_that_closes_waits_no_longer_than_its_time_and_the_record_says_what_was_not_done(stage, ended):
    desk = Desk(60.0)
    call = stage(
        BOOKING.replace("timeout: 10s", "timeout: 90s"),
        model=[GREETING, [SAVE, END]],
        caller=talks("bye"),
        options={"actions": {"save": desk.save}},
        watch=lambda step: "ending" in step.entered and call.call.job_ends("drained", worker=True),
    )
    record = await call.play()
    assert record.late == ("the model called save_note: the call had to end before it was carried out",)
    assert not desk.notes
    ended(call)


def history(*turns):
    """A session whose model says these turns, and what its history holds of each tool afterwards."""
    session = offline_session(llm=ScriptedLLM(turns))
    return session, lambda: {
        item.name: (item.output, item.is_error) for item in session.history.items if item.type == "function_call_output"
    }


async def test_the_history_says_of_a_call_that_nobody_waits_for_that_it_is_under_way(stage):
    session, told = history(GREETING, [SAVE, END])
    await stage(BOOKING, session=session, caller=talks("bye"), options={"actions": {"save": Desk(6.0).save}}).play()
    assert told() == {"save_note": ("This is being carried out.", False), "end_call": ("", False)}


class Searches(Agent):
    @function_tool
    async def search(self) -> str:
        """Searches."""
        await asyncio.sleep(20)
        return "found"

    @function_tool
    async def end_it(self) -> None:
        """The caller is done."""


OWN = """
callflow: 1
name: own
initial: talking
tools: {end_it: {own: true}}
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    on: {tool.end_it: {target: ending, do: [{say: "Thank you for calling, goodbye."}, {outcome: completed}]}}
"""


async def test_a_tool_of_the_agents_own_that_the_end_cuts_is_in_the_record_and_in_the_history(stage, ended):
    session, told = history(GREETING, [Tool("search"), Tool("end_it")])
    call = stage(OWN, session=session, caller=talks("search, bye"), agent=Searches(instructions="Help."))
    record = await call.play()
    assert record.notes == ("the tool search was cut: the conversation was over before it had ended",)
    assert told()["search"] == (CUT, True)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


class Asks(AgentTask[str]):
    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(instructions="Ask for the colour.")
        self._seconds = seconds

    async def on_enter(self) -> None:
        self.session.generate_reply(instructions="Ask.")

    @function_tool
    async def answer(self, colour: str) -> None:
        """They have named a colour."""
        await asyncio.sleep(self._seconds)
        self.complete(colour)


ASKING = (
    BOOKING.replace("tool.next: asking", "tool.next: asked")
    .replace("\n  asking: {entry", "\n  unused: {entry")
    .replace(
        "  unused:",
        "  asked:\n    task: asks\n    tools: [end_call]\n    after: {20s: unused}\n    on: {TAKES}\n  unused:",
        1,
    )
    .replace(
        "TAKES", "task.completed: ending, task.failed: ending, tool.end_call: {target: ending, do: [{say: GOODBYE}]}"
    )
    .replace("say: GOODBYE", f'say: "{GOODBYE}"')
)
ANSWER = Tool("answer", {"colour": "red"})


@pytest.mark.parametrize("turn", [(SAVE, NEXT), (NEXT, SAVE)], ids=str)
async def test_the_agent_of_a_task_does_not_wait_for_what_was_called_before_it_took_over(stage, ended, turn):
    desk = Desk(6.0)
    call = stage(
        ASKING,
        model=[GREETING, list(turn), "Which colour?", END],
        caller=talks("tuesday", "bye"),
        agent=Agent(instructions=""),
        options={"actions": {"save": desk.save}, "agents": {"asks": Asks}},
    )
    record = await call.play()
    assert call.trace[:2] == ["talking", "asked"]
    assert call.heard.splitlines() == [GREETING, "Which colour?", GOODBYE]
    greeting, asked, _ = call.far_end.heard
    assert asked.start - greeting.end < 2.5, "the caller waits for none of it"
    assert (desk.notes, record.vars["saved"], record.late) == (["tuesday"], True, ())
    ended(call)


@pytest.mark.parametrize("turn", [(ANSWER, END), (END, ANSWER)], ids=str)
async def test_a_task_whose_tool_hangs_is_left_all_the_same_and_the_last_words_are_heard(stage, ended, turn):
    options = {"actions": {"save": Desk().save}, "agents": {"asks": lambda: Asks(40.0)}}
    model = [GREETING, NEXT, "Which colour?", list(turn)]
    call = stage(ASKING, model=model, caller=talks("hello", "bye"), agent=Agent(instructions=""), options=options)
    record = await call.play()
    assert call.heard.splitlines() == [GREETING, "Which colour?", GOODBYE]
    assert record.notes == ("the tool answer was cut: the task that called it was left before it had ended",)
    _, asked, goodbye = call.far_end.heard
    assert goodbye.start - asked.end < 4.0
    ended(call)


async def test_a_timer_leaves_a_task_whose_tool_hangs(stage, ended):
    options = {"actions": {"save": Desk().save}, "agents": {"asks": lambda: Asks(60.0)}}
    model = [GREETING, NEXT, "Which colour?", ANSWER, END]
    call = stage(
        ASKING, model=model, caller=talks("hello", "red", "bye"), agent=Agent(instructions=""), options=options
    )
    await call.play()
    assert call.heard.splitlines()[:3] == [GREETING, "Which colour?", "And when?"]
    ended(call)
