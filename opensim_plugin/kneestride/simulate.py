"""`simulate`: what the same runner's knee would carry with the knee in, out or the foot across.

results folder ─► one stride, made periodic ─► residual reduction ─► variants ─► loads

Every variant is a change of the residual-reduced stride, so that all differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import stages
from .loads.sensitivities import default_sources
from .loads.types import KneeLoads
from .results.compare import compare, comparison_csv, condition, knee_sensitivities
from .results.folder import Results, read_results
from .simulation.recording import load_stride, one_a_side, results_of, unroll
from .simulation.runner import Runner, runner_of
from .simulation.solve import Reduced, Simulated, reduce, simulate_variant
from .simulation.stride import cut_stride
from .simulation.variants import Variant, variant
from .vocabulary import SIDES, Array, Side

Progress = Callable[[str, float], None]
MEASURES = ("projection_angle_mid_deg", "step_width_mm")
PEAKS = ("medial", "lateral", "total", "adduction_moment", "patellofemoral")


@dataclass(frozen=True)
class Simulation:
    """A captured stride and its variants, each as the contents of a results folder.

    Attributes
    ----------
    original : Results of the residual-reduced stride
    variants : mapping of folder name to Results
    reduced : Reduced; simulated : mapping of folder name to Simulated
    runner : Runner
    """

    original: Results
    variants: Mapping[str, Results]
    reduced: Reduced
    simulated: Mapping[str, Simulated]
    runner: Runner

    def comparison(self) -> str:
        """`comparison.csv`: every variant against the original, side by side."""
        first = {side: self._condition("original", self.original, side) for side in SIDES}
        sources = default_sources(bool(self.original.ground and self.original.ground.predicted))
        found = [
            compare(first[side], self._condition(name, results, side), sources)
            for name, results in self.variants.items()
            for side in SIDES
        ]
        return comparison_csv(found)

    def _condition(self, name: str, results: Results, side: Side):  # type: ignore[no-untyped-def]
        knee = self.runner.knees[side]
        spacing = float(np.linalg.norm(knee.medial_compartment - knee.lateral_compartment))
        leg = self.reduced.problem.legs[side]
        state = self.reduced.problem.base
        hip, middle, ankle = (state.point(*x)[0] for x in (leg.hip, leg.knee, leg.ankle))
        thigh, shank = np.linalg.norm(hip - middle), np.linalg.norm(middle - ankle)
        known = knee_sensitivities(results, side, spacing, float(thigh), float(shank))
        return condition(results, side, name, sensitivities=known)


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
    chosen = list(variants) if variants is not None else [variant(n) for n in DEFAULTS]
    source = results if isinstance(results, Results) else read_results(Path(results))
    tell = progress or _silent
    tell("stride", 0.0)
    runner, reduced = prepare(source, start)
    inputs = stages.load_inputs(runner.fitted, runner.subject, runner.settings)
    p = reduced.problem
    tell("original", 0.1)
    original = results_of(
        runner, inputs, p.stride, source,
        name=f"{source.trial} original", simulated=False,
        about=about_original(reduced), warnings=reduction_warnings(reduced),
    )  # fmt: skip
    found: dict[str, Results] = {}
    fits: dict[str, Simulated] = {}
    for k, v in enumerate(chosen):
        tell(v.label, 0.2 + 0.8 * k / len(chosen))
        watch = stages.Stopwatch()
        made = simulate_variant(p, v)
        watch.seconds["fit"] = made.seconds
        name = folder_name(v, found)
        fits[name] = made
        found[name] = results_of(
            runner, inputs, made.stride, source,
            name=f"{source.trial} {v.label}", simulated=True,
            about=about_variant(made), warnings=variant_warnings(made), watch=watch,
        )  # fmt: skip
    return Simulation(original, found, reduced, fits, runner)


DEFAULTS = ("valgus", "neutral", "knee-out", "crossover")


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
    simulated : tuple of Simulated
    """

    name: str
    doses: Array
    measured: Mapping[str, Array]
    peaks: Mapping[str, Array]
    impulses: Mapping[str, Array]
    simulated: tuple[Simulated, ...]


def dose_response(
    runner: Runner,
    reduced: Reduced,
    name: str,
    doses: Sequence[float],
    sides: tuple[Side, ...] = SIDES,
) -> DoseResponse:
    """Peaks and impulses of the knee loads over a series of doses of one variant.

    Parameters
    ----------
    runner, reduced : as `prepare` returns them
    name : 'valgus', 'knee-out' or 'crossover'
    doses : degrees or mm
    """
    inputs = stages.load_inputs(runner.fitted, runner.subject, runner.settings)
    made = [simulate_variant(reduced.problem, variant(name, d, sides)) for d in doses]
    measured = {m: np.full((len(made), 2), np.nan) for m in MEASURES}
    peaks = {m: np.full((len(made), 2), np.nan) for m in PEAKS}
    impulses = {m: np.full((len(made), 2), np.nan) for m in PEAKS}
    informed = np.ones(len(runner.body.coordinates), dtype=np.bool_)
    for k, one in enumerate(made):
        recording = unroll(one.stride, informed, False)
        loads = load_stride(runner, inputs, one.stride, recording)
        paths = runner.paths(recording.motion.time, recording.motion.rate, recording.motion.q)
        for row in one_a_side(runner, recording, paths):
            s = SIDES.index("r" if row["side"] == "r" else "l")
            for m in MEASURES:
                measured[m][k, s] = float(row[m])
            for m in PEAKS:
                peaks[m][k, s], impulses[m][k, s] = _over_stride(loads.knee, m, s, row)
    return DoseResponse(name, np.asarray(doses, float), measured, peaks, impulses, tuple(made))


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


def about_original(reduced: Reduced) -> dict[str, object]:
    """What `summary.json` says of the residual-reduced stride."""
    s = reduced.problem.stride
    return {
        "variant": "original",
        "stride_start_s": s.start,
        "stride_period_s": s.period,
        "stride_side": s.side,
        "drift_m_s": [float(v) for v in s.drift],
        "closing_moved": _readable(s.closing),
        "reduction_moved": _readable(reduced.moved),
        "residual_before": vars(reduced.before).copy(),
        "residual_after": vars(reduced.after).copy(),
        "rule_kept": reduced.after.kept,
        "iterations": reduced.iterations,
    }


def about_variant(made: Simulated) -> dict[str, object]:
    """What `summary.json` says of a variant: asked, got, and what was absorbed."""
    return {
        "variant": made.variant.name,
        "dose": made.variant.dose,
        "sides": list(made.variant.sides),
        "hold_knee_flexion": made.variant.hold_knee_flexion,
        "residual_force_change_N": made.force_change,
        "residual_moment_change_Nm": made.moment_change,
        "moment_change_without_corrections_Nm": made.uncorrected,
        "pressure_correction_mm": 1e3 * made.pressure_correction,
        "free_moment_correction_Nm": made.free_moment,
        "foot_slide_mm": 1e3 * made.slide,
        "foot_sink_mm": 1e3 * made.sink,
        "leg_clearance_mm": 1e3 * made.clearance,
        "leg_clearance_before_mm": 1e3 * made.base_clearance,
        "over_joint_limit_deg": float(np.degrees(made.over_limit)),
        "projection_angle_change_deg": {
            s: float(np.degrees(v)) for s, v in made.projection.items()
        },
        "step_width_change_mm": 1e3 * made.width,
        "iterations": made.iterations,
        "fit_seconds": made.seconds,
    }


def _readable(moved: Mapping[str, float]) -> dict[str, float]:
    """Largest changes in mm and degrees, only those worth reading."""
    out = {}
    for name, value in moved.items():
        slide = name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")
        figure = 1e3 * value if slide else float(np.degrees(value))
        if figure >= 0.05:
            out[f"{name}_{'mm' if slide else 'deg'}"] = round(figure, 2)
    return out


def reduction_warnings(reduced: Reduced) -> tuple[str, ...]:
    """What the user has to know of the residual-reduced stride."""
    a = reduced.after
    sentence = (
        f"One captured stride, made to repeat and brought into balance: pelvis residuals "
        f"{100 * a.force_share:.1f} % of the peak ground force (rule: 5 %) and "
        f"{100 * a.moment_share:.2f} % of it times the mass centre's height (rule: 1 %)"
    )
    return (sentence + (". " if a.kept else "; the rule is missed. ")
            + "summary.json lists what was moved.",)  # fmt: skip


FORCE_LIMIT, MOMENT_LIMIT = 10.0, 4.0
SLIDE_LIMIT, SINK_LIMIT = 0.001, 0.003


def variant_warnings(made: Simulated) -> tuple[str, ...]:
    """What the user has to know of a simulated stride; the first is always there."""
    out = [
        f"Simulated, not captured: {made.variant.label}. Corrections of the ground reaction: "
        f"centre of pressure {1e3 * made.pressure_correction:.1f} mm, free moment "
        f"{made.free_moment:.1f} N m; pelvis residuals change by {made.force_change:.1f} N and "
        f"{made.moment_change:.1f} N m. No reflexes and no new cadence."
    ]
    if made.force_change > FORCE_LIMIT or made.moment_change > MOMENT_LIMIT:
        out.append(
            f"The balance is missed (limits {FORCE_LIMIT:g} N and {MOMENT_LIMIT:g} N m): a "
            "smaller dose will keep it."
        )
    if made.slide > SLIDE_LIMIT or made.sink > SINK_LIMIT:
        out.append(
            f"The standing foot slides {1e3 * made.slide:.1f} mm and sinks "
            f"{1e3 * made.sink:.1f} mm (limits 1 and 3 mm)."
        )
    return tuple(out)


def _silent(stage: str, share: float) -> None:
    del stage, share
