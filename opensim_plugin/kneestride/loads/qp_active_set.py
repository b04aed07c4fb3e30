"""A dual active-set method for bounded quadratic programs (Goldfarb & Idnani 1983).

The careful sibling of `loads.qp`: it takes one bound at a time, needs no start and stops
after finitely many steps. doi:10.1007/BF02591962.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..vocabulary import Array

DEPENDENT = 1e-11
"""Relative pivot below which the active-set method takes a row as implied by the others."""


def jit[F](function: F) -> F:
    """Compile with numba, cached on disk."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]


@jit
def cholesky_solve(A: Array, b: Array, out: Array, dependent: float) -> None:
    """Solve the symmetric semidefinite A out = b in place of A.

    A row whose pivot falls below `dependent` times its diagonal is implied by the rows
    before it; its unknown is set to zero, which solves consistent systems.
    """
    m = b.size
    for i in range(m):
        diagonal = A[i, i]
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= A[i, k] * A[j, k]
            if i == j:
                A[i, i] = np.sqrt(s) if s > dependent * diagonal else 0.0
            else:
                A[i, j] = s / A[j, j] if A[j, j] > 0.0 else 0.0
    for i in range(m):
        s = b[i]
        for k in range(i):
            s -= A[i, k] * out[k]
        out[i] = s / A[i, i] if A[i, i] > 0.0 else 0.0
    for i in range(m - 1, -1, -1):
        s = out[i]
        for k in range(i + 1, m):
            s -= A[k, i] * out[k]
        out[i] = s / A[i, i] if A[i, i] > 0.0 else 0.0


@jit
def active_set(
    D: Array, c: Array, B: Array, tau: Array, lower: Array, upper: Array, x: Array, lam: Array
) -> None:
    """Goldfarb-Idnani with equality rows and simple bounds.

    Starts from the minimiser under the rows alone and adds the most violated bound until
    none is violated; fills `x` and `lam`.
    """
    m, n = B.shape
    sign = np.zeros(n)  # +1 held at the lower bound, -1 at the upper, 0 free
    push = np.zeros(n)  # multiplier of a held bound, >= 0
    A = np.empty((m, m))
    y = np.empty(m)
    b = np.empty(m)
    w = np.empty(n)
    free_set(D, B, sign, A)
    for i in range(m):
        b[i] = tau[i]
        for j in range(n):
            b[i] += B[i, j] * c[j] / D[j]
    cholesky_solve(A, b, lam, DEPENDENT)
    for j in range(n):
        v = -c[j]
        for i in range(m):
            v += B[i, j] * lam[i]
        x[j] = v / D[j]
    for _ in range(20 * n):
        # The most violated bound, measured in the metric of the cost.
        p, side, most = -1, 0.0, 0.0
        for j in range(n):
            if sign[j] != 0.0:
                continue
            scale = 1e-13 * (1.0 + abs(x[j]))
            below, above = lower[j] - x[j], x[j] - upper[j]
            weight = np.sqrt(D[j])
            if below > scale and below * weight > most:
                p, side, most = j, 1.0, below * weight
            if above > scale and above * weight > most:
                p, side, most = j, -1.0, above * weight
        if p < 0:
            break
        bound = lower[p] if side > 0 else upper[p]
        added = 0.0
        while True:
            # Direction of (x, λ, held multipliers) per unit of the new bound's multiplier.
            free_set(D, B, sign, A)
            for i in range(m):
                b[i] = -B[i, p] * side / D[p]
            cholesky_solve(A, b, y, DEPENDENT)
            block, limit = -1, np.inf
            for j in range(n):
                w[j] = 0.0
                for i in range(m):
                    w[j] += B[i, j] * y[i]
                if sign[j] != 0.0:
                    falling = -sign[j] * w[j]
                    if falling < 0.0 and -push[j] / falling < limit:
                        block, limit = j, -push[j] / falling
            moves = (w[p] + side) / D[p]
            reach = np.inf
            if side * moves > 1e-15 / D[p]:
                reach = (bound - x[p]) / moves
            t = min(limit, reach)
            if t == np.inf:
                break
            for j in range(n):
                if sign[j] == 0.0:
                    x[j] += t * (w[j] + (side if j == p else 0.0)) / D[j]
                else:
                    push[j] -= t * sign[j] * w[j]
            added += t
            if reach <= limit:
                sign[p], push[p], x[p] = side, added, bound
                break
            sign[block], push[block] = 0.0, 0.0
        if sign[p] == 0.0:
            # No way left to satisfy rows and bounds together: the bound wins.
            sign[p], push[p], x[p] = side, added, bound
    # Removing rounding: solve the free variables once more for the final set of bounds.
    free_set(D, B, sign, A)
    for i in range(m):
        b[i] = tau[i]
        for j in range(n):
            b[i] += B[i, j] * c[j] / D[j] if sign[j] == 0.0 else -B[i, j] * x[j]
    cholesky_solve(A, b, y, DEPENDENT)
    lam[:] = y
    for j in range(n):
        if sign[j] == 0.0:
            v = -c[j]
            for i in range(m):
                v += B[i, j] * y[i]
            x[j] = v / D[j]
    for j in range(n):
        x[j] = min(max(x[j], lower[j]), upper[j])


@jit
def free_set(D: Array, B: Array, sign: Array, A: Array) -> None:
    """B_F D_F⁻¹ B_Fᵀ over the variables that no bound holds."""
    m, n = B.shape
    for i in range(m):
        for k in range(i + 1):
            s = 0.0
            for j in range(n):
                if sign[j] == 0.0:
                    s += B[i, j] * B[k, j] / D[j]
            A[i, k] = s
            A[k, i] = s
