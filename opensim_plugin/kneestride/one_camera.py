"""`analyse` for the key points of one camera: angles in the picture, no loads.

The results folder is of the same kind (summary.json, strides.csv, report.html, log.txt)
without model files: a picture has no third dimension to fit a skeleton in.
"""

from __future__ import annotations

import time as clock
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from .capture.keypoint_condition import NEEDED, exchange_legs
from .capture.keypoint_smoothing import smooth_keypoints
from .capture.keypoints import Keypoints, is_keypoint_file, read_keypoints
from .capture.markersets import recognise
from .capture.trial import Markers, Subject
from .errors import CaptureError, SettingsError
from .motion import picture as seen
from .vocabulary import SIDES, Array

VIEWS = ("frontal", "sagittal")
NO_LOADS = (
    "One camera: angles and distances in the picture, no joint loads and no forces. Depth is"
    " not seen; a body turned to the camera, or a camera held at a slant, changes the angles."
)
DRIFT = 0.25
"""Leg lengths a second that a standing foot slides over the picture: the camera moves."""

GROWTH = 1.15
"""A leg that becomes this many times longer in the picture comes nearer."""


@dataclass(frozen=True)
class PictureResults:
    """Everything one camera told; write it with `results.picture_folder.write_picture`."""

    trial: str
    subject: Subject
    picture: seen.Picture
    task: str
    rows: tuple[seen.Row, ...]
    standing: seen.StandingTest | None
    kind: str
    sources: dict[str, str]
    warnings: tuple[str, ...]
    log: tuple[str, ...]
    seconds: float

    def standing_summary(self) -> dict[str, Any] | None:
        """The standing test as plain data."""
        return None if self.standing is None else asdict(self.standing)


def is_picture(path: Path, view: str | None) -> bool:
    """Whether a recording is to be analysed here: two-dimensional key points.

    Raises
    ------
    SettingsError
        --view is no view, or given for a recording in three dimensions.
    """
    if view is not None and view not in VIEWS:
        raise SettingsError("a view of one camera", f"{view!r}", "correct --view", VIEWS)
    flat = is_keypoint_file(path) and read_keypoints(path, 1.0).flat
    if view is not None and not flat:
        raise SettingsError(
            "key points of one camera (x and y only) with --view",
            f"'{path.name}', which has three dimensions or is no file of key points",
            "leave --view out",
        )
    return flat


def analyse_picture(
    path: Path, subject: Subject, view: str | None = None, rate: float | None = None
) -> PictureResults:
    """Analyse the key points of one camera.

    Parameters
    ----------
    path : .json, .csv or a folder of OpenPose .json
    subject : Subject; the height gives the picture its scale
    view : 'frontal', 'sagittal' or None to tell it from the hips
    rate : Hz, when the file does not tell it

    Raises
    ------
    CaptureError
        No leg in the picture, no rate, or a view between front and side.
    """
    begin = clock.perf_counter()
    found = read_keypoints(path, rate)
    names = recognise(found.names, need_pelvis=False)
    positions = upright(found)
    markers = Markers(found.names, found.time, found.rate, positions, found.confidence)
    at = {names.landmarks[n]: k for k, n in enumerate(found.names) if n in names.landmarks}
    log = [*found.notes, names.describe()]
    warnings = [NO_LOADS]
    legs = [
        s
        for s in SIDES
        if all(
            f"{n}_{s}" in at
            and np.isfinite(positions[:, at[f"{n}_{s}"]]).all(axis=1).mean() >= 0.3
            for n in NEEDED
        )
    ]
    if not legs:
        raise CaptureError(
            "the hip, knee and ankle of at least one leg in the picture",
            "neither leg in a third of the frames",
            "film so that both legs are in the picture",
        )
    if len(legs) < 2:
        warnings.append(
            f"Only the {'right' if legs[0] == 'r' else 'left'} leg is in the picture:"
            " nothing is told of the other."
        )
    markers, swapped = exchange_legs(markers, at)
    if swapped:
        log.append(f"Left and right legs exchanged in {swapped} frames: put back.")
    length = seen.leg_length({n: markers.positions[:, k] for n, k in at.items()})
    # The smoother's floor is in metres: the picture is brought to about that scale.
    metre = length / (seen.LEG_SHARE * subject.height)
    sure = found.confidence if markers.confidence is None else markers.confidence
    smoothed = smooth_keypoints(markers.positions / metre, sure, markers.rate)
    points = {n: smoothed.positions[:, k] * metre for n, k in at.items()}
    if len(markers.time) < 5:
        points = {n: markers.positions[:, k] for n, k in at.items()}
    else:
        log.append(f"Smoothed without lag at {smoothed.cutoff:.1f} Hz.")
    told, share = seen.view_of(points)
    chosen = view or told
    if chosen is None:
        raise CaptureError(
            "a body seen from the front, the back or the side",
            f"hips {share:.2f} leg lengths wide in the picture, between the two",
            "say which with --view frontal or --view sagittal, or film straight on",
        )
    if view is not None and told is not None and told != view:
        warnings.append(
            f"The hips are {share:.2f} leg lengths wide, as in a {told} view, not a {view} one."
        )
    frame = seen.Picture(found.time, found.rate, points, cast(seen.View, chosen), metre, length)
    task = "static" if len(found.time) < 5 else seen.task_of(frame)
    rows = seen.picture_rows(frame, task)
    standing = None
    if task == "static" and chosen == "frontal" and len(legs) == 2:
        standing = seen.standing_test(frame, subject.height)
    warnings += _doubts(frame, task)
    if not rows and standing is None:
        warnings.append(
            "Neither steps, nor a squat, nor quiet standing was recognised: no figures."
        )
    log.append(f"View: {chosen}. Task: {task}.")
    return PictureResults(
        found.name, subject, frame, task, tuple(rows), standing, found.kind, found.sources,
        tuple(warnings + [n for n in found.notes if "person" in n or "jumps" in n]),
        tuple(log), clock.perf_counter() - begin,
    )  # fmt: skip


def upright(found: Keypoints) -> Array:
    """Points (T, K, 2) in px with y up.

    Raises
    ------
    CaptureError
        They are shares of a picture whose size is not told.
    """
    positions = found.positions.copy()
    known = positions[np.isfinite(positions).all(axis=2)]
    if not len(known):
        return positions
    if np.percentile(np.abs(known), 98) <= 1.5:
        if found.size is None:
            raise CaptureError(
                f"the size of the picture in '{found.name}' (its points are shares of it)",
                "none",
                'add "width" and "height" in pixels to the file',
            )
        positions = positions * np.array(found.size)
    up: Array = positions * np.array([1.0, -1.0])
    return up


def _doubts(frame: seen.Picture, task: str) -> list[str]:
    out = []
    drift = seen.camera_drift(frame) if task in ("squat", "running", "walking") else 0.0
    if frame.view == "frontal" and np.isfinite(drift) and drift > DRIFT * frame.leg:
        out.append(
            "A standing foot slides over the picture: the camera moves. Angles at an instant"
            " still count; step width does not."
        )
    tenth = max(1, len(frame.time) // 5)
    if task in ("walking", "running"):
        parts = [
            seen.leg_length({n: p[part] for n, p in frame.points.items()})
            for part in (slice(0, tenth), slice(-tenth, None))
        ]
        if np.isfinite(parts).all() and max(parts) > GROWTH * min(parts):
            out.append(
                "The body comes nearer or goes away: distances in mm are those of the middle"
                " of the clip at best."
            )
    return out
