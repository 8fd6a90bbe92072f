"""Each effect of each flow to copy, failing, hanging, cancelled, late; crossed with everything that ends a call, before it,
with it and behind it.

`make test` takes one of 20 combinations, in turn; `make more` one of four; `CALLFLOW_FAULTS=all` all.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

import callflow
from callflow.core.actions import VERBS
from tests.faults.chaos import Chaos

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
AMOUNT = os.environ.get("CALLFLOW_FAULTS", "")
ONE_OF = 1 if AMOUNT == "all" else 4 if AMOUNT else 20

FAULTS = ("ok", "failed", "crash", "odd", "cancelled", "hangs", "swallows", "late")
CROSSINGS = (
    "", "call.hangup leg=far_end by=caller", "line lost", "session closed", "shutdown", "worker closes", "hang up",
    "goodbye", "cancel", "fire", "call.dropped leg=far_end", "session.user_state_changed new_state=speaking",
)  # fmt: skip
ORDERS = ("before", "with", "at once with", "behind")

PATHS = {
    "hand-over": ["", "room.participant_connected identity=b kind=standard", "tool.give_up"],
    "inbound": [
        "tool.end_call",
        "tool.speak_to_person",
        "tool.leave_message",
        "tool.message_is_complete caller=Ann text=hi",
    ],
    "outbound": ["dial.answered", "amd.human", "amd.machine-vm", "tool.end_call"],
}
"""What is said to a flow whenever nothing of it waits, so that its effects come up."""


@cache
def _flow(path):
    return callflow.load(path)


def drive(path, stop):
    """Plays the flow, every effect succeeding, until effect `stop` waits. False: there are not so many."""
    chaos = Chaos(_flow(path))
    words = iter(PATHS.get(path.stem, [f"tool.{name}" for name in _flow(path).tools]))
    chaos.do("opens + call.answered leg=far_end identity=caller-7")
    for _ in range(40):
        waiting = sorted(key for key in chaos.world.waiting if isinstance(key, int) and key > 0)
        if stop in waiting:
            return chaos
        if chaos.running.done():
            break
        if waiting:
            verb = VERBS.get(chaos.world.verbs[waiting[0]])
            chaos.do(f"{waiting[0]} {verb.results[0] if verb is not None and verb.results else 'ok'}")
        else:
            chaos.do(next(words, None) or "wait 30")
    chaos.close()
    return None


def combinations():
    for path in FLOWS:
        number = 0
        for effect in range(1, 9):
            for fault in FAULTS:
                for crossing in CROSSINGS:
                    for order in ORDERS if crossing else ORDERS[:1]:
                        number += 1
                        if (number * 7 + effect) % ONE_OF == 0:
                            yield path, effect, fault, crossing, order


def lines(effect, fault, crossing, order):
    end = [] if fault == "hangs" else [f"{effect} {fault}"]
    cross = [crossing] if crossing else []
    if fault in ("swallows", "late"):  # it is still to be cancelled: by what crosses it, or by its time
        return [*end, *cross]
    if order in ("with", "at once with"):
        both = cross + end if order == "with" else end + cross
        return [" + ".join(both)]
    return cross + end if order == "before" else end + cross


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_each_effect_crossed_with_each_end(path, caplog):
    caplog.set_level("CRITICAL", "callflow")
    reached = set()
    for one, effect, fault, crossing, order in combinations():
        if one != path:
            continue
        chaos = drive(path, effect)
        if chaos is None:
            continue
        reached.add(effect)
        try:
            chaos.play(lines(effect, fault, crossing, order))
            chaos.wait(45)
            chaos.rest()
            chaos.finish("shutdown" if (effect + len(fault)) % 2 else "worker closes")
        except Exception as error:
            error.add_note(f"{path.name}: effect {effect} {fault}, {order} {crossing or 'nothing'}")
            raise
        finally:
            chaos.close()
    assert len(reached) >= 3, "the way through this flow reaches too few of its effects"
