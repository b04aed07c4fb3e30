"""`scene.npz`: everything the Blender add-on needs and nothing else.

Plain arrays and one UTF-8 JSON text (`about`), nothing pickled, so that the add-on can
read it with numpy alone and refuse a file it does not understand. Bodies move by position
and quaternion in the model's ground frame (X forward, Y up, Z right), metres; loads are
channels over time and side; a mesh's static weights say where a channel shows. Runners
of one size share their meshes. The layout is written down in docs/blender.md.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..errors import ResultsError
from ..loads.types import GroundReaction
from ..model.drawn import AttachedMesh, attached_rows
from ..motion.contacts import between
from ..vocabulary import GRAVITY, SIDES, Array
from .bones import BoneMesh, fit_bones, load_bones
from .scene_lines import LinePaths, line_arrays

SCENE_SCHEMA, SCENE_VERSION = "kneestride-scene", 1
MAX_FRAMES = 100_000
"""A scene of more frames is refused, by the writer and by the reader."""


@dataclass(frozen=True)
class Channel:
    """A load that colours the bones.

    Attributes
    ----------
    name : str
    label : str, plain English
    unit : str
    weights : tuple of str, the static weights it shows on
    confidence : str, grade A to C
    """

    name: str
    label: str
    unit: str
    weights: tuple[str, ...]
    confidence: str = ""


@dataclass(frozen=True)
class Display:
    """Channels shown together, on one range: same unit, comparable by eye."""

    name: str
    label: str
    channels: tuple[str, ...]


CHANNELS = (
    Channel("medial_force", "Medial compartment force", "BW", ("w_medial",), "B"),
    Channel("lateral_force", "Lateral compartment force", "BW", ("w_lateral",), "B"),
    Channel("patellofemoral_force", "Patellofemoral force", "BW", ("w_patellofemoral",), "B"),
    Channel("medial_cartilage", "Medial contact stress", "MPa", ("w_medial",), "B"),
    Channel("lateral_cartilage", "Lateral contact stress", "MPa", ("w_lateral",), "B"),
    Channel(
        "patellofemoral_stress", "Patellofemoral stress", "MPa", ("w_patellofemoral",), "B"
    ),
    Channel("mcl_tension", "Medial collateral ligament", "N", ("w_medial_epicondyle",), "C"),
    Channel(
        "lcl_tension",
        "Lateral collateral ligament",
        "N",
        ("w_lateral_epicondyle", "w_lateral_collateral"),
        "C",
    ),
    Channel(
        "itb_strain",
        "Iliotibial band strain",
        "percent",
        ("w_lateral_epicondyle", "w_gerdy"),
        "B",
    ),
    Channel("pes_anserinus", "Pes anserinus", "N", ("w_pes_anserinus",), "C"),
    Channel("tibialis_posterior", "Tibialis posterior", "N", ("w_tibialis_posterior",), "C"),
    Channel("peroneals", "Peroneals", "N", ("w_peroneals",), "C"),
    Channel("achilles", "Achilles tendon", "N", ("w_achilles",), "B"),
    Channel(
        "tibia_bending_index", "Medial tibia, bending index", "Nm", ("w_medial_tibia",), "C"
    ),
    Channel("plantar_fascia_index", "Plantar fascia index", "BW", ("w_plantar",), "C"),
    Channel("lateral_hip", "Gluteus medius and minimus", "N", ("w_trochanter",), "B"),
    Channel(
        "trochanter_compression_index",
        "Trochanter compression index",
        "N",
        ("w_trochanter",),
        "C",
    ),
)
"""Every load that has a place on the bones; names as in `models/tissues.toml`."""

DISPLAYS = (
    Display(
        "knee_force",
        "Knee contact force",
        ("medial_force", "lateral_force", "patellofemoral_force"),
    ),
    Display(
        "knee_stress",
        "Knee contact stress",
        ("medial_cartilage", "lateral_cartilage", "patellofemoral_stress"),
    ),
)
"""Loads that share a range; every other channel is a display of its own."""


@dataclass(frozen=True)
class SceneRunner:
    """One runner, or one variant of a runner.

    Attributes
    ----------
    name : str, short and unique in the scene, such as 'neutral'
    label : str, what a person reads
    mass : kg
    bodies : tuple of str, length B
    time : (T,) s
    rotation : (T, B, 3, 3), position : (T, B, 3) m, body in ground
    scale : mapping of body to (3,) factors of the model
    channels : mapping of channel name to (T, 2), side axis as `SIDES`, NaN where masked
    ground : GroundReaction or None
    strides : rows of strides.csv
    simulated : bool, the motion was changed and not captured
    failed : names of self-checks that failed; every picture of the runner says so
    lines : LinePaths or None, muscles and ligaments
    attached : mesh files that the model names, or that belong to one of its family
    """

    name: str
    label: str
    mass: float
    bodies: tuple[str, ...]
    time: Array
    rotation: Array
    position: Array
    scale: Mapping[str, Array] = field(default_factory=dict)
    channels: Mapping[str, Array] = field(default_factory=dict)
    ground: GroundReaction | None = None
    strides: Sequence[Mapping[str, object]] = ()
    simulated: bool = False
    failed: tuple[str, ...] = ()
    lines: LinePaths | None = None
    attached: tuple[AttachedMesh, ...] = ()


def build_scene(
    runners: Sequence[SceneRunner],
    *,
    title: str = "",
    model_name: str = "",
    ranges: Mapping[str, tuple[float, float]] | None = None,
    bones: tuple[BoneMesh, ...] | None = None,
    differences: Sequence[Mapping[str, object]] = (),
) -> dict[str, NDArray[np.generic]]:
    """Gather everything a scene shows as named arrays.

    Parameters
    ----------
    runners : at least one; the first is what the others are compared with
    title, model_name : str
    ranges : display name → (low, high) in its unit; else from zero to a round figure above
        the largest value of all runners, so that one colour means one load everywhere
    bones : meshes to show; the project's own when left out
    differences : what is known of changes between runners: rows with `first`, `second`
        (labels), `side`, `quantity` and the interval `change`, `low`, `high`

    Returns
    -------
    mapping of array name to array, `about` among them

    Raises
    ------
    ResultsError
        No runner, names that are not unique, too many frames, or poses that are not finite.
    """
    _check(runners)
    bones = load_bones() if bones is None else bones
    bodies = set.intersection(*(set(r.bodies) for r in runners))
    shown = tuple(mesh for mesh in bones if mesh.body in bodies)
    more = (m.body for r in runners for m in r.attached if m.body in bodies)
    used = tuple(dict.fromkeys([*(mesh.body for mesh in shown), *more]))
    names = [c.name for c in CHANNELS if any(c.name in r.channels for r in runners)]
    arrays: dict[str, NDArray[np.generic]] = {}
    for mesh in shown:
        small = len(mesh.vertices) <= np.iinfo(np.uint16).max
        arrays[f"mesh.{mesh.name}.faces"] = mesh.faces.astype(np.uint16 if small else np.uint32)
        if mesh.weight_names:
            arrays[f"mesh.{mesh.name}.weights"] = mesh.weights
    sizes: list[Mapping[str, Array]] = []
    entries = []
    attached: list[list[dict[str, object]]] = []
    for k, runner in enumerate(runners):
        shape = _shape_of(runner, sizes, used)
        if shape == len(sizes):
            sizes.append(runner.scale)
            attached.append(attached_rows(runner.attached))
            for mesh, vertices in zip(shown, fit_bones(shown, runner.scale), strict=True):
                arrays[f"shape{shape}.{mesh.name}.vertices"] = vertices.astype(np.float32)
        arrays.update(_motion(k, runner, used, names))
        entry = _runner_entry(runner, shape)
        if runner.lines is not None:
            drawn, told = line_arrays(k, runner.lines, used, len(runner.time), names)
            arrays.update(drawn)
            entry.update(told)
        entries.append(entry)
    about = {
        "schema": SCENE_SCHEMA,
        "version": SCENE_VERSION,
        "written_by": f"kneestride {__version__}",
        "title": title,
        "model": model_name,
        "differences": [dict(row) for row in differences],
        "frame": "ground: X forward, Y up, Z right; m, s, N; quaternion w x y z",
        "sides": list(SIDES),
        "bodies": list(used),
        "shapes": len(sizes),
        "attached": attached,
        "meshes": [
            {
                "name": m.name,
                "body": m.body,
                "side": m.side,
                "schematic": m.schematic,
                "weights": list(m.weight_names),
            }
            for m in shown
        ],
        "channels": [
            {
                "name": c.name,
                "label": c.label,
                "unit": c.unit,
                "weights": list(c.weights),
                "confidence": c.confidence,
            }
            for c in CHANNELS
            if c.name in names
        ],
        "displays": _displays(runners, names, ranges or {}),
        "runners": entries,
        "provenance": provenance(runners, model_name),
    }
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    arrays["about"] = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    return arrays


def scene_bytes(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Return the npz file; the same arrays give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, values in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(values), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, part.getvalue(), compresslevel=6)
    return out.getvalue()


def write_scene(path: Path, runners: Sequence[SceneRunner], **options: object) -> Path:
    """Write `scene.npz` in one step; options as for `build_scene`.

    Raises
    ------
    ResultsError
        As `build_scene`; nothing is written then.
    """
    data = scene_bytes(build_scene(runners, **options))  # type: ignore[arg-type]
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    return path


def provenance(runners: Sequence[SceneRunner], model_name: str) -> str:
    """Return the line that stands in every picture."""
    found = {
        "simulated" if r.simulated else "predicted" if r.ground.predicted else "measured"
        for r in runners
        if r.ground is not None
    }
    origins = [kind for kind in ("measured", "predicted", "simulated") if kind in found]
    forces = f"{' and '.join(origins) or 'no'} ground forces"
    kinds = {r.simulated for r in runners}
    motion = {
        frozenset({False}): "captured motion",
        frozenset({True}): "simulated motion",
    }.get(frozenset(kinds), "captured and simulated motion")
    model = f"model {model_name}, " if model_name else ""
    failed = list(dict.fromkeys(name for r in runners for name in r.failed))
    mark = f"SELF-CHECK FAILED: {', '.join(failed).replace('_', ' ')}. " if failed else ""
    return (
        f"{mark}Modelled estimate, not a measurement: {model}{motion}, {forces}; "
        "BW = body weight"
    )


def quaternions(rotation: Array) -> Array:
    """Unit quaternions (..., 4) w x y z of rotation matrices (T, B, 3, 3), without jumps.

    Consecutive frames lie on the same half of the sphere, so that linear interpolation
    between them takes the short way.
    """
    from scipy.spatial.transform import Rotation

    out: Array = np.empty((*rotation.shape[:2], 4))
    # Body by body: all at once would take ten times what comes of it.
    for b in range(rotation.shape[1]):
        q = Rotation.from_matrix(rotation[:, b]).as_quat()[:, [3, 0, 1, 2]]
        flips = np.sign(np.einsum("ti,ti->t", q[1:], q[:-1]))
        flips[flips == 0] = 1.0
        q[1:] *= np.cumprod(flips)[:, None]
        out[:, b] = q
    return out


def _check(runners: Sequence[SceneRunner]) -> None:
    if not runners:
        raise ResultsError("at least one runner", "none", "analyse a recording first")
    names = [r.name for r in runners]
    if len(set(names)) != len(names):
        raise ResultsError(
            "runners with names of their own", ", ".join(names), "rename one of them"
        )
    for runner in runners:
        frames = len(runner.time)
        if not 2 <= frames <= MAX_FRAMES:
            raise ResultsError(
                f"between 2 and {MAX_FRAMES} frames",
                f"{frames} in {runner.name}",
                "show a shorter part of the recording",
            )
        shape = (frames, len(runner.bodies))
        if runner.rotation.shape != (*shape, 3, 3) or runner.position.shape != (*shape, 3):
            raise ResultsError(
                f"poses of {shape[1]} bodies over {frames} frames",
                f"rotation {runner.rotation.shape}, position {runner.position.shape}",
                "give body poses from the same motion as the time",
            )
        if not (np.isfinite(runner.rotation).all() and np.isfinite(runner.position).all()):
            raise ResultsError(
                "finite body poses",
                f"NaN or infinite values in {runner.name}",
                "fill or cut the gaps of the motion first",
            )


def _shape_of(
    runner: SceneRunner, sizes: Sequence[Mapping[str, Array]], bodies: tuple[str, ...]
) -> int:
    def factors(scale: Mapping[str, Array]) -> Array:
        return np.stack([np.asarray(scale.get(b, np.ones(3)), dtype=float) for b in bodies])

    for index, known in enumerate(sizes):
        if np.allclose(factors(known), factors(runner.scale), atol=1e-6):
            return index
    return len(sizes)


def _motion(
    k: int, runner: SceneRunner, bodies: tuple[str, ...], channels: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    take = [runner.bodies.index(b) for b in bodies]
    frames = len(runner.time)
    values = np.full((frames, len(channels), 2), np.nan, dtype=np.float32)
    for c, name in enumerate(channels):
        if name in runner.channels:
            values[:, c] = runner.channels[name]
    out: dict[str, NDArray[np.generic]] = {
        f"runner{k}.time": np.asarray(runner.time, dtype=np.float64),
        f"runner{k}.phase": stride_phase(runner).astype(np.float32),
        f"runner{k}.position": runner.position[:, take].astype(np.float32),
        f"runner{k}.quaternion": quaternions(runner.rotation)[:, take].astype(np.float32),
        f"runner{k}.channels": values,
    }
    if runner.ground is not None:
        force = np.where(runner.ground.masked[..., None], np.nan, runner.ground.force)
        out[f"runner{k}.ground_force"] = force.astype(np.float32)
        # Where the force is not known its point says nothing; the reader asks for numbers.
        out[f"runner{k}.ground_point"] = np.nan_to_num(runner.ground.point).astype(np.float32)
    return out


def stride_phase(runner: SceneRunner) -> Array:
    """(T, 2) share of the own stride in percent for each side; NaN outside strides."""
    phase = np.full((len(runner.time), len(SIDES)), np.nan)
    for row in runner.strides:
        if row.get("kind") != "stride" or row.get("side") not in SIDES:
            continue
        start, end = float(str(row["start_s"])), float(str(row["end_s"]))
        inside = between(runner.time, start, end)
        side = SIDES.index("r" if row["side"] == "r" else "l")
        phase[inside, side] = 100 * (runner.time[inside] - start) / (end - start)
    return phase


def _runner_entry(runner: SceneRunner, shape: int) -> dict[str, object]:
    strides = []
    for row in runner.strides:
        kept = {
            name: value
            for name, value in row.items()
            if isinstance(value, str | bool | int)
            or (isinstance(value, float) and math.isfinite(value))
        }
        strides.append(kept)
    return {
        "name": runner.name,
        "label": runner.label,
        "mass_kg": float(runner.mass),
        "body_weight_N": float(runner.mass) * GRAVITY,
        "frames": len(runner.time),
        "shape": shape,
        "simulated": runner.simulated,
        "failed_checks": list(runner.failed),
        "ground": runner.ground is not None,
        "predicted_forces": bool(runner.ground is not None and runner.ground.predicted),
        "strides": strides,
    }


def _displays(
    runners: Sequence[SceneRunner],
    names: Sequence[str],
    ranges: Mapping[str, tuple[float, float]],
) -> list[dict[str, object]]:
    unit = {c.name: c.unit for c in CHANNELS}
    label = {c.name: c.label for c in CHANNELS}
    grouped = {n for d in DISPLAYS for n in d.channels}
    wanted = [
        *(d for d in DISPLAYS if any(n in names for n in d.channels)),
        *(Display(n, label[n], (n,)) for n in names if n not in grouped),
    ]
    out: list[dict[str, object]] = []
    for display in wanted:
        present = [n for n in display.channels if n in names]
        low, high = ranges.get(display.name) or _range(runners, present)
        out.append(
            {
                "name": display.name,
                "label": display.label,
                "unit": unit[present[0]],
                "low": low,
                "high": high,
                "channels": present,
            }
        )
    return out


def _range(runners: Sequence[SceneRunner], names: Sequence[str]) -> tuple[float, float]:
    values = [r.channels[n] for r in runners for n in names if n in r.channels]
    finite = np.concatenate([np.asarray(v)[np.isfinite(v)].ravel() for v in values])
    top = float(finite.max()) if len(finite) else 1.0
    return 0.0, round_up(max(top, 1e-9))


def round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10 * power
