"""The proof: everything that can happen to a call of a flow, found before anybody calls."""

BUDGET = 50_000
"""Steps that a proof may take. Counted, not timed: the same file gives the same answer on every machine."""
