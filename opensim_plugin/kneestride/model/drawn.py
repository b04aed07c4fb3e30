"""What a model says about pictures: paths of muscles and ligaments, mesh files. No OpenSim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array, BoolArray


@dataclass(frozen=True)
class Line:
    """A muscle or ligament.

    Attributes
    ----------
    name : str; kind : 'muscle' or 'ligament'
    strength : N, maximum isometric force; 0 for a ligament
    bodies : tuple of str, the body of each slot
    points : (K, S, 3) m, each slot in its body's frame
    on : (K, S), False where the path is clear of the slot's surface; None: always on
    """

    name: str
    kind: str
    strength: float
    bodies: tuple[str, ...]
    points: Array
    on: BoolArray | None = None


@dataclass(frozen=True)
class AttachedMesh:
    """A mesh file that a model puts on a body: where, and how much larger.

    Attributes
    ----------
    file : str, without folders
    body : str
    rotation : (3, 3), position : (3,) m, of the mesh's frame in the body's
    scale : (3,)
    """

    file: str
    body: str
    rotation: Array
    position: Array
    scale: Array


def attached_rows(meshes: Sequence[AttachedMesh]) -> list[dict[str, object]]:
    """Attachments as they stand in `about.attached`."""
    rows: list[dict[str, object]] = []
    for mesh in meshes:
        row: dict[str, object] = {
            "file": mesh.file,
            "body": mesh.body,
            "scale": [round(float(v), 6) for v in mesh.scale],
        }
        if not (np.allclose(mesh.rotation, np.eye(3)) and np.allclose(mesh.position, 0)):
            row["rotation"] = mesh.rotation.ravel().tolist()
            row["position"] = mesh.position.tolist()
        rows.append(row)
    return rows
