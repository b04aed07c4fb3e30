"""What healthy runners show at a speed, from `models/reference_bands.toml`.

Between the three speeds the percentiles are interpolated linearly; a little outside of
them the nearest speed stands, further out there is no band. The runners are those of
Fukuchi et al. 2017 (doi:10.7717/peerj.3298); `scripts/build_reference_bands.py` analysed
them as this project analyses anyone.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..errors import ModelError
from ..paths_of_data import models_folder
from ..vocabulary import Array

REACH = 0.3
"""m/s beyond the slowest and fastest speed for which their bands still stand."""


@dataclass(frozen=True)
class Band:
    """10th, 50th and 90th percentile over legs; floats, or arrays over stance."""

    low: Array
    median: Array
    high: Array


@dataclass(frozen=True)
class Reference:
    """The bands at one speed.

    Attributes
    ----------
    speed : float, m/s
    legs : int, how many stand behind it
    source : str
    """

    speed: float
    legs: int
    source: str
    _table: Mapping[str, Any]

    @property
    def percent(self) -> Array:
        """Percent of stance of the curves, (P,)."""
        return np.asarray(self._table["stance_percent"], dtype=np.float64)

    def figure(self, column: str) -> Band | None:
        """The band of a column of `strides.csv`, or None."""
        found = self._table["figures"].get(column)
        if found is None:
            return None
        low, median, high = self._at(np.asarray(found["by_speed"], dtype=np.float64))
        return Band(low, median, high)

    def curve(self, name: str) -> Band | None:
        """The band of a curve of `stances.CURVES` over `percent`, or None."""
        found = self._table["curves"].get(name)
        if found is None:
            return None
        return Band(*(self._at(np.asarray(found[k])) for k in ("low", "median", "high")))

    def _at(self, by_speed: Array) -> Array:
        speeds = np.asarray(self._table["speed_m_s"])
        at = float(np.clip(self.speed, speeds[0], speeds[-1]))
        k = int(np.clip(np.searchsorted(speeds, at) - 1, 0, len(speeds) - 2))
        share = (at - speeds[k]) / (speeds[k + 1] - speeds[k])
        return np.asarray((1.0 - share) * by_speed[k] + share * by_speed[k + 1])


def reference_at(task: str, speed: float) -> Reference | None:
    """The bands for a task at a speed (m/s), or None where there are none."""
    table = load_bands()
    low, high = speeds()
    if task != table["task"] or not math.isfinite(speed):
        return None
    if not low - REACH <= speed <= high + REACH:
        return None
    return Reference(speed, int(min(table["legs"])), str(table["source"]), table)


def speeds() -> tuple[float, float]:
    """Slowest and fastest speed of the reference, m/s."""
    found = load_bands()["speed_m_s"]
    return float(min(found)), float(max(found))


@cache
def load_bands() -> Mapping[str, Any]:
    """Read the table.

    Raises
    ------
    ModelError
        It is missing, unreadable or lacks a section.
    """
    path = models_folder() / "reference_bands.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            "the bands in models/reference_bands.toml", str(error), "restore that file"
        ) from error
    missing = {"task", "speed_m_s", "legs", "stance_percent", "figures", "curves"} - set(table)
    if missing:
        raise ModelError(
            "a whole models/reference_bands.toml",
            f"no {', '.join(sorted(missing))}",
            "write it with scripts/build_reference_bands.py",
        )
    return table
