"""How long what runs takes, from its start to its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from callflow.core.actions import verb_of
from callflow.core.durations import Span
from callflow.core.events import NO_DATA
from callflow.core.flow import Action
from callflow.core.snapshot import Running
from callflow.core.verbs.limits import STOPS

Status = Literal["ok", "failed", "timed_out", "cancelled"]


def lasts(effect: Running, action: Action | None, status: Status = "ok", result: Mapping[str, Any] = NO_DATA) -> Span:
    """The seconds from an effect's start to such an end, where nothing else keeps it: whoever it is for is there, and nobody else
    speaks. `action` is what it was started for (`possible.action_of`), None where nobody has written that; `result` tells the way in which
    it ends `ok`, the fields of `Verb.end` are enough. Of what was cancelled nothing is known."""
    limit = within(effect, action)
    if effect.stopping or status == "cancelled":
        return Span()
    if status == "timed_out":
        return limit
    if status == "failed":
        return Span(0.0, limit.most)
    span = verb_of(effect.verb).end(result).lasts(NO_DATA if action is None else action.arguments)
    return Span(span.least, min(span.most, limit.most))


def within(effect: Running, action: Action | None) -> Span:
    """When it is out of time, all its tries included: at least, where no earlier one was; at most, where it has to be stopped each
    time. Without a time limit it never is."""
    verb = verb_of(effect.verb)
    if action is None:  # the step's own: what a late answer has done is undone
        timeout, tries, backoff = verb.timeout, verb.tries, 0.0
    else:
        timeout, tries, backoff = action.timeout, verb.tries if verb.forced else action.tries, action.backoff
    if timeout is None:
        return Span(math.inf)
    pauses = sum(backoff * 2**n for n in range(tries - 1))
    return Span(timeout + pauses, tries * (timeout + STOPS) + pauses)
