"""C3D recordings: markers, force plates, analog channels and events.

The file's skeleton is checked first (`c3d_blocks`), then `ezc3d` reads it in a child
process (`c3d_child`), so that a corrupted file ends as a message and not as a crash.
The clock is 0 at the first stored frame; analog sample j is at j / analog rate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CaptureError
from ..scratch import LONG, release, room
from ..temporary import temporary_folder
from ..vocabulary import Array
from .c3d_blocks import Layout, Skeleton, check_skeleton
from .c3d_rotations import read_rotations
from .files import checked_path, require_kind
from .labels import blank_zeros, tidy
from .plates import CHANNELS, POINT_FORCE, Plate, surface_wrench, wrench_in_lab
from .segment_poses import points_of
from .trc import UNITS
from .trial import Analog, Event, Forces, Markers, Trial

_CHILD = Path(__file__).with_name("c3d_child.py")
STUCK = 0.5
"""N; a loaded plate's force varies by more than this, even under someone standing still."""

_ARRAYS = ("points", "residuals", "analogs")
PART = 5_000
"""Frames of a long file that are read in one go."""
_SECONDS = 60.0
_SECONDS_PER_MEGABYTE = 2.0
_MODEL_OUTPUTS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")


@dataclass(frozen=True)
class _Raw:
    """What the child process hands back."""

    points: Array
    residuals: Array
    analogs: Array
    parameters: Mapping[str, Mapping[str, Any]]
    header_events: tuple[tuple[str, float], ...]

    def texts(self, group: str, name: str) -> list[str]:
        """Strings of a parameter, with its continuations (LABELS, LABELS2, …)."""
        entries = self.parameters.get(group, {})
        out: list[str] = []
        for suffix in ("", *(str(k) for k in range(2, 100))):
            value = entries.get(name + suffix)
            if not isinstance(value, list):
                break
            out += [str(v).strip() for v in value]
        return out

    def numbers(self, group: str, name: str) -> Array:
        """Numbers of a parameter with its shape; empty when absent or not numbers."""
        value = self.parameters.get(group, {}).get(name)
        if not isinstance(value, dict):
            return np.zeros(0)
        return np.array(value["data"], dtype=float).reshape(value["shape"])

    def whole(self, group: str, name: str) -> int:
        """First number of a parameter as an integer, 0 when absent."""
        values = self.numbers(group, name).ravel()
        return int(values[0]) if len(values) and np.isfinite(values[0]) else 0


def read_c3d(path: Path | str, *, plates: bool = True) -> Trial:
    """Read a C3D file.

    Parameters
    ----------
    path : path
    plates : bool
        Compute the ground forces of the file's own plates.

    Returns
    -------
    Trial
        Markers in metres and forces in N, N·m, m in the laboratory's axes; forces is
        None when the file has no plate with channels.

    Raises
    ------
    CaptureError
        Not a C3D, truncated or corrupted, unknown length unit, a plate type other
        than 1 to 4, no marker seen.
    """
    path = checked_path(path)
    require_kind(path, "c3d")
    skeleton = check_skeleton(path)
    raw = _read_in_child(path, skeleton)
    notes: list[str] = []
    if skeleton.points:
        markers, marker_notes = _markers(raw, skeleton, path.name)
    else:
        markers, marker_notes = _poses(raw, skeleton, path)
    notes += marker_notes
    analog = _analog(raw, skeleton)
    forces = None
    if plates:
        forces, plate_notes = _forces(raw, skeleton, path.name)
        notes += plate_notes
    events = _events(raw, skeleton)
    return Trial(path.stem, markers, forces, events, notes=tuple(notes), analog=analog)


def _read_in_child(path: Path, skeleton: Skeleton) -> _Raw:
    """Run ezc3d in a process of its own and take over its arrays."""
    seconds = _SECONDS + _SECONDS_PER_MEGABYTE * path.stat().st_size / 1e6
    with temporary_folder() as folder:
        # -P keeps this folder, with its own `c3d` module, off the child's search path.
        command = [sys.executable, "-P", str(_CHILD), str(path.absolute()), str(folder)]
        if skeleton.frames > LONG and skeleton.layout is not None:
            command.append(json.dumps(_cut(skeleton.frames, skeleton.layout)))
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _unreadable(
                path, f"that reading did not end within {seconds:.0f} s"
            ) from error
        except OSError as error:
            raise _unreadable(path, f"that the reader could not start ({error})") from error
        if done.returncode != 0:
            complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
            said = complaint[-1][:200].rstrip(".") if complaint else "no message"
            how = f"status {done.returncode}" if done.returncode > 0 else "a crash"
            raise _unreadable(path, f"that the C3D reader stopped with {how}: {said}")
        meta = json.loads((Path(folder) / "meta.json").read_text(encoding="utf-8"))
        points, residuals, analogs = (
            _taken_over(Path(folder) / f"{name}.npy") for name in _ARRAYS
        )
        raw = _Raw(
            points,
            residuals,
            analogs,
            meta["parameters"],
            tuple(zip(meta["event_labels"], meta["event_times"], strict=False)),
        )
    expected = (skeleton.frames, skeleton.points)
    if raw.points.shape[:2] != expected:
        raise _unreadable(
            path,
            f"{raw.points.shape[0]} frames of {raw.points.shape[1]} points"
            f" where the header says {expected[0]} of {expected[1]}",
        )
    return raw


def _cut(frames: int, layout: Layout) -> dict[str, Any]:
    """How the child reads a long file in parts; see `c3d_child`."""
    heads = {
        count: [(at, content.hex()) for at, content in layout.head(count)]
        for count in {PART, frames % PART} - {0}
    }
    return {
        "start": layout.start,
        "frame": layout.frame,
        "frames": frames,
        "size": PART,
        "heads": heads,
    }


def _taken_over(path: Path) -> Array:
    """An array that the child left; a long one stays on the disk."""
    stored = np.load(path, mmap_mode="r", allow_pickle=False)
    own = room(stored.shape)
    own[...] = stored
    release()
    return own


def _unreadable(path: Path, found: str) -> CaptureError:
    return CaptureError(
        f"a readable C3D file in '{path.name}'",
        found,
        "copy or export the recording again; TRC with a .mot of forces is read as well",
    )


def _unit(raw: _Raw, what: str) -> float:
    """Metres in the unit of POINT:UNITS."""
    unit = next(iter(raw.texts("POINT", "UNITS")), "").strip("\x00 ")
    if unit.lower() not in UNITS:
        raise CaptureError(
            f"the unit of length (POINT:UNITS) of '{what}'",
            f"'{unit}'" if unit else "none",
            "set the unit in the C3D, or export TRC",
            ("mm", "cm", "m"),
        )
    return UNITS[unit.lower()]


def _markers(raw: _Raw, skeleton: Skeleton, what: str) -> tuple[Markers, list[str]]:
    """Markers in metres; unseen samples NaN, model outputs left out."""
    notes: list[str] = []
    positions = raw.points * _unit(raw, what)
    positions[~np.isfinite(positions).all(axis=2)] = np.nan
    if raw.residuals.shape == positions.shape[:2]:
        positions[raw.residuals < 0] = np.nan
    positions, zeros = blank_zeros(positions)
    if zeros:
        notes.append(f"{zeros} samples stored as (0, 0, 0) are taken as not seen.")
    labels = raw.texts("POINT", "LABELS")[: skeleton.points]
    labels += [""] * (skeleton.points - len(labels))
    outputs = {name for kind in _MODEL_OUTPUTS for name in raw.texts("POINT", kind) if name}
    computed = [k for k, label in enumerate(labels) if label in outputs]
    if computed:
        notes.append(f"{len(computed)} computed channels (angles, moments, …) are no markers.")
    keep = [
        k for k, label in enumerate(labels) if k not in computed and not label.startswith("*")
    ]
    names, positions, tidied = tidy([labels[k] for k in keep], positions[:, keep])
    if not names:
        raise CaptureError(
            f"markers in '{what}'",
            "that no named marker is seen in any frame",
            "export the trial again with its labelled trajectories",
        )
    time = np.arange(skeleton.frames) / skeleton.rate
    return Markers(names, time, skeleton.rate, positions), notes + tidied


def _poses(raw: _Raw, skeleton: Skeleton, path: Path) -> tuple[Markers, list[str]]:
    """Points of the segment poses of a file without points (Theia3D)."""
    if "ROTATION" not in raw.parameters:
        raise CaptureError(
            f"markers in '{path.name}'",
            "no point data and no segment poses",
            "name the file that holds the markers, or export joint centres as points",
        )
    ratio = raw.whole("ROTATION", "RATIO")
    if not ratio:
        rate = raw.numbers("ROTATION", "RATE").ravel()
        ratio = round(float(rate[0]) / skeleton.rate) if len(rate) else 1
    used, start = (raw.whole("ROTATION", n) for n in ("USED", "DATA_START"))
    labels = raw.texts("ROTATION", "LABELS")
    found = read_rotations(path, labels, used, start, ratio, skeleton.frames, skeleton.rate)
    # Files without points need not name a unit; millimetres are what Theia writes.
    unit = _unit(raw, path.name) if any(raw.texts("POINT", "UNITS")) else UNITS["mm"]
    markers, notes = points_of(found, path.name)
    return replace(markers, positions=markers.positions * unit), notes


def _analog(raw: _Raw, skeleton: Skeleton) -> Analog | None:
    """All analog channels, scaled as the file says."""
    if not skeleton.channels or raw.analogs.size == 0:
        return None
    count = raw.analogs.shape[1]
    rate = skeleton.rate * skeleton.subframes
    labels = (raw.texts("ANALOG", "LABELS") + [""] * count)[:count]
    units = (raw.texts("ANALOG", "UNITS") + [""] * count)[:count]
    time = np.arange(len(raw.analogs)) / rate
    return Analog(tuple(labels), tuple(units), time, rate, raw.analogs)


def _forces(raw: _Raw, skeleton: Skeleton, what: str) -> tuple[Forces | None, list[str]]:
    """Ground forces of every plate."""
    count = raw.whole("FORCE_PLATFORM", "USED")
    if count <= 0:
        return None, []
    if raw.analogs.size == 0:
        return None, [f"{count} force plate(s) described, but no analog data: no forces."]
    notes: list[str] = []
    names: list[str] = []
    wrenches, corners = [], []
    for index in range(count):
        plate, channels = _plate(raw, skeleton, index, what, notes)
        normal = surface_wrench(plate, channels)[0][:, 2]
        if np.ptp(normal) < STUCK and abs(normal.mean()) > POINT_FORCE:
            notes.append(
                f"Force plate {index + 1} stands still at {abs(normal.mean()):.0f} N"
                " (an amplifier at its limit): left out."
            )
            continue
        names.append(f"plate_{index + 1}")
        wrenches.append(wrench_in_lab(plate, channels))
        corners.append(plate.corners)
    if not wrenches:
        return None, notes
    zero = raw.numbers("FORCE_PLATFORM", "ZERO").ravel()
    if len(zero) >= 2 and 1 <= zero[0] <= zero[1]:
        notes.append(
            f"The file names frames {zero[0]:.0f} to {zero[1]:.0f} as the plates' zero;"
            " no offset is removed on reading."
        )
    rate = skeleton.rate * skeleton.subframes
    forces = Forces(
        names=tuple(names),
        time=np.arange(len(raw.analogs)) / rate,
        rate=rate,
        force=np.stack([w.force for w in wrenches], axis=1),
        point=np.stack([w.point for w in wrenches], axis=1),
        torque=np.stack([w.torque for w in wrenches], axis=1),
        corners=np.stack(corners),
        feet=(None,) * len(names),
        moment_at_origin=np.stack([w.moment_at_origin for w in wrenches], axis=1),
    )
    return forces, notes


def _plate(
    raw: _Raw, skeleton: Skeleton, index: int, what: str, notes: list[str]
) -> tuple[Plate, Array]:
    """Geometry and calibrated channels (N, N·m, m) of one plate."""
    which = f"force plate {index + 1} of '{what}'"
    kinds = raw.numbers("FORCE_PLATFORM", "TYPE").ravel()
    kind = int(kinds[index]) if index < len(kinds) and np.isfinite(kinds[index]) else 0
    if kind not in CHANNELS:
        raise CaptureError(
            f"{which} of type 1 to 4",
            f"type {kind}",
            "pass the ground forces as .mot with --forces, or use --forces none",
            [str(k) for k in CHANNELS],
        )
    length = _unit(raw, what)
    corners = _entry(raw, "CORNERS", index, (3, 4), which).T * length
    origin = _entry(raw, "ORIGIN", index, (3,), which) * length
    if kind == 1:
        origin = np.zeros(3)
    elif origin[2] > 0:
        # Written the other way round by several recorders: z points into the floor, so
        # a surface above its transducer must have a negative entry.
        origin = -origin
        notes.append(f"The origin of {which} points downwards in the file: reversed.")
    plate = Plate(kind, corners, origin)
    if not np.isfinite(plate.in_lab).all() or np.ptp(corners, axis=0).max() < 0.05:
        raise CaptureError(
            f"four corners of {which} that span a surface",
            "corners that coincide",
            "set the plate's corners in the recording software and export again",
        )
    numbers = _entry(raw, "CHANNEL", index, (CHANNELS[kind],), which)
    if not np.isfinite(numbers).all():
        numbers = np.zeros(1)
    columns = numbers.astype(int) - 1
    if columns.min() < 0 or columns.max() >= raw.analogs.shape[1]:
        raise CaptureError(
            f"analog channels 1 to {raw.analogs.shape[1]} for {which}",
            f"channels {', '.join(str(c + 1) for c in columns)}",
            "export the recording with its force channels",
        )
    channels = raw.analogs[:, columns]
    if kind == 4:
        channels = channels @ _calibration(raw, index, which).T
    return plate, channels * _scales(raw, kind, columns, length, which)


def _calibration(raw: _Raw, index: int, which: str) -> Array:
    """The 6 × 6 matrix of a type 4 plate: rows are outputs, columns channels."""
    matrix = _entry(raw, "CAL_MATRIX", index, (6, 6), which)
    stored = next(iter(raw.texts("FORCE_PLATFORM", "MATRIX_STORE")), "").upper()
    return matrix.T if stored == "BYROW" else matrix


def _entry(raw: _Raw, name: str, index: int, shape: tuple[int, ...], which: str) -> Array:
    """One plate's part of a FORCE_PLATFORM parameter (the last axis counts plates)."""
    values = raw.numbers("FORCE_PLATFORM", name)
    if values.ndim == len(shape):
        values = values[..., None]
    # CHANNEL is as long as the plate with the most channels needs.
    fits = values.ndim == len(shape) + 1 and index < values.shape[-1]
    if not fits or any(have < want for have, want in zip(values.shape, shape, strict=False)):
        raise CaptureError(
            f"FORCE_PLATFORM:{name} of {which}",
            f"an array of shape {values.shape}" if values.size else "no such entry",
            "export the recording again, or pass the ground forces as .mot with --forces",
        )
    part: Array = values[..., index]
    for axis, count in enumerate(shape):
        part = np.take(part, range(count), axis=axis)
    return part


def _scales(
    raw: _Raw, kind: int, columns: np.ndarray[Any, Any], length: float, which: str
) -> Array:
    """Factor of each channel to N, N·m or m.

    The unit is the channel's own label where that is one; otherwise the C3D convention
    holds: N, and N times the unit of length. Labels of raw (type 4) force channels say
    N even where the matrix makes them so, hence they are not consulted.
    """
    units = raw.texts("ANALOG", "UNITS")
    labels = [_plain_unit(units[c]) if c < len(units) else "" for c in columns]
    force = {"n": 1.0, "kn": 1e3, "": 1.0, "newton": 1.0, "newtons": 1.0}
    moment = {"nmm": 1e-3, "nm": 1.0, "ncm": 1e-2, "knm": 1e3, "knmm": 1.0}
    scales = np.ones(len(columns))
    for k, label in enumerate(labels):
        if kind == 3 or k < 3:
            if kind != 4 and label not in force:
                raise CaptureError(
                    f"force channels of {which} in N",
                    f"'{units[columns[k]]}'",
                    "export scaled forces, or pass them as .mot with --forces",
                )
            scales[k] = 1.0 if kind == 4 else force[label]
        elif kind == 1 and k < 5:
            scales[k] = UNITS.get(label, length)
        else:
            scales[k] = moment.get(label, length)
    return scales


def _plain_unit(label: str) -> str:
    """A unit without the signs between its factors: 'N·mm', 'N.mm', 'N*mm' are 'nmm'."""
    return "".join(c for c in label.lower() if c.isalpha())


def _events(raw: _Raw, skeleton: Skeleton) -> tuple[Event, ...]:
    """Events on the clock of the first stored frame.

    EVENT:TIMES holds minutes and seconds since frame 1 of the recording, of which the
    file may keep only a later part.
    """
    start = (skeleton.first_frame - 1) / skeleton.rate
    times = raw.numbers("EVENT", "TIMES")
    used = raw.whole("EVENT", "USED")
    labels, contexts = raw.texts("EVENT", "LABELS"), raw.texts("EVENT", "CONTEXTS")
    if times.ndim == 1 and times.size == 2:
        times = times[:, None]
    if used <= 0 or times.ndim != 2 or times.shape[0] < 2:
        pairs = [(label.strip(), t) for label, t in raw.header_events if label.strip()]
        return tuple(Event(label, t - start) for label, t in pairs)
    events = []
    for k in range(min(used, times.shape[1])):
        label = labels[k] if k < len(labels) else ""
        context = contexts[k] if k < len(contexts) else ""
        time = 60.0 * float(times[0, k]) + float(times[1, k]) - start
        events.append(Event(label, time, context))
    return tuple(sorted(events, key=lambda e: e.time))
