"""Ground forces from an OpenSim table, whatever its columns are called.

Laboratories name the nine columns of a plate or foot in many ways:
`R_ground_force_vx`, `1_ground_force_vx`, `ground_force_1_vx`, `ground_force_r_vx`, with
torques as `…_torque_x`, `…_force_mx` or `…_moment_x`. A name is therefore split at its
underscores: the last part tells the quantity and the axis, the words `ground`, `force`,
`torque` and `moment` carry no more, and what is left is the plate's or foot's label.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array, Side
from .clock import uniform_clock
from .sto import Table, read_table
from .trial import Forces

_QUANTITY = {"v": "force", "f": "force", "p": "point", "m": "torque", "t": "torque"}
_WORDS = {"ground", "force", "torque", "moment", "grf", "grm", "cop"}
_FEET: dict[str, Side] = {"r": "r", "right": "r", "l": "l", "left": "l"}
_EXAMPLE = "ground_force_r_vx, ground_force_r_px, ground_torque_r_x"


def read_forces(path: Path | str) -> Forces:
    """Read ground forces from a .mot or .sto file.

    Parameters
    ----------
    path : path
        Forces in N on the person, points in m, torques in N·m.

    Returns
    -------
    Forces
        In the file's own axes. The point is NaN where the force is exactly zero
        (files hold the last point or the origin there). A foot is a hypothesis
        taken from a label such as R or left.

    Raises
    ------
    CaptureError
        No force columns, an incomplete plate, a clock that is none.
    """
    return read_forces_with_notes(path)[0]


def read_forces_with_notes(path: Path | str) -> tuple[Forces, tuple[str, ...]]:
    """`read_forces`, with what reading found."""
    table = read_table(path)
    what = Path(path).name
    columns = _columns(table)
    if not columns:
        raise CaptureError(
            f"ground-force columns in '{what}', such as {_EXAMPLE}",
            f"none among {len(table.names)} columns",
            "name the file that holds the ground forces",
            table.names[:12],
        )
    notes = list(table.notes)
    clock = uniform_clock(table.time, None, what)
    notes += clock.notes
    shape = (len(clock.time), len(columns), 3)
    force, point, torque = (
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
    )
    for k, (label, parts) in enumerate(columns.items()):
        force[clock.row, k] = _triple(table, parts, "force", label, what)
        point[clock.row, k] = _triple(table, parts, "point", label, what)
        if any(q == "torque" for q, _ in parts):
            torque[clock.row, k] = _triple(table, parts, "torque", label, what)
        else:
            torque[clock.row, k] = 0.0
            notes.append(f"Plate '{label}' of '{what}' has no torque columns: taken as zero.")
    if not np.isfinite(force).all(axis=2).any():
        raise CaptureError(
            f"ground forces in '{what}'", "no finite value", "export the forces again"
        )
    point[(force == 0).all(axis=2)] = np.nan
    feet = tuple(_foot(label) for label in columns)
    names = tuple(columns)
    return Forces(names, clock.time, clock.rate, force, point, torque, feet=feet), tuple(notes)


def _columns(table: Table) -> dict[str, dict[tuple[str, str], int]]:
    """Column number by label and (quantity, axis)."""
    plates: dict[str, dict[tuple[str, str], int]] = {}
    for number, name in enumerate(table.names):
        parsed = parse_column(name)
        if parsed is not None:
            label, quantity, axis = parsed
            plates.setdefault(label, {}).setdefault((quantity, axis), number)
    return {k: v for k, v in plates.items() if any(q == "force" for q, _ in v)}


def parse_column(name: str) -> tuple[str, str, str] | None:
    """Label, quantity ('force', 'point', 'torque') and axis of a column, None if other.

    Examples
    --------
    >>> parse_column("R_ground_force_vx")
    ('R', 'force', 'x')
    >>> parse_column("ground_force_1_mz")
    ('1', 'torque', 'z')
    """
    parts = name.strip().split("_")
    words = [p.lower() for p in parts[:-1]]
    last = parts[-1].lower()
    if not _WORDS & set(words) or not last or last[-1] not in "xyz" or len(last) > 2:
        return None
    axis = last[-1]
    if len(last) == 2:
        quantity = _QUANTITY.get(last[0])
        if quantity is None:
            return None
    elif {"torque", "moment", "grm"} & set(words):
        quantity = "torque"
    elif "cop" in words:
        quantity = "point"
    elif {"force", "grf"} & set(words):
        quantity = "force"
    else:
        return None
    label = "_".join(p for p in parts[:-1] if p.lower() not in _WORDS)
    return label or "1", quantity, axis


def _triple(
    table: Table, parts: dict[tuple[str, str], int], quantity: str, label: str, what: str
) -> Array:
    """The x, y, z columns of a quantity, (T, 3)."""
    missing = [a for a in "xyz" if (quantity, a) not in parts]
    if missing:
        raise CaptureError(
            f"x, y and z of the {quantity} of plate '{label}' in '{what}'",
            f"no column for {', '.join(missing)}",
            "export the forces again with force, point and torque columns"
            f" (for example {_EXAMPLE})",
            [n for n in table.names if (parse_column(n) or ("",))[0] == label],
        )
    triple: Array = table.values[:, [parts[quantity, a] for a in "xyz"]]
    return triple


def _foot(label: str) -> Side | None:
    """The foot a label names, None when it names none."""
    for word in label.lower().replace(".", "_").split("_"):
        if word in _FEET:
            return _FEET[word]
    return None
