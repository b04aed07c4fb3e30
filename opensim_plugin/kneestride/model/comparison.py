"""Muscle paths of two models side by side, over the range of motion.

Both models are put in the same random poses of both legs, drawn evenly from the
reference's ranges of motion; lengths and moment arms are read from OpenSim's own
geometry. The same poses give how far a model's moment arms are from minus the
derivative of its own lengths, which shows where a wrapped path jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..vocabulary import SIDES, Array

LEG_MOTION = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
    "subtalar_angle",
    "mtp_angle",
)
_STEP = 1e-4
"""Step of the central difference, rad."""


@dataclass(frozen=True)
class PathComparison:
    """Largest differences of each muscle over the poses.

    Attributes
    ----------
    muscles : tuple of str, length M
    poses : int
    length : (M,) m, largest difference of path length between the models
    moment_arm : (M,) m, largest difference of any moment arm between the models
    moment_arm_at : tuple of str, the coordinate of that moment arm
    inconsistency : (M,) m, largest |R + dL/dq| of the first model's own path
    inconsistency_at : tuple of str, the coordinate of it
    """

    muscles: tuple[str, ...]
    poses: int
    length: Array
    moment_arm: Array
    moment_arm_at: tuple[str, ...]
    inconsistency: Array
    inconsistency_at: tuple[str, ...]


def compare_paths(
    model: Any, reference: Any, poses: int = 100, seed: int = 1
) -> PathComparison:
    """Compare every muscle of `reference` with the one of the same name in `model`.

    Parameters
    ----------
    model, reference : opensim.Model with Rajagopal-family coordinate names
    poses : int, the first is the zero pose, the others are random
    seed : int of the random poses
    """
    ours, theirs = _Posed(model), _Posed(reference)
    muscles = tuple(m.getName() for m in reference.getMuscles())
    length = np.zeros(len(muscles))
    arm, inconsistency = np.zeros(len(muscles)), np.zeros(len(muscles))
    arm_at, inconsistency_at = [""] * len(muscles), [""] * len(muscles)
    spanned = [theirs.spanned(name) for name in muscles]
    rng = np.random.default_rng(seed)
    for number in range(poses):
        pose = theirs.random_pose(rng) if number else dict.fromkeys(theirs.coordinates, 0.0)
        ours.take(pose)
        theirs.take(pose)
        for i, name in enumerate(muscles):
            difference = abs(ours.length(name) - theirs.length(name))
            length[i] = max(length[i], difference)
            for coordinate in spanned[i]:
                r = ours.moment_arm(name, coordinate)
                difference = abs(r - theirs.moment_arm(name, coordinate))
                if difference > arm[i]:
                    arm[i], arm_at[i] = difference, coordinate
        for coordinate in theirs.coordinates:
            touched = [i for i in range(len(muscles)) if coordinate in spanned[i]]
            names = [muscles[i] for i in touched]
            slopes = ours.length_slopes(names, coordinate, pose)
            for i, slope in zip(touched, slopes, strict=True):
                gap = abs(ours.moment_arm(muscles[i], coordinate) + slope)
                if gap > inconsistency[i]:
                    inconsistency[i], inconsistency_at[i] = gap, coordinate
    return PathComparison(
        muscles, poses, length, arm, tuple(arm_at), inconsistency, tuple(inconsistency_at)
    )


class _Posed:
    """A model in a pose, with its leg coordinates and paths at hand."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.state = model.initSystem()
        present = {c.getName(): c for c in model.getCoordinateSet()}
        names = [f"{name}_{side}" for side in SIDES for name in LEG_MOTION]
        self.coordinates = {name: present[name] for name in names if name in present}
        self.patella = {n: c for n, c in present.items() if n.endswith("_beta")}
        for coordinate in self.coordinates.values():
            coordinate.setLocked(self.state, False)
        self.paths = {m.getName(): m.getGeometryPath() for m in model.getMuscles()}

    def random_pose(self, rng: np.random.Generator) -> dict[str, float]:
        return {
            name: float(rng.uniform(c.getRangeMin(), c.getRangeMax()))
            for name, c in self.coordinates.items()
        }

    def take(self, pose: dict[str, float]) -> None:
        for name, value in pose.items():
            self.coordinates[name].setValue(self.state, value, False)
            if f"{name}_beta" in self.patella:
                self.patella[f"{name}_beta"].setValue(self.state, value, False)
        self.model.realizePosition(self.state)

    def length(self, muscle: str) -> float:
        return float(self.paths[muscle].getLength(self.state))

    def moment_arm(self, muscle: str, coordinate: str) -> float:
        path = self.paths[muscle]
        return float(path.computeMomentArm(self.state, self.coordinates[coordinate]))

    def length_slopes(
        self, muscles: Sequence[str], coordinate: str, pose: dict[str, float]
    ) -> Array:
        """dL/dq by central difference; leaves the model in `pose`."""
        lengths = []
        for step in (_STEP, -_STEP):
            self.take({coordinate: pose[coordinate] + step})
            lengths.append([self.length(name) for name in muscles])
        self.take({coordinate: pose[coordinate]})
        slopes: Array = (np.array(lengths[0]) - np.array(lengths[1])) / (2 * _STEP)
        return slopes

    def spanned(self, muscle: str) -> tuple[str, ...]:
        """Coordinates about which a muscle has a moment arm in some bent poses."""
        rng = np.random.default_rng(0)
        found = set()
        for _ in range(3):
            self.take(self.random_pose(rng))
            for name in self.coordinates:
                if name[-1] == muscle[-1] and abs(self.moment_arm(muscle, name)) > 1e-9:
                    found.add(name)
        return tuple(name for name in self.coordinates if name in found)
