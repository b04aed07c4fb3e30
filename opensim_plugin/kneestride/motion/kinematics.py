"""What the body did: joint angles, and the anatomical paths that clinicians read.

`Motion` is what inverse kinematics returns. `AnatomicalPaths` is the model-free
view of it: points and angles by name, so that events, strides and alignment are
plain array mathematics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..vocabulary import Array, BoolArray


@dataclass(frozen=True)
class Motion:
    """Joint coordinates over time.

    Attributes
    ----------
    time : (T,) s
    rate : float, Hz
    coordinates : tuple of str, length N
        Independent coordinates of the model (coupled ones are functions of them).
    q : (T, N) rad or m
    informed : (N,) bool
        False where no marker informs the coordinate and it is held at its default.
    marker_names : tuple of str, length M
    marker_error : (T, M) m, distance of model marker to captured marker; NaN if unseen
    """

    time: Array
    rate: float
    coordinates: tuple[str, ...]
    q: Array
    informed: BoolArray
    marker_names: tuple[str, ...] = ()
    marker_error: Array | None = None


@dataclass(frozen=True)
class AnatomicalPaths:
    """Named points and angles in the ground frame, one row per captured frame.

    Attributes
    ----------
    time : (T,) s
    rate : float, Hz
    points : mapping of name to (T, 3) m
        For each side s in 'r', 'l': hip_center_s, knee_center_s, ankle_center_s,
        epicondyle_lateral_s, epicondyle_medial_s, patella_s, malleolus_lateral_s,
        malleolus_medial_s, heel_s (posterior calcaneus), heel_bottom_s,
        metatarsal_1_s, metatarsal_2_s, metatarsal_5_s (heads), toe_s (second toe tip),
        asis_s, psis_s; and center_of_mass. On a treadmill these stay in the
        laboratory frame; `belt_velocity` moves the foot points into the belt's.
    angles : mapping of canonical coordinate name to (T,) rad
        See `kneestride.vocabulary` for signs.
    frames : mapping of body name (pelvis, tibiae, calcanei) to (T, 3, 3)
        Rotation matrices body-in-ground (columns are body axes in ground).
    progression : (3,) unit vector, horizontal, direction of travel
    belt_velocity : (3,) m/s
        Velocity of the ground surface in the laboratory (zero overground;
        about -speed * progression on a treadmill).
    noise : float, m
        Spread of a captured point and axis: 0 for markers, 5 to 30 mm for key points.
        Where feet are said to stand or move, limits are widened by it.
    """

    time: Array
    rate: float
    points: Mapping[str, Array]
    angles: Mapping[str, Array]
    frames: Mapping[str, Array]
    progression: Array
    belt_velocity: Array
    noise: float = 0.0
