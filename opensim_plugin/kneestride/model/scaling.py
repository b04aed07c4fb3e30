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

from dataclasses import dataclass

import numpy as np

from ..vocabulary import SIDES, Array, BoolArray
from . import kernels
from .kernels import IntArray
from .multibody import Multibody, rotation_about_y

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
    """

    scale: Array
    torsion: Array
    q: Array
    station: Array
    offset: Array
    residual: Array
    iterations: int


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


def _shape(model: Multibody, log_size: float) -> _Shape:
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
    rows, mean, sigma = [np.eye(len(names))[0]], [log_size], [HEIGHT_SIGMA]
    for name in names[1:]:
        row = np.zeros(len(names))
        row[column[name]], row[0] = 1.0, -1.0
        rows.append(row)
        mean.append(0.0)
        spread = WIDTH_SIGMA if "width" in name or "height" in name else LENGTH_SIGMA
        sigma.append(PELVIS_SIGMA if name.startswith("pelvis") else spread)
        if name.endswith("length r"):
            row = np.zeros(len(names))
            row[column[name]], row[column[f"{name[:-1]}l"]] = 1.0, -1.0
            rows.append(row)
            mean.append(0.0)
            sigma.append(SYMMETRY_SIGMA)
    return _Shape(linear, np.array(rows), np.array(mean), np.array(sigma))


def _local(targets: Targets, scale: Array, torsion: Array, offset: Array) -> Array:
    """Places (K, 3) of the targets in their scaled, twisted bodies."""
    local: Array = targets.station * scale[targets.body]
    for s in range(len(SIDES)):
        mine = targets.turned == s
        local[mine] = local[mine] @ rotation_about_y(float(torsion[s])).T
    return local + offset


def _stations(
    model: Multibody, scale: Array, torsion: Array, q: Array, targets: Targets, offset: Array
) -> Array:
    rotation, position = model.scaled(scale).twisted(torsion).poses(q)
    where: Array = position[:, targets.body] + np.einsum(
        "fkij,kj->fki", rotation[:, targets.body], _local(targets, scale, torsion, offset)
    )
    return where


def _pose_jacobian(
    model: Multibody, q: Array, body: IntArray, local: Array
) -> tuple[Array, Array]:
    """Stations (K, 3), derivative (3 K, N) and body rotations (B, 3, 3) of one frame."""
    tree = model.tree
    C, B, N = len(model.full_coordinates), len(model.bodies), len(model.coordinates)
    full = np.zeros(C)
    omega, velocity, origin = np.zeros((C, 3)), np.zeros((C, 3)), np.zeros((C, 3))
    rotation, position = np.zeros((B, 3, 3)), np.zeros((B, 3))
    where, jacobian = np.zeros((len(body), 3)), np.zeros((3 * len(body), N))
    kernels.expand(tree, q, full)
    kernels.forward(tree, full, rotation, position, omega, velocity, origin)
    kernels.station_jacobian(
        tree,
        full,
        omega,
        velocity,
        origin,
        rotation,
        position,
        body,
        local,
        where,
        jacobian,
        np.zeros(C),
        np.zeros(C, dtype=np.int64),
    )
    return jacobian, rotation


def fit(
    model: Multibody, targets: Targets, priors: PosePriors, start: Array, height: float
) -> Fit:
    """Scale factors, marker places and poses that explain the targets best.

    Parameters
    ----------
    model : Multibody, generic
    targets : Targets
    priors : PosePriors
    start : (F, N) first guess of the poses
    height : float, m, the person's stature

    Returns
    -------
    Fit
    """
    frames, K = targets.positions.shape[:2]
    free = np.flatnonzero(priors.free)
    shape = _shape(model, float(np.log(height / stature(model))))
    # Shape parameters first, then the torsion of both shanks.
    theta = np.concatenate(
        [
            np.linalg.lstsq(
                shape.rows / shape.sigma[:, None], shape.mean / shape.sigma, rcond=None
            )[0],
            np.zeros(len(SIDES)),
        ]
    )
    offset = np.zeros((K, 3))
    q = start.copy()
    q[:, ~priors.free] = priors.value[~priors.free]
    seen = np.isfinite(targets.positions)
    goal = np.where(seen, targets.positions, 0.0)
    n_theta, n_q = theta.size, free.size
    pulled = np.flatnonzero(np.isfinite(priors.sigma[free]))
    root = np.array([name.startswith("pelvis_") for name in model.coordinates])
    lower = np.where(root, -np.inf, model.lower)
    upper = np.where(root, np.inf, model.upper)

    def scale_of(theta: Array) -> Array:
        scale: Array = np.exp(shape.map @ theta[:-2])
        return scale

    def residuals(theta: Array, q: Array, offset: Array) -> list[Array]:
        miss = (goal - _stations(model, scale_of(theta), theta[-2:], q, targets, offset)) * seen
        pose = (priors.value - q)[:, free[pulled]] / priors.sigma[free[pulled]]
        return [
            (miss / targets.noise).ravel(),
            (-offset / targets.sigma[:, None]).ravel(),
            (shape.mean - shape.rows @ theta[:-2]) / shape.sigma,
            theta[-2:] / -TORSION_SIGMA,
            pose.ravel(),
        ]

    def cost(theta: Array, q: Array, offset: Array) -> float:
        return float(sum((part**2).sum() for part in residuals(theta, q, offset)))

    size = n_theta + 3 * K + frames * n_q
    best = cost(theta, q, offset)
    damping, used = 1e-3, 0
    for _ in range(MAX_ITERATIONS):
        used += 1
        miss, place, build, twist, pose = residuals(theta, q, offset)
        scale = scale_of(theta)
        scaled = model.scaled(scale).twisted(theta[-2:])
        local = _local(targets, scale, theta[-2:], offset)
        by_theta = np.empty((frames, K, 3, n_theta))
        step = 1e-6
        for i in range(n_theta):
            nudged = theta.copy()
            nudged[i] += step
            ahead = _stations(model, scale_of(nudged), nudged[-2:], q, targets, offset)
            nudged[i] -= 2 * step
            behind = _stations(model, scale_of(nudged), nudged[-2:], q, targets, offset)
            by_theta[..., i] = (ahead - behind) / (2 * step)
        by_theta *= seen[..., None]
        normal = np.zeros((size, size))
        gradient = np.zeros(size)
        tops = slice(0, n_theta)
        offs = slice(n_theta, n_theta + 3 * K)
        w = 1.0 / targets.noise
        miss = miss.reshape(frames, K * 3)
        for f in range(frames):
            jacobian, rotation = _pose_jacobian(scaled, q[f], targets.body, local)
            jq = jacobian[:, free] * seen[f].reshape(-1, 1)
            jt = by_theta[f].reshape(3 * K, n_theta)
            jo = np.zeros((3 * K, 3 * K))
            for k in range(K):
                block = slice(3 * k, 3 * k + 3)
                jo[block, block] = rotation[targets.body[k]] * seen[f, k][:, None]
            at = n_theta + 3 * K + f * n_q
            own = slice(at, at + n_q)
            rows = np.concatenate([jt, jo], axis=1) * w
            jq = jq * w
            shared = slice(0, n_theta + 3 * K)
            normal[shared, shared] += rows.T @ rows
            normal[shared, own] = rows.T @ jq
            normal[own, shared] = normal[shared, own].T
            normal[own, own] += jq.T @ jq
            gradient[shared] += rows.T @ miss[f]
            gradient[own] += jq.T @ miss[f]
            pull = 1.0 / priors.sigma[free[pulled]]
            index = at + pulled
            normal[index, index] += pull**2
            gradient[index] += pull * pose.reshape(frames, -1)[f]
        rows = shape.rows / shape.sigma[:, None]
        shapes, twists = slice(0, n_theta - 2), np.arange(n_theta - 2, n_theta)
        normal[shapes, shapes] += rows.T @ rows
        gradient[shapes] += rows.T @ build
        normal[twists, twists] += TORSION_SIGMA**-2
        gradient[twists] += twist / TORSION_SIGMA
        spread = np.repeat(1.0 / targets.sigma, 3)
        index = np.arange(offs.start, offs.stop)
        normal[index, index] += spread**2
        gradient[offs] += spread * place
        # A coordinate on its bound that the gradient pushes further out takes no part.
        push = gradient[offs.stop :].reshape(frames, n_q)
        held = ((q[:, free] <= lower[free]) & (push < 0)) | (
            (q[:, free] >= upper[free]) & (push > 0)
        )
        out = offs.stop + np.flatnonzero(held.ravel())
        normal[out, :] = 0.0
        normal[:, out] = 0.0
        normal[out, out] = 1.0
        gradient[out] = 0.0
        improved = False
        for _try in range(10):
            damped = normal + damping * np.diag(np.diag(normal) + 1e-9)
            delta = np.linalg.solve(damped, gradient)
            new_theta = theta + delta[tops]
            new_offset = offset + delta[offs].reshape(K, 3)
            new_q = q.copy()
            new_q[:, free] += delta[offs.stop :].reshape(frames, n_q)
            new_q = np.clip(new_q, lower, upper)
            value = cost(new_theta, new_q, new_offset)
            if value < best:
                improved = True
                break
            damping *= 10
        if not improved:
            break
        drop = best - value
        theta, offset, q, best = new_theta, new_offset, new_q, value
        damping = max(damping * 0.1, 1e-12)
        if drop < 1e-7 * max(best, 1.0):
            break
    scale = scale_of(theta)
    where = _stations(model, scale, theta[-2:], q, targets, offset)
    residual = np.linalg.norm(where - targets.positions, axis=2)
    station = _local(targets, scale, theta[-2:], offset)
    return Fit(scale, theta[-2:], q, station, offset, residual, used)
