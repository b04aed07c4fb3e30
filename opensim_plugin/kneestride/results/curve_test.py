"""Where along the stride two sets of curves differ: statistical parametric mapping.

One t statistic a node, and one threshold that noise as smooth as these curves exceeds
anywhere in only 5 % of repetitions (random field theory; Friston 2007, Pataky 2010).
The mathematics is spm1d's, the field's reference implementation. What is added here is
what real loads need: parts of the stride in which nothing varies (a compartment that is
off in swing) cannot be tested and are left out, and each remaining part gets its share
of the 5 % by its length.

The repetitions are strides. The test speaks of this runner's strides in these
recordings, not of runners at large; for those, pass one mean curve a runner.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ResultsError
from ..vocabulary import Array

FEWEST = 5
"""Strides a side below which no curve test is made."""

_SHORTEST = 5
_ALPHA = 0.05


@dataclass(frozen=True)
class Cluster:
    """A part of the stride in which the curves differ.

    Attributes
    ----------
    start, end : float
        Percent of the stride.
    p : float
        Probability of a cluster as long as this under no difference.
    sign : {-1, 1}
        1 where the second set is higher.
    """

    start: float
    end: float
    p: float
    sign: int


@dataclass(frozen=True)
class CurveTest:
    """Result of a curve test.

    Attributes
    ----------
    t : (Q,) statistic, NaN where nothing varies
    threshold : (Q,) critical |t|, NaN where there is none
    clusters : tuple of Cluster
    note : str
        Why there is no test, or ''.
    """

    t: Array
    threshold: Array
    clusters: tuple[Cluster, ...]
    note: str = ""


def curve_test(first: Array, second: Array, matched: bool) -> CurveTest:
    """Test the second set of curves against the first, two-sided, at 5 %.

    Parameters
    ----------
    first, second : (N, Q), (M, Q)
        One time-normalised curve a row, without NaN.
    matched : bool
        Row k of both belong together (then N = M and differences are tested);
        otherwise Welch's test, for unequal variances.

    Returns
    -------
    CurveTest
        `t` is positive where the second set is higher.

    Raises
    ------
    ResultsError
        When matched sets differ in number.
    """
    nodes = first.shape[1]
    nothing = np.full(nodes, np.nan)
    if matched and len(first) != len(second):
        raise ResultsError(
            "as many curves in both of two matched sets",
            f"{len(first)} and {len(second)}",
            "compare them unmatched",
        )
    if min(len(first), len(second)) < FEWEST:
        note = f"no curve test: fewer than {FEWEST} strides"
        return CurveTest(nothing, nothing, (), note)
    spread = _spread(first, second, matched)
    scale = max(float(np.abs(first).max()), float(np.abs(second).max()), 1e-300)
    parts = _runs(spread > 1e-9 * scale)
    if not parts:
        return CurveTest(nothing, nothing, (), "no curve test: the curves do not vary")
    spm1d = importlib.import_module("spm1d")
    t, threshold, clusters = nothing.copy(), nothing.copy(), []
    tested = sum(stop - start for start, stop in parts)
    for start, stop in parts:
        alpha = _ALPHA * (stop - start) / tested
        found = _test(spm1d, first[:, start:stop], second[:, start:stop], matched, alpha)
        t[start:stop], threshold[start:stop] = found.z, found.zstar
        for cluster in found.clusters:
            low, high = sorted(float(end) for end in cluster.endpoints)
            middle = t[start + round((low + high) / 2.0)]
            percent = 100.0 / (nodes - 1)
            clusters.append(
                Cluster(
                    start=(start + low) * percent,
                    end=(start + high) * percent,
                    p=float(cluster.P),
                    sign=1 if middle > 0 else -1,
                )
            )
    return CurveTest(t, threshold, tuple(clusters))


def _test(spm1d: Any, first: Array, second: Array, matched: bool, alpha: float) -> Any:
    if matched:
        field = spm1d.stats.ttest_paired(second, first)
    else:
        field = spm1d.stats.ttest2(second, first, equal_var=False)
    return field.inference(alpha, two_tailed=True)


def _spread(first: Array, second: Array, matched: bool) -> Array:
    if matched:
        return np.asarray((second - first).std(axis=0), dtype=float)
    return np.asarray(np.minimum(first.std(axis=0), second.std(axis=0)), dtype=float)


def _runs(varies: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of the runs of True that are long enough to be a curve."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], varies.astype(np.int8), [0]])))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(int(a), int(b)) for a, b in pairs if b - a >= _SHORTEST]
