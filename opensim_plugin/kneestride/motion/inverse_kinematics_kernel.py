"""Compiled heart of `motion.inverse_kinematics`: one frame's least squares after the other.

Newton's method with Levenberg and Marquardt's damping on normal equations that are built
like a mass matrix, from moments of the markers beyond each joint. Bodies without markers
are left out beforehand (`pruned`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.kernels import IntArray, Tree, evaluate, expand, forward, jit
from ..vocabulary import Array

MAX_ITERATIONS = 100
NEAR = 0.1
"""rad or m; after a step that was smaller the curvature of the markers' paths is used."""


def pruned(tree: Tree, body: IntArray) -> tuple[Tree, IntArray]:
    """Leave out bodies that carry no marker, nor anything with one; enough for poses.

    Parameters
    ----------
    tree : Tree of B bodies
    body : (K,) body of each marker

    Returns
    -------
    Tree of the bodies that are left, all its coordinates kept (`joint_of` is -1 where the
    body is gone), and the new `body`
    """
    kept = np.zeros(len(tree.parent), dtype=bool)
    kept[0] = True
    for b in set(body.tolist()):
        while b >= 0 and not kept[b]:
            kept[b] = True
            b = int(tree.parent[b])
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    fields: tuple[str, ...] = (
        "rotation_pf", "position_pf", "rotation_bm", "position_bm", "axes", "function",
        "coordinate", "gain", "mass", "com", "inertia", "moves",
    )  # fmt: skip
    cut = {name: np.ascontiguousarray(getattr(tree, name)[kept]) for name in fields}
    parent = tree.parent[kept]
    smaller = tree._replace(
        parent=np.where(parent >= 0, new[parent], -1),
        joint_of=np.ascontiguousarray(new[tree.joint_of]),
        **cut,
    )
    return smaller, new[body]


class _Work(NamedTuple):
    """Work arrays of `solve_frames`.

    Attributes
    ----------
    full, slope : (C,); omega, velocity, origin : (C, 3); rotation, position : poses
    miss, where : (K, 3) from marker to model marker; model marker from the root's origin
    place : (C,) where a coordinate stands among the free ones, or -1
    order : (C,) grows from the root outwards, six times the joint plus the axis in it
    above, levels : (C, C), (C,) coordinates that move what a coordinate moves, and are not
        further out in the same joint
    inertia : (B, 10) Σ w, Σ w x, Σ w x xᵀ of the markers on a body and all beyond it
    wrench : (B, 12) Σ f and Σ x fᵀ of their misses, f = w miss
    shift : (C, 6) velocity of the root's origin, whole and by rotation of the joint alone
    normal, damped : (F, F); gradient, step : (F,)
    """

    full: Array
    slope: Array
    omega: Array
    velocity: Array
    origin: Array
    rotation: Array
    position: Array
    miss: Array
    where: Array
    place: IntArray
    order: IntArray
    above: IntArray
    levels: IntArray
    inertia: Array
    wrench: Array
    shift: Array
    normal: Array
    damped: Array
    gradient: Array
    step: Array


@jit
def _cost(
    tree: Tree,
    q: Array,
    body: IntArray,
    station: Array,
    marker: Array,
    weight: Array,
    prior: Array,
    stiffness: Array,
    work: _Work,
) -> float:
    """Cost at `q`; leaves the poses of `q` and every marker's miss in `work`."""
    rotation, position, miss = work.rotation, work.position, work.miss
    expand(tree, q, work.full)
    forward(tree, work.full, rotation, position, work.omega, work.velocity, work.origin)
    total = 0.0
    for k in range(body.size):
        if weight[k] > 0.0:
            b = body[k]
            for i in range(3):
                at = position[b, i]
                for j in range(3):
                    at += rotation[b, i, j] * station[k, j]
                x = at - marker[k, i]
                miss[k, i] = x
                work.where[k, i] = at - position[0, i]
                total += weight[k] * x * x
    for j in range(q.size):
        total += stiffness[j] * (q[j] - prior[j]) ** 2
    return total


@jit
def _work_for(tree: Tree, body: IntArray, free: IntArray) -> _Work:
    """Work arrays, see `_Work`."""
    B, C, K, F = tree.parent.size, tree.leader.size, body.size, free.size
    place = np.full(C, -1)
    order = np.zeros(C, dtype=np.int64)
    above = np.zeros((C, C), dtype=np.int64)
    levels = np.zeros(C, dtype=np.int64)
    for f in range(F):
        place[tree.independent[free[f]]] = f
    for c in range(C):
        if tree.leader[c] >= 0:
            place[c] = place[tree.leader[c]]
        b = tree.joint_of[c]
        if b < 0:
            place[c] = -1
            continue
        for a in range(5, -1, -1):
            if tree.coordinate[b, a] == c:
                order[c] = 6 * b + a
    for c in range(C):
        if place[c] >= 0:
            for d in range(C):
                if place[d] >= 0 and tree.moves[tree.joint_of[c], d] and order[d] <= order[c]:
                    above[c, levels[c]] = d
                    levels[c] += 1
    return _Work(
        np.zeros(C),
        np.ones(C),
        np.zeros((C, 3)),
        np.zeros((C, 3)),
        np.zeros((C, 3)),
        np.zeros((B, 3, 3)),
        np.zeros((B, 3)),
        np.zeros((K, 3)),
        np.zeros((K, 3)),
        place,
        order,
        above,
        levels,
        np.zeros((B, 10)),
        np.zeros((B, 12)),
        np.zeros((C, 6)),
        np.zeros((F, F)),
        np.zeros((F, F)),
        np.zeros(F),
        np.zeros(F),
    )


@jit
def _normal_equations(
    tree: Tree, body: IntArray, weight: Array, curved: bool, work: _Work
) -> None:
    """Lower half of JᵀWJ and -JᵀW miss at the poses in `work`, free coordinates only.

    A coordinate moves marker k by a + ω x x_k, so what a pair of them contributes follows
    from moments of the markers beyond the outer one, as a mass matrix follows from
    composite inertias (Featherstone 2008, ch. 6): no Jacobian is ever written down.

    `curved` adds miss · ∂²x/∂q_i∂q_j, which turns Gauss-Newton's steps into Newton's:
    coordinate i nearer to the root turns what j does to the marker, ω_i x ∂x/∂q_j; in one
    joint it turns j's rotation alone, translations being fixed in the parent. Curvature of
    joint functions is left out. Nine steps a frame become four.
    """
    B, C = tree.parent.size, tree.leader.size
    normal, gradient, order = work.normal, work.gradient, work.order
    inertia, wrench = work.inertia, work.wrench
    inertia[:] = 0.0
    wrench[:] = 0.0
    for k in range(body.size):
        w = weight[k]
        if w > 0.0:
            M, Q = inertia[body[k]], wrench[body[k]]
            x, y, z = work.where[k, 0], work.where[k, 1], work.where[k, 2]
            M[0] += w
            M[1] += w * x
            M[2] += w * y
            M[3] += w * z
            M[4] += w * x * x
            M[5] += w * y * y
            M[6] += w * z * z
            M[7] += w * x * y
            M[8] += w * x * z
            M[9] += w * y * z
            for i in range(3):
                f = w * work.miss[k, i]
                Q[i] += f
                Q[3 + i] += x * f
                Q[6 + i] += y * f
                Q[9 + i] += z * f
    for b in range(B - 1, 0, -1):
        p = tree.parent[b]
        if p >= 0:
            for i in range(10):
                inertia[p, i] += inertia[b, i]
            for i in range(12):
                wrench[p, i] += wrench[b, i]
    root = work.position[0]
    for c in range(C):
        if work.place[c] < 0:
            continue
        lead = tree.leader[c]
        if lead >= 0:
            work.slope[c] = evaluate(tree, tree.coupler[c], work.full[lead])[1]
        s, w = work.slope[c], work.omega[c]
        x, y, z = (
            root[0] - work.origin[c, 0],
            root[1] - work.origin[c, 1],
            root[2] - work.origin[c, 2],
        )
        for i in range(3):
            w[i] *= s
        work.shift[c, 3] = w[1] * z - w[2] * y
        work.shift[c, 4] = w[2] * x - w[0] * z
        work.shift[c, 5] = w[0] * y - w[1] * x
        for i in range(3):
            work.shift[c, i] = work.shift[c, 3 + i] + s * work.velocity[c, i]
    normal[:] = 0.0
    gradient[:] = 0.0
    for c in range(C):
        f = work.place[c]
        if f < 0:
            continue
        b = tree.joint_of[c]
        M, Q = inertia[b], wrench[b]
        wx, wy, wz = work.omega[c, 0], work.omega[c, 1], work.omega[c, 2]
        ax, ay, az = work.shift[c, 0], work.shift[c, 1], work.shift[c, 2]
        # Force and moment of the motion a + ω x x on the points: Σ w u and Σ w x x u.
        px = M[0] * ax + wy * M[3] - wz * M[2]
        py = M[0] * ay + wz * M[1] - wx * M[3]
        pz = M[0] * az + wx * M[2] - wy * M[1]
        nx = M[2] * az - M[3] * ay + (M[5] + M[6]) * wx - M[7] * wy - M[8] * wz
        ny = M[3] * ax - M[1] * az - M[7] * wx + (M[4] + M[6]) * wy - M[9] * wz
        nz = M[1] * ay - M[2] * ax - M[8] * wx - M[9] * wy + (M[4] + M[5]) * wz
        gradient[f] -= (
            ax * Q[0]
            + ay * Q[1]
            + az * Q[2]
            + wx * (Q[8] - Q[10])
            + wy * (Q[9] - Q[5])
            + wz * (Q[4] - Q[6])
        )
        # Σ (ω x x) x f = (Σ x fᵀ) ω - tr(Σ x fᵀ) ω
        trace = Q[3] + Q[7] + Q[11]
        tx = Q[3] * wx + Q[4] * wy + Q[5] * wz - trace * wx
        ty = Q[6] * wx + Q[7] * wy + Q[8] * wz - trace * wy
        tz = Q[9] * wx + Q[10] * wy + Q[11] * wz - trace * wz
        for level in range(work.levels[c]):
            d = work.above[c, level]
            g = work.place[d]
            ox, oy, oz = work.omega[d, 0], work.omega[d, 1], work.omega[d, 2]
            dot = (
                work.shift[d, 0] * px
                + work.shift[d, 1] * py
                + work.shift[d, 2] * pz
                + ox * nx
                + oy * ny
                + oz * nz
            )
            if curved:
                o = 3 if order[d] // 6 == order[c] // 6 else 0
                ux, uy, uz = work.shift[c, o], work.shift[c, o + 1], work.shift[c, o + 2]
                dot += (
                    ox * (tx + uy * Q[2] - uz * Q[1])
                    + oy * (ty + uz * Q[0] - ux * Q[2])
                    + oz * (tz + ux * Q[1] - uy * Q[0])
                )
            if f == g and c != d:
                dot *= 2.0
            if f >= g:
                normal[f, g] += dot
            else:
                normal[g, f] += dot


@jit
def _cholesky(A: Array, b: Array, out: Array) -> bool:
    """Solve A out = b in place of the lower half of A; False when A is not definite."""
    n = b.size
    for i in range(n):
        for j in range(i):
            s = A[i, j]
            for k in range(j):
                s -= A[i, k] * A[j, k]
            A[i, j] = s / A[j, j]
        s = A[i, i]
        for k in range(i):
            s -= A[i, k] * A[i, k]
        if not s > 0.0:
            return False
        A[i, i] = np.sqrt(s)
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= A[i, k] * out[k]
        out[i] = s / A[i, i]
    for i in range(n - 1, -1, -1):
        s = out[i]
        for k in range(i + 1, n):
            s -= A[k, i] * out[k]
        out[i] = s / A[i, i]
    return True


@jit
def solve_frames(
    tree: Tree,
    markers: Array,
    weights: Array,
    body: IntArray,
    station: Array,
    prior: Array,
    stiffness: Array,
    free: IntArray,
    lower: Array,
    upper: Array,
    starts: Array,
    chained: bool,
    tolerance: float,
    q: Array,
    costs: Array,
    iterations: IntArray,
) -> None:
    """Solve frames in turn.

    Parameters
    ----------
    markers : (T, K, 3) m; weights : (T, K), zero where a marker is missing
    starts : (T, N) start of each frame; with `chained` only the first row is used and
        every later frame starts where the two solutions before it lead
    q : out (T, N); costs : out (T,) m²; iterations : out (T,)
    """
    N = prior.size
    F = free.size
    work = _work_for(tree, body, free)
    normal, gradient, damped, step = work.normal, work.gradient, work.damped, work.step
    x = starts[0].copy()
    trial = x.copy()
    for t in range(markers.shape[0]):
        if not chained:
            x[:] = starts[t]
        elif t > 1:
            for f in range(F):
                j = free[f]
                x[j] = 2.0 * q[t - 1, j] - q[t - 2, j]
        for j in range(N):
            x[j] = min(max(x[j], lower[j]), upper[j])
        marker = markers[t]
        weight = weights[t]
        best = _cost(tree, x, body, station, marker, weight, prior, stiffness, work)
        damping = 1e-9
        used = 0
        largest = 0.0 if chained and t > 0 else np.inf
        for _ in range(MAX_ITERATIONS):
            used += 1
            # The last cost was that of `x`, so the poses are there already.
            curved = largest < NEAR
            _normal_equations(tree, body, weight, curved, work)
            for f in range(F):
                j = free[f]
                normal[f, f] += stiffness[j]
                gradient[f] += stiffness[j] * (prior[j] - x[j])
            # A coordinate on its bound that wants further out takes no part.
            for f in range(F):
                j = free[f]
                if (x[j] <= lower[j] and gradient[f] < 0.0) or (
                    x[j] >= upper[j] and gradient[f] > 0.0
                ):
                    normal[f, :f] = 0.0
                    normal[f:, f] = 0.0
                    normal[f, f] = 1.0
                    gradient[f] = 0.0
            accepted = False
            for _try in range(12):
                damped[:] = normal
                for f in range(F):
                    damped[f, f] += damping * (normal[f, f] + 1e-6)
                cost = np.inf
                largest = np.inf
                if _cholesky(damped, gradient, step):
                    largest = 0.0
                    trial[:] = x
                    for f in range(F):
                        j = free[f]
                        trial[j] = min(max(x[j] + step[f], lower[j]), upper[j])
                        largest = max(largest, abs(trial[j] - x[j]))
                    cost = _cost(
                        tree, trial, body, station, marker, weight, prior, stiffness, work
                    )
                if cost <= best * (1.0 + 1e-14):
                    accepted = True
                    break
                damping = max(damping, 1e-7) * 10.0
            if not accepted:
                if not curved:
                    break
                # Far from the solution, as where a recording jumps, curvature misleads.
                largest, damping = np.inf, 1e-9
                continue
            x[:] = trial
            best = cost
            damping *= 0.1
            if largest < tolerance:
                break
        q[t] = x
        costs[t] = best
        iterations[t] = used
