"""The pages of the documentation, as the tests see them: their blocks of code, their links, their headings.

A comment in front of a block says what it is, where that is not plain:

- `<!-- file: name.yaml -->`: the block is this file; blocks behind it on the same page may use it.
- `<!-- part of a flow -->`, `<!-- part of a state -->`, `<!-- actions -->`: a piece, to be completed before it is checked.
- `<!-- wrong: code -->`: what `callflow check` must find in it, and nothing else; `<!-- finds: code -->`: what the proof must.
- `<!-- scenario -->`: a scenario file, whose scenarios pass.
- `<!-- telephones -->`: a book of telephones, which `tests/telephony` reads.
- `<!-- test -->`: Python with tests in it, which are run.
- `<!-- not run -->`: a command that needs what a test has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "docs/skill/SKILL.md"
"""What stands in it is what stands in `docs/llms.txt`."""

PAGES = sorted({*ROOT.glob("*.md"), ROOT / "docs/llms.txt", *ROOT.glob("docs/**/*.md")} - {SKILL})

_FENCE = re.compile(r"^( *)(```+)(\w*)\s*$")
_MARK = re.compile(r"^ *<!-- (.*?) -->\s*$")
_LINK = re.compile(r"(?<!\\)\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?)\s*$")


class Block(NamedTuple):
    """A fenced block. `line` is that of its first line of code, `mark` the comment in front of it."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def marks(self) -> dict[str, str]:
        found = (part.partition(":") for part in self.mark.split(","))
        return {name.strip(): value.strip() for name, _, value in found if name.strip()}


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").split("\n")
    number, mark = 0, ""
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening is None:
            said = _MARK.match(lines[number])
            mark = said[1] if said else mark if not lines[number].strip() else ""
            number += 1
            continue
        margin, fence, language = opening.groups()
        end = next(one for one in range(number + 1, len(lines)) if lines[one].strip() == fence)
        code = [line.removeprefix(margin) for line in lines[number + 1 : end]]
        yield Block(page, number + 2, language, "\n".join(code) + "\n", mark)
        number, mark = end + 1, ""


def prose(page: Path) -> str:
    """A page without its code."""
    text = re.sub(r"^( *)(```+).*?^\1\2\s*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "``", text)


def links(page: Path) -> list[str]:
    text = prose(page)
    return _LINK.findall(text) + re.findall(r'(?:src|href)="([^"]+)"', text)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub makes anchors of them."""
    found: set[str] = set()
    text = re.sub(r"^( *)(```+).*?^\1\2\s*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for line in text.split("\n"):
        heading = _HEADING.match(line)
        if heading:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            anchor = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
            found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


# What completes a piece of a flow: a head, and for a piece of a state a flow with one state that it goes into.

_AROUND = """\
callflow: 1
name: example
events: {{app.approved: {{by: string}}}}
vars: {{account: {{type: string, default: ""}}, tries: {{type: integer, default: 0}}}}
tools:
  end_call: {{description: The caller is done and wants to hang up.}}
  book: {{description: The caller wants to book.}}
initial: first
states:
  first:
    tools: [end_call, book]
    on: {{dtmf.1: here, dtmf.2: talking, dtmf.3: booking, tool.end_call: ending, tool.book: booking}}
  talking: {{entry: [{{say: Hello.}}], on: {{done: ending}}}}
  booking:
    initial: asking
    states: {{asking: {{on: {{dtmf.4: confirm}}}}, confirm: {{entry: [{{say: You are booked.}}], on: {{done: ending}}}}}}
  here:
{}"""


def whole(block: Block) -> str:
    """A block as a complete flow file."""
    marks, text = block.marks, block.text
    if "part of a state" in marks:
        leads_on = re.search(r"\b(done|after|silence):|\btool\.", text)
        onward = (
            ""
            if leads_on
            else "after: {20s: ending}\n"
            if re.search(r"^on:", text, re.MULTILINE)
            else "on: {done: ending}\n"
        )
        return _AROUND.format(indent(text + onward, "    "))
    if "actions" in marks:
        return _AROUND.format("    entry:\n" + indent(text, "      ") + "\n    on: {done: ending}\n")
    if "part of a flow" in marks:
        missing = {
            "callflow": "callflow: 1\n",
            "name": "name: example\n",
            "initial": "initial: talking\n",
            "states": "states: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n",
        }
        return "".join(line for key, line in missing.items() if not re.search(rf"^{key}:", text, re.MULTILINE)) + text
    return text
