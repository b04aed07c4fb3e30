"""A small made-up analysis for the tests of the results folder (no physics in it)."""

from __future__ import annotations

import numpy as np
from kneestride.capture.trial import Markers, Subject
from kneestride.loads.types import Check, GroundReaction, KneeLoads, MuscleForces
from kneestride.motion.kinematics import Motion
from kneestride.results.folder import Results
from kneestride.results.tables import Table
from kneestride.settings import Settings

MODEL = '<?xml version="1.0" encoding="UTF-8" ?>\n<OpenSimDocument Version="40600">\n' + (
    '<Model name="sample"></Model>\n</OpenSimDocument>\n'
)
COORDINATES = ("pelvis_tilt", "pelvis_tx", "knee_angle_r", "knee_angle_l")
MUSCLES = ("soleus_r", "soleus_l", "vasmed_r")


def sample_results(frames: int = 60, masked: bool = True, forces: bool = True) -> Results:
    """Return results whose every array differs from every other."""
    rng = np.random.default_rng(3)
    rate = 150.0
    time = 0.83 + np.arange(frames) / rate
    sides = (frames, 2)
    motion = Motion(
        time=time,
        rate=rate,
        coordinates=COORDINATES,
        q=rng.normal(size=(frames, len(COORDINATES))),
        informed=np.array([True, True, True, False]),
        marker_names=("R.ASIS", "L.ASIS"),
        marker_error=np.abs(rng.normal(size=(frames, 2))) * 0.01,
    )
    mask = np.zeros(sides, dtype=bool)
    if masked:
        mask[10:16, 1] = True
    ground = GroundReaction(
        time=time,
        force=100.0 + rng.normal(size=(*sides, 3)),
        point=rng.normal(size=(*sides, 3)),
        torque=rng.normal(size=(*sides, 3)),
        contact=np.ones(sides, dtype=bool),
        masked=mask,
    )
    names = ("medial", "lateral", "total", "adduction_moment", "flexion_moment")
    names += ("patellofemoral", "collateral_medial", "collateral_lateral")
    names += ("split_medial", "split_lateral")
    knee = KneeLoads(
        time=time,
        **{name: np.where(mask, np.nan, 500.0 + rng.normal(size=sides)) for name in names},
    )
    loaded = np.where(mask.any(axis=1)[:, None], np.nan, 1.0)
    muscles = MuscleForces(
        time=time,
        muscles=MUSCLES,
        activation=rng.uniform(0.01, 0.9, size=(frames, len(MUSCLES))) * loaded,
        force=rng.uniform(10.0, 900.0, size=(frames, len(MUSCLES))) * loaded,
        reserves=("knee_angle_r",),
        reserve_moment=rng.normal(size=(frames, 1)) * loaded,
        saturated=np.zeros((frames, len(MUSCLES)), dtype=bool),
        equality_residual=np.zeros(frames),
        fallback=np.zeros(frames, dtype=bool),
    )
    strides = tuple(
        {
            "kind": "stride",
            "side": side,
            "start_s": round(0.85 + 0.1 * i, 6),
            "end_s": round(0.93 + 0.1 * i, 6),
            "contact_s": 0.06,
            "step_width_mm": -12.5 + i,
            "alignment": "valgus" if i else "neutral",
            "landing": "crossover",
            "medial_peak_BW": 3.0 + i,
        }
        for side in ("r", "l")
        for i in range(3)
    )
    return Results(
        trial="sample",
        subject=Subject(mass=70.0, height=1.75, sex="f"),
        motion=motion,
        model_xml=MODEL,
        coupled=Table(("knee_angle_r_beta",), time, motion.q[:, 2:3]),
        inverse_dynamics=Table(COORDINATES, time, rng.normal(size=(frames, 4)))
        if forces
        else None,
        ground=ground if forces else None,
        muscles=muscles if forces else None,
        knee=knee if forces else None,
        unpowered=Table(COORDINATES, time, rng.normal(size=(frames, 4))) if forces else None,
        tissues=Table(("mcl_r_strain",), time, rng.normal(size=(frames, 1)))
        if forces
        else None,
        strides=strides,
        markers=Markers(
            names=("R.ASIS", "L.ASIS"),
            time=time,
            rate=rate,
            positions=rng.normal(size=(frames, 2, 3)),
        ),
        marker_weights={"R.ASIS": 2.0},
        coordinate_weights={"knee_angle_l": 0.1},
        settings=Settings().to_dict(),
        sources={"sample.trc": "0" * 64},
        timing={"reading": 0.25, "total": 1.5},
        checks=(
            Check("reserves", "look", 0.07, 0.05, "Reserves are 7 % of peak.", {"r": 0.07}),
        ),
        warnings=("Six frames of the left foot are masked: both feet on one plate.",),
        log=("read sample.trc",),
        summary={"residuals": {"force": np.float64(0.04), "missing": float("nan")}},
    )
