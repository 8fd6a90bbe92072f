"""What the parser refuses, said in an author's words.

It says what it missed ("did not find expected key"), seldom what went wrong. The lines around the place tell more:
each function below knows one trap, and the first that recognises its own says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml
from yaml.tokens import ScalarToken

from callflow.core.actions import VERBS
from callflow.errors import Defect
from callflow.flowfile.braces import cure
from callflow.flowfile.nodes import quoted, shorten
from callflow.flowfile.yaml_brackets import (
    behind_bracket,
    colon_in_braces,
    hidden_by_a_comment,
    stray_bracket,
    unclosed_bracket,
)
from callflow.flowfile.yaml_parser import Parser
from callflow.flowfile.yaml_problem import Finding, Problem

_TEMPLATE = re.compile(r"(?:^|[:,\-\[{])\s+\{\{|^\{\{")


def explain(error: yaml.MarkedYAMLError, text: str, file: str) -> Defect:
    """The defect behind a syntax error that the parser reported."""
    mark, began = error.problem_mark, error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = re.split("\r\n|\r|\n", text)
    if line >= len(lines) or (line == len(lines) - 1 and not lines[line]):  # the end of the text
        line = max(index for index, content in enumerate(lines) if content or index == 0)
        column = len(lines[line])
    problem = Problem(
        error.problem or "",
        error.context or "",
        line,
        column,
        (began.line, began.column) if began else None,
        lines,
        text,
    )
    finding = next(found for trap in TRAPS if (found := trap(problem)) is not None)
    more = "nothing behind this place was read"
    return Defect(
        finding.code,
        finding.message,
        file,
        finding.line + 1,
        finding.column + 1,
        finding.line + 1,
        finding.column + 1 + finding.length,
        hint=f"{finding.hint}; {more}" if finding.hint else more,
    )


def _template(problem: Problem) -> Finding | None:
    candidates = {problem.line, problem.began[0] if problem.began else problem.line}
    for number in sorted(candidates, reverse=True):
        content = problem.at(number)
        for match in _TEMPLATE.finditer(content):
            start = content.index("{{", match.start())
            if content[:start].count('"') % 2 == 0 and content[:start].count("'") % 2 == 0:
                value = shorten(content[start:].split(" #")[0].rstrip())
                message = "a value that begins with `{{` is not text for YAML"
                return Finding("unquoted-template", message, f"put quotes around it: {quoted(value)}", number, start, 2)
    return None


def _tab(problem: Problem) -> Finding | None:
    content = problem.at(problem.line)
    indent = content[: len(content) - len(content.lstrip())]
    if (
        "\t" in indent
        and problem.column <= len(indent)
        and "\t" in problem.said + content[problem.column : problem.column + 1]
    ):
        return Finding(
            "tab",
            "a tab indents this line; YAML indents with spaces only",
            "put spaces in its place",
            problem.line,
            indent.index("\t"),
        )
    return None


def _unclosed_quote(problem: Problem) -> Finding | None:
    if "quoted scalar" in problem.context and "end of stream" in problem.said and problem.began is not None:
        line, column = problem.began
        earlier = _string_before(problem, line, column)
        if earlier is not None and earlier[0] != earlier[2]:
            line, column = earlier[:2]
    elif "did not find expected" in problem.said:
        found = _string_before(problem, problem.line, problem.column)
        if found is None or found[0] == found[2] or found[2] != problem.line:
            return None
        line, column = found[:2]
    else:
        return None
    quote = problem.at(line, column)[:1]
    return Finding(
        "unclosed-quote",
        f"the quote that opens here, in line {line + 1}, is not closed in its line",
        f"close it with {quote}, or look for a {quote} too many in the text",
        line,
        column,
    )


def _behind_quote(problem: Problem) -> Finding | None:
    """`'It's fine'`, `"He said "hi""`, `"x" in vars.y`: a text that goes on behind its closing quote."""
    if "did not find expected" not in problem.said:
        return None
    found = _string_before(problem, problem.line, problem.column)
    if found is None or found[2] != problem.line or problem.at(problem.line)[found[3] : problem.column].strip():
        return None
    quote = problem.at(found[0], found[1])[:1]
    rest = shorten(problem.at(problem.line, problem.column))
    hint = (
        "inside single quotes an apostrophe is written twice (''), or take double quotes"
        if quote == "'"
        else ('put single quotes around the whole value, or write the quotes inside it as \\"')
    )
    inside = _arguments_behind(problem, found, rest)
    if inside:
        hint = f"put it into braces: `{inside}`"
    elif re.match(r"==|!=|[<>+\-*/]|(in|not|and|or)\b", rest):
        other = "single" if quote == '"' else "double"
        hint = f"put {other} quotes around the whole expression"
    return Finding(
        "text-behind-quote",
        f"the text ends at its closing quote, but `{rest}` follows",
        hint,
        problem.line,
        problem.column,
    )


def _arguments_behind(problem: Problem, found: tuple[int, int, int, int], rest: str) -> str:
    """`say: "Hello.", interruptible: false` as it is meant; nothing where it is something else."""
    before = re.search(r"([a-z_]+): *$", problem.at(found[0])[: found[1]])
    verb = VERBS.get(before[1]) if before else None
    if verb is None or verb.main is None or found[0] != found[2] or not re.match(r", *[a-z_]+ *:", rest):
        return ""
    text = problem.at(found[0])[found[1] : found[3]]
    return f"{verb.name}: {{{verb.main}: {text}{rest}}}"


def _string_before(problem: Problem, line: int, column: int) -> tuple[int, int, int, int] | None:
    """Where the last text in quotes before the place begins and ends."""
    last = None
    try:
        for token in yaml.scan(problem.text, Parser):
            start, end = token.start_mark, token.end_mark
            if (start.line, start.column) >= (line, column):
                break
            if isinstance(token, ScalarToken) and token.style in ("'", '"'):
                last = (start.line, start.column, end.line, end.column)
    except yaml.YAMLError:
        pass  # the very error that is being explained; what stands before it has been seen
    return last


def _reserved(problem: Problem) -> Finding | None:
    column = problem.column
    if problem.began is not None and ("alias" in problem.context or "anchor" in problem.context):
        column = problem.began[1]
    elif "cannot start any token" not in problem.said:
        return None
    character = problem.at(problem.line, column)[:1]
    rest = problem.at(problem.line, column)
    if rest.startswith("*") and re.match(r"\*[\w.\-*]*\s*:(\s|$)", rest):
        return Finding(
            "quote-it", "a key cannot begin with `*`", "a pattern begins with a name: `dial.*`", problem.line, column
        )
    value = shorten(rest.split(" #")[0].rstrip())
    inside = re.search(r"[\[{]", problem.at(problem.line)[:column])
    hint = "put quotes around the value" if inside or '"' in value else f'put quotes around the value: "{value}"'
    shown = f"`{character}`" if character.isprintable() else "a tab" if character == "\t" else "this character"
    return Finding("quote-it", f"a text cannot begin with {shown} in YAML", hint, problem.line, column)


def _block_text(problem: Problem) -> Finding | None:
    if "block scalar" not in problem.context or problem.began is None:
        return None
    line, column = problem.began
    sign = problem.at(line, column)[:1]
    return Finding(
        "quote-it",
        f"`{sign}` at the beginning of a value announces a text on the lines below",
        "put quotes around the value, or begin its text on the next line",
        line,
        column,
    )


def _escape(problem: Problem) -> Finding | None:
    if "escape" not in problem.said and "hexdecimal" not in problem.said:
        return None
    column = max(problem.at(problem.line).rfind("\\", 0, problem.column + 1), 0)
    shown = problem.at(problem.line, column)[:2]
    return Finding(
        "unknown-escape",
        f"`{shown}` inside double quotes is no escape that YAML knows",
        "write the backslash twice, or use single quotes",
        problem.line,
        column,
        2,
    )


def _colon(problem: Problem) -> Finding | None:
    if "mapping values are not allowed" not in problem.said:
        return None
    content = problem.at(problem.line)
    before = content[: problem.column]
    missing = _missing_space(problem, problem.line - 1)
    if ": " in before.lstrip("- ").lstrip() or re.match(r"\s*(- )?\s*[\w.*\-]+:\s", before):
        instead = cure(content)
        return Finding(
            "colon-in-text",
            "a key with its value stands where a value is due"
            if instead
            else "`: ` inside a text without quotes begins a value, and a value stands here already",
            f"put it into braces: `{shorten(instead)}`" if instead else "put quotes around the whole text",
            problem.line,
            problem.column,
            2,
        )
    if missing is not None:
        return missing
    above = problem.at(problem.line - 1) if problem.line else ""
    if above.strip() and ":" not in above and _indent(above) == _indent(content):
        message = f"`{shorten(above)}` stands where a key is due, but has no `:`"
        length = len(above.strip())
        return Finding("yaml-syntax", message, f"write `{above.strip()}:`", problem.line - 1, _indent(above), length)
    if problem.line and _indent(content) > _indent(problem.at(problem.line - 1)):
        return Finding(
            "bad-indentation",
            "this line stands further in than the one above, which has its value already",
            "align it with its siblings, or take the value above away",
            problem.line,
            problem.column,
        )
    return Finding(
        "yaml-syntax",
        "a `:` makes no sense here",
        "a key stands on one line and has at most 1,000 characters",
        problem.line,
        problem.column,
    )


def _no_colon(problem: Problem) -> Finding | None:
    if "could not find expected ':'" not in problem.said or problem.began is None:
        return None
    line, column = problem.began
    missing = _missing_space(problem, line)
    if missing is not None:
        return missing
    rest = problem.at(line, column)
    if re.match(r"-\S", rest):
        return Finding(
            "missing-space", "a space is missing behind the `-`", f"write `- {shorten(rest[1:])}`", line, column
        )
    return Finding(
        "yaml-syntax",
        f"`{shorten(rest)}` stands where a key is due, but has no `:`",
        "write `key: value`; a text of several lines needs quotes or a `>`",
        line,
        column,
        max(len(rest.rstrip()), 1),
    )


def _missing_space(problem: Problem, line: int) -> Finding | None:
    match = re.match(r"(\s*(?:- )*)([\w.*\-]+):(\S.*)", problem.at(line)) if line >= 0 else None
    if match is None or match[3].startswith("//"):
        return None
    return Finding(
        "missing-space",
        "a space is missing behind the `:`",
        f"write `{match[2]}: {shorten(match[3])}`",
        line,
        match.end(2),
    )


def _indent(content: str) -> int:
    return len(content) - len(content.lstrip(" "))


def _dash(problem: Problem) -> Finding | None:
    if "block sequence entries are not allowed" not in problem.said:
        return None
    return Finding(
        "quote-it",
        "`- ` begins an item of a list, which cannot stand behind a key on its line",
        "put quotes around the value if it is text, or the item on a line of its own",
        problem.line,
        problem.column,
    )


def _question(problem: Problem) -> Finding | None:
    if "mapping keys are not allowed" not in problem.said:
        return None
    return Finding(
        "quote-it", "a text cannot begin with `? ` in YAML", "put quotes around the value", problem.line, problem.column
    )


def _directive(problem: Problem) -> Finding | None:
    if "directive" not in problem.context and "YAML document" not in problem.said:
        return None
    line = problem.began[0] if problem.began else problem.line
    if "YAML document" in problem.said:
        return Finding(
            "yaml-syntax",
            "flow files are YAML 1.2 (1.1 is read as if it were)",
            "write `%YAML 1.2`, or nothing",
            line,
            0,
        )
    return Finding(
        "quote-it",
        "a line that begins with `%` is a directive for YAML",
        "put quotes around the key or the text",
        line,
        0,
    )


def _block(problem: Problem) -> Finding | None:
    if "block" not in problem.context and "<document start>" not in problem.said:
        return None
    content = problem.at(problem.line)
    if content[: problem.column].strip():
        return None
    began = problem.began
    if content.lstrip().startswith(":"):
        return Finding(
            "complex-key", "a key is missing before the `:`", "write `key: value`", problem.line, problem.column
        )
    if "'-' indicator" in problem.said and began is not None and content.lstrip().startswith("- "):
        message = f"this item does not begin in the column of the others (see line {began[0] + 1})"
    elif "'-' indicator" in problem.said and began is not None:
        message = f"the items of this list begin with `-` (see line {began[0] + 1}); this line does not"
    elif content.lstrip().startswith("- ") and began is not None and began[1] == problem.column:
        message = f"keys stand here (see line {began[0] + 1}); an item of a list does not fit among them"
    else:
        message = f"this line is indented by {_indent(content)}, which no line above that it could belong to is"
    return Finding("bad-indentation", message, "align it with its siblings", problem.line, problem.column)


def _anything(problem: Problem) -> Finding:
    said = problem.said[:1].lower() + problem.said[1:]
    return Finding("yaml-syntax", f"this is not YAML: {said}", "", problem.line, problem.column)


TRAPS: tuple[Callable[[Problem], Finding | None], ...] = (
    _tab,
    hidden_by_a_comment,
    _unclosed_quote,
    _template,
    _behind_quote,
    behind_bracket,
    unclosed_bracket,
    _reserved,
    _block_text,
    _escape,
    _colon,
    _no_colon,
    colon_in_braces,
    _dash,
    _question,
    _directive,
    stray_bracket,
    _block,
    _anything,
)

__all__ = ["explain"]
