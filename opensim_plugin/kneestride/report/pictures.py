"""The patient's pictures: legs from the front, loaded knees, footprints.

Everything is drawn to scale from medians of `summary.json`: the knee lies where the table
says it does. The person's right is at the viewer's left, as when facing someone. Only the
distance of the hip centres comes from the fitted model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..vocabulary import SIDES, Side
from .patient import interval_of, peak_of
from .stress_colours import colour_map, colours_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .reference import Band
    from .words import Words

KNEE_HEIGHT = 0.53
"""Knee over the sole as a share of hip over the sole: 0.285 / 0.530 of stature
(Drillis & Contini 1966, in Winter, Biomechanics and Motor Control, table of segments)."""
HIP_SHARE = 0.09
"""Half the distance of the hip centres over leg length, where no model tells it."""
NEAR = 5.0
"""mm from the line that are no more than the placing of markers."""
INK, PALE, ACCENT, USUAL = "#22282f", "#c3c9cf", "#c2470f", "#8cc3e6"
FAILED = "#b00020"
_HIP = re.compile(
    r'name="hip_(?P<side>[rl])".*?<translation>\s*(?P<xyz>[^<]+)</translation>', re.DOTALL
)


@dataclass(frozen=True)
class Leg:
    """One leg at mid-stance seen from the front, metres; x lateral of the body's middle.

    Attributes
    ----------
    side : 'r' or 'l'
    hip, foot : float, x
    inside : float, knee medial of the line between them
    length : float, hip over the sole
    drop : float, rad, other hip lower positive
    """

    side: Side
    hip: float
    foot: float
    inside: float
    length: float
    drop: float

    @property
    def line(self) -> float:
        """X of the hip-foot line at the knee."""
        return self.foot + KNEE_HEIGHT * (self.hip - self.foot)

    @property
    def knee(self) -> float:
        """X of the knee."""
        return self.line - self.inside


def legs_of(model_xml: str, summary: Mapping[str, Any]) -> list[Leg]:
    """Both legs (or the one that was measured), from medians over the strides."""
    out = []
    half = _half_hip_distance(model_xml)
    needed = ("medial_knee_displacement_mid_mm", "medial_knee_displacement_pct_leg")
    feet = feet_of(summary)
    for side in SIDES:
        figures = summary["sides"][side]["figures"]
        if not all(n in figures for n in needed):
            continue
        inside, share = (figures[n]["median"] for n in needed)
        length = abs(inside / share) / 10.0 if abs(share) > 1e-6 else math.nan
        # Medians of both over the strides; where they nearly vanish they tell no length.
        if not 0.5 < length < 1.3:
            length = 0.53 * summary["subject"]["height_m"]
        drop = figures.get("contralateral_pelvic_drop_mid_deg", {"median": 0.0})["median"]
        hip = half or HIP_SHARE * length
        out.append(
            Leg(
                side,
                hip,
                # Where no step tells the foot's place it is drawn below the hip.
                0.5 * sum(feet[side]) if side in feet else hip,
                1e-3 * inside,
                length,
                math.radians(drop),
            )
        )
    return out


def knees_of(summary: Mapping[str, Any]) -> dict[Side, dict[str, float]]:
    """Median medial and lateral peak of each side that has them, body weights."""
    out: dict[Side, dict[str, float]] = {}
    for side in SIDES:
        peaks = {n: peak_of(summary, side, n) for n in ("medial", "lateral")}
        if None not in peaks.values():
            out[side] = {n: float(p) for n, p in peaks.items() if p is not None}
            for name in ("medial", "lateral"):
                sure = interval_of(summary, side, name)
                if sure is not None:
                    out[side][f"{name}_low"], out[side][f"{name}_high"] = sure
    return out


def feet_of(summary: Mapping[str, Any]) -> dict[Side, tuple[float, float]]:
    """Heel and toe lateral of the body's middle at mid-stance, m, by side."""
    out: dict[Side, tuple[float, float]] = {}
    for side in SIDES:
        figures = summary["sides"][side]["figures"]
        if "heel_to_midline_mm" in figures and "toe_to_midline_mm" in figures:
            heel, toe = (figures[f"{n}_to_midline_mm"]["median"] for n in ("heel", "toe"))
            out[side] = (1e-3 * heel, 1e-3 * toe)
    return out


def draw_legs(legs: list[Leg], words: Words, band: Band | None) -> Figure:
    """A panel a leg: straight line from hip to foot, and where the knee is."""
    figure = new_figure(4.3, 4.1)
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, side in zip(axes, SIDES, strict=True):
        ax.set_axis_off()
        for leg in (one for one in legs if one.side == side):
            _draw_leg(ax, leg, words, band)
    tall = max(leg.length for leg in legs)
    axes[0].set_xlim(-0.36 * tall, 0.36 * tall)
    axes[0].set_ylim(-0.02 * tall, 1.4 * tall)
    for ax, side in zip(axes, SIDES, strict=True):
        ax.set_aspect("equal")
        # A title would be cut off where the drawing is made narrower to keep its shape.
        ax.text(0, 1.4 * tall, words(_name(side).capitalize()), fontsize=11, color=INK,
                ha="center", va="top")  # fmt: skip
    return figure


def _draw_leg(ax: Axes, leg: Leg, words: Words, band: Band | None) -> None:
    # Facing the person: their right leg goes to the viewer's left.
    out = -1.0 if leg.side == "r" else 1.0
    high, at = leg.length, KNEE_HEIGHT * leg.length
    ax.plot([0, 0], [0, high], ":", color=PALE, lw=1)
    other = (-out * leg.hip, high - 2 * leg.hip * math.tan(leg.drop))
    middle = (0.0, 0.5 * (high + other[1]))
    ax.plot([0, 0], [middle[1], 1.16 * high], color=PALE, lw=9, solid_capstyle="round")
    ax.plot([out * leg.hip, other[0]], [high, other[1]], color=PALE, lw=7,
            solid_capstyle="round")  # fmt: skip
    ax.plot([0], [1.255 * high], "o", color=PALE, ms=14)
    if band is not None:
        ends = [out * (leg.line - 1e-3 * float(e)) for e in (band.low, band.high)]
        ax.plot(ends, [at, at], color=USUAL, lw=15, solid_capstyle="butt", zorder=4)
    foot, hip, knee = out * leg.foot, out * leg.hip, out * leg.knee
    ax.plot([hip, foot], [high, 0.03 * high], "--", color=INK, lw=1.2)
    ax.plot([hip, knee, foot], [high, at, 0.05 * high], color=INK, lw=4.5,
            solid_capstyle="round", solid_joinstyle="round")  # fmt: skip
    ax.fill(foot + 0.045 * high * np.array([-0.8, 0.8, 1.0, -1.0]),
            0.05 * high * np.array([1.0, 1.0, 0.0, 0.0]), color=INK, lw=0)  # fmt: skip
    ax.plot([hip], [high], "o", color=INK, ms=7)
    ax.plot([knee], [at], "o", color=ACCENT, ms=7, mec="white", mew=0.8, zorder=5)
    millimetres = 1e3 * leg.inside
    if abs(millimetres) < NEAR:
        text = words("patient.near_line")
    else:
        key = "patient.mm_inside" if millimetres > 0 else "patient.mm_outside"
        text = words(key, value=words.number(abs(millimetres), 0))
    reach = max(abs(knee), abs(out * leg.line)) + 0.07 * high
    ax.text(out * reach, at + 0.07 * high, text, color=ACCENT, fontsize=11, va="bottom",
            ha="right" if out < 0 else "left", weight="bold", linespacing=1.1)  # fmt: skip


def draw_knees(loads: Mapping[Side, Mapping[str, float]], words: Words) -> Figure:
    """Both knees from the front, each half in the colour of its peak load."""
    figure = new_figure(4.7, 4.1)
    grid = figure.add_gridspec(2, 2, height_ratios=(14, 1))
    top = scale_top(loads)
    for k, side in enumerate(SIDES):
        ax = figure.add_subplot(grid[0, k])
        ax.set_axis_off()
        ax.set_aspect("equal")
        ax.set_xlim(-1.15, 1.15)
        ax.set_ylim(-1.85, 1.25)
        ax.set_title(words(_name(side).capitalize()), fontsize=11, color=INK)
        if side in loads:
            _draw_knee(ax, side, loads[side], top, words)
    bar = figure.add_subplot(grid[1, :])
    shades = np.linspace(0.0, 1.0, 256)[None, :]
    bar.imshow(shades, aspect="auto", cmap=colour_map(), extent=(0.0, top, 0.0, 1.0))
    bar.set_yticks([])
    bar.set_xlabel(words("patient.scale"), fontsize=9)
    bar.tick_params(labelsize=9, length=2)
    bar.spines[:].set_visible(False)
    return figure


def _draw_knee(
    ax: Axes, side: Side, load: Mapping[str, float], top: float, words: Words
) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch

    bone, edge = "#efe7d6", "#8d8574"
    # Outer half at the viewer's left for the right knee.
    outer = -1.0 if side == "r" else 1.0
    ax.fill([-0.32, 0.32, 0.36, -0.36], [1.22, 1.22, 0.7, 0.7], color=bone, ec=edge, lw=1)
    for x in (-0.46, 0.46):
        ax.add_patch(Ellipse((x, 0.58), 0.98, 0.86, fc=bone, ec=edge, lw=1))
    ax.add_patch(Ellipse((0, 0.72), 0.7, 0.62, fc=bone, ec="none"))
    ax.fill([-0.95, 0.95, 0.42, 0.3, -0.3, -0.42], [-0.12, -0.12, -0.52, -0.9, -0.9, -0.52],
            color=bone, ec=edge, lw=1)  # fmt: skip
    ax.fill(outer * np.array([0.72, 0.95, 0.82, 0.66]), [-0.4, -0.4, -0.9, -0.9],
            color=bone, ec=edge, lw=1)  # fmt: skip
    for name, x in (("medial", -outer * 0.48), ("lateral", outer * 0.48)):
        colour = tuple(colours_of(np.array(load[name] / top)))
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.38, -0.1), 0.76, 0.2, boxstyle="round,pad=0.03,rounding_size=0.1",
                fc=colour, ec=INK, lw=0.8, zorder=4,
            )
        )  # fmt: skip
        label = words("patient.inner_half" if name == "medial" else "patient.outer_half")
        ax.text(x * 1.15, -0.98, f"{words.number(load[name], 1)}×", ha="center", va="top",
                fontsize=16, weight="bold", color=INK, zorder=6)  # fmt: skip
        below = label
        if f"{name}_low" in load:
            below += f"\n({words.span(load[f'{name}_low'], load[f'{name}_high'], 1)})"
        ax.text(x * 1.15, -1.33, below, ha="center", va="top", fontsize=10, color=INK, zorder=6)


def draw_feet(feet: Mapping[Side, tuple[float, float]], words: Words) -> Figure:
    """Footprints from above against the middle of the body."""
    from matplotlib.patches import Ellipse

    figure = new_figure(4.3, 4.1)
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.plot([0, 0], [-0.1, 0.95], "--", color=INK, lw=1.2)
    for k, (side, (heel, toe)) in enumerate(feet.items()):
        # From above and behind: the right foot is at the right.
        out = 1.0 if side == "r" else -1.0
        low = 0.05 + 0.45 * k
        x = out * np.array([heel, toe])
        lean = math.degrees(math.atan2(x[0] - x[1], 0.2))
        for y, at, wide, long in ((0.0, x[0], 0.065, 0.085), (0.17, x[1], 0.092, 0.14)):
            ax.add_patch(Ellipse((at, low + y), wide, long, angle=lean, fc=ACCENT, ec="none"))
        ax.text(0.24 * out, low + 0.1, words(_name(side).capitalize()), ha="center",
                fontsize=11, color=INK)  # fmt: skip
    ax.set_xlim(-0.4, 0.4)
    ax.set_ylim(-0.12, 0.97)
    return figure


def scale_top(loads: Mapping[Side, Mapping[str, float]]) -> float:
    """Top of the colour scale: a round figure well above the loads of both knees."""
    highest = max(load[n] for load in loads.values() for n in ("medial", "lateral"))
    return next((t for t in (2.0, 4.0, 6.0, 8.0, 10.0, 12.0) if t >= 1.1 * highest), highest)


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, in inches, without pyplot's global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def stamped(figure: Figure, mark: str) -> Figure:
    """Write over a figure that the analysis failed a check of its own; '' leaves it."""
    if mark:
        figure.suptitle(f"✗ {mark}", x=0.01, ha="left", color=FAILED, fontsize=9,
                        fontweight="bold")  # fmt: skip
    return figure


def _name(side: Side) -> str:
    return "right" if side == "r" else "left"


def _half_hip_distance(model_xml: str) -> float:
    """Half the distance of the hip centres from the model's text, m; 0 where it tells none."""
    found = {}
    for match in _HIP.finditer(model_xml):
        try:
            found[match["side"]] = float(match["xyz"].split()[2])
        except (IndexError, ValueError):
            return 0.0
    half = 0.5 * abs(found.get("r", 0.0) - found.get("l", 0.0))
    return half if 0.04 < half < 0.15 else 0.0
