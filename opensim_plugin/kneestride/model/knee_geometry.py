"""The knee of a model as names and arrays, for rooms that do not know OpenSim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array, Side


@dataclass(frozen=True)
class Collateral:
    """A collateral ligament as a straight elastic line.

    Attributes
    ----------
    name : str, component name in the model
    femur_point : (3,) m in the femur frame
    tibia_point : (3,) m in the tibia frame
    slack_length : float, m
    stiffness : float, N per unit strain (slope of the linear part)
    transition_strain : float, strain where the quadratic toe turns linear
    """

    name: str
    femur_point: Array
    tibia_point: Array
    slack_length: float
    stiffness: float
    transition_strain: float


@dataclass(frozen=True)
class KneeGeometry:
    """One knee of a model, as names and arrays.

    Attributes
    ----------
    side : 'r' or 'l'
    femur, tibia, knee_frame : str, body names
    flexion_joint, flexion_coordinate : str
    flexion_sign : float
        +1 where the coordinate grows with flexion (Rajagopal family), -1 where it
        falls (Gait2392, Hamner 2010): canonical flexion = sign * coordinate.
    frontal_joint, adduction_coordinate, rotation_coordinate : str
    joint_center : (3,) m in the tibia frame
    medial_compartment, lateral_compartment : (3,) m in the tibia frame
    medial_collateral, lateral_collateral : Collateral
    """

    side: Side
    femur: str
    tibia: str
    knee_frame: str
    flexion_joint: str
    flexion_coordinate: str
    flexion_sign: float
    frontal_joint: str
    adduction_coordinate: str
    rotation_coordinate: str
    joint_center: Array
    medial_compartment: Array
    lateral_compartment: Array
    medial_collateral: Collateral
    lateral_collateral: Collateral

    @property
    def compartment_spacing(self) -> float:
        """Distance between the contact points, m."""
        return float(np.linalg.norm(self.medial_compartment - self.lateral_compartment))
