"""Compiled normal equations of the scaling problem (`model.scaling`), one frame at a time.

Given the rotations of the bodies, every marker's place is linear in the scale factors:
going down the tree,

    p_c = p_p + R_p a + R_p R_F Σ_i f_i g_i n_i - R_c b

with the joint's places a and b in parent and child and the translations f_i g_i along
n_i, all of which stretch with a body. So the derivative to the shape parameters is
carried down the tree beside the positions, exactly and for all parameters at once.

The normal matrix has the form of an arrow: what frames share (shape, torsion, marker
offsets) in one block, and one block of coordinates for each frame. Frames are eliminated
one by one (Schur complement), so that the cost grows with the number of frames and not
with its cube.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..vocabulary import Array, BoolArray
from .kernels import IntArray, Tree, evaluate, expand, forward, jit, station_jacobian

RIDGE = 1e-6
"""1/rad² on every coordinate of a frame: keeps those that nothing informs in place."""


class Slopes(NamedTuple):
    """Derivatives of what stretches, to the P shape parameters.

    Attributes
    ----------
    parent_place, child_place : (B, 3, P) m, of the joint's place in parent and child
    gain : (B, 3, P) of the factors on the joint's translations
    station : (K, 3, P + 2) m, of the markers' places in their bodies, torsion included
    """

    parent_place: Array
    child_place: Array
    gain: Array
    station: Array


@jit
def normal_equations(
    tree: Tree,
    slopes: Slopes,
    under: BoolArray,
    shank: IntArray,
    q: Array,
    free: IntArray,
    body: IntArray,
    station: Array,
    goal: Array,
    weight: Array,
    shared: Array,
    shared_gradient: Array,
    cross: Array,
    own: Array,
    own_gradient: Array,
) -> None:
    """Normal matrix and gradient of Σ w |goal - x|².

    Parameters
    ----------
    tree : the scaled and twisted model; slopes : see `Slopes`
    under : (B, 2) whether a body hangs below the ankle of that side
    shank : (2,) index of the tibiae
    q : (F, N); free : (n,) coordinates that are solved for
    body : (K,); station : (K, 3) m, places in the scaled bodies
    goal : (F, K, 3) m; weight : (F, K) 1/m², zero where unseen
    shared : (S, S), added to, S = P + 2 + 3 K; shared_gradient : (S,), added to
    cross : out (F, S, n); own : out (F, n, n); own_gradient : out (F, n)
    """
    B = tree.parent.size
    C = tree.leader.size
    K = body.size
    n = free.size
    P = slopes.gain.shape[2]
    T = P + 2
    full = np.zeros(C)
    omega = np.zeros((C, 3))
    velocity = np.zeros((C, 3))
    origin = np.zeros((C, 3))
    rotation = np.zeros((B, 3, 3))
    position = np.zeros((B, 3))
    scratch = np.zeros(C)
    column = np.zeros(C, dtype=np.int64)
    where = np.zeros((K, 3))
    jacobian = np.zeros((3 * K, q.shape[1]))
    sink = np.zeros((B, 3, P))
    by_shape = np.zeros((3 * K, T))
    by_pose = np.zeros((3 * K, n))
    weighted_shape = np.zeros((3 * K, T))
    weighted_pose = np.zeros((3 * K, n))
    miss = np.zeros(3 * K)
    axis = np.zeros(3)
    for f in range(q.shape[0]):
        expand(tree, q[f], full)
        forward(tree, full, rotation, position, omega, velocity, origin)
        station_jacobian(
            tree, full, omega, velocity, origin, rotation, position, body, station, where,
            jacobian, scratch, column,
        )  # fmt: skip
        for b in range(B):
            parent = tree.parent[b]
            sink[b] = 0.0
            if parent >= 0:
                sink[b] = sink[parent] + rotation[parent] @ slopes.parent_place[b]
                in_ground = rotation[parent] @ tree.rotation_pf[b]
                for a in range(3):
                    k = tree.function[b, 3 + a]
                    if k >= 0:
                        c = tree.coordinate[b, 3 + a]
                        value = evaluate(tree, k, full[c] if c >= 0 else 0.0)[0]
                        along = in_ground @ tree.axes[b, 3 + a]
                        for i in range(3):
                            for p in range(P):
                                sink[b, i, p] += value * along[i] * slopes.gain[b, a, p]
            sink[b] -= rotation[b] @ slopes.child_place[b]
        for k in range(K):
            b = body[k]
            by_shape[3 * k : 3 * k + 3] = rotation[b] @ slopes.station[k]
            by_shape[3 * k : 3 * k + 3, :P] += sink[b]
            for s in range(2):
                if under[b, s]:
                    for i in range(3):
                        axis[i] = rotation[shank[s], i, 1]
                    x = where[k, 0] - position[shank[s], 0]
                    y = where[k, 1] - position[shank[s], 1]
                    z = where[k, 2] - position[shank[s], 2]
                    by_shape[3 * k, P + s] += axis[1] * z - axis[2] * y
                    by_shape[3 * k + 1, P + s] += axis[2] * x - axis[0] * z
                    by_shape[3 * k + 2, P + s] += axis[0] * y - axis[1] * x
            for i in range(3):
                r = 3 * k + i
                w = weight[f, k]
                miss[r] = w * (goal[f, k, i] - where[k, i]) if w > 0.0 else 0.0
                for p in range(T):
                    weighted_shape[r, p] = w * by_shape[r, p]
                for j in range(n):
                    by_pose[r, j] = jacobian[r, free[j]]
                    weighted_pose[r, j] = w * by_pose[r, j]
        shared[:T, :T] += by_shape.T @ weighted_shape
        shared_gradient[:T] += by_shape.T @ miss
        cross[f, :T] = by_shape.T @ weighted_pose
        own[f] = by_pose.T @ weighted_pose
        own_gradient[f] = by_pose.T @ miss
        for k in range(K):
            r = 3 * k
            at = T + r
            turn = rotation[body[k]]
            for i in range(3):
                shared[at + i, at + i] += weight[f, k]
                for m in range(3):
                    shared_gradient[at + i] += turn[m, i] * miss[r + m]
                for p in range(T):
                    value = 0.0
                    for m in range(3):
                        value += turn[m, i] * weighted_shape[r + m, p]
                    shared[at + i, p] += value
                    shared[p, at + i] += value
                for j in range(n):
                    value = 0.0
                    for m in range(3):
                        value += turn[m, i] * weighted_pose[r + m, j]
                    cross[f, at + i, j] = value


@jit
def eliminate(
    shared: Array,
    shared_gradient: Array,
    cross: Array,
    own: Array,
    own_gradient: Array,
    damping: float,
    reduced: Array,
    right: Array,
) -> None:
    """Schur complement of the frames' own coordinates, with the diagonal damped.

    Parameters
    ----------
    shared, shared_gradient, cross, own, own_gradient : see `normal_equations`
    damping : float, share of the diagonal added to it
    reduced : out (S, S); right : out (S,)
    """
    reduced[:] = shared
    right[:] = shared_gradient
    for i in range(right.size):
        reduced[i, i] += damping * (shared[i, i] + 1e-9)
    n = own.shape[1]
    for f in range(own.shape[0]):
        block = own[f].copy()
        for j in range(n):
            block[j, j] += damping * (own[f, j, j] + 1e-9) + RIDGE
        lower = np.linalg.cholesky(block)
        half = np.linalg.solve(lower, np.ascontiguousarray(cross[f].T))
        reduced -= half.T @ half
        right -= half.T @ np.linalg.solve(lower, own_gradient[f])


@jit
def substitute(
    cross: Array, own: Array, own_gradient: Array, damping: float, step: Array, out: Array
) -> None:
    """Steps of the frames' own coordinates, out (F, n), once the shared step (S,) is known."""
    n = own.shape[1]
    for f in range(own.shape[0]):
        block = own[f].copy()
        for j in range(n):
            block[j, j] += damping * (own[f, j, j] + 1e-9) + RIDGE
        out[f] = np.linalg.solve(block, own_gradient[f] - cross[f].T @ step)


@jit
def squared_misses(
    tree: Tree,
    q: Array,
    body: IntArray,
    station: Array,
    goal: Array,
    out: Array,
) -> None:
    """Squared distances |goal - x|² of every marker in every frame, out (F, K) m²."""
    B = tree.parent.size
    C = tree.leader.size
    full = np.zeros(C)
    omega = np.zeros((C, 3))
    velocity = np.zeros((C, 3))
    origin = np.zeros((C, 3))
    rotation = np.zeros((B, 3, 3))
    position = np.zeros((B, 3))
    for f in range(q.shape[0]):
        expand(tree, q[f], full)
        forward(tree, full, rotation, position, omega, velocity, origin)
        for k in range(body.size):
            b = body[k]
            total = 0.0
            for i in range(3):
                x = position[b, i] - goal[f, k, i]
                for j in range(3):
                    x += rotation[b, i, j] * station[k, j]
                total += x * x
            out[f, k] = total
