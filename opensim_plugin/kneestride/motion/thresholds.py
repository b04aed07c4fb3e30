"""Classes of alignment and foot placement, from one sourced table.

`models/thresholds.toml` holds every limit with its source and grade. A class carries
its distance to the nearest limit (always positive: how far the value would have to move
to change class), and a set of strides the share of each class.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import ModelError
from ..paths_of_data import models_folder
from .alignment import Alignment, StaticAlignment
from .tasks import Task

ALIGNMENTS = ("valgus", "neutral", "varus")
LANDINGS = ("wide", "normal", "narrow", "crossover")

Row = Literal["gait", "repetition", "landing"]


@dataclass(frozen=True)
class Label:
    """A class of one stride.

    Attributes
    ----------
    name : str
        '' when the quantity was not measured.
    value : float
        What was classified, rad or m.
    margin : float
        Distance from the value to the nearest limit of its class, in the same unit.
    marked : bool
        Beyond the limit for a marked deviation.
    """

    name: str
    value: float
    margin: float
    marked: bool = False


NO_LABEL = Label("", float("nan"), float("nan"))


@cache
def load_thresholds(path: Path | None = None) -> Mapping[str, Any]:
    """Read the table.

    Raises
    ------
    ModelError
        When it is missing, unreadable or lacks a section.
    """
    try:
        table = tomllib.loads(
            (path or models_folder() / "thresholds.toml").read_text(encoding="utf-8")
        )
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            "the limits in models/thresholds.toml", str(error), "restore that file"
        ) from error
    missing = {"alignment", "landing", "chain", "static"} - set(table)
    if missing:
        raise ModelError(
            "the sections alignment, landing, chain and static in models/thresholds.toml",
            f"no {', '.join(sorted(missing))}",
            "restore that file",
        )
    return table


def _place(value: float, limits: list[tuple[float, str]], last: str) -> tuple[str, float]:
    """Class of a value among rising limits [(upper bound, class below it)], and margin."""
    if np.isnan(value):
        return "", float("nan")
    margin = min(abs(value - bound) for bound, _ in limits)
    for bound, name in limits:
        if value < bound:
            return name, margin
    return last, margin


def alignment_class(
    projection_angle: float,
    row: Row,
    sex: str = "",
    table: Mapping[str, Any] | None = None,
) -> Label:
    """Valgus, neutral or varus of one stride.

    Parameters
    ----------
    projection_angle : float, rad, medial knee positive, at mid-stance (deepest flexion)
    row : {'gait', 'repetition', 'landing'}
    sex : {'m', 'f', ''}
        Norms of landings differ by sex.
    table : mapping, optional
    """
    limits = (table or load_thresholds())["alignment"][row]
    upper = limits.get(f"valgus_above_{sex}", limits["valgus_above"])
    bounds = [
        (np.radians(limits["varus_below"]), "varus"),
        # A value on the limit is still neutral.
        (float(np.nextafter(np.radians(upper), np.inf)), "neutral"),
    ]
    name, margin = _place(projection_angle, bounds, "valgus")
    marked = name != "neutral" and abs(projection_angle) > np.radians(limits["marked"])
    return Label(name, projection_angle, margin, bool(name) and marked)


def landing_class(
    step_width: float,
    task: Task,
    *,
    speed: float = float("nan"),
    leg_length: float = float("nan"),
    table: Mapping[str, Any] | None = None,
) -> Label:
    """Wide, normal, narrow or crossover of one stride.

    Parameters
    ----------
    step_width : float, m, signed
    task : Task
        Classes exist for running (limits by speed) and walking (by leg length).
    speed : float, m/s
    leg_length : float, m
    table : mapping, optional

    Returns
    -------
    Label
        `NO_LABEL` when there is no norm for the task or a figure it needs is missing.
        Crossing needs no norm.
    """
    section = (table or load_thresholds())["landing"]
    if np.isnan(step_width) or task not in ("running", "walking"):
        return NO_LABEL
    crossed = 1e-3 * float(section["crossover_below"])
    if task == "running":
        row = section["running"]
        narrow, wide = (
            1e-3 * float(np.interp(speed, row["speed_m_s"], row[name]))
            for name in ("narrow_below", "wide_above")
        )
    else:
        row = section["walking"]
        narrow, wide = (
            float(row[name]) * leg_length for name in ("narrow_below_leg", "wide_above_leg")
        )
    bounds = [(crossed, "crossover")]
    if np.isfinite([narrow, wide]).all():
        bounds += [(max(narrow, crossed), "narrow"), (wide, "normal")]
    elif step_width >= crossed:
        return NO_LABEL
    name, margin = _place(step_width, bounds, "wide")
    return Label(name, step_width, margin)


def classify(
    alignment: Alignment, task: Task, sex: str = "", table: Mapping[str, Any] | None = None
) -> tuple[Label, Label]:
    """Alignment class and landing class of one row of the stride table."""
    kind = alignment.stride.kind
    row: Row = "gait"
    if kind in ("repetition", "landing"):
        row = "repetition" if kind == "repetition" else "landing"
    angle = alignment.measures["projection_angle"].mid_stance
    stride = alignment.stride
    return (
        alignment_class(angle, row, sex, table),
        landing_class(
            stride.step_width_m,
            task,
            speed=stride.speed_m_s,
            leg_length=alignment.leg_length_m,
            table=table,
        ),
    )


def shares(labels: Iterable[Label], names: tuple[str, ...]) -> dict[str, float]:
    """Share of labelled strides in each class, in the order of `names`; NaN without any."""
    found = [label.name for label in labels if label.name]
    total = len(found)
    return {n: found.count(n) / total if total else float("nan") for n in names}


def typical_landing(
    step_widths: Iterable[float],
    task: Task,
    *,
    speed: float = float("nan"),
    leg_length: float = float("nan"),
) -> Label:
    """Landing class of a person: that of the median step width over the strides."""
    widths = np.array([w for w in step_widths if np.isfinite(w)])
    if not len(widths):
        return NO_LABEL
    median = float(np.median(widths))
    return landing_class(median, task, speed=speed, leg_length=leg_length)


def static_classes(
    static: StaticAlignment, table: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Structure of the standing leg, right and left, and the standing test.

    Returns
    -------
    dict
        `hip_knee_ankle_r`, `hip_knee_ankle_l`: valgus / neutral / varus ('' unmeasured);
        `standing_test`: 'knees touch' (knock-knees), 'malleoli touch' (bow legs), 'both',
        'neither' or ''. It means something only when the person stands with the feet as
        close as they go.
    """
    section = (table or load_thresholds())["static"]
    limit = float(np.radians(section["neutral_within"]))
    out = {}
    for side, value in zip("rl", static.hip_knee_ankle, strict=True):
        bounds = [(-limit, "varus"), (float(np.nextafter(limit, np.inf)), "neutral")]
        out[f"hip_knee_ankle_{side}"] = _place(value, bounds, "valgus")[0]
    gaps = (static.intercondylar_m, static.intermalleolar_m)
    if np.isnan(gaps).any():
        out["standing_test"] = ""
        return out
    knees = gaps[0] < 1e-3 * section["knees_touch_below"]
    malleoli = gaps[1] < 1e-3 * section["malleoli_touch_below"]
    words = {
        (True, True): "both",
        (True, False): "knees touch",
        (False, True): "malleoli touch",
        (False, False): "neither",
    }
    out["standing_test"] = words[(bool(knees), bool(malleoli))]
    return out
