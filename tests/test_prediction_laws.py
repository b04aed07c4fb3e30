"""Known answers of the predicted ground reaction: a body of straight lines and parabolas."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import CaptureError
from kneestride.loads import ground_prediction as prediction
from kneestride.loads.ground_features import (
    ACCELERATION_PHASES,
    COLUMNS,
    FEATURES,
    POSTURE_PHASES,
    SCALARS,
    VELOCITY_PHASES,
    Stance,
    _whole,
    foot_frame,
    inside,
    segment_accelerations,
    stance_features,
    stance_signals,
    stances,
    to_progression,
)
from kneestride.loads.ground_model import CURVE_PHASES
from kneestride.loads.ground_prediction import PredictionSettings
from kneestride.loads.types import GroundReaction
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY, SIDES, Array

TIME = np.arange(401) / 200.0
SPEED, PULL = np.array([3.0, 0.2, -0.1]), np.array([0.6, -1.2, 0.4])
REST = {
    "hip_center": (0.0, 0.9, 0.1), "knee_center": (0.0, 0.5, 0.1),
    "ankle_center": (0.0, 0.1, 0.1),
    "heel_bottom": (-0.05, 0.02, 0.1), "metatarsal_1": (0.15, 0.0, 0.06),
    "metatarsal_5": (0.15, 0.0, 0.14), "asis": (0.1, 1.0, 0.12), "psis": (-0.05, 1.02, 0.04),
    "toe": (0.2, 0.0, 0.1),
}  # fmt: skip
LEG, FOOT = 0.8, np.hypot(0.2, 0.02)


def body(turn: float = 0.0, belt: float = 0.0) -> AnatomicalPaths:
    """A stiff body on a parabola through space; axes: forward, up, right."""
    c, s = np.cos(turn), np.sin(turn)
    about_y = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    t = TIME[:, None]
    way = SPEED * t + 0.5 * PULL * t**2
    points = {
        f"{name}_{side}": (np.array(p) * [1, 1, 1 if side == "r" else -1] + way) @ about_y.T
        for name, p in REST.items()
        for side in SIDES
    }
    forward = about_y[:, 0]
    return AnatomicalPaths(TIME, 200.0, points, {}, {}, forward, belt * forward)


def blocks(x: Array) -> tuple[Array, Array, Array, Array]:
    """Accelerations, posture and velocity (phases, columns, 3), and the scalars."""
    sizes = [
        len(p) * len(COLUMNS) * 3
        for p in (ACCELERATION_PHASES, POSTURE_PHASES, VELOCITY_PHASES)
    ]
    a, p, v, rest = np.split(x, np.cumsum(sizes))
    return (*(b.reshape(-1, len(COLUMNS), 3) for b in (a, p, v)), rest)  # type: ignore[return-value]


STANCE = Stance("r", 0, 0.9, 1.1, 0.12, 0.1, 0.35)


@pytest.mark.parametrize("turn", [0.0, 2.0])
@pytest.mark.parametrize("side", SIDES)
def test_features_of_a_body_on_a_parabola(side: Any, turn: float) -> None:
    mirror = np.array([1.0, 1.0, 1.0 if side == "r" else -1.0])
    signals = stance_signals(body(turn))
    x = stance_features(signals, replace(STANCE, side=side))
    assert x.shape == (FEATURES,)
    acceleration, posture, velocity, scalars = blocks(x)
    moving = [k for k, n in enumerate(COLUMNS) if n not in ("pelvis_depth", "pelvis_width")]
    still = [COLUMNS.index(n) for n in ("pelvis_depth", "pelvis_width")]
    np.testing.assert_allclose(
        acceleration[:, moving], np.broadcast_to(PULL * mirror / GRAVITY, (21, 9, 3)), atol=2e-4
    )
    np.testing.assert_allclose(acceleration[:, still], 0.0, atol=1e-6)
    # Velocities: what is left of the stance's mean; upwards all of it counts.
    t = 0.9 + 0.2 * VELOCITY_PHASES
    expected = PULL * (t[:, None] - 1.0)
    expected[:, 1] = SPEED[1] + PULL[1] * t
    for k in moving:
        np.testing.assert_allclose(
            velocity[:, k], expected * mirror / np.sqrt(GRAVITY * LEG), atol=1e-4
        )
    np.testing.assert_allclose(velocity[:, still], 0.0, atol=1e-6)
    thigh, shank = 0.9 - 0.41 * 0.4, 0.5 - 0.446 * 0.4
    own = {
        "pelvis_depth": (0.15, -0.02, 0.0), "pelvis_width": (0.0, 0.0, 0.2),
        "stance_thigh": (0.0, thigh - 0.9, 0.1), "stance_shank": (0.0, shank - 0.9, 0.1),
        "stance_heel": (-0.05, -0.88, 0.1), "stance_forefoot": (0.15, -0.9, 0.1),
        "swing_thigh": (0.0, thigh - 0.9, -0.1), "swing_shank": (0.0, shank - 0.9, -0.1),
        "swing_heel": (-0.05, -0.88, -0.1), "swing_forefoot": (0.15, -0.9, -0.1),
    }  # fmt: skip
    for name, place in own.items():
        np.testing.assert_allclose(
            posture[:, COLUMNS.index(name)] * LEG, np.tile(place, (5, 1)), atol=1e-5
        )
    # The pelvis: only its height over the lowest the standing forefoot gets.
    height = SPEED[1] * (t := 0.9 + 0.2 * POSTURE_PHASES) + 0.5 * PULL[1] * t**2
    np.testing.assert_allclose(posture[:, 0, [0, 2]], 0.0, atol=1e-9)
    np.testing.assert_allclose(posture[:, 0, 1] * LEG, 0.9 + height - height.min(), atol=1e-4)
    speed = SPEED[0] + 0.5 * PULL[0] * 2.0
    told = dict(zip(SCALARS, scalars, strict=True))
    assert told == pytest.approx(
        {
            "contact_s": 0.2, "step_s": 0.35, "flight_before_s": 0.12, "flight_after_s": 0.1,
            "duty": 0.2 / 0.35, "step_per_contact": 0.35 / 0.2, "speed_m_s": speed,
            "contact_travel_legs": speed * 0.2 / LEG, "per_contact_s": 5.0,
            "speed_legs": speed / np.sqrt(GRAVITY * LEG),
        },
        rel=1e-4,
    )  # fmt: skip


def test_size_and_speed_are_the_runners_own() -> None:
    found = stance_signals(body(belt=-2.5))
    assert found.leg == pytest.approx(LEG) and found.foot == pytest.approx([FOOT, FOOT])
    assert found.speed == pytest.approx(SPEED[0] + PULL[0] + 2.5, rel=1e-6)
    assert found.span == (0.0, 2.0)
    pull = segment_accelerations(found, replace(STANCE, side="l"), np.array([0.5]))
    assert pull[0, 0] == pytest.approx(PULL * [1, 1, -1] / GRAVITY, abs=1e-4)


@pytest.mark.parametrize("side", SIDES)
def test_a_foots_frame_is_its_ball_its_line_and_outward(side: Any) -> None:
    ball, along, outward = foot_frame(stance_signals(body(1.0)), side, np.array([1.0]))
    lateral = 1.0 if side == "r" else -1.0
    way = SPEED + 0.5 * PULL
    assert ball[0] == pytest.approx(way + np.array([0.15, 0.0, 0.1 * lateral]), abs=1e-4)
    assert along[0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert outward[0] == pytest.approx([0.0, 0.0, lateral], abs=1e-6)


def test_progression_is_level_and_right_handed() -> None:
    tilted = replace(body(), progression=np.array([0.0, 0.7, -2.0]))
    np.testing.assert_allclose(
        to_progression(tilted), [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-12
    )


def contact(start: float, end: float, a: bool = True, b: bool = True) -> Contact:
    return Contact(start, end, a, b)


def test_stances_take_flight_and_step_from_their_neighbours() -> None:
    right = (contact(0.0, 0.2, a=False), contact(0.7, 0.9), contact(1.4, 1.6, b=False))
    left = (contact(0.34, 0.56), contact(1.06, 1.25))
    found = stances(Contacts(right, left, "force"))
    assert [(s.side, s.index) for s in found] == [("l", 0), ("r", 1), ("l", 1)]
    first, middle, last = found
    assert (first.flight_before, first.flight_after) == pytest.approx((0.14, 0.14))
    # The stance before was cut, so its own stands in for its length.
    assert first.step == pytest.approx(0.5 * (0.22 + 0.14 + 0.22 + 0.14))
    assert (middle.flight_before, middle.flight_after) == pytest.approx((0.14, 0.16))
    assert middle.step == pytest.approx(0.5 * (1.06 - 0.34))
    assert (last.flight_before, last.flight_after) == pytest.approx((0.16, 0.15))
    # Alone, a contact has the usual flight on both sides.
    (alone,) = stances(Contacts((contact(0.5, 0.7),), (), "force"))
    assert (alone.flight_before, alone.flight_after, alone.step) == pytest.approx(
        (0.1, 0.1, 0.3)
    )
    # Of one foot twice in a row the other's flight is unknown: the median of those known.
    twice = Contacts((contact(0.0, 0.2), contact(0.7, 0.9)), (contact(1.0, 1.2),), "force")
    assert [s.flight_after for s in stances(twice)] == pytest.approx([0.1, 0.1, 0.1])
    assert stances(twice)[0].step == pytest.approx(0.3)


def test_a_stance_needs_three_tenths_of_itself_on_either_side() -> None:
    stance = replace(STANCE, start=1.0, end=1.5)
    assert inside(stance, (0.85, 1.65))
    assert not inside(stance, (0.86, 1.65)) and not inside(stance, (0.85, 1.64))


def test_gaps_are_bridged_by_straight_lines() -> None:
    path = np.outer(np.arange(6.0) ** 2, [1.0, 2.0, 3.0])
    path[2:4] = np.nan
    assert _whole(path, "x")[:, 0] == pytest.approx([0, 1, 6, 11, 16, 25])
    path[1:] = np.nan
    with pytest.raises(CaptureError, match="the point x"):
        _whole(path, "x")


# --- from curves to frames ------------------------------------------------------------

CURVE = np.repeat(
    np.array([[0.1], [1.5], [0.05], [-0.3], [0.1], [0.02]]), len(CURVE_PHASES), axis=1
)
ERROR = np.repeat(
    np.array([[0.03], [0.06], [0.01], [0.1], [0.05], [0.004]]), len(CURVE_PHASES), axis=1
)
WEIGHT = 700.0
MODEL: Any = SimpleNamespace(error_at=lambda speed, method: ERROR)


@pytest.mark.parametrize("turn", [0.0, 2.0])
@pytest.mark.parametrize("side", SIDES)
def test_curves_are_laid_out_in_the_foots_own_axes(side: Any, turn: float) -> None:
    paths = body(turn)
    signals = stance_signals(paths)
    stance = replace(STANCE, side=side)
    found, errors = prediction._lay_out(
        paths, signals, [stance], CURVE[None], MODEL, WEIGHT, PredictionSettings()
    )
    s, lateral = SIDES.index(side), 1.0 if side == "r" else -1.0
    on = np.flatnonzero(found.contact[:, s])
    assert found.predicted and not found.masked.any()
    low, high = (0.9 + 0.2 * p for p in (CURVE_PHASES[0], CURVE_PHASES[-1]))
    assert TIME[on[0]] == pytest.approx(low, abs=6e-3)
    assert TIME[on[-1]] == pytest.approx(high, abs=6e-3)
    assert not found.contact[:, 1 - s].any() and not found.force[:, 1 - s].any()
    axes = to_progression(paths)
    force = WEIGHT * np.array([0.1, 1.5, 0.05 * lateral]) @ axes
    np.testing.assert_allclose(found.force[on, s], np.tile(force, (len(on), 1)), atol=1e-9)
    np.testing.assert_allclose(
        found.torque[on, s, 1], lateral * WEIGHT * FOOT * 0.02, rtol=1e-5
    )
    # 0.3 of the foot behind the ball and 0.1 outwards, on the floor.
    way = SPEED * TIME[200] + 0.5 * PULL * TIME[200] ** 2
    place = way + np.array([0.15 - 0.3 * FOOT, 0.0, lateral * (0.1 + 0.1 * FOOT)])
    expected = place @ axes
    expected[1] = prediction.floor_height(paths)
    np.testing.assert_allclose(found.point[200, s], expected, atol=1e-4)
    force_error, point_error, torque_error = errors
    spread = WEIGHT * np.sqrt(np.array([0.03, 0.06, 0.01]) ** 2 @ axes**2)
    np.testing.assert_allclose(force_error[200, s], spread)
    np.testing.assert_allclose(point_error[200, s], FOOT * np.array([0.1, 0.05]), rtol=1e-5)
    np.testing.assert_allclose(torque_error[200, s], WEIGHT * FOOT * 0.004, rtol=1e-5)
    assert not force_error[~found.contact].any()


def test_weight_of_a_contact_rises_smoothly_between_the_thresholds() -> None:
    phase = np.linspace(-0.3, 1.3, 17)
    force = np.full(17, 800.0)
    force[:4], force[-4:] = (0.0, 19.0, 35.0, 40.0), (40.0, 27.5, 20.0, 0.0)
    fade = prediction._fade(force, phase, PredictionSettings())
    third, quarter = 2 / 3, 0.25
    assert fade[:4] == pytest.approx([0, 0, 0.5, third**2 * (3 - 2 * third)])
    assert fade[-4:] == pytest.approx(
        [third**2 * (3 - 2 * third), quarter**2 * (3 - 2 * quarter), 0, 0]
    )
    assert fade[4:-4] == pytest.approx(1.0)
    force[8] = 30.0  # a valley in mid-stance is still contact
    assert prediction._fade(force, phase, PredictionSettings())[8] == 1.0
    apart = np.where(phase < 0.4, 800.0, 0.0)  # nothing in mid-stance
    assert not prediction._fade(apart, phase, PredictionSettings()).any()
    assert not prediction._fade(np.full(17, 49.0), phase, PredictionSettings()).any()


def reaction(force: Array) -> GroundReaction:
    flat = np.zeros_like(force)
    on = force[:, :, 1] > 0
    return GroundReaction(
        TIME, force, flat, flat + np.array([0.0, 2.0, 0.0]), on, np.zeros_like(on)
    )


def two_feet(right: float = 1400.0, left: float = 1400.0) -> tuple[GroundReaction, Contacts]:
    """Contacts of 0.2 s every 0.35 s in turn; 0.1 of the force forwards."""
    force, found = np.zeros((len(TIME), 2, 3)), []
    for s, (size, lag) in enumerate(((right, 0.0), (left, 0.35))):
        on = ((TIME - lag + 1e-9) % 0.7 < 0.2) & (lag - 1e-6 < TIME)
        force[on, s, 1], force[on, s, 0] = size, 0.1 * size
        starts = [lag + 0.7 * k for k in range(3) if lag + 0.7 * k + 0.2 < 2.0]
        found.append(tuple(contact(a, a + 0.2) for a in starts))
    return reaction(force), Contacts(found[0], found[1], "force")


def test_impulses_carry_the_weight_over_whole_strides() -> None:
    given, found = two_feet(1300.0, 1100.0)
    balanced, scale = prediction._balanced(given, found, body(), WEIGHT, PredictionSettings())
    whole = (TIME >= 0.0) & (TIME < 1.4)
    mean = given.force[whole, :, 1].sum(axis=1).mean()
    assert scale == pytest.approx(WEIGHT / mean, rel=0.02)
    np.testing.assert_allclose(balanced.force, scale * given.force)
    np.testing.assert_allclose(balanced.torque, scale * given.torque)
    left, one = prediction._balanced(
        given, found, body(), WEIGHT, PredictionSettings(exact_impulse=False)
    )
    assert one == 1.0
    np.testing.assert_array_equal(left.force, given.force)


@pytest.mark.parametrize(("belt", "turned"), [(-0.4, False), (-3.0, True)])
def test_on_a_moving_belt_the_fore_aft_force_averages_to_nothing(
    belt: float, turned: bool
) -> None:
    given, found = two_feet()
    balanced, _ = prediction._balanced(
        given, found, body(belt=belt), WEIGHT, PredictionSettings()
    )
    assert bool(abs(balanced.force[:, :, 0]).max() < 1e-9) is turned
    same, _ = prediction._balanced(
        given, found, body(belt=belt), WEIGHT, PredictionSettings(steady_belt=False)
    )
    assert same.force[:, :, 0].max() > 50.0


def test_without_whole_strides_nothing_is_scaled() -> None:
    given, found = two_feet()
    missing = replace(given, contact=given.contact & [True, False])
    for case, contacts in (
        (missing, found),
        (given, Contacts(found.r[:1], found.l[:1], "force")),
        (given, Contacts(found.r, (), "force")),
    ):
        same, scale = prediction._balanced(case, contacts, body(), WEIGHT, PredictionSettings())
        assert scale == 1.0 and same is case


@pytest.mark.parametrize(
    ("lift", "floor"), [(0.0, 0.0), (0.119, 0.0), (0.13, 0.10), (-0.02, -0.05)]
)
def test_the_floor_is_zero_where_the_lowest_foot_point_allows(
    lift: float, floor: float
) -> None:
    flat = {n: np.tile(p[0] + [0.0, lift, 0.0], (401, 1)) for n, p in body().points.items()}
    assert prediction.floor_height(replace(body(), points=flat)) == pytest.approx(floor)


def test_a_point_off_the_foot_is_pulled_to_its_outline_and_a_margin() -> None:
    flat = {n: np.tile(p[0], (401, 1)) for n, p in body().points.items()}
    paths = replace(body(), points=flat)
    force = np.zeros((401, 2, 3))
    force[:200, 0, 1] = 700.0
    given = reaction(force)
    point = np.zeros((401, 2, 3))
    point[:, 0] = [0.4, 0.0, 0.1]  # 0.2 m before the toe at 0.2 m
    point[100, 0] = [0.1, 0.0, 0.1]  # under the foot
    point[101, 0] = [0.205, 0.0, 0.1]  # within the margin
    found = prediction._under_the_foot(replace(given, point=point), paths, 0.01)
    assert found[0, 0] == pytest.approx([0.21, 0.0, 0.1], abs=1e-9)
    assert found[100, 0] == pytest.approx([0.1, 0.0, 0.1])
    assert found[101, 0] == pytest.approx([0.205, 0.0, 0.1])
    assert found[300, 0] == pytest.approx([0.4, 0.0, 0.1])  # out of contact: left alone
    no_toe = replace(paths, points={n: p for n, p in flat.items() if "toe" not in n})
    np.testing.assert_array_equal(
        prediction._under_the_foot(replace(given, point=point), no_toe, 0.01), point
    )


def test_stances_that_were_not_predicted_are_masked_30_ms_around() -> None:
    contacts = Contacts((contact(0.5, 0.7), contact(1.2, 1.4)), (contact(0.9, 1.1),), "force")
    done = [replace(STANCE, side="r", index=1, start=1.2, end=1.4)]
    on = np.zeros((401, 2), bool)
    masked = prediction._unpredicted(TIME, contacts, done, on)
    assert TIME[masked[:, 0]].min() == pytest.approx(0.47)
    assert TIME[masked[:, 0]].max() == pytest.approx(0.73)
    assert TIME[masked[:, 1]][[0, -1]] == pytest.approx([0.87, 1.13])
    on[100:120, 0] = True
    assert not prediction._unpredicted(TIME, contacts, done, on)[100:120, 0].any()


def test_notes_count_contacts_shares_and_strangers() -> None:
    contacts = Contacts((contact(0.5, 0.7), contact(1.2, 1.4)), (contact(0.9, 1.1),), "force")
    done = [replace(STANCE, index=k) for k in range(2)]
    masked = np.zeros((400, 2), bool)
    masked[:10, 0] = True
    model: Any = SimpleNamespace(about={"runners": 20})
    notes = prediction._notes(
        done, contacts, 1.05, np.array([0.5, 1.4]), masked, PredictionSettings(), model
    )
    assert "2 of 3 contacts (20 runners" in notes[0]
    assert "scaled by 1.050" in notes[1] and "2.5 % of frames" in notes[2]
    assert "1 of 2 stances" in notes[3] and "up to 1.4 times" in notes[3]
    quiet = prediction._notes(
        done, contacts, 1.0, np.array([0.5, 1.0]), masked & False, PredictionSettings(), model
    )
    assert len(quiet) == 1
