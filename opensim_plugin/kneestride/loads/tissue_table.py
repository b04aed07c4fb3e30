"""The table of tissue structures: units, formulas, sources and grades as data.

`models/tissues.toml` is the one place where a figure, its source and the trust it earns
are written; this module reads it and refuses a table that is incomplete or that passes
an index off as something else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..paths_of_data import models_folder
from ..vocabulary import GRAVITY, Array

TABLE = models_folder() / "tissues.toml"


@dataclass(frozen=True)
class Reference:
    """A published range.

    Attributes
    ----------
    low, high : float
        In the structure's unit, or in it per `per`.
    per : {'', 'BW', 'kg'}
        '' absolute; 'BW' multiples of body weight in N; 'kg' N per kilogram.
    what, source : str
    checked : {'abstract', 'unverified'}
    """

    low: float
    high: float
    what: str
    source: str
    checked: str
    per: str = ""

    def absolute(self, mass: float) -> tuple[float, float]:
        """Range in the structure's unit for a person of `mass` kg."""
        scale = {"": 1.0, "BW": mass * GRAVITY, "kg": mass}[self.per]
        return self.low * scale, self.high * scale


@dataclass(frozen=True)
class Structure:
    """One row of the table: what a column means and how far to trust it."""

    key: str
    label: str
    unit: str
    kind: str
    formula: str
    needs: tuple[str, ...]
    confidence: str
    caveat: str
    reference: Reference | None = None

    def column(self, side: str) -> str:
        """Column name with side and unit, such as `achilles_r_N`."""
        return f"{self.key}_{side}_{self.unit}"


@dataclass(frozen=True)
class Table:
    """`models/tissues.toml` as data.

    Attributes
    ----------
    structures : mapping of key to Structure, in file order
    parameters : mapping of name to array of figures in the file's units
    unverified : tuple of str
        Parameters quoted from memory; results that rest on them are grade C.
    muscles : mapping of group to alternatives, each a tuple of names without side
    """

    structures: Mapping[str, Structure]
    parameters: Mapping[str, Array]
    unverified: tuple[str, ...]
    muscles: Mapping[str, tuple[tuple[str, ...], ...]]


def read_table(path: Path = TABLE) -> Table:
    """Read and check the table of structures.

    Raises
    ------
    ModelError
        When a structure lacks a field, has an unknown grade, or is an index that is
        not called one.
    """
    with path.open("rb") as stream:
        raw = tomllib.load(stream)
    structures: dict[str, Structure] = {}
    for row in raw["structure"]:
        structure = _structure(row, path.name)
        structures[structure.key] = structure
    parameters = {
        name: np.atleast_1d(np.asarray(entry["value"], dtype=float))
        for name, entry in raw["parameter"].items()
    }
    return Table(
        structures=structures,
        parameters=parameters,
        unverified=tuple(
            name for name, entry in raw["parameter"].items() if entry["checked"] == "unverified"
        ),
        muscles={
            group: tuple(tuple(names) for names in alternatives)
            for group, alternatives in raw["muscles"].items()
        },
    )


def _structure(row: Mapping[str, Any], file: str) -> Structure:
    fields = ("key", "label", "unit", "kind", "formula", "needs", "confidence", "caveat")
    missing = [name for name in fields if name not in row]
    if missing or row["confidence"] not in ("A", "B", "C"):
        raise ModelError(
            f"every structure in {file} with {', '.join(fields)} and confidence A, B or C",
            f"{row.get('key', 'a structure without key')} lacking {', '.join(missing)}"
            if missing
            else f"confidence {row['confidence']!r} for {row['key']}",
            f"complete the structure in {file}",
        )
    if (row["kind"] == "index") != row["key"].endswith("_index"):
        raise ModelError(
            "an index to be called an index, and nothing else to be",
            f"{row['key']} of kind {row['kind']}",
            "rename the structure or correct its kind",
        )
    known = {name: row[name] for name in fields} | {"needs": tuple(row["needs"])}
    reference = Reference(**row["reference"]) if "reference" in row else None
    return Structure(**known, reference=reference)
