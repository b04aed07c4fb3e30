"""Muscles and ligaments in `scene.npz`: where they run, and how hard the muscles work.

Optional arrays of version 1; a reader that does not know them shows the bones alone. Most
slots of a path are fixed in their bodies and need three numbers for a whole recording. Only
those on wrapped arcs move in theirs; they are kept at `RATE` and in steps of `UNIT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..vocabulary import SIDES, Array

if TYPE_CHECKING:
    from ..model.drawn import Line

RATE = 50.0
"""Samples a second of what moves: linear between them within 0.5 mm in running."""
MAX_SAMPLES = 600
"""Longer recordings keep `RATE` in one stride of each side and spread the rest."""
UNIT = 2e-5
"""Step of the stored movement, m; 16 bits reach 0.65 m either way."""
FULL, NO_DATA = 250, 255
"""Byte of an activation of 1, and of none known."""
OFF = -32768
"""Stored for a slot that the path does not touch: the reader draws a straight line there,
in ground. In the frame of a shank such a slot would race as the knee bends."""
STILL = 1e-5
"""A slot that moves less in its body is stored as fixed, m."""
CHANNELS = {"MCL": "mcl_tension", "LCL": "lcl_tension", "ITB": "itb_strain"}
"""Ligament to the load that colours it."""
_RADIUS = {"MCL": 0.0030, "LCL": 0.0022, "ITB": 0.0028}
_UPPER, _LOWER = ("pelvis", "femur"), ("tibia", "patella", "talus", "calcn")
_ITB_FROM = 1
"""Slot of the tensor fasciae latae's path at which its tendon, the band, begins."""


@dataclass(frozen=True)
class LinePaths:
    """Lines over time.

    Attributes
    ----------
    time : (K,) s
    lines : tuple of Line, points (K, S, 3)
    activation : mapping of muscle name to (T,) at the runner's own frames, NaN where masked
    """

    time: Array
    lines: tuple[Line, ...]
    activation: Mapping[str, Array] = field(default_factory=dict)


def sample_times(time: Array, strides: Sequence[Mapping[str, object]]) -> NDArray[np.int64]:
    """Frames at which paths are asked for, ascending, first and last among them.

    Parameters
    ----------
    time : (T,) s
    strides : rows of strides.csv
    """
    step = max(1, round((len(time) - 1) / ((time[-1] - time[0]) * RATE)))
    if len(time) / step <= MAX_SAMPLES:
        return _with_ends(np.arange(0, len(time), step), len(time))
    dense = [np.empty(0, dtype=np.int64)]
    for side in SIDES:
        stride = _median_stride(strides, side)
        if stride is not None:
            inside = np.flatnonzero((time >= stride[0] - 0.1) & (time <= stride[1] + 0.1))
            dense.append(inside[::step])
    close = np.unique(np.concatenate(dense))[: MAX_SAMPLES // 2]
    wide = np.linspace(0, len(time) - 1, MAX_SAMPLES - len(close)).round().astype(np.int64)
    return _with_ends(np.union1d(close, wide), len(time))


def _with_ends(frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.union1d(frames, [0, count - 1])


def _median_stride(
    strides: Sequence[Mapping[str, object]], side: str
) -> tuple[float, float] | None:
    """Return the stride that stands for a leg when strides are aligned (see the add-on)."""
    found = [
        (float(str(row["start_s"])), float(str(row["end_s"])))
        for row in strides
        if row.get("kind") == "stride" and row.get("side") == side
    ]
    found.sort(key=lambda s: s[1] - s[0])
    return found[(len(found) - 1) // 2] if found else None


def with_band(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The iliotibial band as a line of its own: the tendon of tensor fasciae latae."""
    from dataclasses import replace

    out: list[Line] = []
    for line in lines:
        if not line.name.startswith("tfl_") or len(line.bodies) < _ITB_FROM + 2:
            out.append(line)
            continue
        cut = _ITB_FROM + 1
        on = np.ones(line.points.shape[:2], dtype=bool) if line.on is None else line.on
        muscle = replace(line, bodies=line.bodies[:cut], points=line.points[:, :cut])
        out.append(replace(muscle, on=on[:, :cut]))
        side = line.name.rsplit("_", 1)[-1]
        out.append(
            replace(
                line,
                name=f"ITB_{side}",
                kind="ligament",
                strength=0.0,
                bodies=line.bodies[_ITB_FROM:],
                points=line.points[:, _ITB_FROM:],
                on=on[:, _ITB_FROM:],
            )
        )
    return tuple(out)


def line_arrays(
    k: int, paths: LinePaths, bodies: Sequence[str], frames: int, channels: Sequence[str]
) -> tuple[dict[str, NDArray[np.generic]], dict[str, object]]:
    """Arrays of one runner's lines and what `about` says of them.

    Parameters
    ----------
    k : the runner's number
    bodies : bodies of the scene; lines on others are left out
    frames : of the runner
    channels : names of the scene's loads
    """
    shown = [ln for ln in with_band(paths.lines) if set(ln.bodies) <= set(bodies)]
    entries: list[dict[str, object]] = []
    start, column = 0, 0
    activation = []
    for line in shown:
        name, _, side = line.name.rpartition("_")
        load = CHANNELS.get(name, "")
        known = line.kind == "muscle" and line.name in paths.activation
        entries.append(
            {
                "name": line.name,
                "kind": line.kind,
                "side": side if side in SIDES else "",
                "knee": crosses_knee(line.bodies),
                "radius": radius_of(name, line.strength),
                "start": start,
                "count": len(line.bodies),
                "activation": column if known else -1,
                "channel": load if load in channels else "",
            }
        )
        start += len(line.bodies)
        if known:
            activation.append(_bytes(np.asarray(paths.activation[line.name])))
            column += 1
    if not shown:
        return {}, {}
    points = np.concatenate([line.points for line in shown], axis=1)
    on = np.concatenate(
        [np.ones(n.points.shape[:2], bool) if n.on is None else n.on for n in shown], axis=1
    )
    rest = points[np.argmax(on, axis=0), np.arange(points.shape[1])].astype(np.float32)
    away = np.abs(np.where(on[..., None], points - rest, 0.0)).max(axis=(0, 2))
    moving = np.flatnonzero((away > STILL) | ~on.all(axis=0))
    change = np.clip(np.rint((points[:, moving] - rest[moving]) / UNIT), -32767, 32767)
    change[~on[:, moving]] = OFF
    arrays: dict[str, NDArray[np.generic]] = {
        f"runner{k}.line_time": np.asarray(paths.time, dtype=np.float64),
        f"runner{k}.line_body": np.array(
            [bodies.index(b) for line in shown for b in line.bodies], dtype=np.uint16
        ),
        f"runner{k}.line_point": rest,
        f"runner{k}.line_moving": moving.astype(np.uint32),
        f"runner{k}.line_path": change.astype(np.int16),
        f"runner{k}.activation": (
            np.stack(activation, axis=1) if activation else np.zeros((frames, 0), np.uint8)
        ),
    }
    return arrays, {"lines": entries, "line_unit_m": UNIT, "activation_full": FULL}


def _bytes(activation: Array) -> NDArray[np.uint8]:
    known = np.isfinite(activation)
    level = np.rint(np.clip(np.where(known, activation, 0.0), 0.0, 1.0) * FULL)
    return np.where(known, level, NO_DATA).astype(np.uint8)


def crosses_knee(bodies: Sequence[str]) -> bool:
    """Tell whether a path runs from above the knee to below it."""
    return any(b.startswith(_UPPER) for b in bodies) and any(
        b.startswith(_LOWER) for b in bodies
    )


def radius_of(name: str, strength: float) -> float:
    """Radius to draw, m: made to be seen, larger for the stronger, no cross-section."""
    if name in _RADIUS:
        return _RADIUS[name]
    return float(np.clip(0.0045 * (max(strength, 1.0) / 1000.0) ** (1 / 3), 0.0025, 0.008))
