"""Carry a fit into an OpenSim model: sizes, shank torsion, ranges, knee centres."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from ..vocabulary import SIDES, Array
from .knee import place_compartments, read_knee
from .multibody import Multibody, rotation_about_y
from .osim import opensim, vec3
from .scaling import Fit, Targets

HYPEREXTENSION = float(np.radians(10.0))
LIVING_RANGE_DEG = {
    "lumbar_": (-90.0, 90.0), "arm_flex": (-100.0, 190.0), "arm_add": (-190.0, 90.0),
    "arm_rot": (-150.0, 150.0), "elbow_flex": (-10.0, 160.0), "pro_sup": (-60.0, 190.0),
    "ankle_angle": (-60.0, 45.0), "subtalar_angle": (-30.0, 30.0),
}  # fmt: skip
"""Least ranges, degrees, by the beginning of the coordinate's name."""


def widen_ranges(model: Any) -> None:
    """Give coordinates the ranges that living people use.

    Public models clamp knees at straight, arms at the horizontal and ankles at what
    their display needs; a clamped coordinate pushes its error into every other one.
    """
    for knee in read_knee(model).values():
        coordinate = model.getCoordinateSet().get(knee.flexion_coordinate)
        if knee.flexion_sign > 0:
            coordinate.setRangeMin(min(coordinate.getRangeMin(), -HYPEREXTENSION))
        else:
            coordinate.setRangeMax(max(coordinate.getRangeMax(), HYPEREXTENSION))
    for coordinate in model.getCoordinateSet():
        name = coordinate.getName()
        for stem, (low, high) in LIVING_RANGE_DEG.items():
            if name.startswith(stem):
                coordinate.setRangeMin(min(coordinate.getRangeMin(), float(np.radians(low))))
                coordinate.setRangeMax(max(coordinate.getRangeMax(), float(np.radians(high))))


def scaled_model(generic: Any, body: Multibody, result: Fit, mass: float) -> Any:
    """Scale the generic model in place by OpenSim's own scaling, with the person's mass.

    Muscle optimal lengths and tendon slack lengths follow their path length, masses keep
    their shares.

    Raises
    ------
    ModelError
        When OpenSim refuses.
    """
    state = generic.initSystem()
    scales = opensim.ScaleSet()
    for name, factors in zip(body.bodies, result.scale, strict=True):
        one = opensim.Scale()
        one.setSegmentName(name)
        one.setScaleFactors(vec3(factors))
        one.setApply(True)
        scales.cloneAndAppend(one)
    if not generic.scale(state, scales, True, float(mass)):
        raise ModelError(
            "a model that OpenSim can scale", f"'{generic.getName()}', which it refused",
            "pass another model",
        )  # fmt: skip
    return generic


def twist_shanks(model: Any, result: Fit) -> None:
    """Turn each ankle joint about the shank's long axis by the torsion found."""
    for side, angle in zip(SIDES, result.torsion, strict=True):
        for joint in model.updJointSet():
            if joint.getChildFrame().findBaseFrame().getName() != f"talus_{side}":
                continue
            frame = opensim.PhysicalOffsetFrame.safeDownCast(joint.getParentFrame())
            if frame is None:
                raise ModelError(
                    "an ankle joint placed by an offset frame",
                    f"joint '{joint.getName()}' fixed straight to the tibia",
                    "open and save the model in OpenSim 4, which adds the frame",
                )
            turn = rotation_about_y(float(angle))
            old = frame.getOffsetTransform()
            before = np.array([[old.R().get(i, j) for j in range(3)] for i in range(3)])
            after = turn @ before
            rotation = opensim.Rotation(opensim.Mat33(*(float(v) for v in after.ravel())))
            angles = rotation.convertRotationToBodyFixedXYZ()
            place = turn @ np.array([old.p().get(i) for i in range(3)])
            offset = _writable_frame(joint, frame.getName())
            offset.set_translation(vec3(place))
            offset.set_orientation(vec3([angles.get(i) for i in range(3)]))
    model.finalizeFromProperties()
    model.finalizeConnections()


def _writable_frame(joint: Any, name: str) -> Any:
    for i in range(joint.getPropertyByName("frames").size()):
        if joint.get_frames(i).getName() == name:
            return joint.upd_frames(i)
    raise ModelError(
        f"frame '{name}' among those of joint '{joint.getName()}'", "it elsewhere",
        "open and save the model in OpenSim 4",
    )  # fmt: skip


def rest_alignment(model: Any, body: Multibody, pose: Array, neutral: Array) -> None:
    """The standing knee alignment becomes the neutral one: no pull away from it later."""
    for side in SIDES:
        for name in (f"knee_adduction_{side}", f"knee_rotation_{side}"):
            if name in body.coordinates:
                i = body.coordinate(name)
                neutral[i] = pose[i]
                model.getCoordinateSet().get(name).setDefaultValue(float(pose[i]))


def knee_centers(model: Any, body: Multibody, result: Fit, targets: Targets) -> list[str]:
    """Put the compartments under the midpoint of the epicondyle markers."""
    notes = []
    knees = read_knee(model)
    rotation, position = body.poses(result.q)
    for side in SIDES:
        name = f"implied knee_joint_center_{side}"
        if name not in targets.names:
            notes.append(
                f"No epicondyle markers on the {'right' if side == 'r' else 'left'} knee: its "
                "compartments are centred on the model's knee."
            )
            continue
        k, tibia = targets.names.index(name), body.body(f"tibia_{side}")
        measured = np.nanmean(
            np.einsum(
                "fji,fj->fi", rotation[:, tibia], targets.positions[:, k] - position[:, tibia]
            ),
            axis=0,
        )
        present = (knees[side].medial_compartment + knees[side].lateral_compartment) / 2
        shift = float(measured[2] - present[2])
        place_compartments(model, side, np.array([present[0], present[1], measured[2]]))
        towards = "right" if shift > 0 else "left"
        notes.append(
            f"Knee centre {side}: epicondyle midpoint lies {abs(1000 * shift):.1f} mm to the "
            f"{towards} of the scaled model's; the compartments follow the markers."
        )
    return notes


def unlock_informed(model: Any, body: Multibody, bodies: list[int]) -> None:
    """Unlock what the markers move, so that OpenSim's own tools see the motion we found."""
    for name, informed in zip(body.coordinates, body.informed_by(bodies), strict=True):
        if informed:
            model.getCoordinateSet().get(name).setDefaultLocked(False)
