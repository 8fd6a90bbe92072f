"""Soundness by experiment: calls at random, of nothing but what can happen, never do what was proved impossible."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import callflow
from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import afterwards, latest, refused
from callflow.core.snapshot import Running
from callflow.proof.begin import first_steps
from callflow.proof.findings.silence import ALONE, QUIET
from callflow.proof.listening import alone, unheard
from callflow.proof.prove import prove
from callflow.proof.world import World

FLOWS = Path(__file__).parents[2] / "flows"
CALLS = 60
LATE = 1.5
"""Seconds by which a silence may last longer than was proved: what was cancelled takes a moment to stop."""


@pytest.mark.parametrize("name", ["smallest", "look-up", "silence-ladder", "cold-transfer", "maximum-duration"])
def test_no_call_does_what_was_proved_impossible(name: str) -> None:
    flow = callflow.load(FLOWS / f"{name}.yaml")
    proof = prove(flow)
    assert proof.finished
    nodes = proof.exploration.nodes
    stands = {node.snapshot.configuration for node in nodes}
    bounds = {what: max(node.lasts.get(what, 0) for node in nodes) / 1e6 for what in (QUIET, ALONE)}
    conditions = {QUIET: unheard(flow), ALONE: alone(flow)}
    longest = dict.fromkeys(bounds, 0.0)
    for seed in range(CALLS):
        dice, begun = random.Random(seed), random.Random(seed).choice(first_steps(flow))
        snapshot, facts, now = begun.snapshot, AT_FIRST, begun.snapshot.memory.started
        since: dict[str, float] = {}
        for _ in range(60):
            assert snapshot.configuration in stands, (seed, snapshot.configuration)
            for what, condition in conditions.items():
                if condition(snapshot, facts):
                    longest[what] = max(longest[what], now - since.setdefault(what, now))
                else:
                    since.pop(what, None)
            if snapshot.ended:
                break
            ways = [one for one in inputs(flow, snapshot, facts, now) if _is_tried(flow, snapshot, facts, one)]
            if not ways:
                break
            event = _at_some_time(dice, dice.choice(ways), flow, snapshot, facts, now)
            assert refused(flow, snapshot, facts, event) is None
            for what, began in since.items():
                longest[what] = max(longest[what], event.time - began)
            facts = afterwards(flow, snapshot, facts, event)
            snapshot, now = callflow.step(flow, snapshot, event).snapshot, event.time
    assert all(longest[what] <= bound + LATE for what, bound in bounds.items()), (longest, bounds)


def _over(flow: callflow.Flow, snapshot: callflow.Snapshot, facts: Facts) -> Running | None:
    last = (effect for effect in snapshot.memory.effects.values() if verb_of(effect.verb).last)
    return World(flow).over(snapshot, facts) or next(last, None)


def _is_tried(flow: callflow.Flow, snapshot: callflow.Snapshot, facts: Facts, event: object) -> bool:
    """Leaves out what the proof takes for granted (docs/explanation/proof.md)."""
    over = _over(flow, snapshot, facts)
    if over is not None:  # it ends before anything else
        return isinstance(event, EffectEnded) and event.id == over.id
    if isinstance(event, Event):
        called = any(verb_of(effect.verb).dials for effect in snapshot.memory.effects.values())
        comes = event.name == "call.answered" and (
            flow.ending in snapshot.configuration or (flow.outbound and not called)
        )
        return not comes and event.name not in ("failed", "call.offered", "call.ringing")
    return True


def _at_some_time(
    dice: random.Random, event: object, flow: callflow.Flow, snapshot: callflow.Snapshot, facts: Facts, now: float
) -> Event:
    """The same at a time that leaves nothing out that is due before."""
    memory = snapshot.memory
    last = min([timer.due for timer in memory.timers] + [latest(flow, snapshot), now + 120.0])
    if isinstance(event, TimerFired) or last <= event.time:
        return event
    later = (
        event.time if _over(flow, snapshot, facts) else dice.choice((event.time, dice.uniform(event.time, last), last))
    )
    return event._replace(time=later)
