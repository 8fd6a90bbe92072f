"""Flow files: YAML text, positioned nodes, a complete `Flow`, and every defect on the way."""

from __future__ import annotations

from callflow.flowfile.loader import load, loads, read

__all__ = ["load", "loads", "read"]
