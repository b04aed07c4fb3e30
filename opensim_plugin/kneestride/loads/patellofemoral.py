"""Patellofemoral contact force from quadriceps tension and geometry.

The patella is pulled up by the quadriceps tendon and down by the patellar tendon; what is
left of the two presses it onto the femur. Its own weight and inertia are a few newtons and
left out:

    F = | Σ tension · force of the muscle's path on the patella |

In models with a patella body (Rajagopal family) paths run over it with the same tension on
both sides, so this is 2 T sin(half the turn of the tendon), with the tilt and tracking that
the model gives the patella; where the quadriceps tendon wraps round the femur in deep
flexion, that part presses on the femur directly and is not counted.

Models without patellae (Gait2392, Hamner 2010) get the ratio of patellofemoral to
quadriceps force by flexion angle of van Eijden et al. 1986
(doi:10.1016/0021-9290(86)90156-6), in `loads.tissue_formulas`.
"""

from __future__ import annotations

import numpy as np

from ..model.paths import MusclePaths
from ..vocabulary import SIDES, Array
from .tissue_formulas import patellofemoral_ratio
from .tissue_table import read_table

QUADRICEPS = (
    "recfem",
    "vasint",
    "vaslat",
    "vasmed",
    "rect_fem",
    "vas_int",
    "vas_lat",
    "vas_med",
)
"""How the public gait models name the quadriceps (before `_r`, `_l`)."""


def patellofemoral_force(
    paths: MusclePaths, force: Array, flexion: Array | None = None
) -> Array:
    """Patellofemoral contact force of both knees.

    Parameters
    ----------
    paths : MusclePaths
    force : (T, M) N, muscle forces
    flexion : (T, 2) rad, knee flexion; needed only for models without patellae

    Returns
    -------
    (T, 2) N; NaN when the model has neither patellae nor quadriceps of known names, or
    when flexion is needed and not given
    """
    if paths.patella_force is not None:
        on_patella = np.einsum("tm,tmsi->tsi", force, paths.patella_force)
        return np.asarray(np.linalg.norm(on_patella, axis=2), dtype=float)
    result = np.full((len(force), len(SIDES)), np.nan)
    if flexion is None:
        return result
    table = read_table()
    for s, side in enumerate(SIDES):
        names = {f"{name}_{side}" for name in QUADRICEPS}
        pulling = [m for m, name in enumerate(paths.names) if name in names]
        if pulling:
            ratio = patellofemoral_ratio(flexion[:, s], table)
            result[:, s] = force[:, pulling].sum(axis=1) * ratio
    return result
