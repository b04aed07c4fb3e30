"""Whether fitted muscle geometry is near enough to exact geometry for knee loads.

What counts is the moment and the force that an error amounts to when the muscle pulls with
its full isometric strength F0. 0.7 N·m over a contact spacing of 47 mm is 15 N, 1 % of
the compartment peak of a walking adult (about 1.5 kN) and a third of that in running; for
a muscle of 1 000 N it is a moment arm that is off by 0.7 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Array, BoolArray
from .paths import MusclePaths, PathGeometry

MOMENT_TOLERANCE = 0.7
"""N·m at F0, root mean square over the held-out frames."""
FORCE_TOLERANCE = 15.0
"""N at F0, on the tibia or the patella."""
LENGTH_TOLERANCE = 5e-4
"""m, 1 % of the fibre of a soleus, and as much of its force-length curve's width."""
ONE_FRAME = 4.0
"""How many times the tolerance a single frame may be off."""


@dataclass(frozen=True)
class PathErrors:
    """Differences of fitted from exact geometry, per muscle (M,).

    Attributes
    ----------
    names : muscles
    length, moment_arm : m, root mean square over frames, worst coordinate
    moment, force : N·m and N, root mean square at F0: moment arms and moments on the
        tibia; forces on tibia and patella
    worst_length, worst_moment, worst_force : largest at a single frame
    """

    names: tuple[str, ...]
    length: Array
    moment_arm: Array
    moment: Array
    force: Array
    worst_length: Array
    worst_moment: Array
    worst_force: Array

    @property
    def off(self) -> BoolArray:
        """Muscles (M,) beyond a tolerance."""
        off: BoolArray = (
            (self.length > LENGTH_TOLERANCE)
            | (self.moment > MOMENT_TOLERANCE)
            | (self.force > FORCE_TOLERANCE)
            | (self.worst_length > ONE_FRAME * LENGTH_TOLERANCE)
            | (self.worst_moment > ONE_FRAME * MOMENT_TOLERANCE)
            | (self.worst_force > ONE_FRAME * FORCE_TOLERANCE)
        )
        return off

    def sentence(self, without: tuple[str, ...] = ()) -> str:
        """Largest root mean squares among the muscles that are not `without`."""
        kept = [i for i, n in enumerate(self.names) if n not in without]
        if not kept:
            return "no muscle passed."
        length, arm, moment, force = (
            float(values[kept].max())
            for values in (self.length, self.moment_arm, self.moment, self.force)
        )
        return (
            f"largest error of a muscle (rms): length {1000 * length:.2f} mm, moment arm "
            f"{1000 * arm:.2f} mm; at full strength {moment:.2f} N m and {force:.1f} N."
        )


def path_errors(found: MusclePaths, exact: MusclePaths, geometry: PathGeometry) -> PathErrors:
    """Compare two geometries (T, M) of the same frames.

    Parameters
    ----------
    geometry : PathGeometry, for muscle strength and for the coordinates that move the
        whole body, whose moment arms are left out (they are zero but for rounding)
    """
    tree, F0 = geometry.multibody.tree, geometry.strength
    inner = ~tree.moves[:, tree.independent].all(axis=0)
    length = (found.length - exact.length)[:, :, None]
    arm = (found.moment_arm - exact.moment_arm)[:, :, inner]
    wrench = found.tibia_wrench - exact.tibia_wrench
    frames, muscles = wrench.shape[:2]
    moment = np.concatenate([arm, wrench[..., 3:].reshape(frames, muscles, -1)], axis=2)
    force = wrench[..., :3]
    if found.patella_force is not None and exact.patella_force is not None:
        force = np.concatenate([force, found.patella_force - exact.patella_force], axis=2)
    size = np.linalg.norm(force, axis=-1)
    return PathErrors(
        found.names,
        _rms(length),
        _rms(arm),
        F0 * _rms(moment),
        F0 * _rms(size),
        np.abs(length).max(axis=(0, 2)),
        F0 * np.abs(moment).max(axis=(0, 2)),
        F0 * size.max(axis=(0, 2)),
    )


def _rms(error: Array) -> Array:
    """Over frames, then the worst component: (T, M, K) to (M,)."""
    worst: Array = np.sqrt((error**2).mean(axis=0)).max(axis=1)
    return worst
