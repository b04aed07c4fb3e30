"""A recording's clock: first time stamp + k / rate, checked against the stamps.

Time stamps written with three decimals ruin accelerations (running: a fore-aft
residual of 27 N became 1630 N), so the stamps are used for two things only: where
the clock starts, and whether a frame is missing. The clock never restarts at 0,
because the forces share it: one frame of shift costs 0.2 body weights.
(Both figures measured with this project's chain on public running trials.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CaptureError
from ..vocabulary import Array

MAX_RATE = 100_000.0
"""Hz; faster than any motion-capture or force-plate recorder."""

MAX_HOLES = 4.0
"""A recording may be stretched by its missing frames to this many times its rows."""

MAX_RATIO = 50.0
"""Stamps and header may differ by this factor (a reduced trial), not by a unit of time."""


@dataclass(frozen=True)
class Clock:
    """Uniform clock of a recording.

    Attributes
    ----------
    time : (T,) s
        First stamp + k / rate.
    rate : float, Hz
    row : (R,) int
        Frame index in `time` of each row of the file (T > R when frames are missing).
    notes : tuple of str
        Where the stamps disagreed with the header.
    """

    time: Array
    rate: float
    row: NDArray[np.intp]
    notes: tuple[str, ...] = ()


def uniform_clock(stamps: Array, rate: float | None, what: str) -> Clock:
    """Rebuild a uniform clock from the stamps of a file.

    Parameters
    ----------
    stamps : (R,) s
        Time column; NaN where blank.
    rate : float or None
        Hz, as the header says; None when the header is silent.
    what : str
        The file, for messages.

    Raises
    ------
    CaptureError
        Time stands still or runs backwards, the rate is impossible, or the holes
        between stamps outweigh the data.
    """
    n = len(stamps)
    known = np.isfinite(stamps)
    notes: list[str] = []
    if rate is not None and not 0 < rate <= MAX_RATE:
        raise CaptureError(
            f"a sampling rate in '{what}'",
            f"{rate:g} Hz",
            "correct the rate in the file's header",
        )
    if not known.any() or (n == 1 and rate is not None):
        if rate is None:
            raise CaptureError(
                f"a sampling rate or time stamps in '{what}'",
                "neither",
                "export the recording again with a time column",
            )
        start = float(stamps[0]) if known.all() else 0.0
        if not known.any():
            notes.append("The time column is empty: the clock starts at 0 s.")
        return Clock(start + np.arange(n) / rate, rate, np.arange(n), tuple(notes))
    rows = np.flatnonzero(known)
    seen = stamps[rows]
    if len(rows) > 1 and not np.all(np.diff(seen) > 0):
        back = int(rows[1:][np.diff(seen) <= 0][0])
        raise CaptureError(
            f"a time column that increases in '{what}'",
            f"{stamps[rows[rows < back][-1]]:g} s followed by {stamps[back]:g} s"
            f" at data row {back + 1}",
            "export one trial per file, without repeated rows",
        )
    measured = _measured_rate(rows, seen)
    if rate is None:
        if measured is None:
            raise CaptureError(
                f"at least two time stamps in '{what}'",
                f"{len(rows)}",
                "export the recording again with a time column",
            )
        rate = measured
    frames = _frames(seen, rate, rows)
    if not np.array_equal(frames, rows) and measured is not None:
        again = _frames(seen, measured, rows)
        spread = np.abs(seen - seen[0] - (again - again[0]) / measured).max()
        if np.array_equal(again, rows) and spread < 0.25 / measured + 6e-4:
            if not 1 / MAX_RATIO < measured / rate < MAX_RATIO:
                raise CaptureError(
                    f"time stamps in seconds at {rate:g} Hz in '{what}'",
                    f"stamps {1 / measured:g} apart",
                    "check the unit of the time column and the rate in the header",
                )
            notes.append(
                f"The header says {rate:g} Hz, the time stamps say {measured:.6g} Hz:"
                " the stamps' rate is used."
            )
            rate, frames = measured, again
    return _stretched(stamps, rows, frames, rate, what, notes)


def _stretched(
    stamps: Array,
    rows: NDArray[np.intp],
    frames: NDArray[np.intp],
    rate: float,
    what: str,
    notes: list[str],
) -> Clock:
    """Clock with a frame for every stamp, holes included."""
    n = len(stamps)
    place = rows[0] + frames - frames[0]
    if np.any(np.diff(place) <= 0):
        raise CaptureError(
            f"time stamps {1 / rate:g} s apart in '{what}'",
            "several rows within one sampling interval",
            "correct the sampling rate in the header, or export the trial again",
        )
    total = int(place[-1]) + n - int(rows[-1])
    if total > MAX_HOLES * n + 10:
        raise CaptureError(
            f"a continuous recording in '{what}'",
            f"{n} rows spread over {total} sampling intervals of {1 / rate:g} s",
            "check that the time column is in seconds, and the sampling rate",
        )
    row = np.interp(np.arange(n), rows, place)
    row[: rows[0]] = np.arange(rows[0])
    row[rows[-1] :] = place[-1] + np.arange(n - rows[-1])
    index = np.round(row).astype(np.intp)
    missing = total - n
    if missing:
        notes.append(
            f"The time stamps skip {missing} frames: they are kept as frames"
            " in which nothing was seen."
        )
    start = float(stamps[rows[0]]) - rows[0] / rate
    time = start + np.arange(total) / rate
    apart = np.abs(time[index[rows]] - stamps[rows]).max()
    if apart > 1.1e-3 and apart > 0.2 / rate:
        notes.append(
            f"Time stamps and sampling rate ({rate:g} Hz) disagree by up to"
            f" {apart * 1e3:.1f} ms: first stamp + k / rate is used."
        )
    return Clock(time, rate, index, tuple(notes))


def _frames(seen: Array, rate: float, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Frame number of each stamp, counted from the row of the first."""
    steps = np.clip((seen - seen[0]) * rate, -1e15, 1e15)
    frames: NDArray[np.intp] = rows[0] + np.round(steps).astype(np.intp)
    return frames


def _measured_rate(rows: NDArray[np.intp], seen: Array) -> float | None:
    """Rate the stamps themselves show, Hz; a whole number when within 0.1 %."""
    if len(rows) < 2:
        return None
    steps = np.diff(seen) / np.diff(rows)
    usual = float(np.median(steps))
    # The mean over ordinary steps is finer than the stamps' rounding; holes are left out.
    ordinary = steps < 1.5 * usual
    rate = float(1.0 / steps[ordinary].mean())
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) <= 1e-3 * rate else rate
