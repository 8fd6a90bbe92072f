"""All flows with a fault, and all that look as if they had one."""

from __future__ import annotations

from tests.proof import correct, faults
from tests.proof.authors import MADE, UNUSUAL
from tests.proof.unheard import HEARD, UNHEARD
from tests.proof.unreached import REACHED, UNREACHED

FAULTS = {**faults.FAULTS, **UNHEARD, **UNREACHED, **MADE}
CORRECT = {**correct.CORRECT, **HEARD, **REACHED, **UNUSUAL}
