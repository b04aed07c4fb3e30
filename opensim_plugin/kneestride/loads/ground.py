"""Ground reaction of each foot, from force plates and the movement of the feet.

Plates do not know whose foot stands on them. Here every loading of every plate is
given to a foot by where the feet are and how they move; plates under the same foot are
summed; and every frame in which a plate cannot be trusted for one foot is masked
instead of being repaired: the centre of pressure outside the foot, both feet on one
plate, a foot on a floor that nobody measures.

The measured part is `measured_ground_reaction`. `measure_ground` returns the same with
the contacts and figures behind the notes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..capture.trial import Forces
from ..errors import SettingsError
from ..motion.corrections import Corrections
from ..motion.filtering import runs
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray, Side
from .ground_assignment import Masks, PlateLoads, assign_feet, find_masks
from .ground_feet import Feet, distance_to_outline, observe_feet
from .ground_plates import PlateSignals, centre_of_pressure, hold_nearest, read_plates
from .types import GroundReaction

_WORDS = {"r": "right", "l": "left", "rl": "right and left"}


@dataclass(frozen=True)
class GroundSettings:
    """Choices of the measured ground reaction, the same for every trial.

    Attributes
    ----------
    cutoff : float or None
        Low-pass of the forces, Hz; the one the markers get.
    contact_lower, contact_upper : float
        Hysteresis of contact, N.
    shortest_contact : float
        s; shorter loadings of a plate are knocks.
    centre_of_pressure_above : float
        N; below, the centre of pressure is held under the foot.
    outline_margin : float
        m by which the foot's outline is widened: shoe edges and marker placement.
    moment_error : float
        N·m; error of a plate's moment, so that the tolerance on the centre of pressure
        grows as this over the force when the plate is lightly loaded.
    """

    cutoff: float | None = 20.0
    contact_lower: float = 20.0
    contact_upper: float = 50.0
    shortest_contact: float = 0.03
    centre_of_pressure_above: float = 50.0
    outline_margin: float = 0.02
    moment_error: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 < self.contact_lower <= self.contact_upper:
            raise SettingsError(
                "contact thresholds with 0 < lower <= upper",
                f"lower {self.contact_lower:g} N and upper {self.contact_upper:g} N",
                "choose for example 20 and 50 N",
            )


@dataclass(frozen=True)
class FootContact:
    """One stance of one foot.

    Attributes
    ----------
    side : 'r' or 'l'
    start, end : float, s, force above the lower threshold
    plates : tuple of int
    peak : float, N, largest vertical force
    complete : bool, False when the recording starts or ends in it
    masked : float, share of its frames that are masked
    outside : float, share of its frames with the centre of pressure outside the foot
    """

    side: Side
    start: float
    end: float
    plates: tuple[int, ...]
    peak: float
    complete: bool
    masked: float
    outside: float


@dataclass(frozen=True)
class MeasuredGround:
    """Ground reaction with what was found on the way.

    `figures` holds, by name: offsets removed, masked shares, mean vertical force in
    body weights, largest distance of the centre of pressure from the foot.
    """

    reaction: GroundReaction
    contacts: tuple[FootContact, ...]
    figures: Mapping[str, float]


def measured_ground_reaction(
    forces: Forces,
    paths: AnatomicalPaths,
    body_mass: float,
    settings: GroundSettings | None = None,
) -> GroundReaction:
    """Ground reaction of each foot at marker times; see `measure_ground`."""
    return measure_ground(forces, paths, body_mass, settings).reaction


def measure_ground(
    forces: Forces,
    paths: AnatomicalPaths,
    body_mass: float,
    settings: GroundSettings | None = None,
    corrections: Corrections | None = None,
) -> MeasuredGround:
    """Give every plate's load to a foot, and say where that cannot be done.

    Parameters
    ----------
    forces : Forces
        Plates in the ground frame, force on the person, on the markers' clock.
    paths : AnatomicalPaths
        Foot points heel, heel_bottom, metatarsal_1, metatarsal_5, toe of both sides;
        asis and psis or center_of_mass for the load a body's movement asks for.
    body_mass : float, kg
    settings : GroundSettings, optional
    corrections : Corrections, optional
        Feet that a person gave to loadings of plates; those are not found but taken.

    Returns
    -------
    MeasuredGround

    Raises
    ------
    CaptureError
        When forces and markers share no time or the forces point downwards.
    """
    settings = settings or GroundSettings()
    plates = read_plates(
        forces,
        paths.time,
        body_mass,
        settings.cutoff,
        (settings.contact_lower, settings.contact_upper),
        settings.shortest_contact,
    )
    feet = observe_feet(paths, min(settings.cutoff or 20.0, 0.4 * paths.rate))
    hypothesis = forces.feet or (None,) * len(forces.names)
    given = (corrections or Corrections()).of_plates(forces.names, plates.contacts)
    loads = assign_feet(plates, feet, hypothesis, settings.centre_of_pressure_above, given)
    reaction = _sum_per_foot(plates, loads, feet, settings)
    measured = reaction.force[:, :, 1] > settings.centre_of_pressure_above
    distance = np.full(measured.shape, np.nan)
    tolerance = np.full(measured.shape, np.inf)
    for s in range(2):
        distance[:, s] = distance_to_outline(reaction.point[:, s], feet.outline[:, s])
        distance[~measured[:, s], s] = np.nan
        tolerance[measured[:, s], s] = (
            settings.outline_margin
            + settings.moment_error / reaction.force[measured[:, s], s, 1]
        )
    masks = find_masks(
        plates,
        loads,
        reaction.force,
        reaction.point,
        distance,
        feet,
        paths,
        body_mass,
        tolerance,
    )
    outside = (np.nan_to_num(distance) > tolerance) & ~masks.two_feet
    contacts = _foot_contacts(plates, loads, reaction, masks, outside)
    figures = _figures(forces, plates, reaction, masks, distance, outside, body_mass)
    notes = _notes(forces, plates, loads, contacts, masks, figures)
    reaction = replace(reaction, masked=masks.any, notes=tuple(notes))
    return MeasuredGround(reaction, contacts, figures)


def _sum_per_foot(
    plates: PlateSignals, loads: PlateLoads, feet: Feet, settings: GroundSettings
) -> GroundReaction:
    """Add up the plates under each foot and find the centre of pressure of the sum."""
    weight = loads.weight[..., None]
    force = (weight * np.nan_to_num(plates.force)[:, :, None]).sum(axis=1)
    moment = (weight * np.nan_to_num(plates.moment)[:, :, None]).sum(axis=1)
    contact = loads.weight.sum(axis=1) > 0
    vertical = loads.weight * np.nan_to_num(plates.force[:, :, None, 1])
    total = vertical.sum(axis=1)
    floor = float(plates.height.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.where(
            total > 0, (vertical * plates.height[None, :, None]).sum(axis=1) / total, floor
        )
    measured = contact & (force[:, :, 1] > settings.centre_of_pressure_above)
    point = centre_of_pressure(force, moment, height)
    under = feet.centre.copy()
    under[:, :, 1] = height
    for s in range(2):
        relative = np.where(measured[:, s, None], point[:, s] - under[:, s], np.nan)
        for start, stop in runs(contact[:, s]):
            # A lightly loaded foot keeps its nearest measured centre of pressure,
            # carried along with the foot (on a belt it would be left behind).
            relative[start:stop] = hold_nearest(relative[start:stop])
        point[:, s] = under[:, s] + np.nan_to_num(relative)
    torque = np.zeros_like(force)
    torque[:, :, 1] = np.where(contact, (moment - np.cross(point, force))[:, :, 1], 0.0)
    return GroundReaction(
        time=plates.time,
        force=force,
        point=point,
        torque=torque,
        contact=contact,
        masked=np.zeros_like(contact),
    )


def _foot_contacts(
    plates: PlateSignals,
    loads: PlateLoads,
    reaction: GroundReaction,
    masks: Masks,
    outside: BoolArray,
) -> tuple[FootContact, ...]:
    time, out = plates.time, []
    step = float(time[1] - time[0])
    # In order of their ends, so that only loadings about the time of a stance are looked at.
    known = list(zip(plates.contacts, loads.owners, strict=True))
    order = sorted(range(len(known)), key=lambda k: known[k][0].end)
    ends_at = [known[k][0].end for k in order]
    longest = max((c.end - c.start for c, _ in known), default=0.0)
    for s, side in enumerate(SIDES):
        for start, stop in runs(reaction.contact[:, s]):
            first = bisect_left(ends_at, time[start])
            last = bisect_right(ends_at, time[stop - 1] + longest + step)
            part = [
                (c, owner)
                for c, owner in (known[k] for k in sorted(order[first:last]))
                if (loads.weight[start:stop, c.plate, s] > 0).any()
                and c.start <= time[stop - 1]
                and c.end >= time[start]
            ]
            begins = min(c.start for c, _ in part)
            ends = max(c.end for c, _ in part)
            shared = any(owner == "rl" for _, owner in part)
            cut = any(c.cut_start or c.cut_end for c, _ in part)
            out.append(
                FootContact(
                    side=side,
                    start=float(time[start]) if shared else begins,
                    end=float(time[stop - 1]) if shared else ends,
                    plates=tuple(sorted({c.plate for c, _ in part})),
                    peak=float(reaction.force[start:stop, s, 1].max()),
                    complete=bool(
                        not cut
                        and not shared
                        and begins > time[0] - step
                        and ends < time[-1] + step
                    ),
                    masked=float(masks.any[start:stop, s].mean()),
                    outside=float(outside[start:stop, s].mean()),
                )
            )
    return tuple(sorted(out, key=lambda c: c.start))


def _figures(
    forces: Forces,
    plates: PlateSignals,
    reaction: GroundReaction,
    masks: Masks,
    distance: Array,
    outside: BoolArray,
    body_mass: float,
) -> dict[str, float]:
    figures = {
        "mean_vertical_BW": float(reaction.force[:, :, 1].sum(axis=1).mean())
        / (body_mass * GRAVITY),
        "masked_share": float(masks.any.any(axis=1).mean()),
    }
    reasons = {
        "unrecorded": masks.unrecorded,
        "outside": masks.outside,
        "two_feet": masks.two_feet,
        "unmeasured": masks.unmeasured,
    }
    for s, side in enumerate(SIDES):
        figures[f"masked_share_{side}"] = float(masks.any[:, s].mean())
        for name, mask in reasons.items():
            figures[f"{name}_share_{side}"] = float(mask[:, s].mean())
        known = np.isfinite(distance[:, s])
        if known.any():
            figures[f"cop_outside_share_{side}"] = float(outside[known, s].mean())
            figures[f"outside_foot_p95_mm_{side}"] = 1e3 * float(
                np.nanpercentile(distance[:, s], 95.0)
            )
    for name, offset in zip(forces.names, plates.offsets, strict=True):
        for axis, value in zip("xyz", offset[:3], strict=True):
            figures[f"offset_{name}_{axis}_N"] = float(value)
    return figures


def _notes(
    forces: Forces,
    plates: PlateSignals,
    loads: PlateLoads,
    contacts: tuple[FootContact, ...],
    masks: Masks,
    figures: Mapping[str, float],
) -> list[str]:
    notes = []
    for p, name in enumerate(forces.names):
        offset = plates.offsets[p, :3]
        if np.abs(np.nan_to_num(forces.force[:, p])).max() == 0.0:
            notes.append(f"Plate {name} is never loaded.")
        elif np.isnan(offset).any():
            notes.append(
                f"Plate {name} is loaded all the time: its offset is unknown and was left in."
            )
        elif np.abs(offset).max() > 0.5:
            notes.append(
                f"Plate {name}: an offset of {offset[0]:.1f}, {offset[1]:.1f}, "
                f"{offset[2]:.1f} N (forward, up, right), read while it was empty, was removed."
            )
    for number in loads.contradicted:
        contact = plates.contacts[number]
        notes.append(
            f"Plate {forces.names[contact.plate]} is labelled for the other foot, but from "
            f"{contact.start:.2f} to {contact.end:.2f} s the {_WORDS[loads.owners[number]]} "
            "foot stands on it; the movement was believed."
        )
    unknown = sum(owner == "" for owner in loads.owners)
    if unknown:
        notes.append(
            f"{unknown} loadings of plates could be given to no foot and were left out."
        )
    counts = " and ".join(
        f"{sum(c.side == side for c in contacts)} {_WORDS[side]}" for side in SIDES
    )
    notes.append(f"Stances measured: {counts}.")
    sentences = {
        "unrecorded": "no force recorded at that time",
        "outside": "centre of pressure far outside the foot's outline",
        "two_feet": "both feet on one plate",
        "unmeasured": "the foot stands where no plate measures it",
    }
    for side in SIDES:
        share = figures.get(f"cop_outside_share_{side}", 0.0)
        if share > 0.02:
            notes.append(
                f"The centre of pressure lies outside the {_WORDS[side]} foot's outline in "
                f"{100 * share:.0f} % of its stance frames while the foot is alone on its "
                "plate: look at the foot markers, the plate's place and the clocks of both."
            )
    for s, side in enumerate(SIDES):
        for reason, sentence in sentences.items():
            share = figures[f"{reason}_share_{side}"]
            if share > 0:
                mask = getattr(masks, reason)[:, s]
                first, last = plates.time[np.flatnonzero(mask)[[0, -1]]]
                notes.append(
                    f"{_WORDS[side].capitalize()} foot masked in {100 * share:.1f} % of frames "
                    f"({first:.2f} to {last:.2f} s): {sentence}."
                )
    return notes
