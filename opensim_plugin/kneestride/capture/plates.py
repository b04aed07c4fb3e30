"""Force plates of a C3D file: from channels to force, centre of pressure, free moment.

The four classic types differ in what their channels hold; all of them end as a force
and a moment about the centre of the plate's surface, in the plate's frame:

    type 1   Fx Fy Fz  px py  Tz         centre of pressure and free moment
    type 2   Fx Fy Fz  Mx My Mz          about the transducer's origin
    type 3   Fx12 Fx34 Fy14 Fy23 Fz1..4  eight piezoelectric channels
    type 4   as type 2, after a 6 × 6 calibration matrix

The plate's frame comes from the four corners: x from corner 2 to 1, y from corner 4
to 1, z into the floor; channels hold the reaction on the person, so a loaded plate
shows a negative Fz. ORIGIN points from the transducer's origin to the centre of the
surface (types 2 and 4); for type 3 it holds the half distances of the sensors and
their depth.

Source: "The C3D File Format: A Technical User Guide", Motion Lab Systems, 2020,
chapter on FORCE_PLATFORM; type 3 also Kistler's multicomponent formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array

POINT_FORCE = 20.0
"""N; below this normal force a centre of pressure is noise over noise, and NaN."""

CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}
"""Channels of each plate type that can be read."""


@dataclass(frozen=True)
class Plate:
    """Geometry of one force plate, lengths in m.

    Attributes
    ----------
    kind : int
        FORCE_PLATFORM:TYPE, 1 to 4.
    corners : (4, 3) m
        Corners in the laboratory, in the order of the C3D standard.
    origin : (3,) m
        FORCE_PLATFORM:ORIGIN.
    """

    kind: int
    corners: Array
    origin: Array

    @property
    def center(self) -> Array:
        """Centre of the surface, (3,) m."""
        center: Array = self.corners.mean(axis=0)
        return center

    @property
    def in_lab(self) -> Array:
        """Rotation plate-in-laboratory, (3, 3): columns are the plate's axes."""
        x = self.corners[0] - self.corners[1] + self.corners[3] - self.corners[2]
        y = self.corners[0] - self.corners[3] + self.corners[1] - self.corners[2]
        z = np.cross(x, y)
        y = np.cross(z, x)
        axes = np.stack([x, y, z], axis=1)
        rotation: Array = axes / np.linalg.norm(axes, axis=0)
        return rotation


@dataclass(frozen=True)
class Wrench:
    """Reaction on the person in the laboratory's axes.

    Attributes
    ----------
    force : (S, 3) N
    point : (S, 3) m, centre of pressure on the surface; NaN below `POINT_FORCE`
    torque : (S, 3) N·m, free moment about the point, along the plate's normal;
        zero where the point is NaN
    moment_at_origin : (S, 3) N·m, about the laboratory's origin, defined everywhere
    """

    force: Array
    point: Array
    torque: Array
    moment_at_origin: Array


def surface_wrench(plate: Plate, channels: Array) -> tuple[Array, Array]:
    """Force and moment about the centre of the surface, in the plate's frame.

    Parameters
    ----------
    plate : Plate
    channels : (S, 6) or (S, 8)
        N, N·m and m, calibrated (type 4: after its matrix).

    Returns
    -------
    force : (S, 3) N
    moment : (S, 3) N·m
    """
    if plate.kind == 1:
        force = channels[:, :3]
        point = np.zeros_like(force)
        point[:, :2] = channels[:, 3:5]
        moment = np.cross(point, force)
        moment[:, 2] += channels[:, 5]
        return force, moment
    if plate.kind == 3:
        fx12, fx34, fy14, fy23, fz1, fz2, fz3, fz4 = channels.T
        a, b, depth = plate.origin
        force = np.stack([fx12 + fx34, fy14 + fy23, fz1 + fz2 + fz3 + fz4], axis=1)
        moment = np.stack(
            [
                b * (fz1 + fz2 - fz3 - fz4),
                a * (fz2 + fz3 - fz1 - fz4),
                b * (fx34 - fx12) + a * (fy14 - fy23),
            ],
            axis=1,
        )
        return force, moment - np.cross([0.0, 0.0, depth], force)
    force = channels[:, :3]
    return force, channels[:, 3:6] - np.cross(plate.origin, force)


def wrench_in_lab(plate: Plate, channels: Array) -> Wrench:
    """Reaction on the person from a plate's calibrated channels.

    Parameters
    ----------
    plate : Plate
    channels : (S, 6) or (S, 8)
        N, N·m and m; NaN stays NaN.

    Notes
    -----
    In the plate's frame the centre of pressure is (-My/Fz, Mx/Fz) of the moment at
    the surface, and the free moment is what the force at that point does not explain.
    """
    force, moment = surface_wrench(plate, channels)
    normal = force[:, 2]
    loaded = np.abs(normal) >= POINT_FORCE
    safe = np.where(loaded, normal, 1.0)
    point = np.zeros_like(force)
    point[:, 0], point[:, 1] = -moment[:, 1] / safe, moment[:, 0] / safe
    torque = np.zeros_like(force)
    twist = moment[:, 2] - point[:, 0] * force[:, 1] + point[:, 1] * force[:, 0]
    torque[:, 2] = np.where(loaded, twist, 0.0)
    rotation, center = plate.in_lab, plate.center
    force_lab = force @ rotation.T
    point_lab = point @ rotation.T + center
    point_lab[~loaded] = np.nan
    return Wrench(
        force_lab,
        point_lab,
        torque @ rotation.T,
        moment @ rotation.T + np.cross(center, force_lab),
    )
