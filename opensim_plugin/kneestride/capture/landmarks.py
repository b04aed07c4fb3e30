"""Anatomical landmarks: what every marker set, scaling and key-point reader agree on.

One table (`models/landmarks.toml`) says on which segment of the generic model a landmark
lies, where the centre of a marker on it is, and how far its placement varies. Everything
that names a point on the body uses these ids.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import MarkerSetError
from ..parsing import text_of, toml_of
from ..paths_of_data import models_folder
from ..vocabulary import SIDES, Array

MIDLINE_BODIES = ("pelvis", "torso")
SIDED_BODIES = (
    "femur", "patella", "tibia", "talus", "calcn", "toes", "humerus", "ulna", "radius", "hand",
)  # fmt: skip
BODIES: tuple[str, ...] = MIDLINE_BODIES + tuple(
    f"{body}_{side}" for body in SIDED_BODIES for side in SIDES
)
"""Segments a landmark or cluster may be on, in OpenSim's names. Not every model has all
(Gait2392 has no patella and no arms): a consumer leaves out what its model lacks."""


@dataclass(frozen=True, eq=False)
class Landmark:
    """An anatomical landmark on the generic model.

    Attributes
    ----------
    body : str
        OpenSim body that carries it.
    position : (3,) m
        In that body's frame: X anterior, Y up, Z to the right. For a skin landmark the
        centre of a marker lying on the skin.
    sigma : float, m
        Spread of its placement between people and examiners; weight of a residual is
        1/sigma².
    kind : str
        "skin", "joint" (computed centre) or "video" (key point of a detector).
    source : str
    """

    body: str
    position: Array
    sigma: float
    kind: str
    source: str


type Landmarks = Mapping[str, Landmark]


@functools.cache
def landmark_table(path: Path | None = None) -> Landmarks:
    """Landmarks of the generic model, both sides.

    Parameters
    ----------
    path : Path, optional
        Another table of the same form; by default `models/landmarks.toml`.

    Returns
    -------
    mapping of landmark id to Landmark
        Midline ids carry no suffix, sided ones `_r` and `_l`. The left side is the mirror
        image of the right in Z, as in the model itself.
    """
    table = read_table(path or models_folder() / "landmarks.toml", "a table of landmarks")
    landmarks: dict[str, Landmark] = {}
    for name, entry in table.get("midline", {}).items():
        landmarks[name] = _landmark(entry, entry["body"], mirror=False)
    for name, entry in table.get("sided", {}).items():
        for side in SIDES:
            body = entry["body"]
            body = body if body in MIDLINE_BODIES else f"{body}_{side}"
            landmarks[f"{name}_{side}"] = _landmark(entry, body, mirror=side == "l")
    return MappingProxyType(landmarks)


def _landmark(entry: Mapping[str, Any], body: str, mirror: bool) -> Landmark:
    position = np.array(entry["position"], dtype=np.float64)
    if mirror:
        position *= (1.0, 1.0, -1.0)
    position.setflags(write=False)
    return Landmark(body, position, float(entry["sigma"]), entry["kind"], entry["source"])


def read_table(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML table, or say in words why it cannot be read (`MarkerSetError`)."""
    try:
        return toml_of(text_of(path))
    except (ValueError, OSError) as error:
        raise MarkerSetError(
            expected=f"{what} in TOML",
            found=f"{path.name}, which cannot be read as that: {error}",
            todo="correct the file; docs/markersets.md shows its form",
        ) from error
