"""Ground reaction where nobody measured it: which method answers, and when none can.

Running with flight goes to the learned model (`loads.ground_prediction`), walking and
squats to mechanics (`loads.ground_mechanics`), which needs no training and measures better
there. What comes back has the form of a measured ground reaction, so that everything
after it works alike; it is marked `predicted`, and the errors of the prediction go with
it. Where no method is known to work the answer is `NoGround` with the reason, and the
chain stays with kinematics. In running, mechanics is asked too, and a prediction that
it contradicts is flagged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import CaptureError
from ..motion.contacts import Contacts
from ..motion.corrections import Corrections
from ..motion.events import events_from_kinematics
from ..motion.filtering import lowpass
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array
from .ground import MeasuredGround
from .ground_error import GroundError
from .ground_mechanics import mechanical_ground, until_the_toes_rise
from .ground_model import load_ground_model
from .ground_prediction import PredictedGround, PredictionSettings, predict_ground_reaction
from .types import GroundReaction

TRAINED_CUTOFF = 20.0
"""Hz, low-pass of the forces that the learned model was shown."""

BY_TASK = {"running": "learned", "walking": "mechanics", "squat": "mechanics"}
"""Which method measured best, see docs/ground_prediction.md."""

MECHANICS_FORCE = np.array([0.05, 0.07, 0.035])
MECHANICS_POINT = np.array([0.030, 0.012])
"""Body weights and m: errors of the mechanics against plates in walking, `opencap04` and
`gc5` (five trials; docs/ground_prediction.md), the upper end of what was found."""

DISAGREEMENT = 0.45
"""Body weights, root mean square over stance between the learned vertical force and the
one that mechanics asks for, above which the prediction is flagged. Lower-body captures of
RBDS runs lie between 0.14 and 0.40."""


@dataclass(frozen=True)
class Movement:
    """What the methods look at.

    Attributes
    ----------
    paths : AnatomicalPaths low-passed at `TRAINED_CUTOFF`, which the learned model looks at
    smooth : AnatomicalPaths, low-passed as for inverse dynamics
    force, moment : (T, 3) N, N·m about the ground origin, of `needed_wrench`
    trunk_seen : bool
    task : str, of `motion.tasks.recognise_task`
    cutoff : float, Hz
    corrections : Corrections of a person, put into the contacts found
    """

    paths: AnatomicalPaths
    smooth: AnatomicalPaths
    force: Array
    moment: Array
    trunk_seen: bool
    task: str
    cutoff: float
    corrections: Corrections = field(default_factory=Corrections)

    def corrected(self, found: Contacts) -> Contacts:
        """Contacts with what a person corrected."""
        time = self.paths.time
        return self.corrections.of_contacts(found, float(time[0]), float(time[-1]))


@dataclass(frozen=True)
class EstimatedGround:
    """A ground reaction without plates.

    Attributes
    ----------
    ground : MeasuredGround
        The reaction, marked predicted, with figures; no plates, so no contacts.
    contacts : Contacts, that the prediction stands on
    method : {'learned', 'mechanics', 'effective_mass'}
    error : GroundError
    warnings : tuple of str
    """

    ground: MeasuredGround
    contacts: Contacts
    method: str
    error: GroundError
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoGround:
    """Why there is no ground reaction, in one sentence."""

    reason: str


def estimate_ground(
    movement: Movement, body_mass: float, method: str, thresholds: tuple[float, float]
) -> EstimatedGround | NoGround:
    """Predict the ground reaction of a movement, or say why that cannot be done.

    Parameters
    ----------
    movement : Movement
    body_mass : float, kg
    method : {'auto', 'learned', 'mechanics', 'effective_mass', 'none'}
    thresholds : (float, float) N, lower and upper level of contact
    """
    if method == "none":
        return NoGround("Ground forces were left out, as asked.")
    chosen = BY_TASK.get(movement.task) if method == "auto" else method
    if chosen is None:
        return NoGround(f"Ground forces are not predicted for this task ({movement.task}).")
    try:
        if chosen == "mechanics":
            return _by_mechanics(movement, body_mass)
        return _learned(movement, body_mass, chosen, thresholds)
    except CaptureError as error:
        return NoGround(
            f"Ground forces cannot be predicted: expected {error.expected}; found "
            f"{error.found}."
        )


def _learned(
    movement: Movement, body_mass: float, method: str, thresholds: tuple[float, float]
) -> EstimatedGround:
    paths = movement.paths
    contacts = movement.corrected(events_from_kinematics(paths))
    settings = PredictionSettings(
        contact_lower=thresholds[0], contact_upper=thresholds[1], method=method
    )
    found = predict_ground_reaction(paths, body_mass, contacts, settings)
    reaction = smoothed(found.reaction, paths.rate, movement.cutoff)
    figures = dict(_figures(reaction, body_mass)) | {
        "impulse_scale": found.scale,
        "strangeness_median": float(np.median(found.strangeness)),
        "stances": float(len(found.stances)),
    }
    warnings = list(found.reaction.notes)
    apart = disagreement(found, movement.force, body_mass)
    if np.isfinite(apart):
        figures["mechanics_apart_BW"] = apart
        if apart > DISAGREEMENT:
            warnings.append(
                f"Mass times acceleration disagrees with the predicted vertical force by "
                f"{apart:.2f} body weights (usual: up to {DISAGREEMENT:.2f}): trust the "
                "forces less."
            )
    error = GroundError(found.force_error, found.point_error, load_ground_model().lasting[:5])
    return EstimatedGround(
        MeasuredGround(reaction, (), figures), contacts, method, error, tuple(warnings)
    )


def _by_mechanics(movement: Movement, body_mass: float) -> EstimatedGround:
    paths = movement.smooth
    contacts = events_from_kinematics(paths)
    if movement.task == "walking":
        contacts = until_the_toes_rise(contacts, paths)
    contacts = movement.corrected(contacts)
    if not contacts.found:
        raise CaptureError("a foot on the ground", "none in the recording", "check the floor")
    found = mechanical_ground(
        paths, contacts, movement.force, movement.moment, body_mass, movement.trunk_seen
    )
    weight = body_mass * GRAVITY
    apart = np.linalg.norm(found.missed_force, axis=1) / weight
    figures = dict(_figures(found.reaction, body_mass)) | {
        "missed_force_BW": float(np.sqrt(np.mean(apart**2)))
    }
    notes = [
        "Ground reaction computed from the body's masses and accelerations; no force was "
        "measured."
    ]
    if not movement.trunk_seen:
        notes.append(
            "Trunk and arms were not captured and move with the pelvis in the computation: "
            "trust the forces less."
        )
    on = found.reaction.contact[:, :, None]
    error = GroundError(weight * MECHANICS_FORCE * on, MECHANICS_POINT * on, np.full(5, 0.5))
    reaction = replace(found.reaction, notes=tuple(notes))
    return EstimatedGround(
        MeasuredGround(reaction, (), figures), contacts, "mechanics", error, tuple(notes)
    )


def disagreement(found: PredictedGround, force: Array, body_mass: float) -> float:
    """Root mean square over predicted stance, in body weights, between the vertical force
    and the one that mechanics asks for; NaN without a predicted stance."""
    on = found.reaction.contact.any(axis=1) & ~found.reaction.masked.any(axis=1)
    if not on.any():
        return float("nan")
    apart = found.reaction.force[on, :, 1].sum(axis=1) - force[on, 1]
    return float(np.sqrt(np.mean(apart**2)) / (body_mass * GRAVITY))


def smoothed(reaction: GroundReaction, rate: float, cutoff: float) -> GroundReaction:
    """The force with the low-pass of the markers, still zero out of contact."""
    if cutoff >= TRAINED_CUTOFF or cutoff >= 0.5 * rate:
        return reaction
    on = reaction.contact[:, :, None]
    return replace(
        reaction,
        force=lowpass(reaction.force, rate, cutoff) * on,
        torque=lowpass(reaction.torque, rate, cutoff) * on,
    )


def _figures(reaction: GroundReaction, body_mass: float) -> Mapping[str, float]:
    """What the summary tells, in the measured ground's terms."""
    return {
        "mean_vertical_BW": float(reaction.force[:, :, 1].sum(axis=1).mean())
        / (body_mass * GRAVITY),
        "masked_share": float(reaction.masked.any(axis=1).mean()),
    } | {
        f"masked_share_{side}": float(reaction.masked[:, s].mean())
        for s, side in enumerate(SIDES)
    }
