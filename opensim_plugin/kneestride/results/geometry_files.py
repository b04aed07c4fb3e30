"""Read a mesh file: `.vtp`, `.stl` (text and binary) or `.obj`. numpy only.

Points that several triangles share come back once, so that surfaces shade smoothly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ResultsError
from .geometry_vtp import MAX_BYTES, Triangles, fans, read_vtp

ENDINGS = (".vtp", ".stl", ".obj")
_STL_HEAD = 84


def read_mesh(path: Path) -> Triangles:
    """Vertices (V, 3) and faces (F, 3) of a mesh file; empty triangles are left out.

    Raises
    ------
    ResultsError
        Unknown ending, unreadable, cut short, or nothing in it.
    """
    readers = {".vtp": read_vtp, ".stl": read_stl, ".obj": read_obj}
    ending = path.suffix.lower()
    if ending not in readers:
        raise ResultsError("a mesh file", f"'{path.name}'", "convert it", ENDINGS)
    vertices, faces = readers[ending](path)
    return _joined(vertices, faces)


def read_stl(path: Path) -> Triangles:
    """Triangles of an STL file, three vertices each.

    Raises
    ------
    ResultsError
        Neither kind of STL, or cut short.
    """
    data = _bytes(path)
    if len(data) >= _STL_HEAD:
        count = int(np.frombuffer(data[80:84], "<u4")[0])
        if len(data) == _STL_HEAD + 50 * count:
            return _binary_stl(path, data, count)
    if not data.lstrip()[:5].lower() == b"solid":
        raise _wrong(path, "neither text nor the length its header tells (cut short?)")
    words = data.split()
    marks = [i for i, w in enumerate(words) if w == b"vertex"]
    if not data.rstrip().lower().split(b"\n")[-1].strip().startswith(b"endsolid"):
        raise _wrong(path, "a text without its last line (cut short?)")
    try:
        points = np.array([words[i + 1 : i + 4] for i in marks], dtype=float)
    except ValueError as error:
        raise _wrong(path, "words where numbers should be") from error
    if not len(points) or len(points) % 3:
        raise _wrong(path, f"{len(points)} corners")
    return _checked(path, points, np.arange(len(points)).reshape(-1, 3))


def _binary_stl(path: Path, data: bytes, count: int) -> Triangles:
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    points = np.frombuffer(data, record, count, _STL_HEAD)["corners"].reshape(-1, 3)
    return _checked(path, points.astype(float), np.arange(3 * count).reshape(-1, 3))


def read_obj(path: Path) -> Triangles:
    """Triangles of a Wavefront OBJ file; polygons become fans.

    Raises
    ------
    ResultsError
        A line that is none of OBJ's, or a corner that names no point.
    """
    points: list[list[float]] = []
    corners: list[int] = []
    ends: list[int] = []
    text = _bytes(path).decode("utf-8", errors="replace").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        try:
            if words[:1] == ["v"]:
                points.append([float(w) for w in words[1:4]])
                if len(points[-1]) != 3:
                    raise ValueError(line)
            elif words[:1] == ["f"]:
                for word in words[1:]:
                    index = int(word.split("/", 1)[0])
                    # 1 is the first point, -1 the last one so far.
                    corners.append(index - 1 if index > 0 else len(points) + index)
                    if index == 0 or not 0 <= corners[-1] < 2**31:
                        raise ValueError(line)
                ends.append(len(corners))
        except ValueError as error:
            raise _wrong(path, f"'{line.strip()[:40]}' in line {number}") from error
    if not points or not ends:
        raise _wrong(path, "no polygons")
    faces = fans(np.array(corners, dtype=np.int64), np.array(ends, dtype=np.int64))
    return _checked(path, np.array(points), faces)


def _checked(path: Path, points: NDArray[np.float64], faces: NDArray[np.int64]) -> Triangles:
    if not np.isfinite(points).all():
        raise _wrong(path, "points that are not numbers")
    if not len(faces):
        raise _wrong(path, "no triangles")
    if faces.max() >= len(points):
        raise _wrong(path, "triangles of points that it does not have")
    return points, faces


def _joined(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> Triangles:
    """Make equal points one and drop triangles without an area."""
    points, where = np.unique(vertices, axis=0, return_inverse=True)
    found = where.reshape(-1)[faces]
    a, b, c = found.T
    found = found[(a != b) & (b != c) & (c != a)]
    used, compact = np.unique(found, return_inverse=True)
    return points[used], compact.reshape(-1, 3).astype(np.int64)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _wrong(path, f"more than {MAX_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise _wrong(path, str(error)) from error


def _wrong(path: Path, found: str) -> ResultsError:
    return ResultsError(f"triangles in '{path.name}'", found, "write the mesh again")
