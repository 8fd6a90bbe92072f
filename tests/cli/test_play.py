"""`callflow play`: a call by the numbers of what can happen, through a pipe and at a terminal."""

from __future__ import annotations

import os
import pty
import random
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callflow.cli import main
from callflow.cli._told import Pace
from callflow.scenario import load, play
from tests.support.openai_stand_in import standing_in

ROOT = Path(__file__).parents[2]

WHOLE = """\
front-desk: flows/smallest.yaml
begins 2026-01-05 09:30 UTC
A number does what stands behind it, Enter lets time pass, ? says more, q ends.
   time  event                     state                effects started
    0.0  the call begins           talking              generate_reply: Greet t…

  now 0 s, in talking
      runs   generate_reply: Greet the caller and help.
      timers after 1h in 1 h
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  7 more that may happen
  Enter  generate_reply ends (in 3 s)
>
    0.0  agent: (the model speaks)

  now 3 s, in talking
      timers silence 2m in 2 min, after 1h in 59 min 57 s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  6 more that may happen
  Enter  nobody has said anything for 2m (in 2 min)
> 1 That is all, thank you.
    4.2  caller: “That is all, thank you.”

  now 4.15 s, in talking
      timers silence 2m in 2 min, after 1h in 59 min 56 s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  6 more that may happen
  Enter  nobody has said anything for 2m (in 2 min)
> 4
    4.2  tool.end_call             ending               say: Goodbye.

  now 4.15 s, in ending
      runs   say: Goodbye.
      timers after 1h in 59 min 56 s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      m  7 more that may happen
  Enter  say ends (in 0.4 s)
>
    4.2  agent: “Goodbye.”
    4.5  say ended                                      outcome completed, drain

  now 4.55 s, in ending
      runs   drain
      timers silence 2m in 2 min, after 1h in 59 min 55 s
      1  the caller says …
      2  the caller hangs up
      m  8 more that may happen
  Enter  drain ends (in 0.2 s)
>
    4.8  drain ended                                    delete_room
    4.8  delete_room ended                              aclose
    4.8  aclose ended                                   shutdown: completed
    4.8  shutdown ended            closed

  outcome  completed   hung up by agent, 4.8 s
    cause    delete_room in ending
    times    answered after 0.0 s, 4.8 s in all
    states   talking 4.2s, ending 0.6s, closed 0.0s

  front-desk
    ● talking
      ▶ ending · completed  tool.end_call  say “Goodbye.”
    ● ending  (must finish)
      ▶ closed  done
    ● closed
"""


def played(typed: str, *words: str) -> Result:
    """What is printed where this is typed, without a terminal, at 80 columns."""
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["play", *words], input=typed)


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_a_whole_call():
    done = played("\n1 That is all, thank you.\n4\n\n\n", "flows/smallest.yaml")
    assert done.exit_code == 0
    assert [line.rstrip() for line in done.output.splitlines()] == WHOLE.splitlines()


def test_it_is_the_same_at_any_speed_that_a_pipe_has():
    assert (
        played("\n4\nq\n", "flows/smallest.yaml", "--speed", "max").output
        == played("\n4\nq\n", "flows/smallest.yaml").output
    )


def test_a_show_takes_its_time():
    slept: list[float] = []
    pace = Pace(2.0, 1.0, slept.append)
    for seconds in (1.0, 1.5, 1.5, 9.0):
        pace.until(seconds)
    assert slept == [0.5, 0.25, 1.0]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("99", "there is no 99 here"),
        ("4 day", "nothing is said with “the model calls end_call”: the number alone is enough"),
        ("tool: nope", "the flow has no tool `nope` (the flow has end_call)"),
        ("call.hangp", 'nothing of the name `call.hangp` can happen (did you mean "call.hangup"?)'),
        ("u", "this is the beginning"),
        ("call.answered", "far_end is on_line, and call.answered comes only where it is"),
        ("expect: {state: ending}", "state: expected ending, seen talking"),
        ("{", "the `{` that opens here"),
        ("wait x", "duration"),
        ("\x1b[31m", "control character"),
        ("- - -", ""),
        ("9" * 5000, "there is no 9999999999 here"),
        ("x" * 5000, "nothing of the name"),
    ],
)
def test_what_cannot_be_is_told_and_the_call_goes_on(typed, told):
    done = played(f"{typed}\n4\nq\n", "flows/smallest.yaml")
    assert done.exit_code == 0
    assert " ".join(told.split()) in " ".join(done.output.split())
    assert "tool.end_call" in done.output
    assert all(line.isprintable() for line in done.output.split("\n"))
    assert max(map(len, done.output.split("\n"))) <= 5002


def test_who_is_called_is_as_private_as_in_a_record_and_a_late_answer_stands_behind_m():
    lines = [line.rstrip() for line in played("1\nm\n", "flows/outbound.yaml").output.splitlines()]
    now = next(number for number, line in enumerate(lines) if line.endswith("in dialing"))
    assert lines[now : now + 2] == ["  now 0 s, in dialing", "      runs   dial: (private)"]
    ending = next(number for number, line in enumerate(lines) if line.endswith("in ending"))
    assert lines[ending + 3 : ending + 5] == ["      1  the callee hangs up", "      m  8 more that may happen"]
    assert "the callee is on the line" in "\n".join(lines[ending + 5 :])


def test_arguments_and_keys_and_steps_back():
    typed = "timer: silence 8s\nu\n\n\n6\nu\n6\n5 caller: Ada, text: Her loom\nq\n"
    done = played(typed, "flows/inbound.yaml", "--vars", '{"business": "Mulberry Dental"}')
    assert "“I have noted, from Ada: Her loom Is that right?”" not in done.output  # it is being said
    assert "runs say: I have noted, from Ada: Her loom Is that right?" in " ".join(done.output.split())
    wrong = played("\n\n6\n5 caler: Ada\n5 Ada\nq\n", "flows/inbound.yaml")
    assert 'has no field `caler` (did you mean "caller"?)' in " ".join(wrong.output.split())
    assert "write the fields as `name: value`" in " ".join(wrong.output.split())


def test_typed_lines_are_the_callers():
    done = played("Good day.\n/expect: {state: talking}\n4\n/u\n/q\nnever read\n", "flows/smallest.yaml", "--typed")
    assert done.exit_code == 0
    assert "caller: “Good day.”" in done.output
    assert "that is so" in done.output
    assert "never read" not in done.output


@pytest.mark.parametrize("flow", sorted((ROOT / "flows").glob("*.yaml")), ids=lambda path: path.stem)
def test_whatever_numbers_are_typed(flow):
    drawn = random.Random(flow.stem)
    words = ["", "", "m", "u", "v", *map(str, range(1, 12)), "2 12#", "1 Good day."]
    done = played("".join(f"{drawn.choice(words)}\n" for _ in range(60)), str(flow))
    assert (done.exit_code, done.exception) == (0, None)


def test_what_was_played_is_recorded_and_the_next_one_behind_it(tmp_path, monkeypatch):
    file = tmp_path / "a.scenario.yaml"
    first = played("\n1 That is all.\n4\n\n\n", "flows/smallest.yaml", "--record", str(file))
    assert first.output.endswith(f"recorded in {file}; `callflow test {file}` plays it\n")
    played("\n\nq\n", "flows/smallest.yaml", "--record", str(file))
    played("\n1 That is all.\n4\n\n\n", "flows/smallest.yaml", "--record", str(file))
    monkeypatch.chdir(tmp_path)
    each = load(file)
    assert [one.name for one in each] == ["a call, completed", "a call, left early", "a call, completed 2"]
    assert all(play(one).passed for one in each)
    assert each[0].expect.outcome == "completed"
    assert not any(one.exactly for one in each)


def test_a_file_that_is_no_such_scenario_is_left_as_it_is(tmp_path):
    file = tmp_path / "a.scenario.yaml"
    file.write_text("callflow: 1\n", encoding="utf-8")
    done = played("4\nq\n", "flows/smallest.yaml", "--record", str(file))
    assert done.exit_code == 1
    assert "is there already, and has defects" in done.output
    assert file.read_text(encoding="utf-8") == "callflow: 1\n"
    other = tmp_path / "b.scenario.yaml"
    played("4\nq\n", "flows/smallest.yaml", "--record", str(other))
    before = other.read_text(encoding="utf-8")
    done = played("q\n", "flows/inbound.yaml", "--record", str(other))
    assert "with scenarios of another flow" in done.output
    assert other.read_text(encoding="utf-8") == before


def test_scenarios_are_shown_with_what_they_expect(tmp_path):
    done = played("", "flows/scenarios/smallest.scenario.yaml")
    assert done.exit_code == 0
    assert "scenarios passed" in done.output
    file = tmp_path / "a.scenario.yaml"
    file.write_text(
        f"callflow: 1\nflow: {ROOT}/flows/smallest.yaml\nscenarios:\n  a: {{steps: [tool: end_call, expect: {{heard: Bye.}}]}}\n",
        encoding="utf-8",
    )
    done = played("", str(file))
    assert done.exit_code == 1
    told = " ".join(done.output.split())
    assert "✗ line 4: not as expected" in told
    assert 'heard: expected "Bye." heard: seen ["Goodbye."]' in told.replace("seen     [", "seen [")


def test_a_flow_with_defects_is_told_as_by_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("callflow: 1\nname: x\ninitial: b\nstates: {a: {final: true}}\n", encoding="utf-8")
    checked = CliRunner().invoke(main, ["check", "a.yaml"])
    done = played("", "a.yaml")
    assert (done.exit_code, done.output) == (1, checked.output)
    assert played("", "none.yaml").exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--vars", "x"], "not JSON"),
        (["--env", "x"], "write NAME=VALUE"),
        (["--at", "x"], "a date, a time of day"),
        (["--speed", "x"], "how many times as fast"),
        (["--speed", "nan"], "how many times as fast"),
        (["--record", "x.yaml"], "*.scenario.yaml"),
        (["--caller", "bussy"], "there is no bussy"),
        (["--caller", "busy"], "busy makes no sense with this flow"),
        (["--typed", "--caller", "talks"], "you are the caller"),
        (["-k", "x"], "-k chooses"),
        (["--model", "openai/x"], "say --typed"),
        (["--model", "x", "--typed"], "write provider/model"),
    ],
)
def test_wrong_usage(words, told):
    done = played("", "flows/smallest.yaml", *words)
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())


def test_a_variable_of_the_wrong_type_is_told():
    done = played("", "flows/outbound.yaml", "--vars", '{"phone_number": 3}')
    assert done.exit_code == 1
    assert "the call cannot start: vars.phone_number" in done.output


def test_without_a_key_it_is_said_what_is_missing(monkeypatch):
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    done = played("", "flows/smallest.yaml", "--typed", "--model", "openai/gpt-4.1-mini")
    assert done.exit_code == 1
    assert "LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set" in done.output


def test_a_model_on_the_network_talks(monkeypatch):
    def says(request):
        return {"end_call": {}} if "That is all." in str(request["messages"]) else "Good day, what can I do for you?"

    with standing_in(says) as (address, asked):
        monkeypatch.setenv("LIVEKIT_INFERENCE_URL", address)
        monkeypatch.setenv("LIVEKIT_API_KEY", "key")
        monkeypatch.setenv("LIVEKIT_API_SECRET", "s" * 32)
        done = played("That is all.\n", "flows/smallest.yaml", "--typed", "--model", "openai/gpt-4.1-mini")
    assert (done.exit_code, done.exception) == (0, None)
    assert asked
    assert "agent: Good day, what can I do for you?\n> That is all.\nagent: Goodbye." in done.output
    assert "outcome  completed   hung up by agent" in done.output


def terminal(
    typed: bytes, *words: str, interrupt: bool = False, env: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """The exit status, and what a terminal shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "callflow", "play", *words]
    given = {**os.environ, "COLUMNS": "80", "TERM": "xterm", **(env or {})}
    shown, waits = b"", [typed]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, start_new_session=True, close_fds=True
    ) as child:
        os.close(theirs)
        interrupting = threading.Thread(target=_interrupt, args=(child,))
        while select.select([ours], [], [], 60)[0]:
            try:
                read = os.read(ours, 65536)
            except OSError:
                break
            if not read:
                break
            shown += read
            if b"> " in shown and waits:
                os.write(ours, waits.pop())
                if interrupt:
                    interrupting.start()
        try:
            child.wait(60)
        finally:
            child.kill()
        if interrupt:
            interrupting.join()
    os.close(ours)
    return child.returncode, shown


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """As people do: again, where nothing has come of it. What comes between a prompt and the wait for a line is kept for the next one."""
    for _ in range(12):
        child.send_signal(signal.SIGINT)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            continue
        return


def test_at_a_terminal():
    status, shown = terminal(b"4\nq\n", "flows/smallest.yaml", "--speed", "max")
    assert status == 0
    assert b"tool.end_call" in shown
    assert b"\x1b[" in shown


def test_a_terminal_without_colours():
    status, shown = terminal(b"4\n\x04", "flows/smallest.yaml", "--speed", "max", env={"NO_COLOR": "1", "TERM": "dumb"})
    assert status == 0
    assert b"tool.end_call" in shown
    assert b"\x1b[3" not in shown


def test_ctrl_c_ends_it():
    status, shown = terminal(b"", "flows/smallest.yaml", interrupt=True)
    assert status == 130
    assert b"Traceback" not in shown
    assert b"left at 0 s, in talking" in shown
