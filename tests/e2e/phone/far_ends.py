"""Telephones of these tests: those of `callflow.telephony.network`, which here pick up as soon as the test has seen them ring."""

from __future__ import annotations

import math
from typing import Any

from callflow.telephony.network import FarEnd, Refer

RINGS, REFUSES = 0.5, 0.3
"""Seconds."""


def picks_up(**how: Any) -> FarEnd:
    """One that is called. `how`: see `FarEnd`. Raises TypeError for what that does not have."""
    rings = how.pop("rings", RINGS)
    return FarEnd(rings, **{"reached": min(0.05, rings), "refer": Refer(notify=200), **how})


def refuses(code: int, *, rings: float = REFUSES, **how: Any) -> FarEnd:
    return picks_up(code=code, rings=rings, **how)


ANSWERS = picks_up()
RINGS_FOR_EVER = picks_up(rings=math.inf)
