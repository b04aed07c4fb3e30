"""From the arrays of an analysis to what people read: rows, tissues, checks, intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .capture.trial import Subject
from .loads.ground import MeasuredGround
from .loads.ground_error import TOGETHER, WHAT
from .loads.ground_feet import distance_to_outline, observe_feet
from .loads.recruitment import Recruited, RecruitmentProblem, recruit
from .loads.selfcheck import self_check
from .loads.sensitivities import Source, alternatives, analytic_sensitivities, default_sources
from .loads.tissues import TissueInputs, Tissues, tissues
from .loads.types import Check, GroundReaction
from .loads.uncertainty import peaks, stride_interval
from .motion.contacts import between
from .motion.kinematics import AnatomicalPaths
from .scratch import kept
from .settings import Settings
from .stages import Kinematics, LoadInputs, LoadsOfMotion
from .vocabulary import GRAVITY, SIDES, Array

Row = dict[str, str | float | int | bool | None]

PEAK_COLUMNS = (
    ("medial", "N"),
    ("lateral", "N"),
    ("total", "N"),
    ("patellofemoral", "N"),
)
RESIDUAL_FORCE_SHARE = 0.05
RESIDUAL_MOMENT_SHARE = 0.01
"""Hicks et al. 2015 (doi:10.1115/1.4029304): peak residual force under 5 % of the peak
external force, peak residual moment under 1 % of mass-centre height times that force."""
REPRESENTATIVE = 8.0
"""s of a recording that are recruited again under other assumptions."""
MARKER_LOOK, MARKER_FAIL = 0.02, 0.04
"""m, RMS over markers: OpenSim's guidance is 2 cm RMS and 2 to 4 cm for a single marker."""


def with_loads(
    rows: Sequence[Mapping[str, object]],
    loads: LoadsOfMotion,
    body_weight: float,
    origin: Literal["measured", "predicted"] = "measured",
) -> tuple[Row, ...]:
    """Stride rows with the peaks and impulses of their side over the row's time.

    Parameters
    ----------
    rows : of `motion.stride_rows`, times in s on the capture's clock
    loads : LoadsOfMotion on the same clock
    body_weight : float, N
    origin : where the ground forces come from, for the column `forces`

    Returns
    -------
    tuple of rows
        Forces in N and body weights, impulses in N·s and body weights · s, external
        moments in N·m (adduction and flexion positive); NaN where the stance was masked.
    """
    knee = loads.knee
    out = []
    for row in rows:
        new: Row = dict(row)  # type: ignore[arg-type]
        new["forces"] = origin
        s = SIDES.index("l" if row["side"] == "l" else "r")
        inside = between(knee.time, float(row["start_s"]), float(row["end_s"]))  # type: ignore[arg-type]
        time = knee.time[inside]
        hidden = np.isnan(knee.total[inside, s])
        new["masked_share"] = float(hidden.mean()) if len(time) else 1.0
        contact = float(row.get("contact_s") or np.nan)  # type: ignore[arg-type]
        loaded = time <= float(row["start_s"]) + contact  # type: ignore[arg-type]
        # A stride whose loaded part is masked would show the rest of it as its peak.
        stance = ~hidden[loaded] if loaded.any() else ~hidden
        whole = len(time) > 0 and float(stance.mean()) > 0.98 and float(hidden.mean()) < 0.2
        for name, unit in PEAK_COLUMNS:
            curve = getattr(knee, name)[inside, s]
            peak = float(np.nanmax(curve)) if whole else np.nan
            impulse = float(np.trapezoid(np.nan_to_num(curve), time)) if whole else np.nan
            new[f"{name}_peak_{unit}"] = peak
            new[f"{name}_peak_BW"] = peak / body_weight
            new[f"{name}_impulse_Ns"] = impulse
            new[f"{name}_impulse_BWs"] = impulse / body_weight
        moment = knee.adduction_moment[inside, s]
        seen = np.isfinite(moment).any()
        new["adduction_moment_peak_Nm"] = float(np.nanmax(moment)) if seen else np.nan
        new["flexion_moment_peak_Nm"] = (
            float(np.nanmax(knee.flexion_moment[inside, s])) if seen else np.nan
        )
        out.append(new)
    return tuple(out)


def tissue_loads(
    subject: Subject,
    kinematics: Kinematics,
    inputs: LoadInputs,
    loads: LoadsOfMotion,
    ground: GroundReaction,
    static_paths: AnatomicalPaths | None,
    path_reference: Mapping[str, float] | None,
    recorded: Collection[str],
) -> Tissues:
    """Every structure that this analysis has the inputs for; masked frames are NaN.

    Parameters
    ----------
    path_reference : muscle → m, path length in the standing pose, or None without one
    recorded : landmark ids that markers of the motion sit on

    Returns
    -------
    Tissues
        The arch only where both of its ends were recorded: the model's foot is rigid, and
        a recorded end against a modelled one would show soft tissue as strain.
    """
    paths, knee = kinematics.paths, loads.knee
    arch = np.linalg.norm(
        _sides(paths.points, "metatarsal_1") - _sides(paths.points, "heel"), axis=2
    )
    ends = {f"{n}_{s}" for n in ("metatarsal_1", "heel") for s in SIDES}
    arch_reference = None
    if static_paths is not None and ends <= set(recorded):
        arch_reference = np.array(
            [
                np.linalg.norm(
                    static_paths.points[f"metatarsal_1_{s}"] - static_paths.points[f"heel_{s}"]
                )
                for s in SIDES
            ]
        )
    found = tissues(
        TissueInputs(
            time=knee.time,
            mass=subject.mass,
            height=subject.height,
            sex=subject.sex,
            medial=knee.medial,
            lateral=knee.lateral,
            patellofemoral=knee.patellofemoral,
            knee_flexion=_sides(paths.angles, "knee_angle"),
            hip_adduction=_sides(paths.angles, "hip_adduction"),
            muscles=loads.recruited.muscles.muscles,
            muscle_force=loads.recruited.muscles.force,
            path_length=loads.band_length if path_reference else None,
            path_reference=path_reference,
            collateral_medial=knee.collateral_medial,
            collateral_lateral=knee.collateral_lateral,
            collateral_medial_strain=loads.balance.collateral_strain[:, :, 0],
            collateral_lateral_strain=loads.balance.collateral_strain[:, :, 1],
            ground_force=ground.force,
            ground_point=ground.point,
            knee_center=_sides(paths.points, "knee_center"),
            ankle_center=_sides(paths.points, "ankle_center"),
            tibia_frame=_sides(paths.frames, "tibia"),
            foot_frame=_sides(paths.frames, "calcn"),
            ankle_height=_ankle_height(static_paths),
            arch_length=arch if arch_reference is not None else None,
            arch_reference=arch_reference,
            tibial_acceleration=_tibial_acceleration(paths),
        )
    )
    values = found.values.copy()
    for k, name in enumerate(found.names):
        for s, side in enumerate(SIDES):
            if f"_{side}_" in name:
                values[ground.masked[:, s], k] = np.nan
    return kept(replace(found, values=values))


def _sides(named: Mapping[str, Array], stem: str) -> Array:
    """Both sides of a named quantity, (T, 2, ...)."""
    return np.stack([named[f"{stem}_{side}"] for side in SIDES], axis=1)


def _ankle_height(static_paths: AnatomicalPaths | None) -> Array | None:
    if static_paths is None:
        return None
    heights = []
    for s in SIDES:
        sole = min(
            float(static_paths.points[f"{n}_{s}"][0, 1])
            for n in ("heel_bottom", "metatarsal_1", "metatarsal_5")
        )
        heights.append(float(static_paths.points[f"ankle_center_{s}"][0, 1]) - sole)
    return np.array(heights)


def _tibial_acceleration(paths: AnatomicalPaths) -> Array:
    """Acceleration of the ankle centre along the shank, (T, 2) m/s², upwards positive."""
    out = np.empty((len(paths.time), len(SIDES)))
    for k, s in enumerate(SIDES):
        ankle = paths.points[f"ankle_center_{s}"]
        velocity = np.gradient(ankle, paths.time, axis=0, edge_order=2)
        acceleration = np.gradient(velocity, paths.time, axis=0, edge_order=2)
        out[:, k] = np.einsum("ti,ti->t", acceleration, paths.frames[f"tibia_{s}"][:, :, 1])
    return out


def checks(
    kinematics: Kinematics,
    loads: LoadsOfMotion | None,
    measured: MeasuredGround | None,
    pelvis_residual: Array | None,
    body_height: float,
    cutoff: float,
) -> tuple[Check, ...]:
    """Self-checks of an analysis, worst first things a person would ask for."""
    out = [_marker_check(kinematics)]
    if loads is None or measured is None or pelvis_residual is None:
        return tuple(out)
    ground = measured.reaction
    stance = ground.contact & ~ground.masked
    feet = observe_feet(kinematics.paths, None)
    outside = np.stack(
        [
            distance_to_outline(ground.point[:, k], feet.outline[:, k])
            for k in range(len(SIDES))
        ],
        axis=1,
    )
    out += self_check(
        loads.problem, loads.recruited, loads.recruitment, stance, ground, outside
    )
    out.append(_residual_check(kinematics, ground, pelvis_residual, body_height, 1.0 / cutoff))
    share = float(ground.masked.mean())
    out.append(
        Check(
            "masked",
            "pass" if share <= 0.02 else "look",
            share,
            0.02,
            f"{100 * share:.1f} % of foot-frames have no trustworthy ground force; their loads "
            "are left out.",
        )
    )
    return tuple(out)


def _marker_check(kinematics: Kinematics) -> Check:
    error = kinematics.raw.marker_error
    rms = float(np.sqrt(np.nanmean(error**2))) if error is not None else float("nan")
    verdict = "fail" if rms > MARKER_FAIL else "look" if rms > MARKER_LOOK else "pass"
    return Check(
        "markers",
        verdict,
        1000 * rms,
        1000 * MARKER_LOOK,
        f"The model's markers lie {1000 * rms:.1f} mm (RMS) from the captured ones.",
    )


def _residual_check(
    kinematics: Kinematics,
    ground: GroundReaction,
    residual: Array,
    body_height: float,
    edge: float,
) -> Check:
    """Pelvis residuals against the 5 % / 1 % rule, where the whole body was captured."""
    time = kinematics.motion.time
    # Accelerations are extrapolations for about one period of the low-pass at each end.
    inner = (time >= time[0] + edge) & (time <= time[-1] - edge)
    whole = ~ground.masked.any(axis=1) & inner
    external = np.linalg.norm(ground.force.sum(axis=1), axis=1)
    peak = float(external[whole].max()) if whole.any() else float("nan")
    force = np.linalg.norm(residual[whole, :3], axis=1)
    moment = np.linalg.norm(residual[whole, 3:], axis=1)
    height = float(np.mean(kinematics.paths.points["center_of_mass"][:, 1]))
    share = float(force.max() / peak) if whole.any() and peak > 0 else float("nan")
    turning = (
        float(moment.max() / (peak * height)) if whole.any() and peak > 0 else float("nan")
    )
    names = kinematics.motion.coordinates
    trunk = [i for i, n in enumerate(names) if n.startswith("lumbar_")]
    seen = bool(kinematics.motion.informed[trunk].any()) if trunk else False
    ok = share <= RESIDUAL_FORCE_SHARE and turning <= RESIDUAL_MOMENT_SHARE
    sentence = (
        f"Largest pelvis residual: {100 * share:.0f} % of the peak ground force (limit 5 %) "
        f"and {100 * turning:.1f} % of it times the mass centre's height (limit 1 %)."
    )
    if not seen:
        sentence += " Trunk and arms were not captured, so this is not judged."
    verdict = "pass" if ok else ("look" if not seen else "fail")
    return Check(
        "residuals",
        verdict,
        share,
        RESIDUAL_FORCE_SHARE,
        sentence,
        {
            "force_rms_N": float(np.sqrt(np.mean(force**2))) if whole.any() else float("nan"),
            "moment_rms_Nm": float(np.sqrt(np.mean(moment**2)))
            if whole.any()
            else float("nan"),
            "moment_share": turning,
            "body_height_m": body_height,
        },
    )


@dataclass(frozen=True)
class GroundDoubt:
    """Loads with each channel of a predicted ground reaction off by one deviation.

    Attributes
    ----------
    runs : channel of `loads.ground_error` to Recruited, over the representative frames
    lasting : (5,) share of each channel's variance that stays over all strides
    """

    runs: Mapping[str, Recruited]
    lasting: Array


def intervals(
    rows: Sequence[Row],
    kinematics: Kinematics,
    inputs: LoadInputs,
    loads: LoadsOfMotion,
    ground: GroundReaction,
    subject: Subject,
    settings: Settings,
    doubt: GroundDoubt | None = None,
) -> dict[str, object]:
    """Medians of the peaks over strides with 95 % intervals, per side and compartment.

    Geometry enters by the statics of the two contact points, muscle strength and the
    recruitment criterion by recruiting again with the same geometry, and so do the errors
    of a predicted ground reaction (`doubt`), in place of those of a force plate.
    """
    first, last = representative(len(ground.time), 1.0 / kinematics.motion.rate)
    time = loads.knee.time[first:last]
    again = _recruited_again(loads, settings, first, last)
    out: dict[str, object] = {}
    body_weight = subject.mass * GRAVITY
    for k, side in enumerate(SIDES):
        medial, lateral = (
            getattr(loads.knee, name)[first:last, k] for name in ("medial", "lateral")
        )
        mine = [r for r in rows if r["side"] == side and _measured_within(r, time)]
        kinds = [r for r in mine if r["kind"] == "stride"] or mine
        if not kinds:
            continue
        geometry = inputs.knees[side]
        spacing = float(
            np.linalg.norm(geometry.medial_compartment - geometry.lateral_compartment)
        )
        thigh, shank = _segment_lengths(kinematics.paths, side)
        statics = analytic_sensitivities(
            medial, lateral, ground.force[first:last, k, 1], spacing, thigh, shank
        )
        base = np.stack([medial, lateral, medial + lateral], axis=-1)
        jac = {
            name: np.column_stack([value, value.sum(axis=-1)])
            for name, value in statics.items()
        }
        sources: list[Source] = [
            s for s in default_sources(ground.predicted) if s.name in statics
        ]
        stronger, weaker = (_three(again[n], k) for n in ("stronger", "weaker"))
        jac["strength"] = (stronger - weaker) / 0.4
        sources += [s for s in default_sources(ground.predicted) if s.name == "strength"]
        more, steps = alternatives(
            "criterion",
            base,
            [_three(again[n], k) for n in ("w_low", "w_high", "squared")],
            what="recruitment criterion: w = 0.03, w = 0.3 and the plain sum of squares",
        )
        jac |= steps
        if doubt is not None:
            sources = [
                s for s in sources if s.name not in ("center_of_pressure", "ground_force")
            ]
            for (name, run), within in zip(doubt.runs.items(), doubt.lasting, strict=True):
                jac[name] = _three(run, k) - base
                sources.append(
                    Source(name, TOGETHER, "1", "measurement", float(within), 0.0, WHAT[name])
                )
        figures: dict[str, object] = {
            "ground_forces": "predicted" if ground.predicted else "measured"
        }
        for c, name in enumerate(("medial", "lateral", "total")):
            curves, slopes = _per_stride(
                time, base[:, c], {n: j[:, c] for n, j in jac.items()}, kinds
            )
            top, at_top = peaks(curves, slopes)
            found = stride_interval(top, at_top, [*sources, *more], floor=0.0)
            figures[f"{name}_peak"] = {
                "median_N": float(found.value),
                "low_N": float(found.low),
                "high_N": float(found.high),
                "median_BW": float(found.value) / body_weight,
                "low_BW": float(found.low) / body_weight,
                "high_BW": float(found.high) / body_weight,
                "sd_by_source_N": {n: float(v) for n, v in found.parts.items()},
                "strides": found.strides,
            }
        out[side] = figures
    return out


def _per_stride(
    time: Array, curve: Array, slopes: Mapping[str, Array], rows: Sequence[Row]
) -> tuple[Array, dict[str, Array]]:
    """Curve and sensitivities of each row on 101 points, (N, 101)."""
    grids = [np.linspace(float(r["start_s"]), float(r["end_s"]), 101) for r in rows]  # type: ignore[arg-type]

    def sample(values: Array) -> Array:
        return np.array([np.interp(g, time, values) for g in grids])

    return sample(curve), {name: sample(values) for name, values in slopes.items()}


def _measured_within(row: Row, time: Array) -> bool:
    """Whether a row lies in a span of time and has loads."""
    start, end, peak = (float(row[n]) for n in ("start_s", "end_s", "total_peak_N"))  # type: ignore[arg-type]
    return bool(np.isfinite(peak)) and start >= time[0] - 1e-9 and end <= time[-1] + 1e-9


def representative(frames: int, step: float) -> tuple[int, int]:
    """Frames (start, stop) in the middle of a recording that stand for all of it.

    Recruiting again under other assumptions costs as much as the first time; ten strides
    tell the effect of an assumption as well as eighty.
    """
    width = min(frames, round(REPRESENTATIVE / step))
    start = (frames - width) // 2
    return start, start + width


def _three(recruited: Recruited, k: int) -> Array:
    medial, lateral = recruited.medial[:, k], recruited.lateral[:, k]
    return np.stack([medial, lateral, medial + lateral], axis=-1)


def _recruited_again(
    loads: LoadsOfMotion, settings: Settings, first: int, last: int
) -> dict[str, Recruited]:
    problem, base = loads.problem.window(first, last), loads.recruitment

    def with_strength(factor: float) -> RecruitmentProblem:
        able = problem.capacity
        scaled = replace(able, active=able.active * factor, passive=able.passive * factor)
        return replace(problem, capacity=scaled)

    return {
        "stronger": recruit(with_strength(1.2), base),
        "weaker": recruit(with_strength(0.8), base),
        "w_low": recruit(problem, replace(base, knee_weight=settings.knee_load_weight * 0.3)),
        "w_high": recruit(problem, replace(base, knee_weight=settings.knee_load_weight * 3.0)),
        "squared": recruit(problem, replace(base, criterion="squared")),
    }


def _segment_lengths(paths: AnatomicalPaths, side: str) -> tuple[float, float]:
    hip, knee, ankle = (paths.points[f"{n}_center_{side}"][0] for n in ("hip", "knee", "ankle"))
    return float(np.linalg.norm(hip - knee)), float(np.linalg.norm(knee - ankle))
