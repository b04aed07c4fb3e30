"""The strides of one leg in one analysis, cut and stretched so that they can be compared.

A window is what counts as one stride: a whole stride; a stance, where the laboratory
recorded no second contact of the same foot; a repetition of a squat; a landing. Each is
stretched to 101 points. What a row of `strides.csv` says in one number (projection angle,
step width) comes along as a figure of that stride.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..errors import ResultsError
from ..loads.sensitivities import Source, analytic_sensitivities
from ..vocabulary import SIDES, Array, Side
from .folder import KNEE_COLUMNS, Results, StrideRow, is_translation

POINTS = 101
Window = Literal["stride", "repetition", "landing", "stance"]
WINDOWS: tuple[Window, ...] = ("stride", "repetition", "landing", "stance")
NEARLY_WHOLE = 0.9
"""Share of a whole stance from which a stance cut by the recording's edge still counts."""

_SIDED = re.compile(r"^(?P<head>.+)_(?P<side>[rl])(?P<tail>_.+)?$")
_FIGURE = ("_deg", "_mm", "_ratio", "_m", "_m_s", "_per_min", "_pct_leg")
_NOT_FIGURES = ("alignment_margin_deg", "landing_margin_mm")
_CRITERIA = 3
"""Alternative recruitment criteria behind the intervals of `summary.json`."""


@dataclass(frozen=True)
class Condition:
    """The strides of one leg in one analysis.

    Attributes
    ----------
    name : str
    side : 'r' or 'l'
    starts, durations : (N,) s
    curves : mapping of quantity to (N, 101)
        Named without side, unit last: `medial_N`, `itb_strain_percent`,
        `hip_adduction_deg`. A stride in which a quantity is masked anywhere is NaN.
    sensitivities : mapping of quantity to mapping of source to (N, 101)
    simulated : bool
    window : what was cut, see the module's first lines
    contact : (N,) share of the window that the foot is on the ground, NaN unknown
    task : str
        As the analysis recognised it; '' unknown.
    figures : mapping of quantity to (N,)
        One number a stride, unit last in the name.
    """

    name: str
    side: Side
    starts: Array
    durations: Array
    curves: Mapping[str, Array]
    sensitivities: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    simulated: bool = False
    window: Window = "stride"
    contact: Array = field(default_factory=lambda: np.empty(0))
    task: str = ""
    figures: Mapping[str, Array] = field(default_factory=dict)


def condition(
    results: Results,
    side: Side,
    name: str = "",
    kind: Window = "stride",
    sensitivities: Mapping[str, Mapping[str, Array]] | None = None,
    figures: Mapping[str, Array] | None = None,
) -> Condition:
    """Cut the strides of one leg out of an analysis.

    Parameters
    ----------
    results : Results
    side : 'r' or 'l'
    name : str, optional
        The trial's name when left out.
    kind : {'stride', 'repetition', 'landing', 'stance'}
    sensitivities : mapping of quantity to mapping of source to (T,), optional
        Over the analysis' frames, for this leg; see `knee_sensitivities`.
    figures : mapping of quantity to (N,), optional
        Further numbers a stride, in the order of `windows`.

    Raises
    ------
    ResultsError
        When there is no such window for this leg.
    """
    rows = windows(results.strides, side, kind)
    if not rows:
        kinds = sorted({f"{r.get('kind')} {r.get('side')}" for r in results.strides})
        raise ResultsError(
            f"at least one {kind} of side {side} in {results.trial}",
            "none",
            "choose another kind or side",
            kinds,
        )
    spans = [(start, end) for start, end, _ in rows]
    time = results.motion.time
    given = sensitivities or {}
    durations = np.array([b - a for a, b in spans])
    contact = np.array([_number(row.get("contact_s")) for *_, row in rows]) / durations
    return Condition(
        name=name or results.trial,
        side=side,
        starts=np.array([a for a, _ in spans]),
        durations=durations,
        curves={q: normalise(time, v, spans) for q, v in _quantities(results, side).items()},
        sensitivities={
            q: {source: normalise(time, j, spans) for source, j in by_source.items()}
            for q, by_source in given.items()
        },
        simulated=results.simulated,
        window=kind,
        contact=np.ones(len(rows)) if kind == "stance" else contact,
        task=next((str(r["task"]) for *_, r in rows if r.get("task")), ""),
        figures={**_figures([row for *_, row in rows]), **(figures or {})},
    )


def windows(
    rows: Sequence[StrideRow], side: Side, kind: Window
) -> list[tuple[float, float, StrideRow]]:
    """Start and end (s) of every window of one leg, and its row.

    A stance is a contact that was recorded whole. Where a leg has none, one that the
    recording's edge cuts by at most a tenth of a whole stance counts.

    Parameters
    ----------
    rows : the rows of `strides.csv`
    side : 'r' or 'l'
    kind : Window
    """
    mine = [r for r in rows if r.get("side") == side]
    if kind != "stance":
        same = [r for r in mine if r.get("kind") == kind]
        return [(_seconds(r["start_s"]), _seconds(r["end_s"]), r) for r in same]
    steps = [r for r in mine if r.get("kind") in ("stride", "partial")]
    whole = [
        (_seconds(r["start_s"]), _seconds(r["start_s"]) + _number(r.get("contact_s")), r)
        for r in steps
        if _number(r.get("contact_s")) > 0.0
    ]
    if whole:
        return whole
    contacts = [_number(r.get("contact_s")) for r in rows]
    usual = (
        np.median([c for c in contacts if c > 0.0]) if any(c > 0 for c in contacts) else np.inf
    )
    spans = [(_seconds(r["start_s"]), _seconds(r["end_s"]), r) for r in steps]
    return [s for s in spans if NEARLY_WHOLE * usual <= s[1] - s[0] <= 1.25 * usual]


def shared_window(results: Iterable[Results], sides: Sequence[Side] = SIDES) -> Window:
    """The first kind of window that every analysis has for every side.

    Raises
    ------
    ResultsError
        When there is none.
    """
    several = list(results)
    for kind in WINDOWS:
        if all(windows(r.strides, s, kind) for r in several for s in sides):
            return kind
    found = [
        f"{r.trial}: {', '.join(sorted({str(row.get('kind')) for row in r.strides})) or 'none'}"
        for r in several
    ]
    raise ResultsError(
        "recordings that all hold strides, stances, repetitions or landings of "
        + ("both legs" if len(sides) > 1 else f"side {sides[0]}"),
        "; ".join(found),
        "compare recordings of the same task",
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _seconds(value: str | float | int | bool | None) -> float:
    if not isinstance(value, (int, float)):
        raise ResultsError(
            "start and end of every stride in seconds", repr(value), "analyse the trial again"
        )
    return float(value)


def normalise(time: Array, values: Array, spans: Sequence[tuple[float, float]]) -> Array:
    """Each span of `values` on 101 points, linearly; NaN all over when masked anywhere.

    A stride that is partly masked has no peak that could be trusted to be its peak.

    Parameters
    ----------
    time, values : (T,)
    spans : N pairs of start and end, s

    Returns
    -------
    (N, 101)
    """
    phase = np.linspace(0.0, 1.0, POINTS)
    curves = np.empty((len(spans), POINTS))
    for k, (start, end) in enumerate(spans):
        at = start + phase * (end - start)
        inside = time[0] - 1e-9 <= start and end <= time[-1] + 1e-9
        curve = np.interp(at, time, values) if inside else np.full(POINTS, np.nan)
        curves[k] = np.nan if np.isnan(curve).any() else curve
    return curves


def _quantities(results: Results, side: Side) -> dict[str, Array]:
    found: dict[str, Array] = {}
    column = SIDES.index(side)
    if results.knee is not None:
        for attribute, name in KNEE_COLUMNS:
            found[name] = getattr(results.knee, attribute)[:, column]
    if results.tissues is not None:
        for name in results.tissues.names:
            split = _SIDED.match(name)
            if split is not None and split["side"] == side:
                found[split["head"] + (split["tail"] or "")] = results.tissues.column(name)
    for k, coordinate in enumerate(results.motion.coordinates):
        split = _SIDED.match(coordinate)
        if split is None or split["tail"] or split["side"] != side:
            continue
        if results.motion.informed[k] and not is_translation(coordinate):
            found[f"{split['head']}_deg"] = np.degrees(results.motion.q[:, k])
    return found


def _figures(rows: Sequence[StrideRow]) -> dict[str, Array]:
    """Columns of `strides.csv` that are one measure of a stride each, (N,)."""
    names = dict.fromkeys(n for r in rows for n in r if n.endswith(_FIGURE))
    found = {n: np.array([_number(r.get(n)) for r in rows]) for n in names}
    wanted = {n: v for n, v in found.items() if n not in _NOT_FIGURES}
    return {n: v for n, v in wanted.items() if np.isfinite(v).any()}


def knee_sensitivities(
    results: Results, side: Side, spacing: float, thigh: float, shank: float
) -> dict[str, dict[str, Array]]:
    """Sensitivities of compartments and adduction moment over the frames of an analysis.

    Geometry by statics (`loads.sensitivities`); the external adduction moment of a
    vertical force F about the knee centre changes by F with the pressure point's, by -F
    with the knee centre's way to medial, and by F h with varus. Muscle strength and the
    recruitment criterion as `summary.json` has them: found at the peak by recruiting
    again, taken in proportion to the load elsewhere.

    Parameters
    ----------
    results : Results
    side : 'r' or 'l'
    spacing, thigh, shank : float, m
        Of the fitted model.

    Returns
    -------
    mapping of quantity to mapping of source to (T,)
        For medial_N, lateral_N, total_N, adduction_moment_Nm and the cartilages' stress.
        Empty without loads.
    """
    if results.knee is None or results.ground is None:
        return {}
    k = SIDES.index(side)
    vertical = results.ground.force[:, k, 1]
    medial, lateral = results.knee.medial[:, k], results.knee.lateral[:, k]
    found = analytic_sensitivities(medial, lateral, vertical, spacing, thigh, shank)
    out = {
        "medial_N": {name: j[..., 0] for name, j in found.items()},
        "lateral_N": {name: j[..., 1] for name, j in found.items()},
        "total_N": {name: j.sum(axis=-1) for name, j in found.items()},
    }
    loads = {"medial_N": medial, "lateral_N": lateral, "total_N": medial + lateral}
    for quantity, curve in loads.items():
        out[quantity] |= _by_recruitment(results, side, quantity, curve)
    moment = results.knee.adduction_moment[:, k]
    nothing = np.zeros_like(vertical)
    out["adduction_moment_Nm"] = {
        "center_of_pressure": vertical,
        "knee_center": -vertical,
        "alignment": vertical * thigh * shank / (thigh + shank),
        "contact_spacing": nothing,
        "ground_force": moment,
        # External: what the muscles do does not enter.
        **{n: nothing for n in ("strength", *_criteria()) if n in out["medial_N"]},
    }
    for quantity, stress in (
        ("medial_N", "medial_cartilage"),
        ("lateral_N", "lateral_cartilage"),
    ):
        per_newton = _ratio(results, f"{stress}_{side}_MPa", loads[quantity])
        if per_newton is not None:
            out[f"{stress}_MPa"] = {n: per_newton * j for n, j in out[quantity].items()}
    return out


def criterion_sources() -> tuple[Source, ...]:
    """The recruitment criterion as sources, to go with `knee_sensitivities`.

    The same question stays open in both of two compared conditions, so it is common.
    """
    what = "recruitment criterion: w = 0.03, w = 0.3 and the plain sum of squares"
    sigma = 1.0 / math.sqrt(_CRITERIA)
    return tuple(Source(n, sigma, "1", "model", 1.0, 1.0, what) for n in _criteria())


def _criteria() -> tuple[str, ...]:
    return tuple(f"criterion:{k + 1}" for k in range(_CRITERIA))


def _by_recruitment(
    results: Results, side: Side, quantity: str, curve: Array
) -> dict[str, Array]:
    """Sensitivity to strength and criterion, (T,) each; empty where the summary has none."""
    section = results.summary.get("uncertainty")
    of_side = section.get(side) if isinstance(section, Mapping) else None
    entry = of_side.get(f"{quantity.removesuffix('_N')}_peak") if of_side else None
    if not entry or not entry["median_N"]:
        return {}
    sigmas = {"strength": 0.20} | {n: 1.0 / math.sqrt(_CRITERIA) for n in _criteria()}
    parts = entry["sd_by_source_N"]
    return {
        n: parts[n] / s / entry["median_N"] * curve for n, s in sigmas.items() if n in parts
    }


def _ratio(results: Results, column: str, force: Array) -> float | None:
    """Stress over force: the table holds the area constant."""
    if results.tissues is None or column not in results.tissues.names:
        return None
    stress = results.tissues.column(column)
    ok = np.isfinite(stress) & np.isfinite(force)
    if not ok.any() or not np.abs(force[ok]).max() > 0.0:
        return None
    at = int(np.argmax(np.where(ok, force, -np.inf)))
    return float(stress[at] / force[at])
