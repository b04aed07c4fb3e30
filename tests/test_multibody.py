"""Laws of mechanics that the model's array functions keep, on the runner's own model."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.model.multibody import Dynamics, Multibody
from kneestride.vocabulary import SIDES, Array
from scipy.spatial.transform import Rotation
from synthetic_capture import runner

SEEDS = (1, 2, 3)
STEP = 1e-4
"""s, for differences in time; their error is of the order of its square."""


class Movement:
    """Every coordinate on a sine of its own; q, q̇ and q̈ known at any time."""

    def __init__(self, seed: int) -> None:
        body = runner()
        rng = np.random.default_rng(seed)
        low = np.where(body.rotational, np.maximum(body.lower, -0.6), -0.5)
        high = np.where(body.rotational, np.minimum(body.upper, 0.9), 0.5)
        self.middle, self.reach = (low + high) / 2, 0.4 * (high - low)
        self.speed = rng.uniform(2.0, 9.0, len(low))
        self.phase = rng.uniform(0, 2 * np.pi, len(low))

    def at(self, time: float) -> tuple[Array, Array, Array]:
        """q, q̇, q̈, each (1, N)."""
        angle = self.speed * time + self.phase
        q = self.middle + self.reach * np.sin(angle)
        qd = self.reach * self.speed * np.cos(angle)
        qdd = -self.reach * self.speed**2 * np.sin(angle)
        return q[None], qd[None], qdd[None]


def nothing(body: Multibody, frames: int = 1) -> Array:
    return np.zeros((frames, len(body.bodies), 3))


def free_dynamics(move: Movement, time: float, as_simbody: bool = False) -> Dynamics:
    body = runner()
    none = nothing(body)
    return body.inverse_dynamics(*move.at(time), none, none, as_simbody=as_simbody)


def velocities(move: Movement, time: float) -> tuple[Array, Array, Array, Array]:
    """Mass centres (B, 3), their velocities, angular velocities and rotations, differenced."""
    body = runner()
    ends = [body.poses(move.at(time + k * STEP)[0]) for k in (-1, 0, 1)]
    places = [p[0] + np.einsum("bij,bj->bi", r[0], body.tree.com) for r, p in ends]
    velocity = (places[2] - places[0]) / (2 * STEP)
    turn = np.einsum("bij,bkj->bik", ends[2][0][0], ends[0][0][0])
    spin = Rotation.from_matrix(turn).as_rotvec() / (2 * STEP)
    return places[1], velocity, spin, ends[1][0][0]


def energy(move: Movement, time: float) -> float:
    tree = runner().tree
    place, velocity, spin, rotation = velocities(move, time)
    inertia = np.einsum("bij,bjk,blk->bil", rotation, tree.inertia, rotation)
    kinetic = 0.5 * np.sum(tree.mass * (velocity**2).sum(axis=1))
    kinetic += 0.5 * np.einsum("bi,bij,bj->", spin, inertia, spin)
    return float(kinetic - np.sum(tree.mass * (place @ tree.gravity)))


def momenta(move: Movement, time: float) -> tuple[Array, Array]:
    """Linear and angular momentum about the ground origin."""
    tree = runner().tree
    place, velocity, spin, rotation = velocities(move, time)
    inertia = np.einsum("bij,bjk,blk->bil", rotation, tree.inertia, rotation)
    linear = tree.mass[:, None] * velocity
    angular = np.cross(place, linear) + np.einsum("bij,bj->bi", inertia, spin)
    return linear.sum(axis=0), angular.sum(axis=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_power_of_the_generalized_forces_is_the_rate_of_energy(seed: int) -> None:
    move, time = Movement(seed), 0.3
    tau = free_dynamics(move, time).tau[0]
    power = float(tau @ move.at(time)[1][0])
    wide = 5e-3
    rate = (
        8 * (energy(move, time + wide) - energy(move, time - wide))
        - (energy(move, time + 2 * wide) - energy(move, time - 2 * wide))
    ) / (12 * wide)
    assert power == pytest.approx(rate, abs=2e-3 * abs(power) + 0.5)


@pytest.mark.parametrize("seed", SEEDS)
def test_root_force_and_moment_are_the_rates_of_momentum(seed: int) -> None:
    """Nothing outside pushes, so the pelvis' joint with the ground carries it all."""
    body, move, time = runner(), Movement(seed), 0.3
    dynamics = free_dynamics(move, time)
    pelvis = body.body("pelvis")
    force = dynamics.wrench[0, pelvis, :3]
    moment = dynamics.wrench[0, pelvis, 3:] + np.cross(dynamics.position[0, pelvis], force)
    wide = 2e-3
    before, after = momenta(move, time - wide), momenta(move, time + wide)
    place = body.center_of_mass(*body.poses(move.at(time)[0]))[0]
    weight = body.mass * body.tree.gravity
    assert force + weight == pytest.approx((after[0] - before[0]) / (2 * wide), abs=0.1)
    turning = (after[1] - before[1]) / (2 * wide)
    assert moment + np.cross(place, weight) == pytest.approx(turning, abs=0.1)


def test_simbodys_omission_breaks_the_momentum_law() -> None:
    """Why the term is kept: where it matters, momentum decides against leaving it out."""
    body, move, time = runner(), Movement(1), 0.3
    whole, less = (free_dynamics(move, time, as_simbody=s) for s in (False, True))
    pelvis = body.body("pelvis")
    wide = 2e-3
    rate = (momenta(move, time + wide)[0] - momenta(move, time - wide)[0]) / (2 * wide)
    rate -= body.mass * body.tree.gravity
    error = [np.abs(d.wrench[0, pelvis, :3] - rate).max() for d in (whole, less)]
    assert error[0] < 0.1 < error[1]


def test_at_rest_forces_are_the_gradient_of_potential_energy() -> None:
    body, move = runner(), Movement(4)
    q = move.at(0.0)[0]
    none = nothing(body)
    tau = body.inverse_dynamics(q, 0 * q, 0 * q, none, none).tau[0]
    for i, name in enumerate(body.coordinates):
        high = []
        for sign in (1, -1):
            moved = q.copy()
            moved[0, i] += sign * 1e-5
            high.append(body.center_of_mass(*body.poses(moved))[0] @ body.tree.gravity)
        slope = -body.mass * (high[0] - high[1]) / 2e-5
        assert tau[i] == pytest.approx(slope, abs=1e-4), name


def test_a_standing_body_presses_with_its_weight_and_nothing_else() -> None:
    body = runner()
    q = body.default[None]
    none = nothing(body)
    tau = body.inverse_dynamics(q, 0 * q, 0 * q, none, none).tau[0]
    weight = -body.mass * body.tree.gravity[1]
    found = [tau[body.coordinate(f"pelvis_t{axis}")] for axis in "xyz"]
    assert found == pytest.approx([0.0, weight, 0.0], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_external_forces_do_virtual_work(seed: int) -> None:
    """What a force adds is minus the derivative of the work it does."""
    body, rng = runner(), np.random.default_rng(seed)
    q = Movement(seed).at(0.1)[0]
    none = nothing(body)
    b = body.body(("calcn_r", "tibia_l", "humerus_r")[seed % 3])
    local, push, twist = (rng.normal(size=3) for _ in range(3))

    def pose(q: Array) -> tuple[Array, Array]:
        rotation, position = body.poses(q)
        return position[0, b] + rotation[0, b] @ local, rotation[0, b]

    force, moment = nothing(body), nothing(body)
    force[0, b] = push
    moment[0, b] = np.cross(pose(q)[0], push) + twist
    still = body.inverse_dynamics(q, 0 * q, 0 * q, none, none).tau[0]
    loaded = body.inverse_dynamics(q, 0 * q, 0 * q, force, moment).tau[0]
    for i in range(len(body.coordinates)):
        ends = []
        for sign in (1, -1):
            moved = q.copy()
            moved[0, i] += sign * 1e-6
            ends.append(pose(moved))
        shift = (ends[0][0] - ends[1][0]) / 2e-6
        turn = Rotation.from_matrix(ends[0][1] @ ends[1][1].T).as_rotvec() / 2e-6
        assert loaded[i] - still[i] == pytest.approx(-(shift @ push + turn @ twist), abs=1e-5)


def test_forces_superpose() -> None:
    body, rng = runner(), np.random.default_rng(0)
    motion = Movement(5).at(0.2)
    a, b = (rng.normal(size=(2, 1, len(body.bodies), 3)) for _ in range(2))
    none = nothing(body)
    tau = [
        body.inverse_dynamics(*motion, *loads).tau
        for loads in ((none, none), a, b, (a[0] + b[0], a[1] + b[1]))
    ]
    np.testing.assert_allclose(tau[3], tau[1] + tau[2] - tau[0], atol=1e-9)


def test_turning_the_laboratory_changes_no_joint_moment() -> None:
    """About the vertical, motion and external forces together."""
    body, rng = runner(), np.random.default_rng(6)
    q, qd, qdd = Movement(6).at(0.2)
    slides = [body.coordinate(f"pelvis_t{axis}") for axis in "xyz"]
    turns = [body.coordinate(f"pelvis_{n}") for n in ("tilt", "list", "rotation")]
    for rates in (qd, qdd):
        rates[:, turns] = 0.0  # Euler angles of a turned pelvis have other rates
    force, moment = rng.normal(size=(2, 1, len(body.bodies), 3)) * 100
    turn = Rotation.from_rotvec([0.0, 0.8, 0.0]).as_matrix()
    rotation, _ = body.poses(q)
    moved = q.copy()
    moved[0, slides] = turn @ q[0, slides]
    moved[0, turns] = _pelvis_angles(body, turn @ rotation[0, body.body("pelvis")], q[0])
    rates = [values.copy() for values in (qd, qdd)]
    for values in rates:
        values[0, slides] = turn @ values[0, slides]
    here = body.inverse_dynamics(q, qd, qdd, force, moment)
    there = body.inverse_dynamics(moved, *rates, force @ turn.T, moment @ turn.T)
    joints = [i for i, n in enumerate(body.coordinates) if not n.startswith("pelvis_")]
    np.testing.assert_allclose(there.tau[0, joints], here.tau[0, joints], atol=1e-7)
    np.testing.assert_allclose(there.tau[0, slides], turn @ here.tau[0, slides], atol=1e-7)


def _pelvis_angles(body: Multibody, wanted: Array, start: Array) -> Array:
    """The three pelvis angles that give an orientation, by Newton's method."""
    turns = [body.coordinate(f"pelvis_{n}") for n in ("tilt", "list", "rotation")]
    q = start[None].copy()

    def miss(q: Array) -> Array:
        rotation, _ = body.poses(q)
        found = rotation[0, body.body("pelvis")]
        return np.asarray(Rotation.from_matrix(wanted @ found.T).as_rotvec())

    for _ in range(50):
        slope = np.empty((3, 3))
        for k, i in enumerate(turns):
            ahead = q.copy()
            ahead[0, i] += 1e-6
            slope[:, k] = (miss(ahead) - miss(q)) / 1e-6
        step = np.linalg.solve(slope, -miss(q))
        q[0, turns] += 0.5 * step if np.abs(step).max() > 0.5 else step
    assert np.abs(miss(q)).max() < 1e-10
    return np.asarray(q[0, turns])


def test_left_and_right_are_mirror_images() -> None:
    body, rng = runner(), np.random.default_rng(7)
    motion = Movement(7).at(0.2)
    force, moment = rng.normal(size=(2, 1, len(body.bodies), 3)) * 100
    here = body.inverse_dynamics(*motion, force, moment)
    there = body.inverse_dynamics(
        *(_other_side(body, values) for values in motion),
        _bodies_swapped(body, force) * [1, 1, -1],
        _bodies_swapped(body, moment) * [-1, -1, 1],
    )
    np.testing.assert_allclose(there.tau, _other_side(body, here.tau), atol=1e-8)


def _other_side(body: Multibody, values: Array) -> Array:
    """Coordinates of the mirrored motion: legs swapped, sideways pelvis and trunk negated."""
    swap = {"_r": "_l", "_l": "_r"}
    out = np.empty_like(values)
    for i, name in enumerate(body.coordinates):
        ending = swap.get(name[-2:])
        twin = name[:-2] + ending if ending else name
        odd = (
            "pelvis_tz",
            "pelvis_list",
            "pelvis_rotation",
            "lumbar_bending",
            "lumbar_rotation",
        )
        sign = -1.0 if name in odd else 1.0
        out[:, body.coordinate(twin)] = sign * values[:, i]
    return out


def _bodies_swapped(body: Multibody, values: Array) -> Array:
    swap = {"_r": "_l", "_l": "_r"}
    order = []
    for name in body.bodies:
        ending = swap.get(name[-2:])
        order.append(body.body(name[:-2] + ending if ending else name))
    return np.asarray(values[:, order])


def test_coupled_coordinates_pay_into_the_one_they_follow() -> None:
    """Virtual work again: an independent coordinate's force holds its followers' share."""
    body = runner()
    move = Movement(8)
    dynamics = free_dynamics(move, 0.2)
    q = move.at(0.2)[0]
    for i, name in enumerate(body.coordinates):
        ends = []
        for sign in (1, -1):
            moved = q.copy()
            moved[0, i] += sign * 1e-6
            ends.append(body.expand(moved)[0])
        share = (ends[0] - ends[1]) / 2e-6
        assert dynamics.tau[0, i] == pytest.approx(share @ dynamics.tau_full[0], abs=1e-5), name


def test_stretching_by_one_and_twisting_by_nothing_change_nothing() -> None:
    body = runner()
    q = Movement(9).at(0.0)[0]
    same = body.scaled(np.ones((len(body.bodies), 3))).twisted(np.zeros(2))
    for ours, theirs in zip(same.poses(q), body.poses(q), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_stretching_a_body_moves_what_hangs_on_it_by_that_factor() -> None:
    body = runner()
    q = np.zeros((1, len(body.coordinates)))
    scale = np.ones((len(body.bodies), 3))
    scale[body.body("tibia_r"), 1] = 1.1
    _, before = body.poses(q)
    _, after = body.scaled(scale).poses(q)
    knee, ankle = body.body("tibia_r"), body.body("talus_r")
    length = np.linalg.norm(before[0, ankle] - before[0, knee])
    longer = np.linalg.norm(after[0, ankle] - after[0, knee])
    assert longer / length == pytest.approx(1.1, abs=2e-3)  # a little of it is not along Y


@pytest.mark.parametrize("s", range(2))
def test_torsion_turns_the_foot_about_the_shank_and_leaves_the_knee(s: int) -> None:
    body, angle = runner(), 0.3
    q = np.zeros((1, len(body.coordinates)))
    torsion = np.zeros(2)
    torsion[s] = angle
    rotation, position = body.poses(q)
    turned, moved = body.twisted(torsion).poses(q)
    shank, foot = body.body(f"tibia_{SIDES[s]}"), body.body(f"calcn_{SIDES[s]}")
    np.testing.assert_allclose(turned[0, shank], rotation[0, shank], atol=1e-12)
    long_axis = rotation[0, shank][:, 1]
    expected = Rotation.from_rotvec(angle * long_axis).as_matrix() @ rotation[0, foot]
    np.testing.assert_allclose(turned[0, foot], expected, atol=1e-9)
    reach = [np.linalg.norm(p[0, foot] - p[0, shank]) for p in (position, moved)]
    assert reach[0] == pytest.approx(reach[1], abs=1e-9)
    other = body.body(f"calcn_{SIDES[1 - s]}")
    np.testing.assert_allclose(moved[0, other], position[0, other], atol=1e-12)
