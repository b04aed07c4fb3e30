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

The collaterals are recorded with their curve but do not act by themselves
(``appliesForce`` off): recruitment decides their tension, and inverse dynamics of
the model stays free of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError, SettingsError
from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side
from .osim import as_array, joint_child_body, opensim, rotation_matrix, vec3

PELVIS_COORDINATES = (
    "pelvis_tilt",
    "pelvis_list",
    "pelvis_rotation",
    "pelvis_tx",
    "pelvis_ty",
    "pelvis_tz",
)
LEG_COORDINATES = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
)
LEG_BODIES = ("femur", "tibia", "talus", "calcn")


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


@dataclass(frozen=True)
class _CollateralFigures:
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
_COLLATERALS: dict[str, _CollateralFigures] = {
    "MCL": _CollateralFigures(
        femur=(0.0045, 0.0056, -0.0413),
        tibia=(0.0045, -0.0876, -0.0240),
        stiffness=71.97e3,
    ),
    "LCL": _CollateralFigures(
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


def require_canonical(model: Any) -> None:
    """Raise `ModelError` unless the model names bodies and coordinates as the chain does.

    The six pelvis coordinates, three of each hip, knee and ankle flexion, and the
    bodies of both legs have to carry the names shared by the Gait2392, Hamner and
    Rajagopal families (see `kneestride.vocabulary`).
    """
    coordinates = {c.getName() for c in model.getCoordinateSet()}
    wanted = PELVIS_COORDINATES + tuple(f"{n}_{s}" for s in SIDES for n in LEG_COORDINATES)
    _require("coordinates", wanted, coordinates, model)
    bodies = {b.getName() for b in model.getBodySet()}
    wanted = ("pelvis", *(f"{n}_{s}" for s in SIDES for n in LEG_BODIES))
    _require("bodies", wanted, bodies, model)


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
    joints = {side: _flexion_joint(model, side) for side in SIDES}
    extended = {side: _extended_leg(model, side) for side in SIDES}
    for index, side in enumerate(SIDES):
        center = _free_the_tibia(model, joints[side], side)
        _add_frontal_joint(model, side, center, settings, index)
        _add_compartments(model, side, center, settings, index)
        for name in _COLLATERALS:
            _add_collateral(model, side, name, center, extended[side])
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


@dataclass(frozen=True)
class _ExtendedLeg:
    """The leg at zero knee coordinate: knee centre and tibia as seen from the femur."""

    knee_in_femur: Array
    tibia_in_femur: Array
    tibia_origin_in_femur: Array
    femur_size: float
    tibia_size: float


def _extended_leg(model: Any, side: Side) -> _ExtendedLeg:
    copy = model.clone()
    state = copy.initSystem()
    joint = _flexion_joint(copy, side)
    joint.get_coordinates(0).setValue(state, 0.0)
    copy.realizePosition(state)
    femur, tibia = (copy.getBodySet().get(f"{n}_{side}") for n in ("femur", "tibia"))
    knee = as_array(joint.getChildFrame().getPositionInGround(state))
    hip = as_array(
        _joint_moving(copy, f"femur_{side}").getChildFrame().getPositionInGround(state)
    )
    ankle_joint = _joint_moving(copy, f"talus_{side}")
    ankle = as_array(ankle_joint.getParentFrame().getPositionInGround(state))
    femur_axes = rotation_matrix(femur, state)
    origin = as_array(femur.getPositionInGround(state))
    return _ExtendedLeg(
        knee_in_femur=femur_axes.T @ (knee - origin),
        tibia_in_femur=femur_axes.T @ rotation_matrix(tibia, state),
        tibia_origin_in_femur=femur_axes.T
        @ (as_array(tibia.getPositionInGround(state)) - origin),
        femur_size=float(np.linalg.norm(knee - hip)) / _REFERENCE_FEMUR,
        tibia_size=float(np.linalg.norm(ankle - knee)) / _REFERENCE_TIBIA,
    )


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


def _add_collateral(
    model: Any, side: Side, name: str, center: Array, leg: _ExtendedLeg
) -> None:
    figures = _COLLATERALS[name]
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


def _read_side(model: Any, state: Any, side: Side) -> KneeGeometry:
    joint = _joint_moving(model, f"knee_frame_{side}")
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
        medial_collateral=_collateral(model, "MCL", side),
        lateral_collateral=_collateral(model, "LCL", side),
    )


def _flexion_sign(model: Any, state: Any, joint: Any, side: Side) -> float:
    """+1 when the coordinate grows as the foot swings back (rotation about -Z)."""
    coordinate = joint.get_coordinates(0)
    bodies = [model.getBodySet().get(f"{n}_{side}") for n in ("femur", "tibia")]

    def forward_lean(value: float) -> float:
        coordinate.setValue(state, value, False)
        model.realizePosition(state)
        femur, tibia = (rotation_matrix(body, state) for body in bodies)
        return float((femur.T @ tibia)[1, 0])

    low, high = coordinate.getRangeMin(), coordinate.getRangeMax()
    middle = 0.5 * (low + high)
    step = min(0.1, 0.25 * (high - low))
    return 1.0 if forward_lean(middle + step) < forward_lean(middle - step) else -1.0


def _compartment_frame(model: Any, compartment: str, side: Side) -> Any:
    path = f"/bodyset/tibia_{side}/{compartment}_compartment_{side}"
    return opensim.PhysicalOffsetFrame.safeDownCast(model.updComponent(path))


def _compartment(model: Any, compartment: str, side: Side) -> Array:
    return as_array(_compartment_frame(model, compartment, side).get_translation())


def _collateral(model: Any, name: str, side: Side) -> Collateral:
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


def _joint_moving(model: Any, body: str) -> Any:
    for joint in model.updJointSet():
        if joint_child_body(joint) == body:
            return joint
    raise ModelError(
        expected=f"a joint that moves {body}",
        found=f"none in {model.getName()}",
        todo=f"pass a model whose {body} hangs on a joint",
        available=[joint.getName() for joint in model.getJointSet()],
    )


def _flexion_joint(model: Any, side: Side) -> Any:
    joint = _joint_moving(model, f"tibia_{side}")
    if joint.numCoordinates() != 1:
        names = [joint.get_coordinates(i).getName() for i in range(joint.numCoordinates())]
        raise ModelError(
            expected=f"the joint that moves tibia_{side} to have one coordinate, knee flexion",
            found=f"{joint.getName()} with {', '.join(names) or 'none'}",
            todo="pass a model with a plain knee; adduction and rotation are added here",
        )
    return joint


def _require(what: str, wanted: Iterable[str], present: set[str], model: Any) -> None:
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ModelError(
            expected=f"{what} named as in the Rajagopal and Gait2392 families",
            found=f"{model.getName()} without {', '.join(missing)}",
            todo="rename them in the model, or pass another model",
            available=sorted(present),
        )


def _within(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise SettingsError(
            expected=f"{what} between {low:g} and {high:g} {unit}",
            found=f"{value:g} {unit}",
            todo="give a value in this range",
        )
