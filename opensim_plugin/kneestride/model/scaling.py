"""Fit a generic model to a person: segment sizes, marker places and pose together.

One least-squares problem in place of scaling by hand-picked marker pairs. Unknown
are the pose of every frame used, the scale factors of the segments, the torsion of the
shanks (people's bimalleolar axes point outwards by very different angles) and where
each marker really sits on its segment:

    Σ_f Σ_k |x_k(q_f, s, o_k) - m_fk|² / σ_n²      what was captured
    + Σ_k |o_k|² / σ_k²                            a marker sits near its landmark
    + (log s - group mean)² / σ_s²                 people are shaped alike
    + torsion² / σ_t²
    + (q_f - q0)² / σ_q²                           nobody stands with a twisted knee

With one averaged frame of a static trial this is scaling and marker registration in
one; with frames of a run, joint centres follow from how segments turn about each
other, so it also serves recordings without a static trial. The idea of estimating
sizes, offsets and pose jointly follows Werling et al. 2023
(doi:10.1371/journal.pone.0295152); priors are written out below.

Pure arrays: `model.subject` carries the result into an OpenSim model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..vocabulary import SIDES, Array, BoolArray
from .kernels import IntArray
from .multibody import Multibody, rotation_about_y
from .scaling_kernels import (
    Slopes,
    eliminate,
    normal_equations,
    squared_misses,
    substitute,
)

LENGTH_SIGMA = 0.05
"""Spread of log segment length about the body's own size (Drillis & Contini 1966)."""
WIDTH_SIGMA = 0.08
PELVIS_SIGMA = 0.08
SYMMETRY_SIGMA = 0.01
"""Left and right lengths differ by about 1 % (Knutson 2005, doi:10.1186/1746-1340-13-11)."""
HEIGHT_SIGMA = 0.03
TORSION_SIGMA = np.radians(8.0)
"""Spread of tibial torsion between people (Strecker et al. 1997,
doi:10.1302/0301-620X.79B6.0791019: SD about 9° in 504 tibiae)."""
LEG_SHARE_OF_HEIGHT = 0.480
"""Hip centre to knee to ankle centre over stature: mean of nine RBDS static trials fitted
here (0.469 to 0.500; doi:10.7717/peerj.3298)."""
MAX_ITERATIONS = 60
PLAIN_ITERATIONS = 8
HELD_SIGMA = 1e-4
LARGEST_CHANGE = 0.35
"""Bound on every log scale factor about the size that the height tells."""


@dataclass(frozen=True)
class Proportions:
    """How far a person's shape may be from the generic one at the person's size.

    Attributes
    ----------
    size : spread of the log of the whole body's size about that of the height
    length, width, pelvis : spreads of log lengths and widths about the body's size
    symmetry : spread of log left over right lengths
    expected : expected log of a parameter over the body's size, zero where not named
        (see `_shape` for the names)
    held : log scale factors that are known, by the name of the parameter with its side
    """

    size: float = HEIGHT_SIGMA
    length: float = LENGTH_SIGMA
    width: float = WIDTH_SIGMA
    pelvis: float = PELVIS_SIGMA
    symmetry: float = SYMMETRY_SIGMA
    expected: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Targets:
    """Markers to fit, K of them, in F frames.

    Attributes
    ----------
    names : tuple of str
    body : (K,) body index
    station : (K, 3) m, expected place in the generic body frame
    sigma : (K,) m, how far off the expected place a marker may be
    positions : (F, K, 3) m, NaN where missing
    noise : float, m, spread of a marker about its own place over frames
    turned : (K,) index into `SIDES` for places that follow that shank's torsion, else -1
    """

    names: tuple[str, ...]
    body: IntArray
    station: Array
    sigma: Array
    positions: Array
    noise: float
    turned: IntArray


@dataclass(frozen=True)
class PosePriors:
    """Soft pulls on the pose: value (N,), sigma (N,) rad or m (inf: none), free (N,)."""

    value: Array
    sigma: Array
    free: BoolArray


@dataclass(frozen=True)
class Fit:
    """Result of `fit`.

    Attributes
    ----------
    scale : (B, 3) scale factors of the bodies
    torsion : (2,) rad, about each tibia's Y axis
    q : (F, N) pose of each frame
    station : (K, 3) m, each marker's place in its scaled body
    offset : (K, 3) m, how far that is from the scaled landmark
    residual : (F, K) m, distance left over; NaN where missing
    iterations : int
    covariance : (3 B, 3 B) of the log scale factors, body by body, x, y, z
    weight : (F, K) what the robust loss left of each observation's weight, 0 to 1
    """

    scale: Array
    torsion: Array
    q: Array
    station: Array
    offset: Array
    residual: Array
    iterations: int
    covariance: Array
    weight: Array


def leg_length(model: Multibody) -> float:
    """Hip to knee to ankle in the default pose, m, mean of both legs."""
    q = np.zeros((1, len(model.coordinates)))
    _, position = model.poses(q)
    total = 0.0
    for side in SIDES:
        hip, talus = model.body(f"femur_{side}"), model.body(f"talus_{side}")
        knee = model.body(f"tibia_{side}")
        total += float(np.linalg.norm(position[0, hip] - position[0, knee]))
        total += float(np.linalg.norm(position[0, talus] - position[0, knee]))
    return total / 2


def stature(model: Multibody) -> float:
    """Body height that the model's legs stand for, m."""
    return leg_length(model) / LEG_SHARE_OF_HEIGHT


@dataclass(frozen=True)
class _Shape:
    """log scale (B, 3) = map @ theta, with rows @ theta ~ N(mean, sigma) as prior."""

    map: Array
    rows: Array
    mean: Array
    sigma: Array


def _shape(model: Multibody, log_size: float, about: Proportions) -> _Shape:
    names: list[str] = ["body"]
    place: dict[tuple[str, int], str] = {}

    def use(body: str, axis: int, parameter: str) -> None:
        place[body, axis] = parameter
        if parameter not in names:
            names.append(parameter)

    limbs = {
        "thigh": ("femur", "patella"),
        "shank": ("tibia", "knee_frame"),
        "arm": ("humerus",),
        "forearm": ("ulna", "radius", "hand"),
    }
    for axis, label in enumerate("xyz"):
        for body in ("pelvis", "torso"):
            use(body, axis, f"{body} {label}")
    for side in SIDES:
        for limb, bodies in limbs.items():
            for body in bodies:
                use(f"{body}_{side}", 1, f"{limb} length {side}")
                use(f"{body}_{side}", 0, f"{limb} width")
                use(f"{body}_{side}", 2, f"{limb} width")
        for body in ("talus", "calcn", "toes"):
            use(f"{body}_{side}", 0, f"foot length {side}")
            use(f"{body}_{side}", 1, "foot height")
            use(f"{body}_{side}", 2, "foot width")
    column = {name: i for i, name in enumerate(names)}
    linear = np.zeros((len(model.bodies), 3, len(names)))
    for b, body in enumerate(model.bodies):
        for axis in range(3):
            linear[b, axis, column[place.get((body, axis), "body")]] = 1.0
    rows, mean, sigma = [np.eye(len(names))[0]], [log_size], [about.size]
    for name in names[1:]:
        row = np.zeros(len(names))
        row[column[name]] = 1.0
        if name in about.held:
            rows.append(row)
            mean.append(about.held[name])
            sigma.append(HELD_SIGMA)
            continue
        row[0] = -1.0
        rows.append(row)
        mean.append(about.expected.get(name.removesuffix(" r").removesuffix(" l"), 0.0))
        spread = about.width if "width" in name or "height" in name else about.length
        sigma.append(about.pelvis if name.startswith("pelvis") else spread)
        if name.endswith("length r"):  # as nearly symmetric as people are
            row = np.zeros(len(names))
            row[column[name]], row[column[f"{name[:-1]}l"]] = 1.0, -1.0
            rows.append(row)
            mean.append(0.0)
            sigma.append(about.symmetry)
    return _Shape(linear, np.array(rows), np.array(mean), np.array(sigma))


def _local(targets: Targets, scale: Array, torsion: Array, offset: Array) -> Array:
    """Places (K, 3) of the targets in their scaled, twisted bodies."""
    local: Array = targets.station * scale[targets.body]
    for s in range(len(SIDES)):
        mine = targets.turned == s
        local[mine] = local[mine] @ rotation_about_y(float(torsion[s])).T
    return local + offset


def _slopes(
    model: Multibody,
    scale: Array,
    torsion: Array,
    by_shape: Array,
    targets: Targets,
    offset: Array,
) -> Slopes:
    """What `normal_equations` needs to know of how the tree stretches."""
    tree = model.tree
    P = by_shape.shape[2]
    slope = scale[..., None] * by_shape
    has = tree.parent >= 0
    above = np.where(has[:, None, None], slope[np.maximum(tree.parent, 0)], 0.0)
    parent_place = tree.position_pf[:, :, None] * above
    station = np.zeros((len(targets.body), 3, P + len(SIDES)))
    station[:, :, :P] = targets.station[:, :, None] * slope[targets.body]
    for s, side in enumerate(SIDES):
        turn = rotation_about_y(float(torsion[s]))
        talus = model.body(f"talus_{side}")
        parent_place[talus] = turn @ parent_place[talus]
        mine = targets.turned == s
        station[mine, :, :P] = turn @ station[mine, :, :P]
        at = _local(targets, scale, torsion, np.zeros_like(offset))[mine]
        station[mine, 0, P + s], station[mine, 2, P + s] = at[:, 2], -at[:, 0]
    return Slopes(
        np.ascontiguousarray(parent_place),
        np.ascontiguousarray(tree.position_bm[:, :, None] * slope),
        np.ascontiguousarray(
            tree.gain[:, 3:, None] * np.einsum("bai,bip->bap", tree.axes[:, 3:], above)
        ),
        station,
    )


def fit(
    model: Multibody,
    targets: Targets,
    priors: PosePriors,
    start: Array,
    height: float,
    *,
    proportions: Proportions | None = None,
    weights: Array | None = None,
    frames_worth: float | None = None,
    outlier: float = np.inf,
) -> Fit:
    """Scale factors, marker places and poses that explain the targets best.

    Levenberg-Marquardt on the joint problem, frames eliminated by Schur complement.

    Parameters
    ----------
    model : Multibody, generic
    targets : Targets
    priors : PosePriors
    start : (F, N) first guess of the poses
    height : float, m, the person's stature
    proportions : Proportions, optional
    weights : (F, K), optional
        Factor on the weight of each observation, such as a detection confidence.
    frames_worth : float, optional
        As how many independent frames the F frames count; all of them when left out.
        Skin moves with the phase of the stride, so a hundred frames of a run tell little
        more about a joint centre than a few do.
    outlier : float
        Distance, in multiples of `targets.noise`, from which an observation counts less
        (Cauchy's loss c² log(1 + r²/c²)); the default is plain least squares.

    Returns
    -------
    Fit
    """
    frames, K = targets.positions.shape[:2]
    free = np.flatnonzero(priors.free)
    shape = _shape(model, float(np.log(height / stature(model))), proportions or Proportions())
    first = np.linalg.lstsq(
        shape.rows / shape.sigma[:, None], shape.mean / shape.sigma, rcond=None
    )[0]
    # Shape parameters first, then the torsion of both shanks.
    theta = np.concatenate([first, np.zeros(len(SIDES))])
    offset = np.zeros((K, 3))
    q = start.copy()
    q[:, ~priors.free] = priors.value[~priors.free]
    seen = np.isfinite(targets.positions).all(axis=2)
    goal = np.ascontiguousarray(np.where(seen[..., None], targets.positions, 0.0))
    given = np.where(seen, 1.0 if weights is None else weights, 0.0)
    share = 1.0 if frames_worth is None else min(frames_worth / frames, 1.0)
    given = given * share / targets.noise**2
    T, n = theta.size, free.size
    S = T + 3 * K
    pulled = np.flatnonzero(np.isfinite(priors.sigma[free]))
    pull = share / priors.sigma[free[pulled]] ** 2
    rest = priors.value[free[pulled]]
    root = np.array([name.startswith("pelvis_") for name in model.coordinates])
    lower = np.where(root, -np.inf, model.lower)
    upper = np.where(root, np.inf, model.upper)
    q = np.clip(q, lower, upper)
    shank = np.array([model.body(f"tibia_{side}") for side in SIDES])
    under = _under(model)
    prior = np.zeros((S, S))
    rows = shape.rows / shape.sigma[:, None]
    prior[: T - 2, : T - 2] = rows.T @ rows
    ends = np.arange(T - 2, S)
    prior[ends, ends] = np.concatenate(
        [np.full(2, TORSION_SIGMA**-2), np.repeat(targets.sigma**-2.0, 3)]
    )
    center = np.concatenate([first, np.zeros(S - T + 2)])

    def scale_of(theta: Array) -> Array:
        scale: Array = np.exp(shape.map @ theta[:-2])
        return scale

    def squares(theta: Array, q: Array, offset: Array) -> Array:
        scale = scale_of(theta)
        out = np.empty((frames, K))
        local = _local(targets, scale, theta[-2:], offset)
        tree = model.scaled(scale).twisted(theta[-2:]).tree
        squared_misses(tree, q, targets.body, local, goal, out)
        return out

    def cost(square: Array, theta: Array, q: Array, offset: Array, cut: float) -> float:
        loss = square if np.isinf(cut) else cut**2 * np.log1p(square / cut**2)
        x = np.concatenate([theta, offset.ravel()]) - center
        bent = float((pull * (q[:, free[pulled]] - rest) ** 2).sum())
        return float((given * loss).sum() + x @ prior @ x) + bent

    square = squares(theta, q, offset)
    # Plain squares first: a tracking marker starts far from its place and is no outlier.
    cut = np.inf
    best = cost(square, theta, q, offset, cut)
    damping, used = 1e-3, 0
    shared, gradient = np.empty((S, S)), np.empty(S)
    cross, own, slope = (
        np.empty((frames, S, n)),
        np.empty((frames, n, n)),
        np.empty((frames, n)),
    )
    reduced, right = np.empty((S, S)), np.empty(S)
    for _ in range(MAX_ITERATIONS):
        used += 1
        scale = scale_of(theta)
        left = np.ones_like(square) if np.isinf(cut) else 1.0 / (1.0 + square / cut**2)
        shared[:] = prior
        gradient[:] = prior @ (center - np.concatenate([theta, offset.ravel()]))
        normal_equations(
            model.scaled(scale).twisted(theta[-2:]).tree,
            _slopes(model, scale, theta[-2:], shape.map, targets, offset),
            under,
            shank,
            q,
            free,
            targets.body,
            _local(targets, scale, theta[-2:], offset),
            goal,
            given * left,
            shared,
            gradient,
            cross,
            own,
            slope,
        )
        own[:, pulled, pulled] += pull
        slope[:, pulled] += pull * (rest - q[:, free[pulled]])
        # A coordinate on its bound that the gradient pushes further out takes no part.
        held = ((q[:, free] <= lower[free]) & (slope < 0)) | (
            (q[:, free] >= upper[free]) & (slope > 0)
        )
        _hold(held, cross, own, slope)
        improved = False
        for _try in range(10):
            eliminate(shared, gradient, cross, own, slope, damping, reduced, right)
            step = np.linalg.solve(reduced, right)
            turns = np.empty((frames, n))
            substitute(cross, own, slope, damping, step, turns)
            new_theta = theta + step[:T]
            new_theta[:-2] = np.clip(
                new_theta[:-2], first - LARGEST_CHANGE, first + LARGEST_CHANGE
            )
            new_offset = offset + step[T:].reshape(K, 3)
            new_q = q.copy()
            new_q[:, free] += turns
            new_q = np.clip(new_q, lower, upper)
            new_square = squares(new_theta, new_q, new_offset)
            value = cost(new_square, new_theta, new_q, new_offset, cut)
            if value < best:
                improved = True
                break
            damping *= 10
        drop = best - value if improved else 0.0
        if improved:
            theta, offset, q, best, square = new_theta, new_offset, new_q, value, new_square
            damping = max(damping * 0.1, 1e-12)
        if np.isinf(cut) and np.isfinite(outlier):
            if used >= PLAIN_ITERATIONS or drop < 1e-2 * best:
                cut = outlier * targets.noise
                best, damping = cost(square, theta, q, offset, cut), 1e-3
            continue
        if drop < 1e-7 * max(best, 1.0):
            break
    scale = scale_of(theta)
    eliminate(shared, gradient, cross, own, slope, 0.0, reduced, right)
    spread = np.linalg.inv(reduced)[: T - 2, : T - 2]
    flat = shape.map.reshape(-1, T - 2)
    station = _local(targets, scale, theta[-2:], offset)
    residual = np.where(seen, np.sqrt(square), np.nan)
    left = np.ones_like(square) if np.isinf(cut) else 1.0 / (1.0 + square / cut**2)
    return Fit(
        scale, theta[-2:], q, station, offset, residual, used, flat @ spread @ flat.T, left
    )


def _under(model: Multibody) -> BoolArray:
    """(B, 2) whether a body hangs below the ankle of a side."""
    out = np.zeros((len(model.bodies), len(SIDES)), dtype=bool)
    for s, side in enumerate(SIDES):
        out[model.body(f"talus_{side}"), s] = True
    for b, parent in enumerate(model.tree.parent):
        if parent >= 0:
            out[b] |= out[parent]
    return out


def _hold(held: BoolArray, cross: Array, own: Array, slope: Array) -> None:
    """Take coordinates (F, n) out of the step."""
    for f, j in zip(*np.nonzero(held), strict=True):
        own[f, j, :] = 0.0
        own[f, :, j] = 0.0
        own[f, j, j] = 1.0
        cross[f, :, j] = 0.0
        slope[f, j] = 0.0
