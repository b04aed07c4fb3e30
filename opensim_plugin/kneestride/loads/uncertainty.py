"""95 % intervals for loads, their peaks and impulses, and for paired differences.

A load y is computed from inputs that are known only within some spread: where the
static alignment, the contact points, the knee centre and the centre of pressure are,
how strong the muscles are, which recruitment criterion the body follows. To first
order source s shifts y by J_s δ_s, with J_s = ∂y/∂s and δ_s of standard deviation σ_s.
The J come from arithmetic (`analytic_sensitivities`) or from reruns of the chain
(`finite_differences`, `alternatives`).

How much of this matters depends on the question. One source's shift is split into a
part that stays over all strides of a trial (share `within`) and a part that is new in
each stride, and each of them into a part common to two paired trials (share `between`)
and a part of each trial's own. With J̄ the mean of J over the n strides of a trial

    one trial      var = σ² [ w J̄² + (1 - w) ΣJ²/n² ]
    A minus B      var = σ² { w [ b (J̄_A - J̄_B)² + (1 - b)(J̄_A² + J̄_B²) ]
                             + (1 - w) [ Σ b (J_A - J_B)² + (1 - b)(J_A² + J_B²) ] / n² }

(matched strides; strides that are not matched share nothing, so b = 0 in the second
line). A static alignment that is 2° wrong is equally wrong in both trials of one
session, so it enters a paired difference only through J̄_A - J̄_B: that is why
differences are known far better than levels, and why a stride compared with itself
gives zero.

Stride-to-stride variation is bootstrapped over strides and widened for small samples;
each end of the interval lies sqrt(bootstrap reach² + (1.96 sd of all sources)²) from the
value.
Method: JCGM 100:2008 (first-order law of propagation with correlated inputs); Efron &
Tibshirani 1993 (bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from ..errors import SettingsError
from ..vocabulary import Array, BoolArray
from .sensitivities import (
    Pairing,
    Source,
    alternatives,
    analytic_sensitivities,
    default_sources,
    finite_differences,
)

__all__ = [
    "Interval",
    "Pairing",
    "Source",
    "alternatives",
    "analytic_sensitivities",
    "default_sources",
    "finite_differences",
    "impulses",
    "paired_interval",
    "peaks",
    "propagate",
    "propagate_difference",
    "stride_interval",
]

LEVEL = 0.95
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval.

    Attributes
    ----------
    value, low, high, sd : arrays of one shape (0-d for a peak or impulse)
    parts : mapping of source name to its standard deviation, plus 'strides' for the
        stride-to-stride part where there is one
    strides : int
        Number of strides behind the value; with 1 there is no stride-to-stride part.
    """

    value: Array
    low: Array
    high: Array
    sd: Array
    parts: Mapping[str, Array] = field(default_factory=dict)
    strides: int = 1

    def contains(self, value: float) -> bool:
        """True where every element's interval contains `value`."""
        return bool(np.all((self.low <= value) & (value <= self.high)))


# --- intervals of curves ------------------------------------------------------------


def propagate(
    base: Array,
    sensitivities: Mapping[str, Array],
    sources: Sequence[Source],
    floor: float | None = None,
) -> Interval:
    """Interval of every element of `base`: value ± 1.96 sqrt(Σ (J σ)²).

    Parameters
    ----------
    base : (T, 2, ...) any shape
    sensitivities : mapping of source name to array of the same shape
    sources : sequence of Source
    floor : float, optional
        Physical lower bound of the ends (0 for a contact force).
    """
    _check(sensitivities, sources)
    parts = {s.name: np.abs(sensitivities[s.name]) * s.sigma for s in sources}
    return _normal(base, parts, floor)


def propagate_difference(
    a: Array,
    sensitivities_a: Mapping[str, Array],
    b: Array,
    sensitivities_b: Mapping[str, Array],
    sources: Sequence[Source],
) -> Interval:
    """Interval of a - b, element by element, with the share `between` common to both."""
    _check(sensitivities_a, sources)
    _check(sensitivities_b, sources)
    parts: dict[str, Array] = {}
    for source in sources:
        ja, jb = sensitivities_a[source.name], sensitivities_b[source.name]
        common = source.between * (ja - jb) ** 2
        own = (1.0 - source.between) * (ja**2 + jb**2)
        parts[source.name] = source.sigma * np.sqrt(common + own)
    return _normal(a - b, parts, None)


def _normal(value: Array, parts: Mapping[str, Array], floor: float | None) -> Interval:
    sd = np.sqrt(sum((p**2 for p in parts.values()), np.zeros_like(value)))
    half = ndtri(0.5 + LEVEL / 2.0) * sd
    low, high = value - half, value + half
    if floor is not None:
        low, high = np.maximum(low, floor), np.maximum(high, floor)
    return Interval(value, low, high, sd, dict(parts))


# --- intervals of strides -----------------------------------------------------------


def peaks(curves: Array, sensitivities: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Peak of each stride, and the sensitivities there.

    To first order the moment of the peak does not matter (the curve is flat there), so
    the peak's sensitivity is the curve's at that frame. Strides that are all NaN give
    NaN.

    Parameters
    ----------
    curves : (N, T)
    sensitivities : mapping of source name to (N, T)

    Returns
    -------
    (N,), mapping of source name to (N,)
    """
    empty = np.isnan(curves).all(axis=1)
    at = np.where(np.isnan(curves), -np.inf, curves).argmax(axis=1)
    rows = np.arange(len(curves))

    def pick(values: Array) -> Array:
        return np.where(empty, np.nan, values[rows, at])

    return pick(curves), {name: pick(j) for name, j in sensitivities.items()}


def impulses(
    curves: Array, sensitivities: Mapping[str, Array], time_step: Array
) -> tuple[Array, dict[str, Array]]:
    """Impulse of each stride (trapezoid) and its sensitivities, as for `peaks`.

    Parameters
    ----------
    curves : (N, T)
    sensitivities : mapping of source name to (N, T)
    time_step : (N,) s between the samples of each stride
    """

    def integrate(values: Array) -> Array:
        return np.asarray(np.trapezoid(values, axis=1) * time_step, dtype=float)

    return integrate(curves), {name: integrate(j) for name, j in sensitivities.items()}


def stride_interval(
    values: Array,
    sensitivities: Mapping[str, Array],
    sources: Sequence[Source],
    statistic: Literal["mean", "median"] = "median",
    floor: float | None = None,
    seed: int = 0,
) -> Interval:
    """Interval of the mean or median over strides of one trial.

    Parameters
    ----------
    values : (N,)
        One number a stride (peak, impulse); NaN strides are left out.
    sensitivities : mapping of source name to (N,)
    sources : sequence of Source
    statistic : {'mean', 'median'}
    floor : float, optional
    seed : int
        Of the bootstrap: the same input gives the same interval.
    """
    _check(sensitivities, sources)
    keep = ~np.isnan(values)
    n = _count(keep)
    values = values[keep]
    parts: dict[str, Array] = {}
    for source in sources:
        j = sensitivities[source.name][keep]
        variance = source.within * j.mean() ** 2
        variance += (1.0 - source.within) * np.sum(j**2) / n**2
        parts[source.name] = np.asarray(source.sigma * np.sqrt(variance))
    take = _statistic(statistic)
    centre = float(take(values, axis=0))
    deviations = _bootstrap(values, take, seed)
    return _combined(centre, deviations, parts, n, floor)


def paired_interval(
    values_a: Array,
    sensitivities_a: Mapping[str, Array],
    values_b: Array,
    sensitivities_b: Mapping[str, Array],
    sources: Sequence[Source],
    matched: bool = False,
    statistic: Literal["mean", "median"] = "median",
    seed: int = 0,
) -> Interval:
    """Interval of trial A minus trial B over their strides.

    Parameters
    ----------
    values_a, values_b : (N_a,), (N_b,)
    sensitivities_a, sensitivities_b : mappings of source name to (N_a,), (N_b,)
    sources : sequence of Source
    matched : bool
        Stride k of B is stride k of A changed (a simulated variant): the differences
        are taken stride by stride and resampled together.
    statistic : {'mean', 'median'}
        Of the differences when matched, else of each trial.
    seed : int

    Raises
    ------
    SettingsError
        When matched trials have different numbers of strides, or no stride is left.
    """
    _check(sensitivities_a, sources)
    _check(sensitivities_b, sources)
    if matched and len(values_a) != len(values_b):
        raise SettingsError(
            "as many strides in both of two matched trials",
            f"{len(values_a)} and {len(values_b)}",
            "compare them unmatched, or match their strides first",
        )
    keep_a, keep_b = ~np.isnan(values_a), ~np.isnan(values_b)
    if matched:
        keep_a = keep_b = keep_a & keep_b
    na, nb = _count(keep_a), _count(keep_b)
    a, b = values_a[keep_a], values_b[keep_b]
    parts: dict[str, Array] = {}
    for s in sources:
        ja, jb = sensitivities_a[s.name][keep_a], sensitivities_b[s.name][keep_b]
        stay = s.between * (ja.mean() - jb.mean()) ** 2
        stay += (1.0 - s.between) * (ja.mean() ** 2 + jb.mean() ** 2)
        anew = np.sum(ja**2) / na**2 + np.sum(jb**2) / nb**2
        if matched:
            # 2 b J_A J_B is what the common part takes off each matched pair.
            anew -= 2.0 * s.between * np.sum(ja * jb) / na**2
        variance = s.within * stay + (1.0 - s.within) * max(anew, 0.0)
        parts[s.name] = np.asarray(s.sigma * np.sqrt(variance))
    take = _statistic(statistic)
    if matched:
        centre = float(take(a - b, axis=0))
        deviations = _bootstrap(a - b, take, seed)
    else:
        centre = float(take(a, axis=0) - take(b, axis=0))
        deviations = _bootstrap(a, take, seed) - _bootstrap(b, take, seed + 1)
    return _combined(centre, deviations, parts, min(na, nb), None)


def _check(sensitivities: Mapping[str, Array], sources: Sequence[Source]) -> None:
    # A source without a sensitivity would silently narrow the interval.
    missing = [s.name for s in sources if s.name not in sensitivities]
    if missing:
        raise SettingsError(
            "a sensitivity for every uncertainty source",
            f"none for {', '.join(missing)}",
            "compute it, or leave the source out and say so",
            sensitivities,
        )


def _count(keep: BoolArray) -> int:
    n = int(np.count_nonzero(keep))
    if n == 0:
        raise SettingsError(
            "at least one stride with loads",
            "none",
            "choose another part of the recording, or leave this quantity out",
        )
    return n


def _statistic(name: str) -> Callable[..., Array]:
    return np.mean if name == "mean" else np.median


def _bootstrap(values: Array, take: Callable[..., Array], seed: int) -> Array:
    """(DRAWS,) deviations of the resampled statistic from the statistic itself.

    Resampling n values understates their variance by (n - 1)/n and ignores that it is
    estimated at all; the factor √(n/(n-1)) t/z puts both right for the mean.
    """
    n = len(values)
    if n < 2:
        return np.zeros(DRAWS)
    rng = np.random.default_rng(seed)
    drawn = take(values[rng.integers(0, n, size=(DRAWS, n))], axis=1)
    upper = 0.5 + LEVEL / 2.0
    widen = np.sqrt(n / (n - 1.0)) * stdtrit(n - 1, upper) / ndtri(upper)
    return np.asarray((drawn - take(values, axis=0)) * widen, dtype=float)


def _combined(
    centre: float,
    deviations: Array,
    parts: dict[str, Array],
    strides: int,
    floor: float | None,
) -> Interval:
    systematic = float(np.sqrt(sum(float(p) ** 2 for p in parts.values())))
    # Each side in squares: exact when both parts are normal, keeps the skew of the
    # strides, and never narrows when a source grows.
    below, above = np.quantile(deviations, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    reach = ndtri((1.0 + LEVEL) / 2.0) * systematic
    low = centre - float(np.hypot(min(below, 0.0), reach))
    high = centre + float(np.hypot(max(above, 0.0), reach))
    if floor is not None:
        low, high = max(low, floor), max(high, floor)
    sampling = float(deviations.std())
    if strides > 1:
        parts = parts | {"strides": np.asarray(sampling)}
    sd = np.hypot(systematic, sampling)
    return Interval(
        np.asarray(centre), np.asarray(low), np.asarray(high), np.asarray(sd), parts, strides
    )
