"""Rows of `strides.csv`: the stride table, alignment and classes in the units people read.

The one place of this room where radians become degrees and metres become millimetres.
Columns end in their unit; for each quantity there are `_ic`, `_mid`, `_peak` and
`_change` (initial contact, mid-stance or deepest point, peak, change).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..vocabulary import Array
from .alignment import METRES, RADIANS, SHARES, Alignment, Measure, align
from .contacts import Contacts
from .kinematics import AnatomicalPaths
from .strides import stride_table
from .tasks import Task, recognise_task
from .thresholds import classify, load_thresholds

Row = dict[str, str | float]


def stride_rows(
    paths: AnatomicalPaths,
    contacts: Contacts,
    *,
    task: Task | None = None,
    sex: str = "",
    pressure: Array | None = None,
) -> tuple[Row, ...]:
    """From paths and contacts to the rows of `strides.csv`, without the loads.

    Parameters
    ----------
    paths : AnatomicalPaths
    contacts : Contacts
    task : Task, optional
    sex : {'m', 'f', ''}
    pressure : (T, 2, 3) m, optional, centre of pressure per foot

    Returns
    -------
    tuple of dict, in order of time
    """
    task = task or recognise_task(paths, contacts)
    chain = load_thresholds()["chain"]
    aligned = align(
        paths,
        stride_table(paths, contacts, task),
        pressure=pressure,
        least_angle=float(np.radians(chain["least_angle"])),
        least_arch=float(chain["least_arch"]),
    )
    return tuple(row(a, task, sex) for a in aligned)


def row(alignment: Alignment, task: Task, sex: str = "") -> Row:
    """One stride as columns."""
    s = alignment.stride
    knee, foot = classify(alignment, task, sex)
    out: Row = {
        "kind": s.kind,
        "side": s.side,
        "start_s": s.start_s,
        "end_s": s.end_s,
        "contact_s": s.contact_s,
        "step_width_mm": 1e3 * s.step_width_m,
        "alignment": knee.name,
        "alignment_margin_deg": float(np.degrees(knee.margin)),
        "landing": foot.name,
        "landing_margin_mm": 1e3 * foot.margin,
        "task": task,
        "mid_s": s.mid_s,
        "heel_to_midline_mm": 1e3 * s.heel_to_midline_m,
        "toe_to_midline_mm": 1e3 * s.toe_to_midline_m,
        "step_length_m": s.step_length_m,
        "step_time_s": s.step_time_s,
        "stride_time_s": s.stride_time_s,
        "cadence_per_min": s.cadence,
        "speed_m_s": s.speed_m_s,
        "dynamic_valgus_deg": float(np.degrees(alignment.dynamic_valgus)),
    }
    for names, factor, unit in ((RADIANS, float(np.degrees(1.0)), "deg"), (METRES, 1e3, "mm")):
        for name in names:
            out |= _four(name, alignment.measures[name], factor, unit)
    for name in SHARES:
        out |= _four(name, alignment.measures[name], 1.0, "ratio")
    out["medial_knee_displacement_pct_leg"] = 100.0 * alignment.medial_knee_displacement_share
    out["lateral_edge_landing_deg"] = float(np.degrees(alignment.lateral_edge_landing))
    out["pressure_lateral_mm"] = 1e3 * alignment.pressure_lateral_m
    out |= _four("knee_separation", alignment.knee_separation, 1.0, "ratio")
    out |= _four("ankle_separation", alignment.ankle_separation, 1.0, "ratio")
    out["chain_share"] = alignment.chain.share
    out["chain_measured"] = float(alignment.chain.measured)
    present = [link.name for link in alignment.chain.links if link.present]
    out["chain_present"] = "; ".join(present)
    return out


def _four(name: str, m: Measure, factor: float, unit: str) -> Row:
    return {
        f"{name}_ic_{unit}": factor * m.initial_contact,
        f"{name}_mid_{unit}": factor * m.mid_stance,
        f"{name}_peak_{unit}": factor * m.peak,
        f"{name}_change_{unit}": factor * m.change,
    }


def class_shares(rows: Sequence[Row], column: str) -> dict[str, float]:
    """Share of each class among the rows that have one; column 'alignment' or 'landing'."""
    named = [str(r[column]) for r in rows if r[column]]
    return {name: named.count(name) / len(named) for name in dict.fromkeys(named)}
