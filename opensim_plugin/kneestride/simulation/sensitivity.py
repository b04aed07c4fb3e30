"""How unsure the loads of a simulated stride are, and what of that a difference keeps.

Original and variant come from the same frames, so most of what is wrong is wrong in both.
Two things are added to the sources that every result carries: strength and recruitment,
recruited again on each stride, and the knee's own stiffness in adduction, the largest
uncertainty of a simulated knee: the variant is fitted again with the knee half and twice as
ready to give way (the captured stride needs no such guess and does not change).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..loads.recruitment import Recruited, RecruitmentProblem, recruit
from ..loads.sensitivities import (
    Source,
    alternatives,
    analytic_sensitivities,
    default_sources,
)
from ..loads.types import KneeLoads
from ..stages import LoadsOfMotion
from ..vocabulary import SIDES, Array, Side
from .problem import Problem
from .runner import Runner

STIFFNESS = (0.5, 2.0)
"""Factors on σ of knee adduction in the two alternative fits."""
STRENGTH = 0.2
Sensitivities = dict[Side, dict[str, dict[str, Array]]]
"""Side, quantity as in the comparison (`medial_N`), source, (T,) per unit of the source."""


def sources_of(predicted: bool) -> tuple[Source, ...]:
    """Sources of a paired difference between a variant and its original."""
    zero = np.zeros(1)
    stiff, _ = alternatives(
        "knee_stiffness", zero, [zero] * len(STIFFNESS),
        what="knee adduction half and twice as compliant",
    )  # fmt: skip
    criterion, _ = alternatives(
        "criterion", zero, [zero] * 3,
        what="recruitment criterion: w = 0.03, w = 0.3 and the plain sum of squares",
    )  # fmt: skip
    return (*default_sources(predicted, "recording"), *stiff, *criterion)


def sensitivities_of(
    p: Problem, runner: Runner, loads: LoadsOfMotion, force: Array, others: Sequence[KneeLoads]
) -> Sensitivities:
    """Sensitivities of the knee's loads over the frames of a repeated stride.

    Parameters
    ----------
    p : Problem, for the lengths of thigh and shank
    loads : LoadsOfMotion
    force : (T, 2, 3) N, ground reaction per foot
    others : KneeLoads with the knee stiffer and softer, in the order of `STIFFNESS`; the
        stride's own where its knee was captured
    """
    again = _recruited_again(loads)
    out: Sensitivities = {}
    for k, side in enumerate(SIDES):
        knee, leg = runner.knees[side], p.legs[side]
        hip, middle, ankle = (p.base.point(*x)[0] for x in (leg.hip, leg.knee, leg.ankle))
        thigh, shank = (float(np.linalg.norm(a)) for a in (hip - middle, middle - ankle))
        spacing = float(np.linalg.norm(knee.medial_compartment - knee.lateral_compartment))
        vertical = force[:, k, 1]
        both = analytic_sensitivities(
            loads.knee.medial[:, k], loads.knee.lateral[:, k], vertical, spacing, thigh, shank
        )
        base = _three(loads.knee.medial[:, k], loads.knee.lateral[:, k])
        runs = {n: _three(r.medial[:, k], r.lateral[:, k]) for n, r in again.items()}
        found = {n: np.column_stack([j, j.sum(axis=1)]) for n, j in both.items()}
        found["strength"] = (runs["stronger"] - runs["weaker"]) / (2.0 * STRENGTH)
        _, steps = alternatives(
            "criterion", base, [runs[n] for n in ("w_low", "w_high", "squared")]
        )
        _, soft = alternatives(
            "knee_stiffness", base, [_three(o.medial[:, k], o.lateral[:, k]) for o in others]
        )
        found |= steps | soft
        quantities = {
            f"{name}_N": {n: j[:, c] for n, j in found.items()}
            for c, name in enumerate(("medial", "lateral", "total"))
        }
        moment = loads.knee.adduction_moment[:, k]
        _, soft = alternatives(
            "knee_stiffness", moment, [o.adduction_moment[:, k] for o in others]
        )
        # Pressure moved medially and a leg in varus both lengthen the ground's lever.
        quantities["adduction_moment_Nm"] = {
            "center_of_pressure": vertical,
            "alignment": vertical * thigh * shank / (thigh + shank),
            **soft,
        }
        out[side] = quantities
    return out


def _three(medial: Array, lateral: Array) -> Array:
    return np.stack([medial, lateral, medial + lateral], axis=-1)


def _recruited_again(loads: LoadsOfMotion) -> dict[str, Recruited]:
    problem = loads.problem.window(0, len(loads.knee.time))
    base = loads.recruitment

    def with_strength(factor: float) -> RecruitmentProblem:
        able = problem.capacity
        scaled = replace(able, active=able.active * factor, passive=able.passive * factor)
        return replace(problem, capacity=scaled)

    return {
        "stronger": recruit(with_strength(1.0 + STRENGTH), base),
        "weaker": recruit(with_strength(1.0 - STRENGTH), base),
        "w_low": recruit(problem, replace(base, knee_weight=0.3 * base.knee_weight)),
        "w_high": recruit(problem, replace(base, knee_weight=3.0 * base.knee_weight)),
        "squared": recruit(problem, replace(base, criterion="squared")),
    }
