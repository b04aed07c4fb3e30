"""Education for retraining: which cue, which figures to watch, which muscles to train.

`models/retraining.toml` says what a figure beyond its limit points to; this module looks
it up for a leg's strides. It explains, it does not prescribe: a finding is a figure beyond
a stated limit, with the limit's source and grade beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..paths_of_data import models_folder
from ..vocabulary import Array, Side

GRADES = ("published", "secondary", "convention")
LEAST_SHARE = 0.5
"""Share of a leg's strides beyond the limit from which a finding is told."""


@dataclass(frozen=True)
class Exercises:
    """One group: label, muscles, examples, and what the model cannot see of it."""

    label: str
    muscles: tuple[str, ...]
    examples: str
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A figure and its limit, and what it points to.

    Attributes
    ----------
    key, text : str
    column : str, of `strides.csv`
    limit : float, in the column's unit
    above : bool
        Whether the finding is a figure above the limit or below it.
    source, grade : str
    cue : str, in words
    targets : tuple of columns to watch
    exercises : tuple of keys of exercise groups
    """

    key: str
    text: str
    column: str
    limit: float
    above: bool
    source: str
    grade: str
    cue: str
    targets: tuple[str, ...]
    exercises: tuple[str, ...]

    def beyond(self, values: Array) -> Array:
        """How far values lie beyond the limit, negative where they do not."""
        return values - self.limit if self.above else self.limit - values


@dataclass(frozen=True)
class RetrainingTable:
    """`models/retraining.toml` as data."""

    preface: str
    findings: tuple[Finding, ...]
    exercises: Mapping[str, Exercises]


@dataclass(frozen=True)
class Advice:
    """One finding in one leg.

    Attributes
    ----------
    side : 'r' or 'l'
    finding : Finding
    value : float
        Median over the strides, in the column's unit.
    share : float
        Of the strides that lie beyond the limit.
    strides : int
    """

    side: Side
    finding: Finding
    value: float
    share: float
    strides: int


@cache
def read_retraining(path: Path | None = None) -> RetrainingTable:
    """Read and check the table.

    Raises
    ------
    ModelError
        When it is missing or a finding lacks a limit, a known grade, cue or exercise.
    """
    path = path or models_folder() / "retraining.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        exercises = {
            key: Exercises(g["label"], tuple(g["muscles"]), g["examples"], g.get("note", ""))
            for key, g in raw["exercise"].items()
        }
        cues = {key: str(entry["words"]) for key, entry in raw["cue"].items()}
        findings = tuple(_finding(row, cues, exercises) for row in raw["finding"])
        return RetrainingTable(str(raw["preface"]), findings, exercises)
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ModelError(
            f"the table of cues and exercises in {path.name}",
            f"{type(error).__name__}: {error}",
            "restore that file",
        ) from error


def _finding(
    row: Mapping[str, Any], cues: Mapping[str, str], exercises: Mapping[str, Exercises]
) -> Finding:
    limits = [name for name in ("above", "below") if name in row]
    unknown = [e for e in row["exercises"] if e not in exercises]
    if len(limits) != 1 or row["grade"] not in GRADES or unknown or row["cue"] not in cues:
        raise ModelError(
            "every finding with one limit (above or below), a known grade, cue and exercises",
            f"{row['key']}: {limits or 'no limit'}, {row['grade']}, {row['cue']}, {unknown}",
            "complete the finding",
            [*GRADES, *cues, *exercises],
        )
    return Finding(
        key=row["key"],
        text=row["text"],
        column=row["column"],
        limit=float(row[limits[0]]),
        above=limits[0] == "above",
        source=row["source"],
        grade=row["grade"],
        cue=cues[row["cue"]],
        targets=tuple(row["targets"]),
        exercises=tuple(row["exercises"]),
    )


def advise(
    figures: Mapping[str, Sequence[float] | Array],
    side: Side,
    table: RetrainingTable | None = None,
) -> tuple[Advice, ...]:
    """What the strides of one leg point to, in the table's order.

    Parameters
    ----------
    figures : mapping of column of `strides.csv` to (N,), in the column's unit
        NaN strides are left out; columns that are missing are not judged.
    side : 'r' or 'l'
    table : RetrainingTable, default the project's own

    Returns
    -------
    tuple of Advice
        Findings whose median lies beyond the limit, in at least half of the strides.
    """
    found = []
    for finding in (table or read_retraining()).findings:
        values = np.asarray(figures.get(finding.column, ()), dtype=float)
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        beyond = finding.beyond(values) > 0.0
        median = float(np.median(values))
        if beyond.mean() >= LEAST_SHARE and finding.beyond(np.array([median]))[0] > 0.0:
            found.append(Advice(side, finding, median, float(beyond.mean()), len(values)))
    return tuple(found)
