"""Small parts of the loads at round figures: moved ground, windows, the split, its levers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.loads.ground_error import CHANNELS, GroundError
from kneestride.loads.knee import classical_split, external_moments, joint_reaction, knee_loads
from kneestride.loads.knee_balance import KneeBalance, intersegmental_wrench
from kneestride.loads.patellofemoral import patellofemoral_force
from kneestride.loads.recruitment import Recruited
from kneestride.loads.retraining import Finding
from kneestride.loads.tissue_table import Reference
from kneestride.loads.types import GroundReaction, MuscleForces
from kneestride.vocabulary import GRAVITY

RNG = np.random.default_rng(31)
FRAMES = 6
TIME = np.arange(FRAMES) / 10.0


def reaction() -> GroundReaction:
    force, point, torque = RNG.normal(size=(3, FRAMES, 2, 3))
    contact = np.zeros((FRAMES, 2), bool)
    contact[1:4, 0] = contact[3:, 1] = True
    return GroundReaction(TIME, force, point, torque, contact, ~contact, True, ("a",))


def test_windows_and_every_other_frame_cut_all_that_is_over_time() -> None:
    whole = reaction()
    for found, cut in (
        (whole.window(1, 4), slice(1, 4)), (whole.every(2), slice(None, None, 2)),
    ):  # fmt: skip
        for name in ("time", "force", "point", "torque", "contact", "masked"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[cut])
        assert found.predicted and found.notes == ("a",)
    error = GroundError(whole.force, whole.point[..., :2], np.arange(5.0))
    part = error.window(2, 5)
    np.testing.assert_array_equal(part.force, error.force[2:5])
    np.testing.assert_array_equal(part.point, error.point[2:5])
    np.testing.assert_array_equal(part.lasting, error.lasting)
    plain = GroundReaction(
        TIME, whole.force, whole.point, whole.torque, whole.contact, whole.masked
    )
    assert not plain.predicted and plain.notes == ()


FEET = {  # the right foot points along 3, 4 and the left along -X
    "heel_bottom_r": (1.0, 0.5, 2.0), "metatarsal_1_r": (3.0, 0.1, 7.0),
    "metatarsal_5_r": (5.0, 0.2, 5.0), "heel_bottom_l": (0.0, 0.0, 0.0),
    "metatarsal_1_l": (-2.0, 0.3, 1.0), "metatarsal_5_l": (-2.0, 0.3, -1.0),
}  # fmt: skip


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_ground_is_moved_by_one_deviation_in_contact(channel: str) -> None:
    whole, k = reaction(), list(CHANNELS).index(channel)
    error = GroundError(
        RNG.uniform(1.0, 2.0, (FRAMES, 2, 3)), RNG.uniform(0.1, 0.2, (FRAMES, 2, 2)),
        np.ones(5),
    )  # fmt: skip
    paths: Any = SimpleNamespace(points={n: np.tile(p, (FRAMES, 1)) for n, p in FEET.items()})
    found = error.moved(channel, whole, paths)
    on = whole.contact
    force, point = whole.force.copy(), whole.point.copy()
    if k < 3:
        force[..., k] += on * error.force[..., k]
    else:
        # Along the foot; across it is to the right of a right foot, to the left of a left one.
        ways = {3: [(0.6, 0.0, 0.8), (-1, 0, 0)], 4: [(-0.8, 0.0, 0.6), (0.0, 0.0, 1.0)]}[k]
        for s in range(2):
            step = np.outer(error.point[:, s, k - 3], ways[s])
            point[on[:, s], s] += step[on[:, s]]
    np.testing.assert_allclose(found.force, force)
    np.testing.assert_allclose(found.point, point)


def balance() -> KneeBalance:
    lever = np.array([[-0.02, 0.03], [-0.025, 0.015]])
    pull, limit, strain = RNG.normal(size=(3, FRAMES, 2, 2, 6))
    return KneeBalance(
        RNG.normal(0.0, 100.0, (FRAMES, 2, 6)), lever, pull, limit[..., 0], strain[..., 0]
    )


def test_external_moments_are_those_that_what_is_required_resists() -> None:
    given = balance()
    adduction, flexion = external_moments(given)
    np.testing.assert_allclose(adduction, given.required[:, :, 3] * [-1.0, 1.0])
    np.testing.assert_array_equal(flexion, given.required[:, :, 5])
    flexion[:] = 0.0
    assert given.required[:, :, 5].all()  # it was a copy


def test_the_classical_split_has_the_sum_and_the_moment() -> None:
    given = balance()
    medial, lateral = classical_split(given.required, given.lever)
    np.testing.assert_allclose(medial + lateral, -given.required[:, :, 1])
    np.testing.assert_allclose(
        medial * given.lever[:, 0] + lateral * given.lever[:, 1],
        given.required[:, :, 3] * [1.0, -1.0],
    )


def test_a_wrench_moves_to_a_point_in_the_bodys_axes() -> None:
    # Axes of the body: X is up, Y is to the left, Z is backwards.
    axes = np.array([[[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]])
    wrench = np.array([[1.0, 20.0, -3.0, 4.0, 5.0, 6.0]])
    found = intersegmental_wrench(wrench, axes, np.array([0.0, 0.5, 0.0]))
    np.testing.assert_allclose(found[0, :3], [20.0, 3.0, -1.0])
    # Half a metre along Y, the force has the moment (-0.5, 0, -10), taken off.
    np.testing.assert_allclose(found[0, 3:], [5.0 + 0.5, -6.0, -4.0 + 10.0])


def recruited(solved: Any) -> Recruited:
    none = np.zeros((FRAMES, 2))
    muscles = MuscleForces(
        TIME, ("recfem_r", "vaslat_l"), none, RNG.uniform(1.0, 9.0, (FRAMES, 2)), (), none,
        none > 0, TIME, TIME > 9,
    )  # fmt: skip
    medial, lateral = RNG.uniform(1.0, 9.0, (2, FRAMES, 2))
    return Recruited(muscles, medial, lateral, RNG.uniform(1.0, 9.0, (FRAMES, 2, 2)), solved)


def test_loads_are_hidden_where_masked_or_without_balance_and_moments_where_masked() -> None:
    solved, masked = np.ones((FRAMES, 2), bool), np.zeros((FRAMES, 2), bool)
    solved[2, 0], masked[4, 1] = False, True
    found, given = recruited(solved), balance()
    patella = RNG.normal(size=(FRAMES, 2, 2, 3))
    paths: Any = SimpleNamespace(
        tibia_wrench=RNG.normal(size=(FRAMES, 2, 2, 6)), patella_force=patella
    )
    loads = knee_loads(found, given, paths, masked)
    hidden = masked | ~solved
    reaction = given.required - np.einsum(
        "tm,tmsk->tsk", found.muscles.force, paths.tibia_wrench
    )
    np.testing.assert_allclose(joint_reaction(given, paths, found.muscles.force), reaction)
    split = classical_split(reaction, given.lever)
    pressed = np.linalg.norm(np.einsum("tm,tmsi->tsi", found.muscles.force, patella), axis=2)
    for shown, values, hide in (
        (loads.medial, found.medial, hidden), (loads.lateral, found.lateral, hidden),
        (loads.total, found.medial + found.lateral, hidden),
        (loads.collateral_medial, found.collateral[:, :, 0], hidden),
        (loads.collateral_lateral, found.collateral[:, :, 1], hidden),
        (loads.split_medial, split[0], hidden), (loads.split_lateral, split[1], hidden),
        (loads.patellofemoral, pressed, hidden),
        (loads.adduction_moment, external_moments(given)[0], masked),
        (loads.flexion_moment, external_moments(given)[1], masked),
    ):  # fmt: skip
        np.testing.assert_allclose(shown, np.where(hide, np.nan, values))
    unmasked = knee_loads(found, given, paths)
    assert np.isnan(unmasked.medial).sum() == 1 and not np.isnan(unmasked.flexion_moment).any()
    with pytest.raises(ModelError, match=r"shape \(6, 2\)"):
        knee_loads(found, given, paths, masked[:, :1])


def test_without_patella_the_quadriceps_of_each_side_press() -> None:
    paths: Any = SimpleNamespace(
        patella_force=None, names=("recfem_r", "soleus_r", "vas_lat_l", "rect_fem_l", "recfem")
    )
    force = RNG.uniform(1.0, 9.0, (FRAMES, 5))
    flexion = np.tile([0.3, 1.0], (FRAMES, 1))
    found = patellofemoral_force(paths, force, flexion)
    ratios = found / np.column_stack([force[:, 0], force[:, 2] + force[:, 3]])
    np.testing.assert_allclose(ratios, np.tile(ratios[0], (FRAMES, 1)))
    assert ratios[0, 1] > ratios[0, 0] > 0.1  # it grows with flexion
    assert np.isnan(patellofemoral_force(paths, force)).all()
    paths.names = ("recfem_r", "soleus_r", "a", "b", "c")
    found = patellofemoral_force(paths, force, flexion)
    assert np.isnan(found[:, 1]).all() and (found[:, 0] > 0).all()


def test_published_ranges_are_of_the_persons_mass() -> None:
    for per, scale in (("", 1.0), ("BW", 60.0 * GRAVITY), ("kg", 60.0)):
        assert Reference(2.0, 3.0, "", "", "abstract", per).absolute(60.0) == pytest.approx(
            (2.0 * scale, 3.0 * scale)
        )


def test_beyond_is_above_or_below_the_limit() -> None:
    def finding(above: bool) -> Finding:
        return Finding("k", "t", "c", 10.0, above, "s", "A", "cue", (), ())

    values = np.array([8.0, 10.0, 13.0])
    np.testing.assert_array_equal(finding(True).beyond(values), [-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(finding(False).beyond(values), [2.0, 0.0, -3.0])
