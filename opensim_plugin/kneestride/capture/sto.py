"""OpenSim tables (.mot, .sto), read in the old and the new header form, and written.

Both forms end their header with `endheader`. The newer one holds `key=value` lines
(`nRows`, `nColumns`, `inDegrees`), the older one `key value` (`datarows`, `range`).
Real files carry stale counts (a trimmed trial keeps the old `datarows`), so a count
that disagrees with the table is reported, and only a torn last line is an error.

Source of the layout: OpenSim documentation, "Storage (.sto) and Motion (.mot) Files".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .files import checked_path, read_text, require_kind, split_lines


@dataclass(frozen=True)
class Table:
    """A table over time.

    Attributes
    ----------
    names : tuple of str, length K
        Columns without `time`.
    time : (T,) s, as written
    values : (T, K) in the file's units
    in_degrees : bool
        The header's `inDegrees`; False when it is silent.
    header : mapping of lower-case key to value, as written
    notes : tuple of str
    """

    names: tuple[str, ...]
    time: Array
    values: Array
    in_degrees: bool = False
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> Array:
        """Values of one column, (T,).

        Raises
        ------
        CaptureError
            No such column; lists those there are.
        """
        if name not in self.names:
            raise CaptureError(
                f"a column '{name}'", "no such column", "use one of the columns", self.names
            )
        column: Array = self.values[:, self.names.index(name)]
        return column


def read_table(path: Path | str) -> Table:
    """Read an OpenSim .mot or .sto file.

    Raises
    ------
    CaptureError
        Not an OpenSim table, truncated, unreadable cell, no row.
    """
    path = checked_path(path)
    require_kind(path, "sto")
    text = read_text(path)
    lines = split_lines(text)
    end = next(i for i, line in enumerate(lines) if line.strip().lower() == "endheader")
    header = _header(lines[:end])
    at = next((i for i in range(end + 1, len(lines)) if lines[i].strip()), None)
    if at is None:
        raise _truncated(path.name, "a header and nothing after it")
    names = _cells(lines[at])
    if not names or names[0].lower() != "time":
        raise CaptureError(
            f"a row of column names starting with 'time' in '{path.name}'",
            f"'{lines[at].strip()[:60]}'",
            "export the table again",
        )
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise CaptureError(
            f"column names that differ in '{path.name}'",
            f"{', '.join(twice[:5])} more than once",
            "rename or remove the repeated columns",
        )
    values = _body(lines, at + 1, len(names), path.name, complete=text[-1:] in "\r\n")
    notes = []
    declared = header.get("nrows", header.get("datarows", ""))
    if declared.isdigit() and declared != str(len(values)):
        rest = f"The header of '{path.name}' says {declared} rows, the file holds {len(values)}"
        if text[-1:] not in "\r\n" and len(declared) < 16 and int(declared) > len(values):
            raise _truncated(path.name, f"{len(values)} rows where the header says {declared}")
        notes.append(rest + ".")
    degrees = header.get("indegrees", "no").strip().lower() in ("yes", "true", "1")
    return Table(tuple(names[1:]), values[:, 0], values[:, 1:], degrees, header, tuple(notes))


def write_table(
    path: Path | str,
    names: Sequence[str],
    time: Array,
    values: Array,
    *,
    in_degrees: bool = False,
    title: str = "",
) -> None:
    """Write an OpenSim .mot or .sto file (newer header form).

    Parameters
    ----------
    path : path
    names : sequence of str, length K
        Columns without `time`.
    time : (T,) s
    values : (T, K)
    in_degrees : bool
        What the header says of rotations; the values are written as they are.
    title : str
        First line; the file's stem when left out.
    """
    path = Path(path)
    table = np.column_stack([time, values])
    if table.shape[1] != len(names) + 1:
        raise ValueError(f"{len(names)} names for {table.shape[1] - 1} columns")
    head = [
        title or path.stem,
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={table.shape[1]}",
        f"inDegrees={'yes' if in_degrees else 'no'}",
        "endheader",
        "\t".join(["time", *names]),
    ]
    body = ["\t".join(f"{v:.10g}" if math.isfinite(v) else "NaN" for v in row) for row in table]
    path.write_text("\n".join([*head, *body, ""]), encoding="utf-8")


def _header(lines: list[str]) -> dict[str, str]:
    """Key and value of each header line, old or new form; keys in lower case."""
    header: dict[str, str] = {}
    for line in lines:
        match = re.match(r"\s*(\w+)\s*=\s*(.*?)\s*$", line) or re.match(
            r"\s*(name|datacolumns|datarows|range|otherdata)\s+(.*?)\s*$", line, re.IGNORECASE
        )
        if match:
            header.setdefault(match[1].lower(), match[2])
    return header


def _cells(line: str) -> list[str]:
    """Cells of a line; tabs separate when there are any, else blanks."""
    if "\t" not in line:
        return line.split()
    cells = [c.strip() for c in line.split("\t")]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _body(lines: list[str], first: int, width: int, what: str, *, complete: bool) -> Array:
    """Numbers of the table, (T, width)."""
    rows: list[list[float]] = []
    last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].strip()), -1)
    for i in range(first, last + 1):
        cells = _cells(lines[i])
        if not cells:
            continue
        if len(cells) != width:
            if i == last and not complete and len(cells) < width:
                raise _truncated(what, f"a last line with {len(cells)} of {width} columns")
            raise CaptureError(
                f"{width} columns on line {i + 1} of '{what}', as the names say",
                f"{len(cells)}",
                "export the table again",
            )
        try:
            rows.append([float(c) if c else math.nan for c in cells])
        except ValueError:
            bad = next(c for c in cells if not _is_number(c))
            raise CaptureError(
                f"numbers on line {i + 1} of '{what}'",
                f"'{bad[:40]}'",
                "correct the cell, or export the table again (decimal point, not comma)",
            ) from None
    if not rows:
        raise _truncated(what, "column names and no row")
    return np.array(rows)


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True


def _truncated(what: str, found: str) -> CaptureError:
    return CaptureError(
        f"a complete OpenSim table in '{what}'", found, "export or copy the file again"
    )
