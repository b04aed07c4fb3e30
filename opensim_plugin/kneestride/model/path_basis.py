"""Functions in which muscle geometry is expanded: polynomials, and splines where joints bend.

A muscle's length, moment arms and pulls are smooth in the few coordinates that it spans,
except that gait models let tibia and patella slide on natural splines of knee flexion and
give muscles path points that move with it. Those wiggles of a centimetre or two of arc
defeat a polynomial (1.3 mm of vastus moment arm at degree 4), so a coordinate that drives
splines gets cubic B-splines too, alone and times each of the other coordinates.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..vocabulary import Array
from .kernels import IntArray, jit

DEGREE = 3
PIECES = 12
WIDE, NARROW = 0.3, 0.15
"""rad; a coordinate whose samples range over less gets a lower degree: 3, then 2."""


def exponents(spread: Array, degree: int = DEGREE) -> IntArray:
    """Degrees (P, k) of every product of Chebyshev polynomials up to a total degree.

    Parameters
    ----------
    spread : (k,) rad, range of each coordinate in the samples
    """
    caps = [degree if r > WIDE else min(degree, 3) if r > NARROW else 2 for r in spread]
    found = [e for e in product(*(range(c + 1) for c in caps)) if sum(e) <= degree]
    return np.array(found, dtype=np.int64).reshape(len(found), len(caps))


def roughness(powers: IntArray, splined: IntArray) -> Array:
    """Ridge weight (P,) of each function: free constant, dear high degrees and products."""
    k = powers.shape[1]
    weights = [powers.sum(axis=1).astype(float) ** 2]
    for _ in splined:
        weights.append(np.ones(PIECES + 3))
        weights.append(np.full((PIECES + 3) * (k - 1), 4.0))
    return np.concatenate(weights)


def functions(u: Array, powers: IntArray, splined: IntArray) -> Array:
    """Values (T, P) of all functions at normalised coordinates.

    Parameters
    ----------
    u : (T, k) coordinates, -1 to 1 over the samples
    powers : (p, k) from `exponents`
    splined : (s,) columns of `u` that have B-splines as well
    """
    k = u.shape[1]
    if k == 0:
        return np.ones((len(u), 1))
    out = np.zeros((len(u), len(powers) + len(splined) * (PIECES + 3) * k))
    _fill(np.ascontiguousarray(u), powers, max(int(powers.max()), 1), splined, PIECES, out)
    return out


@jit
def _fill(
    u: Array, powers: IntArray, highest: int, splined: IntArray, pieces: int, out: Array
) -> None:
    T, k = u.shape
    chebyshev = np.empty((k, highest + 1))
    for t in range(T):
        for c in range(k):
            x = u[t, c]
            chebyshev[c, 0] = 1.0
            chebyshev[c, 1] = x
            for d in range(2, chebyshev.shape[1]):
                chebyshev[c, d] = 2.0 * x * chebyshev[c, d - 1] - chebyshev[c, d - 2]
        for p in range(powers.shape[0]):
            value = 1.0
            for c in range(k):
                value *= chebyshev[c, powers[p, c]]
            out[t, p] = value
        first = powers.shape[0]
        for s in splined:
            # Uniform cubic B-splines: four of them are not zero.
            place = min(max((u[t, s] + 1.0) / 2.0, 0.0), 1.0) * pieces
            piece = min(int(place), pieces - 1)
            x = place - piece
            values = (
                (1.0 - x) ** 3 / 6.0,
                (3.0 * x**3 - 6.0 * x**2 + 4.0) / 6.0,
                (-3.0 * x**3 + 3.0 * x**2 + 3.0 * x + 1.0) / 6.0,
                x**3 / 6.0,
            )
            block = first + pieces + 3
            for i in range(4):
                out[t, first + piece + i] = values[i]
            for c in range(k):
                if c != s:
                    for i in range(4):
                        out[t, block + piece + i] = values[i] * u[t, c]
                    block += pieces + 3
            first = block
