"""LiveKit's console on a machine without sound: it loads PortAudio even where it is only typed into."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any


def without_sound(arguments: Sequence[str]) -> list[str]:
    """What keeps a console from running here, in a sentence. Where it is typed into nothing does: LiveKit's console then
    finds a library that knows no device, and only a change to the microphone is refused."""
    try:
        importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        if "--text" in arguments or "--list-devices" in arguments:
            sys.modules["sounddevice"] = _no_devices(str(error))
            return []
        return [f"{error}: install it (`apt install libportaudio2` on Debian), or type: add --text behind `console`"]
    return []


def _no_devices(why: str) -> ModuleType:
    """As much of `sounddevice` as LiveKit's console asks for before it opens a device."""

    def query_devices(device: object = None, kind: str | None = None) -> list[Any]:
        if kind is not None:
            raise OSError(why)
        return []

    found: Any = ModuleType("sounddevice")
    found.query_devices = query_devices
    found.default = SimpleNamespace(device=(None, None))
    return found  # type: ignore[no-any-return]
