"""Read a results folder back into `Results`."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..capture.trial import Subject
from ..errors import ResultsError
from ..loads.types import Check, GroundReaction, KneeLoads, MuscleForces
from ..model.model_text import without_folders
from ..motion.kinematics import Motion
from ..parsing import json_of, leaves
from ..vocabulary import SIDES, Array
from .folder import (
    KNEE_COLUMNS,
    Results,
    StrideRow,
    generalized_force_name,
    is_translation,
)
from .replace import MARK
from .summary import SCHEMA_VERSION, Summary
from .tables import Table, read_table

_RESERVE = "reserve_"


def read_folder(folder: Path) -> Results:
    """Read a results folder; see `results.folder.read_results`."""
    summary = _summary(folder)
    motion, coupled = _motion(folder, summary)
    known = set(Summary.model_fields)
    inverse_dynamics = _table(folder, "id.sto")
    if inverse_dynamics is not None:
        coordinates = motion.coordinates + (coupled.names if coupled is not None else ())
        inverse_dynamics = _coordinates_of(inverse_dynamics, coordinates)
    return Results(
        trial=summary["trial"],
        subject=Subject(
            mass=summary["subject"]["mass_kg"],
            height=summary["subject"]["height_m"],
            sex=summary["subject"]["sex"],
        ),
        motion=motion,
        model_xml=_model(folder / "model.osim", summary["model"]["sha256"]),
        coupled=coupled,
        inverse_dynamics=inverse_dynamics,
        ground=_ground(folder, summary),
        muscles=_muscles(folder, float(summary["settings"].get("activation_max", 1.0))),
        knee=_knee(folder),
        tissues=_table(folder, "tissues.sto"),
        strides=_strides(folder / "strides.csv"),
        settings=summary["settings"],
        sources=summary["inputs"],
        timing={k: v for k, v in summary["timing"].items() if k != "frames"},
        checks=tuple(_check(item) for item in summary["checks"]),
        warnings=tuple(summary["warnings"]),
        log=(),
        summary={name: value for name, value in summary.items() if name not in known},
        simulated=summary["simulated"],
    )


def _text(path: Path) -> str:
    _inside(path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(
            expected=f"a results folder with {path.name}",
            found=f"{path.parent.name!r} without a readable one",
            todo="give the folder that kneestride analyse wrote, or analyse the trial again",
        ) from error


def _inside(path: Path) -> None:
    """Refuse a link that leads out of the results folder: it may show anybody's data."""
    if leaves(path.parent, path):
        raise ResultsError(
            expected=f"a results folder with a {path.name} of its own",
            found="a link that leads out of the folder",
            todo="copy the whole folder, or analyse the trial again",
        )


def _model(path: Path, digest: str) -> str:
    """The model, its meshes without folders; looked at first when it is not as written."""
    text = _text(path)
    if not text.strip():
        return text  # results without a model can be compared all the same
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        from ..model.strangers import check_model_text

        check_model_text(text, path.name)
    return without_folders(text.encode(), path.name).decode()


def _summary(folder: Path) -> dict[str, Any]:
    try:
        summary = json_of(_text(folder / MARK))
        version = summary["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            expected=f"a {MARK} written by kneestride",
            found="another or a damaged file",
            todo="analyse the trial again",
        ) from error
    if summary.get("kind") == "one camera":
        raise ResultsError(
            expected="results with a model",
            found=f"{folder.name!r}, which one camera gave: angles in the picture only",
            todo="read its strides.csv, or film with two cameras and triangulate",
        )
    if version != SCHEMA_VERSION:
        raise ResultsError(
            expected=f"results of schema version {SCHEMA_VERSION}",
            found=f"version {version}",
            todo="analyse the trial again with this version of kneestride",
        )
    try:
        Summary.model_validate(summary)
    except ValueError as error:
        first = str(error).splitlines()
        raise ResultsError(
            expected=f"a {MARK} that keeps to its schema",
            found="; ".join(line.strip() for line in first[1:3]),
            todo="analyse the trial again",
        ) from error
    return dict(summary)


def _table(folder: Path, name: str) -> Table | None:
    if not (folder / name).exists():
        return None
    _inside(folder / name)
    return read_table(folder / name)


def _motion(folder: Path, summary: dict[str, Any]) -> tuple[Motion, Table | None]:
    _inside(folder / "ik.mot")
    table = read_table(folder / "ik.mot")
    coupled_names = set(summary["coupled_coordinates"])
    scale = np.array(
        [
            1.0
            if is_translation(n) or n in coupled_names or not table.in_degrees
            else np.pi / 180
            for n in table.names
        ]
    )
    values = table.values * scale
    own = [i for i, name in enumerate(table.names) if name not in coupled_names]
    other = [i for i, name in enumerate(table.names) if name in coupled_names]
    names = tuple(table.names[i] for i in own)
    uninformed = set(summary["uninformed_coordinates"])
    motion = Motion(
        time=table.time,
        rate=summary["recording"]["rate_hz"],
        coordinates=names,
        q=values[:, own],
        informed=np.array([name not in uninformed for name in names], dtype=np.bool_),
    )
    if not other:
        return motion, None
    return motion, Table(tuple(table.names[i] for i in other), table.time, values[:, other])


def _coordinates_of(table: Table, coordinates: Iterable[str]) -> Table:
    """Give the columns of `id.sto` the names of their coordinates again."""
    by_column = {generalized_force_name(name): name for name in coordinates}
    names = tuple(by_column.get(name, name) for name in table.names)
    return Table(names, table.time, table.values)


def _ground(folder: Path, summary: dict[str, Any]) -> GroundReaction | None:
    table = _table(folder, "ground_forces.mot")
    if table is None:
        return None

    def vectors(kind: str, axes: str) -> Array:
        sides = [
            np.column_stack([table.column(f"ground_{kind}_{side}_{a}") for a in axes.split()])
            for side in SIDES
        ]
        return np.stack(sides, axis=1)

    force = vectors("force", "vx vy vz")
    masked = np.isnan(force).any(axis=2)
    return GroundReaction(
        time=table.time,
        force=force,
        point=vectors("force", "px py pz"),
        torque=vectors("torque", "x y z"),
        contact=masked | np.any(np.nan_to_num(force) != 0.0, axis=2),
        masked=masked,
        predicted=summary["forces"] == "predicted",
    )


def _muscles(folder: Path, activation_max: float) -> MuscleForces | None:
    table = _table(folder, "muscle_forces.sto")
    activations = _table(folder, "muscle_activations.sto")
    if table is None or activations is None:
        return None
    muscles = [i for i, name in enumerate(table.names) if not name.startswith(_RESERVE)]
    reserves = [i for i, name in enumerate(table.names) if name.startswith(_RESERVE)]
    frames = len(table.time)
    return MuscleForces(
        time=table.time,
        muscles=tuple(table.names[i] for i in muscles),
        activation=activations.values,
        force=table.values[:, muscles],
        reserves=tuple(table.names[i].removeprefix(_RESERVE) for i in reserves),
        reserve_moment=table.values[:, reserves],
        # The file has nine digits: full activation is full to that.
        saturated=np.asarray(activations.values >= activation_max - 1e-8),
        equality_residual=np.full(frames, np.nan),
        fallback=np.zeros(frames, dtype=np.bool_),
    )


def _knee(folder: Path) -> KneeLoads | None:
    table = _table(folder, "knee_loads.sto")
    if table is None:
        return None
    return KneeLoads(
        time=table.time,
        **{
            attribute: np.column_stack([table.column(f"knee_{s}_{name}") for s in SIDES])
            for attribute, name in KNEE_COLUMNS
        },
    )


def _strides(path: Path) -> tuple[StrideRow, ...]:
    rows = list(csv.DictReader(_text(path).splitlines()))
    if any(None in row for row in rows):
        raise ResultsError(
            f"rows as long as the header in {path.name}",
            "a longer one",
            "analyse the trial again",
        )
    return tuple({name: _value(cell) for name, cell in row.items()} for row in rows)


def _value(cell: str | None) -> str | float | int | bool | None:
    if cell is None or cell == "":
        return None
    if cell in ("true", "false"):
        return cell == "true"
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _check(item: dict[str, Any]) -> Check:
    def number(value: float | None) -> float:
        return math.nan if value is None else value

    return Check(
        name=item["name"],
        verdict=item["verdict"],
        value=number(item["value"]),
        limit=number(item["limit"]),
        sentence=item["sentence"],
        detail={name: number(value) for name, value in item["detail"].items()},
    )
