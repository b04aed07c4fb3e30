"""How many processor cores an analysis uses, and frames shared among them.

Compiled kernels and matrix products release Python's lock, so threads are enough and
nothing is copied. A recording is always cut into the same blocks of frames, whoever works
on them, and every block is computed by itself: results are the same bit by bit for any
number of workers.

The number is two, or what the machine gives the process if that is less;
`KNEESTRIDE_WORKERS` or `limited_to` set it otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise

from .errors import SettingsError
from .scratch import LONG, release

DEFAULT = 2
BLOCK = 512
"""Frames that are computed in one go, at most."""
MANY = 16 * BLOCK
"""Frames of a long recording that are made one step of at a time, to spare memory."""

_chosen: ContextVar[int | None] = ContextVar("kneestride_workers", default=None)


def count() -> int:
    """Number of workers in use, at least one."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    given = os.environ.get("KNEESTRIDE_WORKERS", "").strip()
    if given:
        return _checked(given)
    return max(1, min(DEFAULT, os.process_cpu_count() or 1))


@contextmanager
def limited_to(workers: int | None) -> Iterator[None]:
    """Use so many workers inside the block; None leaves the number as it is.

    Raises
    ------
    SettingsError
        When the number is not a whole one above zero.
    """
    if workers is None:
        yield
        return
    token = _chosen.set(_checked(workers))
    try:
        yield
    finally:
        _chosen.reset(token)


def _checked(given: int | str) -> int:
    try:
        workers = int(given)
    except ValueError:
        workers = 0
    if workers < 1:
        raise SettingsError(
            "a number of workers of 1 or more", f"{given!r}", "give 1, 2 or the cores you have"
        )
    return workers


def blocks(frames: int, size: int = BLOCK) -> list[tuple[int, int]]:
    """Return (start, stop) of consecutive blocks of frames; the same for any workers.

    They are equal within a frame, none longer than `size`, and an even number of them when
    there is more than one: two workers are done at the same time.
    """
    if frames <= size:
        return [(0, frames)] if frames else []
    count = 2 * -(-frames // (2 * size))
    ends = [frames * k // count for k in range(count + 1)]
    return list(pairwise(ends))


def over_blocks(work: Callable[[int, int], None], frames: int, size: int = BLOCK) -> None:
    """Call `work(start, stop)` for every block, by all workers.

    Parameters
    ----------
    work : callable
        Fills its own frames of arrays made beforehand, and touches no others.
    """
    pieces = blocks(frames, size)
    if frames > LONG:
        work = _with_release(work)
    together = min(count(), len(pieces))
    if together < 2:
        for start, stop in pieces:
            work(start, stop)
        return
    with _pool(together) as pool:
        # Taking every result raises what a block raised.
        for _ in pool.map(lambda piece: work(*piece), pieces):
            pass


def _with_release(work: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Give pages of arrays on the disk back now and then."""

    def one(start: int, stop: int) -> None:
        work(start, stop)
        if stop // MANY > start // MANY:
            release()

    return one


def _pool(threads: int) -> ThreadPoolExecutor:
    # What runs in a worker does not ask for further workers.
    return ThreadPoolExecutor(threads, initializer=_chosen.set, initargs=(1,))


def each[A, B](work: Callable[[A], B], items: list[A]) -> list[B]:
    """`[work(item) for item in items]`, by all workers; order is kept."""
    together = min(count(), len(items))
    if together < 2:
        return [work(item) for item in items]
    with _pool(together) as pool:
        return list(pool.map(work, items))
