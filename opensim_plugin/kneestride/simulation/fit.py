"""Gauss-Newton on one stride: many wishes, each with its σ, weighed in one sum of squares.

    min over Δq of  Σ_t Σ_r ( r(t; q + Δq, q̇ + Δq̇, q̈ + Δq̈) / σ_r )²

with Δq(t) on a periodic spline. Every wish is a block of `Rows`; how a block comes about is
the business of `tasks` and `consistency`. The normal equations gather, per pair of splines,
the frames that both touch: H = Σ_t (Φ_a Φ_b) ⊗ (A_aᵀ W A_b) over the orders a, b of
differentiation, a few matrix products for the whole stride.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ..vocabulary import Array
from .bspline import Basis

ITERATIONS = 12
SHARES = (1.0, 0.5, 0.25, 0.1)
"""Shares of a Gauss-Newton step that are tried until the sum of squares falls."""
SETTLED = 3e-4
"""rad or m; a step whose largest change of a coordinate is below this ends the fit."""


@dataclass(frozen=True)
class Rows:
    """A block of wishes on every frame.

    Attributes
    ----------
    name : str
    residual : (T, R), weight : (T, R) 1/σ (0 where the wish does not hold)
    value, first, second : (T, R, N) or None, factors of δq, δq̇, δq̈ in δresidual
    """

    name: str
    residual: Array
    weight: Array
    value: Array | None = None
    first: Array | None = None
    second: Array | None = None

    @property
    def cost(self) -> float:
        """Weighted sum of squares over all frames."""
        return float(np.sum((self.residual * self.weight) ** 2))


@dataclass(frozen=True)
class Diagonal:
    """Wishes on single coordinates: residual δ of q, q̇ or q̈, (T, N), weight (T, N) 1/σ."""

    name: str
    order: int
    residual: Array
    weight: Array

    @property
    def cost(self) -> float:
        """Weighted sum of squares over all frames."""
        return float(np.sum((self.residual * self.weight) ** 2))


Block = Rows | Diagonal
Change = tuple[Array, Array, Array]
Wishes = Callable[[Change], Sequence[Block]]
"""From Δq, Δq̇, Δq̈ (T, N) to blocks."""


@dataclass(frozen=True)
class Fitted:
    """What the solver found.

    Attributes
    ----------
    coefficients : (K, N); change : Δq, Δq̇, Δq̈ each (T, N)
    iterations : int; step : largest last change of a coordinate, rad or m
    costs : mapping of block name to its share of the final sum
    """

    coefficients: Array
    change: Change
    iterations: int
    step: float
    costs: dict[str, float]


def fit(basis: Basis, coordinates: int, wishes: Wishes, iterations: int = ITERATIONS) -> Fitted:
    """Minimise the wishes from zero change on.

    Parameters
    ----------
    basis : Basis of the stride's frames
    coordinates : int, N
    wishes : callable
    iterations : int, at most
    """
    x = np.zeros((basis.knots, coordinates))
    blocks = wishes(basis.expand(x))
    step, done = np.inf, 0
    while done < iterations:
        cost = sum(b.cost for b in blocks)
        delta = _step(basis, blocks, coordinates)
        step = float(np.abs(basis.value @ delta).max())
        done += 1
        for share in SHARES:
            ahead = wishes(basis.expand(x + share * delta))
            if sum(b.cost for b in ahead) < cost:
                x, blocks = x + share * delta, ahead
                break
        else:
            break
        if step < SETTLED:
            break
    costs: dict[str, float] = {}
    for b in blocks:
        costs[b.name] = costs.get(b.name, 0.0) + b.cost
    return Fitted(x, basis.expand(x), done, step, costs)


def _step(basis: Basis, blocks: Sequence[Block], N: int) -> Array:
    """Solve the normal equations for a change of the coefficients (K, N)."""
    T, K = basis.value.shape
    orders = (basis.value, basis.first, basis.second)
    square: dict[tuple[int, int], Array] = {}
    slope = np.zeros((3, T, N))
    for block in blocks:
        w2 = block.weight**2
        if isinstance(block, Diagonal):
            key = (block.order, block.order)
            _add_diagonal(square, key, w2, N)
            slope[block.order] += w2 * block.residual
            continue
        factors = [block.value, block.first, block.second]
        heavy = w2.any(axis=1)
        for a, left in enumerate(factors):
            if left is None:
                continue
            weighted = left * w2[..., None]
            slope[a] += (weighted * block.residual[..., None]).sum(axis=1)
            turned = weighted[heavy].transpose(0, 2, 1)
            for b, right in enumerate(factors[: a + 1]):
                if right is not None:
                    where = square.setdefault((a, b), np.zeros((T, N, N)))
                    where[heavy] += turned @ right[heavy]
    H = np.zeros((K * K, N * N))
    for (a, b), part in square.items():
        pairs = (orders[a][:, :, None] * orders[b][:, None, :]).reshape(T, K * K)
        once = pairs.T @ part.reshape(T, N * N)
        H += once
        if a != b:
            H += once.reshape(K, K, N, N).transpose(1, 0, 3, 2).reshape(K * K, N * N)
    dense = H.reshape(K, K, N, N).transpose(0, 2, 1, 3).reshape(K * N, K * N)
    gradient = sum(phi.T @ s for phi, s in zip(orders, slope, strict=True))
    dense[np.diag_indices(K * N)] += 1e-9 * dense.trace() / (K * N)
    found = linalg.cho_solve(
        linalg.cho_factor(dense, lower=True, overwrite_a=True, check_finite=False),
        np.asarray(gradient).ravel(),
    )
    out: Array = -np.asarray(found).reshape(K, N)
    return out


def _add_diagonal(square: dict[tuple[int, int], Array], key: tuple[int, int],
                  w2: Array, N: int) -> None:  # fmt: skip
    where = square.setdefault(key, np.zeros((len(w2), N, N)))
    where[:, np.arange(N), np.arange(N)] += w2
