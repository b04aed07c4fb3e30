"""What a comparison needs of the fitted model: lengths for intervals, what a stride costs.

Read from the results folder alone, so that strides analysed long ago can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .loads.efficiency import EfficiencyInputs, Stance, efficiency
from .model.paths import exact_paths
from .motion.kinematics import AnatomicalPaths
from .results.conditions import Window, windows
from .results.folder import Results
from .simulation.runner import Runner, runner_of
from .vocabulary import SIDES, Array, Side

MOST_STRIDES = 10
"""Strides a leg whose muscle moment arms are computed, from the middle of the recording."""


@dataclass(frozen=True)
class FittedModel:
    """The runner behind an analysis, with the lengths that intervals need.

    Attributes
    ----------
    runner : Runner
    xml : str, the .osim file's text
    spacing, thigh, shank : mapping of side to m
    """

    runner: Runner
    xml: str
    spacing: dict[Side, float]
    thigh: dict[Side, float]
    shank: dict[Side, float]


def model_of(results: Results, known: dict[str, FittedModel]) -> FittedModel | None:
    """The runner behind an analysis; the variants of a stride share one."""
    if results.ground is None or results.knee is None:
        return None
    if results.model_xml not in known:
        runner = runner_of(results)
        motion = results.motion
        paths = runner.paths(motion.time[:3], motion.rate, motion.q[:3])

        def length(a: str, b: str, side: Side) -> float:
            ends = paths.points[f"{a}_{side}"][0] - paths.points[f"{b}_{side}"][0]
            return float(np.linalg.norm(ends))

        knees = {s: runner.knees[s] for s in SIDES}
        known[results.model_xml] = FittedModel(
            runner,
            results.model_xml,
            {
                s: float(np.linalg.norm(k.medial_compartment - k.lateral_compartment))
                for s, k in knees.items()
            },
            {s: length("hip_center", "knee_center", s) for s in SIDES},
            {s: length("knee_center", "ankle_center", s) for s in SIDES},
        )
    return known[results.model_xml]


def efficiency_of(
    results: Results, kinds: Mapping[Side, Window], model: FittedModel
) -> dict[Side, dict[str, Array]]:
    """Efficiency of each window, NaN beyond the `MOST_STRIDES` that are computed."""
    if results.muscles is None or not set(kinds.values()) <= {"stride", "stance"}:
        return {}
    stances: dict[Side, list[Stance]] = {}
    places: dict[Side, tuple[int, range]] = {}
    for side, kind in kinds.items():
        rows = windows(results.strides, side, kind)
        start = max((len(rows) - MOST_STRIDES) // 2, 0)
        chosen = range(start, min(start + MOST_STRIDES, len(rows)))
        places[side] = len(rows), chosen
        stances[side] = []
        for start_s, end_s, row in (rows[k] for k in chosen):
            on = end_s - start_s if kind == "stance" else _number(row.get("contact_s"))
            speed = _number(row.get("speed_m_s"))
            stances[side].append(Stance(start_s, end_s, on, speed))
    inputs = _efficiency_inputs(results, model, [s for each in stances.values() for s in each])
    out: dict[Side, dict[str, Array]] = {}
    for side, (count, chosen) in places.items():
        out[side] = {}
        for figure, values in efficiency(inputs, side, stances[side]).items():
            out[side][figure] = np.full(count, np.nan)
            out[side][figure][list(chosen)] = values
    return out


def _efficiency_inputs(
    results: Results, model: FittedModel, stances: Sequence[Stance]
) -> EfficiencyInputs:
    assert results.ground is not None and results.inverse_dynamics is not None
    assert results.muscles is not None
    motion, ground, muscles = results.motion, results.ground, results.muscles
    time = motion.time
    near = np.zeros(len(time), dtype=bool)
    for s in stances:
        near |= (time >= s.start - 1.0 / motion.rate) & (time <= s.end + 1.0 / motion.rate)
    knees = model.runner.knees
    centers = np.array([knees[s].joint_center for s in SIDES])
    arms = exact_paths(model.xml, motion.coordinates, motion.q[near], centers, workers=1)
    order = [arms.names.index(n) for n in muscles.muscles]
    paths = model.runner.paths(time, motion.rate, motion.q)
    coordinates = motion.coordinates
    velocity = np.gradient(motion.q, time, axis=0, edge_order=2)
    moment_arm = {}
    for side in SIDES:
        for joint in (
            "hip_flexion",
            "hip_adduction",
            "hip_rotation",
            "knee_angle",
            "ankle_angle",
        ):
            values = np.full((len(time), len(order)), np.nan)
            values[near] = arms.column(f"{joint}_{side}")[:, order]
            moment_arm[f"{joint}_{side}"] = values
    return EfficiencyInputs(
        time=time,
        mass=results.subject.mass,
        q={n: motion.q[:, i] for i, n in enumerate(coordinates)},
        velocity={n: velocity[:, i] for i, n in enumerate(coordinates)},
        moment={n: results.inverse_dynamics.column(n) for n in coordinates},
        height=paths.points["center_of_mass"][:, 1],
        vertical_force=ground.force[:, :, 1],
        leg_length=np.array([model.thigh[s] + model.shank[s] + _sole(paths, s) for s in SIDES]),
        muscles=muscles.muscles,
        force=muscles.force,
        moment_arm=moment_arm,
        masked=ground.masked,
        running=str(results.summary.get("task", "")) == "running",
    )


def _sole(paths: AnatomicalPaths, side: Side) -> float:
    """Height of the ankle centre over the sole, m."""
    points = paths.points
    return float(
        np.linalg.norm(points[f"ankle_center_{side}"][0] - points[f"heel_bottom_{side}"][0])
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
