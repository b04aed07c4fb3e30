"""Fitted muscle geometry is exact geometry to a stated tolerance, or is replaced by it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from kneestride.model.path_basis import PIECES, exponents, functions, roughness
from kneestride.model.path_check import FORCE_TOLERANCE, MOMENT_TOLERANCE, path_errors
from kneestride.model.path_fits import PathFit, fit_paths, muscle_paths
from kneestride.model.path_store import PathCache, user_cache
from kneestride.model.paths import MusclePaths
from kneestride.vocabulary import SIDES, Array
from toy_standing import toy

FRAMES = 800


@cache
def motion() -> Array:
    """Strides of the toy that differ a little from each other."""
    names, rng = toy().geometry.coordinates, np.random.default_rng(6)
    phase = np.linspace(0, 2 * np.pi * 7, FRAMES)
    q = np.zeros((FRAMES, len(names)))
    for side, turn in zip(SIDES, (0.0, np.pi), strict=True):
        for stem, mean, size, harmonic in (
            ("hip_flexion", 0.2, 0.5, 1),
            ("hip_adduction", 0.0, 0.12, 1),
            ("hip_rotation", 0.0, 0.1, 2),
            ("knee_angle", 0.7, 0.6, 2),
            ("knee_adduction", 0.0, 0.04, 1),
            ("knee_rotation", 0.0, 0.12, 1),
            ("ankle_angle", 0.0, 0.4, 2),
            ("subtalar_angle", 0.0, 0.15, 1),
        ):
            drift = 1 + 0.1 * np.sin(phase / 5 + rng.uniform(0, 6))
            at = names.index(f"{stem}_{side}")
            q[:, at] = mean + size * drift * np.sin(
                harmonic * (phase + turn) + rng.uniform(0, 2)
            )
    q[:, names.index("pelvis_rotation")] = 0.1 * np.sin(phase)
    return q


@cache
def fitted() -> PathFit:
    return fit_paths(toy().geometry, motion())


@cache
def exact() -> MusclePaths:
    return toy().geometry.evaluate(motion())


def arrays(paths: MusclePaths) -> tuple[Array, ...]:
    assert paths.patella_force is not None
    return paths.length, paths.moment_arm, paths.tibia_wrench, paths.patella_force


def test_basis_holds_every_polynomial_of_its_degree() -> None:
    rng = np.random.default_rng(0)
    u = rng.uniform(-1, 1, (80, 3))
    a = functions(u, exponents(np.full(3, 1.0)), np.array([], dtype=np.int64))
    target = 2 * u[:, 0] ** 3 - u[:, 0] * u[:, 1] * u[:, 2] + u[:, 1] ** 2 - 0.3
    found = np.linalg.lstsq(a, target, rcond=None)[0]
    np.testing.assert_allclose(a @ found, target, atol=1e-12)


def test_splines_add_up_to_one_and_to_the_other_coordinate() -> None:
    u = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    powers, splined = exponents(np.full(2, 1.0)), np.array([1])
    a, n = functions(u, powers, splined), len(powers)
    assert a.shape[1] == len(roughness(powers, splined))
    np.testing.assert_allclose(a[:, n : n + PIECES + 3].sum(axis=1), 1.0)
    np.testing.assert_allclose(a[:, n + PIECES + 3 :].sum(axis=1), u[:, 0])


def test_narrow_ranges_get_low_degrees() -> None:
    assert exponents(np.array([1.0, 0.05])).max(axis=0).tolist() == [3, 2]


def test_short_motions_are_exact() -> None:
    names = toy().geometry.coordinates
    found, report = muscle_paths(toy().geometry, names, motion()[:5])
    for a, b in zip(arrays(found), arrays(toy().geometry.evaluate(motion()[:5])), strict=True):
        np.testing.assert_array_equal(a, b)
    assert report.note == "Muscle geometry: exact at all 5 frames."


def test_long_motions_agree_with_exact_geometry_at_every_frame() -> None:
    found, report = muscle_paths(toy().geometry, toy().geometry.coordinates, motion())
    assert report.samples and report.checked and not report.exact_muscles
    errors = path_errors(found, exact(), toy().geometry)
    assert errors.length.max() < 2e-4
    assert errors.moment.max() < MOMENT_TOLERANCE
    assert errors.force.max() < FORCE_TOLERANCE
    assert report.errors is not None
    # What the held-out frames promised is what all frames keep.
    assert errors.moment.max() < 2 * report.errors.moment.max()


def test_the_same_motion_gives_the_same_fit() -> None:
    again = fit_paths(toy().geometry, motion())
    for a, b in zip(fitted().groups, again.groups, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)


def test_a_wrong_fit_is_found_out_and_replaced() -> None:
    at = toy().geometry.names.index("gasmed_r")
    groups = []
    for group in fitted().groups:
        weights = group.weights.copy()
        first = len(group.length)
        arms = np.flatnonzero(group.moment_arm // len(fitted().coordinates) == at)
        weights[0, first + arms] += 0.002
        groups.append(replace(group, weights=weights))
    wrong = replace(fitted(), groups=tuple(groups))
    found, report = muscle_paths(
        toy().geometry, toy().geometry.coordinates, motion(), fit=wrong
    )
    assert report.exact_muscles == ("gasmed_r",)
    assert "Exact throughout: gasmed_r." in report.note
    for a, b in zip(arrays(found), arrays(exact()), strict=True):
        np.testing.assert_allclose(a[:, at], b[:, at], atol=1e-12)


def test_poses_far_from_the_motion_are_exact() -> None:
    q = motion()[:100].copy()
    q[40:43, toy().geometry.coordinates.index("hip_adduction_r")] += 0.6
    found, report = muscle_paths(toy().geometry, toy().geometry.coordinates, q, fit=fitted())
    assert report.outside == 3
    for a, b in zip(arrays(found), arrays(toy().geometry.evaluate(q[40:43])), strict=True):
        np.testing.assert_allclose(a[40:43], b, atol=1e-12)


def test_frames_of_the_motion_itself_are_never_outside() -> None:
    assert not fitted().outside(motion()).any()


def test_turning_the_whole_body_turns_the_patella_force_and_nothing_else() -> None:
    body, q = toy().multibody, motion()[:10].copy()
    geometry = toy().geometry
    turned = q.copy()
    turned[:, geometry.coordinates.index("pelvis_rotation")] += 1.0
    rotation = [body.poses(x)[0] for x in (q, turned)]
    a, b = (
        fitted().evaluate(x, r[:, geometry.patella])
        for x, r in zip((q, turned), rotation, strict=True)
    )
    for before, after in zip(arrays(a)[:3], arrays(b)[:3], strict=True):
        np.testing.assert_array_equal(before, after)
    pelvis = body.body("pelvis")
    turn = rotation[1][:, pelvis] @ rotation[0][:, pelvis].transpose(0, 2, 1)
    assert a.patella_force is not None and b.patella_force is not None
    moved = np.einsum("tij,tmsj->tmsi", turn, a.patella_force)
    np.testing.assert_allclose(b.patella_force, moved, atol=1e-12)


def test_a_kept_fit_is_the_fit(tmp_path: Path) -> None:
    file = tmp_path / "toy.osim"
    toy().model.printToXML(str(file))
    store = PathCache(tmp_path / "cache")
    key = store.key(file, toy().geometry.centers, motion())
    assert store.load(key) is None
    assert key != store.key(file, toy().geometry.centers, motion() + 1e-9)
    assert key == store.key(file.read_text(), toy().geometry.centers, motion())
    store.save(key, fitted())
    kept = store.load(key)
    assert kept is not None
    rotation = toy().multibody.poses(motion())[0][:, toy().geometry.patella]
    for a, b in zip(
        arrays(kept.evaluate(motion(), rotation)),
        arrays(fitted().evaluate(motion(), rotation)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(kept.outside(motion()), fitted().outside(motion()))


def test_a_damaged_file_in_the_cache_is_no_fit(tmp_path: Path) -> None:
    store = PathCache(tmp_path)
    store.save("fit", fitted())
    file = tmp_path / "fit.npz"
    file.write_bytes(file.read_bytes()[:1000])
    assert store.load("fit") is None


def test_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KNEESTRIDE_CACHE", str(tmp_path))
    assert user_cache() == tmp_path
    monkeypatch.setenv("KNEESTRIDE_CACHE", "")
    assert user_cache() is None and PathCache.of_user() is None
