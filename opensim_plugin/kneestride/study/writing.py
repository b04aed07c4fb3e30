"""The tables of a study as files, put in place in one step."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..results.replace import MARK, replace_folder
from ..results.schemas import stamped
from .tables import TEXTS, Cell, Row

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "failures": ("id", "subject", "condition", "trial", "stage", "reason", "detail"),
    "effects": ("metric", "side", "contrast", "group", "condition", "first", "second"),
    "mixed_models": ("metric", "term", "estimate", "se", "low", "high", "p"),
}
"""Columns of tables that may be empty."""


def has_parquet() -> bool:
    """Whether Parquet can be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def write_tables(
    target: Path, tables: Mapping[str, Sequence[Row]], provenance: Mapping[str, Any]
) -> Path:
    """Write `<name>.csv`, `<name>.parquet` where pyarrow is, and the provenance.

    Parameters
    ----------
    target : Path of the folder, replaced in one step
    tables : mapping of name to rows
    provenance : mapping for `summary.json`

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`.
    """
    texts = {f"{name}.csv": csv_text(rows, name) for name, rows in tables.items()}
    told = stamped("study", provenance)
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def fill(folder: Path) -> None:
        for name, content in texts.items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
        if has_parquet():
            for name, rows in tables.items():
                write_parquet(folder / f"{name}.parquet", rows, name)
        (folder / MARK).write_text(text, encoding="utf-8", newline="\n")

    return replace_folder(target, fill, overwrite=True)


def columns_of(rows: Sequence[Row], name: str = "") -> list[str]:
    """Return the columns in order of appearance."""
    return list(dict.fromkeys([*COLUMNS.get(name, ()), *(c for r in rows for c in r)]))


def csv_text(rows: Sequence[Row], name: str = "") -> str:
    """Return rows as CSV; what is missing is empty."""
    columns = columns_of(rows, name)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_text(row.get(c)) for c in columns])
    return out.getvalue()


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{float(value) + 0.0:.9g}"


def write_parquet(path: Path, rows: Sequence[Row], name: str = "") -> None:
    """Write rows as Parquet: text columns as strings, all others as doubles."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for column in columns_of(rows, name):
        values = [row.get(column) for row in rows]
        words = column in TEXTS or any(isinstance(v, str) for v in values)
        if words:
            arrays[column] = pa.array(
                [None if v is None else _text(v) for v in values], pa.string()
            )
        else:
            told = [None if v is None or math.isnan(float(v)) else float(v) for v in values]
            arrays[column] = pa.array(told, pa.float64())
    pq.write_table(pa.table(arrays), path)
