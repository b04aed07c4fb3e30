"""Samples of a stride's knee loads under everything that is not known exactly.

`loads.uncertainty` carries each source to first order. Here all sources are drawn at once
and the stride is recruited anew for each draw, so that a compartment that lifts off, a
muscle at its limit and sources that act together count in full. Nothing before recruitment
is computed again: each source acts on arrays that the problem holds already,

    strength             capacity of every muscle, in proportion
    contact spacing      levers of both contact points about their middle
    knee centre          both levers, medially
    centre of pressure   required adduction moment, by the vertical force
    alignment            the same, by h = thigh shank / (thigh + shank) a radian
    ground force         required wrench and joint moments, in proportion
    criterion            w of the knee-aware criterion, between a third and three times

as `loads.sensitivities` defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SettingsError
from ..vocabulary import Array
from ..workers import each, limited_to
from .knee_balance import ADDUCTION_SIGN
from .recruitment import RecruitmentProblem, RecruitmentSettings, recruit
from .sensitivities import Source

CRITERION_SPREAD = np.log(3.0)
"""Half the range of log w."""


@dataclass(frozen=True)
class StrideSamples:
    """Loads of one stretch of frames, sampled.

    Attributes
    ----------
    time : (T,) s
    medial, lateral : (S, T, 2) N, side axis as `SIDES`; NaN where a frame found no balance
    drawn : mapping of source to (S,) shift in its unit ('criterion': factor on w)
    """

    time: Array
    medial: Array
    lateral: Array
    drawn: dict[str, Array]

    def peaks(self) -> Array:
        """Largest medial, lateral and total force of every sample, (S, 2, 3) N."""
        both = np.stack([self.medial, self.lateral, self.medial + self.lateral], axis=-1)
        return np.asarray(np.nanmax(both, axis=1))


def sample_stride(
    problem: RecruitmentProblem,
    settings: RecruitmentSettings,
    vertical: Array,
    leg: Array,
    sources: Sequence[Source],
    samples: int = 200,
    seed: int = 0,
    criterion: bool = True,
) -> StrideSamples:
    """Draw all sources together and recruit every draw.

    Parameters
    ----------
    problem : RecruitmentProblem of the frames (`problem.window` of a stride)
    settings : RecruitmentSettings
    vertical : (T, 2) N, vertical ground force on each foot
    leg : (2, 2) m, length of thigh and shank of each side
    sources : of `loads.sensitivities.default_sources`; normal, independent
    samples, seed : the same seed draws the same shifts
    criterion : bool, draw w too (log-uniform) where the criterion has one

    Raises
    ------
    SettingsError
        No sample asked for, or a source that this function does not know.
    """
    known: tuple[str, ...] = (
        "strength", "contact_spacing", "knee_center", "center_of_pressure", "alignment",
        "ground_force",
    )  # fmt: skip
    strange = [s.name for s in sources if s.name not in known]
    if samples < 1 or strange:
        raise SettingsError(
            "at least one sample of sources that recruitment meets",
            f"{samples} samples" if samples < 1 else ", ".join(strange),
            "leave the others to `uncertainty.propagate`",
            known,
        )
    rng = np.random.default_rng(seed)
    drawn = {s.name: s.sigma * rng.standard_normal(samples) for s in sources}
    if criterion and settings.criterion == "knee_aware":
        drawn["criterion"] = np.exp(rng.uniform(-CRITERION_SPREAD, CRITERION_SPREAD, samples))
    lever = leg.prod(axis=1) / leg.sum(axis=1)

    def one(k: int) -> tuple[Array, Array]:
        shift = {name: float(values[k]) for name, values in drawn.items()}
        weight = settings.knee_weight * shift.get("criterion", 1.0)
        with limited_to(1):
            found = recruit(
                _shifted(problem, shift, vertical, lever), replace(settings, knee_weight=weight)
            )
        return found.medial, found.lateral

    found = each(one, list(range(samples)))
    medial, lateral = (np.stack([f[i] for f in found]) for i in range(2))
    return StrideSamples(problem.time, medial, lateral, drawn)


def _shifted(
    problem: RecruitmentProblem, shift: dict[str, float], vertical: Array, lever: Array
) -> RecruitmentProblem:
    able, balance = problem.capacity, problem.balance
    force = 1.0 + shift.get("ground_force", 0.0)
    # External moments that the shifts add push into adduction; what is required resists.
    added = vertical * (
        shift.get("center_of_pressure", 0.0) + lever * shift.get("alignment", 0.0)
    )
    required = balance.required * force
    required[:, :, 3] -= ADDUCTION_SIGN * added
    middle = balance.lever.mean(axis=1, keepdims=True)
    spacing = np.abs(balance.lever[:, :1] - balance.lever[:, 1:])
    stretched = 1.0 + shift.get("contact_spacing", 0.0) / spacing
    # Medially is where the lever resists adduction: negative on both sides.
    levers = middle + (balance.lever - middle) * stretched - shift.get("knee_center", 0.0)
    strength = max(1.0 + shift.get("strength", 0.0), 0.05)
    return replace(
        problem,
        moments=problem.moments * force,
        capacity=replace(able, active=able.active * strength, passive=able.passive * strength),
        balance=replace(balance, required=required, lever=levers),
    )
