"""Where muscles and ligaments run, and which mesh files a model names: for pictures.

A path is a row of *slots*, each on one body. A path point has one slot. A surface that a
muscle wraps has `ARC` of them, on the body that carries it: from where the path first
touches, along the arc, to where it leaves. When the path is clear of the surface its slots
lie on the straight line there, as do those of a conditional point that is off. So every
frame has the same slots in the same order, and the row of straight lines through them
ends and bends where OpenSim's own path does.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..vocabulary import Array, BoolArray
from .drawn import AttachedMesh, Line
from .multibody import Multibody
from .osim import opensim

ARC = 5
"""Slots along a wrapped arc. A quarter turn about 40 mm is drawn 0.8 mm too flat."""


def attached_meshes(model: Any) -> tuple[AttachedMesh, ...]:
    """Mesh files of a model (opensim.Model, connected), in its order."""
    out = []
    for component in model.getComponentsList():
        mesh = opensim.Mesh.safeDownCast(component)
        if mesh is None:
            continue
        frame = mesh.getFrame()
        place = frame.findTransformInBaseFrame()
        turn = place.R().asMat33()
        scale = mesh.get_scale_factors()
        out.append(
            AttachedMesh(
                str(mesh.get_mesh_file()).replace("\\", "/").rsplit("/", 1)[-1],
                str(frame.findBaseFrame().getName()),
                np.array([[turn.get(i, j) for j in range(3)] for i in range(3)]),
                np.array([place.p().get(i) for i in range(3)]),
                np.array([scale.get(i) for i in range(3)]),
            )
        )
    return tuple(out)


def lines_of(model: Any, body: Multibody, q: Array) -> tuple[Line, ...]:
    """Muscle and ligament paths of a motion.

    Parameters
    ----------
    model : opensim.Model, connected
    body : Multibody of that model
    q : (K, N) rad, m, columns as `body.coordinates`

    Returns
    -------
    tuple of Line; those whose ends are not both on bodies are left out
    """
    state = model.initSystem()
    tracks = _tracks(model)
    coordinates = [model.getCoordinateSet().get(n) for n in body.full_coordinates]
    full = body.expand(q)
    rotation, position = body.poses(q)
    index = {name: i for i, name in enumerate(body.bodies)}
    seen: list[list[_Row]] = [[] for _ in tracks]
    for t in range(len(q)):
        for coordinate, value in zip(coordinates, full[t], strict=True):
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)
        for track, rows in zip(tracks, seen, strict=True):
            rows.append(rows[0] if rows and track.fixed else _row(track, state, index.keys()))
    out = []
    for track, rows in zip(tracks, seen, strict=True):
        keys = _keys(track, rows)
        if not {k.body for k in keys} <= set(index):
            continue
        at = [index[k.body] for k in keys]
        points = np.full((len(q), len(keys), 3), np.nan)
        on = np.ones(points.shape[:2], dtype=bool)
        column = {key: s for s, key in enumerate(keys)}
        for t, row in enumerate(rows[:1] if track.fixed else rows):
            for key, (_, place) in row.items():
                points[t, column[key]] = place
        if not track.fixed:
            on = np.isfinite(points[:, :, 0])
            _fill(points, on, rotation[:, at], position[:, at])
        if track.fixed:
            points[1:], on[1:] = points[0], on[0]
        bodies = tuple(k.body for k in keys)
        out.append(Line(track.name, track.kind, track.strength, bodies, points, on))
    return tuple(out)


class _Key(NamedTuple):
    """A slot: path segment; surface of a body met in it for the nth time; part of its arc.

    A path point itself, which begins the segment, has part -1.
    """

    segment: int
    body: str
    nth: int
    part: int


_Row = dict[_Key, tuple[int, Array]]
"""Slots on the path in one frame: how many surfaces come before, and where in the body."""


@dataclass(frozen=True)
class _Track:
    name: str
    kind: str
    strength: float
    path: Any
    points: dict[str, int]
    bodies: tuple[str, ...]
    fixed: bool
    still: _Row | None = None
    """Slots of the path points, when none of them moves or comes and goes."""


def _tracks(model: Any) -> list[_Track]:
    out = []
    for component in model.getComponentsList():
        muscle = opensim.Muscle.safeDownCast(component)
        kind, strength = "muscle", 0.0
        if muscle is not None:
            found = muscle.getPath()
            strength = float(muscle.getMaxIsometricForce())
        else:
            ligament = opensim.Blankevoort1991Ligament.safeDownCast(component)
            plain = opensim.Ligament.safeDownCast(component)
            if ligament is None and plain is None:
                continue
            kind, found = "ligament", (ligament or plain).getGeometryPath()
        path = opensim.GeometryPath.safeDownCast(found)
        if path is None:
            continue
        points = path.getPathPointSet()
        count = points.getSize()
        names = {str(points.get(i).getName()): i for i in range(count)}
        bodies = tuple(
            str(points.get(i).getParentFrame().findBaseFrame().getName()) for i in range(count)
        )
        kinds = {str(points.get(i).getConcreteClassName()) for i in range(count)}
        steady = kinds == {"PathPoint"}
        fixed = steady and path.getWrapSet().getSize() == 0
        name = str(component.getName())
        track = _Track(name, kind, strength, path, names, bodies, fixed)
        if steady:
            track = replace(track, still=_still(points, bodies))
        out.append(track)
    return out


def _still(points: Any, bodies: tuple[str, ...]) -> _Row:
    row: _Row = {}
    for i, body in enumerate(bodies):
        point = opensim.PathPoint.safeDownCast(points.get(i))
        place = _in_base(point.getParentFrame(), _vector(point.get_location()))
        row[_Key(i, body, 0, -1)] = -1, place
    return row


def _row(track: _Track, state: Any, bodies: Set[str]) -> _Row:
    current = track.path.getCurrentPath(state)
    count = current.getSize()
    row: _Row = dict(track.still) if track.still else {}
    if track.still and count == len(track.still):
        return row
    segment = -1
    met: list[str] = []
    touch: Array | None = None
    for i in range(count):
        point = current.get(i)
        wrap = opensim.PathWrapPoint.safeDownCast(point)
        if wrap is None and track.still:
            segment, met = segment + 1, []
            continue
        frame = point.getParentFrame()
        here = _vector(point.getLocation(state))
        on = str(frame.getName())
        if on not in bodies:
            on, here = str(frame.findBaseFrame().getName()), _in_base(frame, here)
        if wrap is None:
            segment, met = track.points[str(point.getName())], []
            row[_Key(segment, on, 0, -1)] = -1, here
        elif touch is None:
            touch = here
        else:
            for part, place in enumerate(_arc(touch, wrap.getWrapPath(state), here)):
                row[_Key(segment, on, met.count(on), part)] = len(met), place
            met.append(on)
            touch = None
    return row


def _arc(first: Array, arc: Any, last: Array) -> Array:
    """Return `ARC` points evenly along a wrapped arc, (ARC, 3)."""
    count = arc.getSize()
    if count < ARC:
        return first + np.linspace(0.0, 1.0, ARC)[:, None] * (last - first)
    # OpenSim's own points are even along the arc, about 2 mm apart.
    inner = [
        _vector(arc.get(round(part * (count - 1) / (ARC - 1)))) for part in range(1, ARC - 1)
    ]
    return np.array([first, *inner, last])


def _vector(v: Any) -> Array:
    place: Array = v.to_numpy()
    return place


def _in_base(frame: Any, point: Array) -> Array:
    moved = frame.findTransformInBaseFrame().shiftFrameStationToBase(
        opensim.Vec3(*map(float, point))
    )
    return _vector(moved)


def _keys(track: _Track, rows: list[_Row]) -> list[_Key]:
    """Every slot of a path, in order; path points that are never on it too."""
    place = {_Key(i, body, 0, -1): -1 for i, body in enumerate(track.bodies)}
    for row in rows:
        for key, (before, _) in row.items():
            place[key] = max(place.get(key, -1), before)
    # A surface left early in the motion counts from where it stands with all the others.
    return sorted(place, key=lambda k: (k.segment, place[k], k.body, k.nth, k.part))


def _fill(points: Array, on: BoolArray, rotation: Array, position: Array) -> None:
    """Put slots (K, S, 3) that are off the path on the straight line between others."""
    patterns, which = np.unique(on, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        here, there = np.flatnonzero(pattern), np.flatnonzero(~pattern)
        if not there.size:
            continue
        frames = np.flatnonzero(which == k)
        ground = position[frames][:, here] + np.einsum(
            "tsij,tsj->tsi", rotation[np.ix_(frames, here)], points[np.ix_(frames, here)]
        )
        # Each slot's place between the nearest slots on the path before and after it.
        place = np.interp(there, here, np.arange(len(here)))
        before = np.minimum(place.astype(int), len(here) - 2)
        share = (place - before)[:, None]
        line = (1.0 - share) * ground[:, before] + share * ground[:, before + 1]
        points[np.ix_(frames, there)] = np.einsum(
            "tsji,tsj->tsi",
            rotation[np.ix_(frames, there)],
            line - position[np.ix_(frames, there)],
        )
