"""What a flow must keep beside being well-formed: each rule is a function of the `Flow` alone, with a code of its own."""

from __future__ import annotations

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.verify.action_lists import always_round, early_always, line_left_up, must_finish_cut, twice
from callflow.verify.bounds import bounds, never_due
from callflow.verify.closed import stays_without_a_line
from callflow.verify.crash import nobody_resumes
from callflow.verify.endings import endings
from callflow.verify.farewell import never_interrupted
from callflow.verify.guards import constant_guards
from callflow.verify.must_finish import finishing
from callflow.verify.offered import offered_calls, speech_before_the_answer
from callflow.verify.privacy import private_values_shown
from callflow.verify.senders import senders_named
from callflow.verify.shadows import hidden_names
from callflow.verify.sounds import missing_sounds
from callflow.verify.subflows import returns_to_nobody
from callflow.verify.telephone import (
    decisions,
    digits_to_collect,
    nobody_on_the_line,
    redial_too_late,
    results_taken,
)
from callflow.verify.templates import not_templates
from callflow.verify.tools import offered_tools
from callflow.verify.unused import never_used
from callflow.verify.waiting import silent_waits

RULES = (
    endings, finishing, bounds, must_finish_cut, early_always, always_round, line_left_up, offered_tools, redial_too_late,
    private_values_shown, nobody_on_the_line, offered_calls, speech_before_the_answer, digits_to_collect, decisions, results_taken,
    nobody_resumes, senders_named, never_due, constant_guards, missing_sounds, never_used, hidden_names,
    never_interrupted, silent_waits, stays_without_a_line, not_templates, twice,
)  # fmt: skip


WARNING = frozenset((
    redial_too_late, results_taken, nobody_resumes, senders_named, never_used, hidden_names, never_interrupted, silent_waits,
    not_templates, twice,
))  # fmt: skip
"""Those that only warn: a flow that breaks them runs."""

REFUSING = tuple(rule for rule in RULES if rule not in WARNING)


def check(flow: Flow, *, as_subflow: bool = False, warnings: bool = True) -> list[Defect]:
    """Every breach of every rule, in the order of the file. A flow without one has been proven to keep these rules, no more.

    `as_subflow`: another flow uses this file, so that what its final states return arrives somewhere. Without `warnings` only
    what keeps the flow from running is looked for, which takes a third of the time.
    """
    found = [defect for rule in (RULES if warnings else REFUSING) for defect in rule(flow)]
    if not as_subflow:
        found += returns_to_nobody(flow)
    if not warnings:
        found = [one for one in found if one.level == "error"]
    return sorted(dict.fromkeys(found), key=lambda one: (one.file != flow.file, one.file, one.line, one.column))


__all__ = ["REFUSING", "RULES", "WARNING", "check"]
