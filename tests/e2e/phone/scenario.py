"""Far ends (`callflow.telephony.network`) as scenarios of SIPp (https://sipp.readthedocs.io/en/latest/scenarios/ownscenarios.html).

SIPp has the signalling; the sound is `tests.e2e.phone.rtp`'s, at the address that the SDP gives.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from attrs import define, field, frozen

from callflow.core.speaking import seconds as spoken
from callflow.telephony.network import FarEnd, HangUp, Hear, Press, Refer, Say, Tone, Wait, phrase

FIRST = 0.02
"""Seconds before the first response, which no network brings at once. livekit-sip's library sets its timers only when
it has sent: after a response that came by then, an INVITE's ends the call 32 s later, and a REFER is taken for lost."""
KEY = 0.25
"""Seconds for each pressed key."""
FOR_EVER = 600.0
"""Seconds: longer than a test."""
LINGERS = 2.0
"""Seconds that a call which is over still answers to what is sent again."""
BYE_GIVEN_UP = 33.0
"""Seconds for which a BYE without an answer is sent again."""

_PROVISIONAL = {100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress"}


@frozen
class Place:
    """Where a telephone is: its SIP address, and where its sound goes."""

    host: str
    port: int
    rtp: int


def called(scripts: Sequence[FarEnd], place: Place) -> str:
    """A telephone whose nth call meets the nth of these, and further ones the last. Raises ValueError for what is no telephone's doing."""
    _check(scripts)
    steps = _Steps(place, ours="to", theirs="from")
    steps.add(
        '<recv request="INVITE"><action>',
        _remember("From:", "from"),
        _remember("To:", "to"),
        _remember("CSeq:", "cseq"),
        _target(),
        '<assignstr assign_to="nth" value="[call_number]"/><todouble assign_to="number" variable="nth"/>',
        *(f'<test assign_to="is{n}" variable="number" compare="equal" value="{n}"/>' for n in range(1, len(scripts))),
        "</action></recv>",
        *(f'<nop test="is{n}" next="script{n}"/>' for n in range(1, len(scripts))),
        f'<nop next="script{len(scripts)}"/>',
    )
    for n, script in enumerate(scripts, start=1):
        steps.label(f"script{n}")
        steps.called(script)
    return steps.document()


def calling(script: FarEnd, place: Place, *, number: str, caller: str) -> str:
    """A telephone that calls `number`, once. Raises ValueError as `called` does."""
    _check([script])
    steps = _Steps(place, ours="from", theirs="to")
    steps.calling(script, number, caller)
    return steps.document()


def _check(scripts: Sequence[FarEnd]) -> None:
    for far in scripts:
        if far.reach in ("refused", "unknown") or far.service != "works" or far.bridge_dies is not None or far.ghost:
            raise ValueError(f"no telephone can do this, but a network or a bridge: {far}")
        if not math.isfinite(seconds(far)):
            raise ValueError(f"when SIPp hangs up is said beforehand, and not by what it hears: {far}")


def seconds(far: FarEnd) -> float:
    """Until the telephone hangs up; `FOR_EVER` where it does not, infinite where only its ears know."""
    total, most = 0.0, FOR_EVER if far.hangs_up is None else far.hangs_up
    for act in far.acts:
        match act:
            case Wait(seconds) | Tone(_, seconds):
                total += seconds
            case Say(text):
                total += spoken(text)
            case Press(digits):
                total += KEY * len(digits)
            case Hear():
                total = math.inf
            case HangUp():
                return most if math.isinf(total) and far.hangs_up is not None else min(total, most)
    return most


@define
class _Steps:
    """The scenario so far. `ours` and `theirs` are the variables with the two parties' From or To."""

    place: Place
    ours: str
    theirs: str
    _lines: list[str] = field(factory=list)
    _count: Iterator[int] = field(factory=itertools.count)

    def add(self, *lines: str) -> None:
        self._lines += lines

    def label(self, name: str) -> None:
        self.add(f'<label id="{name}"/>')

    def document(self) -> str:
        variables = "from,to,target,cseq,nth,number" if self.ours == "to" else "from,to,target"
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<scenario name="telephone">', *self._lines]
        lines += ['<label id="deaf"/>', f'<pause milliseconds="{_ms(BYE_GIVEN_UP)}"/>']
        lines += ['<label id="end"/>', f'<timewait milliseconds="{_ms(LINGERS)}"/>']
        return "\n".join([*lines, f'<Reference variables="{variables}"/>', "</scenario>", ""])

    # -- the two ways in

    def called(self, far: FarEnd) -> None:
        here = f"c{next(self._count)}"
        if far.reach == "nobody":
            self.add(f'<pause milliseconds="{_ms(FOR_EVER)}"/>', '<nop next="end"/>')
            return
        self.add(f'<pause milliseconds="{_ms(min(FIRST, far.rings))}"/>')
        self._respond(100)
        rang = FIRST
        if far.progress is not None and far.rings > FIRST:
            rang = min(max(far.reached, FIRST), far.rings)
            self._wait(rang - FIRST, here)
            self._respond(far.progress, sdp=far.progress == 183, tag=True)
        self._wait(far.rings - rang, here)
        self.add(f'<nop next="{here}final"/>')
        self.label(f"{here}cancelled")
        self._cancelled(far)
        self.label(f"{here}final")
        if not far.answers:
            self._respond(far.code, tag=True)
            self._receive("ACK", within=5, otherwise="end")
            self.add('<nop next="end"/>')
            return
        self._answered(far)

    def _wait(self, seconds: float, here: str) -> None:
        """Rings on; a CANCEL ends it."""
        after = f"{here}w{next(self._count)}"
        self._receive("CANCEL", within=max(seconds, 0.001), otherwise=after)
        self.add(f'<nop next="{here}cancelled"/>')
        self.label(after)

    def _cancelled(self, far: FarEnd) -> None:
        if far.on_cancel is None:  # it has not heard it
            self.add(f'<pause milliseconds="{_ms(FOR_EVER if far.late is None else far.late)}"/>')
            self._respond(200, sdp=True, invite=True, tag=True)
            self._receive("ACK", within=BYE_GIVEN_UP, otherwise="end")
            self.add('<nop next="end"/>')
            return
        self._respond(200, tag=True)  # to the CANCEL
        self._respond(far.on_cancel, sdp=far.on_cancel == 200, invite=True, tag=True)
        self._receive("ACK", within=5, otherwise="end")
        if far.on_cancel == 200:
            self._receive("BYE", within=40, otherwise="end")
            self._respond(200)
        self.add('<nop next="end"/>')

    def _answered(self, far: FarEnd) -> None:
        self._respond(200, sdp=True, tag=True, codec=far.reach != "no_codec")
        self._receive("ACK", within=5, otherwise="end")
        self._talk(far)

    def calling(self, script: FarEnd, number: str, caller: str) -> None:
        here = self.place
        branch = "z9hG4bK-[pid]-[call_number]-invite"
        head = f"""\
Via: SIP/2.0/UDP {here.host}:{here.port};branch={branch}
From: <sip:{caller}@{here.host}:{here.port}>;tag=[pid]f[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>"""
        rest = f"""\
Call-ID: [call_id]
Contact: <sip:{caller}@{here.host}:{here.port}>
Max-Forwards: 70"""
        uri = f"sip:{number}@[remote_ip]:[remote_port]"
        self._send(f"INVITE {uri} SIP/2.0\n{head}\n{rest}\nCSeq: 1 INVITE", body=self._sdp(), again=True)
        limit = f'timeout="{_ms(min(script.gives_up, FOR_EVER))}" ontimeout="give_up"'  # it begins anew with the 180
        self.add(*(f'<recv response="{status}" optional="true" {limit}/>' for status in (100, 180)))
        for refusal in (404, 480, 486, 503, 603):
            self.add(f'<recv response="{refusal}" optional="true" next="refused" {limit}/>')
        self.add('<recv response="200"><action>', _remember("From:", "from"), _remember("To:", "to"), _target())
        self.add("</action></recv>")
        self._request("ACK", again=False)
        self._talk(script)
        self.label("give_up")
        self._send(f"CANCEL {uri} SIP/2.0\n{head}\n{rest}\nCSeq: 1 CANCEL", again=True)
        self.add('<recv response="200"/>', '<recv response="487"/>')
        self.label("refused")
        tagged = head.replace(f"To: <{uri}>", "[last_To:]")
        self._send(f"ACK {uri} SIP/2.0\n{tagged}\n{rest}\nCSeq: 1 ACK")
        self.add('<nop next="end"/>')

    # -- the conversation

    def _talk(self, far: FarEnd) -> None:
        """Until either side hangs up. SIPp's timers begin anew after a REFER: what hangs up then is `bye_after`."""
        here = f"t{next(self._count)}"
        limit = f'timeout="{_ms(seconds(far))}" ontimeout="{here}hang_up"'  # SIPp waits where the first of them is
        self.add(f'<recv request="REFER" optional="true" next="{here}refer" {limit}/>', '<recv request="BYE"/>')
        self.label(f"{here}bye")
        if far.answers_bye:
            self._respond(200)
        self.add(f'<nop next="{"end" if far.answers_bye else "deaf"}"/>')
        self.label(f"{here}refer")
        self._referred(far.refer, f"{here}bye", f"{here}hang_up")
        self.label(f"{here}hang_up")
        self._request("BYE", again=True)
        self.add('<recv response="200" timeout="5000" ontimeout="end"/>', '<nop next="end"/>')

    def _referred(self, refer: Refer, bye: str, hang_up: str) -> None:
        here = f"r{next(self._count)}"
        leaves = FOR_EVER if refer.bye_after is None else refer.bye_after
        if refer.status is not None:
            self.add(f'<pause milliseconds="{_ms(FIRST)}"/>')
            self._respond(refer.status)
        if refer.status == 202 and refer.notify is not None and refer.after < leaves:
            self._receive("BYE", within=refer.after, otherwise=f"{here}notify")
            self.add(f'<nop next="{bye}"/>')
            self.label(f"{here}notify")
            told = (
                200 if refer.notify == "target" else refer.notify
            )  # whom it is for is no telephone of this one's, and answers
            extra = "Event: refer\nSubscription-State: terminated;reason=noresource\nContent-Type: message/sipfrag"
            self._request("NOTIFY", again=True, extra=extra, body=f"SIP/2.0 {told} {_words(told)}\n")
            self.add('<recv response="200" timeout="5000"/>'.replace("/>", f' ontimeout="{here}rest"/>'))
            leaves -= refer.after
            self.label(f"{here}rest")
        self._receive("BYE", within=leaves, otherwise=hang_up)
        self.add(f'<nop next="{bye}"/>')

    # -- single messages

    def _receive(self, request: str, *, within: float, otherwise: str) -> None:
        limit = f' timeout="{_ms(within)}" ontimeout="{otherwise}"' if math.isfinite(within) else ""
        self.add(f'<recv request="{request}"{limit}/>')

    def _respond(
        self, status: int, *, sdp: bool = False, tag: bool = False, invite: bool = False, codec: bool = True
    ) -> None:
        """To the last request; `invite`: to the INVITE, whatever came since. `tag`: the request has none of ours yet."""
        to = "To: [$to]" if invite else "[last_To:]"
        if tag:
            to += ";tag=[pid]t[call_number]"
        message = f"""\
SIP/2.0 {status} {_words(status)}
[last_Via:]
[last_From:]
{to}
[last_Call-ID:]
{"CSeq: [$cseq]" if invite else "[last_CSeq:]"}
Contact: <sip:telephone@{self.place.host}:{self.place.port}>"""
        self._send(message, body=self._sdp(codec=codec) if sdp else "", again=sdp and status == 200)

    def _request(self, method: str, *, again: bool, extra: str = "", body: str = "") -> None:
        """In the dialogue."""
        tagged = {"from": "[$from]", "to": "[$to]"}
        if self.ours == "to":
            tagged["to"] += ";tag=[pid]t[call_number]"
        number = "1" if method == "ACK" else "[cseq]"
        message = f"""\
{method} [$target] SIP/2.0
Via: SIP/2.0/UDP {self.place.host}:{self.place.port};branch=[branch]
From: {tagged[self.ours]}
To: {tagged[self.theirs]}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:telephone@{self.place.host}:{self.place.port}>
Max-Forwards: 70"""
        self._send(f"{message}\n{extra}" if extra else message, body=body, again=again)

    def _send(self, message: str, *, body: str = "", again: bool = False) -> None:
        length = "Content-Length: [len]" if body else "Content-Length: 0"
        retrans = ' retrans="500"' if again else ""
        self.add(f"<send{retrans}><![CDATA[\n{message}\n{length}\n\n{body}]]></send>")

    def _sdp(self, *, codec: bool = True) -> str:
        host, kind, name = self.place.host, *((0, "PCMU") if codec else (5, "DVI4"))
        return f"""\
v=0
o=telephone 1 1 IN IP4 {host}
s=-
c=IN IP4 {host}
t=0 0
m=audio {self.place.rtp} RTP/AVP {kind} 101
a=rtpmap:{kind} {name}/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"""


def _remember(header: str, variable: str) -> str:
    pattern = escape("[^ ].*")
    return f'<ereg regexp="{pattern}" search_in="hdr" header="{header}" assign_to="{variable}"/>'


def _target() -> str:
    """Where requests of the dialogue go: the other side's Contact."""
    return '<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="target"/>'


def _words(status: int) -> str:
    return _PROVISIONAL.get(status) or phrase(status)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 1)
