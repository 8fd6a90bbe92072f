"""All flows with a fault, and all that look as if they had one."""

from __future__ import annotations

from tests.proof import correct
from tests.proof.authors import MADE, UNUSUAL
from tests.proof.faults.parties import PARTIES
from tests.proof.faults.rows import ROWS
from tests.proof.faults.silence import SILENCE
from tests.proof.faults.speech import SPEECH
from tests.proof.unheard import HEARD, UNHEARD
from tests.proof.unreached import REACHED, UNREACHED

FAULTS = {**SILENCE, **SPEECH, **PARTIES, **ROWS, **UNHEARD, **UNREACHED, **MADE}
CORRECT = {**correct.CORRECT, **HEARD, **REACHED, **UNUSUAL}
