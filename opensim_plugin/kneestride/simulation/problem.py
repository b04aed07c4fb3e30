"""One stride of one runner, with all that stays the same while it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.kernels import IntArray
from ..vocabulary import GRAVITY, SIDES, Array, Side
from .bspline import Basis, derivative_matrix, periodic_basis, smooth_step
from .fit import Change
from .geometry import Leg, Place
from .limb import LimbMoment, limb_moment, limb_moments
from .mechanics import BodyState, Momentum, Wrench, body_state, momentum, wrench
from .runner import Runner
from .stride import PeriodicStride

KNOTS = 24
"""Splines a stride (methods.md "Simulated strides")."""
STILL = ("mtp_angle", "pro_sup", "wrist_flex", "wrist_dev")
"""Coordinates that stay as they are: too light, or not told by markers."""
FULL_GRIP = 0.4
"""Share of body weight above which the ground takes all of a change of the mass centre's
acceleration; below it takes less, in flight nothing."""
FIRST_NEWTON = 20.0
"""N; vertical force below which there is no ground to push on."""


def bare(coordinate: str) -> str:
    """Name of a coordinate without its side."""
    return coordinate[:-2] if coordinate.endswith(("_r", "_l")) else coordinate


@dataclass(frozen=True)
class Problem:
    """A stride to be changed.

    Attributes
    ----------
    runner : Runner; stride : PeriodicStride, the one that changes are measured from
    free : (N,) indices of the coordinates that may change
    """

    runner: Runner
    stride: PeriodicStride
    free: IntArray

    @classmethod
    def of(cls, runner: Runner, stride: PeriodicStride) -> Problem:
        """The stride with every coordinate free that has a say in it."""
        names = runner.body.coordinates
        free = [
            i for i, n in enumerate(names)
            if bare(n) not in STILL
        ]  # fmt: skip
        return cls(runner, stride, np.array(free, dtype=np.int64))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free coordinates, length N."""
        return tuple(self.runner.body.coordinates[i] for i in self.free)

    @cached_property
    def basis(self) -> Basis:
        """Splines of the change."""
        return periodic_basis(self.stride.phase, KNOTS, self.stride.period)

    @cached_property
    def derivative(self) -> Array:
        """(T, T) time derivative of what repeats with the stride."""
        return derivative_matrix(self.stride.frames, self.stride.period)

    @cached_property
    def base(self) -> BodyState:
        """Bodies of the unchanged stride."""
        return body_state(self.runner.body, self.stride.q, self.free)

    @cached_property
    def base_wrench(self) -> Wrench:
        """What the unchanged stride asks of the ground."""
        return wrench(self.runner.body, self.stride.q, self.stride.qd, self.stride.qdd)

    @cached_property
    def momentum(self) -> Momentum:
        """Derivatives of momentum, at the unchanged stride.

        They are not renewed during a fit: changes are small against the Jacobians' own
        scale, and the residuals, which are exact, decide where the fit ends.
        """
        rates = self.stride.qd[:, self.free]
        return momentum(self.runner.body, self.base, rates, self.derivative)

    @property
    def shanks(self) -> tuple[int, ...]:
        """Bodies of right and left tibia."""
        return tuple(self.legs[s].knee[0] for s in SIDES)

    @cached_property
    def base_limbs(self) -> Array:
        """(T, 2, 3) N·m: what moves right and left shank and foot, see `limb`."""
        s = self.stride
        return limb_moments(self.runner.body, s.q, s.qd, s.qdd, self.shanks)

    @cached_property
    def limbs(self) -> dict[Side, LimbMoment]:
        """Its derivatives, at the unchanged stride as those of `momentum`."""
        rates = self.stride.qd[:, self.free]
        return {
            side: limb_moment(self.runner.body, self.base, rates, self.derivative, shank)
            for side, shank in zip(SIDES, self.shanks, strict=True)
        }

    @cached_property
    def legs(self) -> dict[Side, Leg]:
        """Points of both legs."""
        return {s: self._leg(s) for s in SIDES}

    @cached_property
    def grip(self) -> Array:
        """(T,) share of a change of acceleration that the ground can supply, 0 to 1."""
        weight = self.runner.body.mass * GRAVITY
        vertical = self.stride.force[:, :, 1].sum(axis=1)
        return smooth_step((vertical - FIRST_NEWTON) / (FULL_GRIP * weight))

    @cached_property
    def share(self) -> Array:
        """(T, 2) share of each foot in the vertical force; zero in flight."""
        vertical = np.maximum(self.stride.force[:, :, 1], 0.0)
        total = vertical.sum(axis=1, keepdims=True)
        return np.where(total > 1.0, vertical / np.maximum(total, 1.0), 0.0)

    def full(self, change: Change) -> Change:
        """A change of the free coordinates (T, N) as one of all."""
        out = []
        for values in change:
            wide = np.zeros_like(self.stride.q)
            wide[:, self.free] = values
            out.append(wide)
        return out[0], out[1], out[2]

    def moved(self, change: Change) -> PeriodicStride:
        """The stride with a change of the free coordinates."""
        return self.stride.moved(self.full(change))

    def _leg(self, side: Side) -> Leg:
        model, places = self.runner.body, self.runner.fitted.landmarks
        foot = model.body(f"calcn_{side}")

        def on_foot(name: str) -> Place:
            body, station = places[f"{name}_{side}"]
            if body == foot:
                return foot, station
            # Toes hold still in the model: their points ride on the calcaneus.
            child = int(body)
            return foot, model.tree.position_pf[child] - model.tree.position_bm[child] + station

        origin = np.zeros(3)
        patella = places.get(f"patella_{side}", (model.body(f"tibia_{side}"), origin))
        return Leg(
            side,
            model.body("pelvis"),
            model.body("torso"),
            foot,
            (model.body(f"femur_{side}"), origin),
            (model.body(f"tibia_{side}"), origin),
            (model.body(f"talus_{side}"), origin),
            on_foot("heel_bottom"),
            on_foot("metatarsal_2"),
            on_foot("metatarsal_2"),
            on_foot("metatarsal_5"),
            patella,
        )
