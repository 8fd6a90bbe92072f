"""A scenario in a simulated room: the same file, with a real session, LiveKit's own objects, and telephones that ring, in virtual time.

What the world does in it is brought about beneath LiveKit: a caller speaks, presses keys and hangs up, a telephone is busy, the model
calls a tool, a service answers. What is expected is asked of the steps that the call has then really taken.
"""

from __future__ import annotations

from callflow.testing.scenario.playing import play_in_rooms
from callflow.testing.scenario.runs import play_by_models
from callflow.testing.scenario.within_reach import out_of_reach

__all__ = ["out_of_reach", "play_by_models", "play_in_rooms"]
