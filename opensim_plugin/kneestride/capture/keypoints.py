"""Key points of a video detector, read as a recording.

Files of pose detectors say little of themselves: often no rate, no unit, no upright
axis, sometimes two people. Here they become the same `Trial` as markers, with a
confidence beside every point; what the file does not say is taken from the person's
height (scale), from the body (axes, `capture.axes`) or asked for (the frame rate).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .files import checked_path, looks_like, sha256
from .keypoint_csv import read_csv
from .keypoint_frames import Detections, follow
from .keypoint_json import read_folder, read_json
from .trial import Markers, Trial

HIP_ORIGIN = 0.02
"""Share of the body's extent; a middle of the hips that stays closer than this to the
origin in every frame is the origin (MediaPipe's world landmarks)."""

FOLDER_LIMIT = 500_000


@dataclass(frozen=True)
class Keypoints:
    """Key points of one person, in two or three dimensions.

    Attributes
    ----------
    name : str
    kind : str, the key-point set
    names : tuple of str, length K
    time : (T,) s; rate : float, Hz
    positions : (T, K, D) in the file's unit and axes, NaN where not seen
    confidence : (T, K) 0 to 1, 0 where not seen
    size : (width, height) of the picture, px, or None
    sources : file name to SHA-256
    notes : tuple of str
    """

    name: str
    kind: str
    names: tuple[str, ...]
    time: Array
    rate: float
    positions: Array
    confidence: Array
    size: tuple[float, float] | None
    sources: dict[str, str]
    notes: tuple[str, ...]

    @property
    def flat(self) -> bool:
        """Whether these are points in a picture rather than in space."""
        return bool(self.positions.shape[2] == 2)


def is_keypoint_file(path: Path | str) -> bool:
    """Whether a path is read here: a .json or .csv file, or a folder of .json files."""
    path = Path(path)
    if path.is_dir():
        return any(path.glob("*.json"))
    if path.suffix.lower() not in (".json", ".csv"):
        return False
    # A marker file under a wrong name is told as such by the other readers.
    return not path.is_file() or path.stat().st_size == 0 or looks_like(path)[0] is None


def read_keypoints(path: Path | str, rate: float | None = None) -> Keypoints:
    """Read the key points of one person.

    Parameters
    ----------
    path : path
        .json, .csv, or a folder with an OpenPose .json a frame.
    rate : float, Hz, optional
        Needed when the file has no times and no rate; goes before the file's own.

    Raises
    ------
    CaptureError
        Unreadable, of no known form, nobody in it, or no frame rate.
    """
    path = Path(path)
    if path.is_dir():
        found = read_folder(path)
        files = sorted(path.glob("*.json"))[:FOLDER_LIMIT]
        # One fingerprint for the folder: that of the first and the last frame.
        sources = {f.name: sha256(f) for f in {files[0], files[-1]}}
    else:
        path = checked_path(path)
        found = read_csv(path) if path.suffix.lower() == ".csv" else read_json(path)
        sources = {path.name: sha256(path)}
    time, rows, hertz, clock_notes = _clock(found, rate, path.name)
    positions, confidence, notes = follow(found, path.name)
    whole = np.full((len(time), *positions.shape[1:]), np.nan)
    sure = np.zeros((len(time), positions.shape[1]))
    whole[rows], sure[rows] = positions, confidence
    whole[sure <= 0] = np.nan
    return Keypoints(
        path.stem, found.kind, found.names, time, hertz, whole, sure, found.size, sources,
        (f"Key points: {found.kind}, {len(found.names)} points.", *notes, *clock_notes),
    )  # fmt: skip


def read_keypoint_trial(path: Path | str, rate: float | None = None) -> Trial:
    """Read key points in three dimensions as a `Trial`, in the file's unit and axes.

    Raises
    ------
    CaptureError
        As `read_keypoints`; or the points lie in the picture's plane.
    """
    found = read_keypoints(path, rate)
    if found.flat:
        raise CaptureError(
            f"key points in three dimensions in '{found.name}'",
            f"points in a picture (x and y only, {found.kind})",
            "analyse one camera's points with --view frontal or --view sagittal: angles in"
            " the picture, no loads",
        )
    seen = (found.confidence > 0).any(axis=0)
    keep = np.flatnonzero(seen)
    markers = Markers(
        tuple(found.names[k] for k in keep),
        found.time,
        found.rate,
        found.positions[:, keep],
        found.confidence[:, keep],
    )
    notes = list(found.notes)
    if len(keep) < len(found.names):
        lost = [n for n, s in zip(found.names, seen, strict=True) if not s]
        notes.append(f"Never seen, left out: {', '.join(lost)}.")
    return Trial(found.name, markers, sources=found.sources, notes=tuple(notes))


def hips_are_origin(markers: Markers, left: str, right: str) -> bool:
    """Whether the middle of the hips never leaves the origin: no movement through space."""
    if left not in markers.names or right not in markers.names:
        return False
    at = [markers.names.index(n) for n in (left, right)]
    middle = markers.positions[:, at].mean(axis=1)
    middle = middle[np.isfinite(middle).all(axis=1)]
    spread = np.nanmax(markers.positions, axis=1) - np.nanmin(markers.positions, axis=1)
    extent = float(np.nanmedian(spread, axis=0).max())
    if not len(middle) or not extent > 0:
        return False
    return bool(np.percentile(np.linalg.norm(middle, axis=1), 95) < HIP_ORIGIN * extent)


def _clock(
    found: Detections, rate: float | None, what: str
) -> tuple[Array, np.ndarray, float, list[str]]:
    """Uniform clock (T,), the row of every stored frame, the rate, notes."""
    times = np.array([f.time for f in found.frames])
    numbers = np.array([f.number for f in found.frames])
    notes: list[str] = []
    own = rate or found.rate
    n = len(found.frames)
    steps = np.diff(times)
    if own is None and n > 1 and np.isfinite(times).all() and (steps > 0).all():
        if float(np.median(steps)) > 1.0:
            times, steps = times / 1000.0, steps / 1000.0
            notes.append("Time stamps are taken as milliseconds.")
        own = 1.0 / float(np.median(steps))
        # Video clocks wobble; the mean step is the rate unless frames are missing.
        mean = (n - 1) / float(times[-1] - times[0])
        if abs(mean / own - 1) < 0.1:
            own = mean
    if own is None and n == 1:
        own = 1.0
    if own is None:
        raise CaptureError(
            f"a frame rate in '{what}'",
            "neither times nor a rate",
            "pass the video's rate, for example --rate 60",
        )
    if not (np.isfinite(own) and 0 < own <= 10_000):
        raise CaptureError(
            f"a frame rate of the video in '{what}'",
            f"{own:g} Hz",
            "pass the video's rate, for example --rate 60",
        )
    start = float(times[0]) if np.isfinite(times[0]) else 0.0
    rows = np.arange(n)
    if n > 1 and np.isfinite(numbers).all() and (np.diff(numbers) > 0).all():
        rows = _whole(numbers - numbers[0])
    elif n > 1 and np.isfinite(times).all() and (steps > 0).all():
        rows = _whole(np.round((times - times[0]) * own))
        if len(np.unique(rows)) < n:
            rows = np.arange(n)
    if rows[-1] > 4 * n:
        raise CaptureError(
            f"frames that follow each other in '{what}'",
            f"{n} frames numbered up to {rows[-1]}",
            "export every frame of the clip",
        )
    missing = int(rows[-1]) + 1 - n
    if missing:
        notes.append(f"{missing} frames are missing from the file.")
    return start + np.arange(int(rows[-1]) + 1) / own, rows, float(own), notes


def _whole(steps: Array) -> np.ndarray:
    """Frame numbers as integers; those beyond any recording stay beyond it."""
    return np.clip(steps, 0, 2.0**40).astype(np.int64)


def with_unit(markers: Markers, factor: float) -> Markers:
    """The same points with lengths multiplied by `factor`."""
    return replace(markers, positions=markers.positions * factor)
