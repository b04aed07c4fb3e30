"""OpenSim's tables (.mot, .sto) as text: fast, deterministic, read back exactly.

The header is the form that every OpenSim since 2.0 and its GUI read. Numbers have
nine significant digits, so that the same run writes the same bytes and that
angles survive two differentiations; missing values are `nan`, which OpenSim's
readers accept.

Small tables are formatted by one `%` for many rows, about ten times faster than
`numpy.savetxt` and with nothing to compile; large ones by `results.digits`, another three
times faster and without Python's lock. The text is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ResultsError
from ..scratch import LONG, release
from ..vocabulary import Array

_ROWS_AT_ONCE = 512
_MANY = 50_000
"""Numbers from which a table is worth the compiled way, which takes a moment to load."""
_RELEASE = 16 * _ROWS_AT_ONCE

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Named columns over time, in the units that the file declares.

    Attributes
    ----------
    names : tuple of str, length K (without `time`)
    time : (T,) s
    values : (T, K)
    in_degrees : bool
        The header's flag; values are as written, never converted here.
    """

    names: tuple[str, ...]
    time: Array
    values: Array
    in_degrees: bool = False

    def column(self, name: str) -> Array:
        """Return one column (T,), or say which there are.

        Raises
        ------
        ResultsError
            No column has this name.
        """
        if name not in self.names:
            raise ResultsError(
                expected=f"a column {name!r}",
                found="a table without it",
                available=self.names,
                todo="choose one of these columns",
            )
        return self.values[:, self.names.index(name)]


def format_table(
    title: str,
    names: Sequence[str],
    time: Array,
    values: Array,
    *,
    in_degrees: bool = False,
    notes: Sequence[str] = (),
) -> str:
    """Return a table as OpenSim's text; as `table_chunks`."""
    chunks = table_chunks(title, names, time, values, in_degrees=in_degrees, notes=notes)
    return "".join(chunks)


def table_chunks(
    title: str,
    names: Sequence[str],
    time: Array,
    values: Array,
    *,
    in_degrees: bool = False,
    notes: Sequence[str] = (),
) -> Iterator[str]:
    """Return a table as OpenSim's text, some rows at a time.

    Parameters
    ----------
    title : str
        First line of the file.
    names : sequence of str, length K
    time : (T,) s
    values : (T, K); NaN is written as `nan`
    in_degrees : bool
        Flag for OpenSim: rotational coordinates are in degrees.
    notes : sequence of str
        Lines for human readers, placed in the header, where OpenSim ignores them.

    Raises
    ------
    ResultsError
        The shapes do not fit, a name is empty, repeated or holds white space.
    """
    names = tuple(names)
    time = np.asarray(time, dtype=np.float64)
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (time.size, len(names)):
        raise ResultsError(
            expected=f"a table of {time.size} rows and {len(names)} columns for {title!r}",
            found=f"an array of shape {values.shape}",
            todo="report this as a defect",
        )
    bad = [n for n in names if not n or any(c.isspace() for c in n) or names.count(n) > 1]
    if bad or "time" in names:
        raise ResultsError(
            expected=f"column names for {title!r} that differ and hold no white space",
            found=", ".join(repr(name) for name in bad) or "'time'",
            todo="rename these coordinates or structures in the model",
        )
    header = [
        title,
        "version=1",
        f"nRows={time.size}",
        f"nColumns={len(names) + 1}",
        f"inDegrees={'yes' if in_degrees else 'no'}",
        *("".join(c if c.isprintable() else " " for c in note) for note in notes),
        "endheader",
        "\t".join(("time", *names)),
    ]
    return _chunks("\n".join(header) + "\n", time, values)


def _chunks(header: str, time: Array, values: Array) -> Iterator[str]:
    yield header
    digits = np.array([10] + [9] * values.shape[1])
    for first in range(0, time.size, _ROWS_AT_ONCE):
        at = slice(first, first + _ROWS_AT_ONCE)
        # Minus zero and plus zero are the same figure; a file must not tell them apart.
        yield number_rows(np.column_stack([time[at], values[at]]) + 0.0, digits, values.size)
        if time.size > LONG and first % _RELEASE == 0:
            release()


def number_rows(rows: Array, digits: IntArray, size: int, missing: str = "nan") -> str:
    """Return rows of numbers as text, tabs between them.

    Parameters
    ----------
    rows : (R, K)
    digits : (K,) significant digits of each column
    size : how many numbers the whole table has, which decides how they are written
    missing : what stands for NaN
    """
    if size > _MANY:
        from .digits import rows_text

        return rows_text(rows, digits, missing)
    row = "\t".join(f"%.{d}g" for d in digits) + "\n"
    text = (row * len(rows)) % tuple(rows.ravel().tolist())
    return text if missing == "nan" else text.replace("nan", missing)


def read_table(path: Path) -> Table:
    """Read a table written by `format_table` (or by OpenSim in the same form).

    Raises
    ------
    ResultsError
        The file is missing, is no such table, or is cut short.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(
            expected=f"a readable table {path.name}",
            found=f"{type(error).__name__}",
            todo="analyse the trial again",
        ) from error
    lines = text.split("\n")
    stripped = [line.strip() for line in lines[:200]]
    if "endheader" not in stripped:
        raise ResultsError(
            expected=f"an OpenSim table in {path.name}, with 'endheader' in its first lines",
            found="a file without it",
            todo="analyse the trial again",
        )
    end = stripped.index("endheader")
    header = dict(line.split("=", 1) for line in stripped[1:end] if "=" in line)
    names = tuple("".join(lines[end + 1 : end + 2]).split())
    rows = [line for line in lines[end + 2 :] if line.strip()]
    told = header.get("nRows", str(len(rows))).strip()
    expected = int(told) if told.isdecimal() and len(told) < 16 else -1
    try:
        block = np.array([line.split() for line in rows], dtype=np.float64)
        block = block.reshape(len(rows), len(names))
    except ValueError as error:
        raise _damaged(path, "a row that is not one number a column") from error
    if len(rows) != expected or not names or names[0] != "time":
        raise _damaged(path, f"{len(rows)} rows where the header says {told[:20]}")
    return Table(
        names=names[1:],
        time=block[:, 0].copy(),
        values=block[:, 1:].copy(),
        in_degrees=header.get("inDegrees", "no").strip().lower() == "yes",
    )


def _damaged(path: Path, found: str) -> ResultsError:
    return ResultsError(
        expected=f"a whole table in {path.name}", found=found, todo="analyse the trial again"
    )
