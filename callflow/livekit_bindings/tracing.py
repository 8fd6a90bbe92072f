"""A call as spans of LiveKit's own tracer, where a provider is set: the call, inside it its states, inside them what they
started. Nothing of it costs anything where none is.

Attributes are names and results that the catalogue or the flow's author made up, and ids of LiveKit's; no value, no text, no
message of an error. The call's span is the current one in everything that the call runs, so that LiveKit's `agent_session`
is inside it. Those of states and effects are not, since a task that outlives them would take them for its parent; only what
a `python` or an `http` does is inside its effect.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any, cast

from livekit.agents.telemetry import trace_types, tracer
from opentelemetry import context, trace
from opentelemetry.trace import Span, Status, StatusCode

from callflow.core.actions import VERBS, verb_of
from callflow.core.events import EffectEnded
from callflow.core.flow import ROOT, Flow
from callflow.core.snapshot import Microstep, Start, Step
from callflow.core.statechart.action_lists import place_at
from callflow.core.statechart.descriptors import best, heard
from callflow.runtime.ports import CallOf

logger = logging.getLogger("callflow")

IDS = {
    "room_sid": trace_types.ATTR_ROOM_SID,
    "job": trace_types.ATTR_JOB_ID,
    "worker_id": trace_types.ATTR_WORKER_ID,
    "dispatch_id": trace_types.ATTR_DISPATCH_ID,
    "agent_name": trace_types.ATTR_AGENT_NAME,
}
"""Fields of the call's log lines, by LiveKit's names for them."""

TOLD = ("interrupted", "heard", "sip_status_code")
"""Fields of results that are numbers and truth values."""


class Tracing:
    """The spans of one call. What a provider raises ends them, and never the call."""

    def __init__(self) -> None:
        self._call: CallOf
        self._span: Span | None = None
        self._states: dict[str, Span] = {}
        self._effects: dict[int, Span] = {}

    def begin(self, call: CallOf) -> None:
        """The call begins; in its own context, of which its span becomes the current one."""
        with self._surviving():
            fields = call.log_fields
            known = {IDS[name]: value for name, value in fields.items() if name in IDS}
            about = {"callflow.call": call.id, "callflow.flow": call.flow.name, "callflow.digest": call.flow.digest}
            span = tracer.start_span(f"call {call.flow.name}", attributes={**about, **known})
            if span.is_recording():
                self._call, self._span = call, span
                context.attach(trace.set_span_in_context(span))

    def settle(self, step: Step) -> None:
        """A step: what ended, what was left and entered, what begins."""
        if self._span is None:
            return
        with self._surviving():
            entry = step.event
            if isinstance(entry, EffectEnded):
                self._ended(entry)
            for move in step.moves:
                self._moved(move)
            for effect in step.effects:
                if isinstance(effect, Start):
                    self._effects[effect.id] = self._started(effect)

    @contextlib.contextmanager
    def performing(self, effect: Start) -> Iterator[None]:
        """Around one try of an effect."""
        span = self._effects.get(effect.id)
        if (
            span is None or not verb_of(effect.verb).asks_outside
        ):  # its work may make spans, and starts nothing that outlives it
            yield
            return
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield

    def close(self) -> None:
        """The call is over: whatever is open ends, the innermost first."""
        if self._span is None:
            return
        with self._surviving():
            for span in self._effects.values():
                span.set_attribute("callflow.status", "running")
                span.end()
            for span in reversed(self._states.values()):
                span.end()
            record, span = self._call.draft(), self._span
            span.set_attributes({
                "callflow.outcome": record.outcome,
                "callflow.cause": record.cause.event,
                "callflow.hung_up_by": record.hung_up_by,
                "callflow.forced": record.forced,
            })  # fmt: skip
            if record.error is not None or record.fault is not None:
                span.set_status(Status(StatusCode.ERROR))
            span.end()
        self._span = None

    # -- one step

    def _moved(self, move: Microstep) -> None:
        for path in move.exited:
            if (span := self._states.pop(path, None)) is not None:
                span.end()
        for path in move.entered:
            about = {"callflow.state": path, "callflow.on": trigger_of(self._call.flow, move)}
            self._states[path] = self._inside(self._call.flow.states[path].parent, f"state {path}", about)

    def _started(self, effect: Start) -> Span:
        about = {
            "callflow.verb": effect.verb,
            "callflow.effect": effect.id,
            "callflow.at": place_at(self._call.flow, effect.source),
        }
        function = verb_of(effect.verb).given("function", effect.arguments)
        if function is not None:
            about["callflow.python"] = str(function)
        running = self._call.snapshot.memory.effects.get(effect.id)
        owner = None if running is None else running.owner
        return self._inside(owner, f"effect {effect.verb}", about)

    def _ended(self, end: EffectEnded) -> None:
        span = self._effects.pop(end.id, None)
        if span is None:
            return
        span.set_attribute("callflow.status", end.status)
        span.set_attributes(_told(end.result))
        if end.status in ("failed", "timed_out"):
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _inside(self, state: str | None, name: str, attributes: Mapping[str, Any]) -> Span:
        """A span inside that of the nearest state around that has one, or of the call."""
        while state not in (None, ROOT) and state not in self._states:
            state = self._call.flow.states[str(state)].parent
        parent = cast(Span, self._states.get(state or ROOT, self._span))
        return tracer.start_span(name, context=trace.set_span_in_context(parent), attributes=dict(attributes))

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            logger.exception("the spans of a call have failed, and end here")
            spans = [*self._effects.values(), *self._states.values(), *filter(None, (self._span,))]
            self._span, self._states, self._effects = None, {}, {}
            for span in spans:
                with contextlib.suppress(Exception):
                    span.end()


def trigger_of(flow: Flow, move: Microstep) -> str:
    """What a move was made for, in words of the flow's own: the name of somebody's leg, or a key, stands there only where
    a row names it."""
    trigger = move.trigger
    if "." not in trigger:
        return trigger
    return best(heard(flow.states), trigger) or f"{trigger.partition('.')[0]}.*"


def _told(result: Mapping[str, Any]) -> dict[str, Any]:
    """Of a result what is one of the catalogue's own words, a number or a truth value."""
    told = {f"callflow.{name}": result[name] for name in TOLD if isinstance(result.get(name), (bool, int))}
    named = result.get("result")
    if isinstance(named, str) and named in _RESULTS:
        told["callflow.result"] = named
    return told


_RESULTS = frozenset(event.partition(".")[2] for verb in VERBS.values() for event in verb.results)
