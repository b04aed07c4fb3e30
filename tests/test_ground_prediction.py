"""Laws of the predicted ground reaction, on a made-up runner and the committed model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cartoon_runner import (
    CONTACT,
    FLIP,
    MASS,
    SPEED,
    STRIDE,
    contacts,
    mirrored,
    runner,
    turned,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import CaptureError, ModelError
from kneestride.loads.ground_features import (
    FEATURES,
    stance_features,
    stance_signals,
    stances,
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
from kneestride.loads.ground_prediction import (
    PredictionSettings,
    floor_height,
    predict_ground_reaction,
)
from kneestride.motion.contacts import Contact, Contacts
from kneestride.vocabulary import GRAVITY

# --- features -------------------------------------------------------------------------


def test_features_have_the_advertised_number() -> None:
    signals = stance_signals(runner())
    x = stance_features(signals, stances(contacts())[2])
    assert x.shape == (FEATURES,)
    assert np.isfinite(x).all()


def test_left_stance_of_a_mirrored_run_has_the_features_of_the_right_one() -> None:
    a, b = stance_signals(runner()), stance_signals(mirrored(runner()))
    swapped = Contacts(contacts().l, contacts().r)
    for x, y in zip(stances(contacts())[1:-1], stances(swapped)[1:-1], strict=True):
        assert x.side != y.side
        assert stance_features(a, x) == pytest.approx(stance_features(b, y), abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(angle=st.floats(-3, 3), x=st.floats(-5, 5), z=st.floats(-5, 5), up=st.floats(-1, 1))
def test_features_do_not_depend_on_the_laboratory(
    angle: float, x: float, z: float, up: float
) -> None:
    stance = stances(contacts())[3]
    a = stance_features(stance_signals(runner()), stance)
    b = stance_features(stance_signals(turned(runner(), angle, np.array([x, up, z]))), stance)
    assert b == pytest.approx(a, abs=1e-6)


def test_belt_and_floor_give_the_same_features() -> None:
    """Running past a standing laboratory is the same movement as standing on a belt."""
    belt = runner()
    travel = SPEED * belt.time[:, None] * belt.progression
    floor = replace(
        belt,
        points={k: v + travel for k, v in belt.points.items()},
        belt_velocity=np.zeros(3),
    )
    stance = stances(contacts())[3]
    a = stance_features(stance_signals(belt), stance)
    assert stance_features(stance_signals(floor), stance) == pytest.approx(a, abs=1e-3)


def test_a_missing_point_is_named() -> None:
    points = {k: v for k, v in runner().points.items() if k != "knee_center_l"}
    with pytest.raises(CaptureError, match="no knee_center_l"):
        stance_signals(replace(runner(), points=points))


def test_stances_know_their_flights() -> None:
    found = stances(contacts())
    inner = found[2]
    assert inner.flight_before == pytest.approx(STRIDE / 2 - CONTACT)
    assert inner.flight_after == pytest.approx(STRIDE / 2 - CONTACT)
    assert inner.step == pytest.approx(STRIDE / 2)
    assert all(np.isfinite([s.flight_before, s.flight_after, s.step]).all() for s in found)


# --- the linear model -----------------------------------------------------------------


def test_ridge_without_penalty_recovers_a_linear_law() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal((5, 2))
    groups = []
    for n in (40, 70):
        x = rng.standard_normal((n, 5)) * [1, 10, 0.1, 3, 1] + 4
        groups.append(Moments(x, x @ truth + 2.0))
    (fit,) = Moments.fit(groups, [1e-12])
    x = rng.standard_normal((3, 5))
    got = (x - fit.centre) / fit.scale @ fit.weights + fit.intercept
    assert got == pytest.approx(x @ truth + 2.0, abs=1e-6)


def test_a_larger_penalty_shrinks_the_weights() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((50, 4))
    fits = Moments.fit([Moments(x, x[:, :1])], [0.01, 1.0, 100.0])
    sizes = [float(np.abs(f.weights).sum()) for f in fits]
    assert sizes[0] > sizes[1] > sizes[2]


def test_principal_curves_rebuild_curves_of_their_rank() -> None:
    rng = np.random.default_rng(3)
    n = len(CURVE_PHASES)
    basis = rng.standard_normal((2, n))
    data = np.stack([rng.standard_normal((30, 2)) @ basis + 1.0 for _ in CHANNELS], axis=1)
    mean, curves = principal_curves(data, (2,) * len(CHANNELS))
    scores = np.einsum("scn,kcn->sk", data - mean, curves)
    assert mean + np.einsum("sk,kcn->scn", scores, curves) == pytest.approx(data, abs=1e-8)


def test_coefficients_survive_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    shape = (len(CHANNELS), len(CURVE_PHASES))
    model = GroundModel(
        centre=rng.standard_normal(FEATURES),
        scale=rng.uniform(1, 2, FEATURES),
        weights=rng.standard_normal((FEATURES, 3)),
        curves=rng.standard_normal((3, *shape)),
        mean=rng.standard_normal(shape),
        speeds=np.array([2.5, 3.5]),
        error=rng.uniform(0, 1, (2, *shape)),
        lasting=rng.uniform(0, 1, len(CHANNELS)),
        effective=rng.standard_normal((42, 3)),
        effective_error=rng.uniform(0, 1, (2, *shape)),
        usual=1.5,
        about={"source": "made up"},
    )
    save_ground_model(model, tmp_path / "m.npz")
    back = load_ground_model(tmp_path / "m.npz")
    x = rng.standard_normal((2, FEATURES))
    assert back.predict(x) == pytest.approx(model.predict(x), rel=1e-4, abs=1e-3)
    assert back.about == model.about
    assert back.error_at(9.0) == pytest.approx(model.error[1], rel=1e-6)


def test_damaged_coefficients_say_how_to_write_them_again(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"not an archive")
    with pytest.raises(ModelError, match="train_ground_reaction"):
        load_ground_model(tmp_path / "bad.npz")


# --- the prediction -------------------------------------------------------------------


def test_no_force_in_the_air_and_body_weight_over_whole_strides() -> None:
    got = predict_ground_reaction(runner(), MASS, contacts())
    r = got.reaction
    assert r.predicted
    assert (r.force[~r.contact] == 0).all()
    assert not r.contact.all(axis=1).any()
    lands = [c.initial_contact_s for c in contacts().r if c.complete_start]
    whole = (r.time >= lands[0]) & (r.time < lands[-1])
    mean = r.force[whole].sum(axis=1).mean(axis=0)
    assert mean[1] == pytest.approx(MASS * GRAVITY, rel=0.03)
    assert mean[0] == pytest.approx(0.0, abs=0.02 * MASS * GRAVITY)
    assert any("no force was measured" in n for n in r.notes)


def test_impulses_are_left_alone_when_asked() -> None:
    raw = PredictionSettings(exact_impulse=False, steady_belt=False)
    got = predict_ground_reaction(runner(), MASS, contacts(), raw)
    assert got.scale == 1.0


def test_prediction_is_proportional_to_mass() -> None:
    raw = PredictionSettings(contact_lower=20.0, contact_upper=50.0)
    double = PredictionSettings(contact_lower=40.0, contact_upper=100.0)
    one = predict_ground_reaction(runner(), MASS, contacts(), raw).reaction
    two = predict_ground_reaction(runner(), 2 * MASS, contacts(), double).reaction
    assert two.force == pytest.approx(2 * one.force, rel=1e-9)
    assert two.point == pytest.approx(one.point)


def test_mirrored_run_gets_the_mirrored_force() -> None:
    a = predict_ground_reaction(runner(), MASS, contacts()).reaction
    swapped = Contacts(contacts().l, contacts().r)
    b = predict_ground_reaction(mirrored(runner()), MASS, swapped).reaction
    assert b.force[:, ::-1] == pytest.approx(a.force * FLIP, abs=1e-6)
    assert b.point[:, ::-1] == pytest.approx(a.point * FLIP, abs=1e-6)
    assert b.torque[:, ::-1] == pytest.approx(-a.torque * FLIP, abs=1e-6)


def test_turned_laboratory_turns_the_force() -> None:
    c, s = np.cos(0.8), np.sin(0.8)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    a = predict_ground_reaction(runner(), MASS, contacts()).reaction
    b = predict_ground_reaction(turned(runner(), 0.8, np.zeros(3)), MASS, contacts()).reaction
    assert b.force == pytest.approx(a.force @ turn.T, abs=1e-5)
    assert b.point == pytest.approx(a.point @ turn.T, abs=1e-6)


def test_centre_of_pressure_stays_under_the_foot() -> None:
    r = predict_ground_reaction(runner(), MASS, contacts()).reaction
    for s, side in enumerate("rl"):
        on = r.contact[:, s]
        heel, toe = runner().points[f"heel_{side}"][on], runner().points[f"toe_{side}"][on]
        assert (r.point[on, s, 0] > heel[:, 0] - 0.03).all()
        assert (r.point[on, s, 0] < toe[:, 0] + 0.03).all()
        assert (r.point[on, s, 1] == 0.0).all()


def test_cut_stances_are_masked() -> None:
    got = predict_ground_reaction(runner(), MASS, contacts())
    assert got.reaction.masked[runner().time < 0.2, 0].any()
    assert not (got.reaction.masked & got.reaction.contact).any()


def test_errors_come_with_the_force() -> None:
    got = predict_ground_reaction(runner(), MASS, contacts())
    on = got.reaction.contact
    assert (got.force_error[on] > 0).all()
    assert (got.point_error[on] > 0).all()
    assert got.force_error[on, 1].max() < 0.5 * MASS * GRAVITY


def test_walking_is_refused() -> None:
    slow = tuple(Contact(a, a + 0.45) for a in (0.2, 0.9, 1.6))
    other = tuple(Contact(a, a + 0.45) for a in (0.55, 1.25, 1.95))
    with pytest.raises(CaptureError, match="running, with flight"):
        predict_ground_reaction(runner(), MASS, Contacts(slow, other))


@pytest.mark.parametrize(
    ("lift", "floor"), [(0.0, 0.0), (0.03, 0.0), (0.5, 0.53), (-0.3, -0.27)]
)
def test_floor_is_zero_where_that_can_be(lift: float, floor: float) -> None:
    up = np.array([0.0, lift, 0.0])
    paths = replace(runner(), points={k: v + up for k, v in runner().points.items()})
    assert floor_height(paths) == pytest.approx(floor, abs=0.005)
