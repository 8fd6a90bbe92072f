"""Traps of brackets and braces: not closed, closed twice, hidden by a comment, with something in or behind them. See `yaml_errors`."""

from __future__ import annotations

import re

import yaml
from yaml.tokens import (
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
)

from callflow.flowfile.braces import cure_inside
from callflow.flowfile.nodes import shorten
from callflow.flowfile.yaml_parser import Parser
from callflow.flowfile.yaml_problem import Finding, Problem

_CLOSES = {"[": "]", "{": "}"}


def _open_bracket(problem: Problem) -> tuple[int, int] | None:
    """Where the innermost bracket opens that is never closed."""
    opened: list[tuple[int, int]] = []
    try:
        for token in yaml.scan(problem.text, Parser):
            if isinstance(token, (FlowSequenceStartToken, FlowMappingStartToken)):
                opened.append((token.start_mark.line, token.start_mark.column))
            elif isinstance(token, (FlowSequenceEndToken, FlowMappingEndToken)) and opened:
                opened.pop()
    except yaml.YAMLError:
        pass  # the very error that is being explained
    return opened[-1] if opened else None


def hidden_by_a_comment(problem: Problem) -> Finding | None:
    """`{terminator: #}`: what would close the bracket stands in a comment."""
    for line in (problem.line, problem.line - 1, problem.began[0] if problem.began else -1):
        text = problem.at(line) if 0 <= line < len(problem.lines) else ""
        comment = re.search(r"(?<=\s)#.*[\]}]", text)
        before = re.sub(r'"[^"]*"|\'[^\']*\'', "", text[: comment.start()]) if comment else ""
        opened = max((before.count("{") - before.count("}"), "}"), (before.count("[") - before.count("]"), "]"))
        if comment is not None and opened[0] > 0 and '"' not in before:
            message = f"a comment begins here, and hides the `{opened[1]}` that would close what is open before it"
            return Finding(
                "unclosed-bracket", message, 'put quotes around what is no comment: "#"', line, comment.start()
            )
    return None


def unclosed_bracket(problem: Problem) -> Finding | None:
    if "flow" not in problem.context or problem.began is None:
        return None
    line, column = problem.began
    if line >= len(problem.lines) or not problem.at(line, column):  # the parser has forgotten where it opened
        opened = _open_bracket(problem)
        if opened is None:
            return None
        line, column = opened
    bracket = problem.at(line, column)[:1]
    close = _CLOSES.get(bracket, "")
    if not close:
        return None
    if problem.line != line or not problem.at(problem.line, problem.column).strip():
        return Finding(
            "unclosed-bracket",
            f"the `{bracket}` that opens here, in line {line + 1}, is not closed",
            f"close it with `{close}`",
            line,
            column,
        )
    rest = problem.at(problem.line, problem.column)
    if rest.startswith(":"):
        instead = cure_inside(problem.at(problem.line)[: problem.column], rest)
        return Finding(
            "colon-in-text",
            "a key with its value stands where a value is due"
            if instead
            else f"`: ` inside a text between `{bracket}` and `{close}` begins a value",
            f"put it into braces: `{shorten(instead)}`" if instead else "put quotes around the whole text",
            problem.line,
            problem.column,
            2,
        )
    return Finding(
        "yaml-syntax",
        f"`,` or `{close}` is missing before `{shorten(rest)}`",
        f"a text that holds brackets, braces or commas needs quotes inside `{bracket}…{close}`",
        problem.line,
        problem.column,
    )


def behind_bracket(problem: Problem) -> Finding | None:
    """`[hello] world`, `{a: b}}`."""
    before = problem.at(problem.line)[: problem.column].rstrip()
    if "did not find expected" not in problem.said or before[-1:] not in ("]", "}"):
        return None
    rest = problem.at(problem.line, problem.column)
    if rest[:1] in ("]", "}"):
        return Finding(
            "unclosed-bracket",
            f"this `{rest[0]}` closes nothing",
            "take it away, or open what it closes",
            problem.line,
            problem.column,
        )
    return Finding(
        "quote-it",
        f"the value ends with `{before[-1]}`, but `{shorten(rest)}` follows",
        "put quotes around the whole value if it is text",
        problem.line,
        problem.column,
    )


def stray_bracket(problem: Problem) -> Finding | None:
    character = problem.at(problem.line, problem.column)[:1]
    if "did not find expected node content" not in problem.said or character not in ("]", "}", ","):
        return None
    return Finding(
        "quote-it",
        f"a text cannot begin with `{character}` in YAML",
        "put quotes around it if it is text",
        problem.line,
        problem.column,
    )


def colon_in_braces(problem: Problem) -> Finding | None:
    """`{do:[…]}`, `{do:]`."""
    if "unexpected ':'" not in problem.said:
        return None
    column = problem.at(problem.line).find(":", max(problem.column - 1, 0))
    return Finding(
        "missing-space",
        "a space is missing behind the `:`",
        "write `key: value`, also in braces",
        problem.line,
        column if column >= 0 else problem.column,
    )
