"""Segment sizes from a motion alone: known people come back, whatever the markers suffer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.model.fitting import CLUSTER_SIGMA, MOTION_SIGMA_DEG, pose_priors
from kneestride.model.motion_scaling import (
    RUNNING_EXCESS,
    MotionScaling,
    estimate_sizes,
    is_airborne,
    segment_lengths,
    spread_frames,
)
from kneestride.model.multibody import Multibody
from kneestride.model.scaling import LARGEST_CHANGE, PosePriors, Targets, fit, stature
from kneestride.vocabulary import SIDES, Array
from synthetic_capture import lively, marker_tasks, runner
from test_scaling import lower_body, person, targets

LONG_THIGHS = {"femur_r": 1.05, "femur_l": 1.05, "tibia_r": 0.97, "tibia_l": 0.97}
LEG = ("thigh_r", "thigh_l", "shank_r", "shank_l")


def moving(
    sizes: dict[str, float], *, clusters: bool, noise: float = 0.0, seed: int = 3
) -> tuple[Targets, Array, Multibody]:
    """Thirty frames of a made-up person's legs; with `clusters` no place on a leg is known."""
    made, scale, torsion = person(sizes)
    _, q = lively(90, seed, size=0.8)
    q = q[::3]
    goal = lower_body(targets(made, scale, torsion, q, sigma=5e-3, noise=8e-3))
    if clusters:
        leg = [made.body(f"{b}_{s}") for b in ("femur", "tibia") for s in SIDES]
        loose = np.where(np.isin(goal.body, leg), CLUSTER_SIGMA, goal.sigma)
        goal = replace(goal, sigma=loose)
    rng = np.random.default_rng(seed)
    shaken = goal.positions + rng.normal(size=goal.positions.shape) * noise
    return replace(goal, positions=shaken), q, made


def sized(
    goal: Targets, q: Array, height: float, weights: Array | None = None, skin: bool = False
) -> MotionScaling:
    body = runner()
    value, sigma = pose_priors(body, MOTION_SIGMA_DEG)
    free = np.asarray(body.informed_by(goal.body), dtype=bool)
    return estimate_sizes(
        body, goal, PosePriors(value, sigma, free), q, height, weights=weights, skin=skin
    )


def wrong(found: MotionScaling, made: Multibody) -> float:
    """Largest relative error of a leg's lengths."""
    _, position = made.poses(np.zeros((1, len(made.coordinates))))
    worst = 0.0
    for name in LEG:
        stem, side = name.split("_")
        ends = ("femur", "tibia") if stem == "thigh" else ("tibia", "talus")
        a, b = (position[0, made.body(f"{e}_{side}")] for e in ends)
        worst = max(worst, abs(found.lengths[name].value / float(np.linalg.norm(a - b)) - 1))
    return worst


def test_lengths_come_back_from_landmarks_in_motion() -> None:
    goal, q, made = moving(LONG_THIGHS, clusters=False)
    assert wrong(sized(goal, q, stature(made)), made) < 0.01


def test_lengths_come_back_from_tracking_markers_alone() -> None:
    goal, q, made = moving(LONG_THIGHS, clusters=True)
    goal = replace(goal, noise=1e-3)
    assert wrong(sized(goal, q, stature(made)), made) < 0.02


def test_noise_of_key_points_moves_lengths_little() -> None:
    """Twenty millimetres on every point of every frame."""
    goal, q, made = moving(LONG_THIGHS, clusters=False, noise=0.02)
    goal = replace(goal, noise=0.02)
    assert wrong(sized(goal, q, stature(made)), made) < 0.02


def thrown(goal: Targets) -> tuple[Targets, Array]:
    """One sample in twenty 0.3 m off, and which."""
    rng = np.random.default_rng(8)
    hit = rng.random(goal.positions.shape[:2]) < 0.05
    away = rng.normal(size=(*hit.shape, 3))
    away *= 0.3 / np.linalg.norm(away, axis=2, keepdims=True)
    return replace(goal, positions=goal.positions + hit[..., None] * away), hit


def test_outliers_lose_their_weight() -> None:
    goal, q, made = moving(LONG_THIGHS, clusters=False, noise=0.003)
    bad, hit = thrown(goal)
    found = sized(bad, q, stature(made))
    assert wrong(found, made) < 0.01
    assert float(np.median(found.fit.weight[hit])) < 0.1
    assert float(np.median(found.fit.weight[~hit])) > 0.9


def test_without_the_robust_loss_the_same_outliers_harm() -> None:
    """So that the test above tests something."""
    goal, q, made = moving(LONG_THIGHS, clusters=False, noise=0.003)
    bad, _ = thrown(goal)
    body = runner()
    value, sigma = pose_priors(body, MOTION_SIGMA_DEG)
    free = np.asarray(body.informed_by(goal.body), dtype=bool)
    plain = fit(body, bad, PosePriors(value, sigma, free), q, stature(made))
    robust = sized(bad, q, stature(made)).fit
    still = sized(goal, q, stature(made)).fit
    harm = [float(np.abs(np.log(f.scale / still.scale)).max()) for f in (plain, robust)]
    assert harm[0] > 3 * harm[1]


def test_a_point_without_confidence_has_no_say() -> None:
    goal, q, made = moving({}, clusters=False)
    k = next(i for i, n in enumerate(goal.names) if n == "RLFC")
    off = goal.positions.copy()
    off[:, k] += 0.05
    weights = np.ones(off.shape[:2])
    weights[:, k] = 0.0
    moved = sized(replace(goal, positions=off), q, stature(made), weights)
    left_out = sized(goal, q, stature(made), weights)
    np.testing.assert_allclose(moved.fit.scale, left_out.fit.scale, atol=1e-9)


def test_a_hidden_leg_is_as_long_as_the_other() -> None:
    goal, q, made = moving(LONG_THIGHS, clusters=False)
    hidden = goal.positions.copy()
    left = [k for k, b in enumerate(goal.body) if runner().bodies[b].endswith("_l")]
    hidden[:, left] = np.nan
    found = sized(replace(goal, positions=hidden), q, stature(made)).lengths
    for stem in ("thigh", "shank"):
        seen, guessed = found[f"{stem}_r"], found[f"{stem}_l"]
        assert guessed.value == pytest.approx(seen.value, rel=0.01)
        assert guessed.error > seen.error


def test_what_nothing_tells_keeps_the_proportions_of_the_height() -> None:
    goal, q, _ = moving({}, clusters=False)
    blind = replace(goal, sigma=np.full(goal.sigma.shape, 10.0), noise=10.0)
    found = sized(blind, q, 1.1 * stature(runner()))
    assert found.stature == pytest.approx(1.1 * stature(runner()), rel=0.01)
    assert found.lengths["thigh_r"].error > 0.03 * found.lengths["thigh_r"].value


def test_sizes_stay_within_bounds_whatever_the_markers_say() -> None:
    goal, q, made = moving({}, clusters=False)
    tiny = replace(goal, positions=goal.positions * 0.2)
    found = sized(tiny, q, stature(made))
    assert np.abs(np.log(found.fit.scale)).max() < LARGEST_CHANGE + 0.01


def test_mirrored_markers_give_mirrored_lengths() -> None:
    sizes = {"femur_r": 1.05, "tibia_l": 0.97}
    made, scale, torsion = person(sizes)
    other, other_scale, _ = person({"femur_l": 1.05, "tibia_r": 0.97})
    q = np.tile(runner().default, (6, 1))
    q[:, runner().coordinate("knee_angle_r")] = np.linspace(0.1, 1.2, 6)
    q[:, runner().coordinate("knee_angle_l")] = np.linspace(0.1, 1.2, 6)
    here = sized(targets(made, scale, torsion, q, sigma=5e-3, noise=5e-3), q, 1.7)
    there = sized(targets(other, other_scale, torsion, q, sigma=5e-3, noise=5e-3), q, 1.7)
    for stem in ("thigh", "shank", "foot"):
        for a, b in (("r", "l"), ("l", "r")):
            assert here.lengths[f"{stem}_{a}"].value == pytest.approx(
                there.lengths[f"{stem}_{b}"].value, rel=1e-3
            )


def test_the_same_markers_give_the_same_bits() -> None:
    goal, q, made = moving(LONG_THIGHS, clusters=True, noise=0.005)
    one, two = (sized(goal, q, stature(made)) for _ in range(2))
    np.testing.assert_array_equal(one.fit.scale, two.fit.scale)


def test_standard_errors_cover_what_noise_does() -> None:
    """Over eight draws of noise the errors stay within three standard errors."""
    z = []
    for seed in range(8):
        goal, q, made = moving({}, clusters=False, noise=0.02, seed=seed)
        found = sized(replace(goal, noise=0.02), q, stature(made)).lengths
        true = segment_lengths(runner(), sized(*moving({}, clusters=False)[:2], 1.7).fit)
        z += [(found[n].value - true[n].value) / found[n].error for n in LEG]
    assert np.abs(z).max() < 3.0


def test_a_wrong_height_is_told() -> None:
    goal, q, made = moving({}, clusters=False)
    right = sized(goal, q, stature(made))
    assert right.warnings == ()
    found = sized(goal, q, 1.25 * stature(made))
    assert len(found.warnings) == 1
    assert "less than" in found.warnings[0] and "--height" in found.warnings[0]


def running(frames: int = 60) -> Array:
    """Coordinates of a made-up run: flight twice a stride, heels high in swing."""
    body, phase = runner(), np.linspace(0, 4 * np.pi, frames)
    q = np.tile(body.default, (frames, 1))
    for side, lag in (("r", 0.0), ("l", np.pi)):
        swing = 0.5 + 0.5 * np.sin(phase + lag)
        q[:, body.coordinate(f"knee_angle_{side}")] = 0.3 + 1.5 * swing**2
        q[:, body.coordinate(f"hip_flexion_{side}")] = 0.2 + 0.6 * np.cos(phase + lag)
    q[:, body.coordinate("pelvis_ty")] = 0.95 + 0.05 * np.cos(2 * phase)
    return q


def test_a_run_is_told_from_standing_on_one_leg_and_its_excess_taken_off() -> None:
    made, scale, torsion = person({})
    q = running()
    goal = targets(made, scale, torsion, q, sigma=5e-3, noise=8e-3)
    assert is_airborne(runner(), goal, stature(made))
    low = np.tile(runner().default, (len(q), 1))
    low[:, runner().coordinate("knee_angle_r")] = q[:, runner().coordinate("knee_angle_r")]
    assert not is_airborne(
        runner(), targets(made, scale, torsion, low, sigma=5e-3, noise=8e-3), stature(made)
    )
    skin, points = (sized(goal, q, stature(made), skin=s).lengths for s in (True, False))
    for side in SIDES:
        shorter = points[f"shank_{side}"].value / skin[f"shank_{side}"].value
        assert np.log(shorter) == pytest.approx(RUNNING_EXCESS["shank length"], abs=0.006)


def test_rare_poses_are_among_the_frames_chosen() -> None:
    """One squat in a minute of standing."""
    positions = np.zeros((6000, 4, 3))
    positions[:, :, 1] = [1.4, 1.0, 0.5, 0.1]
    down = 0.4 * np.sin(np.linspace(0, np.pi, 200)) ** 2
    positions[3000:3200, :2, 1] -= down[:, None]
    rng = np.random.default_rng(1)
    positions += rng.normal(size=positions.shape) * 1e-3
    chosen = spread_frames(positions, 60)
    assert len(chosen) <= 60 and (np.diff(chosen) > 0).all()
    depth = 1.4 - positions[chosen, 0, 1]
    assert (depth > 0.1).sum() > 10
    hidden = positions.copy()
    hidden[::2, :2] = np.nan
    assert (spread_frames(hidden, 60) % 2 == 1).all()


def test_a_handful_of_frames_is_all_taken() -> None:
    positions = np.zeros((7, len(marker_tasks().names), 3))
    np.testing.assert_array_equal(spread_frames(positions, 60), np.arange(7))
