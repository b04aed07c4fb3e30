"""Self-check: signs that a result should be looked at before it is believed.

None of these prove a result right. Each catches a way in which muscle models go wrong
silently: reserves that carry what muscles cannot, muscles at their limit so that nothing is
left to choose, a soleus off its working range (rigid tendon, wrong scaling), a centre of
pressure outside the foot, and a peak that depends on the criterion's one constant. Limits
are declared, not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..motion.filtering import runs
from ..scratch import LONG, release
from ..vocabulary import SIDES, Array, BoolArray
from ..workers import each
from .recruitment import Recruited, RecruitmentSettings, recruit
from .streaming import Problem
from .types import Check, GroundReaction

LEAST_STANCE_FRAMES = 5
"""Shorter pieces of stance, between masked frames, are not counted as stances."""
RESERVE_LOOK, RESERVE_FAIL = 0.05, 0.10
SATURATION_LOOK = 0.25
SOLEUS_RANGE = (0.6, 1.2)
LOADED = 0.1
"""Share of its own strength above which a soleus counts as loaded."""
PRESSURE_MARGIN = 0.01
PRESSURE_FORCE = 200.0
MOVER_ARM = 0.005
"""Smallest moment arm, m, of a muscle that counts as a mover of knee or ankle."""
WEIGHTS = (0.03, 0.3)
STIFF_RESERVE = 1.0


def self_check(
    problem: Problem,
    recruited: Recruited,
    settings: RecruitmentSettings,
    stance: BoolArray,
    ground: GroundReaction | None = None,
    outside: Array | None = None,
    variants: bool = True,
) -> list[Check]:
    """Check one analysis.

    Parameters
    ----------
    problem, recruited, settings : of `loads.recruitment`
    stance : (T, 2) bool, foot on the ground and the frame not masked
    ground : GroundReaction, optional
    outside : (T, 2) m, optional
        Distance of the centre of pressure outside the foot's outline (negative inside).
    variants : bool
        Also solve with other weights and stiffer reserves, for the spread of peaks.

    Returns
    -------
    list of Check
    """
    runs: Mapping[str, RecruitmentSettings] = {
        **{
            f"w_{w:g}": replace(settings, criterion="knee_aware", knee_weight=w)
            for w in WEIGHTS
        },
        "reserve_1_nm": replace(settings, reserve=STIFF_RESERVE),
    }
    if not variants:
        runs = {}
    watched = _watched(problem, recruited, stance, runs)
    checks = [
        balance_check(recruited),
        reserve_check(problem, recruited, stance),
        saturation_check(watched.largest_arm, problem, recruited, stance),
        soleus_check(watched.soleus),
    ]
    if ground is not None and outside is not None:
        checks.append(pressure_check(ground, outside))
    if variants:
        default = peak_totals(problem.body_weight, recruited, stance)
        checks.append(spread_check({"default": default, **watched.peaks}))
    return checks


@dataclass(frozen=True)
class _Watched:
    """What the checks need of the problem itself.

    Attributes
    ----------
    largest_arm : (2, M) m, see `saturation_check`
    soleus : shortest and longest fibre of a loaded soleus, optimal lengths; see `soleus_check`
    peaks : run → (2,) body weights, see `spread_check`
    """

    largest_arm: Array
    soleus: tuple[float, float]
    peaks: dict[str, Array]


def _watched(
    problem: Problem,
    recruited: Recruited,
    stance: BoolArray,
    runs: Mapping[str, RecruitmentSettings],
) -> _Watched:
    """One look at every piece of the problem: it need not be in memory all at once."""

    def look(span: tuple[int, int]) -> _Watched:
        arms = np.zeros((2, len(problem.muscles)))
        low, high = np.inf, -np.inf
        start, stop = span
        part, on = problem.window(start, stop), stance[start:stop]
        activation = recruited.muscles.activation[start:stop]
        for s, side in enumerate(SIDES):
            for stem in ("knee_angle", "ankle_angle"):
                column = np.abs(part.paths.column(f"{stem}_{side}"))
                arms[s] = np.fmax(arms[s], np.fmax.reduce(column, axis=0))
            for m, name in enumerate(part.muscles):
                if name == f"soleus_{side}":
                    loaded = on[:, s] & (activation[:, m] > LOADED)
                    if loaded.any():
                        length = part.capacity.state.length[loaded, m]
                        low = min(low, float(np.nanmin(length)))
                        high = max(high, float(np.nanmax(length)))
        peaks = {
            name: peak_totals(part.body_weight, recruit(part, other), on)
            for name, other in runs.items()
        }
        if len(problem.time) > LONG:
            release()
        return _Watched(arms, (low, high), peaks)

    seen = each(look, problem.spans())
    return _Watched(
        np.fmax.reduce([w.largest_arm for w in seen]),
        (min(w.soleus[0] for w in seen), max(w.soleus[1] for w in seen)),
        {name: np.fmax.reduce([w.peaks[name] for w in seen]) for name in runs},
    )


def _graded(value: float, look: float, fail: float) -> str:
    return "fail" if value > fail else "look" if value > look else "pass"


def balance_check(recruited: Recruited) -> Check:
    """Every frame balanced: joint moments, knee adduction, axial force."""
    given = np.isfinite(recruited.medial)
    share = float(np.mean(~recruited.solved[given])) if given.any() else 0.0
    worst = float(np.nanmax(recruited.muscles.equality_residual, initial=0.0))
    return Check(
        "balance",
        "fail" if share > 0 else "pass",
        share,
        0.0,
        f"Joint moments and contact forces balance within {worst:.1e} N or N·m; "
        f"{100 * share:.1f} % of frames found no balance.",
        {
            "largest_residual": worst,
            "fallback_share": float(np.mean(recruited.muscles.fallback)),
        },
    )


def reserve_check(problem: Problem, recruited: Recruited, stance: BoolArray) -> Check:
    """Largest knee or ankle reserve of a stance over the joint's peak moment.

    The verdict is on the middle stance (median), so that one stumble among eighty does not
    condemn a recording; the worst one is in the detail. A single stance is its own median.
    """
    detail: dict[str, float] = {}
    worst: dict[str, float] = {}
    muscles = recruited.muscles
    for s, side in enumerate(SIDES):
        for stem in ("knee_angle", "ankle_angle"):
            name = f"{stem}_{side}"
            if name not in muscles.reserves or not stance[:, s].any():
                continue
            reserve = np.abs(muscles.reserve_moment[:, muscles.reserves.index(name)])
            moment = np.abs(problem.moments[:, problem.coordinates.index(name)])
            peak = max(float(np.nanmax(moment[stance[:, s]], initial=0.0)), 1.0)
            pieces = runs(stance[:, s])
            long = [(i, j) for i, j in pieces if j - i >= LEAST_STANCE_FRAMES] or pieces
            shares = [np.nanmax(reserve[i:j], initial=0.0) / peak for i, j in long]
            detail[name] = float(np.median(shares))
            worst[f"{name}_worst"] = float(np.max(shares))
    value = max(detail.values(), default=0.0)
    return Check(
        "reserves",
        _graded(value, RESERVE_LOOK, RESERVE_FAIL),
        value,
        RESERVE_LOOK,
        f"Knee and ankle reserves reach {100 * value:.1f} % of their joint's peak moment "
        f"in the median stance ({100 * max(worst.values(), default=0.0):.1f} % in the worst): "
        "what muscles cannot supply is missing from the knee load.",
        detail | worst,
    )


def saturation_check(
    largest: Array, problem: Problem, recruited: Recruited, stance: BoolArray
) -> Check:
    """Share of stance frames with a saturated knee or ankle mover other than the soleus.

    Parameters
    ----------
    largest : (2, M) m, largest moment arm of each muscle about either side's knee or ankle
    """
    detail: dict[str, float] = {}
    names = problem.muscles
    for s, side in enumerate(SIDES):
        on = stance[:, s]
        if not on.any():
            continue
        mover = largest[s] > MOVER_ARM
        mover &= np.array(["soleus" not in name for name in names])
        full = recruited.muscles.saturated[on][:, mover]
        detail[f"frames_{side}"] = float(full.any(axis=1).mean())
        busiest = full.mean(axis=0)
        if busiest.size and busiest.max() > 0:
            name = np.array(names)[mover][int(busiest.argmax())]
            detail[f"most_{name}"] = float(busiest.max())
    value = max((v for k, v in detail.items() if k.startswith("frames")), default=0.0)
    return Check(
        "saturation",
        _graded(value, SATURATION_LOOK, np.inf),
        value,
        SATURATION_LOOK,
        f"A knee or ankle muscle other than the soleus is at its limit in {100 * value:.0f} % "
        "of stance frames.",
        detail,
    )


def soleus_check(span: tuple[float, float]) -> Check:
    """Fibre length of the loaded soleus, shortest and longest, in optimal lengths."""
    low, high = span
    if high < low:
        return Check(
            "soleus_length", "pass", np.nan, SOLEUS_RANGE[1], "No soleus is loaded in stance."
        )
    # How far the worse end lies outside, told as the length at that end.
    too_long = high - SOLEUS_RANGE[1] >= SOLEUS_RANGE[0] - low
    value, limit = (high, SOLEUS_RANGE[1]) if too_long else (low, SOLEUS_RANGE[0])
    inside = SOLEUS_RANGE[0] <= low and high <= SOLEUS_RANGE[1]
    return Check(
        "soleus_length",
        "pass" if inside else "look",
        value,
        limit,
        f"The loaded soleus works between {low:.2f} and {high:.2f} optimal fibre lengths.",
        {"shortest": low, "longest": high},
    )


def pressure_check(ground: GroundReaction, outside: Array) -> Check:
    """Centre of pressure outside the foot's outline while the foot carries load."""
    loaded = (ground.force[:, :, 1] > PRESSURE_FORCE) & ~ground.masked
    far = np.where(loaded, outside, -np.inf)
    value = float(np.nanmax(far, initial=-np.inf))
    frames = int(np.sum(far > PRESSURE_MARGIN))
    if not np.isfinite(value):
        value = 0.0
    return Check(
        "centre_of_pressure",
        "look" if frames else "pass",
        value,
        PRESSURE_MARGIN,
        f"Above {PRESSURE_FORCE:.0f} N the centre of pressure lies up to {1000 * value:.0f} mm "
        f"outside the foot, in {frames} unmasked frames.",
        {"frames": float(frames)},
    )


def peak_totals(body_weight: float, recruited: Recruited, stance: BoolArray) -> Array:
    """Peak tibiofemoral force (2,) in body weights over stance; NaN without stance."""
    total = (recruited.medial + recruited.lateral) / body_weight
    return np.array(
        [np.nanmax(total[stance[:, s], s]) if stance[:, s].any() else np.nan for s in range(2)]
    )


def spread_check(peaks: Mapping[str, Array]) -> Check:
    """Peaks with w = 0.03 and 0.3, and with stiff reserves, beside the default.

    The verdict is always 'pass': the spread is information, and belongs to the interval.

    Parameters
    ----------
    peaks : run → (2,) body weights, 'default' among them
    """
    detail = {
        f"{name}_{side}": float(values[s])
        for name, values in peaks.items()
        for s, side in enumerate(SIDES)
    }
    every = np.array(list(peaks.values()))
    spread = every - peaks["default"]
    value = float(np.nanmax(np.abs(spread))) if np.isfinite(spread).any() else 0.0
    told = "; ".join(
        f"{n} {np.nanmax(v):.2f}" for n, v in peaks.items() if np.isfinite(v).any()
    )
    return Check(
        "peak_spread",
        "pass",
        value,
        np.inf,
        f"Peak tibiofemoral force in body weights by criterion: {told}.",
        detail,
    )
