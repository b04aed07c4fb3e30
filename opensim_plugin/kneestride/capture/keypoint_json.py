"""JSON of key-point detectors, whichever of the usual forms it has.

Read are: a folder with one OpenPose file a frame; MMPose and RTMLib predictions
(`instance_info`, `instances`); AlphaPose lists (a row a person, `image_id`); MediaPipe
(`world_landmarks`, `pose_landmarks`, lists of x, y, z, visibility); and plain
`{"names": [...], "frames": [[[x, y, z, c], ...], ...], "rate": 60}`.

The forms are told from their keys. In three dimensions `pose_keypoints_3d` and
`world_landmarks` go before their counterparts in the picture.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CaptureError
from ..parsing import json_of, leaves
from ..vocabulary import Array
from .files import read_text
from .keypoint_frames import Detections, Frame, Person
from .keypoint_sets import known_spelling, names_by_count, set_of_names

RATE_KEYS = ("rate", "fps", "frame_rate", "framerate", "frameRate", "sampling_rate")
FRAME_LISTS = ("frames", "instance_info", "predictions", "data", "results", "annotations",
               "poses", "world_landmarks", "pose_world_landmarks", "landmarks",
               "pose_landmarks")  # fmt: skip
PEOPLE_KEYS = ("people", "instances", "persons", "world_landmarks", "pose_world_landmarks",
               "landmarks", "pose_landmarks", "predictions", "keypoints")  # fmt: skip
POINT_KEYS = ("pose_keypoints_3d", "keypoints_3d", "world_landmarks", "pose_world_landmarks",
              "keypoints", "pose_keypoints_2d", "landmarks", "pose_landmarks")  # fmt: skip
SCORE_KEYS = ("keypoint_scores", "keypoints_scores", "keypoint_score", "scores", "confidence")
NAME_KEYS = ("names", "keypoint_names", "landmark_names", "joints", "points")
NUMBER_KEYS = ("frame_id", "frame", "frame_index", "image_id")
TIME_KEYS = ("time", "time_s", "timestamp_s", "timestamp", "timestamp_ms", "t")
IDENTITY_KEYS = ("person_id", "track_id", "id", "idx", "instance_id")


def read_json(path: Path) -> Detections:
    """Detections of one JSON file.

    Raises
    ------
    CaptureError
        Not JSON, cut off, or of no form that is known.
    """
    what = path.name
    data = _load(path)
    head = data if isinstance(data, Mapping) else {}
    rate = next((_number(head[k]) for k in RATE_KEYS if k in head), None)
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        rate = None
    names = next((head[k] for k in NAME_KEYS if isinstance(head.get(k), list)), None)
    if names is None and isinstance(head.get("meta_info"), Mapping):
        table = head["meta_info"].get("keypoint_id2name")
        if isinstance(table, Mapping):
            names = [table[k] for k in sorted(table, key=lambda k: int(k))]
    entries: Any = data
    if isinstance(data, Mapping):
        entries = next((head[k] for k in FRAME_LISTS if isinstance(head.get(k), list)), None)
        if entries is None:
            entries = [data]
    if not isinstance(entries, list) or not entries:
        raise _unknown(what)
    if all(isinstance(e, Mapping) and "image_id" in e for e in entries):
        frames = _by_image(entries)
    else:
        # Frames without numbers follow each other; the position is their number.
        frames = [_frame(e) for e in entries]
    return _detections(frames, names, rate, _size(head), what)


def read_folder(folder: Path) -> Detections:
    """Detections of a folder with a JSON file a frame, in the order of their numbers.

    Raises
    ------
    CaptureError
        No such files, or one of them is damaged.
    """
    files = sorted(folder.glob("*.json"), key=lambda f: (_numbers(f.stem), f.name))
    if not files:
        raise CaptureError(
            f"a folder of JSON files, one a frame, in '{folder.name}'",
            "no .json file in it",
            "name the folder that the detector wrote, or a single file",
        )
    astray = next((f for f in files if leaves(folder, f)), None)
    if astray is not None:
        raise CaptureError(
            f"files of its own in '{folder.name}'",
            f"'{astray.name}', a link that leads out of the folder",
            "copy the files into the folder",
        )
    stems = {re.sub(r"\d+(?=\D*$)", "#", f.stem) for f in files}
    if len(stems) > 1:
        raise CaptureError(
            f"the frames of one recording in '{folder.name}'",
            f"{len(stems)} recordings ({', '.join(sorted(stems)[:3])})",
            "put the files of one recording and one camera into a folder of their own",
        )
    frames = []
    for file in files:
        frame = _frame(_load(file))
        number = _numbers(file.stem)
        frames.append(
            Frame(float(number[-1]) if number else math.nan, frame.time, frame.people)
        )
    return _detections(frames, None, None, None, folder.name)


def _detections(
    frames: list[Frame],
    names: Sequence[str] | None,
    rate: float | None,
    size: tuple[float, float] | None,
    what: str,
) -> Detections:
    people = [p for f in frames for p in f.people]
    if not people:
        raise _unknown(what)
    counts = {len(p.points) for p in people}
    if len(counts) > 1 or len({p.points.shape[1] for p in people}) > 1:
        raise CaptureError(
            f"the same points in every frame of '{what}'",
            f"frames with {', '.join(str(c) for c in sorted(counts))} points",
            "export one detector's output at a time",
        )
    count = counts.pop()
    if names is not None and len(names) == count:
        spelled = known_spelling([str(n) for n in names])
        return Detections(spelled, set_of_names(spelled), frames, rate, size)
    kind, points = names_by_count(count, what)
    return Detections(points, kind, frames, rate, size)


def _load(path: Path) -> Any:
    try:
        return json_of(read_text(path))
    except ValueError as error:
        where = (
            f" ({error.msg}, line {error.lineno})"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise CaptureError(
            f"JSON in '{path.name}'",
            f"text that is damaged or cut off{where}",
            "export the key points again",
        ) from error


def _unknown(what: str) -> CaptureError:
    return CaptureError(
        f"key points in '{what}'",
        "JSON without any person's points",
        "export OpenPose, MMPose, AlphaPose or MediaPipe key points; docs/keypoints.md shows"
        " the forms",
    )


def _by_image(entries: Sequence[Mapping[str, Any]]) -> list[Frame]:
    """AlphaPose and COCO results: a row a person, frames by their image."""
    images: dict[str, list[Person]] = {}
    for entry in entries:
        person = _person(entry)
        images.setdefault(str(entry["image_id"]), [])
        if person is not None:
            images[str(entry["image_id"])].append(person)
    order = sorted(images, key=lambda name: (_numbers(name), name))
    return [
        Frame(float(_numbers(n)[-1]) if _numbers(n) else math.nan, math.nan, images[n])
        for n in order
    ]


def _frame(entry: Any) -> Frame:
    """One frame in any of the forms."""
    if not isinstance(entry, Mapping):
        return Frame(math.nan, math.nan, _people(entry))
    number = next((_number(entry[k]) for k in NUMBER_KEYS if k in entry), None)
    time = math.nan
    for key in TIME_KEYS:
        value = _number(entry.get(key))
        if value is not None:
            time = value / 1000.0 if key == "timestamp_ms" else value
            break
    people: list[Person] = []
    if any(k in entry for k in ("pose_keypoints_3d", "pose_keypoints_2d")):
        people = [p for p in [_person(entry)] if p is not None]
    else:
        for key in PEOPLE_KEYS:
            if key in entry and entry[key] is not None:
                if key == "keypoints":
                    one = _person(entry)
                    people = [] if one is None else [one]
                else:
                    people = _people(entry[key])
                break
    return Frame(math.nan if number is None else number, time, people)


def _people(value: Any) -> list[Person]:
    """People of one frame: a list of them, or the points of one."""
    if isinstance(value, Mapping):
        value = [value] if any(k in value for k in POINT_KEYS) else list(value.values())
    if not isinstance(value, list) or not value:
        return []
    first = value[0]
    if isinstance(first, Mapping) and any(k in first for k in POINT_KEYS):
        return [p for p in (_person(v) for v in value if isinstance(v, Mapping)) if p]
    if _is_point(first):
        one = _points(value)
        return [] if one is None else [Person(*one)]
    found = [_points(v) for v in value if isinstance(v, list)]
    return [Person(*each) for each in found if each is not None]


def _is_point(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "x" in value and "y" in value
    return (
        isinstance(value, list)
        and 2 <= len(value) <= 5
        and all(v is None or isinstance(v, int | float) for v in value)
    )


def _person(entry: Mapping[str, Any]) -> Person | None:
    identity = ""
    for key in IDENTITY_KEYS:
        value = entry.get(key)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, int | float | str) and str(value) not in ("-1", ""):
            identity = str(value)
            break
    for key in POINT_KEYS:
        value = entry.get(key)
        if not value:
            continue
        if isinstance(value, list) and isinstance(value[0], int | float):
            # Flat: x, y, c or, in three dimensions, x, y, z, c.
            one = _flat(value, 4 if key.endswith("3d") else 3)
        else:
            one = _points(value)
        if one is None:
            continue
        points, confidence = one
        for score in SCORE_KEYS:
            given = entry.get(score)
            if isinstance(given, list) and len(given) == len(points):
                flat = np.array([_score(v) for v in given])
                confidence = np.where(confidence > 0, flat, 0.0)
                break
        return Person(points, np.clip(confidence, 0.0, 1.0), identity)
    return None


def _score(value: Any) -> float:
    value = value[0] if isinstance(value, list) and value else value
    found = _number(value)
    return 0.0 if found is None else found


def _flat(values: Sequence[Any], width: int) -> tuple[Array, Array] | None:
    known = [math.nan if _number(v) is None else float(v) for v in values]
    if len(known) % width:
        return None
    table = np.array(known).reshape(-1, width)
    points, confidence = table[:, :-1].copy(), np.nan_to_num(table[:, -1])
    # OpenPose writes what it does not see as 0, 0, 0.
    confidence[(points == 0).all(axis=1)] = 0.0
    return points, confidence


def _points(value: Any) -> tuple[Array, Array] | None:
    """A list of points, each {x, y, z, visibility} or [x, y(, z)(, confidence)]."""
    if not isinstance(value, list) or not value:
        return None
    rows, scores = [], []
    for point in value:
        if isinstance(point, Mapping):
            row = [_coordinate(point.get(a)) for a in "xyz" if a in point]
            score = next(
                (_number(point[k]) for k in ("visibility", "confidence", "score", "c")
                 if k in point and point[k] is not None),
                1.0,
            )  # fmt: skip
        elif isinstance(point, list) and len(point) >= 2:
            row = [_coordinate(v) for v in point]
            score = 1.0
            if len(row) == 4:
                row, score = row[:3], row[3]
        elif point is None:
            row, score = [math.nan], 0.0
        else:
            return None
        rows.append(row)
        scores.append(0.0 if score is None or not math.isfinite(score) else float(score))
    width = max(len(r) for r in rows)
    if width < 2:
        return None
    points = np.array([r + [math.nan] * (width - len(r)) for r in rows], dtype=float)
    confidence = np.array(scores)
    unseen = ~np.isfinite(points).all(axis=1) | (points == 0).all(axis=1)
    confidence[unseen] = 0.0
    return points, confidence


def _coordinate(value: Any) -> float:
    found = _number(value)
    return math.nan if found is None else found


def _size(head: Mapping[str, Any]) -> tuple[float, float] | None:
    for a, b in (("width", "height"), ("image_width", "image_height")):
        if a in head and b in head:
            w, h = _number(head[a]), _number(head[b])
            if w and h:
                return w, h
    size = head.get("image_size")
    if isinstance(size, list) and len(size) == 2 and all(_number(v) for v in size):
        return float(size[0]), float(size[1])
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", text))
