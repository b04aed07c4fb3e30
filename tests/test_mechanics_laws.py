"""What each row of the ground reaction by mechanics says, for pushes drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.loads.ground_mechanics import (
    SOLE,
    MechanicsSettings,
    _rows,
    loading,
    until_the_toes_rise,
)
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths

FRAMES, K, E = 5, len(SOLE), 4
FRICTION = 0.8
EDGES = np.array(
    [[FRICTION, 1.0, 0.0], [-FRICTION, 1.0, 0.0], [0.0, 1.0, FRICTION], [0.0, 1.0, -FRICTION]]
)
SETTINGS = MechanicsSettings()
RNG = np.random.default_rng(8)
CENTRE = np.array([0.05, 0.9, 0.01]) + 0.02 * RNG.standard_normal((FRAMES, 3))
CENTRE[:, 1] = 0.9
FEET = np.array(
    [[[-0.06, 0.0, z], [0.13, 0.0, z - s * 0.04], [0.11, 0.0, z + s * 0.05], [0.20, 0.0, z]]
     for s, z in ((1.0, 0.12), (-1.0, -0.09))]
)  # fmt: skip
FORCE = np.tile([0.1, 1.1, -0.05], (FRAMES, 1))


def written(down: bool = True, standing: bool = False):
    sole = np.broadcast_to(FEET, (FRAMES, 2, K, 3))
    feet = np.full((FRAMES, 2), True)
    feet[:, 1] = down
    share = np.tile([0.7, 0.3] if down else [1.0, 0.0], (FRAMES, 1))
    phase = np.tile([0.25, 0.75], (FRAMES, 1))
    about = np.tile([0.02, 0.0, 0.03], (FRAMES, 1))
    return _rows(
        sole, EDGES, CENTRE, FORCE, about, feet, share, phase,
        np.full(FRAMES, standing), SETTINGS,
    )  # fmt: skip


def pushed(foot: int | None = None):
    """Random pushes (2, K, E), of one foot or both, and their force on every point."""
    x = RNG.uniform(0.0, 1.0, (2, K, E))
    if foot is not None:
        x[1 - foot] = 0.0
    return x, np.einsum("spe,ei->spi", x, EDGES)


def test_the_bodys_rows_are_force_and_moment_about_the_mass_centre() -> None:
    rows, target, sigma = written()
    x, force = pushed()
    found = rows @ x.ravel()
    np.testing.assert_allclose(found[:, :3], np.tile(force.sum(axis=(0, 1)), (FRAMES, 1)))
    moment = np.cross(FEET - CENTRE[:, None, None], force).sum(axis=(1, 2))
    np.testing.assert_allclose(found[:, 3:6], moment)
    np.testing.assert_allclose(target[:, :3], FORCE)
    np.testing.assert_allclose(target[:, 3:6], np.tile([0.02, 0.0, 0.03], (FRAMES, 1)))
    np.testing.assert_allclose(sigma[:, :6], np.tile([0.005] * 3 + [0.03] * 3, (FRAMES, 1)))


@pytest.mark.parametrize("foot", [0, 1])
def test_a_foots_rows_are_its_load_its_pressure_and_its_line_of_action(foot: int) -> None:
    rows, target, sigma = written()
    x, force = pushed(foot)
    k, other = 6 + 5 * foot, 6 + 5 * (1 - foot)
    found = rows @ x.ravel()
    load = force[..., 1].sum()
    np.testing.assert_allclose(found[:, k], load)
    np.testing.assert_allclose(found[:, other : other + 5], 0.0, atol=1e-12)
    share = (0.7, 0.3)[foot]
    np.testing.assert_allclose(target[:, k], share * 1.1)
    np.testing.assert_allclose(np.delete(target[:, 6:], [0, 5], axis=1), 0.0)
    # Centre of pressure against where it rolls to: 8 to 74 % of heel to toe, by sine.
    heel, ball = FEET[foot, 0], 0.5 * (FEET[foot, 1] + FEET[foot, 2])
    forward = (ball - heel) / np.linalg.norm(ball - heel)
    side = np.cross(forward, [0.0, 1.0, 0.0])
    pressure = (force[foot, :, 1:2] * FEET[foot]).sum(axis=0) / load - heel
    length = (FEET[foot, 3] - heel) @ forward
    wanted = length * (0.08 + 0.66 * np.sin(0.5 * np.pi * (0.25, 0.75)[foot]))
    np.testing.assert_allclose(found[:, k + 1] / load, pressure @ forward - wanted)
    np.testing.assert_allclose(found[:, k + 2] / load, pressure @ side)
    # The line of action: what is left of the force when every push aims at the centre.
    for row, axis in ((3, 0), (4, 2)):
        aimed = (force[foot, :, 1] * (CENTRE[:, None, axis] - FEET[foot, :, axis])).sum(axis=1)
        np.testing.assert_allclose(found[:, k + row], force[foot, :, axis].sum() - aimed / 0.9)
    carried = share * 1.1
    np.testing.assert_allclose(
        sigma[0, k : k + 5],
        [0.10, 0.02 * carried, 0.012 * carried, 0.06 * carried, 0.06 * carried],
    )


def test_two_standing_feet_share_freely_and_aim_half() -> None:
    rows, _, sigma = written(standing=True)
    x, force = pushed(0)
    np.testing.assert_allclose(sigma[:, [6, 11]], 0.5)
    aimed = (force[0, :, 1] * (CENTRE[:, None, 0] - FEET[0, :, 0])).sum(axis=1)
    np.testing.assert_allclose(
        (rows @ x.ravel())[:, 9], force[0, :, 0].sum() - 0.5 * aimed / 0.9
    )


def test_alone_on_the_ground_a_foot_is_bound_by_the_body_only() -> None:
    rows, target, sigma = written(down=False)
    assert not rows[:, 11:].any() and not target[:, 11].any()
    np.testing.assert_allclose(sigma[:, [6, 9, 10]], 10.0)
    # A foot without a share is believed as if it carried a twentieth.
    np.testing.assert_allclose(sigma[:, 12], 0.02 * 0.05 * 1.1)


TIME = np.arange(200) / 100.0


def test_phase_runs_from_landing_to_toe_off() -> None:
    contacts = Contacts((Contact(0.2, 0.8),), (Contact(1.2, 1.6),), "force")
    down, share, phase, standing = loading(TIME, contacts, 0.1)
    assert TIME[down[:, 0]][[0, -1]] == pytest.approx([0.1, 0.9])
    assert TIME[down[:, 1]][[0, -1]] == pytest.approx([1.1, 1.7])
    assert phase[[10, 30, 50, 90], 0] == pytest.approx([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_array_equal(share, down)
    assert not standing.any()
    assert phase[5, 0] == 0.5


def test_cut_contacts_last_as_long_as_whole_ones() -> None:
    first, last = Contact(0.0, 0.2, False, True), Contact(1.7, 1.99, True, False)
    contacts = Contacts((first, last), (Contact(0.7, 1.3),), "force")
    _, _, phase, _ = loading(TIME, contacts)
    # Whole ones last 0.6 s: the first began at −0.4 s, the last would end at 2.3 s.
    assert phase[[0, 10], 0] == pytest.approx([0.4 / 0.6, 0.5 / 0.6])
    assert phase[[170, 199], 0] == pytest.approx([0.0, 0.29 / 0.6])
    # Without whole ones the longest that was seen stands in.
    _, _, phase, _ = loading(TIME, Contacts((first, last), (), "force"))
    assert phase[[0, 185], 0] == pytest.approx([0.09 / 0.29, 0.15 / 0.29])
    uncut = Contacts((Contact(0.0, 1.99, False, False),), (), "force")
    assert loading(TIME, uncut)[2][:, 0] == pytest.approx(0.5)


def test_load_passes_to_the_foot_that_came_later_smoothly() -> None:
    contacts = Contacts((Contact(0.2, 0.9),), (Contact(0.7, 1.4),), "force")
    _, share, _, standing = loading(TIME, contacts)
    double = slice(70, 91)
    u = (np.arange(21) + 0.5) / 21
    np.testing.assert_allclose(share[double, 1], u * u * (3 - 2 * u))
    np.testing.assert_allclose(share[double].sum(axis=1), 1.0)
    assert share[69].tolist() == [1.0, 0.0] and share[91].tolist() == [0.0, 1.0]
    assert not standing.any()


def test_a_transition_cut_by_the_recording_is_the_rest_of_a_usual_one() -> None:
    right = (Contact(0.0, 0.1, False, True), Contact(0.6, 1.3))
    left = (Contact(0.0, 0.7, True, True), Contact(1.2, 1.8))
    _, share, _, _ = loading(TIME, Contacts(right, left, "force"))
    # Whole transitions have 11 frames; at the start there are 11 too: cut to none.
    assert share[0, 1] == pytest.approx((0.5 / 11) ** 2 * (3 - 1 / 11), abs=1e-9)
    short = (Contact(0.0, 0.05, False, True), Contact(0.6, 1.3))
    _, share, _, _ = loading(TIME, Contacts(short, left, "force"))
    u = (np.arange(6) + 0.5) / 11 + 1.0 - 6 / 11
    np.testing.assert_allclose(share[:6, 1], u * u * (3 - 2 * u))


@pytest.mark.parametrize("apart", [0.03, 0.6])
def test_feet_that_stay_both_carry_half(apart: float) -> None:
    # Landed together, or both down for more than half a second.
    contacts = Contacts((Contact(0.2, 1.3),), (Contact(0.2 + apart, 1.3 + apart),), "force")
    _, share, _, standing = loading(TIME, contacts)
    both = slice(round(100 * (0.2 + apart)), 131)
    np.testing.assert_allclose(share[both], 0.5)
    assert standing[both].all() and standing.sum() == 131 - both.start


def test_contact_ends_when_the_toes_tip_rises_within_120_ms() -> None:
    def walked(rise: float, speed: float = 0.5) -> Contacts:
        height = 0.02 + speed * np.maximum(TIME - rise, 0.0)
        toe = np.column_stack([0 * TIME, height, 0 * TIME])
        paths = AnatomicalPaths(
            TIME, 100.0, {"toe_r": toe}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
        )
        return until_the_toes_rise(
            Contacts((Contact(0.2, 0.8),), (Contact(0.5, 1.1),), "force"), paths
        )

    found = walked(0.86)
    assert found.r[0].toe_off_s == pytest.approx(0.86, abs=0.015)
    assert found.r[0].initial_contact_s == 0.2 and found.l[0].toe_off_s == 1.1
    assert walked(0.95).r[0].toe_off_s == 0.8  # too late to belong to it
    assert walked(0.86, speed=0.19).r[0].toe_off_s == 0.8  # too slow to be a rise
    assert walked(0.5).r[0].toe_off_s == pytest.approx(0.8)
