"""Sole points of feet that a camera saw, or did not see.

Events and step width are read from heel and forefoot. Where the detector gives a heel,
the sole's heel point rides on it. Where it gives no foot at all (COCO-17), the model's
foot would swing with the shank and seem to move while it stands; a foot that keeps
level under its ankle errs less: it stands when the ankle stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..capture.landmarks import landmark_table
from ..capture.trial import Markers
from ..model.multibody import Multibody
from ..vocabulary import SIDES, Array
from .anatomy import prefer_captured
from .filtering import lowpass

SOLE = ("heel", "heel_bottom", "metatarsal_1", "metatarsal_2", "metatarsal_5", "toe")
FORE = ("big_toe", "small_toe", "toe", "metatarsal_1", "metatarsal_2", "metatarsal_5")


def keypoint_feet(
    model: Multibody,
    q: Array,
    neutral: Array,
    places: Mapping[str, tuple[int, Array]],
    captured: Mapping[str, Array],
    rate: float,
    cutoff: float | None,
) -> dict[str, Array]:
    """Paths (T, 3) m of sole points to prefer over the model's, by landmark id.

    Parameters
    ----------
    q : (T, N) smoothed coordinates; neutral : (N,)
    places : landmark id → body index and place (3,) m in that body
    captured : landmark id (and `seen_centers`) → (T, 3) m as seen, NaN where not
    rate, cutoff : Hz
    """
    rotation, position = model.poses(q)
    out: dict[str, Array] = {}
    table = landmark_table()

    def on_model(name: str) -> Array:
        b, place = places[name]
        path: Array = position[:, b] + rotation[:, b] @ place
        return path

    for side in SIDES:
        heel = f"heel_{side}"
        sole = [f"{n}_{side}" for n in SOLE if f"{n}_{side}" in places]
        if heel in captured:
            # As with markers the seen heel goes before the model's, whose foot hangs on the
            # whole leg: at 10 mm of noise it errs by 10 mm sidewards in mid-stance where
            # the seen heel, smoothed, errs by 3.
            name = f"heel_bottom_{side}"
            if name in places:
                # By anatomy, not from the fitted heel: the fit moves that one to wherever
                # the detector puts it.
                apart = table[name].position - table[heel].position
                down = rotation[:, places[heel][0]] @ apart
                out[name] = prefer_captured(captured[heel], on_model(heel)) + down
        elif not any(f"{n}_{side}" in captured for n in FORE):
            ankle = position[:, model.body(f"talus_{side}")]
            seen = captured.get(f"ankle_center_{side}")
            if seen is not None:
                ankle = prefer_captured(seen, ankle)
            rest_r, rest_p = model.poses(neutral[None])
            level = rest_p[0, model.body(f"talus_{side}")]
            heading = _heading(position, model, rate)
            for name in sole:
                b, place = places[name]
                arm = rest_p[0, b] + rest_r[0, b] @ place - level
                out[name] = ankle + np.einsum("tij,j->ti", heading, arm)
    return {n: lowpass(p, rate, cutoff) for n, p in out.items()}


def seen_centers(
    markers: Markers, landmarks: Mapping[str, str], cutoff: float | None
) -> dict[str, Array]:
    """Hip, knee and ankle centres as the detector saw them, low-passed, (T, 3) m.

    The projection angle is that of three points. Read from them it is noisy but straight;
    read from the model it would lean towards the neutral values that hold what the points
    cannot see (3° in runners without foot points).
    """
    out = {}
    for label, landmark in landmarks.items():
        stem, side = landmark[:-2], landmark[-2:]
        joint = stem.removesuffix("_joint_center")
        if joint in ("hip", "knee", "ankle") and label in markers.names:
            path = markers.positions[:, markers.names.index(label)]
            out[f"{joint}_center{side}"] = lowpass(path, markers.rate, cutoff)
    return out


def _heading(position: Array, model: Multibody, rate: float) -> Array:
    """(T, 3, 3) rotations about the vertical, from neutral to where the pelvis faces."""
    across = position[:, model.body("femur_r")] - position[:, model.body("femur_l")]
    slow = lowpass(across, rate, min(1.0, 0.2 * rate))
    angle = np.arctan2(slow[:, 0], slow[:, 2])
    c, s = np.cos(angle), np.sin(angle)
    turn = np.zeros((len(angle), 3, 3))
    turn[:, 0, 0], turn[:, 0, 2] = c, s
    turn[:, 1, 1] = 1.0
    turn[:, 2, 0], turn[:, 2, 2] = -s, c
    return turn
