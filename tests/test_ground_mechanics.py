"""Laws of the ground reaction by mechanics, and of which method is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cartoon_runner import MASS, contacts, mirrored, runner
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import CaptureError
from kneestride.loads.ground_effective_mass import TERMS, effective_mass_force, terms
from kneestride.loads.ground_error import CHANNELS
from kneestride.loads.ground_estimate import (
    EstimatedGround,
    Movement,
    NoGround,
    estimate_ground,
)
from kneestride.loads.ground_features import stance_signals, stances
from kneestride.loads.ground_feet import distance_to_outline
from kneestride.loads.ground_mechanics import (
    SOLE,
    MechanicsSettings,
    loading,
    mechanical_ground,
    until_the_toes_rise,
)
from kneestride.loads.ground_model import load_ground_model
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY

WEIGHT = MASS * GRAVITY
FLIP = np.array([1.0, 1.0, -1.0])
OTHER = {"r": "l", "l": "r"}


def walker(frames: int = 120, lean: float = 0.0) -> AnatomicalPaths:
    """Someone over two resting feet; the mass centre may lean to the right, m."""
    t = np.arange(frames) / 100.0
    points = {"center_of_mass": np.tile([0.05, 0.95, lean], (frames, 1))}
    for side, sign in (("r", 1.0), ("l", -1.0)):
        for name, x, z in (
            ("heel_bottom", -0.06, 0.0),
            ("heel", -0.07, 0.0),
            ("metatarsal_1", 0.13, -0.04),
            ("metatarsal_5", 0.11, 0.05),
            ("toe", 0.19, 0.0),
        ):
            points[f"{name}_{side}"] = np.tile([x, 0.03, sign * (0.1 + z)], (frames, 1))
    forward = np.array([1.0, 0.0, 0.0])
    return AnatomicalPaths(t, 100.0, points, {}, {}, forward, np.zeros(3))


def steps() -> Contacts:
    return Contacts(
        (Contact(0.0, 0.45, False, True), Contact(0.8, 1.19, True, False)),
        (Contact(0.35, 0.9),),
    )


def standing() -> Contacts:
    both = (Contact(0.0, 1.19, False, False),)
    return Contacts(both, both)


def about_centre(paths: AnatomicalPaths, force: np.ndarray) -> np.ndarray:
    """Moment about the origin of a force through the mass centre."""
    return np.cross(paths.points["center_of_mass"], force)


def weight_on(paths: AnatomicalPaths, **extra: float) -> np.ndarray:
    force = np.zeros((len(paths.time), 3))
    force[:, 1] = WEIGHT
    force[:, 0] = extra.get("forward", 0.0)
    force[:, 2] = extra.get("side", 0.0)
    return force


def test_the_feet_together_give_what_the_body_needs() -> None:
    paths = walker()
    force = weight_on(paths, forward=40.0)
    got = mechanical_ground(paths, steps(), force, about_centre(paths, force), MASS, True)
    assert got.reaction.force.sum(axis=1) == pytest.approx(force, abs=0.01 * WEIGHT)
    assert np.abs(got.missed_force).max() < 0.01 * WEIGHT


def test_standing_still_carries_the_weight_under_the_mass_centre() -> None:
    for lean in (-0.05, 0.0, 0.05):
        paths = walker(20, lean)
        force = weight_on(paths)
        both = (Contact(0.0, 0.19, False, False),)
        r = mechanical_ground(
            replace(paths, time=np.arange(20) / 20.0),
            Contacts((replace(both[0], toe_off_s=0.95),), (replace(both[0], toe_off_s=0.95),)),
            force,
            about_centre(paths, force),
            MASS,
            True,
        ).reaction
        up = r.force[..., 1]
        middle = (up[..., None] * r.point).sum(axis=1) / up.sum(axis=1)[:, None]
        assert middle[:, 2] == pytest.approx(np.full(20, lean), abs=0.01)
        assert up.sum(axis=1) == pytest.approx(np.full(20, WEIGHT), rel=0.01)


@settings(max_examples=15, deadline=None)
@given(
    forward=st.floats(-300, 300),
    side=st.floats(-200, 200),
    twist=st.floats(-60, 60),
    up=st.floats(0.2, 1.8),
)
def test_feet_push_do_not_slide_and_stay_on_their_soles(
    forward: float, side: float, twist: float, up: float
) -> None:
    paths = walker(40)
    force = weight_on(paths, forward=forward, side=side) * [1.0, up, 1.0]
    moment = about_centre(paths, force) + twist
    r = mechanical_ground(paths, steps(), force, moment, MASS, True).reaction
    assert (r.force[..., 1] >= 0).all()
    limit = MechanicsSettings().friction * r.force[..., 1] + 1e-6
    assert (np.abs(r.force[..., 0]) <= limit).all()
    assert (np.abs(r.force[..., 2]) <= limit).all()
    for s, name in enumerate("rl"):
        outline = np.stack([paths.points[f"{n}_{name}"] for n in SOLE], axis=1)
        gap = distance_to_outline(r.point[:, s], outline)
        assert gap[r.contact[:, s]] == pytest.approx(0.0, abs=1e-6)


def test_no_force_out_of_contact() -> None:
    paths = walker()
    force = weight_on(paths)
    r = mechanical_ground(
        paths, steps(), force, about_centre(paths, force), MASS, True
    ).reaction
    away = (paths.time > 0.47) & (paths.time < 0.78)
    assert (r.force[away, 0] == 0).all()
    assert (r.force[~r.contact] == 0).all()


def test_mirrored_body_gets_the_mirrored_force() -> None:
    paths = walker(120, lean=0.03)
    force = weight_on(paths, forward=30.0, side=20.0)
    moment = about_centre(paths, force) + np.array([4.0, 3.0, 2.0])
    a = mechanical_ground(paths, steps(), force, moment, MASS, True).reaction
    swapped = {
        (f"{n[:-1]}{OTHER[n[-1]]}" if n[-2] == "_" else n): p * FLIP
        for n, p in paths.points.items()
    }
    other = Contacts(steps().l, steps().r)
    b = mechanical_ground(
        replace(paths, points=swapped), other, force * FLIP, -moment * FLIP, MASS, True
    ).reaction
    assert b.force[:, ::-1] == pytest.approx(a.force * FLIP, abs=1e-3)
    assert b.point[:, ::-1] == pytest.approx(a.point * FLIP, abs=1e-5)


def test_load_passes_smoothly_from_foot_to_foot() -> None:
    time = np.arange(120) / 100.0
    down, share, phase, still = loading(time, steps())
    assert share.sum(axis=1) == pytest.approx(np.ones(120))
    assert np.abs(np.diff(share, axis=0)).max() < 0.25
    assert (share[~down] == 0).all()
    assert not still.any()
    inner = (time > 0.36) & (time < 0.89)
    assert (np.diff(phase[inner, 1]) > 0).all()
    assert loading(time, standing())[3].all()


def test_toes_that_rise_later_end_the_contact() -> None:
    paths = walker()
    t = paths.time
    toe = paths.points["toe_l"].copy()
    toe[:, 1] += np.where(t > 0.94, 1.0 * (t - 0.94), 0.0)
    risen = replace(paths, points={**paths.points, "toe_l": toe})
    late = until_the_toes_rise(steps(), risen).l[0]
    assert late.toe_off_s == pytest.approx(0.94, abs=0.03)
    assert until_the_toes_rise(steps(), paths).l[0] == steps().l[0]


def test_a_missing_sole_point_is_named() -> None:
    paths = walker()
    points = {n: p for n, p in paths.points.items() if n != "toe_l"}
    force = weight_on(paths)
    with pytest.raises(CaptureError, match="no toe_l"):
        mechanical_ground(replace(paths, points=points), steps(), force, force, MASS, True)


# --- effective masses -----------------------------------------------------------------


def test_three_components_of_42_terms_are_126_coefficients() -> None:
    assert load_ground_model().effective.size == 126
    assert terms(stance_signals(runner()), stances(contacts())[2], np.array([0.5])).shape == (
        1,
        TERMS,
    )


def test_effective_masses_mirror_and_end_with_contact() -> None:
    masses = load_ground_model().effective
    a, b = stance_signals(runner()), stance_signals(mirrored(runner()))
    phases = np.linspace(-0.2, 1.2, 15)
    swapped = Contacts(contacts().l, contacts().r)
    for x, y in zip(stances(contacts())[1:-1], stances(swapped)[1:-1], strict=True):
        force = effective_mass_force(masses, a, x, phases)
        assert effective_mass_force(masses, b, y, phases) == pytest.approx(force, abs=1e-8)
        assert (force[:, (phases < 0) | (phases > 1)] == 0).all()


# --- the choice -----------------------------------------------------------------------


def movement(paths: AnatomicalPaths, task: str) -> Movement:
    force = weight_on(paths)
    points = {"center_of_mass": np.tile([0.0, 0.95, 0.0], (len(paths.time), 1))}
    whole = replace(paths, points=points | dict(paths.points))
    moment = about_centre(whole, force)
    return Movement(whole, whole, force, moment, True, task, 15.0)


def asked(paths: AnatomicalPaths, task: str, method: str) -> EstimatedGround | NoGround:
    return estimate_ground(movement(paths, task), MASS, method, (20.0, 50.0))


def test_running_asks_the_learned_model_and_names_it() -> None:
    got = asked(runner(), "running", "auto")
    assert isinstance(got, EstimatedGround)
    assert got.method == "learned"
    assert got.ground.reaction.predicted
    assert "mechanics_apart_BW" in got.ground.figures
    assert any("no force was measured" in w for w in got.warnings)


@pytest.mark.parametrize("method", ["mechanics", "effective_mass"])
def test_another_method_can_be_asked_for(method: str) -> None:
    got = asked(runner(), "running", method)
    assert isinstance(got, EstimatedGround)
    assert got.method == method


@pytest.mark.parametrize("task", ["static", "landing", "other"])
def test_what_no_method_is_known_for_is_left_out_with_a_reason(task: str) -> None:
    got = asked(walker(), task, "auto")
    assert isinstance(got, NoGround)
    assert task in got.reason


def test_none_leaves_the_forces_out() -> None:
    assert isinstance(asked(runner(), "running", "none"), NoGround)


def test_a_run_without_a_whole_stance_says_so() -> None:
    paths = runner()
    short = replace(
        paths, time=paths.time[:30], points={n: p[:30] for n, p in paths.points.items()}
    )
    got = asked(short, "running", "auto")
    assert isinstance(got, NoGround)
    assert "cannot be predicted" in got.reason


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_error_moves_one_channel_where_the_foot_is_down(channel: str) -> None:
    got = asked(runner(), "running", "auto")
    assert isinstance(got, EstimatedGround)
    ground = got.ground.reaction
    moved = got.error.moved(channel, ground, runner())
    force, point = moved.force - ground.force, moved.point - ground.point
    changed = point if channel.startswith("pressure") else force
    other = force if channel.startswith("pressure") else point
    assert (other == 0).all()
    assert (changed[~ground.contact] == 0).all()
    assert (np.abs(changed[ground.contact]).sum(axis=1) > 0).all()
