"""From runners to the average runner: means and spreads over people.

Every runner counts once. Curves are stretched to the mean contact time first, then
averaged, then made symmetric exactly: what is left over from unequal numbers of left and
right strides would otherwise make the left leg differ from the right by rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kneestride.capture.reference import MIRRORED, ReferenceStride, bare_name
from kneestride.vocabulary import Array

from .measure import EVENT_DUTY, FLAT, POINTS, Runner
from .upper_body import UPPER

PELVIS = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
)  # fmt: skip
LEG = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "knee_adduction",
    "knee_rotation", "ankle_angle", "subtalar_angle",
)  # fmt: skip
TRUNK = {
    "lumbar_extension": "pelvis_tilt",
    "lumbar_bending": "pelvis_list",
    "lumbar_rotation": "pelvis_rotation",
}
LIGHT = 0.5
"""Body weights. Below, the mean place of pressure mixes heel and forefoot strikers and what
a plate's moment error makes of a small force; it would lie beside the mean foot."""
EDGE = (0.02, 0.49)
"""Lateral edge of the average foot in foot lengths, at the heel and per length forward: the
line from heel to fifth metatarsal head, 5 mm outside it."""
HARMONICS = 12
"""Of the stored curves: 17 Hz, above the 15 Hz to which running is analysed."""


@dataclass(frozen=True)
class Average:
    """The average runner: `reference` before it is made consistent, spreads over runners.

    Attributes
    ----------
    reference : ReferenceStride
    spread : mapping of coordinate to (POINTS,) SD over runners
    ground_spread : (S, 6) SD over runners
    step_width : float, m
    """

    reference: ReferenceStride
    spread: dict[str, Array]
    ground_spread: Array
    step_width: float


def average(runners: Sequence[Runner], upper: dict[str, Array], source: str) -> Average:
    """Average runners; `upper` holds trunk, arm and pelvis angles of the other recording."""
    stride = float(np.mean([r.stride_s for r in runners]))
    contact = float(np.mean([r.contact_s for r in runners]))
    duty = contact / stride
    mean, spread = {}, {}
    for name in (*PELVIS, *LEG):
        curves = np.array([at_duty(r.curves[name], duty) for r in runners])
        spread[name] = curves.std(axis=0, ddof=1)
        if name in ("pelvis_tx", "pelvis_tz", "pelvis_ty"):
            curves -= curves.mean(axis=1, keepdims=True)
            spread[name] = curves.std(axis=0, ddof=1)
        mean[name] = symmetric(name, curves.mean(axis=0))
    other = {n: symmetric(n, at_duty(v, duty)) for n, v in upper.items()}
    for name in UPPER:
        mean[name] = other[name]
        if name in TRUNK:
            # The trunk stands and moves in space as recorded, on the average runner's pelvis.
            mean[name] = mean[name] + other[TRUNK[name]] - mean[TRUNK[name]]
    motion = {name: limited(curve) for name, curve in mean.items()}
    rows = np.array([r.stance for r in runners])
    scale: dict[str, Array] = {}
    for body in runners[0].scale:
        pairs = [np.log(r.scale[b]) for r in runners for b in r.scale if _same(b, body)]
        scale.setdefault(bare_name(body), np.exp(np.mean(pairs, axis=0)))
    static = {n: float(np.mean([r.static[n] for r in runners])) for n in (*LEG, "pelvis_tilt")}
    reference = ReferenceStride(
        mass=float(np.mean([r.mass for r in runners])),
        height=float(np.mean([r.height for r in runners])),
        speed=float(np.mean([r.speed for r in runners])),
        stride_s=stride,
        contact_s=contact,
        sole=float(np.mean([r.sole_m for r in runners])),
        flat=FLAT,
        scale=scale,
        torsion=float(np.mean([r.torsion for r in runners])),
        static=static,
        motion=motion,
        ground=balanced(rows.mean(axis=0), duty),
        source=source,
    )
    width = float(np.mean([r.step_width_m for r in runners]))
    return Average(reference, spread, rows.std(axis=0, ddof=1), width)


def balanced(stance: Array, duty: float) -> Array:
    """Ground reaction whose stride mean is body weight upwards and nothing forwards.

    Two feet carry the body for a share `duty` each. The ends of stance, cut at the
    detection threshold, are faded to zero over 3 % of it. The centre of pressure is held
    where the foot carries less than `LIGHT`, and brought back to the foot's lateral edge
    where mixing heel and forefoot strikers has put it beside the foot.
    """
    share = np.linspace(0.0, 1.0, len(stance))
    out = stance.copy()
    edge = np.clip(np.minimum(share, 1.0 - share) / 0.03, 0.0, 1.0)
    out[:, [0, 1, 2, 5]] *= (edge**2 * (3.0 - 2.0 * edge))[:, None]
    loaded = np.flatnonzero(out[:, 1] > LIGHT)
    out[: loaded[0], 3:5] = out[loaded[0], 3:5]
    out[loaded[-1] + 1 :, 3:5] = out[loaded[-1], 3:5]
    out[:, 4] = np.minimum(out[:, 4], EDGE[0] + EDGE[1] * out[:, 3])
    up = np.trapezoid(out[:, 1], share) * 2.0 * duty
    out[:, :3] /= up
    forward = np.trapezoid(out[:, 0], share) * 2.0 * duty
    out[:, 0] -= forward * out[:, 1]
    return out


def at_duty(curve: Array, duty: float) -> Array:
    """Curve by event phase, read at phases of a stride with this duty."""
    at = np.arange(POINTS) / POINTS
    knots = [0.0, duty, 0.5, 0.5 + duty, 1.0]
    where = np.interp(at, knots, [0.0, EVENT_DUTY, 0.5, 0.5 + EVENT_DUTY, 1.0])
    closed = np.append(curve, curve[0])
    found: Array = np.interp(where, np.arange(POINTS + 1) / POINTS, closed)
    return found


def symmetric(name: str, curve: Array) -> Array:
    """Curve of a symmetric stride: trunk coordinates repeat, or mirror, after half of it."""
    if not name.startswith(("pelvis", "lumbar")):
        return curve
    sign = -1.0 if name in MIRRORED else 1.0
    return 0.5 * (curve + sign * np.roll(curve, POINTS // 2))


def limited(curve: Array, harmonics: int = HARMONICS, points: int = 100) -> Array:
    """Curve without anything faster than the harmonics, at fewer points."""
    weight = np.fft.rfft(curve) / len(curve)
    weight[harmonics + 1 :] = 0.0
    return np.fft.irfft(weight[: points // 2 + 1] * points, points)


def _same(a: str, b: str) -> bool:
    return bare_name(a) == bare_name(b)
