"""Muscle geometry of long motions from fits to exact geometry at some of their frames.

A run repeats itself: 4 500 frames hold 80 strides that differ by a few degrees. So exact
geometry (`model.paths`) is asked at several hundred of them, and in a band around them,
and every output of every muscle (length, each moment arm, wrench on the tibia, force on
the patella in the patella's own frame) gets its own ridge regression on the functions of
`model.path_basis`. Moment arms are never slopes of fitted lengths: in the Rajagopal family
the two disagree.

Trust is earned in each run: frames of the motion itself that no fit has seen are computed
exactly, and a muscle whose error matters is computed exactly throughout. Poses far from
every fitted sample (a simulated variant that leaves the band) are exact too.
The fit depends on the motion and a fixed seed, not on processes or on what ran before.

Pelvis and other coordinates that move the whole body get no moment arm: a muscle's pulls
cancel. OpenSim's own do so to rounding, except up to 0.6 mm for the lateral gastrocnemius.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..scratch import LONG, kept
from ..vocabulary import SIDES, Array, BoolArray
from ..workers import over_blocks
from .kernels import IntArray
from .path_basis import exponents, functions, roughness
from .path_check import PathErrors, path_errors
from .path_memory import remembered_exact, remembered_geometry
from .path_store import PathCache
from .paths import MusclePaths, PathGeometry, evaluate_shared, opened

SHORT = 700
"""Frames up to which fitting costs more than it saves."""
SAMPLES, WIDENED, HELD_OUT = 400, 150, 80
"""Frames that are fitted, those repeated with noise, and at most so many that judge the fit."""
WIDENING = 0.04
"""rad, standard deviation of the noise: room for variants of the same motion."""
RIDGE = 1e-7
NOTHING = 1e-7
"""m (or 1); what is smaller in all samples is zero."""
CHUNK = 512
_TURNS = threading.Lock()


@dataclass(frozen=True)
class Group:
    """Muscles that span the same coordinates, fitted in one go.

    Attributes
    ----------
    spans : (k,) columns of q; varying : (k,) bool, those that the samples vary
    middle, half : (v,) rad, of the varying ones
    powers, splined : see `path_basis.functions`
    samples : (S, k) rad, poses that were fitted
    radius : rad, distance from the nearest sample up to which the fit is used
    weights : (P, O)
    length, moment_arm, tibia_wrench, patella_force : columns that the first, next ...
        outputs fill in the flattened arrays of one frame
    """

    spans: IntArray
    varying: BoolArray
    middle: Array
    half: Array
    powers: IntArray
    splined: IntArray
    samples: Array
    radius: float
    weights: Array
    length: IntArray
    moment_arm: IntArray
    tibia_wrench: IntArray
    patella_force: IntArray

    def functions(self, q: Array) -> Array:
        """Values (T, P) of the basis at poses (T, N)."""
        u = (q[:, self.spans[self.varying]] - self.middle) / self.half
        return functions(u, self.powers, self.splined)

    def distance(self, q: Array) -> Array:
        """Distance (T,) in rad from poses (T, N) to the nearest sample."""
        return _nearest(q[:, self.spans], self.samples)


@dataclass(frozen=True)
class PathFit:
    """Fitted muscle geometry of one model around one motion.

    Attributes
    ----------
    names : muscles; coordinates : columns of q
    groups : tuple of Group
    unfit : indices of muscles that no group holds (their pulls do not cancel)
    patella : whether the model has patellae
    """

    names: tuple[str, ...]
    coordinates: tuple[str, ...]
    groups: tuple[Group, ...]
    unfit: tuple[int, ...] = ()
    patella: bool = True

    def outside(self, q: Array) -> BoolArray:
        """Which poses (T, N) are too far from every sample, (T,)."""
        out = np.zeros(len(q), dtype=bool)
        for group in self.groups:
            out |= group.distance(q) > group.radius + 1e-9
        return out

    def evaluate(self, q: Array, patella_rotation: Array | None) -> MusclePaths:
        """Muscle geometry of poses (T, N); unfit muscles are left zero.

        Parameters
        ----------
        patella_rotation : (T, 2, 3, 3) patella in ground; None without patellae
        """
        T, M, N = len(q), len(self.names), len(self.coordinates)
        length, arms = np.zeros((T, M)), np.zeros((T, M, N))
        wrench, patella = np.zeros((T, M, 2, 6)), np.zeros((T, M, 2, 3))
        flat = (length, arms.reshape(T, -1), wrench.reshape(T, -1), patella.reshape(T, -1))

        def block(start: int, stop: int) -> None:
            at = slice(start, stop)
            for group in self.groups:
                values = group.functions(q[at]) @ group.weights
                first = 0
                for array, columns in zip(flat, _columns(group), strict=True):
                    array[at, columns] = values[:, first : first + len(columns)]
                    first += len(columns)
            if patella_rotation is not None:
                for s in range(len(SIDES)):
                    turn = patella_rotation[at, s].transpose(0, 2, 1)
                    patella[at, :, s] = patella[at, :, s] @ turn

        over_blocks(block, T, CHUNK)
        return MusclePaths(
            self.names,
            self.coordinates,
            length,
            arms,
            wrench,
            patella if patella_rotation is not None else None,
        )


@dataclass(frozen=True)
class PathReport:
    """How the muscle geometry of a motion was found.

    Attributes
    ----------
    frames : int; samples : int, exact poses behind the fit (0: everything is exact)
    checked : int, held-out frames that were compared
    outside : int, frames too far from the samples, computed exactly
    exact_muscles : muscles computed exactly throughout
    errors : PathErrors of the fit on the held-out frames, before muscles were replaced
    fit : PathFit, to be used again for variants of the motion
    """

    frames: int
    samples: int = 0
    checked: int = 0
    outside: int = 0
    exact_muscles: tuple[str, ...] = ()
    errors: PathErrors | None = None
    fit: PathFit | None = None

    @property
    def note(self) -> str:
        """One sentence for the log."""
        if self.errors is None or self.fit is None:
            return f"Muscle geometry: exact at all {self.frames} frames."
        text = (
            f"Muscle geometry: fitted to {self.samples} exact poses, checked on "
            f"{self.checked} other frames; {self.errors.sentence(self.exact_muscles)}"
        )
        if self.exact_muscles:
            text += " Exact throughout: " + ", ".join(self.exact_muscles) + "."
        if self.outside:
            text += f" Exact at {self.outside} of {self.frames} frames far from the samples."
        return text


class PathSource(Protocol):
    """Muscle geometry that is told for as many frames as are asked for at a time."""

    @property
    def names(self) -> tuple[str, ...]:
        """Muscles."""
        ...

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns of the moment arms."""
        ...

    def window(self, start: int, stop: int) -> MusclePaths:
        """Geometry of frames start to stop (exclusive)."""
        ...


@dataclass(frozen=True)
class ExactPaths:
    """Exact geometry, worked out when it is asked for."""

    geometry: PathGeometry
    q: Array
    exact: Callable[[Array], MusclePaths]

    @property
    def names(self) -> tuple[str, ...]:
        """Muscles."""
        return self.geometry.names

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns of the moment arms."""
        return self.geometry.coordinates

    def window(self, start: int, stop: int) -> MusclePaths:
        """Geometry of frames start to stop (exclusive)."""
        # OpenSim's model has one state: workers that share pieces must take turns.
        with _TURNS:
            return self.exact(self.q[start:stop])


@dataclass(frozen=True)
class FittedPaths:
    """A fit over a motion with what is exact put in, worked out when it is asked for.

    38 kB a frame are not kept for half an hour: evaluating a fit again costs less than
    fetching that much from memory.

    Attributes
    ----------
    fit : PathFit; geometry : PathGeometry of the same model
    q : (T, N) rad, m, columns as `geometry.coordinates`
    exact : (frames ascending, muscles, their exact geometry), in the order they are put in
    """

    fit: PathFit
    geometry: PathGeometry
    q: Array
    exact: tuple[tuple[IntArray, tuple[int, ...], MusclePaths], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Muscles."""
        return self.fit.names

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Columns of the moment arms."""
        return self.fit.coordinates

    def window(self, start: int, stop: int) -> MusclePaths:
        """Geometry of frames start to stop (exclusive)."""
        q = self.q[start:stop]
        found = self.fit.evaluate(q, _patella_rotation(self.geometry, q))
        for frames, muscles, known in self.exact:
            first, last = np.searchsorted(frames, [start, stop])
            if last > first:
                part = known.window(int(first), int(last))
                _put(found, part, frames[first:last] - start, muscles)
        return found


def muscle_paths(
    model: Path | str | PathGeometry,
    coordinates: tuple[str, ...],
    q: Array,
    centers: Array | None = None,
    *,
    workers: int = 2,
    fit: PathFit | None = None,
    cache: PathCache | None = None,
) -> tuple[MusclePaths, PathReport]:
    """Muscle geometry of a motion, all frames at once; as `path_source`."""
    source, report = path_source(
        model, coordinates, q, centers, workers=workers, fit=fit, cache=cache
    )
    return source.window(0, len(q)), report


def path_source(
    model: Path | str | PathGeometry,
    coordinates: tuple[str, ...],
    q: Array,
    centers: Array | None = None,
    *,
    workers: int = 2,
    fit: PathFit | None = None,
    cache: PathCache | None = None,
) -> tuple[PathSource, PathReport]:
    """Muscle geometry of a motion: exact if short, else fitted and checked.

    Parameters
    ----------
    model : path of an .osim file, its XML text, or a PathGeometry (one process, no cache)
    coordinates, q, centers, workers : as in `model.paths.exact_paths`
    fit : PathFit, optional
        Of a motion that this one is a variant of (`PathReport.fit`, same model); used
        whatever the number of frames, and checked here like any other.
    cache : PathCache, optional, where fits are kept from run to run

    Raises
    ------
    ModelError
        When the model cannot be used or a coordinate is not in it.
    """
    # Short motions are exact throughout: there is nothing to remember.
    is_text = isinstance(model, str) and "<OpenSimDocument" in model
    by_text = is_text and cache is not None and len(q) > SHORT
    geometry = (
        model if isinstance(model, PathGeometry)
        else remembered_geometry(str(model), centers) if by_text
        else opened(model, centers)
    )  # fmt: skip
    pose = kept(geometry.in_order(coordinates, q))

    def exact(at: Array, muscles: Sequence[int] | None = None) -> MusclePaths:
        if isinstance(model, PathGeometry):
            return geometry.evaluate(at, muscles)
        return evaluate_shared(geometry, model, at, workers, muscles)

    if fit is None and len(q) <= SHORT:
        return ExactPaths(geometry, pose, exact), PathReport(len(q))
    key = ""
    if fit is None and cache is not None and not isinstance(model, PathGeometry):
        key = cache.key(model, geometry.centers, pose)
        fit = cache.load(key)
        if fit is None:
            fit = fit_paths(geometry, pose)
            cache.save(key, fit)
    elif fit is None:
        fit = fit_paths(geometry, pose)
    outside = fit.outside(pose)
    held_out = _held_out(len(q))
    held_out = held_out[~outside[held_out]]
    if not len(held_out):
        report = PathReport(len(q), outside=len(q), fit=fit)
        return ExactPaths(geometry, pose, exact), report
    judged = pose[held_out]
    fitted = fit.evaluate(judged, _patella_rotation(geometry, judged))
    true = remembered_exact(geometry, key, judged) if key and by_text else exact(judged)
    errors = path_errors(fitted, true, geometry)
    off = sorted({*np.flatnonzero(errors.off), *fit.unfit})
    known: list[tuple[IntArray, tuple[int, ...], MusclePaths]] = []
    if outside.any():
        everything = tuple(range(len(fit.names)))
        known.append((np.flatnonzero(outside), everything, exact(pose[outside])))
    if off:
        known.append((np.arange(len(q)), tuple(int(m) for m in off), exact(pose, off)))
    known = [(frames, muscles, kept(paths)) for frames, muscles, paths in known]
    samples = len(fit.groups[0].samples) if fit.groups else 0
    names = tuple(fit.names[m] for m in off)
    return FittedPaths(fit, geometry, pose, tuple(known)), PathReport(
        len(q), samples, len(held_out), int(outside.sum()), names, errors, fit
    )


def fit_paths(geometry: PathGeometry, q: Array) -> PathFit:
    """Fit a model's muscle geometry around a motion.

    Parameters
    ----------
    q : (T, N) rad, m; columns as `geometry.coordinates`. The frames that `muscle_paths`
        holds out are not used.
    """
    body, tree = geometry.multibody, geometry.multibody.tree
    root = tree.moves[:, tree.independent].all(axis=0)
    poses = _representative(q, body.rotational.astype(bool) & ~root)
    exact = geometry.evaluate(poses)
    rotation = _patella_rotation(geometry, poses)
    S, M, N = exact.moment_arm.shape
    patella = np.zeros((S, M, 2, 3))
    if exact.patella_force is not None and rotation is not None:
        for s in range(len(SIDES)):
            patella[:, :, s] = exact.patella_force[:, :, s] @ rotation[:, s]
    across = np.abs(exact.moment_arm).max(axis=0) > NOTHING
    # Pulls that do not cancel hold on to something outside the body.
    loose = np.abs(exact.moment_arm[:, :, root]).max(axis=(0, 2), initial=0.0)
    unfit = tuple(int(m) for m in np.flatnonzero(loose * geometry.strength > 5.0))
    across[:, root] = False
    by_span: dict[tuple[int, ...], list[int]] = {}
    for m in range(M):
        if m not in unfit:
            by_span.setdefault(tuple(np.flatnonzero(across[m])), []).append(m)
    splined = _drives_splines(geometry)
    groups = []
    for span, muscles in by_span.items():
        chosen = np.array(muscles)
        arms = (chosen[:, None] * N + np.array(span, dtype=np.int64)).ravel()
        wrench = (chosen[:, None] * 12 + np.arange(12)).ravel()
        press = (chosen[:, None] * 6 + np.arange(6)).ravel()
        flat_wrench, flat_patella = exact.tibia_wrench.reshape(S, -1), patella.reshape(S, -1)
        wrench = wrench[np.abs(flat_wrench[:, wrench]).max(axis=0) > NOTHING]
        press = press[np.abs(flat_patella[:, press]).max(axis=0) > NOTHING]
        group = _empty_group(poses, np.array(span, dtype=np.int64), splined)
        group = replace(
            group, length=chosen, moment_arm=arms, tibia_wrench=wrench, patella_force=press
        )
        targets = [exact.length[:, chosen], exact.moment_arm.reshape(S, -1)[:, arms]]
        targets += [flat_wrench[:, wrench], flat_patella[:, press]]
        radius = max(float(group.distance(q).max()), WIDENING * len(span) ** 0.5)
        weights = _ridge(group, poses, np.hstack(targets))
        groups.append(replace(group, radius=radius, weights=weights))
    return PathFit(
        geometry.names, geometry.coordinates, tuple(groups), unfit, rotation is not None
    )


def _ridge(group: Group, poses: Array, targets: Array) -> Array:
    basis = group.functions(poses)
    penalty = roughness(group.powers, group.splined)
    # A trace on the constant too: B-splines add up to one, and so does it.
    penalty = RIDGE * len(poses) * (penalty + 1e-3)
    factor = cho_factor(basis.T @ basis + np.diag(penalty))
    weights: Array = cho_solve(factor, basis.T @ targets)
    return weights


def _empty_group(poses: Array, span: IntArray, splined: BoolArray) -> Group:
    low, high = poses[:, span].min(axis=0), poses[:, span].max(axis=0)
    varying = high - low > 1e-6
    low, high = low[varying], high[varying]
    none = np.zeros(0, dtype=np.int64)
    return Group(
        span,
        varying,
        (low + high) / 2,
        (high - low) / 2,
        exponents(high - low),
        np.flatnonzero(splined[span[varying]]),
        poses[:, span],
        0.0,
        np.zeros((0, 0)),
        *(none,) * 4,
    )


def _representative(q: Array, noisy: BoolArray) -> Array:
    """Poses to fit: the most different frames, others at random, and some with noise.

    Extremes come from taking again and again the frame farthest from those taken
    (Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5).
    """
    rng = np.random.default_rng(0)
    usable = np.setdiff1d(np.arange(len(q)), _held_out(len(q)))
    # Long recordings repeat themselves, and frames far from those chosen are seen later.
    usable = usable[:: -(-len(usable) // LONG)]
    vary = noisy & (np.ptp(q, axis=0) > 1e-4)
    x = q[np.ix_(usable, vary)]
    taken = [0]
    distance = ((x - x[0]) ** 2).sum(axis=1)
    for _ in range(min(SAMPLES // 2, len(x)) - 1):
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, ((x - x[taken[-1]]) ** 2).sum(axis=1))
    rest = rng.permutation(np.setdiff1d(np.arange(len(x)), taken))
    chosen = usable[np.r_[taken, rest[: SAMPLES - len(taken)]]]
    around = q[rng.permutation(usable)[:WIDENED]]
    around[:, vary] += rng.normal(0.0, WIDENING, (len(around), int(vary.sum())))
    return np.vstack([q[chosen], around])


def _held_out(frames: int) -> IntArray:
    """Frames that judge a fit: spread at random, the same in every run."""
    count = min(HELD_OUT, max(frames // 10, HELD_OUT // 4))
    chosen: IntArray = np.random.default_rng(1).permutation(frames)[:count]
    return np.sort(chosen)


def _drives_splines(geometry: PathGeometry) -> BoolArray:
    """Which coordinates (N,) move a joint by piecewise functions, directly or coupled."""
    tree = geometry.multibody.tree
    found = np.zeros(len(geometry.multibody.full_coordinates), dtype=bool)
    for coordinate, function in zip(
        tree.coordinate.ravel(), tree.function.ravel(), strict=True
    ):
        if coordinate >= 0 and function >= 0 and tree.pieces[function] > 1:
            found[coordinate] = True
    for c in np.flatnonzero(tree.leader >= 0):
        found[tree.leader[c]] |= found[c] | (tree.pieces[tree.coupler[c]] > 1)
    out: BoolArray = found[tree.independent]
    return out


def _patella_rotation(geometry: PathGeometry, q: Array) -> Array | None:
    if geometry.patella is None:
        return None
    rotation: Array = geometry.multibody.poses(q)[0][:, geometry.patella]
    return rotation


def _nearest(x: Array, samples: Array) -> Array:
    out = np.zeros(len(x))
    # Centred, so that the difference of squares keeps its digits.
    middle = samples.mean(axis=0) if samples.size else 0.0
    y = samples - middle
    size = (y**2).sum(axis=1)

    def block(start: int, stop: int) -> None:
        z = x[start:stop] - middle
        squared = (size - 2 * z @ y.T).min(axis=1) + (z**2).sum(axis=1)
        out[start:stop] = np.sqrt(np.maximum(squared, 0.0))

    over_blocks(block, len(x), CHUNK)
    return out


def _columns(group: Group) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    return group.length, group.moment_arm, group.tibia_wrench, group.patella_force


def _put(into: MusclePaths, exact: MusclePaths, at: IntArray, muscles: Sequence[int]) -> None:
    """Replace muscles at some frames by exact ones."""
    where = np.ix_(at, list(muscles))
    into.length[where] = exact.length
    into.moment_arm[where] = exact.moment_arm
    into.tibia_wrench[where] = exact.tibia_wrench
    if into.patella_force is not None and exact.patella_force is not None:
        into.patella_force[where] = exact.patella_force
