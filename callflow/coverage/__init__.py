"""Coverage: what of a flow its scenarios take, and which rows somebody would miss if they were gone."""

from __future__ import annotations

from callflow.coverage.measure import Coverage, FileCoverage, Found, Meter
from callflow.coverage.taken import Took, took
from callflow.coverage.things import KINDS, Kind, Thing

__all__ = ["KINDS", "Coverage", "FileCoverage", "Found", "Kind", "Meter", "Thing", "Took", "took"]
