"""Exact muscle geometry that an earlier run asked OpenSim for, and a model that waits.

Each run holds its fit of muscle paths against exact geometry at frames that no fit has
seen. For the same model and motion these are the same frames with the same values, so they
are kept too; a run that needs no others never loads OpenSim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..vocabulary import Array
from .kernels import Tree
from .multibody import Multibody
from .path_store import user_cache
from .paths import MusclePaths, PathGeometry, opened
from .stored import Shelf, code_of, key_of

KEPT = 20
"""Sets of exact values that stay (3 MB each)."""


class Outline(NamedTuple):
    """What `PathGeometry` knows of a model besides its paths."""

    names: tuple[str, ...]
    strength: Array
    multibody: Multibody
    patella: tuple[int, ...] | None
    centers: Array


class LaterGeometry(PathGeometry):
    """A `PathGeometry` whose model is opened when exact geometry is asked for."""

    def __init__(self, xml: str, outline: Outline) -> None:
        self._xml = xml
        self.names, self.strength, self.multibody = outline[:3]
        self.patella = None if outline.patella is None else list(outline.patella)
        self.centers = outline.centers
        self.coordinates = self.multibody.coordinates

    def evaluate(self, q: Array, muscles: Sequence[int] | None = None) -> MusclePaths:
        """As `PathGeometry.evaluate`."""
        return opened(self._xml, self.centers).evaluate(q, muscles)


def remembered_geometry(xml: str, centers: Array | None) -> PathGeometry:
    """`opened(xml, centers)`, without OpenSim where an earlier run opened the same."""
    store = _shelf("models", (Outline, Multibody, Tree), 60)
    key = key_of(code_of("model"), "outline", xml, centers)
    found: Outline | None = store.load(key)
    if found is not None:
        return LaterGeometry(xml, found)
    geometry = opened(xml, centers)
    patella = None if geometry.patella is None else tuple(geometry.patella)
    outline = Outline(
        geometry.names, geometry.strength, geometry.multibody, patella,
        np.asarray(geometry.centers),
    )  # fmt: skip
    store.save(key, outline)
    return geometry


def remembered_exact(geometry: PathGeometry, key: str, q: Array) -> MusclePaths:
    """`geometry.evaluate(q)`, from an earlier run where it is known.

    Parameters
    ----------
    key : name of the model and motion that `q` belongs to
    """
    store = _shelf("exact", (MusclePaths,), KEPT)
    name = key_of(key, q)
    found: MusclePaths | None = store.load(name)
    if found is None:
        found = geometry.evaluate(q)
        store.save(name, found)
    return found


def _shelf(name: str, classes: tuple[type, ...], kept: int) -> Shelf:
    base = user_cache()
    return Shelf(None if base is None else base / name, classes, kept)
