"""Whether words ask something of whoever hears them, and which keys they are told to press: by the words alone, as far as these say so."""

from __future__ import annotations

import re

from callflow.core.events import DIGITS

_MARK = re.compile(r"[?\uff1f؟⸮;՞፧]|[\u0370-\u03ff].*;$")
"""A question's sign: Latin, full width, Arabic, turned, Greek (also written as a semicolon), Armenian, Ethiopic."""

_SENTENCES = re.compile(r"(?<=[.!?\uff1f؟⸮。\uff01…;፧])[\"'”\u2019»)\]]*\s*|\n+")
_WH = r"(?:whether|if|what|which|when|where|who|whom|whose|how|why)"
_THEM = r"(?:them|him|her|us|somebody|people|the \w+|whoever \w+ \w+)"

_PLAIN = re.compile(
    r"^(?:and |so |then |now |ok(?:ay)?,? |please,? |well,? )*"
    r"(?:(?:do|did|does|are|is|have|has|can|could|would|will|shall) (?:you|i|we|there|it|that|this|they|your|he|she)\b"
    r"|may (?:i|we) (?:ask|have|know|call|help|take)\b"
    r"|(?:what|when|where|who|how) (?:is|are|do|does|can|may|would|will|should)\b"
    r"|(?:which|what) (?:day|date|time|number|name|one)\b|how (?:many|much|old|long|soon)\b|anything else\b)",
    re.IGNORECASE,
)
"""A question that is written without its sign."""

_REQUEST = re.compile(
    r"^(?:and |or |so |then |now |just |you (?:can|may) |simply )*(?:please,? )?(?:now |just )*"
    r"(?:(?:tell|give|spell|answer|show) me\b|let me know\b|answer\b|take your time\b|i(?: am|'m) listening\b"
    r"|(?:say|name|spell|repeat|confirm|state|choose) (?:your|yes|no|me|it|one|the|a|whether|[\"'“„«])"
    r"|yes or no\b)"
    rf"|\b(?:i|we)(?: would|'d)? (?:like|want|wanted|have|need) to (?:ask(?: you)? {_WH}|know {_WH})\b|\bplease (?:say|tell me|answer)\b",
    re.IGNORECASE,
)
"""An answer is asked for."""

_TOLD_TO_ASK = re.compile(
    rf"\b(?:(?:re-?)?ask|inquire|enquire)\b(?! (?:nothing|no)\b)(?! (?:{_THEM} )?(?:for )?(?:\w+ )?(?:patience|pardon|forgiveness|understanding)\b)"
    rf"(?! {_THEM} (?:not )?to (?!(?:please )?(?:say|tell|give|spell|choose|confirm|repeat|rate|state|decide|answer|explain|name|pick|"
    r"describe|key|type|enter|press|leave|let)\b))"
    rf"|\bfind out(?= (?:{_WH}|about|from|their|his|her|the)\b)|\b(?:see|check|learn|determine|clarify|confirm) (?:if|whether)\b"
    r"|\b(?:check|confirm) with (?:them|him|her|the)\b|\bget (?:their|his|her) (?:name|number|address|e-?mail|answer|consent|date|birthday)\b"
    r"|\bhave (?:them|him|her) (?:say|confirm|choose|tell|spell|decide)\b|\boffer to\b|\b(?:request|collect) (?:their|his|her)\b"
    r"|\binvite (?:them|him|her|the \w+) to (?:ask|say|tell|choose)\b",
    re.IGNORECASE,
)
"""What a model is told to do, and asks something by that."""

_OF_OTHERS = re.compile(
    r"(?:\b(?:they|who|people|callers|customers|somebody|anybody|i|we|he|she|it|not|\w+n['\u2019]t|never|without|cannot|will|may|might|could|would)"
    r"|\b(?:they|you|he|she|we|people) can|\b(?:if|when|whenever|should) you"
    r"|(?<!sure )(?<!remember )(?<!forget )(?<!want )(?<!like )(?<!need )(?<!have )(?<!try )(?<!going )(?<!begin )(?<!calling )\bto)\s*$",
    re.IGNORECASE,
)
"""What stands before a word of asking that is not the model's: somebody else's, or one that it is not to do."""

_NEVER_OF_THEM = re.compile(
    r"\b(?:do not|don['\u2019]t|never)\b[^,;:]*\b(?:and|or)\s*$"
    r"|\b(?:they|them|him|her|you|people|callers?|customers?|who)\b[^,;:]*\b(?:can|could|may|should|must|to) (?:please )?"
    r"(?:call|ring|phone|come|go|visit|write|contact|turn|dial|log)\b[^,;:]*\b(?:and|or)\s*$",
    re.IGNORECASE,
)

_NUMBERS = dict(
    zip(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), "0123456789", strict=True)
)
_NAMED = {
    **_NUMBERS,
    **{digit: digit for digit in _NUMBERS.values()},
    "star": "star",
    "asterisk": "star",
    "*": "star",
    "pound": "pound",
    "hash": "pound",
    "#": "pound",
}
_KEY = r"(?:[0-9](?![0-9])|\*|#|zero|one|two|three|four|five|six|seven|eight|nine|star|asterisk|pound|hash)"
_PRESS = (
    r"press|push|hit|dial|key in|type|enter|choose|select|drücken sie|drück|wählen sie|appuyez sur|tapez|composez|pulse|presione|oprima|"
    r"marque|prema|digiti|toets|druk op|pressione|tecle|prima"
)
_ANY_KEY = re.compile(
    rf"\b(?:{_PRESS})\b[^.!?]{{0,25}}?\b(?:key|keys|button|digit|digits|taste|touche|tecla|tasto)\b", re.IGNORECASE
)
_ONE_KEY = re.compile(
    rf"\b(?:{_PRESS})\s+(?:now\s+|bitte\s+|(?:the|die|le|la|el|il|de|a)\s+|(?:number|key|digit|taste|touche|tecla|tasto)\s+|[\"'“])*({_KEY})"
    r"(?=\W*$|\s*[.,;:!?\"'”\n]|\s+(?:key|button|taste|to|for|if|and|or|now|at|on|when|then|again|um|für|wenn|para|pour|per|voor)\b)",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"\b(?:call|ring|phone) (?:us|me)\b|\bcall back,? (?:and|then)\b|\bnext time\b|\bwhen you (?:call|ring|phone|arrive|come)\b",
    re.IGNORECASE,
)
"""That keys are to be pressed in another call."""

_PASSED_ON = re.compile(r"\b(?:tell|ask|say|let|invite|remind|explain|inform|offer)\b", re.IGNORECASE)


def asks(words: str, *, told: bool = False) -> bool:
    """Whether whoever hears this is to answer. `told`: the words are what a model is told to say or do, and not what is said."""
    if told and any(_is_to_ask(sentence) for sentence in _sentences(words)):
        return True
    for sentence in reversed(_sentences(words)):
        if _MARK.search(sentence) or _PLAIN.match(sentence):
            return True
        if not _REQUEST.search(sentence) or _LATER.search(sentence):
            return False
        if not told:
            return True
    return False


def _is_to_ask(sentence: str) -> bool:
    for found in _TOLD_TO_ASK.finditer(sentence):
        before = sentence[: found.start()]
        if not _OF_OTHERS.search(before) and not _NEVER_OF_THEM.search(before):
            return True
    return False


def keys(words: str, *, told: bool = False) -> frozenset[str]:
    """The keys that whoever hears this may press, as events name them (`1`, `star`); all of them, where any key will do."""
    if told and not _PASSED_ON.search(words):  # the model presses them itself
        return frozenset()
    now = [sentence for sentence in _sentences(words) if not _LATER.search(sentence)]
    named = frozenset(_NAMED[found.group(1).lower()] for sentence in now for found in _ONE_KEY.finditer(sentence))
    return frozenset(DIGITS) if not named and any(map(_ANY_KEY.search, now)) else named


def _sentences(words: str) -> list[str]:
    return [one for one in (part.strip().strip("\"'”“\u2019\u2018»«()[] ") for part in _SENTENCES.split(words)) if one]
