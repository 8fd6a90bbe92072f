"""All flows with a fault, and all that look as if they had one."""

from __future__ import annotations

from tests.proof import correct, faults
from tests.proof.unheard import HEARD, UNHEARD

FAULTS = {**faults.FAULTS, **UNHEARD}
CORRECT = {**correct.CORRECT, **HEARD}
