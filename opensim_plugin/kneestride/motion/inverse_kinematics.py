"""Joint coordinates from marker positions, frame by frame, to convergence.

Each frame minimises

    Σ_k w_k |x_k(q) - m_k|² + Σ_j ω_j (q_j - q0_j)²,   lower <= q <= upper

where x_k is marker k on the model and m_k the captured one: the cost of OpenSim's
inverse kinematics tool (Lu & O'Connor 1999, doi:10.1016/S0021-9290(98)00158-4), so
the two can be compared number by number. Solved by Levenberg-Marquardt on the
closed-form station Jacobian, warm-started from the frame before, bounds by an
active set: coordinates that the gradient pushes against their bound leave the step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import CaptureError
from ..model.kernels import IntArray
from ..model.multibody import Multibody
from ..scratch import kept, room
from ..vocabulary import Array, BoolArray
from ..workers import blocks, over_blocks
from .inverse_kinematics_kernel import pruned, solve_frames
from .kinematics import Motion

STEP_TOLERANCE = 1e-8
"""rad or m; smaller steps end a frame."""
OVERLAP = 16
"""Frames that a block of a recording is solved ahead of its own."""
JOINED = 1e-5
"""rad or m; blocks whose common frame differs by more are on different paths."""
JUMP = 1.0
"""rad or m between two frames: two recordings joined, or a pose that was lost."""
MOST_JUMPS = 8
"""Jumps of one block that are looked at; each follows the rest of the block once more."""
BETTER = 1e-6
"""Share by which the cost of a pose is lower that is not the same one."""
RESTART_RATIO = 3.0
"""A frame this many times worse than the median is tried again from other starts."""


@dataclass(frozen=True)
class MarkerTasks:
    """Markers on the model.

    Attributes
    ----------
    names : tuple of str, length K
    body : (K,) body index
    station : (K, 3) m, in the body frame
    weight : (K,) relative weight in the sum of squares
    """

    names: tuple[str, ...]
    body: IntArray
    station: Array
    weight: Array


@dataclass(frozen=True)
class CoordinatePriors:
    """Soft pulls of coordinates towards values.

    Attributes
    ----------
    value : (N,) rad or m
    weight : (N,) m²/rad² (marker weights being 1): (marker σ / coordinate σ)²
    free : (N,) bool, False holds the coordinate at `value`
    """

    value: Array
    weight: Array
    free: BoolArray


def solve(
    model: Multibody,
    tasks: MarkerTasks,
    time: Array,
    rate: float,
    markers: Array,
    priors: CoordinatePriors,
    *,
    weights: Array | None = None,
    start: Array | None = None,
    tolerance: float = STEP_TOLERANCE,
) -> Motion:
    """Inverse kinematics of a recording.

    Parameters
    ----------
    model : Multibody
    tasks : MarkerTasks, K markers
    time : (T,) s; rate : Hz
    markers : (T, K, 3) m in the ground frame, NaN where missing
    priors : CoordinatePriors
    weights : (T, K), optional
        Factor on each marker's weight, such as a detection confidence.
    start : (N,), optional
        Coordinates to start the first frame from; searched for when left out.
    tolerance : float, rad or m

    Returns
    -------
    Motion
        With `marker_error` (T, K) m, NaN where the marker is missing.

    Raises
    ------
    CaptureError
        When no frame has three markers on the model.
    """
    seen = np.isfinite(markers).all(axis=2)
    frames = np.flatnonzero(seen.sum(axis=1) >= 3)
    if not frames.size:
        raise CaptureError(
            "frames with at least three markers of the marker set",
            "none",
            "check the marker names and the gaps of the recording",
        )
    weight = kept(np.where(seen, tasks.weight, 0.0))
    if weights is not None:
        weight = weight * weights
    clean = markers if seen.all() else kept(np.where(seen[..., None], markers, 0.0))
    problem = _Problem(model, tasks, clean, weight, priors, tolerance)
    first = problem.first_pose(int(frames[0]), start)
    q = room((len(time), len(model.coordinates)))
    q[frames], costs = problem.follow(frames, first)
    problem.retry_outliers(q, costs, frames, first)
    for t in np.setdiff1d(np.arange(len(time)), frames):
        q[t] = q[frames[np.argmin(np.abs(frames - t))]]
    error = room(seen.shape)

    def compare(begin: int, end: int) -> None:
        where = station_paths(model, tasks, q[begin:end])
        error[begin:end] = np.linalg.norm(where - markers[begin:end], axis=2)

    over_blocks(compare, len(time))
    informed = priors.free & np.asarray(
        model.informed_by(tasks.body[seen.any(axis=0)]), dtype=bool
    )
    return Motion(time, rate, model.coordinates, q, informed, tasks.names, error)


def station_paths(model: Multibody, tasks: MarkerTasks, q: Array) -> Array:
    """Where the model's markers are: (T, K, 3) m in ground, for coordinates (T, N)."""
    rotation, position = model.poses(q)
    where: Array = position[:, tasks.body] + np.einsum(
        "tkij,kj->tki", rotation[:, tasks.body], tasks.station
    )
    return where


class _Problem:
    """The arrays of one recording, so that frames can be solved more than once."""

    def __init__(
        self,
        model: Multibody,
        tasks: MarkerTasks,
        markers: Array,
        weight: Array,
        priors: CoordinatePriors,
        tolerance: float,
    ) -> None:
        self.model, self.tasks, self.priors = model, tasks, priors
        self.markers, self.weight, self.tolerance = markers, weight, tolerance
        self.free = np.flatnonzero(priors.free)
        self.tree, self.body = pruned(model.tree, tasks.body)
        # Ranges of the floating base are drawing limits in public models, not anatomy.
        root = np.array([name.startswith("pelvis_") for name in model.coordinates])
        self.lower = np.where(root, -np.inf, np.where(priors.free, model.lower, priors.value))
        self.upper = np.where(root, np.inf, np.where(priors.free, model.upper, priors.value))

    def run(self, frames: IntArray, starts: Array, *, chained: bool) -> tuple[Array, Array]:
        """Coordinates (F, N) and costs (F,) of some frames."""
        q = np.empty((len(frames), len(self.model.coordinates)))
        costs = np.empty(len(frames))
        solve_frames(
            self.tree,
            np.ascontiguousarray(self.markers[frames]),
            np.ascontiguousarray(self.weight[frames]),
            self.body,
            self.tasks.station,
            self.priors.value,
            self.priors.weight,
            self.free,
            self.lower,
            self.upper,
            np.ascontiguousarray(starts),
            chained,
            self.tolerance,
            q,
            costs,
            np.zeros(len(frames), dtype=np.int64),
        )
        return q, costs

    def follow(self, frames: IntArray, first: Array) -> tuple[Array, Array]:
        """Coordinates (F, N) and costs (F,) of frames in turn, by all workers.

        Blocks start some frames early from a pose found for themselves. Where that has not
        led onto the path of the block before, the block is followed again from its end,
        unless that end is the worse of the two: it may have lost its way.
        """
        q, costs = room((len(frames), len(self.model.coordinates))), np.empty(len(frames))
        joins: dict[int, tuple[Array, float]] = {}

        def block(start: int, stop: int) -> None:
            begin = max(start - OVERLAP, 0)
            pose = self.first_pose(int(frames[begin]), None) if begin else first
            found, cost = self.run(frames[begin:stop], pose[None], chained=True)
            self.restart_at_jumps(found, cost, frames[begin:stop])
            q[start:stop], costs[start:stop] = found[start - begin :], cost[start - begin :]
            if begin:
                joins[start] = found[start - begin - 1], cost[start - begin - 1]

        over_blocks(block, len(frames))
        for start, stop in blocks(len(frames))[1:]:
            pose, cost = joins[start]
            apart = np.abs(pose - q[start - 1]).max() > JOINED
            if apart and cost > costs[start - 1] * (1.0 - BETTER):
                q[start:stop], costs[start:stop] = self.run(
                    frames[start:stop], q[start - 1][None], chained=True
                )
        return q, costs

    def restart_at_jumps(self, q: Array, costs: Array, frames: IntArray) -> None:
        """Follow a block anew from where the pose jumps: what came before misleads there."""
        at = 0
        for _ in range(MOST_JUMPS):
            jumps = np.flatnonzero(np.abs(np.diff(q[at:], axis=0)).max(axis=1) > JUMP)
            if not jumps.size:
                return
            at += int(jumps[0]) + 1
            pose = self.first_pose(int(frames[at]), None)
            found, cost = self.run(frames[at:], pose[None], chained=True)
            if cost[0] <= costs[at] * (1.0 + BETTER):
                q[at:], costs[at:] = found, cost

    def first_pose(self, frame: int, start: Array | None) -> Array:
        """Best solution of a frame over four headings of the pelvis."""
        base = self.priors.value.copy() if start is None else start.copy()
        names = self.model.coordinates
        shift = [names.index(f"pelvis_t{axis}") for axis in "xyz"]
        yaw = names.index("pelvis_rotation")
        seen = self.weight[frame] > 0
        candidates = []
        for heading in (0.0, np.pi / 2, np.pi, -np.pi / 2) if start is None else (0.0,):
            q = base.copy()
            q[yaw] += heading
            where = station_paths(self.model, self.tasks, q[None])[0]
            q[shift] += (self.markers[frame] - where)[seen].mean(axis=0)
            candidates.append(q)
        at = np.full(len(candidates), frame)
        solved, costs = self.run(at, np.array(candidates), chained=False)
        # Headings that lead to one pose differ by rounding, or by a turn: the first counts.
        best: Array = solved[int(np.argmax(costs <= costs.min() * (1 + 1e-6) + 1e-12))]
        if abs(best[yaw]) > np.pi:
            best[yaw] -= 2 * np.pi * np.round(best[yaw] / (2 * np.pi))
        return best

    def retry_outliers(self, q: Array, costs: Array, frames: IntArray, first: Array) -> None:
        """Solve unusually bad frames again, from good neighbours and from the first pose."""
        rms = np.sqrt(costs / np.maximum(self.weight[frames].sum(axis=1), 1e-12))
        bad = np.flatnonzero(rms > RESTART_RATIO * np.median(rms) + 1e-6)
        good = np.setdiff1d(np.arange(len(frames)), bad)
        if not good.size:
            return
        for i in bad:
            after = good[min(int(np.searchsorted(good, i)), good.size - 1)]
            before = good[max(int(np.searchsorted(good, i)) - 1, 0)]
            starts = np.array([q[frames[after]], q[frames[before]], first])
            solved, cost = self.run(np.full(3, frames[i]), starts, chained=False)
            best = int(np.argmin(cost))
            if cost[best] < costs[i]:
                q[frames[i]], costs[i] = solved[best], cost[best]
