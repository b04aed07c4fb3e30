"""A small symmetric gait model for tests of loads: straight muscles, round numbers.

Pelvis with 40 kg, thighs of 8 kg, shanks of 3 kg, feet of 1 kg; thigh and shank are 0.4 m
long. Joints, bodies and coordinates carry canonical names, so that `add_knee` accepts it.
A patella runs on a coupled coordinate; the vasti pull over it.
"""

from __future__ import annotations

from typing import Any

from kneestride.model.osim import opensim as osim

THIGH = SHANK = 0.4
DISTAL_MASS = 4.0
MASS = 40.0 + 2 * (8.0 + 3.0 + 1.0)

# name, force, fibre, pennation, points as (body, x, y, z) of the right leg
MUSCLES: tuple[
    tuple[str, float, float, float, tuple[tuple[str, float, float, float], ...]], ...
] = (
    ("iliacus", 1500, 0.11, 0.1, (("pelvis", 0.04, 0.05, 0.08), ("femur", 0.02, -0.06, 0.0))),
    ("glmax", 2500, 0.15, 0.2, (("pelvis", -0.08, 0.05, 0.07), ("femur", -0.03, -0.1, 0.02))),
    ("glmed", 2500, 0.07, 0.2, (("pelvis", 0.0, 0.1, 0.1), ("femur", 0.0, -0.01, 0.06))),
    ("glmin", 900, 0.06, 0.1, (("pelvis", 0.04, 0.08, 0.12), ("femur", 0.02, -0.01, 0.06))),
    ("piri", 900, 0.05, 0.1, (("pelvis", -0.08, 0.02, 0.0), ("femur", -0.02, 0.0, 0.05))),
    ("addlong", 1500, 0.12, 0.1, (("pelvis", 0.03, -0.05, 0.02), ("femur", 0.01, -0.2, 0.02))),
    ("addmag", 1500, 0.12, 0.1, (("pelvis", -0.04, -0.05, 0.03), ("femur", 0.0, -0.3, -0.01))),
    (
        "semiten",
        1800,
        0.15,
        0.1,
        (("pelvis", -0.06, -0.05, 0.06), ("tibia", -0.03, -0.06, -0.02)),
    ),
    ("bflh", 1300, 0.12, 0.1, (("pelvis", -0.06, -0.05, 0.07), ("tibia", -0.03, -0.04, 0.035))),
    (
        "recfem",
        2200,
        0.09,
        0.1,
        (
            ("pelvis", 0.05, 0.03, 0.08),
            ("patella", 0.0, 0.02, 0.0),
            ("patella", 0.0, -0.02, 0.0),
            ("tibia", 0.04, -0.07, 0.0),
        ),
    ),
    (
        "vasmed",
        5000,
        0.1,
        0.3,
        (
            ("femur", 0.03, -0.2, -0.01),
            ("patella", 0.0, 0.02, -0.005),
            ("patella", 0.0, -0.02, 0.0),
            ("tibia", 0.04, -0.07, 0.0),
        ),
    ),
    (
        "gasmed",
        3000,
        0.06,
        0.2,
        (("femur", -0.02, -0.38, -0.02), ("calcn", -0.05, 0.0, -0.005)),
    ),
    ("gaslat", 1500, 0.06, 0.2, (("femur", -0.02, -0.38, 0.02), ("calcn", -0.05, 0.0, 0.0))),
    ("soleus", 6000, 0.045, 0.4, (("tibia", -0.02, -0.1, 0.0), ("calcn", -0.05, 0.0, 0.0))),
    ("tibant", 1200, 0.07, 0.1, (("tibia", 0.01, -0.2, 0.01), ("calcn", 0.06, 0.0, -0.02))),
    ("tibpost", 1800, 0.04, 0.2, (("tibia", -0.01, -0.2, 0.0), ("calcn", -0.01, -0.03, -0.03))),
    (
        "perlong",
        1500,
        0.05,
        0.2,
        (("tibia", -0.01, -0.15, 0.03), ("calcn", -0.01, -0.03, 0.04)),
    ),
)


def toy_gait_model() -> Any:
    """Build the model; `initSystem` has not been called."""
    model = osim.Model()
    model.setName("toy")
    ground = model.getGround()
    pelvis = _body(model, "pelvis", 40.0, 0.0)
    turns = [
        ("pelvis_tilt", (0, 0, 1)),
        ("pelvis_list", (1, 0, 0)),
        ("pelvis_rotation", (0, 1, 0)),
    ]
    slides = [("pelvis_tx", (1, 0, 0)), ("pelvis_ty", (0, 1, 0)), ("pelvis_tz", (0, 0, 1))]
    _joint(model, "ground_pelvis", ground, (0, 0, 0), pelvis, turns, slides)
    for side, z in (("r", 1.0), ("l", -1.0)):
        _leg(model, pelvis, side, z)
    model.finalizeConnections()
    for side in "rl":
        coupler = osim.CoordinateCouplerConstraint()
        coupler.setName(f"patella_{side}_coupler")
        names = osim.ArrayStr()
        names.append(f"knee_angle_{side}")
        coupler.setIndependentCoordinateNames(names)
        coupler.setDependentCoordinateName(f"knee_angle_{side}_beta")
        coupler.setFunction(osim.LinearFunction(0.9, 0.0))
        model.addConstraint(coupler)
    for side, z in (("r", 1.0), ("l", -1.0)):
        for name, force, fiber, pennation, points in MUSCLES:
            _muscle(model, f"{name}_{side}", force, fiber, pennation, points, side, z)
    model.finalizeConnections()
    _set_slack_lengths(model)
    return model


def _leg(model: Any, pelvis: Any, side: str, z: float) -> None:
    femur = _body(model, f"femur_{side}", 8.0, -0.17)
    tibia = _body(model, f"tibia_{side}", 3.0, -0.18)
    patella = _body(model, f"patella_{side}", 0.0, 0.0)
    talus = _body(model, f"talus_{side}", 0.0, 0.0)
    calcn = _body(model, f"calcn_{side}", 1.0, -0.02)
    hip = [
        (f"hip_flexion_{side}", (0, 0, 1)),
        (f"hip_adduction_{side}", (z, 0, 0)),
        (f"hip_rotation_{side}", (0, z, 0)),
    ]
    _joint(model, f"hip_{side}", pelvis, (0, -0.07, 0.08 * z), femur, hip, [])
    knee = [(f"knee_angle_{side}", (0, 0, -1))]
    _joint(model, f"knee_{side}", femur, (0, -THIGH, 0), tibia, knee, [])
    beta = [(f"knee_angle_{side}_beta", (0, 0, -1))]
    _joint(
        model, f"patellofemoral_{side}", femur, (0, -THIGH, 0), patella, beta, [], (-0.05, 0, 0)
    )
    ankle = [(f"ankle_angle_{side}", (0, 0, 1))]
    _joint(model, f"ankle_{side}", tibia, (0, -SHANK, 0), talus, ankle, [])
    subtalar = [(f"subtalar_angle_{side}", (z, 0, 0))]
    _joint(model, f"subtalar_{side}", talus, (0, 0, 0), calcn, subtalar, [])


def _body(model: Any, name: str, mass: float, y: float) -> Any:
    size = 0.02 * mass
    body = osim.Body(name, mass, osim.Vec3(0, y, 0), osim.Inertia(size, size, size, 0, 0, 0))
    model.addBody(body)
    return body


def _joint(
    model: Any,
    name: str,
    parent: Any,
    place: tuple[float, float, float],
    child: Any,
    turns: list[tuple[str, tuple[float, float, float]]],
    slides: list[tuple[str, tuple[float, float, float]]],
    child_place: tuple[float, float, float] = (0, 0, 0),
) -> None:
    transform = osim.SpatialTransform()
    used = [a for _, a in turns]
    # OpenSim wants three independent rotation axes even where nothing turns.
    spare = [
        a
        for a in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        if all(abs(x * y) < 1 for b in used for x, y in zip(a, b, strict=True))
    ]
    for k in range(3):
        axis = transform.updTransformAxis(k)
        _drive(axis, *turns[k]) if k < len(turns) else _hold(axis, spare.pop(0))
    for k, unit in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1))):
        axis = transform.updTransformAxis(3 + k)
        _drive(axis, *slides[k]) if slides else _hold(axis, unit)
    joint = osim.CustomJoint(
        name,
        parent,
        osim.Vec3(*place),
        osim.Vec3(0),
        child,
        osim.Vec3(*child_place),
        osim.Vec3(0),
        transform,
    )
    for coordinate, _ in [*turns, *slides]:
        made = osim.Coordinate()
        made.setName(coordinate)
        made.setRangeMin(-2.0)
        made.setRangeMax(2.0)
        joint.append_coordinates(made)
    model.addJoint(joint)


def _drive(axis: Any, name: str, unit: tuple[float, float, float]) -> None:
    names = osim.ArrayStr()
    names.append(name)
    axis.setCoordinateNames(names)
    axis.setAxis(osim.Vec3(*unit))
    axis.set_function(osim.LinearFunction(1.0, 0.0))


def _hold(axis: Any, unit: tuple[float, float, float]) -> None:
    axis.setAxis(osim.Vec3(*unit))
    axis.set_function(osim.Constant(0.0))


def _muscle(
    model: Any,
    name: str,
    force: float,
    fiber: float,
    pennation: float,
    points: tuple[tuple[str, float, float, float], ...],
    side: str,
    mirror: float,
) -> None:
    muscle = osim.Millard2012EquilibriumMuscle(name, force, fiber, 0.1, pennation)
    for k, (body, x, y, z) in enumerate(points):
        frame = model.getBodySet().get(body if body == "pelvis" else f"{body}_{side}")
        muscle.addNewPathPoint(f"{name}_{k}", frame, osim.Vec3(x, y, mirror * z))
    model.addForce(muscle)


def _set_slack_lengths(model: Any) -> None:
    """Fibres at their optimum in the upright pose."""
    state = model.initSystem()
    model.realizePosition(state)
    for name, _, fiber, pennation, _ in MUSCLES:
        for side in "rl":
            muscle = model.getMuscles().get(f"{name}_{side}")
            along = fiber * float(osim.Vec3(1)[0]) * (1 - pennation**2 / 2)
            muscle.setTendonSlackLength(max(muscle.getLength(state) - along, 0.005))
