"""Trunk and arm movement, which RBDS did not capture, from another public recording.

Subject 04 of Hamner & Delp 2013 ran at 2 and 4 m/s with markers on trunk and arms. The
average strides of the two are interpolated to the reference speed. One runner's trunk and
arms are a posture and a swing to stand on, not a mean of people: the figures say so.
"""

from __future__ import annotations

import json
from pathlib import Path

from kneestride import stages
from kneestride.capture.trial import Subject
from kneestride.loads.ground import GroundSettings, measure_ground
from kneestride.model.fitting import fit_subject
from kneestride.motion.events import events_from_force
from kneestride.settings import Settings
from kneestride.vocabulary import GRAVITY, Array

from .measure import FORCE_CUTOFF, average_curves, strides_of

UPPER = (
    "lumbar_extension", "lumbar_bending", "lumbar_rotation",
    "arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup",
)  # fmt: skip
PELVIS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
SPEEDS = {"run200": 2.0, "run400": 4.0}


def upper_body(folder: Path, speed: float) -> dict[str, Array]:
    """Curves by phase of trunk, arms and pelvis angles at a speed in m/s, right side.

    Parameters
    ----------
    folder : ../shared/data/hamner04
    speed : float, m/s, between those recorded
    """
    found = {v: _measure(folder, name) for name, v in SPEEDS.items()}
    low, high = sorted(found)
    share = (speed - low) / (high - low)
    return {
        name: (1 - share) * found[low][name] + share * found[high][name]
        for name in (*UPPER, *PELVIS)
    }


def _measure(folder: Path, name: str) -> dict[str, Array]:
    person = json.loads((folder / "subject.json").read_text(encoding="utf-8"))
    subject = Subject(float(person["massKg"]), float(person["heightM"]), "m")
    settings = Settings()
    prepared = stages.prepare(
        folder / f"{name}.trc", None, folder / f"{name}_grf.mot", None, settings, subject
    )
    fitted = fit_subject(
        stages.generic_model(None, settings), subject, prepared.trial.markers, prepared.names
    )
    raw, *_ = stages.follow_markers(fitted, prepared)
    smooth = stages.smooth(fitted, prepared, raw, stages.FAST_CUTOFF)
    if prepared.trial.forces is None:
        raise SystemExit(f"{name}: Expected ground forces. Found none.")
    ground = measure_ground(
        prepared.trial.forces,
        smooth.paths,
        subject.mass,
        GroundSettings(cutoff=FORCE_CUTOFF / 2),
    ).reaction
    contacts = events_from_force(raw.time, ground.force[:, :, 1], subject.mass * GRAVITY)
    return average_curves(smooth.motion, strides_of(contacts))
