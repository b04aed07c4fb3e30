"""Knee loads of both legs, from recruited muscles and the knee's balance.

The compartments are unknowns of the recruitment, so their sum is the axial contact force
by construction. Beside them stands the *classical split*, taken after the fact from the
joint reaction

    R = required wrench − Σ tension · muscle wrench      (on the tibia, about the joint centre)

which is the number OpenSim's JointReaction reports (moved from the joint's child frame to
the compartments' centre: that offset alone is worth a tenth of R²). Axial compression −R_y
and adduction moment R_add are shared so that they balance,

    F_med + F_lat = −R_y,     lever_med F_med + lever_lat F_lat = R_add,

which for compartments at ± d/2 is −R_y/2 ∓ R_add/d. Unlike the compartments it may turn
negative: it does not know that cartilage only pushes nor that collaterals pull, and is
reported as a cross-check.

External moments are those of ground reaction, gravity and inertia of the distal segments
about the knee joint centre, in the tibia frame: the required wrench with its sign turned.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import ModelError
from ..model.knee import KneeGeometry
from ..model.multibody import Dynamics, Multibody
from ..model.paths import MusclePaths
from ..vocabulary import SIDES, Array, BoolArray, Side
from .knee_balance import ADDUCTION_SIGN, KneeBalance, intersegmental_wrench, knee_balance
from .patellofemoral import patellofemoral_force
from .recruitment import Recruited
from .types import KneeLoads


def balance_of(
    multibody: Multibody, dynamics: Dynamics, knees: Mapping[Side, KneeGeometry]
) -> KneeBalance:
    """What both knees must carry in a motion.

    Parameters
    ----------
    multibody : Multibody of the model with the knee
    dynamics : of `multibody.inverse_dynamics`, ground reaction included
    knees : of `model.knee.read_knee` on the same model
    """
    tibia = [multibody.body(knees[side].tibia) for side in SIDES]
    femur = [multibody.body(knees[side].femur) for side in SIDES]
    required = np.stack(
        [
            intersegmental_wrench(
                dynamics.wrench[:, body],
                dynamics.rotation[:, body],
                knees[side].joint_center,
            )
            for body, side in zip(tibia, SIDES, strict=True)
        ],
        axis=1,
    )
    return knee_balance(
        knees,
        required,
        (dynamics.rotation[:, tibia], dynamics.position[:, tibia]),
        (dynamics.rotation[:, femur], dynamics.position[:, femur]),
    )


def joint_reaction(balance: KneeBalance, paths: MusclePaths, force: Array) -> Array:
    """Knee joint reaction on the tibia, about the joint centre, in the tibia frame.

    Parameters
    ----------
    balance : KneeBalance
    paths : MusclePaths
    force : (T, M) N, muscle forces

    Returns
    -------
    (T, 2, 6) N, N·m: contact, ligaments and reserves together
    """
    reaction: Array = balance.required - np.einsum("tm,tmsk->tsk", force, paths.tibia_wrench)
    return reaction


def classical_split(reaction: Array, lever: Array) -> tuple[Array, Array]:
    """Share a joint reaction between two compartments by statics.

    Parameters
    ----------
    reaction : (T, 2, 6) of `joint_reaction`
    lever : (2, 2) m, as `KneeBalance.lever`

    Returns
    -------
    medial, lateral : (T, 2) N, compression positive, negative where statics asks for it
    """
    axial = -reaction[:, :, 1]
    adduction = reaction[:, :, 3] * ADDUCTION_SIGN
    spacing = lever[:, 0] - lever[:, 1]
    medial: Array = (adduction - lever[:, 1] * axial) / spacing
    lateral: Array = axial - medial
    return medial, lateral


def external_moments(balance: KneeBalance) -> tuple[Array, Array]:
    """External knee moments.

    Returns
    -------
    adduction, flexion : (T, 2) N·m, positive into adduction and flexion on both sides
        (about the anterior and the medio-lateral axis of the tibia)
    """
    flexion = balance.required[:, :, 5]
    # Flexion turns the tibia about −Z and external is minus required: the signs cancel.
    return -balance.required_adduction, flexion.copy()


def knee_loads(
    recruited: Recruited,
    balance: KneeBalance,
    paths: MusclePaths,
    masked: BoolArray | None = None,
    flexion: Array | None = None,
) -> KneeLoads:
    """Collect the loads of both knees.

    Parameters
    ----------
    recruited : of `loads.recruitment.recruit`
    balance, paths : that it was computed from
    masked : (T, 2) bool, optional
        Frames whose ground reaction on that foot is not to be trusted: NaN in all columns.
    flexion : (T, 2) rad, optional
        Knee flexion, for the patellofemoral force of models without patella bodies.

    Returns
    -------
    KneeLoads
        Frames whose recruitment found no balance are NaN like masked ones.
    """
    reaction = joint_reaction(balance, paths, recruited.muscles.force)
    split_medial, split_lateral = classical_split(reaction, balance.lever)
    adduction, bending = external_moments(balance)
    hidden = np.zeros(adduction.shape, dtype=bool) if masked is None else masked.copy()
    if hidden.shape != adduction.shape:
        raise ModelError(
            f"a mask of shape {adduction.shape}",
            f"one of shape {hidden.shape}",
            "give one column for each foot and one row for each frame",
        )
    lost = hidden | ~recruited.solved

    def shown(values: Array, hide: BoolArray = lost) -> Array:
        return np.where(hide, np.nan, values)

    return KneeLoads(
        time=recruited.muscles.time,
        medial=shown(recruited.medial),
        lateral=shown(recruited.lateral),
        total=shown(recruited.medial + recruited.lateral),
        adduction_moment=shown(adduction, hidden),
        flexion_moment=shown(bending, hidden),
        patellofemoral=shown(patellofemoral_force(paths, recruited.muscles.force, flexion)),
        collateral_medial=shown(recruited.collateral[:, :, 0]),
        collateral_lateral=shown(recruited.collateral[:, :, 1]),
        split_medial=shown(split_medial),
        split_lateral=shown(split_lateral),
    )
