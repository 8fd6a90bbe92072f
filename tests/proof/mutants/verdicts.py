"""What `callflow check` says of a mutant that it does not say of the flow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import callflow
from callflow.core.flow import Flow
from callflow.proof.prove import prove
from callflow.verify import check
from tests.proof.mutants.making import written

FLOWS = Path(__file__).parents[3] / "flows"
BUDGET = 60_000


def load(mutant_data) -> Flow:
    return callflow.loads(written(mutant_data), folder=FLOWS, check=False)


def static(flow: Flow) -> Counter[str]:
    return Counter(one.code for one in check(flow))


def proved(flow: Flow) -> Counter[str]:
    proof = prove(flow, budget=BUDGET)
    return Counter([one.defect.code for one in proof.findings] + ([] if proof.finished else ["not-finished"]))
