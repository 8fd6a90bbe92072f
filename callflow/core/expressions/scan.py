"""An expression's text, cut into tokens. What belongs to other languages is named, replaced where its meaning is plain,
and read on, so that an author sees every problem at once."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NamedTuple

from callflow.core.durations import parse_duration
from callflow.core.expressions.problems import Problem
from callflow.core.expressions.types import ANY, DURATION, INTEGER, NUMBER, TEXT, Type

MAX_LENGTH: Final = 2000
"""Characters of one expression."""


class Token(NamedTuple):
    """`text` is the token's word or sign; for a literal, `value` is its value and `type` its type."""

    kind: Literal["name", "literal", "sign", "end"]
    text: str
    start: int
    end: int
    value: Any = None
    type: Type = ANY


class Stop(Exception):
    """Nothing that follows can be understood."""


_TOKEN = re.compile(
    r"""
      (?P<space>  [ \t\r\n]+ )
    | (?P<name>   [^\W\d]\w* )
    | (?P<number> [0-9][\w.]* )
    | (?P<text>   "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<twice>  (?:\+\+ | --) (?= \s* (?: [)\]] | $ )) )
    | (?P<filter> \| \s* (?!(?:vars|event|call|env|state|not)\b) [^\W\d]\w* (?!\s*\.) )
    | (?P<sign>   && | \|\| | ===? | !==? | <= | >= | <> | => | =< | =~ | := | [-+*/]= | \*\* | // | -> | << | >> | . )
    """,
    re.VERBOSE | re.DOTALL,
)

SIGNS: Final = frozenset(
    ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "(", ")", "[", "]", ",", ".", ":")
)

_MEANT = {
    "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "=": "==", "===": "==", "!==": "!=", "<>": "!=",
    "=>": ">=", "=<": "<=", "≠": "!=", "≤": "<=", "≥": ">=", "×": "*", "÷": "/", "−": "-", "–": "-",  # noqa: RUF001 - as word processors write them
}  # fmt: skip

_FILTERS = {
    "length": "len", "count": "len", "size": "len", "int": "number", "float": "number", "string": "text", "strip": "trim", "uppercase": "upper",
    "lowercase": "lower",
}  # fmt: skip
"""What template languages call these functions."""

_NOT_ASSIGNED = "nothing is assigned in an expression: use `set`"
_FOREIGN_SIGNS = {
    "{": "inside `when:` and inside {{ }} stands the expression alone, without braces",
    "}": "inside `when:` and inside {{ }} stands the expression alone, without braces",
    "?": "there is no choice inside an expression: write two rows, each with its `when:`",
    ":=": _NOT_ASSIGNED,
    "+=": _NOT_ASSIGNED,
    "-=": _NOT_ASSIGNED,
    "*=": _NOT_ASSIGNED,
    "/=": _NOT_ASSIGNED,
    ";": "an expression is one value",
    "@": "put quotes around text",
    "#": "an expression holds no comment: put it behind the YAML value",
    "$": "write vars.<name>, or env.<NAME> for an environment variable",
    "`": "write text in \"double\" or 'single' quotes",
    "\\": "a backslash has a meaning only inside quotes",
    "=~": 'there are no patterns: compare parts with starts_with, ends_with, or "part" in text',
    "->": "there are no functions of your own",
}
_CURLY_QUOTES = "“”„‟‘’‚«»"  # noqa: RUF001 - what word processors make of quotes

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
_FRACTION = re.compile(r"(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_DURATION = re.compile(r"[0-9]+(?![eExXoO])[a-zA-Zµ]\w*")


def scan(source: str, problems: list[Problem]) -> list[Token]:
    """The tokens of an expression, the last of kind `end`. Adds what is wrong to `problems`; may raise Stop."""
    if len(source) > MAX_LENGTH:
        raise _stop(
            problems,
            "too-large",
            f"the expression has {len(source)} characters; {MAX_LENGTH} are allowed",
            MAX_LENGTH,
            len(source) - MAX_LENGTH,
            "compute it in steps, with `set`",
        )
    tokens: list[Token] = []
    for match in _TOKEN.finditer(source):  # every character matches something
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            continue
        start, end = match.span()
        if kind == "name":
            prefixed = source[end : end + 1] in ("'", '"') and _name_of_text(text, start, problems)
            # A prefix leaves an empty token: the text that follows stands for the whole.
            tokens.append(Token("sign", "", start, end) if prefixed else Token("name", text, start, end))
        elif kind == "number":
            tokens.append(_number(match, problems))
        elif kind == "text":
            tokens.append(_text(match, problems))
        elif kind == "sign":
            tokens.append(Token("sign", text, start, end) if text in SIGNS else _sign(text, start, problems))
        elif kind == "filter" and not text.startswith("||"):
            word = text[1:].strip()
            hint = f"write {_FILTERS.get(word, word)}(…) around the value"
            raise _stop(problems, "not-in-language", "there are no filters", start, len(text), hint)
        elif kind == "twice":
            hint = f"write {source[:start].strip()} {text[0]} 1, in a `set`"
            raise _stop(problems, "not-in-language", f"there is no {text}", start, 2, hint)
    end = len(source)
    tokens.append(Token("end", "", end, end))
    return tokens


def _name_of_text(text: str, start: int, problems: list[Problem]) -> bool:
    """Whether a word before a quotation mark is a prefix of other languages' texts; a problem if so."""
    if text.lower() not in ("f", "r", "b", "u", "fr", "rf", "br", "rb"):
        return False
    hint = "join text with +, or write a text with {{ }} in it" if "f" in text.lower() else f"leave the {text} out"
    problems.append(Problem("not-in-language", f"there are no {text}-texts", start, len(text), hint))
    return True


def _number(match: re.Match[str], problems: list[Problem]) -> Token:
    text, start, end = match[0], match.start(), match.end()
    if _INTEGER.fullmatch(text):
        return Token("literal", text, start, end, int(text), INTEGER)
    if _FRACTION.fullmatch(text):
        return Token("literal", text, start, end, float(text), NUMBER)
    hint = "write numbers as 12 or 1.5, durations as 12s"
    if _DURATION.fullmatch(text):
        try:
            return Token("literal", text, start, end, parse_duration(text), DURATION)
        except ValueError as error:
            hint = str(error)
    elif text.isascii() and text.isdigit():
        hint = "a number has at most 18 digits and no zero before it; digits that are no number are text: put quotes around them"
    elif re.fullmatch(r"[0-9]{1,3}(_[0-9]{3})+", text):
        hint = f"write {text.replace('_', '')}"
    problems.append(Problem("bad-expression", f"{text} is no number", start, len(text), hint))
    return Token("literal", text, start, end, 0, ANY)


def _text(match: re.Match[str], problems: list[Problem]) -> Token:
    written, start = match[0], match.start()

    def escaped(escape: re.Match[str]) -> str:
        letter = escape[1]
        if letter not in _ESCAPES:
            problems.append(
                Problem(
                    "bad-expression",
                    f"\\{letter} means nothing inside a text",
                    start + escape.start() + 1,
                    2,
                    "write the letter itself; a backslash is \\\\, and there are \\n, \\t, \\\" and \\'",
                )
            )
        return _ESCAPES.get(letter, letter)

    value = written[1:-1]
    if "\\" in value:
        value = re.sub(r"\\(.)", escaped, value, flags=re.DOTALL)
    for place, letter in enumerate(written) if not written.isprintable() else ():
        if (letter < " " and letter != "\t") or "\ud800" <= letter <= "\udfff":
            problems.append(
                Problem(
                    "bad-expression",
                    f"the text holds the character U+{ord(letter):04X}, which cannot be spoken or sent",
                    start + place,
                    1,
                    "leave it out",
                )
            )
    return Token("literal", written, start, match.end(), value, TEXT)


def _sign(sign: str, start: int, problems: list[Problem]) -> Token:
    """The token that stands for a sign of another language."""
    end = start + len(sign)
    meant = _MEANT.get(sign)
    if meant is not None:
        problems.append(Problem("bad-expression", f"{sign} is not an operator", start, len(sign), f"write {meant}"))
        return Token("name" if meant.isalpha() else "sign", meant, start, end)
    if sign == "**":
        problems.append(Problem("not-in-language", "there are no powers", start, 2, "write the product, as in x * x"))
        return Token("sign", "*", start, end)
    if sign in "\"'":
        raise _stop(
            problems,
            "bad-expression",
            "the text is never closed",
            start,
            1,
            f"close it with {sign} on the same line, and write a {sign} inside it as \\{sign}",
        )
    if sign in _CURLY_QUOTES:
        raise _stop(
            problems,
            "bad-expression",
            f"{sign} does not open a text",
            start,
            1,
            'write text in straight quotes, "like this"',
        )
    shown = sign if sign.isprintable() else f"the character U+{ord(sign):04X}"
    raise _stop(
        problems,
        "bad-expression",
        f"{shown} has no meaning in an expression",
        start,
        len(sign),
        _FOREIGN_SIGNS.get(sign),
    )


def _stop(problems: list[Problem], code: str, message: str, offset: int, length: int, hint: str | None) -> Stop:
    problems.append(Problem(code, message, offset, length, hint))
    return Stop()
