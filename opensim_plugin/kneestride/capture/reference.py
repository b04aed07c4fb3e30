"""The reference runner: an average stride kept as tables of figures.

Joint angles, pelvis path and ground reaction of an average runner at one speed, in
`models/reference_stride.{toml,motion.csv,ground.csv}`, written by
`scripts/build_reference_runner.py` from public recordings (named in the toml). Only the
right side is stored: a symmetric stride has its left side half a stride later, mirrored.
Motion is by phase of the stride (0 at right initial contact), ground reaction by share of
stance. `motion.reference_runner` puts the stride on a body.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CaptureError
from ..paths_of_data import models_folder
from ..vocabulary import Array, Side

MIRRORED = frozenset(
    ("pelvis_tz", "pelvis_list", "pelvis_rotation", "lumbar_bending", "lumbar_rotation")
)
"""Coordinates of the trunk that change sign in the mirror."""

GROUND = (
    "force_forward_bw", "force_up_bw", "force_right_bw",
    "pressure_along_foot", "pressure_right_foot", "free_moment_bwh",
)  # fmt: skip
"""Columns of the ground reaction of the right foot: force in body weights; centre of
pressure along and to the right of the foot in foot lengths from the heel; free moment in
body weight times height."""

Ground = Array


@dataclass(frozen=True)
class ReferenceStride:
    """An average runner's stride.

    Attributes
    ----------
    mass, height : float, kg and m
    speed : float, m/s
    stride_s, contact_s : float, s
    sole : float, m, height of the second metatarsal's head over the floor, foot flat
    flat : float, share of stance at which the foot is flat
    scale : mapping of body (sided ones without side) to (3,) scale factors of the generic
        model's body
    torsion : float, rad, of the shanks against the generic model's, outwards positive
    static : mapping of coordinate to rad, standing
    motion : mapping of coordinate (sided ones without side, right) to (P,) rad or m over
        one stride, the end point (equal to the first) left out
    ground : (S, 6) over stance, columns `GROUND`
    source : str
    """

    mass: float
    height: float
    speed: float
    stride_s: float
    contact_s: float
    sole: float
    flat: float
    scale: Mapping[str, Array]
    torsion: float
    static: Mapping[str, float]
    motion: Mapping[str, Array]
    ground: Array
    source: str

    @property
    def duty(self) -> float:
        """Stance as a share of the stride."""
        return self.contact_s / self.stride_s

    def coordinates(self, names: Sequence[str], phase: Array) -> Array:
        """Coordinates (T, N) rad or m at phases of the stride; 0 for those not in the table.

        Parameters
        ----------
        names : sequence of str, with side where there is one
        phase : (T,), 0 and every whole number at right initial contact
        """
        right = [self.motion.get(bare_name(n)) for n in names]
        count = len(next(iter(self.motion.values())))
        curves = np.stack([np.zeros(count) if c is None else c for c in right], axis=1)
        found = trigonometric(curves, phase)
        left = [i for i, n in enumerate(names) if side_of(n) == "l"]
        found[:, left] = trigonometric(curves[:, left], phase + 0.5)
        return found

    def ground_reaction(self, side: Side, phase: Array) -> Array:
        """Ground reaction (T, 6) of a foot, columns `GROUND`; force zero in the air.

        The left foot's has sideways quantities mirrored: still positive to the right of
        the runner.
        """
        share = np.mod(phase + (0.5 if side == "l" else 0.0), 1.0) / self.duty
        from scipy.interpolate import CubicSpline

        table = CubicSpline(np.linspace(0.0, 1.0, len(self.ground)), self.ground)
        found: Array = table(np.minimum(share, 1.0))
        found[share >= 1.0] = 0.0
        if side == "l":
            found[:, [2, 4, 5]] *= -1.0
        return found


def trigonometric(curves: Array, phase: Array) -> Array:
    """Periodic curves (P, N) of evenly spaced samples, read at phases (T,) in strides.

    The one trigonometric polynomial of lowest degree through the samples: smooth in all
    derivatives, also across the stride's end.
    """
    count = len(curves)
    weight = np.fft.rfft(curves, axis=0) / count
    weight[1:] *= 2.0
    if count % 2 == 0:
        weight[-1] *= 0.5
    angle = 2.0 * np.pi * np.outer(phase, np.arange(len(weight)))
    found: Array = np.cos(angle) @ weight.real - np.sin(angle) @ weight.imag
    return found


def side_of(name: str) -> Side | None:
    """Side of a coordinate or landmark by its name's end, None when it has none."""
    if name.endswith("_r"):
        return "r"
    return "l" if name.endswith("_l") else None


def bare_name(name: str) -> str:
    """Name without its side."""
    return name if side_of(name) is None else name[:-2]


def load_reference(folder: Path | None = None) -> ReferenceStride:
    """Read the reference stride's tables.

    Parameters
    ----------
    folder : path, optional
        Where `reference_stride.toml` and its tables are; the ones that ship otherwise.

    Raises
    ------
    CaptureError
        A table is missing or lacks a column.
    """
    folder = models_folder() if folder is None else folder
    try:
        with (folder / "reference_stride.toml").open("rb") as file:
            figures = tomllib.load(file)
        motion = _columns(folder / "reference_stride.motion.csv")
        ground = _columns(folder / "reference_stride.ground.csv")
        runner, stride = figures["runner"], figures["stride"]
        return ReferenceStride(
            mass=float(runner["mass_kg"]),
            height=float(runner["height_m"]),
            speed=float(stride["speed_m_s"]),
            stride_s=float(stride["stride_s"]),
            contact_s=float(stride["contact_s"]),
            sole=float(runner["sole_m"]),
            flat=float(stride["flat"]),
            scale={name: np.array(v, dtype=float) for name, v in figures["scale"].items()},
            torsion=float(np.radians(runner["shank_torsion_deg"])),
            static={n: float(np.radians(v)) for n, v in figures["static_deg"].items()},
            motion=_motion(motion),
            ground=np.stack([ground[name] for name in GROUND], axis=1),
            source=str(figures["source"]["reference"]),
        )
    except (OSError, KeyError, ValueError) as error:
        raise CaptureError(
            "the reference stride's tables reference_stride.toml, .motion.csv and .ground.csv",
            f"{type(error).__name__}: {error}",
            "install kneestride again, or run scripts/build_reference_runner.py",
        ) from error


def _columns(path: Path) -> dict[str, Array]:
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(line for line in file if not line.startswith("#"))
    values = np.array(rows, dtype=float)
    return {name: values[:, i] for i, name in enumerate(names)}


def _motion(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Curves in SI without the repeated end point; means and spreads are left out."""
    found = {}
    for name, values in columns.items():
        bare, _, unit = name.rpartition("_")
        if bare and not bare.endswith(("_mean", "_sd")) and unit in ("deg", "m"):
            found[bare] = (np.radians(values) if unit == "deg" else values)[:-1]
    return found
