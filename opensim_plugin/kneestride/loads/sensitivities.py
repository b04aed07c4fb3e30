"""What is not known exactly, and how strongly each load depends on it.

A `Source` is one uncertain input with its standard deviation and its correlations; its
sensitivity is ∂load/∂input. `analytic_sensitivities` are the statics of the two contact
points; `finite_differences` and `alternatives` take reruns of the chain. `uncertainty`
turns both into intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import SettingsError
from ..vocabulary import Array

Kind = Literal["measurement", "anatomy", "model"]
Pairing = Literal["recording", "session", "day", "person"]
"""How two compared trials belong together.

recording: both come from the same frames (a simulated variant against its original);
session: one person, one marker placement; day: one person, markers placed again;
person: different people, or the left leg against the right.
"""
PAIRINGS: tuple[Pairing, ...] = ("recording", "session", "day", "person")


@dataclass(frozen=True)
class Source:
    """One thing that is not known exactly.

    Attributes
    ----------
    name : str
        Key of its sensitivities.
    sigma : float
        Standard deviation, in `unit` (SI; '1' is relative or a ready-made step).
    unit : str
    kind : {'measurement', 'anatomy', 'model'}
    within : float, 0 to 1
        Share of the variance that stays over all strides of a trial.
    between : float, 0 to 1
        Share of the variance common to the two trials of a comparison.
    what : str
        One sentence for the report.
    """

    name: str
    sigma: float
    unit: str
    kind: Kind
    within: float = 1.0
    between: float = 1.0
    what: str = ""

    def __post_init__(self) -> None:
        if self.sigma < 0.0 or not (0.0 <= self.within <= 1.0 and 0.0 <= self.between <= 1.0):
            raise SettingsError(
                "sigma of at least 0 and correlations between 0 and 1",
                f"sigma {self.sigma}, within {self.within}, between {self.between} "
                f"for {self.name}",
                "correct the uncertainty source",
            )


_MEASURED = (
    Source("alignment", np.radians(2.0), "rad", "anatomy", what="static alignment ± 2°"),
    Source("contact_spacing", 0.004, "m", "anatomy", what="contact point distance ± 4 mm"),
    Source("knee_center", 0.005, "m", "anatomy", what="knee centre ± 5 mm across"),
    Source(
        "center_of_pressure", 0.005, "m", "measurement", what="pressure point ± 5 mm across"
    ),
    Source("strength", 0.20, "1", "model", what="muscle strength ± 20 %"),
)
# Leave-one-runner-out errors of the learned ground reaction on the RBDS runners:
# 8 mm across the foot; 0.075 of about 2.5 body weights.
_PREDICTED = (
    Source(
        "center_of_pressure", 0.008, "m", "measurement", what="predicted point ± 8 mm across"
    ),
    Source("ground_force", 0.03, "1", "measurement", what="predicted force ± 3 %"),
)
_COMMON: dict[str, tuple[float, float, float, float]] = {
    # Share common to both trials, by pairing: markers placed again move what is read
    # from the static trial; the plates and the person's strength stay. Another person,
    # or the other leg, shares nothing that we can count on.
    "alignment": (1.0, 1.0, 0.0, 0.0),
    "contact_spacing": (1.0, 1.0, 1.0, 0.0),
    "knee_center": (1.0, 1.0, 0.0, 0.0),
    "center_of_pressure": (1.0, 1.0, 1.0, 0.0),
    "strength": (1.0, 1.0, 1.0, 0.0),
}


def default_sources(predicted: bool, pairing: Pairing = "session") -> tuple[Source, ...]:
    """The sources every result carries, without those that need reruns to define.

    The ± figures are taken as one standard deviation, the careful reading. A predicted
    ground reaction is wrong anew in each recording as far as is known, so it is common
    only to trials made from the same recording. Marker noise and the recruitment
    criterion are added with `alternatives`.

    Parameters
    ----------
    predicted : bool
        The ground reaction was computed from kinematics.
    pairing : Pairing
        Used for paired differences only.

    Raises
    ------
    SettingsError
        For an unknown pairing.
    """
    if pairing not in PAIRINGS:
        raise SettingsError(
            "a known pairing of the two trials",
            repr(pairing),
            "choose one of the available pairings",
            PAIRINGS,
        )
    place = PAIRINGS.index(pairing)
    measured = [replace(s, between=_COMMON[s.name][place]) for s in _MEASURED]
    if not predicted:
        return tuple(measured)
    common = 1.0 if pairing == "recording" else 0.0
    computed = [replace(s, between=common) for s in _PREDICTED]
    replaced = {s.name for s in computed}
    return (*(s for s in measured if s.name not in replaced), *computed)


def analytic_sensitivities(
    medial: Array,
    lateral: Array,
    vertical_force: Array,
    spacing: float,
    thigh: float,
    shank: float,
) -> dict[str, Array]:
    """Sensitivities of both compartments from the statics of two contact points.

    With the axial force F = medial + lateral and the frontal moment about the midpoint
    that the contacts carry, M = (medial - lateral) d / 2:

        medial = F/2 + M/d,   lateral = F/2 - M/d.

    At unchanged F (the muscles are not recruited anew) each source moves load from one
    side to the other:

        contact spacing d        ∂medial/∂d = -M/d² = -(medial - lateral) / (2 d)
        contacts shifted medially, at unmoved forces        -F / d
        centre of pressure moved medially                   +Fz / d
        varus of a planted leg                              +Fz h / d
        ground force, relative (all loads in proportion)    +medial, +lateral

    with h = thigh shank / (thigh + shank), the way the knee moves out per radian of
    varus while hip and ankle stay. Where a compartment has lifted off these overstate
    what is left to move; reruns with `finite_differences` do not.

    Parameters
    ----------
    medial, lateral, vertical_force : arrays of one shape, N
        `vertical_force` is that of the same foot.
    spacing, thigh, shank : float, m
        Contact distance; hip to knee centre; knee to ankle centre.

    Returns
    -------
    dict of source name to array (..., 2), N per SI unit; last axis medial, lateral

    Sources
    -------
    Two contact points after Lerner et al. 2015 (J Biomech); the rest is statics.
    """
    if spacing <= 0.0 or thigh <= 0.0 or shank <= 0.0:
        raise SettingsError(
            "contact spacing, thigh and shank length above 0 m",
            f"{spacing}, {thigh} and {shank} m",
            "give the lengths of the scaled model",
        )
    total = medial + lateral
    lever = thigh * shank / (thigh + shank)
    shifted = {
        "contact_spacing": -(medial - lateral) / (2.0 * spacing),
        "knee_center": -total / spacing,
        "center_of_pressure": vertical_force / spacing,
        "alignment": vertical_force * lever / spacing,
    }
    found = {name: np.stack([shift, -shift], axis=-1) for name, shift in shifted.items()}
    found["ground_force"] = np.stack([medial, lateral], axis=-1)
    return found


def finite_differences(
    run: Callable[[Mapping[str, float]], Array], steps: Mapping[str, float]
) -> dict[str, Array]:
    """Central differences of a rerun: sensitivities per unit of each source.

    Parameters
    ----------
    run : callable
        Takes shifts by source name (those left out are 0) and returns the loads.
    steps : mapping of source name to step in the source's unit, > 0

    Returns
    -------
    dict of source name to array of the shape that `run` returns
    """
    found: dict[str, Array] = {}
    for name, step in steps.items():
        if step <= 0.0:
            raise SettingsError(
                "a step above 0", f"{step} for {name}", "give a step of about one sigma"
            )
        found[name] = (run({name: step}) - run({name: -step})) / (2.0 * step)
    return found


def alternatives(
    name: str,
    base: Array,
    runs: Sequence[Array],
    kind: Kind = "model",
    within: float = 1.0,
    between: float = 1.0,
    what: str = "",
) -> tuple[tuple[Source, ...], dict[str, Array]]:
    """Turn equally likely alternative answers into sources.

    For choices without a size: recruitment criteria, realisations of marker noise. Each
    of the K alternatives is a direction of its own with σ = 1/√K, so their combined
    variance is the mean square of their deviations from `base`, and in a paired
    difference the mean square of the deviations' differences.

    Returns
    -------
    sources, sensitivities
        To be added to the others.
    """
    if not runs:
        raise SettingsError(
            "at least one alternative run", f"none for {name}", "pass the alternatives' loads"
        )
    sigma = 1.0 / np.sqrt(len(runs))
    names = [f"{name}:{k + 1}" for k in range(len(runs))]
    sources = tuple(Source(n, float(sigma), "1", kind, within, between, what) for n in names)
    return sources, {n: run - base for n, run in zip(names, runs, strict=True)}
