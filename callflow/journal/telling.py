"""A journal as a person tells it: which call it was, and its story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from callflow.core.durations import told_duration
from callflow.core.events import EffectEnded, Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.errors import printable
from callflow.journal.account import sentence
from callflow.journal.reading import Line, Recorded
from callflow.journal.replaying import Replayed, followed
from callflow.journal.summary import Summary, summary_of
from callflow.runtime.record import utc
from callflow.scenario import tell_steps


class Told(NamedTuple):
    """A call: what it was, its story, and what whoever reads it should know of both."""

    summary: Summary
    story: Sequence[str]
    remarks: Sequence[str] = ()


def tell_journal(recorded: Recorded, flow: Flow | None, why: str = "") -> Told:
    """The story of a call as its flow tells it; line by line where there is none (`why` says so), or where the flow makes something
    else of it today. Raises JournalError."""
    remarks = [why] if why else []
    head, began = recorded.head, recorded.head["time"]
    story: list[str] = []
    if flow is not None:
        steps = [*followed(flow, recorded)]
        if steps and steps[-1].difference is None:
            story = tell_steps(flow, [as_recorded(one) for one in steps])
        else:
            changed = "has been changed since" if flow.digest != head["digest"] else "is the same"
            remarks.append(
                f"{printable(flow.file)} makes something else of this call from line {steps[-1].number} on, and {changed}: "
                "`callflow replay` shows it"
                if steps
                else "the journal has no step"
            )
    if recorded.cut:
        remarks.append(f"the journal is cut short: its line {len(recorded.lines) + 2} is not whole")
    elif not recorded.lines or recorded.lines[-1].get("phase") != "ended":
        remarks.append("the journal ends before the call does: its process was killed, or the call still runs")
    return Told(summary_of(recorded), story or [sentence(line, began) for line in recorded.lines], remarks)


def as_recorded(one: Replayed) -> Step:
    """A step with what its line says: digests, and not what stands in for them."""
    line, step = one.line, one.step
    event = step.event
    if isinstance(event, Event):
        event = event._replace(name=line["event"], data=line.get("data", {}))
    elif isinstance(event, EffectEnded):
        event = event._replace(result=line.get("result", {}), error=line.get("error"))
    begun = {start["id"]: start["arguments"] for start in line.get("start", ())}
    effects = tuple(
        effect._replace(arguments=begun.get(effect.id, effect.arguments)) if isinstance(effect, Start) else effect
        for effect in step.effects
    )
    return step._replace(event=event, effects=effects)


def heading(head: Line, summary: Summary) -> Iterator[str]:
    """Which call it was, of which flow, when, and what became of it."""
    by = f", by callflow {head['callflow']}" if "callflow" in head else ""
    yield printable(f"call {head['call']} of {head['flow']} ({head['file']}, digest {head['digest']}{by})")
    yield printable(f"{utc(head['time'])}, {told_duration(summary.seconds)}, {summary.steps} steps")
    cause = f"{summary.cause} by {summary.by}" if summary.cause else "not known"
    quiet = f", longest silence {told_duration(summary.silence)}" if summary.silence else ""
    yield printable(f"outcome {summary.outcome}; ended: {cause}; in {summary.state or 'no state'}{quiet}")
    for name, values in (("vars", head["vars"]), ("call", _telling(head["facts"]))):
        if values:
            yield printable(f"{name}: {', '.join(f'{one}: {value}' for one, value in values.items())}")


def _telling(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of what the call began with that by which somebody knows it."""
    names = ("direction", "number", "identity", "room", "job")
    return {name: facts[name] for name in names if facts.get(name) is not None}
