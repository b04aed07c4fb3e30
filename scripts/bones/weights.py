"""Where each tissue shows on the bones: per-vertex weights between 0 and 1.

A weight is 1 over the place itself and fades to 0 at its border, so that weight times
load colours the bone. Places are in the body frames (right side, metres, medial -z).
"""

from __future__ import annotations

import numpy as np

from .clay import Array
from .knee import LATERAL_DISC, MEDIAL_DISC, disc_distance


def _fade(distance: Array, width: float) -> Array:
    """1 where distance <= -width, 0 where >= 0, smooth between."""
    t = np.clip(-distance / width, 0, 1)
    return t * t * (3 - 2 * t)


def _plateau(p: Array, disc: tuple[float, float, float, float]) -> Array:
    return _fade(disc_distance(p, disc), 0.0045)


def _meniscus(p: Array, medial: bool) -> Array:
    side = p[:, 2] < -0.002 if medial else p[:, 2] > -0.002
    return side.astype(float)


def _condyle(p: Array, medial: bool) -> Array:
    """Bearing part of a condyle: what touches the plateau from 0 to about 100 degrees."""
    z = p[:, 2]
    inner, outer = (-0.0105, -0.0390) if medial else (0.0075, 0.0360)
    middle, half = (inner + outer) / 2, abs(inner - outer) / 2
    across = _fade(np.abs(z - middle) - half, 0.0050)
    # Angle about the flexion axis: 0 straight down, growing towards the back.
    angle = np.arctan2(-(p[:, 0] + 0.0045), -(p[:, 1] + 0.4100))
    along = _fade(np.abs(angle - np.radians(37)) - np.radians(72), np.radians(18))
    return across * along


def _trochlea(p: Array) -> Array:
    angle = np.arctan2(p[:, 0] + 0.0, -(p[:, 1] + 0.4080))
    along = _fade(np.abs(angle - np.radians(72)) - np.radians(52), np.radians(16))
    across = _fade(np.abs(p[:, 2] - 0.0015) - 0.0225, 0.0050)
    return along * across


SPOTS: dict[str, tuple[tuple[str, tuple[float, float, float], float], ...]] = {
    "femur": (
        ("w_trochanter", (-0.010, -0.024, 0.060), 0.026),
        ("w_lateral_epicondyle", (-0.004, -0.398, 0.040), 0.017),
        ("w_medial_epicondyle", (-0.003, -0.401, -0.044), 0.017),
    ),
    "tibia": (
        ("w_pes_anserinus", (0.007, -0.082, -0.016), 0.022),
        ("w_gerdy", (0.008, -0.048, 0.032), 0.016),
    ),
    "fibula": (
        ("w_lateral_collateral", (-0.013, -0.062, 0.041), 0.014),
        ("w_peroneals", (-0.013, -0.405, 0.036), 0.024),
    ),
    "foot": (
        ("w_achilles", (-0.010, 0.008, -0.004), 0.019),
        ("w_tibialis_posterior", (0.084, 0.020, -0.034), 0.017),
        ("w_peroneals", (0.076, 0.004, 0.036), 0.015),
    ),
}
"""Round patches: mesh -> (weight, centre in the body frame, radius), all in metres."""


def weights_of(mesh: str, p: Array) -> dict[str, Array]:
    """Weights of one mesh.

    Parameters
    ----------
    mesh : str
    p : (V, 3) m, body frame

    Returns
    -------
    mapping of weight name to (V,) between 0 and 1
    """
    out: dict[str, Array] = {}
    if mesh == "tibial_cartilage":
        out["w_medial"] = _plateau(p, MEDIAL_DISC)
        out["w_lateral"] = _plateau(p, LATERAL_DISC)
    elif mesh == "menisci":
        out["w_medial"], out["w_lateral"] = _meniscus(p, True), _meniscus(p, False)
    elif mesh == "femoral_cartilage":
        out["w_medial"], out["w_lateral"] = _condyle(p, True), _condyle(p, False)
        out["w_patellofemoral"] = _trochlea(p)
    elif mesh == "patellar_cartilage":
        out["w_patellofemoral"] = np.ones(len(p))
    elif mesh == "tibia":
        border = np.maximum(np.abs(p[:, 1] + 0.27) - 0.085, 0.004 + p[:, 2])
        out["w_medial_tibia"] = _fade(border, 0.010)
    elif mesh == "foot":
        out["w_plantar"] = _fade(p[:, 1] + 0.001 - 0.10 * np.clip(p[:, 0], 0, 0.1), 0.006)
    for name, center, radius in SPOTS.get(mesh, ()):
        spot = _fade(np.linalg.norm(p - np.array(center), axis=1) - radius, 0.5 * radius)
        out[name] = np.maximum(out[name], spot) if name in out else spot
    return out
