"""Dose-responses over many strides of one recording.

One stride says what a change of form does to that stride. Ten say how much of it belongs
to the runner. Strides of one runner go through the same poses, so their muscle paths share
one fit, which every solved stride checks against exact geometry. Strides are independent:
two processes share them, and results do not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from . import companion, stages
from .errors import ResultsError
from .model.path_fits import PathFit, fit_paths
from .model.paths import opened
from .results.folder import Results
from .simulate import DoseResponse, dose_response, prepare
from .simulation.solve import simulate_variant
from .simulation.variants import variant
from .vocabulary import SIDES, Array

Progress = Callable[[str, float], None]
Doses = Mapping[str, Sequence[float]]


def stride_starts(results: Results, count: int) -> list[float]:
    """When so many strides begin, s, spread evenly over those with loads throughout.

    Raises
    ------
    ResultsError
        There is no such stride.
    """
    found = [
        float(str(row["start_s"]))
        for row in results.strides
        if row.get("kind") == "stride"
        and row["side"] == "r"
        and np.isfinite(float(str(row.get("total_peak_N") or "nan")))
    ]
    if not found:
        raise ResultsError(
            "a complete stride with the ground reaction of both feet",
            f"none in '{results.trial}'",
            "analyse a recording in which a foot lands twice on a measured floor",
        )
    at = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[i] for i in at]


def dose_sweep(
    results: Results,
    doses: Doses,
    strides: int = 10,
    solve: int = 7,
    progress: Progress | None = None,
) -> dict[str, list[DoseResponse]]:
    """Peaks and impulses of the knee loads over doses, for several strides.

    Parameters
    ----------
    results : of a run or walk with a ground reaction
    doses : variant ('valgus', 'knee-out', 'crossover') → doses, degrees or mm
    strides : how many, evenly over the recording
    solve : doses that are solved, see `simulate.dose_response`
    progress : callable of (stage, share), optional

    Returns
    -------
    variant → a DoseResponse a stride, in the order of time, without their solutions
    """
    companion.start()
    starts = stride_starts(results, strides)
    tell = progress or _silent
    tell("muscle paths", 0.0)
    lean = replace(results, scene=None, muscles=None, markers=None)
    # A fit of the muscle paths costs more than it saves on a single stride.
    fit = shared_fit(lean, doses, starts) if len(starts) > 1 else None
    # Every other one, so that both processes have as many.
    theirs = companion.later(_strides, lean, dict(doses), starts[1::2], solve, fit)
    mine = _strides(lean, doses, starts[0::2], solve, fit, tell)
    others = theirs()
    return {
        name: [(others if k % 2 else mine)[k // 2][name] for k in range(len(starts))]
        for name in doses
    }


def shared_fit(results: Results, doses: Doses, starts: Sequence[float]) -> PathFit:
    """Muscle paths around some strides as captured and one of them with the largest doses."""
    runner, reduced = prepare(results, starts[0])
    inputs = stages.load_inputs(runner.fitted, runner.subject, runner.settings)
    stride = reduced.problem.stride
    poses = [stride.q]
    for name, wanted in doses.items():
        for share in (0.5, 1.0):
            most = share * float(np.max(wanted))
            poses.append(simulate_variant(reduced.problem, variant(name, most)).stride.q)
    motion = results.motion
    columns = [motion.coordinates.index(n) for n in stride.coordinates]
    length = len(stride.q) / motion.rate
    near = np.zeros(len(motion.time), dtype=bool)
    for start in starts:
        near |= (motion.time >= start) & (motion.time <= start + length)
    poses.append(motion.q[near][:, columns])
    centers: Array = np.array([inputs.knees[s].joint_center for s in SIDES])
    geometry = opened(inputs.xml, centers)
    return fit_paths(geometry, geometry.in_order(stride.coordinates, np.vstack(poses)))


def _silent(stage: str, share: float) -> None:
    del stage, share


def _strides(
    results: Results,
    doses: Doses,
    starts: Sequence[float],
    solve: int,
    fit: PathFit | None,
    tell: Progress | None = None,
) -> list[dict[str, DoseResponse]]:
    inputs, out = None, []
    for k, start in enumerate(starts):
        if tell is not None:
            tell(f"stride at {start:.1f} s", 0.1 + 0.9 * k / len(starts))
        runner, reduced = prepare(results, start)
        inputs = inputs or stages.load_inputs(runner.fitted, runner.subject, runner.settings)
        found = {
            name: dose_response(
                runner, reduced, name, wanted, solve=solve, inputs=inputs, fit=fit
            )
            for name, wanted in doses.items()
        }
        out.append({name: replace(one, simulated=()) for name, one in found.items()})
    return out
