"""The chain's two steps for captures without force plates.

`ground_without_plates` turns a fitted motion into what `loads.ground_estimate` looks at,
and `error_runs` recruits again under each direction in which the prediction may be off,
so that its errors reach the intervals of the loads by the loads' own mathematics.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .capture.trial import Subject
from .loads.ground_error import CHANNELS, GroundError
from .loads.ground_estimate import (
    TRAINED_CUTOFF,
    EstimatedGround,
    Movement,
    NoGround,
    estimate_ground,
)
from .loads.ground_mechanics import needed_wrench
from .loads.knee import balance_of
from .loads.recruitment import Recruited, recruit
from .loads.types import GroundReaction
from .model.fitting import FittedSubject
from .motion.corrections import Corrections
from .motion.kinematics import Motion
from .settings import Settings
from .stages import (
    Kinematics,
    LoadInputs,
    LoadsOfMotion,
    Prepared,
    external_forces,
    smooth,
)


def ground_without_plates(
    fitted: FittedSubject,
    prepared: Prepared,
    raw: Motion,
    kinematics: Kinematics,
    task: str,
    cutoff: float,
    subject: Subject,
    settings: Settings,
    corrections: Corrections | None = None,
) -> EstimatedGround | NoGround:
    """Ground reaction predicted from the motion, or why there is none.

    Parameters
    ----------
    raw : Motion as inverse kinematics left it
    cutoff : float, Hz, low-pass of `kinematics`
    corrections : Corrections, optional, of the contacts
    """
    if settings.ground_model == "none":
        return NoGround("Ground forces were left out, as asked.")
    force, moment = needed_wrench(
        fitted.body, kinematics.motion.q, kinematics.qd, kinematics.qdd
    )
    motion = kinematics.motion
    trunk = [i for i, n in enumerate(motion.coordinates) if n.startswith("lumbar_")]
    # Key points shake: their paths are only worth looking at after the chain's low-pass.
    noisy = prepared.keypoints is not None
    # Above the band of the forces that the model was shown, markers tell of skin only; in
    # another laboratory (hamner04, 4 m/s) this takes the error from 0.160 to 0.148.
    band = min(TRAINED_CUTOFF, 0.4 * raw.rate)
    movement = Movement(
        paths=kinematics.paths if noisy else smooth(fitted, prepared, raw, band).paths,
        smooth=kinematics.paths,
        force=force,
        moment=moment,
        trunk_seen=bool(trunk) and bool(motion.informed[trunk].any()),
        task=task,
        cutoff=cutoff,
        corrections=corrections or Corrections(),
    )
    levels = settings.contact_off_n, settings.contact_on_n
    return estimate_ground(movement, subject.mass, settings.ground_model, levels)


def error_runs(
    fitted: FittedSubject,
    inputs: LoadInputs,
    kinematics: Kinematics,
    loads: LoadsOfMotion,
    ground: GroundReaction,
    error: GroundError,
    first: int,
    last: int,
) -> dict[str, Recruited]:
    """Recruitment over frames first to last with each channel moved by one deviation.

    Returns
    -------
    dict of `ground_error.CHANNELS` to Recruited
    """
    cut = slice(first, last)
    motion, paths = kinematics.motion, kinematics.paths
    here = ground.window(first, last)
    paths = replace(
        paths,
        time=paths.time[cut],
        points={n: np.asarray(p[cut]) for n, p in paths.points.items()},
    )
    error = error.window(first, last)
    problem = loads.problem.window(first, last)
    out = {}
    for channel in CHANNELS:
        force, moment = external_forces(fitted, error.moved(channel, here, paths))
        dynamics = fitted.body.inverse_dynamics(
            motion.q[cut], kinematics.qd[cut], kinematics.qdd[cut], force, moment
        )
        balance = balance_of(fitted.body, dynamics, inputs.knees)
        out[channel] = recruit(
            replace(problem, moments=dynamics.tau, balance=balance), loads.recruitment
        )
    return out
