"""Noise out of key points without a lag: penalised smoothing with weights.

Each path z follows the points y by

    min Σ_t w_t |y_t - z_t|² + λ Σ_t |Δ³ z_t|²

(Whittaker 1923; Eilers 2003, doi:10.1021/ac034173t). It is symmetric in time, so it
does not lag; a weight of 0 ignores a sample and the path runs on through it; λ sets a
cut-off like that of a third-order Butterworth filter run both ways. The weights are the
detector's confidence times a robust factor that falls with the distance to the path
(Cauchy first, then Tukey's biweight; Huber & Ronchetti 2009), so that a stray detection
does not pull. How strongly to smooth is read from the spectrum: where the movement
sinks into what remains at high frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array, BoolArray
from .gaps import inner_gaps

LOWEST, HIGHEST = 4.0, 15.0
"""Hz; a cut-off is never below what walking needs, nor above what running needs."""

FLOOR = 0.002
"""m; a residual this small is never an outlier."""

REACH = 0.15
"""s; a path is trusted across a gap up to this long."""

BRIDGED = 0.1
"""Share of a point's usual confidence that a path keeps across a gap: little, but enough that
a body without its hips for a tenth of a second does not turn over."""

_ROUNDS = 5


@dataclass(frozen=True)
class Smoothed:
    """Smoothed paths.

    Attributes
    ----------
    positions : (T, K, D), NaN where no sample is near
    weight : (T, K) 0 to 1: confidence times the robust factor, averaged over the filter's
        width; how far to trust the path there
    cutoff : float, Hz
    outliers : (K,) int, samples left out as strays
    noise : (K,) residual spread per axis, unit of the positions
    used : (T, K) bool, samples that were seen and are no strays
    """

    positions: Array
    weight: Array
    cutoff: float
    outliers: Array
    noise: Array
    used: BoolArray


def penalty(cutoff: float, rate: float) -> float:
    """λ that leaves 1/√2 of the amplitude at `cutoff` (Hz).

    The gain of the smoother is 1 / (1 + λ (2 sin(π f / rate))⁶).
    """
    return float((np.sqrt(2.0) - 1.0) / (2.0 * np.sin(np.pi * cutoff / rate)) ** 6)


def whittaker(values: Array, weight: Array, strength: float) -> Array:
    """Weighted smoother with third differences.

    Parameters
    ----------
    values : (T, D); what has no weight may be anything finite
    weight : (T,) >= 0
    strength : float, λ

    Returns
    -------
    (T, D)
    """
    T = len(values)
    if T < 5:
        return np.asarray(values, dtype=float)
    d = np.array([-1.0, 3.0, -3.0, 1.0])
    bands = np.zeros((4, T))
    for i in range(4):
        for j in range(i, 4):
            # D'D, upper form of solveh_banded: bands[3 - (j - i), column j]
            bands[3 - (j - i), j : T - 3 + j] += d[i] * d[j]
    bands *= strength
    # A breath of weight everywhere keeps long gaps solvable.
    bands[3] += weight + 1e-9
    from scipy.linalg import solveh_banded

    out: Array = solveh_banded(bands, weight[:, None] * values)
    return out


def choose_cutoff(positions: Array, rate: float) -> float:
    """Cut-off (Hz) where the movement sinks into the noise.

    The mean power spectrum over points and axes is compared with what the upper part of
    it says of noise: a + b / f², white noise and wandering together. The cut-off is the
    first frequency from which the spectrum stays below four times that.

    Parameters
    ----------
    positions : (T, K, D), NaN where not seen
    rate : float, Hz
    """
    highest = min(HIGHEST, 0.4 * rate)
    T = len(positions)
    if 4 * rate / LOWEST > T:
        return float(min(8.0, highest))
    flat = positions.reshape(T, -1)
    series = []
    for column in flat.T:
        seen = np.isfinite(column)
        if seen.mean() < 0.5:
            continue
        filled = np.interp(np.arange(T), np.flatnonzero(seen), column[seen])
        series.append(filled)
    if not series:
        return float(min(8.0, highest))
    # Markers of a laboratory never come here; SciPy's signal room is slow to open.
    from scipy.signal import welch

    f, power = welch(np.array(series), rate, nperseg=min(T, round(2.0 * rate)))
    spectrum = np.median(power, axis=0)
    if not spectrum.max() > 1e-12:
        return LOWEST  # nothing moves
    spectrum = np.maximum(spectrum, 1e-12 * spectrum.max())
    top = (f >= 0.25 * rate) & (f < 0.48 * rate)
    if not top.any():
        return float(min(8.0, highest))
    design = np.column_stack([np.ones(top.sum()), f[top] ** -2.0]) / spectrum[top, None]
    a, b = np.maximum(np.linalg.lstsq(design, np.ones(top.sum()), rcond=None)[0], 0.0)
    noise = a + b / np.maximum(f, f[1]) ** 2
    above = np.flatnonzero((spectrum > 4.0 * noise) & (f <= highest))
    return float(np.clip(f[above[-1]] if above.size else LOWEST, LOWEST, highest))


def smooth_keypoints(
    positions: Array, confidence: Array, rate: float, cutoff: float | None = None
) -> Smoothed:
    """Smooth paths of key points, ignoring strays.

    Parameters
    ----------
    positions : (T, K, D), NaN where not seen
    confidence : (T, K) 0 to 1
    rate : float, Hz
    cutoff : float, Hz, optional
        `choose_cutoff` when left out.
    """
    T, K, _ = positions.shape
    if cutoff is None:
        # Strays spread over all frequencies: they go before the spectrum is read.
        first = smooth_keypoints(positions, confidence, rate, min(HIGHEST, 0.4 * rate))
        clean = np.where(first.used[..., None], positions, np.nan)
        cutoff = choose_cutoff(clean, rate)
    strength = penalty(cutoff, rate)
    seen = np.isfinite(positions).all(axis=2) & (confidence > 0)
    values = np.where(seen[..., None], positions, 0.0)
    out = np.full_like(positions, np.nan)
    trust = np.zeros((T, K))
    outliers = np.zeros(K)
    noise = np.full(K, np.nan)
    kept = np.zeros((T, K), dtype=bool)
    reach = max(1, round(REACH * rate))
    width = max(1, round(rate / cutoff / 4))
    kernel = np.ones(2 * width + 1) / (2 * width + 1)
    for k in range(K):
        here = seen[:, k]
        if here.sum() < 2:
            continue
        base = np.where(here, confidence[:, k], 0.0)
        robust = np.ones(T)
        path = values[:, k]
        scale = FLOOR
        for turn in range(_ROUNDS):
            path = whittaker(values[:, k], base * robust, strength)
            apart = np.linalg.norm(values[:, k] - path, axis=1)
            # Median of a chi variable with D axes: 0.674, 1.177, 1.538.
            typical = (0.674, 1.177, 1.538)[positions.shape[2] - 1]
            scale = max(float(np.median(apart[here])) / typical, FLOOR)
            u = apart / scale
            if turn < 2:
                robust = 1.0 / (1.0 + (u / 3.0) ** 2)
            else:
                robust = np.clip(1.0 - (u / 8.0) ** 2, 0.0, None) ** 2
            robust[~here] = 0.0
        gone = here & (robust < 0.05)
        outliers[k] = int(gone.sum())
        noise[k] = scale
        used = here & ~gone
        kept[:, k] = used
        path = path.copy()
        for start, stop in inner_gaps(used):
            if stop - start > reach:
                path[start:stop] = np.nan
        known = np.flatnonzero(used)
        if not known.size:
            continue
        path[: known[0]] = np.nan
        path[known[-1] + 1 :] = np.nan
        out[:, k] = path
        usual = float(np.median(base[used]))
        trust[:, k] = np.maximum(
            np.convolve(base * robust, kernel, mode="same"), BRIDGED * usual
        )
    trust[~np.isfinite(out).all(axis=2)] = 0.0
    return Smoothed(out, np.clip(trust, 0.0, 1.0), cutoff, outliers, noise, kept)
