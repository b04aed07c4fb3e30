"""What a muscle can pull: fibre length and velocity, and the tendon force of full activation.

Hill-type muscles in the form of Millard et al. 2013 (Flexing computational muscle,
doi:10.1115/1.4023390), as OpenSim writes it: fibres of constant volume and thickness
between tendon and bone, so their width `h = l_opt sin α_opt` stays and pennation follows
length, `l_fibre sin α = h`. The tendon force is linear in activation,

    T = (a f_L(l) f_V(v) + f_P(l)) F0 cos α,

which is what makes recruitment a quadratic program.

Two states of the fibre are offered. *Rigid tendon*: all length change is the fibre's. It
serves walking. *One elastic pass*: in running the soleus with a rigid tendon would sit far
beyond its optimum and shorten near its top speed at push-off, when in vivo it is almost
isometric. Here the ankle moment of inverse dynamics is shared among the plantarflexors by
strength, the share stretches each triceps surae tendon by its force-length curve, and the
fibre keeps the remaining length and velocity. One pass only: iterated with the recruited
forces the fixed point oscillates.

Passive force counts where the model's passive curves were calibrated muscle by muscle
(`passive_is_calibrated`): with one generic curve for all muscles, linearly scaled models
overshoot grossly. The built-in model's curves (Lai et al. 2017, Uhlrich et al. 2022) meet
the passive joint moments of living legs over the postures of gait (docs/validation.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SettingsError
from ..model.muscle_parameters import Curves, MuscleParameters
from ..model.paths import MusclePaths
from ..vocabulary import SIDES, Array, BoolArray

TRICEPS_SURAE = ("soleus", "gasmed", "gaslat", "med_gas", "lat_gas")
"""How the public gait models name the muscles of the Achilles tendon (before `_r`, `_l`)."""

MINIMUM_COS_PENNATION = 0.1
"""OpenSim's own limit on pennation (acos 0.1 = 84°); shorter fibres are held there."""

GENERIC_MASS, GENERIC_HEIGHT = 75.34, 1.70
"""The person of the Rajagopal 2016 model, kg and m (doi:10.1109/TBME.2016.2586891)."""


@dataclass(frozen=True)
class FiberState:
    """Where the fibres are, T frames by M muscles.

    Attributes
    ----------
    length : (T, M) optimal fibre lengths
    velocity : (T, M) maximal contraction velocities, shortening negative
    cos_pennation : (T, M)
    tendon_strain : (T, M), zero for rigid tendons
    elastic : (M,) bool, muscles whose tendon was stretched
    """

    length: Array
    velocity: Array
    cos_pennation: Array
    tendon_strain: Array
    elastic: BoolArray


@dataclass(frozen=True)
class Capacity:
    """Tendon force `activation * active + passive`.

    Attributes
    ----------
    active, passive : (T, M) N
    state : FiberState they were computed from
    """

    active: Array
    passive: Array
    state: FiberState


def evaluate(curves: Curves, x: Array) -> tuple[Array, Array]:
    """Value and slope of each muscle's curve.

    Parameters
    ----------
    curves : Curves of M muscles
    x : (..., M) argument; outside the grid the curve goes on in a straight line

    Returns
    -------
    value, slope : (..., M)
    """
    grid = curves.grid
    h = grid[1] - grid[0]
    at = np.clip((x - grid[0]) / h, 0.0, len(grid) - 1.0)
    i = np.minimum(at.astype(np.int64), len(grid) - 2)
    s = at - i
    c = np.broadcast_to(curves.which, x.shape)
    y0, y1 = curves.value[c, i], curves.value[c, i + 1]
    m0, m1 = h * curves.slope[c, i], h * curves.slope[c, i + 1]
    # Cubic Hermite on the unit interval, coefficients from the constant up.
    c2, c3 = 3 * (y1 - y0) - 2 * m0 - m1, 2 * (y0 - y1) + m0 + m1
    slope = (m0 + s * (2 * c2 + 3 * c3 * s)) / h
    value = y0 + s * (m0 + s * (c2 + c3 * s))
    beyond = x - (grid[0] + h * at)
    return value + beyond * slope, slope


def lengthening_velocity(paths: MusclePaths, qd: Array) -> Array:
    """Musculotendon lengthening velocity (T, M) m/s, from power: −Σ R q̇.

    Parameters
    ----------
    paths : MusclePaths of T frames
    qd : (T, N) rad/s or m/s, columns as `paths.coordinates`
    """
    velocity: Array = -np.einsum("tmn,tn->tm", paths.moment_arm, qd)
    return velocity


def rigid_tendon(parameters: MuscleParameters, length: Array, velocity: Array) -> FiberState:
    """Fibre state when tendons keep their slack length.

    Parameters
    ----------
    parameters : of M muscles
    length : (T, M) m, musculotendon length
    velocity : (T, M) m/s, musculotendon lengthening velocity
    """
    strain = np.zeros_like(length)
    elastic = np.zeros(length.shape[1], dtype=bool)
    return _fiber(parameters, length, velocity, strain, np.zeros_like(length), elastic)


def _fiber(
    parameters: MuscleParameters,
    length: Array,
    velocity: Array,
    strain: Array,
    tendon_velocity: Array,
    elastic: BoolArray,
) -> FiberState:
    optimal = parameters.optimal_fiber_length
    width = optimal * np.sin(parameters.pennation_at_optimal)
    along = length - parameters.tendon_slack_length * (1.0 + strain)
    # A slack muscle cannot fold back on itself: hold it at the steepest pennation.
    shortest = np.maximum(
        width * MINIMUM_COS_PENNATION / np.sqrt(1 - MINIMUM_COS_PENNATION**2), 0.01 * optimal
    )
    slack = along < shortest
    along = np.where(slack, shortest, along)
    fiber = np.hypot(along, width)
    cos = along / fiber
    speed = np.where(slack, 0.0, (velocity - tendon_velocity) * cos)
    return FiberState(
        fiber / optimal,
        speed / (optimal * parameters.max_contraction_velocity),
        cos,
        strain,
        elastic,
    )


def triceps_surae(names: Sequence[str], side: str) -> list[int]:
    """Indices of the Achilles muscles of one side, by name; empty when unknown."""
    wanted = {f"{name}_{side}" for name in TRICEPS_SURAE}
    return [i for i, name in enumerate(names) if name in wanted]


def elastic_pass(
    parameters: MuscleParameters,
    paths: MusclePaths,
    velocity: Array,
    ankle_moment: Array,
    time: Array,
    least: float = 0.01,
) -> FiberState:
    """Fibre state with stretched Achilles tendons and rigid other ones.

    Parameters
    ----------
    parameters : of M muscles
    paths : MusclePaths of T frames
    velocity : (T, M) m/s, musculotendon lengthening velocity
    ankle_moment : (T, 2) N·m, inverse-dynamics moment of `ankle_angle_r` and `_l`
        (plantarflexion negative), smooth in time
    time : (T,) s
    least : float
        Smallest share of maximal force on the tendon: that of the smallest activation.
        A tendon that goes wholly slack would change length infinitely fast.

    Notes
    -----
    Every plantarflexor takes the share that makes all of them pull the same fraction of
    their maximal isometric force: f = M / Σ F0 r. Tendon velocity by central differences.
    """
    strain = np.zeros_like(paths.length)
    elastic = np.zeros(len(paths.names), dtype=bool)
    for s, side in enumerate(SIDES):
        arm = np.maximum(-paths.column(f"ankle_angle_{side}"), 0.0)
        strength = (arm * parameters.max_isometric_force).sum(axis=1)
        fraction = np.maximum(-ankle_moment[:, s], 0.0) / np.maximum(strength, 1e-9)
        for m in triceps_surae(paths.names, side):
            strain[:, m] = _tendon_strain(parameters.tendon, m, np.maximum(fraction, least))
            elastic[m] = True
    slack = parameters.tendon_slack_length
    if len(time) > 2:
        rate = slack * np.gradient(strain, time, axis=0, edge_order=2)
    else:
        rate = np.zeros_like(strain)
    return _fiber(parameters, paths.length, velocity, strain, rate, elastic)


def _tendon_strain(tendon: Curves, muscle: int, fraction: Array) -> Array:
    """Strain at which a tendon carries `fraction` (T,) of maximal isometric force."""
    one = replace(tendon, which=tendon.which[muscle : muscle + 1])
    value = tendon.value[tendon.which[muscle]]
    rising = np.flatnonzero(np.diff(value) > 0)
    first = int(rising[0])
    stretch = np.interp(fraction, value[first:], tendon.grid[first:])
    for _ in range(4):
        force, slope = evaluate(one, stretch[:, None])
        stretch = stretch - (force[:, 0] - fraction) / np.maximum(slope[:, 0], 1e-3)
    strain: Array = np.maximum(stretch - 1.0, 0.0)
    return strain


def capacity(
    parameters: MuscleParameters,
    state: FiberState,
    passive: bool = False,
    force_velocity: bool = True,
) -> Capacity:
    """Tendon force of each muscle at full activation, and its passive part.

    Parameters
    ----------
    parameters : of M muscles
    state : FiberState
    passive : bool
        Count passive fibre force. Only for models whose slack lengths are calibrated.
    force_velocity : bool
        False lets fibres pull as if they stood still.
    """
    length, _ = evaluate(parameters.active_length, state.length)
    moving = state.velocity if force_velocity else np.zeros_like(state.velocity)
    speed, _ = evaluate(parameters.force_velocity, moving)
    pull = parameters.max_isometric_force * state.cos_pennation
    active = pull * np.maximum(length, 0.0) * np.maximum(speed, 0.0)
    resting = np.zeros_like(active)
    if passive:
        resting = pull * np.maximum(evaluate(parameters.passive_length, state.length)[0], 0.0)
    return Capacity(active, resting, state)


def passive_is_calibrated(parameters: MuscleParameters) -> bool:
    """Whether a model's passive curves were set muscle by muscle.

    One curve shared by all muscles is a default that nobody fitted to a leg: Rajagopal
    2016, Hamner 2010 and Gait2392 have one, the model of Lai and Uhlrich forty.

    Parameters
    ----------
    parameters : of M muscles
    """
    return len(np.unique(parameters.passive_length.which)) > 1


def strength_scale(
    mass: float,
    height: float,
    generic_mass: float = GENERIC_MASS,
    generic_height: float = GENERIC_HEIGHT,
) -> float:
    """Factor on the generic model's maximal isometric forces for a person.

    Muscle volume of a lower limb is 47 cm³/(kg m) · mass · height + 1285 cm³ (24 adults,
    Handsfield et al. 2014, doi:10.1016/j.jbiomech.2013.10.048). Force goes with
    cross-section, volume over fibre length, and fibre length with height.

    Parameters
    ----------
    mass, height : float, kg and m, of the person
    generic_mass, generic_height : float, kg and m, of the generic model

    Raises
    ------
    SettingsError
        When mass or height are not positive.
    """
    if mass <= 0 or height <= 0:
        raise SettingsError(
            "a body mass and height above zero",
            f"{mass} kg and {height} m",
            "give the person's mass in kg and height in m",
        )
    volume = 47.0 * mass * height + 1285.0
    generic = 47.0 * generic_mass * generic_height + 1285.0
    return volume / generic * generic_height / height
