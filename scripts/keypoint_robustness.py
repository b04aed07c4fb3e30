"""How far key points of a video detector can be off before alignment and step width are.

    .venv/bin/python scripts/keypoint_robustness.py --data DATA [--runners N] [--noise 0 10]

Markers of the shared captures are reduced to the points that a key-point set has: the
full-marker analysis of the same recording gives joint centres, heels and toes frame by
frame. Each point is then disturbed by noise that wanders (first-order autoregressive,
correlation time 0.1 s, the stated SD per axis), by strays (5 % of the time, 33 ms each,
0.15 m SD per axis) and by dropouts (10 % of the time, 0.1 s each). The noisy points go
through the same program without a static trial; per side, the medians over the strides
are held against those of all markers. Prints the table of docs/keypoints.md.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from kneestride import stages
from kneestride.capture.keypoint_sets import SETS
from kneestride.capture.landmarks import landmark_table
from kneestride.capture.markersets import load_marker_set
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Markers, Subject, Trial
from kneestride.keypoint_stages import blank_unseen
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.model.places import expected_places
from kneestride.motion.anatomy import prefer_captured
from kneestride.motion.events import events_from_kinematics
from kneestride.motion.stride_rows import Row, stride_rows
from kneestride.motion.tasks import recognise_task
from kneestride.settings import Settings
from kneestride.vocabulary import SIDES, Array

CORRELATION = 0.1
STRAY_SHARE, STRAY_SPELL, STRAY_SD = 0.05, 0.033, 0.15
DROP_SHARE, DROP_SPELL = 0.10, 0.1
TABLES = {
    "COCO-17": "coco", "BODY_25": "opencap_video", "HALPE-26": "opencap_video",
    "MediaPipe-33": "mediapipe",
}  # fmt: skip
ANGLE, WIDTH = "projection_angle_mid_deg", "step_width_mm"
LIMITS = {ANGLE: 3.0, WIDTH: 10.0}


@dataclass(frozen=True)
class Analysed:
    """Kinematics of one recording: what the table compares, and the model behind it."""

    prepared: stages.Prepared
    fitted: FittedSubject
    raw_q: Array
    rows: tuple[Row, ...]
    task: str


def analysed(
    trial: Trial, static: Path | Trial | None, subject: Subject, seconds: float | None = None
) -> Analysed:
    """Run the chain from the recording to the stride table, without loads."""
    settings = Settings()
    prepared = stages.prepare(trial, static, "none", None, settings, subject)
    if seconds is not None:
        prepared = replace(prepared, trial=window(prepared.trial, seconds))
    fitted = fit_subject(
        stages.generic_model(None, settings), subject, prepared.trial.markers, prepared.names,
        prepared.static, prepared.static_names,
    )  # fmt: skip
    raw, tasks, followed, priors = stages.follow_markers(fitted, prepared)
    first = stages.smooth(fitted, prepared, raw, stages.FAST_CUTOFF)
    task = recognise_task(first.paths, events_from_kinematics(first.paths))
    fast = task in ("running", "landing")
    cutoff = stages.FAST_CUTOFF if fast else stages.SLOW_CUTOFF
    if prepared.keypoints is not None:
        cutoff = min(cutoff, prepared.keypoints.smoothed.cutoff)
    smooth = stages.smooth(fitted, prepared, raw, cutoff)
    contacts = events_from_kinematics(smooth.paths)
    rows = stride_rows(smooth.paths, contacts, task=task, sex=subject.sex)
    kinematics = stages.Kinematics(
        raw, smooth.motion, smooth.qd, smooth.qdd, smooth.paths, tasks, followed, priors
    )
    seen = stages.seen_by_keypoints(fitted, prepared, kinematics)
    if seen is not None:
        rows = blank_unseen(rows, seen)
    return Analysed(prepared, fitted, raw.q, rows, task)


def window(trial: Trial, seconds: float) -> Trial:
    """The middle of a recording."""
    m = trial.markers
    n = min(len(m.time), round(seconds * m.rate))
    a = (len(m.time) - n) // 2
    cut = replace(m, time=m.time[a : a + n], positions=m.positions[a : a + n])
    return replace(trial, markers=cut)


def virtual_points(full: Analysed, which: str) -> Markers:
    """Points of a key-point set on the body as all markers told it.

    Only points on segments that carried markers: RBDS has no trunk.
    """
    body, time = full.fitted.body, full.prepared.trial.markers.time
    rotation, position = body.poses(full.raw_q)
    places = dict(expected_places(body, landmark_table()))
    places.update(full.fitted.landmarks)
    marked = set(full.prepared.names.landmarks.values())
    for side in SIDES:
        # The marker on the heel's lower back is what detectors call the heel.
        pair = (f"heel_{side}", f"heel_bottom_{side}")
        if pair[0] not in marked and pair[1] in marked:
            places[pair[0]] = places[pair[1]]
    recorded = full.prepared.trial.markers
    spots = {
        landmark: recorded.positions[:, recorded.names.index(name)]
        for name, landmark in full.prepared.names.landmarks.items()
    }
    for side in SIDES:
        spots.setdefault(f"heel_{side}", spots.get(f"heel_bottom_{side}", np.empty(0)))
        if not len(spots[f"heel_{side}"]):
            del spots[f"heel_{side}"]
    joints = {"hip": "femur", "knee": "tibia", "ankle": "talus"}
    informed = set(body.informed_by(full.fitted.marker_body).nonzero()[0])
    trunk = body.coordinate("lumbar_extension") in informed
    table = load_marker_set(TABLES[which])
    names, paths = [], []
    for label in SETS[which]:
        landmark = table.landmarks.get(label)
        if landmark is None:
            continue
        stem, ending = landmark[:-2], landmark[-2:]
        joint = stem.removesuffix("_joint_center")
        if joint in joints:
            path = position[:, body.body(joints[joint] + ending)]
        elif landmark == "hip_midpoint":
            path = 0.5 * (position[:, body.body("femur_r")] + position[:, body.body("femur_l")])
        else:
            b, place = places[landmark]
            if not trunk and not body.bodies[b].startswith(("calcn", "toes", "talus")):
                continue
            path = position[:, b] + rotation[:, b] @ place
            # Where a marker sits on the very spot, it is the point.
            own = spots.get(landmark)
            if own is not None:
                path = prefer_captured(own, path)
        names.append(label)
        paths.append(path)
    return Markers(
        tuple(names), time, full.prepared.trial.markers.rate, np.stack(paths, axis=1)
    )


def disturbed(markers: Markers, sd: float, seed: int) -> Markers:
    """Noise, strays and dropouts (see the module's first lines); `sd` in m."""
    rng = np.random.default_rng(seed)
    T, K, _ = markers.positions.shape
    keep = float(np.exp(-1.0 / (markers.rate * CORRELATION)))
    noise = np.empty((T, K, 3))
    noise[0] = rng.normal(size=(K, 3))
    for t in range(1, T):
        noise[t] = keep * noise[t - 1] + np.sqrt(1 - keep**2) * rng.normal(size=(K, 3))
    positions = markers.positions + sd * noise
    if sd > 0:
        for k in range(K):
            for start, stop in spells(rng, T, STRAY_SHARE, STRAY_SPELL * markers.rate):
                positions[start:stop, k] += rng.normal(size=3) * STRAY_SD
            for start, stop in spells(rng, T, DROP_SHARE, DROP_SPELL * markers.rate):
                positions[start:stop, k] = np.nan
    seen = np.isfinite(positions).all(axis=2)
    return replace(markers, positions=positions, confidence=seen.astype(float))


def spells(
    rng: np.random.Generator, frames: int, share: float, length: float
) -> Iterable[tuple[int, int]]:
    """Spells of a length at random places that together take a share of the frames."""
    width = max(1, round(length))
    for start in rng.integers(0, frames, round(share * frames / width)):
        yield int(start), min(frames, int(start) + width)


def medians(rows: Iterable[Row], column: str) -> dict[str, float]:
    """Median of a column per side; NaN where there is none."""
    out: dict[str, float] = {}
    for side in SIDES:
        mine = [r for r in rows if r["side"] == side]
        # A walk across a room holds no whole stride: its stances count then.
        mine = [r for r in mine if r["kind"] != "partial"] or mine
        values = [r[column] for r in mine]
        known = [float(v) for v in values if isinstance(v, float) and np.isfinite(v)]
        out[side] = float(np.median(known)) if known else float("nan")
    return out


def class_of_median(rows: Iterable[Row], column: str, by: str) -> dict[str, str]:
    """Class of the row nearest the median of the side."""
    out: dict[str, str] = {}
    for side in SIDES:
        mine = [
            r for r in rows
            if r["side"] == side and isinstance(r[by], float) and np.isfinite(float(r[by]))
        ]  # fmt: skip
        if not mine:
            out[side] = ""
            continue
        middle = float(np.median([float(r[by]) for r in mine]))
        out[side] = str(min(mine, key=lambda r: abs(float(r[by]) - middle))[column])
    return out


def margin(rows: Iterable[Row], column: str) -> dict[str, float]:
    """Median distance to the nearest class limit, per side."""
    return medians(rows, column)


def captures(data: Path, runners: int, speed: str) -> Iterable[tuple[str, Path, Path, Subject]]:
    """Recordings with their static trials: a seeded choice of runners, and OpenCap's walks."""
    with (data / "rbds" / "participants.csv").open(encoding="utf-8") as stream:
        people = {r["subject"]: r for r in csv.DictReader(stream)}
    folder = data / "rbds"
    names = sorted(n for n in people if (folder / f"{n}runT{speed}.c3d").is_file())
    chosen = sorted(np.random.default_rng(5).permutation(names)[:runners])
    for name in chosen:
        row = people[name]
        sex = {"M": "m", "F": "f"}.get(row.get("sex", "").upper()[:1], "")
        folder = data / "rbds"
        yield (
            f"{name} {speed}", folder / f"{name}runT{speed}.c3d", folder / f"{name}static.c3d",
            Subject(float(row["mass_kg"]), float(row["height_cm"]) / 100.0, sex),
        )  # fmt: skip
    walks = (
        "walking1",
        "walkingTI1",
        "walkingTO1",
        "walkingTS1",
        "squats1",
        "squatsAsym1",
        "DJ1",
    )
    for name in walks:
        folder = data / "opencap04"
        yield name, folder / f"{name}.trc", folder / "static1.trc", OPENCAP


OPENCAP = Subject(62.6, 1.72, "")


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runners", type=int, default=6)
    parser.add_argument("--speed", default="35")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 10.0, 20.0, 30.0])
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found: list[dict[str, object]] = []
    for name, path, static, subject in captures(chosen.data, chosen.runners, chosen.speed):
        if chosen.only and chosen.only not in name:
            continue
        full = analysed(read_trial(path, "none"), static, subject, chosen.seconds)
        truth = {c: medians(full.rows, c) for c in (ANGLE, WIDTH)}
        for which in chosen.sets:
            points = virtual_points(full, which)
            for sd in chosen.noise:
                begin = time.perf_counter()
                seed = seed_of(f"{name} {which} {sd}")
                noisy = disturbed(points, sd / 1e3, seed)
                try:
                    seen = analysed(Trial(name, noisy), None, subject)
                except Exception as error:
                    found.append(
                        {"trial": name, "set": which, "noise": sd, "error": str(error)}
                    )
                    print(found[-1], file=sys.stderr, flush=True)
                    continue
                row: dict[str, object] = {
                    "trial": name, "set": which, "noise": sd, "task": seen.task,
                    "task_of_markers": full.task, "strides": len(seen.rows),
                    "strides_of_markers": len(full.rows),
                    "seconds": round(time.perf_counter() - begin, 1),
                }  # fmt: skip
                for column, by, kind in ((ANGLE, "alignment", "alignment_margin_deg"),
                                         (WIDTH, "landing", "landing_margin_mm")):  # fmt: skip
                    here = medians(seen.rows, column)
                    mine = class_of_median(full.rows, by, column)
                    theirs = class_of_median(seen.rows, by, column)
                    room = margin(full.rows, kind)
                    for side in SIDES:
                        row[f"{column} {side}"] = round(truth[column][side], 2)
                        row[f"off {column} {side}"] = round(here[side] - truth[column][side], 2)
                        row[f"{by} {side}"] = f"{mine[side]}>{theirs[side]}"
                        row[f"{kind} {side}"] = round(room[side], 2)
                found.append(row)
                print(row, file=sys.stderr, flush=True)
    if chosen.out:
        keys = list(dict.fromkeys(k for r in found for k in r))
        with chosen.out.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, keys)
            writer.writeheader()
            writer.writerows(found)
    print(table(found))
    return 0


def seed_of(text: str) -> int:
    """A number from a text, the same in every run: other noise for every recording."""
    return zlib.crc32(text.encode())


def table(found: Iterable[Mapping[str, object]]) -> str:
    """The table of docs/keypoints.md."""
    lines = [
        "| set | noise mm | sides | angle off, median (largest) ° | within 3° | step width off,"
        " median (largest) mm | within 10 mm | classes changed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = list(found)
    for which in dict.fromkeys(str(r["set"]) for r in rows):
        for sd in dict.fromkeys(float(str(r["noise"])) for r in rows):
            mine = [r for r in rows if r["set"] == which and r["noise"] == sd]
            cells = [which, f"{sd:g}"]
            count = 0
            parts = []
            for column in (ANGLE, WIDTH):
                off = np.array(
                    [float(str(r.get(f"off {column} {s}", "nan"))) for r in mine for s in SIDES]
                )
                told = np.array(
                    [float(str(r.get(f"{column} {s}", "nan"))) for r in mine for s in SIDES]
                )
                off = np.abs(off[np.isfinite(told)])
                count = max(count, len(off))
                fine = np.isfinite(off)
                parts.append(
                    f"{np.median(off[fine]):.1f} ({off[fine].max():.1f})" if fine.any() else "–"
                )
                parts.append(f"{int((off[fine] <= LIMITS[column]).sum())} of {len(off)}")
            changed = total = 0
            for r in mine:
                for by in ("alignment", "landing"):
                    for s in SIDES:
                        was, _, now = str(r.get(f"{by} {s}", ">")).partition(">")
                        if was and now:
                            total += 1
                            changed += was != now
            cells += [str(count), *parts, f"{changed} of {total}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
