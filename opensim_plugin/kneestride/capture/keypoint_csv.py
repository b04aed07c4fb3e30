"""CSV of key points, a row a frame (wide) or a row a point (long).

Wide: `frame, time, left_hip_x, left_hip_y, left_hip_z, left_hip_visibility, …`.
Long: `frame, time, landmark, x, y, z, visibility`, the landmark by name or by number.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from .files import read_text
from .keypoint_frames import Detections, Frame, Person
from .keypoint_sets import known_spelling, names_by_count, set_of_names

_AXES = ("x", "y", "z")
_SCORES = ("visibility", "confidence", "score", "likelihood", "conf", "c", "v", "presence")
_TIMES = {"time": 1.0, "time_s": 1.0, "t": 1.0, "timestamp": 1.0, "timestamp_s": 1.0,
          "timestamp_ms": 1e-3, "time_ms": 1e-3}  # fmt: skip
_NUMBERS = ("frame", "frame_id", "frame_number", "frame_index", "#", "")
_LABELS = ("landmark", "name", "keypoint", "joint", "point", "landmark_name", "landmark_id",
           "marker", "bodypart")  # fmt: skip
_IDENTITIES = ("person", "person_id", "track_id", "id")
_COLUMN = re.compile(r"^(?P<name>.+?)[\s._:-]*(?P<part>x|y|z|visibility|confidence|score|"
                     r"likelihood|conf|c|v|presence)$", re.IGNORECASE)  # fmt: skip


def read_csv(path: Path) -> Detections:
    """Detections of a CSV file.

    Raises
    ------
    CaptureError
        No table with a header of key points.
    """
    what = path.name
    text = read_text(path)
    sample = "\n".join(text.splitlines()[:3])
    delimiter = max(",;\t", key=sample.count)
    rows = [r for r in csv.reader(text.splitlines(), delimiter=delimiter) if any(r)]
    # Comment lines may stand before the header.
    rows = [r for r in rows if not r[0].lstrip().startswith(("//", "#!"))]
    if len(rows) < 2:
        raise _unknown(what)
    header = [h.strip() for h in rows[0]]
    low = [h.lower() for h in header]
    body = [r + [""] * (len(header) - len(r)) for r in rows[1:]]
    label = next((low.index(n) for n in _LABELS if n in low), None)
    if label is not None and "x" in low and "y" in low:
        return _long(header, low, body, label, what)
    return _wide(header, low, body, what)


def _wide(
    header: Sequence[str], low: Sequence[str], body: Sequence[Sequence[str]], what: str
) -> Detections:
    columns: dict[str, dict[str, int]] = {}
    for i, name in enumerate(header):
        found = _COLUMN.match(name)
        if found and low[i] not in _TIMES and low[i] not in _NUMBERS:
            columns.setdefault(found["name"], {})[found["part"].lower()] = i
    points = {n: c for n, c in columns.items() if "x" in c and "y" in c}
    if len(points) < 3:
        raise _unknown(what)
    axes = [a for a in _AXES if all(a in c for c in points.values())]
    values = np.array([[_number(v) for v in row[: len(header)]] for row in body])
    where = np.array([[c[a] for a in axes] for c in points.values()])
    places = values[:, where]
    confidence = np.ones(places.shape[:2])
    for k, c in enumerate(points.values()):
        score = next((c[s] for s in _SCORES if s in c), None)
        if score is not None:
            confidence[:, k] = np.nan_to_num(values[:, score])
    confidence[~np.isfinite(places).all(axis=2) | (places == 0).all(axis=2)] = 0.0
    number, time = _clock_columns(low)
    frames = [
        Frame(
            values[t, number] if number is not None else math.nan,
            values[t, time[0]] * time[1] if time is not None else math.nan,
            [Person(places[t], np.clip(confidence[t], 0.0, 1.0))],
        )
        for t in range(len(body))
    ]
    names = known_spelling(list(points))
    kind = set_of_names(names)
    if all(re.fullmatch(r"\D*\d+", n) for n in names):
        # Columns numbered 0, 1, 2, …: the number of points tells the set.
        kind, names = names_by_count(len(names), what)
    return Detections(names, kind, frames)


def _long(
    header: Sequence[str],
    low: Sequence[str],
    body: Sequence[Sequence[str]],
    label: int,
    what: str,
) -> Detections:
    number, time = _clock_columns(low)
    if number is None and time is None:
        raise CaptureError(
            f"a column 'frame' or 'time' in '{what}'",
            f"the columns {', '.join(header)}",
            "name the column that counts the frames 'frame'",
        )
    labels = list(dict.fromkeys(row[label].strip() for row in body))
    order = {name: k for k, name in enumerate(labels)}
    if all(re.fullmatch(r"\d+", n) for n in labels):
        order = {n: int(n) for n in labels}
        kind, names = names_by_count(max(order.values()) + 1, what)
    else:
        names = known_spelling(labels)
        kind = set_of_names(names)
    axes = [low.index(a) for a in _AXES if a in low]
    score = next((low.index(s) for s in _SCORES if s in low), None)
    person = next((low.index(s) for s in _IDENTITIES if s in low), None)
    frames: dict[tuple[float, float], dict[str, Person]] = {}
    for row in body:
        key = (
            _number(row[number]) if number is not None else math.nan,
            _number(row[time[0]]) * time[1] if time is not None else math.nan,
        )
        key = (
            key[0] if math.isfinite(key[0]) else -1.0,
            key[1] if math.isfinite(key[1]) else -1,
        )
        who = row[person].strip() if person is not None else ""
        people = frames.setdefault(key, {})
        if who not in people:
            people[who] = Person(
                np.full((len(names), len(axes)), np.nan), np.zeros(len(names)), who
            )
        k = order[row[label].strip()]
        place = np.array([_number(row[a]) for a in axes])
        if np.isfinite(place).all() and (place != 0).any():
            people[who].points[k] = place
            seen = _number(row[score]) if score is not None else 1.0
            people[who].confidence[k] = min(max(seen, 0.0), 1.0) if math.isfinite(seen) else 0.0
    listed = [
        Frame(
            n if number is not None else math.nan,
            t if time is not None else math.nan,
            list(people.values()),
        )
        for (n, t), people in frames.items()
    ]
    return Detections(names, kind, listed)


def _clock_columns(low: Sequence[str]) -> tuple[int | None, tuple[int, float] | None]:
    number = next((low.index(n) for n in _NUMBERS if n in low), None)
    time = next(((low.index(n), f) for n, f in _TIMES.items() if n in low), None)
    return number, time


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _unknown(what: str) -> CaptureError:
    return CaptureError(
        f"key points in '{what}'",
        "a table without columns such as left_hip_x, left_hip_y or landmark, x, y",
        "export the key points with such a header; docs/keypoints.md shows the forms",
    )
