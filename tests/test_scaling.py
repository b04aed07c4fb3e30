"""A person's sizes from a person's markers: known people come back as they were made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.capture.markersets import Recognition, landmark_table, recognise
from kneestride.capture.trial import Markers, Subject
from kneestride.errors import CaptureError, MarkerSetError
from kneestride.model.fitting import (
    CLUSTER_SIGMA,
    FittedSubject,
    fit_subject,
    pose_priors,
    quiet_mean,
)
from kneestride.model.multibody import Multibody, rotation_about_y
from kneestride.model.osim import load_model
from kneestride.model.places import expected_places, implied_centers
from kneestride.model.scaling import Fit, PosePriors, Targets, fit, leg_length, stature
from kneestride.model.tables import RUNNER_MODEL
from kneestride.vocabulary import SIDES, Array
from scipy.spatial.transform import Rotation
from synthetic_capture import (
    HEIGHT,
    MASS,
    RATE,
    capture,
    lively,
    marker_tasks,
    mirrored,
    runner,
    standing,
    turned,
    twins,
    without,
)

CONVERGED = 3e-4
"""Scale factors and radians; where the fit stops is known to no better than this."""
FREE_SIGMA = {"knee_adduction": 3.0, "knee_rotation": 2.0, "subtalar_angle": 6.0}


def person(
    lengths: dict[str, float], torsion: tuple[float, float] = (0.0, 0.0)
) -> tuple[Multibody, Array, Array]:
    """A stretched and twisted runner: body, scale (B, 3), torsion (2,)."""
    body = runner()
    scale = np.ones((len(body.bodies), 3))
    same_limb = {"femur": ("femur", "patella"), "tibia": ("tibia", "knee_frame")}
    for name, factor in lengths.items():
        stem, side = name[:-2], name[-1]
        for part in same_limb[stem]:
            scale[body.body(f"{part}_{side}"), 1] = factor
    twist = np.array(torsion)
    return body.scaled(scale).twisted(twist), scale, twist


def targets(
    made: Multibody, scale: Array, torsion: Array, q: Array, *, sigma: float, noise: float
) -> Targets:
    """Noiseless targets of a made-up person; landmarks are where the table has them."""
    body, tasks = runner(), marker_tasks()
    generic = np.array(tasks.station)
    turned_by = np.array(
        [SIDES.index("r" if n[0] == "R" else "l") if "MAL" in n else -1 for n in tasks.names]
    )
    place = generic * scale[tasks.body]
    for s in range(2):
        mine = turned_by == s
        place[mine] = place[mine] @ rotation_about_y(float(torsion[s])).T
    rotation, position = made.poses(q)
    seen = position[:, tasks.body] + np.einsum("fkij,kj->fki", rotation[:, tasks.body], place)
    assert len(body.bodies) == len(scale)
    spread = np.full(len(tasks.names), sigma)
    return Targets(tasks.names, tasks.body, generic, spread, seen, noise, turned_by)


def lower_body(goal: Targets) -> Targets:
    """Targets of pelvis and legs."""
    names = [runner().bodies[b] for b in goal.body]
    keep = [
        k
        for k, n in enumerate(names)
        if n.startswith(("pelvis", "femur", "tibia", "calcn", "toes"))
    ]
    return replace(
        goal,
        names=tuple(goal.names[k] for k in keep),
        body=goal.body[keep],
        station=goal.station[keep],
        sigma=goal.sigma[keep],
        positions=goal.positions[:, keep],
        turned=goal.turned[keep],
    )


def fitted(goal: Targets, q: Array, height: float, loose: dict[str, float] = FREE_SIGMA) -> Fit:
    body = runner()
    value, sigma = pose_priors(body, loose)
    free = np.asarray(body.informed_by(goal.body), dtype=bool)
    return fit(body, goal, PosePriors(value, sigma, free), q, height)


@pytest.fixture(scope="module")
def stretched() -> tuple[Fit, Array, Array]:
    """One static frame of somebody with a short right thigh and twisted shanks."""
    made, scale, torsion = person(
        {"femur_r": 1.04, "femur_l": 1.05, "tibia_r": 0.97, "tibia_l": 0.97}, (0.12, -0.2)
    )
    q = runner().default[None].copy()
    goal = targets(made, scale, torsion, q, sigma=1e-4, noise=1e-4)
    return fitted(goal, q, stature(made)), scale, torsion


def test_known_scale_factors_come_back(stretched: tuple[Fit, Array, Array]) -> None:
    found, scale, _ = stretched
    body = runner()
    for name in ("femur_r", "femur_l", "tibia_r", "tibia_l", "pelvis"):
        np.testing.assert_allclose(
            found.scale[body.body(name)], scale[body.body(name)], atol=2e-3, err_msg=name
        )
    assert found.residual.max() < 1e-3


def test_known_torsion_comes_back(stretched: tuple[Fit, Array, Array]) -> None:
    found, _, torsion = stretched
    np.testing.assert_allclose(found.torsion, torsion, atol=np.radians(0.3))


def test_a_marker_off_its_landmark_is_found_to_be_off() -> None:
    """Twelve millimetres to the front on one thigh marker, in several poses."""
    made, scale, torsion = person({})
    _, q = lively(8, 3, size=0.3)
    goal = targets(made, scale, torsion, q, sigma=1e-3, noise=1e-3)
    k = goal.names.index("RTH2")
    shift = np.array([0.012, 0.0, 0.0])
    rotation, _ = made.poses(q)
    moved = goal.positions.copy()
    moved[:, k] += rotation[:, goal.body[k]] @ shift
    spread = goal.sigma.copy()
    spread[k] = CLUSTER_SIGMA
    found = fitted(replace(goal, positions=moved, sigma=spread), q, HEIGHT, {})
    np.testing.assert_allclose(found.offset[k], shift, atol=1e-3)


def test_lengths_follow_from_movement_when_no_marker_place_is_known() -> None:
    """Tracking markers anywhere on thigh and shank: how they turn gives the joint centres."""
    made, scale, torsion = person({"femur_r": 1.06, "femur_l": 1.06})
    _, q = lively(60, 5, size=0.8)
    q = q[::8]
    goal = lower_body(targets(made, scale, torsion, q, sigma=5e-3, noise=1e-3))
    leg = [made.body(f"{b}_{s}") for b in ("femur", "tibia") for s in SIDES]
    free = np.where(np.isin(goal.body, leg), CLUSTER_SIGMA, goal.sigma)
    found = fitted(replace(goal, sigma=free), q, stature(made), {})
    body = runner()
    thigh = [float(found.scale[body.body(f"femur_{s}"), 1]) for s in SIDES]
    assert thigh == pytest.approx([1.06, 1.06], abs=0.015)


def test_without_markers_a_person_has_the_proportions_of_their_height() -> None:
    """What markers do not tell is the generic shape at the person's size."""
    body = runner()
    made, scale, torsion = person({})
    q = body.default[None].copy()
    goal = targets(made, scale, torsion, q, sigma=10.0, noise=10.0)
    size = 1.1
    found = fitted(goal, q, stature(body) * size)
    np.testing.assert_allclose(found.scale, size, rtol=1e-3)
    np.testing.assert_allclose(found.torsion, 0.0, atol=1e-4)


def test_a_mirrored_person_has_mirrored_sizes() -> None:
    made, scale, torsion = person({"femur_r": 1.05, "tibia_l": 0.96}, (0.1, 0.05))
    flipped, other_scale, other_torsion = person(
        {"femur_l": 1.05, "tibia_r": 0.96}, (-0.05, -0.1)
    )
    q = runner().default[None].copy()
    a = fitted(targets(made, scale, torsion, q, sigma=5e-3, noise=2e-3), q, HEIGHT)
    b = fitted(
        targets(flipped, other_scale, other_torsion, q, sigma=5e-3, noise=2e-3), q, HEIGHT
    )
    body = runner()
    for stem in ("femur", "tibia", "calcn"):
        np.testing.assert_allclose(
            a.scale[body.body(f"{stem}_r")], b.scale[body.body(f"{stem}_l")], atol=CONVERGED
        )
    np.testing.assert_allclose(a.torsion, -b.torsion[::-1], atol=CONVERGED)


def test_stature_and_leg_length_grow_with_the_legs() -> None:
    body = runner()
    taller = body.scaled(np.full((len(body.bodies), 3), 1.2))
    assert leg_length(taller) == pytest.approx(1.2 * leg_length(body), rel=1e-9)
    assert stature(taller) == pytest.approx(1.2 * stature(body), rel=1e-9)
    assert 1.5 < stature(body) < 1.9


# --- what the markers imply ---------------------------------------------------------------


def pelvis_points(width: float = 0.24, depth: float = 0.15) -> dict[str, Array]:
    """Spines of a pelvis that faces X, midpoint of the front ones at the origin."""
    return {
        "asis_r": np.array([[0.0, 0.0, width / 2]]),
        "asis_l": np.array([[0.0, 0.0, -width / 2]]),
        "psis_r": np.array([[-depth, 0.0, 0.04]]),
        "psis_l": np.array([[-depth, 0.0, -0.04]]),
    }


def test_hip_centres_follow_the_published_regression() -> None:
    """Harrington et al. 2007: 240 mm wide, 150 mm deep gives −45.9, −82.9, 86.5 mm."""
    found = implied_centers(pelvis_points())["hip_joint_center_r"][0][0]
    np.testing.assert_allclose(found, [-0.0459, -0.0829, 0.0865], atol=1e-4)


def test_hip_centres_turn_with_the_pelvis_and_mirror() -> None:
    points = pelvis_points()
    turn = Rotation.from_rotvec([0.3, 1.0, -0.2]).as_matrix()
    moved = {n: p @ turn.T + 2.0 for n, p in points.items()}
    here, there = implied_centers(points), implied_centers(moved)
    for side in SIDES:
        name = f"hip_joint_center_{side}"
        np.testing.assert_allclose(there[name][0], here[name][0] @ turn.T + 2.0, atol=1e-12)
    right, left = (here[f"hip_joint_center_{s}"][0] for s in SIDES)
    np.testing.assert_allclose(right, left * [1, 1, -1], atol=1e-12)


def test_the_knee_centre_is_midway_between_the_epicondyles() -> None:
    points = {
        "epicondyle_lateral_l": np.array([[0.1, 0.5, -0.2]]),
        "epicondyle_medial_l": np.array([[0.12, 0.48, -0.1]]),
    }
    found = implied_centers(points)
    np.testing.assert_allclose(found["knee_joint_center_l"][0], [[0.11, 0.49, -0.15]])
    assert "knee_joint_center_r" not in found


def test_the_stillest_half_second_of_standing_is_averaged() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(300) / RATE
    positions = np.zeros((300, 2, 3))
    positions[:, :, 1] = [1.0, 2.0]
    positions[:150] += rng.normal(size=(150, 2, 3)) * 0.02  # shuffling before standing still
    positions[150:] += rng.normal(size=(150, 2, 3)) * 1e-4
    positions[150:, 0, 0] = 0.3
    found = quiet_mean(Markers(("a", "b"), time, RATE, positions))
    assert found.positions.shape == (1, 2, 3)
    np.testing.assert_allclose(found.positions[0, 0], [0.3, 1.0, 0.0], atol=1e-4)


def test_a_marker_hidden_for_a_while_is_averaged_over_the_rest() -> None:
    positions = np.ones((50, 2, 3))
    positions[:20, 1] = np.nan
    found = quiet_mean(Markers(("a", "b"), np.arange(50) / RATE, RATE, positions))
    np.testing.assert_array_equal(found.positions, 1.0)


# --- a person's model ---------------------------------------------------------------------


def names_of(markers: Markers) -> Recognition:
    return recognise(markers.names)


def subject_of(markers: Markers, static: Markers | None, mass: float = MASS) -> FittedSubject:
    return fit_subject(
        load_model(RUNNER_MODEL),
        Subject(mass, HEIGHT),
        markers,
        names_of(markers),
        static,
        None if static is None else names_of(static),
    )


@pytest.fixture(scope="module")
def made_up() -> FittedSubject:
    _, q = lively(10, 2, size=0.3)
    return subject_of(capture(q).markers, standing().markers)


def test_the_model_weighs_what_the_person_weighs(made_up: FittedSubject) -> None:
    assert made_up.body.mass == pytest.approx(MASS, rel=1e-6)


def test_masses_keep_the_generic_proportions(made_up: FittedSubject) -> None:
    generic = runner().tree.mass
    np.testing.assert_allclose(
        made_up.body.tree.mass / made_up.body.mass, generic / generic.sum(), atol=1e-9
    )


def test_the_generic_person_is_fitted_by_the_generic_sizes(made_up: FittedSubject) -> None:
    """Height and markers are the generic model's own: nothing has to be stretched much."""
    for name in ("femur_r", "femur_l", "tibia_r", "tibia_l"):
        assert made_up.scale[name][1] == pytest.approx(1.0, abs=0.02), name
    assert max(made_up.residual.values()) < 0.005


def test_markers_of_the_model_stand_where_the_person_had_them(made_up: FittedSubject) -> None:
    still = quiet_mean(standing().markers)
    assert made_up.static_pose is not None
    rotation, position = made_up.body.poses(made_up.static_pose[None])
    where = position[0, made_up.marker_body] + np.einsum(
        "kij,kj->ki", rotation[0, made_up.marker_body], made_up.marker_station
    )
    given = np.array([still.positions[0, still.names.index(n)] for n in made_up.markers])
    assert np.linalg.norm(where - given, axis=1).max() < 0.006


def test_a_missing_pelvis_is_refused_by_name() -> None:
    _, q = lively(10, 2, size=0.3)
    markers = capture(q).markers
    keep = [i for i, n in enumerate(markers.names) if n not in ("RASI", "LASI", "RPSI")]
    legs = replace(
        markers,
        names=tuple(markers.names[i] for i in keep),
        positions=markers.positions[:, keep],
    )
    with pytest.raises(MarkerSetError, match=r"at least 3 markers on the pelvis .*RASI"):
        names_of(legs)
    # A recording whose pelvis names are known and never seen comes as far as the fit.
    blank = markers.positions.copy()
    blank[:, [i for i in range(len(markers.names)) if i not in keep]] = np.nan
    with pytest.raises(CaptureError) as error:
        subject_of(replace(markers, positions=blank), None)
    assert "at least three pelvis landmarks" in str(error.value) and "LPSI" in str(error.value)


def test_a_person_in_a_mirror_gets_a_mirrored_model() -> None:
    _, q = lively(10, 2, size=0.3)
    # The set's one marker on the collar bone is on its right end.
    moving, still = (without(trial, "CLAV") for trial in (capture(q), standing()))
    positions = still.markers.positions.copy()
    positions[:, still.markers.names.index("RLFC"), 2] += 0.01  # so that sides differ
    still = replace(still, markers=replace(still.markers, positions=positions))
    other = twins(moving.markers.names)
    here = subject_of(moving.markers, still.markers)
    there = subject_of(mirrored(moving, other).markers, mirrored(still, other).markers)
    for name, factors in here.scale.items():
        swap = {"_r": "_l", "_l": "_r"}.get(name[-2:])
        twin = name[:-2] + swap if swap else name
        np.testing.assert_allclose(there.scale[twin], factors, atol=CONVERGED, err_msg=name)


def test_places_are_stretched_to_the_size_of_another_model() -> None:
    body = runner()
    bigger = body.scaled(np.full((len(body.bodies), 3), 1.15))
    here, there = (expected_places(m, landmark_table()) for m in (body, bigger))
    for name, (b, place) in here.items():
        assert there[name][0] == b
        np.testing.assert_allclose(there[name][1], 1.15 * place, rtol=1e-6, err_msg=name)


def test_sizes_do_not_depend_on_where_one_faces() -> None:
    _, q = lively(10, 2, size=0.3)
    turn = Rotation.from_rotvec([0.0, np.pi / 2, 0.0]).as_matrix()
    here = subject_of(capture(q).markers, standing().markers)
    there = subject_of(turned(capture(q), turn).markers, turned(standing(), turn).markers)
    for name, factors in here.scale.items():
        np.testing.assert_allclose(there.scale[name], factors, atol=CONVERGED, err_msg=name)
