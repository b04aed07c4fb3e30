"""The laws of motion as wishes of the fit, and what is left over at its end.

*Absolute*: the captured motion and the captured ground reaction are brought to agree
(residual reduction, Thelen & Anderson 2006, doi:10.1016/j.jbiomech.2005.02.010).
*Differences*: a changed motion gets the ground reaction F = F0 + g m Δc̈, g being what the
ground can take; the centre of pressure moves with the foot; and the moments about the mass
centre must balance as they did before, ΔM = ΔḢ − Δ Σ[(p − c) × F + τ]. What remains is taken
by small shifts of the centre of pressure and a small free moment, which are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import SIDES, Array
from .fit import Change, Rows
from .limb import limb_moments
from .mechanics import BodyState, cross, momentum, turn, wrench
from .problem import Problem

REDUCTION_FORCE, REDUCTION_MOMENT = 10.0, 3.0
"""σ of the captured stride's imbalance, N and N·m: well under 5 % and 1 % of the peak."""
FLIGHT_FORCE = 3.0
"""N, σ of a change of the mass centre's acceleration that no ground can supply, times m."""
FORCE_CHANGE = np.array([40.0, 60.0, 40.0])
"""N, σ of the change of the ground reaction."""
SPIN_CHANGE = 4.0
"""N·m, σ of the change of the rate of angular momentum: without it the fit balances roll by
flinging leg and trunk (methods.md)."""
BALANCE = 1.0
"""N·m, σ of the moment balance where nothing absorbs; pressure and free moment widen it."""
PRESSURE, FREE_MOMENT = 0.004, 3.0
"""m and N·m, σ of what the centre of pressure and the free moment may absorb."""
REDUCTION_LIMB = np.array([3.0, 4.0, 6.0])
"""N·m, σ of what residual reduction changes in the moments that move shank and foot: about
the tibia's forward, upward and lateral axis, so that a leg in swing stays as captured."""
LIMB = np.array([8.0, 8.0, 16.0])
"""N·m, the same of a variant, whose legs are meant to move otherwise."""
PRESSURE_LIMIT, FREE_MOMENT_LIMIT = 0.010, 8.0
"""m and N·m, the most that they absorb."""


@dataclass(frozen=True)
class Ground:
    """Ground reaction of a changed stride.

    Attributes
    ----------
    force, point, torque : (T, 2, 3)
    pressure_shift : (T, 2) m, along X and Z, of the centre of pressure on the foot
    free_moment : (T,) N·m, added about the vertical
    """

    force: Array
    point: Array
    torque: Array
    pressure_shift: Array
    free_moment: Array


def external(force: Array, point: Array, torque: Array, com: Array) -> tuple[Array, Array]:
    """Sum over feet of force (T, 3) and of moment about the mass centre (T, 3)."""
    moment = np.cross(point - com[:, None], force) + torque
    return force.sum(axis=1), moment.sum(axis=1)


def reduction_rows(p: Problem, state: BodyState, change: Change) -> list[Rows]:
    """Imbalance of the captured stride itself."""
    s, mass = p.stride, p.runner.body.mass
    full = p.full(change)
    w = wrench(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2])
    force, moment = external(s.force, s.point, s.torque, w.com)
    ones = np.ones_like(force)
    # Trunk and arms that no marker told may move far: renew the derivatives every time.
    m = momentum(p.runner.body, state, s.qd[:, p.free] + change[1], p.derivative)
    c0, c1, c2 = (mass * a for a in m.com)
    lever = -cross(force, c2 / mass)
    return [
        Rows("force balance", w.force - force, ones / REDUCTION_FORCE, c0, c1, c2),
        Rows(
            "moment balance", w.spin_rate - moment, ones / REDUCTION_MOMENT,
            m.spin[0] + lever, m.spin[1], m.spin[2],
        ),
        *limb_rows(p, change, REDUCTION_LIMB),
    ]  # fmt: skip


def limb_rows(p: Problem, change: Change, sigma: Array) -> list[Rows]:
    """Shank and foot ask of the knee what they asked before; `sigma` (3,) N·m."""
    s, full = p.stride, p.full(change)
    now = limb_moments(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2], p.shanks)
    weight = np.broadcast_to(1.0 / sigma, (s.frames, 3))
    return [
        Rows(f"shank {side}", now[:, k] - p.base_limbs[:, k], weight, *p.limbs[side].factors)
        for k, side in enumerate(SIDES)
    ]


def state_com(p: Problem, state: BodyState) -> Array:
    """(T, 3, N): Jacobian of the mass centre at a state."""
    tree = p.runner.body.tree
    heavy = np.flatnonzero(tree.mass > 0.0)
    mass = tree.mass[heavy]
    arm = np.einsum("tbij,bj->tbi", state.rotation[:, heavy], tree.com[heavy])
    linear = state.linear[:, heavy] - cross(arm, state.turning[:, heavy])
    out: Array = np.einsum("b,tbin->tin", mass / mass.sum(), linear)
    return out


def carried_point(p: Problem, state: BodyState) -> Array:
    """(T, 2, 3) m: the centre of pressure as it moves with the foot, at its own height."""
    point = p.stride.point.copy()
    for k, side in enumerate(SIDES):
        foot = p.legs[side].foot
        point[:, k] = state.point(foot, _pressure_station(p, k))
    point[:, :, 1] = p.stride.point[:, :, 1]
    return point


def _pressure_station(p: Problem, k: int) -> Array:
    foot = p.legs[SIDES[k]].foot
    away = p.stride.point[:, k] - p.base.position[:, foot]
    return turn(p.base.rotation[:, foot].transpose(0, 2, 1), away)


def difference_rows(p: Problem, state: BodyState, change: Change) -> list[Rows]:
    """Balance of the change: moments, flight, size of ΔF, size of ΔḢ."""
    s, mass, g = p.stride, p.runner.body.mass, p.grip
    full = p.full(change)
    w = wrench(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2])
    delta_force = w.force - p.base_wrench.force
    delta_spin = w.spin_rate - p.base_wrench.spin_rate
    taken = g[:, None] * delta_force
    force = s.force + p.share[:, :, None] * taken[:, None]
    point = carried_point(p, state)
    _, before = external(s.force, s.point, s.torque, p.base_wrench.com)
    _, after = external(force, point, s.torque, w.com)
    left = delta_spin - (after - before)
    vertical = s.force[:, :, 1].sum(axis=1)
    level = np.sqrt(BALANCE**2 + (PRESSURE * g * vertical) ** 2)
    upright = np.sqrt(BALANCE**2 + (FREE_MOMENT * g) ** 2)
    balance = 1.0 / np.stack([level, upright, level], axis=1)
    flight = (1.0 - g)[:, None] / FLIGHT_FORCE * np.ones(3)
    size = g[:, None] / FORCE_CHANGE
    spin = np.full_like(left, 1.0 / SPIN_CHANGE)
    m = p.momentum
    c = [mass * a for a in m.com]
    lever = np.zeros_like(c[0])
    for k, side in enumerate(SIDES):
        foot = p.legs[side].foot
        moves = state.point_jacobian(foot, _pressure_station(p, k))
        moves[:, 1] = 0.0
        lever += cross(force[:, k], moves)
    lever -= cross(force.sum(axis=1), state_com(p, state))
    arm = (p.share[:, :, None] * (point - w.com[:, None])).sum(axis=1) * g[:, None]
    terms = [m.spin[i] - cross(arm, c[i]) for i in range(3)]
    return [
        Rows("moment balance", left, balance, terms[0] + lever, terms[1], terms[2]),
        Rows("flight", delta_force, flight, c[0], c[1], c[2]),
        Rows("ground reaction", delta_force, size, c[0], c[1], c[2]),
        Rows("angular momentum", delta_spin, spin, *m.spin),
        *limb_rows(p, change, LIMB),
    ]


def without_corrections(p: Problem, state: BodyState, change: Change) -> Ground:
    """Ground reaction that follows from the motion alone: F0 + g m Δc̈ under the moved foot."""
    s = p.stride
    full = p.full(change)
    w = wrench(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2])
    taken = p.grip[:, None] * (w.force - p.base_wrench.force)
    force = s.force + p.share[:, :, None] * taken[:, None]
    nothing = np.zeros(s.frames)
    still = np.zeros((s.frames, 2))
    return Ground(force, carried_point(p, state), s.torque.copy(), still, nothing)


def changed_ground(p: Problem, state: BodyState, change: Change) -> Ground:
    """Ground reaction of the changed stride with what pressure and free moment absorb."""
    s, g = p.stride, p.grip
    plain = without_corrections(p, state, change)
    full = p.full(change)
    w = wrench(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2])
    _, before = external(s.force, s.point, s.torque, p.base_wrench.com)
    total, after = external(plain.force, plain.point, s.torque, w.com)
    left = w.spin_rate - p.base_wrench.spin_rate - (after - before)
    # Δp × F with Δp = (a, 0, b) is (-b Fy, b Fx - a Fz, a Fy).
    heavy = np.maximum(total[:, 1], 1.0)
    reach = PRESSURE_LIMIT * g
    a = np.clip(left[:, 2] / heavy, -reach, reach)
    b = np.clip(-left[:, 0] / heavy, -reach, reach)
    twist = left[:, 1] - (b * total[:, 0] - a * total[:, 2])
    twist = np.clip(twist, -FREE_MOMENT_LIMIT * g, FREE_MOMENT_LIMIT * g)
    shift = np.stack([a, b], axis=1)
    on_ground = p.share[:, :, None] > 0.0
    point = plain.point + np.where(on_ground, np.stack([a, 0 * a, b], axis=1)[:, None], 0.0)
    torque = s.torque.copy()
    torque[:, :, 1] += p.share * twist[:, None]
    return Ground(plain.force, point, torque, shift, twist)


def pelvis_residual(p: Problem, change: Change, ground: Ground | None) -> tuple[Array, Array]:
    """Force (T, 3) N and moment about the pelvis (T, 3) N·m that nothing supplies."""
    s = p.stride
    full = p.full(change)
    w = wrench(p.runner.body, s.q + full[0], s.qd + full[1], s.qdd + full[2])
    if ground is None:
        force, moment = external(s.force, s.point, s.torque, w.com)
    else:
        force, moment = external(ground.force, ground.point, ground.torque, w.com)
    left = w.force - force
    return left, w.spin_rate - moment + np.cross(w.com - w.pelvis, left)
