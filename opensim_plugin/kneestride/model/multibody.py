"""The model as array functions: poses, Jacobians, inverse dynamics.

`Multibody` copies what mechanics needs out of an OpenSim model (joint frames,
joint functions, inertias, couplers) into plain arrays once; from then on no
OpenSim object is touched, so nothing has to be kept alive, everything runs over
all frames in one call, and a scaled variant is a matter of arrays. It agrees with
OpenSim to rounding (tests/test_multibody.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ModelError
from ..vocabulary import SIDES, Array
from ..workers import over_blocks
from . import kernels
from .kernels import IntArray, Tree


@dataclass(frozen=True)
class Dynamics:
    """Inverse dynamics over T frames.

    Attributes
    ----------
    tau : (T, N) generalized force of each independent coordinate, N·m or N
    tau_full : (T, C) of every coordinate, as OpenSim's InverseDynamicsTool reports them
    wrench : (T, B, 6) force and moment about the body's origin, ground frame, that
        the parent must exert on body b through its joint, muscles included
    rotation, position : (T, B, 3, 3), (T, B, 3) body poses in ground
    """

    tau: Array
    tau_full: Array
    wrench: Array
    rotation: Array
    position: Array


@dataclass(frozen=True)
class Multibody:
    """A tree of rigid bodies as arrays.

    Attributes
    ----------
    bodies : tuple of str, length B, parents before children
    joints : tuple of str, length B, the joint above each body
    full_coordinates : tuple of str, length C, coupled ones included
    coordinates : tuple of str, length N, independent ones
    default, lower, upper : (N,) default value and range, rad or m
    rotational : (N,) bool
    locked : (N,) bool, locked in the model file
    tree : Tree
    """

    bodies: tuple[str, ...]
    joints: tuple[str, ...]
    full_coordinates: tuple[str, ...]
    coordinates: tuple[str, ...]
    default: Array
    lower: Array
    upper: Array
    rotational: Array
    locked: Array
    tree: Tree

    @property
    def mass(self) -> float:
        """Total mass, kg."""
        return float(self.tree.mass.sum())

    def body(self, name: str) -> int:
        """Index of a body.

        Raises
        ------
        ModelError
            When the model has no body of that name.
        """
        if name not in self.bodies:
            raise ModelError(
                f"a model with a body '{name}'",
                "none of that name",
                "use a gait model with OpenSim's usual body names",
                self.bodies,
            )
        return self.bodies.index(name)

    def coordinate(self, name: str) -> int:
        """Index of an independent coordinate; raises ModelError like `body`."""
        if name not in self.coordinates:
            raise ModelError(
                f"a model with a coordinate '{name}'",
                "none of that name",
                "use a gait model with OpenSim's usual coordinate names",
                self.coordinates,
            )
        return self.coordinates.index(name)

    def expand(self, q: Array) -> Array:
        """All coordinates (T, C), coupled ones computed, from independent ones (T, N)."""
        q = np.ascontiguousarray(q, dtype=float)
        full = np.zeros((len(q), len(self.full_coordinates)))
        kernels.expand_kernel(self.tree, q, full)
        return full

    def poses(self, q: Array) -> tuple[Array, Array]:
        """Body poses in ground.

        Parameters
        ----------
        q : (T, N) rad, m

        Returns
        -------
        rotation : (T, B, 3, 3), position : (T, B, 3) m
        """
        q = np.ascontiguousarray(q, dtype=float)
        rotation = np.empty((len(q), len(self.bodies), 3, 3))
        position = np.empty((len(q), len(self.bodies), 3))

        def block(start: int, stop: int) -> None:
            at = slice(start, stop)
            kernels.poses_kernel(self.tree, q[at], rotation[at], position[at])

        over_blocks(block, len(q))
        return rotation, position

    def inverse_dynamics(
        self,
        q: Array,
        qd: Array,
        qdd: Array,
        force: Array,
        moment: Array,
        *,
        as_simbody: bool = False,
    ) -> Dynamics:
        """Generalized forces that make the model move as given.

        Parameters
        ----------
        q, qd, qdd : (T, N)
        force, moment : (T, B, 3) external force on each body, N, and its moment about
            the ground origin, N·m, in ground
        as_simbody : bool
            Repeat an omission of Simbody's, to compare with OpenSim's own tool
            (see `kernels.newton_euler`).

        Notes
        -----
        Recursive Newton-Euler; Featherstone 2008, ch. 5.
        """
        T, B, C = len(q), len(self.bodies), len(self.full_coordinates)
        out = Dynamics(
            np.empty((T, len(self.coordinates))),
            np.empty((T, C)),
            np.empty((T, B, 6)),
            np.empty((T, B, 3, 3)),
            np.empty((T, B, 3)),
        )
        q, qd, qdd, force, moment = (
            np.ascontiguousarray(a, dtype=float) for a in (q, qd, qdd, force, moment)
        )

        def block(start: int, stop: int) -> None:
            at = slice(start, stop)
            kernels.dynamics_kernel(
                self.tree,
                q[at],
                qd[at],
                qdd[at],
                force[at],
                moment[at],
                out.tau[at],
                out.tau_full[at],
                out.wrench[at],
                out.rotation[at],
                out.position[at],
                as_simbody,
            )

        over_blocks(block, T)
        return out

    def center_of_mass(self, rotation: Array, position: Array) -> Array:
        """Whole-body mass centre (T, 3) m from body poses."""
        at = position + np.einsum("tbij,bj->tbi", rotation, self.tree.com)
        mean: Array = np.einsum("b,tbi->ti", self.tree.mass, at) / self.tree.mass.sum()
        return mean

    def informed_by(self, bodies: Sequence[int] | IntArray) -> Array:
        """(N,) bool: coordinates that move at least one of the given bodies."""
        moved = self.tree.moves[list(set(bodies))].any(axis=0)
        out = np.zeros(len(self.coordinates), dtype=bool)
        for i, c in enumerate(self.tree.independent):
            out[i] = moved[c] or any(moved[d] for d in np.flatnonzero(self.tree.leader == c))
        return out

    def scaled(self, scale: Array) -> Multibody:
        """The same tree with bodies stretched by `scale` (B, 3) in their own axes.

        Joint places, mass centres and translation functions follow OpenSim's
        Model.scale: a joint frame moves with the body it is fixed in, a translation
        function by its axis' share of the parent's factors. Masses are left alone.
        """
        t = self.tree
        parent = np.where((t.parent >= 0)[:, None], scale[np.maximum(t.parent, 0)], 1.0)
        gain = t.gain.copy()
        # OpenSim takes axis · factors of the parent, whatever the axis' direction
        # (SpatialTransform::scale); repeated here so that the two models stay equal.
        gain[:, 3:] *= np.where(
            (t.parent >= 0)[:, None], np.einsum("bai,bi->ba", t.axes[:, 3:], parent), 1.0
        )
        return replace(
            self,
            tree=t._replace(
                position_pf=t.position_pf * parent,
                position_bm=t.position_bm * scale,
                com=t.com * scale,
                gain=gain,
            ),
        )

    def twisted(self, torsion: Array) -> Multibody:
        """The same tree with ankles turned about the shank's long axis.

        Parameters
        ----------
        torsion : (2,) rad about the tibia's Y axis, side axis as `SIDES`
        """
        position = self.tree.position_pf.copy()
        rotation = self.tree.rotation_pf.copy()
        for side, angle in zip(SIDES, torsion, strict=True):
            b = self.body(f"talus_{side}")
            turn = rotation_about_y(float(angle))
            position[b], rotation[b] = turn @ position[b], turn @ rotation[b]
        return replace(
            self, tree=self.tree._replace(position_pf=position, rotation_pf=rotation)
        )

    @classmethod
    def from_osim(cls, model: Any) -> Multibody:
        """Read an OpenSim model.

        Parameters
        ----------
        model : opensim.Model or path to an .osim file

        Raises
        ------
        ModelError
            For joints or functions that are not a chain of one-coordinate axes.
        """
        from .reading import read_tree

        return cls(**read_tree(model))


def rotation_about_y(angle: float) -> Array:
    """Rotation matrix (3, 3) about Y, right-handed, rad."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
