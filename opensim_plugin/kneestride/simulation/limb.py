"""What shank and foot ask of the knee to be moved as they are.

A leg in swing carries no ground reaction: its knee moments are what it takes to accelerate
shank and foot, a few N·m of adduction. A change Δq̈ of 80 rad/s² in the knee's frontal plane,
invisible in the angles, is 30 N·m. So these moments are wishes of their own. With
displacement δr = J δq and turn δθ = Jw δq of a body, the moment about the knee K

    M = Σ (r − K) × m (r̈ − g) + d(I ω)/dt

changes by Σ (δr − δK) × m (r̈ − g) + (r − K) × m δr̈ + d/dt( δθ × I ω + I d(δθ)/dt ), which is
`mechanics` once more, for two segments about a moving point instead of the whole body about
its mass centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.kernels import IntArray
from ..model.multibody import Multibody
from ..vocabulary import Array
from .mechanics import BodyState, along, cross


@dataclass(frozen=True)
class LimbMoment:
    """Derivative of the moment that moves everything beyond a joint.

    Attributes
    ----------
    factors : (3 × (T, 3, N)) of δq, δq̇, δq̈ in the moment about the body's origin, N·m, in the
        body's own axes
    """

    factors: tuple[Array, Array, Array]


def beyond(model: Multibody, body: int) -> IntArray:
    """Indices of a body and of all that hangs on it, those with mass."""
    tree, found = model.tree, []
    for b in range(len(model.bodies)):
        ancestor = b
        while ancestor >= 0 and ancestor != body:
            ancestor = int(tree.parent[ancestor])
        if ancestor == body and tree.mass[b] > 0.0:
            found.append(b)
    return np.array(found, dtype=np.int64)


def limb_moments(
    model: Multibody, q: Array, qd: Array, qdd: Array, bodies: tuple[int, ...]
) -> Array:
    """Moment (T, len(bodies), 3) N·m that moves each body and all beyond it.

    About the body's origin and in its own axes, without any ground reaction; exact, from
    inverse dynamics.
    """
    nothing = np.zeros((len(q), len(model.bodies), 3))
    found = model.inverse_dynamics(q, qd, qdd, nothing, nothing)
    chosen = list(bodies)
    out: Array = np.einsum(
        "tbji,tbj->tbi", found.rotation[:, chosen], found.wrench[:, chosen, 3:]
    )
    return out


def limb_moment(
    model: Multibody, state: BodyState, qd: Array, derivative: Array, body: int
) -> LimbMoment:
    """Derivatives of one limb's moment along a periodic motion.

    Parameters
    ----------
    state : BodyState; qd : (T, N) rates of the same coordinates
    derivative : (T, T) matrix of `bspline.derivative_matrix`
    body : int, such as the tibia
    """
    own = beyond(model, body)
    mass = model.tree.mass[own][None, :, None, None]
    rotation, turning = state.rotation[:, own], state.turning[:, own]
    lever = np.einsum("tbij,bj->tbi", rotation, model.tree.com[own])
    linear = state.linear[:, own] - cross(lever, turning)
    place = state.position[:, own] + lever
    inertia = np.einsum(
        "tbij,bjk,tblk->tbil", rotation, model.tree.inertia[own], rotation, optimize=True
    )
    spin = np.einsum("tbij,tbjn,tn->tbi", inertia, turning, qd, optimize=True)
    linear_d, turning_d = along(derivative, linear), along(derivative, turning)
    linear_dd = along(derivative, linear_d)
    pull = along(derivative, along(derivative, place)) - model.tree.gravity
    arm = place - state.position[:, body][:, None]
    apart = linear - state.linear[:, body][:, None]
    # d(δ(I ω))/dt with δ(I ω) = low δq + high δq̇.
    low = inertia @ turning_d - cross(spin, turning)
    high = inertia @ turning
    terms = (
        mass * (cross(arm, linear_dd) - cross(pull, apart)) + along(derivative, low),
        mass * 2.0 * cross(arm, linear_d) + low + along(derivative, high),
        mass * cross(arm, linear) + high,
    )
    back = state.rotation[:, body].transpose(0, 2, 1)
    moment = (mass[..., 0] * np.cross(arm, pull) + along(derivative, spin)).sum(axis=1)
    first, second, third = (t.sum(axis=1) for t in terms)
    # Seen from the body, the moment also turns against the body's own turn.
    first = first + cross(moment, state.turning[:, body])
    return LimbMoment((back @ first, back @ second, back @ third))
