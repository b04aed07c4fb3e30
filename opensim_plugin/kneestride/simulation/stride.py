"""One captured stride, made to repeat.

A stride is cut from initial contact to the next of the same foot. Two things keep it from
closing on itself. The runner drifts over the belt (or, overground, runs away): a constant
velocity, removed from body and centre of pressure alike, which changes no acceleration and
no force (a Galilean change of frame), and put back at the end. And no two strides are the
same: what is left of the gap is spread evenly over the stride, and over its last fifth the
stride fades into the end of the stride before, so that coordinates, their derivatives and
the ground reaction repeat exactly. `closing` says how far that moved the captured motion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import interpolate

from ..errors import ResultsError
from ..loads.types import GroundReaction
from ..motion.contacts import Contacts
from ..motion.events import events_from_force
from ..results.folder import Results
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray, Side
from .bspline import periodic_derivatives, smooth_step

BLEND = 0.2
"""Share of the stride, at its end, that fades into the stride before."""
WANDER = 1.5
"""rad/m; a stride that wanders 20 mm sideways is as unlike the runner as one with 1.7°."""
TRANSLATIONS = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
LONGEST = 150
"""Frames of a stride that are used at most; 250 Hz brings nothing at a 15 Hz low-pass."""


@dataclass(frozen=True)
class PeriodicStride:
    """A motion of one period with the ground reaction that belongs to it.

    Attributes
    ----------
    side : the foot whose initial contact is the first frame
    start : float, s on the recording's clock; period : float, s
    q, qd, qdd : (T, N) coordinates without drift
    drift : (3,) m/s, taken out of the pelvis and the centre of pressure
    force, point, torque : (T, 2, 3) ground reaction per foot, without drift
    contact : mapping of side to (begin, end), s after `start`, 0 <= begin < period
    closing : mapping of coordinate to the largest change that closing made, rad or m
    """

    side: Side
    start: float
    period: float
    coordinates: tuple[str, ...]
    q: Array
    qd: Array
    qdd: Array
    drift: Array
    force: Array
    point: Array
    torque: Array
    contact: Mapping[Side, tuple[float, float]]
    closing: Mapping[str, float]

    @property
    def frames(self) -> int:
        """Frames of one period."""
        return len(self.q)

    @property
    def phase(self) -> Array:
        """(T,) share of the period, 0 to below 1."""
        return np.arange(self.frames) / self.frames

    def stance_phase(self, side: Side) -> Array:
        """(T,) share of the foot's contact, 0 to 1; NaN in swing."""
        begin, end = self.contact[side]
        after = (self.phase * self.period - begin) % self.period
        share = after / (end - begin)
        return np.where(share <= 1.0, share, np.nan)

    def stance(self, side: Side) -> BoolArray:
        """(T,) whether the foot is on the ground."""
        return np.isfinite(self.stance_phase(side))

    def at(self, values: Array, seconds: float) -> Array:
        """Values (T, ...) at a time after `start`, linear between frames."""
        x = (seconds / self.period) % 1.0 * self.frames
        k = int(x) % self.frames
        share = x - int(x)
        out: Array = (1.0 - share) * values[k] + share * values[(k + 1) % self.frames]
        return out

    def mid_stance(self, side: Side) -> float:
        """Temporal midpoint of contact, s after `start`."""
        begin, end = self.contact[side]
        return 0.5 * (begin + end)

    def moved(self, change: tuple[Array, Array, Array]) -> PeriodicStride:
        """The same stride with other coordinates: change of q, qd, qdd, each (T, N)."""
        return replace(
            self, q=self.q + change[0], qd=self.qd + change[1], qdd=self.qdd + change[2]
        )


def cut_stride(results: Results, start: float | None = None) -> PeriodicStride:
    """The most typical complete stride of a recording, closed on itself.

    Parameters
    ----------
    results : Results with a ground reaction
    start : float, s, optional
        Take the stride that begins nearest to this time instead.

    Raises
    ------
    ResultsError
        When no stride was captured completely with both feet's ground reaction.
    """
    ground = results.ground
    assert ground is not None
    body_weight = results.subject.mass * GRAVITY
    contacts = events_from_force(ground.time, np.nan_to_num(ground.force[:, :, 1]), body_weight)
    candidates = _complete(contacts, ground)
    if not candidates:
        raise ResultsError(
            "a complete stride with the ground reaction of both feet",
            f"none in '{results.trial}'",
            "analyse a recording in which a foot lands twice on a measured floor",
        )
    if start is None:
        side, begin, end = candidates[_most_typical(results, candidates)]
    else:
        side, begin, end = min(candidates, key=lambda c: abs(c[1] - start))
    return _close(results, contacts, side, begin, end)


def _complete(contacts: Contacts, ground: GroundReaction) -> list[tuple[Side, float, float]]:
    """(side, start, end) of strides with both feet's contacts and nothing masked."""
    found: list[tuple[Side, float, float]] = []
    for side in SIDES:
        own, other = contacts.of(side), contacts.of("l" if side == "r" else "r")
        for a, b in pairwise(own):
            begin, end = a.initial_contact_s, b.initial_contact_s
            before = begin - BLEND * (end - begin)
            if not (a.complete and b.complete_start) or before < ground.time[0]:
                continue
            inside = [
                c for c in other
                if c.complete and begin <= c.initial_contact_s < end
            ]  # fmt: skip
            frames = (ground.time >= before) & (ground.time <= end)
            if len(inside) == 1 and not ground.masked[frames].any():
                found.append((side, begin, end))
    return found


def _most_typical(results: Results, strides: list[tuple[Side, float, float]]) -> int:
    """Index of the stride nearest to its side's median stride that also closes well.

    Distance in joint angles and forces over body weight; closing counts as much, because a
    stride that needs a large change to repeat is no example of the runner's.
    """
    assert results.ground is not None
    time, turns = results.motion.time, ~np.isin(results.motion.coordinates, TRANSLATIONS)
    force = results.ground.force.sum(axis=1) / (results.subject.mass * GRAVITY)
    values = np.hstack([results.motion.q[:, turns], np.nan_to_num(force)])
    curve = interpolate.make_interp_spline(time, values, k=1)
    share = np.linspace(0.0, 1.0, 51)[:, None]
    curves = np.array([curve(b + share[:, 0] * (e - b)) for _, b, e in strides])
    sides = np.array([s for s, _, _ in strides])
    spread = np.zeros(len(strides))
    for s in set(sides):
        mine = sides == s
        middle = np.median(curves[mine], axis=0)
        spread[mine] = np.mean((curves[mine] - middle) ** 2, axis=(1, 2))
    late = share[share[:, 0] >= 1.0 - BLEND, 0]
    misfit = np.array([
        np.mean((curve(b + late * (e - b)) - curve(b - (1.0 - late) * (e - b))
                 - (curve(e) - curve(b))) ** 2)
        for _, b, e in strides
    ])  # fmt: skip
    lateral = list(results.motion.coordinates).index("pelvis_tz")
    across = results.motion.q[:, lateral]
    wander = np.array([np.interp(e, time, across) - np.interp(b, time, across)
                       for _, b, e in strides])  # fmt: skip
    return int(np.argmin(spread + misfit + (WANDER * wander) ** 2))


def _close(
    results: Results, contacts: Contacts, side: Side, begin: float, end: float
) -> PeriodicStride:
    motion, ground = results.motion, results.ground
    assert ground is not None
    period = end - begin
    frames = min(LONGEST, round(period * motion.rate))
    after = np.arange(frames) / frames * period
    near = (motion.time >= begin - 0.5 * period) & (motion.time <= end + 0.5 * period)
    curve = interpolate.make_interp_spline(motion.time[near], motion.q[near], k=5)
    gap = curve(end) - curve(begin)
    level = np.array([n in ("pelvis_tx", "pelvis_tz") for n in motion.coordinates])
    share = (after / period)[:, None]
    weight = smooth_step((share - (1.0 - BLEND)) / BLEND)

    captured = curve(begin + after)
    # A drift starts at nothing, as the centre of pressure's does; a gap between two strides
    # is nobody's in particular: half goes to either end, and mid-stride stays as captured.
    middle = np.where(level, 0.0, 0.5)
    open_ended = captured - (share - middle) * gap
    before = curve(begin + after - period) - (share - 1.0 - middle) * gap
    q = (1.0 - weight) * open_ended + weight * before
    qd, qdd = periodic_derivatives(q, period)
    velocity = np.array([gap[list(motion.coordinates).index(n)] for n in TRANSLATIONS]) / period
    # Heights do not drift on level ground; a difference between strides is a gap.
    velocity[1] = 0.0
    moved = q + np.where(level, share * gap, 0.0) - captured

    values = np.concatenate([ground.force, ground.point, ground.torque], axis=2)
    reaction = interpolate.PchipInterpolator(ground.time, np.nan_to_num(values), axis=0)
    own, old = reaction(begin + after), reaction(begin + after - period)
    travelled = (after[:, None] * velocity)[:, None]
    own[:, :, 3:6] -= travelled
    old[:, :, 3:6] -= travelled - period * velocity
    fade = weight[:, :, None]
    force = (1.0 - fade) * own[:, :, :3] + fade * old[:, :, :3]
    # Points and torques fade with the force that they belong to.
    heavy = np.abs(own[:, :, 1:2]) * (1.0 - fade), np.abs(old[:, :, 1:2]) * fade
    total = heavy[0] + heavy[1]
    mix = np.where(total > 1.0, heavy[1] / np.maximum(total, 1.0), fade)
    point = (1.0 - mix) * own[:, :, 3:6] + mix * old[:, :, 3:6]
    torque = (1.0 - fade) * own[:, :, 6:] + fade * old[:, :, 6:]

    return PeriodicStride(
        side, begin, period, motion.coordinates, q, qd, qdd, velocity, force, point, torque,
        _contacts_of(contacts, side, begin, period),
        {n: float(np.abs(moved[:, i]).max()) for i, n in enumerate(motion.coordinates)},
    )  # fmt: skip


def _contacts_of(
    contacts: Contacts, side: Side, begin: float, period: float
) -> dict[Side, tuple[float, float]]:
    found: dict[Side, tuple[float, float]] = {}
    for s in SIDES:
        for c in contacts.of(s):
            after = c.initial_contact_s - begin
            if -1e-9 <= after < period - 1e-9 and c.complete and s not in found:
                found[s] = (max(after, 0.0), c.toe_off_s - begin)
    return {s: found[s] for s in SIDES}
