"""From coordinates of a fitted model to the points and angles that clinicians read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..model.multibody import Multibody
from ..scratch import LONG, kept, release, room
from ..vocabulary import SIDES, Array, Side
from ..workers import MANY, blocks
from .kinematics import AnatomicalPaths

CENTERS = {"hip_center": "femur", "knee_center": "tibia", "ankle_center": "talus"}
"""Joint centres are origins of these bodies in OpenSim's gait models."""

FRAMED = ("pelvis", "tibia", "calcn")
"""Bodies whose axes something is read along."""

ALIASES = {"toe": ("toe", "big_toe", "metatarsal_2")}
"""Names that other landmarks may stand in for, best first."""


def anatomical_paths(
    model: Multibody,
    time: Array,
    rate: float,
    q: Array,
    places: Mapping[str, tuple[int, Array]],
    *,
    flexion_sign: Mapping[Side, float],
    progression: Array,
    belt_velocity: Array,
    captured: Mapping[str, Array] | None = None,
    noise: float = 0.0,
) -> AnatomicalPaths:
    """Points, angles and frames of every frame.

    Parameters
    ----------
    model : Multibody, scaled
    q : (T, N) coordinates
    places : landmark id → body index and place (3,) m in that body
    flexion_sign : per side, +1 where the model's knee coordinate grows with flexion
    progression : (3,) unit vector; belt_velocity : (3,) m/s
    captured : landmark id → (T, 3) m, optional
        Recorded paths to prefer over the model's, NaN where not seen. For the feet: a
        model's foot hangs on the whole leg and may lie millimetres beside the real one.
    noise : float, m, see `AnatomicalPaths`

    Returns
    -------
    AnatomicalPaths
        Angles with the canonical signs of `kneestride.vocabulary`.
    """
    # The poses of all bodies are looked at some frames at a time and not kept.
    frames = {n: room((len(q), 3, 3)) for n in model.bodies if n.startswith(FRAMED)}
    centers = {f"{n}_{s}": model.body(f"{b}_{s}") for s in SIDES for n, b in CENTERS.items()}
    names = (*centers, *places, "center_of_mass")
    points: dict[str, Array] = {name: room((len(q), 3)) for name in names}
    for start, stop in blocks(len(q), MANY):
        at = slice(start, stop)
        rotation, position = model.poses(q[at])
        for name, b in centers.items():
            points[name][at] = position[:, b]
        for name, (b, place) in places.items():
            points[name][at] = position[:, b] + rotation[:, b] @ place
        points["center_of_mass"][at] = model.center_of_mass(rotation, position)
        for name, turned in frames.items():
            turned[at] = rotation[:, model.body(name)]
        if len(q) > LONG:
            release()
    for name, path in (captured or {}).items():
        points[name] = kept(prefer_captured(path, points[name]))
    for side in SIDES:
        for name, choices in ALIASES.items():
            found = [c for c in choices if f"{c}_{side}" in points]
            if found:
                points[f"{name}_{side}"] = points[f"{found[0]}_{side}"]
    angles = {name: q[:, i] for i, name in enumerate(model.coordinates)}
    for side in SIDES:
        name = f"knee_angle_{side}"
        angles[name] = angles[name] * flexion_sign[side]
    return AnatomicalPaths(
        np.asarray(time), rate, points, angles, frames, progression, belt_velocity, noise
    )


def prefer_captured(captured: Array, modelled: Array) -> Array:
    """Captured path (T, 3), bridged where missing by the modelled one moved alongside.

    The difference of the two is carried linearly across a gap, so that the path has no
    step where the marker is lost or found.
    """
    seen = np.isfinite(captured).all(axis=1)
    if not seen.any():
        return modelled
    frames = np.arange(len(captured))
    off = (captured - modelled)[seen]
    bridge = np.column_stack([np.interp(frames, frames[seen], off[:, i]) for i in range(3)])
    return modelled + bridge
