"""What a terminal prints when an analysis is done: the figures people ask for, in words.

One line a figure with both sides beside each other, as in the report's tables; every
other figure is in `summary.json` and on the report's pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .words import Words

HEADLINES = (
    "step_width_mm", "projection_angle_mid_deg", "dynamic_valgus_deg", "hip_adduction_peak_deg",
    "contralateral_pelvic_drop_peak_deg", "medial_peak_BW", "lateral_peak_BW", "total_peak_BW",
    "adduction_moment_peak_Nm",
)  # fmt: skip
"""Columns that are printed, where the analysis has them."""

SIDE_NAMES = (("r", "right"), ("l", "left"))


def figure_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strides of each side, then a table of medians with their spread.

    Parameters
    ----------
    summary : mapping, as in `summary.json`

    Notes
    -----
    The spread is that over the strides (10th to 90th percentile), not the uncertainty.
    """
    sides = summary["sides"]
    for side, name in SIDE_NAMES:
        units = sides[side]["units"]
        counts = ", ".join(f"{count} {kind or 'rows'}" for kind, count in units.items())
        yield f"  {name}: {counts or 'no strides'}"
    words = Words("en")
    rows = []
    for group in ("strides", "alignment", "loads"):
        for quantity in words.quantities(group):
            spreads = [sides[s]["figures"].get(quantity.column) for s, _ in SIDE_NAMES]
            if quantity.column not in HEADLINES or not any(spreads):
                continue
            cells = [
                _cell(words, spread, quantity.factor, quantity.digits) for spread in spreads
            ]
            rows.append((f"{quantity.name}, {quantity.unit}", *cells))
    if not rows:
        return
    rows.insert(0, ("median (10 to 90 % of the strides)", "right", "left"))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    for row in rows:
        yield ("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))).rstrip()


def _cell(words: Words, spread: Mapping[str, float] | None, factor: float, digits: int) -> str:
    if not spread:
        return words.number(None, digits)
    median, low, high = (
        None if spread[k] is None else factor * spread[k] for k in ("median", "low", "high")
    )
    return f"{words.number(median, digits)} ({words.span(low, high, digits)})"
