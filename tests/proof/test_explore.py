"""Exploring: what is reached and what is not, by the times of timers, effects and silences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import callflow
from callflow.core.events import Event
from callflow.core.snapshot import Memory, Running, Snapshot, Step
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.forget import Forgetting
from callflow.proof.node import Exploration, Moment
from callflow.proof.prove import prove
from callflow.proof.timing import Timing
from tests.support.play import HEAD

FLOWS = Path(__file__).parents[2] / "flows"


class Seen:
    """What was entered, and which rows were taken."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.entered: set[str] = set()
        self.taken: set[int] = set()
        for step in steps:
            self.entered.update(step.entered)
            self.taken.update(number for move in step.moves for number in move.transitions)


def seen(flow: callflow.Flow) -> tuple[Seen, Exploration]:
    first = first_steps(flow)
    found = explore(flow, first)
    return Seen([*first, *(edge.taken for node in found.nodes for edge in node.edges)]), found


def entered(text: str) -> set[str]:
    return seen(callflow.loads(HEAD + text, check=False))[0].entered


def test_of_two_timers_that_are_due_at_once_the_outer_one_comes_first() -> None:
    reached = entered("""
initial: outer
states:
  outer: {initial: inner, after: {10s: ending}, states: {inner: {after: {10s: never}}, never: {after: {1s: inner}}}}
""")
    assert {"outer.inner", "ending"} <= reached
    assert "outer.never" not in reached


def test_a_timer_that_is_due_later_never_comes_first() -> None:
    reached = entered("""
initial: one
states:
  one: {after: {5s: two, 6s: never}}
  two: {after: {5s: ending}}
  never: {after: {5s: ending}}
""")
    assert "two" in reached
    assert "never" not in reached


def test_a_silence_goes_on_where_it_was_when_something_was_said() -> None:
    reached = entered("""
initial: talking
states:
  talking: {silence: {10s: early}, after: {8s: {do: [{say: Hm.}]}, 14s: late}}
  early: {entry: [{log: Early.}], on: {done: ending}}
  late: {entry: [{log: Late.}], on: {done: ending}}
""")
    assert {"early", "late"} <= reached


def test_what_runs_ends_within_its_time_limit() -> None:
    reached = entered("""
env: [CRM]
initial: asking
states:
  asking: {entry: [{http: {url: "{{ env.CRM }}", timeout: 5s}}], after: {10s: never}, on: {done: ending, failed: ending}}
  never: {after: {1s: ending}}
""")
    assert "never" not in reached


def test_a_speech_takes_as_long_as_its_text() -> None:
    text = "This is a sentence that takes more than a second to be said, however fast somebody speaks it."
    flow = f"""
initial: talking
states:
  talking: {{entry: [{{say: {{text: "{text}", interruptible: false, as: told}}}}], after: {{1s: cut}}, on: {{done: heard}}}}
  cut: {{always: ending}}
  heard: {{always: [{{target: whole, when: vars.told.heard and not vars.told.interrupted}}, ending]}}
  whole: {{always: ending}}
"""
    assert "whole" not in entered(flow)
    assert "whole" in entered(flow.replace("{1s: cut}", "{9s: cut}"))


@pytest.mark.parametrize("name", ["inbound", "warm-transfer", "hand-over", "look-up", "silence-ladder"])
def test_every_state_of_a_shipped_flow_is_entered_and_every_row_taken(name: str) -> None:
    flow = callflow.load(FLOWS / f"{name}.yaml")
    what, exploration = seen(flow)
    assert exploration.finished
    history = {path for path, state in flow.states.items() if state.kind == "history"}
    assert set(flow.states) - what.entered - history == {""}
    assert [row.position.line for row in flow.transitions if not row.supplied and row.id not in what.taken] == []


def test_two_effects_of_one_action_have_time_limits_of_their_own() -> None:
    flow = callflow.load(FLOWS / "outbound.yaml")
    source = ("entry", "dialing", 0)
    dial = Running(1, "dial", "dialing", None, source, 0.0)
    undone = Running(2, "remove_participant", None, None, source, 0.0)  # a late answer's
    snapshot = Snapshot(("dialing",), Memory(effects={1: dial, 2: undone}))
    timing = Timing(flow, {})
    assert timing.floor(snapshot, Moment("effect", 1)) != timing.floor(snapshot, Moment("effect", 2))


def test_only_the_timer_of_the_call_itself_decides_where_two_have_one_name() -> None:
    flow = callflow.loads(
        HEAD
        + """
initial: outer
after: {10m: ending}
states:
  outer: {after: {10m: {do: [{log: Ten minutes.}]}}, initial: busy, on: {done: ending}, states: {busy: {must_finish: true, on: {done: over}}, over: {final: true}}}
""",
        check=False,
    )
    forgetting = Forgetting(flow)
    rows = {path: next(row.index for row in flow.states[path].timers if row.text == "10m") for path in ("", "outer")}
    of_the_call, of_the_state = (Event("after 10m", {"row": row}, 0.0, state=path) for path, row in rows.items())

    def kept(*events: Event) -> tuple[Event, ...]:
        return forgetting.snapshot(Snapshot(("outer.busy",), Memory(kept=events))).memory.kept

    assert kept(of_the_call, of_the_state) == (of_the_call,)
    assert kept(of_the_state, of_the_call) == (of_the_state, of_the_call)


AGAIN_AND_AGAIN = """
vars: {key: {type: string, default: ""}}
initial: asking
states:
  asking:
    entry: [{say: Please press a key.}, {collect_digits: {max: 16, terminator: "#", first_digit: 10s, tries: 2}}]
    on:
      dtmf.input: {target: read, do: [{say: Thank you.}%s]}
      dtmf.*: {target: asking, do: [{say: Once more.}]}
  read: {entry: [{say: I am looking.}], on: {done: [%s{target: asking}]}}
  one: {entry: [{say: One.}], on: {done: ending}}
  nine: {entry: [{say: Nine.}], on: {done: ending}}
"""

ASKS = "".join(f"""{{target: {name}, when: 'vars.key == "{key}"'}}, """ for name, key in (("one", 1), ("nine", 9)))


def test_lists_that_wait_are_alike_whatever_they_began_with_that_nothing_reads() -> None:
    exploration = seen(callflow.loads(HEAD + AGAIN_AND_AGAIN % ("", ASKS), check=False))[1]
    assert exploration.finished
    assert exploration.steps < 10_000


def test_what_a_list_that_waits_will_read_of_the_event_it_began_with_is_kept() -> None:
    sets = ', {set: {key: "{{ event.digits }}"}}'
    what, exploration = seen(callflow.loads(HEAD + AGAIN_AND_AGAIN % (sets, ASKS), check=False))
    assert exploration.finished
    assert {"one", "nine"} <= what.entered


ON_HOLD = """
events: {app.answer: {price: number}}
senders: {app.answer: program}
vars: {price: {type: number, default: 0}}
tools: {ask: {description: A price., parameters: {}}, end_call: {description: Done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: "Help. The price: {{ vars.price }}."}}]
    tools: [ask, end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.ask: {target: store, do: [{say: I ask the store.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  store:
    entry: [{hold: {music: hold.mp3}}]
    on: {app.answer: {target: talking, do: [{set: {price: "{{ event.price }}"}}, resume]}}
  ending:
    entry: [{%s}, drain, delete_room, aclose, shutdown]
    on: {done: closed}
"""


def in_the_ending(ending: str) -> set[tuple[object, ...]]:
    """The lists that wait together in the ending."""
    exploration = seen(callflow.loads(HEAD + ON_HOLD % ending, check=False))[1]
    assert exploration.finished
    snapshots = (node.snapshot for node in exploration.nodes if node.snapshot.configuration == ("ending",))
    lists = (snapshot.memory.lists.values() for snapshot in snapshots)
    return {tuple((one.kind, one.key) for one in each) for each in lists}


def test_in_the_ending_it_makes_no_difference_in_which_order_what_nothing_reads_there_is_set() -> None:
    read = in_the_ending('say: "The price was {{ vars.price }}."')
    assert len(in_the_ending("say: Thank you.")) < len(read)


LOOKED_UP = """
env: [URL]
initial: asking
states:
  asking: {entry: [{collect_digits: {prompt: Keys., count: 1}}], on: {dtmf.input: looking, dtmf.*: ending}}
  looking:
    entry: [{http: {url: "{{ env.URL }}", as: got, expect: [200, 404]%s}}]
    on:
      done: [{target: asking, when: vars.got.status == 200, do: [{say: It is there.}]}, {target: told}]
      failed: %s
  told: {entry: [{say: "There is no {{ vars.got.body }}."}], on: {done: asking}}
"""
OLD = """  old: {always: [{target: once_so, when: vars.got.status == 404}, ending]}
  once_so: {entry: [{say: As before.}], on: {done: ending}}
"""


def test_a_result_that_comes_anew_before_it_is_read_is_told_apart_no_more() -> None:
    what, exploration = seen(callflow.loads(HEAD + LOOKED_UP % ("", "ending"), check=False))
    asked = [node.snapshot for node in exploration.nodes if node.snapshot.configuration == ("asking",)]
    assert asked
    assert not any("got" in snapshot.memory.vars.get("", {}) for snapshot in asked)
    assert "told" in what.entered


@pytest.mark.parametrize(
    ("optional", "failed", "more"),
    [("", "old", OLD), ("", "{do: [{say: It does not work.}]}", ""), (", optional: true", "ending", "")],
)
def test_a_result_that_may_not_come_anew_is_kept(optional: str, failed: str, more: str) -> None:
    """After a failure the old one is read, or the state goes on, or nobody fails."""
    exploration = seen(callflow.loads(HEAD + LOOKED_UP % (optional, failed) + more, check=False))[1]
    asked = [node.snapshot for node in exploration.nodes if node.snapshot.configuration == ("asking",)]
    assert any("got" in snapshot.memory.vars.get("", {}) for snapshot in asked)


def test_what_was_kept_before_a_failure_is_read_after_it() -> None:
    assert "once_so" in entered(LOOKED_UP % ("", "old") + OLD)


COMPARED = """
vars: {pin: string, level: integer, home: phone, known: {type: string, default: ""}, many: list of string}
events: {app.x: {pin: string, level: integer, language: {type: string, enum: [en, de]}, many: list of string}}
tools: {say_it: {description: The caller says it., parameters: {pin: string}}}
initial: asking
states:
  asking:
    entry: [%s]
    tools: [say_it]
    on: {%s: [{target: yes_so, when: '%s'}, {target: no_so, do: [{set: {known: %s}}]}]}
  yes_so: {entry: [{say: Yes.}], on: {done: ending}}
  no_so: {entry: [{say: No.}], on: {done: [{target: again, when: vars.known == vars.pin}, ending]}}
  again: {entry: [{say: Again.}], on: {done: ending}}
"""
KEYS = "collect_digits: {prompt: Keys., count: 4}"


@pytest.mark.parametrize(
    ("entry", "event", "guard", "sets"),
    [
        (KEYS, "dtmf.input", "event.digits == vars.pin", "x"),
        (KEYS, "dtmf.input", "event.digits != vars.pin", "x"),
        (KEYS, "dtmf.input", "event.digits < vars.pin", "x"),
        (KEYS, "dtmf.input", "event.digits in [vars.pin, vars.known]", "x"),
        (KEYS, "dtmf.input", "event.digits in vars.many", "x"),
        (KEYS, "dtmf.input", "len(event.digits) > 3 and trim(vars.pin) == trim(event.digits)", "x"),
        (KEYS, "dtmf.input", "number(event.digits) == vars.level", "x"),
        ("collect_digits: {prompt: Keys., count: 4, as: got}", "dtmf.input", "vars.got.digits == vars.pin", "x"),
        ("say: A key.", "dtmf.1", "event.digit == vars.pin", "x"),
        ("say: Hello.", "tool.say_it", "vars.pin == event.pin", "x"),
        ("say: Hello.", "app.x", "event.language == vars.pin", "x"),
        ("say: Hello.", "app.x", "event.level >= vars.level", "x"),
        ("say: Hello.", "app.x", "vars.level > event.level", "x"),
        ("say: Hello.", "app.x", "event.pin in event.many", "x"),
        ("say: Hello.", "app.x", "vars.pin == call.number", "x"),
        ("say: Hello.", "app.x", "vars.home == call.number", "x"),
        ("say: Hello.", "app.x", "vars.home == vars.pin", "x"),
    ],
)
def test_two_values_from_outside_are_tried_equal_and_not(entry: str, event: str, guard: str, sets: str) -> None:
    reached = entered(COMPARED % (f"{{{entry}}}", event, guard, sets))
    assert {"yes_so", "no_so"} <= reached


@pytest.mark.parametrize(
    ("entry", "event", "value"),
    [
        (KEYS, "dtmf.input", "event.digits"),
        ("say: Hello.", "tool.say_it", "event.pin"),
        ("say: Hello.", "app.x", "event.language"),
    ],
)
def test_also_where_one_was_set_before(entry: str, event: str, value: str) -> None:
    assert "again" in entered(COMPARED % (f"{{{entry}}}", event, "false", f'"{{{{ {value} }}}}"'))


LAST = """
env: [TRUNK, NUMBER]
tools: {lawyer: {description: The caller wants the lawyer.}}
initial: talking
states:
  talking: {entry: [{generate_reply: {instructions: Ask.}}], tools: [lawyer], silence: {25s: ending}, on: {tool.lawyer: asking}}
  asking:
    entry: [{consult: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", briefing: A client., accept: {key: "1"}, timeout: 45s}}]
    on: {consult.accepted: together, consult.*: {target: talking, do: [{say: In court.}]}, call.hangup: gone}
  gone: {must_finish: true, entry: [{say: {text: The client has hung up., to: human}}, {outcome: hung_up}], on: {done: %s}}
  together: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: over}}
  over: {final: true}
  after: {on: {leg.human.hangup: heard, job.shutdown: shut}}
  heard: {entry: [{log: Heard.}], on: {done: ending}}
  shut: {entry: [{log: Shut.}], on: {done: ending}}
"""


def test_what_is_kept_where_only_the_ending_follows_makes_no_difference() -> None:
    what, exploration = seen(callflow.loads(HEAD + LAST.partition("  after:")[0] % "ending", check=False))
    assert exploration.finished
    assert exploration.steps < 8_000
    assert {"gone", "together", "over", "ending"} <= what.entered


def test_what_is_kept_where_another_state_follows_returns_to_it() -> None:
    assert {"heard", "shut"} <= entered(LAST % "after")


CALLS_ONE = """
env: [TRUNK, DESK, HOURS]
vars: {{number: {{type: phone, default: "+15550100199"}}}}
initial: greeting
states:
  greeting: {{entry: [{{say: Hello.}}{first}], on: {{done: calling}}}}
  calling:
    entry: [{{dial: {{to: "{to}", trunk: "{{{{ env.TRUNK }}}}", leg: human}}}}]
    on: {{dial.answered: together, dial.*: ending}}
  together: {{entry: [stand_by], on: {{done: ending}}}}
"""


@pytest.mark.parametrize(
    ("first", "to"),
    [
        ("", "{{ env.DESK }}"),
        (', {set: {number: "{{ env.DESK }}"}}', "{{ vars.number }}"),
        ("", "+49{{ env.DESK }}"),
    ],
)
def test_a_number_of_the_environment_is_one_that_can_be_called(first, to):
    assert {"calling", "together"} <= entered(CALLS_ONE.format(first=first, to=to))


def test_a_number_of_the_environment_can_be_called_from_a_sub_flow(tmp_path):
    inner = HEAD + CALLS_ONE.format(first="", to="{{ vars.number }}").replace("dial.*: ending", "dial.*: over").replace(
        "done: ending", "done: over"
    )
    (tmp_path / "inner.yaml").write_text(inner + "  over: {final: true}\n")
    flow = callflow.loads(
        HEAD
        + """
env: [TRUNK, DESK, HOURS]
use: {inner: inner.yaml}
initial: outer
states: {outer: {flow: inner, with: {number: "{{ env.DESK }}"}, on: {done: ending}}}
""",
        folder=tmp_path,
        check=False,
    )
    assert "outer.together" in seen(flow)[0].entered


HOURS = """
env: [HOURS, SATURDAYS, ZONE]
initial: greeting
states:
  greeting:
    entry: [{say: Hello.}]
    on: {done: [{target: open, when: 'in_hours(event.time, %s)'}, shut]}
  open: {entry: [{say: We are open.}], on: {done: ending}}
  shut: {entry: [{say: Nobody is here.}], on: {done: ending}}
"""


@pytest.mark.parametrize(
    ("asked", "beginnings"),
    [
        ('env.HOURS, "Europe/Berlin"', 2),
        ("env.HOURS, env.ZONE", 2),
        ("env.HOURS, env.ZONE) or in_hours(event.time, env.SATURDAYS, env.ZONE", 4),
        ('"Mon-Fri 09:00-17:00", env.ZONE', 2),
    ],
)
def test_hours_of_the_environment_are_followed_open_and_shut(asked, beginnings):
    flow = callflow.loads(HEAD + HOURS % asked, check=False)
    assert {"open", "shut"} <= entered(HOURS % asked)
    assert len(first_steps(flow)) == beginnings  # and not one for each time of the week
    assert [one.defect.code for one in prove(flow).findings] == []


def test_another_guard_on_the_environment_is_told_neither_as_always_nor_as_never_so():
    flow = callflow.loads(HEAD + (HOURS % "x").replace("in_hours(event.time, x)", "len(env.ZONE) > 40"), check=False)
    assert [one.defect.code for one in prove(flow).findings] == []


HELD = """
env: [MUSIC]
tools: {{one: {{description: One.}}, two: {{description: Two.}}}}
initial: talking
states:
  talking: {{entry: [{{generate_reply: Help.}}], silence: {{20s: ending}}, tools: [one], on: {{tool.one: holding}}}}
  holding: {{entry: [{{hold: {{music: "{{{{ env.MUSIC }}}}"}}}}], on: {{done: held, failed: ending}}}}
  held: {{entry: [{asked}], tools: [one, two], on: {{tool.one: again, tool.two: other}}, after: {{60s: ending}}}}
  again: {{tools: [one, two], on: {{tool.one: never, tool.two: other}}, after: {{60s: ending}}}}
  other: {{after: {{60s: ending}}}}
  never: {{after: {{60s: ending}}}}
"""


def test_a_model_that_hears_nobody_calls_each_tool_once():
    reached = entered(HELD.format(asked=""))
    assert {"again", "other"} <= reached  # a turn that had begun before the hold brings them
    assert "never" not in reached


def test_a_model_that_is_asked_to_speak_may_call_it_again():
    assert "again" in entered(HELD.format(asked="{generate_reply: Look once more.}"))
    asked_later = HELD.format(asked="").replace("again: {", "again: {entry: [{generate_reply: Look once more.}], ")
    assert "never" in entered(asked_later)


OVER = """
on: {dtmf.3: {target: asking, when: vars.n == 1}}
vars: {n: {type: integer, default: 0}}
initial: asking
states:
  asking: {entry: [{say: Hello.}], on: {dtmf.1: {do: [{set: {n: 1}}]}, dtmf.2: closed, done: ending}}
  ending: {entry: [hang_up], on: {done: closed}}
  closed: {final: true}
wrap_up: [%s]
"""


@pytest.mark.parametrize(("last", "values"), [("{log: Over.}", 1), ("{http: 'https://crm.example/{{ vars.n }}'}", 2)])
def test_when_the_line_is_closed_values_that_nothing_reads_any_more_make_no_difference(last: str, values: int) -> None:
    exploration = seen(callflow.loads(HEAD + OVER % last, check=False))[1]
    over = [node.snapshot for node in exploration.nodes if node.snapshot.memory.phase == "closing"]
    assert len({one.memory.vars[""]["n"] for one in over}) == values
