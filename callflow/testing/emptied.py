"""A redis that was emptied: what LiveKit's API knows of rooms that are there, and who is in them still.

As measured on livekit-server 1.13.5, and as its source has it: a room is written to the list again as somebody joins or
leaves, a participant as something of it changes; `CreateRoom` finds a node for a room that is there, and writes no list.
"""

from __future__ import annotations

from collections.abc import Collection

from attrs import define


@define
class Emptied:
    """Of one room. `listed`: the room is in the list; `placed`: its node is known. `unlisted` are the identities of those
    who are not."""

    unlisted: set[str]
    listed: bool = False
    placed: bool = False


class Emptiness:
    """Of a server, by the names of its rooms."""

    def __init__(self) -> None:
        self._rooms: dict[str, Emptied] = {}

    def begin(self, room: str, identities: Collection[str]) -> None:
        self._rooms[room] = Emptied(set(identities))

    def over(self, room: str) -> None:
        """The room is gone."""
        self._rooms.pop(room, None)

    def counted(self, room: str) -> None:
        """How many there are in the room has changed."""
        if room in self._rooms:
            self._rooms[room].listed = True

    def placed(self, room: str) -> None:
        """`CreateRoom`."""
        if room in self._rooms:
            self._rooms[room].placed = True

    def changed(self, room: str, identity: str) -> None:
        """A participant is new, or something of it."""
        if room in self._rooms:
            self._rooms[room].unlisted.discard(identity)

    def lists(self, room: str) -> bool:
        """Whether the list of rooms has it."""
        return room not in self._rooms or self._rooms[room].listed

    def places(self, room: str) -> bool:
        """Whether its node is known."""
        return room not in self._rooms or self._rooms[room].placed

    def knows(self, room: str, identity: str) -> bool:
        """Whether this participant is in the list of those in the room."""
        return room not in self._rooms or identity not in self._rooms[room].unlisted
