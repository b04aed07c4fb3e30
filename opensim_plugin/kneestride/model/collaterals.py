"""The collateral ligaments: where they attach, how stiff they are, at any size.

Each ligament is one straight elastic line from femur to tibia. Attachments are given
from the knee centre of a leg of Rajagopal's size and take the length of the thigh and
the shank of the model they are put on. The ligaments are recorded with their curve but
do not act by themselves (``appliesForce`` off): recruitment decides their tension, and
inverse dynamics of the model stays free of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..vocabulary import MEDIAL_SIGN, Array, Side
from .knee_geometry import Collateral
from .naming import flexion_joint, joint_moving
from .osim import as_array, opensim, rotation_matrix, vec3


@dataclass(frozen=True)
class _Figures:
    """Attachments from the knee centre, right side, at the size of Rajagopal 2016, m."""

    femur: tuple[float, float, float]
    tibia: tuple[float, float, float]
    stiffness: float
    """N/m of the whole ligament; times slack length gives N per unit strain."""


# Epicondyles: where Rajagopal 2016 puts its condyle markers, 4.5 mm anterior and
#   5.6 mm proximal of the knee centre, drawn in from the skin to half an epicondylar
#   width of 82.65 mm (men; Kapur et al., Folia Medica Sarajevo).
# MCL (superficial): its femoral attachment is centred on the medial epicondyle
#   (doi:10.1007/s00167-020-06050-0, figure 2); 94.8 mm long (LaPrade et al. 2007,
#   doi:10.2106/JBJS.F.01176) along the tibia, its distal end as far medial as
#   the pes anserinus points behind which it lies (sartorius and gracilis, 24 mm).
# LCL: 3.7 mm posterior of the lateral epicondyle, 66 mm long, sloping 11 degrees
#   backwards in extension (Meister et al. 2000, Am J Sports Med),
#   its distal end as far lateral as the biceps points on the fibular head (37 mm).
# Stiffness: 71.97 and 69.70 N/mm (Cho & Kwak 2020, 21 fresh knees).
# The curve: quadratic toe to a strain of 0.06, then linear (Blankevoort & Huiskes
#   1991, J Biomech Eng). Slack length is the length in full extension: taut
#   and unloaded there, the plainest assumption where figures for pre-strain disagree.
_FIGURES: dict[str, _Figures] = {
    "MCL": _Figures(
        femur=(0.0045, 0.0056, -0.0413),
        tibia=(0.0045, -0.0876, -0.0240),
        stiffness=71.97e3,
    ),
    "LCL": _Figures(
        femur=(0.0008, 0.0056, 0.0413),
        tibia=(-0.0118, -0.0590, 0.0370),
        stiffness=69.70e3,
    ),
}
_TRANSITION_STRAIN = 0.06
_REFERENCE_FEMUR = 0.4096
"""Hip centre to knee centre of Rajagopal 2016, m."""
_REFERENCE_TIBIA = 0.3965
"""Knee centre to ankle centre of Rajagopal 2016, m."""


COLLATERALS = tuple(_FIGURES)


@dataclass(frozen=True)
class ExtendedLeg:
    """The leg at zero knee coordinate: knee centre and tibia as seen from the femur."""

    knee_in_femur: Array
    tibia_in_femur: Array
    tibia_origin_in_femur: Array
    femur_size: float
    tibia_size: float


def extended_leg(model: Any, side: Side) -> ExtendedLeg:
    """Measure a leg of a model whose tibia still hangs on its flexion joint."""
    copy = model.clone()
    state = copy.initSystem()
    joint = flexion_joint(copy, side)
    joint.get_coordinates(0).setValue(state, 0.0)
    copy.realizePosition(state)
    femur, tibia = (copy.getBodySet().get(f"{n}_{side}") for n in ("femur", "tibia"))
    knee = as_array(joint.getChildFrame().getPositionInGround(state))
    hip = as_array(
        joint_moving(copy, f"femur_{side}").getChildFrame().getPositionInGround(state)
    )
    ankle_joint = joint_moving(copy, f"talus_{side}")
    ankle = as_array(ankle_joint.getParentFrame().getPositionInGround(state))
    femur_axes = rotation_matrix(femur, state)
    origin = as_array(femur.getPositionInGround(state))
    return ExtendedLeg(
        knee_in_femur=femur_axes.T @ (knee - origin),
        tibia_in_femur=femur_axes.T @ rotation_matrix(tibia, state),
        tibia_origin_in_femur=femur_axes.T
        @ (as_array(tibia.getPositionInGround(state)) - origin),
        femur_size=float(np.linalg.norm(knee - hip)) / _REFERENCE_FEMUR,
        tibia_size=float(np.linalg.norm(ankle - knee)) / _REFERENCE_TIBIA,
    )


def add_collateral(model: Any, side: Side, name: str, center: Array, leg: ExtendedLeg) -> None:
    """Add one collateral of one knee to a model.

    Parameters
    ----------
    model : opensim.Model
    side : 'r' or 'l'
    name : 'MCL' or 'LCL'
    center : (3,) m, knee centre in the tibia frame
    leg : ExtendedLeg, measured before the tibia was cut loose
    """
    figures = _FIGURES[name]
    mirror = np.array([1.0, 1.0, -MEDIAL_SIGN[side]])
    femur_point = leg.knee_in_femur + leg.femur_size * mirror * np.array(figures.femur)
    tibia_point = center + leg.tibia_size * mirror * np.array(figures.tibia)
    in_femur = leg.tibia_in_femur @ tibia_point + leg.tibia_origin_in_femur
    slack = float(np.linalg.norm(in_femur - femur_point))
    ligament = opensim.Blankevoort1991Ligament()
    ligament.setName(f"{name}_{side}")
    path = ligament.updGeometryPath()
    for bone, point in (("femur", femur_point), ("tibia", tibia_point)):
        body = model.getBodySet().get(f"{bone}_{side}")
        path.appendNewPathPoint(f"{name}_{side}_{bone}", body, vec3(point))
    ligament.set_slack_length(slack)
    ligament.set_linear_stiffness(figures.stiffness * slack)
    ligament.set_transition_strain(_TRANSITION_STRAIN)
    ligament.set_appliesForce(False)
    model.addForce(ligament)
    # The SWIG proxy must not free what the model now owns.
    ligament.this.disown()


def read_collateral(model: Any, name: str, side: Side) -> Collateral:
    """Figures of one collateral as the model holds them now."""
    force = model.getForceSet().get(f"{name}_{side}")
    ligament = opensim.Blankevoort1991Ligament.safeDownCast(force)
    points = ligament.getGeometryPath().getPathPointSet()
    ends = [opensim.PathPoint.safeDownCast(points.get(i)).get_location() for i in range(2)]
    return Collateral(
        name=f"{name}_{side}",
        femur_point=as_array(ends[0]),
        tibia_point=as_array(ends[1]),
        slack_length=float(ligament.get_slack_length()),
        stiffness=float(ligament.get_linear_stiffness()),
        transition_strain=float(ligament.get_transition_strain()),
    )
