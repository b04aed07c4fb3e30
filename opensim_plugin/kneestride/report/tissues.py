"""Tissues for the clinician's page: the largest load of each structure over stance.

Structures, units and grades are those of `models/tissues.toml`; which of them are shown and
how they are called stands in `models/report.toml`. Levels hang on generic areas and slack
lengths, so the table has no usual range: sides and visits are what can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..paths_of_data import shipped_table
from ..vocabulary import GRAVITY, SIDES, Array, Side
from .stances import PERCENTILES, stance_windows
from .words import TABLE, Words

if TYPE_CHECKING:
    from ..results.folder import Results


def tissue_rows(results: Results, words: Words) -> list[tuple[Mapping[str, Any], str, str]]:
    """The structures of the report that these results hold: entry, unit, column's unit."""
    if results.tissues is None:
        return []
    known = {s["key"]: s for s in shipped_table("tissues.toml")["structure"]}
    out = []
    for entry in shipped_table(TABLE)["tissue"]:
        unit = known[entry["key"]]["unit"]
        columns = {f"{entry['key']}_{side}_{unit}" for side in SIDES}
        if columns & set(results.tissues.names):
            out.append((entry, str(entry.get("unit", unit)), unit))
    return out


def grade_of(key: str) -> str:
    """A, B or C: how far a structure's figure is to be trusted (docs/tissues.md)."""
    rows = shipped_table("tissues.toml")["structure"]
    return str(next(s["confidence"] for s in rows if s["key"] == key))


def peaks_over_stance(
    results: Results, key: str, unit: str, shown: str, side: Side
) -> Array | None:
    """10th, 50th and 90th percentile over the stances of the largest value in each (3,).

    In body weights where `shown` says so. None without a stance that holds a figure.
    """
    table = results.tissues
    name = f"{key}_{side}_{unit}"
    if table is None or name not in table.names:
        return None
    values = table.column(name)
    if unit == "N" and shown == "BW":
        values = values / (results.subject.mass * GRAVITY)
    found = []
    for start, end in stance_windows(results.strides, side):
        inside = values[(table.time >= start) & (table.time <= end)]
        # A stance whose load was masked has no largest value.
        if inside.size and np.isfinite(inside).mean() > 0.98:
            found.append(float(np.nanmax(inside)))
    return np.percentile(found, PERCENTILES) if found else None
