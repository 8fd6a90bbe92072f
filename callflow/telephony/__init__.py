"""One telephone network: telephones that are scripts, what a SIP bridge does with them, and LiveKit's messages to it.

Whoever has rooms puts it in front of them: the simulated server (`callflow.testing`), and a real one (`stand_in`).
"""
