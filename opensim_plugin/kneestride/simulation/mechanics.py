"""What a change of the coordinates does to bodies, mass centre and angular momentum.

Everything that the fit needs is linear in the change at each frame. Positions follow the
body Jacobians J(t). For momentum no derivative with respect to coordinates is needed: with
displacement δr = J δq and turn δθ = Jw δq of a body, its spin angular momentum changes by

    δ(I ω) = δθ × (I ω) + I d(δθ)/dt

so that the angular momentum about the mass centre changes by δH = P δq + Q δq̇ with

    P = Σ m ([r']× J̇ − [v']× J) + I J̇w − [I ω]× Jw,     Q = Σ m [r']× J + I Jw

(r', v' relative to the mass centre; those terms that carry the mass centre's own motion sum
to zero), and δḢ = Ṗ δq + (P + Q̇) δq̇ + Q δq̈. J(t) repeats with the stride, so time
derivatives come from the periodic differentiation of `bspline`. Values, in contrast to
derivatives, come from exact inverse dynamics. Notation: Featherstone 2008, ch. 2; centroidal
momentum: Orin & Goswami 2008 (doi:10.1109/IROS.2008.4650772).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.kernels import IntArray, Tree, evaluate, expand, forward, jit
from ..model.multibody import Multibody
from ..vocabulary import Array


@dataclass(frozen=True)
class BodyState:
    """Bodies over one stride.

    Attributes
    ----------
    rotation, position : (T, B, 3, 3), (T, B, 3) m, body in ground
    com : (T, 3) m, mass centre of the whole body
    linear, turning : (T, B, 3, N) velocity of each body's origin, and its angular velocity,
        per unit coordinate rate; ground frame
    """

    rotation: Array
    position: Array
    com: Array
    linear: Array
    turning: Array

    def point(self, body: int, station: Array) -> Array:
        """(T, 3) m: place of a station, (3,) or (T, 3) in the body frame."""
        out: Array = self.position[:, body] + turn(self.rotation[:, body], station)
        return out

    def point_jacobian(self, body: int, station: Array) -> Array:
        """(T, 3, N): derivative of `point` with respect to the coordinates."""
        arm = turn(self.rotation[:, body], station)
        out: Array = self.linear[:, body] - cross(arm, self.turning[:, body])
        return out


@dataclass(frozen=True)
class Momentum:
    """Derivatives of mass-centre acceleration and of the rate of angular momentum.

    Attributes
    ----------
    com : (3 × (T, 3, N)) factors of δq, δq̇, δq̈ in δc̈; the last is the Jacobian itself
    spin : (3 × (T, 3, N)) the same for δḢ about the mass centre
    """

    com: tuple[Array, Array, Array]
    spin: tuple[Array, Array, Array]


@dataclass(frozen=True)
class Wrench:
    """What the ground would have to supply for a motion.

    Attributes
    ----------
    force : (T, 3) N, m (c̈ − g)
    spin_rate : (T, 3) N·m, rate of angular momentum about the mass centre
    pelvis : (T, 3) m, origin of the pelvis
    com : (T, 3) m
    """

    force: Array
    spin_rate: Array
    pelvis: Array
    com: Array


def turn(rotation: Array, station: Array) -> Array:
    """(T, 3): a station (3,) or (T, 3) in the axes of the ground."""
    out: Array = np.einsum("tij,tj->ti", rotation, np.broadcast_to(station, (len(rotation), 3)))
    return out


def cross(vector: Array, columns: Array) -> Array:
    """[v]× applied to every column: (..., 3) and (..., 3, N) to (..., 3, N)."""
    return np.cross(vector[..., None], columns, axis=-2)


@jit
def jacobians_kernel(
    tree: Tree,
    q: Array,
    column: IntArray,
    rotation: Array,
    position: Array,
    linear: Array,
    turning: Array,
) -> None:
    """Fill the arrays of `BodyState`; `column` (C,) is the place of a coordinate, or -1."""
    C = tree.leader.size
    full = np.zeros(C)
    omega = np.zeros((C, 3))
    velocity = np.zeros((C, 3))
    origin = np.zeros((C, 3))
    linear[:] = 0.0
    turning[:] = 0.0
    for t in range(q.shape[0]):
        expand(tree, q[t], full)
        forward(tree, full, rotation[t], position[t], omega, velocity, origin)
        for c in range(C):
            j = column[c]
            if j < 0:
                continue
            s = 1.0
            if tree.leader[c] >= 0:
                s = evaluate(tree, tree.coupler[c], full[tree.leader[c]])[1]
            for b in range(tree.parent.size):
                if not tree.moves[b, c]:
                    continue
                x = position[t, b, 0] - origin[c, 0]
                y = position[t, b, 1] - origin[c, 1]
                z = position[t, b, 2] - origin[c, 2]
                o = omega[c]
                linear[t, b, 0, j] += s * (velocity[c, 0] + o[1] * z - o[2] * y)
                linear[t, b, 1, j] += s * (velocity[c, 1] + o[2] * x - o[0] * z)
                linear[t, b, 2, j] += s * (velocity[c, 2] + o[0] * y - o[1] * x)
                for i in range(3):
                    turning[t, b, i, j] += s * o[i]


def body_state(model: Multibody, q: Array, free: IntArray) -> BodyState:
    """Poses and Jacobians with respect to the coordinates `free` (indices, length N)."""
    tree = model.tree
    column = np.full(len(model.full_coordinates), -1, dtype=np.int64)
    for j, i in enumerate(free):
        column[tree.independent[i]] = j
    for c in np.flatnonzero(tree.leader >= 0):
        column[c] = column[tree.leader[c]]
    T, B, N = len(q), len(model.bodies), len(free)
    rotation, position = np.empty((T, B, 3, 3)), np.empty((T, B, 3))
    linear, turning = np.empty((T, B, 3, N)), np.empty((T, B, 3, N))
    jacobians_kernel(tree, np.ascontiguousarray(q), column, rotation, position, linear, turning)
    com = model.center_of_mass(rotation, position)
    return BodyState(rotation, position, com, linear, turning)


def momentum(model: Multibody, state: BodyState, qd: Array, derivative: Array) -> Momentum:
    """Derivatives of c̈ and Ḣ along a periodic motion.

    Parameters
    ----------
    state : BodyState; qd : (T, N) rates of the same coordinates, everything that moves
    derivative : (T, T) matrix of `bspline.derivative_matrix`
    """
    heavy = np.flatnonzero(model.tree.mass > 0.0)
    mass = model.tree.mass[heavy]
    rotation, turning = state.rotation[:, heavy], state.turning[:, heavy]
    arm = np.einsum("tbij,bj->tbi", rotation, model.tree.com[heavy])
    linear = state.linear[:, heavy] - cross(arm, turning)
    place = state.position[:, heavy] + arm - state.com[:, None]
    inertia = np.einsum(
        "tbij,bjk,tblk->tbil", rotation, model.tree.inertia[heavy], rotation, optimize=True
    )
    com = np.einsum("b,tbin->tin", mass / mass.sum(), linear)
    com_d, linear_d, turning_d = (along(derivative, a) for a in (com, linear, turning))
    com_dd = along(derivative, com_d)
    speed = (linear @ qd[:, None, :, None])[..., 0] - (com @ qd[:, :, None])[:, None, :, 0]
    spin = np.einsum("tbij,tbjn,tn->tbi", inertia, turning, qd, optimize=True)
    weigh = mass[None, :, None, None]
    q_term = (weigh * cross(place, linear) + inertia @ turning).sum(axis=1)
    p_term = (
        weigh * (cross(place, linear_d) - cross(speed, linear))
        + inertia @ turning_d
        - cross(spin, turning)
    ).sum(axis=1)
    spin_terms = along(derivative, p_term), p_term + along(derivative, q_term), q_term
    return Momentum((com_dd, 2.0 * com_d, com), spin_terms)


def along(derivative: Array, values: Array) -> Array:
    """Time derivative of values (T, ...)."""
    out: Array = (derivative @ values.reshape(len(values), -1)).reshape(values.shape)
    return out


def wrench(model: Multibody, q: Array, qd: Array, qdd: Array) -> Wrench:
    """Force and rate of angular momentum of a motion, exactly, from inverse dynamics."""
    nothing = np.zeros((len(q), len(model.bodies), 3))
    found = model.inverse_dynamics(q, qd, qdd, nothing, nothing)
    root = model.body("pelvis")
    force, about_pelvis = found.wrench[:, root, :3], found.wrench[:, root, 3:]
    pelvis = found.position[:, root]
    com = model.center_of_mass(found.rotation, found.position)
    return Wrench(force, about_pelvis + np.cross(pelvis - com, force), pelvis, com)
