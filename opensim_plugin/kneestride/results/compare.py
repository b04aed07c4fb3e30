"""Compare two analyses of strides: what changed, by how much, how surely.

`compare` takes the second `Condition` minus the first (`conditions`): peaks, minima,
impulses and figures with 95 % intervals (`loads.uncertainty`), and where along the stride
the curves differ (`curve_test`). In walking the peaks of the first and of the second half
of stance are compared too.

Two conditions are matched when stride k of one is stride k of the other, changed: a
simulated variant against its original. Then differences are taken stride by stride, and
whatever is wrong in both alike cancels. Where the sensitivities of a quantity are not
known, its interval holds the stride-to-stride part only, and the row says so. Where a
condition holds a single stride, the usual spread of such strides stands in for the one
that could not be measured (`models/comparison.toml`), and the row says that as well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..errors import ModelError, ResultsError
from ..loads.uncertainty import (
    Interval,
    Source,
    impulses,
    paired_interval,
    peaks,
    stride_interval,
)
from ..paths_of_data import models_folder
from ..vocabulary import Array, BoolArray
from .comparison_tables import CSV_COLUMNS, comparison_csv
from .conditions import (
    POINTS,
    Condition,
    condition,
    knee_sensitivities,
    normalise,
)
from .curve_test import CurveTest, curve_test

__all__ = [
    "CSV_COLUMNS",
    "Comparison",
    "Condition",
    "Difference",
    "band",
    "compare",
    "comparison_csv",
    "condition",
    "knee_sensitivities",
    "normalise",
]

TYPICAL = "typical_stride"
"""Name of the source that stands in for a spread that one stride cannot show."""

NOTHING = 1e-9
"""Below this a curve is rounding."""

_WITH_IMPULSE = ("_N", "_Nm", "_BW", "_MPa")
_WITH_MINIMUM = ("_deg", "_Nm", "_percent")
_TWO_PEAKS = ("medial_N", "lateral_N", "total_N", "adduction_moment_Nm")


@dataclass(frozen=True)
class Difference:
    """One compared number.

    Attributes
    ----------
    quantity : str, with unit
    measure : {'peak', 'early_peak', 'late_peak', 'minimum', 'impulse', 'value'}
        Peaks and minima in the quantity's unit, impulses in that times s; 'value' for
        the figures of a stride. Early and late are the halves of stance, in walking.
    first, second, change : Interval
        `change` is second minus first.
    strides : (int, int)
        Strides used of each.
    covers : tuple of str
        Sources in the intervals; empty when only the strides' own variation is.
        `TYPICAL` where a single stride had to borrow the usual variation.
    """

    quantity: str
    measure: str
    first: Interval
    second: Interval
    change: Interval
    strides: tuple[int, int]
    covers: tuple[str, ...]

    @property
    def distinct(self) -> bool:
        """True when the interval of the change leaves out zero."""
        return not self.change.contains(0.0)


@dataclass(frozen=True)
class Comparison:
    """Everything that was compared between two conditions."""

    first: Condition
    second: Condition
    matched: bool
    differences: tuple[Difference, ...]
    tests: Mapping[str, CurveTest]
    notes: tuple[str, ...] = ()


# --- comparison ---------------------------------------------------------------------


def band(curves: Array) -> tuple[Array, Array, Array]:
    """Mean curve and one standard deviation around it, (101,) each, over unmasked strides.

    A single stride has no band: its ends are the curve.
    """
    kept = curves[~np.isnan(curves).any(axis=1)]
    if not len(kept):
        return tuple(np.full(curves.shape[1], np.nan) for _ in range(3))  # type: ignore[return-value]
    mean = kept.mean(axis=0)
    spread = kept.std(axis=0, ddof=1) if len(kept) > 1 else np.zeros_like(mean)
    return mean, mean - spread, mean + spread


def compare(
    first: Condition,
    second: Condition,
    sources: Sequence[Source] = (),
    matched: bool | None = None,
    quantities: Sequence[str] | None = None,
) -> Comparison:
    """Second condition minus first, quantity by quantity.

    Parameters
    ----------
    first, second : Condition
    sources : sequence of Source
        `loads.uncertainty.default_sources` with the pairing that fits. A source counts
        for the quantities whose sensitivities both conditions have.
    matched : bool, optional
        Taken from the strides' times when left out: equal ones are the same strides.
        Say it where two recordings might share them by chance.
    quantities : sequence of str, optional
        All that both have when left out.

    Raises
    ------
    ResultsError
        For a quantity that not both conditions have.
    """
    shared = [q for q in first.curves if q in second.curves]
    figures = [q for q in first.figures if q in second.figures]
    chosen = [*shared, *figures] if quantities is None else list(quantities)
    unknown = [q for q in chosen if q not in shared and q not in figures]
    if unknown:
        raise ResultsError(
            "quantities that both conditions have",
            ", ".join(unknown),
            "choose among the shared ones",
            [*shared, *figures],
        )
    pairs = _same_strides(first, second) if matched is None else matched
    differences: list[Difference] = []
    tests: dict[str, CurveTest] = {}
    notes: list[str] = []
    for quantity in chosen:
        if quantity not in shared:
            differences += _figure_difference(quantity, first, second, pairs)
            continue
        a, b = first.curves[quantity], second.curves[quantity]
        keep_a, keep_b = ~np.isnan(a).any(axis=1), ~np.isnan(b).any(axis=1)
        if pairs:
            keep_a = keep_b = keep_a & keep_b
        if not keep_a.any() or not keep_b.any():
            notes.append(f"{quantity}: no stride without masked frames in both.")
            continue
        if max(np.abs(a[keep_a]).max(), np.abs(b[keep_b]).max()) < NOTHING:
            notes.append(f"{quantity}: nothing but zero in both.")
            continue
        used = _usable(quantity, first, second, sources)
        differences += _differences(quantity, first, second, keep_a, keep_b, used, pairs)
        tests[quantity] = curve_test(a[keep_a], b[keep_b], pairs)
        if tests[quantity].note:
            notes.append(f"{quantity}: {tests[quantity].note}.")
    return Comparison(first, second, pairs, tuple(differences), tests, tuple(notes))


def _same_strides(first: Condition, second: Condition) -> bool:
    return (
        first.side == second.side
        and first.starts.shape == second.starts.shape
        and bool(np.allclose(first.starts, second.starts, atol=1e-3))
        and bool(np.allclose(first.durations, second.durations, atol=1e-3))
    )


def _usable(
    quantity: str, first: Condition, second: Condition, sources: Sequence[Source]
) -> list[Source]:
    in_a = first.sensitivities.get(quantity, {})
    in_b = second.sensitivities.get(quantity, {})
    return [s for s in sources if s.name in in_a and s.name in in_b]


def _differences(
    quantity: str,
    first: Condition,
    second: Condition,
    keep_a: BoolArray,
    keep_b: BoolArray,
    sources: list[Source],
    matched: bool,
) -> list[Difference]:
    a, ja, dt_a = _kept(quantity, first, keep_a, sources)
    b, jb, dt_b = _kept(quantity, second, keep_b, sources)
    size = max(float(np.abs(a).max()), float(np.abs(b).max()))
    measures = {"peak": (peaks(a, ja), peaks(b, jb))}
    if quantity in _TWO_PEAKS and first.task == second.task == "walking":
        ca, cb = first.contact[keep_a], second.contact[keep_b]
        if np.isfinite(ca).all() and np.isfinite(cb).all():
            for half, name in enumerate(("early_peak", "late_peak")):
                one, two = _half_peaks(a, ja, ca, half), _half_peaks(b, jb, cb, half)
                measures[name] = (one, two)
    if quantity.endswith(_WITH_MINIMUM):
        measures["minimum"] = (_minima(a, ja), _minima(b, jb))
    if quantity.endswith(_WITH_IMPULSE):
        measures["impulse"] = (impulses(a, ja, dt_a), impulses(b, jb, dt_b))
    found = []
    for measure, (one, two) in measures.items():
        scale = size
        if measure == "impulse":
            scale = max(float(np.abs(one[0]).max()), float(np.abs(two[0]).max()))
        spread = _typical(quantity, first.task, scale)
        found.append(_difference(quantity, measure, one, two, sources, matched, spread))
    return found


def _figure_difference(
    quantity: str, first: Condition, second: Condition, matched: bool
) -> list[Difference]:
    a, b = first.figures[quantity], second.figures[quantity]
    keep_a, keep_b = np.isfinite(a), np.isfinite(b)
    if matched:
        keep_a = keep_b = keep_a & keep_b
    if not keep_a.any() or not keep_b.any():
        return []
    a, b = a[keep_a], b[keep_b]
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()))
    spread = _typical(quantity, first.task, scale)
    return [_difference(quantity, "value", (a, {}), (b, {}), [], matched, spread)]


_Measure = tuple[Array, dict[str, Array]]
"""One number a stride (N,) and its sensitivities."""


def _difference(
    quantity: str,
    measure: str,
    one: _Measure,
    two: _Measure,
    sources: Sequence[Source],
    matched: bool,
    spread: float,
) -> Difference:
    (a, ja), (b, jb) = one, two
    level_a, level_b, change = [*sources], [*sources], [*sources]
    known_a, known_b, used_a, used_b = dict(ja), dict(jb), dict(ja), dict(jb)
    if min(len(a), len(b)) == 1:
        usual = Source(TYPICAL, 1.0, "1", "measurement", 0.0, 0.0)
        for values, of, level in ((a, known_a, level_a), (b, known_b, level_b)):
            if len(values) == 1:
                of[TYPICAL] = np.array([spread])
                level.append(usual)
        if matched:
            # Pairing takes most of the spread away, and what is left grows with the change.
            left, growth = (float(_table()["paired"][n]) for n in ("spread", "change"))
            rest = Source("typical_change", growth, "1", "measurement", 0.0, 1.0)
            used_a[TYPICAL] = used_b[TYPICAL] = np.array([left * spread / np.sqrt(2.0)])
            used_a[rest.name], used_b[rest.name] = a, b
            change += [usual, rest]
        else:
            used_a[TYPICAL] = np.full_like(a, spread if len(a) == 1 else 0.0)
            used_b[TYPICAL] = np.full_like(b, spread if len(b) == 1 else 0.0)
            change.append(usual)
    return Difference(
        quantity=quantity,
        measure=measure,
        first=stride_interval(a, known_a, level_a, statistic="mean"),
        second=stride_interval(b, known_b, level_b, statistic="mean"),
        # Second minus first; the mean, so that first + change = second.
        change=paired_interval(b, used_b, a, used_a, change, matched=matched, statistic="mean"),
        strides=(len(a), len(b)),
        covers=tuple(s.name for s in change),
    )


@cache
def _table() -> dict[str, Any]:
    try:
        text = (models_folder() / "comparison.toml").read_text(encoding="utf-8")
        return dict(tomllib.loads(text)["stride"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ModelError(
            "the spread of strides in models/comparison.toml", str(error), "restore that file"
        ) from error


def _typical(quantity: str, task: str, scale: float) -> float:
    """Usual stride-to-stride standard deviation, in the quantity's unit."""
    row = _table().get(task, _table()["other"])
    if quantity.endswith("_deg"):
        return float(row["angle_deg"])
    if "width" in quantity or "midline" in quantity:
        return float(row["step_width_mm"])
    if quantity.endswith("_mm"):
        return float(row["length_mm"])
    return float(row["share"]) * scale


def _kept(
    quantity: str, which: Condition, keep: BoolArray, sources: list[Source]
) -> tuple[Array, dict[str, Array], Array]:
    j = which.sensitivities.get(quantity, {})
    step = which.durations[keep] / (POINTS - 1)
    return which.curves[quantity][keep], {s.name: j[s.name][keep] for s in sources}, step


def _minima(curves: Array, sensitivities: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    values, j = peaks(-curves, {name: -s for name, s in sensitivities.items()})
    return -values, {name: -s for name, s in j.items()}


def _half_peaks(
    curves: Array, sensitivities: dict[str, Array], contact: Array, half: int
) -> tuple[Array, dict[str, Array]]:
    """Largest value in the first (0) or second (1) half of stance, and what moves it."""
    phase = np.linspace(0.0, 1.0, curves.shape[1])
    middle = contact[:, None] / 2.0
    inside = (phase >= half * middle) & (phase <= (1 + half) * middle)
    return peaks(np.where(inside, curves, np.nan), sensitivities)
