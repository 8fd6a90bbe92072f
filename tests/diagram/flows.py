"""Flows to draw: the shipped ones, and ugly ones."""

from __future__ import annotations

import random
from pathlib import Path

from callflow.core.flow import Flow
from callflow.flowfile import load, loads

FLOWS = Path(__file__).parents[2] / "flows"
SHIPPED = sorted(FLOWS.glob("*.yaml"))


def shipped(name: str) -> Flow:
    return load(FLOWS / f"{name}.yaml")


def flow(states: str, head: str = "", *, initial: str = "first") -> Flow:
    """A flow of these states (YAML, not indented)."""
    indented = "\n".join(f"  {line}" for line in states.strip("\n").splitlines())
    return loads(f"callflow: 1\nname: drawn\ninitial: {initial}\n{head}\nstates:\n{indented}\n")


def questions(count: int) -> Flow:
    """One question after the other, each with a way out and, now and then, a way back."""
    states = []
    for number in range(count):
        onward = f"step{number + 1}" if number + 1 < count else "{target: ending, do: [{outcome: completed}]}"
        back = f"\n    tool.back: step{number - 2}" if number % 5 == 3 else ""
        states.append(
            f"step{number}:\n  entry: [{{say: Question {number}.}}]\n  on:\n    tool.answer: {onward}{back}\n"
            "    failed: {target: ending, do: [{outcome: failed}]}"
        )
    return flow(
        "\n".join(states),
        "tools: {answer: {description: A tool., own: true}, back: {description: A tool., own: true}}",
        initial="step0",
    )


def tangle(count: int, seed: int = 1) -> Flow:
    """States that lead to each other at random."""
    chance = random.Random(seed)
    states = [
        f"s{number}:\n  entry: [{{say: This is s{number}.}}]\n  on:\n"
        f"    tool.a: s{(number + 1) % count}\n    tool.b: s{chance.randrange(count)}\n    tool.c: s{chance.randrange(count)}"
        for number in range(count)
    ]
    return flow(
        "\n".join(states),
        "tools: {a: {description: A tool., own: true}, b: {description: A tool., own: true}, c: {description: A tool., own: true}}",
        initial="s0",
    )


NESTED = """
first:
  initial: outer
  exit: [{log: left}]
  on:
    tool.again: first
    tool.hold: waiting
  states:
    outer:
      initial: inner
      states:
        inner: {entry: [{say: Deep inside.}], on: {tool.next: last, tool.both: both}}
        last: {final: true}
      on: {done: finished}
    finished: {final: true}
    back: {history: deep, initial: outer}
  after: {5m: {target: ending, do: [{outcome: timed_out}]}}
  silence: {30s: outer}
waiting:
  entry: [{say: One moment.}]
  on: {tool.next: first.back}
both:
  parallel: true
  states:
    talk:
      initial: a
      states:
        a: {on: {tool.next: b}}
        b: {final: true}
    record:
      initial: running
      states:
        running: {entry: [{start_recording: {file: x.ogg}}], exit: [stop_recording], on: {app.stop: stopped}}
        stopped: {final: true}
  on: {done: {target: ending, do: [{outcome: completed}]}}
"""
NESTED_HEAD = """
tools: {again: {description: A tool., own: true}, hold: {description: A tool., own: true}, both: {description: A tool., own: true}, next: {description: A tool., own: true}}
events: {app.stop: {}}
"""


def nested() -> Flow:
    return flow(NESTED, NESTED_HEAD)
