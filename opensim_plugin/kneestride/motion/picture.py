"""One camera: what a picture tells of the knee, and no more.

Points in a picture have two coordinates. From the front (or the back) they give the
frontal-plane projection angle, the pelvic drop and how far apart the feet are put; from
the side, knee and hip flexion and the lean of the trunk. Depth is not seen: someone
turned by 20° shows other angles, and a bent leg that turns in looks like a knee that
moves in. No forces follow from any of it.

Picture axes here: x to the right of the picture, y up. Signs as in `limb_geometry`:
the knee-in direction is positive on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ..vocabulary import SIDES, Array, Side
from .filtering import runs

View = Literal["frontal", "sagittal"]
Row = dict[str, str | float]

FRONTAL_ABOVE, SAGITTAL_BELOW = 0.13, 0.09
"""Width of the hips in the picture over leg length. Hip centres are 0.19 of the leg apart
(Harrington et al. 2007, doi:10.1016/j.jbiomech.2006.02.003): 0.13 is a body turned by
47°, 0.09 one turned by 62°."""

LEG_SHARE = 0.480
"""Hip to knee to ankle over stature, as in `model.scaling`."""

STANDING_STILL = 0.06
"""Leg lengths that the hips move in a clip of quiet standing, at most."""

DEEP = 0.10
"""Leg lengths that the hips sink in a squat or step-down, at least."""

FLOOR = 0.12
"""Share of its range above its floor below which a stepping foot stands."""

KNEE_BREADTH, ANKLE_BREADTH = 0.065, 0.055
"""Breadth over stature of a knee and of both malleoli with the skin between two that touch
(epicondylar breadth 93 to 100 mm plus skin in adults; malleolar 70 to 75 mm plus the heels'
width): two joint centres this close belong to joints that touch. Convention."""

NEUTRAL_WITHIN = 3.0
"""degrees about straight that a standing leg is called neutral, `models/thresholds.toml`."""


@dataclass(frozen=True)
class Picture:
    """Points of one body in a picture over time.

    Attributes
    ----------
    time : (T,) s; rate : Hz
    points : landmark id → (T, 2), x right, y up, px
    view : 'frontal' or 'sagittal'
    metre : float, px that are a metre at the body
    leg : float, px, longest hip-knee-ankle length
    """

    time: Array
    rate: float
    points: Mapping[str, Array]
    view: View
    metre: float
    leg: float

    def point(self, name: str, side: Side) -> Array:
        """(T, 2) px, NaN when not seen."""
        found = self.points.get(f"{name}_{side}")
        return np.full((len(self.time), 2), np.nan) if found is None else found

    def joint(self, name: str, side: Side) -> Array:
        """(T, 2) px of a joint centre: hip, knee, ankle."""
        return self.point(f"{name}_joint_center", side)

    def foot(self, side: Side) -> Array:
        """(T, 2) px: the heel where it was seen, else the ankle."""
        heel = self.point("heel", side)
        ankle = self.joint("ankle", side)
        return np.where(np.isfinite(heel), heel, ankle)


def leg_length(points: Mapping[str, Array]) -> float:
    """Longest seen hip-knee-ankle length, px: 90th percentile over frames, larger leg."""
    lengths = []
    for side in SIDES:
        names = [f"{n}_joint_center_{side}" for n in ("hip", "knee", "ankle")]
        if all(n in points for n in names):
            hip, knee, ankle = (points[n] for n in names)
            length = np.linalg.norm(hip - knee, axis=1) + np.linalg.norm(knee - ankle, axis=1)
            length = length[np.isfinite(length)]
            if len(length):
                lengths.append(float(np.percentile(length, 90)))
    return max(lengths) if lengths else float("nan")


def view_of(points: Mapping[str, Array]) -> tuple[View | None, float]:
    """From where the camera looks, and the hips' width over leg length; None if unclear."""
    right, left = (points.get(f"hip_joint_center_{s}") for s in SIDES)
    if right is None or left is None:
        return None, float("nan")
    width = np.abs(right[:, 0] - left[:, 0])
    if not np.isfinite(width).any():
        return None, float("nan")
    share = float(np.nanmedian(width)) / leg_length(points)
    if share > FRONTAL_ABOVE:
        return "frontal", share
    return ("sagittal" if share < SAGITTAL_BELOW else None), share


def medial_sign(picture: Picture, side: Side) -> float:
    """+1 or -1: picture x towards the body's midline, from the hips. Front or back alike."""
    right, left = picture.joint("hip", "r")[:, 0], picture.joint("hip", "l")[:, 0]
    to_left = 1.0 if np.nanmedian(left - right) >= 0 else -1.0
    return to_left if side == "r" else -to_left


def projection_angle(picture: Picture, side: Side) -> Array:
    """(T,) degrees: bend of hip-knee-ankle in the picture, medial knee positive."""
    sign = medial_sign(picture, side)
    hip, knee, ankle = (picture.joint(n, side) for n in ("hip", "knee", "ankle"))
    leans = [np.arctan2(sign * v[:, 0], -v[:, 1]) for v in (knee - hip, ankle - knee)]
    return np.degrees(leans[0] - leans[1])


def pelvic_drop(picture: Picture, side: Side) -> Array:
    """(T,) degrees: the other side's hip lower is positive."""
    other: Side = "l" if side == "r" else "r"
    line = picture.joint("hip", side) - picture.joint("hip", other)
    return np.degrees(np.arctan2(line[:, 1], np.abs(line[:, 0])))


def knee_shift(picture: Picture, side: Side) -> Array:
    """(T,) % of leg length: knee medial of the line from hip to ankle, at its height."""
    hip, knee, ankle = (picture.joint(n, side) for n in ("hip", "knee", "ankle"))
    line = ankle - hip
    share = (knee - hip)[:, 1] / line[:, 1]
    off = (knee - hip)[:, 0] - share * line[:, 0]
    return np.asarray(100.0 * medial_sign(picture, side) * off / picture.leg)


def knee_flexion(picture: Picture, side: Side) -> Array:
    """(T,) degrees: angle between thigh and shank in the picture."""
    hip, knee, ankle = (picture.joint(n, side) for n in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    cross = thigh[:, 0] * shank[:, 1] - thigh[:, 1] * shank[:, 0]
    return np.degrees(np.arctan2(np.abs(cross), np.sum(thigh * shank, axis=1)))


def trunk_lean(picture: Picture) -> Array:
    """(T,) degrees from the vertical, to the right of the picture positive."""
    top = 0.5 * (picture.point("shoulder_joint_center", "r")
                 + picture.point("shoulder_joint_center", "l"))  # fmt: skip
    base = 0.5 * (picture.joint("hip", "r") + picture.joint("hip", "l"))
    line = top - base
    return np.degrees(np.arctan2(line[:, 0], line[:, 1]))


def separation(picture: Picture, name: str) -> Array:
    """(T,) px: sideways distance of two joint centres; negative when they cross."""
    apart = picture.joint(name, "r")[:, 0] - picture.joint(name, "l")[:, 0]
    return np.asarray(-medial_sign(picture, "r") * apart)


def contacts(picture: Picture, side: Side) -> list[tuple[float, float]]:
    """Start and end (s) of the stances of one foot that steps; empty when it does not.

    The foot stands while it is within `FLOOR` of its range above its own floor; stances
    cut by the clip's ends do not count. Late and early by some frames: for mid-stance,
    cadence and contact time to about a tenth, not for forces.
    """
    height = picture.foot(side)[:, 1]
    seen = np.isfinite(height)
    if seen.sum() < 10:
        return []
    height = np.interp(np.arange(len(height)), np.flatnonzero(seen), height[seen])
    low, high = np.percentile(height, [5.0, 97.0])
    if high - low < 0.10 * picture.leg:
        return []
    down = height < low + FLOOR * (high - low)
    found = [
        (float(picture.time[a]), float(picture.time[b - 1]))
        for a, b in runs(down)
        if a > 0 and b < len(down) and (b - a) / picture.rate > 0.08
    ]
    return found if len(found) >= 2 else []


def deepest(picture: Picture) -> list[tuple[int, int, int]]:
    """Start, deepest point and end (frames) of every squat or step-down."""
    hips = 0.5 * (picture.joint("hip", "r") + picture.joint("hip", "l"))[:, 1]
    seen = np.isfinite(hips)
    if seen.sum() < 10:
        return []
    depth = -np.interp(np.arange(len(hips)), np.flatnonzero(seen), hips[seen])
    from scipy.signal import find_peaks

    peaks, facts = find_peaks(depth, prominence=DEEP * picture.leg)
    out = []
    for i, k in enumerate(peaks):
        level = depth[k] - 0.95 * facts["prominences"][i]
        before = np.flatnonzero(depth[:k] <= level)
        after = np.flatnonzero(depth[k:] <= level)
        start = int(before[-1]) if len(before) else 0
        end = k + int(after[0]) if len(after) else len(depth) - 1
        out.append((start, int(k), end))
    return out


def camera_drift(picture: Picture) -> float:
    """px/s: median speed at which a standing foot slides over the picture; NaN unknown.

    In a frontal view a standing foot keeps its place (on a treadmill it moves towards or
    away from the camera): what moves then is the camera.
    """
    speeds = []
    for side in SIDES:
        foot = picture.foot(side)
        spans = contacts(picture, side) or [(float(picture.time[0]), float(picture.time[-1]))]
        for start, end in spans:
            inside = (picture.time >= start) & (picture.time <= end)
            path = foot[inside]
            path = path[np.isfinite(path).all(axis=1)]
            if len(path) > 3:
                third = max(1, len(path) // 3)
                moved = np.median(path[-third:], axis=0) - np.median(path[:third], axis=0)
                seconds = (end - start) * 2.0 / 3.0
                if seconds > 0:
                    speeds.append(abs(float(moved[0])) / seconds)
    return float(np.median(speeds)) if speeds else float("nan")


@dataclass(frozen=True)
class StandingTest:
    """Quiet standing from the front.

    Attributes
    ----------
    hip_knee_ankle : side → degrees, valgus positive
    classes : side → valgus / neutral / varus
    knees_mm, ankles_mm : float, distance of the joint centres
    verdict : 'knees touch', 'malleoli touch', 'both' or 'neither'
    """

    hip_knee_ankle: dict[str, float]
    classes: dict[str, str]
    knees_mm: float
    ankles_mm: float
    verdict: str


def standing_test(picture: Picture, height: float) -> StandingTest:
    """Do the knees touch, how far apart are the ankles, how straight are the legs?"""
    angles: dict[str, float] = {
        s: float(np.nanmedian(projection_angle(picture, s))) for s in SIDES
    }
    classes: dict[str, str] = {
        s: "" if np.isnan(a)
        else "valgus" if a > NEUTRAL_WITHIN else "varus" if a < -NEUTRAL_WITHIN else "neutral"
        for s, a in angles.items()
    }  # fmt: skip
    knees = float(np.nanmedian(separation(picture, "knee"))) / picture.metre
    ankles = float(np.nanmedian(separation(picture, "ankle"))) / picture.metre
    touching = (knees < KNEE_BREADTH * height, ankles < ANKLE_BREADTH * height)
    words = {
        (True, True): "both", (True, False): "knees touch", (False, True): "malleoli touch",
        (False, False): "neither",
    }  # fmt: skip
    return StandingTest(angles, classes, 1e3 * knees, 1e3 * ankles, words[touching])


def task_of(picture: Picture) -> str:
    """running, walking, squat, static or other, as far as a picture tells."""
    stances = {s: contacts(picture, s) for s in SIDES}
    if all(len(stances[s]) >= 2 for s in SIDES):
        starts = sorted((a, s) for s in SIDES for a, _ in stances[s])
        turns = np.mean([x[1] != y[1] for x, y in pairwise(starts)])
        if turns > 0.7:
            lasts = np.median([b - a for s in SIDES for a, b in stances[s]])
            stride = np.median([d for s in SIDES for d in np.diff([a for a, _ in stances[s]])])
            return "running" if lasts < 0.5 * stride else "walking"
    if deepest(picture):
        return "squat"
    hips = 0.5 * (picture.joint("hip", "r") + picture.joint("hip", "l"))
    hips = hips[np.isfinite(hips).all(axis=1)]
    if len(hips) and float(np.ptp(hips, axis=0).max()) < STANDING_STILL * picture.leg:
        return "static"
    return "other"


def picture_rows(picture: Picture, task: str) -> list[Row]:
    """Rows of strides.csv: a stride or repetition and side, only what a picture tells."""
    rows: list[Row] = []
    if task in ("running", "walking"):
        stances = {s: contacts(picture, s) for s in SIDES}
        for side in SIDES:
            mine = stances[side]
            for k, (start, end) in enumerate(mine):
                following = mine[k + 1][0] if k + 1 < len(mine) else float("nan")
                row = _row(picture, "stride" if np.isfinite(following) else "partial", side,
                           start, 0.5 * (start + end), end)  # fmt: skip
                row["end_s"] = following if np.isfinite(following) else end
                row["contact_s"] = end - start
                row["stride_time_s"] = following - start
                row["cadence_per_min"] = 120.0 / (following - start)
                if picture.view == "frontal":
                    row["step_width_proxy_mm"] = _step_width(picture, side, start, end, stances)
                rows.append(row)
    elif task == "squat":
        for first, k, last in deepest(picture):
            t = picture.time
            for side in SIDES:
                row = _row(picture, "repetition", side, float(t[first]), float(t[k]),
                           float(t[last]))  # fmt: skip
                if picture.view == "frontal":
                    knees = separation(picture, "knee") / separation(picture, "hip")
                    row["knee_separation_mid_ratio"] = float(knees[k])
                rows.append(row)
    return sorted(rows, key=lambda r: (float(r["start_s"]), str(r["side"])))


def _row(
    picture: Picture, kind: str, side: Side, start: float, middle: float, end: float
) -> Row:
    row: Row = {
        "kind": kind, "side": side, "start_s": start, "end_s": end, "mid_s": middle,
        "view": picture.view, "forces": "none",
    }  # fmt: skip
    if picture.view == "frontal":
        signals = {
            "projection_angle": (projection_angle(picture, side), "deg"),
            "contralateral_pelvic_drop": (pelvic_drop(picture, side), "deg"),
            "medial_knee_shift": (knee_shift(picture, side), "pct_leg"),
        }
    else:
        signals = {"knee_flexion": (knee_flexion(picture, side), "deg"),
                   "trunk_lean": (trunk_lean(picture), "deg")}  # fmt: skip
    for name, (values, unit) in signals.items():
        first, mid = (float(_at(picture.time, values, t)) for t in (start, middle))
        inside = values[(picture.time >= start) & (picture.time <= end)]
        inside = inside[np.isfinite(inside)]
        row[f"{name}_ic_{unit}"] = first
        row[f"{name}_mid_{unit}"] = mid
        row[f"{name}_peak_{unit}"] = float(inside.max()) if len(inside) else float("nan")
        row[f"{name}_change_{unit}"] = mid - first
    return row


def _at(time: Array, values: Array, t: float) -> float:
    seen = np.isfinite(values)
    if not seen.any():
        return float("nan")
    k = int(np.argmin(np.abs(time - t)))
    near = slice(max(0, k - 3), k + 4)
    if not seen[near].any():
        return float("nan")
    return float(np.interp(t, time[seen], values[seen]))


def _step_width(
    picture: Picture, side: Side, start: float, end: float,
    stances: Mapping[Side, list[tuple[float, float]]],
) -> float:  # fmt: skip
    """mm, signed, negative = crossed; against the opposite stance before."""
    other: Side = "l" if side == "r" else "r"
    before = [c for c in stances[other] if c[0] < start]
    if not before:
        return float("nan")
    here = _at(picture.time, picture.foot(side)[:, 0], 0.5 * (start + end))
    there = _at(picture.time, picture.foot(other)[:, 0], 0.5 * sum(before[-1]))
    return -medial_sign(picture, side) * (here - there) / picture.metre * 1e3
