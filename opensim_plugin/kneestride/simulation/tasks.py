"""What the changed stride is asked to do, and what it should leave alone.

Figures are σ of one frame, from methods.md "Simulated strides" where it gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..vocabulary import MEDIAL_SIGN, SIDES, Array, BoolArray, Side
from .fit import Block, Change, Diagonal, Rows
from .geometry import (
    clearances,
    knee_displacement,
    knee_over_toe,
    projection_angle,
    rotation_vector,
)
from .mechanics import BodyState
from .problem import Problem, bare

DEG = np.pi / 180.0
FOOT_POINT = 0.0005
FOOT_ANGLES = np.array([2.0, 0.25, 1.5]) * DEG
"""Inversion, turning out, pitch of the standing foot, about its own axes."""
SWING_POINT = np.array([0.03, 0.012, 0.03])
SWING_ANGLES = np.array([10.0, 10.0, 10.0]) * DEG
PROJECTION = 0.2 * DEG
DISPLACEMENT, OVER_TOE = 0.0015, 0.02
PELVIS_PLACE, PELVIS_TURN = (0.008, 0.006, 0.05), 1.5 * DEG
TORSO = 1.0 * DEG
POSTURE_DEG = {
    "hip_flexion": 8.0, "hip_adduction": 8.0, "hip_rotation": 8.0, "knee_angle": 6.0,
    "knee_adduction": 1.5, "knee_rotation": 5.0, "ankle_angle": 6.0, "subtalar_angle": 5.0,
    "lumbar_extension": 3.0, "lumbar_bending": 3.0, "lumbar_rotation": 3.0,
    "arm_flex": 3.0, "arm_add": 3.0, "arm_rot": 3.0, "elbow_flex": 3.0,
}  # fmt: skip
HELD_KNEE_DEG = 0.7
REDUCTION_DEG, UNSEEN_DEG = 2.0, 15.0
REDUCTION_PELVIS = (0.010, 0.010, 0.010)
REDUCTION_FOOT = 0.002
"""Residual reduction: what markers inform moves by the errors of marker-based motion, what
they do not (trunk and arms of a lower-body marker set) by whatever the balance asks."""
ACCELERATION, PELVIS_ACCELERATION = 80.0, 8.0
"""rad/s² and m/s²."""
TOLD_ACCELERATION, UNSEEN_ACCELERATION = 40.0, 200.0
"""rad/s², of residual reduction: what markers told stays as quiet as they told."""
WITHIN_DEG = {"knee_adduction": 3.0, "knee_rotation": 12.0}
LIMIT = 0.2 * DEG
CLEARANCE, CLEARANCE_SIGMA = 0.060, 0.0003


def bell(share: Array) -> Array:
    """Course of a dose over stance: 0.35 at its ends, 1 in its middle; 0 in swing.

    A plateau would ask for a jump at both ends.
    """
    out = 0.35 + 0.65 * np.sin(np.pi * np.nan_to_num(share)) ** 2
    return np.where(np.isnan(share), 0.0, out)


@dataclass(frozen=True)
class Targets:
    """What is asked of a stride; everything is a change from the stride at hand.

    Attributes
    ----------
    projection : per side, rad at mid-stance, medial positive; None leaves the angle free
    displacement : per side, m at mid-stance, medial knee displacement instead of the angle
    over_toe : per side, m at mid-stance, patella against toes, a weak wish
    foot : per side, m, medially positive, of the standing foot
    eversion : per side, rad at mid-stance, of the standing foot
    hold_knee_flexion : bool
    knee_give : float, factor on σ of knee adduction
    """

    projection: Mapping[Side, float | None] = field(
        default_factory=lambda: dict.fromkeys(SIDES, 0.0)
    )
    displacement: Mapping[Side, float | None] = field(
        default_factory=lambda: dict.fromkeys(SIDES, None)
    )
    over_toe: Mapping[Side, float | None] = field(
        default_factory=lambda: dict.fromkeys(SIDES, None)
    )
    foot: Mapping[Side, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    eversion: Mapping[Side, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    hold_knee_flexion: bool = False
    knee_give: float = 1.0


def task_blocks(p: Problem, targets: Targets, state: BodyState, change: Change) -> list[Block]:
    """Everything but the laws of motion, for a change of posture."""
    blocks: list[Block] = []
    for side in SIDES:
        blocks += _foot(p, targets, state, side, 1.0)
        blocks += _knee(p, targets, state, side)
    rough = np.full(len(p.names), ACCELERATION)
    sigma = _posture_sigma(p, targets)
    blocks += _posture(p, change, sigma, rough, PELVIS_PLACE, PELVIS_TURN)
    blocks.append(_torso(p, state))
    blocks += _limits(p, change, WITHIN_DEG)
    blocks.append(_clear(p, state))
    return blocks


def reduction_blocks(
    p: Problem, informed: BoolArray, state: BodyState, change: Change
) -> list[Block]:
    """What residual reduction should leave as captured; `informed` (N,) by markers."""
    sigma = np.where(informed, REDUCTION_DEG, UNSEEN_DEG) * DEG
    blocks: list[Block] = []
    for side in SIDES:
        blocks += _foot(p, Targets(), state, side, REDUCTION_FOOT / FOOT_POINT)
    rough = np.where(informed, TOLD_ACCELERATION, UNSEEN_ACCELERATION)
    blocks += _posture(p, change, sigma, rough, REDUCTION_PELVIS, REDUCTION_DEG * DEG)
    blocks += _limits(p, change, {})
    blocks.append(_clear(p, state))
    return blocks


def _posture_sigma(p: Problem, targets: Targets) -> Array:
    table = dict(POSTURE_DEG)
    if targets.hold_knee_flexion:
        table["knee_angle"] = HELD_KNEE_DEG
    table["knee_adduction"] *= targets.knee_give
    return np.array([table.get(bare(n), 3.0) for n in p.names]) * DEG


def _posture(
    p: Problem,
    change: Change,
    sigma: Array,
    rough: Array,
    place: tuple[float, float, float],
    turn: float,
) -> list[Block]:
    sigma, rough = sigma.copy(), rough.copy()
    for i, name in enumerate(p.names):
        if name.startswith("pelvis_t") and name[-1] in "xyz" and name != "pelvis_tilt":
            sigma[i] = place["xyz".index(name[-1])]
            rough[i] = PELVIS_ACCELERATION
        elif name.startswith("pelvis_"):
            sigma[i] = turn
    ones = np.ones_like(change[0])
    return [
        Diagonal("posture", 0, change[0], ones / sigma),
        Diagonal("acceleration", 2, change[2], ones / rough),
    ]


def _turned(p: Problem, state: BodyState, body: int) -> Array:
    """(T, 3) rad: turn of a body since the base stride, in its own base axes."""
    before = p.base.rotation[:, body]
    vector = rotation_vector(state.rotation[:, body] @ before.transpose(0, 2, 1))
    out: Array = np.einsum("tji,tj->ti", before, vector)
    return out


def _turning(p: Problem, state: BodyState, body: int) -> Array:
    before = p.base.rotation[:, body].transpose(0, 2, 1)
    out: Array = before @ state.turning[:, body]
    return out


def _foot(
    p: Problem, targets: Targets, state: BodyState, side: Side, loose: float
) -> list[Block]:
    leg = p.legs[side]
    share = p.stride.stance_phase(side)
    stands = np.isfinite(share)[:, None]
    body, station = leg.middle
    moved = state.point(body, station) - p.base.point(body, station)
    moved = moved - targets.foot[side] * leg.medial
    place = np.where(stands, 1.0 / (loose * FOOT_POINT), 1.0 / SWING_POINT)
    turned = _turned(p, state, body)
    # Inversion turns about the foot's forward axis, to the right on the right foot.
    inward = -MEDIAL_SIGN[side] * np.array([1.0, 0.0, 0.0])
    turned = turned + targets.eversion[side] * bell(share)[:, None] * inward
    angles = np.where(stands, 1.0 / FOOT_ANGLES, 1.0 / SWING_ANGLES)
    return [
        Rows(
            f"foot place {side}", moved, place,
            state.point_jacobian(body, station),
        ),
        Rows(
            f"foot angles {side}", turned, angles,
            _turning(p, state, body),
        ),
    ]  # fmt: skip


def _knee(p: Problem, targets: Targets, state: BodyState, side: Side) -> list[Block]:
    leg = p.legs[side]
    share = p.stride.stance_phase(side)
    stands = np.isfinite(share).astype(float)[:, None]
    blocks: list[Block] = []
    wishes = (
        ("projection angle", targets.projection[side], projection_angle, PROJECTION),
        ("knee displacement", targets.displacement[side], knee_displacement, DISPLACEMENT),
        ("knee over toe", targets.over_toe[side], knee_over_toe, OVER_TOE),
    )
    for name, target, measure, sigma in wishes:
        if target is None:
            continue
        now, slope = measure(state, leg)
        residual = now - measure(p.base, leg)[0] - target * bell(share)
        blocks.append(
            Rows(
                f"{name} {side}", residual[:, None], stands / sigma,
                slope[:, None],
            )
        )  # fmt: skip
    return blocks


def _torso(p: Problem, state: BodyState) -> Block:
    body = p.legs["r"].torso
    turned = _turned(p, state, body)
    slope = _turning(p, state, body)
    return Rows("torso", turned, np.full_like(turned, 1.0 / TORSO), slope)


def _limits(p: Problem, change: Change, within: Mapping[str, float]) -> list[Block]:
    """One-sided: nothing is asked inside the range, much outside it."""
    model, base = p.runner.body, p.stride.q[:, p.free]
    lower = np.minimum(model.lower[p.free], base) - base
    upper = np.maximum(model.upper[p.free], base) - base
    for i, name in enumerate(p.names):
        if bare(name) in within:
            reach = within[bare(name)] * DEG
            lower[:, i] = np.maximum(lower[:, i], -reach)
            upper[:, i] = np.minimum(upper[:, i], reach)
    over = np.maximum(change[0] - upper, 0.0) + np.minimum(change[0] - lower, 0.0)
    turning = np.array([not n.startswith("pelvis_t") or n == "pelvis_tilt" for n in p.names])
    weight = np.where((np.abs(over) > 0.0) & turning, 1.0 / LIMIT, 0.0)
    return [Diagonal("joint limits", 0, over, weight)]


def _clear(p: Problem, state: BodyState) -> Block:
    """The legs do not come nearer than `CLEARANCE`, or than they were captured."""
    least = np.minimum(CLEARANCE, clearances(p.base, p.legs["r"], p.legs["l"], False)[0])
    now, slope = clearances(state, p.legs["r"], p.legs["l"], True)
    short = np.minimum(now - least, 0.0)
    weight = np.where(short < 0.0, 1.0 / CLEARANCE_SIGMA, 0.0)
    return Rows("clearance", short, weight, slope)
