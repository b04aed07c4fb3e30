"""A pelvis with one leg of round numbers as arrays: small enough to be solved uncompiled.

The thigh hangs at (0.01, -0.10, 0.08) m of the pelvis and turns about Z (flexion), then X
(adduction); the shank hangs 0.40 m below and turns about -Z (knee). A radian of the knee
slides the shank by 0.01 m along X, and slides the kneecap by 0.04 m up the thigh while it
turns by 0.5 rad (two coupled coordinates). A head that carries no marker nods on the pelvis.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from kneestride.model.kernels import Tree
from kneestride.model.multibody import Multibody
from kneestride.motion.inverse_kinematics import CoordinatePriors, MarkerTasks, station_paths
from kneestride.vocabulary import Array

RATE = 100.0
BODIES = ("pelvis", "head", "femur_r", "patella_r", "tibia_r")
FULL = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    "nod", "hip_flexion_r", "hip_adduction_r", "knee_angle_r_beta", "knee_angle_r",
    "knee_slide_r_beta",
)  # fmt: skip
COORDINATES = tuple(n for n in FULL if not n.endswith("beta"))
X, Y, Z = np.eye(3)
HIP, KNEE, NECK = (0.01, -0.10, 0.08), (0.0, -0.40, 0.0), (0.0, 0.3, 0.0)
PARENT = {"head": "pelvis", "femur_r": "pelvis", "patella_r": "femur_r", "tibia_r": "femur_r"}
PLACE = {"head": NECK, "femur_r": HIP, "patella_r": (0.05, -0.38, 0.0), "tibia_r": KNEE}
# body → (axis number 0 to 5, direction, coordinate, factor)
JOINTS: dict[str, list[tuple[int, Array, str, float]]] = {
    "pelvis": [
        (0, Z, "pelvis_tilt", 1.0), (1, X, "pelvis_list", 1.0), (2, Y, "pelvis_rotation", 1.0),
        (3, X, "pelvis_tx", 1.0), (4, Y, "pelvis_ty", 1.0), (5, Z, "pelvis_tz", 1.0),
    ],
    "head": [(0, Z, "nod", 1.0)],
    "femur_r": [(0, Z, "hip_flexion_r", 1.0), (1, X, "hip_adduction_r", 1.0)],
    "patella_r": [(0, -Z, "knee_angle_r_beta", 1.0), (4, Y, "knee_angle_r_beta", 0.08)],
    "tibia_r": [(0, -Z, "knee_angle_r", 1.0), (3, X, "knee_slide_r_beta", 0.02)],
}  # fmt: skip
COUPLED = 0.5


@cache
def toy() -> Multibody:
    """The body as arrays."""
    B, C = len(BODIES), len(FULL)
    axes = np.tile(np.eye(3), (B, 2, 1))
    function, coordinate = np.full((B, 6), -1), np.full((B, 6), -1)
    gain = np.ones((B, 6))
    joint_of = np.zeros(C, dtype=np.int64)
    moves = np.zeros((B, C), dtype=bool)
    parent = np.array([BODIES.index(PARENT[n]) if n in PARENT else -1 for n in BODIES])
    for b, name in enumerate(BODIES):
        if parent[b] >= 0:
            moves[b] = moves[parent[b]]
        for a, direction, driver, factor in JOINTS[name]:
            c = FULL.index(driver)
            axes[b, a], function[b, a], coordinate[b, a] = direction, 0, c
            gain[b, a], joint_of[c], moves[b, c] = factor, b, True
    leader, coupler = np.full(C, -1), np.full(C, -1)
    for c, name in enumerate(FULL):
        if name.endswith("beta"):
            leader[c], coupler[c] = FULL.index("knee_angle_r"), 1
    coefficients = np.zeros((2, 6))
    coefficients[:, 1] = 1.0, COUPLED
    eyes = np.tile(np.eye(3), (B, 1, 1))
    tree = Tree(
        parent=parent, rotation_pf=eyes,
        position_pf=np.array([PLACE.get(n, (0.0, 0.0, 0.0)) for n in BODIES]),
        rotation_bm=eyes.copy(), position_bm=np.zeros((B, 3)), axes=axes, function=function,
        coordinate=coordinate, gain=gain, breaks=np.zeros(2), coefficients=coefficients,
        first=np.array([0, 1]), pieces=np.array([1, 1]),
        mass=np.array([10.0, 5.0, 8.0, 0.1, 4.0]), com=np.full((B, 3), 0.01),
        inertia=eyes * 0.1, moves=moves, joint_of=joint_of, leader=leader, coupler=coupler,
        independent=np.array([FULL.index(n) for n in COORDINATES]),
        gravity=np.array([0.0, -9.80665, 0.0]),
    )  # fmt: skip
    turns = np.array([not n.startswith("pelvis_t") or n == "pelvis_tilt" for n in COORDINATES])
    N = len(COORDINATES)
    knee = COORDINATES.index("knee_angle_r")
    lower, upper = np.full(N, -1.5), np.full(N, 1.5)
    lower[knee], upper[knee] = 0.0, 2.4
    return Multibody(
        BODIES, tuple(f"joint_{n}" for n in BODIES), FULL, COORDINATES, np.zeros(N), lower,
        upper, turns, np.zeros(N, dtype=bool), tree,
    )  # fmt: skip


@cache
def toy_tasks() -> MarkerTasks:
    """Four points on the pelvis, three each on thigh and shank, one on the kneecap."""
    rows = {
        "pelvis": [
            (0.10, 0.02, 0.12), (0.11, 0.0, -0.13), (-0.09, 0.04, 0.05), (-0.1, 0.0, -0.06),
        ],
        "femur_r": [(0.05, -0.10, 0.06), (-0.04, -0.22, 0.08), (0.02, -0.35, 0.05)],
        "patella_r": [(0.03, 0.0, 0.01)],
        "tibia_r": [(0.04, -0.08, 0.05), (-0.03, -0.20, 0.06), (0.02, -0.38, -0.05)],
    }  # fmt: skip
    body = [BODIES.index(n) for n, at in rows.items() for _ in at]
    station = np.array([p for at in rows.values() for p in at])
    names = tuple(f"{n}_{k}" for n, at in rows.items() for k in range(len(at)))
    return MarkerTasks(names, np.array(body), station, np.ones(len(body)))


def toy_priors(weight: float = 0.0) -> CoordinatePriors:
    """Pulls towards zero; all but the head's nod are free."""
    free = np.array([n != "nod" for n in COORDINATES])
    return CoordinatePriors(np.zeros(len(COORDINATES)), np.full(len(free), weight), free)


def toy_motion(frames: int, seed: int = 0) -> Array:
    """Coordinates (T, N) that wander smoothly; the head keeps still."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / RATE
    N = len(COORDINATES)
    q = 0.3 * np.sin(rng.uniform(2.0, 5.0, N) * time + rng.uniform(0.0, 6.0, N))
    q[:, at("knee_angle_r")] += 0.7
    q[:, at("pelvis_ty")] += 0.9
    q[:, at("nod")] = 0.0
    return q


def toy_markers(q: Array) -> Array:
    """Points (T, K, 3) m of coordinates."""
    return station_paths(toy(), toy_tasks(), q)


def at(name: str) -> int:
    """Index of a coordinate."""
    return COORDINATES.index(name)
