"""From a run to its predicted ground: what is looked at, handed on, balanced and told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import test_prediction_laws as made
from kneestride.errors import CaptureError
from kneestride.loads import ground_features as features
from kneestride.loads import ground_prediction as prediction
from kneestride.loads.ground_features import COLUMNS, Signals, Stance, stance_features, stances
from kneestride.loads.ground_model import CURVE_PHASES
from kneestride.loads.ground_prediction import PredictionSettings, predict_ground_reaction
from kneestride.loads.types import GroundReaction
from kneestride.motion.contacts import Contacts
from kneestride.vocabulary import GRAVITY, SIDES, Array
from scipy.interpolate import CubicSpline
from test_prediction_laws import LEG, TIME, WEIGHT, body, contact

# --- what is looked at ----------------------------------------------------------------


def test_phases_reach_three_tenths_of_the_contact_beyond_it() -> None:
    np.testing.assert_allclose(features.ACCELERATION_PHASES, -0.3 + 0.08 * np.arange(21))
    np.testing.assert_allclose(features.POSTURE_PHASES, [0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(features.VELOCITY_PHASES, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(CURVE_PHASES, -0.3 + 0.02 * np.arange(81), atol=1e-12)
    # Three axes of eleven rows at 21 + 5 + 3 phases, and ten scalars.
    assert len(COLUMNS) == 11 and features.FEATURES == 3 * 11 * 29 + 10


def curved(side: str) -> Signals:
    """Every row has curves of its own: cubics, which splines give back exactly."""
    parts = ("thigh", "shank", "heel", "forefoot")
    names = (
        "pelvis",
        "pelvis_width",
        "pelvis_depth",
        *(f"{p}_{s}" for s in "rl" for p in parts),
    )
    rng = np.random.default_rng(3 + (side == "l"))
    time = np.linspace(0.0, 2.0, 50)
    powers = time[:, None] ** np.arange(4)
    place, velocity, acceleration = (
        CubicSpline(time, np.einsum("tp,pnk->tnk", powers, rng.normal(size=(4, 11, 3))))
        for _ in range(3)
    )
    return Signals((0.0, 2.0), names, place, velocity, acceleration, 0.8, np.ones(2), 3.0)


@pytest.mark.parametrize("side", SIDES)
def test_features_are_read_at_their_phases_and_mirrored(side: Any) -> None:
    signals, stance = curved(side), Stance(side, 0, 0.8, 1.2, 0.1, 0.1, 0.35)
    told = stance_features(signals, stance)
    acceleration, posture, velocity, _ = made.blocks(told)
    other = "l" if side == "r" else "r"
    order = ["pelvis", "pelvis_depth", "pelvis_width"]
    order += [f"{p}_{s}" for s in (side, other) for p in ("thigh", "shank", "heel", "forefoot")]
    rows = [signals.names.index(n) for n in order]
    mirror = np.array([1.0, 1.0, 1.0 if side == "r" else -1.0])
    signs = np.tile(mirror, (11, 1))
    signs[2] *= mirror[2]  # from left to right is from right to left in a mirror

    def read(spline: CubicSpline, phases: Array) -> Array:
        return np.asarray(spline(0.8 + 0.4 * phases)[:, rows] * signs)

    np.testing.assert_allclose(
        acceleration, read(signals.acceleration, features.ACCELERATION_PHASES), atol=1e-12
    )
    place = read(signals.place, features.POSTURE_PHASES)
    expected = place.copy()
    expected[:, 3:] -= place[:, [0]]
    expected[:, 0, [0, 2]] = 0.0
    expected[:, 0, 1] -= min(place[:, 6, 1])  # the standing forefoot's lowest
    np.testing.assert_allclose(posture * 0.8, expected, atol=1e-12)
    # The pelvis's mean over nine moments of stance is the drift, but not upwards.
    drift = np.mean([read(signals.velocity, np.array([k / 8]))[0, 0] for k in range(9)], axis=0)
    drift[1] = 0.0
    expected = read(signals.velocity, features.VELOCITY_PHASES)
    expected[:, [0, 3, 4, 5, 6, 7, 8, 9, 10]] -= drift
    np.testing.assert_allclose(velocity * np.sqrt(GRAVITY * 0.8), expected, atol=1e-12)


def test_signals_are_smoothed_at_15_hz_or_four_tenths_of_the_rate() -> None:
    paths = body()
    wave = 0.01 * np.sin(2 * np.pi * 15.0 * TIME)
    for name in ("hip_center_r", "hip_center_l"):
        paths.points[name][:] += wave[:, None] * np.array([1.0, 0.0, 0.0])
    place = features.stance_signals(paths).place(TIME)[:, 0, 0]
    raw = 0.5 * (paths.points["hip_center_r"] + paths.points["hip_center_l"])[:, 0]
    # Half the power is left at the cut-off.
    left = place - (raw - wave)
    np.testing.assert_allclose(left[100:300], wave[100:300] / np.sqrt(2.0), atol=2e-4)
    raw_place = features.stance_signals(paths, 60.0).place(TIME)[:, 0, 0]
    np.testing.assert_allclose(raw_place[100:300], raw[100:300], atol=2e-4)
    assert features.stance_signals(paths, 500.0).names[0] == "pelvis"


def test_points_that_are_missing_are_named() -> None:
    paths = body()
    for lost in ("knee_center_l", "metatarsal_5_r"):
        points = {n: p for n, p in paths.points.items() if n != lost}
        with pytest.raises(CaptureError, match=f"no {lost}"):
            features.stance_signals(replace(paths, points=points))
    points = {n: p for n, p in paths.points.items() if n not in ("asis_l", "psis_r")}
    with pytest.raises(CaptureError, match="no asis_l, psis_r"):
        features.stance_signals(replace(paths, points=points))


def test_leg_and_foot_are_middles_over_time_and_sides() -> None:
    paths = body()
    ankle = paths.points["ankle_center_l"]
    ankle[:, 1] -= 0.2  # this shank is longer
    paths.points["heel_bottom_l"][:150] -= np.array([1.0, 0.0, 0.0])  # less than half the time
    paths.points["heel_bottom_r"][:, 0] -= 0.1
    found = features.stance_signals(paths, 99.0)
    assert found.leg == pytest.approx(0.5 * (LEG + LEG + 0.2))
    assert found.foot == pytest.approx([np.hypot(0.3, 0.02), np.hypot(0.2, 0.02)])


def test_flights_of_both_sides_and_whole_stances_only() -> None:
    right = (contact(0.0, 0.2), contact(0.7, 0.9), contact(1.4, 1.62, b=False))
    left = (contact(0.30, 0.55), contact(1.05, 1.20), contact(1.8, 2.0))
    first, second, *others = stances(Contacts(right, left, "force"))
    # Flights 0.10, 0.15, 0.15, 0.20 s: where none was recorded, the middle one: 0.15 s.
    assert (first.flight_before, first.flight_after) == pytest.approx((0.15, 0.10))
    assert first.step == pytest.approx(0.5 * (0.2 + 0.15 + 0.2 + 0.10))
    assert (second.side, second.index, second.start, second.end) == ("l", 0, 0.30, 0.55)
    assert (second.flight_before, second.flight_after) == pytest.approx((0.10, 0.15))
    assert second.step == pytest.approx(0.5 * (0.2 + 0.10 + 0.25 + 0.15))
    assert [(s.side, s.index) for s in others] == [("r", 1), ("l", 1), ("l", 2)]
    # After a contact whose end was not recorded, flight is the usual one, and so on.
    assert (others[1].flight_after, others[2].flight_before) == pytest.approx((0.20, 0.15))
    assert others[2].step == pytest.approx(0.5 * (0.2 + 0.15 + 0.2 + 0.15))


def test_gaps_in_any_axis_are_bridged_in_all() -> None:
    path = np.outer(np.arange(6.0) ** 2, [1.0, 2.0, 3.0])
    path[2, 1] = path[3, 2] = np.nan
    expected = np.array([0.0, 1.0, 6.0, 11.0, 16.0, 25.0])
    np.testing.assert_allclose(features._whole(path, "x"), np.outer(expected, [1, 2, 3]))
    whole = np.zeros((3, 3))
    assert features._whole(whole, "x") is whole
    path[:4] = np.nan  # two frames are enough
    np.testing.assert_allclose(features._whole(path, "x")[0], [16.0, 32.0, 48.0])


# --- what is handed on ----------------------------------------------------------------

RUN = Contacts(
    tuple(contact(0.7 * k, 0.7 * k + 0.2) for k in range(3)),
    tuple(contact(0.7 * k + 0.35, 0.7 * k + 0.55) for k in range(2)),
    "force",
)


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands in for the parts of the prediction, and keeps what they were given."""
    told: dict[str, Any] = {"scale": 1.25}
    size = (len(TIME), 2)
    errors = (np.full((*size, 3), 8.0), np.full((*size, 2), 0.04), np.full(size, 3.0))

    def lay_out(paths: Any, signals: Any, found: Any, curves: Any, model: Any, weight: float,
                settings: Any) -> Any:  # fmt: skip
        told.update(found=found, curves=curves, weight=weight, settings=settings)
        return made.reaction(np.full((*size, 3), 100.0)), errors

    def balanced(reaction: Any, *rest: Any) -> Any:
        told["balanced"] = rest
        return replace(reaction, force=told["scale"] * reaction.force), told["scale"]

    def under(reaction: Any, paths: Any, margin: float) -> Any:
        told["margin"] = margin
        return np.full((*size, 3), 7.0)

    monkeypatch.setattr(prediction, "_lay_out", lay_out)
    monkeypatch.setattr(prediction, "_balanced", balanced)
    monkeypatch.setattr(prediction, "_under_the_foot", under)
    told["model"] = SimpleNamespace(
        predict=lambda x: ("curves of", x), strangeness=lambda x: 0.1 * np.arange(len(x)),
        about={},
    )  # fmt: skip
    return told


def test_a_prediction_hands_its_parts_on(chain: dict[str, Any]) -> None:
    paths, settings = body(), PredictionSettings(under_foot=0.02)
    found = predict_ground_reaction(paths, 70.0, RUN, settings, chain["model"])
    # The first and the last reach out of the two seconds: 0.3 of 0.2 s on either side.
    assert [(s.side, s.index) for s in found.stances] == [
        ("l", 0), ("r", 1), ("l", 1), ("r", 2),
    ]  # fmt: skip
    signals = features.stance_signals(paths)
    expected = np.array([stance_features(signals, s) for s in found.stances])
    assert chain["curves"][0] == "curves of"
    np.testing.assert_allclose(chain["curves"][1], expected)
    assert chain["weight"] == pytest.approx(70.0 * GRAVITY) == chain["balanced"][2]
    assert chain["settings"] is settings and chain["margin"] == 0.02
    # The errors of forces grow with them, that of a place does not.
    assert (found.scale, found.force_error[0, 0, 0]) == (1.25, 10.0)
    assert (found.point_error[3, 1, 1], found.torque_error[5, 1]) == (0.04, 3.75)
    np.testing.assert_array_equal(found.strangeness, 0.1 * np.arange(4))
    np.testing.assert_array_equal(found.reaction.force, 125.0)
    np.testing.assert_array_equal(found.reaction.point, 7.0)
    assert found.reaction.predicted and "4 of 5 contacts (? runners" in found.reaction.notes[0]


def test_contacts_are_found_and_the_committed_model_taken_by_default(
    chain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "events_from_kinematics", lambda paths: RUN)
    monkeypatch.setattr(prediction, "load_ground_model", lambda: chain["model"])
    assert len(predict_ground_reaction(body(), 70.0).stances) == 4
    assert chain["settings"] == PredictionSettings(True, True, 20.0, 50.0, "learned", 0.01)


def test_what_is_no_run_or_no_whole_stance_is_refused(chain: dict[str, Any]) -> None:
    walk = Contacts(
        tuple(contact(0.7 * k, 0.7 * k + 0.4) for k in range(3)),
        tuple(contact(0.7 * k + 0.35, 0.7 * k + 0.75) for k in range(2)), "force",
    )  # fmt: skip
    with pytest.raises(CaptureError, match="a movement without flight"):
        predict_ground_reaction(body(), 70.0, walk, model=chain["model"])
    early = Contacts((contact(0.0, 0.2), contact(1.9, 1.99)), (contact(0.02, 0.1),), "force")
    with pytest.raises(CaptureError, match="3 contacts, all cut"):
        predict_ground_reaction(body(), 70.0, early, model=chain["model"])


@pytest.mark.parametrize("method", ["learned", "effective_mass"])
def test_curves_are_the_models_or_forces_of_effective_masses_over_its_mean(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mean = np.arange(6.0)[:, None] * np.ones(len(CURVE_PHASES))
    model: Any = SimpleNamespace(mean=mean, effective="masses", predict=lambda x: 2.0 * x)
    force = np.full((3, len(CURVE_PHASES)), 9.0)

    def by_mass(effective: Any, signals: Any, stance: Stance, phases: Array) -> Array:
        assert effective == "masses" and phases is CURVE_PHASES
        return stance.start * force

    monkeypatch.setattr(prediction, "effective_mass_force", by_mass)
    monkeypatch.setattr(prediction, "stance_features", lambda signals, stance: [stance.end])
    found = [replace(made.STANCE, start=1.0 + k, end=5.0 + k) for k in range(2)]
    signals: Any = None
    curves = prediction.predicted_curves(model, signals, found, method)
    if method == "learned":
        np.testing.assert_array_equal(curves, [[10.0], [12.0]])
        given = prediction.predicted_curves(model, signals, found, method, np.array([[3.0]]))
        np.testing.assert_array_equal(given, [[6.0]])
        return
    for k, curve in enumerate(curves):
        np.testing.assert_array_equal(curve[:3], (1.0 + k) * force)
        np.testing.assert_array_equal(curve[3:], mean[3:])
    assert mean[0, 0] == 0.0


# --- what is balanced -----------------------------------------------------------------


def strides(stride: float, count: int, belt: float = 0.0) -> tuple[GroundReaction, Any, Any]:
    """Two feet in turn with 2 body weights for a quarter each; a time of its own."""
    time = np.arange(int(200 * (stride * count + 0.5))) / 200.0
    force, sides = np.zeros((len(time), 2, 3)), []
    for s in range(2):
        starts = [stride * (k + 0.5 * s) for k in range(count + 1 - s)]
        for a in starts:
            on = (time >= a - 1e-9) & (time < a + 0.25 * stride - 1e-9)
            force[on, s] = 2.0 * WEIGHT * np.array([0.1, 1.0, 0.02])
        sides.append(tuple(contact(a, a + 0.25 * stride) for a in starts))
    flat = np.zeros_like(force)
    given = GroundReaction(
        time, force, flat, 0.01 * force, force[..., 1] > 0, np.zeros(force.shape[:2], bool)
    )
    paths: Any = SimpleNamespace(
        rate=200.0, progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=np.array([-belt, 0.0, 0.0]),
    )  # fmt: skip
    return given, Contacts(sides[0], sides[1], "force"), paths


@pytest.mark.parametrize(
    ("stride", "count", "whole"), [(1.48, 2, True), (1.52, 2, False), (0.42, 1, True),
                                   (0.38, 1, False)]
)  # fmt: skip
def test_whole_strides_are_below_one_and_a_half_seconds_and_last_four_tenths(
    stride: float, count: int, whole: bool
) -> None:
    given, contacts, paths = strides(stride, count)
    found, scale = prediction._balanced(
        replace(given, force=0.5 * given.force), contacts, paths, WEIGHT, PredictionSettings()
    )
    assert scale == (pytest.approx(2.0, rel=0.03) if whole else 1.0)
    assert found.force[5, 0, 1] == pytest.approx(scale * WEIGHT)
    assert found.torque[5, 0, 1] == pytest.approx(scale * 0.02 * WEIGHT)


@pytest.mark.parametrize(("belt", "level"), [(0.45, False), (0.55, True)])
def test_a_belt_of_half_a_metre_a_second_is_a_belt(belt: float, level: bool) -> None:
    given, contacts, paths = strides(0.8, 2, belt)
    found, _ = prediction._balanced(given, contacts, paths, WEIGHT, PredictionSettings())
    on = found.contact
    np.testing.assert_allclose(
        found.force[on][:, 0] / found.force[on][:, 1], 0.0 if level else 0.1, atol=1e-12
    )
    # Sideways nothing is turned.
    np.testing.assert_allclose(found.force[on][:, 2] / found.force[on][:, 1], 0.02)


def test_a_stride_with_a_stance_that_is_missing_does_not_count() -> None:
    given, contacts, paths = strides(0.8, 3)
    force, on = given.force.copy(), given.contact.copy()
    # The left stance of the first stride: half of the force, and not predicted.
    first = given.time < 0.79
    force[first] *= 0.5
    on[first, 1] = False
    part = replace(given, force=force, contact=on)
    _, scale = prediction._balanced(part, contacts, paths, WEIGHT, PredictionSettings())
    assert scale == pytest.approx(1.0, rel=0.03) and scale != 1.0
    whole = replace(part, contact=given.contact)
    _, scale = prediction._balanced(whole, contacts, paths, WEIGHT, PredictionSettings())
    assert scale > 1.1


# --- what is told ---------------------------------------------------------------------


def test_contact_begins_above_its_lower_threshold_and_counts_above_the_upper() -> None:
    phase = np.linspace(0.0, 1.0, 5)
    settings = PredictionSettings()
    flat = prediction._fade(np.array([0.0, 35.0, 50.0, 35.0, 0.0]), phase, settings)
    assert not flat.any()  # 50 N are not above 50 N
    found = prediction._fade(np.array([20.0, 35.0, 51.0, 35.0, 20.0]), phase, settings)
    assert found == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])
    # Other thresholds: half-way between 10 and 90 N.
    wide = PredictionSettings(contact_lower=10.0, contact_upper=90.0)
    found = prediction._fade(np.array([10.0, 50.0, 91.0, 50.0, 10.0]), phase, wide)
    assert found == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])
    # Of two loadings the one in the middle of the stance is it.
    twice = np.array([90.0, 0.0, 90.0, 0.0, 90.0])
    assert prediction._fade(twice, phase, settings) == pytest.approx([0, 0, 1, 0, 0])


@pytest.mark.parametrize(
    ("strange", "told"), [((1.2,), False), ((1.2, 1.7), True), ((1.0, 1.0, 1.0), False)]
)
def test_strange_stances_are_told_from_above_a_tenth_of_them(
    strange: tuple[float, ...], told: bool
) -> None:
    done = [replace(made.STANCE, index=k) for k in range(10)]
    values = np.concatenate([strange, np.full(10 - len(strange), 0.3)])
    model: Any = SimpleNamespace(about={})
    notes = prediction._notes(
        done, RUN, 1.0, values, np.zeros((40, 2), bool), PredictionSettings(), model
    )
    assert [n for n in notes[1:]] == (
        [
            "2 of 10 stances are unlike those of the training runners (up to 1.7 times the "
            "usual spread): trust the forces less."
        ]
        if told
        else []
    )
    # A scale that was not asked for is not told.
    free = PredictionSettings(exact_impulse=False)
    assert (
        len(prediction._notes(done, RUN, 1.1, 0 * values, np.zeros((4, 2), bool), free, model))
        == 1
    )


@pytest.mark.parametrize("lowest", ["heel_bottom_l", "metatarsal_1_r", "metatarsal_5_l"])
def test_the_floor_lies_30_mm_below_the_lowest_fiftieth_of_a_foot_point(lowest: str) -> None:
    flat = {n: np.tile([0.0, 0.9, 0.0], (401, 1)) for n in body().points}
    # 401 frames from 0.4 to 0.8 m: the fiftieth part is 8 mm up.
    flat[lowest][:, 1] = 0.4 + 0.001 * np.arange(401)
    flat["toe_r"][:, 1] = 0.1  # toes do not count
    paths = replace(body(), points=flat)
    assert prediction.floor_height(paths) == pytest.approx(0.408 - 0.03)


@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_out_of_contact_the_pressure_is_under_the_ball_on_the_floor(turn: float) -> None:
    paths = body(turn)
    signals = features.stance_signals(paths)
    found = prediction._resting_points(paths, signals)
    for s, side in enumerate(SIDES):
        ball = 0.5 * (
            paths.points[f"metatarsal_1_{side}"] + paths.points[f"metatarsal_5_{side}"]
        )
        np.testing.assert_allclose(found[:, s, [0, 2]], ball[:, [0, 2]], atol=1e-3)
    np.testing.assert_array_equal(found[..., 1], prediction.floor_height(paths))
