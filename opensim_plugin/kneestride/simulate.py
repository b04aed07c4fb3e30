"""`simulate`: what the same runner's knee would carry with the knee in, out or the foot across.

results folder ─► one stride, made periodic ─► residual reduction ─► variants ─► loads

Every variant is a change of the residual-reduced stride, so that all differences are paired.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from . import stages
from .loads.types import KneeLoads
from .loads.uncertainty import Source
from .model.path_fits import PathFit
from .results.compare import Condition, compare, comparison_csv, condition
from .results.folder import Results, read_results, write_results
from .results.replace import replace_folder
from .results.scene_runner import with_scene, write_comparison_scene
from .results.schemas import stamped
from .simulation.describe import (
    about_original,
    about_variant,
    reduction_warnings,
    variant_warnings,
)
from .simulation.problem import Problem
from .simulation.recording import load_stride, one_a_side, results_of, unroll
from .simulation.runner import Runner, runner_of
from .simulation.sensitivity import (
    STIFFNESS,
    Sensitivities,
    sensitivities_of,
    sources_of,
)
from .simulation.solve import Reduced, Simulated, reduce, simulate_variant
from .simulation.stride import cut_stride
from .simulation.variants import NAMES, Variant, variant
from .vocabulary import SIDES, Array, Side

Progress = Callable[[str, float], None]
MEASURES = ("projection_angle_mid_deg", "step_width_mm")
PEAKS = ("medial", "lateral", "total", "adduction_moment", "patellofemoral")
SHOWN = (
    ("projection deg", "projection_angle_mid_deg", 1),
    ("step width mm", "step_width_mm", 1),
    ("adduction moment N m", "adduction_moment_peak_Nm", 1),
    ("medial BW", "medial_peak_BW", 2),
    ("lateral BW", "lateral_peak_BW", 2),
)
"""What the closing lines show of each stride: words, column, decimals."""
PICTURED = ("medial_N", "lateral_N", "adduction_moment_Nm")
"""Loads whose changes a picture or film may speak of."""


@dataclass(frozen=True)
class Simulation:
    """A captured stride and its variants, each as the contents of a results folder.

    Attributes
    ----------
    original : Results of the residual-reduced stride
    variants : mapping of folder name to Results
    reduced : Reduced; simulated : mapping of folder name to Simulated
    runner : Runner
    sensitivities : mapping of folder name to the loads' sensitivities
    """

    original: Results
    variants: Mapping[str, Results]
    reduced: Reduced
    simulated: Mapping[str, Simulated]
    runner: Runner
    sensitivities: Mapping[str, Sensitivities]

    def comparison(self) -> str:
        """`comparison.csv`: every variant against the original, side by side."""
        conditions, sources = self._conditions()
        found = [
            compare(conditions["original"][side], conditions[name][side], sources)
            for name in self.variants
            for side in SIDES
        ]
        return comparison_csv(found)

    def differences(self, quantities: Sequence[str] = PICTURED) -> list[dict[str, object]]:
        """Changes of the peak loads between any two strides, with their intervals."""
        conditions, sources = self._conditions()
        return [
            {
                "first": first, "second": second, "side": side, "quantity": d.quantity,
                "change": float(d.change.value), "low": float(d.change.low),
                "high": float(d.change.high),
            }
            for first, second in combinations(conditions, 2)
            for side in SIDES
            for d in compare(
                conditions[first][side], conditions[second][side], sources,
                quantities=quantities,
            ).differences
            if d.measure == "peak"
        ]  # fmt: skip

    def _conditions(self) -> tuple[dict[str, dict[Side, Condition]], Sequence[Source]]:
        sources = sources_of(bool(self.original.ground and self.original.ground.predicted))
        everything = {"original": self.original, **self.variants}
        conditions = {
            name: {
                side: condition(
                    results, side, name, sensitivities=self.sensitivities[name][side]
                )
                for side in SIDES
            }
            for name, results in everything.items()
        }
        return conditions, sources

    def lines(self) -> list[str]:
        """What a person wants to read when the work is done."""
        out = list(self.original.warnings)
        for name, results in {"original": self.original, **self.variants}.items():
            for row in sorted(results.strides, key=lambda r: str(r["side"]), reverse=True):
                figures = ", ".join(f"{label} {row[c]:.{d}f}" for label, c, d in SHOWN)
                out.append(f"  {name:10} {row['side']}: {figures}")
        for results in self.variants.values():
            out += results.warnings
        return out


def simulate(
    results: Results | Path,
    variants: Sequence[Variant] | None = None,
    *,
    start: float | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate variants of one captured stride.

    Parameters
    ----------
    results : Results, or the folder of them, of a run or walk with a ground reaction
    variants : sequence of Variant, default all four with their default doses
    start : float, s, optional
        Take the stride that begins nearest to this time; else the most typical one.
    progress : callable of (stage, share), optional

    Returns
    -------
    Simulation

    Raises
    ------
    KneestrideError
        When the results hold no complete stride with a ground reaction.
    """
    chosen = list(variants) if variants is not None else [variant(n) for n in NAMES]
    source = results if isinstance(results, Results) else read_results(Path(results))
    tell = progress or _silent
    tell("stride", 0.0)
    runner, reduced = prepare(source, start)
    inputs = stages.load_inputs(runner.fitted, runner.subject, runner.settings)
    p = reduced.problem
    tell("original", 0.1)
    original, loads = results_of(
        runner, inputs, p.stride, source,
        name=f"{source.trial} original", simulated=False,
        about=about_original(reduced), warnings=reduction_warnings(reduced),
    )  # fmt: skip
    found: dict[str, Results] = {}
    fits: dict[str, Simulated] = {}
    captured = [loads.knee] * len(STIFFNESS)
    unsure = {"original": _sensitivities(p, runner, loads, original, captured)}
    for k, v in enumerate(chosen):
        tell(v.label, 0.2 + 0.8 * k / len(chosen))
        watch = stages.Stopwatch()
        made = simulate_variant(p, v)
        watch.seconds["fit"] = made.seconds
        band = [_knee(runner, inputs, simulate_variant(p, v, give)) for give in STIFFNESS]
        name = folder_name(v, found)
        fits[name] = made
        found[name], loads = results_of(
            runner, inputs, made.stride, source,
            name=f"{source.trial} {v.label}", simulated=True,
            about=about_variant(made), warnings=variant_warnings(made), watch=watch,
        )  # fmt: skip
        unsure[name] = _sensitivities(p, runner, loads, found[name], band)
    return Simulation(original, found, reduced, fits, runner, unsure)


def _sensitivities(
    p: Problem,
    runner: Runner,
    loads: stages.LoadsOfMotion,
    results: Results,
    others: Sequence[KneeLoads],
) -> Sensitivities:
    assert results.ground is not None
    return sensitivities_of(p, runner, loads, results.ground.force, others)


def _knee(runner: Runner, inputs: stages.LoadInputs, made: Simulated) -> KneeLoads:
    informed = np.ones(len(runner.body.coordinates), dtype=np.bool_)
    return load_stride(runner, inputs, made.stride, unroll(made.stride, informed, False)).knee


def prepare(source: Results, start: float | None = None) -> tuple[Runner, Reduced]:
    """The runner and the residual-reduced stride of a captured trial."""
    runner = runner_of(source)
    stride = cut_stride(source, start)
    return runner, reduce(runner, stride, source.motion.informed)


@dataclass(frozen=True)
class DoseResponse:
    """Loads against dose.

    Attributes
    ----------
    name : str; doses : (D,) as asked, degrees or mm
    measured : mapping of stride-table column to (D, 2), as the alignment code measures it
    peaks : mapping of load to (D, 2), N or N·m, largest over the stride
    impulses : mapping of load to (D, 2), N·s or N·m·s
    simulated : tuple of Simulated, of the doses that were solved
    solved : (K,) those doses; between them everything is interpolated
    error : mapping of load to (2,) N or N·m, largest distance of a solved peak from what
        its neighbours would have given without it: about the largest error of the doses
        between, which have solved ones twice as near; zero where every dose was solved
    """

    name: str
    doses: Array
    measured: Mapping[str, Array]
    peaks: Mapping[str, Array]
    impulses: Mapping[str, Array]
    simulated: tuple[Simulated, ...]
    solved: Array
    error: Mapping[str, Array]


def dose_response(
    runner: Runner,
    reduced: Reduced,
    name: str,
    doses: Sequence[float],
    sides: tuple[Side, ...] = SIDES,
    solve: int = 7,
    inputs: stages.LoadInputs | None = None,
    fit: PathFit | None = None,
) -> DoseResponse:
    """Peaks and impulses of the knee loads over a series of doses of one variant.

    Parameters
    ----------
    runner, reduced : as `prepare` returns them
    name : 'valgus', 'knee-out' or 'crossover'
    doses : degrees or mm
    solve : how many doses are solved, at least 2; more are interpolated between them
        (monotone cubics, Fritsch & Carlson 1980, doi:10.1137/0717021)
    inputs : of `stages.load_inputs`, when they are known already
    fit : PathFit, optional, see `simulation.recording.load_stride`
    """
    inputs = inputs or stages.load_inputs(runner.fitted, runner.subject, runner.settings)
    wanted = np.asarray(doses, dtype=float)
    nodes = _nodes(wanted, max(solve, 2))
    made = [simulate_variant(reduced.problem, variant(name, float(d), sides)) for d in nodes]
    measured = {m: np.full((len(made), 2), np.nan) for m in MEASURES}
    peaks = {m: np.full((len(made), 2), np.nan) for m in PEAKS}
    impulses = {m: np.full((len(made), 2), np.nan) for m in PEAKS}
    informed = np.ones(len(runner.body.coordinates), dtype=np.bool_)
    for k, one in enumerate(made):
        recording = unroll(one.stride, informed, False)
        loads = load_stride(runner, inputs, one.stride, recording, fit=fit)
        paths = runner.paths(recording.motion.time, recording.motion.rate, recording.motion.q)
        for row in one_a_side(runner, recording, paths):
            s = SIDES.index("r" if row["side"] == "r" else "l")
            for m in MEASURES:
                measured[m][k, s] = float(row[m])
            for m in PEAKS:
                peaks[m][k, s], impulses[m][k, s] = _over_stride(loads.knee, m, s, row)
    error = {m: _left_out(nodes, v, wanted) for m, v in peaks.items()}
    return DoseResponse(
        name,
        wanted,
        {m: _between(nodes, v, wanted) for m, v in measured.items()},
        {m: _between(nodes, v, wanted) for m, v in peaks.items()},
        {m: _between(nodes, v, wanted) for m, v in impulses.items()},
        tuple(made),
        nodes,
        error,
    )


def _nodes(doses: Array, count: int) -> Array:
    """Doses to solve: all where they are few, else the ends and others evenly between."""
    distinct = np.unique(doses)
    if len(distinct) <= count:
        return distinct
    # Distinct because there are more doses than nodes.
    at = np.linspace(0, len(distinct) - 1, count).round().astype(int)
    return np.asarray(distinct[at], dtype=float)


def _between(nodes: Array, values: Array, doses: Array) -> Array:
    """Values (D, 2) at doses from those at the nodes (K, 2); a node keeps its own."""
    from scipy.interpolate import PchipInterpolator

    at = np.searchsorted(nodes, doses)
    out = np.full((len(doses), values.shape[1]), np.nan)
    for s in range(values.shape[1]):
        told = np.isfinite(values[:, s])
        if told.sum() > 1:
            curve = PchipInterpolator(nodes[told], values[told, s], extrapolate=False)
            out[:, s] = curve(doses)
    exact = nodes[np.minimum(at, len(nodes) - 1)] == doses
    out[exact] = values[at[exact]]
    return out


def _left_out(nodes: Array, values: Array, doses: Array) -> Array:
    """Largest distance of an inner node from the others' curve, (2,)."""
    if len(nodes) == len(np.unique(doses)):
        return np.zeros(values.shape[1])
    apart = [
        np.abs(
            _between(np.delete(nodes, k), np.delete(values, k, axis=0), nodes[k : k + 1])[0]
            - values[k]
        )
        for k in range(1, len(nodes) - 1)
    ]
    return np.max(apart, axis=0) if apart else np.full(values.shape[1], np.nan)


def _over_stride(
    knee: KneeLoads, name: str, s: int, row: Mapping[str, str | float]
) -> tuple[float, float]:
    inside = (knee.time >= float(row["start_s"])) & (knee.time <= float(row["end_s"]))
    curve = getattr(knee, name)[inside, s]
    return float(curve.max()), float(np.trapezoid(curve, knee.time[inside]))


def folder_name(v: Variant, taken: Mapping[str, object]) -> str:
    """The variant's name, with its dose and leg where the plain name is taken."""
    if v.name not in taken:
        return v.name
    return v.label.replace(", ", "-").replace(" ", "-")


def write_simulation(target: Path, simulation: Simulation, overwrite: bool = False) -> Path:
    """Write `original/`, a folder per variant, comparison.csv and summary.json in one step.

    Parameters
    ----------
    target : Path
    overwrite : bool, whether an earlier comparison of that name may be replaced

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`.
    """
    everything = {"original": simulation.original, **simulation.variants}
    told = {
        "kind": "comparison",
        "trial": simulation.original.trial,
        "folders": list(everything),
        "simulation": {n: r.summary["simulation"] for n, r in everything.items()},
    }
    summary = stamped("simulation", told)

    def fill(folder: Path) -> None:
        for name, results in everything.items():
            write_results(folder / name, with_scene(results))
        (folder / "comparison.csv").write_text(simulation.comparison(), encoding="utf-8")
        write_comparison_scene(
            folder / "scene.npz",
            {name: folder / name for name in everything},
            title=simulation.original.trial,
            differences=simulation.differences(),
        )
        text = json.dumps(summary, indent=1, ensure_ascii=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")

    return replace_folder(target, fill, overwrite)


def _silent(stage: str, share: float) -> None:
    del stage, share
