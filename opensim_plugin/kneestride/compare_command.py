"""`compare`: results folders in, a comparison folder out.

Every folder after the first is compared with the first, leg by leg; a single folder is
compared left against right. A folder that `kneestride simulate` wrote stands for its
original and variants.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import ResultsError, SettingsError
from .loads.efficiency import EfficiencyInputs, Stance, efficiency
from .loads.retraining import Advice, advise, read_retraining
from .loads.sensitivities import PAIRINGS, Pairing, default_sources
from .model.paths import exact_paths
from .report.comparison import (
    PLOTTED,
    SIDE_NAMES,
    draw,
    headline_rows,
    label_of,
    number,
    pair_title,
    render_comparison,
    svg_and_png,
)
from .results.compare import Comparison, compare
from .results.comparison_tables import comparison_csv, curve_tests_csv, curves_csv
from .results.conditions import (
    WINDOWS,
    Condition,
    Window,
    condition,
    criterion_sources,
    knee_sensitivities,
    shared_window,
    windows,
)
from .results.folder import Results, read_results
from .results.replace import MARK, replace_folder
from .simulation.runner import Runner, runner_of
from .vocabulary import SIDES, Array, Side

Progress = Callable[[str, float], None]
MOST_STRIDES = 10
"""Strides a leg whose muscle moment arms are computed, from the middle of the recording."""

_PAIRED = "Recordings with no file in common were taken as of different people or days"


@dataclass(frozen=True)
class Compared:
    """A whole comparison.

    Attributes
    ----------
    conditions : tuple of Condition, every folder's legs
    comparisons : tuple of Comparison
    notes : tuple of str, what a reader has to know first
    advice : tuple of Advice for the first folder
    inputs : mapping of condition name to the SHA-256 of its recording's files
    """

    conditions: tuple[Condition, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]
    advice: tuple[Advice, ...]
    inputs: Mapping[str, Mapping[str, str]]

    def lines(self) -> list[str]:
        """What a person wants to read when the work is done."""
        out = list(self.notes)
        for pair in self.comparisons:
            out.append(pair_title(pair))
            for d in headline_rows(pair):
                change, low, high = (
                    number(float(v)) for v in (d.change.value, d.change.low, d.change.high)
                )
                star = " *" if d.distinct else ""
                measure = "" if d.measure == "value" else f" {d.measure.replace('_', ' ')}"
                out.append(
                    f"  {label_of(d.quantity)}{measure}: {change} ({low} to {high}){star}"
                )
        return [*out, "* the 95 % interval of the change leaves out zero"]


def compare_results(
    folders: Sequence[Path] | Mapping[str, Results],
    *,
    left_right: bool = False,
    pairing: Pairing | None = None,
    window: Window | None = None,
    progress: Progress | None = None,
) -> Compared:
    """Compare analyses with the first of them, or the legs of one.

    Parameters
    ----------
    folders : sequence of Path, or mapping of name to Results
    left_right : bool
        Also the left leg against the right within each.
    pairing : Pairing, optional
        How the recordings belong together (`loads.sensitivities`); told from their files
        when left out.
    window : Window, optional
        What is compared; the longest kind that all have when left out.
    progress : callable of (stage, share), optional

    Raises
    ------
    ResultsError
        When a folder is no results folder, or they have nothing in common to compare.
    """
    tell = progress or _silent
    several = dict(folders) if isinstance(folders, Mapping) else _read(folders, tell)
    if not several:
        raise ResultsError("at least one results folder", "none", "name one or more")
    kinds, notes = _windows(several, window)
    models: dict[str, _Model] = {}
    cut: dict[tuple[str, Side], Condition] = {}
    for k, (name, results) in enumerate(several.items()):
        tell(name, 0.2 + 0.6 * k / len(several))
        model = _model_of(results, models)
        costs = {} if model is None else _efficiency(results, kinds, model)
        for side, kind in kinds.items():
            extra = costs.get(side, {})
            cut[name, side] = _condition(name, results, side, kind, model, extra)
    notes += _warnings(several)
    tell("differences", 0.8)
    comparisons: list[Comparison] = []
    first, *others = several
    if left_right or not others:
        if len(kinds) < 2 or len(set(kinds.values())) > 1:
            raise ResultsError(
                "the same kind of movement of both legs",
                ", ".join(f"{SIDE_NAMES[s]}: {k}" for s, k in kinds.items()),
                "compare recordings in which both legs were measured",
            )
        for name, results in several.items():
            pair = _compare(cut[name, "r"], cut[name, "l"], results, results, "person")
            comparisons.append(pair)
    unrelated = False
    for name in others:
        how = pairing or _pairing(several[first], several[name])
        unrelated |= how == "person" and pairing is None
        for side in kinds:
            one, two = cut[first, side], cut[name, side]
            comparisons.append(_compare(one, two, several[first], several[name], how))
    if unrelated:
        notes.append(f"{_PAIRED}: --pairing day or session if they are of one person.")
    advice = [a for s in kinds for a in advise(cut[first, s].figures, s)]
    notes += sorted({n for c in comparisons for n in _counted(c)})
    return Compared(
        tuple(cut.values()),
        tuple(comparisons),
        tuple(dict.fromkeys(notes)),
        tuple(advice),
        {name: dict(r.sources) for name, r in several.items()},
    )


def write_comparison(target: Path, found: Compared, overwrite: bool = False) -> Path:
    """Write the comparison folder in one step.

    comparison.csv, curves.csv, curve_tests.csv, retraining.csv, plots/ (SVG and PNG),
    report.html, summary.json.

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`.
    """
    present = {q for c in found.conditions for q in c.curves}
    drawn = {q: svg_and_png(draw(q, found.conditions, found.comparisons))
             for q in PLOTTED if q in present}  # fmt: skip
    names = list(dict.fromkeys(c.name for c in found.conditions))
    title = " against ".join([names[0], ", ".join(names[1:])]) if names[1:] else names[0]
    page = render_comparison(
        title,
        found.comparisons,
        [svg for svg, _ in drawn.values()],
        found.notes,
        [_advice_row(a) for a in found.advice],
        read_retraining().preface,
        names[0],
    )
    texts = {
        "comparison.csv": comparison_csv(found.comparisons),
        "curves.csv": curves_csv(found.conditions),
        "curve_tests.csv": curve_tests_csv(found.comparisons),
        "retraining.csv": _advice_csv(found.advice),
        "report.html": page,
        MARK: json.dumps(_summary(found, names), indent=1, ensure_ascii=False) + "\n",
    }

    def fill(folder: Path) -> None:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        (folder / "plots").mkdir()
        for quantity, (svg, png) in drawn.items():
            (folder / "plots" / f"{quantity}.svg").write_text(svg, encoding="utf-8")
            (folder / "plots" / f"{quantity}.png").write_bytes(png)

    return replace_folder(target, fill, overwrite)


def pairing_argument(text: str | None) -> Pairing | None:
    """Return `--pairing` as `compare_results` wants it.

    Raises
    ------
    SettingsError
        It is none of `PAIRINGS`.
    """
    return _one_of(text, PAIRINGS, "--pairing")


def window_argument(text: str | None) -> Window | None:
    """Return `--window` as `compare_results` wants it.

    Raises
    ------
    SettingsError
        It is none of `WINDOWS`.
    """
    return _one_of(text, WINDOWS, "--window")


def _one_of[Choice: str](
    text: str | None, choices: tuple[Choice, ...], option: str
) -> Choice | None:
    if text is None:
        return None
    for choice in choices:
        if text == choice:
            return choice
    raise SettingsError(f"a known {option}", repr(text), "choose one of these", choices)


# --- reading --------------------------------------------------------------------------


def _read(folders: Sequence[Path], tell: Progress) -> dict[str, Results]:
    paths = [p for folder in folders for p in _expanded(Path(folder))]
    several: dict[str, Results] = {}
    for k, path in enumerate(paths):
        tell("reading", 0.2 * k / len(paths))
        name = path.resolve().name
        if name in several:  # the same folder twice, or two of one name in different places
            parent = f"{path.resolve().parent.name}/{name}"
            name = parent if parent not in several else f"{parent} ({k + 1})"
        several[name] = read_results(path)
    return several


def _expanded(folder: Path) -> list[Path]:
    """The results folders that a comparison folder of `simulate` holds, else itself."""
    try:
        summary = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [folder]  # `read_results` says what is wrong with it
    if not isinstance(summary, dict) or summary.get("kind") != "comparison":
        return [folder]
    held = [folder / str(name) for name in summary.get("folders", [])]
    if not held:
        raise ResultsError(
            "a results folder, or a folder that kneestride simulate wrote",
            f"{folder.name!r}, which holds a comparison alone",
            "give the folders that were compared",
        )
    return held


def _warnings(several: Mapping[str, Results]) -> list[str]:
    """Warnings of the analyses, each once, with the names it goes for."""
    of: dict[str, list[str]] = {}
    for name, results in several.items():
        for warning in results.warnings:
            of.setdefault(warning, []).append(name)
    return [f"{', '.join(names)}: {warning}" for warning, names in of.items()]


def _windows(
    several: Mapping[str, Results], window: Window | None
) -> tuple[dict[Side, Window], list[str]]:
    """The kind of window of each leg that all recordings have, and what was left out."""
    if window is not None:
        return dict.fromkeys(SIDES, window), []
    try:
        return dict.fromkeys(SIDES, shared_window(several.values())), []
    except ResultsError:
        kinds: dict[Side, Window] = {}
        for side in SIDES:
            try:
                kinds[side] = shared_window(several.values(), (side,))
            except ResultsError:
                continue
        if not kinds:
            raise
        missing = [SIDE_NAMES[s] for s in SIDES if s not in kinds]
        return kinds, [f"The {m} leg is left out: not all recordings hold it." for m in missing]


def _pairing(first: Results, second: Results) -> Pairing:
    one, two = set(first.sources.values()), set(second.sources.values())
    if one and one == two:
        return "recording"
    # The static trial is the file that two recordings of one session have in common.
    return "session" if one & two else "person"


def _compare(
    one: Condition, two: Condition, first: Results, second: Results, how: Pairing
) -> Comparison:
    predicted = any(r.ground is not None and r.ground.predicted for r in (first, second))
    same = one.side == two.side and set(first.sources.values()) == set(second.sources.values())
    matched = (
        same
        and one.starts.shape == two.starts.shape
        and bool(np.allclose(one.starts, two.starts, atol=1e-3))
        and bool(np.allclose(one.durations, two.durations, atol=1e-3))
    )
    sources = (*default_sources(predicted, how), *criterion_sources())
    return compare(one, two, sources, matched=matched)


def _counted(pair: Comparison) -> list[str]:
    notes = []
    few = min(len(pair.first.starts), len(pair.second.starts))
    if few == 1 and not pair.matched:
        notes.append(
            "A condition with one stride shows no spread of its own: the usual spread of "
            "such strides stands in (models/comparison.toml)."
        )
    if few < 5 and not pair.matched:
        notes.append("No curve test with fewer than five strides a condition.")
    return notes


# --- what needs the model ---------------------------------------------------------------


@dataclass(frozen=True)
class _Model:
    runner: Runner
    xml: str
    spacing: dict[Side, float]
    thigh: dict[Side, float]
    shank: dict[Side, float]


def _model_of(results: Results, known: dict[str, _Model]) -> _Model | None:
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
        known[results.model_xml] = _Model(
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


def _condition(
    name: str,
    results: Results,
    side: Side,
    kind: Window,
    model: _Model | None,
    figures: Mapping[str, Array],
) -> Condition:
    if model is None:
        return condition(results, side, name, kind)
    geometry = model.spacing[side], model.thigh[side], model.shank[side]
    slopes = knee_sensitivities(results, side, *geometry)
    return condition(results, side, name, kind, slopes, figures)


def _efficiency(
    results: Results, kinds: Mapping[Side, Window], model: _Model
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
    results: Results, model: _Model, stances: Sequence[Stance]
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


def _sole(paths: object, side: Side) -> float:
    """Height of the ankle centre over the sole, m."""
    points = paths.points  # type: ignore[attr-defined]
    return float(
        np.linalg.norm(points[f"ankle_center_{side}"][0] - points[f"heel_bottom_{side}"][0])
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


# --- writing --------------------------------------------------------------------------


def _advice_row(a: Advice) -> dict[str, str]:
    groups = read_retraining().exercises
    f = a.finding
    return {
        "leg": SIDE_NAMES[a.side],
        "text": f.text,
        "value": f"{label_of(f.column)} {number(a.value)}",
        "share": f"{round(a.share * a.strides)} of {a.strides} strides",
        "limit": f"{'above' if f.above else 'below'} {number(f.limit)} ({f.grade}: {f.source})",
        "cue": f.cue,
        "targets": ", ".join(label_of(t) for t in f.targets),
        "exercises": "; ".join(
            f"{g.label} ({', '.join(g.muscles)}): {g.examples}"
            for g in (groups[e] for e in f.exercises)
        ),
    }


def _advice_csv(advice: Sequence[Advice]) -> str:
    import csv
    import io

    out = io.StringIO()
    columns = ("leg", "text", "value", "share", "limit", "cue", "targets", "exercises")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_advice_row(a) for a in advice)
    return out.getvalue()


def _summary(found: Compared, names: Sequence[str]) -> dict[str, object]:
    return {
        "kind": "comparison",
        "conditions": list(names),
        "inputs": found.inputs,
        "notes": list(found.notes),
        "pairs": [
            {
                "title": pair_title(pair),
                "matched": pair.matched,
                "window": pair.first.window,
                "differences": [
                    {
                        "quantity": d.quantity,
                        "measure": d.measure,
                        "change": float(d.change.value),
                        "low": float(d.change.low),
                        "high": float(d.change.high),
                        "distinct": d.distinct,
                    }
                    for d in headline_rows(pair)
                ],
            }
            for pair in found.comparisons
        ],
    }


def _silent(stage: str, share: float) -> None:
    del stage, share
