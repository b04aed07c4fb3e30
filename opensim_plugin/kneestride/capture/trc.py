"""TRC marker files, read and written.

A TRC file is a table with a five-line header that every exporter writes a little
differently: tabs or blanks, with or without the `X1 Y1 Z1` line, blank lines between,
unseen markers as nothing, `NaN` or zeros, trailing columns. The reader takes the label
row as the map of the columns and accepts all of these; what it could not take at face
value it says in the trial's notes.

Source of the layout: OpenSim documentation, "Marker (.trc) Files".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .clock import uniform_clock
from .files import checked_path, read_text, require_kind, split_lines
from .labels import blank_zeros, tidy
from .trial import Markers, Trial

UNITS: dict[str, float] = {
    "mm": 1e-3,
    "millimeters": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "meters": 1.0,
    "metres": 1.0,
}
"""Metres in one unit, by the header's word."""

_MISSING = {"", "nan", "na", "n/a", "null", "none", "-", "-nan", "-nan(ind)", "1.#qnan"}
_AXIS = re.compile(r"[xyz]\d*$", re.IGNORECASE)


@dataclass(frozen=True)
class _Layout:
    """Where things are in the file: labels by slot and the first data line."""

    rate: float | None
    scale: float
    frames: int | None
    labels: list[str]
    first: int


def read_trc(path: Path | str) -> Trial:
    """Read a TRC file.

    Parameters
    ----------
    path : path
        TRC file, millimetres or metres as its header says.

    Returns
    -------
    Trial
        Markers in metres in the file's own axes, on the file's clock: first time
        stamp + k / rate. Frames that the stamps skip are kept, with nothing seen.

    Raises
    ------
    CaptureError
        Not a TRC file, truncated, unknown units, unreadable cell, no marker seen.
    """
    path = checked_path(path)
    require_kind(path, "trc")
    text = read_text(path)
    lines = split_lines(text)
    layout = _layout(lines, path.name)
    stamps, cells, notes = _rows(lines, layout, path.name, complete=text[-1:] in "\r\n")
    clock = uniform_clock(stamps, layout.rate, path.name)
    raw = np.full((len(clock.time), cells.shape[1], 3), np.nan)
    raw[clock.row] = cells * layout.scale
    raw[~np.isfinite(raw).all(axis=2)] = np.nan
    positions, zeros = blank_zeros(raw)
    if zeros:
        notes.append(f"{zeros} samples written as (0, 0, 0) are taken as not seen.")
    names, positions, tidied = tidy(layout.labels, positions)
    if not names:
        raise CaptureError(
            f"markers in '{path.name}'",
            "that no named marker is seen in any frame",
            "export the trial again with its labelled trajectories",
        )
    markers = Markers(names, clock.time, clock.rate, positions)
    return Trial(path.stem, markers, notes=(*notes, *clock.notes, *tidied))


def write_trc(path: Path | str, markers: Markers) -> None:
    """Write markers to a TRC file in millimetres; NaN becomes blank cells.

    Parameters
    ----------
    path : path
    markers : Markers
        Positions in metres. Times are written with the 17 digits that bring the
        same number back.
    """
    frames, count = markers.positions.shape[:2]
    path = Path(path)
    rate = f"{markers.rate:.10g}"
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate"
        "\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{count}\tmm\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers.names) + "\t\t",
        "\t\t" + "\t".join(f"X{k}\tY{k}\tZ{k}" for k in range(1, count + 1)),
        "",
    ]
    body = []
    for k, (time, row) in enumerate(zip(markers.time, markers.positions, strict=True), 1):
        values = (f"{v * 1e3:.9g}" if math.isfinite(v) else "" for v in row.ravel())
        body.append(f"{k}\t{float(time)!r}\t" + "\t".join(values))
    path.write_text("\n".join([*head, *body, ""]), encoding="utf-8")


def _layout(lines: list[str], what: str) -> _Layout:
    """Read the header rows."""
    keys_at = _find(lines, "datarate", 0, 10)
    if keys_at is None:
        raise CaptureError(
            f"a TRC header with 'DataRate … Units' in '{what}'",
            "no such line among the first ten",
            "export the trial again as TRC",
        )
    values_at = next((i for i in range(keys_at + 1, len(lines)) if lines[i].strip()), None)
    labels_at = None if values_at is None else _find(lines, "frame", values_at + 1, 8)
    if values_at is None or labels_at is None:
        raise CaptureError(
            f"a row of marker names starting with 'Frame#' in '{what}'",
            "that the file ends or continues without it",
            "export the trial again; the file may be cut off",
        )
    keys, values = lines[keys_at].split(), lines[values_at].split()
    header = {k.lower(): v for k, v in zip(keys, values, strict=False)}
    unit = header.get("units", "")
    if unit.lower() not in UNITS:
        raise CaptureError(
            f"the unit of length in the header of '{what}'",
            f"'{unit}'" if unit else "no 'Units' entry",
            "write the unit into the header",
            ("mm", "cm", "m"),
        )
    labels = _labels(lines[labels_at])
    first = labels_at + 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first < len(lines):
        axes = [c for c in re.split(r"\s+", lines[first].strip()) if c]
        if axes and all(_AXIS.match(c) for c in axes):
            labels += [""] * (len(axes) // 3 - len(labels))
            first += 1
    frames = _number(header.get("numframes", ""))
    whole = frames is not None and math.isfinite(frames) and 0 <= frames < 1e12
    return _Layout(
        _number(header.get("datarate", "")),
        UNITS[unit.lower()],
        int(frames) if whole and frames is not None else None,
        labels,
        first,
    )


def _find(lines: list[str], start: str, begin: int, count: int) -> int | None:
    """Index of the first line that starts with a word, ignoring case and blanks."""
    for i in range(begin, min(begin + count, len(lines))):
        if lines[i].strip().lower().startswith(start):
            return i
    return None


def _labels(line: str) -> list[str]:
    """Label of each slot of three columns; '' for a slot without one."""
    cells = [c.strip() for c in line.split("\t")]
    while cells and not cells[-1]:
        cells.pop()
    spread = cells[2:]
    if spread and not any(c for k, c in enumerate(spread) if k % 3):
        return spread[::3]
    # Labels one after the other, without the two empty cells between them.
    rest = cells[2:] if "\t" in line else line.split()[2:]
    return [c for c in rest if c]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _rows(
    lines: list[str], layout: _Layout, what: str, *, complete: bool
) -> tuple[Array, Array, list[str]]:
    """Time stamps (R,) and coordinates (R, slots, 3) as written, with notes.

    `complete` says that the last line has its line end.
    """
    width = 2 + 3 * len(layout.labels)
    notes: list[str] = []
    numbers: list[list[float]] = []
    beyond = 0
    last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].strip()), -1)
    for i in range(layout.first, last + 1):
        line = lines[i]
        if not line.strip():
            continue
        row = _row(line, i + 1, what)
        short = len(row) < width
        if short and (i == last and not complete):
            raise _truncated(what, f"a last line with {len(row)} of {width} columns")
        if short and "\t" not in line:
            raise CaptureError(
                f"{width} columns on line {i + 1} of '{what}', as the marker names say",
                f"{len(row)}",
                "write unseen markers as NaN where blanks separate the columns",
            )
        beyond = max(beyond, sum(math.isfinite(v) for v in row[width:]))
        numbers.append(row[:width] + [math.nan] * (width - len(row)))
    if beyond:
        notes.append(f"{beyond} trailing columns without a marker name are ignored.")
    if not numbers:
        raise _truncated(what, "a header without any data row")
    if layout.frames is not None and layout.frames > len(numbers):
        raise _truncated(what, f"{len(numbers)} frames where the header says {layout.frames}")
    if layout.frames is not None and layout.frames < len(numbers):
        notes.append(
            f"The header says {layout.frames} frames, the file holds {len(numbers)}:"
            " all of them are read."
        )
    table = np.array(numbers)
    return table[:, 1], table[:, 2:].reshape(len(table), -1, 3), notes


def _row(line: str, number: int, what: str) -> list[float]:
    """Numbers of one line; NaN where a cell says missing."""
    cells = line.rstrip().split("\t") if "\t" in line else line.split()
    try:
        return [float(c) if c.strip() else math.nan for c in cells]
    except ValueError:
        row = []
        for column, cell in enumerate(cells, 1):
            value = math.nan if cell.strip().lower() in _MISSING else _number(cell)
            if value is None:
                raise CaptureError(
                    f"a number in column {column} of line {number} of '{what}'",
                    f"'{cell.strip()[:40]}'",
                    "correct the cell, or export the trial again (decimal point, not comma)",
                ) from None
            row.append(value)
        return row


def _truncated(what: str, found: str) -> CaptureError:
    return CaptureError(
        f"a complete TRC file in '{what}'",
        found,
        "export or copy the trial again; if it was cut on purpose, correct NumFrames",
    )
