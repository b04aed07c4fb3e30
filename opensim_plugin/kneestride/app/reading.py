"""A results folder as the app shows it: tables, curves over stance, tissues. No Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..report.curves import panels_of
from ..report.reference import Reference, reference_at
from ..report.side_tables import Table, speed_of, table_of
from ..report.stances import STANCE, band, normalise, stance_windows
from ..report.words import Words
from ..results.folder import Results, read_results
from ..results.picture_folder import KIND
from ..vocabulary import SIDES, Array, Side
from .texts import Texts


@dataclass(frozen=True)
class Curve:
    """One panel: percentiles (3, 101) a side over stance, and the runners' band."""

    name: str
    title: str
    unit: str
    sides: Mapping[Side, Array]
    low: Array | None = None
    high: Array | None = None


@dataclass(frozen=True)
class Shown:
    """Everything that the pages show of a results folder."""

    folder: Path
    results: Results
    summary: Mapping[str, Any]
    reference: Reference | None
    tables: tuple[Table, ...]
    curves: tuple[Curve, ...]

    def windows(self, side: Side) -> Sequence[tuple[float, float]]:
        """Start and end (s) of every stance of a side."""
        return stance_windows(self.results.strides, side)

    def percent(self, side: Side, time: float) -> float | None:
        """Percent of stance of a side at a time; None in swing."""
        for a, b in self.windows(side):
            if a <= time <= b:
                return 100.0 * (time - a) / (b - a)
        return None


def open_results(folder: Path, words: Words) -> Shown:
    """Read a results folder.

    Raises
    ------
    ResultsError
        It is none.
    """
    results = read_results(folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    reference = reference_at(str(summary.get("task", "")), speed_of(summary))
    tables = tuple(
        table_of(group, summary, words, reference)
        for group in ("strides", "alignment", "loads")
    )
    return Shown(folder, results, summary, reference, tables,
                 tuple(load_curves(results, words, reference)))  # fmt: skip


def picture_summary(folder: Path) -> dict[str, Any] | None:
    """Summary of a folder that one camera gave; None for any other."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return dict(summary) if summary["kind"] == KIND else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # what is wrong with it is told by `open_results`


def load_curves(results: Results, words: Words, reference: Reference | None) -> list[Curve]:
    """The report's curves with the runners' band."""
    out = []
    for curve, sides in panels_of(results, words):
        usual = None if reference is None else reference.curve(curve.name)
        low = high = None
        if usual is not None and reference is not None:
            low, high = (
                np.interp(STANCE, reference.percent, v) for v in (usual.low, usual.high)
            )
        out.append(Curve(curve.name, curve.title, curve.unit, sides, low, high))
    return out


def tissue_curves(
    shown: Shown, about: Mapping[str, Any], channels: Array, time: Array, texts: Texts
) -> list[Curve]:
    """Each load of a scene over stance: channels (T, C, 2) at times (T,)."""
    out = []
    for c, channel in enumerate(about["channels"]):
        sides: dict[Side, Array] = {}
        for k, side in enumerate(SIDES):
            windows = shown.windows(side)
            if windows:
                found = band(normalise(time, channels[:, c, k], windows))
                if np.isfinite(found).any():
                    sides[side] = found
        if sides:
            unit = {"percent": "%", "Nm": "N·m"}.get(channel["unit"], channel["unit"])
            title = texts.either(f"channel_{channel['name']}", channel["label"])
            out.append(Curve(channel["name"], title, unit, sides))
    return out
