"""Residual reduction of a captured stride, and variants of it."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..motion.limb_geometry import UP
from ..vocabulary import SIDES, Array, BoolArray, Side
from . import consistency, tasks
from .fit import Block, Change, Fitted, fit
from .geometry import clearances, projection_angle
from .mechanics import BodyState, body_state
from .problem import Problem, bare
from .runner import Runner
from .stride import PeriodicStride
from .trunk import upright_trunk
from .variants import Variant, step_width, targets_of

REDUCTION_STEPS = 12
FORCE_RULE, MOMENT_RULE = 0.05, 0.01
"""Hicks et al. 2015 (doi:10.1115/1.4029304): of the peak force, and of that times the height
of the mass centre."""


@dataclass(frozen=True)
class Residual:
    """Pelvis residuals of a stride, largest over its frames.

    Attributes
    ----------
    force, moment : float, N and N·m
    force_share, moment_share : of the peak ground force, and of that times the height
    """

    force: float
    moment: float
    force_share: float
    moment_share: float

    @property
    def kept(self) -> bool:
        """Whether the 5 % and 1 % rule is kept."""
        return self.force_share <= FORCE_RULE and self.moment_share <= MOMENT_RULE


@dataclass(frozen=True)
class Reduced:
    """A captured stride after residual reduction.

    Attributes
    ----------
    problem : Problem of the reduced stride: what variants are measured from
    before, after : Residual
    moved : mapping of coordinate to its largest change, rad or m (the trunk's included
        where no marker told it)
    """

    problem: Problem
    before: Residual
    after: Residual
    moved: dict[str, float]
    iterations: int
    seconds: float


@dataclass(frozen=True)
class Simulated:
    """A changed stride.

    Attributes
    ----------
    variant : Variant
    stride : PeriodicStride with the changed motion and ground reaction
    ground : consistency.Ground
    force_change, moment_change : float, N and N·m, largest change of the pelvis residual
    uncorrected : float, N·m, the same moment without the corrections of the ground reaction
    pressure_correction, free_moment : float, m and N·m, largest
    slide, sink : float, m, largest of a standing foot against its intended place
    clearance : float, m, least distance between the legs' axes; base_clearance before
    over_limit : float, rad, worst violation of a joint limit
    projection : per side, rad, change of the projection angle at mid-stance
    width : float, m, change of the signed step width
    costs, iterations, step, seconds : of the fit
    """

    variant: Variant
    stride: PeriodicStride
    ground: consistency.Ground
    change: Change
    force_change: float
    moment_change: float
    uncorrected: float
    pressure_correction: float
    free_moment: float
    slide: float
    sink: float
    clearance: float
    base_clearance: float
    over_limit: float
    projection: dict[Side, float]
    width: float
    costs: dict[str, float]
    iterations: int
    step: float
    seconds: float


def reduce(runner: Runner, stride: PeriodicStride, informed: BoolArray) -> Reduced:
    """Make a captured stride and its ground reaction agree.

    Parameters
    ----------
    informed : (all coordinates,) bool, told by markers
    """
    begin = clock.perf_counter()
    upright = upright_trunk(runner, stride, informed)
    p = Problem.of(runner, upright)
    told = informed[p.free]

    def wishes(change: Change) -> Sequence[Block]:
        state = _state(p, change)
        return [
            *tasks.reduction_blocks(p, told, state, change),
            *consistency.reduction_rows(p, state, change),
        ]

    found = fit(p.basis, len(p.free), wishes, REDUCTION_STEPS)
    reduced = p.moved(found.change)
    captured = Problem.of(runner, stride)
    after = Problem.of(runner, reduced)
    difference = np.abs(reduced.q - stride.q).max(axis=0)
    return Reduced(
        after,
        residual_of(captured),
        residual_of(after),
        {n: float(v) for n, v in zip(stride.coordinates, difference, strict=True) if v > 0.0},
        found.iterations,
        clock.perf_counter() - begin,
    )


def residual_of(p: Problem) -> Residual:
    """Pelvis residuals of a stride with its own ground reaction."""
    nothing = np.zeros((p.stride.frames, len(p.free)))
    force, moment = consistency.pelvis_residual(p, (nothing, nothing, nothing), None)
    peak = float(np.linalg.norm(p.stride.force.sum(axis=1), axis=1).max())
    height = _height(p)
    f, m = _largest(force), _largest(moment)
    return Residual(f, m, f / peak, m / (peak * height))


def simulate_variant(p: Problem, v: Variant, knee_give: float = 1.0) -> Simulated:
    """Fit a variant to a (residual-reduced) stride.

    Parameters
    ----------
    p : Problem of the stride
    v : Variant
    knee_give : float, factor on the σ of knee adduction: 2 is a knee twice as compliant
    """
    begin = clock.perf_counter()
    targets = replace(targets_of(p, v), knee_give=knee_give)

    def wishes(change: Change) -> Sequence[Block]:
        state = _state(p, change)
        return [
            *tasks.task_blocks(p, targets, state, change),
            *consistency.difference_rows(p, state, change),
        ]

    found = fit(p.basis, len(p.free), wishes)
    return _describe(p, v, targets, found, clock.perf_counter() - begin)


def _describe(
    p: Problem, v: Variant, targets: tasks.Targets, found: Fitted, seconds: float
) -> Simulated:
    state = _state(p, found.change)
    ground = consistency.changed_ground(p, state, found.change)
    plain = consistency.without_corrections(p, state, found.change)
    nothing = np.zeros_like(found.change[0])
    before = consistency.pelvis_residual(p, (nothing, nothing, nothing), None)
    after = consistency.pelvis_residual(p, found.change, ground)
    raw = consistency.pelvis_residual(p, found.change, plain)
    slide, sink = _footing(p, targets, state)
    middle = {
        s: p.stride.at(
            projection_angle(state, leg)[0] - projection_angle(p.base, leg)[0],
            p.stride.mid_stance(s),
        )
        for s, leg in p.legs.items()
    }
    moved = p.moved(found.change)
    stride = replace(moved, force=ground.force, point=ground.point, torque=ground.torque)
    return Simulated(
        v,
        stride,
        ground,
        found.change,
        _largest(after[0] - before[0]),
        _largest(after[1] - before[1]),
        _largest(raw[1] - before[1]),
        float(np.abs(ground.pressure_shift).max()),
        float(np.abs(ground.free_moment).max()),
        slide,
        sink,
        float(clearances(state, p.legs["r"], p.legs["l"], False)[0].min()),
        float(clearances(p.base, p.legs["r"], p.legs["l"], False)[0].min()),
        _over_limit(p, found.change[0]),
        {s: float(x) for s, x in middle.items()},
        step_width(p, stride.q) - step_width(p),
        found.costs,
        found.iterations,
        found.step,
        seconds,
    )


def _state(p: Problem, change: Change) -> BodyState:
    return body_state(p.runner.body, p.stride.q + p.full(change)[0], p.free)


def _height(p: Problem) -> float:
    """Height of the mass centre over the ground, m."""
    floor = [
        float(p.base.point(*leg.heel)[p.stride.stance(s), 1].min()) for s, leg in p.legs.items()
    ]
    return float(p.base.com[:, 1].mean()) - min(floor)


def _largest(vectors: Array) -> float:
    return float(np.linalg.norm(vectors, axis=1).max())


def _footing(p: Problem, targets: tasks.Targets, state: BodyState) -> tuple[float, float]:
    """Largest slide along the ground and largest sinking of a standing foot, m."""
    slide = sink = 0.0
    for side in SIDES:
        leg, stands = p.legs[side], p.stride.stance(side)
        off = state.point(*leg.middle) - p.base.point(*leg.middle)
        off = (off - targets.foot[side] * leg.medial)[stands]
        level = off - np.outer(off @ UP, UP)
        slide = max(slide, float(np.linalg.norm(level, axis=1).max()))
        sink = max(sink, float(-off[:, 1].min()))
    return slide, max(sink, 0.0)


def _over_limit(p: Problem, change: Array) -> float:
    base = p.stride.q[:, p.free]
    turning = [i for i, n in enumerate(p.names) if bare(n)[:8] != "pelvis_t" or n[-1] == "t"]
    lower = np.minimum(p.runner.body.lower[p.free], base)
    upper = np.maximum(p.runner.body.upper[p.free], base)
    over = np.maximum(base + change - upper, lower - base - change)[:, turning]
    return max(float(over.max()), 0.0)
