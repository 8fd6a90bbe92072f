"""`callflow play`: a call by the numbers of what can happen, through a pipe and at a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callflow.cli import main

ROOT = Path(__file__).parents[2]

WHOLE = """\
front-desk: flows/smallest.yaml
begins 2026-01-05 09:30 UTC
A number does what stands behind it, Enter lets time pass, ? says more, q ends.
   time  event                     state                effects started
    0.0  the call begins           talking              generate_reply: Greet t…

  now 0 s, in talking
      runs   generate_reply: Greet the caller and help.
      timers after 1h in 1h
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  8 more that may happen
  Enter  generate_reply ends (in 3 s)
>
    0.0  agent: (the model speaks)

  now 3 s, in talking
      timers silence 2m in 2m, after 1h in 59m 57s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  7 more that may happen
  Enter  nobody has said anything for 2m (in 2m)
> 1 That is all, thank you.
    4.2  caller: “That is all, thank you.”

  now 4.15 s, in talking
      timers silence 2m in 2m, after 1h in 59m 56s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      4  the model calls end_call
      m  7 more that may happen
  Enter  nobody has said anything for 2m (in 2m)
> 4
    4.2  tool.end_call             ending               say: Goodbye.

  now 4.15 s, in ending
      runs   say: Goodbye.
      timers after 1h in 59m 56s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      m  8 more that may happen
  Enter  say ends (in 0.4 s)
>
    4.2  agent: “Goodbye.”
    4.5  say ended                                      outcome completed, drain

  now 4.55 s, in ending
      runs   drain
      timers silence 2m in 2m, after 1h in 59m 55s
      1  the caller says …
      2  the model says …
      3  the caller hangs up
      m  9 more that may happen
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
