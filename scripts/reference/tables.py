"""Write the reference stride as figures that people and `capture.reference` read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kneestride.capture.reference import GROUND
from kneestride.vocabulary import Array

from .average import Average
from .consistent import Consistent
from .measure import PEAKS, Runner

NAME = "reference_stride"


@dataclass(frozen=True)
class Built:
    """Everything the tables say."""

    runners: Sequence[Runner]
    average: Average
    consistent: Consistent
    sources: Mapping[str, str]


def write_tables(built: Built, folder: Path) -> None:
    """Write reference_stride.toml, .motion.csv and .ground.csv into a folder."""
    text = {
        f"{NAME}.toml": _toml(built),
        f"{NAME}.motion.csv": _motion(built),
        f"{NAME}.ground.csv": _ground(built),
    }
    for name, content in text.items():
        (folder / name).write_text(content, encoding="utf-8")


def _motion(built: Built) -> str:
    before, after = built.average.reference.motion, built.consistent.reference.motion
    columns: dict[str, Array] = {}
    for name, curve in after.items():
        length = name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")
        factor, unit, digits = (1.0, "m", 5) if length else (float(np.degrees(1.0)), "deg", 3)
        columns[f"{name}_{unit}"] = _closed(curve * factor, digits)
        if name in built.average.spread:
            columns[f"{name}_mean_{unit}"] = _closed(before[name] * factor, digits)
            columns[f"{name}_sd_{unit}"] = _closed(
                built.average.spread[name][::2] * factor, digits
            )
    head = (
        "# The reference stride, percent of the stride from right initial contact; right side,",
        "# the left follows half a stride later, mirrored. NAME: what the reference runner",
        "# does; NAME_mean, NAME_sd: over the runners it comes from (reference_stride.toml),",
        "# before the changes that let one body run it; without them: another recording, or",
        "# computed. NAME_mean of pelvis_tx, _ty, _tz is about its mean. Signs:",
        "# kneestride/vocabulary.py.",
    )
    return _csv(head, columns)


def _ground(built: Built) -> str:
    columns: dict[str, Array] = {}
    for k, name in enumerate(GROUND):
        columns[name] = np.round(built.consistent.reference.ground[:, k], 6)
        columns[f"{name}_sd"] = np.round(built.average.ground_spread[:, k], 6)
    head = (
        "# Ground reaction of the right foot of the reference stride, percent of stance. Force",
        "# in body weights; centre of pressure in heel-to-toe lengths of the foot from the",
        "# heel's landmark, along the foot and to the right; free moment (about the vertical)",
        "# in body weight times height. _sd: over the runners.",
    )
    return _csv(head, columns)


def _closed(curve: Array, digits: int) -> Array:
    return np.round(np.append(curve, curve[0]), digits)


def _csv(head: Iterable[str], columns: Mapping[str, Array]) -> str:
    rows = np.stack(list(columns.values()), axis=1)
    lines = [*head, ",".join(["percent", *columns])]
    lines += [",".join([str(k), *(f"{v:.10g}" for v in row)]) for k, row in enumerate(rows)]
    return "\n".join(lines).replace(",-0,", ",0,") + "\n"


def _toml(built: Built) -> str:
    mean, done = built.average, built.consistent
    r = done.reference
    lines = [
        "# The reference runner's figures, written by scripts/build_reference_runner.py: do",
        "# not edit, build again. docs/reference_runner.md explains them.",
        "",
        "[source]",
        *(f'{key} = "{text}"' for key, text in built.sources.items()),
        "",
        "[runner]",
        "# means over the runners",
        f"mass_kg = {r.mass:.2f}",
        f"height_m = {r.height:.4f}",
        f"shank_torsion_deg = {np.degrees(r.torsion):.2f}  # outwards of the generic model's",
        f"sole_m = {r.sole:.4f}  # second metatarsal head over the floor, foot flat, in shoes",
        "",
        "[stride]",
        f"speed_m_s = {r.speed:.4f}",
        f"stride_s = {r.stride_s:.5f}",
        f"contact_s = {r.contact_s:.5f}",
        f"flat = {r.flat:g}  # share of stance at which the foot is flat",
        f"step_width_m = {mean.step_width:.4f}",
        "",
        "[scale]",
        "# geometric mean of the factors that fit the generic model to each runner: x, y, z",
        *(
            f"{body} = [{', '.join(f'{v:.4f}' for v in factors)}]"
            for body, factors in r.scale.items()
        ),
        "",
        "[static_deg]",
        "# quiet standing, mean of both sides",
        *(f"{name} = {np.degrees(value):.2f}" for name, value in r.static.items()),
        "",
        "[changed]",
        "# largest change that made the means one body's stride: degrees, pelvis_t* in mm",
        *_changes(mean, done),
        f"residual_force_N = {_largest(done.residual_force)}",
        f"residual_moment_Nm = {_largest(done.residual_moment)}",
        f"residual_force_of_means_N = {_largest(done.before_force)}",
        f"residual_moment_of_means_Nm = {_largest(done.before_moment)}",
        f"slide_mm = {1e3 * done.slide:.2f}  # ball of the foot on the belt, mid-stance",
        "",
        "[runners]",
        "# those the means come from: smallest, median, largest of the runners' own medians",
        f"count = {len(built.runners)}",
        f"strides = {sum(x.strides for x in built.runners)}",
    ]
    lines += [f"{name} = {_three([x.peaks[name] for x in built.runners], 2)}" for name in PEAKS]
    lines += [
        f"{name} = {_three([factor * getattr(x, field) for x in built.runners], digits)}"
        for name, field, factor, digits in (
            ("stride_s", "stride_s", 1.0, 3),
            ("contact_s", "contact_s", 1.0, 3),
            ("step_width_mm", "step_width_m", 1e3, 0),
            ("marker_error_mm", "residual_m", 1e3, 1),
        )
    ]
    return "\n".join(lines) + "\n"


def _changes(mean: Average, done: Consistent) -> list[str]:
    out = []
    for name, before in mean.reference.motion.items():
        change = done.reference.motion[name] - before
        if name == "pelvis_ty":
            change = change - change.mean()
        factor = 1e3 if name.startswith("pelvis_t") and len(name) == 9 else np.degrees(1.0)
        out.append(f"{name} = {factor * np.abs(change).max():.2f}")
    return out


def _largest(values: Array) -> str:
    return f"[{', '.join(f'{v:.1f}' for v in np.abs(values).max(axis=0))}]"


def _three(values: Sequence[float], digits: int) -> str:
    return f"[{', '.join(f'{f(values):.{digits}f}' for f in (min, np.median, max))}]"
