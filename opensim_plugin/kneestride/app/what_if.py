"""Loads against knee position and step width, simulated at a few doses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..vocabulary import SIDES, Array

DOSES: dict[str, tuple[float, ...]] = {
    "valgus": (0.0, 5.0, 10.0),
    "knee-out": (4.0, 8.0),
    "crossover": (20.0, 40.0),
}
"""What is simulated: degrees inwards, degrees outwards, mm narrower. Between these the
curve is a monotone cubic; nothing is extrapolated."""
SHOWN = ("medial", "lateral", "total", "adduction_moment")
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
    (D, 2) N or N·m, `measured` column to (D, 2); `mass` kg, `trial`.
    """
    from ..results.folder import read_results
    from ..simulate import dose_response, prepare

    tell = progress or (lambda stage, share: None)
    tell("stride", 0.0)
    source = read_results(folder)
    runner, reduced = prepare(source)
    found = {}
    for k, (name, wanted) in enumerate(doses.items()):
        tell(name, 0.25 + 0.25 * k)
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
    return out


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
