"""A simulation's or a comparison's differences as one table of the report.

Both kinds of folder hold `comparison.csv` (`results.comparison_tables`): every quantity of
every pair with the change and its 95 % interval. A few of them are what a clinician asks
for first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..vocabulary import GRAVITY, SIDES
from .words import MISSING

if TYPE_CHECKING:
    from .words import Words

SHOWN = (
    ("projection_angle_mid_deg", "value", "projection_angle_mid_deg"),
    ("step_width_mm", "value", "step_width_mm"),
    ("medial_N", "peak", "medial_peak_BW"),
    ("lateral_N", "peak", "lateral_peak_BW"),
    ("total_N", "peak", "total_peak_BW"),
    ("adduction_moment_Nm", "peak", "adduction_moment_peak_Nm"),
)
"""Quantity and measure of comparison.csv, and the report's quantity that names them."""
MOST = 4
"""Columns that fit on a page; more conditions are left to comparison.csv."""


@dataclass(frozen=True)
class ChangeCell:
    """Change with its interval; distinct: the interval leaves out zero."""

    change: str
    interval: str
    distinct: bool


@dataclass(frozen=True)
class ChangeLine:
    """One quantity of one leg, a cell a condition."""

    name: str
    unit: str
    side: str
    cells: tuple[ChangeCell, ...]


@dataclass(frozen=True)
class Changes:
    """A table of changes against the first condition."""

    title: str
    note: str
    columns: tuple[str, ...]
    lines: tuple[ChangeLine, ...]
    simulated: bool


def changes_of(
    table: str, mass: float, words: Words, names: Mapping[str, str] | None = None
) -> Changes | None:
    """Read `comparison.csv`.

    Parameters
    ----------
    table : str, the file's text
    mass : float, kg, to tell forces in body weights
    words : Words
    names : mapping of condition to what is printed instead, optional

    Returns
    -------
    Changes, or None where no condition is compared with another one.
    """
    rows = [
        r for r in csv.DictReader(io.StringIO(table)) if r["first_side"] == r["second_side"]
    ]
    if not rows:
        return None
    first = rows[0]["first"]
    seconds = list(dict.fromkeys(r["second"] for r in rows if r["first"] == first))[:MOST]
    by_key = {(r["second"], r["second_side"], r["quantity"], r["measure"]): r for r in rows}
    quantities = {q.column: q for g in ("strides", "alignment", "loads")
                  for q in words.quantities(g)}  # fmt: skip
    lines = []
    for quantity, measure, column in SHOWN:
        q = quantities[column]
        factor = 1.0 / (mass * GRAVITY) if quantity.endswith("_N") else 1.0
        for side in SIDES:
            found = [by_key.get((second, side, quantity, measure)) for second in seconds]
            if any(found):
                # A change of a load is known better than its level: one digit more.
                digits = q.digits + (1 if q.unit == "BW" else 0)
                cells = tuple(_cell(r, factor, digits, words) for r in found)
                side_name = words("right" if side == "r" else "left")
                lines.append(ChangeLine(q.name, q.unit, side_name, cells))
    simulated = any(r["simulated"] == "true" for r in rows)
    told = {n: (names or {}).get(n) or words.either(f"clinician.variant_{n}", n)
            for n in (first, *seconds)}  # fmt: skip
    note = words("clinician.changes_note", first=told[first])
    if simulated:
        note += " " + words("clinician.changes_model")
    title = words("clinician.changes_simulated" if simulated else "clinician.changes")
    return Changes(title, note, tuple(told[s] for s in seconds), tuple(lines), simulated)


def _cell(
    row: Mapping[str, str] | None, factor: float, digits: int, words: Words
) -> ChangeCell:
    if row is None:
        return ChangeCell(MISSING, "", False)
    change, low, high = (
        factor * float(row[k]) for k in ("change", "change_low", "change_high")
    )
    told = words.number(change, digits, sign=True)
    # What rounds to nothing is no finding, however sure it is.
    nothing = round(change, digits) == 0.0
    return ChangeCell(
        told, words.span(low, high, digits), row["distinct"] == "true" and not nothing
    )
