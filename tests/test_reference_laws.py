"""The reference runner's body, feet, forces and markers against hand-written answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.capture.landmarks import landmark_table
from kneestride.capture.markersets import load_marker_set
from kneestride.capture.reference import ReferenceStride, bare_name, load_reference
from kneestride.model.places import expected_places
from kneestride.motion import reference_capture as rc
from kneestride.motion import reference_runner as rr
from kneestride.motion.reference_capture import CLUSTERS, CaptureNoise
from kneestride.motion.reference_runner import ReferenceBody, reference_body
from kneestride.vocabulary import GRAVITY, SIDES, Array, Side
from synthetic_capture import runner as generic

EXACT_SKIN: dict[str, float] = {}
STANCE = np.array([0.10, 1.2, 0.05, 0.4, 0.03, 0.01])
"""A reaction that never changes during stance; see `capture.reference.GROUND`."""


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standing recording of fifteen frames."""
    monkeypatch.setattr(rc, "STATIC_SECONDS", 0.1)


def made_up() -> ReferenceStride:
    """The shipped motion with a made-up body and a made-up, constant reaction."""
    shipped = load_reference()
    rng = np.random.default_rng(1)
    scale = {name: rng.uniform(0.9, 1.1, 3) for name in sorted(shipped.scale)}
    return replace(
        shipped, mass=80.0, height=1.9, torsion=0.3, scale=scale, stride_s=0.8, contact_s=0.32,
        speed=3.0, flat=0.35, sole=0.05, ground=np.tile(STANCE, (11, 1)),
        static={"pelvis_tilt": 0.1, "pelvis_ty": 0.4, "hip_flexion": 0.2, "knee_angle": 0.3},
        source="made up",
    )  # fmt: skip


def dressed() -> tuple[ReferenceStride, ReferenceBody]:
    stride = made_up()
    return stride, reference_body(stride, generic())


# --- the body -------------------------------------------------------------------------


def test_a_point_is_its_bodys_place_and_turn() -> None:
    _, worn = dressed()
    q = np.random.default_rng(2).uniform(-0.3, 0.3, (2, len(worn.body.coordinates)))
    rotation, position = worn.body.poses(q)
    names = ("toe_l", "asis_r")
    found = worn.points(names, rotation, position)
    assert found.shape == (2, 2, 3)
    for k, name in enumerate(names):
        b, place = worn.places[name]
        for t in range(2):
            np.testing.assert_allclose(
                found[t, k], position[t, b] + rotation[t, b] @ place, atol=1e-12
            )


def test_every_segment_is_stretched_by_its_factors() -> None:
    stride, worn = dressed()
    body = generic()
    for b, name in enumerate(body.bodies):
        factors = stride.scale[bare_name(name)]
        np.testing.assert_array_equal(worn.stretch[b], factors)
        np.testing.assert_allclose(worn.body.tree.com[b], body.tree.com[b] * factors)
        # Masses keep their shares; an inertia is mass times length squared.
        share = 80.0 / body.mass
        assert worn.body.tree.mass[b] == pytest.approx(share * body.tree.mass[b])
        length = float(np.prod(factors)) ** (1.0 / 3.0)
        np.testing.assert_allclose(
            worn.body.tree.inertia[b], body.tree.inertia[b] * share * length * length
        )
    assert worn.body.mass == pytest.approx(80.0)


def test_torsion_turns_feet_and_malleoli_outwards_and_nothing_else() -> None:
    stride, worn = dressed()
    straight = reference_body(replace(stride, torsion=0.0), generic())
    expected = expected_places(generic(), landmark_table())
    turned = {f"{n}_{s}" for n in ("malleolus_lateral", "malleolus_medial") for s in SIDES}
    assert turned <= set(expected) and set(worn.places) == set(expected)
    for name, (b, place) in expected.items():
        mine, at = worn.places[name]
        assert mine == b
        plain = place * stride.scale[bare_name(generic().bodies[b])]
        np.testing.assert_allclose(straight.places[name][1], plain, atol=1e-12)
        if name in turned:
            # Turned outwards by 0.3 rad: what points ahead goes to the outside.
            out = 1.0 if name.endswith("_r") else -1.0
            c, s = np.cos(0.3), np.sin(0.3) * out
            ahead = [c * plain[0] - s * plain[2], plain[1], s * plain[0] + c * plain[2]]
            np.testing.assert_allclose(at, ahead, atol=1e-12)
        else:
            np.testing.assert_allclose(at, plain, atol=1e-12)
    still = np.zeros((1, len(generic().coordinates)))
    for side, out in zip(SIDES, (1.0, -1.0), strict=True):
        headings = []
        for person in (straight, worn):
            ahead = person.body.poses(still)[0][0, person.body.body(f"talus_{side}")][:, 0]
            headings.append(np.arctan2(ahead[2], ahead[0]))
        assert headings[1] - headings[0] == pytest.approx(0.3 * out)


def test_standing_has_the_soles_on_the_floor() -> None:
    stride, worn = dressed()
    q = rr.standing(stride, worn)
    heads = worn.points(("metatarsal_2_r", "metatarsal_2_l"), *worn.body.poses(q[None]))
    assert heads[0, :, 1].mean() == pytest.approx(0.05)
    for name, value in zip(worn.body.coordinates, q, strict=True):
        if name != "pelvis_ty":
            assert value == stride.static.get(bare_name(name), 0.0), name


def test_coordinates_are_those_of_the_table() -> None:
    stride, worn = dressed()
    phase = np.array([0.1, 0.8])
    found = rr.coordinates(stride, worn.body, phase)
    np.testing.assert_array_equal(found, stride.coordinates(worn.body.coordinates, phase))


# --- feet and forces ------------------------------------------------------------------


@pytest.mark.parametrize(("side", "phase"), [("r", 0.35 * 0.4), ("l", 0.35 * 0.4 + 0.5)])
def test_a_flat_foot_is_where_the_stride_has_it_then(side: Side, phase: float) -> None:
    stride, worn = dressed()
    foot = rr.flat_foot(stride, worn, side)
    assert foot.phase == pytest.approx(phase)
    rotation, position = worn.body.poses(rr.coordinates(stride, worn.body, np.array([phase])))
    heel, toe = worn.points((f"heel_{side}", f"toe_{side}"), rotation, position)[0]
    np.testing.assert_allclose(foot.heel, heel, atol=1e-12)
    axis = rotation[0, worn.body.body(f"calcn_{side}"), :, 0]
    level = np.hypot(axis[0], axis[2])
    np.testing.assert_allclose(foot.along, [axis[0] / level, 0.0, axis[2] / level], atol=1e-12)
    # Right of the way, seen from above: up x along is to the left.
    np.testing.assert_allclose(foot.right, np.cross(foot.along, [0.0, 1.0, 0.0]), atol=1e-12)
    assert foot.length == pytest.approx((toe - heel) @ foot.along)
    assert 0.2 < foot.length < 0.3


@pytest.mark.parametrize(("side", "flip"), [("r", 1.0), ("l", -1.0)])
def test_forces_stand_under_the_foot_that_the_belt_carries_back(
    side: Side, flip: float
) -> None:
    """Contact from 0.3 s on for 0.32 s (left: half a stride later); flat at 35 % of it."""
    stride, worn = dressed()
    time = np.arange(0.0, 2.2, 0.01) + 0.005
    found = rr.ground_forces(stride, worn, time, 100.0, 0.3)
    s = SIDES.index(side)
    landed = 0.3 + (0.4 if side == "l" else 0.0)
    after = np.mod(time - landed, 0.8)
    down = after < 0.32
    weight = 80.0 * GRAVITY
    assert down.sum() > 60 and (~down).sum() > 60
    for values in (found.force, found.point, found.torque):
        assert (values[~down, s] == 0.0).all()
    expected = weight * np.array([0.10, 1.2, 0.05 * flip])
    np.testing.assert_allclose(found.force[down, s], np.tile(expected, (int(down.sum()), 1)))
    np.testing.assert_allclose(found.torque[down, s, 1], weight * 1.9 * 0.01 * flip)
    assert (found.torque[:, s, [0, 2]] == 0.0).all()
    foot = rr.flat_foot(stride, worn, side)
    spot = foot.heel + foot.length * (0.4 * foot.along + 0.03 * flip * foot.right)
    carried = 3.0 * (after[down] - 0.35 * 0.32)
    np.testing.assert_allclose(found.point[down, s, 0], spot[0] - carried, atol=1e-9)
    np.testing.assert_allclose(found.point[down, s, 2], spot[2], atol=1e-9)
    assert (found.point[:, s, 1] == 0.0).all()
    assert found.names == found.feet == SIDES and found.rate == 100.0
    np.testing.assert_array_equal(found.time, time)


@pytest.mark.parametrize("axis", [0, 2])
def test_pressure_has_a_place_while_the_foot_pushes_straight_up(axis: int) -> None:
    """Nothing forward, or nothing sideways: the foot is loaded all the same."""
    stride, worn = dressed()
    up = STANCE.copy()
    up[axis] = 0.0
    time = np.arange(0.0, 1.0, 0.05) + 0.005
    found = rr.ground_forces(
        replace(stride, ground=np.tile(up, (11, 1))), worn, time, 20.0, 0.3
    )
    other = rr.ground_forces(stride, worn, time, 20.0, 0.3)
    assert (found.force[..., axis] == 0.0).all() and (found.force[..., 1] > 0.0).any()
    np.testing.assert_allclose(found.point, other.point, atol=1e-12)


# --- markers --------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["thigh", "shank"])
def test_clusters_are_plates_of_four_on_the_outside_between_the_joints(part: str) -> None:
    """Front and back 5 to 6 cm apart, upper and lower pair 8 to 9 cm, close to the bone."""
    _, worn = dressed()
    on = rc.worn_markers(worn)
    plate = [on[f"r_{part}_{k}"] for k in range(1, 5)]
    upper_front, upper_back, lower_front, lower_back = (
        place / worn.stretch[b] for b, place in plate
    )
    for front, back in ((upper_front, upper_back), (lower_front, lower_back)):
        assert 0.04 < front[0] - back[0] < 0.07
        assert front[0] > 0.0 > back[0]
        np.testing.assert_allclose(front[1:], back[1:])
    for upper, lower in ((upper_front, lower_front), (upper_back, lower_back)):
        assert 0.07 < upper[1] - lower[1] < 0.1
        assert lower[1] > -0.32 and upper[1] < -0.1
        # Limbs are thinner further down; the plate lies on the skin, on the right of the
        # right leg.
        assert 0.04 < lower[2] < upper[2] < 0.1
    assert upper_front[2] - lower_front[2] < 0.01
    # A thigh is thicker than a shank.
    assert all((at[2] > 0.065) == (part == "thigh") for at in (upper_front, lower_back))


def test_markers_sit_on_landmarks_and_clusters_stretch_with_their_segment() -> None:
    _, worn = dressed()
    known = load_marker_set("kneestride")
    found = rc.worn_markers(worn)
    assert set(found) == set(known.landmarks) | set(known.clusters)
    for label, mark in known.landmarks.items():
        assert found[label][0] == worn.places[mark][0]
        np.testing.assert_array_equal(found[label][1], worn.places[mark][1])
    for label, segment in known.clusters.items():
        b, place = found[label]
        assert worn.body.bodies[b] == segment
        right = np.array(CLUSTERS[label[2:]]) * worn.stretch[b]
        out = 1.0 if segment.endswith("_r") else -1.0
        np.testing.assert_allclose(place, [right[0], right[1], out * right[2]])


def test_marker_paths_follow_their_bodies() -> None:
    _, worn = dressed()
    on = rc.worn_markers(worn)
    names = tuple(on)[3:6]
    q = np.random.default_rng(3).uniform(-0.2, 0.2, (2, len(worn.body.coordinates)))
    rotation, position = worn.body.poses(q)
    found = rc.places(worn, on, names, q)
    assert found.shape == (2, 3, 3)
    for k, name in enumerate(names):
        b, place = on[name]
        for t in range(2):
            np.testing.assert_allclose(
                found[t, k], position[t, b] + rotation[t, b] @ place, atol=1e-12
            )


def hurried() -> tuple[ReferenceStride, ReferenceBody]:
    """A stride so short that a recording of it is quickly made."""
    stride, worn = dressed()
    return replace(stride, stride_s=0.04, contact_s=0.016), worn


def test_an_exact_recording_is_the_runner_at_its_clock() -> None:
    brief, worn = hurried()
    made = rc.record(brief, worn, strides=3)
    markers, forces = made.trial.markers, made.trial.forces
    # A lead of 0.1 s, three strides and 0.7 of another: 0.248 s at 150 Hz and at 900 Hz.
    assert len(markers.time) == 37 and forces is not None and len(forces.time) == 223
    np.testing.assert_allclose(markers.time, np.arange(37) / 150.0)
    np.testing.assert_allclose(forces.time, np.arange(223) / 900.0)
    assert (markers.rate, forces.rate) == (150.0, 900.0)
    phase = (markers.time - 0.1) / 0.04
    truth = brief.coordinates(worn.body.coordinates, phase)
    np.testing.assert_allclose(made.truth, truth, atol=1e-12)
    assert made.coordinates == worn.body.coordinates
    on = rc.worn_markers(worn)
    bony = ("greater_trochanter", "epicondyle_medial", "malleolus_medial")
    assert set(on) - set(markers.names) == {f"{s}_{n}" for s in SIDES for n in bony} & set(on)
    assert len(set(on) - set(markers.names)) == 6
    np.testing.assert_allclose(
        markers.positions, rc.places(worn, on, markers.names, truth), atol=1e-12
    )
    loaded = forces.force[:, 0, 1] > 0.0
    # Right foot down at 0.1 s and every 0.04 s before and after, for 0.016 s.
    after = np.mod(forces.time - 0.1 + 1e-9, 0.04)
    clear = (after > 1e-6) & (np.abs(after - 0.016) > 1e-6)
    np.testing.assert_array_equal(loaded[clear], (after < 0.016)[clear])
    still = made.static.markers
    assert still.names == tuple(on) and still.positions.shape == (150, len(on), 3)
    np.testing.assert_allclose(still.time, np.arange(150) / 150.0)
    pose = rr.standing(brief, worn)
    np.testing.assert_allclose(
        still.positions, np.repeat(rc.places(worn, on, still.names, pose[None]), 150, axis=0)
    )
    assert (made.trial.name, made.static.name) == ("reference_run", "reference_static")
    assert made.trial.notes == made.static.notes == ("Written by kneestride: made up",)
    assert made.static.forces is None


@pytest.mark.usefixtures("briefly")
def test_twelve_strides_and_the_first_seed_where_nothing_is_said() -> None:
    brief, worn = hurried()
    short = replace(brief, stride_s=0.01, contact_s=0.004)
    made = rc.record(short, worn)
    assert len(made.trial.markers.time) == round((0.1 + 12.7 * 0.01) * 150)
    noise = CaptureNoise()
    first, same, other = (
        rc.record(short, worn, strides=3, noise=noise, **seed).trial.markers.positions
        for seed in ({}, {"seed": 0}, {"seed": 1})
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).all()


@pytest.mark.usefixtures("briefly")
def test_camera_and_plate_noise_have_their_size_and_their_place() -> None:
    brief, worn = hurried()
    exact = rc.record(brief, worn, strides=2)
    noise = CaptureNoise(skin=EXACT_SKIN, camera=0.002, plate=7.0)
    noisy = rc.record(brief, worn, strides=2, noise=noise, seed=5)
    for one, other in ((noisy.trial, exact.trial), (noisy.static, exact.static)):
        off = one.markers.positions - other.markers.positions
        assert off.std(axis=(0, 1)) == pytest.approx([0.002] * 3, rel=0.15)
        assert abs(off.mean()) < 3e-4
    np.testing.assert_array_equal(noisy.truth, exact.truth)
    assert noisy.trial.forces is not None and exact.trial.forces is not None
    pushed = noisy.trial.forces.force - exact.trial.forces.force
    loaded = (exact.trial.forces.force != 0.0).any(axis=2)
    assert 50 < loaded.sum() < loaded.size - 50
    assert (pushed[~loaded] == 0.0).all()
    assert pushed[loaded].std(axis=0) == pytest.approx([7.0] * 3, rel=0.3)
    # One plate loaded sideways only is loaded.
    forces = exact.trial.forces
    sideways = replace(forces, force=np.zeros_like(forces.force))
    sideways.force[:40, 1, 2] = 3.0
    moved = rc._with_plate_noise(sideways, 7.0, np.random.default_rng(0)).force
    assert (moved[:40, 1] != sideways.force[:40, 1]).all()
    assert (moved[40:] == 0.0).all() and (moved[:, 0] == 0.0).all()


@pytest.mark.usefixtures("briefly")
def test_skin_moves_in_the_run_only_and_on_the_bodies_named() -> None:
    brief, worn = hurried()
    exact = rc.record(brief, worn, strides=2)
    noise = CaptureNoise(skin={"tibia": 0.01}, camera=0.0, plate=0.0)
    noisy = rc.record(brief, worn, strides=2, noise=noise)
    np.testing.assert_array_equal(
        noisy.static.markers.positions, exact.static.markers.positions
    )
    off = np.abs(noisy.trial.markers.positions - exact.trial.markers.positions).max(axis=(0, 2))
    on = rc.worn_markers(worn)
    shank = [worn.body.bodies[on[n][0]].startswith("tibia") for n in exact.trial.markers.names]
    assert 0 < sum(shank) < len(shank)
    np.testing.assert_array_equal(off > 0.0, shank)


def test_soft_parts_move_most_and_no_marker_by_a_centimetre() -> None:
    """Most on the thigh, less on the shank, least on the foot (Leardini et al. 2005)."""
    names = ("femur", "tibia", "calcn", "toes", "pelvis", "torso", "humerus", "ulna", "radius")
    bodies = [n if n in ("pelvis", "torso") else f"{n}_l" for n in names]
    phase, noise = np.arange(24) / 7.0, CaptureNoise()
    moves = [
        rc.skin_movement(bodies, phase, 30.0, noise, np.random.default_rng(k))
        for k in range(16)
    ]
    found = np.sqrt(np.mean(np.square(moves), axis=(0, 1, 3)))
    rms = dict(zip(names, found, strict=True))
    assert all(2e-4 < v < 0.01 for v in found)
    assert rms["femur"] > 1.1 * rms["tibia"] > 1.2 * max(rms["calcn"], rms["toes"])
    assert rms["humerus"] > rms["radius"] and rms["humerus"] > rms["ulna"]
    assert rms["femur"] > rms["torso"] > rms["toes"] and rms["femur"] > rms["pelvis"]
    # Neighbours on a thigh, a shank and an upper arm swing together, on bony parts not.
    for name, soft in (("femur", True), ("tibia", True), ("humerus", True), ("pelvis", False)):
        pair = np.array([
            rc.skin_movement([name] * 2, phase, 30.0, noise, np.random.default_rng(k))
            for k in range(16)
        ])  # fmt: skip
        shared = np.corrcoef(pair[:, :, 0].ravel(), pair[:, :, 1].ravel())[0, 1]
        assert (shared > 0.25) == soft


def test_most_of_skins_movement_repeats_and_the_rest_is_slow() -> None:
    phase = np.arange(240) / 60.0  # four strides of a second at 60 Hz
    moves = np.array([
        rc._one_movement(phase, 60.0, CaptureNoise(), np.random.default_rng(k))
        for k in range(12)
    ])  # fmt: skip
    power = (np.abs(np.fft.rfft(moves, axis=1)) ** 2).mean(axis=(0, 2))[1:]
    hertz = np.fft.rfftfreq(240, 1.0 / 60.0)[1:]
    harmonics = np.isin(np.round(hertz, 6), [1.0, 2.0, 3.0, 4.0])
    assert 0.6 < power[harmonics].sum() / power.sum() < 0.9
    rest, speed = power[~harmonics], hertz[~harmonics]
    # Half of the power of what wanders lies below half of its cut-off.
    assert 3.0 < 2.0 * speed[np.searchsorted(np.cumsum(rest), 0.5 * rest.sum())] < 5.0


@pytest.mark.usefixtures("briefly")
def test_cameras_see_to_fractions_of_a_millimetre_and_plates_to_newtons() -> None:
    brief, worn = hurried()
    exact = rc.record(brief, worn, strides=2)
    noisy = rc.record(brief, worn, strides=2, noise=CaptureNoise(skin={}))
    off = noisy.static.markers.positions - exact.static.markers.positions
    assert 5e-5 < off.std() < 5e-4
    assert noisy.trial.forces is not None and exact.trial.forces is not None
    pushed = noisy.trial.forces.force - exact.trial.forces.force
    assert 2.0 < pushed[pushed != 0.0].std() < 5.0


def one_movement(repeating: float, seed: int, phase: Array) -> Array:
    noise = CaptureNoise(repeating=repeating, wander_hz=4.0)
    return rc._one_movement(phase, 100.0, noise, np.random.default_rng(seed))


def test_what_repeats_is_four_harmonics_that_fall_as_one_over_their_number() -> None:
    phase = np.arange(64) / 32.0  # two strides
    both = np.array([one_movement(1.0, seed, phase) for seed in range(200)])
    np.testing.assert_allclose(both[:, 32:], both[:, :32], atol=1e-12)
    weight = np.fft.rfft(both[:, :32], axis=1) / 16.0
    assert np.abs(weight[:, 0]).max() < 1e-12 and np.abs(weight[:, 5:]).max() < 1e-12
    whole = 1.0 + 1.0 / 4.0 + 1.0 / 9.0 + 1.0 / 16.0
    for part in (weight.real, weight.imag):
        size = (part[:, 1:5] ** 2).mean(axis=0)
        expected = np.array([1.0, 1.0 / 4.0, 1.0 / 9.0, 1.0 / 16.0]) / whole
        np.testing.assert_allclose(size, np.tile(expected[:, None], 3), rtol=0.35)
    assert both.var(axis=1).mean() == pytest.approx(1.0, rel=0.1)
    # Cosines and sines, axes and harmonics are drawn apart.
    drawn = np.concatenate([weight.real[:, 1:5], weight.imag[:, 1:5]], axis=1).reshape(200, -1)
    apart = np.corrcoef(drawn.T) - np.eye(24)
    assert np.abs(apart).max() < 0.3


def test_what_wanders_is_slow_and_of_unit_size() -> None:
    phase = np.arange(400) / 70.0
    found = one_movement(0.0, 3, phase)
    assert found.shape == (400, 3)
    assert found.std(axis=0) == pytest.approx([1.0] * 3)
    power = np.abs(np.fft.rfft(found, axis=0)) ** 2
    hertz = np.fft.rfftfreq(400, 0.01)
    assert power[hertz > 8.0].sum() < 0.1 * power.sum()
    assert power[(hertz > 2.0) & (hertz < 4.0)].sum() > 0.1 * power.sum()


def test_movement_is_what_repeats_and_what_wanders_by_their_shares() -> None:
    """Shares of variance 0.36 and 0.64: amplitudes 0.6 and 0.8."""
    phase = np.arange(80) / 33.0
    mixed, repeats, wanders = (one_movement(r, 4, phase) for r in (0.36, 1.0, 0.0))
    np.testing.assert_allclose(mixed, 0.6 * repeats + 0.8 * wanders, atol=1e-12)


def test_neighbours_on_soft_parts_share_half_of_their_movement() -> None:
    noise = CaptureNoise(
        skin={"femur": 0.02, "calcn": 0.005}, together=("femur",), repeating=1.0
    )
    bodies = ["femur_r", "femur_r", "femur_l", "calcn_r", "calcn_r", "hand_r"]
    phase = np.arange(16) / 16.0
    moves = np.array([
        rc.skin_movement(bodies, phase, 100.0, noise, np.random.default_rng(k))
        for k in range(100)
    ])  # fmt: skip
    assert moves.shape == (100, 16, 6, 3)
    rms = np.sqrt((moves**2).mean(axis=(0, 1, 3)))
    assert rms[:3] == pytest.approx([0.02] * 3, rel=0.1)
    assert rms[3:5] == pytest.approx([0.005] * 2, rel=0.1)
    assert rms[5] == 0.0
    flat = moves[..., :5, :].swapaxes(2, 3).reshape(-1, 5)
    shared = np.corrcoef(flat.T)
    expected = np.eye(5)
    expected[0, 1] = expected[1, 0] = 0.5
    np.testing.assert_allclose(shared, expected, atol=0.15)
