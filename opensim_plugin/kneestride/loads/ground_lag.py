"""How late the forces run behind the markers: estimated and reported, not applied.

Cameras and plates are started together but not always synchronised to better than a
frame, and one frame at 100 Hz is 0.2 body weights at the edges of running stance. The
acceleration of the body is the sum of the forces over its mass, so the shift at which
the two agree best is the lag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..capture.trial import Forces
from ..motion.filtering import lowpass, resample, smooth_derivatives
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray
from .ground_assignment import body_centre

_SEARCH = 0.06
"""s either way; more than that is another recording, not a lag."""

_CORRELATION = 0.8
"""Of body acceleration and force; recordings of one movement reach 0.9 and more."""

_SEGMENTS = {
    "thigh": (0.1416, "hip_center", "knee_center", 0.4095),
    "shank": (0.0433, "knee_center", "ankle_center", 0.4459),
    "foot": (0.0137, "heel", "metatarsal_5", 0.4415),
}
"""Share of body mass, proximal and distal point, centre of mass from the proximal one:
de Leva 1996, doi:10.1016/0021-9290(95)00178-6, males; feet by their heel-to-ball line."""


@dataclass(frozen=True)
class LagEstimate:
    """Lag of the forces behind the markers.

    Attributes
    ----------
    seconds : float
        Positive when the forces come late. NaN when the movement does not tell.
    spread : float
        s; half the distance between the quartiles of estimates from parts of the
        trial. Says how repeatable the estimate is, not how true.
    correlation : float, of body acceleration and force at that lag
    sentence : str
    """

    seconds: float
    spread: float
    correlation: float
    sentence: str


def estimate_lag(
    forces: Forces,
    paths: AnatomicalPaths,
    body_mass: float,
    masked: BoolArray | None = None,
    cutoff: float = 12.0,
) -> LagEstimate:
    """Lag of forces behind markers from the vertical acceleration of the body.

    The body's centre is `center_of_mass` where the paths have it; otherwise the legs'
    segments with the rest of the mass at the pelvis; otherwise the pelvis alone. Arms
    and trunk move a little later than the pelvis: without them the forces of all RBDS
    runners seem to come 4 to 12 ms early, so that only differences between recordings of
    one kind, or lags beyond 10 ms, mean something.

    Parameters
    ----------
    forces : Forces
    paths : AnatomicalPaths
    body_mass : float, kg
    masked : (T,) or (T, 2) bool, optional
        Frames whose force is incomplete; they are left out.
    cutoff : float, Hz, of both signals

    Returns
    -------
    LagEstimate
    """
    centre = lumped_centre(paths)
    if centre is None:
        return LagEstimate(np.nan, np.nan, np.nan, "No pelvis was seen; the lag is unknown.")
    cutoff = min(cutoff, 0.4 * paths.rate)
    _, _, acceleration = smooth_derivatives(paths.time, centre[:, 1], cutoff)
    asked = 1.0 + acceleration / GRAVITY
    total = lowpass(forces.force[:, :, 1].sum(axis=1), forces.rate, cutoff)
    given = resample(forces.time, total, paths.time, None) / (body_mass * GRAVITY)
    usable = np.isfinite(asked) & np.isfinite(given)
    if masked is not None:
        usable &= ~masked.reshape(len(masked), -1).any(axis=1)
    # Ends of a spline's second derivative are its least certain part.
    edge = int(np.ceil(paths.rate / cutoff))
    usable[:edge] = usable[len(usable) - edge :] = False
    if usable.sum() < 0.4 * paths.rate or np.nanstd(given[usable]) < 0.1:
        return LagEstimate(
            np.nan, np.nan, np.nan, "The force changes too little to show a lag to the markers."
        )
    lag, correlation = _best_shift(asked, given, usable, paths.rate)
    if correlation < _CORRELATION or abs(lag) > _SEARCH - 1.0 / paths.rate:
        return LagEstimate(
            np.nan, np.nan, correlation, "The movement and the forces do not tell their lag."
        )
    parts = _parts(usable, paths.rate)
    lags = [_best_shift(asked, given, part, paths.rate)[0] for part in parts]
    spread = (
        0.5 * float(np.subtract(*np.percentile(lags, [75, 25]))) if len(lags) > 2 else np.nan
    )
    direction = "behind" if lag >= 0 else "ahead of"
    sentence = (
        f"Forces run about {abs(1e3 * lag):.0f} ms {direction} the markers "
        f"(correlation {correlation:.2f}); not corrected."
    )
    return LagEstimate(lag, spread, correlation, sentence)


def lumped_centre(paths: AnatomicalPaths) -> Array | None:
    """Centre of mass (T, 3) m from whatever points there are, or None without a pelvis."""
    centre = body_centre(paths)
    if centre is None or "center_of_mass" in paths.points:
        return centre
    total, rest = np.zeros_like(centre), 1.0
    for share, upper, lower, fraction in _SEGMENTS.values():
        names = [f"{n}_{side}" for side in SIDES for n in (upper, lower)]
        if not all(n in paths.points for n in names):
            continue
        for side in SIDES:
            a, b = paths.points[f"{upper}_{side}"], paths.points[f"{lower}_{side}"]
            total += share * (a + fraction * (b - a))
            rest -= share
    return np.asarray(total + rest * centre)


def _best_shift(
    asked: Array, given: Array, usable: BoolArray, rate: float
) -> tuple[float, float]:
    """Shift of `given` behind `asked` with the largest correlation, between samples too."""
    reach = int(np.ceil(_SEARCH * rate))
    here = np.flatnonzero(usable)
    here = here[(here >= reach) & (here < len(asked) - reach)]
    shifts = np.arange(-reach, reach + 1)
    scores = np.full(len(shifts), -1.0)
    for k, shift in enumerate(shifts):
        both = here[np.isfinite(given[here + shift])]
        if len(both) > 5 and np.std(given[both + shift]) > 0:
            scores[k] = np.corrcoef(asked[both], given[both + shift])[0, 1]
    top = int(np.argmax(scores))
    if 0 < top < len(shifts) - 1:
        left, mid, right = scores[top - 1 : top + 2]
        bend = left - 2 * mid + right
        offset = 0.5 * (left - right) / bend if bend < 0 else 0.0
    else:
        offset = 0.0
    return float((shifts[top] + offset) / rate), float(scores[top])


def _parts(usable: BoolArray, rate: float) -> list[BoolArray]:
    """The usable frames in consecutive parts of about two seconds."""
    size = max(1, int(2.0 * rate))
    out = []
    for start in range(0, len(usable), size):
        part = np.zeros_like(usable)
        part[start : start + size] = usable[start : start + size]
        if part.sum() > 0.4 * rate:
            out.append(part)
    return out
