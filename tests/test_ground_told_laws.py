"""What measured ground adds up and tells: sums under a foot, stances, shares and sentences.

Two plates, the second on a step of 0.2 m, and frames of 10 ms; everything else by hand.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.loads import ground
from kneestride.loads.ground import FootContact, GroundSettings
from kneestride.loads.ground_assignment import Masks, PlateLoads
from kneestride.loads.ground_feet import Feet
from kneestride.loads.ground_plates import PlateContact, PlateSignals
from kneestride.loads.types import GroundReaction
from kneestride.vocabulary import GRAVITY, Array

FRAMES = 100
TIME = 5.0 + np.arange(FRAMES) / 100.0
HEIGHTS = np.array([0.1, 0.3])


def plates(force: Array, point: Array, *contacts: PlateContact) -> PlateSignals:
    """Plates with forces at points; about them 3 and 5 N·m."""
    moment = np.cross(point, force)
    moment[..., 1] += np.array([3.0, 5.0])
    return PlateSignals(TIME, force, moment, HEIGHTS, None, contacts, np.zeros((2, 6)))


def feet(right: Array, left: Array) -> Feet:
    centre = np.stack([right, left], axis=1)
    no = np.zeros((FRAMES, 2), bool)
    return Feet(centre[:, :, None], centre, 0.0 * no, 0.0 * no, no, no, ~no)


def test_one_foot_on_two_plates_presses_where_their_sum_does() -> None:
    force, point = np.zeros((FRAMES, 2, 3)), np.zeros((FRAMES, 2, 3))
    force[:, 0], force[:, 1] = [40.0, 300.0, -20.0], [10.0, 100.0, 30.0]
    point[:, 0], point[:, 1] = [0.2, 0.1, 0.5], [0.6, 0.3, 0.9]
    force[90, 1] = np.nan
    weight = np.zeros((FRAMES, 2, 2))
    weight[10:80, :, 0] = 1.0
    weight[40:50, 1, 0] = 0.5
    weight[85:95, 1, 1] = 1.0
    walk = TIME[:, None] * np.array([1.0, 0.0, 0.0])
    seen = feet(walk, walk + np.array([0.0, 0.0, 1.0]))
    found = ground._sum_per_foot(
        plates(force, point), PlateLoads(weight, ("r",), ()), seen, GroundSettings()
    )
    for frame, second in ((20, 1.0), (45, 0.5)):
        total = force[frame, 0] + second * force[frame, 1]
        np.testing.assert_allclose(found.force[frame, 0], total)
        # The surface is where the load is: between both heights by what each carries.
        height = (0.1 * 300.0 + 0.3 * 100.0 * second) / total[1]
        about = np.cross(point[frame, 0], force[frame, 0]) + second * np.cross(
            point[frame, 1], force[frame, 1]
        )
        about[1] += 3.0 + 5.0 * second
        place, torque = found.point[frame, 0], found.torque[frame, 0]
        assert place[1] == pytest.approx(height)
        np.testing.assert_allclose(np.cross(place, total) + torque, about, atol=1e-9)
        assert torque[0] == torque[2] == 0.0
    contact = np.zeros((FRAMES, 2), bool)
    contact[10:80, 0] = contact[85:95, 1] = True
    np.testing.assert_array_equal(found.contact, contact)
    assert not found.force[~contact].any() and not found.torque[~contact].any()
    assert not found.force[90, 1].any()  # a reading that is missing is none
    # In the air the point is under the foot, at the plates' mean height.
    np.testing.assert_allclose(found.point[5, 0], [TIME[5], 0.2, 0.0])
    np.testing.assert_allclose(found.point[5, 1], [TIME[5], 0.2, 1.0])
    assert not found.masked.any()


@pytest.mark.parametrize(("least", "known"), [(99.0, True), (100.0, False)])
def test_a_light_foot_carries_its_nearest_pressure_along(least: float, known: bool) -> None:
    force, point = np.zeros((FRAMES, 2, 3)), np.zeros((FRAMES, 2, 3))
    force[:, 0, 1] = np.where((TIME > 5.3) & (TIME < 5.6), 400.0, 100.0)
    point[:, 0] = [7.0, 0.1, 0.4]
    weight = np.zeros((FRAMES, 2, 2))
    weight[20:80, 0, 1] = 1.0
    walk = (TIME[:, None] - 5.0) * np.array([2.0, 0.0, 0.0])
    found = ground._sum_per_foot(
        plates(force, point), PlateLoads(weight, ("l",), ()), feet(walk + 50.0, walk),
        GroundSettings(centre_of_pressure_above=least),
    )  # fmt: skip
    np.testing.assert_allclose(found.point[31:60, 1], np.tile([7.0, 0.1, 0.4], (29, 1)))
    # Before the 31st frame of a load the foot is 20 mm a frame further back, or not.
    for frame, nearest in ((25, 31), (75, 59)):
        moved = 0.0 if known else 0.02 * (frame - nearest)
        assert found.point[frame, 1, 0] == pytest.approx(7.0 + moved)
        assert found.point[frame, 1, 2] == pytest.approx(0.4)


def loaded(
    plate: int, start: float, end: float, cut: tuple[bool, bool] = (False, False)
) -> Any:
    return PlateContact(plate, start, start, end, end, *cut)


def stances(
    contacts: tuple[PlateContact, ...], owners: tuple[str, ...], **more: Any
) -> tuple[FootContact, ...]:
    """Stances of loadings at full weight, with 2 N of force a frame of the recording."""
    weight, clock = np.zeros((FRAMES, 2, 2)), TIME
    for contact, owner in zip(contacts, owners, strict=True):
        begin, end = contact.start - 1e-9, contact.end + 1e-9
        here = np.flatnonzero((clock >= begin) & (clock <= end))
        for k, foot in enumerate(owner):
            part = np.array_split(here, len(owner))[k]
            weight[part, contact.plate, "rl".index(foot)] = 1.0
    force = np.zeros((FRAMES, 2, 3))
    force[..., 1] = 2.0 * np.arange(FRAMES)[:, None] * (weight.sum(axis=1) > 0)
    force[..., 0] = 9999.0
    flat = np.zeros_like(force)
    no = np.zeros((FRAMES, 2), bool)
    given = GroundReaction(TIME, force, flat, flat, weight.sum(axis=1) > 0, no)
    masks = Masks(no, more.get("masked", no), no, no)
    signals = plates(flat, flat, *contacts)
    return ground._foot_contacts(
        signals, PlateLoads(weight, owners, ()), given, masks, more.get("outside", no)
    )


def test_stances_are_in_order_of_time_with_their_plates_peaks_and_shares() -> None:
    masked, outside = np.zeros((2, FRAMES, 2), bool)
    masked[12:17, 0] = masked[40:60, 1] = True
    outside[50:54, 1] = True
    found = stances(
        (loaded(1, 5.104, 5.296), loaded(0, 5.252, 5.448), loaded(1, 5.504, 5.896)),
        ("r", "r", "l"), masked=masked, outside=outside,
    )  # fmt: skip
    assert [(c.side, c.plates, c.complete) for c in found] == [
        ("r", (0, 1), True), ("l", (1,), True),
    ]  # fmt: skip
    first, second = found
    assert (first.start, first.end, first.peak) == (5.104, 5.448, 88.0)
    assert (second.start, second.end, second.peak) == (5.504, 5.896, 178.0)
    # Frames 11 to 44 and 51 to 89.
    assert first.masked == pytest.approx(5 / 34) and first.outside == 0.0
    assert second.masked == pytest.approx(9 / 39) and second.outside == pytest.approx(3 / 39)


def test_a_stance_in_a_shared_loading_is_the_frames_of_its_foot() -> None:
    right, left = stances((loaded(0, 5.2, 5.59),), ("rl",))
    assert (right.side, left.side) == ("r", "l")
    assert [right.start, right.end] == pytest.approx([5.2, 5.39])
    assert [left.start, left.end] == pytest.approx([5.4, 5.59])
    assert not right.complete and not left.complete


@pytest.mark.parametrize(
    ("start", "end", "cut", "complete"),
    [
        (5.2, 5.5, (False, False), True), (5.2, 5.5, (True, False), False),
        (5.2, 5.5, (False, True), False), (4.992, 5.5, (False, False), True),
        (4.988, 5.5, (False, False), False), (5.2, 5.998, (False, False), True),
        (5.2, 6.002, (False, False), False),
    ],
)  # fmt: skip
def test_stances_are_complete_within_a_frame_of_the_recording(
    start: float, end: float, cut: tuple[bool, bool], complete: bool
) -> None:
    (found,) = stances((loaded(0, start, end, cut),), ("l",))
    assert found.complete == complete and (found.start, found.end) == (start, end)


def test_a_plate_loaded_again_later_belongs_to_the_later_stance() -> None:
    found = stances(
        (loaded(0, 5.1, 5.25), loaded(0, 5.4, 5.7), loaded(1, 5.15, 5.2)), ("r", "r", "r")
    )
    assert [(c.start, c.end, c.plates) for c in found] == [
        (5.1, 5.25, (0, 1)), (5.4, 5.7, (0,)),
    ]  # fmt: skip


# --- figures and sentences ------------------------------------------------------------


def four_masks() -> Masks:
    each = np.zeros((4, FRAMES, 2), bool)
    each[0, 95:] = True
    each[1, 20:23, 0] = True
    each[2, 30:40] = True
    each[3, 60:62, 1] = True
    return Masks(*each)


def told(offsets: Array, owners: tuple[str, ...] = ("r",), **more: Any) -> dict[str, Any]:
    force = np.zeros((FRAMES, 2, 3))
    force[..., 1] = 60.0 * GRAVITY * np.array([0.3, 0.2])
    flat = np.zeros_like(force)
    given = GroundReaction(TIME, force, flat, flat, force[..., 1] > 0, flat[..., 0] > 0)
    signals = replace(plates(flat, flat, loaded(1, 5.123, 5.678)), offsets=offsets)
    raw = np.ones((FRAMES, 2, 3)) * np.array(more.get("raw", [1.0, 1.0]))[:, None]
    forces: Any = SimpleNamespace(names=("front", "back"), force=raw)
    distance = np.full((FRAMES, 2), np.nan)
    distance[:50, 0] = 0.001 * np.arange(50)
    outside = np.zeros((FRAMES, 2), bool)
    outside[: more.get("outside", 2), 0] = True
    outside[60:, 0] = True  # where no pressure is known
    masks = more.get("masks", four_masks())
    figures = ground._figures(forces, signals, given, masks, distance, outside, 60.0)
    contacts = tuple(
        FootContact(side, 5.0, 5.1, (0,), 1.0, True, 0.0, 0.0)
        for side in more.get("sides", "rrl")
    )
    loads = PlateLoads(np.zeros((FRAMES, 2, 2)), owners, more.get("contradicted", ()))
    notes = ground._notes(forces, signals, loads, contacts, masks, figures)
    return {"figures": figures, "notes": notes}


OFFSETS = np.array([[0.4, -0.5, 0.3, 9, 9, 9], [-1.25, 2.0, 0.125, 9, 9, 9]], dtype=float)


def test_figures_are_shares_of_frames_and_of_known_pressures() -> None:
    found = told(OFFSETS)["figures"]
    expected = {
        "mean_vertical_BW": 0.5, "masked_share": 0.20, "masked_share_r": 0.18,
        "masked_share_l": 0.17, "unrecorded_share_r": 0.05, "unrecorded_share_l": 0.05,
        "outside_share_r": 0.03, "outside_share_l": 0.0, "two_feet_share_r": 0.10,
        "two_feet_share_l": 0.10, "unmeasured_share_r": 0.0, "unmeasured_share_l": 0.02,
        "cop_outside_share_r": 0.04, "outside_foot_p95_mm_r": 0.95 * 49,
        "offset_front_x_N": 0.4, "offset_front_y_N": -0.5, "offset_front_z_N": 0.3,
        "offset_back_x_N": -1.25, "offset_back_y_N": 2.0, "offset_back_z_N": 0.125,
    }  # fmt: skip
    assert found == pytest.approx(expected)


def test_sentences_say_what_was_found_and_where() -> None:
    found = told(OFFSETS, ("r", "", ""), contradicted=(0,))["notes"]
    assert found == [
        "Plate back: an offset of -1.2, 2.0, 0.1 N (forward, up, right), read while it was "
        "empty, was removed.",
        "Plate back is labelled for the other foot, but from 5.12 to 5.68 s the right foot "
        "stands on it; the movement was believed.",
        "2 loadings of plates could be given to no foot and were left out.",
        "Stances measured: 2 right and 1 left.",
        "The centre of pressure lies outside the right foot's outline in 4 % of its stance "
        "frames while the foot is alone on its plate: look at the foot markers, the plate's "
        "place and the clocks of both.",
        "Right foot masked in 5.0 % of frames (5.95 to 5.99 s): no force recorded at that "
        "time.",
        "Right foot masked in 3.0 % of frames (5.20 to 5.22 s): centre of pressure far "
        "outside the foot's outline.",
        "Right foot masked in 10.0 % of frames (5.30 to 5.39 s): both feet on one plate.",
        "Left foot masked in 5.0 % of frames (5.95 to 5.99 s): no force recorded at that time.",
        "Left foot masked in 10.0 % of frames (5.30 to 5.39 s): both feet on one plate.",
        "Left foot masked in 2.0 % of frames (5.60 to 5.61 s): the foot stands where no "
        "plate measures it.",
    ]


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    none = Masks(*np.zeros((4, FRAMES, 2), bool))
    quiet = told(0.3 * OFFSETS * [[1.0], [0.5]], masks=none, outside=1, sides="l")["notes"]
    assert quiet == ["Stances measured: 0 right and 1 left."]
    offsets = OFFSETS.copy()
    offsets[:, 2] = np.nan
    lost = told(offsets, masks=none, outside=0, raw=[0.0, 1.0])["notes"]
    assert lost[:2] == [
        "Plate front is never loaded.",
        "Plate back is loaded all the time: its offset is unknown and was left in.",
    ]


def test_settings_have_their_defaults_and_their_order() -> None:
    given = GroundSettings()
    assert (given.contact_lower, given.contact_upper) == (20.0, 50.0)
    assert (given.centre_of_pressure_above, given.outline_margin) == (50.0, 0.02)
    assert given.moment_error == 2.0
    assert GroundSettings(contact_lower=50.0).contact_lower == 50.0
    for lower in (50.1, 0.0, -1.0):
        with pytest.raises(SettingsError, match=f"lower {lower:g} N and upper 50 N"):
            GroundSettings(contact_lower=lower)
