"""Questions about a flow that it answers by itself, without a call: pure, of the data alone, each in one place.

Whoever runs, reads, checks, draws or serves a flow asks here, so that what the step does and what the others think that it
does is one thing. `structure`: which states stand where (W3C SCXML, Algorithm for SCXML Interpretation). `descriptors`: which
events a row names, and which row comes first (SCXML 3.12.1). `lists`: which
actions stand where. `reach`: where rows lead.
"""
