"""Is the recording the size of a person, and do its forces carry one?

A file that says mm and holds cm, or forces in kN, gives smooth and plausible-looking
curves ten or a thousand times off. A person's size is known well enough to tell: the
limits here are several times wider than any marker set or posture seen, and still
narrower than a factor of ten.
"""

from __future__ import annotations

import numpy as np

from ..errors import CaptureError
from ..vocabulary import GRAVITY, Array
from .trial import Forces, Markers

USUAL_HEIGHT = 1.7
"""m; stands in when the subject's height is not given."""

SIZE_RANGE = (0.08, 0.7)
"""Median distance of the markers from their middle, as a share of body height. Measured:
0.18 (legs only) to 0.36 (arms out) over every public trial the project reads."""

FEWEST = 4
"""Markers that must be seen at once for a body to be told at all."""

PEAK_RANGE = (0.3, 15.0)
"""Largest ground force in body weights: standing on one plate of two, to a hard landing."""

MEAN_LIMIT = 2.5
"""Mean vertical force in body weights; a body that neither rises nor sinks shows one."""


def body_size(markers: Markers) -> float:
    """Median distance of the markers from the middle of all, m.

    Does not depend on the axes and hardly on a stray marker.
    """
    positions = markers.positions[:: max(1, len(markers.time) // 400)]
    positions = positions[np.isfinite(positions).all(axis=2).any(axis=1)]
    if not len(positions):
        return float("nan")
    middle = np.nanmedian(positions, axis=1, keepdims=True)
    return float(np.nanmedian(np.linalg.norm(positions - middle, axis=2)))


def check_size(markers: Markers, height: float | None = None) -> None:
    """Stop when the markers cannot be a person in metres.

    Parameters
    ----------
    markers : Markers
    height : float, optional
        Body height, m.

    Raises
    ------
    CaptureError
        Says the factor it looks like. Nothing is rescaled.
    """
    together = int(np.isfinite(markers.positions).all(axis=2).sum(axis=1).max(initial=0))
    if together < FEWEST:
        raise CaptureError(
            f"at least {FEWEST} markers seen together on the body",
            f"at most {together} in one frame, of {', '.join(markers.names) or 'none'}",
            "export the trial with all its labelled markers",
        )
    share = body_size(markers) / (height or USUAL_HEIGHT)
    if SIZE_RANGE[0] <= share <= SIZE_RANGE[1]:
        return
    usual = float(np.sqrt(SIZE_RANGE[0] * SIZE_RANGE[1]))
    factor = 10.0 ** round(float(np.log10(max(share, 1e-12) / usual)))
    size = f"markers {body_size(markers):.3g} m from their middle"
    guess = "" if factor == 1 else f", about {_times(factor)} for a person"
    if height:
        guess += f" of {height:.2f} m"
    raise CaptureError(
        f"markers {SIZE_RANGE[0] * USUAL_HEIGHT:.2f} to {SIZE_RANGE[1] * USUAL_HEIGHT:.2f} m"
        " from their middle, as on a person",
        size + guess,
        "correct the unit of length in the file's header (mm, cm, m)"
        " and check the subject's height (metres)",
    )


def check_load(forces: Forces, mass: float | None, up: Array) -> None:
    """Stop when the ground forces cannot carry the subject, or pull downwards.

    Parameters
    ----------
    forces : Forces
    mass : float or None
        kg; without it only the direction is checked.
    up : (3,) unit vector
        Vertical in the forces' axes, from the markers.

    Raises
    ------
    CaptureError
        Forces ten or a thousand times off, upside down, or about another vertical.
    """
    total = np.nansum(forces.force, axis=1)
    mean = total.mean(axis=0)
    strength = float(np.linalg.norm(mean))
    if strength < 20.0:
        # Nobody on the plates (a static trial beside them), or a factor too small.
        peak = float(np.linalg.norm(total, axis=1).max(initial=0.0))
        if mass is not None and 0.0 < peak < PEAK_RANGE[0] * mass * GRAVITY and peak > 1e-9:
            _check_small(forces, peak, mass)
        return
    if mean @ up < 0.7 * strength:
        axis = "XYZ"[int(np.argmax(np.abs(mean)))]
        sign = "-" if mean[int(np.argmax(np.abs(mean)))] < 0 else "+"
        todo = (
            "write the reaction on the person (pointing up), not the force on the plate"
            if mean @ up < -0.7 * strength
            else "export markers and forces in the same axes"
        )
        raise CaptureError(
            "ground forces that push the person up, in the markers' axes",
            f"a mean force of {strength:.0f} N along {sign}{axis}, while the markers stand"
            f" along ({up[0]:.0f}, {up[1]:.0f}, {up[2]:.0f})",
            todo,
        )
    if mass is None:
        return
    peak = float((total @ up).max()) / (mass * GRAVITY)
    lasting = float(mean @ up) / (mass * GRAVITY)
    if peak > PEAK_RANGE[1]:
        raise CaptureError(
            f"a peak ground force of at most {PEAK_RANGE[1]:g} body weights",
            f"{peak:.3g} body weights of {mass:g} kg",
            "check the force unit (N) and the subject's mass (kg)",
        )
    if peak < PEAK_RANGE[0]:
        raise CaptureError(
            f"a peak ground force of at least {PEAK_RANGE[0]:g} body weights",
            f"{peak:.3g} body weights of {mass:g} kg",
            "check the force unit (N) and the subject's mass (kg)",
        )
    if lasting > MEAN_LIMIT:
        raise CaptureError(
            f"a mean vertical ground force of about one body weight, at most {MEAN_LIMIT:g}",
            f"{lasting:.3g} body weights of {mass:g} kg",
            "check the force unit (N) and the subject's mass (kg)",
        )


def _check_small(forces: Forces, peak: float, mass: float) -> None:
    """A weak force is either an empty plate or newtons mistaken for kilonewtons."""
    # An empty plate is noise about zero; a load in kN has the shape of stances.
    total = np.linalg.norm(np.nansum(forces.force, axis=1), axis=1)
    steps = np.abs(np.diff(total)).mean() if len(total) > 1 else 0.0
    if 0.3 * mass * GRAVITY / 1e3 < peak < PEAK_RANGE[1] * mass * GRAVITY / 1e3 and (
        steps < 0.05 * peak
    ):
        raise CaptureError(
            "ground forces in N",
            f"a peak of {peak:.3g} for {mass:g} kg, which looks like kN",
            "export the forces in N",
        )


def _times(factor: float) -> str:
    return f"{factor:g} times too large" if factor > 1 else f"{1 / factor:g} times too small"
