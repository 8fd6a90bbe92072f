"""Which values from outside a flow can tell apart: what its guards compare them with, traced back to where they come from.

What comes from outside (an event's payload, a tool's arguments, what an action gives, the variables, `env` and `call` of a call's
beginning) is one of endlessly many values, and a flow asks few questions about it. So a few representatives do for all.

    readings.py          every guard and template, with what it reads and where its value goes
    wants.py             what is asked of one value: constants, bounds, fields
    inverse.py, turning.py   what is asked of the values that an expression is made of
    rounds.py            variables that are made of themselves, as counters are
    examples.py          values that are the same on both sides of a comparison
    demand.py            the questions of the guards, traced back through `set`, `as`, `with`, `returns` and `emit`
    choices.py           values of a type that answer the questions differently
    signature.py         the answers that a flow gets of a value
    facts.py             what is known of values beside their types
    representatives.py   the payloads, results and beginnings that stand for all others
    reads.py             what is ever read, and from where on a number makes no difference
"""
