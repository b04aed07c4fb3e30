"""Bounded quadratic programs, one small one per frame.

    minimise  ½ xᵀ D x + cᵀ x   subject to   B x = τ,   l ≤ x ≤ u

with a positive diagonal D, n variables and m ≪ n rows. Such a problem is best seen
from its dual. For multipliers λ of the rows the best x is a clipped one,

    x(λ) = clip(D⁻¹ (Bᵀ λ − c), l, u),

and the dual function is concave with gradient τ − B x(λ): piecewise linear in only m
unknowns. A *semismooth Newton* step solves with the Jacobian of the variables that are
off their bounds, B_F D_F⁻¹ B_Fᵀ, and an exact line search (the slope along the step is
piecewise linear and falling) makes it converge from anywhere (Qi & Sun 1993,
doi:10.1007/BF01581275; Li & Swetits 1993, doi:10.1137/0803011). The previous frame's λ
is an excellent start: two or three steps a frame.

A step that stops unconverged is silent and gives forces of thousands of newtons, so
every frame's equality residual is measured. Where it is too large the problem is solved
again by a dual active-set method (Goldfarb & Idnani 1983, doi:10.1007/BF02591962), which
takes one bound at a time, needs no start and stops after finitely many steps; on problems
that have no solution it returns the point that violates the rows least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array, BoolArray
from .qp_active_set import active_set, cholesky_solve, jit

MAXIMUM_STEPS = 60
TOLERANCE = 1e-9
"""Largest equality residual of a solved frame, in the rows' (scaled) unit."""


@dataclass(frozen=True)
class Solution:
    """Solutions of T problems.

    Attributes
    ----------
    x : (T, n)
    multipliers : (T, m) of the rows; D x + c = Bᵀ λ off the bounds
    residual : (T,) largest |B x − τ|
    fallback : (T,) bool, solved by the active-set method
    solved : (T,) bool, residual within tolerance
    steps : (T,) Newton steps
    """

    x: Array
    multipliers: Array
    residual: Array
    fallback: BoolArray
    solved: BoolArray
    steps: Array


def solve(
    D: Array,
    c: Array,
    B: Array,
    tau: Array,
    lower: Array,
    upper: Array,
    tolerance: float = TOLERANCE,
    start: Array | None = None,
) -> Solution:
    """Solve T bounded quadratic programs in sequence, each started from the last.

    Parameters
    ----------
    D, c, lower, upper : (T, n) or (n,); D above zero, bounds may be infinite
    B : (T, m, n)
    tau : (T, m)
    tolerance : float, largest accepted |B x − τ|
    start : (m,) multipliers to start the first frame from

    Returns
    -------
    Solution
        Frames with a value that is not finite stay NaN and unsolved.
    """
    T, m, n = B.shape
    # Copies, because numba compiles again for a read-only view.
    rows = [np.array(np.broadcast_to(a, (T, n)), dtype=float) for a in (D, c, lower, upper)]
    out = Solution(
        np.full((T, n), np.nan),
        np.zeros((T, m)),
        np.full(T, np.nan),
        np.zeros(T, dtype=bool),
        np.zeros(T, dtype=bool),
        np.zeros(T, dtype=np.int64),
    )
    first = np.zeros(m) if start is None else np.ascontiguousarray(start, dtype=float)
    _batch(
        rows[0],
        rows[1],
        np.ascontiguousarray(B, dtype=float),
        np.ascontiguousarray(tau, dtype=float),
        rows[2],
        rows[3],
        tolerance,
        first.copy(),
        out.x,
        out.multipliers,
        out.residual,
        out.fallback,
        out.solved,
        out.steps,
    )
    return out


@jit
def _batch(
    D: Array,
    c: Array,
    B: Array,
    tau: Array,
    lower: Array,
    upper: Array,
    tolerance: float,
    lam: Array,
    x: Array,
    multipliers: Array,
    residual: Array,
    fallback: BoolArray,
    solved: BoolArray,
    steps: Array,
) -> None:
    T = tau.shape[0]
    m, n = B.shape[1], B.shape[2]
    trial = np.empty(n)
    for t in range(T):
        # NaN anywhere (a masked frame) propagates into this sum; infinity in bounds does not.
        if not np.isfinite(B[t].sum() + tau[t].sum() + D[t].sum() + c[t].sum()):
            continue
        size = 1.0 + np.abs(tau[t]).max()
        steps[t] = newton(D[t], c[t], B[t], tau[t], lower[t], upper[t], lam, trial, tolerance)
        worst = largest(B[t], trial, tau[t])
        # Small drift is polished away by the exact method as well as outright failure.
        if not worst <= tolerance * size:
            fallback[t] = True
            other = np.zeros(m)
            active_set(D[t], c[t], B[t], tau[t], lower[t], upper[t], trial, other)
            worst = largest(B[t], trial, tau[t])
            if worst <= tolerance * size:
                lam[:] = other
            else:
                lam[:] = 0.0
            multipliers[t] = other
        else:
            multipliers[t] = lam
        x[t] = trial
        residual[t] = worst
        solved[t] = worst <= tolerance * size


@jit
def largest(B: Array, x: Array, tau: Array) -> float:
    """Largest |B x − τ|."""
    worst = 0.0
    for i in range(B.shape[0]):
        r = -tau[i]
        for j in range(B.shape[1]):
            r += B[i, j] * x[j]
        if not abs(r) <= worst:
            worst = abs(r)
    return worst


@jit
def clipped(
    D: Array, c: Array, B: Array, lower: Array, upper: Array, lam: Array, x: Array
) -> None:
    """Fill `x` with the minimiser for given multipliers."""
    for j in range(x.size):
        v = -c[j]
        for i in range(lam.size):
            v += B[i, j] * lam[i]
        v /= D[j]
        x[j] = min(max(v, lower[j]), upper[j])


@jit
def slope_along(
    D: Array, c: Array, v0: Array, dv: Array, lower: Array, upper: Array, rise: float, t: float
) -> float:
    """Derivative of the dual function along a step: stepᵀ τ − dvᵀ x(λ + t step)."""
    s = rise
    for j in range(v0.size):
        x = (v0[j] + t * dv[j]) / D[j]
        s -= dv[j] * min(max(x, lower[j]), upper[j])
    return s


@jit
def newton(
    D: Array,
    c: Array,
    B: Array,
    tau: Array,
    lower: Array,
    upper: Array,
    lam: Array,
    x: Array,
    tolerance: float,
) -> int:
    """Semismooth Newton on the dual; `lam` is start and result, `x` the primal point."""
    m, n = B.shape
    A = np.empty((m, m))
    r = np.empty(m)
    step = np.empty(m)
    v0 = np.empty(n)
    dv = np.empty(n)
    clipped(D, c, B, lower, upper, lam, x)
    for count in range(MAXIMUM_STEPS):
        worst = 0.0
        for i in range(m):
            r[i] = tau[i]
            for j in range(n):
                r[i] -= B[i, j] * x[j]
            worst = max(worst, abs(r[i]))
        if worst <= 1e-3 * tolerance:
            return count
        # Variable by variable: most are on a bound, and most rows of the others are zero.
        A[:] = 0.0
        for j in range(n):
            if x[j] > lower[j] and x[j] < upper[j]:
                for i in range(m):
                    if B[i, j] != 0.0:
                        s = B[i, j] / D[j]
                        for k in range(i + 1):
                            A[i, k] += s * B[k, j]
        trace = 0.0
        for i in range(m):
            trace += A[i, i]
        # The damping only matters where too few variables are free for all rows.
        damping = 1e-14 * trace + 1e-15
        for i in range(m):
            A[i, i] += damping * (1.0 + 1e3 * (A[i, i] <= damping))
        cholesky_solve(A, r, step, 0.0)
        rise = 0.0
        for i in range(m):
            rise += step[i] * tau[i]
        for j in range(n):
            v0[j] = -c[j]
            dv[j] = 0.0
            for i in range(m):
                v0[j] += B[i, j] * lam[i]
                dv[j] += B[i, j] * step[i]
        t = best_step(D, c, v0, dv, lower, upper, rise)
        for i in range(m):
            lam[i] += t * step[i]
        clipped(D, c, B, lower, upper, lam, x)
        if worst <= tolerance and count > 3:
            return count + 1
    return MAXIMUM_STEPS


@jit
def best_step(
    D: Array, c: Array, v0: Array, dv: Array, lower: Array, upper: Array, rise: float
) -> float:
    """Step length that maximises the dual: 1 when no bound changes on the way."""
    full = slope_along(D, c, v0, dv, lower, upper, rise, 1.0)
    start = slope_along(D, c, v0, dv, lower, upper, rise, 0.0)
    if abs(full) <= 1e-9 * abs(start):
        return 1.0
    low, high = 0.0, 1.0
    at_low, at_high = start, full
    while at_high > 0.0 and high < 1e6:
        low, at_low = high, at_high
        high *= 4.0
        at_high = slope_along(D, c, v0, dv, lower, upper, rise, high)
    if at_high > 0.0:
        return high
    # Illinois variant of regula falsi: exact once both ends share a linear piece.
    for _ in range(40):
        t = (low * at_high - high * at_low) / (at_high - at_low)
        value = slope_along(D, c, v0, dv, lower, upper, rise, t)
        if abs(value) <= 1e-10 * abs(start):
            return t
        if value > 0.0:
            low, at_low = t, value
            at_high *= 0.5
        else:
            high, at_high = t, value
            at_low *= 0.5
    return 0.5 * (low + high)
