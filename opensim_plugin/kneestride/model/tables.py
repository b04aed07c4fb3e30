"""The figures of the model, as read from the tables in ``models/``.

The tables hold what anatomy and measurement gave, one figure a cell, each with its
source. They describe the trunk and the right side only; a name with ``{s}`` stands for
both sides. `kneestride.model.mirroring` writes out the left side and
`kneestride.model.assembly` turns the result into an OpenSim model.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..paths_of_data import models_folder

FIGURES = models_folder()
"""The project's folder of figures."""
RUNNER_MODEL = FIGURES / "kneestride_runner.osim"
"""The model built from them by ``scripts/build_model.py``."""

Triple = tuple[float, float, float]
SLOTS = ("rotation1", "rotation2", "rotation3", "translation1", "translation2", "translation3")


@dataclass(frozen=True)
class BodyRow:
    """Mass kg, centre of mass m, inertia kg·m² (xx, yy, zz, xy, xz, yz) about it."""

    name: str
    mass: float
    com: Triple
    inertia: tuple[float, ...]


@dataclass(frozen=True)
class FrameRow:
    """A frame fixed to a body: translation m, body-fixed x-y-z rotation rad."""

    body: str
    translation: Triple
    orientation: Triple


@dataclass(frozen=True)
class CoordinateRow:
    """Range and default in rad or m."""

    name: str
    range: tuple[float, float]
    default: float
    clamped: bool
    locked: bool


@dataclass(frozen=True)
class AxisRow:
    """One of the six axes of a custom joint.

    `kind` is 'linear' (slope, intercept), 'polynomial' (highest power first),
    'constant' (value) or 'spline' (natural cubic through x and y).
    """

    axis: Triple
    coordinate: str | None
    kind: str
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class JointRow:
    """A joint of kind 'custom', 'pin' (about z) or 'universal' (about x, then y)."""

    name: str
    kind: str
    parent: FrameRow
    child: FrameRow
    coordinates: tuple[CoordinateRow, ...]
    axes: Mapping[str, AxisRow]


@dataclass(frozen=True)
class CouplerRow:
    """dependent = slope * independent + intercept."""

    name: str
    independent: str
    dependent: str
    linear: tuple[float, float]


@dataclass(frozen=True)
class WrapRow:
    """A cylinder that muscles wrap around; quadrant is OpenSim's word for the side."""

    name: str
    frame: FrameRow
    radius: float
    length: float
    quadrant: str


@dataclass(frozen=True)
class PathWrapRow:
    """Which cylinder a path meets, by which method, between which points (or all)."""

    wrap: str
    method: str
    points: tuple[int, int] | None


@dataclass(frozen=True)
class MuscleRow:
    """A Millard muscle: N, m, rad, strains; path points as (body, (x, y, z) m)."""

    name: str
    max_isometric_force: float
    optimal_fiber_length: float
    tendon_slack_length: float
    pennation: float
    passive_strains: tuple[float, float]
    points: tuple[tuple[str, Triple], ...]
    wraps: tuple[PathWrapRow, ...]


@dataclass(frozen=True)
class ModelTables:
    """Everything the model is made of, in the order of the tables."""

    bodies: tuple[BodyRow, ...]
    joints: tuple[JointRow, ...]
    couplers: tuple[CouplerRow, ...]
    wraps: tuple[WrapRow, ...]
    muscles: tuple[MuscleRow, ...]
    constants: Mapping[str, Mapping[str, float]]


def read_tables(folder: Path = FIGURES) -> ModelTables:
    """Read the tables of a folder as they are written: trunk and right side.

    Parameters
    ----------
    folder : Path with bodies.csv, joints.toml, muscles.csv, muscle_paths.csv,
        muscle_wraps.csv, wrap_cylinders.csv, muscle_constants.toml, sources.toml

    Raises
    ------
    ModelError
        When a table is missing, a cell is not a number, a name refers to nothing,
        or a figure names no known source.
    """
    sources = set(_toml(folder / "sources.toml"))
    joints, couplers = _joints(folder / "joints.toml", sources)
    tables = ModelTables(
        bodies=tuple(_body(row) for row in _csv(folder / "bodies.csv", sources)),
        joints=tuple(joints),
        couplers=tuple(couplers),
        wraps=tuple(_wrap(row) for row in _csv(folder / "wrap_cylinders.csv", sources)),
        muscles=tuple(_muscles(folder, sources)),
        constants=_constants(folder / "muscle_constants.toml", sources),
    )
    _check_names(tables)
    return tables


def _csv(path: Path, sources: set[str]) -> list[dict[str, str]]:
    if not path.is_file():
        raise _missing(path)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows, start=2):
        for column, cell in row.items():
            if column.startswith("source"):
                _check_source(cell, sources, f"{path.name} line {number}")
            elif column.endswith(("_m", "_kg", "_N", "_rad", "_kgm2", "_force")):
                _check_number(cell, f"{path.name} line {number}, column {column}")
    return rows


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise _missing(path)
    with path.open("rb") as stream:
        return tomllib.load(stream)


def _missing(path: Path) -> ModelError:
    return ModelError(
        expected=f"the table {path.name}",
        found=f"no such file in {path.parent}",
        todo="restore the models folder of the project",
    )


def _check_source(cell: str, sources: set[str], where: str) -> None:
    keys = [part.split()[-1] for part in cell.split(";")]
    for key in keys:
        if key not in sources:
            raise ModelError(
                expected=f"a known source in {where}",
                found=repr(cell),
                todo="add the source to models/sources.toml",
                available=sorted(sources),
            )


def _check_number(cell: str, where: str) -> None:
    try:
        finite = math.isfinite(float(cell))
    except ValueError:
        finite = False
    if not finite:
        raise ModelError(
            expected=f"a number in {where}", found=repr(cell), todo="correct the table"
        )


def _triple(row: Mapping[str, str], columns: str) -> Triple:
    x, y, z = (float(row[name]) for name in columns.split())
    return x, y, z


def _body(row: Mapping[str, str]) -> BodyRow:
    inertia = tuple(
        float(row[f"I{axes}_kgm2"]) for axes in ("xx", "yy", "zz", "xy", "xz", "yz")
    )
    com = _triple(row, "com_x_m com_y_m com_z_m")
    return BodyRow(row["body"], float(row["mass_kg"]), com, inertia)


def _wrap(row: Mapping[str, str]) -> WrapRow:
    frame = FrameRow(
        row["body"], _triple(row, "x_m y_m z_m"), _triple(row, "rot_x_rad rot_y_rad rot_z_rad")
    )
    return WrapRow(
        row["wrap"], frame, float(row["radius_m"]), float(row["length_m"]), row["quadrant"]
    )


def _muscles(folder: Path, sources: set[str]) -> list[MuscleRow]:
    points: dict[str, list[tuple[str, Triple]]] = {}
    for row in _csv(folder / "muscle_paths.csv", sources):
        location = (row["body"], _triple(row, "x_m y_m z_m"))
        points.setdefault(row["muscle"], []).append(location)
    wraps: dict[str, list[PathWrapRow]] = {}
    for row in _csv(folder / "muscle_wraps.csv", sources):
        first, last = row["first_point"], row["last_point"]
        between = (int(first), int(last)) if first else None
        wraps.setdefault(row["muscle"], []).append(
            PathWrapRow(row["wrap"], row["method"], between)
        )
    return [
        MuscleRow(
            name=row["muscle"],
            max_isometric_force=float(row["max_isometric_force_N"]),
            optimal_fiber_length=float(row["optimal_fiber_length_m"]),
            tendon_slack_length=float(row["tendon_slack_length_m"]),
            pennation=float(row["pennation_at_optimal_rad"]),
            passive_strains=(
                float(row["passive_strain_at_zero_force"]),
                float(row["passive_strain_at_one_norm_force"]),
            ),
            points=tuple(points.get(row["muscle"], ())),
            wraps=tuple(wraps.get(row["muscle"], ())),
        )
        for row in _csv(folder / "muscles.csv", sources)
    ]


def _joints(path: Path, sources: set[str]) -> tuple[list[JointRow], list[CouplerRow]]:
    content = _toml(path)
    for entry in content["joint"] + content["coupler"]:
        _check_source(entry["source"], sources, f"{path.name}, {entry['name']}")
    joints = [
        JointRow(
            name=entry["name"],
            kind=entry["kind"],
            parent=_frame(entry, "parent"),
            child=_frame(entry, "child"),
            coordinates=tuple(_coordinate(item) for item in entry["coordinates"]),
            axes={slot: _axis(entry[slot]) for slot in SLOTS if slot in entry},
        )
        for entry in content["joint"]
    ]
    couplers = [
        CouplerRow(
            c["name"], c["independent"], c["dependent"], (c["linear"][0], c["linear"][1])
        )
        for c in content["coupler"]
    ]
    return joints, couplers


def _frame(entry: Mapping[str, Any], end: str) -> FrameRow:
    zero = [0.0, 0.0, 0.0]
    translation = entry.get(f"{end}_translation", zero)
    orientation = entry.get(f"{end}_orientation", zero)
    return FrameRow(entry[end], _floats(translation), _floats(orientation))


def _floats(values: list[float]) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _coordinate(item: Mapping[str, Any]) -> CoordinateRow:
    low, high = item["range"]
    return CoordinateRow(
        name=item["name"],
        range=(float(low), float(high)),
        default=float(item.get("default", 0.0)),
        clamped=item.get("clamped", True),
        locked=item.get("locked", False),
    )


def _axis(item: Mapping[str, Any]) -> AxisRow:
    kind = "linear"
    values: tuple[tuple[float, ...], ...] = ((1.0, 0.0),)
    if "polynomial" in item:
        kind, values = "polynomial", (tuple(map(float, item["polynomial"])),)
    elif "constant" in item:
        kind, values = "constant", ((float(item["constant"]),),)
    elif "spline" in item:
        kind, values = "spline", tuple(tuple(map(float, part)) for part in item["spline"])
    return AxisRow(_floats(item["axis"]), item.get("coordinate"), kind, values)


def _constants(path: Path, sources: set[str]) -> dict[str, dict[str, float]]:
    content = _toml(path)
    for group, entries in content.items():
        _check_source(entries["source"], sources, f"{path.name}, {group}")
    return {
        group: {name: float(value) for name, value in entries.items() if name != "source"}
        for group, entries in content.items()
    }


def _check_names(tables: ModelTables) -> None:
    bodies = {body.name for body in tables.bodies} | {"ground"}
    wraps = {wrap.name for wrap in tables.wraps}
    coordinates = {c.name for joint in tables.joints for c in joint.coordinates}
    for joint in tables.joints:
        for frame in (joint.parent, joint.child):
            _check_known(frame.body, bodies, f"a body of joint {joint.name}")
        for axis in joint.axes.values():
            if axis.coordinate is not None:
                _check_known(axis.coordinate, coordinates, f"a coordinate of {joint.name}")
    for coupler in tables.couplers:
        for name in (coupler.independent, coupler.dependent):
            _check_known(name, coordinates, f"a coordinate of {coupler.name}")
    for wrap in tables.wraps:
        _check_known(wrap.frame.body, bodies, f"the body of {wrap.name}")
    for muscle in tables.muscles:
        if len(muscle.points) < 2:
            raise ModelError(
                expected=f"two or more path points of {muscle.name}",
                found=str(len(muscle.points)),
                todo="complete models/muscle_paths.csv",
            )
        for body, _ in muscle.points:
            _check_known(body, bodies, f"a body on the path of {muscle.name}")
        for meeting in muscle.wraps:
            _check_known(meeting.wrap, wraps, f"a wrap of {muscle.name}")


def _check_known(name: str, known: set[str], what: str) -> None:
    if name not in known:
        raise ModelError(
            expected=f"{what} that the tables define",
            found=repr(name),
            todo="correct the name in the tables under models/",
            available=sorted(known),
        )
