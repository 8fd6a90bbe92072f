"""The catalogue of actions: what an author may write in a list, with types, defaults and time limits.

One entry here is all that a verb needs: the loader checks arguments against it, the JSON Schema and the reference are
generated from it, the checker reads what it needs and leaves behind, the sequencer its results, a picture how it is drawn;
the binding looks it up by name, and nobody else asks what it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from callflow.core.verbs import conversation, internal, outside, telephone
from callflow.core.verbs.verb import Argument, Verb

__all__ = [
    "COMMON_ARGUMENTS",
    "EVERY_VERB",
    "INTERNAL_VERBS",
    "OUTCOMES",
    "RESULT_EVENTS",
    "VERBS",
    "Argument",
    "Verb",
    "verb_of",
]

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in (*conversation.VERBS, *telephone.VERBS, *outside.VERBS)}
"""Every verb, by name, in the order of the reference."""

INTERNAL_VERBS: Mapping[str, Verb] = {verb.name: verb for verb in internal.VERBS}
"""What the step starts by itself; no author writes them in a list."""

EVERY_VERB: Mapping[str, Verb] = {**VERBS, **INTERNAL_VERBS}


def verb_of(name: str) -> Verb:
    """The entry of a verb, of the authors' or the step's own. Raises KeyError."""
    return EVERY_VERB[name]


COMMON_ARGUMENTS: Mapping[str, str] = {
    "timeout": "How long one try may take.",
    "optional": "A failure is recorded, not raised.",
    "as": "The variable that holds the result.",
    "retry": "`{times, backoff}`, where repeating is harmless.",
}
"""What every action takes beside its own arguments."""

RESULT_EVENTS: Mapping[str, str] = {event: verb.name for verb in VERBS.values() for event in verb.results}
"""By which verb an event is a result: `dial.answered` by `dial`."""

OUTCOMES = (
    "completed",
    "hung_up",
    "busy",
    "no_answer",
    "declined",
    "invalid",
    "machine",
    "voicemail",
    "transferred",
    "timed_out",
    "cancelled",
    "line_lost",
    "failed",
    "none",
)
"""The outcomes that every flow has."""
