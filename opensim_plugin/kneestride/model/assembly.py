"""An OpenSim model put together from tables of figures.

Nothing here knows a figure: bodies, joints, couplers, wrap cylinders and Millard
muscles come from `kneestride.model.tables`, and the kneestride knee is put on at the
end. The same tables give the same bytes, so the committed model can be checked against
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .knee import KneeSettings, add_knee
from .mirroring import both_sides
from .osim import opensim, vec3
from .tables import (
    FIGURES,
    SLOTS,
    AxisRow,
    CouplerRow,
    FrameRow,
    JointRow,
    ModelTables,
    MuscleRow,
    WrapRow,
    read_tables,
)

CREDITS = (
    "kneestride. Figures from Rajagopal et al. 2016, Lai et al. 2017 and Uhlrich et al. "
    "2022 (see models/sources.toml); knee with adduction, tibial rotation, compartments "
    "and collaterals by kneestride."
)
_UNIT_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def build_model(
    folder: Path = FIGURES, settings: KneeSettings | None = None, knee: bool = True
) -> Any:
    """Build the runner's model from a folder of tables.

    Parameters
    ----------
    folder : Path of the tables (see `kneestride.model.tables.read_tables`)
    settings : KneeSettings, optional
    knee : bool
        False leaves the plain knee of the figures: one coordinate, no compartments.

    Returns
    -------
    opensim.Model, finalised; `initSystem` has been called on it.
    """
    tables = both_sides(read_tables(folder))
    model = opensim.Model()
    model.setName("kneestride_runner")
    model.setAuthors(CREDITS)
    model.set_gravity(opensim.Vec3(0.0, -9.80665, 0.0))
    _add_bodies(model, tables)
    for joint in tables.joints:
        _add_joint(model, joint)
    for coupler in tables.couplers:
        _add_coupler(model, coupler)
    for wrap in tables.wraps:
        _add_wrap(model, wrap)
    for muscle in tables.muscles:
        _add_muscle(model, muscle, tables.constants)
    model.finalizeConnections()
    if knee:
        add_knee(model, settings)
    model.initSystem()
    return model


def write_model(model: Any, path: Path) -> None:
    """Write a model as an ``.osim`` file."""
    model.printToXML(str(path))


def _add_bodies(model: Any, tables: ModelTables) -> None:
    for row in tables.bodies:
        body = opensim.Body(row.name, row.mass, vec3(row.com), opensim.Inertia(*row.inertia))
        model.addBody(body)


def _body(model: Any, name: str) -> Any:
    return model.getGround() if name == "ground" else model.getBodySet().get(name)


def _ends(model: Any, row: JointRow) -> tuple[Any, ...]:
    def end(frame: FrameRow) -> tuple[Any, Any, Any]:
        return _body(model, frame.body), vec3(frame.translation), vec3(frame.orientation)

    return (*end(row.parent), *end(row.child))


def _add_joint(model: Any, row: JointRow) -> None:
    if row.kind == "custom":
        joint = opensim.CustomJoint(row.name, *_ends(model, row), _spatial_transform(row))
        for _ in row.coordinates:
            joint.append_coordinates(opensim.Coordinate())
    elif row.kind == "pin":
        joint = opensim.PinJoint(row.name, *_ends(model, row))
    else:
        joint = opensim.UniversalJoint(row.name, *_ends(model, row))
    for index, figures in enumerate(row.coordinates):
        coordinate = joint.upd_coordinates(index)
        coordinate.setName(figures.name)
        coordinate.setRangeMin(figures.range[0])
        coordinate.setRangeMax(figures.range[1])
        coordinate.setDefaultValue(figures.default)
        coordinate.setDefaultClamped(figures.clamped)
        coordinate.setDefaultLocked(figures.locked)
    model.addJoint(joint)


def _spatial_transform(row: JointRow) -> Any:
    transform = opensim.SpatialTransform()
    for kind in ("rotation", "translation"):
        slots = [slot for slot in SLOTS if slot.startswith(kind)]
        used = [row.axes[slot].axis for slot in slots if slot in row.axes]
        # Axes that stay put still have to complete a basis.
        spare = [axis for axis in _UNIT_AXES if not any(_parallel(axis, u) for u in used)]
        for slot in slots:
            target = transform.updTransformAxis(SLOTS.index(slot))
            if slot not in row.axes:
                target.setAxis(vec3(spare.pop(0)))
                target.set_function(opensim.Constant(0.0))
                continue
            axis = row.axes[slot]
            target.setAxis(vec3(axis.axis))
            target.set_function(_function(axis))
            if axis.coordinate is not None:
                names = opensim.ArrayStr()
                names.append(axis.coordinate)
                target.setCoordinateNames(names)
    return transform


def _parallel(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return abs(abs(sum(x * y for x, y in zip(a, b, strict=True))) - 1.0) < 1e-9


def _function(axis: AxisRow) -> Any:
    if axis.kind == "constant":
        return opensim.Constant(axis.values[0][0])
    if axis.kind == "linear":
        return opensim.LinearFunction(*axis.values[0])
    if axis.kind == "polynomial":
        coefficients = opensim.Vector(len(axis.values[0]), 0.0)
        for index, value in enumerate(axis.values[0]):
            coefficients.set(index, value)
        return opensim.PolynomialFunction(coefficients)
    spline = opensim.SimmSpline()
    for x, y in zip(*axis.values, strict=True):
        spline.addPoint(x, y)
    return spline


def _add_coupler(model: Any, row: CouplerRow) -> None:
    coupler = opensim.CoordinateCouplerConstraint()
    coupler.setName(row.name)
    independent = opensim.ArrayStr()
    independent.append(row.independent)
    coupler.setIndependentCoordinateNames(independent)
    coupler.setDependentCoordinateName(row.dependent)
    function = opensim.LinearFunction(*row.linear)
    coupler.setFunction(function)
    model.addConstraint(coupler)


def _add_wrap(model: Any, row: WrapRow) -> None:
    cylinder = opensim.WrapCylinder()
    cylinder.setName(row.name)
    cylinder.set_translation(vec3(row.frame.translation))
    cylinder.set_xyz_body_rotation(vec3(row.frame.orientation))
    cylinder.set_radius(row.radius)
    cylinder.set_length(row.length)
    cylinder.set_quadrant(row.quadrant)
    model.updBodySet().get(row.frame.body).addWrapObject(cylinder)


def _add_muscle(
    model: Any, row: MuscleRow, constants: Mapping[str, Mapping[str, float]]
) -> None:
    muscle = opensim.Millard2012EquilibriumMuscle(
        row.name,
        row.max_isometric_force,
        row.optimal_fiber_length,
        row.tendon_slack_length,
        row.pennation,
    )
    _set(muscle, constants["dynamics"])
    muscle.set_default_fiber_length(row.optimal_fiber_length)
    muscle.setMinControl(constants["dynamics"]["minimum_activation"])
    _set(muscle.upd_ActiveForceLengthCurve(), constants["active_force_length"])
    _set(muscle.upd_ForceVelocityCurve(), constants["force_velocity"])
    _set(muscle.upd_TendonForceLengthCurve(), constants["tendon_force_length"])
    passive = muscle.upd_FiberForceLengthCurve()
    start, end = row.passive_strains
    shape = constants["passive_force_length"]
    passive.set_strain_at_zero_force(start)
    passive.set_strain_at_one_norm_force(end)
    passive.setOptionalProperties(
        shape["stiffness_at_low_force"], 2.0 / (end - start), shape["curviness"]
    )
    path = muscle.updGeometryPath()
    for number, (body, point) in enumerate(row.points, start=1):
        path.appendNewPathPoint(f"{row.name}-P{number}", _body(model, body), vec3(point))
    model.addForce(muscle)
    for meeting in row.wraps:
        _meet(model, muscle.updGeometryPath(), meeting.wrap)
    wraps = muscle.updGeometryPath().updWrapSet()
    for index, meeting in enumerate(row.wraps):
        wrap = wraps.get(index)
        wrap.set_method(meeting.method)
        if meeting.points is not None:
            wrap.set_range(0, meeting.points[0])
            wrap.set_range(1, meeting.points[1])


def _meet(model: Any, path: Any, name: str) -> None:
    for body in model.getBodySet():
        if body.getWrapObjectSet().contains(name):
            path.addPathWrap(body.getWrapObjectSet().get(name))
            return


def _set(component: Any, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        getattr(component, f"set_{name}")(value)
