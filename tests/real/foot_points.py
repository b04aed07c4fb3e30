"""Anatomical points of the shared captures, straight from the markers.

A test helper: the product gets its points from the fitted model. Here each segment's
markers of the moving trial are laid over those of the static trial by a rigid fit, and
the landmarks that only the static trial has are carried along. Nothing is smoothed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kneestride.capture.trial import Forces
from kneestride.motion.kinematics import AnatomicalPaths

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import rbds_paths
from rbds_paths import carry, hip_centres, rigid, toe_tip

Points = dict[str, np.ndarray]

BELTS = {"run200": 2.0, "run400": 4.0}
MASSES = {"gc5": 75.0, "hamner04": 80.47}


@dataclass(frozen=True)
class Capture:
    name: str
    mass: float
    forces: Forces | None
    paths: AnatomicalPaths


def read_trc(path: Path) -> tuple[np.ndarray, float, Points]:
    lines = path.read_text().splitlines()
    rate, _, _, _, unit = lines[2].split()[:5]
    names = [n for n in lines[3].split("\t")[2:] if n.strip()]
    rows = [r.rstrip("\n").split("\t") for r in lines[5:] if r.strip()]
    table = np.full((len(rows), 2 + 3 * len(names)), np.nan)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row[: table.shape[1]]):
            if cell.strip():
                table[i, j] = float(cell)
    scale = 1e-3 if unit == "mm" else 1.0
    points = {n: scale * table[:, 2 + 3 * k : 5 + 3 * k] for k, n in enumerate(names)}
    return table[0, 1] + np.arange(len(rows)) / float(rate), float(rate), points


def read_mot(path: Path) -> Forces:
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() == "endheader") + 1
    while not lines[start].strip():
        start += 1
    columns = lines[start].split()
    data = np.array([[float(x) for x in r.split()] for r in lines[start + 1 :] if r.strip()])
    col = {n: data[:, k] for k, n in enumerate(columns)}
    stems = [n[:-3] for n in columns if n.endswith("_vx")]

    def torque(stem: str, axis: str) -> np.ndarray:
        for name in (f"{stem}_m{axis}", f"{stem.replace('force', 'torque')}_{axis}"):
            if name in col:
                return col[name]
        raise KeyError(stem)

    stack = lambda cells: np.stack([np.stack(c, -1) for c in cells], 1)  # noqa: E731
    force = stack([[col[f"{s}_v{a}"] for a in "xyz"] for s in stems])
    point = stack([[col[f"{s}_p{a}"] for a in "xyz"] for s in stems])
    point[~(np.abs(force).sum(-1) > 0)] = np.nan
    time = np.asarray(col["time"])
    rate = (len(time) - 1) / (time[-1] - time[0])
    return Forces(
        names=tuple(stems),
        time=time[0] + np.arange(len(time)) / rate,
        rate=float(rate),
        force=force,
        point=point,
        torque=stack([[torque(s, a) for a in "xyz"] for s in stems]),
        feet=tuple({"R": "r", "L": "l"}.get(s[0]) if s[1] == "_" else None for s in stems),
    )


def mean(points: Points, *names: str) -> np.ndarray:
    return np.mean([np.nanmean(points[n], 0) for n in names], 0)


def first_opposite(
    heel: np.ndarray, toe: np.ndarray, fifth: np.ndarray, side: str
) -> np.ndarray:
    """First metatarsal head, 0.42 of the heel-to-ball length medial of the fifth."""
    along = toe - heel
    along[..., 1] = 0.0
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    medial = np.cross(along / length, [0.0, 1.0, 0.0]) * (-1.0 if side == "r" else 1.0)
    return fifth + 0.42 * length * medial


def rbds(folder: Path, name: str) -> Capture:
    """`name` as in RBDS001runT25."""
    run = rbds_paths.read_run(folder / "rbds", name)
    return Capture(name, run.mass, run.forces, run.paths)


def hamner(folder: Path, name: str) -> Capture:
    time, rate, m = read_trc(folder / "hamner04" / f"{name}.trc")
    out: Points = {}
    for side in "rl":
        u = side.upper()
        heel, toe, fifth = m[f"{u}CAL"], m[f"{u}TOE"], m[f"{u}MT5"]
        first = first_opposite(heel, toe, fifth, side)
        out |= foot(side, heel, first, fifth, toe_tip(heel, toe))
        out[f"asis_{side}"], out[f"psis_{side}"] = m[f"{u}ASI"], m[f"{u}PSI"]
    for k in range(len(time)):
        spines = {f"{n}_{s}": out[f"{n}_{s}"][k] for n in ("asis", "psis") for s in "rl"}
        for hip, centre in hip_centres(spines).items():
            out.setdefault(hip, np.empty((len(time), 3)))[k] = centre
    for side in "rl":
        u = side.upper()
        thigh, shank = (segment(m, [f"{u}{n}{k}" for k in "123"]) for n in ("TH", "TB"))
        feet = segment(m, [f"{u}{n}" for n in ("CAL", "TOE", "MT5")])
        out[f"knee_center_{side}"] = joint(thigh, shank)
        out[f"ankle_center_{side}"] = joint(shank, feet)
    forces = read_mot(folder / "hamner04" / f"{name}_grf.mot")
    return Capture(name, MASSES["hamner04"], forces, paths(time, rate, out, BELTS[name]))


def segment(m: Points, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Pose of a marker cluster over time, against its first complete frame."""
    moving = np.stack([m[n] for n in names], 1)
    whole = int(np.argmax(np.isfinite(moving).all((1, 2))))
    rotation, shift, _ = rigid(moving[whole], moving)
    return rotation, shift


def joint(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Centre about which two segments turn (Ehrig et al. 2006, symmetrical estimation)."""
    left = np.concatenate((a[0], -b[0]), 2).reshape(-1, 6)
    right = (b[1] - a[1]).reshape(-1)
    good = np.isfinite(left).all(1) & np.isfinite(right)
    x = np.linalg.lstsq(left[good], right[good], rcond=None)[0]
    return 0.5 * (
        np.einsum("tij,j->ti", a[0], x[:3]) + a[1] + np.einsum("tij,j->ti", b[0], x[3:]) + b[1]
    )


def foot(
    side: str,
    heel: np.ndarray,
    first: np.ndarray,
    fifth: np.ndarray,
    toe: np.ndarray | None = None,
) -> Points:
    if toe is None:
        toe = toe_tip(heel, 0.6 * first + 0.4 * fifth)
    return {
        f"heel_{side}": heel,
        f"heel_bottom_{side}": heel,
        f"metatarsal_1_{side}": first,
        f"metatarsal_5_{side}": fifth,
        f"toe_{side}": toe,
    }


def bmc(folder: Path) -> Capture:
    time, rate, m = read_trc(folder / "bmc_run" / "run.trc")
    out: Points = {}
    for side in "rl":
        u = side.upper()
        heel, toe, fifth = m[f"{u}CAL"], m[f"{u}TOE"], m[f"{u}MT5"]
        out |= foot(
            side, heel, first_opposite(heel, toe, fifth, side), fifth, toe_tip(heel, toe)
        )
        out[f"asis_{side}"], out[f"psis_{side}"] = m[f"{u}ASI"], m[f"{u}PSI"]
    forces = read_mot(folder / "bmc_run" / "run_grf.mot")
    # The stance foot stands still in the laboratory: this belt is the ground.
    return Capture("bmc_run", 70.0, forces, paths(time, rate, out, 0.0))


def gc5(folder: Path) -> Capture:
    time, rate, m = read_trc(folder / "gc5" / "ngait_og_ss1.trc")
    _, _, static = read_trc(folder / "gc5" / "static.trc")
    out: Points = {}
    for side in "rl":
        u = side.upper()
        track = [
            f"{u}{n}"
            for n in (
                "Heel",
                "Toe",
                "MidfootLateral",
                "MidfootMedial",
                "Hindfoot",
                "MidfootSuperior",
                "ToeMedial",
                "ToeLateral",
            )
        ]
        heel, toe = mean(static, f"{u}Heel"), mean(static, f"{u}Toe")
        first, fifth = mean(static, f"{u}ToeMedial"), mean(static, f"{u}ToeLateral")
        still = {n: np.nanmean(p, 0) for n, p in static.items()}
        out |= carry(still, m, track, foot(side, heel, first, fifth, toe))
        out[f"asis_{side}"], out[f"psis_{side}"] = m[f"{u}Asis"], m[f"{u}Psis"]
    forces = read_mot(folder / "gc5" / "ngait_og_ss1_grf.mot")
    return Capture("gc5", MASSES["gc5"], forces, paths(time, rate, out, 0.0))


def opencap(folder: Path, name: str) -> Capture:
    time, rate, m = read_trc(folder / "opencap04" / f"{name}.trc")
    out: Points = {}
    for side in "rl":
        heel, toe, fifth = (
            m[f"{pre(side)}_calc"],
            m[f"{pre(side)}_toe"],
            m[f"{pre(side)}_5meta"],
        )
        first = toe
        out |= foot(side, heel, first, fifth)
        u = "L." if side == "l" else "r."
        out[f"asis_{side}"], out[f"psis_{side}"] = m[f"{u}ASIS"], m[f"{u}PSIS"]
    forces = read_mot(folder / "opencap04" / f"{name}_grf.mot")
    return Capture(name, 62.6, forces, paths(time, rate, out, 0.0))


def pre(side: str) -> str:
    return "L" if side == "l" else "r"


def paths(time: np.ndarray, rate: float, points: Points, speed: float) -> AnatomicalPaths:
    forward = np.array([1.0, 0.0, 0.0])
    return AnatomicalPaths(
        time=time,
        rate=rate,
        points=points,
        angles={},
        frames={},
        progression=forward,
        belt_velocity=-speed * forward,
    )
