"""Defects of a `Flow`: it keeps places, not nodes."""

from __future__ import annotations

from callflow.core.flow import Position
from callflow.errors import Defect


def defect(code: str, message: str, at: Position, hint: str, length: int = 1) -> Defect:
    """A defect at a place, `length` characters long."""
    return Defect(code, message, at.file, at.line, at.column, at.line, at.column + length, at.path, hint)


def warning(code: str, message: str, at: Position, hint: str, length: int = 1) -> Defect:
    """What an author should know, and what keeps no flow from running."""
    return defect(code, message, at, hint, length)._replace(level="warning")


def named(path: str) -> str:
    """A state in a sentence."""
    return f"the state `{path}`" if path else "the top level"
