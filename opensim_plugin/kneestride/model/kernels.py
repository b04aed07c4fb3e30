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
def expand_kernel(tree: Tree, q: Array, full: Array) -> None:
    """`expand` over frames: q (T, N) → full (T, C)."""
    for t in range(q.shape[0]):
        expand(tree, q[t], full[t])


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
    om = np.empty(3)
    omega[:] = 0.0
    velocity[:] = 0.0
    for b in range(B):
        p = tree.parent[b]
        if p < 0:
            rgf[:] = tree.rotation_pf[b]
            om[:] = tree.position_pf[b]
        else:
            multiply(rotation[p], tree.rotation_pf[b], rgf)
            for i in range(3):
                om[i] = position[p, i]
                for j in range(3):
                    om[i] += rotation[p, i, j] * tree.position_pf[b, j]
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
def times(matrix: Array, vector: Array, out: Array) -> None:
    """`matrix @ vector` in three dimensions, without the call of a library."""
    for i in range(3):
        out[i] = matrix[i, 0] * vector[0] + matrix[i, 1] * vector[1] + matrix[i, 2] * vector[2]


@jit
def add_cross(a: Array, b: Array, factor: float, out: Array) -> None:
    """Add `factor` times a x b to `out`."""
    out[0] += factor * (a[1] * b[2] - a[2] * b[1])
    out[1] += factor * (a[2] * b[0] - a[0] * b[2])
    out[2] += factor * (a[0] * b[1] - a[1] * b[0])


@jit
def add_turning(alpha: Array, spin: Array, arm: Array, out: Array) -> None:
    """Add alpha x arm + spin x (spin x arm), the acceleration of a point by rotation."""
    add_cross(alpha, arm, 1.0, out)
    x = spin[1] * arm[2] - spin[2] * arm[1]
    y = spin[2] * arm[0] - spin[0] * arm[2]
    z = spin[0] * arm[1] - spin[1] * arm[0]
    out[0] += spin[1] * z - spin[2] * y
    out[1] += spin[2] * x - spin[0] * z
    out[2] += spin[0] * y - spin[1] * x


class Scratch(NamedTuple):
    """Work arrays of `newton_euler`, made once for all frames.

    Attributes
    ----------
    full, fulld, fulldd : (C,); omega, velocity, origin : (C, 3), see `forward`
    spin, alpha, accel, joint : (B, 3) angular velocity and acceleration of each body,
        acceleration of its origin, place of its joint
    matrices : (5, 3, 3); vectors : (16, 3)
    """

    full: Array
    fulld: Array
    fulldd: Array
    omega: Array
    velocity: Array
    origin: Array
    spin: Array
    alpha: Array
    accel: Array
    joint: Array
    matrices: Array
    vectors: Array


@jit
def scratch_for(tree: Tree) -> Scratch:
    """Work arrays for a tree."""
    B, C = tree.parent.size, tree.leader.size
    return Scratch(
        np.zeros(C),
        np.zeros(C),
        np.zeros(C),
        np.zeros((C, 3)),
        np.zeros((C, 3)),
        np.zeros((C, 3)),
        np.zeros((B, 3)),
        np.zeros((B, 3)),
        np.zeros((B, 3)),
        np.zeros((B, 3)),
        np.zeros((5, 3, 3)),
        np.zeros((16, 3)),
    )


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
    work: Scratch,
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
    work : of `scratch_for`
    """
    B = tree.parent.size
    C = tree.leader.size
    full, fulld, fulldd = work.full, work.fulld, work.fulldd
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
    omega, velocity = work.omega, work.velocity
    forward(tree, full, rotation, position, omega, velocity, work.origin)
    accelerate(tree, full, fulld, fulldd, rotation, position, as_simbody, work)
    wrench[:] = 0.0
    arm, acom, m, turn, local = (
        work.vectors[0],
        work.vectors[1],
        work.vectors[2],
        work.vectors[3],
        work.vectors[4],
    )
    for b in range(B - 1, -1, -1):
        R, spin, alpha = rotation[b], work.spin[b], work.alpha[b]
        mass = tree.mass[b]
        times(R, tree.com[b], arm)
        acom[:] = work.accel[b]
        add_turning(alpha, spin, arm, acom)
        # I w with the inertia in the body: turn back, multiply, turn again.
        m[:] = 0.0
        for j in range(3):
            local[j] = R[0, j] * alpha[0] + R[1, j] * alpha[1] + R[2, j] * alpha[2]
        times(tree.inertia[b], local, turn)
        times(R, turn, m)
        for j in range(3):
            local[j] = R[0, j] * spin[0] + R[1, j] * spin[1] + R[2, j] * spin[2]
        times(tree.inertia[b], local, turn)
        times(R, turn, local)
        add_cross(spin, local, 1.0, m)
        add_cross(arm, acom, mass, m)
        add_cross(position[b], force[b], 1.0, m)
        for i in range(3):
            wrench[b, i] += mass * acom[i] - force[b, i]
            wrench[b, 3 + i] += m[i] - moment[b, i]
        p = tree.parent[b]
        if p >= 0:
            for i in range(3):
                arm[i] = position[b, i] - position[p, i]
                wrench[p, i] += wrench[b, i]
                wrench[p, 3 + i] += wrench[b, 3 + i]
            add_cross(arm, wrench[b, :3], 1.0, wrench[p, 3:])
    for c in range(C):
        b = tree.joint_of[c]
        for i in range(3):
            arm[i] = position[b, i] - work.joint[b, i]
            m[i] = wrench[b, 3 + i]
        add_cross(arm, wrench[b, :3], 1.0, m)
        total = 0.0
        for i in range(3):
            total += omega[c, i] * m[i] + velocity[c, i] * wrench[b, i]
        tau[c] = total


@jit
def accelerate(
    tree: Tree,
    full: Array,
    fulld: Array,
    fulldd: Array,
    rotation: Array,
    position: Array,
    as_simbody: bool,
    work: Scratch,
) -> None:
    """Angular velocity and accelerations of all bodies, in ground; gravity counts as one.

    Fills `spin`, `alpha`, `accel` and `joint` of `work`; see `newton_euler`.
    """
    rgf, rfm, step, product = (
        work.matrices[0],
        work.matrices[1],
        work.matrices[2],
        work.matrices[3],
    )
    wp, ap, aof, arm = work.vectors[0], work.vectors[1], work.vectors[2], work.vectors[3]
    wrel, arel, t, td, tdd = (
        work.vectors[4],
        work.vectors[5],
        work.vectors[6],
        work.vectors[7],
        work.vectors[8],
    )
    second, w, turned, r, rd = (
        work.vectors[9],
        work.vectors[10],
        work.vectors[11],
        work.vectors[12],
        work.vectors[13],
    )
    for b in range(tree.parent.size):
        p = tree.parent[b]
        if p < 0:
            rgf[:] = tree.rotation_pf[b]
            wp[:] = 0.0
            ap[:] = 0.0
            for i in range(3):
                work.joint[b, i] = tree.position_pf[b, i]
                aof[i] = -tree.gravity[i]
        else:
            multiply(rotation[p], tree.rotation_pf[b], rgf)
            times(rotation[p], tree.position_pf[b], arm)
            wp[:] = work.spin[p]
            ap[:] = work.alpha[p]
            aof[:] = work.accel[p]
            add_turning(ap, wp, arm, aof)
            for i in range(3):
                work.joint[b, i] = position[p, i] + arm[i]
        for i in range(3):
            wrel[i] = arel[i] = t[i] = td[i] = tdd[i] = second[i] = 0.0
            for j in range(3):
                rfm[i, j] = 1.0 if i == j else 0.0
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
            axis = tree.axes[b, a]
            if a < 3:
                times(rfm, axis, w)
                # The axis itself is carried round by the rotations before it.
                for i in range(3):
                    arel[i] += rate2 * w[i]
                add_cross(wrel, w, rate, arel)
                if a == 1:
                    for i in range(3):
                        second[i] = rate * w[i]
                if as_simbody and a == 2 and c == tree.coordinate[b, 1]:
                    add_cross(second, w, -rate, arel)
                for i in range(3):
                    wrel[i] += rate * w[i]
                rotate_about(axis, f, step)
                multiply(rfm, step, product)
                rfm[:] = product
            else:
                for i in range(3):
                    t[i] += f * axis[i]
                    td[i] += rate * axis[i]
                    tdd[i] += rate2 * axis[i]
        times(rgf, wrel, turned)
        times(rgf, t, r)
        times(rgf, td, rd)
        spin, alpha, accel = work.spin[b], work.alpha[b], work.accel[b]
        times(rgf, arel, alpha)
        times(rgf, tdd, accel)
        add_cross(wp, turned, 1.0, alpha)
        add_cross(wp, rd, 2.0, accel)
        for i in range(3):
            spin[i] = wp[i] + turned[i]
            alpha[i] += ap[i]
            accel[i] += aof[i]
            work.joint[b, i] += r[i]
        add_turning(ap, wp, r, accel)
        for i in range(3):
            arm[i] = position[b, i] - work.joint[b, i]
        add_turning(alpha, spin, arm, accel)


@jit
def fold_coupled(tree: Tree, full: Array, tau: Array, out: Array, total: Array) -> None:
    """Generalized forces (N,) of independent coordinates from those of all (C,).

    `total` is a work array (C,).
    """
    total[:] = tau
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
    work = scratch_for(tree)
    total = np.zeros(tree.leader.size)
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
            work,
        )
        fold_coupled(tree, work.full, tau_full[t], tau[t], total)


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
