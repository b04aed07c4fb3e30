"""A made-up runner and stride for tests of simulation: the project's own model in motion.

The motion is a few harmonics that look like running from afar. It is not balanced, which
differences do not need; `balanced` gives it the ground reaction that it asks for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from kneestride.capture.markersets import landmark_table
from kneestride.capture.trial import Subject
from kneestride.model.fitting import FittedSubject
from kneestride.model.knee import read_knee
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.places import expected_places
from kneestride.model.tables import RUNNER_MODEL
from kneestride.settings import Settings
from kneestride.simulation.bspline import periodic_derivatives
from kneestride.simulation.mechanics import wrench
from kneestride.simulation.runner import Runner
from kneestride.simulation.stride import PeriodicStride
from kneestride.vocabulary import GRAVITY, SIDES, Array, Side

PERIOD, FRAMES = 0.72, 72
CONTACT: dict[Side, tuple[float, float]] = {"r": (0.0, 0.25), "l": (0.36, 0.61)}
MIRRORED = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")
"""Coordinates of the middle that change sign in a mirror."""


@cache
def runner() -> Runner:
    """The generic model, unscaled."""
    model = load_model(RUNNER_MODEL)
    body = Multibody.from_osim(model)
    none = np.empty(0)
    fitted = FittedSubject(
        model, body, (), np.empty(0, dtype=np.int64), np.empty((0, 3)), body.default, none,
        None, {}, {}, {}, expected_places(body, landmark_table()),
    )  # fmt: skip
    subject = Subject(body.mass, 1.75)
    return Runner(fitted, read_knee(model), subject, Settings(), "running", np.full(2, np.nan))


def wave(mean: float, size: float, lag: float = 0.0, harmonic: int = 1) -> Array:
    """(T,) degrees: a harmonic that peaks `lag` of a period after right contact."""
    phase = np.arange(FRAMES) / FRAMES
    return mean + size * np.cos(2 * np.pi * harmonic * (phase - lag))


@cache
def stride(uneven: bool = False) -> PeriodicStride:
    """Running; with `uneven` the legs differ."""
    body = runner().body
    q = np.tile(np.where(body.rotational, 0.0, body.default), (FRAMES, 1))

    def put(name: str, degrees: Array) -> None:
        q[:, body.coordinate(name)] = np.radians(degrees)

    for side, half in (("r", 0.0), ("l", 0.5)):
        put(f"hip_flexion_{side}", wave(17, 25, half - 0.1))
        put(f"hip_adduction_{side}", wave(0, 8, half + 0.17))
        put(f"hip_rotation_{side}", wave(0, 4, half + 0.1))
        put(f"knee_angle_{side}", wave(55, 30, half + 0.62))
        put(f"ankle_angle_{side}", wave(8, 14, half + 0.17))
        put(f"subtalar_angle_{side}", wave(0, 5, half))
        put(f"arm_flex_{side}", wave(0, 20, half + 0.5))
        put(f"elbow_flex_{side}", wave(90, 0))
    put("pelvis_list", wave(0, 4, 0.2))
    put("pelvis_rotation", wave(0, 5))
    put("lumbar_rotation", wave(0, -6))
    if uneven:
        put("hip_adduction_l", wave(3, 5, 0.6))
        put("knee_angle_l", wave(50, 27, 0.1))
    q[:, body.coordinate("pelvis_ty")] = 0.93 + 0.03 * np.cos(
        4 * np.pi * (np.arange(FRAMES) / FRAMES - 0.43)
    )
    qd, qdd = periodic_derivatives(q, PERIOD)
    nothing = np.zeros((FRAMES, 2, 3))
    bare = PeriodicStride(
        "r", 0.0, PERIOD, body.coordinates, q, qd, qdd, np.zeros(3), nothing, nothing, nothing,
        CONTACT, {},
    )  # fmt: skip
    rotation, position = body.poses(q)
    force, point = nothing.copy(), nothing.copy()
    for k, side in enumerate(SIDES):
        share = bare.stance_phase(side)
        up = np.where(np.isnan(share), 0.0, np.sin(np.pi * np.nan_to_num(share)))
        peak = 0.5 * body.mass * GRAVITY * FRAMES / up.sum()
        force[:, k, 1] = peak * up
        force[:, k, 0] = -0.15 * peak * np.sin(2 * np.pi * np.nan_to_num(share)) * (up > 0)
        foot = body.body(f"calcn_{side}")
        point[:, k] = position[:, foot] + rotation[:, foot] @ np.array([0.1, 0.0, 0.0])
        point[:, k, 1] = 0.0
    return replace(bare, force=force, point=point)


def balanced(s: PeriodicStride) -> PeriodicStride:
    """The stride with the ground reaction that its motion asks for, half on each foot."""
    w = wrench(runner().body, s.q, s.qd, s.qdd)
    force = np.repeat(0.5 * w.force[:, None], 2, axis=1)
    lever = np.cross(s.point - w.com[:, None], force).sum(axis=1)
    torque = np.repeat(0.5 * (w.spin_rate - lever)[:, None], 2, axis=1)
    return replace(s, force=force, torque=torque)


def mirror_coordinates(q: Array) -> Array:
    """Coordinates (T, N) of the mirrored runner."""
    names = runner().body.coordinates
    out = np.empty_like(q)
    for i, name in enumerate(names):
        twin = name[:-1] + {"r": "l", "l": "r"}[name[-1]] if name[-2:] in ("_r", "_l") else name
        sign = -1.0 if name in MIRRORED else 1.0
        out[:, names.index(twin)] = sign * q[:, i]
    return out


def mirror(s: PeriodicStride) -> PeriodicStride:
    """The stride seen in a mirror: left is right."""
    flip = np.array([1.0, 1.0, -1.0])
    other: dict[Side, Side] = {"r": "l", "l": "r"}
    return replace(
        s,
        side=other[s.side],
        q=mirror_coordinates(s.q),
        qd=mirror_coordinates(s.qd),
        qdd=mirror_coordinates(s.qdd),
        drift=s.drift * flip,
        force=s.force[:, ::-1] * flip,
        point=s.point[:, ::-1] * flip,
        torque=s.torque[:, ::-1] * -flip,
        contact={other[k]: v for k, v in s.contact.items()},
    )
