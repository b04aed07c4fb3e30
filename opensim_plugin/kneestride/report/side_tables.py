"""The tables for both sides: stride, alignment, loads, tissues. Numbers as text, no drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..vocabulary import SIDES
from .reference import Reference
from .tissues import grade_of, peaks_over_stance, tissue_rows
from .words import MISSING, Quantity, Words

if TYPE_CHECKING:
    from ..results.folder import Results

Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """Median, interval and how it lies to the reference ('▲', '▼' or '')."""

    median: str
    interval: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """One quantity of both sides."""

    name: str
    tip: str
    unit: str
    cells: tuple[Cell, Cell]
    usual: str
    difference: str
    distinct: bool
    intervals: tuple[str, str]

    @property
    def sure(self) -> bool:
        """Whether the analysis gave an interval of the model for it."""
        return self.intervals != (MISSING, MISSING)


@dataclass(frozen=True)
class Table:
    """Lines under a title; `group` as in `models/report.toml`."""

    group: str
    title: str
    lines: tuple[Line, ...]


def speed_of(summary: Summary) -> float:
    """Median speed over the sides, m/s; NaN unknown."""
    found = [
        side["figures"]["speed_m_s"]["median"]
        for side in summary["sides"].values()
        if "speed_m_s" in side["figures"]
    ]
    return sum(found) / len(found) if found else math.nan


def table_of(group: str, summary: Summary, words: Words, reference: Reference | None) -> Table:
    """The table of one group of quantities; without lines where nothing was found."""
    lines = []
    for q in words.quantities(group):
        if any(q.column in side["figures"] for side in summary["sides"].values()):
            lines.append(_line(q, summary, words, reference))
    return Table(group, words(f"clinician.table_{group}"), tuple(lines))


def tissue_table(results: Results, words: Words) -> Table:
    """Largest load of each structure over stance; without lines where there is none."""
    lines = []
    for entry, shown, unit in tissue_rows(results, words):
        key, digits = entry["key"], entry["digits"]
        spans = [peaks_over_stance(results, key, unit, shown, s) for s in SIDES]
        cells = [
            Cell(MISSING) if v is None
            else Cell(words.number(v[1], digits), words.span(v[0], v[2], digits))
            for v in spans
        ]  # fmt: skip
        one, two = spans
        difference, distinct = MISSING, False
        if one is not None and two is not None:
            difference = words.number(one[1] - two[1], digits, sign=True)
            # Apart by less than the last digit that is printed is not apart.
            apart = one[0] > two[2] or two[0] > one[2]
            distinct = bool(apart and round(abs(one[1] - two[1]), digits) > 0)
        grade = grade_of(key)
        tip = words("clinician.tissue_tip", grade=grade)
        printed = {"percent": "%", "Nm": "N·m"}.get(shown, shown)
        name = f"{entry[words.language]} ({grade})"
        lines.append(Line(name, tip, printed, (cells[0], cells[1]), MISSING, difference,
                          distinct, (MISSING, MISSING)))  # fmt: skip
    return Table("tissues", words("clinician.table_tissues"), tuple(lines))


def _line(q: Quantity, summary: Summary, words: Words, reference: Reference | None) -> Line:
    spreads = [summary["sides"][s]["figures"].get(q.column) for s in SIDES]
    usual = usual_of(q, summary, reference)
    cells = []
    for spread in spreads:
        if spread is None:
            cells.append(Cell(MISSING))
            continue
        low, middle, high = (q.factor * spread[k] for k in ("low", "median", "high"))
        mark = ""
        if usual is not None:
            mark = "▲" if middle > usual[1] else "▼" if middle < usual[0] else ""
        text = words.span(low, high, q.digits) if spread["n"] > 1 else ""
        cells.append(Cell(words.number(middle, q.digits), text, mark))
    one, two = spreads
    difference, distinct = MISSING, False
    if one is not None and two is not None:
        change = q.factor * (one["median"] - two["median"])
        difference = words.number(change, q.digits, sign=True)
        apart = one["low"] > two["high"] or two["low"] > one["high"]
        distinct = apart and min(one["n"], two["n"]) > 1
    intervals = [MISSING, MISSING]
    for k, side in enumerate(SIDES):
        sure = summary.get("uncertainty", {}).get(side, {}).get(q.interval)
        if sure is not None:
            intervals[k] = words.span(sure["low_BW"], sure["high_BW"], q.digits)
    return Line(
        q.name,
        q.tip,
        q.unit,
        (cells[0], cells[1]),
        MISSING if usual is None else words.span(*usual, q.digits),
        difference,
        distinct,
        (intervals[0], intervals[1]),
    )


def usual_of(
    q: Quantity, summary: Summary, reference: Reference | None
) -> tuple[float, float] | None:
    """10th and 90th percentile of the runners in the printed unit, or None."""
    if reference is None or not q.reference:
        return None
    band = reference.figure(q.column + ("_per_kg" if q.per_kg else ""))
    if band is None:
        return None
    factor = q.factor * (summary["subject"]["mass_kg"] if q.per_kg else 1.0)
    return factor * float(band.low), factor * float(band.high)
