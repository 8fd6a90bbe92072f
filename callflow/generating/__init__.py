"""Scenarios that are made, not written: the fewest that cover a flow, and random calls, cut down to what makes them fail."""

from __future__ import annotations

from callflow.generating.fewest import BUDGET, Generated, generate

__all__ = ["BUDGET", "Generated", "generate"]
