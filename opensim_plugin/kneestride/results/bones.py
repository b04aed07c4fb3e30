"""The stored skeleton, made to a person's size so that its joints stay closed.

A model is scaled body by body, each with its own three factors. Stretching the bones the
same way would open or overlap the joints wherever two neighbours have different factors,
and turn round condyles into ovals that no longer roll. So near a joint both bones take one
common factor (the geometric mean of theirs) about the joint's own centre, and go over
into their body's factors along the shaft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ResultsError
from ..parsing import arrays_of, json_of
from ..paths_of_data import models_folder
from ..vocabulary import SIDES, Array

BONES_SCHEMA, BONES_VERSION = "kneestride-bones", 1


@dataclass(frozen=True)
class BoneMesh:
    """One mesh in its body's frame.

    Attributes
    ----------
    name : str, with `_r` or `_l` where sided
    body : str, the model's body it moves with
    side : 'r', 'l' or '' for the midline
    schematic : bool, made to be recognised and not to be measured
    vertices : (V, 3) m
    faces : (F, 3) indices, outward by the right hand
    weight_names : tuple of str, length W
    weights : (V, W) uint8, 255 is 1
    """

    name: str
    body: str
    side: str
    schematic: bool
    vertices: Array
    faces: NDArray[np.int64]
    weight_names: tuple[str, ...]
    weights: NDArray[np.uint8]


@dataclass(frozen=True)
class ClosedJoint:
    """Where two bodies meet (right side): bodies, joint centre in each, reach, all in m."""

    bodies: tuple[str, str]
    centers: tuple[tuple[float, float, float], tuple[float, float, float]]
    reach: float


JOINTS = (
    ClosedJoint(("pelvis", "femur"), ((-0.056276, -0.07849, 0.07726), (0.0, 0.0, 0.0)), 0.036),
    ClosedJoint(
        ("femur", "tibia"),
        ((-0.0045, -0.4096, -0.00175), (-0.00808954, -0.0035348, -0.00148474)),
        0.055,
    ),
    ClosedJoint(("tibia", "talus"), ((-0.01, -0.4, 0.0), (0.0, 0.0, 0.0)), 0.035),
)
"""Joint centres of models/kneestride_runner.osim before scaling."""


def load_bones(path: Path | None = None) -> tuple[BoneMesh, ...]:
    """Read `models/bones/skeleton.npz`, left side mirrored.

    Raises
    ------
    ResultsError
        The file is missing or not what `scripts/build_bones.py` writes.
    """
    path = path or models_folder() / "bones" / "skeleton.npz"
    try:
        stored = arrays_of(path)
        about = json_of(stored["about"].tobytes())
        if (about["schema"], about["version"]) != (BONES_SCHEMA, BONES_VERSION):
            raise KeyError(f"schema {about['schema']} {about['version']}")
        return tuple(mesh for entry in about["meshes"] for mesh in _meshes(stored, entry))
    except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ResultsError(
            expected="the bone meshes in models/bones/skeleton.npz",
            found=f"a file that cannot be read as such ({error})",
            todo="run scripts/build_bones.py",
        ) from error


def _meshes(
    stored: Mapping[str, NDArray[np.generic]], entry: Mapping[str, object]
) -> list[BoneMesh]:
    name = str(entry["name"])
    low, high = np.asarray(stored[f"{name}.box"], dtype=float)
    vertices = low + np.asarray(stored[f"{name}.vertices"], dtype=float) / 65535 * (high - low)
    faces = np.asarray(stored[f"{name}.faces"], dtype=np.int64)
    named = entry["weights"]
    names = tuple(str(n) for n in named) if isinstance(named, list) else ()
    weights = (
        np.asarray(stored[f"{name}.weights"], dtype=np.uint8)
        if names
        else np.zeros((len(vertices), 0), dtype=np.uint8)
    )
    body, schematic = str(entry["body"]), bool(entry["schematic"])
    if not entry["sided"]:
        return [BoneMesh(name, body, "", schematic, vertices, faces, names, weights)]
    turned = {"r": (vertices, faces), "l": (vertices * [1, 1, -1], faces[:, ::-1])}
    return [
        BoneMesh(f"{name}_{s}", f"{body}_{s}", s, schematic, *turned[s], names, weights)
        for s in SIDES
    ]


def fit_bones(bones: tuple[BoneMesh, ...], scale: Mapping[str, Array]) -> tuple[Array, ...]:
    """Vertices of every mesh at a person's size.

    Parameters
    ----------
    bones : tuple of BoneMesh
    scale : mapping of body to (3,) factors; a body left out keeps its size

    Returns
    -------
    tuple of (V, 3) m
    """
    return tuple(_fit(mesh, scale) for mesh in bones)


def _factors(scale: Mapping[str, Array], body: str) -> Array:
    return np.asarray(scale.get(body, np.ones(3)), dtype=float)


def _fit(mesh: BoneMesh, scale: Mapping[str, Array]) -> Array:
    own = _factors(scale, mesh.body)
    if mesh.body.startswith("patella"):
        # It lies on the femur; its own factors, when a tool gives it any, thicken it only.
        own = np.full(3, _common(scale, f"femur_{mesh.side}", f"tibia_{mesh.side}"))
        return np.asarray(mesh.vertices * own)
    out = mesh.vertices * own
    for joint in JOINTS:
        for side in SIDES:
            names = [b if b == "pelvis" else f"{b}_{side}" for b in joint.bodies]
            if mesh.body not in names:
                continue
            center = np.array(joint.centers[names.index(mesh.body)])
            center[2] *= 1.0 if side == "r" else -1.0
            offset = mesh.vertices - center
            far = np.linalg.norm(offset, axis=1) / joint.reach
            near = np.clip(2.0 - far, 0.0, 1.0)
            near = near * near * (3 - 2 * near)
            out = out + near[:, None] * (_common(scale, *names) - own) * offset
    return np.asarray(out)


def _common(scale: Mapping[str, Array], first: str, second: str) -> float:
    both = np.concatenate([_factors(scale, first), _factors(scale, second)])
    return float(np.exp(np.log(both).mean()))
