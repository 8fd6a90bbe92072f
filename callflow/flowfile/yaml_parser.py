"""The parser of YAML: libyaml's, which every wheel of PyYAML carries, or PyYAML's own where it was built without.

PyYAML's own reads another dialect: it refuses `{say: Which?}`, or a tab before a comment, that libyaml takes, and words its
errors differently. What `check` accepts on one machine must not be a defect on another, so here it is taught libyaml's ways.
It takes twenty times as long.
"""

from __future__ import annotations

import re
from typing import Any

from yaml import MarkedYAMLError
from yaml.error import Mark
from yaml.events import ScalarEvent
from yaml.parser import Parser as EventParser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import ScalarToken, TagToken

_BREAKS = "\r\n"
_BLANKS = " \t"
_BLANKS_BREAKS_END = "\0 \t\r\n"
_URI = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-;/?:@&=+$.!~*'()%")
_SURROGATE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u|U0000)[dD][89a-fA-F]")

# What PyYAML's parser misses, in libyaml's words: by what it was reading.
_MISSED = {
    "while parsing a block mapping": "did not find expected key",
    "while parsing a block collection": "did not find expected '-' indicator",
    "while parsing a flow sequence": "did not find expected ',' or ']'",
    "while parsing a flow mapping": "did not find expected ',' or '}'",
    "while parsing a block node": "did not find expected node content",
    "while parsing a flow node": "did not find expected node content",
    "while scanning an alias": "did not find expected alphabetic or numeric character",
    "while scanning an anchor": "did not find expected alphabetic or numeric character",
    "while scanning a block scalar": "did not find expected comment or line break",
    "while scanning a directive": "could not find expected directive name",
}
# The same for what it says of no context, or of several: a beginning, and libyaml's words for all of it.
_SAYS = {
    "expected '<document start>'": "did not find expected <document start>",
    "sequence entries are not allowed": "block sequence entries are not allowed in this context",
    "mapping keys are not allowed": "mapping keys are not allowed in this context",
    "mapping values are not allowed": "mapping values are not allowed in this context",
    "found character": "found character that cannot start any token",
    "found unknown escape character": "found unknown escape character",
    "expected escape sequence": "did not find expected hexdecimal number",
    "found unexpected document separator": "found unexpected document indicator",
    "found undefined tag handle": "found undefined tag handle",
    "expected indentation indicator": "found an indentation indicator equal to 0",
}


class PythonParser(Reader, Scanner, EventParser):
    """PyYAML's own parser, with libyaml's dialect: events, tokens and errors as `yaml.cyaml.CParser` has them."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        EventParser.__init__(self)

    def get_event(self) -> Any:
        try:
            return super().get_event()  # type: ignore[no-untyped-call]
        except MarkedYAMLError as error:
            _in_libyamls_words(error)
            raise

    def dispose(self) -> None:
        """Part of the interface of `yaml.scan`."""

    # What separates tokens: tabs do, but where an indentation may stand.

    def scan_to_next_token(self) -> None:
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                self._skip_line()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _skip_line(self) -> None:
        while self.peek() not in "\0\r\n":
            self.forward()

    def fetch_stream_end(self) -> None:
        if self.column:  # the text ends at the beginning of a line
            self.line, self.column = self.line + 1, 0
        self.stale_possible_simple_keys()
        super().fetch_stream_end()

    def scan_directive(self) -> Any:
        name = re.compile("%([0-9A-Za-z_-]*)").match(self.buffer, self.pointer)
        if name is not None and name[1] not in ("", "YAML", "TAG"):
            start = self.get_mark()
            self.forward(len(name[0]))
            raise ScannerError("while scanning a directive", start, "found unknown directive name", self.get_mark())
        token = super().scan_directive()
        if token.name == "YAML" and token.value not in ((1, 1), (1, 2)):
            token.value = (2, 0)  # which the parser refuses, as it refuses no 1.3
        return token

    # A value that is missing in braces stands where the next thing begins.

    def parse_flow_mapping_value(self) -> Any:
        event = super().parse_flow_mapping_value()  # type: ignore[no-untyped-call]
        if type(event) is ScalarEvent and not (event.value or event.style or event.tag or event.anchor):
            event.start_mark = event.end_mark = self.peek_token().start_mark  # type: ignore[no-untyped-call]
        return event

    # Plain scalars: `?` may stand in them everywhere, `:` before a bracket nowhere in a flow collection.

    def scan_plain(self) -> ScalarToken:
        start = end = self.get_mark()
        indent = self.indent + 1
        chunks: list[str] = []
        spaces: list[str] = []
        on_new_line = False
        while not self._at_document_indicator() and self.peek() != "#":
            length = self._plain_length(start)
            if length:
                chunks += spaces
                chunks.append(self.prefix(length))
                self.forward(length)
                end = self.get_mark()
                spaces, on_new_line = [], False
            if self.peek() not in _BLANKS + _BREAKS:
                break
            spaces, on_new_line = self._plain_spaces(indent, start)
            if not self.flow_level and self.column < indent:
                break
        if on_new_line:
            self.allow_simple_key = True
        return ScalarToken("".join(chunks), True, start, end)

    def _at_document_indicator(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _BLANKS_BREAKS_END

    def _plain_length(self, start: Mark) -> int:
        length = 0
        while (character := self.peek(length)) not in _BLANKS_BREAKS_END:
            if character == ":":
                following = self.peek(length + 1)
                if self.flow_level and following in ",?[]{}":
                    self.forward(length)
                    raise ScannerError("while scanning a plain scalar", start, "found unexpected ':'", self.get_mark())
                if following in _BLANKS_BREAKS_END:
                    break
            elif self.flow_level and character in ",[]{}":
                break
            length += 1
        return length

    def _plain_spaces(self, indent: int, start: Mark) -> tuple[list[str], bool]:
        """What the space between two words stands for, and whether there is a line's end in it."""
        spaces, breaks = "", []
        while (character := self.peek()) in _BLANKS + _BREAKS:
            if character in _BREAKS:
                breaks.append(self.scan_line_break())  # type: ignore[no-untyped-call]
                continue
            if breaks and character == "\t" and self.column < indent:
                said = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start, said, self.get_mark())
            spaces += character
            self.forward()
        return ([spaces] if not breaks else breaks[1:] or [" "]), bool(breaks)

    # Block scalars: tabs may stand behind the header, and not in an indentation.

    def scan_block_scalar(self, style: str) -> ScalarToken:
        self._block = self.get_mark()
        return super().scan_block_scalar(style)

    def scan_block_scalar_indicators(self, start_mark: Mark) -> tuple[bool | None, int | None]:
        chomping: bool | None = None
        increment: int | None = None
        for _ in range(2):
            character = self.peek()
            if character in "+-" and chomping is None:
                chomping = character == "+"
            elif character in "0123456789" and increment is None:
                increment = int(character)
                if not increment:
                    said = "found an indentation indicator equal to 0"
                    raise ScannerError("while scanning a block scalar", start_mark, said, self.get_mark())
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Mark) -> None:
        while self.peek() in _BLANKS:
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        self._no_tab_in_indentation()
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        if self.column < indent:
            self._no_tab_in_indentation()
        return found

    def _no_tab_in_indentation(self) -> None:
        if self.peek() == "\t":
            said = "found a tab character where an indentation space is expected"
            raise ScannerError("while scanning a block scalar", self._block, said, self.get_mark())

    # Quoted scalars: an escape may not stand for half a character, or for none.

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Mark) -> list[str]:
        at = self.get_mark()
        try:
            chunks: list[str] = super().scan_flow_scalar_non_spaces(double, start_mark)
        except (ValueError, OverflowError):  # beyond U+10FFFF
            raise self._no_character(start_mark, self.get_mark()) from None
        if double and (found := _SURROGATE.search(self.buffer, at.pointer, self.pointer)):
            ahead = found.end() - 2 - at.pointer
            raise self._no_character(start_mark, Mark(at.name, at.index + ahead, at.line, at.column + ahead, None, 0))
        return chunks

    def _no_character(self, start: Mark, mark: Mark) -> ScannerError:
        return ScannerError("while parsing a quoted scalar", start, "found invalid Unicode character escape code", mark)

    # Tags: brackets and commas end them, but in `!<…>`.

    def scan_tag(self) -> TagToken:
        start = self.get_mark()
        handle: str | None = "!"
        if self.peek(1) == "<":
            self.forward(2)
            handle, suffix = None, self._uri(start, "", _URI | set(",[]"))
            if self.peek() != ">":
                raise ScannerError("while scanning a tag", start, "did not find the expected '>'", self.get_mark())
            self.forward()
        else:
            length = 1
            while (character := self.peek(length)).isascii() and (character.isalnum() or character in "_-"):
                length += 1
            if character == "!":
                handle = self.prefix(length + 1)
                self.forward(length + 1)
                suffix = self._uri(start, "", _URI)
            else:
                head = self.prefix(length)
                self.forward(length)
                suffix = self._uri(start, head, _URI)
                if not suffix:
                    handle, suffix = None, "!"
        if self.peek() not in _BLANKS_BREAKS_END and not (self.flow_level and self.peek() == ","):
            said = "did not find expected whitespace or line break"
            raise ScannerError("while scanning a tag", start, said, self.get_mark())
        return TagToken((handle, suffix), start, self.get_mark())

    def _uri(self, start: Mark, head: str, characters: frozenset[str] | set[str]) -> str:
        chunks = [head[1:]]
        begun = bool(head)
        while (character := self.peek()) in characters:
            begun = True
            if character == "%":
                chunks.append(self._octets(start))
            else:
                chunks.append(character)
                self.forward()
        if not begun:
            raise ScannerError("while parsing a tag", start, "did not find expected tag URI", self.get_mark())
        return "".join(chunks)

    def _octets(self, start: Mark) -> str:
        """One character, written as the octets of its UTF-8."""
        octets, width = b"", 1
        while len(octets) < width:
            if not re.match("%[0-9a-fA-F]{2}", self.prefix(3)):
                raise ScannerError("while parsing a tag", start, "did not find URI escaped octet", self.get_mark())
            octet = int(self.prefix(3)[1:], 16)
            if not octets:
                width = next((n for n, (mask, sign) in _LEADING.items() if octet & mask == sign), 0)
                if not width:
                    said = "found an incorrect leading UTF-8 octet"
                    raise ScannerError("while parsing a tag", start, said, self.get_mark())
            elif octet & 0xC0 != 0x80:
                said = "found an incorrect trailing UTF-8 octet"
                raise ScannerError("while parsing a tag", start, said, self.get_mark())
            octets += bytes([octet])
            self.forward(3)
        return octets.decode("utf-8", "replace")


_LEADING = {1: (0x80, 0x00), 2: (0xE0, 0xC0), 3: (0xF0, 0xE0), 4: (0xF8, 0xF0)}


def _in_libyamls_words(error: MarkedYAMLError) -> None:
    said = error.problem or ""
    if error.context == "while scanning a double-quoted scalar":
        error.context = "while parsing a quoted scalar"
    elif error.context == "while scanning for the next token":
        error.context_mark = error.problem_mark
    for begins, words in _SAYS.items():
        if said.startswith(begins):
            error.problem = words
            return
    if said.startswith("expected") and error.context in _MISSED:
        error.problem = _MISSED[error.context]


def _installed() -> Any:
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined] # the stubs leave it out
    except ImportError:  # PyYAML was built from source on a machine without libyaml
        return PythonParser
    return CParser


Parser: Any = _installed()
"""Made from a text; `get_event()` gives one event after the other, and None at the end. `yaml.scan` takes it, too."""
