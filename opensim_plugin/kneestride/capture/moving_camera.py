"""Does the camera move? The standing foot tells.

A foot that carries the body moves with the ground: not at all, or at the one speed of a
treadmill's belt. Points from a camera that drifts or sways make standing feet slide, sink,
or change their speed from stance to stance. Each stance gives one velocity; what is left
of them after the ground's own is tested twice:

- drift: their mean over both feet, and the slope of the floor's height under them, against
  its standard error;
- sway: the strongest slow wave through them, against the chance of so strong a wave in
  noise (Fisher 1929, doi:10.1098/rspa.1929.0151).

On a treadmill the hips must also stay where a treadmill could be. A steady forward drift
of a person walking through a room is not told: rolling feet look alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..vocabulary import SIDES, Array
from .root import SOLE, _bridged, _runs, standing_foot
from .trial import Markers

SKATING = 0.15
"""m/s; standing feet that slide or sink faster than this are moved by the camera."""

SIGNIFICANCE = 1e-3
STANDARD_ERRORS = 3.0
SHORTEST, LONGEST = 0.08, 0.4
"""s; a stance shorter than the first tells nothing, a longer one is cut into pieces."""

STEPLESS = 0.3
"""m; feet whose distance changes less than this do not step (a quarter of what it does in a
walk; twice what 30 mm of noise makes of a still one)."""

MIDDLE = 0.5
"""Share of a stance in which the foot is neither landing nor rolling off."""

FEWEST = 4
FEWEST_SWAY = 10
BELT_ROOM = (2.0, 1.0)
"""m; along and across: farther than that nobody moves on a treadmill."""

WARNING = (
    "The camera seems to move ({why}): angles within the body can still be used; speed, step"
    " length and step width cannot be relied on, and the moments of contact and all that hangs"
    " on them (predicted forces and loads) are less sure."
)
AFFECTED = (
    "step_width", "step_length", "speed", "contact", "landing_margin", "heel_to", "toe_to",
    "foot_progression",
)  # fmt: skip
"""Columns (by their first words) that need a camera at rest."""


@dataclass(frozen=True)
class CameraMotion:
    """What standing feet tell of the camera.

    Attributes
    ----------
    stances : int
    drift : (3,) m/s, mean velocity that the ground does not explain; X forward, Y up
    drift_error : (3,) m/s, its standard error
    sway : (3,) m/s, amplitude of the strongest slow wave; 0 where it may be chance
    strays : (2,) m, how far the hips travel along and across a treadmill; 0 overground
    steps : bool, whether the person steps at all
    """

    stances: int
    drift: Array
    drift_error: Array
    sway: Array
    strays: Array
    steps: bool

    def reasons(self) -> list[str]:
        """Why it is believed to move; empty when it is not."""
        out = []
        sure = np.abs(self.drift) - STANDARD_ERRORS * self.drift_error
        if self.steps and self.drift[0] > 0:
            # Feet that roll seem to slide forward: points about the ankle by 1 m/s and more.
            sure[0] = 0.0
        if (sure > SKATING).any():
            k = int(np.argmax(sure))
            way = ("along the way", "up and down", "sideways")[k]
            out.append(f"standing feet slide {way} at {abs(self.drift[k]):.1f} m/s")
        if (self.sway > SKATING).any():
            out.append(
                f"their speed goes up and down by {float(self.sway.max()):.1f} m/s"
                " from stance to stance"
            )
        if (self.strays > BELT_ROOM).any():
            out.append(f"the hips leave the treadmill by {float(self.strays.max()):.1f} m")
        return out

    def warning(self) -> str:
        """One sentence, or nothing."""
        why = self.reasons()
        return WARNING.format(why="; ".join(why)) if why else ""


def camera_motion(
    markers: Markers, landmarks: Mapping[str, str], belt: Array
) -> CameraMotion | None:
    """Test whether the camera moved.

    Parameters
    ----------
    markers : Markers in the ground frame (X forward, Y up), smoothed
    landmarks : point name → landmark id
    belt : (3,) m/s, velocity of the ground; zero overground

    Returns
    -------
    CameraMotion, or None when there are too few stances to tell.
    """
    feet, hips = [], []
    for side in SIDES:
        mine = [
            k for k, n in enumerate(markers.names)
            if landmarks.get(n, "").removesuffix(f"_{side}") in SOLE
            and landmarks.get(n, "").endswith(f"_{side}")
        ]  # fmt: skip
        hip = [k for k, n in enumerate(markers.names)
               if landmarks.get(n) == f"hip_joint_center_{side}"]  # fmt: skip
        if not mine or not hip:
            return None
        with np.errstate(invalid="ignore"):
            feet.append(np.stack([_bridged(markers.positions[:, k]) for k in mine], axis=1))
        hips.append(_bridged(markers.positions[:, hip[0]]))
    middle = 0.5 * (hips[0] + hips[1])
    about = np.stack([f.mean(axis=1) - middle for f in feet], axis=1)
    apart = (about[:, 0] - about[:, 1])[:, [0, 2]]
    steps = bool((np.ptp(np.percentile(apart, [5, 95], axis=0), axis=0) > STEPLESS).any())
    standing = standing_foot(about, markers.rate)
    times, speeds, heights, which = [], [], [], []
    for s, foot in enumerate(feet):
        for start, stop in _runs((standing == s) | (not steps)):
            for a, b in _pieces(start, stop, markers.rate):
                times.append(0.5 * (a + b) / markers.rate)
                path = foot[a : b + 1]
                speeds.append(((path[-1] - path[0]) * markers.rate / (b - a)).mean(axis=0))
                heights.append(float(path[..., 1].mean()))
                which.append(s)
    if len(times) < FEWEST or len(set(which)) < 2:
        return None
    t, foot_of = np.array(times), np.array(which)
    v = np.array(speeds)
    on_belt = bool(np.linalg.norm(belt) > 0)
    # Feet roll inwards and the two are mirror images: each has its own middle, and the
    # mean of both is free of it.
    own = np.array([np.median(v[foot_of == s], axis=0) for s in (0, 1)])
    spread = 1.4826 * np.median(np.abs(v - own[foot_of]), axis=0)
    drift = own.mean(axis=0)
    if on_belt:
        drift[0] = 0.0
    error = 1.2533 * spread / np.sqrt(len(v))
    drift[1], error[1] = _slope(t, np.array(heights), foot_of)
    sway = np.array([_sway(t, v[:, i] - own[foot_of, i]) for i in range(3)])
    strays = np.zeros(2)
    if on_belt:
        low, high = np.percentile(middle[:, [0, 2]], [1, 99], axis=0)
        strays = high - low
    return CameraMotion(len(v), drift, error, sway, strays, steps)


def _pieces(start: int, stop: int, rate: float) -> list[tuple[int, int]]:
    """First and last frame of the quiet middle of a stance, long ones in pieces."""
    length = stop - start
    if length < SHORTEST * rate:
        return []
    count = max(1, int(length / (LONGEST * rate)))
    edges = np.linspace(start, stop - 1, count + 1)
    cut = 0.5 * (1 - MIDDLE) if count == 1 else 0.0
    out = []
    for a, b in pairwise(edges):
        first, last = round(a + cut * (b - a)), round(b - cut * (b - a))
        if last - first >= 2:
            out.append((first, last))
    return out


def _slope(t: Array, height: Array, side: Array) -> tuple[float, float]:
    """Speed (m/s) at which the floor under both feet rises, and its standard error."""
    base = np.column_stack([t, side == 0, side == 1]).astype(float)
    part = np.linalg.lstsq(base, height, rcond=None)[0]
    rest = height - base @ part
    spread = float(rest @ rest) / max(len(t) - 3, 1)
    return float(part[0]), float(np.sqrt(spread * np.linalg.pinv(base.T @ base)[0, 0]))


def _sway(t: Array, v: Array) -> float:
    """Amplitude (m/s) of the strongest slow wave; 0 when noise alone may have it."""
    if len(t) < FEWEST_SWAY:
        return 0.0
    # A single stance that slips must not pass for a wave.
    spread = 1.4826 * float(np.median(np.abs(v)))
    v = np.clip(v, -3 * spread, 3 * spread)
    v = v - v.mean()
    total = float(v @ v)
    span = float(t[-1] - t[0])
    fastest = 0.5 * (len(t) - 1) / span / 1.5
    found, best = 0.0, 0.0
    waves = np.arange(0.5 / span, fastest, 0.25 / span)
    for f in waves:
        base = np.column_stack([np.cos(2 * np.pi * f * t), np.sin(2 * np.pi * f * t)])
        part = np.linalg.lstsq(base, v, rcond=None)[0]
        gain = 1.0 - float(((v - base @ part) ** 2).sum()) / max(total, 1e-12)
        if gain > best:
            found, best = float(np.hypot(*part)), gain
    # With n samples a wave takes a share g of pure noise with chance (1 − g)^((n − 3) / 2);
    # a quarter of the grid's waves are independent.
    chance = len(waves) / 4 * (1.0 - best) ** ((len(t) - 3) / 2)
    return found if chance < SIGNIFICANCE else 0.0
