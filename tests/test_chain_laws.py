"""Laws of the whole chain, from a made-up recording to medial and lateral knee loads.

A made-up person squats on two force plates (tests/synthetic_capture.py). The recording
is then seen in a mirror, in another laboratory, with a centre of pressure moved; what
must happen to the loads is known without knowing the loads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kneestride
import numpy as np
import pytest
from kneestride import chain
from kneestride.capture.trial import Trial
from kneestride.loads.knee_balance import ADDUCTION_SIGN, KneeBalance, knee_balance
from kneestride.model.knee import read_knee
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.paths import exact_paths
from kneestride.stages import model_text
from kneestride.vocabulary import GRAVITY, SIDES, Array
from scipy.spatial.transform import Rotation
from synthetic_capture import (
    HEIGHT,
    MASS,
    Squat,
    capture,
    mirrored,
    plates,
    runner,
    squat_pose,
    squatting,
    standing,
    turned,
    twins,
    without,
)

SHIFT = 0.010
"""m, of the right centre of pressure towards medial."""
WEIGHT = MASS * GRAVITY
DISTAL = ("tibia", "knee_frame", "talus", "calcn", "toes")


def seen(trial: Trial) -> Trial:
    # The set's one collar-bone marker is on its right end and has no twin.
    return without(trial, "CLAV")


def loads(trial: Trial, static: Trial) -> kneestride.Results:
    return kneestride.analyse(seen(trial), static=seen(static), mass=MASS, height=HEIGHT)


@pytest.fixture(scope="module", autouse=True)
def one_fit() -> Iterator[None]:
    """Fit a person once: same static trial, same markers, same model."""
    fit: Callable[..., Any] = chain.fit_subject
    known: dict[bytes, Any] = {}

    def remembered(
        generic: Any, subject: Any, motion: Any, names: Any, static: Any, static_names: Any
    ) -> Any:
        key = repr(motion.names).encode() + np.round(static.positions, 9).tobytes()
        if key not in known:
            known[key] = fit(generic, subject, motion, names, static, static_names)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "fit_subject", remembered)
        yield


@cache
def squat() -> kneestride.Results:
    return loads(squatting(), standing())


@cache
def still() -> kneestride.Results:
    """Standing on both plates with 55 % of the weight on the right."""
    upright = Squat(depth=0.0, lean=0.0, knee_in=0.0, frames=50)
    q = squat_pose(upright)
    return loads(capture(q, plates(q, upright), "still"), standing())


def knee_of(results: kneestride.Results, name: str) -> Array:
    assert results.knee is not None
    values: Array = getattr(results.knee, name)
    assert np.isfinite(values).all()
    return values


# --- what the chain sees ------------------------------------------------------------------


def test_the_angles_that_moved_the_markers_come_back() -> None:
    """Within what a 6 Hz low-pass and the soft pulls of unseen rotations take away."""
    found, made = squat().motion, squat_pose(Squat())
    body = runner()
    for name in ("knee_angle_r", "hip_flexion_l", "ankle_angle_r", "hip_rotation_r"):
        ours = found.q[:, found.coordinates.index(name)]
        error = np.degrees(np.abs(ours - made[:, body.coordinate(name)]))
        assert error.max() < 1.0, name
    assert squat().summary["task"] == "squat"


def test_compartments_add_up_to_the_total() -> None:
    for results in (squat(), still()):
        both = knee_of(results, "medial") + knee_of(results, "lateral")
        np.testing.assert_allclose(knee_of(results, "total"), both, atol=1e-6)


# --- gravity alone ------------------------------------------------------------------------


def test_a_standing_knee_carries_weight_and_muscles() -> None:
    """Axial contact = (ground reaction − weight below the knee) along the shank + pulls."""
    results = still()
    model, body, rotation, _ = _posed(results)
    knees = read_knee(model)
    centers = np.array([knees[side].joint_center for side in SIDES])
    q = results.motion.q
    paths = exact_paths(model_text(model), body.coordinates, q, centers)
    assert results.muscles is not None and results.ground is not None
    for s, side in enumerate(SIDES):
        below = sum(body.tree.mass[body.body(f"{n}_{side}")] for n in DISTAL)
        shank = rotation[:, body.body(f"tibia_{side}"), :, 1]
        carried = (results.ground.force[:, s, 1] - below * GRAVITY) * shank[:, 1]
        carried += shank[:, 0] * results.ground.force[:, s, 0]
        pulls = np.einsum(
            "tm,tm->t", results.muscles.force, paths.tibia_wrench[:, :, s, 1]
        )  # upwards on the tibia
        pulls += _collateral_pull(results, knees, s)
        np.testing.assert_allclose(knee_of(results, "total")[:, s], carried + pulls, atol=0.5)


def test_a_standing_knees_adduction_moment_is_that_of_its_forces() -> None:
    """Ground reaction and weights of shank and foot about the knee centre, by hand."""
    results = still()
    model, body, rotation, position = _posed(results)
    assert results.ground is not None
    for s, side in enumerate(SIDES):
        tibia = body.body(f"tibia_{side}")
        center = read_knee(model)[side].joint_center
        knee = position[:, tibia] + rotation[:, tibia] @ center
        moment = np.cross(results.ground.point[:, s] - knee, results.ground.force[:, s])
        for part in DISTAL:
            b = body.body(f"{part}_{side}")
            at = position[:, b] + rotation[:, b] @ body.tree.com[b]
            moment += np.cross(at - knee, [0.0, -body.tree.mass[b] * GRAVITY, 0.0])
        about_x = np.einsum("ti,ti->t", moment, rotation[:, tibia, :, 0])
        np.testing.assert_allclose(
            knee_of(results, "adduction_moment")[:, s], ADDUCTION_SIGN[s] * about_x, atol=0.05
        )


def test_both_feet_together_carry_the_body() -> None:
    ground = still().ground
    assert ground is not None
    np.testing.assert_allclose(ground.force[:, :, 1].sum(axis=1), WEIGHT, rtol=1e-6)


def _posed(results: kneestride.Results) -> tuple[Any, Multibody, Array, Array]:
    """The fitted model and where its bodies were."""
    with tempfile.TemporaryDirectory(prefix="kneestride-test-") as folder:
        path = Path(folder) / "model.osim"
        path.write_text(results.model_xml, encoding="utf-8")
        model = load_model(path)
    body = Multibody.from_osim(model)
    return model, body, *body.poses(results.motion.q)


def _collateral_pull(results: kneestride.Results, knees: Any, s: int) -> Array:
    """Upward pull of the collaterals on the tibia, N: tension times direction."""
    _, body, rotation, position = _posed(results)
    bones = [[body.body(f"{bone}_{side}") for side in SIDES] for bone in ("tibia", "femur")]
    tibia, femur = ((rotation[:, b], position[:, b]) for b in bones)
    found: KneeBalance = knee_balance(knees, np.zeros((len(rotation), 2, 6)), tibia, femur)
    along = found.collateral[:, s, :, 1]
    tension = [knee_of(results, f"collateral_{edge}")[:, s] for edge in ("medial", "lateral")]
    return np.asarray(along[:, 0] * tension[0] + along[:, 1] * tension[1])


# --- the centre of pressure ---------------------------------------------------------------


@cache
def shifted() -> kneestride.Results:
    return loads(squatting(Squat(medial=(SHIFT, 0.0))), standing())


def test_a_medial_centre_of_pressure_adds_force_times_shift() -> None:
    """10 mm of the right one towards medial: F · 10 mm about the tibia's front axis."""
    before, after = squat(), shifted()
    assert before.ground is not None and after.ground is not None
    moved = after.ground.point[:, 0] - before.ground.point[:, 0]
    np.testing.assert_allclose(moved, np.tile([0.0, 0.0, -SHIFT], (len(moved), 1)), atol=1e-6)
    _, body, rotation, _ = _posed(before)
    front = rotation[:, body.body("tibia_r"), :, 0]
    vector = np.cross([0.0, 0.0, -SHIFT], before.ground.force[:, 0])
    expected = ADDUCTION_SIGN[0] * np.einsum("ti,ti->t", vector, front)
    change = knee_of(after, "adduction_moment") - knee_of(before, "adduction_moment")
    np.testing.assert_allclose(change[:, 0], expected, atol=1e-3)
    assert change[:, 0].min() > 0.0  # towards medial is into adduction
    np.testing.assert_allclose(change[:, 1], 0.0, atol=1e-6)


def test_a_medial_centre_of_pressure_loads_the_medial_side() -> None:
    before, after = squat(), shifted()
    medial, lateral = ((knee_of(after, c) - knee_of(before, c)) for c in ("medial", "lateral"))
    assert medial[:, 0].min() > 0.0
    assert lateral[:, 0].max() < 0.0
    np.testing.assert_allclose(medial[:, 1], 0.0, atol=1e-3)
    np.testing.assert_allclose(lateral[:, 1], 0.0, atol=1e-3)


def test_the_shifted_load_is_the_moment_over_the_spacing() -> None:
    """Statics of two contact points, as far as muscles do not answer the frontal moment."""
    before, after = squat(), shifted()
    change = (
        knee_of(after, "adduction_moment")[:, 0] - knee_of(before, "adduction_moment")[:, 0]
    )
    model, *_ = _posed(before)
    knee = read_knee(model)["r"]
    spacing = np.linalg.norm(knee.medial_compartment - knee.lateral_compartment)
    by_statics = change / spacing
    moved = knee_of(after, "split_medial")[:, 0] - knee_of(before, "split_medial")[:, 0]
    assert np.median(moved / by_statics) == pytest.approx(1.0, abs=0.25)


# --- mirror and laboratory ----------------------------------------------------------------

COLUMNS = ("medial", "lateral", "total", "patellofemoral")
SAME_N = 1.5
"""N of loads up to 2500 N: what the stopping rules of the fit leave."""


@cache
def in_a_mirror() -> kneestride.Results:
    other = twins(squatting().markers.names)
    return loads(mirrored(squatting(), other), mirrored(standing(), other))


@pytest.mark.parametrize("column", COLUMNS)
def test_in_a_mirror_the_legs_change_places(column: str) -> None:
    here, there = squat(), in_a_mirror()
    np.testing.assert_allclose(
        knee_of(there, column)[:, ::-1], knee_of(here, column), atol=SAME_N
    )


def test_in_a_mirror_the_adduction_moments_change_places() -> None:
    here, there = squat(), in_a_mirror()
    for name in ("adduction_moment", "flexion_moment"):
        np.testing.assert_allclose(
            knee_of(there, name)[:, ::-1], knee_of(here, name), atol=0.02
        )


TURNS = {
    "Z up, facing Y": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "facing 37° aside": Rotation.from_rotvec([0.0, np.radians(37.0), 0.0]).as_matrix(),
}


@cache
def elsewhere(where: str) -> kneestride.Results:
    turn = TURNS[where]
    return loads(turned(squatting(), turn), turned(standing(), turn))


@pytest.mark.parametrize("where", TURNS)
@pytest.mark.parametrize("column", COLUMNS)
def test_turning_the_laboratory_changes_no_load(column: str, where: str) -> None:
    np.testing.assert_allclose(
        knee_of(elsewhere(where), column), knee_of(squat(), column), atol=SAME_N
    )


@pytest.mark.parametrize("where", TURNS)
def test_turning_the_laboratory_changes_no_joint_angle(where: str) -> None:
    here, there = squat().motion, elsewhere(where).motion
    joints = [i for i, n in enumerate(here.coordinates) if not n.startswith("pelvis_")]
    np.testing.assert_allclose(there.q[:, joints], here.q[:, joints], atol=np.radians(0.02))
