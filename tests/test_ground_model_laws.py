"""The linear model of a runner's ground, and mechanics that give what they cannot: by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import CaptureError, ModelError
from kneestride.loads.ground_features import FEATURES
from kneestride.loads.ground_mechanics import (
    SOLE,
    MechanicsSettings,
    loading,
    mechanical_ground,
    until_the_toes_rise,
)
from kneestride.loads.ground_model import (
    CHANNELS,
    CURVE_PHASES,
    GroundModel,
    Moments,
    load_ground_model,
    principal_curves,
    save_ground_model,
)
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY, SIDES, Array

RNG = np.random.default_rng(21)


def model(features: int = 3, points: int = 5) -> GroundModel:
    def made(*shape: int) -> Array:
        return np.asarray(RNG.uniform(0.5, 2.0, shape), dtype=np.float64)

    size = (2, 6, points)
    return GroundModel(
        made(features), made(features), made(features, 2), made(2, 6, points), made(6, points),
        np.array([2.0, 3.0]), made(*size), made(6), made(4, 3), made(*size), 1.5,
        {"runners": "7"},
    )  # fmt: skip


def test_curves_are_the_mean_and_scores_times_principal_curves() -> None:
    m, features = model(), RNG.normal(size=(4, 3))
    found = m.predict(features)
    for s in range(4):
        scores = np.zeros(2)
        for f in range(3):
            scores += (features[s, f] - m.centre[f]) / m.scale[f] * m.weights[f]
        np.testing.assert_allclose(
            found[s], m.mean + scores[0] * m.curves[0] + scores[1] * m.curves[1]
        )


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_ridge_is_of_groups_that_count_alike(penalty: float) -> None:
    groups = [(RNG.normal(1.0, 2.0, (n, 3)), RNG.normal(size=(n, 2))) for n in (5, 12, 30)]
    (found,) = Moments.fit([Moments(x, y) for x, y in groups], [penalty])
    # One regression in which every stance weighs 1 / (groups · stances of its group).
    x, y = (np.concatenate([g[k] for g in groups]) for k in range(2))
    w = np.concatenate([np.full(len(g[0]), 1.0 / (3 * len(g[0]))) for g in groups])
    centre, intercept = w @ x, w @ y
    scale = np.sqrt(w @ (x - centre) ** 2)
    z = (x - centre) / scale
    weights = np.linalg.solve((z.T * w) @ z + penalty * np.eye(3), (z.T * w) @ (y - intercept))
    np.testing.assert_allclose(found.centre, centre)
    np.testing.assert_allclose(found.intercept, intercept)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-7)
    np.testing.assert_allclose(found.weights, weights, atol=1e-6)


def test_one_regression_for_every_penalty_and_a_constant_column_is_harmless() -> None:
    x, y = RNG.normal(size=(20, 2)), RNG.normal(size=(20, 1))
    x[:, 1] = 4.0
    free, bound = Moments.fit([Moments(x, y)], [1e-6, 1e6])
    assert np.abs(bound.weights).max() < 1e-5 < np.abs(free.weights[0]).max()
    assert np.isfinite(free.weights).all() and free.intercept == pytest.approx(y.mean())


def test_principal_curves_are_of_one_channel_and_point_up() -> None:
    grid = np.linspace(0.0, 1.0, 40)
    big, small = np.sin(np.pi * grid), np.sin(2 * np.pi * grid)
    a, b = np.array([3.0, -1.0, -2.0, 0.0]), np.array([0.5, 0.5, -0.5, -0.5])
    usual = np.vstack([5.0 + grid, grid**2])
    curves = np.tile(usual, (4, 1, 1))
    curves[:, 1] += np.outer(b, small) - np.outer(a, big)
    curves[:, 0] += np.array([1.0, -1.0, 1.0, -1.0])[:, None] * small
    mean, found = principal_curves(curves, (1, 2))
    np.testing.assert_allclose(mean, usual, atol=1e-12)
    assert found.shape == (3, 2, 40)
    assert not found[0, 1].any() and not found[1:, 0].any()
    for curve, shape in ((found[0, 0], small), (found[1, 1], big), (found[2, 1], small)):
        assert np.linalg.norm(curve) == pytest.approx(1.0)
        assert abs(curve @ shape) / np.linalg.norm(shape) == pytest.approx(1.0, abs=2e-2)
        assert curve[np.argmax(np.abs(curve))] > 0.0


def test_coefficients_are_read_as_they_were_written(tmp_path: Path) -> None:
    given, file = model(FEATURES, len(CURVE_PHASES)), tmp_path / "model.npz"
    save_ground_model(given, file)
    found = load_ground_model(file)
    for name, value in vars(given).items():
        if name == "about":
            assert found.about == {"runners": "7"}
        else:
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-6)
    assert found.mean.dtype == np.float64 and found.mean.shape == (len(CHANNELS), 81)


@pytest.mark.parametrize(("features", "points"), [(FEATURES - 1, 81), (FEATURES, 80)])
def test_coefficients_of_another_size_are_refused(
    features: int, points: int, tmp_path: Path
) -> None:
    file = tmp_path / "model.npz"
    save_ground_model(model(features, points), file)
    with pytest.raises(ModelError, match=rf"\({features},\) features .* \(6, {points}\)"):
        load_ground_model(file)
    file.write_bytes(b"nothing of the kind")
    load_ground_model.cache_clear()
    with pytest.raises(ModelError, match="train_ground_reaction"):
        load_ground_model(file)
    with pytest.raises(ModelError, match="the coefficients of the ground reaction"):
        load_ground_model(tmp_path / "nowhere.npz")


# --- mechanics ------------------------------------------------------------------------

MASS = 60.0
WEIGHT = MASS * GRAVITY
FEET = {
    "heel_bottom": (-0.06, 0.0), "metatarsal_1": (0.13, -0.04), "metatarsal_5": (0.11, 0.05),
    "toe": (0.20, 0.0),
}  # fmt: skip


def stander(frames: int = 3) -> AnatomicalPaths:
    """The right foot ahead of the left, the mass centre between them."""
    points = {"center_of_mass": np.tile([0.15, 0.95, 0.02], (frames, 1))}
    for side, sign, ahead in (("r", 1.0, 0.3), ("l", -1.0, 0.0)):
        for name, (x, z) in FEET.items():
            place = [x + ahead, 0.04, sign * (0.1 + z)]
            points[f"{name}_{side}"] = np.tile(place, (frames, 1))
    return AnatomicalPaths(
        np.arange(frames) / 100.0, 100.0, points, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )


def down(*sides: str) -> Contacts:
    on = (Contact(0.0, 0.02, False, False),)
    return Contacts(on if "r" in sides else (), on if "l" in sides else (), "force")


@pytest.mark.parametrize("sides", ["r", "l", "rl"])
@pytest.mark.parametrize("trunk_seen", [True, False])
def test_what_the_feet_give_and_what_they_miss_is_what_was_needed(
    sides: str, trunk_seen: bool
) -> None:
    paths = stander()
    centre = paths.points["center_of_mass"]
    force = WEIGHT * np.tile([0.06, 1.1, -0.05], (3, 1))
    about = np.tile([4.0, -2.0, 7.0], (3, 1))
    found = mechanical_ground(
        paths, down(*sides), force, about + np.cross(centre, force), MASS, trunk_seen
    )
    r = found.reaction
    np.testing.assert_allclose(r.force.sum(axis=1) + found.missed_force, force, atol=1e-3)
    turned = (np.cross(r.point - centre[:, None], r.force) + r.torque).sum(axis=1)
    np.testing.assert_allclose(turned + found.missed_moment, about, atol=1e-3)
    for s, side in enumerate(SIDES):
        assert (r.contact[:, s] == (side in sides)).all()
        assert (r.force[:, s, 1] > 0.0).all() == (side in sides)
        assert side in sides or not r.force[:, s].any()
        slide = np.abs(r.force[:, s][:, [0, 2]]).sum(axis=1)
        assert (slide <= 0.8 * r.force[:, s, 1] + 1e-9).all()
    assert r.predicted and not r.masked.any() and not r.torque[..., [0, 2]].any()
    # On the floor, and a foot in the air in the middle of its sole.
    np.testing.assert_array_equal(r.point[..., 1], 0.0)
    if sides == "r":
        middle = np.mean([paths.points[f"{n}_l"][0] for n in SOLE], axis=0)
        np.testing.assert_allclose(r.point[0, 1, [0, 2]], middle[[0, 2]])


def test_a_trunk_that_was_not_seen_is_believed_less() -> None:
    paths, force = stander(1), WEIGHT * np.array([[0.0, 1.0, 0.0]])
    moment = np.cross(paths.points["center_of_mass"], force) + np.array([[0.0, 0.0, 60.0]])
    paths = replace(paths, time=np.array([0.0]))
    missed = [
        float(np.linalg.norm(mechanical_ground(
            paths, down("r"), force, moment, MASS, seen
        ).missed_moment))
        for seen in (True, False)
    ]  # fmt: skip
    assert missed[1] > 1.2 * missed[0] > 0.0


def test_less_friction_gives_less_along_the_floor() -> None:
    paths, force = stander(1), WEIGHT * np.array([[0.3, 1.0, 0.0]])
    moment = np.cross(paths.points["center_of_mass"], force)
    smooth = mechanical_ground(
        paths, down("r"), force, moment, MASS, True, MechanicsSettings(friction=0.1)
    ).reaction.force[0, 0]
    rough = mechanical_ground(paths, down("r"), force, moment, MASS, True).reaction.force[0, 0]
    assert smooth[0] <= 0.1 * smooth[1] + 1e-6 and rough[0] > 0.2 * rough[1]


def test_points_that_mechanics_need_are_named() -> None:
    paths = stander()
    points = {n: p for n, p in paths.points.items() if n not in ("toe_l", "center_of_mass")}
    with pytest.raises(CaptureError, match="no toe_l, center_of_mass"):
        mechanical_ground(
            replace(paths, points=points), down("r"), np.zeros((3, 3)), np.zeros((3, 3)), MASS,
            True,
        )  # fmt: skip


# --- contacts and their phases --------------------------------------------------------

TIME = 3.0 + np.arange(300) / 100.0


@pytest.mark.parametrize(("landing", "stand"), [(3.715, False), (3.685, True)])
def test_two_feet_stand_when_both_are_down_for_half_a_second(
    landing: float, stand: bool
) -> None:
    # From the landing to 4.2 s: 49 frames, or 52.
    given = Contacts((Contact(3.2, 4.2),), (Contact(landing, landing + 1.0),), "force")
    _, share, _, standing = loading(TIME, given)
    both = (landing < TIME) & (TIME <= 4.2 + 1e-9)
    assert standing.any() == stand and (standing == (both & stand)).all()
    assert (share[both] == 0.5).all() == stand


@pytest.mark.parametrize(("apart", "stand"), [(0.02, True), (0.03, False)])
def test_two_feet_stand_when_they_came_within_a_twentieth_of_their_stance(
    apart: float, stand: bool
) -> None:
    given = Contacts((Contact(3.2, 3.7),), (Contact(3.2 + apart, 3.7 + apart),), "force")
    assert loading(TIME, given)[3].any() == stand


def test_contacts_are_widened_at_both_ends_and_nobody_is_down_without_any() -> None:
    down_, share, phase, standing = loading(TIME, Contacts((), (), "force"))
    assert not down_.any() and not share.any() and not standing.any()
    assert (phase == 0.5).all()
    given = Contacts((Contact(3.50, 3.80),), (), "force")
    assert TIME[loading(TIME, given)[0][:, 0]][[0, -1]] == pytest.approx([3.5, 3.8])
    wide = loading(TIME, given, 0.02)[0]
    assert TIME[wide[:, 0]][[0, -1]] == pytest.approx([3.48, 3.82])


def test_only_recorded_ends_wait_for_the_toes_and_feet_without_toes_keep_theirs() -> None:
    height = 0.02 + 0.5 * np.maximum(TIME - 3.86, 0.0)
    toe = np.column_stack([0 * TIME, height, 0 * TIME])
    paths = AnatomicalPaths(
        TIME, 100.0, {"toe_l": toe}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )
    cut = Contact(3.4, 3.8, True, False)
    given = Contacts((Contact(3.2, 3.8),), (Contact(3.2, 3.8), cut, Contact(3.0, 3.7)), "force")
    found = until_the_toes_rise(given, paths)
    assert found.r == given.r and found.l[1] == cut and found.l[2] == given.l[2]
    assert found.l[0].toe_off_s == pytest.approx(3.86, abs=0.015)
