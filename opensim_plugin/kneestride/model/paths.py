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
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..vocabulary import SIDES, Array
from .kernels import evaluate
from .multibody import Multibody
from .osim import load_model, opensim

FRAMES_WORTH_A_WORKER = 1500
"""Below this many frames a second process costs more (import, model) than it saves."""


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
        self._patella = [self.multibody.body(n) for n in names] if known else None
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

    def evaluate(self, q: Array) -> MusclePaths:
        """Muscle geometry of T frames.

        Parameters
        ----------
        q : (T, N) rad, m; columns as `coordinates`. Taken as they are: ranges, clamps
            and locks of the model do not apply.
        """
        q = np.ascontiguousarray(q, dtype=float)
        body = self.multibody
        T, M, N = len(q), len(self.names), len(self.coordinates)
        rotation, position = body.poses(q)
        full = body.expand(q)
        length, arms = np.empty((T, M)), np.empty((T, M, N))
        wrench = np.empty((T, M, len(SIDES), 6))
        patella = np.empty((T, M, len(SIDES), 3)) if self._patella else None
        state_q = np.empty(full.shape[1])
        for t in range(T):
            state_q[self._order] = full[t]
            forces, mobility, jacobian = self._unit_tensions(state_q, length[t])
            arms[t] = self._independent(forces @ jacobian[6:] + mobility, full[t])
            by_body = forces.reshape(M, -1, 6)
            for s, b in enumerate(self._tibia):
                R = rotation[t, b]
                center = position[t, b] + R @ self.centers[s]
                force, moment = np.zeros((M, 3)), np.zeros((M, 3))
                for d in self._distal[s]:
                    on_body = by_body[:, self._index[d] - 1]
                    force += on_body[:, 3:]
                    moment += on_body[:, :3] + np.cross(position[t, d] - center, on_body[:, 3:])
                wrench[t, :, s, :3] = force @ R
                wrench[t, :, s, 3:] = moment @ R
            if patella is not None and self._patella is not None:
                for s, b in enumerate(self._patella):
                    patella[t, :, s] = by_body[:, self._index[b] - 1, 3:]
        return MusclePaths(self.names, self.coordinates, length, arms, wrench, patella)

    def _unit_tensions(self, q: Array, length: Array) -> tuple[Array, Array, Array]:
        """Body wrenches (M, 6(B-1)), mobility forces (M, C) and Jacobian at one pose."""
        state = self.state
        vector = opensim.Vector.createFromMat(q)
        state.setQ(vector)
        self.model.realizePosition(state)
        self.matter.calcSystemJacobian(state, self._jacobian)
        jacobian = self._jacobian.to_numpy().copy()
        forces = np.empty((len(self._paths), 6 * (self._bodies - 1)))
        mobility = np.zeros((len(self._paths), q.size))
        for m, path in enumerate(self._paths):
            on_bodies = opensim.VectorOfSpatialVec(self._bodies, self._nothing)
            self._mobility.setToZero()
            path.addInEquivalentForces(state, 1.0, on_bodies, self._mobility)
            self._probe_matter.multiplyBySystemJacobianTranspose(
                self._probe_state, on_bodies, self._flat
            )
            forces[m] = self._flat.to_numpy()
            mobility[m] = self._mobility.to_numpy()
            length[m] = path.getLength(state)
        return forces, mobility, jacobian

    def _independent(self, generalized: Array, full: Array) -> Array:
        """Hand what coupled coordinates carry to their leaders: (M, C) to (M, N)."""
        tree = self.multibody.tree
        by_coordinate = generalized[:, self._order]
        for c in np.flatnonzero(tree.leader >= 0):
            leader = tree.leader[c]
            slope = evaluate(tree, int(tree.coupler[c]), float(full[leader]))[1]
            by_coordinate[:, leader] += slope * by_coordinate[:, c]
        independent: Array = by_coordinate[:, tree.independent]
        return independent


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
    geometry = PathGeometry(model, centers)
    known = geometry.coordinates
    values = np.tile(geometry.multibody.default, (len(q), 1))
    for k, name in enumerate(coordinates):
        if name in known:
            values[:, known.index(name)] = q[:, k]
        elif name not in geometry.multibody.full_coordinates:
            raise ModelError(
                "a motion of this model",
                f"a coordinate '{name}' that it lacks",
                "use the motion with the model it was computed with",
                known,
            )
    shares = min(workers, len(q) // (FRAMES_WORTH_A_WORKER // 2))
    if shares < 2:
        return geometry.evaluate(values)
    return _in_processes(geometry, model, values, shares)


def _in_processes(
    geometry: PathGeometry, model: Path | str, q: Array, shares: int
) -> MusclePaths:
    """Evaluate the first share here and the others in fresh interpreters."""
    chunks = np.array_split(q, shares)
    with tempfile.TemporaryDirectory(prefix="kneestride-") as folder:
        if _is_xml(model):
            file = Path(folder) / "model.osim"
            file.write_text(str(model), encoding="utf-8")
        else:
            file = Path(model).resolve()
        started = []
        for i, chunk in enumerate(chunks[1:]):
            base = Path(folder) / f"share_{i}"
            np.savez(base.with_suffix(".in.npz"), q=chunk, centers=geometry.centers)
            command = [sys.executable, "-m", "kneestride.model.paths_worker"]
            started.append(
                subprocess.Popen([*command, str(file), str(base)], stderr=subprocess.PIPE)
            )
        try:
            parts = [geometry.evaluate(chunks[0])]
            for i, process in enumerate(started):
                _, said = process.communicate()
                if process.returncode:
                    raise RuntimeError(f"muscle path worker failed: {said.decode()}")
                parts.append(_load(Path(folder) / f"share_{i}.out.npz", geometry))
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()
                    process.wait()
    return MusclePaths(
        geometry.names,
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
        paths = PathGeometry(model, given["centers"]).evaluate(given["q"])
    arrays = {
        "length": paths.length,
        "moment_arm": paths.moment_arm,
        "tibia_wrench": paths.tibia_wrench,
    }
    if paths.patella_force is not None:
        arrays["patella_force"] = paths.patella_force
    np.savez(f"{base}.out.npz", **arrays)  # type: ignore[arg-type]


def _load(file: Path, geometry: PathGeometry) -> MusclePaths:
    with np.load(file, allow_pickle=False) as stored:
        return MusclePaths(
            geometry.names,
            geometry.coordinates,
            stored["length"],
            stored["moment_arm"],
            stored["tibia_wrench"],
            stored.get("patella_force", None),
        )


def _is_xml(model: Any) -> bool:
    return isinstance(model, str) and "<OpenSimDocument" in model


def _open(model: Any) -> Any:
    if _is_xml(model):
        with tempfile.TemporaryDirectory(prefix="kneestride-") as folder:
            file = Path(folder) / "model.osim"
            file.write_text(model, encoding="utf-8")
            return load_model(file)
    if isinstance(model, str | Path):
        return load_model(model)
    # The caller may rebuild his model's system, which would pull ours from under our feet.
    copy = model.clone()
    copy.finalizeConnections()
    return copy
