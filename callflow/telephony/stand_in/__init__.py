"""A stand-in for a telephone network and its SIP bridge, in front of a real LiveKit server: no trunk, no carrier."""
