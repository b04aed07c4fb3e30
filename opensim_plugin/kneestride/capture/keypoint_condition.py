"""From key points as a detector wrote them to a recording that can be analysed.

The counterpart of `capture.condition` for points that jitter by centimetres instead of
millimetres: legs that carry each other's name for a few frames, lengths in an unknown
unit, strays, and a confidence. Markers' checks (rigid neighbours, exchanged labels at
3 cm) would take that jitter for faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..errors import CaptureError
from ..vocabulary import SIDES, Array
from .axes import GroundFrame, find_ground_frame, to_ground
from .keypoint_smoothing import Smoothed, smooth_keypoints
from .moving_camera import CameraMotion, camera_motion
from .sync import check_clocks
from .trial import Markers, Trial

LEG_SHARE = 0.480
"""Hip to knee to ankle centre over stature; see `model.scaling.LEG_SHARE_OF_HEIGHT`."""

UNITS = {"m": 1.0, "mm": 1e-3, "cm": 1e-2}

UNIT_RANGE = (0.8, 1.25)
"""Stature that the legs tell over the given one, within which the unit of length is
taken as right (key points miss the joint centres by some centimetres)."""

NEEDED = ("hip_joint_center", "knee_joint_center", "ankle_joint_center")
"""Points without which no leg can be followed."""

LOW_CONFIDENCE = 0.3
"""Median confidence of a point below which it is told of."""


@dataclass(frozen=True)
class ConditionedKeypoints:
    """Key points in the ground frame.

    Attributes
    ----------
    trial : Trial
        Smoothed paths in metres; `markers.confidence` is how far each may be trusted.
    frame : GroundFrame
    smoothed : Smoothed
    noise : float, m, spread of a point per axis, from segments that ought to be rigid
    scale : float, factor that lengths were multiplied by
    legs : tuple of sides whose hip, knee and ankle were seen
    camera : CameraMotion or None, what standing feet tell of it
    """

    trial: Trial
    frame: GroundFrame
    smoothed: Smoothed
    noise: float
    scale: float
    legs: tuple[str, ...]
    camera: CameraMotion | None = None


def condition_keypoints(
    trial: Trial,
    landmarks: Mapping[str, str],
    *,
    height: float,
    cutoff: float | None = None,
    fix_scale: bool = False,
) -> ConditionedKeypoints:
    """Scale, repair, smooth and turn into the ground frame.

    Parameters
    ----------
    trial : Trial
        As a reader returned it.
    landmarks : mapping of point name to landmark id
    height : float, m
    cutoff : float, Hz, optional; chosen by the noise when left out
    fix_scale : bool
        Scale to the body's height even when the unit looks right (lengths of an average
        person, as MediaPipe gives).

    Raises
    ------
    CaptureError
        Neither leg seen, or no upright body.
    """
    notes: list[str] = []
    markers = trial.markers
    at = {landmarks[n]: k for k, n in enumerate(markers.names) if n in landmarks}
    legs = seen_legs(markers, at)
    if not legs:
        raise CaptureError(
            "the hip, knee and ankle of at least one leg",
            f"{_listed(markers, at)} of {len(markers.names)} points often enough",
            "film so that the legs are in the picture, or choose another detector",
        )
    if len(legs) < 2:
        notes.append(
            f"Only the {'right' if legs[0] == 'r' else 'left'} leg was seen: nothing is told"
            " of the other, nor of step width."
        )
    markers, swapped = exchange_legs(markers, at)
    if swapped:
        notes.append(f"Left and right legs exchanged in {swapped} frames: put back.")
    factor, said = length_factor(markers, at, height, fix_scale)
    notes += said
    markers = replace(markers, positions=markers.positions * factor)
    confidence = (
        np.isfinite(markers.positions).all(axis=2).astype(float)
        if markers.confidence is None
        else markers.confidence
    )
    smoothed = smooth_keypoints(markers.positions, confidence, markers.rate, cutoff)
    noise = rigid_noise(markers, smoothed, at)
    notes += _said_of_points(markers, smoothed, confidence)
    notes.append(
        f"Key points smoothed without lag at {smoothed.cutoff:.1f} Hz;"
        f" segment lengths tell a noise of {1e3 * noise:.0f} mm a point."
    )
    markers = replace(markers, positions=smoothed.positions, confidence=smoothed.weight)
    trial = replace(trial, markers=markers)
    frame = find_ground_frame(markers, landmarks)
    trial = to_ground(trial, frame)
    if trial.forces is not None:
        notes += check_clocks(trial.markers, trial.forces)
    return ConditionedKeypoints(
        replace(trial, notes=(*trial.notes, *notes)), frame, smoothed, noise, factor, legs,
        camera_motion(trial.markers, landmarks, frame.belt),
    )  # fmt: skip


def seen_legs(markers: Markers, at: Mapping[str, int], share: float = 0.3) -> tuple[str, ...]:
    """Sides whose hip, knee and ankle are seen in at least `share` of the frames."""
    found = []
    for side in SIDES:
        columns = [at[name] for n in NEEDED if (name := f"{n}_{side}") in at]
        if len(columns) < len(NEEDED):
            continue
        seen = np.isfinite(markers.positions[:, columns]).all(axis=2)
        if (seen.mean(axis=0) >= share).all():
            found.append(side)
    return tuple(found)


def exchange_legs(markers: Markers, at: Mapping[str, int]) -> tuple[Markers, int]:
    """Give the legs their sides back where the detector mixed them up for a while.

    From frame to frame both readings are held against where the legs were going; the
    names held for the larger part stay. Knees and ankles decide, hips and feet follow.
    """
    pairs = [
        (at[f"{stem}_r"], at[f"{stem}_l"])
        for stem in dict.fromkeys(n[:-2] for n in at if n.endswith("_r"))
        if f"{stem}_l" in at
        and stem.startswith(
            ("hip_", "knee_", "ankle_", "heel", "toe", "big_toe", "small_toe", "metatarsal")
        )
    ]
    deciding = [
        (at[f"{s}_r"], at[f"{s}_l"])
        for s in ("knee_joint_center", "ankle_joint_center")
        if f"{s}_r" in at and f"{s}_l" in at
    ]
    if not deciding or len(markers.time) < 5:
        return markers, 0
    p = markers.positions
    right, left = (p[:, list(each)] for each in zip(*deciding, strict=True))
    turned = np.zeros(len(p), dtype=bool)
    last_r, last_l = right[0], left[0]
    before_r, before_l = right[0], left[0]
    state = False
    for t in range(1, len(p)):
        r, q = (left[t], right[t]) if state else (right[t], left[t])
        going_r, going_l = 2 * last_r - before_r, 2 * last_l - before_l
        same = np.linalg.norm(r - going_r, axis=1) + np.linalg.norm(q - going_l, axis=1)
        other = np.linalg.norm(q - going_r, axis=1) + np.linalg.norm(r - going_l, axis=1)
        known = np.isfinite(same) & np.isfinite(other)
        apart = np.linalg.norm(last_r - last_l, axis=1)
        # Legs that pass each other closely cannot be told apart: nothing is decided then.
        if (
            known.any()
            and other[known].sum() < 0.3 * same[known].sum()
            and (float(np.nanmin(apart[known])) > 0.3 * float(np.nanmax(apart[known])))
        ):
            state = not state
            r, q = q, r
        turned[t] = state
        good_r, good_l = np.isfinite(r).all(axis=1), np.isfinite(q).all(axis=1)
        before_r, before_l = last_r.copy(), last_l.copy()
        last_r = np.where(good_r[:, None], r, last_r)
        last_l = np.where(good_l[:, None], q, last_l)
    if turned.mean() > 0.5:
        turned = ~turned
    count = int(turned.sum())
    if not count:
        return markers, 0
    positions = p.copy()
    confidence = None if markers.confidence is None else markers.confidence.copy()
    for r, q in pairs:
        positions[turned, r], positions[turned, q] = p[turned, q], p[turned, r]
        if confidence is not None and markers.confidence is not None:
            confidence[turned, r] = markers.confidence[turned, q]
            confidence[turned, q] = markers.confidence[turned, r]
    return replace(markers, positions=positions, confidence=confidence), count


def leg_of(markers: Markers, at: Mapping[str, int]) -> float:
    """Median hip-knee-ankle length over frames and legs, in the points' unit."""
    lengths = []
    for side in SIDES:
        if not all(f"{n}_{side}" in at for n in NEEDED):
            continue
        hip, knee, ankle = (markers.positions[:, at[f"{n}_{side}"]] for n in NEEDED)
        for a, b in ((hip, knee), (knee, ankle)):
            apart = np.linalg.norm(a - b, axis=1)
            apart = apart[np.isfinite(apart)]
            lengths.append(float(np.median(apart)) if len(apart) else np.nan)
    known = [v for v in lengths if np.isfinite(v)]
    return 2.0 * float(np.mean(known)) if known else float("nan")


def length_factor(
    markers: Markers, at: Mapping[str, int], height: float, fix_scale: bool = False
) -> tuple[float, list[str]]:
    """Metres in one unit of the points, from the legs and the body's height.

    Returns
    -------
    factor : float
    notes : list of str
        What was done, if anything.
    """
    tells = leg_of(markers, at) / (LEG_SHARE * height)
    if not np.isfinite(tells) or tells <= 0:
        raise CaptureError(
            "legs with a length", "hip, knee and ankle in one place", "check the key points"
        )
    if not fix_scale:
        for unit, factor in UNITS.items():
            if UNIT_RANGE[0] < tells * factor < UNIT_RANGE[1]:
                note = [] if unit == "m" else [f"Lengths are taken as {unit}."]
                return factor, note
    factor = 1.0 / tells
    return factor, [
        f"Lengths are scaled by {factor:.3g}, so that the legs fit a body of {height:.2f} m."
    ]


def rigid_noise(markers: Markers, smoothed: Smoothed, at: Mapping[str, int]) -> float:
    """Spread (m) of a point per axis, from thighs and shanks that change their length.

    The length of a segment between two points with spread σ per axis has the spread
    √2 σ, slow wandering included, which no look at one path alone could tell.
    """
    spreads = []
    for side in SIDES:
        if not all(f"{n}_{side}" in at for n in NEEDED):
            continue
        points = [
            np.where(
                smoothed.used[:, at[f"{n}_{side}"], None],
                markers.positions[:, at[f"{n}_{side}"]],
                np.nan,
            )
            for n in NEEDED
        ]
        for a, b in pairwise(points):
            apart = np.linalg.norm(a - b, axis=1)
            apart = apart[np.isfinite(apart)]
            if len(apart) > 10:
                spread = 1.4826 * float(np.median(np.abs(apart - np.median(apart))))
                spreads.append(spread / np.sqrt(2.0))
    return float(np.median(spreads)) if spreads else 0.01


def _said_of_points(markers: Markers, smoothed: Smoothed, confidence: Array) -> list[str]:
    notes = []
    strays = {n: int(c) for n, c in zip(markers.names, smoothed.outliers, strict=True) if c}
    if strays:
        most = sorted(strays, key=lambda n: -strays[n])[:5]
        notes.append(
            f"Stray detections left out: {sum(strays.values())} samples, most in"
            f" {', '.join(f'{n} {strays[n]}' for n in most)}."
        )
    share = smoothed.used.mean(axis=0)
    seldom = [n for n, s in zip(markers.names, share, strict=True) if s < 0.7]
    if seldom:
        notes.append(f"Seen in less than 70 % of the frames: {', '.join(seldom)}.")
    with np.errstate(invalid="ignore"):
        sure = np.array(
            [float(np.median(c[c > 0])) if (c > 0).any() else 0.0 for c in confidence.T]
        )
    weak = [n for n, s in zip(markers.names, sure, strict=True) if s < LOW_CONFIDENCE]
    if weak:
        notes.append(
            f"The detector itself is unsure of {', '.join(weak)}"
            f" (median confidence below {LOW_CONFIDENCE:g})."
        )
    return notes


def _listed(markers: Markers, at: Mapping[str, int]) -> str:
    wanted = {f"{n}_{s}" for n in NEEDED for s in SIDES}
    seen = [
        markers.names[k]
        for n, k in at.items()
        if n in wanted and np.isfinite(markers.positions[:, k]).all(axis=1).mean() >= 0.3
    ]
    return ", ".join(seen) or "none"
