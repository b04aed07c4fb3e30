"""The knee as a free body: what muscles, cartilage and ligaments must carry together.

Cut the leg at the knee. Tibia, talus, calcaneus and toes are held by everything that
crosses the cut, so that

    required wrench = inertia − gravity − ground reaction        (of the distal segments)
                    = Σ tension · muscle wrench + contact + Σ tension · collateral wrench

about the knee joint centre, in the tibia frame (X anterior, Y proximal, Z right). Two of
its six components matter here:

axial      −required_y = A − Σ T m_y − Σ C c_y          A = medial + lateral compression
frontal    required_add = Σ T m_add + Σ C c_add + lever_med F_med + lever_lat F_lat

where `add` is the moment about X, turned so that adduction is positive on both sides. A
compression F at a point z to the right of the centre pushes the tibia down, −F along Y, and
so has the moment +F z about X: the medial compartment resists adduction (negative lever),
the lateral one abduction. Shear forces pass through the joint centre and axial rotation is
left to cartilage and ligaments, as in Lerner et al. 2015
(doi:10.1016/j.jbiomech.2014.12.043).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..model.knee import Collateral, KneeGeometry
from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side

ADDUCTION_SIGN: Array = np.array([-MEDIAL_SIGN[side] for side in SIDES])
"""Turns a moment about tibia X into an adduction moment: +1 right, −1 left."""

UNMEASURED_OPENING = np.deg2rad(3.0)
"""Frontal opening that markers may miss: the bound of the knee adduction coordinate in the
kinematics, which is soft. A collateral may carry what its curve gives at that much more."""

LEAST_LIMIT = 1.0
"""Smallest tension limit of a collateral, N, so that its bounds never coincide."""


@dataclass(frozen=True)
class KneeBalance:
    """What both knees have to carry, over T frames; side axis as `SIDES`.

    Attributes
    ----------
    required : (T, 2, 6) force N and moment N·m that everything above the cut exerts on the
        tibia, about the knee joint centre, in the tibia frame
    lever : (2, 2) m, adduction moment per newton of compression; columns medial, lateral
    collateral : (T, 2, 2, 6) wrench on the tibia per newton of tension of the medial and
        lateral collateral
    collateral_limit : (T, 2, 2) N, largest tension
    collateral_strain : (T, 2, 2), from the kinematics as they are
    """

    required: Array
    lever: Array
    collateral: Array
    collateral_limit: Array
    collateral_strain: Array

    @property
    def required_adduction(self) -> Array:
        """Required adduction moment (T, 2) N·m."""
        moment: Array = self.required[:, :, 3] * ADDUCTION_SIGN
        return moment

    def window(self, start: int, stop: int) -> KneeBalance:
        """Frames start to stop (exclusive), not copied."""
        cut = slice(start, stop)
        return KneeBalance(
            self.required[cut],
            self.lever,
            self.collateral[cut],
            self.collateral_limit[cut],
            self.collateral_strain[cut],
        )


def intersegmental_wrench(wrench: Array, rotation: Array, center: Array) -> Array:
    """Wrench on a body, given about its origin in ground, moved to a point and its own frame.

    Parameters
    ----------
    wrench : (T, 6) force and moment about the body's origin, ground frame, as one body's
        share of `model.multibody.Dynamics.wrench`
    rotation : (T, 3, 3) the body's axes in ground, as columns
    center : (3,) m, the point in the body's frame

    Returns
    -------
    (T, 6) force and moment about the point, body frame
    """
    force = np.einsum("tji,tj->ti", rotation, wrench[:, :3])
    moment = np.einsum("tji,tj->ti", rotation, wrench[:, 3:])
    return np.hstack([force, moment - np.cross(center, force)])


def collateral_tension(ligament: Collateral, strain: Array) -> Array:
    """Tension of a ligament, N: quadratic toe, then linear (Blankevoort & Huiskes 1991).

    Parameters
    ----------
    ligament : Collateral
    strain : array, relative to the slack length
    """
    toe = ligament.transition_strain
    taut = np.maximum(strain, 0.0)
    tension: Array = ligament.stiffness * np.where(
        taut < toe, taut**2 / (2 * toe), taut - toe / 2
    )
    return tension


def knee_balance(
    knees: Mapping[Side, KneeGeometry],
    required: Array,
    tibia: tuple[Array, Array],
    femur: tuple[Array, Array],
) -> KneeBalance:
    """Collect the balance of both knees.

    Parameters
    ----------
    knees : of `model.knee.read_knee`
    required : (T, 2, 6), see `KneeBalance`
    tibia, femur : rotation (T, 2, 3, 3) and position (T, 2, 3) m of the bones in ground
    """
    T = len(required)
    lever = np.empty((2, 2))
    wrench = np.empty((T, 2, 2, 6))
    limit, strain = np.empty((T, 2, 2)), np.empty((T, 2, 2))
    for s, side in enumerate(SIDES):
        knee = knees[side]
        points = (knee.medial_compartment, knee.lateral_compartment)
        for k, point in enumerate(points):
            lever[s, k] = ADDUCTION_SIGN[s] * (point - knee.joint_center)[2]
        for k, ligament in enumerate((knee.medial_collateral, knee.lateral_collateral)):
            (tibia_R, tibia_p), (femur_R, femur_p) = tibia, femur
            above = femur_p[:, s] + femur_R[:, s] @ ligament.femur_point
            line = np.einsum("tji,tj->ti", tibia_R[:, s], above - tibia_p[:, s])
            line -= ligament.tibia_point
            length = np.linalg.norm(line, axis=1)
            pull = line / length[:, None]
            arm = np.cross(ligament.tibia_point - knee.joint_center, pull)
            wrench[:, s, k] = np.hstack([pull, arm])
            strain[:, s, k] = length / ligament.slack_length - 1.0
            missed = UNMEASURED_OPENING * np.abs(arm[:, 0]) / ligament.slack_length
            limit[:, s, k] = np.maximum(
                collateral_tension(ligament, strain[:, s, k] + missed), LEAST_LIMIT
            )
    return KneeBalance(required, lever, wrench, limit, strain)
