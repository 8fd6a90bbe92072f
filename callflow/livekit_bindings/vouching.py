"""By what a telephone that we have called is told again: a voucher in its attributes, which only the server's secret makes.

Within one call a leg is told by what was dialled, its identity and sid. Where that is not known, to a leg that comes back
or to another process, its attributes say which leg it is. Attributes are anybody's to write, so the name alone says
nothing: the voucher beside it is a keyed digest of room, identity and name, of no use to any other participant.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

NAMED = "callflow.leg"
VOUCHER = "callflow.leg.voucher"
"""The attributes of a telephone that we have called: the name of its leg, and what vouches for it."""


def attributes_of(secret: str | None, room: str, identity: str, leg: str) -> dict[str, str]:
    """The attributes of the participant `identity`. Without a secret nothing vouches for its name."""
    voucher = {} if not secret else {VOUCHER: _voucher(secret, room, identity, leg)}
    return {NAMED: leg, **voucher}


def leg_of(secret: str | None, room: str, fields: Mapping[str, Any]) -> str | None:
    """The leg that a participant (its fields) is, as its voucher says; None where nothing vouches for it."""
    named, voucher = fields["attributes"].get(NAMED), fields["attributes"].get(VOUCHER)
    if not (secret and named and voucher):
        return None
    expected = _voucher(secret, room, fields["identity"], named)
    return str(named) if hmac.compare_digest(expected.encode(), voucher.encode(errors="replace")) else None


def _voucher(secret: str, room: str, identity: str, leg: str) -> str:
    parts = "\0".join(("callflow.leg", room, identity, leg))
    return hmac.new(secret.encode(), parts.encode(errors="replace"), hashlib.sha256).hexdigest()
