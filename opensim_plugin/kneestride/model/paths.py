"""Muscle geometry: lengths, moment arms and the wrench each muscle puts on the tibia.

Everything here is per unit of tension, because knee loads are linear in muscle
force. OpenSim's own path geometry (wrapping, conditional and moving path points) is
used exactly; what is fast is how it is asked. For each muscle one call gives the
forces that a unit tension puts on every body. Reading those one by one through the
Python bindings is slow, so they are pushed through the transposed Jacobian of a
*probe*: a system with as many bodies, each free in ground at identity, whose
transposed Jacobian is the identity. One call then returns all body wrenches as one
flat array, and the rest is arithmetic:

* moment arms R = Jᵀ f with the model's system Jacobian J, plus the mobility forces of
  moving path points, plus what coupled coordinates (the patella) hand to their leader;
* the wrench on tibia, talus, calcaneus and toes together, moved to the knee centre and
  turned into the tibia frame. It is what enters the free-body balance of the knee, so
  reaction = required wrench − Σ tension · wrench agrees with OpenSim's JointReaction;
* the force on the patella, from which the patellofemoral load follows.

Muscles that pull on the patella reach the tibia by the patellar tendon in the same path,
so their wrench on the tibia is the tendon's pull; the moment that the patellar coupler
adds about knee flexion is in the moment arm, and acts between femur and tibia.

Moment arms are generalized forces per unit tension (Sherman, Seth & Delp 2013, What is a
moment arm?, doi:10.1115/DETC2013-13633). In the Rajagopal family they differ from
−dL/dq for the gastrocnemii near knee extension, so neither is derived from the other.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..temporary import temporary_folder
from ..vocabulary import SIDES, Array
from .kernels import Tree, evaluate, jit
from .multibody import Multibody
from .osim import load_model, opensim

FRAMES_WORTH_A_WORKER = 1500
"""Below this many frames a second process costs more (import, model) than it saves."""
CHUNK = 128
"""Frames whose body forces are held at once (about 20 MB with 80 muscles)."""


@dataclass(frozen=True)
class MusclePaths:
    """Muscle geometry over T frames, per newton of tension.

    Attributes
    ----------
    names : tuple of str, length M
    coordinates : tuple of str, length N, independent coordinates
    length : (T, M) m, musculotendon length
    moment_arm : (T, M, N) m (rotations) or 1 (translations), positive when tension
        drives the coordinate up; coupled coordinates included in their leader
    tibia_wrench : (T, M, 2, 6) force and moment on tibia and everything distal of each
        side (axis as `SIDES`), about the knee joint centre, in the tibia frame; N/N, m
    patella_force : (T, M, 2, 3) force on each patella in ground, N/N; None when the
        model has no patella bodies
    """

    names: tuple[str, ...]
    coordinates: tuple[str, ...]
    length: Array
    moment_arm: Array
    tibia_wrench: Array
    patella_force: Array | None = None

    def column(self, coordinate: str) -> Array:
        """Moment arms (T, M) about one coordinate; raises ModelError if unknown."""
        if coordinate not in self.coordinates:
            raise ModelError(
                f"muscle moment arms about '{coordinate}'",
                "no such coordinate",
                "use a gait model with OpenSim's usual coordinate names",
                self.coordinates,
            )
        column: Array = self.moment_arm[:, :, self.coordinates.index(coordinate)]
        return column

    def window(self, start: int, stop: int) -> MusclePaths:
        """Frames start to stop (exclusive), not copied."""
        cut = slice(start, stop)
        return replace(
            self,
            length=self.length[cut],
            moment_arm=self.moment_arm[cut],
            tibia_wrench=self.tibia_wrench[cut],
            patella_force=None if self.patella_force is None else self.patella_force[cut],
        )


class PathGeometry:
    """A model's muscle paths, ready to be evaluated frame by frame.

    Parameters
    ----------
    model : path of an .osim file, its XML text, or an opensim.Model
    centers : (2, 3) m, knee joint centre of each side in the tibia's frame; by default
        the origin of the joint frame that the knee (its last joint) has in the tibia

    Raises
    ------
    ModelError
        When the model has no muscles or no tibia_r and tibia_l.
    """

    def __init__(self, model: Any, centers: Array | None = None) -> None:
        self.model = _open(model)
        # A muscle's own states (activation, fibre) are irrelevant to its path.
        self.state = self.model.initSystem()
        self.multibody = Multibody.from_osim(self.model)
        self.state = self.model.initSystem()
        self.matter = self.model.getMatterSubsystem()
        muscles = self.model.getMuscles()
        self._muscles = [muscles.get(i) for i in range(muscles.getSize())]
        if not self._muscles:
            raise ModelError(
                "a model with muscles", "none", "pass a gait model that has muscles"
            )
        self.names = tuple(str(m.getName()) for m in self._muscles)
        self.strength: Array = np.array([m.getMaxIsometricForce() for m in self._muscles])
        self._paths = [m.getPath() for m in self._muscles]
        self.coordinates = self.multibody.coordinates
        self._order = self._mobility_order()
        self._index = [
            int(self.model.getBodySet().get(name).getMobilizedBodyIndex())
            for name in self.multibody.bodies
        ]
        self._tibia = [self.multibody.body(f"tibia_{side}") for side in SIDES]
        self._distal = [self._below(b) for b in self._tibia]
        names = [f"patella_{side}" for side in SIDES]
        known = all(n in self.multibody.bodies for n in names)
        self.patella = [self.multibody.body(n) for n in names] if known else None
        if centers is None:
            centers = self.multibody.tree.position_bm[self._tibia]
        self.centers: Array = np.asarray(centers, dtype=float)
        self._probe()

    def _below(self, body: int) -> list[int]:
        parent = self.multibody.tree.parent
        found = [body]
        for b in range(body + 1, len(parent)):
            if parent[b] in found:
                found.append(b)
        return found

    def _mobility_order(self) -> Array:
        """Index in OpenSim's q (= u) vector of each coordinate."""
        state = self.state
        count = state.getNQ()
        if count != state.getNU() or count != len(self.multibody.full_coordinates):
            raise ModelError(
                "a model with one speed for each coordinate",
                f"{count} positions, {state.getNU()} speeds, "
                f"{len(self.multibody.full_coordinates)} coordinates",
                "replace ball and free joints by joints with named angles",
            )
        work = opensim.Vector(count, 0.0)
        order = np.zeros(count, dtype=np.int64)
        cset = self.model.getCoordinateSet()
        for i, name in enumerate(self.multibody.full_coordinates):
            state.setU(work)
            cset.get(name).setSpeedValue(state, 1.0)
            speeds = state.getU()
            order[i] = int(np.argmax([speeds.get(k) for k in range(count)]))
        state.setU(work)
        return order

    def _probe(self) -> None:
        """Build the free bodies through which body forces are read, and work arrays."""
        self._jacobian = opensim.Matrix()
        self.model.realizePosition(self.state)
        self.matter.calcSystemJacobian(self.state, self._jacobian)
        rows, columns = self._jacobian.nrow(), self._jacobian.ncol()
        self._bodies = rows // 6
        self._probe_model = opensim.Model()
        for i in range(self._bodies - 1):
            self._probe_model.addBody(
                opensim.Body(
                    f"probe_{i}", 1.0, opensim.Vec3(0), opensim.Inertia(1, 1, 1, 0, 0, 0)
                )
            )
        self._probe_state = self._probe_model.initSystem()
        at_identity = opensim.Vector(self._probe_state.getNQ(), 0.0)
        self._probe_state.setQ(at_identity)
        self._probe_model.realizePosition(self._probe_state)
        self._probe_matter = self._probe_model.getMatterSubsystem()
        self._flat = opensim.Vector(6 * (self._bodies - 1), 0.0)
        self._mobility = opensim.Vector(columns, 0.0)
        zero = opensim.Vec3(0)
        self._nothing = opensim.SpatialVec(zero, zero)

    def evaluate(self, q: Array, muscles: Sequence[int] | None = None) -> MusclePaths:
        """Muscle geometry of T frames.

        Parameters
        ----------
        q : (T, N) rad, m; columns as `coordinates`. Taken as they are: ranges, clamps
            and locks of the model do not apply.
        muscles : indices into `names`, by default all; only these are in the result
        """
        q = np.ascontiguousarray(q, dtype=float)
        body = self.multibody
        chosen = list(range(len(self.names)) if muscles is None else muscles)
        T, M, N = len(q), len(chosen), len(self.coordinates)
        rotation, position = body.poses(q)
        full = body.expand(q)
        slopes = np.ones_like(full)
        coupler_slopes(body.tree, full, slopes)
        length, arms = np.empty((T, M)), np.empty((T, M, N))
        wrench = np.empty((T, M, len(SIDES), 6))
        patella = np.empty((T, M, len(SIDES), 3)) if self.patella else None
        for start in range(0, T, CHUNK):
            at = slice(start, min(start + CHUNK, T))
            forces, mobility, jacobian = self._unit_tensions(full[at], length[at], chosen)
            arms[at] = self._independent(forces, mobility, jacobian, slopes[at])
            by_body = forces.reshape(*forces.shape[:2], -1, 6)
            for s, b in enumerate(self._tibia):
                R = rotation[at, b]
                center = position[at, b] + R @ self.centers[s]
                force, moment = np.zeros((2, len(forces), M, 3))
                for d in self._distal[s]:
                    on_body = by_body[:, :, self._index[d] - 1]
                    force += on_body[..., 3:]
                    arm = (position[at, d] - center)[:, None]
                    moment += on_body[..., :3] + cross(arm, on_body[..., 3:])
                wrench[at, :, s, :3] = force @ R
                wrench[at, :, s, 3:] = moment @ R
            if patella is not None and self.patella is not None:
                for s, b in enumerate(self.patella):
                    patella[at, :, s] = by_body[:, :, self._index[b] - 1, 3:]
        names = tuple(self.names[m] for m in chosen)
        return MusclePaths(names, self.coordinates, length, arms, wrench, patella)

    def _unit_tensions(
        self, full: Array, length: Array, chosen: list[int]
    ) -> tuple[Array, Array, Array]:
        """Body wrenches (T, M, 6(B-1)), mobility forces (T, M, C), Jacobians (T, 6(B-1), C).

        Fills `length` (T, M). Tensions are switched on one after the other and left on,
        so that nothing need be cleared; differences are what each muscle does.
        """
        state, T, M = self.state, len(full), len(chosen)
        paths = [self._paths[m] for m in chosen]
        jacobian = np.empty((T, 6 * (self._bodies - 1), full.shape[1]))
        forces = np.zeros((T, M + 1, 6 * (self._bodies - 1)))
        mobility = np.zeros((T, M + 1, full.shape[1]))
        transpose = self._probe_matter.multiplyBySystemJacobianTranspose
        at_identity, flat, moved = self._probe_state, self._flat, self._mobility
        # Views on memory that OpenSim fills; their owners live as long as `self`.
        read_flat, read_moved = flat.to_numpy, moved.to_numpy
        pose = np.empty(full.shape[1])
        for t in range(T):
            pose[self._order] = full[t]
            state.setQ(opensim.Vector.createFromMat(pose))
            self.model.realizePosition(state)
            self.matter.calcSystemJacobian(state, self._jacobian)
            jacobian[t] = self._jacobian.to_numpy()[6:]
            on_bodies = opensim.VectorOfSpatialVec(self._bodies, self._nothing)
            moved.setToZero()
            for m, path in enumerate(paths):
                path.addInEquivalentForces(state, 1.0, on_bodies, moved)
                transpose(at_identity, on_bodies, flat)
                forces[t, m + 1] = read_flat()
                mobility[t, m + 1] = read_moved()
                length[t, m] = path.getLength(state)
        return np.diff(forces, axis=1), np.diff(mobility, axis=1), jacobian

    def _independent(
        self, forces: Array, mobility: Array, jacobian: Array, slopes: Array
    ) -> Array:
        """Moment arms (T, M, N); what coupled coordinates carry goes to their leaders."""
        tree = self.multibody.tree
        # Arms, head and the like carry no muscle: most of the product would be zeros.
        pulled = np.flatnonzero(forces.any(axis=(0, 1)))
        product = forces[:, :, pulled] @ jacobian[:, pulled]
        by_coordinate = (product + mobility)[:, :, self._order]
        for c in np.flatnonzero(tree.leader >= 0):
            by_coordinate[:, :, tree.leader[c]] += slopes[:, c, None] * by_coordinate[:, :, c]
        independent: Array = by_coordinate[:, :, tree.independent]
        return independent

    def in_order(self, coordinates: tuple[str, ...], q: Array) -> Array:
        """Columns (T, K) named `coordinates` as (T, N) in the order of `self.coordinates`.

        Raises
        ------
        ModelError
            When the model lacks a coordinate.
        """
        known = self.coordinates
        values = np.tile(self.multibody.default, (len(q), 1))
        for k, name in enumerate(coordinates):
            if name in known:
                values[:, known.index(name)] = q[:, k]
            elif name not in self.multibody.full_coordinates:
                raise ModelError(
                    "a motion of this model",
                    f"a coordinate '{name}' that it lacks",
                    "use the motion with the model it was computed with",
                    known,
                )
        return values


@jit
def coupler_slopes(tree: Tree, full: Array, out: Array) -> None:
    """Slope of each coupled coordinate over its leader, (T, C); others are left alone."""
    for c in range(full.shape[1]):
        leader = tree.leader[c]
        if leader >= 0:
            for t in range(full.shape[0]):
                out[t, c] = evaluate(tree, tree.coupler[c], full[t, leader])[1]


def cross(a: Array, b: Array) -> Array:
    """Cross product over the last axis; `np.cross` spends its time on axis bookkeeping."""
    out: Array = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        out[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return out


def exact_paths(
    model: Path | str,
    coordinates: tuple[str, ...],
    q: Array,
    centers: Array | None = None,
    workers: int = 2,
) -> MusclePaths:
    """Muscle geometry of a motion with OpenSim's exact paths.

    Parameters
    ----------
    model : path of an .osim file, or its XML text
    coordinates : tuple of str, length K
        Names of the columns of `q`; independent coordinates that are left out stay at
        their default, coupled ones that are given are ignored (they are functions).
    q : (T, K) rad, m
    centers : (2, 3) m, knee joint centres in the tibia frames, see `PathGeometry`
    workers : int
        Processes to use for long motions. Each is a fresh interpreter, so callers need
        no ``if __name__ == "__main__"`` guard.

    Returns
    -------
    MusclePaths
        With all independent coordinates of the model as columns of `moment_arm`.

    Raises
    ------
    ModelError
        When the model cannot be used or a coordinate is not in it.
    """
    geometry = opened(model, centers)
    return evaluate_shared(geometry, model, geometry.in_order(coordinates, q), workers)


def opened(model: Path | str, centers: Array | None = None) -> PathGeometry:
    """`PathGeometry(model, centers)`; the last model is kept open for the next question."""
    if not _is_xml(model):
        return PathGeometry(model, centers)
    places = None if centers is None else np.ascontiguousarray(centers, dtype=float).tobytes()
    return _opened(str(model), places)


@lru_cache(maxsize=1)
def _opened(xml: str, places: bytes | None) -> PathGeometry:
    centers = None if places is None else np.frombuffer(places).reshape(-1, 3).copy()
    return PathGeometry(xml, centers)


def evaluate_shared(
    geometry: PathGeometry,
    model: Path | str,
    q: Array,
    workers: int,
    muscles: Sequence[int] | None = None,
) -> MusclePaths:
    """`geometry.evaluate(q, muscles)`, by several processes when that is faster.

    Parameters
    ----------
    geometry : PathGeometry of `model`
    model : path of an .osim file, or its XML text
    q : (T, N) rad, m, columns as `geometry.coordinates`
    """
    shares = min(workers, len(q) // (FRAMES_WORTH_A_WORKER // 2))
    if shares < 2:
        return geometry.evaluate(q, muscles)
    return _in_processes(geometry, model, q, shares, muscles)


def _in_processes(
    geometry: PathGeometry,
    model: Path | str,
    q: Array,
    shares: int,
    muscles: Sequence[int] | None,
) -> MusclePaths:
    """Evaluate the first share here and the others in fresh interpreters."""
    chunks = np.array_split(q, shares)
    chosen = list(range(len(geometry.names)) if muscles is None else muscles)
    with temporary_folder() as folder:
        if _is_xml(model):
            file = Path(folder) / "model.osim"
            file.write_text(str(model), encoding="utf-8")
        else:
            file = Path(model).resolve()
        started = []
        for i, chunk in enumerate(chunks[1:]):
            base = Path(folder) / f"share_{i}"
            np.savez(
                base.with_suffix(".in.npz"),
                q=chunk,
                centers=geometry.centers,
                muscles=np.array(chosen),
            )
            command = [sys.executable, "-m", "kneestride.model.paths_worker"]
            started.append(
                subprocess.Popen([*command, str(file), str(base)], stderr=subprocess.PIPE)
            )
        try:
            parts = [geometry.evaluate(chunks[0], chosen)]
            for i, process in enumerate(started):
                _, said = process.communicate()
                if process.returncode:
                    raise RuntimeError(f"muscle path worker failed: {said.decode()}")
                parts.append(_load(Path(folder) / f"share_{i}.out.npz", parts[0]))
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()
                    process.wait()
    return MusclePaths(
        parts[0].names,
        geometry.coordinates,
        np.concatenate([p.length for p in parts]),
        np.concatenate([p.moment_arm for p in parts]),
        np.concatenate([p.tibia_wrench for p in parts]),
        np.concatenate([p.patella_force for p in parts if p.patella_force is not None])
        if parts[0].patella_force is not None
        else None,
    )


def work(model: str, base: str) -> None:
    """Evaluate one share of frames; the entry of `kneestride.model.paths_worker`."""
    with np.load(f"{base}.in.npz", allow_pickle=False) as given:
        paths = PathGeometry(model, given["centers"]).evaluate(
            given["q"], given["muscles"].tolist()
        )
    arrays = {
        "length": paths.length,
        "moment_arm": paths.moment_arm,
        "tibia_wrench": paths.tibia_wrench,
    }
    if paths.patella_force is not None:
        arrays["patella_force"] = paths.patella_force
    np.savez(f"{base}.out.npz", **arrays)  # type: ignore[arg-type]


def _load(file: Path, like: MusclePaths) -> MusclePaths:
    with np.load(file, allow_pickle=False) as stored:
        return MusclePaths(
            like.names,
            like.coordinates,
            stored["length"],
            stored["moment_arm"],
            stored["tibia_wrench"],
            stored.get("patella_force", None),
        )


def _is_xml(model: Any) -> bool:
    return isinstance(model, str) and "<OpenSimDocument" in model


def _open(model: Any) -> Any:
    if _is_xml(model):
        with temporary_folder() as folder:
            file = Path(folder) / "model.osim"
            file.write_text(model, encoding="utf-8")
            return load_model(file)
    if isinstance(model, str | Path):
        return load_model(model)
    # The caller may rebuild his model's system, which would pull ours from under our feet.
    copy = model.clone()
    copy.finalizeConnections()
    return copy
