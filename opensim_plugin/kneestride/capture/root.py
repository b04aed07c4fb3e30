"""A path through space for points that were given about the middle of the hips.

One camera's world landmarks say how the body is bent, not where it is. A foot that
stands does not move: while it stands, the body's path is minus the foot's path about
the hips. Between stances the body flies: level lines are carried on at the speed of
lift-off, the height follows gravity. On a treadmill this gives the path over the belt,
as if the person had run through the room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CaptureError
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray
from .trial import Markers

if TYPE_CHECKING:
    from .keypoint_condition import ConditionedKeypoints

SOLE = (
    "heel",
    "big_toe",
    "toe",
    "small_toe",
    "metatarsal_1",
    "metatarsal_5",
    "ankle_joint_center",
)


def plant_feet(
    ready: ConditionedKeypoints, landmarks: Mapping[str, str]
) -> ConditionedKeypoints:
    """Put a recording about the hips on its standing feet.

    Raises
    ------
    CaptureError
        No point on either foot.
    """
    markers = ready.trial.markers
    root = root_path(markers, landmarks)
    moved = replace(markers, positions=markers.positions + root[:, None])
    note = (
        "The points are given about the middle of the hips: the path through space is rebuilt"
        " from the standing feet."
    )
    frame = replace(ready.frame, belt=np.zeros(3))
    trial = replace(ready.trial, markers=moved, notes=(*ready.trial.notes, note))
    return replace(ready, trial=trial, frame=frame, camera=None)


def root_path(markers: Markers, landmarks: Mapping[str, str]) -> Array:
    """(T, 3) m: where the middle of the hips is, so that standing feet stand still.

    Ground frame (Y up). The lower foot stands while it moves backwards and not up or down
    against the hips faster than a falling body would.
    """
    feet = []
    for side in SIDES:
        columns = [
            k for k, n in enumerate(markers.names)
            if landmarks.get(n, "").removesuffix(f"_{side}") in SOLE
            and landmarks.get(n, "").endswith(f"_{side}")
        ]  # fmt: skip
        if not columns:
            raise CaptureError(
                "a heel, toe or ankle of both feet, to rebuild the path through space",
                f"none on the {'right' if side == 'r' else 'left'}",
                "use a detector that gives the feet",
            )
        path = np.nanmean(markers.positions[:, columns], axis=1)
        feet.append(_bridged(path))
    where = np.stack(feet, axis=1)
    dt = 1.0 / markers.rate
    standing = standing_foot(where, markers.rate)
    speed = np.zeros((len(where), 3))
    for foot in (0, 1):
        mine = standing == foot
        speed[mine] = -np.gradient(where[:, foot], dt, axis=0)[mine]
    flying = standing < 0
    for start, stop in _runs(flying):
        before = speed[start - 1] if start else np.zeros(3)
        after = speed[stop] if stop < len(speed) else before
        if not start:
            before = after
        share = np.linspace(0, 1, stop - start + 2)[1:-1, None]
        speed[start:stop] = (1 - share) * before + share * after
        # Gravity: the vertical speed falls by g t whatever the feet seemed to do.
        t = (np.arange(stop - start) + 0.5 - (stop - start) / 2) * dt
        speed[start:stop, 1] = -GRAVITY * t
    root = np.cumsum(speed, axis=0) * dt
    # The floor is one height: the lower foot's height in each stance is brought to it.
    low = (where[..., 1] + root[:, None, 1]).min(axis=1)
    floor = np.full(len(root), np.nan)
    floor[~flying] = low[~flying]
    known = np.flatnonzero(np.isfinite(floor))
    if known.size:
        root[:, 1] -= np.interp(np.arange(len(root)), known, floor[known])
    return root


def standing_foot(where: Array, rate: float) -> np.ndarray:
    """(T,) 0 right, 1 left, -1 none: which foot carries the body.

    Parameters
    ----------
    where : (T, 2, 3) m, feet about the hips, Y up
    """
    height = where[..., 1]
    lower = np.argmin(height, axis=1)
    length = -np.percentile(height, 2)
    near = height.min(axis=1) < -0.93 * length
    out = np.where(near, lower, -1)
    width = max(3, round(0.05 * rate) | 1)
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(out, size=width, mode="nearest"))


def _bridged(path: Array) -> Array:
    frames = np.arange(len(path))
    seen = np.isfinite(path).all(axis=1)
    if not seen.any():
        return np.zeros_like(path)
    return np.column_stack([np.interp(frames, frames[seen], path[seen, i]) for i in range(3)])


def _runs(mask: BoolArray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
