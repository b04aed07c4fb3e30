"""The clinician's curves: both sides over stance with the runners' band behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..vocabulary import SIDES, Array, Side
from .pictures import new_figure
from .reference import Reference
from .stances import STANCE, band, curves_of, normalise, stance_windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..results.folder import Results
    from .words import Curve, Words

type Panel = tuple[Curve, Mapping[Side, Array]]

SIDE_COLOURS = {"r": "#0072b2", "l": "#d55e00"}
"""Okabe and Ito's blue and vermilion, which colour-blind eyes tell apart; the left is
dashed as well."""
_DASHES = {"r": "-", "l": (0, (4, 1.5))}


def panels_of(results: Results, words: Words) -> list[Panel]:
    """Each curve that the results hold, with the percentiles (3, 101) of each side."""
    windows = {side: stance_windows(results.strides, side) for side in SIDES}
    found = {side: curves_of(results, side) for side in SIDES}
    out: list[Panel] = []
    for curve in words.curves():
        bands = {}
        for side in SIDES:
            if windows[side] and curve.name in found[side]:
                values = found[side][curve.name]
                of_side = band(normalise(results.motion.time, values, windows[side]))
                if np.isfinite(of_side).any():
                    bands[side] = of_side
        if bands:
            out.append((curve, bands))
    return out


def draw_curves(
    shown: Sequence[Panel], words: Words, reference: Reference | None, stance: bool
) -> Figure:
    """Draw the panels.

    Parameters
    ----------
    shown : as `panels_of` returns them
    words : Words
    reference : Reference or None
    stance : bool, the curves run from contact to toe-off
    """
    rows = (len(shown) + 2) // 3
    figure = new_figure(9.6, 2.45 * rows + 0.25)
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    for ax, (curve, bands) in zip(axes, shown, strict=False):
        usual = None if reference is None else reference.curve(curve.name)
        if reference is not None and usual is not None:
            ax.fill_between(reference.percent, usual.low, usual.high, color="#d5d9dd", lw=0,
                            label=words("clinician.runners"))  # fmt: skip
        for side, (low, middle, high) in bands.items():
            colour, name = SIDE_COLOURS[side], "right" if side == "r" else "left"
            ax.fill_between(STANCE, low, high, color=colour, alpha=0.22, lw=0)
            ax.plot(STANCE, middle, color=colour, ls=_DASHES[side], lw=1.6, label=words(name))
        ax.set_title(f"{curve.title} ({curve.unit})", fontsize=10)
        ax.set_xlim(0, 100)
        if curve.name.endswith("_BW"):
            ax.set_ylim(bottom=0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
    label = words("clinician.percent_stance" if stance else "clinician.percent_other")
    for ax in axes[max(0, len(shown) - 3) : len(shown)]:
        ax.set_xlabel(label, fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize=9
    )
    return figure
