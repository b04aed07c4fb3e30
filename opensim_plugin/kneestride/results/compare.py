"""Compare two analyses of strides: what changed, by how much, how surely.

A `Condition` holds the strides of one leg, each quantity cut per stride and normalised
to 101 points (0 to 100 % of the stride). `compare` takes the second condition minus the
first: peaks, minima and impulses with 95 % intervals (`loads.uncertainty`), and where
along the stride the curves differ (`curve_test`).

Two conditions are matched when stride k of one is stride k of the other, changed: a
simulated variant against its original. Then differences are taken stride by stride, and
whatever is wrong in both alike cancels. Where the sensitivities of a quantity are not
known, its interval holds the stride-to-stride part only, and the row says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import ResultsError
from ..loads.uncertainty import (
    Interval,
    Source,
    analytic_sensitivities,
    impulses,
    paired_interval,
    peaks,
    stride_interval,
)
from ..vocabulary import SIDES, Array, Side
from .curve_test import CurveTest, curve_test
from .folder import KNEE_COLUMNS, Results, is_translation

POINTS = 101
_SIDED = re.compile(r"^(?P<head>.+)_(?P<side>[rl])(?P<tail>_.+)?$")
_WITH_IMPULSE = ("_N", "_Nm", "_BW", "_MPa")
_WITH_MINIMUM = ("_deg", "_Nm", "_percent")


@dataclass(frozen=True)
class Condition:
    """The strides of one leg in one analysis.

    Attributes
    ----------
    name : str
    side : 'r' or 'l'
    starts, durations : (N,) s
    curves : mapping of quantity to (N, 101)
        Named without side, unit last: `medial_N`, `itb_strain_percent`,
        `hip_adduction_deg`. A stride in which a quantity is masked anywhere is NaN.
    sensitivities : mapping of quantity to mapping of source to (N, 101)
    simulated : bool
    """

    name: str
    side: Side
    starts: Array
    durations: Array
    curves: Mapping[str, Array]
    sensitivities: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    simulated: bool = False


@dataclass(frozen=True)
class Difference:
    """One compared number.

    Attributes
    ----------
    quantity : str, with unit
    measure : {'peak', 'minimum', 'impulse'}
        Peaks and minima in the quantity's unit, impulses in that times s.
    first, second, change : Interval
        `change` is second minus first.
    strides : (int, int)
        Strides used of each.
    covers : tuple of str
        Sources in the intervals; empty when only the strides' own variation is.
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


# --- strides of a results folder ----------------------------------------------------


def condition(
    results: Results,
    side: Side,
    name: str = "",
    kind: str = "stride",
    sensitivities: Mapping[str, Mapping[str, Array]] | None = None,
) -> Condition:
    """Cut the strides of one leg out of an analysis.

    Parameters
    ----------
    results : Results
    side : 'r' or 'l'
    name : str, optional
        The trial's name when left out.
    kind : str
        Which rows of `strides.csv`: stride, partial, repetition or landing.
    sensitivities : mapping of quantity to mapping of source to (T,), optional
        Over the analysis' frames, for this leg; see `knee_sensitivities`.

    Raises
    ------
    ResultsError
        When there is no such row for this leg.
    """
    rows = [r for r in results.strides if r.get("kind") == kind and r.get("side") == side]
    if not rows:
        kinds = sorted({f"{r.get('kind')} {r.get('side')}" for r in results.strides})
        raise ResultsError(
            f"at least one {kind} of side {side} in {results.trial}",
            "none",
            "choose another kind or side",
            kinds,
        )
    spans = [(_seconds(r["start_s"]), _seconds(r["end_s"])) for r in rows]
    time = results.motion.time
    quantities = _quantities(results, side)
    given = sensitivities or {}
    return Condition(
        name=name or results.trial,
        side=side,
        starts=np.array([a for a, _ in spans]),
        durations=np.array([b - a for a, b in spans]),
        curves={q: normalise(time, values, spans) for q, values in quantities.items()},
        sensitivities={
            q: {source: normalise(time, j, spans) for source, j in by_source.items()}
            for q, by_source in given.items()
        },
        simulated=results.simulated,
    )


def _seconds(value: str | float | int | bool | None) -> float:
    if not isinstance(value, (int, float)):
        raise ResultsError(
            "start and end of every stride in seconds", repr(value), "analyse the trial again"
        )
    return float(value)


def normalise(time: Array, values: Array, spans: Sequence[tuple[float, float]]) -> Array:
    """Each span of `values` on 101 points, linearly; NaN all over when masked anywhere.

    A stride that is partly masked has no peak that could be trusted to be its peak.

    Parameters
    ----------
    time, values : (T,)
    spans : N pairs of start and end, s

    Returns
    -------
    (N, 101)
    """
    phase = np.linspace(0.0, 1.0, POINTS)
    curves = np.empty((len(spans), POINTS))
    for k, (start, end) in enumerate(spans):
        at = start + phase * (end - start)
        inside = time[0] - 1e-9 <= start and end <= time[-1] + 1e-9
        curve = np.interp(at, time, values) if inside else np.full(POINTS, np.nan)
        curves[k] = np.nan if np.isnan(curve).any() else curve
    return curves


def _quantities(results: Results, side: Side) -> dict[str, Array]:
    found: dict[str, Array] = {}
    column = SIDES.index(side)
    if results.knee is not None:
        for attribute, name in KNEE_COLUMNS:
            found[name] = getattr(results.knee, attribute)[:, column]
    if results.tissues is not None:
        for name in results.tissues.names:
            split = _SIDED.match(name)
            if split is not None and split["side"] == side:
                found[split["head"] + (split["tail"] or "")] = results.tissues.column(name)
    for k, coordinate in enumerate(results.motion.coordinates):
        split = _SIDED.match(coordinate)
        if split is None or split["tail"] or split["side"] != side:
            continue
        if results.motion.informed[k] and not is_translation(coordinate):
            found[f"{split['head']}_deg"] = np.degrees(results.motion.q[:, k])
    return found


def knee_sensitivities(
    results: Results, side: Side, spacing: float, thigh: float, shank: float
) -> dict[str, dict[str, Array]]:
    """Analytic sensitivities of the compartments over the frames of an analysis.

    Parameters
    ----------
    results : Results
    side : 'r' or 'l'
    spacing, thigh, shank : float, m
        Of the fitted model.

    Returns
    -------
    mapping of medial_N, lateral_N and total_N to mapping of source to (T,)
        Empty without loads.

    Sources
    -------
    `loads.sensitivities.analytic_sensitivities`.
    """
    if results.knee is None or results.ground is None:
        return {}
    k = SIDES.index(side)
    found = analytic_sensitivities(
        results.knee.medial[:, k],
        results.knee.lateral[:, k],
        results.ground.force[:, k, 1],
        spacing,
        thigh,
        shank,
    )
    return {
        "medial_N": {name: j[..., 0] for name, j in found.items()},
        "lateral_N": {name: j[..., 1] for name, j in found.items()},
        "total_N": {name: j.sum(axis=-1) for name, j in found.items()},
    }


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
        Taken from the strides' start times when left out: equal ones are the same
        strides.
    quantities : sequence of str, optional
        All that both have when left out.

    Raises
    ------
    ResultsError
        For a quantity that not both conditions have.
    """
    shared = [q for q in first.curves if q in second.curves]
    chosen = shared if quantities is None else list(quantities)
    unknown = [q for q in chosen if q not in shared]
    if unknown:
        raise ResultsError(
            "quantities that both conditions have",
            ", ".join(unknown),
            "choose among the shared ones",
            shared,
        )
    pairs = _same_strides(first, second) if matched is None else matched
    differences: list[Difference] = []
    tests: dict[str, CurveTest] = {}
    notes: list[str] = []
    for quantity in chosen:
        a, b = first.curves[quantity], second.curves[quantity]
        keep_a, keep_b = ~np.isnan(a).any(axis=1), ~np.isnan(b).any(axis=1)
        if pairs:
            keep_a = keep_b = keep_a & keep_b
        if not keep_a.any() or not keep_b.any():
            notes.append(f"{quantity}: no stride without masked frames in both.")
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
    keep_a: np.ndarray,
    keep_b: np.ndarray,
    sources: list[Source],
    matched: bool,
) -> list[Difference]:
    a, ja, dt_a = _kept(quantity, first, keep_a, sources)
    b, jb, dt_b = _kept(quantity, second, keep_b, sources)
    measures = {"peak": (peaks(a, ja), peaks(b, jb))}
    if quantity.endswith(_WITH_MINIMUM):
        measures["minimum"] = (_minima(a, ja), _minima(b, jb))
    if quantity.endswith(_WITH_IMPULSE):
        measures["impulse"] = (impulses(a, ja, dt_a), impulses(b, jb, dt_b))
    return [
        Difference(
            quantity=quantity,
            measure=measure,
            first=stride_interval(*one, sources, statistic="mean"),
            second=stride_interval(*two, sources, statistic="mean"),
            # Second minus first; the mean, so that first + change = second.
            change=paired_interval(*two, *one, sources, matched=matched, statistic="mean"),
            strides=(len(a), len(b)),
            covers=tuple(s.name for s in sources),
        )
        for measure, (one, two) in measures.items()
    ]


def _kept(
    quantity: str, which: Condition, keep: np.ndarray, sources: list[Source]
) -> tuple[Array, dict[str, Array], Array]:
    j = which.sensitivities.get(quantity, {})
    step = which.durations[keep] / (POINTS - 1)
    return which.curves[quantity][keep], {s.name: j[s.name][keep] for s in sources}, step


def _minima(curves: Array, sensitivities: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    values, j = peaks(-curves, {name: -s for name, s in sensitivities.items()})
    return -values, {name: -s for name, s in j.items()}


CSV_COLUMNS = (
    *("first", "second", "first_side", "second_side", "simulated", "matched"),
    *("quantity", "measure", "first_value", "first_low", "first_high"),
    *("second_value", "second_low", "second_high", "change", "change_low", "change_high"),
    *("distinct", "first_strides", "second_strides", "uncertainty_covers"),
    "curve_differs_percent",
)


def comparison_csv(comparisons: Sequence[Comparison]) -> str:
    """`comparison.csv`: one row a quantity, measure and pair, with intervals and clusters."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for comparison in comparisons:
        one, two = comparison.first, comparison.second
        for row in comparison.differences:
            numbers = [
                f"{float(value):.6g}"
                for interval in (row.first, row.second, row.change)
                for value in (interval.value, interval.low, interval.high)
            ]
            clusters = comparison.tests[row.quantity].clusters
            writer.writerow(
                [
                    *(one.name, two.name, one.side, two.side),
                    str(one.simulated or two.simulated).lower(),
                    str(comparison.matched).lower(),
                    *(row.quantity, row.measure, *numbers, str(row.distinct).lower()),
                    *row.strides,
                    "strides" + "".join(f" {name}" for name in row.covers),
                    " ".join(
                        f"{c.start:.0f}-{c.end:.0f}({'+' if c.sign > 0 else '-'})"
                        for c in clusters
                    ),
                ]
            )
    return out.getvalue()
