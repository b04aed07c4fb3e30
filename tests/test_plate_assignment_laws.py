"""Whose foot a plate carries, and which frames are masked: known answers, frame by frame.

A foot is here one point on the floor, so that its distance from the centre of pressure is
Pythagoras; plates are loaded at once, so that every limit falls on a frame.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kneestride.loads.ground_assignment import (
    Masks,
    PlateLoads,
    _costs,
    _double_support_in_shared_loadings,
    _jumps,
    _longest,
    _majority,
    _missing_load,
    _over_same_plate,
    _slice,
    _widen,
    assign_feet,
    body_centre,
    find_masks,
)
from kneestride.loads.ground_feet import Feet
from kneestride.loads.ground_plates import PlateContact, PlateSignals
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY, Array, BoolArray

RATE = 100.0
MASS = 60.0
WEIGHT = MASS * GRAVITY
AWAY = np.array([-9.0, 0.0, 9.0])
PRESSURE = np.array([0.3, 0.0, 0.2])


def clock(frames: int) -> Array:
    return 2.0 + np.arange(frames) / RATE


def loading(plate: int, first: int, stop: int) -> PlateContact:
    """Full load from frame `first` to the one before `stop`."""
    start, end = 2.0 + first / RATE, 2.0 + (stop - 1) / RATE
    return PlateContact(plate, start, start, end, end, False, False)


def pressed(vertical: Array, *contacts: PlateContact, plates: int = 1) -> PlateSignals:
    """Plates at a height of 0.1 m whose pressure is at `PRESSURE`; sideways forces too."""
    frames = len(vertical)
    force = np.zeros((frames, plates, 3))
    force[..., 0], force[..., 1], force[..., 2] = 70.0, vertical[:, None], -30.0
    moment = np.cross(PRESSURE + np.array([0.0, 0.1, 0.0]), force)
    return PlateSignals(
        clock(frames), force, moment, np.full(plates, 0.1), None, contacts,
        np.zeros((plates, 6)),
    )  # fmt: skip


def on_points(right: Array, left: Array) -> Feet:
    """Feet of one point each, (T, 3): still, at their standing height, seen."""
    centre = np.stack([right, left], axis=1)
    frames = len(centre)
    no, yes = np.zeros((frames, 2), bool), np.ones((frames, 2), bool)
    return Feet(
        centre[:, :, None], centre, np.zeros((frames, 2)), np.zeros((frames, 2)),
        no, yes, yes.copy(),
    )  # fmt: skip


def turns(nearer: BoolArray) -> Feet:
    """The left foot is under the pressure where `nearer`, else the right; 0.1 m beside it."""
    far, at = PRESSURE + np.array([0.1, 0.0, 0.0]), np.tile(PRESSURE, (len(nearer), 1))
    return on_points(np.where(nearer[:, None], far, at), np.where(nearer[:, None], at, far))


# --- whose foot -----------------------------------------------------------------------


def test_a_foots_cost_is_its_way_from_the_pressure_across_up_and_in_speed() -> None:
    plates = pressed(np.full(4, 800.0))
    feet = on_points(
        np.tile(PRESSURE + np.array([0.03, 0.0, 0.04]), (4, 1)),
        np.tile(PRESSURE + np.array([0.0, 0.0, 0.6]), (4, 1)),
    )
    feet.lift[:] = [0.12, -0.7]
    feet.speed[:] = [1.68, 16.0]  # 84 mm and 0.8 m
    feet.seen[2, 0], feet.speed[3, 1] = False, np.nan
    here = np.array([1, 2, 3])
    found = _costs(plates.force[here, 0], plates.moment[here, 0], 0.1, feet, here)
    mine = np.sqrt(0.05**2 + 0.12**2 + 0.084**2)
    np.testing.assert_allclose(found, [[mine, 1.0], [np.inf, 1.0], [mine, np.inf]])


def test_each_loading_of_each_plate_is_decided_by_itself() -> None:
    frames = 60
    contacts = (
        loading(0, 70, 80), loading(1, 2, 12), loading(1, 14, 20), loading(0, 22, 40),
        loading(1, 45, 59),
    )  # fmt: skip
    plates = pressed(np.full(frames, 700.0), *contacts, plates=2)
    feet = turns(np.arange(frames) >= 42)
    found = assign_feet(plates, feet, (None, None), 50.0, {1: "l", 2: ""})
    # The first is over before the markers begin; of the next two a person said whose.
    assert found.owners == ("", "l", "", "r", "l") and found.contradicted == ()
    expected = np.zeros((frames, 2, 2))
    expected[2:12, 1, 1] = expected[22:40, 0, 0] = expected[45:59, 1, 1] = 1.0
    np.testing.assert_array_equal(found.weight, expected)


@pytest.mark.parametrize("given", [None, {0: "l"}])
def test_the_weight_of_a_foot_is_the_loadings_fade(given: Any) -> None:
    contact = PlateContact(0, 2.02, 2.06, 2.14, 2.22, False, False)
    plates = pressed(np.full(40, 700.0), contact)
    found = assign_feet(plates, turns(np.ones(40, bool)), (None,), 50.0, given)
    assert found.owners == ("l",) and not found.weight[:, 0, 0].any()
    np.testing.assert_array_equal(found.weight[:, 0, 1], plates.fade(contact))
    # A quarter and a half of the way up, half of the way down.
    assert found.weight[[3, 4, 10, 18], 0, 1] == pytest.approx([0.15625, 0.5, 1.0, 0.5])


def test_where_no_foot_is_seen_the_label_is_believed() -> None:
    contacts = (loading(0, 0, 10), loading(1, 12, 20), loading(2, 25, 35))
    plates = pressed(np.full(40, 700.0), *contacts, plates=3)
    feet = turns(np.zeros(40, bool))
    blind = replace(feet, seen=feet.seen & (np.arange(40) >= 22)[:, None])
    found = assign_feet(plates, blind, (None, "l", "l"), 50.0)
    # The third was seen: right, whatever its label says.
    assert found.owners == ("", "l", "r") and found.contradicted == (2,)
    expected = np.zeros((40, 3, 2))
    expected[12:20, 1, 1] = expected[25:35, 2, 0] = 1.0
    np.testing.assert_array_equal(found.weight, expected)


def test_a_loading_of_a_single_frame_has_a_foot() -> None:
    plates = pressed(np.full(20, 700.0), loading(0, 7, 8))
    found = assign_feet(plates, turns(np.ones(20, bool)), ("r",), 50.0)
    assert found.owners == ("l",) and found.contradicted == (0,)
    assert found.weight.sum() == found.weight[7, 0, 1] == 1.0


def test_labels_that_agree_or_are_missing_are_not_contradicted() -> None:
    contacts = (loading(0, 0, 10), loading(1, 12, 20), loading(2, 25, 35))
    plates = pressed(np.full(40, 700.0), *contacts, plates=3)
    found = assign_feet(plates, turns(np.zeros(40, bool)), ("r", None, "l"), 50.0)
    assert found.owners == ("r", "r", "r") and found.contradicted == (2,)


def test_a_foot_seen_alone_is_believed_over_one_unseen() -> None:
    plates = pressed(np.full(40, 700.0), loading(0, 5, 35))
    feet = on_points(
        np.tile(PRESSURE + np.array([3.0, 0.0, 0.0]), (40, 1)), np.tile(PRESSURE, (40, 1))
    )
    feet.seen[:, 1] = False
    assert assign_feet(plates, feet, (None,), 50.0).owners == ("r",)


@pytest.mark.parametrize(
    ("left", "frames", "owners"),
    # Both above 80 ms, which are 9 frames, and above 15 % of the impulse: turns.
    [(15, 100, "r"), (16, 100, "rl"), (86, 100, "l"), (84, 100, "rl"), (8, 40, "r"),
     (9, 40, "rl"), (31, 40, "rl"), (32, 40, "l")],
)  # fmt: skip
def test_two_feet_take_turns_when_both_carry_long_and_much_enough(
    left: int, frames: int, owners: str
) -> None:
    plates = pressed(np.full(frames + 10, 700.0), loading(0, 5, 5 + frames))
    nearer = np.arange(frames + 10) - 5 >= frames - left
    found = assign_feet(plates, turns(nearer), ("r",), 50.0)
    assert found.owners == (owners,)
    assert found.contradicted == ((0,) if owners == "l" else ())
    here = slice(5, 5 + frames)
    mine = nearer[here] if owners == "rl" else np.full(frames, owners == "l")
    np.testing.assert_array_equal(found.weight[here, 0], np.column_stack([~mine, mine]))
    assert found.weight.sum() == frames


def test_load_decides_not_time() -> None:
    frames = np.arange(60)
    late = frames >= 52
    plates = pressed(np.where(late, 900.0, 60.0), loading(0, 0, 60))
    # Eight frames are too few for a turn of its own, but carry most.
    assert assign_feet(plates, turns(late), (None,), 50.0).owners == ("l",)
    light = pressed(np.where(frames >= 20, 100.0, 50.0), loading(0, 0, 60))
    # 50 N is not above 50 N: the first twenty frames have no say ...
    assert assign_feet(light, turns(frames < 20), (None,), 50.0).owners == ("r",)
    assert assign_feet(light, turns(frames < 20), (None,), 49.0).owners == ("rl",)
    # ... unless there is nothing else.
    assert assign_feet(light, turns(frames < 20), (None,), 100.0).owners == ("rl",)


def test_a_majority_of_mirrored_neighbours() -> None:
    rng = np.random.default_rng(3)
    for width in (1, 5, 9):
        mask = rng.random(40) < 0.5
        half = width // 2
        ends = np.concatenate([mask[:half][::-1], mask, mask[40 - half :][::-1]])
        expected = [ends[k : k + width].sum() > half for k in range(40)]
        np.testing.assert_array_equal(_majority(mask, width), expected)


def test_longest_of_runs() -> None:
    assert _longest(np.zeros(5, bool)) == 0
    assert _longest(np.array([1, 0, 1, 1, 1, 0, 1, 1], bool)) == 3


def test_a_run_is_widened_by_whole_frames_within_the_recording() -> None:
    assert _slice(10, 14, 0.04, 0.01, 50) == slice(6, 18)
    assert _slice(3, 48, 0.04, 0.01, 50) == slice(0, 50)
    assert _slice(10, 14, 0.026, 0.01, 50) == slice(7, 17)
    mask = np.zeros(40, bool)
    mask[[1, 20, 30]] = True
    assert np.flatnonzero(_widen(mask, 0.02, 0.01)).tolist() == [
        0, 1, 2, 3, 18, 19, 20, 21, 22, 28, 29, 30, 31, 32,
    ]  # fmt: skip
    assert mask.sum() == 3


# --- signs of a second foot -----------------------------------------------------------


@pytest.mark.parametrize(
    ("speed", "load", "found"),
    [(2.95, 0.9, False), (3.05, 0.9, True), (3.05, 0.31, True), (3.05, 0.29, False)],
)
def test_pressure_races_across_a_loaded_foot(speed: float, load: float, found: bool) -> None:
    time = np.arange(12) / RATE
    centre = np.outer(time, [5.0, 1.0, -2.0])
    point = centre + np.outer(time, [0.6 * speed, 7.0, -0.8 * speed])
    force = np.tile([-2 * WEIGHT, load * WEIGHT, 3 * WEIGHT], (12, 1))
    carried = np.arange(12) > 2
    told = _jumps(point, force, centre, carried, MASS, 1.0 / RATE)
    np.testing.assert_array_equal(told, carried & found)


def test_most_of_a_foot_is_over_the_plate_that_carries_the_other() -> None:
    corners = np.array(
        [[[x, 0.0, z] for x, z in ((a, 0), (a + 1, 0), (a + 1, 1), (a, 1))] for a in (0, 5)]
    )
    plates = replace(pressed(np.full(6, 700.0), plates=2), corners=corners)
    inside, outside = [0.5, 0.0, 0.5], [3.0, 0.0, 0.5]
    outline = np.full((6, 2, 4, 3), np.nan)
    outline[:, 0] = [5.5, 0.0, 0.5]
    outline[:, 1] = [inside, inside, inside, outside]
    outline[4, 1] = [inside, inside, outside, outside]  # only half of it
    feet = replace(on_points(np.zeros((6, 3)), np.zeros((6, 3))), outline=outline)
    weight = np.zeros((6, 2, 2))
    weight[1:, 0, 0], weight[0, 1, 0], weight[5, :, 0] = 0.1, 1.0, 0.0
    weight[2, 1, 1] = weight[3, 0, 1] = 1.0
    loads = PlateLoads(weight, (), ())
    assert np.flatnonzero(_over_same_plate(plates, loads, feet, 0, 1)).tolist() == [1, 2, 3]
    assert np.flatnonzero(_over_same_plate(plates, loads, feet, 1, 0)).tolist() == [2]
    unknown = replace(plates, corners=None)
    assert not _over_same_plate(unknown, loads, feet, 0, 1).any()


def test_both_feet_stand_during_a_loading_they_share() -> None:
    contacts = (loading(0, 0, 10), loading(0, 20, 40), loading(0, 45, 60))
    plates = pressed(np.full(60, 700.0), *contacts)
    feet = on_points(np.zeros((60, 3)), np.zeros((60, 3)))
    feet.standing[:] = True
    feet.standing[26:38, 0] = False
    feet.low[:] = True
    feet.low[44:60, 1] = False
    loads = PlateLoads(np.zeros((60, 1, 2)), ("r", "rl", "rl"), ())
    told = _double_support_in_shared_loadings(plates, loads, feet, 0.01)
    # Four frames about both standing: 20 to 29 and 34 to 39; 45 to 47.
    expected = [*range(20, 30), *range(34, 40), 45, 46, 47]
    assert np.flatnonzero(told).tolist() == expected


def trunk(
    height: Array, rate: float = RATE, more: dict[str, Array] | None = None
) -> AnatomicalPaths:
    time = np.arange(len(height)) / rate
    centre = np.column_stack([time**2, height, -3.0 * time**2])
    return AnatomicalPaths(
        time, rate, {"center_of_mass": centre, **(more or {})}, {}, {}, np.array([1.0, 0, 0]),
        np.zeros(3),
    )  # fmt: skip


def two_forces(right: Array, left: Array) -> Array:
    force = np.zeros((len(right), 2, 3))
    force[:, 0, 1], force[:, 1, 1], force[..., 0], force[..., 2] = right, left, 90.0, -400.0
    return force


def test_missing_load_is_what_the_trunks_acceleration_asks_beyond_the_plates() -> None:
    flat = np.full(300, WEIGHT)
    rising = 1.0 + 0.5 * 2.5 * (np.arange(300) / RATE) ** 2
    found = _missing_load(two_forces(0.3 * flat, 0.1 * flat), trunk(rising), MASS)
    np.testing.assert_allclose(found[60:240], 1.0 + 2.5 / GRAVITY - 0.4, atol=1e-4)
    nowhere = replace(trunk(rising), points={})
    assert not _missing_load(two_forces(flat, flat), nowhere, MASS).any()


@pytest.mark.parametrize(("rate", "cutoff"), [(100.0, 6.0), (14.0, 5.6)])
def test_missing_load_is_smoothed_at_6_hz_or_four_tenths_of_the_rate(
    rate: float, cutoff: float
) -> None:
    time = np.arange(int(12 * rate)) / rate
    wave = 1.0 + 0.2 * np.cos(2 * np.pi * cutoff * time)
    force = two_forces(0.5 * WEIGHT * wave, 0.5 * WEIGHT * wave)
    found = _missing_load(force, trunk(0.0 * time + 1.0, rate), MASS)
    middle = slice(int(3 * rate), int(9 * rate))
    expected = -0.2 / np.sqrt(2.0) * np.cos(2 * np.pi * cutoff * time)
    np.testing.assert_allclose(found[middle], expected[middle], atol=1e-4)


def test_the_bodys_centre_is_the_mass_or_the_middle_of_four_points() -> None:
    points = {
        f"{n}_{s}": np.full((5, 3), x)
        for n, s, x in (("asis", "r", 1.0), ("asis", "l", 2.0), ("psis", "r", 4.0),
                        ("psis", "l", 9.0))
    }  # fmt: skip
    whole = trunk(np.ones(5), more=points)
    assert body_centre(whole) is whole.points["center_of_mass"]
    np.testing.assert_array_equal(
        body_centre(replace(whole, points=points)), np.full((5, 3), 4)
    )
    points.pop("asis_l")
    assert body_centre(replace(whole, points=points)) is None


# --- masks ----------------------------------------------------------------------------

FRAMES = 120


class Scene:
    """The right foot is on plate 0 in frames 20 to 79; the left is far off. Change at will."""

    def __init__(self, swapped: bool = False) -> None:
        self.swapped = swapped
        still = np.tile(PRESSURE, (FRAMES, 1))
        self.feet = on_points(still, still + np.array([1.0, 0.0, 0.0]))
        self.feet.low[:] = False
        self.weight = np.zeros((FRAMES, 2, 2))
        self.weight[20:80, 0, 0] = 0.5
        self.owners = ("r",)
        self.plates = pressed(np.full(FRAMES, 700.0), loading(0, 20, 80), plates=2)
        self.force = two_forces(np.full(FRAMES, WEIGHT), np.zeros(FRAMES))
        self.point = np.tile(self.feet.centre, 1)
        self.distance = np.zeros((FRAMES, 2))
        self.distance[:, 1] = np.nan
        self.tolerance = np.tile([0.02, 0.01], (FRAMES, 1))
        self.height = np.ones(FRAMES)
        self.centre = False

    def stand(self, side: int, first: int, stop: int, low: bool = True) -> None:
        self.feet.standing[first:stop, side] = True
        self.feet.low[first:stop, side] = low

    def masks(self) -> Masks:
        """What is found, sides named as in the unswapped scene."""
        way = slice(None, None, -1) if self.swapped else slice(None)
        feet = Feet(**{name: value[:, way] for name, value in vars(self.feet).items()})
        owner = {"r": "l", "rl": "rl"} if self.swapped else {"r": "r", "rl": "rl"}
        loads = PlateLoads(self.weight[..., way], tuple(owner[o] for o in self.owners), ())
        paths = trunk(self.height)
        found = find_masks(
            self.plates, loads, self.force[:, way], self.point[:, way],
            self.distance[:, way], feet,
            paths if self.centre else replace(paths, points={}), MASS,
            self.tolerance[:, way],
        )  # fmt: skip
        return Masks(**{name: value[:, way] for name, value in vars(found).items()})


def frames(mask: BoolArray) -> list[int]:
    return [int(k) for k in np.flatnonzero(mask)]


both_ways = pytest.mark.parametrize("swapped", [False, True])


@both_ways
def test_a_foot_on_its_plate_is_not_masked(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.stand(0, 16, 84)
    assert not scene.masks().any.any()


@both_ways
def test_a_missing_reading_of_any_plate_masks_both_feet(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.plates.force[30, 1, 2] = scene.plates.force[90, 0, 0] = np.nan
    found = scene.masks()
    assert frames(found.unrecorded[:, 0]) == frames(found.unrecorded[:, 1]) == [30, 90]
    np.testing.assert_array_equal(found.any, found.unrecorded)


@both_ways
def test_pressure_30_mm_beyond_the_tolerance_masks_a_foot_alone(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.distance[40:43, 0] = 0.021, 0.049, 0.051
    scene.distance[50:53, 1] = 0.011, 0.039, 0.041
    found = scene.masks()
    assert (frames(found.outside[:, 0]), frames(found.outside[:, 1])) == ([42], [52])
    np.testing.assert_array_equal(found.any, found.outside)


@both_ways
def test_a_foot_that_stands_40_ms_from_its_plate_is_unmeasured(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.stand(0, 0, FRAMES)
    found = scene.masks()
    # All that is not on the plate, as the standing goes on beyond the 40 ms about it.
    assert frames(found.unmeasured[:, 0]) == [*range(20), *range(80, FRAMES)]
    assert not found.unmeasured[:, 1].any() and not found.two_feet.any()


@both_ways
@pytest.mark.parametrize(
    ("length", "low", "seen"), [(5, True, 13), (4, True, 0), (9, False, 0)]
)
def test_a_foot_stands_unmeasured_for_50_ms_and_low(
    swapped: bool, length: int, low: bool, seen: int
) -> None:
    scene = Scene(swapped)
    scene.stand(1, 100, 100 + length, low)
    scene.stand(1, 3, 3 + length, low)
    found = scene.masks()
    early = list(range(7 + length)) if seen else []
    assert frames(found.unmeasured[:, 1]) == early + list(range(96, 96 + seen))
    # Frames without a reading are not told twice.
    scene.plates.force[98, 0, 1] = np.nan
    assert frames(scene.masks().unmeasured[:, 1]) == [
        k for k in early + list(range(96, 96 + seen)) if k != 98
    ]


@both_ways
@pytest.mark.parametrize(("carried", "masked"), [(0.48, True), (0.52, False)])
def test_a_high_foot_is_unmeasured_where_half_a_body_weight_is_missing(
    swapped: bool, carried: float, masked: bool
) -> None:
    scene = Scene(swapped)
    scene.centre = True
    scene.force = two_forces(np.full(FRAMES, carried * WEIGHT), np.zeros(FRAMES))
    scene.stand(1, 90, 100, low=False)
    found = scene.masks()
    assert frames(found.unmeasured[:, 1]) == (list(range(86, 104)) if masked else [])


@both_ways
def test_a_low_foot_stays_unmeasured_where_load_is_missing_too(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.centre = True
    scene.force[:] = 0.0
    scene.stand(1, 90, 100)
    assert frames(scene.masks().unmeasured[:, 1]) == list(range(86, 104))


@both_ways
@pytest.mark.parametrize("sign", ["none", "outside", "jump", "same plate", "late"])
@pytest.mark.parametrize("length", [4, 5])
def test_two_feet_share_a_plate_when_one_stands_and_a_sign_says_so(
    swapped: bool, sign: str, length: int
) -> None:
    scene = Scene(swapped)
    scene.stand(1, 74, 74 + length)
    if sign in ("outside", "late"):
        scene.distance[72 if sign == "outside" else 69, 0] = 0.021
    if sign == "jump":
        scene.point[76:, 0, 2] += 0.07  # in two steps: 3.5 m/s in frames 75 and 76
    if sign == "same plate":
        corner = PRESSURE + np.array([1.0, 0.0, 0.0])
        square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * 0.1
        corners = np.stack([square + corner, square])
        scene.plates = replace(scene.plates, corners=corners)
    shared = sign not in ("none", "late") and length == 5
    found = scene.masks()
    expected = list(range(70, 80)) if shared else []
    assert frames(found.two_feet[:, 0]) == frames(found.two_feet[:, 1]) == expected
    # The other foot has nothing measured at all; where both share, that is the reason told.
    alone = list(range(80 if shared else 70, 83)) if length == 5 else []
    assert frames(found.unmeasured[:, 1]) == alone
    assert not found.outside.any() and not found.unrecorded.any()


@both_ways
def test_a_foot_that_swings_low_by_is_no_second_one(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.feet.low[65:80, 1] = True
    scene.distance[70:75, 0] = 0.03
    assert not scene.masks().any.any()


@both_ways
def test_pressure_off_a_foot_while_the_other_is_unseen_is_shared(swapped: bool) -> None:
    scene = Scene(swapped)
    scene.distance[40:42, 0] = scene.distance[60:62, 0] = 0.06
    scene.feet.seen[55:65, 1] = False
    found = scene.masks()
    assert frames(found.two_feet[:, 0]) == list(range(56, 66))
    # Told once: where the plate is shared the pressure may be anywhere.
    assert frames(found.outside[:, 0]) == [40, 41]


def test_a_loading_in_turns_is_shared_while_both_stand() -> None:
    scene = Scene()
    scene.owners = ("rl",)
    scene.weight[50:80, 0] = [0.0, 0.5]
    scene.stand(0, 16, 52)
    scene.stand(1, 48, 84)
    found = scene.masks()
    assert frames(found.two_feet[:, 0]) == frames(found.two_feet[:, 1]) == list(range(44, 56))
    np.testing.assert_array_equal(found.any, found.two_feet)


def test_a_frame_is_masked_for_one_reason_or_several() -> None:
    each = [np.array([[bool(k & 1 << b), b == 3] for k in range(16)]) for b in range(4)]
    expected = np.array([[k > 0, True] for k in range(16)])
    np.testing.assert_array_equal(Masks(*each).any, expected)
