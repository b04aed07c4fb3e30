"""A made-up person: the runner's model with markers on it, moved as a test asks.

Landmarks lie where the landmark table puts them and tracking markers beside the bones, so
that everything about the person is known exactly: joint angles, sizes, joint centres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from kneestride.capture.markersets import landmark_table, load_marker_set
from kneestride.capture.trial import Forces, Markers, Trial
from kneestride.model.fitting import expected_places
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.inverse_kinematics import CoordinatePriors, MarkerTasks, station_paths
from kneestride.vocabulary import GRAVITY, MEDIAL_SIGN, SIDES, Array

MASS = 70.0
HEIGHT = 1.70
RATE = 100.0
CLUSTER = (
    np.array([0.05, -0.12, 0.05]),
    np.array([0.06, -0.2, 0.06]),
    np.array([0.03, -0.28, 0.05]),
)
"""m; tracking markers on thigh, shank and arm, right side."""


@cache
def runner() -> Multibody:
    """The project's own model as arrays."""
    return Multibody.from_osim(load_model(RUNNER_MODEL))


@cache
def marker_tasks() -> MarkerTasks:
    """Every landmark and tracking marker of the Rajagopal set on the runner's model."""
    body, known = runner(), load_marker_set("rajagopal")
    places = expected_places(body, landmark_table())
    names, bodies, stations = [], [], []
    for label, landmark in known.landmarks.items():
        names.append(label)
        bodies.append(places[landmark][0])
        stations.append(places[landmark][1])
    order: dict[str, int] = {}
    for label, segment in known.clusters.items():
        k = order[segment] = order.get(segment, -1) + 1
        names.append(label)
        bodies.append(body.body(segment))
        mirror = np.array([1.0, 1.0, -1.0 if label.startswith("L") else 1.0])
        stations.append(torso_marker(label) if segment == "torso" else CLUSTER[k % 3] * mirror)
    return MarkerTasks(tuple(names), np.array(bodies), np.array(stations), np.ones(len(names)))


def torso_marker(label: str) -> Array:
    """Front and back of a shoulder, m in the torso."""
    ahead = 0.06 if "ASH" in label else -0.1
    return np.array([ahead, 0.36, 0.13 if label.startswith("R") else -0.13])


def priors(weight: float = 0.0) -> CoordinatePriors:
    """Pulls towards the default with one weight; everything that a marker moves is free."""
    body = runner()
    free = np.asarray(body.informed_by(marker_tasks().body), dtype=bool)
    return CoordinatePriors(body.default, np.full(len(body.default), weight), free)


def lively(frames: int, seed: int, size: float = 0.4) -> tuple[Array, Array]:
    """Time (T,) and coordinates (T, N) that wander smoothly within their ranges."""
    body = runner()
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / RATE
    low = np.where(body.rotational, np.maximum(body.lower, -size), -0.2)
    high = np.where(body.rotational, np.minimum(body.upper, size), 0.2)
    middle, reach = (low + high) / 2, 0.45 * (high - low)
    phase = rng.uniform(0, 2 * np.pi, len(low))
    speed = rng.uniform(2.0, 6.0, len(low))
    q = middle + reach * np.sin(speed * time[:, None] + phase)
    q[:, body.coordinate("pelvis_ty")] += 0.95
    return time, np.where(priors().free, q, body.default)


# --- a person who squats on two plates ---------------------------------------------------


@dataclass(frozen=True)
class Squat:
    """A squat to draw; radians and metres."""

    depth: float = 1.0
    lean: float = 0.15
    right_share: float = 0.55
    """Of the body's weight on the right foot."""
    knee_in: float = 0.1
    """Internal rotation of the right hip at the deepest point, half on the left."""
    medial: tuple[float, float] = (0.0, 0.0)
    """m; centres of pressure moved towards medial."""
    frames: int = 100


def squat_pose(move: Squat) -> Array:
    """Coordinates (T, N): one repetition with flat feet, the right foot kept in place."""
    body = runner()
    share = 0.5 - 0.5 * np.cos(np.linspace(0, 2 * np.pi, move.frames))
    q = np.tile(body.default, (move.frames, 1))

    def put(name: str, values: Array) -> None:
        q[:, body.coordinate(name)] = values

    knee, tilt = move.depth * share, -move.lean * share
    put("pelvis_tilt", tilt)
    for side, inwards in zip(SIDES, (1.0, 0.5), strict=True):
        put(f"knee_angle_{side}", knee)
        put(f"hip_flexion_{side}", 0.55 * knee)
        # The foot's pitch is the sum of everything above it.
        put(f"ankle_angle_{side}", knee - 0.55 * knee - tilt)
        put(f"hip_rotation_{side}", inwards * move.knee_in * share)
    for arm in SIDES:
        put(f"elbow_flex_{arm}", 0.4 + 0.2 * move.depth * share)
    _, position = body.poses(q)
    foot = position[:, body.body("calcn_r")]
    target = np.array([0.0, 0.03, 0.09])
    for i, axis in enumerate("xyz"):
        q[:, body.coordinate(f"pelvis_t{axis}")] += target[i] - foot[:, i]
    return q


def plates(q: Array, move: Squat) -> Forces:
    """Vertical reaction of both feet under the middle of each foot, one plate each."""
    body = runner()
    rotation, position = body.poses(q)
    centre = body.center_of_mass(rotation, position)
    time = np.arange(len(q)) / RATE
    lift = np.gradient(np.gradient(centre[:, 1], time), time)
    total = MASS * (GRAVITY + lift)
    force, point = np.zeros((len(q), 2, 3)), np.zeros((len(q), 2, 3))
    for s, (side, share) in enumerate(
        zip(SIDES, (move.right_share, 1 - move.right_share), strict=True)
    ):
        force[:, s, 1] = share * total
        under = position[:, body.body(f"calcn_{side}")] + np.einsum(
            "tij,j->ti", rotation[:, body.body(f"calcn_{side}")], [0.11, 0.0, 0.0]
        )
        under = np.tile(under.mean(axis=0), (len(q), 1))
        under[:, 1] = 0.0
        under[:, 2] += MEDIAL_SIGN[side] * move.medial[s]
        point[:, s] = under
    return Forces(
        ("right", "left"), time, RATE, force, point, np.zeros_like(force), feet=("r", "l"),
        moment_at_origin=np.cross(point, force),
    )  # fmt: skip


def capture(q: Array, forces: Forces | None = None, name: str = "made-up") -> Trial:
    """Markers of the made-up person along coordinates (T, N)."""
    tasks = marker_tasks()
    time = np.arange(len(q)) / RATE
    return Trial(
        name, Markers(tasks.names, time, RATE, station_paths(runner(), tasks, q)), forces
    )


def without(trial: Trial, *labels: str) -> Trial:
    """The recording without some of its markers."""
    markers = trial.markers
    keep = [i for i, n in enumerate(markers.names) if n not in labels]
    fewer = replace(
        markers,
        names=tuple(markers.names[i] for i in keep),
        positions=markers.positions[:, keep],
    )
    return replace(trial, markers=fewer)


def standing() -> Trial:
    """Half a second of quiet standing."""
    return capture(
        squat_pose(Squat(depth=0.0, lean=0.0, knee_in=0.0, frames=50)), None, "still"
    )


def squatting(move: Squat | None = None) -> Trial:
    """One squat on two plates."""
    move = move or Squat()
    q = squat_pose(move)
    return capture(q, plates(q, move), "squat")


# --- the same recording seen otherwise ---------------------------------------------------


def turned(trial: Trial, rotation: Array) -> Trial:
    """The recording in another laboratory: every vector turned (3, 3)."""
    markers = replace(trial.markers, positions=trial.markers.positions @ rotation.T)
    forces = trial.forces
    if forces is not None:
        about = forces.moment_at_origin
        forces = replace(
            forces,
            force=forces.force @ rotation.T,
            point=forces.point @ rotation.T,
            torque=forces.torque @ rotation.T,
            corners=None if forces.corners is None else forces.corners @ rotation.T,
            moment_at_origin=None if about is None else about @ rotation.T,
        )
    return replace(trial, markers=markers, forces=forces)


def mirrored(trial: Trial, other_side: dict[str, str]) -> Trial:
    """The recording in a mirror: right becomes left (Z turns its sign, names change sides).

    Parameters
    ----------
    trial : in the ground frame's axes
    other_side : marker name to the name of its twin; midline markers map to themselves
    """
    flip = np.array([1.0, 1.0, -1.0])
    names = tuple(other_side.get(n, n) for n in trial.markers.names)
    markers = replace(trial.markers, names=names, positions=trial.markers.positions * flip)
    forces = trial.forces
    if forces is not None:
        swap = {"r": "l", "l": "r", None: None}
        about = forces.moment_at_origin
        forces = replace(
            forces,
            force=forces.force * flip,
            point=forces.point * flip,
            torque=forces.torque * -flip,  # a moment is a pseudo-vector
            feet=tuple(swap[f] for f in forces.feet),  # type: ignore[misc]
            corners=None if forces.corners is None else forces.corners * flip,
            moment_at_origin=None if about is None else about * -flip,
        )
    return replace(trial, markers=markers, forces=forces)


def twins(names: tuple[str, ...]) -> dict[str, str]:
    """Marker name to its twin of the other side, for names that begin with R or L."""
    out = {}
    for name in names:
        for mine, other in (("R", "L"), ("L", "R")):
            twin = other + name[1:]
            if name.startswith(mine) and twin in names:
                out[name] = twin
    return out
