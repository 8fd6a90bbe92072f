"""What a text must look like to mean anything to a telephone: a number, a SIP address, keys."""

from __future__ import annotations

import re
from typing import NamedTuple


class Form(NamedTuple):
    """`pattern` is compiled as soon as a text is looked at. `says` completes "`to` of `transfer` takes …"; `hint` is what to
    write instead."""

    pattern: str
    says: str
    hint: str = ""

    def fits(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None


CALLED = Form(
    r"(?a:[\w.!~*'()&=+$,;?/%#-]+)",
    "a phone number or a SIP user, without blanks, scheme or host",
    'write the number alone: "+15551234567"',
)
"""Whom the trunk calls: LiveKit refuses a whole SIP address (`sip_call_to`)."""

REFERRED = Form(
    r"sips?:[^\s@]+(@[^\s@]+)?|tel:\+?[0-9*#(][0-9a-fA-F*#().-]*(;[^\s]+)?|\+?[0-9*#(][0-9*#().-]*|[^\s@:]+@[^\s@]+",
    "a phone number, or a `sip:`, `sips:` or `tel:` address",
    'write "+15551234567", or "sip:desk@example.com"',
)  # fmt: skip
"""Where a REFER leads (RFC 3261, RFC 3966): a number without `tel:` and an address without `sip:` are given theirs."""

KEYS = Form(r"[0-9a-dA-D*#wW]+", "keys: 0-9, a-d, `*`, `#`, and `w` for a pause", 'write the keys: "12w34#"')

ONE_KEY = Form(r"[0-9a-dA-D*#]", "one key: 0-9, a-d, `*` or `#`", 'write one of them: "#"')

SHOWN_NUMBER = Form(
    r"(?a:\+?[\w.!~*#-]{1,64})",
    "a phone number, or a number as the trunk knows it",
    'write the number alone: "+15551234567"',
)
"""The user part of a From."""

PRINTABLE = Form(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,1000}", "a text of one line, 1000 characters at most")
"""What a header may hold: a line break would begin a header of its own (RFC 3261, section 7.3)."""

SHOWN_NAME = Form(
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\"\\]{0,128}",
    "a name of one line, without quotation marks or backslashes, 128 characters at most",
)
"""A display name stands in quotation marks of its own."""

BRIDGES_OWN = frozenset({
    "accept", "accept-encoding", "accept-language", "allow", "allow-events", "authorization", "call-id", "contact",
    "content-encoding", "content-length", "content-type", "cseq", "event", "expires", "from", "max-forwards",
    "proxy-authorization", "record-route", "refer-to", "reply-to", "to", "via", "k", "l", "m", "o", "r", "t", "u", "v",
})  # fmt: skip
"""Headers that LiveKit's server refuses, and those that the bridge needs for itself (livekit/protocol, sip_validation.go)."""

HEADER = Form(r"[A-Za-z0-9.!%*_+`'~-]{1,64}", "the name of a header: letters, digits and `-`")
"""A token (RFC 3261, section 25.1)."""
