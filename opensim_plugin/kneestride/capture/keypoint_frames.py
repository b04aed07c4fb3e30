"""Detections of people in frames, and the one person followed through them.

Every reader of key points ends here: a list of frames, each with the people that the
detector saw. One of them is followed: the one seen longest and largest, by the
distance of the body's middle from frame to frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array

JUMP = 0.5
"""Body sizes; the middle of a person does not move farther in 1/30 s (a sprinter: 0.3)."""


@dataclass(frozen=True)
class Person:
    """One detection: points (K, 2 or 3), confidence (K,) 0 to 1, and an identity or ''."""

    points: Array
    confidence: Array
    identity: str = ""


@dataclass(frozen=True)
class Frame:
    """What one frame holds.

    Attributes
    ----------
    number : float, frame number as stored; NaN when there is none
    time : float, s; NaN when there is none
    people : sequence of Person
    """

    number: float
    time: float
    people: Sequence[Person] = ()


@dataclass(frozen=True)
class Detections:
    """All frames of a file, and what it says of itself.

    Attributes
    ----------
    names : tuple of str, length K
    kind : str, the key-point set
    frames : list of Frame
    rate : float or None, Hz
    size : (width, height) px or None
    notes : list of str
    """

    names: tuple[str, ...]
    kind: str
    frames: list[Frame]
    rate: float | None = None
    size: tuple[float, float] | None = None
    notes: list[str] = field(default_factory=list)


def follow(found: Detections, what: str) -> tuple[Array, Array, list[str]]:
    """The person to analyse, frame by frame.

    Returns
    -------
    positions : (F, K, D), NaN where not seen
    confidence : (F, K), 0 where not seen
    notes : list of str
        More than one person, frames without any, jumps to somebody else.
    """
    K = len(found.names)
    flat = [p for f in found.frames for p in f.people]
    if not flat:
        raise CaptureError(
            f"a person in the key points of '{what}'",
            "none in any frame",
            "check that the detector found the person, and export again",
        )
    dims = max(p.points.shape[1] for p in flat)
    positions = np.full((len(found.frames), K, dims), np.nan)
    confidence = np.zeros((len(found.frames), K))
    notes: list[str] = []
    wanted = _main_identity(found.frames)
    last: Array | None = None
    lost = jumped = 0
    gap = 1
    for f, frame in enumerate(found.frames):
        best = _choose(frame.people, wanted, last)
        if best is None:
            gap += 1
            continue
        middle, size = _middle(best)
        if last is not None and np.isfinite(size) and size > 0:
            step = float(np.linalg.norm(middle - last)) / size
            # Somebody else: the followed one is not in this frame.
            if step > JUMP * min(gap, 30):
                jumped += 1
                gap += 1
                lost += 1
                if lost < 30:
                    continue
        seen = (best.confidence > 0) & np.isfinite(best.points).all(axis=1)
        positions[f, seen] = best.points[seen]
        confidence[f, seen] = best.confidence[seen]
        last, gap, lost = middle, 1, 0
    crowd = sum(len(f.people) > 1 for f in found.frames)
    if crowd:
        notes.append(
            f"More than one person in {crowd} of {len(found.frames)} frames: the one seen"
            " longest and largest is followed."
        )
    if jumped:
        notes.append(
            f"In {jumped} frames the detection jumps to another place, as if to somebody"
            " else: these frames are left out."
        )
    empty = int((confidence.max(axis=1) <= 0).sum())
    if empty - jumped > 0:
        notes.append(f"Nobody detected in {empty - jumped} of {len(found.frames)} frames.")
    return positions, confidence, notes


def _middle(person: Person) -> tuple[Array, float]:
    """Median place and extent of a detection."""
    seen = (person.confidence > 0) & np.isfinite(person.points).all(axis=1)
    points = person.points[seen]
    if not len(points):
        return np.full(person.points.shape[1], np.nan), float("nan")
    return np.median(points, axis=0), float(np.ptp(points, axis=0).max())


def _main_identity(frames: Sequence[Frame]) -> str:
    """Identity with the largest summed extent; '' when the file tells none."""
    weight: dict[str, float] = {}
    for frame in frames:
        for person in frame.people:
            if person.identity:
                size = _middle(person)[1]
                weight[person.identity] = weight.get(person.identity, 0.0) + (
                    size if np.isfinite(size) else 0.0
                )
    return max(weight, key=lambda k: weight[k]) if weight else ""


def _choose(people: Sequence[Person], wanted: str, last: Array | None) -> Person | None:
    able = [p for p in people if (p.confidence > 0).sum() >= 3]
    if wanted and len(able) > 1:
        named = [p for p in able if p.identity == wanted]
        able = named or able
    if not able:
        return None
    if last is None:
        return max(able, key=lambda p: _middle(p)[1])
    return min(able, key=lambda p: float(np.linalg.norm(_middle(p)[0] - last)))
