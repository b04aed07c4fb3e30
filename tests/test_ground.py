"""Laws of the measured ground reaction, on a walk whose every force is known.

The walk: the left foot stands behind the plates until 0.35 s, the right stands on the
first plate from 0.20 to 0.90 s, the left on the second from 0.75 to 1.45 s, the right on
the third from 1.30 s on. Both feet share the body weight in double support.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from kneestride.capture.trial import Forces
from kneestride.errors import CaptureError, SettingsError
from kneestride.loads.ground import GroundSettings, measure_ground, measured_ground_reaction
from kneestride.loads.ground_feet import distance_to_outline, share_over_plate
from kneestride.loads.ground_lag import estimate_lag
from kneestride.loads.ground_plates import (
    centre_of_pressure,
    empty_plate_offsets,
    hold_nearest,
    plate_contacts,
)
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY

MASS = 70.0
WEIGHT = MASS * GRAVITY
DOUBLE = 0.15
STEP = 0.7
STANCES = {  # side, start, end, place of the ankle along X
    "l0": ("l", -0.35, 0.35, 0.0),
    "r1": ("r", 0.20, 0.90, STEP),
    "l2": ("l", 0.75, 1.45, 2 * STEP),
    "r3": ("r", 1.30, 2.60, 3 * STEP),
    "l4": ("l", 2.45, 3.00, 4 * STEP),
}
WIDE = {"r": 0.09, "l": -0.09}
RAW = GroundSettings(cutoff=None)


def smooth(t: np.ndarray, a: float, b: float) -> np.ndarray:
    u = np.clip((t - a) / (b - a), 0, 1)
    return u * u * (3 - 2 * u)


def share(t: np.ndarray, start: float, end: float) -> np.ndarray:
    return smooth(t, start, start + DOUBLE) - smooth(t, end - DOUBLE, end)


@dataclass
class Walk:
    forces: Forces
    paths: AnatomicalPaths
    wrench: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def stance_wrench(name: str, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True force, centre of pressure and free moment of a stance."""
    side, start, end, x = STANCES[name]
    load = WEIGHT * share(t, start, end)
    roll = np.clip((t - start) / (end - start), 0, 1)
    force = np.stack(
        (-0.15 * load * np.cos(np.pi * roll), load, 0.05 * load * np.sign(WIDE[side])), -1
    )
    point = np.stack(
        (x - 0.03 + 0.17 * roll, np.zeros_like(t), np.full_like(t, WIDE[side])), -1
    )
    torque = np.stack((0 * t, 0.004 * load, 0 * t), -1)
    return force, point, torque


def foot_place(side: str, t: np.ndarray) -> np.ndarray:
    """Ankle's ground point and lift (T, 3): still in stance, lifted between."""
    mine = [s for s in STANCES.values() if s[0] == side]
    if side == "r":
        mine.insert(0, ("r", -1.0, -0.20, -STEP))
    x, y = np.full_like(t, mine[0][3]), np.zeros_like(t)
    for (_, _, off, here), (_, on, _, there) in pairwise(mine):
        u = smooth(t, off, on)
        x = np.where(t > off, here + (there - here) * u, x)
        y = np.where((t > off) & (t < on), 0.15 * np.sin(np.pi * u) ** 2, y)
    return np.stack((x, y, np.full_like(t, WIDE[side])), -1)


def corners(x: float, z: float, half: float = 0.3, half_z: float = 0.09) -> np.ndarray:
    return np.array(
        [[x + a * half, 0.0, z + b * half_z] for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    )


def walk(plates: str = "each", belt: float = 0.0) -> Walk:
    """A walk over a plate for each stance ('each') or one long plate ('one')."""
    t, s = np.arange(220) / 100.0, np.arange(2200) / 1000.0
    points = {}
    for side in "rl":
        ankle = foot_place(side, t)
        medial = -np.sign(WIDE[side])
        for name, dx, dz in (
            ("heel", -0.05, 0.0),
            ("heel_bottom", -0.04, 0.0),
            ("metatarsal_1", 0.13, 0.04 * medial),
            ("metatarsal_5", 0.11, -0.05 * medial),
            ("toe", 0.19, 0.0),
        ):
            points[f"{name}_{side}"] = ankle + np.array([dx, 0.03, dz])
    for name, dx, dz in (("asis", 0.1, 0.12), ("psis", -0.1, 0.05)):
        for side, sign in (("r", 1), ("l", -1)):
            points[f"{name}_{side}"] = np.stack(
                (0.2 + 1.27 * t + dx, np.full_like(t, 1.0), np.full_like(t, sign * dz)), -1
            )
    names = ["r1", "l2", "r3"]
    wrenches = {n: stance_wrench(n, s) for n in names}
    force = np.stack([wrenches[n][0] for n in names], 1)
    point = np.stack([wrenches[n][1] for n in names], 1)
    torque = np.stack([wrenches[n][2] for n in names], 1)
    shape = np.stack([corners(STANCES[n][3] + 0.05, WIDE[STANCES[n][0]]) for n in names])
    point[..., 0] -= belt * s[:, None]
    for p in points.values():
        p[:, 0] -= belt * t
    moment = np.cross(point, force) + torque
    if plates == "one":
        force, moment = force.sum(1, keepdims=True), moment.sum(1, keepdims=True)
        point = centre_of_pressure(force, moment, 0.0)
        torque = moment - np.cross(np.nan_to_num(point), force)
        shape = corners(1.0, 0.0, 3.0, 0.6)[None]
        names = ["belt"]
    forces = Forces(
        names=tuple(names),
        time=s,
        rate=1000.0,
        force=force,
        point=point,
        torque=torque,
        corners=shape
        if belt == 0.0
        else corners(1.0, 0.0, 5.0, 0.6)[None].repeat(len(names), 0),
        moment_at_origin=moment,
    )
    forward = np.array([1.0, 0.0, 0.0])
    paths = AnatomicalPaths(t, 100.0, points, {}, {}, forward, -belt * forward)
    return Walk(forces, paths, wrenches)


def turned(w: Walk, rotation: np.ndarray, shift: np.ndarray) -> Walk:
    """The same walk in a laboratory turned about the vertical and moved."""
    f, p = w.forces, w.paths
    force = f.force @ rotation.T
    forces = replace(
        f,
        force=force,
        point=f.point @ rotation.T + shift,
        torque=f.torque @ rotation.T,
        corners=f.corners @ rotation.T + shift,
        moment_at_origin=f.moment_at_origin @ rotation.T + np.cross(shift, force),
    )
    paths = replace(
        p,
        points={k: v @ rotation.T + shift for k, v in p.points.items()},
        progression=rotation @ p.progression,
        belt_velocity=rotation @ p.belt_velocity,
    )
    return Walk(forces, paths, w.wrench)


def yaw(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


# --- who stands where -----------------------------------------------------------------


@pytest.mark.parametrize("belt", [0.0, 1.3])
def test_each_loading_goes_to_the_foot_that_stands_there(belt: float) -> None:
    w = walk(belt=belt)
    found = measure_ground(w.forces, w.paths, MASS, RAW)
    assert [c.side for c in found.contacts] == ["r", "l", "r"]
    assert [c.complete for c in found.contacts] == [True, True, False]
    t = w.paths.time
    for name, s in (("r1", 0), ("l2", 1)):
        force, point, torque = stance_wrench(name, t)
        point[:, 0] -= belt * t
        full = force[:, 1] > 60
        assert found.reaction.force[full, s] == pytest.approx(force[full], abs=1e-6)
        assert found.reaction.point[full, s] == pytest.approx(point[full], abs=1e-8)
        assert found.reaction.torque[full, s] == pytest.approx(torque[full], abs=1e-6)


def test_contact_edges_are_the_threshold_crossings() -> None:
    w = walk()
    first = measure_ground(w.forces, w.paths, MASS, RAW).contacts[0]
    load = WEIGHT * share(np.array([first.start, first.end]), 0.20, 0.90)
    assert load == pytest.approx([20.0, 20.0], abs=0.5)


def test_labels_are_only_hypotheses() -> None:
    w = walk()
    wrong = replace(w.forces, feet=("l", "r", "r"))
    found = measure_ground(wrong, w.paths, MASS, RAW)
    assert [c.side for c in found.contacts] == ["r", "l", "r"]
    assert sum("the movement was believed" in n for n in found.reaction.notes) == 2


def test_labels_decide_when_no_foot_is_seen() -> None:
    w = walk()
    blind = {k: v for k, v in w.paths.points.items() if k.startswith(("asis", "psis"))}
    labelled = replace(w.forces, feet=("r", "l", "r"))
    found = measure_ground(labelled, replace(w.paths, points=blind), MASS, RAW)
    assert [c.side for c in found.contacts] == ["r", "l", "r"]
    lost = measure_ground(w.forces, replace(w.paths, points=blind), MASS, RAW)
    assert not lost.contacts
    assert any("could be given to no foot" in n for n in lost.reaction.notes)


def test_one_foot_on_two_plates_is_summed() -> None:
    """Splitting a plate under the foot changes nothing: forces add, moments add."""
    w = walk()
    whole = measured_ground_reaction(w.forces, w.paths, MASS, RAW)
    f = w.forces
    left = 0.4
    split = replace(
        f,
        names=("r1a", "r1b", "l2", "r3"),
        force=np.concatenate(
            (left * f.force[:, :1], (1 - left) * f.force[:, :1], f.force[:, 1:]), 1
        ),
        point=np.concatenate((f.point[:, :1], f.point), 1),
        torque=np.concatenate((f.torque[:, :1], f.torque), 1),
        moment_at_origin=np.concatenate(
            (
                left * f.moment_at_origin[:, :1],
                (1 - left) * f.moment_at_origin[:, :1],
                f.moment_at_origin[:, 1:],
            ),
            1,
        ),
        corners=None,
    )
    summed = measured_ground_reaction(split, w.paths, MASS, RAW)
    full = whole.force[:, 0, 1] > 150  # both parts above their threshold
    assert summed.force[full] == pytest.approx(whole.force[full], abs=1e-9)
    assert summed.point[full] == pytest.approx(whole.point[full], abs=1e-9)
    assert summed.torque[full] == pytest.approx(whole.torque[full], abs=1e-9)


# --- what is masked -------------------------------------------------------------------


def test_both_feet_on_one_plate_are_masked_and_single_support_is_not() -> None:
    w = walk("one", belt=1.3)
    found = measure_ground(w.forces, w.paths, MASS, RAW)
    masked, t = found.reaction.masked, w.paths.time
    for start, end in ((0.75, 0.90), (1.30, 1.45)):
        inside = (t > start) & (t < end)
        assert masked[inside].all()
    single = ((t > 0.45) & (t < 0.68)) | ((t > 0.97) & (t < 1.23)) | (t > 1.58)
    assert not masked[single].any()
    assert found.reaction.force[single].sum(1)[:, 1] == pytest.approx(WEIGHT)
    assert (found.reaction.force[(t > 0.45) & (t < 0.68), 1] == 0).all()
    assert (found.reaction.force[(t > 0.97) & (t < 1.23), 0] == 0).all()
    assert any("both feet on one plate" in n for n in found.reaction.notes)


def test_other_foot_stepping_on_the_plate_is_seen_in_the_centre_of_pressure() -> None:
    """Right alone on plate 1, except that the left's landing falls on it too: no corners."""
    w = walk()
    f = w.forces
    both = replace(
        f,
        names=("plate",),
        force=f.force[:, :2].sum(1, keepdims=True) * (f.time < 0.9)[:, None, None],
        moment_at_origin=f.moment_at_origin[:, :2].sum(1, keepdims=True)
        * (f.time < 0.9)[:, None, None],
        point=f.point[:, :1],
        torque=f.torque[:, :1],
        corners=None,
    )
    found = measure_ground(both, w.paths, MASS, RAW)
    t = w.paths.time
    assert [c.side for c in found.contacts] == ["r"]
    assert found.reaction.masked[(t > 0.76) & (t < 0.9)].all()
    assert not found.reaction.masked[(t > 0.40) & (t < 0.70), 0].any()


def test_a_foot_on_an_unmeasured_floor_is_masked() -> None:
    w = walk()
    reaction = measured_ground_reaction(w.forces, w.paths, MASS, RAW)
    t = w.paths.time
    assert reaction.masked[(t < 0.34), 1].all()
    assert not reaction.masked[(t > 0.42), 1].any()
    assert not reaction.masked[:, 0].any()


def test_frames_without_forces_are_masked() -> None:
    w = walk()
    short = replace(
        w.forces,
        time=w.forces.time[:1200],
        force=w.forces.force[:1200],
        point=w.forces.point[:1200],
        torque=w.forces.torque[:1200],
        moment_at_origin=w.forces.moment_at_origin[:1200],
    )
    reaction = measured_ground_reaction(short, w.paths, MASS, RAW)
    assert reaction.masked[120:].all()
    assert np.isfinite(reaction.force).all()


@pytest.mark.parametrize(("shift", "is_masked"), [(0.0, False), (0.045, False), (0.12, True)])
def test_a_lone_foot_is_masked_only_when_the_pressure_is_far_away(
    shift: float, is_masked: bool
) -> None:
    w = walk()
    moved = replace(
        w.forces,
        moment_at_origin=w.forces.moment_at_origin
        + np.cross([0.0, 0.0, shift], w.forces.force),
        corners=None,
    )
    found = measure_ground(moved, w.paths, MASS, RAW)
    alone = (w.paths.time > 0.4) & (w.paths.time < 0.7)
    assert found.reaction.masked[alone, 0].all() == is_masked
    assert (found.figures["cop_outside_share_r"] > 0.2) == (shift > 0.03)


# --- laws -----------------------------------------------------------------------------


def test_turning_the_laboratory_changes_nothing() -> None:
    w, turn = walk(), yaw(0.7)
    here = measured_ground_reaction(w.forces, w.paths, MASS)
    there_walk = turned(w, turn, np.zeros(3))
    there = measured_ground_reaction(there_walk.forces, there_walk.paths, MASS)
    assert there.force == pytest.approx(here.force @ turn.T, abs=1e-6)
    assert there.point == pytest.approx(here.point @ turn.T, abs=1e-8)
    assert there.torque == pytest.approx(here.torque @ turn.T, abs=1e-6)
    assert (there.masked == here.masked).all()


def test_moving_the_origin_moves_the_points_only() -> None:
    w, shift = walk(), np.array([3.0, 0.4, -2.0])
    here = measured_ground_reaction(w.forces, w.paths, MASS)
    there_walk = turned(w, np.eye(3), shift)
    there = measured_ground_reaction(there_walk.forces, there_walk.paths, MASS)
    assert there.force == pytest.approx(here.force, abs=1e-9)
    assert there.torque == pytest.approx(here.torque, abs=1e-8)
    assert there.point == pytest.approx(here.point + shift, abs=1e-9)
    assert (there.masked == here.masked).all()


def test_feet_together_carry_what_the_plates_carry() -> None:
    """Force and moment about the origin, wherever every contact is fully on."""
    w = walk()
    got = measured_ground_reaction(w.forces, w.paths, MASS, RAW)
    force = w.forces.force[::10]
    each = (force[:, :, 1] > 50) | (force[:, :, 1] < 1e-9)
    clear = each.all(axis=1) & ~got.masked.any(axis=1)
    assert clear.sum() > 90
    assert got.force[clear].sum(1) == pytest.approx(force[clear].sum(1), abs=1e-9)
    moment = (np.cross(got.point, got.force) + got.torque).sum(1)
    assert moment[clear] == pytest.approx(
        w.forces.moment_at_origin[::10][clear].sum(1), abs=1e-8
    )


def test_twice_the_load_is_twice_the_reaction_at_the_same_points() -> None:
    w = walk()
    twice = replace(
        w.forces,
        force=2 * w.forces.force,
        moment_at_origin=2 * w.forces.moment_at_origin,
    )
    settings = GroundSettings(
        contact_lower=40.0, contact_upper=100.0, centre_of_pressure_above=100.0
    )
    one = measured_ground_reaction(w.forces, w.paths, MASS)
    two = measured_ground_reaction(twice, w.paths, 2 * MASS, settings)
    assert two.force == pytest.approx(2 * one.force, abs=1e-9)
    assert two.torque == pytest.approx(2 * one.torque, abs=1e-9)
    assert two.point == pytest.approx(one.point, abs=1e-9)


def test_mirror_image_swaps_the_feet() -> None:
    w, flip = walk(), np.array([1.0, 1.0, -1.0])
    f, p = w.forces, w.paths
    other = {"r": "l", "l": "r"}
    mirrored = replace(
        f,
        force=f.force * flip,
        point=f.point * flip,
        corners=f.corners * flip,
        moment_at_origin=-f.moment_at_origin * flip,
        torque=-f.torque * flip,
    )
    points = {f"{k[:-1]}{other[k[-1]]}": v * flip for k, v in p.points.items()}
    a = measured_ground_reaction(f, p, MASS)
    b = measured_ground_reaction(mirrored, replace(p, points=points), MASS)
    assert b.force[:, ::-1] == pytest.approx(a.force * flip, abs=1e-9)
    assert b.point[:, ::-1] == pytest.approx(a.point * flip, abs=1e-9)
    assert b.torque[:, ::-1] == pytest.approx(-a.torque * flip, abs=1e-9)


def test_points_alone_serve_as_well_as_moments() -> None:
    w = walk()
    a = measured_ground_reaction(w.forces, w.paths, MASS, RAW)
    b = measured_ground_reaction(replace(w.forces, moment_at_origin=None), w.paths, MASS, RAW)
    assert b.point == pytest.approx(a.point, abs=1e-9)
    assert b.torque == pytest.approx(a.torque, abs=1e-9)


def test_out_of_contact_there_is_no_force_and_a_finite_point_at_the_foot() -> None:
    w = walk()
    got = measured_ground_reaction(w.forces, w.paths, MASS)
    assert (got.force[~got.contact] == 0).all()
    assert (got.torque[~got.contact] == 0).all()
    assert np.isfinite(got.point).all()
    for s, side in enumerate("rl"):
        heel = w.paths.points[f"heel_{side}"]
        assert np.abs((got.point[:, s] - heel)[:, 0]).max() < 0.3


# --- the plate by itself --------------------------------------------------------------


def test_offset_of_an_empty_plate_is_removed_and_said() -> None:
    w = walk()
    offset = np.array([9.0, -12.0, 21.0])
    lever = np.array([1.0, 0.5, -2.0])
    biased = replace(
        w.forces,
        force=w.forces.force + offset,
        moment_at_origin=w.forces.moment_at_origin + lever,
    )
    clean = measured_ground_reaction(w.forces, w.paths, MASS)
    got = measured_ground_reaction(biased, w.paths, MASS)
    assert got.force == pytest.approx(clean.force, abs=0.5)
    assert sum("an offset of 9.0, -12.0, 21.0 N" in n for n in got.notes) == 3


def test_a_plate_that_is_never_empty_keeps_its_reading() -> None:
    wrench = np.full((400, 1, 6), 300.0)
    assert np.isnan(empty_plate_offsets(wrench, 100.0, MASS)).all()


def test_contacts_by_hysteresis_known_answer() -> None:
    """Triangle to 100 N: above 20 N from 0.2 to 1.8 s; a 40 N bump is no contact."""
    t = np.arange(0, 4.0, 0.01)
    force = np.interp(t, [0, 1, 2, 2.5, 3, 3.5], [0, 100, 0, 0, 40, 0])
    (c,) = plate_contacts(0, t, force, (20.0, 50.0), 0.03)
    assert (c.start, c.full_start, c.full_end, c.end) == pytest.approx((0.2, 0.5, 1.5, 1.8))
    assert not c.cut_start
    assert not c.cut_end


def test_centre_of_pressure_known_answer() -> None:
    force, at = np.array([30.0, 800.0, -20.0]), np.array([1.2, 0.05, -0.3])
    moment = np.cross(at, force) + np.array([0.0, 4.0, 0.0])
    assert centre_of_pressure(force, moment, 0.05) == pytest.approx(at)


def test_hold_nearest_takes_the_nearer_side() -> None:
    x = np.array([np.nan, 1.0, np.nan, np.nan, np.nan, 5.0, np.nan])[:, None]
    assert hold_nearest(x)[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0]


# --- the foot by itself ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "z", "distance"),
    [(0.5, 0.5, 0.0), (2.0, 0.5, 1.0), (2.0, 2.0, np.sqrt(2)), (0.5, -0.25, 0.25)],
)
def test_distance_from_a_unit_square(x: float, z: float, distance: float) -> None:
    """Order of the corners does not matter; height does not either."""
    square = np.array([[0, 0, 0], [1, 5, 1], [1, 0, 0], [0, 2, 1]], dtype=float)[None]
    point = np.array([[x, 7.0, z]])
    assert distance_to_outline(point, square) == pytest.approx([distance])


def test_distance_from_one_or_two_known_points() -> None:
    outline = np.full((1, 5, 3), np.nan)
    outline[0, 1] = 0.0
    assert distance_to_outline(np.array([[3.0, 0, 4.0]]), outline) == pytest.approx([5.0])
    outline[0, 3] = [1.0, 0, 0]
    assert distance_to_outline(np.array([[0.5, 0, 2.0]]), outline) == pytest.approx([2.0])
    assert np.isnan(distance_to_outline(np.full((1, 3), np.nan), outline)).all()


def test_share_over_plate_counts_known_points() -> None:
    outline = np.array([[[0, 0, 0], [9, 0, 0], [0.1, 0, 0.1], [np.nan] * 3]])
    assert share_over_plate(outline, corners(0, 0, 1, 1)) == pytest.approx([2 / 3])


# --- clock ----------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [-0.013, 0.0, 0.008, 0.021])
def test_lag_of_the_forces_is_found(lag: float) -> None:
    t, s = np.arange(300) / 100.0, np.arange(3000) / 1000.0
    w = 2 * np.pi * 2.7
    height = 1.0 + 0.03 * np.cos(w * t) + 0.004 * np.cos(2 * w * t + 0.4)
    late = s - lag
    first, second = 0.03 * w**2 * np.cos(w * late), 0.016 * w**2 * np.cos(2 * w * late + 0.4)
    vertical = MASS * (GRAVITY - first - second)
    force = np.zeros((3000, 1, 3))
    force[:, 0, 1] = vertical
    forces = Forces(("p",), s, 1000.0, force, np.zeros_like(force), np.zeros_like(force))
    centre = np.stack((0 * t, height, 0 * t), -1)
    paths = AnatomicalPaths(
        t, 100.0, {"center_of_mass": centre}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )
    found = estimate_lag(forces, paths, MASS)
    assert found.seconds == pytest.approx(lag, abs=1e-3)
    assert found.correlation > 0.99


def test_a_still_body_shows_no_lag() -> None:
    w = walk()
    found = estimate_lag(w.forces, w.paths, MASS)
    assert np.isnan(found.seconds)
    assert "lag" in found.sentence


# --- bad input ------------------------------------------------------------------------


def test_forces_of_another_time_are_refused() -> None:
    w = walk()
    with pytest.raises(CaptureError, match="forces and markers on one clock"):
        measured_ground_reaction(
            replace(w.forces, time=w.forces.time + 100.0), w.paths, MASS, RAW
        )


def test_forces_that_pull_down_are_refused() -> None:
    w = walk()
    with pytest.raises(CaptureError, match="upwards in contact"):
        measured_ground_reaction(replace(w.forces, force=-w.forces.force), w.paths, MASS, RAW)


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(SettingsError, match="0 < lower <= upper"):
        GroundSettings(contact_lower=60.0)
