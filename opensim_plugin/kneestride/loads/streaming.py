"""Recruitment of long recordings, a piece after the other.

What recruitment is computed from takes 43 kB a frame (moment arms, wrenches, fibre
states), what comes of it 2 kB. A recording of more than `HELD` frames is therefore never
held whole: its problem is made for some thousand frames at a time, used and forgotten.
Pieces of `PIECE` frames are the blocks that the whole would be solved in, and tendons see
the frames on either side, so that results are those of the whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..model.path_fits import PathSource
from ..model.paths import MusclePaths
from ..scratch import LONG, release, room
from ..vocabulary import Array
from ..workers import BLOCK, blocks, each
from .knee_balance import KneeBalance
from .muscles import Capacity
from .recruitment import RecruitmentProblem

HELD = 9 * BLOCK
"""Frames up to which a problem is made once and kept: 30 s at 150 Hz, about 0.2 GB."""
PIECE = BLOCK
"""Frames of a piece of a longer recording; workers take one piece each at a time."""
MARGIN = 2
"""Frames on either side that the rate of a tendon's stretch is computed from."""


@dataclass(frozen=True)
class LongProblem:
    """A `RecruitmentProblem` that is made when a part of it is asked for.

    Attributes
    ----------
    time, body_weight, moments, balance, volume : as in `RecruitmentProblem`, all frames
    paths : PathSource
    capacity_of : what muscles can pull, of (start, stop) and their paths
    size : frames of a piece
    """

    time: Array
    body_weight: float
    paths: PathSource
    capacity_of: Callable[[int, int, MusclePaths], Capacity]
    moments: Array
    balance: KneeBalance
    volume: Array
    size: int = PIECE

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns of `moments`."""
        return self.paths.coordinates

    @property
    def muscles(self) -> tuple[str, ...]:
        """Muscles."""
        return self.paths.names

    def window(self, start: int, stop: int) -> RecruitmentProblem:
        """The problem over frames start to stop (exclusive)."""
        first, last = max(start - MARGIN, 0), min(stop + MARGIN, len(self.time))
        paths = self.paths.window(first, last)
        wide = RecruitmentProblem(
            self.time[first:last],
            self.body_weight,
            paths,
            self.capacity_of(first, last, paths),
            self.moments[first:last],
            self.balance.window(first, last),
            self.volume,
        )
        if (first, last) == (start, stop):
            return wide
        return wide.window(start - first, stop - first)

    def spans(self) -> list[tuple[int, int]]:
        """(start, stop) of every piece."""
        return blocks(len(self.time), self.size)


Problem = RecruitmentProblem | LongProblem


class Gathered[T]:
    """Results of pieces put together: every array over frames, in dataclasses too.

    Parameters
    ----------
    frames : of the whole
    """

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._whole: T | None = None

    def put(self, start: int, stop: int, part: T) -> None:
        """Take the result of frames start to stop; kept as it is when these are all."""
        if (start, stop) == (0, self.frames):
            self._whole = part
            return
        if self._whole is None:
            self._whole = _room(part, stop - start, self.frames)
        _fill(self._whole, part, slice(start, stop))
        if self.frames > LONG:
            release()

    @property
    def whole(self) -> T:
        """Everything that was put."""
        assert self._whole is not None
        return self._whole


def over_pieces[T](work: Callable[[int, int], T], frames: int, size: int) -> T:
    """Put `work(start, stop)` of every piece together; all workers, a piece each at a time.

    A whole piece, and not each of its steps, is what a worker takes: between kernels there
    is Python, which only one of them can run, and this lets their steps interleave.
    """
    found: Gathered[T] = Gathered(frames)
    lock = threading.Lock()

    def one(span: tuple[int, int]) -> None:
        part = work(*span)
        with lock:
            found.put(*span, part)

    each(one, blocks(frames, size))
    return found.whole


def _room(part: Any, frames: int, all_frames: int) -> Any:
    if isinstance(part, np.ndarray) and part.ndim and len(part) == frames:
        return room((all_frames, *part.shape[1:]), part.dtype)
    if isinstance(part, dict):
        return {n: _room(v, frames, all_frames) for n, v in part.items()}
    if isinstance(part, tuple):
        return tuple(_room(v, frames, all_frames) for v in part)
    if is_dataclass(part) and not isinstance(part, type):
        return replace(
            part,
            **{f.name: _room(getattr(part, f.name), frames, all_frames) for f in fields(part)},
        )
    return part


def _fill(whole: Any, part: Any, at: slice) -> None:
    if isinstance(part, np.ndarray):
        if whole is not part and len(whole) >= at.stop:
            whole[at] = part
    elif isinstance(part, dict):
        for name, value in part.items():
            _fill(whole[name], value, at)
    elif isinstance(part, tuple):
        for into, value in zip(whole, part, strict=True):
            _fill(into, value, at)
    elif is_dataclass(part):
        for f in fields(part):
            _fill(getattr(whole, f.name), getattr(part, f.name), at)
