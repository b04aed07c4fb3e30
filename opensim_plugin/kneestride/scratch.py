"""What a long recording leaves behind, kept on the disk in place of memory.

An analysis keeps about 13 kB a frame to its end: half an hour at 150 Hz would need 4 GB.
Arrays over more than `LONG` frames are therefore moved, once they are made, into unnamed
temporary files that are mapped into memory (`kept`, `room`), and their pages are given back
between stages (`release`). What is read again comes from the disk, or from what the system
still caches of it. An array that is mapped is used like any other.

The files have no name where the system allows it, so that nothing is left behind however
a run ends. They lie in the system's temporary folder (`TMPDIR` chooses another one); where
that folder is itself in memory nothing is gained.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LONG = 20_000
"""Frames above which arrays are kept on the disk: two minutes at 150 Hz."""
_SMALL = 1 << 20
"""Bytes; smaller arrays stay in memory whatever their length."""
_ROWS = 8192
_OFTEN = 0.05
"""s between two times that pages are given back."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_WORKED_WITH = 8 << 20
"""Bytes; what workers make and forget for a piece is smaller, and is not given back: they
would wait for each other, as the system gives pages to one thread of a process at a time."""

_one_at_a_time = threading.Lock()
_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def room(shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return an array to be filled: on the disk when it is long, else in memory."""
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    if not shape or shape[0] <= LONG or size < _SMALL:
        return np.empty(shape, kind)
    _give_back_what_is_freed()
    try:
        with tempfile.TemporaryFile(prefix="kneestride-") as file:
            _reserve(file.fileno(), size)
            space = mmap.mmap(file.fileno(), size)
    except OSError:
        # No room on the disk: there may be enough memory.
        return np.empty(shape, kind)
    with _one_at_a_time:
        _mapped.add(space)
    _trim()
    return np.frombuffer(space, kind).reshape(shape)


def kept[T](found: T) -> T:
    """Return the same with every long array in it on the disk.

    Dataclasses, mappings and tuples are looked through; an array in two places stays one.
    Arrays that lie on the disk already, or are views of such, are left as they are.
    """
    moved: dict[int, Any] = {}
    out: T = _moved(found, moved)
    release()
    return out


def stacked(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return arrays of T rows side by side, as `numpy.column_stack` does."""
    parts = [c[:, None] if c.ndim == 1 else c for c in columns]
    rows = len(parts[0])
    if rows <= LONG:
        return np.column_stack(parts)
    out = room((rows, sum(p.shape[1] for p in parts)), np.result_type(*parts))
    for start in range(0, rows, _ROWS):
        at, first = slice(start, start + _ROWS), 0
        for part in parts:
            out[at, first : first + part.shape[1]] = part[at]
            first += part.shape[1]
        release()
    return out


def rows_of(values: NDArray[Any], wanted: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `values[wanted]`, some rows at a time."""
    out, done = room((int(wanted.sum()), *values.shape[1:]), values.dtype), 0
    for start in range(0, len(values), _ROWS):
        some = values[start : start + _ROWS][wanted[start : start + _ROWS]]
        out[done : done + len(some)] = some
        done += len(some)
    release()
    return out


def release() -> None:
    """Give the pages of all mapped arrays back; what they hold stays on the disk."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    with _one_at_a_time:
        for space in list(_mapped):
            space.madvise(mmap.MADV_DONTNEED)


@cache
def _trim() -> None:
    """Give pages back all the time from now on: one look at a whole array may be 200 MB."""

    def often() -> None:
        while True:
            time.sleep(_OFTEN)
            release()

    threading.Thread(target=often, name="kneestride-scratch", daemon=True).start()


def _reserve(file: int, size: int) -> None:
    """Make a file so long; a full disk is told now, not by a crash when it is written to."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


def _moved(found: Any, moved: dict[int, Any]) -> Any:
    if isinstance(found, np.ndarray):
        if found.ndim == 0 or len(found) <= LONG or found.nbytes < _SMALL or on_disk(found):
            return found
        if id(found) not in moved:
            into = room(found.shape, found.dtype)
            into[...] = found
            # The key is an address: what it belongs to must live as long as the table.
            moved[id(found)] = (into, found)
        return moved[id(found)][0]
    if isinstance(found, dict):
        return {name: _moved(value, moved) for name, value in found.items()}
    if type(found) is tuple:
        return tuple(_moved(value, moved) for value in found)
    if is_dataclass(found) and not isinstance(found, type):
        new = {f.name: _moved(getattr(found, f.name), moved) for f in fields(found) if f.init}
        if all(getattr(found, name) is value for name, value in new.items()):
            return found
        return replace(found, **new)
    return found


def on_disk(array: NDArray[Any]) -> bool:
    """Tell whether an array, or what it is a view of, is mapped from the disk."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return isinstance(base, mmap.mmap)


@cache
def _give_back_what_is_freed() -> None:
    """Have large freed arrays returned to the system at once, where the C library is GNU's.

    It raises, as a program runs, the size from which freed memory is returned, up to
    32 MB: arrays over 270 000 frames would leave holes of that size.
    """
    if sys.platform == "linux":
        try:
            library = ctypes.CDLL("libc.so.6")
            library.mallopt(_M_MMAP_THRESHOLD, _WORKED_WITH)
            library.mallopt(_M_TRIM_THRESHOLD, 2 * _WORKED_WITH)
        except (OSError, AttributeError):
            return
