"""How large a difference is: mean, interval, and Hedges' g with its own.

Plain mathematics on one number a person.

Sources: Hedges 1981, doi:10.3102/10769986006002107 (g and its correction); Cumming 2012,
Understanding The New Statistics, ISBN 978-0-415-87968-2 (the average standard deviation
for pairs); Bonett 2008, doi:10.1037/1082-989X.13.2.99 (its variance); Steiger & Fouladi
1997 (interval between groups, by pivoting the noncentral t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from ..vocabulary import Array

LEVEL = 0.95
FEWEST = 3
"""People below which g says nothing."""


@dataclass(frozen=True)
class Effect:
    """The second sample minus the first.

    Attributes
    ----------
    n : (int, int)
    mean, sd : (float, float) in the measure's unit
    difference, low, high : float
        Difference of means and its 95 % interval (t; Welch's for two groups).
    p : float, two-sided, of that t
    g, g_low, g_high : float
        Hedges' g and its 95 % interval; NaN below three people or without spread.
    """

    n: tuple[int, int]
    mean: tuple[float, float]
    sd: tuple[float, float]
    difference: float
    low: float
    high: float
    p: float
    g: float
    g_low: float
    g_high: float


def correction(df: float) -> float:
    """Hedges' exact small-sample factor J for this many degrees of freedom (above 1)."""
    return math.exp(
        special.gammaln(df / 2) - special.gammaln((df - 1) / 2) - 0.5 * math.log(df / 2)
    )


def noncentrality(t: float, df: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval of the noncentrality parameter that a t value tells of.

    The ends are those parameters under which a t as large, or as small, as the one found
    has half of the remaining probability.
    """
    tail = (1.0 - level) / 2.0
    spread = math.sqrt(1.0 + t * t / (2.0 * df))

    def end(share: float, guess: float) -> float:
        def off(delta: float) -> float:
            return float(stats.nct.cdf(t, df, delta)) - share

        reach = 3.0 * spread
        low, high = guess - reach, guess + reach
        a, b = off(low), off(high)
        # Far out the library's series may fail; there the normal limit is exact enough.
        if not (math.isfinite(a) and math.isfinite(b)) or a * b > 0:
            return guess
        return float(optimize.brentq(off, low, high, xtol=1e-10))

    z = float(stats.norm.ppf(1.0 - tail))
    return end(1.0 - tail, t - z * spread), end(tail, t + z * spread)


def paired_effect(first: Array, second: Array) -> Effect:
    """The same people twice, (n,) each; pairs with a NaN are left out.

    g is the mean difference over the average standard deviation of the two (g_av), so that
    it is comparable with one between groups.
    """
    both = np.isfinite(first) & np.isfinite(second)
    a, b = np.asarray(first, float)[both], np.asarray(second, float)[both]
    n = len(a)
    change = b - a
    difference = _mean(change)
    spread = _sd(change)
    low, high, p = _t(difference, spread / math.sqrt(n) if n else math.nan, n - 1.0)
    average = math.sqrt((_sd(a) ** 2 + _sd(b) ** 2) / 2.0)
    g = g_low = g_high = math.nan
    if n >= FEWEST and average > 0.0:
        va, vb, cross = _sd(a) ** 2, _sd(b) ** 2, (_sd(a) ** 2 + _sd(b) ** 2 - spread**2) / 2.0
        # How surely the scale is known: two samples that correlate tell less than two.
        doubt = (va**2 + vb**2 + 2.0 * cross**2) / (8.0 * average**4 * (n - 1.0))
        df = 1.0 / (2.0 * doubt)
        j, d = correction(df), difference / average
        error = j * math.sqrt((spread / average) ** 2 / n + d * d * doubt)
        reach = float(stats.t.ppf(0.5 + LEVEL / 2, df)) * error
        g, g_low, g_high = j * d, j * d - reach, j * d + reach
    return Effect(
        (n, n), (_mean(a), _mean(b)), (_sd(a), _sd(b)), difference, low, high, p,
        g, g_low, g_high,
    )  # fmt: skip


def group_effect(first: Array, second: Array) -> Effect:
    """Different people, (n,) and (m,); NaN are left out. g is over the pooled deviation."""
    a = np.asarray(first, float)[np.isfinite(first)]
    b = np.asarray(second, float)[np.isfinite(second)]
    n, m = len(a), len(b)
    difference = _mean(b) - _mean(a)
    low = high = p = g = g_low = g_high = math.nan
    if n >= 2 and m >= 2:
        va, vb = _sd(a) ** 2 / n, _sd(b) ** 2 / m
        if va + vb > 0.0:
            df = (va + vb) ** 2 / (va**2 / (n - 1) + vb**2 / (m - 1))
            low, high, p = _t(difference, math.sqrt(va + vb), df)
        df = n + m - 2.0
        pooled = math.sqrt(((n - 1) * _sd(a) ** 2 + (m - 1) * _sd(b) ** 2) / df)
        if min(n, m) >= FEWEST and pooled > 0.0:
            j, size = correction(df), math.sqrt(n * m / (n + m))
            d = difference / pooled
            ends = noncentrality(d * size, df)
            g, g_low, g_high = j * d, j * ends[0] / size, j * ends[1] / size
    return Effect(
        (n, m), (_mean(a), _mean(b)), (_sd(a), _sd(b)), difference, low, high, p,
        g, g_low, g_high,
    )  # fmt: skip


def mean_interval(values: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Mean, standard deviation, n and the 95 % interval of the mean over the first axis.

    Parameters
    ----------
    values : (N, ...)
        NaN are left out, point by point.

    Returns
    -------
    mean, sd, n, low, high : (...)
        sd and interval NaN below two.
    """
    seen = np.isfinite(values)
    n = seen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(seen, values, 0.0).sum(axis=0) / n
        square = np.where(seen, (values - mean) ** 2, 0.0).sum(axis=0)
        sd = np.where(n > 1, np.sqrt(square / (n - 1)), np.nan)
        reach = stats.t.ppf(0.5 + LEVEL / 2, np.maximum(n - 1, 1)) * sd / np.sqrt(n)
    return mean, sd, n, mean - reach, mean + reach


def _t(difference: float, error: float, df: float) -> tuple[float, float, float]:
    if not (df >= 1.0 and error > 0.0):
        return math.nan, math.nan, math.nan
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, df)) * error
    p = 2.0 * float(stats.t.sf(abs(difference) / error, df))
    return difference - reach, difference + reach, p


def _mean(x: Array) -> float:
    return float(x.mean()) if len(x) else math.nan


def _sd(x: Array) -> float:
    return float(x.std(ddof=1)) if len(x) > 1 else math.nan
