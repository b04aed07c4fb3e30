"""The explainable prediction: every part of the body carries an effective mass.

Newton's law with the masses left open: each component of the ground reaction is a sum of
42 terms, 33 segment accelerations (11 points or directions, three axes each, see
`ground_features.COLUMNS`), each times a share of the body's mass, and nine functions of
the phase of stance for what the markers do not show (trunk, arms, and gravity in the
constant). Three components make 126 coefficients, the same for every runner, that can be
read one by one. It is less exact than the regression of `ground_model` (see
docs/ground_prediction.md) and exists to be understood and to disagree.

Method: the linear "effective mass" of methods.md, after the idea of Bobbert, Schamhardt
& Nigg 1991 (J Biomech 24:1095) that accelerations of segments, times their masses, add up
to the ground reaction in running.
"""

from __future__ import annotations

import numpy as np

from ..vocabulary import Array
from .ground_features import COLUMNS, Signals, Stance, segment_accelerations

PHASE_TERMS = 9
TERMS = 3 * len(COLUMNS) + PHASE_TERMS
"""Terms of each force component: 33 accelerations and nine functions of phase."""


def terms(signals: Signals, stance: Stance, phases: Array) -> Array:
    """Terms (N, TERMS) of a stance at phases (N,); accelerations in g, mirrored if left."""
    acceleration = segment_accelerations(signals, stance, phases).reshape(len(phases), -1)
    order = np.arange(1, PHASE_TERMS)
    waves = np.sin(np.pi * phases[:, None] * order)
    return np.concatenate((acceleration, np.ones((len(phases), 1)), waves), axis=1)


def effective_mass_force(
    coefficients: Array, signals: Signals, stance: Stance, phases: Array
) -> Array:
    """Force (3, N) in body weights, forward, up and right; zero out of contact.

    Parameters
    ----------
    coefficients : (TERMS, 3) body weights per g, and body weights
    phases : (N,) of the contact, 0 at landing and 1 at toe-off
    """
    force = (terms(signals, stance, phases) @ coefficients).T
    return np.asarray(force * ((phases >= 0.0) & (phases <= 1.0)))
