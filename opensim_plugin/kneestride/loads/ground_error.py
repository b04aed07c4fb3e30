"""How far off a predicted ground reaction is, in directions that loads can be rerun with.

Each of five channels (force forward, up and sideways; centre of pressure along and
across the foot) has a standard deviation at every frame, from stances of runners who were
left out of the training, by phase of stance and speed. A load's sensitivity to a channel
is its change when both feet's channel is moved by one standard deviation throughout,
and counts `TOGETHER`, because the phases of a stance err together only in part. How much of the
error stays from stride to stride comes from the same left-out runners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import SIDES, Array
from .types import GroundReaction

CHANNELS = ("ground_forward", "ground_up", "ground_side", "pressure_along", "pressure_across")

TOGETHER = 0.8
"""How far the phases of a stance really err together: with this share of a deviation the
90 % intervals of left-out runners hold the medial, lateral and total peak from the plate in
93, 85 and 90 % of 40 legs (scripts/validate_without_plates.py)."""

WHAT = {
    "ground_forward": "predicted fore-aft force",
    "ground_up": "predicted vertical force",
    "ground_side": "predicted medio-lateral force",
    "pressure_along": "predicted centre of pressure along the foot",
    "pressure_across": "predicted centre of pressure across the foot",
}


@dataclass(frozen=True)
class GroundError:
    """Error of a predicted ground reaction.

    Attributes
    ----------
    force : (T, 2, 3) N, standard deviation along X, Y and Z of the ground
    point : (T, 2, 2) m, standard deviation along and across the foot
    lasting : (5,), share of the variance that stays over all strides, as `CHANNELS`
    """

    force: Array
    point: Array
    lasting: Array

    def moved(
        self, channel: str, ground: GroundReaction, paths: AnatomicalPaths
    ) -> GroundReaction:
        """The reaction with one channel moved by one standard deviation in contact.

        Parameters
        ----------
        channel : one of `CHANNELS`
        ground : the reaction that the error belongs to
        paths : AnatomicalPaths, for the direction of the feet
        """
        k = CHANNELS.index(channel)
        on = ground.contact[:, :, None]
        if k < 3:
            force = ground.force.copy()
            force[:, :, k] += np.where(on[:, :, 0], self.force[:, :, k], 0.0)
            return replace(ground, force=force)
        step = np.zeros_like(ground.point)
        for s, side in enumerate(SIDES):
            heel = paths.points[f"heel_bottom_{side}"]
            ball = 0.5 * (
                paths.points[f"metatarsal_1_{side}"] + paths.points[f"metatarsal_5_{side}"]
            )
            along = (ball - heel) * np.array([1.0, 0.0, 1.0])
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            outward = np.cross(along, [0.0, 1.0, 0.0]) * (1.0 if side == "r" else -1.0)
            step[:, s] = self.point[:, s, k - 3, None] * (along if k == 3 else outward)
        return replace(ground, point=ground.point + np.where(on, step, 0.0))

    def window(self, start: int, stop: int) -> GroundError:
        """The same over frames start to stop (exclusive)."""
        return replace(self, force=self.force[start:stop], point=self.point[start:stop])
