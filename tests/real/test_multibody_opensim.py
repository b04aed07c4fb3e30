"""The array model against OpenSim itself, on models nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.osim import opensim as osim

pytestmark = pytest.mark.real

MODELS = (
    "RajagopalLaiUhlrich2023",
    "Rajagopal2016",
    "FullBodyModel_Hamner2010_v2_0",
    "gait2392_millard2012muscle",
)


@pytest.fixture(params=MODELS)
def pair(
    request: pytest.FixtureRequest, shared_models: Path
) -> Iterator[tuple[Any, Any, Multibody]]:
    model = load_model(shared_models / f"{request.param}.osim")
    state = model.initSystem()
    yield model, state, Multibody.from_osim(model)


def random_q(body: Multibody, rng: np.random.Generator, frames: int) -> np.ndarray:
    low = np.where(body.rotational, np.maximum(body.lower, -0.9), -0.5)
    high = np.where(body.rotational, np.minimum(body.upper, 0.9), 1.5)
    return low + rng.random((frames, len(low))) * (high - low)


def set_state(
    model: Any, state: Any, body: Multibody, full: np.ndarray, rates: np.ndarray | None = None
) -> None:
    cset = model.getCoordinateSet()
    for i, name in enumerate(body.full_coordinates):
        c = cset.get(name)
        c.setLocked(state, False)
        c.setValue(state, float(full[i]), False)
        if rates is not None:
            c.setSpeedValue(state, float(rates[i]))


def test_body_poses_equal_opensims(pair: tuple[Any, Any, Multibody]) -> None:
    model, state, body = pair
    q = random_q(body, np.random.default_rng(0), 5)
    rotation, position = body.poses(q)
    for t, full in enumerate(body.expand(q)):
        set_state(model, state, body, full)
        model.realizePosition(state)
        for b, name in enumerate(body.bodies):
            transform = model.getBodySet().get(name).getTransformInGround(state)
            p = np.array([transform.p().get(i) for i in range(3)])
            r = np.array([[transform.R().get(i, j) for j in range(3)] for i in range(3)])
            assert np.allclose(position[t, b], p, atol=1e-9), name
            assert np.allclose(rotation[t, b], r, atol=1e-9), name


def test_inverse_dynamics_equals_opensims(pair: tuple[Any, Any, Multibody]) -> None:
    model, state, body = pair
    rng = np.random.default_rng(1)
    n = len(body.coordinates)
    q, qd, qdd = random_q(body, rng, 3), rng.normal(size=(3, n)), rng.normal(size=(3, n)) * 5
    none = np.zeros((3, len(body.bodies), 3))
    ours = body.inverse_dynamics(q, qd, qdd, none, none, as_simbody=True)
    full = body.expand(q)
    step = 1e-6
    full_d = (body.expand(q + step * qd) - body.expand(q - step * qd)) / (2 * step)
    curve = 1e-4
    full_dd = (
        body.expand(q + curve * qd) - 2 * full + body.expand(q - curve * qd)
    ) / curve**2 + (body.expand(q + step * qdd) - body.expand(q - step * qdd)) / (2 * step)
    order = _mobility_order(model, state, body)
    for t in range(3):
        set_state(model, state, body, full[t], full_d[t])
        model.realizeVelocity(state)
        udot = osim.Vector(len(order), 0.0)
        for i, c in enumerate(order):
            udot.set(i, float(full_dd[t, c]))
        for i in range(model.getForceSet().getSize()):
            model.getForceSet().get(i).setAppliesForce(state, False)
        out = osim.InverseDynamicsSolver(model).solve(state, udot)
        tau = np.array([out.get(i) for i in range(len(order))])
        scale = np.abs(tau).max()
        assert np.allclose(ours.tau_full[t, order], tau, atol=2e-6 * scale)


def test_residual_force_is_the_rate_of_momentum(pair: tuple[Any, Any, Multibody]) -> None:
    """Where Simbody and we differ (coupled knee rotations), differenced momentum decides."""
    _, _, body = pair
    rng = np.random.default_rng(4)
    n = len(body.coordinates)
    q, qd = random_q(body, rng, 1), rng.normal(size=(1, n)) * 3
    none = np.zeros((1, len(body.bodies), 3))
    tau = body.inverse_dynamics(q, qd, 0 * qd, none, none).tau[0]
    step = 1e-4
    before, now, after = (
        body.center_of_mass(*body.poses(q + k * step * qd))[0] for k in (-1, 0, 1)
    )
    rate = body.mass * ((before - 2 * now + after) / step**2 - body.tree.gravity)
    at = [body.coordinate(f"pelvis_t{axis}") for axis in "xyz"]
    assert np.allclose(tau[at], rate, atol=1e-3)


def _mobility_order(model: Any, state: Any, body: Multibody) -> list[int]:
    """Full-coordinate index of each mobility, found by probing speeds."""
    order = []
    zero = osim.Vector(state.getNU(), 0.0)
    for i in range(state.getNU()):
        u = osim.Vector(zero)
        u.set(i, 1.0)
        state.setU(u)
        speeds = [
            abs(model.getCoordinateSet().get(n).getSpeedValue(state))
            for n in body.full_coordinates
        ]
        order.append(int(np.argmax(speeds)))
    return order


def test_jacobian_is_the_derivative_of_position(pair: tuple[Any, Any, Multibody]) -> None:
    from kneestride.model import kernels

    _, _, body = pair
    rng = np.random.default_rng(2)
    q = random_q(body, rng, 1)[0]
    k = len(body.bodies)
    which = np.arange(k)
    station = rng.normal(size=(k, 3)) * 0.1
    C, n = len(body.full_coordinates), len(body.coordinates)
    full = np.zeros(C)
    omega, velocity, origin = np.zeros((3, C, 3))
    rotation, position = np.zeros((k, 3, 3)), np.zeros((k, 3))
    where, jacobian = np.zeros((k, 3)), np.zeros((3 * k, n))
    kernels.expand(body.tree, q, full)
    kernels.forward(body.tree, full, rotation, position, omega, velocity, origin)
    kernels.station_jacobian(
        body.tree,
        full,
        omega,
        velocity,
        origin,
        rotation,
        position,
        which,
        station,
        where,
        jacobian,
        np.zeros(C),
        np.zeros(C, dtype=np.int64),
    )
    step = 1e-6
    for i in range(n):
        ends = []
        for sign in (1, -1):
            moved = q.copy()
            moved[i] += sign * step
            r, p = body.poses(moved[None])
            ends.append(p[0] + np.einsum("bij,bj->bi", r[0], station))
        numeric = (ends[0] - ends[1]).ravel() / (2 * step)
        assert np.allclose(jacobian[:, i], numeric, atol=1e-7), body.coordinates[i]


def test_scaled_arrays_equal_a_scaled_opensim_model(pair: tuple[Any, Any, Multibody]) -> None:
    model, state, body = pair
    rng = np.random.default_rng(3)
    scale = 1 + 0.15 * rng.normal(size=(len(body.bodies), 3))
    scales = osim.ScaleSet()
    for name, factors in zip(body.bodies, scale, strict=True):
        one = osim.Scale()
        one.setSegmentName(name)
        one.setScaleFactors(osim.Vec3(*map(float, factors)))
        one.setApply(True)
        scales.cloneAndAppend(one)
    model.scale(state, scales, True, 80.0)
    rescaled = Multibody.from_osim(model)
    q = random_q(body, rng, 4)
    for ours, theirs in zip(body.scaled(scale).poses(q), rescaled.poses(q), strict=True):
        assert np.allclose(ours, theirs, atol=1e-9)
