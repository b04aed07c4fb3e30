#!/usr/bin/env python3
"""Build the project's own bone meshes: models/bones/skeleton.npz.

    python scripts/build_bones.py [--only NAME ...] [--out FILE]

Every bone is modelled from distance fields in the body frames of the runner's model
(scripts/bones/), so no scanned geometry and no licence but our own comes with it. The
knee's surfaces are cut by the model's own joint motion. The file holds plain arrays:
coordinates in 16 bits of each mesh's box (finer than 0.01 mm), triangles and per-vertex
weights, nothing pickled; the same sources give the same bytes.

Right side and midline are stored; the left side is the mirror image in z.
Needs scikit-image (surfaces) and bpy (decimation) beside the project's own packages.
"""

from __future__ import annotations

import argparse
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bones import arm, foot, leg, trunk
from bones.clay import Array, Clay
from bones.knee import Sweep
from bones.weights import weights_of
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "models" / "bones" / "skeleton.npz"
SWEEP_DEG = np.arange(0.0, 125.1, 4.0)
"""Knee flexion at which the joint surfaces are cut, degrees."""

Faces = NDArray[np.int64]

BUDGET = {
    "pelvis": ("pelvis", 6500), "femur": ("femur", 4600), "femoral_cartilage": ("femur", 3400),
    "tibia": ("tibia", 3400), "fibula": ("tibia", 1300), "tibial_cartilage": ("tibia", 1500),
    "menisci": ("tibia", 1400), "patella": ("patella", 900),
    "patellar_cartilage": ("patella", 700),
    "talus": ("talus", 1000), "foot": ("calcn", 4200), "toes": ("toes", 2400),
    "spine": ("torso", 8500), "rib_cage": ("torso", 8000), "shoulder_girdle": ("torso", 2600),
    "head": ("torso", 4500), "humerus": ("humerus", 1500), "ulna": ("ulna", 1000),
    "radius": ("radius", 1000), "hand": ("hand", 3600),
}  # fmt: skip
"""Mesh: the body it belongs to and its number of triangles."""

MIDLINE = ("pelvis", "spine", "rib_cage", "shoulder_girdle", "head")
SCHEMATIC = (
    "spine",
    "rib_cage",
    "shoulder_girdle",
    "head",
    "humerus",
    "ulna",
    "radius",
    "hand",
)


def knee_sweeps() -> tuple[Sweep, Sweep]:
    """Poses of tibia and patella in the femur over flexion, from the model itself."""
    from kneestride.model.multibody import Multibody
    from kneestride.model.osim import load_model

    body = Multibody.from_osim(load_model(ROOT / "models" / "kneestride_runner.osim"))
    q = np.zeros((len(SWEEP_DEG), len(body.coordinates)))
    q[:, body.coordinate("knee_angle_r")] = np.radians(SWEEP_DEG)
    rotation, position = body.poses(q)
    femur = body.body("femur_r")
    into = rotation[:, femur].transpose(0, 2, 1)

    def sweep(name: str) -> Sweep:
        other = body.body(name)
        offset = position[:, other] - position[:, femur]
        return Sweep(into @ rotation[:, other], np.einsum("aij,aj->ai", into, offset))

    return sweep("tibia_r"), sweep("patella_r")


def sculpt() -> dict[str, Callable[[], Clay]]:
    """Each mesh's maker; makers that give two share their work."""
    made: dict[str, tuple[Clay, Clay]] = {}

    def femur(part: int) -> Clay:
        if "femur" not in made:
            made["femur"] = leg.femur_and_cartilage(*knee_sweeps())
        return made["femur"][part]

    return {
        "pelvis": leg.pelvis,
        "femur": lambda: femur(0),
        "femoral_cartilage": lambda: femur(1),
        "tibia": leg.tibia,
        "fibula": leg.fibula,
        "tibial_cartilage": leg.tibial_cartilage,
        "menisci": leg.menisci,
        "patella": lambda: leg.patella_and_cartilage()[0],
        "patellar_cartilage": lambda: leg.patella_and_cartilage()[1],
        "talus": foot.talus,
        "foot": foot.hindfoot_to_metatarsals,
        "toes": foot.toes,
        "spine": trunk.spine,
        "rib_cage": trunk.rib_cage,
        "shoulder_girdle": trunk.shoulder_girdle,
        "head": trunk.head,
        "humerus": arm.humerus,
        "ulna": arm.ulna,
        "radius": arm.radius,
        "hand": arm.hand,
    }


def decimate(vertices: Array, faces: Faces, target: int) -> tuple[Array, Faces]:
    """Collapse edges until `target` triangles are left (Blender's Decimate)."""
    import bpy

    if len(faces) <= target:
        return vertices, faces
    mesh = bpy.data.meshes.new("bone")
    # In millimetres: Blender's collapse weighs very small triangles badly.
    mesh.from_pydata((vertices * 1000).tolist(), [], faces.tolist())
    thing = bpy.data.objects.new("bone", mesh)
    bpy.context.scene.collection.objects.link(thing)
    modifier = thing.modifiers.new("decimate", "DECIMATE")
    modifier.ratio = target / len(faces)
    modifier.use_collapse_triangulate = True
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    result = evaluated.to_mesh()
    points = np.empty(len(result.vertices) * 3, dtype=np.float32)
    result.vertices.foreach_get("co", points)
    result.calc_loop_triangles()
    corners = np.empty(len(result.loop_triangles) * 3, dtype=np.int32)
    result.loop_triangles.foreach_get("vertices", corners)
    evaluated.to_mesh_clear()
    bpy.data.objects.remove(thing)
    bpy.data.meshes.remove(mesh)
    return points.reshape(-1, 3).astype(float) / 1000, corners.reshape(-1, 3).astype(np.int64)


def build(names: list[str]) -> dict[str, tuple[Array, Faces]]:
    """Sculpt, mesh and decimate."""
    makers, out = sculpt(), {}
    for name in names:
        begin = time.perf_counter()
        vertices, faces = makers[name]().mesh()
        raw = len(faces)
        vertices, faces = decimate(vertices, faces, BUDGET[name][1])
        out[name] = (vertices, faces)
        seconds = time.perf_counter() - begin
        print(f"{name:20s} {raw:7d} -> {len(faces):5d} triangles  {seconds:5.1f} s", flush=True)
    return out


def pack(meshes: dict[str, tuple[Array, Faces]]) -> bytes:
    """Return the file: quantised, in a fixed order, with fixed time stamps."""
    arrays: dict[str, NDArray[np.generic]] = {}
    about = {
        "schema": "kneestride-bones",
        "version": 1,
        "source": "scripts/build_bones.py; procedural, kneestride's own (GPL-3.0-or-later)",
        "meshes": [],
    }
    for name, (vertices, faces) in meshes.items():
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        box = np.stack([low, high]).astype(np.float32)
        span = (box[1] - box[0]).astype(float)
        arrays[f"{name}.box"] = box
        arrays[f"{name}.vertices"] = (
            np.rint((vertices - box[0]) / span * 65535).clip(0, 65535).astype(np.uint16)
        )
        arrays[f"{name}.faces"] = faces.astype(np.uint16)
        weights = weights_of(name, vertices)
        if weights:
            stacked = np.stack(list(weights.values()), axis=1)
            arrays[f"{name}.weights"] = np.rint(stacked * 255).astype(np.uint8)
        about["meshes"].append(
            {
                "name": name,
                "body": BUDGET[name][0],
                "sided": name not in MIDLINE,
                "schematic": name in SCHEMATIC,
                "weights": list(weights),
            }
        )
    text = json.dumps(about, ensure_ascii=False, sort_keys=True).encode()
    arrays["about"] = np.frombuffer(text, dtype=np.uint8)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(values), allow_pickle=False)
            stamp = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            stamp.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(stamp, part.getvalue())
    return out.getvalue()


def main() -> None:
    """Build all bones, or some of them to look at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(BUDGET), default=list(BUDGET))
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    data = pack(build(options.only))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(data)
    print(f"{options.out}: {len(data) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
