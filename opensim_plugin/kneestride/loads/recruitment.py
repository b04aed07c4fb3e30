"""Muscle recruitment with compartments that only push.

Joint moments say what muscles do together, not which muscle does it. Everything being
linear in muscle force, each frame is one bounded quadratic program per leg:

unknowns   activations (0.01 to 1), medial and lateral compression (≥ 0), their sum, the
           tensions of both collaterals (≥ 0, at most what their curve gives), and a reserve
           moment for each joint row
rows       hip (3), knee flexion, ankle, subtalar: moments of inverse dynamics;
           knee adduction and axial balance of `loads.knee_balance`; sum = medial + lateral

There is **no reserve on knee adduction**: a compartment that lifts off hands its load to
the other one, to a collateral or to muscles, and medial + lateral is always the axial
contact force. Knee rotation has no row (cartilage and ligaments carry it), nor have pelvis,
trunk, arms and toes.

The default criterion is Σ a² + w (F/BW)², F the axial tibiofemoral force of each knee:
plain Σ a² invents a late-stance co-contraction of gastrocnemius and rectus femoris that
recorded EMG denies. w = 0.1 is a declared constant, never fitted to the trial at hand.
Minimising contact force in the criterion: DeMers et al. 2014 (doi:10.1002/jor.22532);
Σ a² and Σ a³: Crowninshield & Brand 1981 (doi:10.1016/0021-9290(81)90035-X); volume
weights: Happee & Van der Helm 1995 (doi:10.1016/0021-9290(94)00188-4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import ModelError, SettingsError
from ..model.kernels import IntArray
from ..model.paths import MusclePaths
from ..settings import Criterion, Settings
from ..vocabulary import SIDES, Array, BoolArray
from ..workers import over_blocks
from . import qp
from .knee_balance import ADDUCTION_SIGN, KneeBalance
from .muscles import Capacity
from .recruitment_rows import fill_knee, fill_moments, mark_acting
from .types import MuscleForces

LEG_ROWS = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
    "subtalar_angle",
)
CRITERIA: tuple[Criterion, ...] = ("knee_aware", "squared", "cubed", "volume", "knee_muscles")

COMPARTMENT_COST = 1e-6
"""Weight of (F/BW)² for each compartment: only makes the program strictly convex."""
COLLATERAL_COST = 0.01
"""Weight of (T/BW)² for each collateral: ten times cheaper than contact force."""
KNEE_MUSCLE_WEIGHT = 0.6**-2
"""Weight of a² for muscles that cross the knee in `knee_muscles`: what weakening them by
40 % amounts to, as in the public analysis of the instrumented knee (Modenese 2021,
doi:10.1016/j.gaitpost.2021.06.014)."""
CUBIC_STEPS = 40
CUBIC_CHANGE = 1e-5
LEAST_CURVATURE = 0.01
"""Activation below which the curvature of a³ is held, in the sequential programs."""
MOMENT_SCALE = 0.05
"""Moment rows are divided by body weight times this many metres, for conditioning."""


@dataclass(frozen=True)
class RecruitmentSettings:
    """How muscles are chosen; see `kneestride.settings` for reasons and ranges.

    Attributes
    ----------
    criterion : see `CRITERIA`
    knee_weight : float, w of `knee_aware`
    reserve : float, N·m at unit cost
    least, most : float, bounds of activation
    """

    criterion: Criterion = "knee_aware"
    knee_weight: float = 0.1
    reserve: float = 10.0
    least: float = 0.01
    most: float = 1.0

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise SettingsError(
                "a recruitment criterion",
                f"'{self.criterion}'",
                "choose one of those available",
                CRITERIA,
            )

    @classmethod
    def of(cls, settings: Settings) -> RecruitmentSettings:
        """Take the part of the chain's settings that recruitment needs."""
        return cls(
            settings.criterion,
            settings.knee_load_weight,
            settings.reserve_optimal_nm,
            settings.activation_min,
            settings.activation_max,
        )


@dataclass(frozen=True)
class RecruitmentProblem:
    """Everything recruitment is computed from, over T frames.

    Attributes
    ----------
    time : (T,) s
    body_weight : float, N
    paths : MusclePaths
    capacity : Capacity of the same muscles
    moments : (T, N) N·m, inverse dynamics, columns as `paths.coordinates`
    balance : KneeBalance
    volume : (M,) relative muscle volume (force times fibre length), for `volume`
    without_row : coordinate names whose moment muscles need not supply (locked ones)
    """

    time: Array
    body_weight: float
    paths: MusclePaths
    capacity: Capacity
    moments: Array
    balance: KneeBalance
    volume: Array
    without_row: Collection[str] = field(default=())

    def window(self, start: int, stop: int) -> RecruitmentProblem:
        """The same problem over frames start to stop (exclusive) alone."""
        if (start, stop) == (0, len(self.time)):
            return self
        cut = slice(start, stop)
        able = self.capacity
        state = able.state
        return replace(
            self,
            time=self.time[cut],
            moments=self.moments[cut],
            paths=self.paths.window(start, stop),
            capacity=replace(
                able,
                active=able.active[cut],
                passive=able.passive[cut],
                state=replace(
                    state,
                    length=state.length[cut],
                    velocity=state.velocity[cut],
                    cos_pennation=state.cos_pennation[cut],
                    tendon_strain=state.tendon_strain[cut],
                ),
            ),
            balance=self.balance.window(start, stop),
        )

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns of `moments`."""
        return self.paths.coordinates

    @property
    def muscles(self) -> tuple[str, ...]:
        """Muscles."""
        return self.paths.names

    def spans(self) -> list[tuple[int, int]]:
        """(start, stop) of the one piece that this is."""
        return [(0, len(self.time))]


@dataclass(frozen=True)
class Recruited:
    """Muscle forces and what the knees carry with them.

    Attributes
    ----------
    muscles : MuscleForces
    medial, lateral : (T, 2) N, compression
    collateral : (T, 2, 2) N, tension of medial and lateral collateral
    solved : (T, 2) bool, every row of that leg met; False where the input is NaN
    """

    muscles: MuscleForces
    medial: Array
    lateral: Array
    collateral: Array
    solved: BoolArray


@dataclass(frozen=True)
class _Legs:
    """The layout of the program of one leg, or of both when muscles join them.

    Attributes
    ----------
    sides, muscles : indices
    rows : coordinates of the moment rows; columns : (R,) theirs in `paths.coordinates`
    scale : (m,) what each row is divided by
    """

    sides: tuple[int, ...]
    muscles: IntArray
    rows: tuple[str, ...]
    columns: IntArray
    scale: Array


def recruit(
    problem: RecruitmentProblem, settings: RecruitmentSettings | None = None
) -> Recruited:
    """Solve every frame.

    Parameters
    ----------
    problem : RecruitmentProblem
    settings : RecruitmentSettings, optional

    Returns
    -------
    Recruited
        A leg's frames with NaN input are NaN.

    Raises
    ------
    ModelError
        When the model lacks a coordinate of the legs.

    Notes
    -----
    Muscles without effect on any row (trunk, arms) keep their least activation. Blocks of
    frames are solved by all workers (`kneestride.workers`), each started afresh.
    """
    settings = settings or RecruitmentSettings()
    T, M = problem.paths.length.shape
    reserves = tuple(name for side in range(2) for name in _moment_rows(problem, side))
    activation = np.full((T, M), settings.least)
    reserve = np.zeros((T, len(reserves)))
    contact, collateral = np.full((T, 2, 2), np.nan), np.full((T, 2, 2), np.nan)
    residual, fallback = np.zeros(T), np.zeros(T, dtype=bool)
    solved = np.ones((T, 2), dtype=bool)
    programs = _programs(problem)

    def block(start: int, stop: int) -> None:
        at = slice(start, stop)
        for legs in programs:
            B, tau = _assemble(problem, settings, legs, start, stop)
            found = _minimise(problem, settings, legs, B, tau, at)
            count = len(legs.muscles)
            activation[at, legs.muscles] = found.x[:, :count]
            for k, s in enumerate(legs.sides):
                first = count + 5 * k
                contact[at, s] = problem.body_weight * found.x[:, first : first + 2]
                collateral[at, s] = problem.body_weight * found.x[:, first + 3 : first + 5]
                solved[at, s] = found.solved
            columns = [reserves.index(name) for name in legs.rows]
            reserve[at, columns] = settings.reserve * found.x[:, count + 5 * len(legs.sides) :]
            wrong = np.matmul(B, found.x[:, :, None])[:, :, 0] - tau
            worst = np.abs(wrong * legs.scale).max(axis=1)
            residual[at] = np.fmax(residual[at], worst)
            fallback[at] |= found.fallback

    over_blocks(block, T)
    force = activation * problem.capacity.active + problem.capacity.passive
    muscles = MuscleForces(
        problem.time,
        problem.paths.names,
        activation,
        force,
        reserves,
        reserve,
        activation >= settings.most - 1e-6,
        residual,
        fallback,
    )
    return Recruited(muscles, contact[:, :, 0], contact[:, :, 1], collateral, solved)


def _moment_rows(problem: RecruitmentProblem, side: int) -> list[str]:
    known = problem.paths.coordinates
    names = [f"{stem}_{SIDES[side]}" for stem in LEG_ROWS]
    missing = [n for n in names if n not in known and not n.startswith("subtalar")]
    if missing:
        raise ModelError(
            "a gait model with hip, knee and ankle coordinates",
            f"none called {', '.join(missing)}",
            "use a gait model with OpenSim's usual coordinate names",
            known,
        )
    return [n for n in names if n in known and n not in problem.without_row]


def _columns(problem: RecruitmentProblem, rows: Sequence[str]) -> IntArray:
    return np.array([problem.paths.coordinates.index(name) for name in rows], dtype=np.int64)


def _programs(problem: RecruitmentProblem) -> list[_Legs]:
    """One program a leg, unless a muscle pulls on both."""
    paths = problem.paths
    rows = [tuple(_moment_rows(problem, side)) for side in range(2)]
    acting = np.zeros((2, len(paths.names)), dtype=np.bool_)
    for side in range(2):
        mark_acting(
            paths.moment_arm, paths.tibia_wrench, _columns(problem, rows[side]), side, acting
        )
    groups = [(0, 1)] if (acting[0] & acting[1]).any() else [(0,), (1,)]
    found = []
    for sides in groups:
        names = tuple(name for s in sides for name in rows[s])
        scale = np.full(len(names) + 3 * len(sides), problem.body_weight * MOMENT_SCALE)
        for k in range(len(sides)):
            # Axial balance and sum of the compartments are forces.
            scale[len(names) + 3 * k + 1 : len(names) + 3 * k + 3] = problem.body_weight
        muscles = np.flatnonzero(acting[list(sides)].any(axis=0))
        found.append(_Legs(sides, muscles, names, _columns(problem, names), scale))
    return found


def _assemble(
    problem: RecruitmentProblem,
    settings: RecruitmentSettings,
    legs: _Legs,
    start: int,
    stop: int,
) -> tuple[Array, Array]:
    """Rows (T, m, n) and right-hand sides (T, m) of some frames, scaled.

    Columns: muscles; for each side medial, lateral, sum, medial and lateral collateral (in
    body weights); a reserve for each moment row (in `reserve` newton metres).
    """
    paths, capacity, balance = problem.paths, problem.capacity, problem.balance
    at = slice(start, stop)
    T, K, R = stop - start, len(legs.muscles), len(legs.rows)
    weight = problem.body_weight
    B = np.zeros((T, len(legs.scale), K + 5 * len(legs.sides) + R))
    tau = np.zeros((T, len(legs.scale)))
    fill_moments(
        paths.moment_arm[at],
        capacity.active[at],
        capacity.passive[at],
        problem.moments[at],
        legs.muscles,
        legs.columns,
        B,
        tau,
    )
    for i in range(R):
        B[:, i, K + 5 * len(legs.sides) + i] = settings.reserve
    for k, s in enumerate(legs.sides):
        adduction, axial, total = R + 3 * k, R + 3 * k + 1, R + 3 * k + 2
        medial = K + 5 * k
        fill_knee(
            paths.tibia_wrench[at],
            capacity.active[at],
            capacity.passive[at],
            legs.muscles,
            s,
            ADDUCTION_SIGN[s],
            adduction,
            B,
            tau,
        )
        B[:, adduction, medial : medial + 2] = weight * balance.lever[s]
        B[:, adduction, medial + 3 : medial + 5] = (
            weight * ADDUCTION_SIGN[s] * balance.collateral[at, s, :, 3]
        )
        tau[:, adduction] += balance.required_adduction[at, s]
        B[:, axial, medial + 2] = weight
        B[:, axial, medial + 3 : medial + 5] = -weight * balance.collateral[at, s, :, 1]
        tau[:, axial] -= balance.required[at, s, 1]
        B[:, total, medial : medial + 3] = weight * np.array([1.0, 1.0, -1.0])
    B /= legs.scale[:, None]
    tau /= legs.scale
    return B, tau


def _minimise(
    problem: RecruitmentProblem,
    settings: RecruitmentSettings,
    legs: _Legs,
    B: Array,
    tau: Array,
    at: slice,
) -> qp.Solution:
    T, _, n = B.shape
    K = len(legs.muscles)
    cost = np.full((T, n), 2.0)
    cost[:, :K] = 2.0 * _muscle_weights(problem, settings, legs)
    knee = settings.knee_weight if settings.criterion == "knee_aware" else 0.0
    lower, upper = np.full((T, n), -np.inf), np.full((T, n), np.inf)
    lower[:, :K], upper[:, :K] = settings.least, settings.most
    for k, s in enumerate(legs.sides):
        first = K + 5 * k
        cost[:, first : first + 2] = 2.0 * COMPARTMENT_COST
        cost[:, first + 2] = 2.0 * max(knee, COMPARTMENT_COST)
        cost[:, first + 3 : first + 5] = 2.0 * COLLATERAL_COST
        lower[:, first : first + 2] = 0.0
        lower[:, first + 3 : first + 5] = 0.0
        limit = problem.balance.collateral_limit[at, s] / problem.body_weight
        upper[:, first + 3 : first + 5] = limit
    if settings.criterion == "cubed":
        return _cubic(K, B, tau, cost, lower, upper)
    return qp.solve(cost, np.zeros(n), B, tau, lower, upper)


def _muscle_weights(
    problem: RecruitmentProblem, settings: RecruitmentSettings, legs: _Legs
) -> Array:
    if settings.criterion == "volume":
        volume = problem.volume[legs.muscles]
        relative: Array = volume / volume.mean()
        return relative
    weights = np.ones(len(legs.muscles))
    if settings.criterion == "knee_muscles":
        paths = problem.paths
        for s in legs.sides:
            c = paths.coordinates.index(f"knee_angle_{SIDES[s]}")
            arms = np.abs(np.nan_to_num(paths.moment_arm[:, legs.muscles, c])).max(axis=0)
            weights[arms > 1e-3] = KNEE_MUSCLE_WEIGHT
    return weights


def _cubic(
    K: int, B: Array, tau: Array, cost: Array, lower: Array, upper: Array
) -> qp.Solution:
    """Σ a³ by sequential quadratic programs.

    Each step replaces a³ by its second-order expansion about the last point, curvature
    6 a; half steps keep it from overshooting. Reserves keep their squares.
    """
    linear = np.zeros_like(cost)
    found = qp.solve(cost, linear, B, tau, lower, upper)
    a = found.x[:, :K]
    for _ in range(CUBIC_STEPS):
        about = np.maximum(a, LEAST_CURVATURE)
        cost[:, :K], linear[:, :K] = 6.0 * about, 3.0 * a**2 - 6.0 * about * a
        found = qp.solve(cost, linear, B, tau, lower, upper)
        if not np.any(np.abs(found.x[:, :K] - a) > CUBIC_CHANGE):
            break
        a = 0.5 * (a + found.x[:, :K])
    return found
