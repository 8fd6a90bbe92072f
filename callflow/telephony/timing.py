"""How long a SIP bridge takes for what it does, in seconds: as livekit-sip 1.9.0 was measured."""

from __future__ import annotations

from callflow.core.verbs import limits

RINGS_AT_MOST = 180.0
"""A dial, or a call to us, for which no `ringing_timeout` is set."""
TRANSFER_WITHIN = 30.0
"""A transfer for which no `ringing_timeout` is set."""
NO_RESPONSE = 32.0
"""The INVITE is repeated so long where nothing answers it at all (SIP's timer B)."""
LEAVES = 0.02
"""From a final code or a BYE until the participant leaves (seen 10-40 ms after it)."""
LINGERS = 2.7
"""The same for one that ends within 50 ms of its beginning, or of its answer (seen 2.0-2.9 s after it)."""
SHORT = 0.05
RETURNS = 0.01
"""From a final code until its dial fails, and from `active` until a dial that waits for the answer returns."""
RETURNS_LATE = 0.12
"""The same where the telephone hangs up at once: such a dial returns when it is over."""
CANCELLED = 0.02
"""From the end of a ringing leg until its dial fails."""
NO_RTP, RTP_STOPPED = 30.0, 15.0
"""Seconds without a packet after which the bridge hangs up: from the answer on, and after the last one."""
BYE_GIVEN_UP = 32.0
"""How long a BYE of the bridge's own is repeated where nobody answers it."""
DIGIT, PAUSE = limits.ON_THE_WIRE, limits.PAUSE
"""A key on the wire, and a `w`."""
TRANSFERRED = 1.0
"""From the NOTIFY of success to the bridge's BYE."""
NO_NODE = 2.0
"""Until the server says that no SIP node has answered."""
INBOUND_ANSWER = 0.035
"""From the first published track until a telephone that calls is answered."""
