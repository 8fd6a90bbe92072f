"""`callflow check` beside a bare interpreter, and loading beside the C parser alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

import callflow
from benchmarks.measure import Ratio, in_turn

FLOWS = Path(__file__).parent.parent / "flows"


def ratios() -> Iterator[Ratio]:
    path = FLOWS / "keypad-menu.yaml"
    text = path.read_bytes()
    parsed = "yaml.load of it, CSafeLoader"
    yield Ratio(
        "load of keypad-menu.yaml",
        *in_turn(lambda: callflow.load(path), lambda: yaml.load(text, Loader=yaml.CSafeLoader)),
        parsed,
        2.0,
    )
    long = long_flow(200)
    yield Ratio(
        f"loads of {len(long.splitlines())} lines",
        *in_turn(lambda: callflow.loads(long), lambda: yaml.load(long, Loader=yaml.CSafeLoader)),
        parsed,
        2.0,
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, timeout=60, env=environment)

    check = ("-m", "callflow", "check", str(FLOWS / "outbound.yaml"))
    yield Ratio("callflow check", *in_turn(lambda: run(*check), lambda: run("-c", "pass")), "a bare start", 10.0)


def long_flow(lines: int) -> str:
    """A flow of about so many lines, of the kind that people write."""
    head = [
        "callflow: 1",
        "name: long",
        "vars:",
        "  customer: {type: string, default: there}",
        "  count: {type: integer, default: 0}",
        "tools:",
        "  next_one: {description: Goes on.}",
        "  end_call: {description: The caller is done.}",
        "initial: step_0",
        "states:",
    ]
    body: list[str] = []
    number = 0
    while len(head) + len(body) < lines - 12:
        body += [
            f"  step_{number}:",
            "    entry:",
            f'      - generate_reply: {{instructions: "Ask {{{{ vars.customer }}}} about topic {number}."}}',
            '      - set: {count: "{{ vars.count + 1 }}"}',
            "    tools: [next_one, end_call]",
            "    silence:",
            '      12s: {do: [{say: "Are you still there?"}]}',
            "    on:",
            f"      tool.next_one: {{target: step_{number + 1}, when: vars.count < 100}}",
            "      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}",
            "    after:",
            f"      5m: step_{number + 1}",
        ]
        number += 1
    return (
        "\n".join([*head, *body, f"  step_{number}:", "    on: {tool.end_call: ending, tool.next_one: ending}"]) + "\n"
    )
