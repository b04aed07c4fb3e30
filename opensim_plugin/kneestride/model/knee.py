"""A knee with adduction, tibial rotation, two compartments and two collaterals.

The idea: public gait models flex at the knee and nothing else, so they can neither
take up a valgus stride nor say where across the plateau the load goes. `add_knee`
cuts the tibia loose from its flexion joint and puts a massless body, the *knee
frame*, in between::

    femur --(flexion joint, unchanged)--> knee_frame --(knee_frontal)--> tibia

At zero adduction and rotation the knee frame and the tibia coincide, so the given
model is reproduced exactly: poses, muscle lengths and moment arms. The patella and
its coupler stay with the femur and the flexion angle.

`knee_frontal` rotates about the tibial axes through the knee centre, first about X
(adduction), then about Y (tibial rotation), with signs that make adduction and
internal rotation positive on both sides. The compartments are points of the tibia
on its medio-lateral axis, half a spacing to each side of the knee centre, so that
two axial contact forces carry both the axial load and the frontal-plane moment
(Lerner, DeMers, Delp & Browning 2015, Journal of Biomechanics).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError, SettingsError
from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side
from .collaterals import COLLATERALS, add_collateral, extended_leg, read_collateral
from .knee_geometry import Collateral, KneeGeometry
from .naming import flexion_joint, joint_moving, require_canonical
from .osim import as_array, opensim, rotation_matrix, vec3

__all__ = [
    "Collateral",
    "KneeGeometry",
    "KneeSettings",
    "add_knee",
    "has_knee",
    "place_compartments",
    "read_knee",
    "require_canonical",
]


@dataclass(frozen=True)
class KneeSettings:
    """What a user can choose about the knee.

    Attributes
    ----------
    compartment_spacing : float, m
        Distance between the two contact points at the size of the model given.
        0.047 is about 0.6 of a plateau width of 78 mm; public practice runs from 40
        to 56 mm and the moment's share of the load scales with its inverse.
    compartment_offset : (right, left) m, towards medial
        Moves both contact points of a knee along the medio-lateral axis.
    static_alignment_deg : (right, left) degrees, varus (adduction) positive
        Turns the tibia about the knee centre before any coordinate acts.
    adduction_range_deg, rotation_range_deg : float, degrees
        Half ranges of the two coordinates, which are clamped.
    """

    compartment_spacing: float = 0.047
    compartment_offset: tuple[float, float] = (0.0, 0.0)
    static_alignment_deg: tuple[float, float] = (0.0, 0.0)
    adduction_range_deg: float = 10.0
    rotation_range_deg: float = 20.0

    def __post_init__(self) -> None:
        _within("a compartment spacing", self.compartment_spacing, 0.03, 0.07, "m")
        for offset in self.compartment_offset:
            _within("a medio-lateral compartment offset", offset, -0.02, 0.02, "m")
        for angle in self.static_alignment_deg:
            _within("a static alignment", angle, -20.0, 20.0, "degrees")
        _within("a knee adduction half range", self.adduction_range_deg, 1.0, 30.0, "degrees")
        _within("a tibial rotation half range", self.rotation_range_deg, 1.0, 60.0, "degrees")


def has_knee(model: Any) -> bool:
    """Whether `add_knee` has been applied to this model (also before it was saved)."""
    joints = {joint.getName() for joint in model.getJointSet()}
    return all(f"knee_frontal_{side}" in joints for side in SIDES)


def add_knee(model: Any, settings: KneeSettings | None = None) -> None:
    """Put the three-rotation knee on both legs of a gait model, in place.

    Parameters
    ----------
    model : opensim.Model
        Any model with canonical names whose knees flex about one coordinate. It
        may be generic or scaled; collaterals take the size of its thigh and shank.
    settings : KneeSettings, optional

    Raises
    ------
    ModelError
        When names are not canonical, the knee is there already, or the joint that
        moves a tibia is not a knee with a single coordinate.

    Notes
    -----
    New components: bodies ``knee_frame_{r,l}`` (no mass; scale them with the tibia's
    factors), joints ``knee_frontal_{r,l}`` with the coordinates
    ``knee_adduction_{r,l}`` and ``knee_rotation_{r,l}``, frames
    ``{medial,lateral}_compartment_{r,l}`` of the tibia, ligaments ``MCL_{r,l}`` and
    ``LCL_{r,l}``. `model.initSystem()` has to be called afterwards.
    """
    settings = settings or KneeSettings()
    model.finalizeConnections()
    require_canonical(model)
    if has_knee(model):
        raise ModelError(
            expected="a model without the kneestride knee",
            found=f"{model.getName()}, which already has knee_frontal joints",
            todo="use the model as it is",
        )
    joints = {side: flexion_joint(model, side) for side in SIDES}
    extended = {side: extended_leg(model, side) for side in SIDES}
    for index, side in enumerate(SIDES):
        center = _free_the_tibia(model, joints[side], side)
        _add_frontal_joint(model, side, center, settings, index)
        _add_compartments(model, side, center, settings, index)
        for name in COLLATERALS:
            add_collateral(model, side, name, center, extended[side])
    model.finalizeConnections()


def read_knee(model: Any) -> dict[Side, KneeGeometry]:
    """Geometry of both knees of a model that `add_knee` was applied to.

    Reads the model as it is now, so it serves a scaled model as well.

    Raises
    ------
    ModelError
        When the model has no such knee.
    """
    if not has_knee(model):
        raise ModelError(
            expected="a model with the kneestride knee",
            found=f"{model.getName()} without knee_frontal joints",
            todo="call kneestride.model.knee.add_knee on it first",
        )
    copy = model.clone()
    state = copy.initSystem()
    return {side: _read_side(copy, state, side) for side in SIDES}


def place_compartments(
    model: Any, side: Side, center: Array, spacing: float | None = None
) -> None:
    """Move the contact points of one knee, in place.

    For a knee centre measured on the person (midpoint of the epicondyle markers).

    Parameters
    ----------
    model : opensim.Model with the knee
    side : 'r' or 'l'
    center : (3,) m in the tibia frame, midpoint of the two contact points
    spacing : float, m, optional; the present one when left out
    """
    frames = [_compartment_frame(model, compartment, side) for compartment in _OUTWARDS]
    if spacing is None:
        ends = [as_array(frame.get_translation()) for frame in frames]
        spacing = float(np.linalg.norm(ends[0] - ends[1]))
    for frame, outwards in zip(frames, _OUTWARDS.values(), strict=True):
        shift = np.array([0.0, 0.0, outwards * MEDIAL_SIGN[side] * spacing / 2])
        frame.set_translation(vec3(np.asarray(center, dtype=np.float64) + shift))
    model.finalizeFromProperties()
    model.finalizeConnections()


_OUTWARDS = {"medial": 1.0, "lateral": -1.0}


def _free_the_tibia(model: Any, joint: Any, side: Side) -> Array:
    """Hang a massless knee frame on the flexion joint; return the knee centre in it."""
    frame = opensim.Body(f"knee_frame_{side}", 0.0, opensim.Vec3(0), opensim.Inertia(0))
    model.addBody(frame)
    body = model.updBodySet().get(f"knee_frame_{side}")
    child = joint.getChildFrame()
    if child.getConcreteClassName() == "Body":
        joint.connectSocket_child_frame(body)
        return np.zeros(3)
    for index in range(joint.getPropertyByName("frames").size()):
        offset = joint.upd_frames(index)
        if offset.getName() == child.getName():
            center = as_array(offset.get_translation())
            offset.connectSocket_parent(body)
            offset.setName(f"knee_frame_{side}_offset")
            joint.connectSocket_child_frame(offset)
            return center
    raise ModelError(
        expected=f"the joint {joint.getName()} to hold its own frame on tibia_{side}",
        found=f"the frame {child.getAbsolutePathString()}",
        todo="save the model with the OpenSim GUI, which writes joints that way",
    )


def _add_frontal_joint(
    model: Any, side: Side, center: Array, settings: KneeSettings, index: int
) -> None:
    # Adduction turns the tibia about +X on the right; internal rotation about +Y.
    mirror = -MEDIAL_SIGN[side]
    transform = opensim.SpatialTransform()
    axes = (
        (transform.updTransformAxis(0), (mirror, 0.0, 0.0), f"knee_adduction_{side}"),
        (transform.updTransformAxis(1), (0.0, mirror, 0.0), f"knee_rotation_{side}"),
        (transform.updTransformAxis(2), (0.0, 0.0, 1.0), None),
    )
    for axis, direction, coordinate in axes:
        axis.setAxis(vec3(direction))
        if coordinate is not None:
            names = opensim.ArrayStr()
            names.append(coordinate)
            axis.setCoordinateNames(names)
            axis.set_function(opensim.LinearFunction(1.0, 0.0))
        else:
            axis.set_function(opensim.Constant(0.0))
    for translation in range(3, 6):
        transform.updTransformAxis(translation).set_function(opensim.Constant(0.0))
    tilt = mirror * np.deg2rad(settings.static_alignment_deg[index])
    joint = opensim.CustomJoint(
        f"knee_frontal_{side}",
        model.getBodySet().get(f"knee_frame_{side}"),
        vec3(center),
        opensim.Vec3(float(tilt), 0.0, 0.0),
        model.getBodySet().get(f"tibia_{side}"),
        vec3(center),
        opensim.Vec3(0),
        transform,
    )
    halves = (settings.adduction_range_deg, settings.rotation_range_deg)
    for (_, _, name), half in zip(axes, np.deg2rad(halves), strict=False):
        coordinate = opensim.Coordinate()
        coordinate.setName(name)
        coordinate.setRangeMin(-float(half))
        coordinate.setRangeMax(float(half))
        coordinate.setDefaultValue(0.0)
        coordinate.setDefaultClamped(True)
        joint.append_coordinates(coordinate)
    model.addJoint(joint)


def _add_compartments(
    model: Any, side: Side, center: Array, settings: KneeSettings, index: int
) -> None:
    tibia = model.updBodySet().get(f"tibia_{side}")
    for compartment, outwards in _OUTWARDS.items():
        towards_medial = (
            settings.compartment_offset[index] + outwards * settings.compartment_spacing / 2
        )
        point = center + np.array([0.0, 0.0, MEDIAL_SIGN[side] * towards_medial])
        frame = opensim.PhysicalOffsetFrame()
        frame.setName(f"{compartment}_compartment_{side}")
        frame.connectSocket_parent(tibia)
        frame.set_translation(vec3(point))
        tibia.addComponent(frame)


def _read_side(model: Any, state: Any, side: Side) -> KneeGeometry:
    joint = joint_moving(model, f"knee_frame_{side}")
    coordinate = joint.get_coordinates(0)
    frontal = model.getJointSet().get(f"knee_frontal_{side}")
    center = opensim.PhysicalOffsetFrame.safeDownCast(frontal.getChildFrame())
    return KneeGeometry(
        side=side,
        femur=f"femur_{side}",
        tibia=f"tibia_{side}",
        knee_frame=f"knee_frame_{side}",
        flexion_joint=joint.getName(),
        flexion_coordinate=coordinate.getName(),
        flexion_sign=_flexion_sign(model, state, joint, side),
        frontal_joint=frontal.getName(),
        adduction_coordinate=f"knee_adduction_{side}",
        rotation_coordinate=f"knee_rotation_{side}",
        joint_center=as_array(center.get_translation()),
        medial_compartment=_compartment(model, "medial", side),
        lateral_compartment=_compartment(model, "lateral", side),
        medial_collateral=read_collateral(model, "MCL", side),
        lateral_collateral=read_collateral(model, "LCL", side),
    )


def _flexion_sign(model: Any, state: Any, joint: Any, side: Side) -> float:
    """+1 when the coordinate grows as the foot swings back (rotation about -Z)."""
    coordinate = joint.get_coordinates(0)
    bodies = [model.getBodySet().get(f"{n}_{side}") for n in ("femur", "tibia")]

    def tibia_in_femur(value: float) -> Array:
        coordinate.setValue(state, value, False)
        model.realizePosition(state)
        femur, tibia = (rotation_matrix(body, state) for body in bodies)
        return femur.T @ tibia

    low, high = coordinate.getRangeMin(), coordinate.getRangeMax()
    middle = 0.5 * (low + high)
    step = min(0.1, 0.25 * (high - low))
    turn = tibia_in_femur(middle + step) @ tibia_in_femur(middle - step).T
    about_z = turn[1, 0] - turn[0, 1]
    return 1.0 if about_z < 0 else -1.0


def _compartment_frame(model: Any, compartment: str, side: Side) -> Any:
    path = f"/bodyset/tibia_{side}/{compartment}_compartment_{side}"
    return opensim.PhysicalOffsetFrame.safeDownCast(model.updComponent(path))


def _compartment(model: Any, compartment: str, side: Side) -> Array:
    return as_array(_compartment_frame(model, compartment, side).get_translation())


def _within(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise SettingsError(
            expected=f"{what} between {low:g} and {high:g} {unit}",
            found=f"{value:g} {unit}",
            todo="give a value in this range",
        )
