"""Whose foot stands on the plate, and which frames of it cannot be trusted.

Assignment compares, over a whole loading of a plate, how far each foot is from being
the one that carries it: horizontally from the centre of pressure, vertically from its
standing height, and in speed from the ground. Names in the file are only consulted
when no foot was seen.

Masking follows three observations, each with its own sentence in the notes:
the centre of pressure lies outside the foot's outline; the other foot stands on the
same plate; a foot stands where no plate measures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.filtering import lowpass, runs, smooth_derivatives
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, Array, BoolArray, Side
from .ground_feet import Feet, distance_to_outline, share_over_plate
from .ground_plates import PlateSignals, centre_of_pressure

_SPEED_LENGTH = 0.05
"""s; turns a foot's speed over ground into a distance: 4 m/s of swing counts as 0.2 m."""

_TURN = 0.08
"""s; a foot that carries a plate for less than this in a shared loading is noise."""

_MINORITY = 0.15
"""Share of a loading's impulse below which the second foot is noise."""

_EDGE = 0.04
"""s around a measured contact in which a foot may stand unmeasured: thresholds, roll-off."""

_SHORTEST_STANDING = 0.05
"""s; a foot stands at least this long for its missing force to matter."""

_MISSING = 0.5
"""Body weights of vertical force that the trunk's movement asks for and no plate gives.

Half, because the trunk is not the whole body: at the apex of a jump, where feet hang
still in the air, swinging limbs leave up to 0.4."""

_FAR = 0.03
"""m beyond the tolerance from which even a foot alone on its plate is masked."""

_COP_SPEED = 3.0
"""m/s of the centre of pressure relative to the foot; loading and roll-off stay below."""


@dataclass(frozen=True)
class PlateLoads:
    """Weights of every plate on every foot.

    Attributes
    ----------
    weight : (T, P, 2), 0 to 1
    owners : length of plates.contacts; 'r', 'l', 'rl' when both take turns, '' when unknown
    contradicted : tuple of int, contacts whose file label names the other foot
    """

    weight: Array
    owners: tuple[str, ...]
    contradicted: tuple[int, ...]


@dataclass(frozen=True)
class Masks:
    """Why frames are masked, each (T, 2)."""

    unrecorded: BoolArray
    outside: BoolArray
    two_feet: BoolArray
    unmeasured: BoolArray

    @property
    def any(self) -> BoolArray:
        """Union of all reasons."""
        return self.unrecorded | self.outside | self.two_feet | self.unmeasured


def assign_feet(
    plates: PlateSignals,
    feet: Feet,
    hypothesis: Sequence[Side | None],
    cop_above: float,
    given: Mapping[int, Side | str] | None = None,
) -> PlateLoads:
    """Give each loading of each plate to a foot.

    Parameters
    ----------
    plates : PlateSignals
    feet : Feet
    hypothesis : per plate 'r', 'l' or None, from the file's labels
    cop_above : float, N; vertical force from which the centre of pressure counts
    given : loading (number in `plates.contacts`) to foot, where a person said it; '' is none
    """
    frames, count, _ = plates.force.shape
    weight = np.zeros((frames, count, 2))
    owners, contradicted = [], []
    width = 2 * (int(_TURN / (2 * (plates.time[1] - plates.time[0])))) + 1
    for number, contact in enumerate(plates.contacts):
        fade = plates.fade(contact)
        here = np.flatnonzero(fade > 0)
        label = hypothesis[contact.plate]
        if len(here) == 0:
            owners.append("")
            continue
        if given is not None and number in given:
            foot = given[number]
            owners.append(foot)
            if foot:
                weight[here, contact.plate, "rl".index(foot)] = fade[here]
            continue
        force = np.nan_to_num(plates.force[here, contact.plate])
        moment = np.nan_to_num(plates.moment[here, contact.plate])
        cost = _costs(force, moment, plates.height[contact.plate], feet, here)
        load = np.where(force[:, 1] > cop_above, force[:, 1], 0.0)
        load = load if load.any() else np.ones(len(here))
        if not np.isfinite(cost).any():
            if label is None:
                owners.append("")
                continue
            owners.append(label)
            weight[here, contact.plate, "rl".index(label)] = fade[here]
            continue
        finite = np.where(np.isfinite(cost), cost, 1e3)
        mine = _majority(finite[:, 1] < finite[:, 0], width)
        share = float(load[mine == 1].sum() / load.sum())
        takes_turns = (
            min(share, 1.0 - share) > _MINORITY
            and min(_longest(mine == 1), _longest(mine == 0)) >= width
        )
        if takes_turns:
            owners.append("rl")
        else:
            mine[:] = int(
                np.average(finite[:, 1], weights=load) < np.average(finite[:, 0], weights=load)
            )
            owners.append("rl"[mine[0]])
            if label is not None and label != owners[-1]:
                contradicted.append(number)
        weight[here, contact.plate, mine] = fade[here]
    return PlateLoads(weight, tuple(owners), tuple(contradicted))


def find_masks(
    plates: PlateSignals,
    loads: PlateLoads,
    force: Array,
    point: Array,
    distance: Array,
    feet: Feet,
    paths: AnatomicalPaths,
    body_mass: float,
    tolerance: Array,
) -> Masks:
    """Frames in which a foot's force is not measured or not its own.

    Parameters
    ----------
    plates, loads, feet, paths : as found before
    force, point : (T, 2, 3), per foot, N and m
    distance : (T, 2) m of the centre of pressure from the outline, NaN where it has none
    body_mass : float, kg
    tolerance : (T, 2) m, what the distance may be
    """
    dt = 1.0 / paths.rate
    frames = len(paths.time)
    carried = loads.weight.sum(axis=1) > 0
    missing = ~np.isfinite(plates.force).all(axis=(1, 2))
    unrecorded = np.repeat(missing[:, None], 2, axis=1)
    with np.errstate(invalid="ignore"):
        outside = distance > tolerance
        # A foot that is alone cannot share its plate; a small excess then speaks
        # against the outline or the plate's place, and is reported, not masked.
        far = distance > tolerance + _FAR
    near_own = np.stack([_widen(carried[:, s], _EDGE, dt) for s in range(2)], axis=1)
    alone = feet.standing & ~near_own
    two_feet = _double_support_in_shared_loadings(plates, loads, feet, dt)
    for a, b in ((0, 1), (1, 0)):
        evidence = (
            outside[:, a]
            | _jumps(point[:, a], force[:, a], feet.centre[:, a], carried[:, a], body_mass, dt)
            | _over_same_plate(plates, loads, feet, a, b)
        )
        unseen = runs(outside[:, a] & ~feet.seen[:, b])
        standing = [
            (start, stop)
            for start, stop in runs(alone[:, b] & feet.low[:, b])
            if (stop - start) * dt >= _SHORTEST_STANDING
        ]
        for start, stop in unseen + standing:
            both = np.zeros(frames, dtype=bool)
            wide = _slice(start, stop, _EDGE, dt, frames)
            both[wide] = carried[wide, a]
            if (evidence & both).any():
                two_feet |= both
    missing_load = _missing_load(force, paths, body_mass)
    unmeasured = np.zeros_like(carried)
    for s in range(2):
        wanted = alone[:, s] & (feet.low[:, s] | (missing_load > _MISSING))
        for start, stop in runs(wanted):
            if (stop - start) * dt >= _SHORTEST_STANDING:
                wide = _slice(start, stop, _EDGE, dt, frames)
                unmeasured[wide, s] |= ~carried[wide, s]
    shared = np.repeat(two_feet[:, None], 2, axis=1)
    return Masks(
        unrecorded=unrecorded,
        outside=far & ~shared,
        two_feet=shared,
        unmeasured=unmeasured & ~shared & ~unrecorded,
    )


def _costs(
    force: Array, moment: Array, height: float, feet: Feet, here: NDArray[np.intp]
) -> Array:
    cop = centre_of_pressure(force, moment, height)
    out = np.full((len(here), 2), np.inf)
    for s in range(2):
        gap = distance_to_outline(cop, feet.outline[here, s])
        lift = np.maximum(feet.lift[here, s], 0.0)
        cost = np.sqrt(gap**2 + lift**2 + (_SPEED_LENGTH * feet.speed[here, s]) ** 2)
        out[:, s] = np.where(feet.seen[here, s] & np.isfinite(cost), cost, np.inf)
    return out


def _jumps(
    point: Array, force: Array, centre: Array, carried: BoolArray, body_mass: float, dt: float
) -> BoolArray:
    """The centre of pressure races across the foot while the foot carries real load."""
    relative = (point - centre)[:, [0, 2]]
    speed = np.linalg.norm(np.gradient(relative, dt, axis=0), axis=1)
    loaded = carried & (force[:, 1] > 0.3 * body_mass * GRAVITY)
    return np.asarray((speed > _COP_SPEED) & loaded)


def _over_same_plate(
    plates: PlateSignals, loads: PlateLoads, feet: Feet, a: int, b: int
) -> BoolArray:
    """Most of foot `b` is over a plate that carries foot `a`; needs the plates' corners."""
    out = np.zeros(len(plates.time), dtype=bool)
    if plates.corners is None:
        return out
    for p, corners in enumerate(plates.corners):
        over = share_over_plate(feet.outline[:, b], corners) > 0.5
        out |= over & (loads.weight[:, p, a] > 0)
    return out


def _double_support_in_shared_loadings(
    plates: PlateSignals, loads: PlateLoads, feet: Feet, dt: float
) -> BoolArray:
    """Both feet stand during a loading in which they take turns on one plate."""
    out = np.zeros(len(plates.time), dtype=bool)
    both = _widen((feet.standing & feet.low).all(axis=1), _EDGE, dt)
    for contact, owner in zip(plates.contacts, loads.owners, strict=True):
        if owner == "rl":
            out |= both & (plates.fade(contact) > 0)
    return out


def _missing_load(force: Array, paths: AnatomicalPaths, body_mass: float) -> Array:
    """Vertical force in body weights that the trunk's movement asks for beyond the plates."""
    centre = body_centre(paths)
    if centre is None:
        return np.zeros(len(force))
    cutoff = min(6.0, 0.4 * paths.rate)
    _, _, acceleration = smooth_derivatives(paths.time, centre[:, 1], cutoff)
    vertical = lowpass(force[:, :, 1].sum(axis=1), paths.rate, cutoff)
    missing = 1.0 + acceleration / GRAVITY - vertical / (body_mass * GRAVITY)
    return np.nan_to_num(missing)


def body_centre(paths: AnatomicalPaths) -> Array | None:
    """Centre of mass, or the middle of the pelvis in its place: (T, 3) m, or None."""
    if "center_of_mass" in paths.points:
        return paths.points["center_of_mass"]
    names = [f"{n}_{s}" for n in ("asis", "psis") for s in "rl"]
    found = [paths.points[n] for n in names if n in paths.points]
    return np.mean(found, axis=0) if len(found) == len(names) else None


def _widen(mask: BoolArray, seconds: float, dt: float) -> BoolArray:
    out = mask.copy()
    for start, stop in runs(mask):
        out[_slice(start, stop, seconds, dt, len(mask))] = True
    return out


def _slice(start: int, stop: int, seconds: float, dt: float, length: int) -> slice:
    extra = round(seconds / dt)
    return slice(max(0, start - extra), min(length, stop + extra))


def _majority(mask: BoolArray, width: int) -> NDArray[np.int8]:
    """1 where most of the `width` (odd) frames about a frame are true; ends are mirrored."""
    half = width // 2
    total = np.cumsum(np.pad(mask.astype(np.int64), (half + 1, half), mode="symmetric"))
    # One frame too many at the front, so that a difference of sums is a window's own.
    return (total[width:] - total[:-width] > half).astype(np.int8)


def _longest(mask: BoolArray) -> int:
    return max((b - a for a, b in runs(mask)), default=0)
