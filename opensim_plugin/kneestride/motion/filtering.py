"""Zero-lag smoothing, derivatives and resampling, one definition for markers and forces.

Inverse dynamics subtracts two measured quantities, segment accelerations and ground
forces. When they are smoothed differently the difference shows up as a joint moment
at every impact, so both sides go through `lowpass` with the same cut-off
("matched" filtering, Kristianslund et al. 2012, doi:10.1016/j.jbiomech.2011.12.011).

The filter is a second-order Butterworth run forwards and backwards: no lag, and a
gain of 1/(1 + (w/wc)^4). Running twice lowers the -3 dB point, so the design
frequency is raised until the double pass is at -3 dB exactly at the requested
cut-off (Winter 2009, Biomechanics and Motor Control, section 2.2.4.4).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate

from ..errors import SettingsError
from ..model.kernels import jit
from ..scratch import LONG, release, room
from ..vocabulary import Array, BoolArray

_SHORTEST_SEGMENT = 4
"""Fewer samples than this have no shape to smooth and pass unchanged."""

_TOGETHER = 6
"""Columns of a long recording that are smoothed in one go."""

_PADDING_PERIODS = 1.5
"""Padding at each end in periods of the cut-off; start-up transients fall below 1e-3 there."""

_LOOK_BACK_PERIODS = 6.0
"""Periods of the cut-off from which `continued` learns how a signal goes on."""

_ORDER = 8
"""Differences that predict the next one in `continued`."""

_TOLD = 1e-20
"""Share of a column's power left over below which rounding is all that remains."""

Ends = Literal["reflected", "continued"]


def runs(mask: BoolArray) -> list[tuple[int, int]]:
    """Half-open index ranges in which a mask is true.

    Parameters
    ----------
    mask : (T,) bool

    Returns
    -------
    list of (start, stop), in order, without overlap.
    """
    steps = np.diff(np.concatenate(([0], np.asarray(mask, dtype=np.int8), [0])))
    starts = np.flatnonzero(steps == 1)
    stops = np.flatnonzero(steps == -1)
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def sampling_rate(time: Array) -> float:
    """Rate in Hz of an evenly sampled clock (T,), from its two ends.

    Raises
    ------
    SettingsError
        When the times do not increase, or their steps differ by more than 1 %.
    """
    steps = np.diff(time)
    if len(time) < 2 or not np.all(steps > 0):
        raise SettingsError(
            "at least two times that increase",
            f"{len(time)} times"
            + ("" if len(time) < 2 else " with a step of zero or backwards"),
            "rebuild the time column from the first stamp and the rate",
        )
    rate = (len(time) - 1) / float(time[-1] - time[0])
    # Stamps rounded to milliseconds wobble by up to 1 ms; anything more is a gap.
    if np.max(np.abs(steps * rate - 1.0)) > max(0.01, 1.5e-3 * rate):
        raise SettingsError(
            "evenly spaced times",
            f"steps from {steps.min():.6g} to {steps.max():.6g} s",
            "rebuild the time column from the first stamp and the rate",
        )
    return rate


def lowpass(
    values: Array, rate: float, cutoff: float | None, ends: Ends = "reflected"
) -> Array:
    """Second-order Butterworth low-pass, forwards and backwards, -3 dB at `cutoff`.

    Missing samples (NaN) split a channel into segments; each is filtered on its own
    and the gaps stay NaN. Ends are continued by point reflection, which keeps value
    and slope of what was recorded there; short recordings are padded by what they
    have. The operation is linear and keeps constants and, away from the ends,
    straight lines. Reflection pulls the second derivative at the ends to zero; where
    that matters (`smooth_derivatives`) ends are `continued` instead, which keeps
    straight lines everywhere and is not linear near the ends.

    Parameters
    ----------
    values : (T, ...) any unit
    rate : float, Hz
    cutoff : float, Hz, or None for no filtering
    ends : 'reflected' or 'continued'

    Returns
    -------
    (T, ...) array of the same unit.

    Raises
    ------
    SettingsError
        When the cut-off is not between zero and half the rate.
    """
    values = np.asarray(values, dtype=np.float64)
    if cutoff is None:
        return values.copy()
    if not 0.0 < cutoff < 0.5 * rate:
        raise SettingsError(
            f"a low-pass cut-off between 0 and half the sampling rate ({0.5 * rate:g} Hz)",
            f"{cutoff:g} Hz",
            "choose a lower cut-off, or none",
        )
    sections = _sections(rate, cutoff)
    flat = values.reshape(len(values), -1)
    out = room(flat.shape)
    out[...] = flat
    padding = int(np.ceil(_PADDING_PERIODS * rate / cutoff))
    look_back = int(np.ceil(_LOOK_BACK_PERIODS * rate / cutoff)) if ends == "continued" else 0
    for start, stop, columns in _pieces(flat):
        part = flat[start:stop, columns]
        out[start:stop, columns] = _both_ways(sections, part, padding, look_back)
    return out.reshape(values.shape)


def _pieces(flat: Array) -> list[tuple[int, int, NDArray[np.intp]]]:
    """Stretches without a gap: (start, stop, columns); whole columns come together."""
    finite = np.isfinite(flat)
    whole = np.asarray(finite.all(axis=0))
    columns = np.flatnonzero(whole)
    # A few columns of a long recording at a time: a spline takes several copies of them.
    together = max(len(columns), 1) if len(flat) <= LONG else _TOGETHER
    pieces = [
        (0, len(flat), columns[first : first + together])
        for first in range(0, len(columns), together)
    ]
    for column in np.flatnonzero(~whole):
        pieces += [(a, b, np.array([column])) for a, b in runs(finite[:, column])]
    return pieces


def _sections(rate: float, cutoff: float) -> Array:
    """Numerator and denominator (b0, b1, b2, a1, a2) of the filter, a0 = 1."""
    # The bilinear transform maps f to tan(pi f / rate); the double-pass correction is
    # exact when made there: |H|^4 = 1/2 at the cut-off needs (w/wc)^4 = sqrt(2) - 1.
    w = np.tan(np.pi * cutoff / rate) / (np.sqrt(2.0) - 1.0) ** 0.25
    # s² + sqrt(2) s + 1 at s = (z - 1) / (w (z + 1)).
    norm = 1.0 + np.sqrt(2.0) * w + w**2
    b0 = w**2 / norm
    return np.array(
        [b0, 2 * b0, b0, 2 * (w**2 - 1) / norm, (1 - np.sqrt(2.0) * w + w**2) / norm]
    )


def _both_ways(sections: Array, values: Array, padding: int, look_back: int) -> Array:
    """Forwards and backwards, (T, K); ends reflected, or continued where looked back."""
    length = len(values)
    if length < _SHORTEST_SEGMENT:
        return values
    if min(look_back, length) > 3 * _ORDER:
        pad = padding
        before = continued(values[:look_back][::-1], pad)[::-1]
        after = continued(values[-look_back:], pad)
    else:
        pad = min(padding, length - 1)
        before = 2 * values[0] - values[pad:0:-1]
        after = 2 * values[-1] - values[-2 : -pad - 2 : -1]
    long = np.ascontiguousarray(np.concatenate([before, values, after]).T)
    _run(sections, long)
    _run(sections, long[:, ::-1])
    return long[:, pad : pad + length].T


def continued(values: Array, count: int) -> Array:
    """What comes next, when a signal goes on as it did: autoregression of its differences.

    Each difference between samples is predicted from the eight before it, with Burg's
    coefficients (Burg 1975, Maximum entropy spectral analysis, Stanford), which never
    grow without bound. Steady motion goes on in a straight line.

    Parameters
    ----------
    values : (T, K), without gaps, T > 8
    count : int, samples wanted

    Returns
    -------
    (count, K)
    """
    steps = np.diff(values, axis=0)
    mean = steps.mean(axis=0)
    steps = steps - mean
    weights = _burg(steps)
    known = list(steps[-_ORDER:][::-1])
    out = np.empty((count, values.shape[1]))
    for k in range(count):
        after = -np.einsum("ok,ok->k", weights, np.asarray(known[:_ORDER]))
        known.insert(0, after)
        out[k] = after
    total: Array = values[-1] + np.cumsum(out + mean, axis=0)
    return total


def _burg(x: Array) -> Array:
    """Prediction error coefficients (order, K) of each column, newest sample first."""
    forward, backward = x[1:], x[:-1]
    a = np.zeros((_ORDER + 1, x.shape[1]))
    a[0] = 1.0
    for k in range(_ORDER):
        power = (forward**2).sum(axis=0) + (backward**2).sum(axis=0)
        # A column that is told already (or does not move) needs no further term.
        told = power <= _TOLD * (x**2).sum(axis=0) + np.finfo(float).tiny
        cross = (forward * backward).sum(axis=0)
        r = np.where(told, 0.0, -2.0 * cross / np.where(told, 1.0, power))
        a[1 : k + 2] += r * a[: k + 1][::-1]
        forward, backward = forward[1:] + r * backward[1:], backward[:-1] + r * forward[:-1]
    return a[1:]


@jit
def _run(section: Array, rows: Array) -> None:
    """Filter rows (K, T) in place, started as if the first sample had always been there."""
    b0, b1, b2, a1, a2 = section
    gain = (b0 + b1 + b2) / (1.0 + a1 + a2)
    for k in range(rows.shape[0]):
        # State of the transposed direct form II at rest at the first sample.
        z2 = (b2 - a2 * gain) * rows[k, 0]
        z1 = (b1 - a1 * gain) * rows[k, 0] + z2
        for t in range(rows.shape[1]):
            x = rows[k, t]
            y = b0 * x + z1
            z1 = b1 * x - a1 * y + z2
            z2 = b2 * x - a2 * y
            rows[k, t] = y


def smooth_derivatives(
    time: Array, q: Array, cutoff: float | None
) -> tuple[Array, Array, Array]:
    """Smoothed signal with its first and second derivative.

    The signal is low-passed and then interpolated by a quintic spline, whose second
    derivative is itself a smooth cubic: a cubic spline would give an acceleration
    made of straight pieces, and differences of samples attenuate. OpenSim's
    InverseDynamicsTool differentiates with quintic splines too, so that the two can
    be compared to rounding error. Exact for polynomials up to degree five when
    `cutoff` is None. Segments shorter than six samples get the highest degree they
    carry; gaps stay NaN.

    At its ends the signal is continued by what it did before (`continued`): reflected
    ends make accelerations there tend to zero, just where recordings of one gait cycle
    begin and end. On walking cut short at many frames (opencap04), the acceleration of
    the last half period is off by half as much as with reflection (docs/validation.md).

    Parameters
    ----------
    time : (T,) s, evenly spaced
    q : (T, ...) rad or m
    cutoff : float, Hz, or None

    Returns
    -------
    q, qd, qdd : arrays of the shape of `q`; unit, unit/s, unit/s².
    """
    smooth = lowpass(q, sampling_rate(time), cutoff, "continued")
    flat = smooth.reshape(len(smooth), -1)
    first, second = room(flat.shape), room(flat.shape)
    first[...] = second[...] = np.nan
    for start, stop, columns in _pieces(flat):
        degree = min(5, stop - start - 1)
        if degree < 1:
            continue
        t = time[start:stop]
        spline = interpolate.make_interp_spline(t, flat[start:stop, columns], k=degree)
        first[start:stop, columns] = spline(t, 1)
        second[start:stop, columns] = spline(t, 2) if degree > 1 else 0.0
        if len(flat) > LONG:
            release()
    return smooth, first.reshape(q.shape), second.reshape(q.shape)


def resample(time: Array, values: Array, new_time: Array, cutoff: float | None) -> Array:
    """Low-pass at the signal's own rate, then read it at other times.

    Filtering comes first, because taking every tenth sample of an unfiltered force
    folds its plate vibration into the band of the movement. Between samples a cubic
    spline is used. Times outside the recording, or inside a gap, give NaN.

    Parameters
    ----------
    time : (S,) s, evenly spaced
    values : (S, ...) any unit
    new_time : (T,) s, on the same clock
    cutoff : float, Hz, or None

    Returns
    -------
    (T, ...) array.
    """
    values = np.asarray(values, dtype=np.float64)
    smooth = lowpass(values, sampling_rate(time), cutoff).reshape(len(values), -1)
    out = np.full((len(new_time), smooth.shape[1]), np.nan)
    # A thousandth of a step: clocks that agree up to rounding do agree.
    slack = 1e-3 * float(time[1] - time[0])
    for start, stop, columns in _pieces(smooth):
        t = time[start:stop]
        here = np.flatnonzero((new_time >= t[0] - slack) & (new_time <= t[-1] + slack))
        if len(here) == 0:
            continue
        at = np.clip(new_time[here], t[0], t[-1])
        if stop - start == 1:
            read = np.repeat(smooth[start:stop, columns], len(here), axis=0)
        else:
            degree = min(3, stop - start - 1)
            read = interpolate.make_interp_spline(t, smooth[start:stop, columns], k=degree)(at)
        out[np.ix_(here, columns)] = read
    return out.reshape((len(new_time), *values.shape[1:]))
