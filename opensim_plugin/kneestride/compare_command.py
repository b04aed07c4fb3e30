"""`compare`: results folders in, a comparison folder out.

Every folder after the first is compared with the first, leg by leg; a single folder is
compared left against right. A folder that `kneestride simulate` wrote stands for its
original and variants.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .compare_model import FittedModel, efficiency_of, model_of
from .errors import KneestrideError, ResultsError, SettingsError
from .loads.retraining import Advice, advise, read_retraining
from .loads.sensitivities import PAIRINGS, Pairing, default_sources
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
)
from .results.folder import Results, read_results
from .results.held import held_folders
from .results.replace import MARK, replace_folder
from .results.scene_runner import MOST_RUNNERS, comparison_scene
from .results.schemas import stamped
from .vocabulary import SIDES, Array, Side

Progress = Callable[[str, float], None]
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
    results : mapping of condition name to what was compared, for the scene
    scene : content of scene.npz once `with_scene` made it; None where there is none
    drawn : whether `with_scene` has been asked
    """

    conditions: tuple[Condition, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]
    advice: tuple[Advice, ...]
    inputs: Mapping[str, Mapping[str, str]]
    results: Mapping[str, Results]
    scene: bytes | None = None
    drawn: bool = False

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
    models: dict[str, FittedModel] = {}
    cut: dict[tuple[str, Side], Condition] = {}
    for k, (name, results) in enumerate(several.items()):
        tell(name, 0.2 + 0.6 * k / len(several))
        model = model_of(results, models)
        costs = {} if model is None else efficiency_of(results, kinds, model)
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
        several,
    )


def with_scene(found: Compared) -> Compared:
    """Return the comparison with what the Blender side draws, or a note why there is none."""
    if found.drawn:
        return found
    scene, told = _scene(found.results)
    return replace(found, scene=scene, drawn=True, notes=(*found.notes, *told))


def write_comparison(target: Path, found: Compared, overwrite: bool = False) -> Path:
    """Write the comparison folder in one step.

    comparison.csv, curves.csv, curve_tests.csv, retraining.csv, plots/ (SVG and PNG),
    report.html, summary.json, and scene.npz where the models have the project's bodies.

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`.
    """
    found = with_scene(found)
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
    told = _summary(found, names)
    texts = {
        "comparison.csv": comparison_csv(found.comparisons),
        "curves.csv": curves_csv(found.conditions),
        "curve_tests.csv": curve_tests_csv(found.comparisons),
        "retraining.csv": _advice_csv(found.advice),
        "report.html": page,
        MARK: json.dumps(stamped("comparison", told), indent=1, ensure_ascii=False) + "\n",
    }

    def fill(folder: Path) -> None:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        if found.scene is not None:
            (folder / "scene.npz").write_bytes(found.scene)
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
    held = held_folders(folder)
    if held is None:
        return [folder]
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


def _condition(
    name: str,
    results: Results,
    side: Side,
    kind: Window,
    model: FittedModel | None,
    figures: Mapping[str, Array],
) -> Condition:
    if model is None:
        return condition(results, side, name, kind)
    geometry = model.spacing[side], model.thigh[side], model.shank[side]
    slopes = knee_sensitivities(results, side, *geometry)
    return condition(results, side, name, kind, slopes, figures)


# --- writing --------------------------------------------------------------------------


def _scene(several: Mapping[str, Results]) -> tuple[bytes | None, list[str]]:
    """What the Blender side draws, and what a reader has to know of it.

    None where a model's bodies are not those of the bones.
    """
    try:
        scene = comparison_scene(several)
    except KneestrideError as error:
        # Only what was asked for: the rest may name a temporary file.
        return None, [f"No scene.npz for kneestride animate: it needs {error.expected}."]
    left = list(several)[MOST_RUNNERS:]
    if left:
        return scene, [f"Not in scene.npz, which holds {MOST_RUNNERS}: {', '.join(left)}."]
    return scene, []


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
