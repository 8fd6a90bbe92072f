"""A call of a flow played by whoever watches: what can happen now, by numbers; time that passes; steps that are taken back."""

from __future__ import annotations

from callflow.play.beginning import beginning
from callflow.play.choices import Choice
from callflow.play.played import Played

__all__ = ["Choice", "Played", "beginning"]
