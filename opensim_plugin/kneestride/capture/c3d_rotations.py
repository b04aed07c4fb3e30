"""Segment poses stored in a C3D: the ROTATION group.

Markerless systems that fit a body to several cameras (Theia3D) store no points but one
4 × 4 matrix a segment and frame. They lie in a data section of their own that begins at
block ROTATION:DATA_START: for each sample and rotation 16 reals column by column, then
one reliability. Read here rather than by `ezc3d`, whose Python side drops the reliability.

Source: the ROTATION group as read by ezc3d (Michaud & Begon 2021,
doi:10.21105/joss.02911), with which the tests compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .c3d_blocks import BLOCK

VALUES = 17
ORTHOGONAL = 0.02
"""Largest entry of RᵀR − 1 of a matrix that is a rotation (four-byte reals, rounding)."""


@dataclass(frozen=True)
class SegmentPoses:
    """Poses of N segments.

    Attributes
    ----------
    labels : tuple of str, length N
    rate : float, Hz
    rotation : (T, N, 3, 3) segment's axes in the laboratory (columns); NaN where unknown
    origin : (T, N, 3) in the file's unit of length; NaN where unknown
    reliability : (T, N) as stored; negative where the system found nothing
    """

    labels: tuple[str, ...]
    rate: float
    rotation: Array
    origin: Array
    reliability: Array


def read_rotations(
    path: Path, labels: list[str], used: int, start: int, ratio: int, frames: int, rate: float
) -> SegmentPoses:
    """Read the data section of the ROTATION group.

    Parameters
    ----------
    path : Path
    labels, used, start, ratio : entries of the group; `start` counts blocks from 1
    frames : int, point frames; rate : float, Hz, of the points

    Raises
    ------
    CaptureError
        The section leaves the file, or holds no rotation matrix.
    """
    what = f"segment poses (ROTATION) in '{path.name}'"
    again = "export the recording again, or export joint centres as points"
    if used < 1 or len(labels) < used or start < 2 or ratio < 1:
        found = f"{used} rotations, {len(labels)} labels, data at block {start}, ratio {ratio}"
        raise CaptureError(what, found, again)
    samples = frames * ratio
    need = 4 * VALUES * used * samples
    begin = (start - 1) * BLOCK
    size = path.stat().st_size
    if begin + need > size:
        have = max(size - begin, 0) // (4 * VALUES * used)
        raise CaptureError(
            f"{samples} samples of {what}", f"a file cut off after {have} of them", again
        )
    with path.open("rb") as stream:
        first = stream.read(1)[0]
        stream.seek((first - 1) * BLOCK + 3)
        processor = stream.read(1)[0]
        stream.seek(begin)
        raw = stream.read(need)
    if processor not in (84, 86):
        raise CaptureError(what, "DEC numbers, which nobody writes poses in", again)
    order = ">f4" if processor == 86 else "<f4"
    values = np.frombuffer(raw, order).astype(float).reshape(samples, used, VALUES)
    # Column by column: the last axis but one of the reshaped block counts columns.
    matrix = values[..., :16].reshape(samples, used, 4, 4).swapaxes(-1, -2)
    rotation, origin = matrix[..., :3, :3].copy(), matrix[..., :3, 3].copy()
    reliability = values[..., 16].copy()
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(rotation.swapaxes(-1, -2) @ rotation - np.eye(3)).max(axis=(-2, -1))
        fine = (off < ORTHOGONAL) & np.isfinite(origin).all(axis=-1) & ~(reliability < 0)
        fine &= np.linalg.det(np.where(fine[..., None, None], rotation, np.eye(3))) > 0
    if not fine.any():
        raise CaptureError(what, "no rotation matrix in any frame", again)
    rotation[~fine], origin[~fine] = np.nan, np.nan
    return SegmentPoses(tuple(labels[:used]), rate * ratio, rotation, origin, reliability)
