"""Anatomical points of the shared captures, straight from the markers.

A test helper: the product gets its points from the fitted model. Here each segment's
markers of the moving trial are laid over those of the static trial by a rigid fit, and
the landmarks that only the static trial has are carried along. Nothing is smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import ezc3d
import numpy as np
from kneestride.capture.trial import Forces
from kneestride.motion.kinematics import AnatomicalPaths

Points = dict[str, np.ndarray]

BELTS = {"T25": 2.5, "T35": 3.5, "T45": 4.5, "run200": 2.0, "run400": 4.0}
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


def read_c3d(
    path: Path, plates: bool = True
) -> tuple[np.ndarray, float, Points, Forces | None]:
    c = ezc3d.c3d(str(path), extract_forceplat_data=plates)
    rate = float(c["parameters"]["POINT"]["RATE"]["value"][0])
    xyz = c["data"]["points"][:3].transpose(2, 1, 0) * 1e-3
    xyz[(xyz == 0).all(-1)] = np.nan
    points = {n: xyz[:, k] for k, n in enumerate(c["parameters"]["POINT"]["LABELS"]["value"])}
    time = np.arange(len(xyz)) / rate
    if not plates or not c["data"]["platform"]:
        return time, rate, points, None
    force, moment, corners = [], [], []
    for p in c["data"]["platform"]:
        corner = p["corners"].T * 1e-3
        f = p["force"].T
        # ezc3d gives the moment about the middle of the plate's surface.
        moment.append(p["moment"].T * 1e-3 + np.cross(corner.mean(0), f))
        force.append(f)
        corners.append(corner)
    n = len(force[0])
    analog = float(c["parameters"]["ANALOG"]["RATE"]["value"][0])
    f3 = np.stack(force, 1)
    return (
        time,
        rate,
        points,
        Forces(
            names=tuple(f"plate {k + 1}" for k in range(len(force))),
            time=np.arange(n) / analog,
            rate=analog,
            force=f3,
            point=np.full_like(f3, np.nan),
            torque=np.zeros_like(f3),
            corners=np.stack(corners),
            moment_at_origin=np.stack(moment, 1),
        ),
    )


def rigid(static: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R (T,3,3), t (T,3), rms residual (T,) laying static (K,3) over moving (T,K,3)."""
    weight = np.isfinite(moving).all(-1) & np.isfinite(static).all(-1)
    enough = weight.sum(1) >= 3
    w = weight[..., None].astype(float)
    m = np.where(weight[..., None], moving, 0.0)
    s = np.where(weight[..., None], static, 0.0)
    n = np.maximum(w.sum(1), 1)
    cm, cs = m.sum(1) / n, s.sum(1) / n
    h = np.einsum("tki,tkj->tij", (s - cs[:, None]) * w, (m - cm[:, None]) * w)
    u, _, vt = np.linalg.svd(h)
    d = np.ones((len(m), 3))
    d[:, 2] = np.sign(np.linalg.det(u @ vt))
    rot = np.einsum("tji,tj,tkj->tik", vt, d, u)
    t = cm - np.einsum("tij,tj->ti", rot, cs)
    fit = np.einsum("tij,tkj->tki", rot, s) + t[:, None]
    res = np.sqrt((((fit - m) ** 2).sum(-1) * weight).sum(1) / n[:, 0])
    for a in (rot, t, res):
        a[~enough] = np.nan
    return rot, t, res


def carry(
    static: Points,
    moving: Points,
    track: list[str],
    landmarks: Points,
    swap: tuple[str, ...] = (),
) -> Points:
    """Landmarks given in the static pose, carried by the tracking markers of a segment."""
    names = [n for n in track if n in static and n in moving]
    s = np.stack([np.nanmean(static[n], 0) for n in names])
    best = None
    orders = list(permutations(swap)) if swap and all(n in names for n in swap) else [swap]
    for order in orders:
        label = dict(zip(swap, order, strict=True))
        m = np.stack([moving[label.get(n, n)] for n in names], 1)
        fit = rigid(s, m)
        if best is None or np.nanmedian(fit[2]) < np.nanmedian(best[2]):
            best = fit
    rot, t, _ = best
    return {n: np.einsum("tij,j->ti", rot, p) + t for n, p in landmarks.items()}


def mean(points: Points, *names: str) -> np.ndarray:
    return np.mean([np.nanmean(points[n], 0) for n in names], 0)


def toe_tip(heel: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """Toes reach about 0.3 of the heel-to-ball distance beyond the ball, flat on the ground."""
    along = ball - heel
    flat = along * [1.0, 0.0, 1.0]
    flat /= np.linalg.norm(flat, axis=-1, keepdims=True)
    return ball + 0.3 * np.linalg.norm(along, axis=-1, keepdims=True) * flat


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
    subject = name[: name.index("run")]
    time, rate, run, forces = read_c3d(folder / "rbds" / f"{name}.c3d")
    _, _, static, _ = read_c3d(folder / "rbds" / f"{subject}static.c3d", plates=False)
    out: Points = {}
    for side in "rl":
        u = side.upper()
        foot = [f"{u}.{n}" for n in ("Heel.Top", "Heel.Bottom", "Heel.Lateral", "MT1", "MT5")]
        first, fifth = mean(static, f"{u}.MT1"), mean(static, f"{u}.MT5")
        heel = mean(static, f"{u}.Heel.Top", f"{u}.Heel.Bottom")
        marks = {
            f"heel_{side}": heel,
            f"heel_bottom_{side}": mean(static, f"{u}.Heel.Bottom"),
            f"metatarsal_1_{side}": first,
            f"metatarsal_2_{side}": mean(static, f"{u}.MT2"),
            f"metatarsal_5_{side}": fifth,
            f"toe_{side}": toe_tip(heel, 0.6 * first + 0.4 * fifth),
            f"malleolus_lateral_{side}": mean(static, f"{u}.Ankle"),
            f"malleolus_medial_{side}": mean(static, f"{u}.Ankle.Medial"),
            f"ankle_center_{side}": mean(static, f"{u}.Ankle", f"{u}.Ankle.Medial"),
        }
        out |= carry(static, run, foot, marks, swap=(f"{u}.MT1", f"{u}.MT5"))
        for seg in ("Shank", "Thigh"):
            track = [
                f"{u}.{seg}.{a}.{b}" for a in ("Top", "Bottom") for b in ("Lateral", "Medial")
            ]
            knee = mean(static, f"{u}.Knee", f"{u}.Knee.Medial")
            key = "knee_center" if seg == "Shank" else "knee_center_thigh"
            out |= carry(static, run, track, {f"{key}_{side}": knee})
        out[f"asis_{side}"], out[f"psis_{side}"] = run[f"{u}.ASIS"], run[f"{u}.PSIS"]
    track = [f"{u}.{n}" for u in "RL" for n in ("ASIS", "PSIS", "Iliac.Crest")]
    hips = hip_centres(
        {
            f"{n.lower()}_{s}": mean(static, f"{s.upper()}.{n}")
            for s in "rl"
            for n in ("ASIS", "PSIS")
        }
    )
    pelvis = {
        **hips,
        **{
            f"{n.lower()}_{s}": mean(static, f"{s.upper()}.{n}")
            for s in "rl"
            for n in ("ASIS", "PSIS")
        },
    }
    out |= carry(static, run, track, pelvis)
    table = {
        r.split(",")[0]: float(r.split(",")[2])
        for r in (folder / "rbds" / "participants.csv").read_text().splitlines()[1:]
    }
    mass = table[f"RBDS{int(subject[4:]):03d}"]
    return Capture(name, mass, forces, paths(time, rate, out, BELTS[name[-3:]]))


def hip_centres(p: Points) -> Points:
    """Harrington 2007 regression on pelvic depth and width (any yaw of the pelvis)."""
    front, back = 0.5 * (p["asis_r"] + p["asis_l"]), 0.5 * (p["psis_r"] + p["psis_l"])
    z = p["asis_r"] - p["asis_l"]
    width, depth = np.linalg.norm(z), np.linalg.norm(front - back)
    z = z / width
    x = front - back
    x = x - z * (x @ z)
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    out = {}
    for side, sign in (("r", 1.0), ("l", -1.0)):
        out[f"hip_center_{side}"] = (
            front
            + x * (-0.24 * depth - 0.0099)
            + y * (-0.16 * width - 0.04 * depth - 0.0071)
            + z * sign * (0.28 * depth + 0.16 * width / 2 + 0.0079)
        )
    return out


def hamner(folder: Path, name: str) -> Capture:
    time, rate, m = read_trc(folder / "hamner04" / f"{name}.trc")
    out: Points = {}
    for side in "rl":
        u = side.upper()
        heel, toe, fifth = m[f"{u}CAL"], m[f"{u}TOE"], m[f"{u}MT5"]
        first = first_opposite(heel, toe, fifth, side)
        out |= foot(side, heel, first, fifth, toe_tip(heel, toe))
        out[f"asis_{side}"], out[f"psis_{side}"] = m[f"{u}ASI"], m[f"{u}PSI"]
    forces = read_mot(folder / "hamner04" / f"{name}_grf.mot")
    return Capture(name, MASSES["hamner04"], forces, paths(time, rate, out, BELTS[name]))


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
        out |= carry(static, m, track, foot(side, heel, first, fifth, toe))
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
