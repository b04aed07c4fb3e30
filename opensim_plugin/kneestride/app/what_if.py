"""Loads against knee position and step width, simulated at a few doses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..simulation.variants import variant
from ..vocabulary import SIDES, Array

DOSES: dict[str, tuple[float, ...]] = {
    "valgus": (0.0, 5.0, 10.0),
    "knee-out": (4.0, 8.0),
    "crossover": (20.0, 40.0),
}
"""What is simulated: degrees inwards, degrees outwards, mm narrower. Between these the
curve is a monotone cubic; nothing is extrapolated."""
SHOWN = ("medial", "lateral", "total", "adduction_moment")
COLUMNS = {"medial": "medial_N", "lateral": "lateral_N", "total": "total_N",
           "adduction_moment": "adduction_moment_Nm"}  # fmt: skip
"""What comparisons call these loads."""
ANGLES, WIDTHS = (-8.0, 10.0), (0.0, 40.0)


def responses(
    folder: Path,
    progress: Callable[[str, float], None] | None = None,
    doses: Mapping[str, Sequence[float]] = DOSES,
) -> dict[str, Any]:
    """Peaks of the loads at every dose, ready for JSON.

    Returns
    -------
    `angle` and `width`: `dose` (ascending; inwards, narrower positive), `peaks` load to
    (D, 2) N or N·m, `measured` column to (D, 2), `ends` doses and `half` load to half the
    95 % interval of the change there; `mass` kg, `trial`.
    """
    from ..results.folder import read_results
    from ..simulate import dose_response, prepare, simulate

    tell = progress or (lambda stage, share: None)
    tell("stride", 0.0)
    source = read_results(folder)
    runner, reduced = prepare(source)
    found = {}
    for k, (name, wanted) in enumerate(doses.items()):
        tell(name, 0.15 + 0.15 * k)
        found[name] = dose_response(runner, reduced, name, wanted, solve=len(wanted))
    now = found["valgus"]
    out: dict[str, Any] = {"mass": source.subject.mass, "trial": source.trial}
    for axis, before, after in (("angle", found["knee-out"], now),
                                ("width", None, found["crossover"])):  # fmt: skip
        rows: list[tuple[float, Any, int]] = []
        if before is not None:
            rows += [(-float(d), before, i) for i, d in enumerate(before.doses)]
        rows.append((0.0, now, 0))
        rows += [(float(d), after, i) for i, d in enumerate(after.doses) if d > 0]
        rows.sort(key=lambda r: r[0])
        out[axis] = {
            "dose": [r[0] for r in rows],
            "peaks": {m: [r[1].peaks[m][r[2]].tolist() for r in rows] for m in SHOWN},
            "measured": {
                m: [r[1].measured[m][r[2]].tolist() for r in rows] for m in now.measured
            },
        }
    tell("intervals", 0.6)
    largest = [variant(name, max(wanted)) for name, wanted in doses.items()]
    sure = half_intervals(simulate(source, largest).differences(tuple(COLUMNS.values())))
    for axis, ends in (("angle", ("knee-out", "", "valgus")), ("width", ("", "crossover"))):
        out[axis]["ends"] = [-max(doses[n]) if n == "knee-out" else max(doses.get(n, [0.0]))
                             for n in ends]  # fmt: skip
        out[axis]["half"] = {m: [sure[n, m] if n else [0.0, 0.0] for n in ends] for m in SHOWN}
    return out


def half_intervals(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[float]]:
    """Half the 95 % interval of changes from the captured stride, (variant, load) → (2,)."""
    load = {column: name for name, column in COLUMNS.items()}
    out: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row["first"] == "original":
            mine = out.setdefault((str(row["second"]), load[row["quantity"]]), [0.0, 0.0])
            mine[SIDES.index(row["side"])] = 0.5 * float(row["high"] - row["low"])
    return out


def unsure(table: Mapping[str, Any], load: str, angle: float, width: float) -> Array:
    """Half the 95 % interval (2,) of a change.

    Solved at the largest doses; no change is sure, and between the two it grows with the
    dose. Changes that are added have the root of the sum of squares.
    """
    parts = []
    for axis, dose in ((table["angle"], angle), (table["width"], width)):
        half = np.asarray(axis["half"][load], dtype=float)
        parts.append([np.interp(dose, axis["ends"], half[:, k]) for k in range(len(SIDES))])
    return np.asarray(np.hypot(*np.array(parts)))


def changed(table: Mapping[str, Any], load: str, angle: float, width: float) -> Array:
    """Peak of a load (2,) at an angle (°) and a narrowing (mm); their effects are added.

    Doses outside of the simulated ones are taken at the nearest of them.
    """
    base = at_dose(table["angle"], load, 0.0)
    return np.asarray(
        at_dose(table["angle"], load, angle) + at_dose(table["width"], load, width) - base
    )


def at_dose(axis: Mapping[str, Any], load: str, dose: float) -> Array:
    """Peak of a load (2,) at a dose, monotone cubics between the simulated ones."""
    from scipy.interpolate import PchipInterpolator

    doses = np.asarray(axis["dose"], dtype=float)
    values = np.asarray(axis["peaks"][load], dtype=float)
    at = float(np.clip(dose, doses[0], doses[-1]))
    return np.array(
        [float(PchipInterpolator(doses, values[:, k])(at)) for k in range(len(SIDES))]
    )
