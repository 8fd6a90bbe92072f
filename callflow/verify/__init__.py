"""What a flow must keep beside being well-formed: each rule is a function of the `Flow` alone, with a code of its own."""

from __future__ import annotations

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.verify.bounds import bounds
from callflow.verify.endings import endings
from callflow.verify.lists import early_always, line_left_up, must_finish_cut
from callflow.verify.tools import offered_tools

RULES = (endings, bounds, must_finish_cut, early_always, line_left_up, offered_tools)


def check(flow: Flow) -> list[Defect]:
    """Every breach of every rule, in the order of the file. A flow without one has been proven to keep these rules, no more."""
    found = [defect for rule in RULES for defect in rule(flow)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.file != flow.file, one.file, one.line, one.column))


__all__ = ["RULES", "check"]
