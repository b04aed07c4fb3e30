"""Muscle parameters and curves as arrays, read once from an OpenSim model.

Parameters come through OpenSim's `Muscle` base class, so Millard, Thelen and other
Hill-type muscles work alike. Curves of Millard muscles are sampled from the model's
own curve objects (each muscle may have its own); other muscle types get Millard's
default curves, because their own formulas are not OpenSim curve objects. Sampled
values and slopes are joined by cubic Hermite pieces, within 1e-6 of the originals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..vocabulary import Array
from .osim import opensim


@dataclass(frozen=True)
class Curves:
    """C distinct curves of one kind on a shared, even grid.

    Attributes
    ----------
    grid : (K,) argument, even steps
    value, slope : (C, K)
    which : (M,) curve of each muscle
    """

    grid: Array
    value: Array
    slope: Array
    which: Array


@dataclass(frozen=True)
class MuscleParameters:
    """Hill-type parameters of M muscles.

    Attributes
    ----------
    names : tuple of str, length M
    max_isometric_force : (M,) N
    optimal_fiber_length : (M,) m
    tendon_slack_length : (M,) m
    pennation_at_optimal : (M,) rad
    max_contraction_velocity : (M,) optimal fibre lengths per second
    active_length, force_velocity, passive_length : Curves
        Normalised force by normalised fibre length, by normalised fibre velocity
        (shortening negative), by normalised fibre length.
    tendon : Curves
        Normalised tendon force by normalised tendon length (1 = slack length).
    """

    names: tuple[str, ...]
    max_isometric_force: Array
    optimal_fiber_length: Array
    tendon_slack_length: Array
    pennation_at_optimal: Array
    max_contraction_velocity: Array
    active_length: Curves
    force_velocity: Curves
    passive_length: Curves
    tendon: Curves

    def strengthened(self, factor: float | Array) -> MuscleParameters:
        """The same muscles with maximal isometric forces times `factor` (scalar or (M,))."""
        return replace(self, max_isometric_force=self.max_isometric_force * factor)


GRIDS = {
    "ActiveForceLengthCurve": np.linspace(0.0, 2.2, 881),
    "ForceVelocityCurve": np.linspace(-1.2, 1.2, 1921),
    "FiberForceLengthCurve": np.linspace(0.5, 2.5, 801),
    "TendonForceLengthCurve": np.linspace(0.98, 1.20, 881),
}
"""Argument grids: fine enough for 1e-6, wide enough that the curves are straight beyond."""


def muscle_parameters(model: Any) -> MuscleParameters:
    """Read the parameters and curves of every muscle of a model.

    Parameters
    ----------
    model : opensim.Model

    Returns
    -------
    MuscleParameters
        Muscles in the model's order, as in `model.paths.MusclePaths`.
    """
    muscles = model.getMuscles()
    every = [muscles.get(i) for i in range(muscles.getSize())]

    def each(getter: str) -> Array:
        return np.array([getattr(m, getter)() for m in every], dtype=float)

    curves = {kind: _sample(every, kind, grid) for kind, grid in GRIDS.items()}
    return MuscleParameters(
        tuple(str(m.getName()) for m in every),
        each("getMaxIsometricForce"),
        each("getOptimalFiberLength"),
        each("getTendonSlackLength"),
        each("getPennationAngleAtOptimalFiberLength"),
        each("getMaxContractionVelocity"),
        curves["ActiveForceLengthCurve"],
        curves["ForceVelocityCurve"],
        curves["FiberForceLengthCurve"],
        curves["TendonForceLengthCurve"],
    )


def _sample(muscles: list[Any], kind: str, grid: Array) -> Curves:
    seen: dict[tuple[float, ...], int] = {}
    which: list[int] = []
    values: list[list[float]] = []
    slopes: list[list[float]] = []
    default = opensim.Millard2012EquilibriumMuscle()
    # Only a finalised muscle with damping lets active force fall to zero.
    default.finalizeFromProperties()
    for muscle in muscles:
        millard = opensim.Millard2012EquilibriumMuscle.safeDownCast(muscle)
        curve = getattr(default if millard is None else millard, f"get{kind}")()
        # Two curves are the same when they agree at a handful of points.
        key = tuple(round(float(curve.calcValue(x)), 9) for x in grid[40::97])
        if key not in seen:
            seen[key] = len(values)
            values.append([curve.calcValue(float(x)) for x in grid])
            slopes.append([curve.calcDerivative(float(x), 1) for x in grid])
        which.append(seen[key])
    return Curves(grid, np.array(values), np.array(slopes), np.array(which, dtype=np.int64))
