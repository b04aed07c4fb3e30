"""Known answers of measured stances, of phase terms and of a knee's ligaments and levers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import test_ground as made
from kneestride.loads.ground import measure_ground
from kneestride.loads.ground_effective_mass import (
    PHASE_TERMS,
    TERMS,
    effective_mass_force,
    terms,
)
from kneestride.loads.ground_features import COLUMNS, Stance
from kneestride.loads.knee_balance import collateral_tension, knee_balance
from kneestride.vocabulary import GRAVITY


def test_stances_have_their_side_plate_times_peak_and_completeness() -> None:
    walk = made.walk()
    found = measure_ground(walk.forces, walk.paths, made.MASS, made.RAW)
    told = [(c.side, c.plates, c.complete) for c in found.contacts]
    assert told == [("r", (0,), True), ("l", (1,), True), ("r", (2,), False)]
    for c, name in zip(found.contacts, ("r1", "l2", "r3"), strict=True):
        _, start, end, _ = made.STANCES[name]
        # 20 of 687 N are passed after a tenth of the 150 ms that the load takes to come.
        u = np.roots([-2.0, 3.0, 0.0, -20.0 / made.WEIGHT])
        late = 0.15 * float(u[(u > 0) & (u < 1)][0])
        assert c.start == pytest.approx(start + late, abs=1.5e-3)
        if c.complete:
            assert c.end == pytest.approx(end - late, abs=1.5e-3)
            assert c.masked == 0.0
        assert c.peak == pytest.approx(made.WEIGHT, rel=1e-6)
        assert c.outside == 0.0
    figures = found.figures
    mean = found.reaction.force[:, :, 1].sum(axis=1).mean() / (made.MASS * GRAVITY)
    assert figures["mean_vertical_BW"] == pytest.approx(mean)
    masked = found.reaction.masked
    assert figures["masked_share"] == pytest.approx(masked.any(axis=1).mean())
    for k, side in enumerate("rl"):
        assert figures[f"masked_share_{side}"] == pytest.approx(masked[:, k].mean())
        assert figures[f"cop_outside_share_{side}"] == 0.0
    assert figures["unmeasured_share_l"] > figures["unmeasured_share_r"] == 0.0
    assert "Stances measured: 2 right and 1 left." in found.reaction.notes


def test_a_lightly_loaded_foot_keeps_its_last_pressure_under_it() -> None:
    walk = made.walk()
    found = measure_ground(walk.forces, walk.paths, made.MASS, made.RAW).reaction
    light = found.contact[:, 0] & (found.force[:, 0, 1] < 50.0)
    assert light.any()
    time = walk.paths.time
    for k in np.flatnonzero(light & (time < 0.5)):
        first = np.flatnonzero(found.contact[:, 0] & (found.force[:, 0, 1] > 50.0))[0]
        np.testing.assert_allclose(found.point[k, 0], found.point[first, 0], atol=2e-3)


def test_phase_terms_are_accelerations_a_constant_and_half_waves() -> None:
    pull = np.array([0.3, -0.2, 0.1])
    names = ["pelvis", "pelvis_depth", "pelvis_width"]
    names += [f"{p}_{s}" for s in "rl" for p in ("thigh", "shank", "heel", "forefoot")]
    signals: Any = SimpleNamespace(
        names=tuple(names), acceleration=lambda t: np.tile(pull, (len(t), len(names), 1))
    )
    phases = np.array([-0.1, 0.0, 0.25, 0.5, 1.0, 1.1])
    stance = Stance("r", 0, 0.0, 0.2, 0.1, 0.1, 0.3)
    found = terms(signals, stance, phases)
    assert found.shape == (6, TERMS) == (6, 3 * len(COLUMNS) + PHASE_TERMS)
    np.testing.assert_allclose(found[:, :33], np.tile(pull, (6, 11)))
    np.testing.assert_allclose(found[:, 33], 1.0)
    for order in range(1, 9):
        np.testing.assert_allclose(
            found[:, 33 + order], np.sin(np.pi * order * phases), atol=1e-12
        )
    weights = np.zeros((TERMS, 3))
    weights[33], weights[34, 1], weights[0, 2] = [0.1, 1.0, 0.0], 2.0, 1.0
    force = effective_mass_force(weights, signals, stance, phases)
    np.testing.assert_allclose(force[0], [0, 0.1, 0.1, 0.1, 0.1, 0])
    np.testing.assert_allclose(force[1], [0, 1.0, 1.0 + np.sqrt(2.0), 3.0, 1.0, 0], atol=1e-12)
    np.testing.assert_allclose(force[2], [0, 0.3, 0.3, 0.3, 0.3, 0])


def ligament(x: float) -> Any:
    return SimpleNamespace(
        femur_point=np.array([0.0, 0.02, x]), tibia_point=np.array([0.0, -0.05, x]),
        slack_length=0.08, transition_strain=0.06, stiffness=3000.0,
    )  # fmt: skip


def test_a_knees_levers_strains_and_pulls_at_round_figures() -> None:
    knees: Any = {
        side: SimpleNamespace(
            medial_compartment=np.array([0.0, 0.0, -out * 0.02]),
            lateral_compartment=np.array([0.0, 0.0, out * 0.03]),
            joint_center=np.array([0.0, 0.0, out * 0.001]),
            medial_collateral=ligament(-out * 0.04), lateral_collateral=ligament(out * 0.045),
        )
        for side, out in (("r", 1.0), ("l", -1.0))
    }  # fmt: skip
    eye = np.broadcast_to(np.eye(3), (1, 2, 3, 3))
    tibia, femur = np.zeros((1, 2, 3)), np.zeros((1, 2, 3))
    femur[..., 1] = 0.02  # drawn apart: the ligaments are 90 mm long
    found = knee_balance(knees, np.zeros((1, 2, 6)), (eye, tibia), (eye, femur))
    np.testing.assert_allclose(found.lever[0], found.lever[1])
    np.testing.assert_allclose(np.abs(found.lever[0]), [0.021, 0.029])
    assert found.lever[0, 0] * found.lever[0, 1] < 0.0
    np.testing.assert_allclose(found.collateral_strain, np.full((1, 2, 2), 0.125))
    pulls = found.collateral
    np.testing.assert_allclose(pulls[..., :3], np.broadcast_to([0.0, 1.0, 0.0], (1, 2, 2, 3)))
    # About X, a pull up at z turns by −z about the joint centre.
    np.testing.assert_allclose(pulls[0, 0, :, 3], [0.041, -0.044])
    np.testing.assert_allclose(pulls[0, 1, :, 3], [-0.041, 0.044])
    # Turned as a whole the knee is the same.
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    turned = np.broadcast_to(turn, (1, 2, 3, 3))
    again = knee_balance(knees, np.zeros((1, 2, 6)), (turned, tibia), (turned, femur @ turn.T))
    for one, other in zip(vars(found).values(), vars(again).values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_ligaments_pull_by_a_parabola_then_by_a_line() -> None:
    strain = np.array([-0.02, 0.0, 0.03, 0.06, 0.10])
    expected = 3000.0 * np.array([0.0, 0.0, 0.03**2 / 0.12, 0.03, 0.07])
    np.testing.assert_allclose(collateral_tension(ligament(0.0), strain), expected)
