"""Names, frames, units and signs, fixed once for every room.

Units inside are SI: m, s, N, N·m, rad, kg. Time is always the first axis.

Ground frame (OpenSim): X forward (line of progression), Y up, Z to the right.
Segment frames: X anterior, Y proximal (up), Z to the right of the body on both
sides, so medial is -Z on the right leg and +Z on the left.

Arrays that hold both legs have a side axis in the order of `SIDES`.

Canonical coordinates (radians, metres) carry the names and signs of the
Rajagopal family: knee_angle positive in flexion; hip_adduction, knee_adduction,
hip_rotation (internal), knee_rotation (tibia internal) positive on both sides;
ankle_angle positive in dorsiflexion; subtalar_angle positive in inversion;
pelvis_tilt positive backwards (anterior tilt is negative); pelvis_list positive
when the right side drops (rotation about X); pelvis_rotation positive to the left.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Side = Literal["r", "l"]
SIDES: tuple[Side, Side] = ("r", "l")

GRAVITY = 9.80665
"""Standard gravity, m/s² (ISO 80000-3). Body weight is mass times this."""

MEDIAL_SIGN: dict[Side, float] = {"r": -1.0, "l": 1.0}
"""Multiply by this to turn 'towards medial' into a Z component."""
