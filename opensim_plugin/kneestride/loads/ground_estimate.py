"""Ground reaction where nobody measured it: which method answers, and when none can.

Running with flight goes to the learned model (`loads.ground_prediction`). What comes back
has the form of a measured ground reaction, so that everything after it works alike; it is
marked `predicted`, and the errors of the prediction go with it. Where no method is known
to work the answer is None with the reason, and the chain stays with kinematics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import CaptureError
from ..motion.contacts import Contacts
from ..motion.events import events_from_kinematics
from ..motion.filtering import lowpass
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, Array
from .ground import MeasuredGround
from .ground_prediction import PredictedGround, PredictionSettings, predict_ground_reaction
from .types import GroundReaction

TRAINED_CUTOFF = 20.0
"""Hz, low-pass of the forces that the learned model was shown."""


@dataclass(frozen=True)
class EstimatedGround:
    """A ground reaction without plates.

    Attributes
    ----------
    ground : MeasuredGround
        The reaction, marked predicted, with figures; no plates, so no contacts.
    contacts : Contacts, that the prediction stands on
    method : {'learned'}
    force_error : (T, 2, 3) N, standard deviation, ground frame
    point_error : (T, 2, 2) m, standard deviation along and across the foot
    """

    ground: MeasuredGround
    contacts: Contacts
    method: str
    force_error: Array
    point_error: Array


@dataclass(frozen=True)
class NoGround:
    """Why there is no ground reaction, in one sentence."""

    reason: str


def estimate_ground(
    paths: AnatomicalPaths,
    body_mass: float,
    task: str,
    method: str,
    cutoff: float,
    thresholds: tuple[float, float],
) -> EstimatedGround | NoGround:
    """Predict the ground reaction of a movement, or say why that cannot be done.

    Parameters
    ----------
    paths : AnatomicalPaths
        Of the unfiltered motion: the methods smooth in their own way.
    body_mass : float, kg
    task : str, as `motion.tasks.recognise_task` names it
    method : {'auto', 'learned', 'none'}
    cutoff : float, Hz, low-pass that markers and forces get
    thresholds : (float, float) N, lower and upper level of contact
    """
    if method == "none":
        return NoGround("The ground forces are left out, as asked.")
    if task != "running":
        return NoGround(f"Ground forces are not predicted for this task ({task}).")
    contacts = events_from_kinematics(paths)
    settings = PredictionSettings(contact_lower=thresholds[0], contact_upper=thresholds[1])
    try:
        found = predict_ground_reaction(paths, body_mass, contacts, settings)
    except CaptureError as error:
        return NoGround(f"Ground forces cannot be predicted: {error.found}.")
    reaction = smoothed(found.reaction, paths.rate, cutoff)
    return EstimatedGround(
        MeasuredGround(reaction, (), figures(reaction, body_mass, found)),
        contacts,
        "learned",
        found.force_error,
        found.point_error,
    )


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


def figures(
    reaction: GroundReaction, body_mass: float, found: PredictedGround
) -> Mapping[str, float]:
    """What the summary tells about a prediction, in the measured ground's terms."""
    return {
        "mean_vertical_BW": float(reaction.force[:, :, 1].sum(axis=1).mean())
        / (body_mass * GRAVITY),
        "masked_share": float(reaction.masked.any(axis=1).mean()),
        "impulse_scale": found.scale,
        "strangeness_median": float(sorted(found.strangeness)[len(found.strangeness) // 2]),
        "stances": float(len(found.stances)),
    }
