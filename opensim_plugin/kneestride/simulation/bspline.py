"""Periodic curves: the captured stride and the change that is fitted to it.

A stride repeats, so everything here closes on itself after one period. The captured stride
is an interpolating quintic spline through its frames; the change Δq(t) has far fewer knots,
because what a runner would change is smooth, and quintic, so that its second derivative,
which the equations of motion need, is a smooth cubic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import interpolate

from ..vocabulary import Array

DEGREE = 5


@dataclass(frozen=True)
class Basis:
    """Periodic uniform B-splines of degree five, evaluated on the frames of one stride.

    Attributes
    ----------
    value, first, second : (T, K) basis functions and their time derivatives, 1, 1/s, 1/s²
    """

    value: Array
    first: Array
    second: Array

    @property
    def knots(self) -> int:
        """Number of basis functions."""
        return int(self.value.shape[1])

    def expand(self, coefficients: Array) -> tuple[Array, Array, Array]:
        """Curve with its two derivatives, each (T, N), from coefficients (K, N)."""
        return (
            self.value @ coefficients,
            self.first @ coefficients,
            self.second @ coefficients,
        )


def periodic_basis(phase: Array, knots: int, period: float) -> Basis:
    """Uniform periodic quintic B-splines.

    Parameters
    ----------
    phase : (T,) share of the period, 0 to 1
    knots : int, number of basis functions on the period
    period : float, s

    Returns
    -------
    Basis
        Its functions sum to one everywhere, each is 1/K period away from the next.
    """
    bump = interpolate.BSpline.basis_element(np.arange(DEGREE + 2.0), extrapolate=False)
    slopes = [bump, bump.derivative(1), bump.derivative(2)]
    # Distance of each frame from the beginning of each bump, once round the circle.
    u = (np.asarray(phase)[:, None] * knots - np.arange(knots)[None]) % knots
    rate = knots / period
    out = []
    for order, curve in enumerate(slopes):
        inside = np.where(u < DEGREE + 1, u, 0.0)
        out.append(np.where(u < DEGREE + 1, curve(inside), 0.0) * rate**order)
    return Basis(*out)


def periodic_derivatives(values: Array, period: float) -> tuple[Array, Array]:
    """First and second derivative of a periodic signal at its own frames.

    An interpolating periodic quintic spline, as `motion.filtering.smooth_derivatives` uses
    for recordings that do not repeat.

    Parameters
    ----------
    values : (T, ...) one period, evenly spaced, the first frame not repeated
    period : float, s
    """
    flat = np.vstack([values.reshape(len(values), -1), values.reshape(len(values), -1)[:1]])
    time = np.linspace(0.0, period, len(values) + 1)
    spline = interpolate.make_interp_spline(time, flat, k=DEGREE, bc_type="periodic")
    first, second = (spline(time[:-1], order) for order in (1, 2))
    return first.reshape(values.shape), second.reshape(values.shape)


def derivative_matrix(frames: int, period: float) -> Array:
    """(T, T) matrix that differentiates a periodic signal exactly up to its Nyquist rate.

    The trigonometric interpolant's derivative (Trefethen 2000, Spectral Methods in MATLAB,
    ch. 3).
    """
    k = np.arange(frames)
    difference = k[:, None] - k[None]
    sign = np.where(difference % 2 == 0, 1.0, -1.0)
    angle = np.pi * difference / frames
    with np.errstate(divide="ignore"):
        matrix = 0.5 * sign / (np.sin(angle) if frames % 2 else np.tan(angle))
    np.fill_diagonal(matrix, 0.0)
    out: Array = matrix * (2.0 * np.pi / period)
    return out


def smooth_step(x: Array) -> Array:
    """0 below 0, 1 above 1, in between the quintic with two vanishing derivatives."""
    x = np.clip(x, 0.0, 1.0)
    out: Array = x**3 * (10.0 + x * (6.0 * x - 15.0))
    return out
