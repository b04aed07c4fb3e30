"""Captures held in memory, so that loads can be computed again with one input changed.

The validation scripts ask the same question many times: what would the knee carry if this
one thing were different? A `Case` reads a capture, fits the model and follows the markers
once; what is changed afterwards runs only the stages behind it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from kneestride import stages
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Subject, Trial
from kneestride.loads.ground import GroundSettings, measure_ground
from kneestride.loads.types import GroundReaction, KneeLoads
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.model.knee import KneeGeometry
from kneestride.settings import Settings, check_subject
from kneestride.vocabulary import GRAVITY, SIDES, Array, Side

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
MODELS = ROOT.parent / "shared" / "models"
COMPARTMENTS = ("medial", "lateral", "total")
CONTACT_SHORTEST = 0.1
"""s; shorter contacts are cut off by the ends of the recording."""


@dataclass(frozen=True)
class Capture:
    """What to read and of whom; `window` (s, s) cuts a long recording."""

    name: str
    trial: Path
    mass: float
    height: float
    sex: str = ""
    static: Path | None = None
    forces: Path | None = None
    window: tuple[float, float] | None = None


def gc5() -> Capture:
    """The walking trial with the implant."""
    at = DATA / "gc5"
    name = "ngait_og_ss1"
    return Capture(
        "gc5, walking", at / f"{name}.trc", 75.0, 1.80, "m", at / "static.trc",
        at / f"{name}_grf.mot",
    )  # fmt: skip


def bmc_run() -> Capture:
    """One treadmill run, 2.7 m/s."""
    at = DATA / "bmc_run"
    return Capture(
        "bmc_run", at / "run.trc", 70.0, 1.68, "", at / "static.trc", at / "run_grf.mot"
    )


def rbds(runner: str = "RBDS001", speed: str = "T35") -> Capture:
    """Four seconds of a runner of RBDS."""
    at = DATA / "rbds"
    with (at / "participants.csv").open(encoding="utf-8") as file:
        people = {int(row["subject"][4:]): row for row in csv.DictReader(file)}
    person = people[int(runner[4:])]
    return Capture(
        f"{runner}run{speed}", at / f"{runner}run{speed}.c3d", float(person["mass_kg"]),
        float(person["height_cm"]) / 100.0, person["sex"].lower(),
        at / f"{runner}static.c3d", None, (5.0, 9.0),
    )  # fmt: skip


def cut(trial: Trial, window: tuple[float, float]) -> Trial:
    """The part of a recording between two times after its beginning, s."""
    m, f = trial.markers, trial.forces
    begin, end = m.time[0] + window[0] - 1e-9, m.time[0] + window[1] + 1e-9
    kept = (m.time >= begin) & (m.time <= end)
    markers = replace(m, time=m.time[kept], positions=m.positions[kept])
    if f is None:
        return replace(trial, markers=markers, analog=None)
    kept = (f.time >= begin) & (f.time <= end)
    forces = replace(
        f, time=f.time[kept], force=f.force[kept], point=f.point[kept], torque=f.torque[kept],
        moment_at_origin=None if f.moment_at_origin is None else f.moment_at_origin[kept],
    )  # fmt: skip
    return replace(trial, markers=markers, forces=forces, analog=None)


@dataclass
class Case:
    """A capture with everything before the loads done.

    Attributes
    ----------
    capture, subject, settings : what was asked
    prepared, fitted, inputs, ground : of the stages
    cutoff : Hz
    """

    capture: Capture
    subject: Subject
    settings: Settings
    prepared: stages.Prepared
    fitted: FittedSubject
    inputs: stages.LoadInputs
    raw: Any
    smooth: stages.Smoothed
    ground: GroundReaction
    cutoff: float

    @property
    def body_weight(self) -> float:
        """N."""
        return self.subject.mass * GRAVITY

    def loads(
        self, settings: Settings | None = None, inputs: stages.LoadInputs | None = None
    ) -> stages.LoadsOfMotion:
        """Loads with other settings of the muscles, or other inputs of recruitment."""
        settings = settings or self.settings
        if inputs is None:
            changed = settings != self.settings
            inputs = (
                stages.load_inputs(self.fitted, self.subject, settings)
                if changed
                else self.inputs
            )
        return stages.loads_of_motion(
            self.fitted, inputs, self.subject, self.smooth.motion, self.smooth.qd,
            self.smooth.qdd, self.ground, settings,
        )  # fmt: skip

    def knees(self, change: Callable[[Side, KneeGeometry], KneeGeometry]) -> stages.LoadInputs:
        """Inputs whose knees are changed."""
        return replace(self.inputs, knees={s: change(s, self.inputs.knees[s]) for s in SIDES})

    def filtered(self, cutoff: float) -> Case:
        """The same capture with another low-pass of markers and forces, Hz."""
        assert self.prepared.trial.forces is not None
        smooth = stages.smooth(self.fitted, self.prepared, self.raw, cutoff)
        ground = measure_ground(
            self.prepared.trial.forces, smooth.paths, self.subject.mass,
            GroundSettings(cutoff=cutoff),
        ).reaction  # fmt: skip
        return replace(self, smooth=smooth, ground=ground, cutoff=cutoff)


def prepare(
    capture: Capture,
    settings: Settings | None = None,
    model: Path | None = None,
    change_model: Callable[[Any], None] | None = None,
    change_fit: Callable[[FittedSubject], FittedSubject] | None = None,
) -> Case:
    """Run a capture up to its ground reaction.

    Parameters
    ----------
    capture : Capture
    settings : Settings, optional
    model : Path of another gait model, optional
    change_model : called with the generic opensim.Model before it is fitted
    change_fit : what is made of the fit before the markers are followed
    """
    settings = settings or Settings()
    subject = check_subject(capture.mass, capture.height, capture.sex)
    trial: Path | Trial = capture.trial
    forces = capture.forces
    if capture.window is not None:
        trial, forces = cut(read_trial(capture.trial, forces), capture.window), None
    prepared = stages.prepare(trial, capture.static, forces, None, settings, subject)
    generic = stages.generic_model(model, settings)
    if change_model is not None:
        change_model(generic)
    fitted = fit_subject(
        generic, subject, prepared.trial.markers, prepared.names, prepared.static,
        prepared.static_names,
    )  # fmt: skip
    stages.apply_knee_settings(fitted, settings)
    if change_fit is not None:
        fitted = change_fit(fitted)
    raw, _, _, _ = stages.follow_markers(fitted, prepared)
    walking = capture.name.endswith("walking")
    cutoff = settings.cutoff_hz or (stages.SLOW_CUTOFF if walking else stages.FAST_CUTOFF)
    smooth = stages.smooth(fitted, prepared, raw, cutoff)
    assert prepared.trial.forces is not None
    ground = measure_ground(
        prepared.trial.forces, smooth.paths, subject.mass, GroundSettings(cutoff=cutoff)
    ).reaction
    inputs = stages.load_inputs(fitted, subject, settings)
    return Case(
        capture, subject, settings, prepared, fitted, inputs, raw, smooth, ground, cutoff
    )


def contacts(ground: GroundReaction, side: int) -> list[slice]:
    """Whole contacts of a foot; where none is whole, the longest piece of one."""
    on = np.concatenate([[False], ground.contact[:, side], [False]]).astype(int)
    pieces = [
        (int(a), int(b))
        for a, b in zip(
            np.flatnonzero(np.diff(on) == 1), np.flatnonzero(np.diff(on) == -1), strict=True
        )
        if ground.time[b - 1] - ground.time[a] >= CONTACT_SHORTEST
        and not ground.masked[a:b, side].any()
    ]
    whole = [slice(a, b) for a, b in pieces if a > 0 and b < len(ground.time)]
    if whole or not pieces:
        return whole
    a, b = max(pieces, key=lambda piece: piece[1] - piece[0])
    return [slice(a, b)]


def figures(case: Case, knee: KneeLoads, sides: tuple[int, ...]) -> dict[str, float]:
    """Peak (BW) and impulse (BW·s) of each compartment: median of contacts, mean of sides."""
    out: dict[str, float] = {}
    for name in COMPARTMENTS:
        peaks, sums = [], []
        for side in sides:
            curve: Array = getattr(knee, name)[:, side] / case.body_weight
            parts = contacts(case.ground, side)
            if not parts:
                continue
            peaks.append(np.median([np.nanmax(curve[part]) for part in parts]))
            sums.append(
                np.median([np.trapezoid(curve[part], knee.time[part]) for part in parts])
            )
        out[f"{name} peak"] = float(np.mean(peaks))
        out[f"{name} impulse"] = float(np.mean(sums))
    return out
