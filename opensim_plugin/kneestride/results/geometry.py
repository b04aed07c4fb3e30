"""A person's own bone files in place of ours, in a scene that is already written.

`scene.npz` remembers which mesh file the model hangs on which body, where, and how much
larger (`about.attached`), so neither the model nor OpenSim is needed here. The new
bones take over the loads' colours from ours: a point takes the weights of the nearest point
of our bone or cartilage of the same body. Cartilage and menisci stay ours, because no
OpenSim geometry has any.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ResultsError
from ..model.drawn import AttachedMesh
from ..parsing import arrays_of, json_of, leaves
from ..paths_of_data import shipped_table
from ..vocabulary import SIDES, Array
from .geometry_files import ENDINGS, read_mesh
from .geometry_vtp import Triangles
from .scene import scene_bytes

Arrays = dict[str, NDArray[np.generic]]

MYO_SIM = "myo-sim"
"""Instead of a folder: the meshes of an installed `myo-sim` or `myosuite` package."""
KEPT = ("femoral_cartilage", "tibial_cartilage", "patellar_cartilage", "menisci")
REACH = 0.006
"""Distance over which a point takes our weights, fading from half of it on, m."""
FINE, FINE_TRIANGLES = 0.003, 60_000
"""Edges of a bone that carries loads, m, and where refining stops: on OpenSim's femur of
265 triangles a colour would run 20 mm beyond its place and look like a smaller load."""
_NAMED = 12
"""Missing files told by name."""
MAX_FILES, MAX_TRIANGLES = 20_000, 3_000_000
_PACKAGES = (
    ("myo_sim", ("models/meshes",)),
    ("myosuite", ("simhive/myo_sim/meshes", "simhive/myo_sim/models/meshes")),
)


@dataclass(frozen=True)
class _Body:
    vertices: list[Array]
    faces: NDArray[np.int64]


def default_attachments(scale: Mapping[str, Array]) -> tuple[AttachedMesh, ...]:
    """OpenSim's own mesh files for a model that names none, at a person's size.

    Parameters
    ----------
    scale : mapping of body to (3,) factors
    """
    return tuple(
        AttachedMesh(
            file,
            row["name"],
            np.eye(3),
            np.zeros(3),
            row["scale"] * np.asarray(scale.get(row["name"], np.ones(3)), dtype=float),
        )
        for row in shipped_table("geometry.toml")["body"]
        for file in row["files"]
    )


def geometry_folder(given: str | Path) -> Path:
    """Return the folder of mesh files that a person means.

    Raises
    ------
    ResultsError
        No such folder; or `myo-sim` is meant and not installed.
    """
    if str(given) != MYO_SIM:
        folder = Path(given)
        if not folder.is_dir():
            raise ResultsError(
                "a folder of mesh files",
                f"none at '{given}'",
                f"give the Geometry folder of your OpenSim, or {MYO_SIM}",
            )
        return folder
    for package, places in _PACKAGES:
        found = importlib.util.find_spec(package)
        for home in (found.submodule_search_locations or ()) if found else ():
            for place in places:
                if (Path(home) / place).is_dir():
                    return Path(home) / place
    raise ResultsError(
        "an installed myo-sim or myosuite package",
        "neither in this environment",
        "install one with: pip install --no-deps myo-sim",
    )


def with_geometry(scene: Path, geometry: str | Path) -> tuple[bytes, tuple[str, ...]]:
    """Return the content of a scene with a person's own bones, and notes for that person.

    Parameters
    ----------
    scene : a scene.npz
    geometry : folder of .vtp, .stl and .obj files, searched with its subfolders; or
        'myo-sim'

    Raises
    ------
    ResultsError
        No scene, no folder, none of the files there, or one that cannot be read.
    """
    folder = geometry_folder(geometry)
    arrays, about = _read(scene)
    try:
        return _exchanged(folder, arrays, about)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ResultsError(
            "a scene.npz of kneestride",
            f"'{scene.name}', whose description and arrays do not belong together",
            "analyse the recording again",
        ) from error


def _exchanged(
    folder: Path, arrays: Arrays, about: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    """`with_geometry` on what a scene holds."""
    attached = about.get("attached")
    if not isinstance(attached, list) or len(attached) != about["shapes"]:
        raise ResultsError(
            "a scene that names the model's mesh files",
            "one without them, from an earlier kneestride",
            "analyse the recording again",
        )
    library = _Library(folder)
    used = set(about["bodies"])
    rows = [[r for r in shape if r["body"] in used] for shape in attached]
    layout = [[(r["file"], r["body"]) for r in shape] for shape in rows]
    if any(other != layout[0] for other in layout):
        raise ResultsError(
            "runners whose models name the same mesh files",
            "models of different kinds in one scene",
            "show them one by one",
        )
    bodies = {
        body: found
        for body in dict.fromkeys(b for _, b in layout[0])
        if (found := _body([[r for r in s if r["body"] == body] for s in rows], library))
    }
    if not bodies:
        raise ResultsError(
            f"mesh files such as {', '.join(f for f, _ in layout[0][:4])}",
            f"none of the {len(layout[0])} that the model names in '{folder.name}'",
            "give the Geometry folder that belongs to your model",
            ENDINGS,
        )
    if sum(len(b.faces) for b in bodies.values()) > MAX_TRIANGLES:
        raise ResultsError(
            f"at most {MAX_TRIANGLES} triangles",
            f"{sum(len(b.faces) for b in bodies.values())} in '{folder.name}'",
            "make the meshes coarser",
        )
    _replace(arrays, about, bodies)
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    arrays["about"] = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    notes = [f"Bones from {folder}: {', '.join(bodies)}."]
    if library.missing:
        names = sorted(library.missing)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        notes.append(
            f"Not in the folder: {', '.join(names[:_NAMED])}{more}. Bodies that lack half of "
            "their files or more keep kneestride's own bones."
        )
    return scene_bytes(arrays), tuple(notes)


def write_own_scene(
    folder: Path, geometry: str | Path, out: Path
) -> tuple[Path, tuple[str, ...]]:
    """Write a scene with a person's own bones beside what will be made of it.

    Parameters
    ----------
    folder : results folder or scene.npz
    geometry : as for `with_geometry`
    out : picture, film or file; the scene gets its name and the ending .scene.npz, unless
        `out` itself ends in .npz

    Returns
    -------
    The scene written, and notes for the person. The add-on opens it like any other.
    """
    scene = folder / "scene.npz" if folder.is_dir() else folder
    data, notes = with_geometry(scene, geometry)
    target = out if out.suffix.lower() == ".npz" else out.with_suffix(".scene.npz")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)
    return target, notes


class _Library:
    """The mesh files below a folder, found by name whatever its case or ending."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Path] = {}
        self.missing: set[str] = set()
        self._read: dict[Path, Triangles] = {}
        for count, path in enumerate(sorted(folder.rglob("*"))):
            if count > MAX_FILES:
                raise ResultsError(
                    f"a folder of at most {MAX_FILES} files",
                    f"more in '{folder.name}'",
                    "give the Geometry folder itself",
                )
            # A link to elsewhere is none of the folder's files.
            if path.suffix.lower() in ENDINGS and path.is_file() and not leaves(folder, path):
                self.files.setdefault(path.name.lower(), path)
        stems = sorted(self.files, key=lambda n: ENDINGS.index(Path(n).suffix))
        for name in stems:
            self.files.setdefault(Path(name).stem, self.files[name])

    def mesh(self, file: str) -> Triangles | None:
        """Vertices and faces of a file that a model names, None when it is not there."""
        # Only the name counts: a model cannot make us read outside the folder.
        name = file.replace("\\", "/").rsplit("/", 1)[-1].lower()
        path = self.files.get(name) or self.files.get(Path(name).stem)
        parts = [
            self.files.get(n) for n in shipped_table("geometry.toml")["instead"].get(name, ())
        ]
        if path is None and parts and all(parts):
            return joined([self._one(p) for p in parts if p is not None])
        if path is None:
            self.missing.add(file)
            return None
        return self._one(path)

    def _one(self, path: Path) -> Triangles:
        if path not in self._read:
            self._read[path] = read_mesh(path)
        return self._read[path]


def joined(meshes: Sequence[Triangles]) -> Triangles:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(v) for v, _ in meshes[:-1])])
    faces = [f + start for (_, f), start in zip(meshes, starts, strict=True)]
    return np.concatenate([v for v, _ in meshes]), np.concatenate(faces)


def _read(scene: Path) -> tuple[Arrays, dict[str, Any]]:
    try:
        arrays = arrays_of(scene)
        about = json_of(arrays["about"].tobytes())
        if not isinstance(about, dict) or not {"shapes", "bodies", "meshes"} <= set(about):
            raise KeyError("about")
    except (OSError, KeyError, ValueError) as error:
        raise ResultsError(
            "a scene.npz of kneestride",
            f"'{scene.name}', which cannot be read as one",
            "analyse the recording again",
        ) from error
    return arrays, about


def _body(shapes: list[list[dict[str, object]]], library: _Library) -> _Body | None:
    """All files of one body in one mesh, (V, 3) for every size in the scene."""
    vertices: list[list[Array]] = [[] for _ in shapes]
    faces: list[NDArray[np.int64]] = []
    start, there = 0, 0
    for k, row in enumerate(shapes[0]):
        found = library.mesh(str(row["file"]))
        if found is None:
            continue
        points, triangles = found
        turned = False
        for shape, placed in zip(shapes, vertices, strict=True):
            scale = np.asarray(shape[k]["scale"], dtype=float)
            turn = np.asarray(shape[k].get("rotation", np.eye(3)), dtype=float).reshape(3, 3)
            at = np.asarray(shape[k].get("position", np.zeros(3)), dtype=float)
            placed.append(points * scale @ turn.T + at)
            # A mirrored mesh (negative factors) would be inside out.
            turned = bool(np.prod(scale) < 0)
        faces.append((triangles[:, ::-1] if turned else triangles) + start)
        start += len(points)
        there += 1
    if 2 * there <= len(shapes[0]):
        return None
    return _Body([np.concatenate(v) for v in vertices], np.concatenate(faces))


def _replace(arrays: Arrays, about: dict[str, Any], bodies: Mapping[str, _Body]) -> None:
    meshes = about["meshes"]
    assert isinstance(meshes, list)
    kept: list[dict[str, object]] = []
    done: set[str] = set()
    for entry in meshes:
        body, name = str(entry["body"]), str(entry["name"])
        if body not in bodies or name.removesuffix(f"_{entry['side']}") in KEPT:
            kept.append(entry)
        elif body not in done:
            done.add(body)
            own = [m for m in meshes if m["body"] == body]
            kept.append(_take_over(arrays, entry, own, bodies[body]))
    for body in bodies:
        if not any(m["body"] == body for m in meshes):
            entry = {"name": body, "body": body, "side": body[-1] if body[-2:-1] == "_" else ""}
            entry["side"] = entry["side"] if entry["side"] in SIDES else ""
            kept.append(_take_over(arrays, entry, [], bodies[body]))
    left = {str(m["name"]) for m in kept}
    for name in [n for n in arrays if n.startswith(("mesh.", "shape"))]:
        if name.split(".", 1)[1].rsplit(".", 1)[0] not in left:
            del arrays[name]
    about["meshes"] = kept


def _take_over(
    arrays: Arrays,
    entry: Mapping[str, object],
    own: Sequence[Mapping[str, object]],
    body: _Body,
) -> dict[str, object]:
    """Put a body's new mesh in the place of one of ours, with our weights."""
    name = str(entry["name"])
    if any(mesh["weights"] for mesh in own):
        body = refined(body)
    names: list[str] = []
    columns: list[NDArray[np.float64]] = []
    for mesh in own:
        told = mesh["weights"]
        if not isinstance(told, list) or not told:
            continue
        near, where = _nearest(arrays[f"shape0.{mesh['name']}.vertices"], body.vertices[0])
        fade = np.clip(2.0 - 2.0 * near / REACH, 0.0, 1.0)
        ours = np.asarray(arrays[f"mesh.{mesh['name']}.weights"], dtype=float)
        for column, weight in enumerate(told):
            values = ours[where, column] * fade
            if weight in names:
                at = names.index(weight)
                columns[at] = np.maximum(columns[at], values)
            else:
                names.append(str(weight))
                columns.append(values)
    large = len(body.vertices[0]) > np.iinfo(np.uint16).max
    arrays[f"mesh.{name}.faces"] = body.faces.astype(np.uint32 if large else np.uint16)
    arrays.pop(f"mesh.{name}.weights", None)
    if names:
        arrays[f"mesh.{name}.weights"] = np.rint(np.stack(columns, axis=1)).astype(np.uint8)
    for k, vertices in enumerate(body.vertices):
        arrays[f"shape{k}.{name}.vertices"] = vertices.astype(np.float32)
    return {
        "name": name,
        "body": entry["body"],
        "side": entry["side"],
        "schematic": False,
        "weights": names,
    }


def refined(body: _Body) -> _Body:
    """Split every triangle in four until the edges are `FINE`; the surface stays the same."""
    vertices, faces = list(body.vertices), body.faces
    while 4 * len(faces) <= FINE_TRIANGLES:
        edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        length = np.linalg.norm(np.diff(vertices[0][edges], axis=1), axis=2)
        if np.quantile(length, 0.9) <= FINE:
            break
        pairs, which = np.unique(edges, axis=0, return_inverse=True)
        ab, bc, ca = (which.reshape(-1, 3) + len(vertices[0])).T
        a, b, c = faces.T
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = np.concatenate([np.stack(p, axis=1) for p in parts])
        vertices = [np.concatenate([v, v[pairs].mean(axis=1)]) for v in vertices]
    return _Body(vertices, faces)


def _nearest(
    known: NDArray[np.generic], at: Array
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from scipy.spatial import cKDTree

    distance, index = cKDTree(np.asarray(known, dtype=float)).query(at)
    return np.asarray(distance, dtype=float), np.asarray(index, dtype=np.int64)
