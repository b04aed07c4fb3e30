"""The reference stride on a body: coordinates, feet, markers and forces over time.

The body is the generic model stretched to the mean proportions of the runners the stride
comes from. It runs on a treadmill: the pelvis stays, the belt carries the stance foot back.
Everything here is arrays and without noise; `motion.reference_capture` makes a recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..capture.landmarks import landmark_table
from ..capture.reference import ReferenceStride, bare_name, side_of
from ..capture.trial import Forces
from ..model.multibody import Multibody, rotation_about_y
from ..model.places import expected_places
from ..vocabulary import GRAVITY, SIDES, Array, Side

TURNED = ("malleolus_lateral", "malleolus_medial")
"""Places on the shank that follow its torsion."""


@dataclass(frozen=True)
class ReferenceBody:
    """A body of the reference runner's size.

    Attributes
    ----------
    body : Multibody, with the runner's mass
    places : mapping of landmark id to body index and place (3,) m
    stretch : (B, 3) scale factors against the generic body
    """

    body: Multibody
    places: Mapping[str, tuple[int, Array]]
    stretch: Array

    def points(self, names: tuple[str, ...], rotation: Array, position: Array) -> Array:
        """Landmarks in ground (T, K, 3) m from body poses."""
        found = [self.places[n] for n in names]
        return np.stack([position[:, b] + rotation[:, b] @ place for b, place in found], axis=1)


def reference_body(reference: ReferenceStride, generic: Multibody) -> ReferenceBody:
    """Stretch the generic model's arrays to the reference runner.

    Parameters
    ----------
    reference : ReferenceStride
    generic : Multibody of the runner model
    """
    scale = np.array([reference.scale[bare_name(n)] for n in generic.bodies])
    torsion = np.array([-reference.torsion, reference.torsion])
    body = generic.scaled(scale).twisted(torsion)
    share = reference.mass / generic.mass
    size = np.cbrt(np.prod(scale, axis=1))
    tree = body.tree._replace(
        mass=generic.tree.mass * share,
        inertia=generic.tree.inertia * (share * size**2)[:, None, None],
    )
    places = {}
    for name, (b, place) in expected_places(generic, landmark_table()).items():
        local = place * scale[b]
        side = side_of(name)
        if side is not None and bare_name(name) in TURNED:
            local = rotation_about_y(float(torsion[SIDES.index(side)])) @ local
        places[name] = (b, local)
    return ReferenceBody(replace(body, tree=tree), places, scale)


def coordinates(reference: ReferenceStride, body: Multibody, phase: Array) -> Array:
    """Coordinates (T, N) rad, m at phases of the stride."""
    return reference.coordinates(body.coordinates, phase)


def standing(reference: ReferenceStride, runner: ReferenceBody) -> Array:
    """Pose (N,) of quiet standing with the soles on the floor."""
    q = np.array([reference.static.get(bare_name(n), 0.0) for n in runner.body.coordinates])
    rotation, position = runner.body.poses(q[None])
    low = runner.points(("metatarsal_2_r", "metatarsal_2_l"), rotation, position)[0, :, 1]
    q[runner.body.coordinate("pelvis_ty")] += reference.sole - float(low.mean())
    return q


@dataclass(frozen=True)
class FlatFoot:
    """The foot on the belt while it is flat.

    Attributes
    ----------
    heel : (3,) m; along, right : (3,) unit vectors on the ground; length : m, heel to toe
    phase : float at which the foot is there
    """

    heel: Array
    along: Array
    right: Array
    length: float
    phase: float


def flat_foot(reference: ReferenceStride, runner: ReferenceBody, side: Side) -> FlatFoot:
    """Where a foot stands on the belt at `reference.flat` of its stance."""
    phase = reference.flat * reference.duty + (0.5 if side == "l" else 0.0)
    rotation, position = runner.body.poses(
        coordinates(reference, runner.body, np.array([phase]))
    )
    heel, toe = runner.points((f"heel_{side}", f"toe_{side}"), rotation, position)[0]
    along = rotation[0, runner.body.body(f"calcn_{side}")][:, 0] * [1.0, 0.0, 1.0]
    along = along / np.linalg.norm(along)
    right = np.array([-along[2], 0.0, along[0]])
    return FlatFoot(heel, along, right, float((toe - heel) @ along), phase)


def ground_forces(
    reference: ReferenceStride, runner: ReferenceBody, time: Array, rate: float, start: float
) -> Forces:
    """Ground reaction of both feet in the laboratory.

    Parameters
    ----------
    time : (S,) s; rate : float, Hz
    start : float, s, time of a right initial contact
    """
    count = len(time)
    force, point, torque = (np.zeros((count, 2, 3)) for _ in range(3))
    phase = (time - start) / reference.stride_s
    weight = reference.mass * GRAVITY
    for s, side in enumerate(SIDES):
        foot = flat_foot(reference, runner, side)
        row = reference.ground_reaction(side, phase)
        force[:, s] = weight * row[:, :3]
        # Since the foot was flat: the belt has carried it on.
        since = np.mod(phase - foot.phase + 0.5, 1.0) - 0.5
        point[:, s] = (
            foot.heel
            + foot.length * (row[:, 3:4] * foot.along + row[:, 4:5] * foot.right)
            + since[:, None] * reference.stride_s * np.array([-reference.speed, 0.0, 0.0])
        )
        point[:, s, 1] = 0.0
        torque[:, s, 1] = weight * reference.height * row[:, 5]
    point[force[:, :, 1] == 0.0] = 0.0
    return Forces(SIDES, time, rate, force, point, torque, feet=SIDES)
