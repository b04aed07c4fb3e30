"""RBDS running trials as anatomical paths, straight from their markers.

Each segment's markers of the run are laid over those of the runner's static trial by a
rigid fit, and the landmarks that only the static trial has (epicondyles, malleoli,
second metatarsal) are carried along. Hip centres are regressed from the pelvis
(Harrington et al. 2007, doi:10.1016/j.jbiomech.2006.02.003). Nothing is smoothed, and no
model is fitted: this is the training view of the data, and a check on the model's.

Data: Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
from kneestride.capture.c3d import read_c3d
from kneestride.capture.trial import Forces, Markers
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array

BELTS = {"T25": 2.5, "T35": 3.5, "T45": 4.5}
"""Belt speed, m/s, by the end of the trial's name."""

Points = dict[str, Array]


@dataclass(frozen=True)
class Run:
    """One trial: name, runner, body mass (kg), belt forces, paths."""

    name: str
    runner: str
    mass: float
    forces: Forces
    paths: AnatomicalPaths


def read_run(folder: Path, name: str) -> Run:
    """One trial by its name, as in RBDS001runT25."""
    runner = name[: name.index("run")]
    trial = read_c3d(folder / f"{name}.c3d")
    static = _static(folder / f"{runner}static.c3d")
    assert trial.forces is not None
    paths = AnatomicalPaths(
        time=trial.markers.time,
        rate=trial.markers.rate,
        points=_points(static, _moving(trial.markers)),
        angles={},
        frames={},
        progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=np.array([-BELTS[name[-3:]], 0.0, 0.0]),
    )
    return Run(name, runner, masses(folder)[int(runner[4:])], trial.forces, paths)


@cache
def _static(file: Path) -> Points:
    """Mean places in a static trial, which three trials ask for."""
    return _means(read_c3d(file, plates=False).markers)


def masses(folder: Path) -> dict[int, float]:
    """Body mass of each runner, kg, by number."""
    rows = (folder / "participants.csv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [r.split(",") for r in rows if r.strip()]
    return {int(c[0].removeprefix("RBDS")): float(c[2]) for c in cells}


def names(folder: Path) -> list[str]:
    """Names of all running trials."""
    return sorted(f.stem for f in folder.glob("RBDS*run*.c3d"))


def _means(markers: Markers) -> Points:
    return {n: np.nanmean(markers.positions[:, k], axis=0) for k, n in enumerate(markers.names)}


def _moving(markers: Markers) -> Points:
    return {n: markers.positions[:, k] for k, n in enumerate(markers.names)}


def _points(static: Points, run: Points) -> Points:
    out: Points = {}
    for side in SIDES:
        u = side.upper()
        s = {k[2:]: v for k, v in static.items() if k.startswith(f"{u}.")}
        heel = 0.5 * (s["Heel.Top"] + s["Heel.Bottom"])
        ankle = 0.5 * (s["Ankle"] + s["Ankle.Medial"])
        knee = 0.5 * (s["Knee"] + s["Knee.Medial"])
        foot = {
            "heel": heel,
            "heel_bottom": s["Heel.Bottom"],
            "metatarsal_1": s["MT1"],
            "metatarsal_2": s["MT2"],
            "metatarsal_5": s["MT5"],
            "toe": toe_tip(heel, 0.6 * s["MT1"] + 0.4 * s["MT5"]),
            "malleolus_lateral": s["Ankle"],
            "malleolus_medial": s["Ankle.Medial"],
            "ankle_center": ankle,
        }
        marks = [f"{u}.{n}" for n in ("Heel.Top", "Heel.Bottom", "Heel.Lateral", "MT1", "MT5")]
        out |= carry(static, run, marks, _of(foot, side), swap=(marks[3], marks[4]))
        ends = [(a, b) for a in ("Top", "Bottom") for b in ("Lateral", "Medial")]
        marks = [f"{u}.Shank.{a}.{b}" for a, b in ends]
        out |= carry(static, run, marks, {f"knee_center_{side}": knee})
    pelvis = {
        f"{n.lower()}_{s}": static[f"{s.upper()}.{n}"] for s in SIDES for n in ("ASIS", "PSIS")
    }
    pelvis |= hip_centres(pelvis)
    marks = [f"{u}.{n}" for u in "RL" for n in ("ASIS", "PSIS", "Iliac.Crest")]
    return out | carry(static, run, marks, pelvis)


def _of(places: Mapping[str, Array], side: str) -> Points:
    return {f"{n}_{side}": p for n, p in places.items()}


def rigid(static: Array, moving: Array) -> tuple[Array, Array, Array]:
    """Rotations (T, 3, 3), shifts (T, 3), rms residuals (T,) laying (K, 3) over (T, K, 3).

    Kabsch 1976; missing markers (NaN) are left out, frames with fewer than three are NaN.
    """
    seen = np.isfinite(moving).all(-1) & np.isfinite(static).all(-1)
    w = seen[..., None].astype(float)
    m, s = np.where(w > 0, moving, 0.0), np.where(w > 0, static, 0.0)
    n = np.maximum(w.sum(1), 1)
    cm, cs = m.sum(1) / n, s.sum(1) / n
    h = np.einsum("tki,tkj->tij", (s - cs[:, None]) * w, (m - cm[:, None]) * w)
    u, _, vt = np.linalg.svd(h)
    d = np.ones((len(m), 3))
    d[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = np.einsum("tji,tj,tkj->tik", vt, d, u)
    shift = cm - np.einsum("tij,tj->ti", rotation, cs)
    fit = np.einsum("tij,tkj->tki", rotation, s) + shift[:, None]
    residual = np.sqrt((((fit - m) ** 2).sum(-1) * seen).sum(1) / n[:, 0])
    few = seen.sum(1) < 3
    for a in (rotation, shift, residual):
        a[few] = np.nan
    return rotation, shift, residual


def carry(
    static: Points,
    moving: Points,
    track: Sequence[str],
    landmarks: Points,
    swap: tuple[str, ...] = (),
) -> Points:
    """Static landmarks carried by a segment's markers; `swap` names may be exchanged."""
    marks = [n for n in track if n in static and n in moving]
    s = np.stack([static[n] for n in marks])
    swappable = bool(swap) and all(n in marks for n in swap)
    fits = []
    for order in permutations(swap) if swappable else [swap]:
        label = dict(zip(swap, order, strict=True))
        fits.append(rigid(s, np.stack([moving[label.get(n, n)] for n in marks], 1)))
    rotation, shift, _ = min(fits, key=lambda f: float(np.nanmedian(f[2])))
    return {n: np.einsum("tij,j->ti", rotation, p) + shift for n, p in landmarks.items()}


def toe_tip(heel: Array, ball: Array) -> Array:
    """Toes reach about 0.3 of the heel-to-ball distance beyond the ball, flat on the ground."""
    along = ball - heel
    flat = along * np.array([1.0, 0.0, 1.0])
    flat = flat / np.linalg.norm(flat, axis=-1, keepdims=True)
    return np.asarray(ball + 0.3 * np.linalg.norm(along, axis=-1, keepdims=True) * flat)


def hip_centres(p: Points) -> Points:
    """Hip centres from the iliac spines of one pose.

    Harrington et al. 2007 (doi:10.1016/j.jbiomech.2006.02.003), the equations with one
    predictor each: back by pelvic depth, down and out by pelvic width.
    """
    front, back = 0.5 * (p["asis_r"] + p["asis_l"]), 0.5 * (p["psis_r"] + p["psis_l"])
    z = p["asis_r"] - p["asis_l"]
    width, depth = float(np.linalg.norm(z)), float(np.linalg.norm(front - back))
    z = z / width
    x = front - back
    x = x - z * (x @ z)
    x = x / np.linalg.norm(x)
    y = np.cross(z, x)
    down = -0.30 * width - 0.0109
    out = 0.33 * width + 0.0073
    centre = front + x * (-0.24 * depth - 0.0099) + y * down
    return {"hip_center_r": centre + z * out, "hip_center_l": centre - z * out}
