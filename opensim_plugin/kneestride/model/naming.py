"""Names that a gait model has to carry, and the joints found by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import ModelError
from ..vocabulary import SIDES, Side
from .osim import joint_child_body

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


def joint_moving(model: Any, body: str) -> Any:
    """The joint whose child is `body`; `ModelError` when there is none."""
    for joint in model.updJointSet():
        if joint_child_body(joint) == body:
            return joint
    raise ModelError(
        expected=f"a joint that moves {body}",
        found=f"none in {model.getName()}",
        todo=f"pass a model whose {body} hangs on a joint",
        available=[joint.getName() for joint in model.getJointSet()],
    )


def flexion_joint(model: Any, side: Side) -> Any:
    """The joint that flexes the knee; `ModelError` unless it has one coordinate."""
    joint = joint_moving(model, f"tibia_{side}")
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
