"""A person's segment sizes from a motion, without a static trial.

`model.scaling.fit` estimates sizes, marker places and poses of all frames together. What
this module adds is what makes its answer hold for skin markers on a moving person:

- **Frames count for less than they are.** Skin slides with the phase of the stride, the
  same way in each stride, so sixty frames tell a joint centre hardly better than two
  independent looks would (`FRAMES_WORTH`). Taken at face value the frames overrule the
  landmarks and lengthen thigh and shank by 3 %.
- **Markers of the pelvis sit elsewhere in a run than in standing** (`RUNNING_PLACES`).
- **Sliding skin lengthens**: what slides along a segment in time with the joints looks
  like a joint centre further off (`RUNNING_EXCESS`). The excess is taken off and marker
  places and poses are fitted again with the lengths held.
- **Outliers lose weight** (Cauchy's loss), confidences multiply the weights.

The last two figures were measured on the runners of RBDS (20 runners, 3.5 m/s,
doi:10.7717/peerj.3298) against their static trials; docs/scaling.md says how well they
carry over. Key points have no skin: nothing of this is applied to them.

Pure arrays: no OpenSim object, no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..vocabulary import SIDES, Array
from .kernels import IntArray
from .multibody import Multibody
from .scaling import Fit, PosePriors, Proportions, Targets, fit, stature

SCALING_FRAMES = 60
FRAMES_WORTH = 2.0
"""Independent frames that any number of frames of a motion are worth. Between 1 and 4 the mean
lengths of 20 runners move by 1.1 % at most, and their spread hardly at all."""
SKIN_NOISE = 0.008
"""m; spread of a skin marker about its place over a stride."""
KEYPOINT_NOISE = 0.02
OUTLIER = 4.0
"""Multiples of the noise from which an observation counts less."""

RUNNING_PLACES = {"asis": (0.0, 0.008, -0.0035), "psis": (0.0, 0.008, 0.0),
                  "iliac_crest": (0.0, 0.008, -0.002), "sacrum": (0.0, 0.008, 0.0)}  # fmt: skip
"""m, right side (forwards, up, outwards): running over standing place of markers."""
RUNNING_EXCESS = {"thigh length": 0.013, "shank length": 0.018}
"""Log of the length that a run's skin markers tell over that of the static trial."""
EXPECTED = {"thigh length": -0.0075}
"""The generic thigh is 1.5 % longer than its shank; people's are equal: 0.245 and 0.246 of
stature (Drillis & Contini 1966), 0.239 and 0.239 in the static trials of RBDS."""

AIRBORNE_HEIGHT, AIRBORNE_SHARE = 0.01, 0.08
"""m that both feet are off their lowest place, and share of the frames they are that."""
SWING_HEIGHT = 0.155
"""Height of a swinging foot over stature: at most 0.145 in six walks (gc5, opencap04),
at least 0.169 in 60 runs (RBDS)."""
STATURE_LOOK = 0.05
"""Share by which the stature that the legs stand for may differ from the one given."""


@dataclass(frozen=True)
class Length:
    """A segment's length and its standard error, m."""

    value: float
    error: float


@dataclass(frozen=True)
class MotionScaling:
    """What a motion tells of a person's size.

    Attributes
    ----------
    fit : Fit of the frames used
    lengths : segment name to Length (see `segment_lengths`)
    stature : float, m, body height that the legs stand for
    warnings : tuple of str
    """

    fit: Fit
    lengths: dict[str, Length]
    stature: float
    warnings: tuple[str, ...]


def spread_frames(positions: Array, count: int = SCALING_FRAMES) -> IntArray:
    """Frames that show the body in different shapes, most of its markers seen.

    Half of them evenly over the recording, so that every phase counts by the time it
    takes; half by farthest-point choice among shapes, so that rare poses (the bottom of
    one squat in a minute of standing) are in.

    Parameters
    ----------
    positions : (T, K, 3) m, NaN where missing

    Returns
    -------
    (F,) frame indices, ascending, F at most `count`
    """
    seen = np.isfinite(positions).all(axis=2)
    number = seen.sum(axis=1)
    good: IntArray = np.flatnonzero(number >= 0.9 * number.max())
    if good.size <= count:
        return good
    even: IntArray = good[np.linspace(0, good.size - 1, count - count // 2).astype(int)]
    pool = good[np.linspace(0, good.size - 1, min(good.size, 600)).astype(int)]
    always = seen[pool].all(axis=0)
    if always.sum() < 3:
        return even
    shape = positions[pool][:, always]
    shape = (shape - shape.mean(axis=1, keepdims=True)).reshape(len(pool), -1)
    # Rare shapes yes, glitches no: the few farthest are left out.
    far = np.linalg.norm(shape - np.median(shape, axis=0), axis=1)
    fair = far <= np.quantile(far, 0.995)
    pool, shape = pool[fair], shape[fair]
    chosen = np.searchsorted(pool, even).clip(0, len(pool) - 1)
    gap = np.min([np.linalg.norm(shape - shape[c], axis=1) for c in chosen], axis=0)
    extra = []
    for _ in range(count // 2):
        best = int(np.argmax(gap))
        extra.append(pool[best])
        gap = np.minimum(gap, np.linalg.norm(shape - shape[best], axis=1))
    both: IntArray = np.unique(np.concatenate([even, np.array(extra, dtype=even.dtype)]))
    return both


def is_airborne(model: Multibody, targets: Targets, height: float) -> bool:
    """Whether the person runs or jumps: both feet off the ground, and lifted high."""
    low, high = [], []
    for side in SIDES:
        feet = [model.body(f"{b}_{side}") for b in ("calcn", "toes")]
        place = targets.positions[:, np.isin(targets.body, feet), 1]
        place = place[:, np.isfinite(place).mean(axis=0) > 0.5]
        if not place.size:
            return False
        # Each marker over its own lowest place: shoes carry markers at any height.
        place = place - np.nanquantile(place, 0.05, axis=0)
        known = place[np.isfinite(place).any(axis=1)]
        high.append(float(np.quantile(np.nanmax(known, axis=1), 0.98)))
        low.append(np.where(np.isfinite(place), place, np.inf).min(axis=1))
    both = np.minimum(low[0], low[1])
    share = float(np.mean(both[np.isfinite(both)] > AIRBORNE_HEIGHT))
    return share > AIRBORNE_SHARE and min(high) > SWING_HEIGHT * height


def estimate_sizes(
    model: Multibody,
    targets: Targets,
    priors: PosePriors,
    start: Array,
    height: float,
    *,
    landmarks: Mapping[str, str] | None = None,
    weights: Array | None = None,
    skin: bool = True,
) -> MotionScaling:
    """Segment sizes, marker places and poses from frames of a motion.

    Parameters
    ----------
    model : Multibody, generic
    targets : Targets
        Markers or key points of the frames used (`spread_frames`). `noise` is the spread
        of an observation; `sigma` how far its place may be off (a detector's points:
        their bias).
    priors : PosePriors
    start : (F, N) first guess of the poses
    height : float, m
    landmarks : mapping of target name to landmark id, optional
        Lets `RUNNING_PLACES` find the pelvis.
    weights : (F, K), optional, factor on the weight of each observation (confidence)
    skin : bool
        False for key points: every frame counts, and no sliding skin is corrected.

    Returns
    -------
    MotionScaling
    """
    running = skin and is_airborne(model, targets, height)
    excess = RUNNING_EXCESS if running else {}
    if running:
        targets = _running_places(targets, landmarks or {})
    worth = FRAMES_WORTH if skin else None
    expected = {n: EXPECTED.get(n, 0.0) + excess.get(n, 0.0) for n in EXPECTED | excess}
    found = fit(
        model, targets, priors, start, height, proportions=Proportions(expected=expected),
        weights=weights, frames_worth=worth, outlier=OUTLIER,
    )  # fmt: skip
    if excess:
        held = {}
        for stem, body in (("thigh length", "femur"), ("shank length", "tibia")):
            for side in SIDES:
                now = float(np.log(found.scale[model.body(f"{body}_{side}"), 1]))
                held[f"{stem} {side}"] = now - excess[stem]
        again = fit(
            model, targets, priors, found.q, height,
            proportions=Proportions(expected=EXPECTED, held=held),
            weights=weights, frames_worth=worth, outlier=OUTLIER,
        )  # fmt: skip
        found = replace(again, covariance=found.covariance)
    sized = model.scaled(found.scale).twisted(found.torsion)
    tall = stature(sized)
    return MotionScaling(
        found, segment_lengths(model, found), tall, tuple(_warnings(tall, height))
    )


def segment_lengths(model: Multibody, found: Fit) -> dict[str, Length]:
    """Lengths between joint centres with standard errors.

    Returns
    -------
    mapping of name to Length
        `pelvis_width` (between the hips), `thigh_{r,l}` (hip to knee), `shank_{r,l}` (knee
        to ankle), `foot_{r,l}` (ankle to toe joint), `trunk` (lumbar joint to the line of
        the shoulders), as far as the model has them; in the default pose.

    Notes
    -----
    The errors follow from the curvature of the cost: noise, frames' worth and priors. A
    bias of the skin is not in them.
    """
    q = np.zeros((1, len(model.coordinates)))
    pairs = {"pelvis_width": ("femur_r", "femur_l")}
    for s in SIDES:
        pairs |= {
            f"thigh_{s}": (f"femur_{s}", f"tibia_{s}"),
            f"shank_{s}": (f"tibia_{s}", f"talus_{s}"),
            f"foot_{s}": (f"talus_{s}", f"toes_{s}"),
        }
    pairs |= {"trunk_r": ("torso", "humerus_r"), "trunk_l": ("torso", "humerus_l")}
    pairs = {n: p for n, p in pairs.items() if all(b in model.bodies for b in p)}
    at = {n: (model.body(a), model.body(b)) for n, (a, b) in pairs.items()}

    def measured(log_scale: Array) -> Array:
        sized = model.scaled(np.exp(log_scale).reshape(-1, 3)).twisted(found.torsion)
        _, position = sized.poses(q)
        return np.array(
            [np.linalg.norm(position[0, a] - position[0, b]) for a, b in at.values()]
        )

    here = np.log(found.scale).ravel()
    value = measured(here)
    slope = np.zeros((len(value), here.size))
    step = 1e-5
    for i in np.flatnonzero(np.diag(found.covariance) > 0):
        ahead = here.copy()
        ahead[i] += step
        slope[:, i] = (measured(ahead) - value) / step
    error = np.sqrt(np.einsum("ni,ij,nj->n", slope, found.covariance, slope))
    return {n: Length(float(v), float(e)) for n, v, e in zip(at, value, error, strict=True)}


def _running_places(targets: Targets, landmarks: Mapping[str, str]) -> Targets:
    station = targets.station.copy()
    for k, name in enumerate(targets.names):
        landmark = landmarks.get(name, "")
        stem = landmark[:-2] if landmark.endswith(("_r", "_l")) else landmark
        if stem in RUNNING_PLACES:
            outwards = -1.0 if landmark.endswith("_l") else 1.0
            station[k] += np.array(RUNNING_PLACES[stem]) * [1.0, 1.0, outwards]
    return replace(targets, station=station)


def _warnings(tall: float, height: float) -> list[str]:
    apart = tall / height - 1.0
    if abs(apart) <= STATURE_LOOK:
        return []
    return [
        f"The legs found in the motion are those of a person of {tall:.2f} m, "
        f"{abs(100 * apart):.0f} % {'more' if apart > 0 else 'less'} than the {height:.2f} m "
        "given: check --height and the unit of length, or give a static trial."
    ]
