"""Compiled kinematics and dynamics of a tree of rigid bodies, one frame at a time.

The mathematics behind `model.multibody`. Every OpenSim joint is three successive
body-fixed rotations and three translations of a joint frame M in a joint frame F,
each the value of a function of one coordinate:

    R_FM = R(a1, f1(q)) R(a2, f2(q)) R(a3, f3(q)),   t_FM = Σ f_i(q) a_i  (i = 4..6)

so the velocity of the child frame is linear in the coordinate rates with columns
known in closed form (no differencing). Inverse dynamics is the recursive
Newton-Euler method (Featherstone 2008, Rigid Body Dynamics Algorithms, ch. 5)
written with accelerations of the joint frames, because functions with curvature
(translating knees) make the joint axes depend on the coordinates.

Functions are piecewise polynomials of degree five at most; the outermost pieces
extrapolate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..vocabulary import Array

IntArray = NDArray[np.int64]
ORDER = 6
"""Coefficients per polynomial piece (degree five)."""


class Tree(NamedTuple):
    """A model as arrays. B bodies in tree order, C coordinates, N of them independent.

    Attributes
    ----------
    parent : (B,) body index of the parent, -1 for ground
    rotation_pf, position_pf : (B, 3, 3), (B, 3) joint frame F in the parent body
    rotation_bm, position_bm : (B, 3, 3), (B, 3) joint frame M in the child body
    axes : (B, 6, 3) unit axes in F; function, coordinate : (B, 6) indices (-1 none)
    gain : (B, 6) factor on the function (scaling stretches translations)
    breaks, coefficients, first, pieces : the piecewise polynomials
    mass : (B,) kg; com : (B, 3) m; inertia : (B, 3, 3) kg·m² about the mass centre
    moves : (B, C) whether a coordinate moves a body; joint_of : (C,) body whose joint holds it
    leader, coupler : (C,) source coordinate and function of a coupled one, -1 if free
    independent : (N,) coordinate indices
    gravity : (3,) m/s²
    """

    parent: IntArray
    rotation_pf: Array
    position_pf: Array
    rotation_bm: Array
    position_bm: Array
    axes: Array
    function: IntArray
    coordinate: IntArray
    gain: Array
    breaks: Array
    coefficients: Array
    first: IntArray
    pieces: IntArray
    mass: Array
    com: Array
    inertia: Array
    moves: NDArray[np.bool_]
    joint_of: IntArray
    leader: IntArray
    coupler: IntArray
    independent: IntArray
    gravity: Array


def jit[F](function: F) -> F:
    """Compile with numba, cached on disk."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]


@jit
def evaluate(tree: Tree, k: int, x: float) -> tuple[float, float, float]:
    """Value, first and second derivative of function `k` at `x`."""
    start = tree.first[k]
    piece = 0
    while piece < tree.pieces[k] - 1 and x >= tree.breaks[start + piece + 1]:
        piece += 1
    c = tree.coefficients[start + piece]
    d = x - tree.breaks[start + piece]
    f = c[5]
    f1 = 0.0
    f2 = 0.0
    for i in range(4, -1, -1):
        f2 = f2 * d + f1
        f1 = f1 * d + f
        f = f * d + c[i]
    return f, f1, 2.0 * f2


@jit
def expand(tree: Tree, q: Array, full: Array) -> None:
    """Fill `full` (C,) from independent coordinates `q` (N,)."""
    for i in range(tree.independent.size):
        full[tree.independent[i]] = q[i]
    for c in range(full.size):
        if tree.leader[c] >= 0:
            full[c] = evaluate(tree, tree.coupler[c], full[tree.leader[c]])[0]


@jit
def rotate_about(axis: Array, angle: float, out: Array) -> None:
    """Rotation matrix about a unit axis (Rodrigues)."""
    c = np.cos(angle)
    s = np.sin(angle)
    x, y, z = axis[0], axis[1], axis[2]
    v = 1.0 - c
    out[0, 0] = c + x * x * v
    out[0, 1] = x * y * v - z * s
    out[0, 2] = x * z * v + y * s
    out[1, 0] = y * x * v + z * s
    out[1, 1] = c + y * y * v
    out[1, 2] = y * z * v - x * s
    out[2, 0] = z * x * v - y * s
    out[2, 1] = z * y * v + x * s
    out[2, 2] = c + z * z * v


@jit
def multiply(a: Array, b: Array, out: Array) -> None:
    """Product of two 3x3 matrices into `out` (not aliasing)."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@jit
def multiply_transposed(a: Array, b: Array, out: Array) -> None:
    """`a @ b.T` for 3x3 matrices."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[j, 0] + a[i, 1] * b[j, 1] + a[i, 2] * b[j, 2]


@jit
def forward(
    tree: Tree,
    full: Array,
    rotation: Array,
    position: Array,
    omega: Array,
    velocity: Array,
    origin: Array,
) -> None:
    """Body poses and the velocity column of each coordinate, in ground.

    Parameters
    ----------
    full : (C,) coordinate values
    rotation, position : out (B, 3, 3), (B, 3), body in ground
    omega, velocity, origin : out (C, 3)
        A unit rate of coordinate c gives every body that it moves the angular
        velocity omega[c] and the point of it at origin[c] the velocity velocity[c].
    """
    B = tree.parent.size
    rgf = np.empty((3, 3))
    rfm = np.empty((3, 3))
    step = np.empty((3, 3))
    tmp = np.empty((3, 3))
    rgm = np.empty((3, 3))
    w = np.empty(3)
    omega[:] = 0.0
    velocity[:] = 0.0
    for b in range(B):
        p = tree.parent[b]
        of = np.empty(3)
        if p < 0:
            rgf[:] = tree.rotation_pf[b]
            of[:] = tree.position_pf[b]
        else:
            multiply(rotation[p], tree.rotation_pf[b], rgf)
            for i in range(3):
                of[i] = position[p, i]
                for j in range(3):
                    of[i] += rotation[p, i, j] * tree.position_pf[b, j]
        om = of.copy()
        rfm[:] = 0.0
        for i in range(3):
            rfm[i, i] = 1.0
        for a in range(6):
            c = tree.coordinate[b, a]
            k = tree.function[b, a]
            if k < 0:
                continue
            f, f1, _ = evaluate(tree, k, full[c] if c >= 0 else 0.0)
            f *= tree.gain[b, a]
            f1 *= tree.gain[b, a]
            axis = tree.axes[b, a]
            if a < 3:
                for i in range(3):
                    w[i] = rfm[i, 0] * axis[0] + rfm[i, 1] * axis[1] + rfm[i, 2] * axis[2]
                if c >= 0:
                    for i in range(3):
                        omega[c, i] += f1 * (
                            rgf[i, 0] * w[0] + rgf[i, 1] * w[1] + rgf[i, 2] * w[2]
                        )
                rotate_about(axis, f, step)
                multiply(rfm, step, tmp)
                rfm[:] = tmp
            else:
                for i in range(3):
                    g = rgf[i, 0] * axis[0] + rgf[i, 1] * axis[1] + rgf[i, 2] * axis[2]
                    om[i] += f * g
                    if c >= 0:
                        velocity[c, i] += f1 * g
        multiply(rgf, rfm, rgm)
        multiply_transposed(rgm, tree.rotation_bm[b], rotation[b])
        for i in range(3):
            position[b, i] = om[i]
            for j in range(3):
                position[b, i] -= rotation[b, i, j] * tree.position_bm[b, j]
        for a in range(6):
            c = tree.coordinate[b, a]
            if c >= 0:
                origin[c] = om


@jit
def newton_euler(
    tree: Tree,
    q: Array,
    qd: Array,
    qdd: Array,
    force: Array,
    moment: Array,
    tau: Array,
    wrench: Array,
    rotation: Array,
    position: Array,
    as_simbody: bool,
) -> None:
    """Inverse dynamics of one frame.

    Parameters
    ----------
    q, qd, qdd : (N,) independent coordinates and their derivatives
    force, moment : (B, 3) N, N·m external force on each body and its moment about
        the ground origin, ground frame
    tau : out (C,) generalized force of every coordinate, coupled ones included
    wrench : out (B, 6) force and moment about the body's origin, ground frame, that
        the parent must exert on the body through its joint (everything that crosses it)
    rotation, position : out (B, 3, 3), (B, 3)
    as_simbody : bool
        Leave out the term that Simbody 3.8's function-based joint leaves out: where one
        coordinate drives both the second and the third rotation (the Rajagopal knee),
        it does not carry the third axis round with the second. For comparison only;
        the full term agrees with differenced momentum, Simbody's does not.
    """
    B = tree.parent.size
    C = tree.leader.size
    full = np.zeros(C)
    fulld = np.zeros(C)
    fulldd = np.zeros(C)
    for i in range(tree.independent.size):
        c = tree.independent[i]
        full[c] = q[i]
        fulld[c] = qd[i]
        fulldd[c] = qdd[i]
    for c in range(C):
        lead = tree.leader[c]
        if lead >= 0:
            f, f1, f2 = evaluate(tree, tree.coupler[c], full[lead])
            full[c] = f
            fulld[c] = f1 * fulld[lead]
            fulldd[c] = f1 * fulldd[lead] + f2 * fulld[lead] ** 2
    omega = np.zeros((C, 3))
    velocity = np.zeros((C, 3))
    origin = np.zeros((C, 3))
    forward(tree, full, rotation, position, omega, velocity, origin)
    spin = np.zeros((B, 3))
    alpha = np.zeros((B, 3))
    accel = np.zeros((B, 3))
    joint_origin = np.zeros((B, 3))
    for b in range(B):
        p = tree.parent[b]
        if p < 0:
            rgf = tree.rotation_pf[b].copy()
            of = tree.position_pf[b].copy()
            wp = np.zeros(3)
            ap = np.zeros(3)
            aof = -tree.gravity
        else:
            rgf = rotation[p] @ tree.rotation_pf[b]
            arm = rotation[p] @ tree.position_pf[b]
            of = position[p] + arm
            wp = spin[p]
            ap = alpha[p]
            aof = accel[p] + np.cross(ap, arm) + np.cross(wp, np.cross(wp, arm))
        wrel = np.zeros(3)
        arel = np.zeros(3)
        t = np.zeros(3)
        td = np.zeros(3)
        tdd = np.zeros(3)
        second = np.zeros(3)
        rfm = np.eye(3)
        step = np.empty((3, 3))
        for a in range(6):
            k = tree.function[b, a]
            if k < 0:
                continue
            c = tree.coordinate[b, a]
            f, f1, f2 = evaluate(tree, k, full[c] if c >= 0 else 0.0)
            g = tree.gain[b, a]
            f *= g
            rate = 0.0
            rate2 = 0.0
            if c >= 0:
                rate = g * f1 * fulld[c]
                rate2 = g * (f1 * fulldd[c] + f2 * fulld[c] ** 2)
            if a < 3:
                w = rfm @ tree.axes[b, a]
                # The axis itself is carried round by the rotations before it.
                arel += rate2 * w + rate * np.cross(wrel, w)
                if a == 1:
                    second = rate * w
                if as_simbody and a == 2 and c == tree.coordinate[b, 1]:
                    arel -= rate * np.cross(second, w)
                wrel += rate * w
                rotate_about(tree.axes[b, a], f, step)
                rfm = rfm @ step
            else:
                t += f * tree.axes[b, a]
                td += rate * tree.axes[b, a]
                tdd += rate2 * tree.axes[b, a]
        wrel = rgf @ wrel
        r = rgf @ t
        rd = rgf @ td
        spin[b] = wp + wrel
        alpha[b] = ap + rgf @ arel + np.cross(wp, wrel)
        aom = (
            aof
            + np.cross(ap, r)
            + np.cross(wp, np.cross(wp, r))
            + 2.0 * np.cross(wp, rd)
            + rgf @ tdd
        )
        joint_origin[b] = of + r
        back = position[b] - joint_origin[b]
        accel[b] = aom + np.cross(alpha[b], back) + np.cross(spin[b], np.cross(spin[b], back))
    wrench[:] = 0.0
    for b in range(B - 1, -1, -1):
        arm = rotation[b] @ tree.com[b]
        acom = accel[b] + np.cross(alpha[b], arm) + np.cross(spin[b], np.cross(spin[b], arm))
        inertia = rotation[b] @ tree.inertia[b] @ rotation[b].T
        f = tree.mass[b] * acom - force[b]
        m = inertia @ alpha[b] + np.cross(spin[b], inertia @ spin[b])
        m += np.cross(arm, tree.mass[b] * acom) - (moment[b] - np.cross(position[b], force[b]))
        wrench[b, :3] += f
        wrench[b, 3:] += m
        p = tree.parent[b]
        if p >= 0:
            wrench[p, :3] += wrench[b, :3]
            wrench[p, 3:] += wrench[b, 3:] + np.cross(position[b] - position[p], wrench[b, :3])
    for c in range(C):
        b = tree.joint_of[c]
        m = wrench[b, 3:] + np.cross(position[b] - joint_origin[b], wrench[b, :3])
        tau[c] = omega[c] @ m + velocity[c] @ wrench[b, :3]


@jit
def fold_coupled(tree: Tree, full: Array, tau: Array, out: Array) -> None:
    """Generalized forces (N,) of independent coordinates from those of all (C,)."""
    total = tau.copy()
    for c in range(total.size):
        lead = tree.leader[c]
        if lead >= 0:
            total[lead] += evaluate(tree, tree.coupler[c], full[lead])[1] * tau[c]
    for i in range(tree.independent.size):
        out[i] = total[tree.independent[i]]


@jit
def poses_kernel(tree: Tree, q: Array, rotation: Array, position: Array) -> None:
    """Poses of every frame: q (T, N) → rotation (T, B, 3, 3), position (T, B, 3)."""
    C = tree.leader.size
    full = np.zeros(C)
    omega = np.zeros((C, 3))
    velocity = np.zeros((C, 3))
    origin = np.zeros((C, 3))
    for t in range(q.shape[0]):
        expand(tree, q[t], full)
        forward(tree, full, rotation[t], position[t], omega, velocity, origin)


@jit
def dynamics_kernel(
    tree: Tree,
    q: Array,
    qd: Array,
    qdd: Array,
    force: Array,
    moment: Array,
    tau: Array,
    tau_full: Array,
    wrench: Array,
    rotation: Array,
    position: Array,
    as_simbody: bool,
) -> None:
    """`newton_euler` over frames; see there. tau (T, N), tau_full (T, C)."""
    full = np.zeros(tree.leader.size)
    for t in range(q.shape[0]):
        newton_euler(
            tree,
            q[t],
            qd[t],
            qdd[t],
            force[t],
            moment[t],
            tau_full[t],
            wrench[t],
            rotation[t],
            position[t],
            as_simbody,
        )
        expand(tree, q[t], full)
        fold_coupled(tree, full, tau_full[t], tau[t])


@jit
def station_jacobian(
    tree: Tree,
    full: Array,
    omega: Array,
    velocity: Array,
    origin: Array,
    rotation: Array,
    position: Array,
    body: IntArray,
    station: Array,
    where: Array,
    jacobian: Array,
    slope: Array,
    column: IntArray,
) -> None:
    """Positions of stations in ground and their derivatives to independent coordinates.

    Parameters
    ----------
    body : (K,) body index; station : (K, 3) m in the body frame
    where : out (K, 3) m; jacobian : out (3 K, N)
    slope, column : scratch (C,), (C,): share of a coordinate in its independent one
    """
    C = full.size
    for i in range(tree.independent.size):
        column[tree.independent[i]] = i
        slope[tree.independent[i]] = 1.0
    for c in range(C):
        lead = tree.leader[c]
        if lead >= 0:
            column[c] = column[lead]
            slope[c] = evaluate(tree, tree.coupler[c], full[lead])[1]
    jacobian[:] = 0.0
    for k in range(body.size):
        b = body[k]
        for i in range(3):
            where[k, i] = (
                position[b, i]
                + rotation[b, i, 0] * station[k, 0]
                + rotation[b, i, 1] * station[k, 1]
                + rotation[b, i, 2] * station[k, 2]
            )
        for c in range(C):
            if not tree.moves[b, c]:
                continue
            x = where[k, 0] - origin[c, 0]
            y = where[k, 1] - origin[c, 1]
            z = where[k, 2] - origin[c, 2]
            j = column[c]
            s = slope[c]
            jacobian[3 * k, j] += s * (velocity[c, 0] + omega[c, 1] * z - omega[c, 2] * y)
            jacobian[3 * k + 1, j] += s * (velocity[c, 1] + omega[c, 2] * x - omega[c, 0] * z)
            jacobian[3 * k + 2, j] += s * (velocity[c, 2] + omega[c, 0] * y - omega[c, 1] * x)
