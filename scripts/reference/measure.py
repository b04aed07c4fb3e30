"""One RBDS runner as an average stride: joint angles, pelvis path, ground reaction.

The chain's own stages find the angles and the forces. A stride is then stretched to
phase by its four events (right contact, right toe-off, left contact, left toe-off), so
that curves of runners with other contact times are averaged event by event and the edges
of the contact stay edges. A left stride, mirrored and read half a stride later, is one more
right stride.

Forces are averaged over stance, in weights of the force's own mean: the mean vertical
force of a stride that ends as it began is the body's weight, whatever the plate's gain.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from kneestride import stages
from kneestride.capture.reference import MIRRORED, bare_name, side_of
from kneestride.capture.trial import Forces, Subject
from kneestride.loads.ground import GroundSettings, measure_ground
from kneestride.loads.types import GroundReaction
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.events import events_from_force
from kneestride.motion.kinematics import AnatomicalPaths, Motion
from kneestride.motion.strides import stride_table
from kneestride.settings import Settings
from kneestride.vocabulary import GRAVITY, SIDES, Array, Side

EVENT_DUTY = 1.0 / 3.0
"""Phase given to toe-off while curves of runners with other contact times are gathered."""
POINTS = 200
"""Phases of a stride, first included, last (the same as the first) not."""
STANCE_POINTS = 101
FORCE_CUTOFF = 50.0
"""Hz. Averaging 80 strides takes the noise out; the filter only keeps belt vibration from
folding into the 150 Hz of the markers."""
FLAT = 0.4
"""Share of stance at which the whole foot is on the ground: between foot-flat and heel-rise
of every runner."""
LOAD_STRIDES = 6
"""Strides of each runner for which knee loads are computed, to compare the reference with."""
PEAKS = ("total_peak_BW", "medial_peak_BW", "lateral_peak_BW")


@dataclass(frozen=True)
class Runner:
    """Averages of one runner.

    Attributes
    ----------
    code : str; mass kg; height m
    scale : mapping of body to (3,) factors of the fitted model
    torsion : (2,) rad of the shanks, outwards positive on both sides
    curves : mapping of bare coordinate name to (POINTS,) rad or m, right side
    static : mapping of bare coordinate name to rad, standing, both sides averaged
    stance : (STANCE_POINTS, 6): force forward, up, to the right in body weights, centre of
        pressure along and to the right of the foot in foot lengths from the calcaneus'
        origin, free moment in body weight times height; right foot
    stride_s, contact_s, speed, step_width_m, sole_m : float
    strides : int, right and left together
    peaks : mapping of knee load to median over strides, BW
    residual_m : float, rms marker error
    """

    code: str
    mass: float
    height: float
    scale: dict[str, Array]
    torsion: Array
    curves: dict[str, Array]
    static: dict[str, float]
    stance: Array
    stride_s: float
    contact_s: float
    speed: float
    step_width_m: float
    sole_m: float
    strides: int
    peaks: dict[str, float]
    residual_m: float


def participants(folder: Path) -> list[tuple[str, Subject]]:
    """File prefix and person of every runner in the folder, in order."""
    found = []
    with (folder / "participants.csv").open(encoding="utf-8") as file:
        people = {int(row["subject"][4:]): row for row in csv.DictReader(file)}
    for path in sorted(folder.glob("*runT35.c3d")):
        code = path.name.removesuffix("runT35.c3d")
        row = people[int(code[4:])]
        found.append(
            (code, Subject(float(row["mass_kg"]), float(row["height_cm"]) / 100, row["sex"]))
        )
    return found


def measure(folder: Path, code: str, subject: Subject) -> Runner:
    """Run the chain's stages on one runner at 3.5 m/s and average the strides."""
    settings = Settings()
    prepared = stages.prepare(
        folder / f"{code}runT35.c3d",
        folder / f"{code}static.c3d",
        None,
        None,
        settings,
        subject,
    )
    fitted = fit_subject(
        stages.generic_model(None, settings),
        subject,
        prepared.trial.markers,
        prepared.names,
        prepared.static,
        prepared.static_names,
    )
    raw, *_ = stages.follow_markers(fitted, prepared)
    smooth = stages.smooth(fitted, prepared, raw, stages.FAST_CUTOFF)
    forces = prepared.trial.forces
    if forces is None or fitted.static_pose is None:
        raise SystemExit(f"{code}: Expected force plates and a static trial. Found none.")
    sharp = measure_ground(
        forces, smooth.paths, subject.mass, GroundSettings(cutoff=FORCE_CUTOFF)
    ).reaction
    body_weight = subject.mass * GRAVITY
    contacts = events_from_force(raw.time, sharp.force[:, :, 1], body_weight)
    phases = strides_of(contacts)
    turned = np.where(fitted.body.rotational, np.unwrap(raw.q, axis=0), raw.q)
    curves = average_curves(replace(raw, q=turned), phases)
    own_weight = float(sharp.force[:, :, 1].sum(axis=1).mean())
    belt = prepared.frame.belt
    stance = average_stance(sharp, smooth.paths, contacts, belt, own_weight, subject.height)
    rows = stride_table(smooth.paths, contacts, "running")
    errors = raw.marker_error
    return Runner(
        code,
        subject.mass,
        subject.height,
        {n: np.asarray(v) for n, v in fitted.scale.items()},
        torsion_of(fitted.body),
        curves,
        _static(fitted),
        stance,
        float(np.median([c[4] - c[0] for _, c in phases])),
        float(np.median([c[1] - c[0] for _, c in phases])),
        float(np.linalg.norm(belt)),
        float(np.nanmedian([r.step_width_m for r in rows])),
        _sole_height(raw.time, smooth.paths, contacts),
        len(phases),
        _peaks(fitted, subject, settings, smooth, forces, phases),
        float("nan") if errors is None else float(np.sqrt(np.nanmean(errors**2))),
    )


Phases = tuple[Side, tuple[float, float, float, float, float]]


def strides_of(contacts: Contacts) -> list[Phases]:
    """Complete strides: times of contact, toe-off, other contact, other toe-off, end."""
    out: list[Phases] = []
    for side in SIDES:
        other = SIDES[1 - SIDES.index(side)]
        own = [c for c in contacts.of(side) if c.complete]
        for here, after in pairwise(own):
            between = [
                c
                for c in contacts.of(other)
                if c.complete
                and here.toe_off_s < c.initial_contact_s
                and c.toe_off_s < after.initial_contact_s
            ]
            if len(between) == 1:
                b = between[0]
                times = (
                    here.initial_contact_s,
                    here.toe_off_s,
                    b.initial_contact_s,
                    b.toe_off_s,
                    after.initial_contact_s,
                )
                out.append((side, times))
    length = np.median([t[4] - t[0] for _, t in out])
    # A missed contact makes a stride of double length; a stumble is no average stride.
    return [p for p in out if abs(p[1][4] - p[1][0] - length) < 0.15 * length]


def average_curves(motion: Motion, phases: list[Phases]) -> dict[str, Array]:
    """Median over strides of every coordinate by event phase, left strides mirrored."""
    at = np.arange(POINTS) / POINTS
    knots = [0.0, EVENT_DUTY, 0.5, 0.5 + EVENT_DUTY, 1.0]
    gathered: dict[str, list[Array]] = {}
    for side, times in phases:
        where = np.interp(at, knots, times)
        for i, name in enumerate(motion.coordinates):
            its = side_of(name)
            if its is not None and its != side:
                continue
            values = np.interp(where, motion.time, motion.q[:, i])
            if name in ("pelvis_tx", "pelvis_tz", "pelvis_ty", "pelvis_rotation"):
                ends = np.interp([times[0], times[4]], motion.time, motion.q[:, i])
                values = values - (ends[1] - ends[0]) * (where - times[0]) / (
                    times[4] - times[0]
                )
                values = values - values.mean()
            if side == "l" and name in MIRRORED:
                values = -values
            gathered.setdefault(bare_name(name), []).append(values)
    return {name: np.median(values, axis=0) for name, values in gathered.items()}


def average_stance(
    ground: GroundReaction,
    paths: AnatomicalPaths,
    contacts: Contacts,
    belt: Array,
    own_weight: float,
    height: float,
) -> Array:
    """Median ground reaction over stance; see `Runner.stance`."""
    share = np.linspace(0.0, 1.0, STANCE_POINTS)
    rows = []
    for s, side in enumerate(SIDES):
        mirror = 1.0 if side == "r" else -1.0
        for c in contacts.of(side):
            if not c.complete:
                continue
            times = c.initial_contact_s + share * c.duration_s
            k = _flat(ground.time, c)
            heel, axis, right, length = foot_frame(paths, side, k)
            row = np.empty((STANCE_POINTS, 6))
            force = _read(ground.time, ground.force[:, s], times) / own_weight
            point = _read(ground.time, ground.point[:, s] - heel, times)
            point = point - belt * (times - ground.time[k])[:, None]
            row[:, :3] = force * [1.0, 1.0, mirror]
            row[:, 3] = point @ axis / length
            row[:, 4] = mirror * (point @ right) / length
            row[:, 5] = mirror * _read(ground.time, ground.torque[:, s], times)[:, 1]
            row[:, 5] /= own_weight * height
            rows.append(row)
    found: Array = np.median(rows, axis=0)
    return found


def foot_frame(paths: AnatomicalPaths, side: Side, k: int) -> tuple[Array, Array, Array, float]:
    """Heel, axes along and to the right of the foot on the ground, heel-to-toe length."""
    axis = paths.frames[f"calcn_{side}"][k][:, 0] * [1.0, 0.0, 1.0]
    axis = axis / np.linalg.norm(axis)
    heel = paths.points[f"heel_{side}"][k]
    length = float((paths.points[f"toe_{side}"][k] - heel) @ axis)
    return heel, axis, np.array([-axis[2], 0.0, axis[0]]), length


def torsion_of(body: Multibody) -> Array:
    """How far the fitted shanks are twisted against the generic ones, (2,) rad, outwards."""
    generic = Multibody.from_osim(load_model(RUNNER_MODEL))
    out = []
    for side in SIDES:
        b = body.body(f"talus_{side}")
        turn = body.tree.rotation_pf[b] @ generic.tree.rotation_pf[b].T
        angle = float(np.arctan2(turn[0, 2] - turn[2, 0], turn[0, 0] + turn[2, 2]))
        out.append(-angle if side == "r" else angle)
    return np.array(out)


def _static(fitted: FittedSubject) -> dict[str, float]:
    """Standing angles, mean of right and mirrored left, without those that mirror away."""
    pose = fitted.static_pose
    assert pose is not None
    found: dict[str, list[float]] = {}
    for name, value in zip(fitted.body.coordinates, pose, strict=True):
        if name not in MIRRORED and name not in ("pelvis_tx", "pelvis_ty"):
            found.setdefault(bare_name(name), []).append(float(value))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _sole_height(time: Array, paths: AnatomicalPaths, contacts: Contacts) -> float:
    """Height of the second metatarsal's head above the floor while the foot is flat, m."""
    heights = [
        paths.points[f"metatarsal_2_{side}"][_flat(time, c), 1]
        for side in SIDES
        for c in contacts.of(side)
    ]
    return float(np.median(heights))


def _peaks(
    fitted: FittedSubject,
    subject: Subject,
    settings: Settings,
    smooth: stages.Smoothed,
    forces: Forces,
    phases: list[Phases],
) -> dict[str, float]:
    """Knee loads over some strides in the middle, as `analyse` computes them."""
    middle = sorted((p for p in phases if p[0] == "r"), key=lambda p: p[1][0])
    chosen = middle[len(middle) // 2 : len(middle) // 2 + LOAD_STRIDES]
    time = smooth.motion.time
    inside = (time >= chosen[0][1][0]) & (time <= chosen[-1][1][4])
    ground = measure_ground(
        forces, smooth.paths, subject.mass, GroundSettings(cutoff=stages.FAST_CUTOFF)
    ).reaction
    ground = replace(
        ground,
        **{
            n: getattr(ground, n)[inside]
            for n in ("time", "force", "point", "torque", "contact", "masked")
        },
    )
    motion = replace(
        smooth.motion, time=time[inside], q=np.ascontiguousarray(smooth.motion.q[inside])
    )
    loads = stages.loads_of_motion(
        fitted,
        stages.load_inputs(fitted, subject, settings),
        subject,
        motion,
        np.ascontiguousarray(smooth.qd[inside]),
        np.ascontiguousarray(smooth.qdd[inside]),
        ground,
        settings,
    )
    found: dict[str, list[float]] = {}
    for side, times in phases:
        part = (motion.time >= times[0]) & (motion.time <= times[4])
        if times[0] < motion.time[0] or times[4] > motion.time[-1]:
            continue
        s = SIDES.index(side)
        for name in PEAKS:
            values = getattr(loads.knee, name.split("_")[0])[part, s]
            found.setdefault(name, []).append(
                float(np.nanmax(values)) / (subject.mass * GRAVITY)
            )
    return {name: float(np.median(values)) for name, values in found.items()}


def _flat(time: Array, contact: Contact) -> int:
    return int(np.searchsorted(time, contact.initial_contact_s + FLAT * contact.duration_s))


def _read(time: Array, values: Array, at: Array) -> Array:
    return np.stack([np.interp(at, time, v) for v in values.T], axis=1)
