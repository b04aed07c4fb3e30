"""Dataclasses that pass between the modules of `loads` and to `results`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..vocabulary import Array, BoolArray


@dataclass(frozen=True)
class GroundReaction:
    """Ground reaction per foot, one row per captured (marker) frame.

    Attributes
    ----------
    time : (T,) s
    force : (T, 2, 3) N on the foot, ground frame; side axis as `SIDES`; zero out of contact
    point : (T, 2, 3) m, centre of pressure; at the foot when out of contact (finite)
    torque : (T, 2, 3) N·m, free moment about the point
    contact : (T, 2) bool
    masked : (T, 2) bool
        Frames whose force on that foot is unmeasured or not to be trusted; loads
        there are NaN and the share is reported.
    predicted : bool
    notes : tuple of str
    """

    time: Array
    force: Array
    point: Array
    torque: Array
    contact: BoolArray
    masked: BoolArray
    predicted: bool = False
    notes: tuple[str, ...] = ()

    def window(self, start: int, stop: int) -> GroundReaction:
        """Frames start to stop (exclusive), not copied."""
        cut = slice(start, stop)
        return replace(
            self,
            time=self.time[cut],
            force=self.force[cut],
            point=self.point[cut],
            torque=self.torque[cut],
            contact=self.contact[cut],
            masked=self.masked[cut],
        )

    def every(self, step: int) -> GroundReaction:
        """One frame of every `step`, beginning with the first."""
        thin = {
            name: getattr(self, name)[::step]
            for name in ("time", "force", "point", "torque", "contact", "masked")
        }
        return replace(self, **thin)


@dataclass(frozen=True)
class MuscleForces:
    """Recruitment result.

    Attributes
    ----------
    time : (T,) s
    muscles : tuple of str, length M
    activation : (T, M) 0 to 1
    force : (T, M) N, tendon force
    reserves : tuple of str, length R (coordinate names)
    reserve_moment : (T, R) N·m
    saturated : (T, M) bool, activation at its upper bound
    equality_residual : (T,) largest violation of an equality row, N·m or N
    fallback : (T,) bool, frames solved by the active-set fallback
    """

    time: Array
    muscles: tuple[str, ...]
    activation: Array
    force: Array
    reserves: tuple[str, ...]
    reserve_moment: Array
    saturated: BoolArray
    equality_residual: Array
    fallback: BoolArray


@dataclass(frozen=True)
class KneeLoads:
    """Knee loads of both legs; NaN where masked or unmeasured.

    Attributes
    ----------
    time : (T,) s
    medial, lateral : (T, 2) N, compartment compression, >= 0
    total : (T, 2) N, medial + lateral = axial tibiofemoral compression
    adduction_moment : (T, 2) N·m, external, adduction positive on both sides
    flexion_moment : (T, 2) N·m, external, flexion positive
    patellofemoral : (T, 2) N
    collateral_medial, collateral_lateral : (T, 2) N, ligament tension
    split_medial, split_lateral : (T, 2) N
        Classical split of the joint reaction after recruitment (cross-check).
    """

    time: Array
    medial: Array
    lateral: Array
    total: Array
    adduction_moment: Array
    flexion_moment: Array
    patellofemoral: Array
    collateral_medial: Array
    collateral_lateral: Array
    split_medial: Array
    split_lateral: Array


@dataclass(frozen=True)
class Check:
    """One self-check: name, 'pass', 'look' or 'fail', value, limit and a sentence."""

    name: str
    verdict: str
    value: float
    limit: float
    sentence: str
    detail: dict[str, float] = field(default_factory=dict)
