"""The proof: everything that can happen to a call of a flow, found before anybody calls."""

BUDGET = 250_000
"""Steps that a proof may take. Counted, not timed: the same file gives the same answer on every machine."""

DEEP = 60 * BUDGET
"""Those of a proof that is to be finished (`callflow check --deep`): with all that it finds they take some 5 GB."""
